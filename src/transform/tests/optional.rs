//! Items of the optional lists become rows.

use serde_json::{Value, json};

use crate::schema::cell::{Cell, Row};
use crate::schema::{CENSUS_DAILY, CENSUS_USERS, RESERVATIONS, ROOM_ALERTS, ROOMS, Table, TenantZone};
use crate::transform::unknown_fields::UnknownFields;
use crate::transform::{
    DayRows, ListWalk, census_daily_rows, census_user_rows, reservation_rows, room_alert_rows, room_rows,
};

/// 2022-12-23.
const DAY: i32 = 19_349;
/// 2022-12-23 00:00 in Beijing.
const MIDNIGHT: i64 = 1_671_724_800;

fn zone() -> TenantZone {
    TenantZone::parse("+08:00").expect("zone")
}

fn walk(items: Value) -> ListWalk {
    ListWalk { items: items.as_array().expect("list").clone(), requested_us: 1_671_900_000_000_000 }
}

fn assert_cells(table: &Table, row: &Row, expected: &[(&str, Cell)]) {
    for (name, cell) in expected {
        assert_eq!(&row[table.position(name).expect("a column")], cell, "{name}");
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn rejected(day: &DayRows) -> Vec<(&str, &str, &str)> {
    day.rejects.iter().map(|reject| (reject.row_key.as_str(), reject.column_name, reject.reason.name())).collect()
}

#[test]
fn an_alarm_is_on_the_day_on_which_it_began() {
    let alarm = |id: Value, at: i64| {
        json!({
            "alert_id": id, "alert_time": at.to_string(), "recover_time": 0, "process_time": "", "alert_level": 2,
            "alertRule": "Controller offline", "notifyMethods": [0, 1], "alert_rule_id": "7", "process_status": "1",
            "contacts": [{"contact_type": 1, "contact_name": "Ann"}, {"contact_type": 1, "contact_name": "Bob"}],
            "monitor_target_room_id": "omm_1", "monitor_target_room_mac": "-", "new_field": 1,
        })
    };
    let items = json!([
        alarm(json!(7_115_030_004_018_184_212_u64), MIDNIGHT + 60),
        alarm(json!("2"), MIDNIGHT - 1),
        alarm(json!("3"), MIDNIGHT + 86_400),
        {"alert_id": "4"},
        {"alert_time": MIDNIGHT},
        "nonsense",
    ]);
    let day = room_alert_rows(&zone(), DAY, &walk(items));
    assert_eq!(day.rows.len(), 1);
    let at_us = (MIDNIGHT + 60) * 1_000_000;
    assert_cells(
        &ROOM_ALERTS,
        &day.rows[0],
        &[
            ("alert_id", text("7115030004018184212")),
            ("room_id", text("omm_1")),
            ("room_mac", Cell::Null),
            ("alert_rule", text("Controller offline")),
            ("alert_level", Cell::Whole(2)),
            ("alert_time_utc", Cell::Micros(at_us)),
            ("alert_time_local", Cell::Micros(at_us + 28_800_000_000)),
            ("process_time_utc", Cell::Null),
            ("recover_time_utc", Cell::Null),
            ("utc_offset_min", Cell::Whole(480)),
            ("process_status", Cell::Whole(1)),
            ("contacts", text("Ann, Bob")),
            ("meeting_date", Cell::Day(DAY)),
        ],
    );
    assert_eq!(rejected(&day), [("?3", "*", "no_time"), ("?4", "*", "unparsable"), ("?5", "*", "unparsable")]);
    assert_eq!(day.unknown_fields, UnknownFields::from([("new_field".to_owned(), 1)]));
}

#[test]
fn a_reservation_is_read_as_feishu_words_it() {
    let item = json!({
        "room_id": "omm_1", "room_name": "Ash", "guests_number": "5", "accepted_number": "2",
        "event_start_time": "2022.12.23 21:00:00 (GMT+08:00)", "event_end_time": "2022.12.23 22:00:00 (GMT+08:00)",
        "event_duration": "01:00:00", "reservation_status": "预定成功", "check_in_device": "-",
        "room_check_in_status": "超时未签到", "check_in_time": "-", "is_release_early": "已释放（未签到被释放）",
        "releasing_person": "-", "releasing_time": "2022.12.23 21:15:00 (GMT+08:00)",
    });
    let mut again = item.clone();
    again["event_title"] = json!("Another");
    again["is_release_early"] = json!("未释放");
    let other_day = json!({"room_id": "omm_1", "event_start_time": "2022.12.24 00:00:00 (GMT+08:00)"});
    let odd = json!({"room_id": "omm_2", "event_start_time": MIDNIGHT, "is_release_early": "perhaps"});
    let day = reservation_rows(&zone(), DAY, &walk(json!([item, item, again, other_day, odd, {"room_id": "omm_3"}])));
    assert_eq!(day.rows.len(), 3, "equal ones are merged");
    assert_cells(
        &RESERVATIONS,
        &day.rows[0],
        &[
            ("reservation_key", text("omm_1-1671800400")),
            ("guests", Cell::Whole(5)),
            ("accepted", Cell::Whole(2)),
            ("event_start_utc", Cell::Micros(1_671_800_400_000_000)),
            ("event_duration_s", Cell::Whole(3600)),
            ("check_in_device", Cell::Null),
            ("check_in_time_utc", Cell::Null),
            ("is_release_early", Cell::Flag(true)),
            ("releasing_person", Cell::Null),
            ("releasing_time_utc", Cell::Micros(1_671_801_300_000_000)),
            ("meeting_date", Cell::Day(DAY)),
        ],
    );
    let second = [("reservation_key", text("omm_1-1671800400#2")), ("is_release_early", Cell::Flag(false))];
    assert_cells(&RESERVATIONS, &day.rows[1], &second);
    assert_eq!(
        rejected(&day),
        [("?5", "*", "no_time"), ("omm_2-1671724800", "is_release_early", "unparsable")],
        "the whole rows first"
    );
    assert!(day.unknown_fields.is_empty());
}

#[test]
fn a_response_with_many_days_gives_each_day_its_own_count() {
    let item = |date: i64| json!({"date": date.to_string(), "meeting_count": "3", "meeting_duration": "5400", "participant_count": "9"});
    // Local midnights, then midnights of UTC.
    for start in [MIDNIGHT, MIDNIGHT + 8 * 3600] {
        let items = json!([item(start - 86_400), item(start), item(start + 86_400)]);
        let day = census_daily_rows(&zone(), DAY, &walk(items));
        assert_eq!((day.rows.len(), day.rejects.len()), (1, 0));
        assert_cells(
            &CENSUS_DAILY,
            &day.rows[0],
            &[
                ("day_start_utc", Cell::Micros(start * 1_000_000)),
                ("meetings", Cell::Whole(3)),
                ("duration_s", Cell::Whole(5400)),
                ("participants", Cell::Whole(9)),
                ("meeting_date", Cell::Day(DAY)),
            ],
        );
    }
}

#[test]
fn a_user_is_counted_once_and_documented_fields_are_not_unknown() {
    let item = |number: i64| {
        json!({
            "date": "2022-12-23", "user_id": "ou_1", "user_name": "Ann", "department_name": "Sales", "vc_num": number,
            "vc_duration": "75", "vc_active_flag": 1, "im_active_flag": 1, "email_send_count": "0", "surprise": true,
        })
    };
    let day = census_user_rows(&zone(), DAY, &walk(json!([item(1), item(2), {"user_name": "Nobody"}])));
    assert_eq!(day.rows.len(), 1);
    assert_cells(
        &CENSUS_USERS,
        &day.rows[0],
        &[
            ("user_id", text("ou_1")),
            ("meetings", Cell::Whole(2)),
            ("duration_minutes", Cell::Whole(75)),
            ("is_active", Cell::Flag(true)),
            ("meeting_date", Cell::Day(DAY)),
        ],
    );
    assert_eq!(rejected(&day), [("?2", "*", "unparsable")]);
    assert_eq!(day.unknown_fields, UnknownFields::from([("surprise".to_owned(), 2)]));
}

#[test]
fn a_room_has_the_names_of_its_levels() {
    let levels = walk(json!([
        {"room_level_id": "omb_0", "name": "Leeds", "parent_id": ""},
        {"room_level_id": "omb_1", "name": "South Tower", "parent_id": "omb_0"},
        {"room_level_id": "omb_2", "name": "F3", "parent_id": "omb_1"},
        {"room_level_id": "omb_3", "name": "Circle", "parent_id": "omb_3"},
        {"name": "without an id"},
    ]));
    let room = json!({
        "room_id": "omm_1", "name": "Ash", "capacity": "8", "room_level_id": "omb_2", "path": ["omb_0", "omb_1", "omb_2"],
        "device": [{"name": "TV"}, {"name": "Whiteboard"}], "display_id": "-",
        "room_status": {"status": true, "schedule_status": false, "disable_reason": "", "disable_notice": true, "news": 1},
    });
    let without_path = json!({"room_id": "omm_2", "room_level_id": "omb_2"});
    let circle = json!({"room_id": "omm_3", "room_level_id": "omb_3", "path": []});
    let unknown_level = json!({"room_id": "omm_4", "room_level_id": "omb_9"});
    let items = walk(json!([circle, without_path, room, unknown_level, {"name": "no id"}]));
    let day = room_rows(&zone(), DAY, &items, Some(&levels));
    assert_eq!(day.rows.len(), 4);
    let place =
        [("level_path", text("Leeds / South Tower / F3")), ("building", text("South Tower")), ("floor", text("F3"))];
    assert_cells(&ROOMS, &day.rows[0], &place);
    assert_cells(&ROOMS, &day.rows[1], &place);
    assert_cells(
        &ROOMS,
        &day.rows[0],
        &[
            ("room_name", text("Ash")),
            ("capacity", Cell::Whole(8)),
            ("display_id", Cell::Null),
            ("facilities", text("TV, Whiteboard")),
            ("is_enabled", Cell::Flag(true)),
            ("is_schedulable", Cell::Flag(false)),
            ("disable_reason", Cell::Null),
        ],
    );
    assert_cells(&ROOMS, &day.rows[2], &[("building", text("Circle")), ("floor", Cell::Null)]);
    assert_cells(&ROOMS, &day.rows[3], &[("level_path", Cell::Null), ("building", Cell::Null)]);
    assert_eq!(rejected(&day), [("?4", "*", "unparsable")]);
    assert_eq!(day.unknown_fields, UnknownFields::from([("room_status/news".to_owned(), 1)]));
    let without_levels = room_rows(&zone(), DAY, &items, None);
    assert_cells(&ROOMS, &without_levels.rows[0], &[("room_id", text("omm_1")), ("level_path", Cell::Null)]);
}

#[test]
fn only_names_of_floors_are_floors() {
    let floor_of = |name: &str| {
        let levels = walk(json!([
            {"room_level_id": "1", "name": "Tower"},
            {"room_level_id": "2", "name": name, "parent_id": "1"},
        ]));
        let day = room_rows(&zone(), DAY, &walk(json!([{"room_id": "r", "room_level_id": "2"}])), Some(&levels));
        day.rows[0][ROOMS.position("floor").expect("a column")].clone()
    };
    for name in ["F3", "3F", "3层", "12 楼", "Floor 3", "3rd floor", "level 2", "B1", "-1", "L10", "3", "Ground floor"]
    {
        assert_eq!(floor_of(name), text(name), "{name}");
    }
    for name in ["3号楼", "Building 3", "Block B", "Tower", "2022 Campus", "F", "West"] {
        assert_eq!(floor_of(name), Cell::Null, "{name}");
    }
}
