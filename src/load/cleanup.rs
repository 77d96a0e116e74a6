//! Removal of what crashed runs left behind: files in `.work/`, and parts that the manifest does not list.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::parquet::file::reader::{FileReader, SerializedFileReader};

use super::error::{LoadError, Result};
use super::manifest::Manifest;
use super::paths::{QUERY_PREFIX, REFERENCE, StorePaths};
use super::{durable, write_guard};
use crate::schema::{PARTITION_COLUMN, TABLES, civil_date, civil_date_text};

impl StorePaths {
    /// Empties `.work/`, except for the directories of running readers. Only for the holder of the lock.
    pub fn clean_work(&self) -> Result {
        for path in list_folder(&self.work())? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match (path.is_dir() && !path.is_symlink(), name.strip_prefix(QUERY_PREFIX)) {
                (true, Some(process_id)) if may_be_running(process_id) => {}
                (true, _) => durable::remove_dir(&path)?,
                (false, _) => durable::remove_file(&path)?,
            }
        }
        Ok(())
    }

    /// Removes Parquet parts that the manifest does not list, date directories that become empty, and a write-ahead log
    /// beside `vcq.duckdb`, which would keep DuckDB from opening it. Only for the holder of the lock; returns the
    /// number of files removed. Before the first publication every part is an orphan.
    ///
    /// Fails before anything is removed if the manifest is damaged, or missing although a database exists.
    pub fn remove_orphans(&self) -> Result<u64> {
        let manifest = Manifest::read(self)?;
        // The manifest is written before the database: it was lost, and the parts are all that remains.
        if manifest.is_none() && self.database().exists() {
            return Err(LoadError::MissingManifest { path: self.manifest() });
        }
        self.remove_parts_except(manifest.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()))
    }

    /// Flushes the names of the raw files and parts of these dates, and of the undated parts, to disk, so that none
    /// that was replaced or removed comes back after a power cut.
    pub(crate) fn sync_dates(&self, dates: &BTreeSet<i32>) -> Result {
        let reference = self.parquet().join(REFERENCE);
        let kinds = [self.raw(), self.parquet(), reference]
            .iter()
            .map(|folder| list_folder(folder))
            .collect::<Result<Vec<_>>>()?;
        for kind in kinds.into_iter().flatten().filter(|path| path.is_dir()) {
            let folders = dates.iter().map(|date| kind.join(format!("{PARTITION_COLUMN}={}", civil_date_text(*date))));
            folders.filter(|folder| folder.is_dir()).try_for_each(|folder| durable::sync(&folder))?;
            durable::sync(&kind)?;
        }
        Ok(())
    }

    /// The tables and dates that have a part with rows in `parquet/`, whether or not the manifest lists them.
    pub fn partitions(&self) -> Result<Vec<(&'static str, i32)>> {
        let mut partitions = Vec::new();
        for (table, folder, date) in self.date_folders()? {
            let Some(date) = civil_date(&date) else { continue };
            if !folder.is_dir() || list_folder(&folder)?.iter().any(|part| may_have_rows(part)) {
                partitions.push((table, date));
            }
        }
        Ok(partitions)
    }

    /// Table, path and date text of every directory `parquet/<table>/meeting_date=<date>`.
    fn date_folders(&self) -> Result<Vec<(&'static str, PathBuf, String)>> {
        let mut folders = Vec::new();
        for table in TABLES.iter().filter(|table| table.is_dated()) {
            for path in list_folder(&self.parquet().join(table.name))? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let date = name.strip_prefix(PARTITION_COLUMN).and_then(|rest| rest.strip_prefix('='));
                folders.extend(date.map(|date| (table.name, path.clone(), date.to_owned())));
            }
        }
        Ok(folders)
    }

    fn remove_parts_except<'a>(&self, listed: impl Iterator<Item = &'a str>) -> Result<u64> {
        let listed: HashSet<PathBuf> = listed.map(|relative| self.part(relative)).collect();
        let mut removed = 0;
        let dated = self.date_folders()?.into_iter().map(|(_, folder, _)| folder);
        let undated = list_folder(&self.parquet().join(REFERENCE))?;
        for folder in dated.chain(undated).filter(|folder| folder.is_dir()) {
            for part in list_folder(&folder)? {
                if part.extension().is_some_and(|extension| extension == "parquet") && !listed.contains(&part) {
                    durable::remove_file(&part)?;
                    removed += 1;
                }
            }
            remove_if_empty(&folder);
        }
        if write_guard::set(self)? {
            tracing::warn!(
                path = %self.database_wal().display(),
                "removed a write-ahead log that another program left; its changes are discarded"
            );
            removed += 1;
        }
        Ok(removed)
    }
}

/// Removes a date directory if it is empty. A directory that is not, or that another program keeps busy, does no harm.
pub(crate) fn remove_if_empty(dir: &Path) {
    if let Err(error) = fs::remove_dir(dir)
        && error.kind() != io::ErrorKind::DirectoryNotEmpty
    {
        tracing::debug!(path = %dir.display(), %error, "cannot remove an empty date directory");
    }
}

/// Whether a part has rows, or cannot be read.
fn may_have_rows(part: &Path) -> bool {
    let reader = fs::File::open(part).ok().and_then(|file| SerializedFileReader::new(file).ok());
    reader.is_none_or(|reader| reader.metadata().file_metadata().num_rows() > 0)
}

/// The paths in a directory; none if there is no directory.
pub(crate) fn list_folder(dir: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(LoadError::io("list the directory", dir)(error)),
    }
}

/// True also where the system does not show its processes as files.
fn may_be_running(process_id: &str) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process_id).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::paths::wal_of;

    #[test]
    fn clean_work_removes_all_but_the_folders_of_running_readers() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        fs::write(paths.work().join("part.inprogress"), "half").expect("write");
        fs::create_dir_all(paths.work().join("database-x/y")).expect("create");
        fs::create_dir(paths.query_work(std::process::id())).expect("create");
        // No process has this id: the kernel's largest is 4,194,304.
        fs::create_dir(paths.query_work(4_999_999)).expect("create");
        paths.clean_work().expect("clean");
        let left = list_folder(&paths.work()).expect("list");
        if Path::new("/proc/self").exists() {
            assert_eq!(left, [paths.query_work(std::process::id())]);
        }
    }

    #[test]
    fn orphans_are_removed_and_listed_parts_stay() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let date = paths.parquet().join("meetings/meeting_date=2026-11-01");
        fs::create_dir_all(&date).expect("create");
        fs::create_dir_all(paths.parquet().join("meetings/meeting_date=2026-11-02")).expect("create");
        fs::write(date.join("part-a-0.parquet"), "listed").expect("write");
        fs::write(date.join("part-b-0.parquet"), "orphan").expect("write");
        fs::write(wal_of(&paths.database()), "left").expect("write");
        let listed = "meetings/meeting_date=2026-11-01/part-a-0.parquet";
        assert_eq!(paths.remove_parts_except([listed].into_iter()).expect("remove"), 2);
        assert_eq!(list_folder(&date).expect("list"), [date.join("part-a-0.parquet")]);
        assert!(!paths.parquet().join("meetings/meeting_date=2026-11-02").exists());
        assert!(!wal_of(&paths.database()).exists());
    }
}
