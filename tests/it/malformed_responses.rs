//! Malformed, oversized and slow responses: the run ends with its exit code and writes only to its store.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::support::scripted_server::{
    List, Response, START, ScriptedServer, TENANT_TOKEN, meeting, ordinary_except, participant, sample,
};

/// Runs a sync against a server with these responses for one list, and checks the exit code.
#[track_caller]
fn sync_ends(
    list: List,
    code: i32,
    answer: impl Fn(&crate::support::scripted_server::ReceivedRequest) -> Response + Send + Sync + 'static,
) -> ScriptedServer {
    let server = ScriptedServer::new(ordinary_except(list, answer));
    server.run(server.sync(&[])).expect_exit(code);
    server
}

/// As `ends`, with this body in place of the list's page.
#[track_caller]
fn sync_ends_with_body(list: List, code: i32, body: &[u8]) -> ScriptedServer {
    let body = body.to_vec();
    sync_ends(list, code, move |_| Response::body(body.clone()))
}

/// As `ends`, with a page whose list is this JSON.
#[track_caller]
fn sync_ends_with_items(list: List, code: i32, items: &str) -> ScriptedServer {
    let items = items.to_owned();
    sync_ends(list, code, move |_| Response::page(list, &items, None))
}

const LISTS: [List; 3] = [List::Meetings, List::Participants, List::Quality];

/// Exit code of a run for which this list always fails.
fn exit_code_without(list: List) -> i32 {
    if matches!(list, List::Meetings | List::Token) { 4 } else { 7 }
}

#[test]
fn a_body_that_is_not_an_envelope_is_a_failure() {
    for body in [
        &b""[..],
        b"null",
        b"[]",
        b"[0]",
        b"7",
        b"\"\"",
        b"{}",
        b"<html>",
        b"{\"code\":0",
        b"{\"code\":\"ok\"}",
        b"{\"code\":1e400}",
        b"\xff\xfe{\x00",
        b"{\"code\":0,\"data\":{\"has_more\":\"yes\"}}",
        b"{\"code\":0,\"data\":[1]}",
        b"{\"code\":0,\"code\":0}",
        b"{\"code\":0,\"data\":{},\"data\":{}}",
        b"\xef\xbb\xbf{\"code\":0}",
        b"{\"code\":0}{\"code\":0}",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ] {
        let server = sync_ends_with_body(List::Quality, 7, body);
        assert_eq!(server.text("select status from coverage").as_deref(), Some("failed"), "{}", body.escape_ascii());
    }
    for list in [List::Token, List::Meetings, List::Participants] {
        sync_ends_with_body(list, exit_code_without(list), b"{\"code\":0,\"data\":[");
    }
    // Invalid UTF-8 in an item.
    sync_ends_with_body(List::Participants, 7, b"{\"code\":0,\"data\":{\"participants\":[{\"user_id\":\"\xff\"}]}}");
}

