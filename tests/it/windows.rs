//! Which meetings a window takes, and the time that no window has taken.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::damage::sql;
use crate::support::scripted_server::{List, Response, ScriptedServer};
use crate::support::test_env::RunOutput;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

#[expect(clippy::disallowed_methods, reason = "the program compares times of meetings with the machine's clock")]
fn now_s() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("fits")
}

/// A meeting with an instance ID; times are Unix seconds.
fn meeting(no: &str, instance: &str, start_s: i64, end_s: i64, topic: &str) -> Value {
    json!({
        "meeting_id": no, "meeting_instance_id": instance, "meeting_topic": topic,
        "meeting_start_time": start_s.to_string(), "meeting_end_time": end_s.to_string(), "number_of_participants": 1,
    })
}

/// A tenant whose meeting list changes between runs: the meetings of each page. Every meeting has one participant, who
/// joined two days ago.
struct ChangingTenant {
    server: ScriptedServer,
    pages: Arc<Mutex<Vec<Vec<Value>>>>,
}

impl ChangingTenant {
    fn new() -> ChangingTenant {
        let pages: Arc<Mutex<Vec<Vec<Value>>>> = Arc::default();
        let listed = Arc::clone(&pages);
        let join_s = now_s() - 2 * DAY_S;
        let server = ScriptedServer::new(Arc::new(move |request| match request.list {
            List::Meetings => {
                let pages = listed.lock().expect("no panic inside");
                let at: usize = request.query.get("page_token").map_or(0, |token| token.parse().expect("a number"));
                let items = json!(pages.get(at).cloned().unwrap_or_default()).to_string();
                let next = (at + 1 < pages.len()).then(|| (at + 1).to_string());
                Response::page(List::Meetings, &items, next.as_deref())
            }
            List::Participants => {
                let item = json!([{
                    "user_id": "ou_1", "join_time": join_s.to_string(), "time_in_meeting": "00:01:00",
                }]);
                Response::page(List::Participants, &item.to_string(), None)
            }
            List::Quality => {
                let item = json!([{"network": {"time": join_s.to_string(), "network_delay": "100ms"}}]);
                Response::page(List::Quality, &item.to_string(), None)
            }
            List::Token | List::Other => Response::token(),
        }));
        ChangingTenant { server, pages }
    }

    fn list(&self, pages: &[&[Value]]) {
        *self.pages.lock().expect("no panic inside") = pages.iter().map(|page| page.to_vec()).collect();
    }

    fn sync(&self, more: &[&str]) -> RunOutput {
        self.server.run(self.server.command(&[&["sync", "--summary", "json"], more].concat()))
    }

    fn run(&self, arguments: &[&str]) -> RunOutput {
        self.server.run(self.server.command(arguments))
    }

    fn remove_ledger(&self) {
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
            let _ = std::fs::remove_file(self.server.store().join("state").join(name));
        }
    }
}

fn seconds(utc: &Value) -> i64 {
    utc.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time").as_second()
}

#[test]
fn a_window_takes_every_meeting_that_overlaps_it() {
    let tenant = ChangingTenant::new();
    let now_s = now_s();
    let long = meeting("100000001", "1", now_s - 72 * HOUR_S, now_s - HOUR_S, "71 hours, ended an hour ago");
    let under_way = meeting("100000002", "2", now_s - 50 * HOUR_S, now_s - 47 * HOUR_S, "under way two days ago");
    let before = meeting("100000003", "3", now_s - 52 * HOUR_S, now_s - 49 * HOUR_S, "ended before the window");
    tenant.list(&[&[long, under_way, before]]);
    let summary = tenant.sync(&["--since", "2d"]).expect_exit(0).summary();
    assert_eq!((&summary["meetings"], &summary["participants"]), (&json!(2), &json!(2)));
    let titles = tenant.server.text("select string_agg(meeting_topic, '; ' order by meeting_no) from meetings");
    assert_eq!(titles.as_deref(), Some("71 hours, ended an hour ago; under way two days ago"));
    let start_of_last_list = || {
        let requests = tenant.server.requests();
        let list = requests.iter().rfind(|request| request.list == List::Meetings).expect("a list");
        list.query["start_time"].parse::<i64>().expect("seconds")
    };
    let expected = now_s - 2 * DAY_S - 3 * DAY_S;
    assert!((expected - 5..expected + 120).contains(&start_of_last_list()), "three days before the window");
    tenant.sync(&["--since", "2d", "--longest-meeting", "1h"]).expect_exit(0);
    assert!((expected - 5..expected + 120).contains(&(start_of_last_list() - 71 * HOUR_S)), "an hour before it");
    tenant.run(&["verify", "--deep"]).expect_exit(0);
}

