//! `verify`: is the store what it claims to be, from the raw log to the database.
//!
//! Composes the checks of `load` (what is published) with those of `extract` (the raw log and the ledger), and makes
//! every date again from its answers where that is asked for. Takes no lock and changes nothing; a run may go on beside
//! it. The order of looking is what keeps a running sync from being reported as damage: the ledger before the raw log
//! that it is an index of, and what differs is looked at again before it is told.

mod deep;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use super::error::SyncError;
use super::publish::definitions::Installed;
use super::run_record::run_row;
use crate::checks::{Check, Findings, Verified, VerifyContext, verify as verify_published};
use crate::ledger::{LedgerCheck, check_ledger, read_runs, unpublished_dates};
use crate::load::{DatabaseOptions, LoadError, StorePaths, holder};
use crate::raw_log::{RawDate, RawError, RawFile, RawKind, check_file, raw_files, unexpected_entries};
use crate::schema::{Status, civil_date, civil_date_text};
use feishu_vc::{RefusalClass, error_codes};

/// How long a publication that is under way is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const RAW: Check = Check {
    name: "raw",
    of: "records",
    means: "every record of the raw log can be unpacked and read; one that is cut off at the end of a file does not count",
    advice: "the answers in the damaged record are lost, unless you have a copy of the file: run vcq-etl sync with \
             --refetch over these days, then vcq-etl rebuild",
};
const RAW_ANSWERS: Check = Check {
    name: "raw-answers",
    of: "answers",
    means: "every file that the ledger has read, and every answer that it knows of, is in the raw log",
    advice: "a raw file is gone or changed: put it back from a copy; without one, run vcq-etl sync with --refetch over \
             these days, then vcq-etl rebuild",
};
const LEDGER: Check = Check {
    name: "ledger",
    of: "ledgers",
    means: "the ledger is there where there are answers, is whole, and calls final what the raw log calls final",
    advice: "the ledger is an index over raw/: run vcq-etl rebuild, which makes it again; no answer is lost",
};

/// The checks beside those of what is published, in the order in which they are told.
const OURS: &[&Check] = &[&RAW, &RAW_ANSWERS, &LEDGER];

/// What a verify needs to know.
#[derive(Debug, Clone)]
pub(crate) struct VerifySetup {
    pub store: PathBuf,
    /// Whether every date is made again from its answers, and compared.
    pub deep: bool,
    /// Findings of each check that are kept; all are counted.
    pub limit: usize,
    /// How long a publication that is under way is waited for.
    pub patience: Duration,
    /// Limits of the profile `custom` of the reports: metric and value.
    pub custom_limits: Vec<(String, f64)>,
    /// What DuckDB may use.
    pub database: DatabaseOptions,
    /// Now, microseconds UTC.
    pub now_us: i64,
}

#[derive(Debug)]
pub(crate) struct VerifyReport {
    pub store: PathBuf,
    /// The generation that was looked at, and when it was published; `None` where nothing is, or none can be read.
    pub generation: Option<(u64, String)>,
    /// How every check ended.
    pub findings: Findings,
}

/// The store can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Raw(#[from] RawError),
    /// What the database should define.
    #[error(transparent)]
    Definitions(Box<SyncError>),
}

/// Every check of a verify, in the order in which they are told.
pub(crate) fn checks(deep: bool) -> impl Iterator<Item = &'static Check> {
    crate::checks::CHECKS.iter().chain(OURS).copied().chain(deep.then_some(&deep::FROM_RAW))
}

/// Checks a store.
///
/// # Errors
/// [`VerifyError`] where the store can't be read at all. Damage is a finding, not an error.
pub(crate) fn verify(setup: &VerifySetup) -> Result<VerifyReport, VerifyError> {
    let paths = StorePaths::existing(&setup.store)?;
    let mut findings = Findings::new(setup.limit, checks(setup.deep));
    // The ledger first: what it knows of is in the raw log by then, whatever a run adds meanwhile.
    let ledger = check_ledger(&paths.ledger());
    let index = RawIndex::new(&paths);
    let installed =
        Installed::read(&paths, &setup.custom_limits).map_err(|error| VerifyError::Definitions(Box::new(error)))?;
    let context = VerifyContext {
        now_us: setup.now_us,
        database: setup.database,
        max_wait: setup.patience,
        user_id_type: ledger.user_id_type.clone(),
        definitions: installed.definitions(),
        runs: &|| Some(read_runs(&paths.ledger())?.iter().map(run_row).collect()),
        list_was_empty: &|date, meeting_key| index.list_was_empty(date, meeting_key),
        code_agrees: &code_agrees,
    };
    let verified = verify_published(&paths, &context, &mut findings)?;
    let files = raw_files(&paths.raw())?;
    check_raw(&paths, &files, &mut findings)?;
    tell_ledger(&paths, !files.is_empty(), &ledger, &mut findings);
    check_raw_files(&paths, &ledger, &mut findings);
    check_answers(&index, &ledger, &mut findings)?;
    if setup.deep {
        deep::check(setup, &paths, &verified, &files, &mut findings)?;
    }
    if verified.manifest.is_none() && findings.total() == 0 {
        findings.note("nothing is published yet: vcq-etl sync --since 2d asks and publishes");
    }
    Ok(report(&paths, verified, findings))
}

