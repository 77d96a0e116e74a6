//! The ledger rebuilt from the raw log.

use super::super::lost_files::forget_index;
use super::*;
use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawWriter, encode};

fn walk_end(whole: bool) -> WalkEnd {
    WalkEnd {
        whole,
        status: if whole { Status::Complete } else { Status::Failed },
        reason: "because".to_owned(),
        is_final: false,
        api_code: None,
        log_id: None,
        items: 0,
        digest: String::new(),
        requests: 1,
        walks: 1,
        ..WalkEnd::default()
    }
}

fn header(kind: RawKind, requested_us: i64, end: Option<WalkEnd>) -> Header {
    Header {
        v: RAW_VERSION,
        run_id: "r1".to_owned(),
        kind,
        unit: "u".to_owned(),
        requested_us,
        window_us: None,
        known: Vec::new(),
        end,
        bytes: 0,
    }
}

fn page(devices: u64) -> PageRecord {
    let body = format!(
        r#"{{"code":0,"data":{{"meeting_list":[{{"meeting_id":"1","meeting_start_time":"2022.12.23 11:16:59 (GMT+08:00)",
        "meeting_end_time":"2022.12.23 11:18:51","number_of_devices":{devices}}}]}}}}"#
    );
    let (response, response_text) = PageRecord::body(body.as_bytes());
    PageRecord {
        record: "page".into(),
        endpoint: "meeting_list".into(),
        request: serde_json::Map::new(),
        requested_utc: "2022-12-24T00:00:00Z".to_owned(),
        elapsed_ms: 1,
        http_status: 200,
        log_id: None,
        response,
        response_text,
    }
}

#[test]
fn an_incomplete_list_makes_meetings_known_and_a_complete_one_publishable() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
    let raw_dir = folder.path().join("raw");
    let zone = TenantZone::parse("+08:00").expect("a zone");
    let meeting_date = 19_349;
    let mut writer = RawWriter::new(&raw_dir, "r1");
    let mut walk = |requested_us: i64, end: Option<WalkEnd>, devices: u64| {
        let header = header(RawKind::Meetings, requested_us, end);
        writer
            .append(RawKind::Meetings, meeting_date, &encode(header, &[page(devices)]).expect("zstd"))
            .expect("written");
        writer.sync().expect("synced");
        catch_up(&raw_dir, &ledger, &zone).expect("indexed");
        let dirty = ledger.dirty_dates().expect("read").first().map_or(0, |date| date.changes);
        let digest = ledger.item_digest("1-1671765419").expect("read").expect("known");
        let partially_listed = ledger.partially_listed_dates((0, 0)).expect("read").contains(&meeting_date);
        let devices = ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices;
        (dirty, digest.is_empty(), partially_listed, devices)
    };
    assert_eq!(walk(1, None, 3), (0, true, true, 3), "killed");
    assert_eq!(walk(2, Some(walk_end(false)), 3), (0, true, true, 3), "failed");
    let start_us = 1_671_765_419_000_000;
    let waits = |read_us| ledger.partially_listed_dates(read_us).expect("read").contains(&meeting_date);
    assert!(!waits((start_us, start_us + 1)), "a later list of its window does not contain it");
    let end_us = 1_671_765_531_000_000;
    assert!(!waits((end_us, i64::MAX)), "it overlaps that window");
    assert!(waits((end_us + 1, i64::MAX)) && waits((0, start_us)), "the list of another window says nothing");
    assert_eq!(walk(3, Some(walk_end(true)), 3), (1, false, false, 3), "not published yet");
    assert_eq!(walk(4, None, 3), (1, false, false, 3), "nothing new");
    assert_eq!(walk(5, None, 4), (1, true, true, 4), "changed, but in an incomplete list");
    assert_eq!(walk(6, Some(walk_end(true)), 4), (2, false, false, 4));
    // Rebuilt from the raw log it is the same.
    forget_index(&raw_dir, &ledger).expect("forgotten");
    catch_up(&raw_dir, &ledger, &zone).expect("indexed");
    assert_eq!(ledger.meetings(i64::MIN, i64::MAX).expect("read")[0].devices, 4);
    assert!(ledger.partially_listed_dates((0, 0)).expect("read").is_empty());
}

#[test]
fn the_days_of_a_rebuilt_ledger_are_those_of_the_raw_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
    let raw_dir = folder.path().join("raw");
    let zone = TenantZone::parse("+08:00").expect("a zone");
    let mut writer = RawWriter::new(&raw_dir, "r1");
    for (requested_us, whole) in [(1, true), (2, false)] {
        for kind in RawKind::DAILY {
            let end = WalkEnd { digest: if whole { "d" } else { "" }.to_owned(), ..walk_end(whole) };
            let header = Header { unit: "2024-10-04".to_owned(), ..header(*kind, requested_us, Some(end)) };
            writer.append(*kind, 20_000, &encode(header, &[]).expect("zstd")).expect("written");
        }
    }
    writer.sync().expect("synced");
    for _ in 0..2 {
        catch_up(&raw_dir, &ledger, &zone).expect("indexed");
        for kind in RawKind::DAILY {
            let days = ledger.days(*kind).expect("read");
            let day = &days[&20_000];
            assert_eq!((days.len(), day.status.as_str(), day.last_us), (1, "failed", 2), "{kind:?}");
            assert_eq!(day.digest.as_deref(), Some("d"), "of the last complete answer");
        }
        assert_eq!(ledger.dirty_dates().expect("read").len(), 1);
        forget_index(&raw_dir, &ledger).expect("forgotten");
    }
}

#[test]
fn a_refusal_with_an_unlisted_code_is_not_final() {
    let of = |api_code| {
        let end = WalkEnd { status: Status::Unsupported, is_final: true, api_code, ..walk_end(false) };
        let answer = answer(&end, 1);
        (answer.status, answer.is_final)
    };
    assert_eq!(of(Some(2_200)), (Status::Failed, false));
    assert_eq!(of(Some(121_002)), (Status::Unsupported, true));
    assert_eq!(of(None), (Status::Unsupported, true), "no id, or no join time");
}

#[test]
fn a_date_is_counted_once_whatever_kinds_of_files_it_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).expect("a ledger");
    let raw_dir = folder.path().join("raw");
    let mut writer = RawWriter::new(&raw_dir, "r1");
    for (kind, meeting_date) in RawKind::LISTS.iter().flat_map(|kind| [(*kind, 20_000), (*kind, 20_001)]) {
        let header = header(kind, 1, Some(walk_end(false)));
        writer.append(kind, meeting_date, &encode(header, &[]).expect("zstd")).expect("written");
    }
    writer.sync().expect("synced");
    let zone = TenantZone::parse("+08:00").expect("a zone");
    assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("indexed"), CaughtUp { walks: 6, dates: 2 });
    assert_eq!(catch_up(&raw_dir, &ledger, &zone).expect("nothing new"), CaughtUp::default());
}
