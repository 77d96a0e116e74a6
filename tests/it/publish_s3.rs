//! The copy in a real server for S3 (moto, `make test-publish`): kills, throttling, cut connections and lost answers at
//! every request, large files, expired credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::publish::run;
use crate::rebuild::{all_rows, assert_same_rows};
use crate::support::baseline::print_progress;
use crate::support::s3_proxy::{RequestFault, S3Server};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::{copy_folder, tiny_env};

/// `publish` of the environment's store to a prefix, through the proxy.
fn command(env: &TestEnv, server: &S3Server, prefix: &str) -> Command {
    let mut command = env.vcq(&["publish", &format!("s3://lake/{prefix}"), "--keep", "0s", "--summary", "json"]);
    on_server(&mut command, server);
    command
}

fn on_server(command: &mut Command, server: &S3Server) {
    command
        .env("VCQ_PUBLISH_ENDPOINT", server.endpoint())
        .env("VCQ_PUBLISH_KEY_ID", "id")
        .env("VCQ_PUBLISH_KEY", "key")
        .env("VCQ_PUBLISH_REGION", "us-east-1");
}

/// The files that the manifest of a copy names, each there with its size; `None` without a manifest.
fn seen(server: &S3Server, prefix: &str) -> Option<BTreeSet<(String, u64)>> {
    let manifest: Value = serde_json::from_str(&server.object(&format!("{prefix}/_manifest.json"))?).expect("JSON");
    let objects: BTreeSet<(String, u64)> = server.objects(prefix).into_iter().collect();
    let file = |file: &Value| Some((file["path"].as_str()?.to_owned(), file["bytes"].as_u64()?));
    let files: BTreeSet<_> = manifest["files"].as_array().expect("files").iter().filter_map(file).collect();
    assert!(objects.is_superset(&files), "a reader of {prefix} misses {:?}", files.difference(&objects));
    Some(files)
}

/// What `verify` says of the copy.
fn compared(env: &TestEnv, server: &S3Server, prefix: &str, more: &[&str]) -> Value {
    let target = format!("s3://lake/{prefix}");
    let mut verify = env.vcq(&["verify", "--published", "--json", "--publish-to", &target]);
    on_server(&mut verify, server);
    let checks = run(verify.args(more)).summary()["checks"].as_array().expect("checks").clone();
    checks.into_iter().find(|check| check["check"] == "published-copy").expect("the check")
}

fn names(server: &S3Server, prefix: &str) -> BTreeSet<String> {
    server.objects(prefix).into_iter().map(|(name, _)| name).collect()
}

#[test]
#[ignore = "needs moto: make test-publish"]
fn a_copy_in_s3_survives_a_fault_at_every_request() {
    let server = S3Server::start();
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let (first, second) = (env.home().join("first"), env.home().join("second"));
    let summary = run(&mut command(&env, &server, "whole")).expect_exit(0).summary();
    print_progress(&format!("first publication: {}, {} s", summary["copy"], summary["elapsed_s"]));
    let before = seen(&server, "whole").expect("a manifest");
    copy_folder(&env.store(), &first);
    let date = env.rows("select cast(max(meeting_date) as varchar) from meetings").remove(0);
    run(&mut env.vcq(&["prune", "--before", &date, "--yes"])).expect_exit(0);
    copy_folder(&env.store(), &second);
    let of = |store: &std::path::Path, prefix: &str| {
        let mut command = command(&env, &server, prefix);
        command.env("VCQ_STORE", store);
        command
    };
    server.set_fault(None);
    let summary = run(&mut of(&second, "whole")).expect_exit(0).summary();
    let count = server.requests();
    print_progress(&format!("second publication: {}, {} s, {count} requests", summary["copy"], summary["elapsed_s"]));
    let (after, expected) = (seen(&server, "whole").expect("a manifest"), names(&server, "whole"));
    server.set_fault(None);
    let summary = run(&mut of(&second, "whole")).expect_exit(0).summary();
    let forgets_removed = 5;
    assert_eq!((summary["copy"]["uploaded_bytes"].as_u64(), server.requests()), (Some(0), forgets_removed));

    let (mut tried, mut killed, mut failed) = (0, 0, 0);
    for fault in [
        RequestFault::Kill,
        RequestFault::KillAfter,
        RequestFault::SlowDown,
        RequestFault::Cut,
        RequestFault::LoseAnswer,
        RequestFault::Expire,
    ] {
        for at in 1..=count {
            // Not the name of the fault: object_store takes an answer that contains "SlowDown" for a refusal.
            let prefix = format!("fault-{tried}");
            server.set_fault(None);
            run(&mut of(&first, &prefix)).expect_exit(0);
            server.set_fault(Some((at, fault)));
            let (was_killed, output) = server.run(&mut of(&second, &prefix));
            server.set_fault(None);
            let reader = seen(&server, &prefix).expect("a manifest");
            assert!(reader == before || reader == after, "{fault:?} at request {at}: a mixture");
            let is_kill = matches!(fault, RequestFault::Kill | RequestFault::KillAfter);
            assert_eq!(was_killed, is_kill, "{fault:?} at request {at}");
            if !was_killed {
                let ran = RunOutput::new(output);
                match fault {
                    RequestFault::SlowDown => drop(ran.expect_exit(0)),
                    RequestFault::Expire => drop(ran.expect_exit(3)),
                    _ => assert!(ran.code == Some(0) || ran.code == Some(5), "{fault:?} at {at}: {}", ran.stderr),
                }
                failed += usize::from(ran_failed(&reader, &after));
            }
            let resumed = run(&mut of(&second, &prefix)).expect_exit(0).summary();
            assert_eq!(seen(&server, &prefix).as_ref(), Some(&after), "{resumed}");
            assert_eq!(names(&server, &prefix), expected, "{fault:?} at request {at}: something is left or missing");
            tried += 1;
            killed += usize::from(was_killed);
        }
    }
    print_progress(&format!("{tried} faults, {killed} kills, {failed} runs that ended before their manifest"));
    assert_eq!(killed, 2 * count);
}

