//! Everything is rebuilt from `raw/`, and nothing that was answered is requested again.

use std::fs;
use std::path::{Path, PathBuf};

use vcq_simulator::Endpoint;

use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::open_for_writing;

/// Everything that is published, times of attempts and log IDs included: a rebuild reads the same answers.
pub(crate) const ALL_ROWS: &[&str] = &[
    "select * from meetings order by all",
    "select * from participants order by all",
    "select * from quality_samples order by all",
    "select * from coverage order by all",
    "select * from rejects order by all",
];

pub(crate) fn all_rows(env: &TestEnv) -> Vec<Vec<String>> {
    ALL_ROWS.iter().map(|sql| env.rows(sql)).collect()
}

#[track_caller]
pub(crate) fn assert_same_rows(env: &TestEnv, expected: &[Vec<String>], of: &str) {
    for ((sql, one), other) in ALL_ROWS.iter().zip(all_rows(env)).zip(expected) {
        assert_eq!(one.len(), other.len(), "{of}: {sql}");
        assert!(&one == other, "{of}: rows differ: {sql}");
    }
}

pub(crate) fn rebuild(env: &TestEnv, more: &[&str]) -> RunOutput {
    let mut arguments = vec!["rebuild", "--summary", "json"];
    arguments.extend(more);
    let mut command = env.vcq(&arguments);
    // Offline, and without credentials.
    command.env_remove("VCQ_BASE_URL").env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    RunOutput::new(command.output().expect("the binary runs"))
}

/// A store with failures, forbidden participants, rejects and repeated requests.
fn env_with_failures() -> TestEnv {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:html@share=0.1"]);
    env.sync(&[]).expect_exit(7);
    env.faults(&["participant_quality_list:no-permission@share=0.05"]);
    env.sync(&[]).expect_exit(0);
    env
}

pub(crate) fn remove(path: PathBuf) {
    let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Runs a sync and checks that it requests the meeting list and nothing that was answered.
#[track_caller]
pub(crate) fn assert_requests_only_the_meeting_list(env: &TestEnv) {
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    let stats = env.simulator().stats();
    assert_eq!(stats.calls(Endpoint::ParticipantList), 0);
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), 0);
}

#[test]
fn a_rebuild_restores_everything_but_the_raw_log() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    let generation = env.manifest()["generation"].as_u64().expect("a number");
    let calls = env.calls();
    for lost in [vec!["state"], vec!["parquet"], vec!["vcq.duckdb"], vec!["state", "parquet", "vcq.duckdb", ".work"]] {
        for name in &lost {
            remove(env.store().join(name));
        }
        let summary = rebuild(&env, &[]).expect_exit(0).summary();
        assert_eq!(summary["samples"], env.number("select count(*) from quality_samples"), "{lost:?}");
        assert_same_rows(&env, &expected, &format!("{lost:?}"));
    }
    assert!(env.manifest()["generation"].as_u64() >= Some(1), "was {generation}");
    assert_eq!(env.calls(), calls, "no requests");
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "after the next sync");
}

#[test]
fn a_rebuild_of_an_undamaged_store_changes_no_parquet_file() {
    let env = env_with_failures();
    let (before, expected) = (env.dated_files(), all_rows(&env));
    let summary = rebuild(&env, &[]).expect_exit(0).summary();
    assert_eq!(summary["dates_published"].as_array().map(Vec::len), Some(0), "{summary}");
    assert_eq!(env.dated_files(), before);
    assert_same_rows(&env, &expected, "rebuilt");
    assert_eq!(env.rows("select command, outcome from runs order by started_utc desc limit 1"), ["rebuild | complete"]);
}

#[test]
fn a_sync_without_a_ledger_requests_nothing_again() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    remove(env.store().join("state"));
    let text =
        RunOutput::new(env.vcq(&["sync", "--since", "2000-01-01"]).output().expect("runs")).expect_exit(0).stdout;
    assert!(text.contains("added from the raw log"), "{text}");
    assert_same_rows(&env, &expected, "synced");
    assert_requests_only_the_meeting_list(&env);
}

