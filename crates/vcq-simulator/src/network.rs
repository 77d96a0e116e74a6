//! How good a participant's connection is, minute by minute.
//!
//! Owns the causes: kinds of access, the VPN, the far office, the building with the bad day, the lossy room. From them and
//! from the minute it makes a [`Weather`]: delay, jitter, loss and room for traffic, which move together, drift slowly and
//! have bad spells of some minutes. What a client makes of the weather (bitrates, resolutions, CPU) is `minutes`.

use super::dice::{key, unit, wave};
use super::people::HomeNetwork;
use super::places::{BAD_BUILDING, BUILDINGS, LOSSY_ROOM, room_index};
use super::tenant::{Session, TenantSpec, Who};

/// How a participant reaches the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    OfficeCable,
    OfficeWifi,
    Home(HomeNetwork),
    Mobile,
    Telephone,
}

impl Access {
    /// The vendor's `network_type`; its spelling differs between devices.
    pub(super) const fn network_type(self) -> &'static str {
        match self {
            Self::OfficeCable | Self::Home(HomeNetwork::Cable) => "LAN",
            Self::OfficeWifi | Self::Home(_) => "wifi",
            Self::Mobile => "5G",
            Self::Telephone => "-",
        }
    }
}

/// What an access is like on an ordinary minute.
struct Line {
    delay_ms: f64,
    jitter_ms: f64,
    loss_pct: f64,
    down_kbps: f64,
    up_kbps: f64,
    /// Chance of a bad spell in a quarter of an hour.
    spell_chance: f64,
    /// 0..1.
    spell_depth: f64,
}

const fn line(access: Access) -> Line {
    let (delay_ms, jitter_ms, loss_pct, down_kbps, up_kbps, spell_chance, spell_depth) = match access {
        Access::OfficeCable => (2.0, 1.5, 0.02, 90_000.0, 80_000.0, 0.003, 0.2),
        Access::OfficeWifi => (6.0, 4.0, 0.12, 40_000.0, 30_000.0, 0.02, 0.35),
        Access::Home(HomeNetwork::Cable) => (11.0, 2.5, 0.05, 60_000.0, 20_000.0, 0.008, 0.3),
        Access::Home(HomeNetwork::GoodWifi) => (15.0, 6.0, 0.2, 30_000.0, 12_000.0, 0.03, 0.4),
        Access::Home(HomeNetwork::CrowdedWifi) => (24.0, 14.0, 0.7, 9000.0, 4000.0, 0.12, 0.6),
        Access::Home(HomeNetwork::BadWifi) => (38.0, 24.0, 2.2, 4000.0, 1600.0, 0.32, 0.9),
        Access::Mobile => (48.0, 13.0, 0.6, 12_000.0, 5000.0, 0.11, 0.6),
        Access::Telephone => (60.0, 5.0, 0.1, 100.0, 100.0, 0.0, 0.0),
    };
    Line { delay_ms, jitter_ms, loss_pct, down_kbps, up_kbps, spell_chance, spell_depth }
}

/// Troubles that are not one participant's own: a building's bad hours and the licence's cap (unix seconds).
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    pub(super) bad_from: i64,
    pub(super) bad_until: i64,
    pub(super) cap_from: i64,
    pub(super) cap_until: i64,
}

impl Trouble {
    /// Puts the bad hours on the working day nearest the middle and the cap on the afternoon of the last working day.
    pub(super) fn plant(spec: &TenantSpec) -> Self {
        let working = |day: &u32| spec.weekday(*day) < 5;
        let middle = (spec.days / 2..spec.days).find(working).unwrap_or(0);
        let last = (0..spec.days).rev().find(working).unwrap_or(0);
        let at = |day: u32, minutes: i64| spec.midnight(day) + minutes * 60;
        Self {
            bad_from: at(middle, 9 * 60 + 40),
            bad_until: at(middle, 16 * 60 + 20),
            cap_from: at(last, 14 * 60),
            cap_until: at(last, 18 * 60),
        }
    }

    /// Whether the licence caps video in a minute.
    pub(super) fn is_capped(&self, at: i64) -> bool {
        (self.cap_from..self.cap_until).contains(&at)
    }
}

/// A participant's connection in one minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) delay_ms: f64,
    pub(super) jitter_ms: f64,
    pub(super) loss_received_pct: f64,
    pub(super) loss_sent_pct: f64,
    pub(super) down_kbps: f64,
    pub(super) up_kbps: f64,
}

