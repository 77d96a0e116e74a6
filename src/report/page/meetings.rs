//! The timelines of the worst meetings, in a compact form.
//!
//! Each participant has a track: one letter per minute (`g` good, `p` poor, `u` no verdict, blank no data), the cause
//! and the poor streams of poor minutes, and the metrics of each minute. All minutes of a meeting use its local time.

use std::collections::BTreeMap;

use duckdb::Connection;
use serde_json::{Map, Number, Value, json};

use super::error::PageError;
use super::query::{Rows, Window, rows};

/// Maximum number of tracks per meeting; participants with poor minutes come first.
const MAX_PEOPLE: i64 = 50;
/// Maximum number of minutes with metrics on the page, worst meetings first, so that a month stays below a few
/// megabytes. Further minutes have only verdict and cause.
const MAX_METRIC_MINUTES: usize = 100_000;
/// Longer meetings are truncated to a day.
const MAX_LENGTH_MIN: i64 = 24 * 60;

/// Metrics of a minute: key in the page, column, decimals.
const METRICS: &[(&str, &str, u32)] = &[
    ("delay", "delay_ms", 0),
    ("loss_in", "loss_in_pct", 1),
    ("loss_out", "loss_out_pct", 1),
    ("jitter_in", "jitter_in_ms", 0),
    ("jitter_out", "jitter_out_ms", 0),
    ("fps", "video_in_fps", 0),
    ("height", "video_in_px", 0),
    ("cpu_app", "client_cpu_pct", 0),
    ("cpu_all", "system_cpu_pct", 0),
];

/// The streams of a poor minute, in the order of its bits.
const STREAMS: &[&str] = &[
    "audio_received_poor",
    "audio_sent_poor",
    "video_received_poor",
    "video_sent_poor",
    "share_received_poor",
    "share_sent_poor",
];

pub(super) struct Timelines {
    /// The causes that occur; tracks refer to them by index.
    pub(super) causes: Vec<String>,
    pub(super) meetings: Vec<Value>,
}

/// Reads the minutes of the `top` worst meetings.
pub(super) fn read(connection: &Connection, window: &Window<'_>, top: u32) -> Result<Timelines, PageError> {
    let arguments = window.with_profile();
    // The macros are ordered, but a query on a macro cannot rely on that.
    let people = format!("select * from meeting_people({arguments}, top := {top}) order by place, person_no");
    let minutes = format!(
        "select *, cast(epoch(minute_utc) as bigint) // 60 as at \
         from meeting_minutes({arguments}, top := {top}, people := {MAX_PEOPLE}) order by place, person_no, minute_utc"
    );
    let people = rows(connection, "meeting people", &people)?;
    let minutes = rows(connection, "meeting minutes", &minutes)?;
    Ok(pack(&people, &minutes))
}

type Record = Map<String, Value>;

fn pack(people: &Rows, minutes: &Rows) -> Timelines {
    let mut by_person: BTreeMap<(i64, i64), Vec<Record>> = BTreeMap::new();
    for minute in minutes.objects() {
        by_person.entry((integer(&minute, "place"), integer(&minute, "person_no"))).or_default().push(minute);
    }
    let mut by_meeting: BTreeMap<i64, Vec<Record>> = BTreeMap::new();
    for person in people.objects() {
        by_meeting.entry(integer(&person, "place")).or_default().push(person);
    }
    let mut causes = Vec::new();
    let mut metric_minutes_left = MAX_METRIC_MINUTES;
    let meetings = by_meeting
        .into_iter()
        .filter_map(|(place, people)| meeting(place, &people, &by_person, &mut causes, &mut metric_minutes_left))
        .collect();
    Timelines { causes, meetings }
}

