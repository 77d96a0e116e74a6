//! Reads items of the meeting list: during a run and when the ledger is rebuilt from the raw log.

use serde_json::Value;

use super::items::as_item;
use crate::ledger::Change;
use crate::schema::identity::{KeyNumbering, MeetingIdentity, row_digest};
use crate::schema::{Raw, TenantZone, parse};
use crate::text::hex;

/// Reads the items of one walk over the meeting list, in their order.
#[derive(Debug)]
pub(super) struct ListReader<'z> {
    zone: &'z TenantZone,
    window_us: (i64, i64),
    numbering: KeyNumbering,
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
    pub number_of_participants: Option<i64>,
    pub item_digest: String,
}

impl<'z> ListReader<'z> {
    pub(super) fn new(zone: &'z TenantZone, window_us: (i64, i64)) -> ListReader<'z> {
        ListReader { zone, window_us, numbering: KeyNumbering::default() }
    }

    pub(super) fn item(&mut self, value: &Value) -> Listed {
        let Ok(identity) = MeetingIdentity::from_item(as_item(value), self.zone) else {
            return Listed::Unreadable;
        };
        if !(self.window_us.0..self.window_us.1).contains(&identity.start.utc_us) {
            return Listed::Outside;
        }
        let Some(key) = self.numbering.key(&identity.key, value) else {
            return Listed::Duplicate(identity.start.local_day());
        };
        let count = |field: &str| parse::count(&Raw::of(value.get(field))).ok().flatten();
        Listed::Meeting(ListedMeeting {
            key,
            identity,
            // 0 if the item does not contain it.
            devices: count("number_of_devices").unwrap_or_default(),
            number_of_participants: count("number_of_participants"),
            item_digest: hex(&row_digest(value)),
        })
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
            number_of_participants: self.number_of_participants,
            item_digest: if is_whole { self.item_digest.clone() } else { String::new() },
        })
    }
}
