//! What the cards read: the database with a profile, rows by column name, and the values that rows have in common.

use std::collections::BTreeMap;

use duckdb::Connection;
use jiff::civil::DateTime;

use super::error::CardError;
use super::model::{CardIncident, Percentages, reference_pct};
use super::strip::Level;
use super::words::{Unit, Words};
use crate::report::history::short_history;
use crate::report::incident_text;
use crate::report::result::{Cell, QueryError, query};
use crate::report::times::{date, moment};
use crate::schema::ddl::quoted;
use crate::text::{Language, on_one_line};

/// The profile of a store that names none.
const DEFAULT_PROFILE: &str = "cqd";

/// The database and the profile by which the minutes are judged.
pub(crate) struct Source<'a> {
    connection: &'a Connection,
    profile: String,
    /// The stored verdicts are those of this profile.
    is_profile_of_store: bool,
    words: Words,
}

impl<'a> Source<'a> {
    /// `profile` defaults to that of the store. Refuses a database without incidents, or without the profile.
    pub(crate) fn new(connection: &'a Connection, profile: Option<&str>) -> Result<Source<'a>, CardError> {
        let mut source =
            Source { connection, profile: String::new(), is_profile_of_store: false, words: Words::default() };
        let tables = "select count(*) as tables from information_schema.tables where table_name = 'incidents'";
        if source.rows("the list of tables", tables)?.first().is_none_or(|row| row.number("tables") == 0) {
            return Err(CardError::OutdatedStore);
        }
        let known = source.rows("the profiles", "select distinct profile from thresholds order by profile")?;
        let known: Vec<String> = known.iter().map(|row| row.text("profile")).collect();
        let of_store = source.rows("the profile of the store", "select profile from meta")?;
        let of_store = of_store.first().and_then(|row| row.optional("profile"));
        let of_store = of_store.unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        source.profile = profile.unwrap_or(&of_store).to_owned();
        source.is_profile_of_store = source.profile == of_store;
        match known.contains(&source.profile) {
            true => Ok(source),
            false => Err(CardError::UnknownProfile { profile: source.profile, known }),
        }
    }

    /// The same, for cards in this language; JSON is in English.
    pub(crate) fn in_language(self, language: Language) -> Source<'a> {
        Source { words: Words(language), ..self }
    }

    pub(super) fn words(&self) -> Words {
        self.words
    }

    /// `Fri 20 Nov 09:40`; empty if the time is unknown.
    pub(super) fn moment(&self, time: Option<DateTime>) -> String {
        time.map(|time| moment(time, self.words.0)).unwrap_or_default()
    }

    pub(super) fn profile(&self) -> &str {
        &self.profile
    }

    pub(super) fn rows(&self, what: &'static str, sql: &str) -> Result<Vec<Row>, CardError> {
        let result = query(self.connection, sql).map_err(|error| match error {
            QueryError::Duckdb(source) => CardError::Query { what, source },
            QueryError::NotScalar { column, found } => CardError::NotScalar { what, column, found },
        })?;
        Ok(result.rows.into_iter().map(|row| Row(result.columns.iter().cloned().zip(row).collect())).collect())
    }

    /// Macro arguments: the dates and the profile.
    pub(super) fn arguments(&self, dates: &Dates) -> String {
        format!("{}, profile := {}", dates.arguments(), quoted(&self.profile))
    }

    /// Judged minutes by participant: the stored table where it has this profile, else the macro.
    pub(super) fn judged(&self, dates: &Dates) -> String {
        match self.is_profile_of_store {
            true => format!("(select j.* from judged_participants as j where {})", dates.condition("j.meeting_date")),
            false => format!("judged_participant_minutes({})", self.arguments(dates)),
        }
    }

    /// Why few incidents can be found on these dates; empty if there is enough history.
    pub(super) fn short_history(&self, dates: &Dates) -> Result<String, CardError> {
        let history = short_history(self.connection, dates.since.as_deref(), dates.until.as_deref())
            .map_err(|source| CardError::Query { what: "the dates", source })?;
        Ok(self.words.0.say(&history).into_owned())
    }

