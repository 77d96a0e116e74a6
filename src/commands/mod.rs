//! sync as a story: take the store, ask, make dates, publish, sum up.
//!
//! Owns the wiring of the stages, and nothing a stage knows: `extract` writes answers down, `dates` turns a date's answers
//! into parts, `load` publishes them. A run of hours publishes finished dates as it goes.

pub(crate) mod buildings;
pub(crate) mod dates;
mod definitions;
pub(crate) mod doctor;
mod error;
pub(crate) mod plan;
pub(crate) mod price;
mod publishing;
pub(crate) mod rebuild;
pub(crate) mod republish;
pub(crate) mod status;
mod store_state;
pub(crate) mod summary;
mod totals;
pub(crate) mod verify;
pub(crate) mod wire;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

pub(crate) use definitions::defines_the_same;
pub(crate) use error::SyncError;
pub(crate) use plan::{Plan, PlannedReach, plan};
pub(crate) use price::{Price, PricedCalls};
pub(crate) use status::{Part, StatusSetup, StatusView, status};
pub(crate) use summary::{Calls, Summary};

use crate::error::{ExitCode, StopReason};
use crate::event::{Event, Listener};
use crate::extract::{CaughtUp, CheckpointWriter, ExtractSettings, Extracted, FetchScope, Scheduler, Stop, catch_up};
use crate::ledger::USER_ID_TYPE;
use crate::ledger::{Ledger, RunRecord};
use crate::load::{DatabaseOptions, Lock, PublishMode, StorePaths, open_published_with};
use crate::schema::{TenantZone, civil_date_text, utc_text};
use feishu_vc::{CancellationToken, Client, ClientConfig, UserIdType};

use dates::DateError;
use definitions::Installed;
use publishing::{Due, PublishSetup, Publisher};
use wire::{Budget, Counters};

/// The time now, microseconds UTC.
pub(crate) type Now = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Everything a sync needs to know. Nothing of it is read from the environment later.
#[derive(Clone)]
pub(crate) struct SyncSetup {
    pub store: PathBuf,
    /// The vendor, the credentials and the pace. Its gate and its switch are set here.
    pub client: ClientConfig,
    /// Ends the run early, after the page in hand.
    pub cancel: CancellationToken,
    /// The signal that threw the switch, 0 for none.
    pub signal: Arc<AtomicI32>,
    /// Meetings that start in here, microseconds UTC, end exclusive.
    pub window_us: (i64, i64),
    /// Only these meetings; all where empty.
    pub meeting_nos: Vec<String>,
    /// Ask again also for what is final.
    pub refetch: bool,
    /// At most so many requests to the three lists.
    pub max_calls: Option<u64>,
    /// No request after this, microseconds UTC.
    pub finish_by_us: Option<i64>,
    pub zone: TenantZone,
    /// Kind of user ids.
    pub user_id_type: UserIdType,
    /// How long an answer may still grow.
    pub settle: Duration,
    /// Most units under way to one endpoint.
    pub concurrency: usize,
    /// Finished dates are published about this often.
    pub publish_every: Duration,
    /// Limits of the profile `custom` of the reports: metric and value.
    pub custom_limits: Vec<(String, f64)>,
    /// How many dates are made at a time.
    pub threads: usize,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    pub listener: Arc<dyn Listener>,
    pub now_us: Now,
}

/// How a sync ended.
#[derive(Debug)]
pub(crate) struct Synced {
    pub summary: Summary,
    /// How the program ends.
    pub exit: ExitCode,
    /// Why it ended early, if it did.
    pub stop: Option<Stop>,
    /// True where nothing is pending but what cannot be asked: listed meetings whose start cannot be read.
    pub only_unreadable: bool,
    /// Why its answers could not be published, if they could not; they are in the raw log.
    pub error: Option<SyncError>,
}

