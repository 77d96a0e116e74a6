//! The objects of meeting_list and participant_list.

use super::style::JsonStyle;
use super::text::push_time;
use crate::generators::people::generate_name;
use crate::model::ids::{self, UserIdType};
use crate::model::meeting::{Identity, Meeting, Session};
use crate::model::places::{COMPANIES, DEPARTMENTS, room_name};
use crate::model::tenant::Tenant;
use crate::random::{SeededRng, derive_key};

#[derive(Clone, Copy)]
pub(crate) struct ListWriter<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) style: JsonStyle,
    pub(crate) id_type: UserIdType,
    /// Unix seconds.
    pub(crate) now: i64,
}

impl ListWriter<'_> {
    pub(crate) fn meeting(&self, out: &mut String, meeting: &Meeting) {
        let seed = self.tenant.spec.seed;
        let organizer = &self.tenant.people[meeting.organizer as usize];
        let rows = self.tenant.sessions_of(meeting);
        let audience = rows.iter().filter(|row| row.audience).count();
        let mut persons: Vec<Identity> = rows.iter().filter(|row| !row.audience).map(|row| row.identity).collect();
        let devices = persons.len();
        persons.sort_unstable();
        persons.dedup();
        let ended = meeting.end <= self.now;
        let mut object = Object::open(out, self.style);
        object.field("meeting_id", meeting.number.to_string());
        object.field("meeting_instance_id", meeting.instance_id.to_string());
        object.field("meeting_topic", meeting.topic.as_str());
        object.field("meeting_type", meeting.meeting_type);
        object.field("meeting_subtype", meeting.subtype);
        object.field("organizer", organizer.name.as_str());
        object.field("department", DEPARTMENTS[organizer.department].1);
        object.field("user_id", self.id(|| ids::user_id(seed, meeting.organizer, self.id_type)));
        object.field("employee_id", ids::employee_id(meeting.organizer));
        object.field("email", ids::email(organizer));
        object.field("mobile", ids::masked_phone(organizer.phone_number));
        object.time("meeting_start_time", Some(meeting.start), self.tenant.spec.utc_offset_s);
        object.time("meeting_end_time", ended.then_some(meeting.end), self.tenant.spec.utc_offset_s);
        object.duration("meeting_duration", meeting.end.min(self.now) - meeting.start);
        object.count("number_of_participants", persons.len());
        object.count("number_of_devices", devices);
        object.count("number_of_webinar_viewers", audience);
        object.field("audio", !meeting.is_screen_cast());
        object.field("video", meeting.camera);
        object.field("sharing", meeting.share.is_some());
        object.field("recording", meeting.recording);
        object.field("telephone", meeting.telephone);
        object.field("has_related_document", meeting.has_related_document);
        object.field("ai_note", meeting.ai_note);
        object.field("is_external", meeting.external);
        object.close();
    }

    pub(crate) fn participant(&self, out: &mut String, meeting: &Meeting, row: usize) {
        let session = &self.tenant.sessions[row];
        let person = match session.identity {
            Identity::Person(ordinal) => Some((ordinal, &self.tenant.people[ordinal as usize])),
            _ => None,
        };
        let offset = self.tenant.spec.utc_offset_s;
        let left = session.leave <= self.now;
        let mut object = Object::open(out, self.style);
        object.field("participant_name", self.name(session));
        object.field("department", person.map_or("", |(_, person)| DEPARTMENTS[person.department].1));
        object.field("user_id", self.user_id(session));
        object.field("meeting_room_id", self.room_id(session));
        object.field("employee_id", person.map_or_else(String::new, |(ordinal, _)| ids::employee_id(ordinal)));
        object.field("phone", person.map_or_else(String::new, |(_, person)| ids::masked_phone(person.phone_number)));
        object.field("email", person.map_or_else(String::new, |(_, person)| ids::email(person)));
        object.field("device", session.device);
        object.field("app_version", session.app_version);
        object.field("public_ip", ip(session.public_ip));
        object.field("internal_ip", ip(session.internal_ip));
        object.field("use_rtc_proxy", session.vpn);
        object.field("location", session.location);
        object.field("network_type", session.access.network_type());
        object.field("protocol", if session.vpn { "tcp" } else { "udp" });
        let (microphone, speaker) = person.map_or(("Room Array", "Room Bar"), |(_, person)| person.headset);
        object.field("microphone", microphone);
        object.field("speaker", speaker);
        object.field(
            "camera",
            if session.camera { person.map_or("HD Camera", |(_, person)| person.camera) } else { "-" },
        );
        object.field("audio", true);
        object.field("video", session.camera);
        object.field("sharing", meeting.share.is_some_and(|share| share.session == row));
        object.time("join_time", Some(session.join), offset);
        object.time("leave_time", left.then_some(session.leave), offset);
        object.duration("time_in_meeting", session.stay_s().min(self.now - session.join));
        object.field("leave_reason", if session.leave == meeting.end { "会议结束" } else { "参会者主动离开会议" });
        object.field("accept_status", session.accept_status);
        object.field("is_external", session.is_external());
        if meeting.is_webinar() {
            object.field("webinar_user_role", if session.audience { "3" } else { "0" });
        }
        object.close();
    }

    /// The `user_id` of a row; empty for rooms and participants without one.
    pub(crate) fn user_id(&self, session: &Session) -> String {
        let seed = self.tenant.spec.seed;
        match session.identity {
            Identity::Person(ordinal) => self.id(|| ids::user_id(seed, ordinal, self.id_type)),
            Identity::Foreign(ordinal) => self.id(|| ids::foreign_user_id(seed, ordinal, self.id_type)),
            Identity::Room(_) | Identity::Guest(_) | Identity::Telephone(_) => String::new(),
        }
    }

    /// The `meeting_room_id` of a row; empty for people.
    pub(crate) fn room_id(&self, session: &Session) -> String {
        match session.identity {
            Identity::Room(room) => self.id(|| ids::room_id(self.tenant.spec.seed, room)),
            _ => String::new(),
        }
    }

    fn id(&self, make: impl FnOnce() -> String) -> String {
        if self.style.empty_ids { String::new() } else { make() }
    }

    fn name(&self, session: &Session) -> String {
        let outsider = |ordinal: u32| {
            let mut rng = SeededRng::new(derive_key(self.tenant.spec.seed ^ 0x5354, u64::from(ordinal)));
            let name = generate_name(&mut rng).0;
            (name, rng.pick(COMPANIES))
        };
        match session.identity {
            Identity::Person(ordinal) => self.tenant.people[ordinal as usize].name.clone(),
            Identity::Room(room) => room_name(room),
            Identity::Foreign(ordinal) => {
                let (name, company) = outsider(ordinal);
                format!("{name} ({company})")
            }
            Identity::Guest(ordinal) => format!("{} (Guest)", outsider(ordinal).0),
            Identity::Telephone(ordinal) => format!("+86 1{:02}****{:04}", ordinal % 89 + 10, ordinal % 10_000),
        }
    }
}

fn ip([a, b, c, d]: [u8; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

/// Writes one JSON object field by field.
struct Object<'a> {
    out: &'a mut String,
    style: JsonStyle,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut String, style: JsonStyle) -> Self {
        out.push('{');
        let mut object = Self { out, style };
        if style.extra_fields {
            object.field("x_tenant_unit", "cn-east");
        }
        object
    }

    fn key(&mut self, key: &str) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    fn field(&mut self, key: &str, value: impl Into<serde_json::Value>) {
        self.key(key);
        self.out.push_str(&value.into().to_string());
    }

    fn count(&mut self, key: &str, value: usize) {
        if self.style.numbers { self.field(key, value) } else { self.field(key, value.to_string()) }
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
        self.field(key, format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    }

    fn close(self) {
        self.out.push('}');
    }
}
