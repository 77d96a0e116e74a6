//! Where the files of the raw log are: `<kind>/meeting_date=<date>/<run>-<number>.jsonl.zst`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::RawError;
use super::record::RawKind;
use crate::schema::{civil_date, civil_date_text};

const DATE_PREFIX: &str = "meeting_date=";
const FILE_SUFFIX: &str = ".jsonl.zst";

pub(super) fn date_folder(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> PathBuf {
    raw_dir.join(kind.folder()).join(format!("{DATE_PREFIX}{}", civil_date_text(meeting_date)))
}

pub(super) fn file_name(run_id: &str, number: u32) -> String {
    format!("{run_id}-{number}{FILE_SUFFIX}")
}

/// The files of a kind and date in the order in which they were written; empty if there is no directory.
pub fn list_files(raw_dir: &Path, kind: RawKind, meeting_date: i32) -> Result<Vec<PathBuf>, RawError> {
    let mut files = list_entries(&date_folder(raw_dir, kind, meeting_date))?;
    files.retain(|path| path.to_string_lossy().ends_with(FILE_SUFFIX));
    files.sort_by_cached_key(|path| run_and_number(path));
    Ok(files)
}

/// The dates that have a directory of a kind, oldest first.
pub fn list_dates(raw_dir: &Path, kind: RawKind) -> Result<Vec<i32>, RawError> {
    let entries = list_entries(&raw_dir.join(kind.folder()))?;
    let mut dates: Vec<i32> = entries.iter().filter_map(|path| folder_date(path.file_name()?.to_str()?)).collect();
    dates.sort_unstable();
    Ok(dates)
}

/// What is next to the date directories of a kind and is never read. Hidden files are left out: file managers create
/// them.
pub(crate) fn unexpected_entries(raw_dir: &Path, kind: RawKind) -> Result<Vec<PathBuf>, RawError> {
    let mut entries = list_entries(&raw_dir.join(kind.folder()))?;
    entries.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        !name.starts_with('.') && folder_date(&name).is_none()
    });
    entries.sort();
    Ok(entries)
}

pub(crate) fn date_in_path(path: &str) -> Option<i32> {
    folder_date(path.split('/').nth(1)?)
}

pub(crate) fn relative_path(raw_dir: &Path, path: &Path) -> String {
    path.strip_prefix(raw_dir).unwrap_or(path).to_string_lossy().into_owned()
}

/// The run that wrote a file, and the number of the file within the run. Run IDs start with their time, so this is the
/// order of writing.
pub(super) fn run_and_number(path: &Path) -> (String, u32) {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let stem = name.trim_end_matches(FILE_SUFFIX);
    match stem.rsplit_once('-').map(|(run, number)| (run, number.parse())) {
        Some((run, Ok(number))) => (run.to_owned(), number),
        _ => (stem.to_owned(), 0),
    }
}

/// The ID of the run that wrote a file.
pub(crate) fn run_of(path: &Path) -> String {
    let (run, _) = run_and_number(path);
    // The records that reset lists are in a file of their own.
    run.strip_suffix('r').map_or(run.clone(), str::to_owned)
}

fn folder_date(name: &str) -> Option<i32> {
    name.strip_prefix(DATE_PREFIX).and_then(civil_date)
}

fn list_entries(folder: &Path) -> Result<Vec<PathBuf>, RawError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        listed => listed.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect()),
    };
    listed.map_err(RawError::io("cannot read", folder))
}
