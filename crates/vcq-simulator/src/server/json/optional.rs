//! The JSON objects of rooms, room levels, alarms, reservations and the counts by person.

use serde_json::{Value, json};

use super::lists::{ListWriter, duration};
use crate::generators::census::{DayCount, UserCount};
use crate::generators::identifiers::{ROOM_REASON, planted_field};
use crate::generators::rooms::{ALERT_RULES, Alert, Release, Reservation};
use crate::model::identifiers::IdentifierKind;
use crate::model::ids::{self, UserIdType};
use crate::model::places::{DEPARTMENTS, RoomLevel, levels_of_room, room_count, room_label, room_name};

impl ListWriter<'_> {
    pub(crate) fn room(&self, room: usize) -> String {
        let (name, seats) = room_label(room);
        let levels = levels_of_room(room).map(|level| self.level_id(level));
        // The last room was out of use for a while.
        let closed = room + 1 == room_count(self.tenant.spec.background.buildings);
        let mut status = json!({ "status": true, "schedule_status": true });
        if closed {
            status["disable_start_time"] = json!((self.tenant.spec.start() - 864_000).to_string());
            status["disable_end_time"] = json!((self.tenant.spec.start() - 432_000).to_string());
            status["disable_reason"] = match self.tenant.spec.planted_identifiers {
                true => json!(format!("Renovation, contact {}", IdentifierKind::Topic.text(ROOM_REASON))),
                false => json!("Renovation"),
            };
            status["contact_ids"] = json!([self.person_id(0)]);
            status["disable_notice"] = json!(true);
            status["resume_notice"] = json!(true);
        }
        let mut object = json!({
            "room_id": self.id(|| ids::room_id(self.tenant.spec.seed, room)),
            "name": name,
            "capacity": seats,
            "description": "",
            "display_id": format!("LM{:09}", 134_742_000 + room),
            "custom_room_id": format!("R{:03}", room + 1),
            "room_level_id": levels[levels.len() - 1],
            "path": levels,
            "room_status": status,
            "device": if seats < 8 { json!([{ "name": "电视" }]) } else { json!([{ "name": "视频会议" }, { "name": "白板" }]) },
        });
        if self.tenant.spec.planted_identifiers {
            object["x_keeper"] = json!([{ "name": planted_field(0) }]);
        }
        self.object(object)
    }

    /// `has_child`: only buildings have floors.
    pub(crate) fn room_level(&self, level: &RoomLevel) -> String {
        let parent = level.parent.map(|parent| self.level_id(parent));
        self.object(json!({
            "room_level_id": self.level_id(level.number),
            "name": level.name,
            "parent_id": parent.as_deref().unwrap_or(""),
            "path": parent.iter().collect::<Vec<_>>(),
            "has_child": level.parent.is_none(),
            "custom_group_id": "",
        }))
    }

    pub(crate) fn level_id(&self, level: usize) -> String {
        ids::room_level_id(self.tenant.spec.seed, level)
    }

    /// `ordinal` is the alarm's place among all of the tenant.
    pub(crate) fn alert(&self, ordinal: usize, alert: &Alert) -> String {
        let rule = &ALERT_RULES[alert.rule];
        let known = |at: i64| if at <= self.now { at.to_string() } else { String::new() };
        let status = match alert {
            alert if alert.recovered <= self.now => 4,
            alert if alert.processed <= self.now => 2,
            _ => 1,
        };
        let room = alert.room as u8;
        self.object(json!({
            "alert_id": (7_115_030_004_018_184_212_u64 + ordinal as u64 * 1_000_003).to_string(),
            "resource_scope": room_name(alert.room),
            "monitor_target": 1,
            "alert_strategy": rule.strategy,
            "alert_time": alert.at.to_string(),
            "alert_level": rule.level,
            "contacts": [{ "contact_type": 1, "contact_name": self.tenant.people[0].name }],
            "notifyMethods": [0, 1],
            "alertRule": rule.name,
            "process_time": known(alert.processed),
            "recover_time": known(alert.recovered),
            "process_status": status,
            "alert_rule_id": (100 + alert.rule).to_string(),
            "monitor_target_room_id": self.id(|| ids::room_id(self.tenant.spec.seed, alert.room)),
            "monitor_target_room_mac": format!("02:00:5e:00:53:{room:02x}"),
        }))
    }

    pub(crate) fn reservation(&self, reservation: &Reservation, with_topic: bool) -> String {
        let organizer = &self.tenant.people[reservation.organizer as usize];
        let released = reservation.release.filter(|(at, _)| *at <= self.now);
        let time = |at: Option<i64>| at.map_or_else(|| json!("-"), |at| self.time(at));
        let status = match released {
            None => "预定成功",
            Some((_, Release::ByHand)) => "已释放（手动释放）",
            Some((_, Release::AfterMeeting)) => "已释放（会议结束后自动释放）",
            Some((_, Release::NoCheckIn)) => "已释放（未签到被释放）",
        };
        let check_in = match (reservation.check_in, released) {
            (Some(_), _) => "已签到",
            (None, Some(_)) => "超时未签到",
            (None, None) => "待签到",
        };
        self.object(json!({
            "room_id": self.id(|| ids::room_id(self.tenant.spec.seed, reservation.room)),
            "room_name": room_label(reservation.room).0,
            "event_title": if with_topic { reservation.topic.as_str() } else { "" },
            "reserver": organizer.name,
            "reserver_user_id": self.person_id(reservation.organizer),
            "department_of_reserver": DEPARTMENTS[organizer.department].1,
            "guests_number": reservation.guests.to_string(),
            "accepted_number": reservation.accepted.to_string(),
            "event_start_time": self.style.time(reservation.start, self.tenant.spec.utc_offset_s),
            "event_end_time": self.style.time(reservation.end, self.tenant.spec.utc_offset_s),
            "event_duration": duration(reservation.end - reservation.start),
            "reservation_status": status,
            "check_in_device": if reservation.check_in.is_some() { "签到板" } else { "-" },
            "room_check_in_status": check_in,
            "check_in_time": time(reservation.check_in),
            "is_release_early": if released.is_some() { status } else { "未释放" },
            "releasing_person": match released {
                Some((_, Release::ByHand)) => organizer.name.as_str(),
                _ => "-",
            },
            "releasing_time": time(released.map(|(at, _)| at)),
        }))
    }

    /// `date` is `YYYY-MM-DD`.
    pub(crate) fn user_stat(&self, date: &str, ordinal: u32, count: UserCount) -> String {
        let person = &self.tenant.people[ordinal as usize];
        let department = DEPARTMENTS[person.department].1;
        let active = u8::from(count.meetings > 0);
        self.object(json!({
            "date": date,
            "user_id": self.person_id(ordinal),
            "user_name": person.name,
            "department_name": department,
            "department_path": format!("Brightwater/{department}"),
            "create_time": "2020-09-04 11:17:55",
            "user_active_flag": 1,
            "register_time": "2020-09-04 11:18:32",
            "suite_active_flag": 1,
            "last_active_time": format!("{date} 18:00:00"),
            "im_active_flag": 1,
            "send_messenger_num": 12,
            "docs_active_flag": 1,
            "create_docs_num": 0,
            "cal_active_flag": active,
            "create_cal_num": 0,
            "vc_active_flag": active,
            "vc_duration": count.seconds / 60,
            "active_os": "'windows,-'",
            "create_task_num": 0,
            "vc_num": count.meetings,
            "app_package_type": "Feishu",
            "os_name": "Windows",
            "email_send_count": "0",
            "email_receive_count": "0",
            "email_send_ext_count": "0",
            "email_receive_ext_count": "0",
            "email_send_in_count": "0",
            "email_receive_in_count": "0",
            "search_active_flag": 0,
            "total_search_count": "0",
            "quick_search_count": "0",
            "tab_search_count": "0",
        }))
    }

    /// The open ID of reservations, whose endpoint has no `user_id_type`.
    pub(crate) const fn with_open_ids(self) -> Self {
        Self { id_type: UserIdType::OpenId, ..self }
    }
}

/// The report of some days; each has the Unix time of its start.
pub(crate) fn meeting_report(days: &[(i64, DayCount)]) -> Value {
    let total = |value: fn(&DayCount) -> i64| days.iter().map(|(_, count)| value(count)).sum::<i64>().to_string();
    let rows: Vec<Value> = days
        .iter()
        .map(|(start, count)| {
            json!({
                "date": start.to_string(),
                "meeting_count": count.meetings.to_string(),
                "meeting_duration": count.seconds.to_string(),
                "participant_count": count.participants.to_string(),
            })
        })
        .collect();
    json!({
        "total_meeting_count": total(|count| count.meetings as i64),
        "total_meeting_duration": total(|count| count.seconds),
        "total_participant_count": total(|count| count.participants as i64),
        "daily_report": rows,
    })
}
