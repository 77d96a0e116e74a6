//! Alarms and reservations of meeting rooms, derived from the meetings that took place in them.
//!
//! The controller of a room raises an alarm in meetings whose quality is poor (the lossy room, the degraded building
//! during its incident) and rarely for another reason. Most meetings in a room have a reservation that begins and ends
//! on a quarter of an hour; some are released early, and some reserved rooms stay empty.

use std::ops::Range;
use std::sync::OnceLock;

use crate::model::places::{DEGRADED_BUILDING, room_building, room_count};
use crate::model::{DAY_S, Identity, Meeting, Session, Tenant};
use crate::random::{SeededRng, derive_key};

/// What an alarm is about, in Feishu's words.
pub(crate) struct AlertRule {
    pub(crate) name: &'static str,
    pub(crate) strategy: &'static str,
    /// 0 reminder, 1 warning, 2 critical.
    pub(crate) level: u8,
}

pub(crate) const ALERT_RULES: &[AlertRule] = &[
    AlertRule {
        name: "会议室网络丢包", strategy: "连续3个周期（共3分钟），丢包率 > 3%，则告警", level: 2
    },
    AlertRule {
        name: "控制器断开连接", strategy: "连续1个周期（共1分钟），控制器断开连接，则告警", level: 1
    },
    AlertRule {
        name: "控制器电量低", strategy: "连续1个周期（共1分钟），控制器电量 < 50%，则告警", level: 0
    },
];

const PACKET_LOSS: usize = 0;

/// An alarm of a room controller. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) room: usize,
    /// Index into [`ALERT_RULES`].
    pub(crate) rule: usize,
    pub(crate) at: i64,
    /// Somebody looked at it.
    pub(crate) processed: i64,
    pub(crate) recovered: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    ByHand,
    AfterMeeting,
    NoCheckIn,
}

/// Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) room: usize,
    /// Ordinal of a person.
    pub(crate) organizer: u32,
    pub(crate) topic: String,
    pub(crate) guests: usize,
    pub(crate) accepted: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) check_in: Option<i64>,
    pub(crate) release: Option<(i64, Release)>,
}

/// Alarms and reservations of a tenant, generated when they are requested first.
#[derive(Debug, Default)]
pub(crate) struct RoomRecords {
    alerts: OnceLock<Vec<Alert>>,
    reservations: OnceLock<Vec<Reservation>>,
}

impl RoomRecords {
    /// In the order of time.
    pub(crate) fn alerts(&self, tenant: &Tenant) -> &[Alert] {
        self.alerts.get_or_init(|| generate_alerts(tenant))
    }

    /// In the order of their start.
    pub(crate) fn reservations(&self, tenant: &Tenant) -> &[Reservation] {
        self.reservations.get_or_init(|| generate_reservations(tenant))
    }
}

/// The rooms in a meeting, with their sessions.
fn rooms_of<'a>(tenant: &'a Tenant, meeting: &Meeting) -> impl Iterator<Item = (usize, &'a Session)> {
    tenant.sessions_of(meeting).iter().filter_map(|session| match session.identity {
        Identity::Room(room) => Some((room, session)),
        _ => None,
    })
}

fn generate_alerts(tenant: &Tenant) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for meeting in &tenant.meetings {
        for (room, session) in rooms_of(tenant, meeting) {
            let mut rng = SeededRng::new(derive_key(session.key, 0x616C_6572));
            let degraded = room_building(room) == DEGRADED_BUILDING
                && session.join < tenant.problems.degraded.end
                && session.leave > tenant.problems.degraded.start;
            let lossy = tenant.problems.lossy_room == Some(room);
            let chance = if lossy || degraded { 0.7 } else { 0.04 };
            // The first one always raises an alarm, so that a small tenant has one.
            if session.leave - session.join < 300 || !(alerts.is_empty() || rng.chance(chance)) {
                continue;
            }
            let rule = if lossy || degraded { PACKET_LOSS } else { rng.pick(&[1, 1, 2]) };
            let mut from = session.join;
            if degraded && !lossy {
                from = from.max(tenant.problems.degraded.start);
            }
            let at = from + rng.between(120, 240).min((session.leave - from) / 2);
            let recovered = session.leave + rng.between(-60, 900);
            alerts.push(Alert {
                room,
                rule,
                at,
                processed: at + rng.between(30, 300),
                recovered: recovered.max(at + 60),
            });
        }
    }
    alerts.sort_by_key(|alert| (alert.at, alert.room));
    alerts
}

const QUARTER_S: i64 = 900;

