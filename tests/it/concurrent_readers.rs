//! A process that holds the database open neither blocks a sync nor is disturbed by one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use duckdb::{AccessMode, Config, Connection};
use serde::{Deserialize, Serialize};

use crate::support::baseline::{Baseline, NthSync};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::TestEnv;
use crate::support::test_store::tiny_env;

const DATABASE: &str = "VCQ_TEST_READER_DATABASE";
/// The pause between two opens, in milliseconds.
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
    if let Ok(pause_ms) = std::env::var(OPENS) {
        return open_repeatedly(Path::new(&path), Duration::from_millis(pause_ms.parse().expect("a number")));
    }
    let connection = open(Path::new(&path)).expect("opens");
    for line in std::io::stdin().lines() {
        if line.expect("a line").is_empty() {
            break;
        }
        print_line(&visible_state(&connection).expect("a query"));
    }
}

/// What a reader that opens the database again and again has seen.
#[derive(Default, Serialize, Deserialize)]
struct Tally {
    opens: u64,
    failures: Vec<String>,
    /// In the order in which they were first seen.
    states: Vec<String>,
}

/// Opens the database until a line arrives on stdin; prints the tally.
fn open_repeatedly(path: &Path, pause: Duration) {
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let stop_request = std::sync::Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        stop_request.store(true, Ordering::Relaxed);
    });
    let mut tally = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        match open(path).and_then(|connection| visible_state(&connection)) {
            Ok(state) => {
                tally.opens += 1;
                if tally.states.last() != Some(&state) {
                    tally.states.push(state);
                }
            }
            Err(error) => tally.failures.push(error.to_string()),
        }
        std::thread::sleep(pause);
    }
    print_line(&serde_json::to_string(&tally).expect("plain values"));
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
    fn start(env: &TestEnv, pause_ms: Option<u64>) -> Reader {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["concurrent_readers::reader_process", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(DATABASE, env.store().join("vcq.duckdb"));
        command.envs(pause_ms.map(|pause_ms| (OPENS, pause_ms.to_string())));
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

/// Readers in processes of their own open the database while it is replaced. Each sees published states only, in their
/// order. The number of opens.
fn open_while_replaced(readers: usize, pause_ms: u64, replacements: usize) -> u64 {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let published = || visible_state(&env.duckdb()).expect("a query");
    let mut states = vec![published()];
    let mut readers: Vec<Reader> = (0..readers).map(|_| Reader::start(&env, Some(pause_ms))).collect();
    let log_seen = log_seen_while(&env, || {
        for _ in 0..replacements {
            env.sync(&["--refetch"]).expect_exit(0);
            states.push(published());
        }
    });
    assert!(!log_seen, "a write-ahead log appeared beside the database");
    let mut opens = 0;
    for reader in &mut readers {
        let tally: Tally = serde_json::from_str(&reader.read()).expect("a tally");
        assert_eq!(tally.failures, [] as [&str; 0]);
        let places: Vec<Option<usize>> =
            tally.states.iter().map(|seen| states.iter().position(|state| state == seen)).collect();
        assert!(places.iter().all(Option::is_some), "a state that was never published: {:?}", tally.states);
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "an older state after a newer one: {places:?}");
        opens += tally.opens;
    }
    opens
}

#[test]
fn opening_the_database_during_publishing_never_fails() {
    let opens = open_while_replaced(1, 0, 6);
    assert!(opens >= 20, "{opens} opens");
}

#[test]
#[ignore = "minutes; make test-load"]
#[expect(clippy::print_stdout, reason = "the figures are what this test is run for")]
fn fifty_readers_while_the_database_is_replaced_a_hundred_times() {
    let began = std::time::Instant::now();
    let opens = open_while_replaced(50, 1000, 100);
    assert!(opens >= 50 * 20, "{opens} opens");
    println!("50 readers: {opens} opens while replaced 100 times, {:.0} s", began.elapsed().as_secs_f64());
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
