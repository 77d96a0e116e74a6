//! Killed at any instant, the next run ends with the store of an undisturbed one.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_etl::Step;

use crate::support::baseline::{Baseline, NthSync, one_of_each_shape, print_progress, try_all};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_store::{RequestCounts, TestStore, files_below, sum_counts, tiny_env};

/// The operations that make up each step of publishing: kinds, and text in the path.
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
    (Step::RenameDatabase, &[("unlink", "/store/vcq.duckdb.wal"), ("rename", "/store/vcq.duckdb")]),
    (Step::RemoveOldParts, &[("unlink", "/part-"), ("write", "/store/state/ledger.sqlite-wal")]),
];

#[test]
fn killed_at_each_step_of_publishing() {
    let mut faults = Vec::new();
    for step in Step::ALL {
        let (_, operations) = STEPS.iter().find(|(known, _)| known == step).expect("every step has its operations");
        for (kind, path) in *operations {
            faults.extend([Action::Kill, Action::KillAfter].map(|act| Fault::on(act, 1, kind, path)));
        }
    }
    let (kills, died) =
        try_all(&faults, NthSync::Second, |baseline, fault| baseline.kill(fault, &format!("{fault:?}")).died);
    assert_eq!(kills, died, "every kill hits");
}

/// Kills before each of the numbered operations, or with half of its bytes written.
fn kill_at(numbers: &[usize], nth: NthSync, act: Action) -> (usize, usize, usize) {
    let again = std::sync::atomic::AtomicUsize::new(0);
    let (kills, died) = try_all(numbers, nth, |baseline, number| {
        let killed = baseline.kill(&Fault::at(act, *number), &format!("{act:?} at operation {number}"));
        again.fetch_add(killed.again, std::sync::atomic::Ordering::Relaxed);
        killed.died
    });
    (kills, died, again.into_inner())
}

#[test]
fn killed_at_each_kind_of_operation() {
    let env = tiny_env();
    let operations = Baseline::new(NthSync::First, &env).operations;
    let numbers = one_of_each_shape(&operations);
    assert!(numbers.len() > 30, "{numbers:?}");
    let (kills, died, _) = kill_at(&numbers, NthSync::First, Action::Kill);
    // Which thread comes first differs from run to run: the last few numbers may not be reached.
    assert!(died * 10 >= kills * 8, "{died} of {kills} kills hit");
}

#[test]
fn killed_with_half_of_a_write_done() {
    let env = tiny_env();
    let operations = Baseline::new(NthSync::First, &env).operations;
    let writes: Vec<usize> =
        one_of_each_shape(&operations).into_iter().filter(|number| operations[number - 1].kind == "write").collect();
    let (kills, died, _) = kill_at(&writes, NthSync::First, Action::KillMidWrite);
    assert!(kills >= 5 && died * 10 >= kills * 7, "{died} of {kills} kills hit");
}

/// Starts a sync and kills it after a while; true where it died of that.
fn kill_after(test_store: &TestStore<'_>, delay: Duration) -> bool {
    let mut command = test_store.command();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    std::thread::sleep(delay);
    child.kill().expect("it is ours");
    child.wait().expect("ends").code().is_none()
}

/// Kills at random times; gives kills and participants asked for again.
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
fn killed_at_random_times() {
    let env = tiny_env();
    let (died, _) = kill_at_random(&Baseline::new(NthSync::First, &env), 8, 20_261_102);
    assert!(died > 0, "{died} died");
    kill_at_random(&Baseline::new(NthSync::Second, &env), 4, 20_261_103);
}

#[test]
fn killed_again_and_again_until_it_survives() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    test_store.take_request_counts();
    let (mut kills, mut asked, mut at) = (0, RequestCounts::new(), 20);
    loop {
        // Each run gets further than the one before.
        let died = test_store.sync(Some(&Fault::at(Action::Kill, at))).code.is_none();
        baseline.assert_whole(&test_store, &format!("kill {kills}"));
        if !died {
            break;
        }
        kills += 1;
        asked = sum_counts(asked, &test_store.take_request_counts());
        at += at / 3;
    }
    assert!(kills >= 8, "{kills} kills");
    baseline.resume(&test_store, kills, asked, "killed again and again");
}

