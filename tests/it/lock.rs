//! One writer a store, for as long as it lives and not longer; everybody may read meanwhile.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use vcq_simulator::Endpoint;

use crate::support::test_env::{RunOutput, TestEnv};

/// A sync that holds the store because the vendor does not answer it. Dies with the value.
struct Holding(Child);

impl Holding {
    fn start(env: &TestEnv) -> Holding {
        env.faults(&["participant_quality_list:stall@after=5"]);
        let mut command = env.sync_command(&[]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let holding = Holding(child);
        let began = Instant::now();
        while env.calls() < 10 {
            assert!(began.elapsed() < Duration::from_secs(30), "the holder asks nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        holding
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(mut command: std::process::Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

#[test]
fn a_second_run_ends_at_once_and_names_the_first() {
    let env = TestEnv::new();
    let holding = Holding::start(&env);
    let began = Instant::now();
    let ran = env.sync(&[]).expect_exit(6);
    assert!(began.elapsed() < Duration::from_secs(5), "it waited for the lock");
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("Linux");
    let pid = format!("process {}", holding.0.id());
    let since = format!("since {}", began_of_the_holder(&env));
    for word in ["another run holds the store", "`sync", &pid, host.trim(), &since, "hint: "] {
        assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "", "no summary of a run that was none");
    assert_eq!(env.simulator().stats().calls(Endpoint::MeetingList), 1, "the second asked for nothing");
}

/// When the holder began, as the lock file has it.
fn began_of_the_holder(env: &TestEnv) -> String {
    let text = std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file");
    let holder: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let fields: Vec<&str> = holder.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, ["pid", "host", "started_utc", "command"]);
    holder["started_utc"].as_str().expect("a time").to_owned()
}

#[test]
fn everybody_may_read_meanwhile() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let _holding = {
        let holding = Holding::start_refetching(&env);
        assert!(env.store().join("state/lock").metadata().expect("there").len() > 0);
        holding
    };
    for arguments in [&["report", "list"][..], &["report", "run", "coverage"], &["schema"]] {
        run(env.vcq(arguments)).expect_exit(0);
    }
    assert!(env.number("select count(*) from meetings") > 0);
}

impl Holding {
    /// As [`Holding::start`], of a store that has been published.
    fn start_refetching(env: &TestEnv) -> Holding {
        env.simulator().reset_stats();
        env.faults(&["stall@after=5"]);
        let mut command = env.sync_command(&["--refetch"]);
        let holding = Holding(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
        let began = Instant::now();
        while env.calls() < 6 {
            assert!(began.elapsed() < Duration::from_secs(30), "the holder asks nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        holding
    }
}

#[test]
fn the_lock_dies_with_its_holder() {
    let env = TestEnv::new();
    let mut holding = Holding::start(&env);
    holding.0.kill().expect("it is ours");
    holding.0.wait().expect("ends");
    let left = std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file");
    assert!(left.contains("\"pid\""), "a killed holder leaves its text: {left}");
    env.faults(&[]);
    env.sync(&[]).expect_exit(0);
    assert_eq!(std::fs::read_to_string(env.store().join("state/lock")).expect("a lock file"), "");
}

#[test]
fn text_in_the_lock_file_holds_nothing() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let lock = env.store().join("state/lock");
    // A process that lives (pid 1), nonsense, and bytes that are no text.
    let of_init = r#"{"pid":1,"host":"elsewhere","started_utc":"2026-01-01T00:00:00Z","command":"sync"}"#;
    for text in [of_init.as_bytes(), b"}{", &[0xff; 5000]] {
        std::fs::write(&lock, text).expect("write");
        env.sync(&[]).expect_exit(0);
    }
}

#[test]
fn nonsense_in_a_held_lock_file_is_not_repeated() {
    let env = TestEnv::new();
    let _holding = Holding::start(&env);
    std::fs::write(env.store().join("state/lock"), "\u{1b}[2J}{").expect("write");
    let ran = env.sync(&[]).expect_exit(6);
    assert!(ran.stderr.contains("another run holds the store") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn a_lock_file_that_is_replaced_or_taken_away_comes_back() {
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
fn a_lock_file_removed_under_its_holder_lets_no_second_writer_in() {
    let env = TestEnv::new();
    let holding = Holding::start(&env);
    std::fs::remove_file(env.store().join("state/lock")).expect("remove");
    env.faults(&["participant_quality_list:stall@after=5"]);
    let ran = env.sync(&[]);
    drop(holding);
    assert_eq!(ran.code, Some(6), "{}", ran.stderr);
}
