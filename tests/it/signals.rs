//! A signal ends a run within seconds; its answers are kept, and the next run continues.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_simulator::Endpoint;

use crate::support::baseline::{Baseline, NthSync};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};
use crate::support::test_store::{RequestCounts, TestStore, tiny_env, tiny_tenant};

/// A run ends within 10 s of the first signal; the rest is a margin for a busy machine.
const STOP_TIMEOUT: Duration = Duration::from_secs(14);

fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
    assert!(sent.expect("sh runs").success());
}

fn start(test_store: &TestStore<'_>) -> Child {
    let mut command = test_store.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("starts")
}

#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a process to end. Kills it and returns `None` if it takes longer than `limit`.
fn ended_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        match child.try_wait().expect("it is ours") {
            Some(status) => return Some(status),
            None if began.elapsed() > limit => {
                child.kill().expect("it is ours");
                child.wait().expect("ends");
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Sends a signal and checks that the run ends in time with the signal's exit code and a hint.
#[track_caller]
fn end_by_signal(mut child: Child, signal: &str, of: &str) -> RunOutput {
    send(&child, signal);
    let in_time = ended_within(&mut child, STOP_TIMEOUT);
    let ran = RunOutput::new(child.wait_with_output().expect("ended"));
    assert!(in_time.is_some(), "{of}: did not end within {STOP_TIMEOUT:?} of the signal:\n{}", ran.stderr);
    let code = if signal == "INT" { 130 } else { 143 };
    let ran = ran.expect_exit(code);
    assert!(ran.stderr.contains("hint: "), "{of}: {}", ran.stderr);
    ran
}

#[test]
fn a_signal_between_answers_loses_none() {
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    let baseline = Baseline::new(NthSync::First, &env);
    let mut random = ChaCha8Rng::seed_from_u64(20_261_104);
    // Slow enough that the signal arrives during the run.
    env.change(|options| options.latency = Duration::from_millis(20));
    for (signal, most_calls) in [("INT", 3), ("TERM", 25), ("INT", 60)] {
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let calls = random.random_range(1..=most_calls);
        let child = start(&test_store);
        wait_for("calls", || env.calls() >= calls);
        let of = format!("{signal} after {calls} calls");
        let ran = end_by_signal(child, signal, &of);
        assert_eq!(ran.summary()["exit_code"], ran.code.expect("ended by itself"), "{of}");
        // A walk of several pages that was interrupted starts again; there is at most one for each request in flight.
        baseline.resume(&test_store, 1, RequestCounts::new(), &of);
    }
}

/// Signals a run while calls to a list stall, after `answered` of them were answered.
#[track_caller]
fn assert_signal_during_stall(list: Endpoint, answered: u64, signal: &str) {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    env.faults(&[&format!("{list}:stall@after={answered}")]);
    test_store.take_request_counts();
    let child = start(&test_store);
    wait_for("a stalled call", || env.simulator().stats().calls(list) > answered);
    std::thread::sleep(Duration::from_millis(100));
    end_by_signal(child, signal, &list.to_string());
    env.faults(&[]);
    baseline.resume(&test_store, 1, RequestCounts::new(), &list.to_string());
}

#[test]
fn a_signal_during_a_stalled_meeting_list_ends_the_run() {
    assert_signal_during_stall(Endpoint::MeetingList, 0, "TERM");
}

#[test]
fn a_signal_during_a_stalled_participant_list_ends_the_run() {
    assert_signal_during_stall(Endpoint::ParticipantList, 3, "INT");
}

#[test]
fn a_signal_during_a_stalled_quality_list_ends_the_run() {
    assert_signal_during_stall(Endpoint::ParticipantQualityList, 20, "TERM");
}

#[test]
fn a_signal_during_a_throttling_wait_ends_the_run() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    env.faults(&["participant_quality_list:throttle-huge@after=10"]);
    test_store.take_request_counts();
    let child = start(&test_store);
    wait_for("a throttle", || env.simulator().stats().throttles > 0);
    end_by_signal(child, "TERM", "throttled");
    env.faults(&[]);
    // The runs of an app share the wait: the next run would sit out what is left of its two minutes.
    std::fs::remove_dir_all(env.home().join(".local/state/vcq-etl")).expect("the shared rate limit");
    test_store.take_request_counts();
    test_store.sync(None).expect_exit(0);
    test_store.assert_complete_as(&baseline.after, "throttled");
}

#[test]
fn a_signal_during_publishing_loses_nothing() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    for signal in ["INT", "TERM"] {
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let child = start(&test_store);
        wait_for("the draft of the database", || {
            let work = std::fs::read_dir(test_store.path().join(".work"));
            work.into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().contains("inprogress"))
        });
        send(&child, signal);
        let ran = RunOutput::new(child.wait_with_output().expect("ends"));
        // If the last answer arrived before the signal, the run is complete.
        let code = if signal == "INT" { 130 } else { 143 };
        assert!(ran.code == Some(code) || ran.code == Some(0), "{signal}: {:?}\n{}", ran.code, ran.stderr);
        baseline.resume(&test_store, 0, RequestCounts::new(), signal);
    }
}

#[test]
fn a_second_signal_ends_the_process_immediately() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let test_store = baseline.test_store();
        env.faults(&["participant_quality_list:stall@after=20"]);
        test_store.take_request_counts();
        let mut child = start(&test_store);
        wait_for("a stalled call", || env.simulator().stats().calls(Endpoint::ParticipantQualityList) > 20);
        send(&child, signal);
        std::thread::sleep(Duration::from_millis(300));
        send(&child, signal);
        let status = ended_within(&mut child, Duration::from_secs(3));
        assert_eq!(status.and_then(|status| status.code()), Some(code), "{signal} twice");
        env.faults(&[]);
        baseline.resume(&test_store, 1, RequestCounts::new(), signal);
    }
}
