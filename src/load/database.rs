//! The next `vcq.duckdb`, built aside in `.work/`.
//!
//! A copy of the current one where that is sound, else a new one; then, in one transaction, the parts in which the
//! manifest and the database differ are replaced. What the database was loaded from stands in its own
//! `published_files`, so a run that died between manifest and database is healed by the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use super::compaction;
use super::connection::{self, Draft, DraftFolder};
use super::definitions::{self, Changed};
use super::migration::{self, Applied};
use super::publish::{Publication, RunsOf};
use super::store::wal_of;
use super::{DatabaseOptions, LoadError, Manifest, PublishedFile, StorePaths};
use crate::schema::cell::Cell;
use crate::schema::{
    Kind, META, PARTICIPANTS, PARTITION_COLUMN, PUBLISHED_FILES, RUNS, SCHEMA_VERSION, Storage, TABLES, Table, ddl,
};

/// How large a database file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Size {
    pub(crate) bytes: u64,
    /// Rows of the tables that are in Parquet.
    pub(crate) rows: u64,
}

/// What the current `vcq.duckdb` says of itself.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) generation: u64,
    vcq_etl_version: Option<String>,
    /// `None` also where an older program made it.
    definitions_sha256: Option<String>,
    compact: Size,
    applied: Vec<Applied>,
    loaded: Vec<Loaded>,
}

impl Current {
    /// Whether the database was loaded from any file.
    pub(crate) fn holds_dates(&self) -> bool {
        !self.loaded.is_empty()
    }
}

/// A row of `published_files`.
#[derive(Debug)]
struct Loaded {
    table: String,
    meeting_date: String,
    rows: u64,
    sha256: String,
}

/// The finished next database, closed and durable.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// True where it was built anew from Parquet and so has no holes.
    pub(crate) compacted: bool,
}

/// Tables by which we know a database as ours.
const OUR_SIGNS: &[&str] = &["meta", "published_files", "schema_migrations"];

/// Looks at the current `vcq.duckdb`; `None` where there is none or it is broken, so that it is built from Parquet.
///
/// # Errors
/// [`LoadError::ForeignDatabase`], [`LoadError::NewerSchema`], [`LoadError::MigrationDrift`], and [`LoadError::Io`] where
/// the file is there and the system refuses to read it.
pub(crate) fn inspect(paths: &StorePaths, options: DatabaseOptions) -> Result<Option<Current>, LoadError> {
    let path = paths.database();
    match fs::File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => drop(other.map_err(LoadError::io("read", &path))?),
    }
    let spill_dir = paths.work().join("inspect-spill");
    let connection = match connection::open_read_only(&path, &spill_dir, options) {
        Ok(connection) => connection,
        Err(error) => {
            tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "the database is broken; building it anew from parquet/");
            return Ok(None);
        }
    };
    let known = match check_ours(&connection, &path) {
        Err(error @ LoadError::Duckdb { .. }) => Err(error),
        other => {
            other?;
            current(&connection).map_err(LoadError::duckdb("read", &path))
        }
    };
    known.map(Some).or_else(|error| {
        tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "the database is broken; building it anew from parquet/");
        Ok(None)
    })
}

/// Makes sure that a database is ours and that its schema is one we know.
pub(crate) fn check_ours(connection: &Connection, path: &Path) -> Result<(), LoadError> {
    let failed = || LoadError::duckdb("read", path);
    let tables: Vec<String> = connection
        .prepare("select table_name from duckdb_tables() where not internal and database_name = current_database()")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(failed())?;
    if !OUR_SIGNS.iter().all(|sign| tables.iter().any(|table| table == sign)) {
        return Err(LoadError::ForeignDatabase { path: path.to_path_buf() });
    }
    migration::check(&migration::applied(connection).map_err(failed())?, path)
}

fn current(connection: &Connection) -> duckdb::Result<Current> {
    let loaded = connection
        .prepare("select table_name, cast(meeting_date as varchar), rows, sha256 from published_files")?
        .query_map([], |row| {
            Ok(Loaded {
                table: row.get(0)?,
                meeting_date: row.get(1)?,
                rows: unsigned(row.get(2)?),
                sha256: row.get(3)?,
            })
        })?
        .collect::<duckdb::Result<Vec<_>>>()?;
    let applied = migration::applied(connection)?;
    let definitions_sha256 = definitions::installed_in(connection);
    connection.query_row("select generation, vcq_etl_version, compact_bytes, compact_rows from meta", [], |row| {
        Ok(Current {
            generation: unsigned(row.get(0)?),
            vcq_etl_version: row.get(1)?,
            definitions_sha256,
            compact: Size { bytes: unsigned(row.get(2)?), rows: unsigned(row.get(3)?) },
            applied,
            loaded,
        })
    })
}