    /// The percentages of a query with the columns `judged`, `poor` and `cpu`, to compare with.
    pub(super) fn percentages(&self, sql: &str) -> Result<Percentages, CardError> {
        let rows = self.rows("the minutes to compare with", sql)?;
        let pct = |column: &str| rows.first().and_then(|row| reference_pct(row.number(column), row.number("judged")));
        Ok(Percentages { poor: pct("poor"), cpu: pct("cpu") })
    }

    /// The incidents of participants, the worst first; `keys` is a query of participant keys. Rows that continue one
    /// another are folded into the latest. A chronic incident has one row a week, so it also counts for those in its
    /// scope who have minutes of its metric up to [`GOES_ON_DAYS`] after its row.
    pub(super) fn incidents(&self, dates: &Dates, keys: &str) -> Result<Vec<CardIncident>, CardError> {
        self.ordered_incidents(dates, keys, "")
    }

    /// The same, those with the most minutes of these participants first.
    pub(super) fn incidents_by_minutes(&self, dates: &Dates, keys: &str) -> Result<Vec<CardIncident>, CardError> {
        let minutes = format!(
            "coalesce((select sum(p.poor_minutes) from incident_participants as p
              where p.incident_id = f.incident_id and p.participant_key in {keys}), f.minutes_in_scope) desc nulls last, "
        );
        self.ordered_incidents(dates, keys, &minutes)
    }

    fn ordered_incidents(&self, dates: &Dates, keys: &str, most_minutes: &str) -> Result<Vec<CardIncident>, CardError> {
        let overlap = |column: &str, sign: &str, date: &Option<String>| match date {
            Some(date) => format!("i.{column} {sign} cast({} as date)", quoted(date)),
            None => "true".to_owned(),
        };
        let sql = format!(
            "with going_on as (
                select i.incident_id, sum(case i.metric
                    when 'loss' then j.loss_minutes
                    when 'delay' then j.delay_minutes
                    when 'jitter' then j.jitter_minutes
                    when 'frame_rate' then j.frame_rate_minutes
                    else j.cpu_minutes
                end) as minutes
                from incidents as i
                inner join {judged} as j
                    on j.meeting_date between cast(i.start_time_local as date) and i.meeting_date + {GOES_ON_DAYS}
                inner join participant_facts as f
                    on f.participant_key = j.participant_key and f.meeting_date = j.meeting_date
                where i.kind = 'chronic' and j.participant_key in {keys} and i.scope = case i.scope_kind
                    when 'service' then 'service'
                    when 'site' then f.building
                    when 'egress' then f.egress
                    when 'subnet' then case when not f.is_home_like then f.subnet end
                    when 'room' then f.room_id
                    when 'meeting' then f.meeting_key
                    when 'person' then f.user_id
                    when 'app_version' then f.app_version
                    when 'device' then f.device
                    when 'network_type' then f.network_kind
                    when 'location' then f.location
                end
                group by i.incident_id
            ),
            found as (
                select i.*, g.minutes as minutes_in_scope, row_number() over (
                    partition by i.kind, i.scope_kind, i.scope, i.metric, case when i.kind = 'acute' then i.start_time_utc end
                    order by i.meeting_date desc, i.incident_id
                ) as place
                from incidents as i
                left join going_on as g on g.incident_id = i.incident_id
                where g.minutes > 0 or (
                    i.incident_id in (select p.incident_id from incident_participants as p where p.participant_key in {keys})
                    and {} and {})
            )
            select f.*, coalesce(n.scope_name, f.scope) as scope_name, cast(f.meeting_date as timestamp) as found_on
            from found as f
            left join incident_scope_names() as n on n.scope_kind = f.scope_kind and n.scope = f.scope
            where f.place = 1
            order by {order}case f.severity when 'critical' then 1 when 'major' then 2 else 3 end, f.participants desc,
                f.start_time_utc, f.incident_id",
            overlap("end_time_local", ">=", &dates.since),
            overlap("start_time_local", "<", &dates.until),
            judged = self.judged(dates),
            order = most_minutes
        );
        let as_of = |row: &Row| {
            let mut incident = row.incident(self.words);
            if let Some(found_on) = row.time("found_on").filter(|_| incident.kind == "chronic") {
                let values = [("text", incident.summary.as_str()), ("date", &date(found_on, self.words.0))];
                incident.summary = self.words.fill("card.as_of", &values);
            }
            incident
        };
        Ok(self.rows("the incidents", &sql)?.iter().map(as_of).collect())
    }
}

