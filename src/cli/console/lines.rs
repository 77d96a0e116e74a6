//! The state of a run as lines of text.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::model::{Model, Upload};
use crate::event::Event;
use crate::schema::utc_text;
use crate::text::{Language, counted, size_text, thousands, whole_duration_text, width};
use feishu_vc::format_wait;

/// Shorter waits are not reported.
const MIN_REPORTED_WAIT: Duration = Duration::from_secs(5);

/// Maximum width of a line if there is no terminal.
const PLAIN_WIDTH: usize = 120;

/// The first of these forms that fits in a language; they are sorted from the longest to the shortest. If none fits,
/// the shortest is cut after a whole word.
pub(super) fn fit_in(language: Language, forms: Vec<String>, max: usize) -> String {
    fit(forms.iter().map(|form| language.say(form).into_owned()).collect(), max)
}

fn fit(forms: Vec<String>, max: usize) -> String {
    let shortest = forms.last().cloned().unwrap_or_default();
    let fits = |text: &str| width(text) <= max;
    forms.into_iter().find(|form| fits(form)).unwrap_or_else(|| {
        let mut words = shortest.as_str();
        while !fits(words) {
            words = words.rsplit_once(' ').map_or("", |(before, _)| before);
        }
        words.trim_end_matches([',', ';', ':']).to_owned()
    })
}

/// First stage.
pub(super) fn meetings(model: &Model) -> String {
    counted(model.meetings, "meeting") + if model.meetings_complete { "" } else { " found" }
}

/// Second stage, longest form first.
pub(super) fn participants(model: &Model) -> Vec<String> {
    let listed = format!("{} of {}", thousands(model.listed), thousands(model.to_list.max(model.listed)));
    let participants = counted(model.participants, "participant");
    vec![format!("{listed} meetings, {participants}"), format!("{listed} meetings"), listed]
}

/// Third stage, longest form first: the number of samples is the least important.
pub(super) fn quality(model: &Model) -> Vec<String> {
    let done = format!("{} of {}", thousands(model.done), thousands(model.to_fetch.max(model.done)));
    let failed = if model.failed > 0 { format!(", {} failed", thousands(model.failed)) } else { String::new() };
    let participants = format!("{done} participants{failed}");
    let with_samples = format!("{participants}, {}", counted(model.samples, "sample"));
    vec![with_samples, participants, format!("{done}{failed}"), done]
}

/// The wait for the rate limit, longest form first; empty if there is none.
pub(super) fn wait(model: &Model, now: Duration) -> Vec<String> {
    let Some(wait) = model.wait(now).filter(|_| model.publishing.is_none() && model.stopping.is_none()) else {
        return Vec::new();
    };
    let waiting = format!("waiting {}", whole_duration_text(wait));
    vec![format!("{waiting} for the rate limit"), waiting]
}

/// The line below the stages: current activity and remaining time, longest form first. `waits` are the forms of a wait
/// to show on the same line.
pub(super) fn status(model: &Model, now: Duration, waits: &[String]) -> Vec<String> {
    if let Some(upload) = model.upload.filter(|upload| !upload.is_complete()) {
        return uploading(&upload);
    }
    if model.is_upload {
        let activity = if model.upload.is_some() { "completing the copy" } else { "comparing with the copy" };
        return vec![activity.to_owned()];
    }
    if let Some(dates) = model.publishing {
        return vec![format!("publishing {}", counted(dates, "date"))];
    }
    if let Some(why) = &model.stopping {
        return vec![format!("stopping: {why}")];
    }
    let calls = counted(model.calls.total(), "call");
    let rate = |unit: &str| match model.calls_per_minute(now) {
        Some(rate) => format!("{calls}, {}{unit}", thousands(rate)),
        None => calls.clone(),
    };
    let left = |about: &str| model.remaining(now).map(|time| format!("{about}{} left", whole_duration_text(time)));
    let retries = match model.retries {
        0 => None,
        1 => Some("1 retry".to_owned()),
        more => Some(format!("{} retries", thousands(more))),
    };
    let (wait, short_wait) = (waits.first().cloned(), waits.last().cloned());
    let forms = [
        [wait.clone(), Some(rate(" per minute")), left("about "), retries.clone()],
        [wait.clone(), Some(rate(" per minute")), left(""), retries],
        [wait.clone(), Some(rate(" per minute")), left("about "), None],
        [wait, Some(rate(" per minute")), left(""), None],
        [short_wait.clone(), Some(rate(" per minute")), left(""), None],
        [short_wait, Some(rate("/min")), left(""), None],
        [None, Some(rate(" per minute")), left(""), None],
        [None, Some(rate("/min")), left(""), None],
    ];
    forms.into_iter().map(|parts| parts.into_iter().flatten().collect::<Vec<_>>().join("; ")).collect()
}