#[test]
fn a_meeting_under_way_during_a_daily_run_is_taken_by_the_next() {
    let tenant = ChangingTenant::new();
    let now_s = now_s();
    tenant.list(&[&[]]);
    let yesterday = jiff::Timestamp::from_second(now_s - DAY_S).expect("a time").to_string();
    tenant.sync(&["--since", "48h", "--until", &yesterday]).expect_exit(0);
    tenant.list(&[&[meeting("100000001", "1", now_s - 26 * HOUR_S, now_s - 22 * HOUR_S, "over two runs")]]);
    let summary = tenant.sync(&["--since", &yesterday]).expect_exit(0).summary();
    assert_eq!((&summary["meetings"], &summary["not_covered"]), (&json!(1), &json!([])));
}

#[test]
fn a_hole_is_named_everywhere_until_since_last_closes_it() {
    let tenant = ChangingTenant::new();
    let now_s = now_s();
    let day = |ago: i64| meeting("100000001", &ago.to_string(), now_s - ago * DAY_S, now_s - ago * DAY_S + 60, "t");
    tenant.list(&[&[day(1), day(11)]]);
    let first = tenant.sync(&["--since", "last", "--until", "now"]);
    assert!(first.stderr.contains("no run has completed yet, so the last 7 days"), "{}", first.stderr);
    let first = first.expect_exit(0).summary();
    assert!((seconds(&first["since_utc"]) - (now_s - 7 * DAY_S)).abs() < 120);
    // Another store of the same tenant, whose runs leave time out.
    let tenant = ChangingTenant::new();
    tenant.list(&[&[day(1), day(11)]]);
    let ago = |days: i64| jiff::Timestamp::from_second(now_s - days * DAY_S).expect("a time").to_string();
    let old = tenant.sync(&["--since", &ago(12), "--until", &ago(10)]).expect_exit(0).summary();
    assert_eq!(old["not_covered"].as_array().map(Vec::len), Some(1), "ten days without a run: {old}");
    // None of these covers its window.
    tenant.sync(&["--since", &ago(10), "--meeting-no", "100000001"]).expect_exit(0);
    tenant.run(&["plan", "--since", &ago(10), "--json"]).expect_exit(0);
    tenant.sync(&["--since", &ago(10), "--refetch", "--max-calls", "1"]).expect_exit(8);
    let summary = tenant.sync(&["--since", &ago(2)]).expect_exit(0).summary();
    let hole = json!([{"since_utc": ago(10), "until_utc": ago(2)}]);
    assert_eq!(summary["not_covered"], hole);
    let status = tenant.run(&["status", "--json", "--days", "11"]).expect_exit(0).summary();
    assert_eq!(status["not_covered"], hole);
    let days = status["coverage"]["days"].as_array().expect("days").clone();
    let without: Vec<&Value> = days.iter().filter(|day| day["meetings"] == 0 && day["not_covered"] == true).collect();
    assert!((7..=9).contains(&without.len()), "{days:?}");
    let text = tenant.run(&["status"]).expect_exit(0).stdout;
    assert!(text.contains("Not covered") && text.contains("not covered"), "{text}");
    let text = tenant.run(&["sync", "--since", &ago(2)]).expect_exit(0).stdout;
    assert!(text.contains("not covered by any complete run"), "{text}");
    let count = "select count(*) from report_coverage() where status = 'not_covered' and rows = 0";
    assert!((8..=10).contains(&tenant.server.number(count)));
    assert_eq!(tenant.server.number("select count(*) from not_covered"), 1);
    let page = tenant.server.sandbox.path().join("work/given");
    std::fs::create_dir(&page).expect("made");
    let path = page.join("page.html");
    let date = ago(6);
    let made = tenant.run(&["report", "html", "--date", &date[..10], "--out", path.to_str().expect("text")]);
    made.expect_exit(0);
    let html = std::fs::read_to_string(path).expect("a page");
    assert!(html.contains("No complete run covers"), "a day never fetched is no quiet day");
    // It survives the loss of the ledger, by a rebuild or by the next run.
    for lost in ["rebuild", "sync"] {
        tenant.remove_ledger();
        let again = match lost {
            "rebuild" => tenant.run(&["rebuild", "--summary", "json"]),
            _ => tenant.sync(&["--since", &ago(2)]),
        };
        assert_eq!(again.expect_exit(0).summary()["not_covered"], hole, "after {lost}");
        tenant.run(&["verify"]).expect_exit(0);
    }
    let planned = tenant.run(&["plan", "--since", "last", "--json"]).expect_exit(0).summary();
    assert_eq!(planned["since_utc"], json!(ago(10)));
    let closed = tenant.sync(&["--since", "last"]).expect_exit(0).summary();
    assert_eq!((&closed["since_utc"], &closed["not_covered"]), (&json!(ago(10)), &json!([])));
    let next = tenant.sync(&["--since", "last"]).expect_exit(0).summary();
    assert!((seconds(&next["since_utc"]) - (now_s - 2 * DAY_S)).abs() < 120, "the settle time and a day: {next}");
}