/// Meeting dates from `since` (inclusive) to `until` (exclusive), `YYYY-MM-DD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dates {
    pub since: Option<String>,
    pub until: Option<String>,
}

/// Days after its latest row on which a chronic incident goes on; it has a row once a week.
const GOES_ON_DAYS: i64 = 10;

/// Length of the period that is usual.
const USUAL_DAYS: i64 = 28;

impl Dates {
    /// A single date.
    pub(super) fn of(date: &str) -> Dates {
        let next = date.parse::<jiff::civil::Date>().ok().and_then(|date| date.tomorrow().ok());
        Dates { since: Some(date.to_owned()), until: next.map(|date| date.to_string()) }
    }

    /// The days before, to compare with; `None` if the dates have no start.
    pub(super) fn before(&self) -> Option<Dates> {
        let until = self.since.as_ref()?.parse::<jiff::civil::Date>().ok()?;
        let since = until.checked_sub(jiff::Span::new().days(USUAL_DAYS)).ok()?;
        Some(Dates { since: Some(since.to_string()), until: Some(until.to_string()) })
    }

    fn arguments(&self) -> String {
        let literal = |date: &Option<String>| date.as_deref().map_or_else(|| "null".to_owned(), quoted);
        format!("since := {}, until := {}", literal(&self.since), literal(&self.until))
    }

    /// `a date from 2026-11-12 to 2026-11-18`, for an error.
    pub(super) fn in_words(&self) -> String {
        match (&self.since, &self.until) {
            (Some(since), Some(until)) => format!("a date from {since} and before {until}"),
            (Some(since), None) => format!("a date from {since}"),
            (None, Some(until)) => format!("a date before {until}"),
            (None, None) => "any date".to_owned(),
        }
    }

    pub(super) fn condition(&self, column: &str) -> String {
        let limit = |sign: &str, date: &Option<String>| {
            date.as_ref().map(|date| format!("{column} {sign} cast({} as date)", quoted(date)))
        };
        let limits: Vec<String> = limit(">=", &self.since).into_iter().chain(limit("<", &self.until)).collect();
        if limits.is_empty() { "true".to_owned() } else { limits.join(" and ") }
    }
}

/// A row by column name. Text from outside is on one line.
#[derive(Debug, Clone, Default)]
pub(super) struct Row(BTreeMap<String, Cell>);

