//! The API's envelope `{code, msg, data, error}`, read in one pass.
//!
//! For the list under `data` it returns the byte range and the text of each item, unparsed: items are stored as
//! received, and other code interprets them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::error_detail::ErrorDetail;
use crate::lenient::{Number, flag, number, page_token};

/// Where parsing of a response ended. Unlike the parser's own error it repeats nothing of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub struct InvalidBody {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for InvalidBody {
    fn from(error: serde_json::Error) -> InvalidBody {
        let what = match error.classify() {
            Category::Eof => "truncated",
            Category::Syntax | Category::Io => "no JSON",
            Category::Data => "unexpected data",
        };
        InvalidBody { what, line: error.line(), column: error.column() }
    }
}

/// A response to a list request.
pub(crate) struct Envelope<'a> {
    pub head: Head<'a>,
    /// The list under `data`, or why there is none: a response with a `code` other than 0 need not have one.
    pub list: Result<List<'a>, InvalidBody>,
}

/// The members other than `data`.
#[derive(Default, Deserialize)]
pub(crate) struct Head<'a> {
    /// 0 on success.
    #[serde(deserialize_with = "number")]
    pub code: i64,
    /// In no fixed language. A text that cannot be read must not hide the code.
    #[serde(default, deserialize_with = "lenient_text")]
    pub msg: Option<String>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// The list `data.<list_key>` of a response, and how the walk over its pages continues.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct List<'a> {
    /// Byte range of the JSON array in the body, brackets included. `null` is its own text; an absent list is empty.
    pub range: Range<usize>,
    /// The JSON text of each item.
    pub items: Vec<&'a str>,
    /// Whether there are more pages.
    pub has_more: bool,
    /// Token of the next page, never empty.
    pub page_token: Option<String>,
}

/// Reads the list under `data` of a response body in one pass. A list that is null or absent is empty.
///
/// # Errors
/// If the body is not a JSON object whose `code` is a whole number, or `data.<list_key>` is not an array or occurs
/// twice.
pub fn read_list<'a>(body: &'a [u8], list_key: &str) -> Result<List<'a>, InvalidBody> {
    Envelope::read(body, list_key)?.list
}

fn lenient_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Option::<&RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(|raw| serde_json::from_str(raw.get()).ok()))
}

impl<'a> Envelope<'a> {
    /// Returns an error if the body is not a JSON object with a `code`.
    pub(crate) fn read(body: &'a [u8], list_key: &str) -> Result<Envelope<'a>, InvalidBody> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let read = EnvelopeSeed(list_key).deserialize(&mut deserializer);
        match read.and_then(|read| deserializer.end().map(|()| read)) {
            Ok((head, mut list)) => {
                list.range = match (list.items.first(), list.items.last()) {
                    (Some(first), Some(last)) => brackets_around(body, first, last),
                    _ => range_of_empty(body, list_key),
                };
                Ok(Envelope { head, list: Ok(list) })
            }
            // Perhaps only `data` has another shape; then the code still decides.
            Err(error) => Ok(Envelope { head: Head::read(body)?, list: Err(error.into()) }),
        }
    }
}

impl<'a> Head<'a> {
    /// Ignores `data`.
    pub(crate) fn read(body: &'a [u8]) -> Result<Head<'a>, InvalidBody> {
        let head = serde_json::from_slice(body)?;
        // A derived reader also accepts an array of the members in order, and `[0]` would be a success.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(serde_json::Error::custom("an array").into());
        }
        Ok(head)
    }

    /// Details from `error` and the message, in addition to the code.
    pub(crate) fn error_detail(&self) -> ErrorDetail {
        ErrorDetail::read(self.error, self.msg.as_deref().unwrap_or_default())
    }
}

/// What is read of a response, for the fuzz targets.
#[derive(Debug)]
pub struct EnvelopeFacts {
    /// The code.
    pub code: i64,
    /// Whether there are more pages, the next page token, and the number of items; `None` if `data` is not a page.
    pub paging: Option<(bool, Option<String>, usize)>,
    /// The scopes, the log ID and the URL of the help page.
    pub names: Vec<String>,
}

/// Reads a response, for the fuzz targets.
pub fn read_envelope(body: &[u8], list_key: &str) -> Option<EnvelopeFacts> {
    let Envelope { head, list } = Envelope::read(body, list_key).ok()?;
    let ErrorDetail { log_id, scopes, help_url } = head.error_detail();
    Some(EnvelopeFacts {
        code: head.code,
        paging: list.ok().map(|list| (list.has_more, list.page_token, list.items.len())),
        names: scopes.into_iter().chain(log_id).chain(help_url).collect(),
    })
}

/// Byte range of the array whose first and last items these are.
fn brackets_around(body: &[u8], first: &str, last: &str) -> Range<usize> {
    let offset = |item: &str| item.as_ptr() as usize - body.as_ptr() as usize;
    // Only white space is between a bracket and an item.
    let before = body[..offset(first)].iter().rposition(|byte| *byte == b'[');
    let end = offset(last) + last.len();
    let after = body[end..].iter().position(|byte| *byte == b']');
    before.unwrap_or_default()..after.map_or(end, |after| end + after + 1)
}

