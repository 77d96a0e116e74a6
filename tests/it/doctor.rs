//! `doctor`: each thing that can be wrong is told apart, with what to do and its exit code, within seconds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use vcq_simulator::TenantSpec;

use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

/// The checks, in their order.
const CHECKS: [&str; 11] = [
    "settings",
    "host",
    "token",
    "meeting_list",
    "participant_list",
    "participant_quality_list",
    "clock",
    "disk",
    "store",
    "lock",
    "state_folder",
];

/// What doctor said as JSON.
struct Found {
    ran: RunOutput,
    json: Value,
}

impl Found {
    #[track_caller]
    fn of(mut command: Command) -> Found {
        let ran = RunOutput::new(command.output().expect("the binary runs"));
        let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        let names: Vec<&str> = checks(&json).iter().map(|check| check["name"].as_str().expect("a name")).collect();
        assert_eq!(names, CHECKS, "every check is in every answer");
        assert_eq!(json["exit_code"].as_i64(), ran.code.map(i64::from));
        assert_eq!(json["ok"], ran.code == Some(0));
        Found { ran, json }
    }

    fn check(&self, name: &str) -> &Value {
        checks(&self.json).iter().find(|check| check["name"] == name).expect("a check of that name")
    }

    /// Insists on an exit code and on states, `name state`; the checks that are not named must be ok.
    #[track_caller]
    fn is(&self, code: i32, states: &[&str]) -> &Found {
        let found: Vec<String> = checks(&self.json)
            .iter()
            .map(|check| (check["name"].as_str().expect("text"), check["state"].as_str().expect("text")))
            // What this machine's disk is like is not the tests' business.
            .filter(|(name, state)| *state != "ok" && *name != "disk")
            .map(|(name, state)| format!("{name} {state}"))
            .collect();
        assert_eq!(found, states, "{:#}", self.json);
        assert_eq!(self.ran.code, Some(code), "{:#}", self.json);
        self
    }

    #[track_caller]
    fn says(&self, name: &str, words: &[&str]) -> &Found {
        let check = self.check(name).to_string();
        for word in words {
            assert!(check.contains(word), "{word:?} is missing in {check}");
        }
        self
    }
}

fn checks(json: &Value) -> &Vec<Value> {
    json["checks"].as_array().expect("checks")
}

fn doctor(env: &TestEnv) -> Command {
    env.vcq(&["doctor", "--json"])
}

#[track_caller]
fn found(env: &TestEnv) -> Found {
    Found::of(doctor(env))
}

/// A tenant whose meetings are of these days.
#[expect(clippy::disallowed_methods, reason = "edge: doctor looks for the meetings of these days")]
fn recent() -> TestEnv {
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    let first_day = today.checked_sub(jiff::Span::new().days(3)).expect("a day");
    TestEnv::with(&TenantSpec { first_day, days: 2, ..small_tenant() }, unlimited())
}

fn names(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(names(&path));
        }
        found.push((path.clone(), path.metadata().expect("there").len()));
    }
    found.sort();
    found
}

#[test]
fn a_first_run_would_work_and_nothing_is_made() {
    let env = TestEnv::new();
    let found = found(&env);
    found.is(0, &["lock skipped"]).says("settings", &["app id from VCQ_APP_ID", "app secret from VCQ_APP_SECRET"]);
    found.says("store", &["no store yet"]).says("participant_list", &["reachable and allowed", "126009"]);
    assert_eq!(env.calls(), 3, "one call to each list");
    assert!(!env.store().exists());
    assert!(!found.ran.stdout.contains(&env.simulator().app_secret()));
    let text = RunOutput::new(env.vcq(&["doctor"]).output().expect("runs")).expect_exit(0);
    assert!(text.stdout.contains("ok       token: the app got a tenant token; it lives "), "{}", text.stdout);
    assert!(
        text.stdout.ends_with("A run would work: 10 ok, 1 skipped.\n") || text.stdout.contains("warning"),
        "{}",
        text.stdout
    );
    assert_eq!(text.stderr, "");
}

#[test]
fn real_meetings_are_asked_for_and_a_store_is_looked_at_and_left_alone() {
    let env = recent();
    env.sync(&[]).expect_exit(0);
    let before = names(&env.store());
    env.simulator().reset_stats();
    let found = found(&env);
    found.is(0, &[]).says("meeting_list", &["in the last 7 days"]).says("participant_list", &["in one meeting"]);
    found.says("store", &["generation 1"]);
    found.says("lock", &["nobody writes"]);
    assert_eq!(env.calls(), 3);
    assert_eq!(names(&env.store()), before, "nothing is written into the store");
}

