//! Read-write sessions of other programs over publications: whatever they do, readers see the published rows.
//!
//! A session is a process, as DuckDB's locks are: the test executable, started again.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::fixture::{DAY, Store, open_for_writing, open_published};
use super::*;

const SESSION_STORE: &str = "VCQ_TEST_SESSION_STORE";

/// A session: runs each line of input and says how that went.
#[test]
fn session_process() {
    let Some(root) = std::env::var_os(SESSION_STORE) else { return };
    let connection = open_for_writing(&StorePaths::existing(Path::new(&root)).expect("store"));
    let mut stdout = std::io::stdout();
    let mut say = |text: &str| writeln!(stdout, "session {text}").and_then(|()| stdout.flush()).expect("answer");
    say("open");
    for line in std::io::stdin().lines() {
        match connection.execute_batch(&line.expect("line")) {
            Ok(()) => say("done"),
            Err(error) => say(&error.to_string().replace('\n', " ")),
        }
    }
}

struct Session {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Session {
    fn open(store: &Store) -> Session {
        let mut child = Command::new(std::env::current_exe().expect("this executable"))
            .args(["load::session_tests::session_process", "--exact", "--nocapture", "--test-threads=1"])
            .env(SESSION_STORE, store.paths.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start");
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().expect("piped")));
        let mut session = Session { child, stdin, stdout };
        assert_eq!(session.answer(), "open");
        session
    }

    fn run(&mut self, sql: &str) -> String {
        writeln!(self.stdin.as_mut().expect("open"), "{sql}").expect("request");
        self.answer()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).expect("answer") > 0 {
            // The test harness prints at the start of the line.
            if let Some((_, answer)) = line.split_once("session ") {
                return answer.trim().to_owned();
            }
            line.clear();
        }
        panic!("the session ended");
    }

    fn close(mut self) {
        drop(self.stdin.take());
        self.child.wait().expect("ended");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rows of `meetings` that our readers and any DuckDB client see.
fn meetings(store: &Store) -> [i64; 2] {
    let read_only = duckdb::Config::default().access_mode(duckdb::AccessMode::ReadOnly).expect("a setting");
    let client = duckdb::Connection::open_with_flags(store.paths.database(), read_only).expect("any client can read");
    let count = |connection: &duckdb::Connection| -> i64 {
        connection.query_row("select count(*) from meetings", [], |row| row.get(0)).expect("a count")
    };
    [count(&open_published(&store.paths).expect("open")), count(&client)]
}

fn stage(store: &Store, run_id: &str, rows: usize) -> Vec<DatePublication> {
    vec![store.stage(run_id, DAY, &[("meetings", rows, 1)])]
}

#[test]
fn a_session_over_publications_changes_nothing_for_readers() {
    let store = Store::new();
    store.publish("r1", stage(&store, "r1", 30));
    let mut session = Session::open(&store);
    assert_eq!(session.run("create table my_notes (a int); create view mine as select 1 as one; checkpoint"), "done");
    let noted = store.publish("r2", stage(&store, "r2", 40)).notes.join("; ");
    assert!(noted.contains("open for writing") && noted.contains("table my_notes, view mine"), "{noted}");
    assert_eq!(meetings(&store), [40, 40]);
    for sql in ["insert into my_notes values (1)", "delete from meetings", "checkpoint", "create table other (a int)"] {
        // It may fail or change the file that was replaced.
        session.run(sql);
        assert_eq!(meetings(&store), [40, 40], "{sql}");
    }
    store.publish("r3", stage(&store, "r3", 50));
    session.run("delete from meetings");
    assert_eq!(meetings(&store), [50, 50]);
    session.close();
    assert_eq!(meetings(&store), [50, 50]);
    assert!(store.publish("r4", stage(&store, "r4", 50)).notes.is_empty());
    store.assert_consistent();
}

#[test]
fn a_session_with_a_log_of_its_own_changes_nothing_after_a_publication() {
    let store = Store::new();
    store.publish("r1", stage(&store, "r1", 30));
    let mut session = Session::open(&store);
    assert_eq!(session.run("delete from meetings"), "done");
    assert!(store.paths.database_wal().is_file(), "the session has a log");
    let noted = store.publish("r2", stage(&store, "r2", 40)).notes.join("; ");
    assert!(noted.contains("removed vcq.duckdb.wal"), "{noted}");
    for sql in ["delete from participants", "checkpoint", "create table t (a int)", "force checkpoint"] {
        session.run(sql);
        assert_eq!(meetings(&store), [40, 40], "{sql}");
    }
    session.close();
    assert_eq!(meetings(&store), [40, 40]);
}

#[test]
fn a_change_that_a_session_left_in_the_file_is_not_kept() {
    let store = Store::new();
    store.publish("r1", stage(&store, "r1", 30));
    let connection = open_for_writing(&store.paths);
    connection.execute_batch("delete from meetings; create macro twice(x) as x * 2; checkpoint").expect("changed");
    connection.close().expect("closed");
    assert_eq!(meetings(&store), [0, 0]);
    // The date itself does not change: its rows would be taken from the current file.
    let published = store.publish("r2", vec![store.stage("r2", DAY + 1, &[("meetings", 5, 1)])]);
    let noted = published.notes.join("; ");
    assert!(published.compacted && noted.contains("changed after it was published"), "{noted}");
    assert!(noted.contains("macro twice") && noted.contains("views_dir"), "{noted}");
    assert_eq!(meetings(&store), [35, 35]);
    store.assert_consistent();
}

#[test]
fn a_client_cannot_write_to_a_published_file() {
    let store = Store::new();
    store.publish("r1", stage(&store, "r1", 30));
    let mode = std::fs::metadata(store.paths.database()).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
    // Root is not stopped by the mode.
    let write = duckdb::Connection::open(store.paths.database())
        .and_then(|connection| connection.execute_batch("delete from meetings"));
    assert!(write.is_err());
    assert_eq!(meetings(&store), [30, 30]);
    let again = store.publish("r2", vec![store.stage("r2", DAY + 1, &[("meetings", 5, 1)])]);
    assert_eq!(again.notes, [""; 0], "nothing changed");
    assert!(!again.compacted, "the published file is the base of the next one");
}

#[test]
fn our_readers_do_not_follow_a_log_of_another_program() {
    let store = Store::new();
    store.publish("r1", stage(&store, "r1", 30));
    std::fs::remove_file(store.paths.database_wal()).expect("the link");
    std::fs::write(store.paths.database_wal(), "of another program").expect("written");
    let reader = open_published(&store.paths).expect("open");
    let rows: i64 = reader.query_row("select count(*) from meetings", [], |row| row.get(0)).expect("a count");
    assert_eq!(rows, 30);
    drop(reader);
    assert_eq!(std::fs::read_dir(store.paths.work()).expect("list").count(), 0, "nothing is left in .work");
    store.paths.remove_orphans().expect("a sync begins");
    assert_eq!(meetings(&store), [30, 30]);
}
