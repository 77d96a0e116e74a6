//! What the simulated tenant holds, read from its own answers without the program's parsers.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use serde_json::Value;
use vcq_simulator::Tenant;

/// A participant of a meeting, as far as it is the same with and without identities: the meeting's key and the join
/// time, Unix seconds or `?`.
pub(super) type Seat = (String, String);

/// Samples, and the first and the last of them, Unix seconds.
pub(super) type Samples = (u64, i64, i64);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrueMeeting {
    pub key: String,
    /// Unix seconds.
    pub start_s: i64,
    pub end_s: i64,
    pub date: String,
    /// Rows of its participant list.
    pub seats: Vec<Seat>,
    /// Participants, each once, whatever the number of its rows.
    pub units: BTreeMap<Seat, usize>,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    pub meetings: Vec<TrueMeeting>,
    /// By participant; several with the same join time are sorted.
    pub samples: BTreeMap<Seat, Vec<Samples>>,
    /// End of the meeting of each unit on the wire, Unix seconds.
    pub ends: BTreeMap<String, i64>,
}

impl Truth {
    pub(super) fn of(tenant: &Tenant) -> Truth {
        let mut truth = Truth::default();
        for answer in tenant.answers() {
            let meeting = &items(&answer.meeting, "meeting_list")[0];
            let (start_s, end_s) = (time(&meeting["meeting_start_time"]), time(&meeting["meeting_end_time"]));
            let number = meeting["meeting_id"].as_str().unwrap_or_default().to_owned();
            for role in ["", "1", "2", "3"] {
                truth.ends.insert(format!("{number}/{}/{role}", start_s / 60), end_s);
            }
            let mut seats = Vec::new();
            // A person who is listed twice with the same join time has the samples twice.
            let mut rows: BTreeMap<String, usize> = BTreeMap::new();
            for row in items(&answer.participants, "participants") {
                let join = row["join_time"].as_str().filter(|text| !text.is_empty() && *text != "-");
                let join = join.map_or_else(|| "?".to_owned(), |_| time(&row["join_time"]).to_string());
                let text = |name: &str| row[name].as_str().unwrap_or_default();
                let id = if text("user_id").is_empty() { text("meeting_room_id") } else { text("user_id") };
                truth.ends.insert(format!("{number}/{id}/{join}"), end_s);
                *rows.entry(format!("{}/{id}/{join}", answer.meeting_key)).or_default() += 1;
                seats.push((answer.meeting_key.clone(), join));
            }
            for (key, page) in &answer.quality {
                let times: Vec<i64> = items(page, "participant_quality_list").iter().map(sample_time).collect();
                if let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) {
                    let join = key.rsplit('/').next().unwrap_or_default().to_owned();
                    let copies = std::iter::repeat_n((times.len() as u64, *first, *last), rows[key]);
                    truth.samples.entry((answer.meeting_key.clone(), join)).or_default().extend(copies);
                }
            }
            let date = meeting["meeting_start_time"].as_str().unwrap_or_default()[..10].replace('.', "-");
            let mut units = BTreeMap::new();
            for unit in rows.keys() {
                let join = unit.rsplit('/').next().unwrap_or_default().to_owned();
                *units.entry((answer.meeting_key.clone(), join)).or_default() += 1;
            }
            truth.meetings.push(TrueMeeting { key: answer.meeting_key, start_s, end_s, date, seats, units });
        }
        truth.samples.values_mut().for_each(|samples| samples.sort_unstable());
        truth
    }

    /// The dates with samples: those without have no row in the report of the alerts.
    pub(super) fn dates(&self) -> BTreeSet<String> {
        let with_samples: BTreeSet<&str> = self.samples.keys().map(|(key, _)| key.as_str()).collect();
        let has_samples = |meeting: &&TrueMeeting| with_samples.contains(meeting.key.as_str());
        self.meetings.iter().filter(has_samples).map(|meeting| meeting.date.clone()).collect()
    }
}

fn items(page: &str, list: &str) -> Vec<Value> {
    let page: Value = serde_json::from_str(page).expect("JSON");
    page["data"][list].as_array().expect("a list").clone()
}

/// `2026.11.02 09:00:00 (GMT+08:00)`, as Unix seconds.
fn time(text: &Value) -> i64 {
    let text = text.as_str().expect("a text");
    let local = DateTime::strptime("%Y.%m.%d %H:%M:%S", &text[..19]).expect("a time");
    assert_eq!(&text[19..], " (GMT+08:00)");
    local.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().as_second() - 8 * 3_600
}

fn sample_time(item: &Value) -> i64 {
    let sections = ["network", "audio", "video", "screen_sharing", "cpu_usage"];
    let found = sections.iter().map(|section| &item[section]["time"]).find(|time| time.is_string());
    time(found.expect("a sample with a time"))
}
