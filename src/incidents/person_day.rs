//! Person-days: what somebody experienced on a date, and the sums by kind of network that others are compared with.

use super::constants::{BAD_DAY_RATIO, BAD_DAY_SHARE, BAD_DAY_SHARE_MEETINGS, HEAVY_DAY_SHARE, LEAST_JUDGED_MINUTES};
use super::data::{Family, Session};
use super::null_model::{STRATA, Strata, is_affected, is_natural};

/// A person on a date in one kind of network.
#[derive(Debug, Clone, Copy)]
pub(super) struct PersonDay {
    pub(super) who: u32,
    pub(super) date: i32,
    pub(super) stratum: usize,
    pub(super) judged: f64,
    pub(super) poor: [f64; 3],
    pub(super) sessions: f64,
    pub(super) affected_sessions: [f64; 3],
    /// Whether an acute incident explains some of it.
    pub(super) is_in_incident: bool,
}

impl PersonDay {
    pub(super) fn is_affected(&self, family: Family) -> bool {
        is_affected(0, self.poor[family as usize], self.judged)
    }

    /// Lightly, or most of the time.
    pub(super) fn is_hit(&self, family: Family, is_heavy: bool) -> bool {
        self.is_affected(family) && (!is_heavy || self.share(family) >= HEAVY_DAY_SHARE)
    }

    pub(super) fn merge(&mut self, other: &PersonDay) {
        if other.judged > self.judged {
            self.stratum = other.stratum;
        }
        self.judged += other.judged;
        self.sessions += other.sessions;
        self.is_in_incident |= other.is_in_incident;
        for at in 0..3 {
            self.poor[at] += other.poor[at];
            self.affected_sessions[at] += other.affected_sessions[at];
        }
    }

    pub(super) fn is_natural(&self) -> bool {
        is_natural(self.stratum)
    }

    pub(super) fn share(&self, family: Family) -> f64 {
        self.poor[family as usize] / self.judged
    }

    /// Whether the day is a bad one of a person or room whose peers have this share of minutes.
    pub(super) fn is_bad(&self, family: Family, peers: f64) -> bool {
        let (share, at) = (self.share(family), family as usize);
        let many = 2.0 * self.affected_sessions[at] >= self.sessions && share >= BAD_DAY_SHARE_MEETINGS;
        (share >= BAD_DAY_SHARE || many) && share >= BAD_DAY_RATIO * peers
    }
}

/// A session as a person-day; `None` if too little of it is judged.
pub(super) fn person_day(date: i32, session: &Session, strata: &Strata) -> Option<PersonDay> {
    let judged = f64::from(session.judged_minutes);
    if judged < LEAST_JUDGED_MINUTES {
        return None;
    }
    let mut day = PersonDay {
        who: session.who,
        date,
        stratum: strata.of(session),
        judged,
        poor: [0.0; 3],
        sessions: 1.0,
        affected_sessions: [0.0; 3],
        is_in_incident: session.is_in_incident,
    };
    if session.all_minutes() > 0 {
        for family in Family::ALL {
            let poor = f64::from(session.family_minutes(family));
            day.poor[family as usize] = poor;
            day.affected_sessions[family as usize] = f64::from(u8::from(is_affected(0, poor, judged)));
        }
    }
    Some(day)
}

/// Adds a session to the person-days of which it is the next in order.
pub(super) fn push(days: &mut Vec<PersonDay>, day: &PersonDay) {
    match days.last_mut() {
        Some(last) if (last.who, last.date, last.stratum) == (day.who, day.date, day.stratum) => last.merge(day),
        _ => days.push(*day),
    }
}

/// Person-days of one family by kind of network. All are whole numbers, so the order of sums has no influence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) days: f64,
    pub(super) judged: f64,
    pub(super) affected: f64,
    /// Most of the time.
    pub(super) heavily: f64,
    pub(super) minutes: f64,
}

pub(super) type SumsByStratum = [Sums; STRATA];

pub(super) fn add(sums: &mut SumsByStratum, day: &PersonDay, family: Family, sign: f64) {
    let one = &mut sums[day.stratum];
    one.days += sign;
    one.judged += sign * day.judged;
    one.affected += sign * f64::from(u8::from(day.is_affected(family)));
    one.heavily += sign * f64::from(u8::from(day.is_hit(family, true)));
    one.minutes += sign * day.poor[family as usize];
}

/// Share of affected person-days and of minutes, with a weak assumption.
pub(super) fn peer_shares(sums: &SumsByStratum, stratum: usize) -> (f64, f64) {
    let one = &sums[stratum];
    let days = (one.affected.max(0.0) + 0.3) / (one.days + 6.0);
    let minutes = (one.minutes.max(0.0) + 5.0) / (one.judged + 1000.0);
    (days, minutes)
}
