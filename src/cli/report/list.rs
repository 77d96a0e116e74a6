//! `vcq-etl report list`.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::store::catalogue;
use crate::cli::command::Context;
use crate::error::{ExitCode, Failure};
use crate::report::Report;
use crate::text::{in_json, on_lines, wrap_indented};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

pub(super) fn run(args: &ListArgs, context: &Context) -> Result<(), Failure> {
    let catalogue = catalogue(&context.config)?;
    let reports = catalogue.reports();
    context.output.print(&match args.format {
        ListFormat::Text => text(reports),
        ListFormat::Json => json(reports),
    })?;
    for broken in catalogue.broken() {
        context.console.warn(&Failure::of(ExitCode::Usage, &broken.error).chain());
    }
    Ok(())
}

fn text(reports: &[Report]) -> String {
    let width = reports.iter().map(|report| report.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut area = "";
    for report in reports {
        if report.area != area {
            area = report.area;
            text.push_str(&format!("{}{area}\n", if text.is_empty() { "" } else { "\n" }));
        }
        let mut question = report.header.question.clone();
        if let Some(path) = &report.file {
            let replaces = if report.overrides() { ", replaces the built-in report" } else { "" };
            question.push_str(&format!(" [{}{replaces}]", path.display()));
        }
        text.push_str(&format!("  {:width$}  {}\n", report.name, wrap_indented(&question, width + 4)));
    }
    on_lines(&text)
}

fn json(reports: &[Report]) -> String {
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
