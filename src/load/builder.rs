//! Builds the next `vcq.duckdb` in `.work/`.
//!
//! It is a copy of the current file if that is sound, and otherwise a new one. Then one transaction replaces the parts
//! in which the manifest and the database differ. The database records what it was loaded from in `published_files`, so
//! the next run completes one that crashed between manifest and database.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::compaction::{self, Size};
use super::connection::{open_read_only, rows};
use super::current::{Current, Loaded, on_dates, unsigned};
use super::definitions;
use super::draft::{Draft, DraftFolder};
use super::error::{LoadError, Result};
use super::fingerprint::Fingerprint;
use super::held::{SEARCHED, is_searched};
use super::insert::Insert;
use super::manifest::{Manifest, PublishedFile};
use super::part_writer::{PartWriter, StagedPart};
use super::partial::Partial;
use super::paths::{StorePaths, wal_of};
use super::plan::{NamedPart, Naming};
use super::publication::{Publication, RunRows};
use super::{custom, incidents, migration, reference, stored_minutes};
use crate::files;
use crate::schema::cell::{Cell, Row};
use crate::schema::{
    MEETINGS, META, MISALIGNED_PARTICIPANTS, PARTICIPANTS, PARTITION_COLUMN, PUBLISHED_FILES, QUALITY_SAMPLES, RUNS,
    SCHEMA_VERSION, TABLES, Table, civil_date,
};

/// The next database, closed and flushed to disk.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
    /// True if it was rebuilt from Parquet.
    pub(crate) compacted: bool,
    /// The dated files that it was loaded from.
    pub(crate) files: Vec<PublishedFile>,
    /// The parts that are exported from it: those of undated tables, and the incidents of the dates that were searched.
    pub(crate) exported: Vec<NamedPart>,
    /// Names of its tables, views and macros.
    pub(crate) objects: BTreeSet<String>,
    /// Why some of the user's definitions are not installed.
    pub(crate) problems: Vec<String>,
}

/// The difference between the database and the manifest, for one table.
struct Change<'a> {
    table: &'static Table,
    /// Dates whose rows are removed.
    outdated: Vec<&'a str>,
    /// Date and file of the rows that are added, by date.
    files: Vec<(&'a str, &'a PublishedFile)>,
}

/// What must change, and the number of rows that stay.
fn difference<'a>(loaded: &'a [Loaded], files: &'a [PublishedFile]) -> (Vec<Change<'a>>, u64) {
    let mut rows_kept = 0;
    let changes = TABLES
        .iter()
        .filter(|table| table.is_dated())
        .map(|table| {
            let wanted: BTreeMap<&str, &PublishedFile> = files
                .iter()
                .filter(|file| file.table == table.name)
                .filter_map(|file| Some((file.date_with_rows()?, file)))
                .collect();
            let present: BTreeMap<&str, &Loaded> = loaded
                .iter()
                .filter(|file| file.table == table.name)
                .filter_map(|file| Some((file.date_with_rows()?, file)))
                .collect();
            let same = |date: &str| {
                let (wanted, present) = (wanted.get(date), present.get(date));
                wanted.zip(present).is_some_and(|(new, old)| new.sha256 == old.sha256 && new.rows == old.rows)
            };
            rows_kept += present.iter().filter(|(date, _)| same(date)).map(|(_, file)| file.rows).sum::<u64>();
            Change {
                table,
                outdated: present.keys().copied().filter(|date| !same(date)).collect(),
                files: wanted.iter().filter(|(date, _)| !same(date)).map(|(date, file)| (*date, *file)).collect(),
            }
        })
        .collect();
    (changes, rows_kept)
}

