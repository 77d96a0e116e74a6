//! `sync --events`: meetings that are known from events instead of from the meeting list.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use vcq_simulator::{Endpoint, TenantSpec};

use crate::api_faults::{assert_same_content, content_rows};
use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

const EVENT: &str = "vc.meeting.all_meeting_ended_v1";

fn ordinary() -> TestEnv {
    TestEnv::with(&TenantSpec { unusual_meetings: false, ..small_tenant() }, unlimited())
}

fn event(event_id: &str, meeting: &Value) -> String {
    let header = json!({"event_id": event_id, "event_type": EVENT, "create_time": "0"});
    json!({"schema": "2.0", "header": header, "event": {"meeting": meeting, "operator": {}}}).to_string()
}

/// The events of all meetings that a store holds.
fn events(env: &TestEnv) -> Vec<String> {
    let sql = "select meeting_instance_id || '|' || meeting_no || '|' || epoch_us(start_time_utc) // 1000000
               || '|' || epoch_us(end_time_utc) // 1000000 from meetings order by all";
    let rows = env.rows(sql);
    rows.iter()
        .map(|row| {
            let cells: Vec<&str> = row.split('|').collect();
            let meeting = json!({"id": cells[0], "topic": "t", "meeting_no": cells[1],
                                 "start_time": cells[2], "end_time": cells[3]});
            event(cells[0], &meeting)
        })
        .collect()
}

/// A sync with a file of events and without a window.
fn sync_events(env: &TestEnv, lines: &[String], more: &[&str]) -> RunOutput {
    fs::write(env.home().join("events.ndjson"), lines.join("\n")).expect("written");
    let arguments = [&["sync", "--events", "events.ndjson", "--summary", "json"], more].concat();
    RunOutput::new(env.vcq(&arguments).output().expect("the binary runs"))
}

#[test]
fn meetings_of_events_are_fetched_without_the_list_and_the_list_replaces_their_rows() {
    let undisturbed = ordinary();
    undisturbed.sync(&[]).expect_exit(0);
    let (expected, lines) = (content_rows(&undisturbed), events(&undisturbed));

    let env = ordinary();
    let summary = sync_events(&env, &lines, &[]).expect_exit(0).summary();
    assert_eq!(summary["events"]["new"], lines.len(), "{summary}");
    assert_eq!(env.simulator().stats().calls(Endpoint::MeetingList), 0);
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert_eq!(env.number("select count(*) from meetings where organizer is not null"), 0);
    let fetched = env.calls();
    for is_lost in [false, true] {
        if is_lost {
            fs::remove_dir_all(env.store().join("state")).expect("removed");
            RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0);
        }
        RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(0);
        let summary = sync_events(&env, &lines, &[]).expect_exit(0).summary();
        assert_eq!((&summary["events"]["new"], &summary["events"]["known"]), (&0.into(), &lines.len().into()));
        assert_eq!(env.calls(), fetched, "nothing is fetched again");
    }

    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary.get("events_not_listed"), None, "{summary}");
    assert_eq!(summary["calls"]["participant_quality_list"], 0, "the data is there already");
    assert_same_content(&env, &expected, "after the list");
    // Events that arrive after the list change nothing.
    sync_events(&env, &lines, &[]).expect_exit(0);
    assert_same_content(&env, &expected, "events again");
    RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(0);
}

#[test]
fn an_event_whose_meeting_no_list_returns_is_named() {
    let env = ordinary();
    let start = env.simulator().tenant().spec().start() + 3_600;
    let meeting = json!({"id": "7000000000000000001", "topic": "t", "meeting_no": "987654321",
                         "start_time": start.to_string(), "end_time": (start + 600).to_string()});
    let lines = [event("e1", &meeting)];
    let summary = env.sync(&["--events", "missing.ndjson"]).expect_exit(2);
    assert!(summary.stderr.contains("missing.ndjson"), "{}", summary.stderr);
    fs::write(env.home().join("events.ndjson"), lines.join("\n")).expect("written");
    let summary = env.sync(&["--events", "events.ndjson"]).expect_exit(0).summary();
    assert_eq!(summary["events_not_listed"], json!([format!("987654321-{start}")]), "{summary}");
    // A later run without the events names it too.
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["events_not_listed"], json!([format!("987654321-{start}")]));
    assert_eq!(env.number("select count(*) from coverage where meeting_key like '987654321-%'"), 1);
}

#[test]
fn bad_lines_are_named_with_their_numbers_and_the_rest_goes_on() {
    let undisturbed = ordinary();
    undisturbed.sync(&[]).expect_exit(0);
    let good = events(&undisturbed);
    let env = ordinary();
    let started = good[0].replace("all_meeting_ended", "all_meeting_started");
    let text = ["{".to_owned(), good[0].clone(), started, good[0].clone(), r#"{"meeting":{}}"#.to_owned()].join("\n");
    let mut command = env.vcq(&["sync", "--events", "-", "--summary", "json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    let output = RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(7);
    let summary = output.summary();
    let events = &summary["events"];
    assert_eq!((&events["new"], &events["duplicates"], &events["skipped"]), (&1.into(), &1.into(), &1.into()));
    let lines: Vec<u64> =
        events["bad_lines"].as_array().expect("lines").iter().filter_map(|bad| bad["line"].as_u64()).collect();
    assert_eq!(lines, [1, 5], "{summary}");
    assert!(summary["samples"].as_u64() > Some(0));
    assert!(output.stderr.contains("fetching 1 meeting of events"), "{}", output.stderr);
    assert!(output.stderr.contains("1 meeting, 1 to fetch"), "{}", output.stderr);
    fs::write(env.home().join("bad.ndjson"), &text).expect("written");
    let output = RunOutput::new(env.vcq(&["sync", "--events", "bad.ndjson"]).output().expect("runs")).expect_exit(7);
    let next = "Next: Correct lines 1, 5 of the events file and run it again.\n";
    assert!(output.stdout.ends_with(next), "{}", output.stdout);
    assert!(output.stdout.contains("finished, but some lines of the events file"), "{}", output.stdout);
}
