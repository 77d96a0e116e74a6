//! One writer per store, exactly as long as its process lives; readers are never blocked.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use vcq_simulator::Endpoint;

use crate::support::test_env::{RunOutput, TestEnv};

/// A sync that keeps the lock because its requests stall; killed on drop.
struct LockHolder(Child);

impl LockHolder {
    fn start(env: &TestEnv) -> LockHolder {
        env.faults(&["participant_quality_list:stall@after=5"]);
        let mut command = env.sync_command(&[]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let holder = LockHolder(child);
        let began = Instant::now();
        while env.calls() < 10 {
            assert!(began.elapsed() < Duration::from_secs(30), "the lock holder makes no requests");
            std::thread::sleep(Duration::from_millis(5));
        }
        holder
    }
}

impl Drop for LockHolder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(mut command: std::process::Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

#[test]
fn a_second_run_ends_6_and_names_the_first() {
    let env = TestEnv::new();
    let holder = LockHolder::start(&env);
    let began = Instant::now();
    let ran = env.sync(&[]).expect_exit(6);
    assert!(began.elapsed() < Duration::from_secs(5), "it waited for the lock");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux");
    let pid = format!("process {}", holder.0.id());
    let since = format!("since {}", lock_holder_start(&env));
    for word in ["another run holds the store", "`sync", &pid, host.trim(), &since, "hint: "] {
        assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
    }
    let summary = ran.summary();
    assert_eq!(
        (&summary["exit_code"], &summary["run_id"], &summary["outcome"]),
        (&6.into(), &Value::Null, &"busy".into())
    );
    assert!(summary["error"]["message"].as_str().is_some_and(|text| text.contains("another run holds the store")));
    assert!(summary["error"]["hint"].is_string() && summary["since_utc"].is_string());
    assert_eq!(env.simulator().stats().calls(Endpoint::MeetingList), 1, "the second run made no requests");
}

/// Start time of the holder in the lock file.
fn lock_holder_start(env: &TestEnv) -> String {
    let text = std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file");
    let holder: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let fields: Vec<&str> = holder.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, ["pid", "host", "started_utc", "command"]);
    holder["started_utc"].as_str().expect("a time").to_owned()
}

#[test]
fn readers_work_while_the_lock_is_held() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let _holding = {
        let holder = LockHolder::start_refetching(&env);
        assert!(env.store().join("state/lock").metadata().expect("there").len() > 0);
        holder
    };
    for arguments in [&["report", "list"][..], &["report", "run", "coverage"], &["schema"]] {
        run(env.vcq(arguments)).expect_exit(0);
    }
    assert!(env.number("select count(*) from meetings") > 0);
}

impl LockHolder {
    /// As [`LockHolder::start`], for a published store.
    fn start_refetching(env: &TestEnv) -> LockHolder {
        env.simulator().reset_stats();
        env.faults(&["stall@after=5"]);
        let mut command = env.sync_command(&["--refetch"]);
        let holder = LockHolder(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
        let began = Instant::now();
        while env.calls() < 6 {
            assert!(began.elapsed() < Duration::from_secs(30), "the lock holder makes no requests");
            std::thread::sleep(Duration::from_millis(5));
        }
        holder
    }
}

#[test]
fn the_lock_is_released_when_its_holder_dies() {
    let env = TestEnv::new();
    let mut holder = LockHolder::start(&env);
    holder.0.kill().expect("it is ours");
    holder.0.wait().expect("ends");
    let left = std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file");
    assert!(left.contains("\"pid\""), "a killed holder leaves its text: {left}");
    env.faults(&[]);
    env.sync(&[]).expect_exit(0);
    assert_eq!(std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file"), "");
}

#[test]
fn text_in_the_lock_file_does_not_lock() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let lock = env.store().join("state/lock");
    // A living process (pid 1), garbage, and bytes that are not text.
    let init_process = r#"{"pid":1,"host":"elsewhere","started_utc":"2026-01-01T00:00:00Z","command":"sync"}"#;
    for text in [init_process.as_bytes(), b"}{", &[0xff; 5000]] {
        std::fs::write(&lock, text).expect("write");
        env.sync(&[]).expect_exit(0);
    }
}

#[test]
fn garbage_in_a_held_lock_file_is_not_printed() {
    let env = TestEnv::new();
    let _holding = LockHolder::start(&env);
    std::fs::write(env.store().join("state/lock"), "\u{1b}[2J}{").expect("write");
    let ran = env.sync(&[]).expect_exit(6);
    assert!(ran.stderr.contains("another run holds the store") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn a_removed_lock_file_is_created_again() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let lock = env.store().join("state/lock");
    std::fs::remove_file(&lock).expect("remove");
    env.sync(&[]).expect_exit(0);
    assert!(lock.exists());
    std::fs::remove_file(&lock).expect("remove");
    std::fs::create_dir(&lock).expect("a folder in its place");
    let ran = env.sync(&[]).expect_exit(5);
    assert!(ran.stderr.contains("state/lock") && ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn removing_a_held_lock_file_admits_no_second_writer() {
    let env = TestEnv::new();
    let holder = LockHolder::start(&env);
    std::fs::remove_file(env.store().join("state/lock")).expect("remove");
    env.faults(&["participant_quality_list:stall@after=5"]);
    let ran = env.sync(&[]);
    drop(holder);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
}
