//! Ways to damage a store, each with the check of `verify` that must find it.

use std::fs;
use std::path::Path;

use super::damage::{
    FIRST, change_a_cell, change_bytes, database, edit_file, edit_manifest, incident, ledger, ledger_sql, manifest,
    part, raw_file, sql, update_checksum,
};

pub(crate) struct Tampering {
    pub what: &'static str,
    /// The check that must find it.
    pub check: &'static str,
    pub change: fn(&Path),
}

const fn tampering(what: &'static str, check: &'static str, change: fn(&Path)) -> Tampering {
    Tampering { what, check, change }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
}

pub(crate) const TAMPERINGS: &[Tampering] = &[
    // The files.
    tampering("a flipped byte in a Parquet file", "files", |store| {
        change_bytes(&part(store, "quality_samples", 0), |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    }),
    tampering("a truncated Parquet file", "files", |store| {
        change_bytes(&part(store, "meetings", 0), |bytes| bytes.truncate(bytes.len() - 1));
    }),
    tampering("a missing Parquet file", "files", |store| {
        fs::remove_file(part(store, "participants", 0)).expect("removed");
    }),
    tampering("an empty Parquet file", "files", |store| fs::write(part(store, "coverage", 0), "").expect("written")),
    tampering("a folder instead of a Parquet file", "files", |store| {
        let path = part(store, "coverage", 0);
        fs::remove_file(&path).expect("removed");
        fs::create_dir(path).expect("made");
    }),
    tampering("two files swapped", "files", |store| {
        let (one, other) = (part(store, "coverage", 0), part(store, "coverage", 1));
        let (of_one, of_other) = (fs::read(&one).expect("read"), fs::read(&other).expect("read"));
        fs::write(one, of_other).expect("written");
        fs::write(other, of_one).expect("written");
    }),
    tampering("a part that is not in the manifest", "orphans", |store| {
        let path = part(store, "meetings", 0);
        fs::copy(&path, path.with_file_name("part-other-0.parquet")).expect("copied");
    }),
    tampering("a foreign file below parquet/", "orphans", |store| {
        fs::write(store.join("parquet/notes.txt"), "mine").expect("written");
    }),
    tampering("a raw file that others can read", "modes", |store| set_mode(&raw_file(store, "quality"), 0o644)),
    tampering("a folder that others can list", "modes", |store| set_mode(&store.join("state"), 0o755)),
    tampering("a database that its owner can change", "modes", |store| set_mode(&database(store), 0o600)),
    tampering("a folder of the raw log whose name is not a date", "raw", |store| {
        fs::create_dir(store.join("raw/quality/meeting_date=soon")).expect("made");
    }),
    tampering("a Parquet file with other columns and a matching checksum", "parquet-schema", |store| {
        let path = part(store, "meetings", 0);
        let narrow = store.join("narrow.parquet");
        let connection = duckdb::Connection::open_in_memory().expect("DuckDB");
        let copy = format!(
            "copy (select * exclude (meeting_topic) from read_parquet('{}', hive_partitioning = false)) to '{}'",
            path.display(),
            narrow.display()
        );
        connection.execute_batch(&copy).expect("copied");
        fs::rename(narrow, &path).expect("renamed");
        update_checksum(store, &path);
    }),
    tampering("a file that is not Parquet, with a matching checksum", "parquet-schema", |store| {
        let path = part(store, "meetings", 0);
        fs::write(&path, "PAR1 but not really PAR1").expect("written");
        update_checksum(store, &path);
    }),
    tampering("a changed cell of a Parquet file, with a matching checksum", "rows", |store| {
        let path = part(store, "quality_samples", 0);
        change_a_cell(store, &path);
        update_checksum(store, &path);
    }),
    tampering("a manifest that is not JSON", "manifest", |store| {
        fs::write(manifest(store), "{\"gener").expect("written")
    }),
    tampering("a missing manifest", "manifest", |store| fs::remove_file(manifest(store)).expect("removed")),
    tampering("an older schema version", "manifest", |store| {
        edit_manifest(store, |all| all["schema_version"] = 0.into())
    }),
    tampering("a publication of the future", "manifest", |store| {
        edit_manifest(store, |all| all["created_utc"] = "2999-01-01T00:00:00Z".into());
    }),
    tampering("an invalid checksum", "manifest", |store| edit_file(store, |file| file["sha256"] = "../x".into())),
    tampering("an unknown table", "manifest", |store| edit_file(store, |file| file["table"] = "secrets".into())),
    tampering("an invalid date", "manifest", |store| edit_file(store, |file| file["meeting_date"] = "today".into())),
    tampering("more rows in the manifest", "parquet-rows", |store| {
        edit_file(store, |file| file["rows"] = (file["rows"].as_u64().expect("rows") + 1).into());
    }),
    tampering("another first time in the manifest", "parquet-rows", |store| {
        edit_file(store, |file| file["min_time_utc"] = "2000-01-01T00:00:00Z".into());
    }),
    tampering("more bytes in the manifest", "files", |store| edit_file(store, |file| file["bytes"] = 1.into())),
    tampering("another checksum in the manifest", "files", |store| {
        edit_file(store, |file| file["sha256"] = "0".repeat(64).into());
    }),
    tampering("a path that leaves the store", "manifest-paths", |store| {
        edit_file(store, |file| file["path"] = "../../../../etc/hostname".into());
    }),
    tampering("an absolute path", "manifest-paths", |store| {
        edit_file(store, |file| file["path"] = "/etc/hostname".into())
    }),
    tampering("a path of another table", "manifest-paths", |store| {
        edit_manifest(store, |all| all["files"][0]["path"] = all["files"][2]["path"].clone());
    }),
    tampering("a file named twice", "manifest-paths", |store| {
        edit_manifest(store, |all| {
            let file = all["files"][0].clone();
            all["files"].as_array_mut().expect("files").push(file);
        });
    }),
    tampering("a file removed from the manifest", "published-files", |store| {
        edit_manifest(store, |all| drop(all["files"].as_array_mut().expect("files").remove(0)));
    }),
    tampering("another generation in the manifest", "generation", |store| {
        edit_manifest(store, |all| all["generation"] = 77.into());
    }),
    tampering("another run in the manifest", "generation", |store| {
        edit_manifest(store, |all| all["run_id"] = "another".into());
    }),
    // The database as a file.
    tampering("a missing database", "database", |store| fs::remove_file(database(store)).expect("removed")),
    tampering("a database of three bytes", "database", |store| change_bytes(&database(store), |it| it.truncate(3))),
    tampering("a database cut in half", "database", |store| {
        change_bytes(&database(store), |bytes| bytes.truncate(bytes.len() / 2));
    }),
    tampering("a database whose blocks are damaged", "database", |store| {
        change_bytes(&database(store), |bytes| bytes[12_288..].iter_mut().for_each(|byte| *byte ^= 0x20));
    }),
    tampering("a write-ahead log beside the database", "database", |store| {
        let log = store.join("vcq.duckdb.wal");
        fs::remove_file(&log).and_then(|()| fs::write(log, "")).expect("written");
    }),
    tampering("a foreign table", "database-schema", |store| sql(store, "create table mine (x int)")),
    tampering("a foreign view", "definitions", |store| sql(store, "create view mine as select 1 as x")),
    tampering("a foreign macro", "definitions", |store| sql(store, "create macro mine(x) as x + 1")),
    tampering("a missing report", "definitions", |store| sql(store, "drop macro table report_worst_meetings")),
    tampering("a changed view", "definitions", |store| {
        sql(store, "create or replace view participant_facts as select 1 as participant_key");
    }),
    tampering("a changed threshold", "definitions", |store| {
        sql(store, "update thresholds set value = value * 2 where profile = 'cqd' and metric = 'audio_loss_pct'");
    }),
    tampering("a building that was not imported", "definitions", |store| {
        sql(
            store,
            "insert into buildings (network, egress_cidr, valid_from_date) values ('10.1.0.0/16', '', date '1970-01-01')",
        );
    }),
    tampering("a participant marked as misaligned", "definitions", |store| {
        sql(
            store,
            "insert into misaligned_participants select participant_key, meeting_date from participants limit 1",
        );
    }),
    tampering("a foreign database", "database", |store| {
        fs::remove_file(database(store)).expect("removed");
        sql(store, "create table precious as select 42 as answer");
    }),
    tampering("a database without meta", "database", |store| sql(store, "drop table meta")),
    tampering("a changed migration", "database", |store| sql(store, "update schema_migrations set sha256 = 'x'")),
    // Its schema.
    tampering("a migration that is not recorded", "database-schema", |store| {
        sql(store, "delete from schema_migrations")
    }),
    tampering("a dropped table", "database-schema", |store| sql(store, "drop table rejects")),
    tampering("a missing comment", "database-schema", |store| sql(store, "comment on column meetings.ai_note is null")),
    tampering("a dropped column", "database-schema", |store| sql(store, "alter table meetings drop column ai_note")),
    tampering("an extra column", "database-schema", |store| sql(store, "alter table meetings add column mine int")),
    tampering("a column of another type", "database-schema", |store| {
        sql(store, "alter table quality_samples alter network_delay_ms type float");
    }),
    // Its metadata.
    tampering("another generation in the database", "generation", |store| sql(store, "update meta set generation = 0")),
    tampering("no time zone in meta", "generation", |store| sql(store, "update meta set timezone = null")),
    tampering("another id type in meta", "generation", |store| sql(store, "update meta set user_id_type = 'user_id'")),
    tampering("no profile in meta", "generation", |store| sql(store, "update meta set profile = null")),
    tampering("an unknown profile in meta", "generation", |store| sql(store, "update meta set profile = 'none'")),
    tampering("another profile in meta", "rows", |store| sql(store, "update meta set profile = 'strict'")),
    tampering("meta without a size", "generation", |store| sql(store, "update meta set compact_bytes = null")),
    tampering("meta twice", "generation", |store| sql(store, "insert into meta select * from meta")),
    tampering("a file that was never loaded", "published-files", |store| {
        sql(
            store,
            "insert into published_files select table_name, 'x', meeting_date, 1, 1, 'x' from published_files limit 1",
        );
    }),
    tampering("a loaded file that is not recorded", "published-files", |store| {
        sql(store, "delete from published_files where table_name = 'coverage'");
    }),
    tampering("a run that ended before it began", "runs", |store| {
        sql(store, "update runs set finished_utc = started_utc - interval 1 hour");
    }),
    tampering("a run without an outcome", "runs", |store| sql(store, "update runs set outcome = null")),
    tampering("no run history", "runs", |store| sql(store, "delete from runs")),
    tampering("a changed run history", "runs", |store| {
        sql(store, "update runs set samples = 1, calls_quality_list = 5")
    }),
    tampering("an invented run", "runs", |store| sql(store, "insert into runs (run_id) values ('x')")),
    tampering("a run twice", "runs", |store| sql(store, "insert into runs select * from runs")),
    // Its rows.
    tampering("a missing sample", "rows", |store| sql(store, &format!("delete from quality_samples where {FIRST}"))),
    tampering("a minimally changed metric", "rows", |store| {
        sql(store, &format!("update quality_samples set network_delay_ms = network_delay_ms + 1e-9 where {FIRST}"));
    }),
    tampering("a value replaced by NULL", "rows", |store| {
        sql(store, &format!("update quality_samples set network_delay_ms = null where {FIRST}"));
    }),
    tampering("a changed name", "rows", |store| {
        sql(
            store,
            "update participants set participant_name = participant_name || ' ' where participant_name is not null",
        );
    }),
    tampering("changed topics", "rows", |store| sql(store, "update meetings set meeting_topic = 'x'")),
    tampering("a meeting twice", "keys", |store| sql(store, "insert into meetings select * from meetings limit 1")),
    tampering("a participant twice", "keys", |store| {
        sql(store, "insert into participants select * from participants limit 1");
    }),
    tampering("a sample twice", "keys", |store| {
        sql(store, "insert into quality_samples select * from quality_samples limit 1");
    }),
    tampering("a row of coverage twice", "keys", |store| {
        sql(store, "insert into coverage select * from coverage limit 1")
    }),
    tampering("a row without a date", "keys", |store| {
        sql(store, &format!("update quality_samples set meeting_date = null where {FIRST}"));
    }),
    tampering("an orphaned sample", "references", |store| {
        sql(store, &format!("update quality_samples set participant_key = 'nobody' where {FIRST}"));
    }),
    tampering("a sample of another meeting", "references", |store| {
        sql(store, &format!("update quality_samples set meeting_key = 'none' where {FIRST}"));
    }),
    tampering("a missing meeting", "references", |store| {
        sql(store, "delete from meetings where meeting_key in (select min(meeting_key) from participants)");
    }),
    tampering("coverage of an unknown participant", "references", |store| {
        sql(
            store,
            "update coverage set participant_key = 'nobody' where participant_key in (select min(participant_key) from coverage)",
        );
    }),
    tampering("an incident that ends before it starts", "incidents", |store| {
        sql(store, &incident("2026-11-02", "timestamp '2026-11-02 01:00:00'", "timestamp '2026-11-02 00:59:00'"));
    }),
    tampering("an incident whose id is of another date", "keys", |store| {
        let time = "timestamp '2026-11-02 01:00:00'";
        sql(store, &incident("2026-11-03", time, time));
    }),
    tampering("an incident without participants", "incidents", |store| {
        let time = "timestamp '2026-11-02 01:00:00'";
        sql(store, &incident("2026-11-02", time, time));
    }),
    tampering("an empty file of incidents that is missing", "files", |store| {
        fs::remove_file(part(store, "incidents", 0)).expect("removed");
    }),
    tampering("an incident with an undocumented severity", "incidents", |store| {
        let time = "timestamp '2026-11-02 01:00:00'";
        sql(store, &incident("2026-11-02", time, time).replace("'minor'", "'huge'"));
    }),
    tampering("an incident of nobody", "references", |store| {
        sql(
            store,
            "insert into incident_participants values ('2026-11-02-acute-site-00000000', 'nobody', 1, '2026-11-02')",
        );
    }),
    tampering("an incident with more minutes than its participant", "incidents", |store| {
        let time = "timestamp '2026-11-02 01:00:00'";
        sql(store, &incident("2026-11-02", time, time));
        sql(
            store,
            "insert into incident_participants select '2026-11-02-acute-site-00000000', min(participant_key), 100000, \
             min(meeting_date) from participants",
        );
    }),
    tampering("a meeting on another date", "times", |store| {
        sql(
            store,
            "update meetings set meeting_date = meeting_date + 1 where meeting_key in (select min(meeting_key) from meetings)",
        );
    }),
    tampering("a wall clock an hour off", "times", |store| {
        sql(
            store,
            &format!(
                "update quality_samples set sample_time_local = sample_time_local + interval 1 hour where {FIRST}"
            ),
        );
    }),
    tampering("a leave time some seconds off", "times", |store| {
        sql(store, "update participants set leave_time_local = leave_time_local + interval 7 second");
    }),
    tampering("a sample in the future", "future", |store| {
        sql(
            store,
            &format!("update quality_samples set sample_time_utc = now()::timestamp + interval 1 hour where {FIRST}"),
        );
    }),
    tampering("packet loss of 101 percent", "ranges", |store| {
        sql(store, &format!("update quality_samples set network_packet_loss_max_sent_pct = 101 where {FIRST}"));
    }),
    tampering("a negative delay", "ranges", |store| {
        sql(store, &format!("update quality_samples set network_delay_ms = -1 where {FIRST}"));
    }),
    tampering("a bit rate that is not a number", "ranges", |store| {
        sql(store, &format!("update quality_samples set audio_bitrate_sent_kbps = 'nan'::double where {FIRST}"));
    }),
    tampering("a negative count of samples", "ranges", |store| sql(store, "update coverage set sample_count = -1")),
    tampering("an average above its maximum", "averages", |store| {
        sql(
            store,
            &format!(
                "update quality_samples set network_packet_loss_avg_sent_pct = 9, network_packet_loss_max_sent_pct = 8 where {FIRST}"
            ),
        );
    }),
    tampering("a CPU average above its maximum", "averages", |store| {
        sql(
            store,
            &format!(
                "update quality_samples set client_avg_cpu_usage_pct = 90.1, client_max_cpu_usage_pct = 90 where {FIRST}"
            ),
        );
    }),
    tampering("an invalid status", "words", |store| sql(store, "update coverage set status = 'fine'")),
    tampering("no status", "words", |store| sql(store, "update coverage set status = null where status = 'empty'")),
    tampering("an invalid reason", "words", |store| {
        sql(
            store,
            "insert into rejects select 'meetings', meeting_key, 'audio', 'x', 'because', meeting_date, start_time_utc from meetings limit 1",
        );
    }),
    tampering("a reject of an unknown column", "words", |store| {
        sql(
            store,
            "insert into rejects select 'meetings', meeting_key, 'mood', 'x', 'unparsable', meeting_date, start_time_utc from meetings limit 1",
        );
    }),
    // Coverage.
    tampering("a missing row of coverage", "coverage-rows", |store| {
        sql(store, "delete from coverage where participant_key in (select min(participant_key) from participants)");
    }),
    tampering("a meeting without its participants", "coverage-rows", |store| {
        for table in ["quality_samples", "coverage", "participants"] {
            let of =
                "select min(meeting_key) from meetings where meeting_key in (select meeting_key from participants)";
            sql(store, &format!("delete from {table} where meeting_key in ({of})"));
        }
    }),
    tampering("one sample counted too many", "coverage-counts", |store| {
        sql(
            store,
            "update coverage set sample_count = sample_count + 1 where participant_key in (select min(participant_key) from coverage)",
        );
    }),
    tampering("empty marked complete", "coverage-status", |store| {
        sql(store, "update coverage set status = 'complete' where status = 'empty'");
    }),
    tampering("complete marked empty", "coverage-status", |store| {
        sql(store, "update coverage set status = 'empty' where status = 'complete'");
    }),
    tampering("another number of expected minutes", "coverage-status", |store| {
        sql(store, "update coverage set expected_minutes = expected_minutes + 1");
    }),
    tampering("an API code that contradicts the status", "coverage-status", |store| {
        sql(store, "update coverage set api_code = 121005 where status = 'complete'");
    }),
    tampering("a last attempt before the first", "coverage-status", |store| {
        sql(store, "update coverage set last_attempt_utc = first_attempt_utc - interval 1 minute");
    }),
    // The raw log and the ledger.
    tampering("a flipped byte in the middle of a raw file", "raw", |store| {
        change_bytes(&raw_file(store, "quality"), |bytes| {
            let middle = bytes.len() / 2;
            // Long enough to reach a frame, not only a header.
            bytes[middle..middle + 900].iter_mut().for_each(|byte| *byte ^= 0x11);
        });
    }),
    tampering("a flipped byte in the last frame of a raw file", "raw", |store| {
        change_bytes(&raw_file(store, "participants"), |bytes| *bytes.last_mut().expect("bytes") ^= 1);
    }),
    tampering("a missing raw file", "raw-answers", |store| {
        fs::remove_file(raw_file(store, "quality")).expect("removed");
    }),
    tampering("a truncated raw file whose last answer was recorded", "raw-answers", |store| {
        change_bytes(&raw_file(store, "quality"), |bytes| bytes.truncate(bytes.len() - 10));
    }),
    tampering("a missing raw file of a meeting list", "raw-answers", |store| {
        fs::remove_file(raw_file(store, "meetings")).expect("removed");
    }),
    tampering("an empty raw file of a meeting list", "raw-answers", |store| {
        change_bytes(&raw_file(store, "meetings"), Vec::clear)
    }),
    tampering("no final answers", "ledger", |store| ledger_sql(store, "update participants set is_final = 0")),
    tampering("no final lists", "ledger", |store| ledger_sql(store, "update meetings set list_final = 0")),
    tampering("a ledger that is not a database", "ledger", |store| {
        fs::write(ledger(store), "no database".repeat(1_000)).expect("written");
    }),
    tampering("a missing ledger", "ledger", |store| fs::remove_file(ledger(store)).expect("removed")),
];
