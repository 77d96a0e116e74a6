//! Where everything in a store is. Nothing else in the program joins paths of a store.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::durable;
use super::error::{LoadError, NotAStore, Result};
use crate::files;
use crate::schema::{PARTITION_COLUMN, Table, civil_date, civil_date_text};

/// The directories of a store, created by [`StorePaths::open`].
const FOLDERS: &[&str] = &["parquet", "raw", "state", ".work"];
/// A directory that contains one of these is a store.
const STORE_FILES: &[&str] = &["vcq.duckdb", "parquet", "raw", "state"];
/// Directories in `.work/` that belong to readers, followed by the reader's process id.
pub(super) const QUERY_PREFIX: &str = "query-";

/// The paths of one store, derived from its canonical root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePaths {
    root: PathBuf,
}

impl StorePaths {
    /// Opens a store for writing; creates the directory and its parts if they are missing.
    pub fn open(root: &Path) -> Result<StorePaths> {
        let not_writable = |path: &Path| {
            let path = path.to_path_buf();
            move |source: io::Error| match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    LoadError::io("create a directory in", &path)(source)
                }
                _ => LoadError::NotWritable { path, source },
            }
        };
        if !root.is_file() {
            let parents = parents_of_missing(root);
            files::create_folders(root).map_err(not_writable(root))?;
            // The name of a new store must survive a power cut too. A parent may not be readable.
            for parent in parents.iter().filter_map(|parent| fs::File::open(parent).ok()) {
                parent.sync_all().map_err(LoadError::io("flush to disk", root))?;
            }
        }
        let paths = StorePaths::open_folder(root)?;
        for folder in FOLDERS {
            let folder = paths.root.join(folder);
            files::create_folders(&folder).map_err(not_writable(&folder))?;
        }
        // An existing directory may be read-only: find out before a run has spent its calls.
        let probe = paths.work().join(format!("probe-{}", std::process::id()));
        files::write(&probe, b"").map_err(not_writable(paths.work().as_path()))?;
        // Another run that starts at the same time may have removed it.
        durable::remove_file(&probe)?;
        durable::sync(&paths.root)?;
        Ok(paths)
    }

    /// Finds an existing store for reading; creates and changes nothing.
    pub fn existing(root: &Path) -> Result<StorePaths> {
        if !root.is_dir() {
            return Err(LoadError::NotAStore { path: root.to_path_buf(), why: NotAStore::NoFolder });
        }
        let paths = StorePaths::canonical(root)?;
        match paths.is_store()? {
            true => Ok(paths),
            false => Err(LoadError::NotAStore { path: paths.root, why: NotAStore::NoStoreFiles }),
        }
    }

    /// Finds a store for reading; creates and changes nothing. Returns `None` if there is none yet and one could be
    /// created.
    pub fn find(root: &Path) -> Result<Option<StorePaths>> {
        if !root.exists() {
            return Ok(None);
        }
        let paths = StorePaths::open_folder(root)?;
        Ok(paths.is_store()?.then_some(paths))
    }

    /// Returns an error if the directory is neither a store nor empty.
    fn open_folder(root: &Path) -> Result<StorePaths> {
        if root.is_file() {
            return Err(LoadError::NotAStore { path: root.to_path_buf(), why: NotAStore::File });
        }
        let paths = StorePaths::canonical(root)?;
        // The root of a file system has a `lost+found`.
        let is_ignored = |name: &String| name.starts_with('.') || name == "lost+found";
        match paths.is_store()? || paths.names()?.iter().all(is_ignored) {
            true => Ok(paths),
            false => Err(LoadError::NotAStore { path: paths.root, why: NotAStore::OtherFiles }),
        }
    }

    fn canonical(root: &Path) -> Result<StorePaths> {
        let root = root.canonicalize().map_err(LoadError::io("resolve the store directory", root))?;
        if root.to_str().is_none() {
            return Err(LoadError::NotAStore { path: root, why: NotAStore::NotUtf8 });
        }
        Ok(StorePaths { root })
    }

    fn is_store(&self) -> Result<bool> {
        Ok(self.names()?.iter().any(|name| STORE_FILES.contains(&name.as_str())))
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = fs::read_dir(&self.root).map_err(LoadError::io("list the directory", &self.root))?;
        Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn database(&self) -> PathBuf {
        self.root.join("vcq.duckdb")
    }

    /// The write-ahead log that DuckDB would read with the database.
    pub(crate) fn database_wal(&self) -> PathBuf {
        wal_of(&self.database())
    }

    pub fn parquet(&self) -> PathBuf {
        self.root.join("parquet")
    }

    pub fn manifest(&self) -> PathBuf {
        self.parquet().join("_manifest.json")
    }

    /// A published part, from its path in the manifest.
    pub fn part(&self, relative: &str) -> PathBuf {
        self.parquet().join(relative)
    }

    /// Which network belongs to which building, as imported.
    pub fn buildings(&self) -> PathBuf {
        self.root.join("buildings.csv")
    }

    /// Replaces `buildings.csv` atomically. Only for the holder of the lock.
    pub fn write_buildings(&self, text: &str) -> Result {
        durable::replace(&self.work(), &self.buildings(), text.as_bytes())
    }

    pub fn raw(&self) -> PathBuf {
        self.root.join("raw")
    }

    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The identity key.
    pub(crate) fn identity_key(&self) -> PathBuf {
        self.state().join("identity.key")
    }

    /// The tokens of people who are forgotten, one a line: a ledger that is lost must not bring them back.
    pub(crate) fn forgotten_file(&self) -> PathBuf {
        self.state().join("forgotten")
    }

    /// The dates whose identities were replaced because of their age, one a line, for the same reason.
    pub(crate) fn expired_file(&self) -> PathBuf {
        self.state().join("expired")
    }

    /// The dates in it, days since 1970-01-01.
    pub(crate) fn expired_dates(&self) -> Result<BTreeSet<i32>> {
        Ok(self.lines(&self.expired_file())?.iter().filter_map(|line| civil_date(line)).collect())
    }

    /// The lines of such a file; none without it.
    pub(crate) fn lines(&self, path: &Path) -> Result<BTreeSet<String>> {
        match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            text => Ok(text.map_err(LoadError::io("read", path))?.lines().map(str::to_owned).collect()),
        }
    }

    /// Replaces such a file, unless it has these lines. Only for the holder of the lock.
    pub(crate) fn write_lines(&self, path: &Path, lines: &BTreeSet<String>) -> Result {
        if self.lines(path)? == *lines {
            return Ok(());
        }
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        durable::replace_private(&self.work(), path, text.as_bytes())
    }

    /// What names this store in copies of its dataset.
    pub(crate) fn store_id_file(&self) -> PathBuf {
        self.state().join("store_id")
    }

    /// Writes the manifest that was fetched with its parts. Only for the holder of the lock.
    pub(crate) fn write_manifest(&self, text: &str) -> Result {
        durable::replace(&self.work(), &self.manifest(), text.as_bytes())
    }

    pub fn ledger(&self) -> PathBuf {
        self.state().join("ledger.sqlite")
    }

    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    /// What identifies the published database file.
    pub(super) fn published_record(&self) -> PathBuf {
        self.state().join("published.json")
    }

    /// Everything unfinished, on the same file system as the rest.
    pub fn work(&self) -> PathBuf {
        self.root.join(".work")
    }

    /// Where raw files are written that will replace those of `raw/`, with the same paths below it.
    pub(crate) fn new_raw(&self) -> PathBuf {
        self.work().join("raw")
    }

    /// Removes the directories of new raw files, after all of them are in place.
    pub(crate) fn remove_new_raw(&self) -> Result {
        durable::remove_dir(&self.new_raw())
    }

    /// Flushes the names of new raw files to disk, so that a power cut after the journal does not lose them.
    pub(crate) fn sync_new_raw(&self) -> Result {
        let mut left = vec![self.new_raw()];
        while let Some(folder) = left.pop() {
            if folder.is_dir() {
                durable::sync(&folder)?;
                let entries = fs::read_dir(&folder).map_err(LoadError::io("list the directory", &folder))?;
                left.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
            }
        }
        durable::sync(&self.work())
    }

    /// The directory in `.work/` where a reader with this process ID may spill.
    pub fn query_work(&self, process_id: u32) -> PathBuf {
        self.work().join(format!("{QUERY_PREFIX}{process_id}"))
    }
}

