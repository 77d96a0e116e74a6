//! The card of a person, room or guest: all participations of a window.

use std::collections::BTreeSet;

use super::causes::{Causes, minutes_note};
use super::error::CardError;
use super::facts::{Dates, MEASURES, Row, Source, common, known_common, minute_level};
use super::findings::Findings;
use super::model::{Card, Choice, Comparison, Percentages};
use super::strip::Strip;
use super::words::{PARTICIPATION, Words};
use crate::schema::ddl::quoted;

/// Participations shown minute by minute: the worst ones.
const STRIPS: usize = 5;

pub(crate) fn user_card(source: &Source<'_>, user: &Choice, dates: &Dates, window: &str) -> Result<Card, CardError> {
    let who = quoted(&user.who);
    let sessions = sessions(source, &who, dates)?;
    let keys = format!("(select f.participant_key from participant_facts as f where f.who = {who})");
    let causes = Causes::read(source, dates, &format!("c.participant_key in {keys}"))?;
    let comparison = comparison(source, &who, dates, &sessions, causes.cpu_limited())?;
    let strips = strips(source, &sessions, &causes, dates)?;
    let name = if user.name.is_empty() { &user.who } else { &user.name };
    let words = source.words();
    let about = [words.value("kind", &user.kind), user.department.clone()];
    let about: Vec<String> = about.into_iter().filter(|text| !text.is_empty()).collect();
    let about = about.join(words.0.pick(", ", "，"));
    let title = words.fill("card.in_brackets", &[("text", name), ("more", &about)]);
    let worst = sessions.iter().max_by_key(|row| (causes.bad_minutes_of(row), row.time("join_time_local")));
    let meeting = |row: &Row| vec!["report".to_owned(), "meeting".to_owned(), row.text("meeting_key")];
    let facts = facts(&sessions, words);
    let before = vec![
        // Without a name, the ID is shown in its place.
        (
            "who",
            match user.name.is_empty() {
                true => title.clone(),
                false => words.fill("card.person", &[("name", name), ("about", &about), ("id", &user.who)]),
            },
        ),
        // Without the hint how to see more.
        ("when", window.split(words.0.pick(" (--", "（更长")).next().unwrap_or(window).to_owned()),
    ];
    let after = facts.iter().filter(|(label, _)| *label != "coverage").cloned();
    let after = after.chain(worst.map(|row| ("worst_meeting", session_text(source, row, &causes)))).collect();
    let findings = Findings {
        incidents: source.incidents(dates, &keys)?,
        short_history: source.short_history(dates)?,
        verdict: verdict(&sessions, &comparison, &causes, words),
        causes: causes.list,
        comparison,
        facts,
        strips,
        next: worst.map(|row| (meeting(row), "card.next.worst_meeting")).into_iter().collect(),
        ticket: (before, after),
        ticket_incidents: 1,
    };
    Ok(findings.card(Card {
        words,
        kind: "user",
        title,
        id: user.who.clone(),
        window: window.to_owned(),
        profile: source.profile().to_owned(),
        ..Card::default()
    }))
}

fn sessions(source: &Source<'_>, who: &str, dates: &Dates) -> Result<Vec<Row>, CardError> {
    let sql = format!(
        "select
            f.participant_key, f.meeting_key, cast(f.meeting_date as varchar) as meeting_date, f.meeting_no,
            coalesce(m.meeting_topic, f.meeting_no) as topic, f.site, f.subnet, f.egress, f.network_kind as network,
            f.protocol, case when f.use_rtc_proxy then 'yes' when not f.use_rtc_proxy then 'no' end as proxy, f.device,
            f.app_version, f.microphone, f.speaker, f.camera, f.join_time_local,
            v.judged_minutes, v.poor_minutes, v.is_affected, c.status
         from participant_facts as f
         left join participant_verdicts({}) as v
            on v.participant_key = f.participant_key and v.meeting_date = f.meeting_date
         left join meetings as m on m.meeting_key = f.meeting_key and m.meeting_date = f.meeting_date
         left join coverage as c on c.participant_key = f.participant_key and c.meeting_date = f.meeting_date
         where f.who = {who} and {}
         order by f.join_time_utc, f.participant_key",
        source.arguments(dates),
        dates.condition("f.meeting_date")
    );
    source.rows("the meetings of this person", &sql)
}

fn comparison(
    source: &Source<'_>,
    who: &str,
    dates: &Dates,
    sessions: &[Row],
    cpu_minutes: i64,
) -> Result<Comparison, CardError> {
    let sum = |column: &str| sessions.iter().map(|row| row.number(column)).sum::<i64>();
    let shares = |dates: &Dates, condition: &str| {
        source.percentages(&format!(
            "select {MEASURES} from {} as j
             inner join participant_facts as f on f.participant_key = j.participant_key and f.meeting_date = j.meeting_date
             where {condition}",
            source.judged(dates)
        ))
    };
    let usual = match dates.before() {
        Some(before) => shares(&before, &format!("f.who = {who}"))?,
        None => Percentages::default(),
    };
    let days = format!(
        "f.who <> {who} and f.meeting_date in (select o.meeting_date from participant_facts as o where o.who = {who})"
    );
    Ok(Comparison {
        usual,
        usual_of: if dates.since.is_some() { "card.of.days" } else { "" },
        elsewhere: shares(dates, &days)?,
        elsewhere_of: "card.of.everybody",
        ..Comparison::of(sum("judged_minutes"), sum("poor_minutes"), cpu_minutes)
    })
}

