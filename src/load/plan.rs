//! What a publication does to the Parquet files: which parts are new, which stay, and what they are called.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::error::Result;
use super::held::is_searched;
use super::manifest::{Manifest, PublishedFile};
use super::part_writer::{PartWriter, StagedPart};
use super::paths::{StorePaths, part_path};
use super::publication::Publication;
use crate::schema::{TABLES, civil_date, civil_date_text, utc_text};

/// A staged part with its entry in the manifest.
#[derive(Debug)]
pub(crate) struct NamedPart {
    staged: PathBuf,
    pub(crate) file: PublishedFile,
    /// It is already published, with the same bytes.
    is_kept: bool,
}

impl NamedPart {
    pub(super) fn staged(&self) -> &Path {
        &self.staged
    }
}

/// Gives staged parts their published names.
pub(crate) struct Naming<'a> {
    run_id: &'a str,
    /// The published files by table and date.
    old: BTreeMap<(&'a str, Option<&'a str>), &'a PublishedFile>,
    /// A file with that path exists below `parquet/`.
    is_taken: &'a dyn Fn(&str) -> bool,
    /// A published file has its published bytes.
    is_intact: &'a dyn Fn(&PublishedFile) -> bool,
}

impl<'a> Naming<'a> {
    pub(super) fn new(
        run_id: &'a str,
        old: Option<&'a Manifest>,
        is_taken: &'a dyn Fn(&str) -> bool,
        is_intact: &'a dyn Fn(&PublishedFile) -> bool,
    ) -> Naming<'a> {
        let files = old.into_iter().flat_map(|manifest| &manifest.files);
        let old = files.map(|file| ((file.table.as_str(), file.meeting_date.as_deref()), file)).collect();
        Naming { run_id, old, is_taken, is_intact }
    }

    /// The published file of a table and a date; `None` if there is none, or not with its bytes.
    pub(super) fn published(&self, table: &str, meeting_date: Option<&str>) -> Option<&'a PublishedFile> {
        self.old.get(&(table, meeting_date)).copied().filter(|file| (self.is_intact)(file))
    }

    pub(super) fn name(&self, part: &StagedPart) -> NamedPart {
        let meeting_date = part.meeting_date.map(civil_date_text);
        let staged = part.path.clone();
        let same = self.old.get(&(part.table.name, meeting_date.as_deref()));
        if let Some(same) = same.filter(|file| file.sha256 == part.sha256 && (self.is_intact)(file)) {
            // The same bytes: keep the file, which readers may have open.
            return NamedPart { staged, file: (*same).clone(), is_kept: true };
        }
        // A published name is never reused for other bytes.
        let path = (part.n..)
            .map(|n| part_path(part.table, part.meeting_date, self.run_id, n))
            .find(|path| !(self.is_taken)(path))
            .unwrap_or_default();
        let file = PublishedFile {
            table: part.table.name.to_owned(),
            meeting_date,
            path,
            rows: part.rows,
            bytes: part.bytes,
            sha256: part.sha256.clone(),
            min_time_utc: part.min_time_utc_us.map(utc_text),
            max_time_utc: part.max_time_utc_us.map(utc_text),
        };
        NamedPart { staged, file, is_kept: false }
    }
}

/// The files of the next manifest and how they get there.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) files: Vec<PublishedFile>,
    /// From `.work/` to the path below `parquet/`.
    pub(super) moves: Vec<(PathBuf, String)>,
    /// Staged parts that are already published.
    pub(super) kept: Vec<PathBuf>,
}

impl Plan {
    /// The dated files with rows: those given, and those of other dates.
    pub(super) fn new(publication: &Publication<'_>, old: Option<&Manifest>, naming: &Naming<'_>) -> Plan {
        let replaced: HashSet<String> =
            publication.dates.iter().map(|date| civil_date_text(date.meeting_date)).collect();
        let mut plan = Plan::default();
        if publication.mode.keeps_other_dates() {
            // Those of incidents stay until the dates are searched again.
            let stays = |file: &&PublishedFile| {
                let is_kept = |date: &str| !replaced.contains(date) || is_searched(&file.table);
                file.date_with_rows().is_some_and(is_kept)
            };
            plan.files.extend(old.iter().flat_map(|manifest| &manifest.files).filter(stays).cloned());
        }
        let parts = publication.dates.iter().flat_map(|date| &date.parts);
        plan.moves = plan.add_parts(parts.map(|part| naming.name(part)).collect());
        plan
    }

    /// Gives every dated table without any row, except for the incidents, an empty file, under the first date, because
    /// readers of `parquet/<table>/*/*.parquet` refuse a pattern that no file matches.
    pub(super) fn add_empty_parts(&mut self, paths: &StorePaths, run_id: &str, naming: &Naming<'_>) -> Result {
        let Some(first) = self.files.iter().filter_map(|file| file.meeting_date.clone()).min() else { return Ok(()) };
        for table in TABLES.iter().filter(|table| table.is_dated() && !is_searched(table.name)) {
            if self.files.iter().any(|file| file.table == table.name) {
                continue;
            }
            match naming.published(table.name, Some(&first)).filter(|file| file.rows == 0) {
                Some(file) => self.files.push(file.clone()),
                None => {
                    let part = PartWriter::create(&paths.work(), table, civil_date(&first), run_id, 0)?;
                    let moves = self.add_parts(vec![naming.name(&part.finish_even_if_empty()?)]);
                    self.moves.extend(moves);
                }
            }
        }
        Ok(())
    }

    /// Lists the parts; returns the moves of those that are not published yet.
    pub(super) fn add_parts(&mut self, parts: Vec<NamedPart>) -> Vec<(PathBuf, String)> {
        let mut moves = Vec::new();
        for NamedPart { staged, file, is_kept } in parts {
            match is_kept {
                true => self.kept.push(staged),
                false => moves.push((staged, file.path.clone())),
            }
            self.files.push(file);
        }
        moves
    }

    /// By table in the order of the data dictionary, then by date.
    pub(super) fn sorted_files(&self) -> Vec<PublishedFile> {
        let table_position = |name: &str| TABLES.iter().position(|table| table.name == name);
        let mut files = self.files.clone();
        files.sort_by_cached_key(|file| (table_position(&file.table), file.meeting_date.clone()));
        files
    }

    /// Paths below `parquet/` that the new manifest no longer lists.
    pub(super) fn outdated(&self, old: Option<&Manifest>) -> Vec<String> {
        let listed: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let before: BTreeSet<&str> =
            old.iter().flat_map(|manifest| &manifest.files).map(|file| file.path.as_str()).collect();
        before.into_iter().filter(|path| !listed.contains(path)).map(str::to_owned).collect()
    }

    /// The dates with an added, removed or changed file that has rows.
    pub(super) fn dates_changed(&self, old: Option<&Manifest>) -> Vec<String> {
        let old_files = || old.into_iter().flat_map(|manifest| &manifest.files);
        let listed: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let before: HashSet<&str> = old_files().map(|file| file.path.as_str()).collect();
        let added = self.files.iter().filter(|file| !before.contains(file.path.as_str()));
        let removed = old_files().filter(|file| !listed.contains(file.path.as_str()));
        let dates: BTreeSet<&str> = added.chain(removed).filter_map(PublishedFile::date_with_rows).collect();
        dates.into_iter().map(str::to_owned).collect()
    }
}
