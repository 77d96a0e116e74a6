//! A sync to disturb: what the store was before, and what it is after when nothing disturbs it.

use std::collections::{BTreeMap, BTreeSet};

use vcq_simulator::Endpoint;

use crate::support::shim::{Fault, Operation};
use crate::support::trial::{Asked, CONCURRENCY, Tables, Trial, both, requested_again, tiny_world};
use crate::support::world::{Ran, World};

/// Which sync of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Night {
    /// The first one, into nothing.
    First,
    /// One that gets what an earlier one could not, on one day: it replaces that day upon the published database.
    Second,
}

impl Night {
    pub(crate) const ALL: &[Night] = &[Night::First, Night::Second];
}

/// A sync, known from an undisturbed run of it.
pub(crate) struct Scene<'a> {
    base: Trial<'a>,
    before: Option<Tables>,
    pub after: Tables,
    asked: Asked,
    attempts: i64,
    /// What the undisturbed sync did to files.
    pub operations: Vec<Operation>,
}

/// What a kill cost.
pub(crate) struct Killed {
    /// False where the run had ended before.
    pub died: bool,
    /// Participants whose minutes were asked for again.
    pub again: usize,
}

impl<'a> Scene<'a> {
    /// Runs it undisturbed.
    pub(crate) fn new(night: Night, world: &'a World) -> Scene<'a> {
        let base = Trial::new(world);
        if night == Night::First {
            return Scene::of(base, None);
        }
        world.faults(&["participant_quality_list:internal-error@share=0.02"]);
        let mut command = base.command();
        command.env("VCQ_MAX_TRIES", "1");
        base.run(command, None).ended(7);
        world.faults(&[]);
        let before = base.tables();
        let scene = Scene::of(base, Some(before));
        assert!(scene.before.as_ref() != Some(&scene.after), "the second sync changes something");
        let copies = scene.operations.iter().any(|operation| operation.kind == "copy");
        let removes = scene.operations.iter().any(|one| one.kind == "unlink" && one.path.contains("/part-"));
        assert!(copies && removes, "the database is built upon the old one, and old parts go");
        scene
    }

    fn of(base: Trial<'a>, before: Option<Tables>) -> Scene<'a> {
        base.take_asked();
        let undisturbed = if before.is_some() { Trial::copy_of(&base) } else { Trial::new(base.world) };
        undisturbed.sync(None).ended(0);
        let (after, attempts) = (undisturbed.tables(), undisturbed.attempts());
        let operations = undisturbed.operations();
        let scene = Scene { asked: base.take_asked(), base, before, after, attempts, operations };
        undisturbed.assert_ended_as(&scene.after, "undisturbed");
        scene
    }

    /// A store as it is before the sync.
    pub(crate) fn trial(&self) -> Trial<'a> {
        if self.before.is_some() { Trial::copy_of(&self.base) } else { Trial::new(self.base.world) }
    }

    /// Asserts what holds at every instant.
    #[track_caller]
    pub(crate) fn assert_whole(&self, trial: &Trial<'_>, of: &str) {
        let states: Vec<&Tables> = self.before.iter().chain([&self.after]).collect();
        trial.assert_published_is_whole(&states, of);
    }

    /// Runs the sync with a fault that kills it, then again, and asserts that nothing is lost or asked for twice.
    #[track_caller]
    pub(crate) fn kill(&self, fault: &Fault, of: &str) -> Killed {
        let trial = self.trial();
        trial.take_asked();
        let died = trial.sync(Some(fault)).code.is_none();
        self.assert_whole(&trial, of);
        let again = self.go_on(&trial, usize::from(died), Asked::new(), of);
        Killed { died, again }
    }

    /// After runs that died: asserts that what is published is whole; that the same command then ends the store as if
    /// nothing had been; and that it asks again for no more than was in flight, and for nothing that was recorded. Gives
    /// the number of participants asked for again. `asked` is what was asked for by runs before the last.
    #[track_caller]
    pub(crate) fn go_on(&self, trial: &Trial<'_>, kills: usize, asked: Asked, of: &str) -> usize {
        let asked = both(asked, &trial.take_asked());
        // Runs that ended by themselves publish what they got, which is of neither state.
        trial.assert_published_is_whole(&[], of);
        let recorded = trial.recorded();
        trial.sync(None).ended(0);
        let asked_then = trial.take_asked();
        let asked_twice: BTreeSet<_> = recorded.iter().filter(|unit| asked_then.contains_key(*unit)).collect();
        assert!(asked_twice.is_empty(), "{of}: recorded, and asked for again: {asked_twice:?}");
        let asked = both(asked, &asked_then);
        let quality = requested_again(&asked, &self.asked, Endpoint::ParticipantQualityList);
        let lists = requested_again(&asked, &self.asked, Endpoint::ParticipantList);
        for again in [&quality, &lists] {
            assert!(again.len() <= kills * CONCURRENCY, "{of}: {kills} kills, asked for again: {again:?}");
        }
        let missing: Vec<_> = self.asked.keys().filter(|unit| !asked.contains_key(*unit)).collect();
        assert!(missing.is_empty(), "{of}: never asked for: {missing:?}");
        trial.assert_ended_as(&self.after, of);
        // An attempt more for who was asked again and for the duplicate that shares the answer, and for those who found out
        // anew that a meeting's window is too long.
        let more = trial.attempts() - self.attempts;
        let most = (2 * quality.len() + kills.max(1) * CONCURRENCY) as i64;
        assert!(more.abs() <= most, "{of}: {more} attempts more, {} asked again", quality.len());
        quality.len()
    }

    /// Runs the sync with a fault that it can notice, then again without, and asserts that what was published stays
    /// whole, that the failure is told well, and that the next run goes on. True where the first run ended well.
    #[track_caller]
    pub(crate) fn fail(&self, fault: &Fault, of: &str) -> bool {
        let trial = self.trial();
        trial.take_asked();
        let ran = trial.sync(Some(fault));
        assert_told(&ran, &trial, of);
        self.go_on(&trial, 1, Asked::new(), of);
        ran.code == Some(0)
    }
}

/// Asserts that a run that storage failed says so: exit 5, the path, and what to do.
#[track_caller]
pub(crate) fn assert_told(ran: &Ran, trial: &Trial<'_>, of: &str) {
    let Ran { code, stdout, stderr } = ran;
    assert!(matches!(code, Some(0 | 5)), "{of}: exit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    if *code == Some(5) {
        let store = trial.store();
        assert!(stderr.contains(&*store.to_string_lossy()), "{of}: names no path below {}:\n{stderr}", store.display());
        assert!(stderr.contains("hint: "), "{of}: says not what to do:\n{stderr}");
    }
}

/// Trials side by side.
const THREADS: usize = 2;

/// Tries all, shared out to threads that each have a world of their own; gives how many were tried and how many of those
/// `try_one` was true of.
pub(crate) fn try_all<T: Sync>(
    all: &[T],
    night: Night,
    try_one: impl Fn(&Scene<'_>, &T) -> bool + Sync,
) -> (usize, usize) {
    let try_one = &try_one;
    let hits = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS.min(all.len()))
            .map(|first| {
                scope.spawn(move || {
                    let world = tiny_world();
                    let scene = Scene::new(night, &world);
                    all.iter().skip(first).step_by(THREADS).filter(|one| try_one(&scene, one)).count()
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
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}