/// Builds the database of `manifest` in `.work/`. The manifest lists the dated files; `naming` names the others.
pub(crate) fn build(
    paths: &StorePaths,
    publication: &Publication<'_>,
    manifest: &Manifest,
    current: Option<&Current>,
    naming: &Naming<'_>,
    runs: RunRows<'_>,
    partial: Option<&Partial<'_>>,
) -> Result<Built> {
    let builder = Builder { paths, publication, manifest, naming, partial };
    // A file that a session of another program has changed would keep the change for ever.
    let trusted = current.filter(|current| publication.mode.trusts_published() && current.published.is_some());
    let base = trusted.filter(|current| {
        let rows_kept = difference(&current.loaded, &builder.loaded_of(&manifest.files)).1;
        let dated = current.loaded.iter().filter(|file| file.meeting_date.is_some());
        let rows_loaded: u64 = dated.map(|file| file.rows).sum();
        !compaction::should_rebuild(rows_kept, rows_loaded - rows_kept, builder.rows(), current.compact)
    });
    let Some(base) = base else { return builder.build(None, runs) };
    match builder.build(Some(base), runs) {
        Ok(built) if compaction::needs_compaction(Size { bytes: built.bytes, rows: builder.rows() }, base.compact) => {
            Ok(builder.build(None, runs).unwrap_or_else(|error| {
                // The larger file is correct too.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot compact the database; publishing it uncompacted"
                );
                built
            }))
        }
        Err(error) if is_damage(&error) => {
            // Damage inside the file shows only when its blocks are read or counted. Parquet is the source of truth.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the current database is damaged; rebuilding it from parquet/"
            );
            builder.build(None, runs)
        }
        other => other,
    }
}

/// Builds a database that is not published. Also returns the rows of [`MISALIGNED_PARTICIPANTS`].
pub(super) fn build_scratch(
    paths: &StorePaths,
    publication: &Publication<'_>,
    manifest: &Manifest,
    naming: &Naming<'_>,
    runs: RunRows<'_>,
    partial: &Partial<'_>,
) -> Result<(Built, Vec<Row>)> {
    let built = Builder { paths, publication, manifest, naming, partial: Some(partial) }.build(None, runs)?;
    let failed = || LoadError::duckdb("read", &built.path);
    let options = publication.database;
    let connection = open_read_only(&built.path, &paths.work(), options)?;
    let sql = format!(
        "select participant_key, cast({PARTITION_COLUMN} - date '1970-01-01' as integer) from {}",
        MISALIGNED_PARTICIPANTS.name
    );
    let read = |row: &duckdb::Row<'_>| Ok(vec![Cell::Text(row.get(0)?), Cell::Day(row.get(1)?)]);
    let misaligned = rows(&connection, &sql, read).map_err(failed())?;
    Ok((built, misaligned))
}

/// Whether an update of a copy may have failed because the copy is damaged.
fn is_damage(error: &LoadError) -> bool {
    match error {
        LoadError::Duckdb { .. } | LoadError::RowCount { .. } | LoadError::ChangedDatabase { .. } => true,
        LoadError::Incidents { .. } => true,
        // The totals of a run are counted over the rows that stay.
        LoadError::Runs { source, .. } => source.is::<duckdb::Error>(),
        _ => false,
    }
}

struct Builder<'a> {
    paths: &'a StorePaths,
    publication: &'a Publication<'a>,
    manifest: &'a Manifest,
    naming: &'a Naming<'a>,
    /// `None` if the database holds everything.
    partial: Option<&'a Partial<'a>>,
}

