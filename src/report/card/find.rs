//! Who, which meeting or which incident is meant.

use super::error::{CardError, Replaced};
use super::facts::{Dates, Row, Source};
use super::model::Choice;
use crate::schema::ddl::quoted;

/// Names are suggested from this many.
const MAX_KNOWN: usize = 50_000;

/// What was typed; `list` is the command that lists what can be typed.
fn not_empty<'t>(text: &'t str, what: &'static str, list: &'static str) -> Result<&'t str, CardError> {
    match text.trim() {
        "" => Err(CardError::Empty { what, list }),
        typed => Ok(typed),
    }
}

/// The one person, room or guest with this ID, else with this e-mail address, else with this name or with this part of
/// the address before the @. Where these are replaced, the text is found by its `tokens`, which need the key.
pub(crate) fn find_user(source: &Source<'_>, text: &str, tokens: Option<&[String]>) -> Result<Choice, CardError> {
    let typed = not_empty(
        text,
        "a name, e-mail address or ID",
        "vcq-etl report run worst-participants lists people and rooms",
    )?;
    let typed = quoted(typed);
    let tokens_text = tokens.unwrap_or_default().iter().map(|token| quoted(token)).collect::<Vec<_>>();
    let tokens_text = if tokens_text.is_empty() { "null".to_owned() } else { tokens_text.join(", ") };
    let sql = format!(
        "with matching as (
            select f.who, min(case
                when lower({typed}) in (lower(p.user_id), lower(p.room_id), lower(p.participant_key)) then 1
                when lower({typed}) in (lower(p.email), lower(p.employee_id)) then 2
                when lower({typed}) in (lower(trim(p.participant_name)), lower(split_part(p.email, '@', 1))) then 3
                when p.user_id in ({tokens_text}) then 4
                when p.employee_id in ({tokens_text}) or p.email in ({tokens_text}) then 5
                else 6
            end) as rank
            from participants as p
            inner join participant_facts as f on f.participant_key = p.participant_key and f.meeting_date = p.meeting_date
            where lower({typed}) in (lower(p.user_id), lower(p.room_id), lower(p.participant_key), lower(p.email),
                lower(p.employee_id), lower(trim(p.participant_name)), lower(nullif(split_part(p.email, '@', 1), '')))
                or p.user_id in ({tokens_text}) or p.employee_id in ({tokens_text}) or p.email in ({tokens_text})
                or p.participant_name in ({tokens_text}) or p.phone in ({tokens_text})
            group by f.who
        ),
        best as (select m.who from matching as m where m.rank = (select min(rank) from matching)),
        known as (
            select
                f.who, f.who_kind as kind, f.participant_name as name, f.department, p.email,
                row_number() over (partition by f.who order by f.join_time_utc desc nulls last, f.participant_key) as place,
                count(*) over (partition by f.who) as meetings,
                cast(max(f.meeting_date) over (partition by f.who) as varchar) as last_date
            from participant_facts as f
            inner join best as b on b.who = f.who
            inner join participants as p on p.participant_key = f.participant_key and p.meeting_date = f.meeting_date
        )
        select k.* from known as k where k.place = 1 order by k.last_date desc, k.meetings desc, k.who"
    );
    let found = source.rows("the people of that name", &sql)?;
    let mut choices: Vec<Choice> = found.iter().map(choice).collect();
    match choices.len() {
        1 => Ok(choices.remove(0)),
        0 => {
            let known = "select distinct k.name from (
                    select trim(participant_name) as name from participants
                    union all select split_part(email, '@', 1) from participants
                ) as k where k.name <> '' order by k.name";
            Err(CardError::UnknownUser {
                text: text.to_owned(),
                known: names(source, "the names", known)?,
                replaced: replaced(source, tokens.is_some())?,
            })
        }
        _ => Err(CardError::SeveralUsers { text: text.to_owned(), choices }),
    }
}

/// What is replaced in the store; `None` if it has no tokens.
pub(crate) fn replaced(source: &Source<'_>, has_key: bool) -> Result<Option<Replaced>, CardError> {
    let sql = "select
            coalesce(bool_or(regexp_full_match(user_id, 'p-[0-9a-f]{16}')), false) as has_tokens,
            coalesce(bool_or(participant_name is not null and user_id is not null), false) as has_names
        from participants";
    let rows = source.rows("what is replaced", sql)?;
    let is = |column: &str| rows.first().and_then(|row| row.flag(column)).unwrap_or(false);
    Ok(is("has_tokens").then(|| Replaced { has_key, has_names: is("has_names") }))
}

fn choice(row: &Row) -> Choice {
    Choice {
        who: row.text("who"),
        kind: row.text("kind"),
        name: row.text("name"),
        department: row.text("department"),
        email: row.text("email"),
        meetings: row.number("meetings"),
        last_date: row.text("last_date"),
    }
}

fn names(source: &Source<'_>, what: &'static str, sql: &str) -> Result<Vec<String>, CardError> {
    let rows = source.rows(what, &format!("{sql} limit {MAX_KNOWN}"))?;
    Ok(rows.iter().map(|row| row.text("name")).collect())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundMeeting {
    pub key: String,
    /// `YYYY-MM-DD`.
    pub date: Option<String>,
}

/// The meeting with this key, else the latest one with this number in the window.
pub(crate) fn find_meeting(source: &Source<'_>, text: &str, dates: &Dates) -> Result<FoundMeeting, CardError> {
    let typed = not_empty(text, "a meeting number or key", "vcq-etl report run worst-meetings lists meetings")?;
    // Feishu shows the number in groups of three.
    let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let is_number = digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { digits.as_str() } else { typed };
    let sql = format!(
        "select m.meeting_key, m.meeting_date from meetings as m
         where m.meeting_key = {} or (m.meeting_no = {} and {})
         order by m.start_time_utc desc nulls last, m.meeting_key limit 1",
        quoted(typed),
        quoted(number),
        dates.condition("m.meeting_date")
    );
    if let Some(row) = source.rows("the meetings of that number", &sql)?.first() {
        return Ok(FoundMeeting { key: row.text("meeting_key"), date: row.optional("meeting_date") });
    }
    let known = "select distinct meeting_no as name from meetings where meeting_no is not null order by name";
    let known = names(source, "the meeting numbers", known)?;
    let within = match known.iter().any(|known| known == number) {
        true => format!(" with {}", dates.in_words()),
        false => String::new(),
    };
    Err(CardError::UnknownMeeting { text: text.to_owned(), within, known })
}

/// The ID of an incident, which may be given without the date and kind in front of it.
pub(crate) fn find_incident(source: &Source<'_>, text: &str) -> Result<String, CardError> {
    let list = "vcq-etl report run incidents --since all lists them";
    let typed = not_empty(text, "the ID of an incident", list)?.to_lowercase();
    let known = names(
        source,
        "the incidents",
        "select incident_id as name from incidents order by meeting_date desc, incident_id",
    )?;
    let exact = known.iter().find(|id| id.to_lowercase() == typed);
    let mut ending = known.iter().filter(|id| typed.len() >= 4 && id.to_lowercase().ends_with(&typed));
    let found = exact.or_else(|| ending.next().filter(|_| ending.next().is_none()));
    found.cloned().ok_or_else(|| CardError::UnknownIncident { text: text.to_owned(), known: known.clone() })
}
