//! The power fails at an operation of the program, on real file systems: nothing that was reported as done is lost.
//!
//! Root only, in `make test-power`: each cut is on a disk of its own. `POWER_CUTS` is the number of cuts, `POWER_SEED`
//! chooses them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_simulator::{Endpoint, TenantSpec};

use crate::replaced_dates::{IDENTITY_DAYS, Replacement, old_tenant, verified, with_store};
use crate::support::baseline::{Baseline, NthSync, print_progress};
use crate::support::disk::{Disk, FileSystem};
use crate::support::fault_injection::{Fault, preload};
use crate::support::test_env::{TestEnv, rows, unlimited};
use crate::support::test_store::{CONCURRENCY, RequestCounts, TestStore, copy_folder, requested_again, tiny_env};

/// Disks that are not mounted, one of each file system, with a copy of a store or none, and a home folder.
fn disks(store: Option<&TestStore<'_>>) -> Vec<Disk> {
    let formatted = FileSystem::available().into_iter().map(|file_system| {
        let disk = Disk::format(file_system);
        std::fs::create_dir(disk.root().join("home")).expect("a folder");
        if let Some(store) = store {
            copy_folder(&store.path(), &disk.root().join("store"));
        }
        disk.unmount();
        disk
    });
    formatted.collect()
}

type Run<'a> = &'a dyn Fn(&TestStore<'_>) -> Command;

/// The cuts of a command.
struct Cuts {
    of: &'static str,
    count: usize,
    seed: u64,
    failures: Vec<String>,
    /// By file system: stores, cuts in the middle, cuts of the run after it.
    tally: BTreeMap<&'static str, [usize; 3]>,
}

impl Cuts {
    /// Runs a command on a store and cuts the power at one of its operations or at its end; of every fourth store also
    /// in the next command. `check` looks at what is left and knows the number of runs that died.
    fn try_all(
        &mut self,
        (disks, env): (&[Disk], &TestEnv),
        operations: usize,
        (command, next): (Run<'_>, Run<'_>),
        check: &dyn Fn(&TestStore<'_>, usize, &str),
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        for number in 0..self.count {
            let template = &disks[number % disks.len()];
            let name = template.file_system.name;
            let cuts_again = (number / disks.len()) % 4 == 3;
            let action = template.file_system.power_cut(random.random_ratio(1, 3));
            // One in ten is behind the last operation.
            let mut at = || random.random_range(1..=operations + operations / 10);
            let (first, second) = (at(), at());
            let of = format!(
                "seed {}, {}, {name}, cut {number}: {action:?} at {first} of {operations}, then at {second}",
                self.seed, self.of
            );
            let tried = catch_unwind(AssertUnwindSafe(|| {
                let disk = template.copy();
                let store = TestStore::on_disk(env, &disk.root());
                store.take_request_counts();
                let is_cut = |command: Run<'_>, at: usize| {
                    let ran = store.run(command(&store), Some(&Fault::at(action, at)));
                    disk.restore_power();
                    ran.code.is_none() || ran.expect_exit(0).code.is_none()
                };
                let first = usize::from(is_cut(command, first));
                let second = usize::from(first == 1 && cuts_again && is_cut(next, second));
                check(&store, first + second, &of);
                verified(&store);
                (first, second)
            }));
            let [stores, cut, cut_again] = self.tally.entry(name).or_default();
            *stores += 1;
            match tried {
                Ok((first, second)) => (*cut, *cut_again) = (*cut + first, *cut_again + second),
                Err(panic) => {
                    let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                    self.failures.push(format!("{of}: {text}"));
                }
            }
        }
    }

    fn sync(&mut self, nth: NthSync) {
        let env = tiny_env();
        let baseline = Baseline::new(nth, &env);
        let before = baseline.test_store();
        let disks = disks((nth == NthSync::Second).then_some(&before));
        let check = |store: &TestStore<'_>, kills: usize, of: &str| {
            if kills == 0 {
                assert!(store.duckdb().is_some(), "{of}: what was published is gone");
                store.assert_published_is_whole(&[&baseline.after], of);
            } else {
                baseline.assert_whole(store, of);
            }
            baseline.resume(store, kills, RequestCounts::new(), of);
        };
        let command = |store: &TestStore<'_>| store.command();
        self.try_all((&disks, &env), baseline.operations.len(), (&command, &command), &check);
    }

    /// A command that replaces what is published, possibly by the same, and the command after it.
    fn replacement(&mut self, base: TestStore<'_>, command: Run<'_>, finish: Run<'_>) {
        let env = base.env;
        base.take_request_counts();
        let replacement = Replacement::new(base, command, finish);
        let requests = replacement.base.take_request_counts();
        let disks = disks(Some(&replacement.base));
        let check = |store: &TestStore<'_>, kills: usize, of: &str| {
            if kills == 0 {
                store.tables().assert_same(&replacement.after, of);
            }
            replacement.complete(store, of);
            let counts = store.take_request_counts();
            // A command that requests nothing has nothing in flight.
            let most = if requests.is_empty() { 0 } else { kills * CONCURRENCY };
            for endpoint in [Endpoint::ParticipantQualityList, Endpoint::ParticipantList] {
                let again = requested_again(&counts, &requests, endpoint);
                assert!(again.len() <= most, "{of}: requested again: {again:?}");
            }
            let open = store.query_ledger("select count(*) from refetch");
            assert_eq!(open, Some(0), "{of}: refetches that have not ended");
        };
        self.try_all((&disks, env), replacement.operations, (command, finish), &check);
    }

    fn refetch_or_rebuild(&mut self) {
        let env = tiny_env();
        let base = TestStore::new(&env);
        base.sync(None).expect_exit(0);
        let sync = |store: &TestStore<'_>| store.command();
        let rebuild = |store: &TestStore<'_>| on_store(store, &["rebuild"]);
        let refetch = |store: &TestStore<'_>| {
            let mut command = store.command();
            command.arg("--refetch");
            command
        };
        match self.of {
            "refetch" => self.replacement(base, &refetch, &sync),
            _ => self.replacement(base, &rebuild, &sync),
        }
    }

    fn prune(&mut self) {
        let env = tiny_env();
        let base = TestStore::new(&env);
        base.sync(None).expect_exit(0);
        let day = rows(&base.duckdb().expect("published"), "select max(meeting_date) from coverage").remove(0);
        let prune = |store: &TestStore<'_>| on_store(store, &["prune", "--before", &day, "--yes"]);
        let finish = |store: &TestStore<'_>| on_store(store, &["rebuild", "--since", &day]);
        self.replacement(base, &prune, &finish);
    }

    fn expiry_or_forget(&mut self) {
        let env = TestEnv::with(&TenantSpec { people: 10, meetings_per_day: 1, ..old_tenant() }, unlimited());
        let base = TestStore::new(&env);
        base.sync(None).expect_exit(0);
        let in_both = "select user_id from participants where user_id is not null group by all
                       having count(distinct meeting_date) = 2 order by all limit 1";
        let user = rows(&base.duckdb().expect("published"), in_both).remove(0);
        // The key exists, so that every run has the same pseudonyms.
        std::fs::write(base.path().join("state/identity.key"), "7a".repeat(32)).expect("a key");
        let finish = |store: &TestStore<'_>| store.command();
        let forget = |store: &TestStore<'_>| on_store(store, &["forget", "--user", &user, "--yes"]);
        let expire = |store: &TestStore<'_>| {
            let mut command = store.command();
            command.env(IDENTITY_DAYS.0, IDENTITY_DAYS.1);
            command
        };
        match self.of {
            "forget" => self.replacement(base, &forget, &finish),
            _ => self.replacement(base, &expire, &finish),
        }
    }

    fn run(&mut self) {
        match self.of {
            "first sync" => self.sync(NthSync::First),
            "second sync" => self.sync(NthSync::Second),
            "refetch" | "rebuild" => self.refetch_or_rebuild(),
            "prune" => self.prune(),
            _ => self.expiry_or_forget(),
        }
    }
}

