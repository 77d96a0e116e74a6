//! Cards, the default window and the end of a sync, by the real binary on a store that a real sync published.

use serde_json::Value;
use vcq_simulator::TenantSpec;

use crate::support::test_env::{RunOutput, TestEnv, unlimited};

fn run(env: &TestEnv, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(arguments).output().expect("the binary runs"))
}

/// More days than the default window.
fn ten_days() -> TenantSpec {
    TenantSpec { days: 10, people: 30, meetings_per_day: 8, ..TenantSpec::default() }
}

/// A sync of the whole tenant with the summary as text.
fn sync(env: &TestEnv, more: &[&str]) -> String {
    let first_day = ten_days().first_day.to_string();
    run(env, &[&["sync", "--since", &first_day], more].concat()).expect_exit(0).stdout
}

#[test]
fn a_sync_ends_with_incidents_and_cards_explain_them() {
    let env = TestEnv::with(&ten_days(), unlimited());
    let summary = sync(&env, &[]);
    let ending = summary.split_once("\nIncidents     ").expect("incidents").1;
    // Ten days from the first one: too little history for those at the start.
    assert!(ending.contains(", only severe incidents can be found: fewer than 3 days to compare with.\n"), "{ending}");
    let next = ending.lines().find_map(|line| line.strip_prefix("Next: vcq-etl ")).expect("a next command");
    run(&env, &next.split(' ').collect::<Vec<_>>()).expect_exit(0);
    // Nothing new is published, so there is nothing to say; with --quiet never.
    assert!(!sync(&env, &[]).contains("Incidents"));
    assert_eq!(sync(&env, &["--refetch", "--quiet"]), "");

    let first = |sql: &str| env.rows(sql).first().cloned().unwrap_or_default();
    let who = first(
        "select user_id from participants where user_id is not null group by 1 order by count(*) desc, 1 limit 1",
    );
    let text = run(&env, &["report", "user", &who]).expect_exit(0).stdout;
    let last = first("select max(meeting_date) from meetings");
    assert!(text.contains(&format!(" to {last}, local time")) && text.contains("last 7 days in the store: "), "{text}");
    for part in [
        "What happened",
        "Verdict",
        "Main causes",
        "Compared",
        "Place",
        "Device",
        "Network",
        "\nNext: ",
        "\nFor a ticket:\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json: Value =
        serde_json::from_str(&run(&env, &["report", "user", &who, "--format", "json"]).expect_exit(0).stdout)
            .expect("json");
    assert_eq!(json["id"], who.as_str());
    let judged = format!(
        "select coalesce(sum(v.judged_minutes), 0) from participant_verdicts() v join participants p using (participant_key)
         where p.user_id = '{who}' and v.meeting_date > date '{last}' - 7"
    );
    assert_eq!(json["judged_minutes"], env.number(&judged));
    let address = first(&format!("select max(email) from participants where user_id = '{who}' and email like '%_@_%'"));
    if let Some((part, _)) = address.split_once('@') {
        let found = run(&env, &["report", "user", part, "--format", "json"]).expect_exit(0).stdout;
        assert_eq!(serde_json::from_str::<Value>(&found).expect("json")["id"], who.as_str());
    }

    let number = first("select meeting_no from meetings group by 1 order by count(*) desc, 1 limit 1");
    let latest = first(&format!(
        "select meeting_key from meetings where meeting_no = '{number}' order by start_time_utc desc limit 1"
    ));
    let mut command = env.vcq(&["report", "meeting", &number, "--width", "60"]);
    let text = RunOutput::new(command.env("LC_ALL", "C").output().expect("runs")).expect_exit(0).stdout;
    assert!(
        text.contains(&latest) && text.lines().all(|line| line.starts_with("Next: ") || line.chars().count() <= 60),
        "{text}"
    );
    let markdown = run(&env, &["report", "meeting", &latest, "--format", "markdown"]).expect_exit(0).stdout;
    assert!(markdown.starts_with("## "), "{markdown}");
}

#[test]
fn unknown_names_have_suggestions_and_namesakes_are_listed() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let name = env.rows("select min(participant_name) from participants where length(participant_name) > 5").remove(0);
    let short = name.chars().skip(1).collect::<String>();
    let unknown = run(&env, &["report", "user", &short]).expect_exit(2);
    assert!(unknown.stdout.is_empty() && unknown.stderr.contains(&name), "{}", unknown.stderr);
    for arguments in [["report", "meeting", "000000000"], ["report", "incident", "2020-01-01-acute-site-00000000"]] {
        let unknown = run(&env, &arguments).expect_exit(2);
        assert!(unknown.stderr.contains("hint: "), "{}", unknown.stderr);
    }
    // Guests have no ID: each participation may be another person.
    let guests = "select participant_name from participants where user_id is null and room_id is null
        and participant_name is not null group by 1 having count(*) > 1 order by 1 limit 1";
    if let Some(guest) = env.rows(guests).first() {
        let several = run(&env, &["report", "user", guest]).expect_exit(2);
        assert!(several.stderr.contains("choose one of them by ID"), "{}", several.stderr);
    }
}

#[test]
fn a_heatmap_is_a_grid_and_a_default_window_a_week() {
    let env = TestEnv::with(&ten_days(), unlimited());
    env.sync(&[]).expect_exit(0);
    let grid = run(&env, &["report", "run", "heatmap", "--since", "all", "--width", "80"]).expect_exit(0).stdout;
    assert!(grid.contains("\npoor_pct (%) by weekday and hour (local)") && grid.contains("\nMon "), "{grid}");
    assert!(grid.lines().all(|line| line.chars().count() <= 80), "{grid}");
    let days = |more: &[&str]| {
        let arguments = [&["report", "run", "daily-summary", "--format", "json"], more].concat();
        let rows: Vec<Value> = serde_json::from_str(&run(&env, &arguments).expect_exit(0).stdout).expect("json");
        rows.len()
    };
    let all = env.number("select count(*) from report_daily_summary()") as usize;
    assert_eq!(days(&["--since", "all"]), all);
    assert!(days(&[]) <= 7 && days(&[]) < all);
}
