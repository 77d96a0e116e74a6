//! Names that distinguish people and rooms.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Row;
use super::words::Words;

/// Names of participants by participant key.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// From rows with `participant_key`, `who`, `who_kind`, `name`, `email` and `department`. People with the same name
    /// have the part of their address before the @, else the department, else the ID behind it. Guests have no ID, so
    /// guests with one name cannot be distinguished.
    pub(super) fn of(rows: &[Row], words: Words) -> Names {
        let mut same: BTreeMap<String, BTreeMap<String, &Row>> = BTreeMap::new();
        for row in rows {
            same.entry(name(row)).or_default().entry(identity(row)).or_insert(row);
        }
        let details =
            same.into_iter().map(|(name, people)| (name, details(&people, words))).collect::<BTreeMap<_, _>>();
        let shown = |row: &Row| {
            let name = name(row);
            match details.get(&name).and_then(|details| details.get(&identity(row))) {
                Some(detail) => words.fill("card.in_brackets", &[("text", &name), ("more", detail)]),
                None => name,
            }
        };
        Names(rows.iter().map(|row| (row.text("participant_key"), shown(row))).collect())
    }

    pub(super) fn get(&self, row: &Row) -> String {
        self.0.get(&row.text("participant_key")).cloned().unwrap_or_else(|| name(row))
    }

    /// Each once, in the order of these rows.
    pub(super) fn distinct<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut known = BTreeSet::new();
        for name in rows.into_iter().map(|row| self.get(row)) {
            if known.insert(name.clone()) {
                names.push(name);
            }
        }
        names
    }
}

fn name(row: &Row) -> String {
    row.optional("name").unwrap_or_else(|| row.text("who"))
}

fn is_guest(row: &Row) -> bool {
    row.text("who_kind") == "guest"
}

/// The ID; all guests have the same.
fn identity(row: &Row) -> String {
    if is_guest(row) { String::new() } else { row.text("who") }
}

/// What distinguishes people of one name, by identity; empty for a single one.
fn details(people: &BTreeMap<String, &Row>, words: Words) -> BTreeMap<String, String> {
    if people.len() < 2 {
        return BTreeMap::new();
    }
    let forms: [fn(&Row) -> String; 3] = [
        |row| row.text("email").split('@').next().unwrap_or_default().to_owned(),
        |row| row.text("department"),
        |row| row.text("who"),
    ];
    let with = |form: &fn(&Row) -> String| -> BTreeMap<String, String> {
        let detail = |row: &Row| if is_guest(row) { words.value("kind", "guest") } else { form(row) };
        people.iter().map(|(identity, row)| (identity.clone(), detail(row))).collect()
    };
    let is_enough = |details: &BTreeMap<String, String>| {
        let distinct: BTreeSet<&String> = details.values().filter(|detail| !detail.is_empty()).collect();
        distinct.len() == details.len()
    };
    forms.iter().map(with).find(is_enough).unwrap_or_else(|| with(&forms[2]))
}

/// `7 people`, `5 people and 2 rooms`, `1 room`. `participants` are people and rooms.
pub(super) fn counted_people(participants: i64, rows: &[Row], words: Words) -> String {
    let rooms: BTreeSet<String> =
        rows.iter().filter(|row| row.text("who_kind") == "room").map(|row| row.text("who")).collect();
    let participants = participants.max(0) as u64;
    let rooms = (rooms.len() as u64).min(participants);
    words.people_and_rooms(participants - rooms, rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(key: &str, who: &str, name: &str, email: &str, department: &str) -> Row {
        let kind = if who.contains('/') { "guest" } else { "person" };
        let cells = [("participant_key", key), ("who", who), ("who_kind", kind), ("name", name), ("email", email)];
        Row::of_texts(cells.into_iter().chain([("department", department)]))
    }

    fn names(rows: &[Row]) -> Vec<String> {
        Names::of(rows, Words::default()).distinct(rows)
    }

    #[test]
    fn people_of_one_name_are_distinguished() {
        let one = person("m1", "ou_1", "Ann Lee", "ann.lee@example.com", "Sales");
        let again = person("m2", "ou_1", "Ann Lee", "ann.lee@example.com", "Sales");
        assert_eq!(names(&[one.clone(), again.clone()]), ["Ann Lee"]);
        let other = person("m3", "ou_2", "Ann Lee", "ann.lee2@example.com", "Sales");
        assert_eq!(names(&[one.clone(), other, again]), ["Ann Lee (ann.lee)", "Ann Lee (ann.lee2)"]);
        let elsewhere = person("m3", "ou_2", "Ann Lee", "ann.lee@example.org", "Research");
        assert_eq!(names(&[one.clone(), elsewhere]), ["Ann Lee (Sales)", "Ann Lee (Research)"]);
        let unknown = person("m3", "ou_2", "Ann Lee", "", "");
        assert_eq!(names(&[one.clone(), unknown]), ["Ann Lee (ou_1)", "Ann Lee (ou_2)"]);
        let guests = [person("m4", "m4/?/1", "Ann Lee", "", ""), person("m5", "m5/?/1", "Ann Lee", "", "")];
        assert_eq!(names(&guests), ["Ann Lee"]);
        assert_eq!(names(&[&guests[..], &[one]].concat()), ["Ann Lee (guest)", "Ann Lee (ann.lee)"]);
        assert_eq!(names(&[person("m1", "ou_9", "", "", "")]), ["ou_9"]);
    }

    #[test]
    fn rooms_are_not_counted_as_people() {
        let row = |who: &str, kind: &str| Row::of_texts([("who", who), ("who_kind", kind)]);
        let rows = [row("omm_1", "room"), row("omm_1", "room"), row("ou_1", "person"), row("omm_2", "room")];
        let counted = [(1, 0..2), (2, 0..3), (7, 0..4), (2, 2..2), (1, 2..3)];
        let texts = counted.map(|(participants, range)| counted_people(participants, &rows[range], Words::default()));
        assert_eq!(texts, ["1 room", "1 person and 1 room", "5 people and 2 rooms", "2 people", "1 person"]);
    }
}
