//! The card of a meeting.

use super::error::CardError;
use super::facts::{Dates, Row, Source, common, minute_level, moment, span};
use super::model::{Card, Comparison, causes_text, poor_pct, reference_pct};
use super::strip::{Level, Strip};
use crate::schema::ddl::quoted;
use crate::text::{counted, duration_text};

/// Participants shown minute by minute: the worst ones.
const STRIPS: usize = 5;

/// Other meetings of the same number that are named.
const OTHERS: usize = 3;

pub(crate) fn meeting_card(source: &Source<'_>, meeting_key: &str) -> Result<Card, CardError> {
    let key = quoted(meeting_key);
    let sql =
        format!("select m.*, cast(m.meeting_date as varchar) as date from meetings as m where m.meeting_key = {key}");
    let meeting = source.rows("the meeting", &sql)?.into_iter().next().unwrap_or_default();
    let dates = Dates::of(&meeting.text("date"));
    let people = people(source, &key, &dates)?;
    let in_meeting = format!("c.meeting_key = {key}");
    let causes = source.causes(&dates, &in_meeting)?;
    let comparison = comparison(source, &meeting, &key, &dates, &people)?;
    let incidents = source.incidents_by_minutes(
        &dates,
        &format!(
            "p.participant_key in (select f.participant_key from participant_facts as f where f.meeting_key = {key})"
        ),
    )?;
    let strips = strips(source, &key, &dates, &people)?;
    let topic = meeting.optional("meeting_topic").unwrap_or_else(|| "(no topic)".to_owned());
    let number = meeting.text("meeting_no");
    let when = match (meeting.time("start_time_local"), meeting.time("end_time_local")) {
        (Some(start), Some(end)) => format!("{}, local time", span(start, end)),
        (Some(start), None) => format!("{}, local time", moment(start)),
        _ => meeting.text("date"),
    };
    let duration = meeting.number("meeting_duration_s");
    let length = if duration > 0 { format!(" ({})", duration_text(duration as f64)) } else { String::new() };
    let verdict = verdict(source, &key, &dates, &comparison)?;
    let affected = common_of_affected(&people);
    let mut facts = vec![
        ("Organiser", meeting.optional("organizer").unwrap_or_else(|| "unknown".to_owned())),
        ("Place", affected("site")),
        ("Device", format!("{}, app {}", affected("device"), affected("app_version"))),
        ("Network", affected("network")),
    ];
    let others = others(source, &number, &key)?;
    if !others.is_empty() {
        facts.push(("Others", others.join("; ")));
    }
    let worst = people.first().filter(|row| row.number("poor_minutes") > 0);
    let mut next = Vec::new();
    if let Some(incident) = incidents.first() {
        next.push((vec!["report".to_owned(), "incident".to_owned(), incident.incident_id.clone()], "the incident"));
    }
    if let Some(worst) = worst {
        let words = vec![
            "report".to_owned(),
            "user".to_owned(),
            worst.text("who"),
            format!("--since={}", meeting.text("date")),
        ];
        next.push((words, "the participant with the most poor minutes"));
    } else {
        let parameter = format!("meeting_no={number}");
        let words = ["report", "run", "meeting-timeline", "--param", &parameter, "--since", "all"].map(str::to_owned);
        next.push((words.to_vec(), "every minute"));
    }
    let mut ticket = vec![
        ("Meeting", format!("{topic}, number {number}, organiser {}", meeting.text("organizer"))),
        ("When", format!("{when}{length}; starts {} UTC", meeting.text("start_time_utc"))),
        ("What", verdict.clone()),
        ("Main causes", causes_text(&causes)),
        ("Compared", comparison.text()),
        ("Place", affected("site")),
        ("Network", affected("network")),
    ];
    let names: Vec<String> = people
        .iter()
        .filter(|row| row.flag("is_affected") == Some(true))
        .take(STRIPS)
        .map(|row| {
            format!("{} ({} of {} min)", row.text("name"), row.number("poor_minutes"), row.number("judged_minutes"))
        })
        .collect();
    if !names.is_empty() {
        ticket.push(("Affected", names.join(", ")));
    }
    ticket.extend(incidents.iter().map(|incident| ("Incident", incident.summary.clone())));
    Ok(Card {
        kind: "meeting",
        title: format!("{topic} ({number})"),
        id: meeting_key.to_owned(),
        window: format!("{when}{length}"),
        profile: source.profile().to_owned(),
        incidents,
        verdict,
        causes,
        comparison,
        facts,
        strips,
        next,
        ticket,
    })
}

