//! A full disk, a lost permission or a failing device at any write: exit 5, published data stays whole, the next run
//! continues.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::baseline::{
    Baseline, NthSync, assert_failure_reported, one_of_each_shape, print_progress, try_all,
};
use crate::support::fault_injection::{Action, EACCES, EDQUOT, EIO, ENOSPC, Fault, Operation};
use crate::support::test_env::TestEnv;
use crate::support::test_store::{RequestCounts, TestStore, tiny_env};

/// A storage failure and the kinds of operations it can happen at.
struct Failure {
    name: &'static str,
    action: Action,
    kinds: &'static str,
}

/// Operations that take space.
const GROWS: &str = "write,create,mkdir,copy";
/// Operations that need a permission.
const NEEDS_PERMISSION: &str = "create,open,mkdir,rename,unlink,rmdir";
/// Operations that a device can refuse.
const REACHES_THE_DEVICE: &str = "write,sync,copy,truncate";

const FAILURES: &[Failure] = &[
    Failure { name: "full from then on", action: Action::Fail(ENOSPC), kinds: GROWS },
    Failure { name: "full in the middle of a write", action: Action::ShortWrite(ENOSPC), kinds: "write,copy" },
    Failure { name: "full once", action: Action::FailOnce(ENOSPC), kinds: GROWS },
    Failure { name: "over quota", action: Action::Fail(EDQUOT), kinds: "write,copy" },
    Failure { name: "permission lost", action: Action::Fail(EACCES), kinds: NEEDS_PERMISSION },
    Failure { name: "permission refused once", action: Action::FailOnce(EACCES), kinds: NEEDS_PERMISSION },
    Failure { name: "device error", action: Action::FailOnce(EIO), kinds: REACHES_THE_DEVICE },
    Failure {
        name: "device gone",
        action: Action::Fail(EIO),
        kinds: "write,sync,copy,truncate,create,open,rename,mkdir",
    },
];

impl Failure {
    fn hits(&self, operation: &Operation) -> bool {
        self.kinds.split(',').any(|kind| kind == operation.kind)
    }

    /// The fault at an operation of the reference run, numbered from 1.
    fn fault(&self, operations: &[Operation], number: usize) -> Fault {
        let at = operations[..number].iter().filter(|operation| self.hits(operation)).count();
        Fault::on(self.action, at, self.kinds, "")
    }

    /// Tries the failure at those of the numbered operations that it can happen at. Returns the number of tries and of
    /// runs that succeeded anyway.
    fn try_at(&self, nth: NthSync, operations: &[Operation], numbers: &[usize]) -> (usize, usize) {
        let numbers: Vec<usize> = numbers.iter().copied().filter(|n| self.hits(&operations[n - 1])).collect();
        try_all(&numbers, nth, |baseline, number| {
            let of = format!("{nth:?}: {} at operation {number}, {:?}", self.name, operations[number - 1]);
            baseline.fail(&self.fault(operations, *number), &of)
        })
    }
}

#[test]
fn a_full_disk_at_each_kind_of_write_loses_nothing() {
    let env = tiny_env();
    let operations = Baseline::new(NthSync::Second, &env).operations;
    let numbers = one_of_each_shape(&operations);
    let (tries, well) = FAILURES[0].try_at(NthSync::Second, &operations, &numbers);
    assert!(tries >= 15 && well <= 3, "{tries} tries, {well} succeeded");
}

#[test]
fn every_other_storage_failure_loses_nothing() {
    for failure in &FAILURES[1..] {
        let env = tiny_env();
        let operations = Baseline::new(NthSync::Second, &env).operations;
        let hit: Vec<usize> =
            one_of_each_shape(&operations).into_iter().filter(|n| failure.hits(&operations[n - 1])).collect();
        let some: Vec<usize> = hit.iter().copied().step_by(hit.len().div_ceil(4)).collect();
        failure.try_at(NthSync::Second, &operations, &some);
    }
}

#[test]
fn a_failed_publication_has_a_summary() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    let is_commit = |one: &&Operation| one.kind == "write" && one.path == "state/ledger.sqlite-wal";
    let published =
        baseline.operations.iter().position(|one| one.to.as_deref() == Some("vcq.duckdb")).expect("published");
    let commits = baseline.operations[..published].iter().filter(is_commit).count();
    for (kind, path, at) in [
        ("rename", "/parquet/", 1),
        ("rename", "/.work/", 1),
        ("rename", "/store/vcq.duckdb", 1),
        // Everything is published, but the ledger cannot record it.
        ("write", "state/ledger.sqlite-wal", commits + 1),
    ] {
        let test_store = baseline.test_store();
        let fault = Fault::on(Action::Fail(ENOSPC), at, kind, path);
        let ran = test_store.sync(Some(&fault)).expect_exit(5);
        assert_failure_reported(&ran, &test_store, path);
        let summary = ran.summary();
        assert_eq!((&summary["exit_code"], &summary["outcome"]), (&5.into(), &"storage".into()), "{path}");
        test_store.take_request_counts();
        test_store.sync(None).expect_exit(0);
        assert_eq!(test_store.take_request_counts(), RequestCounts::new(), "{path}: everything was answered");
        test_store.assert_complete_as(&baseline.after, path);
    }
}

