//! Checks of coverage that need the raw log or the table of API codes.

use super::context::{Result, VerifyContext};
use super::database::Database;
use super::findings::Findings;
use super::registry::{COVERAGE_ROWS, COVERAGE_STATUS};
use crate::schema::{COVERAGE, MEETINGS, PARTICIPANTS, Status};

const MEETINGS_WITHOUT_PARTICIPANTS: &str = "
select cast(m.meeting_date as varchar), m.meeting_key
from meetings m
anti join participants p on m.meeting_key = p.meeting_key
anti join (select participant_key from coverage) c on m.meeting_key || '/*' = c.participant_key
order by m.meeting_date, m.meeting_key";

const STATUSES_AND_CODES: &str = "
select status, cast(api_code as varchar), min(participant_key), cast(count(*) as varchar)
from coverage
where status is not null
group by status, api_code
order by all";

pub(super) fn check(database: &Database, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    if !database.has(&[&COVERAGE]) {
        return Ok(());
    }
    // A meeting without participants needs a row of coverage with the reason, unless Feishu listed nobody.
    if database.has(&[&MEETINGS, &PARTICIPANTS]) {
        for row in database.rows(MEETINGS_WITHOUT_PARTICIPANTS, MEETINGS.name, findings)? {
            let [Some(date), Some(key)] = &row[..] else { continue };
            if !(context.list_was_empty)(date, key) {
                findings.found(
                    &COVERAGE_ROWS,
                    format!("meetings of {date}, {key}"),
                    format!("participants, or the row {key}/* in coverage"),
                    "neither, and raw/ has no empty participant list",
                );
            }
        }
    }
    for row in database.rows(STATUSES_AND_CODES, COVERAGE.name, findings)? {
        let [Some(status), code, Some(key), Some(rows)] = &row[..] else { continue };
        // The check of words reports an unknown status.
        let Some(known) = Status::from_name(status) else { continue };
        let number = code.as_ref().and_then(|code| code.parse().ok());
        if !(context.code_agrees)(known, number) {
            findings.found(
                &COVERAGE_STATUS,
                format!("coverage, {key} and others: {rows} in all"),
                format!("an API code that means {status}"),
                format!("api_code {}", code.as_deref().unwrap_or("NULL")),
            );
        }
    }
    Ok(())
}
