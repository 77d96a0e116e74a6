//! status: how a store stands, without a lock, a call or a change.
//!
//! Each part is read for itself, so that a damaged file costs only what it held. Counts of coverage are those of the
//! published database; what is pending is the ledger's, which is never behind.

pub(crate) mod published;
mod used;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::estimate::CostEstimate;
use super::summary::Calls;
use crate::error::ExitCode;
use crate::extract::{Estimate, EstimateInput};
use crate::ledger::{Ledger, LedgerError, OpenUnits, RunRecord, WindowFilter};
use crate::load::{
    DatabaseOptions, Holder, LoadError, Manifest, StorePaths, holder, is_redundant_source, open_published_with,
};
use crate::schema::{TenantZone, civil_date_text, utc_text};
use feishu_vc::Rate;

pub(crate) use published::{Coverage, Newest, Reason};

/// Which days of coverage are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Days {
    /// So many, up to the newest that the store holds.
    Last(u32),
    /// Those of a window, microseconds UTC, end exclusive.
    Window(i64, i64),
}

/// Everything that looking at a store needs to know.
#[derive(Debug, Clone)]
pub(crate) struct StatusSetup {
    pub store: PathBuf,
    pub zone: TenantZone,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    /// The quota of each list, for the price of what is pending.
    pub rate: Rate,
    /// How long an answer may still grow.
    pub settle: Duration,
    /// So many of the last runs.
    pub runs: usize,
    /// Which days of coverage.
    pub days: Days,
    /// Now, microseconds UTC.
    pub now_us: i64,
}

/// A part of the view: what was read, or why it can't be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Part<T> {
    Read(T),
    Unread {
        /// Why not, causes behind colons.
        error: String,
    },
}

impl<T> Part<T> {
    fn of<E: std::error::Error + 'static>(read: Result<T, E>) -> Part<T> {
        match read {
            Ok(value) => Part::Read(value),
            Err(error) => Part::Unread { error: chain(&error) },
        }
    }

    /// Reads a part out of something that was opened, or tells why that was not.
    fn from<S, E: std::error::Error + 'static>(
        opened: &Result<S, String>,
        read: impl FnOnce(&S) -> Result<T, E>,
    ) -> Part<T> {
        match opened {
            Ok(source) => Part::of(read(source)),
            Err(error) => Part::Unread { error: error.clone() },
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause.filter(|cause| !is_redundant_source(*cause)) {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

/// What is published, by the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PublishedView {
    pub generation: u64,
    /// Version of the tables.
    pub schema_version: u32,
    /// The run that published it.
    pub run_id: String,
    /// When, RFC 3339 UTC.
    pub published_utc: String,
    /// Meeting dates in it.
    pub dates: u64,
    /// Parquet files in it.
    pub files: u64,
}

/// A run of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunView {
    pub run_id: String,
    /// sync, plan or rebuild.
    pub command: String,
    /// Start of its window, RFC 3339 UTC.
    pub since_utc: Option<String>,
    /// End of its window, RFC 3339 UTC.
    pub until_utc: Option<String>,
    /// Its begin, RFC 3339 UTC.
    pub started_utc: String,
    /// Its end, RFC 3339 UTC; null while under way, or where it was killed.
    pub finished_utc: Option<String>,
    /// How it ended, in a word; null as above.
    pub outcome: Option<String>,
    /// Its exit code; null as above.
    pub exit_code: Option<i64>,
    /// Requests to the three lists.
    pub calls: i64,
    /// Samples in its window; null where it was not counted.
    pub samples: Option<i64>,
    /// Seconds from begin to end; null as above.
    pub duration_s: Option<f64>,
}

impl RunView {
    fn of(run: RunRecord) -> RunView {
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
    /// Its end, RFC 3339 UTC.
    pub finished_utc: String,
    pub age_s: f64,
    /// Start of its window, RFC 3339 UTC.
    pub since_utc: Option<String>,
    /// End of its window, RFC 3339 UTC.
    pub until_utc: Option<String>,
}

/// What the store owes, by the ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PendingView {
    /// The start of the oldest meeting with something left to ask, RFC 3339 UTC; null where nothing is pending.
    pub since_utc: Option<String>,
    /// Its day in the tenant's zone: a sync from there on asks for all of it.
    pub since_date: Option<String>,
    #[serde(rename = "price")]
    pub estimate: CostEstimate,
    /// Participants by why they are open.
    pub participants: OpenView,
    /// Lists of participants by why they are open.
    pub lists: OpenView,
    /// Dates with answers that are not published, `YYYY-MM-DD`.
    pub unpublished_dates: Vec<String>,
    /// Meetings whose earlier answers are held until a refetch has replaced them.
    pub refetch_meetings: u64,
}

/// Why something is still to be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct OpenView {
    pub not_asked: u64,
    /// Asked too early or cut off.
    #[serde(rename = "asked_again")]
    pub requested_again: u64,
    /// Asked before, and to be asked again by a refetch.
    pub refetch: u64,
    pub failed: u64,
}

