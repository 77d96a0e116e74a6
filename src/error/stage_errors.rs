//! From the errors of the stages and of the client to failures.

use super::exit_code::ExitCode;
use super::failure::Failure;
use super::input_errors::GIVE_ORIGIN;
use super::nearest::nearest;
use super::stop_reason::ROOT_CERTIFICATES;
use crate::commands::publish::date_error::DateError;
use crate::commands::verify::VerifyError;
use crate::commands::{IdentityError, SyncError};
use crate::ledger::LedgerError;
use crate::load::{DuckdbErrorKind, LoadError, LockError, NotAStore};
use crate::raw_log::RawError;
use crate::schema::{civil_date, civil_date_text};
use feishu_vc::{BaseUrlError, ClientError};
use vcq_simulator::{FaultError, LossError, PlantingError, SimulatorError};

const REBUILDS: &str = "it rebuilds manifest, Parquet and database from raw/ and makes no API calls";
const CHECK_DISK: &str = "check the disk and the permissions of the store; published data is intact";
const READ_PERMISSION: &str = "if another user owns the store: its owner can let the group read it with the \
     setting shared, then run vcq-etl sync";
const FREE_SPACE: &str = "free space and run again; published data is intact";
const FIX_STATE_FOLDER: &str = "free space or fix the permissions of the store's directory state/";

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Failure {
        let storage = || Failure::of(ExitCode::Storage, &error);
        match error {
            SyncError::Load(error) | SyncError::Date(DateError::Load(error)) => error.into(),
            SyncError::Lock(error) => error.into(),
            SyncError::Client(error) => error.into(),
            SyncError::Report(error) => error.into(),
            SyncError::Buildings(error) => error.into(),
            SyncError::Identity(error) => error.into(),
            SyncError::Remote(error) => error.into(),
            SyncError::NotEmpty { .. } => storage()
                .hint("a copy is restored into an empty store: name another directory with --store DIR")
                .hint("if raw/ is complete, vcq-etl rebuild without --from needs no copy"),
            SyncError::UserIdType { .. } => Failure::of(ExitCode::Usage, &error)
                .hint("use the kind of the store (--user-id-type) or another store (--store DIR)"),
            SyncError::Timezone { .. } => Failure::of(ExitCode::Usage, &error)
                .hint("use the time zone of the store (--timezone) or another store (--store DIR)"),
            SyncError::Ledger(LedgerError::Damaged { .. }) => {
                storage().hint("run vcq-etl rebuild: it rebuilds the ledger from raw/ and makes no API calls")
            }
            SyncError::Ledger(_) => storage().hint(FIX_STATE_FOLDER).hint("the data in raw/ is intact"),
            SyncError::WithoutRaw { .. } => storage()
                .hint("nothing was changed: restore raw/ or parquet/_manifest.json from a backup")
                .hint("or, to discard these dates, move their directories out of parquet/ and run again"),
            SyncError::Short { .. } => storage().hint(
                "restore the missing files of raw/ and run again, or fetch these whole days again with sync --refetch",
            ),
            SyncError::PutAside { .. } => storage().hint(FIX_STATE_FOLDER),
            SyncError::Recorder { .. } => storage().hint("check the process limits of this machine"),
            SyncError::UnknownLimits { ref unknown, ref known } => {
                let near = unknown.iter().filter_map(|name| nearest(name, known.iter().map(String::as_str)));
                near.map(|name| format!("did you mean {name}?"))
                    .fold(Failure::of(ExitCode::Usage, &error), Failure::hint)
                    .hint(format!("the setting thresholds accepts: {}", known.join(", ")))
            }
            SyncError::Totals(_) => storage().hint(format!("the database may be damaged: run vcq-etl rebuild: {REBUILDS}")),
            SyncError::Date(DateError::Raw(RawError::Io { .. })) => {
                storage().hint("check the disk and the permissions of the store's directory raw/; published data is intact")
            }
            SyncError::Date(_) => storage()
                .hint("published data is intact; vcq-etl verify names the damaged files of the raw log")
                .hint(
                    "restore the file from a backup, or move it out of the store and run vcq-etl rebuild: the next sync of \
                     that day fetches what is missing",
                ),
            SyncError::Replacing { .. } => storage().hint("run vcq-etl sync or vcq-etl rebuild, which finish it"),
            SyncError::NobodyFound { .. } => Failure::of(ExitCode::Usage, &error)
                .hint("user and employee IDs of participants and organisers, and their e-mail addresses, were searched")
                .hint("without the identity key, people whose identities are replaced are not found"),
            SyncError::IdentityStays { ref first, ref last, .. } => storage()
                .hint("restore the raw files and run the same command again")
                .hint(without_raw_hint(first, last)),
            SyncError::Panicked => Failure::of(ExitCode::Unexpected, &error)
                .hint("please report this bug with the output above; fetched data is kept"),
        }
    }
}

