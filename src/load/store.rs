//! Where everything in a store is. Nothing else in the program joins paths of a store.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{LoadError, Manifest, NotAStore, durable};
use crate::schema::{PARTITION_COLUMN, Storage, TABLES, Table, civil_date, civil_date_text};

/// The folders of a store, made by [`StorePaths::open`].
const FOLDERS: &[&str] = &["parquet", "raw", "state", ".work"];
/// What shows that a folder is a store.
const SIGNS: &[&str] = &["vcq.duckdb", "parquet", "raw", "state"];
/// Names that any folder may hold: the root of a file system has a `lost+found`.
const IGNORED: &[&str] = &["lost+found"];
/// Folders in `.work/` that belong to readers, followed by the reader's process id.
const QUERY_PREFIX: &str = "query-";

/// The paths of one store. The root is canonical, everything else is derived from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePaths {
    root: PathBuf,
}

impl StorePaths {
    /// Opens a store to write to it; makes the folder and its parts where they are missing.
    ///
    /// # Errors
    /// [`LoadError::NotAStore`] where the folder holds something else, [`LoadError::NotWritable`] where a folder can't be
    /// made or written to.
    pub fn open(root: &Path) -> Result<StorePaths, LoadError> {
        if root.is_file() {
            return Err(LoadError::NotAStore { path: root.to_path_buf(), why: NotAStore::File });
        }
        let not_writable = |path: &Path| {
            let path = path.to_path_buf();
            move |source: io::Error| match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    LoadError::io("create a folder in", &path)(source)
                }
                _ => LoadError::NotWritable { path, source },
            }
        };
        fs::create_dir_all(root).map_err(not_writable(root))?;
        let paths = StorePaths::canonical(root)?;
        if !paths.looks_like_a_store()? && !paths.is_vacant()? {
            return Err(LoadError::NotAStore { path: paths.root, why: NotAStore::OtherFiles });
        }
        for folder in FOLDERS {
            let folder = paths.root.join(folder);
            fs::create_dir_all(&folder).map_err(not_writable(&folder))?;
        }
        // A folder that exists may still refuse: find out before a run has spent its calls.
        let probe = paths.work().join(format!("probe-{}", std::process::id()));
        fs::write(&probe, b"").map_err(not_writable(paths.work().as_path()))?;
        // A run that begins meanwhile may have cleaned it away.
        durable::remove_file(&probe)?;
        durable::sync_dir(&paths.root)?;
        Ok(paths)
    }

    /// Finds a store that is there, to read it; makes and changes nothing.
    ///
    /// # Errors
    /// [`LoadError::NotAStore`] where there is none.
    pub fn existing(root: &Path) -> Result<StorePaths, LoadError> {
        if !root.is_dir() {
            return Err(LoadError::NotAStore { path: root.to_path_buf(), why: NotAStore::NoFolder });
        }
        let paths = StorePaths::canonical(root)?;
        match paths.looks_like_a_store()? {
            true => Ok(paths),
            false => Err(LoadError::NotAStore { path: paths.root, why: NotAStore::NothingOfOurs }),
        }
    }

    /// Finds a store, to look at it; makes and changes nothing. `None` where there is none yet and one could be made.
    ///
    /// # Errors
    /// [`LoadError::NotAStore`] where something else is in its place.
    pub fn find(root: &Path) -> Result<Option<StorePaths>, LoadError> {
        if root.is_file() {
            return Err(LoadError::NotAStore { path: root.to_path_buf(), why: NotAStore::File });
        }
        if !root.is_dir() {
            return Ok(None);
        }
        let paths = StorePaths::canonical(root)?;
        match (paths.looks_like_a_store()?, paths.is_vacant()?) {
            (true, _) => Ok(Some(paths)),
            (false, true) => Ok(None),
            (false, false) => Err(LoadError::NotAStore { path: paths.root, why: NotAStore::OtherFiles }),
        }
    }

    fn canonical(root: &Path) -> Result<StorePaths, LoadError> {
        let root = root.canonicalize().map_err(LoadError::io("resolve the store's folder", root))?;
        if root.to_str().is_none() {
            return Err(LoadError::NotAStore { path: root, why: NotAStore::NotUtf8 });
        }
        Ok(StorePaths { root })
    }

    fn looks_like_a_store(&self) -> Result<bool, LoadError> {
        Ok(self.names()?.iter().any(|name| SIGNS.contains(&name.as_str())))
    }

    fn is_vacant(&self) -> Result<bool, LoadError> {
        Ok(self.names()?.iter().all(|name| name.starts_with('.') || IGNORED.contains(&name.as_str())))
    }

    fn names(&self) -> Result<Vec<String>, LoadError> {
        let entries = fs::read_dir(&self.root).map_err(LoadError::io("list the folder", &self.root))?;
        Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    }

    /// The store's folder, canonical.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `vcq.duckdb`: what people open.
    pub fn database(&self) -> PathBuf {
        self.root.join("vcq.duckdb")
    }

    /// `parquet/`.
    pub fn parquet(&self) -> PathBuf {
        self.root.join("parquet")
    }

    /// `parquet/_manifest.json`.
    pub fn manifest(&self) -> PathBuf {
        self.parquet().join("_manifest.json")
    }

    /// A published part, from its path in the manifest.
    pub fn part(&self, relative: &str) -> PathBuf {
        self.parquet().join(relative)
    }

    /// `buildings.csv`: which network is which building, as it was imported. The database is made from it.
    pub fn buildings(&self) -> PathBuf {
        self.root.join("buildings.csv")
    }

    /// Replaces `buildings.csv`, durably and as a whole. Only for the holder of the lock.
    ///
    /// # Errors
    /// [`LoadError::Io`], [`LoadError::DiskFull`]; the old file stays then.
    pub fn write_buildings(&self, text: &str) -> Result<(), LoadError> {
        durable::replace(&self.work(), &self.buildings(), text.as_bytes())
    }

    /// `raw/`.
    pub fn raw(&self) -> PathBuf {
        self.root.join("raw")
    }

    /// `state/`.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// `state/ledger.sqlite`.
    pub fn ledger(&self) -> PathBuf {
        self.state().join("ledger.sqlite")
    }

    /// `state/lock`.
    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    /// `.work/`: everything half-done, on the same file system.
    pub fn work(&self) -> PathBuf {
        self.root.join(".work")
    }

    /// The folder in `.work/` where a reader with this process id may spill.
    pub fn query_work(&self, process_id: u32) -> PathBuf {
        self.work().join(format!("{QUERY_PREFIX}{process_id}"))
    }

    /// Empties `.work/` of what a dead run left. Only for the holder of the lock. The folders of living readers stay.
    ///
    /// # Errors
    /// [`LoadError::Io`] with the path that can't be removed.
    pub fn clean_work(&self) -> Result<(), LoadError> {
        let work = self.work();
        for entry in fs::read_dir(&work).map_err(LoadError::io("list the folder", &work))?.flatten() {
            let path = entry.path();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match (is_dir, entry.file_name().to_string_lossy().strip_prefix(QUERY_PREFIX)) {
                (true, Some(process_id)) if may_be_alive(process_id) => {}
                (true, _) => fs::remove_dir_all(&path).map_err(LoadError::io("remove", &path))?,
                (false, _) => durable::remove_file(&path)?,
            }
        }
        Ok(())
    }

    /// Removes Parquet parts that the manifest does not name, date folders that are empty then, and a write-ahead log
    /// beside `vcq.duckdb`, which would keep DuckDB from opening it. Only for the holder of the lock; gives the number
    /// of files removed. Before the first publication every part is a orphan.
    ///
    /// # Errors
    /// [`LoadError::CorruptManifest`], and [`LoadError::MissingManifest`] where a database shows that something was
    /// published, both before anything is removed; [`LoadError::Io`].
    pub fn remove_orphans(&self) -> Result<u64, LoadError> {
        let manifest = Manifest::read(self)?;
        // The manifest comes before the database: one without the other has lost it, and its parts are all there is.
        if manifest.is_none() && self.database().exists() {
            return Err(LoadError::MissingManifest { path: self.manifest() });
        }
        self.remove_parts_but(manifest.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()))
    }

    /// The tables and dates that have a folder below `parquet/`, whatever the manifest says.
    ///
    /// # Errors
    /// [`LoadError::Io`].
    pub fn partitions(&self) -> Result<Vec<(&'static str, i32)>, LoadError> {
        let mut partitions = Vec::new();
        for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
            for date_dir in entries(&self.parquet().join(table.name))? {
                let name = date_dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let date = name.strip_prefix(PARTITION_COLUMN).and_then(|rest| rest.strip_prefix('='));
                partitions.extend(date.and_then(civil_date).map(|date| (table.name, date)));
            }
        }
        Ok(partitions)
    }

    /// Removes every part but the named ones.
    fn remove_parts_but<'a>(&self, named: impl Iterator<Item = &'a str>) -> Result<u64, LoadError> {
        let named: HashSet<PathBuf> = named.map(|relative| self.part(relative)).collect();
        let mut removed = 0;
        for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
            for date_dir in entries(&self.parquet().join(table.name))? {
                let is_partition = date_dir
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{PARTITION_COLUMN}=")));
                if !is_partition || !date_dir.is_dir() {
                    continue;
                }
                for part in entries(&date_dir)? {
                    if part.extension().is_some_and(|extension| extension == "parquet") && !named.contains(&part) {
                        durable::remove_file(&part)?;
                        removed += 1;
                    }
                }
                remove_if_empty(&date_dir);
            }
        }
        let wal = wal_of(&self.database());
        if wal.exists() {
            durable::remove_file(&wal)?;
            removed += 1;
        }
        Ok(removed)
    }
}

