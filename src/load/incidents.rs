//! `incidents` and `incident_participants`: which dates are searched again, and their parts.
//!
//! Promises that they follow from the other stored rows, however these were published: the incidents of a date depend
//! on that date and the [`REACH_DAYS`] before it, and on the incidents of those. `judged_participants`, which the
//! search reads, is updated with them. Leaves out the search itself, which the caller of the publication gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use duckdb::Connection;

use super::connection::rows;
use super::dates::{JUDGED_SAMPLES, on_days, samples, since_until, spans};
use super::draft::Draft;
use super::error::{LoadError, Result};
use super::held::SEARCHED as TABLES;
use super::incident_search::{IncidentRows, IncidentSearch};
use super::part_writer::{PartWriter, StagedPart};
use super::reference::export_rows;
use crate::schema::cell::{Cell, Row};
use crate::schema::{
    INCIDENT_PARTICIPANTS, INCIDENTS, JUDGED_PARTICIPANTS, PARTICIPANTS, PARTITION_COLUMN, ROOMS, Table, ddl,
};

/// Days before a date that its incidents depend on.
pub(crate) const REACH_DAYS: i32 = 28;

/// What a publication searches.
pub(super) struct Search<'a> {
    pub(super) search: &'a dyn IncidentSearch,
    pub(super) profile: &'a str,
    /// The dates with samples.
    pub(super) published: BTreeSet<i32>,
    /// The dates whose rows have changed; `None` for all dates, or if definitions or the profile have changed.
    pub(super) changed: Option<BTreeSet<i32>>,
    /// The dates whose participants are judged, likewise.
    pub(super) judged: Option<BTreeSet<i32>>,
}

impl Search<'_> {
    /// Updates the three tables. Returns the dates whose incidents were searched again or are gone.
    pub(super) fn update(&self, draft: &Draft) -> Result<BTreeSet<i32>> {
        self.judge(draft)?;
        let Some(changed) = &self.changed else {
            for table in TABLES {
                draft.execute("delete rows from", &format!("delete from {}", table.name))?;
            }
            self.find(draft, &Vec::from_iter(self.published.iter().copied()))?;
            return Ok(self.published.clone());
        };
        let mut done: BTreeSet<i32> = changed.difference(&self.published).copied().collect();
        delete(draft, &done)?;
        // Data of a date changes the history of the next 28 days, whose incidents are history of the next 28.
        let mut due: BTreeSet<i32> = changed.iter().flat_map(|date| self.reach(*date, 2 * REACH_DAYS)).collect();
        while let Some(group) = self.next_group(&due) {
            let dates = BTreeSet::from_iter(group.iter().copied());
            let before = fingerprints(draft, &dates)?;
            delete(draft, &dates)?;
            self.find(draft, &group)?;
            let after = fingerprints(draft, &dates)?;
            let differs = |date: &&i32| before.get(date) != after.get(date);
            due.extend(dates.iter().filter(differs).flat_map(|date| self.reach(*date, REACH_DAYS)));
            done.extend(dates);
            due.retain(|date| !done.contains(date));
        }
        Ok(done)
    }

    fn reach(&self, date: i32, days: i32) -> impl Iterator<Item = i32> {
        self.published.range(date..=date.saturating_add(days)).copied()
    }

    /// The first due date and those that follow it, up to a published date that is not due.
    fn next_group(&self, due: &BTreeSet<i32>) -> Option<Vec<i32>> {
        let first = *due.first()?;
        Some(self.published.range(first..).copied().take_while(|date| due.contains(date)).collect())
    }

    fn find(&self, draft: &Draft, dates: &[i32]) -> Result {
        if dates.is_empty() {
            return Ok(());
        }
        let found = self.search.search(&draft.connection, self.profile, dates);
        let failed = |source| LoadError::Incidents { path: draft.path.clone(), source };
        let IncidentRows { incidents, participants } = found.map_err(failed)?;
        let is_dated = |row: &Row| matches!(row.last(), Some(Cell::Day(date)) if dates.contains(date));
        if !incidents.iter().chain(&participants).all(is_dated) {
            return Err(failed("the search found incidents on other dates".into()));
        }
        draft.append_rows(&INCIDENTS, &incidents)?;
        draft.append_rows(&INCIDENT_PARTICIPANTS, &participants)
    }

    /// Updates `judged_participants`.
    pub(super) fn judge(&self, draft: &Draft) -> Result {
        let table = JUDGED_PARTICIPANTS.name;
        let dates: BTreeSet<i32> = match &self.judged {
            None => {
                draft.execute("delete rows from", &format!("delete from {table}"))?;
                self.published.clone()
            }
            Some(changed) => {
                let sql = format!("delete from {table} where {}", on_days(changed));
                draft.execute("remove outdated dates from", &sql)?;
                changed.intersection(&self.published).copied().collect()
            }
        };
        for span in spans(&samples(draft, &dates)?, JUDGED_SAMPLES) {
            let sql = format!(
                "insert into {table} by name select * from judged_participant_minutes({}, profile := {})",
                since_until(span),
                ddl::quoted(self.profile)
            );
            draft.execute("judge the participants of", &sql)?;
        }
        Ok(())
    }
}

