//! The people of the made-up tenant and the ids by which the vendor would know them.
//!
//! Owns who exists and what belongs to a person whatever the day: department, building, machine, home network, habits.
//! Names are invented; phone numbers are masked as the vendor masks them; mail lives at example domains.

use super::dice::{Dice, key};
use super::places::{
    APP_VERSIONS, BUILDINGS, CAMERAS, COMPUTERS, DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES, HEADSETS, HOME_LOCATIONS,
    PHONES,
};

/// The kind of user id that a caller asks for (`user_id_type`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UserIdType {
    /// `open_id`, the vendor's default: one per person and app, `ou_...`.
    #[default]
    OpenId,
    /// `union_id`: one per person and developer, `on_...`.
    UnionId,
    /// `user_id`: one per person and tenant, eight characters.
    UserId,
}

impl UserIdType {
    /// Reads the value of the parameter `user_id_type`.
    pub fn from_param(text: &str) -> Option<Self> {
        match text {
            "open_id" => Some(Self::OpenId),
            "union_id" => Some(Self::UnionId),
            "user_id" => Some(Self::UserId),
            _ => None,
        }
    }
}

/// How good the radio at home is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HomeNetwork {
    Cable,
    GoodWifi,
    CrowdedWifi,
    BadWifi,
}

/// One employee of the made-up tenant.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) mail_name: String,
    pub(super) department: usize,
    pub(super) building: usize,
    pub(super) floor: u8,
    pub(super) desk: u8,
    pub(super) desk_cable: bool,
    pub(super) home: HomeNetwork,
    pub(super) home_ip: [u8; 4],
    pub(super) home_location: &'static str,
    pub(super) computer: &'static str,
    pub(super) overloaded: bool,
    pub(super) phone: &'static str,
    pub(super) app_version: &'static str,
    pub(super) headset: (&'static str, &'static str),
    pub(super) camera: &'static str,
    pub(super) vpn: bool,
    pub(super) works_from_home: f64,
    pub(super) camera_habit: f64,
    pub(super) talkative: f64,
    pub(super) phone_number: [u8; 6],
}

/// Invents the people of a tenant.
pub(super) fn invent_people(seed: u64, count: u32) -> Vec<Person> {
    (0..count).map(|ordinal| invent_person(key(key(seed, 0x0070_656F), u64::from(ordinal)), ordinal)).collect()
}

fn invent_person(person_key: u64, ordinal: u32) -> Person {
    let mut dice = Dice::new(person_key);
    let (name, letters) = invent_name(&mut dice);
    let departments: Vec<(u32, usize)> = DEPARTMENTS.iter().enumerate().map(|(at, (share, _))| (*share, at)).collect();
    let building = dice.weighted(&[(44, 0), (22, 1), (24, 2), (10, 3)]);
    Person {
        name,
        mail_name: format!("{letters}{ordinal}"),
        department: dice.weighted(&departments),
        building,
        floor: dice.between(1, i64::from(BUILDINGS[building].floors)) as u8,
        desk: dice.between(20, 230) as u8,
        desk_cable: dice.chance(0.3),
        home: dice.weighted(&[
            (20, HomeNetwork::Cable),
            (46, HomeNetwork::GoodWifi),
            (22, HomeNetwork::CrowdedWifi),
            (12, HomeNetwork::BadWifi),
        ]),
        home_ip: [203, 0, 113, dice.between(1, 254) as u8],
        home_location: dice.pick(HOME_LOCATIONS),
        computer: dice.weighted(COMPUTERS),
        overloaded: dice.chance(0.07),
        phone: dice.weighted(PHONES),
        app_version: dice.weighted(APP_VERSIONS),
        headset: dice.weighted(HEADSETS),
        camera: dice.weighted(CAMERAS),
        vpn: dice.chance(0.12),
        works_from_home: dice.pick(&[0.0, 0.1, 0.2, 0.4, 0.6]),
        camera_habit: dice.pick(&[0.1, 0.3, 0.5, 0.7, 0.9]),
        talkative: 0.1 + 0.5 * dice.unit(),
        phone_number: std::array::from_fn(|_| dice.between(0, 9) as u8),
    }
}

