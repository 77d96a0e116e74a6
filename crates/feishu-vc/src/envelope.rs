//! The vendor's envelope `{code, msg, data, error}`, read as far as paging needs and no further.
//!
//! The items of a page are counted and not looked at: an answer is kept as it came, and others give it a meaning.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Unread;

/// An envelope whose parts are not read yet.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    /// 0 is good.
    pub code: i64,
    /// The vendor's words, in no fixed language. Words that can't be read must not hide the code.
    #[serde(default, deserialize_with = "words")]
    pub msg: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Only in the answer to a token request, where it stands beside `code`.
    #[serde(default)]
    pub tenant_access_token: Option<String>,
    /// Life of the token in seconds; as above.
    #[serde(default)]
    pub expire: Option<i64>,
}

/// What paging needs to know of `data`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Paging {
    pub has_more: bool,
    pub page_token: Option<String>,
    pub item_count: usize,
}

/// What `error` tells: whom to ask and what is missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Particulars {
    pub log_id: Option<String>,
    pub scopes: Vec<String>,
    pub help_url: Option<String>,
}

fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

impl<'a> Envelope<'a> {
    /// Reads an envelope; JSON without a `code` is not one.
    pub(crate) fn read(body: &'a [u8]) -> Result<Envelope<'a>, Unread> {
        let envelope = serde_json::from_slice(body).map_err(Unread::of)?;
        // A derived reader also takes an array for the fields in their order, and `[0]` would be a good, empty answer.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Unread::of(serde::de::Error::custom("an array")));
        }
        Ok(envelope)
    }

    /// Reads the paging part of `data`. A list that is null or absent is an empty one.
    pub(crate) fn paging(&self, list_key: &str) -> Result<Paging, Unread> {
        match self.data {
            None => Ok(Paging::default()),
            Some(data) => PagingSeed { list_key }
                .deserialize(&mut serde_json::Deserializer::from_str(data.get()))
                .map_err(Unread::of),
        }
    }

    /// Reads `error`, which has had several shapes; what is not understood is left out.
    pub(crate) fn particulars(&self) -> Particulars {
        let error: Value = self.error.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).and_then(name);
        let mut scopes: Vec<String> = Vec::new();
        let violations = error.get("permission_violations").and_then(Value::as_array);
        for violation in violations.into_iter().flatten().take(MOST_SCOPES) {
            scopes.extend(text(violation, "subject").or_else(|| text(violation, "scope")));
        }
        if scopes.is_empty() {
            scopes = scopes_in(self.msg.as_deref().unwrap_or_default());
        }
        let mut once = Vec::with_capacity(scopes.len());
        for scope in scopes {
            if !once.contains(&scope) {
                once.push(scope);
            }
        }
        let helps = error.get("helps").and_then(Value::as_array).into_iter().flatten();
        let violations = error.get("permission_violations").and_then(Value::as_array).into_iter().flatten();
        let mut urls = helps.chain(violations).filter_map(|entry| text(entry, "url"));
        Particulars {
            log_id: text(&error, "log_id").or_else(|| text(&error, "logid")),
            scopes: once,
            help_url: urls.find(|url| url.starts_with("https://")),
        }
    }
}

/// So many scopes are told of.
const MOST_SCOPES: usize = 20;
/// A log id, a scope or an address that is longer is none.
const MOST_NAME_BYTES: usize = 300;

/// A name that the vendor gives something, such as a log id: one word without anything that a terminal would obey, or
/// `None`. It stands in headers of the raw log, in tables and in messages.
pub(super) fn name(text: &str) -> Option<String> {
    let is_name = !text.is_empty() && text.len() <= MOST_NAME_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_name.then(|| text.to_owned())
}

/// The scopes that the vendor's words list in brackets: `... is required: [vc:room:readonly, vc:export] ...`.
fn scopes_in(msg: &str) -> Vec<String> {
    let Some((_, rest)) = msg.split_once('[') else { return Vec::new() };
    let Some((list, _)) = rest.split_once(']') else { return Vec::new() };
    let is_scope = |word: &&str| {
        word.contains(':') && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":._-".contains(&byte))
    };
    list.split(',').map(str::trim).filter(is_scope).take(MOST_SCOPES).filter_map(name).collect()
}

/// A page token, which looks like a number and may be sent as one.
fn page_token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|token| !token.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What is read of an answer, for whoever holds it against something else.
#[derive(Debug)]
pub struct EnvelopeFacts {
    /// The vendor's code.
    pub code: i64,
    /// Whether there is more, the next page's token, and how many items there are; `None` where `data` is no page.
    pub paging: Option<(bool, Option<String>, usize)>,
    /// The scopes, the log id and the address of help.
    pub names: Vec<String>,
}

