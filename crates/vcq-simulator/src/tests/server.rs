//! The server responds as Feishu would.

use serde_json::Value;

use super::client::{Client, fast, small, unix};
use crate::{Endpoint, LongMeetings, MeetingFilter, Options, SimulatorError, Tenant, serve};

const M: Endpoint = Endpoint::MeetingList;
const P: Endpoint = Endpoint::ParticipantList;
const Q: Endpoint = Endpoint::ParticipantQualityList;

fn window_of(meeting: &Value) -> [(&'static str, String); 3] {
    [
        ("meeting_start_time", unix(&meeting["meeting_start_time"])),
        ("meeting_end_time", unix(&meeting["meeting_end_time"])),
        ("meeting_no", meeting["meeting_id"].as_str().expect("text").to_owned()),
    ]
}

fn borrowed<'a>(params: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    params.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn length_s(meeting: &Value) -> i64 {
    let at = |field: &str| unix(&meeting[field]).parse::<i64>().expect("seconds");
    at("meeting_end_time") - at("meeting_start_time")
}

#[tokio::test]
async fn fetching_everything_gives_the_totals() {
    let client = Client::new(&small(), fast()).await;
    let totals = client.server.tenant().totals();
    let (mut participants, mut samples, mut refused) = (0, 0, 0);
    let meetings = client.meetings().await;
    for meeting in &meetings {
        let mut window = window_of(meeting);
        if length_s(meeting) > 86_400 {
            assert_eq!(client.get(P, &borrowed(&window)).await.code(), 126_006);
            window[1].1 = (window[0].1.parse::<i64>().expect("seconds") + 86_400).to_string();
        }
        let mut rows = client.walk(P, &borrowed(&window)).await;
        assert_eq!(meeting["number_of_devices"], rows.len().to_string(), "one row per device");
        if meeting["meeting_subtype"] == 8 {
            rows.append(&mut client.walk(P, &[&borrowed(&window)[..], &[("webinar_user_role", "3")]].concat()).await);
        }
        participants += rows.len() as u64;
        for row in &rows {
            let (user, room) = (row["user_id"].as_str().unwrap_or(""), row["meeting_room_id"].as_str().unwrap_or(""));
            let id = if user.is_empty() { ("room_id", room) } else { ("user_id", user) };
            if id.1.is_empty() {
                continue;
            }
            let join = unix(&row["join_time"]);
            let params = [&borrowed(&window)[..], &[id, ("join_time", &join), ("page_size", "100")]].concat();
            let first = client.get(Q, &params).await;
            match first.code() {
                0 => samples += client.walk(Q, &params).await.len() as u64,
                126_010 | 121_002 => refused += 1,
                other => panic!("{other}: {}", first.text),
            }
        }
    }
    assert_eq!(meetings.len() as u64, totals.meetings);
    assert_eq!(participants, totals.participants);
    assert_eq!(samples, totals.samples);
    assert_eq!(refused, totals.participants_foreign + totals.participants_unsupported);
    assert_eq!(client.server.stats().throttles, 0);
    client.server.shutdown().await;
}

#[tokio::test]
async fn defaults_hide_external_meetings_and_webinars() {
    let client = Client::new(&small(), fast()).await;
    let (start, end) = client.window();
    let window = [("start_time", start.as_str()), ("end_time", end.as_str()), ("page_size", "100")];
    let shown = client.walk(M, &window).await;
    assert!(shown.iter().all(|meeting| meeting["is_external"] == false && meeting["meeting_subtype"] != 8));
    let all = client.meetings().await;
    assert!(all.iter().any(|meeting| meeting["is_external"] == true));
    assert!(all.iter().any(|meeting| meeting["meeting_subtype"] == 8));
    let starts: Vec<String> = all.iter().map(|meeting| unix(&meeting["meeting_start_time"])).collect();
    assert!(starts.is_sorted());
    client.server.set_options(Options { latest_first: true, ..fast() });
    assert!(client.meetings().await.iter().rev().map(|meeting| unix(&meeting["meeting_start_time"])).eq(starts));
}

#[tokio::test]
async fn filters_select_by_number_user_and_type() {
    let client = Client::new(&small(), fast()).await;
    let (start, end) = client.window();
    let with = |name: &'static str, value: &str| {
        vec![("start_time", start.clone()), ("end_time", end.clone()), (name, value.to_owned())]
    };
    let meeting = client.meetings().await.swap_remove(0);
    let number = meeting["meeting_id"].as_str().expect("text");
    let found = client.walk(M, &borrowed(&with("meeting_no", number))).await;
    assert!(!found.is_empty() && found.iter().all(|other| other["meeting_id"] == number));
    let user = meeting["user_id"].as_str().expect("text");
    let found = client.walk(M, &borrowed(&with("user_id", user))).await;
    assert!(!found.is_empty() && found.iter().all(|other| other["user_id"] == user));
    let casts = client.walk(M, &borrowed(&with("meeting_type", "3"))).await;
    assert!(!casts.is_empty() && casts.iter().all(|other| other["meeting_type"] == 3));
}

