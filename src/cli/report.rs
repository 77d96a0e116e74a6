//! `vcq-etl report`: list, show and run the canned reports.

use clap::{Args, Command, FromArgMatches, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use super::report_run::{self, RunArgs};
use super::{Context, Entry, Example, Run};
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure};
use crate::report::{Catalogue, Header, Parameter, Report, macro_name};
use crate::text::{in_json, on_lines};

/// Columns of a table where no terminal says otherwise.
pub(super) const WIDTH: u16 = 80;

/// `name := value` is folded as one word.
const TIED_ASSIGNMENT: &str = "\u{1}:=\u{1}";

const EXAMPLES: &[Example] = &[
    ("vcq-etl report list", "which questions are answered"),
    ("vcq-etl report run worst-meetings --since 7d", "answer one"),
    ("vcq-etl report run coverage --out coverage.csv", "for a spreadsheet"),
];

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

#[derive(Debug, Subcommand)]
enum Action {
    /// List the reports and the questions that they answer
    List(ListArgs),
    /// Explain a report: parameters, columns, limits and what it does not say
    Show(ShowArgs),
    /// Run a report on the published database
    #[command(after_help = "Examples:\n  vcq-etl report run worst-meetings --since yesterday --top 5\n  \
                            vcq-etl report run by-site --since 7d --param dimension=floor --out floors.html\n  \
                            vcq-etl report run coverage --format json | jq '.[0]'")]
    Run(RunArgs),
    /// Write a day, a week or a month as one self-contained page
    #[command(after_help = super::page::EXAMPLES)]
    Html(super::page::PageArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Form of the list
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = false
    )]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    /// For people
    Text,
    /// An array of objects
    Json,
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

fn command() -> Command {
    let command = Command::new("report")
        .about("Answer a question from the published database")
        .subcommand_required(true)
        .arg_required_else_help(true);
    Action::augment_subcommands(command)
}

fn run(matches: &clap::ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    match Action::from_arg_matches(matches).expect("clap has checked these matches against the same arguments") {
        Action::List(args) => list(args.format, context)?,
        Action::Show(args) => show(&args, context)?,
        Action::Run(args) => report_run::answer(&args, context)?,
        Action::Html(args) => return super::page::run(&args, context),
    }
    Ok(ExitCode::Complete)
}

/// The reports that can be run: the program's, and those of the folder that the settings name.
pub(super) fn catalogue(config: &Config) -> Result<Catalogue, Failure> {
    Ok(match &config.reports_dir {
        None => Catalogue::built_in()?,
        Some(folder) => Catalogue::with_folder(folder)?,
    })
}

fn list(format: ListFormat, context: &Context) -> Result<(), Failure> {
    let catalogue = catalogue(&context.config)?;
    let text = match format {
        ListFormat::Text => text_of(catalogue.reports()),
        ListFormat::Json => json_of(catalogue.reports()),
    };
    context.output.print(&text)?;
    for broken in catalogue.broken() {
        context.console.warn(&chain(&broken.error));
    }
    Ok(())
}

/// An error and what caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn text_of(reports: &[Report]) -> String {
    let width = reports.iter().map(|report| report.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut area = "";
    for report in reports {
        if report.area != area {
            area = report.area;
            text.push_str(&format!("{}{area}\n", if text.is_empty() { "" } else { "\n" }));
        }
        let mut lines = report.header.question.clone();
        if let Some(path) = &report.file {
            let instead = if report.overrides() { ", instead of the program's" } else { "" };
            lines.push_str(&format!(" [{}{instead}]", path.display()));
        }
        text.push_str(&format!("  {:width$}  {}\n", report.name, folded(&lines, width + 4)));
    }
    on_lines(&text)
}

