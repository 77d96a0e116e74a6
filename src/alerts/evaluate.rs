//! Which rows match a rule, and the key by which a row is recognised later.

use duckdb::Connection;
use sha2::{Digest, Sha256};

use super::error::AlertError;
use super::rule::PreparedRule;
use crate::report::{self, Cell, Report, ResultSet};
use crate::text::hex;

/// A row that matches a rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    /// A digest, because the ledger keeps it longer than the row, and a row may hold a name.
    pub key: String,
    /// Start and end of the problem, as texts that sort by time; empty if the report has none. Rows with the same key
    /// are the same problem only if these overlap.
    pub span: (String, String),
    /// How bad it is, from 1; 0 if the report does not say.
    pub rank: u32,
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
    Ok(matches(result, &prepared.report))
}

fn matches(result: ResultSet, report: &Report) -> Vec<Match> {
    let identity = &report.header.identity;
    let at = |name: &String| result.columns.iter().position(|column| column == name);
    let declared: Vec<_> = identity.key.iter().filter_map(|column| Some((at(&column.name)?, Some(column)))).collect();
    let key_columns = match declared.is_empty() {
        true => guessed_columns(&result).into_iter().map(|at| (at, None)).collect(),
        false => declared,
    };
    let span = identity.span.as_ref().and_then(|(start, end)| Some((at(start)?, at(end)?)));
    let scale = identity.grows.as_ref().and_then(|scale| Some((at(&scale.column)?, scale)));
    let rows = result.rows.into_iter();
    rows.map(|row| {
        let mut digest = Sha256::new_with_prefix(&report.name);
        for (at, column) in &key_columns {
            let text = row[*at].text();
            digest.update([0x1f]);
            digest.update(column.map_or(text.as_str(), |column| column.part(&text)));
        }
        Match {
            key: hex(&digest.finalize()[..16]),
            span: span.map(|(start, end)| (row[start].text(), row[end].text())).unwrap_or_default(),
            rank: scale.map_or(0, |(at, scale)| scale.rank(&row[at].text())),
            cells: result.columns.iter().cloned().zip(row).collect(),
        }
    })
    .collect()
}

/// The columns of a report without `-- key:` by which a row is recognised: the ids and keys, else the texts and dates,
/// else all. So a row whose numbers change stays the same row.
fn guessed_columns(result: &ResultSet) -> Vec<usize> {
    let with = |is_key: &dyn Fn(usize, &str) -> bool| {
        let columns = result.columns.iter().enumerate();
        let found: Vec<usize> = columns.filter(|(at, name)| is_key(*at, name)).map(|(at, _)| at).collect();
        (!found.is_empty()).then_some(found)
    };
    let has_text = |at: usize| result.rows.iter().any(|row| matches!(row[at], Cell::Text(_)));
    // A time without a date part changes with the newest minute; a date is part of what a row is about.
    let has_date = |at: usize| result.rows.iter().any(|row| matches!(&row[at], Cell::Time(text) if text.len() == 10));
    with(&|_, name| name.ends_with("_key") || name.ends_with("_id") || name == "who")
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

    /// A report without `-- key:`.
    fn key(columns: &[&str], row: Vec<Cell>) -> String {
        let mut report = Report::built_in("by-site").expect("a report");
        report.header.identity = Default::default();
        matches(result(columns, row), &report)[0].key.clone()
    }

    #[test]
    fn an_incident_is_identified_by_scope_metric_and_time() {
        let report = Report::built_in("incidents").expect("a report");
        let of = |scope: &str, metric: &str, severity: &str, id: &str| {
            let columns =
                ["severity", "scope_kind", "metric", "incident_id", "scope", "start_time_utc", "end_time_utc"];
            let (start, end) =
                (Cell::Time("2026-11-20 01:40:00".to_owned()), Cell::Time("2026-11-20 04:06:00".to_owned()));
            let row = vec![text(severity), text("site"), text(metric), text(id), text(scope), start, end];
            matches(result(&columns, row), &report).remove(0)
        };
        let first = of("HQ", "loss", "minor", "a");
        assert_eq!(first.span, ("2026-11-20 01:40:00".to_owned(), "2026-11-20 04:06:00".to_owned()));
        assert_eq!(first.rank, 1);
        let later = of("HQ", "jitter", "critical", "b");
        assert_eq!((later.key, later.rank), (first.key.clone(), 3), "loss and jitter are the network");
        assert_ne!(of("HQ", "cpu", "minor", "a").key, first.key);
        assert_ne!(of("Annex", "loss", "minor", "a").key, first.key);
    }

    #[test]
    fn a_row_keeps_its_key_while_its_numbers_change() {
        let person = |id: &str, poor| key(&["name", "poor", "user_id"], vec![text("x"), Cell::Integer(poor), text(id)]);
        assert_eq!(person("a", 1), person("a", 2));
        assert_ne!(person("a", 1), person("b", 1));
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