/// The rows of a table in the object store, for deltalake and polars.
const READER: &str = "
import sys, deltalake, polars
options = {'AWS_ENDPOINT_URL': sys.argv[2], 'AWS_ALLOW_HTTP': 'true', 'AWS_ACCESS_KEY_ID': 'id',
           'AWS_SECRET_ACCESS_KEY': 'key', 'AWS_REGION': 'us-east-1'}
table = deltalake.DeltaTable(sys.argv[1], storage_options=options).to_pyarrow_dataset()
scan = polars.scan_delta(sys.argv[1], storage_options=options)
print(table.count_rows(), scan.select(polars.len()).collect().item())
";

/// The files of each table after all entries of its Delta log, and the number of entries.
fn logs(server: &S3Server, prefix: &str) -> BTreeMap<String, (BTreeSet<String>, usize)> {
    let mut logs: BTreeMap<String, (BTreeSet<String>, usize)> = BTreeMap::new();
    // By name, so in the order of the versions.
    let names = names(server, prefix);
    for name in &names {
        let Some((table, version)) = name.split_once("/_delta_log/") else { continue };
        let (files, entries) = logs.entry(table.to_owned()).or_default();
        assert_eq!(version, format!("{:020}.json", *entries));
        *entries += 1;
        for line in server.object(&format!("{prefix}/{name}")).expect("an entry").lines() {
            let action: Value = serde_json::from_str(line).expect("JSON");
            if let Some(path) = action["add"]["path"].as_str() {
                assert!(files.insert(path.to_owned()), "{name} adds {path} again");
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(files.remove(path), "{name} removes {path} again");
            }
        }
    }
    for (table, (files, _)) in &logs {
        assert!(files.iter().all(|file| names.contains(&format!("{table}/{file}"))), "{table}: {files:?}");
    }
    logs
}

#[test]
#[ignore = "needs moto: make test-publish"]
fn delta_logs_in_s3_survive_a_kill_at_every_request() {
    let server = S3Server::start();
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    // Gives the store its ID, which its copy shares.
    run(&mut command(&env, &server, "id")).expect_exit(0);
    let first = env.home().join("first");
    copy_folder(&env.store(), &first);
    let date = env.rows("select cast(max(meeting_date) as varchar) from meetings").remove(0);
    run(&mut env.vcq(&["prune", "--before", &date, "--yes"])).expect_exit(0);
    let publish_first = |prefix: &str| {
        let mut command = command(&env, &server, prefix);
        run(command.args(["--format", "delta"]).env("VCQ_STORE", &first)).expect_exit(0).summary()
    };
    // A copy that has logs keeps them, so the second publication needs no flag.
    let second = |prefix: &str| command(&env, &server, prefix);
    publish_first("whole");
    let before = logs(&server, "whole");
    server.set_fault(None);
    let summary = run(&mut second("whole")).expect_exit(0).summary();
    let count = server.requests();
    print_progress(&format!("with Delta logs: {}, {count} requests", summary["copy"]));
    let after = logs(&server, "whole");
    assert_eq!(summary["copy"]["conditional_writes"], true);
    let python = std::env::var("VCQ_DELTA_PYTHON").expect("make test-publish sets VCQ_DELTA_PYTHON");
    let mut reader = Command::new(python);
    reader.args(["-c", READER, "s3://lake/whole/quality_samples", &server.endpoint()]);
    let output = reader.output().expect("Python runs");
    let rows = env.number("select count(*) from quality_samples");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("{rows} {rows}"), "{output:?}");
    for (fault, at) in [RequestFault::Kill, RequestFault::KillAfter]
        .into_iter()
        .flat_map(|fault| (1..=count).map(move |at| (fault, at)))
    {
        let prefix = format!("{fault:?}-{at}");
        server.set_fault(None);
        publish_first(&prefix);
        server.set_fault(Some((at, fault)));
        let (was_killed, _) = server.run(&mut second(&prefix));
        server.set_fault(None);
        assert!(was_killed, "{fault:?} at request {at}");
        for (table, log) in logs(&server, &prefix) {
            assert!(log == before[&table] || log == after[&table], "{table}: {fault:?} at request {at}");
        }
        run(&mut second(&prefix)).expect_exit(0);
        assert_eq!(logs(&server, &prefix), after, "{fault:?} at request {at}");
    }
}

