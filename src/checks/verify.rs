use std::collections::HashSet;

use super::context::{Result, VerifyContext};
use super::findings::Findings;
use super::{
    coverage, definitions, files, manifest, meta, modes, registry, rows, rules, runs, schema, snapshot, sql_checks,
};
use crate::load::{Held, Manifest, StorePaths};

/// Why checks of the database are skipped.
const NO_DATABASE: &str = "there is no vcq.duckdb: the setting database is off";

/// What was looked at.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// `None` if nothing is published or the manifest cannot be read.
    pub manifest: Option<Manifest>,
    /// The tenant's time zone, from the database.
    pub timezone: Option<String>,
    /// The Parquet files with the published size and checksum, relative to `parquet/`.
    pub usable: HashSet<String>,
}

/// Runs all checks. Damage is a finding; an error means that the store cannot be read at all, or that DuckDB ran out of
/// memory or disk space.
pub(crate) fn verify(paths: &StorePaths, context: &VerifyContext<'_>, findings: &mut Findings) -> Result<Verified> {
    let mut snapshot = snapshot::take(paths, context, findings)?;
    if let Some(manifest) = &snapshot.manifest {
        manifest::check(manifest, context.now_us, findings);
    }
    let usable = files::check(paths, snapshot.manifest.as_ref(), findings)?;
    if snapshot.is_readable {
        files::check_orphans(paths, snapshot.manifest.as_ref(), snapshot.is_behind, findings)?;
    } else {
        findings.skip(&registry::ORPHANS, "the published files are not known without the manifest");
    }
    modes::check(paths, context, findings)?;
    let mut timezone = None;
    if let Some(mut database) = snapshot.database.take() {
        schema::check(&mut database, findings)?;
        meta::check(&database, &snapshot, context, findings)?;
        runs::check(&database, context, findings)?;
        if let Some(manifest) = &snapshot.manifest {
            rows::check(paths, manifest, &usable, &database, snapshot.incomparable(), findings)?;
        }
        rules::check(&database, context.now_us, findings)?;
        for check in registry::RELATIONS {
            sql_checks::run(check, &database, findings)?;
        }
        coverage::check(&database, context, findings)?;
        let held = snapshot.manifest.as_ref().map(|manifest| &manifest.database);
        definitions::check(&database, held.unwrap_or(&Held::All), context, findings)?;
        timezone = database.meta.timezone;
    } else {
        let why = match &snapshot.manifest {
            Some(manifest) if manifest.database == Held::Nothing => NO_DATABASE,
            Some(_) => "there is no readable database",
            None => "nothing is published",
        };
        registry::database_checks().for_each(|check| findings.skip(check, why));
    }
    Ok(Verified { manifest: snapshot.manifest, timezone, usable })
}
