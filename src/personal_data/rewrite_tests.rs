use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::scanner::{Mark, Scanner};
use super::*;
use crate::schema::Personal;

fn pseudonyms(identity: Identity, topics: Topics) -> Pseudonyms {
    Pseudonyms::new(Key::new(&[5; 32]), identity, topics, Networks::default())
}

fn rewritten(pseudonyms: &Pseudonyms, endpoint: &str, body: &str) -> String {
    let once = pseudonyms.rewrite_body(endpoint, body.as_bytes(), Whom::Everybody).into_owned();
    assert_eq!(pseudonyms.rewrite_body(endpoint, &once, Whom::Everybody), once, "twice is once: {body:.300}");
    String::from_utf8(once).expect("UTF-8")
}

fn page(list: &str, items: &Value) -> String {
    json!({"code": 0, "msg": "success", "data": {list: items, "has_more": true, "page_token": "20"}}).to_string()
}

const PARTICIPANT: &str = r#"{"participant_name":"Alice","department":"IT","user_id":"ou_1","meeting_room_id":"","employee_id":77,
    "phone":"+86 138","email":"a@x.cn","device":"windows","public_ip":"27.1.2.183","internal_ip":"10.11.3.*","microphone":"Alice's mic",
    "speaker":"-","join_time":"2022.12.23 11:16:59 (GMT+08:00)","accept_status":1,"is_external":false,"new_field":{"ou_1":[13.5,"Alice",true,null]}}"#;

#[test]
fn a_participant_is_replaced_and_nothing_else_of_it() {
    let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
    let item: Value = serde_json::from_str(PARTICIPANT).expect("JSON");
    let body = rewritten(&pseudonyms, "participant_list", &page("participants", &json!([item])));
    let token = |class, text| pseudonyms.token(class, text).into_owned();
    let page: Value = serde_json::from_str(&body).expect("JSON");
    let found = &page["data"]["participants"][0];
    assert_eq!(found["user_id"], token(Personal::Id, "ou_1"));
    assert_eq!(found["employee_id"], token(Personal::Id, "77"), "a number has the token of its text");
    assert_eq!(found["participant_name"], token(Personal::Name, "Alice"));
    assert_eq!(found["phone"], token(Personal::Phone, "+86 138"));
    assert_eq!(found["email"], token(Personal::Email, "a@x.cn"));
    assert_eq!((&found["public_ip"], &found["internal_ip"]), (&json!("27.1.2.0/24"), &json!("10.11.3.0/24")));
    assert_eq!(found["microphone"], token(Personal::Device, "Alice's mic"));
    for kept in ["department", "meeting_room_id", "device", "speaker", "join_time", "accept_status", "is_external"] {
        assert_eq!(found[kept], item[kept], "{kept}");
    }
    for secret in ["Alice", "ou_1", "138", "a@x", "183", "13.5", "\"20\""] {
        assert!(!body.contains(secret), "{secret} in {body}");
    }
    assert_eq!(page["data"]["has_more"], true);
    assert!(found["new_field"].is_object(), "the name of an unknown field stays");
}

#[test]
fn without_identities_names_are_null_and_ids_stay_tokens() {
    let pseudonyms = pseudonyms(Identity::None, Topics::Drop);
    let item: Value = serde_json::from_str(PARTICIPANT).expect("JSON");
    let body = rewritten(&pseudonyms, "participant_list", &page("participants", &json!([item])));
    let page: Value = serde_json::from_str(&body).expect("JSON");
    let found = &page["data"]["participants"][0];
    for field in ["participant_name", "phone", "email", "microphone", "speaker"] {
        assert_eq!(found[field], Value::Null, "{field}");
    }
    assert_eq!(found["user_id"], pseudonyms.token(Personal::Id, "ou_1").as_ref());
}

#[test]
fn a_room_keeps_its_name_and_a_person_in_a_room_does_not() {
    let pseudonyms = pseudonyms(Identity::None, Topics::Keep);
    let items = json!([
        {"participant_name": "Room 1", "user_id": "-", "meeting_room_id": "omm_1", "internal_ip": "10.1.2.3"},
        {"participant_name": "Alice", "user_id": "ou_1", "meeting_room_id": "omm_1"},
        {"participant_name": "Guest", "meeting_room_id": "-"},
    ]);
    let body = rewritten(&pseudonyms, "participant_list", &page("participants", &items));
    assert!(body.contains("Room 1") && body.contains("omm_1") && body.contains("10.1.2.0/24"), "{body}");
    assert!(!body.contains("Alice") && !body.contains("Guest"), "{body}");
}

