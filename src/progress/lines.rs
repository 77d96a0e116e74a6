//! What is said about a run, as text: from the model, without a terminal.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::model::Model;
use super::words::{counted, rough, thousands};
use crate::pipeline::Event;
use crate::schema::utc_text;

/// Shorter waits are not worth a line of their own.
const WAIT_WORTH_A_LINE: Duration = Duration::from_secs(5);

/// Width that a line keeps to where it can.
const WIDTH: usize = 80;

/// The first stage: meetings.
pub(super) fn meetings(model: &Model) -> String {
    if model.meetings_complete {
        counted(model.meetings, "meeting")
    } else {
        format!("{} found", thousands(model.meetings))
    }
}

/// The second stage: participants.
pub(super) fn participants(model: &Model) -> String {
    let listed = format!("{} of {} meetings", thousands(model.listed), thousands(model.to_list.max(model.listed)));
    format!("{listed}, {}", counted(model.participants, "participant"))
}

/// The third stage: quality.
pub(super) fn quality(model: &Model) -> String {
    let done = format!("{} of {} participants", thousands(model.done), thousands(model.to_ask.max(model.done)));
    let failed = if model.failed > 0 { format!(", {} failed", thousands(model.failed)) } else { String::new() };
    format!("{done}{failed}, {}", counted(model.samples, "sample"))
}

/// The line below the stages: what is going on, and how long the rest takes.
pub(super) fn status(model: &Model, now: Duration) -> String {
    if let Some(dates) = model.publishing {
        return format!("publishing {}", counted(dates, "date"));
    }
    if let Some(why) = &model.stopping {
        return format!("stopping: {why}");
    }
    let mut parts = match model.wait(now) {
        Some(wait) => vec![format!("waiting {} {}", rough(wait.until - now), wait.why), calls(model)],
        None => vec![format!("{}, {} a minute", calls(model), thousands(model.calls_last_minute(now)))],
    };
    if let Some(left) = model.left(now) {
        parts.push(format!("about {} left", rough(left)));
    }
    parts.join("; ")
}

/// One line for a log that nobody may be watching.
pub(super) fn plain(model: &Model, now: Duration) -> String {
    if !model.meetings_complete || model.publishing.is_some() || model.stopping.is_some() {
        return format!("{}; {}", meetings(model), status(model, now));
    }
    let stage = if model.to_ask == 0 { participants(model) } else { quality(model) };
    let line = format!("{stage}; {}", status(model, now));
    if line.chars().count() <= WIDTH {
        return line;
    }
    // The count of samples is what one misses least.
    let stage = stage.rsplit_once(", ").map_or(stage.as_str(), |(stage, _)| stage);
    format!("{stage}; {}", status(model, now))
}

fn calls(model: &Model) -> String {
    counted(model.calls.total(), "call")
}

/// An event that deserves a line at once: its name and its text. Takes the model from before the event.
pub(super) fn milestone(before: &Model, event: &Event, now: Duration) -> Option<(&'static str, String)> {
    match event {
        Event::Started { since_us, until_us } => {
            Some(("started", format!("meetings from {} to {}", utc_text(*since_us), utc_text(*until_us))))
        }
        Event::MeetingsListed { meetings, to_list, quality_calls_estimate } => {
            let estimate = counted(*quality_calls_estimate, "quality call");
            let listed = format!("{}, {} to list", counted(*meetings, "meeting"), thousands(*to_list));
            Some(("meetings_listed", format!("{listed}, about {estimate} to make")))
        }
        Event::Waiting { endpoint, wait, why } if *wait >= WAIT_WORTH_A_LINE => {
            // Requests that meet the same limit wait together: one line is enough for all of them.
            let known = before.wait(now).is_some_and(|known| known.until + WAIT_WORTH_A_LINE > now + *wait);
            (!known).then(|| ("waiting", format!("waiting {} {why} ({endpoint})", rough(*wait))))
        }
        Event::Publishing { dates } => Some(("publishing", format!("publishing {}", counted(*dates, "date")))),
        Event::Published { generation, dates } => {
            Some(("published", format!("published {}, generation {generation}", counted(*dates, "date"))))
        }
        Event::Stopping { why } => Some(("stopping", format!("stopping: {why}"))),
        Event::MeetingPage { .. }
        | Event::MeetingListed { .. }
        | Event::ParticipantDone { .. }
        | Event::Call { .. }
        | Event::Throttled { .. }
        | Event::Waiting { .. } => None,
    }
}

