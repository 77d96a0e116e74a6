//! Loads `fault_injection.c` in front of the unmodified binary: its operations on files are counted, and one goes wrong.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// Error numbers of Linux.
pub(crate) const EIO: i32 = 5;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EDQUOT: i32 = 122;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The process dies before the operation.
    Kill,
    /// It dies right after it.
    KillAfter,
    /// It dies with half of the bytes written.
    KillMidWrite,
    /// Half of the bytes are written; every later operation that matches fails with this number.
    ShortWrite(i32),
    /// One operation fails with this number.
    FailOnce(i32),
    /// This operation and every later one that matches fail with this number.
    Fail(i32),
}

/// What goes wrong, and when.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub act: Action,
    /// At which of the operations that match, from 1.
    pub at: usize,
    /// Kinds that match (`write`, `create`, `open`, `copy`, `sync`, `truncate`, `rename`, `unlink`, `mkdir`, `rmdir`); all
    /// where empty.
    pub kinds: &'static str,
    /// Text in the path of those that match; any where empty.
    pub path: String,
}

impl Fault {
    /// At the n-th operation of all.
    pub(crate) fn at(act: Action, at: usize) -> Fault {
        Fault { act, at, kinds: "", path: String::new() }
    }

    /// At the n-th of the operations of some kinds on paths with a text.
    pub(crate) fn on(act: Action, at: usize, kinds: &'static str, path: &str) -> Fault {
        Fault { act, at, kinds, path: path.to_owned() }
    }
}

/// One operation on a file of the store, as logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub kind: String,
    /// The path below the store; of a rename, where it came from.
    pub path: String,
    /// Where a rename goes.
    pub to: Option<String>,
}

/// Lets a command run with the shim before the files of `store`, which has to exist or to be made by it.
pub(crate) fn preload(command: &mut Command, store: &Path, log: Option<&Path>, fault: Option<&Fault>) {
    command.env("LD_PRELOAD", library()).env("FAULTS_ROOT", store);
    if let Some(log) = log {
        command.env("FAULTS_LOG", log);
    }
    let Some(Fault { act, at, kinds, path }) = fault else { return };
    let (act, errno, once) = match act {
        Action::Kill => ("kill", 0, ""),
        Action::KillAfter => ("kill-after", 0, ""),
        Action::KillMidWrite => ("tear", 0, ""),
        Action::ShortWrite(errno) => ("short", *errno, ""),
        Action::FailOnce(errno) => ("fail", *errno, "1"),
        Action::Fail(errno) => ("fail", *errno, ""),
    };
    command.env("FAULTS_ACT", act).env("FAULTS_AT", at.to_string()).env("FAULTS_ERRNO", errno.to_string());
    command.env("FAULTS_ONCE", once);
    if !kinds.is_empty() {
        command.env("FAULTS_KINDS", kinds);
    }
    if !path.is_empty() {
        command.env("FAULTS_PATH", path);
    }
}

/// The operations of a log, in order, their paths relative to `store`.
pub(crate) fn operations(log: &Path, store: &Path) -> Vec<Operation> {
    let below = |path: &str| path.trim_start_matches(&*store.to_string_lossy()).trim_start_matches('/').to_owned();
    let text = std::fs::read_to_string(log).expect("the shim writes its log: is the binary linked dynamically?");
    text.lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ').skip(1);
            let (kind, paths) = (words.next().expect("a kind"), words.next().expect("a path"));
            let (path, to) = match paths.split_once(" -> ") {
                Some((path, to)) => (path, Some(below(to))),
                None => (paths, None),
            };
            Operation { kind: kind.to_owned(), path: below(path), to }
        })
        .collect()
}

/// The compiled shim, made once by the first test that needs it.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        assert_eq!(std::env::consts::OS, "linux", "the tests of kills and faults need LD_PRELOAD");
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("faults.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/fault_injection.c");
        let built =
            Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&path).arg(source).arg("-ldl").output();
        let built = built.expect("the tests of kills and faults need a C compiler named cc");
        assert!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
        (folder, path)
    });
    path
}
