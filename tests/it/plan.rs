//! `plan`: its estimate is what a sync then requests, and the answers it gets are kept.

use std::time::Duration;

use serde_json::Value;
use vcq_simulator::{Endpoint, TenantSpec};

use crate::support::test_env::{RunOutput, TestEnv, rows, small_tenant, unlimited};

/// A tenant without unusual meetings: its plan is exact.
fn env_without_special_cases() -> TestEnv {
    TestEnv::with(&TenantSpec { unusual_meetings: false, ..small_tenant() }, unlimited())
}

fn calls(plan: &Value, list: &str) -> u64 {
    plan["pending"][list]["calls"].as_u64().expect("a count")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_sync_makes_the_planned_calls_and_requests_no_list_twice() {
    let env = env_without_special_cases();
    let fewest = env.simulator().tenant().totals().fewest_calls;
    let plan = env.plan(&[]).expect_exit(0).summary();
    let stats = env.simulator().stats();
    assert_eq!(stats.calls(Endpoint::MeetingList), fewest.meeting_list);
    assert_eq!(stats.calls(Endpoint::ParticipantList), fewest.participant_list);
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), 0, "a plan requests only lists");
    assert_eq!(plan["used"]["participant_list"], fewest.participant_list);
    assert_eq!(plan["meetings"], env.simulator().tenant().totals().meetings);
    assert_eq!(plan["pending"]["total"]["is_estimate"], false, "{plan}");
    assert!(!env.store().join("vcq.duckdb").exists(), "a plan publishes nothing");

    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    let stats = env.simulator().stats();
    for (list, name) in [
        (Endpoint::MeetingList, "meeting_list"),
        (Endpoint::ParticipantList, "participant_list"),
        (Endpoint::ParticipantQualityList, "participant_quality_list"),
    ] {
        assert_eq!(stats.calls(list), calls(&plan, name), "{name}");
    }
    assert_eq!(stats.calls(Endpoint::ParticipantList), 0);
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), fewest.participant_quality_list);
    assert_eq!(summary["dates_published"], plan["dates"]);
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert_eq!(
        env.rows("select command, outcome, exit_code, calls_participant_list > 0 from runs order by started_utc"),
        ["plan | complete | 0 | true", "sync | complete | 0 | false"]
    );
}

#[test]
fn unusual_meetings_cost_what_the_plan_says_plus_refusals() {
    let env = TestEnv::new();
    let plan = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(plan["pending"]["total"]["is_estimate"], true, "a meeting of more than a day is refused once");
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    let stats = env.simulator().stats();
    assert_eq!(stats.calls(Endpoint::ParticipantList), 0);
    let refused = stats.answered(Endpoint::ParticipantQualityList, 126_006);
    let answered = stats.calls(Endpoint::ParticipantQualityList) - refused;
    assert_eq!(answered + 1, calls(&plan, "participant_quality_list"));
}

