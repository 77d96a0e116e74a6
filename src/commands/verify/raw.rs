//! The checks of the raw log and of the ledger, which is its index.

use std::cell::RefCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;

use super::setup::VerifyError;
use crate::checks::{Check, Findings};
use crate::ledger::{LedgerCheck, check_ledger as inspect_ledger, unpublished_dates};
use crate::load::{StorePaths, holder};
use crate::raw_log::{RawDate, RawFile, RawKind, WalkRef, check_file, list_files, relative_path, unexpected_entries};
use crate::schema::{civil_date, civil_date_text};
use crate::text::counted;

const RAW: Check = Check {
    name: "raw",
    of: "records",
    means: "every record of the raw log can be decompressed and parsed, except a truncated one at the end of a file",
    advice: "the data in the damaged record is lost unless you have a copy of the file: run vcq-etl sync with --refetch \
             over these days, then vcq-etl rebuild",
};
const RAW_ANSWERS: Check = Check {
    name: "raw-answers",
    of: "responses",
    means: "every file and every response that the ledger knows is in the raw log",
    advice: "a raw file is missing or changed: restore it from a backup; without one, run vcq-etl sync with --refetch \
             over these days, then vcq-etl rebuild",
};
const LEDGER: Check = Check {
    name: "ledger",
    of: "ledgers",
    means: "the ledger exists if there is raw data, is intact, and agrees with the raw log on what is final",
    advice: "the ledger is an index of raw/: run vcq-etl rebuild to rebuild it; no data is lost",
};
/// The checks of this directory, in the order of the report.
pub(super) const CHECKS: &[&Check] = &[&RAW, &RAW_ANSWERS, &LEDGER];

pub(super) fn check_records(
    paths: &StorePaths,
    files: &[RawFile],
    ledger: &LedgerCheck,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let mut truncated = 0;
    for file in files {
        let relative = file.path.strip_prefix(paths.root()).unwrap_or(&file.path).display().to_string();
        let length = fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
        let check = check_file(file, ledger.raw_files.bytes(&relative_path(&paths.raw(), &file.path), length))?;
        truncated += check.truncated;
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
                "only directories meeting_date=YYYY-MM-DD",
                "another name: its contents are ignored",
            );
        }
    }
    if truncated > 0 {
        findings.note(format!(
            "skipped {} at the end of raw files, as left by a power failure or a run in progress",
            counted(truncated, "truncated record")
        ));
    }
    Ok(())
}

pub(super) fn check_ledger(paths: &StorePaths, has_answers: bool, ledger: &LedgerCheck, findings: &mut Findings) {
    const PLACE: &str = "state/ledger.sqlite";
    if ledger.is_new {
        // A run that has just begun creates the ledger before its first response.
        match has_answers && holder(paths).is_none() && inspect_ledger(&paths.ledger()).is_new {
            true => findings.found(&LEDGER, PLACE, "the ledger of the data in raw/", "none"),
            false => findings.skip(&LEDGER, "there is no ledger yet"),
        }
        return;
    }
    findings.examined(&LEDGER, 1);
    for (expected, found) in &ledger.problems {
        findings.found(&LEDGER, PLACE, expected, found);
    }
    if !ledger.replacing.is_empty() && holder(paths).is_none() {
        let dates: Vec<String> = ledger.replacing.iter().map(|date| civil_date_text(*date)).collect();
        findings.note(format!(
            "a replacement of {} was interrupted: run vcq-etl sync or vcq-etl rebuild, which finish it",
            listed(&dates)
        ));
    }
    if !ledger.dirty_dates.is_empty() {
        let dates: Vec<String> = ledger.dirty_dates.iter().map(|date| civil_date_text(*date)).collect();
        findings.note(format!("data of {} is not published yet: the next vcq-etl sync publishes it", listed(&dates)));
    }
}

