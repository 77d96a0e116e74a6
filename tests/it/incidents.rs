//! Incidents in a store: the same after nightly syncs, late syncs, an import and a rebuild; judged by one profile.

use std::fs;

use serde_json::Value;
use vcq_simulator::{Planting, TenantSpec};

use crate::rebuild::rebuild;
use crate::support::clock::{ahead_of_machine_s, move_clock};
use crate::support::damage::{part, sql};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};

const DAYS: u32 = 12;

fn spec() -> TenantSpec {
    let planting: Planting = "site:jitter:hours,meeting:loss".parse().expect("incidents");
    TenantSpec { days: DAYS, people: 40, meetings_per_day: 10, planting, ..TenantSpec::default() }
}

fn day(spec: &TenantSpec, n: u32) -> String {
    spec.first_day.checked_add(jiff::Span::new().days(i64::from(n))).expect("a date").to_string()
}

/// Syncs the days from `since` on, at noon of day `noon`.
fn sync(env: &TestEnv, spec: &TenantSpec, since: u32, noon: u32, more: &[&str]) -> Value {
    let ahead_s = ahead_of_machine_s(spec.midnight(noon) + 12 * 3600);
    env.change(|options| options.clock_ahead_s = ahead_s);
    let since = day(spec, since);
    let mut sync = env.vcq(&[&["sync", "--since", &since, "--summary", "json"], more].concat());
    move_clock(&mut sync, ahead_s);
    RunOutput::new(sync.output().expect("the binary runs")).expect_exit(0).summary()
}

/// The tables that are new since schema 5: those of incidents, and what they are computed from.
pub(crate) const TABLES: [&str; 7] = [
    "incidents",
    "incident_participants",
    "judged_participants",
    "stored_marked_minutes",
    "stored_cpu_minutes",
    "stored_audio_streams",
    "stored_limits",
];

fn incidents(env: &TestEnv) -> Vec<Vec<String>> {
    TABLES.iter().map(|table| env.rows(&format!("select t::varchar from {table} as t order by all"))).collect()
}

/// Table, date and checksum of every dated file.
fn files(env: &TestEnv) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let files = env.dated_files();
    files.iter().map(|file| (text(&file["table"]), text(&file["meeting_date"]), text(&file["sha256"]))).collect()
}

fn verify(env: &TestEnv) {
    RunOutput::new(env.vcq(&["verify", "--deep"]).output().expect("the binary runs")).expect_exit(0);
}

#[test]
fn nightly_syncs_late_syncs_and_a_rebuild_give_the_same_incidents() {
    let spec = spec();
    let env = TestEnv::with(&spec, unlimited());
    // The first days come late, and each night fetches the last two again.
    for night in 4..=DAYS + 1 {
        sync(&env, &spec, night.saturating_sub(3).max(2), night, &[]);
    }
    let until = day(&spec, 2);
    let late = sync(&env, &spec, 0, DAYS + 1, &["--until", &until]);
    let (found, published) = (incidents(&env), files(&env));
    assert!(found[2].len() > 100, "{} judged participants", found[2].len());
    assert_eq!(found[0].len() as i64, env.number("select count(distinct incident_id) from incident_participants"));
    let by_severity = |severity: &str| {
        let dates = late["dates_published"]
            .as_array()
            .expect("dates")
            .iter()
            .map(|date| format!("'{}'", date.as_str().expect("a date")));
        let dates = dates.collect::<Vec<_>>().join(", ");
        env.number(&format!(
            "select count(*) from incidents where severity = '{severity}' and meeting_date in ({dates})"
        ))
    };
    for severity in ["minor", "major", "critical"] {
        assert_eq!(late["incidents"][severity], by_severity(severity), "{late}");
    }
    verify(&env);
    rebuild(&env, &[]).expect_exit(0);
    assert_eq!(incidents(&env), found);
    assert_eq!(files(&env), published, "the same bytes");
    rebuild(&env, &["--since", &day(&spec, 3), "--until", &day(&spec, 5)]).expect_exit(0);
    assert_eq!((incidents(&env), files(&env)), (found, published));
}

