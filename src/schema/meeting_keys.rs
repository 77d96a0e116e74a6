//! Gives the meetings of one walk over the meeting list their keys.
//!
//! A meeting is recognised by Feishu's instance ID. It keeps the key under which it was listed first, also if its start
//! moves by a second or its row changes between two pages; the later row counts. Without an instance ID the number and
//! the start are the key. Used by `extract` while it lists and by `transform` when it reads the same pages again: what
//! the ledger knew at the time is in the header of the checkpoint, so that both give the same keys.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::{MeetingIdentity, RowDigest, numbered_key, row_digest};
use super::window::ASSUMED_LENGTH_US;
use super::{Moment, days_of_local};

/// A meeting with an instance ID, as it was listed first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownMeeting {
    pub instance_id: String,
    pub meeting_key: String,
    pub meeting_no: String,
    pub start_us: i64,
    pub offset_min: i32,
    /// `None` if it is unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_us: Option<i64>,
}

/// Times of the same meeting can differ a little; two meetings whose times do not overlap or touch are different,
/// whatever their IDs are.
const MAX_GAP_US: i64 = 60_000_000;

impl KnownMeeting {
    fn new(instance_id: &str, meeting_key: &str, identity: &MeetingIdentity) -> KnownMeeting {
        KnownMeeting {
            instance_id: instance_id.to_owned(),
            meeting_key: meeting_key.to_owned(),
            meeting_no: identity.meeting_no.clone(),
            start_us: identity.start.utc_us,
            offset_min: identity.start.offset_min,
            end_us: identity.end.map(|end| end.utc_us),
        }
    }

    fn start(&self) -> Moment {
        Moment { utc_us: self.start_us, offset_min: self.offset_min }
    }

    fn is(&self, identity: &MeetingIdentity) -> bool {
        let range = |start_us: i64, end_us: Option<i64>| {
            (start_us, end_us.unwrap_or(start_us.saturating_add(ASSUMED_LENGTH_US)).max(start_us))
        };
        let (start_us, end_us) = range(self.start_us, self.end_us);
        let (other_start_us, other_end_us) = range(identity.start.utc_us, identity.end.map(|end| end.utc_us));
        self.meeting_no == identity.meeting_no
            && start_us <= other_end_us.saturating_add(MAX_GAP_US)
            && other_start_us <= end_us.saturating_add(MAX_GAP_US)
    }
}

/// What is known of meetings that earlier walks listed.
pub(crate) trait KnownMeetings {
    type Error;
    /// The meetings with an instance ID, the first one first.
    fn with_instance(&self, instance_id: &str) -> Result<Vec<KnownMeeting>, Self::Error>;
    /// The instance ID of the meeting that has a key.
    fn instance_of(&self, meeting_key: &str) -> Result<Option<String>, Self::Error>;
}

/// Nothing: everything known is in the headers of the walk.
impl KnownMeetings for () {
    type Error = Infallible;

    fn with_instance(&self, _: &str) -> Result<Vec<KnownMeeting>, Infallible> {
        Ok(Vec::new())
    }

    fn instance_of(&self, _: &str) -> Result<Option<String>, Infallible> {
        Ok(None)
    }
}

#[derive(Debug, Default)]
pub(crate) struct MeetingKeys {
    by_instance: bool,
    known: HashMap<String, KnownMeeting>,
    /// The keys that have a row in this walk, or will get one.
    taken: HashSet<String>,
    /// The different rows without a known instance, by key without `#2`.
    rows: HashMap<String, HashSet<RowDigest>>,
    /// The last row of each meeting with an instance.
    last_rows: HashMap<String, RowDigest>,
    /// Those of `known` that cannot be derived from the pages of the walk alone.
    noted: HashMap<String, KnownMeeting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyedMeeting {
    pub key: String,
    /// True if an earlier row of the walk has the same key.
    pub is_repeated: bool,
    /// True if the start stays as it was listed first, because the new one is on another date.
    pub keeps_start: bool,
}

impl MeetingKeys {
    /// For a walk. `by_instance` is false for walks of version 0.1, which stay as they were published. `known` is what
    /// the headers of a recorded walk say.
    pub(crate) fn new(by_instance: bool, known: &[KnownMeeting]) -> MeetingKeys {
        let taken = known.iter().map(|meeting| meeting.meeting_key.clone()).collect();
        let known = known.iter().map(|meeting| (meeting.instance_id.clone(), meeting.clone())).collect();
        MeetingKeys { by_instance, known, taken, ..MeetingKeys::default() }
    }

