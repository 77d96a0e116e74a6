//! The raw log in a copy, after faults at every request.

use std::fs;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;

use super::fixture::FailingStore;
use super::tests::{DAY_US, Dataset, bucket, names, on, seen};
use super::*;

const GROWN: &str = "raw/quality/meeting_date=2026-11-01/r1-0.jsonl.zst";
const REPLACED: &str = "raw/quality/meeting_date=2026-11-02/r1-0.jsonl.zst";
const REMOVED: &str = "raw/meetings/meeting_date=2026-11-01/r1-0.jsonl.zst";
const NEW: &str = "raw/meetings/meeting_date=2026-11-02/r2-0.jsonl.zst";

/// A store with these raw files.
fn store(files: &[(&str, &str)]) -> (tempfile::TempDir, RawFiles) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("created");
        fs::write(file, text).expect("written");
    }
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let raw = RawFiles { is_copied: true, folder: folder.path().to_owned(), paths, keeps_others: false };
    (folder, raw)
}

fn with_raw<'a>(dataset: &'a Dataset, raw: &RawFiles) -> LocalDataset<'a> {
    LocalDataset { raw: raw.clone(), ..dataset.local(0, DAY_US) }
}

async fn text(objects: &InMemory, path: &str) -> Option<String> {
    let found = objects.get(&ObjectPath::from(format!("lake/vcq/{path}"))).await.ok()?;
    String::from_utf8(found.bytes().await.expect("read").to_vec()).ok()
}

#[tokio::test]
async fn raw_files_that_grow_change_or_go_are_so_in_the_copy_after_a_kill_at_any_request() {
    let (first, second) = (Dataset::first(), Dataset::second());
    let (_one, before) = store(&[(GROWN, "ab"), (REPLACED, "Ann"), (REMOVED, "Bob")]);
    let after_files = [(GROWN, "abcd"), (REPLACED, "n-1"), (NEW, "new")];
    let (_two, after) = store(&after_files);
    let mut kills = 0;
    for takes_effect in [true, false] {
        for at in 0.. {
            let objects = Arc::new(InMemory::new());
            copy(&on(&objects), &with_raw(&first, &before)).await.expect("copied");
            let store = FailingStore::new(Arc::clone(&objects), at, takes_effect, true);
            let killed = copy(&bucket(store), &with_raw(&second, &after)).await;
            let grown = text(&objects, GROWN).await.expect("there");
            assert!(grown == "ab" || grown == "abcd", "request {at}: {grown}");
            // A lost store comes back from the copy as it is.
            let to = tempfile::tempdir().expect("a folder");
            download_raw(&on(&objects), to.path(), to.path()).await.expect("fetched");
            assert_eq!(fs::read_to_string(to.path().join(GROWN)).expect("read"), grown);
            copy(&on(&objects), &with_raw(&second, &after)).await.expect("completed");
            for (path, expected) in after_files {
                assert_eq!(text(&objects, path).await.as_deref(), Some(expected), "request {at}");
            }
            assert!(!names(&objects).await.contains(REMOVED), "request {at}");
            assert_eq!(seen(&objects).await, 2);
            match killed {
                Ok(_) => break,
                Err(_) => kills += 1,
            }
        }
    }
    assert!(kills > 25, "{kills}");
}

#[tokio::test]
async fn raw_files_are_sent_only_if_they_changed_and_on_request() {
    let objects = Arc::new(InMemory::new());
    let first = Dataset::first();
    let (_one, raw) = store(&[(GROWN, "ab"), (REPLACED, "Ann")]);
    let off = RawFiles { is_copied: false, ..raw.clone() };
    let copied = copy(&on(&objects), &with_raw(&first, &off)).await.expect("copied");
    assert!(copied.raw.is_none() && !names(&objects).await.iter().any(|name| name.contains("raw")));
    let error = download_raw(&on(&objects), _one.path(), _one.path()).await.expect_err("none");
    assert!(matches!(error, RemoteError::NoRaw { .. }), "{error}");
    let copied = copy(&on(&objects), &with_raw(&first, &raw)).await.expect("copied").raw.expect("raw");
    assert_eq!((copied.uploaded_files, copied.uploaded_bytes), (2, 5));
    // From then on also without the setting: what is personal must not stay.
    let (_two, rewritten) = store(&[(GROWN, "ab"), (REPLACED, "n-1")]);
    let off = RawFiles { is_copied: false, ..rewritten.clone() };
    let copied = copy(&on(&objects), &with_raw(&first, &off)).await.expect("copied").raw.expect("raw");
    assert_eq!((copied.uploaded_files, copied.removed_files), (1, 0));
    assert_eq!(text(&objects, REPLACED).await.as_deref(), Some("n-1"));
    let (_, differences) = compare(&on(&objects), &with_raw(&first, &rewritten), true).await.expect("read");
    assert_eq!(differences, []);
    let (_, differences) = compare(&on(&objects), &with_raw(&first, &raw), true).await.expect("read");
    assert_eq!(differences.len(), 1);
    // A store that was restored without them leaves them alone.
    let (_three, others) = store(&[(NEW, "new")]);
    let others = RawFiles { keeps_others: true, ..others };
    copy(&on(&objects), &with_raw(&first, &others)).await.expect("copied");
    assert_eq!(text(&objects, GROWN).await.as_deref(), Some("ab"));
    let again = copy(&on(&objects), &with_raw(&first, &others)).await.expect("copied").raw.expect("raw");
    assert_eq!((again.uploaded_files, again.removed_files), (0, 0));
}
