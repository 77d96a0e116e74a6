//! Definitions in published databases: present after every publication, installed again only if they differ, and
//! derived tables that are updated date by date.

use super::fixture::open_published;
use super::fixture::{DAY, Store};
use super::*;
use crate::schema::SCHEMA_VERSION;
use crate::schema::cell::Cell;
use crate::text::Language;

const VIEWS: &str = "
delete from thresholds;
insert into thresholds values
    ('cqd', 'audio_delay_ms', 'both', 'above', 500, 'ms', 'a source'),
    ('cqd', 'audio_loss_pct', 'both', 'above', 10, '%', 'a source'),
    ('huawei-red', 'video_delay_ms', 'both', 'at_or_above', 250, 'ms', 'another');
create or replace view everybody as select participant_name from participants;
create or replace macro twice(x) as x * 2;
";
const REPORT: &str = "create or replace macro report_people(top := 5) as table select * from everybody limit top";

fn script(name: &str, sql: &str) -> Script {
    Script { name: name.to_owned(), sql: sql.to_owned(), relation: None, parameters: String::new(), comment: None }
}

fn scripts() -> Vec<Script> {
    vec![script("views", VIEWS), script("report", REPORT)]
}

fn definitions<'a>(scripts: &'a [Script], custom_limits: &'a [(String, f64)]) -> Definitions<'a> {
    Definitions { scripts, custom_limits, ..Definitions::NONE }
}

fn texts(store: &Store, sql: &str) -> Vec<String> {
    let connection = open_published(&store.paths).expect("open");
    let mut statement = connection.prepare(sql).expect("prepare");
    statement.query_map([], |row| row.get(0)).expect("query").collect::<duckdb::Result<_>>().expect("text")
}

/// Publishes some rows of each table on the dates.
fn publish(store: &Store, run_id: &str, dates: &[(i32, usize)], definitions: Definitions<'_>) {
    let dates = dates.iter().map(|(date, rows)| store.stage_all(run_id, *date, *rows, 7)).collect();
    store.publish_with(run_id, dates, definitions);
}

