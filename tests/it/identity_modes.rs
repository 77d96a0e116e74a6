//! `identity` and `topics`: what is written of people, and that nothing else depends on it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use vcq_simulator::{Endpoint, TenantSpec};

use crate::support::scripted_server::{
    List, Response, ScriptedServer, meeting, ordinary_except, participant, sample, tenant,
};
use crate::support::test_env::{RunOutput, TestEnv, rows, small_tenant, unlimited};
use crate::support::test_store::{files_below, tiny_tenant};

const KEY: &str = "state/identity.key";

fn ordinary() -> TestEnv {
    TestEnv::with(&TenantSpec { unusual_meetings: false, ..small_tenant() }, unlimited())
}

fn with_identity(mut command: Command, identity: &str) -> RunOutput {
    RunOutput::new(command.env("VCQ_IDENTITY", identity).output().expect("the binary runs"))
}

/// A store that has a key and nothing else, so that several stores have equal tokens.
fn give_key(store: &Path) {
    fs::create_dir_all(store.join("state")).expect("a folder");
    fs::write(store.join(KEY), "07".repeat(32)).expect("written");
}

/// Every byte of a store: files as they are, raw files unpacked, and each table as text.
fn all_bytes(store: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for path in files_below(store).into_iter().filter(|path| path.exists()) {
        let (name, bytes) = (path.display().to_string(), fs::read(&path).expect("readable"));
        if name.ends_with(".zst") {
            found.push((format!("{name}, unpacked"), zstd::decode_all(bytes.as_slice()).expect("zstd")));
        }
        if name.ends_with(".parquet") {
            let connection = duckdb::Connection::open_in_memory().expect("DuckDB");
            let rows = rows(&connection, &format!("select * from read_parquet('{name}', hive_partitioning = false)"));
            found.push((format!("{name}, read"), rows.join("\n").into_bytes()));
        }
        found.push((name, bytes));
    }
    found
}

#[track_caller]
fn assert_without(traces: &[(String, Vec<u8>)], identifiers: &[String]) {
    assert!(!identifiers.is_empty());
    for (place, bytes) in traces {
        for identifier in identifiers {
            let is_there = memchr::memmem::find(bytes, identifier.as_bytes()).is_some();
            assert!(!is_there, "{identifier} is in {place}");
        }
    }
}

/// Identifiers of a store with full identities, in the form in which a scan finds them and nothing else.
fn identifiers(env: &TestEnv) -> Vec<String> {
    let columns = [
        ("participants", "user_id"),
        ("participants", "email"),
        ("participants", "phone"),
        ("meetings", "organizer_user_id"),
        ("meetings", "organizer_email"),
        ("meetings", "organizer_mobile"),
    ];
    let mut found = Vec::new();
    for (table, column) in columns {
        let values = env.rows(&format!("select distinct {column} from {table} where length({column}) > 5"));
        assert!(!values.is_empty(), "{table}.{column}");
        found.extend(values);
    }
    let people =
        "select distinct participant_name from participants where user_id is not null and participant_name <> ''";
    found.extend(env.rows(people).iter().map(|name| format!("\"{name}\"")));
    let addresses = "select distinct internal_ip from participants where internal_ip similar to '[0-9.]+[1-9]'";
    found.extend(env.rows(addresses).iter().map(|address| format!("\"{address}\"")));
    found
}

/// Counts that do not depend on who somebody is.
const COUNTS: &[&str] = &[
    "select count(*), count(distinct participant_key), count(distinct user_id), count(distinct employee_id), count(email),
        count(distinct room_id), sum(time_in_meeting_s), count(distinct department) from participants",
    "select count(*), count(distinct organizer_user_id), count(meeting_topic), sum(meeting_duration_s) from meetings",
    "select status, reason, count(*), sum(sample_count), sum(attempts) from coverage group by all order by all",
    "select meeting_date, count(*), sum(network_delay_ms), round(avg(network_packet_loss_avg_received_pct), 9) from quality_samples
        group by all order by all",
    "select count(*) from participants join meetings using (meeting_key) where user_id = organizer_user_id",
    "select table_name, column_name, reason, count(*) from rejects group by all order by all",
    "select subnet_of(internal_ip) is null, count(*) from participants group by all order by all",
];

