//! Parses the times of `--since`, `--until` and `--finish-by`, given the time zone of the tenant and the time now.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::config::duration;
use crate::schema::{TenantZone, utc_text};

/// The accepted formats, for messages.
pub(crate) const FORMS: &str =
    "now, 2d, 36h or 90m (before now), today, yesterday, 2026-11-01, 2026-11-01T08:30 or 2026-11-01T08:30:00+08:00";

/// For `--since` of `sync` and `plan`: continue after the newest complete run.
pub(crate) const LAST: &str = "last";

/// A time window. Meetings that overlap it belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Microseconds UTC, inclusive.
    pub since_us: i64,
    /// Microseconds UTC, exclusive.
    pub until_us: i64,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum WindowError {
    #[error("{flag}: {text:?} is not a time")]
    NotATime { flag: &'static str, text: String },
    #[error("--since: {text:?} ({since}) is in the future", since = utc_text(*since_us))]
    Future { text: String, since_us: i64 },
    #[error(
        "the window is empty: --since {since:?} is {start}, --until {until:?} is {end}",
        start = utc_text(*since_us),
        end = utc_text(*until_us)
    )]
    Empty { since: String, until: String, since_us: i64, until_us: i64 },
    #[error("--finish-by: {text:?} is not a time of day such as 06:30")]
    NotATimeOfDay { text: String },
}

/// The file of `--events` cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("--events: could not read {}", path.display())]
pub(crate) struct EventsError {
    pub path: std::path::PathBuf,
    pub source: std::io::Error,
}

impl Window {
    /// `until` defaults to now and may be in the future.
    pub(crate) fn parse(
        since: &str,
        until: Option<&str>,
        zone: &TenantZone,
        now_us: i64,
    ) -> Result<Window, WindowError> {
        let until_us = until.map_or(Ok(now_us), |text| instant("--until", text, zone, now_us))?;
        let since_us = start(since, (until.unwrap_or("now"), until_us), zone, now_us)?;
        Ok(Window { since_us, until_us })
    }

    /// The window of `--since last`, which begins at `since_us`.
    pub(crate) fn since_last(
        since_us: i64,
        until: Option<&str>,
        zone: &TenantZone,
        now_us: i64,
    ) -> Result<Window, WindowError> {
        let until_us = until.map_or(Ok(now_us), |text| instant("--until", text, zone, now_us))?;
        check_start((LAST, since_us), (until.unwrap_or("now"), until_us), now_us)?;
        Ok(Window { since_us, until_us })
    }
}

/// A window of whole days, as reports take them. `None` if not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Days {
    /// `YYYY-MM-DD`, inclusive.
    pub since: Option<String>,
    /// `YYYY-MM-DD`, exclusive.
    pub until: Option<String>,
}

/// Widens a window to whole days in the time zone of the tenant.
pub(crate) fn days(
    since: Option<&str>,
    until: Option<&str>,
    zone: &TenantZone,
    now_us: i64,
) -> Result<Days, WindowError> {
    let until_us = until.map(|text| instant("--until", text, zone, now_us)).transpose()?;
    let end = until.zip(until_us).unwrap_or(("", i64::MAX));
    let since_us = since.map(|text| start(text, end, zone, now_us)).transpose()?;
    let day = |us: i64| local(us, zone).map(|at| at.date().to_string());
    // The last instant of the window is the one before its end.
    let day_after = |us: i64| Some(local(us - 1, zone)?.date().checked_add(1.days()).ok()?.to_string());
    Ok(Days { since: since_us.and_then(day), until: until_us.and_then(day_after) })
}

/// The next `HH:MM` in the time zone of the tenant, strictly after now. Microseconds UTC.
pub(crate) fn finish_by(text: &str, zone: &TenantZone, now_us: i64) -> Result<i64, WindowError> {
    let error = || WindowError::NotATimeOfDay { text: text.to_owned() };
    let time = time_of_day(text.trim()).ok_or_else(error)?;
    let today = local(now_us, zone).ok_or_else(error)?.date();
    (0..=1)
        .filter_map(|days| midnight_plus(today, days, time, zone.time_zone()))
        .find(|at_us| *at_us > now_us)
        .ok_or_else(error)
}

/// The start of a window, which must not be in the future and must be before the end.
fn start(since: &str, (until, until_us): (&str, i64), zone: &TenantZone, now_us: i64) -> Result<i64, WindowError> {
    let since_us = instant("--since", since, zone, now_us)?;
    check_start((since, since_us), (until, until_us), now_us)?;
    Ok(since_us)
}

fn check_start((since, since_us): (&str, i64), (until, until_us): (&str, i64), now_us: i64) -> Result<(), WindowError> {
    let since = since.to_owned();
    match since_us {
        _ if since_us > now_us => Err(WindowError::Future { text: since, since_us }),
        _ if since_us >= until_us => Err(WindowError::Empty { since, until: until.to_owned(), since_us, until_us }),
        _ => Ok(()),
    }
}

