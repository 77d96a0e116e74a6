//! The incidents of some dates as a short list, for the end of a sync.

use super::error::CardError;
use super::facts::{Dates, Row, Source};
use super::model::CardIncident;
use super::words::Words;
use crate::report::times::date;
use crate::schema::ddl::quoted;
use crate::text::{Language, TextPage, counted};

/// Incidents that are listed.
const SHOWN: usize = 5;

/// Scopes with chronic problems that are named.
const CHRONIC_SHOWN: usize = 4;

const LABEL_WIDTH: usize = 14;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    /// The worst first.
    acute: Vec<CardIncident>,
    /// `Ann Lee (CPU since Mon 9 Nov)`.
    chronic: Vec<String>,
    /// The ID of the first of each kind.
    first_id: String,
    since: String,
    /// Why few incidents can be found; empty if there is enough history.
    short_history: String,
}

impl Digest {
    /// The incidents of these dates (`YYYY-MM-DD`); `None` without dates.
    pub(crate) fn read(source: &Source<'_>, dates: &[String]) -> Result<Option<Digest>, CardError> {
        let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) else { return Ok(None) };
        let listed: Vec<String> = dates.iter().map(|date| quoted(date)).collect();
        let sql = format!(
            "select i.*, cause_label(i.metric, i.direction) as cause
             from report_incidents(since := {}, until := cast({} as date) + 1) as i
             where cast(i.meeting_date as varchar) in ({})
             order by case i.severity when 'critical' then 1 when 'major' then 2 else 3 end, i.participants desc,
                i.start_time_utc, i.incident_id",
            quoted(first),
            quoted(last),
            listed.join(", ")
        );
        let rows = source.rows("the incidents of these dates", &sql)?;
        let (chronic, acute): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.text("kind") == "chronic");
        // A chronic problem has no end: its row has the last minute known on its date.
        let words = source.words();
        let since = |row: &Row| row.time("start_time_local").map(|start| date(start, words.0)).unwrap_or_default();
        let named = |row: &&Row| {
            let name = words.place(&row.text("scope_kind"), &row.text("scope_name"));
            let values = [("name", name.as_str()), ("cause", &words.cause(&row.text("cause"))), ("date", &since(row))];
            words.fill("digest.chronic", &values)
        };
        let published = Dates { since: Some(first.clone()), until: Dates::of(last).until };
        let first_row = acute.first().or(chronic.first());
        Ok(Some(Digest {
            first_id: first_row.map(|row| row.text("incident_id")).unwrap_or_default(),
            acute: acute.iter().map(|row| row.incident(words)).collect(),
            chronic: chronic.iter().map(named).collect(),
            since: first.clone(),
            short_history: source.short_history(&published)?,
        }))
    }

    /// The list in lines of `width` columns. `command` completes the words of a command; `has_next` leaves out the
    /// command to type next.
    pub(crate) fn text(
        &self,
        has_next: bool,
        (width, language): (usize, Language),
        command: &dyn Fn(&[String]) -> String,
    ) -> String {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let mut page = TextPage::with_width(LABEL_WIDTH, width).in_language(language);
        page.line("");
        page.field(
            "Incidents",
            &match self.acute.len() {
                0 => "none on the published dates".to_owned(),
                count => format!("{} on the published dates", counted(count as u64, "incident")),
            },
        );
        if !self.short_history.is_empty() {
            page.field("", &self.short_history);
        }
        for incident in self.acute.iter().take(SHOWN) {
            page.field(&format!("  {}", Words(language).value("severity", &incident.severity)), &incident.summary);
        }
        let list = words(&["report", "run", "incidents", "--since", &self.since]);
        if self.acute.len() > SHOWN {
            page.line(&format!("  and {} more: {}", self.acute.len() - SHOWN, command(&list)));
        }
        if !self.chronic.is_empty() {
            let shown = &self.chronic[..self.chronic.len().min(CHRONIC_SHOWN)];
            let more = self.chronic.len() - shown.len();
            page.field("Chronic", &Words(language).list_and_more("card.and_more", shown, more));
        }
        if !has_next {
            let next = match self.first_id.is_empty() {
                true => words(&["report", "run", "worst-meetings", "--since", &self.since]),
                false => words(&["report", "incident", &self.first_id]),
            };
            // Not wrapped, so that it can be copied.
            page.line(&format!("Next: {}", command(&next)));
        }
        page.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::WIDTH;

    fn incident(number: usize) -> CardIncident {
        CardIncident {
            incident_id: format!("2026-11-20-acute-site-{number:08}"),
            severity: if number == 0 { "critical" } else { "minor" }.to_owned(),
            kind: "acute".to_owned(),
            summary: "Fri 20 Nov 09:40-12:06, Harbour House: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %"
                .to_owned(),
        }
    }

    fn command(words: &[String]) -> String {
        format!("vcq-etl {}", words.join(" "))
    }

    #[test]
    fn incidents_are_listed_and_many_are_counted() {
        let acute: Vec<CardIncident> = (0..8).map(incident).collect();
        let digest = Digest {
            first_id: acute[0].incident_id.clone(),
            acute,
            chronic: ["Ann Lee (CPU since Mon 9 Nov)", "Room 4 (loss received)", "a", "b", "c"]
                .map(str::to_owned)
                .to_vec(),
            since: "2026-11-20".to_owned(),
            short_history: String::new(),
        };
        let text = digest.text(false, (WIDTH, Language::English), &command);
        assert!(
            text.starts_with(
                "\nIncidents     8 incidents on the published dates\n  critical    Fri 20 Nov 09:40-12:06, "
            ),
            "{text}"
        );
        assert!(text.contains("\n  and 3 more: vcq-etl report run incidents --since 2026-11-20\n"), "{text}");
        assert!(
            text.contains("\nChronic       Ann Lee (CPU since Mon 9 Nov), Room 4 (loss received), a, b and 1\n              more\n"),
            "{text}"
        );
        assert!(text.ends_with("\nNext: vcq-etl report incident 2026-11-20-acute-site-00000000\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(!digest.text(true, (WIDTH, Language::English), &command).contains("Next:"));
        assert!(digest.text(false, (200, Language::English), &command).contains("usually 0.4 %, elsewhere 0.6 %\n"));
    }

    #[test]
    fn no_incident_is_said_plainly() {
        let mut digest = Digest { since: "2026-11-20".to_owned(), ..Digest::default() };
        let expected = "\nIncidents     none on the published dates\n\
            Next: vcq-etl report run worst-meetings --since 2026-11-20\n";
        assert_eq!(digest.text(false, (WIDTH, Language::English), &command), expected);
        digest.short_history = "On 2026-11-20, only severe incidents can be found.".to_owned();
        let text = digest.text(false, (WIDTH, Language::English), &command);
        assert!(text.contains("dates\n              On 2026-11-20, only severe incidents can be found.\n"), "{text}");
    }
}
