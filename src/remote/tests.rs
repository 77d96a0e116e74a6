//! The protocol of a copy, with a store in memory that is killed at every request.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::bucket::Bucket;
use super::fixture::FailingStore;
use super::layout::Layout;
use super::listing::Listing;
use super::*;
use crate::text::hex;

pub(super) const DAY_US: i64 = 86_400_000_000;
pub(super) const NEVER: usize = usize::MAX;

/// A dataset on disk.
pub(super) struct Dataset {
    pub(super) folder: tempfile::TempDir,
    pub(super) manifest: String,
}

impl Dataset {
    /// Files of the table `meetings`, one a date: day of November, run, text.
    pub(super) fn new(generation: u64, files: &[(u32, &str, &str)]) -> Dataset {
        let folder = tempfile::tempdir().expect("a folder");
        let files = files.iter().map(|(day, run, text)| {
            let path = format!("meetings/meeting_date=2026-11-{day:02}/part-{run}-0.parquet");
            let file = folder.path().join(&path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("created");
            fs::write(file, text).expect("written");
            let sha256 = hex(&Sha256::digest(text.as_bytes()));
            serde_json::json!({ "path": path, "bytes": text.len(), "sha256": sha256 })
        });
        let files: Vec<_> = files.collect();
        let manifest = serde_json::json!({
            "generation": generation, "schema_version": 6, "run_id": format!("run{generation}"), "files": files,
        });
        Dataset { folder, manifest: format!("{manifest}\n") }
    }

    pub(super) fn first() -> Dataset {
        Dataset::new(1, &[(1, "r1", "one"), (2, "r1", "two"), (3, "r1", "three")])
    }

    /// Two dates have other rows, one is gone, one is new.
    pub(super) fn second() -> Dataset {
        Dataset::new(2, &[(1, "r1", "one"), (2, "r2", "two, again"), (4, "r2", "four")])
    }

    pub(super) fn local(&self, keep_us: i64, now_us: i64) -> LocalDataset<'_> {
        let store = StoreFile {
            store_id: "a1".to_owned(),
            identity: None,
            topics: None,
            identity_key_id: None,
            buildings: None,
        };
        let on_upload: OnUpload = Arc::new(|_| ());
        let (folder, raw) = (self.folder.path(), RawFiles::default());
        LocalDataset { store, manifest: &self.manifest, folder, has_delta_logs: false, raw, keep_us, now_us, on_upload }
    }
}

pub(super) fn bucket(store: impl ObjectStore) -> Bucket {
    Bucket::new(Arc::new(store), "lake/vcq", "s3://lake/vcq", None)
}

/// A bucket without faults on these objects.
pub(super) fn on(objects: &Arc<InMemory>) -> Bucket {
    bucket(FailingStore::new(Arc::clone(objects), NEVER, false, true))
}

pub(super) async fn names(objects: &InMemory) -> BTreeSet<String> {
    let listed: Vec<_> = objects.list(None).try_collect().await.expect("listed");
    listed.into_iter().map(|object| object.location.as_ref().trim_start_matches("lake/vcq/").to_owned()).collect()
}

/// The generation that a reader sees. Every file that the manifest names must be there with its bytes.
pub(super) async fn seen(objects: &InMemory) -> u64 {
    let at = |path: &str| ObjectPath::from(format!("lake/vcq/{path}"));
    let read = async |path: &str| objects.get(&at(path)).await.expect(path).bytes().await.expect(path);
    let listing = Listing::parse(&read("_manifest.json").await).expect("a manifest");
    for file in &listing.files {
        assert_eq!(hex(&Sha256::digest(&read(&file.path).await)), file.sha256, "{}", file.path);
    }
    listing.generation
}