#[test]
fn a_meeting_whose_start_or_row_changes_is_one_meeting() {
    let tenant = ChangingTenant::new();
    let start_s = now_s() - 2 * DAY_S;
    let at = |start_s: i64, topic: &str| meeting("100000001", "7", start_s, start_s + 600, topic);
    let rows = "select string_agg(meeting_key || ' ' || epoch(start_time_utc)::bigint || ' ' || meeting_topic, '; ')
                from meetings";
    let key = format!("100000001-{start_s}");
    // On two pages of one walk, then in a later run, then unchanged.
    tenant.list(&[&[at(start_s, "first")], &[at(start_s + 1, "second")]]);
    tenant.sync(&["--since", "7d"]).expect_exit(0);
    assert_eq!(tenant.server.text(rows), Some(format!("{key} {} second", start_s + 1)));
    tenant.list(&[&[at(start_s - 1, "third")]]);
    for _ in 0..2 {
        tenant.sync(&["--since", "7d"]).expect_exit(0);
        assert_eq!(tenant.server.text(rows), Some(format!("{key} {} third", start_s - 1)));
    }
    let participants = "select string_agg(participant_key) from participants";
    let participant = tenant.server.text(participants).expect("one");
    assert!(participant.starts_with(&format!("{key}/ou_1/")) && !participant.contains(','), "{participant}");
    assert_eq!(tenant.server.count(List::Quality), 1, "nothing final is requested again under another key");
    tenant.run(&["verify", "--deep"]).expect_exit(0);
    // The raw log alone says the same.
    tenant.remove_ledger();
    tenant.run(&["rebuild"]).expect_exit(0);
    assert_eq!(tenant.server.text(rows), Some(format!("{key} {} third", start_s - 1)));
    tenant.sync(&["--since", "7d"]).expect_exit(0);
    assert_eq!(tenant.server.count(List::Quality), 1);
    tenant.run(&["verify", "--deep"]).expect_exit(0);
}

