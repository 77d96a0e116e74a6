//! The copy of the dataset in a directory: what is copied, removed, compared and restored, also after kills; and what
//! the answers of an object store lead to. `publish_s3` does the same with a server for S3.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::rebuild::{all_rows, assert_same_rows};
use crate::support::fault_injection::{Action, Fault, operations, preload};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::{copy_folder, files_below, tiny_env};

pub(crate) fn run(command: &mut Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

fn publish(env: &TestEnv, to: &Path, more: &[&str]) -> Value {
    let to = to.to_str().expect("UTF-8");
    let mut command = env.vcq(&["publish", to, "--summary", "json"]);
    let summary = run(command.args(more)).expect_exit(0).summary();
    summary["copy"].clone()
}

/// The files that the manifest of a copy names. Each must be there with its size.
fn named(copy: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(copy.join("_manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("JSON");
    let files = manifest["files"].as_array().expect("files").iter().map(|file| {
        let path = file["path"].as_str().expect("a path").to_owned();
        let bytes = fs::metadata(copy.join(&path)).unwrap_or_else(|_| panic!("{path} is missing")).len();
        assert_eq!(file["bytes"], bytes, "{path}");
        path
    });
    files.collect()
}

fn all_names(copy: &Path) -> BTreeSet<String> {
    let below = |path: &Path| path.strip_prefix(copy).expect("below").to_string_lossy().into_owned();
    files_below(copy).iter().map(|path| below(path)).collect()
}

#[test]
fn a_copy_is_compared_restored_and_continued() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let copy = env.home().join("lake");
    let first = publish(&env, &copy, &[]);
    assert_eq!((first["uploaded_files"].as_u64(), first["removed_files"].as_u64()), (first["files"].as_u64(), Some(0)));
    let again = publish(&env, &copy, &[]);
    assert_eq!((again["uploaded_files"].as_u64(), again["uploaded_bytes"].as_u64()), (Some(0), Some(0)));
    assert_eq!(named(&copy).len() as u64, first["files"]);
    let to = copy.to_str().expect("UTF-8").to_owned();
    let verify = |more: &[&str]| run(env.vcq(&["verify", "--json", "--publish-to", &to]).args(more));
    let checks = |ran: RunOutput| -> BTreeMap<String, u64> {
        let checks = ran.summary()["checks"].as_array().expect("checks").clone();
        let findings = |check: &Value| Some((check["check"].as_str()?.to_owned(), check["findings"].as_u64()?));
        checks.iter().filter_map(findings).collect()
    };
    assert!(!checks(verify(&[]).expect_exit(0)).contains_key("published-copy"));
    assert_eq!(checks(verify(&["--published"]).expect_exit(0))["published-copy"], 0);

    // A reader gets exactly the files of the manifest.
    let reader = duckdb::Connection::open_in_memory().expect("DuckDB");
    let sql = format!(
        "set variable files = (select list('{to}/' || file.path)
            from (select unnest(files) as file from read_json('{to}/_manifest.json'))
            where file.\"table\" = 'quality_samples');
         create view samples as select * from read_parquet(getvariable('files'), hive_partitioning = true)"
    );
    reader.execute_batch(&sql).expect("the query of docs/SCALE.md");
    let count = |sql: &str| reader.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql);
    assert_eq!(count("select count(*) from samples"), env.number("select count(*) from quality_samples"));

    // The store is lost.
    let rows = all_rows(&env);
    fs::rename(env.store(), env.home().join("lost")).expect("moved");
    let restored = run(&mut env.vcq(&["rebuild", "--from", &to, "--summary", "json"])).expect_exit(0).summary();
    assert_eq!(restored["fetched_files"], first["files"]);
    assert_same_rows(&env, &rows, "a restored store");
    assert_eq!(checks(verify(&["--published"]))["rows"], 0);
    let refused = run(&mut env.vcq(&["rebuild", "--from", &to])).expect_exit(5);
    assert!(refused.stderr.contains("has data of its own"), "{}", refused.stderr);
    // It is the same store, and goes on.
    let next = publish(&env, &copy, &["--keep", "0s"]);
    assert!(next["generation"].as_u64() > first["generation"].as_u64());
    env.sync(&[]).expect_exit(0);
    assert_same_rows(&env, &rows, "a sync after it");
    publish(&env, &copy, &["--keep", "0s"]);

    let part = named(&copy).into_iter().find(|path| path.starts_with("meetings/")).expect("a part");
    let bytes = fs::read(copy.join(&part)).expect("read");
    fs::write(copy.join(&part), vec![0; bytes.len()]).expect("written");
    assert_eq!(checks(verify(&["--published"]))["published-copy"], 0, "sizes only");
    assert_eq!(checks(verify(&["--published", "--deep"]).expect_exit(9))["published-copy"], 1);
    fs::remove_file(copy.join(&part)).expect("removed");
    assert_eq!(checks(verify(&["--published"]).expect_exit(9))["published-copy"], 1);
    publish(&env, &copy, &[]);
    assert_eq!(fs::read(copy.join(&part)).expect("read"), bytes);
}

/// The raw files below a directory, with their bytes.
fn raw_log(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let raw = folder.join("raw");
    let file = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&raw).expect("below").to_string_lossy().into_owned();
        (name, fs::read(path).expect("read"))
    };
    files_below(&raw).iter().map(file).collect()
}

