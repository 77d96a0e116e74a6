//! Which meetings the made-up tenant holds, and when.
//!
//! Owns the calendar: series that recur under one number, personal rooms, one-off meetings, the daily shape (two peaks,
//! quiet weekends), and the staged cases that every tenant has on its first day so that a small one shows them too.
//! Who comes is decided in `attendance`.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::dice::{Dice, key};
use super::tenant::TenantSpec;

/// What kind of meeting an occasion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Team,
    OneToOne,
    AllHands,
    /// With guests who have no id, a telephone line and people of another tenant.
    External,
    Webinar,
    /// A local screen cast: `meeting_type` 3.
    Cast,
    /// Longer than a day.
    Marathon,
    /// Over before the first minute is.
    Instant,
    /// One person on two devices, and duplicates: two devices that join in the same second.
    Devices,
}

/// A meeting before anybody has joined it.
#[derive(Debug, Clone)]
pub(super) struct Occasion {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) topic: String,
    /// Unix seconds.
    pub(super) start: i64,
    /// Unix seconds.
    pub(super) end: i64,
    /// Index of the person who holds it.
    pub(super) organizer: u32,
}

const SERIES_TOPICS: &[&str] = &[
    "Daily stand-up",
    "产品周会",
    "Sprint planning",
    "客户成功例会",
    "Pipeline review",
    "供应链早会",
    "Design critique",
    "Incident review",
    "预算评审",
    "Hiring sync",
    "Release go / no-go",
    "跨部门对齐会",
];

const AD_HOC_TOPICS: &[&str] = &[
    "Quick sync",
    "方案讨论",
    "Call about the quote",
    "面试沟通",
    "Bug triage \"login loop\"",
    "临时会议",
    "Contract review",
    "None",
    "需求澄清（第二轮）",
    "Pairing",
];

/// Planned lengths in minutes, with their share.
const PLANNED_MINUTES: &[(u32, i64)] = &[(16, 15), (10, 25), (34, 30), (10, 45), (24, 60), (6, 90)];

/// Hours at which meetings begin, with their share: a peak in the morning and one in the afternoon.
const START_HOURS: &[(u32, i64)] = &[
    (3, 8),
    (12, 9),
    (20, 10),
    (13, 11),
    (2, 12),
    (7, 13),
    (17, 14),
    (14, 15),
    (11, 16),
    (6, 17),
    (3, 18),
    (2, 19),
    (1, 21),
];

/// Share of the meetings of a working day that a weekend day has.
const WEEKEND_SHARE: f64 = 0.07;

/// One staged case: what happens on a given day of the tenant whatever the dice say.
struct Staged {
    kind: Kind,
    topic: &'static str,
    /// Day of the tenant, from 0.
    day: u32,
    at: i64,
    lasts: i64,
    /// Cases with the same letter share a meeting number.
    number: char,
}

const HOUR: i64 = 3600;

const STAGED: &[Staged] = &[
    Staged { kind: Kind::Team, topic: "Standing room: triage", day: 0, at: 9 * HOUR + 13, lasts: 1500, number: 'a' },
    Staged { kind: Kind::Team, topic: "Standing room: triage", day: 0, at: 16 * HOUR + 7, lasts: 1860, number: 'a' },
    Staged { kind: Kind::Team, topic: "Standing room: triage", day: 1, at: 9 * HOUR + 41, lasts: 1320, number: 'a' },
    Staged {
        kind: Kind::External,
        topic: "Vendor review with Brightleaf",
        day: 0,
        at: 10 * HOUR,
        lasts: 2777,
        number: 'b',
    },
    Staged { kind: Kind::Devices, topic: "两台设备测试", day: 0, at: 11 * HOUR + 300, lasts: 1805, number: 'c' },
    Staged { kind: Kind::Instant, topic: "临时会议", day: 0, at: 13 * HOUR + 600, lasts: 22, number: 'd' },
    Staged { kind: Kind::Cast, topic: "Screen cast", day: 0, at: 14 * HOUR, lasts: 1200, number: 'e' },
    Staged { kind: Kind::Webinar, topic: "新品发布直播", day: 0, at: 15 * HOUR, lasts: 6400, number: 'f' },
    Staged { kind: Kind::Team, topic: "Night hand-over", day: 0, at: 23 * HOUR + 2400, lasts: 2400, number: 'g' },
    Staged { kind: Kind::Marathon, topic: "Release room", day: 0, at: 17 * HOUR + 1800, lasts: 95_600, number: 'h' },
];

