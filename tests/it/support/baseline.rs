//! A sync to disturb: what the store was before, and what it is after when nothing disturbs it.

use std::collections::{BTreeMap, BTreeSet};

use vcq_simulator::Endpoint;

use crate::support::fault_injection::{Fault, Operation};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::{
    CONCURRENCY, RequestCounts, Tables, TestStore, requested_again, sum_counts, tiny_env,
};

/// Which sync of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NthSync {
    /// The first one, into nothing.
    First,
    /// One that gets what an earlier one could not, on one day: it replaces that day upon the published database.
    Second,
}

impl NthSync {
    pub(crate) const ALL: &[NthSync] = &[NthSync::First, NthSync::Second];
}

/// A sync, known from an undisturbed run of it.
pub(crate) struct Baseline<'a> {
    base: TestStore<'a>,
    before: Option<Tables>,
    pub after: Tables,
    asked: RequestCounts,
    attempts: i64,
    /// What the undisturbed sync did to files.
    pub operations: Vec<Operation>,
}

/// What a kill cost.
pub(crate) struct KillOutcome {
    /// False where the run had ended before.
    pub died: bool,
    /// Participants whose minutes were asked for again.
    pub requested_again: usize,
}

impl<'a> Baseline<'a> {
    /// Runs it undisturbed.
    pub(crate) fn new(nth: NthSync, env: &'a TestEnv) -> Baseline<'a> {
        let base = TestStore::new(env);
        if nth == NthSync::First {
            return Baseline::of(base, None);
        }
        env.faults(&["participant_quality_list:internal-error@share=0.02"]);
        let mut command = base.command();
        command.env("VCQ_MAX_TRIES", "1");
        base.run(command, None).expect_exit(7);
        env.faults(&[]);
        let before = base.tables();
        let baseline = Baseline::of(base, Some(before));
        assert!(baseline.before.as_ref() != Some(&baseline.after), "the second sync changes something");
        let copies = baseline.operations.iter().any(|operation| operation.kind == "copy");
        let removes = baseline.operations.iter().any(|one| one.kind == "unlink" && one.path.contains("/part-"));
        assert!(copies && removes, "the database is built upon the old one, and old parts go");
        baseline
    }

    fn of(base: TestStore<'a>, before: Option<Tables>) -> Baseline<'a> {
        base.take_request_counts();
        let undisturbed = if before.is_some() { TestStore::copy_of(&base) } else { TestStore::new(base.env) };
        undisturbed.sync(None).expect_exit(0);
        let (after, attempts) = (undisturbed.tables(), undisturbed.attempts());
        let operations = undisturbed.operations();
        let baseline = Baseline { asked: base.take_request_counts(), base, before, after, attempts, operations };
        undisturbed.assert_ended_as(&baseline.after, "undisturbed");
        baseline
    }

    /// A store as it is before the sync.
    pub(crate) fn test_store(&self) -> TestStore<'a> {
        if self.before.is_some() { TestStore::copy_of(&self.base) } else { TestStore::new(self.base.env) }
    }

    /// Asserts what holds at every instant.
    #[track_caller]
    pub(crate) fn assert_whole(&self, test_store: &TestStore<'_>, of: &str) {
        let states: Vec<&Tables> = self.before.iter().chain([&self.after]).collect();
        test_store.assert_published_is_whole(&states, of);
    }

    /// Runs the sync with a fault that kills it, then again, and asserts that nothing is lost or asked for twice.
    #[track_caller]
    pub(crate) fn kill(&self, fault: &Fault, of: &str) -> KillOutcome {
        let test_store = self.test_store();
        test_store.take_request_counts();
        let died = test_store.sync(Some(fault)).code.is_none();
        self.assert_whole(&test_store, of);
        let again = self.resume(&test_store, usize::from(died), RequestCounts::new(), of);
        KillOutcome { died, requested_again: again }
    }

    /// After runs that died: asserts that what is published is whole; that the same command then ends the store as if
    /// nothing had been; and that it asks again for no more than was in flight, and for nothing that was recorded. Gives
    /// the number of participants asked for again. `asked` is what was asked for by runs before the last.
    #[track_caller]
    pub(crate) fn resume(&self, test_store: &TestStore<'_>, kills: usize, asked: RequestCounts, of: &str) -> usize {
        let asked = sum_counts(asked, &test_store.take_request_counts());
        // Runs that ended by themselves publish what they got, which is of neither state.
        test_store.assert_published_is_whole(&[], of);
        let recorded = test_store.recorded();
        test_store.sync(None).expect_exit(0);
        let asked_then = test_store.take_request_counts();
        let asked_twice: BTreeSet<_> = recorded.iter().filter(|unit| asked_then.contains_key(*unit)).collect();
        assert!(asked_twice.is_empty(), "{of}: recorded, and asked for again: {asked_twice:?}");
        let asked = sum_counts(asked, &asked_then);
        let quality = requested_again(&asked, &self.asked, Endpoint::ParticipantQualityList);
        let lists = requested_again(&asked, &self.asked, Endpoint::ParticipantList);
        for again in [&quality, &lists] {
            assert!(again.len() <= kills * CONCURRENCY, "{of}: {kills} kills, asked for again: {again:?}");
        }
        let missing: Vec<_> = self.asked.keys().filter(|unit| !asked.contains_key(*unit)).collect();
        assert!(missing.is_empty(), "{of}: never asked for: {missing:?}");
        test_store.assert_ended_as(&self.after, of);
        // An attempt more for who was asked again and for the duplicate that shares the answer, and for those who found out
        // anew that a meeting's window is too long.
        let more = test_store.attempts() - self.attempts;
        let most = (2 * quality.len() + kills.max(1) * CONCURRENCY) as i64;
        assert!(more.abs() <= most, "{of}: {more} attempts more, {} asked again", quality.len());
        quality.len()
    }

    /// Runs the sync with a fault that it can notice, then again without, and asserts that what was published stays
    /// whole, that the failure is told well, and that the next run goes on. True where the first run ended well.
    #[track_caller]
    pub(crate) fn fail(&self, fault: &Fault, of: &str) -> bool {
        let test_store = self.test_store();
        test_store.take_request_counts();
        let ran = test_store.sync(Some(fault));
        assert_failure_reported(&ran, &test_store, of);
        self.resume(&test_store, 1, RequestCounts::new(), of);
        ran.code == Some(0)
    }
}

/// Asserts that a run that storage failed says so: exit 5, the path, and what to do.
#[track_caller]
pub(crate) fn assert_failure_reported(ran: &RunOutput, test_store: &TestStore<'_>, of: &str) {
    let RunOutput { code, stdout, stderr } = ran;
    assert!(matches!(code, Some(0 | 5)), "{of}: exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    if *code == Some(5) {
        let store = test_store.path();
        assert!(stderr.contains(&*store.to_string_lossy()), "{of}: names no path below {}:\n{stderr}", store.display());
        assert!(stderr.contains("hint: "), "{of}: says not what to do:\n{stderr}");
    }
}

/// Trials side by side.
const THREADS: usize = 2;

/// Tries all, shared out to threads that each have a env of their own; gives how many were tried and how many of those
/// `try_one` was true of.
pub(crate) fn try_all<T: Sync>(
    all: &[T],
    nth: NthSync,
    try_one: impl Fn(&Baseline<'_>, &T) -> bool + Sync,
) -> (usize, usize) {
    let try_one = &try_one;
    let hits = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS.min(all.len()))
            .map(|first| {
                scope.spawn(move || {
                    let env = tiny_env();
                    let baseline = Baseline::new(nth, &env);
                    all.iter().skip(first).step_by(THREADS).filter(|one| try_one(&baseline, one)).count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    });
    (all.len(), hits)
}

/// The same path of another run or day.
fn shape(operation: &Operation) -> String {
    let words = |path: &str| -> Vec<String> {
        let words = path.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        words
            .map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#".to_owned() } else { word.to_owned() })
            .collect()
    };
    format!("{} {}", operation.kind, words(&operation.path).concat())
}

/// The first operation of each shape, as a number from 1.
pub(crate) fn one_of_each_shape(operations: &[Operation]) -> Vec<usize> {
    let mut first = BTreeMap::new();
    for (at, operation) in operations.iter().enumerate() {
        first.entry(shape(operation)).or_insert(at + 1);
    }
    first.into_values().collect()
}

/// Says what a test run has counted.
#[expect(clippy::print_stderr, reason = "for whoever runs the tests with --nocapture")]
pub(crate) fn print_progress(text: &str) {
    eprintln!("{text}");
}
