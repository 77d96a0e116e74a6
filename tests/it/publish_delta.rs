//! The Delta logs of a copy: written, continued after kills, without personal data, and read by deltalake, polars and
//! DuckDB (`make test-publish`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::publish::{kill_publications, run};
use crate::support::baseline::print_progress;
use crate::support::test_env::TestEnv;
use crate::support::test_store::{files_below, tiny_env};

fn publish(env: &TestEnv, to: &Path, more: &[&str]) -> Value {
    let to = to.to_str().expect("UTF-8");
    let mut command = env.vcq(&["publish", to, "--format", "delta", "--summary", "json"]);
    run(command.args(more)).expect_exit(0).summary()["copy"].clone()
}

/// The entries of each table's log, by the directory of the table.
fn logs(copy: &Path) -> BTreeMap<String, Vec<String>> {
    let mut logs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files = files_below(copy);
    files.sort();
    // Not the unfinished files of a run that was killed, which readers ignore.
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    for file in files.iter().filter(|file| file.parent().is_some_and(|folder| folder.ends_with("_delta_log"))) {
        let table = file.parent().and_then(Path::parent).and_then(|table| table.strip_prefix(copy).ok());
        let table = table.expect("below").to_string_lossy().into_owned();
        let entries = logs.entry(table).or_default();
        let number = format!("{:020}.json", entries.len());
        assert!(file.ends_with(&number), "{} is not version {number}", file.display());
        entries.push(fs::read_to_string(file).expect("read"));
    }
    logs
}

/// The files of each table after all its entries. Each must be there.
fn seen(copy: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let files = |table: &str, entries: &[String]| {
        let mut files = BTreeSet::new();
        for line in entries.iter().flat_map(|entry| entry.lines()) {
            let action: Value = serde_json::from_str(line).expect("JSON");
            if let Some(path) = action["add"]["path"].as_str() {
                assert!(files.insert(path.to_owned()), "{table}: {path} is added twice");
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(files.remove(path), "{table}: {path} was not there");
            }
        }
        for path in &files {
            assert!(copy.join(table).join(path).is_file(), "{table}/{path} is missing");
        }
        files
    };
    logs(copy).iter().map(|(table, entries)| (table.clone(), files(table, entries))).collect()
}

fn without_first_date(env: &TestEnv) {
    let date = env.rows("select cast(max(meeting_date) as varchar) from meetings").remove(0);
    run(&mut env.vcq(&["prune", "--before", &date, "--yes"])).expect_exit(0);
}

#[test]
fn each_publication_adds_a_version_to_the_tables_it_changes() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let copy = env.home().join("lake");
    let first = publish(&env, &copy, &[]);
    let tables = logs(&copy).len() as u64;
    assert_eq!(first["delta_versions"], tables);
    assert!(tables > 10, "every published table has a log: {tables}");
    let again = publish(&env, &copy, &[]);
    assert_eq!((again["delta_versions"].as_u64(), again["uploaded_files"].as_u64()), (Some(0), Some(0)));
    without_first_date(&env);
    // A copy with logs keeps them, whatever the setting says.
    let second = run(&mut env.vcq(&["publish", copy.to_str().expect("UTF-8"), "--summary", "json"])).expect_exit(0);
    let versions = second.summary()["copy"]["delta_versions"].as_u64().expect("a number");
    assert!(versions > 0 && versions < tables, "{versions} of {tables}");
    let to = copy.to_str().expect("UTF-8");
    run(&mut env.vcq(&["verify", "--published", "--publish-to", to])).expect_exit(0);
    // The logs name the files of the manifest, except for empty files of dated tables.
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(copy.join("_manifest.json")).expect("read")).expect("JSON");
    let files = manifest["files"].as_array().expect("files").iter();
    let named: BTreeSet<String> = files.map(|file| file["path"].as_str().expect("a path").to_owned()).collect();
    let seen: BTreeSet<String> =
        seen(&copy).iter().flat_map(|(table, files)| files.iter().map(move |file| format!("{table}/{file}"))).collect();
    assert_eq!(seen, named);
    // What is kept of the logs may be lost.
    fs::remove_file(copy.join("_delta.json")).expect("removed");
    assert_eq!(publish(&env, &copy, &[])["delta_versions"], 0);
    // A log that is removed begins again; one with a gap is not continued.
    let log = copy.join("meetings/_delta_log");
    fs::rename(&log, env.home().join("log")).expect("moved");
    run(&mut env.vcq(&["verify", "--published", "--publish-to", to])).expect_exit(9);
    assert_eq!(publish(&env, &copy, &[])["delta_versions"], 1);
    fs::rename(log.join(format!("{:020}.json", 0)), log.join(format!("{:020}.json", 7))).expect("moved");
    let refused = run(&mut env.vcq(&["publish", to])).expect_exit(5);
    assert!(refused.stderr.contains("cannot be continued"), "{}", refused.stderr);
}

