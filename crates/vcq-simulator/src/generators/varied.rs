//! Tenants of many shapes, for tests of what should work in all of them.

use std::ops::{RangeBounds, RangeInclusive};

use jiff::civil::date;

use crate::model::{Background, Planting, TenantSpec};
use crate::random::{SeededRng, derive_key};

/// Numbers of people, each as likely as the others.
const SIZES: &[u32] = &[30, 40, 55, 70, 90, 130, 180, 250, 350, 500, 700, 1000, 1500, 2200, 3000];

impl TenantSpec {
    /// A tenant whose size, days, buildings, weekends, networks and noise follow from the seed. Larger tenants have
    /// fewer days. `people` must contain one of 30, 40, 55, ... 3000; otherwise it has 30.
    pub fn varied(seed: u64, people: impl RangeBounds<u32>) -> Self {
        let mut rng = SeededRng::new(derive_key(seed, 0x7368_6170));
        let sizes: Vec<u32> = SIZES.iter().copied().filter(|size| people.contains(size)).collect();
        let people = if sizes.is_empty() { SIZES[0] } else { rng.pick(&sizes) };
        let (days, meetings_pct, most_buildings) = match people {
            0..=99 => (35..=60, 30..=48, 4),
            100..=299 => (35..=45, 28..=44, 6),
            300..=999 => (18..=24, 24..=34, 9),
            _ => (11..=13, 16..=22, 12),
        };
        let between = |rng: &mut SeededRng, range: RangeInclusive<u32>| {
            rng.between(i64::from(*range.start()), i64::from(*range.end())) as u32
        };
        let first_day = date(2026, 9, 7).checked_add(jiff::Span::new().days(rng.between(0, 6)));
        Self {
            seed,
            first_day: first_day.unwrap_or(date(2026, 9, 7)),
            days: between(&mut rng, days),
            people,
            meetings_per_day: (people * between(&mut rng, meetings_pct) / 100).max(8),
            unusual_meetings: rng.chance(0.5),
            background: Background {
                buildings: rng.between(1, most_buildings) as usize,
                weekend_pct: rng.pick(&[0, 3, 7, 15, 40]),
                noise_pct: rng.pick(&[50, 100, 100, 150, 200]),
                varied_networks: true,
                known_problems: false,
            },
            planting: Planting::None,
            ..Self::default()
        }
    }
}
