//! Rooms, alarms, reservations and Feishu's own counts agree with the lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::client::{Client, fast, recent, small, unix};
use crate::{Endpoint, Limit, Options, ReportDays, TenantSpec};

const DAY_S: i64 = 86_400;

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} is text: {row}"))
}

fn number(row: &Value, field: &str) -> i64 {
    text(row, field).parse().unwrap_or_else(|_| panic!("{field} is a number: {row}"))
}

/// Seconds of `HH:MM:SS`.
fn seconds(duration: &str) -> i64 {
    duration.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().expect("digits"))
}

/// Has alarms and reservations of every kind, on whatever weekday it ends.
fn busy() -> TenantSpec {
    TenantSpec { days: 8, meetings_per_day: 40, ..TenantSpec::default() }
}

/// What the lists say about one day.
#[derive(Debug, Default, PartialEq)]
struct Day {
    meetings: i64,
    participants: i64,
    seconds: i64,
    /// Meetings and seconds by user.
    users: BTreeMap<String, (i64, i64)>,
}

impl Client {
    /// Counts the lists by day (start of the day, Unix seconds), days of the tenant.
    async fn count_lists(&self) -> BTreeMap<i64, Day> {
        let offset = i64::from(self.server.tenant().spec().utc_offset_s);
        let mut days: BTreeMap<i64, Day> = BTreeMap::new();
        for meeting in self.meetings().await {
            let start = unix(&meeting["meeting_start_time"]);
            let at: i64 = start.parse().expect("seconds");
            let until = unix(&meeting["meeting_end_time"]).parse::<i64>().expect("seconds").min(at + DAY_S).to_string();
            let day = days.entry((at + offset).div_euclid(DAY_S) * DAY_S - offset).or_default();
            day.meetings += 1;
            day.participants += number(&meeting, "number_of_participants");
            day.seconds += seconds(text(&meeting, "meeting_duration"));
            let window = [
                ("meeting_start_time", start.as_str()),
                ("meeting_end_time", &until),
                ("meeting_no", text(&meeting, "meeting_id")),
            ];
            let mut stays: BTreeMap<String, i64> = BTreeMap::new();
            let roles: &[&str] = if meeting["meeting_subtype"] == 8 { &["0", "3"] } else { &["0"] };
            for role in roles {
                for row in
                    self.walk(Endpoint::ParticipantList, &[&window[..], &[("webinar_user_role", role)]].concat()).await
                {
                    let stay = stays.entry(text(&row, "user_id").to_owned()).or_default();
                    *stay = (*stay).max(seconds(text(&row, "time_in_meeting")));
                }
            }
            for (user, stay) in stays {
                let count = day.users.entry(user).or_default();
                *count = (count.0 + 1, count.1 + stay);
            }
        }
        days
    }

    async fn report(&self, start: i64, end: i64) -> Value {
        let (start, end) = (start.to_string(), end.to_string());
        let page = self.get(Endpoint::CensusDaily, &[("start_time", &start), ("end_time", &end)]).await;
        page.json()["data"]["meeting_report"].clone()
    }
}

#[tokio::test]
async fn the_counts_are_those_of_the_lists() {
    let client = Client::new(&recent(small()), fast()).await;
    let spec = client.server.tenant().spec().clone();
    let counted = client.count_lists().await;
    let report = client.report(spec.start(), spec.end()).await;
    let rows = report["daily_report"].as_array().expect("rows");
    assert_eq!(rows.len() as u32, spec.days);
    for row in rows {
        let day = &counted[&number(row, "date")];
        assert_eq!(number(row, "meeting_count"), day.meetings);
        assert_eq!(number(row, "participant_count"), day.participants);
        assert_eq!(number(row, "meeting_duration"), day.seconds);
    }
    assert_eq!(number(&report, "total_meeting_count") as u64, client.server.tenant().totals().meetings);

    let date =
        |day: u32| spec.first_day.checked_add(jiff::Span::new().days(i64::from(day))).expect("a date").to_string();
    let (first, last) = (date(0), date(spec.days - 1));
    let window = [("start_date", first.as_str()), ("end_date", last.as_str()), ("page_size", "60")];
    let stats = client.walk(Endpoint::CensusUsers, &window).await;
    assert_eq!(stats.len() as u32, spec.days * spec.people, "one row a day and person");
    for row in &stats {
        let day = (0..spec.days).find(|day| date(*day) == text(row, "date")).expect("a date of the window");
        let expected = counted[&spec.midnight(day)].users.get(text(row, "user_id")).copied().unwrap_or_default();
        assert_eq!((row["vc_num"].as_i64(), row["vc_duration"].as_i64()), (Some(expected.0), Some(expected.1 / 60)));
    }
    let user = text(&stats[3], "user_id");
    let one = client.walk(Endpoint::CensusUsers, &[&window[..], &[("user_id", user)]].concat()).await;
    assert!(one.len() as u32 == spec.days && one.iter().all(|row| row["user_id"] == user));
}

