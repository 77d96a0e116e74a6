//! The rows of `room_alerts` and `reservations` for one date.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::day_list::{DayReader, DayRows, Placed, joined, required_id, required_time};
use super::item_reader::ListWalk;
use crate::schema::cell::Cell;
use crate::schema::identity::{Item, RowDigest, numbered_key, row_digest};
use crate::schema::{RESERVATIONS, ROOM_ALERTS, Raw, TenantZone};
use crate::text::snake_case;

/// How Feishu's words for `is_release_early` begin; how the room was released may follow in brackets.
const RELEASED: &[&str] = &["已释放", "提前释放", "released"];
const NOT_RELEASED: &[&str] = &["未释放", "not released"];

pub(crate) fn room_alert_rows(zone: &TenantZone, day: i32, walk: &ListWalk) -> DayRows {
    let mut reader = DayReader::new(&ROOM_ALERTS, zone, day, walk.requested_us);
    let normalised = |item: &Item| {
        // The documentation's sample has two keys in camel case.
        let mut item: Item = item.iter().map(|(key, value)| (snake_case(key), value.clone())).collect();
        if let Some(contacts) = item.get_mut("contacts") {
            *contacts = joined(contacts, "contact_name");
        }
        item
    };
    let place = |item: &Item, _: &Value| {
        let begin = required_time(item, "alert_time", zone)?;
        let key = required_id(item, "alert_id")?;
        Ok((begin.local_day() == day).then_some(Placed { key, base: Some(begin) }))
    };
    reader.add(walk, normalised, place, |_, _| Cell::Null);
    reader.finish()
}

pub(crate) fn reservation_rows(zone: &TenantZone, day: i32, walk: &ListWalk) -> DayRows {
    let mut reader = DayReader::new(&RESERVATIONS, zone, day, walk.requested_us);
    // The different rows of each key: equal ones are merged, the others numbered.
    let mut seen: HashMap<String, HashSet<RowDigest>> = HashMap::new();
    let normalised = |item: &Item| {
        let mut item = item.clone();
        if let Some(released) = item.get_mut("is_release_early") {
            let text = Raw::of(Some(released)).text().trim().to_lowercase();
            let begins_with = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
            if begins_with(RELEASED) || begins_with(NOT_RELEASED) {
                *released = Value::Bool(begins_with(RELEASED));
            }
        }
        item
    };
    let place = |item: &Item, value: &Value| {
        let start = required_time(item, "event_start_time", zone)?;
        let room_id = required_id(item, "room_id")?;
        if start.local_day() != day {
            return Ok(None);
        }
        let key = format!("{room_id}-{}", start.unix_s());
        let rows = seen.entry(key.clone()).or_default();
        let is_new = rows.insert(row_digest(value));
        Ok(is_new.then(|| Placed { key: numbered_key(&key, rows.len()), base: Some(start) }))
    };
    reader.add(walk, normalised, place, |_, _| Cell::Null);
    reader.finish()
}
