//! Items of the lists become rows.

use serde_json::{Value, json};

use crate::schema::cell::{Cell, Row};
use crate::schema::meeting_keys::{KnownMeeting, MeetingKeys};
use crate::schema::{COVERAGE, MEETINGS, PARTICIPANTS, Status, Table, TenantZone, TimeWindow};
use crate::transform::unknown_fields::UnknownFields;
use crate::transform::{
    DateMeetings, FetchState, FieldCounts, ListWalk, Listing, MeetingParticipants, Participant, Reject, coverage_rows,
};

const START: &str = "2022.12.23 11:16:59 (GMT+08:00)";
const EVER: TimeWindow = TimeWindow::ALL;
const REQUESTED: i64 = 1_671_900_000_000_000;

fn zone() -> TenantZone {
    TenantZone::parse("+08:00").expect("zone")
}

/// 2022-12-23.
const DAY: i32 = 19_349;

fn walk(items: Value, requested_us: i64) -> ListWalk {
    ListWalk { items: items.as_array().expect("list").clone(), requested_us }
}

fn cell<'a>(table: &Table, row: &'a Row, name: &str) -> &'a Cell {
    &row[table.position(name).expect("a column")]
}

fn meetings(walks: &[ListWalk], window: TimeWindow) -> (Vec<Row>, Vec<Reject>, UnknownFields) {
    let zone = zone();
    let mut fields = FieldCounts::default();
    let mut date = DateMeetings::new(&zone, DAY);
    for walk in walks {
        date.add_walk(walk, window, MeetingKeys::new(true, &[]), &mut fields);
    }
    let (rows, rejects) = date.finish();
    (rows, rejects, fields.unknown)
}

#[test]
fn a_meeting_item_becomes_a_row() {
    let (rows, rejects, unknown) = meetings(
        &[walk(
            json!([{
                "meeting_id": "705605196", "meeting_topic": "None", "meeting_start_time": START,
                "meeting_end_time": "2022.12.23 11:18:51 (GMT+08:00)", "meeting_duration": "00:01:52",
                "number_of_participants": "2", "audio": true, "user_id": "-", "mobile": "", "reserved_rooms": [],
                "new_field": 1,
            }]),
            REQUESTED,
        )],
        EVER,
    );
    assert_eq!((rows.len(), rejects.len()), (1, 0));
    let row = &rows[0];
    for (name, expected) in [
        ("meeting_key", Cell::Text("705605196-1671765419".into())),
        ("meeting_no", Cell::Text("705605196".into())),
        ("meeting_topic", Cell::Text("None".into())),
        ("organizer_user_id", Cell::Null),
        ("organizer_mobile", Cell::Null),
        ("start_time_utc", Cell::Micros(1_671_765_419_000_000)),
        ("start_time_local", Cell::Micros(1_671_794_219_000_000)),
        ("utc_offset_min", Cell::Whole(480)),
        ("meeting_duration_s", Cell::Whole(112)),
        ("number_of_participants", Cell::Whole(2)),
        ("audio", Cell::Flag(true)),
        ("video", Cell::Null),
        ("meeting_date", Cell::Day(DAY)),
    ] {
        assert_eq!(cell(&MEETINGS, row, name), &expected, "{name}");
    }
    assert_eq!(unknown, UnknownFields::from([("new_field".to_owned(), 1)]));
}

#[test]
fn a_later_walk_replaces_a_row_and_one_it_no_longer_lists_stays() {
    let item =
        |topic: &str, number: &str| json!({"meeting_id": number, "meeting_topic": topic, "meeting_start_time": START});
    let walks = [walk(json!([item("old", "1"), item("gone", "2")]), 1), walk(json!([item("new", "1")]), 2)];
    let (rows, ..) = meetings(&walks, EVER);
    let topics: Vec<_> = rows.iter().map(|row| cell(&MEETINGS, row, "meeting_topic").clone()).collect();
    assert_eq!(topics, [Cell::Text("new".into()), Cell::Text("gone".into())]);
}

#[test]
fn equal_items_are_merged_and_different_ones_with_the_same_key_are_numbered() {
    let item = |topic: &str| json!({"meeting_id": "1", "meeting_topic": topic, "meeting_start_time": START});
    let (rows, ..) = meetings(&[walk(json!([item("a"), item("a"), item("b")]), 1)], EVER);
    let keys: Vec<_> = rows.iter().map(|row| cell(&MEETINGS, row, "meeting_key").clone()).collect();
    assert_eq!(keys, [Cell::Text("1-1671765419".into()), Cell::Text("1-1671765419#2".into())]);
}

