//! An incident as one sentence. Both languages are composed from its columns, so that both read naturally.

use super::incidents::Incident;
use super::markup::{Markup, cut};
use super::period::{Period, Span};
use super::shown::{self, count, date, share, stretch};
use super::words::find;

/// Characters of a name in a sentence.
const MAX_NAME: usize = 60;

/// When, where, what, for whom, and compared with what.
pub(super) fn sentence(incident: &Incident) -> Markup {
    let when = match incident.is_chronic {
        true => date(incident.start.date()),
        false => stretch(incident.start, incident.end),
    };
    let values = [
        ("when", when),
        ("where", place(incident).within("<b>", "</b>")),
        ("what", problem(incident).within("<b>", "</b>")),
        ("reach", reach(incident)),
    ];
    let said = Markup::fill(if incident.is_chronic { "say.chronic" } else { "say.acute" }, &values);
    match comparison(incident) {
        None => said.then(&Markup::pair("", "。")),
        Some(compared) => said.then(&Markup::pair(format!("; {}", compared.en), format!("；{}。", compared.zh))),
    }
}

/// Where it was: the scope by its name.
pub(super) fn place(incident: &Incident) -> Markup {
    let name = match incident.scope_kind.as_str() {
        "network_type" => network(&incident.scope_name),
        _ => Markup::outside(&cut(&incident.scope_name, MAX_NAME)),
    };
    let key = format!("scope.{}", incident.scope_kind);
    match find(&key) {
        Some(_) => Markup::fill(&key, &[("name", name)]),
        None => name,
    }
}

pub(super) fn network(name: &str) -> Markup {
    find(&format!("network.{name}")).map_or_else(|| Markup::outside(name), Markup::of)
}

/// The metric and its direction, as a problem.
pub(super) fn problem(incident: &Incident) -> Markup {
    let known = find(&format!("what.{}.{}", incident.metric, incident.direction));
    known.map_or_else(|| Markup::outside(&format!("{} {}", incident.metric, incident.direction)), Markup::of)
}

/// The next step for a metric and a direction.
pub(super) fn next_step(metric: &str, direction: &str) -> Option<Markup> {
    find(&format!("todo.{metric}.{direction}")).or_else(|| find(&format!("todo.{metric}.both"))).map(Markup::of)
}

/// The next step for an incident: what to do about a metric depends on what those affected have in common.
pub(super) fn step(incident: &Incident) -> Option<Markup> {
    let (kind, metric) = (incident.scope_kind.as_str(), incident.metric.as_str());
    if kind == "service" && metric != "cpu" {
        return Some(Markup::word("todo.service_wide"));
    }
    let metric_class = if matches!(metric, "loss" | "jitter") { "packets" } else { metric };
    let of_metric = format!("step.{kind}.{metric_class}");
    let of_network = incident.network.as_ref().map(|network| format!("{of_metric}.{network}"));
    let keys = of_network.into_iter().chain([of_metric, format!("step.{kind}.any")]);
    let found = keys.filter_map(|key| find(&key)).next();
    found.map(Markup::of).or_else(|| next_step(metric, &incident.direction))
}

/// `1 meeting`, `3 meetings`.
pub(super) fn counted(what: &str, n: i64) -> Markup {
    let key = if n == 1 { format!("n.{what}.one") } else { format!("n.{what}") };
    Markup::fill(&key, &[("n", count(n))])
}

/// Whole hours.
pub(super) fn hours(hours: f64) -> Markup {
    match hours > 0.0 && hours < 0.5 {
        true => Markup::word("n.hours.less"),
        false => counted("hours", hours.round() as i64),
    }
}

/// When it was. The end of a chronic incident is only the last minute known when it was searched for.
pub(super) fn when(incident: &Incident) -> Markup {
    match incident.is_chronic {
        true => {
            let (start, end) = (date(incident.start.date()), shown::short_date(incident.end.date()));
            Markup::fill("fact.since", &[("start", start), ("end", end)])
        }
        false => stretch(incident.start, incident.end),
    }
}

/// Says that an incident extends beyond the period, so that its numbers are not those of the period.
pub(super) fn beyond(incident: &Incident, period: Period, span: &Span) -> Option<Markup> {
    let key = match (incident.began_before(span), incident.continued_after(span), incident.is_chronic) {
        (false, false, _) => return None,
        (true, false, _) => "beyond.before",
        (false, true, false) => "beyond.after",
        (true, true, false) => "beyond.both",
        (false, true, true) => "beyond.after.chronic",
        (true, true, true) => "beyond.both.chronic",
    };
    let period = Markup::word(&format!("period.{}", period.name()));
    Some(Markup::fill(key, &[("period", period), ("end", shown::short_date(incident.end.date()))]))
}