/// The upload of a copy, longest form first.
fn uploading(upload: &Upload) -> Vec<String> {
    let (percent, files, of_files) = (upload.percent(), thousands(upload.files), thousands(upload.of_files));
    let (bytes, of_bytes) = (size_text(upload.bytes), size_text(upload.of_bytes));
    vec![
        format!("uploading {percent} %: {files} of {of_files} files, {bytes} of {of_bytes}"),
        format!("uploading {percent} %: {files} of {of_files} files"),
        format!("uploading {percent} %"),
    ]
}

/// One line for a log.
pub(super) fn plain(model: &Model, now: Duration) -> String {
    if model.is_upload || model.upload.is_some_and(|upload| !upload.is_complete()) {
        return fit(status(model, now, &[]), PLAIN_WIDTH);
    }
    let stages = if !model.meetings_complete || model.publishing.is_some() || model.stopping.is_some() {
        vec![meetings(model)]
    } else if model.to_fetch == 0 {
        participants(model)
    } else {
        quality(model)
    };
    let statuses = status(model, now, &wait(model, now));
    let with = |status: &String| stages.iter().map(|stage| format!("{stage}; {status}")).collect::<Vec<_>>();
    fit(statuses.iter().flat_map(with).collect(), PLAIN_WIDTH)
}

/// The name and the text of an event that is reported at once. `before` is the model without the event.
pub(super) fn milestone(before: &Model, event: &Event, now: Duration) -> Option<(&'static str, String)> {
    match event {
        Event::Started { since_us, until_us } => {
            Some(("started", format!("fetching meetings from {} to {}", utc_text(*since_us), utc_text(*until_us))))
        }
        Event::EventsRead { meetings } => {
            Some(("started", format!("fetching {} of events", counted(*meetings, "meeting"))))
        }
        Event::MeetingsListed { meetings, to_list, quality_calls_estimate } => {
            let listed = format!("{}, {} to fetch", counted(*meetings, "meeting"), thousands(*to_list));
            let estimate = match quality_calls_estimate {
                0 => String::new(),
                calls => format!(", about {}", counted(*calls, "quality call")),
            };
            Some(("meetings_listed", listed + &estimate))
        }
        Event::Waiting { endpoint, wait } if *wait >= MIN_REPORTED_WAIT => {
            // Requests that hit the same limit wait together and are reported once.
            let known = before.wait(now).is_some_and(|known| known + MIN_REPORTED_WAIT > *wait);
            let text = format!("waiting {} for the rate limit ({endpoint})", whole_duration_text(*wait));
            (!known).then_some(("waiting", text))
        }
        // Reported even if short, because Feishu requested another wait than it gets.
        Event::WaitClamped { endpoint, requested, wait } => {
            let requested = format!("Feishu requested a wait of {} ({endpoint})", format_wait(*requested));
            Some(("capped", format!("{requested}; waiting {}, the maximum set by wait_cap", format_wait(*wait))))
        }
        Event::Warning { text } => Some(("warning", text.clone())),
        // Reported once, when the generation is known.
        Event::Publishing { dates: 0 } => None,
        Event::Publishing { dates } => Some(("publishing", format!("publishing {}", counted(*dates, "date")))),
        Event::Published { generation, dates: 0 } => {
            Some(("published", format!("nothing new to publish; generation {generation}")))
        }
        Event::Published { generation, dates } => {
            Some(("published", format!("published {}, generation {generation}", counted(*dates, "date"))))
        }
        // Nothing to send is not reported; the summary says so.
        Event::Uploading { files: 0, of_files, bytes: 0, of_bytes } => {
            Some(("uploading", format!("uploading {}, {}", counted(*of_files, "file"), size_text(*of_bytes))))
        }
        Event::Uploading { files, of_files, of_bytes, .. } => (files == of_files)
            .then(|| ("uploaded", format!("uploaded {}, {}", counted(*files, "file"), size_text(*of_bytes)))),
        Event::Stopping { why } => Some(("stopping", format!("stopping: {why}"))),
        Event::MeetingPage { .. }
        | Event::MeetingListed { .. }
        | Event::ParticipantDone { .. }
        | Event::CallSent { .. }
        | Event::Throttled { .. }
        | Event::Retrying { .. }
        | Event::Waiting { .. } => None,
    }
}

