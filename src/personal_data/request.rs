//! What else names a person in the raw log: single items, recorded requests, and the keys of participants.

use serde_json::{Map, Value};

use super::person::Whom;
use super::pseudonyms::Pseudonyms;
use crate::schema::Personal;
use crate::schema::identity::with_other_id;

/// The parameters of a request that are replaced.
const USER_ID: &str = "user_id";
const PAGE_TOKEN: &str = "page_token";

impl Pseudonyms {
    /// An item of a list with its personal values replaced. `endpoint` as for bodies.
    pub(crate) fn rewrite_item(&self, endpoint: &str, item: &mut Value, whom: Whom<'_>) {
        let path = super::fields::list(endpoint).map_or(&[][..], |list| list.path);
        let nested = path.iter().rev().fold(None, |inner: Option<Value>, key| {
            let inner = inner.unwrap_or_else(|| Value::from(vec![item.take()]));
            Some(Value::from(Map::from_iter([((*key).to_owned(), inner)])))
        });
        let mut body = match nested {
            Some(data) => Value::from(Map::from_iter([("data".to_owned(), data)])),
            None => item.take(),
        };
        let rewritten = self.rewrite_body(endpoint, body.to_string().as_bytes(), whom).into_owned();
        if let Ok(changed) = serde_json::from_slice(&rewritten) {
            body = changed;
        }
        let pointer: String =
            std::iter::once("data").chain(path.iter().copied()).map(|key| format!("/{key}")).collect();
        *item = match path {
            [] => body,
            _ => body.pointer_mut(&format!("{pointer}/0")).map(Value::take).unwrap_or_default(),
        };
    }

    /// The parameters of a recorded request, with tokens in place of a user and of a page token.
    pub(crate) fn rewrite_request(&self, request: &mut Map<String, Value>) {
        if let Some(Value::String(user_id)) = request.get_mut(USER_ID) {
            *user_id = self.token(Personal::Id, user_id).into_owned();
        }
        if let Some(Value::String(page_token)) = request.get_mut(PAGE_TOKEN) {
            *page_token = self.other(page_token).into_owned();
        }
    }

    /// The key of a participant who is a person, with the token in place of the user's ID.
    pub(crate) fn participant_key(&self, key: &str) -> String {
        with_other_id(key, |id| self.token(Personal::Id, id).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Identity, Key, Networks, Topics};
    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(Key::new(&[5; 32]), Identity::Pseudonym, Topics::Keep, Networks::default())
    }

    #[test]
    fn the_key_of_a_participant_is_that_of_the_rewritten_item() {
        use crate::schema::TenantZone;
        use crate::schema::identity::ParticipantIdentity;
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let mut item = json!({"user_id": "ou/1#2", "join_time": "1671765420"});
        let key = |item: &Value| {
            ParticipantIdentity::from_item(item.as_object().expect("an object"), "705605196-1671765419", &zone).base_key
        };
        let before = key(&item);
        pseudonyms().rewrite_item("participant_list", &mut item, Whom::Everybody);
        assert_eq!(pseudonyms().participant_key(&before), key(&item));
        assert_eq!(pseudonyms().participant_key(&format!("{before}#2")), format!("{}#2", key(&item)));
        for other in ["705605196-1671765419/*", "705605196-1671765419/?/1671765420", "705605196-1671765419", ""] {
            assert_eq!(pseudonyms().participant_key(other), other);
        }
    }

    #[test]
    fn a_recorded_request_has_tokens() {
        let mut request =
            json!({"meeting_no": "705605196", "user_id": "ou_1", "page_token": "20", "user_id_type": "open_id"});
        let fields = request.as_object_mut().expect("an object");
        pseudonyms().rewrite_request(fields);
        let once = fields.clone();
        pseudonyms().rewrite_request(fields);
        assert_eq!(*fields, once);
        assert_eq!(request["user_id"], pseudonyms().token(Personal::Id, "ou_1").as_ref());
        assert!(request["page_token"].as_str().is_some_and(|token| token.starts_with("x-")));
        assert_eq!((&request["meeting_no"], &request["user_id_type"]), (&json!("705605196"), &json!("open_id")));
    }

    #[test]
    fn items_of_every_endpoint_are_rewritten_alone() {
        let name = pseudonyms().token(Personal::Name, "Alice").into_owned();
        let cases = [
            ("meeting_list", json!({"organizer": "Alice"}), json!({"organizer": name})),
            ("admin_user_stats", json!({"user_name": "Alice", "vc_num": 3}), json!({"user_name": name, "vc_num": 3})),
            ("get_daily", json!({"date": "1", "meeting_count": "2"}), json!({"date": "1", "meeting_count": "2"})),
            ("alerts", json!({"contacts": [{"contact_name": "Alice"}]}), json!({"contacts": [{"contact_name": name}]})),
            ("event", json!({"meeting_no": "1", "topic": "T"}), json!({"meeting_no": "1", "topic": "T"})),
        ];
        for (endpoint, mut item, expected) in cases {
            pseudonyms().rewrite_item(endpoint, &mut item, Whom::Everybody);
            assert_eq!(item, expected, "{endpoint}");
        }
    }
}
