//! Variations of the JSON, and the notation of times.

use jiff::tz::Offset;
use serde_json::Value;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2022.12.23 11:16:59 (GMT+08:00)`, as documented.
    #[default]
    Text,
    /// The same without the zone.
    Zoneless,
    UnixSeconds,
}

/// How the JSON differs from the documented form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JsonStyle {
    pub times: TimeFormat,
    /// Metrics, counts and Unix times as JSON numbers instead of strings.
    pub numbers: bool,
    /// Quality sections without media are `null` instead of absent or `{}`.
    pub null_sections: bool,
    /// Every object has undocumented fields.
    pub extra_fields: bool,
    /// A field that no meeting and no participant has.
    pub without_field: Option<&'static str>,
    /// Every ID is empty, as if the field scope were missing.
    pub empty_ids: bool,
    /// Quality items in a million with a malformed value; see [`super::Malformation`].
    pub malformed_per_million: u32,
}

impl JsonStyle {
    /// A time (Unix seconds) as it appears in the JSON.
    pub(super) fn time(self, at: i64, utc_offset_s: i32) -> Value {
        let minutes = utc_offset_s.abs() / 60;
        let sign = if utc_offset_s < 0 { '-' } else { '+' };
        let local = || wall_clock(at + i64::from(utc_offset_s));
        match self.times {
            TimeFormat::UnixSeconds if self.numbers => at.into(),
            TimeFormat::UnixSeconds => at.to_string().into(),
            TimeFormat::Zoneless => local().into(),
            TimeFormat::Text => format!("{} (GMT{sign}{:02}:{:02})", local(), minutes / 60, minutes % 60).into(),
        }
    }
}

/// `YYYY.MM.DD HH:MM:SS` for a local time in seconds since 1970-01-01 00:00:00 local.
pub(crate) fn wall_clock(local: i64) -> String {
    let time = Offset::UTC.to_datetime(jiff::Timestamp::from_second(local).unwrap_or_default());
    let date = format!("{:04}.{:02}.{:02}", time.year(), time.month(), time.day());
    format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}
