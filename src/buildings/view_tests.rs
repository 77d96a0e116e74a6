//! The view `participant_facts` on rows of `address_buildings`: it applies the lookup rule and duplicates no
//! participant.

use std::path::Path;

use duckdb::Connection;

use super::*;
use crate::schema::cell::{Cell, Row};
use crate::schema::{ADDRESS_BUILDINGS, PARTICIPANTS, ROOMS, Table, civil_date_text, ddl};

const FILE: &str = "\
cidr,building,floor,inside,egress_cidr,valid_from,valid_until
10.1.0.0/16,Campus,,1,,,
10.1.2.0/24,Harbour House,2,1,,2026-11-01,2026-11-08
192.168.1.0/24,Shop,,1,203.0.113.7,,
10.9.0.0/16,Depot,4,1,,,
10.9.0.0/16,Yard,,0,198.51.100.0/24,,
2001:db8:7::/48,Tower,,1,,,
";

/// Key, internal address, public address, meeting date; then the expected building, floor, inside and site.
const PARTICIPATIONS: &[[&str; 8]] = &[
    ["a", "10.1.2.3", "192.0.2.1", "2026-10-31", "Campus", "", "true", "Campus"],
    ["b", "10.1.2.3", "192.0.2.1", "2026-11-01", "Harbour House", "2", "true", "Harbour House"],
    ["c", "10.1.2.3", "192.0.2.2", "2026-11-08", "Campus", "", "true", "Campus"],
    ["d", "192.168.1.5", "203.0.113.7", "2026-11-01", "Shop", "", "true", "Shop"],
    ["e", "192.168.1.5", "203.0.113.8", "2026-11-01", "", "", "", "home, by 203.0.113.0/24"],
    ["f", "192.168.1.5", "", "2026-11-01", "", "", "", "home, by ?"],
    ["g", "10.9.1.1", "203.0.113.7", "2026-11-01", "Depot", "4", "true", "Depot"],
    ["h", "10.9.1.1", "198.51.100.9", "2026-11-01", "Yard", "", "false", "Yard"],
    ["i", "10.9.1.1", "", "2026-11-01", "Depot", "4", "true", "Depot"],
    ["j", "2001:db8:7::5", "", "2026-11-01", "Tower", "", "true", "Tower"],
    ["k", "10.8.1.1", "192.0.2.1", "2026-11-01", "", "", "", "10.8.1.0/24"],
    ["l", "10.1.*.*", "192.0.2.1", "2026-11-01", "", "", "", "by 192.0.2.0/24"],
    ["m", "", "", "2026-11-01", "", "", "", "unknown"],
];

fn insert(connection: &Connection, table: &Table, row: &Row) {
    let values = row.iter().map(|cell| match cell {
        Cell::Text(text) => ddl::quoted(text),
        Cell::Day(day) => format!("date '{}'", civil_date_text(*day)),
        Cell::Flag(flag) => flag.to_string(),
        other => {
            assert_eq!(*other, Cell::Null);
            "null".to_owned()
        }
    });
    let values = values.collect::<Vec<_>>().join(", ");
    connection.execute_batch(&format!("insert into {} values ({values})", table.name)).expect("a row");
}

#[test]
fn the_view_finds_the_building_of_each_participant() {
    let connection = Connection::open_in_memory().expect("a database");
    for table in [&PARTICIPANTS, &ADDRESS_BUILDINGS, &ROOMS] {
        connection.execute_batch(&ddl::create_table(table)).expect("a table");
    }
    connection.execute_batch(include_str!("../../sql/views/020_participant_facts.sql")).expect("the view");
    let some = |text: &str| if text.is_empty() { "null".to_owned() } else { ddl::quoted(text) };
    for [key, internal, public, date, ..] in PARTICIPATIONS {
        connection
            .execute_batch(&format!(
                "insert into participants (participant_key, internal_ip, public_ip, meeting_date) values ({}, {}, {}, '{date}')",
                some(key), some(internal), some(public)
            ))
            .expect("a participant");
    }
    let file = BuildingFile::parse(Path::new("f"), FILE.as_bytes(), Days::ALL).expect("valid");
    let optional = |text: &&str| (!text.is_empty()).then(|| (*text).to_owned());
    let seen =
        PARTICIPATIONS.iter().filter_map(|[_, internal, public, ..]| Some((optional(internal)?, optional(public))));
    for row in Buildings::new(file.entries).address_rows(seen) {
        insert(&connection, &ADDRESS_BUILDINGS, &row);
    }
    let mut select = connection
        .prepare(
            "select participant_key, coalesce(internal_ip, ''), coalesce(public_ip, ''), cast(meeting_date as varchar),
                 coalesce(building, ''), coalesce(floor, ''), coalesce(cast(is_inside as varchar), ''), site
             from participant_facts order by participant_key",
        )
        .expect("a query");
    let found: Vec<Vec<String>> = select
        .query_map([], |row| (0..8).map(|column| row.get(column)).collect())
        .and_then(Iterator::collect)
        .expect("rows");
    assert_eq!(found, PARTICIPATIONS);
}
