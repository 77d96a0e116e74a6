//! The publish protocol: what is visible after each step, whatever happened before.

use std::fs;
use std::ops::ControlFlow;

use super::fixture::open_published;
use super::fixture::{DAY, Store, parquet_tables, staged_tables};
use super::paths::wal_of;
use super::*;
use crate::schema::{Storage, TABLES};

fn inode(path: &std::path::Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).expect("metadata").ino()
}

#[test]
fn manifest_parquet_and_database_agree() {
    let store = Store::new();
    let published =
        store.publish("r1", vec![store.stage_all("r1", DAY, 300, 1), store.stage_all("r1", DAY + 1, 200, 2)]);
    store.assert_consistent();
    let files = 2 * staged_tables().count();
    assert_eq!((published.generation, published.files_written, published.files_kept), (1, files, 0));
    assert_eq!(published.dates_changed, ["2026-11-01", "2026-11-02"]);
    assert!(published.compacted && published.duckdb_bytes > 0);
    let listed: Vec<String> = store.manifest().files.iter().map(|file| file.path.clone()).collect();
    let mut sorted = listed.clone();
    sorted.sort();
    assert_eq!(sorted, store.parts_on_disk());
    assert_eq!(listed[0], "meetings/meeting_date=2026-11-01/part-r1-0.parquet");
    assert_eq!(fs::read_dir(store.paths.work()).expect("list").count(), 0, "nothing is left in .work");
}

#[test]
fn publishing_the_same_rows_again_changes_nothing() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 300, 1)]);
    // Each publication has another row of `meta`.
    let other_parts = || -> Vec<String> {
        store.parts_on_disk().into_iter().filter(|part| !part.starts_with("reference/meta/")).collect()
    };
    let (before, parts) = (store.contents(), other_parts());
    let inodes: Vec<u64> = parts.iter().map(|part| inode(&store.paths.part(part))).collect();
    let again = store.publish("r2", vec![store.stage_all("r2", DAY, 300, 1)]);
    store.assert_consistent();
    assert_eq!(store.contents(), before);
    assert_eq!(other_parts(), parts, "an unchanged date keeps its files");
    assert_eq!(parts.iter().map(|part| inode(&store.paths.part(part))).collect::<Vec<_>>(), inodes);
    assert_eq!((again.generation, again.files_written, again.files_kept), (2, 0, staged_tables().count()));
    assert!(again.dates_changed.is_empty());
}

#[test]
fn a_date_is_replaced_as_a_whole() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 50, 1), store.stage_all("r1", DAY + 1, 50, 1)]);
    let published = store.publish("r2", vec![store.stage("r2", DAY, &[("meetings", 7, 9), ("coverage", 0, 0)])]);
    store.assert_consistent();
    assert_eq!(published.dates_changed, ["2026-11-01"]);
    let is_of_day = |path: &String| path.contains("2026-11-01") && !path.starts_with("incident");
    let of_day: Vec<String> = store.parts_on_disk().into_iter().filter(is_of_day).collect();
    assert_eq!(of_day, ["meetings/meeting_date=2026-11-01/part-r2-0.parquet"]);
    assert!(!store.paths.parquet().join("coverage/meeting_date=2026-11-01").exists(), "no empty folder");
    assert_eq!(store.contents()["meetings"].len(), 57);
    // A date without any part is removed.
    store.publish("r3", vec![DatePublication { meeting_date: DAY, parts: Vec::new() }]);
    store.assert_consistent();
    assert_eq!(store.contents()["meetings"].len(), 50);
}

#[test]
fn one_run_may_publish_a_date_again() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 20, 1)]);
    let before = store.manifest();
    store.publish("r1", vec![store.stage_all("r1", DAY, 20, 2)]);
    store.assert_consistent();
    for file in store.manifest().files.into_iter().filter(|file| file.date_with_rows().is_some()) {
        assert!(before.files.iter().all(|old| old.path != file.path), "{} is used twice", file.path);
    }
}

#[test]
fn rows_are_stored_by_date_and_then_by_key() {
    let store = Store::new();
    let dates = [DAY + 2, DAY, DAY + 1].map(|date| store.stage("r1", date, &[("quality_samples", 500, 1)]));
    store.publish("r1", dates.to_vec());
    let connection = open_published(&store.paths).expect("open");
    let unsorted: i64 = connection
        .query_row(
            "select count(*) from (select meeting_date as d, lag(meeting_date) over (order by rowid) as before_d, \
             participant_key as k, lag(participant_key) over (order by rowid) as before_k from quality_samples) \
             where d < before_d or (d = before_d and k < before_k)",
            [],
            |row| row.get(0),
        )
        .expect("query");
    assert_eq!(unsorted, 0);
}

