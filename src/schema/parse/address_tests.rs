//! Addresses, masked and cut ones among them, and their subnets, in Rust and in SQL.

use duckdb::Connection;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::address::{address, subnet};
use crate::schema::ddl::quoted;

fn parsed(text: &str) -> Option<String> {
    address(text).map(|network| network.to_string())
}

#[test]
fn addresses_are_parsed_as_feishu_reports_them() {
    for (text, network) in [
        (" 10.1.2.3 ", "10.1.2.3/32"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("10.1.2.*", "10.1.2.0/24"),
        ("10.1.2.***", "10.1.2.0/24"),
        ("10.1.2.3:8080", "10.1.2.0/24"),
    ] {
        assert_eq!(parsed(text).as_deref(), Some(network), "{text}");
    }
    for text in ["10.1.*.*", "", "10.1.2.", "010.1.2.3", "10.1.2", "10.1.2.3.4", "2001:db8:*", "unknown"] {
        assert_eq!(parsed(text), None, "{text}");
    }
}

#[test]
fn a_cut_address_is_what_is_left_of_it() {
    for text in ["10.1.2.0/24", "10.1.2.64/26", "10.1.2.3/32", "2001:db8:7::/48", "2001:db8:7:100::/56", "::/48"] {
        assert_eq!(parsed(text).as_deref(), Some(text));
    }
    for text in ["2001:db8::/32", "2001:db8::/129", "2001:db8::/048", "2001:db8::/"] {
        assert_eq!(parsed(text), None, "{text}");
    }
}

/// Texts that are addresses, nearly addresses, masked or cut.
fn any_text() -> impl Strategy<Value = String> {
    let octet = || "0|1|9|10|99|100|199|200|249|250|255|256|01|\\*|x|";
    let group = || "0|00|0000|1|db8|0db8|ffff|FFFF|abcd|10000|g|";
    let groups = move |count| proptest::collection::vec(group(), count).prop_map(|groups| groups.join(":"));
    let any = prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        (any::<u128>(), any::<u128>()).prop_map(|(one, other)| std::net::Ipv6Addr::from_bits(one & other).to_string()),
        proptest::collection::vec(octet(), 1..6).prop_map(|octets| octets.join(".")),
        groups(0..10),
        (groups(0..8), groups(0..8)).prop_map(|(before, after)| format!("{before}::{after}")),
        proptest::collection::vec("0|1|0001", 8).prop_map(|groups| groups.join(":")),
        ("::|::ffff:|0:0:0:0:0:ffff:|0::FFFF:|1:2:3:4:5:6:|64:ff9b::", "10.1.2.3|255.0.9.1|1.2.3|01.2.3.4|a01:203|1:2")
            .prop_map(|(before, after)| before + &after),
        "[0-9a-f:.*/% ]{0,16}",
    ];
    (" |", any, "(/24|/26|/32|/33|/47|/48|/56|/128|/129|/048|/)?(%eth0|%e.0/64|%)?( |\t)?")
        .prop_map(|(before, address, after)| before + &address + &after)
}

#[test]
fn subnets_equal_those_of_the_macro() {
    let connection = Connection::open_in_memory().expect("a database");
    let views = include_str!("../../../sql/views/020_participant_facts.sql");
    let (macros, _) = views.split_once("-- Default ranges").expect("the macro is_home_range");
    connection.execute_batch(macros).expect("the macros");
    let mut runner = TestRunner::default();
    let mut texts = proptest::collection::vec(any_text(), 4_000).new_tree(&mut runner).expect("texts").current();
    texts.retain(|text| !text.contains('\0'));
    let list = texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
    let mut subnets = connection
        .prepare(&format!("select text, subnet_of(text) from (select unnest([{list}]) as text)"))
        .expect("a query");
    let row = |row: &duckdb::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?));
    let found: Vec<_> = subnets.query_map([], row).and_then(Iterator::collect).expect("rows");
    assert_eq!(found.len(), texts.len());
    assert!(found.iter().filter(|(_, by_macro)| by_macro.is_some()).count() > texts.len() / 4);
    for (text, by_macro) in found {
        assert_eq!(by_macro, address(&text).map(|network| subnet(network).to_string()), "{text:?}");
    }
}
