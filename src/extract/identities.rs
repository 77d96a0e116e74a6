//! The filter between Feishu and everything that is written: responses come in with tokens in place of identities, and
//! requests go out with the identities.
//!
//! The IDs of this process's participant lists are kept in memory only. Everything else in `extract` sees tokens.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::items::list_items;
use crate::personal_data::{Identity, Learned, Person, Pseudonyms, Whom};
use crate::schema::identity::ParticipantId;
use crate::schema::{Personal, Raw, TenantZone, parse};
use feishu_vc::{Endpoint, ExchangeFilter};

/// The endpoint of the token request, which has no list.
const TOKEN_ENDPOINT: &str = "tenant_access_token";
const USER_ID: &str = "user_id";
const PAGE_TOKEN: &str = "page_token";

/// Whose identities are replaced while those of all others are written.
#[derive(Debug, Clone)]
pub(crate) struct Partly {
    /// Those of meetings on these dates, days since 1970-01-01: the dates whose stored identities are replaced already.
    /// So a date is never published with both kinds.
    pub dates: BTreeSet<i32>,
    pub zone: TenantZone,
    /// Pseudonyms of people who are forgotten.
    pub forgotten: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Identities {
    pseudonyms: Arc<Pseudonyms>,
    /// `None` if everything is replaced.
    partly: Option<Partly>,
    known: Mutex<Known>,
}

/// What tokens of this process stand for.
#[derive(Default)]
struct Known {
    users: HashMap<String, String>,
    page_tokens: HashMap<String, String>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({} users)", self.users.len())
    }
}

impl Identities {
    pub(crate) fn new(pseudonyms: Arc<Pseudonyms>) -> Identities {
        Identities { pseudonyms, partly: None, known: Mutex::default() }
    }

    /// Replaces only some. `pseudonyms` are those that replace everything.
    pub(crate) fn partly(pseudonyms: Arc<Pseudonyms>, partly: Partly) -> Identities {
        Identities { pseudonyms, partly: Some(partly), known: Mutex::default() }
    }

