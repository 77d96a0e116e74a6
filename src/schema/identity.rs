//! Who is who: the keys of meetings and participants, worked out from the lists' items.
//!
//! `extract` needs them to ask and to remember what was asked, `transform` to name rows; both call this, so they agree.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::parse::{self, Reason};
use super::{Clock, Moment, Raw, TenantZone};
use crate::text::is_terminal_control;

/// An item of a list.
pub(crate) type Item = Map<String, Value>;

/// What stands in a key for an id or a join time that is not there.
pub(crate) const UNKNOWN: &str = "?";

/// What identifies a meeting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeetingIdentity {
    /// `<meeting_no>-<start unix seconds>`, before `#2`.
    pub key: String,
    /// The meeting number; empty where the vendor sent none.
    pub meeting_no: String,
    pub start: Moment,
    /// The end, where it could be read.
    pub end: Option<Moment>,
    /// True for a webinar, whose audience is a list of its own.
    pub is_webinar: bool,
}

impl MeetingIdentity {
    /// Reads a meeting_list item.
    ///
    /// # Errors
    /// The start's reason where it can't be read: without it the meeting has neither key nor date.
    pub(crate) fn of(item: &Item, zone: &TenantZone) -> Result<MeetingIdentity, Reason> {
        let start = settle(item, "meeting_start_time", zone)?.ok_or(Reason::NoTime)?;
        let end = clock(item, "meeting_end_time").ok().flatten().map(|clock| end_of(clock, start, zone));
        let meeting_no = id(item, "meeting_id").unwrap_or_default();
        let subtype = parse::count(&Raw::of(item.get("meeting_subtype"))).ok().flatten();
        let viewers = parse::count(&Raw::of(item.get("number_of_webinar_viewers"))).ok().flatten();
        let shown = Some(meeting_no.as_str()).filter(|number| !number.is_empty());
        Ok(MeetingIdentity {
            key: format!("{}-{}", in_key(shown), start.unix_s()),
            start,
            end,
            is_webinar: subtype == Some(WEBINAR_SUBTYPE) || viewers.is_some_and(|count| count > 0),
            meeting_no,
        })
    }
}

/// `meeting_subtype` of a webinar.
const WEBINAR_SUBTYPE: i64 = 8;

/// A later time of the same row: a missing zone is the earlier one's, a unix time shows the earlier one's clock.
pub(crate) fn end_of(clock: Clock, start: Moment, zone: &TenantZone) -> Moment {
    match clock {
        Clock::Unix { .. } => zone.settle(clock),
        Clock::Wall { .. } => clock.at_offset(start.offset_min),
    }
}

/// How a participant is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ParticipantId {
    User(String),
    Room(String),
}

/// What identifies a participant row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParticipantIdentity {
    /// `<meeting_key>/<user_id, else room_id, else ?>/<join unix seconds, else ?>`, before `#2`: duplicates share it.
    pub base_key: String,
    /// The id, where there is one.
    pub id: Option<ParticipantId>,
    /// The first join, where it could be read.
    pub join: Option<Moment>,
    /// Minutes in the meeting, rounded up; `None` where neither duration nor leave is known.
    pub expected_minutes: Option<i64>,
}

impl ParticipantIdentity {
    /// Reads a participant_list item.
    pub(crate) fn of(item: &Item, meeting_key: &str, zone: &TenantZone) -> ParticipantIdentity {
        let user_id = id(item, "user_id");
        let room_id = id(item, "meeting_room_id");
        let join = settle(item, "join_time", zone).ok().flatten();
        let shown_id = in_key(user_id.as_deref().or(room_id.as_deref()));
        let shown_join = join.map_or_else(|| UNKNOWN.to_owned(), |join| join.unix_s().to_string());
        let in_meeting_s = parse::seconds(&Raw::of(item.get("time_in_meeting"))).ok().flatten().or_else(|| {
            let leave = end_of(clock(item, "leave_time").ok()??, join?, zone);
            Some((leave.unix_s() - join?.unix_s()).max(0))
        });
        ParticipantIdentity {
            base_key: format!("{meeting_key}/{shown_id}/{shown_join}"),
            expected_minutes: in_meeting_s.map(|seconds| seconds.saturating_add(59) / 60),
            id: user_id.map(ParticipantId::User).or(room_id.map(ParticipantId::Room)),
            join,
        }
    }
}

/// An id as a part of a key; [`UNKNOWN`] where there is none. What has a meaning in keys (`/` parts them, `#2` numbers
/// them, `*` and `?` stand for others) and what would break a line is written as `%XX`, so that no id can be taken for
/// something else. The vendor's own ids have nothing of the kind and stand as they are.
fn in_key(id: Option<&str>) -> Cow<'_, str> {
    let Some(id) = id else { return Cow::Borrowed(UNKNOWN) };
    let is_plain = |c: char| !matches!(c, '/' | '#' | '*' | '?' | '%') && !is_terminal_control(c);
    if id.chars().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let mut part = String::with_capacity(id.len() + 8);
    for c in id.chars() {
        if is_plain(c) {
            part.push(c);
        } else {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| part.push_str(&format!("%{byte:02X}")));
        }
    }
    Cow::Owned(part)
}

/// The key of the row that stands for a meeting whose participants could not be listed.
pub(crate) fn unlisted_key(meeting_key: &str) -> String {
    format!("{meeting_key}/*")
}

/// A digest of a list's row.
pub(crate) type RowDigest = [u8; 16];

/// Numbers the different rows of one walk that share a key: the first keeps it, the others get `#2`, `#3`.
/// Equal rows collapse into the first. Rows come in the order of the walk.
///
/// Remembers a digest of each row, not the row: a walk can be a hundred thousand rows long.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    rows: HashMap<String, HashSet<RowDigest>>,
}

