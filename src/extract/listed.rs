//! An item of the meeting list as a meeting: read alike while the list is being walked and when the ledger is made from the
//! raw log.

use serde_json::Value;

use crate::ledger::Change;
use crate::schema::identity::{Item, MeetingIdentity, Numbering, digest};
use crate::schema::{Raw, TenantZone, parse};
use crate::text::hex;

/// Reads the items of one walk over the meeting list, in their order.
#[derive(Debug)]
pub(super) struct ListReader<'z> {
    zone: &'z TenantZone,
    window_us: (i64, i64),
    numbering: Numbering,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Listed {
    /// Its start can't be read.
    Unreadable,
    /// It starts outside of the window.
    Outside,
    /// An equal one came before in this walk.
    Known { meeting_date: i32 },
    /// A meeting of the window.
    Meeting(ListedMeeting),
}

/// A meeting as the list has it.
#[derive(Debug, Clone)]
pub(super) struct ListedMeeting {
    pub key: String,
    pub identity: MeetingIdentity,
    pub devices: i64,
    pub item_digest: String,
}

impl<'z> ListReader<'z> {
    pub(super) fn new(zone: &'z TenantZone, window_us: (i64, i64)) -> ListReader<'z> {
        ListReader { zone, window_us, numbering: Numbering::default() }
    }

    pub(super) fn item(&mut self, value: &Value) -> Listed {
        let empty = Item::new();
        let Ok(identity) = MeetingIdentity::of(value.as_object().unwrap_or(&empty), self.zone) else {
            return Listed::Unreadable;
        };
        if !(self.window_us.0..self.window_us.1).contains(&identity.start.utc_us) {
            return Listed::Outside;
        }
        let Some(key) = self.numbering.key(&identity.key, value) else {
            return Listed::Known { meeting_date: identity.start.local_day() };
        };
        Listed::Meeting(ListedMeeting { key, identity, devices: devices(value), item_digest: hex(&digest(value)) })
    }
}

impl ListedMeeting {
    pub(super) fn meeting_date(&self) -> i32 {
        self.identity.start.local_day()
    }

    /// What the ledger learns where `known` is the digest it has; `None` where that is nothing new.
    ///
    /// Of a walk that is not whole (yet) it learns whom to ask, and no digest: a meeting of a half list is not published,
    /// so the walk that lists it as a whole must find it new, whatever was asked of it meanwhile.
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

/// The devices that an item of the meeting list counts; 0 where it does not say.
fn devices(item: &Value) -> i64 {
    parse::count(&Raw::of(item.get("number_of_devices"))).ok().flatten().unwrap_or_default()
}
