//! `sync`: what it publishes, and what a second one requests.

use vcq_etl::{Status, Storage, TABLES};
use vcq_simulator::Endpoint;

use crate::support::test_env::{RunOutput, TestEnv, rows};

#[test]
fn a_sync_publishes_every_number_of_the_tenant() {
    let env = TestEnv::new();
    let ran = env.sync(&[]).expect_exit(0);
    let summary = ran.summary();
    let totals = env.simulator().tenant().totals();
    assert_eq!(summary["outcome"], "complete");
    assert_eq!(summary["meetings"], totals.meetings);
    assert_eq!(summary["participants"], totals.participants);
    assert_eq!(summary["samples"], totals.samples);
    assert_eq!(summary["rejects"], 0);
    let by_status = &summary["by_status"];
    assert_eq!(by_status["complete"], totals.participants_with_samples);
    assert_eq!(by_status["empty"], totals.participants_empty);
    assert_eq!(by_status["unaddressable"], totals.participants_without_id);
    assert_eq!(by_status["not_found"], totals.participants_foreign);
    assert_eq!(by_status["unsupported"], totals.participants_unsupported);
    let all: u64 = Status::ALL.iter().filter_map(|status| by_status[status.name()].as_u64()).sum();
    assert_eq!(all, totals.participants, "every participant has one status");
    // The same numbers are in the database.
    assert_eq!(env.number("select count(*) from meetings"), totals.meetings as i64);
    assert_eq!(env.number("select count(*) from quality_samples"), totals.samples as i64);
    assert_eq!(env.number("select sum(sample_count)::bigint from coverage"), totals.samples as i64);
    assert_eq!(env.number("select samples from runs"), totals.samples as i64);
    assert_eq!(env.rows("select outcome, exit_code from runs"), ["complete | 0"]);
    // The number of calls is the minimum.
    let stats = env.simulator().stats();
    assert_eq!(summary["calls"]["participant_quality_list"], totals.fewest_calls.participant_quality_list);
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), totals.fewest_calls.participant_quality_list);
    assert_eq!(stats.throttles, 0);
}

#[test]
fn the_json_summary_has_the_documented_fields_and_is_alone_on_stdout() {
    let env = TestEnv::new();
    let ran = env.sync(&[]).expect_exit(0);
    let summary = ran.summary();
    let fields: Vec<&String> = summary.as_object().expect("an object").keys().collect();
    assert_eq!(
        fields,
        [
            "run_id",
            "outcome",
            "exit_code",
            "since_utc",
            "until_utc",
            "meetings",
            "participants",
            "by_status",
            "samples",
            "rejects",
            "calls",
            "retries",
            "throttles",
            "waited_s",
            "elapsed_s",
            "pending_outside_window",
            "unknown_fields",
            "missing_fields",
            "dates_published",
            "incidents",
            "generation",
            "not_covered",
            "store",
            "notes",
            "error",
        ]
    );
    assert_eq!(summary["generation"], 1);
    assert_eq!(summary["generation"], env.manifest()["generation"]);
    assert_eq!(env.number("select generation from meta"), 1);
    assert!(ran.stderr.contains("meetings"), "progress is console: {}", ran.stderr);
    let quiet = env.sync(&["--quiet"]).expect_exit(0);
    assert_eq!(quiet.stderr, "", "--quiet prints nothing");
}

#[test]
fn a_second_sync_requests_only_the_meeting_list_and_keeps_every_file() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let before = env.dated_files();
    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    let stats = env.simulator().stats();
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), 0);
    assert_eq!(stats.calls(Endpoint::ParticipantList), 0, "the window is stable");
    assert!(stats.calls(Endpoint::MeetingList) > 0);
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert_eq!(summary["dates_published"], serde_json::json!([]));
    assert_eq!(env.dated_files(), before, "an unchanged date keeps its files");
    assert_eq!(env.number("select count(*) from runs"), 2);
}

#[test]
fn a_refetch_of_unchanged_data_changes_only_attempts() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let content = "select * exclude (attempts, first_attempt_utc, last_attempt_utc, log_id) from coverage order by all";
    let before = (env.rows(content), env.rows("select * from quality_samples order by all"));
    let first = env.simulator().stats().calls(Endpoint::ParticipantQualityList);
    env.simulator().reset_stats();
    env.sync(&["--refetch"]).expect_exit(0);
    assert_eq!(env.simulator().stats().calls(Endpoint::ParticipantQualityList), first);
    assert_eq!((env.rows(content), env.rows("select * from quality_samples order by all")), before);
    assert_eq!(env.number("select max(attempts) from coverage"), 2);
}

