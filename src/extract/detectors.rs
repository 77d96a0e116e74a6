//! Detects faults that concern the whole run from the first answers: a missing role or scope, or a refusal of
//! everybody.
//!
//! Until it is clear that the fault is absent, an answer that could be a sign of it is held back and not recorded as
//! final.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::unit_result::UnitResult;
use crate::raw_log::WalkEnd;
use crate::schema::Status;
use feishu_vc::error_codes;

/// If this many first answers are all refusals, the fault concerns the run and not the units.
const REFUSALS_TO_STOP: usize = 5;
/// With this many participants of this many meetings and no ID among them, the scope is missing.
const MIN_PARTICIPANTS_WITHOUT_ID: u64 = 10;
const MIN_MEETINGS_WITHOUT_ID: u64 = 2;

#[derive(Debug)]
pub(super) enum Decision {
    /// Record these: the answer, and those held back before.
    Record(Vec<UnitResult>),
    Hold,
    /// Stop the run; these were held back and are void.
    Stop(Vec<UnitResult>),
}

/// Answers held back until it is decided that the fault is absent.
#[derive(Debug, Default)]
struct Held {
    is_decided: bool,
    results: Vec<UnitResult>,
}

impl Held {
    fn release_with(&mut self, result: UnitResult) -> Decision {
        self.is_decided = true;
        let mut results = std::mem::take(&mut self.results);
        results.push(result);
        Decision::Record(results)
    }
}

/// Detects that the first requests to an endpoint are all refused, for lack of permission or with a code that does not
/// concern a unit.
#[derive(Debug, Default)]
pub(super) struct RefusalDetector(Mutex<Held>);

