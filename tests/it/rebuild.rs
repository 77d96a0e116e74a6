//! Everything right of `raw/` comes back from `raw/`, and nothing that was answered is asked again.

use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;
use vcq_simulator::Endpoint;

use crate::support::world::{Ran, World};

/// All that is published, times of asking and log ids included: a rebuild has the same answers.
const EVERYTHING: &[&str] = &[
    "select * from meetings order by all",
    "select * from participants order by all",
    "select * from quality_samples order by all",
    "select * from coverage order by all",
    "select * from rejects order by all",
];

pub(crate) fn everything(world: &World) -> Vec<Vec<String>> {
    EVERYTHING.iter().map(|sql| world.rows(sql)).collect()
}

#[track_caller]
pub(crate) fn same(world: &World, expected: &[Vec<String>], of: &str) {
    for ((sql, one), other) in EVERYTHING.iter().zip(everything(world)).zip(expected) {
        assert_eq!(one.len(), other.len(), "{of}: {sql}");
        assert!(&one == other, "{of}: rows differ: {sql}");
    }
}

pub(crate) fn rebuild(world: &World, more: &[&str]) -> Ran {
    let mut arguments = vec!["rebuild", "--summary", "json"];
    arguments.extend(more);
    let mut command = world.vcq(&arguments);
    // Offline, and without credentials.
    command.env_remove("VCQ_BASE_URL").env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    Ran::of(command.output().expect("the binary runs"))
}

/// A store with failures, forbidden ones, rejects and repeated asking in it.
fn eventful() -> World {
    let world = World::new();
    world.faults(&["participant_quality_list:html@share=0.1"]);
    world.sync(&[]).ended(7);
    world.faults(&["participant_quality_list:no-permission@share=0.05"]);
    world.sync(&[]).ended(0);
    world
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

/// The next sync asks for the meeting list and for nothing that was answered.
#[track_caller]
pub(crate) fn asks_only_for_meetings(world: &World) {
    world.simulator().reset_stats();
    world.sync(&[]).ended(0);
    let stats = world.simulator().stats();
    assert_eq!(stats.calls(Endpoint::ParticipantList), 0);
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), 0);
}

#[test]
fn all_but_raw_can_be_lost() {
    let world = eventful();
    let expected = everything(&world);
    let generation = world.manifest()["generation"].as_u64().expect("a number");
    let calls = world.calls();
    for lost in [vec!["state"], vec!["parquet"], vec!["vcq.duckdb"], vec!["state", "parquet", "vcq.duckdb", ".work"]] {
        for name in &lost {
            remove(world.store().join(name));
        }
        let summary = rebuild(&world, &[]).ended(0).summary();
        assert_eq!(summary["samples"], world.number("select count(*) from quality_samples"), "{lost:?}");
        same(&world, &expected, &format!("{lost:?}"));
    }
    assert!(world.manifest()["generation"].as_u64() >= Some(1), "was {generation}");
    assert_eq!(world.calls(), calls, "nobody was asked");
    asks_only_for_meetings(&world);
    same(&world, &expected, "after the next sync");
}

#[test]
fn a_rebuild_of_a_sound_store_changes_no_byte_of_parquet() {
    let world = eventful();
    let (before, expected) = (world.manifest(), everything(&world));
    let summary = rebuild(&world, &[]).ended(0).summary();
    assert_eq!(summary["dates_published"].as_array().map(Vec::len), Some(0), "{summary}");
    assert_eq!(before["files"], world.manifest()["files"]);
    same(&world, &expected, "rebuilt");
    assert_eq!(
        world.rows("select command, outcome from runs order by started_utc desc limit 1"),
        ["rebuild | complete"]
    );
}

#[test]
fn a_sync_without_its_ledger_asks_for_nothing_twice() {
    let world = eventful();
    let expected = everything(&world);
    remove(world.store().join("state"));
    let text = Ran::of(world.vcq(&["sync", "--since", "2000-01-01"]).output().expect("runs")).ended(0).stdout;
    assert!(text.contains("in the raw log and not in the ledger"), "{text}");
    same(&world, &expected, "synced");
    asks_only_for_meetings(&world);
}

#[test]
fn a_sync_publishes_again_what_is_not_published_any_more() {
    let world = eventful();
    let expected = everything(&world);
    remove(world.store().join("vcq.duckdb"));
    remove(world.store().join("parquet"));
    asks_only_for_meetings(&world);
    same(&world, &expected, "published again");
}

