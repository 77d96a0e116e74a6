//! Writing answers down once it is clear what they mean: for their unit, or for the whole run.

use std::sync::atomic::Ordering;

use super::gates::Decision;
use super::raw::RawKind;
use super::run::Extraction;
use super::stop::Stop;
use super::unit::Finished;
use crate::feishu::Endpoint;
use crate::schema::Status;

/// So many units failing in a row mean that the vendor is gone.
const FAILURES_IN_A_ROW: u32 = 20;
/// Why a list without ids is asked again after a run that was stopped.
const UNDECIDED: &str = "the run ended before it was clear whether ids are missing for everybody";

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

    /// Writes a meeting's list down, unless it shows that the role or a scope is missing.
    pub(super) async fn record_list(&self, finished: Finished) -> Result<(), Stop> {
        match self.role_gates[0].judge(finished) {
            Decision::Write(answers) => {
                for answer in answers {
                    match self.id_gate.judge(answer) {
                        Decision::Stop(held) => {
                            let (participants, meetings) = self.id_gate.seen();
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

    /// Writes a participant's quality down, unless it shows that the role is missing.
    pub(super) async fn record_quality(&self, finished: Finished) -> Result<(), Stop> {
        self.decide(self.role_gates[1].judge(finished), Endpoint::ParticipantQualityList).await
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
            Decision::Stop(held) => Err(self.role_missing(held, endpoint).await?),
        }
    }

    /// Takes the refusals back, and says what they mean.
    async fn role_missing(&self, held: Vec<Finished>, endpoint: Endpoint) -> Result<Stop, Stop> {
        let refused = held.len();
        let log_id = held.last().and_then(|finished| finished.end.log_id.clone());
        for finished in held {
            self.write(finished.withdrawn("refused with 121005, like all others: the role is missing")).await?;
        }
        Ok(Stop::Role { endpoint, refused, log_id })
    }

    /// At the end nothing is held back: too few to tell are written as they are; everyone refused is the role.
    pub(super) async fn settle_gates(&self) -> Result<(), Stop> {
        for finished in self.id_gate.take_held() {
            // A run that was stopped has not seen enough to call these lists final.
            let finished = if self.is_stopping() { finished.withdrawn(UNDECIDED) } else { finished };
            self.write(finished).await?;
        }
        let mut missing = None;
        for (gate, endpoint) in
            self.role_gates.iter().zip([Endpoint::ParticipantList, Endpoint::ParticipantQualityList])
        {
            let held = gate.take_held();
            if !held.is_empty() {
                missing = Some(self.role_missing(held, endpoint).await?);
            }
        }
        missing.map_or(Ok(()), Err)
    }

    pub(super) async fn write(&self, finished: Finished) -> Result<(), Stop> {
        Ok(self.recorder.write(finished.checkpoint(&self.settings.run_id)).await?)
    }
}
