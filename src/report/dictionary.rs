//! The data dictionary of the views and macros: what `vcq-etl schema` prints and docs/SCHEMA.md contains below the
//! tables.

use serde_json::{Value, json};

use super::ReportError;
use super::definition::macro_name;
use super::header::Header;
use super::meanings::{Kind, Meaning, column_meaning, parameter_defaults, parameter_meaning};
use super::registry::built_in;
use super::scripts::scripts;
use super::translation::in_language;
use crate::load::{Comment, DatabaseOptions, Relation, Script, define_in_memory, relation_columns};
use crate::schema::{ddl, unit_in};
use crate::text::Language;

/// A view or macro as the data dictionary shows it.
#[derive(Debug)]
pub(crate) struct Entry {
    name: String,
    kind: Kind,
    doc: String,
    parameters: Vec<EntryField>,
    columns: Vec<EntryField>,
    /// The report that a macro runs.
    report: Option<&'static str>,
    sql: String,
}

#[derive(Debug, PartialEq, Eq)]
struct EntryField {
    name: String,
    /// The type of a column, the default of a parameter.
    detail: String,
    unit: String,
    doc: String,
}

impl EntryField {
    fn new(name: String, detail: String, meaning: Option<Meaning>, language: Language) -> EntryField {
        let Meaning { unit, doc } = meaning.unwrap_or(Meaning { unit: String::new(), doc: String::new() });
        let (unit, doc) = (unit_in(language, &unit).to_owned(), in_language(language, &doc).to_owned());
        EntryField { name, detail, unit, doc }
    }

    fn json(&self, detail: &str) -> Value {
        json!({ "name": self.name, detail: self.detail, "unit": self.unit, "doc": self.doc })
    }
}

impl Entry {
    #[cfg(test)]
    pub(super) fn is_report(&self) -> bool {
        self.report.is_some()
    }

    /// What people read about it.
    #[cfg(test)]
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let fields = self.parameters.iter().chain(&self.columns).map(|field| field.doc.as_str());
        std::iter::once(self.doc.as_str()).chain(fields)
    }
}

/// Every view and macro, in the order of installation, with the columns that DuckDB finds.
pub(crate) fn entries(language: Language) -> Result<Vec<Entry>, ReportError> {
    let scripts = scripts(language)?;
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ReportError::Define { source };
    let connection = define_in_memory(&scripts, DatabaseOptions::default()).map_err(|error| failed(error.into()))?;
    let mut entries = Vec::new();
    for script in &scripts {
        let Some(comment) = &script.comment else { continue };
        let (kind, name) = subject(&comment.subject);
        let report = built_in().find(|report| macro_name(report.name) == name);
        let header = report.map(|report| Header::parse(report.name, report.sql)).transpose()?;
        let relation = script
            .relation
            .clone()
            .or_else(|| report.map(|_| Relation::Macro { name: name.to_owned(), parameters: String::new() }));
        let found = relation.map(|relation| relation_columns(&relation, &connection)).transpose();
        let columns =
            found.map_err(|error| failed(error.into()))?.unwrap_or_default().into_iter().map(|(column, kind)| {
                let meaning = match &header {
                    Some(header) => header
                        .columns
                        .iter()
                        .find(|known| known.name == column)
                        .map(|known| Meaning { unit: known.unit.clone(), doc: known.doc.clone() }),
                    None => column_meaning(name, &column),
                };
                EntryField::new(column, kind, meaning, language)
            });
        let columns = columns.collect();
        let parameters = parameter_defaults(&script.parameters).into_iter().map(|(parameter, default)| {
            let meaning = match &header {
                Some(header) => {
                    header.parameter(&parameter).map(|known| Meaning { unit: String::new(), doc: known.doc.clone() })
                }
                None => parameter_meaning(name, &parameter),
            };
            EntryField::new(parameter, default.unwrap_or_default(), meaning, language)
        });
        let doc = comment.text.lines().next().unwrap_or_default().to_owned();
        entries.push(Entry {
            name: name.to_owned(),
            kind,
            doc,
            parameters: parameters.collect(),
            columns,
            report: report.map(|report| report.name),
            sql: definition_sql(script, comment, &connection).map_err(|error| failed(error.into()))?,
        });
    }
    Ok(entries)
}

/// The kind and name in `macro table x`.
fn subject(subject: &str) -> (Kind, &str) {
    let kinds = [Kind::View, Kind::TableMacro, Kind::ScalarMacro];
    let found = kinds.into_iter().find_map(|kind| Some((kind, subject.strip_prefix(kind.subject())?.trim_start())));
    found.unwrap_or((Kind::ScalarMacro, subject))
}

/// The definition with its comments.
fn definition_sql(script: &Script, comment: &Comment, connection: &duckdb::Connection) -> duckdb::Result<String> {
    let columns = match &script.relation {
        Some(relation) => relation_columns(relation, connection)?.into_iter().map(|(name, _)| name).collect(),
        None => Vec::new(),
    };
    Ok(format!("{}{}", script.sql, comment.sql(&columns)))
}

