//! The card of a meeting.

use super::causes::{Causes, minutes_note};
use super::error::CardError;
use super::facts::{Dates, MEASURES, Row, Source, common, minute_level, moment, span};
use super::findings::Findings;
use super::model::{Card, Comparison, Percentages};
use super::people::Names;
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
    let causes = Causes::read(source, &dates, &format!("c.meeting_key = {key}"))?;
    let people = people(source, &key, &dates, &causes)?;
    let names = Names::of(&people);
    let comparison = comparison(source, &meeting, &key, &dates, &people, causes.cpu_limited())?;
    let of_meeting = format!("(select f.participant_key from participant_facts as f where f.meeting_key = {key})");
    let strips = strips(source, &key, &dates, &people, &names, &causes)?;
    let topic = meeting.optional("meeting_topic").unwrap_or_else(|| "(no topic)".to_owned());
    let number = meeting.text("meeting_no");
    let when = match (meeting.time("start_time_local"), meeting.time("end_time_local")) {
        (Some(start), Some(end)) => format!("{}, local time", span(start, end)),
        (Some(start), None) => format!("{}, local time", moment(start)),
        _ => meeting.text("date"),
    };
    let duration = meeting.number("meeting_duration_s");
    let length = if duration > 0 { format!(" ({})", duration_text(duration as f64)) } else { String::new() };
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
    let before = vec![
        ("Meeting", format!("{topic}, number {number}, organiser {}", meeting.text("organizer"))),
        ("When", format!("{when}{length}; starts {} UTC", meeting.text("start_time_utc"))),
    ];
    let incidents = source.incidents_by_minutes(&dates, &of_meeting)?;
    let findings = Findings {
        ticket_incidents: incidents.len(),
        incidents,
        short_history: source.short_history(&dates)?,
        verdict: verdict(source, &key, &dates, &comparison)?,
        ticket: (before, after_comparison(&people, &names, &causes, &affected)),
        next: vec![next(people.first(), &causes, &meeting)],
        causes: causes.list,
        comparison,
        facts,
        strips,
    };
    Ok(findings.card(Card {
        kind: "meeting",
        title: format!("{topic} ({number})"),
        id: meeting_key.to_owned(),
        window: format!("{when}{length}"),
        profile: source.profile().to_owned(),
        ..Card::default()
    }))
}

/// The lines for a ticket: what the affected participants have in common, and who they are.
fn after_comparison(
    people: &[Row],
    names: &Names,
    causes: &Causes,
    affected: &dyn Fn(&str) -> String,
) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Place", affected("site")), ("Network", affected("network"))];
    let listed = |is_listed: &dyn Fn(&Row) -> bool, minutes: &dyn Fn(&Row) -> i64| {
        let listed = people.iter().filter(|row| is_listed(row)).take(STRIPS);
        let text = |row: &Row| format!("{} ({} of {} min)", names.get(row), minutes(row), row.number("judged_minutes"));
        listed.map(text).collect::<Vec<_>>().join(", ")
    };
    let poor = listed(&|row| row.flag("is_affected") == Some(true), &|row| row.number("poor_minutes"));
    let cpu = listed(&|row| causes.cpu_limited_of(row) > 0, &|row| causes.cpu_limited_of(row));
    lines.extend([("Affected", poor), ("CPU-limited", cpu)].into_iter().filter(|(_, text)| !text.is_empty()));
    lines
}

/// The command about the participant whose meeting was worst, or about every minute.
fn next(worst: Option<&Row>, causes: &Causes, meeting: &Row) -> (Vec<String>, &'static str) {
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match worst.filter(|row| causes.bad_minutes_of(row) > 0) {
        Some(worst) => {
            let since = format!("--since={}", meeting.text("date"));
            (text(&["report", "user", &worst.text("who"), &since]), "the participant with the worst quality")
        }
        None => {
            let number = format!("meeting_no={}", meeting.text("meeting_no"));
            (text(&["report", "run", "meeting-timeline", "--param", &number, "--since", "all"]), "every minute")
        }
    }
}

