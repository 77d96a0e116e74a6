//! What a sync fetches in addition to meetings: rooms, alerts, reservations and Feishu's own counts.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use vcq_simulator::{Endpoint, OPTIONAL_ENDPOINTS, Options, TenantSpec};

use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

const ALL: [&str; 2] = ["--also", "rooms,room_alerts,reservations,census"];

/// A tenant of two days whose answers no longer change, and which are not too old for Feishu's counts.
fn settled(options: Options) -> TestEnv {
    TestEnv::with(&TenantSpec { first_day: days_ago(5), days: 2, ..small_tenant() }, options)
}

#[expect(clippy::disallowed_methods, reason = "edge: Feishu's counts reach 90 days back")]
fn days_ago(days: i64) -> jiff::civil::Date {
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    today.checked_sub(jiff::Span::new().days(days)).expect("a day")
}

/// Calls so far, by endpoint; endpoints without calls are left out.
fn calls(env: &TestEnv) -> BTreeMap<Endpoint, u64> {
    let stats = env.simulator().stats();
    let counts = OPTIONAL_ENDPOINTS.iter().map(|endpoint| (*endpoint, stats.calls(*endpoint)));
    counts.filter(|(_, calls)| *calls > 0).collect()
}

/// The days that have raw files of a kind.
fn raw_days(env: &TestEnv, kind: &str) -> Vec<String> {
    let folder = env.store().join("raw").join(kind);
    let names = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").file_name());
    let mut days: Vec<String> =
        names.map(|name| name.to_string_lossy().trim_start_matches("meeting_date=").to_owned()).collect();
    days.sort();
    days
}

/// Days fetched and days missing of a kind, as the summary has them.
fn days(summary: &Value, kind: &str) -> (i64, i64) {
    let of = |name: &str| summary["also"][kind][name].as_i64().unwrap_or_default();
    (of("days_fetched"), of("days_missing"))
}

fn run(mut command: std::process::Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

#[test]
fn each_day_is_fetched_once_and_its_ledger_can_be_rebuilt() {
    let env = settled(unlimited());
    let summary = env.sync(&ALL).expect_exit(0).summary();
    let window = [days_ago(5).to_string(), days_ago(4).to_string()];
    for kind in ["room_alerts", "reservations", "census_daily", "census_users"] {
        assert_eq!(days(&summary, kind), (2, 0), "{kind}: {summary}");
        assert_eq!(raw_days(&env, kind), window, "{kind}");
    }
    for kind in ["rooms", "room_levels"] {
        assert_eq!(days(&summary, kind), (1, 0), "{kind}");
        assert_eq!(raw_days(&env, kind), [days_ago(0).to_string()], "{kind}: on the day of the request");
    }
    let first = calls(&env);
    assert_eq!(first.len(), OPTIONAL_ENDPOINTS.len(), "{first:?}");
    assert_eq!(first[&Endpoint::CensusDaily], 1, "one call for all days");
    assert!(first[&Endpoint::RoomLevels] > 1, "a call for each level that has others below it");
    assert_eq!(summary["calls"]["get_daily"], 1);
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);

    run(env.vcq(&["verify"])).expect_exit(0);
    for is_lost in [false, true] {
        if is_lost {
            std::fs::remove_dir_all(env.store().join("state")).expect("removed");
            run(env.vcq(&["rebuild"])).expect_exit(0);
        }
        let summary = env.sync(&ALL).expect_exit(0).summary();
        assert_eq!(summary.get("also"), None, "{summary}");
        assert_eq!(calls(&env), first);
    }
    // Without --also nothing is requested, also with --refetch; with it everything is again.
    env.sync(&["--refetch"]).expect_exit(0);
    assert_eq!(calls(&env), first);
    let summary = env.sync(&[&ALL[..], &["--refetch"]].concat()).expect_exit(0).summary();
    assert_eq!(days(&summary, "reservations"), (2, 0));
    run(env.vcq(&["verify"])).expect_exit(0);
}

