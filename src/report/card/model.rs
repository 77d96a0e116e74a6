//! A card: what is known about a person, a meeting or an incident, before it has a format.
//!
//! Poor minutes, and CPU-limited minutes that are not poor, are counted separately.

use super::strip::Strip;
use super::words::Words;
use crate::text::thousands;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Card {
    /// The language of all its texts.
    pub(super) words: Words,
    /// `user`, `meeting` or `incident`.
    pub kind: &'static str,
    pub title: String,
    /// ID of the person or room, key of the meeting, ID of the incident.
    pub id: String,
    pub window: String,
    pub profile: String,
    pub incidents: Vec<CardIncident>,
    /// Why few incidents can be found; empty if there is enough history.
    pub short_history: String,
    /// One sentence.
    pub verdict: String,
    pub causes: Vec<CauseMinutes>,
    /// In words.
    pub main_causes: String,
    pub comparison: Comparison,
    /// Names of labels, and texts: where, with what, who.
    pub facts: Vec<(&'static str, String)>,
    pub strips: Vec<Strip>,
    /// Commands as words, without the program name, and the key of what they show.
    pub next: Vec<(Vec<String>, &'static str)>,
    /// Lines of the text for a ticket: names of labels, and texts.
    pub ticket: Vec<(&'static str, String)>,
}

/// A person, room or guest who may be meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// ID; of a guest, the key of the participation.
    pub who: String,
    pub kind: String,
    /// The latest known name.
    pub name: String,
    pub department: String,
    pub email: String,
    pub meetings: i64,
    pub last_date: String,
}

/// An incident in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CardIncident {
    pub incident_id: String,
    pub severity: String,
    pub kind: String,
    pub summary: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CauseMinutes {
    pub cause: String,
    pub minutes: i64,
    /// Of these, poor ones; `None` if that is not known.
    pub poor: Option<i64>,
}

/// The shares of poor and of CPU-limited minutes, beside those of other times and other people.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Comparison {
    pub judged_minutes: i64,
    /// For an incident with the metric cpu, the CPU-limited minutes.
    pub poor_minutes: i64,
    /// CPU-limited minutes that are not among them.
    pub cpu_minutes: i64,
    pub here: Percentages,
    pub usual: Percentages,
    pub elsewhere: Percentages,
    /// The key of what is usual, such as `the 28 days before`; empty if there is nothing to compare with.
    pub usual_of: &'static str,
    /// The key of who is elsewhere, such as `everybody else on these days`.
    pub elsewhere_of: &'static str,
    /// `poor_minutes` are those of an incident with the metric cpu.
    pub is_of_cpu: bool,
}

/// Of judged minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Percentages {
    pub poor: Option<f64>,
    /// CPU-limited, but not poor.
    pub cpu: Option<f64>,
}

/// A share of fewer minutes is not shown as usual.
const MIN_MINUTES: i64 = 60;

/// Percentage of poor minutes; `None` without judged minutes. CPU-limited minutes need not be judged.
pub(super) fn poor_pct(poor: i64, judged: i64) -> Option<f64> {
    (judged > 0).then(|| (100.0 * poor as f64 / judged as f64).min(100.0))
}

/// The same, to compare with; `None` for too few minutes.
pub(super) fn reference_pct(poor: i64, judged: i64) -> Option<f64> {
    poor_pct(poor, judged).filter(|_| judged >= MIN_MINUTES)
}

impl Comparison {
    /// The shares of these minutes, not yet compared.
    pub(super) fn of(judged_minutes: i64, poor_minutes: i64, cpu_minutes: i64) -> Comparison {
        let pct = |minutes| poor_pct(minutes, judged_minutes);
        let here = Percentages { poor: pct(poor_minutes), cpu: pct(cpu_minutes) };
        Comparison { judged_minutes, poor_minutes, cpu_minutes, here, ..Comparison::default() }
    }

    /// `61 of 412 judged minutes poor (14.8 %); another 310 CPU-limited (75.2 %)`.
    pub(super) fn minutes_text(&self, words: Words) -> String {
        if self.judged_minutes == 0 {
            return words.say("card.minutes.none");
        }
        let number = |minutes: i64| thousands(minutes.max(0) as u64);
        let (mut cpu, mut cpu_pct) = (self.cpu_minutes, self.here.cpu);
        let key = match (self.is_mostly_cpu(), self.poor_minutes, self.cpu_minutes) {
            _ if self.is_of_cpu => {
                (cpu, cpu_pct) = (self.poor_minutes, self.here.poor);
                "card.minutes.cpu"
            }
            (true, 0, _) => "card.minutes.cpu_only",
            (true, ..) => "card.minutes.cpu_poor",
            (false, _, 0) => "card.minutes.poor",
            (false, ..) => "card.minutes.poor_cpu",
        };
        words.fill(
            key,
            &[
                ("judged", &number(self.judged_minutes)),
                ("poor", &number(self.poor_minutes)),
                ("poor_pct", &words.pct(self.here.poor)),
                ("cpu", &number(cpu)),
                ("cpu_pct", &words.pct(cpu_pct)),
            ],
        )
    }