fn instant(flag: &'static str, text: &str, zone: &TenantZone, now_us: i64) -> Result<i64, WindowError> {
    let error = || WindowError::NotATime { flag, text: text.to_owned() };
    let text = text.trim();
    // Milliseconds are taken for a mistake.
    if let Some(ago) = duration(text).filter(|_| !text.contains("ms")) {
        let ago_us = i64::try_from(ago.as_micros()).map_err(|_| error())?;
        let at_us = now_us.checked_sub(ago_us).ok_or_else(error)?;
        return in_range(at_us).ok_or_else(error);
    }
    let days = match text.to_ascii_lowercase().as_str() {
        "now" => return Ok(now_us),
        "today" => Some(0),
        "yesterday" => Some(-1),
        _ => None,
    };
    if let Some(days) = days {
        let today = local(now_us, zone).ok_or_else(error)?.date();
        return midnight_plus(today, days, Time::midnight(), zone.time_zone()).ok_or_else(error);
    }
    absolute(text, zone.time_zone()).and_then(in_range).ok_or_else(error)
}

/// RFC 3339 with an offset, else a civil date or date and time in `zone`.
fn absolute(text: &str, zone: &TimeZone) -> Option<i64> {
    // Rejects formats that jiff accepts and we do not, such as "[Asia/Shanghai]".
    let known = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | ':' | '.' | ' ' | 'T' | 't' | 'Z' | 'z');
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(known) {
        return None;
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_microsecond());
    }
    // An offset that did not parse above must not be ignored.
    if text.contains(['+', 'Z', 'z']) {
        return None;
    }
    let civil = match text.parse::<Date>() {
        Ok(date) if text.len() == "2026-11-01".len() => date.to_datetime(Time::midnight()),
        _ => text.parse::<DateTime>().ok().filter(|_| text.len() >= "2026-11-01T08:30".len())?,
    };
    civil_us(civil, zone)
}

fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str, min| part.len() <= 2 && part.len() >= min && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour, 1) || !digits(minute, 2) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn local(utc_us: i64, zone: &TenantZone) -> Option<Zoned> {
    Some(Timestamp::from_microsecond(utc_us).ok()?.to_zoned(zone.time_zone().clone()))
}

fn midnight_plus(date: Date, days: i64, time: Time, zone: &TimeZone) -> Option<i64> {
    civil_us(date.checked_add(days.days()).ok()?.to_datetime(time), zone)
}

/// If the clocks skip or repeat this hour, the "compatible" rule of jiff applies, as in calendars.
fn civil_us(civil: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(zone.to_timestamp(civil).ok()?.as_microsecond())
}

