//! A process that holds the database open neither blocks a sync nor is disturbed by one.

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

/// A summary of everything that a reader can see.
fn visible_state(connection: &Connection) -> duckdb::Result<String> {
    let sql = "select 'generation ' || (select generation from meta) || ', coverage ' || (select sum(hash(c)) from coverage c)
                   || ', samples ' || (select sum(hash(s)) from quality_samples s)";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Not a test: the reader process. It opens the database once and prints what it sees for each line on stdin.
#[test]
fn reader_process() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    if std::env::var_os(OPENS).is_some() {
        return open_repeatedly(Path::new(&path));
    }
    let connection = open(Path::new(&path)).expect("opens");
    for line in std::io::stdin().lines() {
        if line.expect("a line").is_empty() {
            break;
        }
        print_line(&visible_state(&connection).expect("a query"));
    }
}

/// Opens the database until a line arrives on stdin; prints the number of successes and failures.
fn open_repeatedly(path: &Path) {
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let stop_request = std::sync::Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        stop_request.store(true, Ordering::Relaxed);
    });
    let (mut opens, mut failures) = (0, Vec::new());
    while !stop.load(Ordering::Relaxed) {
        match open(path).and_then(|connection| visible_state(&connection)) {
            Ok(_) => opens += 1,
            Err(error) => failures.push(error.to_string()),
        }
    }
    print_line(&format!("{opens} opens, {} failures {failures:?}", failures.len()));
}

fn print_line(text: &str) {
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

    /// Requests the reader's next line.
    fn read(&mut self) -> String {
        writeln!(self.stdin, "?").expect("it listens");
        let mut line = String::new();
        while self.stdout.read_line(&mut line).expect("a line") > 0 {
            // The test harness prints too, at the start of the line.
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

/// Watches for a write-ahead log beside the database during `action`. True if there was one.
fn log_seen_while(env: &TestEnv, action: impl FnOnce()) -> bool {
    let (wal, done, seen) = (env.store().join("vcq.duckdb.wal"), AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                seen.fetch_or(wal.exists(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        action();
        done.store(true, Ordering::Relaxed);
    });
    seen.into_inner()
}

#[test]
fn a_long_reader_keeps_its_snapshot_and_blocks_no_sync() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut early = Reader::start(&env, None);
    let before = early.read();
    assert!(before.starts_with("generation 1,"), "{before}");
    let log_seen = log_seen_while(&env, || {
        for nth in 2..=4 {
            // Attempts grow: each sync publishes new rows.
            let summary = env.sync(&["--refetch"]).expect_exit(0).summary();
            assert_eq!(summary["generation"], nth);
            assert_eq!(early.read(), before, "repeatable after generation {nth}");
            let late = Reader::start(&env, None).read();
            assert!(late.starts_with(&format!("generation {nth},")) && late != before, "{late}");
        }
    });
    assert!(!log_seen, "a write-ahead log appeared beside the database");
}

#[test]
fn opening_the_database_during_publishing_never_fails() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut opener = Reader::start(&env, Some(OPENS));
    let log_seen = log_seen_while(&env, || {
        for _ in 0..6 {
            env.sync(&["--refetch"]).expect_exit(0);
        }
    });
    let tally = opener.read();
    assert!(tally.ends_with("0 failures []"), "{tally}");
    let opens: u64 = tally.split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    assert!(opens >= 20, "{tally}");
    assert!(!log_seen, "a write-ahead log appeared beside the database");
}

#[test]
fn a_reader_survives_a_killed_sync_and_the_recovery() {
    let env = tiny_env();
    let baseline = Baseline::new(NthSync::Second, &env);
    let test_store = baseline.test_store();
    let connection = test_store.duckdb().expect("published");
    let before = visible_state(&connection).expect("a query");
    let fault = Fault::on(Action::KillAfter, 1, "rename", "/store/vcq.duckdb");
    assert_eq!(test_store.sync(Some(&fault)).code, None, "dies");
    assert_eq!(visible_state(&connection).expect("a query"), before);
    test_store.sync(None).expect_exit(0);
    assert_eq!(visible_state(&connection).expect("a query"), before);
    test_store.assert_complete_as(&baseline.after, "with a reader");
}