/// The path of a part relative to `parquet/`, with `/` on every system.
pub(crate) fn part_path(table: &Table, meeting_date: i32, run_id: &str, n: u32) -> String {
    format!("{}/{PARTITION_COLUMN}={}/part-{run_id}-{n}.parquet", table.name, civil_date_text(meeting_date))
}

/// The write-ahead log of a database.
pub(crate) fn wal_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// Removes a date folder that has become empty. One that has not, or that a reader's tool keeps busy, is no harm.
pub(crate) fn remove_if_empty(dir: &Path) {
    if let Err(error) = fs::remove_dir(dir)
        && error.kind() != io::ErrorKind::DirectoryNotEmpty
    {
        tracing::debug!(path = %dir.display(), %error, "left a date folder in place");
    }
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(LoadError::io("list the folder", dir)(error)),
    }
}

/// Whether a process may live; where the system does not show its processes as files, it may.
fn may_be_alive(process_id: &str) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process_id).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_makes_the_layout_and_is_repeatable() {
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
    fn a_folder_with_other_files_is_no_store() {
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join("thesis.odt"), "x").expect("write");
        assert!(matches!(StorePaths::open(dir.path()), Err(LoadError::NotAStore { .. })));
        assert!(matches!(StorePaths::existing(dir.path()), Err(LoadError::NotAStore { .. })));
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 1, "nothing was made");
        let file = dir.path().join("thesis.odt");
        assert!(matches!(StorePaths::open(&file), Err(LoadError::NotAStore { .. })));
        assert!(matches!(StorePaths::existing(&dir.path().join("none")), Err(LoadError::NotAStore { .. })));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_not_writable() {
        // A file where a folder must be: refused for every user, root included.
        let dir = tempfile::tempdir().expect("temp dir");
        fs::write(dir.path().join("raw"), "a file").expect("write");
        let error = StorePaths::open(dir.path()).expect_err("raw is a file");
        assert!(matches!(&error, LoadError::NotWritable { path, .. } if path.ends_with("raw")), "{error}");
    }

    #[test]
    fn clean_work_empties_all_but_living_readers() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        fs::write(paths.work().join("part.inprogress"), "half").expect("write");
        fs::create_dir_all(paths.work().join("database-x/y")).expect("create");
        fs::create_dir(paths.query_work(std::process::id())).expect("create");
        // No process has this id: the kernel's largest is 4,194,304.
        fs::create_dir(paths.query_work(4_999_999)).expect("create");
        paths.clean_work().expect("clean");
        let left = entries(&paths.work()).expect("list");
        if Path::new("/proc/self").exists() {
            assert_eq!(left, [paths.query_work(std::process::id())]);
        }
    }

    #[test]
    fn strays_go_and_named_parts_stay() {
        let dir = tempfile::tempdir().expect("temp dir");
        let paths = StorePaths::open(dir.path()).expect("open");
        let date = paths.parquet().join("meetings/meeting_date=2026-11-01");
        fs::create_dir_all(&date).expect("create");
        fs::create_dir_all(paths.parquet().join("meetings/meeting_date=2026-11-02")).expect("create");
        fs::write(date.join("part-a-0.parquet"), "named").expect("write");
        fs::write(date.join("part-b-0.parquet"), "orphan").expect("write");
        fs::write(wal_of(&paths.database()), "left").expect("write");
        let named = "meetings/meeting_date=2026-11-01/part-a-0.parquet";
        assert_eq!(paths.remove_parts_but([named].into_iter()).expect("remove"), 2);
        assert_eq!(entries(&date).expect("list"), [date.join("part-a-0.parquet")]);
        assert!(!paths.parquet().join("meetings/meeting_date=2026-11-02").exists());
        assert!(!wal_of(&paths.database()).exists());
    }
}
