//! What a person sees where the program itself is wrong: one failure like any other, through the door that hides secrets.
//!
//! The standard hook would print a panic's message as it is, past the redactor and the JSON log, and a message may hold
//! whatever the code had in hand.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use crate::cli::console::Console;
use crate::error::{ExitCode, Failure, Redactor};

/// The door of this process, once there is one. A hook gets no argument of ours, so it is looked up here.
static DOOR: Mutex<Option<Console>> = Mutex::new(None);

/// Tells of panics from now on in the program's own words.
pub fn take_panics() {
    std::panic::set_hook(Box::new(tell));
}

/// Panics are told through this door from now on.
pub(super) fn through(console: &Console) {
    *DOOR.lock().unwrap_or_else(PoisonError::into_inner) = Some(console.clone());
}

fn tell(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without words");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let failure = failure(message, &place);
    let door = DOOR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match door {
        Some(console) => console.failure(&failure),
        // Before anything was read there is no secret to know, and so nothing of the message may be said.
        None => Console::stderr(crate::config::LogFormat::Plain, false, Redactor::default())
            .failure(&self::failure("before the settings were read", &place)),
    }
}

fn failure(message: &str, place: &str) -> Failure {
    let mut failure =
        Failure::new(ExitCode::Unexpected, format!("a defect of this program ended the work, at {place}"))
            .hint("what was answered is kept, what is published is whole, and the next run goes on")
            .hint("please report it with these lines and the output of vcq-etl --version");
    failure.causes.push(message.to_owned());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Process, run};

    const CHILD: &str = "VCQ_TEST_PANIC";

    /// Run by the test below in a process of its own, because a hook is one for all threads.
    #[test]
    #[ignore = "ends its process; run by the next test"]
    fn panics_with_a_secret() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        take_panics();
        let mut process = Process::this();
        process.args = vec!["vcq-etl".into(), "report".into(), "list".into()];
        assert_eq!(run(process), ExitCode::Complete);
        let secret = std::env::var("VCQ_APP_SECRET").unwrap_or_default();
        let panicked = std::thread::spawn(move || panic!("could not send {secret}\u{1b}[2J")).join();
        std::process::exit(if panicked.is_err() { 41 } else { 0 });
    }

    #[test]
    fn a_panic_is_told_without_its_secrets() {
        for format in ["plain", "json"] {
            let child = std::process::Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "cli::defect::tests::panics_with_a_secret", "--ignored", "--nocapture"])
                .env(CHILD, "1")
                .env("VCQ_APP_SECRET", "hunter2-hunter2")
                .env("VCQ_LOG_FORMAT", format)
                .output()
                .expect("runs");
            let stderr = String::from_utf8_lossy(&child.stderr);
            assert_eq!(child.status.code(), Some(41), "{stderr}");
            assert!(
                stderr.contains("a defect of this program") && stderr.contains("could not send [hidden]"),
                "{stderr}"
            );
            assert!(!stderr.contains("hunter2") && !stderr.contains('\u{1b}'), "{stderr}");
            if format == "json" {
                let line = stderr.lines().find(|line| line.contains("defect")).expect("a line");
                let object: serde_json::Value = serde_json::from_str(line).expect("an object");
                assert_eq!((&object["exit_code"], &object["outcome"]), (&1.into(), &"unexpected".into()));
            }
        }
    }
}