fn report(paths: &StorePaths, verified: Verified, findings: Findings) -> VerifyReport {
    let generation = verified.manifest.map(|manifest| (manifest.generation, manifest.created_utc));
    VerifyReport { store: paths.root().to_owned(), generation, findings }
}

/// What a code in `coverage.api_code` may stand beside, by the table of verdicts.
fn code_agrees(status: Status, code: Option<i64>) -> bool {
    let class = code.and_then(error_codes::refusal_class);
    match status {
        Status::Complete | Status::Empty => code == Some(0),
        Status::Unaddressable => code.is_none(),
        Status::NotFound => class == Some(RefusalClass::NotFound),
        Status::Forbidden => class == Some(RefusalClass::Forbidden),
        Status::TooLong => class == Some(RefusalClass::TooLong),
        // Codes that nobody knows, and a window refused as too long that is none.
        Status::Unsupported => !matches!(class, Some(RefusalClass::NotFound | RefusalClass::Forbidden)),
        Status::Failed | Status::Pending => true,
    }
}

fn check_raw(paths: &StorePaths, files: &[RawFile], findings: &mut Findings) -> Result<(), VerifyError> {
    let mut torn = 0;
    for file in files {
        let relative = file.path.strip_prefix(paths.root()).unwrap_or(&file.path).display().to_string();
        let check = check_file(file)?;
        torn += check.truncated;
        findings.examined(&RAW, check.checkpoints + check.problems.len() as u64);
        for problem in check.problems {
            findings.found(&RAW, format!("{relative}, byte {}", problem.offset), problem.expected, problem.found);
        }
    }
    for kind in RawKind::ALL {
        for path in unexpected_entries(&paths.raw(), *kind)? {
            let relative = path.strip_prefix(paths.root()).unwrap_or(&path).display().to_string();
            findings.found(
                &RAW,
                relative,
                "only folders meeting_date=YYYY-MM-DD",
                "another name: nothing in it is read",
            );
        }
    }
    if torn > 0 {
        findings.note(format!(
            "{torn} {} at the end of raw files passed over: cut off, as after a power cut or while a run writes",
            if torn == 1 { "record" } else { "records" }
        ));
    }
    Ok(())
}

fn tell_ledger(paths: &StorePaths, has_answers: bool, ledger: &LedgerCheck, findings: &mut Findings) {
    const PLACE: &str = "state/ledger.sqlite";
    if ledger.is_new {
        // A run that has just begun makes the ledger before its first answer.
        match has_answers && holder(paths).is_none() && check_ledger(&paths.ledger()).is_new {
            true => findings.found(&LEDGER, PLACE, "the ledger of the answers in raw/", "none"),
            false => findings.skip(&LEDGER, "there is none yet"),
        }
        return;
    }
    findings.examined(&LEDGER, 1);
    for (expected, found) in &ledger.problems {
        findings.found(&LEDGER, PLACE, expected, found);
    }
    if !ledger.dirty_dates.is_empty() {
        let dates: Vec<String> = ledger.dirty_dates.iter().map(|date| civil_date_text(*date)).collect();
        findings.note(format!(
            "answers about {} are not published yet: the next vcq-etl sync publishes them",
            listed(&dates)
        ));
    }
}

/// The first few of a list, and how many more.
fn listed(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = items.len().saturating_sub(SHOWN);
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The log only grows: what the ledger has read of a file is there for good.
fn check_raw_files(paths: &StorePaths, ledger: &LedgerCheck, findings: &mut Findings) {
    for (relative, indexed_bytes) in &ledger.raw_files {
        let found = match fs::metadata(paths.raw().join(relative)) {
            Ok(metadata) if metadata.is_file() && metadata.len() >= *indexed_bytes => continue,
            Ok(metadata) if metadata.is_file() => format!("{} bytes: the raw log lacks the rest", metadata.len()),
            Ok(_) => "no file, but something else".to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                "no file: the raw log lacks a file that the ledger has read".to_owned()
            }
            Err(error) => format!("no file that can be read: {error}"),
        };
        let expected = format!("{indexed_bytes} bytes or more, which the ledger has read");
        findings.found(&RAW_ANSWERS, format!("raw/{relative}"), expected, found);
    }
}