#[tokio::test]
async fn a_window_filters_by_start_end_or_overlap() {
    let client = Client::new(&small(), fast()).await;
    // A short window around midnight, within the meeting that crosses it.
    let midnight = client.server.tenant().spec().midnight(1);
    let (start, end) = ((midnight - 300).to_string(), (midnight + 1200).to_string());
    for (filter, found) in [(MeetingFilter::Start, false), (MeetingFilter::End, true), (MeetingFilter::Overlap, true)] {
        client.server.set_options(Options { meeting_filter: filter, ..fast() });
        let rows = client.walk(M, &[("start_time", &start), ("end_time", &end)]).await;
        assert_eq!(rows.iter().any(|row| row["meeting_topic"] == "Night hand-over"), found, "{filter:?}");
    }
}

#[tokio::test]
async fn a_clamped_window_finds_a_long_meeting_if_so_configured() {
    let client = Client::new(&small(), fast()).await;
    let meetings = client.meetings().await;
    let long = meetings.iter().find(|meeting| length_s(meeting) > 86_400).expect("the unusual one");
    let mut window = window_of(long);
    window[1].1 = (window[0].1.parse::<i64>().expect("seconds") + 86_400).to_string();
    for (long_meetings, code) in
        [(LongMeetings::Found, 0), (LongMeetings::Refused, 126_006), (LongMeetings::NotFound, 126_009)]
    {
        client.server.set_options(Options { long_meetings, ..fast() });
        assert_eq!(client.get(P, &borrowed(&window)).await.code(), code, "{long_meetings:?}");
    }
}

#[tokio::test]
async fn quality_needs_the_right_meeting_id_and_join() {
    let client = Client::new(&small(), fast()).await;
    let meeting = client.meetings().await.swap_remove(0);
    let window = window_of(&meeting);
    let rows = client.walk(P, &borrowed(&window)).await;
    let row = rows.iter().find(|row| row["user_id"] != "").expect("a participant with an id");
    let (user, join) = (row["user_id"].as_str().expect("text"), unix(&row["join_time"]));
    let query = |changed: &'static str, value: String| {
        let mut params = window.to_vec();
        params.push(("user_id", user.to_owned()));
        params.push(("join_time", join.clone()));
        params.iter_mut().filter(|(name, _)| *name == changed).for_each(|(_, old)| old.clone_from(&value));
        params
    };
    let later = (join.parse::<i64>().expect("seconds") + 1).to_string();
    for (changed, value, code) in [
        ("", String::new(), 0),
        ("join_time", later, 126_010),
        ("user_id", "ou_nobody".to_owned(), 126_010),
        ("meeting_no", "100000001".to_owned(), 126_009),
        ("meeting_no", "12".to_owned(), 126_004),
        ("meeting_end_time", window[0].1.clone(), 126_009),
    ] {
        assert_eq!(client.get(Q, &borrowed(&query(changed, value.clone()))).await.code(), code, "{changed}={value}");
    }
    // Ids are known only by the requested kind.
    let mut params = query("", String::new());
    params.push(("user_id_type", "union_id".to_owned()));
    assert_eq!(client.get(Q, &borrowed(&params)).await.code(), 126_010);
}

#[tokio::test]
async fn rounded_starts_can_be_required() {
    let client = Client::new(&small(), Options { requires_rounded_start: true, ..fast() }).await;
    let meetings = client.meetings().await;
    let seconds = |meeting: &Value| unix(&meeting["meeting_start_time"]).parse::<i64>().expect("seconds");
    let meeting = meetings.iter().find(|meeting| seconds(meeting) % 60 != 0 && meeting["is_external"] == false);
    let meeting = meeting.expect("a start within a minute");
    let mut params = window_of(meeting).to_vec();
    let row = client.walk(P, &borrowed(&params)).await.swap_remove(0);
    params.push(("user_id", row["user_id"].as_str().expect("text").to_owned()));
    params.push(("join_time", unix(&row["join_time"])));
    assert_eq!(client.get(Q, &borrowed(&params)).await.code(), 126_009);
    params[0].1 = (seconds(meeting) / 60 * 60).to_string();
    assert_eq!(client.get(Q, &borrowed(&params)).await.code(), 0);
}

