//! `simulate`: planted incidents are in what it serves as its file of truth says.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::test_env::{RunOutput, TestEnv};

/// A simulator in a process of its own.
struct Simulator {
    child: Child,
    /// Names and values of the printed export lines.
    exports: Vec<(String, String)>,
}

impl Simulator {
    fn start(mut command: Command) -> Simulator {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let mut exports = Vec::new();
        for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
            let line = line.expect("text");
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|export| export.split_once('=')) {
                exports.push((name.to_owned(), value.to_owned()));
                if name == "VCQ_APP_SECRET" {
                    break;
                }
            }
        }
        Simulator { child, exports }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().expect("it runs until it is killed");
        self.child.wait().expect("it ends");
    }
}

#[test]
fn planted_incidents_are_served_as_the_truth_says() {
    let env = TestEnv::new();
    let tenant = ["--days", "14", "--first-day", "2026-10-05", "--people", "60", "--meetings-per-day", "20"];
    let planted = ["--plant", "site:jitter:hours,person:cpu:chronic", "--truth", "truth", "--buildings", "offices"];
    let mut command = env.vcq(&["simulate", "--seed", "9"]);
    command.args(tenant).args(planted).env("VCQ_CALLS_PER_MINUTE", "100000");
    let simulator = Simulator::start(command);
    let run = |arguments: &[&str]| {
        let mut command = env.vcq(arguments);
        command.envs(simulator.exports.iter().cloned());
        RunOutput::new(command.output().expect("the binary runs")).expect_exit(0)
    };
    run(&["buildings", "import", "offices"]);
    run(&["sync", "--quiet", "--since", "2026-10-05", "--until", "2026-10-19"]);
    let truth = std::fs::read_to_string(env.home().join("truth")).expect("written");
    let truths: Vec<Value> = truth.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of_kind = |kind: &str| {
        let found = truths.iter().find(|truth| truth["scope_kind"] == kind && truth["planted"] == true);
        found.unwrap_or_else(|| panic!("no {kind} in {truth}"))
    };

    let site = of_kind("site");
    assert_eq!((&site["kind"], &site["metric"]), (&Value::from("acute"), &Value::from("jitter")));
    // Percent of the minutes with audio over the limit of 30 ms.
    let poor_pct = |place: &str, time: &str| {
        env.number(&format!(
            "select round(100.0 * count(*) filter (where greatest(coalesce(q.audio_jitter_received_ms, 0), \
             coalesce(q.audio_jitter_sent_ms, 0)) > 30) / count(*))::bigint from quality_samples as q \
             join participant_facts as f using (participant_key) where {place} and {time}"
        ))
    };
    let building = format!("f.building = '{}'", site["scope"].as_str().expect("text"));
    let during = format!(
        "q.sample_time_utc >= make_timestamp({}000000) and q.sample_time_utc < make_timestamp({}000000)",
        site["start_time"], site["end_time"]
    );
    let (inside, before) = (poor_pct(&building, &during), poor_pct(&building, &format!("not ({during})")));
    let elsewhere =
        poor_pct(&format!("coalesce(f.building, '') <> '{}'", site["scope"].as_str().expect("text")), &during);
    assert!(inside >= 20 && before <= 5 && elsewhere <= 15, "{inside} %, before {before} %, elsewhere {elsewhere} %");

    let person = of_kind("person");
    assert_eq!((&person["kind"], &person["metric"]), (&Value::from("chronic"), &Value::from("cpu")));
    let hot_minutes = env.number(&format!(
        "select count(*) from quality_samples as q join participants as p using (participant_key) \
         where p.user_id = '{}' and q.system_avg_cpu_usage_pct >= 95",
        person["scope"].as_str().expect("text")
    ));
    assert!(hot_minutes as u64 >= person["minutes"].as_u64().expect("a number"), "{hot_minutes} of {person}");
}

#[test]
fn incidents_that_cannot_be_planted_are_refused_or_named() {
    let env = TestEnv::new();
    let mut command = env.vcq(&["simulate", "--days", "7", "--plant", "site=Moon Base:loss"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let first = BufReader::new(child.stderr.take().expect("piped")).lines().next();
    child.kill().expect("it runs until it is killed");
    child.wait().expect("it ends");
    let warning = first.expect("a line").expect("text");
    assert!(
        warning.contains("site=Moon Base:loss could not be planted: no participant is in such a scope"),
        "{warning}"
    );
    for text in ["sites", "site:hot", "site:cpu:hours:days"] {
        let output = env.vcq(&["simulate", "--plant", text]).output().expect("the binary runs");
        let refused = RunOutput::new(output).expect_exit(2);
        assert!(refused.stderr.contains(text) && refused.stderr.contains("app_version"), "{}", refused.stderr);
    }
}
