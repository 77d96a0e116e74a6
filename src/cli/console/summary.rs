//! The closing summary of a run as text.

use super::estimate::estimate_text;
use crate::commands::{Calls, Summary};
use crate::error::EXIT_CODES;
use crate::text::{Language, TextPage, date_range, duration_text, on_one_line, padded, say_indented, thousands};

/// Coverage statuses in the order of the summary, with their meaning.
const STATUSES: &[(&str, &str)] = &[
    ("complete", "all pages read"),
    ("empty", "all pages read, but Feishu has no samples"),
    ("unreadable", "Feishu sent data, but without a readable time"),
    ("pending", "not fetched yet, or fetched before the data was stable; a later run fetches it"),
    ("failed", "all attempts failed; the next run tries again"),
    ("list_short", "meetings for which Feishu counts more participants than it lists"),
    ("not_found", "Feishu does not know the meeting or the device"),
    ("unaddressable", "no user or room ID to request"),
    ("too_long", "Feishu rejects meetings of more than 24 hours"),
    ("forbidden", "access denied for this participant only"),
    ("unsupported", "Feishu has no data for this kind of participant"),
];

const LABEL_WIDTH: usize = 14;

/// What is known about the end of a run beyond its exit code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Replaces the outcome of the exit code.
    pub outcome: Option<&'static str>,
    /// Replaces the next step of the exit code.
    pub next: Option<String>,
}

/// The summary in lines of `width` columns.
pub(crate) fn text(summary: &Summary, ending: &Ending, width: usize, language: Language) -> String {
    let exit = EXIT_CODES.iter().find(|exit| exit.code.number() == summary.exit_code);
    let outcome = ending.outcome.unwrap_or_else(|| exit.map_or(summary.outcome, |exit| exit.outcome));
    let mut page = TextPage::with_width(LABEL_WIDTH, width).in_language(language);
    page.line(&format!("{} to {}: {outcome}", summary.since_utc, summary.until_utc));
    page.field("Meetings", &thousands(summary.meetings));
    page.field("Participants", &thousands(summary.participants));
    status_lines(summary, width, &mut page);
    let lists = lists_text(summary, language);
    if !lists.is_empty() {
        page.field("Lists", &lists);
    }
    page.field("Samples", &thousands(summary.samples));
    let report = if summary.rejects > 0 { " (see vcq-etl report run unread-values)" } else { "" };
    page.field("Rejects", &format!("{}{report}", thousands(summary.rejects)));
    if !summary.unknown_fields.is_empty() {
        let fields = summary.unknown_fields.iter();
        let fields = fields.map(|(name, count)| format!("{} ({})", short_name(name), thousands(*count)));
        page.field("New fields", &fields.collect::<Vec<_>>().join(", "));
    }
    if !summary.missing_fields.is_empty() {
        let fields = summary.missing_fields.iter();
        let fields = fields.map(|(name, items)| format!("{name} (in none of {} items)", thousands(*items)));
        page.field("Lost fields", &fields.collect::<Vec<_>>().join(", "));
    }
    if summary.pending_outside_window > 0 {
        let units = thousands(summary.pending_outside_window);
        page.field("Pending", &format!("{units} outside this window (participants and lists); later runs fetch them"));
    }
    if summary.fetches {
        page.field("Calls", &calls_text(&summary.calls));
        let (waited, retries) = (duration_text(summary.waited_s), thousands(summary.retries));
        page.field("Throttles", &format!("{} (waited {waited}), retries {retries}", thousands(summary.throttles)));
    }
    page.field("Time", &time(summary));
    page.field("Published", &published(summary));
    if has_published(summary) {
        // Paths are not wrapped.
        let label = padded(&language.say("Files"), LABEL_WIDTH);
        page.push(&format!("{label}{}/vcq.duckdb", summary.store));
        page.push(&format!("{:LABEL_WIDTH$}{}/parquet/", "", summary.store));
    }
    if let Some(copy) = &summary.copy {
        let [uploaded, files, bytes] = [copy.uploaded_files, copy.files, copy.uploaded_bytes].map(thousands);
        page.field("Copied", &format!("{uploaded} of {files} files ({bytes} bytes) to {}", copy.target));
    }
    if let Some(estimate) = &summary.left {
        page.field("Remaining", &estimate_text(estimate));
    }
    for note in &summary.notes {
        let said = language.say(note);
        page.paragraph(&language.pick(format!("Note: {note}"), format!("说明：{said}")));
    }
    if let Some(next) = ending.next.as_deref().or(exit.and_then(|exit| exit.next)) {
        page.paragraph(&format!("Next: {next}"));
    }
    page.text()
}

