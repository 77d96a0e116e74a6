//! The truth about a tenant's incidents: those that were planted, and what its usual problems amount to.
//!
//! A person whose computer is always overloaded, or whose home network is always bad, has a chronic problem that nobody
//! planted. So the samples of all people and rooms are judged day by day, and whoever is much worse than the others on
//! five of ten days is listed as chronic, marked as not planted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;

use super::outcome::{Footprint, SessionOutcome, has_samples, outcomes};
use super::poor_minute::poor_metric;
use crate::generators::quality::SampleGenerator;
use crate::model::ids::{self, UserIdType};
use crate::model::incident::{Direction, Incident, IncidentLength, Metric, Scope, ScopeKind};
use crate::model::places::{BUILDINGS, DEGRADED_BUILDING, room_name};
use crate::model::{Identity, Tenant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    Acute,
    Chronic,
}

/// An incident as a perfect observer of the samples would report it. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentTruth {
    pub kind: IncidentKind,
    pub scope_kind: ScopeKind,
    /// A building's name, a /24, the ID of a room or a person, a meeting key, or the value in participant_list.
    pub scope: String,
    pub scope_name: String,
    pub metric: Metric,
    pub direction: Direction,
    /// Start of the first minute in which somebody is affected.
    pub start_time: i64,
    /// End of the last one.
    pub end_time: i64,
    pub meetings: usize,
    /// Minutes of all people affected.
    pub minutes: u32,
    /// Open IDs and room IDs of the people and rooms affected.
    pub people: Vec<String>,
    /// False for what is usual in this tenant.
    pub planted: bool,
}

/// A person or room is in trouble on a day with at least this share of bad minutes,
const CHRONIC_PCT: u32 = 20;
/// which is this many times that of everybody else,
const CHRONIC_TIMES: u32 = 3;
/// on this many of ten days.
const CHRONIC_DAYS: usize = 5;
const DAYS_LOOKED_AT: usize = 10;

impl Tenant {
    /// All incidents, planted ones first.
    pub fn incident_truths(&self) -> Vec<IncidentTruth> {
        let mut truths: Vec<IncidentTruth> = self
            .incidents
            .iter()
            .map(|incident| {
                let found = outcomes(self, incident.scope, &incident.periods, Some(incident), &[incident.metric]);
                self.truth(Found::of(incident), &found)
            })
            .collect();
        truths.extend(self.degraded_building());
        let known: BTreeSet<String> = truths.iter().map(|truth| truth.scope.clone()).collect();
        truths.extend(self.chronic_background().into_iter().filter(|truth| !known.contains(&truth.scope)));
        truths
    }

    fn degraded_building(&self) -> Option<IncidentTruth> {
        let degraded: &Range<i64> = &self.problems.degraded;
        let network = [Metric::Jitter, Metric::Loss, Metric::Delay];
        let scope = Scope::Site(DEGRADED_BUILDING);
        let found = outcomes(self, scope, std::slice::from_ref(degraded), None, &network);
        let affected = Footprint::new(&found).affected.len();
        let found_as = Found {
            scope,
            kind: IncidentKind::Acute,
            metric: Metric::Jitter,
            direction: Direction::Both,
            is_planted: true,
        };
        (affected >= 3).then(|| self.truth(found_as, &found))
    }

    fn truth(&self, found: Found, outcomes: &[SessionOutcome]) -> IncidentTruth {
        let footprint = Footprint::new(outcomes);
        let (scope, scope_name) = self.scope_words(found.scope);
        IncidentTruth {
            kind: found.kind,
            scope_kind: found.scope.kind(),
            scope,
            scope_name,
            metric: found.metric,
            direction: found.direction,
            start_time: footprint.first_bad,
            end_time: footprint.last_bad,
            meetings: footprint.meetings.len(),
            minutes: footprint.bad_minutes,
            people: footprint.affected.iter().map(|who| self.scope_words(scope_of(*who)).0).collect(),
            planted: found.is_planted,
        }
    }

    /// The value of a scope as the published tables have it, and its name.
    pub(super) fn scope_words(&self, scope: Scope) -> (String, String) {
        let seed = self.spec.seed;
        let net = |[a, b, c]: [u8; 3]| format!("{a}.{b}.{c}.0/24");
        let (value, name) = match scope {
            Scope::Service => ("service".to_owned(), None),
            Scope::Site(building) => (BUILDINGS[building].name.to_owned(), None),
            Scope::Egress(ip) | Scope::Subnet(ip) => (net(ip), None),
            Scope::Room(room) => (ids::room_id(seed, room), Some(room_name(room))),
            Scope::Meeting(instance) => {
                let meeting = self.meetings.iter().find(|meeting| meeting.instance_id == instance);
                meeting.map_or_else(Default::default, |meeting| (meeting.key(), Some(meeting.topic.clone())))
            }
            Scope::Person(person) => {
                let name = self.people[person as usize].name.clone();
                (ids::user_id(seed, person, UserIdType::OpenId), Some(name))
            }
            Scope::AppVersion(text) | Scope::Device(text) | Scope::NetworkType(text) | Scope::Location(text) => {
                (text.to_owned(), None)
            }
        };
        let name = name.unwrap_or_else(|| value.clone());
        (value, name)
    }

