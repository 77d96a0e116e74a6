//! Times such as `2022.12.23 11:16:00 (GMT+08:00)`, and UTC offsets.

use super::common::{Reason, on_value};
use super::number::digits;
use crate::schema::time::days_from_civil;
use crate::schema::{ParsedTime, Raw};

/// From here on a bare number is milliseconds: as seconds it would be the year 5138 or later.
const FIRST_MILLISECOND: i64 = 100_000_000_000;
/// The years 1973 to 5138: 0, for example, is an unset field, not a time in 1970.
const UNIX_SECONDS: std::ops::Range<i64> = 100_000_000..FIRST_MILLISECOND;
/// The largest offset in use is 14 hours.
const MAX_OFFSET_MIN: i32 = 14 * 60;

/// Parses a local time with or without an offset, or a Unix time.
pub fn time(raw: &Raw<'_>) -> Result<Option<ParsedTime>, Reason> {
    match raw {
        Raw::Text(text) => {
            if let Some(time) = common_form(text.as_bytes()) {
                return Ok(Some(time));
            }
        }
        // A fraction of zero is accepted: it is not printed.
        Raw::Float(number) if number.fract() != 0.0 => return Err(Reason::Unparsable),
        _ => {}
    }
    on_value(raw, |text| if text.bytes().all(|b| b.is_ascii_digit()) { unix_time(text) } else { local_time(text) })
}

/// Fast path for the form of nearly every time, with all parts at fixed positions.
fn common_form(text: &[u8]) -> Option<ParsedTime> {
    let two = |at: usize| -> Option<u32> {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    let with_zone = text.len() == 31;
    let separators = [(4, b'.'), (7, b'.'), (10, b' '), (13, b':'), (16, b':')];
    if !(with_zone || text.len() == 19) || separators.iter().any(|(at, byte)| text[*at] != *byte) {
        return None;
    }
    let year = two(0)? * 100 + two(2)?;
    let local_us = local_us(i64::from(year), two(5)?, two(8)?, two(11)?, two(14)?, two(17)?)?;
    if !with_zone {
        return Some(ParsedTime::Local { local_us, offset_min: None });
    }
    if &text[19..24] != b" (GMT" || text[27] != b':' || text[30] != b')' {
        return None;
    }
    let sign = sign(text[24])?;
    let (hours, minutes) = (two(25)? as i32, two(28)? as i32);
    let offset_min = hours * 60 + minutes;
    (minutes < 60 && offset_min <= MAX_OFFSET_MIN)
        .then_some(ParsedTime::Local { local_us, offset_min: Some(sign * offset_min) })
}

fn local_us(year: i64, month: u32, day: u32, hour: u32, minute: u32, second: u32) -> Option<i64> {
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_civil(year, month, day)?;
    Some((days * 86_400 + i64::from(hour * 3600 + minute * 60 + second)) * 1_000_000)
}

fn sign(byte: u8) -> Option<i32> {
    match byte {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

/// Unix seconds or milliseconds.
fn unix_time(text: &str) -> Result<ParsedTime, Reason> {
    let number: i64 = text.parse().map_err(|_| Reason::OutOfRange)?;
    if UNIX_SECONDS.contains(&number) {
        Ok(ParsedTime::Unix { utc_us: number * 1_000_000 })
    } else if UNIX_SECONDS.contains(&(number / 1000)) {
        Ok(ParsedTime::Unix { utc_us: number * 1_000 })
    } else {
        Err(Reason::OutOfRange)
    }
}

/// Date, time, and optionally an offset.
fn local_time(text: &str) -> Result<ParsedTime, Reason> {
    let (date, rest) = text.split_once([' ', 'T', 't']).ok_or(Reason::Unparsable)?;
    let separator = ['.', '-', '/'].into_iter().find(|c| date.contains(*c)).ok_or(Reason::Unparsable)?;
    let (year, month_and_day) = date.split_once(separator).ok_or(Reason::Unparsable)?;
    let (month, day) = month_and_day.split_once(separator).ok_or(Reason::Unparsable)?;
    let rest = rest.trim_ascii_start();
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(end);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    let (hour, minute_and_second) = time.split_once(':').ok_or(Reason::Unparsable)?;
    let (minute, second) = minute_and_second.split_once(':').ok_or(Reason::Unparsable)?;
    // At most two digits: the cast does not truncate.
    let small = |text, length| digits(text, length).map(|number| number as u32);
    let local_us = local_us(
        digits(year, 4..=4)?,
        small(month, 1..=2)?,
        small(day, 1..=2)?,
        small(hour, 1..=2)?,
        small(minute, 2..=2)?,
        small(second, 2..=2)?,
    )
    .ok_or(Reason::Unparsable)?;
    let fraction = fraction.unwrap_or("0");
    digits(fraction, 1..=9)?;
    // Truncated to microseconds.
    let fraction_us = digits(&format!("{fraction:0<6}")[..6], 6..=6)?;
    let zone = zone.trim_ascii();
    let zone = zone.strip_prefix('(').and_then(|zone| zone.strip_suffix(')')).unwrap_or(zone);
    let offset_min = if zone.is_empty() { None } else { Some(offset_min(zone).ok_or(Reason::Unparsable)?) };
    Ok(ParsedTime::Local { local_us: local_us + fraction_us, offset_min })
}

/// Parses `GMT+08:00`, `UTC-5`, `+0530`, `GMT` or `Z` into minutes east of UTC.
pub fn offset_min(zone: &str) -> Option<i32> {
    let zone = zone.trim_ascii();
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let named = zone.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("gmt") || name.eq_ignore_ascii_case("utc"));
    let offset = if named { zone[3..].trim_ascii() } else { zone };
    if offset.is_empty() {
        return named.then_some(0);
    }
    let sign = sign(offset.as_bytes()[0])?;
    let offset = offset[1..].trim_ascii();
    let (hours, minutes) = match offset.split_once(':') {
        Some((hours, minutes)) => (digits(hours, 1..=2).ok()?, digits(minutes, 2..=2).ok()?),
        None if offset.len() == 4 && offset.is_ascii() => {
            (digits(&offset[..2], 2..=2).ok()?, digits(&offset[2..], 2..=2).ok()?)
        }
        None => (digits(offset, 1..=2).ok()?, 0),
    };
    // Two digits each: the cast does not truncate.
    let total_minutes = (hours * 60 + minutes) as i32;
    (minutes < 60 && total_minutes <= MAX_OFFSET_MIN).then_some(sign * total_minutes)
}
