//! What others put into `vcq.duckdb`: the way that lasts, and what happens to the rest.

use std::fs;

use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::open_for_writing;

#[test]
fn a_sync_rebuilds_a_changed_database_and_names_what_it_drops() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let meetings = env.number("select count(*) from meetings");
    let database = open_for_writing(&env.store());
    database
        .execute_batch("create table my_notes (a int); create view mine as select 1 as one; delete from meetings")
        .expect("changed");
    drop(database);
    let ran = RunOutput::new(env.vcq(&["sync", "--since", "30d"]).output().expect("runs")).expect_exit(0);
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("vcq.duckdb was changed after it was published"), "{}", ran.stdout);
    assert!(said.contains("dropped table my_notes, view mine") && said.contains("views_dir"), "{}", ran.stdout);
    assert_eq!(env.number("select count(*) from meetings"), meetings);
    let again = RunOutput::new(env.vcq(&["sync", "--since", "30d"]).output().expect("runs")).expect_exit(0);
    let said = again.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!said.contains("dropped") && !said.contains("was changed"), "{}", again.stdout);
}

#[test]
fn files_of_views_dir_are_installed_by_every_sync() {
    let env = TestEnv::new();
    let folder = env.store().with_file_name("views");
    fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, sql: &str| fs::write(folder.join(name), sql).expect("written");
    write(
        "10_good.sql",
        "create table counted as select count(*) as n from meetings;\ncreate view twice as select 2 * n as n from custom.counted",
    );
    write("20_broken.sql", "create view one as select 1 as n;\n\ncreate view two as select x from meetings");
    write("30_refused.sql", "copy meetings to 'meetings.csv'");
    let dir = folder.to_str().expect("text");
    let sync = || {
        let command = ["sync", "--since", "30d", "--views-dir", dir];
        let ran = RunOutput::new(env.vcq(&command).output().expect("runs")).expect_exit(0);
        ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said = sync();
    assert!(said.contains("20_broken.sql, line 3: Binder Error"), "{said}");
    assert!(said.contains("30_refused.sql, line 1: only create view"), "{said}");
    let meetings = env.number("select count(*) from meetings");
    assert_eq!(env.number("select n from custom.twice"), 2 * meetings);
    let doctor = RunOutput::new(env.vcq(&["doctor", "--views-dir", dir]).output().expect("runs"));
    assert!(doctor.stdout.contains("20_broken.sql, line 3"), "{}", doctor.stdout);
    // No row changes, but a file does.
    write("20_broken.sql", "create view one as select 1 as n");
    fs::remove_file(folder.join("30_refused.sql")).expect("removed");
    let said = sync();
    assert!(!said.contains(".sql"), "{said}");
    assert_eq!(env.number("select n from custom.one"), 1);
    assert_eq!(env.number("select n from custom.twice"), 2 * meetings);
    let run = |command: &[&str]| RunOutput::new(env.vcq(command).output().expect("runs")).expect_exit(0);
    run(&["verify", "--views-dir", dir]);
    run(&["verify"]);
    // A reader need not have the setting of the publisher.
    let read = run(&["report", "run", "coverage"]);
    assert!(!read.stderr.contains("was published with other"), "{}", read.stderr);
    run(&["rebuild", "--views-dir", dir]);
    assert_eq!(env.number("select n from custom.one"), 1);
    run(&["verify", "--views-dir", dir]);
    run(&["verify"]);
}

#[test]
fn the_json_summary_has_the_notes_of_a_quiet_sync() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let database = open_for_writing(&env.store());
    database.execute_batch("create table my_notes (a int)").expect("changed");
    drop(database);
    let folder = env.store().with_file_name("views");
    fs::create_dir(&folder).expect("a folder");
    fs::write(folder.join("10_broken.sql"), "create view one as select x from meetings").expect("written");
    let command = ["sync", "--since", "30d", "--quiet", "--summary", "json", "--views-dir"];
    let mut command = env.vcq(&command);
    let ran = RunOutput::new(command.arg(&folder).output().expect("runs")).expect_exit(0);
    assert_eq!(ran.stderr, "");
    let notes = ran.summary()["notes"].to_string();
    assert!(notes.contains("dropped table my_notes") && notes.contains("10_broken.sql, line 1: Binder"), "{notes}");
}
