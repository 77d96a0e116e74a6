//! Civil time as plain numbers: microseconds and days, so that a million of them cost nothing.
//!
//! The calendar arithmetic is that of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
//! date algorithms"); a property test holds it against `jiff`.

/// A time as the vendor wrote it, before a missing zone is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// A wall clock, with its offset from UTC where one was printed.
    Wall {
        /// Microseconds since 1970-01-01 00:00 on that wall clock.
        local_us: i64,
        /// Minutes east of UTC.
        offset_min: Option<i32>,
    },
    /// An instant (unix seconds or milliseconds): the wall clock is what is missing.
    Unix {
        /// Microseconds since 1970-01-01 00:00 UTC.
        utc_us: i64,
    },
}

/// A time that is settled: an instant and the wall clock it was printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00 UTC.
    pub utc_us: i64,
    /// Minutes east of UTC.
    pub offset_min: i32,
}

impl Moment {
    /// The wall clock, in microseconds since 1970-01-01 00:00 on it.
    pub fn local_us(&self) -> i64 {
        self.utc_us + i64::from(self.offset_min) * 60_000_000
    }

    /// Whole unix seconds, rounded down: what the vendor's parameters take.
    pub fn unix_s(&self) -> i64 {
        self.utc_us.div_euclid(1_000_000)
    }

    /// The calendar day on the wall clock, in days since 1970-01-01.
    pub fn local_day(&self) -> i32 {
        days_of_local(self.local_us())
    }
}

impl Clock {
    /// The offset that was printed, if one was.
    pub fn printed_offset(&self) -> Option<i32> {
        match self {
            Clock::Wall { offset_min, .. } => *offset_min,
            Clock::Unix { .. } => None,
        }
    }

    /// Settles the time with `offset_min` where none was printed.
    pub fn at_offset(&self, offset_min: i32) -> Moment {
        match *self {
            Clock::Wall { local_us, offset_min: printed } => {
                let offset_min = printed.unwrap_or(offset_min);
                Moment { utc_us: local_us - i64::from(offset_min) * 60_000_000, offset_min }
            }
            Clock::Unix { utc_us } => Moment { utc_us, offset_min },
        }
    }
}

/// The calendar day of a wall clock, in days since 1970-01-01.
pub(crate) fn days_of_local(local_us: i64) -> i32 {
    // Four-digit years keep the quotient far inside i32.
    local_us.div_euclid(86_400_000_000) as i32
}

/// Days since 1970-01-01 of a calendar date; `None` where there is no such date.
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

/// The day count of a text that [`civil_date_text`] writes.
pub(crate) fn civil_date(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let days = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days();
    // jiff reads more forms than one.
    (civil_date_text(days) == text).then_some(days)
}

/// A day count as `YYYY-MM-DD`, the form of partition folders.
pub(crate) fn civil_date_text(days: i32) -> String {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// An instant as RFC 3339 in UTC with whole seconds, for files and summaries.
pub(crate) fn utc_text(utc_us: i64) -> String {
    let seconds = utc_us.div_euclid(1_000_000);
    let day = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    // An instant within the years 0 to 9999 has a day count that fits.
    let date = civil_date_text(day as i32);
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
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
    fn only_the_form_that_is_written_is_a_date() {
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
