//! Tests of the definitions and reports on the small tenant, with results computed by hand: `sql/tests/*.test`.
//!
//! A file has blocks: `# name`, one query, `----`, then the rows with `|` between cells, or `error: text`.

use duckdb::Connection;

use super::fixture::tenant;

struct Block<'a> {
    name: &'a str,
    query: String,
    expected: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks
        .map(|block| {
            let lines: Vec<&str> = block.lines().collect();
            let at = lines.iter().position(|line| *line == "----").unwrap_or_else(|| panic!("no ---- in: {block}"));
            Block { name: lines[0], query: lines[1..at].join("\n"), expected: lines[at + 1..].to_vec() }
        })
        .collect()
}

/// The rows, one line each; for a change, the number of changed rows.
fn rows(connection: &Connection, query: &str) -> duckdb::Result<Vec<String>> {
    if ["update", "insert", "delete"].iter().any(|word| query.starts_with(word)) {
        return Ok(vec![connection.execute(query, [])?.to_string()]);
    }
    let mut statement = connection.prepare(&format!("select columns(*)::varchar from ({query})"))?;
    let mut result = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = result.next()? {
        let width = row.as_ref().column_count();
        let cells = (0..width).map(|index| {
            let cell: Option<String> = row.get(index)?;
            Ok(cell.unwrap_or_else(|| "NULL".to_owned()))
        });
        found.push(cells.collect::<duckdb::Result<Vec<_>>>()?.join("|"));
    }
    Ok(found)
}

fn check(text: &str) {
    let connection = tenant();
    for Block { name, query, expected } in blocks(text) {
        match (rows(&connection, &query), expected.first().and_then(|line| line.strip_prefix("error: "))) {
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{name}: {error}"),
            (found, _) => assert_eq!(found.unwrap_or_else(|error| panic!("{name}: {error}")), expected, "{name}"),
        }
    }
}

#[test]
fn definitions_match_the_results_computed_by_hand() {
    check(include_str!("../../sql/tests/definitions.test"));
}

#[test]
fn reports_match_the_results_computed_by_hand() {
    check(include_str!("../../sql/tests/reports.test"));
}

#[test]
fn incidents_match_the_results_computed_by_hand() {
    check(include_str!("../../sql/tests/incidents.test"));
}