/// True for an answer that may concern every unit.
fn concerns_everybody(end: &WalkEnd) -> bool {
    match (end.status, end.api_code) {
        // A list that lacks only a webinar's audience shows that we have access.
        _ if end.whole => false,
        (Status::Forbidden, _) => true,
        (Status::Unsupported, Some(code)) => !error_codes::concerns_one_unit(code),
        (Status::Unsupported, None) => true,
        _ => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RefusalDetector {
    pub(super) fn check(&self, result: UnitResult) -> Decision {
        let mut state = lock(&self.0);
        if state.is_decided {
            return Decision::Record(vec![result]);
        }
        if concerns_everybody(&result.end) {
            state.results.push(result);
            if state.results.len() < REFUSALS_TO_STOP {
                return Decision::Hold;
            }
            return Decision::Stop(std::mem::take(&mut state.results));
        }
        // A fault or an interrupted walk proves nothing about access.
        if result.is_answer { state.release_with(result) } else { Decision::Record(vec![result]) }
    }

    /// At the end of a run: refusals that were too few to decide.
    pub(super) fn take_held(&self) -> Vec<UnitResult> {
        std::mem::take(&mut lock(&self.0).results)
    }
}

#[derive(Debug, Default)]
pub(super) struct MissingIdDetector(Mutex<MissingIdState>);

#[derive(Debug, Default)]
struct MissingIdState {
    participants: u64,
    meetings: u64,
    held: Held,
}

impl MissingIdDetector {
    pub(super) fn check(&self, result: UnitResult) -> Decision {
        let mut state = lock(&self.0);
        if state.held.is_decided || result.participants.is_empty() {
            return Decision::Record(vec![result]);
        }
        if result.participants.iter().any(|participant| participant.identity.id.is_some()) {
            return state.held.release_with(result);
        }
        // Counts rows, not keys: guests who joined in the same second share a key.
        state.participants += result.end.items;
        state.meetings += 1;
        state.held.results.push(result);
        if state.participants >= MIN_PARTICIPANTS_WITHOUT_ID && state.meetings >= MIN_MEETINGS_WITHOUT_ID {
            return Decision::Stop(std::mem::take(&mut state.held.results));
        }
        Decision::Hold
    }

    pub(super) fn take_held(&self) -> Vec<UnitResult> {
        std::mem::take(&mut lock(&self.0).held.results)
    }

    pub(super) fn seen(&self) -> (u64, u64) {
        let state = lock(&self.0);
        (state.participants, state.meetings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::items::ListedParticipant;
    use crate::raw_log::RawKind;
    use crate::schema::identity::{ParticipantId, ParticipantIdentity};

    fn result(status: Status, api_code: Option<i64>) -> UnitResult {
        UnitResult {
            kind: RawKind::Participants,
            unit: "u".to_owned(),
            meeting_key: "m".to_owned(),
            meeting_date: 0,
            requested_us: 0,
            pages: Vec::new(),
            end: WalkEnd {
                whole: matches!(status, Status::Complete | Status::Empty),
                status,
                reason: String::new(),
                is_final: true,
                api_code,
                log_id: None,
                items: 0,
                digest: String::new(),
                requests: 1,
                walks: 1,
                ..WalkEnd::default()
            },
            participants: Vec::new(),
            people: 0,
            is_newly_unreadable: false,
            changes_published: true,
            is_answer: status != Status::Failed,
            stop: None,
        }
    }

    fn forbidden() -> UnitResult {
        result(Status::Forbidden, Some(121_005))
    }

    fn list(ids: &[Option<&str>]) -> UnitResult {
        let participants = ids.iter().map(|id| {
            let id = id.map(|id| ParticipantId::User(id.to_owned()));
            let identity = ParticipantIdentity {
                base_key: "k".to_owned(),
                id,
                join: None,
                expected_minutes: None,
                clock_minutes: None,
            };
            ListedParticipant { identity, rows: 1 }
        });
        let mut list = UnitResult { participants: participants.collect(), ..result(Status::Complete, Some(0)) };
        list.end.items = ids.len() as u64;
        list
    }

    fn recorded(decision: Decision) -> usize {
        match decision {
            Decision::Record(answers) => answers.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn five_refusals_at_the_start_stop_the_run_and_one_answer_releases_them() {
        let detector = RefusalDetector::default();
        for _ in 0..4 {
            assert!(matches!(detector.check(forbidden()), Decision::Hold));
        }
        assert!(matches!(detector.check(forbidden()), Decision::Stop(held) if held.len() == 5));

        let detector = RefusalDetector::default();
        assert!(matches!(detector.check(forbidden()), Decision::Hold));
        assert_eq!(recorded(detector.check(result(Status::Empty, Some(0)))), 2);
        assert_eq!(recorded(detector.check(forbidden())), 1, "from then on each is forbidden on its own");
        assert!(detector.take_held().is_empty());
    }

    #[test]
    fn parameter_errors_stop_the_run_and_other_codes_concern_a_unit() {
        for code in [Some(121_003), Some(99_992_402), None] {
            let detector = RefusalDetector::default();
            let held = (0..5).filter(|_| !matches!(detector.check(result(Status::Unsupported, code)), Decision::Hold));
            assert_eq!(held.count(), 1, "the fifth stops: {code:?}");
        }
        let detector = RefusalDetector::default();
        assert_eq!(recorded(detector.check(result(Status::Unsupported, Some(121_002)))), 1);
    }

    #[test]
    fn a_list_without_its_audience_shows_that_the_role_is_granted() {
        let detector = RefusalDetector::default();
        let mut panel = forbidden();
        panel.end.whole = true;
        assert_eq!(recorded(detector.check(panel)), 1);
        assert_eq!(recorded(detector.check(forbidden())), 1);
    }

    #[test]
    fn a_fault_says_nothing_about_the_role_but_another_refusal_does() {
        let detector = RefusalDetector::default();
        assert!(matches!(detector.check(forbidden()), Decision::Hold));
        assert_eq!(recorded(detector.check(result(Status::Failed, None))), 1);
        assert_eq!(detector.take_held().len(), 1, "all that were answered were refused");
        let detector = RefusalDetector::default();
        assert!(matches!(detector.check(forbidden()), Decision::Hold));
        assert_eq!(recorded(detector.check(result(Status::NotFound, Some(126_010)))), 2);
    }

    #[test]
    fn ten_participants_of_two_meetings_without_any_id_stop_the_run() {
        let detector = MissingIdDetector::default();
        assert!(matches!(detector.check(list(&[None; 30])), Decision::Hold), "one meeting may have only guests");
        assert!(matches!(detector.check(list(&[None])), Decision::Stop(held) if held.len() == 2));
        assert_eq!(detector.seen(), (31, 2));

        let detector = MissingIdDetector::default();
        assert!(matches!(detector.check(list(&[None; 9])), Decision::Hold));
        assert_eq!(recorded(detector.check(list(&[None, Some("ou_1")]))), 2, "somebody has an id");
        assert_eq!(recorded(detector.check(list(&[None; 30]))), 1);
        assert_eq!(recorded(detector.check(list(&[]))), 1, "an empty list says nothing");
    }
}
