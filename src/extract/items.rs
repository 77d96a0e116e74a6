//! What fetching needs from a page: its items, and whether they changed.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use feishu_vc::{Endpoint, read_list};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::ledger::{Change, KnownParticipant};
use crate::raw_log::{PageRecord, RawDate, RawError, RawKind, WalkRef};
use crate::schema::identity::{Item, ParticipantId, ParticipantIdentity, PeopleCounter, RowDigest, row_digest};
use crate::schema::{Raw, SECTIONS, TenantZone, parse};
use crate::text::{hex, readable};

/// The items of a page; none if the list is null, absent or not a list. Items that are valid JSON but cannot be
/// represented (half a surrogate pair, a number beyond a double, unlimited nesting) are replaced by the closest
/// readable value.
pub(crate) fn list_items(body: &[u8], list_key: &str) -> Vec<Value> {
    read_list(body, list_key).map(|list| parse_items(&body[list.range])).unwrap_or_default()
}

/// The items of all pages of a recorded walk.
pub(crate) fn walk_items(date: &RawDate, walk: &WalkRef, endpoint: Endpoint) -> Result<Vec<Value>, RawError> {
    let pages = date.pages(walk)?;
    Ok(pages.iter().flat_map(|page| list_items(page.response.get().as_bytes(), endpoint.list_key())).collect())
}

/// The items of a list, from its JSON text; none if that is not an array.
pub(super) fn parse_items(list_json: &[u8]) -> Vec<Value> {
    serde_json::from_slice(list_json)
        .or_else(|_| serde_json::from_str(&readable(&String::from_utf8_lossy(list_json))))
        .unwrap_or_default()
}

/// An item that is not an object has no members.
pub(super) fn as_item(value: &Value) -> &Item {
    static EMPTY: LazyLock<Item> = LazyLock::new(Item::new);
    value.as_object().unwrap_or(&EMPTY)
}

/// A participant of one list, and the different rows that share its key.
#[derive(Debug, Clone)]
pub(super) struct ListedParticipant {
    pub identity: ParticipantIdentity,
    pub rows: u64,
}

/// Collects the participants of one walk over a list, each key once.
#[derive(Debug, Default)]
pub(super) struct ParticipantCollector {
    participants: Vec<ListedParticipant>,
    /// By key.
    positions: HashMap<String, usize>,
    /// Of the rows without an ID: only theirs are counted.
    digests: HashSet<(usize, RowDigest)>,
}

impl ParticipantCollector {
    pub(super) fn add(&mut self, item: &Value, meeting_key: &str, zone: &TenantZone) {
        let identity = ParticipantIdentity::from_item(as_item(item), meeting_key, zone);
        let has_id = identity.id.is_some();
        let next = self.participants.len();
        let position = *self.positions.entry(identity.base_key.clone()).or_insert(next);
        let is_new_row = has_id || self.digests.insert((position, row_digest(item)));
        match self.participants.get_mut(position) {
            None => self.participants.push(ListedParticipant { identity, rows: 1 }),
            Some(known) if !has_id && is_new_row => known.rows += 1,
            Some(_) => {}
        }
    }

    pub(super) fn finish(self) -> Vec<ListedParticipant> {
        self.participants
    }
}

/// The people on a list and on the lists before it.
pub(super) fn count_people(known: &[KnownParticipant], listed: &[ListedParticipant]) -> PeopleCounter {
    let mut by_key: HashMap<&str, (Option<&ParticipantId>, u64)> = HashMap::new();
    let known = known.iter().map(|one| (one.base_key.as_str(), one.id.as_ref(), one.rows));
    let listed = listed.iter().map(|one| (one.identity.base_key.as_str(), one.identity.id.as_ref(), one.rows));
    for (base_key, id, rows) in known.chain(listed) {
        let entry = by_key.entry(base_key).or_insert((id, rows));
        entry.1 = entry.1.max(rows);
    }
    let mut people = PeopleCounter::default();
    by_key.into_values().for_each(|(id, rows)| people.add(id, rows));
    people
}

/// What the ledger learns from a list.
pub(super) fn participant_changes(
    meeting_key: &str,
    listed: impl IntoIterator<Item = ListedParticipant>,
) -> impl Iterator<Item = Change> {
    listed.into_iter().map(move |ListedParticipant { identity, rows }| Change::Participant {
        meeting_key: meeting_key.to_owned(),
        identity,
        rows,
    })
}

/// Adds the minutes of a quality page: the text of each item's first time. Items without a time add none.
pub(super) fn add_minutes(list_json: &[u8], minutes: &mut HashSet<String>) {
    for item in parse_items(list_json) {
        let times = SECTIONS.iter().map(|section| Raw::of(item.get(section).and_then(|section| section.get("time"))));
        let first = times.map(|time| (time, parse::time(&time))).find(|(_, clock)| matches!(clock, Ok(Some(_))));
        if let Some((time, _)) = first {
            minutes.insert(time.text().into_owned());
        }
    }
}