/// `affected in 4 of 9 meetings, on 3 of 5 days; 61 of 412 judged minutes poor (14.8 %)`, or `CPU-limited in 8 of ...`
/// if most of the affected minutes are CPU-limited.
fn verdict(sessions: &[Row], comparison: &Comparison, causes: &Causes, words: Words) -> String {
    if sessions.is_empty() {
        return words.say("card.user.none");
    }
    let is_mostly_cpu = comparison.is_mostly_cpu();
    let is_affected = |row: &&Row| match is_mostly_cpu {
        true => causes.cpu_limited_of(row) > 0,
        false => row.flag("is_affected") == Some(true),
    };
    let count = |rows: Vec<&Row>, column: &str| rows.iter().map(|row| row.text(column)).collect::<BTreeSet<_>>().len();
    let affected: Vec<&Row> = sessions.iter().filter(is_affected).collect();
    let all: Vec<&Row> = sessions.iter().collect();
    words.fill(
        if is_mostly_cpu { "card.user.cpu" } else { "card.user.affected" },
        &[
            ("n", &count(affected.clone(), "meeting_key").to_string()),
            ("meetings", &words.counted(count(all.clone(), "meeting_key") as i64, "meeting")),
            ("d", &count(affected, "meeting_date").to_string()),
            ("days", &words.counted(count(all, "meeting_date") as i64, "day")),
            ("minutes", &comparison.minutes_text(words)),
        ],
    )
}

fn facts(sessions: &[Row], words: Words) -> Vec<(&'static str, String)> {
    if sessions.is_empty() {
        return Vec::new();
    }
    let of = |column: &str| common(sessions, column, PARTICIPATION, words);
    let mut facts = vec![
        ("place", words.fill("card.place_and_egress", &[("site", &of("site")), ("egress", &of("egress"))])),
        ("device", words.fill("card.device_and_app", &[("device", &of("device")), ("version", &of("app_version"))])),
        (
            "network",
            words.fill(
                "card.path",
                &[("network", &of("network")), ("protocol", &of("protocol")), ("proxy", &of("proxy"))],
            ),
        ),
    ];
    facts.extend(known_common(sessions, "microphone", PARTICIPATION, words).map(|text| ("microphone", text)));
    let incomplete: Vec<Row> = sessions
        .iter()
        .filter(|row| row.optional("status").is_some_and(|status| status != "complete"))
        .cloned()
        .collect();
    if !incomplete.is_empty() {
        let all = words.of_unit(sessions.len(), PARTICIPATION);
        let status = common(&incomplete, "status", PARTICIPATION, words);
        let values = [("n", incomplete.len().to_string()), ("all", all), ("status", status)];
        let values = values.each_ref().map(|(name, text)| (*name, text.as_str()));
        facts.push(("coverage", words.fill("card.incomplete", &values)));
    }
    facts
}

/// `Tue 17 Nov 09:30 Weekly sync (123456789), 44 of 58 judged minutes poor (75.9 %); another 3 CPU-limited (5.2 %)`.
fn session_text(source: &Source<'_>, row: &Row, causes: &Causes) -> String {
    let words = source.words();
    let minutes = Comparison::of(row.number("judged_minutes"), row.number("poor_minutes"), causes.cpu_limited_of(row));
    words.fill(
        "card.session",
        &[
            ("when", &source.moment(row.time("join_time_local"))),
            ("topic", &row.text("topic")),
            ("number", &row.text("meeting_no")),
            ("minutes", &minutes.minutes_text(words)),
        ],
    )
}

fn strips(source: &Source<'_>, sessions: &[Row], causes: &Causes, dates: &Dates) -> Result<Vec<Strip>, CardError> {
    let mut chosen: Vec<&Row> = sessions.iter().filter(|row| row.number("judged_minutes") > 0).collect();
    chosen.sort_by_key(|row| std::cmp::Reverse((causes.bad_minutes_of(row), row.time("join_time_local"))));
    chosen.truncate(STRIPS);
    chosen.sort_by_key(|row| row.time("join_time_local"));
    let keys: Vec<String> = chosen.iter().map(|row| quoted(&row.text("participant_key"))).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "select q.participant_key, q.minute_local, q.is_poor from quality_minutes({}) as q
         where q.participant_key in ({}) and {}",
        source.arguments(dates),
        keys.join(", "),
        dates.condition("q.meeting_date")
    );
    let minutes = source.rows("the minutes", &sql)?;
    let strip = |row: &&Row| {
        let key = row.text("participant_key");
        let of_session = minutes.iter().filter(|minute| minute.text("participant_key") == key);
        let levels: Vec<_> = of_session.filter_map(minute_level).chain(causes.levels_of(row)).collect();
        let when = source.moment(row.time("join_time_local"));
        Strip::new(format!("{when}  {}", row.text("topic")), minutes_note(row, causes, source.words()), &levels)
    };
    Ok(chosen.iter().filter_map(strip).collect())
}
