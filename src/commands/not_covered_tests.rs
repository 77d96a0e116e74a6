//! The view `not_covered` and the run history give the same holes.

use duckdb::Connection;
use proptest::prelude::*;

use crate::ledger::{RunRecord, holes};

const HOUR_US: i64 = 3_600_000_000;

/// Runs, and the time of publication, hours.
fn history() -> impl Strategy<Value = (Vec<RunRecord>, i64)> {
    let run =
        (0_i64..400, 1_i64..80, -20_i64..20, 0_usize..6, 0_u8..8).prop_map(|(since, length, late, exit, kind)| {
            let until = since + length;
            RunRecord {
                run_id: format!("r{since}-{length}-{late}-{exit}-{kind}"),
                command: ["plan", "sync", "prune"].get(usize::from(kind)).unwrap_or(&"sync").to_string(),
                since_us: Some(since * HOUR_US),
                until_us: Some(until * HOUR_US),
                started_us: (until + late) * HOUR_US,
                exit_code: [Some(0), Some(0), Some(0), Some(7), Some(8), None][exit],
                meeting_nos: (kind == 1).then(|| "705605196".to_owned()),
                ..RunRecord::default()
            }
        });
    (proptest::collection::vec(run, 0..10), 0_i64..600)
}

fn view(connection: &Connection, runs: &[RunRecord], at: i64) -> Vec<(i64, i64)> {
    connection.execute_batch("delete from runs; delete from meta").expect("emptied");
    let time = |us: Option<i64>| us.map_or("null".to_owned(), |us| format!("make_timestamp({us})"));
    for run in runs {
        let numbers = run.meeting_nos.as_ref().map_or("null".to_owned(), |numbers| format!("'{numbers}'"));
        let exit = run.exit_code.map_or("null".to_owned(), |code| code.to_string());
        let sql = format!(
            "insert into runs (run_id, command, since_utc, until_utc, started_utc, exit_code, meeting_nos)
             values ('{}', '{}', {}, {}, {}, {exit}, {numbers})",
            run.run_id,
            run.command,
            time(run.since_us),
            time(run.until_us),
            time(Some(run.started_us)),
        );
        connection.execute_batch(&sql).expect("a run");
    }
    let sql = format!("insert into meta (created_utc, timezone) values ({}, '-05:30')", time(Some(at * HOUR_US)));
    connection.execute_batch(&sql).expect("meta");
    let sql = "select epoch_us(since_utc), epoch_us(until_utc) from not_covered
               where since_local = since_utc - interval 330 minute order by 1";
    let mut select = connection.prepare(sql).expect("the view");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn the_published_view_names_the_holes_of_the_run_history() {
    let connection = crate::report::fixture::without_definitions();
    connection.execute_batch(include_str!("../../sql/views/070_not_covered.sql")).expect("the views");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let run = runner.run(&history(), |(runs, at)| {
        let expected: Vec<(i64, i64)> =
            holes(&runs, at * HOUR_US).iter().map(|hole| (hole.since_us, hole.until_us)).collect();
        prop_assert_eq!(view(&connection, &runs, at), expected);
        Ok(())
    });
    run.expect("equal");
}
