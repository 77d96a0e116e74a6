//! From what was found, in numbers, to the rows of an incident.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::acute::Acute;
use super::chronic::Chronic;
use super::constants::{DATES_READ, DIRECTION_SHARE, HISTORY_DAYS, LEAST_AFFECTED, LONGEST_LINK_DAYS, RUN_SHARE};
use super::data::{CauseMinute, Day, Family, Names, Session};
use super::history::IncidentError;
use super::incident::{Direction, Incident, Kind, Metric, ScopeKind};
use super::known::{Known, KnownIncidents};
use super::null_model::Past;
use super::read::Reader;
use super::runs::{day_share, goes_on};
use super::severity::SeverityLimits;
use super::summary::{self, People};

const MINUTE_US: i64 = 60_000_000;

pub(super) struct Describe<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) limits: SeverityLimits,
    pub(super) names: &'a Names,
    pub(super) past: &'a Past,
    pub(super) day: &'a Day,
}

/// Minutes with a cause and judged minutes.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    poor: f64,
    judged: f64,
}

impl Share {
    fn pct(self) -> Option<f64> {
        (self.judged > 0.0).then(|| rounded((100.0 * self.poor / self.judged).min(100.0)))
    }
}

/// What was found of an incident on the date. Times are UTC and local.
struct Found {
    kind: Kind,
    scope: (ScopeKind, String),
    cause: (Metric, Direction),
    start_us: (i64, i64),
    end_us: (i64, i64),
    people: People,
    meetings: usize,
    /// Poor and judged.
    minutes: (u32, u32),
    usual: Share,
    elsewhere: Share,
    q: f64,
    sessions: Vec<(String, u32)>,
}

