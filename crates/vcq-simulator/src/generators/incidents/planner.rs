//! Chooses the incidents of a tenant: where, when, what and how strong, from weak to strong.
//!
//! A candidate is kept only if it would be an incident for anybody who sees the samples: enough people, meetings or
//! days are affected, and no other scope contains the same people without others who are not affected.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::outcome::{Footprint, has_samples, meetings_during, outcomes};
use crate::model::incident::{
    Direction, Incident, IncidentLength, Metric, Obstacle, Plant, Planting, Scope, ScopeKind, Unplanted,
};
use crate::model::{DAY_S, Identity, Tenant, TenantSpec};
use crate::random::{SeededRng, derive_key};

const HOUR_S: i64 = 3600;
const MINUTE_S: i64 = 60;

/// How often a place and time are chosen for one incident before it is given up, and how many of them are judged.
const MOST_CHOSEN: u32 = 4_000;
const MOST_JUDGED: u32 = 80;

/// The least number of people whom an incident of a shared scope affects.
const LEAST_PEOPLE: usize = 4;
/// The least number of meetings of an acute incident of one person or room.
const LEAST_MEETINGS: usize = 3;
/// The least number of bad days of a chronic incident.
const LEAST_DAYS: usize = 7;

/// The incidents, and which of the requested ones could not be planted.
pub(crate) fn plan(tenant: &Tenant) -> (Vec<Incident>, Vec<Unplanted>) {
    let key = derive_key(tenant.spec.seed, 0x696E_6369);
    let mut rng = SeededRng::new(key);
    let (plants, is_recent) = match &tenant.spec.planting {
        Planting::None => return Default::default(),
        Planting::Random => (random_plants(&mut rng), false),
        Planting::These(plants) => (plants.clone(), true),
    };
    let days = i64::from(tenant.spec.days);
    // At random there is a week to compare with before an acute incident, where the tenant is that old.
    let acute_days = if is_recent { last_week(&tenant.spec) } else { 7.min(days / 3)..days };
    let is_ever_for_good = !is_recent;
    let mut planner = Planner { tenant, rng, acute_days, is_ever_for_good, rows: rows(tenant), planned: Vec::new() };
    let mut unplanted = Vec::new();
    for (number, plant) in plants.into_iter().enumerate() {
        if let Err(obstacle) = planner.add(&plant, derive_key(key, number as u64)) {
            unplanted.push(Unplanted { plant, obstacle });
        }
    }
    unplanted.retain(|_| is_recent);
    let mut incidents: Vec<Incident> = planner.planned.into_iter().map(|one| one.incident).collect();
    incidents.sort_by_key(|incident| (incident.start(), incident.scope));
    (incidents, unplanted)
}

/// The last week from Monday to Sunday, where the tenant has one, otherwise its last seven days.
fn last_week(spec: &TenantSpec) -> Range<i64> {
    let days = i64::from(spec.days);
    let of_this_week = i64::from((spec.weekday(spec.days.saturating_sub(1)) + 1) % 7);
    if days < 14 { days - 7..days } else { days - of_this_week - 7..days - of_this_week }
}

/// One to four, of different kinds.
fn random_plants(rng: &mut SeededRng) -> Vec<Plant> {
    let mut kinds = ScopeKind::ALL.to_vec();
    let count = rng.weighted(&[(40, 1), (32, 2), (18, 3), (10, 4)]);
    (0..count)
        .map(|_| {
            let scope_kind = kinds.swap_remove(rng.index(kinds.len()));
            Plant { scope_kind, scope: None, metric: None, length: None, minutes: None }
        })
        .collect()
}

/// Meeting and row of every session with samples, except those of meetings longer than half a day.
fn rows(tenant: &Tenant) -> Vec<(usize, usize)> {
    let meetings = tenant.meetings.iter().enumerate().filter(|(_, meeting)| meeting.length_s() < DAY_S / 2);
    let sessions = meetings.flat_map(|(index, meeting)| meeting.sessions.clone().map(move |row| (index, row)));
    sessions.filter(|(index, row)| has_samples(&tenant.meetings[*index], &tenant.sessions[*row])).collect()
}

struct Planner<'a> {
    tenant: &'a Tenant,
    rng: SeededRng,
    /// When acute incidents begin.
    acute_days: Range<i64>,
    /// Whether some chronic incidents are there from the first day on.
    is_ever_for_good: bool,
    rows: Vec<(usize, usize)>,
    planned: Vec<Planned>,
}

struct Planned {
    incident: Incident,
    affected: BTreeSet<Identity>,
    /// Everybody in its scope while it lasts.
    present: BTreeSet<Identity>,
}

