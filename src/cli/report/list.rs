//! `vcq-etl report list`.

use clap::Args;
use serde_json::json;

use super::store::catalogue;
use crate::cli::command::{Context, TextOrJson};
use crate::error::{ExitCode, Failure};
use crate::report::{Report, in_language};
use crate::text::{Language, WIDTH, in_json, on_lines, say_indented};

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
        TextOrJson::Text => text(reports, context.console.language),
        TextOrJson::Json => json_list(reports),
    })?;
    for broken in catalogue.broken() {
        context.console.warn(&Failure::of(ExitCode::Usage, &broken.error).chain());
    }
    Ok(())
}

fn text(reports: &[Report], language: Language) -> String {
    let width = reports.iter().map(|report| report.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut area = "";
    for report in reports {
        if report.area != area {
            area = report.area;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", in_language(language, area)));
        }
        let mut question = in_language(language, &report.header.question).to_owned();
        if let Some(path) = &report.file {
            let replaces = language.pick(", replaces the built-in report", "，替代内置报告");
            let replaces = if report.overrides() { replaces } else { "" };
            question.push_str(&format!(" [{}{replaces}]", path.display()));
        }
        text.push_str(&format!("  {:width$}  {}\n", report.name, say_indented(language, &question, width + 4, WIDTH)));
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
