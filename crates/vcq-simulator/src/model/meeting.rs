//! Meetings and their participant sessions. Times are Unix seconds.

use std::ops::Range;

/// Instance IDs have nineteen digits, so beyond 2^53 as at Feishu, and increase with time.
pub(crate) const FIRST_INSTANCE: u64 = 7_529_416_531_681_214_468;
pub(crate) const INSTANCE_STEP: u64 = 1_000_003;

#[derive(Debug, Clone)]
pub(crate) struct Meeting {
    pub(crate) number: u32,
    pub(crate) instance_id: u64,
    pub(crate) topic: String,
    pub(crate) meeting_type: u8,
    pub(crate) subtype: u8,
    /// Ordinal of a person.
    pub(crate) organizer: u32,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Its rows in [`super::Tenant::sessions`].
    pub(crate) sessions: Range<usize>,
    pub(crate) share: Option<ScreenShare>,
    pub(crate) camera: bool,
    pub(crate) recording: bool,
    pub(crate) telephone: bool,
    pub(crate) has_related_document: bool,
    pub(crate) ai_note: bool,
    pub(crate) external: bool,
}

impl Meeting {
    /// Its place among the tenant's meetings.
    pub(crate) fn ordinal(&self) -> usize {
        (self.instance_id.saturating_sub(FIRST_INSTANCE) / INSTANCE_STEP) as usize
    }

    pub(crate) fn is_webinar(&self) -> bool {
        self.subtype == 8
    }

    pub(crate) fn is_screen_cast(&self) -> bool {
        self.meeting_type == 3
    }

    /// As the published tables have it.
    pub(crate) fn key(&self) -> String {
        format!("{}-{}", self.number, self.start)
    }

    pub(crate) fn length_s(&self) -> i64 {
        self.end - self.start
    }

    pub(crate) fn quality_availability(&self, session: &Session) -> QualityAvailability {
        match session.identity {
            Identity::Guest(_) | Identity::Telephone(_) => QualityAvailability::NoId,
            Identity::External(_) => QualityAvailability::UnknownDevice,
            Identity::Person(_) | Identity::Room(_) if self.is_screen_cast() => QualityAvailability::NotSupported,
            Identity::Person(_) | Identity::Room(_) => QualityAvailability::Available,
        }
    }

    /// Number of samples that the quality list has for a session.
    pub(crate) fn sample_count(&self, session: &Session) -> usize {
        match self.quality_availability(session) {
            QualityAvailability::Available => session.minute_count(),
            _ => 0,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ScreenShare {
    pub(crate) session: usize,
    pub(crate) from: i64,
    pub(crate) until: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Identity {
    Person(u32),
    Room(usize),
    /// A person of another tenant: has an ID, but the quality list does not know it.
    External(u32),
    /// A guest in a browser: no id.
    Guest(u32),
    /// A caller by telephone: no id.
    Telephone(u32),
}

/// Whether the quality list has data for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QualityAvailability {
    Available,
    UnknownDevice,
    NoId,
    NotSupported,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HomeNetwork {
    Cable,
    GoodWifi,
    CrowdedWifi,
    BadWifi,
}

/// How a participant reaches the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkAccess {
    OfficeCable,
    OfficeWifi,
    Home(HomeNetwork),
    Mobile,
    Telephone,
}

impl NetworkAccess {
    /// Feishu's `network_type`; its spelling differs between devices.
    pub(crate) const fn network_type(self) -> &'static str {
        match self {
            Self::OfficeCable | Self::Home(HomeNetwork::Cable) => "LAN",
            Self::OfficeWifi | Self::Home(_) => "wifi",
            Self::Mobile => "5G",
            Self::Telephone => "-",
        }
    }
}

/// One row of participant_list: a participant on one device.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Key of the random numbers of this session.
    pub(crate) key: u64,
    pub(crate) identity: Identity,
    /// `None` outside of all buildings.
    pub(crate) building: Option<usize>,
    pub(crate) access: NetworkAccess,
    pub(crate) device: &'static str,
    pub(crate) app_version: &'static str,
    pub(crate) public_ip: [u8; 4],
    pub(crate) internal_ip: [u8; 4],
    pub(crate) location: &'static str,
    pub(crate) vpn: bool,
    /// Jitter, loss and poor spells of the access, in percent of what is usual for it.
    pub(crate) roughness_pct: u32,
    /// The computer is short of CPU.
    pub(crate) overloaded: bool,
    pub(crate) camera: bool,
    pub(crate) speaking_share: f64,
    /// First join.
    pub(crate) join: i64,
    /// Last leave.
    pub(crate) leave: i64,
    /// Absence between two stays, at least two minutes.
    pub(crate) away: Option<(i64, i64)>,
    pub(crate) accept_status: u8,
    pub(crate) audience: bool,
    /// Has the same ID and join second as the session before it, and the same quality.
    pub(crate) duplicate: bool,
}

impl Session {
    /// Seconds in the meeting, without the absence.
    pub(crate) fn stay_s(&self) -> i64 {
        self.leave - self.join - self.away.map_or(0, |(from, until)| until - from)
    }

    pub(crate) fn is_external(&self) -> bool {
        matches!(self.identity, Identity::External(_) | Identity::Guest(_))
    }

    /// Number of calendar minutes in which the participant was present; 0 for a stay of under half a minute.
    pub(crate) fn minute_count(&self) -> usize {
        if self.stay_s() < 30 {
            return 0;
        }
        let count = match self.away {
            None => minutes_between(self.join, self.leave),
            Some((from, until)) => minutes_between(self.join, from) + minutes_between(until, self.leave),
        };
        usize::try_from(count).unwrap_or(0)
    }

    /// Start (Unix seconds) of the `index`-th minute of presence.
    pub(crate) fn minute_start(&self, index: usize) -> i64 {
        let index = index as i64;
        match self.away {
            Some((from, until)) if index >= minutes_between(self.join, from) => {
                floor_to_minute(until) + (index - minutes_between(self.join, from)) * 60
            }
            _ => floor_to_minute(self.join) + index * 60,
        }
    }
}

const fn floor_to_minute(at: i64) -> i64 {
    at.div_euclid(60) * 60
}

const fn minutes_between(from: i64, until: i64) -> i64 {
    (until - floor_to_minute(from) + 59) / 60
}
