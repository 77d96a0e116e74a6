//! Conventions that neither rustfmt nor clippy checks: line lengths, file lengths, module files, and words.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The width in rustfmt.toml; rustfmt does not apply it to comments.
const MAX_WIDTH: usize = 120;
const MAX_LINES: usize = 500;

/// Folders with Rust code. Build products are elsewhere.
const RUST_FOLDERS: &[&str] = &["src", "crates", "tests", "benches", "fuzz/targets"];

/// Where words are checked: code, SQL and documents.
const WORDED: &[&str] = &["src", "crates", "sql", "docs", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Words that a reader would stop at, each with the term to use.
const AVOIDED_WORDS: &[(&str, &str)] = &[
    ("anew", "again, from scratch"),
    ("crew", "concurrency controller"),
    ("healed", "recovered, completed"),
    ("heals", "recovers, completes"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("mends", "fixes"),
    ("owed", "pending, incomplete"),
    ("stray", "orphan"),
    ("strays", "orphans"),
    ("told", "reported, shown"),
    ("torn", "truncated"),
    ("twin", "duplicate"),
    ("twins", "duplicates"),
    ("vendor", "Feishu"),
    ("vendors", "Feishu"),
];

/// Phrases to avoid, each with the phrase to use.
const AVOIDED_PHRASES: &[(&str, &str)] = &[
    ("gone on with", "resumed"),
    ("goes on with", "resumes"),
    ("so many", "this many, N"),
    ("the asking", "fetching"),
    ("where it is none", "if there is none"),
];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn shown(path: &Path) -> String {
    path.strip_prefix(project("")).unwrap_or(path).display().to_string()
}

/// All files below a path with one of these endings, without recorded test output.
fn files(path: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        if path.ends_with("golden") {
            return;
        }
        for entry in fs::read_dir(path).expect("a folder") {
            files(&entry.expect("an entry").path(), endings, found);
        }
    } else if path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending)) {
        found.push(path.to_owned());
    }
}

/// Every Rust file with its text.
fn rust_files() -> Vec<(PathBuf, String)> {
    let mut found = vec![project("build.rs")];
    RUST_FOLDERS.iter().for_each(|folder| files(&project(folder), &["rs"], &mut found));
    assert!(found.len() > 200, "only {} files were found", found.len());
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            (path, text)
        })
        .collect()
}

fn assert_none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{} {what}:\n{}", found.len(), found.join("\n"));
}

#[test]
fn lines_are_at_most_120_characters() {
    let mut long = Vec::new();
    for (path, text) in rust_files() {
        let literals = lines_with_literals(&text);
        for (number, line) in text.lines().enumerate() {
            // rustfmt cannot break a string literal.
            let is_comment = line.trim_start().starts_with("//");
            if line.chars().count() > MAX_WIDTH && (is_comment || !literals.contains(&number)) {
                long.push(format!("{}:{}", shown(&path), number + 1));
            }
        }
    }
    assert_none("lines are too long", &long);
}

/// Numbers (from 0) of the lines with a part of a string literal.
fn lines_with_literals(text: &str) -> HashSet<usize> {
    let (mut lines, mut number, mut rest) = (HashSet::new(), 0, text);
    while let Some(first) = rest.chars().next() {
        let hashes = rest.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
        let is_raw = rest.starts_with('r') && rest[1 + hashes..].starts_with('"');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if is_raw {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = 2 + hashes;
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else if first == '"' {
            let mut is_escaped = false;
            let end = rest[1..].find(|c| {
                let is_end = c == '"' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                is_end
            });
            end.map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            3
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        let last = number + token.matches('\n').count();
        if is_raw || first == '"' {
            lines.extend(number..=last);
        }
        (number, rest) = (last, behind);
    }
    lines
}

#[test]
fn string_literals_are_found_over_several_lines() {
    let text = "let a = '\"';\n// \"\nlet b = \"x \\\" \n y\";\nlet c = r#\"\n\"\n\"#;\nlet d = 1;";
    let mut lines: Vec<usize> = lines_with_literals(text).into_iter().collect();
    lines.sort_unstable();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
}

#[test]
fn rust_files_have_at_most_500_lines() {
    let long: Vec<String> = rust_files()
        .iter()
        .filter(|(_, text)| text.lines().count() > MAX_LINES)
        .map(|(path, text)| format!("{}: {} lines", shown(path), text.lines().count()))
        .collect();
    assert_none("files are too long", &long);
}

#[test]
fn only_unix_is_supported() {
    let other: Vec<String> = rust_files()
        .iter()
        .filter(|(path, text)| !path.ends_with("tidy.rs") && text.contains("cfg(not(unix))"))
        .map(|(path, _)| shown(path))
        .collect();
    assert_none("files have code for other systems", &other);
}

#[test]
fn modules_with_children_are_in_mod_rs() {
    let beside: Vec<String> = rust_files()
        .iter()
        .filter(|(path, _)| {
            let mut children = Vec::new();
            let folder = path.with_extension("");
            if folder.is_dir() {
                files(&folder, &["rs"], &mut children);
            }
            !children.is_empty()
        })
        .map(|(path, _)| shown(path))
        .collect();
    assert_none("modules are beside their folder instead of in its mod.rs", &beside);
}

#[test]
fn avoided_words_are_not_used() {
    let mut paths = Vec::new();
    WORDED.iter().for_each(|path| files(&project(path), &["rs", "sql", "md"], &mut paths));
    let mut found = Vec::new();
    for path in paths {
        for (number, line) in fs::read_to_string(&path).expect("text").lines().enumerate() {
            // The name of an outcome, which existing stores contain, and the topic of a simulated meeting.
            let line = line.to_lowercase().replace("\"vendor\"", "").replace("\"vendor review", "");
            let words: Vec<&str> = line.split(|c: char| !c.is_alphabetic()).collect();
            let avoided = AVOIDED_WORDS.iter().filter(|(word, _)| words.contains(word));
            for (word, instead) in avoided.chain(AVOIDED_PHRASES.iter().filter(|(phrase, _)| line.contains(phrase))) {
                found.push(format!("{}:{}: {word} (use: {instead})", shown(&path), number + 1));
            }
        }
    }
    assert_none("avoided words", &found);
}
