//! The processes that run, and the end of each.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::error::exit_code::{SIGINT, SIGTERM};
use crate::error::{ExitCode, Failure};

/// The processes that run now, by tenant.
#[derive(Debug, Default)]
pub(super) struct Running {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    children: BTreeMap<String, Child>,
    /// The first signal that came; no process is started after it.
    signal: Option<i32>,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct ChildEnd {
    pub exit: ExitCode,
    pub stdout: String,
    /// The last error that it printed.
    pub error: Option<String>,
    /// Why there is no result.
    pub failure: Option<Failure>,
}

impl Running {
    /// Passes a signal on to every process. A process that has ended is not waited for while it is in the map, so that
    /// its ID is still its own.
    pub(super) fn signal(&self, signal: i32) {
        let mut inner = self.lock();
        inner.signal.get_or_insert(signal);
        let signal = if signal == SIGTERM { Signal::TERM } else { Signal::INT };
        for child in inner.children.values() {
            // Fails only for a process that has ended.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// Runs a process to its end. `on_line` gets the lines that it writes to stderr.
    pub(super) fn run(
        &self,
        program: &Path,
        args: &[OsString],
        tenant: &str,
        on_line: impl Fn(&str) + Send,
    ) -> ChildEnd {
        let mut command = Command::new(program);
        // In a process group of its own, it gets the signal of a terminal once, from this process: the second signal
        // would end it at once.
        command.args(args).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = {
            let mut inner = self.lock();
            if let Some(signal) = inner.signal {
                let failure = Failure::new(ExitCode::of_signal(signal), format!("tenant {tenant}: not started"));
                return ChildEnd::failed(failure.hint("run the same command again"));
            }
            command.spawn().map(|mut child| {
                let streams = (child.stdout.take(), child.stderr.take());
                inner.children.insert(tenant.to_owned(), child);
                streams
            })
        };
        let (stdout, stderr) = match started {
            Ok(streams) => streams,
            Err(error) => {
                let message = format!("tenant {tenant}: could not start {}", program.display());
                return ChildEnd::failed(Failure::new(ExitCode::Unexpected, message).cause(&error));
            }
        };
        let mut bytes = Vec::new();
        let error = std::thread::scope(|scope| {
            let lines = scope.spawn(move || {
                let mut last_error = None;
                for line in
                    stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n')).map_while(Result::ok)
                {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    on_line(&line);
                    last_error = error_in(&line).or(last_error);
                }
                last_error
            });
            // What could be read counts; how the process ended is known below.
            let _ = stdout.map(|mut stdout| stdout.read_to_end(&mut bytes));
            lines.join().unwrap_or_default()
        });
        let child = self.lock().children.remove(tenant);
        let status = child.map(|mut child| child.wait());
        let end = |exit, failure| ChildEnd {
            exit,
            stdout: String::from_utf8_lossy(&bytes).into_owned(),
            error: error.clone(),
            failure,
        };
        match status {
            Some(Ok(status)) => {
                let failure = failure_of(status, tenant);
                let exit = failure.as_ref().map_or_else(|| exit_of(status), |failure| failure.exit);
                end(exit, failure)
            }
            Some(Err(error)) => {
                let message = format!("tenant {tenant}: how its process ended is unknown");
                end(ExitCode::Unexpected, Some(Failure::new(ExitCode::Unexpected, message).cause(&error)))
            }
            None => end(ExitCode::Unexpected, None),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChildEnd {
    fn failed(failure: Failure) -> ChildEnd {
        ChildEnd { exit: failure.exit, stdout: String::new(), error: None, failure: Some(failure) }
    }
}

fn exit_of(status: ExitStatus) -> ExitCode {
    status.code().and_then(ExitCode::of_number).unwrap_or(ExitCode::Unexpected)
}

/// The failure of a process that a signal ended. One that had no handler yet ends like one that had.
fn failure_of(status: ExitStatus, tenant: &str) -> Option<Failure> {
    let signal = status.signal()?;
    let exit = if matches!(signal, SIGINT | SIGTERM) { ExitCode::of_signal(signal) } else { ExitCode::Unexpected };
    Some(Failure::new(exit, format!("tenant {tenant}: its process was ended by signal {signal}")).hint(
        "fetched data is kept, and the next run resumes; the log of the system may say why, such as too little memory",
    ))
}

/// The text of an error that a process printed.
fn error_in(line: &str) -> Option<String> {
    if let Some(text) = ["error: ", "错误："].iter().find_map(|heading| line.strip_prefix(heading)) {
        return Some(text.to_owned());
    }
    let object: Value = serde_json::from_str(line).ok()?;
    (object.get("level")? == "ERROR").then(|| object.get("message")?.as_str().map(str::to_owned))?
}
