//! `vcq-etl query`: any SQL on the published database, in every format of a report.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::{ArgMatches, Args, Command, ValueHint};
use duckdb::Connection;

use super::command::{Context, Entry, Example, LOCAL, Run, parsed};
use super::report::{open, warn_of_other_definitions};
use super::result_args::ResultArgs;
use super::runtime::interrupt_on_signals;
use crate::error::{ExitCode, Failure};
use crate::report::{
    Answer, Arguments, OutputFormat, OwnTable, Report, ResultSet, Sql, SqlError, TextFormat, TextStream, XlsxWriter,
    column_docs, restrict, table,
};
use crate::text::counted;

const EXAMPLES: &[Example] = &[
    ("vcq-etl query \"show tables\"", "the tables and views"),
    ("vcq-etl query \"from runs\" --out runs.xlsx", "a workbook"),
    ("vcq-etl query --file counts.sql", "SQL from a file"),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Args)]
struct QueryArgs {
    /// The SQL, or - for standard input
    #[arg(value_name = "SQL", required_unless_present = "file", conflicts_with = "file")]
    sql: Option<String>,

    /// Read the SQL from a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Load a CSV, JSON or Parquet file as a table for this query; repeatable
    #[arg(long = "table", value_name = "NAME=FILE")]
    tables: Vec<String>,

    #[command(flatten)]
    result: ResultArgs,
}

fn command() -> Command {
    QueryArgs::augment_args(
        Command::new("query").about("Run SQL on the published database, read-only").long_about(
            "Run SQL (DuckDB's dialect) on the published database, read-only.\n\n\
             vcq-etl schema lists the tables, views and macros; minutes_flat has one row per participant-minute with \
             meeting, person, place and verdict. Filter large tables and views by meeting_date.\n\n\
             The SQL reads the published database only: no other files, no network, no extensions. --table adds a file as \
             a table, for example --table people=people.csv. Statements before the last one may prepare it, such as \
             create temp table or set variable; they leave nothing behind.\n\n\
             Columns named _utc are UTC and _local are the local time of the meeting; a value with a time zone is shown in \
             UTC with +00. Lists, structs and maps are JSON, a blob is \\x and hexadecimal digits. CSV and JSON are \
             written row by row; the other text formats hold up to 100,000 rows.",
        ),
    )
}

/// Formats for people hold all rows in memory.
const MAX_ROWS: usize = 100_000;

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: QueryArgs = parsed(matches);
    let text = sql_text(&args)?;
    let sql = Sql::parse(&text)?;
    let format = args.result.format(&context.config.store)?;
    let tables = args.tables.iter().map(|text| OwnTable::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let connection = open(&context.config)?;
    warn_of_other_definitions(&connection, context)?;
    let interrupt = connection.interrupt_handle();
    let signal = interrupt_on_signals(move || interrupt.interrupt());
    let query = Query { text: &text, sql, tables, connection: &connection, args: &args.result, context };
    query.run(format).map_err(|failure| match signal.load(Ordering::Relaxed) {
        0 => failure,
        signal => Failure::new(ExitCode::of_signal(signal), "the query was interrupted"),
    })?;
    Ok(ExitCode::Complete)
}

fn sql_text(args: &QueryArgs) -> Result<String, Failure> {
    let failed = |place: &str, error: &std::io::Error| {
        Failure::new(ExitCode::Usage, format!("could not read the SQL from {place}")).cause(error)
    };
    match (&args.file, args.sql.as_deref()) {
        (Some(path), _) => std::fs::read_to_string(path).map_err(|error| failed(&path.display().to_string(), &error)),
        (None, Some("-")) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| failed("standard input", &error))?;
            Ok(text)
        }
        (None, sql) => Ok(sql.unwrap_or_default().to_owned()),
    }
}

