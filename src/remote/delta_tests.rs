//! The logs after faults at every request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use serde_json::Value;

use super::fixture::FailingStore;
use super::tests::{DAY_US, Dataset, NEVER, bucket, names, on, seen};
use super::*;

fn with_logs(dataset: &Dataset, keep_us: i64, now_us: i64) -> LocalDataset<'_> {
    LocalDataset { has_delta_logs: true, ..dataset.local(keep_us, now_us) }
}

/// The number of versions of each log, and the files of `meetings` after the last one, each of which must be there.
async fn logs(objects: &InMemory) -> (BTreeMap<String, u64>, BTreeSet<String>) {
    let (mut lengths, mut files) = (BTreeMap::<String, u64>::new(), BTreeSet::new());
    let names = names(objects).await;
    for name in names.iter().filter(|name| name.contains("/_delta_log/")) {
        let table = name.split_once("/_delta_log/").expect("a log").0;
        let length = lengths.entry(table.to_owned()).or_default();
        assert!(name.ends_with(&format!("/{length:020}.json")), "{name}");
        *length += 1;
        if table != "meetings" {
            continue;
        }
        let path = ObjectPath::from(format!("lake/vcq/{name}"));
        let bytes = objects.get(&path).await.expect("there").bytes().await.expect("read");
        for line in std::str::from_utf8(&bytes).expect("text").lines() {
            let action: Value = serde_json::from_str(line).expect("JSON");
            if let Some(path) = action["add"]["path"].as_str() {
                assert!(files.insert(path.to_owned()), "{path} is added twice");
                assert_eq!(action["add"]["partitionValues"]["meeting_date"], path[13..23]);
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(files.remove(path), "{path} is removed twice");
            }
        }
    }
    assert!(files.iter().all(|file| names.contains(&format!("meetings/{file}"))), "{files:?}");
    (lengths, files)
}

#[tokio::test]
async fn a_table_has_a_version_for_each_publication_that_changes_it() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    let copied = copy(&on(&objects), &with_logs(&first, DAY_US, 0)).await.expect("copied");
    let tables = copied.delta_versions.expect("logs");
    let again = copy(&on(&objects), &with_logs(&first, DAY_US, 0)).await.expect("copied");
    assert_eq!((again.delta_versions, again.requests), (Some(0), 4), "one more: _delta.json");
    // A copy with logs keeps them.
    let copied = copy(&on(&objects), &second.local(DAY_US, 0)).await.expect("copied");
    assert_eq!(copied.delta_versions, Some(1), "only meetings has changed");
    let (lengths, files) = logs(&objects).await;
    assert_eq!((lengths.len() as u64, lengths["meetings"]), (tables, 2));
    assert_eq!(files.len(), 3);
    let (_, differences) = compare(&on(&objects), &second.local(0, 0), true).await.expect("read");
    assert_eq!(differences, []);
    let entry = ObjectPath::from("lake/vcq/meetings/_delta_log/00000000000000000001.json");
    let bytes = objects.get(&entry).await.expect("there").bytes().await.expect("read");
    let text = std::str::from_utf8(&bytes).expect("text");
    assert!(text.contains(r#"{"txn":{"appId":"vcq-etl","version":2,"lastUpdated":0}}"#), "{text}");
    assert!(!text.contains("protocol") && !text.contains("metaData"), "{text}");
    // What another program added is not ours.
    let foreign = r#"{"add":{"path":"meeting_date=2026-11-09/x.parquet","partitionValues":{},"size":1}}"#;
    let entry = ObjectPath::from("lake/vcq/meetings/_delta_log/00000000000000000002.json");
    objects.put(&entry, foreign.into()).await.expect("written");
    let (_, differences) = compare(&on(&objects), &second.local(0, 0), true).await.expect("read");
    assert_eq!(differences[0].place, "s3://lake/vcq/meetings/_delta_log");
    let copied = copy(&on(&objects), &second.local(DAY_US, 0)).await.expect("copied");
    assert_eq!(copied.delta_versions, Some(1));
}

#[tokio::test]
async fn logs_after_a_kill_at_any_request_have_whole_tables_and_no_version_twice() {
    let (first, second) = (Dataset::first(), Dataset::second());
    let mut kills = 0;
    for has_conditions in [true, false] {
        for takes_effect in [true, false] {
            for at in 0.. {
                let objects = Arc::new(InMemory::new());
                copy(&on(&objects), &with_logs(&first, 0, 0)).await.expect("copied");
                let (lengths, before) = logs(&objects).await;
                let store = FailingStore::new(Arc::clone(&objects), at, takes_effect, has_conditions);
                let killed = copy(&bucket(store), &with_logs(&second, 0, DAY_US)).await;
                let generation = seen(&objects).await;
                let (_, between) = logs(&objects).await;
                let store = FailingStore::new(Arc::clone(&objects), NEVER, false, has_conditions);
                copy(&bucket(store), &with_logs(&second, 0, 2 * DAY_US)).await.expect("completed");
                let (lengths_after, after) = logs(&objects).await;
                assert!(between == before || between == after, "request {at}");
                assert!(generation == 1 || between == after, "request {at}: the manifest is last");
                assert_eq!(lengths_after["meetings"], 2, "request {at}");
                assert!(lengths.iter().all(|(table, length)| table == "meetings" || lengths_after[table] == *length));
                match killed {
                    Ok(_) => break,
                    Err(_) => kills += 1,
                }
            }
        }
    }
    assert!(kills > 50, "{kills}");
}

#[tokio::test]
async fn a_first_publication_with_logs_may_be_killed_at_any_request() {
    let first = Dataset::first();
    for at in 0.. {
        let objects = Arc::new(InMemory::new());
        let store = FailingStore::new(Arc::clone(&objects), at, at % 2 == 0, true);
        let killed = copy(&bucket(store), &with_logs(&first, DAY_US, 0)).await;
        logs(&objects).await;
        // The next generation, before the first was completed.
        copy(&on(&objects), &with_logs(&Dataset::second(), 0, DAY_US)).await.expect("completed");
        let (lengths, files) = logs(&objects).await;
        assert!(files.len() == 3 && lengths["meetings"] <= 2, "request {at}: {lengths:?}");
        if killed.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn tenants_have_logs_of_their_own() {
    let objects = Arc::new(InMemory::new());
    let first = Dataset::first();
    for tenant in ["acme", "beta"] {
        let bucket = on(&objects).with_layout(layout::Layout::of_tenant(tenant).expect("a name"));
        copy(&bucket, &with_logs(&first, 0, 0)).await.expect("copied");
        let entry = format!("lake/vcq/meetings/tenant={tenant}/_delta_log/00000000000000000000.json");
        let bytes = objects.get(&ObjectPath::from(entry)).await.expect("there").bytes().await.expect("read");
        let text = std::str::from_utf8(&bytes).expect("text");
        let part = format!(
            r#"{{"add":{{"path":"meeting_date=2026-11-01/part-r1-0.parquet","partitionValues":{{"tenant":"{tenant}","meeting_date":"2026-11-01"}}"#
        );
        assert!(text.contains(&part), "{text}");
        assert!(text.contains(r#""partitionColumns":["tenant","meeting_date"]"#), "{text}");
        assert!(
            text.contains(r#""protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz"]"#)
        );
    }
}