#[test]
fn a_stable_window_costs_only_its_meeting_list() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let files = env.manifest();
    let plan = env.plan(&[]).expect_exit(0).summary();
    assert_eq!((calls(&plan, "participant_list"), calls(&plan, "participant_quality_list")), (0, 0));
    assert_eq!((&plan["pending"]["meetings"], &plan["dates"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(plan["used"]["participant_list"], 0);
    assert_eq!(env.manifest(), files);
}

#[test]
fn planning_a_refetch_keeps_every_answer_final() {
    let env = env_without_special_cases();
    let first = env.sync(&[]).expect_exit(0).summary();
    let plan = env.plan(&["--refetch"]).expect_exit(0).summary();
    assert_eq!(plan["refetch"], true);
    for list in ["participant_list", "participant_quality_list"] {
        assert_eq!(plan["pending"][list]["calls"], first["calls"][list], "{list}");
    }
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    assert_eq!(env.calls(), first["calls"]["meeting_list"].as_u64().expect("a count"), "everything is still final");
}

#[test]
fn limits_are_evaluated_but_do_not_limit_the_plan() {
    let env = env_without_special_cases();
    let plan = env.plan(&["--max-calls", "1"]).expect_exit(0).summary();
    let total = plan["pending"]["total"]["calls"].as_u64().expect("a count");
    assert!(plan["used"]["participant_list"].as_u64() > Some(1));
    assert_eq!((&plan["reach"]["is_whole"], &plan["reach"]["meetings"]), (&false.into(), &0.into()));
    assert_eq!(plan["reach"]["back_to"], Value::Null);

    let half = env.plan(&["--max-calls", &(total * 3 / 4).to_string()]).expect_exit(0).summary();
    assert_eq!(half["reach"]["back_to"], half["dates"][1], "the newer of two days is whole: {half}");
    let whole = env.plan(&["--max-calls", &total.to_string()]).expect_exit(0).summary();
    assert_eq!((&whole["reach"]["is_whole"], &whole["reach"]["calls"]), (&true.into(), &total.into()));

    // One call too few stops the sync; the exact number completes it.
    env.sync(&["--max-calls", &(total - 1).to_string()]).expect_exit(8);
    let rest = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(calls(&rest, "participant_quality_list"), 1);
    let rest = rest["pending"]["total"]["calls"].to_string();
    env.sync(&["--max-calls", &rest]).expect_exit(0);
}

#[test]
fn a_sync_that_stops_early_reports_the_remaining_work() {
    let env = env_without_special_cases();
    let mut arguments: Vec<String> =
        env.sync_command(&["--max-calls", "60"]).get_args().map(|text| text.to_string_lossy().into_owned()).collect();
    arguments.retain(|argument| argument != "--summary" && argument != "json");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = RunOutput::new(env.vcq(&arguments).output().expect("runs")).expect_exit(8);
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    let left = words.join(" ").split(" Remaining ").nth(1).expect("what is left").to_owned();
    let plan = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(plan["used"]["participant_list"], 0, "the limit was enough for the lists");
    let pending = &plan["pending"];
    let expected = format!(
        "{} participants of {} meetings, {} calls, ",
        pending["participants"], pending["meetings"], pending["total"]["calls"]
    );
    assert!(left.starts_with(&expected), "{left}\n{pending}");
    // The next run requests exactly what was left.
    let summary = env.sync(&[]).expect_exit(0).summary();
    let requested: u64 = summary["calls"].as_object().expect("calls").values().filter_map(Value::as_u64).sum();
    assert_eq!(pending["total"]["calls"], requested);
}

#[test]
fn failed_lists_give_an_estimate_and_exit_7() {
    let env = TestEnv::new();
    env.faults(&["participant_list:html@share=0.2"]);
    let mut arguments = env.sync_command(&[]);
    let arguments: Vec<String> = arguments
        .env("VCQ_MAX_TRIES", "2")
        .get_args()
        .map(|text| text.to_string_lossy().replace("sync", "plan"))
        .collect();
    // The arguments of `sync_command` with the command replaced.
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = env.vcq(&arguments);
    command.env("VCQ_MAX_TRIES", "2");
    let plan = RunOutput::new(command.output().expect("runs")).expect_exit(7).summary();
    assert_eq!((&plan["is_whole"], &plan["outcome"]), (&false.into(), &"incomplete".into()));
    assert!(plan["pending"]["unlisted"].as_u64() > Some(0), "{plan}");
    assert_eq!(plan["pending"]["participant_list"]["is_estimate"], true);
    assert_eq!(plan["pending"]["participant_quality_list"]["is_estimate"], true);
    env.faults(&[]);
    let plan = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(plan["pending"]["unlisted"], 0, "only failed lists are requested again");
    assert!(plan["used"]["participant_list"].as_u64() < Some(10), "{plan}");
}

#[test]
fn without_access_a_plan_ends_3_and_prints_what_is_known() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "40"]).expect_exit(8);
    let mut command = env.vcq(&["plan", "--since", "2026-11-01", "--json"]);
    command.env("VCQ_APP_SECRET", "another-secret");
    let ran = RunOutput::new(command.output().expect("runs")).expect_exit(3);
    assert_eq!((&ran.summary()["is_whole"], &ran.summary()["outcome"]), (&false.into(), &"credentials".into()));
    assert!(calls(&ran.summary(), "participant_quality_list") > 0, "what the ledger knows is estimated");
    assert!(ran.stderr.contains("error: ") && !ran.stderr.contains("another-secret"), "{}", ran.stderr);
    let mut command = env.vcq(&["plan", "--since", "2d"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    RunOutput::new(command.output().expect("runs")).expect_exit(2);

    env.faults(&["meeting_list:quota"]);
    let plan = env.plan(&[]).expect_exit(8).summary();
    assert_eq!(plan["is_whole"], false);
}

#[test]
fn a_plan_and_a_sync_can_run_at_the_same_time() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let env = TestEnv::new();
    let mut command = env.sync_command(&[]);
    command.env("VCQ_CALLS_PER_MINUTE", "1800");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("starts");
    while env.simulator().stats().calls(Endpoint::ParticipantQualityList) < 5 {
        std::thread::sleep(Duration::from_millis(10));
    }
    for _ in 0..3 {
        let plan = env.plan(&[]).expect_exit(0).summary();
        assert_eq!(plan["is_whole"], true);
        let status = env.status(&[]).expect_exit(0).summary();
        assert_eq!(status["holder"]["pid"], child.id(), "{status}");
        assert_eq!(status["holder"]["command"], "sync");
    }
    let ran = RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(0);
    assert_eq!(ran.summary()["samples"], env.simulator().tenant().totals().samples);
    // A list that both requested has two answers, the later of which counts; everything else is as without the plan.
    env.sync(&[]).expect_exit(0);
    for table in ["meetings", "participants", "quality_samples"] {
        let sql = format!("select * from {table} order by all");
        assert_eq!(env.rows(&sql), rows(&undisturbed.duckdb(), &sql), "{table}");
    }
    assert_eq!(env.number("select count(*) from runs where command = 'plan'"), 3);
    assert_eq!(env.status(&[]).expect_exit(0).summary()["pending"]["unpublished_dates"], serde_json::json!([]));
}