impl Describe<'_> {
    pub(super) fn acute(&self, one: &Acute, known: &KnownIncidents) -> Result<Option<Incident>, IncidentError> {
        let day = self.day;
        let minutes = counted_minutes(day, one);
        let Some(window) = span(&minutes) else { return Ok(None) };
        let (metric, direction) = cause(&minutes, one.family);
        let mut sessions: Vec<(String, u32)> = Vec::new();
        let (mut people, mut meetings) = (BTreeSet::new(), BTreeSet::new());
        for chunk in minutes.chunk_by(|left, right| left.session == right.session) {
            let session = &day.sessions[chunk[0].session as usize];
            sessions.push((session.key.clone(), chunk.len() as u32));
            people.insert((session.who, session.who_kind));
            meetings.insert(session.scope(ScopeKind::Meeting));
        }
        let is_member = |session: &Session| session.scope(one.kind) == one.scope;
        let judged: f64 =
            day.sessions.iter().filter(|session| is_member(session)).map(|one| overlap(one, window)).sum();
        let poor = minutes.len() as u32;
        let judged = (judged.round() as u32).max(poor);
        let elsewhere = self.elsewhere(one, window);
        let earlier = self.past.before(day.date, HISTORY_DAYS).flat_map(|of| &of.sessions);
        let usual = share_of(earlier.filter(|session| is_member(session)), one.family);
        let offset = self.offset_us(&minutes);
        let (start_utc_us, end_utc_us) = (i64::from(window.0) * MINUTE_US, i64::from(window.1) * MINUTE_US);
        let scope = self.names.value(one.kind, one.scope).to_owned();
        let before = self.goes_on(one, &scope, window, known);
        let (start_utc_us, start_local_us) =
            before.map_or((start_utc_us, start_utc_us + offset), |known| (known.start_utc_us, known.start_local_us));
        // The counts are those of all dates of a problem that goes on.
        let (mut poor, mut judged) = (poor, judged);
        if let Some(last) = before {
            poor += last.poor_minutes;
            judged += last.judged_minutes;
            let keys: HashSet<&str> = known.rows_of(last).flat_map(|one| &one.sessions).map(String::as_str).collect();
            for session in self.past.days.iter().flat_map(|of| &of.sessions) {
                if keys.contains(session.key.as_str()) {
                    people.insert((session.who, session.who_kind));
                    meetings.insert(session.scope(ScopeKind::Meeting));
                }
            }
        }
        let found = Found {
            kind: Kind::Acute,
            scope: (one.kind, scope),
            cause: (metric, direction),
            start_us: (start_utc_us, start_local_us),
            end_us: (end_utc_us, end_utc_us + offset),
            people,
            meetings: meetings.len(),
            minutes: (poor, judged),
            usual,
            elsewhere,
            q: one.q,
            sessions,
        };
        self.incident(found, summary::acute).map(Some)
    }

    /// `taken` has the minutes of acute incidents of the same date, by participant key.
    pub(super) fn chronic(
        &self,
        one: &Chronic,
        known: &KnownIncidents,
        taken: &HashMap<String, u32>,
    ) -> Result<Option<Incident>, IncidentError> {
        let day = self.day;
        let dates = day.date - one.first_bad;
        let days = || self.past.before(day.date, dates).chain(std::iter::once(day));
        let is_member = |session: &Session| session.scope(one.kind) == one.scope;
        let is_affected = |session: &Session| is_member(session) && one.affected.contains(&session.who);
        let mut totals = [0_u32; 5];
        let (mut sessions, mut people, mut meetings) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let (mut judged, mut poor, mut elsewhere, mut start) = (0, 0, Share::default(), None);
        for of in days() {
            for session in &of.sessions {
                let minutes = session.family_minutes(one.family);
                if !is_member(session) {
                    elsewhere.poor += f64::from(minutes);
                    elsewhere.judged += f64::from(session.judged_minutes);
                    continue;
                }
                if is_affected(session) && minutes > 0 {
                    let first = (session.first, session.offset_minutes);
                    start = Some(start.map_or(first, |earlier: (i32, i32)| earlier.min(first)));
                }
                judged += session.judged_minutes;
                if is_affected(session) && minutes > 0 {
                    poor += minutes;
                    // A participant belongs to one row, the first; the counts are those of the whole problem.
                    let rest = minutes.saturating_sub(taken.get(&session.key).copied().unwrap_or(0));
                    if !known.sessions.contains(&session.key) && rest > 0 {
                        sessions.push((session.key.clone(), rest));
                    }
                    people.insert((session.who, session.who_kind));
                    meetings.insert(session.scope(ScopeKind::Meeting));
                    for (total, minutes) in totals.iter_mut().zip(session.minutes) {
                        *total += minutes;
                    }
                }
            }
        }
        let Some((start, start_offset)) = start else { return Ok(None) };
        let minutes: Vec<CauseMinute> = day
            .minutes
            .iter()
            .filter(|minute| {
                is_affected(&day.sessions[minute.session as usize]) && Family::of(minute.metric) == one.family
            })
            .copied()
            .collect();
        let Some((_, end)) = span(&minutes) else { return Ok(None) };
        let metric = most(&totals, one.family);
        let direction = direction_of(&minutes, metric);
        let is_before = |of: &&Day| of.date < one.first_bad;
        let before = self.past.before(day.date, HISTORY_DAYS).filter(is_before).flat_map(|of| &of.sessions);
        let usual = share_of(before.filter(|session| is_member(session)), one.family);
        let judged = judged.max(poor);
        if sessions.is_empty() {
            return Ok(None);
        }
        sessions.sort();
        let offset = self.offset_us(&minutes);
        let start_utc_us = i64::from(start) * MINUTE_US;
        let end_utc_us = i64::from(end) * MINUTE_US;
        let scope = self.names.value(one.kind, one.scope).to_owned();
        let start_local_us = start_utc_us + i64::from(start_offset) * MINUTE_US;
        let found = Found {
            kind: Kind::Chronic,
            scope: (one.kind, scope),
            cause: (metric, direction),
            start_us: (start_utc_us, start_local_us),
            end_us: (end_utc_us, end_utc_us + offset),
            people,
            meetings: meetings.len(),
            minutes: (poor, judged),
            usual,
            elsewhere,
            q: one.q,
            sessions,
        };
        let sentence = |incident: &Incident, label: &str, people: &People| {
            summary::chronic(incident, label, people, one.bad_days, one.used_days)
        };
        self.incident(found, sentence).map(Some)
    }

    /// The rows of what was found.
    fn incident(
        &self,
        found: Found,
        sentence: impl FnOnce(&Incident, &str, &People) -> String,
    ) -> Result<Incident, IncidentError> {
        let meeting_date = self.day.date;
        let ((scope_kind, scope), (metric, direction)) = (found.scope, found.cause);
        let scope = self.scope_on_date(scope_kind, scope)?;
        let (poor_minutes, judged_minutes) = found.minutes;
        let participants = found.people.len() as u32;
        let poor_pct = rounded(100.0 * f64::from(poor_minutes) / f64::from(judged_minutes.max(1)));
        let mut incident = Incident {
            incident_id: Incident::id(found.kind, scope_kind, &scope, metric, meeting_date),
            kind: found.kind,
            scope_kind,
            scope,
            metric,
            direction,
            start_utc_us: found.start_us.0,
            start_local_us: found.start_us.1,
            end_utc_us: found.end_us.0,
            end_local_us: found.end_us.1,
            participants,
            meetings: found.meetings as u32,
            poor_minutes,
            judged_minutes,
            poor_pct,
            usual_poor_pct: found.usual.pct(),
            elsewhere_poor_pct: found.elsewhere.pct(),
            q_value: stored_q(found.q),
            severity: self.limits.severity(scope_kind, participants, poor_pct),
            summary: String::new(),
            meeting_date,
            sessions: found.sessions,
        };
        let label = self.reader.label(scope_kind, &incident.scope, meeting_date)?;
        incident.summary = sentence(&incident, &label, &found.people);
        Ok(incident)
    }

    /// A scope as the rows of the date have it: the ID of a person or its token.
    fn scope_on_date(&self, kind: ScopeKind, scope: String) -> Result<String, IncidentError> {
        if kind != ScopeKind::Person {
            return Ok(scope);
        }
        let number = self.names.number(kind, &scope);
        let session = self.day.sessions.iter().find(|session| Some(session.scope(kind)) == number);
        let id = session.map(|session| self.reader.id_on_date(&session.key, self.day.date)).transpose()?.flatten();
        Ok(id.unwrap_or(scope))
    }

    /// The incident of an earlier day that continues. Days with few people, and bad days without an incident of their
    /// own, may lie between.
    fn goes_on<'k>(
        &self,
        one: &Acute,
        scope: &str,
        window: (i32, i32),
        known: &'k KnownIncidents,
    ) -> Option<&'k Known> {
        for of in self.past.before(self.day.date, LONGEST_LINK_DAYS) {
            if let Some(before) = known.acute(one.kind, scope, one.family, of.date) {
                let end = (before.end_utc_us / MINUTE_US) as i32;
                return goes_on(one.kind, one.scope, one.family, (of, end), (self.day, window.0)).then_some(before);
            }
            let (people, affected) = day_share(of, one.kind, one.scope, one.family);
            if people >= LEAST_AFFECTED && (affected as f64) < RUN_SHARE * people as f64 {
                return None;
            }
        }
        None
    }

    /// Everybody else in the window.
    fn elsewhere(&self, one: &Acute, window: (i32, i32)) -> Share {
        let (day, kind, scope) = (self.day, one.kind, one.scope);
        let mut share = Share::default();
        for session in day.sessions.iter().filter(|session| session.scope(kind) != scope) {
            share.judged += overlap(session, window);
        }
        let outside = |minute: &&CauseMinute| day.sessions[minute.session as usize].scope(kind) != scope;
        let inside = |minute: &&CauseMinute| minute.minute >= window.0 && minute.minute <= window.1;
        let same = |minute: &&CauseMinute| Family::of(minute.metric) == one.family;
        share.poor = day.minutes.iter().filter(outside).filter(inside).filter(same).count() as f64;
        share
    }

    fn offset_us(&self, minutes: &[CauseMinute]) -> i64 {
        let first = minutes.iter().min_by_key(|minute| (minute.minute, minute.session));
        first.map_or(0, |one| i64::from(self.day.sessions[one.session as usize].offset_minutes) * MINUTE_US)
    }
}