#[test]
fn logs_contain_no_personal_data() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let copy = env.home().join("lake");
    publish(&env, &copy, &[]);
    let text = logs(&copy).into_values().flatten().collect::<String>();
    let state = fs::read_to_string(copy.join("_delta.json")).expect("read");
    let mut tried = 0;
    for column in
        ["user_id", "participant_name", "employee_id", "email", "phone", "internal_ip", "device", "participant_key"]
    {
        let rows = env.rows(&format!("select distinct {column} from participants where length({column}) > 5"));
        for value in rows {
            assert!(!text.contains(&value) && !state.contains(&value), "{column} {value} is in a log");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
    assert!(text.contains("\\\"sample_time_utc\\\":\\\"20"), "but times are");
}

#[test]
fn a_publication_killed_at_any_file_operation_leaves_whole_tables() {
    let env = tiny_env();
    env.sync(&[]).expect_exit(0);
    let first = env.home().canonicalize().expect("is there").join("first");
    publish(&env, &first, &[]);
    let before = seen(&first);
    without_first_date(&env);
    let lengths = |copy: &Path| logs(copy).into_iter().map(|(table, log)| (table, log.len())).collect::<Vec<_>>();
    kill_publications(
        &env,
        &first,
        |whole| (seen(whole), lengths(whole)),
        |copy, (after, _), of| {
            for (table, files) in seen(copy) {
                assert!(files == before[&table] || files == after[&table], "{table}: {of}");
            }
        },
        |copy, (after, expected), of| {
            assert_eq!(seen(copy), *after, "after {of}");
            assert_eq!(lengths(copy), *expected, "a version too many after {of}");
        },
    );
}

#[test]
#[ignore = "needs readers of Delta from PyPI: make test-publish"]
fn three_readers_find_the_rows_of_the_store() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let readers = |copy: &Path, more: &[&str]| -> Value {
        let program = std::env::var("VCQ_DELTA_PYTHON").expect("make test-publish sets VCQ_DELTA_PYTHON");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/publish/readers.py");
        let output = Command::new(program).arg(script).arg(copy).args(more).output().expect("Python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    let check = |found: &Value| {
        let tables = found["tables"].as_object().expect("tables");
        assert!(tables.len() > 10, "{found}");
        for (table, found) in tables {
            let rows = env.number(&format!("select count(*) from {table}"));
            for reader in ["deltalake", "polars", "duckdb"] {
                assert_eq!(found[reader], rows, "{table} in {reader}");
            }
        }
        assert!(found["bounds"].as_u64() > Some(20), "{found}");
        let columns = found["columns"].as_array().expect("columns").clone();
        let is_known = |name: &str| {
            name.ends_with("_utc") || name.ends_with("_local") || name.ends_with("_key") || name == "incident_id"
        };
        assert!(columns.iter().all(|name| name.as_str().is_some_and(is_known)), "{columns:?}");
        assert!(!columns.contains(&"participant_key".into()));
    };
    let copy = env.home().join("lake");
    publish(&env, &copy, &[]);
    let found = readers(&copy, &[]);
    check(&found);
    let rows = env.number("select count(*) from quality_samples");
    without_first_date(&env);
    publish(&env, &copy, &[]);
    let found = readers(&copy, &[]);
    check(&found);
    print_progress(&format!("readers of Delta: {found}"));
    // Time travel by generation, until the replaced files are removed: then it fails, and is never wrong.
    let versions = |found: &Value| found["tables"]["quality_samples"]["versions"].as_array().expect("versions").clone();
    assert_eq!(versions(&found).len(), 2);
    assert_eq!(versions(&found)[0][1], rows);
    publish(&env, &copy, &["--keep", "0s"]);
    let found = readers(&copy, &[]);
    check(&found);
    assert_eq!(versions(&found)[0][1], Value::Null, "its files are gone");
    let shared = env.home().join("shared");
    publish(&env, &shared, &["--publish-tenant", "acme"]);
    check(&readers(&shared, &["acme"]));
}
