//! An incident as one sentence. The stored sentence is English, because programs read it; the Chinese one is composed
//! from the columns, with the texts of the page. The people and the days are counted in the stored sentence only.

use jiff::civil::DateTime;

use super::headings::{fill, text, words};
use super::times::{date, span};
use crate::text::Language;

/// The sentence. `column` gives a column of the table `incidents`, or the `scope_name` beside it, as text; empty for
/// NULL.
pub(crate) fn sentence(column: &dyn Fn(&str) -> String, language: Language) -> String {
    let stored = column("summary");
    match language {
        Language::English => stored,
        Language::Chinese => chinese(column, &stored).unwrap_or(stored),
    }
}

/// The scope of an incident by its kind and name: `room Aspen`.
pub(crate) fn place(kind: &str, name: &str, language: Language) -> String {
    let name = if kind == "network_type" { words("network", name, language) } else { name.to_owned() };
    let key = format!("scope.{kind}");
    if text(&key, language).is_some() { fill(&key, language, &[("name", &name)]) } else { name }
}

fn chinese(column: &dyn Fn(&str) -> String, stored: &str) -> Option<String> {
    let language = Language::Chinese;
    let what = text(&format!("what.{}.{}", column("metric"), column("direction")), language)?;
    let time = |name: &str| column(name).parse::<DateTime>().ok();
    let (start, end) = (time("start_time_local")?, time("end_time_local")?);
    let is_chronic = column("kind") == "chronic";
    let (key, when) = match is_chronic {
        true => ("say.chronic", date(start, language)),
        false => ("say.acute", span(start, end, language)),
    };
    let what = match days(stored).filter(|_| is_chronic) {
        Some((bad, used)) => fill("say.days", language, &[("what", what), ("bad", bad), ("used", used)]),
        None => what.to_owned(),
    };
    let place = place(&column("scope_kind"), &column("scope_name"), language);
    let reach = reach(column, stored);
    let said = fill(key, language, &[("when", &when), ("where", &place), ("what", &what), ("reach", &reach)]);
    let share = |key: &str, name: &str, percentage: &str| {
        let share: f64 = column(percentage).parse().ok()?;
        Some(fill(key, language, &[(name, &format!("{share:.1}%"))]))
    };
    let poor = if column("metric") == "cpu" { "say.cpu" } else { "say.poor" };
    let compared = [
        share(poor, "poor", "poor_pct"),
        share("say.usual", "usual", "usual_poor_pct"),
        share("say.elsewhere", "elsewhere", "elsewhere_poor_pct"),
    ];
    let compared = compared.into_iter().flatten().collect::<Vec<_>>().join("，");
    Some(if compared.is_empty() { said } else { format!("{said}；{compared}") })
}

fn reach(column: &dyn Fn(&str) -> String, stored: &str) -> String {
    let language = Language::Chinese;
    let meetings = column("meetings");
    let participants: u64 = column("participants").parse().unwrap_or_default();
    let (people, rooms) =
        people_and_rooms(stored).filter(|(people, rooms)| people + rooms == participants).unwrap_or((participants, 0));
    let people = &counted(people, rooms, language);
    match column("scope_kind").as_str() {
        "person" | "room" => fill("say.meetings", language, &[("meetings", &meetings)]),
        "meeting" => fill("say.reach.people", language, &[("people", people)]),
        _ => fill("say.reach", language, &[("people", people), ("meetings", &meetings)]),
    }
}

/// `5 people and 2 rooms`.
pub(crate) fn counted(people: u64, rooms: u64, language: Language) -> String {
    let of =
        |one: &str, several: &str, n: u64| fill(if n == 1 { one } else { several }, language, &[("n", &n.to_string())]);
    let people_said = of("say.people.one", "say.people", people);
    let rooms_said = of("say.rooms.one", "say.rooms", rooms);
    match (people, rooms) {
        (_, 0) => people_said,
        (0, _) => rooms_said,
        _ => fill("say.people.rooms", language, &[("people", &people_said), ("rooms", &rooms_said)]),
    }
}

/// The bad days and the days of use of a stored sentence: `on 5 of the last 7 days of use, since Mon 9 Nov`.
fn days(stored: &str) -> Option<(&str, &str)> {
    let (before, _) = stored.rsplit_once(" days of use, since ")?;
    let (before, used) = before.rsplit_once(" of the last ")?;
    let (_, bad) = before.rsplit_once(" on ")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(bad) && is_number(used)).then_some((bad, used))
}