/// How dates without raw files get rid of their identities.
fn without_raw_hint(first: &str, last: &str) -> String {
    let after = civil_date(last).map_or_else(|| last.to_owned(), |last| civil_date_text(last + 1));
    format!(
        "or fetch these days again while Feishu has them, with vcq-etl sync --refetch --since {first} --until {after}, or \
         remove them and all earlier days with vcq-etl prune --before {after}; then run it again"
    )
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Failure {
        let storage = || Failure::of(ExitCode::Storage, &error);
        match &error {
            IdentityError::Differs { setting, stored, .. } => Failure::of(ExitCode::Usage, &error)
                .hint("run vcq-etl rebuild with the new setting: it changes what is stored and makes no API calls")
                .hint(format!("or go on with {setting} = {stored}")),
            IdentityError::KeyMissing { .. } | IdentityError::OtherKey { .. } => storage()
                .hint("restore it from a backup: with another key everybody would count as a new person")
                .hint("or, if it was deleted on purpose, set identity = none and run vcq-etl rebuild"),
            IdentityError::File(_) => {
                storage().hint(FIX_STATE_FOLDER).hint("or restore the identity key from a backup")
            }
        }
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Failure {
        match error {
            VerifyError::Load(error) => error.into(),
            VerifyError::Definitions(error) | VerifyError::Copy(error) => (*error).into(),
            VerifyError::Raw(_) => Failure::of(ExitCode::Storage, &error)
                .hint("check the disk and the permissions of the store's directory raw/"),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        let failure = Failure::of(ExitCode::Storage, &error);
        match error {
            LoadError::NotWritable { .. } => {
                failure.hint("give this user write permission there, or use another store with --store DIR")
            }
            LoadError::NotAStore { why, .. } => failure.hint(not_a_store_hint(why)),
            LoadError::DiskFull { .. } => failure.hint(FREE_SPACE),
            LoadError::NewerSchema { .. } => failure.hint(NEWER_SCHEMA),
            LoadError::NoDatabase { .. } => failure
                .hint("run vcq-etl sync --since 2d first, or use another store with --store DIR")
                .hint("if raw/ already contains data, vcq-etl rebuild builds the database without API calls"),
            LoadError::DatabaseOff { .. } => failure
                .hint("to get reports from vcq-etl, set database = \"full\" or \"last 90d\", and run vcq-etl sync or rebuild")
                .hint(
                    "the Parquet files have all dates: vcq-etl report export --engine duckdb --out DIR writes the reports as SQL \
                     for them",
                ),
            LoadError::CorruptManifest { .. } | LoadError::MissingManifest { .. } => {
                failure.hint(format!("run vcq-etl rebuild without --since and --until: {REBUILDS}"))
            }
            LoadError::Duckdb { ref path, ref source, .. } => {
                let text = source.to_string();
                let is_refused = text.contains("Permission denied") && path.ends_with("vcq.duckdb");
                let failure = if is_refused { failure.hint(READ_PERMISSION) } else { failure };
                duckdb_failure(failure, &text)
            }
            LoadError::Runs { ref source, .. } if source.is::<duckdb::Error>() => {
                duckdb_failure(failure, &source.to_string())
            }
            LoadError::Incidents { ref source, .. } => duckdb_failure(failure, &source.to_string()),
            LoadError::RowCount { .. } | LoadError::LeftoverWal { .. } | LoadError::MigrationDrift { .. } => {
                failure.hint(format!("run vcq-etl rebuild: {REBUILDS}"))
            }
            LoadError::ForeignDatabase { .. } => failure.hint("or use another store with --store DIR"),
            _ => failure.hint(CHECK_DISK),
        }
    }
}

pub(crate) const NEWER_SCHEMA: &str = "use the newer program, or another store with --store DIR";

pub(crate) fn not_a_store_hint(why: NotAStore) -> &'static str {
    match why {
        NotAStore::NoFolder | NotAStore::NoStoreFiles => {
            "run vcq-etl sync --since 2d first, or name the store with --store DIR; a new store needs an empty directory"
        }
        NotAStore::File | NotAStore::OtherFiles => {
            "use another directory with --store DIR: an empty or new one, or a store of vcq-etl"
        }
        NotAStore::NotUtf8 => "use a directory with --store DIR whose path is valid UTF-8",
    }
}

/// A damaged database is not the disk's fault.
fn duckdb_failure(failure: Failure, text: &str) -> Failure {
    if text.contains("Could not set lock") {
        return failure
            .hint("close the program that has it open for writing, or open it there read-only, and run again");
    }
    match DuckdbErrorKind::classify(text) {
        DuckdbErrorKind::OutOfResources => {
            failure.hint("free memory and disk space, then run again; published data is intact")
        }
        DuckdbErrorKind::System => failure.hint(CHECK_DISK),
        DuckdbErrorKind::Database => failure.hint(format!(
            "the database is damaged or was changed by another program: run vcq-etl rebuild: {REBUILDS}"
        )),
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Failure {
        match error {
            LockError::Appending { .. } => Failure::of(ExitCode::Busy, &error).hint("run again when it has ended"),
            LockError::Held { .. } => Failure::of(ExitCode::Busy, &error)
                .hint("wait for it to end, or stop it: the lock is released with the process and is never stale"),
            LockError::Io { .. } => Failure::of(ExitCode::Storage, &error).hint(FIX_STATE_FOLDER),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        match error {
            ClientError::NoRootCertificates(_) => Failure::of(ExitCode::Usage, &error).hint(ROOT_CERTIFICATES),
            ClientError::Setup(_) => Failure::of(ExitCode::Unexpected, &error),
            ClientError::UnusableSecret { .. } => {
                Failure::of(ExitCode::Usage, &error).hint("vcq-etl sync --help lists the settings for credentials")
            }
        }
    }
}

impl From<BaseUrlError> for Failure {
    fn from(error: BaseUrlError) -> Failure {
        Failure::of(ExitCode::Usage, &error).hint(GIVE_ORIGIN)
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Failure {
        Failure::of(ExitCode::Usage, &error).hint("give a free port with --port, or omit it")
    }
}

impl From<FaultError> for Failure {
    fn from(error: FaultError) -> Failure {
        let names: Vec<&str> = vcq_simulator::FAULT_NAMES.iter().map(|(name, _)| *name).collect();
        Failure::of(ExitCode::Usage, &error)
            .hint(format!("the kinds are {}, code=N, code=N/STATUS, html=STATUS", names.join(", ")))
    }
}

impl From<LossError> for Failure {
    fn from(error: LossError) -> Failure {
        Failure::of(ExitCode::Usage, &error).hint("the kinds are meetings, participants and minutes")
    }
}

impl From<PlantingError> for Failure {
    fn from(error: PlantingError) -> Failure {
        let names = |names: Vec<&str>| names.join(", ");
        let kinds = names(vcq_simulator::ScopeKind::ALL.iter().map(|kind| kind.name()).collect());
        let metrics = names(vcq_simulator::Metric::ALL.iter().map(|metric| metric.name()).collect());
        Failure::of(ExitCode::Usage, &error)
            .hint(format!("KIND is {kinds}; METRIC {metrics}; LENGTH hours, days, chronic"))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_hint_fits_what_duckdb_says() {
        let refused = |words: &str| {
            let source = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(words.to_owned()));
            Failure::from(LoadError::Duckdb { attempt: "open", path: PathBuf::from("vcq.duckdb"), source })
        };
        for (words, wanted) in [
            ("IO Error: Could not read enough bytes from file", "vcq-etl rebuild"),
            ("IO Error: The file exists, but it is not a valid DuckDB database file", "vcq-etl rebuild"),
            ("Out of Memory Error: failed to allocate data", "free memory"),
            ("IO Error: Cannot open file: Permission denied", "setting shared"),
            ("IO Error: Read-only file system", "permissions"),
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
}
