//! Early answers, short lists and failures: requested again until they are final, also outside of a run's window.

use serde_json::Value;
use vcq_simulator::{Endpoint, Options, TenantSpec};

use crate::support::scripted_server::{END, List, Response, START, ScriptedServer, ordinary_except};
use crate::support::test_env::{RunOutput, TestEnv, recent_tenant, unlimited};

const HOUR_S: i64 = 3600;

/// A sync with a window of its own.
fn sync_since(env: &TestEnv, since: &str, more: &[&str]) -> RunOutput {
    let arguments = [&["sync", "--since", since, "--summary", "json"], more].concat();
    let mut command = env.vcq(&arguments);
    command.env("VCQ_MAX_TRIES", "2");
    RunOutput::new(command.output().expect("runs"))
}

/// The calls to the participant lists and to the quality lists since the last count.
fn calls(env: &TestEnv) -> (u64, u64) {
    let stats = env.simulator().stats();
    let calls = (stats.calls(Endpoint::ParticipantList), stats.calls(Endpoint::ParticipantQualityList));
    env.simulator().reset_stats();
    calls
}

fn verify(env: &TestEnv) {
    RunOutput::new(env.vcq(&["verify", "--deep"]).output().expect("runs")).expect_exit(0);
}

#[test]
fn hourly_syncs_lose_no_sample_and_no_participant_of_late_answers() {
    let spec = TenantSpec { people: 12, meetings_per_day: 3, ..recent_tenant() };
    let late = Options {
        ready_from_s: Some(20 * 60),
        ready_after_s: 20 * HOUR_S,
        participants_ready_after_s: 20 * HOUR_S,
        ..unlimited()
    };
    let mut env = TestEnv::with(&spec, late);
    sync_since(&env, "2d", &[]).expect_exit(0);
    // Hourly, then less often: nothing is final before the settle time of a day is over.
    for wait_s in [61 * 60; 24].into_iter().chain([6 * HOUR_S; 3]) {
        env.advance_clocks(wait_s);
        sync_since(&env, "2h", &[]).expect_exit(0);
    }
    let totals = env.simulator().tenant().totals();
    assert_eq!(env.number("select count(*) from participants") as u64, totals.participants);
    assert_eq!(env.number("select count(*) from quality_samples") as u64, totals.samples);
    assert_eq!(env.number("select count(*) from coverage where status in ('pending', 'list_short', 'failed')"), 0);
    calls(&env);
    env.advance_clocks(30 * 24 * HOUR_S);
    let summary = sync_since(&env, "40d", &[]).expect_exit(0).summary();
    assert_eq!((calls(&env), &summary["pending_outside_window"]), ((0, 0), &0.into()), "everything is final");
    verify(&env);
}

#[test]
fn a_sync_fetches_what_is_pending_from_earlier_windows_and_publishes_it() {
    let mut env = TestEnv::with(&recent_tenant(), unlimited());
    env.faults(&["participant_quality_list:internal-error@share=0.2", "participant_list:internal-error@share=0.2"]);
    let first = sync_since(&env, "3d", &[]).expect_exit(7).summary();
    assert!(first["by_status"]["failed"].as_u64() > Some(0) && first["pending_outside_window"] == 0, "{first}");
    env.faults(&[]);
    calls(&env);

    let alone = sync_since(&env, "5m", &["--window-only"]).expect_exit(0).summary();
    assert_eq!(calls(&env), (0, 0));
    let outside = alone["pending_outside_window"].as_u64().expect("a count");
    assert!(outside > 0 && alone["meetings"] == 0, "{alone}");
    let mut by_variable = env.vcq(&["plan", "--since", "5m", "--json"]);
    by_variable.env("VCQ_WINDOW_ONLY", "true");
    let plan = RunOutput::new(by_variable.output().expect("runs")).expect_exit(0).summary();
    assert_eq!(plan["pending"]["meetings"], 0);

    // Too soon outside of the window, and due once the age of the meetings has grown by half.
    env.advance_clocks(25 * HOUR_S);
    let plan = RunOutput::new(env.vcq(&["plan", "--since", "5m", "--json"]).output().expect("runs"));
    let plan = plan.expect_exit(0).summary();
    assert!(plan["pending"]["meetings"].as_u64() > Some(0), "{plan}");
    assert!(plan["used"]["participant_list"].as_u64() > Some(0), "lists that failed are requested by the plan");
    let planned = plan["pending"]["participant_quality_list"]["calls"].as_u64().expect("a count");
    calls(&env);
    let second = sync_since(&env, "5m", &[]).expect_exit(0).summary();
    let (_, quality) = calls(&env);
    assert!(quality >= planned && planned > 0, "{quality} {planned}");
    assert!(!second["dates_published"].as_array().expect("dates").is_empty(), "{second}");
    assert_eq!(second["pending_outside_window"], 0);
    assert_eq!(env.number("select count(*) from quality_samples") as u64, env.simulator().tenant().totals().samples);
    verify(&env);
}

