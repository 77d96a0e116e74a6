//! Readers never matter: a real process that holds the database open neither blocks a sync nor is broken by it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use duckdb::{AccessMode, Config, Connection};

use crate::support::baseline::{Baseline, NthSync};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::TestEnv;
use crate::support::test_store::tiny_env;

const DATABASE: &str = "VCQ_TEST_READER_DATABASE";
const OPENS: &str = "VCQ_TEST_READER_OPENS";

fn open(path: &Path) -> duckdb::Result<Connection> {
    Connection::open_with_flags(path, Config::default().access_mode(AccessMode::ReadOnly)?)
}

/// Everything that a reader could see, as a few numbers.
fn seen(connection: &Connection) -> duckdb::Result<String> {
    let sql = "select 'generation ' || (select generation from meta) || ', coverage ' || (select sum(hash(c)) from coverage c)
                   || ', samples ' || (select sum(hash(s)) from quality_samples s)";
    connection.query_row(sql, [], |row| row.get(0))
}

/// A reader, in a process of its own: opens once and says what it sees whenever it is asked.
#[test]
fn reader_process() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    if std::env::var_os(OPENS).is_some() {
        return open_again_and_again(Path::new(&path));
    }
    let connection = open(Path::new(&path)).expect("opens");
    for line in std::io::stdin().lines() {
        if line.expect("a line").is_empty() {
            break;
        }
        say(&seen(&connection).expect("a query"));
    }
}

/// Opens until told to stop; says how often it could and could not.
fn open_again_and_again(path: &Path) {
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let told = std::sync::Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        told.store(true, Ordering::Relaxed);
    });
    let (mut opens, mut failures) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        match open(path).and_then(|connection| seen(&connection)) {
            Ok(_) => opens += 1,
            Err(error) => failures.push(error.to_string()),
        }
    }
    say(&format!("{opens} opens, {} failures {failures:?}", failures.len()));
}

fn say(text: &str) {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "seen {text}").and_then(|()| stdout.flush()).expect("somebody listens");
}

struct Reader {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Reader {
    fn start(env: &TestEnv, setting: Option<&str>) -> Reader {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["concurrent_readers::reader_process", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(DATABASE, env.store().join("vcq.duckdb"));
        command.envs(setting.map(|name| (name, "1")));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Reader { child, stdin, stdout }
    }

    /// What it sees.
    fn ask(&mut self) -> String {
        writeln!(self.stdin, "?").expect("it listens");
        let mut line = String::new();
        while self.stdout.read_line(&mut line).expect("a line") > 0 {
            // The test harness talks too, and begins the line.
            if let Some((_, seen)) = line.split_once("seen ") {
                return seen.trim().to_owned();
            }
            line.clear();
        }
        panic!("the reader ended");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks for a log beside the database while something is done; true where there was one.
fn log_seen_while(env: &TestEnv, doing: impl FnOnce()) -> bool {
    let (wal, done, seen) = (env.store().join("vcq.duckdb.wal"), AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                seen.fetch_or(wal.exists(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        doing();
        done.store(true, Ordering::Relaxed);
    });
    seen.into_inner()
}

#[test]
fn a_reader_of_hours_keeps_what_it_opened_and_blocks_nobody() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut early = Reader::start(&env, None);
    let before = early.ask();
    assert!(before.starts_with("generation 1,"), "{before}");
    let log_seen = log_seen_while(&env, || {
        for nth in 2..=4 {
            // Attempts grow: each sync publishes new rows.
            let summary = env.sync(&["--refetch"]).expect_exit(0).summary();
            assert_eq!(summary["generation"], nth);
            assert_eq!(early.ask(), before, "repeatable after generation {nth}");
            let late = Reader::start(&env, None).ask();
            assert!(late.starts_with(&format!("generation {nth},")) && late != before, "{late}");
        }
    });
    assert!(!log_seen, "a log stood beside the database");
}

#[test]
fn a_reader_that_opens_while_dates_are_published_never_fails() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut storm = Reader::start(&env, Some(OPENS));
    let log_seen = log_seen_while(&env, || {
        for _ in 0..6 {
            env.sync(&["--refetch"]).expect_exit(0);
        }
    });
    let tally = storm.ask();
    assert!(tally.ends_with("0 failures []"), "{tally}");
    let opens: u64 = tally.split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    assert!(opens >= 20, "{tally}");
    assert!(!log_seen, "a log stood beside the database");
}

#[test]
fn a_reader_outlives_a_sync_that_dies_and_one_that_heals_it() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    let test_store = baseline.test_store();
    let connection = test_store.duckdb().expect("published");
    let before = seen(&connection).expect("a query");
    let fault = Fault::on(Action::KillAfter, 1, "rename", "/store/vcq.duckdb");
    assert_eq!(test_store.sync(Some(&fault)).code, None, "dies");
    assert_eq!(seen(&connection).expect("a query"), before);
    test_store.sync(None).expect_exit(0);
    assert_eq!(seen(&connection).expect("a query"), before);
    test_store.assert_complete_as(&baseline.after, "with a reader");
}
