//! Participants and quality are asked while the meeting list is being read: what that must never change.

use std::time::Duration;

use vcq_simulator::{Endpoint, Options, TenantSpec};

use crate::support::scene::{Night, Scene};
use crate::support::shim::{Act, Fault};
use crate::support::trial::{Asked, Trial};
use crate::support::world::{Ran, World, unlimited};

/// A tenant whose meeting list has three pages, or four.
fn listed_world(latest_first: bool) -> World {
    slow_world(latest_first, 10)
}

/// The same, with answers that take so long.
fn slow_world(latest_first: bool, latency_ms: u64) -> World {
    let spec = TenantSpec { days: 2, people: 12, meetings_per_day: 130, ..TenantSpec::default() };
    World::with(&spec, Options { latest_first, latency: Duration::from_millis(latency_ms), ..unlimited() })
}

/// How many calls of the meeting list came after the first of participants.
fn pages_behind_the_first_list(world: &World) -> usize {
    let log = world.simulator().stats().log;
    let behind = log.iter().skip_while(|call| call.endpoint != Endpoint::ParticipantList);
    behind.filter(|call| call.endpoint == Endpoint::MeetingList).count()
}

#[test]
fn the_list_is_read_beside_the_others_unless_it_must_be_whole_first() {
    // Slower than a busy disk: the first page must be on it before anybody of it is asked.
    let world = slow_world(false, 80);
    let beside = |more: &[&str], code: i32| {
        world.simulator().reset_stats();
        world.sync(more).ended(code);
        pages_behind_the_first_list(&world)
    };
    // A budget may end the run early: the newest come first, and only the whole list says which they are.
    assert_eq!(beside(&["--max-calls", "40"], 8), 0);
    assert!(beside(&[], 0) >= 1);
    assert_eq!(beside(&["--refetch"], 0), 0, "a refetch is begun for all or for none");
}

#[test]
fn a_list_that_breaks_off_counts_for_nothing_and_nothing_is_asked_again() {
    for latest_first in [false, true] {
        let world = listed_world(latest_first);
        let scene = Scene::new(Night::First, &world);
        for forgets in [false, true] {
            let of = format!("latest first: {latest_first}, the ledger is lost: {forgets}");
            let trial = scene.trial();
            trial.take_asked();
            world.faults(&["meeting_list:internal-error@after=1"]);
            let ran = trial.sync(None);
            world.faults(&[]);
            assert!(!matches!(ran.code, Some(0) | None), "{of}: {:?}", ran.code);
            let recorded = trial.recorded();
            assert!(!recorded.is_empty(), "{of}: nothing was asked beside the list");
            assert!(trial.duckdb().is_none(), "{of}: half a list is published");
            assert!(half_listed(&trial) > 0, "{of}");
            if !forgets {
                scene.go_on(&trial, 1, Asked::new(), &of);
                continue;
            }
            trial.take_asked();
            std::fs::remove_dir_all(trial.store().join("state")).expect("gone");
            trial.sync(None).ended(0);
            let asked = trial.take_asked();
            let twice: Vec<_> = recorded.iter().filter(|unit| asked.contains_key(*unit)).collect();
            assert!(twice.is_empty(), "{of}: asked again: {twice:?}");
            trial.assert_ended_as(&scene.after, &of);
        }
    }
}

#[test]
fn killed_while_the_list_is_read() {
    let world = listed_world(false);
    let scene = Scene::new(Night::First, &world);
    let mut half = 0;
    for number in [1, 2, 5] {
        let of = format!("killed after write {number} of participants");
        let trial = scene.trial();
        trial.take_asked();
        let fault = Fault::on(Act::KillAfter, number, "write", "/raw/participants/meeting_date");
        assert_eq!(trial.sync(Some(&fault)).code, None, "{of}: dies");
        half += u64::from(half_listed(&trial) > 0);
        assert!(trial.duckdb().is_none(), "{of}");
        scene.go_on(&trial, 1, Asked::new(), &of);
        assert_eq!(half_listed(&trial), 0, "{of}: then the list is whole");
    }
    assert!(half > 0, "at least the first kill comes before the list is whole");
}

#[test]
fn what_a_half_list_says_otherwise_of_a_meeting_is_published_by_the_next_whole_one() {
    let world = listed_world(false);
    let scene = Scene::new(Night::First, &world);
    let trial = scene.trial();
    trial.sync(None).ended(0);
    // A published store whose list breaks off stays as it is, and a kill of a list that changes nothing changes nothing.
    world.faults(&["meeting_list:internal-error@after=1"]);
    let before = trial.manifest();
    assert_ne!(trial.sync(None).code, Some(0));
    world.faults(&[]);
    assert_eq!(half_listed(&trial), 0, "equal items are no news");
    assert_eq!(trial.manifest(), before);
    trial.take_asked();
    trial.sync(None).ended(0);
    assert!(trial.take_asked().is_empty(), "only the meeting list");
}

#[test]
fn a_plan_is_the_same_with_the_list_read_beside() {
    let (one, other) = (listed_world(false), listed_world(true));
    let price = |world: &World| {
        let plan: serde_json::Value = serde_json::from_str(&Ran::ended(world.plan(&[]), 0).stdout).expect("JSON");
        (plan["meetings"].clone(), plan["participants"].clone(), plan["pending"].clone())
    };
    let first = price(&one);
    assert_eq!(first, price(&other));
    assert_eq!(first, price(&one), "and again, when everything is listed");
}

/// Meetings in the ledger that no whole walk has listed as they are known.
fn half_listed(trial: &Trial<'_>) -> i64 {
    trial.ask_ledger("select count(*) from meetings where item_digest = ''").unwrap_or_default()
}
