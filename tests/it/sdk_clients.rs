//! Other clients against the simulator: each must read the rows that a sync of the same tenant publishes. They are
//! Feishu's Python and Node SDKs, curl, and PHP with guzzle; see tests/sdk/walk.py. Run by `make sdk`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vcq_etl::{Kind, TABLES};

use crate::cell_values::parse_measure;
use crate::support::test_env::{TestEnv, small_tenant, unlimited};

/// Rows as text, in the notation of `TestEnv::rows`.
type Rows = BTreeSet<String>;

#[derive(Default)]
struct Tables {
    meetings: Rows,
    participants: Rows,
    samples: Rows,
    /// Participants whose quality data Feishu refuses, with the code.
    refusals: Rows,
}

/// The columns of a table that are a field of Feishu's items: name, JSON pointer, kind.
fn columns(table: &str) -> Vec<(&'static str, &'static str, Kind)> {
    let table = TABLES.iter().find(|known| known.name == table).expect("a table");
    let fields = table.columns.iter().filter(|column| !column.source.is_empty() && column.kind != Kind::Instant);
    fields.map(|column| (column.name, column.source, column.kind)).collect()
}

/// The time as printed, without its zone: the column `*_local`.
fn local(item: &Value, pointer: &str) -> String {
    let text = item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text.get(..19).unwrap_or_default().replace('.', "-")
}

/// What the column should hold, as DuckDB prints it.
fn cell(item: &Value, pointer: &str, kind: Kind) -> String {
    let text = match item.pointer(pointer) {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match kind {
        Kind::Text | Kind::Id | Kind::Flag | Kind::Count => text,
        Kind::WallClock => local(item, pointer),
        Kind::Seconds => {
            let seconds = text.split(':').try_fold(0_u64, |sum, part| Some(sum * 60 + part.parse::<u64>().ok()?));
            seconds.map(|seconds| seconds.to_string()).unwrap_or_default()
        }
        Kind::PictureHeight => parse_measure(&text, kind).map(|lines| format!("{lines}")).unwrap_or_default(),
        _ => parse_measure(&text, kind).map(|number| format!("{number:?}")).unwrap_or_default(),
    }
}

fn row(before: &[String], item: &Value, columns: &[(&str, &str, Kind)]) -> String {
    let cells = columns.iter().map(|(_, pointer, kind)| cell(item, pointer, *kind));
    before.iter().cloned().chain(cells).collect::<Vec<_>>().join(" | ")
}

/// What a client printed.
fn read_by_client(lines: &str) -> Tables {
    let mut tables = Tables::default();
    let [meetings, participants, samples] = ["meetings", "participants", "quality_samples"].map(columns);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let meeting = &line["meeting"];
        let key = |meeting: &Value| vec![cell(meeting, "/meeting_id", Kind::Id), local(meeting, "/meeting_start_time")];
        match line["list"].as_str() {
            Some("meeting_list") => {
                tables.meetings.insert(row(&[], &line["item"], &meetings));
            }
            Some("participant_list") => {
                tables.participants.insert(row(&key(meeting), &line["item"], &participants));
            }
            Some("participant_quality_list") => {
                let participant = &line["participant"];
                let [user, room] = ["/user_id", "/meeting_room_id"].map(|id| cell(participant, id, Kind::Id));
                let id = if user.is_empty() { room } else { user };
                let participant = [&key(meeting)[..], &[id, local(participant, "/join_time")]].concat();
                for item in line["items"].as_array().expect("items") {
                    let sections = ["network", "audio", "video", "screen_sharing", "cpu_usage"];
                    let times = sections.map(|section| local(item, &format!("/{section}/time")));
                    let time = times.into_iter().find(|time| !time.is_empty()).unwrap_or_default();
                    tables.samples.insert(row(&[&participant[..], &[time]].concat(), item, &samples));
                }
                if let Some(code) = line["code"].as_i64().filter(|code| *code != 0) {
                    tables.refusals.insert(format!("{} | {code}", participant.join(" | ")));
                }
            }
            _ => panic!("{line}"),
        }
    }
    tables
}

