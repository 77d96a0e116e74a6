//! The tables of the optional endpoints: the lists of one date, and the rooms of the newest list.

use std::path::Path;

use super::date_error::DateError;
use crate::extract::{endpoint_of, walk_items};
use crate::raw_log::{RawDate, RawKind, WalkRef, list_dates};
use crate::schema::cell::Row;
use crate::schema::{CENSUS_DAILY, CENSUS_USERS, RESERVATIONS, ROOM_ALERTS, ROOMS, Table, TenantZone, civil_date_text};
use crate::transform::{
    DayRows, ListWalk, census_daily_rows, census_user_rows, reservation_rows, room_alert_rows, room_rows,
};

type RowsOf = fn(&TenantZone, i32, &ListWalk) -> DayRows;

/// The tables with one list a day.
const DATED: &[(&Table, RawKind, RowsOf)] = &[
    (&ROOM_ALERTS, RawKind::RoomAlerts, room_alert_rows),
    (&RESERVATIONS, RawKind::Reservations, reservation_rows),
    (&CENSUS_DAILY, RawKind::CensusDaily, census_daily_rows),
    (&CENSUS_USERS, RawKind::CensusUsers, census_user_rows),
];

/// The raw log and the zone by which it is read.
#[derive(Clone, Copy)]
pub(crate) struct OptionalLists<'a> {
    pub(crate) raw_dir: &'a Path,
    pub(crate) zone: &'a TenantZone,
}

/// The rows of a table on one date, and the run that fetched them.
pub(super) struct OptionalRows {
    pub(super) table: &'static Table,
    pub(super) run_id: String,
    pub(super) day: DayRows,
    pub(super) truncated: u64,
}

impl OptionalLists<'_> {
    /// The rows of one date in every table of which it has a complete list. Those of `rooms` belong to no date: they
    /// are left out, but not their rejects and unknown fields.
    pub(super) fn of_date(self, meeting_date: i32) -> Result<Vec<OptionalRows>, DateError> {
        let mut found = Vec::new();
        for (table, kind, rows_of) in DATED {
            let Some(list) = self.list(*kind, meeting_date)? else { continue };
            let day = rows_of(self.zone, meeting_date, &list.walk);
            found.push(OptionalRows { table, run_id: list.run_id, day, truncated: list.truncated });
        }
        if let Some((list, mut day)) = self.rooms_of(meeting_date)? {
            day.rows.clear();
            found.push(OptionalRows { table: &ROOMS, run_id: list.run_id, day, truncated: list.truncated });
        }
        Ok(found)
    }

    /// The rows of `rooms`, from the newest complete list; `None` if there is none.
    pub(crate) fn rooms(self) -> Result<Option<Vec<Row>>, DateError> {
        for date in list_dates(self.raw_dir, RawKind::Rooms)?.into_iter().rev() {
            if let Some((_, day)) = self.rooms_of(date)? {
                return Ok(Some(day.rows));
            }
        }
        Ok(None)
    }

    /// The rooms listed on a date, with the names of the newest levels up to then.
    fn rooms_of(self, date: i32) -> Result<Option<(DayList, DayRows)>, DateError> {
        let Some(rooms) = self.list(RawKind::Rooms, date)? else { return Ok(None) };
        let mut levels = None;
        for level_date in list_dates(self.raw_dir, RawKind::RoomLevels)?.into_iter().rev().filter(|day| *day <= date) {
            levels = self.list(RawKind::RoomLevels, level_date)?;
            if levels.is_some() {
                break;
            }
        }
        let day = room_rows(self.zone, date, &rooms.walk, levels.as_ref().map(|levels| &levels.walk));
        Ok(Some((rooms, day)))
    }

    /// The latest complete list of a date.
    fn list(self, kind: RawKind, date: i32) -> Result<Option<DayList>, DateError> {
        let pages = RawDate::open(self.raw_dir, kind, date)?;
        let Some(walk) = pages.last_whole_walk(&civil_date_text(date)) else { return Ok(None) };
        let WalkRef { run_id, requested_us, .. } = walk;
        let items = walk_items(&pages, walk, endpoint_of(kind))?;
        Ok(Some(DayList {
            run_id: run_id.clone(),
            walk: ListWalk { items, requested_us: *requested_us },
            truncated: pages.truncated,
        }))
    }
}

struct DayList {
    run_id: String,
    walk: ListWalk,
    truncated: u64,
}