#[test]
fn after_a_stop_at_any_step_the_next_publication_gives_the_same_store() {
    let uninterrupted = Store::new();
    uninterrupted
        .publish("r1", vec![uninterrupted.stage_all("r1", DAY, 40, 1), uninterrupted.stage_all("r1", DAY + 1, 90, 1)]);
    uninterrupted.publish("r2", vec![uninterrupted.stage_all("r2", DAY, 40, 2)]);
    for &stop in Step::ALL {
        let store = Store::new();
        // More rows stay than are removed, so the next database is an update of the current one.
        store.publish("r1", vec![store.stage_all("r1", DAY, 40, 1), store.stage_all("r1", DAY + 1, 90, 1)]);
        let old = store.contents();
        let error = store
            .try_publish("r2", vec![store.stage_all("r2", DAY, 40, 2)], PublishMode::Update, &mut |step| {
                if step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .expect_err("stopped");
        assert!(matches!(error, LoadError::Stopped { step } if step == stop), "{error}");
        // Readers see one of the two generations completely.
        let seen = store.contents();
        assert!(seen == old || seen == uninterrupted.contents(), "{stop:?}");
        // The next run.
        store.paths.clean_work().expect("clean");
        store.paths.remove_orphans().expect("orphans");
        let completed = store.publish("r3", vec![store.stage_all("r3", DAY, 40, 2)]);
        assert!(!completed.compacted, "{stop:?}: updated from the current file");
        store.assert_consistent();
        assert_eq!(store.contents(), uninterrupted.contents(), "{stop:?}");
        assert_eq!(store.parts_on_disk().len(), store.manifest().files.len(), "{stop:?}");
    }
}

#[test]
fn a_publication_without_dates_completes_one_that_crashed_between_manifest_and_database() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 40, 1), store.stage_all("r1", DAY + 1, 40, 1)]);
    let _ = store.try_publish("r2", vec![store.stage_all("r2", DAY, 40, 2)], PublishMode::Update, &mut |step| {
        if step == Step::RenameDatabase { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let published = store.publish("r3", Vec::new());
    store.assert_consistent();
    assert_eq!(published.generation, 3);
}

#[test]
fn a_missing_or_damaged_database_is_rebuilt_from_parquet() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 40, 1)]);
    let before = store.contents();
    let intact = fs::read(store.paths.database()).expect("read");
    let damaged_middle: Vec<u8> =
        intact.iter().enumerate().map(|(n, byte)| if n > 12_288 { byte ^ 0xff } else { *byte }).collect();
    for damaged in [b"not a database".to_vec(), Vec::new(), intact[..intact.len() / 2].to_vec(), damaged_middle] {
        fs::remove_file(store.paths.database()).expect("published");
        fs::write(store.paths.database(), damaged).expect("write");
        store.publish("r2", Vec::new());
        store.assert_consistent();
        assert_eq!(store.contents(), before);
    }
    fs::remove_file(store.paths.database()).expect("remove");
    fs::remove_file(wal_of(&store.paths.database())).expect("the link");
    fs::write(wal_of(&store.paths.database()), "of another database").expect("write");
    store.publish("r3", Vec::new());
    store.assert_consistent();
}

#[test]
fn a_database_of_another_program_is_left_unchanged() {
    let store = Store::new();
    let connection = duckdb::Connection::open(store.paths.database()).expect("open");
    connection.execute_batch("create table precious as select 42 as answer").expect("create");
    connection.close().expect("close");
    let error = store
        .try_publish("r1", Vec::new(), PublishMode::Update, &mut |_| ControlFlow::Continue(()))
        .expect_err("foreign");
    assert!(matches!(error, LoadError::ForeignDatabase { .. }), "{error}");
    assert!(matches!(open_published(&store.paths), Err(LoadError::ForeignDatabase { .. })));
}

