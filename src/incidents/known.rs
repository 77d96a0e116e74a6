//! Incidents of earlier dates: what continues, what was reported this week, which sessions are counted already.

use std::collections::HashSet;

use super::constants::HISTORY_DAYS;
use super::data::Family;
use super::incident::{Incident, Kind, Metric, ScopeKind};

/// An incident of an earlier date, as stored or just found.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) is_chronic: bool,
    pub(super) scope_kind: ScopeKind,
    pub(super) scope: String,
    pub(super) metric: Metric,
    pub(super) date: i32,
    pub(super) start_utc_us: i64,
    pub(super) start_local_us: i64,
    pub(super) end_utc_us: i64,
    /// With those of the earlier dates that it continues.
    pub(super) poor_minutes: u32,
    pub(super) judged_minutes: u32,
    /// Participant keys of its own date.
    pub(super) sessions: Vec<String>,
}

impl From<&Incident> for Known {
    fn from(one: &Incident) -> Known {
        Known {
            is_chronic: one.kind == Kind::Chronic,
            scope_kind: one.scope_kind,
            scope: one.scope.clone(),
            metric: one.metric,
            date: one.meeting_date,
            start_utc_us: one.start_utc_us,
            start_local_us: one.start_local_us,
            end_utc_us: one.end_utc_us,
            poor_minutes: one.poor_minutes,
            judged_minutes: one.judged_minutes,
            sessions: one.sessions.iter().map(|(key, _)| key.clone()).collect(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct KnownIncidents {
    pub(super) incidents: Vec<Known>,
    /// Participant keys of the incidents.
    pub(super) sessions: HashSet<String>,
}

impl KnownIncidents {
    pub(super) fn add(&mut self, one: Known) {
        self.incidents.retain(|known| known.date > one.date - HISTORY_DAYS);
        self.sessions.extend(one.sessions.iter().cloned());
        self.incidents.push(one);
    }

    /// The last acute incident of the scope on a date, by its end.
    pub(super) fn acute(&self, kind: ScopeKind, scope: &str, family: Family, date: i32) -> Option<&Known> {
        let same = |one: &&Known| {
            !one.is_chronic
                && one.date == date
                && one.scope_kind == kind
                && one.scope == scope
                && Family::of(one.metric) == family
        };
        self.incidents.iter().filter(same).max_by_key(|one| one.end_utc_us)
    }

    /// The rows of an acute incident that goes on over several dates.
    pub(super) fn rows_of<'a>(&'a self, last: &'a Known) -> impl Iterator<Item = &'a Known> {
        self.incidents.iter().filter(|one| {
            !one.is_chronic
                && one.scope_kind == last.scope_kind
                && one.scope == last.scope
                && Family::of(one.metric) == Family::of(last.metric)
                && one.start_utc_us == last.start_utc_us
        })
    }

    /// Whether the chronic incident has a row earlier in the same ISO week.
    pub(super) fn is_reported_this_week(&self, kind: ScopeKind, scope: &str, family: Family, date: i32) -> bool {
        // 1970-01-01 was a Thursday.
        let week = |date: i32| (date + 3).div_euclid(7);
        self.incidents.iter().any(|one| {
            one.is_chronic
                && one.date < date
                && week(one.date) == week(date)
                && one.scope_kind == kind
                && one.scope == scope
                && Family::of(one.metric) == family
        })
    }
}