#[test]
fn a_lost_store_is_rebuilt_from_the_raw_log_in_its_copy() {
    let mut env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let copy = env.home().join("lake");
    assert!(publish(&env, &copy, &[])["raw"].is_null() && !copy.join("raw").exists());
    let to = copy.to_str().expect("UTF-8").to_owned();
    let without = run(&mut env.vcq(&["rebuild", "--from", &to, "--with-raw", "--store", "new"])).expect_exit(5);
    assert!(without.stderr.contains("does not contain the raw log"), "{}", without.stderr);
    let sent = publish(&env, &copy, &["--publish-raw"]);
    assert_eq!(sent["raw"]["uploaded_files"], raw_log(&env.store()).len());
    assert_eq!(raw_log(&copy), raw_log(&env.store()));
    // Replaced raw files are replaced in the copy at once, also without the setting.
    let user = env.rows("select user_id from participants where user_id is not null order by all limit 1").remove(0);
    run(&mut env.vcq(&["forget", "--user", &user, "--yes"])).expect_exit(0);
    let before = raw_log(&copy);
    let sent = publish(&env, &copy, &[]);
    assert!(sent["raw"]["uploaded_files"].as_u64() > Some(0), "{sent}");
    assert_eq!(raw_log(&copy), raw_log(&env.store()));
    assert_ne!(raw_log(&copy), before);
    run(&mut env.vcq(&["verify", "--published", "--deep", "--publish-to", &to])).expect_exit(0);

    let rows = all_rows(&env);
    fs::rename(env.store(), env.home().join("lost")).expect("moved");
    env.advance_clocks(60);
    run(&mut env.vcq(&["rebuild", "--from", &to, "--with-raw"])).expect_exit(0);
    assert_eq!(raw_log(&env.store()), raw_log(&copy));
    assert_same_rows(&env, &rows, "a store rebuilt from the raw log");
    run(&mut env.vcq(&["verify"])).expect_exit(0);
    run(&mut env.vcq(&["rebuild"])).expect_exit(0);
    assert_same_rows(&env, &rows, "another rebuild");
    publish(&env, &copy, &[]);
    // A store without the raw log leaves that in the copy alone.
    let kept = raw_log(&copy);
    fs::remove_dir_all(env.store()).expect("removed");
    let restored = run(&mut env.vcq(&["rebuild", "--from", &to])).expect_exit(0);
    assert!(restored.stderr.contains("it was not restored"), "{}", restored.stderr);
    publish(&env, &copy, &[]);
    assert_eq!(raw_log(&copy), kept);
}

