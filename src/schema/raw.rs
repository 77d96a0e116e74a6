//! One leaf of an answer, as JSON gave it.

use std::borrow::Cow;

use serde_json::Value;

/// A JSON leaf before it is typed. Borrowing, because a page holds thousands of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    /// The key is absent, or `null`.
    Absent,
    /// A JSON string, unescaped.
    Text(&'a str),
    /// A whole JSON number.
    Integer(i64),
    /// A JSON number above `i64`.
    Unsigned(u64),
    /// Any other JSON number.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// An object or an array where a leaf should be. Never a value; its JSON is what `rejects` will show.
    Nested(&'a Value),
}

impl<'a> Raw<'a> {
    /// The leaf behind a parsed JSON value.
    pub fn of(value: Option<&'a Value>) -> Raw<'a> {
        match value {
            None | Some(Value::Null) => Raw::Absent,
            Some(Value::String(text)) => Raw::Text(text),
            Some(Value::Bool(flag)) => Raw::Bool(*flag),
            Some(Value::Number(number)) => {
                if let Some(integer) = number.as_i64() {
                    Raw::Integer(integer)
                } else if let Some(unsigned) = number.as_u64() {
                    Raw::Unsigned(unsigned)
                } else {
                    Raw::Float(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Some(nested) => Raw::Nested(nested),
        }
    }

    /// The text that stands for this leaf in `rejects` and in text columns.
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
