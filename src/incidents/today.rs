//! The date that is judged: who was present and poor when, less what an incident explains already.

use std::collections::BTreeMap;
use std::ops::Range;

use super::data::{CauseMinute, Day, Family, KINDS, Session, WhoKind};
use super::explained::Explained;
use super::incident::ScopeKind;
use super::null_model::Strata;

#[derive(Debug)]
pub(super) struct Today<'a> {
    pub(super) day: &'a Day,
    /// The minutes of each session.
    ranges: Vec<Range<usize>>,
    /// By minute: whether an incident explains it.
    explained: Vec<bool>,
    /// By session: stretches that count neither as present nor as poor any more.
    blocked: Vec<Vec<(i32, i32)>>,
    /// By session: the minutes that a chronic incident explains, in order.
    chronic: Vec<Vec<i32>>,
    /// By kind and scope: its sessions, sorted by person.
    pub(super) members: [BTreeMap<u32, Vec<u32>>; KINDS],
}

impl<'a> Today<'a> {
    pub(super) fn new(day: &'a Day, strata: &Strata) -> Today<'a> {
        let mut ranges = vec![0..0; day.sessions.len()];
        let mut from = 0;
        for chunk in day.minutes.chunk_by(|left, right| left.session == right.session) {
            ranges[chunk[0].session as usize] = from..from + chunk.len();
            from += chunk.len();
        }
        let mut members: [BTreeMap<u32, Vec<u32>>; KINDS] = Default::default();
        for (at, session) in day.sessions.iter().enumerate() {
            for kind in ScopeKind::ALL.iter().copied() {
                let scope = strata.scope(session, kind);
                let own = match kind {
                    ScopeKind::Room => session.who_kind == WhoKind::Room,
                    _ => true,
                };
                if scope != 0 && own && session.judged_minutes > 0 {
                    members[kind as usize].entry(scope).or_default().push(at as u32);
                }
            }
        }
        for sessions in members.iter_mut().flat_map(|kind| kind.values_mut()) {
            sessions.sort_by_key(|at| {
                let session = &day.sessions[*at as usize];
                (session.who, session.first, *at)
            });
        }
        let explained = vec![false; day.minutes.len()];
        let none = vec![Vec::new(); day.sessions.len()];
        Today { day, ranges, explained, blocked: vec![Vec::new(); day.sessions.len()], chronic: none, members }
    }

    /// Takes the minutes that chronic incidents explain out of the search.
    pub(super) fn leave_out(&mut self, chronic: &Explained) {
        if chronic.is_empty() {
            return;
        }
        for (at, one) in self.day.minutes.iter().enumerate() {
            if chronic.explains(&self.day.sessions[one.session as usize], self.day.date, one.metric) {
                self.explained[at] = true;
                self.chronic[one.session as usize].push(one.minute);
            }
        }
    }

    pub(super) fn session(&self, at: u32) -> &'a Session {
        &self.day.sessions[at as usize]
    }

    pub(super) fn members(&self, kind: ScopeKind, scope: u32) -> &[u32] {
        self.members[kind as usize].get(&scope).map_or(&[], Vec::as_slice)
    }

    /// The unexplained minutes of a session with a cause.
    pub(super) fn minutes(&self, at: u32) -> impl Iterator<Item = (usize, &'a CauseMinute)> {
        let range = self.ranges[at as usize].clone();
        range.map(|index| (index, &self.day.minutes[index])).filter(|(index, _)| !self.explained[*index])
    }

    /// The unexplained minutes of a family in a window, both ends included.
    pub(super) fn poor(&self, at: u32, family: Family, window: (i32, i32)) -> f64 {
        let inside = |one: &CauseMinute| one.minute >= window.0 && one.minute <= window.1;
        self.minutes(at).filter(|(_, one)| inside(one) && Family::of(one.metric) == family).count() as f64
    }

    /// The judged minutes in a window, both ends included.
    pub(super) fn judged(&self, at: u32, window: (i32, i32)) -> f64 {
        let session = self.session(at);
        let overlap = |from: i32, to: i32| {
            f64::from((session.last.min(to).min(window.1) - session.first.max(from).max(window.0) + 1).max(0))
        };
        let mut minutes = overlap(window.0, window.1);
        let blocked = &self.blocked[at as usize];
        for (from, to) in blocked {
            minutes -= overlap(*from, *to);
        }
        let inside = |minute: &&i32| {
            **minute >= window.0
                && **minute <= window.1
                && !blocked.iter().any(|(from, to)| *minute >= from && *minute <= to)
        };
        minutes -= self.chronic[at as usize].iter().filter(inside).count() as f64;
        let length = f64::from(session.last - session.first + 1).max(1.0);
        minutes.max(0.0) * f64::from(session.judged_minutes).min(length) / length
    }

    /// Whether a chronic incident explains most of the session in a window.
    pub(super) fn is_mostly_chronic(&self, at: u32, window: (i32, i32)) -> bool {
        let minutes = &self.chronic[at as usize];
        if minutes.is_empty() {
            return false;
        }
        let session = self.session(at);
        let present = session.last.min(window.1) - session.first.max(window.0) + 1;
        2 * minutes.iter().filter(|minute| **minute >= window.0 && **minute <= window.1).count() as i32 > present
    }

    /// Takes the minutes of a session in a window out of the search and returns those with a cause.
    pub(super) fn explain(&mut self, at: u32, window: (i32, i32)) -> Vec<usize> {
        let inside = |one: &CauseMinute| one.minute >= window.0 && one.minute <= window.1;
        let taken: Vec<usize> = self.minutes(at).filter(|(_, one)| inside(one)).map(|(index, _)| index).collect();
        for index in &taken {
            self.explained[*index] = true;
        }
        let blocked = &mut self.blocked[at as usize];
        let (mut from, mut to) = window;
        // Kept disjoint.
        blocked.retain(|(start, end)| {
            let apart = *start > to + 1 || *end < from - 1;
            if !apart {
                from = from.min(*start);
                to = to.max(*end);
            }
            apart
        });
        blocked.push((from, to));
        taken
    }
}
