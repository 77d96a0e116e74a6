//! The person that a parameter of a report names, in a store where identities are replaced.

use duckdb::{Connection, OptionalExt};

use super::ReportError;
use super::arguments::Arguments;
use super::catalogue::Report;
use super::run::run_error;
use crate::schema::ddl::quoted;

/// The parameter of reports that is a person or a room.
const WHO: &str = "who";

/// The arguments with what the window of the report has of the person, and whether it has something: what was typed,
/// else one of its tokens. `tokens_of` returns `None` without the identity key.
pub(crate) fn with_stored_person(
    connection: &Connection,
    report: &Report,
    arguments: Arguments,
    tokens_of: &dyn Fn(&str) -> Option<Vec<String>>,
) -> Result<(Arguments, bool), ReportError> {
    let Some(typed) = arguments.get(WHO) else { return Ok((arguments, true)) };
    let tokens = tokens_of(typed).unwrap_or_default();
    let date = |name: &str| arguments.get(name).map_or("null".to_owned(), quoted);
    let tokens: Vec<String> = tokens.iter().map(|token| quoted(token)).collect();
    let (typed, tokens) = (quoted(typed), if tokens.is_empty() { "null".to_owned() } else { tokens.join(", ") });
    let sql = format!(
        "with present as (
            select f.who, f.participant_name as name, p.email, p.phone, p.employee_id
            from participant_facts as f
            inner join participants as p on p.participant_key = f.participant_key and p.meeting_date = f.meeting_date
            where f.meeting_date >= coalesce(try_cast({} as date), date '1900-01-01')
                and f.meeting_date < coalesce(try_cast({} as date), date '9999-12-31')
        )
        select found.text from (
            select 1 as place, {typed} as text from present where {typed} in (who, name)
            union all select 2, who from present where who in ({tokens})
            union all select 3, name from present where name in ({tokens})
            union all
            select 4, who from present where email in ({tokens}) or phone in ({tokens}) or employee_id in ({tokens})
        ) as found
        order by found.place, found.text limit 1",
        date("since"),
        date("until"),
    );
    let found: Option<String> =
        connection.query_row(&sql, [], |row| row.get(0)).optional().map_err(|source| run_error(report, source))?;
    Ok(match found {
        Some(text) => (arguments.with(WHO, &text), true),
        None => (arguments, false),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::report::Catalogue;

    #[test]
    fn a_person_is_found_as_typed_and_else_by_a_token() {
        let database = fixture::tenant();
        let report = Catalogue::built_in().expect("reports").find("user-timeline").expect("a report");
        let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a text");
        let who = text("select min(who) from participant_facts where who_kind = 'person'");
        let of_person = format!("from participant_facts where who = '{who}'");
        let (name, date) = (
            text(&format!("select max(participant_name) {of_person}")),
            text(&format!("select cast(max(meeting_date) as varchar) {of_person}")),
        );
        let found = |typed: &str, token: &str, since: Option<&str>| {
            let mut given = vec![(WHO.to_owned(), typed.to_owned())];
            given.extend(since.map(|since| ("since".to_owned(), since.to_owned())));
            let arguments = Arguments::resolve(&report.name, &report.header, &given).expect("arguments");
            let tokens = |_: &str| (!token.is_empty()).then(|| vec![token.to_owned()]);
            let (arguments, is_found) = with_stored_person(&database, &report, arguments, &tokens).expect("searched");
            let who = arguments.get(WHO).expect("a person").to_owned();
            assert_eq!(is_found, who != "typed");
            who
        };
        // What the store shows stands for a token here.
        assert_eq!(found("typed", &who, None), who);
        assert_eq!(found("typed", &name, None), name);
        assert_eq!(found("typed", &who, Some(&date)), who);
        assert_eq!(found("typed", &who, Some("2999-01-01")), "typed", "not in the window");
        assert_eq!(found(&name, &who, None), name, "it is there as typed");
        assert_eq!(found("typed", "n-0123456789abcdef", None), "typed");
        assert_eq!(found("typed", "", None), "typed", "without the identity key");
        assert_eq!(found(&name, "", None), name);
    }
}