/// Most poor minutes first.
fn people(source: &Source<'_>, key: &str, dates: &Dates) -> Result<Vec<Row>, CardError> {
    let sql = format!(
        "select
            f.participant_key, f.who, coalesce(f.participant_name, f.who) as name, f.site, f.network_kind as network, f.device,
            f.app_version, v.judged_minutes, v.poor_minutes, v.is_affected
         from participant_facts as f
         left join participant_verdicts({}) as v
            on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
         where f.meeting_key = {key} and {}
         order by coalesce(v.poor_minutes, 0) desc, v.judged_minutes desc nulls last, name, f.participant_key",
        source.arguments(dates),
        dates.condition("f.meeting_date")
    );
    source.rows("the participants", &sql)
}

/// What the affected participants have in common, or all of them where nobody is affected.
fn common_of_affected(people: &[Row]) -> impl Fn(&str) -> String {
    let affected: Vec<Row> = people.iter().filter(|row| row.flag("is_affected") == Some(true)).cloned().collect();
    let (rows, who) = match affected.len() {
        0 => (people.to_vec(), ""),
        _ if affected.len() == people.len() => (affected, ""),
        _ => (affected, " (affected participants)"),
    };
    move |column| format!("{}{who}", common(&rows, column))
}

fn comparison(
    source: &Source<'_>,
    meeting: &Row,
    key: &str,
    dates: &Dates,
    people: &[Row],
) -> Result<Comparison, CardError> {
    let sum = |column: &str| people.iter().map(|row| row.number(column)).sum::<i64>();
    let (judged_minutes, poor_minutes) = (sum("judged_minutes"), sum("poor_minutes"));
    let share = |sql: &str| -> Result<Option<f64>, CardError> {
        let rows = source.rows("the minutes to compare with", sql)?;
        Ok(rows.first().and_then(|row| reference_pct(row.number("poor"), row.number("judged"))))
    };
    let usual_poor_pct = match dates.before() {
        Some(before) => share(&format!(
            "select cast(coalesce(sum(j.judged_minutes), 0) as bigint) as judged, cast(coalesce(sum(j.poor_minutes), 0) as bigint) as poor
             from {} as j
             inner join meetings as m on m.meeting_key = j.meeting_key and m.meeting_date = j.meeting_date
             where m.meeting_no = {}",
            source.judged(&before),
            quoted(&meeting.text("meeting_no"))
        ))?,
        None => None,
    };
    let elsewhere_poor_pct = share(&format!(
        "select count(q.is_poor) as judged, count(*) filter (where q.is_poor) as poor
         from quality_minutes({}) as q
         inner join meetings as m on m.meeting_key = {key}
         where q.meeting_key <> {key} and q.minute_utc >= m.start_time_utc
            and q.minute_utc < coalesce(m.end_time_utc, m.start_time_utc + interval '1 hour')",
        source.arguments(dates)
    ))?;
    Ok(Comparison {
        judged_minutes,
        poor_minutes,
        poor_pct: poor_pct(poor_minutes, judged_minutes),
        usual_poor_pct,
        usual: "meetings of this number in the 28 days before".to_owned(),
        elsewhere_poor_pct,
        elsewhere: "other meetings at the same time".to_owned(),
    })
}

