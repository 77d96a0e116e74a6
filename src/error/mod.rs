//! The edge: what a failure is to the person who started the program.
//!
//! Shows the exit codes ([`EXIT_CODES`], which the pipeline owns, because a run's end is one of them). Owns the one type that leaves a command ([`Failure`]: exit code, message,
//! causes, hints), its rendering, and the [`Redactor`]. `mapping` holds the one table from the stages' errors to
//! failures; the stages know nothing of it. Promises: a rendered failure reads without colour and holds no secret.

mod mapping;
mod nearest;
mod redact;
mod stops;

use std::error::Error;

use serde_json::{Value, json};

use crate::load::is_noise;
use crate::text::on_lines;

pub(crate) use crate::commands::exit::EXIT_CODES;
pub use crate::commands::exit::ExitCode;
pub(crate) use nearest::nearest;
pub(crate) use redact::Redactor;
pub(crate) use stops::next_after;

/// Why a command ended without its result.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub exit: ExitCode,
    /// What was attempted, on what.
    pub message: String,
    /// What caused it, nearest first.
    pub causes: Vec<String>,
    /// What to do next; each names a command or a setting.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure without a cause.
    pub(crate) fn new(exit: ExitCode, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A failure from an error: its text, and the texts of its chain of sources as causes.
    pub(crate) fn of(exit: ExitCode, error: &dyn Error) -> Failure {
        let failure = Failure::new(exit, error.to_string());
        match error.source() {
            Some(source) => failure.cause(source),
            None => failure,
        }
    }

    /// Adds an error, and its chain of sources, as causes.
    #[must_use]
    pub(crate) fn cause(mut self, error: &(dyn Error + 'static)) -> Failure {
        let mut cause = Some(error);
        while let Some(error) = cause.filter(|error| !is_noise(*error)) {
            self.causes.push(error.to_string());
            cause = error.source();
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// For people: the message, the causes one a line, the hints after. Secrets are taken out.
    pub(crate) fn text(&self, redactor: &Redactor) -> String {
        let causes = self.causes.iter().map(|cause| ("caused by", cause));
        let hints = self.hints.iter().map(|hint| ("hint", hint));
        let lines = std::iter::once(("error", &self.message)).chain(causes).chain(hints);
        // Secrets first, because one may hold what is not shown. Further lines of a text are set in, so that no vendor
        // and no file name can add a line that looks like ours.
        let shown = |text: &str| on_lines(&redactor.clean(text.trim_end())).replace('\n', "\n    ");
        lines.map(|(heading, text)| format!("{heading}: {}\n", shown(text))).collect()
    }

    /// For log shippers: the same as fields.
    pub(crate) fn json(&self, redactor: &Redactor) -> Value {
        let clean = |texts: &[String]| texts.iter().map(|text| redactor.clean(text)).collect::<Vec<_>>();
        json!({
            "level": "ERROR", "message": redactor.clean(&self.message), "causes": clean(&self.causes),
            "hints": clean(&self.hints), "outcome": self.exit.exit().name, "exit_code": self.exit.number(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not ask {what}")]
    struct Asking {
        what: &'static str,
        source: std::io::Error,
    }

    fn failure() -> Failure {
        let source = std::io::Error::other("refused s3cret");
        Failure::of(ExitCode::Vendor, &Asking { what: "open.example", source }).hint("check --base-url, not s3cret")
    }

    #[test]
    fn causes_come_one_a_line_and_hints_last_without_secrets() {
        let redactor = Redactor::default();
        redactor.hide("s3cret");
        insta::assert_snapshot!(failure().text(&redactor), @r"
        error: could not ask open.example
        caused by: refused [hidden]
        hint: check --base-url, not [hidden]
        ");
    }

    #[test]
    fn nothing_from_outside_writes_a_line_of_ours_or_moves_the_terminal() {
        let failure = Failure::new(ExitCode::Vendor, "a\u{1b}]52;c;x\u{7}\nhint: run rm -rf\r\u{9b}2J\u{202e}");
        let text = failure.text(&Redactor::default());
        assert_eq!(text, "error: a\u{fffd}]52;c;x\u{fffd}\n    hint: run rm -rf\n    \u{fffd}2J\u{fffd}\n");
    }

    #[test]
    fn json_says_the_same() {
        let redactor = Redactor::default();
        redactor.hide("s3cret");
        insta::assert_snapshot!(failure().json(&redactor), @r#"{"level":"ERROR","message":"could not ask open.example","causes":["refused [hidden]"],"hints":["check --base-url, not [hidden]"],"outcome":"vendor","exit_code":4}"#);
    }
}
