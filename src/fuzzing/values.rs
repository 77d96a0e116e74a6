//! The parsers of values, compared with simple slow implementations.

use jiff::civil::DateTime;

use crate::schema::{Kind, ParsedTime, Raw, Reason, TenantZone, parse};

const MEASURES: &[Kind] =
    &[Kind::Millis, Kind::Kbps, Kind::LossPercent, Kind::CpuPercent, Kind::Decibel, Kind::FramesPerSecond];

pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let raw = Raw::Text(&text);
    for kind in MEASURES {
        let value = parse::measure(&raw, *kind);
        if let Ok(Some(value)) = value {
            assert!(value.is_finite() && !(value == 0.0 && value.is_sign_negative()), "{kind:?} {text:?}: {value}");
            assert!(value >= 0.0 || *kind == Kind::Decibel, "{kind:?} {text:?}: {value}");
            assert!(value <= 100.0 || *kind != Kind::LossPercent, "{kind:?} {text:?}: {value}");
        }
        if let Some(slow) = slow_measure(&text, *kind) {
            assert_eq!(value, slow, "{kind:?} {text:?}");
        }
        same_in_full_width(&text, |raw| parse::measure(raw, *kind));
    }
    if let Ok(Some(count)) = parse::count(&raw) {
        let digits: String = text.chars().filter_map(ascii).filter(|c| *c == '-' || c.is_ascii_digit()).collect();
        assert_eq!(digits.parse(), Ok(i128::from(count)), "{text:?}");
    }
    if let Ok(Some(seconds)) = parse::seconds(&raw) {
        assert!(seconds >= 0, "{text:?}: {seconds}");
    }
    if let Ok(Some(height)) = parse::height_px(&raw) {
        assert!(height >= 0, "{text:?}: {height}");
    }
    same_in_full_width(&text, parse::count);
    same_in_full_width(&text, parse::seconds);
    same_in_full_width(&text, parse::flag);
    same_in_full_width(&text, parse::height_px);
    same_in_full_width(&text, parse::time);
    clocks(&text);
    // Text and IDs are unchanged or missing.
    assert!(parse::text(&raw).is_ok_and(|kept| kept.is_none_or(|kept| kept == text)), "{text:?}");
    assert!(parse::id(&raw).is_ok_and(|kept| kept.is_none_or(|kept| kept == text && kept.trim() != "-")), "{text:?}");
    if let Some(minutes) = parse::offset_min(&text) {
        assert!(minutes.abs() <= 14 * 60, "{text:?}: {minutes}");
    }
    // A JSON number parses to the same value as its text.
    if let Ok(number) = text.parse::<i64>() {
        let digits = number.to_string();
        assert_eq!(parse::count(&Raw::Integer(number)), parse::count(&Raw::Text(&digits)), "{number}");
        assert_eq!(parse::seconds(&Raw::Integer(number)), parse::seconds(&Raw::Text(&digits)), "{number}");
        assert_eq!(parse::height_px(&Raw::Integer(number)), parse::height_px(&Raw::Text(&digits)), "{number}");
        for kind in MEASURES {
            assert_eq!(
                parse::measure(&Raw::Integer(number), *kind),
                parse::measure(&Raw::Text(&digits), *kind),
                "{number}"
            );
        }
    }
}

/// The ASCII form of a full-width character.
fn ascii(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0),
        '\u{2212}' | '\u{fe63}' => Some('-'),
        c => Some(c),
    }
}

/// Full-width characters parse to the same value as printable ASCII.
fn same_in_full_width<T: PartialEq + std::fmt::Debug>(text: &str, parse: impl Fn(&Raw<'_>) -> T) {
    if !text.chars().all(|c| matches!(c, ' '..='~')) {
        return;
    }
    let wide: String = text
        .chars()
        .map(|c| if c == ' ' { '\u{3000}' } else { char::from_u32(c as u32 + 0xfee0).unwrap_or(c) })
        .collect();
    assert_eq!(parse(&Raw::Text(text)), parse(&Raw::Text(&wide)), "{text:?}");
}

/// A simple parser of a number and a unit, for unambiguous forms only.
fn slow_measure(text: &str, kind: Kind) -> Option<Result<Option<f64>, Reason>> {
    let text = text.trim_matches(' ');
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let unit = unit.trim_matches(' ').to_ascii_lowercase();
    let power = match (kind, unit.as_str()) {
        (_, "") => 0,
        (Kind::Millis, "ms") | (Kind::Kbps, "kbps") | (Kind::Decibel, "db" | "dbfs") => 0,
        (Kind::LossPercent | Kind::CpuPercent, "%") | (Kind::FramesPerSecond, "fps") => 0,
        (Kind::Millis, "s") | (Kind::Kbps, "mbps") => 3,
        (Kind::Millis, "us") | (Kind::Kbps, "bps") => -3,
        (Kind::Kbps, "gbps") => 6,
        _ => return None,
    };
    let value: f64 = format!("{number}e{power}").parse().ok()?;
    let in_range = value.is_finite() && (kind != Kind::LossPercent || value <= 100.0);
    Some(if in_range { Ok(Some(value)) } else { Err(Reason::OutOfRange) })
}

/// Times are in range, and the common form agrees with jiff.
fn clocks(text: &str) {
    let parsed = parse::time(&Raw::Text(text));
    if let Ok(Some(clock)) = parsed {
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let moment = zone.resolve(clock);
        assert!((-1..=10_000).contains(&(moment.local_us().div_euclid(1_000_000) / 31_556_952 + 1970)), "{text:?}");
        assert!(moment.offset_min.abs() <= 14 * 60, "{text:?}");
        assert_eq!(moment.unix_s(), moment.utc_us.div_euclid(1_000_000));
        let _ = (moment.local_day(), crate::schema::civil_date_text(moment.local_day()));
    }
    if let Some((civil, offset_min)) = slow_clock(text) {
        // The range of jiff's instants ends a day before that of its calendar.
        let Ok(utc) = civil.to_zoned(jiff::tz::TimeZone::UTC) else { return };
        let local_us = utc.timestamp().as_microsecond();
        assert_eq!(parsed, Ok(Some(ParsedTime::Local { local_us, offset_min })), "{text:?}");
    }
}

/// `YYYY.MM.DD HH:MM:SS` with an optional ` (GMT+HH:MM)`, parsed by jiff.
fn slow_clock(text: &str) -> Option<(DateTime, Option<i32>)> {
    let (clock, zone) = match text.strip_suffix(')') {
        None => (text, None),
        Some(front) => front.split_once(" (GMT").map(|(clock, zone)| (clock, Some(zone)))?,
    };
    if clock.len() != 19 || !clock.bytes().all(|byte| byte.is_ascii_digit() || b". :".contains(&byte)) {
        return None;
    }
    // jiff reads second 60 as 59; here it is not a valid time.
    if clock.ends_with("60") {
        return None;
    }
    let civil = DateTime::strptime("%Y.%m.%d %H:%M:%S", clock).ok()?;
    let printed = civil.strftime("%Y.%m.%d %H:%M:%S").to_string();
    let offset = match zone {
        None => None,
        Some(zone) => {
            let (sign, rest) = zone.split_at_checked(1)?;
            let (hours, minutes) =
                rest.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
            let number =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
            let total_minutes = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
            let sign = match sign {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            Some(Some(total_minutes).filter(|minutes| *minutes <= 840)? * sign)
        }
    };
    (printed == clock).then_some((civil, offset))
}
