//! All built-in reports: their headers, an empty database, and the small tenant.

use std::collections::BTreeSet;
use std::path::Path;

use duckdb::Connection;

use super::fixture::{database, tenant, without_definitions};
use super::registry::{VIEWS, built_in};
use super::run::call_sql;
use super::tokenizer::{Token, split_tokens};
use super::*;
use crate::text::Language;

fn reports() -> Vec<Report> {
    Catalogue::built_in().expect("reports").reports().to_vec()
}

fn resolve(report: &Report, given: &[(&str, &str)]) -> Result<Arguments, ReportError> {
    let given: Vec<(String, String)> =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arguments::resolve(&report.name, &report.header, &given)
}

/// The defaults, and a value for each required parameter.
fn defaults(report: &Report) -> Arguments {
    let required: Vec<(&str, &str)> = report
        .header
        .parameters
        .iter()
        .filter(|parameter| parameter.is_required)
        .map(|parameter| (parameter.name.as_str(), required_value(&parameter.name)))
        .collect();
    resolve(report, &required).expect("arguments")
}

fn required_value(parameter: &str) -> &'static str {
    match parameter {
        "who" => "ann",
        "incident_id" => "2026-11-02-acute-site-00000001",
        _ => "100000001",
    }
}

fn file_names(folder: &str) -> BTreeSet<String> {
    std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .collect()
}

#[test]
fn the_registry_lists_all_files() {
    let names: BTreeSet<String> = built_in().map(|report| report.name.to_owned()).collect();
    assert_eq!(names, file_names("sql/reports"));
    assert_eq!(names.len(), built_in().count(), "duplicate names");
    let views: Vec<String> = VIEWS.iter().map(|view| view.name.to_owned()).collect();
    assert_eq!(views, file_names("sql/views").into_iter().collect::<Vec<_>>(), "sorted by name");
}

#[test]
fn every_header_is_complete() {
    let mut ids = BTreeSet::new();
    for report in reports() {
        let header = &report.header;
        assert!(header.id.starts_with('r') && header.id.len() == 3, "{}: {}", report.name, header.id);
        assert!(ids.insert(header.id.clone()), "duplicate id {}", header.id);
        assert!(header.question.ends_with('?') && !header.audience.is_empty(), "{}", report.name);
        assert!(!header.caveats.is_empty(), "{}", report.name);
        let columns = header.columns.iter().map(|column| &column.doc);
        let parameters = header.parameters.iter().map(|parameter| &parameter.doc);
        let lists = header.thresholds.iter().chain(&header.caveats).chain([&header.empty]);
        for doc in columns.chain(parameters).chain(lists) {
            assert!(doc.ends_with('.'), "{}: {doc}", report.name);
        }
        let judges = header.parameter("profile").is_some();
        assert_eq!(judges, header.columns.iter().any(|column| column.name == "profile"), "{}", report.name);
    }
}

#[test]
fn every_time_says_its_clock() {
    let connection = tenant();
    let is_time = |sql: &str| sql == "DATE" || sql.starts_with("TIMESTAMP");
    for report in reports() {
        let sql = format!("describe {}", call_sql(&report, &defaults(&report)));
        let mut statement = connection.prepare(&sql).expect("sql");
        let types = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("columns");
        for (name, kind) in types.collect::<Result<Vec<(String, String)>, _>>().expect("columns") {
            let unit = report.header.column(&name).expect("a documented column").unit.as_str();
            assert!(
                !is_time(&kind) || ["local", "UTC"].iter().any(|clock| unit.starts_with(clock)),
                "{}: {name} {unit:?}",
                report.name
            );
        }
    }
}

#[test]
fn header_and_sql_agree() {
    let connection = tenant();
    for report in reports() {
        let body = split_tokens(Header::body(&report.sql)).expect("sql").into_iter();
        let used: BTreeSet<&str> = body
            .filter_map(|(_, piece)| match piece {
                Token::Parameter(name) => Some(name),
                _ => None,
            })
            .collect();
        let declared: BTreeSet<&str> =
            report.header.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(used, declared, "{}", report.name);
        let result = run(&connection, &report, &defaults(&report)).expect("runs");
        let documented: Vec<String> = report.header.columns.iter().map(|column| column.name.clone()).collect();
        assert_eq!(result.columns, documented, "{}", report.name);
    }
}

