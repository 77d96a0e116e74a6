//! Times as plain integers (microseconds and days), because millions of them are parsed.
//!
//! The arithmetic that parsing needs is Howard Hinnant's "chrono-compatible low-level date algorithms"; a property test
//! compares it with `jiff`.

use jiff::civil::Date;

/// A time as Feishu sent it, before a missing UTC offset is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParsedTime {
    Local {
        /// Microseconds since 1970-01-01 00:00 local time.
        local_us: i64,
        /// Minutes east of UTC; `None` if none was sent.
        offset_min: Option<i32>,
    },
    /// From Unix seconds or milliseconds, without a local time.
    Unix { utc_us: i64 },
}

/// An instant and its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00 UTC.
    pub utc_us: i64,
    /// Minutes east of UTC.
    pub offset_min: i32,
}

impl Moment {
    /// Microseconds since 1970-01-01 00:00 local time.
    pub fn local_us(&self) -> i64 {
        self.utc_us + i64::from(self.offset_min) * 60_000_000
    }

    /// Unix seconds, rounded down.
    pub fn unix_s(&self) -> i64 {
        self.utc_us.div_euclid(1_000_000)
    }

    /// The local calendar day, in days since 1970-01-01.
    pub fn local_day(&self) -> i32 {
        days_of_local(self.local_us())
    }
}

impl ParsedTime {
    /// The offset that was sent.
    pub fn sent_offset(&self) -> Option<i32> {
        match self {
            ParsedTime::Local { offset_min, .. } => *offset_min,
            ParsedTime::Unix { .. } => None,
        }
    }

    pub fn with_default_offset(&self, offset_min: i32) -> Moment {
        match *self {
            ParsedTime::Local { local_us, offset_min: sent } => {
                let offset_min = sent.unwrap_or(offset_min);
                Moment { utc_us: local_us - i64::from(offset_min) * 60_000_000, offset_min }
            }
            ParsedTime::Unix { utc_us } => Moment { utc_us, offset_min },
        }
    }
}

/// The calendar day of a local time, in days since 1970-01-01.
pub(crate) fn days_of_local(local_us: i64) -> i32 {
    // With four-digit years the quotient fits.
    local_us.div_euclid(86_400_000_000) as i32
}

/// Days since 1970-01-01; `None` if there is no such date.
pub(super) fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Parses the form that [`civil_date_text`] writes into days since 1970-01-01.
pub(crate) fn civil_date(text: &str) -> Option<i32> {
    let date: Date = text.parse().ok()?;
    let days = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days();
    // jiff accepts other forms too.
    (civil_date_text(days) == text).then_some(days)
}

/// The date that is this number of days after 1970-01-01.
pub(super) fn date_of_day(day: i32) -> Date {
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::SignedDuration::from_hours(i64::from(day) * 24))
}

/// Formats days since 1970-01-01 as `YYYY-MM-DD`, the form of partition directories.
pub(crate) fn civil_date_text(day: i32) -> String {
    date_of_day(day).to_string()
}

/// Formats an instant as RFC 3339 in UTC, in whole seconds.
pub(crate) fn utc_text(utc_us: i64) -> String {
    jiff::Timestamp::from_second(utc_us.div_euclid(1_000_000)).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn calendar_agrees_with_jiff(days in -700_000_i32..2_900_000) {
            let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days));
            if let Ok(date) = date && date.year() >= 0 {
                prop_assert_eq!(civil_date_text(days), date.to_string());
                prop_assert_eq!(civil_date(&date.to_string()), Some(days));
                let back = days_from_civil(i64::from(date.year()), date.month() as u32, date.day() as u32);
                prop_assert_eq!(back, Some(i64::from(days)));
            }
        }

        #[test]
        fn utc_text_agrees_with_jiff(seconds in 0_i64..32_503_680_000) {
            let timestamp = jiff::Timestamp::from_second(seconds).expect("in range");
            prop_assert_eq!(utc_text(seconds * 1_000_000), timestamp.to_string());
        }
    }

    #[test]
    fn only_the_written_form_is_a_date() {
        assert_eq!(civil_date("2024-10-04"), Some(20_000));
        for text in ["2024-13-04", "2024-1-04", "20241004", "2024-10-04T00:00", "+002024-10-04", ""] {
            assert_eq!(civil_date(text), None, "{text}");
        }
    }

    #[test]
    fn impossible_dates_have_no_day() {
        assert_eq!(days_from_civil(2023, 2, 29), None);
        assert_eq!(days_from_civil(2024, 2, 30), None);
        assert_eq!(days_from_civil(2024, 13, 1), None);
        assert_eq!(days_from_civil(2024, 0, 1), None);
        assert_eq!(days_from_civil(2024, 4, 31), None);
        assert!(days_from_civil(2024, 2, 29).is_some());
    }
}
