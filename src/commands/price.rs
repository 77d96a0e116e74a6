//! A price as values that can be printed: calls by endpoint, time at the quota, what comes later.

use std::time::Duration;

use serde::Serialize;

use crate::extract::{Count, Estimate, paced};
use crate::schema::{TenantZone, utc_text};
use feishu_vc::{Endpoint, Rate};

/// Calls to one of the lists, or to all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct PricedCalls {
    /// Calls still to make.
    pub calls: u64,
    /// True where a guess is in it.
    pub is_estimate: bool,
    /// Seconds that they take at the quota.
    pub seconds: f64,
}

/// What a later run will ask, because now is too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PricedLater {
    /// Meetings that ended less than ten minutes ago and are left alone.
    pub fresh_meetings: u64,
    /// When the last of them can be asked for, RFC 3339 UTC.
    pub fresh_until_utc: Option<String>,
    /// Meetings within the settle time that have something to ask now.
    pub settling_meetings: u64,
    /// Their participants: asked now, they may be asked again.
    pub settling_participants: u64,
    /// When the last of them is settled, RFC 3339 UTC.
    pub settled_utc: Option<String>,
}

/// What is pending, in calls and seconds. Its names are the keys of `pending` in `plan --json` and `status --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Price {
    /// Meetings with something to ask now.
    pub meetings: u64,
    /// Of those, meetings whose list of participants is to be asked.
    pub lists: u64,
    /// Of those, meetings that nobody has a list of yet; their participants are guessed.
    pub unlisted: u64,
    /// Participants to ask for now, guessed ones included.
    pub participants: u64,
    pub meeting_list: PricedCalls,
    pub participant_list: PricedCalls,
    pub participant_quality_list: PricedCalls,
    /// To all three. They are worked side by side: the longest counts.
    pub total: PricedCalls,
    /// The quota of each list.
    pub calls_per_minute: u64,
    pub later: PricedLater,
}

impl Price {
    /// The price of what is pending, at a rate.
    pub(crate) fn of(pending: &Estimate, rate: Rate) -> Price {
        let priced = |count: Count, time: Duration| PricedCalls {
            calls: count.calls,
            is_estimate: count.is_estimate,
            seconds: tenths(time),
        };
        let list = |endpoint: Endpoint| {
            let count = pending.calls[endpoint as usize];
            priced(count, paced(count.calls, rate))
        };
        let later = &pending.later;
        Price {
            meetings: pending.meetings_pending,
            lists: pending.lists_pending,
            unlisted: pending.unlisted,
            participants: pending.participants_pending + pending.participants_guessed,
            meeting_list: list(Endpoint::MeetingList),
            participant_list: list(Endpoint::ParticipantList),
            participant_quality_list: list(Endpoint::ParticipantQualityList),
            total: priced(pending.total(), pending.time(rate)),
            calls_per_minute: (f64::from(rate.calls.get()) * 60.0 / rate.window.as_secs_f64()).round() as u64,
            later: PricedLater {
                fresh_meetings: later.fresh_meetings,
                fresh_until_utc: later.fresh_until_us.map(utc_text),
                settling_meetings: later.unstable_meetings,
                settling_participants: later.unstable_participants,
                settled_utc: later.stable_us.map(utc_text),
            },
        }
    }

    /// Calls by list, under the lists' names.
    pub(crate) fn by_list(&self) -> [(&'static str, PricedCalls); 3] {
        let calls = [self.meeting_list, self.participant_list, self.participant_quality_list];
        let mut named = Endpoint::ALL.map(|endpoint| (endpoint.name(), self.total));
        named.iter_mut().zip(calls).for_each(|(named, calls)| named.1 = calls);
        named
    }
}

/// Seconds to a tenth: what a price can promise.
pub(crate) fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// An instant on the tenant's clock, RFC 3339 with its offset.
pub(crate) fn local_text(utc_us: i64, zone: &TenantZone) -> String {
    let offset_min = zone.offset_min_at(utc_us);
    let wall = utc_text(utc_us.saturating_add(i64::from(offset_min) * 60_000_000));
    let sign = if offset_min < 0 { '-' } else { '+' };
    let minutes = offset_min.unsigned_abs();
    format!("{}{sign}{:02}:{:02}", wall.trim_end_matches('Z'), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_shows_the_tenants_clock_and_its_offset() {
        let at = |zone: &str| local_text(0, &TenantZone::parse(zone).expect("zone"));
        assert_eq!(at("+08:00"), "1970-01-01T08:00:00+08:00");
        assert_eq!(at("-05:30"), "1969-12-31T18:30:00-05:30");
        assert_eq!(at("UTC"), "1970-01-01T00:00:00+00:00");
    }
}
