//! `doctor`: each problem is identified, with a hint and an exit code, within seconds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use vcq_simulator::TenantSpec;

use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

/// The checks, in their order.
const CHECKS: [&str; 17] = [
    "settings",
    "host",
    "token",
    "meeting_list",
    "participant_list",
    "participant_quality_list",
    "clock",
    "disk",
    "store",
    "parent_directories",
    "identity",
    "lock",
    "state_folder",
    "profile",
    "views",
    "publish_to",
    "alert_rules",
];

/// Output of `doctor --json`.
struct Diagnosis {
    ran: RunOutput,
    json: Value,
}

impl Diagnosis {
    #[track_caller]
    fn run(mut command: Command) -> Diagnosis {
        let ran = RunOutput::new(command.output().expect("the binary runs"));
        let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        let names: Vec<&str> = checks(&json).iter().map(|check| check["name"].as_str().expect("a name")).collect();
        assert_eq!(names, CHECKS, "every check is in every output");
        assert_eq!(json["exit_code"].as_i64(), ran.code.map(i64::from));
        assert_eq!(json["ok"], ran.code == Some(0));
        Diagnosis { ran, json }
    }

    fn check(&self, name: &str) -> &Value {
        checks(&self.json).iter().find(|check| check["name"] == name).expect("a check of that name")
    }

    /// Checks the exit code and the states as `name state`; checks that are not named must be ok.
    #[track_caller]
    fn assert_states(&self, code: i32, states: &[&str]) -> &Diagnosis {
        let found: Vec<String> = checks(&self.json)
            .iter()
            .map(|check| (check["name"].as_str().expect("text"), check["state"].as_str().expect("text")))
            // The state of this machine's disk is not tested.
            .filter(|(name, state)| *state != "ok" && *name != "disk")
            .map(|(name, state)| format!("{name} {state}"))
            .collect();
        assert_eq!(found, states, "{:#}", self.json);
        assert_eq!(self.ran.code, Some(code), "{:#}", self.json);
        self
    }

    #[track_caller]
    fn assert_mentions(&self, name: &str, words: &[&str]) -> &Diagnosis {
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
fn diagnose(env: &TestEnv) -> Diagnosis {
    Diagnosis::run(doctor(env))
}

/// A tenant with meetings in the last days.
#[expect(clippy::disallowed_methods, reason = "edge: doctor looks for recent meetings")]
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
        found.push((path.clone(), path.symlink_metadata().expect("there").len()));
    }
    found.sort();
    found
}

#[test]
fn an_unknown_profile_is_identified() {
    let env = TestEnv::new();
    let mut command = doctor(&env);
    command.env("VCQ_PROFILE", "strickt");
    Diagnosis::run(command)
        .assert_states(2, &["lock skipped", "profile failed"])
        .assert_mentions("profile", &["strickt", "cqd, strict"]);
}

#[test]
fn doctor_before_the_first_run_creates_nothing() {
    let env = TestEnv::new();
    let diagnosis = diagnose(&env);
    diagnosis
        .assert_states(0, &["lock skipped"])
        .assert_mentions("settings", &["app ID from VCQ_APP_ID", "app secret from VCQ_APP_SECRET"]);
    diagnosis
        .assert_mentions("store", &["no store yet"])
        .assert_mentions("participant_list", &["reachable and allowed", "126009"]);
    assert_eq!(env.calls(), 3, "one call to each list");
    assert!(!env.store().exists());
    assert!(!diagnosis.ran.stdout.contains(&env.simulator().app_secret()));
    let text = RunOutput::new(env.vcq(&["doctor"]).output().expect("runs")).expect_exit(0);
    assert!(text.stdout.contains("ok       token: Feishu issued a tenant token; it is valid for "), "{}", text.stdout);
    assert!(
        text.stdout.ends_with("A run would work: 16 ok, 1 skipped.\n") || text.stdout.contains("warning"),
        "{}",
        text.stdout
    );
    assert_eq!(text.stderr, "");
}

