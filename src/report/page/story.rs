//! The story: what happened, one row per incident on a strip of the period, and what cannot be known.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::incidents::{Incident, Incidents};
use super::markup::{Markup, cut, escaped};
use super::period::{Period, Span};
use super::sentence::{beyond, counted, is_poor_counted, place, problem, sentence, step, when};
use super::shown::{self, count, percent, share};

/// Rows shown until the list is expanded.
const LIMIT: usize = 8;

/// What the story needs to know about the period.
pub(super) struct Scene<'a> {
    pub(super) period: Period,
    pub(super) span: &'a Span,
    /// Days that are missing or incomplete, ascending.
    pub(super) holes: &'a [Date],
    /// Meetings that Feishu counts but the store lacks.
    pub(super) missing_meetings: i64,
    /// That the database does not hold all dates of the page.
    pub(super) not_held: Option<&'a Markup>,
    /// The keys of the meetings shown minute by minute, in order.
    pub(super) meeting_keys: &'a [String],
}

pub(super) fn days(span: &Span) -> Vec<Date> {
    let mut days = Vec::new();
    let mut day = span.since;
    while day < span.until {
        days.push(day);
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    days
}

/// The verdict on the period: how many incidents of which severity, or none, and the days that nobody can judge.
pub(super) fn verdict(incidents: &Incidents, scene: &Scene<'_>) -> String {
    let period = || Markup::word(&format!("story.{}", scene.period.name()));
    let severities: Vec<Markup> = ["critical", "major", "minor"]
        .iter()
        .filter_map(|severity| {
            let n = incidents.list.iter().filter(|incident| incident.severity == *severity).count();
            (n > 0).then(|| Markup::fill(&format!("story.n.{severity}"), &[("n", count(n as i64))]))
        })
        .collect();
    let found = incidents.list.len();
    let mut more = Vec::new();
    if incidents.people > 0 {
        let (people, meetings) = (counted("affected", incidents.people), counted("meetings", incidents.meetings));
        let key = if incidents.people == 1 { "story.reach.one" } else { "story.reach" };
        more.push(Markup::fill(key, &[("people", people), ("meetings", meetings), ("period", period())]));
    }
    if let Some((is_one, values)) = holes(scene) {
        let key = match (found > 0, is_one) {
            (true, true) => "story.hole",
            (true, false) => "story.holes",
            (false, true) => "story.none.hole",
            (false, false) => "story.none.holes",
        };
        more.push(Markup::fill(key, &values));
    }
    if scene.missing_meetings > 0 {
        more.push(Markup::fill("story.census", &[("n", count(scene.missing_meetings))]));
    }
    more.extend(scene.not_held.cloned());
    if !incidents.early_days.is_empty() {
        let days = incidents.early_days.iter().map(|day| shown::short_date(*day)).collect();
        more.push(Markup::fill("story.early", &[("days", few(days))]));
    }
    let text = match found {
        0 => Markup::fill("story.none", &[("period", period())]),
        _ => {
            let key = if found == 1 { "story.incident" } else { "story.found" };
            let list = Markup::join(&severities);
            Markup::fill(key, &[("list", list), ("period", period()), ("all", count(found as i64))])
        }
    };
    // Only a period that can be judged is shown as a good one.
    let class = if found == 0 && more.is_empty() { "verdict none" } else { "verdict" };
    let texts = |language: fn(&Markup) -> &str| more.iter().map(language).collect::<Vec<_>>();
    let more = Markup::pair(texts(|part| &part.en).join(" "), texts(|part| &part.zh).concat());
    let more = match more.en.is_empty() {
        true => String::new(),
        false => format!("<p class=\"verdict-more\">{}</p>", more.render()),
    };
    format!("<p class=\"{class}\">{}</p>{more}", text.render())
}

/// The days that are missing or incomplete, and whether it is only one.
fn holes(scene: &Scene<'_>) -> Option<(bool, [(&'static str, Markup); 3])> {
    let n = scene.holes.len();
    let listed = few(scene.holes.iter().map(|day| shown::short_date(*day)).collect());
    let values = [("n", count(n as i64)), ("all", count(days(scene.span).len() as i64)), ("days", listed)];
    (n > 0).then_some((n == 1, values))
}