/// Byte range of a list without items. A second pass, over a body that is nearly empty.
fn range_of_empty(body: &[u8], list_key: &str) -> Range<usize> {
    #[derive(Deserialize)]
    struct Members<'a> {
        #[serde(borrow, default)]
        data: Option<HashMap<Cow<'a, str>, &'a RawValue>>,
    }
    let members: Option<Members<'_>> = serde_json::from_slice(body).ok();
    let mut keys = list_key.split('.');
    let first = keys.next().unwrap_or_default();
    let outer = members.and_then(|members| members.data?.get(first).copied());
    let list = keys.try_fold(outer, |object, key| {
        let members: Option<HashMap<Cow<'_, str>, &RawValue>> = serde_json::from_str(object?.get()).ok();
        Some(members.and_then(|members| members.get(key).copied()))
    });
    match list.flatten() {
        Some(list) => {
            let start = list.get().as_ptr() as usize - body.as_ptr() as usize;
            start..start + list.get().len()
        }
        None => 0..0,
    }
}

/// Sets a member that may occur only once: parsers disagree about which of two counts.
fn set_once<T, E: serde::de::Error>(slot: &mut Option<T>, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a member occurs twice")),
    }
}

struct EnvelopeSeed<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for EnvelopeSeed<'_> {
    type Value = (Head<'de>, List<'de>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed<'_> {
    type Value = (Head<'de>, List<'de>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut code, mut msg, mut error, mut list) = (None, None, None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "code" => set_once(&mut code, map.next_value()?)?,
                "msg" => set_once(&mut msg, map.next_value::<&RawValue>()?)?,
                "error" => set_once(&mut error, map.next_value::<Option<&RawValue>>()?)?,
                "data" => set_once(&mut list, map.next_value_seed(DataSeed(self.0))?)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let head = Head {
            code: code.map(|Number(code)| code).ok_or_else(|| A::Error::missing_field("code"))?,
            msg: msg.and_then(|msg| serde_json::from_str(msg.get()).ok()),
            error: error.flatten(),
        };
        Ok((head, list.unwrap_or_default()))
    }
}

