//! Power loss: nothing is relied on before it is on the disk. Checked on the order of file operations of a sync.

use std::collections::HashSet;
use std::path::Path;

use crate::power_cuts::on_store;
use crate::support::baseline::{Baseline, NthSync};
use crate::support::fault_injection::Operation;
use crate::support::test_store::{TestStore, tiny_env};

/// The file operations up to a point in time.
struct Past<'a>(&'a [Operation]);

impl<'a> Past<'a> {
    /// Index of the last operation of these kinds on a path; a rename counts for its target.
    fn last(&self, kinds: &[&str], path: &str) -> Option<usize> {
        let is_it =
            |one: &Operation| kinds.contains(&one.kind.as_str()) && one.to.as_deref().unwrap_or(&one.path) == path;
        self.0.iter().rposition(is_it)
    }

    /// Whether every byte of a file was synced, under this name or the one it was renamed from.
    fn bytes_are_durable(&self, path: &str) -> bool {
        let renamed = self.last(&["rename"], path);
        let written = self.last(&["write", "copy", "truncate"], path);
        match (written, renamed) {
            (Some(written), _) if renamed.is_none_or(|renamed| renamed < written) => {
                self.last(&["sync"], path) > Some(written)
            }
            (_, Some(renamed)) => {
                self.last(&["sync"], path) > Some(renamed)
                    || Past(&self.0[..renamed]).bytes_are_durable(&self.0[renamed].path)
            }
            _ => true,
        }
    }

    /// Whether the folder entry of a path, and those of its parents, were synced.
    fn name_is_durable(&self, path: &str) -> bool {
        let Some(parent) = Path::new(path).parent().and_then(Path::to_str) else { return true };
        let made = self.last(&["create", "rename", "mkdir"], path);
        let is_synced = made.is_none() || self.last(&["sync"], parent) > made;
        is_synced && self.name_is_durable(parent)
    }

    #[track_caller]
    fn assert_durable(&self, path: &str, before: &Operation) {
        assert!(self.bytes_are_durable(path), "bytes of {path} are not on the disk before {before:?}");
        assert!(self.name_is_durable(path), "the name of {path} is not on the disk before {before:?}");
    }

    /// The files below a folder that were created, renamed or written.
    fn files(&self, folder: &str, suffix: &str) -> HashSet<&'a str> {
        let paths = self.0.iter().filter(|one| matches!(one.kind.as_str(), "create" | "rename" | "write"));
        let paths = paths.map(|one| one.to.as_deref().unwrap_or(&one.path));
        paths.filter(|path| path.starts_with(folder) && path.ends_with(suffix)).collect()
    }
}

/// Checks every operation of a sync. Returns the number of checks of each kind: commits of the ledger, manifests,
/// databases, parts placed, parts removed.
#[track_caller]
fn assert_order(operations: &[Operation]) -> [usize; 5] {
    let mut checks = [0; 5];
    for (at, next) in operations.iter().enumerate() {
        let past = Past(&operations[..at]);
        let target = next.to.as_deref().unwrap_or(&next.path);
        match (next.kind.as_str(), target) {
            // The ledger records an answer, or that a date is published.
            ("write", "state/ledger.sqlite-wal") => {
                past.files("raw/", ".zst").iter().for_each(|path| past.assert_durable(path, next));
                past.assert_durable("vcq.duckdb", next);
                checks[0] += 1;
            }
            ("rename", "parquet/_manifest.json") => {
                assert!(past.bytes_are_durable(&next.path), "{next:?}");
                past.files("parquet/", ".parquet").iter().for_each(|path| past.assert_durable(path, next));
                checks[1] += 1;
            }
            ("rename", "vcq.duckdb") => {
                assert!(past.bytes_are_durable(&next.path), "{next:?}");
                past.assert_durable("parquet/_manifest.json", next);
                checks[2] += 1;
            }
            ("rename", part) if part.ends_with(".parquet") => {
                assert!(past.bytes_are_durable(&next.path), "{next:?}");
                checks[3] += 1;
            }
            ("unlink", part) if part.ends_with(".parquet") => {
                past.assert_durable("vcq.duckdb", next);
                checks[4] += 1;
            }
            _ => {}
        }
    }
    checks
}

#[test]
fn everything_is_synced_before_it_is_relied_on() {
    let env = tiny_env();
    for nth in NthSync::ALL {
        let checks = assert_order(&Baseline::new(*nth, &env).operations);
        let [ledger, manifest, database, placed, removed] = checks;
        assert!(ledger > 10 && manifest == 1 && database == 1 && placed >= 2, "{nth:?}: {checks:?}");
        assert_eq!(removed > 0, *nth == NthSync::Second, "{nth:?}: {checks:?}");
    }
}

#[test]
#[should_panic(expected = "not on the disk before")]
fn a_missing_fsync_is_detected() {
    let env = tiny_env();
    let mut operations = Baseline::new(NthSync::First, &env).operations;
    operations.retain(|operation| !(operation.kind == "sync" && operation.path.starts_with("raw/quality")));
    assert_order(&operations);
}

#[test]
fn what_prune_removes_stays_removed() {
    let env = tiny_env();
    let store = TestStore::new(&env);
    store.sync(None).expect_exit(0);
    let day = &env.window()[3][..10];
    store.run(on_store(&store, &["prune", "--before", day, "--yes"]), None).expect_exit(0);
    let operations = store.operations();
    // With its last commit the ledger forgets that something is removed.
    let end = operations.iter().rposition(|one| one.kind == "write" && one.path.ends_with("ledger.sqlite-wal"));
    let past = Past(&operations[..end.expect("a commit")]);
    let is_data = |path: &str| path.starts_with("raw/") || path.starts_with("parquet/");
    let removed: Vec<&str> =
        past.0.iter().filter(|one| one.kind == "unlink" && is_data(&one.path)).map(|one| one.path.as_str()).collect();
    assert!(removed.iter().any(|path| path.ends_with(".zst")) && removed.iter().any(|path| path.ends_with(".parquet")));
    for path in removed {
        let folder = Path::new(path).parent().expect("a folder");
        let synced_after =
            |removed: Option<usize>, folder: &Path| past.last(&["sync"], &folder.to_string_lossy()) > removed;
        let is_durable = match past.last(&["rmdir"], &folder.to_string_lossy()) {
            gone @ Some(_) => synced_after(gone, folder.parent().expect("a folder")),
            None => synced_after(past.last(&["unlink"], path), folder),
        };
        assert!(is_durable, "{path} may come back after a power cut");
    }
}