/// The rows of the query with bound parameters, as another engine would run it.
fn bound(connection: &Connection, report: &Report, arguments: &Arguments) -> Vec<String> {
    let mut statement = connection.prepare(&report.sql).expect("sql");
    let values: Vec<Option<String>> = (1..=statement.parameter_count())
        .map(|index| arguments.get(&statement.parameter_name(index).expect("a name")).map(str::to_owned))
        .collect();
    let mut result = statement.query(duckdb::params_from_iter(values)).expect("runs");
    let mut rows = Vec::new();
    while let Some(row) = result.next().expect("a row") {
        let cells = (0..report.header.columns.len())
            .map(|index| Cell::from_duckdb(row.get_ref(index).expect("a value")).expect("plain"));
        rows.push(format!("{:?}", cells.collect::<Vec<_>>()));
    }
    rows
}

#[test]
fn the_macro_equals_the_query() {
    let connection = tenant();
    let mut rows = 0;
    for report in reports() {
        let arguments = defaults(&report);
        let result = run(&connection, &report, &arguments).expect("runs");
        let found: Vec<String> = result.rows.iter().map(|row| format!("{row:?}")).collect();
        assert_eq!(found, bound(&connection, &report, &arguments), "{}", report.name);
        rows += found.len();
    }
    assert!(rows > 200, "{rows}");
}

#[test]
fn the_macro_can_be_called_like_the_program_does() {
    let connection = tenant();
    let sql = "select count(*) from report_worst_meetings(since := date '2026-11-03', top := 1)";
    assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count"), 1);
    let report = Report::built_in("worst-meetings").expect("a report");
    let arguments = resolve(&report, &[("since", "2026-11-03"), ("top", "1")]).expect("arguments");
    assert_eq!(
        call_sql(&report, &arguments),
        "select * from report_worst_meetings(since := '2026-11-03', until := null, profile := 'cqd', top := 1, min_n := 60)"
    );
    assert_eq!(run(&connection, &report, &arguments).expect("runs").rows.len(), 1);
}

#[test]
fn sql_avoids_engine_specific_features() {
    let texts =
        VIEWS.iter().map(|view| (view.name, view.sql)).chain(built_in().map(|report| (report.name, report.sql)));
    for (name, sql) in texts {
        let code: String = split_tokens(sql)
            .expect("sql")
            .into_iter()
            .map(|(_, piece)| match piece {
                Token::Code(text) if !text.starts_with('\'') => text.to_lowercase(),
                _ => " ".to_owned(),
            })
            .collect();
        for word in [
            "percentile_",
            "within group",
            "extract(epoch",
            "median(",
            "mad(",
            "arg_max",
            "arg_min",
            "max_by",
            "min_by",
            "mode(",
            "unnest",
            "time_bucket",
            "qualify",
            "group by all",
            "order by all",
            "timestamptz",
            "with time zone",
            "at time zone",
            "now()",
            "current_date",
            "current_timestamp",
            "::",
            "strftime",
            "pivot",
            "columns(",
            "list_",
            "lambda",
            "->",
            "asof",
            "sample ",
            "exclude",
            "ilike",
        ] {
            assert!(!code.contains(word), "{name} uses {word}");
        }
        assert_eq!(code.matches("quantile_cont(").count(), code.matches("quantile").count(), "{name}");
    }
}

#[test]
fn every_report_explains_an_empty_store() {
    let connection = database("");
    for report in reports().iter().filter(|report| !["threshold-sheet", "duplicates"].contains(&report.name.as_str())) {
        let arguments = defaults(report);
        let result = run(&connection, report, &arguments).unwrap_or_else(|error| panic!("{}: {error:?}", report.name));
        assert_eq!(result.rows.len(), 0, "{}", report.name);
        assert_eq!(result.columns.len(), report.header.columns.len(), "{}", report.name);
        let reason = explain_empty(&connection, report, &arguments).expect("a reason");
        assert_eq!(reason, "The store holds no meetings yet: run vcq-etl sync.");
        let chinese = report.clone().in_language(Language::Chinese);
        let reason = explain_empty(&connection, &chinese, &arguments).expect("a reason");
        assert_eq!(reason, "数据目录中还没有会议：请运行 vcq-etl sync。");
    }
}