/// A meeting that comes back under one number.
struct Series {
    number: u32,
    topic: String,
    kind: Kind,
    organizer: u32,
    /// Weekdays from Monday = 0; a bit each.
    weekdays: u8,
    starts: Vec<i64>,
    planned_s: i64,
}

/// Lays out all the meetings of a tenant, in the order of their starts; none of them ends after the tenant does.
pub(super) fn lay_out(spec: &TenantSpec) -> Vec<Occasion> {
    let mut numbers = 0..u32::MAX;
    let mut number = || meeting_number(spec.seed, numbers.next().unwrap_or(u32::MAX));
    let mut occasions = Vec::new();
    if spec.staged_cases {
        stage(spec, &mut number, &mut occasions);
    }
    let series = plan_series(spec, &mut number);
    let personal: Vec<u32> = (0..spec.people).map(|_| number()).collect();
    for day in 0..spec.days {
        fill_day(spec, day, &series, &personal, &mut number, &mut occasions);
    }
    let end = spec.end();
    occasions.retain(|occasion| occasion.end <= end);
    // A number is one room: where two meetings of it would overlap, the later one did not happen.
    occasions.sort_by_key(|occasion| (occasion.start, occasion.number, Reverse(occasion.end)));
    let mut busy_until = HashMap::new();
    occasions.retain(|occasion| {
        let free_at = busy_until.entry(occasion.number).or_insert(i64::MIN);
        let free = occasion.start > *free_at;
        if free {
            // A minute apart at least, so that starts floored to the minute still tell them apart.
            *free_at = occasion.end + 60;
        }
        free
    });
    occasions
}

/// The nine-digit number of the n-th room: a full cycle over 100000000..=999999999, so no two are alike.
fn meeting_number(seed: u64, ordinal: u32) -> u32 {
    const SPAN: u64 = 900_000_000;
    // Coprime with the span, whose primes are 2, 3 and 5.
    const STEP: u64 = 618_033_989;
    let at = (key(seed, 0x6E6F) % SPAN + u64::from(ordinal) * STEP) % SPAN;
    100_000_000 + at as u32
}

fn stage(spec: &TenantSpec, number: &mut impl FnMut() -> u32, occasions: &mut Vec<Occasion>) {
    let mut numbers: Vec<(char, u32)> = Vec::new();
    for (ordinal, case) in STAGED.iter().enumerate().filter(|(_, case)| case.day < spec.days) {
        let known = numbers.iter().find(|(letter, _)| *letter == case.number).map(|(_, number)| *number);
        let case_number = known.unwrap_or_else(|| {
            let fresh = number();
            numbers.push((case.number, fresh));
            fresh
        });
        let start = spec.midnight(case.day) + case.at;
        occasions.push(Occasion {
            number: case_number,
            kind: case.kind,
            topic: case.topic.to_owned(),
            start,
            end: start + case.lasts,
            organizer: ordinal as u32 % spec.people.max(1),
        });
    }
}

fn plan_series(spec: &TenantSpec, number: &mut impl FnMut() -> u32) -> Vec<Series> {
    let mut dice = Dice::new(key(spec.seed, 0x7365_7269));
    let mut planned = Vec::new();
    // Occurrences a week that series should fill: just under half of all.
    let mut left = f64::from(spec.meetings_per_day) * 5.0 * 0.45;
    while left > 0.0 {
        let one_day = 1_u8 << dice.index(5);
        let weekdays = dice.weighted(&[(30, 0b1_1111), (12, 0b1_0101), (10, 0b0_1010), (48, one_day)]);
        let first = start_of_day(&mut dice);
        let mut starts = vec![first];
        if dice.chance(0.06) {
            starts.push(first + 6 * HOUR);
        }
        let kind = if dice.chance(0.02) { Kind::AllHands } else { Kind::Team };
        left -= f64::from(weekdays.count_ones()) * starts.len() as f64;
        planned.push(Series {
            number: number(),
            topic: dice.pick(SERIES_TOPICS).to_owned(),
            kind,
            organizer: dice.index(spec.people as usize) as u32,
            weekdays,
            starts,
            planned_s: 60 * dice.weighted(PLANNED_MINUTES),
        });
    }
    planned
}