impl Row {
    #[cfg(test)]
    pub(super) fn of_texts<'t>(cells: impl IntoIterator<Item = (&'t str, &'t str)>) -> Row {
        Row(cells.into_iter().map(|(name, text)| (name.to_owned(), Cell::Text(text.to_owned()))).collect())
    }

    /// Empty for NULL.
    pub(super) fn text(&self, column: &str) -> String {
        self.0.get(column).map(|cell| on_one_line(cell.text().trim())).unwrap_or_default()
    }

    pub(super) fn optional(&self, column: &str) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    /// Zero for NULL.
    pub(super) fn number(&self, column: &str) -> i64 {
        match self.0.get(column) {
            Some(Cell::Integer(number)) => i64::try_from(*number).unwrap_or(i64::MAX),
            _ => 0,
        }
    }

    pub(super) fn incident(&self, words: Words) -> CardIncident {
        CardIncident {
            incident_id: self.text("incident_id"),
            severity: self.text("severity"),
            kind: self.text("kind"),
            summary: incident_text::sentence(&|column| self.text(column), words.0),
        }
    }

    pub(super) fn share(&self, column: &str) -> Option<f64> {
        self.0.get(column)?.text().parse().ok()
    }

    pub(super) fn flag(&self, column: &str) -> Option<bool> {
        match self.0.get(column) {
            Some(Cell::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn time(&self, column: &str) -> Option<DateTime> {
        self.0.get(column)?.text().parse().ok()
    }
}

/// The columns for [`Source::percentages`] from rows `j` of judged minutes.
pub(super) const MEASURES: &str = "
    cast(coalesce(sum(j.judged_minutes), 0) as bigint) as judged,
    cast(coalesce(sum(j.poor_minutes), 0) as bigint) as poor,
    -- Every poor minute has one metric; the other minutes are CPU-limited.
    cast(coalesce(sum(j.loss_minutes + j.delay_minutes + j.jitter_minutes + j.frame_rate_minutes + j.cpu_minutes
        - j.poor_minutes), 0) as bigint) as cpu";

/// The values of a column by number of rows, most first: `Harbour House`, or
/// `wifi (5 participations), wired (2) and 1 more`. `unit` is what a row is.
pub(super) fn common(rows: &[Row], column: &str, unit: Unit, words: Words) -> String {
    known_common(rows, column, unit, words).unwrap_or_else(|| words.say("card.unknown"))
}

/// The same; `None` without any value.
pub(super) fn known_common(rows: &[Row], column: &str, unit: Unit, words: Words) -> Option<String> {
    const SHOWN: usize = 2;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in rows.iter().filter_map(|row| row.optional(column)) {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
    match counts.as_slice() {
        [] => None,
        [(value, _)] => Some(words.value(column, value)),
        counts => {
            let shown = counts.iter().take(SHOWN).enumerate();
            let shown = shown.map(|(place, (value, count))| {
                let number = if place == 0 { words.of_unit(*count, unit) } else { count.to_string() };
                words.fill("card.in_brackets", &[("text", &words.value(column, value)), ("more", &number)])
            });
            let more = counts.len().saturating_sub(SHOWN);
            Some(words.list_and_more("card.and_more", &shown.collect::<Vec<_>>(), more))
        }
    }
}

/// The verdict on a minute of one participant.
pub(super) fn minute_level(row: &Row) -> Option<(DateTime, Level)> {
    let level = match row.flag("is_poor") {
        None => Level::None,
        Some(true) => Level::Poor,
        Some(false) => Level::Good,
    };
    Some((row.time("minute_local")?, level))
}

#[cfg(test)]
mod tests {
    use super::super::words::{PARTICIPANT, PARTICIPATION};
    use super::*;

    #[test]
    fn the_most_frequent_values_come_first() {
        let row = |value: &str| Row::of_texts([("a", value)]);
        let rows = |values: &[&str]| values.iter().map(|value| row(value)).collect::<Vec<_>>();
        assert_eq!(common(&rows(&["b", "b", ""]), "a", PARTICIPANT, Words::default()), "b");
        assert_eq!(
            common(&rows(&["c", "b", "a", "c", "b", "c"]), "a", PARTICIPANT, Words::default()),
            "c (3 participants), b (2) and 1 more"
        );
        assert_eq!(common(&rows(&["c", "b"]), "a", PARTICIPANT, Words::default()), "b (1 participant), c (1)");
        assert_eq!(common(&rows(&[]), "a", PARTICIPANT, Words::default()), "unknown");
        let networks = ["wifi", "wifi", "wired", "cellular"].map(|value| Row::of_texts([("network", value)]));
        let said = common(&networks, "network", PARTICIPATION, Words(Language::Chinese));
        assert_eq!(said, "无线（2 人次）、蜂窝（1），另有 1 项");
    }

    #[test]
    fn the_days_before_a_window_are_usual() {
        let dates = Dates { since: Some("2026-11-12".to_owned()), until: None };
        let before = dates.before().expect("days");
        assert_eq!(before.arguments(), "since := '2026-10-15', until := '2026-11-12'");
        assert_eq!(
            Dates::of("2026-11-30").condition("d"),
            "d >= cast('2026-11-30' as date) and d < cast('2026-12-01' as date)"
        );
        assert_eq!((Dates::default().before(), Dates::default().condition("d").as_str()), (None, "true"));
    }
}
