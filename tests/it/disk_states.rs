//! States that a file system may leave after a power cut, at every operation of a command: what was committed is
//! there, and the next run opens the store. To save time, most of these runs are stopped at their first request, when
//! they have repaired the store; the others complete it.
//!
//! The states come from a model, so they need no root and no file system of their own; `power_cuts.rs` cuts the power
//! of real ones. `DISK_STATES` is the number of states, `DISK_SEED` chooses them, `DISK_ONLY` names one command.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Instant;

use tempfile::TempDir;
use vcq_simulator::TenantSpec;

use crate::power_cuts::{number_from, on_store};
use crate::replaced_dates::{IDENTITY_DAYS, old_tenant};
use crate::support::baseline::print_progress;
use crate::support::disk_states::{DiskModel, Kept, State, Traced, Version, memory_folder, read_trace};
use crate::support::fault_injection::{Action, Fault, preload};
use crate::support::ledger_content::LedgerContent;
use crate::support::test_env::{RunOutput, TestEnv, rows, unlimited};
use crate::support::test_store::{Sums, Tables, TestStore, tiny_env};

/// In one state of as many the next run goes to its end.
const COMPLETED: usize = 25;
/// One state of as many is also verified, before and after that run.
const VERIFIED: usize = 5 * COMPLETED;

type Run<'a> = &'a dyn Fn(&TestStore<'_>) -> Command;

/// A command whose states are tried.
struct Case<'a> {
    env: &'a TestEnv,
    /// Fills the store before the command.
    prepare: &'a dyn Fn(&TestStore<'_>),
    /// Kills an earlier run of the command here; its operations belong to the disk, too.
    killed: Option<Fault>,
    command: Run<'a>,
    /// The next run.
    finish: Run<'a>,
    /// Whether the next run is the same sync, so that it leaves what the command leaves.
    is_sync: bool,
}

/// A command that was traced, and the store before it.
struct Trace {
    before: DiskModel,
    operations: Vec<Traced>,
    /// Operations before those of the command.
    earlier: usize,
    /// What is published before, if anything, and after.
    published: Vec<Tables>,
}

fn succeed(command: &mut Command) {
    RunOutput::new(command.output().expect("the binary runs")).expect_exit(0);
}

impl Case<'_> {
    /// `left_out`: text of paths whose syncs the command leaves out.
    fn trace(&self, left_out: Option<&str>) -> Trace {
        let disk = memory_folder();
        let root = disk.path().canonicalize().expect("is there").join("root");
        std::fs::create_dir_all(root.join("home")).expect("a folder");
        let store = TestStore::on_disk(self.env, &root);
        (self.prepare)(&store);
        let mut published: Vec<Tables> = store.duckdb().iter().map(Tables::read).collect();
        let before = DiskModel::of_folder(&root);
        let trace = disk.path().join("trace");
        let traced = |fault: Option<&Fault>| {
            let mut command = (self.command)(&store);
            preload(&mut command, &root, None, fault);
            command.env("FAULTS_TRACE", &trace).envs(left_out.map(|path| ("FAULTS_NO_SYNC", path)));
            RunOutput::new(command.output().expect("the binary runs"))
        };
        let earlier = self.killed.as_ref().map_or(0, |fault| {
            assert_eq!(traced(Some(fault)).code, None, "dies");
            read_trace(&trace, &root).len()
        });
        traced(None).expect_exit(0);
        published.push(store.tables());
        let mut operations = read_trace(&trace, &root);
        operations.retain(|one| !(one.kind == "sync" && left_out.is_some_and(|path| one.path.contains(path))));
        Trace { before, operations, earlier, published }
    }
}

const LEDGER: [&str; 3] =
    ["store/state/ledger.sqlite", "store/state/ledger.sqlite-wal", "store/state/ledger.sqlite-journal"];

/// Checks states, each distinct one once.
struct Checker<'a> {
    case: &'a Case<'a>,
    published: &'a [Tables],
    folder: TempDir,
    ledgers: HashMap<Vec<Option<Version>>, Rc<LedgerContent>>,
    published_files: HashSet<Vec<(String, Version)>>,
    distinct: HashSet<u64>,
}

