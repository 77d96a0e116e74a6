//! The made-up tenant: what a caller asks for, and the meetings and participants that come of it.
//!
//! Owns [`TenantSpec`], [`Tenant`] and the sums that tests compare with. A tenant is a pure function of its spec: the same
//! spec gives the same meetings, people and minutes on every machine. Meetings and participant rows are kept (about
//! 150 bytes a row); the minutes are not: `minutes` makes them when they are asked for.

use std::collections::HashMap;
use std::ops::Range;

use jiff::civil::{Date, date};
use serde::Serialize;

use super::attendance;
use super::calendar;
use super::network::{Access, Trouble};
use super::people::{Person, invent_people};
use super::places::{BAD_BUILDING, BUILDINGS, Building, LOSSY_ROOM, ROOM_NAMES, WORSE_VERSION, room_index};

const DAY_S: i64 = 86_400;

/// What a made-up tenant should be like. Fill in what matters, keep the rest from [`TenantSpec::default`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSpec {
    /// Everything follows from this number.
    pub seed: u64,
    /// First day, in the tenant's zone.
    pub first_day: Date,
    /// Number of days.
    pub days: u32,
    /// Number of employees; at least 8 are made.
    pub people: u32,
    /// Meetings on an average working day; a weekend day has about 7 % of them.
    pub meetings_per_day: u32,
    /// The tenant's zone in seconds east of UTC.
    pub utc_offset_s: i32,
    /// Whether the first two days hold one of each unusual meeting (over midnight, over a day, duplicates, webinar, ...).
    pub staged_cases: bool,
    /// No meeting ends after this time (unix seconds); without it the tenant ends with its last day.
    pub ends_by: Option<i64>,
}

impl Default for TenantSpec {
    fn default() -> Self {
        Self {
            seed: 7,
            first_day: date(2026, 11, 2),
            days: 5,
            people: 60,
            meetings_per_day: 24,
            utc_offset_s: 8 * 3600,
            staged_cases: true,
            ends_by: None,
        }
    }
}

impl TenantSpec {
    /// Midnight (unix seconds) at the start of the given day of the tenant, counted from 0.
    pub fn midnight(&self, day: u32) -> i64 {
        let days_since_epoch = i64::from(self.first_day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days()));
        (days_since_epoch + i64::from(day)) * DAY_S - i64::from(self.utc_offset_s)
    }

    /// First second (unix) of the tenant.
    pub fn start(&self) -> i64 {
        self.midnight(0)
    }

    /// The time (unix seconds) by which every meeting has ended.
    pub fn end(&self) -> i64 {
        let midnight = self.midnight(self.days);
        self.ends_by.map_or(midnight, |end| end.min(midnight))
    }

    /// Weekday of a day of the tenant, Monday = 0.
    pub(super) fn weekday(&self, day: u32) -> u32 {
        (self.first_day.weekday().to_monday_zero_offset() as u32 + day) % 7
    }
}

/// A meeting of the tenant.
#[derive(Debug, Clone)]
pub(super) struct Meeting {
    pub(super) number: u32,
    pub(super) instance_id: u64,
    pub(super) topic: String,
    pub(super) meeting_type: u8,
    pub(super) subtype: u8,
    pub(super) organizer: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    /// Its rows in [`Tenant::sessions`].
    pub(super) sessions: Range<usize>,
    pub(super) share: Option<Share>,
    pub(super) camera: bool,
    pub(super) recording: bool,
    pub(super) telephone: bool,
    pub(super) has_related_document: bool,
    pub(super) ai_note: bool,
    pub(super) external: bool,
}

impl Meeting {
    pub(super) fn is_webinar(&self) -> bool {
        self.subtype == 8
    }

    pub(super) fn is_cast(&self) -> bool {
        self.meeting_type == 3
    }
}

/// Who shares a screen in a meeting, and when (unix seconds).
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub(super) session: usize,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// Who a participant row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Person(u32),
    Room(usize),
    /// A person of another tenant: has an id, but the quality list does not know it.
    Foreign(u32),
    /// A guest in a browser: no id.
    Guest(u32),
    /// A telephone line: no id.
    Phone(u32),
}

/// Whether the quality list can answer for a participant row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Minutes,
    UnknownDevice,
    NoId,
    NotSupported,
}