    /// Most of the affected minutes are CPU-limited and not poor.
    pub(super) fn is_mostly_cpu(&self) -> bool {
        self.cpu_minutes > self.poor_minutes
    }

    /// `here 14.8 % poor; usually 0.4 % (the 28 days before); elsewhere 1.2 % (everybody else on these days)`, and the
    /// same for CPU-limited minutes if there are any; the more frequent ones come first.
    pub(super) fn text(&self, words: Words) -> String {
        let pct = |pct: Option<f64>| words.pct(pct);
        let part = |[known, few]: [&str; 2], share: Option<f64>, of: &str| match of {
            "" => None,
            of => {
                let key = if share.is_some() { known } else { few };
                Some(words.fill(key, &[("pct", &pct(share)), ("of", &words.say(of))]))
            }
        };
        let (here, usual, elsewhere) = (self.here, self.usual, self.elsewhere);
        let poor = [here.poor, usual.poor, elsewhere.poor];
        let cpu = [here.cpu, usual.cpu, elsewhere.cpu];
        // The greater one comes first.
        let ((key, first), second) = match (self.is_of_cpu, self.is_mostly_cpu()) {
            (true, _) => (("card.here.cpu", poor), None),
            (false, true) => (("card.here.cpu", cpu), Some(("card.second.poor", poor))),
            (false, false) => {
                (("card.here.poor", poor), Some(("card.second.cpu", cpu)).filter(|_| self.cpu_minutes > 0))
            }
        };
        let parts = [
            Some(words.fill(key, &[("pct", &pct(first[0]))])),
            part(["card.usually", "card.usually.few"], first[1], self.usual_of),
            part(["card.elsewhere", "card.elsewhere.few"], first[2], self.elsewhere_of),
        ];
        let text = words.clauses(&parts.into_iter().flatten().collect::<Vec<_>>());
        let Some((key, [here, usual, elsewhere])) = second else { return text };
        let known = |key: &str, share: Option<f64>| share.map(|share| words.fill(key, &[("pct", &pct(Some(share)))]));
        let shares = [
            Some(words.fill("card.second.here", &[("pct", &pct(here))])),
            known("card.second.usually", usual),
            known("card.second.elsewhere", elsewhere),
        ];
        let shares = shares.into_iter().flatten().collect::<Vec<_>>().join(words.0.pick(", ", "，"));
        words.fill(key, &[("first", &text), ("shares", &shares)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    const EN: Words = Words(Language::English);
    const ZH: Words = Words(Language::Chinese);

    #[test]
    fn poor_and_cpu_limited_minutes_are_counted_separately() {
        let mut comparison = Comparison::of(412, 61, 0);
        assert_eq!(comparison.minutes_text(EN), "61 of 412 judged minutes poor (14.8 %)");
        assert_eq!(comparison.text(EN), "here 14.8 % poor");
        (comparison.usual_of, comparison.elsewhere_of) = ("card.of.days", "card.of.everybody");
        comparison.elsewhere = Percentages { poor: Some(1.24), cpu: Some(0.3) };
        let compared = "here 14.8 % poor; usually unknown (too few minutes: the 28 days before); \
            elsewhere 1.2 % (everybody else on these days)";
        assert_eq!(comparison.text(EN), compared);
        let warm = Comparison { here: Comparison::of(412, 61, 31).here, cpu_minutes: 31, ..comparison.clone() };
        assert_eq!(warm.minutes_text(EN), "61 of 412 judged minutes poor (14.8 %); another 31 CPU-limited (7.5 %)");
        assert_eq!(warm.text(EN), format!("{compared}. CPU-limited: here 7.5 %, elsewhere 0.3 %"));
        // What is more frequent comes first.
        let hot = Comparison { here: Comparison::of(412, 61, 310).here, cpu_minutes: 310, ..comparison };
        assert_eq!(hot.minutes_text(EN), "310 of 412 judged minutes CPU-limited (75.2 %); another 61 poor (14.8 %)");
        let compared = "here 75.2 % CPU-limited; usually unknown (too few minutes: the 28 days before); \
            elsewhere 0.3 % (everybody else on these days). Poor: here 14.8 %, elsewhere 1.2 %";
        assert_eq!(hot.text(EN), compared);
        assert_eq!(hot.minutes_text(ZH), "412 个有效分钟中有 310 个 CPU 受限（75.2%），另有 61 个质差（14.8%）");
        let compared = "CPU 受限 75.2%；此前 28 天数据过少；同日其他人为 0.3%。质差率：此处 14.8%，其他 1.2%";
        assert_eq!(hot.text(ZH), compared);
        let only_hot = Comparison::of(412, 0, 310).minutes_text(EN);
        assert_eq!(only_hot, "310 of 412 judged minutes CPU-limited (75.2 %), none poor");
        let of_cpu = Comparison { is_of_cpu: true, ..Comparison::of(412, 310, 0) };
        assert_eq!(of_cpu.minutes_text(EN), "310 of 412 judged minutes CPU-limited (75.2 %)");
        assert_eq!(of_cpu.text(EN), "here 75.2 % CPU-limited");
        assert_eq!(Comparison::default().minutes_text(EN), "no minute could be judged");
    }
}