#[test]
fn a_damaged_or_missing_manifest_stops_a_publication_and_not_a_rebuild() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 40, 1), store.stage_all("r1", DAY + 1, 40, 1)]);
    let proceed = &mut |_| ControlFlow::Continue(());
    for damage in [Some("{"), None] {
        match damage {
            Some(text) => fs::write(store.paths.manifest(), text).expect("write"),
            None => fs::remove_file(store.paths.manifest()).expect("remove"),
        }
        let parts = store.parts_on_disk();
        let dates = || vec![store.stage_all("r2", DAY, 40, 1)];
        let error = store.try_publish("r2", dates(), PublishMode::Update, proceed).expect_err("damaged");
        assert!(
            matches!(error, LoadError::CorruptManifest { .. } | LoadError::MissingManifest { .. }),
            "{damage:?}: {error}"
        );
        assert_eq!(store.parts_on_disk(), parts);
        let published = store.try_publish("r2", dates(), PublishMode::Replace, proceed).expect("rebuild");
        store.assert_consistent();
        assert!(published.generation >= 2, "the generation continues");
        assert_eq!(store.contents()["meetings"].len(), 40, "the other date was removed");
        let undated = TABLES.iter().filter(|table| table.storage == Storage::Reference).count();
        assert_eq!(store.parts_on_disk().len(), parquet_tables().count() + undated);
    }
}

#[test]
fn inconsistent_publications_are_rejected_before_anything_changes() {
    let store = Store::new();
    let day = store.stage_all("r1", DAY, 3, 1);
    let mut misdated = store.stage("r1", DAY + 1, &[("meetings", 3, 1)]);
    misdated.meeting_date = DAY;
    let mut double = day.clone();
    double.parts.extend(day.parts.clone());
    for (run_id, dates) in [
        ("../r1", vec![day.clone()]),
        ("", vec![day.clone()]),
        ("r1", vec![day.clone(), day]),
        ("r1", vec![misdated]),
        ("r1", vec![double]),
    ] {
        let result = store.try_publish(run_id, dates, PublishMode::Update, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(result, Err(LoadError::Inconsistent { .. })), "{run_id}");
    }
    assert_eq!(Manifest::read(&store.paths).expect("read"), None);
}

#[test]
fn the_error_names_a_path_that_cannot_be_written() {
    // A file in place of a directory: an error for every user, including root.
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 3, 1)]);
    let before = store.contents();
    fs::write(store.paths.parquet().join("meetings/meeting_date=2026-11-02"), "").expect("write");
    let error = store
        .try_publish("r2", vec![store.stage_all("r2", DAY + 1, 3, 1)], PublishMode::Update, &mut |_| {
            ControlFlow::Continue(())
        })
        .expect_err("no folder");
    assert!(matches!(&error, LoadError::Io { path, .. } if path.ends_with("meeting_date=2026-11-02")), "{error}");
    store.assert_consistent();
    assert_eq!(store.contents(), before);
}

#[test]
fn a_failure_of_the_caller_leaves_the_old_database() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 3, 1)]);
    let publication = Publication {
        run_id: "r2",
        now_us: 0,
        dates: Vec::new(),
        mode: PublishMode::Update,
        timezone: "UTC",
        user_id_type: "open_id",
        definitions: Definitions::NONE,
        reference_rows: &[],
        database: DatabaseOptions::default(),
    };
    let error =
        publish(&store.paths, &publication, &mut |_| Err("no totals".into()), &mut |_| ControlFlow::Continue(()))
            .expect_err("refused");
    assert!(matches!(error, LoadError::Runs { .. }), "{error}");
    assert_eq!(store.contents()["meetings"].len(), 3);
}

#[test]
fn special_characters_in_a_folder_name_have_no_effect() {
    for name in
        ["it's a \"store\"", "q?x=1", "a*b", "c[d]e", "会议 ; drop table", "email=x", "meeting_date=1999-01-01", "#%20"]
    {
        let store = Store::below(name);
        for (run_id, seed) in [("r1", 1), ("r2", 2)] {
            let tables = [("meetings", 30, seed), ("participants", 30, seed)];
            store.publish(run_id, [DAY, DAY + 1].map(|date| store.stage(run_id, date, &tables)).to_vec());
        }
        if name.contains('=') {
            // Other readers take such a name for a Hive partition; ours must not.
            assert_eq!(store.contents()["participants"].len(), 60, "{name}");
            let connection = open_published(&store.paths).expect("open");
            let dates: i64 = connection
                .query_row(
                    "select count(distinct meeting_date) from meetings where meeting_date >= date '2026-11-01'",
                    [],
                    |row| row.get(0),
                )
                .expect("query");
            assert_eq!(dates, 2, "{name}");
            let wrong: i64 = connection
                .query_row("select count(*) from participants where email = 'x'", [], |row| row.get(0))
                .expect("query");
            assert_eq!(wrong, 0, "{name}");
        } else {
            store.assert_consistent();
        }
        assert_eq!(fs::read_dir(store.paths.work()).expect("list").count(), 0, "{name}");
    }
}

