//! The table of docs/RELIABILITY.md that says what holds and what tests it names tests that exist and targets that run
//! them.

use std::fs;
use std::path::Path;

const TABLE: &str = "## Promises and tests";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The `code` in a cell.
fn spans(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The target that the reason of an ignored test names; `make test` if it is not ignored. `None` if there is no such
/// test.
fn target_of(source: &str, function: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| line.trim_start().starts_with(&format!("fn {function}(")))?;
    let attributes: Vec<&str> =
        lines[..at].iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with('#')).collect();
    let is_test = attributes.contains(&"#[test]");
    let ignored = attributes.iter().find(|line| line.starts_with("#[ignore"));
    let reason = |line: &&str| line.split("make ").nth(1).map(|text| text.trim_end_matches("\"]").to_owned());
    is_test.then(|| ignored.map_or(Some("test".to_owned()), reason))?
}

/// What is wrong with a row: its tests and the targets that run them.
fn problems(row: &str, makefile: &str) -> Vec<String> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [promise, tests, targets, tried] = cells[..] else { return vec![format!("not four cells: {row}")] };
    let mut problems = Vec::new();
    let targets: Vec<&str> = spans(targets).into_iter().filter_map(|span| span.strip_prefix("make ")).collect();
    for target in &targets {
        if !makefile.lines().any(|line| line.starts_with(&format!("{target}:"))) {
            problems.push(format!("no target {target} in the Makefile"));
        }
    }
    let tests = spans(tests);
    if promise.is_empty() || tests.is_empty() || targets.is_empty() || !tried.contains(|c: char| c.is_ascii_digit()) {
        problems.push(format!("a row without a promise, a test, a target or a number: {row}"));
    }
    for test in tests {
        let Some((module, function)) = test.split_once("::") else {
            if !Path::new(env!("CARGO_MANIFEST_DIR")).join(test).is_file() {
                problems.push(format!("no file {test}"));
            }
            continue;
        };
        let module = match module {
            "year" => "tests/year/mod.rs".to_owned(),
            module => format!("tests/it/{module}.rs"),
        };
        match target_of(&read(&module), function) {
            None => problems.push(format!("no test {test}")),
            Some(target) if !targets.contains(&target.as_str()) => {
                problems.push(format!("make {target} runs {test}, which the row does not name"));
            }
            Some(_) => {}
        }
    }
    problems
}

#[test]
fn every_promise_names_tests_that_exist() {
    let (text, makefile) = (read("docs/RELIABILITY.md"), read("Makefile"));
    let (_, section) = text.split_once(TABLE).expect("the table");
    let rows: Vec<&str> =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10, "{} rows", rows.len());
    let problems: Vec<String> = rows[2..].iter().flat_map(|row| problems(row, &makefile)).collect();
    assert!(problems.is_empty(), "docs/RELIABILITY.md:\n{}", problems.join("\n"));
}

#[test]
fn a_row_with_a_wrong_name_is_found() {
    let makefile = "test: unit\n";
    let found = |row: &str| problems(row, makefile);
    let right = "| holds | `promises::a_row_with_a_wrong_name_is_found` | `make test` | 1 time |";
    assert_eq!(found(right), [] as [&str; 0]);
    assert_eq!(found(&right.replace("wrong", "right")).len(), 1);
    assert_eq!(found(&right.replace("make test", "make nothing")).len(), 2, "no target, and not that of the test");
    assert_eq!(found(&right.replace("1 time", "often")).len(), 1);
    assert_eq!(found("| holds | `tests/it/none.rs` | `make test` | 1 |"), ["no file tests/it/none.rs"]);
}
