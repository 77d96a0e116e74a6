//! Generates the calendar: which meetings take place, and when.
//!
//! Meetings recur under one number, take place in personal rooms, or happen once; working days have two peaks and
//! weekends are quiet. The first two days contain one of each unusual meeting, so that a small tenant has them too.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::model::TenantSpec;
use crate::random::{SeededRng, derive_key};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeetingKind {
    Team,
    OneToOne,
    AllHands,
    /// With guests, a telephone caller and people of another tenant.
    External,
    Webinar,
    /// A local screen cast: `meeting_type` 3.
    ScreenCast,
    /// Longer than a day.
    Marathon,
    /// Shorter than a minute.
    Instant,
    /// One person on two devices, and duplicates: two devices with the same ID and join second.
    Devices,
}

/// A meeting without its participants. Times are Unix seconds.
#[derive(Debug, Clone)]
pub(crate) struct ScheduledMeeting {
    pub(crate) number: u32,
    pub(crate) kind: MeetingKind,
    pub(crate) topic: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Ordinal of a person.
    pub(crate) organizer: u32,
    /// Number of attendees; `None`: as usual for the kind.
    pub(crate) people: Option<usize>,
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

/// Planned lengths in minutes, with their weights.
const PLANNED_MINUTES: &[(u32, i64)] = &[(16, 15), (10, 25), (34, 30), (10, 45), (24, 60), (6, 90)];

/// Weights of the hours at which meetings start, from 8 o'clock.
const START_WEIGHTS: [u32; 14] = [3, 12, 20, 13, 2, 7, 17, 14, 11, 6, 3, 2, 0, 1];

const HOUR: i64 = 3600;

/// What every tenant has, whatever its seed: number (the same letter is the same number), kind, topic, day, start
/// (seconds after midnight) and length in seconds.
const UNUSUAL_MEETINGS: &[(char, MeetingKind, &str, u32, i64, i64)] = &[
    ('a', MeetingKind::Team, "Standing room: triage", 0, 9 * HOUR + 13, 1500),
    ('a', MeetingKind::Team, "Standing room: triage", 0, 16 * HOUR + 7, 1860),
    ('a', MeetingKind::Team, "Standing room: triage", 1, 9 * HOUR + 41, 1320),
    ('b', MeetingKind::External, "Vendor review with Brightleaf", 0, 10 * HOUR, 2777),
    ('c', MeetingKind::Devices, "两台设备测试", 0, 11 * HOUR + 300, 1805),
    ('d', MeetingKind::Instant, "临时会议", 0, 13 * HOUR + 600, 22),
    ('e', MeetingKind::ScreenCast, "Screen cast", 0, 14 * HOUR, 1200),
    ('f', MeetingKind::Webinar, "新品发布直播", 0, 15 * HOUR, 6400),
    ('g', MeetingKind::Team, "Night hand-over", 0, 23 * HOUR + 2400, 2400),
    ('h', MeetingKind::Marathon, "Release room", 0, 17 * HOUR + 1800, 95_600),
];

/// A meeting that recurs under one number.
struct Series {
    number: u32,
    topic: String,
    kind: MeetingKind,
    organizer: u32,
    /// A bit for each weekday, Monday = bit 0.
    weekdays: u8,
    /// Seconds after midnight.
    starts: Vec<i64>,
    planned_s: i64,
}

/// Generates all meetings, sorted by start; none ends after the tenant does.
pub(crate) fn generate_calendar(spec: &TenantSpec) -> Vec<ScheduledMeeting> {
    let mut numbers = 0..u32::MAX;
    let mut number = || meeting_number(spec.seed, numbers.next().unwrap_or(u32::MAX));
    let mut meetings = Vec::new();
    let mut unusual_numbers = HashMap::new();
    let unusual = if spec.unusual_meetings { UNUSUAL_MEETINGS } else { &[] };
    for (at, (letter, kind, topic, day, start_s, length_s)) in unusual.iter().enumerate() {
        if *day < spec.days {
            let start = spec.midnight(*day) + start_s;
            meetings.push(ScheduledMeeting {
                number: *unusual_numbers.entry(letter).or_insert_with(&mut number),
                kind: *kind,
                topic: (*topic).to_owned(),
                start,
                end: start + length_s,
                organizer: at as u32 % spec.people.max(1),
                people: None,
            });
        }
    }
    let series = plan_series(spec, &mut number);
    let personal: Vec<u32> = (0..spec.people).map(|_| number()).collect();
    for day in 0..spec.days {
        fill_day(spec, day, &series, &personal, &mut number, &mut meetings);
    }
    add_extra(spec, &mut number, &mut meetings);
    let end = spec.end();
    meetings.retain(|meeting| meeting.end <= end);
    // A number is one room: of two meetings that would overlap in it, the later one is dropped.
    meetings.sort_by_key(|meeting| (meeting.start, meeting.number, Reverse(meeting.end)));
    let mut busy_until = HashMap::new();
    meetings.retain(|meeting| {
        let free_at = busy_until.entry(meeting.number).or_insert(i64::MIN);
        let free = meeting.start > *free_at;
        if free {
            // At least a minute apart, so that starts rounded down to the minute still differ.
            *free_at = meeting.end + 60;
        }
        free
    });
    meetings
}

/// The nine-digit number of the n-th room: a full cycle over 100000000..=999999999, so that all differ.
fn meeting_number(seed: u64, ordinal: u32) -> u32 {
    const SPAN: u64 = 900_000_000;
    // Coprime with the span, whose primes are 2, 3 and 5.
    const STEP: u64 = 618_033_989;
    let at = (derive_key(seed, 0x6E6F) % SPAN + u64::from(ordinal) * STEP) % SPAN;
    100_000_000 + at as u32
}

fn plan_series(spec: &TenantSpec, number: &mut impl FnMut() -> u32) -> Vec<Series> {
    let mut rng = SeededRng::new(derive_key(spec.seed, 0x7365_7269));
    let mut planned = Vec::new();
    // Just under half of all meetings of a week belong to a series.
    let mut remaining = f64::from(spec.meetings_per_day) * 5.0 * 0.45;
    while remaining > 0.0 {
        let one_day = 1_u8 << rng.index(5);
        let weekdays = rng.weighted(&[(30, 0b1_1111), (12, 0b1_0101), (10, 0b0_1010), (48, one_day)]);
        let first = planned_start(&mut rng);
        let mut starts = vec![first];
        if rng.chance(0.06) {
            starts.push(first + 6 * HOUR);
        }
        let kind = if rng.chance(0.02) { MeetingKind::AllHands } else { MeetingKind::Team };
        remaining -= f64::from(weekdays.count_ones()) * starts.len() as f64;
        planned.push(Series {
            number: number(),
            topic: rng.pick(SERIES_TOPICS).to_owned(),
            kind,
            organizer: rng.index(spec.people as usize) as u32,
            weekdays,
            starts,
            planned_s: 60 * rng.weighted(PLANNED_MINUTES),
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
    meetings: &mut Vec<ScheduledMeeting>,
) {
    let mut rng = SeededRng::new(derive_key(derive_key(spec.seed, 0x6461_7973), u64::from(day)));
    let midnight = spec.midnight(day);
    let weekday = spec.weekday(day);
    let weekend = f64::from(spec.background.weekend_pct) / 100.0;
    let share = if weekday >= 5 { weekend } else { 0.88 + 0.24 * rng.unit_interval() };
    let wanted = (f64::from(spec.meetings_per_day) * share) as usize;
    let mut count = 0;
    for one in series.iter().filter(|one| one.weekdays >> weekday & 1 == 1) {
        for start in &one.starts {
            // One in fifteen is cancelled.
            if count < wanted && !rng.chance(0.066) {
                count += 1;
                let start = midnight + start + rng.between(-90, 240);
                let lasts = actual_length(&mut rng, one.planned_s);
                meetings.push(ScheduledMeeting {
                    number: one.number,
                    kind: one.kind,
                    topic: one.topic.clone(),
                    start,
                    end: start + lasts,
                    organizer: one.organizer,
                    people: None,
                });
            }
        }
    }
    for _ in count..wanted {
        let organizer = rng.index(spec.people as usize) as u32;
        let kind = rng.weighted(&[
            (500, MeetingKind::Team),
            (330, MeetingKind::OneToOne),
            (110, MeetingKind::External),
            (25, MeetingKind::Instant),
            (20, MeetingKind::ScreenCast),
            (10, MeetingKind::Devices),
            (4, MeetingKind::Webinar),
            (1, MeetingKind::Marathon),
        ]);
        let start = midnight + planned_start(&mut rng) + rng.between(-120, 900);
        let planned = 60 * rng.weighted(PLANNED_MINUTES);
        let lasts = match kind {
            MeetingKind::Instant => rng.between(8, 58),
            MeetingKind::Marathon => rng.between(88_000, 120_000),
            MeetingKind::Webinar => actual_length(&mut rng, planned.max(2700)),
            _ => actual_length(&mut rng, planned),
        };
        let number = if rng.chance(0.35) { personal[organizer as usize] } else { number() };
        meetings.push(ScheduledMeeting {
            number,
            kind,
            topic: rng.pick(AD_HOC_TOPICS).to_owned(),
            start,
            end: start + lasts,
            organizer,
            people: None,
        });
    }
}

fn add_extra(spec: &TenantSpec, number: &mut impl FnMut() -> u32, meetings: &mut Vec<ScheduledMeeting>) {
    for extra in &spec.extra_meetings {
        for nth in 0..extra.count {
            let end = spec.midnight(extra.day) + extra.end_s + i64::from(nth % 60);
            let shorter_s = i64::from(nth) * 60 % (extra.length_s / 2).max(1);
            meetings.push(ScheduledMeeting {
                number: number(),
                kind: if extra.is_webinar { MeetingKind::Webinar } else { MeetingKind::Team },
                topic: SERIES_TOPICS[nth as usize % SERIES_TOPICS.len()].to_owned(),
                start: end - extra.length_s + shorter_s,
                end,
                organizer: nth % spec.people.max(1),
                people: Some(extra.people),
            });
        }
    }
}

/// A planned start, in seconds after midnight: mostly on the half hour.
fn planned_start(rng: &mut SeededRng) -> i64 {
    let hours: Vec<(u32, i64)> = START_WEIGHTS.into_iter().zip(8..).collect();
    rng.weighted(&hours) * HOUR + rng.weighted(&[(55, 0), (35, 1800), (5, 900), (5, 2700)])
}

/// The length in seconds of a meeting of a planned length: usually a little shorter, sometimes longer.
fn actual_length(rng: &mut SeededRng, planned_s: i64) -> i64 {
    (planned_s as f64 * (0.72 + 0.42 * rng.unit_interval())) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::ExtraMeetings;

    #[test]
    fn numbers_have_nine_digits_and_are_unique() {
        let numbers: HashSet<u32> = (0..100_000).map(|ordinal| meeting_number(4, ordinal)).collect();
        assert_eq!(numbers.len(), 100_000);
        assert!(numbers.iter().all(|number| (100_000_000..=999_999_999).contains(number)));
    }

    #[test]
    fn meetings_of_one_number_never_overlap() {
        let spec = TenantSpec { days: 14, meetings_per_day: 80, ..TenantSpec::default() };
        let mut last_end = HashMap::new();
        for meeting in generate_calendar(&spec) {
            let end = last_end.insert(meeting.number, meeting.end).unwrap_or(i64::MIN);
            assert!(meeting.start > end, "{} overlaps itself", meeting.number);
        }
    }

    #[test]
    fn working_days_are_busy_and_weekends_are_not() {
        let spec = TenantSpec { days: 7, meetings_per_day: 100, ..TenantSpec::default() };
        let mut by_weekday = [0_usize; 7];
        for meeting in generate_calendar(&spec) {
            by_weekday[spec.weekday(((meeting.start - spec.midnight(0)) / 86_400) as u32) as usize] += 1;
        }
        assert!(by_weekday[..5].iter().all(|count| (80..125).contains(count)), "{by_weekday:?}");
        assert!(by_weekday[5..].iter().all(|count| *count < 15), "{by_weekday:?}");
    }

    #[test]
    fn extra_meetings_end_in_one_minute() {
        let extra =
            ExtraMeetings { count: 150, day: 1, end_s: 15 * HOUR, length_s: 3600, people: 5, is_webinar: false };
        let spec = TenantSpec { days: 2, ..TenantSpec::default() };
        let usual = generate_calendar(&spec).len();
        let minute = spec.midnight(1) + 15 * HOUR..spec.midnight(1) + 15 * HOUR + 60;
        let meetings = generate_calendar(&TenantSpec { extra_meetings: vec![extra], ..spec });
        let found: Vec<_> = meetings.iter().filter(|meeting| meeting.people == Some(5)).collect();
        assert_eq!((meetings.len(), found.len()), (usual + 150, 150));
        assert!(found.iter().all(|meeting| minute.contains(&meeting.end)));
        assert!(found.iter().all(|meeting| (1800..=3600).contains(&(meeting.end - meeting.start))));
    }

    #[test]
    fn a_small_tenant_has_every_unusual_meeting() {
        let spec = TenantSpec { days: 2, meetings_per_day: 1, ..TenantSpec::default() };
        let meetings = generate_calendar(&spec);
        for (_, _, topic, ..) in UNUSUAL_MEETINGS {
            assert!(meetings.iter().any(|meeting| meeting.topic == *topic), "{topic} is missing");
        }
        assert!(meetings.iter().any(|meeting| meeting.end - meeting.start > 86_400));
        assert!(meetings.iter().all(|meeting| meeting.end <= spec.end()));
    }
}