#[test]
fn a_lost_store_of_tokens_is_restored_and_needs_its_key_to_go_on() {
    let mut env = tiny_env();
    let pseudonym = |command: &mut Command| run(command.env("VCQ_IDENTITY", "pseudonym"));
    pseudonym(&mut env.sync_command(&[])).expect_exit(0);
    let copy = env.home().join("lake");
    let to = copy.to_str().expect("UTF-8").to_owned();
    pseudonym(&mut env.vcq(&["publish", &to, "--publish-raw"])).expect_exit(0);
    let (rows, raw) = (all_rows(&env), raw_log(&env.store()));
    let key = env.store().join("state/identity.key");
    let text = fs::read_to_string(&key).expect("a key");
    let in_copy =
        |path: &std::path::PathBuf| String::from_utf8_lossy(&fs::read(path).expect("read")).contains(text.trim());
    assert!(!files_below(&copy).iter().any(in_copy), "the key is not in the copy");

    fs::remove_dir_all(env.store()).expect("removed");
    env.advance_clocks(60);
    let restored = pseudonym(&mut env.vcq(&["rebuild", "--from", &to, "--with-raw"])).expect_exit(0);
    assert!(restored.stderr.contains("put state/identity.key back"), "{}", restored.stderr);
    assert_eq!(raw_log(&env.store()), raw);
    assert_same_rows(&env, &rows, "a store of tokens, rebuilt from the raw log in its copy");
    assert!(!key.exists(), "no other key is made");
    pseudonym(&mut env.vcq(&["verify"])).expect_exit(0);

    // Without its key, or with another one, it is not continued: one person would become two.
    let without = pseudonym(&mut env.sync_command(&[])).expect_exit(5);
    assert!(without.stderr.contains("the identity key is missing"), "{}", without.stderr);
    fs::write(&key, "08".repeat(32)).expect("written");
    let other = pseudonym(&mut env.sync_command(&[])).expect_exit(5);
    assert!(other.stderr.contains("is not the identity key of this store"), "{}", other.stderr);
    fs::write(&key, &text).expect("written");
    pseudonym(&mut env.sync_command(&["--refetch"])).expect_exit(0);
    let people = |env: &TestEnv| env.number("select count(distinct user_id) from participants");
    let before = people(&env);
    assert!(before > 0);
    pseudonym(&mut env.vcq(&["rebuild"])).expect_exit(0);
    assert_eq!(people(&env), before, "the same tokens");
    pseudonym(&mut env.vcq(&["verify", "--deep"])).expect_exit(0);
}

#[test]
fn two_stores_publish_below_one_prefix() {
    let (acme, beta) = (tiny_env(), tiny_env());
    let lake = acme.home().join("lake");
    let to = lake.to_str().expect("UTF-8");
    for (env, tenant) in [(&acme, "acme"), (&beta, "beta")] {
        env.sync(&["--publish-to", to, "--publish-tenant", tenant]).expect_exit(0);
        let copied = publish(env, &lake, &["--publish-tenant", tenant, "--keep", "0s"]);
        assert_eq!((copied["tenant"].as_str(), copied["uploaded_files"].as_u64()), (Some(tenant), Some(0)));
        let verify = ["verify", "--published", "--deep", "--json", "--publish-to", to, "--publish-tenant", tenant];
        run(&mut env.vcq(&verify)).expect_exit(0);
    }
    let top = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(top(&lake.join("meetings")), ["tenant=acme", "tenant=beta"].map(str::to_owned).into());
    assert!(!top(&lake).iter().any(|name| name.ends_with(".json")), "{:?}", top(&lake));
    let reader = duckdb::Connection::open_in_memory().expect("DuckDB");
    let sql = format!(
        "select count(*) filter (tenant = 'acme'), count(*) from read_parquet('{to}/participants/*/*/*.parquet',
            hive_partitioning = true)"
    );
    let counts: (i64, i64) = reader.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
    let [of_acme, of_beta] = [&acme, &beta].map(|env| env.number("select count(*) from participants"));
    assert_eq!(counts, (of_acme, of_acme + of_beta));
    // Neither the other tenant nor a store without one writes there.
    let publish_as = |env: &TestEnv, more: &[&str]| run(env.vcq(&["publish", to]).args(more)).expect_exit(5).stderr;
    assert!(publish_as(&acme, &["--publish-tenant", "beta"]).contains("belongs to another store"));
    assert!(publish_as(&acme, &[]).contains("has copies of tenants"));
    assert!(publish_as(&acme, &["--publish-tenant", "a/b"]).contains("cannot be the tenant of a copy"));
    let doctor = |more: &[&str]| -> String {
        let ran = run(acme.vcq(&["doctor", "--json", "--publish-to", to]).args(more));
        let checks = ran.summary()["checks"].as_array().expect("checks").clone();
        let check = checks.into_iter().find(|check| check["name"] == "publish_to").expect("the check");
        check["state"].as_str().expect("a state").to_owned()
    };
    let states = [doctor(&["--publish-tenant", "acme"]), doctor(&["--publish-tenant", "beta"]), doctor(&[])];
    assert_eq!(states, ["ok", "warning", "failed"]);
    let rows = all_rows(&beta);
    fs::remove_dir_all(beta.store()).expect("removed");
    run(&mut beta.vcq(&["rebuild", "--from", to, "--publish-tenant", "beta"])).expect_exit(0);
    assert_same_rows(&beta, &rows, "a restored tenant");
}