impl Planned {
    /// Whether nobody has both chronic incidents; a person or room is not even in the scope of the other.
    fn is_apart(&self, other: &Planned) -> bool {
        let either_is_single = self.incident.scope.kind().is_single() || other.incident.scope.kind().is_single();
        match either_is_single {
            true => self.affected.is_disjoint(&other.present) && other.affected.is_disjoint(&self.present),
            false => self.affected.is_disjoint(&other.affected),
        }
    }
}

impl Planner<'_> {
    /// Otherwise the obstacle of the attempt that came furthest.
    fn add(&mut self, plant: &Plant, key: u64) -> Result<(), Obstacle> {
        let (mut judged, mut obstacle) = (0, Obstacle::NoScope);
        for attempt in 0..MOST_CHOSEN {
            let planned = match self.candidate(plant, derive_key(key, u64::from(attempt))) {
                Ok(incident) => {
                    judged += 1;
                    if judged > MOST_JUDGED {
                        break;
                    }
                    self.if_plain(incident)
                }
                Err(obstacle) => Err(obstacle),
            };
            match planned {
                Ok(planned) => {
                    self.planned.push(planned);
                    return Ok(());
                }
                Err(found) => obstacle = obstacle.max(found),
            }
        }
        Err(obstacle)
    }

    fn candidate(&mut self, plant: &Plant, key: u64) -> Result<Incident, Obstacle> {
        let spec = &self.tenant.spec;
        let rng = &mut self.rng;
        let metric = plant.metric.unwrap_or_else(|| rng.weighted(plant.scope_kind.metrics()));
        let length = plant.length.unwrap_or_else(|| rng.weighted(plant.scope_kind.lengths()));
        let direction = match metric {
            Metric::Delay | Metric::Cpu => Direction::Both,
            Metric::FrameRate => rng.weighted(&[(3, Direction::Sent), (1, Direction::Received)]),
            _ => rng.weighted(&[(3, Direction::Both), (1, Direction::Received), (1, Direction::Sent)]),
        };
        let (index, row) = *self.rows.get(rng.index(self.rows.len())).ok_or(Obstacle::NoScope)?;
        let (meeting, session) = (&self.tenant.meetings[index], &self.tenant.sessions[row]);
        let scope = Scope::of(plant.scope_kind, meeting, session).ok_or(Obstacle::NoScope)?;
        if plant.scope.as_ref().is_some_and(|wanted| self.tenant.scope_words(scope).0 != *wanted) {
            return Err(Obstacle::NoScope);
        }
        let day = spec.day_of(meeting.start);
        let days = i64::from(spec.days);
        let is_working_day = u32::try_from(day).is_ok_and(|day| spec.weekday(day) < 5);
        if length != IncidentLength::Chronic && !(self.acute_days.contains(&day) && is_working_day) {
            return Err(Obstacle::NotThen);
        }
        let midnight = spec.start() + day * DAY_S;
        let one = |period: Range<i64>| std::iter::once(period).collect::<Vec<_>>();
        let periods = match (length, plant.scope_kind) {
            (IncidentLength::Chronic, _) => {
                let latest = (days - 14).max(days / 3);
                let first = if self.is_ever_for_good && rng.chance(0.4) { 0 } else { rng.between(2, latest) };
                chronic_periods(rng, spec.start(), first..days)
            }
            (IncidentLength::Days, _) => {
                let more = rng.between(1, 3);
                one(midnight + 8 * HOUR_S..midnight + more * DAY_S + 20 * HOUR_S)
            }
            (IncidentLength::Hours, ScopeKind::Meeting) => one(meeting.start..meeting.end),
            (IncidentLength::Hours, ScopeKind::Person | ScopeKind::Room) => {
                one(midnight + 7 * HOUR_S..midnight + 21 * HOUR_S)
            }
            (IncidentLength::Hours, kind) => {
                let longest = if kind == ScopeKind::Service { 90 } else { 240 };
                let start = session.join - rng.between(0, 40) * MINUTE_S;
                let minutes = plant.minutes.map_or_else(|| rng.between(longest / 4, longest), i64::from);
                one(start..start + minutes * MINUTE_S)
            }
        };
        Ok(Incident {
            key,
            scope,
            metric,
            direction,
            length,
            periods,
            people_pct: if plant.scope_kind.is_single() { 100 } else { rng.between(60, 100) as u32 },
            minutes_pct: rng.between(40, 130).min(100) as u32,
        })
    }

    /// The incident with its people, if the data will show it clearly.
    fn if_plain(&self, incident: Incident) -> Result<Planned, Obstacle> {
        let kind = incident.scope.kind();
        if self.planned.iter().any(|other| is_in_the_way(&incident, &other.incident)) {
            return Err(Obstacle::InTheWay);
        }
        let found = outcomes(self.tenant, incident.scope, &incident.periods, Some(&incident), &[incident.metric]);
        let footprint = Footprint::new(&found);
        let enough = match (incident.length, kind.is_single()) {
            (IncidentLength::Hours, true) => {
                footprint.meetings.len() >= LEAST_MEETINGS && 2 * footprint.meetings.len() >= found.len()
            }
            (IncidentLength::Days | IncidentLength::Chronic, true) => {
                let bad = footprint.days.values().filter(|day| day.is_bad()).count();
                bad >= LEAST_DAYS && 10 * bad >= 7 * footprint.days.len()
            }
            (IncidentLength::Hours, false) => {
                let meetings = if kind == ScopeKind::Meeting { 1 } else { 2 };
                footprint.meetings.len() >= meetings && is_affected(&footprint.affected, &footprint.present)
            }
            (IncidentLength::Days | IncidentLength::Chronic, false) => {
                let least = if incident.length == IncidentLength::Days { 2 } else { LEAST_DAYS };
                let used = footprint.days.values().filter(|day| day.present.len() >= 3).count();
                let bad = footprint.days.values().filter(|day| is_affected(&day.affected, &day.present)).count();
                bad >= least && 10 * bad >= 6 * used
            }
        };
        if !enough {
            return Err(Obstacle::TooFew);
        }
        let planned = Planned { incident, affected: footprint.affected, present: footprint.present };
        let is_chronic = |one: &Planned| one.incident.length == IncidentLength::Chronic;
        if is_chronic(&planned) && self.planned.iter().any(|other| is_chronic(other) && !planned.is_apart(other)) {
            return Err(Obstacle::InTheWay);
        }
        match kind.is_single() || self.is_identifiable(&planned.incident, &planned.affected) {
            true => Ok(planned),
            false => Err(Obstacle::SamePeople),
        }
    }

    /// Whether no other scope contains (nearly) all of the people affected without as many others, outside of the
    /// incident's scope.
    fn is_identifiable(&self, incident: &Incident, affected: &BTreeSet<Identity>) -> bool {
        let mut scopes: BTreeMap<Scope, (BTreeSet<Identity>, BTreeSet<Identity>)> = BTreeMap::new();
        let kinds = ScopeKind::ALL.iter().filter(|kind| {
            !kind.is_single() && (**kind != ScopeKind::Meeting || incident.length == IncidentLength::Hours)
        });
        let kinds: Vec<ScopeKind> = kinds.copied().collect();
        for (_, meeting) in meetings_during(self.tenant, &incident.periods) {
            for session in &self.tenant.sessions[meeting.sessions.clone()] {
                let is_there = incident.periods.iter().any(|one| session.join < one.end && session.leave > one.start);
                if !is_there || !has_samples(meeting, session) {
                    continue;
                }
                let inside = incident.scope.contains(meeting, session);
                for scope in kinds.iter().filter_map(|kind| Scope::of(*kind, meeting, session)) {
                    let (with, without) = scopes.entry(scope).or_default();
                    match affected.contains(&session.identity) {
                        true if inside => drop(with.insert(session.identity)),
                        false if !inside => drop(without.insert(session.identity)),
                        _ => {}
                    }
                }
            }
        }
        let least = (affected.len() / 2).max(3);
        scopes.iter().all(|(scope, (with, without))| {
            *scope == incident.scope || 10 * with.len() < 9 * affected.len() || without.len() >= least
        })
    }
}

fn is_affected(affected: &BTreeSet<Identity>, present: &BTreeSet<Identity>) -> bool {
    affected.len() >= LEAST_PEOPLE && 10 * affected.len() >= 4 * present.len()
}

/// Two incidents of one scope, or two acute ones within a day of each other, could be taken for one.
fn is_in_the_way(incident: &Incident, other: &Incident) -> bool {
    let acute = |incident: &Incident| incident.length != IncidentLength::Chronic;
    let near = incident.start() < other.end() + DAY_S && other.start() < incident.end() + DAY_S;
    incident.scope == other.scope || (acute(incident) && acute(other) && near)
}

/// Most of the days, whole.
fn chronic_periods(rng: &mut SeededRng, start: i64, days: Range<i64>) -> Vec<Range<i64>> {
    let days: Vec<i64> = days.filter(|_| !rng.chance(0.08)).collect();
    days.into_iter().map(|day| start + day * DAY_S..start + (day + 1) * DAY_S).collect()
}