#[test]
fn an_older_ledger_is_brought_after_the_raw_log() {
    let world = World::new();
    world.sync(&["--max-calls", "40"]).ended(8);
    let ledger = world.store().join("state/ledger.sqlite");
    let older = fs::read(&ledger).expect("a ledger");
    world.sync(&[]).ended(0);
    let expected = everything(&world);
    // As a kill leaves it between the answer's sync and the ledger's commit, only for many answers at once.
    fs::write(&ledger, older).expect("restored");
    world.simulator().reset_stats();
    world.sync(&[]).ended(0);
    assert_eq!(world.simulator().stats().calls(Endpoint::ParticipantQualityList), 0);
    same(&world, &expected, "caught up");
}

#[test]
fn a_damaged_ledger_is_put_aside() {
    let world = eventful();
    let expected = everything(&world);
    let ledger = world.store().join("state/ledger.sqlite");
    for damage in [b"this is no database, whatever its name says; it is long enough to be one".to_vec(), {
        let mut bytes = fs::read(&ledger).expect("a ledger");
        let middle = bytes.len() / 3;
        bytes[middle..middle + 8_192].fill(0xA5);
        bytes
    }] {
        fs::write(&ledger, &damage).expect("damaged");
        let ran = rebuild(&world, &[]).ended(0);
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
        same(&world, &expected, "rebuilt");
        asks_only_for_meetings(&world);
    }
    assert!(files(&world.store().join("state"), "").iter().any(|path| path.to_string_lossy().contains(".damaged-")));
    fs::write(&ledger, b"this is no database, whatever its name says; it is long enough to be one").expect("damaged");
    let ran = world.sync(&[]).ended(5);
    assert!(ran.stderr.contains("vcq-etl rebuild"), "{}", ran.stderr);
}

#[test]
fn a_manifest_that_is_lost_or_damaged_is_made_again() {
    let world = eventful();
    let expected = everything(&world);
    let manifest = world.store().join("parquet/_manifest.json");
    fs::write(&manifest, "{").expect("damaged");
    let some_days = rebuild(&world, &["--since", "2000-01-01"]).ended(5);
    assert!(some_days.stderr.contains("rebuild without --since"), "{}", some_days.stderr);
    rebuild(&world, &[]).ended(0);
    same(&world, &expected, "damaged");
    remove(manifest);
    let some_days = rebuild(&world, &["--since", "2000-01-01"]).ended(5);
    assert!(some_days.stderr.contains("rebuild without --since"), "{}", some_days.stderr);
    rebuild(&world, &[]).ended(0);
    same(&world, &expected, "lost");
    asks_only_for_meetings(&world);
}

#[test]
fn what_was_tampered_with_is_put_right() {
    let world = eventful();
    let (expected, before) = (everything(&world), world.manifest());
    for damage in ["update quality_samples set network_delay_ms = 1", "delete from coverage", "drop table rejects"] {
        let connection = Connection::open(world.store().join("vcq.duckdb")).expect("opens");
        connection.execute_batch(damage).expect(damage);
        drop(connection);
        rebuild(&world, &[]).ended(0);
        same(&world, &expected, damage);
    }
    for part in files(&world.store().join("parquet"), ".parquet") {
        let mut bytes = fs::read(&part).expect("a part");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&part, bytes).expect("damaged");
    }
    rebuild(&world, &[]).ended(0);
    same(&world, &expected, "every part");
    let sums = |manifest: &serde_json::Value| -> Vec<serde_json::Value> {
        manifest["files"].as_array().expect("files").iter().map(|file| file["sha256"].clone()).collect()
    };
    assert_eq!(sums(&before), sums(&world.manifest()), "the same rows are the same bytes");
}

#[test]
fn some_days_can_be_rebuilt_alone() {
    let world = eventful();
    let expected = everything(&world);
    let dates = world.rows("select distinct meeting_date from quality_samples order by all");
    let connection = Connection::open(world.store().join("vcq.duckdb")).expect("opens");
    connection.execute_batch("delete from quality_samples").expect("deleted");
    drop(connection);
    let other = world.store().join(format!("parquet/quality_samples/meeting_date={}", dates[1]));
    let kept: Vec<_> = files(&other, ".parquet");
    rebuild(&world, &["--since", &dates[0], "--until", &dates[1]]).ended(0);
    same(&world, &expected, "one day, and the database anew");
    assert_eq!(files(&other, ".parquet"), kept);
}

