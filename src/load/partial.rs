//! What a build needs beside the files if the database does not hold all dates.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::connection::rows;
use super::current::on_dates;
use super::definitions::{Definitions, addresses, update_derived};
use super::draft::Draft;
use super::error::{LoadError, Result};
use super::held::Held;
use super::incidents::{self, REACH_DAYS};
use super::manifest::{Manifest, PublishedFile};
use super::paths::StorePaths;
use super::plan::Naming;
use super::publication::Publication;
use super::reader::Reader;
use crate::schema::cell::Row;
use crate::schema::{
    MEETINGS, META, MISALIGNED_PARTICIPANTS, PARTICIPANTS, QUALITY_SAMPLES, ROOMS, Table, civil_date, civil_date_text,
    ddl,
};

/// What a build of a partial database is given.
pub(super) struct Partial<'a> {
    /// The dates that are loaded.
    pub(super) held: Held,
    /// All files of the publication, but for those of incidents that are found now.
    pub(super) lake: &'a Reader,
    /// What is computed from it; `None` if that was done before.
    pub(super) changes: Option<&'a Changes>,
    /// Where the rows of [`MISALIGNED_PARTICIPANTS`] are that do not change; `None`: there are none.
    pub(super) misaligned: Option<Misaligned<'a>>,
    /// Parts that are not in their place yet, by path.
    pub(super) staged: HashMap<String, PathBuf>,
    /// It is read and not published.
    pub(super) is_scratch: bool,
    pub(super) exports_undated: bool,
}

pub(super) enum Misaligned<'a> {
    File(&'a PublishedFile),
    Rows(Vec<Row>),
}

/// What differs from the publication before.
pub(super) struct Changes {
    /// The dates whose rows differ, for the search; `None`: all.
    pub(super) searched: Option<BTreeSet<i32>>,
    /// The dates whose samples differ.
    pub(super) samples: BTreeSet<String>,
}

impl Changes {
    /// Everything is computed again.
    pub(super) const ALL: Changes = Changes { searched: None, samples: BTreeSet::new() };

    /// The first date that the search reads; `None`: all dates.
    pub(super) fn first_needed(&self) -> Option<String> {
        // After the last date there is.
        const NO_DATE: &str = "9999-12-31";
        let dates = self.searched.as_ref()?;
        Some(dates.first().map_or_else(|| NO_DATE.to_owned(), |first| civil_date_text(first - REACH_DAYS)))
    }
}

/// Compares the manifest with the one before. `lake` has the files of the new one, and the undated ones of the old one.
pub(super) fn changes(
    publication: &Publication<'_>,
    (manifest, old): (&Manifest, &Manifest),
    naming: &Naming<'_>,
    lake: &Reader,
    place: &Path,
) -> Result<Changes> {
    let definitions = &publication.definitions;
    let samples = changed_dates(old, manifest, &QUALITY_SAMPLES);
    let is_searched_alike = match naming.published(META.name, None) {
        Some(_) => {
            let sql = format!("select definitions_sha256, profile, vcq_etl_version from {}", META.name);
            let read = |row: &duckdb::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
            let found: Vec<[Option<String>; 3]> = rows(lake, &sql, read).map_err(LoadError::duckdb("read", place))?;
            found.iter().any(|[sha256, profile, version]| {
                definitions.are_all_of(sha256.as_deref())
                    && profile.as_deref() == Some(definitions.profile)
                    && version.as_deref() == Some(env!("CARGO_PKG_VERSION"))
            })
        }
        None => false,
    };
    if !is_searched_alike {
        return Ok(Changes { searched: None, samples });
    }
    let tables = [&MEETINGS, &PARTICIPANTS, &QUALITY_SAMPLES];
    let mut searched: BTreeSet<i32> = tables
        .iter()
        .flat_map(|table| changed_dates(old, manifest, table))
        .filter_map(|date| civil_date(&date))
        .collect();
    if let Some((_, rows)) = publication.reference_rows.iter().find(|(table, _)| table.name == ROOMS.name) {
        let before = incidents::room_places(lake, place)?;
        let after = incidents::places_of_rows(rows);
        searched.extend(incidents::dates_of_changed_rooms(lake, place, &before, &after)?);
    }
    Ok(Changes { searched: Some(searched), samples })
}

/// The dates on which the published rows of a table differ.
fn changed_dates(old: &Manifest, new: &Manifest, table: &Table) -> BTreeSet<String> {
    let of = |manifest: &Manifest| -> BTreeSet<(String, String)> {
        let files = manifest.files.iter().filter(|file| file.table == table.name);
        files.filter_map(|file| Some((file.date_with_rows()?.to_owned(), file.sha256.clone()))).collect()
    };
    of(old).symmetric_difference(&of(new)).map(|(date, _)| date.clone()).collect()
}

impl Partial<'_> {
    /// Updates the derived tables, and the buildings of all addresses. `is_new`: the draft has no rows of them.
    pub(super) fn define(
        &self,
        draft: &Draft,
        definitions: &Definitions<'_>,
        paths: &StorePaths,
        is_new: bool,
    ) -> Result {
        if (is_new || self.changes.is_none())
            && let Some(misaligned) = &self.misaligned
        {
            misaligned.fill(draft, paths)?;
        }
        if let Some(changes) = self.changes {
            update_derived(draft, &|_| match changes.searched {
                None => "true".to_owned(),
                Some(_) => on_dates(&Vec::from_iter(changes.samples.iter().map(String::as_str))),
            })?;
        }
        let addresses =
            addresses(self.lake, "true").map_err(LoadError::duckdb("read the addresses of", &draft.path))?;
        definitions.locate_all(draft, addresses)
    }
}

impl Misaligned<'_> {
    /// Puts the rows in place of those in the draft.
    pub(super) fn fill(&self, draft: &Draft, paths: &StorePaths) -> Result {
        let table = &MISALIGNED_PARTICIPANTS;
        match self {
            Misaligned::Rows(rows) => draft.replace_rows(table, rows),
            Misaligned::File(file) => {
                let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
                let columns = columns.join(", ");
                let path = ddl::quoted(&paths.part(&file.path).to_string_lossy());
                let sql = format!(
                    "delete from {0}; insert into {0} ({columns}) select {columns} from read_parquet({path}, \
                     hive_partitioning = false)",
                    table.name
                );
                draft.execute("load the undated tables into", &sql)
            }
        }
    }
}
