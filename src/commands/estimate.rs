//! An estimate as it is printed: calls by endpoint, the time they take at the quota, and what only a later run can
//! fetch.

use std::time::Duration;

use serde::Serialize;

use crate::extract::{Count, Estimate, paced};
use crate::schema::{TenantZone, utc_text};
use feishu_vc::{Endpoint, Rate};

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct CallEstimate {
    pub calls: u64,
    /// False if `calls` is an exact count.
    pub is_estimate: bool,
    pub seconds: f64,
}

/// What a later run will fetch, because it is too early now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LaterEstimate {
    /// Meetings that ended less than ten minutes ago and are not fetched yet.
    pub fresh_meetings: u64,
    pub fresh_until_utc: Option<String>,
    /// Meetings that are not stable yet and have something to fetch now.
    pub settling_meetings: u64,
    /// Their participants, which may have to be fetched again.
    pub settling_participants: u64,
    pub settled_utc: Option<String>,
    /// Pending participants and lists that were requested too recently to request them now.
    pub waiting: u64,
}

/// What is pending, in calls and seconds. The field names are keys of `plan --json` and `status --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct CostEstimate {
    pub meetings: u64,
    /// Of those, meetings whose participant list is to be fetched.
    pub lists: u64,
    /// Of those, meetings that were never listed; their participants are guessed.
    pub unlisted: u64,
    /// Participants to fetch now, including guessed ones.
    pub participants: u64,
    pub meeting_list: CallEstimate,
    pub participant_list: CallEstimate,
    pub participant_quality_list: CallEstimate,
    /// All three endpoints. They are called in parallel, so the longest time counts.
    pub total: CallEstimate,
    pub calls_per_minute: u64,
    pub later: LaterEstimate,
}

impl CostEstimate {
    pub(crate) fn at_rate(pending: &Estimate, rate: Rate) -> CostEstimate {
        let estimate = |count: Count, time: Duration| CallEstimate {
            calls: count.calls,
            is_estimate: count.is_estimate,
            seconds: tenths(time),
        };
        let endpoint = |endpoint: Endpoint| {
            let count = pending.calls[endpoint as usize];
            estimate(count, paced(count.calls, rate))
        };
        let later = &pending.later;
        CostEstimate {
            meetings: pending.meetings_pending,
            lists: pending.lists_pending,
            unlisted: pending.unlisted,
            participants: pending.participants_pending + pending.participants_guessed,
            meeting_list: endpoint(Endpoint::MeetingList),
            participant_list: endpoint(Endpoint::ParticipantList),
            participant_quality_list: endpoint(Endpoint::ParticipantQualityList),
            total: estimate(pending.total(), pending.time(rate)),
            calls_per_minute: (f64::from(rate.calls.get()) * 60.0 / rate.window.as_secs_f64()).round() as u64,
            later: LaterEstimate {
                fresh_meetings: later.fresh_meetings,
                fresh_until_utc: later.fresh_until_us.map(utc_text),
                settling_meetings: later.unstable_meetings,
                settling_participants: later.unstable_participants,
                settled_utc: later.stable_us.map(utc_text),
                waiting: later.waiting_units,
            },
        }
    }

    pub(crate) fn by_endpoint(&self) -> [(&'static str, CallEstimate); 3] {
        let calls = [self.meeting_list, self.participant_list, self.participant_quality_list];
        Endpoint::LISTS.map(|endpoint| (endpoint.name(), calls[endpoint as usize]))
    }
}

/// Seconds to a tenth: an estimate is no more precise.
pub(crate) fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// In the tenant's zone, RFC 3339 with its offset.
pub(crate) fn local_text(utc_us: i64, zone: &TenantZone) -> String {
    let offset_min = zone.offset_min_at(utc_us);
    let wall = utc_text(utc_us.saturating_add(i64::from(offset_min) * 60_000_000));
    let sign = if offset_min < 0 { '-' } else { '+' };
    let minutes = offset_min.unsigned_abs();
    format!("{}{sign}{:02}:{:02}", wall.trim_end_matches('Z'), minutes / 60, minutes % 60)
}

/// `2026-11-21 08:00` by the tenant's clock.
pub(super) fn local_minute(utc_us: i64, zone: &TenantZone) -> String {
    local_text(utc_us, zone).chars().take("YYYY-MM-DD HH:MM".len()).collect::<String>().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_text_has_the_tenants_clock_and_offset() {
        let at = |zone: &str| local_text(0, &TenantZone::parse(zone).expect("zone"));
        assert_eq!(at("+08:00"), "1970-01-01T08:00:00+08:00");
        assert_eq!(at("-05:30"), "1969-12-31T18:30:00-05:30");
        assert_eq!(at("UTC"), "1970-01-01T00:00:00+00:00");
    }
}
