//! SQL scripts that define views and macros, run so that DuckDB does not bind each one hundreds of times.
//!
//! DuckDB binds a view or table macro when it is created, and expands everything it selects from, down to the tables:
//! installing the reports in order takes 1.1 CPU seconds, longer than publishing a day. So each definition is first
//! created on top of placeholders, empty relations with the same columns, and described to build its own placeholder.
//! Then all are created again, the last one first. Each is bound twice over almost nothing: 0.2 CPU seconds. Comments
//! come last, because creating again removes them.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::connection::rows;
use crate::schema::ddl::{identifier, quoted};

/// SQL that is installed in every published database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// For messages.
    pub name: String,
    /// Statements that can be repeated; a single one if `relation` is set.
    pub sql: String,
    /// The relation it defines for later scripts to select from.
    pub relation: Option<Relation>,
    /// The parameters of a macro with their defaults, in parentheses; empty for others.
    pub parameters: String,
    pub comment: Option<Comment>,
}

/// What `comment on` says about a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// `view x`, `macro x` or `macro table x`.
    pub subject: String,
    pub text: String,
    /// The meaning of columns by name; only those that the relation has are used.
    pub columns: BTreeMap<String, String>,
    /// Stands above the columns of a macro.
    pub columns_heading: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// The name of a view.
    View(String),
    /// A table macro that can be called without arguments; `parameters` has the defaults and the parentheses.
    Macro { name: String, parameters: String },
}

/// Runs all scripts in order. An error names the script that failed.
pub(crate) fn run_all(scripts: &[Script], connection: &Connection) -> Result<(), (String, duckdb::Error)> {
    let mut replaced = Vec::new();
    let mut comments = String::new();
    for script in scripts {
        let failed = |error| (script.name.clone(), error);
        connection.execute_batch(&script.sql).map_err(failed)?;
        let mut names = Vec::new();
        if let Some(relation) = &script.relation {
            let columns = columns(relation, connection).map_err(failed)?;
            connection.execute_batch(&placeholder(relation, &columns)).map_err(failed)?;
            names = columns.into_iter().map(|(name, _)| name).collect();
            replaced.push(script);
        }
        comments.extend(script.comment.iter().map(|comment| comment.sql(&names)));
    }
    for script in replaced.into_iter().rev() {
        connection.execute_batch(&script.sql).map_err(|error| (script.name.clone(), error))?;
    }
    connection.execute_batch(&comments).map_err(|error| ("the comments".to_owned(), error))
}

impl Comment {
    /// The statements, for a relation with these columns. The columns of a macro have no comments of their own, so the
    /// comment of the macro has them.
    pub(crate) fn sql(&self, columns: &[String]) -> String {
        let known = columns.iter().filter_map(|name| Some((name, self.columns.get(name)?)));
        let Some(view) = self.subject.strip_prefix("view ") else {
            let lines = known.map(|(name, text)| format!("\n  {name}: {text}")).collect::<String>();
            let heading = if lines.is_empty() { String::new() } else { format!("\n{}", self.columns_heading) };
            let text = format!("{}{heading}{lines}", self.text);
            return format!("comment on {} is {};\n", self.subject, quoted(&text));
        };
        let columns =
            known.map(|(name, text)| format!("comment on column {view}.{} is {};\n", identifier(name), quoted(text)));
        format!("comment on view {view} is {};\n{}", quoted(&self.text), columns.collect::<String>())
    }
}

/// Names and types of the columns of a relation.
pub(crate) fn columns(relation: &Relation, connection: &Connection) -> duckdb::Result<Vec<(String, String)>> {
    let from = match relation {
        Relation::View(name) => identifier(name),
        Relation::Macro { name, .. } => format!("{}()", identifier(name)),
    };
    rows(connection, &format!("describe select * from {from}"), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The statement that replaces a relation by an empty one with the same columns.
fn placeholder(relation: &Relation, columns: &[(String, String)]) -> String {
    let (head, table) = match relation {
        Relation::View(name) => (format!("view {}", identifier(name)), ""),
        Relation::Macro { name, parameters } => (format!("macro {}{parameters}", identifier(name)), "table "),
    };
    let column = |(name, kind): &(String, String)| format!("cast(null as {kind}) as {}", identifier(name));
    let columns: Vec<String> = columns.iter().map(column).collect();
    format!("create or replace {head} as {table}select {} where false", columns.join(", "))
}