fn meeting(
    place: i64,
    people: &[Record],
    minutes: &BTreeMap<(i64, i64), Vec<Record>>,
    causes: &mut Vec<String>,
    metric_minutes_left: &mut usize,
) -> Option<Value> {
    let times = || {
        let minutes = minutes.range((place, i64::MIN)..=(place, i64::MAX)).flat_map(|(_, minutes)| minutes);
        minutes.map(|minute| integer(minute, "at"))
    };
    let (first, last) = (times().min()?, times().max()?);
    let length = (last - first + 1).min(MAX_LENGTH_MIN);
    let mut at_once = vec![0_u32; usize::try_from(length).ok()?];
    let (shown, rest): (Vec<&Record>, Vec<&Record>) =
        people.iter().partition(|person| integer(person, "person_no") <= MAX_PEOPLE);
    let tracks: Vec<Value> = shown
        .iter()
        .map(|person| {
            let key = (place, integer(person, "person_no"));
            let minutes = minutes.get(&key).map(Vec::as_slice).unwrap_or_default();
            let with_metrics = minutes.len() <= *metric_minutes_left;
            if with_metrics {
                *metric_minutes_left -= minutes.len();
            }
            let mut entry: Record = ["who", "kind", "site", "network", "device", "version", "n", "poor"]
                .into_iter()
                .map(|name| (name.to_owned(), person.get(name).cloned().unwrap_or(Value::Null)))
                .collect();
            entry.insert("track".to_owned(), track(minutes, first, length, with_metrics, causes, &mut at_once));
            Value::Object(entry)
        })
        .collect();
    let offset_min = people.first().map_or(0, |person| integer(person, "utc_offset_min"));
    Some(json!({
        "place": place,
        "first": time_text(first + offset_min),
        "length": length,
        "at_once": at_once,
        "people": tracks,
        "others": rest.len(),
        "others_poor": rest.iter().map(|person| integer(person, "poor")).sum::<i64>(),
    }))
}

fn track(
    minutes: &[Record],
    first: i64,
    length: i64,
    with_metrics: bool,
    causes: &mut Vec<String>,
    at_once: &mut [u32],
) -> Value {
    let minutes: Vec<(usize, &Record)> = minutes
        .iter()
        .filter_map(|minute| {
            let at = integer(minute, "at") - first;
            Some((usize::try_from(at).ok()?, minute)).filter(|_| at < length)
        })
        .collect();
    let (Some((from, _)), Some((to, _))) = (minutes.first(), minutes.last()) else {
        return json!({ "from": 0, "verdicts": "", "causes": {}, "streams": {} });
    };
    let from = *from;
    let count = to - from + 1;
    let mut verdicts = vec![b' '; count];
    let (mut cause_indexes, mut streams) = (Map::new(), Map::new());
    let mut metrics: Vec<Vec<Value>> = vec![vec![Value::Null; count]; if with_metrics { METRICS.len() } else { 0 }];
    for (at, minute) in minutes {
        let index = at - from;
        verdicts[index] = match minute.get("is_poor") {
            Some(Value::Bool(true)) => b'p',
            Some(Value::Bool(false)) => b'g',
            _ => b'u',
        };
        if verdicts[index] == b'p' {
            at_once[at] += 1;
            let cause = minute.get("cause").and_then(Value::as_str).unwrap_or("unknown");
            cause_indexes.insert(at.to_string(), intern(cause, causes).into());
            let bits = STREAMS.iter().enumerate().filter(|(_, name)| minute.get(**name) == Some(&Value::Bool(true)));
            streams.insert(at.to_string(), bits.map(|(bit, _)| 1_u32 << bit).sum::<u32>().into());
        }
        for (column, (_, name, decimals)) in metrics.iter_mut().zip(METRICS) {
            column[index] = rounded(minute.get(*name).and_then(Value::as_f64), *decimals);
        }
    }
    let verdicts = String::from_utf8_lossy(&verdicts);
    let mut track = json!({ "from": from, "verdicts": verdicts, "causes": cause_indexes, "streams": streams });
    for ((key, _, _), values) in METRICS.iter().zip(metrics) {
        track[*key] = values.into();
    }
    track
}

