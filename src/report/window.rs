//! The window of a report: the given dates, else the last seven days up to the newest date in the store, so that an old
//! store shows something. The macros themselves have no default.

use duckdb::Connection;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::load::without_appendix;
use crate::text::Language;

/// Length of the default window.
const DEFAULT_DAYS: i64 = 7;

/// The first and last date with meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeldDates {
    pub first: Date,
    pub last: Date,
    /// The first and last date with meetings that the Parquet files have and the database does not.
    pub not_held: Option<(Date, Date)>,
}

/// Dates as reports take them, and what they mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReportWindow {
    /// `YYYY-MM-DD`, inclusive.
    pub since: Option<String>,
    /// `YYYY-MM-DD`, exclusive.
    pub until: Option<String>,
    /// `last 7 days in the store: 2026-11-12 to 2026-11-18, local time (--since 28d or --since all for more)`; empty if
    /// the store holds no meetings.
    pub text: String,
}

impl HeldDates {
    /// `None` without meetings.
    pub(crate) fn read(connection: &Connection) -> Result<Option<HeldDates>, duckdb::Error> {
        let sql = "select cast(min(meeting_date) as varchar), cast(max(meeting_date) as varchar) from meetings";
        let (first, last): (Option<String>, Option<String>) =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(without_appendix)?;
        let date = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let Some((first, last)) = date(first).zip(date(last)) else { return Ok(None) };
        let sql = "select cast(min(f.meeting_date) as varchar), cast(max(f.meeting_date) as varchar) \
                   from published_files as f where f.table_name = 'meetings' and f.rows > 0 \
                   and f.meeting_date < (select min(m.meeting_date) from meetings as m)";
        let (from, to): (Option<String>, Option<String>) =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(without_appendix)?;
        Ok(Some(HeldDates { first, last, not_held: date(from).zip(date(to)) }))
    }

    /// Says so if a window from the date `since`, or from the first date of the store, begins with dates that only the
    /// Parquet files have.
    pub(crate) fn missing(&self, since: Option<Date>) -> Option<String> {
        let (from, to) = self.not_held?;
        let first = self.first;
        since.is_none_or(|since| since <= to).then(|| {
            format!(
                "vcq.duckdb holds the dates from {first} on, and nothing of the earlier ones from {from} to {to}, which are in \
                 parquet/: to have them in reports, set database to full or to more days, then run vcq-etl rebuild"
            )
        })
    }
}

impl ReportWindow {
    /// `is_all` is `--since all`; `is_utc` if its dates are days in UTC.
    pub(crate) fn resolve(
        held: Option<HeldDates>,
        (since, until): (Option<String>, Option<String>),
        is_all: bool,
        is_utc: bool,
        language: Language,
    ) -> ReportWindow {
        let Some(held) = held else { return ReportWindow { since, until, text: String::new() } };
        let end = until.as_deref().and_then(|until| until.parse::<Date>().ok()?.yesterday().ok());
        let last = end.unwrap_or(held.last);
        let (since, words, more) = match since {
            Some(since) => (Some(since), "", ""),
            None if is_all => (None, language.pick("all dates in the store: ", "全部已入库的日期："), ""),
            None => {
                let first = last.checked_sub((DEFAULT_DAYS - 1).days()).unwrap_or(held.first);
                let words = match end {
                    Some(_) => language.pick("7 days: ", "7 天："),
                    None => language.pick("last 7 days in the store: ", "已入库的最近 7 天："),
                };
                let more =
                    language.pick(" (--since 28d or --since all for more)", "（更长：--since 28d 或 --since all）");
                (Some(first.to_string()), words, more)
            }
        };
        let first = since.clone().unwrap_or_else(|| held.first.to_string());
        let days = match first == last.to_string() {
            true => first,
            false => format!("{first} {} {last}", language.pick("to", "至")),
        };
        let clock = match is_utc {
            true => language.pick(", UTC", "，UTC"),
            false => language.pick(", local time", "，当地时间"),
        };
        ReportWindow { since, until, text: format!("{words}{days}{clock}{more}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(since: Option<&str>, until: Option<&str>, is_all: bool) -> ReportWindow {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        let held = HeldDates { first: date("2026-10-01"), last: date("2026-11-18"), not_held: None };
        let given = (since.map(str::to_owned), until.map(str::to_owned));
        ReportWindow::resolve(Some(held), given, is_all, false, Language::English)
    }

    #[test]
    fn the_default_is_the_last_week_in_the_store() {
        let default = window(None, None, false);
        assert_eq!((default.since.as_deref(), default.until), (Some("2026-11-12"), None));
        let expected =
            "last 7 days in the store: 2026-11-12 to 2026-11-18, local time (--since 28d or --since all for more)";
        assert_eq!(default.text, expected);
        let before = window(None, Some("2026-11-01"), false);
        assert_eq!((before.since.as_deref(), before.until.as_deref()), (Some("2026-10-25"), Some("2026-11-01")));
        assert!(before.text.starts_with("7 days: 2026-10-25 to 2026-10-31, local time ("), "{}", before.text);
    }

    #[test]
    fn a_given_window_is_stated_with_its_last_day() {
        assert_eq!(window(Some("2026-11-02"), None, false).text, "2026-11-02 to 2026-11-18, local time");
        assert_eq!(window(Some("2026-11-02"), Some("2026-11-03"), false).text, "2026-11-02, local time");
        let all = window(None, None, true);
        assert_eq!(
            (all.since, all.text.as_str()),
            (None, "all dates in the store: 2026-10-01 to 2026-11-18, local time")
        );
        let empty = ReportWindow::resolve(None, (None, None), false, true, Language::English);
        assert_eq!(empty, ReportWindow::default());
    }
}