impl Numbering {
    /// The key for this row, or `None` where an equal row came before.
    pub(crate) fn key(&mut self, base_key: &str, row: &Value) -> Option<String> {
        let rows = self.rows.entry(base_key.to_owned()).or_default();
        rows.insert(digest(row)).then(|| numbered(base_key, rows.len()))
    }
}

/// The key of the n-th row that shares a key, from 1.
pub(crate) fn numbered(base_key: &str, number: usize) -> String {
    if number == 1 { base_key.to_owned() } else { format!("{base_key}#{number}") }
}

/// The digest of a row: equal rows have equal ones, whatever the order of their fields.
pub(crate) fn digest(row: &Value) -> RowDigest {
    let text = match row.as_object() {
        Some(item) => serde_json::to_vec(&item.iter().collect::<std::collections::BTreeMap<_, _>>()),
        None => serde_json::to_vec(row),
    };
    let hash = Sha256::digest(text.unwrap_or_default());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

fn clock(item: &Item, field: &str) -> Result<Option<Clock>, Reason> {
    parse::clock(&Raw::of(item.get(field)))
}

fn settle(item: &Item, field: &str, zone: &TenantZone) -> Result<Option<Moment>, Reason> {
    Ok(clock(item, field)?.map(|clock| zone.settle(clock)))
}

/// The id that a row can be asked for. One that is too long for a query is none, though its column keeps it.
fn id(item: &Item, field: &str) -> Option<String> {
    parse::id(&Raw::of(item.get(field))).ok().flatten().filter(|id| id.len() <= MOST_ID_BYTES).map(Cow::into_owned)
}

/// The vendor's ids have some 40 bytes. Longer than this no address can hold one, and no key should.
const MOST_ID_BYTES: usize = 512;

#[cfg(test)]
mod tests {
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
        let meeting = MeetingIdentity::of(&item, &zone()).expect("identity");
        assert_eq!(meeting.key, "705605196-1671765419");
        assert_eq!(meeting.end.expect("end").unix_s(), 1_671_765_531);
        assert!(meeting.is_webinar);
    }

    #[test]
    fn meeting_without_a_readable_start_has_a_reason() {
        assert_eq!(MeetingIdentity::of(&item(json!({"meeting_id": "1"})), &zone()), Err(Reason::NoTime));
        let soon = item(json!({"meeting_start_time": "soon"}));
        assert_eq!(MeetingIdentity::of(&soon, &zone()), Err(Reason::Unparsable));
    }

    #[test]
    fn participant_key_takes_user_then_room_then_a_question_mark() {
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        let key = |value: Value| ParticipantIdentity::of(&item(value), "m", &zone()).base_key;
        assert_eq!(key(json!({"user_id": "ou_1", "meeting_room_id": "omm_1", "join_time": join})), "m/ou_1/1671765420");
        assert_eq!(key(json!({"user_id": "-", "meeting_room_id": "omm_1", "join_time": join})), "m/omm_1/1671765420");
        assert_eq!(key(json!({"user_id": "", "join_time": join})), "m/?/1671765420");
        assert_eq!(key(json!({"user_id": "ou_1", "join_time": "later"})), "m/ou_1/?");
    }

    #[test]
    fn no_id_is_taken_for_another_ones_key() {
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        let key = |meeting: &str, value: Value| ParticipantIdentity::of(&item(value), meeting, &zone()).base_key;
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
            MeetingIdentity::of(&item, &zone()).expect("identity").key
        };
        // A slash in a number moves nothing from the meeting to the participant.
        assert_ne!(key(&meeting("A"), user("x-1671765420/y")), key(&meeting("A-1671765420/x"), user("y")));
        assert_eq!(meeting("../../etc"), "..%2F..%2Fetc-1671765420");
    }

    #[test]
    fn an_id_that_no_query_can_hold_is_none() {
        let long = "x".repeat(MOST_ID_BYTES + 1);
        let identity =
            ParticipantIdentity::of(&item(json!({"user_id": long, "meeting_room_id": "omm_1"})), "m", &zone());
        assert_eq!((identity.id, identity.base_key.as_str()), (Some(ParticipantId::Room("omm_1".into())), "m/omm_1/?"));
    }

    #[test]
    fn expected_minutes_round_up_and_fall_back_to_leave() {
        let minutes = |value: Value| ParticipantIdentity::of(&item(value), "m", &zone()).expected_minutes;
        assert_eq!(minutes(json!({"time_in_meeting": "00:01:52"})), Some(2));
        let join = "2022.12.23 11:17:00 (GMT+08:00)";
        assert_eq!(minutes(json!({"join_time": join, "leave_time": "2022.12.23 11:27:01"})), Some(11));
        assert_eq!(minutes(json!({"join_time": join, "leave_time": "-"})), None);
        assert_eq!(minutes(json!({"time_in_meeting": i64::MAX})), Some(i64::MAX / 60));
    }

    #[test]
    fn equal_rows_collapse_and_different_ones_are_numbered() {
        let mut numbering = Numbering::default();
        let (laptop, phone) = (json!({"device": "mac"}), json!({"device": "ios"}));
        assert_eq!(numbering.key("k", &laptop).as_deref(), Some("k"));
        assert_eq!(numbering.key("k", &laptop), None);
        assert_eq!(numbering.key("k", &phone).as_deref(), Some("k#2"));
        assert_eq!(numbering.key("k", &phone), None);
        assert_eq!(numbering.key("k", &json!("nonsense")).as_deref(), Some("k#3"));
        assert_eq!(digest(&json!({"a": 1, "b": 2})), digest(&json!({"b": 2, "a": 1})));
    }
}
