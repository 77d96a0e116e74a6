//! Dates of a building file, in the forms that spreadsheets write.

use super::error::LineError;
use crate::schema::civil_date;

/// Parses a date that begins with the year: `2026-12-01`, `2026/12/1`, `2026.12.1` or `2026年12月1日`, also with the
/// midnight that spreadsheets add. A date that ends with the year is an error, because the order of its day and month
/// is not known.
pub(super) fn parse_date(text: &str) -> Result<i32, LineError> {
    let date = match text.split_once([' ', 'T']) {
        Some((date, time)) if is_midnight(time) => date,
        Some(_) => return Err(LineError::Date),
        None => text,
    };
    let date = date.replace(['年', '月'], "-");
    let parts: Vec<&str> = date.strip_suffix('日').unwrap_or(&date).split(['-', '/', '.']).collect();
    let [first, second, third] = parts[..] else { return Err(LineError::Date) };
    if third.len() == 4 {
        let (month_first, day_first) = (civil(third, first, second), civil(third, second, first));
        return Err(match (month_first, day_first) {
            (Some(first), Some(second)) if first != second => LineError::AmbiguousDate { first, second },
            (Some(date), _) | (None, Some(date)) => LineError::YearLast { date },
            (None, None) => LineError::Date,
        });
    }
    civil(first, second, third).and_then(|text| civil_date(&text)).ok_or(LineError::Date)
}

/// A valid date as `YYYY-MM-DD`.
fn civil(year: &str, month: &str, day: &str) -> Option<String> {
    let text = format!("{year:0>4}-{month:0>2}-{day:0>2}");
    (year.len() == 4 && civil_date(&text).is_some()).then_some(text)
}

fn is_midnight(time: &str) -> bool {
    time.contains('0') && time.chars().all(|c| matches!(c, '0' | ':' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::civil_date_text;
    use proptest::prelude::*;

    #[test]
    fn a_date_begins_with_the_year() {
        for text in [
            "2026-12-01",
            "2026-12-1",
            "2026/12/1",
            "2026/12/01",
            "2026.12.1",
            "2026年12月1日",
            "2026-12-01 00:00:00",
            "2026/12/1 0:00",
            "2026-12-01T00:00:00.000",
        ] {
            assert_eq!(parse_date(text).map(civil_date_text).as_deref(), Ok("2026-12-01"), "{text}");
        }
    }

    #[test]
    fn other_texts_are_errors_and_a_date_that_ends_with_the_year_names_its_readings() {
        let error = |text: &str| parse_date(text).expect_err(text).to_string();
        for text in [
            "",
            "46357",
            "2026-13-01",
            "2026-11-31",
            "2026-12",
            "26/12/1",
            "20261201",
            "2026-12-01 10:00",
            "--",
            "1-2-3",
        ] {
            assert_eq!(error(text), "must be a date like 2026-11-01", "{text}");
        }
        for text in ["01/12/2026", "1/12/2026", "1.12.2026", "01-12-2026"] {
            assert_eq!(error(text), "is ambiguous; write 2026-01-12 or 2026-12-01", "{text}");
        }
        for text in ["25/12/2026", "12/25/2026"] {
            assert_eq!(error(text), "does not begin with the year; write 2026-12-25", "{text}");
        }
        assert_eq!(error("05/05/2026"), "does not begin with the year; write 2026-05-05");
        assert_eq!(error("31/11/2026"), "must be a date like 2026-11-01");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,12}|[0-9年月日/. T:-]{0,20}") {
            let _ = parse_date(&text);
        }

        #[test]
        fn every_date_is_read_with_every_separator(days in 1..100_000_i32, separator in "[-/.]") {
            let text = civil_date_text(days).replace('-', &separator);
            prop_assert_eq!(parse_date(&text), Ok(days));
        }
    }
}
