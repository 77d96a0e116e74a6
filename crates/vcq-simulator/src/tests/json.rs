//! The JSON has the documented form.

use proptest::prelude::*;
use serde_json::Value;

use crate::generators::quality::SampleGenerator;
use crate::model::ids::UserIdType;
use crate::model::{Tenant, TenantSpec};
use crate::server::json::{JsonStyle, ListWriter, MALFORMATIONS, TimeFormat, count_malformed, push_items, wall_clock};

const MEETING_FIELDS: &str = "meeting_id meeting_instance_id meeting_topic meeting_type meeting_subtype organizer department \
    user_id employee_id email mobile meeting_start_time meeting_end_time meeting_duration number_of_participants \
    number_of_devices number_of_webinar_viewers audio video sharing recording telephone has_related_document ai_note \
    is_external";

const PARTICIPANT_FIELDS: &str = "participant_name department user_id meeting_room_id employee_id phone email device \
    app_version public_ip internal_ip use_rtc_proxy location network_type protocol microphone speaker camera audio video \
    sharing join_time leave_time time_in_meeting leave_reason accept_status is_external";

const SECTIONS: &[(&str, &str)] = &[
    (
        "network",
        "time network_delay bitrate_received packet_loss_avg_received packet_loss_max_received bitrate_sent \
         packet_loss_avg_sent packet_loss_max_sent",
    ),
    (
        "audio",
        "time mic_input_volume speaker_volume bitrate_received latency_received jitter_received bitrate_sent latency_sent \
         jitter_sent",
    ),
    ("video", PICTURE_FIELDS),
    ("screen_sharing", PICTURE_FIELDS),
    ("cpu_usage", "time client_avg_cpu_usage client_max_cpu_usage system_avg_cpu_usage system_max_cpu_usage"),
];

const PICTURE_FIELDS: &str = "time bitrate_received latency_received jitter_received maximum_resolution_received \
    framerate_received bitrate_sent latency_sent jitter_sent maximum_resolution_sent framerate_sent";

const UNITS: &[(&str, &str)] = &[
    ("packet_loss", "%"),
    ("cpu_usage", "%"),
    ("bitrate", "kbps"),
    ("framerate", "fps"),
    ("volume", "dB"),
    ("delay", "ms"),
    ("latency", "ms"),
    ("jitter", "ms"),
];

fn tenant() -> Tenant {
    Tenant::generate(&TenantSpec::default())
}

fn writer(tenant: &Tenant, style: JsonStyle) -> ListWriter<'_> {
    ListWriter { tenant, style, id_type: UserIdType::OpenId, now: tenant.spec.end() }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every quality item of a tenant.