impl Builder<'_> {
    /// The files of which the database has the rows.
    fn loaded_of(&self, files: &[PublishedFile]) -> Vec<PublishedFile> {
        let is_held = |file: &&PublishedFile| self.partial.is_none_or(|partial| partial.held.has_file(file));
        files.iter().filter(is_held).cloned().collect()
    }

    fn is_scratch(&self) -> bool {
        self.partial.is_some_and(|partial| partial.is_scratch)
    }

    fn build(&self, base: Option<&Current>, runs: RunRows<'_>) -> Result<Built> {
        let folder = DraftFolder::create(self.paths, self.publication.run_id)?;
        if let Some(base) = base {
            self.copy(base, &folder.path.join("vcq.duckdb"))?;
        }
        let draft = Draft::open(&folder.path, self.publication.database)?;
        draft.execute("begin a transaction in", "begin transaction")?;
        let mut files = self.manifest.files.clone();
        let searched = self.fill(&draft, base, &mut files, runs)?;
        let bytes = |path: &Path| Ok(fs::metadata(path).map_err(LoadError::io("read the size of", path))?.len());
        if base.is_none() && !self.is_scratch() {
            draft.execute("commit to", "commit; checkpoint")?;
            let (bytes, rows) = (bytes(&draft.path)?, self.rows());
            draft.execute("begin a transaction in", "begin transaction")?;
            let sql = format!("update meta set compact_bytes = {bytes}, compact_rows = {rows}");
            draft.execute("record the size of", &sql)?;
        }
        let (work, run_id) = (self.paths.work(), self.publication.run_id);
        let mut exported = incidents::export(&draft, &work, run_id, &searched)?;
        exported.extend(self.empty_incidents(&files, &exported)?);
        if self.partial.is_none_or(|partial| partial.exports_undated) {
            exported.extend(reference::export(&draft, &work, run_id)?);
        }
        let exported: Vec<NamedPart> = exported.iter().map(|part| self.naming.name(part)).collect();
        self.replace_published_files(&draft, &files, &exported)?;
        draft.execute("commit to", "commit")?;
        let custom = if self.is_scratch() { &[][..] } else { self.publication.definitions.custom };
        let problems = custom::install(&draft.connection, custom)
            .map_err(LoadError::duckdb("install the files of views_dir in", &draft.path))?;
        draft.execute("checkpoint", "checkpoint")?;
        let objects =
            definitions::objects(&draft.connection).map_err(LoadError::duckdb("list the tables of", &draft.path))?;
        let path = draft.close()?;
        if wal_of(&path).exists() {
            return Err(LoadError::LeftoverWal { path });
        }
        let path = folder.take(&path)?;
        Ok(Built { bytes: bytes(&path)?, path, compacted: base.is_none(), files, exported, objects, problems })
    }

    /// Copies the published file, if it is still the one that was examined when the copy is complete.
    fn copy(&self, base: &Current, copy: &Path) -> Result {
        let database = self.paths.database();
        // The published file is read-only; its copy is not.
        files::copy(&database, copy).map_err(LoadError::io("copy the database to", copy))?;
        for path in [copy, database.as_path()] {
            let found = Fingerprint::of(path).map_err(LoadError::io("read", path))?;
            if base.published.as_ref() != Some(&found) {
                return Err(LoadError::ChangedDatabase { path: self.paths.database() });
            }
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.loaded_of(&self.manifest.files).iter().map(|file| file.rows).sum()
    }

    /// Fills the draft from the files. Returns the dates whose incidents were searched, and removes the outdated ones
    /// from the files.
    fn fill(
        &self,
        draft: &Draft,
        base: Option<&Current>,
        files: &mut Vec<PublishedFile>,
        runs: RunRows<'_>,
    ) -> Result<BTreeSet<i32>> {
        let searches_all = match self.partial {
            Some(partial) => partial.changes.is_some_and(|changes| changes.searched.is_none()),
            None => self.must_judge_all(base),
        };
        if searches_all {
            files.retain(|file| !is_searched(&file.table));
        }
        let (applied, loaded) =
            base.map_or((&[][..], &[][..]), |base| (base.applied.as_slice(), base.loaded.as_slice()));
        let migrated = migration::apply(draft, applied, self.publication.now_us)?;
        let definitions = &self.publication.definitions;
        let installed = base.and_then(|base| base.definitions_sha256.as_deref());
        let has_other_comments = installed.is_some_and(|sha256| definitions.have_other_comments(sha256));
        if migrated || has_other_comments || !base.is_some_and(Current::is_from_this_version) {
            let comments = definitions::table_comments(definitions.language);
            draft.execute("comment the tables of", &comments)?;
        }
        let held = self.loaded_of(files);
        let changes = difference(loaded, &held).0;
        for change in &changes {
            self.replace(draft, change, base.is_none())?;
        }
        self.define(draft, base, &changes)?;
        let rooms = incidents::room_places(&draft.connection, &draft.path)?;
        let published = |table: &Table| self.naming.published(table.name, None).cloned();
        reference::fill(draft, self.paths, self.publication.reference_rows, &published, base.is_none())?;
        let samples = held.iter().filter(|file| file.table == QUALITY_SAMPLES.name);
        let published: BTreeSet<i32> = samples.filter_map(|file| civil_date(file.date_with_rows()?)).collect();
        if definitions.define(stored_minutes::SOURCE) {
            let changed =
                self.keeps_verdicts(base).then(|| days_of(changed_dates(&changes, &QUALITY_SAMPLES)).collect());
            let at_once = base.is_none() && self.publication.database.inserts > 1;
            stored_minutes::update(draft, definitions.profile, &published, changed.as_ref(), at_once)?;
        }
        let searched = self.search(draft, base, published, &changes, &rooms)?;
        let is_outdated = |date: &str| civil_date(date).is_some_and(|date| searched.contains(&date));
        files.retain(|file| !(is_searched(&file.table) && file.meeting_date.as_deref().is_some_and(is_outdated)));
        let complete = self.partial.map_or(&draft.connection, |partial| partial.lake);
        let rows = runs(complete).map_err(|source| LoadError::Runs { path: self.paths.database(), source })?;
        draft.replace_rows(&RUNS, &rows)?;
        self.replace_meta(draft, base.map(|base| base.compact))?;
        Ok(searched)
    }

    /// Whether the minutes of dates that have not changed would be judged in the same way.
    fn keeps_verdicts(&self, base: Option<&Current>) -> bool {
        let definitions = &self.publication.definitions;
        base.is_some_and(|base| {
            base.is_from_this_version()
                && definitions.are_own_of(base.definitions_sha256.as_deref())
                && base.profile.as_deref() == Some(definitions.profile)
        })
    }

    /// Searches for incidents. Returns the dates that were searched.
    fn search(
        &self,
        draft: &Draft,
        base: Option<&Current>,
        published: BTreeSet<i32>,
        changes: &[Change<'_>],
        rooms: &incidents::RoomPlaces,
    ) -> Result<BTreeSet<i32>> {
        let Some(search) = self.publication.definitions.incident_search else { return Ok(BTreeSet::new()) };
        let profile = self.publication.definitions.profile;
        let mut judged = None;
        if !self.must_judge_all(base) {
            let after = incidents::room_places(&draft.connection, &draft.path)?;
            let mut dates = incidents::dates_of_changed_rooms(&draft.connection, &draft.path, rooms, &after)?;
            for table in [&MEETINGS, &PARTICIPANTS, &QUALITY_SAMPLES] {
                dates.extend(days_of(changed_dates(changes, table)));
            }
            judged = Some(dates);
        }
        let changed = match self.partial {
            None => Some(judged.clone()),
            Some(partial) => partial.changes.map(|changes| changes.searched.clone()),
        };
        let is_found_before = changed.is_none();
        let search = incidents::Search { search, profile, published, judged, changed: changed.flatten() };
        if is_found_before {
            search.judge(draft)?;
            return Ok(BTreeSet::new());
        }
        search.update(draft)
    }

    /// Whether all dates are judged and searched, and not only those that the changed dates affect.
    fn must_judge_all(&self, base: Option<&Current>) -> bool {
        let definitions = &self.publication.definitions;
        definitions.incident_search.is_some()
            && !base.is_some_and(|base| {
                base.is_from_this_version()
                    && definitions.are_all_of(base.definitions_sha256.as_deref())
                    && base.profile.as_deref() == Some(definitions.profile)
            })
    }

    /// Stages an empty part, under the first date, of the tables of incidents that have no file.
    fn empty_incidents(&self, files: &[PublishedFile], exported: &[StagedPart]) -> Result<Vec<StagedPart>> {
        let Some(first) = files.iter().filter_map(|file| file.meeting_date.as_deref()).min() else {
            return Ok(Vec::new());
        };
        let has_file = |table: &str| {
            files.iter().any(|file| file.table == table) || exported.iter().any(|part| part.table.name == table)
        };
        let create = |table| {
            PartWriter::create(&self.paths.work(), table, civil_date(first), self.publication.run_id, 0)?
                .finish_even_if_empty()
        };
        SEARCHED.into_iter().filter(|table| !has_file(table.name)).map(create).collect()
    }

    /// Updates views, macros, limits, buildings and derived tables to the program, the settings and the rows.
    fn define(&self, draft: &Draft, base: Option<&Current>, changes: &[Change<'_>]) -> Result {
        let definitions = &self.publication.definitions;
        let before = base.and_then(|base| base.definitions_sha256.as_deref());
        let reinstall = before != Some(definitions.sha256().as_str());
        if reinstall {
            definitions.install(draft)?;
        }
        if let Some(partial) = self.partial {
            return partial.define(draft, definitions, self.paths, base.is_none());
        }
        // Derived rows depend on the program and on other rows, not on limits or buildings.
        let derive_all = before.is_none() || !base.is_some_and(Current::is_from_this_version);
        let changed_dates = |table: &Table| on_dates(&Vec::from_iter(changed_dates(changes, table)));
        let all = || "true".to_owned();
        definitions::update_derived(draft, &|table| if derive_all { all() } else { changed_dates(table) })?;
        let dates = if reinstall { all() } else { changed_dates(&PARTICIPANTS) };
        definitions.locate_addresses(draft, &dates, reinstall)
    }

    fn replace(&self, draft: &Draft, change: &Change<'_>, is_new: bool) -> Result {
        let table = change.table;
        if !change.outdated.is_empty() {
            let sql = format!("delete from {} where {}", table.name, on_dates(&change.outdated));
            draft.execute("remove outdated dates from", &sql)?;
        }
        if change.files.is_empty() {
            return Ok(());
        }
        let part = |path: &str| self.part(path);
        let insert = Insert { part: &part, table, files: &change.files };
        match insert.connections(self.publication.database) {
            connections if connections > 1 && is_new => insert.run_at_once(draft, connections)?,
            _ => insert.run(draft)?,
        }
        self.check_counts(draft, table, &change.files)
    }

    fn part(&self, path: &str) -> PathBuf {
        let staged = self.partial.and_then(|partial| partial.staged.get(path)).cloned();
        staged.unwrap_or_else(|| self.paths.part(path))
    }

    /// Compares the rows loaded for each date with the manifest.
    fn check_counts(&self, draft: &Draft, table: &'static Table, files: &[(&str, &PublishedFile)]) -> Result {
        let dates: Vec<&str> = files.iter().map(|(date, _)| *date).collect();
        let sql = format!(
            "select cast({PARTITION_COLUMN} as varchar), count(*) from {} where {} group by {PARTITION_COLUMN}",
            table.name,
            on_dates(&dates)
        );
        let found: BTreeMap<String, i64> = rows(&draft.connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(LoadError::duckdb("count the rows of", &draft.path))?;
        for (date, file) in files {
            let found = unsigned(found.get(*date).copied());
            if found != file.rows {
                let meeting_date = (*date).to_owned();
                return Err(LoadError::RowCount { table: table.name, meeting_date, expected: file.rows, found });
            }
        }
        Ok(())
    }

    fn replace_published_files(&self, draft: &Draft, files: &[PublishedFile], exported: &[NamedPart]) -> Result {
        let rows = files.iter().chain(exported.iter().map(|part| &part.file)).map(|file| {
            vec![
                Cell::Text(file.table.clone()),
                Cell::Text(file.path.clone()),
                file.meeting_date.as_deref().and_then(civil_date).map_or(Cell::Null, Cell::Day),
                whole(file.rows),
                whole(file.bytes),
                Cell::Text(file.sha256.clone()),
            ]
        });
        draft.replace_rows(&PUBLISHED_FILES, &Vec::from_iter(rows))
    }

    fn replace_meta(&self, draft: &Draft, compact: Option<Size>) -> Result {
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
            Cell::Text(self.publication.definitions.profile.to_owned()),
        ];
        draft.replace_rows(&META, &[row])
    }
}

/// The dates on which rows of a table were added, replaced or removed.
fn changed_dates<'a>(changes: &[Change<'a>], table: &Table) -> BTreeSet<&'a str> {
    let change = changes.iter().filter(|change| change.table.name == table.name);
    change.flat_map(|change| change.files.iter().map(|(date, _)| *date).chain(change.outdated.clone())).collect()
}

fn days_of<'a>(dates: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = i32> {
    dates.into_iter().filter_map(civil_date)
}

fn whole(number: u64) -> Cell {
    Cell::whole(i64::try_from(number).ok())
}
