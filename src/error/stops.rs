//! From the reason that ended a run early, and from what kept it from beginning, to failures.

use super::{ExitCode, Failure, nearest};
use crate::commands::SyncError;
use crate::commands::dates::DateError;
use crate::commands::verify::VerifyError;
use crate::extract::Stop;
use crate::ledger::LedgerError;
use crate::load::{DuckdbErrorKind, LoadError, LockError, NotAStore};
use crate::raw_log::RawError;
use feishu_vc::{BaseUrlError, CallError, ClientError, StopCause, asked_for};
use vcq_simulator::{FaultError, SimulatorError};

/// The scope without which no id is returned.
const ID_SCOPE: &str = "contact:user.employee_id:readonly";
/// What holds for every run that ends early and can simply be gone on with.
const GO_ON: &str = "what was answered is kept; the next run (without --refetch) goes on from there";
/// Where the reason may be any of several.
const ASK_THE_DOCTOR: &str = "vcq-etl doctor checks host, credentials and each list on its own";

/// What a rebuild does.
const REMADE: &str = "it makes manifest, Parquet and database again from raw/, without a call";
const CHECK_THE_DISK: &str = "check the disk and the permissions of the store; what is published is whole";

impl Failure {
    /// The failure of a run that ended early with this exit code.
    pub(crate) fn of_stop(stop: &Stop, exit: ExitCode) -> Failure {
        match stop {
            Stop::Vendor(error)
            | Stop::Unreachable(error)
            | Stop::MeetingListRefused(error)
            | Stop::Throttled(error) => of_call(error, exit),
            Stop::Role { .. } => Failure::of(exit, stop).hint(StopCause::Role.hint()),
            Stop::AllRefused { .. } => Failure::of(exit, stop)
                .hint("nothing of it counts as final: look the code up with the log id, or ask the vendor's support")
                .hint("the next run asks again"),
            Stop::NoIds { .. } => Failure::of(exit, stop)
                .hint(format!("add the scope {ID_SCOPE} to the app, publish a new version and have it approved"))
                .hint("then run again: these meetings are still pending"),
            Stop::Record(_) => Failure::of(exit, stop)
                .hint("free space or mend the permissions; what is published is whole, and the next run goes on"),
            Stop::MeetingList { .. } | Stop::Failing { .. } => Failure::of(exit, stop).hint(GO_ON),
            // The same word as the summary's and the exit code's.
            Stop::Cancelled => Failure::new(exit, exit.exit().name).hint(GO_ON),
            Stop::Budget(_) => Failure::of(exit, stop).hint(GO_ON),
        }
    }

    /// Also says what is left, in words.
    #[must_use]
    pub(crate) fn with_left(self, left: &str) -> Failure {
        self.hint(format!("left: {left}"))
    }
}

/// What comes next after a run that ended early, where it is not simply the next run: that one would end as early.
pub(crate) fn next_after(stop: &Stop) -> Option<String> {
    match stop {
        Stop::Vendor(CallError::Stop { cause: StopCause::MonthlyQuota, .. }) => Some(
            "What is left is asked by a run after the first of the month, or with a raised plan; until then it would stop \
             again."
                .to_owned(),
        ),
        Stop::Throttled(CallError::Throttled { requested_wait, .. }) => {
            Some(format!("What is left is asked by a run when {} are over.", asked_for(*requested_wait)))
        }
        _ => None,
    }
}

/// What to do about a refusal of DuckDB: a damaged database is not the disk's fault.
fn duckdb_trouble(failure: Failure, text: &str) -> Failure {
    if text.contains("Could not set lock") {
        return failure.hint("close what has it open for writing, or let it open the file read-only, and run again");
    }
    match DuckdbErrorKind::of(text) {
        DuckdbErrorKind::Lack => failure.hint("free memory and disk space, then run again; what is published is whole"),
        DuckdbErrorKind::System => failure.hint(CHECK_THE_DISK),
        DuckdbErrorKind::Database => {
            failure.hint(format!("the database is damaged, or was changed by somebody: run vcq-etl rebuild: {REMADE}"))
        }
    }
}