#[test]
fn a_sync_copies_at_its_end_and_a_failed_copy_loses_nothing() {
    let env = tiny_env();
    let copy = env.home().join("lake");
    fs::write(&copy, "a file").expect("written");
    let to = copy.to_str().expect("UTF-8");
    let failed = env.sync(&["--publish-to", to]).expect_exit(5);
    assert!(failed.stderr.contains("cannot create the directory"), "{}", failed.stderr);
    assert!(failed.summary()["generation"].as_u64() > Some(0), "the store itself is published");
    let holes = || env.status(&[]).expect_exit(0).summary()["not_covered"][0]["since_utc"].clone();
    let holes_after_failure = holes();
    let mut sync = env.vcq(&["sync", "--publish-to", to]);
    let text = run(sync.args(env.window())).expect_exit(5);
    assert!(text.stdout.contains("published, but the copy in the object store failed"), "{}", text.stdout);
    fs::remove_file(&copy).expect("removed");
    let summary = env.sync(&["--publish-to", to]).expect_exit(0).summary();
    assert_eq!(holes(), holes_after_failure, "the window was covered");
    assert_eq!(summary["copy"]["generation"], summary["generation"]);
    assert_eq!(summary["copy"]["files"], named(&copy).len());
    let ordinary = env.sync(&[]).expect_exit(0).summary();
    assert!(ordinary.get("copy").is_none());
}

#[test]
fn a_forgotten_person_is_gone_from_the_copy_after_the_time_to_keep() {
    let mut env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let copy = env.home().join("lake");
    publish(&env, &copy, &[]);
    let user = env.rows("select user_id from participants where user_id is not null order by all limit 1").remove(0);
    let has_person = |copy: &Path| {
        let reader = duckdb::Connection::open_in_memory().expect("DuckDB");
        let sql = format!(
            "select count(*) from read_parquet('{}/participants/*/*.parquet') where user_id = ?",
            copy.display()
        );
        reader.query_row(&sql, [&user], |row| row.get::<_, i64>(0)).expect("read") > 0
    };
    assert!(has_person(&copy));
    let forgotten = run(&mut env.vcq(&["forget", "--user", &user, "--yes"])).expect_exit(0);
    assert!(forgotten.stderr.contains("the copy in"), "forget says so:\n{}", forgotten.stderr);
    let replaced = publish(&env, &copy, &[]);
    assert!(replaced["replaced_files"].as_u64() > Some(0) && replaced["removed_files"] == 0, "{replaced}");
    assert!(has_person(&copy), "readers may still use the old files");
    env.advance_clocks(6 * 86_400);
    publish(&env, &copy, &[]);
    assert!(has_person(&copy));
    env.advance_clocks(86_401);
    publish(&env, &copy, &[]);
    assert!(!has_person(&copy));
    assert_eq!(
        all_names(&copy).iter().filter(|name| name.ends_with(".parquet")).cloned().collect::<BTreeSet<_>>(),
        named(&copy)
    );
}

