//! The keys of meetings and participants, derived from the items of the lists.
//!
//! Used by `extract` for requests and the ledger, and by `transform` for rows, so that both use the same keys.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::parse::{self, Reason};
use super::{Moment, ParsedTime, Raw, TenantZone};
use crate::text::is_terminal_control;

/// An item of a list.
pub(crate) type Item = Map<String, Value>;

/// Replaces a missing ID or join time in a key.
pub(crate) const UNKNOWN: &str = "?";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeetingIdentity {
    /// `<meeting_no>-<start Unix seconds>`, before `#2`.
    pub key: String,
    /// Empty if Feishu sent none.
    pub meeting_no: String,
    /// Feishu's ID of this single meeting, if sent.
    pub instance_id: Option<String>,
    pub start: Moment,
    /// `None` if it is missing or unreadable.
    pub end: Option<Moment>,
    /// The audience of a webinar is a separate list.
    pub is_webinar: bool,
    /// How many people attended, from Feishu; `None` if it sent no number.
    pub number_of_participants: Option<i64>,
}

impl MeetingIdentity {
    /// Reads an item of meeting_list. Without a readable start a meeting has neither key nor date.
    pub(crate) fn from_item(item: &Item, zone: &TenantZone) -> Result<MeetingIdentity, Reason> {
        let start = resolve(item, "meeting_start_time", zone)?.ok_or(Reason::NoTime)?;
        let end = time(item, "meeting_end_time").ok().flatten().map(|end| resolve_after(end, start, zone));
        let meeting_no = id(item, "meeting_id").unwrap_or_default();
        let subtype = parse::count(&Raw::of(item.get("meeting_subtype"))).ok().flatten();
        let viewers = parse::count(&Raw::of(item.get("number_of_webinar_viewers"))).ok().flatten();
        let number = Some(meeting_no.as_str()).filter(|number| !number.is_empty());
        Ok(MeetingIdentity {
            key: format!("{}-{}", escape(number), start.unix_s()),
            start,
            end,
            // Subtype 8 is a webinar.
            is_webinar: subtype == Some(8) || viewers.is_some_and(|count| count > 0),
            instance_id: id(item, "meeting_instance_id"),
            number_of_participants: parse::count(&Raw::of(item.get("number_of_participants"))).ok().flatten(),
            meeting_no,
        })
    }
}

/// Resolves a time of the same row as `base`, whose offset is used for a local time without one.
pub(crate) fn resolve_after(time: ParsedTime, base: Moment, zone: &TenantZone) -> Moment {
    match time {
        ParsedTime::Unix { .. } => zone.resolve(time),
        ParsedTime::Local { .. } => time.with_default_offset(base.offset_min),
    }
}

/// The ID by which a participant's quality is requested.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ParticipantId {
    User(String),
    Room(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParticipantIdentity {
    /// `<meeting_key>/<user_id or room_id or ?>/<join in Unix seconds or ?>`, before `#2`: duplicates share it.
    pub base_key: String,
    pub id: Option<ParticipantId>,
    /// First join; `None` if it is missing or unreadable.
    pub join: Option<Moment>,
    /// Minutes in the meeting, rounded up; `None` if neither duration nor leave is known.
    pub expected_minutes: Option<i64>,
    /// Minutes of the clock that such a stay touches from the join on: one more than `expected_minutes`, or as many.
    /// Feishu may have a sample for each.
    pub clock_minutes: Option<i64>,
}

impl ParticipantIdentity {
    /// Reads an item of participant_list.
    pub(crate) fn from_item(item: &Item, meeting_key: &str, zone: &TenantZone) -> ParticipantIdentity {
        let user_id = id(item, "user_id");
        let room_id = id(item, "meeting_room_id");
        let join = resolve(item, "join_time", zone).ok().flatten();
        let id_part = escape(user_id.as_deref().or(room_id.as_deref()));
        let join_part = join.map_or_else(|| UNKNOWN.to_owned(), |join| join.unix_s().to_string());
        let in_meeting_s = parse::seconds(&Raw::of(item.get("time_in_meeting"))).ok().flatten().or_else(|| {
            let leave = resolve_after(time(item, "leave_time").ok()??, join?, zone);
            Some((leave.unix_s() - join?.unix_s()).max(0))
        });
        let join_second = join.map_or(0, |join| join.unix_s().rem_euclid(60));
        let rounded_up = |seconds: i64| seconds.saturating_add(59) / 60;
        ParticipantIdentity {
            base_key: format!("{meeting_key}/{id_part}/{join_part}"),
            expected_minutes: in_meeting_s.map(rounded_up),
            clock_minutes: in_meeting_s.map(|seconds| rounded_up(seconds.saturating_add(join_second))),
            id: user_id.map(ParticipantId::User).or(room_id.map(ParticipantId::Room)),
            join,
        }
    }
}

/// Counts the people of a participant list, which has a row for each device and each return. People with an ID count
/// once. Without one nobody knows who returned, so each row counts: the number is never too low.
#[derive(Debug, Default)]
pub(crate) struct PeopleCounter {
    ids: HashSet<ParticipantId>,
    rows_without_id: u64,
}

impl PeopleCounter {
    pub(crate) fn add(&mut self, id: Option<&ParticipantId>, rows: u64) {
        match id {
            Some(id) if self.ids.contains(id) => {}
            Some(id) => {
                self.ids.insert(id.clone());
            }
            None => self.rows_without_id += rows,
        }
    }

    pub(crate) fn people(&self) -> u64 {
        self.ids.len() as u64 + self.rows_without_id
    }

    /// Whether Feishu counts more people than these.
    pub(crate) fn is_short_of(&self, number_of_participants: Option<i64>) -> bool {
        number_of_participants.is_some_and(|number| number > 0 && number.unsigned_abs() > self.people())
    }
}

/// An ID as part of a key; [`UNKNOWN`] if there is none. Characters with a meaning in keys (`/ # * ?`) and control
/// characters are percent-encoded, so that no ID is ambiguous. Feishu's own IDs contain none of them.
fn escape(id: Option<&str>) -> Cow<'_, str> {
    let Some(id) = id else { return Cow::Borrowed(UNKNOWN) };
    let is_plain = |c: char| !matches!(c, '/' | '#' | '*' | '?' | '%') && !is_terminal_control(c);
    if id.chars().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let encode = |c: char| c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    Cow::Owned(id.chars().map(|c| if is_plain(c) { c.to_string() } else { encode(c) }).collect())
}

