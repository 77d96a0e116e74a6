//! `vcq-etl report show`.

use clap::Args;

use super::store::catalogue;
use crate::cli::command::Context;
use crate::error::Failure;
use crate::report::{Header, Parameter, Report, macro_name};
use crate::schema::ddl::quoted;
use crate::text::{on_lines, width, wrap_indented};

/// Keeps `name := value` on one line.
const UNBREAKABLE_ASSIGNMENT: &str = "\u{1}:=\u{1}";

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Name of the report
    #[arg(value_name = "REPORT")]
    name: String,

    /// Print the SQL of the report
    #[arg(long)]
    sql: bool,
}

pub(super) fn run(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    let text = if args.sql { report.sql.clone() } else { explanation(&report) };
    context.output.print(&on_lines(&text))
}

fn explanation(report: &Report) -> String {
    let header = &report.header;
    let id = if header.id.is_empty() { String::new() } else { format!(" ({})", header.id) };
    let mut text = format!("{}{id}: {}\n{}\n", report.name, header.title, wrap_indented(&header.question, 0));
    if !header.audience.is_empty() {
        text.push_str(&format!("For: {}\n", wrap_indented(&header.audience, 5)));
    }
    if let Some(path) = &report.file {
        let replaces = if report.overrides() { ", which replaces the built-in report" } else { "" };
        text.push_str(&format!("From: {}{replaces}\n", path.display()));
    }
    let mut section = |heading: &str, lines: Vec<(String, String)>| {
        if lines.is_empty() {
            return;
        }
        text.push_str(&format!("\n{heading}\n"));
        let name_width = lines.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
        for (name, doc) in lines {
            let start = if name.is_empty() { "  ".to_owned() } else { format!("  {name:name_width$}  ") };
            text.push_str(&(start.clone() + &wrap_indented(&doc, width(&start)) + "\n"));
        }
    };
    let columns = header.columns.iter().map(|column| match column.unit.is_empty() {
        true => (column.name.clone(), column.doc.clone()),
        false => (format!("{} ({})", column.name, column.unit), column.doc.clone()),
    });
    let unnamed = |texts: &[String]| texts.iter().map(|text| (String::new(), text.clone())).collect::<Vec<_>>();
    section("Parameters", header.parameters.iter().map(parameter).collect());
    section("Columns", columns.collect());
    section("Thresholds", unnamed(&header.thresholds));
    section("Caveats", unnamed(&header.caveats));
    if !header.empty.is_empty() {
        section("If empty", unnamed(std::slice::from_ref(&header.empty)));
    }
    if report.file.is_none() {
        let mut calls = vec![example(report, header)];
        if header.parameter("since").is_some() {
            let why = "If that returns no rows: select sentence from why_no_rows(since := '2026-11-01');";
            calls.push(why.replace(" := ", UNBREAKABLE_ASSIGNMENT));
        }
        section("In a DuckDB client, on vcq.duckdb", unnamed(&calls));
    }
    text.replace(UNBREAKABLE_ASSIGNMENT, " := ")
}

fn parameter(parameter: &Parameter) -> (String, String) {
    let mut doc = parameter.doc.clone();
    if !parameter.choices.is_empty() {
        doc.push_str(&format!(" One of {}.", parameter.choices.join(", ")));
    }
    if let Some(default) = &parameter.default {
        doc.push_str(&format!(" [default: {default}]"));
    }
    if parameter.is_required {
        doc.push_str(" [required]");
    }
    (format!("{} ({})", parameter.name, parameter.kind.name()), doc)
}

/// The report as a query.
fn example(report: &Report, header: &Header) -> String {
    let value = |parameter: &Parameter| match (parameter.default.as_deref(), parameter.kind.name()) {
        (Some(number), "integer" | "number") => number.to_owned(),
        (Some(text), _) => quoted(text),
        (None, "date") => "'2026-11-01'".to_owned(),
        (None, _) => "'...'".to_owned(),
    };
    let is_shown =
        |parameter: &&Parameter| parameter.default.is_some() || parameter.is_required || parameter.name == "since";
    let values: Vec<String> = header
        .parameters
        .iter()
        .filter(is_shown)
        .map(|parameter| format!("{} := {}", parameter.name, value(parameter)))
        .collect();
    format!("select * from {}({});", macro_name(&report.name), values.join(", "))
        .replace(" := ", UNBREAKABLE_ASSIGNMENT)
}