#[tokio::test]
async fn counts_by_person_exist_from_half_past_nine_on_the_next_day() {
    let client = Client::new(&recent(small()), fast()).await;
    let spec = client.server.tenant().spec().clone();
    let ready = spec.midnight(1) + 9 * 3600 + 1800;
    let day = spec.first_day.to_string();
    for (at, rows) in [(ready - 60, 0), (ready + 60, spec.people as usize)] {
        client.set_clock(at, Options::default());
        let found = client.walk(Endpoint::CensusUsers, &[("start_date", &day), ("end_date", &day)]).await;
        assert_eq!(found.len(), rows, "{at}");
    }
}

#[tokio::test]
async fn the_report_counts_by_days_of_utc_if_so_configured() {
    let client = Client::new(&recent(small()), Options { report_days: ReportDays::Utc, ..fast() }).await;
    let spec = client.server.tenant().spec().clone();
    let report = client.report(spec.start(), spec.end()).await;
    let rows = report["daily_report"].as_array().expect("rows");
    assert_eq!(rows.len() as u32, spec.days + 1, "east of UTC, the first local day begins on the day before");
    assert!(rows.iter().all(|row| number(row, "date") % DAY_S == 0));
    assert_eq!(number(&report, "total_meeting_count") as u64, client.server.tenant().totals().meetings);
}

#[tokio::test]
async fn rooms_have_the_levels_and_ids_of_the_lists() {
    let client = Client::new(&recent(small()), fast()).await;
    let rooms = client.walk(Endpoint::Rooms, &[("page_size", "7")]).await;
    let buildings = client.walk(Endpoint::RoomLevels, &[]).await;
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for building in &buildings {
        let id = text(building, "room_level_id");
        names.insert(id.to_owned(), text(building, "name").to_owned());
        let floors = client.walk(Endpoint::RoomLevels, &[("room_level_id", id)]).await;
        assert!(!floors.is_empty() && building["has_child"] == true);
        for floor in &floors {
            assert_eq!((text(floor, "parent_id"), &floor["path"][0]), (id, &building["room_level_id"]));
            names.insert(text(floor, "room_level_id").to_owned(), text(floor, "name").to_owned());
        }
        let inside = client.walk(Endpoint::Rooms, &[("room_level_id", id)]).await;
        assert_eq!(inside.len() * buildings.len(), rooms.len());
    }
    for room in &rooms {
        let path: Vec<&str> =
            room["path"].as_array().expect("levels").iter().map(|id| id.as_str().unwrap_or("")).collect();
        assert!(
            path.iter().all(|id| names.contains_key(*id)) && path.last() == room["room_level_id"].as_str().as_ref()
        );
    }
    assert_eq!(client.get(Endpoint::Rooms, &[("room_level_id", "omb_x")]).await.code(), 121_004);
    // Every room of a participant list is known, under the same name.
    let known: BTreeMap<&str, &Value> = rooms.iter().map(|room| (text(room, "room_id"), room)).collect();
    let mut seen = BTreeSet::new();
    for meeting in client.meetings().await {
        let (start, end) = (unix(&meeting["meeting_start_time"]), unix(&meeting["meeting_end_time"]));
        let window = [
            ("meeting_start_time", start.as_str()),
            ("meeting_end_time", &end),
            ("meeting_no", text(&meeting, "meeting_id")),
        ];
        let page = client.get(Endpoint::ParticipantList, &window).await;
        for row in page.rows("participants").iter().filter(|row| row["meeting_room_id"] != "") {
            let room = known[text(row, "meeting_room_id")];
            let full = format!(
                "{} {} ({})",
                names[room["path"][0].as_str().expect("text")],
                text(room, "name"),
                room["capacity"]
            );
            assert_eq!(text(row, "participant_name"), full);
            seen.insert(full);
        }
    }
    assert!(!seen.is_empty());
}

