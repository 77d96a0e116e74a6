//! Each document has a Chinese version that says the same: the same headings, links, code and rows of tables.
//!
//! A difference is reported with the file and the line of the Chinese version. What prose says is not compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Documents that have no Chinese version yet, with the reason.
const ENGLISH_ONLY: &[(&str, &str)] = &[];

/// Documents that the program writes in both languages. Output in them is in the language of the document, and units
/// contain numbers.
const GENERATED: &[&str] = &["docs/REPORTS.md", "docs/SCHEMA.md", "docs/SETTINGS.md"];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `docs/zh-CN/ALERTS.md` for `docs/ALERTS.md`.
fn chinese_path(english: &str) -> String {
    match english.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/zh-CN/{name}"),
        None => english.replace(".md", ".zh-CN.md"),
    }
}

/// The English document of a path.
fn english_path(path: &str) -> String {
    path.replace("/zh-CN/", "/").replace(".zh-CN.md", ".md")
}

/// The documents in English.
fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned()];
    for entry in fs::read_dir(project("docs")).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            found.push(format!("docs/{name}"));
        }
    }
    found.sort();
    found
}

/// A heading and what is below it, up to the next one. Each part has the line on which it begins.
#[derive(Debug, Default)]
struct Section {
    line: usize,
    /// 0 above the first heading.
    level: usize,
    anchor: String,
    code_blocks: Vec<(usize, Vec<String>)>,
    /// Rows of tables, from the first cell on.
    rows: Vec<(usize, String)>,
    items: usize,
    links: Vec<(usize, String)>,
    /// `code` in the text.
    spans: Vec<(usize, String)>,
}

/// The anchor of a heading on GitHub.
fn anchor(heading: &str) -> String {
    let text: String = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect();
    text.replace(' ', "-")
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section { line: 1, ..Section::default() }];
    let mut block: Option<(usize, Vec<String>)> = None;
    let mut paragraph = Paragraph::default();
    for (at, line) in text.lines().enumerate() {
        let (number, trimmed) = (at + 1, line.trim());
        let section = sections.last_mut().expect("one section");
        if let Some((_, lines)) = &mut block {
            lines.push(code(trimmed));
            if trimmed == "```" {
                section.code_blocks.extend(block.take());
            }
            continue;
        }
        let is_heading = line.starts_with('#') && line.trim_start_matches('#').starts_with(' ');
        if trimmed.starts_with("```") || is_heading || trimmed.is_empty() {
            paragraph.end(section);
        }
        if trimmed.starts_with("```") {
            block = Some((number, vec![trimmed.to_owned()]));
        } else if is_heading {
            let level = line.len() - line.trim_start_matches('#').len();
            let heading = anchor(line.trim_start_matches('#').trim());
            sections.push(Section { line: number, level, anchor: heading, ..Section::default() });
        } else {
            if let Some(cells) = trimmed.strip_prefix('|') {
                section.rows.push((number, cells.trim().to_owned()));
            }
            let is_numbered = trimmed.split_once(". ").is_some_and(|(n, _)| n.parse::<usize>().is_ok());
            section.items += usize::from(trimmed.starts_with("- ") || is_numbered);
            paragraph.add(number, trimmed);
        }
    }
    paragraph.end(sections.last_mut().expect("one section"));
    sections
}

/// A line of code without its comment.
fn code(line: &str) -> String {
    let is_comment = |at: usize| {
        let (before, after) = line.split_at(at);
        (before.is_empty() || before.ends_with(' ')) && (after.starts_with("# ") || after.starts_with("-- "))
    };
    match line.char_indices().map(|(at, _)| at).find(|at| is_comment(*at)) {
        Some(at) => format!("{}<comment>", line[..at].trim_end()),
        None => line.to_owned(),
    }
}

/// The lines of a paragraph; a span or a link can be on two.
#[derive(Default)]
struct Paragraph {
    text: String,
    /// Where each line begins in the text, and its number.
    lines: Vec<(usize, usize)>,
}

impl Paragraph {
    fn add(&mut self, number: usize, line: &str) {
        self.lines.push((self.text.len(), number));
        self.text.push_str(line);
        self.text.push(' ');
    }

    fn end(&mut self, section: &mut Section) {
        let Paragraph { text, lines } = std::mem::take(self);
        let number = |at: usize| lines.iter().rev().find(|(start, _)| *start <= at).map_or(0, |(_, number)| *number);
        // The names of placeholders are translated.
        for part in text.split('`').skip(1).step_by(2).filter(|part| !part.contains('<')) {
            section.spans.push((number(part.as_ptr() as usize - text.as_ptr() as usize), part.to_owned()));
        }
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            section.links.push((number(at), target.to_owned()));
        }
    }
}