/// Missing and additional rows of the derived table.
fn derived_differences(store: &Store) -> Vec<String> {
    let sql = definitions::derived_sql(&definitions::DERIVED[0], "true");
    texts(store, &format!("select cast(count(*) as varchar) from (select cast(d as varchar) from ({sql}) as d except all select cast(m as varchar) from misaligned_participants as m)
        union all select cast(count(*) as varchar) from (select cast(m as varchar) from misaligned_participants as m except all select cast(d as varchar) from ({sql}) as d)"))
}

#[test]
fn any_client_can_use_the_definitions() {
    let store = Store::new();
    publish(&store, "r1", &[(DAY, 30)], definitions(&scripts(), &[]));
    let count = texts(&store, "select cast(count(*) as varchar) from report_people(top := 3)");
    assert_eq!(count, ["3"]);
    assert_eq!(texts(&store, "select cast(twice(21) as varchar)"), ["42"]);
}

#[test]
fn comments_are_in_the_language_of_the_last_publication() {
    let store = Store::new();
    let comment = |language: Language| Comment {
        subject: "view everybody".to_owned(),
        text: language.pick("Names.", "姓名。").to_owned(),
        columns: [("participant_name".to_owned(), language.pick("Name.", "姓名。").to_owned())].into(),
        columns_heading: "",
    };
    let sql = "select comment from duckdb_tables() where table_name = 'meetings'
        union all select comment from duckdb_columns() where table_name = 'meetings' and column_name = 'meeting_topic'
        union all select comment from duckdb_views() where view_name = 'everybody'
        union all select comment from duckdb_columns() where table_name = 'everybody'";
    let expected = [
        (
            Language::English,
            ["One row for each meeting that has ended, from meeting_list.", "Topic.", "Names.", "Name."],
        ),
        (Language::Chinese, ["每场已结束的会议一行，来自 meeting_list。", "会议主题。", "姓名。", "姓名。"]),
    ];
    let checksums: Vec<String> = expected
        .iter()
        .chain(&expected[..1])
        .enumerate()
        .map(|(run, (language, texts_of_language))| {
            let view = Script {
                relation: Some(Relation::View("everybody".to_owned())),
                comment: Some(comment(*language)),
                ..script("a view", "create or replace view everybody as select participant_name from participants")
            };
            let scripts = [view];
            let definitions = Definitions { language: *language, ..definitions(&scripts, &[]) };
            publish(&store, &format!("r{run}"), &[], definitions);
            assert_eq!(texts(&store, sql), *texts_of_language);
            // Readers with another language have the same definitions.
            let installed = texts(&store, "select definitions_sha256 from meta").remove(0);
            let other = Definitions { language: language.pick(Language::Chinese, Language::English), ..definitions };
            assert!(other.are_own_of(Some(&installed)) && other.are_all_of(Some(&installed)));
            assert!(other.have_other_comments(&installed) && !definitions.have_other_comments(&installed));
            installed
        })
        .collect();
    assert_eq!(checksums[0], checksums[2]);
    assert_ne!(checksums[0], checksums[1]);
}

#[test]
fn attached_definitions_work_once_their_database_is_in_use() {
    let store = Store::new();
    publish(&store, "r1", &[(DAY, 30)], definitions(&scripts(), &[]));
    let connection = duckdb::Connection::open_in_memory().expect("open");
    let attach = format!("attach '{}' as q (read_only)", store.paths.database().display());
    connection.execute_batch(&attach).expect("attached");
    let count = || connection.query_row("select count(*) from report_people(top := 3)", [], |row| row.get::<_, i64>(0));
    assert!(count().is_err(), "the definitions look for their tables in the current database");
    connection.execute_batch("use q").expect("in use");
    assert_eq!(count().expect("a count"), 3);
}

#[test]
fn a_program_drops_what_it_does_not_define() {
    let store = Store::new();
    let names = "select view_name from duckdb_views() where not internal union all
        select function_name from duckdb_functions() where not internal and schema_name = 'main' order by 1";
    publish(&store, "r1", &[(DAY, 30)], definitions(&scripts(), &[]));
    assert_eq!(texts(&store, names), ["everybody", "report_people", "twice"]);
    publish(&store, "r2", &[(DAY + 1, 30)], definitions(&scripts(), &[]));
    assert_eq!(texts(&store, names), ["everybody", "report_people", "twice"]);
    publish(&store, "r3", &[(DAY + 2, 30)], definitions(&scripts()[..1], &[]));
    assert_eq!(texts(&store, names), ["everybody", "twice"]);
    publish(&store, "r4", &[], definitions(&scripts(), &[]));
    assert_eq!(texts(&store, names), ["everybody", "report_people", "twice"]);
}

#[test]
fn derived_tables_follow_added_changed_and_removed_dates() {
    let store = Store::new();
    for (run_id, dates) in [
        ("r1", &[(DAY, 130), (DAY + 1, 70)][..]),
        ("r2", &[(DAY + 2, 250)]),
        ("r3", &[(DAY + 1, 190)]),
        ("r4", &[(DAY, 0)]),
        ("r5", &[]),
    ] {
        publish(&store, run_id, dates, definitions(&scripts(), &[]));
        assert_eq!(derived_differences(&store), ["0", "0"], "{run_id}");
        let rows = texts(&store, "select cast(count(*) as varchar) from misaligned_participants");
        assert_ne!(rows, ["0"], "generated times are misaligned: {run_id}");
    }
}

#[test]
fn the_custom_profile_has_all_limits_and_those_of_the_configuration() {
    let store = Store::new();
    let custom = "select concat_ws(' ', metric, poor_when, value, unit, source) from thresholds
        where profile = 'custom' order by metric";
    publish(&store, "r1", &[(DAY, 3)], definitions(&scripts(), &[]));
    assert_eq!(
        texts(&store, custom),
        ["audio_delay_ms above 500.0 ms a source", "audio_loss_pct above 10.0 % a source"]
    );
    let limits = [("audio_loss_pct".to_owned(), 2.5), ("video_delay_ms".to_owned(), 300.0)];
    // Only the configuration has changed.
    publish(&store, "r2", &[], definitions(&scripts(), &limits));
    assert_eq!(
        texts(&store, custom),
        [
            "audio_delay_ms above 500.0 ms a source",
            "audio_loss_pct above 2.5 % configuration",
            "video_delay_ms at_or_above 300.0 ms configuration",
        ]
    );
}

#[test]
fn limits_that_no_profile_has_are_found() {
    let scripts = scripts();
    let limits = [("audio_loss_pct".to_owned(), 2.5), ("audio_los_pct".to_owned(), 1.0)];
    let unknown = definitions(&scripts, &limits).unknown_limits().expect("checked").expect("one is unknown");
    assert_eq!(unknown.unknown, ["audio_los_pct"]);
    assert_eq!(unknown.known, ["audio_delay_ms", "audio_loss_pct", "video_delay_ms"]);
    assert_eq!(definitions(&scripts, &limits[..1]).unknown_limits().expect("checked"), None);
    assert_eq!(definitions(&[], &[]).unknown_limits().expect("checked"), None);
}

#[test]
fn an_invalid_definition_is_named_and_nothing_is_published() {
    let store = Store::new();
    publish(&store, "r1", &[(DAY, 30)], definitions(&scripts(), &[]));
    let broken = [script("views/099_broken", "create view broken as select nothing from nowhere")];
    let dates = vec![store.stage_all("r2", DAY + 1, 30, 7)];
    let error = store.try_publish_with("r2", dates, definitions(&broken, &[])).expect_err("refused");
    assert!(matches!(&error, LoadError::Definition { script, .. } if script == "views/099_broken"), "{error}");
    assert_eq!(texts(&store, "select cast(count(*) as varchar) from report_people(top := 3)"), ["3"]);
}

#[test]
fn a_store_of_an_older_program_is_upgraded() {
    let store = Store::new();
    publish(&store, "r1", &[(DAY, 30)], Definitions::NONE);
    let connection = fixture::open_for_writing(&store.paths);
    connection
        .execute_batch(
            "drop table thresholds; drop table buildings; drop table address_buildings; drop table misaligned_participants;
             alter table meta drop column definitions_sha256; update meta set schema_version = 1;
             alter table runs drop column meeting_nos; delete from schema_migrations where version > 1; drop schema custom; checkpoint",
        )
        .expect("as the first version wrote it");
    drop(connection);
    let upgraded = |run_id: &str| {
        let scripts = scripts();
        let published =
            store.publication(run_id, Vec::new(), PublishMode::Update, definitions(&scripts, &[]), &mut |_| {
                std::ops::ControlFlow::Continue(())
            });
        let notes = published.expect("published").notes;
        notes.into_iter().filter(|note| note.contains("upgraded")).collect::<Vec<_>>()
    };
    let version = env!("CARGO_PKG_VERSION");
    let note = format!("the tables of vcq-etl {version} were upgraded from schema 1 to {SCHEMA_VERSION}");
    assert_eq!(upgraded("r2"), [note]);
    assert_eq!(upgraded("r3"), [""; 0]);
    assert_eq!(texts(&store, "select cast(count(*) as varchar) from report_people(top := 3)"), ["3"]);
    assert_eq!(texts(&store, "select cast(count(*) as varchar) from schema_migrations"), [SCHEMA_VERSION.to_string()]);
    assert_eq!(derived_differences(&store), ["0", "0"]);
}

/// Every address is in one building; counts the addresses it was given.
struct OneBuilding(std::sync::Mutex<usize>);

impl BuildingLookup for OneBuilding {
    fn locate(&self, addresses: Vec<AddressPair>) -> Vec<crate::schema::cell::Row> {
        *self.0.lock().expect("no panic") += addresses.len();
        let text = |text: &str| Cell::Text(text.to_owned());
        let row = |address: String| {
            let mut row: Vec<Cell> =
                vec![text(&address), text(""), Cell::Day(0), Cell::Null, text("10.0.0.0/8"), text("HQ")];
            row.resize(crate::schema::ADDRESS_BUILDINGS.columns.len(), Cell::Null);
            row
        };
        let distinct: std::collections::BTreeSet<String> = addresses.into_iter().map(|(address, _)| address).collect();
        distinct.into_iter().map(row).collect()
    }
}

#[test]
fn addresses_of_new_dates_are_located_once() {
    let store = Store::new();
    let scripts = scripts();
    let lookup = OneBuilding(std::sync::Mutex::default());
    let mut building: Vec<Cell> = vec![Cell::Text("10.0.0.0/8".to_owned()), Cell::Text(String::new()), Cell::Day(0)];
    building.resize(crate::schema::BUILDINGS.columns.len(), Cell::Null);
    let buildings = [building];
    let definitions_with_buildings =
        Definitions { buildings: &buildings, building_lookup: &lookup, ..definitions(&scripts, &[]) };
    let located = "select cast(count(*) || ' of ' || count(distinct address) as varchar) from address_buildings";
    let addresses = "select cast(count(distinct internal_ip) || ' of ' || count(distinct internal_ip) as varchar) from participants where internal_ip is not null";
    for (run_id, dates) in [("r1", &[(DAY, 60)][..]), ("r2", &[(DAY + 1, 90)]), ("r3", &[(DAY, 40)]), ("r4", &[])] {
        let before = *lookup.0.lock().expect("no panic");
        publish(&store, run_id, dates, definitions_with_buildings);
        assert!(
            dates.is_empty() == (before == *lookup.0.lock().expect("no panic")),
            "{run_id}: only addresses of new dates"
        );
        let (found, expected) = (texts(&store, located), texts(&store, addresses));
        let count =
            |texts: &[String]| texts[0].split(' ').next().and_then(|n| n.parse::<u32>().ok()).expect("a number");
        assert_eq!(count(&found), count(&expected), "{run_id}: those of the rows that there are, and no others");
        let (rows, distinct) = found[0].split_once(" of ").expect("two numbers");
        assert_eq!(rows, distinct, "{run_id}");
    }
    publish(&store, "r5", &[], definitions(&scripts, &[]));
    assert_eq!(texts(&store, located), ["0 of 0"], "no buildings left");
}
