//! A run is killed at any instant: the next one leaves the same store as a run that was never killed.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_etl::Step;

use crate::support::baseline::{Baseline, NthSync, lasting_part, print_progress, try_all};
use crate::support::fault_injection::{Action, Fault, KINDS};
use crate::support::test_store::{RequestCounts, TestStore, sum_counts, tiny_env};

/// The file operations of each step of publishing: kind, and text in the path.
const STEPS: &[(Step, &[(&str, &str)])] = &[
    (Step::PlaceParts, &[("mkdir", "/parquet/"), ("rename", "/part-"), ("sync", "/parquet/quality_samples/")]),
    (
        Step::WriteManifest,
        &[
            ("create", "_manifest.json"),
            ("write", "_manifest.json"),
            ("sync", "_manifest.json"),
            ("rename", "_manifest.json"),
        ],
    ),
    (
        Step::BuildDatabase,
        &[
            ("mkdir", ".work/database-"),
            ("copy", "/vcq.duckdb"),
            ("write", "/vcq.duckdb"),
            ("rename", "/vcq.duckdb.inprogress"),
        ],
    ),
    (Step::RenameDatabase, &[("rename", "/state/published.json"), ("rename", "/store/vcq.duckdb")]),
    (Step::RemoveOldParts, &[("unlink", "/part-"), ("write", "/store/state/ledger.sqlite-wal")]),
];

#[test]
fn a_kill_at_each_step_of_publishing_loses_nothing() {
    let mut faults = Vec::new();
    for step in Step::ALL {
        let (_, operations) = STEPS.iter().find(|(known, _)| known == step).expect("every step has its operations");
        for (kind, path) in *operations {
            faults.extend([Action::Kill, Action::KillAfter].map(|action| Fault::on(action, 1, kind, path)));
        }
    }
    let (kills, died) =
        try_all(&faults, NthSync::Second, |baseline, fault| baseline.kill(fault, &format!("{fault:?}")).died);
    assert_eq!(kills, died, "every kill hits");
}

/// Kills a run at each of the numbered operations. Returns the number of kills, the number of runs that died of one,
/// and the number of participants requested again.
fn kill_at(numbers: &[usize], nth: NthSync, action: Action) -> (usize, usize, usize) {
    let again = std::sync::atomic::AtomicUsize::new(0);
    let (kills, died) = try_all(numbers, nth, |baseline, number| {
        let killed = baseline.kill(&Fault::at(action, *number), &format!("{action:?} at operation {number}"));
        again.fetch_add(killed.requested_again, std::sync::atomic::Ordering::Relaxed);
        killed.died
    });
    (kills, died, again.into_inner())
}

/// Kills a run at the first operation of each kind on each path. Not by number, which differs from run to run. Returns
/// the number of kills and of runs that died.
fn kill_at_first(kinds: &[&'static str], action: Action) -> (usize, usize) {
    let env = tiny_env();
    let kind_of = |name: &str| kinds.iter().copied().find(|kind| *kind == name);
    let operations = Baseline::new(NthSync::First, &env).operations;
    let first: BTreeSet<(&str, String)> =
        operations.iter().filter_map(|one| Some((kind_of(&one.kind)?, lasting_part(&one.path)))).collect();
    try_all(&Vec::from_iter(first), NthSync::First, |baseline, (kind, path)| {
        baseline.kill(&Fault::on(action, 1, kind, path), &format!("{action:?} at the first {kind} of {path}")).died
    })
}

#[test]
fn a_kill_at_each_kind_of_file_operation_loses_nothing() {
    let (kills, died) = kill_at_first(KINDS, Action::Kill);
    assert!(kills > 30 && died * 10 >= kills * 9, "{died} of {kills} kills hit");
}

#[test]
fn a_kill_in_the_middle_of_a_write_loses_nothing() {
    let (kills, died) = kill_at_first(&["write"], Action::KillMidWrite);
    assert!(kills >= 5 && died * 10 >= kills * 9, "{died} of {kills} kills hit");
}

/// Starts a sync and kills it after `delay`. Returns false if it had ended before.
fn kill_after(test_store: &TestStore<'_>, delay: Duration) -> bool {
    let mut command = test_store.command();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    std::thread::sleep(delay);
    child.kill().expect("it is ours");
    child.wait().expect("ends").code().is_none()
}

/// Kills runs at random times. Returns the number of runs that died and of participants requested again.
fn kill_at_random(baseline: &Baseline<'_>, kills: usize, seed: u64) -> (usize, usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    baseline.test_store().sync(None).expect_exit(0);
    let whole_ms = began.elapsed().as_millis() as u64;
    let mut sum = (0, 0);
    for kill in 0..kills {
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let delay = Duration::from_millis(random.random_range(0..=whole_ms));
        let died = kill_after(&test_store, delay);
        let of = format!("seed {seed}, kill {kill} after {delay:?}");
        baseline.assert_whole(&test_store, &of);
        let again = baseline.resume(&test_store, usize::from(died), RequestCounts::new(), &of);
        sum = (sum.0 + usize::from(died), sum.1 + again);
    }
    sum
}

#[test]
fn a_kill_at_a_random_time_loses_nothing() {
    let env = tiny_env();
    let (died, _) = kill_at_random(&Baseline::new(NthSync::First, &env), 8, 20_261_102);
    assert!(died > 0, "{died} died");
    kill_at_random(&Baseline::new(NthSync::Second, &env), 4, 20_261_103);
}

#[test]
fn repeated_kills_lose_nothing() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    test_store.take_request_counts();
    let (mut kills, mut requested, mut at) = (0, RequestCounts::new(), 20);
    loop {
        // Each run gets further than the previous one.
        let died = test_store.sync(Some(&Fault::at(Action::Kill, at))).code.is_none();
        baseline.assert_whole(&test_store, &format!("kill {kills}"));
        if !died {
            break;
        }
        kills += 1;
        requested = sum_counts(requested, &test_store.take_request_counts());
        at += at / 3;
    }
    assert!(kills >= 8, "{kills} kills");
    baseline.resume(&test_store, kills, requested, "killed repeatedly");
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_kill_before_every_operation() {
    for nth in NthSync::ALL {
        let env = tiny_env();
        let numbers: Vec<usize> = (1..=Baseline::new(*nth, &env).operations.len()).collect();
        let (kills, died, again) = kill_at(&numbers, *nth, Action::Kill);
        print_progress(&format!("{nth:?} sync: {kills} kills, {died} hit, {again} participants requested again"));
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_kill_in_the_middle_of_every_write() {
    for nth in NthSync::ALL {
        let env = tiny_env();
        let operations = Baseline::new(*nth, &env).operations;
        let is_write = |number: &usize| matches!(operations[number - 1].kind.as_str(), "write" | "copy");
        let numbers: Vec<usize> = (1..=operations.len()).filter(is_write).collect();
        let (kills, died, again) = kill_at(&numbers, *nth, Action::KillMidWrite);
        print_progress(&format!(
            "{nth:?} sync: {kills} kills in a write, {died} hit, {again} participants requested again"
        ));
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_kill_at_two_hundred_random_times() {
    let env = tiny_env();
    for seed in 1..=2 {
        let (died, again) = kill_at_random(&Baseline::new(NthSync::First, &env), 60, seed);
        print_progress(&format!("first sync, seed {seed}: {died} kills, {again} participants requested again"));
        let (died, again) = kill_at_random(&Baseline::new(NthSync::Second, &env), 40, seed);
        print_progress(&format!("second sync, seed {seed}: {died} kills, {again} participants requested again"));
    }
}
