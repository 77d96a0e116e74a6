//! Days since 1970-01-01 in SQL.

use std::collections::BTreeSet;

use crate::schema::{PARTITION_COLUMN, civil_date_text};

/// Days judged by one statement, which limits its memory.
const JUDGED_DAYS: i32 = 31;

fn day(date: i32) -> String {
    format!("date '{}'", civil_date_text(date))
}

/// A condition on dates. The range lets DuckDB skip row groups before it looks at the list.
pub(super) fn on_days(dates: &BTreeSet<i32>) -> String {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return "false".to_owned() };
    let days: Vec<String> = dates.iter().map(|date| day(*date)).collect();
    format!(
        "{PARTITION_COLUMN} between {} and {} and {PARTITION_COLUMN} in ({})",
        day(*first),
        day(*last),
        days.join(", ")
    )
}

/// The arguments of a macro for the first and the last day of a span.
pub(super) fn since_until((first, last): (i32, i32)) -> String {
    format!("since := {}, until := {}", day(first), day(last + 1))
}

/// First and last day of consecutive days, at most [`JUDGED_DAYS`] each.
pub(super) fn spans(dates: &BTreeSet<i32>) -> Vec<(i32, i32)> {
    let mut spans: Vec<(i32, i32)> = Vec::new();
    for date in dates {
        match spans.last_mut() {
            Some((first, last)) if *date == *last + 1 && *date - *first < JUDGED_DAYS => *last = *date,
            _ => spans.push((*date, *date)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_judged_in_spans_of_a_month_at_most() {
        let spans_of = |dates: Vec<i32>| spans(&BTreeSet::from_iter(dates));
        assert_eq!(spans_of(Vec::new()), []);
        assert_eq!(spans_of(vec![5, 7, 8]), [(5, 5), (7, 8)]);
        assert_eq!(spans_of((0..70).collect()), [(0, 30), (31, 61), (62, 69)]);
    }
}