#[test]
fn topics_have_a_setting_of_their_own() {
    let item = json!([{"meeting_topic": "Alice and Bob", "organizer": "Alice", "new_field": "x"}]);
    let body = page("meeting_list", &item);
    let kept = rewritten(&pseudonyms(Identity::Pseudonym, Topics::Keep), "meeting_list", &body);
    assert!(kept.contains("Alice and Bob") && !kept.contains("\"Alice\""), "{kept}");
    let dropped = rewritten(&pseudonyms(Identity::Full, Topics::Drop), "meeting_list", &body);
    assert_eq!(dropped, body.replace("\"Alice and Bob\"", "null"), "nothing else changes");
    let event = json!({"event": {"meeting": {"topic": "Alice and Bob", "host_user": {"id": {"open_id": "ou_1"}}}}});
    let both = rewritten(&pseudonyms(Identity::Pseudonym, Topics::Drop), "event", &event.to_string());
    assert!(!both.contains("Alice") && !both.contains("ou_1") && both.contains("p-"), "{both}");
}

#[test]
fn refusals_keep_their_codes_and_no_text() {
    let body = json!({
        "code": 121_004, "msg": "user Alice (ou_1) not found",
        "error": {"log_id": "20261127034456ABCDEF0123", "message": "Alice", "field_violations": [{"field": "user_id", "value": "ou_1"}],
                  "permission_violations": [{"type": "action_scope_required", "subject": "vc:room:readonly"}]},
        "data": {"user": {"ou_1": "Alice"}, "participants": "Alice", "ou_1": 1}, "ou_1": "Alice is a field name",
    });
    let text = rewritten(&pseudonyms(Identity::Pseudonym, Topics::Keep), "participant_list", &body.to_string());
    let found: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(found["code"], 121_004);
    assert_eq!(found["msg"], "withheld (identity = pseudonym)");
    assert_eq!(found["error"]["log_id"], body["error"]["log_id"]);
    assert_eq!(found["error"]["permission_violations"], body["error"]["permission_violations"]);
    assert_eq!(found["error"]["field_violations"][0]["field"], "user_id");
    assert!(!text.contains("Alice") && !text.contains("ou_1"), "{text}");
}