#[test]
#[cfg(unix)]
fn an_interrupted_plan_prints_and_keeps_what_it_has() {
    let env = TestEnv::new();
    let arguments = ["plan", "--since", "2026-11-01", "--until", "2026-11-05", "--json"];
    let mut command = env.vcq(&arguments);
    command.env("VCQ_CALLS_PER_MINUTE", "600");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("starts");
    while env.simulator().stats().calls(Endpoint::ParticipantList) < 4 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let kill = std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let plan = RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(130).summary();
    assert_eq!((&plan["is_whole"], &plan["outcome"]), (&false.into(), &"interrupted".into()));
    assert!(plan["pending"]["unlisted"].as_u64() > Some(0));
    let requested = plan["used"]["participant_list"].as_u64().expect("a count");
    let rest = RunOutput::new(env.vcq(&arguments).output().expect("runs")).expect_exit(0).summary();
    let fewest = env.simulator().tenant().totals().fewest_calls.participant_list;
    // One more for the meeting over a day, whose window is refused once.
    assert_eq!(requested + rest["used"]["participant_list"].as_u64().expect("a count"), fewest + 1);
}

#[test]
fn the_json_has_the_documented_keys() {
    let env = TestEnv::new();
    let plan = env.plan(&["--finish-by", "06:30"]).expect_exit(0).summary();
    assert_eq!(
        keys(&plan),
        [
            "run_id",
            "outcome",
            "exit_code",
            "is_whole",
            "since_utc",
            "until_utc",
            "refetch",
            "meetings",
            "participants",
            "pending",
            "finish_utc",
            "finish_local",
            "dates",
            "reach",
            "used",
            "elapsed_s",
            "store",
        ]
    );
    assert_eq!(
        keys(&plan["pending"]),
        [
            "meetings",
            "lists",
            "unlisted",
            "participants",
            "meeting_list",
            "participant_list",
            "participant_quality_list",
            "total",
            "calls_per_minute",
            "later",
        ]
    );
    assert_eq!(keys(&plan["pending"]["total"]), ["calls", "is_estimate", "seconds"]);
    assert_eq!(plan["reach"]["is_whole"], true, "100,000 calls a minute");
    assert!(plan["finish_local"].as_str().expect("a time").ends_with("+08:00"));
}
