//! How much of the dataset `vcq.duckdb` holds: the setting, and what follows from it for a publication.
//!
//! The dates held are always the newest ones, counted back from the newest date with meetings and not from today: a
//! database that nobody updates keeps its dates, and a rebuild holds the same ones. Undated tables and the tables of
//! incidents are complete in any case.

use serde::{Deserialize, Serialize};

use crate::schema::{INCIDENT_PARTICIPANTS, INCIDENTS, Table, civil_date, civil_date_text};

/// The dated tables whose rows a publication computes from all the others.
pub(super) const SEARCHED: [&Table; 2] = [&INCIDENTS, &INCIDENT_PARTICIPANTS];

/// Whether the rows of a dated table are computed by the publication, and not given.
pub(crate) fn is_searched(table: &str) -> bool {
    SEARCHED.iter().any(|searched| searched.name == table)
}

/// The setting `database`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatabaseDates {
    #[default]
    Full,
    /// At least 1.
    Last {
        days: u32,
    },
    Off,
}

/// More days than any store has.
const MAX_DAYS: u32 = 36_500;

impl DatabaseDates {
    /// `full`, `off`, or `last 90d`.
    pub(crate) fn parse(text: &str) -> Option<DatabaseDates> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["full"] => Some(DatabaseDates::Full),
            ["off"] => Some(DatabaseDates::Off),
            ["last", days] => {
                let digits = days.strip_suffix('d').filter(|digits| digits.bytes().all(|one| one.is_ascii_digit()))?;
                let days = digits.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days))?;
                Some(DatabaseDates::Last { days })
            }
            _ => None,
        }
    }
}

/// What a published database holds; in the manifest, unless it is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Held {
    #[default]
    All,
    /// This date (`YYYY-MM-DD`) and those after it. There are earlier ones.
    Since(String),
    /// There is no database.
    Nothing,
}

impl Held {
    /// What a database holds of a dataset with meetings up to the date `newest` and rows from the date `oldest` on.
    pub(super) fn of(setting: DatabaseDates, newest: Option<i32>, oldest: Option<i32>) -> Held {
        match (setting, newest, oldest) {
            (DatabaseDates::Off, ..) => Held::Nothing,
            (DatabaseDates::Last { days }, Some(newest), Some(oldest)) => {
                let first = newest.saturating_sub(days.cast_signed() - 1);
                if oldest < first { Held::Since(civil_date_text(first)) } else { Held::All }
            }
            _ => Held::All,
        }
    }

    pub(crate) fn is_all(&self) -> bool {
        *self == Held::All
    }

    /// Whether the rows of a table on a date are held.
    pub(crate) fn has(&self, table: &str, meeting_date: Option<&str>) -> bool {
        match self {
            Held::All => true,
            Held::Since(since) => is_searched(table) || meeting_date.is_none_or(|date| date >= since.as_str()),
            Held::Nothing => false,
        }
    }
}

impl From<Held> for String {
    fn from(held: Held) -> String {
        match held {
            Held::All => "full".to_owned(),
            Held::Since(date) => format!("since {date}"),
            Held::Nothing => "off".to_owned(),
        }
    }
}

impl TryFrom<String> for Held {
    type Error = String;

    fn try_from(text: String) -> Result<Held, String> {
        match text.strip_prefix("since ").filter(|date| civil_date(date).is_some()) {
            Some(date) => Ok(Held::Since(date.to_owned())),
            None if text == "full" => Ok(Held::All),
            None if text == "off" => Ok(Held::Nothing),
            None => Err(format!("{text:?} is not what a database can hold")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::MEETINGS;

    #[test]
    fn the_setting_is_full_off_or_a_number_of_days() {
        let parse = DatabaseDates::parse;
        assert_eq!(parse("full"), Some(DatabaseDates::Full));
        assert_eq!(parse(" OFF "), Some(DatabaseDates::Off));
        assert_eq!(parse("last  90d"), Some(DatabaseDates::Last { days: 90 }));
        assert_eq!(parse("last 36500d"), Some(DatabaseDates::Last { days: 36_500 }));
        for wrong in ["", "90d", "last", "last 90", "last 0d", "last -1d", "last +1d", "last 36501d", "last 3w", "none"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_days_count_back_from_the_newest_date() {
        let day = |text| civil_date(text);
        let last = |days| Held::of(DatabaseDates::Last { days }, day("2026-11-10"), day("2026-11-01"));
        assert_eq!(last(1), Held::Since("2026-11-10".to_owned()));
        assert_eq!(last(9), Held::Since("2026-11-02".to_owned()));
        assert_eq!(last(10), Held::All, "there are no earlier dates");
        assert_eq!(Held::of(DatabaseDates::Last { days: 1 }, None, None), Held::All);
        assert_eq!(Held::of(DatabaseDates::Full, day("2026-11-10"), day("2026-11-01")), Held::All);
        assert_eq!(Held::of(DatabaseDates::Off, None, None), Held::Nothing);
        let held = last(9);
        assert!(!held.has(MEETINGS.name, Some("2026-11-01")) && held.has(MEETINGS.name, Some("2026-11-02")));
        assert!(held.has(INCIDENTS.name, Some("2026-11-01")) && held.has("runs", None));
    }

    #[test]
    fn the_manifest_says_what_is_held() {
        for (held, text) in
            [(Held::All, "full"), (Held::Since("2026-11-02".to_owned()), "since 2026-11-02"), (Held::Nothing, "off")]
        {
            assert_eq!(String::from(held.clone()), text);
            assert_eq!(Held::try_from(text.to_owned()), Ok(held));
        }
        assert!(Held::try_from("since yesterday".to_owned()).is_err());
    }
}