impl<'a> Checker<'a> {
    #[track_caller]
    fn ledger(&mut self, state: &State, of: &str) -> Rc<LedgerContent> {
        let key = LEDGER.map(|path| state.files.get(path).map(|(_, version)| *version)).to_vec();
        if let Some(known) = self.ledgers.get(&key) {
            return known.clone();
        }
        let files: Vec<_> = LEDGER
            .iter()
            .filter_map(|path| Some((path.rsplit('/').next().expect("a name"), state.files.get(*path)?.0.as_slice())))
            .collect();
        let content = LedgerContent::read(&files, self.folder.path());
        let content = Rc::new(content.unwrap_or_else(|error| panic!("{of}: the ledger: {error}")));
        self.ledgers.insert(key, content.clone());
        content
    }

    /// The ledger of a state of a sync has what was committed, and relies on no bytes that are not there. `current` are
    /// the files as programs see them.
    #[track_caller]
    fn check_ledger(&mut self, state: &State, committed: &LedgerContent, current: &State, of: &str) {
        let ledger = self.ledger(state, of);
        let lost: Vec<_> = committed.recorded.difference(&ledger.recorded).collect();
        assert!(lost.is_empty(), "{of}: answers that were committed are not in the ledger: {lost:?}");
        for (path, bytes) in &ledger.indexed {
            let path = format!("store/raw/{path}");
            let found = state.files.get(&path).and_then(|(found, _)| found.get(..*bytes));
            let expected = current.files.get(&path).and_then(|(found, _)| found.get(..*bytes));
            assert!(found.is_some() && found == expected, "{of}: the ledger relies on {bytes} bytes of {path}");
        }
    }

    /// What is published in a state is as before or as after the command. States with the same files are checked once.
    #[track_caller]
    fn check_published(&mut self, store: &TestStore<'_>, state: &State, of: &str) {
        let is_published = |path: &str| path.starts_with("store/parquet/") || path.starts_with("store/vcq.duckdb");
        let files = state.files.iter().filter(|(path, _)| is_published(path));
        if self.published_files.insert(files.map(|(path, (_, version))| (path.clone(), *version)).collect()) {
            store.assert_published_is_whole(&self.published.iter().collect::<Vec<_>>(), of);
        }
    }

    /// Writes a state and runs the next command on it.
    #[track_caller]
    fn open(&mut self, state: &State, number: usize, of: &str) {
        let disk = memory_folder();
        let root = disk.path().canonicalize().expect("is there");
        state.write(&root);
        std::fs::create_dir_all(root.join("home")).expect("a folder");
        let store = TestStore::on_disk(self.case.env, &root);
        self.check_published(&store, state, of);
        match number % COMPLETED {
            0 => self.complete(&store, state, number.is_multiple_of(VERIFIED), of),
            _ => self.begin(&store, state, of),
        }
    }

    /// Runs the next sync until its first request: the process is killed where it would take that from the budget.
    #[track_caller]
    fn begin(&mut self, store: &TestStore<'_>, state: &State, of: &str) {
        let root = store.path().parent().expect("a root").to_owned();
        let mut command = store.command();
        preload(&mut command, &root, None, Some(&Fault::on(Action::Kill, 1, "", "/.local/state/vcq-etl/")));
        let ran = RunOutput::new(command.output().expect("the binary runs"));
        assert_eq!(ran.code, None, "{of}: ended before its first request: {}{}", ran.stdout, ran.stderr);
        let read = |path: &str| std::fs::read(root.join(path)).ok();
        let files: Vec<_> =
            LEDGER.iter().filter_map(|path| Some((path.rsplit('/').next().expect("a name"), read(path)?))).collect();
        let files: Vec<_> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let ledger = LedgerContent::read(&files, self.folder.path());
        let ledger = ledger.unwrap_or_else(|error| panic!("{of}: the ledger after the next run began: {error}"));
        for (path, bytes) in &ledger.indexed {
            let found = std::fs::metadata(store.path().join("raw").join(path)).map_or(0, |file| file.len());
            assert!(found >= *bytes as u64, "{of}: the ledger relies on {bytes} bytes of {path}, of {found}");
        }
        if self.case.is_sync {
            let before = self.ledger(state, of);
            let lost: Vec<_> = before.recorded.difference(&ledger.recorded).collect();
            assert!(lost.is_empty(), "{of}: the next run lost {lost:?}");
        }
    }