/// Counts are never negative; a NULL counts as nothing known.
fn unsigned(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// The difference between the database and the manifest, for one table.
struct Change<'a> {
    table: &'static Table,
    /// Dates whose rows go.
    outdated: Vec<&'a str>,
    /// Files whose rows come, by date.
    files: Vec<&'a PublishedFile>,
}

impl Change<'_> {
    /// Every date whose rows go or come, in order.
    fn dates(&self) -> Vec<&str> {
        let come = self.files.iter().map(|file| file.meeting_date.as_str());
        self.outdated.iter().copied().chain(come).collect::<BTreeSet<&str>>().into_iter().collect()
    }
}

/// What must change, and how many rows stay.
fn difference<'a>(loaded: &'a [Loaded], manifest: &'a Manifest) -> (Vec<Change<'a>>, u64) {
    let mut rows_kept = 0;
    let changes = TABLES
        .iter()
        .filter(|table| table.storage == Storage::ParquetAndDuckdb)
        .map(|table| {
            let wanted: BTreeMap<&str, &PublishedFile> = manifest
                .files
                .iter()
                .filter(|file| file.table == table.name)
                .map(|file| (file.meeting_date.as_str(), file))
                .collect();
            let present: BTreeMap<&str, &Loaded> = loaded
                .iter()
                .filter(|file| file.table == table.name)
                .map(|file| (file.meeting_date.as_str(), file))
                .collect();
            let same = |date: &str| {
                let (Some(wanted), Some(present)) = (wanted.get(date), present.get(date)) else { return false };
                wanted.sha256 == present.sha256 && wanted.rows == present.rows
            };
            rows_kept += present.iter().filter(|(date, _)| same(date)).map(|(_, file)| file.rows).sum::<u64>();
            Change {
                table,
                outdated: present.keys().copied().filter(|date| !same(date)).collect(),
                files: wanted.iter().filter(|(date, _)| !same(date)).map(|(_, file)| *file).collect(),
            }
        })
        .collect();
    (changes, rows_kept)
}

/// Builds the database of `manifest` in `.work/`.
pub(crate) fn build(
    paths: &StorePaths,
    publication: &Publication<'_>,
    manifest: &Manifest,
    current: Option<&Current>,
    runs: RunsOf<'_>,
) -> Result<Built, LoadError> {
    let builder = Builder { paths, publication, manifest };
    let base = current.filter(|_| publication.start.trusts()).filter(|current| {
        let rows_kept = difference(&current.loaded, manifest).1;
        let rows_loaded: u64 = current.loaded.iter().map(|file| file.rows).sum();
        !compaction::better_anew(rows_kept, rows_loaded - rows_kept, builder.rows(), current.compact)
    });
    let Some(base) = base else { return builder.build(None, runs) };
    match builder.build(Some(base), runs) {
        Ok(built) if compaction::is_due(Size { bytes: built.bytes, rows: builder.rows() }, base.compact) => {
            Ok(builder.build(None, runs).unwrap_or_else(|error| {
                // The grown file is as right as a compact one.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the database has grown and can't be built anew; publishing it as it is"
                );
                built
            }))
        }
        Err(error) if is_damage(&error) => {
            // Damage deep in the file shows only when its blocks are read or counted. Parquet is the truth.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the database can't be built upon; building it anew from parquet/"
            );
            builder.build(None, runs)
        }
        other => other,
    }
}

/// Whether an attempt upon a copy may have failed because of what the copy holds.
fn is_damage(error: &LoadError) -> bool {
    match error {
        LoadError::Duckdb { .. } | LoadError::RowCount { .. } => true,
        // The totals of a run are counted in what stays.
        LoadError::Runs { source, .. } => source.is::<duckdb::Error>(),
        _ => false,
    }
}

struct Builder<'a> {
    paths: &'a StorePaths,
    publication: &'a Publication<'a>,
    manifest: &'a Manifest,
}

