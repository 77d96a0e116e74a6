//! Participants and quality are requested while the meeting list is being read; the result must not depend on it.

use std::time::Duration;

use vcq_simulator::{Endpoint, Options, TenantSpec};

use crate::support::baseline::{Baseline, NthSync};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};
use crate::support::test_store::{RequestCounts, TestStore};

/// A tenant whose meeting list has three or four pages.
fn listed_env(latest_first: bool) -> TestEnv {
    slow_env(latest_first, 10)
}

/// The same, with this latency.
fn slow_env(latest_first: bool, latency_ms: u64) -> TestEnv {
    let spec = TenantSpec { days: 2, people: 12, meetings_per_day: 130, ..TenantSpec::default() };
    TestEnv::with(&spec, Options { latest_first, latency: Duration::from_millis(latency_ms), ..unlimited() })
}

/// Number of calls to the meeting list after the first one to a participant list.
fn list_pages_after_first_participants(env: &TestEnv) -> usize {
    let log = env.simulator().stats().log;
    let later = log.iter().skip_while(|call| call.endpoint != Endpoint::ParticipantList);
    later.filter(|call| call.endpoint == Endpoint::MeetingList).count()
}

#[test]
fn the_meeting_list_is_read_in_parallel_unless_it_must_be_complete() {
    // Slower than a busy disk: the first page is written before its participants are requested.
    let env = slow_env(false, 80);
    let parallel_pages = |more: &[&str], code: i32| {
        env.simulator().reset_stats();
        env.sync(more).expect_exit(code);
        list_pages_after_first_participants(&env)
    };
    // `--max-calls` may end the run early: the newest meetings come first, and only the whole list tells which they
    // are.
    assert_eq!(parallel_pages(&["--max-calls", "40"], 8), 0);
    assert!(parallel_pages(&[], 0) >= 1);
    assert_eq!(parallel_pages(&["--refetch"], 0), 0, "a refetch needs the whole list first");
}

#[test]
fn a_partial_meeting_list_is_not_published_and_nothing_is_requested_again() {
    for latest_first in [false, true] {
        let env = listed_env(latest_first);
        let baseline = Baseline::new(NthSync::First, &env);
        for loses_ledger in [false, true] {
            let of = format!("latest first: {latest_first}, the ledger is lost: {loses_ledger}");
            let test_store = baseline.test_store();
            test_store.take_request_counts();
            env.faults(&["meeting_list:internal-error@after=1"]);
            let ran = test_store.sync(None);
            env.faults(&[]);
            assert!(!matches!(ran.code, Some(0) | None), "{of}: {:?}", ran.code);
            let recorded = test_store.recorded();
            assert!(!recorded.is_empty(), "{of}: nothing was requested during the list");
            assert!(test_store.duckdb().is_none(), "{of}: a partial list is published");
            assert!(partially_listed(&test_store) > 0, "{of}");
            if !loses_ledger {
                baseline.resume(&test_store, 1, RequestCounts::new(), &of);
                continue;
            }
            test_store.take_request_counts();
            std::fs::remove_dir_all(test_store.path().join("state")).expect("gone");
            test_store.sync(None).expect_exit(0);
            let requests = test_store.take_request_counts();
            let repeated: Vec<_> = recorded.iter().filter(|unit| requests.contains_key(*unit)).collect();
            assert!(repeated.is_empty(), "{of}: requested again: {repeated:?}");
            test_store.assert_complete_as(&baseline.after, &of);
        }
    }
}

#[test]
fn a_kill_during_the_meeting_list_loses_nothing() {
    let env = listed_env(false);
    let baseline = Baseline::new(NthSync::First, &env);
    let mut partial = 0;
    for number in [1, 2, 5] {
        let of = format!("killed after write {number} of participants");
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let fault = Fault::on(Action::KillAfter, number, "write", "/raw/participants/meeting_date");
        assert_eq!(test_store.sync(Some(&fault)).code, None, "{of}: dies");
        partial += u64::from(partially_listed(&test_store) > 0);
        assert!(test_store.duckdb().is_none(), "{of}");
        baseline.resume(&test_store, 1, RequestCounts::new(), &of);
        assert_eq!(partially_listed(&test_store), 0, "{of}: the list is complete");
    }
    assert!(partial > 0, "at least the first kill comes before the list is complete");
}

#[test]
fn a_partial_meeting_list_changes_no_published_meeting() {
    let env = listed_env(false);
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    test_store.sync(None).expect_exit(0);
    // A partial list leaves a published store as it is.
    env.faults(&["meeting_list:internal-error@after=1"]);
    let before = test_store.manifest();
    assert_ne!(test_store.sync(None).code, Some(0));
    env.faults(&[]);
    assert_eq!(partially_listed(&test_store), 0, "equal items change nothing");
    assert_eq!(test_store.manifest(), before);
    test_store.take_request_counts();
    test_store.sync(None).expect_exit(0);
    assert!(test_store.take_request_counts().is_empty(), "only the meeting list");
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_the_list() {
    let (one, other) = (listed_env(false), listed_env(true));
    let estimate = |env: &TestEnv| {
        let plan: serde_json::Value =
            serde_json::from_str(&RunOutput::expect_exit(env.plan(&[]), 0).stdout).expect("JSON");
        (plan["meetings"].clone(), plan["participants"].clone(), plan["pending"].clone())
    };
    let first = estimate(&one);
    assert_eq!(first, estimate(&other));
    assert_eq!(first, estimate(&one), "the same when everything is listed");
}

/// Number of meetings in the ledger that no complete meeting list has confirmed.
fn partially_listed(test_store: &TestStore<'_>) -> i64 {
    test_store.query_ledger("select count(*) from meetings where item_digest = ''").unwrap_or_default()
}
