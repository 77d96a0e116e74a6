//! The identifiers of a tenant with [`TenantSpec::planted_identifiers`](crate::TenantSpec::planted_identifiers): which
//! ones its answers contain, and the events that Feishu would send.

use std::collections::BTreeSet;

use serde_json::json;

use crate::model::identifiers::{Identifier, IdentifierKind, REFUSAL_TEXTS};
use crate::model::ids::{self, UserIdType};
use crate::model::{Identity, NetworkAccess, Session, Tenant};

/// Fields that are documented nowhere, of the tenant itself: in a room and in an envelope.
pub(crate) const TENANT_FIELDS: usize = 2;
/// Number of the topic that is the reason why a room is closed.
pub(crate) const ROOM_REASON: usize = 999_999;
const MEETING_FIELDS: usize = 600_000;
const QUALITY_FIELDS: usize = 400_000;
const QUALITY_VALUES: usize = 200_000;
/// People of other tenants, guests and callers, after the tenant's own people.
const OUTSIDERS: usize = 100_000;
/// Telephone numbers in fields that are documented nowhere.
const NUMBERS: usize = 500_000;
/// One row in this many has a value of another type.
const WRONG_EVERY: usize = 29;

/// The identifiers of one row that stand in unusual places.
pub(crate) struct PlantedRow {
    /// In an object, in a list, and as a key.
    pub(crate) fields: [String; 3],
    /// As a JSON number.
    pub(crate) number: u64,
    /// Instead of a duration.
    pub(crate) wrong: Option<String>,
    /// In a field of a quality item.
    pub(crate) quality_field: String,
    /// Instead of a metric.
    pub(crate) quality_wrong: Option<String>,
    /// The first quality item has no time.
    pub(crate) without_time: bool,
}

pub(crate) fn planted_row(row: usize) -> PlantedRow {
    let wrong = |of: usize, number: usize| (row % WRONG_EVERY == of).then(|| IdentifierKind::WrongField.text(number));
    PlantedRow {
        fields: [0, 1, 2].map(|at| IdentifierKind::UnknownField.text(row * 3 + at)),
        number: IdentifierKind::Phone.text(NUMBERS + row).parse().unwrap_or_default(),
        wrong: wrong(5, row),
        quality_field: IdentifierKind::UnknownField.text(QUALITY_FIELDS + row),
        quality_wrong: wrong(3, QUALITY_VALUES + row),
        without_time: row % WRONG_EVERY == 4,
    }
}

/// The field that is documented nowhere of a meeting, and its value instead of a flag.
pub(crate) fn planted_meeting(meeting: usize) -> (String, Option<String>) {
    let wrong = (meeting % 11 == 3).then(|| IdentifierKind::WrongField.text(MEETING_FIELDS + meeting));
    (IdentifierKind::UnknownField.text(MEETING_FIELDS + meeting), wrong)
}

/// See [`TENANT_FIELDS`].
pub(crate) fn planted_field(at: usize) -> String {
    IdentifierKind::UnknownField.text(999_999 - at)
}

/// Microphone, speaker and camera of a person.
pub(crate) fn planted_devices(ordinal: u32) -> [String; 3] {
    [0, 1, 2].map(|at| IdentifierKind::Device.text(ordinal as usize * 3 + at))
}

/// The name of somebody who is not of the tenant; a caller has a number.
pub(crate) fn planted_outsider(identity: Identity) -> Option<(IdentifierKind, String)> {
    let of = |kind: IdentifierKind, ordinal: u32| Some((kind, kind.text(OUTSIDERS + ordinal as usize)));
    match identity {
        Identity::External(ordinal) | Identity::Guest(ordinal) => of(IdentifierKind::Name, ordinal),
        Identity::Telephone(ordinal) => of(IdentifierKind::Phone, ordinal),
        Identity::Person(_) | Identity::Room(_) => None,
    }
}

/// The public and internal address of a session: those of phones are IPv6.
pub(crate) fn planted_addresses(session: &Session) -> [String; 2] {
    let text = |[a, b, c, d]: [u8; 4]| format!("{a}.{b}.{c}.{d}");
    let ([.., third, last], [_, _, net, host]) = (session.public_ip, session.internal_ip);
    let public = match session.access {
        NetworkAccess::Mobile => format!("2001:db8:c{third:02x}:1{net:02x}::{last:x}:1{host:02x}"),
        _ => text(session.public_ip),
    };
    [public, text(session.internal_ip)]
}

/// Identifiers without duplicates.
#[derive(Default)]
struct Found(BTreeSet<Identifier>);

impl Found {
    fn add(&mut self, kind: IdentifierKind, text: String) {
        self.0.insert(Identifier { kind, text });
    }

    fn wrong(&mut self, text: Option<String>) {
        self.0.extend(text.map(|text| Identifier { kind: IdentifierKind::WrongField, text }));
    }

    fn person(&mut self, tenant: &Tenant, ordinal: u32) {
        let (spec, number) = (&tenant.spec, ordinal as usize);
        for kind in [IdentifierKind::Name, IdentifierKind::Email, IdentifierKind::Phone, IdentifierKind::EmployeeId] {
            self.add(kind, kind.text(number));
        }
        self.add(IdentifierKind::UserId, ids::user_id(spec.seed, ordinal, UserIdType::OpenId));
        for device in planted_devices(ordinal) {
            self.add(IdentifierKind::Device, device);
        }
    }