/// Requests made in a stretch of time: what a run wrote down when it ended, and for one that did not (yet), or that the
/// ledger does not know, what its answers in the raw log took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CallsUsed {
    /// The calendar month in the tenant's zone, `YYYY-MM`.
    pub month: String,
    /// In this month, every command's.
    pub this_month: Calls,
    /// Today in the tenant's zone.
    pub today: Calls,
    /// True where a run of this month did not tell its end: there may have been more.
    pub is_at_least: bool,
    /// True where a run of today did not.
    pub today_is_at_least: bool,
}

/// Bytes on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Size {
    /// `raw/`.
    pub raw_bytes: u64,
    /// `parquet/`.
    pub parquet_bytes: u64,
    /// `vcq.duckdb`.
    pub duckdb_bytes: u64,
    /// `state/`.
    pub state_bytes: u64,
}

/// How a store stands: the object that `status --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StatusView {
    pub store: String,
    /// When it was looked at, RFC 3339 UTC.
    pub now_utc: String,
    /// What is published; null where nothing is yet.
    pub published: Part<Option<PublishedView>>,
    /// Who writes to it at this moment; null for nobody.
    pub holder: Option<Holder>,
    /// The last runs, newest first.
    pub runs: Part<Vec<RunView>>,
    /// The last complete sync; null where there was none.
    pub last_complete: Part<Option<LastComplete>>,
    /// The newest of what is published.
    pub newest: Part<Newest>,
    pub coverage: Part<Coverage>,
    pub pending: Part<PendingView>,
    /// Why published participants are failed or pending, most frequent first.
    pub reasons: Part<Vec<Reason>>,
    /// Calls by the history of runs.
    pub calls: Part<CallsUsed>,
    /// Bytes on disk.
    pub size: Part<Size>,
}

impl StatusView {
    /// How the program ends: a view is no judge, but a store of which neither ledger nor database can be read is none.
    pub(crate) fn exit(&self) -> ExitCode {
        match (&self.runs, &self.newest) {
            (Part::Unread { .. }, Part::Unread { .. }) => ExitCode::Storage,
            _ => ExitCode::Complete,
        }
    }
}

/// Looks at a store.
///
/// # Errors
/// [`LoadError::NotAStore`] where there is none. Whatever can't be read of it is said in its part.
pub(crate) fn status(setup: &StatusSetup) -> Result<StatusView, LoadError> {
    let paths = StorePaths::existing(&setup.store)?;
    // Before the ledger, so that a run that ends meanwhile is not shown as one that was killed.
    let holder = holder(&paths);
    let ledger = Ledger::open_read_only(&paths.ledger()).map_err(|error| match paths.ledger().exists() {
        true => chain(&error),
        false => "there is no ledger yet".to_owned(),
    });
    let database = open_published_with(&paths, setup.database).map_err(|error| match error {
        LoadError::NoDatabase { .. } => "nothing is published yet".to_owned(),
        error => chain(&error),
    });
    Ok(StatusView {
        store: paths.root().display().to_string(),
        now_utc: utc_text(setup.now_us),
        published: Part::of(published(&paths)),
        holder,
        runs: Part::from(&ledger, |ledger| {
            let runs = ledger.runs()?;
            Ok::<_, LedgerError>(runs.into_iter().rev().take(setup.runs).map(RunView::of).collect())
        }),
        last_complete: Part::from(&ledger, |ledger| last_complete(ledger, setup.now_us)),
        newest: Part::from(&database, |database| published::newest(database, setup)),
        coverage: Part::from(&database, |database| published::coverage(database, setup)),
        pending: Part::from(&ledger, |ledger| pending(ledger, setup)),
        reasons: Part::from(&database, published::reasons),
        calls: Part::from(&ledger, |ledger| used::calls(ledger, &paths.raw(), setup)),
        size: Part::of(size(&paths)),
    })
}

