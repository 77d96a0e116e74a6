//! Any SQL on the published database, for `vcq-etl query`.
//!
//! Promises: the SQL reads the published database and tables of its own session only, no files and no network; at most
//! one statement has a result, whose rows are passed on in batches, so that memory holds a part of it. Leaves out what
//! the rows become.

use std::path::{Path, PathBuf};

use arrow::array::Array;
use duckdb::Connection;
use duckdb::core::LogicalTypeId;

use super::arrow_cells;
use super::header::ReportColumn;
use super::result::ResultSet;
use super::tokenizer::{Token, split_tokens};
use crate::load::without_appendix;
use crate::schema::ddl::{identifier, quoted};

/// Why a query has no result. Lines are counted from 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error("the query is empty")]
    Empty,
    #[error("the SQL, line {line}: {problem}")]
    Token { line: usize, problem: String },
    #[error("line {line} begins a second query, but only the last statement may have a result")]
    SecondQuery { line: usize },
    #[error("could not run the query")]
    Run {
        source: Box<duckdb::Error>,
        /// The name that does not exist, with the names that do.
        missing: Option<Missing>,
    },
    #[error("the query returned a value of type {found}")]
    NoText { found: String },
    #[error("{text:?} does not have the form NAME=FILE")]
    NotATable { text: String },
    #[error("{name} is a table, view or macro of the store")]
    TakenName { name: String },
    #[error("could not read {} as the table {name}", path.display())]
    Table { name: String, path: PathBuf, source: Box<duckdb::Error> },
    #[error("could not write the result to {}", path.display())]
    Parquet { path: PathBuf, source: Box<duckdb::Error> },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) name: String,
    /// Tables and views.
    pub(crate) relations: Vec<String>,
    pub(crate) macros: Vec<String>,
}

/// A file that a query can use as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnTable {
    name: String,
    path: PathBuf,
}

impl OwnTable {
    /// Parses `NAME=FILE`.
    pub(crate) fn parse(text: &str) -> Result<OwnTable, SqlError> {
        let parts = text.split_once('=').filter(|(name, path)| !name.trim().is_empty() && !path.is_empty());
        let (name, path) = parts.ok_or_else(|| SqlError::NotATable { text: text.to_owned() })?;
        Ok(OwnTable { name: name.trim().to_owned(), path: PathBuf::from(path) })
    }

    /// Reads the file into a table of the session.
    pub(crate) fn load(&self, connection: &Connection) -> Result<(), SqlError> {
        let (relations, macros) = names(connection);
        if relations.iter().chain(&macros).any(|taken| taken.eq_ignore_ascii_case(&self.name)) {
            return Err(SqlError::TakenName { name: self.name.clone() });
        }
        let file = quoted(&self.path.to_string_lossy());
        let sql = format!("create temp table {} as select * from {file}", identifier(&self.name));
        connection.execute_batch(&sql).map_err(|source| SqlError::Table {
            name: self.name.clone(),
            path: self.path.clone(),
            source: Box::new(without_appendix(source)),
        })
    }
}

/// Takes away the connection's access to all files but one to write, and to its own settings.
pub(crate) fn restrict(connection: &Connection, writes: Option<&Path>) -> Result<(), SqlError> {
    let allowed = writes.map(|path| format!("set allowed_paths = [{}];", quoted(&path.to_string_lossy())));
    let sql =
        format!("{} set enable_external_access = false; set lock_configuration = true", allowed.unwrap_or_default());
    connection.execute_batch(&sql).map_err(|source| SqlError::Run { source: Box::new(source), missing: None })
}

/// The statements of an SQL text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sql {
    /// Statements without a result.
    before: Vec<String>,
    last: String,
}

/// The first words of statements that have no rows to show.
const WITHOUT_RESULT: &[&str] = &[
    "alter",
    "analyze",
    "attach",
    "begin",
    "checkpoint",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "delete",
    "detach",
    "drop",
    "export",
    "import",
    "insert",
    "install",
    "load",
    "merge",
    "pragma",
    "prepare",
    "reset",
    "rollback",
    "set",
    "start",
    "truncate",
    "update",
    "use",
    "vacuum",
];

const LOST_IN_ARROW: &[LogicalTypeId] =
    &[LogicalTypeId::Bit, LogicalTypeId::TimeTZ, LogicalTypeId::UHugeint, LogicalTypeId::Bignum];