#[test]
fn a_published_store_is_checked_and_not_changed() {
    let env = recent();
    env.sync(&[]).expect_exit(0);
    let before = names(&env.store());
    env.simulator().reset_stats();
    let diagnosis = diagnose(&env);
    diagnosis
        .assert_states(0, &[])
        .assert_mentions("meeting_list", &["in the last 7 days"])
        .assert_mentions("participant_list", &["in one meeting"]);
    diagnosis.assert_mentions("store", &["generation 1"]);
    diagnosis.assert_mentions("lock", &["no process is writing"]);
    assert_eq!(env.calls(), 3);
    assert_eq!(names(&env.store()), before, "nothing is written to the store");
}

#[test]
fn each_kind_of_refusal_is_identified() {
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
        let diagnosis = diagnose(&env);
        let mut states: Vec<&str> = states.iter().map(String::as_str).collect();
        states.push("lock skipped");
        diagnosis.assert_states(code, &states).assert_mentions("meeting_list", words);
        assert!(env.calls() <= 6, "{fault}: one retry at most");
        if fault != "throttle-huge" {
            assert!(diagnosis.check("meeting_list")["log_id"].is_string(), "{fault}");
        }
    }
}

#[test]
fn a_single_forbidden_list_is_identified() {
    let env = recent();
    env.faults(&["participant_quality_list:no-permission"]);
    let diagnosis = diagnose(&env);
    diagnosis.assert_states(3, &["participant_quality_list failed", "lock skipped"]);
    diagnosis.assert_mentions("participant_quality_list", &["121005", "Meeting Management"]);
}

const AFTER_THE_TOKEN: [&str; 3] =
    ["meeting_list skipped", "participant_list skipped", "participant_quality_list skipped"];

#[test]
fn missing_wrong_and_foreign_credentials_are_identified() {
    let env = TestEnv::new();
    let mut wrong = doctor(&env);
    wrong.env("VCQ_APP_SECRET", "not-the-secret-Zq9");
    let diagnosis = Diagnosis::run(wrong);
    let states = [&["token failed"][..], &AFTER_THE_TOKEN, &["lock skipped"]].concat();
    diagnosis.assert_states(3, &states).assert_mentions("token", &["10015", "Credentials & Basic Info"]);
    assert!(!diagnosis.ran.stdout.contains("not-the-secret-Zq9"));

    let mut none = doctor(&env);
    none.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    let states = [&["settings failed", "host skipped", "token skipped"][..], &AFTER_THE_TOKEN];
    let states = [states.concat(), vec!["clock skipped", "lock skipped"]].concat();
    Diagnosis::run(none).assert_states(2, &states).assert_mentions("settings", &["no credentials", "VCQ_APP_ID"]);

    env.change(|options| options.user_token = Some("u-made-up-user-token".to_owned()));
    let with_token = |token: &str| {
        let mut command = doctor(&env);
        command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", token);
        Diagnosis::run(command)
    };
    with_token("u-made-up-user-token")
        .assert_states(0, &["lock skipped"])
        .assert_mentions("token", &["a user token is set"]);
    let diagnosis = with_token("u-another-token-Zq9");
    let states = ["meeting_list failed", AFTER_THE_TOKEN[1], AFTER_THE_TOKEN[2], "lock skipped"];
    diagnosis.assert_states(3, &states).assert_mentions("meeting_list", &["99991668"]);
    assert!(!diagnosis.ran.stdout.contains("another-token-Zq9"));

    let mut plain = doctor(&env);
    plain.env("VCQ_BASE_URL", "http://open.feishu.cn");
    let ran = RunOutput::new(plain.output().expect("runs")).expect_exit(2);
    assert!(ran.stderr.contains("plain HTTP"), "{}", ran.stderr);
}

