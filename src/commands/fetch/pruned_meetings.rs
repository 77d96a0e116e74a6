//! Leaves the meetings of pruned dates out of the pages of the meeting list, which reach back beyond a run's window.
//!
//! So nothing of such a meeting is written, and one that ran into a later date does not come back with it. A window
//! that begins before the date fetches them on purpose, and has no such filter.

use std::borrow::Cow;
use std::sync::Arc;

use crate::commands::replace::EarlierItems;
use crate::schema::TenantZone;
use feishu_vc::{Endpoint, ExchangeFilter};

pub(super) struct PrunedMeetings {
    /// The first date that was not pruned, days since 1970-01-01.
    pub before: i32,
    pub zone: TenantZone,
    /// What rewrites the rest.
    pub then: Option<Arc<dyn ExchangeFilter>>,
}

impl PrunedMeetings {
    /// The body without them; `None` if it has none.
    fn without_them(&self, body: &[u8]) -> Option<Vec<u8>> {
        let remove = EarlierItems { before: self.before, zone: &self.zone, replace: &|_| None };
        serde_json::to_vec(&remove.body(body, &[])?).ok()
    }
}

impl ExchangeFilter for PrunedMeetings {
    fn received(&self, endpoint: Option<Endpoint>, query: &[(&str, String)], body: Vec<u8>) -> Vec<u8> {
        let without = (endpoint == Some(Endpoint::MeetingList)).then(|| self.without_them(&body)).flatten();
        let body = without.unwrap_or(body);
        match &self.then {
            Some(then) => then.received(endpoint, query, body),
            None => body,
        }
    }

    fn sent<'q>(&self, query: &'q [(&'q str, String)]) -> Cow<'q, [(&'q str, String)]> {
        self.then.as_ref().map_or(Cow::Borrowed(query), |then| then.sent(query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const BODY: &[u8] = br#"{"code":0,"data":{"has_more":true,"meeting_list":[
        {"meeting_id":"1","meeting_start_time":"2026.11.01 23:59:59 (GMT+08:00)"},
        {"meeting_id":"2","meeting_start_time":"2026.11.02 00:00:00 (GMT+08:00)"},
        {"meeting_id":"3","meeting_start_time":"soon"}],"page_token":"20"}}"#;

    fn filter(before: &str) -> PrunedMeetings {
        let before = crate::schema::civil_date(before).expect("a date");
        PrunedMeetings { before, zone: TenantZone::parse("+08:00").expect("a zone"), then: None }
    }

    #[test]
    fn only_meetings_of_pruned_dates_are_left_out() {
        let body = filter("2026-11-02").received(Some(Endpoint::MeetingList), &[], BODY.to_vec());
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let items = body["data"]["meeting_list"].as_array().expect("a list");
        let numbers: Vec<&Value> = items.iter().map(|item| &item["meeting_id"]).collect();
        assert_eq!(numbers, ["2", "3"]);
        assert_eq!((&body["data"]["has_more"], &body["data"]["page_token"]), (&true.into(), &"20".into()));
    }

    #[test]
    fn a_body_without_them_stays_as_it_was_received() {
        for (before, body) in [("2026-11-01", BODY), ("2026-11-02", b"no JSON"), ("2026-11-02", br#"{"code":1}"#)] {
            assert_eq!(filter(before).received(Some(Endpoint::MeetingList), &[], body.to_vec()), body);
        }
        assert_eq!(filter("2026-11-02").received(Some(Endpoint::ParticipantList), &[], BODY.to_vec()), BODY);
    }
}