/// Those with the most poor minutes first; CPU-limited minutes count as well.
fn people(source: &Source<'_>, key: &str, dates: &Dates, causes: &Causes) -> Result<Vec<Row>, CardError> {
    let sql = format!(
        "select
            f.participant_key, f.who, f.who_kind, f.participant_name as name, p.email, f.department, f.site,
            f.network_kind as network, f.device, f.app_version, v.judged_minutes, v.poor_minutes, v.is_affected
         from participant_facts as f
         inner join participants as p on p.participant_key = f.participant_key and p.meeting_date = f.meeting_date
         left join participant_verdicts({}) as v
            on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
         where f.meeting_key = {key} and {}
         order by v.judged_minutes desc nulls last, coalesce(f.participant_name, f.who), f.participant_key",
        source.arguments(dates),
        dates.condition("f.meeting_date")
    );
    let mut people = source.rows("the participants", &sql)?;
    people.sort_by_key(|row| std::cmp::Reverse(causes.bad_minutes_of(row)));
    Ok(people)
}

/// What the affected participants have in common, or all of them where nobody is affected.
fn common_of_affected(people: &[Row]) -> impl Fn(&str) -> String {
    let affected: Vec<Row> = people.iter().filter(|row| row.flag("is_affected") == Some(true)).cloned().collect();
    let (rows, who) = match affected.len() {
        0 => (people.to_vec(), ""),
        _ if affected.len() == people.len() => (affected, ""),
        _ => (affected, " (affected participants)"),
    };
    move |column| format!("{}{who}", common(&rows, column, "participant"))
}

fn comparison(
    source: &Source<'_>,
    meeting: &Row,
    key: &str,
    dates: &Dates,
    people: &[Row],
    cpu_minutes: i64,
) -> Result<Comparison, CardError> {
    let sum = |column: &str| people.iter().map(|row| row.number(column)).sum::<i64>();
    let usual = match dates.before() {
        Some(before) => source.percentages(&format!(
            "select {MEASURES} from {} as j
             inner join meetings as m on m.meeting_key = j.meeting_key and m.meeting_date = j.meeting_date
             where m.meeting_no = {}",
            source.judged(&before),
            quoted(&meeting.text("meeting_no"))
        ))?,
        None => Percentages::default(),
    };
    let at_that_time = |minute: &str| {
        format!(
            "inner join meetings as m on m.meeting_key = {key}
             where {minute}.meeting_key <> {key} and {minute}.minute_utc >= m.start_time_utc
                and {minute}.minute_utc < coalesce(m.end_time_utc, m.start_time_utc + interval '1 hour')"
        )
    };
    // Not searched for if it is not shown.
    let cpu = match cpu_minutes {
        0 => "0".to_owned(),
        _ => format!(
            "(select count(*) from cpu_minutes({}) as c {} and not c.is_poor)",
            source.arguments(dates),
            at_that_time("c")
        ),
    };
    let elsewhere = source.percentages(&format!(
        "select count(q.is_poor) as judged, count(*) filter (where q.is_poor) as poor, {cpu} as cpu
         from quality_minutes({}) as q {}",
        source.arguments(dates),
        at_that_time("q")
    ))?;
    Ok(Comparison {
        usual,
        usual_of: "meetings of this number in the 28 days before",
        elsewhere,
        elsewhere_of: "other meetings at the same time",
        ..Comparison::of(sum("judged_minutes"), sum("poor_minutes"), cpu_minutes)
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
        (Some(false), 0) if comparison.cpu_minutes > 0 => "good except for high CPU load",
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
fn strips(
    source: &Source<'_>,
    key: &str,
    dates: &Dates,
    people: &[Row],
    names: &Names,
    causes: &Causes,
) -> Result<Vec<Strip>, CardError> {
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
    let all = totals.iter().map(|(at, poor, judged)| (*at, Level::of(*poor, *judged)));
    let all: Vec<_> = all.chain(causes.all_levels()).collect();
    let whole = Strip::new("all participants".to_owned(), format!("at most {most} at once"), &all);
    // All strips have the time axis of the meeting.
    let start = whole.as_ref().map(|strip| (strip.start, Level::None));
    let strip = |person: &Row| {
        let participant = person.text("participant_key");
        let own = minutes.iter().filter(|row| row.text("participant_key") == participant).filter_map(minute_level);
        let levels: Vec<_> = start.into_iter().chain(own).chain(causes.levels_of(person)).collect();
        let label = format!("{}, {}, {}", names.get(person), person.text("site"), person.text("network"));
        Strip::new(label, minutes_note(person, causes), &levels)
    };
    let worst = people.iter().filter(|row| causes.bad_minutes_of(row) > 0).take(STRIPS);
    Ok(whole.clone().into_iter().chain(worst.filter_map(strip)).collect())
}
