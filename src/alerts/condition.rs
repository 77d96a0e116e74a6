//! The condition of a rule: one SQL expression over the columns of its report, and nothing more.
//!
//! DuckDB parses the text, and its syntax tree is checked: a single expression of columns, constants, comparisons and
//! functions. So a condition can contain neither a subquery nor a second statement, however it is written.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::error::AlertError;
use crate::load::DatabaseOptions;
use crate::load::connection::open_in_memory;
use crate::schema::ddl::quoted;

/// The classes of DuckDB's syntax tree that a condition may have.
const ALLOWED: &[&str] = &[
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
];

/// Longer texts are a mistake.
const MAX_CHARS: usize = 10_000;

/// A condition that passed the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    text: String,
    /// The columns of the report that it names.
    columns: Vec<String>,
}

impl Condition {
    pub(super) fn check(rule: &str, text: &str, columns: &[&str]) -> Result<Condition, AlertError> {
        let problem = |problem: String| AlertError::Condition { rule: rule.to_owned(), problem };
        let tree = parse(text).map_err(problem)?;
        let mut names = BTreeSet::new();
        walk(&tree, &mut names).map_err(problem)?;
        let is_named = |column: &&&str| names.iter().any(|name| name.eq_ignore_ascii_case(column));
        let named = columns.iter().filter(is_named).map(|column| (*column).to_owned()).collect();
        match names.into_iter().find(|name| !columns.iter().any(|column| column.eq_ignore_ascii_case(name))) {
            Some(column) => Err(AlertError::UnknownColumn {
                rule: rule.to_owned(),
                column,
                known: columns.iter().map(|column| (*column).to_owned()).collect(),
            }),
            None => Ok(Condition { text: text.to_owned(), columns: named }),
        }
    }

    pub(super) fn sql(&self) -> &str {
        &self.text
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }
}

/// The syntax tree of the only expression in a query without anything else.
fn parse(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.contains('\0') || text.chars().count() > MAX_CHARS {
        return Err("is not a condition".to_owned());
    }
    let failed = |error: &dyn std::error::Error| format!("could not be parsed: {error}");
    let connection = open_in_memory(Path::new(""), DatabaseOptions::default()).map_err(|error| failed(&error))?;
    // The line end ends a comment.
    let query = quoted(&format!("select (\n{text}\n)"));
    let json: String = connection
        .query_row(&format!("select json_serialize_sql({query})::varchar"), [], |row| row.get(0))
        .map_err(|error| failed(&error))?;
    let tree: Value = serde_json::from_str(&json).map_err(|error| failed(&error))?;
    if tree["error"] != false {
        let message = tree["error_message"].as_str().unwrap_or_default().replace('\n', " ");
        return Err(format!("is not an SQL condition: {message}"));
    }
    let only = |list: &Value| list.as_array().filter(|list| list.len() == 1).map(|list| list[0].clone());
    let one = only(&tree["statements"]).map(|statement| statement["node"].clone());
    let one =
        one.filter(|node| node["type"] == "SELECT_NODE" && node["from_table"]["type"] == "EMPTY" && is_bare(node));
    one.and_then(|node| only(&node["select_list"])).ok_or_else(|| "is more than one condition".to_owned())
}

/// Whether a query has no other clauses.
fn is_bare(node: &Value) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.values().all(|field| field.as_array().is_some_and(Vec::is_empty)),
        _ => false,
    };
    ["where_clause", "having", "qualify", "sample", "modifiers", "cte_map", "group_expressions", "group_sets"]
        .iter()
        .all(|clause| is_empty(&node[*clause]))
}

