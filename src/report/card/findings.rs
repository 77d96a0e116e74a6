//! Makes the card of a person or a meeting from what is known about them.

use super::causes::causes_text;
use super::model::{Card, CardIncident, CauseMinutes, Comparison};
use super::strip::Strip;

/// What the cards of a person and of a meeting are made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    pub(super) incidents: Vec<CardIncident>,
    pub(super) short_history: String,
    pub(super) verdict: String,
    pub(super) causes: Vec<CauseMinutes>,
    pub(super) comparison: Comparison,
    /// Names of labels, and texts.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) strips: Vec<Strip>,
    /// After the command for the first incident.
    pub(super) next: Vec<(Vec<String>, &'static str)>,
    /// The lines for a ticket before the verdict, and those after the comparison.
    pub(super) ticket: (Lines, Lines),
    /// Incidents that a ticket names.
    pub(super) ticket_incidents: usize,
}

type Lines = Vec<(&'static str, String)>;

impl Findings {
    /// `head` has the language, kind, title, ID, window and profile.
    pub(super) fn card(self, head: Card) -> Card {
        let incident = self.incidents.first().map(|incident| {
            let words = ["report", "incident", &incident.incident_id].map(str::to_owned).to_vec();
            (words, "card.next.incident")
        });
        let main_causes = causes_text(&self.causes, self.comparison.judged_minutes, head.words);
        let found = [
            ("what", self.verdict.clone()),
            ("main_causes", main_causes.clone()),
            ("compared", self.comparison.text(head.words)),
        ];
        let (before, after) = self.ticket;
        let incidents = self.incidents.iter().take(self.ticket_incidents);
        let incidents = incidents.map(|incident| ("incident", incident.summary.clone()));
        Card {
            ticket: before.into_iter().chain(found).chain(after).chain(incidents).collect(),
            next: incident.into_iter().chain(self.next).collect(),
            incidents: self.incidents,
            short_history: self.short_history,
            verdict: self.verdict,
            causes: self.causes,
            main_causes,
            comparison: self.comparison,
            facts: self.facts,
            strips: self.strips,
            ..head
        }
    }
}