#[test]
fn a_meeting_whose_start_moves_stays_one_meeting_on_its_date() {
    let item = |topic: &str, start: &str| json!({"meeting_id": "1", "meeting_instance_id": "i", "meeting_topic": topic, "meeting_start_time": start});
    let shown = |rows: &[Row]| -> Vec<String> {
        let columns = ["meeting_key", "meeting_topic", "start_time_local"];
        let text = |row: &Row| columns.map(|name| format!("{:?}", cell(&MEETINGS, row, name))).join(" ");
        rows.iter().map(text).collect()
    };
    let (first, second) = ("2022.12.23 23:59:58 (GMT+08:00)", "2022.12.23 23:59:59 (GMT+08:00)");
    let (rows, ..) = meetings(&[walk(json!([item("a", first), item("b", second)]), 1)], EVER);
    assert_eq!(shown(&rows), [r#"Text("1-1671811198") Text("b") Micros(1671839999000000)"#]);
    // A later walk lists it on the next date; its header names the meeting.
    let midnight = item("c", "2022.12.24 00:00:00 (GMT+08:00)");
    let known = KnownMeeting {
        instance_id: "i".to_owned(),
        meeting_key: "1-1671811198".to_owned(),
        meeting_no: "1".to_owned(),
        start_us: 1_671_811_199_000_000,
        offset_min: 480,
        end_us: None,
    };
    let on = |day: i32| {
        let zone = zone();
        let mut date = DateMeetings::new(&zone, day);
        let keys = MeetingKeys::new(true, std::slice::from_ref(&known));
        date.add_walk(&walk(json!([midnight]), 2), EVER, keys, &mut FieldCounts::default());
        shown(&date.finish().0)
    };
    assert_eq!(on(DAY), [r#"Text("1-1671811198") Text("c") Micros(1671839999000000)"#]);
    assert!(on(DAY + 1).is_empty(), "not a second meeting");
}

#[test]
fn the_window_and_the_date_decide() {
    let items = json!([{"meeting_id": "1", "meeting_start_time": START},
                       {"meeting_id": "2", "meeting_start_time": "2022.12.24 00:00:00 (GMT+08:00)"}]);
    assert_eq!(meetings(&[walk(items.clone(), 1)], EVER).0.len(), 1);
    let start_us = 1_671_765_419_000_000;
    let none = TimeWindow::of_starts((start_us + 1, i64::MAX));
    assert_eq!(meetings(&[walk(items.clone(), 1)], none).0.len(), 0);
    let exclusive = TimeWindow::of_starts((0, start_us));
    assert_eq!(meetings(&[walk(items.clone(), 1)], exclusive).0.len(), 0);
    let overlapping = TimeWindow::overlapping((start_us + 1, i64::MAX));
    assert_eq!(meetings(&[walk(items, 1)], overlapping).0.len(), 1, "without an end it is assumed to last a day");
}

#[test]
fn a_start_that_cannot_be_read_is_a_reject_of_the_day_it_was_asked() {
    let items = json!([{"meeting_id": "1", "meeting_start_time": "soon"}, {"meeting_id": 2}, "nonsense"]);
    let asked_on_the_day = 1_671_765_419_000_000;
    let (rows, rejects, _) = meetings(&[walk(items.clone(), asked_on_the_day)], EVER);
    assert!(rows.is_empty());
    let seen: Vec<_> = rejects.iter().map(|r| (r.row_key.as_str(), r.column_name, r.reason.name())).collect();
    assert_eq!(seen, [("1-?", "*", "unparsable"), ("2-?", "*", "no_time"), ("?-?", "*", "no_time")]);
    assert!(meetings(&[walk(items, asked_on_the_day + 86_400_000_000)], EVER).1.is_empty());
}

#[test]
fn a_bad_value_is_one_reject_and_keeps_the_time_it_was_first_seen() {
    let items = json!([{"meeting_id": "1", "meeting_start_time": START, "meeting_end_time": "later", "audio": "loud"}]);
    let (rows, rejects, _) = meetings(&[walk(items.clone(), 5), walk(items, 9)], EVER);
    assert_eq!(cell(&MEETINGS, &rows[0], "end_time_local"), &Cell::Null);
    let seen: Vec<_> = rejects.iter().map(|r| (r.column_name, r.raw_text.as_str(), r.first_seen_us)).collect();
    assert_eq!(seen, [("end_time_utc", "later", 5), ("audio", "loud", 5)]);
}

fn participants(walks: &[ListWalk]) -> Vec<Participant> {
    let zone = zone();
    let mut meeting = MeetingParticipants::new(&zone, DAY, "m", "705605196");
    for walk in walks {
        meeting.add_walk(walk, &mut FieldCounts::default());
    }
    meeting.finish()
}

#[test]
fn participants_keep_their_row_whatever_is_missing() {
    let rows = participants(&[walk(
        json!([
            {"user_id": "ou_1", "join_time": START, "leave_time": "-", "device": "mac"},
            {"user_id": "ou_1", "join_time": START, "device": "ios"},
            {"user_id": "ou_2", "join_time": "later"},
            {"participant_name": "Guest"},
            17,
        ]),
        1,
    )]);
    let keys: Vec<_> = rows.iter().map(|p| p.participant_key.as_str()).collect();
    assert_eq!(keys, ["m/?/?", "m/?/?#2", "m/ou_1/1671765419", "m/ou_1/1671765419#2", "m/ou_2/?"]);
    assert_eq!(rows[2].identity.base_key, rows[3].identity.base_key);
    let rejects: Vec<_> = rows.iter().flat_map(|p| &p.rejects).map(|r| (r.column_name, r.raw_text.as_str())).collect();
    assert_eq!(rejects, [("*", "17"), ("join_time_utc", "later")]);
}

#[test]
fn a_numbered_row_that_a_later_walk_no_longer_lists_stays() {
    let row = |device: &str| json!({"user_id": "ou_1", "join_time": START, "device": device});
    let walks = [
        walk(json!([row("mac"), row("ios")]), 1),
        walk(json!([row("ios")]), 2),
        walk(json!([row("linux"), row("ios")]), 3),
    ];
    let devices = |walks: &[ListWalk]| -> Vec<Cell> {
        participants(walks).iter().map(|p| cell(&PARTICIPANTS, &p.row, "device").clone()).collect()
    };
    let text = |name: &str| Cell::Text(name.to_owned());
    assert_eq!(devices(&walks[..2]), [text("mac"), text("ios")]);
    assert_eq!(devices(&walks), [text("linux"), text("ios")], "a changed row takes the place that is left");
}

#[test]
fn rows_that_are_no_objects_are_rejects_each() {
    let rows = participants(&[walk(json!([null, "zz", 5]), 1)]);
    let texts: Vec<_> = rows.iter().flat_map(|p| &p.rejects).map(|reject| reject.raw_text.as_str()).collect();
    assert_eq!(texts, ["null", "\"zz\"", "5"]);
}

#[test]
fn every_participant_has_a_coverage_row_with_a_reason() {
    let list = participants(&[walk(
        json!([
            {"user_id": "ou_1", "join_time": START, "time_in_meeting": "00:10:01"},
            {"user_id": "ou_2", "join_time": START},
            {"user_id": "ou_3", "join_time": "later"},
            {"participant_name": "Guest", "join_time": START},
        ]),
        1,
    )]);
    let whole = FetchState {
        attempts: 2,
        items: 0,
        first_us: 1,
        last_us: 2,
        status: Status::Complete,
        reason: "all pages read".to_owned(),
        api_code: Some(0),
        log_id: Some("log".to_owned()),
    };
    let rows = coverage_rows(
        "m",
        DAY,
        &Listing::Listed,
        &list,
        |p| p.participant_key.contains("ou_1").then(|| whole.clone()),
        &[0; 4],
    );
    let seen: Vec<_> = rows.iter().map(|row| cell(&COVERAGE, row, "status").clone()).collect();
    let expected = ["unaddressable", "empty", "pending", "unsupported"].map(|name| Cell::Text(name.to_owned()));
    assert_eq!(seen, expected);
    assert!(rows.iter().all(|row| cell(&COVERAGE, row, "reason") != &Cell::Null));
    assert_eq!(cell(&COVERAGE, &rows[1], "expected_minutes"), &Cell::Whole(11));
    assert_eq!(cell(&COVERAGE, &rows[1], "attempts"), &Cell::Whole(2));
    assert_eq!(cell(&COVERAGE, &rows[2], "first_attempt_utc"), &Cell::Null);
}

#[test]
fn an_unlisted_meeting_has_a_row_and_an_empty_list_has_none() {
    let rows = coverage_rows("m", DAY, &Listing::Unlisted(None), &[], |_| None, &[]);
    assert_eq!(cell(&COVERAGE, &rows[0], "participant_key"), &Cell::Text("m/*".into()));
    assert_eq!(cell(&COVERAGE, &rows[0], "status"), &Cell::Text("pending".into()));
    assert!(coverage_rows("m", DAY, &Listing::Listed, &[], |_| None, &[]).is_empty());
}