/// The index of a cause, which is added if it is new.
fn intern(cause: &str, causes: &mut Vec<String>) -> usize {
    causes.iter().position(|known| known == cause).unwrap_or_else(|| {
        causes.push(cause.to_owned());
        causes.len() - 1
    })
}

fn rounded(value: Option<f64>, decimals: u32) -> Value {
    let Some(value) = value else { return Value::Null };
    let scale = f64::from(10_u32.pow(decimals));
    let scaled = (value * scale).round();
    // An integer without ".0".
    if scaled % scale == 0.0 && (scaled / scale).abs() < 1e15 {
        return Value::from((scaled / scale) as i64);
    }
    Number::from_f64(scaled / scale).map_or(Value::Null, Value::Number)
}

fn integer(record: &Record, name: &str) -> i64 {
    record.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Minutes since 1970 as `2026-11-02T09:15`.
fn time_text(minutes: i64) -> String {
    jiff::Timestamp::from_second(minutes.saturating_mul(60))
        .map(|at| at.strftime("%Y-%m-%dT%H:%M").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&str], rows: Value) -> Rows {
        let rows = rows.as_array().expect("rows").iter().map(|row| row.as_array().expect("row").clone()).collect();
        Rows { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }

    fn timelines(people: i64) -> Timelines {
        let names: Vec<Value> = (1..=people)
            .map(|no| json!([1, no, format!("p{no}"), "person", 3, if no == 1 { 1 } else { 0 }, 480]))
            .collect();
        let people = table(&["place", "person_no", "who", "kind", "n", "poor", "utc_offset_min"], names.into());
        let minutes = table(
            &[
                "place",
                "person_no",
                "at",
                "is_poor",
                "cause",
                "audio_received_poor",
                "share_sent_poor",
                "delay_ms",
                "loss_in_pct",
            ],
            json!([
                [1, 1, 1000, false, null, false, null, 41.6, 0.04],
                [1, 1, 1002, true, "uplink", true, true, 250.0, 12.34],
                [1, 2, 999, null, null, null, null, null, null],
            ]),
        );
        pack(&people, &minutes)
    }

    #[test]
    fn minutes_keep_their_position_and_gaps_stay() {
        let timelines = timelines(2);
        insta::assert_snapshot!(serde_json::to_string(&timelines.meetings[0]["people"][0]["track"]).expect("json"), @r#"{"from":1,"verdicts":"g p","causes":{"3":0},"streams":{"3":33},"delay":[42,null,250],"loss_in":[0,null,12.3],"loss_out":[null,null,null],"jitter_in":[null,null,null],"jitter_out":[null,null,null],"fps":[null,null,null],"height":[null,null,null],"cpu_app":[null,null,null],"cpu_all":[null,null,null]}"#);
        let meeting = &timelines.meetings[0];
        assert_eq!(meeting["first"], "1970-01-02T00:39", "999 minutes and eight hours");
        assert_eq!(meeting["at_once"], json!([0, 0, 0, 1]));
        assert_eq!(meeting["people"][1]["track"]["verdicts"], "u");
        assert_eq!(timelines.causes, ["uplink"]);
    }

    #[test]
    fn people_beyond_the_limit_are_counted() {
        let meeting = &timelines(MAX_PEOPLE + 7).meetings[0];
        assert_eq!(meeting["people"].as_array().map(Vec::len), Some(50));
        assert_eq!(meeting["others"], 7);
    }

    #[test]
    fn metrics_are_rounded() {
        let shown = |value, decimals| rounded(Some(value), decimals).to_string();
        assert_eq!([shown(12.34, 1), shown(12.0, 1), shown(0.96, 0), shown(-0.04, 1)], ["12.3", "12", "1", "0"]);
        assert_eq!(rounded(Some(f64::NAN), 1), Value::Null);
    }
}