#[test]
fn a_sync_publishes_what_was_removed() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    remove(env.store().join("vcq.duckdb"));
    remove(env.store().join("parquet"));
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "published again");
}

#[test]
fn an_older_ledger_is_reconciled_with_the_raw_log() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "40"]).expect_exit(8);
    let ledger = env.store().join("state/ledger.sqlite");
    let older = fs::read(&ledger).expect("a ledger");
    env.sync(&[]).expect_exit(0);
    let expected = all_rows(&env);
    // As after a kill between writing an answer and committing it to the ledger, but for many answers at once.
    fs::write(&ledger, older).expect("restored");
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    assert_eq!(env.simulator().stats().calls(Endpoint::ParticipantQualityList), 0);
    assert_same_rows(&env, &expected, "caught up");
}

#[test]
fn a_damaged_ledger_is_set_aside() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    let ledger = env.store().join("state/ledger.sqlite");
    for damage in [b"this is no database, whatever its name says; it is long enough to be one".to_vec(), {
        let mut bytes = fs::read(&ledger).expect("a ledger");
        let middle = bytes.len() / 3;
        bytes[middle..middle + 8_192].fill(0xA5);
        bytes
    }] {
        fs::write(&ledger, &damage).expect("damaged");
        let ran = rebuild(&env, &[]).expect_exit(0);
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
        assert_same_rows(&env, &expected, "rebuilt");
        assert_requests_only_the_meeting_list(&env);
    }
    assert!(files(&env.store().join("state"), "").iter().any(|path| path.to_string_lossy().contains(".damaged-")));
    fs::write(&ledger, b"this is no database, whatever its name says; it is long enough to be one").expect("damaged");
    let ran = env.sync(&[]).expect_exit(5);
    assert!(ran.stderr.contains("vcq-etl rebuild"), "{}", ran.stderr);
}

#[test]
fn a_lost_or_damaged_manifest_is_rebuilt() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    let manifest = env.store().join("parquet/_manifest.json");
    fs::write(&manifest, "{").expect("damaged");
    let some_days = rebuild(&env, &["--since", "2000-01-01"]).expect_exit(5);
    assert!(some_days.stderr.contains("rebuild without --since"), "{}", some_days.stderr);
    rebuild(&env, &[]).expect_exit(0);
    assert_same_rows(&env, &expected, "damaged");
    remove(manifest);
    let some_days = rebuild(&env, &["--since", "2000-01-01"]).expect_exit(5);
    assert!(some_days.stderr.contains("rebuild without --since"), "{}", some_days.stderr);
    rebuild(&env, &[]).expect_exit(0);
    assert_same_rows(&env, &expected, "lost");
    assert_requests_only_the_meeting_list(&env);
}

#[test]
fn tampered_files_are_rebuilt() {
    let env = env_with_failures();
    let (expected, before) = (all_rows(&env), env.manifest());
    for damage in ["update quality_samples set network_delay_ms = 1", "delete from coverage", "drop table rejects"] {
        let connection = open_for_writing(&env.store());
        connection.execute_batch(damage).expect(damage);
        drop(connection);
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, damage);
    }
    for part in files(&env.store().join("parquet"), ".parquet") {
        let mut bytes = fs::read(&part).expect("a part");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&part, bytes).expect("damaged");
    }
    rebuild(&env, &[]).expect_exit(0);
    assert_same_rows(&env, &expected, "every part");
    let sums = |manifest: &serde_json::Value| -> Vec<serde_json::Value> {
        let files = manifest["files"].as_array().expect("files").iter();
        // The history of runs is another one.
        let dated = files.filter(|file| !file["meeting_date"].is_null());
        dated.map(|file| file["sha256"].clone()).collect()
    };
    assert_eq!(sums(&before), sums(&env.manifest()), "the same rows are the same bytes");
}