#[test]
fn a_start_that_moves_over_midnight_does_not_make_a_second_meeting() {
    let tenant = ChangingTenant::new();
    // Midnight in the tenant's zone, three to four days ago.
    let midnight_s = (now_s() + 8 * HOUR_S).div_euclid(DAY_S) * DAY_S - 8 * HOUR_S - 3 * DAY_S;
    let other = meeting("100000002", "8", midnight_s + 60, midnight_s + 120, "another on the next date");
    let at = |start_s: i64| meeting("100000001", "7", start_s, midnight_s + 600, "t");
    tenant.list(&[&[at(midnight_s - 1)], &[at(midnight_s), other.clone()]]);
    tenant.sync(&["--since", "7d"]).expect_exit(0);
    tenant.list(&[&[at(midnight_s), other]]);
    tenant.sync(&["--since", "7d"]).expect_exit(0);
    let of_dates = "select string_agg(meeting_no || ' ' || meeting_date || ' ' || start_time_local, '; ' order by 1)
                    from meetings";
    let found = tenant.server.text(of_dates).expect("meetings");
    assert_eq!(found.matches("100000001").count(), 1, "{found}");
    assert!(found.contains(" 23:59:59"), "{found}");
    tenant.run(&["verify", "--deep"]).expect_exit(0);
    tenant.remove_ledger();
    tenant.run(&["rebuild"]).expect_exit(0);
    assert_eq!(tenant.server.text(of_dates), Some(found));
}

#[test]
fn a_store_with_a_run_that_ended_before_it_began_is_repaired_by_a_rebuild_or_a_sync() {
    for repair in [&["rebuild"][..], &["sync", "--since", "2d"]] {
        let tenant = ChangingTenant::new();
        tenant.list(&[&[]]);
        tenant.sync(&["--since", "2d"]).expect_exit(0);
        // As version 0.1 left it after the clock was set back during a run.
        let ledger = rusqlite::Connection::open(tenant.server.store().join("state/ledger.sqlite")).expect("the ledger");
        ledger.execute("update runs set finished_us = started_us - 3600000000", []).expect("changed");
        drop(ledger);
        sql(&tenant.server.store(), "update runs set finished_utc = started_utc - interval 1 hour");
        tenant.run(&["verify"]).expect_exit(9);
        tenant.run(repair).expect_exit(0);
        tenant.run(&["verify"]).expect_exit(0);
        assert_eq!(tenant.server.number("select count(*) from runs where finished_utc < started_utc"), 0);
    }
}

#[test]
fn a_failed_run_has_a_json_summary_with_its_error() {
    let refused = ScriptedServer::new(Arc::new(|request| match request.list {
        List::Token => Response::refusal(400, 10_014, "app secret invalid"),
        _ => Response::token(),
    }));
    let fails = |arguments: &[&str], environment: &[(&str, &str)], code: i32| {
        let mut command = refused.command(arguments);
        command.envs(environment.iter().copied());
        let summary = refused.run(command).expect_exit(code).summary();
        assert_eq!(summary["exit_code"], code, "{summary}");
        assert!(summary["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{summary}");
        assert!(summary["error"]["hint"].as_str().is_some_and(|text| !text.is_empty()), "{summary}");
        assert_eq!(summary["by_status"]["complete"], 0);
        summary
    };
    let sync = ["sync", "--since", "2d", "--summary", "json"];
    let summary = fails(&sync, &[], 3);
    assert_eq!(summary["outcome"], "credentials");
    assert!(summary["since_utc"].is_string() && summary["run_id"].is_string());
    assert!(fails(&sync, &[("VCQ_APP_SECRET", "")], 2)["run_id"].is_null(), "no credentials");
    assert!(fails(&["sync", "--since", "soon", "--summary", "json"], &[], 2)["since_utc"].is_null());
    assert!(fails(&sync, &[("VCQ_CONCURRENCY", "many")], 2)["since_utc"].is_null(), "an invalid setting");
    let text = refused.run(refused.command(&["sync", "--since", "2d"])).expect_exit(3);
    assert!(!text.stdout.contains("\"error\""), "text is for people: {}", text.stdout);
}
