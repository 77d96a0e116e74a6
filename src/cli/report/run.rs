//! `vcq-etl report run`: one report on the published database, in the given format and to the given place.

use clap::Args;
use duckdb::Connection;

use super::store::{catalogue, open, warn_of_other_definitions};
use crate::cli::command::Context;
use crate::cli::result_args::ResultArgs;
use crate::cli::runtime::now_us;
use crate::cli::window;
use crate::config::Config;
use crate::error::Failure;
use crate::report::{self, Answer, Arguments, OutputFormat, Report, ResultSet, TextFormat, XlsxWriter};
use crate::text::{terminal_width, wrap_indented};

pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report run worst-meetings --since yesterday --top 5\n  \
    vcq-etl report run by-site --since 7d --param dimension=floor --out site.xlsx\n  \
    vcq-etl report run coverage --format json | jq '.[0]'";

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Name of the report
    #[arg(value_name = "REPORT")]
    name: String,

    /// Start date (inclusive): 7d, yesterday, 2026-11-01 [default: earliest]
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// End date (exclusive), in the same formats [default: latest]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,

    /// Threshold profile: cqd, strict, huawei-red or custom
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    /// Hide percentages based on fewer than this many judged minutes
    #[arg(long, value_name = "N")]
    min_n: Option<String>,

    /// Maximum number of rows
    #[arg(long, value_name = "N")]
    top: Option<String>,

    /// Set a report parameter; repeatable
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,

    #[command(flatten)]
    result: ResultArgs,
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let parameters = parameters(args, &context.config, now_us())?;
    let arguments = Arguments::resolve(&report.name, &report.header, &parameters)?;
    let format = args.result.format(&context.config.store)?;
    let connection = open(&context.config)?;
    let query = Query { report: &report, arguments: &arguments, connection: &connection };
    warn_of_other_definitions(&connection, context)?;
    match format {
        OutputFormat::Text(format) => query.text(format, args, context),
        OutputFormat::Parquet => query.parquet(args, context),
        OutputFormat::Xlsx => query.workbook(args, context),
    }
}

/// The parameters from their own flags and from `--param`.
fn parameters(args: &RunArgs, config: &Config, now_us: i64) -> Result<Vec<(String, String)>, Failure> {
    let days = window::days(args.since.as_deref(), args.until.as_deref(), &config.timezone, now_us)?;
    let flags = [
        ("since", days.since),
        ("until", days.until),
        ("profile", args.profile.clone()),
        ("min_n", args.min_n.clone()),
        ("top", args.top.clone()),
    ];
    let mut parameters: Vec<(String, String)> =
        flags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    for text in &args.params {
        parameters.push(Arguments::parse_assignment(text)?);
    }
    Ok(parameters)
}

/// A report with its arguments on an open database.
struct Query<'a> {
    report: &'a Report,
    arguments: &'a Arguments,
    connection: &'a Connection,
}

impl Query<'_> {
    /// The result, and the reason if it has no rows.
    fn result(&self) -> Result<(ResultSet, String), Failure> {
        let result = report::run(self.connection, self.report, self.arguments)?;
        let why = match result.rows.is_empty() {
            true => report::explain_empty(self.connection, self.report, self.arguments)?,
            false => String::new(),
        };
        Ok((result, why))
    }

    fn answer<'r>(&'r self, result: &'r ResultSet, empty_reason: &'r str) -> Answer<'r> {
        Answer { report: self.report, arguments: self.arguments, result, empty_reason }
    }

    fn text(&self, format: TextFormat, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (result, why_no_rows) = self.result()?;
        let text = format.render(&self.answer(&result, &why_no_rows), terminal_width(std::io::stdout()));
        let is_said = args.result.out.is_none() && OutputFormat::Text(format).is_human_readable();
        if result.rows.is_empty() && !is_said {
            context.console.info(&no_rows(&why_no_rows));
        }
        args.result.write_text(format, &text, result.rows.len() as u64, context)
    }

    fn parquet(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let rows = args.result.write_file(context, |path| {
            Ok(report::write_parquet(self.connection, self.report, self.arguments, path)?)
        })?;
        if rows == 0 {
            let why = report::explain_empty(self.connection, self.report, self.arguments)?;
            context.console.info(&no_rows(&why));
        }
        Ok(())
    }

    fn workbook(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (result, why_no_rows) = self.result()?;
        args.result.write_file(context, |path| {
            let mut writer = XlsxWriter::new(&result.columns)?;
            writer.rows(&result.rows)?;
            writer.finish(&self.answer(&result, &why_no_rows), path)?;
            Ok(result.rows.len() as u64)
        })?;
        if result.rows.is_empty() {
            context.console.info(&no_rows(&why_no_rows));
        }
        Ok(())
    }
}

fn no_rows(why: &str) -> String {
    wrap_indented(&format!("No rows. {why}"), 0)
}

/// A built-in report as a table, for `demo`.
pub(in crate::cli) fn first_report(
    name: &str,
    parameters: &[(String, String)],
    config: &Config,
) -> Result<String, Failure> {
    let report = Report::built_in(name)?;
    let arguments = Arguments::resolve(&report.name, &report.header, parameters)?;
    let connection = open(config)?;
    let query = Query { report: &report, arguments: &arguments, connection: &connection };
    let (result, why_no_rows) = query.result()?;
    Ok(TextFormat::Table.render(&query.answer(&result, &why_no_rows), terminal_width(std::io::stdout())))
}
