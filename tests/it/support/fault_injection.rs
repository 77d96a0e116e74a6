//! Preloads `fault_injection.c` into the unmodified binary: it logs file operations and makes one of them fail.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

// Error numbers of Linux.
pub(crate) const EIO: i32 = 5;
pub(crate) const EACCES: i32 = 13;
pub(crate) const ENOSPC: i32 = 28;
pub(crate) const EDQUOT: i32 = 122;

/// What happens at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The process is killed before it.
    Kill,
    /// The process is killed right after it.
    KillAfter,
    /// The process is killed with half of the bytes written.
    KillMidWrite,
    /// Half of the bytes are written; every later matching operation fails with this number.
    ShortWrite(i32),
    /// This operation fails with this number.
    FailOnce(i32),
    /// This operation and every later matching one fail with this number.
    Fail(i32),
    /// The power of the disk fails before it, or as the process ends if it comes to its end. What was not synced is
    /// lost.
    PowerCut,
    /// The same, but names survive: only bytes that were not synced are lost.
    PowerCutKeepingNames,
}

/// What a file operation can be.
pub(crate) const KINDS: &[&str] =
    &["write", "create", "open", "copy", "sync", "truncate", "rename", "unlink", "mkdir", "rmdir"];

/// An action at one file operation.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub action: Action,
    /// Number of the matching operation, from 1.
    pub at: usize,
    /// [`KINDS`] that match, comma-separated. Empty: all.
    pub kinds: &'static str,
    /// Text that the path must contain. Empty: any path.
    pub path: String,
}

impl Fault {
    /// At the n-th of all operations.
    pub(crate) fn at(action: Action, at: usize) -> Fault {
        Fault { action, at, kinds: "", path: String::new() }
    }

    /// At the n-th operation of these kinds on a path that contains `path`.
    pub(crate) fn on(action: Action, at: usize, kinds: &'static str, path: &str) -> Fault {
        Fault { action, at, kinds, path: path.to_owned() }
    }
}

/// One logged operation on a file of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub kind: String,
    /// Path below the store; the source of a rename.
    pub path: String,
    /// Target of a rename.
    pub to: Option<String>,
}

/// Sets the command up to run with the preloaded library, which watches the files of `store`.
pub(crate) fn preload(command: &mut Command, store: &Path, log: Option<&Path>, fault: Option<&Fault>) {
    command.env("LD_PRELOAD", library()).env("FAULTS_ROOT", store);
    if let Some(log) = log {
        command.env("FAULTS_LOG", log);
    }
    let Some(Fault { action, at, kinds, path }) = fault else { return };
    let (action, errno, once) = match action {
        Action::Kill => ("kill", 0, ""),
        Action::KillAfter => ("kill-after", 0, ""),
        Action::KillMidWrite => ("kill-mid-write", 0, ""),
        Action::ShortWrite(errno) => ("short", *errno, ""),
        Action::FailOnce(errno) => ("fail", *errno, "1"),
        Action::Fail(errno) => ("fail", *errno, ""),
        Action::PowerCut => ("power-cut", 0, ""),
        Action::PowerCutKeepingNames => ("power-cut-log", 0, ""),
    };
    command.env("FAULTS_ACT", action).env("FAULTS_AT", at.to_string()).env("FAULTS_ERRNO", errno.to_string());
    command.env("FAULTS_ONCE", once);
    if !kinds.is_empty() {
        command.env("FAULTS_KINDS", kinds);
    }
    if !path.is_empty() {
        command.env("FAULTS_PATH", path);
    }
}

/// The operations of a log, in order, with paths relative to `store`.
pub(crate) fn operations(log: &Path, store: &Path) -> Vec<Operation> {
    let below = |path: &str| path.trim_start_matches(&*store.to_string_lossy()).trim_start_matches('/').to_owned();
    let text = std::fs::read_to_string(log).expect("no log of file operations: is the binary linked dynamically?");
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

/// The compiled library, built by the first test that needs it.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    &LIBRARY.get_or_init(|| compile("fault_injection.c")).1
}

/// Compiles a library of this folder that is preloaded into the binary.
pub(super) fn compile(source: &str) -> (TempDir, PathBuf) {
    assert_eq!(std::env::consts::OS, "linux", "{source} needs LD_PRELOAD");
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("preloaded.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support").join(source);
    let built = Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&path).arg(source).arg("-ldl").output();
    let built = built.expect("preloaded libraries need a C compiler named cc");
    assert!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
    (folder, path)
}