/// The model as fields of a JSON log line.
pub(super) fn fields(name: &str, model: &Model, now: Duration) -> Map<String, Value> {
    let fields = json!({
        "event": name, "meetings": model.meetings, "meetings_to_list": model.to_list, "meetings_listed": model.listed,
        "participants": model.participants, "participants_to_ask": model.to_fetch, "participants_done": model.done,
        "participants_failed": model.failed, "samples": model.samples, "calls": model.calls,
        "calls_a_minute": model.calls_per_minute(now), "throttles": model.throttles, "retries": model.retries,
        "waiting_s": model.wait(now).map(|wait| wait.as_secs()),
        "upload": model.upload, "left_s": model.remaining(now).map(|time| time.as_secs()), "elapsed_s": now.as_secs(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Status;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn waiting(seconds: u64) -> Event {
        Event::Waiting { endpoint: "participant_quality_list", wait: at(seconds) }
    }

    fn model() -> Model {
        let mut model = Model::new(100);
        model.apply(&Event::MeetingsListed { meetings: 312, to_list: 2, quality_calls_estimate: 2_000 }, at(0));
        for _ in 0..2 {
            model.apply(&Event::MeetingListed { participants: 1_000, to_fetch: 975, quality_calls: 1_000 }, at(1));
        }
        for second in 0..96 {
            model.apply(&Event::CallSent { endpoint: "participant_quality_list" }, at(second));
            model.apply(&Event::ParticipantDone { status: Status::Complete, samples: 600 }, at(second));
        }
        model
    }

    fn retry() -> Event {
        Event::Retrying { endpoint: "meeting_list" }
    }

    fn status_at(model: &Model, now: Duration, width: usize) -> String {
        fit(status(model, now, &wait(model, now)), width)
    }

    #[test]
    fn each_stage_has_a_line() {
        let model = model();
        let stages = [vec![meetings(&model)], participants(&model), quality(&model), status(&model, at(95), &[])];
        let lines = stages.map(|forms| fit(forms, 80));
        insta::assert_snapshot!(lines.join("\n"), @r"
        312 meetings
        2 of 2 meetings, 2,000 participants
        96 of 1,950 participants, 57,600 samples
        96 calls, 60 per minute; about 31 min left
        ");
    }

    #[test]
    fn a_wait_says_for_how_long_and_for_what() {
        let mut model = model();
        model.apply(&waiting(41), at(95));
        assert_eq!(
            status_at(&model, at(95), 80),
            "waiting 41 s for the rate limit; 96 calls, 60 per minute; about 19 min left"
        );
        assert!(status_at(&model, at(136), 80).starts_with("96 calls"));
    }

    #[test]
    fn retries_are_counted_last() {
        let mut model = model();
        for _ in 0..3 {
            model.apply(&retry(), at(95));
        }
        assert_eq!(status_at(&model, at(95), 78), "96 calls, 60 per minute; about 31 min left; 3 retries");
        assert_eq!(milestone(&model, &retry(), at(95)), None);
    }

    #[test]
    fn the_least_important_part_is_dropped_first() {
        let mut model = model();
        model.apply(&Event::ParticipantDone { status: Status::Failed, samples: 0 }, at(95));
        model.apply(&retry(), at(95));
        let shown = |forms: Vec<String>| [48, 36, 27, 10].map(|width| fit(forms.clone(), width)).join("\n");
        insta::assert_snapshot!(shown(quality(&model)), @r"
        97 of 1,950 participants, 1 failed
        97 of 1,950 participants, 1 failed
        97 of 1,950, 1 failed
        97 of
        ");
        insta::assert_snapshot!(shown(participants(&model)), @r"
        2 of 2 meetings, 2,000 participants
        2 of 2 meetings, 2,000 participants
        2 of 2 meetings
        2 of 2
        ");
        model.apply(&waiting(41), at(95));
        let statuses = [120, 78, 60, 45, 38, 30].map(|width| status_at(&model, at(95), width));
        insta::assert_snapshot!(statuses.join("\n"), @r"
        waiting 41 s for the rate limit; 96 calls, 60 per minute; about 19 min left; 1 retry
        waiting 41 s for the rate limit; 96 calls, 60 per minute; 19 min left; 1 retry
        waiting 41 s; 96 calls, 60 per minute; 19 min left
        waiting 41 s; 96 calls, 60/min; 19 min left
        96 calls, 60 per minute; 19 min left
        96 calls, 60/min; 19 min left
        ");
    }

    #[test]
    fn a_line_ends_with_a_whole_word() {
        assert_eq!(fit(vec!["stopping: interrupted".to_owned()], 12), "stopping");
        assert_eq!(fit(vec!["interrupted".to_owned()], 3), "");
        let model = model();
        for width in 0..120 {
            for forms in [participants(&model), quality(&model), status(&model, at(95), &[])] {
                let (line, longest) = (fit(forms.clone(), width), forms.concat());
                assert!(line.chars().count() <= width, "{width}: {line}");
                assert!(line.split([' ', ',', ';']).all(|word| longest.contains(word)), "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_plain_line_drops_words_only_past_its_width() {
        let mut model = model();
        assert_eq!(
            plain(&model, at(95)),
            "96 of 1,950 participants, 57,600 samples; 96 calls, 60 per minute; about 31 min left"
        );
        model.apply(&waiting(41), at(95));
        for _ in 0..500 {
            model.apply(&Event::MeetingListed { participants: 3_000, to_fetch: 3_000, quality_calls: 4_000 }, at(95));
        }
        let line = plain(&model, at(95));
        assert!(line.chars().count() <= PLAIN_WIDTH && !line.contains("samples"), "{line}");
        assert_eq!(plain(&Model::new(100), at(0)), "0 meetings found; 0 calls");
    }

    #[test]
    fn a_run_without_changes_is_reported_once() {
        let mut model = model();
        assert_eq!(milestone(&model, &Event::Publishing { dates: 0 }, at(96)), None);
        model.apply(&Event::Publishing { dates: 0 }, at(96));
        assert!(!status_at(&model, at(96), 80).contains("publishing"));
        let published = milestone(&model, &Event::Published { generation: 12, dates: 0 }, at(97));
        assert_eq!(published, Some(("published", "nothing new to publish; generation 12".to_owned())));
    }

    #[test]
    fn a_clamped_wait_names_the_requested_wait_and_is_reported_once() {
        let mut model = model();
        let capped = Event::WaitClamped { endpoint: "meeting_list", requested: at(86_400), wait: at(120) };
        assert_eq!(
            milestone(&model, &capped, at(95)).map(|(_, text)| text).as_deref(),
            Some("Feishu requested a wait of 86,400 s (meeting_list); waiting 120 s, the maximum set by wait_cap")
        );
        model.apply(&capped, at(95));
        assert_eq!(milestone(&model, &waiting(120), at(95)), None);
        assert_eq!(model.wait(at(95)), Some(at(120)));
    }

    #[test]
    fn milestones_are_few() {
        let mut model = Model::new(100);
        let line = |model: &Model, event: &Event, now| milestone(model, event, at(now)).map(|(_, text)| text);
        let started = Event::Started { since_us: 1_795_305_600_000_000, until_us: 1_795_392_000_000_000 };
        assert_eq!(
            line(&model, &started, 0).as_deref(),
            Some("fetching meetings from 2026-11-22T00:00:00Z to 2026-11-23T00:00:00Z")
        );
        assert_eq!(line(&model, &Event::MeetingPage { meetings: 5, to_list: 5, quality_calls_estimate: 9 }, 0), None);
        assert_eq!(line(&model, &waiting(2), 0), None);
        let first = line(&model, &waiting(41), 0);
        assert_eq!(first.as_deref(), Some("waiting 41 s for the rate limit (participant_quality_list)"));
        model.apply(&waiting(41), at(0));
        assert_eq!(line(&model, &waiting(41), 1), None);
        assert!(line(&model, &waiting(60), 40).is_some());
        let published = Event::Published { generation: 12, dates: 1 };
        assert_eq!(line(&model, &published, 0).as_deref(), Some("published 1 date, generation 12"));
    }
}
