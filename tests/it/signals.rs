//! RequestCounts to stop, a run ends soon, keeps what was answered, and the next one goes on.

use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_simulator::Endpoint;

use crate::support::baseline::{Baseline, NthSync};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};
use crate::support::test_store::{RequestCounts, TestStore, tiny_env, tiny_tenant};

/// A run ends within 10 s of the first signal; the rest is for a busy machine.
const SOON: Duration = Duration::from_secs(14);

/// Sends a signal to a process of ours.
fn send(child: &Child, signal: &str) {
    let sent = std::process::Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
    assert!(sent.expect("sh runs").success());
}

/// Starts a sync in the background.
fn start(test_store: &TestStore<'_>) -> Child {
    let mut command = test_store.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("starts")
}

/// Waits until it is so.
#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for the end; a process that does not end in time is killed and given as `None`.
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

/// Signals a run and asserts that it ends in time with the signal's exit code; shows what it said.
#[track_caller]
fn ends_with(mut child: Child, signal: &str, of: &str) -> RunOutput {
    send(&child, signal);
    let in_time = ended_within(&mut child, SOON);
    let ran = RunOutput::new(child.wait_with_output().expect("ended"));
    assert!(in_time.is_some(), "{of}: did not end within {SOON:?} of the signal:\n{}", ran.stderr);
    let code = if signal == "INT" { 130 } else { 143 };
    let ran = ran.expect_exit(code);
    assert!(ran.stderr.contains("hint: "), "{of}: {}", ran.stderr);
    ran
}

#[test]
fn interrupted_while_answers_come_in() {
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    let baseline = Baseline::new(NthSync::First, &env);
    let mut random = ChaCha8Rng::seed_from_u64(20_261_104);
    // Slow enough that the signal comes in the middle.
    env.change(|options| options.latency = Duration::from_millis(20));
    for (signal, most_calls) in [("INT", 3), ("TERM", 25), ("INT", 60)] {
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let calls = random.random_range(1..=most_calls);
        let child = start(&test_store);
        wait_for("calls", || env.calls() >= calls);
        let of = format!("{signal} after {calls} calls");
        let ran = ends_with(child, signal, &of);
        assert_eq!(ran.summary()["exit_code"], ran.code.expect("ended by itself"), "{of}");
        // A walk of several pages that was not at its end begins anew; there is one in each worker's hands.
        baseline.resume(&test_store, 1, RequestCounts::new(), &of);
    }
}

/// Signals a run while the vendor keeps calls to a list without an answer, after `answered` of them.
#[track_caller]
fn interrupt_a_stall(list: Endpoint, answered: u64, signal: &str) {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    env.faults(&[&format!("{list}:stall@after={answered}")]);
    test_store.take_request_counts();
    let child = start(&test_store);
    wait_for("a stalled call", || env.simulator().stats().calls(list) > answered);
    std::thread::sleep(Duration::from_millis(100));
    ends_with(child, signal, &list.to_string());
    env.faults(&[]);
    baseline.resume(&test_store, 1, RequestCounts::new(), &list.to_string());
}

#[test]
fn interrupted_while_the_meeting_list_stalls() {
    interrupt_a_stall(Endpoint::MeetingList, 0, "TERM");
}

#[test]
fn interrupted_while_a_participant_list_stalls() {
    interrupt_a_stall(Endpoint::ParticipantList, 3, "INT");
}

#[test]
fn interrupted_while_quality_stalls() {
    interrupt_a_stall(Endpoint::ParticipantQualityList, 20, "TERM");
}

#[test]
fn interrupted_while_the_vendor_makes_us_wait() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::First, &env);
    let test_store = baseline.test_store();
    env.faults(&["participant_quality_list:throttle-huge@after=10"]);
    test_store.take_request_counts();
    let child = start(&test_store);
    wait_for("a throttle", || env.simulator().stats().throttles > 0);
    ends_with(child, "TERM", "throttled");
    env.faults(&[]);
    test_store.take_request_counts();
    test_store.sync(None).expect_exit(0);
    test_store.assert_complete_as(&baseline.after, "throttled");
}

#[test]
fn interrupted_while_publishing() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    for signal in ["INT", "TERM"] {
        let test_store = baseline.test_store();
        test_store.take_request_counts();
        let child = start(&test_store);
        wait_for("a draft", || {
            let work = std::fs::read_dir(test_store.path().join(".work"));
            work.into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().contains("inprogress"))
        });
        send(&child, signal);
        let ran = RunOutput::new(child.wait_with_output().expect("ends"));
        // Where the last answer was in before the signal, the run is complete and may say so.
        let code = if signal == "INT" { 130 } else { 143 };
        assert!(ran.code == Some(code) || ran.code == Some(0), "{signal}: {:?}\n{}", ran.code, ran.stderr);
        baseline.resume(&test_store, 0, RequestCounts::new(), signal);
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
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
