//! A full disk, a lost permission, a failing device, at any write: exit 5, nothing published is harmed, the next run
//! goes on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::scene::{Night, Scene, assert_told, one_of_each_shape, tell, try_all};
use crate::support::shim::{Act, EACCES, EDQUOT, EIO, ENOSPC, Fault, Operation};
use crate::support::trial::{Asked, Trial, tiny_world};
use crate::support::world::World;

/// A way in which storage fails: at one operation of these kinds.
struct Failure {
    name: &'static str,
    act: Act,
    kinds: &'static str,
}

/// What takes space.
const GROWS: &str = "write,create,mkdir,copy";
/// What needs a permission.
const NEEDS_PERMISSION: &str = "create,open,mkdir,rename,unlink,rmdir";
/// What a device may refuse.
const REACHES_THE_DEVICE: &str = "write,sync,copy,truncate";

const FAILURES: &[Failure] = &[
    Failure { name: "full from then on", act: Act::Fail(ENOSPC), kinds: GROWS },
    Failure { name: "full in the middle of a write", act: Act::Short(ENOSPC), kinds: "write,copy" },
    Failure { name: "full once", act: Act::FailOnce(ENOSPC), kinds: GROWS },
    Failure { name: "over quota", act: Act::Fail(EDQUOT), kinds: "write,copy" },
    Failure { name: "permission lost", act: Act::Fail(EACCES), kinds: NEEDS_PERMISSION },
    Failure { name: "permission refused once", act: Act::FailOnce(EACCES), kinds: NEEDS_PERMISSION },
    Failure { name: "device error", act: Act::FailOnce(EIO), kinds: REACHES_THE_DEVICE },
    Failure { name: "device gone", act: Act::Fail(EIO), kinds: "write,sync,copy,truncate,create,open,rename,mkdir" },
];

impl Failure {
    fn hits(&self, operation: &Operation) -> bool {
        self.kinds.split(',').any(|kind| kind == operation.kind)
    }

    /// The fault at an operation of an undisturbed run, numbered from 1.
    fn fault(&self, operations: &[Operation], number: usize) -> Fault {
        let at = operations[..number].iter().filter(|operation| self.hits(operation)).count();
        Fault::on(self.act, at, self.kinds, "")
    }

    /// Tries the failure at the numbered operations it can happen to; gives tries and runs that ended well all the same.
    fn try_at(&self, night: Night, operations: &[Operation], numbers: &[usize]) -> (usize, usize) {
        let numbers: Vec<usize> = numbers.iter().copied().filter(|n| self.hits(&operations[n - 1])).collect();
        try_all(&numbers, night, |scene, number| {
            let of = format!("{night:?}: {} at operation {number}, {:?}", self.name, operations[number - 1]);
            scene.fail(&self.fault(operations, *number), &of)
        })
    }
}

#[test]
fn a_full_disk_at_each_kind_of_write() {
    let world = tiny_world();
    let operations = Scene::new(Night::Second, &world).operations;
    let numbers = one_of_each_shape(&operations);
    let (tries, well) = FAILURES[0].try_at(Night::Second, &operations, &numbers);
    assert!(tries >= 15 && well <= 3, "{tries} tries, {well} ended well");
}

#[test]
fn every_other_failure_at_some_operations() {
    for failure in &FAILURES[1..] {
        let world = tiny_world();
        let operations = Scene::new(Night::Second, &world).operations;
        let hit: Vec<usize> =
            one_of_each_shape(&operations).into_iter().filter(|n| failure.hits(&operations[n - 1])).collect();
        let some: Vec<usize> = hit.iter().copied().step_by(hit.len().div_ceil(4)).collect();
        failure.try_at(Night::Second, &operations, &some);
    }
}

#[test]
fn a_publication_that_fails_has_its_summary() {
    let world = tiny_world();
    let scene = Scene::new(Night::Second, &world);
    let is_commit = |one: &&Operation| one.kind == "write" && one.path == "state/ledger.sqlite-wal";
    let published = scene.operations.iter().position(|one| one.to.as_deref() == Some("vcq.duckdb")).expect("published");
    let commits = scene.operations[..published].iter().filter(is_commit).count();
    for (kind, path, at) in [
        ("rename", "/parquet/", 1),
        ("rename", "/.work/", 1),
        ("rename", "/store/vcq.duckdb", 1),
        // All is published, and neither that nor the run's end can be written down.
        ("write", "state/ledger.sqlite-wal", commits + 1),
    ] {
        let trial = scene.trial();
        let fault = Fault::on(Act::Fail(ENOSPC), at, kind, path);
        let ran = trial.sync(Some(&fault)).ended(5);
        assert_told(&ran, &trial, path);
        let summary = ran.summary();
        assert_eq!((&summary["exit_code"], &summary["outcome"]), (&5.into(), &"storage".into()), "{path}");
        trial.take_asked();
        trial.sync(None).ended(0);
        assert_eq!(trial.take_asked(), Asked::new(), "{path}: all was answered");
        trial.assert_ended_as(&scene.after, path);
    }
}

