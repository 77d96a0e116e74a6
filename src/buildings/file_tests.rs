//! Building files in all formats, and the errors of invalid ones.

use std::path::Path;

use proptest::prelude::*;

use super::error::MAX_SHOWN_LINES;
use super::*;

/// The sample row of the dashboard's documentation, and one without the optional column VPN.
const CQD: &str = "\
192.168.1.0,USA/Seattle/SEATTLE-SEA-1,26,SEATTLE-SEA-1,Contoso,IT Termination,Engineering,Seattle,98001,US,WA,MSUS,1,0,0
10.1.2.0,USA/Seattle/SEATTLE-SEA-2,24,,,,,Seattle,,US,,,0,1
";

const HEADED: &str = "\
Building,cidr,Floor,valid from,egress-cidr
\"Harbour House, east\",10.1.2.0/24,2,2026-11-01,
港湾大厦,2001:db8:7::/48,,,203.0.113.7
";

fn parse(text: &str) -> Result<BuildingFile, BuildingsError> {
    BuildingFile::parse(Path::new("offices.csv"), text.as_bytes(), Days::ALL)
}

fn error_text(text: &str) -> String {
    parse(text).expect_err("invalid").to_string()
}

#[test]
fn the_dashboards_file_is_accepted() {
    let file = parse(CQD).expect("valid");
    assert_eq!((file.format, file.entries.len()), (FileFormat::Cqd, 2));
    let [first, second] = [&file.entries[0], &file.entries[1]];
    assert_eq!(first.network.to_string(), "192.168.1.0/26");
    assert_eq!((first.building.as_str(), first.city.as_deref()), ("SEATTLE-SEA-1", Some("Seattle")));
    assert_eq!((first.zip_code.as_deref(), first.region.as_deref()), (Some("98001"), Some("MSUS")));
    assert_eq!((first.is_inside, first.is_express_route, first.is_vpn), (true, Some(false), false));
    assert_eq!(second.building, "USA/Seattle/SEATTLE-SEA-2", "the network name replaces a missing building name");
    assert_eq!((second.is_inside, second.is_express_route, second.is_vpn), (false, Some(true), false));
    assert_eq!(second.days, Days::ALL);

    let tabs = CQD.replace(',', "\t");
    assert_eq!(parse(&tabs).expect("valid").entries, file.entries);
    let units: Vec<u8> = std::iter::once(0xfeff).chain(tabs.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let utf16 = BuildingFile::parse(Path::new("unicode.txt"), &units, Days::ALL).expect("valid");
    assert_eq!(utf16.entries, file.entries);
    let heading = "Network,NetworkName,NetworkRange,BuildingName,OwnershipType,BuildingType,BuildingOfficeType,City,\
                   ZipCode,Country,State,Region,InsideCorp,ExpressRoute,VPN\n";
    let headed = parse(&format!("{heading}{CQD}")).expect("valid");
    assert_eq!((headed.format, headed.entries), (FileFormat::CqdWithHeading, file.entries));
}

#[test]
fn a_network_without_names_is_its_own_building() {
    let file = parse("10.1.2.0,,24,,,,,,,,,,1,0").expect("valid");
    assert_eq!(file.entries[0].building, "10.1.2.0/24");
}

#[test]
fn named_columns_can_have_any_order() {
    let file = parse(HEADED).expect("valid");
    assert_eq!((file.format, file.entries.len()), (FileFormat::Headed, 2));
    let [first, second] = [&file.entries[0], &file.entries[1]];
    assert_eq!((first.building.as_str(), first.floor.as_deref()), ("Harbour House, east", Some("2")));
    assert_eq!((first.days, first.is_inside, first.is_vpn), (Days { from: 20_758, until: None }, true, false));
    assert_eq!(second.egress.map(|egress| egress.to_string()).as_deref(), Some("203.0.113.7/32"));
    assert!(second.network.is_ipv6());
}

#[test]
fn every_invalid_line_has_a_reason() {
    insta::assert_snapshot!(error_text(
        "10.1.2.0,HH,33,Harbour House,,,,Reading,,GB,,,1,0,0\n\
         10.1.2.0,HH,24,Harbour House,,,,Reading,,GB,,,2,0,\n\
         10.1.3.7,HH,24,Harbour House,,,,Reading,,GB,,,,0,0\n\
         \n\
         ,HH,24,Harbour House,,,,Reading,,GB,,,1,0,0\n\
         10.1.4.0/24,HH,24,Harbour House,,,,Reading,,GB,,,1,0,0\n\
         10.1.5.0,HH,24,Harbour House\n\
         10.1.6.0,HH,24,\"a\u{1b}[2Jb\",,,,Reading,,GB,,,perhaps,\"no\nwhere\",x\n",
    ), @r#"
    offices.csv has 7 invalid lines:
    line 1, NetworkRange "33": the prefix length must be a whole number from 1 to 32
    line 2, InsideCorp "2": must be 0 or 1
    line 3, NetworkIP "10.1.3.7": has host bits set; the network is 10.1.3.0/24
    line 3, InsideCorp "": must not be empty
    line 5, NetworkIP "": must not be empty
    line 6, NetworkIP "10.1.4.0/24": is not an IPv4 or IPv6 address
    line 7: has 4 columns, expected 14 or 15
    line 8, InsideCorp "perhaps": must be 0 or 1
    line 8, VPN "x": must be 0 or 1
    line 8, ExpressRoute "no where": must be 0 or 1
    "#);
    insta::assert_snapshot!(error_text(
        "cidr,building,valid_from,valid_until,egress_cidr\n\
         10.1.2.0/24,,2026-11-31,,\n\
         10.1.3.0,HH,,,anywhere\n\
         10.1.4.0/24,HH,2026-11-02,2026-11-02,\n\
         10.1.5.0/24,HH\n",
    ), @r#"
    offices.csv has 4 invalid lines:
    line 2, valid_from "2026-11-31": must be a date like 2026-11-01
    line 2, building "": must not be empty
    line 3, cidr "10.1.3.0": has no prefix length; write a network like 10.1.2.0/24
    line 3, egress_cidr "anywhere": is not an IPv4 or IPv6 address
    line 4: has no valid dates: it ends on 2026-11-02 and begins on 2026-11-02
    line 5: has 2 columns, the heading has 5
    "#);
}

#[test]
fn many_invalid_lines_are_counted_and_long_cells_truncated() {
    let lines: String = (0..30).map(|n| format!("10.1.{n}.1/24,{}\n", "x".repeat(90))).collect();
    let text = error_text(&format!("cidr,building\n{lines}"));
    assert_eq!(text.lines().count(), 1 + MAX_SHOWN_LINES + 1);
    assert!(text.ends_with("\nand 10 more"), "{text}");
    let long = error_text(&format!("cidr,building\n{},a\n", "9".repeat(90)));
    assert!(long.contains(&format!("cidr \"{}...\": is not", "9".repeat(60))), "{long}");
}

#[test]
fn a_repeated_network_is_valid_only_with_equal_values() {
    let file = parse("cidr,building\n10.1.2.0/24,A\n10.1.3.0/24,B\n10.1.2.0/24,A\n10.1.2.0/24, A\n").expect("valid");
    assert_eq!((file.entries.len(), file.duplicates), (2, vec![(4, 2), (5, 2)]));
    insta::assert_snapshot!(error_text(
        "cidr,building,egress_cidr,valid_from,valid_until\n\
         10.1.2.0/24,A,,,2026-11-01\n\
         10.1.2.0/24,B,,2026-11-01,2026-11-08\n\
         10.1.2.0/24,C,,2026-11-07,\n\
         10.1.2.0/24,D,,2026-10-31,2026-11-01\n\
         10.1.2.0/24,E,203.0.113.0/24,,\n\
         10.1.2.0/24,F,203.0.113.0/24,,\n\
         10.1.2.0/24,G,203.0.113.0/25,,\n",
    ), @"
    offices.csv has 3 invalid lines:
    line 4: 10.1.2.0/24 is also on line 3 with overlapping dates and other values
    line 5: 10.1.2.0/24 is also on line 2 with overlapping dates and other values
    line 7: 10.1.2.0/24 behind 203.0.113.0/24 is also on line 6 with overlapping dates and other values
    ");
}

#[test]
fn the_dates_of_the_file_limit_those_of_its_lines() {
    let text = "cidr,building,valid_from,valid_until\n10.1.2.0/24,A,,\n10.1.3.0/24,B,2026-11-10,2026-12-24\n";
    let days = Days { from: 20_758, until: Some(20_788) };
    let file = BuildingFile::parse(Path::new("f"), text.as_bytes(), days).expect("valid");
    assert_eq!(file.entries[0].days, days);
    assert_eq!(file.entries[1].days, Days { from: 20_767, until: Some(20_788) });
    let late = BuildingFile::parse(Path::new("f"), text.as_bytes(), Days { from: 20_820, until: None });
    let late = late.expect_err("line 3 ends before").to_string();
    assert!(late.contains("line 3: has no valid dates: it ends on 2026-12-24 and begins on 2027-01-02"), "{late}");
}

#[test]
fn other_files_are_rejected_with_a_reason() {
    assert_eq!(error_text(""), "offices.csv contains no networks");
    assert_eq!(error_text("cidr,building\n,\n"), "offices.csv contains no networks");
    assert!(matches!(parse("cidr,bulding\n"), Err(BuildingsError::UnknownColumn { name, .. }) if name == "bulding"));
    assert_eq!(error_text("cidr,building,cidr\n"), "the heading of offices.csv has the column cidr twice");
    assert_eq!(error_text("cidr,floor\n"), "the heading of offices.csv lacks the column building");
    assert_eq!(
        error_text("cidr,building\n10.1.2.0/24,\"A\n"),
        "offices.csv: the quote that opens on line 2 is never closed"
    );
    assert_eq!(
        error_text("<!doctype\u{7} html>"),
        "the heading of offices.csv has the unknown column \"<!doctype\u{fffd} html>\""
    );
    let binary = BuildingFile::parse(Path::new("offices.bin"), b"GIF89a\n\xff", Days::ALL).expect_err("not text");
    assert_eq!(binary.to_string(), "offices.bin is neither UTF-8 nor UTF-16: the first invalid text is on line 2");
}

proptest! {
    #[test]
    fn every_accepted_file_is_stored_without_loss(
        heading in "(cidr,building,(floor|inside|egress_cidr|valid_from|valid_until)\n)?",
        lines in proptest::collection::vec(
            "(10[.]1[.][0-3][.]0(/24)?|fd00::(/8)?|[a-z\"\t]{0,3}),(A|\"B, \"\"b\"\"\"|),(24|33|1|2026-11-0[1-9]|)(,{11}[01],0)?",
            0..6,
        ),
        days in proptest::option::of(20_758..20_768),
    ) {
        let days = Days { from: days.unwrap_or_default(), until: None };
        let text = format!("{heading}{}", lines.join("\n"));
        if let Ok(file) = BuildingFile::parse(Path::new("f"), text.as_bytes(), days) {
            let buildings = Buildings::new(file.entries);
            let stored = BuildingFile::parse(Path::new("f"), buildings.text().as_bytes(), Days::ALL).expect("a written file is valid");
            prop_assert_eq!(Buildings::new(stored.entries), buildings);
        }
    }

    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = BuildingFile::parse(Path::new("f"), &bytes, Days::ALL);
    }
}
