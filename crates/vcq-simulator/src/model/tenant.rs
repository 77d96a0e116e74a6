//! A complete tenant, and the totals that tests compare with.
//!
//! Meetings and sessions are kept (about 150 bytes a session); quality samples are not.

use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;

use super::incident::{Incident, Unplanted};
use super::meeting::{HomeNetwork, Identity, Meeting, QualityAvailability, Session};
use super::spec::{DAY_S, KnownProblems, TenantSpec};

/// Calls to the three lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CallCounts {
    pub meeting_list: u64,
    pub participant_list: u64,
    pub participant_quality_list: u64,
}

/// What a complete copy of a tenant contains. A session is a row of participant_list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// External meetings and webinars included.
    pub meetings: u64,
    /// Sessions, the audience of webinars included.
    pub participants: u64,
    /// Sessions with at least one sample.
    pub participants_with_samples: u64,
    /// Sessions of less than half a minute: their quality list is empty.
    pub participants_empty: u64,
    pub participants_without_id: u64,
    /// Sessions with the ID of another tenant, for which the quality list returns 126010.
    pub participants_foreign: u64,
    /// Sessions of local screen casts, for which the quality list returns 121002.
    pub participants_unsupported: u64,
    /// Sessions in meetings of over 24 hours.
    pub participants_of_long_meetings: u64,
    /// Sessions that have the same ID and join second as another one.
    pub duplicates: u64,
    /// Samples of all sessions, duplicates included.
    pub samples: u64,
    /// Samples in all responses: duplicates are fetched once.
    pub samples_answered: u64,
    /// Calls of a perfect sync: pages of 100, one window, no refusal, the audience of each webinar in a second query,
    /// no call for sessions without ID or for duplicates.
    pub fewest_calls: CallCounts,
}

/// An employee: what belongs to the person whatever the day.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) department: usize,
    pub(crate) building: usize,
    pub(crate) floor: u8,
    pub(crate) desk: u8,
    pub(crate) desk_cable: bool,
    pub(crate) home: HomeNetwork,
    pub(crate) home_ip: [u8; 4],
    /// First three bytes of the internal address at home.
    pub(crate) home_net: [u8; 3],
    /// See [`Session::roughness_pct`].
    pub(crate) home_roughness_pct: u32,
    pub(crate) home_location: &'static str,
    pub(crate) computer: &'static str,
    pub(crate) overloaded: bool,
    pub(crate) phone: &'static str,
    pub(crate) app_version: &'static str,
    pub(crate) headset: (&'static str, &'static str),
    pub(crate) camera: &'static str,
    pub(crate) vpn: bool,
    pub(crate) home_probability: f64,
    pub(crate) camera_probability: f64,
    /// Share of the minutes in which the person speaks.
    pub(crate) speaking_share: f64,
    /// As Feishu masks it.
    pub(crate) masked_phone: String,
}

/// A generated tenant; see [`Tenant::generate`].
#[derive(Debug)]
pub struct Tenant {
    pub(crate) spec: TenantSpec,
    pub(crate) people: Vec<Person>,
    /// Sorted by start.
    pub(crate) meetings: Vec<Meeting>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) problems: KnownProblems,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) unplanted: Vec<Unplanted>,
    pub(crate) by_number: HashMap<u32, Vec<usize>>,
}

impl Tenant {
    pub fn spec(&self) -> &TenantSpec {
        &self.spec
    }

    /// The incidents that could not be planted.
    pub fn unplanted(&self) -> &[Unplanted] {
        &self.unplanted
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals { meetings: self.meetings.len() as u64, ..Totals::default() };
        totals.fewest_calls.meeting_list = page_count(totals.meetings);
        for meeting in &self.meetings {
            let sessions = self.sessions_of(meeting);
            let audience = sessions.iter().filter(|session| session.audience).count() as u64;
            totals.fewest_calls.participant_list += page_count(sessions.len() as u64 - audience);
            if meeting.is_webinar() {
                totals.fewest_calls.participant_list += page_count(audience);
            }
            for session in sessions {
                totals.add(meeting, session);
            }
        }
        totals
    }

    /// Indices of the meetings with a number, sorted by start.
    pub(crate) fn meetings_with_number(&self, number: u32) -> &[usize] {
        self.by_number.get(&number).map_or(&[], Vec::as_slice)
    }

    /// Participants of a meeting, whatever their number of devices; the audience of a webinar does not count.
    pub(crate) fn participant_count(&self, meeting: &Meeting) -> usize {
        let attending = self.sessions_of(meeting).iter().filter(|session| !session.audience);
        let mut identities: Vec<Identity> = attending.map(|session| session.identity).collect();
        identities.sort_unstable();
        identities.dedup();
        identities.len()
    }

    /// The meetings that start in a period (Unix seconds).
    pub(crate) fn meetings_from(&self, period: &Range<i64>) -> &[Meeting] {
        let first = self.meetings.partition_point(|meeting| meeting.start < period.start);
        let end = self.meetings.partition_point(|meeting| meeting.start < period.end);
        &self.meetings[first..end.max(first)]
    }

    pub(crate) fn sessions_of(&self, meeting: &Meeting) -> &[Session] {
        &self.sessions[meeting.sessions.clone()]
    }
}

impl Totals {
    fn add(&mut self, meeting: &Meeting, session: &Session) {
        self.participants += 1;
        self.participants_of_long_meetings += u64::from(meeting.length_s() > DAY_S);
        let samples = meeting.sample_count(session) as u64;
        let availability = meeting.quality_availability(session);
        *match availability {
            QualityAvailability::Available if samples > 0 => &mut self.participants_with_samples,
            QualityAvailability::Available => &mut self.participants_empty,
            QualityAvailability::UnknownDevice => &mut self.participants_foreign,
            QualityAvailability::NoId => &mut self.participants_without_id,
            QualityAvailability::NotSupported => &mut self.participants_unsupported,
        } += 1;
        self.samples += samples;
        if session.duplicate {
            self.duplicates += 1;
        } else {
            self.samples_answered += samples;
            if availability != QualityAvailability::NoId {
                self.fewest_calls.participant_quality_list += page_count(samples);
            }
        }
    }
}

/// Pages of 100 rows; an empty list takes a call too.
const fn page_count(rows: u64) -> u64 {
    if rows == 0 { 1 } else { rows.div_ceil(100) }
}
