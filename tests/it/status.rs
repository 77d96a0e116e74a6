//! `status`: what it shows of a store at every stage.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vcq_simulator::{Endpoint, Options};

use crate::support::test_env::{RunOutput, TestEnv, recent_tenant, unlimited};

/// Every file below a folder with its bytes, without SQLite's `-wal` and `-shm` files.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !name.ends_with("-shm") && !name.ends_with("-wal") && path.exists() {
            found.push((name, fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn without_a_store_status_fails_like_a_report() {
    let env = TestEnv::new();
    let status = RunOutput::new(env.vcq(&["status"]).output().expect("runs")).expect_exit(5);
    let report = RunOutput::new(env.vcq(&["report", "run", "coverage"]).output().expect("runs")).expect_exit(5);
    assert_eq!(status.stderr, report.stderr);
    assert_eq!(status.stdout, "");
    assert!(!env.store().exists(), "nothing was created");
}

#[test]
fn a_complete_store_has_nothing_pending_and_is_not_changed() {
    let env = TestEnv::new();
    let summary = env.sync(&[]).expect_exit(0).summary();
    let before = files(&env.store());
    // Without credentials and address.
    let mut command = env.vcq(&["status", "--json"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env_remove("VCQ_BASE_URL");
    let status = RunOutput::new(command.output().expect("runs")).expect_exit(0).summary();
    assert_eq!(files(&env.store()), before, "reading changes nothing");

    assert_eq!(status["published"]["generation"], 1);
    assert_eq!(status["holder"], Value::Null);
    assert_eq!(status["runs"][0]["run_id"], summary["run_id"]);
    assert_eq!(status["runs"][0]["samples"], summary["samples"]);
    assert_eq!(status["last_complete"]["run_id"], summary["run_id"]);
    assert_eq!(status["pending"]["since_utc"], Value::Null);
    assert_eq!(status["pending"]["price"]["total"]["calls"], 0);
    assert_eq!(status["pending"]["unpublished_dates"], json!([]));
    assert_eq!(status["reasons"], json!([]));
    let newest = env.rows("select max(meeting_date) from meetings").remove(0);
    assert_eq!(status["newest"]["complete_date"], newest.as_str());
    assert_eq!(status["newest"]["meeting_date"], newest.as_str());
    for list in ["meeting_list", "participant_list", "participant_quality_list"] {
        assert_eq!(status["calls"]["this_month"][list], summary["calls"][list]);
        assert_eq!(status["calls"]["today"][list], summary["calls"][list]);
    }
    assert_eq!(
        (&status["calls"]["is_at_least"], &status["calls"]["today_is_at_least"]),
        (&false.into(), &false.into())
    );
    assert_eq!(status["last_complete"]["since_utc"], summary["since_utc"]);
    // 14 dates up to the newest, of which the tenant has two or three.
    let days = status["coverage"]["days"].as_array().expect("days");
    assert_eq!((days.len(), &days[0]["meeting_date"]), (14, &newest.as_str().into()));
    let participants: u64 = days.iter().filter_map(|day| day["participants"].as_u64()).sum();
    assert_eq!(participants, summary["participants"]);
    assert_eq!(days[13]["meetings"], 0);
    let size = &status["size"];
    assert_eq!(size["duckdb_bytes"], fs::metadata(env.store().join("vcq.duckdb")).expect("there").len());
    assert!(size["raw_bytes"].as_u64() > Some(1_000) && size["parquet_bytes"].as_u64() > Some(1_000));

    let one = env.status(&["--days", "1", "--runs", "0"]).expect_exit(0).summary();
    assert_eq!((one["coverage"]["days"].as_array().map(Vec::len), &one["runs"]), (Some(1), &json!([])));
    let none = env.status(&["--since", "2026-01-01", "--until", "2026-01-03"]).expect_exit(0).summary();
    assert_eq!(none["coverage"]["days"].as_array().map(Vec::len), Some(2));
}

#[test]
fn failures_are_shown_with_reason_and_estimate() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:internal-error@share=0.1"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "2");
    let summary = RunOutput::new(command.output().expect("runs")).expect_exit(7).summary();
    let failed = summary["by_status"]["failed"].as_u64().expect("a count");
    let status = env.status(&[]).expect_exit(0).summary();
    assert_eq!(status["last_complete"], Value::Null);
    let pending = status["pending"]["participants"]["failed"].as_u64().expect("a count");
    assert!(pending > 0 && pending <= failed, "duplicate participants count once: {pending} of {failed}");
    assert_eq!(status["pending"]["price"]["participants"], pending);
    assert_eq!(status["reasons"].as_array().map(Vec::len), Some(1), "one reason, whatever the log IDs: {status}");
    assert_eq!(status["reasons"][0]["participants"], failed);
    assert!(status["reasons"][0]["reason"].as_str().expect("a text").contains("121001"));

    // The next run makes exactly the estimated calls.
    env.faults(&[]);
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    let requested = env.simulator().stats().calls(Endpoint::ParticipantQualityList);
    assert_eq!(status["pending"]["price"]["participant_quality_list"]["calls"], requested);
    let text = RunOutput::new(env.vcq(&["status"]).output().expect("runs")).expect_exit(0).stdout;
    assert!(text.contains("  to fetch      nothing\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80 || line.starts_with("Store") || line.contains('/')),
        "{text}"
    );
    assert!(text.contains("incomplete 7") && text.contains("complete 0"), "{text}");
}

#[test]
fn a_stopped_run_shows_the_remaining_work_and_why() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "40"]).expect_exit(8);
    let status = env.status(&[]).expect_exit(0).summary();
    assert_eq!((&status["runs"][0]["outcome"], &status["runs"][0]["exit_code"]), (&"stopped".into(), &8.into()));
    assert!(status["pending"]["participants"]["not_asked"].as_u64() > Some(0));
    assert!(status["pending"]["lists"]["not_asked"].as_u64() > Some(0));
    assert!(status["pending"]["price"]["unlisted"].as_u64() > Some(0));
    let reasons: Vec<&str> =
        status["reasons"].as_array().expect("reasons").iter().filter_map(|reason| reason["reason"].as_str()).collect();
    assert!(reasons.contains(&"not requested yet"), "{reasons:?}");
    let oldest = env.rows("select min(meeting_date) from coverage where status = 'pending'").remove(0);
    assert_eq!(status["pending"]["since_date"], oldest.as_str());
    assert_eq!(status["newest"]["complete_date"], Value::Null, "no day is complete");
}

#[test]
fn after_a_plan_there_are_unpublished_answers() {
    let env = TestEnv::new();
    let plan = env.plan(&[]).expect_exit(0).summary();
    let status = env.status(&[]).expect_exit(0).summary();
    assert_eq!(status["published"], Value::Null);
    assert_eq!(status["newest"]["error"], "nothing is published yet");
    assert_eq!(status["pending"]["unpublished_dates"], plan["dates"]);
    assert_eq!(status["pending"]["price"]["participant_quality_list"], plan["pending"]["participant_quality_list"]);
    assert_eq!((&status["runs"][0]["command"], &status["last_complete"]), (&"plan".into(), &Value::Null));
    assert_eq!(status["calls"]["this_month"], plan["used"]);
}

#[test]
fn a_damaged_store_shows_what_is_readable() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let garbage = b"no database at all, only words that are longer than a header ".repeat(300);
    fs::remove_file(env.store().join("vcq.duckdb")).expect("published");
    fs::write(env.store().join("vcq.duckdb"), &garbage).expect("written");
    let status = env.status(&[]).expect_exit(0).summary();
    assert!(status["coverage"]["error"].is_string() && status["newest"]["error"].is_string(), "{status}");
    assert_eq!(status["runs"][0]["outcome"], "complete");

    fs::write(env.store().join("parquet/_manifest.json"), "{").expect("written");
    let ledger = env.store().join("state/ledger.sqlite");
    for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(env.store().join("state").join(name));
    }
    fs::write(&ledger, &garbage).expect("written");
    let ran = env.status(&[]).expect_exit(5);
    let status = ran.summary();
    for part in ["published", "runs", "last_complete", "newest", "coverage", "pending", "reasons", "calls"] {
        assert!(status[part]["error"].is_string(), "{part}: {status}");
    }
    assert!(status["size"]["raw_bytes"].as_u64() > Some(0), "the raw answers are kept");
    assert_eq!(fs::read(&ledger).expect("there"), garbage, "reading repairs nothing");
}