    /// Runs the next command to its end.
    #[track_caller]
    fn complete(&mut self, store: &TestStore<'_>, state: &State, is_verified: bool, of: &str) {
        let (before, after) = self.published.split_at(self.published.len() - 1);
        let (before, after) = (before.first(), &after[0]);
        if is_verified {
            let raw = raw_findings(store);
            assert!(raw.is_empty(), "{of}: verify before the next run: {raw:?}");
        }
        store.take_request_counts();
        let run = |run: Run<'_>| {
            let ran = RunOutput::new(run(store).output().expect("the binary runs"));
            assert_eq!(ran.code, Some(0), "{of}: {}{}", ran.stdout, ran.stderr);
        };
        run(self.case.finish);
        let sums = || Sums::read(&store.duckdb().unwrap_or_else(|| panic!("{of}: nothing is published")));
        if self.case.is_sync {
            let ledger = self.ledger(state, of);
            let requested = store.take_request_counts();
            let again: Vec<_> = requested.keys().filter(|(_, unit)| ledger.recorded.contains(unit)).collect();
            assert!(again.is_empty(), "{of}: recorded and requested again: {again:?}");
        } else if sums() != after.sums {
            // Nothing had begun: the command does it now.
            store.tables().assert_same(before.expect("a store"), &format!("{of}: neither as before nor done"));
            run(self.case.command);
        }
        // Reading every row takes longer.
        if sums() != after.sums {
            store.tables().assert_same(after, of);
        }
        if is_verified {
            run(&|store: &TestStore<'_>| on_store(store, &["verify", "--deep"]));
        }
    }
}

/// What `verify` finds in the raw files of a store that no run has opened since the power cut; the other checks may
/// find an unfinished publication.
fn raw_findings(store: &TestStore<'_>) -> Vec<String> {
    if !store.path().join("raw").is_dir() {
        return Vec::new();
    }
    let ran = RunOutput::new(on_store(store, &["verify"]).output().expect("the binary runs"));
    let is_raw = |line: &&str| line.contains("raw/") && line.contains(".zst");
    ran.stdout.lines().filter(is_raw).map(str::to_owned).collect()
}

/// Numbers of what was tried, and what failed.
#[derive(Debug, Default)]
struct Tried {
    operations: usize,
    states: usize,
    distinct: usize,
    opened: usize,
    completed: usize,
    failures: Vec<String>,
}

/// More failures say nothing new.
const MAX_FAILURES: usize = 20;

/// Checks the states at every operation of a command and opens `count` of those that differ, spread over all
/// operations.
fn try_states(case: &Case<'_>, left_out: Option<&str>, count: usize, seed: u64) -> Tried {
    let Trace { mut before, operations, earlier, published } = case.trace(left_out);
    let mut checker = Checker {
        case,
        published: &published,
        folder: memory_folder(),
        ledgers: HashMap::new(),
        published_files: HashSet::new(),
        distinct: HashSet::new(),
    };
    let mut tried = Tried { operations: operations.len() - earlier, ..Tried::default() };
    let mut found: Vec<(usize, Kept)> = Vec::new();
    let of = |at: usize, kept: Kept| {
        let Traced { kind, path, .. } = &operations[at];
        format!("seed {seed}, {kept:?} after operation {at}, {kind} {path}")
    };
    let mut failures = Vec::new();
    let mut attempt = |try_it: &mut dyn FnMut()| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(try_it)) {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            failures.push(text.chars().take(2000).collect::<String>());
        }
        failures.len() < MAX_FAILURES
    };
    let model = &mut before;
    let start = model.clone();
    let mut committed = Rc::new(LedgerContent::default());
    let seen = operations[earlier..].iter().filter(|done| done.is_seen()).count();
    let mut due = 0;
    for (at, done) in operations.iter().enumerate() {
        model.apply(done);
        if at < earlier || !done.is_seen() {
            continue;
        }
        // Many are equal, so more are built than opened.
        let built = due + 4 * count;
        due = built % seen;
        if built < seen {
            continue;
        }
        let (synced, current) = (model.state(Kept::Nothing), model.state(Kept::Everything));
        let is_whole = attempt(&mut || {
            let ledger = checker.ledger(&synced, &of(at, Kept::Nothing));
            if case.is_sync {
                let lost: Vec<_> = committed.recorded.difference(&ledger.recorded).collect();
                assert!(lost.is_empty(), "after operation {at}: {lost:?} are not committed any more");
            }
            committed = ledger;
        });
        if !is_whole {
            break;
        }
        let kept = model.kept(seed + at as u64);
        let number = (built / seen).min(kept.len());
        for kept in (0..number).map(|one| kept[(at + one * kept.len() / number) % kept.len()]) {
            let state = model.state(kept);
            tried.states += 1;
            if checker.distinct.insert(state.key()) {
                found.push((at, kept));
                if case.is_sync {
                    attempt(&mut || checker.check_ledger(&state, &committed, &current, &of(at, kept)));
                }
            }
        }
    }
    tried.distinct = found.len();
    let chosen: Vec<(usize, Kept)> =
        (0..count.min(found.len())).map(|number| found[number * found.len() / count.min(found.len())]).collect();
    let (mut model, mut applied) = (start, 0);
    for (number, (at, kept)) in chosen.into_iter().enumerate() {
        operations[applied..=at].iter().for_each(|done| model.apply(done));
        applied = at + 1;
        tried.opened += 1;
        tried.completed += usize::from(number.is_multiple_of(COMPLETED));
        let state = model.state(kept);
        if !attempt(&mut || checker.open(&state, number, &of(at, kept))) {
            break;
        }
    }
    operations[applied..].iter().for_each(|done| model.apply(done));
    // The command has reported success: everything is there with only what was synced.
    let end = model.state(Kept::Nothing);
    tried.opened += 1;
    tried.completed += 1;
    attempt(&mut || {
        let disk = memory_folder();
        end.write(disk.path());
        let store = TestStore::on_disk(case.env, disk.path());
        assert!(store.duckdb().is_some(), "at the end: nothing is published");
        store.tables().assert_same(published.last().expect("what is published"), "at the end");
        checker.open(&end, COMPLETED, "at the end");
    });
    tried.failures = failures;
    tried
}

