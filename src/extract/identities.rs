//! The filter between Feishu and everything that is written: responses come in with tokens in place of identities, and
//! requests go out with the identities.
//!
//! The IDs of this process's participant lists are kept in memory only. Everything else in `extract` sees tokens.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::items::list_items;
use crate::personal_data::{Identity, Learned, People, Person, Pseudonyms, Whom};
use crate::schema::identity::ParticipantId;
use crate::schema::{Personal, Raw, TenantZone, civil_date, parse};
use feishu_vc::{Endpoint, ExchangeFilter};

/// The endpoint of the token request, which has no list.
const TOKEN_ENDPOINT: &str = "tenant_access_token";
const USER_ID: &str = "user_id";
const PAGE_TOKEN: &str = "page_token";
const MEETING_START: &str = "meeting_start_time";
/// What the date of an item is taken from.
const OLD_BY: &[&str] = &["meeting_start_time", "join_time", "event_start_time", "alert_time", "alertTime", "date"];

/// Whose identities are replaced while those of all others are written.
#[derive(Debug, Clone)]
pub(crate) struct Partly {
    /// Those of meetings on these dates, days since 1970-01-01: the dates whose stored identities are replaced already.
    /// So a date is never published with both kinds.
    pub dates: BTreeSet<i32>,
    pub zone: TenantZone,
    /// People who are forgotten.
    pub people: People,
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
        let is_old = |endpoint: Endpoint| {
            !partly.dates.is_empty() && list_items(body, endpoint.list_key()).iter().any(|item| partly.is_old(item))
        };
        match endpoint {
            // All of its items are of one meeting.
            Some(endpoint @ Endpoint::ParticipantList) if partly.is_old_request(query) || is_old(endpoint) => {
                self.pseudonyms.rewrite_learning(name, body, Whom::Everybody, learn)
            }
            // Its items name nobody: they are all of the participant who was requested.
            Some(Endpoint::ParticipantQualityList) => {
                match partly.is_old_request(query) || partly.is_about_forgotten(query) {
                    true => self.pseudonyms.rewrite_learning(name, body, Whom::Everybody, learn),
                    false => Cow::Borrowed(body),
                }
            }
            Some(endpoint) if is_old(endpoint) => {
                let rewritten = self.with_old_items(endpoint, body, partly).unwrap_or_else(|| body.to_vec());
                Cow::Owned(self.for_forgotten(name, &rewritten, partly, learn).into_owned())
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
        if partly.people.is_empty() {
            return Cow::Borrowed(body);
        }
        let is_one = |person: &Person<'_>| partly.people.is_one(person);
        let rewritten = self.pseudonyms.rewrite_learning(name, body, Whom::Those(&is_one), learn);
        match std::str::from_utf8(&rewritten).ok().and_then(|text| partly.people.in_topics(text)) {
            Some(without_names) => Cow::Owned(without_names.into_bytes()),
            None => rewritten,
        }
    }

    /// A page of a list with its old items rewritten.
    fn with_old_items(&self, endpoint: Endpoint, body: &[u8], partly: &Partly) -> Option<Vec<u8>> {
        let mut root: Value = serde_json::from_slice(body).ok()?;
        let path = endpoint.list_key().split('.');
        let list = path.fold(root.get_mut("data"), |value, key| value.and_then(|value| value.get_mut(key)));
        for item in list?.as_array_mut()?.iter_mut().filter(|item| partly.is_old(item)) {
            self.pseudonyms.rewrite_item(endpoint.name(), item, Whom::Everybody);
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

    /// An event of a meeting on this date, as it is written.
    pub(super) fn rewrite_event(&self, event: &mut Value, meeting_date: i32) {
        match &self.partly {
            Some(partly) if !partly.dates.contains(&meeting_date) => {
                let is_one = |person: &Person<'_>| partly.people.is_one(person);
                self.pseudonyms.rewrite_item(super::events::ENDPOINT, event, Whom::Those(&is_one));
                partly.people.replace_in_topics(event);
            }
            _ => self.pseudonyms.rewrite_item(super::events::ENDPOINT, event, Whom::Everybody),
        }
    }
}

impl Partly {
    /// Whether a request is about a meeting on an old date. A page may have only those who joined after midnight.
    fn is_old_request(&self, query: &[(&str, String)]) -> bool {
        let start_s = query.iter().find(|(name, _)| *name == MEETING_START).and_then(|(_, start)| start.parse().ok());
        let day = start_s.map(|start_s: i64| self.zone.day_of(start_s.saturating_mul(1_000_000)));
        day.is_some_and(|day| self.dates.contains(&day))
    }

    fn is_about_forgotten(&self, query: &[(&str, String)]) -> bool {
        query.iter().any(|(name, id)| *name == USER_ID && self.people.has(Personal::Id, id))
    }

    /// Whether an item of a list is of an old date.
    fn is_old(&self, item: &Value) -> bool {
        let Some(item) = item.as_object() else { return false };
        let value = OLD_BY.iter().find_map(|field| item.get(*field));
        let value = Raw::of(value);
        let day = civil_date(value.text().trim());
        let day = day.or_else(|| Some(self.zone.resolve(parse::time(&value).ok().flatten()?).local_day()));
        day.is_some_and(|day| self.dates.contains(&day))
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

    /// No date is old, and people with these IDs, all of the name Li Na, are forgotten.
    fn of_forgotten(pseudonyms: &Arc<Pseudonyms>, ids: &[&str]) -> Partly {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let names = BTreeSet::from(["Li Na".to_owned()]);
        let people = People::of_values(&ids, &BTreeSet::new(), &names, Arc::clone(pseudonyms));
        Partly { dates: BTreeSet::new(), zone: TenantZone::parse("+08:00").expect("a zone"), people }
    }

    #[test]
    fn the_name_of_a_forgotten_person_does_not_come_back_in_a_topic() {
        let pseudonyms = full_pseudonyms();
        let identities = Identities::partly(Arc::clone(&pseudonyms), of_forgotten(&pseudonyms, &["ou_1"]));
        let body = br#"{"code":0,"data":{"meeting_list":[{"meeting_topic":"Li Na's meeting","organizer":"Ann"}]}}"#;
        let body =
            String::from_utf8(identities.received(Some(Endpoint::MeetingList), &[], body.to_vec())).expect("text");
        assert!(!body.contains("Li Na") && body.contains("Ann"), "{body}");
        let mut event = serde_json::json!({"topic": "Li Na's meeting", "meeting_no": "1"});
        identities.rewrite_event(&mut event, 20_000);
        assert!(!event.to_string().contains("Li Na"), "{event}");
    }

    #[test]
    fn whatever_is_received_of_an_old_date_is_rewritten() {
        let pseudonyms = full_pseudonyms();
        let dates = BTreeSet::from([civil_date("2026-10-01").expect("a date")]);
        let partly = Partly { dates, ..of_forgotten(&pseudonyms, &[]) };
        let identities = Identities::partly(Arc::clone(&pseudonyms), partly);
        let received = |endpoint: Endpoint, item: &str| {
            let keys: Vec<&str> = endpoint.list_key().split('.').collect();
            let list: Value = serde_json::from_str(&format!("[{item}]")).expect("JSON");
            let data = keys.iter().rev().fold(list, |inner, key| serde_json::json!({ *key: inner }));
            let body = serde_json::json!({"code": 0, "data": data}).to_string();
            String::from_utf8(identities.received(Some(endpoint), &[], body.into_bytes())).expect("text")
        };
        for (endpoint, item) in [
            (Endpoint::MeetingList, r#"{"meeting_start_time":"2026.10.01 09:00:00 (GMT+08:00)","organizer":"Ann"}"#),
            (Endpoint::ParticipantList, r#"{"join_time":"2026.10.01 09:00:00 (GMT+08:00)","participant_name":"Ann"}"#),
            (Endpoint::ReservationList, r#"{"event_start_time":"2026.10.01 09:00:00 (GMT+08:00)","reserver":"Ann"}"#),
            (Endpoint::Alerts, r#"{"alert_time":"1790816400","contacts":[{"contact_name":"Ann"}]}"#),
            (Endpoint::UserStats, r#"{"date":"2026-10-01","user_name":"Ann"}"#),
        ] {
            assert!(!received(endpoint, item).contains("Ann"), "{endpoint}");
            let later = item.replace("10.01", "10.02").replace("10-01", "10-02").replace("1790816400", "1790902800");
            assert!(received(endpoint, &later).contains("Ann"), "{endpoint}, a day later");
        }
        // Of a meeting that began then, whatever its items say.
        for (start, is_old) in [("1790816400", true), ("1790902800", false)] {
            for (endpoint, item) in [
                (
                    Endpoint::ParticipantList,
                    r#"{"participant_name":"Ann","join_time":"2026.10.02 00:10:00 (GMT+08:00)"}"#,
                ),
                (Endpoint::ParticipantQualityList, r#"{"nickname":"Ann"}"#),
            ] {
                let body = format!(r#"{{"code":0,"data":{{"{}":[{item}]}}}}"#, endpoint.list_key());
                let body = identities.received(Some(endpoint), &[(MEETING_START, start.to_owned())], body.into_bytes());
                assert_eq!(String::from_utf8_lossy(&body).contains("Ann"), !is_old, "{endpoint} {start}");
            }
        }
        for (date, is_replaced) in [("2026-10-01", true), ("2026-10-02", false)] {
            let mut event = serde_json::json!({"meeting_no": "1", "owner": {"id": {"open_id": "ou_3"}}});
            identities.rewrite_event(&mut event, civil_date(date).expect("a date"));
            assert_eq!(event.to_string().contains("ou_3"), !is_replaced, "{date}");
        }
    }

    fn full_pseudonyms() -> Arc<Pseudonyms> {
        Arc::new(Pseudonyms::new(Key::new(&[5; 32]), Identity::Pseudonym, Topics::Keep, Networks::default()))
    }

    #[test]
    fn samples_of_a_forgotten_person_are_rewritten_as_a_whole() {
        let pseudonyms = full_pseudonyms();
        let token = pseudonyms.token(Personal::Id, "ou_1").into_owned();
        let identities = Identities::partly(Arc::clone(&pseudonyms), of_forgotten(&pseudonyms, &["ou_1"]));
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