#[tokio::test]
async fn only_files_that_are_not_there_are_uploaded() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    let copied = copy(&on(&objects), &first.local(DAY_US, 0)).await.expect("copied");
    assert_eq!((copied.files, copied.uploaded_files, copied.uploaded_bytes), (3, 3, 11));
    assert_eq!(
        copied.requests, 11,
        "two reads and a write of _store.json, no tenants, manifest, list, three files, two manifests"
    );
    let again = copy(&on(&objects), &first.local(DAY_US, 0)).await.expect("copied");
    assert_eq!((again.uploaded_files, again.requests), (0, 3), "nothing is written");
    let copied = copy(&on(&objects), &second.local(DAY_US, 0)).await.expect("copied");
    assert_eq!((copied.uploaded_files, copied.removed_files, copied.replaced_files), (2, 0, 3));
    assert_eq!(seen(&objects).await, 2);
}

#[tokio::test]
async fn a_copy_killed_at_any_request_is_completed_by_the_next() {
    let (first, second) = (Dataset::first(), Dataset::second());
    let mut kills = 0;
    for has_conditions in [true, false] {
        for takes_effect in [true, false] {
            for at in 0.. {
                let before = Arc::new(InMemory::new());
                copy(&on(&before), &first.local(DAY_US, 0)).await.expect("copied");
                let store = FailingStore::new(Arc::clone(&before), at, takes_effect, has_conditions);
                let killed = copy(&bucket(store), &second.local(0, DAY_US)).await;
                let generation = seen(&before).await;
                let store = FailingStore::new(Arc::clone(&before), NEVER, false, has_conditions);
                copy(&bucket(store), &second.local(0, 2 * DAY_US)).await.expect("completed");
                assert_eq!(seen(&before).await, 2, "request {at}");
                let names = names(&before).await;
                let parts = names.iter().filter(|name| name.ends_with(".parquet")).count();
                assert_eq!((parts, names.len()), (3, 7), "nothing else is left: {names:?}");
                match killed {
                    Ok(_) => break,
                    Err(_) => kills += 1,
                }
                assert!(generation == 1 || generation == 2);
            }
        }
    }
    assert!(kills > 40, "{kills}");
}

#[tokio::test]
async fn a_first_copy_killed_at_any_request_shows_nothing_or_all() {
    let first = Dataset::first();
    for at in 0.. {
        let objects = Arc::new(InMemory::new());
        let store = FailingStore::new(Arc::clone(&objects), at, true, true);
        let killed = copy(&bucket(store), &first.local(DAY_US, 0)).await;
        if names(&objects).await.contains("_manifest.json") {
            assert_eq!(seen(&objects).await, 1);
        }
        copy(&on(&objects), &first.local(DAY_US, 0)).await.expect("completed");
        assert_eq!(seen(&objects).await, 1);
        if killed.is_ok() {
            assert!(at > 8);
            break;
        }
    }
}

#[tokio::test]
async fn replaced_files_stay_for_the_given_time() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    objects.put(&ObjectPath::from("lake/vcq/notes.txt"), "mine".into()).await.expect("written");
    objects.put(&ObjectPath::from("lake/vcq2/meetings/part-a-0.parquet"), "x".into()).await.expect("written");
    copy(&on(&objects), &first.local(7 * DAY_US, 0)).await.expect("copied");
    let all = names(&objects).await;
    copy(&on(&objects), &second.local(7 * DAY_US, DAY_US)).await.expect("copied");
    assert!(names(&objects).await.is_superset(&all));
    let copied = copy(&on(&objects), &second.local(7 * DAY_US, 7 * DAY_US)).await.expect("copied");
    assert_eq!((copied.removed_files, copied.replaced_files), (0, 3));
    let copied = copy(&on(&objects), &second.local(7 * DAY_US, 8 * DAY_US)).await.expect("copied");
    assert_eq!((copied.removed_files, copied.replaced_files), (3, 0));
    let left = names(&objects).await;
    assert!(!left.contains("meetings/meeting_date=2026-11-03/part-r1-0.parquet"));
    assert!(!left.contains("_manifest/1-run1.json") && left.contains("_manifest/2-run2.json"));
    assert!(left.contains("notes.txt") && left.contains("lake/vcq2/meetings/part-a-0.parquet"), "{left:?}");
    // A part that is named again is no longer waiting for its removal.
    copy(&on(&objects), &Dataset::new(3, &[(1, "r1", "one")]).local(7 * DAY_US, 8 * DAY_US)).await.expect("copied");
    copy(&on(&objects), &Dataset::new(4, &[(2, "r2", "two, again")]).local(0, 9 * DAY_US)).await.expect("copied");
    assert_eq!(seen(&objects).await, 4);
}