/// One row of participant_list.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) key: u64,
    pub(super) who: Who,
    /// Index of the building, `None` outside of all of them.
    pub(super) building: Option<usize>,
    pub(super) access: Access,
    pub(super) device: &'static str,
    pub(super) app_version: &'static str,
    pub(super) public_ip: [u8; 4],
    pub(super) internal_ip: [u8; 4],
    pub(super) location: &'static str,
    pub(super) vpn: bool,
    pub(super) overloaded: bool,
    pub(super) camera: bool,
    pub(super) talkative: f64,
    /// First join, unix seconds.
    pub(super) join: i64,
    /// Last leave, unix seconds.
    pub(super) leave: i64,
    /// Time away between two stays (unix seconds), at least two minutes.
    pub(super) away: Option<(i64, i64)>,
    pub(super) accept_status: u8,
    pub(super) audience: bool,
    /// A duplicate shares id and join second with the row before it, and its answer.
    pub(super) duplicate: bool,
}

impl Session {
    /// Seconds in the meeting, without the time away.
    pub(super) fn stay_s(&self) -> i64 {
        self.leave - self.join - self.away.map_or(0, |(from, until)| until - from)
    }

    pub(super) fn is_external(&self) -> bool {
        matches!(self.who, Who::Foreign(_) | Who::Guest(_))
    }
}

/// What was planted in the numbers, so that a report can be asked whether it finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The building whose network is bad for some hours.
    pub bad_building: &'static str,
    /// Start of the bad hours, unix seconds.
    pub bad_from: i64,
    /// End of the bad hours, unix seconds.
    pub bad_until: i64,
    /// The room whose network always loses packets, as `participant_name` has it.
    pub lossy_room: String,
    /// The building far from every media server.
    pub far_building: &'static str,
    /// The app version that behaves worse than the others.
    pub worse_app_version: &'static str,
    /// Start of the hours in which the licence caps video at 360P and sharing at 720P, unix seconds.
    pub cap_from: i64,
    /// End of those hours, unix seconds.
    pub cap_until: i64,
}

/// Calls to the three lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    pub meeting_list: u64,
    pub participant_list: u64,
    pub participant_quality_list: u64,
}

/// Sums over a whole tenant: what a complete copy of it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Meetings, external ones and webinars included.
    pub meetings: u64,
    /// Rows of participant_list over all meetings, the audience of webinars included.
    pub participants: u64,
    /// Rows whose quality list holds at least one minute.
    pub participants_with_samples: u64,
    /// Rows whose quality list is empty: they were there for less than half a minute.
    pub participants_empty: u64,
    /// Rows without any id.
    pub participants_without_id: u64,
    /// Rows with the id of another tenant, which the quality list answers with 126010.
    pub participants_foreign: u64,
    /// Rows of local screen casts, which the quality list answers with 121002.
    pub participants_unsupported: u64,
    /// Rows in meetings that last over 24 hours.
    pub participants_of_long_meetings: u64,
    /// Rows that share id and join second with another row.
    pub duplicates: u64,
    /// Minutes over all rows; duplicates count twice.
    pub samples: u64,
    /// Minutes over all answers; duplicates count once.
    pub samples_answered: u64,
    /// The fewest calls that read everything: pages of 100, nothing refused, one window over all the meetings, the audience
    /// of each webinar asked once more, duplicates asked once, rows without id not at all.
    pub fewest_calls: Calls,
}

#[derive(Debug)]
pub struct Tenant {
    pub(super) spec: TenantSpec,
    pub(super) people: Vec<Person>,
    /// In the order of their starts.
    pub(super) meetings: Vec<Meeting>,
    pub(super) sessions: Vec<Session>,
    pub(super) trouble: Trouble,
    by_number: HashMap<u32, Vec<usize>>,
}

