//! Meetings that are known from events (`vc.meeting.all_meeting_ended_v1`) instead of from the meeting list.
//!
//! An event gives the exact start and end of a meeting, so that its participants can be fetched without a call to the
//! meeting list. Its row stands until a meeting list returns the meeting; from then on the list counts.

mod import;
mod read;

pub(crate) use import::ImportedEvents;
pub(super) use import::{change, import_events};
pub(super) use read::ENDPOINT;
pub(crate) use read::{EventFile, MeetingEvent, event_items, read_events};