#[tokio::test]
async fn only_one_store_writes_below_a_prefix() {
    for has_conditions in [true, false] {
        let objects = Arc::new(InMemory::new());
        let first = Dataset::first();
        let store = || FailingStore::new(Arc::clone(&objects), NEVER, false, has_conditions);
        copy(&bucket(store()), &first.local(DAY_US, 0)).await.expect("copied");
        let before = names(&objects).await;
        let second = Dataset::second();
        let mut local = second.local(0, 0);
        local.store.store_id = "b2".to_owned();
        let error = copy(&bucket(store()), &local).await.expect_err("another store");
        assert!(matches!(error, RemoteError::Foreign { .. }), "{error}");
        assert_eq!(names(&objects).await, before);
        // Another writer that ignores all of this.
        let bucket = bucket(store());
        let read = bucket.read("_manifest.json").await.expect("read").expect("there");
        objects.put(&ObjectPath::from("lake/vcq/_manifest.json"), "{}".into()).await.expect("written");
        let replaced = bucket.replace("_manifest.json", "new".to_owned(), Some(&read.version)).await;
        assert_eq!(matches!(replaced, Err(RemoteError::Changed { .. })), has_conditions);
    }
}

/// The same bucket for a tenant.
fn of_tenant(bucket: Bucket, name: &str) -> Bucket {
    bucket.with_layout(Layout::of_tenant(name).expect("a name"))
}

#[tokio::test]
async fn stores_of_several_tenants_share_a_prefix() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    let of = |name| of_tenant(on(&objects), name);
    let as_store =
        |dataset: &LocalDataset<'_>, id: &str| StoreFile { store_id: id.to_owned(), ..dataset.store.clone() };
    let of_b = |dataset| LocalDataset { store: as_store(&dataset, "b2"), ..dataset };
    copy(&of("acme"), &first.local(0, 0)).await.expect("copied");
    let acme = names(&objects).await;
    for name in [
        "_tenants/acme/_manifest.json",
        "_tenants/acme/_manifest/1-run1.json",
        "_tenants/acme/_store.json",
        "meetings/tenant=acme/meeting_date=2026-11-03/part-r1-0.parquet",
    ] {
        assert!(acme.contains(name), "{acme:?}");
    }
    assert_eq!(acme.len(), 6, "nothing else: {acme:?}");
    // Another tenant has another store, and removes only its own files.
    copy(&of("beta"), &of_b(first.local(0, 0))).await.expect("copied");
    let copied = copy(&of("beta"), &of_b(second.local(0, 0))).await.expect("copied");
    assert_eq!((copied.removed_files, copied.tenant.as_deref()), (3, Some("beta")));
    assert!(names(&objects).await.is_superset(&acme));
    let (_, differences) = compare(&of("acme"), &first.local(0, 0), true).await.expect("read");
    assert_eq!(differences, []);
    let error = copy(&of("acme"), &of_b(second.local(0, 0))).await.expect_err("another store");
    assert!(matches!(error, RemoteError::Foreign { .. }), "{error}");
    // Its own copy comes back with the paths of the store.
    let dataset = find(&of("acme")).await.expect("found");
    assert_eq!(dataset.listing, Listing::parse(first.manifest.as_bytes()).expect("a manifest"));
    let to = tempfile::tempdir().expect("a folder");
    assert_eq!(download(&of("acme"), &dataset, to.path(), to.path()).await.expect("fetched"), 3);
    // A store without a tenant is refused, and writes nothing.
    let before = names(&objects).await;
    let error = copy(&on(&objects), &second.local(0, 0)).await.expect_err("tenants");
    assert!(matches!(error, RemoteError::HasTenants { .. }), "{error}");
    assert_eq!(names(&objects).await, before);
    let objects = Arc::new(InMemory::new());
    copy(&on(&objects), &first.local(0, 0)).await.expect("copied");
    let error = copy(&of_tenant(on(&objects), "acme"), &second.local(0, 0)).await.expect_err("no tenants");
    assert!(matches!(error, RemoteError::HasNoTenants { .. }), "{error}");
}

