//! How a store stands: seen from outside, at every stage of its life.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vcq_simulator::{Endpoint, Options, TenantSpec};

use crate::support::world::{Ran, World, small, unlimited};

/// Every file below a folder with its bytes, but SQLite's own beside the ledger.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !name.ends_with("-shm") && !name.ends_with("-wal") {
            found.push((name, fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn without_a_store_it_says_so_as_a_report_does() {
    let world = World::new();
    let status = Ran::of(world.vcq(&["status"]).output().expect("runs")).ended(5);
    let report = Ran::of(world.vcq(&["report", "run", "coverage"]).output().expect("runs")).ended(5);
    assert_eq!(status.stderr, report.stderr);
    assert_eq!(status.stdout, "");
    assert!(!world.store().exists(), "nothing was made");
}

#[test]
fn a_complete_store_owes_nothing_and_is_not_touched() {
    let world = World::new();
    let summary = world.sync(&[]).ended(0).summary();
    let before = files(&world.store());
    // No credentials, no vendor.
    let mut command = world.vcq(&["status", "--json"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env_remove("VCQ_BASE_URL");
    let status = Ran::of(command.output().expect("runs")).ended(0).summary();
    assert_eq!(files(&world.store()), before, "looking changes nothing");

    assert_eq!(status["published"]["generation"], 1);
    assert_eq!(status["holder"], Value::Null);
    assert_eq!(status["runs"][0]["run_id"], summary["run_id"]);
    assert_eq!(status["runs"][0]["samples"], summary["samples"]);
    assert_eq!(status["last_complete"]["run_id"], summary["run_id"]);
    assert_eq!(status["pending"]["since_utc"], Value::Null);
    assert_eq!(status["pending"]["price"]["total"]["calls"], 0);
    assert_eq!(status["pending"]["unpublished_dates"], json!([]));
    assert_eq!(status["reasons"], json!([]));
    let newest = world.rows("select max(meeting_date) from meetings").remove(0);
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
    // 14 days up to the newest, of which the tenant has two or three.
    let days = status["coverage"]["days"].as_array().expect("days");
    assert_eq!((days.len(), &days[0]["meeting_date"]), (14, &newest.as_str().into()));
    let participants: u64 = days.iter().filter_map(|day| day["participants"].as_u64()).sum();
    assert_eq!(participants, summary["participants"]);
    assert_eq!(days[13]["meetings"], 0);
    let size = &status["size"];
    assert_eq!(size["duckdb_bytes"], fs::metadata(world.store().join("vcq.duckdb")).expect("there").len());
    assert!(size["raw_bytes"].as_u64() > Some(1_000) && size["parquet_bytes"].as_u64() > Some(1_000));
    // Fewer days, fewer runs.
    let one = world.status(&["--days", "1", "--runs", "0"]).ended(0).summary();
    assert_eq!((one["coverage"]["days"].as_array().map(Vec::len), &one["runs"]), (Some(1), &json!([])));
    let none = world.status(&["--since", "2026-01-01", "--until", "2026-01-03"]).ended(0).summary();
    assert_eq!(none["coverage"]["days"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_failed_is_named_with_its_reason_and_its_price() {
    let world = World::new();
    world.faults(&["participant_quality_list:internal-error@share=0.1"]);
    let mut command = world.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "2");
    let summary = Ran::of(command.output().expect("runs")).ended(7).summary();
    let failed = summary["by_status"]["failed"].as_u64().expect("a count");
    let status = world.status(&[]).ended(0).summary();
    assert_eq!(status["last_complete"], Value::Null);
    let pending = status["pending"]["participants"]["failed"].as_u64().expect("a count");
    assert!(pending > 0 && pending <= failed, "duplicates are one: {pending} of {failed}");
    assert_eq!(status["pending"]["price"]["participants"], pending);
    assert_eq!(status["reasons"].as_array().map(Vec::len), Some(1), "one reason, whatever the log ids: {status}");
    assert_eq!(status["reasons"][0]["participants"], failed);
    assert!(status["reasons"][0]["reason"].as_str().expect("a text").contains("121001"));

    // What it costs to mend is what mending costs.
    world.faults(&[]);
    world.simulator().reset_stats();
    world.sync(&[]).ended(0);
    let asked = world.simulator().stats().calls(Endpoint::ParticipantQualityList);
    assert_eq!(status["pending"]["price"]["participant_quality_list"]["calls"], asked);
    let text = Ran::of(world.vcq(&["status"]).output().expect("runs")).ended(0).stdout;
    assert!(text.contains("  to ask        nothing\n"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80 || line.starts_with("Store") || line.contains('/')),
        "{text}"
    );
    assert!(text.contains("incomplete 7") && text.contains("complete 0"), "{text}");
}

#[test]
fn a_run_that_was_stopped_shows_what_is_left_and_why() {
    let world = World::new();
    world.sync(&["--max-calls", "40"]).ended(8);
    let status = world.status(&[]).ended(0).summary();
    assert_eq!((&status["runs"][0]["outcome"], &status["runs"][0]["exit_code"]), (&"stopped".into(), &8.into()));
    assert!(status["pending"]["participants"]["not_asked"].as_u64() > Some(0));
    assert!(status["pending"]["lists"]["not_asked"].as_u64() > Some(0));
    assert!(status["pending"]["price"]["unlisted"].as_u64() > Some(0));
    let reasons: Vec<&str> =
        status["reasons"].as_array().expect("reasons").iter().filter_map(|reason| reason["reason"].as_str()).collect();
    assert!(reasons.contains(&"not asked yet"), "{reasons:?}");
    let oldest = world.rows("select min(meeting_date) from coverage where status = 'pending'").remove(0);
    assert_eq!(status["pending"]["since_date"], oldest.as_str());
    assert_eq!(status["newest"]["complete_date"], Value::Null, "no day is complete");
}

#[test]
fn a_planned_store_has_answers_that_are_not_published() {
    let world = World::new();
    let plan = world.plan(&[]).ended(0).summary();
    let status = world.status(&[]).ended(0).summary();
    assert_eq!(status["published"], Value::Null);
    assert_eq!(status["newest"]["error"], "nothing is published yet");
    assert_eq!(status["pending"]["unpublished_dates"], plan["dates"]);
    assert_eq!(status["pending"]["price"]["participant_quality_list"], plan["pending"]["participant_quality_list"]);
    assert_eq!((&status["runs"][0]["command"], &status["last_complete"]), (&"plan".into(), &Value::Null));
    assert_eq!(status["calls"]["this_month"], plan["used"]);
}

#[test]
fn a_damaged_store_shows_what_can_be_read() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let garbage = b"no database at all, only words that are longer than a header ".repeat(300);
    fs::write(world.store().join("vcq.duckdb"), &garbage).expect("written");
    let status = world.status(&[]).ended(0).summary();
    assert!(status["coverage"]["error"].is_string() && status["newest"]["error"].is_string(), "{status}");
    assert_eq!(status["runs"][0]["outcome"], "complete");

    fs::write(world.store().join("parquet/_manifest.json"), "{").expect("written");
    let ledger = world.store().join("state/ledger.sqlite");
    for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(world.store().join("state").join(name));
    }
    fs::write(&ledger, &garbage).expect("written");
    let ran = world.status(&[]).ended(5);
    let status = ran.summary();
    for part in ["published", "runs", "last_complete", "newest", "coverage", "pending", "reasons", "calls"] {
        assert!(status[part]["error"].is_string(), "{part}: {status}");
    }
    assert!(status["size"]["raw_bytes"].as_u64() > Some(0), "the answers are there");
    assert_eq!(fs::read(&ledger).expect("there"), garbage, "nothing is mended by looking");
}

#[test]
fn a_store_with_nothing_but_folders_has_nothing_to_show() {
    let world = World::new();
    fs::create_dir_all(world.store().join("raw")).expect("made");
    let status = world.status(&[]).ended(5).summary();
    assert_eq!(status["runs"]["error"], "there is no ledger yet");
    assert!(!world.store().join("state/ledger.sqlite").exists(), "looking makes none");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what is fresh is so by the machine's clock, which the program reads too"
)]
fn what_was_asked_too_early_is_open_until_it_is_settled() {
    let now = jiff::Timestamp::now().as_second();
    let today = jiff::Timestamp::from_second(now + 8 * 3600).expect("now").to_zoned(jiff::tz::TimeZone::UTC).date();
    let spec = TenantSpec {
        first_day: today.checked_sub(jiff::Span::new().days(1)).expect("yesterday"),
        ends_by: Some(now - 1200),
        days: 2,
        ..small()
    };
    let world = World::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    // Lists that may still grow are priced again, and not asked again only to know the price.
    let plan = world.plan(&[]).ended(0).summary();
    let settling = plan["pending"]["later"]["settling_meetings"].as_u64().expect("a count");
    assert!(settling > 0, "{plan}");
    let again = world.plan(&[]).ended(0).summary();
    assert_eq!(again["used"]["participant_list"], 0);
    assert_eq!(again["pending"], plan["pending"]);
    assert!(plan["pending"]["participant_list"]["calls"].as_u64() >= Some(settling));

    world.sync(&[]).ended(0);
    let open = world.status(&[]).ended(0).summary();
    let requested_again = open["pending"]["participants"]["requested_again"].as_u64().expect("a count");
    assert!(requested_again > 0, "{open}");
    assert_eq!(open["pending"]["participants"]["failed"], 0);
    assert_eq!(open["pending"]["price"]["participants"], requested_again);
    assert!(open["pending"]["price"]["later"]["settled_utc"].is_string());
    assert!(open["reasons"][0]["reason"].as_str().expect("a text").contains("asked soon after"), "{open}");

    // Ready now: what was open is asked again, and once the settle time is over nothing is.
    world.change(|options| options.ready_after_s = 0);
    world.sync(&[]).ended(0);
    world.sync(&["--settle", "0s"]).ended(0);
    let status = world.status(&[]).ended(0).summary();
    assert_eq!(
        status["pending"]["participants"],
        json!({"not_asked": 0, "requested_again": 0, "refetch": 0, "failed": 0}),
        "{status}"
    );
    assert_eq!(status["pending"]["since_utc"], Value::Null);
}

#[test]
#[cfg(unix)]
fn calls_of_a_run_that_was_killed_are_counted_by_its_answers() {
    let world = World::new();
    let mut command = world.sync_command(&[]);
    command.env("VCQ_CALLS_PER_MINUTE", "1200");
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().expect("starts");
    while world.simulator().stats().calls(Endpoint::ParticipantQualityList) < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let at_work = world.status(&[]).ended(0).summary();
    assert!(at_work["calls"]["this_month"]["participant_quality_list"].as_u64() > Some(0), "{at_work}");
    assert_eq!(at_work["calls"]["is_at_least"], true);
    child.kill().expect("ours to kill");
    child.wait().expect("ended");
    let made = world.calls();
    let total = |status: &Value| {
        let lists = ["meeting_list", "participant_list", "participant_quality_list"];
        lists.iter().filter_map(|list| status["calls"]["this_month"][list].as_u64()).sum::<u64>()
    };
    let killed = world.status(&[]).ended(0).summary();
    // What was on its way when it died is not known.
    assert!(total(&killed) <= made && total(&killed) + 40 >= made, "{} of {made}", total(&killed));
    assert_eq!((&killed["calls"]["is_at_least"], &killed["calls"]["today_is_at_least"]), (&true.into(), &true.into()));
    // A ledger that is lost takes its history of runs along; the answers stay.
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let _ = fs::remove_file(world.store().join("state").join(name));
    }
    Ran::of(world.vcq(&["rebuild"]).output().expect("runs")).ended(0);
    let rebuilt = world.status(&[]).ended(0).summary();
    assert_eq!((total(&rebuilt), &rebuilt["calls"]["is_at_least"]), (total(&killed), &true.into()));
}

#[test]
fn a_refetch_under_way_is_told_from_what_was_asked_too_early() {
    let world = World::new();
    world.sync(&[]).ended(0);
    world.sync(&["--refetch", "--max-calls", "40"]).ended(8);
    let status = world.status(&[]).ended(0).summary();
    let (participants, lists) = (&status["pending"]["participants"], &status["pending"]["lists"]);
    assert!(participants["refetch"].as_u64() > Some(0) && lists["refetch"].as_u64() > Some(0), "{status}");
    assert_eq!((&participants["requested_again"], &lists["requested_again"]), (&0.into(), &0.into()), "{status}");
    let text = Ran::of(world.vcq(&["status"]).output().expect("runs")).ended(0).stdout;
    assert!(text.contains("to be asked again (refetch)") && !text.contains("too early"), "{text}");
}