/// Whether a run ID can be part of a file name.
pub(crate) fn is_run_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// The directory in `parquet/` of the tables without a date.
pub(crate) const REFERENCE: &str = "reference";

/// The directory of a part relative to `parquet/`, for a date `YYYY-MM-DD` or for an undated table.
pub(crate) fn part_folder(table: &str, meeting_date: Option<&str>) -> String {
    match meeting_date {
        Some(date) => format!("{table}/{PARTITION_COLUMN}={date}"),
        None => format!("{REFERENCE}/{table}"),
    }
}

/// The path of a part relative to `parquet/`.
pub(crate) fn part_path(table: &Table, meeting_date: Option<i32>, run_id: &str, n: u32) -> String {
    let date = meeting_date.map(civil_date_text);
    format!("{}/part-{run_id}-{n}.parquet", part_folder(table.name, date.as_deref()))
}

pub(crate) fn wal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// The directories in which a directory and its parents are to be created.
fn parents_of_missing(folder: &Path) -> Vec<PathBuf> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let missing = folder.ancestors().take_while(|ancestor| !ancestor.exists());
    missing.filter_map(Path::parent).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parents_of_every_new_directory_are_synced() {
        let dir = tempfile::TempDir::new().expect("a folder");
        let parents = parents_of_missing(&dir.path().join("a/b"));
        assert_eq!(parents, [dir.path().join("a"), dir.path().to_path_buf()]);
        assert_eq!(parents_of_missing(dir.path()), [] as [PathBuf; 0]);
    }

    #[test]
    fn open_creates_the_layout_and_can_be_repeated() {
        let dir = tempfile::tempdir().expect("temp dir");
        let root = dir.path().join("deep/store");
        let paths = StorePaths::open(&root).expect("open");
        for folder in FOLDERS {
            assert!(paths.root().join(folder).is_dir(), "{folder}");
        }
        assert_eq!(StorePaths::open(&root).expect("open again"), paths);
        assert_eq!(StorePaths::existing(&root).expect("existing"), paths);
    }

    #[test]
    fn a_folder_with_other_files_is_not_a_store() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join("thesis.odt"), "x").expect("write");
        assert!(matches!(StorePaths::open(dir.path()), Err(LoadError::NotAStore { .. })));
        assert!(matches!(StorePaths::existing(dir.path()), Err(LoadError::NotAStore { .. })));
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 1, "nothing was created");
        let file = dir.path().join("thesis.odt");
        assert!(matches!(StorePaths::open(&file), Err(LoadError::NotAStore { .. })));
        assert!(matches!(StorePaths::existing(&dir.path().join("none")), Err(LoadError::NotAStore { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_not_writable() {
        // A file in place of a directory: an error for every user, including root.
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join("raw"), "a file").expect("write");
        let error = StorePaths::open(dir.path()).expect_err("raw is a file");
        assert!(matches!(&error, LoadError::NotWritable { path, .. } if path.ends_with("raw")), "{error}");
    }
}