const MAX_NAME_CHARS: usize = 40;

/// A field name of the API on one line, shortened.
fn short_name(name: &str) -> String {
    let name = on_one_line(name);
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name,
    }
}

/// Adds a line for each status with participants, statuses without a known meaning last.
fn status_lines(summary: &Summary, width: usize, page: &mut TextPage) {
    let is_known = |name: &str| STATUSES.iter().any(|(known, _)| *known == name);
    let others = summary.by_status.keys().filter(|name| !is_known(name)).map(|name| (*name, ""));
    let rows: Vec<(String, &str, &str)> = STATUSES
        .iter()
        .copied()
        .chain(others)
        .filter_map(|(name, meaning)| {
            let lists = summary.lists_by_status.get(name).copied().unwrap_or_default();
            Some((summary.by_status.get(name)?.saturating_sub(lists), name, meaning))
        })
        .filter(|(count, ..)| *count > 0)
        .map(|(count, name, meaning)| (thousands(count), name, meaning))
        .collect();
    let count_width = rows.iter().map(|(count, ..)| count.len()).max().unwrap_or_default();
    let name_width = rows.iter().map(|(_, name, _)| name.len()).max().unwrap_or_default();
    let indent = LABEL_WIDTH + count_width + name_width + 3;
    for (count, name, meaning) in rows {
        let start = format!("{:LABEL_WIDTH$}{count:>count_width$} {name:name_width$}  ", "");
        page.push(&(start + &say_indented(page.language(), meaning, indent, width)));
    }
}

/// Participant lists that are not complete: `1 pending, 2 short`; empty if there are none.
fn lists_text(summary: &Summary, language: Language) -> String {
    let lists = STATUSES.iter().filter_map(|(name, _)| Some((*name, *summary.lists_by_status.get(name)?)));
    let texts = lists.filter(|(_, count)| *count > 0).map(|(name, count)| {
        let name = if name == "list_short" { "short (Feishu counts more participants than it lists)" } else { name };
        format!("{} {}", thousands(count), if name.contains(' ') { language.say(name) } else { name.into() })
    });
    texts.collect::<Vec<_>>().join(language.pick(", ", "，"))
}

/// `2,345 (meetings 4, participants 312, quality 2,029), rooms 3, alerts 2`.
pub(crate) fn calls_text(calls: &Calls) -> String {
    let optional = calls.optional.by_endpoint().map(|(name, calls)| format!(", {name} {}", thousands(calls)));
    format!(
        "{} (meetings {}, participants {}, quality {}){}",
        thousands(calls.total()),
        thousands(calls.meeting_list),
        thousands(calls.participant_list),
        thousands(calls.participant_quality_list),
        optional.collect::<String>()
    )
}

fn time(summary: &Summary) -> String {
    let stages = summary.stage_s.iter().map(|(stage, stage_s)| format!("{stage} {}", duration_text(*stage_s)));
    match stages.collect::<Vec<_>>().join(", ") {
        stages if stages.is_empty() => duration_text(summary.elapsed_s),
        stages => format!("{} ({stages})", duration_text(summary.elapsed_s)),
    }
}

/// False if neither this run nor an earlier one has published, so that there are no files.
fn has_published(summary: &Summary) -> bool {
    summary.generation > 0 || !summary.dates_published.is_empty()
}