const ENGLISH_START: &str = "\n# The views and macros\n\n\
    A macro is called like a function, `select * from quality_minutes(since := '2026-11-01')`, and a view is read like a \
    table. The published database has these texts as comments (`duckdb_views()`, `duckdb_columns()`, \
    `duckdb_functions()`). Start with `minutes_flat`.\n";

const CHINESE_START: &str = "\n# 视图和宏\n\n\
    宏的调用方式与函数相同：`select * from quality_minutes(since := '2026-11-01')`；视图的读取方式与表相同。\
    已发布的数据库中有这些说明，以注释的形式保存（`duckdb_views()`、`duckdb_columns()`、`duckdb_functions()`）。\
    建议从 `minutes_flat` 开始。\n";

/// The views and macros as Markdown, below the tables.
pub(crate) fn markdown(entries: &[Entry], language: Language) -> String {
    let mut text = language.pick(ENGLISH_START, CHINESE_START).to_owned();
    let mut shown: Vec<&Entry> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.report.is_none() && entry.kind != Kind::ScalarMacro) {
        let same = shown.iter().find(|other| other.columns == entry.columns);
        push_entry(&mut text, entry, same.map(|other| other.name.as_str()), language);
        shown.push(entry);
    }
    let functions = "\n## Functions\n\n| macro | parameters | meaning |\n|---|---|---|\n";
    text.push_str(language.pick(functions, "\n## 函数\n\n| 宏 | 参数 | 含义 |\n|---|---|---|\n"));
    let colon = language.pick(": ", "：");
    for entry in entries.iter().filter(|entry| entry.kind == Kind::ScalarMacro) {
        let parameters: Vec<String> =
            entry.parameters.iter().map(|parameter| format!("`{}`{colon}{}", parameter.name, parameter.doc)).collect();
        text.push_str(&format!("| `{}` | {} | {} |\n", entry.name, cell(&parameters.join("<br>")), cell(&entry.doc)));
    }
    text.push_str(language.pick(
        "\n## Reports\n\n[REPORTS.md](REPORTS.md) has their parameters and columns.\n\n| macro | question |\n|---|---|\n",
        "\n## 报告\n\n各报告的参数和列见 [REPORTS.md](REPORTS.md)。\n\n| 宏 | 问题 |\n|---|---|\n",
    ));
    for entry in entries {
        if let Some(report) = entry.report {
            text.push_str(&format!("| [`{}`](REPORTS.md#{report}) | {} |\n", entry.name, cell(&entry.doc)));
        }
    }
    text
}

fn push_entry(text: &mut String, entry: &Entry, same_columns_as: Option<&str>, language: Language) {
    let kind = match entry.kind {
        Kind::View => language.pick("View.", "视图。"),
        _ => language.pick("Macro.", "宏。"),
    };
    text.push_str(&format!("\n## {}\n\n{}\n{kind}", entry.name, entry.doc));
    if !entry.parameters.is_empty() {
        let head = language.pick("| parameter | default | meaning |", "| 参数 | 默认值 | 含义 |");
        text.push_str(&format!("\n\n{head}\n|---|---|---|\n"));
        for parameter in &entry.parameters {
            let EntryField { name, detail, doc, .. } = parameter;
            text.push_str(&format!("| `{name}` | {detail} | {} |\n", cell(doc)));
        }
    } else {
        text.push('\n');
    }
    if let Some(other) = same_columns_as {
        let (english, chinese) =
            (format!("Its columns are those of [{other}](#{other})."), format!("各列与 [{other}](#{other}) 相同。"));
        text.push_str(&format!("\n{}\n", language.pick(english, chinese)));
        return;
    }
    let head = language.pick("| column | type | unit | meaning |", "| 列 | 类型 | 单位 | 含义 |");
    text.push_str(&format!("\n{head}\n|---|---|---|---|\n"));
    for EntryField { name, detail, unit, doc } in &entry.columns {
        text.push_str(&format!("| `{name}` | {detail} | {unit} | {} |\n", cell(doc)));
    }
}

/// Text that cannot end a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The views and macros as JSON: the members `views` and `macros`.
pub(crate) fn json(entries: &[Entry]) -> (Value, Value) {
    let object = |entry: &&Entry| {
        let fields = |fields: &[EntryField], detail: &str| -> Vec<Value> {
            fields.iter().map(|field| field.json(detail)).collect()
        };
        json!({
            "name": entry.name, "doc": entry.doc, "report": entry.report,
            "returns": if entry.kind == Kind::ScalarMacro { "value" } else { "table" },
            "parameters": fields(&entry.parameters, "default"), "columns": fields(&entry.columns, "type"),
        })
    };
    let (views, macros): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.kind == Kind::View);
    (views.iter().map(object).collect(), macros.iter().map(object).collect())
}

