//! The notation of strings and times.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::style::{JsonStyle, TimeFormat};

/// Appends a text as a JSON string.
pub(crate) fn push_json_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Appends a time as a JSON value in the style's form.
pub(crate) fn push_time(out: &mut String, at: i64, utc_offset_s: i32, style: JsonStyle) {
    match style.times {
        TimeFormat::UnixSeconds if style.numbers => out.push_str(&at.to_string()),
        TimeFormat::UnixSeconds => {
            out.push('"');
            out.push_str(&at.to_string());
            out.push('"');
        }
        form => {
            out.push('"');
            push_wall_clock(out, at + i64::from(utc_offset_s));
            if form == TimeFormat::Text {
                push_zone(out, utc_offset_s);
            }
            out.push('"');
        }
    }
}

/// Appends `YYYY.MM.DD HH:MM:SS` for a local time in seconds since 1970-01-01 00:00:00 local.
pub(crate) fn push_wall_clock(out: &mut String, local: i64) {
    let timestamp = jiff::Timestamp::from_second(local).unwrap_or_default();
    let time: DateTime = Offset::UTC.to_datetime(timestamp);
    push_two_digits(out, time.year() / 100);
    push_two_digits(out, time.year() % 100);
    for (separator, value) in
        [('.', time.month()), ('.', time.day()), (' ', time.hour()), (':', time.minute()), (':', time.second())]
    {
        out.push(separator);
        push_two_digits(out, value.into());
    }
}

fn push_zone(out: &mut String, utc_offset_s: i32) {
    let minutes = (utc_offset_s.abs() / 60) as i16;
    out.push_str(if utc_offset_s < 0 { " (GMT-" } else { " (GMT+" });
    push_two_digits(out, minutes / 60);
    out.push(':');
    push_two_digits(out, minutes % 60);
    out.push(')');
}

fn push_two_digits(out: &mut String, value: i16) {
    out.push(char::from(b'0' + (value / 10 % 10) as u8));
    out.push(char::from(b'0' + (value % 10) as u8));
}