/// Begins the digest of a refusal.
pub(super) const REFUSED: &str = "code ";
const DIGEST_DIGITS: usize = 32;

/// A digest over the items of a walk: equal answers have equal digests.
#[derive(Default)]
pub(super) struct AnswerDigest(Sha256);

impl AnswerDigest {
    pub(super) fn add_page(&mut self, list_json: &[u8]) {
        self.0.update(list_json);
        self.0.update([0]);
    }

    /// Half the digest in hexadecimal: enough to distinguish two answers of one unit.
    pub(super) fn finish(self) -> String {
        hex(&self.0.finalize()[..16])
    }
}

/// The digest of an answer whose pages were rewritten: as if Feishu had sent them so. `before` is the digest that the
/// answer had.
pub(crate) fn recorded_digest(kind: RawKind, list_key: &str, pages: &[PageRecord], before: &str) -> String {
    const PAGE_TOKEN: &str = "page_token";
    if before.starts_with(REFUSED) {
        return before.to_owned();
    }
    // One for each walk; a walk begins without a page token.
    let mut digests: Vec<AnswerDigest> = Vec::new();
    for page in pages.iter().filter(|page| page.record == "page") {
        if digests.is_empty() || !page.request.contains_key(PAGE_TOKEN) {
            digests.push(AnswerDigest::default());
        }
        let body = page.response.as_ref().map(|body| body.get().as_bytes()).unwrap_or_default();
        if let (Some(digest), Ok(list)) = (digests.last_mut(), read_list(body, list_key)) {
            digest.add_page(&body[list.range]);
        }
    }
    if digests.is_empty() {
        return before.to_owned();
    }
    // Walks in another form before the last are not part of it.
    let is_daily = RawKind::DAILY.contains(&kind);
    let walks = if is_daily { digests.len() } else { before.len() / DIGEST_DIGITS };
    let skipped = digests.len().saturating_sub(walks);
    let digest: String = digests.into_iter().skip(skipped).map(AnswerDigest::finish).collect();
    match is_daily {
        true => day_digest(&digest),
        false => digest,
    }
}

/// The digest of a day whose lists have these digests.
pub(super) fn day_digest(digests: &str) -> String {
    let mut digest = AnswerDigest::default();
    digest.add_page(digests.as_bytes());
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_not_an_array_has_no_items() {
        for body in ["", "[]", "{}", r#"{"data":null}"#, r#"{"data":{"x":null}}"#, r#"{"data":{"x":{}}}"#] {
            assert!(list_items(body.as_bytes(), "x").is_empty(), "{body}");
        }
        assert_eq!(list_items(br#"{"code":0,"data":{"has_more":false,"x":[1,{"a":2}]}}"#, "x").len(), 2);
    }

    #[test]
    fn one_unreadable_item_does_not_lose_the_page() {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for odd in [r#"{"topic":"half \ud800"}"#, r#"{"n":1e400}"#, deep.as_str()] {
            let body = format!(r#"{{"code":0,"data":{{"x":[{{"a":1}},{odd},{{"a":2}}]}}}}"#);
            let items = list_items(body.as_bytes(), "x");
            assert_eq!((items.len(), &items[0]["a"], &items[2]["a"]), (3, &1.into(), &2.into()), "{odd:.40}");
        }
    }

    #[test]
    fn minutes_are_counted_once_and_only_with_a_time() {
        let item = |section: &str, time: &str| format!(r#"{{"{section}":{{"time":"{time}"}}}}"#);
        let items = [
            item("network", "2022.12.23 11:16:00"),
            item("network", "2022.12.23 11:16:00"),
            item("cpu_usage", "2022.12.23 11:17:00"),
            item("audio", "25:99"),
            "{}".to_owned(),
            "7".to_owned(),
        ];
        let mut minutes = HashSet::new();
        add_minutes(format!("[{}]", items.join(",")).as_bytes(), &mut minutes);
        assert_eq!(minutes.len(), 2);
    }

    #[test]
    fn the_digest_depends_on_the_items_only() {
        let digest = |bodies: &[&str]| {
            let mut digest = AnswerDigest::default();
            bodies.iter().for_each(|body| {
                digest.add_page(&body.as_bytes()[read_list(body.as_bytes(), "x").expect(body).range]);
            });
            digest.finish()
        };
        let one = digest(&[r#"{"code":0,"data":{"x":[1]},"log":"a"}"#]);
        assert_eq!(one, digest(&[r#"{"code":0,"data":{"x":[1]},"log":"b"}"#]));
        assert_ne!(one, digest(&[r#"{"code":0,"data":{"x":[2]}}"#]));
        assert_ne!(one, digest(&[r#"{"code":0,"data":{"x":[1]}}"#, r#"{"code":0,"data":{"x":[]}}"#]));
    }
}
