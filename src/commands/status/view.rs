//! How a store stands, as values. Times are RFC 3339 UTC. Each part is read separately, so that a damaged file costs
//! only what it contains.

use std::collections::BTreeMap;

use serde::Serialize;

use super::calls_used::CallsUsed;
use super::coverage::{Coverage, Newest, Reason};
use crate::commands::estimate::CostEstimate;
use crate::commands::summary::TimeSpan;
use crate::error::ExitCode;
use crate::error::causes::with_causes;
use crate::ledger::RunRecord;
use crate::load::Holder;
use crate::schema::utc_text;

/// A part of the view, or why it could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Part<T> {
    Read(T),
    /// The error with its causes, separated by colons.
    Unread {
        error: String,
    },
}

impl<T> Part<T> {
    pub(super) fn new<E: std::error::Error + 'static>(read: Result<T, E>) -> Part<T> {
        match read {
            Ok(value) => Part::Read(value),
            Err(error) => Part::Unread { error: with_causes(&error) },
        }
    }

    pub(super) fn map<U>(self, map: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Part::Read(value) => Part::Read(map(value)),
            Part::Unread { error } => Part::Unread { error },
        }
    }

    /// Reads a part from an opened source, or returns why that could not be opened.
    pub(super) fn from<S, E: std::error::Error + 'static>(
        opened: &Result<S, String>,
        read: impl FnOnce(&S) -> Result<T, E>,
    ) -> Part<T> {
        match opened {
            Ok(source) => Part::new(read(source)),
            Err(error) => Part::Unread { error: error.clone() },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PublishedView {
    pub generation: u64,
    pub schema_version: u32,
    pub run_id: String,
    pub published_utc: String,
    pub dates: u64,
    pub files: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunView {
    pub run_id: String,
    pub command: String,
    pub since_utc: Option<String>,
    pub until_utc: Option<String>,
    pub started_utc: String,
    /// Null while under way, or if the run was killed; so are outcome, exit code and duration.
    pub finished_utc: Option<String>,
    pub outcome: Option<String>,
    pub exit_code: Option<i64>,
    pub calls: i64,
    /// Samples in its window; null if not counted.
    pub samples: Option<i64>,
    pub duration_s: Option<f64>,
}

impl RunView {
    pub(super) fn new(run: RunRecord) -> RunView {
        RunView {
            run_id: run.run_id,
            command: run.command,
            since_utc: run.since_us.map(utc_text),
            until_utc: run.until_us.map(utc_text),
            started_utc: utc_text(run.started_us),
            finished_utc: run.finished_us.map(utc_text),
            outcome: run.outcome,
            exit_code: run.exit_code,
            calls: run.calls.iter().sum(),
            samples: run.totals.map(|totals| totals[2]),
            duration_s: run.finished_us.map(|finished_us| seconds(finished_us - run.started_us)),
        }
    }
}

/// The last sync that was complete for its window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct LastComplete {
    pub run_id: String,
    pub finished_utc: String,
    pub age_s: f64,
    pub since_utc: Option<String>,
    pub until_utc: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PendingView {
    /// The start of the oldest meeting with something to fetch; null if nothing is pending.
    pub since_utc: Option<String>,
    /// Its date in the tenant's zone: a sync from there on fetches everything that is pending.
    pub since_date: Option<String>,
    #[serde(rename = "price")]
    pub estimate: CostEstimate,
    pub participants: OpenView,
    pub lists: OpenView,
    /// Dates with unpublished responses, `YYYY-MM-DD`.
    pub unpublished_dates: Vec<String>,
    /// Meetings that stay published as before until their refetch is complete.
    pub refetch_meetings: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct OpenView {
    pub not_asked: u64,
    /// Fetched too early, or truncated.
    #[serde(rename = "asked_again")]
    pub requested_again: u64,
    /// Fetched before, and to be fetched again by a refetch.
    pub refetch: u64,
    pub failed: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    pub raw_bytes: u64,
    pub parquet_bytes: u64,
    pub duckdb_bytes: u64,
    pub state_bytes: u64,
}

/// By which profile incidents are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ProfileView {
    /// Those of the store; null if an older version published it.
    pub judged_by: Option<String>,
    /// Those of the next publication.
    pub setting: String,
}

/// What is kept of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PersonalView {
    /// The settings with which the store is written.
    pub identity: &'static str,
    pub topics: &'static str,
    /// Identities of all dates before this one (`YYYY-MM-DD`) are replaced because of their age; null if none are.
    pub replaced_before: Option<String>,
    /// True if there are people who are forgotten.
    pub has_forgotten: bool,
}

/// The object that `status --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StatusView {
    pub store: String,
    pub now_utc: String,
    /// Null if nothing is published yet.
    pub published: Part<Option<PublishedView>>,
    /// The process that is writing to the store; null if there is none.
    pub holder: Option<Holder>,
    pub runs: Part<Vec<RunView>>,
    /// Null if no sync was complete.
    pub last_complete: Part<Option<LastComplete>>,
    /// Time since the first complete run that no complete run covers.
    pub not_covered: Part<Vec<TimeSpan>>,
    /// The date before which `prune` removed the data, `YYYY-MM-DD`; null if it never did.
    pub pruned_before: Option<String>,
    /// Dates of a replacement that was interrupted, `YYYY-MM-DD`: the next run finishes it.
    pub replacing: Part<Vec<String>>,
    pub newest: Part<Newest>,
    pub coverage: Part<Coverage>,
    /// Problems by severity, as the report incidents counts them.
    pub incidents: Part<BTreeMap<&'static str, u64>>,
    pub profile: Part<ProfileView>,
    pub personal: Part<PersonalView>,
    pub pending: Part<PendingView>,
    /// Why participants are failed or pending, most frequent first.
    pub reasons: Part<Vec<Reason>>,
    pub calls: Part<CallsUsed>,
    pub size: Part<Size>,
}

impl StatusView {
    /// Status reports problems rather than failing, unless neither ledger nor database can be read.
    pub(crate) fn exit(&self) -> ExitCode {
        match (&self.runs, &self.newest) {
            (Part::Unread { .. }, Part::Unread { .. }) => ExitCode::Storage,
            _ => ExitCode::Complete,
        }
    }
}

pub(super) fn seconds(us: i64) -> f64 {
    us.max(0) as f64 / 1e6
}
