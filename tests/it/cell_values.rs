//! Every published cell is compared with a slow, simple parser of the raw log (JSON values and string functions).

use std::collections::BTreeMap;

use serde_json::Value;
use vcq_etl::{Kind, QUALITY_SAMPLES};
use vcq_simulator::{JsonStyle, TimeFormat, count_malformed};

use crate::support::test_env::{TestEnv, small_tenant, unlimited};

/// Parses a measure: leading digits, then the unit.
pub(crate) fn parse_measure(text: &str, kind: Kind) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() || text == "-" {
        return None;
    }
    if kind == Kind::PictureHeight {
        return Some(match text {
            "2K" => 1440.0,
            "4K" => 2160.0,
            "8K" => 4320.0,
            lines => lines.trim_end_matches('P').parse().expect("a height"),
        });
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let number: f64 = text[..end].parse().expect("a number");
    Some(match (kind, text[end..].trim()) {
        (Kind::Kbps, "Mbps") => number * 1000.0,
        (_, "ms" | "kbps" | "%" | "dB" | "fps" | "") => number,
        other => panic!("unknown unit {other:?}"),
    })
}

/// Every item of every complete quality walk: (unit, item).
fn raw_items(env: &TestEnv) -> Vec<(String, Value)> {
    let mut items = Vec::new();
    let folder = env.store().join("raw/quality");
    for date in std::fs::read_dir(folder).expect("raw/quality") {
        for file in std::fs::read_dir(date.expect("a date").path()).expect("files") {
            let file = std::fs::File::open(file.expect("a file").path()).expect("opens");
            let text = String::from_utf8(zstd::decode_all(file).expect("zstd")).expect("UTF-8");
            let mut pending = Vec::new();
            for line in text.lines() {
                let line: Value = serde_json::from_str(line).expect("JSON");
                if line["record"] == "walk" {
                    let unit = line["unit"].as_str().expect("a unit").to_owned();
                    items.extend(pending.drain(..).map(|item| (unit.clone(), item)));
                } else if let Some(list) = line["response"]["data"]["participant_quality_list"].as_array() {
                    pending.extend(list.iter().cloned());
                }
            }
        }
    }
    items
}

#[test]
fn every_cell_equals_the_value_in_the_raw_log() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    // Keyed by participant and the text of its first time; the simulator prints every time in the tenant's zone.
    let mut expected: BTreeMap<(String, String), Value> = BTreeMap::new();
    for (unit, item) in raw_items(&env) {
        let time = ["network", "audio", "video", "screen_sharing", "cpu_usage"]
            .iter()
            .find_map(|section| item[section]["time"].as_str())
            .expect("a time");
        expected.insert((unit, time[..19].replace('.', "-")), item);
    }
    let metrics: Vec<_> = QUALITY_SAMPLES
        .columns
        .iter()
        .filter(|column| !column.source.is_empty() && column.kind != Kind::Instant)
        .collect();
    let names = metrics.iter().map(|column| format!("{}::double", column.name)).collect::<Vec<_>>().join(", ");
    let connection = env.duckdb();
    let mut select = connection
        .prepare(&format!(
            "select split_part(participant_key, '#', 1), strftime(sample_time_local, '%Y-%m-%d %H:%M:%S'), {names}
             from quality_samples"
        ))
        .expect("a query");
    let mut rows = select.query([]).expect("rows");
    let (mut samples, mut cells) = (0, 0);
    while let Some(row) = rows.next().expect("a row") {
        let key: (String, String) = (row.get(0).expect("a key"), row.get(1).expect("a time"));
        let item = &expected[&key];
        for (index, column) in metrics.iter().enumerate() {
            let typed: Option<f64> = row.get(index + 2).expect("a cell");
            let read =
                item.pointer(column.source).and_then(Value::as_str).and_then(|text| parse_measure(text, column.kind));
            assert_eq!(typed, read, "{key:?} {}", column.name);
            cells += usize::from(typed.is_some());
        }
        samples += 1;
    }
    let totals = env.simulator().tenant().totals();
    assert_eq!(samples, totals.samples, "duplicate participants share an answer");
    assert_eq!(expected.len() as u64, totals.samples_answered);
    assert!(cells > samples as usize * 10, "most cells hold a value");
}

