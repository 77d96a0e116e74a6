//! Numbers in the documents that follow from the code are those that are counted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::tampering::TAMPERINGS;

/// A number in a document, and what it counts.
struct Claim {
    document: &'static str,
    before: &'static str,
    after: &'static str,
    count: fn() -> usize,
}

const CLAIMS: &[Claim] = &[
    Claim { document: "README.md", before: "All ", after: " reports are in [", count: reports },
    Claim { document: "README.zh-CN.md", before: "全部 ", after: " 份报告见 [", count: reports },
    Claim {
        document: "docs/SCALE.md",
        before: "With Spark 4.0.1 and 3.5.8 all ",
        after: " reports are equal",
        count: reports,
    },
    Claim {
        document: "docs/zh-CN/SCALE.md",
        before: "Spark 4.0.1 和 3.5.8 中全部 ",
        after: " 份报告都相同",
        count: reports,
    },
    Claim { document: "docs/RELIABILITY.md", before: "`make web` | ", after: " tests |", count: web_tests },
    Claim { document: "docs/RELIABILITY.md", before: "`make test` | ", after: " kinds |", count: || TAMPERINGS.len() },
    Claim { document: "docs/zh-CN/RELIABILITY.md", before: "`make web` | ", after: " 个测试 |", count: web_tests },
    Claim {
        document: "docs/zh-CN/RELIABILITY.md",
        before: "`make test` | ",
        after: " 种 |",
        count: || TAMPERINGS.len(),
    },
];

fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

fn reports() -> usize {
    files("sql/reports", ".sql").len()
}

fn web_tests() -> usize {
    let tests = files("tests/web", ".test.mjs").into_iter().map(|path| fs::read_to_string(path).expect("a test"));
    tests.map(|text| text.lines().filter(|line| line.starts_with("test(")).count()).sum()
}

/// Every number between the two texts.
fn claimed(text: &str, before: &str, after: &str) -> Vec<usize> {
    let rests = text.split(before).skip(1);
    rests
        .filter_map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
            rest[digits..].starts_with(after).then(|| rest[..digits].parse().expect("a number"))
        })
        .collect()
}

#[test]
fn numbers_in_the_documents_are_those_that_are_counted() {
    for Claim { document, before, after, count } in CLAIMS {
        let text = fs::read_to_string(path(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        assert_eq!(claimed(&text, before, after), [count()], "{document}: {before}...{after}");
    }
}

#[test]
fn a_number_is_found_between_its_texts() {
    assert_eq!(claimed("All 40 reports, all 41 reports, All reports", "All ", " reports"), [40]);
    assert_eq!(claimed("| 7 kinds | 106 kinds |", "| ", " kinds"), [7, 106]);
}
