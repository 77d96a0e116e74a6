//! Converts the items of a list into rows.

use std::collections::HashSet;

use serde_json::Value;

use super::reject::Reject;
use super::unknown_fields::{UnknownFields, count_unknown_field};
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::{Item, resolve_after};
use crate::schema::{Kind, Moment, Raw, Reason, Table, TenantZone, parse, unused_fields};

/// A complete walk over a list.
#[derive(Debug, Clone)]
pub(crate) struct ListWalk {
    /// The items of all pages, in order. A value that is not an object becomes a reject.
    pub items: Vec<Value>,
    /// Time of the first request, in microseconds UTC.
    pub requested_us: i64,
}

/// A row with its rejects, from the latest walk that lists it.
#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) row: Row,
    pub(super) rejects: Vec<Reject>,
    pub(super) identity: T,
}

/// Converts one item into a row of its list's table.
pub(super) struct ItemReader<'a> {
    pub(super) table: &'static Table,
    pub(super) item: &'a Item,
    pub(super) zone: &'a TenantZone,
    /// The start of the meeting or the join. Times without an offset use its offset.
    pub(super) base: Option<Moment>,
}

impl ItemReader<'_> {
    /// The row and its rejects. A reject of an earlier walk keeps the time when it was first seen.
    pub(super) fn row(
        &self,
        key: &str,
        requested_us: i64,
        earlier: Vec<Reject>,
        derived: impl Fn(&str) -> Cell,
    ) -> (Row, Vec<Reject>) {
        let mut rejects = Vec::new();
        let mut rejected = HashSet::new();
        let row = self
            .table
            .columns
            .iter()
            .map(|column| {
                let Some(field) = column.field() else {
                    return match (column.kind, self.base) {
                        (Kind::OffsetMinutes, Some(base)) => Cell::Whole(base.offset_min.into()),
                        _ => derived(column.name),
                    };
                };
                let raw = Raw::of(self.item.get(field));
                match self.cell(column.kind, &raw) {
                    Ok(cell) => cell,
                    Err(reason) => {
                        // UTC and local time come from the same text: one reject.
                        if rejected.insert(field) {
                            let raw_text = raw.text().into_owned();
                            let is_same =
                                |reject: &&Reject| reject.column_name == column.name && reject.raw_text == raw_text;
                            let first_seen_us = earlier.iter().filter(is_same).map(|reject| reject.first_seen_us).min();
                            rejects.push(Reject {
                                table_name: self.table.name,
                                row_key: key.to_owned(),
                                column_name: column.name,
                                raw_text,
                                reason,
                                first_seen_us: first_seen_us.unwrap_or(requested_us),
                            });
                        }
                        Cell::Null
                    }
                }
            })
            .collect();
        (row, rejects)
    }

    fn cell(&self, kind: Kind, raw: &Raw<'_>) -> Result<Cell, Reason> {
        Ok(match kind {
            Kind::Text => Cell::text(parse::text(raw)?),
            Kind::Id => Cell::text(parse::id(raw)?),
            Kind::Count | Kind::Minutes => Cell::whole(parse::count(raw)?),
            Kind::Flag => parse::flag(raw)?.map_or(Cell::Null, Cell::Flag),
            Kind::Seconds => Cell::whole(parse::seconds(raw)?),
            Kind::Instant => Cell::micros(self.moment(raw)?.map(|moment| moment.utc_us)),
            Kind::WallClock => Cell::micros(self.moment(raw)?.map(|moment| moment.local_us())),
            // The lists have no columns of other kinds.
            _ => Cell::Null,
        })
    }

    fn moment(&self, raw: &Raw<'_>) -> Result<Option<Moment>, Reason> {
        Ok(parse::time(raw)?.map(|time| match self.base {
            Some(base) => resolve_after(time, base, self.zone),
            None => self.zone.resolve(time),
        }))
    }
}

pub(super) fn count_unknown_fields(table: &Table, item: &Item, unknown: &mut UnknownFields) {
    for field in item.keys() {
        let known = table.columns.iter().any(|column| column.field() == Some(field))
            || unused_fields(table.name).contains(&field.as_str());
        if !known {
            count_unknown_field(unknown, field, 1);
        }
    }
}
