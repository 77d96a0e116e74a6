//! Definitions as statements, and running them all without binding each one hundreds of times.
//!
//! DuckDB binds a view or a table macro when it is created, and what it selects from is written out in full at every place,
//! down to the tables: installing the reports in the order of their text takes 1.1 CPU seconds, longer than publishing a
//! day. So each definition is first made and looked at while all below it are stand-ins, empty relations with the columns
//! of the real one, and then made again, the topmost first. Each is bound twice over next to nothing: 0.2 CPU seconds.

use duckdb::Connection;

use crate::schema::ddl::identifier;

/// SQL that is run in every published database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it is, for messages.
    pub name: String,
    /// Statements that may be run again. One alone where it defines something that later ones select from.
    pub sql: String,
    /// What it defines for later ones to select from.
    pub relation: Option<Relation>,
}

/// Something that is selected from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// A view of this name.
    View(String),
    /// A table macro that can be called without arguments.
    Macro {
        name: String,
        /// Its parameters with their defaults, in brackets.
        parameters: String,
    },
}

/// Runs all scripts, each seeing what those before it define. Gives the one that failed.
pub(crate) fn run_all(scripts: &[Script], connection: &Connection) -> Result<(), (String, duckdb::Error)> {
    let mut stood_in_for = Vec::new();
    for script in scripts {
        let failed = |error| (script.name.clone(), error);
        connection.execute_batch(&script.sql).map_err(failed)?;
        if let Some(relation) = &script.relation {
            connection.execute_batch(&stand_in(relation, connection).map_err(failed)?).map_err(failed)?;
            stood_in_for.push(script);
        }
    }
    for script in stood_in_for.into_iter().rev() {
        connection.execute_batch(&script.sql).map_err(|error| (script.name.clone(), error))?;
    }
    Ok(())
}

/// The statement that puts an empty relation of the same columns in its place.
fn stand_in(relation: &Relation, connection: &Connection) -> duckdb::Result<String> {
    let (head, from) = match relation {
        Relation::View(name) => (format!("view {}", identifier(name)), identifier(name)),
        Relation::Macro { name, parameters } => {
            (format!("macro {}{parameters}", identifier(name)), format!("{}()", identifier(name)))
        }
    };
    let table = if matches!(relation, Relation::Macro { .. }) { "table " } else { "" };
    let columns: Vec<String> = connection
        .prepare(&format!("describe select * from {from}"))?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .map(|column| column.map(|(name, kind)| format!("cast(null as {kind}) as {}", identifier(&name))))
        .collect::<duckdb::Result<_>>()?;
    Ok(format!("create or replace {head} as {table}select {} where false", columns.join(", ")))
}
