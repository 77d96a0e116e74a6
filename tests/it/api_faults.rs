//! Whatever goes wrong on the way, the store ends as if nothing had.

use vcq_simulator::{Endpoint, Limit, LongMeetings, Options, WindowKind};

use crate::support::test_env::{TestEnv, small_tenant, unlimited};

/// What a disturbed sync must not change: everything but when and how often it was asked.
const CONTENT: &[&str] = &[
    "select * from meetings order by all",
    "select * from participants order by all",
    "select * from quality_samples order by all",
    "select * exclude (attempts, first_attempt_utc, last_attempt_utc, log_id) from coverage order by all",
    "select * exclude (first_seen_utc) from rejects order by all",
];

pub(crate) fn content(env: &TestEnv) -> Vec<Vec<String>> {
    CONTENT.iter().map(|sql| env.rows(sql)).collect()
}

#[track_caller]
pub(crate) fn same_content(env: &TestEnv, expected: &[Vec<String>], of: &str) {
    for ((sql, one), other) in CONTENT.iter().zip(content(env)).zip(expected) {
        assert_eq!(one.len(), other.len(), "{of}: {sql}");
        assert!(&one == other, "{of}: rows differ: {sql}");
    }
}

#[test]
fn transport_faults_are_retried_and_leave_no_trace() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let expected = content(&undisturbed);
    for fault in ["internal-error", "html", "empty", "truncated", "not-json", "reset", "reset-in-answer"] {
        let env = TestEnv::new();
        // The first call about every single unit fails.
        env.faults(&[&format!("{fault}@first-of-each=1")]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert!(summary["retries"].as_u64() > Some(100), "{fault}: {}", summary["retries"]);
        same_content(&env, &expected, fault);
    }
}

#[test]
fn a_stalled_answer_is_given_up_and_asked_again() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:stall@every=40"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_REQUEST_TIMEOUT", "300ms");
    let summary = crate::support::test_env::RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
    assert!(summary["retries"].as_u64() > Some(0));
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn throttles_are_waited_out_whatever_their_form() {
    for fault in ["throttle@first=2", "throttle-400@first=2", "throttle-bare@every=60"] {
        let env = TestEnv::new();
        env.faults(&[&format!("participant_quality_list:{fault}")]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert!(summary["throttles"].as_u64() >= Some(1), "{fault}");
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "{fault}");
    }
}

#[test]
fn paced_by_the_limit_nothing_is_throttled() {
    for kind in [WindowKind::Sliding, WindowKind::Fixed] {
        let limit = Limit { calls: 60, window: std::time::Duration::from_secs(2), kind, ..Limit::default() };
        let env = TestEnv::with(&small_tenant(), Options { limit, ..Options::default() });
        let mut command = env.sync_command(&[]);
        command.env("VCQ_CALLS_PER_MINUTE", "1800").env("VCQ_RATE_WINDOW", "2s");
        let summary =
            crate::support::test_env::RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
        assert_eq!(summary["throttles"], 0, "{kind:?}");
        let stats = env.simulator().stats();
        assert!(stats.peak_calls_in_window[&Endpoint::ParticipantQualityList] <= 60, "{kind:?}");
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "{kind:?}");
    }
}

#[test]
fn a_token_that_runs_out_is_refreshed_without_a_lost_answer() {
    let env = TestEnv::with(&small_tenant(), Options { token_life_s: 2, ..unlimited() });
    let mut command = env.sync_command(&[]);
    // Slow enough to outlive several tokens.
    command.env("VCQ_CALLS_PER_MINUTE", "2400");
    let summary = crate::support::test_env::RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn shifting_rows_give_no_row_twice() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let env = TestEnv::new();
    env.faults(&["participant_list:shift", "participant_quality_list:shift"]);
    env.sync(&[]).expect_exit(0);
    same_content(&env, &content(&undisturbed), "shift");
}

#[test]
fn a_vendor_that_wants_the_start_to_the_minute_is_understood() {
    let env = TestEnv::with(&small_tenant(), Options { start_to_the_minute: true, ..unlimited() });
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn a_meeting_of_more_than_a_day_is_clamped_or_said_to_be_too_long() {
    let clamped = TestEnv::new();
    let summary = clamped.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["by_status"]["too_long"], 0);
    let refused = TestEnv::with(&small_tenant(), Options { long_meetings: LongMeetings::Refused, ..unlimited() });
    let summary = refused.sync(&[]).expect_exit(0).summary();
    // Its participants cannot even be listed: one row stands for them.
    assert_eq!(summary["by_status"]["too_long"], 1);
    let rows = refused.rows("select participant_key, api_code from coverage where status = 'too_long'");
    assert!(rows[0].contains("/* | 126006"), "{rows:?}");
}