impl Sql {
    pub(crate) fn parse(text: &str) -> Result<Sql, SqlError> {
        // A byte order mark is not part of the first word.
        let text = text.trim_start_matches('\u{feff}');
        let tokens =
            split_tokens(text).map_err(|error| SqlError::Token { line: error.line, problem: error.problem })?;
        let mut statements = Vec::new();
        for tokens in tokens.split(|(_, token)| *token == Token::End) {
            let mut code = tokens.iter().filter(|(_, token)| !matches!(token, Token::Blank(_)));
            let Some((line, first)) = code.next() else { continue };
            let first = if let Token::Code(word) = first { word.to_ascii_lowercase() } else { String::new() };
            let start = tokens.first().map_or(*line, |(line, _)| *line);
            // The lines before it, so that DuckDB counts lines as the user does.
            let mut sql = "\n".repeat(start - 1);
            for (_, token) in tokens {
                match token {
                    Token::Code(text) | Token::Blank(text) => sql.push_str(text),
                    Token::Parameter(name) => sql.extend(["$", name]),
                    Token::End => {}
                }
            }
            statements.push((*line, first, sql));
        }
        let Some((last_line, _, last)) = statements.pop() else { return Err(SqlError::Empty) };
        if statements.iter().any(|(_, first, _)| !WITHOUT_RESULT.contains(&first.as_str())) {
            return Err(SqlError::SecondQuery { line: last_line });
        }
        Ok(Sql { before: statements.into_iter().map(|(.., sql)| sql).collect(), last })
    }

    /// Runs all statements but the last.
    pub(crate) fn prepare(&self, connection: &Connection) -> Result<(), SqlError> {
        self.before
            .iter()
            .try_for_each(|sql| connection.execute_batch(sql))
            .map_err(|source| failed(connection, source))
    }

    /// Runs the last statement and passes its rows on, at first none of them with the names of the columns, until
    /// `take` returns false. Returns the number of rows.
    pub(crate) fn run<E: From<SqlError>>(
        &self,
        connection: &Connection,
        take: &mut dyn FnMut(ResultSet) -> Result<bool, E>,
    ) -> Result<u64, E> {
        let failed = |source| failed(connection, source);
        let mut statement = connection.prepare(&self.last).map_err(failed)?;
        // The iterator would panic at an error.
        drop(statement.stream_arrow([]).map_err(failed)?);
        // Arrow has no such types, and the nearest one would change the value.
        let is_lost = |column: &usize| LOST_IN_ARROW.contains(&statement.column_logical_type(*column).id());
        if let Some(column) = (0..statement.column_count()).find(is_lost) {
            let found = format!("{:?}", statement.column_logical_type(column).id()).to_uppercase();
            return Err(SqlError::NoText { found }.into());
        }
        let columns = unique(statement.column_names());
        let mut count = 0;
        let mut goes_on = take(ResultSet { columns: columns.clone(), rows: Vec::new() })?;
        while goes_on && let Some(batch) = statement.step().map_err(failed)? {
            let rows = arrow_cells::rows(batch.columns(), batch.len()).map_err(|found| SqlError::NoText { found })?;
            count += rows.len() as u64;
            goes_on = take(ResultSet { columns: columns.clone(), rows })?;
        }
        Ok(count)
    }

    /// Runs the last statement into a Parquet file, which must not exist yet, and returns the number of rows.
    pub(crate) fn write_parquet(&self, connection: &Connection, path: &Path) -> Result<u64, SqlError> {
        // Prepared separately so that an error is shown at its place in the SQL of the user.
        connection.prepare(&self.last).map_err(|source| failed(connection, source))?;
        let file = quoted(&path.to_string_lossy());
        let copy = format!("copy ({}\n) to {file} (format parquet, compression zstd, use_tmp_file false)", self.last);
        let rows = connection.execute(&copy, []).map_err(|source| SqlError::Parquet {
            path: path.to_path_buf(),
            source: Box::new(without_appendix(source)),
        })?;
        Ok(rows as u64)
    }
}

/// The meaning of the columns with a name that has only one meaning in the store.
pub(crate) fn column_docs(connection: &Connection, columns: &[String]) -> Vec<ReportColumn> {
    let sql = "select column_name, min(comment) from duckdb_columns() where comment is not null \
               group by column_name having count(distinct comment) = 1";
    let read = || -> duckdb::Result<Vec<(String, String)>> {
        connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    // They only explain.
    let known = read().unwrap_or_default();
    let doc = |name: &String| {
        let (_, comment) = known.iter().find(|(known, _)| known == name)?;
        let (doc, unit) = match comment.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
            Some((doc, unit)) => (doc, unit),
            None => (comment.as_str(), ""),
        };
        Some(ReportColumn { name: name.clone(), unit: unit.to_owned(), doc: doc.to_owned() })
    };
    columns.iter().filter_map(doc).collect()
}