fn ran_failed(reader: &BTreeSet<(String, u64)>, after: &BTreeSet<(String, u64)>) -> bool {
    reader != after
}

#[test]
#[ignore = "needs moto: make test-publish"]
fn a_lost_store_comes_back_from_s3() {
    let server = S3Server::start();
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let summary = run(&mut command(&env, &server, "a/b")).expect_exit(0).summary();
    print_progress(&format!("small tenant: {}, {} s", summary["copy"], summary["elapsed_s"]));
    assert_eq!(summary["copy"]["conditional_writes"], true);
    let rows = all_rows(&env);
    fs::rename(env.store(), env.home().join("lost")).expect("moved");
    for (at, fault) in [(1, RequestFault::Kill), (7, RequestFault::Kill), (9, RequestFault::Cut)] {
        let mut restore = env.vcq(&["rebuild", "--from", "s3://lake/a/b"]);
        on_server(&mut restore, &server);
        server.set_fault(Some((at, fault)));
        let (was_killed, output) = server.run(&mut restore);
        assert!(was_killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    server.set_fault(None);
    if !env.store().join("vcq.duckdb").exists() {
        let mut restore = env.vcq(&["rebuild", "--from", "s3://lake/a/b"]);
        on_server(&mut restore, &server);
        run(&mut restore).expect_exit(0);
    }
    assert_same_rows(&env, &rows, "a restored store");
    let copy = compared(&env, &server, "a/b", &[]);
    // The restored store has a new generation; its files are those of the copy, except for the undated tables.
    assert!(copy["findings"].as_u64() > Some(0));
    run(&mut command(&env, &server, "a/b")).expect_exit(0);
    let copy = compared(&env, &server, "a/b", &["--deep"]);
    assert_eq!(copy["findings"], 0, "{copy}");
}

#[test]
#[ignore = "needs moto: make test-publish"]
fn a_large_file_cut_in_mid_upload_is_sent_again() {
    const BYTES: usize = 40 << 20;
    let server = S3Server::start();
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let path = "quality_samples/meeting_date=2020-01-01/part-large-0.parquet";
    let bytes: Vec<u8> = (0..BYTES as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let file = env.store().join("parquet").join(path);
    fs::create_dir_all(file.parent().expect("a folder")).expect("created");
    fs::write(&file, &bytes).expect("written");
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut manifest = env.manifest();
    manifest["files"].as_array_mut().expect("files").push(json!({
        "table": "quality_samples", "meeting_date": "2020-01-01", "path": path, "rows": 1, "bytes": BYTES,
        "sha256": sha256, "min_time_utc": null, "max_time_utc": null,
    }));
    fs::write(env.store().join("parquet/_manifest.json"), manifest.to_string()).expect("written");
    server.set_fault(None);
    let summary = run(&mut command(&env, &server, "whole")).expect_exit(0).summary();
    let count = server.requests();
    print_progress(&format!("40 MiB: {}, {} s, {count} requests", summary["copy"], summary["elapsed_s"]));
    for (fault, at) in [RequestFault::Kill, RequestFault::KillAfter, RequestFault::Cut]
        .into_iter()
        .flat_map(|fault| (count - 8..=count - 2).step_by(3).map(move |at| (fault, at)))
    {
        let prefix = format!("{fault:?}-{at}");
        server.set_fault(Some((at, fault)));
        server.run(&mut command(&env, &server, &prefix));
        server.set_fault(None);
        if let Some(seen) = seen(&server, &prefix) {
            assert!(seen.contains(&(path.to_owned(), BYTES as u64)));
        }
        run(&mut command(&env, &server, &prefix)).expect_exit(0);
        assert!(seen(&server, &prefix).expect("a manifest").contains(&(path.to_owned(), BYTES as u64)));
    }
    let copy = compared(&env, &server, "whole", &["--deep"]);
    assert_eq!(copy["findings"], 0, "{copy}");
}

#[test]
#[ignore = "needs moto: make test-publish"]
fn a_missing_bucket_and_another_store_are_named() {
    let server = S3Server::start();
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let mut publish = env.vcq(&["publish", "s3://no-such-bucket/vcq"]);
    on_server(&mut publish, &server);
    let ran = run(&mut publish).expect_exit(5);
    assert!(ran.stderr.contains("create the bucket first"), "{}", ran.stderr);
    run(&mut command(&env, &server, "vcq")).expect_exit(0);
    fs::remove_file(env.store().join("state/store_id")).expect("removed");
    let ran = run(&mut command(&env, &server, "vcq")).expect_exit(5);
    assert!(ran.stderr.contains("belongs to another store"), "{}", ran.stderr);
}
