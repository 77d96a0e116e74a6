//! Reads events: from lines, and from the raw log. Pure but for that.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::raw_log::{RawDate, RawError, WalkRef};
use crate::schema::{ParsedTime, Raw, parse};

/// The name in the raw log in place of an endpoint's.
pub(in crate::extract) const ENDPOINT: &str = "event";
const ENDED: &str = "vc.meeting.all_meeting_ended_v1";

/// The end of a meeting, as an event reports it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeetingEvent {
    /// The event as it was received.
    pub raw: Value,
    /// The event as an item of the meeting list.
    pub item: Value,
    /// Microseconds UTC.
    pub start_us: i64,
    pub end_us: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EventFile {
    pub events: Vec<MeetingEvent>,
    /// Events of other types.
    pub skipped: u64,
    /// Events that were delivered again.
    pub duplicates: u64,
    /// Lines that are no events, with their number from 1 and what is wrong.
    pub bad_lines: Vec<(u64, String)>,
}

impl EventFile {
    /// The time that its meetings span, microseconds UTC, end exclusive; `None` without events.
    pub(crate) fn span_us(&self) -> Option<(i64, i64)> {
        let start_us = self.events.iter().map(|event| event.start_us).min()?;
        let end_us = self.events.iter().map(|event| event.end_us).max()?;
        Some((start_us, end_us.saturating_add(1)))
    }
}

/// Reads one JSON object per line. Blank lines are ignored.
pub(crate) fn read_events(text: &str) -> EventFile {
    let mut file = EventFile::default();
    let (mut event_ids, mut meetings) = (HashSet::new(), HashSet::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            continue;
        }
        let number = index as u64 + 1;
        let raw: Value = match serde_json::from_str(line) {
            Ok(raw) => raw,
            Err(error) => {
                file.bad_lines.push((number, format!("no JSON (column {})", error.column())));
                continue;
            }
        };
        if event_type(&raw).is_some_and(|kind| kind != ENDED) {
            file.skipped += 1;
            continue;
        }
        match event_item(&raw) {
            Ok(item) => {
                let event_id = raw.pointer("/header/event_id").and_then(Value::as_str).map(str::to_owned);
                let is_again = event_id.is_some_and(|id| !event_ids.insert(id));
                if is_again || !meetings.insert(identity_of(&item)) {
                    file.duplicates += 1;
                } else {
                    let time = |field: &str| unix_us(item.get(field)).unwrap_or_default();
                    let (start_us, end_us) = (time("meeting_start_time"), time("meeting_end_time"));
                    file.events.push(MeetingEvent { raw, item, start_us, end_us });
                }
            }
            Err(problem) => file.bad_lines.push((number, problem.to_owned())),
        }
    }
    file
}

/// The type of an event in its envelope, of schema 2.0 or 1.0; `None` for an event without envelope.
fn event_type(raw: &Value) -> Option<&str> {
    raw.pointer("/header/event_type").or_else(|| raw.pointer("/event/type")).and_then(Value::as_str)
}

/// An event as an item of the meeting list, with what both have.
fn event_item(raw: &Value) -> Result<Value, &'static str> {
    if raw.get("encrypt").is_some() {
        return Err("the event is encrypted: the subscriber must decrypt it");
    }
    let event = raw.get("event").unwrap_or(raw);
    let meeting = event.get("meeting").unwrap_or(event);
    let text = |field: &str| match meeting.get(field) {
        Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let number = text("meeting_no").ok_or("meeting_no is missing")?;
    let start_us = unix_us(meeting.get("start_time")).ok_or("start_time is missing or not Unix seconds")?;
    let end_us = unix_us(meeting.get("end_time")).ok_or("end_time is missing or not Unix seconds")?;
    if end_us < start_us {
        return Err("end_time is before start_time");
    }
    Ok(json!({
        "meeting_id": number,
        "meeting_instance_id": text("id"),
        "meeting_topic": text("topic"),
        "meeting_start_time": (start_us / 1_000_000).to_string(),
        "meeting_end_time": (end_us / 1_000_000).to_string(),
    }))
}

impl MeetingEvent {
    /// The same event with `change` made to it.
    pub(in crate::extract) fn changed(&self, change: impl FnOnce(&mut Value)) -> MeetingEvent {
        let mut raw = self.raw.clone();
        change(&mut raw);
        let item = event_item(&raw).unwrap_or_else(|_| self.item.clone());
        MeetingEvent { raw, item, ..*self }
    }
}

