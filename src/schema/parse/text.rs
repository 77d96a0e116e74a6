//! Text and identifiers, as sent.

use std::borrow::Cow;

use super::Reason;
use crate::schema::Raw;

/// Only absent, null, empty and blank text is missing: "None" is a valid topic.
pub fn text<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    match raw {
        Raw::Nested(_) => Err(Reason::Unparsable),
        other => {
            let text = other.text();
            Ok(if text.trim().is_empty() { None } else { Some(text) })
        }
    }
}

/// Like text, but `-` is missing too.
pub fn id<'a>(raw: &Raw<'a>) -> Result<Option<Cow<'a, str>>, Reason> {
    Ok(text(raw)?.filter(|id| id.trim() != "-"))
}
