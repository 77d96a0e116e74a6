//! `vcq-etl report show`.

use clap::Args;

use super::script::{ENGINES, ScriptArgs};
use super::store::catalogue;
use crate::cli::command::{Context, one_of};
use crate::error::Failure;
use crate::report::engine::{Engine, Scripts};
use crate::report::{Arguments, Header, Parameter, Report, macro_name};
use crate::schema::ddl::quoted;
use crate::text::{Language, WIDTH, on_lines, padded, say_indented, width};

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

    /// With --sql: without macros, for this engine
    #[arg(long, value_name = "ENGINE", requires = "sql", value_parser = one_of(ENGINES))]
    engine: Option<&'static Engine>,

    #[command(flatten)]
    values: ScriptArgs,
}

pub(super) fn run(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let report = catalogue(&context.config)?.find(&args.name)?;
    if let Some(engine) = args.engine {
        let given = args.values.given(&context.config)?.parameters(&report, &context.config)?;
        let arguments = Arguments::resolve(&report.name, &report.header, &given)?;
        let script = Scripts::new(engine)?.script(&report, &arguments, &args.values.places()?)?;
        return context.output.print(&script);
    }
    let report = report.in_language(context.console.language);
    let text = if args.sql { report.sql.clone() } else { explanation(&report) };
    context.output.print(&on_lines(&text))
}

fn explanation(report: &Report) -> String {
    let header = &report.header;
    let language = report.language;
    let wrapped = |text: &str, indent: usize| say_indented(language, text, indent, WIDTH);
    let id = if header.id.is_empty() { String::new() } else { format!(" ({})", header.id) };
    let colon = language.pick(": ", "：");
    let mut text = format!("{}{id}{colon}{}\n{}\n", report.name, header.title, wrapped(&header.question, 0));
    if !header.audience.is_empty() {
        let label = language.pick("For: ", "适用：");
        text.push_str(&format!("{label}{}\n", wrapped(&header.audience, width(label))));
    }
    if let Some(path) = &report.file {
        let replaces = language.pick(", which replaces the built-in report", "，替代内置报告");
        let replaces = if report.overrides() { replaces } else { "" };
        text.push_str(&format!("{}{}{replaces}\n", language.pick("From: ", "文件："), path.display()));
    }
    let mut section = |heading: &str, lines: Vec<(String, String)>| {
        if lines.is_empty() {
            return;
        }
        text.push_str(&format!("\n{heading}\n"));
        let name_width = lines.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
        for (name, doc) in lines {
            let start = if name.is_empty() { "  ".to_owned() } else { format!("  {}  ", padded(&name, name_width)) };
            text.push_str(&(start.clone() + &wrapped(&doc, width(&start)) + "\n"));
        }
    };
    let columns = header.columns.iter().map(|column| match column.unit.is_empty() {
        true => (column.name.clone(), column.doc.clone()),
        false => (format!("{} ({})", column.name, column.unit), column.doc.clone()),
    });
    let unnamed = |texts: &[String]| texts.iter().map(|text| (String::new(), text.clone())).collect::<Vec<_>>();
    let parameters = header.parameters.iter().map(|parameter| described(parameter, language)).collect();
    section(language.pick("Parameters", "参数"), parameters);
    section(language.pick("Columns", "列"), columns.collect());
    section(language.pick("Thresholds", "阈值"), unnamed(&header.thresholds));
    section(language.pick("Caveats", "注意事项"), unnamed(&header.caveats));
    if !header.empty.is_empty() {
        section(language.pick("If empty", "没有结果时"), unnamed(std::slice::from_ref(&header.empty)));
    }
    if report.file.is_none() {
        let mut calls = vec![example(report, header)];
        if header.parameter("since").is_some() {
            let query = "select sentence from why_no_rows(since := '2026-11-01');";
            let why = format!("{}{query}", language.pick("If that returns no rows: ", "没有结果时："));
            calls.push(why.replace(" := ", UNBREAKABLE_ASSIGNMENT));
        }
        let heading = language.pick("In a DuckDB client, on vcq.duckdb", "在 DuckDB 客户端中（vcq.duckdb）");
        section(heading, unnamed(&calls));
    }
    text.replace(UNBREAKABLE_ASSIGNMENT, " := ")
}

fn described(parameter: &Parameter, language: Language) -> (String, String) {
    let mut doc = parameter.doc.clone();
    if !parameter.choices.is_empty() {
        let choices = parameter.choices.join(language.pick(", ", "、"));
        doc.push_str(&language.pick(format!(" One of {choices}."), format!("可选值：{choices}。")));
    }
    if let Some(default) = &parameter.default {
        doc.push_str(&language.pick(format!(" [default: {default}]"), format!("[默认：{default}]")));
    }
    if parameter.is_required {
        doc.push_str(language.pick(" [required]", "[必填]"));
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