#[test]
fn failures_outside_the_window_count_for_the_run_that_requested_them() {
    let mut env = TestEnv::with(&recent_tenant(), unlimited());
    env.faults(&["participant_quality_list:internal-error@share=0.03"]);
    sync_since(&env, "3d", &[]).expect_exit(7);
    calls(&env);
    let soon = sync_since(&env, "5m", &[]).expect_exit(0).summary();
    assert!(soon["pending_outside_window"].as_u64() > Some(0), "requested a moment ago: {soon}");
    assert_eq!(calls(&env), (0, 0));
    env.advance_clocks(20 * HOUR_S);
    let again = sync_since(&env, "5m", &[]).expect_exit(7).summary();
    assert!(calls(&env).1 > 0 && again["by_status"]["failed"] == 0, "{again}");
    // A window that holds them requests them every time.
    sync_since(&env, "4d", &[]).expect_exit(7);
    assert!(calls(&env).1 > 0);
}

#[test]
fn a_list_with_fewer_people_than_feishu_counts_is_requested_again_and_then_named() {
    let losses = "participants=4%".parse().expect("shares");
    let mut env = TestEnv::with(&recent_tenant(), Options { losses, ..unlimited() });
    let first = sync_since(&env, "3d", &[]).expect_exit(0).summary();
    let short = "select count(*) from coverage where status = 'list_short'";
    let waiting = "select count(*) from coverage where participant_key like '%/*' and status = 'pending'";
    let meetings = env.number(waiting);
    assert!(meetings > 0 && first["by_status"]["list_short"] == 0, "{first}");
    verify(&env);
    env.advance_clocks(24 * HOUR_S + 600);
    sync_since(&env, "2h", &[]).expect_exit(0);
    env.advance_clocks(24 * HOUR_S - 600);
    let named = sync_since(&env, "5d", &[]).expect_exit(0).summary();
    assert_eq!((env.number(short), env.number(waiting)), (meetings, 0));
    assert_eq!(named["by_status"]["list_short"], meetings);
    let reasons =
        env.rows("select distinct reason like 'Feishu counts % and lists %' from coverage where status = 'list_short'");
    assert_eq!(reasons, ["true"]);
    calls(&env);
    env.advance_clocks(30 * 24 * HOUR_S);
    sync_since(&env, "40d", &[]).expect_exit(0);
    assert_eq!(calls(&env), (0, 0), "final");
    verify(&env);
    // The ledger's index is the same after a rebuild, and nothing is requested again.
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0);
    sync_since(&env, "40d", &[]).expect_exit(0);
    assert_eq!((calls(&env), env.number(short)), ((0, 0), meetings));
}

#[test]
fn a_meeting_that_feishu_lists_nobody_of_has_a_row_unless_it_counts_nobody() {
    for (number, rows) in [(r#""5""#, 1), ("5", 1), ("0", 0), ("null", 0)] {
        let meeting = format!(
            r#"[{{"meeting_id":"705605196","meeting_start_time":"{START}","meeting_end_time":"{END}","number_of_participants":{number}}}]"#
        );
        let server = ScriptedServer::new(std::sync::Arc::new(move |request| match request.list {
            List::Meetings => Response::page(List::Meetings, &meeting, None),
            List::Participants => Response::body(r#"{"code":0,"data":{}}"#),
            _ => Response::token(),
        }));
        server.run(server.sync(&[])).expect_exit(0);
        assert_eq!(server.number("select count(*) from coverage where status = 'pending'"), rows, "{number}");
    }
}

#[test]
fn data_without_a_readable_time_is_unreadable_and_incomplete_once() {
    let body = r#"{"code":0,"data":{"has_more":false,"participant_quality_list":[
        {"network":{"time":"2026\u5e7411\u670824\u65e5 09:00:00","network_delay":"35ms"}}]}}"#;
    let server = ScriptedServer::new(ordinary_except(List::Quality, move |_| Response::body(body)));
    let ran = server.run(server.sync(&[])).expect_exit(7);
    let summary: Value = ran.summary();
    assert_eq!((&summary["by_status"]["unreadable"], &summary["by_status"]["empty"]), (&1.into(), &0.into()));
    assert!(ran.stderr.contains("the data of 1 participant has no readable time"), "{}", ran.stderr);
    assert_eq!(server.text("select status from coverage").as_deref(), Some("unreadable"));
    server.run(server.sync(&[])).expect_exit(0);
    assert_eq!(server.count(List::Quality), 1, "final");
    server.run(server.command(&["verify", "--deep"])).expect_exit(0);
}