#[test]
fn a_publication_in_mid_run_that_fails_has_its_summary_too() {
    let world = World::new();
    world.change(|options| options.latency = std::time::Duration::from_millis(20));
    let trial = Trial::new(&world);
    let mut command = trial.command();
    command.env("VCQ_PUBLISH_EVERY", "10ms").env("VCQ_CONCURRENCY", "2");
    let fault = Fault::on(Act::Fail(ENOSPC), 1, "rename", "/parquet/");
    let ran = trial.run(command, Some(&fault)).ended(5);
    assert_told(&ran, &trial, "/parquet/");
    assert!(!ran.stderr.contains("interrupted"), "{}", ran.stderr);
    let summary = ran.summary();
    assert_eq!((&summary["exit_code"], &summary["generation"]), (&5.into(), &0.into()), "{summary}");
    world.change(|options| options.latency = std::time::Duration::ZERO);
    let asked_before = trial.take_asked();
    let summary = trial.sync(None).ended(0).summary();
    assert_eq!(summary["samples"], world.simulator().tenant().totals().samples);
    assert!(
        !trial.take_asked().is_empty() && !asked_before.is_empty(),
        "the first run ended when it could not publish"
    );
}

#[test]
fn a_lock_file_that_may_not_be_opened() {
    let world = tiny_world();
    let scene = Scene::new(Night::Second, &world);
    let trial = scene.trial();
    let ran = trial.sync(Some(&Fault::on(Act::Fail(EACCES), 1, "open,create", "state/lock"))).ended(5);
    assert!(ran.stderr.contains("state/lock") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn the_store_is_removed_under_a_run() {
    let world = tiny_world();
    let scene = Scene::new(Night::First, &world);
    let trial = scene.trial();
    world.change(|options| options.latency = std::time::Duration::from_millis(20));
    let mut command = trial.command();
    trial.take_asked();
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("starts");
    while world.calls() < 15 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    std::fs::rename(trial.store(), trial.store().with_extension("taken-away")).expect("taken away");
    let ran = crate::support::world::Ran::of(child.wait_with_output().expect("ends")).ended(5);
    assert_told(&ran, &trial, "taken away");
    world.change(|options| options.latency = std::time::Duration::ZERO);
    let _ = std::fs::remove_dir_all(trial.store());
    trial.sync(None).ended(0);
    trial.assert_ended_as(&scene.after, "taken away");
}

/// A file system of its own, of some size, while it lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it, if this machine lets us.
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
fn a_disk_that_is_really_full() {
    let world = tiny_world();
    let scene = Scene::new(Night::First, &world);
    let mut full = 0;
    for kib in [16, 40, 64, 100, 160, 250, 400, 600, 900, 1400, 2000, 3000] {
        let trial = scene.trial();
        let Some(disk) = SmallDisk::mount(&trial.store(), kib) else {
            return tell("no small disk: this machine does not let us mount one; the tests with the shim stand for it");
        };
        let of = format!("a disk of {kib} KiB");
        trial.take_asked();
        // Without the shim: the program as it is.
        let ran = crate::support::world::Ran::of(trial.command().output().expect("runs"));
        assert_told(&ran, &trial, &of);
        if ran.code == Some(5) {
            full += 1;
            assert!(ran.stderr.contains("free space"), "{of}:\n{}", ran.stderr);
        }
        disk.remount("size=64m");
        scene.go_on(&trial, 1, Asked::new(), &of);
    }
    assert!(full >= 6, "{full} were too small");
}

#[test]
fn a_disk_that_is_read_only() {
    let world = tiny_world();
    let scene = Scene::new(Night::First, &world);
    let trial = scene.trial();
    let Some(disk) = SmallDisk::mount(&trial.store(), 64 << 10) else {
        return tell("no small disk: this machine does not let us mount one; the tests with the shim stand for it");
    };
    trial.sync(None).ended(0);
    disk.remount("ro");
    let ran = trial.sync(None).ended(5);
    assert_told(&ran, &trial, "read-only");
    scene.assert_whole(&trial, "read-only");
    // Reading needs no write.
    let mut report = world.vcq(&["report", "run", "coverage"]);
    let report = report.env("VCQ_STORE", trial.store()).output().expect("runs");
    crate::support::world::Ran::of(report).ended(0);
    disk.remount("rw");
    trial.sync(None).ended(0);
    trial.assert_ended_as(&scene.after, "read-only");
}

/// Every operation of the beginning, of publishing and of the first group commits, and every seventh of the others,
/// which are more group commits.
fn most_of(operations: &[Operation]) -> Vec<usize> {
    let total = operations.len();
    (1..=total).filter(|n| *n <= 150 || *n + 150 > total || n.is_multiple_of(7)).collect()
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_every_failure_at_every_operation() {
    // The short one first.
    for night in Night::ALL.iter().rev() {
        let world = tiny_world();
        let operations = Scene::new(*night, &world).operations;
        for failure in FAILURES {
            let (tries, well) = failure.try_at(*night, &operations, &most_of(&operations));
            tell(&format!("{night:?} sync, {}: {tries} faults, {well} runs ended well all the same", failure.name));
        }
    }
}

#[test]
#[ignore = "many minutes: make test-crash"]
fn exhaustive_a_disk_of_every_size() {
    let world = tiny_world();
    let scene = Scene::new(Night::First, &world);
    let mut full = 0;
    for kib in (8..3200).step_by(24) {
        let trial = scene.trial();
        let Some(disk) = SmallDisk::mount(&trial.store(), kib) else { return tell("no small disk") };
        trial.take_asked();
        let ran = crate::support::world::Ran::of(trial.command().output().expect("runs"));
        assert_told(&ran, &trial, &format!("{kib} KiB"));
        full += usize::from(ran.code == Some(5));
        disk.remount("size=64m");
        scene.go_on(&trial, 1, Asked::new(), &format!("{kib} KiB"));
    }
    tell(&format!("{full} disks were too small"));
}
