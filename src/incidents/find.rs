//! The search over dates.

use std::collections::{HashMap, HashSet};

use duckdb::Connection;

use super::constants::HISTORY_DAYS;
use super::data::{Day, Names};
use super::describe::Describe;
use super::earlier::Earlier;
use super::history::{History, IncidentError, TokenOf};
use super::incident::{Incident, ScopeKind};
use super::known::{Known, KnownIncidents};
use super::null_model::Past;
use super::read::{DATES_AT_ONCE, Reader};
use super::search::judge;

/// Days before the first date that are searched too if no incidents are stored: a problem that continues has the start
/// of its first day, and a chronic one is reported once a week.
const LEAD_DAYS: i32 = 14;

/// The incidents of the dates (days since 1970-01-01, ascending, without a gap in the published dates), by date.
///
/// With [`History::Stored`], the rows of `incidents` and `incident_participants` are read only for dates before the
/// first of these: those of the dates themselves may be missing or outdated. With `token_of`, people are recognised on
/// dates with IDs and on dates with tokens.
pub(crate) fn find(
    connection: &Connection,
    profile: &str,
    history: History,
    token_of: Option<TokenOf<'_>>,
    dates: &[i32],
) -> Result<Vec<Incident>, IncidentError> {
    let (Some(first), Some(last)) = (dates.first().copied(), dates.last().copied()) else { return Ok(Vec::new()) };
    let reader = Reader::new(connection, profile, history, token_of);
    let (start, mut known) = match history {
        History::Stored => (first, reader.known(first - HISTORY_DAYS, first)?),
        History::Computed => (first - LEAD_DAYS, KnownIncidents::default()),
    };
    let limits = reader.severity_limits()?;
    let mut names = Names::default();
    let mut past = Past::default();
    for (date, sessions) in reader.days(&mut names, start - HISTORY_DAYS, start)? {
        let mut day = Day::sorted(date, sessions, Vec::new());
        mark(&mut day, &known);
        past.days.push_back(day);
    }
    let mut incidents = Vec::new();
    for chunk in reader.dates(start, last + 1)?.chunks(DATES_AT_ONCE) {
        let (from, until) = (chunk[0], chunk[chunk.len() - 1] + 1);
        let mut sessions = reader.days(&mut names, from, until)?;
        let known_sessions = past.days.iter_mut().flat_map(|day| &mut day.sessions);
        names.sort(known_sessions.chain(sessions.values_mut().flatten()));
        for day in reader.with_minutes(sessions, from, until)? {
            past.forget_before(day.date - HISTORY_DAYS);
            let verdict = judge(&past, &day, &names, &Earlier::of(&known, &names, day.date));
            let describe = Describe { reader: &reader, limits, names: &names, past: &past, day: &day };
            let mut found = Vec::new();
            for one in &verdict.acute {
                found.extend(describe.acute(one, &known)?);
            }
            let sessions = found.iter().flat_map(|one| &one.sessions);
            let taken: HashMap<String, u32> = sessions.map(|(key, minutes)| (key.clone(), *minutes)).collect();
            for one in &verdict.chronic {
                let scope = names.value(one.kind, one.scope);
                let is_new = !known.is_reported_this_week(one.kind, scope, one.family, day.date);
                if one.is_reported && is_new {
                    found.extend(describe.chronic(one, &known, &taken)?);
                }
            }
            distinct_ids(&mut found);
            for one in &found {
                known.add(reader.known_from(one));
            }
            if dates.binary_search(&day.date).is_ok() {
                incidents.extend(found);
            }
            let mut day = Day { minutes: Vec::new(), ..day };
            mark(&mut day, &known);
            past.days.push_back(day);
        }
    }
    Ok(incidents)
}

/// Marks the sessions of acute incidents.
fn mark(day: &mut Day, known: &KnownIncidents) {
    let of_date = || known.incidents.iter().filter(|one| !one.is_chronic && one.date == day.date);
    let keys: HashSet<&str> = of_date().flat_map(|one| &one.sessions).map(String::as_str).collect();
    let is_general = |one: &&Known| matches!(one.scope_kind, ScopeKind::Service | ScopeKind::Meeting);
    let general: HashSet<&str> =
        of_date().filter(is_general).flat_map(|one| &one.sessions).map(String::as_str).collect();
    for session in &mut day.sessions {
        session.is_in_incident = keys.contains(session.key.as_str());
        session.is_in_general_incident = general.contains(session.key.as_str());
    }
}

/// Numbers the second and later incidents of one scope and metric on a date.
fn distinct_ids(found: &mut [Incident]) {
    found.sort_by(|left, right| {
        (&left.incident_id, left.start_utc_us, left.end_utc_us).cmp(&(
            &right.incident_id,
            right.start_utc_us,
            right.end_utc_us,
        ))
    });
    for at in (1..found.len()).rev() {
        let same = found[..at].iter().filter(|one| one.incident_id == found[at].incident_id).count();
        if same > 0 {
            found[at].incident_id = format!("{}-{}", found[at].incident_id, same + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::incident::tests::incident;
    use super::*;

    #[test]
    fn incidents_of_one_scope_on_a_date_are_numbered_by_their_start() {
        let one = |id: &str, start_utc_us: i64| Incident { incident_id: id.to_owned(), start_utc_us, ..incident() };
        let mut found = [one("a", 9), one("b", 2), one("a", 5), one("c", 1), one("a", 7)];
        distinct_ids(&mut found);
        let ids: Vec<(&str, i64)> = found.iter().map(|one| (one.incident_id.as_str(), one.start_utc_us)).collect();
        assert_eq!(ids, [("a", 5), ("a-2", 7), ("a-3", 9), ("b", 2), ("c", 1)]);
    }
}
