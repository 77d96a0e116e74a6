//! The exit codes as data: `--help` and the README take them from here.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    Complete = 0,
    /// A fault of ours.
    Unexpected = 1,
    /// The command line or the settings.
    Usage = 2,
    /// The vendor does not let us in.
    Credentials = 3,
    /// The vendor does not answer.
    Vendor = 4,
    /// The store can't be read or written.
    Storage = 5,
    /// Another run holds the store.
    Busy = 6,
    /// Something failed and is still pending.
    Incomplete = 7,
    /// Stopped early on purpose.
    Stopped = 8,
    /// `verify` found a difference.
    Difference = 9,
    Interrupted = 130,
    Terminated = 143,
}

/// One line of the table of exit codes.
#[derive(Debug, Clone, Copy)]
pub struct Exit {
    pub code: ExitCode,
    /// One word, for logs.
    pub name: &'static str,
    /// What it means to whoever started the program.
    pub meaning: &'static str,
}

const fn exit(code: ExitCode, name: &'static str, meaning: &'static str) -> Exit {
    Exit { code, name, meaning }
}

/// Every way to end.
pub(crate) const EXIT_CODES: &[Exit] = &[
    exit(ExitCode::Complete, "complete", "complete for the window; recent participants may still be pending"),
    exit(ExitCode::Unexpected, "unexpected", "unexpected: a fault of the program"),
    exit(ExitCode::Usage, "usage", "usage or configuration"),
    exit(ExitCode::Credentials, "credentials", "credentials, scope, role or IP allow-list"),
    exit(ExitCode::Vendor, "vendor", "the vendor is unreachable or keeps failing"),
    exit(ExitCode::Storage, "storage", "local storage"),
    exit(ExitCode::Busy, "busy", "another run holds the store"),
    exit(ExitCode::Incomplete, "pending", "finished, but something failed and is still pending; run again"),
    exit(
        ExitCode::Stopped,
        "stopped",
        "stopped early on purpose (budget, monthly quota, --finish-by); run again to go on",
    ),
    exit(ExitCode::Difference, "difference", "verify found a difference"),
    exit(ExitCode::Interrupted, "interrupted", "interrupted (SIGINT); what was answered is kept"),
    exit(ExitCode::Terminated, "terminated", "interrupted (SIGTERM); what was answered is kept"),
];

impl ExitCode {
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its line of the table.
    pub fn exit(self) -> &'static Exit {
        EXIT_CODES.iter().find(|exit| exit.code == self).expect("a test holds the table complete")
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
    for exit in EXIT_CODES {
        text.push_str(&format!("| {} | {} |\n", exit.code.number(), exit.meaning));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes: Vec<u8> = EXIT_CODES.iter().map(|exit| exit.code.number()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143]);
    }

    #[test]
    fn every_code_has_its_line() {
        for exit in EXIT_CODES {
            assert_eq!(exit.code.exit().name, exit.name);
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