#[test]
fn unreachable_silent_and_stalling_hosts_are_identified() {
    let env = TestEnv::new();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    for (address, words) in [(free, "refused"), (silent.local_addr().expect("an address"), "in time")] {
        let mut command = doctor(&env);
        command.env("VCQ_BASE_URL", format!("http://{address}")).env("VCQ_REQUEST_TIMEOUT", "300ms");
        let states = [&["host failed", "token skipped"][..], &AFTER_THE_TOKEN, &["clock skipped", "lock skipped"]];
        Diagnosis::run(command)
            .assert_states(4, &states.concat())
            .assert_mentions("host", &[&address.to_string(), words]);
    }
    env.faults(&["meeting_list:stall"]);
    let mut command = doctor(&env);
    command.env("VCQ_REQUEST_TIMEOUT", "300ms");
    let states = ["meeting_list failed", AFTER_THE_TOKEN[1], AFTER_THE_TOKEN[2], "lock skipped"];
    Diagnosis::run(command).assert_states(4, &states).assert_mentions("meeting_list", &["in time"]);
}

/// A server whose every response has this date.
fn server_with_date(date: &'static str) -> SocketAddr {
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
fn a_wrong_clock_is_detected_by_the_date_header() {
    let env = TestEnv::new();
    let mut command = doctor(&env);
    command.env("VCQ_BASE_URL", format!("http://{}", server_with_date("Fri, 23 Dec 2022 03:16:59 GMT")));
    Diagnosis::run(command)
        .assert_states(4, &["clock failed", "lock skipped"])
        .assert_mentions("clock", &["ahead of Feishu's", "timedatectl"]);
    let mut command = doctor(&env);
    command.env("VCQ_BASE_URL", format!("http://{}", server_with_date("no date at all")));
    Diagnosis::run(command).assert_states(0, &["clock skipped", "lock skipped"]);
}

#[test]
fn a_damaged_or_foreign_store_is_identified() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let store = env.store();
    let damage = |relative: &str, words: &[&str], state: &str, code: i32| {
        let (path, kept) = (store.join(relative), store.with_extension("kept"));
        std::fs::rename(&path, &kept).expect("moved away");
        if state == "failed" {
            std::fs::write(&path, "this is not what belongs here, whatever belongs here").expect("written");
        }
        diagnose(&env).assert_states(code, &[&format!("store {state}")]).assert_mentions("store", words);
        let _ = std::fs::remove_file(&path);
        std::fs::rename(&kept, &path).expect("moved back");
    };
    damage("parquet/_manifest.json", &["manifest", "damaged"], "failed", 5);
    damage("vcq.duckdb", &["vcq.duckdb"], "failed", 5);
    damage("state/ledger.sqlite", &["ledger"], "failed", 5);
    damage("vcq.duckdb", &["generation 1", "no database"], "warning", 0);
    damage("state/ledger.sqlite", &["ledger is missing"], "warning", 0);
    diagnose(&env).assert_states(0, &[]);

    let mut command = doctor(&env);
    command.env("VCQ_STORE", env.home());
    Diagnosis::run(command)
        .assert_states(5, &["store failed", "lock skipped"])
        .assert_mentions("store", &["other files"]);
    let mut command = doctor(&env);
    command.env("XDG_STATE_HOME", store.join("vcq.duckdb"));
    Diagnosis::run(command).assert_states(0, &["state_folder warning"]);
}

#[test]
fn doctor_works_during_a_sync_and_names_it() {
    let env = TestEnv::new();
    // The sync is throttled for a minute; it holds the lock, and the quality list is blocked for all runs.
    env.faults(&["participant_quality_list:throttle-huge"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_WAIT_CAP", "60s").stdout(Stdio::null()).stderr(Stdio::null());
    let mut sync = command.spawn().expect("starts");
    while env.simulator().stats().throttles == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // Until the shared budget records the wait.
    std::thread::sleep(Duration::from_millis(300));
    let before = env.simulator().stats().throttles;
    let diagnosis = diagnose(&env);
    let throttles = env.simulator().stats().throttles - before;
    sync.kill().expect("ours to kill");
    sync.wait().expect("ended");
    diagnosis.assert_states(0, &["participant_quality_list warning", "lock warning"]);
    diagnosis.assert_mentions("lock", &["`sync`", &format!("process {}", sync.id()), "since"]);
    diagnosis.assert_mentions("participant_quality_list", &["another run of this app"]);
    assert_eq!(throttles, 0, "doctor made no call to that list");
}
