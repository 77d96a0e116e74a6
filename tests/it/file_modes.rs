//! The modes of everything that is written, under any umask; an existing store is tightened once.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::fault_injection::preload;
use crate::support::test_env::{RunOutput, TestEnv};

/// Modes of directories, files and `vcq.duckdb`.
type Modes = [u32; 3];

const PRIVATE: Modes = [0o700, 0o600, 0o400];
const SHARED: Modes = [0o750, 0o640, 0o440];

/// Every file and directory below a directory, and itself, with its mode. Links are left out.
fn entries(path: &Path, found: &mut Vec<(PathBuf, u32)>) {
    // A run may remove it meanwhile.
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if metadata.is_symlink() {
        return;
    }
    found.push((path.to_owned(), metadata.mode() & 0o777));
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            entries(&entry.path(), found);
        }
    }
}

/// Those with another mode than expected.
fn wrong(path: &Path, [folder, file, database]: Modes) -> Vec<String> {
    let mut found = Vec::new();
    entries(path, &mut found);
    assert!(!found.is_empty(), "{} is not there", path.display());
    let expected = |path: &Path| match path.is_dir() {
        true => folder,
        false if path.ends_with("vcq.duckdb") => database,
        false => file,
    };
    found.retain(|(path, mode)| *mode != expected(path));
    found.into_iter().map(|(path, mode)| format!("{} {mode:04o}", path.display())).collect()
}

/// Sets the modes of everything below a directory, and of itself.
pub(crate) fn set_modes(path: &Path, folder: u32, file: u32) {
    let mut found = Vec::new();
    entries(path, &mut found);
    for (path, _) in found {
        let mode = if path.is_dir() { folder } else { file };
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }
}

/// The command with this umask.
fn with_umask(command: &Command, umask: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("umask {umask}; exec \"$0\" \"$@\""));
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().map(|folder| shell.current_dir(folder));
    shell
}

/// Runs every command that writes files.
fn write_everything(env: &TestEnv, umask: &str, more: &[&str]) {
    let run = |arguments: &[&str]| {
        let command = env.vcq(&[arguments, more].concat());
        RunOutput::new(with_umask(&command, umask).output().expect("runs")).expect_exit(0)
    };
    let [since, from, until, to] = env.window();
    run(&["sync", since, from, until, to]);
    fs::write(env.home().join("offices.csv"), "cidr,building\n10.1.2.0/24,A\n").expect("written");
    run(&["buildings", "import", "offices.csv"]);
    run(&["rebuild"]);
    run(&["plan", since, from, until, to]);
    run(&["report", "html"]);
    for file in ["r.html", "r.csv", "r.json", "r.md", "r.xlsx", "r.parquet"] {
        run(&["report", "run", "worst-meetings", "--since", "all", "--out", file]);
        run(&["query", "from meetings", "--out", &format!("query-{file}")]);
    }
    run(&["demo", "--days", "2", "--people", "10", "--store", "demo", "--quiet"]);
}

#[test]
fn everything_is_private_under_an_open_umask_at_every_moment() {
    let env = TestEnv::new();
    let is_done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !is_done.load(Ordering::Relaxed) {
                let mut found = Vec::new();
                entries(env.home(), &mut found);
                seen.extend(found);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            seen
        });
        write_everything(&env, "000", &[]);
        is_done.store(true, Ordering::Relaxed);
        watcher.join().expect("no panic")
    });
    assert_eq!(wrong(env.home(), PRIVATE), [""; 0]);
    let open: Vec<_> = seen.iter().filter(|(_, mode)| mode & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
    let was_seen = |name: &str| seen.iter().any(|(path, _)| path.to_string_lossy().contains(name));
    for name in ["ledger.sqlite-wal", ".work/database-", ".work/query-", "vcq-report-", "r.xlsx", "demo/vcq.duckdb"] {
        assert!(was_seen(name), "{name}");
    }
}

#[test]
fn the_group_reads_everything_with_shared_under_a_closed_umask() {
    let env = TestEnv::new();
    write_everything(&env, "077", &["--shared"]);
    // The rate limit is the user's own, and the rest is not the program's.
    let state = env.home().join(".local");
    let is_ours = |path: &str| !path.starts_with(&*state.to_string_lossy()) && !path.contains("offices.csv");
    let mut other = wrong(env.home(), SHARED);
    other.retain(|path| is_ours(path) && !path.starts_with(&format!("{} ", env.home().display())));
    assert_eq!(other, [""; 0]);
    assert_eq!(wrong(&state, PRIVATE), [""; 0]);
    let verify = |more: &[&str]| RunOutput::new(env.vcq(&[&["verify"], more].concat()).output().expect("runs"));
    verify(&["--shared"]).expect_exit(0);
    let closed = verify(&[]).expect_exit(9);
    assert!(closed.stdout.contains("modes:") && closed.stdout.contains("mode 0640"), "{}", closed.stdout);
    // A run without the setting closes it again.
    let notes = notes(env.sync(&[]));
    assert!(notes.contains("only its owner can read it") && notes.contains("set shared"), "{notes}");
    assert_eq!(wrong(&env.store(), PRIVATE), [""; 0]);
}

