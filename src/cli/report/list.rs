//! `vcq-etl report list`.

use clap::Args;
use serde_json::json;

use super::store::catalogue;
use crate::cli::command::{Context, TextOrJson};
use crate::error::{ExitCode, Failure};
use crate::report::Report;
use crate::text::{in_json, on_lines, wrap_indented};

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

pub(super) fn run(args: &ListArgs, context: &Context) -> Result<(), Failure> {
    let catalogue = catalogue(&context.config)?;
    let reports = catalogue.reports();
    context.output.print(&match args.format {
        TextOrJson::Text => text(reports),
        TextOrJson::Json => json_list(reports),
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

fn json_list(reports: &[Report]) -> String {
    let object = |report: &Report| {
        let header = &report.header;
        let parameters: Vec<_> = header.parameters.iter().map(|parameter| &parameter.name).collect();
        let columns: Vec<_> = header.columns.iter().map(|column| &column.name).collect();
        let object = json!({
            "name": report.name, "id": header.id, "area": report.area, "title": header.title,
            "question": header.question, "audience": header.audience, "parameters": parameters, "columns": columns,
            "file": report.file.as_ref().map(|path| path.to_string_lossy()),
        });
        format!("  {object}")
    };
    in_json(&format!("[\n{}\n]\n", reports.iter().map(object).collect::<Vec<_>>().join(",\n")))
}