/// `poor: 7 of 12 participants affected; 61 of 412 judged minutes poor (14.8 %)`.
fn verdict(source: &Source<'_>, key: &str, dates: &Dates, comparison: &Comparison) -> Result<String, CardError> {
    let sql = format!(
        "select v.is_poor, v.judged_participants, v.affected_participants from meeting_verdicts({}) as v where v.meeting_key = {key}",
        source.arguments(dates)
    );
    let rows = source.rows("the verdict", &sql)?;
    let Some(row) = rows.first() else { return Ok("no quality data in the store".to_owned()) };
    let affected = row.number("affected_participants");
    let word = match (row.flag("is_poor"), affected) {
        (None, _) => return Ok("no minute could be judged".to_owned()),
        (Some(true), _) => "poor",
        (Some(false), 0) => "good",
        (Some(false), _) => "partly poor",
    };
    let of = counted(row.number("judged_participants").max(0) as u64, "participant");
    Ok(format!("{word}: {affected} of {of} affected; {}", comparison.minutes_text()))
}

/// The latest other meetings of this number, with the text to choose one by.
fn others(source: &Source<'_>, number: &str, key: &str) -> Result<Vec<String>, CardError> {
    let sql = format!(
        "select m.meeting_key, m.start_time_local, count(*) over () as others from meetings as m
         where m.meeting_no = {} and m.meeting_key <> {key}
         order by m.start_time_utc desc nulls last, m.meeting_key limit {OTHERS}",
        quoted(number)
    );
    let rows = source.rows("the other meetings of this number", &sql)?;
    let total = rows.first().map_or(0, |row| row.number("others"));
    let mut texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let when = row.time("start_time_local").map(moment).unwrap_or_default();
            format!("{when}: report meeting {}", row.text("meeting_key"))
        })
        .collect();
    if total > texts.len() as i64 {
        texts.push(format!("and {} more: --until chooses an earlier one", total - texts.len() as i64));
    }
    Ok(texts)
}

/// The meeting as a whole, then its worst participants.
fn strips(source: &Source<'_>, key: &str, dates: &Dates, people: &[Row]) -> Result<Vec<Strip>, CardError> {
    let sql = format!(
        "select q.participant_key, q.minute_local, q.is_poor from quality_minutes({}) as q
         where q.meeting_key = {key} order by q.minute_local",
        source.arguments(dates)
    );
    let minutes = source.rows("the minutes", &sql)?;
    let mut totals: Vec<(jiff::civil::DateTime, i64, i64)> = Vec::new();
    for row in &minutes {
        let (Some(at), Some(is_poor)) = (row.time("minute_local"), row.flag("is_poor")) else { continue };
        match totals.last_mut().filter(|(last, ..)| *last == at) {
            Some((_, poor, judged)) => (*poor, *judged) = (*poor + i64::from(is_poor), *judged + 1),
            None => totals.push((at, i64::from(is_poor), 1)),
        }
    }
    let most = totals.iter().map(|(_, poor, _)| *poor).max().unwrap_or_default();
    let all: Vec<_> = totals.iter().map(|(at, poor, judged)| (*at, Level::of(*poor, *judged))).collect();
    let whole = Strip::new("all participants".to_owned(), format!("at most {most} at once"), &all);
    // All strips have the time axis of the meeting.
    let start = whole.as_ref().map(|strip| (strip.start, Level::None));
    let strip = |person: &Row| {
        let participant = person.text("participant_key");
        let own = minutes.iter().filter(|row| row.text("participant_key") == participant).filter_map(minute_level);
        let levels: Vec<_> = start.into_iter().chain(own).collect();
        let (poor, judged) = (person.number("poor_minutes"), person.number("judged_minutes"));
        let label = format!("{}, {}, {}", person.text("name"), person.text("site"), person.text("network"));
        Strip::new(label, format!("{poor}/{judged}"), &levels)
    };
    let worst = people.iter().filter(|row| row.number("poor_minutes") > 0).take(STRIPS);
    Ok(whole.clone().into_iter().chain(worst.filter_map(strip)).collect())
}
