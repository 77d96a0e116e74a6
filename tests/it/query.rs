//! `vcq-etl query` on a store that a real sync published.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::test_env::{RunOutput, TestEnv};

fn query(env: &TestEnv, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(&[&["query"], arguments].concat()).output().expect("the binary runs"))
}

fn synced() -> TestEnv {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    env
}

#[test]
fn a_query_and_another_client_read_the_same_rows() {
    let env = synced();
    // Tables and views at once, through a file, because each run of the program takes its time to start.
    let relations = env.rows(
        "select table_name from duckdb_tables() where not internal
         union all select view_name from duckdb_views() where not internal order by 1",
    );
    assert!(relations.len() > 25, "{}", relations.len());
    let counts: Vec<String> =
        relations.iter().map(|name| format!("select '{name}' as name, count(*) as n from {name}")).collect();
    let sql = counts.join("\nunion all\n");
    let file = env.home().join("counts.sql");
    std::fs::write(&file, format!("-- counts\n{sql}\norder by name;\n")).expect("written");
    let printed = query(&env, &["--file", file.to_str().expect("text"), "--format", "csv"]).expect_exit(0).stdout;
    let mut expected: Vec<String> = env.rows(&sql).iter().map(|row| row.replace(" | ", ",")).collect();
    expected.sort();
    let mut found: Vec<&str> = printed.lines().skip(1).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let rows = query(&env, &["from quality_samples", "--format", "json"]).expect_exit(0).stdout;
    let rows: Vec<Value> = serde_json::from_str(&rows).expect("json");
    assert_eq!(rows.len() as i64, env.number("select count(*) from quality_samples"));
    let csv = query(&env, &["from quality_samples", "--format", "csv"]).expect_exit(0).stdout;
    assert_eq!(csv.lines().count(), rows.len() + 1);
}

#[test]
fn sql_comes_through_a_pipe_and_so_do_the_files() {
    let env = synced();
    let mut command = env.vcq(&["query", "-", "--format", "parquet"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all(b"-- all\nfrom meetings;\n").expect("written");
    let piped = child.wait_with_output().expect("ends");
    assert_eq!(piped.status.code(), Some(0));
    let file = env.home().join("meetings.parquet");
    std::fs::write(&file, &piped.stdout).expect("written");
    // It can be joined again.
    let table = format!("before={}", file.display());
    let sql = "select count(*) as n from meetings join before using (meeting_key)";
    let counted = query(&env, &[sql, "--table", &table, "--format", "csv"]).expect_exit(0).stdout;
    assert_eq!(counted, format!("n\n{}\n", env.number("select count(*) from meetings")));
    let left = std::fs::read_dir(env.store().join(".work")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "nothing is left in the store");
}

/// The reader of a query that prints rows without end.
fn endless(env: &TestEnv) -> (std::process::Child, BufReader<std::process::ChildStdout>) {
    let sql = "select range as n, 'x' as filler from range(100000000000)";
    let mut command = env.vcq(&["query", sql, "--format", "csv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    assert_eq!(line, "n,filler\n");
    (child, output)
}

#[track_caller]
fn ended(mut child: std::process::Child) -> (Option<i32>, String) {
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("it is ours") {
            Some(status) => break status,
            None if began.elapsed() > Duration::from_secs(20) => {
                child.kill().expect("it is ours");
                panic!("the query goes on");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    (status.code(), stderr)
}

#[test]
fn a_signal_ends_a_query_and_leaves_nothing() {
    let env = synced();
    let out = env.home().join("out.csv");
    let slow = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7";
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut command = env.vcq(&["query", slow, "--out", out.to_str().expect("text")]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let began = Instant::now();
        // The partial file is there once the signals are listened to.
        while std::fs::read_dir(env.home())
            .expect("a folder")
            .flatten()
            .all(|file| !file.path().ends_with(format!(".out.csv.{}.part", child.id())))
        {
            assert!(began.elapsed() < Duration::from_secs(20), "the query does not begin");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(200));
        let sent = std::process::Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status();
        assert!(sent.expect("sh runs").success());
        let (found, stderr) = ended(child);
        assert_eq!((found, stderr.as_str()), (Some(code), "error: the query was interrupted\n"), "{signal}");
        let left: Vec<_> =
            std::fs::read_dir(env.home()).expect("a folder").flatten().map(|file| file.file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("out.csv")), "{left:?}");
        assert_eq!(std::fs::read_dir(env.store().join(".work")).map_or(0, Iterator::count), 0);
    }
}

#[test]
fn a_query_ends_when_nobody_reads_on() {
    let env = synced();
    let (child, output) = endless(&env);
    drop(output);
    let (code, stderr) = ended(child);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_published_file_stays_as_it_is() {
    let env = synced();
    let database = env.store().join("vcq.duckdb");
    let before = std::fs::read(&database).expect("read");
    for sql in [
        "create table t as select 1",
        "delete from meetings",
        "drop view participant_facts",
        "checkpoint",
        "create schema s",
        "comment on table meetings is 'x'",
        "set enable_external_access = true",
        "attach ':memory:' as m",
    ] {
        let ran = query(&env, &[sql]);
        assert!(ran.code == Some(2) || sql == "checkpoint", "{sql}: {:?} {}", ran.code, ran.stderr);
    }
    assert!(std::fs::read(&database).expect("read") == before, "a query changed the file");
}