impl Builder<'_> {
    fn build(&self, base: Option<&Current>, runs: RunsOf<'_>) -> Result<Built, LoadError> {
        let folder = DraftFolder::create(self.paths, self.publication.run_id)?;
        if base.is_some() {
            // A reflink where the file system can.
            let copy = folder.path().join("vcq.duckdb");
            fs::copy(self.paths.database(), &copy).map_err(LoadError::io("copy the database to", &copy))?;
            make_writable(&copy)?;
        }
        let draft = Draft::open(folder.path(), self.publication.database)?;
        draft.execute("begin a transaction in", "begin transaction")?;
        self.fill(&draft, base, runs)?;
        draft.execute("commit to", "commit")?;
        draft.execute("checkpoint", "checkpoint")?;

        let bytes = |path: &Path| Ok(fs::metadata(path).map_err(LoadError::io("read the size of", path))?.len());
        if base.is_none() {
            write_size(&draft, Size { bytes: bytes(&draft.path)?, rows: self.rows() })?;
        }
        let path = draft.close()?;
        if wal_of(&path).exists() {
            return Err(LoadError::LeftoverWal { path });
        }
        let path = folder.take(&path)?;
        Ok(Built { bytes: bytes(&path)?, path, compacted: base.is_none() })
    }

    fn rows(&self) -> u64 {
        self.manifest.files.iter().map(|file| file.rows).sum()
    }

    /// Everything that one transaction holds.
    fn fill(&self, draft: &Draft, base: Option<&Current>, runs: RunsOf<'_>) -> Result<(), LoadError> {
        let (applied, loaded) =
            base.map_or((&[][..], &[][..]), |base| (base.applied.as_slice(), base.loaded.as_slice()));
        let migrated = migration::apply(draft, applied, self.publication.now_us)? > 0;
        if migrated || !same_program(base) {
            let comments: String = TABLES.iter().map(ddl::comments).collect();
            draft.execute("comment the tables of", &comments)?;
        }
        let changes = difference(loaded, self.manifest).0;
        for change in &changes {
            self.replace(draft, change)?;
        }
        self.define(draft, base, &changes)?;
        self.replace_published_files(draft)?;
        let rows = runs(&draft.connection).map_err(|source| LoadError::Runs { path: self.paths.database(), source })?;
        draft.replace_rows(&RUNS, &rows)?;
        self.replace_meta(draft, base.map(|base| base.compact))
    }

    /// Brings views, macros, limits, buildings and derived tables after the program, the settings and the rows.
    fn define(&self, draft: &Draft, base: Option<&Current>, changes: &[Change<'_>]) -> Result<(), LoadError> {
        let definitions = &self.publication.definitions;
        let before = base.and_then(|base| base.definitions_sha256.as_deref());
        let is_anew = before != Some(definitions.sha256().as_str());
        if is_anew {
            definitions.install(draft)?;
        }
        // What rows follow from rows changes with the program only, not with limits or buildings.
        let derives_anew = before.is_none() || !same_program(base);
        let dates: Vec<(&Table, String)> =
            changes.iter().map(|change| (change.table, on_dates(&change.dates()))).collect();
        let changed: Vec<Changed<'_>> = dates.iter().map(|(table, dates)| Changed { table, dates }).collect();
        definitions::derive(draft, &changed, derives_anew)?;
        let seen = changed.iter().find(|change| change.table.name == PARTICIPANTS.name);
        definitions.place(draft, if is_anew { "true" } else { seen.map_or("false", |change| change.dates) }, is_anew)
    }

    fn replace(&self, draft: &Draft, change: &Change<'_>) -> Result<(), LoadError> {
        let table = change.table;
        if !change.outdated.is_empty() {
            draft.execute("remove outdated dates from", &delete(table, &change.outdated))?;
        }
        if change.files.is_empty() {
            return Ok(());
        }
        draft.execute("load the new parts into", &self.insert(table, &change.files))?;
        self.check_counts(draft, table, &change.files)
    }

    /// One insert over all the new files of a table: one a date costs twice the CPU and a fifth more file.
    fn insert(&self, table: &Table, files: &[&PublishedFile]) -> String {
        let columns: Vec<String> = table
            .file_columns()
            .map(|column| match column.kind {
                // Both functions are in every build; a cast of an instant to TIMESTAMP asks ICU for a zone.
                Kind::Instant => format!("make_timestamp(epoch_us({0})) as {0}", column.name),
                _ => column.name.to_owned(),
            })
            .collect();
        let dates: Vec<String> = files.iter().map(|file| date_literal(&file.meeting_date)).collect();
        // A path that exists is taken as it is, so its `*`, `?` and `[` are no pattern.
        let paths: Vec<String> =
            files.iter().map(|file| ddl::quoted(&self.paths.part(&file.path).to_string_lossy())).collect();
        // The date comes from the manifest and not from Hive partitions: a store below a folder named like `email=x`
        // would have that for a column.
        format!(
            "insert into {} by name select {}, ([{}])[cast(file_index as bigint) + 1] as {PARTITION_COLUMN} \
             from read_parquet([{}], hive_partitioning = false)",
            table.name,
            columns.join(", "),
            dates.join(", "),
            paths.join(", ")
        )
    }

    fn check_counts(&self, draft: &Draft, table: &'static Table, files: &[&PublishedFile]) -> Result<(), LoadError> {
        let dates: Vec<&str> = files.iter().map(|file| file.meeting_date.as_str()).collect();
        let sql = format!(
            "select cast({PARTITION_COLUMN} as varchar), count(*) from {} where {} group by {PARTITION_COLUMN}",
            table.name,
            on_dates(&dates)
        );
        let found: BTreeMap<String, i64> = draft
            .connection
            .prepare(&sql)
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(LoadError::duckdb("count the rows of", &draft.path))?;
        for file in files {
            let found = unsigned(found.get(&file.meeting_date).copied());
            if found != file.rows {
                let meeting_date = file.meeting_date.clone();
                return Err(LoadError::RowCount { table: table.name, meeting_date, expected: file.rows, found });
            }
        }
        Ok(())
    }

    fn replace_published_files(&self, draft: &Draft) -> Result<(), LoadError> {
        let rows: Vec<_> = self
            .manifest
            .files
            .iter()
            .map(|file| {
                vec![
                    Cell::Text(file.table.clone()),
                    Cell::Text(file.path.clone()),
                    day(&file.meeting_date),
                    whole(file.rows),
                    whole(file.bytes),
                    Cell::Text(file.sha256.clone()),
                ]
            })
            .collect();
        draft.replace_rows(&PUBLISHED_FILES, &rows)
    }

    fn replace_meta(&self, draft: &Draft, compact: Option<Size>) -> Result<(), LoadError> {
        let Publication { run_id, now_us, timezone, user_id_type, .. } = *self.publication;
        let row = vec![
            whole(self.manifest.generation),
            Cell::Whole(i64::from(SCHEMA_VERSION)),
            Cell::Text(run_id.to_owned()),
            Cell::Micros(now_us),
            Cell::Text(env!("CARGO_PKG_VERSION").to_owned()),
            Cell::Text(timezone.to_owned()),
            Cell::Text(user_id_type.to_owned()),
            compact.map_or(Cell::Null, |size| whole(size.bytes)),
            compact.map_or(Cell::Null, |size| whole(size.rows)),
            Cell::Text(self.publication.definitions.sha256()),
        ];
        draft.replace_rows(&META, &[row])
    }
}