/// Publishes over copies of `first`: one undisturbed, which gives what is expected, and others with a kill at one of
/// the file operations each, completed by the next run.
pub(crate) fn kill_publications<T>(
    env: &TestEnv,
    first: &Path,
    undisturbed: impl Fn(&Path) -> T,
    after_kill: impl Fn(&Path, &T, &str),
    completed: impl Fn(&Path, &T, &str),
) {
    const KILLS: usize = 24;
    let copy_of_first = |name: &str| {
        let copy = env.home().canonicalize().expect("is there").join(name);
        copy_folder(first, &copy);
        copy
    };
    let command = |copy: &Path| env.vcq(&["publish", copy.to_str().expect("UTF-8"), "--keep", "0s"]);
    let whole = copy_of_first("whole");
    let log = env.home().join("operations");
    let mut logged = command(&whole);
    preload(&mut logged, &whole, Some(&log), None);
    run(&mut logged).expect_exit(0);
    let expected = undisturbed(&whole);
    let count = operations(&log, &whole).len();
    assert!(count > KILLS, "{count}");
    for kill in 0..KILLS {
        let at = 1 + kill * count / KILLS;
        let of = format!("a kill at operation {at}");
        let copy = copy_of_first(&format!("kill-{at}"));
        let mut killed = command(&copy);
        preload(&mut killed, &copy, None, Some(&Fault::at(Action::Kill, at)));
        assert_eq!(run(&mut killed).code, None, "{of}");
        after_kill(&copy, &expected, &of);
        run(&mut command(&copy)).expect_exit(0);
        completed(&copy, &expected, &of);
    }
}

#[test]
fn a_copy_killed_at_any_file_operation_is_completed_by_the_next() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let first = env.home().canonicalize().expect("is there").join("first");
    publish(&env, &first, &[]);
    let before = named(&first);
    let date = env.rows("select cast(max(meeting_date) as varchar) from meetings").remove(0);
    run(&mut env.vcq(&["prune", "--before", &date, "--yes"])).expect_exit(0);
    kill_publications(
        &env,
        &first,
        |whole| {
            let after = named(whole);
            assert_ne!(before, after);
            (after, all_names(whole))
        },
        |copy, (after, _), of| {
            let seen = named(copy);
            assert!(seen == before || seen == *after, "{of}");
        },
        |copy, (_, expected), of| assert_eq!(all_names(copy), *expected, "after {of}"),
    );
}

#[test]
fn bad_targets_are_named() {
    let env = tiny_env();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        for language in ["en", "zh"] {
            let mut command = env.vcq(&["publish", "--language", language]);
            let ran = run(command.args(arguments)).expect_exit(code);
            let said = ran.stderr.contains(words) || language == "zh" && ran.stderr.contains("错误：");
            assert!(said && !ran.stderr.contains("sEcReT"), "{words} is missing in:\n{}", ran.stderr);
        }
    };
    refused(&[], 2, "publish_to is not set");
    refused(&["oss://lake/vcq"], 5, "oss is not a supported scheme");
    refused(&["s3:///vcq"], 5, "it names no bucket");
    refused(&["s3://id:sEcReT@lake/vcq"], 5, "it names no bucket");
    refused(&["s3://lake/a/../b"], 5, "the prefix is not valid");
    refused(&["s3://lake/vcq", "--publish-key-id", "id"], 2, "publish_key_file is not");
    refused(&["s3://lake/vcq", "--publish-key", "sEcReT"], 2, "publish_key_id is not");
    refused(&["s3://lake/vcq", "--publish-endpoint", "http://example.com"], 2, "plain HTTP");
    refused(&["s3://lake/vcq", "--keep", "soon"], 2, "such as 7d");
    let copy = env.home().join("lake");
    refused(&[copy.to_str().expect("UTF-8")], 5, "is not a vcq-etl store");
    env.sync(&[]).expect_exit(0);
    publish(&env, &copy, &[]);
    let to = copy.to_str().expect("UTF-8");
    let file = fs::read_to_string(copy.join("_store.json")).expect("read");
    let mut other: Value = serde_json::from_str(&file).expect("JSON");
    other["store_id"] = "other".into();
    fs::write(copy.join("_store.json"), other.to_string()).expect("written");
    refused(&[to], 5, "belongs to another store");
    fs::write(copy.join("_store.json"), "{").expect("written");
    refused(&[to], 5, "is not a JSON file that vcq-etl wrote");
    fs::write(copy.join("_store.json"), file).expect("written");
    let manifest = fs::read_to_string(copy.join("_manifest.json")).expect("read");
    let newer = manifest.replacen("{\"generation\":", "{\"generation\":9", 1);
    fs::write(copy.join("_manifest.json"), newer).expect("written");
    refused(&[to], 5, "but this store only has generation");
    let nothing = run(&mut env.vcq(&["rebuild", "--from", "nowhere", "--store", "new"])).expect_exit(5);
    assert!(nothing.stderr.contains("has no published dataset"), "{}", nothing.stderr);
}

