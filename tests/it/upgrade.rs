//! A store of an older version: the next sync or rebuild upgrades it with one note, and one about its modes, requests
//! nothing again, and finds the incidents of all dates.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vcq_simulator::{Endpoint, TenantSpec};

use crate::file_modes::set_modes;
use crate::incidents::TABLES;
use crate::rebuild::{files, remove};
use crate::support::damage::edit_manifest;
use crate::support::test_env::{RunOutput, TestEnv, rows, unlimited};
use crate::support::test_store::{copy_folder, open_for_writing};

/// An older version, and the tables that it did not have.
struct Older {
    version: &'static str,
    schema: u32,
    without: &'static [&'static str],
    /// Other statements that undo later migrations.
    undo: &'static str,
}

const TABLES_SINCE_2: &[&str] = &[
    "incidents",
    "incident_participants",
    "judged_participants",
    "stored_marked_minutes",
    "stored_cpu_minutes",
    "stored_audio_streams",
    "stored_limits",
    "rooms",
    "room_alerts",
    "reservations",
    "census_daily",
    "census_users",
];

const BEFORE_INCIDENTS: Older =
    Older { version: "0.2.0-dev", schema: 5, without: &TABLES, undo: "alter table meta drop column profile;" };

const FIRST: Older = Older {
    version: "0.1.0",
    schema: 2,
    without: TABLES_SINCE_2,
    undo: "alter table meta drop column profile; alter table runs drop column meeting_nos; drop schema custom; \
           delete from published_files where meeting_date is null;",
};

/// The ledger's tables of 0.1.0 that later versions do not build again from the raw log.
const LEDGER_OF_FIRST: &str = "
    drop table alert_rows; drop table alert_messages; drop table days;
    alter table runs drop column meeting_nos;
    drop index meetings_by_instance; alter table meetings drop column instance_id;
    alter table meetings drop column number_of_participants; alter table meetings drop column list_again_us;
    alter table meetings drop column list_short_us; alter table meetings drop column people;
    alter table participants add column digest text; alter table participants drop column again_us;
    alter table participants drop column rows;
    pragma user_version = 2;";

/// Makes a store what the older version would have left.
fn age(store: &Path, older: &Older) {
    let parquet = store.join("parquet");
    let database = open_for_writing(store);
    for table in older.without {
        database.execute_batch(&format!("drop table {table}")).expect(table);
        fs::remove_dir_all(parquet.join(table))
            .or_else(|_| fs::remove_dir_all(parquet.join("reference").join(table)))
            .ok();
    }
    let tables = older.without.iter().map(|table| format!("'{table}'")).collect::<Vec<_>>().join(", ");
    let views = rows(&database, "select view_name from duckdb_views() where not internal and schema_name = 'main'");
    let drop_views = views.iter().map(|view| format!("drop view {view};")).collect::<String>();
    let macros = "select distinct case function_type when 'table_macro' then 'macro table ' else 'macro ' end || \
                  function_name from duckdb_functions() where not internal and schema_name = 'main'";
    let drop_macros = rows(&database, macros).iter().map(|name| format!("drop {name};")).collect::<String>();
    let Older { version, schema, undo, .. } = older;
    let statements = format!(
        "{drop_views} {drop_macros} {undo}
         update meta set schema_version = {schema}, vcq_etl_version = '{version}', definitions_sha256 = 'older';
         delete from schema_migrations where version > {schema};
         delete from published_files where table_name in ({tables});
         checkpoint;"
    );
    database.execute_batch(&statements).expect("as the older version wrote it");
    database.close().expect("closed");

    edit_manifest(store, |manifest| {
        manifest["schema_version"] = (*schema).into();
        let files = manifest["files"].as_array_mut().expect("files");
        files.retain(|file| !older.without.iter().any(|table| file["table"] == *table));
        if *schema < 4 {
            files.retain(|file| !file["meeting_date"].is_null());
        }
    });
    let record = store.join("state/published.json");
    if *schema >= 4 {
        // Otherwise the database would count as changed by another program, and be rebuilt.
        let bytes = fs::read(store.join("vcq.duckdb")).expect("read");
        let headers: String = Sha256::digest(&bytes[..3 * 4096]).iter().map(|byte| format!("{byte:02x}")).collect();
        let record_of_this = json!({"files": [{"bytes": bytes.len(), "headers_sha256": headers}]});
        fs::write(record, record_of_this.to_string()).expect("written");
        return;
    }
    fs::remove_file(record).expect("removed");
    remove(parquet.join("reference"));
    let ledger = rusqlite::Connection::open(store.join("state/ledger.sqlite")).expect("opens");
    ledger.execute_batch(LEDGER_OF_FIRST).expect("an older ledger");
    for file in files(&store.join("raw"), ".zst") {
        let mut bytes = fs::read(&file).expect("read");
        let (new, old) = (b"{\"v\":2,", b"{\"v\":1,");
        let headers: Vec<usize> =
            (0..bytes.len().saturating_sub(new.len())).filter(|at| bytes[*at..].starts_with(new)).collect();
        assert!(!headers.is_empty(), "{}", file.display());
        for at in headers {
            bytes[at..at + old.len()].copy_from_slice(old);
        }
        fs::write(&file, bytes).expect("written");
    }
}

