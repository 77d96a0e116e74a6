//! Conventions that neither rustfmt nor clippy checks: line lengths, file lengths, module files, and words.

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

/// All files below a path with one of these endings, without third-party code and recorded test output.
fn files(path: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        if path.ends_with("echarts") || path.ends_with("golden") {
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
        for (number, line) in text.lines().enumerate() {
            // rustfmt cannot break a string literal.
            let is_breakable = line.trim_start().starts_with("//") || !line.contains('"');
            let is_text = text_line(&text, number);
            if line.chars().count() > MAX_WIDTH && is_breakable && !is_text {
                long.push(format!("{}:{}", shown(&path), number + 1));
            }
        }
    }
    assert_none("lines are too long", &long);
}

/// Whether a line continues a string literal that began on an earlier line.
fn text_line(text: &str, number: usize) -> bool {
    let mut lines = text.lines().take(number).collect::<Vec<_>>();
    let Some(previous) = lines.pop() else { return false };
    let before = previous.trim_end();
    before.ends_with('\\') || before.matches('"').count() % 2 == 1
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
            let line = line.to_lowercase();
            let words: Vec<&str> = line.split(|c: char| !c.is_alphabetic()).collect();
            let avoided = AVOIDED_WORDS.iter().filter(|(word, _)| words.contains(word));
            for (word, instead) in avoided.chain(AVOIDED_PHRASES.iter().filter(|(phrase, _)| line.contains(phrase))) {
                found.push(format!("{}:{}: {word} (use: {instead})", shown(&path), number + 1));
            }
        }
    }
    assert_none("avoided words", &found);
}