#[test]
fn replacing_the_last_days_every_night_does_not_grow_the_file() {
    let store = Store::new();
    let history: Vec<_> = (0..10).map(|day| store.stage("r0", DAY + day, &[("quality_samples", 2_500, 1)])).collect();
    store.publish("r0", history);
    let mut bytes = 0;
    for night in 1..=5 {
        let run_id = format!("r{night}");
        let dates = (7..10).map(|day| store.stage(&run_id, DAY + day, &[("quality_samples", 2_500, night)])).collect();
        bytes = store.publish(&run_id, dates).duckdb_bytes;
    }
    store.assert_consistent();
    let fresh = Store::new();
    let days = |seed_of: &dyn Fn(i32) -> u64| {
        (0..10).map(|day| fresh.stage("r0", DAY + day, &[("quality_samples", 2_500, seed_of(day))])).collect::<Vec<_>>()
    };
    let compact = fresh.publish("r0", days(&|day| if day < 7 { 1 } else { 5 })).duckdb_bytes;
    // A small file may have 4 MiB of unused space.
    assert!(bytes <= compact + (5 << 20), "{bytes} bytes, {compact} when compact");
    assert_eq!(store.contents(), fresh.contents());
}

#[test]
fn without_a_database_the_files_are_complete_and_the_old_one_is_removed() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 20, 1)]);
    let off =
        |run_id: &str, date| store.publish_into(run_id, vec![store.stage_all(run_id, date, 20, 1)], DatabaseDates::Off);
    let published = off("r2", DAY + 1);
    assert_eq!(published.duckdb_bytes, 0);
    let removed: Vec<&String> = published.notes.iter().filter(|note| note.starts_with("removed vcq.duckdb,")).collect();
    assert_eq!(removed.len(), 1, "{:?}", published.notes);
    assert!(!store.paths.database().exists());
    assert_eq!(fs::read_dir(store.paths.work()).expect("list").count(), 0);
    assert!(off("r3", DAY + 2).notes.is_empty(), "there was none");
    assert_eq!(store.manifest().database, Held::Nothing);
    store.publish("r4", Vec::new());
    store.assert_consistent();
    assert_eq!(store.contents()["meetings"].len(), 60);
}

#[test]
fn a_rebuild_trusts_no_file_by_its_name() {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 20, 1), store.stage_all("r1", DAY + 1, 20, 1)]);
    let before = store.manifest();
    let is_of =
        |file: &&PublishedFile, date: &str| file.table == "meetings" && file.meeting_date.as_deref() == Some(date);
    let part = |manifest: &Manifest, date: &str| {
        manifest.files.iter().find(|file| is_of(file, date)).expect("a part").path.clone()
    };
    let damaged = store.paths.part(&part(&before, "2026-11-01"));
    let mut bytes = fs::read(&damaged).expect("there");
    bytes[10] ^= 1;
    fs::write(&damaged, bytes).expect("written");
    let dates = vec![store.stage_all("r2", DAY, 20, 1), store.stage_all("r2", DAY + 1, 20, 1)];
    store.try_publish("r2", dates, PublishMode::Replace, &mut |_| ControlFlow::Continue(())).expect("published");
    store.assert_consistent();
    let after = store.manifest();
    assert_ne!(part(&after, "2026-11-01"), part(&before, "2026-11-01"), "the damaged file is replaced");
    assert_eq!(part(&after, "2026-11-02"), part(&before, "2026-11-02"), "the other one stays");
}

#[test]
fn a_rebuild_removes_the_files_of_an_interrupted_one() {
    for mode in [PublishMode::Recheck, PublishMode::Replace] {
        let store = Store::new();
        store.publish("r1", vec![store.stage_all("r1", DAY, 20, 1)]);
        for step in Step::ALL.iter().copied() {
            let publish = |run_id: &str, stop: Option<Step>| {
                let dates = vec![store.stage_all(run_id, DAY, 20, 2)];
                store.try_publish(run_id, dates, mode, &mut |step| match Some(step) == stop {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                })
            };
            publish(&format!("stopped-{step:?}"), Some(step)).expect_err("stopped");
            publish(&format!("whole-{step:?}"), None).expect("published");
            let mut listed: Vec<String> = store.manifest().files.into_iter().map(|file| file.path).collect();
            listed.sort();
            assert_eq!(store.parts_on_disk(), listed, "{mode:?}, stopped before {step:?}");
        }
    }
}