/// The commands, with their share of the states in per cent.
const COMMANDS: &[(&str, usize)] = &[
    ("first sync", 24),
    // There are hardly more states than these.
    ("second sync", 16),
    ("sync after a killed one", 10),
    ("refetch", 15),
    ("rebuild", 8),
    ("expiry of identities", 9),
    ("forget", 9),
    ("prune", 9),
];

fn try_command(of: &str, left_out: Option<&str>, count: usize, seed: u64) -> Tried {
    let sync = |store: &TestStore<'_>| store.command();
    let synced = |store: &TestStore<'_>| succeed(&mut store.command());
    let try_it = |case: Case<'_>| try_states(&case, left_out, count, seed);
    match of {
        "first sync" | "sync after a killed one" => {
            let killed = Fault::on(Action::KillAfter, 6, "write", "/raw/quality/meeting_date");
            let killed = (of != "first sync").then_some(killed);
            let (env, prepare) = (&tiny_env(), &|_: &TestStore<'_>| {});
            try_it(Case { env, prepare, killed, command: &sync, finish: &sync, is_sync: true })
        }
        "second sync" => {
            let env = &tiny_env();
            let prepare = |store: &TestStore<'_>| {
                env.faults(&["participant_quality_list:internal-error@share=0.02"]);
                let mut first = store.command();
                let first = first.env("VCQ_MAX_TRIES", "1").output().expect("the binary runs");
                RunOutput::new(first).expect_exit(7);
                env.faults(&[]);
            };
            try_it(Case { env, prepare: &prepare, killed: None, command: &sync, finish: &sync, is_sync: true })
        }
        "refetch" => {
            let refetch = |store: &TestStore<'_>| {
                let mut command = store.command();
                command.arg("--refetch");
                command
            };
            let env = &tiny_env();
            try_it(Case { env, prepare: &synced, killed: None, command: &refetch, finish: &sync, is_sync: false })
        }
        "rebuild" => {
            let rebuild = |store: &TestStore<'_>| on_store(store, &["rebuild"]);
            let env = &tiny_env();
            try_it(Case { env, prepare: &synced, killed: None, command: &rebuild, finish: &sync, is_sync: false })
        }
        "prune" => {
            let env = &tiny_env();
            let day = env.window()[3][..10].to_owned();
            let prune = |store: &TestStore<'_>| on_store(store, &["prune", "--before", &day, "--yes"]);
            let finish = |store: &TestStore<'_>| on_store(store, &["rebuild", "--since", &day]);
            try_it(Case { env, prepare: &synced, killed: None, command: &prune, finish: &finish, is_sync: false })
        }
        _ => {
            let env = &TestEnv::with(&TenantSpec { people: 10, meetings_per_day: 1, ..old_tenant() }, unlimited());
            let prepare = |store: &TestStore<'_>| {
                synced(store);
                // The key exists, so that every run has the same pseudonyms.
                std::fs::write(store.path().join("state/identity.key"), "7a".repeat(32)).expect("a key");
            };
            let user = {
                let store = TestStore::new(env);
                synced(&store);
                let in_both = "select user_id from participants where user_id is not null group by all
                               having count(distinct meeting_date) = 2 order by all limit 1";
                rows(&store.duckdb().expect("published"), in_both).remove(0)
            };
            let forget = |store: &TestStore<'_>| on_store(store, &["forget", "--user", &user, "--yes"]);
            let expire = |store: &TestStore<'_>| {
                let mut command = store.command();
                command.env(IDENTITY_DAYS.0, IDENTITY_DAYS.1);
                command
            };
            let command: Run<'_> = if of == "forget" { &forget } else { &expire };
            try_it(Case { env, prepare: &prepare, killed: None, command, finish: &sync, is_sync: false })
        }
    }
}

