//! Generates the network conditions of a session, minute by minute.
//!
//! Delay, jitter, loss and available bandwidth depend on the kind of access, the VPN, the building, the known problems
//! and the planted incidents. They are correlated, drift slowly and have poor spells of some minutes.

use super::incidents::Effects;
use crate::model::places::{BUILDINGS, DEGRADED_BUILDING};
use crate::model::{HomeNetwork, Identity, KnownProblems, NetworkAccess, Session};
use crate::random::{derive_key, smooth_noise, unit_interval};

/// An access in an ordinary minute.
struct AccessProfile {
    delay_ms: f64,
    jitter_ms: f64,
    loss_pct: f64,
    down_kbps: f64,
    up_kbps: f64,
    /// Probability of a poor spell in a quarter of an hour.
    spell_chance: f64,
    /// 0..1.
    spell_depth: f64,
}

const fn profile(access: NetworkAccess) -> AccessProfile {
    let (delay_ms, jitter_ms, loss_pct, down_kbps, up_kbps, spell_chance, spell_depth) = match access {
        NetworkAccess::OfficeCable => (2.0, 1.5, 0.02, 90_000.0, 80_000.0, 0.003, 0.2),
        NetworkAccess::OfficeWifi => (6.0, 4.0, 0.12, 40_000.0, 30_000.0, 0.02, 0.35),
        NetworkAccess::Home(HomeNetwork::Cable) => (11.0, 2.5, 0.05, 60_000.0, 20_000.0, 0.008, 0.3),
        NetworkAccess::Home(HomeNetwork::GoodWifi) => (15.0, 6.0, 0.2, 30_000.0, 12_000.0, 0.03, 0.4),
        NetworkAccess::Home(HomeNetwork::CrowdedWifi) => (24.0, 14.0, 0.7, 9000.0, 4000.0, 0.12, 0.6),
        NetworkAccess::Home(HomeNetwork::BadWifi) => (38.0, 24.0, 2.2, 4000.0, 1600.0, 0.32, 0.9),
        NetworkAccess::Mobile => (48.0, 13.0, 0.6, 12_000.0, 5000.0, 0.11, 0.6),
        NetworkAccess::Telephone => (60.0, 5.0, 0.1, 100.0, 100.0, 0.0, 0.0),
    };
    AccessProfile { delay_ms, jitter_ms, loss_pct, down_kbps, up_kbps, spell_chance, spell_depth }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct NetworkConditions {
    pub(super) delay_ms: f64,
    pub(super) jitter_received_ms: f64,
    pub(super) jitter_sent_ms: f64,
    pub(super) loss_received_pct: f64,
    pub(super) loss_sent_pct: f64,
    pub(super) down_kbps: f64,
    pub(super) up_kbps: f64,
}

impl NetworkConditions {
    /// In both directions.
    fn add_jitter_ms(&mut self, jitter_ms: f64) {
        self.jitter_received_ms += jitter_ms;
        self.jitter_sent_ms += jitter_ms;
    }

    /// One direction, with a share of its bandwidth.
    pub(super) fn received(&self, share: f64) -> Path {
        let (loss_pct, jitter_ms) = (self.loss_received_pct, self.jitter_received_ms);
        Path { bandwidth_kbps: self.down_kbps * share, loss_pct, jitter_ms }
    }

    pub(super) fn sent(&self, share: f64) -> Path {
        let (loss_pct, jitter_ms) = (self.loss_sent_pct, self.jitter_sent_ms);
        Path { bandwidth_kbps: self.up_kbps * share, loss_pct, jitter_ms }
    }
}

/// One direction of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) bandwidth_kbps: f64,
    pub(super) loss_pct: f64,
    pub(super) jitter_ms: f64,
}