#[test]
fn unix_times_numbers_and_null_sections_give_the_same_samples() {
    let plain = TestEnv::new();
    plain.sync(&[]).expect_exit(0);
    let query = "select * exclude (cpu_usage_time_utc) from quality_samples order by all";
    let expected = plain.rows(query);
    for style in [
        JsonStyle { times: TimeFormat::UnixSeconds, ..JsonStyle::default() },
        JsonStyle { times: TimeFormat::Zoneless, ..JsonStyle::default() },
        JsonStyle { numbers: true, ..JsonStyle::default() },
        JsonStyle { null_sections: true, ..JsonStyle::default() },
    ] {
        let env = TestEnv::with(&small_tenant(), vcq_simulator::Options { style, ..unlimited() });
        env.sync(&[]).expect_exit(0);
        assert_eq!(env.rows(query).len(), expected.len(), "{style:?}");
        let differing = env.rows(query).iter().zip(&expected).filter(|(one, other)| one != other).count();
        assert_eq!(differing, 0, "{style:?}");
    }
}

#[test]
fn unknown_fields_are_counted_and_change_no_row() {
    let style = JsonStyle { extra_fields: true, ..JsonStyle::default() };
    let env = TestEnv::with(&small_tenant(), vcq_simulator::Options { style, ..unlimited() });
    let summary = env.sync(&[]).expect_exit(0).summary();
    let unknown = summary["unknown_fields"].as_object().expect("an object");
    assert!(!unknown.is_empty());
    assert!(unknown.values().all(|count| count.as_u64() > Some(0)), "{unknown:?}");
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
    assert_eq!(summary["rejects"], 0);
}

#[test]
fn fields_that_are_no_longer_sent_are_counted_once_they_were_published() {
    let env = TestEnv::new();
    assert_eq!(env.sync(&[]).expect_exit(0).summary()["missing_fields"], serde_json::json!({}));
    let complete = env.sync(&["--refetch"]).expect_exit(0).summary();
    assert_eq!(complete["missing_fields"], serde_json::json!({}));
    env.change(|options| options.style.without_field = Some("network_type"));
    let summary = env.sync(&["--refetch"]).expect_exit(0).summary();
    let participants = env.number("select count(*) from participants");
    assert_eq!(summary["missing_fields"], serde_json::json!({ "network_type": participants }));
    assert_eq!(env.number("select count(network_type) from participants"), 0);
    // Nothing published has it any more: it is not reported for ever.
    let again = env.sync(&["--refetch"]).expect_exit(0).summary();
    assert_eq!(again["missing_fields"], serde_json::json!({}));
    // Nor in a store that never had it.
    let style = JsonStyle { without_field: Some("network_type"), ..JsonStyle::default() };
    let other = TestEnv::with(&small_tenant(), vcq_simulator::Options { style, ..unlimited() });
    assert_eq!(other.sync(&[]).expect_exit(0).summary()["missing_fields"], serde_json::json!({}));
}

#[test]
fn untypable_values_are_rejects_with_their_text_and_never_a_silent_null() {
    let style = JsonStyle { malformed_per_million: 60_000, ..JsonStyle::default() };
    let env = TestEnv::with(&small_tenant(), vcq_simulator::Options { style, ..unlimited() });
    let summary = env.sync(&[]).expect_exit(0).summary();
    let odd = count_malformed(env.simulator().tenant(), &style);
    assert!(odd.iter().all(|(_, count)| *count > 0), "every odd value occurs: {odd:?}");
    let by_reason: BTreeMap<String, i64> = env
        .rows("select reason, count(*) from rejects group by reason order by reason")
        .iter()
        .map(|row| {
            let (reason, count) = row.split_once(" | ").expect("two columns");
            (reason.to_owned(), count.parse().expect("a count"))
        })
        .collect();
    assert_eq!(summary["rejects"], by_reason.values().sum::<i64>());
    for reason in ["unparsable", "unknown_unit", "out_of_range", "no_time"] {
        assert!(by_reason.contains_key(reason), "{reason} in {by_reason:?}");
    }
    assert_eq!(env.number("select count(*) from rejects where coalesce(raw_text, '') = ''"), 0);
    // Each reject of a cell belongs to a sample in which that cell is NULL.
    let orphans = env.number(
        "select count(*) from rejects r
         where r.column_name <> '*' and not exists (
            select 1 from quality_samples q
            where r.row_key = q.participant_key || '@' || (epoch_us(q.sample_time_utc) // 1000000))",
    );
    assert_eq!(orphans, 0);
    // An item without any time is kept whole, with its index in the walk.
    let whole = env.rows("select row_key, raw_text from rejects where reason = 'no_time' limit 1");
    assert!(whole[0].contains("@item") && whole[0].contains('{'), "{whole:?}");
}
