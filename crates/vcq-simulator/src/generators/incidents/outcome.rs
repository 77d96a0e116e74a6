//! What an incident does to the sessions in its scope, from the samples themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::poor_minute::poor_metric;
use crate::generators::quality::SampleGenerator;
use crate::model::incident::{Incident, Metric, Scope};
use crate::model::{DAY_S, Identity, Meeting, Session, Tenant};

/// A session is affected from this many bad minutes on, if they are at least a tenth of its minutes.
const LEAST_BAD_MINUTES: u32 = 3;

/// A session in the scope while the incident lasts. Times are Unix seconds.
#[derive(Debug, Clone)]
pub(super) struct SessionOutcome {
    pub(super) meeting: usize,
    pub(super) who: Identity,
    /// 0-based, of the meeting's start.
    pub(super) day: i64,
    /// Minutes while the incident lasts.
    pub(super) minutes: u32,
    pub(super) bad_minutes: u32,
    pub(super) first_bad: i64,
    /// End of the last bad minute.
    pub(super) last_bad: i64,
}

impl SessionOutcome {
    pub(super) fn is_affected(&self) -> bool {
        self.bad_minutes >= LEAST_BAD_MINUTES && self.bad_minutes * 10 >= self.minutes
    }
}

/// The meetings that may overlap some periods, with their indices.
pub(super) fn meetings_during<'a>(
    tenant: &'a Tenant,
    periods: &[Range<i64>],
) -> impl Iterator<Item = (usize, &'a Meeting)> {
    let (start, end) = (periods.first().map_or(0, |one| one.start), periods.last().map_or(0, |one| one.end));
    // No meeting is longer than two days.
    let first = tenant.meetings.partition_point(|meeting| meeting.start < start - 2 * DAY_S);
    let until = tenant.meetings.partition_point(|meeting| meeting.start < end);
    let indices = first..until.max(first);
    indices.clone().zip(&tenant.meetings[indices]).filter(move |(_, meeting)| meeting.end > start)
}

/// Whether a session has samples of its own.
pub(super) fn has_samples(meeting: &Meeting, session: &Session) -> bool {
    !session.duplicate && meeting.sample_count(session) > 0
}

/// The sessions in a scope during some periods. `incident` is added to what the tenant has; `metrics` are those that
/// make a minute bad here.
pub(super) fn outcomes(
    tenant: &Tenant,
    scope: Scope,
    periods: &[Range<i64>],
    incident: Option<&Incident>,
    metrics: &[Metric],
) -> Vec<SessionOutcome> {
    let mut found = Vec::new();
    for (index, meeting) in meetings_during(tenant, periods) {
        for row in meeting.sessions.clone() {
            let session = &tenant.sessions[row];
            if has_samples(meeting, session) && scope.contains(meeting, session) {
                let concerned = incident.is_none_or(|incident| incident.concerns(meeting, session));
                let place = Place { tenant, index, meeting, row };
                found.extend(place.outcome(periods, incident.filter(|_| concerned), concerned, metrics));
            }
        }
    }
    found
}

struct Place<'a> {
    tenant: &'a Tenant,
    index: usize,
    meeting: &'a Meeting,
    row: usize,
}

impl Place<'_> {
    fn outcome(
        &self,
        periods: &[Range<i64>],
        incident: Option<&Incident>,
        concerned: bool,
        metrics: &[Metric],
    ) -> Option<SessionOutcome> {
        let session = &self.tenant.sessions[self.row];
        let generator =
            SampleGenerator::with_incidents(self.tenant, self.meeting, self.row, incident.into_iter().collect());
        let mut outcome = SessionOutcome {
            meeting: self.index,
            who: session.identity,
            day: self.tenant.spec.day_of(self.meeting.start),
            minutes: 0,
            bad_minutes: 0,
            first_bad: i64::MAX,
            last_bad: i64::MIN,
        };
        for index in 0..session.minute_count() {
            let at = session.minute_start(index);
            if !periods[periods.partition_point(|period| period.end <= at)..]
                .iter()
                .take(1)
                .any(|one| one.contains(&at))
            {
                continue;
            }
            outcome.minutes += 1;
            if concerned && poor_metric(&generator.sample(index)).is_some_and(|metric| metrics.contains(&metric)) {
                outcome.bad_minutes += 1;
                outcome.first_bad = outcome.first_bad.min(at);
                outcome.last_bad = outcome.last_bad.max(at + 60);
            }
        }
        (outcome.minutes > 0).then_some(outcome)
    }
}

/// The sum over the sessions of a scope.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    pub(super) present: BTreeSet<Identity>,
    pub(super) affected: BTreeSet<Identity>,
    /// Meetings with an affected session.
    pub(super) meetings: BTreeSet<usize>,
    pub(super) days: BTreeMap<i64, DayFootprint>,
    pub(super) bad_minutes: u32,
    pub(super) first_bad: i64,
    pub(super) last_bad: i64,
}

#[derive(Debug, Default)]
pub(super) struct DayFootprint {
    pub(super) present: BTreeSet<Identity>,
    pub(super) affected: BTreeSet<Identity>,
    pub(super) minutes: u32,
    pub(super) bad_minutes: u32,
}

impl DayFootprint {
    /// Whether the minutes of one person or room are bad enough to call the day bad.
    pub(super) fn is_bad(&self) -> bool {
        self.bad_minutes >= 5 && self.bad_minutes * 4 >= self.minutes
    }
}

impl Footprint {
    pub(super) fn new(outcomes: &[SessionOutcome]) -> Self {
        let mut footprint = Self { first_bad: i64::MAX, last_bad: i64::MIN, ..Self::default() };
        for one in outcomes {
            let day = footprint.days.entry(one.day).or_default();
            day.present.insert(one.who);
            day.minutes += one.minutes;
            day.bad_minutes += one.bad_minutes;
            footprint.present.insert(one.who);
            footprint.bad_minutes += one.bad_minutes;
            if one.is_affected() {
                day.affected.insert(one.who);
                footprint.affected.insert(one.who);
                footprint.meetings.insert(one.meeting);
                footprint.first_bad = footprint.first_bad.min(one.first_bad);
                footprint.last_bad = footprint.last_bad.max(one.last_bad);
            }
        }
        footprint
    }
}