fn published(paths: &StorePaths) -> Result<Option<PublishedView>, LoadError> {
    Ok(Manifest::read(paths)?.map(|manifest| {
        let dates: std::collections::BTreeSet<&str> =
            manifest.files.iter().map(|file| file.meeting_date.as_str()).collect();
        PublishedView {
            dates: dates.len() as u64,
            files: manifest.files.len() as u64,
            generation: manifest.generation,
            schema_version: manifest.schema_version,
            run_id: manifest.run_id,
            published_utc: manifest.created_utc,
        }
    }))
}

fn last_complete(ledger: &Ledger, now_us: i64) -> Result<Option<LastComplete>, LedgerError> {
    Ok(ledger.last_complete_run()?.map(|run| {
        let finished_us = run.finished_us.unwrap_or(run.started_us);
        let age_s = seconds(now_us - finished_us);
        LastComplete {
            run_id: run.run_id,
            finished_utc: utc_text(finished_us),
            age_s,
            since_utc: run.since_us.map(utc_text),
            until_utc: run.until_us.map(utc_text),
        }
    }))
}

fn pending(ledger: &Ledger, setup: &StatusSetup) -> Result<PendingView, LedgerError> {
    let since_us = ledger.oldest_pending_us()?;
    let pending = match since_us {
        None => Estimate::default(),
        Some(since_us) => {
            let window_us = (since_us, setup.now_us.max(since_us.saturating_add(1)));
            let filter = WindowFilter { window_us, meeting_nos: &[], refetch: false };
            let input = EstimateInput { filter, now_us: setup.now_us, settle: setup.settle.into() };
            Estimate::new(ledger, &input)?
        }
    };
    let view = |OpenUnits { never_requested, requested_again, refetch, failed }| OpenView {
        not_asked: never_requested,
        requested_again,
        refetch,
        failed,
    };
    Ok(PendingView {
        since_utc: since_us.map(utc_text),
        since_date: since_us.map(|since_us| civil_date_text(setup.zone.day_of(since_us))),
        estimate: CostEstimate::at_rate(&pending, setup.rate),
        participants: view(ledger.open_participants()?),
        lists: view(ledger.open_lists()?),
        unpublished_dates: ledger.dirty_dates()?.iter().map(|date| civil_date_text(date.meeting_date)).collect(),
        refetch_meetings: ledger.refetch_meetings()?,
    })
}

/// The first instant of a day in the tenant's zone, microseconds UTC.
fn midnight_us(date: &str, zone: &TenantZone) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    Some(zone.time_zone().to_timestamp(midnight).ok()?.as_microsecond())
}

fn seconds(us: i64) -> f64 {
    us.max(0) as f64 / 1e6
}

fn size(paths: &StorePaths) -> Result<Size, SizeError> {
    Ok(Size {
        raw_bytes: bytes_below(&paths.raw())?,
        parquet_bytes: bytes_below(&paths.parquet())?,
        duckdb_bytes: bytes_below(&paths.database())?,
        state_bytes: bytes_below(&paths.state())?,
    })
}

/// A folder can't be measured.
#[derive(Debug, thiserror::Error)]
#[error("could not measure {}", path.display())]
struct SizeError {
    path: PathBuf,
    source: std::io::Error,
}

/// Bytes of a file, or of the files in a folder and its folders. What is not there, or goes while we look, has none.
fn bytes_below(path: &Path) -> Result<u64, SizeError> {
    let failed = |source| SizeError { path: path.to_owned(), source };
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if gone(&error) => return Ok(0),
        found => found.map_err(failed)?,
    };
    if !found.is_dir() {
        return Ok(found.len());
    }
    let entries = match std::fs::read_dir(path) {
        Err(error) if gone(&error) => return Ok(0),
        entries => entries.map_err(failed)?,
    };
    entries.flatten().map(|entry| bytes_below(&entry.path())).sum()
}