#[tokio::test]
async fn reservations_are_listed_day_by_day() {
    let client = Client::new(&recent(busy()), fast()).await;
    let spec = client.server.tenant().spec().clone();
    let rooms = client.walk(Endpoint::Rooms, &[]).await;
    let room = text(&rooms[0], "room_id");
    let (mut all, mut of_room) = (Vec::new(), 0);
    for day in 0..spec.days {
        let (start, end) = (spec.midnight(day).to_string(), (spec.midnight(day + 1) - 1).to_string());
        let window = [("start_time", start.as_str()), ("end_time", &end), ("room_level_id", "0"), ("room_ids", room)];
        let others = [("is_exclude", "true"), ("need_topic", "true")];
        let one = client.walk(Endpoint::Reservations, &window).await;
        assert!(one.iter().all(|row| row["room_id"] == room && row["event_title"] == ""));
        of_room += one.len();
        all.extend(one);
        all.extend(client.walk(Endpoint::Reservations, &[&window[..], &others].concat()).await);
    }
    assert!(all.len() > of_room);
    for row in &all {
        let (start, end) = (unix(&row["event_start_time"]), unix(&row["event_end_time"]));
        let length = end.parse::<i64>().expect("seconds") - start.parse::<i64>().expect("seconds");
        assert_eq!(seconds(text(row, "event_duration")), length);
        assert!(row.as_object().expect("an object").values().all(Value::is_string), "{row}");
    }
    assert!(all.iter().any(|row| row["room_check_in_status"] == "超时未签到"), "somebody does not come");
    assert!(all.iter().any(|row| row["check_in_time"] != "-"));
}

#[tokio::test]
async fn alarms_are_listed_by_time_and_room() {
    let client = Client::new(&recent(busy()), fast()).await;
    let (start, end) = client.window();
    let window = [("start_time", start.as_str()), ("end_time", end.as_str())];
    let all = client.walk(Endpoint::RoomAlerts, &[&window[..], &[("page_size", "3")]].concat()).await;
    assert!(!all.is_empty());
    let ids: BTreeSet<&str> = all.iter().map(|row| text(row, "alert_id")).collect();
    assert_eq!(ids.len(), all.len());
    for row in &all {
        assert!(row["notifyMethods"].is_array() && row["alertRule"].is_string(), "{row}");
        assert!(number(row, "recover_time") > number(row, "alert_time"));
    }
    let room = text(&all[0], "monitor_target_room_id");
    let some =
        client.walk(Endpoint::RoomAlerts, &[&window[..], &[("query_type", "1"), ("query_value", room)]].concat()).await;
    assert!(!some.is_empty() && some.iter().all(|row| row["monitor_target_room_id"] == room));
    // An alarm that has not been handled yet.
    client.set_clock(number(&all[0], "alert_time") + 1, fast());
    let now = client.walk(Endpoint::RoomAlerts, &window).await;
    assert_eq!((now.len(), &now[0]["recover_time"], &now[0]["process_status"]), (1, &Value::from(""), &Value::from(1)));
}

#[tokio::test]
async fn each_endpoint_has_its_own_limit_token_and_scope() {
    let limit = Limit { calls: 2, ..Limit::default() };
    let options = Options { user_token: Some("u-somebody".to_owned()), ..fast() };
    let mut client = Client::new(&recent(small()), Options { limit, ..options.clone() }).await;
    let (start, end) = client.window();
    let window = [("start_time", start.as_str()), ("end_time", end.as_str())];
    for _ in 0..2 {
        assert_eq!(client.get(Endpoint::RoomAlerts, &window).await.code(), 0);
        assert_eq!(client.get(Endpoint::CensusDaily, &window).await.code(), 0);
    }
    let refused = client.get(Endpoint::RoomAlerts, &window).await;
    assert_eq!((refused.code(), refused.header("x-ogw-ratelimit-limit")), (99_991_400, Some("2")));
    for _ in 0..20 {
        assert_eq!(client.get(Endpoint::Rooms, &[]).await.code(), 0, "ten times the limit");
    }
    let refused = client.get(Endpoint::Rooms, &[]).await;
    assert_eq!((refused.code(), refused.header("x-ogw-ratelimit-limit")), (99_991_400, Some("20")));
    assert_eq!(client.server.stats().answered(Endpoint::Rooms, 0), 20);

    client
        .server
        .set_options(Options { faults: vec!["census_users:missing-scope".parse().expect("a fault")], ..options });
    let dates = [("start_date", "2026-11-02"), ("end_date", "2026-11-02")];
    let refused = client.get(Endpoint::CensusUsers, &dates).await;
    assert_eq!(refused.code(), 99_991_672);
    assert_eq!(refused.json()["error"]["permission_violations"][0]["subject"], "admin:admin_user_stat:readonly");
    client.bearer = "Bearer u-somebody".to_owned();
    assert_eq!(client.get(Endpoint::MeetingList, &window).await.code(), 0);
    assert_eq!(client.get(Endpoint::CensusDaily, &window).await.code(), 99_991_668);
}
