//! Days since 1970-01-01 in SQL.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::rows;
use super::draft::Draft;
use super::error::{LoadError, Result};
use crate::schema::{PARTITION_COLUMN, QUALITY_SAMPLES, civil_date_text};

/// Days judged by one statement, and their samples, unless a single day has more: this limits its memory.
const JUDGED_DAYS: i32 = 31;
pub(super) const JUDGED_SAMPLES: u64 = 2_000_000;

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

/// The number of samples of each date.
pub(super) fn samples(draft: &Draft, dates: &BTreeSet<i32>) -> Result<Vec<(i32, u64)>> {
    let sql = format!(
        "select cast({PARTITION_COLUMN} - date '1970-01-01' as integer), count(*) from {} where {} group by 1",
        QUALITY_SAMPLES.name,
        on_days(dates)
    );
    let counts: Vec<(i32, u64)> = rows(&draft.connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(LoadError::duckdb("count the rows of", &draft.path))?;
    let counts: BTreeMap<i32, u64> = counts.into_iter().collect();
    Ok(dates.iter().map(|date| (*date, counts.get(date).copied().unwrap_or_default())).collect())
}

/// First and last day of consecutive days, given with their samples, that are judged by one statement: with at most
/// `most_samples`, unless one day has more.
pub(super) fn spans(days: &[(i32, u64)], most_samples: u64) -> Vec<(i32, i32)> {
    let mut spans: Vec<(i32, i32)> = Vec::new();
    let mut of_span = 0;
    for (date, samples) in days.iter().copied() {
        of_span += samples;
        match spans.last_mut() {
            Some((first, last)) if date == *last + 1 && date - *first < JUDGED_DAYS && of_span <= most_samples => {
                *last = date;
            }
            _ => {
                spans.push((date, date));
                of_span = samples;
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_judged_in_spans_of_a_month_or_two_million_samples_at_most() {
        let few = |days: Vec<i32>| spans(&Vec::from_iter(days.into_iter().map(|day| (day, 1))), JUDGED_SAMPLES);
        assert_eq!(few(Vec::new()), []);
        assert_eq!(few(vec![5, 7, 8]), [(5, 5), (7, 8)]);
        assert_eq!(few((0..70).collect()), [(0, 30), (31, 61), (62, 69)]);
        let million = 1_000_000;
        let many = [(0, 3 * million), (1, million), (2, million), (3, 1), (4, 0), (5, 2 * million - 1), (6, million)];
        assert_eq!(spans(&many, JUDGED_SAMPLES), [(0, 0), (1, 2), (3, 5), (6, 6)]);
        assert_eq!(spans(&many, JUDGED_SAMPLES / 2), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 5), (6, 6)]);
    }
}
