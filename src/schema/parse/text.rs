//! Text and identifiers, kept as sent.

use std::borrow::Cow;

use super::Reason;
use crate::schema::Raw;

/// Plain text: only absent, null, empty and blank are missing (a topic "None" is a topic).
///
/// # Errors
/// [`Reason::Unparsable`] for an object or an array.
pub fn text<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    match raw {
        Raw::Nested(_) => Err(Reason::Unparsable),
        other => {
            let text = other.text();
            Ok(if text.trim().is_empty() { None } else { Some(text) })
        }
    }
}

/// An identifier: like text, and `-` is missing too.
///
/// # Errors
/// [`Reason::Unparsable`] for an object or an array.
pub fn id<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    Ok(text(raw)?.filter(|id| id.trim() != "-"))
}
