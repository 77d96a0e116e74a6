//! The card of a meeting.

use super::causes::{Causes, minutes_note};
use super::error::CardError;
use super::facts::{Dates, MEASURES, Row, Source, common, minute_level};
use super::findings::Findings;
use super::model::{Card, Comparison, Percentages};
use super::people::Names;
use super::strip::{Level, Strip};
use super::words::{PARTICIPANT, Words};
use crate::report::times::span_with_year;
use crate::schema::ddl::quoted;
use crate::text::duration_text;

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
    let words = source.words();
    let names = Names::of(&people, words);
    let comparison = comparison(source, &meeting, &key, &dates, &people, causes.cpu_limited())?;
    let of_meeting = format!("(select f.participant_key from participant_facts as f where f.meeting_key = {key})");
    let strips = strips(source, &key, &dates, &people, &names, &causes)?;
    let topic = meeting.optional("meeting_topic").unwrap_or_else(|| words.say("card.no_topic"));
    let number = meeting.text("meeting_no");
    let when = match (meeting.time("start_time_local"), meeting.time("end_time_local")) {
        (Some(start), Some(end)) => words.fill("card.local", &[("when", &span_with_year(start, end, words.0))]),
        (Some(start), None) => words.fill("card.local", &[("when", &source.moment(Some(start)))]),
        _ => meeting.text("date"),
    };
    let duration = meeting.number("meeting_duration_s");
    let when = match duration > 0 {
        true => {
            let length = duration_text(duration as f64);
            words.fill("card.in_brackets", &[("text", &when), ("more", &words.0.say(&length))])
        }
        false => when,
    };
    let affected = common_of_affected(&people, words);
    let unknown = || words.say("card.unknown");
    let device = [affected("device"), affected("app_version")];
    let mut facts = vec![
        ("organiser", meeting.optional("organizer").unwrap_or_else(unknown)),
        ("place", affected("site")),
        ("device", words.fill("card.device_and_app", &[("device", &device[0]), ("version", &device[1])])),
        ("network", affected("network")),
    ];
    let others = others(source, &number, &key)?;
    if !others.is_empty() {
        facts.push(("others", words.clauses(&others)));
    }
    let organiser = meeting.text("organizer");
    let named = [("topic", topic.as_str()), ("number", &number), ("organiser", &organiser)];
    let before = vec![
        ("meeting", words.fill("card.meeting_and_organiser", &named)),
        ("when", words.fill("card.starts", &[("when", &when), ("utc", &meeting.text("start_time_utc"))])),
    ];
    let incidents = source.incidents_by_minutes(&dates, &of_meeting)?;
    let findings = Findings {
        ticket_incidents: incidents.len(),
        incidents,
        short_history: source.short_history(&dates)?,
        verdict: verdict(source, &key, &dates, &comparison)?,
        ticket: (before, after_comparison(&people, &names, &causes, &affected, words)),
        next: vec![next(people.first(), &causes, &meeting)],
        causes: causes.list,
        comparison,
        facts,
        strips,
    };
    Ok(findings.card(Card {
        words,
        kind: "meeting",
        title: words.fill("card.in_brackets", &[("text", &topic), ("more", &number)]),
        id: meeting_key.to_owned(),
        window: when,
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
    words: Words,
) -> Vec<(&'static str, String)> {
    let mut lines = vec![("place", affected("site")), ("network", affected("network"))];
    let listed = |is_listed: &dyn Fn(&Row) -> bool, minutes: &dyn Fn(&Row) -> i64| {
        let listed = people.iter().filter(|row| is_listed(row)).take(STRIPS);
        let text = |row: &Row| {
            let (name, n) = (names.get(row), minutes(row).to_string());
            let values = [("name", name.as_str()), ("n", &n), ("judged", &row.number("judged_minutes").to_string())];
            words.fill("card.minutes_of", &values)
        };
        words.list(&listed.map(text).collect::<Vec<_>>())
    };
    let poor = listed(&|row| row.flag("is_affected") == Some(true), &|row| row.number("poor_minutes"));
    let cpu = listed(&|row| causes.cpu_limited_of(row) > 0, &|row| causes.cpu_limited_of(row));
    lines.extend([("affected", poor), ("cpu_limited", cpu)].into_iter().filter(|(_, text)| !text.is_empty()));
    lines
}

/// The command about the participant whose meeting was worst, or about every minute.
fn next(worst: Option<&Row>, causes: &Causes, meeting: &Row) -> (Vec<String>, &'static str) {
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match worst.filter(|row| causes.bad_minutes_of(row) > 0) {
        Some(worst) => {
            let since = format!("--since={}", meeting.text("date"));
            (text(&["report", "user", &worst.text("who"), &since]), "card.next.worst_participant")
        }
        None => {
            let number = format!("meeting_no={}", meeting.text("meeting_no"));
            (text(&["report", "run", "meeting-timeline", "--param", &number, "--since", "all"]), "card.next.minutes")
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
fn common_of_affected(people: &[Row], words: Words) -> impl Fn(&str) -> String {
    let affected: Vec<Row> = people.iter().filter(|row| row.flag("is_affected") == Some(true)).cloned().collect();
    let (rows, is_part) = match affected.len() {
        0 => (people.to_vec(), false),
        _ if affected.len() == people.len() => (affected, false),
        _ => (affected, true),
    };
    move |column| {
        let text = common(&rows, column, PARTICIPANT, words);
        if is_part { words.fill("card.affected_only", &[("text", &text)]) } else { text }
    }
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
        usual_of: "card.of.number",
        elsewhere,
        elsewhere_of: "card.of.meetings",
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
    let words = source.words();
    let Some(row) = rows.first() else { return Ok(words.say("card.meeting.none")) };
    let affected = row.number("affected_participants");
    let word = match (row.flag("is_poor"), affected) {
        (None, _) => return Ok(words.say("card.minutes.none")),
        (Some(true), _) => "card.meeting.poor",
        (Some(false), 0) if comparison.cpu_minutes > 0 => "card.meeting.cpu",
        (Some(false), 0) => "card.meeting.good",
        (Some(false), _) => "card.meeting.partly",
    };
    Ok(words.fill(
        "card.meeting.of",
        &[
            ("word", &words.say(word)),
            ("n", &affected.to_string()),
            ("all", &words.counted(row.number("judged_participants"), "participant")),
            ("minutes", &comparison.minutes_text(words)),
        ],
    ))
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
    let (words, total) = (source.words(), rows.first().map_or(0, |row| row.number("others")));
    let mut texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let when = source.moment(row.time("start_time_local"));
            words.fill("card.other_meeting", &[("when", &when), ("key", &row.text("meeting_key"))])
        })
        .collect();
    if total > texts.len() as i64 {
        let more = (total - texts.len() as i64).to_string();
        texts.push(words.fill("card.more_meetings", &[("n", &more)]));
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
    let words = source.words();
    let most = words.fill("card.strip.most", &[("n", &most.to_string())]);
    let whole = Strip::new(words.say("card.strip.all"), most, &all);
    // All strips have the time axis of the meeting.
    let start = whole.as_ref().map(|strip| (strip.start, Level::None));
    let strip = |person: &Row| {
        let participant = person.text("participant_key");
        let own = minutes.iter().filter(|row| row.text("participant_key") == participant).filter_map(minute_level);
        let levels: Vec<_> = start.into_iter().chain(own).chain(causes.levels_of(person)).collect();
        let [site, network] = ["site", "network"].map(|column| words.value(column, &person.text(column)));
        let label = [("name", names.get(person)), ("site", site), ("network", network)];
        let label = words.fill("card.strip.person", &label.each_ref().map(|(name, text)| (*name, text.as_str())));
        Strip::new(label, minutes_note(person, causes, words), &levels)
    };
    let worst = people.iter().filter(|row| causes.bad_minutes_of(row) > 0).take(STRIPS);
    Ok(whole.clone().into_iter().chain(worst.filter_map(strip)).collect())
}