#[test]
fn an_empty_store_ends_5() {
    let env = TestEnv::new();
    fs::create_dir_all(env.store().join("raw")).expect("made");
    let status = env.status(&[]).expect_exit(5).summary();
    assert_eq!(status["runs"]["error"], "there is no ledger yet");
    assert!(!env.store().join("state/ledger.sqlite").exists(), "reading creates none");
}

#[test]
fn early_answers_are_pending_until_they_are_stable() {
    let mut env = TestEnv::with(&recent_tenant(), Options { ready_after_s: 365 * 86_400, ..unlimited() });
    // Lists that may still change are counted, but not requested again so soon.
    let plan = env.plan(&[]).expect_exit(0).summary();
    let settling = plan["pending"]["later"]["settling_meetings"].as_u64().expect("a count");
    assert!(settling > 0, "{plan}");
    let again = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(again["used"]["participant_list"], 0);
    assert_eq!(again["pending"], plan["pending"]);
    assert!(plan["pending"]["later"]["waiting"].as_u64() >= Some(settling));
    assert_eq!(plan["pending"]["participant_list"]["calls"], 0);

    env.sync(&[]).expect_exit(0);
    let open = env.status(&[]).expect_exit(0).summary();
    let requested_again = open["pending"]["participants"]["asked_again"].as_u64().expect("a count");
    assert!(requested_again > 0, "{open}");
    assert_eq!(open["pending"]["participants"]["failed"], 0);
    assert_eq!(open["pending"]["price"]["participants"], 0, "requested too recently");
    assert!(open["pending"]["price"]["later"]["waiting"].as_u64() >= Some(requested_again));
    assert!(open["pending"]["price"]["later"]["settled_utc"].is_string());
    assert!(open["reasons"][0]["reason"].as_str().expect("a text").contains("requested soon after"), "{open}");

    // Ready now: what was pending is requested again, and after the settle time nothing is.
    env.change(|options| options.ready_after_s = 0);
    env.advance_clocks(36 * 3600);
    env.sync(&[]).expect_exit(0);
    let status = env.status(&[]).expect_exit(0).summary();
    assert_eq!(
        status["pending"]["participants"],
        json!({"not_asked": 0, "asked_again": 0, "refetch": 0, "failed": 0}),
        "{status}"
    );
    assert_eq!(status["pending"]["since_utc"], Value::Null);
}