fn published(summary: &Summary) -> String {
    if !has_published(summary) {
        return "nothing".to_owned();
    }
    let mut dates = summary.dates_published.clone();
    dates.sort();
    let dates = if dates.is_empty() { "nothing new".to_owned() } else { date_range(&dates) };
    format!("{dates}, generation {}", summary.generation)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::commands::Calls;
    use crate::error::ExitCode;
    use crate::text::WIDTH;

    fn summary() -> Summary {
        Summary {
            copy: None,
            run_id: "r1".to_owned(),
            outcome: "incomplete",
            exit_code: 7,
            since_utc: "2026-11-21T00:00:00Z".to_owned(),
            until_utc: "2026-11-23T00:00:00Z".to_owned(),
            meetings: 312,
            participants: 1_953,
            by_status: [("complete", 1_800), ("empty", 0), ("failed", 3), ("pending", 151), ("list_short", 2)].into(),
            lists_by_status: [("failed", 0), ("pending", 1), ("list_short", 2)].into(),
            samples: 104_233,
            rejects: 12,
            calls: Calls {
                meeting_list: 4,
                participant_list: 312,
                participant_quality_list: 2_029,
                ..Calls::default()
            },
            also: BTreeMap::new(),
            events: None,
            events_not_listed: Vec::new(),
            retries: 5,
            throttles: 1,
            waited_s: 41.2,
            elapsed_s: 1_264.0,
            pending_outside_window: 0,
            unknown_fields: [("mood".to_owned(), 12)].into(),
            missing_fields: [("network_type".to_owned(), 1_953)].into(),
            dates_published: vec!["2026-11-20".to_owned(), "2026-11-22".to_owned(), "2026-11-21".to_owned()],
            incidents: BTreeMap::new(),
            generation: 12,
            not_covered: Vec::new(),
            error: None,
            store: "./vcq-store".to_owned(),
            fetches: true,
            left: None,
            notes: vec!["3 participants failed after 5 tries each.".to_owned()],
            stage_s: vec![("fetching", 1_250.0), ("transforming", 3.2), ("loading", 10.8)],
        }
    }

    /// On a narrow page.
    fn text(summary: &Summary, ending: &Ending) -> String {
        super::text(summary, ending, WIDTH, Language::English)
    }

    #[test]
    fn a_wide_page_is_used() {
        let wide = super::text(&summary(), &Ending::default(), 120, Language::English);
        let meaning = "pending   not fetched yet, or fetched before the data was stable; a later run fetches it\n";
        assert!(wide.contains(meaning), "{wide}");
    }

    #[test]
    fn the_summary_lists_results_and_the_next_step() {
        insta::assert_snapshot!(text(&summary(), &Ending::default()), @r"
        2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z: finished with failures
        Meetings      312
        Participants  1,953
                      1,800 complete  all pages read
                        150 pending   not fetched yet, or fetched before the data was
                                      stable; a later run fetches it
                          3 failed    all attempts failed; the next run tries again
        Lists         1 pending, 2 short (Feishu counts more participants than it lists)
        Samples       104,233
        Rejects       12 (see vcq-etl report run unread-values)
        New fields    mood (12)
        Lost fields   network_type (in none of 1,953 items)
        Calls         2,345 (meetings 4, participants 312, quality 2,029)
        Throttles     1 (waited 41 s), retries 5
        Time          21 min (fetching 20 min, transforming 3.2 s, loading 10 s)
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
                missing_fields: Default::default(),
                notes: Vec::new(),
                ..summary()
            },
            &Ending::default(),
        );
        assert!(text.starts_with("2026-11-21T00:00:00Z to 2026-11-23T00:00:00Z: complete\n"), "{text}");
        assert!(text.contains("Published     nothing new, generation 12"), "{text}");
        assert!(!text.contains("Next") && !text.contains("fields"), "{text}");
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
        let left = Some(super::super::estimate::tests::price());
        let text = text(&Summary { left, outcome: "stopped", exit_code: 8, ..summary() }, &Ending::default());
        let expected = "Remaining     about 1,204 participants of 131 meetings, about 1,950 calls, 19\n\
                        \x20             min at 100 per minute\n";
        assert!(text.contains(expected), "{text}");
        assert!(text.ends_with("Next: The next run fetches what is left.\n"), "{text}");
    }

    #[test]
    fn every_status_stays_within_the_width() {
        let by_status = STATUSES.iter().map(|(name, _)| (*name, 1_234_567)).collect();
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
        let unreachable = Summary { exit_code: ExitCode::Feishu.number(), ..summary() };
        let text = text(&unreachable, &Ending::default());
        assert!(text.contains("Z: Feishu could not be reached or kept failing\n"), "{text}");
    }

    #[test]
    fn a_field_name_cannot_add_a_line() {
        let long = "x".repeat(300);
        let unknown_fields = [("mood\nSamples       999\u{1b}[2J".to_owned(), 1), (long, 2)].into();
        let text = text(&Summary { unknown_fields, ..summary() }, &Ending::default());
        assert!(!text.contains("\nSamples       999") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains(&format!("{}\u{2026} (2)", "x".repeat(MAX_NAME_CHARS))), "{text}");
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
        let notes = vec!["the days from 2026-11-01 to 2026-11-02 are being fetched again ".repeat(4)];
        let text = text(&Summary { notes, ..summary() }, &Ending::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn an_unknown_status_is_shown() {
        let text = text(&Summary { by_status: [("novel", 2)].into(), ..summary() }, &Ending::default());
        assert!(text.contains("2 novel"), "{text}");
    }
}