/// Runs a sync to its end.
///
/// # Errors
/// [`SyncError`] where the store can't be used. Whatever the vendor does is a [`Synced`] with its reason.
pub(crate) async fn sync(setup: SyncSetup) -> Result<Synced, SyncError> {
    let started = Instant::now();
    let started_us = (setup.now_us)();
    let paths = StorePaths::open(&setup.store)?;
    let _lock = Lock::take(&paths, "sync", started_us)?;
    paths.clean_work()?;
    let ledger = Arc::new(Ledger::open(&paths.ledger())?);
    check_settings(&paths, &ledger, &setup)?;
    let installed = Arc::new(Installed::checked(&paths, &setup.custom_limits)?);
    let caught_up = catch_up(&paths.raw(), &ledger, &setup.zone)?;
    let lost_raw_dates = store_state::before_asking(&paths, &ledger)?;
    paths.remove_orphans()?;

    let run_id = run_id(started_us);
    let (since_us, until_us) = setup.window_us;
    let mut run = RunRecord {
        run_id: run_id.clone(),
        command: "sync".to_owned(),
        since_us: Some(since_us),
        until_us: Some(until_us),
        started_us,
        ..RunRecord::default()
    };
    let asks = Asking {
        scope: FetchScope::Everything,
        resumed_since_us: store_state::resumed_since(&ledger.runs()?, started_us),
        lost_raw_dates: lost_raw_dates.clone(),
    };
    ledger.record_run(&run)?;
    setup.listener.on_event(&Event::Started { since_us, until_us });

    let counters = Arc::new(Counters::new(Arc::clone(&setup.listener)));
    let extraction = extraction(&setup, &paths, &run_id, &ledger, &counters, asks)?;
    let mut publisher =
        Publisher::new(publish_setup(&setup, installed, lost_raw_dates), &paths, &run_id, Arc::clone(&ledger));
    let asking_began = Instant::now();
    let (extracted, failed) = ask_and_publish(&setup, &extraction, &mut publisher, &run, &counters).await?;
    let asking_s = asking_began.elapsed().as_secs_f64() - publisher.seconds_in_between();

    let signal = setup.signal.load(Ordering::Relaxed);
    let Extracted { stop, unreadable_meetings, failed_units, meeting_list_pages } = extracted;
    // A run that could not publish was ended by us: that is the reason to tell, not the interruption.
    let stop = stop.filter(|_| failed.is_none());
    let mut exit = match &stop {
        Some(stop) => StopReason::of(stop, signal).exit,
        None if failed_units > 0 || unreadable_meetings > 0 => ExitCode::Incomplete,
        None => ExitCode::Complete,
    };
    run.finished_us = Some((setup.now_us)());
    counted(&mut run, &counters);
    // A run that was refused before it got an answer leaves what is published as it is.
    let is_whole = stop.is_none();
    let due = publisher.due(is_whole)?;
    let only_unreadable = is_whole && failed_units == 0 && unreadable_meetings > 0 && due.without_raw.is_empty();
    let nothing_new = !is_whole && due.dates.is_empty();
    let mut error = None;
    if let Some(failed) = failed {
        exit = ExitCode::Storage;
        error = Some(failed);
        // Only for the summary: what could not be written may still be read.
        let _ = publisher.read_published();
    } else if nothing_new {
        publisher.read_published()?;
    } else {
        match publisher.publish_all(&mut run, exit, &due).await {
            Ok(ended) => {
                exit = ended;
                error = publisher.take_not_made();
                if error.is_some() {
                    exit = ExitCode::Storage;
                }
            }
            Err(failed) => {
                exit = ExitCode::Storage;
                error = Some(failed);
                let _ = publisher.read_published();
            }
        }
    }
    let totals = publisher.totals();
    run.outcome = Some(exit.name().to_owned());
    run.exit_code = Some(exit.number().into());
    // Publishing took its time too; the published row has the time at which it began.
    run.finished_us = Some((setup.now_us)());
    if let Err(failed) = ledger.record_run(&run) {
        // On a full disk this fails too: what failed first is what to tell.
        exit = ExitCode::Storage;
        error.get_or_insert(failed.into());
    }

    let summary = Summary {
        run_id,
        outcome: exit.name(),
        exit_code: exit.number(),
        since_utc: utc_text(since_us),
        until_utc: utc_text(until_us),
        meetings: totals.meetings,
        participants: totals.participants,
        by_status: totals.by_status,
        samples: totals.samples,
        rejects: totals.rejects,
        calls: counters.calls(),
        retries: counters.retries(),
        throttles: counters.throttles(),
        waited_s: counters.waited().as_secs_f64(),
        elapsed_s: started.elapsed().as_secs_f64(),
        unknown_fields: publisher.unknown_fields(),
        dates_published: publisher.dates_published(),
        generation: publisher.generation(),
        store: paths.root().display().to_string(),
        // Before the meeting list was read to its end nobody knows what is left.
        left: stop
            .as_ref()
            .and(meeting_list_pages)
            .and_then(|pages| plan::left(&ledger, &setup, (setup.now_us)(), pages)),
        scope: true,
        notes: notes(unreadable_meetings, publisher.torn(), caught_up, &due),
        stage_s: publisher.stage_seconds(("extract", asking_s)),
    };
    let only_unreadable = only_unreadable && exit == ExitCode::Incomplete;
    Ok(Synced { summary, exit, stop, only_unreadable, error })
}