/// A server that gives every request the same answer; if an object is missing, lists are empty. Returns its origin.
pub(crate) fn answering(status: &'static str, code: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message></Error>");
    let answer = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    };
    let empty_list = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let (refused, listed) = (answer(status, &body), answer("200 OK", empty_list));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 65_536];
            let length = stream.read(&mut request).unwrap_or_default();
            let is_list = String::from_utf8_lossy(&request[..length]).contains("list-type=2");
            let answer = if is_list && code == "NoSuchKey" { &listed } else { &refused };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    origin
}

#[test]
fn each_refusal_of_an_object_store_has_its_message_and_exit_code() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    for (status, code, exit, words) in [
        ("403 Forbidden", "AccessDenied", 5, "to read, write and remove objects"),
        ("403 Forbidden", "InvalidAccessKeyId", 3, "renew the credentials"),
        ("403 Forbidden", "SignatureDoesNotMatch", 3, "renew the credentials"),
        ("400 Bad Request", "ExpiredToken", 3, "renew the credentials"),
        ("403 Forbidden", "RequestTimeTooSkewed", 5, "correct this machine's clock"),
        ("404 Not Found", "NoSuchBucket", 5, "create the bucket first"),
        ("301 Moved Permanently", "PermanentRedirect", 5, "set publish_region"),
        ("503 Service Unavailable", "SlowDown", 5, "is throttling"),
    ] {
        let origin = answering(status, code);
        let mut publish = env.vcq(&["publish", "s3://lake/vcq", "--publish-endpoint", &origin, "--max-tries", "2"]);
        publish.env("VCQ_PUBLISH_KEY_ID", "id").env("VCQ_PUBLISH_KEY", "sEcReT-Zq9").env("VCQ_PUBLISH_REGION", "r");
        let ran = run(&mut publish).expect_exit(exit);
        for word in ["cannot read s3://lake/vcq/_store.json", words] {
            assert!(ran.stderr.contains(word), "{code}: {word:?} is missing in:\n{}", ran.stderr);
        }
        assert!(!ran.stderr.contains("sEcReT"), "{}", ran.stderr);
    }
    let doctor = |origin: &str| {
        let mut doctor = env.vcq(&["doctor", "--json", "--publish-to", "s3://lake/vcq", "--publish-endpoint", origin]);
        doctor.env("AWS_ACCESS_KEY_ID", "id").env("AWS_SECRET_ACCESS_KEY", "key").env("VCQ_MAX_TRIES", "1");
        let ran = run(&mut doctor);
        let checks = ran.summary()["checks"].as_array().expect("checks").clone();
        let check = checks.into_iter().find(|check| check["name"] == "publish_to").expect("the check");
        (ran.code, check["state"].as_str().expect("a state").to_owned())
    };
    assert_eq!(doctor(&answering("403 Forbidden", "InvalidAccessKeyId")), (Some(3), "failed".to_owned()));
    assert_eq!(doctor(&answering("404 Not Found", "NoSuchKey")), (Some(0), "ok".to_owned()));
}