/// The conditions in the minute that starts at `at` (Unix seconds).
pub(super) fn network_conditions(
    problems: &KnownProblems,
    effects: &Effects,
    session: &Session,
    at: i64,
) -> NetworkConditions {
    let minute = at.div_euclid(60);
    let profile = profile(session.access);
    let drift = smooth_noise(derive_key(session.key, 1), minute, 17);
    let ripple = smooth_noise(derive_key(session.key, 2), minute, 3);
    let roughness = f64::from(session.roughness_pct) / 100.0;
    let depth = (profile.spell_depth * (0.5 + 0.5 * roughness)).min(1.0);
    let spell = spell(derive_key(session.key, 3), minute, profile.spell_chance * roughness) * depth;
    let (usual_jitter_ms, usual_loss_pct) = (profile.jitter_ms * roughness, profile.loss_pct * roughness);
    let jitter_ms = usual_jitter_ms * (1.0 + 0.4 * drift + 0.35 * ripple) + 70.0 * spell;
    let mut conditions = NetworkConditions {
        delay_ms: profile.delay_ms * (1.0 + 0.25 * drift + 0.12 * ripple) + 190.0 * spell,
        jitter_received_ms: jitter_ms,
        jitter_sent_ms: jitter_ms,
        loss_received_pct: usual_loss_pct * (0.6 + 0.8 * drift + 0.7 * ripple).max(0.0) + 11.0 * spell * spell,
        loss_sent_pct: usual_loss_pct * (0.6 + 0.8 * drift - 0.7 * ripple).max(0.0) + 9.0 * spell * spell,
        down_kbps: profile.down_kbps * (1.0 + 0.2 * drift) * (1.0 - 0.9 * spell),
        up_kbps: profile.up_kbps * (1.0 + 0.2 * ripple) * (1.0 - 0.9 * spell),
    };
    let distance_ms = match session.building {
        Some(building) => f64::from(BUILDINGS[building].delay_ms),
        None => 14.0 + 20.0 * unit_interval(derive_key(session.key, 4)),
    };
    conditions.delay_ms += distance_ms * (1.0 + 0.05 * drift + 0.04 * ripple);
    if session.vpn {
        conditions.delay_ms += 44.0 + 12.0 * drift;
        conditions.add_jitter_ms(7.0);
        conditions.down_kbps = conditions.down_kbps.min(6000.0);
        conditions.up_kbps = conditions.up_kbps.min(2500.0);
    }
    if session.building == Some(DEGRADED_BUILDING) && problems.degraded.contains(&at) {
        // One uplink for the building: everybody inside is affected in the same minutes.
        let shared = (0.6 + 0.5 * smooth_noise(0xB0AD, minute, 9)).max(0.0);
        conditions.delay_ms += 140.0 * shared;
        conditions.add_jitter_ms(45.0 * shared);
        conditions.loss_received_pct += 7.5 * shared;
        conditions.loss_sent_pct += 5.0 * shared;
        conditions.down_kbps = conditions.down_kbps.min(3200.0 - 2000.0 * shared.min(1.0));
        conditions.up_kbps = conditions.up_kbps.min(2200.0 - 1500.0 * shared.min(1.0));
    }
    if problems.lossy_room.is_some_and(|room| session.identity == Identity::Room(room)) {
        conditions.loss_received_pct += 3.2 + 1.4 * drift;
        conditions.loss_sent_pct += 4.1 + 1.8 * ripple;
        conditions.add_jitter_ms(16.0);
    }
    conditions.delay_ms += effects.delay_ms;
    conditions.jitter_received_ms += effects.jitter_received_ms;
    conditions.jitter_sent_ms += effects.jitter_sent_ms;
    conditions.loss_received_pct += effects.loss_received_pct;
    conditions.loss_sent_pct += effects.loss_sent_pct;
    conditions.loss_received_pct = conditions.loss_received_pct.clamp(0.0, 60.0);
    conditions.loss_sent_pct = conditions.loss_sent_pct.clamp(0.0, 60.0);
    conditions
}

/// Severity (0..1) of the poor spell in a minute. Each quarter of an hour may have one, of two to seven minutes, with a
/// milder minute on either side.
fn spell(spell_key: u64, minute: i64, chance: f64) -> f64 {
    let quarter = derive_key(spell_key, minute.div_euclid(15) as u64);
    if unit_interval(quarter) >= chance {
        return 0.0;
    }
    let length = 2 + (derive_key(quarter, 1) % 6) as i64;
    let start = 1 + (derive_key(quarter, 2) % (14 - length) as u64) as i64;
    let into = minute.rem_euclid(15) - start;
    let depth = 0.5 + 0.5 * unit_interval(derive_key(quarter, 3));
    match into {
        into if into < -1 || into > length => 0.0,
        into if into == -1 || into == length => 0.4 * depth,
        into => depth * (0.85 + 0.15 * smooth_noise(quarter, into, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_last_some_minutes_and_have_the_given_frequency() {
        let depths: Vec<f64> = (0..150_000).map(|minute| spell(42, minute, 0.2)).collect();
        let bad = depths.iter().filter(|depth| **depth > 0.3).count();
        assert!((5000..15_000).contains(&bad), "{bad} bad minutes of 150000");
        let begins = depths.windows(2).filter(|pair| pair[0] <= 0.3 && pair[1] > 0.3).count();
        let mean = bad as f64 / begins as f64;
        assert!((2.0..8.0).contains(&mean), "a spell of {mean} minutes");
    }

    #[test]
    fn a_cable_is_better_than_bad_wifi() {
        let good = profile(NetworkAccess::OfficeCable);
        let bad = profile(NetworkAccess::Home(HomeNetwork::BadWifi));
        assert!(good.loss_pct < bad.loss_pct && good.jitter_ms < bad.jitter_ms && good.down_kbps > bad.down_kbps);
    }
}
