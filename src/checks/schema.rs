//! Tables, columns, types, migrations and comments of the database, compared with what is declared.

use std::collections::{BTreeMap, HashMap};

use super::context::Result;
use super::database::{Database, TextRow, text_rows, unless_damaged};
use super::findings::Findings;
use super::registry::DATABASE_SCHEMA;
use super::sql_checks;
use crate::load::{MIGRATIONS, Migration};
use crate::schema::{SCHEMA_VERSION, TABLES, Table, ddl, meaning_in};
use crate::text::Language;

const COLUMNS: &str = "
select table_name, column_name, data_type, cast(is_nullable as varchar)
from duckdb_columns() where not internal and database_name = current_database() and schema_name = 'main'";

/// Comments of tables (with a NULL column) and of columns.
const COMMENTS: &str = "
select table_name, null, comment
from duckdb_tables() where not internal and database_name = current_database() and schema_name = 'main'
union all
select table_name, column_name, comment
from duckdb_columns() where not internal and database_name = current_database() and schema_name = 'main'";

/// Compares the schema, and records the tables that are as declared.
pub(super) fn check(database: &mut Database, findings: &mut Findings) -> Result {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in database.rows(COLUMNS, "its catalog", findings)? {
        if let [Some(table), Some(column), Some(kind), nullable] = &row[..] {
            let null = if nullable.as_deref() == Some("false") { " not null" } else { "" };
            found.entry(table.clone()).or_default().insert(column.clone(), format!("{kind}{null}"));
        }
    }
    if found.is_empty() {
        return Ok(()); // The catalog cannot be read: every database of vcq-etl has tables.
    }
    let older_version = database.meta.schema_version.filter(|version| *version < i64::from(SCHEMA_VERSION));
    if let Some(version) = older_version {
        let found =
            format!("{version}, of an older program: the next vcq-etl sync, or vcq-etl rebuild, upgrades the tables");
        findings.found(&DATABASE_SCHEMA, "vcq.duckdb, meta.schema_version", SCHEMA_VERSION.to_string(), found);
    }
    for table in TABLES {
        findings.examined(&DATABASE_SCHEMA, 1);
        if let Some(columns) = found.get(table.name) {
            if check_columns(table, columns, findings) {
                database.intact_tables.insert(table.name);
            }
        } else if older_version.is_none() {
            findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, {}", table.name), "a table", "no such table");
        }
    }
    check_migrations(database, findings)?;
    sql_checks::run(&DATABASE_SCHEMA, database, findings)?;
    check_comments(database, findings)
}

/// Returns true if the columns are as declared.
fn check_columns(table: &Table, columns: &BTreeMap<String, String>, findings: &mut Findings) -> bool {
    let mut is_intact = true;
    let mut differs = |name: &str, expected: &str, found: &str| {
        is_intact = false;
        findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, {}.{name}", table.name), expected, found);
    };
    for column in table.columns {
        let null = if column.required { " not null" } else { "" };
        let expected = format!("{}{null}", column.kind.duckdb());
        match columns.get(column.name) {
            Some(found) if *found == expected => {}
            Some(found) => differs(column.name, &expected, found),
            None => differs(column.name, &expected, "no such column"),
        }
    }
    for (name, kind) in columns.iter().filter(|(name, _)| table.position(name).is_none()) {
        differs(name, "no such column", kind);
    }
    is_intact
}

fn check_migrations(database: &Database, findings: &mut Findings) -> Result {
    let sql = "select cast(version as varchar), name, sha256 from schema_migrations order by version";
    let row = |known: &Migration| [known.version.to_string(), known.name.to_owned(), known.sha256()].map(Some).to_vec();
    let expected: Vec<TextRow> = MIGRATIONS.iter().map(row).collect();
    let Some(found) = unless_damaged(text_rows(&database.connection, sql, &[]), "schema_migrations", findings)? else {
        return Ok(());
    };
    if found != expected {
        let shown = |rows: &[TextRow]| {
            let names = rows.iter().map(|row| row[..2].iter().flatten().cloned().collect::<Vec<_>>().join(" "));
            names.collect::<Vec<_>>().join(", ")
        };
        findings.found(&DATABASE_SCHEMA, "vcq.duckdb, schema_migrations", shown(&expected), shown(&found));
    }
    Ok(())
}

/// Compares the comments, which may be in either language. Another version of the program may have other texts, so its
/// comments only need to exist.
fn check_comments(database: &Database, findings: &mut Findings) -> Result {
    let found: HashMap<(String, Option<String>), Option<String>> = database
        .rows(COMMENTS, "its catalog", findings)?
        .into_iter()
        .filter_map(|row| <[Option<String>; 3]>::try_from(row).ok())
        .filter_map(|[table, column, comment]| Some(((table?, column), comment)))
        .collect();
    let is_same_version = database.meta.vcq_etl_version.as_deref() == Some(env!("CARGO_PKG_VERSION"));
    let is_chinese = TABLES.first().is_some_and(|table| {
        found.get(&(table.name.to_owned(), None)) == Some(&Some(meaning_in(Language::Chinese, table.doc).to_owned()))
    });
    let language = if is_chinese { Language::Chinese } else { Language::English };
    for table in TABLES {
        let columns = table.columns.iter().map(|column| (Some(column.name), ddl::column_comment(column, language)));
        let of_table = (None, meaning_in(language, table.doc).to_owned());
        for (column, expected) in std::iter::once(of_table).chain(columns) {
            // A missing table or column is already reported.
            let Some(comment) = found.get(&(table.name.to_owned(), column.map(str::to_owned))) else { continue };
            if comment.is_none() || (is_same_version && comment.as_ref() != Some(&expected)) {
                let object = column.map_or(table.name.to_owned(), |column| format!("{}.{column}", table.name));
                let comment = comment.clone().unwrap_or_else(|| "no comment".to_owned());
                findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, comment on {object}"), expected, comment);
            }
        }
    }
    Ok(())
}