/// The first six.
fn few(mut items: Vec<Markup>) -> Markup {
    if items.len() > 6 {
        items.truncate(6);
        items.push(Markup::html("…"));
    }
    Markup::join(&items)
}

/// The strip with its rows; empty without incidents.
pub(super) fn strip(incidents: &Incidents, scene: &Scene<'_>) -> String {
    let list: Vec<&Incident> = incidents.in_story().collect();
    if list.is_empty() {
        return String::new();
    }
    let note = Markup::word("story.note").render();
    let columns = columns(scene);
    let mut html = format!("<p class=\"note\">{note}</p>");
    let is_long = list.len() > LIMIT + 1;
    if is_long {
        html.push_str(&super::table::expander("story"));
    }
    html.push_str(&format!("<div class=\"strip\" style=\"--columns:{}\">{}<ol>", columns.0, columns.1));
    for (at, incident) in list.iter().enumerate() {
        let class = if is_long && at >= LIMIT { " class=\"beyond\"" } else { "" };
        html.push_str(&format!("<li{class}>{}</li>", row(incident, scene)));
    }
    html.push_str("</ol></div>");
    if is_long {
        html.push_str(&super::table::expander_label("story", list.len()));
    }
    html
}

/// The heading of the strip: days, or the hours of one day.
fn columns(scene: &Scene<'_>) -> (usize, String) {
    let mut html = String::from("<div class=\"columns\" aria-hidden=\"true\">");
    if scene.period == Period::Day {
        for hour in 0..24 {
            let label = if hour % 3 == 0 { format!("{hour:02}:00") } else { String::new() };
            html.push_str(&format!("<span>{label}</span>"));
        }
        html.push_str("</div>");
        return (24, html);
    }
    let days = days(scene.span);
    for day in &days {
        let mut class = Vec::new();
        if shown::is_weekend(*day) {
            class.push("weekend");
        }
        if scene.holes.contains(day) {
            class.push("hole");
        }
        let label = match scene.period {
            Period::Month => Markup::html(day.day().to_string()),
            _ => {
                let weekday = shown::weekday(*day);
                Markup::pair(format!("{} {}", weekday.en, day.day()), format!("{} {}日", weekday.zh, day.day()))
            }
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{}\"", class.join(" ")) };
        html.push_str(&format!("<span{class}>{}</span>", label.render()));
    }
    html.push_str("</div>");
    (days.len(), html)
}

fn row(incident: &Incident, scene: &Scene<'_>) -> String {
    let severity = escaped(&incident.severity);
    let beyond = beyond(incident, scene.period, scene.span);
    let beyond = beyond.map(|text| format!(" <span class=\"outside\">{}</span>", text.render())).unwrap_or_default();
    let pill = severity_pill(&incident.severity);
    format!(
        "<details id=\"incident-{}\" class=\"incident {severity}\"><summary><span class=\"say\">{pill} {}</span>{beyond}\
         <span class=\"track\" aria-hidden=\"true\">{}</span></summary>{}</details>",
        incident.no,
        sentence(incident).render(),
        bar(incident, scene.span),
        facts(incident, scene)
    )
}

pub(super) fn severity_pill(severity: &str) -> String {
    let text = Markup::word(match severity {
        "critical" => "severity.critical",
        "major" => "severity.major",
        _ => "severity.minor",
    });
    let (class, mark) = match severity {
        "critical" => ("critical", "▲"),
        "major" => ("major", "◆"),
        _ => ("minor", "●"),
    };
    format!("<span class=\"pill {class}\"><span aria-hidden=\"true\">{mark}</span> {}</span>", text.render())
}