/// Accepts the years that the parameters of Feishu and our file names can represent.
fn in_range(at_us: i64) -> Option<i64> {
    (0..253_402_300_800_000_000).contains(&at_us).then_some(at_us)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2026-11-23 01:30 UTC, 09:30 in Shanghai.
    const NOW_US: i64 = 1_795_397_400_000_000;

    fn zone() -> TenantZone {
        TenantZone::parse("+08:00").expect("zone")
    }

    fn since(text: &str) -> Result<String, WindowError> {
        Window::parse(text, None, &zone(), NOW_US).map(|window| utc_text(window.since_us))
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("2d", "2026-11-21T01:30:00Z"),
            ("36h", "2026-11-21T13:30:00Z"),
            ("90m", "2026-11-23T00:00:00Z"),
            ("today", "2026-11-22T16:00:00Z"),
            ("Yesterday", "2026-11-21T16:00:00Z"),
            ("2026-11-01", "2026-10-31T16:00:00Z"),
            ("2026-11-01T08:30", "2026-11-01T00:30:00Z"),
            ("2026-11-01 08:30:15", "2026-11-01T00:30:15Z"),
            ("2026-11-01T08:30:00Z", "2026-11-01T08:30:00Z"),
            ("2026-11-01T08:30:00+05:30", "2026-11-01T03:00:00Z"),
            ("2026-11-01T08:30:00-05:00", "2026-11-01T13:30:00Z"),
        ] {
            assert_eq!(since(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_names_the_text() {
        for text in [
            "",
            "soon",
            "2",
            "d",
            "-2d",
            "5ms",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-02-30",
            "11/01/2026",
            "2026-11-01T25:00",
            "2026-11-01T08:30+99:00",
            "20261101",
            "tomorrow",
            "99999999d",
            "2026-11-01T08",
        ] {
            let expected = WindowError::NotATime { flag: "--since", text: text.to_owned() };
            assert_eq!(since(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn until_defaults_to_now_and_is_kept_where_it_is_later() {
        let parse = |since, until| Window::parse(since, until, &zone(), NOW_US);
        assert_eq!(parse("1h", None).expect("window").until_us, NOW_US);
        assert_eq!(parse("1h", Some("now")).expect("window").until_us, NOW_US);
        let days = parse("2026-11-01", Some("2026-11-02")).expect("window");
        assert_eq!(days.until_us - days.since_us, 86_400_000_000);
        assert!(parse("1h", Some("2026-12-24")).expect("window").until_us > NOW_US);
    }

    #[test]
    fn an_empty_window_and_a_start_in_the_future_are_refused() {
        let parse = |since, until| Window::parse(since, until, &zone(), NOW_US).map_err(|error| error.to_string());
        assert_eq!(
            parse("1h", Some("2h")).expect_err("empty"),
            r#"the window is empty: --since "1h" is 2026-11-23T00:30:00Z, --until "2h" is 2026-11-22T23:30:00Z"#
        );
        assert_eq!(
            parse("2026-12-24", None).expect_err("future"),
            r#"--since: "2026-12-24" (2026-12-23T16:00:00Z) is in the future"#
        );
        assert!(parse("0s", None).is_err());
    }

    #[test]
    fn a_report_takes_whole_days_of_the_tenant() {
        let days = |since, until| days(since, until, &zone(), NOW_US);
        let of = |since: &str, until: &str| Days { since: Some(since.to_owned()), until: Some(until.to_owned()) };
        // 09:30 on the 23rd in Shanghai.
        assert_eq!(days(Some("7d"), Some("today")), Ok(of("2026-11-16", "2026-11-23")));
        assert_eq!(days(Some("yesterday"), Some("2026-11-23")), Ok(of("2026-11-22", "2026-11-23")));
        assert_eq!(days(Some("10h"), Some("1m")), Ok(of("2026-11-22", "2026-11-24")));
        assert_eq!(days(Some("2026-11-01T08:30"), Some("2026-11-01T09:00")), Ok(of("2026-11-01", "2026-11-02")));
        assert_eq!(days(None, None), Ok(Days::default()));
        assert!(matches!(days(Some("2026-12-24"), None), Err(WindowError::Future { .. })));
        assert!(matches!(days(Some("1d"), Some("2d")), Err(WindowError::Empty { .. })));
        assert!(matches!(days(None, Some("soon")), Err(WindowError::NotATime { flag: "--until", .. })));
    }

    #[test]
    fn a_day_has_its_length_in_a_zone_that_changes_its_clocks() {
        let berlin = TenantZone::parse("Europe/Berlin").expect("zone");
        let window = Window::parse("2026-10-25", Some("2026-10-26"), &berlin, NOW_US).expect("window");
        assert_eq!(window.until_us - window.since_us, 25 * 3_600_000_000);
    }

    #[test]
    fn finish_by_is_the_next_such_time() {
        let at = |text| finish_by(text, &zone(), NOW_US).map(utc_text);
        assert_eq!(at("10:00").as_deref(), Ok("2026-11-23T02:00:00Z"));
        assert_eq!(at("9:30").as_deref(), Ok("2026-11-24T01:30:00Z"));
        assert_eq!(at("06:30").as_deref(), Ok("2026-11-23T22:30:00Z"));
        for text in ["", "6", "24:00", "06:60", "6:3", "06:30:00", "-1:30", "+6:30", "noon"] {
            assert_eq!(at(text), Err(WindowError::NotATimeOfDay { text: text.to_owned() }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_instant_reads_back_in_any_zone(seconds in 0_i64..1_795_397_400, offset in -14_i64..=14) {
            let zone = TenantZone::parse(&format!("{offset:+03}:00")).expect("zone");
            let local = utc_text((seconds + offset * 3600) * 1_000_000);
            prop_assume!(seconds + offset * 3600 >= 0);
            let civil = Window::parse(local.trim_end_matches('Z'), None, &zone, NOW_US).expect("civil");
            prop_assert_eq!(civil.since_us, seconds * 1_000_000);
            let utc = Window::parse(&utc_text(seconds * 1_000_000), None, &zone, NOW_US).expect("utc");
            prop_assert_eq!(utc, civil);
        }

        #[test]
        fn a_window_is_never_empty_and_no_text_panics(since in "[0-9dhmTZ:+ -]{0,20}", until in "\\PC{0,12}") {
            if let Ok(window) = Window::parse(&since, Some(&until), &zone(), NOW_US) {
                prop_assert!(window.since_us < window.until_us && window.since_us <= NOW_US);
            }
            if let Ok(window) = Window::parse(&since, None, &zone(), NOW_US) {
                prop_assert!(window.since_us < window.until_us);
            }
        }

        #[test]
        fn finish_by_is_within_a_day_and_never_now(
            hour in 0_u8..24,
            minute in 0_u8..60,
            now_s in 0_i64..4_000_000_000,
        ) {
            let now_us = now_s * 1_000_000;
            let at_us = finish_by(&format!("{hour:02}:{minute:02}"), &zone(), now_us).expect("a time");
            prop_assert!(at_us > now_us && at_us - now_us <= 86_400_000_000);
        }
    }
}