#[test]
fn a_failed_publication_during_a_run_has_a_summary() {
    let env = TestEnv::new();
    env.change(|options| options.latency = std::time::Duration::from_millis(20));
    let test_store = TestStore::new(&env);
    let mut command = test_store.command();
    command.env("VCQ_PUBLISH_EVERY", "10ms").env("VCQ_CONCURRENCY", "2");
    let fault = Fault::on(Action::Fail(ENOSPC), 1, "rename", "/parquet/");
    let ran = test_store.run(command, Some(&fault)).expect_exit(5);
    assert_failure_reported(&ran, &test_store, "/parquet/");
    assert!(!ran.stderr.contains("interrupted"), "{}", ran.stderr);
    let summary = ran.summary();
    assert_eq!((&summary["exit_code"], &summary["generation"]), (&5.into(), &0.into()), "{summary}");
    env.change(|options| options.latency = std::time::Duration::ZERO);
    let asked_before = test_store.take_request_counts();
    let summary = test_store.sync(None).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert!(
        !test_store.take_request_counts().is_empty() && !asked_before.is_empty(),
        "the first run stopped when it could not publish"
    );
}

#[test]
fn a_lock_file_without_permission_is_named() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    let test_store = baseline.test_store();
    let ran = test_store.sync(Some(&Fault::on(Action::Fail(EACCES), 1, "open,create", "state/lock"))).expect_exit(5);
    assert!(ran.stderr.contains("state/lock") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn a_store_removed_during_a_run_ends_5() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    env.change(|options| options.latency = std::time::Duration::from_millis(20));
    let mut command = test_store.command();
    test_store.take_request_counts();
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("starts");
    while env.calls() < 15 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    std::fs::rename(test_store.path(), test_store.path().with_extension("moved")).expect("moved away");
    let ran = crate::support::test_env::RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(5);
    assert_failure_reported(&ran, &test_store, "moved away");
    env.change(|options| options.latency = std::time::Duration::ZERO);
    let _ = std::fs::remove_dir_all(test_store.path());
    test_store.sync(None).expect_exit(0);
    test_store.assert_complete_as(&baseline.after, "moved away");
}

/// A mounted file system of a given size; unmounted on drop.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` if this machine does not allow mounts.
    fn mount(at: &Path, kib: u32) -> Option<SmallDisk> {
        std::fs::create_dir_all(at).expect("a folder");
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"], at);
        mounted.then(|| SmallDisk(at.to_owned()))
    }

    fn remount(&self, option: &str) {
        assert!(mount(&["-o", &format!("remount,{option}")], &self.0), "{option}");
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).output().is_ok_and(|output| output.status.success())
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[test]
fn a_real_full_disk_loses_nothing() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let mut full = 0;
    for kib in [16, 40, 64, 100, 160, 250, 400, 600, 900, 1400, 2000, 3000] {
        let test_store = baseline.test_store();
        let Some(disk) = SmallDisk::mount(&test_store.path(), kib) else {
            return print_progress(
                "skipped: this machine does not allow mounts; the tests with injected faults cover it",
            );
        };
        let of = format!("a disk of {kib} KiB");
        test_store.take_request_counts();
        // Without the preloaded library: the program as it is.
        let ran = crate::support::test_env::RunOutput::new(test_store.command().output().expect("runs"));
        assert_failure_reported(&ran, &test_store, &of);
        if ran.code == Some(5) {
            full += 1;
            assert!(ran.stderr.contains("free space"), "{of}:\n{}", ran.stderr);
        }
        disk.remount("size=64m");
        baseline.resume(&test_store, 1, RequestCounts::new(), &of);
    }
    assert!(full >= 6, "{full} disks were too small");
}

#[test]
fn a_read_only_disk_ends_5_and_can_be_read() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    let Some(disk) = SmallDisk::mount(&test_store.path(), 64 << 10) else {
        return print_progress("skipped: this machine does not allow mounts; the tests with injected faults cover it");
    };
    test_store.sync(None).expect_exit(0);
    disk.remount("ro");
    let ran = test_store.sync(None).expect_exit(5);
    assert_failure_reported(&ran, &test_store, "read-only");
    baseline.assert_whole(&test_store, "read-only");
    // Reading needs no write access.
    let mut report = env.vcq(&["report", "run", "coverage"]);
    let report = report.env("VCQ_STORE", test_store.path()).output().expect("runs");
    crate::support::test_env::RunOutput::new(report).expect_exit(0);
    disk.remount("rw");
    test_store.sync(None).expect_exit(0);
    test_store.assert_complete_as(&baseline.after, "read-only");
}

/// Every operation at the start and at the end (publishing), and every seventh of those between, which are alike.
fn representative_operations(operations: &[Operation]) -> Vec<usize> {
    let total = operations.len();
    (1..=total).filter(|n| *n <= 150 || *n + 150 > total || n.is_multiple_of(7)).collect()
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_every_failure_at_every_operation() {
    // The shorter sync first.
    for nth in NthSync::ALL.iter().rev() {
        let env = tiny_env();
        let operations = Baseline::new(*nth, &env).operations;
        for failure in FAILURES {
            let (tries, well) = failure.try_at(*nth, &operations, &representative_operations(&operations));
            print_progress(&format!("{nth:?} sync, {}: {tries} faults, {well} runs succeeded anyway", failure.name));
        }
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_disks_of_every_size() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let mut full = 0;
    for kib in (8..3200).step_by(24) {
        let test_store = baseline.test_store();
        let Some(disk) = SmallDisk::mount(&test_store.path(), kib) else {
            return print_progress("skipped: this machine does not allow mounts");
        };
        test_store.take_request_counts();
        let ran = crate::support::test_env::RunOutput::new(test_store.command().output().expect("runs"));
        assert_failure_reported(&ran, &test_store, &format!("{kib} KiB"));
        full += usize::from(ran.code == Some(5));
        disk.remount("size=64m");
        baseline.resume(&test_store, 1, RequestCounts::new(), &format!("{kib} KiB"));
    }
    print_progress(&format!("{full} disks were too small"));
}
