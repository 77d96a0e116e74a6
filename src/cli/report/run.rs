//! `vcq-etl report run`: one report on the published database, in the given format and to the given place.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use duckdb::Connection;

use super::store::{catalogue, open, warn_of_other_definitions};
use crate::cli::command::{Choice, Context, one_of};
use crate::cli::runtime::now_us;
use crate::cli::{output, window};
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::report::{self, Answer, Arguments, OutputFormat, Report, TextFormat};
use crate::text::{counted, terminal_width, wrap_indented};

pub(super) const EXAMPLES: &str = "Examples:\n  vcq-etl report run worst-meetings --since yesterday --top 5\n  \
    vcq-etl report run by-site --since 7d --param dimension=floor --out site.html\n  \
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

    /// Output format [default: from the extension of --out, else table]
    #[arg(long, value_name = "FORMAT", value_parser = one_of(FORMATS))]
    format: Option<OutputFormat>,

    /// Output file [default: stdout]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,

    /// Begin CSV with a byte order mark, so that Excel reads it as UTF-8 [default: for an --out file named .csv whose
    /// text is not ASCII]
    #[arg(long, conflicts_with = "no_bom")]
    bom: bool,

    /// Never write a byte order mark: for programs that read the file
    #[arg(long)]
    no_bom: bool,
}

impl RunArgs {
    /// The byte order mark that precedes this text, or nothing.
    fn byte_order_mark(&self, format: TextFormat, text: &str) -> &'static str {
        let is_named_csv = self.out.as_deref().and_then(OutputFormat::from_path) == Some(CSV);
        let by_default = is_named_csv && !self.no_bom && !text.is_ascii();
        if OutputFormat::Text(format) == CSV && (self.bom || by_default) { "\u{feff}" } else { "" }
    }
}

const CSV: OutputFormat = OutputFormat::Text(TextFormat::Csv);

const FORMATS: &[Choice<OutputFormat>] = &[
    ("table", "For a terminal", OutputFormat::Text(TextFormat::Table)),
    ("csv", "For a spreadsheet", OutputFormat::Text(TextFormat::Csv)),
    ("json", "An array of objects", OutputFormat::Text(TextFormat::Json)),
    ("markdown", "For a wiki or an issue", OutputFormat::Text(TextFormat::Markdown)),
    ("parquet", "For data tools", OutputFormat::Parquet),
    ("html", "A self-contained page", OutputFormat::Text(TextFormat::Html)),
];

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let parameters = parameters(args, &context.config, now_us())?;
    let arguments = Arguments::resolve(&report.name, &report.header, &parameters)?;
    let format = output_format(args)?;
    if let Some(path) = &args.out {
        output::check_outside_store(path, &context.config.store)?;
    }
    if args.bom && format != CSV {
        return Err(Failure::new(ExitCode::Usage, "--bom is for CSV only").hint("add --format csv or --out FILE.csv"));
    }
    if format == OutputFormat::Parquet && args.out.is_none() && std::io::stdout().is_terminal() {
        return Err(Failure::new(ExitCode::Usage, "refusing to write Parquet to a terminal")
            .hint("give a file with --out FILE.parquet, or redirect the output"));
    }
    let connection = open(&context.config)?;
    let query = Query { report: &report, arguments: &arguments, connection: &connection };
    warn_of_other_definitions(&connection, context)?;
    match format {
        OutputFormat::Text(format) => query.text(format, args, context),
        OutputFormat::Parquet => query.parquet(args, context),
    }
}

/// The given format, else the one of the file extension.
fn output_format(args: &RunArgs) -> Result<OutputFormat, Failure> {
    let Some(path) = &args.out else { return Ok(args.format.unwrap_or(OutputFormat::Text(TextFormat::Table))) };
    args.format.or_else(|| OutputFormat::from_path(path)).ok_or_else(|| {
        let extensions = report::OUTPUT_FORMATS.iter().flat_map(|(_, extensions, _)| *extensions);
        let extensions: Vec<String> = extensions.map(|extension| format!(".{extension}")).collect();
        Failure::new(ExitCode::Usage, format!("no output format follows from the file name {}", path.display()))
            .hint(format!("give --format, or use one of the extensions {}", extensions.join(", ")))
    })
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
    /// The result as text, its number of rows, and the reason if it has none.
    fn rendered(&self, format: TextFormat) -> Result<(String, usize, String), Failure> {
        let result = report::run(self.connection, self.report, self.arguments)?;
        let mut why = String::new();
        if result.rows.is_empty() {
            why = report::explain_empty(self.connection, self.report, self.arguments)?;
        }
        let answer = Answer { report: self.report, arguments: self.arguments, result: &result, empty_reason: &why };
        Ok((format.render(&answer, terminal_width(std::io::stdout())), result.rows.len(), why))
    }

    fn text(&self, format: TextFormat, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let (text, rows, why_no_rows) = self.rendered(format)?;
        if rows == 0 && (args.out.is_some() || !OutputFormat::Text(format).is_human_readable()) {
            context.console.info(&no_rows(&why_no_rows));
        }
        let text = format!("{}{text}", args.byte_order_mark(format, &text));
        let Some(path) = &args.out else { return context.output.print(&text) };
        output::write_file(path, &text)?;
        wrote(rows as u64, path, context);
        Ok(())
    }

    fn parquet(&self, args: &RunArgs, context: &Context) -> Result<(), Failure> {
        let write = |path: &Path| Ok(report::write_parquet(self.connection, self.report, self.arguments, path)?);
        let rows = match &args.out {
            Some(path) => {
                let rows = output::replace_file(path, write)?;
                wrote(rows, path, context);
                rows
            }
            None => {
                let (rows, bytes) = output::via_temporary_file(write)?;
                context.output.print_bytes(&bytes)?;
                rows
            }
        };
        if rows == 0 {
            let why = report::explain_empty(self.connection, self.report, self.arguments)?;
            context.console.info(&no_rows(&why));
        }
        Ok(())
    }
}

fn wrote(rows: u64, path: &Path, context: &Context) {
    context.console.info(&format!("wrote {} to {}", counted(rows, "row"), path.display()));
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
    Ok(query.rendered(TextFormat::Table)?.0)
}