#[test]
fn incidents_are_judged_by_the_profile_of_the_store_and_computed_for_another() {
    let spec = spec();
    let env = TestEnv::with(&spec, unlimited());
    sync(&env, &spec, 0, DAYS + 1, &[]);
    let report = |more: &[&str]| {
        let arguments = [&["report", "run", "incidents", "--since", "2020-01-01", "--format", "json"], more].concat();
        let ran = RunOutput::new(env.vcq(&arguments).output().expect("the binary runs")).expect_exit(0);
        serde_json::from_str::<Value>(&ran.stdout).expect("rows")
    };
    let (cqd, strict) = (report(&[]), report(&["--profile", "strict"]));
    let judged = incidents(&env);
    let error = env
        .duckdb()
        .prepare("from report_incidents(profile := 'strict')")
        .and_then(|mut statement| statement.query([]).map(|_| ()));
    let error = error.expect_err("another profile").to_string();
    assert!(error.contains("judged by the profile cqd, not by strict"), "{error}");

    // A rule with another profile is checked like the report, and the rules after it read the stored incidents.
    let rule = |name: &str, more: &str| {
        format!("[[alerts]]\nname = '{name}'\nreport = 'incidents'\nsince = '2020-01-01'\nto = ['none']\n{more}\n")
    };
    let rules = rule("other", "profile = 'strict'")
        + &rule("own", "")
        + "[channels.none]\nkind = 'command'\ncommand = ['true']\n";
    fs::write(env.home().join("vcq.toml"), rules).expect("written");
    let checked =
        RunOutput::new(env.vcq(&["alert", "check", "--dry-run"]).output().expect("runs")).expect_exit(0).stdout;
    for (name, rows) in [("other", &strict), ("own", &cqd)] {
        let line = checked.lines().find(|line| line.starts_with(name)).expect("a line of the rule");
        let rows = rows.as_array().expect("rows").len().to_string();
        assert_eq!(line.split_whitespace().nth(2), Some(&*rows), "{line}");
    }
    assert!(checked.contains(" --profile strict --store /"), "{checked}");
    fs::remove_file(env.home().join("vcq.toml")).expect("removed");

    // The profile is a setting: the next publication judges all dates by it.
    rebuild(&env, &["--profile", "strict"]).expect_exit(0);
    assert_eq!(env.rows("select profile from meta"), ["strict"]);
    assert_ne!(incidents(&env)[2], judged[2], "stricter limits");
    assert_eq!(report(&["--profile", "strict"]), strict, "those of the store are those computed before");
    assert_eq!(report(&["--profile", "cqd"]), cqd);
    verify(&env);
    let mut status = env.vcq(&["status", "--json"]);
    let status = RunOutput::new(status.output().expect("the binary runs")).expect_exit(0).summary();
    let counted: i64 =
        ["minor", "major", "critical"].iter().map(|name| status["incidents"][name].as_i64().expect("a count")).sum();
    assert_eq!(counted, env.number("select count(*) from report_incidents()"));

    let unknown = RunOutput::new(env.vcq(&["rebuild", "--profile", "strickt"]).output().expect("the binary runs"));
    let unknown = unknown.expect_exit(2).stderr;
    assert!(unknown.contains("did you mean strict?"), "{unknown}");
}

/// A synced store with incidents of the service and of something narrower.
fn planted_env() -> TestEnv {
    let planting: Planting = "service:loss:hours,site:jitter:hours".parse().expect("incidents");
    let spec = TenantSpec { days: 6, people: 60, meetings_per_day: 16, planting, ..TenantSpec::default() };
    let env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
    assert!(env.number("select count(*) from incidents where scope_kind <> 'service'") > 0);
    env
}

/// The checks of `verify --deep` that found something, and those that did not cover everything with the reason.
fn deep(env: &TestEnv, more: &[&str]) -> (Vec<String>, Vec<String>) {
    let ran = RunOutput::new(env.vcq(&[&["verify", "--deep", "--json"], more].concat()).output().expect("runs"));
    let report = ran.summary();
    let checks = report["checks"].as_array().expect("checks");
    let name = |check: &Value| check["check"].as_str().expect("a name").to_owned();
    (
        checks.iter().filter(|check| check["findings"].as_u64() > Some(0)).map(name).collect(),
        checks
            .iter()
            .filter_map(|check| Some(format!("{}: {}", name(check), check["not_checked"].as_str()?)))
            .collect(),
    )
}

