//! The reports as Markdown, generated from their headers: docs/REPORTS.md.

use super::ReportError;
use super::catalogue::{Catalogue, Report};
use super::definition::{literal, macro_name};
use super::header::{Header, Parameter};
use super::translation::{DEFAULT, in_language};
use crate::text::Language;

const ENGLISH_START: &str = "# The reports of vcq-etl\n\n\
    Generated from the headers of `sql/reports/*.sql`; a test keeps it up to date. Each report can be run with \
    `vcq-etl report run` or as a macro in `vcq.duckdb`. Each sample shows the first lines for a simulated tenant, \
    120 columns wide. A percentage is empty if it is based on fewer than `min_n` judged minutes. `since` is \
    inclusive and `until` exclusive; both refer to the local date on which a meeting starts. The macros have no default \
    window; `vcq-etl report run` uses the last 7 days in the store.\n";

const CHINESE_START: &str = "# vcq-etl 的报告\n\n\
    由 `sql/reports/*.sql` 的文件头生成，由测试保证同步。每份报告可用 `vcq-etl report run` 运行，也可作为 `vcq.duckdb` 中的宏调用。\
    每份示例是一个模拟租户的前几行输出，宽 120 列。有效分钟少于 `min_n` 时，比例为空。`since` 含当天，`until` 不含当天，\
    均指会议开始的当地日期。宏没有默认的时间窗口；`vcq-etl report run` 默认取已入库的最近 7 天。\n";

/// The document. `output` returns the command that runs a report and the first lines of its output.
pub fn reference(language: Language, output: &dyn Fn(&Report) -> (String, String)) -> Result<String, ReportError> {
    let catalogue = Catalogue::built_in()?;
    let mut text = language.pick(ENGLISH_START, CHINESE_START).to_owned();
    let mut area = "";
    for report in catalogue.reports() {
        if report.area != area {
            area = report.area;
            let head = language.pick("| report | question |", "| 报告 | 问题 |");
            text.push_str(&format!("\n## {}\n\n{head}\n|---|---|\n", in_language(language, area)));
            for other in catalogue.reports().iter().filter(|other| other.area == area) {
                let question = in_language(language, &other.header.question);
                text.push_str(&format!("| [{0}](#{0}) | {1} |\n", other.name, escape(question)));
            }
        }
        push_report(&mut text, &report.clone().in_language(language), output(report));
    }
    Ok(text)
}

fn push_report(text: &mut String, report: &Report, (command, printed): (String, String)) {
    let header = &report.header;
    let language = report.language;
    let Header { id, title, question, audience, .. } = header;
    text.push_str(&format!("\n### {}\n\n", report.name));
    text.push_str(&match language {
        Language::English => format!("**{title}** ({id}). {question}\n\nFor: {audience}.\n"),
        Language::Chinese => format!("**{title}**（{id}）：{question}\n\n适用：{audience}。\n"),
    });
    let arguments: Vec<String> = header.parameters.iter().map(default_argument).collect();
    text.push_str(&format!("\n```sql\nselect * from {}({});\n```\n", macro_name(&report.name), arguments.join(", ")));
    if !header.parameters.is_empty() {
        let head = language.pick("| parameter | type | default | meaning |", "| 参数 | 类型 | 默认值 | 含义 |");
        text.push_str(&format!("\n{head}\n|---|---|---|---|\n"));
        let mark = language.pick(DEFAULT.0, DEFAULT.1);
        for parameter in &header.parameters {
            let (meaning, described_default) =
                parameter.doc.split_once(mark).unwrap_or((parameter.doc.as_str(), language.pick("none", "无")));
            let default = match (&parameter.default, parameter.is_required) {
                (_, true) => language.pick("required", "必填"),
                (Some(default), _) => default,
                (None, _) => described_default.trim_end_matches(['.', '。']),
            };
            let (name, kind) = (&parameter.name, parameter.kind.name());
            text.push_str(&format!("| `{name}` | {kind} | {default} | {} |\n", escape(meaning)));
        }
    }
    let head = language.pick("| column | unit | meaning |", "| 列 | 单位 | 含义 |");
    text.push_str(&format!("\n{head}\n|---|---|---|\n"));
    for column in &header.columns {
        text.push_str(&format!("| `{}` | {} | {} |\n", column.name, column.unit, escape(&column.doc)));
    }
    let mut list = |heading: &str, items: &[String]| {
        if !items.is_empty() {
            text.push_str(&format!("\n{heading}{}\n\n", language.pick(":", "：")));
            items.iter().for_each(|item| text.push_str(&format!("- {item}\n")));
        }
    };
    list(language.pick("Thresholds", "阈值"), &header.thresholds);
    list(language.pick("Caveats", "注意事项"), &header.caveats);
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
