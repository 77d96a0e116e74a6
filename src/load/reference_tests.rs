//! Undated tables in Parquet, and dated tables without any row: every engine finds a file of every table.

use super::fixture::{DAY, Store, open_published};
use super::*;
use crate::schema::{Storage, TABLES};

/// Rows that any reader finds with a pattern, by table.
fn rows_by_pattern(store: &Store) -> Vec<(&'static str, i64)> {
    let connection = duckdb::Connection::open_in_memory().expect("open");
    let parquet = store.paths.parquet().display().to_string();
    let tables = TABLES.iter().filter(|table| table.is_in_parquet());
    let rows = tables.map(|table| {
        let pattern = match table.storage {
            Storage::Reference => format!("{parquet}/reference/{}/*.parquet", table.name),
            _ => format!("{parquet}/{}/*/*.parquet", table.name),
        };
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let sql = format!("select count(*), count(({})) from read_parquet('{pattern}')", columns.join(", "));
        (table.name, connection.query_row(&sql, [], |row| row.get(0)).expect("every table has a file"))
    });
    rows.collect()
}

fn rows_in_database(store: &Store) -> Vec<(&'static str, i64)> {
    let connection = open_published(&store.paths).expect("open");
    let count = |name: &str| connection.query_row(&format!("select count(*) from {name}"), [], |row| row.get(0));
    let tables = TABLES.iter().filter(|table| table.is_in_parquet());
    tables.map(|table| (table.name, count(table.name).expect("a count"))).collect()
}

#[test]
fn every_table_has_a_file_even_without_rows() {
    let store = Store::new();
    store.publish("r1", vec![store.stage("r1", DAY, &[("meetings", 3, 1)]), store.stage("r1", DAY + 1, &[])]);
    store.assert_consistent();
    assert_eq!(rows_by_pattern(&store), rows_in_database(&store));
    let empty: Vec<String> =
        store.manifest().files.into_iter().filter(|file| file.rows == 0).map(|file| file.path).collect();
    assert!(empty.contains(&"rejects/meeting_date=2026-11-01/part-r1-0.parquet".to_owned()), "{empty:?}");
    assert!(empty.contains(&"reference/address_buildings/part-r1-0.parquet".to_owned()), "{empty:?}");
}

#[test]
fn an_empty_file_stays_until_its_table_has_rows() {
    let store = Store::new();
    store.publish("r1", vec![store.stage("r1", DAY, &[("meetings", 3, 1)])]);
    let empty = "rejects/meeting_date=2026-11-01/part-r1-0.parquet".to_owned();
    let again = store.publish("r2", vec![store.stage("r2", DAY + 1, &[("meetings", 3, 1)])]);
    assert!(store.parts_on_disk().contains(&empty), "the first date is still the same");
    assert_eq!(again.dates_changed, ["2026-11-02"]);
    let filled = store.publish("r3", vec![store.stage("r3", DAY + 2, &[("meetings", 3, 1), ("rejects", 5, 1)])]);
    assert_eq!(filled.dates_changed, ["2026-11-03"], "an empty file is no change of its date");
    assert!(!store.parts_on_disk().contains(&empty));
    // An earlier first date, and the only rows removed again.
    store.publish("r4", vec![store.stage("r4", DAY - 1, &[("meetings", 3, 1)]), store.stage("r4", DAY + 2, &[])]);
    assert!(store.parts_on_disk().contains(&"rejects/meeting_date=2026-10-31/part-r4-0.parquet".to_owned()));
    store.assert_consistent();
    assert_eq!(rows_by_pattern(&store), rows_in_database(&store));
}

#[test]
fn an_undated_file_is_replaced_when_its_rows_change() {
    let store = Store::new();
    let path_of =
        |table: &str| store.manifest().files.into_iter().find(|file| file.table == table).map(|file| file.path);
    store.publish("r1", vec![store.stage_all("r1", DAY, 200, 1)]);
    let (meta, misaligned) = (path_of("meta"), path_of("misaligned_participants"));
    store.publish("r2", vec![store.stage("r2", DAY + 1, &[("meetings", 3, 1)])]);
    assert_eq!(path_of("misaligned_participants"), misaligned, "the same rows keep their file");
    assert_ne!(path_of("meta"), meta);
    store.publish("r3", vec![store.stage("r3", DAY, &[("meetings", 3, 1)])]);
    assert_ne!(path_of("misaligned_participants"), misaligned);
    store.assert_consistent();
    assert_eq!(store.parts_on_disk().len(), store.manifest().files.len(), "outdated files are removed");
}

#[test]
fn rows_of_an_undated_table_that_are_given_replace_those_published() {
    let store = Store::new();
    let refused = Publication {
        run_id: "r1",
        now_us: 0,
        dates: Vec::new(),
        mode: PublishMode::Update,
        timezone: "UTC",
        user_id_type: "open_id",
        definitions: Definitions::NONE,
        reference_rows: &[(&crate::schema::MEETINGS, Vec::new())],
        database: DatabaseOptions::default(),
    };
    let proceed = &mut |_| std::ops::ControlFlow::Continue(());
    let error = publish(&store.paths, &refused, &mut |_| Ok(Vec::new()), proceed).expect_err("dated");
    assert!(matches!(error, LoadError::Inconsistent { .. }), "{error}");
    let row = ["cqd", "metric", "both", "above"].map(|text| crate::schema::cell::Cell::Text(text.to_owned()));
    let mut row = row.to_vec();
    row.resize(crate::schema::THRESHOLDS.columns.len(), crate::schema::cell::Cell::Null);
    let rooms = super::fixture::rows(&crate::schema::ROOMS, DAY, 3, 1);
    let given = [(&crate::schema::THRESHOLDS, vec![row]), (&crate::schema::ROOMS, rooms)];
    let publication =
        Publication { dates: vec![store.stage("r1", DAY, &[("meetings", 1, 1)])], reference_rows: &given, ..refused };
    publish(&store.paths, &publication, &mut |_| Ok(Vec::new()), proceed).expect("published");
    assert_eq!(rows_by_pattern(&store), rows_in_database(&store));
    assert!(rows_in_database(&store).contains(&("thresholds", 1)));
    // Those that no publication computes stay, with and without a database.
    store.publish_into("r2", vec![store.stage("r2", DAY + 1, &[("meetings", 1, 1)])], DatabaseDates::Off);
    assert!(rows_by_pattern(&store).contains(&("rooms", 3)));
    store.publish("r3", vec![store.stage("r3", DAY + 2, &[("meetings", 1, 1)])]);
    assert_eq!(rows_by_pattern(&store), rows_in_database(&store));
    assert!(rows_in_database(&store).contains(&("rooms", 3)));
}

#[test]
fn instants_of_parquet_and_of_the_database_are_equal_by_epoch_us_in_any_zone() {
    let store = Store::new();
    store.publish("r1", vec![store.stage("r1", DAY, &[("quality_samples", 300, 1)])]);
    let connection = open_published(&store.paths).expect("open");
    for zone in ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kathmandu"] {
        // Without ICU there is no zone to set, and the spelling works all the same.
        let _ = connection.execute_batch(&format!("set TimeZone = '{zone}'"));
        let sql = format!(
            "select count(*) from quality_samples s join read_parquet('{}/quality_samples/*/*.parquet') p \
             on p.participant_key = s.participant_key and epoch_us(p.sample_time_utc) = epoch_us(s.sample_time_utc)",
            store.paths.parquet().display()
        );
        let joined: i64 = connection.query_row(&sql, [], |row| row.get(0)).expect("a count");
        assert_eq!(joined, 300, "{zone}");
    }
}
