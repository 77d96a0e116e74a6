//! Items become samples; what cannot be converted becomes a reject.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema::{Kind, Raw, parse};
use crate::transform::unknown_fields::UnknownFields;
use crate::transform::{SampleBatches, TypedWalk, WalkParser};

const T: &str = "2022.12.23 11:16:00 (GMT+08:00)";
const T_US: i64 = 1_671_765_360_000_000;

fn page(items: Value) -> Vec<u8> {
    json!({"code": 0, "msg": "ok", "data": {"has_more": false, "participant_quality_list": items}})
        .to_string()
        .into_bytes()
}

fn typed(items: Value) -> (TypedWalk, UnknownFields) {
    typed_pages(&[page(items)])
}

fn typed_pages(pages: &[Vec<u8>]) -> (TypedWalk, UnknownFields) {
    let mut parser = WalkParser::default();
    let bodies: Vec<&[u8]> = pages.iter().map(Vec::as_slice).collect();
    let walk = parser.walk(&bodies, 480).expect("a page");
    (walk, parser.take_fields().unknown)
}

fn batch(walk: &TypedWalk) -> RecordBatch {
    let mut batches = SampleBatches::default();
    batches.append("p", "m", walk);
    batches.take().expect("a batch")
}

fn real(batch: &RecordBatch, name: &str, row: usize) -> Option<f64> {
    let column = batch.column_by_name(name).expect(name).as_primitive::<Float64Type>();
    column.is_valid(row).then(|| column.value(row))
}

fn instant(batch: &RecordBatch, name: &str, row: usize) -> Option<i64> {
    let column = batch.column_by_name(name).expect(name).as_primitive::<TimestampMicrosecondType>();
    column.is_valid(row).then(|| column.value(row))
}

/// (row key, column, text, reason) of every reject, in order.
fn rejects(walk: &TypedWalk) -> Vec<(String, &'static str, String, &'static str)> {
    walk.rejects("p", 0).map(|r| (r.row_key, r.column_name, r.raw_text, r.reason.name())).collect()
}

#[test]
fn the_documented_example_is_converted() {
    let item = json!({
        "network": {"time": T, "network_delay": "100ms", "bitrate_received": "8kbps",
            "packet_loss_avg_received": "8%", "packet_loss_max_received": "9%", "bitrate_sent": "10kbps",
            "packet_loss_avg_sent": "8%", "packet_loss_max_sent": "9%"},
        "audio": {"time": T, "mic_input_volume": "6dB", "latency_received": "100ms"},
        "video": {"time": T, "maximum_resolution_received": "1080P", "framerate_received": "100fps",
            "maximum_resolution_sent": "4K"},
        "screen_sharing": {},
        "cpu_usage": {"time": "2022.12.23 11:17:00", "client_avg_cpu_usage": "0.8%"},
    });
    let (walk, unknown) = typed(json!([item]));
    assert!(rejects(&walk).is_empty() && unknown.is_empty());
    let batch = batch(&walk);
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(instant(&batch, "sample_time_utc", 0), Some(T_US));
    assert_eq!(instant(&batch, "sample_time_local", 0), Some(T_US + 8 * 3_600_000_000));
    assert_eq!(real(&batch, "network_delay_ms", 0), Some(100.0));
    assert_eq!(real(&batch, "network_packet_loss_max_sent_pct", 0), Some(9.0));
    assert_eq!(real(&batch, "audio_mic_input_volume_db", 0), Some(6.0));
    assert_eq!(real(&batch, "audio_jitter_sent_ms", 0), None);
    assert_eq!(instant(&batch, "screen_sharing_time_utc", 0), None);
    // The zone of cpu_usage is borrowed from a sibling; its minute stays its own.
    assert_eq!(instant(&batch, "cpu_usage_time_utc", 0), Some(T_US + 60_000_000));
    assert_eq!(real(&batch, "client_avg_cpu_usage_pct", 0), Some(0.8));
    let heights = batch.column_by_name("video_maximum_resolution_sent_px").expect("column");
    assert_eq!(heights.as_primitive::<Int64Type>().value(0), 2160);
}

