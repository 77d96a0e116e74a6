//! `vcq-etl report`: list, show and run the canned reports.

use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches, Subcommand, ValueEnum, ValueHint};

use super::{Context, Entry, Example, Run, output};
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure};
use crate::load::{self, DatabaseOptions, StorePaths};
use crate::progress::counted;
use crate::report::{self, Arguments, Format, Header, REPORTS, Report, ResultSet};
use crate::schema::on_lines;

/// Columns of a table where no terminal says otherwise.
const WIDTH: u16 = 80;

const EXAMPLES: &[Example] = &[
    ("vcq-etl report list", "which questions are answered"),
    ("vcq-etl report run worst-meetings", "answer one"),
    ("vcq-etl report run coverage --out coverage.csv", "for a spreadsheet"),
];

/// The command.
pub(super) const ENTRY: Entry =
    Entry { shown: &[Group::Store, Group::Engine, Group::Log], command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Subcommand)]
enum Action {
    /// List the reports and the questions that they answer
    List,
    /// Explain a report: parameters, columns, limits and what it does not say
    Show(ShowArgs),
    /// Run a report on the published database
    #[command(after_help = "Examples:\n  vcq-etl report run worst-meetings --param since=2026-11-01 --param top=5\n  \
                            vcq-etl report run coverage --format json | jq '.[0]'")]
    Run(RunArgs),
    /// Write a day, a week or a month as one self-contained page
    #[command(after_help = super::page::EXAMPLES)]
    Html(super::page::PageArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The report
    #[arg(value_name = "NAME")]
    name: String,

    /// Print its SQL, to copy or to change
    #[arg(long)]
    sql: bool,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The report
    #[arg(value_name = "NAME")]
    name: String,

    /// A parameter's value; can be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,

    /// Form of the result [default: by the ending of --out, else table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatArg>,

    /// File to write to, instead of stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// For a terminal
    Table,
    /// For a spreadsheet
    Csv,
    /// An array of objects
    Json,
    /// For a wiki or an issue
    Markdown,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Format {
        match format {
            FormatArg::Table => Format::Table,
            FormatArg::Csv => Format::Csv,
            FormatArg::Json => Format::Json,
            FormatArg::Markdown => Format::Markdown,
        }
    }
}

fn command() -> Command {
    let command = Command::new("report")
        .about("Answer a question from the published database")
        .subcommand_required(true)
        .arg_required_else_help(true);
    Action::augment_subcommands(command)
}

fn run(matches: &clap::ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    match Action::from_arg_matches(matches).expect("clap has checked these matches against the same arguments") {
        Action::List => list(context)?,
        Action::Show(args) => show(&args, context)?,
        Action::Run(args) => answer(&args, context)?,
        Action::Html(args) => return super::page::run(&args, context),
    }
    Ok(ExitCode::Complete)
}

fn list(context: &Context) -> Result<(), Failure> {
    let width = REPORTS.iter().map(|report| report.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for report in REPORTS {
        let question = folded(&report.header()?.question, width + 2);
        text.push_str(&format!("{:width$}  {question}\n", report.name));
    }
    context.output.print(&text)
}

fn show(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let report = Report::find(&args.name)?;
    if args.sql {
        return context.output.print(report.sql);
    }
    context.output.print(&explanation(report, &report.header()?))
}

fn explanation(report: &Report, header: &Header) -> String {
    let mut text = format!("{}: {}\n{}\nFor: {}\n", report.name, header.title, header.question, header.audience);
    let mut section = |heading: &str, lines: Vec<(String, String)>| {
        if lines.is_empty() {
            return;
        }
        text.push_str(&format!("\n{heading}\n"));
        let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, doc) in lines {
            let indent = if width == 0 { 2 } else { width + 4 };
            let start = if width == 0 { "  ".to_owned() } else { format!("  {name:width$}  ") };
            text.push_str(&(start + &folded(&doc, indent) + "\n"));
        }
    };
    let parameters = header.parameters.iter().map(|parameter| {
        let default = parameter.default.as_ref().map(|default| format!(" [default: {default}]")).unwrap_or_default();
        (format!("{} ({})", parameter.name, parameter.kind.name()), format!("{}{default}", parameter.doc))
    });
    let nameless = |texts: &[String]| texts.iter().map(|text| (String::new(), text.clone())).collect::<Vec<_>>();
    section("Parameters", parameters.collect());
    section("Columns", header.columns.clone());
    section("Limits", nameless(&header.thresholds));
    section("Mind", nameless(&header.caveats));
    text
}

/// Folds a text to the width, further lines indented.
pub(super) fn folded(text: &str, indent: usize) -> String {
    let mut folded = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > usize::from(WIDTH) {
            folded.push('\n');
            folded.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += length;
    }
    folded
}

/// A report as a table: what `demo` ends with.
pub(super) fn first_look(name: &str, params: &[String], config: &Config) -> Result<String, Failure> {
    let report = Report::find(name)?;
    let header = report.header()?;
    let arguments = report::arguments(report.name, &header, params)?;
    let result = result(report, &arguments, config)?;
    Ok(page(&header, &result, Format::Table, &arguments))
}

fn result(report: &Report, arguments: &Arguments, config: &Config) -> Result<ResultSet, Failure> {
    let options = DatabaseOptions { threads: config.threads, ..config.database() };
    let connection = load::open_published_with(&StorePaths::existing(&config.store)?, options)?;
    Ok(report::run(&connection, report, arguments)?)
}

fn answer(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let report = Report::find(&args.name)?;
    let header = report.header()?;
    let arguments = report::arguments(report.name, &header, &args.params)?;
    let by_ending = args.out.as_deref().and_then(Format::of_file);
    let format = args.format.map(Format::from).or(by_ending).unwrap_or(Format::Table);
    let result = result(report, &arguments, &context.config)?;
    let text = page(&header, &result, format, &arguments);

    if result.rows.is_empty() && !format.is_for_people() {
        context.talk.say(&no_rows(&arguments));
    }
    match &args.out {
        None => context.output.print(&text),
        Some(path) => {
            output::write_file(path, &text)?;
            let rows = counted(result.rows.len() as u64, "row");
            context.talk.say(&format!("wrote {rows} to {}", path.display()));
            Ok(())
        }
    }
}

/// The result as it is written: for people with title and parameters around it, for programs alone.
fn page(header: &Header, result: &ResultSet, format: Format, arguments: &Arguments) -> String {
    let width = comfy_table::Table::new().width().unwrap_or(WIDTH);
    let body = if result.rows.is_empty() && format.is_for_people() {
        no_rows(arguments) + "\n"
    } else {
        format.render(result, width)
    };
    let page = match format {
        Format::Csv | Format::Json => return body,
        Format::Table => {
            let parameters = format!("Parameters: {}", folded(&parameters(arguments), 12));
            format!("{}\n{}\n\n{body}\n{parameters}\n", header.title, header.question)
        }
        Format::Markdown => {
            format!("## {}\n\n{}\n\n{body}\nParameters: {}\n", header.title, header.question, parameters(arguments))
        }
    };
    on_lines(&page)
}

fn parameters(arguments: &Arguments) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "any".to_owned());
    let parameters: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
    parameters.join(", ")
}

fn no_rows(arguments: &Arguments) -> String {
    let chosen = parameters(arguments);
    folded(&format!("No rows: the database holds nothing that answers this with {chosen}."), 0)
}
