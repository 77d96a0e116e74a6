//! What the optional lists of one date share: the items of its latest complete walk become rows, sorted by key.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::item_reader::{ItemReader, ListWalk, count_unknown_fields};
use super::reject::{Reject, WHOLE_ROW};
use super::unknown_fields::UnknownFields;
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::{Item, UNKNOWN};
use crate::schema::{Kind, Moment, PARTITION_COLUMN, Raw, Reason, Table, TenantZone, parse};

/// The rows of one list and date.
#[derive(Debug, Default)]
pub(crate) struct DayRows {
    /// Sorted by key.
    pub rows: Vec<Row>,
    pub rejects: Vec<Reject>,
    pub unknown_fields: UnknownFields,
}

/// Where an item belongs.
pub(super) struct Placed {
    /// Key of its row and of the row's rejects.
    pub key: String,
    /// Times without an offset use that of this one.
    pub base: Option<Moment>,
}

/// Reads one list of one date.
pub(super) struct DayReader<'a> {
    pub(super) table: &'static Table,
    pub(super) zone: &'a TenantZone,
    pub(super) day: i32,
    /// Of the walk, microseconds UTC.
    pub(super) requested_us: i64,
    rows: BTreeMap<String, (Row, Vec<Reject>)>,
    whole_rejects: Vec<Reject>,
    unknown_fields: UnknownFields,
}

impl<'a> DayReader<'a> {
    pub(super) fn new(table: &'static Table, zone: &'a TenantZone, day: i32, requested_us: i64) -> DayReader<'a> {
        DayReader {
            table,
            zone,
            day,
            requested_us,
            rows: BTreeMap::new(),
            whole_rejects: Vec::new(),
            unknown_fields: UnknownFields::new(),
        }
    }

    /// Adds the rows of `walk`. `place` returns `None` for an item of another date, which that date's own walk lists.
    /// A later item with the same key replaces the earlier one.
    pub(super) fn add(
        &mut self,
        walk: &ListWalk,
        normalised: impl Fn(&Item) -> Item,
        mut place: impl FnMut(&Item, &Value) -> Result<Option<Placed>, Reason>,
        derived: impl Fn(&Item, &str) -> Cell,
    ) {
        for (index, value) in walk.items.iter().enumerate() {
            let Some(item) = value.as_object().map(|item| self.without_unset_times(normalised(item))) else {
                self.reject(format!("{UNKNOWN}{index}"), value, Reason::Unparsable);
                continue;
            };
            let placed = match place(&item, value) {
                Ok(Some(placed)) => placed,
                Ok(None) => continue,
                Err(reason) => {
                    self.reject(format!("{UNKNOWN}{index}"), value, reason);
                    continue;
                }
            };
            count_unknown_fields(self.table, &item, &mut self.unknown_fields);
            let reader = ItemReader { table: self.table, item: &item, zone: self.zone, base: placed.base };
            let row = reader.row(&placed.key, self.requested_us, Vec::new(), |name| match name {
                PARTITION_COLUMN => Cell::Day(self.day),
                // The key of a table without a key field of its own.
                name if self.table.key().any(|column| column.name == name) => Cell::Text(placed.key.clone()),
                name => derived(&item, name),
            });
            self.rows.insert(placed.key, row);
        }
    }

    pub(super) fn finish(self) -> DayRows {
        let mut day =
            DayRows { rejects: self.whole_rejects, unknown_fields: self.unknown_fields, ..DayRows::default() };
        for (row, rejects) in self.rows.into_values() {
            day.rows.push(row);
            day.rejects.extend(rejects);
        }
        day
    }

    fn reject(&mut self, row_key: String, value: &Value, reason: Reason) {
        self.whole_rejects.push(Reject {
            table_name: self.table.name,
            row_key,
            column_name: WHOLE_ROW,
            raw_text: value.to_string(),
            reason,
            first_seen_us: self.requested_us,
        });
    }

    /// A time of 0 is one that is not set: an alarm that lasts, a room where nobody checked in.
    fn without_unset_times(&self, mut item: Item) -> Item {
        for column in self.table.columns.iter().filter(|column| column.kind == Kind::Instant) {
            let Some(field) = column.field() else { continue };
            if item.get(field).is_some_and(|value| Raw::of(Some(value)).text().trim() == "0") {
                item.remove(field);
            }
        }
        item
    }
}

/// The text of an item's id; [`Reason::Unparsable`] without one.
pub(super) fn required_id(item: &Item, field: &str) -> Result<String, Reason> {
    parse::id(&Raw::of(item.get(field)))?.map(Cow::into_owned).ok_or(Reason::Unparsable)
}

/// An item's time; [`Reason::NoTime`] without one.
pub(super) fn required_time(item: &Item, field: &str, zone: &TenantZone) -> Result<Moment, Reason> {
    parse::time(&Raw::of(item.get(field)))?.map(|time| zone.resolve(time)).ok_or(Reason::NoTime)
}

/// A list of texts, or of objects with a name, as one text; other values stay as they are.
pub(super) fn joined(value: &Value, name: &str) -> Value {
    let Value::Array(items) = value else { return value.clone() };
    let text = |item: &Value| match item {
        Value::Object(object) => Raw::of(object.get(name)).text().into_owned(),
        other => Raw::of(Some(other)).text().into_owned(),
    };
    let texts: Vec<String> = items.iter().map(text).filter(|text| !text.trim().is_empty()).collect();
    Value::String(texts.join(", "))
}
