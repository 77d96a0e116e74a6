//! The rows of `census_daily` and `census_users` for one date: Feishu's own counts.

use serde_json::Value;

use super::day_list::{DayReader, DayRows, Placed, required_id, required_time};
use super::item_reader::ListWalk;
use crate::schema::cell::Cell;
use crate::schema::identity::Item;
use crate::schema::{CENSUS_DAILY, CENSUS_USERS, TenantZone, civil_date_text};

/// One response holds many days; the items of the others are left to their own dates.
pub(crate) fn census_daily_rows(zone: &TenantZone, day: i32, walk: &ListWalk) -> DayRows {
    let mut reader = DayReader::new(&CENSUS_DAILY, zone, day, walk.requested_us);
    let place = |item: &Item, _: &Value| {
        let start = required_time(item, "date", zone)?;
        let is_this_day = zone.report_day(start.utc_us) == day;
        Ok(is_this_day.then(|| Placed { key: civil_date_text(day), base: Some(start) }))
    };
    reader.add(walk, Clone::clone, place, |_, _| Cell::Null);
    reader.finish()
}

/// The walk was fetched for this date alone.
pub(crate) fn census_user_rows(zone: &TenantZone, day: i32, walk: &ListWalk) -> DayRows {
    let mut reader = DayReader::new(&CENSUS_USERS, zone, day, walk.requested_us);
    let place = |item: &Item, _: &Value| Ok(Some(Placed { key: required_id(item, "user_id")?, base: None }));
    reader.add(walk, Clone::clone, place, |_, _| Cell::Null);
    reader.finish()
}