fn run(env: &TestEnv, store: &Path, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(arguments).env("VCQ_STORE", store).output().expect("the binary runs"))
}

/// The rows that follow from the answers, and the incidents, without times of publications.
fn contents(store: &Path) -> Vec<Vec<String>> {
    let database = open_read_only(store);
    let tables = ["meetings", "participants", "quality_samples", "coverage", "rejects"];
    let all = tables.iter().chain(&TABLES[..3]);
    all.map(|table| rows(&database, &format!("select t::varchar from {table} as t order by all"))).collect()
}

fn open_read_only(store: &Path) -> duckdb::Connection {
    let config = duckdb::Config::default().access_mode(duckdb::AccessMode::ReadOnly).expect("a setting");
    duckdb::Connection::open_with_flags(store.join("vcq.duckdb"), config).expect("opens")
}

#[test]
fn a_store_of_an_older_version_is_upgraded_and_its_incidents_are_found() {
    let planting = "service:loss:hours".parse().expect("an incident");
    let spec = TenantSpec { days: 6, people: 60, meetings_per_day: 16, planting, ..TenantSpec::default() };
    let env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
    let expected = contents(&env.store());
    let folder = tempfile::tempdir_in(env.home()).expect("a folder");
    for older in [&BEFORE_INCIDENTS, &FIRST] {
        let aged = folder.path().join(older.version);
        copy_folder(&env.store(), &aged);
        age(&aged, older);
        // Older versions left the modes to the umask.
        set_modes(&aged, 0o755, 0o644);
        reads_as_older(&env, &aged);
        for command in ["sync", "rebuild"] {
            let store = folder.path().join(format!("{}-{command}", older.version));
            copy_folder(&aged, &store);
            upgrade(&env, &store, command, older);
            let what = format!("{} {command}", older.version);
            let found = contents(&store);
            for (one, other) in found.iter().zip(&expected) {
                assert!(one == other, "{what}: {} rows, expected {}", one.len(), other.len());
            }
        }
    }
}

/// Commands that only read say what there is, and what to do.
fn reads_as_older(env: &TestEnv, store: &Path) {
    let status = run(env, store, &["status"]).expect_exit(0).stdout;
    assert!(status.contains("Incidents       not searched yet; the next vcq-etl sync or rebuild"), "{status}");
    let verified = run(env, store, &["verify", "--deep"]).expect_exit(9).stdout;
    let verified = verified.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(verified.contains("the next vcq-etl sync, or vcq-etl rebuild, upgrades the tables"), "{verified}");
    let report = run(env, store, &["report", "run", "incidents"]);
    assert_ne!(report.code, Some(0), "{}", report.stdout);
    assert!(report.stderr.contains("hint: ") && report.stderr.contains("vcq-etl sync"), "{}", report.stderr);
}

/// The notes, without those of every rebuild and about the days since the tenant's last one.
fn notes(ran: &RunOutput) -> Vec<String> {
    let mut notes: Vec<String> = serde_json::from_value(ran.summary()["notes"].clone()).expect("notes");
    notes.retain(|note| !note.ends_with("of the raw log added to the ledger") && !note.starts_with("not covered by"));
    notes
}

fn upgrade(env: &TestEnv, store: &Path, command: &str, older: &Older) {
    env.simulator().reset_stats();
    let window = env.window();
    let window = if command == "sync" { &window[..] } else { &[] };
    let ran = run(env, store, &[&[command, "--summary", "json"], window].concat()).expect_exit(0);
    let (schema, version) = (older.schema, older.version);
    let newest = env.number("select max(version) from schema_migrations");
    let note = format!("the tables of vcq-etl {version} were upgraded from schema {schema} to {newest}");
    let notes_of_run = notes(&ran);
    assert!(notes_of_run[0].starts_with("set the mode of "), "{version} {command}: {notes_of_run:?}");
    assert_eq!(notes_of_run[1..], [note], "{version} {command}");
    let stats = env.simulator().stats();
    for endpoint in [Endpoint::ParticipantList, Endpoint::ParticipantQualityList] {
        assert_eq!(stats.calls(endpoint), 0, "{version} {command}: nothing is requested again");
    }
    let report = ["report", "run", "incidents", "--since", "all", "--format", "json"];
    let incidents = run(env, store, &report).expect_exit(0).summary();
    let is_planted = |row: &Value| row["scope_kind"] == "service" && row["metric"] == "loss";
    assert!(incidents.as_array().expect("rows").iter().any(is_planted), "{version} {command}: {incidents:#}");
    let verified = run(env, store, &["verify", "--deep", "--json"]).expect_exit(0).summary();
    assert_eq!(verified["findings"], 0, "{version} {command}");
    let migrations = "select version, name, sha256 from schema_migrations order by all";
    assert_eq!(rows(&open_read_only(store), migrations), env.rows(migrations), "{version} {command}");
    let again = run(env, store, &[&["sync", "--summary", "json"], &env.window()[..]].concat()).expect_exit(0);
    assert_eq!(notes(&again), [""; 0], "{version} {command}");
}