/// The bar at the time of the incident, cut at the ends of the period.
fn bar(incident: &Incident, span: &Span) -> String {
    let minutes = |time: DateTime| time.duration_since(span.since.at(0, 0, 0, 0)).as_mins() as f64;
    let length = minutes(span.until.at(0, 0, 0, 0)).max(1.0);
    let percent = |time: DateTime| (100.0 * minutes(time) / length).clamp(0.0, 100.0);
    // The end is the begin of the last minute.
    let end = incident.end.checked_add(1.minute()).unwrap_or(incident.end);
    let (from, to) = (percent(incident.start), percent(end));
    // An arrow where it goes beyond the period.
    let class = match (incident.began_before(span), incident.continued_after(span)) {
        (true, true) => " class=\"before after\"",
        (true, false) => " class=\"before\"",
        (false, true) => " class=\"after\"",
        (false, false) => "",
    };
    format!("<i{class} style=\"left:{from:.2}%;width:{:.2}%\"></i>", (to - from).max(0.0))
}

fn facts(incident: &Incident, scene: &Scene<'_>) -> String {
    let mut html = String::from("<dl>");
    let mut fact = |name: Markup, value: String| {
        if !value.is_empty() {
            html.push_str(&format!("<div><dt>{}</dt><dd>{value}</dd></div>", name.render()));
        }
    };
    fact(Markup::word("fact.when"), when(incident).render());
    let cause = [("what", problem(incident)), ("poor", count(incident.poor)), ("judged", count(incident.judged))];
    let is_poor_counted = is_poor_counted(incident);
    let text = if is_poor_counted { "fact.cause.text" } else { "fact.cause.cpu" };
    fact(Markup::word("fact.cause"), Markup::fill(text, &cause).render());
    let known = |value: Option<f64>, key: &str, name: &'static str| {
        value.map(|value| Markup::fill(key, &[(name, share(value))]))
    };
    let compared: Vec<Markup> = [
        known(incident.poor_pct, if is_poor_counted { "fact.here" } else { "fact.here.cpu" }, "poor"),
        known(incident.usual_pct, "fact.usual", "usual").or_else(|| Some(Markup::word("fact.no_usual"))),
        known(incident.elsewhere_pct, "fact.elsewhere", "elsewhere"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let texts = |language: fn(&Markup) -> &str| compared.iter().map(language).collect::<Vec<_>>();
    let compared = Markup::pair(texts(|part| &part.en).join("; "), texts(|part| &part.zh).join("，"));
    fact(Markup::word("fact.comparison"), compared.render());
    let more = |key: &str, listed: usize, all: i64| {
        let rest = all - listed as i64;
        (rest > 0).then(|| Markup::fill(key, &[("n", count(rest))]))
    };
    let people = incident.people.iter().map(|member| {
        let name = Markup::outside(&cut(&member.name, 60));
        Markup::fill("fact.person", &[("name", name), ("minutes", count(member.poor))])
    });
    let people: Vec<Markup> = people.chain(more("more.people", incident.people.len(), incident.participants)).collect();
    let n = |value: i64| [("n", count(value))];
    fact(Markup::fill("fact.people", &n(incident.participants)), Markup::join(&people).render());
    let meetings = incident.in_meetings.iter().map(|meeting| meeting_of(meeting, scene));
    let rest = more("more.meetings", incident.in_meetings.len(), incident.meetings).map(|more| more.render());
    let meetings: Vec<String> = meetings.chain(rest).map(|item| format!("<li>{item}</li>")).collect();
    if !meetings.is_empty() {
        fact(Markup::fill("fact.meetings", &n(incident.meetings)), format!("<ul>{}</ul>", meetings.concat()));
    }
    fact(Markup::word("fact.todo"), step(incident).map(|step| step.render()).unwrap_or_default());
    fact(Markup::word("fact.command"), command(incident));
    html.push_str("</dl>");
    html
}

fn meeting_of(meeting: &super::incidents::MeetingOf, scene: &Scene<'_>) -> String {
    let start = meeting.start.map(|start| shown::when(start).render()).unwrap_or_default();
    let topic = meeting
        .topic
        .as_deref()
        .map_or_else(|| escaped(&meeting.meeting_no), |topic| super::markup::outside(&cut(topic, 80)));
    // A script makes it a link to the minutes.
    let place = scene.meeting_keys.iter().position(|key| *key == meeting.key);
    match place {
        Some(at) => format!("{start} <span data-meeting=\"{}\">{topic}</span>", at + 1),
        None => format!("{start} {topic}"),
    }
}

/// The command that shows an incident.
pub(super) fn command(incident: &Incident) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,".contains(c);
    let id = match !incident.id.is_empty() && incident.id.chars().all(is_plain) {
        true => incident.id.clone(),
        false => format!("'{}'", incident.id.replace('\'', "'\\''")),
    };
    format!("<code>vcq-etl report incident {}</code>", escaped(&id))
}