#[test]
fn a_window_without_meetings_is_explained_with_the_available_dates() {
    let connection = tenant();
    for report in reports().iter().filter(|report| report.header.parameter("since").is_some()) {
        let mut given = vec![("since", "2027-01-01")];
        let required = report.header.parameters.iter().filter(|parameter| parameter.is_required);
        given.extend(required.map(|parameter| (parameter.name.as_str(), "ann")));
        let arguments = resolve(report, &given).expect("arguments");
        let result = run(&connection, report, &arguments).expect("runs");
        if report.name == "duplicates" {
            continue;
        }
        assert_eq!(result.rows.len(), 0, "{}", report.name);
        let reason = explain_empty(&connection, report, &arguments).expect("a reason");
        assert_eq!(reason, "No meeting started in this window; the store holds 2026-11-02 to 2026-11-05.");
        let chinese = report.clone().in_language(Language::Chinese);
        let reason = explain_empty(&connection, &chinese, &arguments).expect("a reason");
        assert_eq!(reason, "时间窗口内没有会议；已入库的日期为 2026-11-02 至 2026-11-05。");
    }
}

#[test]
fn a_report_without_verdicts_does_not_mention_judged_minutes() {
    let report = Report::built_in("unread-values").expect("a report");
    let reason = explain_empty(&tenant(), &report, &defaults(&report)).expect("a reason");
    assert_eq!(reason, report.header.empty);
    let report = Report::built_in("rooms-on-wifi").expect("a report");
    let arguments = resolve(&report, &[("since", "2026-11-03")]).expect("arguments");
    let reason = explain_empty(&tenant(), &report, &arguments).expect("a reason");
    assert!(reason.starts_with(&report.header.empty), "{reason}");
}

#[test]
fn every_reason_has_a_chinese_form() {
    let sql = super::registry::VIEWS.iter().find(|view| view.name == "050_summaries").expect("a file").sql;
    let sql = &sql[sql.find("macro why_no_rows").expect("the macro")..];
    // The sentences with a number for each value.
    let branches = sql.split("then '").skip(1).map(|branch| branch.split("when e.").next().unwrap_or_default());
    let last = sql.split("else '").nth(1).expect("a last sentence");
    let sentences = branches.take(4).chain([last]).map(|branch| {
        let branch = branch.split("end as sentence").next().and_then(|text| text.split("else '").next());
        let branch = branch.unwrap_or_default();
        format!("'{branch}").split('\'').enumerate().fold(String::new(), |sentence, (at, part)| match at % 2 {
            1 => sentence + part,
            _ if part.contains("cast(") => sentence + "7",
            _ => sentence,
        })
    });
    let sentences: Vec<String> = sentences.collect();
    assert!(sentences.len() == 5 && sentences.iter().all(|text| text.ends_with('.')), "{sentences:#?}");
    for sentence in sentences {
        let chinese = super::page::chinese(&sentence);
        assert!(chinese.is_some_and(|text| text.ends_with('。')), "{sentence}");
    }
}

#[test]
fn parameter_values_cannot_inject_sql() {
    let connection = tenant();
    for text in ["'", "''", "ann' or 1 = 1 --", "'); drop table meetings; --", "$since", "\\'", "\"", "a;b", "x\u{0}"] {
        for name in ["user-timeline", "meeting-timeline"] {
            let report = Report::built_in(name).expect("a report");
            let required = if name == "user-timeline" { "who" } else { "meeting_no" };
            match resolve(&report, &[(required, text)]) {
                Ok(arguments) => {
                    assert_eq!(run(&connection, &report, &arguments).expect("runs").rows.len(), 0, "{text}");
                    explain_empty(&connection, &report, &arguments).expect("a reason");
                }
                Err(error) => assert!(matches!(error, ReportError::InvalidParameter { .. }) && text.contains('\0')),
            }
        }
        let report = Report::built_in("worst-meetings").expect("a report");
        if let Ok(arguments) = resolve(&report, &[("profile", text)]) {
            let error = run(&connection, &report, &arguments).expect_err("no profile");
            assert!(matches!(error, ReportError::UnknownProfile { .. }), "{error}");
        }
        assert!(resolve(&report, &[("top", text)]).is_err() && resolve(&report, &[("since", text)]).is_err(), "{text}");
    }
}

