//! Calendar arithmetic: the period that contains a day, and the one it is compared with.

use jiff::ToSpan;
use jiff::civil::Date;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    /// An ISO week, Monday to Sunday.
    Week,
    Month,
}

/// The days of a page; each `until` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub since: Date,
    pub until: Date,
    /// The previous period.
    pub before_since: Date,
    pub before_until: Date,
    /// First day of the trend chart, which ends at `until`.
    pub trend_since: Date,
}

impl Period {
    /// Its name in settings, file names and text keys.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    /// The period that contains the date. A day is compared with the same weekday of the previous week because weekdays
    /// differ; a week or a month with the previous one. `None` beyond the calendar's range.
    pub(crate) fn containing(self, date: Date) -> Option<Span> {
        let days = |from: Date, days: i64| from.checked_add(days.days()).ok();
        let (since, until, before_since, before_until, trend_since) = match self {
            Period::Day => {
                let before = days(date, -7)?;
                (date, days(date, 1)?, before, days(before, 1)?, days(date, -13)?)
            }
            Period::Week => {
                let since = days(date, -i64::from(date.weekday().to_monday_zero_offset()))?;
                let before = days(since, -7)?;
                (since, days(since, 7)?, before, since, before)
            }
            Period::Month => {
                let since = date.first_of_month();
                let before = days(since, -1)?.first_of_month();
                (since, days(date.last_of_month(), 1)?, before, since, before)
            }
        };
        Some(Span { since, until, before_since, before_until, trend_since })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn shown(period: Period, day: Date) -> String {
        let span = period.containing(day).expect("on the calendar");
        format!(
            "{}..{} before {}..{} trend {}",
            span.since, span.until, span.before_since, span.before_until, span.trend_since
        )
    }

    #[test]
    fn periods_follow_the_calendar() {
        insta::assert_snapshot!(shown(Period::Day, date(2026, 3, 1)), @"2026-03-01..2026-03-02 before 2026-02-22..2026-02-23 trend 2026-02-16");
        insta::assert_snapshot!(shown(Period::Week, date(2026, 1, 1)), @"2025-12-29..2026-01-05 before 2025-12-22..2025-12-29 trend 2025-12-22");
        insta::assert_snapshot!(shown(Period::Month, date(2024, 2, 29)), @"2024-02-01..2024-03-01 before 2024-01-01..2024-02-01 trend 2024-01-01");
        insta::assert_snapshot!(shown(Period::Month, date(2026, 1, 31)), @"2026-01-01..2026-02-01 before 2025-12-01..2026-01-01 trend 2025-12-01");
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        for period in [Period::Day, Period::Week, Period::Month] {
            assert_eq!(period.containing(Date::MIN), None);
            assert_eq!(period.containing(Date::MAX), None);
        }
    }

    proptest! {
        #[test]
        fn a_period_contains_its_day(days in -20_000_i64..40_000) {
            let day = date(1970, 1, 1).checked_add(days.days()).expect("on the calendar");
            for period in [Period::Day, Period::Week, Period::Month] {
                let span = period.containing(day).expect("on the calendar");
                prop_assert!(span.since <= day && day < span.until);
                prop_assert!(span.before_since < span.before_until && span.before_until <= span.since);
                prop_assert!(span.trend_since <= span.before_since);
                // All its days belong to the same period.
                let last = span.until.yesterday().expect("on the calendar");
                prop_assert_eq!(period.containing(last), Some(span));
                prop_assert_eq!(period.containing(span.since), Some(span));
            }
        }
    }
}
