//! What is requested in a walk, and what its responses mean: the client and the rules against scripted responses.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use feishu_vc::{
    BaseUrl, Boxed, CallBudget, ClientConfig, Credentials, Effects, Event, Exchanged, NoResponse, RawResponse, Secret,
};

use super::super::finality::Settle;
use super::super::task::pending_meeting;
use super::super::unit_result::{Earlier, Expected, UnitResult};
use super::*;
use crate::raw_log::RawKind;

const HOUR_S: i64 = 3600;
const NOON_S: i64 = 1_793_620_800;
/// The meeting starts 30 s after a minute begins.
const START_S: i64 = NOON_S + 30;

/// Status and body of each response, the clocks, and the requests that were sent.
struct Script {
    responses: VecDeque<(u16, String)>,
    elapsed: Duration,
    now_s: i64,
    sent: Vec<String>,
}

struct Outside {
    begin: Instant,
    script: Mutex<Script>,
}

impl Outside {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Effects for Outside {
    fn instant(&self) -> Instant {
        self.begin + self.script().elapsed
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.script().now_s).expect("a time")
    }

    fn sleep(&self, wait: Duration) -> Boxed<'_, ()> {
        self.script().elapsed += wait;
        Box::pin(std::future::ready(()))
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn exchange(&self, request: &reqwest::Request, _: Duration) -> Option<Boxed<'static, Exchanged>> {
        let mut script = self.script();
        script.now_s += 1;
        script.elapsed += Duration::from_millis(250);
        script.sent.push(request.url().query().unwrap_or_default().to_owned());
        let number = script.sent.len();
        let answer = script.responses.pop_front().map_or(Err(NoResponse::Reset), |(status, body)| {
            let headers = [("x-tt-logid".parse(), format!("log{number}").parse())];
            let headers = headers.into_iter().map(|(name, value)| (name.expect("a name"), value.expect("a value")));
            Ok(RawResponse { status, headers: headers.collect(), body: body.into_bytes() })
        });
        Some(Box::pin(std::future::ready(answer)))
    }
}

/// Admits this many requests.
struct Calls(Mutex<u32>);

impl CallBudget for Calls {
    fn admit(&self, _: Endpoint) -> Result<(), String> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.checked_sub(1).ok_or("the calls are used up")?;
        Ok(())
    }
}

/// A page with these items; `next` is the token of the next page.
fn page(items: &[u32], next: Option<&str>) -> (u16, String) {
    let data = serde_json::json!({ "has_more": next.is_some(), "page_token": next, "participants": items });
    (200, serde_json::json!({ "code": 0, "msg": "success", "data": data }).to_string())
}

