//! Replaces the identities in raw files: those of everybody, or those of single people.

use serde_json::{Map, Value};

use crate::extract::{endpoint_of, recorded_digest};
use crate::personal_data::{Identity, People, Pseudonyms, Whom};
use crate::raw_log::{DecodedCheckpoint, Header, PageRecord, RawKind, Rewrite};
use crate::schema::Personal;

const USER_ID: &str = "user_id";
/// In the reason of a failure, before the message of a response.
const MESSAGE: &str = "Feishu says: ";

pub(in crate::commands) struct Identities<'a> {
    pub pseudonyms: &'a Pseudonyms,
    /// `None` for everybody.
    pub people: Option<&'a People>,
}

impl Rewrite for Identities<'_> {
    fn reads(&self, header: &Header, _: i32) -> bool {
        // Samples name a person in their unit and in their request, and in fields that are not known.
        match self.people {
            Some(people) if header.kind == RawKind::Quality => people.has_key(&header.unit),
            _ => true,
        }
    }

    fn change(&self, checkpoint: &mut DecodedCheckpoint, _: i32) -> bool {
        let DecodedCheckpoint { header, pages } = checkpoint;
        let replaces_ids = self.pseudonyms.identity() != Identity::Full;
        let mut changed = false;
        let is_room = pages.iter().any(|page| page.request.contains_key("room_id"))
            || header.unit.split('/').nth(1).is_some_and(|id| id.starts_with("omm_"));
        // Samples name nobody, so a page of them belongs to a person as a whole, with fields that are not known.
        let is_of_person = |people: &People| header.kind == RawKind::Quality && people.has_key(&header.unit);
        let is_whole = self.people.is_none_or(is_of_person);
        for page in pages.iter_mut() {
            let body = self.body(page, is_whole);
            let request = if replaces_ids { self.request(&page.request) } else { None };
            changed |= body.is_some() || request.is_some();
            if let Some(body) = body {
                (page.response, page.response_text) = PageRecord::body(&body);
            }
            if let Some(request) = request {
                page.request = request;
            }
        }
        if replaces_ids && header.kind == RawKind::Quality && !is_room {
            let unit = match self.people {
                Some(people) if !people.has_key(&header.unit) => header.unit.clone(),
                _ => self.pseudonyms.participant_key(&header.unit),
            };
            changed |= unit != header.unit;
            header.unit = unit;
        }
        if let Some(end) = &mut header.end {
            let reason = if replaces_ids { self.reason(&end.reason) } else { end.reason.clone() };
            changed |= reason != end.reason;
            end.reason = reason;
            if changed && !end.digest.is_empty() {
                end.digest = recorded_digest(header.kind, endpoint_of(header.kind).list_key(), pages, &end.digest);
            }
        }
        changed
    }
}

impl Identities<'_> {
    /// The body of a page with other identities; `None` if it has none.
    fn body(&self, page: &PageRecord, is_whole: bool) -> Option<Vec<u8>> {
        let before = match (&page.response, &page.response_text) {
            (Some(response), _) => response.get().as_bytes(),
            (None, Some(text)) => text.as_bytes(),
            (None, None) => return None,
        };
        let rewritten = match self.people {
            Some(people) if !is_whole => {
                let is_one = |person: &crate::personal_data::Person<'_>| people.is_one(person);
                self.pseudonyms.rewrite_body(&page.endpoint, before, Whom::Those(&is_one))
            }
            _ => self.pseudonyms.rewrite_body(&page.endpoint, before, Whom::Everybody),
        };
        let Some(people) = self.people else { return (rewritten != before).then(|| rewritten.into_owned()) };
        let text = String::from_utf8_lossy(&rewritten);
        let named = people.in_texts(&text).unwrap_or_else(|| text.clone().into_owned());
        (named.as_bytes() != before).then(|| named.into_bytes())
    }

    fn request(&self, request: &Map<String, Value>) -> Option<Map<String, Value>> {
        let is_meant = match self.people {
            None => true,
            Some(people) => request.get(USER_ID).and_then(Value::as_str).is_some_and(|id| people.has(Personal::Id, id)),
        };
        let mut other = request.clone();
        if is_meant {
            self.pseudonyms.rewrite_request(&mut other);
        }
        (other != *request).then_some(other)
    }

    /// The reason of an end without what Feishu's message says.
    fn reason(&self, reason: &str) -> String {
        match (self.people, reason.split_once(MESSAGE)) {
            (Some(people), _) => people.in_texts(reason).unwrap_or_else(|| reason.to_owned()),
            (None, Some((before, message))) if !message.starts_with("withheld (") => {
                let closing = if message.ends_with(')') { ")" } else { "" };
                format!("{before}{MESSAGE}withheld (identity = {}){closing}", self.pseudonyms.identity().name())
            }
            (None, _) => reason.to_owned(),
        }
    }
}

/// An item of the meeting list with everybody's identities replaced.
pub(super) fn rewritten_item(pseudonyms: &Pseudonyms, mut item: Value) -> Value {
    pseudonyms.rewrite_item(endpoint_of(RawKind::Meetings).name(), &mut item, Whom::Everybody);
    item
}
