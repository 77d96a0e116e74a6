//! A run as the ledger and the table `runs` keep it.

use super::fetch::counters::Counters;
use crate::error::ExitCode;
use crate::ledger::RunRecord;
use crate::schema::cell::{Cell, Row};
use crate::schema::{RUNS, utc_text};

/// The record of a run that begins now. Its ID, such as `20261123T020500Z-1f3a`, sorts by time.
#[expect(clippy::disallowed_methods, reason = "edge: two runs that begin in the same second need different ids")]
pub(super) fn begin(command: &str, window_us: (i64, i64), started_us: i64) -> RunRecord {
    begin_with(command, window_us, started_us, rand::random())
}

/// The same with a given random number in `[0, 1)`.
pub(super) fn begin_with(command: &str, (since_us, until_us): (i64, i64), started_us: i64, random: f64) -> RunRecord {
    let compact: String = utc_text(started_us).chars().filter(|c| !matches!(c, '-' | ':')).collect();
    RunRecord {
        run_id: format!("{compact}-{:04x}", (random * 65_536.0) as u16),
        command: command.to_owned(),
        since_us: Some(since_us),
        until_us: Some(until_us),
        started_us,
        ..RunRecord::default()
    }
}

/// Ends the run. A clock that was set back meanwhile does not end it before it started.
pub(super) fn set_finished(run: &mut RunRecord, now_us: i64) {
    run.finished_us = Some(now_us.max(run.started_us));
}

/// Records the meeting numbers to which the run is limited.
pub(super) fn set_meeting_nos(run: &mut RunRecord, meeting_nos: &[String]) {
    run.meeting_nos = (!meeting_nos.is_empty()).then(|| meeting_nos.join(","));
}

pub(super) fn set_exit(run: &mut RunRecord, exit: ExitCode) {
    run.outcome = Some(exit.name().to_owned());
    run.exit_code = Some(exit.number().into());
}

pub(super) fn set_calls(run: &mut RunRecord, counters: &Counters) {
    let calls = counters.calls();
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    run.calls = [count(calls.meeting_list), count(calls.participant_list), count(calls.participant_quality_list)];
    run.throttles = count(counters.throttles());
    run.waited_s = counters.waited_s();
}

pub(super) fn run_row(run: &RunRecord) -> Row {
    let total = |index: usize| Cell::whole(run.totals.map(|totals| totals[index]));
    RUNS.columns
        .iter()
        .map(|column| match column.name {
            "run_id" => Cell::Text(run.run_id.clone()),
            "command" => Cell::Text(run.command.clone()),
            "since_utc" => Cell::micros(run.since_us),
            "until_utc" => Cell::micros(run.until_us),
            "started_utc" => Cell::Micros(run.started_us),
            "finished_utc" => Cell::micros(run.finished_us),
            "outcome" => Cell::text(run.outcome.clone()),
            "exit_code" => Cell::whole(run.exit_code),
            "meetings" => total(0),
            "participants" => total(1),
            "samples" => total(2),
            "rejects" => total(3),
            "calls_meeting_list" => Cell::Whole(run.calls[0]),
            "calls_participant_list" => Cell::Whole(run.calls[1]),
            "calls_quality_list" => Cell::Whole(run.calls[2]),
            "throttles" => Cell::Whole(run.throttles),
            "waited_s" => Cell::Real(run.waited_s),
            "meeting_nos" => Cell::text(run.meeting_nos.clone()),
            _ => Cell::Null,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_during_a_run_does_not_end_it_before_its_start() {
        let mut run = begin("sync", (0, 1), 10_000_000);
        set_finished(&mut run, 3_000_000);
        assert_eq!(run.finished_us, Some(run.started_us));
        set_finished(&mut run, 12_000_000);
        assert_eq!(run.finished_us, Some(12_000_000));
    }
}
