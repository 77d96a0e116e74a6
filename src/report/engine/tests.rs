//! The expanded SQL against the macros, for every report and set of values, in DuckDB.

use std::collections::BTreeSet;

use duckdb::Connection;

use super::*;
use crate::report::arguments::Arguments;
use crate::report::catalogue::{Catalogue, Report};
use crate::report::fixture::{database, tenant};
use crate::report::run::call_sql;
use crate::schema::{TABLES, Table};
use crate::text::Language;

fn scripts(engine: &'static Engine) -> Scripts {
    Scripts::new(engine).expect("definitions")
}

fn reports() -> Vec<Report> {
    Catalogue::built_in().expect("reports").reports().to_vec()
}

/// Every choice of every parameter, a window, and percentages of every row.
fn value_sets(report: &Report) -> Vec<Arguments> {
    let has = |name: &str| report.header.parameter(name).is_some();
    let mut needed: Vec<(&str, &str)> =
        vec![("meeting_no", "100000003"), ("who", "p0"), ("incident_id", "2026-11-03-acute-site-00000001")];
    needed.retain(|(name, _)| report.header.parameter(name).is_some_and(|parameter| parameter.is_required));
    let mut shown = vec![
        ("since", "2026-11-02"),
        ("until", "2026-11-05"),
        ("min_n", "1"),
        ("min_sessions", "1"),
        ("min_participants", "1"),
        ("min_minutes", "1"),
        ("days", "1"),
    ];
    shown.retain(|(name, _)| has(name));
    let shown = [needed.clone(), shown].concat();
    let is_choosable = has("profile") && report.name != "incident" && report.name != "incidents";
    let profile = is_choosable.then_some(("profile", "strict"));
    let mut sets = vec![needed, shown.iter().copied().chain(profile).collect()];
    for parameter in &report.header.parameters {
        let others = parameter.choices.iter().filter(|choice| parameter.default.as_ref() != Some(choice));
        let choices = others.map(|choice| (parameter.name.as_str(), choice.as_str()));
        sets.extend(choices.map(|choice| [shown.clone(), vec![choice]].concat()));
    }
    let given = |set: Vec<(&str, &str)>| -> Vec<(String, String)> {
        set.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let resolve = |set| Arguments::resolve(&report.name, &report.header, &given(set)).expect("arguments");
    sets.into_iter().map(resolve).collect()
}

/// Names of columns and all rows, as text.
fn rows(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let run = || -> duckdb::Result<Vec<Vec<String>>> {
        let mut statement = connection.prepare(sql)?;
        let mut result = statement.query([])?;
        let names = result.as_ref().map(|statement| statement.column_names()).unwrap_or_default();
        let mut rows = vec![names.clone()];
        while let Some(row) = result.next()? {
            let cells = (0..names.len()).map(|at| Ok(format!("{:?}", row.get_ref(at)?.to_owned())));
            rows.push(cells.collect::<duckdb::Result<_>>()?);
        }
        Ok(rows)
    };
    run().unwrap_or_else(|error| panic!("{error}\n{sql}"))
}

/// The tenant with incidents of each kind.
fn tenant_with_incidents() -> Connection {
    let connection = tenant();
    // The rows are few.
    connection.execute_batch("set threads = 1").expect("a setting");
    let text = include_str!("../../../sql/tests/incidents.test");
    let insert = text.split("\n----").next().and_then(|block| block.split_once('\n')).expect("rows").1;
    connection.execute_batch(insert).expect("incidents");
    connection
        .execute_batch(
            "insert into incident_participants by name \
             select i.incident_id, p.participant_key, 3 as poor_minutes, i.meeting_date \
             from incidents as i inner join participants as p on p.meeting_date = i.meeting_date; \
             update participants set network_type = 'wifi' where room_id is not null; \
             insert into room_alerts by name \
             select 'x' as alert_id, p.room_id, p.join_time_utc as alert_time_utc, p.join_time_local as alert_time_local, \
             p.meeting_date from participants as p where p.room_id is not null; \
             insert into rejects by name \
             select 'participants' as table_name, p.participant_key as row_key, 'device' as column_name, 'x' as raw_text, \
             'unparsable' as reason, p.meeting_date from participants as p",
        )
        .expect("participants");
    connection
}

#[test]
fn expanded_reports_return_what_the_macros_return() {
    let connection = tenant_with_incidents();
    let scripts = scripts(&DUCKDB);
    let (mut sets, mut with_rows) = (0, BTreeSet::new());
    for report in reports() {
        for arguments in value_sets(&report) {
            let expected = rows(&connection, &call_sql(&report, &arguments));
            let expanded = scripts.script(&report, &arguments, &Places::default()).expect("a script");
            assert_eq!(
                rows(&connection, &expanded),
                expected,
                "{}: {}",
                report.name,
                arguments.summary(&[], Language::English)
            );
            sets += 1;
            if expected.len() > 1 {
                with_rows.insert(report.name.clone());
            }
        }
    }
    assert!(sets > 100, "{sets}");
    let empty: Vec<String> =
        reports().into_iter().map(|report| report.name).filter(|name| !with_rows.contains(name)).collect();
    assert_eq!(empty, [""; 0], "reports without rows show nothing");
}

#[test]
fn expanded_sql_needs_no_macro_of_the_database() {
    let with_macros = tenant();
    let bare = crate::report::fixture::without_definitions();
    let report = Report::built_in("missing-subnets").expect("a report");
    let arguments = value_sets(&report).remove(0);
    let sql = scripts(&DUCKDB).script(&report, &arguments, &Places::default()).expect("a script");
    assert_eq!(rows(&bare, &sql)[0], rows(&with_macros, &sql)[0]);
}

#[test]
fn a_script_for_spark_has_steps_and_names_of_tables() {
    let report = Report::built_in("worst-meetings").expect("a report");
    let arguments = value_sets(&report).remove(1);
    let places = Places { tables: "lake.vcq.{table}".to_owned(), scratch: Some("tmp".to_owned()) };
    let script = scripts(&SPARK).script(&report, &arguments, &places).expect("a script");
    let heads: Vec<&str> = script
        .lines()
        .filter(|line| ["-- ", "set ", "drop ", "create "].iter().any(|head| line.starts_with(head)))
        .collect();
    insta::assert_snapshot!(heads.join("\n"), @r"
    -- worst-meetings: since=2026-11-02, until=2026-11-05, profile=strict, top=20, min_n=1
    set spark.sql.session.timeZone = UTC;
    set spark.sql.ansi.enabled = false;
    drop table if exists tmp.worst_meetings_limits;
    create table tmp.worst_meetings_limits using parquet as
    drop table if exists tmp.worst_meetings_computed_marked_minutes_counted;
    create table tmp.worst_meetings_computed_marked_minutes_counted using parquet as
    drop table if exists tmp.worst_meetings_caused;
    create table tmp.worst_meetings_caused using parquet as
    drop table if exists tmp.worst_meetings_worst;
    create table tmp.worst_meetings_worst using parquet as
    drop table if exists tmp.worst_meetings_computed_cpu_minutes_pictures;
    create table tmp.worst_meetings_computed_cpu_minutes_pictures using parquet as
    drop table tmp.worst_meetings_computed_cpu_minutes_pictures;
    drop table tmp.worst_meetings_worst;
    drop table tmp.worst_meetings_caused;
    drop table tmp.worst_meetings_computed_marked_minutes_counted;
    drop table tmp.worst_meetings_limits;
    ");
    for part in ["from lake.vcq.quality_samples as q", "left join lake.vcq.misaligned_participants as d", "nulls last"]
    {
        assert!(script.contains(part), "{part}\n{script}");
    }
    for part in ["materialized", ":=", "varchar", "$", "from quality_samples"] {
        assert!(!script.contains(part), "{part}\n{script}");
    }
}

#[test]
fn every_report_can_be_written_for_every_engine() {
    for engine in [&DUCKDB, &SPARK] {
        let scripts = scripts(engine);
        for report in reports() {
            let arguments = value_sets(&report).remove(1);
            let script = scripts.script(&report, &arguments, &Places::default()).expect("a script");
            assert!(!script.contains(":=") && !script.contains(") as table"), "{script}");
            // The engines have the Parquet files only. In the place of this one is a view.
            let is_missing = |table: &&Table| !table.is_in_parquet() && table.name != "judged_participants";
            for table in TABLES.iter().filter(is_missing) {
                let reads = |word: &str| script.contains(&format!("{word} {} ", table.name));
                assert!(!reads("from") && !reads("join"), "{} reads {}:\n{script}", report.name, table.name);
            }
        }
    }
}

fn custom(sql: &str) -> Report {
    let sql = format!("-- title: T\n-- question: Q?\n-- parameter: top integer = 3: N.\n-- column: n: N.\n{sql}\n");
    let header = crate::report::Header::parse("mine", &sql).expect("a header");
    Report { name: "mine".to_owned(), sql, header, ..Report::built_in("coverage").expect("a report") }
}

fn expanded(sql: &str) -> Result<String, String> {
    let report = custom(sql);
    let arguments = Arguments::resolve("mine", &report.header, &[]).expect("arguments");
    scripts(&DUCKDB).script(&report, &arguments, &Places::default()).map_err(|error| error.to_string())
}

#[test]
fn names_of_a_custom_report_do_not_capture_those_of_the_definitions() {
    // Its own expressions have the names of a table, of a view and of one in a macro.
    let sql = "with meetings as (select 1 as a), limits as (select a from meetings), caused as (select a from limits)\n\
               select (select count(*) from caused) as n, k.value as m, caused.a, meetings.a as b from caused join meetings on true \
               cross join (select count(*) as value from poor_minutes(since := (select min(date '2026-11-02') from caused)) as p) as k";
    let sql = expanded(sql).expect("a script");
    let found = rows(&database(include_str!("../../../sql/tests/tenant.sql")), &sql);
    let poor = rows(&tenant(), "select count(*) from poor_minutes()").remove(1);
    let one = "BigInt(1)".to_owned();
    assert_eq!(found[1][..2], [one, poor[0].clone()]);
}

#[test]
fn what_cannot_be_expanded_is_an_error() {
    let refused = |sql: &str| expanded(sql).expect_err("refused");
    insta::assert_snapshot!(refused("select * from episodes(sinse := null) as e"), @"the report mine cannot be written for duckdb: episodes has no parameter sinse");
    insta::assert_snapshot!(refused("select * from episodes('2026-11-01') as e"), @"the report mine cannot be written for duckdb: episodes is called without := for a value");
    insta::assert_snapshot!(refused("select 1 as n from meetings as m, episodes(since := null) as e"), @"the report mine cannot be written for duckdb: a macro is called elsewhere than after FROM or JOIN: episodes(since := null)");
    insta::assert_snapshot!(refused("select * from (with a as (select 1 as n) select n from a) as b"), @"the report mine cannot be written for duckdb: a query inside another one begins with WITH");
    insta::assert_snapshot!(refused("with recursive a as (select 1 as n) select n from a"), @"the report mine cannot be written for duckdb: WITH is followed by something other than names, AS and queries");
}

#[test]
fn every_published_table_is_declared() {
    let places = Places { tables: "vcq.{table}".to_owned(), scratch: None };
    let files = Files { location: "s3a://bucket/vcq/".to_owned(), are_delta: false, tenant: None };
    let sql = scripts(&SPARK).declarations(&places, &files).expect("tables");
    let start = "create table if not exists vcq.meetings (\n    `meeting_key` string comment '";
    assert!(sql.starts_with(start), "{sql}");
    for part in [
        "`start_time_utc` timestamp comment",
        "`start_time_local` timestamp_ntz comment",
        "partitioned by (meeting_date)\n",
        "location 's3a://bucket/vcq/meetings';\nmsck repair table vcq.meetings;\n",
        "location 's3a://bucket/vcq/reference/thresholds';\n",
    ] {
        assert!(sql.contains(part), "{part}\n{sql}");
    }
    assert!(!sql.contains("judged_participants ("), "it is not in Parquet");
}