/// The key of a participant with another ID; the same key if it has none. The rest of the key stays.
pub(crate) fn with_other_id(key: &str, other: impl FnOnce(&str) -> String) -> String {
    let mut parts = key.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(meeting_key), Some(id), Some(rest)) if id != UNKNOWN => {
            format!("{meeting_key}/{}/{rest}", escape(Some(&other(&unescape(id)))))
        }
        _ => key.to_owned(),
    }
}

/// The ID that [`escape`] has encoded.
fn unescape(id: &str) -> String {
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The key of the coverage row for a meeting whose participants could not be listed.
pub(crate) fn unlisted_key(meeting_key: &str) -> String {
    format!("{meeting_key}/*")
}

/// Kept instead of a row: a walk can have a hundred thousand rows.
pub(crate) type RowDigest = [u8; 16];

/// The key of the n-th row with the same key, from 1.
pub(crate) fn numbered_key(base_key: &str, number: usize) -> String {
    if number == 1 { base_key.to_owned() } else { format!("{base_key}#{number}") }
}

/// Equal rows have equal digests, whatever the order of their fields.
pub(crate) fn row_digest(row: &Value) -> RowDigest {
    let text = match row.as_object() {
        Some(item) => serde_json::to_vec(&item.iter().collect::<std::collections::BTreeMap<_, _>>()),
        None => serde_json::to_vec(row),
    };
    let hash = Sha256::digest(text.unwrap_or_default());
    std::array::from_fn(|at| hash[at])
}

fn time(item: &Item, field: &str) -> Result<Option<ParsedTime>, Reason> {
    parse::time(&Raw::of(item.get(field)))
}

fn resolve(item: &Item, field: &str, zone: &TenantZone) -> Result<Option<Moment>, Reason> {
    Ok(time(item, field)?.map(|time| zone.resolve(time)))
}

/// The ID for requests: `None` if it is too long for a query, although its column contains it.
fn id(item: &Item, field: &str) -> Option<String> {
    parse::id(&Raw::of(item.get(field))).ok().flatten().filter(|id| id.len() <= MAX_ID_BYTES).map(Cow::into_owned)
}

/// Feishu's IDs have about 40 bytes; much longer ones do not fit into a URL.
const MAX_ID_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;

    fn zone() -> TenantZone {
        TenantZone::parse("+08:00").expect("zone")
    }

    fn item(value: Value) -> Item {
        value.as_object().expect("object").clone()
    }

    #[test]
    fn meeting_key_is_number_and_start() {
        let item = item(json!({
            "meeting_id": "705605196", "meeting_start_time": "2022.12.23 11:16:59 (GMT+08:00)",
            "meeting_end_time": "2022.12.23 11:18:51", "meeting_subtype": 8,
        }));
        let meeting = MeetingIdentity::from_item(&item, &zone()).expect("identity");
        assert_eq!(meeting.key, "705605196-1671765419");
        assert_eq!(meeting.end.expect("end").unix_s(), 1_671_765_531);
        assert!(meeting.is_webinar);
    }

    #[test]
    fn meeting_without_a_readable_start_has_a_reason() {
        assert_eq!(MeetingIdentity::from_item(&item(json!({"meeting_id": "1"})), &zone()), Err(Reason::NoTime));
        let soon = item(json!({"meeting_start_time": "soon"}));
        assert_eq!(MeetingIdentity::from_item(&soon, &zone()), Err(Reason::Unparsable));
    }

    #[test]
    fn participant_key_uses_user_then_room_then_a_question_mark() {
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        let key = |value: Value| ParticipantIdentity::from_item(&item(value), "m", &zone()).base_key;
        assert_eq!(key(json!({"user_id": "ou_1", "meeting_room_id": "omm_1", "join_time": join})), "m/ou_1/1671765420");
        assert_eq!(key(json!({"user_id": "-", "meeting_room_id": "omm_1", "join_time": join})), "m/omm_1/1671765420");
        assert_eq!(key(json!({"user_id": "", "join_time": join})), "m/?/1671765420");
        assert_eq!(key(json!({"user_id": "ou_1", "join_time": "later"})), "m/ou_1/?");
    }

    #[test]
    fn no_id_gives_the_key_of_another_one() {
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        let key = |meeting: &str, value: Value| ParticipantIdentity::from_item(&item(value), meeting, &zone()).base_key;
        let user = |id: &str| json!({"user_id": id, "join_time": join});
        let ids = ["?", "*", "a/b", "a%2Fb", "a#2", "a", "..", "../..", "a\u{1b}[2J", "a\nb", "\u{0}"];
        let keys: HashSet<String> = ids.iter().map(|id| key("m", user(id))).collect();
        assert_eq!(keys.len(), ids.len(), "{keys:?}");
        for key in &keys {
            assert_eq!(key.split('/').count(), 3, "{key:?}");
            assert!(!key.chars().any(is_terminal_control) && !key.contains(['#', '*', '?']), "{key:?}");
        }
        assert_eq!(key("m", json!({"join_time": join})), "m/?/1671765420");
        let meeting = |number: &str| {
            let item = item(json!({"meeting_id": number, "meeting_start_time": join}));
            MeetingIdentity::from_item(&item, &zone()).expect("identity").key
        };
        // A slash in a meeting number cannot shift text into the participant's part.
        assert_ne!(key(&meeting("A"), user("x-1671765420/y")), key(&meeting("A-1671765420/x"), user("y")));
        assert_eq!(meeting("../../etc"), "..%2F..%2Fetc-1671765420");
    }

    proptest::proptest! {
        #[test]
        fn an_id_in_a_key_is_read_back(id in "\\PC{0,12}[/#*?%\u{1b}\n]{0,3}\\PC{0,4}") {
            proptest::prop_assert_eq!(unescape(&escape(Some(&id))), id);
        }
    }

    #[test]
    fn an_id_that_is_too_long_for_a_query_is_none() {
        let long = "x".repeat(MAX_ID_BYTES + 1);
        let identity =
            ParticipantIdentity::from_item(&item(json!({"user_id": long, "meeting_room_id": "omm_1"})), "m", &zone());
        assert_eq!((identity.id, identity.base_key.as_str()), (Some(ParticipantId::Room("omm_1".into())), "m/omm_1/?"));
    }

    #[test]
    fn expected_minutes_round_up_and_fall_back_to_leave() {
        let minutes = |value: Value| ParticipantIdentity::from_item(&item(value), "m", &zone()).expected_minutes;
        assert_eq!(minutes(json!({"time_in_meeting": "00:01:52"})), Some(2));
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        assert_eq!(minutes(json!({"join_time": join, "leave_time": "2022.12.23 11:27:01"})), Some(11));
        assert_eq!(minutes(json!({"join_time": join, "leave_time": "-"})), None);
        assert_eq!(minutes(json!({"time_in_meeting": i64::MAX})), Some(i64::MAX / 60));
    }

    #[test]
    fn a_stay_touches_up_to_one_minute_of_the_clock_more_than_it_has_minutes() {
        let minutes = |join: &str, stay: &str| {
            let item = item(json!({"join_time": join, "time_in_meeting": stay}));
            let identity = ParticipantIdentity::from_item(&item, "m", &zone());
            (identity.expected_minutes, identity.clock_minutes)
        };
        let known = |minutes, clock_minutes| (Some(minutes), Some(clock_minutes));
        assert_eq!(minutes("2022.12.23 11:17:45", "00:00:15"), known(1, 1));
        assert_eq!(minutes("2022.12.23 11:17:45", "00:00:16"), known(1, 2));
        assert_eq!(minutes("2022.12.23 11:16:59", "00:01:52"), known(2, 3));
        assert_eq!(minutes("2022.12.23 11:17:00", "00:02:00"), known(2, 2));
        assert_eq!(minutes("2022.12.23 11:17:00 (GMT+05:45)", "00:02:01"), known(3, 3));
        assert_eq!(minutes("1969.12.31 23:59:59 (GMT+00:00)", "00:00:02"), known(1, 2));
        assert_eq!(minutes("later", "00:02:01"), known(3, 3));
        assert_eq!(minutes("2022.12.23 11:17:00", "-"), (None, None));
    }

    #[test]
    fn the_order_of_fields_does_not_matter() {
        assert_eq!(row_digest(&json!({"a": 1, "b": 2})), row_digest(&json!({"b": 2, "a": 1})));
        assert_ne!(row_digest(&json!({"a": 1})), row_digest(&json!({"a": 2})));
    }
}
