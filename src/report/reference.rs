//! The reports as Markdown, generated from their headers: docs/REPORTS.md.

use super::ReportError;
use super::catalogue::{Catalogue, Report};
use super::definition::{literal, macro_name};
use super::header::Parameter;

/// The document. `output` returns the command that runs a report and the first lines of its output.
pub fn reference(output: &dyn Fn(&Report) -> (String, String)) -> Result<String, ReportError> {
    let catalogue = Catalogue::built_in()?;
    let mut text = "# The reports of vcq-etl\n\n\
         Generated from the headers of `sql/reports/*.sql`; a test keeps it up to date. Each report can be run with \
         `vcq-etl report run` or as a macro in `vcq.duckdb`. Each sample shows the first lines for a simulated tenant, \
         120 columns wide. A percentage is empty if it is based on fewer than `min_n` judged minutes. `since` is \
         inclusive and `until` exclusive; both refer to the local date on which a meeting starts. The macros have no default \
         window; `vcq-etl report run` uses the last 7 days in the store.\n"
        .to_owned();
    let mut area = "";
    for report in catalogue.reports() {
        if report.area != area {
            area = report.area;
            text.push_str(&format!("\n## {area}\n\n| report | question |\n|---|---|\n"));
            for other in catalogue.reports().iter().filter(|other| other.area == area) {
                text.push_str(&format!("| [{0}](#{0}) | {1} |\n", other.name, escape(&other.header.question)));
            }
        }
        push_report(&mut text, report, output(report));
    }
    Ok(text)
}

fn push_report(text: &mut String, report: &Report, (command, printed): (String, String)) {
    let header = &report.header;
    text.push_str(&format!(
        "\n### {}\n\n**{}** ({}). {}\n\nFor: {}.\n",
        report.name, header.title, header.id, header.question, header.audience
    ));
    let arguments: Vec<String> = header.parameters.iter().map(default_argument).collect();
    text.push_str(&format!("\n```sql\nselect * from {}({});\n```\n", macro_name(&report.name), arguments.join(", ")));
    if !header.parameters.is_empty() {
        text.push_str("\n| parameter | type | default | meaning |\n|---|---|---|---|\n");
        for parameter in &header.parameters {
            let (meaning, described_default) =
                parameter.doc.split_once(" Default: ").unwrap_or((parameter.doc.as_str(), "none"));
            let default = match (&parameter.default, parameter.is_required) {
                (_, true) => "required",
                (Some(default), _) => default,
                (None, _) => described_default.trim_end_matches('.'),
            };
            let (name, kind) = (&parameter.name, parameter.kind.name());
            text.push_str(&format!("| `{name}` | {kind} | {default} | {} |\n", escape(meaning)));
        }
    }
    text.push_str("\n| column | unit | meaning |\n|---|---|---|\n");
    for column in &header.columns {
        text.push_str(&format!("| `{}` | {} | {} |\n", column.name, column.unit, escape(&column.doc)));
    }
    let mut list = |heading: &str, items: &[String]| {
        if !items.is_empty() {
            text.push_str(&format!("\n{heading}:\n\n"));
            items.iter().for_each(|item| text.push_str(&format!("- {item}\n")));
        }
    };
    list("Thresholds", &header.thresholds);
    list("Caveats", &header.caveats);
    text.push_str(&format!("\n```\n$ {command}\n{}\n```\n", printed.trim_end()));
}

/// `since := null`, as typed in SQL.
fn default_argument(parameter: &Parameter) -> String {
    let value = match parameter.is_required {
        true => "'...'".to_owned(),
        false => literal(parameter.kind, parameter.default.as_deref()),
    };
    format!("{} := {value}", parameter.name)
}

/// Text that cannot end a table cell.
fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}
