//! Feishu's own counts, computed from all meetings, including what the lists leave out.
//!
//! A meeting of any kind (external ones, webinars and screen casts included) counts on the day on which it starts, with
//! its whole length, once it has ended. Participants are those of `number_of_participants`: the audience of a webinar
//! does not count. A person's time in a meeting is that of the device that stayed longest, the audience of a webinar
//! included; rooms, guests, callers and people of other tenants are in no count by person.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Identity, Tenant};

/// All meetings of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayCount {
    pub(crate) meetings: u64,
    pub(crate) participants: u64,
    pub(crate) seconds: i64,
}

/// One person's meetings of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UserCount {
    pub(crate) meetings: u32,
    pub(crate) seconds: i64,
}

/// The counts of a day (Unix seconds), as known at `now`.
pub(crate) fn day_count(tenant: &Tenant, day: &Range<i64>, now: i64) -> DayCount {
    let mut count = DayCount::default();
    for meeting in tenant.meetings_from(day).iter().filter(|meeting| meeting.end <= now) {
        count.meetings += 1;
        count.participants += tenant.participant_count(meeting) as u64;
        count.seconds += meeting.length_s();
    }
    count
}

/// Counts the meetings and time of each person, by ordinal.
fn user_counts(tenant: &Tenant, day: &Range<i64>, now: i64) -> Vec<UserCount> {
    let mut counts = vec![UserCount::default(); tenant.people.len()];
    for meeting in tenant.meetings_from(day).iter().filter(|meeting| meeting.end <= now) {
        let people = tenant.sessions_of(meeting).iter().filter_map(|session| match session.identity {
            Identity::Person(ordinal) => Some((ordinal, session.stay_s())),
            _ => None,
        });
        let mut stays: Vec<(u32, i64)> = people.collect();
        // The longest stay of each person first.
        stays.sort_unstable_by_key(|(ordinal, stay_s)| (*ordinal, -stay_s));
        stays.dedup_by_key(|(ordinal, _)| *ordinal);
        for (ordinal, stay_s) in stays {
            let count = &mut counts[ordinal as usize];
            count.meetings += 1;
            count.seconds += stay_s;
        }
    }
    counts
}

const CACHED_DAYS: usize = 4;

/// The counts by person of the days that were requested last, because every page of a day needs all of them.
#[derive(Debug, Default)]
pub(crate) struct UserCensus(Mutex<VecDeque<CachedDay>>);

#[derive(Debug)]
struct CachedDay {
    start: i64,
    /// Meetings of the day that had ended.
    ended: usize,
    counts: Arc<[UserCount]>,
}

impl UserCensus {
    pub(crate) fn day(&self, tenant: &Tenant, day: &Range<i64>, now: i64) -> Arc<[UserCount]> {
        let ended = tenant.meetings_from(day).iter().filter(|meeting| meeting.end <= now).count();
        // After a panic the cache is still usable.
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache.iter().find(|known| known.start == day.start && known.ended == ended) {
            return Arc::clone(&known.counts);
        }
        let counts: Arc<[UserCount]> = user_counts(tenant, day, now).into();
        cache.push_front(CachedDay { start: day.start, ended, counts: Arc::clone(&counts) });
        cache.truncate(CACHED_DAYS);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantSpec;

    #[test]
    fn the_days_add_up_to_the_tenant() {
        let tenant = Tenant::generate(&TenantSpec { days: 4, ..TenantSpec::default() });
        let now = tenant.spec.end();
        let days: Vec<Range<i64>> =
            (0..4).map(|day| tenant.spec.midnight(day)..tenant.spec.midnight(day + 1)).collect();
        let meetings: u64 = days.iter().map(|day| day_count(&tenant, day, now).meetings).sum();
        assert_eq!(meetings, tenant.totals().meetings);
        let census = UserCensus::default();
        for day in &days {
            let count = day_count(&tenant, day, now);
            let users = census.day(&tenant, day, now);
            let joined: u64 = users.iter().map(|user| u64::from(user.meetings)).sum();
            assert!(joined > 0 && count.seconds > 0 && count.participants > 0);
            assert_eq!(users, census.day(&tenant, day, now), "from the cache");
        }
        let before_the_first_ends = tenant.meetings[0].end - 1;
        assert_eq!(day_count(&tenant, &days[0], before_the_first_ends.min(now)).meetings, 0);
    }

    #[test]
    fn two_devices_of_one_person_count_once() {
        let tenant = Tenant::generate(&TenantSpec { days: 1, meetings_per_day: 1, ..TenantSpec::default() });
        let meeting = tenant.meetings.iter().find(|meeting| meeting.topic == "两台设备测试").expect("the unusual one");
        let users = user_counts(&tenant, &(meeting.start..meeting.start + 1), tenant.spec.end());
        let counts: Vec<UserCount> = users.into_iter().filter(|user| user.meetings > 0).collect();
        assert_eq!(counts.len(), 2);
        assert!(counts.iter().all(|user| user.meetings == 1 && user.seconds <= meeting.length_s()), "{counts:?}");
        assert_eq!(tenant.participant_count(meeting), 2);
    }
}
