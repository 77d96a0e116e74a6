//! What a run did: the object that `--summary json` prints.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Price;

/// Requests sent, by endpoint; retries and throttled ones included, tokens not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Calls {
    pub meeting_list: u64,
    pub participant_list: u64,
    pub participant_quality_list: u64,
}

impl Calls {
    pub(crate) fn total(&self) -> u64 {
        self.meeting_list + self.participant_list + self.participant_quality_list
    }
}

/// The summary of a run. Field names are contract 3's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub run_id: String,
    /// The exit code's word: complete, incomplete, stopped, interrupted and so on.
    pub outcome: &'static str,
    pub exit_code: u8,
    /// Start of the window, RFC 3339 UTC.
    pub since_utc: String,
    /// End of the window, RFC 3339 UTC.
    pub until_utc: String,
    /// Meetings in the window.
    pub meetings: u64,
    /// Participant rows in the window.
    pub participants: u64,
    /// Coverage rows of the window by status; every status is there, with 0 where there is none.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Samples in the window.
    pub samples: u64,
    /// Rejects in the window.
    pub rejects: u64,
    /// Requests of this run.
    pub calls: Calls,
    /// Requests repeated after a fault.
    pub retries: u64,
    /// Requests that the vendor refused for their rate.
    pub throttles: u64,
    /// Seconds spent waiting because the vendor said so.
    pub waited_s: f64,
    /// Seconds from start to end.
    pub elapsed_s: f64,
    /// Fields that the tables don't know, with how often they were seen.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Dates replaced by this run, `YYYY-MM-DD`.
    pub dates_published: Vec<String>,
    /// The generation that the run left.
    pub generation: u64,
    pub store: String,
    /// True where the run asks the vendor: a rebuild does not.
    #[serde(skip)]
    pub scope: bool,
    /// What is left of the window, where the run ended early and that is known.
    #[serde(skip)]
    pub left: Option<Price>,
    /// Why the run ended as it did, one sentence a reason, for people.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Seconds that asking, transforming and loading took: (stage, seconds).
    #[serde(skip)]
    pub stage_s: Vec<(&'static str, f64)>,
}
