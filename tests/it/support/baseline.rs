//! A reference sync: the store before it, and after it if nothing goes wrong. Tests repeat it with kills and faults.

use std::collections::{BTreeMap, BTreeSet};

use vcq_simulator::Endpoint;

use crate::support::fault_injection::{Fault, Operation};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::{
    CONCURRENCY, RequestCounts, Tables, TestStore, requested_again, sum_counts, tiny_env,
};

/// Which sync of a store is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NthSync {
    /// The first one, into an empty store.
    First,
    /// One that fetches what an earlier one could not: it replaces one published date.
    Second,
}

impl NthSync {
    pub(crate) const ALL: &[NthSync] = &[NthSync::First, NthSync::Second];
}

/// A sync and the result of running it without faults.
pub(crate) struct Baseline<'a> {
    base: TestStore<'a>,
    before: Option<Tables>,
    pub after: Tables,
    requests: RequestCounts,
    attempts: i64,
    /// File operations of the sync, in order.
    pub operations: Vec<Operation>,
}

/// The result of a killed run and the run after it.
pub(crate) struct KillOutcome {
    /// False if the run had ended before the kill.
    pub died: bool,
    /// Participants whose minutes were requested again.
    pub requested_again: usize,
}

impl<'a> Baseline<'a> {
    /// Runs the sync without faults.
    pub(crate) fn new(nth: NthSync, env: &'a TestEnv) -> Baseline<'a> {
        let base = TestStore::new(env);
        if nth == NthSync::First {
            return Baseline::record(base, None);
        }
        env.faults(&["participant_quality_list:internal-error@share=0.02"]);
        let mut command = base.command();
        command.env("VCQ_MAX_TRIES", "1");
        base.run(command, None).expect_exit(7);
        env.faults(&[]);
        let before = base.tables();
        let baseline = Baseline::record(base, Some(before));
        assert!(baseline.before.as_ref() != Some(&baseline.after), "the second sync changes something");
        let copies = baseline.operations.iter().any(|operation| operation.kind == "copy");
        let removes = baseline.operations.iter().any(|one| one.kind == "unlink" && one.path.contains("/part-"));
        assert!(copies && removes, "the database is built from the old one, and old parts are removed");
        baseline
    }

    fn record(base: TestStore<'a>, before: Option<Tables>) -> Baseline<'a> {
        base.take_request_counts();
        let undisturbed = if before.is_some() { TestStore::copy_of(&base) } else { TestStore::new(base.env) };
        undisturbed.sync(None).expect_exit(0);
        let (after, attempts) = (undisturbed.tables(), undisturbed.attempts());
        let operations = undisturbed.operations();
        let baseline = Baseline { requests: base.take_request_counts(), base, before, after, attempts, operations };
        undisturbed.assert_complete_as(&baseline.after, "undisturbed");
        baseline
    }

    /// A new copy of the store before the sync.
    pub(crate) fn test_store(&self) -> TestStore<'a> {
        if self.before.is_some() { TestStore::copy_of(&self.base) } else { TestStore::new(self.base.env) }
    }

    /// Checks what holds at every instant: the published files are whole and of one of the two states.
    #[track_caller]
    pub(crate) fn assert_whole(&self, test_store: &TestStore<'_>, of: &str) {
        let states: Vec<&Tables> = self.before.iter().chain([&self.after]).collect();
        test_store.assert_published_is_whole(&states, of);
    }

    /// Runs the sync with a fault that kills it, then again. Checks that nothing is lost or requested twice.
    #[track_caller]
    pub(crate) fn kill(&self, fault: &Fault, of: &str) -> KillOutcome {
        let test_store = self.test_store();
        test_store.take_request_counts();
        let died = test_store.sync(Some(fault)).code.is_none();
        self.assert_whole(&test_store, of);
        let again = self.resume(&test_store, usize::from(died), RequestCounts::new(), of);
        KillOutcome { died, requested_again: again }
    }

    /// Runs the same command after runs that died. Checks that what is published is whole, that the run completes the
    /// store, and that it requests again no more than was in flight, and nothing that was recorded. `requests` are
    /// those of runs before the last. Returns the number of participants requested again.
    #[track_caller]
    pub(crate) fn resume(&self, test_store: &TestStore<'_>, kills: usize, requests: RequestCounts, of: &str) -> usize {
        let requests = sum_counts(requests, &test_store.take_request_counts());
        // A run that ended by itself publishes what it got, which is neither of the two states.
        test_store.assert_published_is_whole(&[], of);
        let recorded = test_store.recorded();
        test_store.sync(None).expect_exit(0);
        let new_requests = test_store.take_request_counts();
        let repeated: BTreeSet<_> = recorded.iter().filter(|unit| new_requests.contains_key(*unit)).collect();
        assert!(repeated.is_empty(), "{of}: recorded and requested again: {repeated:?}");
        let requests = sum_counts(requests, &new_requests);
        let quality = requested_again(&requests, &self.requests, Endpoint::ParticipantQualityList);
        let lists = requested_again(&requests, &self.requests, Endpoint::ParticipantList);
        for again in [&quality, &lists] {
            assert!(again.len() <= kills * CONCURRENCY, "{of}: {kills} kills, requested again: {again:?}");
        }
        let missing: Vec<_> = self.requests.keys().filter(|unit| !requests.contains_key(*unit)).collect();
        assert!(missing.is_empty(), "{of}: never requested: {missing:?}");
        test_store.assert_complete_as(&self.after, of);
        // One more attempt for each participant requested again, for a duplicate that shares the answer, and where a
        // meeting's window was again found to be too long.
        let more = test_store.attempts() - self.attempts;
        let most = (2 * quality.len() + kills.max(1) * CONCURRENCY) as i64;
        assert!(more.abs() <= most, "{of}: {more} more attempts, {} requested again", quality.len());
        quality.len()
    }

    /// Runs the sync with a fault that returns an error, then without. Checks that what was published stays whole, that
    /// the failure is reported, and that the next run completes the store. True if the first run succeeded.
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

/// Checks that a run that failed on storage reports it: exit 5, the path and a hint. A run may also have succeeded.
#[track_caller]
pub(crate) fn assert_failure_reported(ran: &RunOutput, test_store: &TestStore<'_>, of: &str) {
    let RunOutput { code, stdout, stderr } = ran;
    assert!(matches!(code, Some(0 | 5)), "{of}: exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    if *code == Some(5) {
        let store = test_store.path();
        assert!(stderr.contains(&*store.to_string_lossy()), "{of}: names no path below {}:\n{stderr}", store.display());
        assert!(stderr.contains("hint: "), "{of}: no hint:\n{stderr}");
    }
}

const THREADS: usize = 2;

/// Runs `try_one` on all items, in threads with a test environment each. Returns the number of items and how many of
/// them `try_one` was true for.
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

/// A path with `#` for each word that has digits, so that it is equal for other runs and dates.
fn without_digits(path: &str) -> String {
    let words = path.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words.map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word }).collect()
}

fn shape(operation: &Operation) -> String {
    format!("{} {}", operation.kind, without_digits(&operation.path))
}

/// The longest part of a path that is equal for other runs and dates.
pub(crate) fn lasting_part(path: &str) -> String {
    without_digits(path).split('#').max_by_key(|part| part.len()).unwrap_or_default().to_owned()
}

/// The number (from 1) of the first operation of each shape.
pub(crate) fn one_of_each_shape(operations: &[Operation]) -> Vec<usize> {
    let mut first = BTreeMap::new();
    for (at, operation) in operations.iter().enumerate() {
        first.entry(shape(operation)).or_insert(at + 1);
    }
    first.into_values().collect()
}

/// Prints the counts of a long test.
#[expect(clippy::print_stderr, reason = "shown with --nocapture")]
pub(crate) fn print_progress(text: &str) {
    eprintln!("{text}");
}
