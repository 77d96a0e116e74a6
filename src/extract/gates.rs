//! Answers that are held back until it shows whether they mean one unit or the whole run.
//!
//! Two questions are settled by the first few answers: does an endpoint answer us at all (the role may be missing, or it
//! may refuse everybody for a reason we don't know), and does anybody have an id.
//! Until then an answer that could be a sign of the fault is not written down as final.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::unit::Finished;
use crate::raw_log::WalkEnd;
use crate::schema::Status;
use feishu_vc::error_codes;

/// How many refusals of the first asked mean the run and not the units.
const FIRST_ASKED: usize = 5;
/// From how many participants without any id on the field scope must be missing,
const MOST_WITHOUT_ID: u64 = 10;
/// and of how many meetings.
const MEETINGS_WITHOUT_ID: u64 = 2;

/// What to do with an answer.
#[derive(Debug)]
pub(super) enum Decision {
    /// Write these down: the answer itself, and what had been held back.
    Write(Vec<Finished>),
    /// Wait for the next answers.
    Hold,
    /// These were held back and are worthless: the run stops.
    Stop(Vec<Finished>),
}

/// Whether the first asked of an endpoint are all refused, with a permission error or with a code that says nothing of a unit.
#[derive(Debug, Default)]
pub(super) struct RefusalDetector(Mutex<Held>);

/// True for an answer that could be meant for everybody.
fn is_for_everybody(end: &WalkEnd) -> bool {
    match (end.status, end.api_code) {
        // A list that is there but for a webinar's audience shows that we are let in.
        _ if end.whole => false,
        (Status::Forbidden, _) => true,
        (Status::Unsupported, Some(code)) => !error_codes::concerns_one_unit(code),
        (Status::Unsupported, None) => true,
        _ => false,
    }
}

#[derive(Debug, Default)]
struct Held {
    is_open: bool,
    held: Vec<Finished>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RefusalDetector {
    pub(super) fn judge(&self, finished: Finished) -> Decision {
        let mut gate = lock(&self.0);
        if gate.is_open {
            return Decision::Write(vec![finished]);
        }
        if is_for_everybody(&finished.end) {
            gate.held.push(finished);
            if gate.held.len() < FIRST_ASKED {
                return Decision::Hold;
            }
            return Decision::Stop(std::mem::take(&mut gate.held));
        }
        // A fault or a cut walk says nothing about who is let in.
        if !finished.is_answer {
            return Decision::Write(vec![finished]);
        }
        gate.is_open = true;
        let mut answers = std::mem::take(&mut gate.held);
        answers.push(finished);
        Decision::Write(answers)
    }

    /// At the end: those held back, where all that were asked were refused and they are too few to decide before.
    pub(super) fn take_held(&self) -> Vec<Finished> {
        std::mem::take(&mut lock(&self.0).held)
    }
}

/// Whether any participant has an id.
#[derive(Debug, Default)]
pub(super) struct MissingIdDetector(Mutex<HeldLists>);

#[derive(Debug, Default)]
struct HeldLists {
    is_open: bool,
    participants: u64,
    meetings: u64,
    held: Vec<Finished>,
}

impl MissingIdDetector {
    /// Judges a meeting's list.
    pub(super) fn judge(&self, finished: Finished) -> Decision {
        let mut gate = lock(&self.0);
        if gate.is_open || finished.participants.is_empty() {
            return Decision::Write(vec![finished]);
        }
        if finished.participants.iter().any(|participant| participant.id.is_some()) {
            gate.is_open = true;
            let mut answers = std::mem::take(&mut gate.held);
            answers.push(finished);
            return Decision::Write(answers);
        }
        // Rows, not keys: guests who joined in the same second share one.
        gate.participants += finished.end.items;
        gate.meetings += 1;
        gate.held.push(finished);
        if gate.participants >= MOST_WITHOUT_ID && gate.meetings >= MEETINGS_WITHOUT_ID {
            return Decision::Stop(std::mem::take(&mut gate.held));
        }
        Decision::Hold
    }

    /// At the end: lists held back that were too few to tell anything.
    pub(super) fn take_held(&self) -> Vec<Finished> {
        std::mem::take(&mut lock(&self.0).held)
    }

