//! Values of the envelope in the forms in which gateways and older endpoints send them: numbers and flags as text.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

/// A whole number, or its text: gateways and older endpoints send `"0"`.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15)?;
            Some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    whole_number(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a whole number"))
}

pub(crate) fn lenient_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(whole_number(&Value::deserialize(deserializer)?))
}

/// A flag as JSON, text or number; null is false. `None` for anything else, which must not end a list early.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Null => Some(false),
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        other => match whole_number(other)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

/// A number that may be a text, in the envelope's own reader.
pub(crate) struct Number(pub i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        number(deserializer).map(Number)
    }
}

/// A page token: a string, or a number.
pub(crate) fn page_token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|token| !token.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::envelope::{Head, InvalidBody, read_list};

    fn paging(body: &str) -> Result<(bool, Option<String>, usize), InvalidBody> {
        read_list(body.as_bytes(), "x").map(|list| (list.has_more, list.page_token, list.items.len()))
    }

    #[test]
    fn numbers_and_flags_are_read_as_text_too() {
        for (more, expected) in [
            ("true", true),
            ("false", false),
            ("null", false),
            ("\"true\"", true),
            ("\"False\"", false),
            ("1", true),
            ("0", false),
            ("\"1\"", true),
            ("\"0\"", false),
        ] {
            for code in ["0", "\"0\"", "\" 0 \"", "0.0"] {
                let body = format!("{{\"code\":{code},\"data\":{{\"has_more\":{more},\"x\":[1],\"page_token\":7}}}}");
                assert_eq!(paging(&body).expect(&body), (expected, Some("7".into()), 1), "{body}");
            }
        }
        for more in ["\"yes\"", "\"\"", "2", "[]", "{}", "1.5"] {
            let body = format!("{{\"code\":0,\"data\":{{\"has_more\":{more}}}}}");
            assert!(paging(&body).is_err(), "{body}: perhaps there is more");
        }
        for code in ["\"\"", "\"ok\"", "0.5", "true", "null", "[0]", "1e400"] {
            let body = format!("{{\"code\":{code},\"data\":{{}}}}");
            assert!(Head::read(body.as_bytes()).is_err() && paging(&body).is_err(), "{body}");
        }
        for (text, number) in [("7200", Some(7_200)), ("\"7200\"", Some(7_200)), ("\"soon\"", None), ("null", None)] {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            assert_eq!(super::lenient_number(&mut deserializer).expect("lenient"), number, "{text}");
        }
    }
}
