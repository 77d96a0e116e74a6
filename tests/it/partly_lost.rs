//! A date that has lost some of its raw files keeps its published rows, whatever is replaced.

use std::fs;

use crate::replaced_dates::{IDENTITY_DAYS, assert_verified, dates, figures, old_tenant, raw_folders, run};
use crate::stays_replaced::{copy, somebody};
use crate::support::test_env::{TestEnv, unlimited};

/// The kinds of raw files that are lost, one at a time.
const LOST: &[&str] = &["participants", "quality", "meetings"];

fn synced() -> (TestEnv, [String; 2]) {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let days = dates(&env).try_into().expect("two days");
    (env, days)
}

fn lose(env: &TestEnv, kind: &str, date: &str) {
    fs::remove_dir_all(env.store().join(format!("raw/{kind}/meeting_date={date}"))).expect("was there");
}

#[test]
fn forget_keeps_the_rows_of_a_date_without_all_raw_files() {
    for kind in LOST {
        let (env, [_, second]) = synced();
        let (person, before) = (somebody(&env), figures(&env));
        lose(&env, kind, &second);
        let output = run(&mut env.vcq(&["forget", "--user", &person, "--yes"])).expect_exit(5);
        assert!(output.stderr.contains(&second), "{kind}: {}", output.stderr);
        assert_eq!(figures(&env), before, "{kind}");
        let left = format!("select distinct meeting_date from participants where user_id = '{person}'");
        assert_eq!(env.rows(&left), [second.as_str()], "{kind}: replaced on the other date");
    }
}

#[test]
fn identity_days_keeps_the_rows_of_a_date_without_all_raw_files() {
    for kind in LOST {
        for lost in [0, 1] {
            let (env, days) = synced();
            let before = figures(&env);
            lose(&env, kind, &days[lost]);
            let mut sync = env.sync_command(&[]);
            let summary = run(sync.env(IDENTITY_DAYS.0, IDENTITY_DAYS.1)).expect_exit(0).summary();
            let says = ["because raw files are missing", "were replaced"][lost];
            // The sync has fetched the meeting list again, so that nothing is missing any more.
            let is_whole = *kind == "meetings";
            assert!(is_whole || summary["notes"].to_string().contains(says), "{kind} of day {lost}: {summary}");
            assert_eq!(figures(&env), before, "{kind} of day {lost}");
        }
    }
}

#[test]
fn prune_keeps_the_rows_of_a_later_date_without_all_raw_files() {
    for kind in LOST {
        let (env, [first, second]) = synced();
        let of_first = |row: &String| row.starts_with(&first);
        let before: Vec<Vec<String>> =
            figures(&env).into_iter().map(|rows| rows.into_iter().filter(|row| !of_first(row)).collect()).collect();
        lose(&env, kind, &second);
        run(&mut env.vcq(&["prune", "--before", &second, "--yes"])).expect_exit(0);
        assert_eq!(figures(&env), before, "{kind}");
    }
}

#[test]
fn a_rebuild_after_an_old_backup_keeps_the_rows_of_a_date_without_all_raw_files() {
    for kind in LOST {
        let (env, [first, second]) = synced();
        let (person, before) = (somebody(&env), figures(&env));
        let backup = env.store().with_extension("backup");
        copy(&env.store().join("raw"), &backup);
        run(&mut env.vcq(&["forget", "--user", &person, "--yes"])).expect_exit(0);
        assert_verified(&env);
        fs::remove_dir_all(env.store().join("raw")).expect("removed");
        copy(&backup, &env.store().join("raw"));
        lose(&env, kind, &second);
        assert!(raw_folders(&env, &first).contains(&person));
        let rebuilt = run(&mut env.vcq(&["rebuild", "--summary", "json"])).expect_exit(0).summary();
        let notes = rebuilt["notes"].to_string();
        assert!(notes.contains("raw files of 1 date were not searched"), "{kind}: {rebuilt}");
        assert!(!raw_folders(&env, &first).contains(&person), "{kind}: replaced again");
        assert_eq!(figures(&env), before, "{kind}");
        // What was not searched is found.
        let found = run(&mut env.vcq(&["verify", "--deep"]));
        let has_person = raw_folders(&env, &second).contains(&person);
        assert_eq!(found.stdout.contains("identifies somebody"), has_person, "{kind}: {}", found.stdout);
    }
}