/// Invents a name: in script or in letters, and the letters that a mail address is made of.
pub(super) fn invent_name(dice: &mut Dice) -> (String, String) {
    let (family, family_letters) = dice.pick(FAMILY_NAMES);
    let (given, given_letters) = dice.pick(GIVEN_NAMES);
    let letters = format!("{}.{}", given_letters.to_lowercase(), family_letters.to_lowercase());
    let name = if dice.chance(0.55) { format!("{family}{given}") } else { format!("{given_letters} {family_letters}") };
    (name, letters)
}

/// The employee number of a person.
pub(super) fn employee_id(ordinal: u32) -> String {
    format!("E{:05}", ordinal + 1)
}

/// The mail address of a person.
pub(super) fn email(person: &Person) -> String {
    format!("{}@meetings.example.com", person.mail_name)
}

/// The phone number of a person, masked as the vendor masks it.
pub(super) fn masked_phone(number: [u8; 6]) -> String {
    let [a, b, c, d, e, f] = number;
    format!("+861{a}{b}****{c}{d}{e}{f}")
}

/// The id of a person in the asked form.
pub(super) fn user_id(seed: u64, ordinal: u32, id_type: UserIdType) -> String {
    let person = key(key(seed, 0x6964), u64::from(ordinal));
    match id_type {
        UserIdType::OpenId => format!("ou_{:016x}{:016x}", key(person, 1), key(person, 2)),
        UserIdType::UnionId => format!("on_{:016x}{:016x}", key(person, 3), key(person, 4)),
        // 32 random bits may meet; the ordinal in front keeps ids apart for up to a million people.
        UserIdType::UserId => format!("{:05x}{:03x}", ordinal, key(person, 5) & 0xFFF),
    }
}

/// The id of a person of another tenant, which the quality list does not know.
pub(super) fn foreign_user_id(seed: u64, ordinal: u32, id_type: UserIdType) -> String {
    let person = key(key(seed, 0x666F_7265), u64::from(ordinal));
    match id_type {
        UserIdType::OpenId => format!("ou_{:016x}{:016x}", key(person, 1), key(person, 2)),
        UserIdType::UnionId => format!("on_{:016x}{:016x}", key(person, 3), key(person, 4)),
        UserIdType::UserId => format!("x{:07x}", key(person, 5) & 0xFFF_FFFF),
    }
}

/// The id of a meeting room.
pub(super) fn room_id(seed: u64, room: usize) -> String {
    let room = key(key(seed, 0x726F_6F6D), room as u64);
    format!("omm_{:016x}{:016x}", key(room, 1), key(room, 2))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_of_the_asked_form() {
        for (id_type, prefix) in [(UserIdType::OpenId, "ou_"), (UserIdType::UnionId, "on_"), (UserIdType::UserId, "0")]
        {
            let ids: HashSet<String> = (0..5000).map(|person| user_id(9, person, id_type)).collect();
            assert_eq!(ids.len(), 5000);
            assert!(ids.iter().all(|id| id.starts_with(prefix)));
            let foreign: HashSet<String> = (0..200).map(|person| foreign_user_id(9, person, id_type)).collect();
            assert!(foreign.is_disjoint(&ids));
        }
    }

    #[test]
    fn people_hold_no_real_address() {
        for (ordinal, person) in invent_people(3, 200).iter().enumerate() {
            assert!(email(person).ends_with(".example.com"), "{ordinal}");
            assert!(masked_phone(person.phone_number).contains("****"));
            assert_eq!(&person.home_ip[..3], &[203, 0, 113]);
        }
    }

    #[test]
    fn the_same_seed_invents_the_same_people() {
        let names = |seed| invent_people(seed, 40).into_iter().map(|person| person.name).collect::<Vec<_>>();
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }
}