/// What a sync published.
fn published(env: &TestEnv) -> Tables {
    let [meetings, participants, samples] =
        [("meetings", "m"), ("participants", "p"), ("quality_samples", "q")].map(|(table, short)| {
            let names = columns(table).into_iter().map(|(name, ..)| format!("{short}.{name}"));
            names.collect::<Vec<_>>().join(", ")
        });
    let participant = "m.meeting_no, m.start_time_local, coalesce(p.user_id, p.room_id) as id, p.join_time_local";
    let joined = "participants p join meetings m using (meeting_key)";
    let rows = |sql: String| env.rows(&sql).into_iter().collect();
    Tables {
        meetings: rows(format!("select {meetings} from meetings m")),
        participants: rows(format!("select m.meeting_no, m.start_time_local, {participants} from {joined}")),
        samples: rows(format!(
            "select {participant}, q.sample_time_local, {samples} from {joined} join quality_samples q using (participant_key)"
        )),
        refusals: rows(format!(
            "select {participant}, c.api_code from {joined} join coverage c using (participant_key)
             where c.status in ('not_found', 'unsupported') and c.api_code <> 0"
        )),
    }
}

#[track_caller]
fn assert_equal(table: &str, read: &Rows, published: &Rows) {
    let only_read: Vec<&String> = read.difference(published).take(3).collect();
    let only_published: Vec<&String> = published.difference(read).take(3).collect();
    assert!(
        only_read.is_empty() && only_published.is_empty(),
        "{table}: {} rows, a sync {}\nonly the client: {only_read:#?}\nonly the sync: {only_published:#?}",
        read.len(),
        published.len()
    );
    assert!(!published.is_empty(), "{table} is empty");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(name)
}

/// Runs a client over the tenant and compares what it reads with a sync. `sees_codes` is false for a client that hides
/// refusals.
#[track_caller]
fn assert_reads_the_same(program: &str, name: &str, mode: &str, sees_codes: bool) {
    let spec = small_tenant();
    let env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
    let output = Command::new(program)
        .arg(script(name))
        .arg(mode)
        .env("VCQ_BASE_URL", env.simulator().base_url())
        .env("VCQ_APP_ID", env.simulator().app_id())
        .env("VCQ_APP_SECRET", env.simulator().app_secret())
        .env("VCQ_START", spec.start().to_string())
        .env("VCQ_END", spec.end().to_string())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {name}: {}", String::from_utf8_lossy(&output.stderr));
    let (read, published) = (read_by_client(&String::from_utf8(output.stdout).expect("UTF-8")), published(&env));
    assert_equal("meetings", &read.meetings, &published.meetings);
    assert_equal("participants", &read.participants, &published.participants);
    assert_equal("quality_samples", &read.samples, &published.samples);
    if sees_codes {
        assert_equal("refusals", &read.refusals, &published.refusals);
    }
}

fn python() -> String {
    std::env::var("VCQ_SDK_PYTHON").expect("VCQ_SDK_PYTHON names a Python that has Feishu's SDK: make sdk sets it")
}

#[test]
#[ignore = "needs Feishu's Python SDK: make sdk"]
fn the_python_sdk_reads_the_rows_of_a_sync() {
    assert_reads_the_same(&python(), "walk.py", "sdk", true);
}

#[test]
#[ignore = "needs curl and Python: make sdk"]
fn curl_reads_the_rows_of_a_sync() {
    assert_reads_the_same(&python(), "walk.py", "curl", true);
}

#[test]
#[ignore = "needs Feishu's Node SDK: make sdk"]
fn the_node_sdk_reads_the_rows_of_a_sync() {
    assert_reads_the_same("node", "walk.mjs", "get", true);
}

#[test]
#[ignore = "needs Feishu's Node SDK: make sdk"]
fn the_iterators_of_the_node_sdk_read_the_rows_of_a_sync() {
    assert_reads_the_same("node", "walk.mjs", "iterator", false);
}

#[test]
#[ignore = "needs PHP with guzzle; make sdk says so where it is missing"]
fn guzzle_reads_the_rows_of_a_sync() {
    let guzzle = Command::new("php").args(["-r", "require 'GuzzleHttp/autoload.php';"]).output();
    if guzzle.is_ok_and(|output| output.status.success()) {
        assert_reads_the_same("php", "walk.php", "", true);
    }
}
