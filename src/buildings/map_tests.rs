//! The lookup compared with a linear search; properties of dates, merging and the file.

use std::path::Path;

use proptest::prelude::*;

use super::entry::Entry;
use super::network::NetworkError;
use super::*;
use crate::personal_data::Networks;
use crate::schema::cell::{Cell, Row};

/// Addresses and networks that often overlap because they differ in few bits; some lie in and around home ranges.
fn any_address() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8, 0..4_u8, 0..4_u8).prop_map(|(a, b, c)| format!("10.{a}.{b}.{c}")),
        (0..4_u8, 0..4_u8).prop_map(|(a, b)| format!("192.168.{a}.{b}")),
        (0..4_u16, 0..4_u16).prop_map(|(a, b)| format!("2001:db8:{a:x}::{b:x}")),
    ]
}

fn any_network() -> impl Strategy<Value = Network> {
    (any_address(), 0..=8_u8).prop_map(|(address, wider)| {
        let whole = Network::from_address(&address).expect("an address");
        let length = if whole.is_ipv6() { 128 - wider * 16 } else { 32 - wider * 3 };
        match Network::from_parts(&address, &length.max(1).to_string()) {
            Err(NetworkError::HostBits { network }) => network,
            other => other.expect("a network"),
        }
    })
}

fn any_public() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), (0..8_u8).prop_map(|n| Some(format!("203.0.113.{n}"))), Just(Some("masked".to_owned()))]
}

fn any_egress() -> impl Strategy<Value = Option<Network>> {
    let network = (0..8_u8, 29..=32_u8).prop_map(|(host, length)| {
        match Network::from_parts(&format!("203.0.113.{host}"), &length.to_string()) {
            Err(NetworkError::HostBits { network }) => network,
            other => other.expect("a network"),
        }
    });
    prop_oneof![3 => Just(None), 1 => network.prop_map(Some)]
}

fn any_days() -> impl Strategy<Value = Days> {
    prop_oneof![
        2 => Just(Days::ALL),
        1 => (0..20, 1..20).prop_map(|(from, length)| Days { from, until: Some(from + length) }),
        1 => (0..20).prop_map(|from| Days { from, until: None }),
    ]
}

prop_compose! {
    fn any_entry()(
        network in any_network(),
        egress in any_egress(),
        days in any_days(),
        building in "[A-C]",
        floor in proptest::option::of("[1-3,\"]"),
        flags in any::<(bool, bool, Option<bool>)>(),
    ) -> Entry {
        Entry {
            network, egress, days, building, floor,
            city: None, country: Some("GB".to_owned()),
            is_inside: flags.0, is_vpn: flags.1, is_express_route: flags.2,
            network_name: None, ownership_type: None, building_type: None, building_office_type: None,
            zip_code: None, state: None, region: None,
        }
    }
}

/// Entries of a valid file.
fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec(any_entry(), 1..24).prop_map(|entries| {
        let mut valid: Vec<Entry> = Vec::new();
        for entry in entries {
            let clashes = |other: &Entry| {
                (other.network, other.egress) == (entry.network, entry.egress) && other.days.overlaps(entry.days)
            };
            if !valid.iter().any(clashes) {
                valid.push(entry);
            }
        }
        valid
    })
}

/// The lookup rule as a linear search.
fn linear_search(entries: &[Entry], address: Network, public: Option<Network>, day: i32) -> Option<&Entry> {
    let counts = |entry: &&Entry| {
        let by_egress = entry.egress.map(|egress| public.is_some_and(|public| egress.contains(public)));
        entry.network.contains(address) && entry.days.contains(day) && by_egress.unwrap_or(!address.is_home())
    };
    entries
        .iter()
        .filter(counts)
        .max_by_key(|entry| (entry.network.prefix_length(), entry.egress.map(Network::prefix_length)))
}

