//! What status reads from the published database.

use std::collections::BTreeMap;

use duckdb::{Connection, params};
use serde::Serialize;

use super::setup::{Days, StatusSetup};
use crate::ledger::Hole;
use crate::schema::{Status, civil_date_text, utc_text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Newest {
    /// The newest meeting date that has passed, is stable and has nothing failed or pending, `YYYY-MM-DD`.
    pub complete_date: Option<String>,
    pub meeting_date: Option<String>,
    pub sample_utc: Option<String>,
}

/// Coverage by day, newest first. Days without meetings are included: they may have been missed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Coverage {
    pub days: Vec<CoverageDay>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct CoverageDay {
    pub meeting_date: String,
    pub meetings: u64,
    pub participants: u64,
    /// Without statuses that no participant has.
    pub by_status: BTreeMap<&'static str, u64>,
    /// Complete participants, percent, rounded down to a tenth; null on a day without participants.
    pub complete_pct: Option<f64>,
    /// True if no complete run covers some time of the day, so that meetings may be missing.
    pub not_covered: bool,
    /// True if the data of the day was removed by `prune`.
    pub pruned: bool,
}

/// Why participants or participant lists are failed or pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    pub status: String,
    pub reason: String,
    /// Rows of coverage: of lists, if it is about lists.
    pub participants: u64,
    pub meetings: u64,
    #[serde(skip)]
    pub is_list: bool,
}

const MAX_REASONS: usize = 12;
/// A wrong year must not fill the terminal.
const MAX_DAYS: i32 = 3_660;

pub(super) fn newest(database: &Connection, setup: &StatusSetup) -> Result<Newest, duckdb::Error> {
    let day = |sql: &str| -> Result<Option<String>, duckdb::Error> {
        let days: Option<i64> = database.query_row(sql, [], |row| row.get(0))?;
        Ok(days.map(|days| civil_date_text(days as i32)))
    };
    let sample_us: Option<i64> =
        database.query_row("select epoch_us(max(sample_time_utc)) from quality_samples", [], |row| row.get(0))?;
    // Dates whose data may still grow, and dates with meetings to come, are not complete.
    let settle_us = i64::try_from(setup.settle.as_micros()).unwrap_or(i64::MAX);
    let stable_us = setup.now_us.saturating_sub(settle_us);
    let today = setup.zone.day_of(setup.now_us);
    let complete = format!(
        "select max(meeting_date) - date '1970-01-01' from (
             select meeting_date from coverage
             group by meeting_date
             having count(*) filter (status in ('failed', 'pending')) = 0)
         where meeting_date < date '1970-01-01' + cast({today} as integer)
           and meeting_date not in (
             select meeting_date from meetings
             where meeting_date is not null and epoch_us(coalesce(end_time_utc, start_time_utc)) > {stable_us})"
    );
    Ok(Newest {
        complete_date: day(&complete)?,
        meeting_date: day("select max(meeting_date) - date '1970-01-01' from meetings")?,
        sample_utc: sample_us.map(utc_text),
    })
}

/// `pruned_before` is the date before which `prune` removed the data.
pub(super) fn coverage(
    database: &Connection,
    setup: &StatusSetup,
    holes: &[Hole],
    pruned_before: Option<i32>,
) -> Result<Coverage, duckdb::Error> {
    let (first, last) = match setup.days {
        Days::Window(since_us, until_us) => (setup.zone.day_of(since_us), setup.zone.day_of(until_us - 1)),
        Days::Last(days) => {
            let newest: Option<i64> =
                database
                    .query_row("select max(meeting_date) - date '1970-01-01' from meetings", [], |row| row.get(0))?;
            let Some(newest) = newest else { return Ok(Coverage { days: Vec::new() }) };
            let newest = newest as i32;
            (newest.saturating_sub(i32::try_from(days).unwrap_or(MAX_DAYS) - 1), newest)
        }
    };
    let first = first.max(last.saturating_sub(MAX_DAYS - 1));
    let mut found: BTreeMap<i32, CoverageDay> = BTreeMap::new();
    let empty = |day: i32| CoverageDay { meeting_date: civil_date_text(day), ..CoverageDay::default() };
    let within =
        "meeting_date between date '1970-01-01' + cast(? as integer) and date '1970-01-01' + cast(? as integer)";
    let sql = format!("select meeting_date - date '1970-01-01', count(*) from meetings where {within} group by 1");
    let mut select = database.prepare(&sql)?;
    let mut rows = select.query(params![first, last])?;
    while let Some(row) = rows.next()? {
        let (day, meetings): (i64, i64) = (row.get(0)?, row.get(1)?);
        found.entry(day as i32).or_insert_with(|| empty(day as i32)).meetings = meetings.unsigned_abs();
    }
    let sql =
        format!("select meeting_date - date '1970-01-01', status, count(*) from coverage where {within} group by 1, 2");
    let mut select = database.prepare(&sql)?;
    let mut rows = select.query(params![first, last])?;
    while let Some(row) = rows.next()? {
        let (day, status, count): (i64, Option<String>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let day = found.entry(day as i32).or_insert_with(|| empty(day as i32));
        day.participants += count.unsigned_abs();
        if let Some(status) = status.as_deref().and_then(Status::from_name) {
            day.by_status.insert(status.name(), count.unsigned_abs());
        }
    }
    let in_hole = |day: i32| {
        let (since_us, until_us) = (setup.zone.start_of_day(day), setup.zone.start_of_day(day + 1));
        holes.iter().any(|hole| hole.since_us < until_us && hole.until_us > since_us)
    };
    let days = (first..=last).rev().map(|date| {
        let mut day = found.remove(&date).unwrap_or_else(|| empty(date));
        day.not_covered = in_hole(date);
        day.pruned = day.meetings == 0 && pruned_before.is_some_and(|before| date < before);
        let complete = day.by_status.get(Status::Complete.name()).copied().unwrap_or_default();
        day.complete_pct = share_pct(complete, day.participants);
        day
    });
    Ok(Coverage { days: days.collect() })
}

/// In percent, rounded down: 100 only if it is all of them.
pub(super) fn share_pct(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part * 1_000 / whole) as f64 / 10.0)
}

