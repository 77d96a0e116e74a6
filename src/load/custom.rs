//! Views, macros and tables of the user, which every publication installs in the schema `custom`.
//!
//! A file is installed completely or not at all; one that fails is reported with its line and stops nothing. They are
//! installed after the rows are committed, without access to other files, and again at every publication, because a
//! table has rows of the others.

use std::path::Path;

use duckdb::Connection;

use super::connection::DatabaseOptions;
use super::duckdb_error::without_appendix;
use super::error::{LoadError, Result};
use super::scripts::{Script, run_all};
use crate::schema::ddl;

/// One file of the setting `views_dir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomFile {
    /// For messages.
    pub name: String,
    pub statements: Vec<CustomStatement>,
}

/// A statement that creates something in the schema `custom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomStatement {
    /// Where it begins in the file, counted from 1.
    pub line: usize,
    pub sql: String,
}

/// A name in the schema that vcq-etl uses, if there is one.
const SHADOWING: &str = "
    with objects(schema_name, name) as (
        select schema_name, table_name from duckdb_tables() where database_name = current_database()
        union all select schema_name, view_name from duckdb_views()
        where not internal and database_name = current_database()
        union all select schema_name, function_name from duckdb_functions()
        where not internal and database_name = current_database()
    )
    select name from objects where schema_name = 'custom'
    and lower(name) in (select lower(name) from objects where schema_name = 'main') limit 1";

/// Replaces everything in the schema. Returns the problems, one clause each. The connection loses access to files.
pub(super) fn install(connection: &Connection, files: &[CustomFile]) -> duckdb::Result<Vec<String>> {
    connection.execute_batch("drop schema if exists custom cascade; create schema custom")?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    // Nothing is written outside of the database, and nothing is read that is not published.
    connection.execute_batch("set enable_external_access = false")?;
    let mut problems = Vec::new();
    for file in files {
        connection.execute_batch("begin transaction")?;
        let failed = file.statements.iter().find_map(|statement| {
            if let Err(error) = connection.execute_batch(&statement.sql) {
                return Some(problem(&file.name, statement, error));
            }
            let name: String = connection.query_row(SHADOWING, [], |row| row.get(0)).ok()?;
            let text =
                format!("{name} is a name of vcq-etl, which the next files would no longer find; use another one");
            Some(left_out(&file.name, statement.line, &text))
        });
        connection.execute_batch(if failed.is_some() { "rollback" } else { "commit" })?;
        problems.extend(failed);
    }
    Ok(problems)
}

fn problem(file: &str, statement: &CustomStatement, error: duckdb::Error) -> String {
    let text = without_appendix(error).to_string();
    // DuckDB shows the place as `LINE 2: ...`, counted from the start of the statement.
    let within = text.split_once("LINE ").and_then(|(_, rest)| rest.split(':').next()?.parse::<usize>().ok());
    let line = statement.line + within.unwrap_or(1).saturating_sub(1);
    let first_line = text.lines().next().unwrap_or_default();
    left_out(file, line, first_line)
}

fn left_out(file: &str, line: usize, why: &str) -> String {
    format!("{file}, line {line}: {why}; nothing of this file is installed")
}

/// Installs the files in an empty database with all definitions. Returns the problems.
pub(crate) fn try_install(scripts: &[Script], files: &[CustomFile], options: DatabaseOptions) -> Result<Vec<String>> {
    let connection = define_in_memory(scripts, options)?;
    install(&connection, files).map_err(LoadError::duckdb("define the views in", Path::new("memory")))
}

