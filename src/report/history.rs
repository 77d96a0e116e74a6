//! Whether the store holds enough days before a window to find incidents in it.

use duckdb::Connection;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::load::without_appendix;

/// `LEAST_HISTORY_DAYS` and `HISTORY_DAYS` of `src/incidents`; docs/INCIDENTS.md shows them.
const LEAST_DAYS: usize = 3;
const HISTORY_DAYS: i64 = 28;

/// The dates with judged minutes, and those before them that the database does not hold.
pub(crate) const DATES_WITH_DATA: &str = "
    select cast(j.meeting_date as varchar) as day from judged_participants as j
    union
    select cast(f.meeting_date as varchar) as day from published_files as f
    where f.table_name = 'quality_samples' and f.rows > 0
        and f.meeting_date < (select min(p.meeting_date) from participants as p)
    order by day";

/// The days with data in a window that have too few days before them. Dates are `YYYY-MM-DD`, `until` is exclusive.
pub(crate) fn early_days(
    connection: &Connection,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<Vec<Date>, duckdb::Error> {
    let known = "select count(*) from information_schema.tables where table_name = 'judged_participants'";
    let tables: i64 = connection.query_row(known, [], |row| row.get(0)).map_err(without_appendix)?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let read = || -> Result<Vec<String>, duckdb::Error> {
        connection.prepare(DATES_WITH_DATA)?.query_map([], |row| row.get(0))?.collect()
    };
    let dates: Vec<Date> = read().map_err(without_appendix)?.iter().filter_map(|date| date.parse().ok()).collect();
    let date = |text: Option<&str>| text.and_then(|text| text.parse::<Date>().ok());
    Ok(early(&dates, date(since), date(until)))
}

/// These days in a sentence; empty if there are none.
pub(crate) fn short_history(
    connection: &Connection,
    since: Option<&str>,
    until: Option<&str>,
) -> Result<String, duckdb::Error> {
    Ok(sentence(&early_days(connection, since, until)?))
}

/// `dates` are those with data, ascending.
fn early(dates: &[Date], since: Option<Date>, until: Option<Date>) -> Vec<Date> {
    let has_few_before = |(at, date): (usize, &Date)| {
        let first = date.checked_sub(HISTORY_DAYS.days()).unwrap_or(Date::MIN);
        let before = dates[..at].iter().rev().take_while(|earlier| **earlier >= first).take(LEAST_DAYS);
        (before.count() < LEAST_DAYS).then_some(*date)
    };
    let is_in_window =
        |date: &Date| since.is_none_or(|since| *date >= since) && until.is_none_or(|until| *date < until);
    dates.iter().enumerate().filter_map(has_few_before).filter(is_in_window).collect()
}

fn sentence(early: &[Date]) -> String {
    let days = match early {
        [] => return String::new(),
        [day] => format!("On {day}"),
        [first, .., last] => format!("From {first} to {last}"),
    };
    format!("{days}, only severe incidents can be found: fewer than {LEAST_DAYS} days to compare with.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn days_without_history_are_named() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        let days = ["2026-11-02", "2026-11-03", "2026-11-05", "2026-11-06", "2026-11-09"].map(date);
        let text =
            |days: &[Date], since: &str, until: &str| sentence(&early(days, since.parse().ok(), until.parse().ok()));
        let why = ", only severe incidents can be found: fewer than 3 days to compare with.";
        assert_eq!(text(&days[..2], "", ""), format!("From 2026-11-02 to 2026-11-03{why}"));
        assert_eq!(text(&days, "", ""), format!("From 2026-11-02 to 2026-11-05{why}"));
        assert_eq!(text(&days, "2026-11-05", ""), format!("On 2026-11-05{why}"));
        assert_eq!(text(&days, "", "2026-11-03"), format!("On 2026-11-02{why}"));
        assert_eq!(text(&days, "2026-11-06", ""), "");
        // After a long gap there is no history either.
        let later = [&days[..], &["2026-12-24"].map(date)].concat();
        assert_eq!(text(&later, "2026-11-06", ""), format!("On 2026-12-24{why}"));
        assert_eq!(text(&[], "", ""), "");
        let chinese = |until: &str| Language::Chinese.say(&text(&days, "", until)).into_owned();
        assert!(chinese("2026-11-03").starts_with("2026-11-02 只能"), "{}", chinese("2026-11-03"));
        assert!(chinese("").starts_with("2026-11-02 至 2026-11-05 只能"), "{}", chinese(""));
    }

    #[test]
    fn the_limits_are_those_of_the_search() {
        let document = include_str!("../../docs/INCIDENTS.md");
        for (name, value) in [("LEAST_HISTORY_DAYS", LEAST_DAYS as i64), ("HISTORY_DAYS", HISTORY_DAYS)] {
            assert!(document.contains(&format!("| {name} | {value} | ")), "{name}");
        }
    }
}