    /// Rewrites a body for everybody, or only for some.
    fn rewrite<'b>(
        &self,
        endpoint: Option<Endpoint>,
        query: &[(&str, String)],
        body: &'b [u8],
        learn: &mut dyn FnMut(Learned<'_>),
    ) -> Cow<'b, [u8]> {
        let name = endpoint.map_or(TOKEN_ENDPOINT, Endpoint::name);
        let Some(partly) = &self.partly else {
            return self.pseudonyms.rewrite_learning(name, body, Whom::Everybody, learn);
        };
        let is_old = |items: &[Value]| items.iter().any(|item| partly.is_old(item));
        match endpoint {
            // All of its items are of one meeting.
            Some(Endpoint::ParticipantList)
                if !partly.dates.is_empty() && is_old(&list_items(body, Endpoint::ParticipantList.list_key())) =>
            {
                self.pseudonyms.rewrite_learning(name, body, Whom::Everybody, learn)
            }
            Some(Endpoint::MeetingList)
                if !partly.dates.is_empty() && is_old(&list_items(body, Endpoint::MeetingList.list_key())) =>
            {
                let rewritten = self.with_old_items(name, body).unwrap_or_else(|| body.to_vec());
                Cow::Owned(self.for_forgotten(name, &rewritten, partly, learn).into_owned())
            }
            // Its items name nobody: they are all of the participant who was requested.
            Some(Endpoint::ParticipantQualityList) if self.is_about_forgotten(query, partly) => {
                self.pseudonyms.rewrite_learning(name, body, Whom::Everybody, learn)
            }
            _ => self.for_forgotten(name, body, partly, learn),
        }
    }

    fn for_forgotten<'b>(
        &self,
        name: &str,
        body: &'b [u8],
        partly: &Partly,
        learn: &mut dyn FnMut(Learned<'_>),
    ) -> Cow<'b, [u8]> {
        if partly.forgotten.is_empty() {
            return Cow::Borrowed(body);
        }
        let is_one = |person: &Person<'_>| self.is_forgotten(person, partly);
        self.pseudonyms.rewrite_learning(name, body, Whom::Those(&is_one), learn)
    }

    fn is_about_forgotten(&self, query: &[(&str, String)], partly: &Partly) -> bool {
        let is_one = |id: &str| partly.forgotten.contains(self.pseudonyms.token(Personal::Id, id).as_ref());
        query.iter().any(|(name, id)| *name == USER_ID && is_one(id))
    }

    fn is_forgotten(&self, person: &Person<'_>, partly: &Partly) -> bool {
        let has = |class: Personal, text: &str| partly.forgotten.contains(self.pseudonyms.token(class, text).as_ref());
        person.ids.iter().any(|id| has(Personal::Id, id))
            || person.emails.iter().any(|email| has(Personal::Email, email))
    }

    /// A page of the meeting list with its old items rewritten.
    fn with_old_items(&self, name: &str, body: &[u8]) -> Option<Vec<u8>> {
        let partly = self.partly.as_ref()?;
        let mut root: Value = serde_json::from_slice(body).ok()?;
        let items = root.get_mut("data")?.get_mut(Endpoint::MeetingList.list_key())?.as_array_mut()?;
        for item in items.iter_mut().filter(|item| partly.is_old(item)) {
            self.pseudonyms.rewrite_item(name, item, Whom::Everybody);
        }
        serde_json::to_vec(&root).ok()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the quality of a participant can be requested: it needs the ID that Feishu sent.
    pub(super) fn can_request(&self, id: &ParticipantId) -> bool {
        match id {
            ParticipantId::Room(_) => true,
            ParticipantId::User(_) if self.pseudonyms.identity() == Identity::Full => true,
            // A token of itself is a token; all else is an ID.
            ParticipantId::User(id)
                if self.partly.is_some() && self.pseudonyms.token(Personal::Id, id) != id.as_str() =>
            {
                true
            }
            ParticipantId::User(token) => self.known().users.contains_key(token),
        }
    }

    /// An event as it is written.
    pub(super) fn rewrite_event(&self, event: &mut serde_json::Value) {
        let Some(partly) = &self.partly else {
            return self.pseudonyms.rewrite_item(super::events::ENDPOINT, event, Whom::Everybody);
        };
        let is_one = |person: &Person<'_>| self.is_forgotten(person, partly);
        self.pseudonyms.rewrite_item(super::events::ENDPOINT, event, Whom::Those(&is_one));
    }
}

impl Partly {
    /// Whether an item of a meeting list or of a participant list is of an old date.
    fn is_old(&self, item: &Value) -> bool {
        let Some(item) = item.as_object() else { return false };
        let time = ["meeting_start_time", "join_time"].iter().find_map(|field| item.get(*field));
        let time = parse::time(&Raw::of(time)).ok().flatten();
        time.is_some_and(|time| self.dates.contains(&self.zone.resolve(time).local_day()))
    }
}

