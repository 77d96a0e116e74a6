//! Readers during a publication, and writers that crash, as processes: the test executable, started again.

use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::fixture::open_published;
use super::fixture::{DAY, Store};
use super::*;

const READER_STORE: &str = "VCQ_TEST_READER_STORE";

/// A reader: opens the store, and prints the generation and the rows it sees for each line of input.
#[test]
fn reader_process() {
    let Some(root) = std::env::var_os(READER_STORE) else { return };
    let paths = StorePaths::existing(Path::new(&root)).expect("store");
    let connection = open_published(&paths).expect("open");
    let mut stdout = std::io::stdout();
    for line in std::io::stdin().lines() {
        if line.expect("line").is_empty() {
            break;
        }
        let seen: (i64, i64, f64) = connection
            .query_row(
                "select (select generation from meta), count(*), sum(network_delay_ms) from quality_samples",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .expect("query");
        writeln!(stdout, "seen {seen:?}").and_then(|()| stdout.flush()).expect("answer");
    }
}

const WRITER_STORE: &str = "VCQ_TEST_WRITER_STORE";
const WRITER_LAST_STEP: &str = "VCQ_TEST_WRITER_LAST_STEP";

/// A writer: locks the store, publishes, and aborts before a step without cleaning up.
#[test]
fn writer_process() {
    let Some(root) = std::env::var_os(WRITER_STORE) else { return };
    let last: usize = std::env::var(WRITER_LAST_STEP).expect("set").parse().expect("a number");
    let store = Store::at(Path::new(&root));
    let _lock = Lock::take(&store.paths, "sync", 0).expect("free");
    let dates = vec![store.stage_all("crashed", DAY, 40, 2)];
    let _ = store.try_publish("crashed", dates, PublishMode::Update, &mut |step| {
        if step == Step::ALL[last] {
            std::process::abort();
        }
        ControlFlow::Continue(())
    });
}

#[test]
fn the_next_run_completes_what_a_crashed_writer_left() {
    for last in 0..Step::ALL.len() {
        let store = Store::new();
        store.publish("r1", vec![store.stage_all("r1", DAY, 40, 1), store.stage_all("r1", DAY + 1, 90, 1)]);
        let status = Command::new(std::env::current_exe().expect("this executable"))
            .args(["load::process_tests::writer_process", "--exact", "--test-threads=1"])
            .env(WRITER_STORE, store.paths.root())
            .env(WRITER_LAST_STEP, last.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("run");
        assert!(!status.success(), "the writer must abort");
        let _lock = Lock::take(&store.paths, "sync", 0).expect("the lock ended with its holder");
        store.paths.clean_work().expect("clean");
        store.paths.remove_orphans().expect("orphans");
        store.publish("r3", Vec::new());
        store.assert_consistent();
        assert_eq!(store.parts_on_disk().len(), store.manifest().files.len());
        assert_eq!(store.contents()["meetings"].len(), 130);
    }
}

struct Reader {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Reader {
    fn start(paths: &StorePaths) -> Reader {
        let mut child = Command::new(std::env::current_exe().expect("this executable"))
            .args(["load::process_tests::reader_process", "--exact", "--nocapture", "--test-threads=1"])
            .env(READER_STORE, paths.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Reader { child, stdin, stdout }
    }

    fn read(&mut self) -> String {
        writeln!(self.stdin, "?").expect("request");
        let mut line = String::new();
        while self.stdout.read_line(&mut line).expect("answer") > 0 {
            // The test harness prints at the start of the line.
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

#[test]
fn a_reader_keeps_its_snapshot_and_blocks_no_writer() {
    let store = Store::new();
    let stage = |run_id: &str, seed| vec![store.stage(run_id, DAY, &[("quality_samples", 2_000, seed)])];
    store.publish("r1", stage("r1", 1));
    let mut first = Reader::start(&store.paths);
    let before = first.read();
    assert!(before.starts_with("(1, 2000"), "{before}");
    for (run_id, seed) in [("r2", 2), ("r3", 3)] {
        store.publish(run_id, stage(run_id, seed));
    }
    assert_eq!(first.read(), before, "an open reader keeps its snapshot");
    let mut second = Reader::start(&store.paths);
    let after = second.read();
    assert!(after.starts_with("(3, 2000"), "{after}");
    // Also for two readers in this process.
    let here = open_published(&store.paths).expect("open");
    store.publish("r4", stage("r4", 4));
    let generation = |connection: &duckdb::Connection| -> i64 {
        connection.query_row("select generation from meta", [], |row| row.get(0)).expect("query")
    };
    assert_eq!((generation(&here), generation(&open_published(&store.paths).expect("open"))), (3, 4));
    store.assert_consistent();
}
