//! Generates the tenant's employees. Names are invented and e-mail addresses live at example domains.

use crate::model::places::{
    APP_VERSIONS, BUILDINGS, CAMERAS, COMPUTERS, DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES, HEADSETS, HOME_LOCATIONS,
    PHONES,
};
use crate::model::{HomeNetwork, Person};
use crate::random::{SeededRng, derive_key};

pub(crate) fn generate_people(seed: u64, count: u32) -> Vec<Person> {
    (0..count).map(|ordinal| generate_person(seed, ordinal)).collect()
}

fn generate_person(seed: u64, ordinal: u32) -> Person {
    let mut rng = SeededRng::new(derive_key(derive_key(seed, 0x0070_656F), u64::from(ordinal)));
    let (name, letters) = generate_name(&mut rng);
    let departments: Vec<(u32, usize)> = DEPARTMENTS.iter().enumerate().map(|(at, (share, _))| (*share, at)).collect();
    let building = rng.weighted(&[(44, 0), (22, 1), (24, 2), (10, 3)]);
    Person {
        name,
        email: format!("{letters}{ordinal}@meetings.example.com"),
        department: rng.weighted(&departments),
        building,
        floor: rng.between(1, i64::from(BUILDINGS[building].floors)) as u8,
        desk: rng.between(20, 230) as u8,
        desk_cable: rng.chance(0.3),
        home: rng.weighted(&[
            (20, HomeNetwork::Cable),
            (46, HomeNetwork::GoodWifi),
            (22, HomeNetwork::CrowdedWifi),
            (12, HomeNetwork::BadWifi),
        ]),
        home_ip: [203, 0, 113, rng.between(1, 254) as u8],
        home_location: rng.pick(HOME_LOCATIONS),
        computer: rng.weighted(COMPUTERS),
        overloaded: rng.chance(0.07),
        phone: rng.weighted(PHONES),
        app_version: rng.weighted(APP_VERSIONS),
        headset: rng.weighted(HEADSETS),
        camera: rng.weighted(CAMERAS),
        vpn: rng.chance(0.12),
        home_probability: rng.pick(&[0.0, 0.1, 0.2, 0.4, 0.6]),
        camera_probability: rng.pick(&[0.1, 0.3, 0.5, 0.7, 0.9]),
        speaking_share: 0.1 + 0.5 * rng.unit_interval(),
        masked_phone: {
            let [a, b, c, d, e, f] = std::array::from_fn(|_| rng.between(0, 9));
            format!("+861{a}{b}****{c}{d}{e}{f}")
        },
    }
}

/// A name, in Chinese or in pinyin, and the local part of an e-mail address.
pub(crate) fn generate_name(rng: &mut SeededRng) -> (String, String) {
    let at = rng.index(FAMILY_NAMES[0].len());
    let [family, family_letters] = FAMILY_NAMES.map(|names| names[at]);
    let at = rng.index(GIVEN_NAMES[0].len());
    let [given, given_letters] = GIVEN_NAMES.map(|names| names[at]);
    let letters = format!("{}.{}", given_letters.to_lowercase(), family_letters.to_lowercase());
    let name = if rng.chance(0.55) { format!("{family}{given}") } else { format!("{given_letters} {family_letters}") };
    (name, letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_no_real_address() {
        for (ordinal, person) in generate_people(3, 200).iter().enumerate() {
            assert!(person.email.ends_with(".example.com"), "{ordinal}");
            assert!(person.masked_phone.contains("****"));
            assert_eq!(&person.home_ip[..3], &[203, 0, 113]);
        }
    }

    #[test]
    fn the_same_seed_generates_the_same_people() {
        let names = |seed| generate_people(seed, 40).into_iter().map(|person| person.name).collect::<Vec<_>>();
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }
}