/// The events of a recorded walk, as items of the meeting list.
pub(crate) fn event_items(date: &RawDate, walk: &WalkRef) -> Result<Vec<Value>, RawError> {
    let pages = date.pages(walk)?;
    let events = pages.iter().filter_map(|page| serde_json::from_str(page.response.get()).ok());
    Ok(events.filter_map(|raw: Value| event_item(&raw).ok()).collect())
}

/// The instance ID, else number and start.
fn identity_of(item: &Value) -> String {
    match item["meeting_instance_id"].as_str() {
        Some(id) => id.to_owned(),
        None => format!("{}-{}", item["meeting_id"], item["meeting_start_time"]),
    }
}

/// Unix seconds or milliseconds, as microseconds. 0 is no time.
fn unix_us(value: Option<&Value>) -> Option<i64> {
    match parse::time(&Raw::of(value)) {
        Ok(Some(ParsedTime::Unix { utc_us })) => Some(utc_us).filter(|us| *us > 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meeting(id: &str, number: &str, start: &str) -> Value {
        json!({"id": id, "topic": "Weekly", "meeting_no": number, "start_time": start, "end_time": "1795000600",
               "host_user": {"id": {"open_id": "ou_1"}}})
    }

    fn envelope(event_id: &str, kind: &str, meeting: &Value) -> String {
        let header = json!({"event_id": event_id, "event_type": kind, "create_time": "1795000700000"});
        json!({"schema": "2.0", "header": header, "event": {"meeting": meeting, "operator": {}}}).to_string()
    }

    #[test]
    fn every_form_of_an_event_is_the_same_item() {
        let meeting = meeting("7529416531681214468", "705605196", "1795000000");
        let forms = [
            envelope("e1", ENDED, &meeting),
            json!({"meeting": meeting, "operator": {}}).to_string(),
            meeting.to_string(),
            json!({"uuid": "u", "event": {"type": ENDED, "meeting": meeting}}).to_string(),
        ];
        for form in forms {
            let file = read_events(&format!("\u{feff}{form}\r\n\n"));
            assert_eq!((file.events.len(), file.skipped, file.bad_lines.len()), (1, 0, 0), "{form}");
            let expected = json!({
                "meeting_id": "705605196", "meeting_instance_id": "7529416531681214468", "meeting_topic": "Weekly",
                "meeting_start_time": "1795000000", "meeting_end_time": "1795000600",
            });
            assert_eq!(file.events[0].item, expected, "{form}");
            assert_eq!(file.span_us(), Some((1_795_000_000_000_000, 1_795_000_600_000_001)));
        }
    }

    #[test]
    fn other_types_are_skipped_and_events_delivered_again_are_counted() {
        let one = meeting("1", "705605196", "1795000000");
        let lines = [
            envelope("e1", ENDED, &one),
            envelope("e1", ENDED, &one),
            envelope("e2", ENDED, &one),
            envelope("e3", "vc.meeting.all_meeting_started_v1", &one),
            envelope("e4", ENDED, &meeting("2", "705605196", "1795000100")),
            meeting("", "705605197", "1795000000").to_string(),
            meeting("", "705605197", "1795000000").to_string(),
        ];
        let file = read_events(&lines.join("\n"));
        assert_eq!((file.events.len(), file.duplicates, file.skipped), (3, 3, 1));
    }

    #[test]
    fn a_bad_line_is_named_with_its_number_and_the_rest_is_read() {
        let good = meeting("1", "705605196", "1795000000").to_string();
        let lines = [
            "{".to_owned(),
            good,
            "7".to_owned(),
            json!({"encrypt": "AAAA"}).to_string(),
            meeting("2", "", "1795000000").to_string(),
            meeting("3", "705605196", "soon").to_string(),
            meeting("4", "705605196", "1795000601").to_string(),
        ];
        let file = read_events(&lines.join("\n"));
        assert_eq!(file.events.len(), 1);
        let numbers: Vec<u64> = file.bad_lines.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6, 7]);
        let problems: Vec<&str> = file.bad_lines.iter().map(|(_, problem)| problem.as_str()).collect();
        for (problem, word) in
            problems.iter().zip(["JSON", "meeting_no", "encrypted", "meeting_no", "start_time", "before"])
        {
            assert!(problem.contains(word), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn every_line_is_an_event_or_accounted_for(lines in proptest::collection::vec("\\PC{0,40}", 0..20)) {
            let file = read_events(&lines.join("\n"));
            let accounted = file.events.len() as u64 + file.skipped + file.duplicates + file.bad_lines.len() as u64;
            let text = lines.iter().filter(|line| !line.trim_start_matches('\u{feff}').trim().is_empty()).count();
            prop_assert_eq!(accounted, text as u64);
        }
    }
}
