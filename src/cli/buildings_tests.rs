//! The pages of `vcq-etl buildings`.

use super::*;
use crate::buildings::network::HOME_RANGES;
use crate::buildings::{BuildingFile, Buildings, Days, column_names};
use crate::commands::buildings::MissingSubnet;
use crate::text::Language;

const FILE: &str = "\
cidr,building,egress_cidr
10.0.0.0/8,Campus,
10.1.2.0/24,Harbour House,
10.1.3.0/24,Harbour House,
10.1.2.0/24,Harbour House,
192.168.1.0/24,Shop,203.0.113.7
192.168.1.0/24,Other shop,203.0.113.9
192.168.2.0/24,Kiosk,
";

fn judged() -> Judged {
    let file = BuildingFile::parse(Path::new("offices.csv"), FILE.as_bytes(), Days::ALL).expect("sound");
    let judgement = BuildingsSummary::new(&Buildings::new(file.entries));
    Judged { form: file.format, judgement, duplicates: file.duplicates }
}

fn import_args(from: Option<i32>, until: Option<i32>) -> ImportArgs {
    ImportArgs { file: "offices.csv".into(), from, until, json: false }
}

fn network(text: &str) -> Network {
    Network::parse(text).expect("a network")
}

#[test]
fn an_import_shows_its_content_and_the_effect_on_earlier_ones() {
    let imported =
        Imported { judged: judged(), earlier_rows: 12, kept_rows: 11, generation: Some(8), notes: Vec::new() };
    insta::assert_snapshot!(import_page(&import_args(Some(20_758), None), &imported, Language::English), @r"
    File            offices.csv
    Format          columns named by a heading
    Content         5 networks in 5 buildings, on 6 lines
    Duplicates      1 line repeated (harmless)
    Overlaps        2 networks inside another one; the longest prefix wins
    Home ranges     1 network in a default range of home routers without
                    egress_cidr; no participant is assigned to it
                    1 network containing such a range; its addresses in that range
                    are not assigned
    Applies from    2026-11-01
    Earlier         11 lines of earlier imports apply until then; 1 line of later
                    dates are removed
    Published       generation 8; vcq-etl buildings check shows the coverage
    ");
    let first = Imported { earlier_rows: 0, kept_rows: 0, generation: None, ..imported.clone() };
    let page = import_page(&import_args(None, Some(20_788)), &first, Language::English);
    assert!(page.contains("Applies until   2026-12-01\nPublished       by the next sync or rebuild\n"), "{page}");
    let page = import_page(&import_args(None, None), &imported, Language::English);
    assert!(page.contains("Earlier         12 lines of earlier imports replaced\n"), "{page}");
}

#[test]
fn a_check_of_a_file_lists_likely_mistakes() {
    let page = judged_page(Path::new("offices.csv"), &judged(), Language::English);
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    insta::assert_snapshot!(page, @r"
    File            offices.csv
    Format          columns named by a heading
    Content         5 networks in 5 buildings, on 6 lines
    Duplicates      1 line repeated (harmless)
    Overlaps        2 networks inside another one; the longest prefix wins
    Home ranges     1 network in a default range of home routers without
                    egress_cidr; no participant is assigned to it
                    1 network containing such a range; its addresses in that range
                    are not assigned

    Duplicates
      line 5 repeats line 3

    Overlaps
      10.1.2.0/24 in 10.0.0.0/8
      10.1.3.0/24 in 10.0.0.0/8

    Home ranges without egress_cidr
      192.168.2.0/24

    Networks that contain home-router ranges
      10.0.0.0/8

    The file is valid. Nothing was imported.
    ");
}

#[test]
fn long_lists_are_shortened() {
    let mut judged = judged();
    judged.judgement.home = (0..14).map(|_| network("192.168.2.0/24")).collect();
    let page = judged_page(Path::new("offices.csv"), &judged, Language::English);
    assert_eq!(page.matches("  192.168.2.0/24\n").count(), MAX_SHOWN);
    assert!(page.contains("  and 4 more; --format json lists all\n"), "{page}");
    assert_eq!(judged_object(Path::new("f"), &judged)["home_ranges_without_egress"].as_array().map(Vec::len), Some(14));
}

#[test]
fn a_check_of_the_store_shows_the_coverage() {
    let reach = Reach {
        generation: 7,
        judgement: judged().judgement,
        participants: Tally { in_building: 6_999, home: 900, elsewhere: 101, without_address: 271 },
        addresses: Tally { in_building: 800, home: 150, elsewhere: 44, without_address: 0 },
        missing: (0..12)
            .map(|n| MissingSubnet { subnet: network(&format!("10.180.{n}.0/24")), participants: 50 - n, addresses: 3 })
            .collect(),
        unmatched: vec![(network("10.1.3.0/24"), "Harbour\u{1b}[31m House".to_owned())],
    };
    let page = reach_page(Path::new("store"), &reach, Language::English);
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    insta::assert_snapshot!(page, @r"
    Store           store, generation 7
    Building file   5 networks in 5 buildings, on 6 lines

    where            participants  addresses
    in a building           6,999        800
    in a home range           900        150
    elsewhere                 101         44
    without address           271

    Participants    6,999 of 8,000 (87.4 %) in a building
    Addresses       800 of 994 (80.4 %) in a building

    Subnets without a building, most participants first
    subnet         participants  addresses
    10.180.0.0/24            50          3
    10.180.1.0/24            49          3
    10.180.2.0/24            48          3
    10.180.3.0/24            47          3
    10.180.4.0/24            46          3
    10.180.5.0/24            45          3
    10.180.6.0/24            44          3
    10.180.7.0/24            43          3
    10.180.8.0/24            42          3
    10.180.9.0/24            41          3
    and 2 more; vcq-etl report run missing-subnets lists all

    Unused networks
      10.1.3.0/24  Harbour�[31m House
    ");
    let object = reach_object(&reach);
    assert_eq!(object["missing_subnets"].as_array().map(Vec::len), Some(12));
    assert_eq!(object["participants"]["in_building"], 6_999);
}

#[test]
fn a_share_is_rounded_down() {
    assert_eq!(share(0, 0), "0 of 0 (0.0 %)");
    assert_eq!(share(1_999, 2_000), "1,999 of 2,000 (99.9 %)");
    assert_eq!(share(2_000, 2_000), "2,000 of 2,000 (100.0 %)");
}

#[test]
fn the_help_names_every_column_and_every_home_range() {
    let words: Vec<&str> = FORMATS.split(|c: char| c.is_whitespace() || ",;()".contains(c)).collect();
    let mut names: Vec<&str> = column_names().collect();
    // The help names the ranges before and after it.
    names.extend(HOME_RANGES.iter().filter(|range| **range != "192.168.1.0/24"));
    for name in names {
        assert!(words.iter().any(|word| word.trim_end_matches('.') == name), "{name} is not in the help");
    }
}
