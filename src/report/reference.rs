//! The reports in Markdown, from their headers: docs/REPORTS.md.

use super::{Catalogue, Parameter, Report, ReportError, macro_name};

/// The document. `output` gives what a report printed: the command, and its first lines.
///
/// # Errors
/// Where a header can't be read, which the tests exclude.
pub fn reference(output: &dyn Fn(&Report) -> (String, String)) -> Result<String, ReportError> {
    let catalogue = Catalogue::built_in()?;
    let mut text = "# The reports of vcq-etl\n\n\
         Written from the headers of `sql/reports/*.sql`; a test compares. Each report is a command and a macro in \
         `vcq.duckdb`; the outputs are of a made-up tenant, their first lines, tables 80 columns wide. A share is empty where \
         fewer than `min_n` were judged. `since` is inclusive, `until` exclusive; both are local days of the meetings' \
         starts.\n"
        .to_owned();
    let mut area = "";
    for report in catalogue.reports() {
        if report.area != area {
            area = report.area;
            text.push_str(&format!("\n## {area}\n\n| report | question |\n|---|---|\n"));
            for other in catalogue.reports().iter().filter(|other| other.area == area) {
                text.push_str(&format!("| [{0}](#{0}) | {1} |\n", other.name, cell(&other.header.question)));
            }
        }
        one(&mut text, report, output(report));
    }
    Ok(text)
}

fn one(text: &mut String, report: &Report, (command, printed): (String, String)) {
    let header = &report.header;
    text.push_str(&format!(
        "\n### {}\n\n**{}** ({}). {}\n\nFor: {}.\n",
        report.name, header.title, header.id, header.question, header.audience
    ));
    let parameters: Vec<String> = header.parameters.iter().map(as_argument).collect();
    text.push_str(&format!("\n```sql\nselect * from {}({});\n```\n", macro_name(&report.name), parameters.join(", ")));
    if !header.parameters.is_empty() {
        text.push_str("\n| parameter | kind | default | meaning |\n|---|---|---|---|\n");
        for parameter in &header.parameters {
            let default = match (&parameter.default, parameter.is_needed) {
                (_, true) => "must be given",
                (Some(default), _) => default,
                (None, _) => "any",
            };
            let (name, kind) = (&parameter.name, parameter.kind.name());
            text.push_str(&format!("| `{name}` | {kind} | {default} | {} |\n", cell(&parameter.doc)));
        }
    }
    text.push_str("\n| column | unit | meaning |\n|---|---|---|\n");
    for column in &header.columns {
        text.push_str(&format!("| `{}` | {} | {} |\n", column.name, column.unit, cell(&column.doc)));
    }
    let mut list = |heading: &str, items: &[String]| {
        if !items.is_empty() {
            text.push_str(&format!("\n{heading}:\n\n"));
            items.iter().for_each(|item| text.push_str(&format!("- {item}\n")));
        }
    };
    list("Limits", &header.thresholds);
    list("Mind", &header.caveats);
    text.push_str(&format!("\n```\n$ {command}\n{}\n```\n", printed.trim_end()));
}

/// `since := null`, as an analyst types it.
fn as_argument(parameter: &Parameter) -> String {
    let value = match (&parameter.default, parameter.is_needed) {
        (_, true) => "'...'".to_owned(),
        (Some(default), _) => super::definition::literal(parameter.kind, Some(default)),
        (None, _) => "null".to_owned(),
    };
    format!("{} := {value}", parameter.name)
}

/// Text that can't end the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