    /// Who is worse than the others for good, by the tenant's usual problems.
    fn chronic_background(&self) -> Vec<IncidentTruth> {
        let mut people: BTreeMap<Identity, Vec<(SessionOutcome, [u32; Metric::ALL.len()])>> = BTreeMap::new();
        let mut everybody: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
        for (index, meeting) in self.meetings.iter().enumerate() {
            for row in meeting.sessions.clone() {
                let session = &self.sessions[row];
                if !has_samples(meeting, session) {
                    continue;
                }
                let (outcome, metrics) = self.usual_outcome(index, row);
                let day = everybody.entry(outcome.day).or_default();
                *day = (day.0 + outcome.minutes, day.1 + outcome.bad_minutes);
                people.entry(session.identity).or_default().push((outcome, metrics));
            }
        }
        let chronic = people.into_iter().filter_map(|(who, sessions)| {
            let mut days: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
            for (one, _) in &sessions {
                let day = days.entry(one.day).or_default();
                *day = (day.0 + one.minutes, day.1 + one.bad_minutes);
            }
            let bad: Vec<bool> = days
                .iter()
                .map(|(day, (minutes, bad))| {
                    let (all, all_bad) = everybody[day];
                    let (others, others_bad) = ((all - minutes).max(1), all_bad - bad);
                    let is_worse = u64::from(*bad) * u64::from(others)
                        >= u64::from(CHRONIC_TIMES * others_bad) * u64::from(*minutes);
                    100 * bad >= CHRONIC_PCT * minutes && *bad >= 3 && is_worse
                })
                .collect();
            let is_chronic = bad
                .windows(DAYS_LOOKED_AT.min(bad.len()).max(1))
                .any(|days| days.iter().filter(|is_bad| **is_bad).count() >= CHRONIC_DAYS);
            is_chronic.then(|| {
                let minutes = |metric: usize| sessions.iter().map(|(_, metrics)| metrics[metric]).sum::<u32>();
                let worst = (0..Metric::ALL.len()).max_by_key(|metric| (minutes(*metric), usize::MAX - metric));
                let found = Found {
                    scope: scope_of(who),
                    kind: IncidentKind::Chronic,
                    metric: Metric::ALL[worst.unwrap_or(0)],
                    direction: Direction::Both,
                    is_planted: false,
                };
                let outcomes: Vec<SessionOutcome> = sessions.into_iter().map(|(outcome, _)| outcome).collect();
                self.truth(found, &outcomes)
            })
        });
        chronic.collect()
    }

    /// A session without planted incidents, with its bad minutes by metric.
    fn usual_outcome(&self, index: usize, row: usize) -> (SessionOutcome, [u32; Metric::ALL.len()]) {
        let (meeting, session) = (&self.meetings[index], &self.sessions[row]);
        let generator = SampleGenerator::with_incidents(self, meeting, row, Vec::new());
        let mut metrics = [0; Metric::ALL.len()];
        let mut outcome = SessionOutcome {
            meeting: index,
            who: session.identity,
            day: self.spec.day_of(meeting.start),
            minutes: session.minute_count() as u32,
            bad_minutes: 0,
            first_bad: i64::MAX,
            last_bad: i64::MIN,
        };
        for minute in 0..session.minute_count() {
            let sample = generator.sample(minute);
            let in_degraded =
                session.building == Some(DEGRADED_BUILDING) && self.problems.degraded.contains(&sample.at);
            let Some(metric) = poor_metric(&sample).filter(|_| !in_degraded) else { continue };
            if let Some(place) = Metric::ALL.iter().position(|one| *one == metric) {
                metrics[place] += 1;
            }
            outcome.bad_minutes += 1;
            outcome.first_bad = outcome.first_bad.min(sample.at);
            outcome.last_bad = outcome.last_bad.max(sample.at + 60);
        }
        (outcome, metrics)
    }
}

/// The identity of a truth.
#[derive(Debug, Clone, Copy)]
struct Found {
    scope: Scope,
    kind: IncidentKind,
    metric: Metric,
    direction: Direction,
    is_planted: bool,
}

impl Found {
    fn of(incident: &Incident) -> Self {
        let kind = if incident.length == IncidentLength::Chronic { IncidentKind::Chronic } else { IncidentKind::Acute };
        let (scope, metric, direction) = (incident.scope, incident.metric, incident.direction);
        Self { scope, kind, metric, direction, is_planted: true }
    }
}

fn scope_of(who: Identity) -> Scope {
    match who {
        Identity::Room(room) => Scope::Room(room),
        Identity::Person(person)
        | Identity::External(person)
        | Identity::Guest(person)
        | Identity::Telephone(person) => Scope::Person(person),
    }
}
