//! Reports a panic as a failure on the console.
//!
//! The default hook would print the message unredacted and break the JSON log, and the message may contain a secret.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

use super::console::Console;
use crate::config::LogFormat;
use crate::error::{ExitCode, Failure, Redactor};

/// The console of this process. The hook takes no argument, so it is stored here.
static CONSOLE: Mutex<Option<Console>> = Mutex::new(None);

pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(report));
}

/// Sets the console that panics are reported to.
pub(super) fn report_to(console: &Console) {
    *CONSOLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(console.clone());
}

fn report(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let failure = failure(message, &place);
    let console = CONSOLE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match console {
        Some(console) => console.failure(&failure),
        // No secret is known yet, so the message cannot be redacted and is not shown.
        None => Console::new(Box::new(std::io::stderr()), LogFormat::Plain, false, Redactor::default())
            .failure(&self::failure("before the settings were read", &place)),
    }
}

fn failure(message: &str, place: &str) -> Failure {
    let mut failure = Failure::new(ExitCode::Unexpected, format!("internal error at {place} (please report this bug)"))
        .hint("include these lines and the output of vcq-etl --version in the report")
        .hint("fetched data is kept, published data is intact; the next run resumes");
    failure.causes.push(message.to_owned());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Process, run};

    const CHILD: &str = "VCQ_TEST_PANIC";

    /// Run by the test below in its own process, because the hook is global.
    #[test]
    #[ignore = "ends its process; run by the next test"]
    fn panics_with_a_secret() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        install_panic_hook();
        let mut process = Process::this();
        process.args = vec!["vcq-etl".into(), "report".into(), "list".into()];
        assert_eq!(run(process), ExitCode::Complete);
        let secret = std::env::var("VCQ_APP_SECRET").unwrap_or_default();
        let panicked = std::thread::spawn(move || panic!("could not send {secret}\u{1b}[2J")).join();
        std::process::exit(if panicked.is_err() { 41 } else { 0 });
    }

    #[test]
    fn a_panic_is_reported_without_secrets() {
        for format in ["plain", "json"] {
            let child = std::process::Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "cli::panic_hook::tests::panics_with_a_secret", "--ignored", "--nocapture"])
                .env(CHILD, "1")
                .env("VCQ_APP_SECRET", "hunter2-hunter2")
                .env("VCQ_LOG_FORMAT", format)
                .output()
                .expect("runs");
            let stderr = String::from_utf8_lossy(&child.stderr);
            assert_eq!(child.status.code(), Some(41), "{stderr}");
            assert!(stderr.contains("internal error at") && stderr.contains("could not send [hidden]"), "{stderr}");
            assert!(!stderr.contains("hunter2") && !stderr.contains('\u{1b}'), "{stderr}");
            if format == "json" {
                let line = stderr.lines().find(|line| line.contains("internal error")).expect("a line");
                let object: serde_json::Value = serde_json::from_str(line).expect("an object");
                assert_eq!((&object["exit_code"], &object["outcome"]), (&1.into(), &"unexpected".into()));
            }
        }
    }
}