/// Names that a JSON object can have: a repeated one gets a number, as in DuckDB.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let numbered = (1..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !unique.contains(name));
        unique.push(free.unwrap_or(name));
    }
    unique
}

fn failed(connection: &Connection, source: duckdb::Error) -> SqlError {
    let source = without_appendix(source);
    let missing = missing_name(&source.to_string()).map(|name| {
        let (relations, macros) = names(connection);
        Missing { name, relations, macros }
    });
    SqlError::Run { source: Box::new(source), missing }
}

/// The name in `Table with name x does not exist`.
fn missing_name(text: &str) -> Option<String> {
    let text = text.strip_prefix("Catalog Error: ")?;
    let name = text.split_once(" with name ")?.1.split_once(" does not exist")?.0;
    Some(name.trim_matches('"').to_owned())
}

/// The tables and views, and the macros.
fn names(connection: &Connection) -> (Vec<String>, Vec<String>) {
    let read = |sql: &str| -> duckdb::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    // Only for a hint, and to keep a name from being used twice.
    let relations = "select table_name from duckdb_tables() where not internal \
                     union all select view_name from duckdb_views() where not internal order by 1";
    let macros = "select distinct function_name from duckdb_functions() where not internal order by 1";
    (read(relations).unwrap_or_default(), read(macros).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::Cell;

    fn run(connection: &Connection, sql: &str) -> Result<(Vec<String>, Vec<Vec<String>>), SqlError> {
        let sql = Sql::parse(sql)?;
        sql.prepare(connection)?;
        let (mut columns, mut found) = (Vec::new(), Vec::new());
        sql.run::<SqlError>(connection, &mut |result| {
            columns = result.columns;
            found.extend(result.rows.iter().map(|row| row.iter().map(Cell::text).collect::<Vec<_>>()));
            Ok(true)
        })?;
        Ok((columns, found))
    }

    fn cells(connection: &Connection, sql: &str) -> String {
        let (_, rows) =
            run(connection, sql).unwrap_or_else(|error| panic!("{sql}: {}", crate::text::error_chain(&error)));
        rows.iter().map(|row| row.join(",")).collect::<Vec<_>>().join(";")
    }

    fn refusal(connection: &Connection, sql: &str) -> String {
        run(connection, sql)
            .map(|rows| format!("{rows:?}"))
            .map_err(|error| crate::text::error_chain(&error))
            .expect_err(sql)
    }

    fn restricted() -> Connection {
        let connection = crate::report::fixture::database("");
        restrict(&connection, None).expect("restricted");
        connection
    }

    #[test]
    fn the_last_statement_has_the_result() {
        let connection = restricted();
        let sql = "create temp table t as select range as a from range(3);\n-- then\ninsert into t values (9); from t;";
        assert_eq!(cells(&connection, sql), "0;1;2;9");
        assert_eq!(cells(&connection, "set variable x = 4; select getvariable('x')"), "4");
        assert_eq!(cells(&connection, "select ';' as a -- ;"), ";");
        assert_eq!(cells(&connection, "(select 1) union all (select 1)"), "1;1");
        assert_eq!(cells(&connection, "pivot (select 'p' as k, 2 as v) on k using sum(v)"), "2");
        assert!(cells(&connection, "show tables").contains("meetings"));
        assert!(cells(&connection, "describe meetings").starts_with("meeting_key,VARCHAR"));
        assert_eq!(cells(&connection, "explain select 1").split(',').next(), Some("physical_plan"));
        assert_eq!(
            refusal(&connection, "select 1;\nselect 2"),
            "line 2 begins a second query, but only the last statement may have a result"
        );
        for empty in ["", " -- nothing\n;", ";;"] {
            assert_eq!(refusal(&connection, empty), "the query is empty");
        }
        assert_eq!(refusal(&connection, "select 1,\n'a"), "the SQL, line 2: unterminated quote or comment");
    }

    #[test]
    fn repeated_names_of_columns_are_numbered() {
        let (columns, _) = run(&restricted(), "select 1 as a, 2 as a, 3 as a_1").expect("rows");
        assert_eq!(columns, ["a", "a_1", "a_1_1"]);
    }

    #[test]
    fn large_results_come_in_batches_and_can_be_cut_short() {
        let connection = restricted();
        let sql = Sql::parse("select range from range(1000000)").expect("sql");
        let mut batches = 0;
        let rows = sql.run::<SqlError>(&connection, &mut |_| {
            batches += 1;
            Ok(batches < 4)
        });
        assert_eq!((rows.expect("rows"), batches), (3 * 2_048, 4));
    }

    #[test]
    fn files_and_settings_are_out_of_reach() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("in.csv"), "a\n1\n").expect("written");
        let connection = restricted();
        for sql in [
            format!("from '{}'", path("in.csv")),
            format!("copy (select 1) to '{}'", path("out.csv")),
            format!("explain analyze copy (select 1) to '{}'", path("out.csv")),
            format!("create temp table t as from read_text('{}')", path("in.csv")),
            format!("attach '{}' as o", path("out.db")),
            format!("export database '{}'", path("out")),
            "install httpfs".to_owned(),
            "load httpfs".to_owned(),
            "set enable_external_access = true".to_owned(),
            "set memory_limit = '100GB'".to_owned(),
            "select getenv('HOME')".to_owned(),
            "from glob('/*')".to_owned(),
            "create secret s (type http, bearer_token 'x')".to_owned(),
        ] {
            let error = refusal(&connection, &sql);
            assert!(error.starts_with("could not run the query: "), "{sql}: {error}");
        }
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("one").file_name()).collect();
        assert_eq!(left, ["in.csv"]);
    }

    #[test]
    fn errors_have_their_line_and_the_name_that_is_missing() {
        let connection = restricted();
        let text = refusal(&connection, "create temp table t as select 1 as a;\n\nselect a,\n  b\nfrom t");
        assert!(text.contains("\"b\" not found") && text.contains("LINE 4:   b\n"), "{text}");
        let missing = |sql: &str| match run(&connection, sql) {
            Err(SqlError::Run { missing: Some(missing), .. }) => missing,
            other => panic!("{sql}: {other:?}"),
        };
        let table = missing("from meetigs");
        assert_eq!(table.name, "meetigs");
        assert!(
            table.relations.contains(&"meetings".to_owned()) && table.macros.contains(&"report_coverage".to_owned())
        );
        assert_eq!(missing("from report_coverge()").name, "report_coverge");
        assert_eq!(missing("select shar_pct(1, 2, 3)").name, "shar_pct");
        assert!(matches!(run(&connection, "selec 1"), Err(SqlError::Run { missing: None, .. })));
        let bits = refusal(&connection, "select 1 as a, '101'::bit as b");
        assert_eq!(bits, "the query returned a value of type BIT");
        // An error of a value comes with the rows.
        let text = refusal(&connection, "select cast(if(range = 5000, 'x', '1') as integer) from range(10000)");
        assert!(text.contains("Could not convert string 'x'"), "{text}");
    }

    #[test]
    fn a_file_becomes_a_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("it's.csv");
        std::fs::write(&file, "who,since\nann,2026-11-02\n").expect("written");
        let connection = crate::report::fixture::database("");
        let load = |text: &str| OwnTable::parse(text).and_then(|table| table.load(&connection));
        load(&format!("people={}", file.display())).expect("loaded");
        restrict(&connection, None).expect("restricted");
        assert_eq!(cells(&connection, "select who, since + 1 from people"), "ann,2026-11-03");
        let refused = |text: &str| crate::text::error_chain(&load(text).expect_err("refused"));
        assert_eq!(refused("people"), "\"people\" does not have the form NAME=FILE");
        assert_eq!(refused("Meetings=x.csv"), "Meetings is a table, view or macro of the store");
        assert!(refused("other=/nowhere.csv").starts_with("could not read /nowhere.csv as the table other: "));
    }

    #[test]
    fn parquet_is_the_only_file_that_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.parquet");
        let connection = crate::report::fixture::database("");
        restrict(&connection, Some(&path)).expect("restricted");
        let sql = Sql::parse("select range as n from range(5) -- a comment").expect("sql");
        assert_eq!(sql.write_parquet(&connection, &path).expect("written"), 5);
        let reader = Connection::open_in_memory().expect("a database");
        let sum: i64 = reader
            .query_row(&format!("select sum(n)::bigint from '{}'", path.display()), [], |row| row.get(0))
            .expect("a sum");
        assert_eq!(sum, 10);
        let wrong = Sql::parse("select n from range(5)").expect("sql").write_parquet(&connection, &path);
        assert!(matches!(wrong, Err(SqlError::Run { .. })));
    }
}
