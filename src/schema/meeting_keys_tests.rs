use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::TenantZone;

/// 2022-12-23 00:00 in the tenant's zone.
const MIDNIGHT_S: i64 = 1_671_724_800;

fn zone() -> TenantZone {
    TenantZone::parse("+08:00").expect("a zone")
}

/// A row of one minute.
fn row(no: &str, instance: Option<&str>, start_s: i64, topic: &str) -> Value {
    json!({
        "meeting_id": no, "meeting_instance_id": instance, "meeting_topic": topic,
        "meeting_start_time": start_s.to_string(), "meeting_end_time": (start_s + 60).to_string(),
    })
}

fn identity(row: &Value) -> MeetingIdentity {
    MeetingIdentity::from_item(row.as_object().expect("an object"), &zone()).expect("a start")
}

/// A store that keeps what it is given, by key.
#[derive(Default)]
struct Store(RefCell<Vec<(String, Option<String>, KnownMeeting)>>);

impl Store {
    fn keep(&self, key: &str, identity: &MeetingIdentity) {
        let id = identity.instance_id.clone();
        let known = KnownMeeting::new(id.as_deref().unwrap_or_default(), key, identity);
        let mut rows = self.0.borrow_mut();
        rows.retain(|(kept, ..)| kept != key);
        rows.push((key.to_owned(), id, known));
    }
}

impl KnownMeetings for Store {
    type Error = Infallible;

    fn with_instance(&self, instance_id: &str) -> Result<Vec<KnownMeeting>, Infallible> {
        let rows = self.0.borrow();
        let mut found: Vec<KnownMeeting> =
            rows.iter().filter(|(_, id, _)| id.as_deref() == Some(instance_id)).map(|row| row.2.clone()).collect();
        found.sort_by_key(|known| (known.start_us, known.meeting_key.clone()));
        Ok(found)
    }

    fn instance_of(&self, meeting_key: &str) -> Result<Option<String>, Infallible> {
        Ok(self.0.borrow().iter().find(|(key, ..)| key == meeting_key).and_then(|row| row.1.clone()))
    }
}

/// The keys of a walk, and what its headers name. Keeps the meetings in the store, as a run does.
fn list(store: &Store, rows: &[Value]) -> (Vec<Option<String>>, Vec<KnownMeeting>) {
    let mut keys = MeetingKeys::new(true, &[]);
    let (mut assigned, mut noted) = (Vec::new(), Vec::new());
    for row in rows {
        let mut identity = identity(row);
        let Ok(keyed) = keys.assign(&mut identity, row, store);
        if let Some(keyed) = &keyed {
            store.keep(&keyed.key, &identity);
        }
        assigned.push(keyed.map(|keyed| keyed.key));
        noted.extend(keys.take_noted());
    }
    (assigned, noted)
}

/// The keys that a reader of the recorded walk gives.
fn read_again(rows: &[Value], noted: &[KnownMeeting]) -> Vec<Option<String>> {
    let mut keys = MeetingKeys::new(true, noted);
    let mut key = |row: &Value| {
        let Ok(keyed) = keys.assign(&mut identity(row), row, &());
        keyed.map(|keyed| keyed.key)
    };
    rows.iter().map(&mut key).collect()
}

fn texts(keys: &[Option<String>]) -> Vec<&str> {
    keys.iter().map(|key| key.as_deref().unwrap_or("-")).collect()
}

#[test]
fn without_an_instance_id_equal_rows_are_merged_and_different_ones_are_numbered() {
    let (a, b) = (row("7", None, 500_000_000, "a"), row("7", None, 500_000_000, "b"));
    let (keys, noted) = list(&Store::default(), &[a.clone(), a.clone(), b.clone(), b, a]);
    assert_eq!(texts(&keys), ["7-500000000", "-", "7-500000000#2", "-", "-"]);
    assert!(noted.is_empty());
}

