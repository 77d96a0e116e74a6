//! The setting `database`: `vcq.duckdb` with the newest dates only, or without one, while Parquet keeps everything.

use std::collections::BTreeMap;

use serde_json::Value;
use vcq_simulator::{Background, TenantSpec};

use crate::support::test_env::{RunOutput, TestEnv, rows, unlimited};

/// Six weeks with an outage and a chronic problem near their end.
fn tenant() -> TenantSpec {
    TenantSpec {
        days: 40,
        people: 30,
        meetings_per_day: 9,
        first_day: "2026-09-14".parse().expect("a date"),
        planting: "site:jitter:150min,person:cpu:chronic".parse().expect("incidents"),
        background: Background { known_problems: false, ..Background::default() },
        ..TenantSpec::default()
    }
}

fn run(env: &TestEnv, database: &str, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(arguments).env("VCQ_DATABASE", database).output().expect("the binary runs"))
}

/// Path, rows and checksum of each published file, but for the two undated ones that every publication changes.
fn parquet(env: &TestEnv) -> BTreeMap<(String, String), (u64, String)> {
    let files = env.manifest()["files"].as_array().cloned().expect("files");
    let text = |file: &Value, key: &str| file[key].as_str().unwrap_or_default().to_owned();
    files
        .iter()
        .filter(|file| !matches!(file["table"].as_str(), Some("runs" | "meta")))
        .map(|file| {
            let rows = file["rows"].as_u64().expect("rows");
            ((text(file, "table"), text(file, "meeting_date")), (rows, text(file, "sha256")))
        })
        .collect()
}

/// The reports of a window, without what a publication changes by itself.
fn reports(env: &TestEnv, since: &str, until: &str) -> BTreeMap<String, Vec<String>> {
    let database = env.duckdb();
    let macros = rows(
        &database,
        "select function_name, array_to_string(parameters, ',') from duckdb_functions() \
         where function_name like 'report_%' and not internal order by 1",
    );
    let mut found = BTreeMap::new();
    for line in macros {
        let (name, parameters) = line.split_once(" | ").unwrap_or((&line, ""));
        let has = |parameter: &str| parameters.split(',').any(|one| one == parameter);
        // The report of freshness has the time of the publication.
        if !has("since") || !has("until") || name == "report_freshness" {
            continue;
        }
        let sql = format!("select * from {name}(since := date '{since}', until := date '{until}')");
        found.insert(name.to_owned(), rows(&database, &sql));
    }
    assert!(found.len() > 25, "{}", found.len());
    found
}

fn is_clean(env: &TestEnv, database: &str) {
    for deep in [&["verify", "--json"][..], &["verify", "--json", "--deep"]] {
        let verified = run(env, database, deep);
        assert_eq!(verified.code, Some(0), "{database}: {}{}", verified.stdout, verified.stderr);
    }
}