#[test]
fn some_dates_can_be_rebuilt_alone() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    let dates = env.rows("select distinct meeting_date from quality_samples order by all");
    let connection = open_for_writing(&env.store());
    connection.execute_batch("delete from quality_samples").expect("deleted");
    drop(connection);
    let other = env.store().join(format!("parquet/quality_samples/meeting_date={}", dates[1]));
    let kept: Vec<_> = files(&other, ".parquet");
    rebuild(&env, &["--since", &dates[0], "--until", &dates[1]]).expect_exit(0);
    assert_same_rows(&env, &expected, "one date, and a new database");
    assert_eq!(files(&other, ".parquet"), kept);
}

#[test]
fn a_published_date_without_raw_data_is_kept() {
    let env = env_with_failures();
    let expected = all_rows(&env);
    let dates = env.rows("select distinct meeting_date from quality_samples order by all");
    remove(env.store().join(format!("raw/quality/meeting_date={}", dates[0])));
    let text = RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0).stdout;
    assert!(text.contains("kept as published") && text.contains(&dates[0]), "{text}");
    assert_same_rows(&env, &expected, "kept");
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "synced");
    remove(env.store().join("state"));
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "synced without a ledger");

    remove(env.store().join(format!("raw/meetings/meeting_date={}", dates[0])));
    remove(env.store().join("parquet/_manifest.json"));
    let ran = rebuild(&env, &[]).expect_exit(5);
    assert!(ran.stderr.contains(&dates[0]) && ran.stderr.contains("have no data in raw/"), "{}", ran.stderr);
    assert!(!files(&env.store().join("parquet"), ".parquet").is_empty());
}

#[test]
fn a_rebuild_needs_a_store_and_the_lock() {
    let env = TestEnv::new();
    assert!(rebuild(&env, &[]).expect_exit(5).stderr.contains("the directory does not exist"));
    assert!(!env.store().exists());
    env.sync(&["--max-calls", "5"]).expect_exit(8);
    rebuild(&env, &["--since", "2000-01-02", "--until", "2000-01-01"]).expect_exit(2);
    rebuild(&env, &["--until", "2000-01-01"]).expect_exit(2);
    let paths = vcq_etl::StorePaths::open(&env.store()).expect("a store");
    let lock = vcq_etl::Lock::take(&paths, "sync", 0).expect("free");
    rebuild(&env, &[]).expect_exit(6);
    drop(lock);
    rebuild(&env, &[]).expect_exit(0);
}

#[test]
fn a_refetch_is_published_whole_or_not_at_all() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let before = all_rows(&env);
    let generation = env.manifest()["generation"].clone();
    // Stopped early: readers keep the previous data, although the run published as often as it could.
    let mut command = env.sync_command(&["--refetch", "--max-calls", "60"]);
    command.env("VCQ_PUBLISH_EVERY", "1ms");
    RunOutput::new(command.output().expect("runs")).expect_exit(8);
    assert_same_rows(&env, &before, "stopped early");
    // Stopped early again, by a plain sync that continues the refetch.
    let text = {
        let mut command = env.sync_command(&["--max-calls", "30"]);
        command.env("VCQ_PUBLISH_EVERY", "1ms");
        RunOutput::new(command.output().expect("runs")).expect_exit(8)
    };
    assert_same_rows(&env, &before, &text.stderr);
    assert!(env.manifest()["generation"].as_u64() >= generation.as_u64());
    env.sync(&[]).expect_exit(0);
    let asked_once = "select count(*) from coverage where attempts = 1";
    assert_eq!(env.number(asked_once), 0, "everything was requested again and is published");
    for (sql, rows) in ALL_ROWS.iter().zip(&before).take(3) {
        assert!(env.rows(sql) == *rows, "{sql}");
    }
    assert_requests_only_the_meeting_list(&env);
}