#[test]
fn a_start_that_moves_by_a_second_keeps_the_key() {
    let store = Store::default();
    let at = |start_s| row("7", Some("i"), start_s, "t");
    let walk = [at(500_000_000), at(500_000_001), at(500_000_001)];
    let (keys, noted) = list(&store, &walk);
    assert_eq!(texts(&keys), ["7-500000000", "7-500000000", "-"], "in one walk");
    assert_eq!(read_again(&walk, &noted), keys);
    let (keys, noted) = list(&store, &[at(499_999_999)]);
    assert_eq!(texts(&keys), ["7-500000000"], "in a later walk");
    assert_eq!(noted[0].instance_id, "i");
    assert_eq!(read_again(&[at(499_999_999)], &noted), keys);
}

#[test]
fn an_id_that_different_meetings_have_says_nothing() {
    let store = Store::default();
    for (no, start_s, expected) in
        [("7", 500_000_000, "7-500000000"), ("7", 500_009_000, "7-500009000"), ("8", 500_000_001, "8-500000001")]
    {
        assert_eq!(texts(&list(&store, &[row(no, Some("0"), start_s, "t")]).0), [expected]);
    }
}

#[test]
fn two_instances_with_one_number_and_start_keep_their_keys_in_any_order() {
    let store = Store::default();
    let of = |instance: &str| row("7", Some(instance), 500_000_000, "t");
    let (x, y) = (of("x"), of("y"));
    assert_eq!(texts(&list(&store, &[x.clone(), y.clone()]).0), ["7-500000000", "7-500000000#2"]);
    let (keys, noted) = list(&store, &[y.clone(), x.clone()]);
    assert_eq!(texts(&keys), ["7-500000000#2", "7-500000000"]);
    assert_eq!(read_again(&[y, x], &noted), keys);
}

#[test]
fn a_start_that_moves_to_another_date_is_not_taken_over() {
    let store = Store::default();
    list(&store, &[row("7", Some("i"), MIDNIGHT_S - 1, "t")]);
    let moved = row("7", Some("i"), MIDNIGHT_S, "t");
    let mut found = identity(&moved);
    let Ok(keyed) = MeetingKeys::new(true, &[]).assign(&mut found, &moved, &store);
    let keyed = keyed.expect("new");
    assert!(keyed.keeps_start && found.start.unix_s() == MIDNIGHT_S - 1, "{keyed:?}");
    assert_eq!(start_text(found.start), "2022-12-22 23:59:59 (GMT+08:00)");
}

#[test]
fn walks_of_version_0_1_keep_their_keys() {
    let mut keys = MeetingKeys::new(false, &[]);
    let mut key = |start_s| {
        let row = row("7", Some("i"), start_s, "t");
        let Ok(keyed) = keys.assign(&mut identity(&row), &row, &());
        keyed.expect("new").key
    };
    assert_eq!([key(500_000_000), key(500_000_001)], ["7-500000000", "7-500000001"]);
}

proptest! {
    /// Whatever was listed before: a reader of the recorded walk gives the same keys, and no two meetings share one.
    #[test]
    fn a_recorded_walk_is_read_as_it_was_listed(
        walks in proptest::collection::vec(
            proptest::collection::vec((0_u8..2, proptest::option::of(0_u8..3), -2_i64..3, 0_u8..2), 1..8), 1..4,
        ),
    ) {
        let store = Store::default();
        for walk in walks {
            let rows: Vec<Value> = walk.iter().map(|(no, instance, moved_s, topic)| {
                let instance = instance.map(|id| format!("i{id}"));
                row(&no.to_string(), instance.as_deref(), MIDNIGHT_S + moved_s, &topic.to_string())
            }).collect();
            let (keys, noted) = list(&store, &rows);
            prop_assert_eq!(&read_again(&rows, &noted), &keys);
            let mut owners: HashMap<&str, (&Value, &Value)> = HashMap::new();
            for (row, key) in rows.iter().zip(&keys) {
                let Some(key) = key else { continue };
                let owner = (&row["meeting_id"], &row["meeting_instance_id"]);
                let before = owners.insert(key, owner);
                prop_assert!(before.is_none_or(|before| before == owner), "{key}: {before:?} and {owner:?}");
            }
        }
    }
}