struct Query<'a> {
    text: &'a str,
    sql: Sql,
    tables: Vec<OwnTable>,
    connection: &'a Connection,
    args: &'a ResultArgs,
    context: &'a Context,
}

impl Query<'_> {
    fn run(&self, format: OutputFormat) -> Result<(), Failure> {
        let rows = match format {
            OutputFormat::Parquet => self.args.write_file(self.context, |path| {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
                self.prepare(Some(&path))?;
                Ok(self.sql.write_parquet(self.connection, &path)?)
            })?,
            OutputFormat::Xlsx => {
                self.prepare(None)?;
                self.args.write_file(self.context, |path| self.workbook(path))?
            }
            OutputFormat::Text(format) => {
                self.prepare(None)?;
                match TextStream::new(format) {
                    Some(stream) => self.stream(format, stream)?,
                    None => self.text(format)?,
                }
            }
        };
        if rows == 0 {
            self.context.console.info("No rows.");
        }
        Ok(())
    }

    /// Loads the files, then lets the SQL have nothing but the database and one file to write.
    fn prepare(&self, writes: Option<&Path>) -> Result<(), SqlError> {
        self.tables.iter().try_for_each(|table| table.load(self.connection))?;
        restrict(self.connection, writes)?;
        self.sql.prepare(self.connection)
    }

    fn stream(&self, format: TextFormat, mut stream: TextStream) -> Result<u64, Failure> {
        self.args.stream_text(format, self.context, |sink| {
            let rows = self.sql.run::<Failure>(self.connection, &mut |result| sink(&stream.batch(&result)))?;
            sink(stream.end())?;
            Ok(rows)
        })
    }

    fn text(&self, format: TextFormat) -> Result<u64, Failure> {
        let mut all = ResultSet { columns: Vec::new(), rows: Vec::new() };
        self.sql.run::<Failure>(self.connection, &mut |result| {
            all.columns = result.columns;
            all.rows.extend(result.rows);
            if all.rows.len() <= MAX_ROWS {
                return Ok(true);
            }
            let limit = counted(MAX_ROWS as u64, "row");
            Err(Failure::new(ExitCode::Usage, format!("the result has more than {limit}, too many for this format"))
                .hint("add a limit, or write it with --out FILE.csv, .json or .parquet"))
        })?;
        let width = self.args.columns();
        let text = match format {
            TextFormat::Table => table(&all, width, self.context.console.language),
            format => format.render(&self.answer(&self.report(&all.columns), &all), width),
        };
        let rows = all.rows.len() as u64;
        self.args.write_text(format, &text, rows, self.context)?;
        Ok(rows)
    }

    fn workbook(&self, path: &Path) -> Result<u64, Failure> {
        let mut writer: Option<XlsxWriter> = None;
        let mut columns = Vec::new();
        let rows = self.sql.run::<Failure>(self.connection, &mut |result| {
            if let Some(writer) = &mut writer {
                writer.rows(&result.rows)?;
            } else {
                writer = Some(XlsxWriter::new(&result.columns)?);
                columns = result.columns;
            }
            Ok(true)
        })?;
        let empty = ResultSet { columns: Vec::new(), rows: Vec::new() };
        match writer {
            Some(writer) => writer.finish(&self.answer(&self.report(&columns), &empty), path)?,
            None => XlsxWriter::new(&[])?.finish(&self.answer(&self.report(&[]), &empty), path)?,
        }
        Ok(rows)
    }

    /// Stands for the query in the formats that explain a result.
    fn report(&self, columns: &[String]) -> Report {
        let report = Report::of_query(self.text, column_docs(self.connection, columns));
        report.in_language(self.context.console.language)
    }

    fn answer<'r>(&self, report: &'r Report, result: &'r ResultSet) -> Answer<'r> {
        Answer { report, arguments: &NO_ARGUMENTS, result, empty_reason: "", window: "", next: "" }
    }
}

static NO_ARGUMENTS: Arguments = Arguments::NONE;