pub(crate) fn on_store(store: &TestStore<'_>, arguments: &[&str]) -> Command {
    let mut command = with_store(store.env, &store.path(), arguments);
    store.place(&mut command);
    command
}

/// The commands, with their share of the cuts in per cent.
const COMMANDS: &[(&str, usize)] = &[
    ("first sync", 24),
    ("second sync", 20),
    ("refetch", 16),
    ("rebuild", 10),
    ("expiry of identities", 10),
    ("forget", 10),
    ("prune", 10),
];

pub(crate) fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
#[ignore = "root, many minutes: make test-power"]
fn power_cuts_lose_nothing_that_was_done() {
    let (count, seed) = (number_from("POWER_CUTS", 1000) as usize, number_from("POWER_SEED", 1));
    let only = std::env::var("POWER_ONLY").unwrap_or_default();
    let began = Instant::now();
    let chosen: Vec<_> = COMMANDS.iter().filter(|(of, _)| of.contains(&only)).collect();
    let percent: usize = chosen.iter().map(|(_, share)| share).sum();
    let next = Mutex::new(chosen.into_iter());
    let failures = Mutex::new(Vec::new());
    let tried = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((of, share)) = next.lock().expect("no panic").next() else { break };
                    let count = (count * share).div_ceil(percent);
                    let mut cuts = Cuts { of, count, seed, failures: Vec::new(), tally: BTreeMap::new() };
                    let began = Instant::now();
                    cuts.run();
                    let tally = cuts.tally.iter().map(|(name, [stores, cut, again])| {
                        format!("{name} {stores} ({cut} in the middle, {again} again)")
                    });
                    let tally = tally.collect::<Vec<_>>().join(", ");
                    let (seconds, failed) = (began.elapsed().as_secs(), cuts.failures.len());
                    print_progress(&format!("{of}: {count} cuts in {seconds} s, {failed} failed: {tally}"));
                    *tried.lock().expect("no panic") += count;
                    failures.lock().expect("no panic").append(&mut cuts.failures);
                }
            });
        }
    });
    let (tried, failures) = (tried.into_inner().expect("no panic"), failures.into_inner().expect("no panic"));
    print_progress(&format!("seed {seed}: {tried} cuts in {} s", began.elapsed().as_secs()));
    assert!(tried >= count, "{tried} cuts");
    assert!(failures.is_empty(), "{} of {tried}:\n{}", failures.len(), failures.join("\n"));
}