#[test]
fn refusals_are_told_apart() {
    const REST: [&str; 2] = ["participant_list skipped", "participant_quality_list skipped"];
    let all = |state: &str| CHECKS[3..6].iter().map(|name| format!("{name} {state}")).collect::<Vec<_>>();
    let first = || [vec!["meeting_list failed".to_owned()], REST.map(str::to_owned).to_vec()].concat();
    for (fault, code, states, words) in [
        (
            "missing-scope",
            3,
            all("failed"),
            &["99991672", "vc:room:readonly", "https://open.example.com/app/scopes"][..],
        ),
        ("user-scope", 3, all("failed"), &["99991679", "vc:room:readonly", "authorise"]),
        (
            "no-permission",
            3,
            vec![
                "meeting_list failed".into(),
                "participant_list warning".into(),
                "participant_quality_list warning".into(),
            ],
            &["121005", "Meeting Management"],
        ),
        ("ip-not-allowed", 3, first(), &["99991401", "allow-list"]),
        ("quota", 4, first(), &["99991403", "first of the month"]),
        ("code=126005", 4, all("failed"), &["126005", "clock"]),
        ("internal-error", 4, all("failed"), &["121001"]),
        ("throttle-huge", 4, all("failed"), &["throttled", "86,400 s", "--wait-cap"]),
    ] {
        let env = TestEnv::new();
        env.faults(&[fault]);
        let found = found(&env);
        let mut states: Vec<&str> = states.iter().map(String::as_str).collect();
        states.push("lock skipped");
        found.is(code, &states).says("meeting_list", words);
        assert!(env.calls() <= 3, "{fault}: nothing is tried again");
        if fault != "throttle-huge" {
            assert!(found.check("meeting_list")["log_id"].is_string(), "{fault}");
        }
    }
}

#[test]
fn one_list_alone_can_be_forbidden() {
    let env = recent();
    env.faults(&["participant_quality_list:no-permission"]);
    let found = found(&env);
    found.is(3, &["participant_quality_list failed", "lock skipped"]);
    found.says("participant_quality_list", &["121005", "Meeting Management"]);
}

const AFTER_THE_TOKEN: [&str; 3] =
    ["meeting_list skipped", "participant_list skipped", "participant_quality_list skipped"];

#[test]
fn credentials_that_are_missing_wrong_or_from_elsewhere() {
    let env = TestEnv::new();
    let mut wrong = doctor(&env);
    wrong.env("VCQ_APP_SECRET", "not-the-secret-Zq9");
    let found = Found::of(wrong);
    let states = [&["token failed"][..], &AFTER_THE_TOKEN, &["lock skipped"]].concat();
    found.is(3, &states).says("token", &["10015", "Credentials & Basic Info"]);
    assert!(!found.ran.stdout.contains("not-the-secret-Zq9"));

    let mut none = doctor(&env);
    none.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    let states = [&["settings failed", "host skipped", "token skipped"][..], &AFTER_THE_TOKEN];
    let states = [states.concat(), vec!["clock skipped", "lock skipped"]].concat();
    Found::of(none).is(2, &states).says("settings", &["no credentials", "VCQ_APP_ID"]);

    env.change(|options| options.user_token = Some("u-made-up-user-token".to_owned()));
    let with_token = |token: &str| {
        let mut command = doctor(&env);
        command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", token);
        Found::of(command)
    };
    with_token("u-made-up-user-token").is(0, &["lock skipped"]).says("token", &["a user token is given"]);
    let found = with_token("u-another-token-Zq9");
    let states = ["meeting_list failed", AFTER_THE_TOKEN[1], AFTER_THE_TOKEN[2], "lock skipped"];
    found.is(3, &states).says("meeting_list", &["99991668"]);
    assert!(!found.ran.stdout.contains("another-token-Zq9"));

    let mut plain = doctor(&env);
    plain.env("VCQ_BASE_URL", "http://open.feishu.cn");
    let ran = RunOutput::new(plain.output().expect("runs")).expect_exit(2);
    assert!(ran.stderr.contains("plain HTTP"), "{}", ran.stderr);
}

