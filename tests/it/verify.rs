//! `verify`: a store is clean after a sync and during one, and every kind of damage is found by its check.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::damage::{edit_manifest, raw_file, same_change_everywhere, sql};
use crate::support::tampering::{TAMPERINGS, Tampering};
use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::copy_folder;

fn synced_env() -> TestEnv {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    env
}

/// A copy of a synced store, to be damaged.
struct StoreCopy {
    _folder: tempfile::TempDir,
    store: PathBuf,
}

impl StoreCopy {
    fn new(env: &TestEnv) -> StoreCopy {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        copy_folder(&env.store(), &store);
        StoreCopy { _folder: folder, store }
    }
}

fn run(env: &TestEnv, store: &Path, more: &[&str]) -> RunOutput {
    let mut command = env.vcq(&["verify"]);
    RunOutput::new(command.args(more).env("VCQ_STORE", store).output().expect("the binary runs"))
}

fn report(env: &TestEnv, store: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let ran = run(env, store, &[&["--json"], more].concat());
    let value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("no report ({error}):\n{}\n{}", ran.stdout, ran.stderr));
    (ran.code, value)
}

/// Names of the checks with findings.
fn failed_checks(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().filter(|check| check["findings"].as_u64() > Some(0));
    found.map(|check| check["check"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_synced_store_is_clean_also_with_deep() {
    let env = synced_env();
    let (code, report) = report(&env, &env.store(), &["--deep"]);
    assert_eq!((code, &report["findings"]), (Some(0), &Value::from(0)), "{report:#}");
    for check in report["checks"].as_array().expect("checks") {
        assert_eq!(check["not_checked"], Value::Null, "{check:#}");
        // Nobody's identity is replaced in this store.
        let examines_nothing = check["check"] == "identities";
        assert_eq!(check["examined"].as_u64() == Some(0), examines_nothing, "{check:#}");
    }
    assert_eq!(report["generation"], env.manifest()["generation"]);
    let work = fs::read_dir(env.store().join(".work")).expect("listed").count();
    assert_eq!(work, 0, "nothing is left behind");
    let text = run(&env, &env.store(), &[]).expect_exit(0).stdout;
    assert!(text.contains("No findings.") && text.contains("coverage-counts"), "{text}");
}

#[test]
fn gaps_are_not_findings() {
    // Refusals, failures and a run that stopped early leave gaps, which are not damage.
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:code=121004@every=7", "participant_quality_list:html@every=11"]);
    let mut command = env.sync_command(&["--max-calls", "150"]);
    command.env("VCQ_MAX_TRIES", "1");
    RunOutput::new(command.output().expect("runs")).expect_exit(8);
    for round in 0..2 {
        let (code, report) = report(&env, &env.store(), &["--deep"]);
        assert_eq!(code, Some(0), "{round}: {report:#}");
        let mut command = env.sync_command(&[]);
        command.env("VCQ_MAX_TRIES", "1");
        RunOutput::new(command.output().expect("runs"));
    }
}

#[test]
fn a_running_sync_is_not_a_finding() {
    let env = TestEnv::new();
    env.change(|options| options.latency = Duration::from_millis(60));
    let mut seen = Vec::new();
    for more in [&[][..], &["--refetch"]] {
        let mut command = env.sync_command(more);
        // Few requests in flight, so that the sync lasts long enough for several checks.
        command.env("VCQ_PUBLISH_EVERY", "200ms").env("VCQ_CONCURRENCY", "4").stdout(std::process::Stdio::null());
        let mut sync = command.stderr(std::process::Stdio::null()).spawn().expect("starts");
        let mut rounds = 0;
        while sync.try_wait().expect("polled").is_none() {
            // The first run creates the folder early.
            if env.store().join("raw").exists() {
                let deep = if rounds % 3 == 2 { &["--deep"][..] } else { &[] };
                let (code, report) = report(&env, &env.store(), deep);
                assert_eq!(code, Some(0), "{report:#}");
                seen.push(report["generation"].as_u64());
                rounds += 1;
            }
        }
        assert!(sync.wait().expect("ended").success());
        assert!(rounds > 1, "verify ran during the sync");
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 1, "more than one generation was seen: {seen:?}");
}

#[test]
fn every_kind_of_damage_is_found_by_its_check() {
    let env = &synced_env();
    let judge = |tampering: &Tampering| {
        let copy = StoreCopy::new(env);
        (tampering.change)(&copy.store);
        let (code, report) = report(env, &copy.store, &[]);
        let checks = failed_checks(&report);
        let is_right = code == Some(9) && checks.iter().any(|check| check == tampering.check);
        let what = format!("{}: exit {code:?}, wanted {}, found {checks:?}", tampering.what, tampering.check);
        (!is_right).then_some(what)
    };
    // Each case starts a process: a few at a time.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers = TAMPERINGS
            .chunks(TAMPERINGS.len().div_ceil(4))
            .map(|chunk| scope.spawn(move || chunk.iter().filter_map(judge).collect::<Vec<_>>()))
            .collect::<Vec<_>>();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic in a worker")).collect()
    });
    assert!(wrong.is_empty(), "{} of {} not as wanted:\n{}", wrong.len(), TAMPERINGS.len(), wrong.join("\n"));
    assert!(TAMPERINGS.len() >= 50);
}

#[test]
fn findings_are_shown_with_place_and_hint_and_no_terminal_controls() {
    let env = synced_env();
    let copy = StoreCopy::new(&env);
    sql(
        &copy.store,
        "update coverage set participant_key = 'x\u{1b}]0;title\u{7}\n' || participant_key \
         where rowid in (select min(rowid) from coverage)",
    );
    let text = run(&env, &copy.store, &[]).expect_exit(9).stdout;
    assert!(text.contains("What to do: run vcq-etl rebuild"), "{text}");
    assert!(text.contains("expected ") && text.contains("found "), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    // All findings are counted, a few are shown.
    let copy = StoreCopy::new(&env);
    sql(&copy.store, "update quality_samples set network_packet_loss_max_received_pct = 101");
    let (_, report) = report(&env, &copy.store, &["--limit", "2"]);
    let checks = report["checks"].as_array().expect("checks");
    let ranges = checks.iter().find(|check| check["check"] == "ranges").expect("the check");
    assert_eq!(ranges["first"].as_array().map(Vec::len), Some(2));
    assert_eq!(ranges["findings"], env.number("select count(*) from quality_samples"));
}

#[test]
fn a_truncated_raw_file_is_noted_but_not_a_finding() {
    let env = synced_env();
    let copy = StoreCopy::new(&env);
    let path = raw_file(&copy.store, "quality");
    let bytes = fs::read(&path).expect("read");
    // Part of a record at the end, as after a power loss during a write.
    fs::write(&path, [&bytes[..], &bytes[..60]].concat()).expect("written");
    let (code, report) = report(&env, &copy.store, &["--deep"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert!(
        report["notes"][0].as_str().is_some_and(|note| note.starts_with("skipped 1 truncated record")),
        "{report:#}"
    );
}

#[test]
fn a_change_in_every_layer_is_found_by_deep() {
    let env = synced_env();
    let copy = StoreCopy::new(&env);
    same_change_everywhere(&copy.store);
    let (code, shallow) = report(&env, &copy.store, &[]);
    assert_eq!(code, Some(0), "all layers agree: {shallow:#}");
    let (code, deep) = report(&env, &copy.store, &["--deep"]);
    // The judged minutes were counted before the change.
    let expected = ["from-raw", "incidents-from-rows"].map(str::to_owned).to_vec();
    assert_eq!((code, failed_checks(&deep)), (Some(9), expected), "{deep:#}");
    // A missing raw file and no ledger.
    let copy = StoreCopy::new(&env);
    fs::remove_file(raw_file(&copy.store, "quality")).expect("removed");
    fs::remove_file(copy.store.join("state/ledger.sqlite")).expect("removed");
    let (_, deep) = report(&env, &copy.store, &["--deep"]);
    assert!(failed_checks(&deep).contains(&"from-raw".to_owned()), "{deep:#}");
}

#[test]
fn raw_files_of_refetched_answers_are_still_needed() {
    let env = synced_env();
    let first = raw_file(&env.store(), "quality");
    env.sync(&["--refetch"]).expect_exit(0);
    assert_eq!(report(&env, &env.store(), &[]).0, Some(0), "a refetch is not damage");
    let relative = first.strip_prefix(env.store()).expect("below the store");
    let damages: [fn(&Path); 2] = [
        |file| fs::remove_file(file).expect("removed"),
        |file| fs::write(file, &fs::read(file).expect("read")[..200]).expect("cut"),
    ];
    for damage in damages {
        let copy = StoreCopy::new(&env);
        damage(&copy.store.join(relative));
        let (code, report) = report(&env, &copy.store, &[]);
        assert_eq!(code, Some(9), "{report:#}");
        assert!(failed_checks(&report).contains(&"raw-answers".to_owned()), "{report:#}");
    }
}

#[test]
fn a_new_run_history_is_not_a_finding() {
    let env = synced_env();
    env.sync(&[]).expect_exit(0);
    // The ledger is lost, and a run that publishes nothing creates a new one.
    fs::remove_dir_all(env.store().join("state")).expect("removed");
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0);
    let (code, rebuilt) = report(&env, &env.store(), &["--deep"]);
    assert_eq!(code, Some(0), "{rebuilt:#}");
    // A refused run publishes nothing and is in the ledger only.
    env.faults(&["meeting_list:no-permission"]);
    assert_ne!(env.sync(&[]).code, Some(0));
    let (code, refused) = report(&env, &env.store(), &["--deep"]);
    assert_eq!(code, Some(0), "{refused:#}");
}

#[test]
fn skipped_checks_are_reported() {
    let env = synced_env();
    let copy = StoreCopy::new(&env);
    let paths = vcq_etl::StorePaths::open(&copy.store).expect("a store");
    // The store is locked: orphans cannot be identified.
    let _lock = vcq_etl::Lock::take(&paths, "sync", 0).expect("free");
    let text = run(&env, &copy.store, &[]).expect_exit(0).stdout;
    assert!(!text.contains("All is well"), "{text}");
    assert!(text.contains("No findings, but 1 check did not cover everything"), "{text}");
}

#[test]
fn an_unreadable_store_ends_5_and_an_empty_one_0() {
    let env = TestEnv::new();
    let none = RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(5);
    assert!(none.stderr.contains("is not a vcq-etl store") && none.stderr.contains("hint: "), "{}", none.stderr);
    fs::create_dir_all(env.store().join("raw")).expect("a folder");
    let empty = RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(0);
    assert!(empty.stdout.contains("nothing is published yet"), "{}", empty.stdout);
    let env = synced_env();
    let copy = StoreCopy::new(&env);
    edit_manifest(&copy.store, |manifest| manifest["schema_version"] = Value::from(99));
    let newer = run(&env, &copy.store, &[]).expect_exit(5);
    assert!(newer.stderr.contains("use the newer program"), "{}", newer.stderr);
}
