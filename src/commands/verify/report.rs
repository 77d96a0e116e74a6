//! Puts the checks of a store together.

use std::path::PathBuf;

use super::setup::{VerifyError, VerifySetup};
use super::{deep, identities, incidents, raw};
use crate::checks::{Check, Findings, VerifyContext, verify as verify_published};
use crate::commands::publish::definitions::Installed;
use crate::commands::run_record::run_row;
use crate::files::Access;
use crate::ledger::{check_ledger as inspect_ledger, read_runs};
use crate::load::StorePaths;
use crate::raw_log::raw_files;
use crate::schema::Status;
use feishu_vc::{RefusalClass, error_codes};

#[derive(Debug)]
pub(crate) struct VerifyReport {
    pub store: PathBuf,
    /// The generation and when it was published; `None` if nothing is published or readable.
    pub generation: Option<(u64, String)>,
    pub findings: Findings,
}

const DEEP: &[&Check] = &[&deep::FROM_RAW, &incidents::FROM_ROWS];

/// All checks, in the order of the report.
pub(crate) fn checks(deep: bool) -> impl Iterator<Item = &'static Check> {
    crate::checks::CHECKS
        .iter()
        .chain(raw::CHECKS)
        .copied()
        .chain([&identities::IDENTITIES])
        .chain(DEEP.iter().copied().filter(move |_| deep))
}

pub(crate) fn verify(setup: &VerifySetup) -> Result<VerifyReport, VerifyError> {
    let paths = StorePaths::existing(&setup.store)?;
    let mut findings = Findings::new(setup.limit, checks(setup.deep));
    // The ledger first: what it knows is in the raw log by then, whatever a run adds in the meantime.
    let ledger = inspect_ledger(&paths.ledger());
    let index = raw::RawIndex::new(&paths, &ledger);
    let installed =
        Installed::read(&paths, &setup.definitions).map_err(|error| VerifyError::Definitions(Box::new(error)))?;
    let context = VerifyContext {
        now_us: setup.now_us,
        database: setup.database,
        access: Access::current(),
        max_wait: setup.max_wait,
        user_id_type: ledger.user_id_type.clone(),
        definitions: installed.definitions(),
        runs: &|| Some(read_runs(&paths.ledger())?.iter().map(run_row).collect()),
        list_was_empty: &|date, meeting_key| index.list_was_empty(date, meeting_key),
        code_agrees: &code_agrees,
    };
    let verified = verify_published(&paths, &context, &mut findings)?;
    let files = raw_files(&paths.raw())?;
    raw::check_records(&paths, &files, &ledger, &mut findings)?;
    raw::check_ledger(&paths, !files.is_empty(), &ledger, &mut findings);
    raw::check_raw_files(&paths, &ledger, &mut findings);
    raw::check_responses(&index, &ledger, &mut findings)?;
    identities::check(setup, &paths, &mut findings)?;
    if setup.deep {
        identities::check_files(setup, &paths, verified.timezone.as_deref(), &mut findings)?;
        deep::check(setup, &paths, (&verified, &index), &files, &mut findings)?;
        incidents::check(setup, &paths, &installed, &mut findings)?;
    }
    if verified.manifest.is_none() && findings.total() == 0 {
        findings.note("nothing is published yet: run vcq-etl sync --since 2d");
    }
    let generation = verified.manifest.map(|manifest| (manifest.generation, manifest.created_utc));
    Ok(VerifyReport { store: paths.root().to_owned(), generation, findings })
}

/// Whether a status may have a code in `coverage.api_code`, according to the client's table of error codes.
fn code_agrees(status: Status, code: Option<i64>) -> bool {
    let class = code.and_then(error_codes::refusal_class);
    match status {
        Status::Complete | Status::Empty | Status::Unreadable => code == Some(0),
        Status::Unaddressable => code.is_none(),
        Status::NotFound => class == Some(RefusalClass::NotFound),
        Status::Forbidden => class == Some(RefusalClass::Forbidden),
        // In a window that is cut to a day, Feishu may not find it either.
        Status::TooLong => matches!(class, Some(RefusalClass::TooLong | RefusalClass::NotFound)),
        // Unknown codes, and a window that Feishu refused as too long although it is not.
        Status::Unsupported => !matches!(class, Some(RefusalClass::NotFound | RefusalClass::Forbidden)),
        Status::Failed | Status::Pending | Status::ListShort => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_distinct_names_and_advice() {
        let mut names = std::collections::HashSet::new();
        for check in checks(true) {
            assert!(names.insert(check.name), "{} twice", check.name);
            assert!(!check.means.is_empty() && check.advice.contains(' '), "{}", check.name);
            assert!(!check.means.ends_with('.') && !check.advice.ends_with('.'), "{}", check.name);
        }
        assert_eq!(checks(false).count() + DEEP.len(), checks(true).count());
    }

    #[test]
    fn statuses_and_codes_agree_as_in_the_table_of_codes() {
        for (status, right, wrong) in [
            (Status::Complete, Some(0), Some(126_009)),
            (Status::Empty, Some(0), None),
            (Status::NotFound, Some(126_010), Some(0)),
            (Status::Forbidden, Some(121_005), Some(121_004)),
            (Status::TooLong, Some(126_006), None),
            (Status::Unsupported, Some(126_003), Some(121_005)),
            (Status::Unaddressable, None, Some(0)),
        ] {
            assert!(code_agrees(status, right), "{status:?} {right:?}");
            assert!(!code_agrees(status, wrong), "{status:?} {wrong:?}");
        }
        assert!(code_agrees(Status::Failed, None) && code_agrees(Status::Pending, Some(126_009)));
    }
}
