//! A truncated raw file, as a power cut or a kill leaves it: only its last record is lost and requested again.

use std::fs;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::rebuild::{ALL_ROWS, all_rows, files};
use crate::support::baseline::{Baseline, NthSync, print_progress};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::{TestStore, files_below, tiny_env};

#[test]
fn a_truncated_raw_file_loses_only_its_last_record() {
    for zeros in [false, true] {
        let env = TestEnv::new();
        env.sync(&[]).expect_exit(0);
        let whole = all_rows(&env);
        let file = files(&env.store().join("raw/quality"), ".zst").pop().expect("a raw file");
        let mut bytes = fs::read(&file).expect("read");
        let length = bytes.len();
        bytes.truncate(length - 20);
        if zeros {
            // The file's new size reached the disk, its bytes did not.
            bytes.resize(length, 0);
        }
        fs::write(&file, bytes).expect("written");
        let text = RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0).stdout;
        assert!(text.contains("skipped 1 truncated record of the raw log"), "{text}");
        assert_eq!(env.number("select count(*) from coverage where status = 'pending'"), 1);
        env.simulator().reset_stats();
        env.sync(&[]).expect_exit(0);
        assert_eq!(env.simulator().stats().quality_calls().len(), 1, "only the lost participant is requested again");
        for (sql, before) in ALL_ROWS.iter().zip(&whole).take(3) {
            assert!(env.rows(sql) == *before, "{sql}");
        }
    }
}

/// A raw file with a checkpoint that is not in the ledger, and the offset of its last checkpoint.
fn unindexed_checkpoint(test_store: &TestStore<'_>) -> (PathBuf, u64) {
    let store = test_store.path();
    let known = test_store.indexed();
    let bytes = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let indexed_bytes = |path: &PathBuf| {
        let relative = path.strip_prefix(store.join("raw")).expect("below raw").to_string_lossy().into_owned();
        known.get(&relative).copied().unwrap_or_default()
    };
    let unknown = |path: &PathBuf| bytes(path) > indexed_bytes(path);
    let path =
        files_below(&store.join("raw/quality")).into_iter().find(unknown).expect("bytes that are not in the ledger");
    let bytes = std::fs::read(&path).expect("read");
    let (mut begins, mut next) = (0, 0);
    while next < bytes.len() {
        begins = next;
        // A skippable frame, whose JSON gives the length of the frame after it.
        let length = u32::from_le_bytes(bytes[next + 4..next + 8].try_into().expect("four")) as usize;
        let header: serde_json::Value = serde_json::from_slice(&bytes[next + 8..next + 8 + length]).expect("a header");
        next += 8 + length + header["bytes"].as_u64().expect("a length") as usize;
    }
    (path, begins as u64)
}

/// Truncates the newest raw file of a killed run to lengths within its last checkpoint: every length, or a sample.
/// Returns the number of lengths tried.
fn truncate_and_resume(every: bool) -> usize {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let killed = baseline.test_store();
    killed.take_request_counts();
    // The raw bytes are written but not in the ledger. The kill follows a write and not an fsync, because the order of
    // fsyncs differs from run to run.
    let fault = Fault::on(Action::KillAfter, 6, "write", "/raw/quality/meeting_date");
    assert_eq!(killed.sync(Some(&fault)).code, None, "dies");
    let requested = killed.take_request_counts();
    let (path, begins) = unindexed_checkpoint(&killed);
    let length = path.metadata().expect("there").len();
    let relative = path.strip_prefix(killed.path()).expect("below").to_owned();
    let resume_truncated_to = |bytes: u64| {
        let test_store = TestStore::copy_of(&killed);
        let file = std::fs::OpenOptions::new().write(true).open(test_store.path().join(&relative)).expect("opens");
        file.set_len(bytes).expect("truncated");
        baseline.resume(&test_store, 1, requested.clone(), &format!("truncated to {bytes} of {begins}..{length}"))
    };
    let untruncated = resume_truncated_to(length);
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let offsets: Vec<u64> = match every {
        true => (begins..length).collect(),
        false => [begins, begins + 1, begins + 8, begins + 9, length - 1]
            .into_iter()
            .chain((0..5).map(|_| random.random_range(begins..length)))
            .collect(),
    };
    for offset in &offsets {
        let again = resume_truncated_to(*offset);
        assert!(
            again <= untruncated + 1,
            "truncated to {offset}: {again} requested again, {untruncated} if not truncated"
        );
    }
    offsets.len()
}

#[test]
fn a_raw_file_truncated_by_a_kill_loses_only_its_last_record() {
    assert_eq!(truncate_and_resume(false), 10);
}

#[test]
fn a_damaged_record_that_was_never_synced_is_no_finding_and_is_cut_off() {
    let env = tiny_env();
    let store = TestStore::new(&env);
    let fault = Fault::on(Action::KillAfter, 6, "write", "/raw/quality/meeting_date");
    assert_eq!(store.sync(Some(&fault)).code, None, "dies");
    let (path, begins) = unindexed_checkpoint(&store);
    let whole = fs::read(&path).expect("read");
    let mut bytes = whole.clone();
    bytes[begins as usize..][..20].fill(0);
    bytes.extend(&whole[begins as usize..]);
    fs::write(&path, bytes).expect("written");
    let verify = |deep: &[&str]| {
        let mut command = env.vcq(&[&["verify"], deep].concat());
        RunOutput::new(command.env("VCQ_STORE", store.path()).output().expect("runs")).expect_exit(0).stdout
    };
    assert!(verify(&[]).contains("skipped 1 truncated record"));
    let summary = store.sync(None).expect_exit(0).summary();
    assert!(summary["notes"].to_string().contains("removed the end of 1 raw file"), "{summary}");
    assert_eq!(fs::metadata(&path).expect("there").len(), begins);
    assert!(!verify(&["--deep"]).contains("truncated record"));
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_raw_file_truncated_at_every_byte() {
    let lengths = truncate_and_resume(true);
    assert!(lengths > 100, "{lengths} lengths");
    print_progress(&format!("{lengths} lengths of a truncated raw file"));
}
