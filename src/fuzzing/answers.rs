//! API responses: envelope, items, pages, and the raw log that stores them.

use std::collections::HashSet;
use std::fs;

use serde_json::{Value, json};

use super::folder::folder;
use crate::extract::list_items;
use crate::raw_log::{Header, RAW_VERSION, RawDate, RawKind};
use crate::schema::{QUALITY_SAMPLES, Raw, SECTIONS, parse};
use crate::text::readable;
use crate::transform::WalkParser;
use feishu_vc::{Endpoint, EnvelopeFacts, MAX_IDENTIFIER_BYTES, read_envelope};

/// The envelope reader agrees with serde_json.
pub(super) fn envelope(data: &[u8]) {
    for endpoint in Endpoint::ALL {
        let Some(EnvelopeFacts { code, paging, names }) = read_envelope(data, endpoint.list_key()) else { continue };
        for name in names {
            let is_printable = name.bytes().all(|byte| byte.is_ascii_graphic());
            assert!(is_printable && name.len() <= MAX_IDENTIFIER_BYTES, "{name:?}");
        }
        let Ok(tree) = serde_json::from_slice::<Value>(data) else { continue };
        assert_eq!(whole_number(&tree["code"]), Some(code));
        if let Some((has_more, token, item_count)) = paging {
            let page = &tree["data"];
            let list = page.pointer(&format!("/{}", endpoint.list_key().replace('.', "/")));
            assert_eq!(item_count, list.and_then(Value::as_array).map_or(0, Vec::len));
            assert_eq!(has_more, page["has_more"] == true);
            assert!(token.is_none_or(|token| !token.is_empty()));
        }
    }
}

/// A number or its text. A number that is too small for a double is 0.
fn whole_number(value: &Value) -> Option<i64> {
    let text = || value.as_str()?.trim().parse().ok();
    value.as_i64().or_else(|| value.as_f64().map(|float| float as i64)).or_else(text)
}

/// Every item that the envelope counts is found, and well-formed JSON becomes readable.
pub(super) fn list(data: &[u8]) {
    for endpoint in Endpoint::ALL {
        let items = list_items(data, endpoint.list_key());
        if let Some(EnvelopeFacts { paging: Some((_, _, item_count)), .. }) = read_envelope(data, endpoint.list_key()) {
            assert_eq!(items.len(), item_count);
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
        assert!(!is_json || serde_json::from_str::<Value>(&readable(text)).is_ok());
    }
}

/// Samples and rejects account for every item of a page.
pub(super) fn page(data: &[u8]) {
    let key = Endpoint::ParticipantQualityList.list_key();
    let Some(EnvelopeFacts { paging: Some((_, _, item_count)), .. }) = read_envelope(data, key) else { return };
    // A valid response is a page, whatever its items are.
    accounted(data, item_count);
    // The same without repeated keys, so that it can be compared with serde_json.
    let items = list_items(data, key);
    let canonical = json!({"code": 0, "data": {key: items}}).to_string();
    let (timed, timeless) = accounted(canonical.as_bytes(), item_count);
    let with_time = items.iter().filter(|item| has_time(item)).count();
    assert_eq!((timed, timeless), (with_time, item_count - with_time));
}

/// The number of items with and without a time.
fn accounted(body: &[u8], item_count: usize) -> (usize, usize) {
    let mut parser = WalkParser::default();
    let walk = parser.walk(&[body], 480).expect("a valid response is a page");
    let (mut whole_rows, mut timeless, mut columns) = (0, 0, HashSet::new());
    for reject in walk.rejects("p", 0) {
        assert!(!reject.raw_text.is_empty(), "{}", reject.row_key);
        whole_rows += usize::from(reject.column_name == "*");
        timeless += usize::from(reject.row_key.contains("@item"));
        columns.insert(reject.column_name);
    }
    columns.remove("*");
    assert!(columns.iter().all(|name| QUALITY_SAMPLES.columns.iter().any(|column| column.name == *name)));
    // Equal samples are merged, so there can be fewer rows than items, but not more, and no rows only without items.
    let timed = item_count - timeless;
    assert!(walk.sample_count() + whole_rows - timeless <= timed && (timed == 0) == (walk.sample_count() == 0));
    // Repeating a page does not change the walk.
    let twice = parser.walk(&[body, body], 480).expect("the same page");
    assert_eq!(twice.sample_count(), walk.sample_count());
    (timed, timeless)
}

/// Whether any section of an item has a readable time.
fn has_time(item: &Value) -> bool {
    SECTIONS.iter().any(|section| {
        let time = match item.get(section) {
            Some(Value::Object(section)) => section.get("time"),
            // A section that is not an object counts as its time.
            other => other,
        };
        matches!(parse::time(&Raw::of(time)), Ok(Some(_)))
    })
}

/// A day of the raw log with arbitrary bytes is read to its end; so is a frame with arbitrary lines.
pub(super) fn raw_log(data: &[u8]) {
    const DAY: i32 = 20_000;
    let root = folder();
    let folder = root.join("quality/meeting_date=2024-10-04");
    fs::create_dir_all(&folder).expect("made");
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    let bytes = if kind % 2 == 0 { rest.to_vec() } else { framed(rest) };
    let path = folder.join("a-0.jsonl.zst");
    fs::write(&path, &bytes).expect("written");
    let date = RawDate::open(&root, RawKind::Quality, DAY).expect("any bytes are accepted");
    assert!(date.truncated <= 1, "one file has one end");
    for (_, walks) in date.units() {
        for walk in walks {
            // Damage is an error that names the file, never a panic.
            if let Err(error) = date.pages(walk) {
                assert!(error.to_string().contains("a-0.jsonl.zst"), "{error}");
            }
        }
    }
}

/// These lines as a frame with a valid header.
fn framed(lines: &[u8]) -> Vec<u8> {
    let frame = zstd::encode_all(lines, 1).expect("memory");
    let header = Header {
        v: RAW_VERSION,
        run_id: "a".to_owned(),
        kind: RawKind::Quality,
        unit: "u".to_owned(),
        requested_us: 1,
        window_us: None,
        known: Vec::new(),
        end: None,
        bytes: u32::try_from(frame.len()).expect("small"),
    };
    let header = serde_json::to_vec(&header).expect("plain values");
    let mut bytes = vec![0x50, 0x2A, 0x4D, 0x18];
    bytes.extend(u32::try_from(header.len()).expect("small").to_le_bytes());
    bytes.extend(header);
    bytes.extend(frame);
    bytes
}