    /// Participants and meetings seen without any id.
    pub(super) fn seen(&self) -> (u64, u64) {
        let gate = lock(&self.0);
        (gate.participants, gate.meetings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_log::RawKind;
    use crate::schema::identity::{ParticipantId, ParticipantIdentity};

    fn finished(status: Status, api_code: Option<i64>) -> Finished {
        Finished {
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
            },
            participants: Vec::new(),
            is_news: true,
            is_answer: status != Status::Failed,
        }
    }

    fn forbidden() -> Finished {
        finished(Status::Forbidden, Some(121_005))
    }

    fn list(ids: &[Option<&str>]) -> Finished {
        let participants = ids.iter().map(|id| ParticipantIdentity {
            base_key: "k".to_owned(),
            id: id.map(|id| ParticipantId::User(id.to_owned())),
            join: None,
            expected_minutes: None,
        });
        let mut list = Finished { participants: participants.collect(), ..finished(Status::Complete, Some(0)) };
        list.end.items = ids.len() as u64;
        list
    }

    fn written(decision: Decision) -> usize {
        match decision {
            Decision::Write(answers) => answers.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn five_refusals_at_the_start_stop_and_one_answer_lets_them_through() {
        let gate = RefusalDetector::default();
        for _ in 0..4 {
            assert!(matches!(gate.judge(forbidden()), Decision::Hold));
        }
        assert!(matches!(gate.judge(forbidden()), Decision::Stop(held) if held.len() == 5));

        let gate = RefusalDetector::default();
        assert!(matches!(gate.judge(forbidden()), Decision::Hold));
        assert_eq!(written(gate.judge(finished(Status::Empty, Some(0)))), 2);
        assert_eq!(written(gate.judge(forbidden())), 1, "from then on each is forbidden for itself");
        assert!(gate.take_held().is_empty());
    }

    #[test]
    fn refusals_of_everybody_with_an_unknown_code_stop_and_known_ones_are_of_a_unit() {
        for code in [Some(121_003), Some(4_711), None] {
            let gate = RefusalDetector::default();
            let held = (0..5).filter(|_| !matches!(gate.judge(finished(Status::Unsupported, code)), Decision::Hold));
            assert_eq!(held.count(), 1, "the fifth stops: {code:?}");
        }
        let gate = RefusalDetector::default();
        assert_eq!(written(gate.judge(finished(Status::Unsupported, Some(121_002)))), 1);
    }

    #[test]
    fn a_list_without_its_audience_shows_that_the_role_works() {
        let gate = RefusalDetector::default();
        let mut panel = forbidden();
        panel.end.whole = true;
        assert_eq!(written(gate.judge(panel)), 1);
        assert_eq!(written(gate.judge(forbidden())), 1);
    }

    #[test]
    fn a_fault_says_nothing_about_the_role_and_another_refusal_does() {
        let gate = RefusalDetector::default();
        assert!(matches!(gate.judge(forbidden()), Decision::Hold));
        assert_eq!(written(gate.judge(finished(Status::Failed, None))), 1);
        assert_eq!(gate.take_held().len(), 1, "all that were answered were refused");
        let gate = RefusalDetector::default();
        assert!(matches!(gate.judge(forbidden()), Decision::Hold));
        assert_eq!(written(gate.judge(finished(Status::NotFound, Some(126_010)))), 2);
    }

    #[test]
    fn ten_participants_of_two_meetings_without_any_id_stop() {
        let gate = MissingIdDetector::default();
        assert!(matches!(gate.judge(list(&[None; 30])), Decision::Hold), "one meeting may be all guests");
        assert!(matches!(gate.judge(list(&[None])), Decision::Stop(held) if held.len() == 2));
        assert_eq!(gate.seen(), (31, 2));

        let gate = MissingIdDetector::default();
        assert!(matches!(gate.judge(list(&[None; 9])), Decision::Hold));
        assert_eq!(written(gate.judge(list(&[None, Some("ou_1")]))), 2, "somebody has an id");
        assert_eq!(written(gate.judge(list(&[None; 30]))), 1);
        assert_eq!(written(gate.judge(list(&[]))), 1, "an empty list says nothing");
    }
}
