//! Records answers once it is clear whether they affect their unit or the whole run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::detectors::{Decision, MissingIdDetector, RefusalDetector};
use super::settings::Context;
use super::stop::Stop;
use super::unit_result::UnitResult;
use crate::raw_log::RawKind;
use crate::schema::Status;
use feishu_vc::Endpoint;

/// After this many failures in a row Feishu is considered unavailable.
const MAX_FAILURES_IN_A_ROW: u32 = 20;

pub(super) struct Committer {
    context: Arc<Context>,
    /// Of participant lists, and of quality.
    refusal_detectors: [RefusalDetector; 2],
    missing_id_detector: MissingIdDetector,
    /// Of participant lists, and of quality: one may work while the other does not.
    failures_in_a_row: [AtomicU32; 2],
    failed_units: AtomicU64,
    unreadable_participants: AtomicU64,
}

impl Committer {
    pub(super) fn new(context: Arc<Context>) -> Committer {
        Committer {
            context,
            refusal_detectors: Default::default(),
            missing_id_detector: MissingIdDetector::default(),
            failures_in_a_row: Default::default(),
            failed_units: AtomicU64::new(0),
            unreadable_participants: AtomicU64::new(0),
        }
    }

    pub(super) fn failed_units(&self) -> u64 {
        self.failed_units.load(Ordering::Relaxed)
    }

    pub(super) fn unreadable_participants(&self) -> u64 {
        self.unreadable_participants.load(Ordering::Relaxed)
    }

    pub(super) fn is_failing(&self, kind: RawKind) -> bool {
        self.failures_in_a_row[index(kind)].load(Ordering::Relaxed) > 0
    }

    /// True while the failure that ends the run is being recorded.
    pub(super) fn has_failed(&self) -> bool {
        self.failures_in_a_row.iter().any(|failures| failures.load(Ordering::Relaxed) >= MAX_FAILURES_IN_A_ROW)
    }

    /// Records a fetched unit, unless it shows that the run must stop.
    pub(super) async fn commit(&self, result: UnitResult) -> Result<(), Stop> {
        let failing = self.count_failure(&result);
        self.unreadable_participants.fetch_add(u64::from(result.is_newly_unreadable), Ordering::Relaxed);
        let kind = result.kind;
        match (self.refusal_detectors[index(kind)].check(result), kind) {
            (Decision::Record(results), RawKind::Participants) => {
                for result in results {
                    self.commit_list(result).await?;
                }
            }
            (decision, _) => self.apply(decision, kind).await?,
        }
        failing
    }

    /// Records why a participant was not requested. It says nothing about Feishu.
    pub(super) async fn commit_id_unknown(&self, result: UnitResult) -> Result<(), Stop> {
        self.write([result]).await
    }

    /// Records what an interrupted unit received and returns why the run ends.
    pub(super) async fn unless_interrupted(&self, mut result: UnitResult) -> Result<UnitResult, Stop> {
        let Some(stop) = result.stop.take() else { return Ok(result) };
        if !result.pages.is_empty() {
            self.write([result]).await?;
        }
        Err(stop)
    }

    async fn commit_list(&self, result: UnitResult) -> Result<(), Stop> {
        match self.missing_id_detector.check(result) {
            Decision::Stop(held) => {
                let (participants, meetings) = self.missing_id_detector.seen();
                let reason = "no participant has an id: a scope is missing";
                self.write(held.into_iter().map(|result| result.withdrawn(reason))).await?;
                Err(Stop::NoIds { participants, meetings })
            }
            decision => self.apply(decision, RawKind::Participants).await,
        }
    }

    /// Counts failed units; too many in a row end the run.
    fn count_failure(&self, result: &UnitResult) -> Result<(), Stop> {
        let in_a_row = &self.failures_in_a_row[index(result.kind)];
        if result.end.status != Status::Failed {
            in_a_row.store(0, Ordering::Relaxed);
            return Ok(());
        }
        self.failed_units.fetch_add(1, Ordering::Relaxed);
        let failures = in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < MAX_FAILURES_IN_A_ROW {
            return Ok(());
        }
        Err(Stop::Failing { failures, reason: result.end.reason.clone() })
    }

    async fn apply(&self, decision: Decision, kind: RawKind) -> Result<(), Stop> {
        match decision {
            Decision::Hold => Ok(()),
            Decision::Record(results) => self.write(results).await,
            Decision::Stop(held) => Err(self.withdraw_all(held, kind).await?),
        }
    }

    /// Withdraws refusals of everybody. Returns why the run ends.
    async fn withdraw_all(&self, held: Vec<UnitResult>, kind: RawKind) -> Result<Stop, Stop> {
        let endpoint = match kind {
            RawKind::Quality => Endpoint::ParticipantQualityList,
            _ => Endpoint::ParticipantList,
        };
        let refused = held.len();
        let is_role = held.iter().all(|result| result.end.status == Status::Forbidden);
        let last = held.last().map(|last| (last.end.reason.clone(), last.end.log_id.clone()));
        let (reason, log_id) = last.unwrap_or_default();
        let withdrawn = held.into_iter().map(|result| {
            let why = format!("refused like all other requests: {}", result.end.reason);
            result.withdrawn(&why)
        });
        self.write(withdrawn).await?;
        Ok(if is_role {
            Stop::Role { endpoint, refused, log_id }
        } else {
            Stop::AllRefused { endpoint, refused, reason, log_id }
        })
    }

    /// At the end of a run: records what is still held back. A run that was stopped has not seen enough to call it
    /// final. If everybody was forbidden, the role is missing, which is an error.
    pub(super) async fn finish(&self, was_stopped: bool) -> Result<(), Stop> {
        let undecided = "the run ended before it was clear whether every request gets this answer";
        let close = |result: UnitResult| if was_stopped { result.withdrawn(undecided) } else { result };
        self.write(self.missing_id_detector.take_held().into_iter().map(close)).await?;
        let mut missing_role = None;
        for kind in [RawKind::Participants, RawKind::Quality] {
            let held = self.refusal_detectors[index(kind)].take_held();
            let is_role = !held.is_empty() && held.iter().all(|result| result.end.status == Status::Forbidden);
            if is_role && !was_stopped {
                missing_role = Some(self.withdraw_all(held, kind).await?);
            } else {
                self.write(held.into_iter().map(close)).await?;
            }
        }
        missing_role.map_or(Ok(()), Err)
    }

    async fn write(&self, results: impl IntoIterator<Item = UnitResult, IntoIter: Send>) -> Result<(), Stop> {
        for result in results {
            self.context.writer.write(result.into_checkpoint(&self.context.settings.run_id)).await?;
        }
        Ok(())
    }
}

fn index(kind: RawKind) -> usize {
    usize::from(kind == RawKind::Quality)
}