#[test]
fn a_database_of_the_last_days_has_the_same_reports_and_parquet_the_same_files() {
    let env = TestEnv::with(&tenant(), unlimited());
    let window = env.window().map(str::to_owned);
    let sync = |database: &str| {
        let mut arguments = vec!["sync", "--summary", "json"];
        arguments.extend(window.iter().map(String::as_str));
        run(&env, database, &arguments).expect_exit(0)
    };
    // Everything at once, with a database from the start that does not hold it.
    let summary = sync("last 16d").summary();
    let totals = ["meetings", "participants", "samples", "rejects"].map(|key| summary[key].as_u64().expect("a count"));
    assert_eq!(env.manifest()["database"], "since 2026-10-08");
    assert_eq!(env.rows("select min(meeting_date) from meetings"), ["2026-10-08"]);
    is_clean(&env, "last 16d");
    let partial = (parquet(&env), reports(&env, "2026-10-17", "2026-10-24"));
    let bytes = |env: &TestEnv| std::fs::metadata(env.store().join("vcq.duckdb")).expect("a database").len();
    let partial_bytes = bytes(&env);

    // The setting takes effect without anything new.
    let calls = env.calls();
    let full = sync("full").summary();
    assert_eq!(env.manifest()["database"], Value::Null);
    assert_eq!(env.calls() - calls, summary["calls"]["meeting_list"].as_u64().expect("calls"), "nothing is new");
    assert_eq!(
        totals,
        ["meetings", "participants", "samples", "rejects"].map(|key| full[key].as_u64().expect("a count"))
    );
    is_clean(&env, "full");
    assert_eq!(parquet(&env), partial.0);
    let whole = reports(&env, "2026-10-17", "2026-10-24");
    for (name, rows) in &whole {
        assert_eq!(partial.1.get(name), Some(rows), "{name}");
    }
    assert!(!whole["report_incidents"].is_empty());
    assert!(bytes(&env) > partial_bytes * 3 / 2, "{} {partial_bytes}", bytes(&env));

    says_what_is_missing(&env, &sync);

    // Back, and to none, and again to some days; a whole rebuild publishes the same.
    for (database, says) in [("last 30d", "since 2026-09-24"), ("off", "off"), ("last 16d", "since 2026-10-08")] {
        sync(database);
        assert_eq!(env.manifest()["database"], says);
        assert_eq!(env.store().join("vcq.duckdb").exists(), database != "off");
        is_clean(&env, database);
        assert_eq!(parquet(&env), partial.0, "{database}");
        run(&env, database, &["rebuild", "--quiet"]).expect_exit(0);
        assert_eq!(env.manifest()["database"], says);
        is_clean(&env, database);
        assert_eq!(parquet(&env), partial.0, "{database}, rebuilt");
    }
    assert_eq!(reports(&env, "2026-10-17", "2026-10-24"), partial.1);
}

/// What commands print when dates or the database are not there.
fn says_what_is_missing(env: &TestEnv, sync: &dyn Fn(&str) -> RunOutput) {
    sync("last 16d");
    let warning =
        "vcq.duckdb holds the dates from 2026-10-08 on, and nothing of the earlier ones from 2026-09-14 to 2026-10-07";
    let report = |arguments: &[&str]| run(env, "last 16d", &[&["report"], arguments].concat()).expect_exit(0).stderr;
    for arguments in [
        &["run", "by-site", "--since", "2026-10-07"][..],
        &["run", "by-site", "--since", "all", "--format", "csv"],
        &["run", "incidents", "--since", "2026-10-09", "--profile", "strict"],
        &["html", "--period", "week", "--date", "2026-10-08", "--out", "page.html"],
    ] {
        assert!(report(arguments).contains(warning), "{arguments:?}: {}", report(arguments));
    }
    let page = std::fs::read_to_string(env.home().join("page.html")).expect("a page");
    assert!(page.contains("vcq.duckdb holds 8 October 2026 and later"));
    for arguments in [&["run", "by-site", "--since", "2026-10-08"][..], &["run", "incidents", "--since", "2026-10-08"]]
    {
        assert_eq!(report(arguments), "", "{arguments:?}");
    }
    let days = env.status(&["--since", "2026-09-14"]).expect_exit(0).summary();
    let early =
        days["coverage"]["days"].as_array().expect("days").iter().find(|day| day["meeting_date"] == "2026-09-15");
    assert!(early.is_some_and(|day| day["meetings"].as_u64() > Some(0)), "status has all dates: {days}");

    sync("off");
    let without = run(env, "off", &["report", "run", "by-site"]).expect_exit(5);
    assert!(
        without.stderr.contains("database = \"off\"") && without.stderr.contains("report export"),
        "{}",
        without.stderr
    );
    let user: Value = run(env, "off", &["status", "--json"]).expect_exit(0).summary();
    assert!(user["newest"]["complete_date"].is_string(), "{user}");
    let wrong = run(env, "last week", &["status"]).expect_exit(2);
    assert!(wrong.stderr.contains("full, off or the last days, such as last 90d"), "{}", wrong.stderr);
}
