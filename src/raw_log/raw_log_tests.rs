//! What is written can be read back, completely or up to where it was truncated.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::checkpoint::SKIPPABLE_MAGIC;
use super::*;
use crate::schema::Status;

const DAY: i32 = 20_000;

fn page(body: &str) -> PageRecord {
    let (response, response_text) = PageRecord::body(body.as_bytes());
    PageRecord {
        record: "page".into(),
        endpoint: "participant_quality_list".into(),
        request: serde_json::Map::new(),
        requested_utc: "2026-11-01T00:00:00Z".to_owned(),
        elapsed_ms: 5,
        http_status: 200,
        log_id: Some("log".to_owned()),
        response,
        response_text,
    }
}

fn end(whole: bool) -> WalkEnd {
    WalkEnd {
        whole,
        status: if whole { Status::Complete } else { Status::Failed },
        reason: "because".to_owned(),
        is_final: whole,
        api_code: Some(0),
        log_id: None,
        items: 1,
        digest: "d".to_owned(),
        requests: 1,
        walks: 1,
        ..WalkEnd::default()
    }
}

fn header(run: &str, unit: &str, requested_us: i64, end: Option<WalkEnd>) -> Header {
    Header {
        v: RAW_VERSION,
        run_id: run.to_owned(),
        kind: RawKind::Quality,
        unit: unit.to_owned(),
        requested_us,
        window_us: None,
        known: Vec::new(),
        end,
        bytes: 0,
    }
}

/// The raw log outlives the program: the names of its fields are part of the format.
#[test]
fn the_names_of_the_fields_are_those_of_version_1() {
    let text = r#"{"v":1,"run_id":"r","kind":"quality","unit":"u","asked_us":7,"bytes":9}"#;
    let header: Header = serde_json::from_str(text).expect("a header of version 1");
    assert_eq!(serde_json::to_string(&header).expect("JSON"), text);
    let page = serde_json::to_value(page("{}")).expect("JSON");
    let names: Vec<&str> = page.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = ["record", "endpoint", "request", "asked_utc", "elapsed_ms", "http_status", "log_id", "response"];
    assert_eq!(names, expected);
}

/// Writes checkpoints of one run; returns the path of the file.
fn write(dir: &TempDir, run: &str, checkpoints: &[(Header, Vec<PageRecord>)]) -> PathBuf {
    let mut writer = RawWriter::new(dir.path(), run);
    for (header, pages) in checkpoints {
        let bytes = encode(header.clone(), pages).expect("zstd");
        writer.append(RawKind::Quality, DAY, &bytes).expect("written");
    }
    writer.sync().expect("synced");
    dir.path().join(format!("quality/meeting_date=2024-10-04/{run}-0.jsonl.zst"))
}

fn read(dir: &TempDir) -> RawDate {
    RawDate::open(dir.path(), RawKind::Quality, DAY).expect("readable")
}

fn bodies(date: &RawDate, walk: &WalkRef) -> Vec<String> {
    let pages: Vec<String> =
        date.pages(walk).expect("pages").iter().map(|page| page.response.get().to_owned()).collect();
    // The fast reader returns the same.
    let mut reader = PageReader::default();
    let bodies = reader.bodies(date, walk).expect("bodies");
    assert_eq!(bodies, pages.iter().map(String::as_bytes).collect::<Vec<_>>());
    pages
}

#[test]
fn walks_are_read_by_unit_and_in_request_order() {
    let dir = TempDir::new().expect("a folder");
    write(&dir, "b", &[(header("b", "one", 20, Some(end(true))), vec![page("{\"n\":3}")])]);
    write(
        &dir,
        "a",
        &[
            (header("a", "one", 10, None), vec![page("{\"n\":1}")]),
            (header("a", "two", 11, Some(end(false))), vec![]),
            (header("a", "one", 10, Some(end(true))), vec![page("{\"n\":2}")]),
        ],
    );
    let date = read(&dir);
    let one = date.walks("one");
    assert_eq!(one.len(), 2);
    assert_eq!((one[0].run_id.as_str(), one[1].run_id.as_str()), ("a", "b"));
    assert!(one[0].is_whole(), "the end is in a later checkpoint");
    assert_eq!(bodies(&date, &one[0]), ["{\"n\":1}", "{\"n\":2}"]);
    assert!(!date.walks("two")[0].is_whole());
    assert!(date.walks("three").is_empty());
    assert_eq!(date.units().count(), 2);
}

#[test]
fn any_zstd_decoder_reads_the_lines() {
    let dir = TempDir::new().expect("a folder");
    let path =
        write(&dir, "a", &[(header("a", "one", 1, Some(end(true))), vec![page("{\"a\":\n 1}"), page("<html>")])]);
    let text = String::from_utf8(zstd::decode_all(std::fs::File::open(path).expect("opens")).expect("zstd"));
    let lines: Vec<serde_json::Value> =
        text.expect("UTF-8").lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["response"]["a"], 1);
    assert_eq!(lines[1]["response_text"], "<html>");
    assert_eq!(lines[2]["record"], "walk");
    assert_eq!(lines[2]["unit"], "one");
}