/// The minutes of its family that the people affected have.
pub(super) fn counted_minutes(day: &Day, one: &Acute) -> Vec<CauseMinute> {
    let counts = |minute: &CauseMinute| {
        Family::of(minute.metric) == one.family && one.people.contains(&day.sessions[minute.session as usize].who)
    };
    one.minutes.iter().map(|at| day.minutes[*at]).filter(counts).collect()
}

/// Minutes of a family and judged minutes.
fn share_of<'a>(sessions: impl Iterator<Item = &'a Session>, family: Family) -> Share {
    let mut share = Share::default();
    for session in sessions {
        share.poor += f64::from(session.family_minutes(family));
        share.judged += f64::from(session.judged_minutes);
    }
    share
}

/// Judged minutes of a session in a window, both ends included.
fn overlap(session: &Session, window: (i32, i32)) -> f64 {
    let minutes = (session.last.min(window.1) - session.first.max(window.0) + 1).max(0);
    let length = f64::from(session.last - session.first + 1).max(1.0);
    f64::from(minutes) * f64::from(session.judged_minutes).min(length) / length
}

fn span(minutes: &[CauseMinute]) -> Option<(i32, i32)> {
    let first = minutes.iter().map(|minute| minute.minute).min()?;
    Some((first, minutes.iter().map(|minute| minute.minute).max()?))
}

/// The most frequent metric and its direction.
fn cause(minutes: &[CauseMinute], family: Family) -> (Metric, Direction) {
    let mut counts = [0; 5];
    for minute in minutes {
        counts[minute.metric as usize] += 1;
    }
    let metric = most(&counts, family);
    (metric, direction_of(minutes, metric))
}

/// The metric of the family with the most minutes; at a tie the first.
fn most(counts: &[u32; 5], family: Family) -> Metric {
    let rank = |metric: &Metric| (Family::of(*metric) == family, counts[*metric as usize]);
    let mut best = Metric::ALL[0];
    for metric in Metric::ALL.iter().copied() {
        if rank(&metric) > rank(&best) {
            best = metric;
        }
    }
    best
}

fn direction_of(minutes: &[CauseMinute], metric: Metric) -> Direction {
    if metric == Metric::Delay {
        return Direction::Both;
    }
    let of = |direction: Option<Direction>| {
        let same = |one: &&CauseMinute| one.metric == metric && direction.is_none_or(|only| one.direction == only);
        minutes.iter().filter(same).count() as f64
    };
    let all = of(None);
    [Direction::Received, Direction::Sent]
        .into_iter()
        .find(|direction| all > 0.0 && of(Some(*direction)) >= DIRECTION_SHARE * all)
        .unwrap_or(Direction::Both)
}

/// The q-value over the scopes of one date. Nine digits, because the last ones depend on the order in which people are
/// added up, which is that of their IDs or tokens.
fn stored_q(q: f64) -> f64 {
    let q = q / DATES_READ;
    format!("{q:.8e}").parse().unwrap_or(q)
}

/// Two decimals, so that the same rows give the same bytes.
fn rounded(pct: f64) -> f64 {
    (pct * 100.0).round() / 100.0
}
