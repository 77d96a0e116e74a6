//! Finds a process that has the database open for writing: DuckDB then holds a write lock on the file.

use std::fmt;
use std::fs::File;
use std::path::Path;

use rustix::process::{Flock, FlockOffsetType, FlockType, fcntl_getlk};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    /// `None` for a process on another machine or in another container.
    pid: Option<i32>,
    name: Option<String>,
}

/// The process that has the file open for writing; `None` also where locks are not supported.
pub(super) fn of(path: &Path) -> Option<Writer> {
    let file = File::open(path).ok()?;
    // A read lock is refused only by a write lock. The whole file, as DuckDB locks it.
    let wanted = Flock { start: 0, length: 0, pid: None, typ: FlockType::ReadLock, offset_type: FlockOffsetType::Set };
    let found = fcntl_getlk(&file, &wanted).ok().flatten()?;
    let pid = found.pid.map(|pid| pid.as_raw_nonzero().get()).filter(|pid| *pid > 0);
    let name = pid.and_then(|pid| std::fs::read_to_string(format!("/proc/{pid}/comm")).ok());
    Some(Writer { pid, name: name.map(|name| name.trim().to_owned()) })
}

impl fmt::Display for Writer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.name) {
            (Some(pid), Some(name)) => write!(out, "process {pid} ({name})"),
            (Some(pid), None) => write!(out, "process {pid}"),
            (None, _) => write!(out, "a process elsewhere"),
        }
    }
}
