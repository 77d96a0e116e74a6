//! Incomplete runs: each gap has a status and an exit code, and the next run continues from there.

use std::sync::Arc;
use std::time::Duration;

use vcq_simulator::Endpoint;

use crate::support::scripted_server::{List, ReceivedRequest, Response, ScriptedServer, meeting, ordinary_except};
use crate::support::test_env::{RunOutput, TestEnv};

#[test]
fn the_next_run_requests_only_what_failed() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:internal-error@share=0.1"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "2");
    let ran = RunOutput::new(command.output().expect("runs")).expect_exit(7);
    let summary = ran.summary();
    let failed = summary["by_status"]["failed"].as_i64().expect("a count");
    assert!(failed > 0);
    assert_eq!(summary["outcome"], "incomplete");
    let rows = env.rows("select reason, api_code, log_id is not null from coverage where status = 'failed'");
    assert_eq!(rows.len() as i64, failed);
    assert!(rows.iter().all(|row| row.contains("121001") && row.ends_with("true")), "{rows:?}");
    assert_eq!(env.rows("select outcome, exit_code from runs"), ["incomplete | 7"]);

    env.faults(&[]);
    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["by_status"]["failed"], 0);
    let requested = env.simulator().stats().quality_calls().len() as i64;
    assert!(requested <= failed && requested > 0, "{requested} requested, {failed} failed");
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert_eq!(env.number("select max(attempts) from coverage"), 2);
}

