//! A card: what is known about a person, a meeting or an incident, before it has a format.

use super::strip::Strip;
use crate::text::thousands;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Card {
    /// `user`, `meeting` or `incident`.
    pub kind: &'static str,
    pub title: String,
    /// ID of the person or room, key of the meeting, ID of the incident.
    pub id: String,
    pub window: String,
    pub profile: String,
    pub incidents: Vec<CardIncident>,
    /// One sentence.
    pub verdict: String,
    pub causes: Vec<CauseMinutes>,
    pub comparison: Comparison,
    /// Labels and texts: where, with what, who.
    pub facts: Vec<(&'static str, String)>,
    pub strips: Vec<Strip>,
    /// Commands as words, without the program name, and what they show.
    pub next: Vec<(Vec<String>, &'static str)>,
    /// Lines of the text for a ticket: labels and texts.
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
}

/// The poor share, beside that of other times and other people.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Comparison {
    pub judged_minutes: i64,
    pub poor_minutes: i64,
    pub poor_pct: Option<f64>,
    pub usual_poor_pct: Option<f64>,
    /// What is usual: `the 28 days before`.
    pub usual: String,
    pub elsewhere_poor_pct: Option<f64>,
    /// Who is elsewhere: `everybody else on these days`.
    pub elsewhere: String,
}

/// A share of fewer minutes is not shown as usual.
const MIN_MINUTES: i64 = 60;

/// Percentage of poor minutes; `None` without judged minutes.
pub(super) fn poor_pct(poor: i64, judged: i64) -> Option<f64> {
    (judged > 0).then(|| 100.0 * poor as f64 / judged as f64)
}

/// The same, to compare with; `None` for too few minutes.
pub(super) fn reference_pct(poor: i64, judged: i64) -> Option<f64> {
    poor_pct(poor, judged).filter(|_| judged >= MIN_MINUTES)
}

/// `14.8 %`, or `unknown`.
pub(super) fn pct_text(pct: Option<f64>) -> String {
    pct.map_or_else(|| "unknown".to_owned(), |pct| format!("{pct:.1} %"))
}

impl Comparison {
    /// `61 of 412 judged minutes poor (14.8 %)`.
    pub(super) fn minutes_text(&self) -> String {
        match self.judged_minutes {
            0 => "no minute could be judged".to_owned(),
            judged => {
                let (poor, judged) = (thousands(self.poor_minutes.max(0) as u64), thousands(judged.max(0) as u64));
                format!("{poor} of {judged} judged minutes poor ({})", pct_text(self.poor_pct))
            }
        }
    }

    /// `usually 0.4 % (the 28 days before); elsewhere 1.2 % (everybody else on these days)`.
    pub(super) fn text(&self) -> String {
        let part = |word: &str, pct: Option<f64>, of: &str| match (pct, of) {
            (_, "") => None,
            (None, of) => Some(format!("{word} unknown (too few minutes: {of})")),
            (Some(pct), of) => Some(format!("{word} {pct:.1} % ({of})")),
        };
        let parts = [
            Some(format!("here {}", pct_text(self.poor_pct))),
            part("usually", self.usual_poor_pct, &self.usual),
            part("elsewhere", self.elsewhere_poor_pct, &self.elsewhere),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

/// `jitter both ways 44 min, CPU 5 min`.
pub(super) fn causes_text(causes: &[CauseMinutes]) -> String {
    const SHOWN: usize = 3;
    if causes.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> =
        causes.iter().take(SHOWN).map(|cause| format!("{} {} min", cause.cause, cause.minutes)).collect();
    let more = causes.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}