fn delete(draft: &Draft, dates: &BTreeSet<i32>) -> Result {
    TABLES.iter().filter(|_| !dates.is_empty()).try_for_each(|table| {
        let sql = format!("delete from {} where {}", table.name, on_days(dates));
        draft.execute("remove outdated dates from", &sql)
    })
}

/// By date, what tells whether its incidents have changed.
fn fingerprints(draft: &Draft, dates: &BTreeSet<i32>) -> Result<BTreeMap<i32, Vec<String>>> {
    let of_table = |table: &&Table| {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        format!(
            "select cast({PARTITION_COLUMN} - date '1970-01-01' as integer), \
             '{} ' || count(*) || ' ' || sum(hash({})) from {} where {} group by {PARTITION_COLUMN}",
            table.name,
            columns.join(", "),
            table.name,
            on_days(dates)
        )
    };
    let sql = TABLES.iter().map(of_table).collect::<Vec<_>>().join(" union all ") + " order by all";
    let found: Vec<(i32, String)> = rows(&draft.connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(LoadError::duckdb("read the incidents of", &draft.path))?;
    let mut by_date: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for (date, text) in found {
        by_date.entry(date).or_default().push(text);
    }
    Ok(by_date)
}

/// Stages the parts of some dates; a date without incidents has none.
pub(super) fn export(draft: &Draft, work_dir: &Path, run_id: &str, dates: &BTreeSet<i32>) -> Result<Vec<StagedPart>> {
    let mut parts = Vec::new();
    for table in TABLES {
        let sql = format!(
            "select distinct cast({PARTITION_COLUMN} - date '1970-01-01' as integer) from {} where {} order by 1",
            table.name,
            on_days(dates)
        );
        let with_rows: Vec<i32> = rows(&draft.connection, &sql, |row| row.get(0))
            .map_err(LoadError::duckdb("read the incidents of", &draft.path))?;
        for date in with_rows {
            let mut part = PartWriter::create(work_dir, table, date, run_id, 0)?;
            export_rows(draft, table, &on_days(&BTreeSet::from([date])), &mut part)?;
            parts.extend(part.finish()?);
        }
    }
    Ok(parts)
}

/// What the search reads of the undated tables: name and building of each room.
pub(super) type RoomPlaces = BTreeMap<String, (Option<String>, Option<String>)>;

/// `place` is where the rows are, for errors.
pub(super) fn room_places(connection: &Connection, place: &Path) -> Result<RoomPlaces> {
    let sql = format!("select room_id, room_name, building from {}", ROOMS.name);
    rows(connection, &sql, |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .map_err(LoadError::duckdb("read the rooms of", place))
}

/// The same from rows that are given.
pub(super) fn places_of_rows(rows: &[Row]) -> RoomPlaces {
    let text = |row: &Row, name: &str| match ROOMS.position(name).and_then(|at| row.get(at)) {
        Some(Cell::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let place = |row: &Row| Some((text(row, "room_id")?, (text(row, "room_name"), text(row, "building"))));
    rows.iter().filter_map(place).collect()
}

/// The dates on which rooms took part whose name or building has changed.
pub(super) fn dates_of_changed_rooms(
    connection: &Connection,
    place: &Path,
    before: &RoomPlaces,
    after: &RoomPlaces,
) -> Result<BTreeSet<i32>> {
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed: Vec<String> =
        ids.into_iter().filter(|id| before.get(*id) != after.get(*id)).map(|id| ddl::quoted(id)).collect();
    if changed.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "select distinct cast({PARTITION_COLUMN} - date '1970-01-01' as integer) from {} \
         where room_id in ({}) and {PARTITION_COLUMN} is not null",
        PARTICIPANTS.name,
        changed.join(", ")
    );
    let dates: Vec<i32> =
        rows(connection, &sql, |row| row.get(0)).map_err(LoadError::duckdb("read the dates of rooms in", place))?;
    Ok(dates.into_iter().collect())
}