/// The model as fields for log shippers.
pub(super) fn fields(name: &str, model: &Model, now: Duration) -> Map<String, Value> {
    let fields = json!({
        "event": name, "meetings": model.meetings, "meetings_to_list": model.to_list, "meetings_listed": model.listed,
        "participants": model.participants, "participants_to_ask": model.to_ask, "participants_done": model.done,
        "participants_failed": model.failed, "samples": model.samples, "calls": model.calls,
        "calls_last_minute": model.calls_last_minute(now), "throttles": model.throttles,
        "left_s": model.left(now).map(|left| left.as_secs()), "elapsed_s": now.as_secs(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn waiting(seconds: u64) -> Event {
        Event::Waiting {
            endpoint: "participant_quality_list",
            wait: at(seconds),
            why: "for the vendor's limit".to_owned(),
        }
    }

    fn model() -> Model {
        let mut model = Model::new(100);
        model.apply(&Event::MeetingsListed { meetings: 312, to_list: 2, quality_calls_estimate: 2_000 }, at(0));
        for _ in 0..2 {
            model.apply(&Event::MeetingListed { participants: 1_000, to_ask: 975, quality_calls: 1_000 }, at(1));
        }
        for second in 0..96 {
            model.apply(&Event::Call { endpoint: "participant_quality_list" }, at(second));
            model.apply(&Event::ParticipantDone { status: "complete", samples: 600 }, at(second));
        }
        model
    }

    #[test]
    fn each_stage_has_its_words() {
        let model = model();
        let lines = [meetings(&model), participants(&model), quality(&model), status(&model, at(95))];
        insta::assert_snapshot!(lines.join("\n"), @r"
        312 meetings
        2 of 2 meetings, 2,000 participants
        96 of 1,950 participants, 57,600 samples
        96 calls, 60 a minute; about 31 min left
        ");
    }

    #[test]
    fn a_wait_says_for_how_long_and_for_what() {
        let mut model = model();
        model.apply(&waiting(41), at(95));
        assert_eq!(status(&model, at(95)), "waiting 41 s for the vendor's limit; 96 calls; about 19 min left");
        assert!(status(&model, at(136)).starts_with("96 calls"));
    }

    #[test]
    fn a_plain_line_fits_a_terminal() {
        let mut model = model();
        assert_eq!(plain(&model, at(95)), "96 of 1,950 participants; 96 calls, 60 a minute; about 31 min left");
        for _ in 0..500 {
            model.apply(&Event::MeetingListed { participants: 300, to_ask: 300, quality_calls: 400 }, at(95));
        }
        let line = plain(&model, at(95));
        assert!(line.chars().count() <= WIDTH, "{line}");
        assert_eq!(plain(&Model::new(100), at(0)), "0 found; 0 calls, 0 a minute");
    }

    #[test]
    fn milestones_are_few() {
        let mut model = Model::new(100);
        let line = |model: &Model, event: &Event, now| milestone(model, event, at(now)).map(|(_, text)| text);
        let started = Event::Started { since_us: 1_795_305_600_000_000, until_us: 1_795_392_000_000_000 };
        assert_eq!(
            line(&model, &started, 0).as_deref(),
            Some("meetings from 2026-11-22T00:00:00Z to 2026-11-23T00:00:00Z")
        );
        assert_eq!(line(&model, &Event::MeetingPage { meetings: 5 }, 0), None);
        assert_eq!(line(&model, &waiting(2), 0), None);
        let first = line(&model, &waiting(41), 0);
        assert_eq!(first.as_deref(), Some("waiting 41 s for the vendor's limit (participant_quality_list)"));
        model.apply(&waiting(41), at(0));
        assert_eq!(line(&model, &waiting(41), 1), None);
        assert!(line(&model, &waiting(60), 40).is_some());
        let published = Event::Published { generation: 12, dates: 1 };
        assert_eq!(line(&model, &published, 0).as_deref(), Some("published 1 date, generation 12"));
    }
}