pub(super) fn reasons(database: &Connection) -> Result<Vec<Reason>, duckdb::Error> {
    // A log ID belongs to one response and would make every reason a different one.
    let sql = format!(
        "select status, regexp_replace(coalesce(reason, 'no reason is known'), ' ?\\(log id [^)]*\\)', '', 'gi'),
                count(*), count(distinct meeting_key), participant_key = meeting_key || '/*'
         from coverage
         where status in ('failed', 'pending')
         group by 1, 2, 5
         order by 1, 3 desc, 2, 5
         limit {MAX_REASONS}"
    );
    let mut select = database.prepare(&sql)?;
    let rows = select.query_map([], |row| {
        Ok(Reason {
            status: row.get(0)?,
            reason: row.get(1)?,
            participants: row.get::<_, i64>(2)?.unsigned_abs(),
            meetings: row.get::<_, i64>(3)?.unsigned_abs(),
            is_list: row.get(4)?,
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::load::DatabaseOptions;
    use crate::schema::TenantZone;
    use feishu_vc::Rate;

    #[test]
    fn a_share_is_100_percent_only_if_it_is_all() {
        assert_eq!(share_pct(9_999, 10_000), Some(99.9));
        assert_eq!(share_pct(3, 3), Some(100.0));
        assert_eq!(share_pct(1, 3), Some(33.3));
        assert_eq!(share_pct(0, 0), None);
    }

    #[test]
    fn a_day_is_complete_when_it_is_over_and_its_meetings_are_stable() {
        let database = Connection::open_in_memory().expect("a database");
        database
            .execute_batch(
                "create table quality_samples (sample_time_utc timestamp);
                 create table coverage (meeting_date date, status varchar);
                 create table meetings (meeting_date date, start_time_utc timestamp, end_time_utc timestamp);
                 insert into coverage values
                     ('2026-11-20', 'complete'), ('2026-11-21', 'complete'), ('2026-11-22', 'complete'),
                     ('2026-11-23', 'complete'), ('2026-11-19', 'pending');
                 insert into meetings values
                     ('2026-11-20', '2026-11-20 01:00:00', '2026-11-20 02:00:00'),
                     ('2026-11-21', '2026-11-21 01:00:00', null),
                     ('2026-11-22', '2026-11-22 14:00:00', '2026-11-22 15:00:00'),
                     ('2026-11-23', '2026-11-22 17:00:00', '2026-11-22 18:00:00');",
            )
            .expect("made");
        // 2026-11-23T02:05:00Z, which is 10:05 of that day in the zone.
        const NOW_US: i64 = 1_795_399_500_000_000;
        let complete = |settle_h: u64, later_us: i64| {
            let setup = StatusSetup {
                store: "store".into(),
                zone: TenantZone::parse("+08:00").expect("a zone"),
                database: DatabaseOptions::default(),
                rate: Rate::per_minute(NonZeroU32::MIN),
                settle: Duration::from_secs(settle_h * 3_600),
                longest_meeting: Duration::ZERO,
                profile: "cqd".to_owned(),
                runs: 1,
                days: Days::Last(1),
                now_us: NOW_US + later_us,
            };
            newest(&database, &setup).expect("read").complete_date.expect("a day")
        };
        assert_eq!(complete(0, 0), "2026-11-22", "today is not over");
        assert_eq!(complete(24, 0), "2026-11-21", "what ended at 23:00 yesterday may still grow");
        assert_eq!(complete(26, 24 * 3_600_000_000), "2026-11-23");
        assert_eq!(complete(60, 0), "2026-11-20", "without an end the start counts, and the oldest is not complete");
    }
}