    /// Whether the headers name the meeting of a row.
    pub(crate) fn is_named(&self, identity: &MeetingIdentity) -> bool {
        identity.instance_id.as_ref().is_some_and(|id| self.known.contains_key(id))
    }

    /// The key of the next row of the walk, or `None` if it says nothing new. May set the start of `identity` to the
    /// one that was listed first.
    pub(crate) fn assign<S: KnownMeetings>(
        &mut self,
        identity: &mut MeetingIdentity,
        row: &Value,
        store: &S,
    ) -> Result<Option<KeyedMeeting>, S::Error> {
        let digest = row_digest(row);
        let instance_id = identity.instance_id.clone().filter(|_| self.by_instance);
        let Some(instance_id) = instance_id else { return Ok(self.numbered(&identity.key, digest)) };
        let known = match self.known.get(&instance_id) {
            Some(known) => Some(known.clone()),
            None => store.with_instance(&instance_id)?.into_iter().find(|known| known.is(identity)),
        };
        let is_first = !self.known.contains_key(&instance_id);
        let known = match known {
            // An ID that several meetings share identifies none of them.
            Some(known) if !known.is(identity) => return Ok(self.numbered(&identity.key, digest)),
            Some(known) if !is_first || !self.taken.contains(&known.meeting_key) => known,
            // New, or another row of this walk has its key.
            _ => KnownMeeting::new(&instance_id, &self.free_key(&identity.key, &instance_id, store)?, identity),
        };
        let key = known.meeting_key.clone();
        let keeps_start = known.start().local_day() != identity.start.local_day();
        if key != identity.key || keeps_start {
            self.noted.insert(instance_id.clone(), known.clone());
        }
        if keeps_start {
            identity.start = known.start();
        }
        if is_first {
            self.known.insert(instance_id, known);
        }
        self.taken.insert(key.clone());
        match self.last_rows.insert(key.clone(), digest) {
            Some(before) if before == digest => Ok(None),
            before => Ok(Some(KeyedMeeting { key, is_repeated: before.is_some(), keeps_start })),
        }
    }

    /// What the header of the next checkpoint must name. Empties it.
    pub(crate) fn take_noted(&mut self) -> Vec<KnownMeeting> {
        let mut noted: Vec<KnownMeeting> = std::mem::take(&mut self.noted).into_values().collect();
        noted.sort_by(|a, b| a.meeting_key.cmp(&b.meeting_key));
        noted
    }

    /// Numbers the different rows with one key: the first keeps it, the others get `#2`, `#3`. Equal rows are merged.
    fn numbered(&mut self, base_key: &str, digest: RowDigest) -> Option<KeyedMeeting> {
        if !self.rows.entry(base_key.to_owned()).or_default().insert(digest) {
            return None;
        }
        let mut number = 1;
        while self.taken.contains(&numbered_key(base_key, number)) {
            number += 1;
        }
        let key = numbered_key(base_key, number);
        self.taken.insert(key.clone());
        Some(KeyedMeeting { key, is_repeated: false, keeps_start: false })
    }

    /// The first number that no other meeting has.
    fn free_key<S: KnownMeetings>(&self, base_key: &str, instance_id: &str, store: &S) -> Result<String, S::Error> {
        let mut number = 1;
        loop {
            let key = numbered_key(base_key, number);
            let is_free =
                !self.taken.contains(&key) && store.instance_of(&key)?.is_none_or(|owner| owner == instance_id);
            if is_free {
                return Ok(key);
            }
            number += 1;
        }
    }
}

/// The text of a start in a form that the parser of times reads.
pub(crate) fn start_text(start: Moment) -> String {
    let us_of_day = start.local_us().rem_euclid(86_400_000_000);
    let (seconds, date) = (us_of_day / 1_000_000, super::civil_date_text(days_of_local(start.local_us())));
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let sign = if start.offset_min < 0 { '-' } else { '+' };
    let offset = start.offset_min.unsigned_abs();
    format!("{date} {hour:02}:{minute:02}:{second:02} (GMT{sign}{:02}:{:02})", offset / 60, offset % 60)
}

#[cfg(test)]
#[path = "meeting_keys_tests.rs"]
mod tests;
