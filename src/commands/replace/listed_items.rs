//! The items of a page of the meeting list that belong to earlier dates: a page that spans dates is stored under each
//! of them.

use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::raw_log::{DecodedCheckpoint, Header, RawKind, Rewrite};
use crate::schema::TenantZone;
use crate::schema::days_of_local;
use crate::schema::identity::MeetingIdentity;
use crate::schema::meeting_keys::KnownMeeting;
use feishu_vc::Endpoint;

/// A meeting that started this long before the window of a walk is not on its list.
const MAX_LENGTH_S: i64 = 14 * 86_400;

/// Changes or removes the items of meetings that started before a date.
pub(in crate::commands) struct EarlierItems<'a> {
    pub before: i32,
    pub zone: &'a TenantZone,
    /// The item to store instead; `None` removes it.
    pub replace: &'a (dyn Fn(Value) -> Option<Value> + Sync),
}

impl Rewrite for EarlierItems<'_> {
    fn reads(&self, header: &Header, meeting_date: i32) -> bool {
        // The unit of a list is its window: `<start>..<end>`, Unix seconds, wider than that of its meetings.
        let start_s = header.unit.split("..").next().and_then(|start| start.parse::<i64>().ok());
        let limit_s = self.zone.start_of_day(self.before) / 1_000_000 + MAX_LENGTH_S;
        header.kind == RawKind::Meetings
            && meeting_date >= self.before
            && start_s.is_none_or(|start_s| start_s < limit_s)
    }

    fn change(&self, checkpoint: &mut DecodedCheckpoint, _: i32) -> bool {
        let DecodedCheckpoint { header, pages } = checkpoint;
        let mut changed = false;
        for page in pages {
            let changed_body = page.response.as_ref().and_then(|body| self.body(body.get().as_bytes(), &header.known));
            if let Some(body) = changed_body.and_then(|body| to_raw_value(&body).ok()) {
                page.response = Some(body);
                changed = true;
            }
        }
        changed
    }
}

impl EarlierItems<'_> {
    /// The body with other items; `None` if none changes. `known` are meetings that keep their date.
    pub(in crate::commands) fn body(&self, body: &[u8], known: &[KnownMeeting]) -> Option<Value> {
        let mut root: Value = serde_json::from_slice(body).ok()?;
        let items = root.get_mut("data")?.get_mut(Endpoint::MeetingList.list_key())?.as_array_mut()?;
        if !items.iter().any(|item| self.is_earlier(item, known)) {
            return None;
        }
        let before = items.clone();
        *items = std::mem::take(items)
            .into_iter()
            .filter_map(|item| if self.is_earlier(&item, known) { (self.replace)(item) } else { Some(item) })
            .collect();
        if *items == before {
            return None;
        }
        Some(root)
    }

    fn is_earlier(&self, item: &Value, known: &[KnownMeeting]) -> bool {
        let identity = item.as_object().and_then(|item| MeetingIdentity::from_item(item, self.zone).ok());
        identity.is_some_and(|identity| {
            // One that was listed with another start before keeps its date.
            let known = known.iter().find(|known| Some(&known.instance_id) == identity.instance_id.as_ref());
            let known_day = known.map(|known| days_of_local(known.start_us + i64::from(known.offset_min) * 60_000_000));
            known_day.unwrap_or_else(|| identity.start.local_day()) < self.before
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_log::{PageRecord, RAW_VERSION};

    const BODY: &str = r#"{"code":0,"data":{"meeting_list":[
        {"meeting_id":"1","meeting_start_time":"2026.11.01 23:59:59 (GMT+08:00)","organizer":"A"},
        {"meeting_id":"2","meeting_start_time":"2026.11.02 00:00:00 (GMT+08:00)","organizer":"B"},
        {"meeting_id":"3","meeting_start_time":"soon","organizer":"C"}],"has_more":false}}"#;

    fn checkpoint(unit: &str) -> DecodedCheckpoint {
        let (response, response_text) = PageRecord::body(BODY.as_bytes());
        let header = Header {
            v: RAW_VERSION,
            run_id: "r".to_owned(),
            kind: RawKind::Meetings,
            unit: unit.to_owned(),
            requested_us: 1,
            window_us: None,
            known: Vec::new(),
            end: None,
            bytes: 0,
        };
        let page = PageRecord {
            record: "page".into(),
            endpoint: "meeting_list".into(),
            request: serde_json::Map::new(),
            requested_utc: String::new(),
            elapsed_ms: 1,
            http_status: 200,
            log_id: None,
            response,
            response_text,
        };
        DecodedCheckpoint { header, pages: vec![page] }
    }

    fn organizers(checkpoint: &DecodedCheckpoint) -> Vec<String> {
        let body: Value =
            serde_json::from_str(checkpoint.pages[0].response.as_ref().expect("JSON").get()).expect("JSON");
        let items = body["data"]["meeting_list"].as_array().expect("a list").clone();
        items.iter().map(|item| item["organizer"].as_str().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn only_the_items_of_earlier_dates_change() {
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let before = crate::schema::civil_date("2026-11-02").expect("a date");
        let mut page = checkpoint("1793000000..1794000000");
        let remove = EarlierItems { before, zone: &zone, replace: &|_| None };
        assert!(remove.reads(&page.header, before) && !remove.reads(&page.header, before - 1));
        assert!(remove.change(&mut page, before) && !remove.change(&mut page, before), "once");
        assert_eq!(organizers(&page), ["B", "C"]);
        let mut page = checkpoint("1793000000..1794000000");
        let replace = |mut item: Value| {
            item["organizer"] = "x".into();
            Some(item)
        };
        let replaced = EarlierItems { before, zone: &zone, replace: &replace };
        assert!(replaced.change(&mut page, before) && !replaced.change(&mut page, before), "once");
        assert_eq!(organizers(&page), ["x", "B", "C"]);
    }

    #[test]
    fn a_list_of_a_much_later_window_is_not_read() {
        let zone = TenantZone::parse("+08:00").expect("a zone");
        let rewrite = EarlierItems { before: 20_000, zone: &zone, replace: &|_| None };
        let of_window = |start_day: i64| checkpoint(&format!("{}..9999999999", start_day * 86_400)).header;
        assert!(rewrite.reads(&of_window(20_010), 20_000));
        assert!(!rewrite.reads(&of_window(20_020), 20_000));
    }
}