#[test]
fn a_failed_participant_list_has_one_coverage_row_for_the_meeting() {
    let env = TestEnv::new();
    env.faults(&["participant_list:html@share=0.2"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "2");
    RunOutput::new(command.output().expect("runs")).expect_exit(7);
    assert!(env.number("select count(*) from coverage where participant_key like '%/*' and status = 'failed'") > 0);
    // Every meeting has participants, or one row in place of them.
    let silent = "select count(*) from meetings m
                  where not exists (select 1 from coverage c where c.meeting_key = m.meeting_key)";
    assert_eq!(env.number(silent), 0);
    env.faults(&[]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(env.number("select count(*) from coverage where participant_key like '%/*'"), 0);
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn max_calls_stops_the_run_and_the_next_one_continues() {
    let env = TestEnv::new();
    let ran = env.sync(&["--max-calls", "40"]).expect_exit(8);
    assert_eq!(env.calls(), 40, "no more calls than allowed");
    assert!(ran.stderr.contains("--max-calls 40 is reached"), "{}", ran.stderr);
    let answered = env.number("select count(*) from coverage where status = 'complete'");
    assert!(answered > 0, "what was answered is published");
    assert!(env.number("select count(*) from coverage where status = 'pending'") > 0);
    let known: Vec<_> = env.simulator().stats().quality_calls().into_keys().collect();
    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    let again = env.simulator().stats().quality_calls();
    let repeated = known.iter().filter(|unit| again.contains_key(*unit)).count();
    assert!(repeated <= 8, "{repeated} participants were requested twice");
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn a_plain_sync_continues_a_stopped_refetch() {
    let env = TestEnv::new();
    let whole = env.sync(&[]).expect_exit(0).summary();
    env.sync(&["--refetch", "--max-calls", "40"]).expect_exit(8);
    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    let requested = env.simulator().stats().calls(Endpoint::ParticipantQualityList);
    assert!(
        requested > 0 && requested < whole["calls"]["participant_quality_list"].as_u64().expect("a count"),
        "{requested}"
    );
    assert_eq!(summary["samples"], whole["samples"]);
    let untouched = "select count(*) from coverage where attempts = 1 and status in ('complete', 'empty')";
    assert_eq!(env.number(untouched), 0, "every participant was requested again");
}

#[test]
fn the_newest_meetings_come_first() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "30"]).expect_exit(8);
    let newest = env.rows("select distinct meeting_date from coverage where attempts > 0 order by meeting_date desc");
    let all = env.rows("select max(meeting_date) from meetings");
    assert_eq!(newest.first(), all.first());
    assert_eq!(newest.len(), 1, "the older day waits");
}

#[test]
fn a_forbidden_participant_is_skipped_and_if_all_are_forbidden_the_run_stops() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:no-permission@share=0.05"]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert!(summary["by_status"]["forbidden"].as_u64() > Some(0));

    let env = TestEnv::new();
    env.faults(&["participant_quality_list:no-permission"]);
    let ran = env.sync(&[]).expect_exit(3);
    assert!(ran.stderr.contains("Meeting Management"), "{}", ran.stderr);
    assert_eq!(env.number("select count(*) from coverage where status = 'forbidden'"), 0, "nothing is final");
    env.faults(&[]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn participants_without_any_id_mean_a_missing_scope() {
    let env = TestEnv::new();
    env.change(|options| options.style.empty_ids = true);
    let ran = env.sync(&[]).expect_exit(3);
    assert!(ran.stderr.contains("contact:user.employee_id:readonly"), "{}", ran.stderr);
    env.change(|options| options.style.empty_ids = false);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["participants"], env.simulator().tenant().totals().participants);
}

/// A webinar's audience is a second list. A run that ends between the two has not judged the first: the participants
/// may all lack an ID.
#[test]
fn an_interrupted_list_of_a_webinar_is_no_list() {
    let webinar = meeting().replacen('{', r#"{"number_of_webinar_viewers":"7","#, 1);
    let scenario = move |request: &ReceivedRequest| match request.list {
        List::Meetings => Response::page(List::Meetings, &format!("[{webinar}]"), None),
        List::Participants if request.nth == 1 => Response::refusal(429, 99_991_403, "quota"),
        _ => ordinary_except(List::Other, |_| Response::token())(request),
    };
    let server = ScriptedServer::new(Arc::new(scenario));
    server.run(server.sync(&[])).expect_exit(8);
    assert_eq!(server.count(List::Participants), 2, "the panel and the audience");
    assert_eq!(server.number("select count(*) from participants"), 0);
    server.run(server.sync(&[])).expect_exit(0);
    assert_eq!((server.count(List::Participants), server.count(List::Quality)), (4, 1));
}

#[test]
fn endless_and_circular_lists_are_stopped() {
    for fault in ["participant_quality_list:endless@share=0.1", "participant_quality_list:repeat-token@share=0.3"] {
        let env = TestEnv::new();
        env.faults(&[fault]);
        let ran = env.sync(&[]);
        assert!(matches!(ran.code, Some(0 | 7)), "{fault}: {:?}\n{}", ran.code, ran.stderr);
        assert_eq!(ran.code == Some(7), env.number("select count(*) from coverage where status = 'failed'") > 0);
    }
    let env = TestEnv::new();
    env.faults(&["meeting_list:endless"]);
    env.sync(&[]).expect_exit(4);
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_keeps_its_answers_and_the_next_one_continues() {
    for (signal, code, outcome) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let env = TestEnv::new();
        let mut command = env.sync_command(&[]);
        // About 20 calls a second: the whole sync takes much longer than the wait below.
        command.env("VCQ_CALLS_PER_MINUTE", "1200");
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let child = command.spawn().expect("starts");
        while env.simulator().stats().calls(Endpoint::ParticipantQualityList) < 10 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let kill = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        let ran = RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(code);
        assert_eq!(ran.summary()["exit_code"], code);
        assert_eq!(ran.summary()["outcome"], outcome);
        assert!(ran.stderr.contains(&format!("error: {outcome}\n")), "{}", ran.stderr);
        assert!(env.number("select count(*) from coverage where status = 'complete'") > 0);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    }
}

#[test]
fn remaining_work_is_reported_once_in_every_summary_format() {
    for (more, in_stdout) in
        [(&["--summary", "text"][..], true), (&["--summary", "json"], false), (&["--quiet"], false)]
    {
        let env = TestEnv::new();
        let mut command = env.vcq(&["sync", "--max-calls", "40"]);
        let ran = RunOutput::new(command.args(env.window()).args(more).output().expect("runs")).expect_exit(8);
        assert_eq!(ran.stdout.contains("Remaining  "), in_stdout, "{}", ran.stdout);
        assert_eq!(ran.stderr.contains("hint: remaining: "), !in_stdout, "{}", ran.stderr);
    }
}

#[test]
fn a_used_up_monthly_quota_does_not_promise_the_next_run() {
    let env = TestEnv::new();
    env.faults(&["quota@after=40"]);
    let ran = RunOutput::new(env.vcq(&["sync"]).args(env.window()).output().expect("runs")).expect_exit(8);
    assert!(ran.stdout.contains("Next: Run again after the first of the month"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("by the next run"), "{}", ran.stdout);
    env.faults(&["quota"]);
    let ran = RunOutput::new(env.vcq(&["plan"]).args(env.window()).output().expect("runs")).expect_exit(8);
    assert!(ran.stdout.contains("This plan ") && !ran.stdout.contains("began now"), "{}", ran.stdout);
}
