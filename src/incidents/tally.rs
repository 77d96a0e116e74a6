//! The person-days of a shared scope, summed by date and kind of network: shows that a scope has too few bad days
//! without looking at each person.

use super::constants::HISTORY_DAYS;
use super::data::Family;
use super::null_model::{STRATA, is_natural};
use super::person_day::{PersonDay, SumsByStratum, add, peer_shares, subtract};

#[derive(Debug, Clone, Copy, Default)]
struct OfDate {
    sums: SumsByStratum,
    /// Affected person-days that acute incidents explain.
    in_incident: [f64; STRATA],
}

/// The person-days of one scope and family, by days before the date that is judged.
#[derive(Debug)]
pub(super) struct Tally {
    date: i32,
    family: Family,
    dates: Vec<OfDate>,
}

/// What is counted of a tally: all kinds of networks, or those at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    AtWork,
}

impl Part {
    fn strata(self) -> impl Iterator<Item = usize> {
        (0..STRATA).filter(move |stratum| self == Part::Whole || !is_natural(*stratum))
    }
}

impl Tally {
    pub(super) fn new(date: i32, family: Family) -> Tally {
        Tally { date, family, dates: vec![OfDate::default(); HISTORY_DAYS as usize] }
    }

    /// Adds a person-day (`sign` 1) or takes it out again (-1).
    pub(super) fn add(&mut self, day: &PersonDay, sign: f64) {
        let of_date = &mut self.dates[(self.date - day.date) as usize];
        add(&mut of_date.sums, day, self.family, sign);
        let explained = day.is_in_incident && day.is_affected(self.family);
        of_date.in_incident[day.stratum] += sign * f64::from(u8::from(explained));
    }

    fn of_date(&self, date: i32) -> &OfDate {
        &self.dates[(self.date - date) as usize]
    }

    pub(super) fn people(&self, date: i32, part: Part) -> f64 {
        part.strata().map(|stratum| self.of_date(date).sums[stratum].days).sum()
    }

    pub(super) fn affected(&self, date: i32, part: Part) -> f64 {
        part.strata().map(|stratum| self.of_date(date).sums[stratum].affected).sum()
    }

    /// The number that would be affected if the people were like their peers.
    pub(super) fn expected(&self, date: i32, part: Part, peers: &SumsByStratum) -> f64 {
        let of_date = self.of_date(date);
        part.strata().map(|stratum| of_date.sums[stratum].days * peer_shares(peers, stratum).0).sum()
    }

    /// Whether acute incidents explain most of a date's affected person-days, and two at least.
    fn is_incident(&self, date: i32, part: Part) -> bool {
        let explained: f64 = part.strata().map(|stratum| self.of_date(date).in_incident[stratum]).sum();
        explained >= 2.0 && 2.0 * explained > self.affected(date, part)
    }

    /// The sums of the tenant, first without this scope, then without only its days from `since` on and the days of its
    /// acute incidents.
    pub(super) fn others(&self, total: SumsByStratum, part: Part, since: i32) -> (SumsByStratum, SumsByStratum) {
        let (mut all, mut late) = (total, total);
        for date in self.date - HISTORY_DAYS + 1..=self.date {
            let is_late = date >= since || self.is_incident(date, part);
            for stratum in part.strata() {
                subtract(&mut all[stratum], &self.of_date(date).sums[stratum]);
                if is_late {
                    subtract(&mut late[stratum], &self.of_date(date).sums[stratum]);
                }
            }
        }
        (all, late)
    }
}