/// The first few of a list, and how many more.
fn listed(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = items.len().saturating_sub(SHOWN);
    let shown = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The log only grows: what the ledger has read of a file stays.
pub(super) fn check_raw_files(paths: &StorePaths, ledger: &LedgerCheck, findings: &mut Findings) {
    let files: BTreeMap<_, _> = ledger.raw_files.iter().map(|(path, file)| (path, file.indexed_bytes)).collect();
    for (relative, indexed_bytes) in &files {
        let found = match fs::metadata(paths.raw().join(relative)) {
            Ok(metadata) if metadata.is_file() && metadata.len() >= *indexed_bytes => continue,
            Ok(metadata) if metadata.is_file() => {
                format!("{} bytes: the rest is missing from the raw log", metadata.len())
            }
            Ok(_) => "not a regular file".to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                "no file: a file that the ledger has read is missing from the raw log".to_owned()
            }
            Err(error) => format!("an unreadable file: {error}"),
        };
        let expected = format!("at least {indexed_bytes} bytes, which the ledger has read");
        findings.found(&RAW_ANSWERS, format!("raw/{relative}"), expected, found);
    }
}

pub(super) fn check_responses(
    index: &RawIndex,
    ledger: &LedgerCheck,
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    for (meeting_date, answers) in &ledger.answers {
        // Opened again: the index of earlier checks may be older than the ledger.
        let mut dates: BTreeMap<RawKind, RawDate> = BTreeMap::new();
        for kind in answers.iter().map(|answer| answer.kind) {
            if let Entry::Vacant(date) = dates.entry(kind) {
                date.insert(RawDate::open(&index.paths.raw(), kind, *meeting_date)?);
            }
        }
        findings.examined(&RAW_ANSWERS, answers.len() as u64);
        for answer in answers {
            let walks = dates.get(&answer.kind).map_or(&[][..], |date| date.walks(&answer.unit));
            let is_requested = |walk: &&WalkRef| answer.requested_us.is_none_or(|us| walk.requested_us == us);
            let matching = || walks.iter().filter(is_requested);
            if matching().next().is_none() {
                let folder = format!("raw/{}/meeting_date={}", answer.kind.folder(), civil_date_text(*meeting_date));
                findings.found(&RAW_ANSWERS, folder, format!("a response for {}", answer.unit), "none");
                continue;
            }
            // This decides what the next run fetches again.
            let ends: Vec<bool> = matching().filter_map(|walk| walk.end.as_ref()).map(|end| end.is_final).collect();
            if let Some(is_final) = answer.is_final
                && !ends.is_empty()
                && !ends.contains(&is_final)
            {
                let shown = |is_final: bool| if is_final { "final" } else { "to be fetched again" };
                let place = format!("state/ledger.sqlite, {} of {}", answer.kind.folder(), answer.unit);
                findings.found(&LEDGER, place, format!("{}, as in raw/", shown(!is_final)), shown(is_final));
            }
        }
    }
    Ok(())
}

pub(super) struct RawIndex {
    paths: StorePaths,
    raw_pruned_us: Option<i64>,
    lists: RefCell<HashMap<String, Option<RawDate>>>,
}

impl RawIndex {
    pub(super) fn new(paths: &StorePaths, ledger: &LedgerCheck) -> RawIndex {
        RawIndex { paths: paths.clone(), raw_pruned_us: ledger.raw_pruned_us, lists: RefCell::default() }
    }

    /// Whether `prune --raw-only` has removed the raw files of a date: what is published cannot be compared.
    pub(super) fn is_pruned(&self, date: i32) -> bool {
        const DAY_US: i64 = 86_400_000_000;
        let has_files =
            |kind: &RawKind| list_files(&self.paths.raw(), *kind, date).is_ok_and(|files| !files.is_empty());
        self.raw_pruned_us.is_some_and(|until_us| i64::from(date) * DAY_US < until_us)
            && !RawKind::ALL.iter().any(has_files)
    }

    /// Whether a meeting's participant list was empty when it was published, according to the raw log.
    pub(super) fn list_was_empty(&self, date: &str, meeting_key: &str) -> bool {
        let Some(day) = civil_date(date) else { return false };
        if self.is_pruned(day) {
            return true;
        }
        let mut lists = self.lists.borrow_mut();
        let list = lists
            .entry(date.to_owned())
            .or_insert_with(|| RawDate::open(&self.paths.raw(), RawKind::Participants, day).ok());
        let whole = list.iter().flat_map(|list| list.walks(meeting_key)).filter(|walk| walk.is_whole());
        let items: Vec<u64> = whole.filter_map(|walk| walk.end.as_ref()).map(|end| end.items).collect();
        // Participants may have been listed since; then the date is due for publishing.
        let is_unpublished = || holder(&self.paths).is_some() || unpublished_dates(&self.paths.ledger()).contains(&day);
        items.contains(&0) && (items.iter().all(|items| *items == 0) || is_unpublished())
    }
}