fn refused(code: i64) -> (u16, String) {
    (400, format!(r#"{{"code":{code},"msg":"refused"}}"#))
}

const TOO_LONG: i64 = 126_006;
const NOT_FOUND: i64 = 126_009;
const APP_SCOPE: i64 = 99_991_672;

/// A walk over a list, and then another over the same list if responses are left.
async fn walked(name: &str, length_s: i64, calls: u32, responses: Vec<(u16, String)>) -> String {
    let script =
        Script { responses: responses.into(), elapsed: Duration::ZERO, now_s: NOON_S + 50 * HOUR_S, sent: Vec::new() };
    let outside = Arc::new(Outside { begin: Instant::now(), script: Mutex::new(script) });
    let base_url = BaseUrl::parse("https://open.example.com").expect("an address");
    let mut config = ClientConfig::new(base_url, Credentials::Bearer(Secret::new("t-made-up")));
    config.effects = Arc::<Outside>::clone(&outside);
    config.call_budget = Arc::new(Calls(Mutex::new(calls)));
    let client = Client::new(config, Arc::new(|_: &Event| ())).expect("a client");
    let meeting = pending_meeting(START_S * 1_000_000, (START_S + length_s) * 1_000_000);
    let task = MeetingTask::new(meeting, i64::MAX);
    let query = |window: MeetingWindow, token: Option<&str>| {
        let (start, end) = (window.start_s - NOON_S, window.end_s - NOON_S);
        vec![("start", start.to_string()), ("end", end.to_string()), ("token", token.unwrap_or_default().to_owned())]
    };
    let mut text = format!("{name}\n");
    loop {
        let mut items = 0;
        let now_us = outside.script().now_s * 1_000_000;
        let on_page = |page: &Page| items += page.item_count;
        let walk = walk_list(&client, Endpoint::ParticipantList, &task, now_us, (&query, None), on_page).await;
        for sent in outside.script().sent.drain(..) {
            let _ = writeln!(text, "  {sent}");
        }
        let _ = writeln!(text, "  {}", shown(&walk, items));
        let settle = Settle::from(Duration::from_secs(24 * 3600));
        let expected =
            Expected::List { people: 3, number_of_participants: Some(3), is_short: false, short_since_us: None };
        let earlier = Earlier { status: None, digest: None, us: None };
        let result = UnitResult::new(RawKind::Participants, "unit", &task, walk, expected, earlier, settle);
        let end = &result.end;
        let _ = writeln!(text, "  {}: {} (final {})", end.status.name(), end.reason, end.is_final);
        if outside.script().responses.is_empty() {
            return text;
        }
    }
}

/// What a walk read. The time is in seconds since the clock of the test began.
fn shown(walk: &Walk, items: usize) -> String {
    let end = &walk.end;
    let record = |page: &PageRecord| format!("{} {} ({} ms)", page.record, page.http_status, page.elapsed_ms);
    let records: Vec<String> = walk.pages.iter().map(record).collect();
    let outcome = match &walk.outcome {
        Outcome::Complete => "complete".to_owned(),
        Outcome::Refused { class, .. } => format!("refused {class:?}"),
        Outcome::Failed(_) => "failed".to_owned(),
        Outcome::Faulty(fault) => format!("faulty: {fault}"),
        Outcome::Interrupted(why) => format!("interrupted: {why}"),
    };
    format!(
        "{outcome}; {items} items seen, {} counted, {} requests, {} walks, code {:?}, {}, requested at {} s, \
         clamped {}, digest {}, stop {}, records {}",
        end.items,
        end.requests,
        end.walks,
        end.api_code,
        end.log_id.as_deref().unwrap_or("no log ID"),
        walk.requested_us / 1_000_000 - NOON_S - 50 * HOUR_S,
        walk.is_clamped,
        end.digest.get(..12).unwrap_or(&end.digest),
        walk.stop.as_ref().map_or_else(|| "none".to_owned(), |stop| format!("{stop}")),
        records.join(", "),
    )
}

#[tokio::test]
async fn what_is_requested_and_what_it_means() {
    let broken = || (500, "broken".to_owned());
    let hour = HOUR_S;
    let cases = [
        ("two pages", hour, 99, vec![page(&[1, 2], Some("b")), page(&[3], None)]),
        ("the same items on one page", hour, 99, vec![page(&[1, 2, 3], None)]),
        ("no items", hour, 99, vec![page(&[], None)]),
        ("no items, then one", hour, 99, vec![page(&[], Some("b")), page(&[1], None)]),
        ("a page fails twice", hour, 99, vec![page(&[1], Some("b")), broken(), broken(), page(&[2], None)]),
        ("every attempt fails", hour, 99, vec![broken(), broken(), broken(), broken(), broken()]),
        ("the second page never comes", hour, 99, {
            [vec![page(&[1], Some("b"))], (0..5).map(|_| broken()).collect()].concat()
        }),
        ("a token is repeated", hour, 99, vec![page(&[1], Some("b")), page(&[2], Some("b"))]),
        ("no permission", hour, 99, vec![refused(error_codes::NO_PERMISSION)]),
        (
            "no permission for the second page",
            hour,
            99,
            vec![page(&[1], Some("b")), refused(error_codes::NO_PERMISSION)],
        ),
        ("a scope is missing", hour, 99, vec![page(&[1], Some("b")), refused(APP_SCOPE)]),
        ("calls for one page", hour, 1, vec![page(&[1], Some("b"))]),
        ("not found in its second, found in its minute, and so from then on", hour, 99, {
            vec![refused(NOT_FOUND), page(&[1], None), page(&[2], None)]
        }),
        ("not found at all", hour, 99, vec![refused(NOT_FOUND), refused(NOT_FOUND)]),
        ("found in its minute, and no longer", hour, 99, {
            vec![refused(NOT_FOUND), page(&[1], None), refused(NOT_FOUND)]
        }),
        ("too long, although it is a day", 24 * hour, 99, vec![refused(TOO_LONG)]),
        ("a day that is too long from its minute on", 24 * hour, 99, {
            vec![refused(NOT_FOUND), refused(TOO_LONG), page(&[1], None)]
        }),
        ("longer than a day", 25 * hour, 99, vec![refused(TOO_LONG), page(&[1], Some("b")), page(&[2], None)]),
        ("longer than a day, and always too long", 25 * hour, 99, vec![refused(TOO_LONG), refused(TOO_LONG)]),
        ("longer than a day, and not in the first", 25 * hour, 99, {
            vec![refused(TOO_LONG), refused(NOT_FOUND), refused(NOT_FOUND)]
        }),
        ("longer than a day, and failing", 25 * hour, 99, {
            [vec![refused(TOO_LONG)], (0..5).map(|_| broken()).collect()].concat()
        }),
        ("longer than a day, with a page before the refusal", 25 * hour, 99, {
            vec![page(&[1], Some("b")), refused(TOO_LONG), page(&[1], None)]
        }),
    ];
    let mut texts = Vec::new();
    for (name, length_s, calls, responses) in cases {
        texts.push(walked(name, length_s, calls, responses).await);
    }
    insta::assert_snapshot!(texts.join("\n"));
}