/// Tries states of commands, in two threads. Returns how many the next run opened.
#[track_caller]
fn try_commands(commands: &[(&str, usize)], count: usize, seed: u64) -> usize {
    let only = std::env::var("DISK_ONLY").unwrap_or_default();
    let chosen: Vec<_> = commands.iter().filter(|(of, _)| only.is_empty() || of.contains(&only)).collect();
    let percent: usize = chosen.iter().map(|(_, share)| share).sum();
    let (next, failures, opened) = (Mutex::new(chosen.into_iter()), Mutex::new(Vec::new()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((of, share)) = next.lock().expect("no panic").next() else { break };
                    let began = Instant::now();
                    let tried = try_command(of, None, (count * share).div_ceil(percent), seed);
                    let Tried { operations, states, distinct, opened: of_this, completed, failures: failed } = tried;
                    print_progress(&format!(
                        "{of}: {operations} operations, {states} states, {distinct} differ, {of_this} opened by the next \
                         run, which completed {completed}, in {} s; {} failed",
                        began.elapsed().as_secs(),
                        failed.len()
                    ));
                    *opened.lock().expect("no panic") += of_this;
                    failures.lock().expect("no panic").extend(failed.iter().map(|failed| format!("{of}: {failed}")));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
    opened.into_inner().expect("no panic")
}

#[test]
fn no_legal_disk_state_loses_anything() {
    assert!(try_commands(&COMMANDS[..3], 80, 1) >= 80);
}

#[test]
#[ignore = "many minutes: make test-disk-states"]
fn ten_thousand_legal_disk_states_lose_nothing() {
    let (count, seed) = (number_from("DISK_STATES", 10_000) as usize, number_from("DISK_SEED", 1));
    let opened = try_commands(COMMANDS, count, seed);
    print_progress(&format!("seed {seed}: {opened} states opened"));
    assert!(opened >= count, "{opened} opened");
}

/// Files whose syncs are left out, one after another, and the command whose states show it.
const SYNCED: &[(&str, &str)] = &[
    ("/raw/quality", "first sync"),
    (".work/quality_samples", "first sync"),
    ("/parquet/quality_samples", "first sync"),
    ("_manifest.json", "second sync"),
    ("vcq.duckdb", "second sync"),
    ("ledger.sqlite", "first sync"),
    ("/raw/", "sync after a killed one"),
];

#[test]
#[ignore = "minutes: make test-disk-states"]
fn a_disk_state_without_a_sync_is_noticed() {
    let mut missed: Vec<&str> = Vec::new();
    // The failures are wanted.
    std::panic::set_hook(Box::new(|_| {}));
    for (left_out, of) in SYNCED {
        let tried = try_command(of, Some(left_out), 60, 1);
        let first = tried.failures.first().map_or("", |text| text.lines().next().unwrap_or_default());
        print_progress(&format!("without syncs of {left_out:?}, {of}: {} failed: {first}", tried.failures.len()));
        missed.extend(tried.failures.is_empty().then_some(*left_out));
    }
    drop(std::panic::take_hook());
    assert!(missed.is_empty(), "without syncs of {missed:?} nothing failed");
}
