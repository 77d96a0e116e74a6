//! The vendor's JSON for meetings and participants, and the parts of its notation that all three lists share.
//!
//! Owns field names and text forms as `feishu-vc-api` documents them: times as local text with the zone in brackets,
//! durations as `00:01:52`, counts as strings. [`WireStyle`] bends the notation where the documentation is silent or a test
//! wants to see a client cope.

use super::people::{self, UserIdType};
use super::places::DEPARTMENTS;
use super::tenant::{Meeting, Session, Tenant, Who, room_name};

/// How times are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeForm {
    /// `2022.12.23 11:16:59 (GMT+08:00)`, as documented.
    #[default]
    Text,
    /// The same without the zone.
    Zoneless,
    /// Unix seconds.
    UnixSeconds,
}

/// Ways in which the notation may differ from the documented one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WireStyle {
    /// How times are written, all lists alike.
    pub times: TimeForm,
    /// Metrics, counts and unix times as JSON numbers instead of strings.
    pub numbers: bool,
    /// Quality sections without media are `null` instead of absent or `{}`.
    pub null_sections: bool,
    /// Every object holds fields that nobody documented.
    pub extra_fields: bool,
    /// Every id is empty, as if the field scope were missing.
    pub empty_ids: bool,
    /// Share of the quality items with an odd value, in items of a million; see `OddValue`.
    pub odd_items_per_million: u32,
}

/// Everything that a writer must know beside the row itself.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) style: WireStyle,
    pub(super) id_type: UserIdType,
    /// Now, unix seconds: what has not ended by then is still going on.
    pub(super) now: i64,
}

impl Writer<'_> {
    /// Appends one object of meeting_list.
    pub(super) fn meeting(&self, out: &mut String, meeting: &Meeting) {
        let seed = self.tenant.spec.seed;
        let organizer = &self.tenant.people[meeting.organizer as usize];
        let rows = &self.tenant.sessions[meeting.sessions.clone()];
        let audience = rows.iter().filter(|row| row.audience).count();
        let mut persons: Vec<Who> = rows.iter().filter(|row| !row.audience).map(|row| row.who).collect();
        let devices = persons.len();
        persons.sort_unstable();
        persons.dedup();
        let ended = meeting.end <= self.now;
        let mut object = Object::open(out, self.style);
        object.text("meeting_id", &meeting.number.to_string());
        object.text("meeting_instance_id", &meeting.instance_id.to_string());
        object.text("meeting_topic", &meeting.topic);
        object.number("meeting_type", u64::from(meeting.meeting_type));
        object.number("meeting_subtype", u64::from(meeting.subtype));
        object.text("organizer", &organizer.name);
        object.text("department", DEPARTMENTS[organizer.department].1);
        object.text("user_id", &self.id(|| people::user_id(seed, meeting.organizer, self.id_type)));
        object.text("employee_id", &people::employee_id(meeting.organizer));
        object.text("email", &people::email(organizer));
        object.text("mobile", &people::masked_phone(organizer.phone_number));
        object.time("meeting_start_time", Some(meeting.start), self.tenant.spec.utc_offset_s);
        object.time("meeting_end_time", ended.then_some(meeting.end), self.tenant.spec.utc_offset_s);
        object.duration("meeting_duration", meeting.end.min(self.now) - meeting.start);
        object.count("number_of_participants", persons.len());
        object.count("number_of_devices", devices);
        object.count("number_of_webinar_viewers", audience);
        object.flag("audio", !meeting.is_cast());
        object.flag("video", meeting.camera);
        object.flag("sharing", meeting.share.is_some());
        object.flag("recording", meeting.recording);
        object.flag("telephone", meeting.telephone);
        object.flag("has_related_document", meeting.has_related_document);
        object.flag("ai_note", meeting.ai_note);
        object.flag("is_external", meeting.external);
        object.close();
    }

    /// Appends one object of participant_list.
    pub(super) fn participant(&self, out: &mut String, meeting: &Meeting, row: usize) {
        let session = &self.tenant.sessions[row];
        let person = match session.who {
            Who::Person(ordinal) => Some((ordinal, &self.tenant.people[ordinal as usize])),
            _ => None,
        };
        let offset = self.tenant.spec.utc_offset_s;
        let left = session.leave <= self.now;
        let mut object = Object::open(out, self.style);
        object.text("participant_name", &self.name(session));
        object.text("department", person.map_or("", |(_, person)| DEPARTMENTS[person.department].1));
        object.text("user_id", &self.user_id(session));
        object.text("meeting_room_id", &self.room_id(session));
        object.text("employee_id", &person.map_or_else(String::new, |(ordinal, _)| people::employee_id(ordinal)));
        object.text("phone", &person.map_or_else(String::new, |(_, person)| people::masked_phone(person.phone_number)));
        object.text("email", &person.map_or_else(String::new, |(_, person)| people::email(person)));
        object.text("device", session.device);
        object.text("app_version", session.app_version);
        object.text("public_ip", &ip(session.public_ip));
        object.text("internal_ip", &ip(session.internal_ip));
        object.flag("use_rtc_proxy", session.vpn);
        object.text("location", session.location);
        object.text("network_type", session.access.network_type());
        object.text("protocol", if session.vpn { "tcp" } else { "udp" });
        let (microphone, speaker) = person.map_or(("Room Array", "Room Bar"), |(_, person)| person.headset);
        object.text("microphone", microphone);
        object.text("speaker", speaker);
        object
            .text("camera", if session.camera { person.map_or("HD Camera", |(_, person)| person.camera) } else { "-" });
        object.flag("audio", true);
        object.flag("video", session.camera);
        object.flag("sharing", meeting.share.is_some_and(|share| share.session == row));
        object.time("join_time", Some(session.join), offset);
        object.time("leave_time", left.then_some(session.leave), offset);
        object.duration("time_in_meeting", session.stay_s().min(self.now - session.join));
        object.text("leave_reason", if session.leave == meeting.end { "会议结束" } else { "参会者主动离开会议" });
        object.number("accept_status", u64::from(session.accept_status));
        object.flag("is_external", session.is_external());
        if meeting.is_webinar() {
            object.text("webinar_user_role", if session.audience { "3" } else { "0" });
        }
        object.close();
    }

    /// The `user_id` of a row; empty for rooms and for everybody without one.
    pub(super) fn user_id(&self, session: &Session) -> String {
        let seed = self.tenant.spec.seed;
        match session.who {
            Who::Person(ordinal) => self.id(|| people::user_id(seed, ordinal, self.id_type)),
            Who::Foreign(ordinal) => self.id(|| people::foreign_user_id(seed, ordinal, self.id_type)),
            Who::Room(_) | Who::Guest(_) | Who::Phone(_) => String::new(),
        }
    }

    /// The `meeting_room_id` of a row; empty for everybody but rooms.
    pub(super) fn room_id(&self, session: &Session) -> String {
        match session.who {
            Who::Room(room) => self.id(|| people::room_id(self.tenant.spec.seed, room)),
            _ => String::new(),
        }
    }

    fn id(&self, make: impl FnOnce() -> String) -> String {
        if self.style.empty_ids { String::new() } else { make() }
    }

    fn name(&self, session: &Session) -> String {
        let stranger = |ordinal: u32| {
            let mut dice = super::dice::Dice::new(super::dice::key(self.tenant.spec.seed ^ 0x5354, u64::from(ordinal)));
            let name = people::invent_name(&mut dice).0;
            (name, dice.pick(super::places::COMPANIES))
        };
        match session.who {
            Who::Person(ordinal) => self.tenant.people[ordinal as usize].name.clone(),
            Who::Room(room) => room_name(room),
            Who::Foreign(ordinal) => {
                let (name, company) = stranger(ordinal);
                format!("{name} ({company})")
            }
            Who::Guest(ordinal) => format!("{} (Guest)", stranger(ordinal).0),
            Who::Phone(ordinal) => format!("+86 1{:02}****{:04}", ordinal % 89 + 10, ordinal % 10_000),
        }
    }
}

