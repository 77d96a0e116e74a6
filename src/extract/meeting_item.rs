//! Reads items of the meeting list: during a run and when the ledger is rebuilt from the raw log.

use serde_json::Value;

use super::items::as_item;
use crate::ledger::Change;
use crate::raw_log::WalkRef;
use crate::schema::identity::{MeetingIdentity, row_digest};
use crate::schema::meeting_keys::{KnownMeeting, KnownMeetings, MeetingKeys};
use crate::schema::{Raw, TenantZone, TimeWindow, parse};
use crate::text::hex;

/// Reads the items of one walk over the meeting list, in their order.
#[derive(Debug)]
pub(super) struct ListReader<'z> {
    zone: &'z TenantZone,
    window: TimeWindow,
    keys: MeetingKeys,
}

#[derive(Debug)]
pub(super) enum Listed {
    /// The start cannot be read.
    Unreadable,
    Outside,
    /// An equal item came before in this walk; its meeting date.
    Duplicate(i32),
    Meeting(ListedMeeting),
}

#[derive(Debug, Clone)]
pub(super) struct ListedMeeting {
    pub key: String,
    pub identity: MeetingIdentity,
    pub devices: i64,
    pub item_digest: String,
    /// True if an earlier row of the walk is the same meeting.
    pub is_repeated: bool,
}

impl<'z> ListReader<'z> {
    /// For a walk that is being made.
    pub(super) fn new(zone: &'z TenantZone, window: TimeWindow) -> ListReader<'z> {
        ListReader { zone, window, keys: MeetingKeys::new(true, &[]) }
    }

    /// For a recorded walk.
    pub(super) fn of_walk(zone: &'z TenantZone, walk: &WalkRef) -> ListReader<'z> {
        ListReader { zone, window: walk.window, keys: MeetingKeys::new(walk.by_instance, &walk.known) }
    }

    /// What the header of the next checkpoint must name. Empties it.
    pub(super) fn take_noted(&mut self) -> Vec<KnownMeeting> {
        self.keys.take_noted()
    }

    /// `store` knows the meetings of earlier walks.
    pub(super) fn item<S: KnownMeetings>(&mut self, value: &Value, store: &S) -> Result<Listed, S::Error> {
        let Ok(mut identity) = MeetingIdentity::from_item(as_item(value), self.zone) else {
            return Ok(Listed::Unreadable);
        };
        if !self.window.contains(identity.start.utc_us, identity.end.map(|end| end.utc_us)) {
            return Ok(Listed::Outside);
        }
        let Some(keyed) = self.keys.assign(&mut identity, value, store)? else {
            return Ok(Listed::Duplicate(identity.start.local_day()));
        };
        // 0 if the item does not contain it.
        let devices = parse::count(&Raw::of(value.get("number_of_devices"))).ok().flatten().unwrap_or_default();
        let item_digest = hex(&row_digest(value));
        let (key, is_repeated) = (keyed.key, keyed.is_repeated);
        Ok(Listed::Meeting(ListedMeeting { key, is_repeated, identity, devices, item_digest }))
    }
}

impl ListedMeeting {
    pub(super) fn meeting_date(&self) -> i32 {
        self.identity.start.local_day()
    }

    /// What the ledger learns if `known` is the digest it has; `None` if nothing is new.
    ///
    /// From an incomplete walk the ledger learns the meeting but no digest: meetings of an incomplete walk are not
    /// published, so the first complete walk that lists the meeting must find it new, whatever was fetched meanwhile.
    pub(super) fn change(&self, known: Option<&str>, is_whole: bool) -> Option<Change> {
        if known == Some(&self.item_digest) {
            return None;
        }
        Some(Change::Meeting {
            key: self.key.clone(),
            identity: self.identity.clone(),
            devices: self.devices,
            item_digest: if is_whole { self.item_digest.clone() } else { String::new() },
        })
    }
}
