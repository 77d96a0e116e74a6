//! What a window holds, counted in the database that is about to be published.

use std::collections::BTreeMap;
use std::error::Error;

use duckdb::{Connection, params_from_iter};

use super::publishing::PublishSetup;
use crate::ledger::RunRecord;
use crate::schema::cell::{Cell, Row};
use crate::schema::{RUNS, Status, civil_date_text};

/// Counts over the meetings of a window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Totals {
    pub meetings: u64,
    pub participants: u64,
    pub samples: u64,
    pub rejects: u64,
    /// Coverage rows by status.
    pub by_status: BTreeMap<&'static str, u64>,
}

impl Default for Totals {
    /// Nothing, with every status there.
    fn default() -> Totals {
        let by_status = Status::ALL.iter().map(|status| (status.name(), 0)).collect();
        Totals { meetings: 0, participants: 0, samples: 0, rejects: 0, by_status }
    }
}

/// The meetings of the window. Instants are compared as microseconds, so that no time zone can come in.
const WINDOW: &str = "
with window_meetings as (
    select meeting_key, meeting_date
    from meetings
    where meeting_date between cast(? as date) and cast(? as date)
      and epoch_us(start_time_utc) >= ?
      and epoch_us(start_time_utc) < ?
      and (? = '' or list_contains(string_split(?, ','), meeting_no))
)";

impl Totals {
    /// Counts the window of a sync. Meetings whose start can't be read belong to no window: they count with the run that
    /// was told of them, which began at `started_us`.
    pub(super) fn of(
        connection: &Connection,
        setup: &PublishSetup,
        started_us: i64,
    ) -> Result<Totals, Box<dyn Error + Send + Sync>> {
        let (since_us, until_us) = setup.window_us;
        // A printed zone may differ from the tenant's by a day at most.
        let first_day = civil_date_text(setup.zone.day_of(since_us) - 1);
        let last_day = civil_date_text(setup.zone.day_of(until_us) + 1);
        let numbers = setup.meeting_nos.join(",");
        let (since_us, until_us) = (since_us.to_string(), until_us.to_string());
        let window = [&first_day, &last_day, &since_us, &until_us, &numbers, &numbers];
        let count = |sql: &str, more: &[&String]| -> Result<u64, duckdb::Error> {
            let sql = format!("{WINDOW}\n{sql}");
            connection
                .query_row(&sql, params_from_iter(window.iter().chain(more)), |row| row.get::<_, i64>(0))
                .map(|count| u64::try_from(count).unwrap_or_default())
        };
        let mut totals = Totals {
            meetings: count("select count(*) from window_meetings", &[])?,
            participants: count(
                "select count(*) from participants p join window_meetings using (meeting_date, meeting_key)",
                &[],
            )?,
            // A row of any table but meetings has a key that goes on behind its meeting's with a slash.
            rejects: count(
                "select count(*) from rejects r
                 join window_meetings w
                   on r.meeting_date = w.meeting_date and split_part(r.row_key, '/', 1) = w.meeting_key",
                &[],
            )?,
            ..Totals::default()
        };
        totals.rejects += connection.query_row(
            "select count(*) from rejects
             where table_name = 'meetings' and ends_with(row_key, '-?') and epoch_us(first_seen_utc) >= ?",
            [started_us],
            |row| row.get::<_, i64>(0).map(|count| u64::try_from(count).unwrap_or_default()),
        )?;
        let sql = format!(
            "{WINDOW}
             select c.status, count(*), coalesce(sum(c.sample_count), 0)::bigint
             from coverage c
             join window_meetings using (meeting_date, meeting_key)
             group by c.status"
        );
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query(params_from_iter(window.iter()))?;
        while let Some(row) = rows.next()? {
            let (status, count, samples): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if let Some(status) = Status::from_name(&status) {
                totals.by_status.insert(status.name(), u64::try_from(count).unwrap_or_default());
            }
            totals.samples += u64::try_from(samples).unwrap_or_default();
        }
        Ok(totals)
    }

    /// Coverage rows that are pending.
    pub(super) fn failed(&self) -> u64 {
        self.by_status.get(Status::Failed.name()).copied().unwrap_or_default()
    }

    /// meetings, participants, samples, rejects.
    pub(super) fn as_row(&self) -> [i64; 4] {
        [self.meetings, self.participants, self.samples, self.rejects]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// A run as a row of `runs`.
pub(crate) fn run_row(run: &RunRecord) -> Row {
    let total = |index: usize| Cell::whole(run.totals.map(|totals| totals[index]));
    RUNS.columns
        .iter()
        .map(|column| match column.name {
            "run_id" => Cell::Text(run.run_id.clone()),
            "command" => Cell::Text(run.command.clone()),
            "since_utc" => Cell::micros(run.since_us),
            "until_utc" => Cell::micros(run.until_us),
            "started_utc" => Cell::Micros(run.started_us),
            "finished_utc" => Cell::micros(run.finished_us),
            "outcome" => Cell::text(run.outcome.clone()),
            "exit_code" => Cell::whole(run.exit_code),
            "meetings" => total(0),
            "participants" => total(1),
            "samples" => total(2),
            "rejects" => total(3),
            "calls_meeting_list" => Cell::Whole(run.calls[0]),
            "calls_participant_list" => Cell::Whole(run.calls[1]),
            "calls_quality_list" => Cell::Whole(run.calls[2]),
            "throttles" => Cell::Whole(run.throttles),
            "waited_s" => Cell::Real(run.waited_s),
            _ => Cell::Null,
        })
        .collect()
}
