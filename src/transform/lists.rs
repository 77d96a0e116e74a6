//! `meetings` and `participants`: from the items of list walks to rows.
//!
//! Walks come in the order in which they were asked. A later walk's answer replaces an earlier one's row; a row that a
//! later walk no longer lists stays.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::reject::WHOLE_ROW;
use super::{Reject, UnknownFields, count_unknown_field};
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::{
    Item, KeyNumbering, MeetingIdentity, ParticipantIdentity, RowDigest, UNKNOWN, numbered_key, resolve_after,
    row_digest,
};
use crate::schema::{Kind, MEETINGS, Moment, PARTICIPANTS, Raw, Reason, Table, TenantZone, UNUSED_FIELDS, parse};

/// One whole walk of a list: its items in order over all pages, and when it was asked.
#[derive(Debug, Clone)]
pub(crate) struct ListWalk {
    /// The items; what is no object stands here too and becomes a reject.
    pub items: Vec<Value>,
    /// When the first page was asked for, microseconds UTC.
    pub requested_us: i64,
}

/// The window a meeting must start in to belong to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Inclusive, microseconds UTC.
    pub since_us: i64,
    /// Exclusive, microseconds UTC.
    pub until_us: i64,
}

impl Window {
    /// True where the instant lies inside.
    pub(crate) fn holds(&self, utc_us: i64) -> bool {
        (self.since_us..self.until_us).contains(&utc_us)
    }
}

/// A row and its rejects, as the latest walk left them.
#[derive(Debug)]
struct Kept<T> {
    row: Row,
    rejects: Vec<Reject>,
    identity: T,
}

/// The meetings of one date.
#[derive(Debug)]
pub(crate) struct MeetingsOfDate<'z> {
    zone: &'z TenantZone,
    meeting_date: i32,
    kept: BTreeMap<String, Kept<MeetingIdentity>>,
    dateless: Vec<Reject>,
}

impl<'z> MeetingsOfDate<'z> {
    pub(crate) fn new(zone: &'z TenantZone, meeting_date: i32) -> MeetingsOfDate<'z> {
        MeetingsOfDate { zone, meeting_date, kept: BTreeMap::new(), dateless: Vec::new() }
    }

    /// Takes a walk over the meeting list: the meetings of this date that start inside the walk's window.
    /// A meeting whose start can't be read is a reject of the day it was asked.
    pub(crate) fn walk(&mut self, walk: &ListWalk, window: Window, unknown: &mut UnknownFields) {
        let mut numbering = KeyNumbering::default();
        let asked_today = self.zone.day_of(walk.requested_us) == self.meeting_date;
        for value in &walk.items {
            let identity = match value.as_object() {
                Some(item) => MeetingIdentity::from_item(item, self.zone).map(|identity| (item, identity)),
                None => Err(Reason::NoTime),
            };
            match identity {
                Ok((item, identity)) => {
                    if identity.start.local_day() != self.meeting_date || !window.holds(identity.start.utc_us) {
                        continue;
                    }
                    let Some(key) = numbering.key(&identity.key, value) else { continue };
                    count_unknown(&MEETINGS, item, unknown);
                    let rejects = self.kept.remove(&key).map(|kept| kept.rejects).unwrap_or_default();
                    let reader = ItemReader { table: &MEETINGS, item, zone: self.zone, base: Some(identity.start) };
                    let (row, rejects) = reader.row(&key, walk.requested_us, rejects, |name| match name {
                        "meeting_key" => Cell::Text(key.clone()),
                        "meeting_date" => Cell::Day(self.meeting_date),
                        _ => Cell::Null,
                    });
                    self.kept.insert(key, Kept { row, rejects, identity });
                }
                Err(reason) if asked_today => {
                    let number = parse::id(&Raw::of(value.get("meeting_id"))).ok().flatten();
                    let number = number.as_deref().unwrap_or(UNKNOWN);
                    self.dateless.push(Reject {
                        table_name: MEETINGS.name,
                        row_key: format!("{number}-{UNKNOWN}"),
                        column_name: WHOLE_ROW,
                        raw_text: value.to_string(),
                        reason,
                        first_seen_us: walk.requested_us,
                    });
                }
                Err(_) => {}
            }
        }
    }

    /// The meetings by key, in order.
    pub(crate) fn meetings(&self) -> impl Iterator<Item = (&str, &MeetingIdentity)> {
        self.kept.iter().map(|(key, kept)| (key.as_str(), &kept.identity))
    }

    /// The rows, sorted by key, and all rejects.
    pub(crate) fn finish(self) -> (Vec<Row>, Vec<Reject>) {
        let mut rejects = self.dateless;
        let rows = self
            .kept
            .into_values()
            .map(|kept| {
                rejects.extend(kept.rejects);
                kept.row
            })
            .collect();
        (rows, rejects)
    }
}

/// The participants of one meeting.
#[derive(Debug)]
pub(crate) struct ParticipantsOfMeeting<'z> {
    zone: &'z TenantZone,
    meeting_date: i32,
    meeting_key: String,
    meeting_no: String,
    kept: BTreeMap<String, Kept<ParticipantIdentity>>,
    /// The digest of each kept row's item.
    digests: HashMap<String, RowDigest>,
    /// The same the other way round: which row an item is, by its key before `#2` and its digest.
    rows: HashMap<(String, RowDigest), String>,
}

