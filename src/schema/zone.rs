//! The tenant's time zone: it applies to times without an offset, to dates and to `--finish-by`.

use jiff::tz::{Offset, TimeZone};

use super::time::date_of_day;
use super::{Moment, ParsedTime};

/// A fixed offset (`+08:00`) or a zone of the IANA database (`Asia/Shanghai`).
#[derive(Debug, Clone)]
pub struct TenantZone {
    name: String,
    zone: TimeZone,
}

#[derive(Debug, thiserror::Error)]
#[error("time zone {text:?} is neither an offset like +08:00 nor a zone name like Asia/Shanghai")]
pub struct ZoneError {
    pub text: String,
}

impl TenantZone {
    /// Parses `+08:00`, `-0530`, `+8`, `Z`, `UTC` or an IANA name.
    pub fn parse(text: &str) -> Result<TenantZone, ZoneError> {
        let name = text.trim();
        let zone = match super::parse::offset_min(name) {
            Some(minutes) => Offset::from_seconds(minutes * 60).map(TimeZone::fixed),
            None => TimeZone::get(name),
        };
        let zone = zone.map_err(|_| ZoneError { text: text.to_owned() })?;
        Ok(TenantZone { name: name.to_owned(), zone })
    }

    /// The zone as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The offset at an instant, in minutes east of UTC.
    pub fn offset_min_at(&self, utc_us: i64) -> i32 {
        jiff::Timestamp::from_microsecond(utc_us).map_or(0, |at| self.zone.to_offset(at).seconds() / 60)
    }

    /// Fills in a missing offset.
    pub fn resolve(&self, time: ParsedTime) -> Moment {
        let offset_min = match time {
            ParsedTime::Unix { utc_us } => self.offset_min_at(utc_us),
            // Exact for a fixed offset; around a daylight-saving change, the offset before it.
            ParsedTime::Local { local_us, .. } => {
                let near = self.offset_min_at(local_us);
                self.offset_min_at(local_us - i64::from(near) * 60_000_000)
            }
        };
        time.with_default_offset(offset_min)
    }

    /// The calendar day of an instant in this zone, in days since 1970-01-01.
    pub fn day_of(&self, utc_us: i64) -> i32 {
        Moment { utc_us, offset_min: self.offset_min_at(utc_us) }.local_day()
    }

    /// The day that a report means by the start of its day. Feishu does not document whether that is midnight UTC or
    /// the tenant's midnight: it is the day of UTC if it is midnight there, and otherwise the day whose midnight in
    /// this zone is nearest.
    pub(crate) fn report_day(&self, start_us: i64) -> i32 {
        const DAY_US: i64 = 86_400_000_000;
        if start_us.rem_euclid(DAY_US) == 0 {
            return i32::try_from(start_us.div_euclid(DAY_US)).unwrap_or_default();
        }
        self.day_of(start_us.saturating_add(DAY_US / 2))
    }

    /// Whether two zones have the same offset at all relevant times.
    pub fn is_equivalent_to(&self, other: &TenantZone) -> bool {
        // Weekly from 2020 to 2037.
        let mut weeks = (0..900).map(|week| 1_577_836_800_000_000 + week * 7 * 86_400_000_000);
        self.name == other.name || weeks.all(|at| self.offset_min_at(at) == other.offset_min_at(at))
    }

    /// The first instant of a day (days since 1970-01-01), in microseconds UTC.
    pub fn start_of_day(&self, day: i32) -> i64 {
        // Only dates at the limits of `jiff` have no instant.
        let date = date_of_day(day.clamp(-700_000, 2_900_000));
        date.to_zoned(self.time_zone().clone()).map_or(i64::MAX, |start| start.timestamp().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_names_are_zones() {
        assert_eq!(TenantZone::parse("+08:00").expect("zone").offset_min_at(0), 480);
        assert_eq!(TenantZone::parse("-0530").expect("zone").offset_min_at(0), -330);
        assert_eq!(TenantZone::parse("UTC").expect("zone").offset_min_at(0), 0);
        assert_eq!(TenantZone::parse("Asia/Shanghai").expect("zone").offset_min_at(1_700_000_000_000_000), 480);
        assert!(TenantZone::parse("Mars/Olympus").is_err());
        assert!(TenantZone::parse("+25:00").is_err());
    }

    #[test]
    fn a_day_starts_at_midnight() {
        for text in ["+08:00", "Asia/Shanghai", "America/New_York", "-03:30"] {
            let zone = TenantZone::parse(text).expect("a zone");
            for day in [-1, 0, 20_000, 20_410] {
                let start = zone.start_of_day(day);
                assert_eq!((zone.day_of(start - 1), zone.day_of(start)), (day - 1, day), "{text}");
            }
        }
    }

    #[test]
    fn a_report_day_begins_at_midnight_utc_or_at_a_local_midnight() {
        // 2020-12-28 00:00 UTC, as in Feishu's sample.
        let (utc_us, day) = (1_609_113_600_000_000, 18_624);
        for text in ["+08:00", "UTC", "-08:00", "America/New_York", "+14:00"] {
            let zone = TenantZone::parse(text).expect("a zone");
            assert_eq!(zone.report_day(utc_us), day, "{text}");
            assert_eq!(zone.report_day(zone.start_of_day(day)), day, "{text}");
        }
        // Midnight in Beijing, for a tenant in Europe.
        let zone = TenantZone::parse("Europe/Berlin").expect("a zone");
        assert_eq!(zone.report_day(utc_us - 8 * 3_600_000_000), day);
    }

    #[test]
    fn a_local_time_without_offset_is_in_the_tenants_zone() {
        let zone = TenantZone::parse("+08:00").expect("zone");
        let moment = zone.resolve(ParsedTime::Local { local_us: 8 * 3_600_000_000, offset_min: None });
        assert_eq!(moment, Moment { utc_us: 0, offset_min: 480 });
        let sent = zone.resolve(ParsedTime::Local { local_us: 0, offset_min: Some(0) });
        assert_eq!(sent, Moment { utc_us: 0, offset_min: 0 });
    }
}