/// Reads an answer; `None` where it is no envelope.
pub fn read_envelope(body: &[u8], list_key: &str) -> Option<EnvelopeFacts> {
    let envelope = Envelope::read(body).ok()?;
    let paging = envelope.paging(list_key).ok();
    let Particulars { log_id, scopes, help_url } = envelope.particulars();
    Some(EnvelopeFacts {
        code: envelope.code,
        paging: paging.map(|paging| (paging.has_more, paging.page_token, paging.item_count)),
        names: scopes.into_iter().chain(log_id).chain(help_url).collect(),
    })
}

struct PagingSeed<'k> {
    list_key: &'k str,
}

impl<'de> DeserializeSeed<'de> for PagingSeed<'_> {
    type Value = Paging;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Paging, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PagingSeed<'_> {
    type Value = Paging;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a page with the list `{}`", self.list_key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Paging, A::Error> {
        let mut paging = Paging::default();
        let mut has_list = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == self.list_key {
                // Of two lists nobody can say which one counts, and every reader would take another.
                if std::mem::replace(&mut has_list, true) {
                    return Err(serde::de::Error::custom("the list stands twice"));
                }
                // A vector of nothing: it counts the items and allocates none.
                paging.item_count = map.next_value::<Option<Vec<IgnoredAny>>>()?.map_or(0, |items| items.len());
            } else if key == "has_more" {
                paging.has_more = map.next_value::<Option<bool>>()?.unwrap_or(false);
            } else if key == "page_token" {
                paging.page_token = page_token(&map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(paging)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paging(body: &str, list_key: &str) -> Result<Paging, Unread> {
        Envelope::read(body.as_bytes())?.paging(list_key)
    }

    #[test]
    fn page_with_more() {
        let body =
            r#"{"code":0,"msg":"success","data":{"participants":[{"a":[1]},{}],"has_more":true,"page_token":"20"}}"#;
        let expected = Paging { has_more: true, page_token: Some("20".into()), item_count: 2 };
        assert_eq!(paging(body, "participants").expect("a page"), expected);
    }

    #[test]
    fn list_that_is_null_or_absent_is_empty() {
        for body in [
            r#"{"code":0}"#,
            r#"{"code":0,"data":null}"#,
            r#"{"code":0,"data":{}}"#,
            r#"{"code":0,"data":{"participants":null,"has_more":null,"page_token":null}}"#,
            r#"{"code":0,"data":{"participants":[],"has_more":false,"page_token":""}}"#,
        ] {
            assert_eq!(paging(body, "participants").expect(body), Paging::default(), "{body}");
        }
    }

    #[test]
    fn only_the_endpoints_own_list_counts() {
        let body = r#"{"code":0,"data":{"items":[1,2,3],"meeting_list":[1]}}"#;
        assert_eq!(paging(body, "meeting_list").expect("a page").item_count, 1);
    }

    #[test]
    fn keys_with_escapes_are_the_same_keys() {
        let body = r#"{"code":0,"data":{"has\u005fmore":true,"p\u0061rticipants":[1]}}"#;
        let page = paging(body, "participants").expect("a page");
        assert!(page.has_more && page.item_count == 1);
    }

    #[test]
    fn words_that_cannot_be_read_hide_no_code() {
        for msg in [r#""\ud800""#, "7", "{}", "null"] {
            let body = format!("{{\"code\":99991672,\"msg\":{msg}}}");
            assert_eq!(Envelope::read(body.as_bytes()).expect(&body).code, 99_991_672);
        }
    }

    #[test]
    fn a_page_token_may_be_a_number() {
        let body = r#"{"code":0,"data":{"meeting_list":[1],"has_more":true,"page_token":20}}"#;
        assert_eq!(paging(body, "meeting_list").expect("a page").page_token.as_deref(), Some("20"));
    }

    #[test]
    fn a_list_that_stands_twice_is_an_error() {
        for twice in [r#""x":[1],"x":[2]"#, r#""x":null,"x":[1]"#, r#""x":[1],"\u0078":[1]"#] {
            assert!(paging(&format!(r#"{{"code":0,"data":{{{twice}}}}}"#), "x").is_err(), "{twice}");
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        let long = "x".repeat(MOST_NAME_BYTES + 1);
        for odd in ["", "a\u{1b}[2J", "a\nb", "\u{202e}", long.as_str()] {
            let body =
                serde_json::json!({"code": 1, "error": {"log_id": odd, "permission_violations": [{"subject": odd}]}});
            let body = body.to_string();
            assert_eq!(Envelope::read(body.as_bytes()).expect("one").particulars(), Particulars::default(), "{odd:?}");
        }
    }

    #[test]
    fn what_is_not_an_envelope_is_an_error() {
        for body in
            ["", "<html>", "[]", "[0]", "{}", r#"{"error":"not found"}"#, r#"{"code":0,"data":{"has_more":true"#]
        {
            assert!(Envelope::read(body.as_bytes()).is_err(), "{body}");
        }
        for body in [r#"{"code":0,"data":[]}"#, r#"{"code":0,"data":{"participants":{}}}"#] {
            assert!(paging(body, "participants").is_err(), "{body}");
        }
        assert!(Envelope::read(b"{\"code\":0,\"msg\":\"\xff\"}").is_err());
    }

    #[test]
    fn scopes_are_read_from_either_shape_once() {
        let body = r#"{"code":99991672,"msg":"m","error":{"log_id":"L1","permission_violations":[
            {"type":"action_scope_required","subject":"vc:room:readonly"},
            {"scope":"vc:rooms.room.detailinfo:read","url":"u"},{"subject":"vc:room:readonly"},{}]}}"#;
        let particulars = Envelope::read(body.as_bytes()).expect("an envelope").particulars();
        assert_eq!(particulars.scopes, ["vc:room:readonly", "vc:rooms.room.detailinfo:read"]);
        assert_eq!(particulars.log_id.as_deref(), Some("L1"));
    }

    #[test]
    fn scopes_are_read_from_the_vendors_words_where_it_names_them_nowhere_else() {
        let body = r#"{"code":99991672,"msg":"Access denied. One of the following scopes is required: [vc:room:readonly, vc:rooms.room.detailinfo:read].","error":{"logid":"L2"}}"#;
        let particulars = Envelope::read(body.as_bytes()).expect("an envelope").particulars();
        assert_eq!(particulars.scopes, ["vc:room:readonly", "vc:rooms.room.detailinfo:read"]);
        assert_eq!(particulars.log_id.as_deref(), Some("L2"));
        assert_eq!(scopes_in("no [list"), Vec::<String>::new());
    }

    #[test]
    fn names_that_a_terminal_would_obey_are_left_out() {
        let body = r#"{"code":99991672,"error":{"log_id":"\u001b[2J","permission_violations":[
            {"subject":"a\nb"},{"subject":"vc:room:readonly"},{"subject":"\u202ex"}]}}"#;
        let particulars = Envelope::read(body.as_bytes()).expect("an envelope").particulars();
        assert_eq!((particulars.log_id, particulars.scopes), (None, vec!["vc:room:readonly".to_owned()]));
    }

    #[test]
    fn a_help_page_is_kept_where_it_can_be_shown() {
        let help = |error: &str| {
            let body = format!(r#"{{"code":99991672,"error":{error}}}"#);
            Envelope::read(body.as_bytes()).expect("an envelope").particulars().help_url
        };
        let page = Some("https://open.feishu.cn/app/x?q=y".to_owned());
        assert_eq!(help(r#"{"helps":[{"url":"javascript:x"},{"url":"https://open.feishu.cn/app/x?q=y"}]}"#), page);
        assert_eq!(
            help(r#"{"permission_violations":[{"scope":"a:b","url":"https://open.feishu.cn/app/x?q=y"}]}"#),
            page
        );
        assert_eq!(help("{\"helps\":[{\"url\":\"https://x/\\u001b[2J\"}]}"), None);
    }

    #[test]
    fn reading_that_fails_says_where_and_repeats_nothing() {
        let error = Envelope::read(br#"{"code":"t-verysecret"}"#).err().expect("a code is a number");
        assert_eq!(error.to_string(), "unexpected data at line 1 column 22");
        assert!(!format!("{error:?}").contains("verysecret"));
        assert_eq!(Envelope::read(b"<html>").err().expect("no JSON").to_string(), "no JSON at line 1 column 1");
        assert_eq!(Envelope::read(b"{\"code\":").err().expect("cut").to_string(), "cut off at line 1 column 8");
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(envelope) = Envelope::read(&body) {
                envelope.particulars();
                let _ = envelope.paging("meeting_list");
            }
        }

        #[test]
        fn items_are_counted(count in 0usize..200) {
            let items = vec!["{\"network\":{\"time\":\"x\"}}"; count].join(",");
            let body = format!("{{\"code\":0,\"data\":{{\"participant_quality_list\":[{items}],\"has_more\":false}}}}");
            prop_assert_eq!(paging(&body, "participant_quality_list").expect("a page").item_count, count);
        }
    }
}