#[test]
fn odd_bodies_survive() {
    let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let values = [r#""half \ud800 pair""#.to_owned(), "1e400".to_owned(), deep("[", "]"), deep("{\"a\":", "}")];
    for value in values {
        for field in ["user_id", "new_field", "department", "participant_name", "internal_ip", "accept_status"] {
            let body =
                format!(r#" {{"code":0,"data":{{"participants":[{{"{field}":{value}}},{{"user_id":"ou_2"}}]}}}} "#);
            let text = rewritten(&pseudonyms, "participant_list", &body);
            serde_json::from_str::<&serde_json::value::RawValue>(&text).expect("JSON");
            assert!(!text.contains("ou_2") && text.contains("p-"), "{value:.40} {field}");
        }
    }
    for body in ["<html>Alice</html>", "{\"code\":0", "\u{feff}{\"code\":0}", "{\"code\":0}{\"code\":0}"] {
        let text = rewritten(&pseudonyms, "participant_list", body);
        assert_eq!(text, format!("withheld (identity = pseudonym): {} bytes that are not JSON", body.len()));
    }
    assert_eq!(rewritten(&pseudonyms, "participant_list", ""), "");
    let invalid = pseudonyms.rewrite_body("participant_list", b"{\"code\":0,\"msg\":\"\xff\"}", Whom::Everybody);
    assert!(invalid.starts_with(b"withheld"));
    for body in ["null", "[]", "[0]", "7", "\"\"", "{}"] {
        serde_json::from_str::<Value>(&rewritten(&pseudonyms, "participant_list", body)).expect(body);
    }
    let scalars = rewritten(&pseudonyms, "participant_list", &page("participants", &json!([null, [], "Alice", 7, {}])));
    assert!(!scalars.contains("Alice") && !scalars.contains(",7,"), "{scalars}");
    let escaped =
        r#"{"code":0,"d\u0061ta":{"participants":[{"us\u0065r_id":"ou_\u0031","participant_name":"Al\u0069ce"}]}}"#;
    let text = rewritten(&pseudonyms, "participant_list", escaped);
    assert!(text.contains(pseudonyms.token(Personal::Id, "ou_1").as_ref()), "{text}");
    assert!(text.contains(pseudonyms.token(Personal::Name, "Alice").as_ref()), "{text}");
}

#[test]
fn a_text_in_the_place_of_a_number_is_replaced_and_stays_no_number() {
    let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
    let item = json!([{"network": {"time": "2022.12.23 11:16:00 (GMT+08:00)", "network_delay": "alice@example.com",
        "bitrate_received": "5 furlongs", "new": "Alice", "packet_loss_avg_received": "8%"}, "audio": "Alice", "cpu_usage": {"time": "soon enough for me"}}]);
    let text = rewritten(&pseudonyms, "participant_quality_list", &page("participant_quality_list", &item));
    assert!(!text.contains("lice") && !text.contains("soon"), "{text}");
    assert!(
        text.contains("5 furlongs") && text.contains("8%") && text.contains("2022.12.23 11:16:00 (GMT+08:00)"),
        "{text}"
    );
    assert!(text.contains("\"new\""), "{text}");
}

#[test]
fn only_the_items_of_the_named_people_change() {
    let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
    let items = json!([
        {"user_id": "ou_1", "participant_name": "Alice", "email": "a@x.cn", "new_field": "Alice"},
        {"user_id": "ou_2", "participant_name": "Bob", "new_field": "Bob"}, "text",
    ]);
    let body = page("participants", &items);
    let is_alice = |person: &Person<'_>| person.ids.iter().any(|id| id == "ou_1");
    let changed = pseudonyms.rewrite_body("participant_list", body.as_bytes(), Whom::Those(&is_alice));
    let changed: Value = serde_json::from_slice(&changed).expect("JSON");
    let mut expected: Value = serde_json::from_str(&body).expect("JSON");
    expected["data"]["participants"][0] = changed["data"]["participants"][0].clone();
    assert_eq!(changed, expected);
    assert!(!changed.to_string().contains("Alice"));
    let nobody = pseudonyms.rewrite_body("participant_list", body.as_bytes(), Whom::Those(&|_| false));
    assert!(matches!(nobody, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn what_requests_need_again_is_learned() {
    let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
    let body = page("participants", &json!([{"user_id": "ou_1"}, {"user_id": ""}, {"employee_id": "e"}]));
    let mut learned = Vec::new();
    let _ = pseudonyms.rewrite_learning("participant_list", body.as_bytes(), Whom::Everybody, &mut |one| match one {
        Learned::Participant { token, id } => learned.push((token.to_owned(), id.to_owned())),
        Learned::PageToken { token, page_token } => learned.push((token.to_owned(), page_token.to_owned())),
    });
    let texts: Vec<&str> = learned.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["ou_1", "20"]);
    assert_eq!(learned[0].0, pseudonyms.token(Personal::Id, "ou_1"));
}

#[test]
fn with_full_identities_no_byte_changes() {
    let pseudonyms = pseudonyms(Identity::Full, Topics::Keep);
    for body in ["<html>", "{\"code\":0,\"msg\":\"Alice\"}", &page("participants", &json!([{"user_id": "ou_1"}]))] {
        let same = pseudonyms.rewrite_body("participant_list", body.as_bytes(), Whom::Everybody);
        assert!(matches!(same, std::borrow::Cow::Borrowed(_)), "{body}");
    }
}

/// The scalars of a JSON text.
fn scalars(text: &str) -> HashSet<String> {
    let mut scanner = Scanner::new(text, 0);
    let mut found = HashSet::new();
    while let Some((mark, range)) = scanner.next() {
        if mark == Mark::Scalar {
            found.insert(text[range].to_owned());
        }
    }
    found
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((any_key(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    const KEYS: &[&str] = &[
        "code",
        "msg",
        "data",
        "error",
        "participants",
        "user_id",
        "participant_name",
        "phone",
        "has_more",
        "page_token",
    ];
    prop_oneof![proptest::sample::select(KEYS).prop_map(str::to_owned), "[a-z_]{1,8}"]
}

proptest! {
    #[test]
    fn any_body_is_rewritten_to_json_of_the_same_shape_and_twice_is_once(
        value in any_value(), none in any::<bool>(), endpoint in proptest::sample::select(vec!["participant_list", "event", "other"]),
    ) {
        let pseudonyms = pseudonyms(if none { Identity::None } else { Identity::Pseudonym }, Topics::Keep);
        for body in [value.to_string(), page("participants", &json!([value]))] {
            let text = rewritten(&pseudonyms, endpoint, &body);
            let changed: Value = serde_json::from_str(&text).expect("JSON");
            let before: Value = serde_json::from_str(&body).expect("JSON");
            let fields = |value: &Value| value.as_object().map(serde_json::Map::len);
            prop_assert_eq!(fields(&changed), fields(&before));
        }
    }

    #[test]
    fn no_unknown_scalar_stays(value in any_value(), key in "new_[a-z]{1,5}") {
        let pseudonyms = pseudonyms(Identity::Pseudonym, Topics::Keep);
        let item = json!([{ key: value }]);
        let text = rewritten(&pseudonyms, "participant_list", &page("participants", &item));
        let changed: Value = serde_json::from_str(&text).expect("JSON");
        for scalar in scalars(&changed["data"]["participants"].to_string()) {
            let is_harmless = matches!(scalar.as_str(), "null" | "true" | "false") || scalar.trim_matches(['"', ' ']).trim().is_empty();
            prop_assert!(is_harmless || scalar.starts_with("\"x-"), "{}", scalar);
        }
    }
}
