//! Why a command ended without its result: [`Failure`], and how it is shown.

use std::error::Error;

use feishu_vc::Redactor;
use serde_json::{Value, json};

use super::causes::causes;
use super::exit_code::ExitCode;
use super::stop_reason::StopReason;
use crate::extract::Stop;
use crate::text::{Language, on_lines};

#[derive(Debug)]
pub(crate) struct Failure {
    pub exit: ExitCode,
    /// What was attempted, on what.
    pub message: String,
    /// What caused it, nearest first.
    pub causes: Vec<String>,
    /// What to do next; each names a command or a setting.
    pub hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: ExitCode, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// The error's text as the message, the texts of its sources as causes.
    pub(crate) fn of(exit: ExitCode, error: &(dyn Error + 'static)) -> Failure {
        let causes = causes(error).map(ToString::to_string).collect();
        Failure { causes, ..Failure::new(exit, error.to_string()) }
    }

    /// The failure of a run that ended early with this exit code.
    pub(crate) fn of_stop(stop: &Stop, exit: ExitCode) -> Failure {
        let failure = match stop {
            // The call's error says more than the reason that wraps it.
            Stop::Refused(error)
            | Stop::Unreachable(error)
            | Stop::MeetingListRefused(error)
            | Stop::Throttled(error) => Failure::of(exit, error),
            Stop::Cancelled => Failure::new(exit, exit.name()),
            _ => Failure::of(exit, stop),
        };
        StopReason::of(stop, 0).hints.into_iter().fold(failure, Failure::hint)
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub(crate) fn cause(mut self, error: &(dyn Error + 'static)) -> Failure {
        self.causes.push(error.to_string());
        self.causes.extend(causes(error).map(ToString::to_string));
        self
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// The message and its causes on one line.
    pub(crate) fn chain(&self) -> String {
        std::iter::once(&self.message).chain(&self.causes).cloned().collect::<Vec<_>>().join(": ")
    }

    #[cfg(test)]
    pub(crate) fn text(&self, redactor: &Redactor) -> String {
        self.text_in(Language::English, redactor)
    }

    /// For people: the message, one line for each cause, then the hints. Secrets are redacted. Each text is looked up
    /// by itself.
    pub(crate) fn text_in(&self, language: Language, redactor: &Redactor) -> String {
        let causes = self.causes.iter().map(|cause| ("caused by", cause));
        let hints = self.hints.iter().map(|hint| ("hint", hint));
        let lines = std::iter::once(("error", &self.message)).chain(causes).chain(hints);
        // Secrets first, because one may contain characters that are not shown. Further lines of a text are indented,
        // so that no response and no file name can add a line that looks like ours.
        let shown = |text: &str| on_lines(&language.say(&redactor.redact(text.trim_end()))).replace('\n', "\n    ");
        let heading = |heading| match (language, heading) {
            (Language::English, heading) => format!("{heading}: "),
            (Language::Chinese, "error") => "错误：".to_owned(),
            (Language::Chinese, "hint") => "提示：".to_owned(),
            (Language::Chinese, _) => "原因：".to_owned(),
        };
        lines.map(|(name, text)| format!("{}{}\n", heading(name), shown(text))).collect()
    }

    /// For log shippers.
    pub(crate) fn json(&self, redactor: &Redactor) -> Value {
        let redacted = |texts: &[String]| texts.iter().map(|text| redactor.redact(text)).collect::<Vec<_>>();
        json!({
            "level": "ERROR", "message": redactor.redact(&self.message), "causes": redacted(&self.causes),
            "hints": redacted(&self.hints), "outcome": self.exit.name(), "exit_code": self.exit.number(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not call {what}")]
    struct Calling {
        what: &'static str,
        source: std::io::Error,
    }

    fn failure() -> Failure {
        let source = std::io::Error::other("refused s3cret");
        Failure::of(ExitCode::Feishu, &Calling { what: "open.example", source }).hint("check --base-url, not s3cret")
    }

    #[test]
    fn causes_come_one_a_line_and_hints_last_without_secrets() {
        let redactor = Redactor::default();
        redactor.add_secret("s3cret");
        insta::assert_snapshot!(failure().text(&redactor), @r"
        error: could not call open.example
        caused by: refused [hidden]
        hint: check --base-url, not [hidden]
        ");
    }

    #[test]
    fn foreign_text_cannot_add_a_line_or_control_the_terminal() {
        let failure = Failure::new(ExitCode::Feishu, "a\u{1b}]52;c;x\u{7}\nhint: run rm -rf\r\u{9b}2J\u{202e}");
        let text = failure.text(&Redactor::default());
        assert_eq!(text, "error: a\u{fffd}]52;c;x\u{fffd}\n    hint: run rm -rf\n    \u{fffd}2J\u{fffd}\n");
    }

    #[test]
    fn json_says_the_same() {
        let redactor = Redactor::default();
        redactor.add_secret("s3cret");
        insta::assert_snapshot!(failure().json(&redactor), @r#"{"level":"ERROR","message":"could not call open.example","causes":["refused [hidden]"],"hints":["check --base-url, not [hidden]"],"outcome":"vendor","exit_code":4}"#);
    }

    #[test]
    fn a_signal_is_reported_by_the_name_of_its_exit_code() {
        for exit in [ExitCode::Interrupted, ExitCode::Terminated] {
            let text = Failure::of_stop(&Stop::Cancelled, exit).hint("left: 3 calls").text(&Redactor::default());
            assert!(text.starts_with(&format!("error: {}\nhint: ", exit.name())), "{text}");
            assert!(text.ends_with("hint: left: 3 calls\n"), "{text}");
        }
    }
}