#[test]
fn days_that_may_still_change_are_requested_again() {
    let env = TestEnv::with(&TenantSpec { first_day: days_ago(1), days: 2, ..small_tenant() }, unlimited());
    let window = ["--since", "yesterday"];
    let sync = || {
        let arguments = [&["sync"], &window[..], &["--also", "room_alerts,census", "--summary", "json"]].concat();
        run(env.vcq(&arguments)).summary()
    };
    for _ in 0..2 {
        let summary = sync();
        assert_eq!((days(&summary, "room_alerts"), days(&summary, "census_daily")), ((2, 0), (2, 0)), "{summary}");
        assert!(days(&summary, "census_users").0 <= 1, "the counts of today come tomorrow");
    }
    assert_eq!(calls(&env)[&Endpoint::RoomAlerts], 4);
}

#[test]
fn a_refused_endpoint_is_a_gap_and_stops_nothing() {
    let env = settled(unlimited());
    env.faults(&["census_users:missing-scope", "room_alerts:no-permission", "reservations:code=121002"]);
    let summary = env.sync(&ALL).expect_exit(7).summary();
    for (kind, text) in [("census_users", "scope"), ("room_alerts", "121005"), ("reservations", "121002")] {
        assert_eq!(days(&summary, kind), (0, 2), "{kind}");
        assert!(summary["also"][kind]["reason"].as_str().is_some_and(|reason| reason.contains(text)), "{summary}");
    }
    assert_eq!(days(&summary, "census_daily"), (2, 0));
    assert_eq!(calls(&env)[&Endpoint::CensusUsers], 1, "one refusal is enough");
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    let text = run(env.vcq(&[&["sync"], &env.window()[..], &ALL[..]].concat())).expect_exit(7).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("census_users: 2 days could not be fetched: the app lacks a scope")
            && text.contains("admin:admin_user_stat")
            && text.contains("see vcq-etl doctor --also census"),
        "{text}"
    );
    env.faults(&[]);
    let summary = env.sync(&ALL).expect_exit(0).summary();
    for kind in ["census_users", "room_alerts", "reservations"] {
        assert_eq!(days(&summary, kind), (2, 0), "{kind}");
    }
}

#[test]
fn a_passing_fault_leaves_its_day_to_the_next_run() {
    let env = settled(unlimited());
    env.faults(&["room_alerts:internal-error@first=1"]);
    let mut command = env.sync_command(&ALL);
    command.env("VCQ_MAX_TRIES", "1");
    let summary = run(command).expect_exit(7).summary();
    assert_eq!(days(&summary, "room_alerts"), (1, 1), "{summary}");
    let before = calls(&env)[&Endpoint::RoomAlerts];
    let summary = env.sync(&ALL).expect_exit(0).summary();
    assert_eq!(days(&summary, "room_alerts"), (1, 0));
    assert_eq!(calls(&env)[&Endpoint::RoomAlerts], before + 1, "only the missing day");
}