fn json_of(reports: &[Report]) -> String {
    let object = |report: &Report| {
        let header = &report.header;
        let parameters = header.parameters.iter().map(|parameter| parameter.name.clone().into()).collect();
        let columns = header.columns.iter().map(|column| column.name.clone().into()).collect();
        let file = report.file.as_ref().map_or(Value::Null, |path| path.to_string_lossy().into_owned().into());
        let object: Map<String, Value> = [
            ("name", report.name.clone().into()),
            ("id", header.id.clone().into()),
            ("area", report.area.into()),
            ("title", header.title.clone().into()),
            ("question", header.question.clone().into()),
            ("audience", header.audience.clone().into()),
            ("parameters", Value::Array(parameters)),
            ("columns", Value::Array(columns)),
            ("file", file),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        format!("  {}", Value::Object(object))
    };
    in_json(&format!("[\n{}\n]\n", reports.iter().map(object).collect::<Vec<_>>().join(",\n")))
}

fn show(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let text = if args.sql { report.sql.clone() } else { explanation(&report) };
    context.output.print(&on_lines(&text))
}

fn explanation(report: &Report) -> String {
    let header = &report.header;
    let id = if header.id.is_empty() { String::new() } else { format!(" ({})", header.id) };
    let mut text = format!("{}{id}: {}\n{}\n", report.name, header.title, folded(&header.question, 0));
    if !header.audience.is_empty() {
        text.push_str(&format!("For: {}\n", folded(&header.audience, 5)));
    }
    if let Some(path) = &report.file {
        let instead = if report.overrides() { ", instead of the program's report of that name" } else { "" };
        text.push_str(&format!("From: {}{instead}\n", path.display()));
    }
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
    let columns = header.columns.iter().map(|column| match column.unit.is_empty() {
        true => (column.name.clone(), column.doc.clone()),
        false => (format!("{} ({})", column.name, column.unit), column.doc.clone()),
    });
    let nameless = |texts: &[String]| texts.iter().map(|text| (String::new(), text.clone())).collect::<Vec<_>>();
    section("Parameters", header.parameters.iter().map(parameter).collect());
    section("Columns", columns.collect());
    section("Limits", nameless(&header.thresholds));
    section("Mind", nameless(&header.caveats));
    section(
        "Without rows",
        nameless(std::slice::from_ref(&header.empty)).into_iter().filter(|(_, doc)| !doc.is_empty()).collect(),
    );
    if report.file.is_none() {
        let mut calls = vec![example(report, header)];
        if header.parameter("since").is_some() {
            let why = "Where that has no rows: select sentence from why_no_rows(since := '2026-11-01');";
            calls.push(why.replace(" := ", TIED_ASSIGNMENT));
        }
        section("In any DuckDB client, on vcq.duckdb", nameless(&calls));
    }
    text.replace(TIED_ASSIGNMENT, " := ")
}

fn parameter(parameter: &Parameter) -> (String, String) {
    let mut doc = parameter.doc.clone();
    if !parameter.choices.is_empty() {
        doc.push_str(&format!(" One of {}.", parameter.choices.join(", ")));
    }
    if let Some(default) = &parameter.default {
        doc.push_str(&format!(" [default: {default}]"));
    }
    if parameter.is_needed {
        doc.push_str(" [needed]");
    }
    (format!("{} ({})", parameter.name, parameter.kind.name()), doc)
}

/// What an analyst types.
fn example(report: &Report, header: &Header) -> String {
    let value = |parameter: &Parameter| match (parameter.default.as_deref(), parameter.kind.name()) {
        (Some(number), "integer" | "number") => number.to_owned(),
        (Some(text), _) => crate::schema::ddl::quoted(text),
        (None, "date") => "'2026-11-01'".to_owned(),
        (None, _) => "'...'".to_owned(),
    };
    let is_shown =
        |parameter: &&Parameter| parameter.default.is_some() || parameter.is_needed || parameter.name == "since";
    let values: Vec<String> = header
        .parameters
        .iter()
        .filter(is_shown)
        .map(|parameter| format!("{} := {}", parameter.name, value(parameter)))
        .collect();
    format!("select * from {}({});", macro_name(&report.name), values.join(", ")).replace(" := ", TIED_ASSIGNMENT)
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
