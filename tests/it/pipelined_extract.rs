//! Participants and quality are asked while the meeting list is being read: what that must never change.

use std::time::Duration;

use vcq_simulator::{Endpoint, Options, TenantSpec};

use crate::support::baseline::{Baseline, NthSync};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};
use crate::support::test_store::{RequestCounts, TestStore};

/// A tenant whose meeting list has three pages, or four.
fn listed_env(latest_first: bool) -> TestEnv {
    slow_env(latest_first, 10)
}

/// The same, with answers that take so long.
fn slow_env(latest_first: bool, latency_ms: u64) -> TestEnv {
    let spec = TenantSpec { days: 2, people: 12, meetings_per_day: 130, ..TenantSpec::default() };
    TestEnv::with(&spec, Options { latest_first, latency: Duration::from_millis(latency_ms), ..unlimited() })
}

/// How many calls of the meeting list came after the first of participants.
fn pages_behind_the_first_list(env: &TestEnv) -> usize {
    let log = env.simulator().stats().log;
    let behind = log.iter().skip_while(|call| call.endpoint != Endpoint::ParticipantList);
    behind.filter(|call| call.endpoint == Endpoint::MeetingList).count()
}

#[test]
fn the_list_is_read_beside_the_others_unless_it_must_be_whole_first() {
    // Slower than a busy disk: the first page must be on it before anybody of it is asked.
    let env = slow_env(false, 80);
    let beside = |more: &[&str], code: i32| {
        env.simulator().reset_stats();
        env.sync(more).expect_exit(code);
        pages_behind_the_first_list(&env)
    };
    // A budget may end the run early: the newest come first, and only the whole list says which they are.
    assert_eq!(beside(&["--max-calls", "40"], 8), 0);
    assert!(beside(&[], 0) >= 1);
    assert_eq!(beside(&["--refetch"], 0), 0, "a refetch is begun for all or for none");
}

#[test]
fn a_list_that_breaks_off_counts_for_nothing_and_nothing_is_asked_again() {
    for latest_first in [false, true] {
        let env = listed_env(latest_first);
        let baseline = Baseline::new(NthSync::First, &env);
        for forgets in [false, true] {
            let of = format!("latest first: {latest_first}, the ledger is lost: {forgets}");
            let test_store = baseline.test_store();
            test_store.take_request_counts();
            env.faults(&["meeting_list:internal-error@after=1"]);
            let ran = test_store.sync(None);
            env.faults(&[]);
            assert!(!matches!(ran.code, Some(0) | None), "{of}: {:?}", ran.code);
            let recorded = test_store.recorded();
            assert!(!recorded.is_empty(), "{of}: nothing was asked beside the list");
            assert!(test_store.duckdb().is_none(), "{of}: half a list is published");
            assert!(half_listed(&test_store) > 0, "{of}");
            if !forgets {
                baseline.resume(&test_store, 1, RequestCounts::new(), &of);
                continue;
            }
            test_store.take_request_counts();
            std::fs::remove_dir_all(test_store.path().join("state")).expect("gone");
            test_store.sync(None).expect_exit(0);
            let asked = test_store.take_request_counts();
            let twice: Vec<_> = recorded.iter().filter(|unit| asked.contains_key(*unit)).collect();
            assert!(twice.is_empty(), "{of}: asked again: {twice:?}");
            test_store.assert_complete_as(&baseline.after, &of);
        }
    }
}

#[test]
fn killed_while_the_list_is_read() {
    let env = listed_env(false);
    let baseline = Baseline::new(NthSync::First, &env);
    let mut half = 0;
    for number in [1, 2, 5] {
        let of = format!("killed after write {number} of participants");
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let fault = Fault::on(Action::KillAfter, number, "write", "/raw/participants/meeting_date");
        assert_eq!(test_store.sync(Some(&fault)).code, None, "{of}: dies");
        half += u64::from(half_listed(&test_store) > 0);
        assert!(test_store.duckdb().is_none(), "{of}");
        baseline.resume(&test_store, 1, RequestCounts::new(), &of);
        assert_eq!(half_listed(&test_store), 0, "{of}: then the list is whole");
    }
    assert!(half > 0, "at least the first kill comes before the list is whole");
}

#[test]
fn what_a_half_list_says_otherwise_of_a_meeting_is_published_by_the_next_whole_one() {
    let env = listed_env(false);
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    test_store.sync(None).expect_exit(0);
    // A published store whose list breaks off stays as it is, and a kill of a list that changes nothing changes nothing.
    env.faults(&["meeting_list:internal-error@after=1"]);
    let before = test_store.manifest();
    assert_ne!(test_store.sync(None).code, Some(0));
    env.faults(&[]);
    assert_eq!(half_listed(&test_store), 0, "equal items are no news");
    assert_eq!(test_store.manifest(), before);
    test_store.take_request_counts();
    test_store.sync(None).expect_exit(0);
    assert!(test_store.take_request_counts().is_empty(), "only the meeting list");
}

#[test]
fn a_plan_is_the_same_with_the_list_read_beside() {
    let (one, other) = (listed_env(false), listed_env(true));
    let price = |env: &TestEnv| {
        let plan: serde_json::Value =
            serde_json::from_str(&RunOutput::expect_exit(env.plan(&[]), 0).stdout).expect("JSON");
        (plan["meetings"].clone(), plan["participants"].clone(), plan["pending"].clone())
    };
    let first = price(&one);
    assert_eq!(first, price(&other));
    assert_eq!(first, price(&one), "and again, when everything is listed");
}

/// Meetings in the ledger that no whole walk has listed as they are known.
fn half_listed(test_store: &TestStore<'_>) -> i64 {
    test_store.query_ledger("select count(*) from meetings where item_digest = ''").unwrap_or_default()
}
