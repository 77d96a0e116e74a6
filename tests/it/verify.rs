//! `verify`: a store as a sync leaves it is clean, also while a sync runs, and every tampering is found by the check
//! that is made for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::tampering::{TAMPERINGS, Tampering, edit_manifest, raw_file, same_change_everywhere, sql};
use crate::support::test_env::{RunOutput, TestEnv};

fn synced() -> TestEnv {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    env
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a kind").is_dir() {
            true => copy_tree(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

/// A copy of a synced store, to be damaged.
struct Copied {
    _folder: tempfile::TempDir,
    store: PathBuf,
}

impl Copied {
    fn of(env: &TestEnv) -> Copied {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("store");
        copy_tree(&env.store(), &store);
        Copied { _folder: folder, store }
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

/// The checks that found something.
fn found(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().filter(|check| check["findings"].as_u64() > Some(0));
    found.map(|check| check["check"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_synced_store_is_clean_also_deep_down() {
    let env = synced();
    let (code, report) = report(&env, &env.store(), &["--deep"]);
    assert_eq!((code, &report["findings"]), (Some(0), &Value::from(0)), "{report:#}");
    for check in report["checks"].as_array().expect("checks") {
        assert_eq!(check["not_checked"], Value::Null, "{check:#}");
        assert!(check["examined"].as_u64() > Some(0), "{check:#}");
    }
    assert_eq!(report["generation"], env.manifest()["generation"]);
    let work = fs::read_dir(env.store().join(".work")).expect("listed").count();
    assert_eq!(work, 0, "nothing is left behind");
    let text = run(&env, &env.store(), &[]).expect_exit(0).stdout;
    assert!(text.contains("All is well.") && text.contains("coverage-counts"), "{text}");
}

#[test]
fn a_store_with_every_kind_of_gap_is_clean() {
    // Refusals, failures, a stop in the middle: gaps are answers, and no damage.
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
fn a_running_sync_is_never_damage() {
    let env = TestEnv::new();
    env.change(|options| options.latency = Duration::from_millis(60));
    let mut seen = Vec::new();
    for more in [&[][..], &["--refetch"]] {
        let mut command = env.sync_command(more);
        // Few at once, so that the sync lasts long enough to be verified beside.
        command.env("VCQ_PUBLISH_EVERY", "200ms").env("VCQ_CONCURRENCY", "4").stdout(std::process::Stdio::null());
        let mut sync = command.stderr(std::process::Stdio::null()).spawn().expect("starts");
        let mut rounds = 0;
        while sync.try_wait().expect("asked").is_none() {
            // The folder is there from the first moments of the first run on.
            if env.store().join("raw").exists() {
                let deep = if rounds % 3 == 2 { &["--deep"][..] } else { &[] };
                let (code, report) = report(&env, &env.store(), deep);
                assert_eq!(code, Some(0), "{report:#}");
                seen.push(report["generation"].as_u64());
                rounds += 1;
            }
        }
        assert!(sync.wait().expect("ended").success());
        assert!(rounds > 1, "verify ran beside the sync");
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 1, "more than one generation was seen: {seen:?}");
}

#[test]
fn every_tampering_is_found_by_its_check() {
    let env = &synced();
    let judge = |tampering: &Tampering| {
        let copy = Copied::of(env);
        (tampering.change)(&copy.store);
        let (code, report) = report(env, &copy.store, &[]);
        let checks = found(&report);
        let is_right = code == Some(9) && checks.iter().any(|check| check == tampering.check);
        let what = format!("{}: exit {code:?}, wanted {}, found {checks:?}", tampering.what, tampering.check);
        (!is_right).then_some(what)
    };
    // Each is a process of its own: a few at a time.
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
fn findings_say_where_and_what_to_do_and_steer_no_terminal() {
    let env = synced();
    let copy = Copied::of(&env);
    sql(
        &copy.store,
        "update coverage set participant_key = 'x\u{1b}]0;title\u{7}\n' || participant_key \
         where rowid in (select min(rowid) from coverage)",
    );
    let text = run(&env, &copy.store, &[]).expect_exit(9).stdout;
    assert!(text.contains("What to do: run vcq-etl rebuild"), "{text}");
    assert!(text.contains("expected ") && text.contains("found "), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    // Everything is counted, a few are shown.
    let copy = Copied::of(&env);
    sql(&copy.store, "update quality_samples set network_packet_loss_max_received_pct = 101");
    let (_, report) = report(&env, &copy.store, &["--limit", "2"]);
    let checks = report["checks"].as_array().expect("checks");
    let ranges = checks.iter().find(|check| check["check"] == "ranges").expect("told");
    assert_eq!(ranges["first"].as_array().map(Vec::len), Some(2));
    assert_eq!(ranges["findings"], env.number("select count(*) from quality_samples"));
}

#[test]
fn a_record_that_was_being_written_is_told_and_is_no_damage() {
    let env = synced();
    let copy = Copied::of(&env);
    let path = raw_file(&copy.store, "quality");
    let bytes = fs::read(&path).expect("read");
    // Half a record at the end, as after a power cut in the middle of a write.
    fs::write(&path, [&bytes[..], &bytes[..60]].concat()).expect("written");
    let (code, report) = report(&env, &copy.store, &["--deep"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert!(report["notes"][0].as_str().is_some_and(|note| note.starts_with("1 record")), "{report:#}");
}

#[test]
fn the_same_change_in_every_layer_is_found_from_raw() {
    let env = synced();
    let copy = Copied::of(&env);
    same_change_everywhere(&copy.store);
    let (code, shallow) = report(&env, &copy.store, &[]);
    assert_eq!(code, Some(0), "every layer agrees with every other: {shallow:#}");
    let (code, deep) = report(&env, &copy.store, &["--deep"]);
    assert_eq!((code, found(&deep)), (Some(9), vec!["from-raw".to_owned()]), "{deep:#}");
    // A raw file that is gone, with a ledger that knows of nothing.
    let copy = Copied::of(&env);
    fs::remove_file(raw_file(&copy.store, "quality")).expect("removed");
    fs::remove_file(copy.store.join("state/ledger.sqlite")).expect("removed");
    let (_, deep) = report(&env, &copy.store, &["--deep"]);
    assert!(found(&deep).contains(&"from-raw".to_owned()), "{deep:#}");
}

#[test]
fn an_answer_that_was_asked_again_still_has_its_older_file() {
    let env = synced();
    let first = raw_file(&env.store(), "quality");
    env.sync(&["--refetch"]).expect_exit(0);
    assert_eq!(report(&env, &env.store(), &[]).0, Some(0), "a refetch is no damage");
    let relative = first.strip_prefix(env.store()).expect("below the store");
    let damages: [fn(&Path); 2] = [
        |file| fs::remove_file(file).expect("removed"),
        |file| fs::write(file, &fs::read(file).expect("read")[..200]).expect("cut"),
    ];
    for damage in damages {
        let copy = Copied::of(&env);
        damage(&copy.store.join(relative));
        let (code, report) = report(&env, &copy.store, &[]);
        assert_eq!(code, Some(9), "{report:#}");
        assert!(found(&report).contains(&"raw-answers".to_owned()), "{report:#}");
    }
}

#[test]
fn a_history_that_began_anew_is_no_damage() {
    let env = synced();
    env.sync(&[]).expect_exit(0);
    // The ledger is lost, and a run that publishes nothing begins another.
    fs::remove_dir_all(env.store().join("state")).expect("removed");
    RunOutput::new(env.vcq(&["rebuild"]).output().expect("runs")).expect_exit(0);
    let (code, rebuilt) = report(&env, &env.store(), &["--deep"]);
    assert_eq!(code, Some(0), "{rebuilt:#}");
    // A run that is refused leaves what is published, and stands in the ledger only.
    env.faults(&["meeting_list:no-permission"]);
    assert_ne!(env.sync(&[]).code, Some(0));
    let (code, refused) = report(&env, &env.store(), &["--deep"]);
    assert_eq!(code, Some(0), "{refused:#}");
}

#[test]
fn what_was_not_checked_is_not_called_well() {
    let env = synced();
    let copy = Copied::of(&env);
    let paths = vcq_etl::StorePaths::open(&copy.store).expect("a store");
    // Somebody holds the store: orphans can't be told.
    let _lock = vcq_etl::Lock::take(&paths, "sync", 0).expect("free");
    let text = run(&env, &copy.store, &[]).expect_exit(0).stdout;
    assert!(!text.contains("All is well"), "{text}");
    assert!(text.contains("Nothing was found, but 1 check could not be made on everything"), "{text}");
}

#[test]
fn what_cannot_be_read_at_all_is_5_and_an_empty_store_is_0() {
    let env = TestEnv::new();
    let none = RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(5);
    assert!(none.stderr.contains("is not a vcq-etl store") && none.stderr.contains("hint: "), "{}", none.stderr);
    fs::create_dir_all(env.store().join("raw")).expect("a folder");
    let empty = RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(0);
    assert!(empty.stdout.contains("nothing is published yet"), "{}", empty.stdout);
    let env = synced();
    let copy = Copied::of(&env);
    edit_manifest(&copy.store, |manifest| manifest["schema_version"] = Value::from(99));
    let newer = run(&env, &copy.store, &[]).expect_exit(5);
    assert!(newer.stderr.contains("use the newer program"), "{}", newer.stderr);
}