/// Where a link of a document leads: the English path and the number of the section.
fn destination(document: &str, target: &str, texts: &BTreeMap<String, Vec<Section>>) -> Result<String, String> {
    if target.contains("://") {
        return Ok(target.to_owned());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let mut full = PathBuf::from(document);
    if !path.is_empty() {
        full.pop();
        for part in Path::new(path).components() {
            match part {
                Component::ParentDir => drop(full.pop()),
                part => full.push(part),
            }
        }
    }
    let full = full.to_string_lossy().into_owned();
    if !project(&full).exists() {
        return Err(format!("the link {target} leads to no file"));
    }
    let chinese = chinese_path(&full);
    if english_path(document) != document && full == english_path(&full) && texts.contains_key(&chinese) {
        let is_switch = target == "README.md";
        if !is_switch {
            return Err(format!("the link {target} leads to the English version of {chinese}"));
        }
    }
    if anchor.is_empty() {
        return Ok(english_path(&full));
    }
    let sections = texts.get(&full).ok_or_else(|| format!("the anchor of {target} is not in a compared document"))?;
    match sections.iter().position(|section| section.anchor == anchor) {
        Some(at) => Ok(format!("{}, heading {at}", english_path(&full))),
        None => Err(format!("{full} has no heading for the anchor #{anchor}")),
    }
}

/// What is on one side only, with a line: of the Chinese document, or of the section if it lacks something.
fn different(what: &str, section: &Section, english: &[(usize, String)], chinese: &[(usize, String)]) -> Vec<String> {
    let lacks = |sought: &str, others: &[(usize, String)]| !others.iter().any(|(_, other)| other == sought);
    let missing = english.iter().filter(|(_, text)| lacks(text, chinese));
    let extra = chinese.iter().filter(|(_, text)| lacks(text, english));
    let mut found: Vec<String> = missing
        .map(|(line, text)| format!("{}: lacks the {what} {text} of the English line {line}", section.line))
        .collect();
    found.extend(extra.map(|(line, text)| format!("{line}: the {what} {text} is not in the English section")));
    found
}

/// The differences between a document and its Chinese version, each with a line of the latter.
fn differences(english: &str, texts: &BTreeMap<String, Vec<Section>>) -> Vec<String> {
    let chinese = chinese_path(english);
    let (ours, theirs) = (&texts[english], &texts[&chinese]);
    let mut found = Vec::new();
    for (first, second) in ours.iter().zip(theirs) {
        if first.level != second.level {
            found.push(format!("{}: the heading of the English line {} has another level", second.line, first.line));
            // Everything below would differ.
            break;
        }
        found.extend(section_differences(english, first, second, texts));
    }
    if ours.len() != theirs.len() {
        let line = theirs.get(ours.len()).or(theirs.last()).map_or(1, |section| section.line);
        found.push(format!("{line}: {} headings, {} in English", theirs.len() - 1, ours.len() - 1));
    }
    found.into_iter().map(|text| format!("{chinese}:{text}")).collect()
}

fn section_differences(
    document: &str,
    english: &Section,
    chinese: &Section,
    texts: &BTreeMap<String, Vec<Section>>,
) -> Vec<String> {
    let mut found = different("span", chinese, &english.spans, &chinese.spans);
    let resolve = |path: &str, links: &[(usize, String)]| {
        let (good, bad): (Vec<_>, Vec<_>) =
            links.iter().map(|(line, link)| (*line, destination(path, link, texts))).partition(|(_, to)| to.is_ok());
        let good: Vec<(usize, String)> = good.into_iter().filter_map(|(line, to)| Some((line, to.ok()?))).collect();
        (good, bad.into_iter().filter_map(|(line, to)| Some(format!("{line}: {}", to.err()?))))
    };
    let (first, bad) = resolve(document, &english.links);
    found.extend(bad.map(|text| format!("{}: in the English version, line {text}", chinese.line)));
    let (second, bad) = resolve(&chinese_path(document), &chinese.links);
    found.extend(bad);
    found.extend(different("link", chinese, &first, &second));
    for (name, ours, theirs) in [
        ("rows of tables", english.rows.len(), chinese.rows.len()),
        ("items of lists", english.items, chinese.items),
        ("code blocks", english.code_blocks.len(), chinese.code_blocks.len()),
    ] {
        if ours != theirs {
            found.push(format!("{}: {theirs} {name}, {ours} in the English section", chinese.line));
        }
    }
    for ((_, first), (line, second)) in english.rows.iter().zip(&chinese.rows) {
        let lacking: Vec<String> = numbers(first).into_iter().filter(|n| !numbers(second).contains(n)).collect();
        if !lacking.is_empty() && !GENERATED.contains(&document) {
            found.push(format!("{line}: the row lacks {} of the English one", lacking.join(", ")));
        }
    }
    for ((_, first), (line, second)) in english.code_blocks.iter().zip(&chinese.code_blocks) {
        let is_output = GENERATED.contains(&document) && first.get(1).is_some_and(|line| line.starts_with("$ "));
        let compared = if is_output { 2 } else { first.len().max(second.len()) };
        let text = |lines: &[String], at: usize| lines.get(at).map_or("(nothing)", String::as_str).to_owned();
        if let Some(at) = (0..compared).find(|at| first.get(*at) != second.get(*at)) {
            found.push(format!("{}: {} (in English: {})", line + at, text(second, at), text(first, at)));
        }
    }
    found
}

fn numbers(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
    parts.map(|part| part.trim_matches(['.', ','])).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The sections of all documents that are compared, by path.
fn all_sections(documents: &[String]) -> BTreeMap<String, Vec<Section>> {
    let paths = documents.iter().flat_map(|english| [english.clone(), chinese_path(english)]);
    paths.filter_map(|path| Some((path.clone(), sections(&fs::read_to_string(project(&path)).ok()?)))).collect()
}

#[test]
fn every_document_has_an_equal_chinese_version() {
    let documents = documents();
    let texts = all_sections(&documents);
    let mut found = Vec::new();
    for english in &documents {
        let is_listed = ENGLISH_ONLY.iter().any(|(name, _)| name == english);
        match (texts.contains_key(&chinese_path(english)), is_listed) {
            (true, false) => found.extend(differences(english, &texts)),
            (false, true) => {}
            (true, true) => found.push(format!("{english} has a Chinese version: remove it from ENGLISH_ONLY")),
            (false, false) => found.push(format!("{} is missing; write it", chinese_path(english))),
        }
    }
    found.extend(
        ENGLISH_ONLY
            .iter()
            .filter(|(name, _)| !documents.iter().any(|path| path == name))
            .map(|(name, _)| format!("{name} of ENGLISH_ONLY does not exist")),
    );
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    assert!(documents.len() > 7, "only {documents:?}");
}

/// The differences of two texts, as those of README.md.
fn compared(english: &str, chinese: &str) -> Vec<String> {
    let texts = [("README.md", english), ("README.zh-CN.md", chinese)];
    differences("README.md", &texts.map(|(path, text)| (path.to_owned(), sections(text))).into())
}

const SAMPLE: &str = "# A\n\nRead `b` in [C](#the-code).\n\n## The code\n\n```sh\nrun --all   # why\n```\n\n\
                      | n | x |\n|---|---|\n| 7 | `y` |\n\n- one\n";
const SAMPLE_IN_CHINESE: &str = "# 甲\n\n见[代码](#代码)中的 `b`。\n\n## 代码\n\n```sh\nrun --all   # 原因\n```\n\n\
                                 | 数 | 值 |\n|---|---|\n| 7 | `y` |\n\n- 一\n";

#[test]
fn equal_documents_have_no_differences() {
    assert_eq!(compared(SAMPLE, SAMPLE_IN_CHINESE), [""; 0]);
}

#[test]
fn each_kind_of_difference_is_reported_with_its_line() {
    for (from, to, expected) in [
        ("## 代码", "### 代码", "5: the heading of the English line 5 has another level"),
        ("- 一", "- 一\n\n## 多余", "17: 3 headings, 2 in English"),
        ("#代码", "#编码", "3: README.zh-CN.md has no heading for the anchor #编码"),
        ("(#代码)", "(LICENSE)", "3: the link LICENSE is not in the English section"),
        ("(#代码)", "(NONE)", "3: the link NONE leads to no file"),
        ("run --all", "run --some", "8: run --some<comment> (in English: run --all<comment>)"),
        ("   # 原因", "", "8: run --all (in English: run --all<comment>)"),
        ("```sh", "```sql", "7: ```sql (in English: ```sh)"),
        ("| 7 |", "| 8 |", "13: the row lacks 7 of the English one"),
        ("| 7 | `y` |\n", "", "5: 2 rows of tables, 3 in the English section"),
        ("- 一\n", "一\n", "5: 0 items of lists, 1 in the English section"),
        ("`b`", "b", "1: lacks the span b of the English line 3"),
        ("见[", "见 `c` [", "3: the span c is not in the English section"),
    ] {
        let changed = SAMPLE_IN_CHINESE.replacen(from, to, 1);
        let (found, expected) = (compared(SAMPLE, &changed), format!("README.zh-CN.md:{expected}"));
        assert!(found.contains(&expected), "{from}: {found:#?}, expected {expected}");
    }
}