#[test]
fn a_store_of_pseudonyms_has_no_identifier_and_the_same_counts_for_the_same_calls() {
    let full = TestEnv::new();
    let expected = full.sync(&[]).expect_exit(0).summary();
    assert!(!full.store().join(KEY).exists(), "no key is needed");
    let identifiers = identifiers(&full);
    for identity in ["pseudonym", "none"] {
        let env = TestEnv::new();
        let ran = with_identity(env.sync_command(&["--log-format", "json", "--log-level", "trace"]), identity);
        let ran = ran.expect_exit(0);
        let summary = ran.summary();
        for field in ["samples", "participants", "meetings", "by_status", "rejects", "calls", "unknown_fields"] {
            assert_eq!(summary[field], expected[field], "{identity}: {field}");
        }
        for sql in COUNTS {
            let is_about_names = identity == "none" && sql.contains("count(email)");
            if !is_about_names {
                assert_eq!(env.rows(sql), full.rows(sql), "{identity}: {sql}");
            }
        }
        let mut traces = all_bytes(&env.store());
        traces.push(("stdout".to_owned(), ran.stdout.into_bytes()));
        traces.push(("stderr".to_owned(), ran.stderr.into_bytes()));
        assert_without(&traces, &identifiers);
        // Too short for a search in bytes.
        let numbers = "select count(*) from participants where employee_id not like 'p-%'";
        assert_eq!(env.number(numbers), 0, "{identity}");
        let named = env.number("select count(participant_name) from participants where user_id is not null");
        assert_eq!(named == 0, identity == "none");
        let rooms =
            "select participant_name from participants where room_id is not null and user_id is null order by all";
        assert_eq!(env.rows(rooms), full.rows(rooms), "{identity}: rooms keep their names");
        RunOutput::new(env.vcq(&["verify"]).env("VCQ_IDENTITY", identity).output().expect("runs")).expect_exit(0);
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(env.store().join(KEY)).expect("a key"));
        assert_eq!(mode & 0o777, 0o600);

        env.simulator().reset_stats();
        with_identity(env.sync_command(&[]), identity).expect_exit(0);
        let stats = env.simulator().stats();
        let calls = [Endpoint::ParticipantList, Endpoint::ParticipantQualityList].map(|list| stats.calls(list));
        assert_eq!(calls, [0, 0], "{identity}: what is final is not requested again");
    }
}

#[test]
fn a_run_that_goes_on_requests_only_the_lists_whose_ids_it_needs() {
    let undisturbed = ordinary();
    give_key(&undisturbed.store());
    with_identity(undisturbed.sync_command(&[]), "pseudonym").expect_exit(0);

    let env = ordinary();
    give_key(&env.store());
    let fewest = env.simulator().tenant().totals().fewest_calls;
    let half = (fewest.meeting_list + fewest.participant_list + fewest.participant_quality_list / 2).to_string();
    with_identity(env.sync_command(&["--max-calls", &half]), "pseudonym").expect_exit(8);
    let window = env.window();
    let plan =
        with_identity(env.vcq(&[&["plan", "--json"], &window[..]].concat()), "pseudonym").expect_exit(0).summary();
    let planned = |list: &str| plan["pending"][list]["calls"].as_u64().expect("a count");
    env.simulator().reset_stats();
    with_identity(env.sync_command(&[]), "pseudonym").expect_exit(0);
    let stats = env.simulator().stats();
    let lists = stats.calls(Endpoint::ParticipantList);
    assert!(lists > 0 && lists <= planned("participant_list"), "{lists}: {plan}");
    assert_eq!(stats.calls(Endpoint::ParticipantQualityList), planned("participant_quality_list"), "{plan}");
    let content = "select * exclude (attempts, first_attempt_utc, last_attempt_utc, log_id) from coverage order by all";
    for sql in [content, "select * from participants order by all", "select * from quality_samples order by all"] {
        assert_eq!(env.rows(sql), undisturbed.rows(sql), "{sql}");
    }
    env.simulator().reset_stats();
    with_identity(env.sync_command(&[]), "pseudonym").expect_exit(0);
    assert_eq!(env.simulator().stats().calls(Endpoint::ParticipantList), 0, "everything is final");
}

#[test]
fn the_plan_of_a_single_meeting_is_what_is_then_used() {
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let plan = server.command(&["plan", "--json", "--since", "2022-12-23", "--until", "2022-12-24"]);
    let plan = with_identity(plan, "pseudonym").expect_exit(0).summary();
    let calls = |list: &str| plan["pending"][list]["calls"].as_u64().expect("a count") as usize;
    assert_eq!((calls("participant_list"), calls("participant_quality_list")), (1, 1), "{plan}");
    let before = [List::Participants, List::Quality].map(|list| server.count(list));
    with_identity(server.sync(&[]), "pseudonym").expect_exit(0);
    let used = [List::Participants, List::Quality].map(|list| server.count(list));
    assert_eq!(used, [before[0] + calls("participant_list"), before[1] + calls("participant_quality_list")]);
    let quality = server.requests().into_iter().find(|request| request.list == List::Quality).expect("requested");
    assert_eq!(quality.query["user_id"], "ou_1", "Feishu gets its own ID");
    assert!(server.text("select user_id from participants").is_some_and(|id| id.starts_with("p-")));
}

