//! Which meetings belong to a window: the one rule for `extract`, `transform`, the ledger and the totals.
//!
//! A meeting belongs to every window that it overlaps, so that consecutive windows miss none, however long it ran.

/// A meeting with an unreadable end is assumed to last a day, the longest window that Feishu's lists accept.
pub(crate) const ASSUMED_LENGTH_US: i64 = 86_400_000_000;

/// A window of time, microseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeWindow {
    pub since_us: i64,
    /// Exclusive.
    pub until_us: i64,
    /// Only the start of a meeting counts: whole dates, and the windows of runs of version 0.1.
    pub by_start: bool,
}

impl TimeWindow {
    /// Every meeting.
    pub(crate) const ALL: TimeWindow = TimeWindow { since_us: i64::MIN, until_us: i64::MAX, by_start: true };

    /// The meetings that started before the end of the window and ended at or after its start.
    pub(crate) fn overlapping((since_us, until_us): (i64, i64)) -> TimeWindow {
        TimeWindow { since_us, until_us, by_start: false }
    }

    /// The meetings that start in the window.
    pub(crate) fn of_starts((since_us, until_us): (i64, i64)) -> TimeWindow {
        TimeWindow { since_us, until_us, by_start: true }
    }

    pub(crate) fn contains(self, start_us: i64, end_us: Option<i64>) -> bool {
        let end_us = end_us.unwrap_or(start_us.saturating_add(ASSUMED_LENGTH_US));
        start_us < self.until_us && (start_us >= self.since_us || (!self.by_start && end_us >= self.since_us))
    }
}

/// [`TimeWindow::overlapping`] as an SQL condition over expressions in microseconds; the same in SQLite and DuckDB.
pub(crate) fn overlap_sql(start: &str, end: &str, since: &str, until: &str) -> String {
    format!("({start} < {until} and ({start} >= {since} or coalesce({end}, {start} + {ASSUMED_LENGTH_US}) >= {since}))")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    #[test]
    fn a_meeting_belongs_to_every_window_it_overlaps() {
        let window = TimeWindow::overlapping((10, 20));
        for (start_us, end_us, expected) in [
            (0, Some(9), false),
            (0, Some(10), true),
            (0, Some(99), true),
            (10, Some(10), true),
            (19, Some(99), true),
            (20, Some(99), false),
            // An end before the start is Feishu's mistake; the start decides.
            (12, Some(0), true),
            (0, None, true),
        ] {
            assert_eq!(window.contains(start_us, end_us), expected, "{start_us} to {end_us:?}");
        }
        assert!(!TimeWindow::of_starts((10, 20)).contains(0, Some(15)));
        let day = TimeWindow::overlapping((71 * HOUR_US, 72 * HOUR_US));
        assert!(day.contains(0, Some(71 * HOUR_US)), "71 hours, ended as the window began");
        assert!(!day.contains(0, None), "assumed to last a day");
    }

    proptest! {
        #[test]
        fn windows_laid_end_to_end_miss_no_meeting(
            ends in proptest::collection::btree_set(0_i64..1_000, 2..10),
            start in 0_i64..1_000,
            length in 0_i64..1_000,
        ) {
            let ends: Vec<i64> = ends.into_iter().collect();
            let (first, last) = (ends[0], ends[ends.len() - 1]);
            let taken = ends.windows(2).filter(|pair| {
                TimeWindow::overlapping((pair[0], pair[1])).contains(start, Some(start + length))
            });
            // A meeting is listed only once it has ended: some window up to its end must hold it.
            let whole = TimeWindow::overlapping((first, last)).contains(start, Some(start + length));
            prop_assert_eq!(taken.count() > 0, whole);
        }

        #[test]
        fn sql_agrees(
            since in -5_i64..5, length in 0_i64..5, start in -9_i64..9, end in proptest::option::of(-9_i64..9),
        ) {
            let connection = rusqlite::Connection::open_in_memory().expect("a database");
            let end_sql = end.map_or("null".to_owned(), |end| end.to_string());
            let [start_sql, since_sql, until_sql] = [start, since, since + length].map(|time| time.to_string());
            let sql = format!("select {}", overlap_sql(&start_sql, &end_sql, &since_sql, &until_sql));
            let found: bool = connection.query_row(&sql, [], |row| row.get(0)).expect("a condition");
            prop_assert_eq!(found, TimeWindow::overlapping((since, since + length)).contains(start, end));
        }
    }
}