struct DataSeed<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for DataSeed<'_> {
    type Value = List<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<List<'de>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for DataSeed<'_> {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the list `{}`", self.0)
    }

    fn visit_none<E>(self) -> Result<List<'de>, E> {
        Ok(List::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<List<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List<'de>, A::Error> {
        let mut list = List::default();
        let mut items = None;
        let (list_key, nested) = match self.0.split_once('.') {
            Some((outer, rest)) => (outer, Some(rest)),
            None => (self.0, None),
        };
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == list_key {
                let found = match nested {
                    Some(rest) => Some(map.next_value_seed(DataSeed(rest))?.items),
                    None => map
                        .next_value::<Option<Vec<&RawValue>>>()?
                        .map(|items| items.into_iter().map(RawValue::get).collect()),
                };
                set_once(&mut items, found)?;
            } else if key == "has_more" {
                let more = flag(&map.next_value()?);
                list.has_more = more.ok_or_else(|| A::Error::custom("has_more is not a boolean"))?;
            } else if key == "page_token" {
                list.page_token = page_token(&map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        list.items = items.flatten().unwrap_or_default();
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paging(body: &str, list_key: &str) -> Result<(bool, Option<String>, usize), InvalidBody> {
        let list = read_list(body.as_bytes(), list_key)?;
        Ok((list.has_more, list.page_token, list.items.len()))
    }

    fn list_text<'a>(body: &'a str, list_key: &str) -> &'a str {
        &body[read_list(body.as_bytes(), list_key).expect(body).range]
    }

    #[test]
    fn range_is_that_of_the_list() {
        for (list, items) in [
            ("[]", 0),
            ("[ ]", 0),
            ("null", 0),
            ("[1]", 1),
            ("[ \n 1 , {\"a\":[\"]\"]} \t]", 2),
            ("[\"[\",\"]\"]", 2),
            ("[[],[]]", 2),
        ] {
            for body in [
                format!("{{\"code\":0,\"data\":{{\"has_more\":true,\"x\":{list}}}}}"),
                format!(" {{\"data\" : {{\"\\u0078\" : {list} , \"y\":[3]}},\"code\":0}}"),
            ] {
                assert_eq!(list_text(&body, "x"), list, "{body}");
                assert_eq!(read_list(body.as_bytes(), "x").expect(&body).items.len(), items, "{body}");
            }
        }
        assert_eq!(list_text(r#"{"code":0,"data":{"y":[1]}}"#, "x"), "");
        assert_eq!(list_text(r#"{"code":0,"data":null}"#, "x"), "");
    }

    #[test]
    fn a_list_in_a_nested_object_is_found() {
        const KEY: &str = "report.daily";
        for (list, items) in [("[]", 0), ("null", 0), ("[ {\"a\":[]} , 2]", 2)] {
            let body = format!(r#"{{"code":0,"data":{{"report":{{"total":"7","daily":{list}}},"daily":[1]}}}}"#);
            assert_eq!((list_text(&body, KEY), paging(&body, KEY)), (list, Ok((false, None, items))), "{body}");
        }
        for data in ["{}", "null", r#"{"report":null}"#, r#"{"report":{}}"#, r#"{"daily":[1]}"#] {
            let body = format!(r#"{{"code":0,"data":{data}}}"#);
            assert_eq!((list_text(&body, KEY), paging(&body, KEY)), ("", Ok((false, None, 0))), "{body}");
        }
        for data in [r#"{"report":7}"#, r#"{"report":{"daily":7}}"#, r#"{"report":{},"report":{}}"#] {
            assert!(paging(&format!(r#"{{"code":0,"data":{data}}}"#), KEY).is_err(), "{data}");
        }
    }

    #[test]
    fn data_of_another_shape_hides_no_code() {
        for data in ["[]", "7", "\"\"", "{\"x\":7}"] {
            let body = format!("{{\"code\":126009,\"data\":{data}}}");
            let envelope = Envelope::read(body.as_bytes(), "x").expect(&body);
            assert_eq!(envelope.head.code, 126_009);
            assert!(envelope.list.is_err(), "{body}");
        }
    }

    #[test]
    fn page_with_more() {
        let body =
            r#"{"code":0,"msg":"success","data":{"participants":[{"a":[1]},{}],"has_more":true,"page_token":"20"}}"#;
        let expected = (true, Some("20".into()), 2);
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
            assert_eq!(paging(body, "participants").expect(body), (false, None, 0), "{body}");
        }
    }

    #[test]
    fn only_the_endpoints_own_list_counts() {
        let body = r#"{"code":0,"data":{"items":[1,2,3],"meeting_list":[1]}}"#;
        assert_eq!(paging(body, "meeting_list").expect("a page").2, 1);
    }

    #[test]
    fn keys_with_escapes_are_the_same_keys() {
        let body = r#"{"code":0,"data":{"has\u005fmore":true,"p\u0061rticipants":[1]}}"#;
        let page = paging(body, "participants").expect("a page");
        assert!(page.0 && page.2 == 1);
    }

    #[test]
    fn an_unreadable_message_hides_no_code() {
        for msg in [r#""\ud800""#, "7", "{}", "null"] {
            let body = format!("{{\"code\":99991672,\"msg\":{msg}}}");
            assert_eq!(Head::read(body.as_bytes()).expect(&body).code, 99_991_672);
        }
    }

    #[test]
    fn a_page_token_may_be_a_number() {
        let body = r#"{"code":0,"data":{"meeting_list":[1],"has_more":true,"page_token":20}}"#;
        assert_eq!(paging(body, "meeting_list").expect("a page").1.as_deref(), Some("20"));
    }

    #[test]
    fn a_list_that_occurs_twice_is_an_error() {
        for twice in [r#""x":[1],"x":[2]"#, r#""x":null,"x":[1]"#, r#""x":[1],"\u0078":[1]"#] {
            assert!(paging(&format!(r#"{{"code":0,"data":{{{twice}}}}}"#), "x").is_err(), "{twice}");
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        for body in
            ["", "<html>", "[]", "[0]", "{}", r#"{"error":"not found"}"#, r#"{"code":0,"data":{"has_more":true"#]
        {
            assert!(Head::read(body.as_bytes()).is_err(), "{body}");
        }
        for body in [r#"{"code":0,"data":[]}"#, r#"{"code":0,"data":{"participants":{}}}"#] {
            assert!(paging(body, "participants").is_err(), "{body}");
        }
        assert!(Head::read(b"{\"code\":0,\"msg\":\"\xff\"}").is_err());
    }

    #[test]
    fn errors_name_the_position_and_repeat_nothing() {
        let error = Head::read(br#"{"code":"t-verysecret"}"#).err().expect("a code is a number");
        assert_eq!(error.to_string(), "unexpected data at line 1 column 23");
        assert!(!format!("{error:?}").contains("verysecret"));
        assert_eq!(Head::read(b"<html>").err().expect("no JSON").to_string(), "no JSON at line 1 column 1");
        assert_eq!(Head::read(b"{\"code\":").err().expect("cut").to_string(), "truncated at line 1 column 8");
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(envelope) = Envelope::read(&body, "meeting_list") {
                envelope.head.error_detail();
            }
        }

        #[test]
        fn items_are_counted(count in 0usize..200) {
            let items = vec!["{\"network\":{\"time\":\"x\"}}"; count].join(",");
            let body = format!("{{\"code\":0,\"data\":{{\"participant_quality_list\":[{items}],\"has_more\":false}}}}");
            prop_assert_eq!(paging(&body, "participant_quality_list").expect("a page").2, count);
        }
    }
}
