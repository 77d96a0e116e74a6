//! What a run did: the object that `--summary json` prints.

use std::collections::BTreeMap;

use feishu_vc::Endpoint;
use serde::{Serialize, Serializer};

use super::estimate::CostEstimate;
use super::incidents::no_incidents;
use crate::error::ExitCode;
use crate::ledger::Hole;
use crate::remote::Copied;
use crate::schema::{Status, utc_text};

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

/// What `--events` read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct EventsRead {
    /// Meetings that were unknown before.
    pub new: u64,
    /// Meetings that were known from the meeting list or from earlier events.
    pub known: u64,
    /// Events that were delivered again.
    pub duplicates: u64,
    /// Events of other types.
    pub skipped: u64,
    /// Lines that are no events.
    pub bad_lines: Vec<BadLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BadLine {
    /// From 1.
    pub line: u64,
    pub problem: String,
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

/// A span of time, RFC 3339 UTC, end exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TimeSpan {
    pub since_utc: String,
    pub until_utc: String,
}

impl From<Hole> for TimeSpan {
    fn from(hole: Hole) -> TimeSpan {
        TimeSpan { since_utc: utc_text(hole.since_us), until_utc: utc_text(hole.until_us) }
    }
}

/// Why a run failed, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FailureText {
    pub message: String,
    /// What to do next; null if there is nothing to say.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// These three are null if the run failed before it began.
    #[serde(serialize_with = "null_if_empty")]
    pub run_id: String,
    pub outcome: &'static str,
    pub exit_code: u8,
    #[serde(serialize_with = "null_if_empty")]
    pub since_utc: String,
    #[serde(serialize_with = "null_if_empty")]
    pub until_utc: String,
    /// Meetings, participant rows, samples and rejects are those of the window.
    pub meetings: u64,
    pub participants: u64,
    /// Coverage rows by status; every status has an entry.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Of these, the rows of participant lists.
    #[serde(skip)]
    pub lists_by_status: BTreeMap<&'static str, u64>,
    pub samples: u64,
    pub rejects: u64,
    pub calls: Calls,
    /// What was fetched in addition to meetings, by kind; only with `--also`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<&'static str, DaysFetched>,
    /// Only with `--events`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventsRead>,
    /// The keys of meetings in the window that an event has named and that the meeting list does not return.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events_not_listed: Vec<String>,
    pub retries: u64,
    pub throttles: u64,
    /// Seconds spent waiting because Feishu throttled.
    pub waited_s: f64,
    pub elapsed_s: f64,
    /// Lists and participants of meetings outside the window that later runs request.
    pub pending_outside_window: u64,
    /// Fields that are not in the tables, with their number of occurrences.
    pub unknown_fields: BTreeMap<String, u64>,
    /// Fields that published rows have and no item of this run, with the number of items.
    pub missing_fields: BTreeMap<String, u64>,
    /// Dates replaced by this run, `YYYY-MM-DD`.
    pub dates_published: Vec<String>,
    /// Rows of `incidents` on these dates, by severity; every severity has an entry.
    pub incidents: BTreeMap<&'static str, u64>,
    pub generation: u64,
    /// What was copied to the object store; only with `publish_to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copied>,
    /// Time since the first complete run that no complete run covers.
    pub not_covered: Vec<TimeSpan>,
    pub store: String,
    /// What the user should know beyond the counts: one clause each, without a full stop.
    pub notes: Vec<String>,
    /// Null unless the run failed.
    pub error: Option<FailureText>,
    /// Whether the command makes API calls; a rebuild does not.
    #[serde(skip)]
    pub fetches: bool,
    /// What is left of the window, if the run ended early and that is known.
    #[serde(skip)]
    pub left: Option<CostEstimate>,
    #[serde(skip)]
    pub stage_s: Vec<(&'static str, f64)>,
}

impl Summary {
    /// A run that failed before it counted anything.
    pub(crate) fn of_failure(exit: ExitCode, error: FailureText) -> Summary {
        let by_status = Status::ALL.iter().map(|status| (status.name(), 0)).collect();
        Summary {
            outcome: exit.name(),
            exit_code: exit.number(),
            by_status,
            incidents: no_incidents(),
            error: Some(error),
            ..Summary::default()
        }
    }
}

fn null_if_empty<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Some(text).filter(|text| !text.is_empty()).serialize(serializer)
}
