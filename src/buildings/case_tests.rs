//! Building files as spreadsheets and scripts write them, each with its exact outcome.

use std::path::Path;

use super::*;
use crate::schema::civil_date_text;

/// The dashboard's line of one building, with these separators, prefix length, flags and ending.
fn cqd(separator: &str, length: &str, flags: [&str; 3], end: &str) -> String {
    let cells =
        ["10.1.2.0", "GB/Reading/MH-1", length, "Mill House", "Owned", "Office", "Sales", "Reading", "RG1", "GB"];
    [&cells[..], &["Berks", "EMEA"], &flags].concat().join(separator) + end
}

fn read(bytes: &[u8]) -> Result<BuildingFile, String> {
    BuildingFile::parse(Path::new("f.csv"), bytes, Days::ALL).map_err(|error| error.to_string())
}

const FLAGS: [&str; 3] = ["1", "0", "0"];

#[test]
fn every_form_of_the_dashboards_line_is_the_same_building() {
    let expected = read(cqd(",", "24", FLAGS, "\n").as_bytes()).expect("the plain form").entries;
    assert_eq!(expected[0].network.to_string(), "10.1.2.0/24");
    assert_eq!((expected[0].is_inside, expected[0].is_vpn), (true, false));
    let quoted = cqd("\",\"", "24", FLAGS, "\"\r\n");
    let files = [
        ("semicolons", cqd(";", "24", FLAGS, "\n")),
        ("vertical bars", cqd("|", "24", FLAGS, "\n")),
        ("tabs", cqd("\t", "24", FLAGS, "\n")),
        ("full-width commas", cqd("，", "24", FLAGS, "\n")),
        ("full-width semicolons", cqd("；", "24", FLAGS, "\n")),
        ("a separator line", format!("sep=,\r\n{}", cqd(",", "24", FLAGS, "\r\n"))),
        ("a separator line of its own", format!("sep=;\n{}", cqd(";", "24", FLAGS, "\n"))),
        ("a byte order mark and a separator line", format!("\u{feff}sep=;\n{}", cqd(";", "24", FLAGS, "\n"))),
        ("a trailing empty column", cqd(",", "24", FLAGS, ",\n")),
        ("three trailing empty columns", cqd(",", "24", FLAGS, ",, ,\n")),
        ("a prefix with a slash", cqd(",", "/24", FLAGS, "\n")),
        ("a netmask", cqd(",", "255.255.255.0", FLAGS, "\n")),
        ("decimals", cqd(",", "24.0", ["1.0", "0.0", "0.0"], "\n")),
        ("full-width digits", cqd(",", "２４", ["１", "０", "０"], "\n").replace("10.1.2.0", "１０.１.２.０")),
        ("Y and N", cqd(",", "24", ["Y", "N", "n"], "\n")),
        ("Chinese flags", cqd(",", "24", ["是", "否", "否"], "\n")),
        ("words", cqd(",", "24", ["TRUE", "False", "no"], "\n")),
        ("quotes", format!("\"{quoted}")),
        ("carriage returns", cqd(",", "24", FLAGS, "\r")),
        ("no-break spaces", cqd("\u{a0},\u{a0}", "24", FLAGS, "\u{a0}\n")),
        ("zero-width spaces", cqd(",", "24\u{200b}", FLAGS, "\n").replace("10.1.2.0", "\u{200b}10.1.2.0")),
    ];
    for (what, text) in files {
        let file = read(text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((file.format, &file.entries), (FileFormat::Cqd, &expected), "{what}");
    }
}

#[test]
fn every_form_of_a_heading_is_the_same_building() {
    let expected =
        read(b"cidr,building,valid_from,vpn\n10.1.2.0/24,Mill,2026-12-01,0\n").expect("the plain form").entries;
    assert_eq!(civil_date_text(expected[0].days.from), "2026-12-01");
    for text in [
        "cidr,building,valid_from,vpn\n10.1.2.0/24,Mill,2026/12/1,否\n",
        "cidr,building,valid_from,vpn,\n10.1.2.0/24,Mill,2026-12-01,0,\n",
        "cidr,building,valid_from,vpn,,\n10.1.2.0/24,Mill,2026-12-01,0,,\n",
        "cidr,building,valid_from,vpn\n10.1.2.0/24,Mill,2026-12-01,0,,\n",
        "\"cidr\";\"building\";\"valid_from\";\"vpn\"\r\n10.1.2.0/24;Mill;2026-12-01;N\r\n",
        "ＣＩＤＲ，Building，Valid\u{a0}from，VPN\n１０．１．２．０／２４，Mill，２０２６年１２月１日，Ｎ\n",
        "\u{feff}\u{feff}cidr\u{200b},building,valid from,vpn\n10.1.2.0/24,Mill,2026-12-1,no\n",
        "cidr|building|valid-from|vpn\r10.1.2.0/255.255.255.0|Mill|2026.12.1 0:00|0\r",
    ] {
        let file = read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((file.format, &file.entries), (FileFormat::Headed, &expected), "{text}");
    }
}

#[test]
fn a_trailing_empty_column_of_the_heading_is_no_column() {
    let file = read(b"cidr,building,\n10.1.2.0/24,Mill,\n").expect("valid");
    assert_eq!((file.entries.len(), file.entries[0].building.as_str()), (1, "Mill"));
    let error = read(b"cidr,building,\n10.1.2.0/24,Mill,x\n").expect_err("a value without a column");
    assert_eq!(error, "f.csv has 1 invalid line:\nline 2: has 3 columns, the heading has 2");
}

#[test]
fn an_ambiguous_date_is_refused_with_its_readings() {
    let error = read(b"cidr,building,valid_from\n10.1.2.0/24,Mill,01/12/2026\n").expect_err("ambiguous");
    assert_eq!(
        error,
        "f.csv has 1 invalid line:\nline 2, valid_from \"01/12/2026\": is ambiguous; write 2026-01-12 or 2026-12-01"
    );
}

#[test]
fn chinese_flags_of_a_heading_are_read() {
    let file = read("cidr,building,inside,vpn\n10.1.2.0/24,朝阳,是,否\n".as_bytes()).expect("valid");
    assert_eq!((file.entries[0].building.as_str(), file.entries[0].is_inside), ("朝阳", true));
    assert!(!file.entries[0].is_vpn);
}

#[test]
fn every_encoding_is_read_or_named() {
    let text = cqd(",", "24", FLAGS, "\r\n");
    let expected = read(text.as_bytes()).expect("valid");
    let little = || text.encode_utf16().flat_map(u16::to_le_bytes);
    let big = || text.encode_utf16().flat_map(u16::to_be_bytes);
    for bytes in [
        [0xff, 0xfe].into_iter().chain(little()).collect::<Vec<u8>>(),
        little().collect(),
        [0xfe, 0xff].into_iter().chain(big()).collect(),
        b"\xef\xbb\xbf".iter().copied().chain(text.bytes()).collect(),
    ] {
        assert_eq!(read(&bytes).as_ref(), Ok(&expected), "{:?}", &bytes[..4]);
    }
    let refused = |bytes: &[u8]| read(bytes).expect_err("refused");
    assert_eq!(refused(&big().collect::<Vec<u8>>()), "f.csv is UTF-16 (big-endian) without a byte order mark");
    assert_eq!(
        refused(b"cidr,building\n10.1.2.0/24,\xb3\xaf\xd1\xf4\n"),
        "f.csv is neither UTF-8 nor UTF-16, but probably GBK: the first invalid text is on line 2"
    );
    assert_eq!(refused(b"PK\x03\x04\x14\0\x06\0"), "f.csv is an Excel workbook, not a CSV file");
}