/// FetchScope for the window, and publishes finished dates now and then. Gives why that failed, if it did: the asking ends then.
async fn ask_and_publish(
    setup: &SyncSetup,
    extraction: &Arc<Scheduler>,
    publisher: &mut Publisher,
    run: &RunRecord,
    counters: &Counters,
) -> Result<(Extracted, Option<SyncError>), SyncError> {
    let asking = Arc::clone(extraction);
    let mut asking = tokio::spawn(async move { asking.run().await });
    let mut last = Instant::now();
    loop {
        let wait = setup.publish_every.saturating_sub(last.elapsed());
        tokio::select! {
            extracted = &mut asking => return Ok((joined(extracted)?, None)),
            () = tokio::time::sleep(wait) => {
                let mut under_way = run.clone();
                counted(&mut under_way, counters);
                // While the meeting list is being read, any date may get more.
                let Some(open) = extraction.open_dates() else {
                    last = Instant::now();
                    continue;
                };
                if let Err(error) = publisher.publish_finished(&open, &under_way).await {
                    // What is answered is kept: let the asking end after the page in hand, then say what is wrong.
                    setup.cancel.cancel();
                    return Ok((joined(asking.await)?, Some(error)));
                }
                last = Instant::now();
            }
        }
    }
}

/// What a task came to; its panic goes on here.
fn joined(ended: Result<Extracted, tokio::task::JoinError>) -> Result<Extracted, SyncError> {
    ended.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => SyncError::Panicked,
    })
}

/// What a run asks for, by what the store holds.
struct Asking {
    scope: FetchScope,
    lost_raw_dates: BTreeSet<i32>,
    resumed_since_us: Option<i64>,
}

fn extraction(
    setup: &SyncSetup,
    paths: &StorePaths,
    run_id: &str,
    ledger: &Arc<Ledger>,
    counters: &Arc<Counters>,
    asking: Asking,
) -> Result<Arc<Scheduler>, SyncError> {
    let mut config = setup.client.clone();
    config.cancel = setup.cancel.clone();
    config.call_budget = Arc::new(Budget::new(setup.max_calls, setup.finish_by_us, Arc::clone(&setup.now_us)));
    let client = Client::new(config, Arc::clone(counters) as Arc<dyn feishu_vc::EventListener>)?;
    let recorder = CheckpointWriter::start(&paths.raw(), run_id, Arc::clone(ledger))
        .map_err(|source| SyncError::Recorder { store: paths.root().to_owned(), source })?;
    let settings = ExtractSettings {
        run_id: run_id.to_owned(),
        scope: asking.scope,
        lost_raw_dates: asking.lost_raw_dates,
        resumed_since_us: asking.resumed_since_us,
        window_us: setup.window_us,
        meeting_nos: setup.meeting_nos.clone(),
        refetch: setup.refetch,
        zone: setup.zone.clone(),
        user_id_type: setup.user_id_type,
        settle: setup.settle.into(),
        concurrency: setup.concurrency,
        rate: setup.client.rate,
        may_end_early: setup.max_calls.is_some() || setup.finish_by_us.is_some(),
    };
    let listener = Arc::clone(&setup.listener);
    let now_us = Arc::clone(&setup.now_us);
    Ok(Arc::new(Scheduler::new(client, setup.cancel.clone(), recorder, settings, listener, now_us)))
}

/// The name of the ledger's setting for the tenant's zone.
const TIMEZONE: &str = "timezone";

/// The kind of ids and the zone are fixed with the first run: keys of two kinds in one store would count people twice, and
/// the same meeting would belong to two days.
fn check_settings(paths: &StorePaths, ledger: &Ledger, setup: &SyncSetup) -> Result<(), SyncError> {
    let asked = setup.user_id_type.as_str();
    match stored_setting(paths, ledger, setup.database, USER_ID_TYPE)? {
        // A store that got no meeting yet holds no ids.
        Some(held) if held != asked && !ledger.is_empty()? => {
            return Err(SyncError::UserIdType { store: setup.store.clone(), held, asked });
        }
        _ => ledger.set_setting(USER_ID_TYPE, asked)?,
    }
    check_timezone(paths, ledger, setup.database, &setup.zone)
}

