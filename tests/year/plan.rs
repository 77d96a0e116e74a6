//! What happens in each night of a seed. Pure.

use std::ops::Range;
use std::time::Duration;

use super::random::Random;

/// The last nights have no trouble, so that everything that was pending ends.
pub(super) const CALM_NIGHTS: usize = 8;
/// Building `vcq.duckdb` is most of the cost of a night.
const PUBLISHES_EVERY: usize = 12;
const HOUR_US: i64 = 3_600_000_000;

/// What goes wrong in a night.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trouble {
    Nothing,
    /// The machine is off.
    Off,
    /// The host refuses the connections of these requests of the night.
    Outage(Range<u64>),
    /// Faults of the simulator, as `simulate --fault` takes them.
    Faults(&'static [&'static str]),
    /// The server admits only this many calls a minute.
    Limit(usize),
    /// The run is killed at this request, after this time, or before it publishes.
    KillAtRequest(u64),
    KillAfter(Duration),
    KillBeforePublishing,
    /// SIGTERM at this request.
    Terminate(u64),
    /// The disk is full after this many writes.
    FullDisk(u32),
    MaxCalls(u64),
    /// `--finish-by`, this long after the start.
    FinishAfter(Duration),
    /// The program's clock is set at this request.
    ClockStep(u64, i64),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Night {
    pub trouble: Trouble,
    /// `--since`.
    pub since: &'static str,
    /// How far the program's clock is ahead.
    pub ahead_us: i64,
    pub moves_store: bool,
    pub publishes: bool,
    /// The receiver of alerts refuses them.
    pub refuses_alerts: bool,
    pub settle_hours: u32,
    pub concurrency: u32,
    pub calls_per_minute: u32,
    pub longest_meeting_days: u32,
}

/// What is the same in all nights of a seed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Year {
    pub seed: u64,
    pub identity: &'static str,
    pub topics: &'static str,
    /// After this many seconds all answers are complete.
    pub ready_after_s: i64,
    pub lists_ready_after_s: i64,
    pub nights: Vec<Night>,
}

const FAULTS: &[&[&str]] = &[
    &["throttle@chance=0.3"],
    &["throttle-400@chance=0.2"],
    &["throttle-bare@chance=0.3"],
    &["throttle-huge@after=6"],
    &["participant_quality_list:throttle-huge"],
    &["internal-error@chance=0.3"],
    &["participant_quality_list:internal-error"],
    &["html@chance=0.3"],
    &["html"],
    &["empty@chance=0.2"],
    &["truncated@chance=0.3"],
    &["not-json@chance=0.2"],
    &["reset@chance=0.3"],
    &["reset-in-answer@chance=0.3", "internal-error@chance=0.1"],
    &["stall@chance=0.1"],
    &["participant_list:stall"],
    &["text-envelope"],
    &["gzip@chance=0.5"],
    &["quota@after=3"],
    &["quota@after=12"],
    &["quota"],
    &["no-permission"],
    &["participant_quality_list:no-permission"],
    &["missing-scope"],
    &["ip-not-allowed@after=8"],
    &["tenant_access_token:code=10014"],
    &["tenant_access_token:internal-error@first=2"],
    &["repeat-token"],
    &["endless"],
];

impl Year {
    pub(super) fn new(seed: u64, nights: usize) -> Year {
        let mut random = Random::new(seed ^ 0x7965_6172);
        let identity = ["full", "full", "pseudonym", "none"][seed as usize % 4];
        let topics = if random.chance(0.3) { "drop" } else { "keep" };
        let ready_after_s = random.below(20 * 3_600) as i64;
        let lists_ready_after_s = random.below(12 * 3_600) as i64;
        let mut plan = Vec::with_capacity(nights);
        let mut night = Night {
            trouble: Trouble::Nothing,
            since: "last",
            ahead_us: 0,
            moves_store: false,
            publishes: true,
            refuses_alerts: false,
            settle_hours: 24,
            concurrency: 40,
            calls_per_minute: 100,
            longest_meeting_days: 3,
        };
        let first_publication = random.below(PUBLISHES_EVERY as u64) as usize;
        let mut off = 0;
        for at in 0..nights {
            let is_calm = at == 0 || at + CALM_NIGHTS >= nights;
            if random.chance(0.05) {
                night.ahead_us = (random.below(7) as i64 - 3) * HOUR_US;
            }
            if random.chance(0.03) {
                night.settle_hours = random.pick(&[24, 26, 30]);
                night.concurrency = random.pick(&[1, 3, 8, 40]);
                night.calls_per_minute = random.pick(&[20, 60, 100]);
                night.longest_meeting_days = random.pick(&[2, 3, 5]);
            }
            night.since = if random.chance(0.1) { random.pick(&["2d", "4d", "yesterday"]) } else { "last" };
            night.moves_store = random.chance(0.02);
            night.refuses_alerts = random.chance(0.2);
            night.publishes = at == 0 || at + 1 == nights || at % PUBLISHES_EVERY == first_publication;
            night.trouble = if off > 0 { Trouble::Off } else { trouble(&mut random) };
            off = match night.trouble {
                Trouble::Off if off == 0 => random.below(4),
                _ => u64::saturating_sub(off, 1),
            };
            if is_calm {
                (night.trouble, night.since, night.refuses_alerts) = (Trouble::Nothing, "last", false);
            }
            plan.push(night.clone());
        }
        Year { seed, identity, topics, ready_after_s, lists_ready_after_s, nights: plan }
    }
}

fn trouble(random: &mut Random) -> Trouble {
    let request = random.below(25) + 1;
    match random.below(40) {
        0 => Trouble::Off,
        1 => Trouble::Outage(0..u64::MAX),
        2 | 3 => Trouble::Outage(request..request + random.below(30)),
        4..=9 => Trouble::Faults(random.pick(FAULTS)),
        10 => Trouble::Limit(4),
        11 | 12 => Trouble::KillAtRequest(request),
        13 | 14 => Trouble::KillAfter(Duration::from_millis(random.below(9_000))),
        15 => Trouble::KillBeforePublishing,
        16 => Trouble::Terminate(request),
        17 | 18 => Trouble::FullDisk(random.below(12) as u32),
        19 => Trouble::MaxCalls(random.below(12)),
        20 => Trouble::FinishAfter(Duration::from_secs(random.below(8))),
        21 => Trouble::ClockStep(request, (random.below(7) as i64 - 3) * HOUR_US),
        _ => Trouble::Nothing,
    }
}

#[test]
fn every_kind_of_trouble_comes_within_some_years_and_the_same_seed_gives_the_same_plan() {
    let years: Vec<Year> = (0..4).map(|seed| Year::new(seed, 365)).collect();
    assert_eq!(years[1], Year::new(1, 365));
    assert_ne!(years[1].nights, years[2].nights);
    let nights = || years.iter().flat_map(|year| &year.nights);
    let mut kinds: Vec<_> = nights().map(|night| std::mem::discriminant(&night.trouble)).collect();
    kinds.dedup();
    let kinds: std::collections::HashSet<_> = kinds.into_iter().collect();
    assert_eq!(kinds.len(), 13);
    let used =
        |fault: &&&[&str]| nights().any(|night| matches!(night.trouble, Trouble::Faults(used) if used == **fault));
    assert!(FAULTS.iter().filter(used).count() > FAULTS.len() * 3 / 4);
    assert!(nights().any(|night| night.moves_store) && nights().any(|night| night.ahead_us < 0));
}