#[test]
fn what_cannot_be_typed_is_null_here_and_text_in_rejects() {
    let (walk, unknown) = typed(json!([{
        "network": {"time": T, "network_delay": "fast", "bitrate_received": "12 parsecs",
            "packet_loss_avg_received": "140%", "packet_loss_max_received": "N/A", "new_metric": "1"},
        "audio": {"time": "25:99", "jitter_sent": {"a": 1}},
        "video": null,
        "spaceship": {"warp": "9"},
    }]));
    let key = format!("p@{}", T_US / 1_000_000);
    assert_eq!(
        rejects(&walk),
        [
            (key.clone(), "network_delay_ms", "fast".to_owned(), "unparsable"),
            (key.clone(), "network_bitrate_received_kbps", "12 parsecs".to_owned(), "unknown_unit"),
            (key.clone(), "network_packet_loss_avg_received_pct", "140%".to_owned(), "out_of_range"),
            (key.clone(), "audio_time_utc", "25:99".to_owned(), "unparsable"),
            (key, "audio_jitter_sent_ms", "{\"a\":1}".to_owned(), "unparsable"),
        ]
    );
    assert_eq!(unknown, UnknownFields::from([("network.new_metric".to_owned(), 1), ("spaceship".to_owned(), 1)]));
    let batch = batch(&walk);
    assert_eq!(real(&batch, "network_delay_ms", 0), None);
    assert_eq!(real(&batch, "network_packet_loss_max_received_pct", 0), None);
}

#[test]
fn metrics_that_no_item_of_a_section_has_are_absent() {
    let absent = |item: &str| {
        let items = vec![item; 20].join(",");
        let body = format!(r#"{{"code":0,"data":{{"has_more":false,"participant_quality_list":[{items}]}}}}"#);
        let mut parser = WalkParser::default();
        parser.walk(&[body.as_bytes()], 480).expect("a page");
        let absent = parser.take_fields().sent.absent(20);
        absent.into_iter().map(|field| (field.name, field.column, field.items)).collect::<Vec<_>>()
    };
    // Read by the page scanner, and, because of the escape, by serde_json.
    for fast in ["1%", "\\u0031%"] {
        let cpu = format!(
            r#"{{"network":null,"video":{{}},"cpu_usage":{{"time":"{T}","client_avg_cpu_usage":"{fast}",
            "client_max_cpu_usage":null,"system_max_cpu_usage":""}}}}"#
        );
        let missing = "cpu_usage.system_avg_cpu_usage".to_owned();
        let network = ("network".to_owned(), "network_time_utc", 20);
        assert_eq!(absent(&cpu), [network, (missing, "system_avg_cpu_usage_pct", 20)]);
    }
    assert_eq!(absent("7"), [], "not items");
}

#[test]
fn an_item_without_time_is_a_reject_as_a_whole() {
    let timeless = json!({"network": {"network_delay": "5ms", "jitter": "fast"}});
    let text = serde_json::to_string(&timeless).expect("json");
    let pages = [page(json!([{"network": {"time": T}}])), page(json!([timeless, "nonsense"]))];
    let (walk, _) = typed_pages(&pages);
    assert_eq!(walk.sample_count(), 1);
    assert_eq!(
        rejects(&walk),
        [
            ("p@item1".to_owned(), "*", text, "no_time"),
            ("p@item2".to_owned(), "*", "\"nonsense\"".to_owned(), "no_time"),
        ]
    );
}

#[test]
fn equal_samples_collapse_and_of_different_ones_the_later_stays() {
    let minute = |delay: &str| json!({"network": {"time": T, "network_delay": delay}});
    let (walk, _) = typed(json!([minute("5ms"), minute("5 ms"), minute("fast"), minute("7ms")]));
    let batch = batch(&walk);
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(real(&batch, "network_delay_ms", 0), Some(7.0));
    let reasons: Vec<_> = rejects(&walk).into_iter().map(|(_, column, text, reason)| (column, text, reason)).collect();
    assert_eq!(
        reasons,
        [("*", minute("5 ms").to_string(), "duplicate_sample"), ("*", minute("fast").to_string(), "duplicate_sample"),]
    );
}