/// Incidents of the metric cpu count CPU-limited minutes, also those that are not poor.
pub(super) fn is_poor_counted(incident: &Incident) -> bool {
    incident.metric != "cpu"
}

fn reach(incident: &Incident) -> Markup {
    let (people, meetings) = (("people", people(incident)), ("meetings", count(incident.meetings)));
    match (incident.scope_kind.as_str(), incident.meetings) {
        ("person" | "room", 1) => Markup::word("say.meeting"),
        ("person" | "room", _) => Markup::fill("say.meetings", &[meetings]),
        ("meeting", _) => Markup::fill("say.reach.people", &[people]),
        (_, 1) => Markup::fill("say.reach.one", &[people]),
        _ => Markup::fill("say.reach", &[people, meetings]),
    }
}

fn people(incident: &Incident) -> Markup {
    let of = |one: &str, several: &str, n: i64| Markup::fill(if n == 1 { one } else { several }, &[("n", count(n))]);
    let people = incident.participants - incident.rooms;
    let people_said = of("say.people.one", "say.people", people);
    let rooms_said = of("say.rooms.one", "say.rooms", incident.rooms);
    match (people, incident.rooms) {
        (_, 0) => people_said,
        (0, _) => rooms_said,
        _ => Markup::fill("say.people.rooms", &[("people", people_said), ("rooms", rooms_said)]),
    }
}

