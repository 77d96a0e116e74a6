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

pub(super) fn subtract(sums: &mut Sums, other: &Sums) {
    sums.days -= other.days;
    sums.judged -= other.judged;
    sums.affected -= other.affected;
    sums.heavily -= other.heavily;
    sums.minutes -= other.minutes;
}

/// Share of affected person-days and of minutes, with a weak assumption.
pub(super) fn peer_shares(sums: &SumsByStratum, stratum: usize) -> (f64, f64) {
    let one = &sums[stratum];
    let days = (one.affected.max(0.0) + 0.3) / (one.days + 6.0);
    let minutes = (one.minutes.max(0.0) + 5.0) / (one.judged + 1000.0);
    (days, minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On the first kind of network, with 100 judged minutes in four sessions.
    fn day(poor: f64, affected_sessions: f64) -> PersonDay {
        PersonDay {
            who: 1,
            date: 10,
            stratum: 0,
            judged: 100.0,
            poor: [poor, 0.0, 0.0],
            sessions: 4.0,
            affected_sessions: [affected_sessions, 0.0, 0.0],
            is_in_incident: false,
        }
    }

    #[test]
    fn a_bad_day_has_many_poor_minutes_or_many_affected_sessions_and_is_worse_than_others() {
        let is_bad = |poor, sessions, peers| day(poor, sessions).is_bad(Family::Network, peers);
        assert!(is_bad(20.0, 0.0, 0.01) && !is_bad(19.0, 1.0, 0.01), "a fifth of the minutes");
        assert!(is_bad(10.0, 2.0, 0.01) && !is_bad(9.0, 2.0, 0.01), "a tenth, in half of the sessions");
        let one_of_three = PersonDay { sessions: 3.0, ..day(10.0, 1.0) };
        assert!(!one_of_three.is_bad(Family::Network, 0.01), "in less than half");
        assert!(is_bad(30.0, 4.0, 0.0999) && !is_bad(30.0, 4.0, 0.101), "three times the others");
        assert!(!day(50.0, 4.0).is_bad(Family::Cpu, 0.01));
    }

    #[test]
    fn a_day_is_affected_from_a_tenth_and_heavily_from_half_of_its_minutes() {
        let hit = |poor, is_heavy| day(poor, 0.0).is_hit(Family::Network, is_heavy);
        assert!(hit(10.0, false) && !hit(9.0, false) && hit(50.0, true) && !hit(49.0, true));
    }

    #[test]
    fn two_parts_of_a_day_are_one_on_the_network_that_was_used_longer() {
        let other = |judged| PersonDay { stratum: 3, judged, is_in_incident: true, ..day(7.0, 2.0) };
        for (judged, stratum) in [(101.0, 3), (100.0, 0), (99.0, 0)] {
            let mut whole = day(5.0, 1.0);
            whole.merge(&other(judged));
            assert_eq!((whole.stratum, whole.judged, whole.sessions), (stratum, 100.0 + judged, 8.0));
            assert_eq!((whole.poor[0], whole.affected_sessions[0], whole.is_in_incident), (12.0, 3.0, true));
        }
    }

    #[test]
    fn what_is_taken_out_again_leaves_nothing() {
        let mut sums = SumsByStratum::default();
        for (poor, sign) in [(60.0, 1.0), (20.0, 1.0), (5.0, 1.0)] {
            add(&mut sums, &day(poor, 0.0), Family::Network, sign);
        }
        let of = |sums: &SumsByStratum| {
            let Sums { days, judged, affected, heavily, minutes } = sums[0];
            [days, judged, affected, heavily, minutes]
        };
        assert_eq!(of(&sums), [3.0, 300.0, 2.0, 1.0, 85.0]);
        let close = |left: f64, right: f64| (left - right).abs() < 1e-12;
        let (days, minutes) = peer_shares(&sums, 0);
        assert!(close(days, 2.3 / 9.0) && close(minutes, 90.0 / 1300.0), "{days} {minutes}");
        for poor in [60.0, 20.0, 5.0] {
            add(&mut sums, &day(poor, 0.0), Family::Network, -1.0);
        }
        assert_eq!(of(&sums), [0.0; 5]);
        let (days, minutes) = peer_shares(&sums, 0);
        assert!(close(days, 0.05) && close(minutes, 0.005), "{days} {minutes}");
    }
}