fn check_answers(index: &RawIndex, ledger: &LedgerCheck, findings: &mut Findings) -> Result<(), VerifyError> {
    for (meeting_date, answers) in &ledger.answers {
        // Opened afresh: the index of the checks before may be older than the ledger.
        let mut dates: BTreeMap<RawKind, RawDate> = BTreeMap::new();
        for kind in [RawKind::Participants, RawKind::Quality] {
            dates.insert(kind, RawDate::open(&index.raw_dir, kind, *meeting_date)?);
        }
        findings.examined(&RAW_ANSWERS, answers.len() as u64);
        for answer in answers {
            let walks = dates.get(&answer.kind).map_or(&[][..], |date| date.walks(&answer.unit));
            let asked = || {
                walks
                    .iter()
                    .filter(|walk| answer.requested_us.is_none_or(|requested_us| walk.requested_us == requested_us))
            };
            if asked().next().is_none() {
                let folder = format!("raw/{}/meeting_date={}", answer.kind.folder(), civil_date_text(*meeting_date));
                findings.found(&RAW_ANSWERS, folder, format!("an answer about {}", answer.unit), "none");
                continue;
            }
            // What the next run asks again hangs on it.
            let ends: Vec<bool> = asked().filter_map(|walk| walk.end.as_ref()).map(|end| end.is_final).collect();
            if let Some(is_final) = answer.is_final
                && !ends.is_empty()
                && !ends.contains(&is_final)
            {
                let shown = |is_final: bool| if is_final { "final" } else { "to be asked again" };
                let place = format!("state/ledger.sqlite, {} of {}", answer.kind.folder(), answer.unit);
                findings.found(&LEDGER, place, format!("{}, as in raw/", shown(!is_final)), shown(is_final));
            }
        }
    }
    Ok(())
}

/// Indexes of the raw log, opened when they are needed.
struct RawIndex {
    paths: StorePaths,
    raw_dir: PathBuf,
    lists: RefCell<HashMap<String, Option<RawDate>>>,
}

impl RawIndex {
    fn new(paths: &StorePaths) -> RawIndex {
        RawIndex { paths: paths.clone(), raw_dir: paths.raw(), lists: RefCell::default() }
    }

    /// Whether the list of a meeting's participants was empty when it was published, as far as the raw log tells.
    fn list_was_empty(&self, date: &str, meeting_key: &str) -> bool {
        let Some(day) = civil_date(date) else { return false };
        let mut lists = self.lists.borrow_mut();
        let list = lists
            .entry(date.to_owned())
            .or_insert_with(|| RawDate::open(&self.raw_dir, RawKind::Participants, day).ok());
        let whole = list.iter().flat_map(|list| list.walks(meeting_key)).filter(|walk| walk.is_whole());
        let items: Vec<u64> = whole.filter_map(|walk| walk.end.as_ref()).map(|end| end.items).collect();
        // Somebody may have been listed since; then the date is to be published anew.
        let is_unpublished = || holder(&self.paths).is_some() || unpublished_dates(&self.paths.ledger()).contains(&day);
        items.contains(&0) && (items.iter().all(|items| *items == 0) || is_unpublished())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_their_own_names_and_say_what_to_do() {
        let mut names = std::collections::HashSet::new();
        for check in checks(true) {
            assert!(names.insert(check.name), "{} twice", check.name);
            assert!(!check.means.is_empty() && check.advice.contains(' '), "{}", check.name);
            assert!(!check.means.ends_with('.') && !check.advice.ends_with('.'), "{}", check.name);
        }
        assert_eq!(checks(false).count() + 1, checks(true).count());
    }

    #[test]
    fn statuses_and_codes_go_together_as_the_verdicts_say() {
        for (status, right, wrong) in [
            (Status::Complete, Some(0), Some(126_009)),
            (Status::Empty, Some(0), None),
            (Status::NotFound, Some(126_010), Some(0)),
            (Status::Forbidden, Some(121_005), Some(121_004)),
            (Status::TooLong, Some(126_006), None),
            (Status::Unsupported, Some(126_003), Some(121_005)),
            (Status::Unaddressable, None, Some(0)),
        ] {
            assert!(code_agrees(status, right), "{status:?} {right:?}");
            assert!(!code_agrees(status, wrong), "{status:?} {wrong:?}");
        }
        assert!(code_agrees(Status::Failed, None) && code_agrees(Status::Pending, Some(126_009)));
    }
}