fn comparison(incident: &Incident) -> Option<Markup> {
    let part =
        |key: &str, name: &str, value: Option<f64>| value.map(|value| Markup::fill(key, &[(name, share(value))]));
    let poor = if is_poor_counted(incident) { "say.poor" } else { "say.cpu" };
    let poor = part(poor, "poor", incident.poor_pct);
    let others =
        [part("say.usual", "usual", incident.usual_pct), part("say.elsewhere", "elsewhere", incident.elsewhere_pct)];
    let parts: Vec<Markup> = poor.into_iter().chain(others.into_iter().flatten()).collect();
    let texts = |language: fn(&Markup) -> &str| parts.iter().map(language).collect::<Vec<_>>();
    match parts.is_empty() {
        true => None,
        false => Some(Markup::pair(texts(|part| &part.en).join(", "), texts(|part| &part.zh).join("，"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::shown::parse_time;

    fn incident(scope_kind: &str, name: &str) -> Incident {
        Incident {
            no: 1,
            id: "i".to_owned(),
            severity: "major".to_owned(),
            is_chronic: false,
            scope_kind: scope_kind.to_owned(),
            scope: name.to_owned(),
            scope_name: name.to_owned(),
            metric: "jitter".to_owned(),
            direction: "both".to_owned(),
            start: parse_time("2026-11-20 09:40:00").expect("a time"),
            end: parse_time("2026-11-20 12:06:00").expect("a time"),
            participants: 7,
            rooms: 0,
            meetings: 3,
            poor: 412,
            judged: 530,
            poor_pct: Some(77.7),
            usual_pct: Some(0.4),
            elsewhere_pct: Some(0.6),
            network: None,
            people: Vec::new(),
            in_meetings: Vec::new(),
        }
    }

    /// The text of both languages, without tags.
    fn texts(incident: &Incident) -> String {
        let plain = |markup: String| {
            let mut text = String::new();
            let mut is_tag = false;
            for c in markup.chars() {
                match c {
                    '<' => is_tag = true,
                    '>' => is_tag = false,
                    c if !is_tag => text.push(if c == '\u{a0}' { ' ' } else { c }),
                    _ => {}
                }
            }
            text
        };
        let said = sentence(incident);
        format!("{}\n{}", plain(said.en), plain(said.zh))
    }

    #[test]
    fn an_outage_of_a_site_is_one_sentence() {
        insta::assert_snapshot!(texts(&incident("site", "Harbour House")), @r"
        Fri 20 Nov 09:40–12:06, Harbour House: jitter both ways, 7 people, 3 meetings; 78 % poor, usually 0.4 %, elsewhere 0.6 %
        11月20日（周五）09:40–12:06，Harbour House：收发双向抖动过大，影响 7 人、3 场会议；质差率 78%，平时 0.4%，同期其他人 0.6%。
        ");
    }

    #[test]
    fn rooms_are_not_counted_as_people() {
        let said = |participants, rooms| {
            let site = Incident { participants, rooms, ..incident("site", "Harbour House") };
            let texts = texts(&site);
            let part = |text: &str, from: &str, to: &str| {
                let rest = text.split_once(from).expect("the problem").1;
                rest.split_once(to).expect("the share").0.to_owned()
            };
            let (en, zh) = texts.split_once('\n').expect("two lines");
            [part(en, "both ways, ", "; "), part(zh, "过大，", "；")]
        };
        assert_eq!(said(7, 2), ["5 people and 2 rooms, 3 meetings", "影响 5 人和 2 间会议室、3 场会议"]);
        assert_eq!(said(2, 1), ["1 person and 1 room, 3 meetings", "影响 1 人和 1 间会议室、3 场会议"]);
        assert_eq!(said(3, 3), ["3 rooms, 3 meetings", "影响 3 间会议室、3 场会议"]);
    }

    #[test]
    fn every_kind_of_scope_and_every_cause_is_said() {
        let mut said = String::new();
        for (kind, name) in [
            ("service", "service"),
            ("egress", "203.0.113.0/24"),
            ("subnet", "10.11.3.0/24"),
            ("meeting", "周会"),
            ("app_version", "7.31.2"),
            ("device", "windows"),
            ("network_type", "wifi"),
            ("network_type", "satellite"),
            ("location", "Leeds"),
            ("planet", "Mars"),
        ] {
            for line in texts(&incident(kind, name)).lines() {
                let place = line.split_once("12:06").expect("a time").1;
                said.push_str(place.split([';', '；']).next().unwrap_or_default().trim_start_matches([',', '，', ' ']));
                said.push('\n');
            }
        }
        insta::assert_snapshot!(said, @r"
        everywhere: jitter both ways, 7 people, 3 meetings
        全局：收发双向抖动过大，影响 7 人、3 场会议
        public network 203.0.113.0/24: jitter both ways, 7 people, 3 meetings
        网络出口 203.0.113.0/24：收发双向抖动过大，影响 7 人、3 场会议
        subnet 10.11.3.0/24: jitter both ways, 7 people, 3 meetings
        子网 10.11.3.0/24：收发双向抖动过大，影响 7 人、3 场会议
        meeting “周会”: jitter both ways, 7 people
        会议「周会」：收发双向抖动过大，影响 7 人
        app version 7.31.2: jitter both ways, 7 people, 3 meetings
        客户端版本 7.31.2：收发双向抖动过大，影响 7 人、3 场会议
        device type windows: jitter both ways, 7 people, 3 meetings
        设备类型 windows：收发双向抖动过大，影响 7 人、3 场会议
        network type wifi: jitter both ways, 7 people, 3 meetings
        网络类型「无线」：收发双向抖动过大，影响 7 人、3 场会议
        network type satellite: jitter both ways, 7 people, 3 meetings
        网络类型「satellite」：收发双向抖动过大，影响 7 人、3 场会议
        location Leeds: jitter both ways, 7 people, 3 meetings
        地区 Leeds：收发双向抖动过大，影响 7 人、3 场会议
        Mars: jitter both ways, 7 people, 3 meetings
        Mars：收发双向抖动过大，影响 7 人、3 场会议
        ");
        for metric in ["loss", "delay", "jitter", "frame_rate", "cpu"] {
            for direction in ["received", "sent", "both"] {
                assert!(find(&format!("what.{metric}.{direction}")).is_some(), "{metric} {direction}");
                assert!(next_step(metric, direction).is_some(), "{metric} {direction}");
            }
        }
    }

    #[test]
    fn the_next_step_depends_on_the_scope_the_metric_and_the_network() {
        let said = |kind: &str, metric: &str, network: Option<&str>| {
            let one =
                Incident { metric: metric.to_owned(), network: network.map(str::to_owned), ..incident(kind, "name") };
            step(&one).unwrap_or_else(|| panic!("no step for {kind} {metric}")).en
        };
        let metrics = ["loss", "delay", "jitter", "frame_rate", "cpu"];
        for metric in metrics {
            assert!(said("app_version", metric, None).starts_with("Roll back or update"), "{metric}");
            for kind in ["site", "egress", "subnet", "location"] {
                let text = said(kind, metric, None);
                assert!(!text.contains("wifi") && !text.contains("close other programs"), "{kind} {metric}: {text}");
            }
            for kind in ["service", "room", "meeting", "person", "device", "network_type"] {
                assert!(!said(kind, metric, None).is_empty(), "{kind} {metric}");
            }
        }
        assert!(said("site", "loss", None).contains("internet line"));
        assert!(said("site", "jitter", Some("wifi")).contains("access points"));
        assert!(said("site", "jitter", Some("wired")).contains("internet line"));
        assert!(said("room", "loss", Some("wired")).contains("port, cable"));
        assert!(said("room", "loss", Some("wifi")).contains("connect it by cable"));
        assert!(said("service", "loss", None).contains("contact Feishu"));
        assert!(said("person", "cpu", None).contains("close other programs"));
        for (metric, network) in metrics.iter().zip([None, None, Some("wired"), Some("wired"), Some("wired")]) {
            let text = said("person", metric, network);
            assert!(network.is_none() || !text.contains("wifi"), "{metric}: {text}");
        }
    }

    #[test]
    fn counts_are_singular_or_plural() {
        let texts = [counted("meetings", 1), counted("meetings", 0), hours(0.2), hours(1.3), hours(1.5), hours(0.0)];
        let texts = texts.map(|text| text.en);
        assert_eq!(texts, ["1 meeting", "0 meetings", "less than 1 hour", "1 hour", "2 hours", "0 hours"]);
    }

    #[test]
    fn a_chronic_incident_has_no_end() {
        let room = Incident { is_chronic: true, ..incident("room", "Beijing 4F") };
        assert_eq!(when(&room).en, "Since Fri 20 Nov (as of Fri 20 Nov)");
        assert_eq!(when(&incident("site", "Harbour House")).en, "Fri 20 Nov 09:40–12:06");
        let said = |since: i8, until: i8| {
            let day = |day| jiff::civil::date(2026, 11, day);
            let span = Period::Week.containing(day(since)).expect("on the calendar");
            let text = beyond(&room, Period::Week, &Span { until: day(until), ..span }).expect("beyond the week");
            format!("{} | {}", text.en, text.zh)
        };
        insta::assert_snapshot!(said(16, 20), @"Still going on as of Fri 20 Nov; the numbers cover the whole incident. | 截至11月20日仍在持续；以上数字为整起事件的累计值。");
        insta::assert_snapshot!(said(23, 20), @"Began before this week and still going on as of Fri 20 Nov; the numbers cover the whole incident. | 本周之前已开始，截至11月20日仍在持续；以上数字为整起事件的累计值。");
    }

    #[test]
    fn chronic_trouble_names_its_first_day_and_meetings_only() {
        let mut room = Incident { is_chronic: true, usual_pct: None, ..incident("room", "Beijing 4F") };
        (room.metric, room.direction) = ("loss".to_owned(), "received".to_owned());
        insta::assert_snapshot!(texts(&room), @r"
        Since Fri 20 Nov, room Beijing 4F: loss received, 3 meetings; 78 % poor, elsewhere 0.6 %
        自11月20日（周五）起，会议室 Beijing 4F：接收方向丢包，影响 3 场会议；质差率 78%，同期其他人 0.6%。
        ");
        let person = Incident { meetings: 1, poor_pct: None, elsewhere_pct: None, ..room.clone() };
        let person = Incident { scope_kind: "person".to_owned(), scope_name: "王丽".to_owned(), ..person };
        let person = Incident { metric: "cpu".to_owned(), ..person };
        insta::assert_snapshot!(texts(&person), @r"
        Since Fri 20 Nov, 王丽: high CPU load, 1 meeting
        自11月20日（周五）起，王丽：终端 CPU 使用率过高，影响 1 场会议。
        ");
        // The verdict poor does not count all of these minutes.
        let slow = Incident { poor_pct: Some(77.7), ..person };
        insta::assert_snapshot!(texts(&slow), @r"
        Since Fri 20 Nov, 王丽: high CPU load, 1 meeting; 78 % of minutes CPU-limited
        自11月20日（周五）起，王丽：终端 CPU 使用率过高，影响 1 场会议；CPU 受限分钟占 78%。
        ");
    }

    #[test]
    fn an_incident_beyond_the_period_is_marked() {
        let said = |days: (i8, i8)| {
            let day = |day| jiff::civil::date(2026, 11, day);
            let span = Period::Week.containing(day(days.0)).expect("on the calendar");
            let span = Span { until: day(days.1), ..span };
            let found = beyond(&incident("site", "Harbour House"), Period::Week, &span);
            found.map(|text| format!("{} | {}", text.en, text.zh)).unwrap_or_default()
        };
        assert_eq!(said((16, 23)), "");
        assert_eq!(said((20, 21)), "");
        insta::assert_snapshot!(said((23, 30)), @"Began before this week; the numbers cover the whole incident. | 本周之前已开始；以上数字为整起事件的累计值。");
        insta::assert_snapshot!(said((16, 20)), @"Continued after this week, until Fri 20 Nov; the numbers cover the whole incident. | 本周之后仍在持续，至11月20日；以上数字为整起事件的累计值。");
        insta::assert_snapshot!(said((23, 20)), @"Began before this week and continued after it, until Fri 20 Nov; the numbers cover the whole incident. | 本周之前已开始，本周之后仍在持续，至11月20日；以上数字为整起事件的累计值。");
    }
}