/// What the table of chronic problems counts.
pub(super) fn chronic_note(incidents: &Incidents, scene: &Scene<'_>) -> Markup {
    let note = Markup::word("s.chronic.note");
    let is_beyond = |one: &Incident| one.began_before(scene.span) || one.continued_after(scene.span);
    match incidents.chronic().any(is_beyond) {
        false => note,
        true => {
            let period = Markup::word(&format!("period.{}", scene.period.name()));
            let beyond = Markup::fill("chronic.beyond", &[("period", period)]);
            Markup::pair(format!("{} {}", note.en, beyond.en), format!("{}{}", note.zh, beyond.zh))
        }
    }
}

/// People and rooms with chronic problems. On a narrow screen each is a block, in which values need their names.
pub(super) fn chronic(incidents: &Incidents) -> String {
    let list: Vec<&Incident> = incidents.chronic().collect();
    if list.is_empty() {
        let text = if incidents.is_early_for_chronic { "s.chronic.early" } else { "s.chronic.none" };
        return format!("<p class=\"quiet\">{}</p>", Markup::word(text).render());
    }
    let heads = [
        ("c.state", ""),
        ("c.name", ""),
        ("c.problem", ""),
        ("c.since", ""),
        ("c.as_of", ""),
        ("c.meetings", " class=\"num\""),
        ("c.minutes_pct", " class=\"num\""),
        ("c.elsewhere_pct", " class=\"num\""),
        ("c.command", ""),
    ];
    let head: String = heads
        .iter()
        .map(|(key, class)| {
            let name = Markup::word(key).render();
            format!("<th scope=\"col\" data-key=\"{}\"{class}>{name}</th>", &key[2..])
        })
        .collect();
    let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| percent(value, 1));
    let day = |time: DateTime| (shown::date(time.date()).render(), format!(" data-value=\"{}\"", time.date()));
    let plain = |text: String| (text, String::new());
    let row = |incident: &&Incident| {
        let cells = [
            plain(severity_pill(&incident.severity)),
            plain(place(incident).render()),
            plain(problem(incident).render()),
            day(incident.start),
            day(incident.end),
            plain(count(incident.meetings).render()),
            plain(share(incident.poor_pct)),
            plain(share(incident.elsewhere_pct)),
            plain(command(incident)),
        ];
        let cells = heads.iter().zip(cells).map(|((key, class), (text, value))| {
            let label = match *key {
                "c.state" | "c.name" | "c.problem" | "c.command" => String::new(),
                _ => format!("<small class=\"label\">{} </small>", Markup::word(key).render()),
            };
            format!("<td{class}{value}>{label}{text}</td>")
        });
        format!("<tr id=\"incident-{}\">{}</tr>", incident.no, cells.collect::<String>())
    };
    let body: String = list.iter().map(row).collect();
    format!(
        "<div class=\"scroll\"><table id=\"t-chronic\"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
}
