//! The rows of `meetings` for one date.
//!
//! Walks are added in the order of their requests. A later walk replaces the rows that it lists again; the others stay.

use std::collections::BTreeMap;

use super::item_reader::{Entry, ItemReader, ListWalk, count_unknown_fields};
use super::reject::{Reject, WHOLE_ROW};
use super::sent_fields::FieldCounts;
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::{Item, MeetingIdentity, UNKNOWN};
use crate::schema::meeting_keys::{KeyedMeeting, MeetingKeys, start_text};
use crate::schema::{MEETINGS, Moment, Raw, Reason, TenantZone, TimeWindow, parse};

/// The meetings of one date, merged over all walks.
#[derive(Debug)]
pub(crate) struct DateMeetings<'z> {
    zone: &'z TenantZone,
    meeting_date: i32,
    entries: BTreeMap<String, Entry<MeetingIdentity>>,
    /// Meetings without a readable start.
    undated: Vec<Reject>,
}

impl<'z> DateMeetings<'z> {
    pub(crate) fn new(zone: &'z TenantZone, meeting_date: i32) -> DateMeetings<'z> {
        DateMeetings { zone, meeting_date, entries: BTreeMap::new(), undated: Vec::new() }
    }

    /// Adds the meetings of this date that a walk over meeting_list lists for its window. A meeting without a readable
    /// start is a reject on the day of the request.
    pub(crate) fn add_walk(
        &mut self,
        walk: &ListWalk,
        window: TimeWindow,
        mut keys: MeetingKeys,
        fields: &mut FieldCounts,
    ) {
        let requested_today = self.zone.day_of(walk.requested_us) == self.meeting_date;
        for value in &walk.items {
            let identity = match value.as_object() {
                Some(item) => MeetingIdentity::from_item(item, self.zone).map(|identity| (item, identity)),
                None => Err(Reason::NoTime),
            };
            match identity {
                Ok((item, mut identity)) => {
                    let may_be_here = identity.start.local_day() == self.meeting_date || keys.is_named(&identity);
                    if !may_be_here || !window.contains(identity.start.utc_us, identity.end.map(|end| end.utc_us)) {
                        continue;
                    }
                    let Ok(keyed) = keys.assign(&mut identity, value, &());
                    let Some(KeyedMeeting { key, keeps_start, .. }) = keyed else { continue };
                    if identity.start.local_day() != self.meeting_date {
                        continue;
                    }
                    let kept = keeps_start.then(|| with_start(item, identity.start));
                    let item = kept.as_ref().unwrap_or(item);
                    count_unknown_fields(&MEETINGS, item, &mut fields.unknown);
                    fields.sent.count_meeting(item);
                    let rejects = self.entries.remove(&key).map(|entry| entry.rejects).unwrap_or_default();
                    let reader = ItemReader { table: &MEETINGS, item, zone: self.zone, base: Some(identity.start) };
                    let (row, rejects) = reader.row(&key, walk.requested_us, rejects, |name| match name {
                        "meeting_key" => Cell::Text(key.clone()),
                        "meeting_date" => Cell::Day(self.meeting_date),
                        _ => Cell::Null,
                    });
                    self.entries.insert(key, Entry { row, rejects, identity });
                }
                Err(reason) if requested_today => {
                    let number = parse::id(&Raw::of(value.get("meeting_id"))).ok().flatten();
                    let number = number.as_deref().unwrap_or(UNKNOWN);
                    self.undated.push(Reject {
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

    /// The meetings, sorted by key.
    pub(crate) fn meetings(&self) -> impl Iterator<Item = (&str, &MeetingIdentity)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), &entry.identity))
    }

    /// The rows, sorted by key, and all rejects.
    pub(crate) fn finish(self) -> (Vec<Row>, Vec<Reject>) {
        let (mut rows, mut rejects) = (Vec::with_capacity(self.entries.len()), self.undated);
        for entry in self.entries.into_values() {
            rows.push(entry.row);
            rejects.extend(entry.rejects);
        }
        (rows, rejects)
    }
}

/// The item with another start.
fn with_start(item: &Item, start: Moment) -> Item {
    let mut item = item.clone();
    item.insert("meeting_start_time".to_owned(), start_text(start).into());
    item
}
