//! The rows of `participants` for one meeting.
//!
//! Walks are added in the order of their requests. A later walk replaces the rows that it lists again; the others stay.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::item_reader::{Entry, ItemReader, ListWalk, count_unknown_fields};
use super::reject::{Reject, WHOLE_ROW};
use super::sent_fields::FieldCounts;
use crate::schema::cell::{Cell, Row};
use crate::schema::identity::{Item, ParticipantIdentity, RowDigest, numbered_key, row_digest};
use crate::schema::{PARTICIPANTS, Reason, TenantZone};

/// The participants of one meeting, merged over all walks.
#[derive(Debug)]
pub(crate) struct MeetingParticipants<'z> {
    zone: &'z TenantZone,
    meeting_date: i32,
    meeting_key: String,
    meeting_no: String,
    entries: BTreeMap<String, Entry<ParticipantIdentity>>,
    /// The digest of the item of each row, by key.
    digests: HashMap<String, RowDigest>,
    /// The key of each row, by its key without `#2` and its digest.
    keys: HashMap<(String, RowDigest), String>,
}

#[derive(Debug)]
pub(crate) struct Participant {
    pub row: Row,
    pub rejects: Vec<Reject>,
    /// With `#2` and so on for duplicates.
    pub participant_key: String,
    pub identity: ParticipantIdentity,
}

impl<'z> MeetingParticipants<'z> {
    pub(crate) fn new(zone: &'z TenantZone, meeting_date: i32, meeting_key: &str, meeting_no: &str) -> Self {
        MeetingParticipants {
            zone,
            meeting_date,
            meeting_key: meeting_key.to_owned(),
            meeting_no: meeting_no.to_owned(),
            entries: BTreeMap::new(),
            digests: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Adds a walk over participant_list.
    pub(crate) fn add_walk(&mut self, walk: &ListWalk, fields: &mut FieldCounts) {
        let empty = Item::new();
        for (key, value) in self.assign_keys(walk) {
            // A value that is not an object is a row without an id.
            let item = value.as_object().unwrap_or(&empty);
            let identity = ParticipantIdentity::from_item(item, &self.meeting_key, self.zone);
            count_unknown_fields(&PARTICIPANTS, item, &mut fields.unknown);
            fields.sent.count_participant(item);
            let rejects = self.entries.remove(&key).map(|entry| entry.rejects).unwrap_or_default();
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
            self.entries.insert(key.clone(), Entry { row, rejects, identity });
            if let Some(before) = self.digests.insert(key.clone(), row_digest) {
                self.keys.remove(&(base_key.clone(), before));
            }
            self.keys.insert((base_key, row_digest), key);
        }
    }

    /// The key of each different row of a walk. A row of an earlier walk keeps its key, so that it does not overwrite
    /// others with the same ID and join; new rows get the free numbers, in order.
    fn assign_keys<'w>(&self, walk: &'w ListWalk) -> Vec<(String, &'w Value)> {
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
            let known = self.keys.get(&(base_key.clone(), row_digest)).cloned();
            taken.extend(known.clone());
            rows.push((known, base_key, value));
        }
        // The next number to try, by key: a walk can have a hundred thousand rows with the same key.
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
        let participant = |(participant_key, entry)| {
            let Entry { row, rejects, identity } = entry;
            Participant { row, rejects, participant_key, identity }
        };
        self.entries.into_iter().map(participant).collect()
    }
}
