//! What a tenant should be like, and when known problems occur in it.

use std::ops::Range;

use jiff::civil::{Date, date};

use super::incident::Planting;
use super::places::{DEFAULT_BUILDINGS, LOSSY_ROOM};

pub(crate) const DAY_S: i64 = 86_400;

/// Describes a tenant to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSpec {
    /// The same seed generates the same tenant on every machine.
    pub seed: u64,
    /// First day, in the tenant's time zone.
    pub first_day: Date,
    pub days: u32,
    /// Number of employees; at least 8 are generated.
    pub people: u32,
    /// Meetings on an average working day; a weekend day has about 7% of them.
    pub meetings_per_day: u32,
    /// The tenant's offset from UTC, in seconds east.
    pub utc_offset_s: i32,
    /// Whether the first two days contain one of each unusual meeting (across midnight, longer than a day, duplicates,
    /// ...).
    pub unusual_meetings: bool,
    /// No meeting ends after this time (Unix seconds). `None`: the end of the last day.
    pub ends_by: Option<i64>,
    pub background: Background,
    pub planting: Planting,
    /// Whether names, devices and topics are unmistakable and stand in unusual places too; see
    /// [`crate::Tenant::identifiers`].
    pub planted_identifiers: bool,
    /// Beside the meetings of the calendar.
    pub extra_meetings: Vec<ExtraMeetings>,
}

/// Meetings that end in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtraMeetings {
    pub count: u32,
    /// 0-based.
    pub day: u32,
    /// When the minute begins, in seconds after midnight.
    pub end_s: i64,
    /// Length of the first in seconds; each further one is a minute shorter, at least half as long.
    pub length_s: i64,
    /// People in each, if the tenant has as many.
    pub people: usize,
    pub is_webinar: bool,
}

/// What is usual in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background {
    /// From 1 to [`crate::MOST_BUILDINGS`].
    pub buildings: usize,
    /// Meetings on a weekend day, in percent of those on a working day.
    pub weekend_pct: u32,
    /// Frequency and depth of short poor spells, in percent of the usual.
    pub noise_pct: u32,
    /// Whether homes differ in quality and provider, and buildings in the number of their uplinks. Without it all homes
    /// are behind one public network.
    pub varied_networks: bool,
    /// Whether the tenant has the problems of the default one: a degraded building, hours with limited video, a room
    /// with packet loss, and overloaded computers.
    pub known_problems: bool,
}

impl Default for Background {
    fn default() -> Self {
        Self {
            buildings: DEFAULT_BUILDINGS,
            weekend_pct: 7,
            noise_pct: 100,
            varied_networks: false,
            known_problems: true,
        }
    }
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
            unusual_meetings: true,
            ends_by: None,
            background: Background::default(),
            planting: Planting::None,
            planted_identifiers: false,
            extra_meetings: Vec::new(),
        }
    }
}

impl TenantSpec {
    /// Unix time of the midnight that starts `day` (0-based).
    pub fn midnight(&self, day: u32) -> i64 {
        let days_since_epoch = i64::from(self.first_day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days()));
        (days_since_epoch + i64::from(day)) * DAY_S - i64::from(self.utc_offset_s)
    }

    /// Unix time at which the first day starts.
    pub fn start(&self) -> i64 {
        self.midnight(0)
    }

    /// Unix time by which every meeting has ended.
    pub fn end(&self) -> i64 {
        let midnight = self.midnight(self.days);
        self.ends_by.map_or(midnight, |end| end.min(midnight))
    }

    /// The midnight that starts the last day, if the tenant ends within that day and is older than a week. Incidents
    /// are chosen by the days before, so that they do not depend on the time of day.
    pub(crate) fn whole_days_end(&self) -> Option<i64> {
        let midnight = self.midnight(self.days.saturating_sub(1));
        (self.days > 7 && self.end() < self.midnight(self.days)).then_some(midnight)
    }

    /// The day (0-based) of a time; negative before the first.
    pub(crate) fn day_of(&self, at: i64) -> i64 {
        (at - self.start()).div_euclid(DAY_S)
    }

    /// Weekday of `day` (0-based), Monday = 0.
    pub fn weekday(&self, day: u32) -> u32 {
        (self.first_day.weekday().to_monday_zero_offset() as u32 + day) % 7
    }
}

/// The problems of the default tenant; periods are in Unix seconds.
#[derive(Debug)]
pub(crate) struct KnownProblems {
    /// The network of the building [`super::places::DEGRADED_BUILDING`] is degraded.
    pub(crate) degraded: Range<i64>,
    /// The licence limits video to 360P and screen sharing to 720P.
    pub(crate) limited: Range<i64>,
    /// The room whose network always loses packets.
    pub(crate) lossy_room: Option<usize>,
}

impl KnownProblems {
    /// Degrades the network on the working day nearest the middle and limits video in the afternoon of the last one.
    pub(crate) fn schedule(spec: &TenantSpec) -> Self {
        if !spec.background.known_problems {
            return Self { degraded: 0..0, limited: 0..0, lossy_room: None };
        }
        let working = |day: &u32| spec.weekday(*day) < 5;
        let middle = spec.midnight((spec.days / 2..spec.days).find(working).unwrap_or(0));
        let last = spec.midnight((0..spec.days).rev().find(working).unwrap_or(0));
        let (hour, minute) = (3600, 60);
        Self {
            degraded: middle + 9 * hour + 40 * minute..middle + 16 * hour + 20 * minute,
            limited: last + 14 * hour..last + 18 * hour,
            lossy_room: Some(LOSSY_ROOM),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_problems_fall_on_working_days() {
        for days in 1..15 {
            let spec = TenantSpec { days, ..TenantSpec::default() };
            let problems = KnownProblems::schedule(&spec);
            for at in [problems.degraded.start, problems.limited.start] {
                let day = ((at - spec.start()) / DAY_S) as u32;
                assert!(spec.weekday(day) < 5 && day < days, "day {day} of {days}");
            }
        }
    }
}