#[tokio::test]
async fn a_copy_is_not_replaced_by_an_older_dataset_or_by_damaged_files() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    let part = second.folder.path().join("meetings/meeting_date=2026-11-04/part-r2-0.parquet");
    fs::write(&part, "five").expect("written");
    let error = copy(&on(&objects), &second.local(0, 0)).await.expect_err("damaged");
    assert!(matches!(error, RemoteError::LocalDamage { ref path } if *path == part), "{error}");
    fs::write(&part, "four").expect("written");
    copy(&on(&objects), &second.local(0, 0)).await.expect("copied");
    let error = copy(&on(&objects), &first.local(0, 0)).await.expect_err("older");
    assert!(matches!(error, RemoteError::Newer { remote: 2, local: 1, .. }), "{error}");
    assert_eq!(seen(&objects).await, 2);
}

#[tokio::test]
async fn large_files_are_sent_and_fetched_in_pieces() {
    let objects = Arc::new(InMemory::new());
    let text = "0123456789".repeat(10);
    let first = Dataset::new(1, &[(1, "r1", &text), (2, "r1", "small")]);
    let bucket = on(&objects).with_pieces(16);
    let seen_uploads = Arc::new(Mutex::new(Vec::new()));
    let seen_by_progress = Arc::clone(&seen_uploads);
    let on_upload: OnUpload = Arc::new(move |uploaded| seen_by_progress.lock().expect("no panic").push(uploaded));
    let copied = copy(&bucket, &LocalDataset { on_upload, ..first.local(0, 0) }).await.expect("copied");
    let uploads = seen_uploads.lock().expect("no panic").clone();
    let all = |files, bytes| Uploaded { files, of_files: 2, bytes, of_bytes: 105 };
    assert_eq!((uploads[0], uploads[uploads.len() - 1]), (all(0, 0), all(2, 105)));
    assert_eq!(uploads.len(), 1 + 7 + 1 + 2, "the start, each piece, each file");
    assert!(uploads.is_sorted_by_key(|uploaded| (uploaded.bytes, uploaded.files)));
    assert_eq!(copied.requests, 9 + 9, "a hundred bytes are seven pieces and two requests more");
    assert_eq!(seen(&objects).await, 1);
    let to = tempfile::tempdir().expect("a folder");
    let dataset = find(&bucket).await.expect("found");
    let fetch = async || download(&bucket, &dataset, to.path(), to.path()).await;
    assert_eq!(fetch().await.expect("fetched"), 2);
    let part = to.path().join("meetings/meeting_date=2026-11-01/part-r1-0.parquet");
    assert_eq!(fs::read_to_string(&part).expect("read"), text);
    // Only what is missing or damaged is fetched again.
    fs::write(&part, "half").expect("written");
    assert_eq!(fetch().await.expect("fetched"), 1);
    assert_eq!(fs::read_to_string(&part).expect("read"), text);
}

