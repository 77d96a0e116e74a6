//! Writing answers down once it is clear what they mean: for their unit, or for the whole run.

use std::sync::atomic::Ordering;

use super::gates::Decision;
use super::run::Extraction;
use super::stop::Stop;
use super::unit::Finished;
use crate::raw_log::RawKind;
use crate::schema::Status;
use feishu_vc::Endpoint;

/// So many units failing in a row mean that the vendor is gone.
const FAILURES_IN_A_ROW: u32 = 20;
/// Why what was held back is asked again after a run that was stopped.
const UNDECIDED: &str = "the run ended before it was clear whether this answer is the same for everybody";

impl Extraction {
    /// Counts failed units; too many of a kind in a row end the run.
    pub(super) fn note_failures(&self, finished: &Finished) -> Result<(), Stop> {
        let in_row = &self.failures_in_row[usize::from(finished.kind == RawKind::Quality)];
        if finished.end.status != Status::Failed {
            in_row.store(0, Ordering::Relaxed);
            return Ok(());
        }
        self.failed_units.fetch_add(1, Ordering::Relaxed);
        let failures = in_row.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < FAILURES_IN_A_ROW {
            return Ok(());
        }
        Err(Stop::Failing { failures, reason: finished.end.reason.clone() })
    }

    /// Whether the last unit of a kind failed.
    pub(super) fn is_failing(&self, kind: RawKind) -> bool {
        self.failures_in_row[usize::from(kind == RawKind::Quality)].load(Ordering::Relaxed) > 0
    }

    /// Writes a meeting's list down, unless it shows that the role or a scope is missing, or that everybody is refused.
    pub(super) async fn record_list(&self, finished: Finished) -> Result<(), Stop> {
        match self.refusal_detectors[0].judge(finished) {
            Decision::Write(answers) => {
                for answer in answers {
                    match self.missing_id_detector.judge(answer) {
                        Decision::Stop(held) => {
                            let (participants, meetings) = self.missing_id_detector.seen();
                            for finished in held {
                                self.write(finished.withdrawn("no participant has an id: a scope is missing")).await?;
                            }
                            return Err(Stop::NoIds { participants, meetings });
                        }
                        decision => self.decide(decision, Endpoint::ParticipantList).await?,
                    }
                }
                Ok(())
            }
            decision => self.decide(decision, Endpoint::ParticipantList).await,
        }
    }

    /// Writes a participant's quality down, unless it shows that the role is missing, or that everybody is refused.
    pub(super) async fn record_quality(&self, finished: Finished) -> Result<(), Stop> {
        self.decide(self.refusal_detectors[1].judge(finished), Endpoint::ParticipantQualityList).await
    }

    async fn decide(&self, decision: Decision, endpoint: Endpoint) -> Result<(), Stop> {
        match decision {
            Decision::Hold => Ok(()),
            Decision::Write(answers) => {
                for finished in answers {
                    self.write(finished).await?;
                }
                Ok(())
            }
            Decision::Stop(held) => Err(self.all_refused(held, endpoint).await?),
        }
    }

    /// Takes the refusals back, and says what they mean.
    async fn all_refused(&self, held: Vec<Finished>, endpoint: Endpoint) -> Result<Stop, Stop> {
        let refused = held.len();
        let is_role = held.iter().all(|finished| finished.end.status == Status::Forbidden);
        let (mut reason, mut log_id) = (String::new(), None);
        for finished in held {
            reason.clone_from(&finished.end.reason);
            log_id.clone_from(&finished.end.log_id);
            let why = format!("refused like all others that were asked: {reason}");
            self.write(finished.withdrawn(&why)).await?;
        }
        Ok(if is_role {
            Stop::Role { endpoint, refused, log_id }
        } else {
            Stop::AllRefused { endpoint, refused, reason, log_id }
        })
    }

    /// At the end nothing is held back: too few to tell are written as they are; everyone forbidden is the role.
    pub(super) async fn settle_gates(&self) -> Result<(), Stop> {
        for finished in self.missing_id_detector.take_held() {
            // A run that was stopped has not seen enough to call these lists final.
            let finished = if self.is_stopping() { finished.withdrawn(UNDECIDED) } else { finished };
            self.write(finished).await?;
        }
        let mut missing = None;
        for (gate, endpoint) in
            self.refusal_detectors.iter().zip([Endpoint::ParticipantList, Endpoint::ParticipantQualityList])
        {
            let held = gate.take_held();
            if held.is_empty() {
                continue;
            }
            let is_role = held.iter().all(|finished| finished.end.status == Status::Forbidden);
            if is_role && !self.is_stopping() {
                missing = Some(self.all_refused(held, endpoint).await?);
                continue;
            }
            for finished in held {
                let finished = if self.is_stopping() { finished.withdrawn(UNDECIDED) } else { finished };
                self.write(finished).await?;
            }
        }
        missing.map_or(Ok(()), Err)
    }

    pub(super) async fn write(&self, finished: Finished) -> Result<(), Stop> {
        Ok(self.recorder.write(finished.checkpoint(&self.settings.run_id)).await?)
    }
}