#[test]
fn a_date_without_files_is_empty() {
    assert_eq!(read(&TempDir::new().expect("a folder")).units().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_truncated_file_loses_only_what_is_behind_the_cut(cut in 0_usize..4_000, count in 1_usize..6) {
        let dir = TempDir::new().expect("a folder");
        let checkpoints: Vec<_> = (0..count)
            .map(|n| (header("a", &format!("u{n}"), n as i64, Some(end(true))), vec![page(&format!("{{\"n\":{n}}}"))]))
            .collect();
        let mut ends = Vec::new();
        for checkpoint in &checkpoints {
            let bytes = encode(checkpoint.0.clone(), &checkpoint.1).expect("zstd").len();
            ends.push(ends.last().copied().unwrap_or(0) + bytes);
        }
        let path = write(&dir, "a", &checkpoints);
        let bytes = std::fs::read(&path).expect("the file");
        let cut = cut.min(bytes.len());
        std::fs::write(&path, &bytes[..cut]).expect("cut");
        let date = read(&dir);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        prop_assert_eq!(date.units().count(), whole);
        let clean = cut == 0 || ends.contains(&cut);
        prop_assert_eq!(date.truncated, u64::from(!clean));
        for n in 0..whole {
            let walk = &date.walks(&format!("u{n}"))[0];
            prop_assert_eq!(bodies(&date, walk), vec![format!("{{\"n\":{n}}}")]);
        }
    }

    #[test]
    fn a_last_record_that_was_not_written_is_truncated(keep in 0_usize..100, count in 1_usize..4) {
        let dir = TempDir::new().expect("a folder");
        let checkpoints: Vec<_> = (0..count)
            .map(|n| (header("a", &format!("u{n}"), n as i64, Some(end(true))), vec![page(&format!("{{\"n\":{n}}}"))]))
            .collect();
        let path = write(&dir, "a", &checkpoints);
        let mut bytes = std::fs::read(&path).expect("the file");
        let last = encode(checkpoints[count - 1].0.clone(), &checkpoints[count - 1].1).expect("zstd").len();
        let begin = bytes.len() - last;
        // Somewhere in the lines of the last checkpoint the file is all zeros, though its size is right.
        let from = bytes.len() - 4 - keep.min(40);
        bytes[from..].fill(0);
        std::fs::write(&path, &bytes).expect("zeroed");
        let date = read(&dir);
        prop_assert_eq!((date.units().count(), date.truncated), (count - 1, 1));
        prop_assert_eq!((date.files()[0].whole_bytes, date.files()[0].bytes), (begin as u64, bytes.len() as u64));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let dir = TempDir::new().expect("a folder");
        let path = write(&dir, "a", &[]);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut file = SKIPPABLE_MAGIC.to_vec();
        file.extend(&bytes);
        std::fs::write(&path, &file).expect("written");
        let date = read(&dir);
        for (_, walks) in date.units() {
            for walk in walks {
                let _ = date.pages(walk);
            }
        }
    }
}

#[test]
fn requests_count_each_ended_walk_once() {
    let dir = TempDir::new().expect("a folder");
    let ended = |requests| Some(WalkEnd { requests, ..end(true) });
    write(
        &dir,
        "r1",
        &[
            (header("r1", "a", 1, None), vec![page("{}")]),
            (header("r1", "a", 1, ended(7)), vec![page("{}")]),
            (header("r1", "b", 2, ended(3)), vec![page("{}")]),
            (header("r1", "c", 3, None), vec![page("{}")]),
        ],
    );
    write(&dir, "r2", &[(header("r2", "a", 9, ended(100)), vec![page("{}")])]);
    // One walk over the meeting list, stored under two dates.
    let mut writer = RawWriter::new(dir.path(), "r1");
    for date in [DAY, DAY + 1] {
        let header = Header { kind: RawKind::Meetings, ..header("r1", "window", 1, ended(2)) };
        writer.append(RawKind::Meetings, date, &encode(header, &[page("{}")]).expect("zstd")).expect("written");
    }
    writer.sync().expect("synced");
    let of = |wanted: &str| requests_by_run(dir.path(), |run| run == wanted).expect("read");
    assert_eq!(of("r1"), [("r1".to_owned(), [2, 0, 10])].into());
    assert_eq!(of("r2"), [("r2".to_owned(), [0, 0, 100])].into());
    assert_eq!(of("r3"), BTreeMap::new());

    // A truncated end is skipped.
    let path = dir.path().join("quality/meeting_date=2024-10-04/r2-0.jsonl.zst");
    let bytes = std::fs::read(&path).expect("there");
    std::fs::write(&path, [&bytes[..], &bytes[..20]].concat()).expect("written");
    assert_eq!(of("r2")["r2"], [0, 0, 100]);
}
