//! `verify --deep`: rebuilds every date from `raw/` and compares it with what is published.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::raw::RawIndex;
use super::setup::{VerifyError, VerifySetup};
use crate::checks::{Check, Findings, Verified, compare_parts};
use crate::commands::publish::date_error::DateError;
use crate::commands::publish::stage_date::{DateContext, stage_date};
use crate::ledger::unpublished_dates;
use crate::load::{LoadError, Manifest, PublishedFile, StagedPart, StorePaths, holder, is_searched};
use crate::raw_log::RawFile;
use crate::schema::{TABLES, TenantZone, civil_date, civil_date_text};
use crate::text::counted;

pub(super) const FROM_RAW: Check = Check {
    name: "from-raw",
    of: "dates",
    means: "every date, rebuilt from raw/, has the rows that are published",
    advice: "run vcq-etl rebuild, which publishes what is in raw/; if data is missing from raw/, first run vcq-etl sync \
             with --refetch over these days",
};

pub(super) fn check(
    setup: &VerifySetup,
    paths: &StorePaths,
    (verified, index): (&Verified, &RawIndex),
    files: &[RawFile],
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let Some(zone) = verified.timezone.as_deref().and_then(|zone| TenantZone::parse(zone).ok()) else {
        findings.skip(&FROM_RAW, "the tenant's time zone is in vcq.duckdb, which cannot be read");
        return Ok(());
    };
    let mut published: BTreeMap<i32, Vec<&PublishedFile>> = BTreeMap::new();
    for file in verified.manifest.iter().flat_map(|manifest| &manifest.files) {
        if let Some(date) = file.date_with_rows().and_then(civil_date) {
            published.entry(date).or_default().push(file);
        }
    }
    let in_raw = files.iter().filter_map(|file| civil_date(&file.meeting_date));
    let dates: BTreeSet<i32> = in_raw.chain(published.keys().copied()).collect();
    // A directory of this process, which no run removes while the process lives.
    let work = paths.query_work(std::process::id()).join("verify");
    let (mut skipped, mut pruned) = (0_u64, 0_u64);
    for date in dates {
        if index.is_pruned(date) {
            pruned += 1;
            continue;
        }
        let is_unpublished = || unpublished_dates(&paths.ledger()).contains(&date);
        if is_unpublished() {
            skipped += 1;
            continue;
        }
        let (raw_dir, files) = (paths.raw(), published.get(&date).map_or(&[][..], Vec::as_slice));
        let context = DateContext {
            raw_dir: &raw_dir,
            work_dir: &work,
            zone: &zone,
            run_id: "verify",
            counts_all_fields: false,
            part_number: 0,
        };
        // A copy, because findings about a date that a run is changing are discarded.
        let mut of_date = Findings::new(findings.remaining(&FROM_RAW), std::iter::once(&FROM_RAW));
        let compared = one_date(setup, paths, verified, context, date, files, &mut of_date);
        remove(&work)?;
        compared?;
        if of_date.total() > 0 && (is_unpublished() || is_in_progress(paths, verified, date)) {
            skipped += 1;
            continue;
        }
        findings.examined(&FROM_RAW, 1);
        let total = of_date.total();
        let first: Vec<_> = of_date.outcomes.iter().flat_map(|outcome| outcome.first.clone()).collect();
        findings.found_unlisted(&FROM_RAW, total - first.len() as u64);
        for finding in first {
            findings.found(&FROM_RAW, finding.place, finding.expected, finding.found);
        }
    }
    if pruned > 0 {
        findings.note(format!(
            "{} cannot be compared with the raw log: prune --raw-only removed it",
            counted(pruned, "date")
        ));
    }
    if skipped > 0 {
        findings.skip(&FROM_RAW, format!("skipped {skipped} date(s) with unpublished data"));
    }
    Ok(())
}

/// Whether a run is in progress or has published the date in the meantime: then `raw/` may legitimately hold more.
fn is_in_progress(paths: &StorePaths, verified: &Verified, date: i32) -> bool {
    let date = civil_date_text(date);
    let files = |manifest: Option<&Manifest>| -> Vec<PublishedFile> {
        let files = manifest.iter().flat_map(|manifest| &manifest.files);
        files.filter(|file| file.date_with_rows() == Some(&date)).cloned().collect()
    };
    let now = Manifest::read(paths).ok().flatten();
    holder(paths).is_some() || files(now.as_ref()) != files(verified.manifest.as_ref())
}

fn one_date(
    setup: &VerifySetup,
    paths: &StorePaths,
    verified: &Verified,
    context: DateContext<'_>,
    date: i32,
    published: &[&PublishedFile],
    findings: &mut Findings,
) -> Result<(), VerifyError> {
    let text = civil_date_text(date);
    let staged = match stage_date(context, date) {
        Ok(staged) => staged.publication.parts,
        Err(DateError::Load(error)) => return Err(error.into()),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            findings.found(&FROM_RAW, format!("raw/, {text}"), "parsable data", format!("{error}{cause}"));
            return Ok(());
        }
    };
    for table in TABLES.iter().filter(|table| table.is_dated() && !is_searched(table.name)) {
        let staged: Option<&StagedPart> = staged.iter().find(|part| part.table.name == table.name);
        let published = published.iter().find(|file| file.table == table.name);
        let place = || format!("{} of {text}", table.name);
        let rows = |rows: u64| format!("{rows} rows");
        match (staged, published) {
            (None, None) => {}
            (Some(part), Some(file)) if part.sha256 == file.sha256 => {}
            // A changed file is reported by the check `files`.
            (Some(_), Some(file)) if !verified.usable.contains(&file.path) => {}
            // Another version of the program may write the same rows as other bytes.
            (Some(part), Some(file)) => {
                compare_parts(paths, setup.database, part, file, &FROM_RAW, findings)?;
            }
            (Some(part), None) => {
                findings.found(&FROM_RAW, place(), rows(part.rows) + ", as in raw/", "none in Parquet")
            }
            (None, Some(file)) => {
                findings.found(&FROM_RAW, place(), "none, as in raw/", rows(file.rows) + " in Parquet")
            }
        }
    }
    Ok(())
}

fn remove(work: &Path) -> Result<(), LoadError> {
    match fs::remove_dir_all(work) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(LoadError::Io { attempt: "remove", path: work.to_owned(), source })
        }
        _ => {
            // The directory of this process, if nothing else is in it.
            let _ = work.parent().map(fs::remove_dir);
            Ok(())
        }
    }
}