fn notes(ran: RunOutput) -> String {
    ran.expect_exit(0).summary()["notes"].to_string()
}

#[test]
fn an_open_store_is_tightened_once_by_the_commands_that_lock_it() {
    let env = TestEnv::new();
    let first = notes(env.sync(&[]));
    assert!(!first.contains("the mode of"), "a new store needs no note: {first}");
    let run = |arguments: &[&str]| RunOutput::new(env.vcq(arguments).output().expect("runs"));
    set_modes(&env.store(), 0o755, 0o644);
    let open = wrong(&env.store(), PRIVATE);
    run(&["status"]).expect_exit(0);
    run(&["report", "run", "freshness"]).expect_exit(0);
    let verified = run(&["verify", "--json"]).expect_exit(9).summary();
    let modes = |report: &Value| {
        let checks = report["checks"].as_array().expect("checks").clone();
        checks.into_iter().find(|check| check["check"] == "modes").expect("the check")
    };
    assert_eq!(modes(&verified)["findings"], open.len(), "{verified:#}");
    assert_eq!(verified["findings"], open.len(), "no other check fails: {verified:#}");
    assert_eq!(wrong(&env.store(), PRIVATE), open, "commands that read change nothing");

    let text = notes(env.sync(&[]));
    let count = format!("set the mode of {} files and directories of the store", open.len());
    assert!(text.contains(&count) && text.contains("set shared"), "{text}");
    assert_eq!(wrong(&env.store(), PRIVATE), [""; 0]);
    let again = notes(env.sync(&[]));
    assert!(!again.contains("the mode of"), "{again}");
    run(&["verify"]).expect_exit(0);

    set_modes(&env.store().join("raw"), 0o770, 0o660);
    let rebuilt = run(&["rebuild", "--summary", "json"]);
    assert!(notes(rebuilt).contains("set the mode of"));
    fs::write(env.home().join("offices.csv"), "cidr,building\n10.1.2.0/24,A\n").expect("written");
    set_modes(&env.store().join("state"), 0o700, 0o604);
    let imported = run(&["buildings", "import", "offices.csv"]).expect_exit(0);
    assert!(imported.stderr.contains("set the mode of"), "{}", imported.stderr);
    assert_eq!(wrong(&env.store(), PRIVATE), [""; 0]);
}

#[test]
fn a_run_goes_on_and_says_so_if_modes_cannot_be_set() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    set_modes(&env.store(), 0o755, 0o644);
    let mut command = env.sync_command(&[]);
    preload(&mut command, &env.store().canonicalize().expect("there"), None, None);
    command.env("FAULTS_NO_MODES", "1");
    let text = notes(RunOutput::new(command.output().expect("runs")));
    assert!(text.contains("could not be set, so others may be able to read the store"), "{text}");
    assert!(text.contains("does not allow it (Operation not permitted"), "{text}");
    assert!(!text.contains("so that only its owner can read it"), "{text}");
    assert!(env.number("select count(*) from meetings") > 0);
}

#[test]
fn the_folder_of_an_output_and_man_pages_keep_the_modes_of_the_user() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let folder = env.home().join("web");
    fs::create_dir(&folder).expect("made");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("a mode");
    let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
    let run = |arguments: &[&str]| {
        RunOutput::new(with_umask(&env.vcq(arguments), "022").output().expect("runs")).expect_exit(0)
    };
    fs::write(folder.join("page.html"), "before").expect("written");
    fs::set_permissions(folder.join("page.html"), Permissions::from_mode(0o644)).expect("a mode");
    run(&["report", "html", "--out", "web/page.html"]);
    assert_eq!((mode(&folder), mode(&folder.join("page.html"))), (0o755, 0o600));
    run(&["man", "--out", "man"]);
    assert_eq!(mode(&env.home().join("man/man1")), 0o755);
    assert_eq!(mode(&env.home().join("man/man1/vcq-etl.1")), 0o644);
}