fn fill_day(
    spec: &TenantSpec,
    day: u32,
    series: &[Series],
    personal: &[u32],
    number: &mut impl FnMut() -> u32,
    occasions: &mut Vec<Occasion>,
) {
    let mut dice = Dice::new(key(key(spec.seed, 0x6461_7973), u64::from(day)));
    let midnight = spec.midnight(day);
    let weekday = spec.weekday(day);
    let share = if weekday >= 5 { WEEKEND_SHARE } else { 0.88 + 0.24 * dice.unit() };
    let wanted = (f64::from(spec.meetings_per_day) * share) as usize;
    let mut held = 0;
    for one in series.iter().filter(|one| one.weekdays >> weekday & 1 == 1) {
        for start in &one.starts {
            // One in fifteen is cancelled.
            if held < wanted && !dice.chance(0.066) {
                held += 1;
                let start = midnight + start + dice.between(-90, 240);
                let lasts = actual_length(&mut dice, one.planned_s);
                occasions.push(Occasion {
                    number: one.number,
                    kind: one.kind,
                    topic: one.topic.clone(),
                    start,
                    end: start + lasts,
                    organizer: one.organizer,
                });
            }
        }
    }
    for _ in held..wanted {
        let organizer = dice.index(spec.people as usize) as u32;
        let kind = dice.weighted(&[
            (500, Kind::Team),
            (330, Kind::OneToOne),
            (110, Kind::External),
            (25, Kind::Instant),
            (20, Kind::Cast),
            (10, Kind::Devices),
            (4, Kind::Webinar),
            (1, Kind::Marathon),
        ]);
        let start = midnight + start_of_day(&mut dice) + dice.between(-120, 900);
        let planned = 60 * dice.weighted(PLANNED_MINUTES);
        let lasts = match kind {
            Kind::Instant => dice.between(8, 58),
            Kind::Marathon => dice.between(88_000, 120_000),
            Kind::Webinar => actual_length(&mut dice, planned.max(2700)),
            _ => actual_length(&mut dice, planned),
        };
        let number = if dice.chance(0.35) { personal[organizer as usize] } else { number() };
        occasions.push(Occasion {
            number,
            kind,
            topic: dice.pick(AD_HOC_TOPICS).to_owned(),
            start,
            end: start + lasts,
            organizer,
        });
    }
}

/// Seconds after midnight at which a meeting is planned: on the half hour mostly.
fn start_of_day(dice: &mut Dice) -> i64 {
    dice.weighted(START_HOURS) * HOUR + dice.weighted(&[(55, 0), (35, 1800), (5, 900), (5, 2700)])
}

/// How long a meeting of a planned length lasts, in seconds: a little less as a rule, sometimes over.
fn actual_length(dice: &mut Dice, planned_s: i64) -> i64 {
    (planned_s as f64 * (0.72 + 0.42 * dice.unit())) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_have_nine_digits_and_never_meet() {
        let numbers: HashSet<u32> = (0..100_000).map(|ordinal| meeting_number(4, ordinal)).collect();
        assert_eq!(numbers.len(), 100_000);
        assert!(numbers.iter().all(|number| (100_000_000..=999_999_999).contains(number)));
    }

    #[test]
    fn meetings_of_one_number_never_overlap() {
        let spec = TenantSpec { days: 14, meetings_per_day: 80, ..TenantSpec::default() };
        let mut last_end = HashMap::new();
        for occasion in lay_out(&spec) {
            let end = last_end.insert(occasion.number, occasion.end).unwrap_or(i64::MIN);
            assert!(occasion.start > end, "{} overlaps itself", occasion.number);
        }
    }

    #[test]
    fn working_days_are_busy_and_weekends_are_not() {
        let spec = TenantSpec { days: 7, meetings_per_day: 100, ..TenantSpec::default() };
        let mut by_weekday = [0_usize; 7];
        for occasion in lay_out(&spec) {
            by_weekday[spec.weekday(((occasion.start - spec.midnight(0)) / 86_400) as u32) as usize] += 1;
        }
        assert!(by_weekday[..5].iter().all(|count| (80..125).contains(count)), "{by_weekday:?}");
        assert!(by_weekday[5..].iter().all(|count| *count < 15), "{by_weekday:?}");
    }

    #[test]
    fn a_small_tenant_shows_every_staged_case() {
        let spec = TenantSpec { days: 2, meetings_per_day: 1, ..TenantSpec::default() };
        let occasions = lay_out(&spec);
        for case in STAGED {
            assert!(occasions.iter().any(|occasion| occasion.topic == case.topic), "{} is missing", case.topic);
        }
        assert!(occasions.iter().any(|occasion| occasion.end - occasion.start > 86_400));
        assert!(occasions.iter().all(|occasion| occasion.end <= spec.end()));
    }
}