fn generate_reservations(tenant: &Tenant) -> Vec<Reservation> {
    let room_count = room_count(tenant.spec.background.buildings);
    let mut reserved: Vec<Vec<Range<i64>>> = vec![Vec::new(); room_count];
    let mut reservations = Vec::new();
    for meeting in &tenant.meetings {
        for (room, session) in rooms_of(tenant, meeting) {
            let reservation = reservation_of(tenant, meeting, room, session);
            let period = reservation.start..reservation.end;
            // A room is reserved for one meeting at a time; the other one is there without a reservation.
            if !reserved[room].iter().rev().take(8).any(|other| overlap(other, &period)) {
                reserved[room].push(period);
                reservations.push(reservation);
            }
        }
    }
    for day in (0..tenant.spec.days).filter(|day| tenant.spec.weekday(*day) < 5) {
        for (room, reserved) in reserved.iter().enumerate() {
            let day_key = derive_key(derive_key(tenant.spec.seed, 0x656D_7074), u64::from(day));
            let mut rng = SeededRng::new(derive_key(day_key, room as u64));
            let start = tenant.spec.midnight(day) + rng.between(18, 35) * 1800;
            let period = start..start + rng.pick(&[1800, 3600]);
            if rng.chance(0.2)
                && period.end <= tenant.spec.end()
                && !reserved.iter().any(|other| overlap(other, &period))
            {
                let guests = 2 + rng.index(6);
                reservations.push(Reservation {
                    room,
                    organizer: rng.index(tenant.people.len()) as u32,
                    topic: "Planning".to_owned(),
                    guests,
                    accepted: rng.index(guests),
                    start: period.start,
                    end: period.end,
                    check_in: None,
                    release: Some((start + QUARTER_S, Release::NoCheckIn)),
                });
            }
        }
    }
    reservations.sort_by_key(|reservation| (reservation.start, reservation.room));
    reservations
}

fn reservation_of(tenant: &Tenant, meeting: &Meeting, room: usize, session: &Session) -> Reservation {
    let mut rng = SeededRng::new(derive_key(session.key, 0x626F_6F6B));
    let local = |at: i64| at + i64::from(tenant.spec.utc_offset_s);
    // A meeting may begin some minutes before or after the reservation.
    let start = meeting.start - (local(meeting.start) + QUARTER_S / 2).rem_euclid(QUARTER_S) + QUARTER_S / 2;
    let end = (meeting.end + (QUARTER_S - local(meeting.end).rem_euclid(QUARTER_S)) % QUARTER_S).min(start + DAY_S);
    let released = meeting.end.max(start) + rng.between(20, 120);
    let release = match rng.unit_interval() {
        _ if end.max(start + QUARTER_S) - released < 300 => None,
        share if share < 0.35 => Some((released, Release::ByHand)),
        share if share < 0.6 => Some((released, Release::AfterMeeting)),
        _ => None,
    };
    let attending = tenant.participant_count(meeting);
    Reservation {
        room,
        organizer: meeting.organizer,
        topic: meeting.topic.clone(),
        guests: attending + rng.index(4),
        accepted: attending,
        start,
        end: end.max(start + QUARTER_S),
        check_in: Some((session.join + rng.between(-60, 60)).max(start - 300)),
        release,
    }
}

fn overlap(one: &Range<i64>, other: &Range<i64>) -> bool {
    one.start < other.end && other.start < one.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantSpec;
    use crate::model::places::{DEFAULT_BUILDINGS, LOSSY_ROOM};

    fn tenant() -> Tenant {
        Tenant::generate(&TenantSpec { days: 14, meetings_per_day: 40, ..TenantSpec::default() })
    }

    #[test]
    fn alarms_overlap_a_meeting_in_their_room() {
        let tenant = tenant();
        let alerts = generate_alerts(&tenant);
        assert!(alerts.iter().any(|alert| alert.room == LOSSY_ROOM && alert.rule == PACKET_LOSS));
        assert!(alerts.iter().any(|alert| alert.rule != PACKET_LOSS));
        for alert in &alerts {
            assert!(alert.recovered > alert.at && alert.processed > alert.at);
            let overlaps = |meeting: &Meeting| {
                rooms_of(&tenant, meeting)
                    .any(|(room, session)| room == alert.room && session.join <= alert.at && session.leave >= alert.at)
            };
            assert!(tenant.meetings.iter().any(overlaps), "{alert:?}");
        }
    }

    #[test]
    fn a_room_is_reserved_once_at_a_time_and_sometimes_in_vain() {
        let reservations = generate_reservations(&tenant());
        let mut free_at = [i64::MIN; room_count(DEFAULT_BUILDINGS)];
        for reservation in &reservations {
            assert!(reservation.start >= free_at[reservation.room], "{reservation:?}");
            free_at[reservation.room] = reservation.end;
            assert!(reservation.end > reservation.start);
            assert!(reservation.release.is_none_or(|(at, _)| at < reservation.end), "{reservation:?}");
        }
        for release in [Release::ByHand, Release::AfterMeeting, Release::NoCheckIn] {
            let count = reservations.iter().filter(|one| one.release.is_some_and(|(_, kind)| kind == release)).count();
            assert!(count > 2, "{release:?}: {count} of {}", reservations.len());
        }
    }
}
