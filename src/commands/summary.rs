//! What a run did: the object that `--summary json` prints.

use std::collections::BTreeMap;

use feishu_vc::Endpoint;
use serde::Serialize;

use super::estimate::CostEstimate;

/// Requests sent, by endpoint; retries and throttled requests included, token requests not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Calls {
    pub meeting_list: u64,
    pub participant_list: u64,
    pub participant_quality_list: u64,
    #[serde(flatten)]
    pub optional: OptionalCalls,
}

/// Requests to the optional endpoints, in the order of [`Endpoint::OPTIONAL`]. Only endpoints that were called are
/// printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OptionalCalls(pub [u64; Endpoint::OPTIONAL.len()]);

impl OptionalCalls {
    pub(crate) fn by_endpoint(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Endpoint::OPTIONAL.iter().map(|endpoint| endpoint.name()).zip(self.0).filter(|(_, calls)| *calls > 0)
    }
}

impl Serialize for OptionalCalls {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.by_endpoint())
    }
}

impl Calls {
    /// To the three lists.
    pub(crate) fn total(&self) -> u64 {
        self.meeting_list + self.participant_list + self.participant_quality_list
    }
}

/// The days of a kind that is kept by day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct DaysFetched {
    pub days_fetched: u64,
    /// Days that could not be fetched: later runs request them again.
    pub days_missing: u64,
    /// Why, if any are missing.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub run_id: String,
    pub outcome: &'static str,
    pub exit_code: u8,
    pub since_utc: String,
    pub until_utc: String,
    /// Meetings, participant rows, samples and rejects are those of the window.
    pub meetings: u64,
    pub participants: u64,
    /// Coverage rows by status; every status has an entry.
    pub by_status: BTreeMap<&'static str, u64>,
    pub samples: u64,
    pub rejects: u64,
    pub calls: Calls,
    /// What was fetched beside the meetings, by kind; only with `--also`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<&'static str, DaysFetched>,
    pub retries: u64,
    pub throttles: u64,
    /// Seconds spent waiting because Feishu throttled.
    pub waited_s: f64,
    pub elapsed_s: f64,
    /// Fields that are not in the tables, with their number of occurrences.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Dates replaced by this run, `YYYY-MM-DD`.
    pub dates_published: Vec<String>,
    pub generation: u64,
    pub store: String,
    /// Whether the command makes API calls; a rebuild does not.
    #[serde(skip)]
    pub fetches: bool,
    /// What is left of the window, if the run ended early and that is known.
    #[serde(skip)]
    pub left: Option<CostEstimate>,
    /// One clause each, without a full stop.
    #[serde(skip)]
    pub notes: Vec<String>,
    #[serde(skip)]
    pub stage_s: Vec<(&'static str, f64)>,
}