/// The weather of a participant in the minute that starts at `at` (unix seconds).
pub(super) fn weather(trouble: &Trouble, session: &Session, at: i64) -> Weather {
    let minute = at.div_euclid(60);
    let line = line(session.access);
    let drift = wave(key(session.key, 1), minute, 17);
    let ripple = wave(key(session.key, 2), minute, 3);
    let spell = spell(key(session.key, 3), minute, line.spell_chance) * line.spell_depth;
    let mut weather = Weather {
        delay_ms: line.delay_ms * (1.0 + 0.25 * drift + 0.12 * ripple) + 190.0 * spell,
        jitter_ms: line.jitter_ms * (1.0 + 0.4 * drift + 0.35 * ripple) + 70.0 * spell,
        loss_received_pct: line.loss_pct * positive(0.6 + 0.8 * drift + 0.7 * ripple) + 11.0 * spell * spell,
        loss_sent_pct: line.loss_pct * positive(0.6 + 0.8 * drift - 0.7 * ripple) + 9.0 * spell * spell,
        down_kbps: line.down_kbps * (1.0 + 0.2 * drift) * (1.0 - 0.9 * spell),
        up_kbps: line.up_kbps * (1.0 + 0.2 * ripple) * (1.0 - 0.9 * spell),
    };
    weather.delay_ms += far_away_ms(session) * (1.0 + 0.05 * drift + 0.04 * ripple);
    if session.vpn {
        weather.delay_ms += 44.0 + 12.0 * drift;
        weather.jitter_ms += 7.0;
        weather.down_kbps = weather.down_kbps.min(6000.0);
        weather.up_kbps = weather.up_kbps.min(2500.0);
    }
    if session.building == Some(BAD_BUILDING) && (trouble.bad_from..trouble.bad_until).contains(&at) {
        // One uplink for all: everybody inside suffers in the same minutes.
        let shared = positive(0.6 + 0.5 * wave(0xB0AD, minute, 9));
        weather.delay_ms += 140.0 * shared;
        weather.jitter_ms += 45.0 * shared;
        weather.loss_received_pct += 7.5 * shared;
        weather.loss_sent_pct += 5.0 * shared;
        weather.down_kbps = weather.down_kbps.min(3200.0 - 2000.0 * shared.min(1.0));
        weather.up_kbps = weather.up_kbps.min(2200.0 - 1500.0 * shared.min(1.0));
    }
    if session.who == Who::Room(room_index(0, LOSSY_ROOM)) {
        weather.loss_received_pct += 3.2 + 1.4 * drift;
        weather.loss_sent_pct += 4.1 + 1.8 * ripple;
        weather.jitter_ms += 16.0;
    }
    weather.loss_received_pct = weather.loss_received_pct.clamp(0.0, 60.0);
    weather.loss_sent_pct = weather.loss_sent_pct.clamp(0.0, 60.0);
    weather
}

fn far_away_ms(session: &Session) -> f64 {
    match session.building {
        Some(building) => f64::from(BUILDINGS[building].delay_ms),
        None => 14.0 + 20.0 * unit(key(session.key, 4)),
    }
}

/// How deep (0..1) a minute is in a bad spell. Each quarter of an hour may have one, of two to seven minutes, with an edge
/// of one minute on either side.
fn spell(spell_key: u64, minute: i64, chance: f64) -> f64 {
    let quarter = key(spell_key, minute.div_euclid(15) as u64);
    if unit(quarter) >= chance {
        return 0.0;
    }
    let lasts = 2 + (key(quarter, 1) % 6) as i64;
    let begins = 1 + (key(quarter, 2) % (14 - lasts) as u64) as i64;
    let into = minute.rem_euclid(15) - begins;
    let depth = 0.5 + 0.5 * unit(key(quarter, 3));
    match into {
        into if into < -1 || into > lasts => 0.0,
        into if into == -1 || into == lasts => 0.4 * depth,
        into => depth * (0.85 + 0.15 * wave(quarter, into, 2)),
    }
}

fn positive(value: f64) -> f64 {
    value.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_last_some_minutes_and_are_as_rare_as_asked() {
        let depths: Vec<f64> = (0..150_000).map(|minute| spell(42, minute, 0.2)).collect();
        let bad = depths.iter().filter(|depth| **depth > 0.3).count();
        assert!((5000..15_000).contains(&bad), "{bad} bad minutes of 150000");
        let begins = depths.windows(2).filter(|pair| pair[0] <= 0.3 && pair[1] > 0.3).count();
        let mean = bad as f64 / begins as f64;
        assert!((2.0..8.0).contains(&mean), "a spell of {mean} minutes");
    }

    #[test]
    fn a_cable_beats_bad_wifi() {
        let good = line(Access::OfficeCable);
        let bad = line(Access::Home(HomeNetwork::BadWifi));
        assert!(good.loss_pct < bad.loss_pct && good.jitter_ms < bad.jitter_ms && good.down_kbps > bad.down_kbps);
    }

    #[test]
    fn troubles_fall_on_working_days() {
        for days in 1..15 {
            let spec = TenantSpec { days, ..TenantSpec::default() };
            let trouble = Trouble::plant(&spec);
            for at in [trouble.bad_from, trouble.cap_from] {
                let day = ((at - spec.start()) / 86_400) as u32;
                assert!(spec.weekday(day) < 5 && day < days, "day {day} of {days}");
            }
        }
    }
}
