//! The closing summary in words.

use std::time::Duration;

use super::price::price_text;
use super::words::{counted, length, thousands};
use crate::commands::Summary;
use crate::error::EXIT_CODES;
use crate::text::on_one_line;

/// A status of coverage, and what it means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    /// Its name in the table `coverage`.
    pub name: &'static str,
    /// What it means, half a sentence.
    pub meaning: &'static str,
}

const fn status(name: &'static str, meaning: &'static str) -> Status {
    Status { name, meaning }
}

/// Every status, in the order of the summary.
pub(crate) const STATUSES: &[Status] = &[
    status("complete", "every page read"),
    status("empty", "every page read, but the vendor has no samples"),
    status("pending", "not asked yet, or asked too early to be final; a later run asks"),
    status("failed", "still pending, the next run asks again"),
    status("not_found", "the vendor does not know the meeting or the device"),
    status("unaddressable", "no user or room id to ask for"),
    status("too_long", "the vendor refuses meetings over 24 hours"),
    status("forbidden", "refused for this one only"),
    status("unsupported", "the vendor can't answer for this kind"),
];

/// Width of a line.
const WIDTH: usize = 80;

/// Width of the headings.
const HEADING: usize = 14;

/// What is known of a run's end beyond its exit code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// How it ended, where the words for the exit code say less.
    pub outcome: Option<&'static str>,
    /// What comes next, where the words for the exit code say something else.
    pub next: Option<String>,
}

/// The summary as text.
pub(crate) fn text(summary: &Summary, ending: &Ending) -> String {
    let exit = EXIT_CODES.iter().find(|exit| exit.code.number() == summary.exit_code);
    let outcome = ending.outcome.unwrap_or_else(|| exit.map_or(summary.outcome, |exit| exit.outcome));
    let mut lines = vec![format!("{} to {}: {outcome}", summary.since_utc, summary.until_utc)];
    let mut add = |heading: &str, text: String| lines.push(format!("{heading:HEADING$}{text}").trim_end().to_owned());
    add("Meetings", thousands(summary.meetings));
    add("Participants", thousands(summary.participants));
    for line in statuses(summary) {
        add("", line);
    }
    add("Samples", thousands(summary.samples));
    let rejects = if summary.rejects > 0 { ", see: vcq-etl report run unread-values" } else { "" };
    add("Rejects", format!("{}{rejects}", thousands(summary.rejects)));
    if !summary.unknown_fields.is_empty() {
        let fields: Vec<String> = summary
            .unknown_fields
            .iter()
            .map(|(name, times)| format!("{} ({})", named(name), thousands(*times)))
            .collect();
        for (index, line) in folded(&fields.join(", "), WIDTH - HEADING).into_iter().enumerate() {
            add(if index == 0 { "New fields" } else { "" }, line);
        }
    }
    if summary.scope {
        add("Calls", calls(summary));
        let waited = length(Duration::from_secs_f64(summary.waited_s.max(0.0)));
        add(
            "Throttles",
            format!("{} (waited {waited}), retries {}", thousands(summary.throttles), thousands(summary.retries)),
        );
    }
    add("Time", time(summary));
    add("Published", published(summary));
    if has_published(summary) {
        add("Files", format!("{}/vcq.duckdb", summary.store));
        add("", format!("{}/parquet/", summary.store));
    }
    if let Some(price) = &summary.left {
        for (index, line) in folded(&price_text(price), WIDTH - HEADING).into_iter().enumerate() {
            lines.push(format!("{:HEADING$}{line}", if index == 0 { "Left" } else { "" }));
        }
    }
    for note in &summary.notes {
        lines.extend(folded(&format!("Note: {note}"), WIDTH));
    }
    if let Some(next) = ending.next.as_deref().or(exit.and_then(|exit| exit.next)) {
        lines.extend(folded(&format!("Next: {next}"), WIDTH));
    }
    lines.join("\n") + "\n"
}

/// The most of a field's name that is shown, characters.
const NAME_CHARS: usize = 40;

/// A field's name, which the vendor made up: on one line, and not for ever.
fn named(name: &str) -> String {
    let name = on_one_line(name);
    match name.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name,
    }
}