/// The tables, then the views and macros, with their comments.
pub(crate) fn sql(entries: &[Entry]) -> Result<String, ReportError> {
    let rows =
        scripts(Language::English)?.into_iter().filter(|script| script.comment.is_none()).map(|script| script.sql);
    let definitions = entries.iter().map(|entry| format!("\n{}", entry.sql));
    Ok(std::iter::once(ddl::script()).chain(rows.map(|sql| format!("\n{sql}"))).chain(definitions).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::meanings::texts;

    #[test]
    fn every_view_macro_column_and_parameter_is_documented() {
        let entries = entries(Language::English).expect("entries");
        let mut missing = Vec::new();
        for entry in &entries {
            if !entry.doc.ends_with(['.', '?']) {
                missing.push(format!("{}: {:?}", entry.name, entry.doc));
            }
            for field in entry.columns.iter().chain(&entry.parameters).filter(|field| field.doc.is_empty()) {
                missing.push(format!("{}.{}", entry.name, field.name));
            }
            assert!(entry.kind == Kind::ScalarMacro || !entry.columns.is_empty(), "{} has no columns", entry.name);
        }
        assert!(missing.is_empty(), "without a meaning: {missing:#?}");
        assert!(entries.len() > 80, "{}", entries.len());
        // Everything in the database is an entry.
        let scripts = scripts(Language::English).expect("scripts");
        let connection = define_in_memory(&scripts, DatabaseOptions::default()).expect("a database");
        let sql = "select view_name from duckdb_views() where not internal
                   union all select function_name from duckdb_functions() where not internal";
        let mut statement = connection.prepare(sql).expect("a query");
        let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("names");
        let known: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let unknown: Vec<String> = names.flatten().filter(|name| !known.contains(&name.as_str())).collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn every_text_of_the_dictionary_is_used_once() {
        let entries = entries(Language::English).expect("entries");
        let views = || entries.iter().filter(|entry| entry.report.is_none());
        let mut names: Vec<&str> = texts().map(|(name, _)| name).collect();
        let lines = include_str!("../../sql/views/dictionary.tsv").lines().count();
        assert_eq!(names.len() + 1, lines, "a line has three cells");
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name is there twice");
        for (name, meaning) in texts() {
            let (relation, field) =
                name.split_once('.').map_or((None, name), |(relation, field)| (Some(relation), field));
            let is_used =
                views().filter(|entry| relation.is_none_or(|relation| relation == entry.name)).any(|entry| match field
                    .strip_prefix('$')
                {
                    Some(parameter) => entry.parameters.iter().any(|known| known.name == parameter),
                    None => entry.columns.iter().any(|known| known.name == field && known.doc == meaning.doc),
                });
            assert!(is_used, "{name} is in no view or macro");
            assert!(meaning.doc.ends_with('.'), "{name}: {}", meaning.doc);
        }
    }

    #[test]
    fn the_published_comments_are_those_of_the_dictionary() {
        let connection = define_in_memory(&scripts(Language::English).expect("scripts"), DatabaseOptions::default())
            .expect("a database");
        let text = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
        let view = "select comment from duckdb_views() where view_name = 'minutes_flat'";
        assert!(text(view).starts_with("The macro minutes_flat with the profile cqd: one row per participant-minute."));
        let column =
            "select comment from duckdb_columns() where table_name = 'minutes_flat' and column_name = 'delay_ms'";
        assert_eq!(text(column), "Network delay. [ms]");
        let function =
            |name: &str| text(&format!("select comment from duckdb_functions() where function_name = '{name}'"));
        let minutes = function("quality_minutes");
        assert!(minutes.contains("\nParameters:\n  since := null: First meeting date, inclusive"), "{minutes}");
        assert!(minutes.contains("\nColumns:\n  participant_key: The participant.\n"), "{minutes}");
        assert!(function("share_pct").contains("\n  min_n: Below this number"), "{}", function("share_pct"));
        assert!(function("report_coverage").contains("\nColumns:\n"));
        let without = "select count(*) from (
            select comment from duckdb_views() where not internal
            union all select comment from duckdb_functions() where not internal
            union all select comment from duckdb_columns() where not internal)
            where comment is null";
        let count: i64 = connection.query_row(without, [], |row| row.get(0)).expect("a count");
        assert_eq!(count, 0, "everything in the database has a comment");
    }

    #[test]
    fn the_sql_defines_everything_in_an_empty_database() {
        let connection = duckdb::Connection::open_in_memory().expect("a database");
        connection.execute_batch(&sql(&entries(Language::English).expect("entries")).expect("sql")).expect("it runs");
        let flat: i64 =
            connection.query_row("select count(*) from minutes_flat", [], |row| row.get(0)).expect("a view");
        assert_eq!(flat, 0);
    }
}