fn items(tenant: &Tenant, style: JsonStyle) -> Vec<Value> {
    let mut items = Vec::new();
    for meeting in &tenant.meetings {
        for row in meeting.sessions.clone().filter(|row| !tenant.sessions[*row].duplicate) {
            let (session, generator) = (&tenant.sessions[row], SampleGenerator::new(tenant, meeting, row));
            let count = meeting.sample_count(session);
            assert!(count == 0 || count == session.minute_count());
            let mut page = String::from("[");
            push_items(&mut page, style, tenant.spec.utc_offset_s, &generator, session, 0..count, None);
            page.push(']');
            items.append(parse(&page).as_array_mut().expect("an array"));
        }
    }
    items
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn meetings_have_the_documented_fields() {
    let tenant = tenant();
    let writer = writer(&tenant, JsonStyle::default());
    for meeting in &tenant.meetings {
        let meeting = parse(&writer.meeting(meeting));
        assert_eq!(keys(&meeting), MEETING_FIELDS.split_whitespace().collect::<Vec<_>>());
        assert_eq!(meeting["meeting_id"].as_str().map(str::len), Some(9));
        assert_eq!(meeting["meeting_instance_id"].as_str().map(str::len), Some(19));
        let start = meeting["meeting_start_time"].as_str().expect("text");
        assert!(start.starts_with("2026.11.0") && start.ends_with(" (GMT+08:00)") && start.len() == 31, "{start}");
        assert!(meeting["number_of_devices"].is_string() && meeting["meeting_type"].is_number());
        assert!(meeting["audio"].is_boolean());
    }
}

#[test]
fn participants_have_the_documented_fields() {
    let tenant = tenant();
    let writer = writer(&tenant, JsonStyle::default());
    for meeting in &tenant.meetings {
        for row in meeting.sessions.clone() {
            let participant = parse(&writer.participant(meeting, row));
            let mut fields: Vec<&str> = PARTICIPANT_FIELDS.split_whitespace().collect();
            if meeting.is_webinar() {
                fields.push("webinar_user_role");
            }
            assert_eq!(keys(&participant), fields);
            let ids = [&participant["user_id"], &participant["meeting_room_id"]].map(|id| id.as_str().expect("text"));
            assert!(ids.iter().any(|id| id.is_empty()), "a user and a room at once: {ids:?}");
        }
    }
}

#[test]
fn a_participant_who_has_not_left_has_a_dash_for_the_leave_time() {
    let tenant = tenant();
    let meeting = &tenant.meetings[0];
    let writer = ListWriter { now: meeting.end - 1, ..writer(&tenant, JsonStyle::default()) };
    assert_eq!(parse(&writer.participant(meeting, meeting.sessions.start))["leave_time"], "-");
    assert_eq!(parse(&writer.meeting(meeting))["meeting_end_time"], "-");
}

#[test]
fn quality_values_are_strings_with_units() {
    let tenant = tenant();
    let items = items(&tenant, JsonStyle::default());
    assert_eq!(items.len() as u64, tenant.totals().samples_answered);
    let (mut dashes, mut four_k, mut decimals, mut absent, mut empty) = (0, 0, 0, 0, 0);
    for item in &items {
        for (section, fields) in SECTIONS {
            let Some(found) = item.get(section) else {
                absent += 1;
                continue;
            };
            let found = found.as_object().expect("a section is an object");
            if found.is_empty() {
                empty += 1;
                continue;
            }
            assert!(found.keys().map(String::as_str).eq(fields.split_whitespace()), "{section}: {found:?}");
            for (leaf, value) in found {
                let text = value.as_str().unwrap_or_else(|| panic!("{section}.{leaf} is {value}"));
                dashes += usize::from(text == "-");
                four_k += usize::from(text == "4K");
                decimals += usize::from(text.contains('.') && text.ends_with('%'));
                let unit = UNITS.iter().find(|(part, _)| leaf.contains(part)).map(|(_, unit)| *unit);
                match unit {
                    _ if text == "-" => {}
                    Some(unit) => {
                        let number = text.strip_suffix(unit).unwrap_or_else(|| panic!("{section}.{leaf} is {text}"));
                        assert!(number.parse::<f64>().is_ok(), "{section}.{leaf} is {text}");
                    }
                    None if leaf == "time" => assert_eq!(text.ends_with(')'), *section != "cpu_usage", "{text}"),
                    None => assert!(text == "4K" || text.strip_suffix('P').is_some_and(|n| n.parse::<u32>().is_ok())),
                }
            }
        }
    }
    for (what, count) in [("-", dashes), ("4K", four_k), ("decimal", decimals), ("absent", absent), ("empty", empty)] {
        assert!(count > 10, "{what} was seen {count} times");
    }
}

/// For comparison with Feishu's documentation by eye.
#[test]
fn one_of_each_matches_the_documentation() {
    let tenant = tenant();
    let writer = writer(&tenant, JsonStyle::default());
    let meeting = &tenant.meetings[0];
    let mut out = String::from("{\"meeting\":");
    out.push_str(&writer.meeting(meeting));
    out.push_str(",\"participant\":");
    out.push_str(&writer.participant(meeting, meeting.sessions.start));
    out.push_str(",\"quality\":");
    let session = &tenant.sessions[meeting.sessions.start];
    let generator = SampleGenerator::new(&tenant, meeting, meeting.sessions.start);
    push_items(&mut out, JsonStyle::default(), tenant.spec.utc_offset_s, &generator, session, 5..6, None);
    out.push('}');
    insta::assert_snapshot!(serde_json::to_string_pretty(&parse(&out)).expect("it was JSON"));
}

/// Tests and benchmarks that name a seed rely on this.
#[test]
fn a_seed_always_generates_the_same_bytes() {
    let unusual = JsonStyle {
        times: TimeFormat::UnixSeconds,
        numbers: true,
        null_sections: true,
        extra_fields: true,
        malformed_per_million: 20_000,
        ..JsonStyle::default()
    };
    let mut hashes = Vec::new();
    for (seed, style, id_type) in
        [(7, JsonStyle::default(), UserIdType::OpenId), (1_234_567, unusual, UserIdType::UserId)]
    {
        let tenant = Tenant::generate(&TenantSpec { seed, days: 7, ..TenantSpec::default() });
        let writer = ListWriter { tenant: &tenant, style, id_type, now: tenant.spec.end() };
        let mut out = String::new();
        for meeting in &tenant.meetings {
            out.push_str(&writer.meeting(meeting));
            for row in meeting.sessions.clone() {
                out.push_str(&writer.participant(meeting, row));
                let (session, generator) = (&tenant.sessions[row], SampleGenerator::new(&tenant, meeting, row));
                let count = meeting.sample_count(session);
                push_items(&mut out, style, tenant.spec.utc_offset_s, &generator, session, 0..count, None);
            }
        }
        // FNV-1a, so that the test does not depend on the generator that it checks.
        let hash = out
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        hashes.push((out.len(), format!("{hash:016x}")));
    }
    assert_eq!(hashes, [(31_913_640, "77240d134ae5d35d".to_owned()), (28_367_321, "7eda2219c56b4e15".to_owned())]);
}

#[test]
fn styles_change_the_json() {
    let tenant = Tenant::generate(&TenantSpec { days: 1, meetings_per_day: 2, ..TenantSpec::default() });
    let first = |style| items(&tenant, style).swap_remove(0);
    let unix = first(JsonStyle { times: TimeFormat::UnixSeconds, ..JsonStyle::default() });
    assert!(unix["network"]["time"].as_str().is_some_and(|time| time.parse::<i64>().is_ok()));
    let zoneless = first(JsonStyle { times: TimeFormat::Zoneless, ..JsonStyle::default() });
    assert_eq!(zoneless["audio"]["time"].as_str().map(str::len), Some(19));
    let numbers = first(JsonStyle { numbers: true, times: TimeFormat::UnixSeconds, ..JsonStyle::default() });
    assert!(numbers["network"]["network_delay"].is_number() && numbers["network"]["time"].is_i64());
    let extra = first(JsonStyle { extra_fields: true, ..JsonStyle::default() });
    assert_eq!(extra["x_stream_stats"]["freeze_count"], "0");
    let nulls = items(&tenant, JsonStyle { null_sections: true, ..JsonStyle::default() });
    assert!(nulls.iter().any(|item| item["screen_sharing"].is_null() && item.get("screen_sharing").is_some()));
    let writer = writer(&tenant, JsonStyle { empty_ids: true, ..JsonStyle::default() });
    for session in &tenant.sessions {
        assert_eq!((writer.user_id(session), writer.room_id(session)), (String::new(), String::new()));
    }
}

#[test]
fn malformed_values_match_their_count() {
    let tenant = tenant();
    let style = JsonStyle { malformed_per_million: 30_000, ..JsonStyle::default() };
    let items = items(&tenant, style);
    let count = |test: &dyn Fn(&Value) -> bool| items.iter().filter(|item| test(item)).count() as u64;
    let network = |leaf: &'static str, text: &'static str| count(&move |item: &Value| item["network"][leaf] == text);
    let counted = count_malformed(&tenant, &style);
    let seen = [
        network("network_delay", "fast"),
        network("bitrate_received", "12 parsecs"),
        network("packet_loss_avg_received", "140%"),
        network("time", "-"),
        network("time", "25:99"),
        count(&|item| SECTIONS.iter().all(|(section, _)| item[section]["time"].as_str().is_none_or(str::is_empty))),
    ];
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert_eq!(counted, MALFORMATIONS.iter().copied().zip(seen).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn wall_clocks_match_strftime(local in -10_000_000_000_i64..10_000_000_000) {
        let theirs = jiff::Timestamp::from_second(local).expect("in range").strftime("%Y.%m.%d %H:%M:%S").to_string();
        prop_assert_eq!(wall_clock(local), theirs);
    }
}