#[test]
fn a_host_that_is_not_there_is_silent_or_stalls() {
    let env = TestEnv::new();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    for (address, words) in [(free, "refused"), (silent.local_addr().expect("an address"), "in time")] {
        let mut command = doctor(&env);
        command.env("VCQ_BASE_URL", format!("http://{address}")).env("VCQ_REQUEST_TIMEOUT", "300ms");
        let states = [&["host failed", "token skipped"][..], &AFTER_THE_TOKEN, &["clock skipped", "lock skipped"]];
        Found::of(command).is(4, &states.concat()).says("host", &[&address.to_string(), words]);
    }
    env.faults(&["meeting_list:stall"]);
    let mut command = doctor(&env);
    command.env("VCQ_REQUEST_TIMEOUT", "300ms");
    let states = ["meeting_list failed", AFTER_THE_TOKEN[1], AFTER_THE_TOKEN[2], "lock skipped"];
    Found::of(command).is(4, &states).says("meeting_list", &["in time"]);
}

/// A vendor whose every answer has this date.
fn vendor_of(date: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8_192]);
            let body = r#"{"code":0,"msg":"ok","tenant_access_token":"t-made-up","expire":7200,"data":{}}"#;
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

#[test]
fn a_clock_that_is_wrong_is_told_by_the_vendors_date() {
    let env = TestEnv::new();
    let mut command = doctor(&env);
    command.env("VCQ_BASE_URL", format!("http://{}", vendor_of("Fri, 23 Dec 2022 03:16:59 GMT")));
    Found::of(command)
        .is(4, &["clock failed", "lock skipped"])
        .says("clock", &["ahead of the vendor's", "timedatectl"]);
    let mut command = doctor(&env);
    command.env("VCQ_BASE_URL", format!("http://{}", vendor_of("no date at all")));
    Found::of(command).is(0, &["clock skipped", "lock skipped"]);
}

#[test]
fn a_store_that_is_damaged_or_none_of_ours() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let store = env.store();
    let damage = |relative: &str, words: &[&str], state: &str, code: i32| {
        let (path, kept) = (store.join(relative), store.with_extension("kept"));
        std::fs::rename(&path, &kept).expect("moved away");
        if state == "failed" {
            std::fs::write(&path, "this is not what belongs here, whatever belongs here").expect("written");
        }
        found(&env).is(code, &[&format!("store {state}")]).says("store", words);
        let _ = std::fs::remove_file(&path);
        std::fs::rename(&kept, &path).expect("moved back");
    };
    damage("parquet/_manifest.json", &["manifest", "damaged"], "failed", 5);
    damage("vcq.duckdb", &["vcq.duckdb"], "failed", 5);
    damage("state/ledger.sqlite", &["ledger"], "failed", 5);
    damage("vcq.duckdb", &["generation 1", "no database"], "warning", 0);
    damage("state/ledger.sqlite", &["ledger is missing"], "warning", 0);
    found(&env).is(0, &[]);

    let mut command = doctor(&env);
    command.env("VCQ_STORE", env.home());
    Found::of(command).is(5, &["store failed", "lock skipped"]).says("store", &["other files"]);
    let mut command = doctor(&env);
    command.env("XDG_STATE_HOME", store.join("vcq.duckdb"));
    Found::of(command).is(0, &["state_folder warning"]);
}

#[test]
fn it_works_beside_a_sync_and_names_it() {
    let env = TestEnv::new();
    // The sync is throttled for a minute, and holds its lock and the quality list for everybody.
    env.faults(&["participant_quality_list:throttle-huge"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_WAIT_CAP", "60s").stdout(Stdio::null()).stderr(Stdio::null());
    let mut sync = command.spawn().expect("starts");
    while env.simulator().stats().throttles == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Until the others know of it.
    std::thread::sleep(Duration::from_millis(300));
    let before = env.simulator().stats().throttles;
    let found = found(&env);
    let throttles = env.simulator().stats().throttles - before;
    sync.kill().expect("ours to kill");
    sync.wait().expect("ended");
    found.is(0, &["participant_quality_list warning", "lock warning"]);
    found.says("lock", &["`sync`", &format!("process {}", sync.id()), "since"]);
    found.says("participant_quality_list", &["another run of this app"]);
    assert_eq!(throttles, 0, "it was not asked");
}