#[test]
#[cfg(unix)]
fn calls_of_a_killed_run_are_counted_from_its_answers() {
    let env = TestEnv::new();
    let mut command = env.sync_command(&[]);
    command.env("VCQ_CALLS_PER_MINUTE", "1200");
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("starts");
    while env.simulator().stats().calls(Endpoint::ParticipantQualityList) < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let at_work = env.status(&[]).expect_exit(0).summary();
    assert!(at_work["calls"]["this_month"]["participant_quality_list"].as_u64() > Some(0), "{at_work}");
    assert_eq!(at_work["calls"]["is_at_least"], true);
    child.kill().expect("ours to kill");
    child.wait().expect("ended");
    let made = env.calls();
    let total = |status: &Value| {
        let lists = ["meeting_list", "participant_list", "participant_quality_list"];
        lists.iter().filter_map(|list| status["calls"]["this_month"][list].as_u64()).sum::<u64>()
    };
    let killed = env.status(&[]).expect_exit(0).summary();
    // The calls in flight when it was killed are unknown.
    assert!(total(&killed) <= made && total(&killed) + 40 >= made, "{} of {made}", total(&killed));
    assert_eq!((&killed["calls"]["is_at_least"], &killed["calls"]["today_is_at_least"]), (&true.into(), &true.into()));
    // A lost ledger loses the history of runs, not the answers.
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(env.store().join("state").join(name));
    }
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0);
    let rebuilt = env.status(&[]).expect_exit(0).summary();
    assert_eq!((total(&rebuilt), &rebuilt["calls"]["is_at_least"]), (total(&killed), &true.into()));
}

#[test]
fn a_refetch_in_progress_is_distinguished_from_early_answers() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    env.sync(&["--refetch", "--max-calls", "40"]).expect_exit(8);
    let status = env.status(&[]).expect_exit(0).summary();
    let (participants, lists) = (&status["pending"]["participants"], &status["pending"]["lists"]);
    assert!(participants["refetch"].as_u64() > Some(0) && lists["refetch"].as_u64() > Some(0), "{status}");
    assert_eq!((&participants["asked_again"], &lists["asked_again"]), (&0.into(), &0.into()), "{status}");
    let text = RunOutput::new(env.vcq(&["status"]).output().expect("runs")).expect_exit(0).stdout;
    assert!(text.contains("to be refetched") && !text.contains("too early"), "{text}");
}