impl ExchangeFilter for Identities {
    fn received(&self, endpoint: Option<Endpoint>, query: &[(&str, String)], body: Vec<u8>) -> Vec<u8> {
        let mut learned = Known::default();
        let mut learn = |one: Learned<'_>| match one {
            Learned::Participant { token, id } => drop(learned.users.insert(token.to_owned(), id.to_owned())),
            Learned::PageToken { token, page_token } => {
                drop(learned.page_tokens.insert(token.to_owned(), page_token.to_owned()));
            }
        };
        let rewritten = match self.rewrite(endpoint, query, &body, &mut learn) {
            Cow::Owned(rewritten) => Some(rewritten),
            Cow::Borrowed(_) => None,
        };
        let mut known = self.known();
        known.users.extend(learned.users);
        known.page_tokens.extend(learned.page_tokens);
        drop(known);
        rewritten.unwrap_or(body)
    }

    fn sent<'q>(&self, query: &'q [(&'q str, String)]) -> Cow<'q, [(&'q str, String)]> {
        if !query.iter().any(|(name, _)| matches!(*name, USER_ID | PAGE_TOKEN)) {
            return Cow::Borrowed(query);
        }
        let known = self.known();
        let original = |(name, value): &(&'q str, String)| {
            let found = match *name {
                USER_ID => known.users.get(value),
                PAGE_TOKEN => known.page_tokens.get(value),
                _ => None,
            };
            (*name, found.unwrap_or(value).clone())
        };
        Cow::Owned(query.iter().map(original).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal_data::{Key, Networks, Topics};

    fn identities(identity: Identity) -> Identities {
        let pseudonyms = Pseudonyms::new(Key::new(&[5; 32]), identity, Topics::Keep, Networks::default());
        Identities::new(Arc::new(pseudonyms))
    }

    const LIST: &[u8] = br#"{"code":0,"data":{"participants":[{"user_id":"ou_1"}],"page_token":"20","has_more":true}}"#;

    #[test]
    fn what_was_replaced_is_sent_back_as_it_was() {
        let identities = identities(Identity::Pseudonym);
        let token = identities.pseudonyms.token(crate::schema::Personal::Id, "ou_1").into_owned();
        assert!(!identities.can_request(&ParticipantId::User(token.clone())));
        let body = identities.received(Some(Endpoint::ParticipantList), &[], LIST.to_vec());
        assert!(identities.can_request(&ParticipantId::User(token.clone())));
        assert!(identities.can_request(&ParticipantId::Room("omm_1".to_owned())));
        let page: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let page_token = page["data"]["page_token"].as_str().expect("a text").to_owned();
        let query = [("meeting_no", "705605196".to_owned()), ("user_id", token), ("page_token", page_token)];
        let sent: Vec<String> = identities.sent(&query).iter().map(|(_, value)| value.clone()).collect();
        assert_eq!(sent, ["705605196", "ou_1", "20"]);
        assert!(!format!("{identities:?}").contains("ou_1"));
    }

    #[test]
    fn with_full_identities_everything_can_be_requested_and_stays() {
        let identities = identities(Identity::Full);
        assert_eq!(identities.received(Some(Endpoint::ParticipantList), &[], LIST.to_vec()), LIST);
        assert!(identities.can_request(&ParticipantId::User("ou_1".to_owned())));
    }

    #[test]
    fn the_token_of_a_token_response_stays() {
        let body = br#"{"code":0,"msg":"ok","tenant_access_token":"t-1","expire":7200}"#;
        assert_eq!(identities(Identity::None).received(None, &[], body.to_vec()), body);
    }

    #[test]
    fn every_endpoint_has_its_list_where_the_client_reads_it() {
        for endpoint in Endpoint::ALL {
            let keys: Vec<&str> = endpoint.list_key().split('.').collect();
            let list = serde_json::json!([{"new_field": "Alice"}]);
            let data = keys.iter().rev().fold(list, |inner, key| serde_json::json!({ *key: inner }));
            let body = serde_json::json!({"code": 0, "data": data}).to_string();
            let rewritten = identities(Identity::Pseudonym).received(Some(endpoint), &[], body.into_bytes());
            let items = crate::extract::list_items(&rewritten, endpoint.list_key());
            assert!(items[0]["new_field"].as_str().is_some_and(|text| text.starts_with("x-")), "{endpoint}: {items:?}");
        }
    }

    #[test]
    fn samples_of_a_forgotten_person_are_rewritten_as_a_whole() {
        let pseudonyms =
            Arc::new(Pseudonyms::new(Key::new(&[5; 32]), Identity::Pseudonym, Topics::Keep, Networks::default()));
        let token = pseudonyms.token(Personal::Id, "ou_1").into_owned();
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let partly = Partly { dates: BTreeSet::new(), zone, forgotten: BTreeSet::from([token.clone()]) };
        let identities = Identities::partly(pseudonyms, partly);
        let body = br#"{"code":0,"data":{"participant_quality_list":[{"nickname":"Alice"}],"has_more":false}}"#;
        let received = |id: &str| {
            let query = [(USER_ID, id.to_owned())];
            let body = identities.received(Some(Endpoint::ParticipantQualityList), &query, body.to_vec());
            String::from_utf8(body).expect("text")
        };
        assert!(received("ou_2").contains("Alice"));
        for id in ["ou_1", token.as_str()] {
            assert!(!received(id).contains("Alice"), "{id}");
        }
    }
}