/// One line for each status that has rows; one that we have no words for is shown too.
fn statuses(summary: &Summary) -> Vec<String> {
    let meaning = |name: &str| STATUSES.iter().find(|status| status.name == name).map_or("", |status| status.meaning);
    let known = STATUSES.iter().map(|status| status.name);
    let others = summary.by_status.keys().copied().filter(|name| STATUSES.iter().all(|status| status.name != *name));
    let rows: Vec<(&str, u64)> = known
        .chain(others)
        .filter_map(|name| summary.by_status.get(name).map(|count| (name, *count)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let width = rows.iter().map(|(_, count)| thousands(*count).len()).max().unwrap_or_default();
    let name_width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let indent = width + name_width + 3;
    let mut lines = Vec::new();
    for (name, count) in rows {
        for (index, text) in folded(meaning(name), WIDTH - HEADING - indent).into_iter().enumerate() {
            let start =
                if index == 0 { format!("{:>width$} {name:name_width$}", thousands(count)) } else { String::new() };
            lines.push(format!("{start:indent$}{text}"));
        }
    }
    lines
}

fn calls(summary: &Summary) -> String {
    let calls = &summary.calls;
    format!(
        "{} (meetings {}, participants {}, quality {})",
        thousands(calls.total()),
        thousands(calls.meeting_list),
        thousands(calls.participant_list),
        thousands(calls.participant_quality_list)
    )
}

fn time(summary: &Summary) -> String {
    let seconds = |seconds: f64| length(Duration::from_secs_f64(seconds.max(0.0)));
    let stages: Vec<String> =
        summary.stage_s.iter().map(|(stage, stage_s)| format!("{stage} {}", seconds(*stage_s))).collect();
    let stages = if stages.is_empty() { String::new() } else { format!(" ({})", stages.join(", ")) };
    format!("{}{stages}", seconds(summary.elapsed_s))
}

/// False where nothing was ever published, by this run or before it: there are no files yet.
fn has_published(summary: &Summary) -> bool {
    summary.generation > 0 || !summary.dates_published.is_empty()
}

fn published(summary: &Summary) -> String {
    if !has_published(summary) {
        return "nothing".to_owned();
    }
    let dates = &summary.dates_published;
    match (dates.iter().min(), dates.iter().max()) {
        (Some(first), Some(last)) if first != last => {
            let count = counted(dates.len() as u64, "date");
            format!("{count} from {first} to {last}, generation {}", summary.generation)
        }
        (Some(date), _) => format!("{date}, generation {}", summary.generation),
        _ => format!("nothing new, generation {}", summary.generation),
    }
}

/// The text in lines of at most `width`, broken at blanks.
pub(crate) fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split([' ', '\n']) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Calls;
    use crate::error::ExitCode;

    fn summary() -> Summary {
        Summary {
            run_id: "r1".to_owned(),
            outcome: "incomplete",
            exit_code: 7,
            since_utc: "2026-11-21T00:00:00Z".to_owned(),
            until_utc: "2026-11-23T00:00:00Z".to_owned(),
            meetings: 312,
            participants: 1_953,
            by_status: [("complete", 1_800), ("empty", 0), ("failed", 3), ("pending", 150)].into(),
            samples: 104_233,
            rejects: 12,
            calls: Calls { meeting_list: 4, participant_list: 312, participant_quality_list: 2_029 },
            retries: 5,
            throttles: 1,
            waited_s: 41.2,
            elapsed_s: 1_264.0,
            unknown_fields: [("mood".to_owned(), 12)].into(),
            dates_published: vec!["2026-11-20".to_owned(), "2026-11-22".to_owned(), "2026-11-21".to_owned()],
            generation: 12,
            store: "./vcq-store".to_owned(),
            scope: true,
            left: None,
            notes: vec!["3 participants failed after 5 tries each.".to_owned()],
            stage_s: vec![("asking", 1_250.0), ("transforming", 3.2), ("loading", 10.8)],
        }
    }

    #[test]
    fn the_summary_says_what_is_there_and_what_to_do() {
        insta::assert_snapshot!(text(&summary(), &Ending::default()), @r"
        2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z: finished with failures
        Meetings      312
        Participants  1,953
                      1,800 complete  every page read
                        150 pending   not asked yet, or asked too early to be final; a
                                      later run asks
                          3 failed    still pending, the next run asks again
        Samples       104,233
        Rejects       12, see: vcq-etl report run unread-values
        New fields    mood (12)
        Calls         2,345 (meetings 4, participants 312, quality 2,029)
        Throttles     1 (waited 41 s), retries 5
        Time          21 min (asking 20 min, transforming 3.2 s, loading 10 s)
        Published     3 dates from 2026-11-20 to 2026-11-22, generation 12
        Files         ./vcq-store/vcq.duckdb
                      ./vcq-store/parquet/
        Note: 3 participants failed after 5 tries each.
        Next: The next run retries what is still pending.
        ");
    }

    #[test]
    fn a_complete_run_needs_nothing_next() {
        let text = text(
            &Summary {
                outcome: "complete",
                exit_code: 0,
                dates_published: Vec::new(),
                unknown_fields: Default::default(),
                notes: Vec::new(),
                ..summary()
            },
            &Ending::default(),
        );
        assert!(text.starts_with("2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z: complete\n"), "{text}");
        assert!(text.contains("Published     nothing new, generation 12"), "{text}");
        assert!(!text.contains("Next") && !text.contains("New fields"), "{text}");
    }

    #[test]
    fn a_run_that_published_nothing_names_no_files() {
        let (dates_published, by_status) = (Vec::new(), Default::default());
        let text =
            text(&Summary { generation: 0, dates_published, by_status, exit_code: 8, ..summary() }, &Ending::default());
        assert!(text.contains("Published     nothing\n") && !text.contains("Files"), "{text}");
        assert!(!text.contains("vcq.duckdb") && !text.contains("parquet"), "{text}");
        assert!(text.ends_with("Next: The next run fetches what is left.\n"), "{text}");
    }

    #[test]
    fn a_run_that_stopped_early_says_what_is_left() {
        let left = Some(super::super::price::tests::price());
        let text = text(&Summary { left, outcome: "stopped", exit_code: 8, ..summary() }, &Ending::default());
        let expected = "Left          about 1,204 participants of 131 meetings, about 1,950 calls, 19\n\
                        \x20             min at 100 a minute\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.ends_with("Next: The next run fetches what is left.\n"), "{text}");
    }

    #[test]
    fn every_status_stays_within_the_width() {
        let by_status = STATUSES.iter().map(|status| (status.name, 1_234_567)).collect();
        let text = text(&Summary { by_status, ..summary() }, &Ending::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn many_new_fields_stay_within_the_width() {
        let unknown_fields = (0..40).map(|index| (format!("field_number_{index}"), 1_000)).collect();
        let text = text(&Summary { unknown_fields, ..summary() }, &Ending::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn every_outcome_is_described() {
        for exit in EXIT_CODES {
            let text = text(&Summary { exit_code: exit.code.number(), ..summary() }, &Ending::default());
            assert!(text.contains(&format!("Z: {}\n", exit.outcome)), "{text}");
        }
        let vendor = Summary { exit_code: ExitCode::Vendor.number(), ..summary() };
        let text = text(&vendor, &Ending::default());
        assert!(text.contains("Z: Feishu could not be reached or kept failing\n"), "{text}");
    }

    #[test]
    fn a_name_that_the_vendor_made_up_writes_no_line_of_its_own() {
        let long = "x".repeat(300);
        let unknown_fields = [("mood\nSamples       999\u{1b}[2J".to_owned(), 1), (long, 2)].into();
        let text = text(&Summary { unknown_fields, ..summary() }, &Ending::default());
        assert!(!text.contains("\nSamples       999") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains(&format!("{}\u{2026} (2)", "x".repeat(NAME_CHARS))), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn the_reason_of_the_end_goes_before_the_words_for_its_code() {
        let ending = Ending { outcome: Some("finished"), next: Some("Wait for the first of the month.".to_owned()) };
        let text = text(&Summary { outcome: "stopped", exit_code: 8, ..summary() }, &ending);
        assert!(text.contains("Z: finished\n"), "{text}");
        assert!(text.ends_with("Next: Wait for the first of the month.\n") && !text.contains("next run."), "{text}");
    }

    #[test]
    fn long_notes_stay_within_the_width() {
        let notes = vec!["the days from 2026-11-01 to 2026-11-02 are being asked again ".repeat(4)];
        let text = text(&Summary { notes, ..summary() }, &Ending::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_status_without_words_is_shown() {
        let text = text(&Summary { by_status: [("novel", 2)].into(), ..summary() }, &Ending::default());
        assert!(text.contains("2 novel"), "{text}");
    }
}