/// The disk of a file system after a shell script ran in its root and the power failed where it wrote `cut`.
fn after_script(file_system: &'static FileSystem, keep_names: bool, script: &str) -> Disk {
    let disk = Disk::format(file_system);
    let root = disk.root().canonicalize().expect("is there").join("store");
    std::fs::create_dir(&root).expect("a folder");
    std::fs::write(root.join("old"), "old").expect("written");
    std::fs::write(root.join("name"), "old").expect("written");
    rustix::fs::sync();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).current_dir(&root);
    preload(&mut shell, &root, None, Some(&Fault::on(file_system.power_cut(keep_names), 1, "", "/cut")));
    let ran = shell.output().expect("a shell");
    assert_eq!(ran.status.code(), None, "{ran:?}");
    disk.restore_power();
    disk
}

#[test]
#[ignore = "root: make test-power"]
fn an_unsynced_file_and_an_unsynced_rename_are_lost() {
    for file_system in FileSystem::available() {
        let script = "echo new > new; echo new > draft; mv draft name; : > cut";
        let disk = after_script(file_system, false, script);
        let name = file_system.name;
        let read = |file: &str| std::fs::read_to_string(disk.root().join("store").join(file)).ok();
        assert_eq!(read("old").as_deref(), Some("old"), "{name}: what was synced is there");
        assert_eq!(read("new"), None, "{name}: the file is lost");
        // ext4 and btrfs write the bytes of a file that is renamed over another; the name is still the old one.
        assert_eq!(read("name").as_deref(), Some("old"), "{name}: the rename is undone");
        let synced = after_script(file_system, false, "echo new > draft; sync draft; mv draft name; sync .; : > cut");
        let text = std::fs::read_to_string(synced.root().join("store/name")).ok();
        assert_eq!(text.as_deref(), Some("new\n"), "{name}: what was synced is there");
    }
}

#[test]
#[ignore = "root: make test-power"]
fn names_can_survive_without_their_bytes() {
    let relaxed = FileSystem::available().into_iter().find(|one| one.name.contains("writeback")).expect("ext4");
    let disk = after_script(relaxed, true, "echo new > draft; mv draft name; : > cut");
    let text = std::fs::read_to_string(disk.root().join("store/name")).ok();
    assert_eq!(text.as_deref(), Some(""), "renamed, and without bytes");
}

/// Files whose syncs are left out, one after another.
const SYNCED: &[&str] =
    &["/raw/quality", "/raw/meeting", ".work/quality_samples", "_manifest.json", "vcq.duckdb", "ledger.sqlite"];

#[test]
#[ignore = "root: make test-power"]
fn a_removed_fsync_is_noticed() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let relaxed = FileSystem::available().into_iter().find(|one| one.name.contains("writeback")).expect("ext4");
    let template = disks(None).into_iter().find(|disk| disk.file_system.name == relaxed.name).expect("it is there");
    for left_out in [""].iter().chain(SYNCED) {
        let disk = template.copy();
        let store = TestStore::on_disk(&env, &disk.root());
        store.take_request_counts();
        let mut command = store.command();
        if !left_out.is_empty() {
            command.env("FAULTS_NO_SYNC", left_out);
        }
        store.run(command, Some(&Fault::at(relaxed.power_cut(true), usize::MAX >> 1))).expect_exit(0);
        disk.restore_power();
        let said = Cell::new(String::new());
        let is_whole = catch_unwind(AssertUnwindSafe(|| {
            store.assert_published_is_whole(&[&baseline.after], left_out);
            baseline.resume(&store, 0, RequestCounts::new(), left_out);
            verified(&store);
        }));
        if let Err(panic) = &is_whole {
            said.set(panic.downcast_ref::<String>().cloned().unwrap_or_default());
        }
        print_progress(&format!(
            "without syncs of {left_out:?}: {}",
            said.into_inner().lines().next().unwrap_or("whole")
        ));
        assert_eq!(is_whole.is_ok(), left_out.is_empty(), "without syncs of {left_out:?}");
    }
}