#[test]
fn the_limits_of_severities_are_thresholds_and_apply_to_all_dates() {
    let env = planted_env();
    let severities = || env.rows("select incident_id, severity from incidents order by all");
    let before = severities();
    assert!(before.iter().any(|row| !row.ends_with("critical")), "{before:?}");
    let custom = ["--profile", "custom", "--thresholds", "incident_critical_people=1"];
    let limit = "select value, source from thresholds where metric = 'incident_critical_people' and profile = 'custom'";
    // No data changes, but the limit does.
    env.sync(&custom).expect_exit(0);
    assert_eq!(env.rows(limit), ["1.0 | configuration"]);
    let (after, synced) = (severities(), incidents(&env));
    assert_eq!(after.len(), before.len());
    assert!(after.iter().all(|row| row.ends_with("critical")), "{after:?}");
    assert_eq!(deep(&env, &custom), (Vec::new(), Vec::new()));
    rebuild(&env, &custom).expect_exit(0);
    assert_eq!(incidents(&env), synced);
    env.sync(&[]).expect_exit(0);
    assert_eq!(severities(), before);
}

#[test]
fn lost_and_changed_incidents_are_found_and_rebuilt() {
    let env = planted_env();
    let published = (incidents(&env), files(&env));
    let damages: [(&str, &str, &[&str]); 6] = [
        ("no incidents", "delete from incidents; delete from incident_participants", &["rows", "incidents-from-rows"]),
        ("another severity", "update incidents set severity = 'minor'", &["rows", "incidents-from-rows"]),
        ("another family", "update incidents set metric = 'cpu'", &["rows", "incidents", "incidents-from-rows"]),
        ("fewer judged minutes", "delete from judged_participants", &["incidents", "incidents-from-rows"]),
        (
            "another metric",
            "update stored_marked_minutes set metric = 'delay' where metric = 'jitter'",
            &["incidents-from-rows"],
        ),
        ("another threshold", "update stored_limits set value = value + 1", &["incidents-from-rows"]),
    ];
    for (what, statements, expected) in damages {
        sql(&env.store(), statements);
        assert_eq!(deep(&env, &[]).0, expected, "{what}");
        rebuild(&env, &[]).expect_exit(0);
        assert_eq!((incidents(&env), files(&env)), published, "{what}");
    }
    for table in TABLES.into_iter().take(2) {
        fs::remove_file(part(&env.store(), table, 0)).expect("removed");
        let found = deep(&env, &[]).0;
        assert!(found.contains(&"files".to_owned()), "{found:?}");
        let text = RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(9).stdout;
        assert!(text.contains("What to do: run vcq-etl rebuild"), "{text}");
        rebuild(&env, &[]).expect_exit(0);
        assert_eq!(deep(&env, &[]), (Vec::new(), Vec::new()));
        assert_eq!((incidents(&env), files(&env)), published);
    }
}

#[test]
fn a_setting_that_is_not_in_effect_yet_is_identified() {
    let env = planted_env();
    let run = |arguments: &[&str]| RunOutput::new(env.vcq(arguments).output().expect("runs")).expect_exit(0).stdout;
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let status = words(&run(&["status"]));
    assert!(status.contains("judged by the profile cqd") && !status.contains("the setting is"), "{status}");
    let status = words(&run(&["status", "--profile", "strict"]));
    assert!(status.contains("judged by the profile cqd; the setting is strict: the next"), "{status}");
    let profile = env.status(&["--profile", "strict"]).expect_exit(0).summary()["profile"].clone();
    assert_eq!(profile, serde_json::json!({"judged_by": "cqd", "setting": "strict"}));
    let doctor = words(&run(&["doctor", "--profile", "strict"]));
    assert!(doctor.contains("the incidents in the store are judged by cqd"), "{doctor}");
    assert!(!run(&["doctor"]).contains("are judged by"));
    // The incidents are those of the profile of the store, whatever the setting.
    assert_eq!(deep(&env, &["--profile", "strict"]), (Vec::new(), Vec::new()));
    // With other thresholds they cannot be compared.
    let (found, skipped) = deep(&env, &["--thresholds", "incident_major_people=2"]);
    let reason = "incidents-from-rows: other settings or another version of the program computed them; the next";
    assert!(skipped.iter().any(|skipped| skipped.starts_with(reason)), "{found:?} {skipped:?}");
}