/// A participant row, as the rest of the transform needs it.
#[derive(Debug)]
pub(crate) struct Participant {
    /// The row of `participants`.
    pub row: Row,
    pub rejects: Vec<Reject>,
    /// The key, with its number where duplicates share the rest.
    pub participant_key: String,
    pub identity: ParticipantIdentity,
}

impl<'z> ParticipantsOfMeeting<'z> {
    pub(crate) fn new(zone: &'z TenantZone, meeting_date: i32, meeting_key: &str, meeting_no: &str) -> Self {
        ParticipantsOfMeeting {
            zone,
            meeting_date,
            meeting_key: meeting_key.to_owned(),
            meeting_no: meeting_no.to_owned(),
            kept: BTreeMap::new(),
            digests: HashMap::new(),
            rows: HashMap::new(),
        }
    }

    /// Takes a whole walk over the participant list.
    pub(crate) fn walk(&mut self, walk: &ListWalk, unknown: &mut UnknownFields) {
        let empty = Item::new();
        for (key, value) in self.keys(walk) {
            // What is no object still is a row that the vendor listed: it stays, without an id.
            let item = value.as_object().unwrap_or(&empty);
            let identity = ParticipantIdentity::from_item(item, &self.meeting_key, self.zone);
            count_unknown(&PARTICIPANTS, item, unknown);
            let rejects = self.kept.remove(&key).map(|kept| kept.rejects).unwrap_or_default();
            let reader = ItemReader { table: &PARTICIPANTS, item, zone: self.zone, base: identity.join };
            let (row, mut rejects) = reader.row(&key, walk.requested_us, rejects, |name| match name {
                "participant_key" => Cell::Text(key.clone()),
                "meeting_key" => Cell::Text(self.meeting_key.clone()),
                "meeting_no" => Cell::text((!self.meeting_no.is_empty()).then_some(self.meeting_no.as_str())),
                "meeting_date" => Cell::Day(self.meeting_date),
                _ => Cell::Null,
            });
            if !value.is_object() {
                rejects.push(Reject {
                    table_name: PARTICIPANTS.name,
                    row_key: key.clone(),
                    column_name: WHOLE_ROW,
                    raw_text: value.to_string(),
                    reason: Reason::Unparsable,
                    first_seen_us: walk.requested_us,
                });
            }
            let (base_key, row_digest) = (identity.base_key.clone(), row_digest(value));
            self.kept.insert(key.clone(), Kept { row, rejects, identity });
            if let Some(before) = self.digests.insert(key.clone(), row_digest) {
                self.rows.remove(&(base_key.clone(), before));
            }
            self.rows.insert((base_key, row_digest), key);
        }
    }

