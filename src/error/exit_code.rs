//! The exit codes as data: `--help`, the README and the summary take their texts from here.

use ExitCode::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    Complete = 0,
    Unexpected = 1,
    Usage = 2,
    Credentials = 3,
    Feishu = 4,
    Storage = 5,
    Busy = 6,
    Incomplete = 7,
    Stopped = 8,
    Difference = 9,
    Matched = 10,
    Interrupted = 130,
    Terminated = 143,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ExitInfo {
    pub code: ExitCode,
    /// One word, for logs and JSON.
    pub name: &'static str,
    /// For the list of exit codes.
    pub meaning: &'static str,
    /// For the first line of a summary.
    pub outcome: &'static str,
    /// What comes next, unless that is obvious. Not "the same command again": with a used-up quota that would change
    /// nothing, and with `--refetch` it would start over.
    pub next: Option<&'static str>,
}

impl ExitInfo {
    /// Whether somebody has to look at it. What the next run completes by itself is no fault.
    pub(crate) fn is_fault(&self) -> bool {
        self.code != Complete && self.next.is_none()
    }
}

const RESUMES: Option<&str> = Some("Fetched data is kept; the next run resumes where this one stopped.");

const fn row(code: ExitCode, name: &'static str, meaning: &'static str, outcome: &'static str) -> ExitInfo {
    ExitInfo { code, name, meaning, outcome, next: None }
}

/// Every exit code, in ascending order.
pub(crate) const EXIT_CODES: &[ExitInfo] = &[
    row(Complete, "complete", "success; data of meetings that ended recently may still be pending", "complete"),
    row(Unexpected, "unexpected", "internal error (please report this bug)", "internal error"),
    row(Usage, "usage", "command-line or configuration error", "usage"),
    row(
        Credentials,
        "credentials",
        "access denied by Feishu (credentials, scope, role or IP address); credentials refused by the object store",
        "Feishu rejected the credentials or the permissions",
    ),
    // The name is that of existing stores.
    row(Feishu, "vendor", "Feishu is unreachable or keeps failing", "Feishu could not be reached or kept failing"),
    row(
        Storage,
        "storage",
        "the store or its copy cannot be read or written",
        "the store could not be read or written",
    ),
    row(Busy, "busy", "another run holds the store's lock", "busy"),
    ExitInfo {
        next: Some("The next run retries what is still pending."),
        ..row(Incomplete, "incomplete", "finished with failures; rerun to retry them", "finished with failures")
    },
    ExitInfo {
        next: Some("The next run fetches what is left."),
        ..row(
            Stopped,
            "stopped",
            "stopped early at a limit (--max-calls, --finish-by, monthly quota); rerun to resume",
            "stopped early",
        )
    },
    row(Difference, "difference", "verify found problems", "difference"),
    row(Matched, "matched", "an alert rule matched (alert check --exit-code)", "matched"),
    ExitInfo {
        next: RESUMES,
        ..row(Interrupted, "interrupted", "interrupted (SIGINT); fetched data is kept", "interrupted")
    },
    ExitInfo {
        next: RESUMES,
        ..row(Terminated, "terminated", "terminated (SIGTERM); fetched data is kept", "terminated")
    },
];

/// Every exit code, the worst first: of several runs, the worst decides. First what somebody has to look at, then an
/// interruption, then what the next run completes.
const WORST_FIRST: &[ExitCode] = &[
    Unexpected,
    Usage,
    Credentials,
    Feishu,
    Storage,
    Busy,
    Difference,
    Matched,
    Interrupted,
    Terminated,
    Incomplete,
    Stopped,
    Complete,
];

pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGTERM: i32 = 15;

impl ExitCode {
    pub(crate) fn of_signal(signal: i32) -> ExitCode {
        if signal == SIGTERM { ExitCode::Terminated } else { ExitCode::Interrupted }
    }

    /// `None` if the program never ends with this number.
    pub(crate) fn of_number(number: i32) -> Option<ExitCode> {
        WORST_FIRST.iter().copied().find(|code| i32::from(code.number()) == number)
    }

    /// The worst of several, for their common exit code; that of none is success.
    pub(crate) fn worst(codes: impl IntoIterator<Item = ExitCode>) -> ExitCode {
        let rank = |code: &ExitCode| WORST_FIRST.iter().position(|known| known == code);
        codes.into_iter().min_by_key(rank).unwrap_or(Complete)
    }

    pub fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn name(self) -> &'static str {
        EXIT_CODES.iter().find(|info| info.code == self).expect("a test checks that the table is complete").name
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

/// The numbers of all codes, the worst first, for the README.
#[cfg(test)]
pub(crate) fn worst_first(separator: &str) -> String {
    WORST_FIRST.iter().map(|code| code.number().to_string()).collect::<Vec<_>>().join(separator)
}

/// The table as Markdown, for the README.
#[cfg(test)]
pub(crate) fn markdown(language: crate::text::Language) -> String {
    let mut text = format!("| {} |\n|---|---|\n", language.pick("exit | meaning", "退出码 | 含义"));
    for info in EXIT_CODES {
        text.push_str(&format!("| {} | {} |\n", info.code.number(), language.say(info.meaning)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes: Vec<u8> = EXIT_CODES.iter().map(|info| info.code.number()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143]);
    }

    #[test]
    fn what_the_next_run_completes_is_no_fault() {
        let faults = EXIT_CODES.iter().filter(|info| info.is_fault()).map(|info| info.code.number());
        assert_eq!(faults.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 9, 10]);
    }

    #[test]
    fn faults_are_worse_than_what_the_next_run_completes() {
        let mut sorted = WORST_FIRST.to_vec();
        sorted.sort_unstable_by_key(|code| code.number());
        assert_eq!(sorted, EXIT_CODES.iter().map(|info| info.code).collect::<Vec<_>>());
        let is_fault = |code: &ExitCode| EXIT_CODES.iter().any(|info| info.code == *code && info.is_fault());
        assert!(WORST_FIRST.is_sorted_by_key(|code| !is_fault(code)));
        assert_eq!(ExitCode::worst([]), Complete);
        assert_eq!(ExitCode::worst([Complete, Incomplete, Storage, Terminated]), Storage);
        assert_eq!(ExitCode::worst([Stopped, Incomplete, Interrupted]), Interrupted);
        assert_eq!((ExitCode::of_number(143), ExitCode::of_number(101)), (Some(Terminated), None));
    }

    #[test]
    fn every_code_is_in_the_table() {
        for info in EXIT_CODES {
            assert_eq!(info.code.name(), info.name);
        }
        // A new code must be added here too, and then to the table.
        let all = |code: ExitCode| match code {
            ExitCode::Complete
            | ExitCode::Unexpected
            | ExitCode::Usage
            | ExitCode::Credentials
            | ExitCode::Feishu
            | ExitCode::Storage
            | ExitCode::Busy
            | ExitCode::Incomplete
            | ExitCode::Stopped
            | ExitCode::Difference
            | ExitCode::Matched
            | ExitCode::Interrupted
            | ExitCode::Terminated => 13,
        };
        assert_eq!(EXIT_CODES.len(), all(ExitCode::Complete));
    }
}