fn text(cell: &Cell) -> &str {
    match cell {
        Cell::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

fn days(row: &Row) -> Days {
    match (&row[2], &row[3]) {
        (Cell::Day(from), Cell::Null) => Days { from: *from, until: None },
        (Cell::Day(from), Cell::Day(until)) => Days { from: *from, until: Some(*until) },
        other => panic!("{other:?} are no days"),
    }
}

/// The rows that the view uses for an address: those of its public address, or if there are none, those without one.
fn by_view<'a>(rows: &'a [Row], address: &str, public: Option<&str>, day: i32) -> Vec<&'a Row> {
    let with = |public_ip: &str| -> Vec<&Row> {
        let is_it = |row: &&Row| text(&row[0]) == address && text(&row[1]) == public_ip && days(row).contains(day);
        rows.iter().filter(is_it).collect()
    };
    let own = public.map(with).unwrap_or_default();
    if own.is_empty() { with("") } else { own }
}

proptest! {
    #[test]
    fn the_longest_prefix_is_found(
        entries in any_entries(), address in any_address(), public in any_public(), day in 0..40,
    ) {
        let buildings = Buildings::new(entries.clone());
        let address = Network::from_address(&address).expect("an address");
        let public = public.as_deref().and_then(Network::from_address);
        let found = buildings.position(address, public, day).map(|position| &buildings.entries()[position]);
        prop_assert_eq!(found, linear_search(&entries, address, public, day));
    }

    #[test]
    fn address_rows_follow_the_rule_without_duplicates(
        entries in any_entries(),
        seen in proptest::collection::vec((any_address(), any_public()), 1..30),
        day in 0..40,
    ) {
        let rows = Buildings::new(entries.clone()).address_rows(seen.iter().cloned());
        for (address, public) in &seen {
            let found = by_view(&rows, address, public.as_deref(), day);
            prop_assert!(found.len() <= 1, "{address} from {public:?} doubles: {found:?}");
            let network = Network::from_address(address).expect("an address");
            let expected = linear_search(&entries, network, public.as_deref().and_then(Network::from_address), day);
            let expected = expected.map(|entry| (entry.network.to_string(), entry.building.clone()));
            let found = found.first().map(|row| (text(&row[4]).to_owned(), text(&row[5]).to_owned()));
            prop_assert_eq!(found, expected, "{} from {:?} on {}", address, public, day);
        }
        for (n, row) in rows.iter().enumerate() {
            for other in &rows[n + 1..] {
                let is_same = row[0] == other[0] && row[1] == other[1];
                prop_assert!(!is_same || !days(row).overlaps(days(other)), "{row:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_cut_address_is_in_the_same_building(
        entries in any_entries(), address in any_address(), public in any_public(), day in 0..40,
    ) {
        let buildings = Buildings::new(entries);
        let cut = |address: Network| {
            let cut = Networks::new(buildings.networks()).cut(&address.to_string()).expect("an address");
            Network::from_address(&cut).expect("an address")
        };
        let address = Network::from_address(&address).expect("an address");
        let public = public.as_deref().and_then(Network::from_address);
        prop_assert_eq!(
            buildings.position(cut(address), public.map(cut), day), buildings.position(address, public, day)
        );
        prop_assert_eq!(cut(address).is_home(), address.is_home());
    }

    #[test]
    fn a_written_file_reads_back_the_same(entries in any_entries()) {
        let buildings = Buildings::new(entries);
        let file = BuildingFile::parse(Path::new("buildings.csv"), buildings.text().as_bytes(), Days::ALL);
        let file = file.expect("a written file is valid");
        prop_assert_eq!(file.format, FileFormat::Headed);
        prop_assert_eq!(Buildings::new(file.entries), buildings);
    }

    #[test]
    fn a_later_file_applies_from_its_day_on_and_the_earlier_one_before(
        earlier in any_entries(), later in any_entries(), from in 1..25,
        address in any_address(), public in any_public(), day in 0..50,
    ) {
        let later: Vec<Entry> = later
            .into_iter()
            .map(|entry| Entry { days: Days { from: entry.days.from.max(from), ..entry.days }, ..entry })
            .filter(|entry| entry.days.until.is_none_or(|until| until > entry.days.from))
            .collect();
        let both = Buildings::new(earlier.clone()).superseded_by(Buildings::new(later.clone()), from);
        let read = BuildingFile::parse(Path::new("buildings.csv"), both.text().as_bytes(), Days::ALL);
        prop_assert!(both.entries().is_empty() || read.is_ok(), "{:?}", read);
        let address = Network::from_address(&address).expect("an address");
        let public = public.as_deref().and_then(Network::from_address);
        let found = both.position(address, public, day).map(|position| &both.entries()[position].building);
        let side = if day < from { &earlier } else { &later };
        prop_assert_eq!(found, linear_search(side, address, public, day).map(|entry| &entry.building));
    }
}

fn buildings(text: &str) -> Buildings {
    Buildings::new(BuildingFile::parse(Path::new("f"), text.as_bytes(), Days::ALL).expect("valid").entries)
}

#[test]
fn importing_the_same_file_again_adds_no_rows() {
    let file = || buildings("cidr,building\n10.1.2.0/24,A\n10.1.3.0/24,B\n");
    let from = |buildings: Buildings, from: i32| {
        let later =
            buildings.entries().to_vec().into_iter().map(|entry| Entry { days: Days { from, until: None }, ..entry });
        Buildings::new(later.collect())
    };
    let twice = file().superseded_by(from(file(), 20_758), 20_758);
    assert_eq!(twice, file());
}

#[test]
fn a_missing_file_is_an_empty_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("buildings.csv");
    assert_eq!(Buildings::read(&path).expect("empty"), Buildings::default());
    std::fs::write(&path, Buildings::default().text()).expect("written");
    assert_eq!(Buildings::read(&path).expect("empty"), Buildings::default());
    std::fs::write(&path, "cidr,building\n10.1.2.0/33,A\n").expect("written");
    let Err(BuildingsError::Stored { source, .. }) = Buildings::read(&path) else { panic!("it was changed") };
    assert!(matches!(*source, BuildingsError::InvalidLines { count: 1, .. }));
}

#[test]
fn the_summary_lists_overlaps_and_home_ranges() {
    let summary = BuildingsSummary::new(&buildings(
        "cidr,building,egress_cidr,valid_from,valid_until\n\
         10.0.0.0/8,Campus,,,\n\
         10.1.0.0/16,North,,,2026-01-01\n\
         10.1.2.0/24,North,,2026-02-01,\n\
         192.168.1.0/24,Shop 1,203.0.113.7,,\n\
         192.168.2.0/25,Shop 2,,,\n\
         2001:db8:7::/48,North,,,\n",
    ));
    assert_eq!((summary.networks, summary.rows, summary.buildings, summary.ipv6), (6, 6, 4, 1));
    let overlaps: Vec<String> = summary.overlaps.iter().map(|(inner, outer)| format!("{inner} in {outer}")).collect();
    assert_eq!(
        overlaps,
        ["10.1.0.0/16 in 10.0.0.0/8", "10.1.2.0/24 in 10.0.0.0/8"],
        "the nearest network of the same days"
    );
    let shown = |networks: &[Network]| networks.iter().map(Network::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&summary.home), ["192.168.2.0/25"]);
    assert_eq!(shown(&summary.around_home), ["10.0.0.0/8"]);
}

#[test]
fn a_hundred_thousand_networks_are_fast_enough() {
    let entries: Vec<Entry> = buildings("cidr,building\n10.1.2.0/24,A\n").entries().to_vec();
    let many = (0..100_000_u32).map(|n| Entry {
        network: Network::from_parts(&std::net::Ipv4Addr::from_bits((11 << 24) + (n << 8)).to_string(), "24")
            .expect("a network"),
        ..entries[0].clone()
    });
    let buildings = Buildings::new(many.collect());
    let seen = (0..500_000_u32).map(|n| {
        let address = std::net::Ipv4Addr::from_bits((11_u32 << 24) + n.wrapping_mul(7_919) % (100_000 << 8));
        (address.to_string(), Some("203.0.113.7".to_owned()))
    });
    assert_eq!(buildings.address_rows(seen).len(), 500_000);
}
