//! Counts the meetings, participants, samples and rejects of a window, in the database that is about to be published.

use std::collections::BTreeMap;
use std::error::Error;

use duckdb::{Connection, params_from_iter};

use super::setup::PublishSetup;
use crate::schema::window::overlap_sql;
use crate::schema::{Status, TimeWindow, civil_date_text};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Totals {
    pub meetings: u64,
    pub participants: u64,
    pub samples: u64,
    pub rejects: u64,
    /// Coverage rows, those of participant lists included.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Those of participant lists only.
    pub lists_by_status: BTreeMap<&'static str, u64>,
}

impl Default for Totals {
    /// Zeros, with an entry for every status.
    fn default() -> Totals {
        let by_status = Status::ALL.iter().map(|status| (status.name(), 0)).collect();
        Totals { meetings: 0, participants: 0, samples: 0, rejects: 0, by_status, lists_by_status: BTreeMap::new() }
    }
}

/// The meetings of the window. Instants are compared as microseconds, so that no session time zone matters.
fn window_meetings(setup: &PublishSetup) -> String {
    let TimeWindow { since_us, until_us, by_start } = setup.window;
    let (start, since, until) = ("epoch_us(start_time_utc)", since_us.to_string(), until_us.to_string());
    let belongs = match by_start {
        true => format!("({start} >= {since} and {start} < {until})"),
        false => overlap_sql(start, "epoch_us(end_time_utc)", &since, &until),
    };
    // The zone Feishu printed may differ from the tenant's by a day at most.
    let last_day = civil_date_text(setup.zone.day_of(until_us) + 1);
    format!(
        "with window_meetings as (
             select meeting_key, meeting_date
             from meetings
             where meeting_date <= date '{last_day}' and {belongs}
               and (? = '' or list_contains(string_split(?, ','), meeting_no))
         )"
    )
}

impl Totals {
    /// Meetings whose start cannot be parsed belong to no window: they count for the run that saw them, which began at
    /// `started_us`.
    pub(super) fn count(
        connection: &Connection,
        setup: &PublishSetup,
        started_us: i64,
    ) -> Result<Totals, Box<dyn Error + Send + Sync>> {
        let window = window_meetings(setup);
        let numbers = setup.meeting_nos.join(",");
        let parameters = [&numbers, &numbers];
        let count = |sql: &str| -> Result<u64, duckdb::Error> {
            let sql = format!("{window}\n{sql}");
            connection
                .query_row(&sql, params_from_iter(parameters.iter()), |row| row.get::<_, i64>(0))
                .map(|count| u64::try_from(count).unwrap_or_default())
        };
        let mut totals = Totals {
            meetings: count("select count(*) from window_meetings")?,
            participants: count(
                "select count(*) from participants p join window_meetings using (meeting_date, meeting_key)",
            )?,
            // Except in meetings, a row's key is the meeting's key followed by a slash.
            rejects: count(
                "select count(*) from rejects r
                 join window_meetings w
                   on r.meeting_date = w.meeting_date and split_part(r.row_key, '/', 1) = w.meeting_key",
            )?,
            ..Totals::default()
        };
        totals.rejects += connection.query_row(
            "select count(*) from rejects
             where table_name = 'meetings' and ends_with(row_key, '-?') and epoch_us(first_seen_utc) >= ?",
            [started_us],
            |row| row.get::<_, i64>(0).map(|count| u64::try_from(count).unwrap_or_default()),
        )?;
        // Those of the optional lists belong to a day instead of to a meeting.
        let local = |us: i64| us.saturating_add(i64::from(setup.zone.offset_min_at(us)) * 60_000_000);
        totals.rejects += connection.query_row(
            "select count(*) from rejects
             where table_name in ('rooms', 'room_alerts', 'reservations', 'census_daily', 'census_users')
               and epoch_us(cast(meeting_date as timestamp)) + 86399999999 >= ?
               and epoch_us(cast(meeting_date as timestamp)) < ?",
            [local(setup.window.since_us), local(setup.window.until_us)],
            |row| row.get::<_, i64>(0).map(|count| u64::try_from(count).unwrap_or_default()),
        )?;
        let sql = format!(
            "{window}
             select c.status, count(*), coalesce(sum(c.sample_count), 0)::bigint,
                 count(*) filter (c.participant_key = meeting_key || '/*')
             from coverage c
             join window_meetings using (meeting_date, meeting_key)
             group by c.status"
        );
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query(params_from_iter(parameters.iter()))?;
        while let Some(row) = rows.next()? {
            let (status, count, samples): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let lists: i64 = row.get(3)?;
            if let Some(status) = Status::from_name(&status) {
                totals.by_status.insert(status.name(), u64::try_from(count).unwrap_or_default());
                totals.lists_by_status.insert(status.name(), u64::try_from(lists).unwrap_or_default());
            }
            totals.samples += u64::try_from(samples).unwrap_or_default();
        }
        Ok(totals)
    }

    pub(super) fn failed(&self) -> u64 {
        self.by_status.get(Status::Failed.name()).copied().unwrap_or_default()
    }

    /// meetings, participants, samples, rejects.
    pub(super) fn as_row(&self) -> [i64; 4] {
        [self.meetings, self.participants, self.samples, self.rejects]
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
    }
}