#[test]
fn an_unknown_profile_is_refused_with_the_known_ones() {
    let report = Report::built_in("by-site").expect("a report");
    let arguments = resolve(&report, &[("profile", "cdq")]).expect("arguments");
    match run(&tenant(), &report, &arguments) {
        Err(ReportError::UnknownProfile { profile, known }) => {
            assert_eq!((profile.as_str(), known.join(",").as_str()), ("cdq", "cqd,custom,huawei-red,strict"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_of_an_older_version_is_detected() {
    let connection = without_definitions();
    for report in reports() {
        let error = run(&connection, &report, &defaults(&report)).expect_err("no macro");
        assert!(matches!(error, ReportError::NotInstalled { .. }), "{}: {error}", report.name);
        assert_eq!(explain_empty(&connection, &report, &defaults(&report)).expect("a reason"), report.header.empty);
    }
    // The macro exists but lacks a parameter.
    connection.execute_batch("create macro report_coverage(since := null) as table select 1 as a").expect("a macro");
    let report = Report::built_in("coverage").expect("a report");
    let error = run(&connection, &report, &defaults(&report)).expect_err("an older macro");
    assert!(matches!(error, ReportError::NotInstalled { .. }), "{error}");
}

#[test]
fn a_custom_report_can_use_the_built_in_one_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "-- title: Mine\n-- question: Which?\n-- parameter: top integer = 2: Rows.\n-- column: topic: The topic.\n\
        select topic from report_worst_meetings(top := $top); -- the built-in one\n";
    std::fs::write(folder.path().join("worst-meetings.sql"), file).expect("written");
    let report = Catalogue::with_folder(folder.path()).expect("a catalogue").find("worst-meetings").expect("a report");
    let result = run(&tenant(), &report, &defaults(&report)).expect("runs");
    assert_eq!(result.rows, [[Cell::Text("A".to_owned())], [Cell::Text("C".to_owned())]]);
}

#[test]
fn parquet_has_the_rows_with_their_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("it's.parquet");
    let connection = tenant();
    let report = Report::built_in("worst-meetings").expect("a report");
    assert_eq!(write_parquet(&connection, &report, &defaults(&report), &path).expect("written"), 4);
    let sql = format!(
        "select any_value(typeof(start) || ',' || typeof(n)) || ',' || min(topic) from read_parquet({})",
        crate::schema::ddl::quoted(&path.to_string_lossy())
    );
    let types: String = connection.query_row(&sql, [], |row| row.get(0)).expect("a row");
    assert_eq!(types, "TIMESTAMP,BIGINT,A");
    let missing_folder = folder.path().join("none/x.parquet");
    let error = write_parquet(&connection, &report, &defaults(&report), &missing_folder).expect_err("no folder");
    assert!(matches!(error, ReportError::Parquet { .. }), "{error}");
}

#[test]
fn every_report_fits_a_terminal() {
    let connection = tenant();
    for report in reports() {
        let arguments = defaults(&report);
        let result = run(&connection, &report, &arguments).expect("runs");
        let window =
            "last 7 days in the store: 2026-11-02 to 2026-11-08, local time (--since 28d or --since all for more)";
        let answer =
            Answer { report: &report, arguments: &arguments, result: &result, empty_reason: "None.", window, next: "" };
        for width in [60, 80, 200] {
            let table = TextFormat::Table.render(&answer, width);
            assert!(table.lines().all(|line| line.chars().count() <= usize::from(width)), "{}: {table}", report.name);
        }
        assert!(TextFormat::Html.render(&answer, 80).contains("<main>"));
    }
}

#[test]
fn the_named_profiles_are_those_of_the_thresholds() {
    let connection = tenant();
    let mut statement = connection.prepare("select distinct profile from thresholds order by 1").expect("a query");
    let found: Vec<String> =
        statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts");
    let mut named: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    assert_eq!(found, named);
}