fn check_timezone(
    paths: &StorePaths,
    ledger: &Ledger,
    database: DatabaseOptions,
    zone: &TenantZone,
) -> Result<(), SyncError> {
    let held = stored_setting(paths, ledger, database, TIMEZONE)?;
    match held.and_then(|name| TenantZone::parse(&name).ok()) {
        Some(held) if !held.is_equivalent_to(zone) => {
            let store = paths.root().to_owned();
            Err(SyncError::Timezone { store, held: held.name().to_owned(), asked: zone.name().to_owned() })
        }
        Some(_) => Ok(()),
        None => Ok(ledger.set_setting(TIMEZONE, zone.name())?),
    }
}

/// A setting that the store was made with: by its ledger, else by what is published.
fn stored_setting(
    paths: &StorePaths,
    ledger: &Ledger,
    database: DatabaseOptions,
    name: &str,
) -> Result<Option<String>, SyncError> {
    if let Some(held) = ledger.setting(name)? {
        return Ok(Some(held));
    }
    // A database that can't be read is none to ask; it is built anew.
    let held = open_published_with(paths, database)
        .ok()
        .and_then(|connection| connection.query_row(&format!("select {name} from meta"), [], |row| row.get(0)).ok());
    Ok(held.flatten())
}

fn counted(run: &mut RunRecord, counters: &Counters) {
    let calls = counters.calls();
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    run.calls = [count(calls.meeting_list), count(calls.participant_list), count(calls.participant_quality_list)];
    run.throttles = count(counters.throttles());
    run.waited_s = counters.waited().as_secs_f64();
}

/// `20261123T020500Z-1f3a`: sorts by time, and two runs within a second differ.
#[expect(clippy::disallowed_methods, reason = "edge: two runs that begin in one second get different names")]
fn run_id(started_us: i64) -> String {
    let compact: String = utc_text(started_us).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{compact}-{:04x}", rand::random::<u16>())
}

fn publish_setup(setup: &SyncSetup, installed: Arc<Installed>, lost_raw_dates: BTreeSet<i32>) -> PublishSetup {
    PublishSetup {
        window_us: setup.window_us,
        meeting_nos: setup.meeting_nos.clone(),
        zone: setup.zone.clone(),
        user_id_type: setup.user_id_type.as_str().to_owned(),
        database: setup.database,
        threads: setup.threads,
        installed,
        mode: PublishMode::Update,
        lost_raw_dates,
        listener: Arc::clone(&setup.listener),
        now_us: Arc::clone(&setup.now_us),
    }
}

fn notes(unreadable_meetings: u64, torn: u64, caught_up: CaughtUp, due: &Due) -> Vec<String> {
    let mut notes = Vec::new();
    if caught_up.walks > 0 {
        notes.push(format!(
            "{} of {} {} in the raw log and not in the ledger, as after a kill, and taken in",
            numbered(caught_up.walks, "answer"),
            numbered(caught_up.dates, "date"),
            were(caught_up.walks)
        ));
    }
    if let (Some(first), Some(last)) = (due.held.first(), due.held.last()) {
        notes.push(format!(
            "the days from {} to {} are being asked again and stay published as they were until all of it is answered: \
             sync this window again, without --refetch",
            civil_date_text(*first),
            civil_date_text(*last)
        ));
    }
    if unreadable_meetings > 0 {
        notes.push(format!(
            "the start of {} cannot be read; see the table rejects",
            numbered(unreadable_meetings, "listed meeting")
        ));
    }
    if let (Some(first), Some(last)) = (due.without_raw.first(), due.without_raw.last()) {
        notes.push(format!(
            "new answers, but older ones lacking in raw/: {} from {} to {}, published as before; put the files back and \
             sync again",
            numbered(due.without_raw.len() as u64, "date"),
            civil_date_text(*first),
            civil_date_text(*last)
        ));
    }
    if torn > 0 {
        notes.push(torn_note(torn));
    }
    notes
}

/// `1 answer`, `231 answers`.
fn numbered(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

fn were(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}

fn torn_note(torn: u64) -> String {
    format!("{} of the raw log {} cut off, as after a power cut, and passed over", numbered(torn, "record"), were(torn))
}
