//! An incident in words. English begins with the summary of the incident; Chinese is written from the columns, because
//! it is not a translation of that sentence.

use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::evaluate::Match;
use super::message::{Entry, cut, number_text};
use crate::report::Cell;
use crate::report::headings::{text, words};
use crate::report::incident_text::place;
use crate::report::next::{Carried, command};
use crate::report::times::{date, length, span, time_of};
use crate::text::{Language, counted};

/// A row of the report `incidents`.
pub(super) struct Incident<'a> {
    row: &'a Match,
    id: String,
    start: DateTime,
    end: DateTime,
}

/// Most severe first.
const SEVERITIES: &[&str] = &["critical", "major", "minor"];

impl<'a> Incident<'a> {
    /// `None` if the row is not one of the report `incidents`.
    pub(super) fn of_row(row: &'a Match) -> Option<Incident<'a>> {
        let id = row.get("incident_id").map(Cell::text).filter(|id| !id.is_empty())?;
        let start = time_of(row.get("start_time_local"))?;
        let end = time_of(row.get("end_time_local"))?;
        ["severity", "kind", "scope_kind", "scope_name", "metric", "participants"]
            .iter()
            .all(|column| row.get(column).is_some())
            .then_some(Incident { row, id, start, end })
    }

    fn text(&self, column: &str) -> String {
        self.row.get(column).map(Cell::text).unwrap_or_default()
    }

    fn count(&self, column: &str) -> u64 {
        self.text(column).parse().unwrap_or_default()
    }

    fn percent(&self, column: &str) -> Option<String> {
        let text = self.text(column);
        let number: f64 = text.parse().ok()?;
        // Tenths, as everywhere else.
        Some(number_text((number * 10.0).round() / 10.0))
    }

    /// Its minutes are the CPU-limited ones, poor or not.
    fn is_of_cpu(&self) -> bool {
        self.text("metric") == "cpu"
    }

    fn is_chronic(&self) -> bool {
        self.text("kind") == "chronic"
    }

    fn scope(&self, language: Language) -> String {
        place(&self.text("scope_kind"), &cut(&self.text("scope_name")), language)
    }

    /// `jitter both ways` or `收发双向抖动过大`.
    fn cause(&self, language: Language) -> String {
        let (metric, direction) = (self.text("metric"), self.text("direction"));
        text(&format!("what.{metric}.{direction}"), language).map_or(metric, str::to_owned)
    }

    /// `7 people or rooms in 3 meetings` or `7 位人员（含会议室）、3 场会议`: the report counts both together. A single person
    /// or room is its meetings only.
    fn reach(&self, language: Language) -> String {
        let (people, meetings) = (self.count("participants"), self.count("meetings"));
        let is_one = matches!(self.text("scope_kind").as_str(), "person" | "room");
        match (language, is_one) {
            (Language::English, true) => counted(meetings, "meeting"),
            (Language::English, false) => {
                let people =
                    if people == 1 { "1 person or room".to_owned() } else { format!("{people} people or rooms") };
                format!("{people} in {}", counted(meetings, "meeting"))
            }
            (Language::Chinese, true) => format!("{meetings} 场会议"),
            (Language::Chinese, false) => format!("{people} 位人员（含会议室）、{meetings} 场会议"),
        }
    }

    fn headline(&self, language: Language) -> String {
        let summary = self.text("summary");
        if language == Language::English && !summary.is_empty() {
            return cut(&summary);
        }
        let (scope, cause, reach) = (self.scope(language), self.cause(language), self.reach(language));
        cut(&match (language, self.is_chronic()) {
            (Language::English, false) => {
                format!("{}, {scope}: {cause}, {reach}", span(self.start, self.end, language))
            }
            (Language::English, true) => format!("{scope}: {cause} since {}, {reach}", date(self.start, language)),
            (Language::Chinese, false) => {
                format!("{}，{scope}：{cause}，影响 {reach}", span(self.start, self.end, language))
            }
            (Language::Chinese, true) => {
                format!("{scope}：自{}起持续出现{cause}，涉及 {reach}", date(self.start, language))
            }
        })
    }

    pub(super) fn entry(&self, row: Map<String, Value>, carried: &Carried, language: Language) -> Entry {
        let fact = |labels: (&str, &str), text: String| (language.pick(labels.0, labels.1).to_owned(), text);
        let mut facts = vec![
            fact(("Who", "影响范围"), self.who(language)),
            fact(("Where", "位置"), self.place(language)),
            fact(("When", "时间"), self.when(language)),
        ];
        facts.extend(self.comparison(language).map(|text| fact(("Compared", "对比"), text)));
        let details = ["report", "incident", &self.id].map(str::to_owned).to_vec();
        facts.push(fact(("Details", "查看详情"), command(details, carried)));
        Entry { headline: self.headline(language), facts, row }
    }

    fn who(&self, language: Language) -> String {
        let (poor, judged) = (self.count("poor_minutes"), self.count("judged_minutes"));
        let share = self.percent("poor_pct");
        let name = if self.text("scope_kind") == "person" { cut(&self.text("scope_name")) } else { String::new() };
        let reach = self.reach(language);
        match language {
            Language::English => {
                let name = if name.is_empty() { name } else { format!("{name}, ") };
                let share = share.map(|share| format!(" ({share} %)")).unwrap_or_default();
                match self.is_of_cpu() {
                    true => format!("{name}{reach}; {poor} of {judged} minutes CPU-limited{share}"),
                    false => format!("{name}{reach}; {poor} of {judged} minutes poor{share}"),
                }
            }
            Language::Chinese => {
                let name = if name.is_empty() { name } else { format!("{name}，") };
                let share = share.map(|share| format!("（{share}%）")).unwrap_or_default();
                let what = if self.is_of_cpu() { "个 CPU 受限分钟" } else { "个质差分钟" };
                format!("{name}{reach}；{judged} 个有效分钟中有 {poor} {what}{share}")
            }
        }
    }

    fn place(&self, language: Language) -> String {
        let scope = self.scope(language);
        match (self.text("scope_kind").as_str(), language) {
            ("site", Language::English) => format!("building {scope}"),
            ("site", Language::Chinese) => format!("楼宇 {scope}"),
            ("person", Language::English) => "one person: check the device and the local network".to_owned(),
            ("person", Language::Chinese) => "仅涉及此人，请检查其终端和本地网络".to_owned(),
            _ => scope,
        }
    }

    fn when(&self, language: Language) -> String {
        let (start, end) = (self.start, self.end);
        let year = start.year();
        match (language, self.is_chronic()) {
            (Language::English, false) => {
                format!("{}, {} ({year})", span(start, end, language), length(start, end, language))
            }
            (Language::English, true) => {
                format!("since {} {year} (as of {})", date(start, language), date(end, language))
            }
            (Language::Chinese, false) => {
                format!("{year}年{}，持续 {}", span(start, end, language), length(start, end, language))
            }
            (Language::Chinese, true) => {
                format!("自 {year}年{}起（截至 {}）", date(start, language), date(end, language))
            }
        }
    }

    /// How it compares with the 28 days before, and with everybody else at that time.
    fn comparison(&self, language: Language) -> Option<String> {
        let poor = self.percent("poor_pct")?;
        let (usual, elsewhere) = (self.percent("usual_poor_pct"), self.percent("elsewhere_poor_pct"));
        Some(match language {
            Language::English => {
                let usual = usual.map_or("no earlier data".to_owned(), |usual| format!("usually {usual} %"));
                let elsewhere = elsewhere.map(|share| format!(", elsewhere {share} %")).unwrap_or_default();
                let what = if self.is_of_cpu() { "CPU-limited minutes" } else { "poor minutes" };
                format!("{poor} % {what}; {usual}{elsewhere}")
            }
            Language::Chinese => {
                let usual = usual.map_or("此前无数据".to_owned(), |usual| format!("此前 28 天为 {usual}%"));
                let elsewhere = elsewhere.map(|share| format!("，同期其他人为 {share}%")).unwrap_or_default();
                let what = if self.is_of_cpu() { "CPU 受限分钟占比" } else { "质差率" };
                format!("{what} {poor}%；{usual}{elsewhere}")
            }
        })
    }
}

/// One incident is its headline; several are counted by severity.
pub(super) fn incidents_title(incidents: &[Incident<'_>], entries: &[Entry], language: Language) -> String {
    if let ([_], [entry]) = (incidents, entries) {
        return entry.headline.clone();
    }
    let counts = SEVERITIES.iter().filter_map(|name| {
        let count = incidents.iter().filter(|incident| incident.text("severity") == *name).count();
        let word = words("severity", name, language);
        (count > 0).then(|| language.pick(format!("{count} {word}"), format!("{word} {count} 起")))
    });
    let counts = counts.collect::<Vec<_>>();
    let total = incidents.len();
    match language {
        Language::English => format!("{total} meeting quality incidents: {}", counts.join(", ")),
        Language::Chinese => format!("{total} 起会议质量事件：{}", counts.join("，")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::compose::tests::row;
    use super::*;

    pub(in crate::alerts) fn outage() -> Match {
        let text = |text: &str| Cell::Text(text.to_owned());
        row(&[
            ("severity", text("major")),
            ("kind", text("acute")),
            ("scope_kind", text("site")),
            ("scope_name", text("Harbour House")),
            ("metric", text("jitter")),
            ("direction", text("both")),
            ("start_time_local", Cell::Time("2026-11-20 09:40:00".to_owned())),
            ("end_time_local", Cell::Time("2026-11-20 12:06:00".to_owned())),
            ("participants", Cell::Integer(7)),
            ("meetings", Cell::Integer(3)),
            ("poor_minutes", Cell::Integer(412)),
            ("judged_minutes", Cell::Integer(660)),
            ("poor_pct", Cell::Number(62.42)),
            ("usual_poor_pct", Cell::Number(0.4)),
            ("elsewhere_poor_pct", Cell::Number(0.6)),
            (
                "summary",
                text(
                    "Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %",
                ),
            ),
            ("incident_id", text("a1b2c3")),
        ])
    }

    pub(in crate::alerts) fn with(changes: &[(&str, Cell)]) -> Match {
        let mut row = outage();
        for (name, cell) in &mut row.cells {
            if let Some((_, changed)) = changes.iter().find(|(column, _)| column == name) {
                *cell = changed.clone();
            }
        }
        row
    }

    fn lines(row: &Match, language: Language) -> String {
        let entry = Incident::of_row(row).expect("an incident").entry(Map::new(), &Carried::default(), language);
        let facts = entry.facts.iter().map(|(label, text)| format!("\n{label} | {text}"));
        entry.headline.clone() + &facts.collect::<String>()
    }

    #[test]
    fn an_outage_reads_in_both_languages() {
        insta::assert_snapshot!(lines(&outage(), Language::English), @r"
        Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %
        Who | 7 people or rooms in 3 meetings; 412 of 660 minutes poor (62.4 %)
        Where | building Harbour House
        When | Fri 20 Nov 09:40-12:06, 2 h 26 min (2026)
        Compared | 62.4 % poor minutes; usually 0.4 %, elsewhere 0.6 %
        Details | vcq-etl report incident a1b2c3
        ");
        insta::assert_snapshot!(lines(&outage(), Language::Chinese), @r"
        11月20日（周五）09:40–12:06，Harbour House：收发双向抖动过大，影响 7 位人员（含会议室）、3 场会议
        影响范围 | 7 位人员（含会议室）、3 场会议；660 个有效分钟中有 412 个质差分钟（62.4%）
        位置 | 楼宇 Harbour House
        时间 | 2026年11月20日（周五）09:40–12:06，持续 2 小时 26 分钟
        对比 | 质差率 62.4%；此前 28 天为 0.4%，同期其他人为 0.6%
        查看详情 | vcq-etl report incident a1b2c3
        ");
    }

    #[test]
    fn a_chronic_incident_of_high_cpu_load_reads_in_both_languages() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let hot = with(&[
            ("kind", text("chronic")),
            ("severity", text("minor")),
            ("scope_kind", text("person")),
            ("scope_name", text("王芳")),
            ("metric", text("cpu")),
            ("start_time_local", Cell::Time("2026-11-09 09:00:00".to_owned())),
            ("participants", Cell::Integer(1)),
            ("meetings", Cell::Integer(11)),
            ("usual_poor_pct", Cell::Null),
            ("summary", text("")),
        ]);
        insta::assert_snapshot!(lines(&hot, Language::English), @r"
        王芳: high CPU load since Mon 9 Nov, 11 meetings
        Who | 王芳, 11 meetings; 412 of 660 minutes CPU-limited (62.4 %)
        Where | one person: check the device and the local network
        When | since Mon 9 Nov 2026 (as of Fri 20 Nov)
        Compared | 62.4 % CPU-limited minutes; no earlier data, elsewhere 0.6 %
        Details | vcq-etl report incident a1b2c3
        ");
        insta::assert_snapshot!(lines(&hot, Language::Chinese), @r"
        王芳：自11月9日（周一）起持续出现终端 CPU 使用率过高，涉及 11 场会议
        影响范围 | 王芳，11 场会议；660 个有效分钟中有 412 个 CPU 受限分钟（62.4%）
        位置 | 仅涉及此人，请检查其终端和本地网络
        时间 | 自 2026年11月9日（周一）起（截至 11月20日（周五））
        对比 | CPU 受限分钟占比 62.4%；此前无数据，同期其他人为 0.6%
        查看详情 | vcq-etl report incident a1b2c3
        ");
    }

    #[test]
    fn several_incidents_are_counted_by_severity() {
        let rows = [outage(), with(&[("severity", Cell::Text("critical".to_owned()))]), outage()];
        let incidents: Vec<Incident<'_>> = rows.iter().filter_map(Incident::of_row).collect();
        assert_eq!(
            incidents_title(&incidents, &[], Language::English),
            "3 meeting quality incidents: 1 critical, 2 major"
        );
        assert_eq!(incidents_title(&incidents, &[], Language::Chinese), "3 起会议质量事件：严重 1 起，较重 2 起");
    }

    #[test]
    fn a_row_of_another_report_is_not_an_incident() {
        assert!(Incident::of_row(&row(&[("incident_id", Cell::Text("a".to_owned()))])).is_none());
        for kind in ["site", "egress", "subnet", "room", "meeting", "person", "app_version", "device", "location"] {
            let scope =
                with(&[("scope_kind", Cell::Text(kind.to_owned())), ("scope_name", Cell::Text("X".to_owned()))]);
            assert!(lines(&scope, Language::Chinese).contains('X'), "{kind}");
        }
        let service = with(&[("scope_kind", Cell::Text("service".to_owned())), ("summary", Cell::Null)]);
        assert!(lines(&service, Language::English).contains("everywhere"));
    }
}