#[test]
fn pages_are_followed_although_their_tokens_are_replaced() {
    let env = TestEnv::with(
        &TenantSpec { unusual_meetings: true, ..tiny_tenant() },
        vcq_simulator::Options { ..unlimited() },
    );
    let full = TestEnv::with(&tiny_tenant(), unlimited());
    full.sync(&[]).expect_exit(0);
    with_identity(env.sync_command(&[]), "none").expect_exit(0);
    assert!(full.simulator().stats().log.iter().any(|call| call.param("page_token").is_some()), "there are such pages");
    let sql = "select count(*), sum(sample_count) from coverage";
    assert_eq!(env.rows(sql), full.rows(sql));
}

#[test]
fn a_killed_run_is_resumed_without_a_second_person() {
    let undisturbed = TestEnv::with(&tiny_tenant(), unlimited());
    give_key(&undisturbed.store());
    with_identity(undisturbed.sync_command(&[]), "pseudonym").expect_exit(0);
    let content = ["select * from participants order by all", "select * from quality_samples order by all"];
    let mut died = 0;
    for delay_ms in [60, 120, 200, 300, 450] {
        let env = TestEnv::with(&tiny_tenant(), unlimited());
        give_key(&env.store());
        env.change(|options| options.latency = Duration::from_millis(5));
        let mut command = env.sync_command(&[]);
        command.env("VCQ_IDENTITY", "pseudonym").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        std::thread::sleep(Duration::from_millis(delay_ms));
        child.kill().expect("it is ours");
        died += u32::from(child.wait().expect("ends").code().is_none());
        with_identity(env.sync_command(&[]), "pseudonym").expect_exit(0);
        for sql in content {
            assert_eq!(env.rows(sql), undisturbed.rows(sql), "after {delay_ms} ms: {sql}");
        }
    }
    assert!(died > 0, "no run was killed");
}

/// Texts that a server could repeat of a request or of a person.
const PLANTED: &[&str] =
    &["ou_planted_user", "Planted Person", "planted@example.com", "+86 13800138000", "10.77.77.77"];

fn planted_text() -> String {
    PLANTED.join(" and ")
}

