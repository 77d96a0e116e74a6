//! What is in the database beside the declared tables, and the comments that make it its own dictionary.

use std::collections::HashMap;

use super::Findings;
use super::checks::DATABASE_SCHEMA;
use super::database::{answered, texts};
use super::snapshot::Database;
use crate::load::LoadError;
use crate::schema::{TABLES, ddl};

/// Everything that somebody can make in a database: what it is, and its name. Views and macros of `main` are a check of
/// their own.
const OBJECTS: &str = "
select 'a table', concat_ws('.', nullif(schema_name, 'main'), table_name)
from duckdb_tables() where not internal and database_name = current_database()
union all
select 'a view', concat_ws('.', schema_name, view_name)
from duckdb_views() where not internal and database_name = current_database() and schema_name <> 'main'
union all
select distinct 'a macro', concat_ws('.', schema_name, function_name)
from duckdb_functions() where not internal and database_name = current_database() and schema_name <> 'main'
union all
select 'a sequence', concat_ws('.', nullif(schema_name, 'main'), sequence_name)
from duckdb_sequences() where database_name = current_database()
union all
select 'an index', concat_ws('.', nullif(schema_name, 'main'), index_name)
from duckdb_indexes() where database_name = current_database()
union all
select 'a type', concat_ws('.', nullif(schema_name, 'main'), type_name)
from duckdb_types() where not internal and database_name = current_database()
order by all";

/// Comments of tables (where the column is NULL) and of columns.
const COMMENTS: &str = "
select table_name, null, comment
from duckdb_tables() where not internal and database_name = current_database() and schema_name = 'main'
union all
select table_name, column_name, comment
from duckdb_columns() where not internal and database_name = current_database() and schema_name = 'main'";

/// Tells what is not ours. A sync that builds upon a copy of the file keeps it, one that builds anew drops it.
pub(crate) fn strangers(database: &Database, findings: &mut Findings) -> Result<(), LoadError> {
    let rows = answered(texts(&database.connection, OBJECTS, &[]), "its catalog", findings)?.unwrap_or_default();
    for row in rows {
        let [Some(what), Some(name)] = &row[..] else { continue };
        if what != "a table" || !TABLES.iter().any(|table| table.name == name) {
            let found = format!(
                "{what} that is not ours: a sync may keep it, a rebuild drops it; keep it in a database of your own"
            );
            findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, {name}"), "only the tables of vcq-etl", found);
        }
    }
    Ok(())
}

/// Compares the comments. Another version of the program may have worded them differently, so of its file only that they
/// are there is asked.
pub(crate) fn comments(database: &Database, findings: &mut Findings) -> Result<(), LoadError> {
    let rows = answered(texts(&database.connection, COMMENTS, &[]), "its catalog", findings)?.unwrap_or_default();
    let found: HashMap<(String, Option<String>), Option<String>> = rows
        .into_iter()
        .filter_map(|row| <[Option<String>; 3]>::try_from(row).ok())
        .filter_map(|[table, column, comment]| Some(((table?, column), comment)))
        .collect();
    let is_ours = database.meta.vcq_etl_version.as_deref() == Some(env!("CARGO_PKG_VERSION"));
    for table in TABLES {
        let columns = table.columns.iter().map(|column| (Some(column.name), ddl::column_comment(column)));
        for (column, expected) in std::iter::once((None, table.doc.to_owned())).chain(columns) {
            let key = (table.name.to_owned(), column.map(str::to_owned));
            // A table or a column that is not there is told already.
            let Some(comment) = found.get(&key) else { continue };
            if comment.is_none() || (is_ours && comment.as_ref() != Some(&expected)) {
                let place = match column {
                    Some(column) => format!("vcq.duckdb, comment on {}.{column}", table.name),
                    None => format!("vcq.duckdb, comment on {}", table.name),
                };
                let comment = comment.clone().unwrap_or_else(|| "no comment".to_owned());
                findings.found(&DATABASE_SCHEMA, place, expected, comment);
            }
        }
    }
    Ok(())
}
