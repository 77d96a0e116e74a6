//! One JSON value of a response, before it is converted.

use std::borrow::Cow;

use serde_json::Value;

/// A JSON value. Borrowed, because a page has thousands of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// The key is absent, or `null`.
    Absent,
    /// Unescaped.
    Text(&'a str),
    Integer(i64),
    /// An integer above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    /// An object or an array, which is never a valid value; `rejects` shows its JSON.
    Nested(&'a Value),
}

impl<'a> Raw<'a> {
    pub fn of(value: Option<&'a Value>) -> Raw<'a> {
        match value {
            None | Some(Value::Null) => Raw::Absent,
            Some(Value::String(text)) => Raw::Text(text),
            Some(Value::Bool(flag)) => Raw::Bool(*flag),
            Some(Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Raw::Integer(integer),
                (None, Some(unsigned)) => Raw::Unsigned(unsigned),
                (None, None) => Raw::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Some(nested) => Raw::Nested(nested),
        }
    }

    /// The text of this value in `rejects` and in text columns.
    pub fn text(&self) -> Cow<'a, str> {
        match *self {
            Raw::Absent => Cow::Borrowed(""),
            Raw::Text(text) => Cow::Borrowed(text),
            Raw::Integer(number) => Cow::Owned(number.to_string()),
            Raw::Unsigned(number) => Cow::Owned(number.to_string()),
            Raw::Float(number) => Cow::Owned(number.to_string()),
            Raw::Bool(flag) => Cow::Borrowed(if flag { "true" } else { "false" }),
            Raw::Nested(value) => Cow::Owned(value.to_string()),
        }
    }
}
