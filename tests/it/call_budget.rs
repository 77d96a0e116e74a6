//! The rate limit of an app is shared by its processes, and the waits that Feishu requests are limited.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vcq_simulator::{Endpoint, Limit, Options};

use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

fn run(mut command: Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn two_processes_of_one_app_share_one_limit() {
    let limit = Limit { calls: 200, window: Duration::from_secs(4), ..Limit::default() };
    let env = TestEnv::with(&small_tenant(), Options { limit, ..Options::default() });
    let of_store = |name: &str| {
        let mut command = env.sync_command(&[]);
        command.env("VCQ_CALLS_PER_MINUTE", "3000").env("VCQ_RATE_WINDOW", "4s");
        command.env("VCQ_STORE", env.home().join(name));
        spawn(command)
    };
    let runs = [of_store("one"), of_store("other")];
    for run in runs {
        let ran = RunOutput::new(run.wait_with_output().expect("ends")).expect_exit(0);
        let summary = ran.summary();
        assert_eq!(summary["throttles"], 0, "{}", ran.stderr);
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    }
    let stats = env.simulator().stats();
    assert_eq!(stats.throttles, 0);
    assert!(stats.peak_calls_in_window[&Endpoint::ParticipantQualityList] <= 200);
    let both = 2 * env.simulator().tenant().totals().fewest_calls.participant_quality_list;
    assert!(both > 400, "two runs must exceed the limit: {both} calls");
}

#[test]
fn only_the_shared_budget_is_written_outside_the_store() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let state = env.home().join(".local/state/vcq-etl");
    let outside: Vec<PathBuf> = files(env.home()).into_iter().filter(|path| !path.starts_with(env.store())).collect();
    assert_eq!(outside.len(), 1, "{outside:?}");
    assert!(outside[0].starts_with(&state), "{outside:?}");
    let text = std::fs::read_to_string(&outside[0]).expect("text") + &outside[0].display().to_string();
    for word in [env.simulator().app_id(), env.simulator().app_secret(), "127.0.0.1".to_owned()] {
        assert!(!text.contains(&word), "{word}: {text}");
    }
}

#[test]
fn an_unshareable_budget_is_reported_and_stops_no_run() {
    let env = TestEnv::new();
    let totals = env.simulator().tenant().totals();
    let file = env.home().join("file");
    std::fs::write(&file, "").expect("written");
    let mut blocked = env.sync_command(&[]);
    blocked.env("XDG_STATE_HOME", &file);
    let mut homeless = env.sync_command(&["--refetch"]);
    homeless.env_remove("HOME");
    for command in [blocked, homeless] {
        let ran = run(command).expect_exit(0);
        assert_eq!(ran.summary()["samples"], totals.samples);
        let message = ran.stderr.matches("the rate limit is not shared with other runs of this app").count();
        assert_eq!(message, 1, "{}", ran.stderr);
    }
}

#[test]
fn a_damaged_budget_file_is_ignored() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let state = files(&env.home().join(".local/state/vcq-etl")).remove(0);
    for text in ["", "{", "\u{0}\u{0}", &"9".repeat(5_000)] {
        std::fs::write(&state, text).expect("written");
        let ran = env.sync(&[]).expect_exit(0);
        assert!(!ran.stderr.contains("not shared"), "{}", ran.stderr);
    }
}

#[test]
fn a_wait_that_is_too_long_is_clamped_and_reported() {
    let env = TestEnv::new();
    env.faults(&["meeting_list:throttle-huge@first=1"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_WAIT_CAP", "50ms");
    let ran = run(command).expect_exit(0);
    let message = "Feishu requested a wait of 86,400 s (meeting_list); waiting 0.05 s, the maximum set by wait_cap";
    assert_eq!(ran.stderr.matches(message).count(), 1, "{}", ran.stderr);
}

#[test]
fn three_clamped_waits_in_a_row_stop_the_run() {
    let env = TestEnv::new();
    env.faults(&["participant_list:throttle-huge"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_WAIT_CAP", "50ms").env("VCQ_CONCURRENCY", "1");
    let ran = run(command).expect_exit(8);
    assert_eq!(
        ran.stderr.matches("Feishu requested a wait of 86,400 s (participant_list)").count(),
        3,
        "{}",
        ran.stderr
    );
    for words in ["still throttled after 3 wait(s)", "last requested 86,400 s", "log ID", "run again in 86,400 s"] {
        assert!(ran.stderr.contains(words), "{words:?} is missing in:\n{}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_does_not_wait_for_an_unanswered_request() {
    let env = TestEnv::with(&small_tenant(), unlimited());
    env.faults(&["participant_quality_list:stall"]);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        env.simulator().reset_stats();
        let mut command = env.sync_command(&[]);
        command.env("VCQ_REQUEST_TIMEOUT", "3600s");
        let mut child = spawn(command);
        while env.simulator().stats().calls(Endpoint::ParticipantQualityList) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        // Much longer than the run takes to stop, and much shorter than the request's timeout.
        let signalled_at = Instant::now();
        while child.try_wait().expect("a child").is_none() {
            if signalled_at.elapsed() > Duration::from_secs(60) {
                child.kill().expect("ours to kill");
                panic!("{signal}: the run still waits for the response");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        RunOutput::new(child.wait_with_output().expect("ended")).expect_exit(code);
    }
    env.faults(&[]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}