/// An empty database with all tables and definitions.
pub(crate) fn define_in_memory(scripts: &[Script], options: DatabaseOptions) -> Result<Connection> {
    let failed = || LoadError::duckdb("define the reports in", Path::new("memory"));
    let connection = super::connection::open_in_memory(&std::env::temp_dir(), options)?;
    connection.execute_batch(&ddl::script()).map_err(failed())?;
    run_all(scripts, &connection).map_err(|(_, source)| failed()(source))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::fixture::{DAY, Store, open_published};
    use crate::load::{DatePublication, Definitions};

    fn file(name: &str, statements: &[(usize, &str)]) -> CustomFile {
        let statement = |(line, sql): &(usize, &str)| CustomStatement { line: *line, sql: (*sql).to_owned() };
        CustomFile { name: name.to_owned(), statements: statements.iter().map(statement).collect() }
    }

    fn publish(store: &Store, run_id: &str, rows: usize, custom: &[CustomFile]) -> Vec<String> {
        let dates: Vec<DatePublication> = vec![store.stage(run_id, DAY, &[("meetings", rows, 1)])];
        store.try_publish_with(run_id, dates, Definitions { custom, ..Definitions::NONE }).expect("published").notes
    }

    fn number(store: &Store, sql: &str) -> Option<i64> {
        open_published(&store.paths).expect("open").query_row(sql, [], |row| row.get(0)).ok()
    }

    #[test]
    fn every_publication_installs_the_files() {
        let store = Store::new();
        let files = [
            file("10.sql", &[(1, "create table custom.counted as select count(*) as n from meetings")]),
            file("20.sql", &[(1, "create view custom.twice as select 2 * n as n from custom.counted")]),
        ];
        assert_eq!(publish(&store, "r1", 7, &files), [""; 0]);
        assert_eq!(number(&store, "select n from custom.twice"), Some(14));
        assert_eq!(publish(&store, "r2", 9, &files), [""; 0], "what a publication replaces is no loss");
        assert_eq!(number(&store, "select n from custom.twice"), Some(18));
        assert_eq!(publish(&store, "r3", 9, &files[..1]), [""; 0]);
        assert_eq!(number(&store, "select n from custom.twice"), None, "a removed file is gone");
        store.assert_consistent();
    }

    #[test]
    fn a_name_of_vcq_etl_is_refused() {
        let store = Store::new();
        let files = [
            file(
                "10.sql",
                &[(1, "create view custom.fine as select 1 as n"), (3, "create view custom.Meetings as select 1 as n")],
            ),
            file("20.sql", &[(2, "create macro custom.meetings() as table select 1 as n")]),
            file("30.sql", &[(1, "create view custom.counted as select count(*) as n from meetings")]),
        ];
        let notes = publish(&store, "r1", 7, &files);
        assert!(notes[0].starts_with("10.sql, line 3: Meetings is a name of vcq-etl"), "{notes:?}");
        assert!(notes[1].starts_with("20.sql, line 2: meetings is a name") && notes.len() == 2, "{notes:?}");
        assert_eq!(number(&store, "select n from custom.counted"), Some(7));
        assert_eq!(number(&store, "select n from custom.fine"), None, "nothing of the file");
    }

    #[test]
    fn a_file_that_fails_stops_nothing_and_is_named_with_its_line() {
        let store = Store::new();
        let files = [
            file(
                "10.sql",
                &[
                    (2, "create view custom.one as select 1 as n"),
                    (4, "create view custom.two as\nselect x\nfrom meetings"),
                ],
            ),
            file("20.sql", &[(1, "create view custom.three as select 3 as n")]),
            file("30.sql", &[(1, "create table custom.secret as select * from read_text('/etc/hostname')")]),
        ];
        let notes = publish(&store, "r1", 7, &files);
        assert!(notes[0].starts_with("10.sql, line 5: Binder Error"), "{notes:?}");
        assert!(notes[1].starts_with("30.sql, line 1: ") && notes.len() == 2, "{notes:?}");
        assert_eq!(number(&store, "select n from custom.one"), None, "nothing of the file");
        assert_eq!(number(&store, "select n from custom.three"), Some(3));
        assert_eq!(number(&store, "select count(*) from meetings"), Some(7));
        assert_eq!(try_install(&[], &files, DatabaseOptions::default()).expect("tried"), notes);
    }
}