#[test]
fn meeting_no_limits_a_sync_to_one_meeting() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let number = env.rows("select meeting_no from meetings order by meeting_no limit 1").remove(0);
    let expected = env.number(&format!("select count(*) from meetings where meeting_no = '{number}'"));
    let other = TestEnv::new();
    let summary = other.sync(&["--meeting-no", &number]).expect_exit(0).summary();
    assert_eq!(summary["meetings"], expected);
    assert_eq!(other.rows("select distinct meeting_no from meetings"), [number]);
}

#[test]
fn parquet_and_duckdb_hold_the_same_rows() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let connection = env.duckdb();
    for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
        let glob = env.store().join(format!("parquet/{}/*/*.parquet", table.name));
        let in_duckdb: i64 = connection
            .query_row(&format!("select count(*) from {}", table.name), [], |row| row.get(0))
            .expect("a count");
        if in_duckdb == 0 {
            let in_parquet: i64 = connection
                .query_row(&format!("select count(*) from read_parquet('{}')", glob.display()), [], |row| row.get(0))
                .expect("a table without rows has an empty file");
            assert_eq!(in_parquet, 0, "{}", table.name);
            continue;
        }
        // Instants have no zone in DuckDB and are UTC in Parquet: compared as microseconds.
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| match column.kind.duckdb() {
                "TIMESTAMP" => format!("epoch_us({0}) as {0}", column.name),
                _ => column.name.to_owned(),
            })
            .collect();
        let columns = columns.join(", ");
        let parquet =
            format!("select {columns} from read_parquet('{}', hive_types = {{'meeting_date': date}})", glob.display());
        let duckdb = format!("select {columns} from {}", table.name);
        for (left, right) in [(&parquet, &duckdb), (&duckdb, &parquet)] {
            let sql = format!("select count(*) from ({left} except all {right})");
            let missing: i64 = connection.query_row(&sql, [], |row| row.get(0)).expect("a comparison");
            assert_eq!(missing, 0, "{}: {left}", table.name);
        }
    }
}

#[test]
fn the_raw_log_has_every_answer_with_request_time_and_log_id() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut quality_pages = 0;
    let mut secrets = 0;
    for path in files(&env.store().join("raw")) {
        let text = zstd::decode_all(std::fs::File::open(&path).expect("a raw file")).expect("zstd");
        let text = String::from_utf8(text).expect("UTF-8");
        secrets += text.matches(env.simulator().app_secret().as_str()).count();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
            if line["record"] == "walk" {
                assert!(line["status"].is_string() && line["reason"].is_string());
                continue;
            }
            assert!(line["request"]["page_size"] == "100", "{line}");
            assert!(line["asked_utc"].is_string() && line["log_id"].is_string(), "{line}");
            assert!(line["response"]["code"].is_i64(), "{line}");
            quality_pages += u64::from(line["endpoint"] == "participant_quality_list");
        }
    }
    assert_eq!(quality_pages, env.simulator().stats().calls(Endpoint::ParticipantQualityList));
    assert_eq!(secrets, 0, "the secret is in the raw log");
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_long_run_publishes_complete_dates_before_it_ends() {
    let env = TestEnv::new();
    let mut command = env.sync_command(&[]);
    // About 270 calls at 10 a second; the newest date is complete half-way.
    command.env("VCQ_CALLS_PER_MINUTE", "600").env("VCQ_PUBLISH_EVERY", "500ms");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("starts");
    while !env.store().join("vcq.duckdb").exists() {
        assert_eq!(child.try_wait().expect("a state"), None, "nothing was published");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // One snapshot: on a loaded machine, the publication at the end may follow at once.
    let first = env.duckdb();
    assert_eq!(rows(&first, "select finished_utc, outcome from runs"), [" | "], "the run has not ended");
    let before_the_end = rows(&first, "select distinct meeting_date::varchar from quality_samples order by 1");
    let ran = RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(0);
    let dates = env.rows("select distinct meeting_date::varchar from quality_samples order by 1");
    assert_eq!(before_the_end.as_slice(), &dates[dates.len() - 1..], "the newest date comes first");
    assert!(ran.summary()["generation"].as_u64() >= Some(2));
    assert_eq!(ran.summary()["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn a_reader_keeps_its_generation_until_it_reopens_the_database() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let reader = env.duckdb();
    let generation = |connection: &duckdb::Connection| -> i64 {
        connection.query_row("select generation from meta", [], |row| row.get(0)).expect("a generation")
    };
    env.sync(&["--refetch"]).expect_exit(0);
    assert_eq!(generation(&reader), 1, "an open session keeps its snapshot");
    drop(reader);
    assert_eq!(generation(&env.duckdb()), 2);
    let names: Vec<String> = std::fs::read_dir(env.store())
        .expect("the store")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let is_log = |name: &String| name.ends_with(".wal") && env.store().join(name).exists();
    assert!(!names.iter().any(is_log), "{names:?}");
}
