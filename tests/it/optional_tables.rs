//! The tables of rooms, alarms, reservations and Feishu's own counts, from a sync of the simulator with `--also`.

use crate::support::test_env::{RunOutput, TestEnv, recent, small_tenant, unlimited};

const TABLES: [&str; 5] = ["rooms", "room_alerts", "reservations", "census_daily", "census_users"];

/// A sync of the whole tenant and the day before it.
fn synced() -> TestEnv {
    let env = TestEnv::with(&recent(small_tenant()), unlimited());
    let spec = env.simulator().tenant().spec().clone();
    let instant = |seconds: i64| jiff::Timestamp::from_second(seconds).expect("an instant").to_string();
    let (since, until) = (instant(spec.start() - 86_400), instant(spec.end()));
    let also = "rooms,room_alerts,reservations,census";
    let mut sync = env.vcq(&["sync", "--since", &since, "--until", &until, "--also", also, "--summary", "json"]);
    let summary = RunOutput::new(sync.output().expect("the binary runs")).expect_exit(0).summary();
    assert_eq!(summary["rejects"], 0, "{summary:#}");
    assert_eq!(summary["unknown_fields"], serde_json::json!({}), "{summary:#}");
    env
}

fn all_rows(env: &TestEnv) -> Vec<Vec<String>> {
    TABLES.iter().map(|table| env.rows(&format!("select * from {table} order by all"))).collect()
}

#[test]
fn the_tables_hold_what_feishu_returned_and_a_rebuild_gives_the_same_rows() {
    let env = synced();
    let rows = all_rows(&env);
    for (table, rows) in TABLES.iter().zip(&rows) {
        // The tenant depends on the date: some have a single alarm.
        assert!(!rows.is_empty(), "{table}");
    }
    let totals = env.simulator().tenant().totals();
    assert_eq!(env.number("select sum(meetings)::bigint from census_daily") as u64, totals.meetings);
    let held = env.number("select sum(meeting_duration_s)::bigint from meetings");
    assert_eq!(env.number("select sum(duration_s)::bigint from census_daily"), held);
    let without_meetings = "select count(*) from census_daily anti join meetings using (meeting_date)";
    assert_eq!(env.number(without_meetings), 1, "the day before");
    let incomplete = "select count(*) from rooms where building is null or floor is null or facilities is null";
    assert_eq!(env.number(incomplete), 0);
    let unlisted = "select count(*) from (
            select room_id from participants where room_id is not null
            union select room_id from room_alerts
            union select room_id from reservations
        ) anti join rooms using (room_id)";
    assert_eq!(env.number(unlisted), 0, "every room is in the list of rooms");
    assert!(env.number("select count(*) from participant_facts where who_kind = 'room' and building is not null") > 0);
    assert!(env.number("select count(*) from report_room_alarms()") > 0);
    assert_eq!(env.number("select count(*) from report_reconcile()"), 0, "nothing is missing");

    RunOutput::new(env.vcq(&["verify", "--deep"]).output().expect("the binary runs")).expect_exit(0);
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("the binary runs")).expect_exit(0);
    assert_eq!(all_rows(&env), rows);
    std::fs::remove_dir_all(env.store().join("parquet")).expect("removed");
    std::fs::remove_file(env.store().join("vcq.duckdb")).expect("removed");
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("the binary runs")).expect_exit(0);
    assert_eq!(all_rows(&env), rows, "also from nothing but raw/");
}

#[test]
fn without_also_the_tables_are_empty_and_the_reports_say_how_to_fill_them() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    for table in TABLES {
        assert_eq!(env.number(&format!("select count(*) from {table}")), 0, "{table}");
    }
    assert!(env.store().join("parquet/reference/rooms").is_dir());
    let mut report = env.vcq(&["report", "run", "room-alarms"]);
    let ran = RunOutput::new(report.output().expect("the binary runs")).expect_exit(0);
    let words = format!("{}{}", ran.stdout, ran.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("vcq-etl sync --also room_alerts"), "{words}");
    RunOutput::new(env.vcq(&["verify", "--deep"]).output().expect("the binary runs")).expect_exit(0);
}
