//! What became of the days of a run.

use std::collections::BTreeMap;

use super::super::stop::Stop;
use crate::raw_log::RawKind;
use crate::text::error_chain;
use feishu_vc::{CallError, StopCause};

#[derive(Debug, Default)]
pub(crate) struct DailyOutcome {
    /// The number of days that were answered.
    pub answered: BTreeMap<RawKind, u64>,
    /// What was requested and could not be fetched. A run with gaps is incomplete.
    pub gaps: Vec<DailyGap>,
    /// Days that are too old for Feishu to report: no run can fetch them.
    pub too_old: BTreeMap<RawKind, u64>,
    /// Set if a limit of ours ended the work.
    pub stop: Option<Stop>,
}

/// Days of one kind that this run could not fetch; later runs request them again.
#[derive(Debug)]
pub(crate) struct DailyGap {
    pub kind: RawKind,
    pub days: u64,
    pub reason: String,
    /// What the endpoint was refused for, if it was.
    pub cause: Option<StopCause>,
    /// The scopes that Feishu names.
    pub scopes: Vec<String>,
}

/// Why the work on a kind ended.
#[derive(Debug)]
pub(super) struct Refusal {
    /// True if the next day may be answered.
    pub is_passing: bool,
    pub reason: String,
    pub cause: Option<StopCause>,
    pub scopes: Vec<String>,
}

impl Refusal {
    pub(super) fn new(reason: String) -> Refusal {
        Refusal { is_passing: false, reason, cause: None, scopes: Vec::new() }
    }

    pub(super) fn passing(reason: String) -> Refusal {
        Refusal { is_passing: true, ..Refusal::new(reason) }
    }

    pub(super) fn of(error: &CallError) -> Refusal {
        let refusal = Refusal::new(error_chain(error));
        match error {
            CallError::Stop { cause, scopes, .. } => Refusal { cause: Some(*cause), scopes: scopes.clone(), ..refusal },
            _ => refusal,
        }
    }
}
