//! SQL scripts that define views and macros, run so that DuckDB does not bind each one hundreds of times.
//!
//! DuckDB binds a view or table macro when it is created, and expands everything it selects from, down to the tables:
//! installing the reports in order takes 1.1 CPU seconds, longer than publishing a day. So each definition is first
//! created on top of placeholders, empty relations with the same columns, and described to build its own placeholder.
//! Then all are created again, the last one first. Each is bound twice over almost nothing: 0.2 CPU seconds.

use duckdb::Connection;

use super::connection::rows;
use crate::schema::ddl::identifier;

/// SQL that is installed in every published database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// For messages.
    pub name: String,
    /// Statements that can be repeated; a single one if `relation` is set.
    pub sql: String,
    /// The relation it defines for later scripts to select from.
    pub relation: Option<Relation>,
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
    for script in scripts {
        let failed = |error| (script.name.clone(), error);
        connection.execute_batch(&script.sql).map_err(failed)?;
        if let Some(relation) = &script.relation {
            connection.execute_batch(&placeholder(relation, connection).map_err(failed)?).map_err(failed)?;
            replaced.push(script);
        }
    }
    for script in replaced.into_iter().rev() {
        connection.execute_batch(&script.sql).map_err(|error| (script.name.clone(), error))?;
    }
    Ok(())
}

/// The statement that replaces a relation by an empty one with the same columns.
fn placeholder(relation: &Relation, connection: &Connection) -> duckdb::Result<String> {
    let (head, from) = match relation {
        Relation::View(name) => (format!("view {}", identifier(name)), identifier(name)),
        Relation::Macro { name, parameters } => {
            (format!("macro {}{parameters}", identifier(name)), format!("{}()", identifier(name)))
        }
    };
    let table = if matches!(relation, Relation::Macro { .. }) { "table " } else { "" };
    let columns: Vec<String> = rows(connection, &format!("describe select * from {from}"), |row| {
        Ok(format!("cast(null as {}) as {}", row.get::<_, String>(1)?, identifier(&row.get::<_, String>(0)?)))
    })?;
    Ok(format!("create or replace {head} as {table}select {} where false", columns.join(", ")))
}
