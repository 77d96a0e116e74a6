//! Which rows match a rule, and the key by which a row is recognised later.

use duckdb::Connection;
use sha2::{Digest, Sha256};

use super::error::AlertError;
use super::rule::PreparedRule;
use crate::report::{self, Cell, ResultSet};
use crate::text::hex;

/// A row that matches a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    /// A digest, because the ledger keeps it longer than the row, and a row may hold a name.
    pub key: String,
    /// Column and value.
    pub cells: Vec<(String, Cell)>,
}

impl Match {
    pub(super) fn get(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }
}

/// Runs the report of a rule on the published database.
pub(crate) fn evaluate(connection: &Connection, prepared: &PreparedRule) -> Result<Vec<Match>, AlertError> {
    let condition = prepared.condition.as_ref().map(|condition| condition.sql());
    let result = report::run_where(connection, &prepared.report, &prepared.arguments, condition)
        .map_err(|source| AlertError::Report { rule: prepared.rule.name.clone(), source: Box::new(source) })?;
    Ok(matches(result, &prepared.report.name))
}

fn matches(result: ResultSet, report: &str) -> Vec<Match> {
    let key_columns = key_columns(&result);
    let rows = result.rows.into_iter();
    rows.map(|row| {
        let mut digest = Sha256::new_with_prefix(report);
        for column in &key_columns {
            digest.update([0x1f]);
            digest.update(row[*column].text());
        }
        let key = hex(&digest.finalize()[..16]);
        Match { key, cells: result.columns.iter().cloned().zip(row).collect() }
    })
    .collect()
}

/// The columns by which a row is recognised: `incident_id`, else the ids and keys, else the texts and dates, else all.
/// So a row whose numbers change stays the same row.
fn key_columns(result: &ResultSet) -> Vec<usize> {
    let with = |is_key: &dyn Fn(usize, &str) -> bool| {
        let columns = result.columns.iter().enumerate();
        let found: Vec<usize> = columns.filter(|(at, name)| is_key(*at, name)).map(|(at, _)| at).collect();
        (!found.is_empty()).then_some(found)
    };
    let has_text = |at: usize| result.rows.iter().any(|row| matches!(row[at], Cell::Text(_)));
    // A time without a date part changes with the newest minute; a date is part of what a row is about.
    let has_date = |at: usize| result.rows.iter().any(|row| matches!(&row[at], Cell::Time(text) if text.len() == 10));
    with(&|_, name| name == "incident_id")
        .or_else(|| with(&|_, name| name.ends_with("_key") || name.ends_with("_id") || name == "who"))
        .or_else(|| with(&|at, _| has_text(at) || has_date(at)))
        .unwrap_or_else(|| (0..result.columns.len()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::rule::tests::rule;
    use super::*;

    fn result(columns: &[&str], row: Vec<Cell>) -> ResultSet {
        ResultSet { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows: vec![row] }
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn key(columns: &[&str], row: Vec<Cell>) -> String {
        matches(result(columns, row), "r")[0].key.clone()
    }

    #[test]
    fn a_row_keeps_its_key_while_its_numbers_change() {
        let incident = |id: &str, poor| {
            key(&["scope_name", "poor_minutes", "incident_id"], vec![text("x"), Cell::Integer(poor), text(id)])
        };
        assert_eq!(incident("a", 1), incident("a", 2));
        assert_ne!(incident("a", 1), incident("b", 1));
        let site = |name: &str, date: &str, poor| {
            let cells = vec![
                text(name),
                Cell::Time(date.to_owned()),
                Cell::Time(format!("{date} 09:00:00")),
                Cell::Number(poor),
            ];
            key(&["building", "meeting_date", "last_minute", "poor_pct"], cells)
        };
        assert_eq!(site("a", "2026-11-20", 1.0), site("a", "2026-11-20", 2.0));
        assert_ne!(site("a", "2026-11-20", 1.0), site("a", "2026-11-21", 1.0));
        assert_ne!(site("a", "2026-11-20", 1.0), site("b", "2026-11-20", 1.0));
        let numbers = |n| key(&["n", "poor"], vec![Cell::Integer(n), Cell::Integer(0)]);
        assert_ne!(numbers(1), numbers(2), "a row of numbers is what it is");
        assert_eq!(numbers(1).len(), 32);
    }

    #[test]
    fn the_report_of_a_rule_runs_with_its_condition() {
        let connection = report::fixture::tenant();
        let prepare = |condition: &str| {
            let rule = super::super::rule::Rule { condition: Some(condition.to_owned()), ..rule() };
            PreparedRule::new(rule, Vec::new(), None, &["it-ops".to_owned()]).expect("prepared")
        };
        let all = evaluate(&connection, &prepare("true")).expect("rows");
        let most =
            all.iter().filter_map(|row| row.get("poor")?.text().parse::<u64>().ok()).max().expect("poor minutes");
        let poor = evaluate(&connection, &prepare(&format!("poor >= {most} -- the worst"))).expect("rows");
        assert!(!poor.is_empty() && poor.len() < all.len(), "{} of {}", poor.len(), all.len());
        assert_eq!(evaluate(&connection, &prepare("name = 'nobody at all'")).expect("rows"), []);
        let error = evaluate(&connection, &prepare("name")).expect_err("refused");
        let chain = crate::text::error_chain(&error);
        assert!(chain.contains("the condition is a VARCHAR, not true or false"), "{chain}");
    }
}