fn planted() -> Vec<String> {
    PLANTED.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn refusals_and_errors_that_repeat_a_person_leave_no_trace_of_it() {
    let item = participant().replace("ou_1", PLANTED[0]).replace("\"n\"", &format!("\"{}\"", PLANTED[1]));
    let text = planted_text();
    let details = serde_json::json!({
        "code": 126_010, "msg": text, "error": {"message": text, "log_id": PLANTED[0],
            "field_violations": [{"field": PLANTED[0], "value": PLANTED[0], "description": text}], PLANTED[0]: 1},
        "data": {"participant_quality_list": text, PLANTED[0]: text},
    });
    let details = details.to_string();
    let responses: Vec<(Response, i32)> = vec![
        (Response::refusal(400, 126_010, &text), 0),
        (Response::body(details).status(400), 0),
        (Response::refusal(400, 987_654, &text), 7),
        (Response::body(format!("<html>{text}</html>")).status(502), 7),
        (Response::body(format!("{{\"code\":0,\"data\":\"{text}\"}}")), 7),
        (
            Response::body(format!(
                "{{\"code\":0,\"msg\":\"{text}\",\"data\":{{\"participant_quality_list\":[{{\"x\":\"{text}\"}}]}}}}"
            )),
            7,
        ),
        (Response::refusal(403, 121_005, &text), 3),
        (Response::refusal(401, 99_991_672, &text), 3),
    ];
    for (response, code) in responses {
        let of = format!("{response:?}");
        let ordinary = tenant(format!("[{}]", meeting()), format!("[{item}]"), format!("[{}]", sample()));
        let server = ScriptedServer::new(std::sync::Arc::new(move |request| match request.list {
            List::Quality => response.clone(),
            _ => ordinary(request),
        }));
        let more = ["--log-format", "json", "--log-level", "trace"];
        let ran = with_identity(server.sync(&more), "pseudonym");
        assert_eq!(ran.code, Some(code), "{of}\n{}", ran.stderr);
        let mut traces = all_bytes(&server.store());
        traces.push(("stdout".to_owned(), ran.stdout.into_bytes()));
        traces.push(("stderr".to_owned(), ran.stderr.into_bytes()));
        assert_without(&traces, &planted());
    }
}

#[test]
fn a_refused_meeting_list_shows_no_text_of_feishu() {
    let text = planted_text();
    for response in [Response::refusal(403, 121_005, &text), Response::body(text.clone()).status(404)] {
        let server = ScriptedServer::new(ordinary_except(List::Meetings, move |_| response.clone()));
        let ran = with_identity(server.sync(&["--log-level", "trace"]), "none");
        assert_ne!(ran.code, Some(0));
        let mut traces = all_bytes(&server.store());
        traces.push(("output".to_owned(), [ran.stdout, ran.stderr].concat().into_bytes()));
        assert_without(&traces, &planted());
    }
}

#[test]
fn a_participant_that_left_the_list_stays_pending_with_the_reason() {
    let server = ScriptedServer::new(std::sync::Arc::new(|request| match request.list {
        List::Meetings => Response::page(List::Meetings, &format!("[{}]", meeting()), None),
        List::Participants if request.nth == 0 => {
            Response::page(List::Participants, &format!("[{}]", participant()), None)
        }
        List::Participants => Response::page(List::Participants, "[]", None),
        List::Quality => Response::refusal(500, 121_001, "internal error"),
        _ => Response::token(),
    }));
    with_identity(server.sync(&[]), "pseudonym").expect_exit(7);
    let quality = server.count(List::Quality);
    with_identity(server.sync(&[]), "pseudonym").expect_exit(0);
    assert_eq!((server.count(List::Participants), server.count(List::Quality)), (2, quality));
    let reason = server.text("select status || ': ' || reason from coverage where participant_key not like '%/*'");
    let expected = "pending: no longer on the participant list, which alone has the ID that the request needs";
    assert_eq!(reason.as_deref(), Some(expected));
    with_identity(server.sync(&[]), "pseudonym").expect_exit(0);
    assert_eq!(server.count(List::Quality), quality, "not before its time");
}

#[test]
fn a_lost_or_another_key_is_an_error_unless_nothing_depends_on_it() {
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    with_identity(env.sync_command(&[]), "pseudonym").expect_exit(0);
    let key = env.store().join(KEY);
    let text = fs::read_to_string(&key).expect("a key");
    fs::remove_file(&key).expect("removed");
    let ran = with_identity(env.sync_command(&[]), "pseudonym").expect_exit(5);
    assert!(
        ran.stderr.contains("the identity key is missing") && ran.stderr.contains("identity = none"),
        "{}",
        ran.stderr
    );
    assert!(!key.exists(), "no other key is made");
    fs::write(&key, "08".repeat(32)).expect("written");
    let ran = with_identity(env.sync_command(&[]), "pseudonym").expect_exit(5);
    assert!(ran.stderr.contains("is not the identity key of this store"), "{}", ran.stderr);
    fs::write(&key, "no key").expect("written");
    let ran = with_identity(env.sync_command(&[]), "pseudonym").expect_exit(5);
    assert!(ran.stderr.contains("is not an identity key"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("no key\n"), "{}", ran.stderr);
    fs::write(&key, text).expect("written");
    with_identity(env.sync_command(&[]), "pseudonym").expect_exit(0);
}

#[test]
fn without_identities_a_lost_key_makes_nobody_a_second_person_of_a_meeting() {
    let fewest = ordinary().simulator().tenant().totals().fewest_calls;
    let half = (fewest.meeting_list + fewest.participant_list + fewest.participant_quality_list / 2).to_string();
    let undisturbed = ordinary();
    with_identity(undisturbed.sync_command(&[]), "none").expect_exit(0);
    let env = ordinary();
    with_identity(env.sync_command(&["--max-calls", &half]), "none").expect_exit(8);
    fs::remove_file(env.store().join(KEY)).expect("removed");
    let summary = with_identity(env.sync_command(&[]), "none").expect_exit(0).summary();
    let notes = summary["notes"].to_string();
    assert!(notes.contains("the identity key is new"), "{notes}");
    for sql in
        [COUNTS[3], "select meeting_key, count(*), count(distinct user_id) from participants group by all order by all"]
    {
        assert_eq!(env.rows(sql), undisturbed.rows(sql), "{sql}");
    }
    // The rebuilt ledger knows what is void.
    RunOutput::new(env.vcq(&["rebuild"]).env("VCQ_IDENTITY", "none").output().expect("runs")).expect_exit(0);
    assert_eq!(env.rows(COUNTS[3]), undisturbed.rows(COUNTS[3]));
    env.simulator().reset_stats();
    with_identity(env.sync_command(&[]), "none").expect_exit(0);
    assert_eq!(env.simulator().stats().calls(Endpoint::ParticipantList), 0, "everything is final");
}

#[test]
fn another_setting_than_that_of_the_store_is_refused() {
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let calls = env.calls();
    for (variable, value, stored) in
        [("VCQ_IDENTITY", "pseudonym", "identity = full"), ("VCQ_TOPICS", "drop", "topics = keep")]
    {
        for command in [env.sync_command(&[]), env.vcq(&[&["plan"], &env.window()[..]].concat())] {
            let mut command = command;
            let ran = RunOutput::new(command.env(variable, value).output().expect("runs")).expect_exit(2);
            assert!(ran.stderr.contains(stored) && ran.stderr.contains("vcq-etl rebuild"), "{}", ran.stderr);
        }
    }
    assert_eq!(env.calls(), calls, "nothing was requested");
    assert!(!env.store().join(KEY).exists());
    env.sync(&[]).expect_exit(0);
}

#[test]
fn dropped_topics_are_nowhere_and_everything_else_is_as_sent() {
    let (full, env) = (TestEnv::with(&tiny_tenant(), unlimited()), TestEnv::with(&tiny_tenant(), unlimited()));
    full.sync(&[]).expect_exit(0);
    let topics = full.rows("select distinct meeting_topic from meetings where length(meeting_topic) > 5");
    let mut command = env.sync_command(&[]);
    RunOutput::new(command.env("VCQ_TOPICS", "drop").output().expect("runs")).expect_exit(0);
    assert_without(&all_bytes(&env.store()), &topics);
    assert_eq!(env.number("select count(meeting_topic) from meetings"), 0);
    for sql in
        ["select * exclude (meeting_topic) from meetings order by all", "select * from participants order by all"]
    {
        assert_eq!(env.rows(sql), full.rows(sql), "{sql}");
    }
}

#[test]
fn with_full_identities_responses_are_stored_as_they_were_sent() {
    let odd = r#"[ {"user_id":"ou_1" ,"x":1e400, "participant_name" : "Al\u0069ce","join_time":"2022.12.23 11:16:59 (GMT+08:00)"}  ]"#;
    let server = ScriptedServer::new(ordinary_except(List::Participants, move |_| {
        Response::page(List::Participants, odd, None)
    }));
    server.run(server.sync(&[])).expect_exit(0);
    let traces = all_bytes(&server.store());
    let raw = traces.iter().find(|(name, _)| name.contains("raw/participants") && name.ends_with("unpacked"));
    let (_, bytes) = raw.expect("a raw file");
    assert!(memchr::memmem::find(bytes, odd.as_bytes()).is_some());
}

#[test]
fn events_are_written_without_their_people() {
    let env = ordinary();
    let event = serde_json::json!({"schema": "2.0", "header": {"event_id": "e1", "event_type": "vc.meeting.all_meeting_ended_v1",
        "token": "planted-verification-token"}, "event": {"meeting": {"id": "7529416531681214468", "topic": PLANTED[1],
        "meeting_no": "705605196", "start_time": "1795000000", "end_time": "1795000600",
        "host_user": {"id": {"open_id": PLANTED[0]}}}, "operator": {"id": {"user_id": PLANTED[2]}}}});
    fs::write(env.home().join("events.ndjson"), event.to_string()).expect("written");
    let run = || {
        let mut command = env.vcq(&["sync", "--events", "events.ndjson", "--summary", "json"]);
        command.env("VCQ_IDENTITY", "pseudonym").env("VCQ_TOPICS", "drop");
        RunOutput::new(command.output().expect("runs"))
    };
    let summary = run().summary();
    assert_eq!(summary["events"]["new"], 1, "{summary}");
    let mut hidden = planted()[..3].to_vec();
    hidden.push("planted-verification-token".to_owned());
    let traces = all_bytes(&env.store());
    assert_without(&traces, &hidden);
    assert!(
        traces
            .iter()
            .any(|(name, bytes)| name.contains("raw/events") && memchr::memmem::find(bytes, b"705605196").is_some())
    );
    // A rebuilt ledger knows the same meeting.
    for path in files_below(&env.store().join("state")) {
        if path.display().to_string().contains("ledger.sqlite") {
            fs::remove_file(path).expect("removed");
        }
    }
    assert_eq!(run().summary()["events"]["known"], Value::from(1));
}
