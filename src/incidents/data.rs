//! The data that incidents are searched in: sessions of a date with their scopes, and the minutes with a cause.
//!
//! Pure values. Names are numbers here (see [`Names`]), because each session carries a dozen of them.

use std::collections::HashMap;

use super::incident::{Direction, Metric, ScopeKind};

pub(super) const KINDS: usize = ScopeKind::ALL.len();

/// Whether the unit of a scope is the meeting, not the person.
pub(super) fn is_single(kind: ScopeKind) -> bool {
    matches!(kind, ScopeKind::Person | ScopeKind::Room)
}

/// Metrics that are tested together, because one fault breaks several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Family {
    Network,
    Cpu,
    FrameRate,
}

impl Family {
    pub(super) const ALL: [Family; 3] = [Family::Network, Family::Cpu, Family::FrameRate];

    pub(super) fn of(metric: Metric) -> Family {
        match metric {
            Metric::Loss | Metric::Delay | Metric::Jitter => Family::Network,
            Metric::Cpu => Family::Cpu,
            Metric::FrameRate => Family::FrameRate,
        }
    }

    /// CPU and frame rate are two names of a problem with the picture.
    pub(super) fn other_of_picture(self) -> Option<Family> {
        match self {
            Family::Network => None,
            Family::Cpu => Some(Family::FrameRate),
            Family::FrameRate => Some(Family::Cpu),
        }
    }

    /// The sum of its metrics.
    pub(super) fn minutes(self, by_metric: &[u32; 5]) -> u32 {
        match self {
            Family::Network => by_metric[..3].iter().sum(),
            Family::FrameRate => by_metric[Metric::FrameRate as usize],
            Family::Cpu => by_metric[Metric::Cpu as usize],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum WhoKind {
    Person,
    Room,
    /// Has no ID, so no history.
    Guest,
}

/// One row of `judged_participants`. Minutes are whole minutes since 1970-01-01 UTC.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) key: String,
    pub(super) who: u32,
    pub(super) who_kind: WhoKind,
    /// By [`ScopeKind`]; 0 if the session has none.
    pub(super) scopes: [u32; KINDS],
    /// A public network of its own kind of use: a home router's range.
    pub(super) is_home_like: bool,
    pub(super) judged_minutes: u32,
    /// Minutes with a cause, by [`Metric`].
    pub(super) minutes: [u32; 5],
    pub(super) first: i32,
    pub(super) last: i32,
    /// Minutes east of UTC.
    pub(super) offset_minutes: i32,
    /// Affected by an acute incident of its date, so it does not count as usual.
    pub(super) is_in_incident: bool,
    /// In one of the service or of a meeting, so no sign of a chronic problem of another scope.
    pub(super) is_in_general_incident: bool,
}

impl Session {
    pub(super) fn scope(&self, kind: ScopeKind) -> u32 {
        self.scopes[kind as usize]
    }

    pub(super) fn family_minutes(&self, family: Family) -> u32 {
        family.minutes(&self.minutes)
    }

    pub(super) fn all_minutes(&self) -> u32 {
        self.minutes.iter().sum()
    }
}

/// A minute of a session with a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CauseMinute {
    /// Index of the session in its day.
    pub(super) session: u32,
    pub(super) minute: i32,
    pub(super) metric: Metric,
    pub(super) direction: Direction,
}

/// One meeting date. Sessions are sorted by key, minutes by session and minute.
#[derive(Debug, Clone, Default)]
pub(super) struct Day {
    /// Days since 1970-01-01.
    pub(super) date: i32,
    pub(super) sessions: Vec<Session>,
    pub(super) minutes: Vec<CauseMinute>,
}

impl Day {
    /// Sorts sessions and minutes, so that the order in which rows were read has no influence.
    pub(super) fn sorted(date: i32, sessions: Vec<Session>, mut minutes: Vec<CauseMinute>) -> Day {
        let mut order: Vec<usize> = (0..sessions.len()).collect();
        order.sort_by(|left, right| sessions[*left].key.cmp(&sessions[*right].key));
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new as u32;
        }
        let mut slots: Vec<Option<Session>> = sessions.into_iter().map(Some).collect();
        let sessions = order.iter().filter_map(|old| slots[*old].take()).collect();
        for minute in &mut minutes {
            minute.session = place[minute.session as usize];
        }
        minutes.sort_by_key(|one| (one.session, one.minute, one.metric as usize, one.direction as usize));
        minutes.dedup_by_key(|minute| (minute.session, minute.minute));
        Day { date, sessions, minutes }
    }
}

/// Scope values as numbers from 1, by kind, and people and rooms as numbers.
///
/// After [`Names::sort`] the order of numbers is that of names. So sums and ties do not depend on which rows were read
/// first, nor on the date with which the search began.
#[derive(Debug, Default)]
pub(super) struct Names {
    values: [Vec<String>; KINDS],
    numbers: [HashMap<String, u32>; KINDS],
    people: HashMap<String, u32>,
}

impl Names {
    pub(super) fn scope(&mut self, kind: ScopeKind, value: Option<&str>) -> u32 {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return 0 };
        let kind = kind as usize;
        if let Some(number) = self.numbers[kind].get(value) {
            return *number;
        }
        self.values[kind].push(value.to_owned());
        let number = self.values[kind].len() as u32;
        self.numbers[kind].insert(value.to_owned(), number);
        number
    }

    /// The number of a value that was seen before.
    pub(super) fn number(&self, kind: ScopeKind, value: &str) -> Option<u32> {
        self.numbers[kind as usize].get(value).copied()
    }

    pub(super) fn who(&mut self, value: &str) -> u32 {
        if let Some(number) = self.people.get(value) {
            return *number;
        }
        let number = self.people.len() as u32;
        self.people.insert(value.to_owned(), number);
        number
    }

    pub(super) fn count(&self, kind: ScopeKind) -> u32 {
        self.values[kind as usize].len() as u32
    }

    /// Numbers everything in the order of names. The sessions are all those that have numbers.
    pub(super) fn sort<'s>(&mut self, sessions: impl Iterator<Item = &'s mut Session>) {
        let mut scopes: [Vec<u32>; KINDS] = Default::default();
        for (kind, numbers) in self.numbers.iter_mut().enumerate() {
            scopes[kind] = sorted(numbers, 1);
            self.values[kind].sort_unstable();
        }
        let people = sorted(&mut self.people, 0);
        for session in sessions {
            session.who = people[session.who as usize];
            for (number, new) in session.scopes.iter_mut().zip(&scopes) {
                *number = new[*number as usize];
            }
        }
    }

    /// The value of a number that [`Names::scope`] returned.
    pub(super) fn value(&self, kind: ScopeKind, number: u32) -> &str {
        (number as usize).checked_sub(1).and_then(|at| self.values[kind as usize].get(at)).map_or("", String::as_str)
    }
}

/// Numbers names from `first` in their order. Returns the new numbers by the old ones.
fn sorted(numbers: &mut HashMap<String, u32>, first: u32) -> Vec<u32> {
    let mut names: Vec<(&String, &mut u32)> = numbers.iter_mut().collect();
    names.sort_unstable_by(|left, right| left.0.cmp(right.0));
    let mut new = vec![0; names.len() + first as usize];
    for (number, (_, old)) in (first..).zip(names) {
        new[*old as usize] = number;
        *old = number;
    }
    new
}