/// Collects the names of columns; an error for what a condition may not contain.
fn walk(value: &Value, names: &mut BTreeSet<String>) -> Result<(), String> {
    match value {
        Value::Array(list) => list.iter().try_for_each(|item| walk(item, names)),
        Value::Object(fields) => {
            if let Some(class) = fields.get("class").and_then(Value::as_str) {
                if !ALLOWED.contains(&class) {
                    let what = class.to_ascii_lowercase().replace('_', " ");
                    return Err(format!("contains a {what}; it may contain columns, values, operators and functions"));
                }
                if class == "COLUMN_REF" {
                    let parts = fields.get("column_names").and_then(Value::as_array);
                    let parts: Vec<&str> = parts.into_iter().flatten().filter_map(Value::as_str).collect();
                    names.insert(parts.join("."));
                }
            }
            fields.values().try_for_each(|field| walk(field, names))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: &[&str] = &["severity", "participants", "poor_pct", "start_time_local", "scope_name"];

    fn check(text: &str) -> Result<Condition, String> {
        Condition::check("r", text, COLUMNS).map_err(|error| error.to_string())
    }

    #[test]
    fn conditions_of_columns_values_operators_and_functions_are_accepted() {
        for text in [
            "severity <> 'minor'",
            "severity in ('major', 'critical') and not (poor_pct < 20 or participants is null)",
            "lower(scope_name) like '%house%' -- only these",
            "start_time_local >= timestamp '2026-11-20 09:00:00' and poor_pct between 1 and 20",
            "case when participants > 5 then true else Severity = 'critical' end",
            "poor_pct::int % 2 = 0",
            "true",
        ] {
            assert_eq!(check(text).as_ref().map(Condition::sql), Ok(text), "{text}");
        }
    }

    #[test]
    fn a_condition_names_its_columns() {
        let condition = check("Severity = 'critical' or poor_pct > 2 and severity <> 'x'").expect("a condition");
        assert_eq!(condition.columns(), ["severity", "poor_pct"]);
    }

    #[test]
    fn anything_that_is_more_than_a_condition_is_refused() {
        for text in [
            "",
            "  ",
            "severity <>",
            "severity = 'a'; drop table meetings",
            "true) union select * from (select 1",
            "true), (false",
            "true) from participants where (true",
            "true) order by (1",
            "exists (select 1 from participants)",
            "participants > (select count(*) from meetings)",
            "select 1",
            "select 1 from read_text('/etc/passwd')",
            "severity in (select content from read_text('/etc/passwd'))",
            "row_number() over () = 1",
            "participants = ?",
            "participants = $1",
            "*",
            "columns(*) = 1",
            "list_filter([1], x -> x > 0) = [1]",
            "true /* not closed",
            "severity = 'not closed",
            "a\0b",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("exists (select 1)").expect_err("refused").contains("contains a subquery"));
    }

    #[test]
    fn a_column_that_the_report_does_not_have_is_named() {
        assert_eq!(
            check("severty = 'minor'"),
            Err("rule r: where names \"severty\", which is not a column of its report".to_owned())
        );
        // Double quotes are names in SQL.
        assert!(check("severity = \"minor\"").expect_err("refused").contains("\"minor\""));
        assert!(check("severity.x = 1").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Whatever the pieces are, an accepted text is one expression when it stands in parentheses.
        #[test]
        fn an_accepted_condition_selects_from_the_rows_only(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("("), Just(")"), Just("true"), Just("or"), Just("and"), Just("'a'"), Just("'"), Just("--"),
                    Just("/*"), Just("*/"), Just(";"), Just("select"), Just("from t"), Just("severity"), Just("="),
                    Just("union"), Just(","), Just("\n"),
                ],
                1..8,
            )
        ) {
            let text = pieces.join(" ");
            if let Ok(condition) = check(&text) {
                let connection = duckdb::Connection::open_in_memory().expect("a database");
                connection.execute_batch("create table rows as select 'a' as severity; create table t as select 1 as x").expect("tables");
                let sql = format!("select count(*) from (select * from rows) where (\n{}\n)", condition.sql());
                // It may fail for its types, but it is never a query of another table or a second statement.
                let plan: Result<String, _> = connection.query_row(&format!("select json_serialize_sql({})::varchar", quoted(&sql)), [], |row| row.get(0));
                let plan = plan.expect("parsed");
                prop_assert!(plan.starts_with("{\"error\":false"), "{}: {}", text, plan);
                prop_assert!(!plan.contains("\"table_name\":\"t\""), "{}", text);
            }
        }
    }
}