    /// The key of each different row of a walk. A row that an earlier walk had keeps its key, so that the others of the
    /// same id and join are not overwritten by it; rows that are new take the numbers that are left, in order.
    fn keys<'w>(&self, walk: &'w ListWalk) -> Vec<(String, &'w Value)> {
        let empty = Item::new();
        let mut seen = HashSet::new();
        let mut taken = HashSet::new();
        let mut rows: Vec<(Option<String>, String, &Value)> = Vec::new();
        for value in &walk.items {
            let item = value.as_object().unwrap_or(&empty);
            let base_key = ParticipantIdentity::from_item(item, &self.meeting_key, self.zone).base_key;
            let row_digest = row_digest(value);
            if !seen.insert((base_key.clone(), row_digest)) {
                continue;
            }
            let known = self.rows.get(&(base_key.clone(), row_digest)).cloned();
            taken.extend(known.clone());
            rows.push((known, base_key, value));
        }
        // Where to look for the next number that is left: a walk can be a hundred thousand rows of one key.
        let mut next: HashMap<String, usize> = HashMap::new();
        rows.into_iter()
            .map(|(known, base_key, value)| {
                if let Some(key) = known {
                    return (key, value);
                }
                let number = next.entry(base_key.clone()).or_insert(0);
                loop {
                    *number += 1;
                    let key = numbered_key(&base_key, *number);
                    if taken.insert(key.clone()) {
                        return (key, value);
                    }
                }
            })
            .collect()
    }

    /// The participants, sorted by key.
    pub(crate) fn finish(self) -> Vec<Participant> {
        self.kept
            .into_iter()
            .map(|(participant_key, kept)| Participant {
                row: kept.row,
                rejects: kept.rejects,
                participant_key,
                identity: kept.identity,
            })
            .collect()
    }
}

/// Reads the columns of a list's table out of one item.
struct ItemReader<'a> {
    table: &'static Table,
    item: &'a Item,
    zone: &'a TenantZone,
    /// The start of the meeting or the join: what other times borrow their zone from.
    base: Option<Moment>,
}

impl ItemReader<'_> {
    /// The row, and its rejects; one that an earlier walk had too keeps the time it was first seen.
    fn row(
        &self,
        key: &str,
        requested_us: i64,
        earlier: Vec<Reject>,
        derived: impl Fn(&str) -> Cell,
    ) -> (Row, Vec<Reject>) {
        let mut rejects = Vec::new();
        let mut refused = HashSet::new();
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
                        // An instant and its wall clock come from one text: one reject.
                        if refused.insert(field) {
                            let raw_text = raw.text().into_owned();
                            let first_seen_us = earlier
                                .iter()
                                .filter(|reject| reject.column_name == column.name && reject.raw_text == raw_text)
                                .map(|reject| reject.first_seen_us)
                                .min()
                                .unwrap_or(requested_us);
                            rejects.push(Reject {
                                table_name: self.table.name,
                                row_key: key.to_owned(),
                                column_name: column.name,
                                raw_text,
                                reason,
                                first_seen_us,
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
            Kind::Count => Cell::whole(parse::count(raw)?),
            Kind::Flag => parse::flag(raw)?.map_or(Cell::Null, Cell::Flag),
            Kind::Seconds => Cell::whole(parse::seconds(raw)?),
            Kind::Instant => Cell::micros(self.moment(raw)?.map(|moment| moment.utc_us)),
            Kind::WallClock => Cell::micros(self.moment(raw)?.map(|moment| moment.local_us())),
            // No list has a column of another kind; a test of the tables says so.
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

fn count_unknown(table: &Table, item: &Item, unknown: &mut UnknownFields) {
    for field in item.keys() {
        let known =
            table.columns.iter().any(|column| column.field() == Some(field)) || UNUSED_FIELDS.contains(&field.as_str());
        if !known {
            count_unknown_field(unknown, field, 1);
        }
    }
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