#[tokio::test]
async fn meetings_in_progress_are_listed_only_on_request() {
    // The clock is in the middle of the meeting that crosses the first midnight.
    let spec = small();
    let ahead = spec.midnight(1) - now_s();
    let client = Client::new(&spec, Options { clock_ahead_s: ahead, ..fast() }).await;
    let (start, end) = client.window();
    let mut params = vec![("start_time", start.as_str()), ("end_time", end.as_str())];
    let ended = client.walk(M, &params).await;
    assert!(ended.iter().all(|meeting| meeting["meeting_end_time"] != "-"));
    params.push(("meeting_status", "1"));
    let ongoing = client.walk(M, &params).await;
    let night = ongoing.iter().find(|meeting| meeting["meeting_topic"] == "Night hand-over").expect("in progress");
    assert_eq!(night["meeting_end_time"], "-");
    let now = (spec.midnight(1) + 60).to_string();
    let started = unix(&night["meeting_start_time"]);
    let number = night["meeting_id"].as_str().expect("text");
    let mut params = vec![("meeting_start_time", started.as_str()), ("meeting_end_time", &now), ("meeting_no", number)];
    assert_eq!(client.get(P, &params).await.code(), 126_009, "it has not ended");
    params.push(("meeting_status", "1"));
    assert!(client.walk(P, &params).await.iter().any(|row| row["leave_time"] == "-"));
    assert!(client.get(M, &[("start_time", &end), ("end_time", &end)]).await.code() == 126_005, "the future");
}

#[tokio::test]
async fn quality_grows_until_it_is_complete() {
    let spec = small();
    let client = Client::new(&spec, fast()).await;
    let meeting = client.meetings().await.swap_remove(0);
    let end: i64 = unix(&meeting["meeting_end_time"]).parse().expect("seconds");
    let mut params = window_of(&meeting).to_vec();
    let row = client.walk(P, &borrowed(&params)).await.swap_remove(0);
    params.push(("user_id", row["user_id"].as_str().expect("text").to_owned()));
    params.push(("join_time", unix(&row["join_time"])));
    let whole = client.walk(Q, &borrowed(&params)).await.len();
    for (age, expected) in [(1500, None), (2700, Some(whole / 2)), (3601, Some(whole))] {
        let clock_ahead_s = end + age - now_s();
        client.server.set_options(Options { ready_after_s: 3600, clock_ahead_s, ..fast() });
        let first = client.get(Q, &borrowed(&params)).await;
        match expected {
            None => assert_eq!(first.code(), 126_010, "{age} s after the end"),
            Some(count) => assert_eq!(client.walk(Q, &borrowed(&params)).await.len(), count, "{age} s after the end"),
        }
    }
}

#[tokio::test]
async fn early_participant_lists_have_half_of_the_rows() {
    let client = Client::new(&small(), fast()).await;
    let meetings = client.meetings().await;
    let meeting = meetings.iter().find(|meeting| meeting["meeting_topic"] == "Standing room: triage").expect("present");
    let window = window_of(meeting);
    let whole = client.walk(P, &borrowed(&window)).await.len();
    let end: i64 = window[1].1.parse().expect("seconds");
    let clock_ahead_s = end + 60 - now_s();
    client.server.set_options(Options { participants_ready_after_s: 600, clock_ahead_s, ..fast() });
    assert_eq!(client.walk(P, &borrowed(&window)).await.len(), whole.div_ceil(2));
}

#[tokio::test]
async fn page_tokens_are_valid_only_for_their_query() {
    let client = Client::new(&small(), fast()).await;
    let (start, end) = client.window();
    let first = client.get(M, &[("start_time", &start), ("end_time", &end)]).await;
    assert_eq!(first.rows("meeting_list").len(), 20, "twenty rows by default");
    let token = first.json()["data"]["page_token"].as_str().expect("more than twenty").to_owned();
    let same = client.get(M, &[("page_token", &token), ("end_time", &end), ("start_time", &start)]).await;
    assert_eq!(same.code(), 0);
    let other = [("start_time", start.as_str()), ("end_time", &end), ("page_token", &token), ("page_size", "30")];
    let other = client.get(M, &other).await;
    assert_eq!((other.http, other.code()), (400, 99_992_402));
    assert_eq!(other.json()["error"]["field_violations"][0]["field"], "page_token");
}

#[tokio::test]
async fn every_response_has_a_log_id_and_the_server_s_date() {
    let client = Client::new(&small(), Options { clock_ahead_s: -86_400 * 3650, ..fast() }).await;
    let first = client.get(M, &[]).await;
    let second = client.get(M, &[]).await;
    assert_eq!(first.json()["error"]["log_id"].as_str(), first.header("x-tt-logid"));
    assert_ne!(first.header("x-tt-logid"), second.header("x-tt-logid"));
    let year = first.header("date").and_then(|date| date.split(' ').nth(3)).map(str::to_owned);
    let expected = now_s() - 86_400 * 3650;
    let expected = jiff::Timestamp::from_second(expected).expect("in range").strftime("%Y").to_string();
    assert_eq!(year, Some(expected), "the date is the simulator's");
}

#[tokio::test]
async fn only_loopback_addresses_are_accepted() {
    let bind = "0.0.0.0:0".parse().expect("an address");
    let refused = serve(Tenant::generate(&small()), Options { bind, ..Options::default() }).await;
    assert!(matches!(refused, Err(SimulatorError::NotLoopback { .. })));
}

#[expect(clippy::disallowed_methods, reason = "the server under test reads the machine's clock too")]
fn now_s() -> i64 {
    jiff::Timestamp::now().as_second()
}