/// The people and rooms of a stored sentence: `, 5 people and 2 rooms, 3 meetings; `.
fn people_and_rooms(stored: &str) -> Option<(u64, u64)> {
    let number = |text: &str, units: [&str; 2]| {
        let (number, unit) = text.split_once(' ')?;
        number.replace(',', "").parse::<u64>().ok().filter(|_| units.contains(&unit))
    };
    let (people, rooms) = (["person", "people"], ["room", "rooms"]);
    let (sentence, _) = stored.rsplit_once("; ")?;
    // The scope, which has a name, comes first.
    let (_, sentence) = sentence.rsplit_once(": ")?;
    sentence.rsplit(", ").find_map(|part| match part.split_once(" and ") {
        Some((first, second)) => Some((number(first, people)?, number(second, rooms)?)),
        None => number(part, people).map(|n| (n, 0)).or_else(|| number(part, rooms).map(|n| (0, n))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTAGE: &str = "Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 5 people and 2 rooms, 3 meetings; \
        62.4 % of minutes poor, usually 0.4 %, elsewhere 0.6 %";
    const HOT: &str = "app version 7.2: high CPU load on 5 of the last 7 days of use, since Mon 9 Nov, 6 people and \
        1 room; 23.0 % of minutes CPU-limited, before 0.4 %, others 1.2 %";

    fn said(changes: &[(&str, &str)], language: Language) -> String {
        let columns = [
            ("kind", "acute"),
            ("scope_kind", "site"),
            ("scope_name", "Harbour House"),
            ("metric", "jitter"),
            ("direction", "both"),
            ("start_time_local", "2026-11-20 09:40:00"),
            ("end_time_local", "2026-11-20 12:06:00"),
            ("participants", "7"),
            ("meetings", "3"),
            ("poor_pct", "62.42"),
            ("usual_poor_pct", "0.4"),
            ("elsewhere_poor_pct", "0.6"),
            ("summary", OUTAGE),
        ];
        let of = |name: &str| {
            let found = changes.iter().chain(&columns).find(|(column, _)| *column == name);
            found.map_or_else(String::new, |(_, text)| (*text).to_owned())
        };
        sentence(&of, language)
    }

    #[test]
    fn an_incident_is_a_sentence_in_both_languages() {
        assert_eq!(said(&[], Language::English), OUTAGE);
        assert_eq!(
            said(&[], Language::Chinese),
            "11月20日（周五）09:40–12:06，Harbour House：收发双向抖动过大，影响 5 人和 2 间会议室、3 场会议；质差率 62.4%，\
             平时 0.4%，同期其他人 0.6%"
        );
        let hot = [
            ("kind", "chronic"),
            ("scope_kind", "app_version"),
            ("scope_name", "7.2"),
            ("metric", "cpu"),
            ("usual_poor_pct", ""),
            ("summary", HOT),
        ];
        assert_eq!(
            said(&hot, Language::Chinese),
            "自11月20日（周五）起，客户端版本 7.2：最近 7 个使用日中有 5 天终端 CPU 使用率过高，影响 6 人和 1 间会议室、3 \
             场会议；CPU 受限分钟占 62.4%，同期其他人 0.6%"
        );
        let person = [("scope_kind", "person"), ("scope_name", "王芳")];
        assert!(said(&person, Language::Chinese).contains("，王芳：收发双向抖动过大，影响 3 场会议；"));
        let meeting = [("scope_kind", "meeting"), ("scope_name", "周会"), ("participants", "5")];
        assert!(said(&meeting, Language::Chinese).contains("，会议「周会」：收发双向抖动过大，影响 5 人；"));
    }

    #[test]
    fn what_the_columns_lack_is_read_in_the_stored_sentence() {
        assert_eq!((days(HOT), people_and_rooms(HOT)), (Some(("5", "7")), Some((6, 1))));
        assert_eq!((days(OUTAGE), people_and_rooms(OUTAGE)), (None, Some((5, 2))));
        assert_eq!(people_and_rooms("Leeds: loss, 1 person, 1 meeting; usually 0 %"), Some((1, 0)));
        assert_eq!(people_and_rooms("Leeds: loss, 3 rooms, 1 meeting; usually 0 %"), Some((0, 3)));
        // A name cannot pass for them.
        assert_eq!(people_and_rooms("5 people, 2 rooms: loss sent, 3 meetings; 50.0 %"), None);
        assert_eq!(days("a on b of the last days of use, since c: loss"), None);
        // Another version wrote the sentence, or none: the counts of the columns are shown.
        let other = [("summary", "something"), ("participants", "1")];
        assert!(said(&other, Language::Chinese).contains("过大，影响 1 人、3 场会议；质差率 62.4%，"));
        assert_eq!(said(&[("metric", "warmth"), ("summary", "s")], Language::Chinese), "s");
    }

    #[test]
    fn a_name_cannot_add_a_value() {
        let named = [("scope_name", "{reach} {what}")];
        assert!(said(&named, Language::Chinese).contains("，{reach} {what}：收发双向抖动过大，影响 5 人"));
    }
}