/// A raw file with a checkpoint that the ledger does not know of, and where its last one begins.
fn unknown_checkpoint(test_store: &TestStore<'_>) -> (PathBuf, u64) {
    let store = test_store.path();
    let known = test_store.indexed();
    let bytes = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let known_of = |path: &PathBuf| {
        let relative = path.strip_prefix(store.join("raw")).expect("below raw").to_string_lossy().into_owned();
        known.get(&relative).copied().unwrap_or_default()
    };
    let unknown = |path: &PathBuf| bytes(path) > known_of(path);
    let path = files_below(&store.join("raw/quality")).into_iter().find(unknown).expect("bytes that nobody knows of");
    let bytes = std::fs::read(&path).expect("read");
    let (mut begins, mut next) = (0, 0);
    while next < bytes.len() {
        begins = next;
        // A skippable frame, whose JSON says how long the frame behind it is.
        let length = u32::from_le_bytes(bytes[next + 4..next + 8].try_into().expect("four")) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[next + 8..next + 8 + length]).expect("a header");
        next += 8 + length + header["bytes"].as_u64().expect("a length") as usize;
    }
    (path, begins as u64)
}

/// Cuts the newest raw file, which a dead run left, to lengths within its last checkpoint: all, or a sample.
fn tear_off(every: bool) -> usize {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let torn = baseline.test_store();
    torn.take_request_counts();
    // The raw bytes are there, the ledger does not know of them: the kill follows a write, because which file or folder
    // a sync brings to the disk differs from run to run.
    let fault = Fault::on(Action::KillAfter, 6, "write", "/raw/quality/meeting_date");
    assert_eq!(torn.sync(Some(&fault)).code, None, "dies");
    let asked = torn.take_request_counts();
    let (path, begins) = unknown_checkpoint(&torn);
    let length = path.metadata().expect("there").len();
    let relative = path.strip_prefix(torn.path()).expect("below").to_owned();
    let cut_to = |bytes: u64| {
        let test_store = TestStore::copy_of(&torn);
        let file = std::fs::OpenOptions::new().write(true).open(test_store.path().join(&relative)).expect("opens");
        file.set_len(bytes).expect("cut");
        baseline.resume(&test_store, 1, asked.clone(), &format!("cut to {bytes} of {begins}..{length}"))
    };
    let again_uncut = cut_to(length);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let offsets: Vec<u64> = match every {
        true => (begins..length).collect(),
        false => [begins, begins + 1, begins + 8, begins + 9, length - 1]
            .into_iter()
            .chain((0..5).map(|_| random.random_range(begins..length)))
            .collect(),
    };
    for offset in &offsets {
        let again = cut_to(*offset);
        assert!(again <= again_uncut + 1, "cut to {offset}: {again} asked again, {again_uncut} where nothing is cut");
    }
    offsets.len()
}

#[test]
fn a_torn_raw_file_costs_its_last_record_only() {
    assert_eq!(tear_off(false), 10);
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_killed_before_every_operation() {
    for nth in NthSync::ALL {
        let env = tiny_env();
        let numbers: Vec<usize> = (1..=Baseline::new(*nth, &env).operations.len()).collect();
        let (kills, died, again) = kill_at(&numbers, *nth, Action::Kill);
        print_progress(&format!("{nth:?} sync: {kills} kills, {died} hit, {again} participants asked for again"));
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_killed_with_half_of_every_write_done() {
    for nth in NthSync::ALL {
        let env = tiny_env();
        let operations = Baseline::new(*nth, &env).operations;
        let is_write = |number: &usize| matches!(operations[number - 1].kind.as_str(), "write" | "copy");
        let numbers: Vec<usize> = (1..=operations.len()).filter(is_write).collect();
        let (kills, died, again) = kill_at(&numbers, *nth, Action::KillMidWrite);
        print_progress(&format!("{nth:?} sync: {kills} torn writes, {died} hit, {again} participants asked for again"));
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_killed_at_two_hundred_random_times() {
    let env = tiny_env();
    for seed in 1..=2 {
        let (died, again) = kill_at_random(&Baseline::new(NthSync::First, &env), 60, seed);
        print_progress(&format!("first sync, seed {seed}: {died} kills, {again} participants asked for again"));
        let (died, again) = kill_at_random(&Baseline::new(NthSync::Second, &env), 40, seed);
        print_progress(&format!("second sync, seed {seed}: {died} kills, {again} participants asked for again"));
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_torn_at_every_byte() {
    let lengths = tear_off(true);
    assert!(lengths > 100, "{lengths} lengths");
    print_progress(&format!("{lengths} lengths of a torn raw file"));
}
