//! Faults of the network and the API are retried; the store is the same as without them.

use vcq_simulator::{Endpoint, Limit, LongMeetings, Options, WindowKind};

use crate::support::test_env::{TestEnv, small_tenant, unlimited};

/// What faults must not change: everything except when and how often something was requested.
const CONTENT: &[&str] = &[
    "select * from meetings order by all",
    "select * from participants order by all",
    "select * from quality_samples order by all",
    "select * exclude (attempts, first_attempt_utc, last_attempt_utc, log_id) from coverage order by all",
    "select * exclude (first_seen_utc) from rejects order by all",
];

pub(crate) fn content_rows(env: &TestEnv) -> Vec<Vec<String>> {
    CONTENT.iter().map(|sql| env.rows(sql)).collect()
}

#[track_caller]
pub(crate) fn assert_same_content(env: &TestEnv, expected: &[Vec<String>], of: &str) {
    for ((sql, one), other) in CONTENT.iter().zip(content_rows(env)).zip(expected) {
        assert_eq!(one.len(), other.len(), "{of}: {sql}");
        assert!(&one == other, "{of}: rows differ: {sql}");
    }
}

#[test]
fn transport_faults_are_retried_and_change_no_row() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let expected = content_rows(&undisturbed);
    for fault in ["internal-error", "html", "empty", "truncated", "not-json", "reset", "reset-in-answer"] {
        let env = TestEnv::new();
        // The first call for every unit fails.
        env.faults(&[&format!("{fault}@first-of-each=1")]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert!(summary["retries"].as_u64() > Some(100), "{fault}: {}", summary["retries"]);
        assert_same_content(&env, &expected, fault);
    }
}

#[test]
fn a_stalled_response_times_out_and_is_retried() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:stall@every=40"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_REQUEST_TIMEOUT", "300ms");
    let summary = crate::support::test_env::RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
    assert!(summary["retries"].as_u64() > Some(0));
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn every_form_of_throttling_is_waited_out() {
    for fault in ["throttle@first=2", "throttle-400@first=2", "throttle-bare@every=60"] {
        let env = TestEnv::new();
        env.faults(&[&format!("participant_quality_list:{fault}")]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert!(summary["throttles"].as_u64() >= Some(1), "{fault}");
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "{fault}");
    }
}

#[test]
fn calls_within_the_limit_are_never_throttled() {
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
fn an_expired_token_is_refreshed_without_losing_an_answer() {
    let env = TestEnv::with(&small_tenant(), Options { token_life_s: 2, ..unlimited() });
    let mut command = env.sync_command(&[]);
    // Slow enough to outlive several tokens.
    command.env("VCQ_CALLS_PER_MINUTE", "2400");
    let summary = crate::support::test_env::RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn rows_that_shift_between_pages_are_not_duplicated() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let env = TestEnv::new();
    env.faults(&["participant_list:shift", "participant_quality_list:shift"]);
    env.sync(&[]).expect_exit(0);
    assert_same_content(&env, &content_rows(&undisturbed), "shift");
}

#[test]
fn a_start_floored_to_the_minute_is_tried() {
    let env = TestEnv::with(&small_tenant(), Options { requires_rounded_start: true, ..unlimited() });
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn a_meeting_over_a_day_is_clamped_or_too_long() {
    let clamped = TestEnv::new();
    let summary = clamped.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["by_status"]["too_long"], 0);
    let refused = TestEnv::with(&small_tenant(), Options { long_meetings: LongMeetings::Refused, ..unlimited() });
    let summary = refused.sync(&[]).expect_exit(0).summary();
    // Its participants cannot be listed either: one row in place of them.
    assert_eq!(summary["by_status"]["too_long"], 1);
    let rows = refused.rows("select participant_key, api_code from coverage where status = 'too_long'");
    assert!(rows[0].contains("/* | 126006"), "{rows:?}");
}