#[test]
fn a_killed_run_is_resumed_and_no_day_is_requested_twice() {
    let few = || {
        let spec = TenantSpec { first_day: days_ago(6), days: 3, people: 8, meetings_per_day: 1, ..small_tenant() };
        TestEnv::with(&TenantSpec { unusual_meetings: false, ..spec }, unlimited())
    };
    let undisturbed = few();
    undisturbed.sync(&ALL).expect_exit(0);
    let expected = calls(&undisturbed);
    for (stalled, answered) in [
        (Endpoint::Rooms, 0),
        (Endpoint::RoomAlerts, 1),
        (Endpoint::Reservations, 2),
        (Endpoint::CensusDaily, 0),
        (Endpoint::CensusUsers, 2),
    ] {
        let env = few();
        env.faults(&[&format!("{}:stall@after={answered}", stalled.name())]);
        let mut command = env.sync_command(&ALL);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("spawned");
        while calls(&env).get(&stalled) < Some(&(answered + 1)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().and_then(|()| child.wait()).expect("killed");
        env.faults(&[]);
        env.sync(&ALL).expect_exit(0);
        let mut found = calls(&env);
        // The call without an answer is made again.
        *found.entry(stalled).or_default() -= 1;
        assert_eq!(found, expected, "killed at {stalled}");
        run(env.vcq(&["verify"])).expect_exit(0);
    }
}

#[test]
fn a_date_with_a_lost_file_stays_as_it_is_until_it_is_fetched_again() {
    let env = settled(unlimited());
    env.sync(&ALL).expect_exit(0);
    let day = days_ago(5).to_string();
    std::fs::remove_dir_all(env.store().join(format!("raw/census_users/meeting_date={day}"))).expect("removed");
    let output = run(env.vcq(&["verify"])).expect_exit(9).stdout;
    assert!(output.contains("census_users"), "{output}");
    env.sync(&[&ALL[..], &["--refetch"]].concat()).expect_exit(0);
    run(env.vcq(&["verify"])).expect_exit(0);
}

#[test]
fn with_a_user_token_only_the_reservations_are_fetched() {
    let token = "u-made-up-user-token";
    let env = settled(Options { user_token: Some(token.to_owned()), ..unlimited() });
    let mut command = env.sync_command(&ALL);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", token);
    let summary = run(command).expect_exit(7).summary();
    assert_eq!(days(&summary, "reservations"), (2, 0), "{summary}");
    let reason = summary["also"]["census_users"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("accepts only a tenant token"), "{reason}");
    assert_eq!(calls(&env).into_keys().collect::<Vec<_>>(), [Endpoint::Reservations], "nothing is sent in vain");
}

#[test]
fn doctor_checks_what_also_names_and_plan_counts_its_calls() {
    let env = settled(unlimited());
    let doctor = |arguments: &[&str], code| {
        let json = run(env.vcq(&[&["doctor", "--json"], arguments].concat())).expect_exit(code).summary();
        let checks = json["checks"].as_array().expect("checks").clone();
        let named = checks.into_iter().map(|check| (check["name"].as_str().expect("a name").to_owned(), check));
        named.collect::<BTreeMap<String, Value>>()
    };
    assert!(!doctor(&[], 0).contains_key("rooms"));
    let checks = doctor(&ALL, 0);
    for name in ["rooms", "room_levels", "alerts", "resource_reservation_list", "get_daily", "admin_user_stats"] {
        assert_eq!(checks[name]["state"], "ok", "{name}: {}", checks[name]);
    }
    env.faults(&["room_alerts:missing-scope", "census_users:missing-scope"]);
    let checks = doctor(&ALL, 3);
    assert!(checks["alerts"].to_string().contains("vc:alert:readonly"), "{}", checks["alerts"]);
    assert!(checks["admin_user_stats"].to_string().contains("admin:admin_user_stat:readonly"));
    let text = run(env.vcq(&[&["doctor"], &ALL[..]].concat())).expect_exit(3).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("A run would fetch the meetings but not room_alerts, census_users: "), "{text}");
    env.faults(&[]);

    let before = calls(&env);
    let plan = env.plan(&ALL).expect_exit(0).summary();
    assert_eq!(calls(&env), before, "a plan requests none of it");
    assert_eq!((&plan["also"]["get_daily"], &plan["also"]["alerts"]), (&Value::from(1), &Value::from(2)));
    let mut published = env.sync(&ALL).expect_exit(0).summary()["dates_published"].clone();
    published.as_array_mut().expect("dates").sort_by_key(Value::to_string);
    assert_eq!(plan["dates"], published);
    assert_eq!(env.plan(&ALL).expect_exit(0).summary().get("also"), None);
}

#[test]
fn a_word_that_is_not_known_is_named_with_the_nearest() {
    let env = settled(unlimited());
    let output = env.sync(&["--also", "rooms,cencus"]).expect_exit(2);
    assert!(output.stderr.contains("\"cencus\"") && output.stderr.contains("did you mean census"), "{}", output.stderr);
    std::fs::write(env.home().join("vcq.toml"), "also = [\"rooms\", \"reservation\"]\n").expect("written");
    let output = env.sync(&[]).expect_exit(2);
    assert!(output.stderr.contains("did you mean reservations"), "{}", output.stderr);
    std::fs::write(env.home().join("vcq.toml"), "also = [\"rooms\"]\n").expect("written");
    assert_eq!(days(&env.sync(&[]).expect_exit(0).summary(), "rooms"), (1, 0));
}
