//! Holes: time that no complete run covers, so that meetings in it may be missing.
//!
//! A run covers its window if it read the list of all meetings in it to the end: `sync` without `--meeting-no`, which
//! was complete or had single failures, which stay pending. Pure functions of the run history; the view `not_covered`
//! in `sql/views` has the same rule.

use super::runs::RunRecord;

/// Microseconds UTC, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub since_us: i64,
    pub until_us: i64,
}

/// The time since the newest complete run is a hole once it is longer than this: a nightly run may be half a day late.
pub(crate) const MAX_AGE_US: i64 = 36 * 3_600_000_000;

/// The command that removes all data before the end of its window.
pub(crate) const PRUNE: &str = "prune";

/// The command that removes the raw files before the end of its window, and nothing else.
pub(crate) const PRUNE_RAW: &str = "prune --raw-only";

/// The exit codes of a run that has read the meeting list to its end: complete and incomplete.
const WHOLE_EXITS: [i64; 2] = [0, 7];

impl RunRecord {
    /// The window that the run covers, not past its start: what ended later was not listed yet.
    pub(crate) fn covered(&self) -> Option<Hole> {
        let is_whole = self.exit_code.is_some_and(|code| WHOLE_EXITS.contains(&code));
        let covers = self.command == "sync" && is_whole && self.meeting_nos.is_none();
        let (since_us, until_us) = (self.since_us?, self.until_us?.min(self.started_us));
        (covers && since_us < until_us).then_some(Hole { since_us, until_us })
    }
}

/// The time before which data was removed on purpose, microseconds UTC: nothing is missing there.
fn pruned_until(runs: &[RunRecord]) -> Option<i64> {
    let pruned = runs.iter().filter(|run| run.command == PRUNE && run.exit_code == Some(0));
    pruned.filter_map(|run| run.until_us).max()
}

/// Where the newest covered window ends.
pub(crate) fn covered_until(runs: &[RunRecord]) -> Option<i64> {
    runs.iter().filter_map(RunRecord::covered).map(|window| window.until_us).max()
}

/// The holes between the first covered window and `at_us`, oldest first.
pub(crate) fn holes(runs: &[RunRecord], at_us: i64) -> Vec<Hole> {
    let mut windows: Vec<Hole> = runs.iter().filter_map(RunRecord::covered).collect();
    windows.sort_by_key(|window| (window.since_us, window.until_us));
    let Some(first) = windows.first() else { return Vec::new() };
    let (mut holes, mut covered_until_us) = (Vec::new(), first.until_us);
    for window in &windows {
        if window.since_us > covered_until_us {
            holes.push(Hole { since_us: covered_until_us, until_us: window.since_us });
        }
        covered_until_us = covered_until_us.max(window.until_us);
    }
    if at_us.saturating_sub(covered_until_us) > MAX_AGE_US {
        holes.push(Hole { since_us: covered_until_us, until_us: at_us });
    }
    if let Some(pruned_us) = pruned_until(runs) {
        holes.retain(|hole| hole.until_us > pruned_us);
        holes.iter_mut().for_each(|hole| hole.since_us = hole.since_us.max(pruned_us));
    }
    holes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    fn sync(since_day: i64, until_day: i64) -> RunRecord {
        RunRecord {
            command: "sync".to_owned(),
            since_us: Some(since_day * DAY_US),
            until_us: Some(until_day * DAY_US),
            started_us: until_day * DAY_US,
            exit_code: Some(0),
            ..RunRecord::default()
        }
    }

    fn days(runs: &[RunRecord], at_day: i64) -> Vec<(i64, i64)> {
        holes(runs, at_day * DAY_US).iter().map(|hole| (hole.since_us / DAY_US, hole.until_us / DAY_US)).collect()
    }

    #[test]
    fn time_between_two_windows_is_a_hole_until_a_run_covers_it() {
        let mut runs = vec![sync(0, 10), sync(14, 16)];
        assert_eq!(days(&runs, 16), [(10, 14)]);
        runs.push(sync(11, 12));
        assert_eq!(days(&runs, 16), [(10, 11), (12, 14)]);
        runs.push(sync(5, 14));
        assert_eq!(days(&runs, 16), []);
        assert_eq!(days(&[], 16), [], "a store without a complete run has no holes yet");
    }

    #[test]
    fn the_open_end_is_a_hole_only_when_the_nightly_run_is_missing() {
        assert_eq!(days(&[sync(0, 10)], 11), []);
        assert_eq!(days(&[sync(0, 10)], 12), [(10, 12)]);
    }

    #[test]
    fn only_complete_syncs_of_all_meetings_cover_their_window() {
        let covers = |change: &dyn Fn(&mut RunRecord)| {
            let mut run = sync(0, 10);
            change(&mut run);
            run.covered().map(|window| window.until_us / DAY_US)
        };
        assert_eq!(covers(&|_| ()), Some(10));
        assert_eq!(covers(&|run| run.exit_code = Some(7)), Some(10), "the list was read; what failed stays pending");
        assert_eq!(covers(&|run| run.exit_code = Some(8)), None);
        assert_eq!(covers(&|run| run.exit_code = None), None);
        assert_eq!(covers(&|run| run.command = "plan".to_owned()), None);
        assert_eq!(covers(&|run| run.command = "rebuild".to_owned()), None);
        assert_eq!(covers(&|run| run.meeting_nos = Some("705605196".to_owned())), None);
        assert_eq!(covers(&|run| run.started_us = 4 * DAY_US), Some(4), "--until was in the future");
    }

    #[test]
    fn time_that_was_pruned_is_no_hole() {
        let prune = |until_day: i64| RunRecord {
            command: PRUNE.to_owned(),
            until_us: Some(until_day * DAY_US),
            exit_code: Some(0),
            ..RunRecord::default()
        };
        let runs = |until_day| [sync(0, 10), sync(14, 16), sync(20, 21), prune(until_day)];
        assert_eq!(days(&runs(12), 21), [(12, 14), (16, 20)]);
        assert_eq!(days(&runs(14), 21), [(16, 20)]);
        assert_eq!(days(&runs(30), 21), []);
        let failed = RunRecord { exit_code: Some(5), ..prune(30) };
        assert_eq!(days(&[sync(0, 10), sync(14, 16), failed], 16), [(10, 14)]);
    }

    proptest! {
        #[test]
        fn holes_and_windows_fill_the_time_without_overlap(
            windows in proptest::collection::vec((0_i64..60, 1_i64..10), 0..12),
            at_day in 0_i64..90,
        ) {
            let runs: Vec<RunRecord> = windows.iter().map(|(since, length)| sync(*since, since + length)).collect();
            let found = days(&runs, at_day);
            let covered = |day: i64| windows.iter().any(|(since, length)| (*since..since + length).contains(&day));
            let first = windows.iter().map(|(since, _)| *since).min().unwrap_or(i64::MAX);
            let newest = covered_until(&runs).map_or(0, |until_us| until_us / DAY_US);
            let end = if at_day - newest > 1 { at_day } else { newest };
            for day in 0..100 {
                let is_hole = found.iter().any(|(since, until)| (*since..*until).contains(&day));
                let expected = day >= first && day < end && !covered(day);
                prop_assert_eq!(is_hole, expected, "day {}: {:?}", day, found);
            }
            prop_assert!(found.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