    fn row(&mut self, row: usize, has_quality: bool) {
        let planted = planted_row(row);
        for field in planted.fields {
            self.add(IdentifierKind::UnknownField, field);
        }
        self.add(IdentifierKind::Phone, planted.number.to_string());
        self.wrong(planted.wrong);
        if has_quality {
            self.add(IdentifierKind::UnknownField, planted.quality_field);
            self.wrong(planted.quality_wrong);
        }
    }

    fn meeting(&mut self, tenant: &Tenant, at: usize) {
        let meeting = &tenant.meetings[at];
        let (field, wrong) = planted_meeting(at);
        self.add(IdentifierKind::UnknownField, field);
        self.wrong(wrong);
        for row in meeting.sessions.clone() {
            self.row(row, meeting.sample_count(&tenant.sessions[row]) > 0);
        }
    }
}

impl Tenant {
    /// Every identifier that the tenant's answers can contain. Those of people who are in no meeting are there too: the
    /// counts by person list them. Meant for a tenant with planted identifiers.
    pub fn identifiers(&self) -> Vec<Identifier> {
        let mut found = Found::default();
        for ordinal in 0..self.people.len() as u32 {
            found.person(self, ordinal);
        }
        for session in &self.sessions {
            if let Some((kind, text)) = planted_outsider(session.identity) {
                found.add(kind, text);
            }
            if let Identity::External(ordinal) = session.identity {
                let id = ids::foreign_user_id(self.spec.seed, ordinal, UserIdType::OpenId);
                found.add(IdentifierKind::UserId, id);
            }
            for address in planted_addresses(session) {
                found.add(IdentifierKind::Address, address);
            }
        }
        for at in 0..self.meetings.len() {
            found.add(IdentifierKind::Topic, IdentifierKind::Topic.text(at));
            found.meeting(self, at);
        }
        found.add(IdentifierKind::Topic, IdentifierKind::Topic.text(ROOM_REASON));
        for at in 0..TENANT_FIELDS {
            found.add(IdentifierKind::UnknownField, planted_field(at));
        }
        for number in 0..REFUSAL_TEXTS {
            found.add(IdentifierKind::Refusal, IdentifierKind::Refusal.text(number));
            found.add(IdentifierKind::ErrorPage, IdentifierKind::ErrorPage.text(number));
        }
        found.0.into_iter().collect()
    }

    /// The identifiers that only meetings of the first days have, without topics.
    pub fn identifiers_of_days(&self, days: u32) -> Vec<Identifier> {
        let mut found = Found::default();
        let until = self.spec.midnight(days);
        for (at, _) in self.meetings.iter().enumerate().filter(|(_, meeting)| meeting.start < until) {
            found.meeting(self, at);
        }
        found.0.into_iter().collect()
    }

    /// The identifiers of one person: those of the person and of the person's rows, without addresses, which are also
    /// those of others, and without topics.
    pub fn identifiers_of(&self, ordinal: u32) -> Vec<Identifier> {
        let mut found = Found::default();
        found.person(self, ordinal);
        for meeting in &self.meetings {
            for row in meeting.sessions.clone() {
                let session = &self.sessions[row];
                if session.identity == Identity::Person(ordinal) {
                    found.row(row, meeting.sample_count(session) > 0);
                }
            }
        }
        found.0.into_iter().collect()
    }

    /// The event that each meeting ended, as a subscriber receives it: a line of JSON.
    pub fn ended_events(&self) -> Vec<String> {
        let seed = self.spec.seed;
        let events = self.meetings.iter().map(|meeting| {
            let id = |id_type: UserIdType| ids::user_id(seed, meeting.organizer, id_type);
            let user = json!({
                "id": {
                    "open_id": id(UserIdType::OpenId),
                    "union_id": id(UserIdType::UnionId),
                    "user_id": id(UserIdType::UserId),
                },
                "user_role": 2,
                "user_type": 100,
            });
            json!({
                "schema": "2.0",
                "header": {
                    "event_id": meeting.instance_id.to_string(),
                    "event_type": "vc.meeting.all_meeting_ended_v1",
                    "create_time": (meeting.end * 1000).to_string(),
                },
                "event": {
                    "meeting": {
                        "id": meeting.instance_id.to_string(),
                        "topic": meeting.topic,
                        "meeting_no": meeting.number.to_string(),
                        "meeting_source": 1,
                        "start_time": meeting.start.to_string(),
                        "end_time": meeting.end.to_string(),
                        "host_user": user,
                        "owner": user,
                    },
                    "operator": user,
                },
            })
        });
        events.map(|event| event.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TenantSpec;

    #[test]
    fn no_identifier_contains_another_one_and_every_kind_is_there() {
        let spec = TenantSpec { planted_identifiers: true, days: 2, ..TenantSpec::default() };
        let identifiers = Tenant::generate(&spec).identifiers();
        let kinds: BTreeSet<IdentifierKind> = identifiers.iter().map(|identifier| identifier.kind).collect();
        assert_eq!(kinds, IdentifierKind::ALL.iter().copied().collect());
        // An address is searched for with what is around it.
        let texts: Vec<&Identifier> =
            identifiers.iter().filter(|identifier| identifier.kind != IdentifierKind::Address).collect();
        let unique: BTreeSet<&str> = texts.iter().map(|identifier| identifier.text.as_str()).collect();
        assert_eq!(unique.len(), texts.len());
        let lengths: BTreeSet<usize> = unique.iter().map(|text| text.len()).collect();
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [12, 13, 35], "texts, numbers and open IDs");
    }

    #[test]
    fn the_answers_are_the_same_apart_from_the_identifiers() {
        let of = |planted_identifiers| Tenant::generate(&TenantSpec { planted_identifiers, ..TenantSpec::default() });
        assert_eq!(of(true).totals(), of(false).totals());
    }
}