fn ip([a, b, c, d]: [u8; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

/// Writes one JSON object field by field.
struct Object<'a> {
    out: &'a mut String,
    style: WireStyle,
    first: bool,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut String, style: WireStyle) -> Self {
        out.push('{');
        let mut object = Self { out, style, first: true };
        if style.extra_fields {
            object.text("x_tenant_unit", "cn-east");
        }
        object
    }

    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_json_text(self.out, value);
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out.push_str(&value.to_string());
    }

    fn count(&mut self, key: &str, value: usize) {
        if self.style.numbers { self.number(key, value as u64) } else { self.text(key, &value.to_string()) }
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    fn time(&mut self, key: &str, at: Option<i64>, utc_offset_s: i32) {
        self.key(key);
        match at {
            Some(at) => push_time(self.out, at, utc_offset_s, self.style),
            None => self.out.push_str("\"-\""),
        }
    }

    fn duration(&mut self, key: &str, seconds: i64) {
        let seconds = seconds.max(0);
        self.text(key, &format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    }

    fn close(self) {
        self.out.push('}');
    }
}

/// Appends a text as a JSON string.
pub(super) fn push_json_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            character if u32::from(character) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            character => out.push(character),
        }
    }
    out.push('"');
}

/// Appends a time as a JSON value in the style's form.
pub(super) fn push_time(out: &mut String, at: i64, utc_offset_s: i32, style: WireStyle) {
    match style.times {
        TimeForm::UnixSeconds if style.numbers => out.push_str(&at.to_string()),
        TimeForm::UnixSeconds => {
            out.push('"');
            out.push_str(&at.to_string());
            out.push('"');
        }
        form => {
            out.push('"');
            push_wall_clock(out, at + i64::from(utc_offset_s));
            if form == TimeForm::Text {
                push_zone(out, utc_offset_s);
            }
            out.push('"');
        }
    }
}

/// Appends `YYYY.MM.DD HH:MM:SS` for a local time in seconds since 1970-01-01 00:00:00 local.
pub(super) fn push_wall_clock(out: &mut String, local: i64) {
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    // Days to civil date on a calendar that begins in March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    push_two(out, year / 100);
    push_two(out, year % 100);
    for (before, value) in [('.', month), ('.', day), (' ', second / 3600), (':', second / 60 % 60), (':', second % 60)]
    {
        out.push(before);
        push_two(out, value);
    }
}

fn push_zone(out: &mut String, utc_offset_s: i32) {
    let minutes = i64::from(utc_offset_s.abs() / 60);
    out.push_str(if utc_offset_s < 0 { " (GMT-" } else { " (GMT+" });
    push_two(out, minutes / 60);
    out.push(':');
    push_two(out, minutes % 60);
    out.push(')');
}

fn push_two(out: &mut String, value: i64) {
    out.push(char::from(b'0' + (value / 10 % 10) as u8));
    out.push(char::from(b'0' + (value % 10) as u8));
}