#[test]
fn a_value_that_could_not_be_typed_stays_a_reject_when_its_sample_collapses() {
    let minute = |delay: &str| json!({"network": {"time": T, "network_delay": delay}});
    for items in [json!([minute("<1ms"), minute("-")]), json!([minute("-"), minute("<1ms")])] {
        let (walk, _) = typed(items);
        assert_eq!(walk.sample_count(), 1);
        let texts: Vec<_> = rejects(&walk).into_iter().map(|(_, _, text, reason)| (text, reason)).collect();
        assert_eq!(texts, [("<1ms".to_owned(), "unparsable")]);
    }
}

#[test]
fn a_time_without_zone_takes_a_siblings_then_the_joins() {
    let (walk, _) = typed(json!([
        {"network": {"time": "2022.12.23 11:16:00"}, "video": {"time": "2022.12.23 11:16:00 (GMT+09:00)"}},
        {"audio": {"time": "2022.12.23 13:16:00"}},
    ]));
    let batch = batch(&walk);
    assert_eq!(instant(&batch, "sample_time_utc", 0), Some(T_US - 3_600_000_000));
    assert_eq!(instant(&batch, "sample_time_utc", 1), Some(T_US + 2 * 3_600_000_000));
    let offsets = batch.column_by_name("utc_offset_min").expect("column").as_primitive::<Int64Type>();
    assert_eq!((offsets.value(0), offsets.value(1)), (540, 480));
}

#[test]
fn unsorted_pages_come_out_sorted() {
    let minute = |m: u32| json!({"network": {"time": format!("2022.12.23 11:{m:02}:00 (GMT+08:00)")}});
    let (walk, _) = typed(json!([minute(18), minute(16), minute(17)]));
    let batch = batch(&walk);
    let times: Vec<_> = (0..3).filter_map(|row| instant(&batch, "sample_time_utc", row)).collect();
    assert_eq!(times, [T_US, T_US + 60_000_000, T_US + 120_000_000]);
}

#[test]
fn pages_without_a_list_have_no_rows() {
    for body in ["{}", "[]", "null", "{\"data\":null}", "{\"data\":{\"participant_quality_list\":null}}"] {
        assert_eq!(typed_pages(&[body.as_bytes().to_vec()]).0.sample_count(), 0, "{body}");
    }
    assert!(WalkParser::default().walk(&[b"{\"data\":"], 0).is_err());
}

/// The slow, obvious way to one metric: by a tree of values.
fn slow_delay(items: &Value, row: usize) -> Option<f64> {
    parse::measure(&Raw::of(items[row].pointer("/network/network_delay")), Kind::Millis).ok().flatten()
}

proptest! {
    #[test]
    fn the_stream_reads_what_the_tree_reads(delays in proptest::collection::vec("[0-9]{1,4}( ?ms|us|)|fast|-|", 1..60)) {
        let items: Vec<Value> = delays.iter().enumerate().map(|(m, delay)| json!({
            "network": {"network_delay": delay, "time": format!("2022.12.23 11:{m:02}:00 (GMT+08:00)")},
        })).collect();
        let items = Value::Array(items);
        let (walk, _) = typed(items.clone());
        let batch = batch(&walk);
        prop_assert_eq!(batch.num_rows(), delays.len());
        for row in 0..delays.len() {
            prop_assert_eq!(real(&batch, "network_delay_ms", row), slow_delay(&items, row));
        }
        prop_assert_eq!(rejects(&walk).len(), delays.iter().filter(|delay| *delay == "fast").count());
    }

    #[test]
    fn no_page_panics(body in "[\\[\\]{}\",:a-z0-9 ]{0,80}") {
        let _ = WalkParser::default().walk(&[body.as_bytes()], 0);
    }
}