#[test]
fn a_published_day_without_its_answers_is_kept() {
    let world = eventful();
    let expected = everything(&world);
    let dates = world.rows("select distinct meeting_date from quality_samples order by all");
    remove(world.store().join(format!("raw/quality/meeting_date={}", dates[0])));
    let text = Ran::of(world.vcq(&["rebuild"]).output().expect("runs")).ended(0).stdout;
    assert!(text.contains("were kept as they are") && text.contains(&dates[0]), "{text}");
    same(&world, &expected, "kept");
    asks_only_for_meetings(&world);
    same(&world, &expected, "synced");
    remove(world.store().join("state"));
    asks_only_for_meetings(&world);
    same(&world, &expected, "synced without a ledger");

    remove(world.store().join(format!("raw/meetings/meeting_date={}", dates[0])));
    remove(world.store().join("parquet/_manifest.json"));
    let ran = rebuild(&world, &[]).ended(5);
    assert!(ran.stderr.contains(&dates[0]) && ran.stderr.contains("without answers in raw/"), "{}", ran.stderr);
    assert!(!files(&world.store().join("parquet"), ".parquet").is_empty());
}

#[test]
fn a_torn_tail_costs_its_last_record() {
    for zeros in [false, true] {
        let world = World::new();
        world.sync(&[]).ended(0);
        let whole = everything(&world);
        let file = files(&world.store().join("raw/quality"), ".zst").pop().expect("a raw file");
        let mut torn = fs::read(&file).expect("read");
        let length = torn.len();
        torn.truncate(length - 20);
        if zeros {
            // The size was on disk and the bytes were not.
            torn.resize(length, 0);
        }
        fs::write(&file, torn).expect("torn");
        let text = Ran::of(world.vcq(&["rebuild"]).output().expect("runs")).ended(0).stdout;
        assert!(text.contains("1 record of the raw log was cut off"), "{text}");
        assert_eq!(world.number("select count(*) from coverage where status = 'pending'"), 1);
        world.simulator().reset_stats();
        world.sync(&[]).ended(0);
        assert_eq!(world.simulator().stats().quality_calls().len(), 1, "only the lost one is asked again");
        for (sql, before) in EVERYTHING.iter().zip(&whole).take(3) {
            assert!(world.rows(sql) == *before, "{sql}");
        }
    }
}

#[test]
fn a_rebuild_needs_a_store_and_the_lock() {
    let world = World::new();
    assert!(rebuild(&world, &[]).ended(5).stderr.contains("no such folder"));
    assert!(!world.store().exists());
    world.sync(&["--max-calls", "5"]).ended(8);
    rebuild(&world, &["--since", "2000-01-02", "--until", "2000-01-01"]).ended(2);
    rebuild(&world, &["--until", "2000-01-01"]).ended(2);
    let paths = vcq_etl::StorePaths::open(&world.store()).expect("a store");
    let lock = vcq_etl::Lock::take(&paths, "sync", 0).expect("free");
    rebuild(&world, &[]).ended(6);
    drop(lock);
    rebuild(&world, &[]).ended(0);
}

#[test]
fn a_refetch_is_seen_whole_or_not_at_all() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let before = everything(&world);
    let generation = world.manifest()["generation"].clone();
    // Cut short: readers keep what they had, though the run published every moment it could.
    let mut command = world.sync_command(&["--refetch", "--max-calls", "60"]);
    command.env("VCQ_PUBLISH_EVERY", "1ms");
    Ran::of(command.output().expect("runs")).ended(8);
    same(&world, &before, "cut short");
    // Cut short again, by a plain sync that goes on.
    let text = {
        let mut command = world.sync_command(&["--max-calls", "30"]);
        command.env("VCQ_PUBLISH_EVERY", "1ms");
        Ran::of(command.output().expect("runs")).ended(8)
    };
    same(&world, &before, &text.stderr);
    assert!(world.manifest()["generation"].as_u64() >= generation.as_u64());
    world.sync(&[]).ended(0);
    let asked_once = "select count(*) from coverage where attempts = 1";
    assert_eq!(world.number(asked_once), 0, "all of it was asked again, and all of it is seen");
    for (sql, rows) in EVERYTHING.iter().zip(&before).take(3) {
        assert!(world.rows(sql) == *rows, "{sql}");
    }
    asks_only_for_meetings(&world);
}
