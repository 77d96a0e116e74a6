//! API calls used this month and today.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::setup::StatusSetup;
use crate::commands::summary::Calls;
use crate::ledger::{Ledger, LedgerError, RunRecord};
use crate::raw_log::{RawError, requests_by_run};
use crate::schema::{TenantZone, civil_date_text, utc_text};

/// Requests in a period. A run that has ended recorded its number; for one that has not, or that the ledger does not
/// know, its responses in the raw log count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CallsUsed {
    /// The calendar month in the tenant's zone, `YYYY-MM`.
    pub month: String,
    pub this_month: Calls,
    pub today: Calls,
    /// Whether a run of the period did not record its end: there may have been more calls.
    pub is_at_least: bool,
    pub today_is_at_least: bool,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum UsedError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Raw(#[from] RawError),
}

/// Reads headers of the raw log only for runs that did not record their end.
pub(super) fn calls_used(ledger: &Ledger, raw_dir: &Path, setup: &StatusSetup) -> Result<CallsUsed, UsedError> {
    let today = civil_date_text(setup.zone.day_of(setup.now_us));
    let month = today.get(..7).unwrap_or_default().to_owned();
    let begin_us = |date: &str| midnight_us(date, &setup.zone).unwrap_or(setup.now_us);
    let (month_us, today_us) = (begin_us(&format!("{month}-01")), begin_us(&today));

    let runs = ledger.runs()?;
    let known: BTreeMap<&str, &RunRecord> = runs.iter().map(|run| (run.run_id.as_str(), run)).collect();
    let in_raw = requests_by_run(raw_dir, |run_id| match known.get(run_id) {
        Some(run) => !has_ended(run) && run.started_us >= month_us,
        None => is_since(run_id, month_us),
    })?;
    let since = |since_us: i64| {
        let mut calls = [0; 3];
        let mut is_at_least = false;
        for run in runs.iter().filter(|run| run.started_us >= since_us) {
            let recorded = run.calls.map(|count| u64::try_from(count).unwrap_or_default());
            let in_log = in_raw.get(&run.run_id).copied().unwrap_or_default();
            (0..3).for_each(|list| calls[list] += recorded[list].max(in_log[list]));
            is_at_least |= !has_ended(run);
        }
        let unknown = in_raw.iter().filter(|(run_id, _)| !known.contains_key(run_id.as_str()));
        for (_, in_log) in unknown.filter(|(run_id, _)| is_since(run_id, since_us)) {
            (0..3).for_each(|list| calls[list] += in_log[list]);
            is_at_least = true;
        }
        let [meeting_list, participant_list, participant_quality_list] = calls;
        (Calls { meeting_list, participant_list, participant_quality_list, ..Calls::default() }, is_at_least)
    };
    let ((this_month, is_at_least), (today, today_is_at_least)) = (since(month_us), since(today_us));
    Ok(CallsUsed { month, this_month, today, is_at_least, today_is_at_least })
}

/// The start of a date in the tenant's zone, microseconds UTC.
fn midnight_us(date: &str, zone: &TenantZone) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    Some(zone.time_zone().to_timestamp(midnight).ok()?.as_microsecond())
}

fn has_ended(run: &RunRecord) -> bool {
    run.exit_code.is_some()
}

/// Whether a run that only the raw log knows began at or after an instant: its ID begins with its time.
fn is_since(run_id: &str, since_us: i64) -> bool {
    let compact: String = utc_text(since_us).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let is_a_time = run_id.get(..16).is_some_and(|time| {
        time.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
    });
    is_a_time && run_id.get(..16) >= compact.get(..16)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;
    use crate::commands::status::setup::Days;
    use crate::load::DatabaseOptions;
    use crate::raw_log::{Header, RAW_VERSION, RawKind, RawWriter, WalkEnd, encode};
    use crate::schema::Status;
    use feishu_vc::Rate;

    /// 2026-11-23T02:05:00Z.
    const NOW_US: i64 = 1_795_399_500_000_000;
    const DAY_US: i64 = 86_400_000_000;

    fn answer(raw_dir: &Path, run_id: &str, requests: u64) {
        let end = WalkEnd {
            whole: true,
            status: Status::Complete,
            reason: String::new(),
            is_final: true,
            api_code: Some(0),
            log_id: None,
            items: 1,
            digest: String::new(),
            requests,
            walks: 1,
            ..WalkEnd::default()
        };
        let header = Header {
            v: RAW_VERSION,
            run_id: run_id.to_owned(),
            kind: RawKind::Quality,
            unit: "a".to_owned(),
            requested_us: 1,
            window_us: None,
            known: Vec::new(),
            end: Some(end),
            bytes: 0,
        };
        let mut writer = RawWriter::new(raw_dir, run_id);
        writer.append(RawKind::Quality, 20_000, &encode(header, &[]).expect("zstd")).expect("written");
        writer.sync().expect("synced");
    }

    fn run(run_id: &str, started_us: i64, exit_code: Option<i64>, quality: i64) -> RunRecord {
        RunRecord { run_id: run_id.to_owned(), started_us, exit_code, calls: [1, 0, quality], ..RunRecord::default() }
    }

    #[test]
    fn runs_that_did_not_record_their_end_are_counted_by_their_responses() {
        let folder = tempfile::tempdir().expect("a folder");
        let raw_dir = folder.path().join("raw");
        let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
        let setup = StatusSetup {
            store: folder.path().to_owned(),
            zone: TenantZone::parse("+08:00").expect("a zone"),
            database: DatabaseOptions::default(),
            rate: Rate::per_minute(NonZeroU32::MIN),
            settle: Duration::ZERO,
            longest_meeting: Duration::ZERO,
            profile: "cqd".to_owned(),
            runs: 1,
            days: Days::Last(1),
            now_us: NOW_US,
        };
        let used = || {
            let used = calls_used(&ledger, &raw_dir, &setup).expect("counted");
            (used.this_month.total(), used.is_at_least, used.today.total(), used.today_is_at_least)
        };
        assert_eq!(used(), (0, false, 0, false));
        // What a run recorded at its end counts, not what is in its files.
        ledger.record_run(&run("20261123T010000Z-aaaa", NOW_US - 3_600_000_000, Some(0), 5)).expect("recorded");
        answer(&raw_dir, "20261123T010000Z-aaaa", 1_000);
        assert_eq!(used(), (6, false, 6, false));
        // Killed yesterday, after it had published once.
        ledger.record_run(&run("20261122T010000Z-bbbb", NOW_US - DAY_US, None, 10)).expect("recorded");
        answer(&raw_dir, "20261122T010000Z-bbbb", 40);
        assert_eq!(used(), (6 + 41, true, 6, false));
        // Unknown to the ledger: today, and in the month before.
        answer(&raw_dir, "20261123T000000Z-cccc", 300);
        answer(&raw_dir, "20261015T000000Z-dddd", 9_000);
        assert_eq!(used(), (347, true, 306, true));
        assert!(!is_since("copied by hand", 0) && is_since("19700101T000000Z-0000", 0));
    }
}