/// Whether this program made the database that is built upon.
fn same_program(base: Option<&Current>) -> bool {
    base.and_then(|base| base.vcq_etl_version.as_deref()) == Some(env!("CARGO_PKG_VERSION"))
}

/// Notes in a database that has just been built anew how large it is.
fn write_size(draft: &Draft, size: Size) -> Result<(), LoadError> {
    let Size { bytes, rows } = size;
    draft.execute("note the size of", &format!("update meta set compact_bytes = {bytes}, compact_rows = {rows}"))?;
    draft.execute("checkpoint", "checkpoint")
}

fn delete(table: &Table, dates: &[&str]) -> String {
    format!("delete from {} where {}", table.name, on_dates(dates))
}

/// A condition on dates in ascending order. The range lets DuckDB skip row groups before it looks at the list.
fn on_dates(dates: &[&str]) -> String {
    let literals: Vec<String> = dates.iter().map(|date| date_literal(date)).collect();
    match (literals.first(), literals.last()) {
        (Some(first), Some(last)) => {
            format!("{PARTITION_COLUMN} between {first} and {last} and {PARTITION_COLUMN} in ({})", literals.join(", "))
        }
        _ => "false".to_owned(),
    }
}

fn date_literal(meeting_date: &str) -> String {
    format!("date {}", ddl::quoted(meeting_date))
}

fn whole(number: u64) -> Cell {
    Cell::whole(i64::try_from(number).ok())
}

fn day(meeting_date: &str) -> Cell {
    let epoch = jiff::civil::date(1970, 1, 1);
    meeting_date
        .parse::<jiff::civil::Date>()
        .ok()
        .and_then(|date| (date - epoch).get_days().into())
        .map_or(Cell::Null, Cell::Day)
}

/// The published file may be read-only on purpose; its copy in `.work/` is ours to write.
fn make_writable(path: &Path) -> Result<(), LoadError> {
    let failed = || LoadError::io("make writable", path);
    let mut permissions = fs::metadata(path).map_err(failed())?.permissions();
    if permissions.readonly() {
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        #[cfg(not(unix))]
        permissions.set_readonly(false);
        fs::set_permissions(path, permissions).map_err(failed())?;
    }
    Ok(())
}
