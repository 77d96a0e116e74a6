//! The exit codes as data: `--help`, the README and the summary take their texts from here.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    Complete = 0,
    Unexpected = 1,
    Usage = 2,
    Credentials = 3,
    Vendor = 4,
    Storage = 5,
    Busy = 6,
    Incomplete = 7,
    Stopped = 8,
    Difference = 9,
    Interrupted = 130,
    Terminated = 143,
}

/// What belongs to an exit code.
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

const RESUMES: &str = "Fetched data is kept; the next run resumes where this one stopped.";

/// Every exit code, in ascending order.
pub(crate) const EXIT_CODES: &[ExitInfo] = &[
    ExitInfo {
        code: ExitCode::Complete,
        name: "complete",
        meaning: "complete for the window; recent participants may still be pending",
        outcome: "complete",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Unexpected,
        name: "unexpected",
        meaning: "internal error (please report this bug)",
        outcome: "internal error",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Usage,
        name: "usage",
        meaning: "command-line or configuration error",
        outcome: "usage",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Credentials,
        name: "credentials",
        meaning: "Feishu rejected the credentials, a scope, the role or this IP address",
        outcome: "Feishu rejected the credentials or the permissions",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Vendor,
        name: "vendor",
        meaning: "Feishu is unreachable or keeps failing",
        outcome: "Feishu could not be reached or kept failing",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Storage,
        name: "storage",
        meaning: "the store cannot be read or written",
        outcome: "the store could not be read or written",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Busy,
        name: "busy",
        meaning: "another run holds the store",
        outcome: "busy",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Incomplete,
        name: "incomplete",
        meaning: "finished with failures; rerun to retry them",
        outcome: "finished with failures",
        next: Some("The next run retries what is still pending."),
    },
    ExitInfo {
        code: ExitCode::Stopped,
        name: "stopped",
        meaning: "stopped early on purpose (budget, monthly quota, --finish-by); rerun to resume",
        outcome: "stopped early",
        next: Some("The next run fetches what is left."),
    },
    ExitInfo {
        code: ExitCode::Difference,
        name: "difference",
        meaning: "verify found a difference",
        outcome: "difference",
        next: None,
    },
    ExitInfo {
        code: ExitCode::Interrupted,
        name: "interrupted",
        meaning: "interrupted (SIGINT); fetched data is kept",
        outcome: "interrupted",
        next: Some(RESUMES),
    },
    ExitInfo {
        code: ExitCode::Terminated,
        name: "terminated",
        meaning: "terminated (SIGTERM); fetched data is kept",
        outcome: "terminated",
        next: Some(RESUMES),
    },
];

pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGTERM: i32 = 15;

impl ExitCode {
    pub(crate) fn of_signal(signal: i32) -> ExitCode {
        if signal == SIGTERM { ExitCode::Terminated } else { ExitCode::Interrupted }
    }

    pub fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn name(self) -> &'static str {
        self.info().name
    }

    pub(crate) fn info(self) -> &'static ExitInfo {
        EXIT_CODES.iter().find(|info| info.code == self).expect("a test checks that the table is complete")
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.number())
    }
}

/// The table as Markdown, for the README.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    let mut text = "| exit | meaning |\n|---|---|\n".to_owned();
    for info in EXIT_CODES {
        text.push_str(&format!("| {} | {} |\n", info.code.number(), info.meaning));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes: Vec<u8> = EXIT_CODES.iter().map(|info| info.code.number()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143]);
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
            | ExitCode::Vendor
            | ExitCode::Storage
            | ExitCode::Busy
            | ExitCode::Incomplete
            | ExitCode::Stopped
            | ExitCode::Difference
            | ExitCode::Interrupted
            | ExitCode::Terminated => 12,
        };
        assert_eq!(EXIT_CODES.len(), all(ExitCode::Complete));
    }
}