impl Tenant {
    /// Makes the tenant that a spec describes.
    pub fn generate(spec: &TenantSpec) -> Self {
        let spec = TenantSpec { people: spec.people.max(8), ..spec.clone() };
        let people = invent_people(spec.seed, spec.people);
        let trouble = Trouble::plant(&spec);
        let (meetings, sessions) = attendance::fill(&spec, &people, calendar::lay_out(&spec));
        let mut by_number: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, meeting) in meetings.iter().enumerate() {
            by_number.entry(meeting.number).or_default().push(at);
        }
        Self { spec, people, meetings, sessions, trouble, by_number }
    }

    /// The spec it was made from.
    pub fn spec(&self) -> &TenantSpec {
        &self.spec
    }

    /// The tenant's buildings with their networks.
    pub fn buildings(&self) -> &'static [Building] {
        BUILDINGS
    }

    /// What was planted in the numbers.
    pub fn planted(&self) -> Planted {
        Planted {
            bad_building: BUILDINGS[BAD_BUILDING].name,
            bad_from: self.trouble.bad_from,
            bad_until: self.trouble.bad_until,
            lossy_room: room_name(room_index(0, LOSSY_ROOM)),
            far_building: BUILDINGS[super::places::FAR_BUILDING].name,
            worse_app_version: WORSE_VERSION,
            cap_from: self.trouble.cap_from,
            cap_until: self.trouble.cap_until,
        }
    }

    /// Sums over the whole tenant, counted from the meetings and participants themselves.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { meetings: self.meetings.len() as u64, ..Totals::default() };
        totals.fewest_calls.meeting_list = pages(totals.meetings);
        for meeting in &self.meetings {
            let rows = &self.sessions[meeting.sessions.clone()];
            let audience = rows.iter().filter(|session| session.audience).count() as u64;
            totals.fewest_calls.participant_list += pages(rows.len() as u64 - audience);
            if meeting.is_webinar() {
                totals.fewest_calls.participant_list += pages(audience);
            }
            for session in rows {
                self.count_row(&mut totals, meeting, session);
            }
        }
        totals
    }

    /// The window and the sums as JSON, for a test in another language.
    pub fn expectation(&self) -> String {
        let mut expectation = serde_json::json!(self.totals());
        expectation["start"] = self.spec.start().into();
        expectation["end"] = self.spec.end().into();
        expectation.to_string()
    }

    fn count_row(&self, totals: &mut Totals, meeting: &Meeting, session: &Session) {
        totals.participants += 1;
        totals.participants_of_long_meetings += u64::from(meeting.end - meeting.start > DAY_S);
        let samples = self.sample_count(meeting, session) as u64;
        let answer = answer_of(meeting, session);
        match answer {
            Answer::Minutes if samples > 0 => totals.participants_with_samples += 1,
            Answer::Minutes => totals.participants_empty += 1,
            Answer::UnknownDevice => totals.participants_foreign += 1,
            Answer::NoId => totals.participants_without_id += 1,
            Answer::NotSupported => totals.participants_unsupported += 1,
        }
        totals.samples += samples;
        if session.duplicate {
            totals.duplicates += 1;
        } else {
            totals.samples_answered += samples;
            if answer != Answer::NoId {
                totals.fewest_calls.participant_quality_list += pages(samples);
            }
        }
    }

    /// The meetings held under a number, in the order of their starts.
    pub(super) fn meetings_of(&self, number: u32) -> &[usize] {
        self.by_number.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Number of minutes that the quality list holds for a row.
    pub(super) fn sample_count(&self, meeting: &Meeting, session: &Session) -> usize {
        match answer_of(meeting, session) {
            Answer::Minutes => super::minutes::minute_count(session),
            _ => 0,
        }
    }
}

/// Whether the quality list can answer for a row of a meeting.
pub(super) fn answer_of(meeting: &Meeting, session: &Session) -> Answer {
    match session.who {
        Who::Guest(_) | Who::Phone(_) => Answer::NoId,
        Who::Foreign(_) => Answer::UnknownDevice,
        Who::Person(_) | Who::Room(_) if meeting.is_cast() => Answer::NotSupported,
        Who::Person(_) | Who::Room(_) => Answer::Minutes,
    }
}

/// The name of a room as `participant_name` has it.
pub(super) fn room_name(room: usize) -> String {
    let building = super::places::building_of_room(room);
    format!("{} {}", BUILDINGS[building].name, ROOM_NAMES[room % ROOM_NAMES.len()])
}

/// Pages of 100 rows; an empty answer takes a call too.
const fn pages(rows: u64) -> u64 {
    if rows == 0 { 1 } else { rows.div_ceil(100) }
}
