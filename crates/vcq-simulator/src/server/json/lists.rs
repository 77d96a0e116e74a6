//! The JSON objects that meeting_list and participant_list return.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::style::JsonStyle;
use crate::generators::identifiers::{
    PlantedRow, planted_addresses, planted_devices, planted_meeting, planted_outsider, planted_row,
};
use crate::generators::people::generate_name;
use crate::model::identifiers::IdentifierKind;
use crate::model::ids::{self, UserIdType};
use crate::model::places::{COMPANIES, DEPARTMENTS, room_name};
use crate::model::{Identity, Meeting, Session, Tenant};
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
    pub(crate) fn meeting(&self, meeting: &Meeting) -> String {
        let organizer = &self.tenant.people[meeting.organizer as usize];
        let sessions = self.tenant.sessions_of(meeting);
        let audience_count = sessions.iter().filter(|session| session.audience).count();
        let device_count = sessions.len() - audience_count;
        let count = |count: usize| if self.style.numbers { json!(count) } else { json!(count.to_string()) };
        let mut object = json!({
            "meeting_id": meeting.number.to_string(),
            "meeting_instance_id": meeting.instance_id.to_string(),
            "meeting_topic": meeting.topic,
            "meeting_type": meeting.meeting_type,
            "meeting_subtype": meeting.subtype,
            "organizer": organizer.name,
            "department": DEPARTMENTS[organizer.department].1,
            "user_id": self.person_id(meeting.organizer),
            "employee_id": self.employee_id(meeting.organizer),
            "email": organizer.email,
            "mobile": organizer.masked_phone,
            "meeting_start_time": self.time(meeting.start),
            "meeting_end_time": self.time(meeting.end),
            "meeting_duration": duration(meeting.end.min(self.now) - meeting.start),
            "number_of_participants": count(self.tenant.participant_count(meeting)),
            "number_of_devices": count(device_count),
            "number_of_webinar_viewers": count(audience_count),
            "audio": !meeting.is_screen_cast(),
            "video": meeting.camera,
            "sharing": meeting.share.is_some(),
            "recording": meeting.recording,
            "telephone": meeting.telephone,
            "has_related_document": meeting.has_related_document,
            "ai_note": meeting.ai_note,
            "is_external": meeting.external,
        });
        if self.tenant.spec.planted_identifiers {
            let (field, wrong) = planted_meeting(meeting.ordinal());
            object["x_created_by"] = json!({ "card": { "name": field } });
            if let Some(wrong) = wrong {
                object["recording"] = json!(wrong);
            }
        }
        self.object(object)
    }

    pub(crate) fn participant(&self, meeting: &Meeting, session_index: usize) -> String {
        let session = &self.tenant.sessions[session_index];
        let ordinal = if let Identity::Person(ordinal) = session.identity { Some(ordinal) } else { None };
        let person = ordinal.map(|ordinal| &self.tenant.people[ordinal as usize]);
        let [microphone, speaker, camera] = match (person, ordinal) {
            (Some(_), Some(ordinal)) if self.tenant.spec.planted_identifiers => planted_devices(ordinal),
            (Some(person), _) => [person.headset.0, person.headset.1, person.camera].map(str::to_owned),
            (None, _) => ["Room Array", "Room Bar", "HD Camera"].map(str::to_owned),
        };
        let camera = if session.camera { camera } else { "-".to_owned() };
        let [public_ip, internal_ip] = match self.tenant.spec.planted_identifiers {
            true => planted_addresses(session),
            false => [session.public_ip, session.internal_ip].map(|ip| Ipv4Addr::from(ip).to_string()),
        };
        let mut object = json!({
            "participant_name": self.name(session),
            "department": person.map_or("", |person| DEPARTMENTS[person.department].1),
            "user_id": self.user_id(session),
            "meeting_room_id": self.room_id(session),
            "employee_id": ordinal.map(|ordinal| self.employee_id(ordinal)).unwrap_or_default(),
            "phone": person.map_or("", |person| &person.masked_phone),
            "email": person.map_or("", |person| &person.email),
            "device": session.device,
            "app_version": session.app_version,
            "public_ip": public_ip,
            "internal_ip": internal_ip,
            "use_rtc_proxy": session.vpn,
            "location": session.location,
            "network_type": session.access.network_type(),
            "protocol": if session.vpn { "tcp" } else { "udp" },
            "microphone": microphone,
            "speaker": speaker,
            "camera": camera,
            "audio": true,
            "video": session.camera,
            "sharing": meeting.share.is_some_and(|share| share.session == session_index),
            "join_time": self.time(session.join),
            "leave_time": self.time(session.leave),
            "time_in_meeting": duration(session.stay_s().min(self.now - session.join)),
            "leave_reason": if session.leave == meeting.end { "会议结束" } else { "参会者主动离开会议" },
            "accept_status": session.accept_status,
            "is_external": session.is_external(),
        });
        if meeting.is_webinar() {
            object["webinar_user_role"] = json!(if session.audience { "3" } else { "0" });
        }
        if self.tenant.spec.planted_identifiers {
            let PlantedRow { fields: [name, listed, key], number, wrong, .. } = planted_row(session_index);
            object["x_profile"] = json!({ "card": { "name": name, "phone": number }, "aliases": [[listed]] });
            object["x_roles"] = json!({ key: "host" });
            if let Some(wrong) = wrong {
                object["time_in_meeting"] = json!(wrong);
            }
        }
        self.object(object)
    }

    pub(super) fn object(&self, mut object: Value) -> String {
        if let (Some(field), Some(object)) = (self.style.without_field, object.as_object_mut()) {
            object.remove(field);
        }
        let text = object.to_string();
        if self.style.extra_fields { text.replacen('{', "{\"x_tenant_unit\":\"cn-east\",", 1) } else { text }
    }

    /// `-` for a time in the future.
    pub(super) fn time(&self, at: i64) -> Value {
        if at <= self.now { self.style.time(at, self.tenant.spec.utc_offset_s) } else { json!("-") }
    }

    /// The `user_id` of a row; empty for rooms and participants without one.
    pub(crate) fn user_id(&self, session: &Session) -> String {
        match session.identity {
            Identity::Person(ordinal) => self.person_id(ordinal),
            Identity::External(ordinal) => {
                self.id(|| ids::foreign_user_id(self.tenant.spec.seed, ordinal, self.id_type))
            }
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

    pub(crate) fn person_id(&self, ordinal: u32) -> String {
        self.id(|| ids::user_id(self.tenant.spec.seed, ordinal, self.id_type))
    }

    fn employee_id(&self, ordinal: u32) -> String {
        match self.tenant.spec.planted_identifiers {
            true => IdentifierKind::EmployeeId.text(ordinal as usize),
            false => ids::employee_id(ordinal),
        }
    }

    pub(super) fn id(&self, make: impl FnOnce() -> String) -> String {
        if self.style.empty_ids { String::new() } else { make() }
    }

    fn name(&self, session: &Session) -> String {
        match planted_outsider(session.identity) {
            Some((IdentifierKind::Phone, number)) if self.tenant.spec.planted_identifiers => {
                return format!("+{number}");
            }
            Some((_, name)) if self.tenant.spec.planted_identifiers => return name,
            _ => {}
        }
        let outsider = |ordinal: u32| {
            let mut rng = SeededRng::new(derive_key(self.tenant.spec.seed ^ 0x5354, u64::from(ordinal)));
            let name = generate_name(&mut rng).0;
            (name, rng.pick(COMPANIES))
        };
        match session.identity {
            Identity::Person(ordinal) => self.tenant.people[ordinal as usize].name.clone(),
            Identity::Room(room) => room_name(room),
            Identity::External(ordinal) => {
                let (name, company) = outsider(ordinal);
                format!("{name} ({company})")
            }
            Identity::Guest(ordinal) => format!("{} (Guest)", outsider(ordinal).0),
            Identity::Telephone(ordinal) => format!("+86 1{:02}****{:04}", ordinal % 89 + 10, ordinal % 10_000),
        }
    }
}

pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