fn of_call(error: &CallError, exit: ExitCode) -> Failure {
    let failure = Failure::of(exit, error);
    match error {
        CallError::Stop { cause, scopes, answer, .. } => {
            let mut failure = failure.hint(cause.hint());
            if !scopes.is_empty() {
                failure = failure.hint(format!("the scope asked for: {}", scopes.join(" or ")));
            }
            if let Some(url) = &answer.help_url {
                failure = failure.hint(format!("the vendor's page about it: {url}"));
            }
            match cause {
                StopCause::Clock => failure.hint("vcq-etl doctor says by how much the clocks differ"),
                // A used-up month and a fault of ours have nothing that could be checked here.
                StopCause::MonthlyQuota | StopCause::OurBug => failure,
                _ => failure.hint(ASK_THE_DOCTOR),
            }
        }
        CallError::Throttled { requested_wait, .. } => {
            failure.hint(format!("run again when {} are over; {GO_ON}", asked_for(*requested_wait)))
        }
        CallError::Failed { fault, .. } if fault.is_unreachable() => failure
            .hint("check the network, a proxy or firewall on the way, and the region or base URL")
            .hint(ASK_THE_DOCTOR),
        CallError::Failed { fault, .. } if matches!(**fault, feishu_vc::Fault::NotJson { .. }) => failure
            .hint("something else than the API answers: check a proxy or sign-in page on the way, and the base URL")
            .hint(GO_ON),
        CallError::Failed { .. } => failure.hint("the vendor may be in trouble: run again later").hint(GO_ON),
        _ => failure.hint(GO_ON),
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Failure {
        match error {
            SyncError::Load(error) | SyncError::Date(DateError::Load(error)) => error.into(),
            SyncError::Lock(error) => error.into(),
            SyncError::Client(error) => error.into(),
            SyncError::UserIdType { .. } => Failure::of(ExitCode::Usage, &error)
                .hint("give the kind that the store holds (--user-id-type), or another store (--store DIR)"),
            SyncError::Ledger(LedgerError::Damaged { .. }) => {
                Failure::of(ExitCode::Storage, &error).hint("vcq-etl rebuild makes it again from raw/, without a call")
            }
            SyncError::WithoutRaw { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("nothing was changed: restore raw/ or parquet/_manifest.json from a copy")
                .hint("or move the folders of these dates out of parquet/, if they may go, and run again"),
            SyncError::Short { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("put the missing files of raw/ back and run again, or ask for these whole days with sync --refetch"),
            SyncError::Timezone { .. } => Failure::of(ExitCode::Usage, &error)
                .hint("give the time zone that the store was made with (--timezone), or another store (--store DIR)"),
            SyncError::PutAside { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("check the disk and the permissions of the store's folder state/"),
            SyncError::Ledger(_) => Failure::of(ExitCode::Storage, &error)
                .hint("free space or mend the permissions of the store's folder state/; the answers in raw/ are whole"),
            SyncError::Recorder { .. } => {
                Failure::of(ExitCode::Storage, &error).hint("check the limits of this machine")
            }
            SyncError::Report(error) => error.into(),
            SyncError::Buildings(error) => error.into(),
            SyncError::UnknownLimits { ref unknown, ref known } => {
                let near = unknown.iter().filter_map(|name| nearest(name, known.iter().map(String::as_str)));
                let near: Vec<String> = near.map(|name| format!("did you mean {name}?")).collect();
                near.into_iter()
                    .fold(Failure::of(ExitCode::Usage, &error), Failure::hint)
                    .hint(format!("the setting thresholds can have: {}", known.join(", ")))
            }
            SyncError::Totals(_) => Failure::of(ExitCode::Storage, &error)
                .hint("the database may be damaged: vcq-etl rebuild makes it again, without a call"),
            SyncError::Date(DateError::Raw(RawError::Io { .. })) => Failure::of(ExitCode::Storage, &error)
                .hint("check the disk and the permissions of the store's folder raw/; what is published is whole"),
            SyncError::Date(_) => Failure::of(ExitCode::Storage, &error)
                .hint("what is published is whole; vcq-etl verify names what is damaged in the raw log")
                .hint("restore the file from a copy, or move it out of the store and run vcq-etl rebuild: the next sync of that day asks for what is missing"),
            SyncError::Panicked => Failure::of(ExitCode::Unexpected, &error)
                .hint("please report it with what stands above; what was answered is kept"),
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        match error {
            VerifyError::Load(error) => error.into(),
            VerifyError::Definitions(error) => (*error).into(),
            VerifyError::Raw(_) => Failure::of(ExitCode::Storage, &error)
                .hint("check the disk and the permissions of the store's folder raw/"),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        let failure = Failure::of(ExitCode::Storage, &error);
        match error {
            LoadError::NotWritable { .. } => failure.hint("give this user the right to write there, or --store DIR"),
            LoadError::NotAStore { why: NotAStore::NoFolder | NotAStore::NothingOfOurs, .. } => failure
                .hint("run vcq-etl sync --since 2d first, or name the store with --store DIR; a new one wants an empty folder"),
            LoadError::NotAStore { why: NotAStore::File | NotAStore::OtherFiles, .. } => failure
                .hint("name another folder with --store DIR: one that is empty or not there yet, or a store of vcq-etl"),
            LoadError::NotAStore { why: NotAStore::NotUtf8, .. } => {
                failure.hint("name a folder with --store DIR whose path is UTF-8")
            }
            LoadError::DiskFull { .. } => failure.hint("free space and run again; what is published is whole"),
            LoadError::NewerSchema { .. } => failure.hint("use the newer program, or another store with --store DIR"),
            LoadError::NoDatabase { .. } => failure
                .hint("run vcq-etl sync --since 2d first, or name another store")
                .hint("where raw/ holds answers already, vcq-etl rebuild makes it without a call"),
            LoadError::CorruptManifest { .. } | LoadError::MissingManifest { .. } => {
                failure.hint(format!("run vcq-etl rebuild without --since and --until: {REMADE}"))
            }
            LoadError::Duckdb { ref source, .. } => duckdb_trouble(failure, &source.to_string()),
            LoadError::Runs { ref source, .. } if source.is::<duckdb::Error>() => {
                duckdb_trouble(failure, &source.to_string())
            }
            LoadError::RowCount { .. } | LoadError::LeftoverWal { .. } | LoadError::MigrationDrift { .. } => {
                failure.hint(format!("run vcq-etl rebuild: {REMADE}"))
            }
            LoadError::ForeignDatabase { .. } => failure.hint("or name another store with --store DIR"),
            _ => failure.hint(CHECK_THE_DISK),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Failure {
        match error {
            LockError::Held { .. } => Failure::of(ExitCode::Busy, &error)
                .hint("wait for it to end, or stop it: the lock goes with the process and is never stale"),
            LockError::Io { .. } => Failure::of(ExitCode::Storage, &error)
                .hint("free space or mend the permissions of the store's folder state/"),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let exit = match error {
            ClientError::Setup(_) => ExitCode::Unexpected,
            ClientError::UnusableSecret { .. } => ExitCode::Usage,
        };
        Failure::of(exit, &error).hint("vcq-etl sync --help names the settings for the credentials")
    }
}

impl From<BaseUrlError> for Failure {
    fn from(error: BaseUrlError) -> Failure {
        Failure::of(ExitCode::Usage, &error).hint("give an origin such as https://open.feishu.cn, without a path")
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Failure {
        Failure::of(ExitCode::Usage, &error).hint("name a free port with --port, or leave it out")
    }
}

impl From<FaultError> for Failure {
    fn from(error: FaultError) -> Failure {
        let names: Vec<&str> = vcq_simulator::FAULT_NAMES.iter().map(|(name, _)| *name).collect();
        Failure::of(ExitCode::Usage, &error).hint(format!("the kinds are {}, code=N", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::*;
    use crate::error::Redactor;
    use feishu_vc::Endpoint;

    #[test]
    fn a_damaged_database_is_made_again_and_a_refusing_system_is_looked_at() {
        let refused = |words: &str| {
            let said = Some(words.to_owned());
            let source = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), said);
            Failure::from(LoadError::Duckdb { doing: "open", path: PathBuf::from("vcq.duckdb"), source })
        };
        for (words, wanted) in [
            ("IO Error: Could not read enough bytes from file", "vcq-etl rebuild"),
            ("IO Error: The file exists, but it is not a valid DuckDB database file", "vcq-etl rebuild"),
            ("Out of Memory Error: failed to allocate data", "free memory"),
            ("IO Error: Cannot open file: Permission denied", "permissions"),
        ] {
            let failure = refused(words);
            assert_eq!(failure.exit, ExitCode::Storage);
            assert!(failure.hints[0].contains(wanted), "{words}: {:?}", failure.hints);
            assert_eq!(failure.causes, [words], "the number of an error that has none says nothing");
        }
    }

    #[test]
    fn hints_about_a_folder_fit_the_folder() {
        let hint = |why| Failure::from(LoadError::NotAStore { path: Path::new("s").to_owned(), why }).hints[0].clone();
        assert!(hint(NotAStore::NoFolder).contains("vcq-etl sync --since 2d"));
        for why in [NotAStore::File, NotAStore::OtherFiles, NotAStore::NotUtf8] {
            assert!(!hint(why).contains("vcq-etl sync") && hint(why).contains("--store DIR"), "{why:?}");
        }
    }

    #[test]
    fn a_run_that_would_stop_again_is_not_what_comes_next() {
        let throttled = Stop::Throttled(CallError::Throttled {
            endpoint: Endpoint::MeetingList,
            host: "open.example".to_owned(),
            throttles: 3,
            requested_wait: Duration::from_secs(86_400),
            log_id: None,
        });
        assert!(next_after(&throttled).is_some_and(|next| next.contains("86,400 s are over")));
        assert_eq!(next_after(&Stop::Cancelled), None);
        assert_eq!(next_after(&Stop::Budget("the time is up".to_owned())), None);
    }

    #[test]
    fn a_signal_has_the_word_of_its_exit_code() {
        for exit in [ExitCode::Interrupted, ExitCode::Terminated] {
            let text = Failure::of_stop(&Stop::Cancelled, exit).with_left("3 calls").text(&Redactor::default());
            assert!(text.starts_with(&format!("error: {}\nhint: ", exit.exit().name)), "{text}");
            assert!(text.ends_with("hint: left: 3 calls\n"), "{text}");
        }
    }
}