#[test]
fn a_list_that_is_not_an_array_fails_and_an_odd_item_is_a_reject() {
    for list in LISTS {
        for items in ["{}", "7", "\"x\"", "true"] {
            sync_ends_with_items(list, exit_code_without(list), items);
        }
        let twice = format!(r#"{{"code":0,"data":{{"{0}":[],"{0}":[1],"has_more":false}}}}"#, list.key());
        sync_ends_with_body(list, exit_code_without(list), twice.as_bytes());
        // Null and empty lists are valid.
        sync_ends_with_items(list, 0, "null");
        sync_ends_with_items(list, 0, "[]");
    }
    let odd = r#"[null,[],[[1]],"text",7,true,{},{"network":7},{"network":[1]},{"network":null}]"#;
    // Items without any time: exit 7.
    let server = sync_ends_with_items(List::Quality, 7, odd);
    assert_eq!(server.number("select count(*) from rejects where column_name = '*' and reason = 'no_time'"), 10);
    assert_eq!(server.text("select string_agg(raw_text, ' ' order by row_key) from rejects where row_key like '%@item%' and column_name = '*'"),
        Some(r#"null [] [[1]] "text" 7 true {} {"network":7} {"network":[1]} {"network":null}"#.to_owned()));
    let server = sync_ends_with_items(List::Participants, 0, r#"[null,[],"text",7,{}]"#);
    assert_eq!(server.number("select count(*) from participants"), 5);
    // A meeting that is not an object has no start: a reject, and exit 7.
    let server = sync_ends_with_items(List::Meetings, 7, r#"[null,[],"text",7,{}]"#);
    assert_eq!(server.number("select count(*) from rejects where table_name = 'meetings'"), 5);
}

/// Values that JSON allows and parsers refuse: lone surrogates, numbers beyond a double, deep nesting. Each with the
/// text that is kept of it.
fn unreadable_values() -> Vec<(String, String)> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    vec![
        ("\"half \\ud800 pair\"".to_owned(), "half \u{fffd} pair".to_owned()),
        ("1e400".to_owned(), "1e400".to_owned()),
        ("-1E+999".to_owned(), "-1E+999".to_owned()),
        (deep("[", "]"), String::new()),
        (deep("{\"a\":", "}").replacen('}', "1}", 1), String::new()),
    ]
}

#[test]
fn a_value_that_cannot_be_parsed_loses_neither_its_item_nor_its_page() {
    for (value, kept) in unreadable_values() {
        let [meeting, participant, sample] = [meeting(), participant(), sample()];
        let with = |item: &str, field: &str| {
            format!("{},\"{field}\":{value},\"new_field\":{value}}}", &item[..item.len() - 1])
        };
        let server = sync_ends_with_items(List::Meetings, 0, &format!("[{}]", with(&meeting, "organizer")));
        assert_eq!(server.number("select count(*) from quality_samples"), 1, "{value:.40}");
        let server = sync_ends_with_items(
            List::Participants,
            0,
            &format!("[{},{participant}]", with(&participant.replace("ou_1", "ou_2"), "device")),
        );
        assert_eq!(server.number("select count(*) from quality_samples"), 2, "{value:.40}");
        if !kept.is_empty() {
            assert_eq!(server.text("select device from participants where user_id = 'ou_2'"), Some(kept.clone()));
        }
        let late = sample.replace("11:16:59", "11:17:59");
        let odd = late.replace("\"100ms\"", &value);
        let server =
            sync_ends_with_items(List::Quality, 0, &format!("[{sample},{odd},{}]", late.replace("11:17", "11:18")));
        assert_eq!(server.number("select count(*) from quality_samples"), 3, "{value:.40}");
        assert_eq!(
            server.number("select count(*) from rejects where column_name = 'network_delay_ms'"),
            1,
            "{value:.40}"
        );
    }
}

#[test]
fn numbers_as_text_and_text_as_numbers_are_typed_or_rejected() {
    let values = [
        ("100", 1),
        ("\"100\"", 1),
        ("100.5", 1),
        ("-0", 1),
        ("\"-0ms\"", 1),
        ("1e2", 1),
        ("18446744073709551615", 1),
        ("123456789012345678901234567890", 1),
        ("true", 0),
        ("\"true\"", 0),
        ("\"1e400\"", 0),
        ("-5", 0),
        ("\"１００ｍｓ\"", 1),
        ("[1]", 0),
        ("{\"v\":1}", 0),
        ("\"0x10\"", 0),
        ("\"1,000ms\"", 1),
        ("\"1,00ms\"", 0),
        ("\"NaN\"", 0),
        ("\"∞\"", 0),
    ];
    let mut items = String::new();
    for (n, (value, _)) in values.iter().enumerate() {
        let time = format!("2022.12.23 11:{n:02}:00 (GMT+08:00)");
        let _ = write!(
            items,
            "{}{{\"network\":{{\"time\":\"{time}\",\"network_delay\":{value}}}}}",
            if n > 0 { "," } else { "" }
        );
    }
    let server = sync_ends_with_items(List::Quality, 0, &format!("[{items}]"));
    let typed: i64 = values.iter().map(|(_, typed)| typed).sum();
    assert_eq!(server.number("select count(network_delay_ms) from quality_samples"), typed);
    assert_eq!(server.number("select count(*) from rejects"), values.len() as i64 - typed);
    // The last of two equal keys counts.
    let twice = format!(r#"[{{"network":{{"time":"{START}","network_delay":"1ms","network_delay":"2ms"}}}}]"#);
    let server = sync_ends_with_items(List::Quality, 0, &twice);
    assert_eq!(server.number("select network_delay_ms::bigint from quality_samples"), 2);
}

#[test]
fn endless_walks_are_stopped() {
    for list in LISTS {
        let (code, items) = (exit_code_without(list), "[{}]");
        // The same token forever, a circle of tokens, more pages without items, more pages without a token.
        sync_ends(list, code, move |_| Response::page(list, items, Some("A")));
        let server =
            sync_ends(list, code, move |request| Response::page(list, items, Some(["A", "B", "C"][request.nth % 3])));
        assert!(server.count(list) <= 8, "{} calls", server.count(list));
        sync_ends(list, code, move |request| Response::page(list, "[]", Some(&format!("n{}", request.nth))));
        sync_ends_with_body(
            list,
            code,
            format!(r#"{{"code":0,"data":{{"{}":[{{}}],"has_more":true}}}}"#, list.key()).as_bytes(),
        );
        // A token that is too long for a URL is not tried twice.
        let server = sync_ends(list, code, move |_| Response::page(list, items, Some(&"x".repeat(1 << 20))));
        assert_eq!(server.count(list), 1);
    }
    // New tokens forever, with items.
    let server = sync_ends(List::Quality, 7, |request| {
        Response::page(List::Quality, "[{}]", Some(&format!("n{}", request.nth)))
    });
    assert_eq!(server.count(List::Quality), 2_000);
}

#[test]
fn repeated_and_overlapping_pages_duplicate_no_row() {
    let (one, two) = (sample(), sample().replace("11:16:59", "11:17:59"));
    let server =
        sync_ends(List::Quality, 0, move |request| match request.query.get("page_token").map(String::as_str) {
            None => Response::page(List::Quality, &format!("[{one}]"), Some("1")),
            Some("1") => Response::page(List::Quality, &format!("[{one},{two}]"), Some("2")),
            _ => Response::page(List::Quality, &format!("[{two},{one}]"), None),
        });
    assert_eq!(server.number("select count(*) from quality_samples"), 2);
    assert_eq!(server.number("select count(*) from rejects"), 0);
}

#[test]
fn redirects_are_not_followed_and_leak_no_token() {
    for (list, status) in [(List::Meetings, 302), (List::Meetings, 307), (List::Token, 308), (List::Quality, 301)] {
        let elsewhere = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
        let address = elsewhere.address;
        let server = ScriptedServer::new(ordinary_except(list, move |_| {
            Response::body("<html>")
                .status(status)
                .with("location", format!("http://{address}/open-apis/vc/v1/meeting_list"))
        }));
        let ran = server.run(server.sync(&[]));
        assert_eq!(ran.code, Some(exit_code_without(list)), "{}", ran.stderr);
        assert!(elsewhere.requests().is_empty(), "{list:?} {status}: {:?}", elsewhere.requests());
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.list == List::Token || request.authorization == format!("Bearer {TENANT_TOKEN}"))
        );
    }
}

#[test]
fn slow_bodies_and_odd_headers_end_in_bounded_time() {
    let began = Instant::now();
    let server = ScriptedServer::new(ordinary_except(List::Quality, |_| Response::Trickle));
    let mut command = server.sync(&[]);
    command.env("VCQ_REQUEST_TIMEOUT", "300ms");
    server.run(command).expect_exit(7);
    assert!(began.elapsed() < Duration::from_secs(60));
    // A very long header, one that is not text, and an invalid date.
    sync_ends(List::Quality, 7, |_| Response::page(List::Quality, "[]", None).with("x-tt-logid", "x".repeat(1 << 20)));
    let server = sync_ends(List::Quality, 0, |_| {
        Response::page(List::Quality, "[]", None)
            .with("x-tt-logid", b"\x9b2J\xff".to_vec())
            .with("date", "Fri, 31 Dec 9999 23:59:60 GMT")
    });
    assert_eq!(server.number("select count(*) from coverage where log_id is not null"), 0);
    // The content type is ignored; a compressed body is not unpacked.
    sync_ends(List::Quality, 0, |_| Response::page(List::Quality, "[]", None).with("content-type", "text/html"));
    sync_ends(List::Quality, 7, |_| Response::body(b"\x1f\x8b\x08\x00bomb".to_vec()).with("content-encoding", "gzip"));
    // An endless throttling wait is clamped, and the run stops with exit 8.
    let server = ScriptedServer::new(ordinary_except(List::Quality, |_| {
        Response::refusal(429, 99_991_400, "slow").with("x-ogw-ratelimit-reset", "1e300")
    }));
    let mut command = server.sync(&[]);
    command.env("VCQ_WAIT_CAP", "20ms");
    server.run(command).expect_exit(8);
}

#[test]
fn large_values_are_kept_and_oversized_bodies_refused() {
    let ten = "x".repeat(10 << 20);
    let large = |item: &str, field: &str| format!("[{},\"{field}\":\"{ten}\"}}]", &item[..item.len() - 1]);
    let server = sync_ends_with_items(List::Meetings, 0, &large(&meeting(), "organizer"));
    assert_eq!(server.number("select length(organizer) from meetings"), 10 << 20);
    let ran = server.run(server.command(&["report", "run", "worst-meetings"])).expect_exit(0);
    assert!(ran.stdout.len() < 100_000, "{}", ran.stdout.len());
    let server = sync_ends_with_items(List::Participants, 0, &large(&participant(), "device"));
    assert_eq!(server.number("select length(device) from participants"), 10 << 20);
    let metric = format!(r#"[{{"network":{{"time":"{START}","network_delay":"{ten}"}},"{ten}":1}}]"#);
    let server = sync_ends_with_items(List::Quality, 0, &metric);
    assert_eq!(server.number("select length(raw_text) from rejects"), 10 << 20);
    server.run(server.command(&["report", "run", "unread-values", "--format", "markdown"])).expect_exit(0);
    // A body over the size limit fails and is not retried.
    let body = format!(r#"{{"code":0,"x":"{}"}}"#, "y".repeat(65 << 20));
    let server = sync_ends_with_body(List::Quality, 7, body.as_bytes());
    assert_eq!(server.count(List::Quality), 1);
}

#[test]
fn a_page_of_a_hundred_thousand_items_takes_linear_time() {
    const COUNT: usize = 100_000;
    let began = Instant::now();
    // All without a time (unreadable, so 7), all with one key, all of one minute: quadratic code would take hours.
    let timeless = vec!["{\"network\":{}}"; COUNT].join(",");
    let server = sync_ends_with_items(List::Quality, 7, &format!("[{timeless}]"));
    assert_eq!(server.number("select count(*) from rejects"), COUNT as i64);
    let same: Vec<String> = (0..COUNT)
        .map(|n| format!(r#"{{"network":{{"time":"{START}","network_delay":"{n}ms","bitrate_sent":"?"}}}}"#))
        .collect();
    let server = sync_ends_with_items(List::Quality, 0, &format!("[{}]", same.join(",")));
    assert_eq!(server.number("select count(*) from rejects where reason = 'duplicate_sample'"), COUNT as i64 - 1);
    let duplicates: Vec<String> = (0..COUNT).map(|n| format!(r#"{{"join_time":"{START}","device":"{n}"}}"#)).collect();
    let server = sync_ends_with_items(List::Participants, 0, &format!("[{}]", duplicates.join(",")));
    assert_eq!(server.number("select count(*) from participants"), COUNT as i64);
    let fields: Vec<String> = (0..COUNT).map(|n| format!("\"f{n}\":1")).collect();
    let server = ScriptedServer::new(ordinary_except(List::Quality, move |_| {
        Response::page(List::Quality, &format!("[{{{}}}]", fields.join(",")), None)
    }));
    let ran = server.run(server.sync(&[])).expect_exit(7);
    assert!(ran.stdout.len() < 50_000, "{}", ran.stdout.len());
    assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
}