#[tokio::test]
async fn a_comparison_names_every_difference() {
    let objects = Arc::new(InMemory::new());
    let (first, second) = (Dataset::first(), Dataset::second());
    let found = async |dataset: &Dataset, reads_files| {
        let (examined, differences) = compare(&on(&objects), &dataset.local(0, 0), reads_files).await.expect("read");
        assert_eq!(examined, 5);
        let place = |difference: compare::Difference| difference.place.replace("s3://lake/vcq/", "");
        differences.into_iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(found(&first, true).await.len(), 5, "nothing is there");
    copy(&on(&objects), &first.local(0, 0)).await.expect("copied");
    assert_eq!(found(&first, true).await, Vec::<String>::new());
    let changed = "meetings/meeting_date=2026-11-02/part-r1-0.parquet";
    objects.put(&ObjectPath::from(format!("lake/vcq/{changed}")), "TWO".into()).await.expect("written");
    assert_eq!(found(&first, false).await, Vec::<String>::new());
    assert_eq!(found(&first, true).await, [changed]);
    let expected = [
        "_manifest.json",
        "meetings/meeting_date=2026-11-02/part-r2-0.parquet",
        "meetings/meeting_date=2026-11-04/part-r2-0.parquet",
    ];
    assert_eq!(found(&second, true).await, expected);
}

#[tokio::test]
async fn a_copy_that_names_files_elsewhere_is_not_fetched() {
    let objects = Arc::new(InMemory::new());
    let error = find(&on(&objects)).await.expect_err("nothing");
    assert!(matches!(error, RemoteError::NothingThere { .. }), "{error}");
    let first = Dataset::first();
    copy(&on(&objects), &first.local(0, 0)).await.expect("copied");
    for path in ["../meetings/part-r1-0.parquet", "/meetings/part-r1-0.parquet", "meetings/../../part-r1-0.parquet"] {
        let text = first.manifest.replacen("meetings/meeting_date=2026-11-01/part-r1-0.parquet", path, 1);
        objects.put(&ObjectPath::from("lake/vcq/_manifest.json"), text.into()).await.expect("written");
        let error = find(&on(&objects)).await.expect_err(path);
        assert!(matches!(error, RemoteError::RemoteDamage { .. }), "{error}");
    }
    let part = "lake/vcq/meetings/meeting_date=2026-11-01/part-r1-0.parquet";
    objects.put(&ObjectPath::from("lake/vcq/_manifest.json"), first.manifest.clone().into()).await.expect("written");
    objects.put(&ObjectPath::from(part), "ONE".into()).await.expect("written");
    let to = tempfile::tempdir().expect("a folder");
    let dataset = find(&on(&objects)).await.expect("found");
    let error = download(&on(&objects), &dataset, to.path(), to.path()).await.expect_err("damaged");
    assert!(matches!(error, RemoteError::RemoteDamage { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_is_a_target_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/lake");
    let target = Target::parse(path.to_str().expect("UTF-8")).expect("a target");
    let options = RemoteOptions {
        endpoint: None,
        region: None,
        key: None,
        profile: AwsProfile::default(),
        max_tries: 1,
        backoff_base: std::time::Duration::ZERO,
        request_timeout: std::time::Duration::from_secs(1),
    };
    assert!(matches!(open(&target, &options).err(), Some(RemoteError::NothingThere { .. })));
    let (first, second) = (Dataset::first(), Dataset::second());
    let bucket = || open_for_writing(&target, &options).expect("opened");
    copy(&bucket(), &first.local(0, 0)).await.expect("copied");
    // What a killed run leaves.
    fs::write(path.join("meetings/meeting_date=2026-11-01/part-r9-0.parquet#1"), "half").expect("written");
    let copied = copy(&bucket(), &second.local(0, 0)).await.expect("copied");
    assert!(!copied.conditional_writes, "a directory has no conditional replacement");
    let (_, differences) = compare(&bucket(), &second.local(0, 0), true).await.expect("read");
    assert_eq!(differences, []);
    let files = |path: &Path| fs::read_dir(path).expect("a folder").count();
    assert_eq!(files(&path.join("meetings/meeting_date=2026-11-01")), 1);
    assert_eq!(files(&path.join("_manifest")), 1);
}
