//! Generates the tenant's employees. Names are invented and e-mail addresses live at example domains.

use crate::model::identifiers::IdentifierKind;
use crate::model::places::{
    APP_VERSIONS, BUILDING_WEIGHTS, BUILDINGS, CAMERAS, COMPUTERS, DEPARTMENTS, FAMILY_NAMES, GIVEN_NAMES, HEADSETS,
    HOME_LOCATIONS, PHONES,
};
use crate::model::{HomeNetwork, Person, TenantSpec};
use crate::random::{SeededRng, derive_key};

pub(crate) fn generate_people(spec: &TenantSpec) -> Vec<Person> {
    (0..spec.people).map(|ordinal| generate_person(spec, ordinal)).collect()
}

/// Internal networks of homes. Those of some routers are not among the ranges by which a home is recognised.
const HOME_NETS: &[(u32, [u8; 3])] = &[
    (52, [192, 168, 1]),
    (16, [192, 168, 0]),
    (12, [10, 0, 0]),
    (10, [192, 168, 31]),
    (6, [192, 168, 50]),
    (4, [192, 168, 2]),
];

/// Providers of homes, by the third byte of their public network.
const HOME_PROVIDERS: &[(u32, u8)] = &[(30, 0), (24, 1), (18, 2), (12, 3), (9, 4), (7, 5)];

fn generate_person(spec: &TenantSpec, ordinal: u32) -> Person {
    let key = derive_key(derive_key(spec.seed, 0x0070_656F), u64::from(ordinal));
    let mut rng = SeededRng::new(key);
    // A generator of its own, so that the rest of the person does not depend on the background.
    let mut varied = SeededRng::new(derive_key(key, 0x7661_7279));
    let varied_networks = spec.background.varied_networks;
    let (mut name, letters) = generate_name(&mut rng);
    let departments: Vec<(u32, usize)> = DEPARTMENTS.iter().enumerate().map(|(at, (share, _))| (*share, at)).collect();
    let buildings: Vec<(u32, usize)> =
        BUILDING_WEIGHTS.into_iter().zip(0..spec.background.buildings.clamp(1, BUILDINGS.len())).collect();
    let building = rng.weighted(&buildings);
    let number = ordinal as usize;
    let email = match spec.planted_identifiers {
        true => IdentifierKind::Email.text(number).to_lowercase(),
        false => format!("{letters}{ordinal}"),
    };
    if spec.planted_identifiers {
        name = IdentifierKind::Name.text(number);
    }
    Person {
        name,
        email: format!("{email}@meetings.example.com"),
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
        home_ip: match rng.between(1, 254) as u8 {
            host if varied_networks => [198, 19, varied.weighted(HOME_PROVIDERS), host],
            host => [203, 0, 113, host],
        },
        home_net: if varied_networks { varied.weighted(HOME_NETS) } else { [192, 168, 1] },
        home_roughness_pct: if varied_networks { varied.between(30, 110) as u32 } else { 100 },
        home_location: rng.pick(HOME_LOCATIONS),
        computer: rng.weighted(COMPUTERS),
        overloaded: rng.chance(0.07) && spec.background.known_problems,
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
            match spec.planted_identifiers {
                true => format!("+{}", IdentifierKind::Phone.text(number)),
                false => format!("+861{a}{b}****{c}{d}{e}{f}"),
            }
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
        for (ordinal, person) in
            generate_people(&TenantSpec { seed: 3, people: 200, ..TenantSpec::default() }).iter().enumerate()
        {
            assert!(person.email.ends_with(".example.com"), "{ordinal}");
            assert!(person.masked_phone.contains("****"));
            assert_eq!(&person.home_ip[..3], &[203, 0, 113]);
        }
    }

    #[test]
    fn the_same_seed_generates_the_same_people() {
        let names = |seed| {
            generate_people(&TenantSpec { seed, people: 40, ..TenantSpec::default() })
                .into_iter()
                .map(|person| person.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
    }
}
