//! Counts the items that could have had a known field, and notes which fields at least one had: a field that stops
//! appearing is a sign that the API has changed.
//!
//! A key counts as sent if its value is null or empty, too. The fields of a quality section are expected only in items
//! with a key in that section. Leaves out whether earlier runs had a field.

use super::sample_layout::{LAYOUT, SECTION_COUNT, SECTION_SLOTS};
use super::unknown_fields::{UnknownFields, count_unknown_field};
use crate::schema::identity::Item;
use crate::schema::{Kind, MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, Table};

/// Sent with the participants of webinars only.
const FIELDS_OF_SOME_ITEMS: &[&str] = &["webinar_user_role"];
/// The section that nearly every quality item has. Items without the others are common: nobody shares a screen.
const COMMON_SECTION: usize = 0;

/// What the items of responses had: fields without a column, and known fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldCounts {
    pub unknown: UnknownFields,
    pub sent: SentFields,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sent {
    items: u64,
    /// A bit for each field that at least one of the items had.
    fields: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SentFields {
    /// A bit for each column.
    meetings: Sent,
    participants: Sent,
    /// A bit for each section.
    samples: Sent,
    /// A bit for each slot.
    sections: [Sent; SECTION_COUNT],
}

/// A known field that no item had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AbsentField {
    /// As in [`UnknownFields`].
    pub name: String,
    pub table: &'static str,
    pub column: &'static str,
    /// Items that could have had it.
    pub items: u64,
}

impl FieldCounts {
    pub(crate) fn add(&mut self, other: &FieldCounts) {
        for (field, count) in &other.unknown {
            count_unknown_field(&mut self.unknown, field, *count);
        }
        self.sent.add(&other.sent);
    }
}

impl Sent {
    fn add(&mut self, other: Sent) {
        self.items += other.items;
        self.fields |= other.fields;
    }

    fn lacks(self, bit: usize) -> bool {
        self.items > 0 && self.fields >> bit & 1 == 0
    }
}

impl SentFields {
    pub(crate) fn add(&mut self, other: &SentFields) {
        self.meetings.add(other.meetings);
        self.participants.add(other.participants);
        self.samples.add(other.samples);
        for (section, other) in self.sections.iter_mut().zip(other.sections) {
            section.add(other);
        }
    }

    pub(super) fn count_meeting(&mut self, item: &Item) {
        count_item(&mut self.meetings, &MEETINGS, item);
    }

    pub(super) fn count_participant(&mut self, item: &Item) {
        count_item(&mut self.participants, &PARTICIPANTS, item);
    }

    /// Counts a quality item by the slots whose keys it has. Without any, it says nothing about single fields.
    pub(super) fn count_sample(&mut self, slots: u64) {
        if slots == 0 {
            return;
        }
        self.samples.items += 1;
        for (index, (section, of_section)) in self.sections.iter_mut().zip(*SECTION_SLOTS).enumerate() {
            let sent = slots & of_section;
            if sent != 0 {
                self.samples.fields |= 1 << index;
                section.add(Sent { items: 1, fields: sent });
            }
        }
    }

    /// The known fields that none of at least `min_items` items had.
    pub(crate) fn absent(&self, min_items: u64) -> Vec<AbsentField> {
        let mut absent = Vec::new();
        for (table, sent) in [(&MEETINGS, self.meetings), (&PARTICIPANTS, self.participants)] {
            for (bit, column) in table.columns.iter().enumerate() {
                let is_expected =
                    |field: &&str| column.kind != Kind::WallClock && !FIELDS_OF_SOME_ITEMS.contains(field);
                if let Some(field) = column.field().filter(is_expected).filter(|_| sent.lacks(bit)) {
                    let (name, items) = (field.to_owned(), sent.items);
                    absent.push(AbsentField { name, table: table.name, column: column.name, items });
                }
            }
        }
        let (table, common) = (QUALITY_SAMPLES.name, &LAYOUT[COMMON_SECTION]);
        if self.samples.lacks(COMMON_SECTION) {
            let (name, column) = (common.name.to_owned(), common.leaves[0].column);
            absent.push(AbsentField { name, table, column, items: self.samples.items });
        }
        for (section, sent) in LAYOUT.iter().zip(self.sections) {
            for leaf in section.leaves.iter().filter(|leaf| sent.lacks(leaf.slot)) {
                let name = format!("{}.{}", section.name, leaf.field);
                absent.push(AbsentField { name, table, column: leaf.column, items: sent.items });
            }
        }
        absent.retain(|field| field.items >= min_items);
        absent
    }
}

/// An item without any field says nothing about single fields.
fn count_item(sent: &mut Sent, table: &Table, item: &Item) {
    if item.is_empty() {
        return;
    }
    sent.items += 1;
    for (bit, column) in table.columns.iter().enumerate() {
        // Only the first item with a field is searched for it.
        if sent.fields >> bit & 1 == 0 && column.field().is_some_and(|field| item.contains_key(field)) {
            sent.fields |= 1 << bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_column_has_a_bit() {
        for table in [&MEETINGS, &PARTICIPANTS] {
            assert!(table.columns.len() <= 64, "{}", table.name);
        }
    }

    #[test]
    fn items_with_every_field_lack_none_and_each_field_that_none_has_is_named() {
        for (table, count) in [
            (&MEETINGS, SentFields::count_meeting as fn(&mut SentFields, &Item)),
            (&PARTICIPANTS, SentFields::count_participant),
        ] {
            let fields: Vec<&str> = table.columns.iter().filter_map(|column| column.field()).collect();
            let absent = |without: &str| -> Vec<String> {
                let mut sent = SentFields::default();
                for number in 0..20 {
                    let value = if number == 0 { Value::Null } else { json!("") };
                    let kept = fields.iter().filter(|field| **field != without);
                    count(&mut sent, &kept.map(|field| ((*field).to_owned(), value.clone())).collect());
                }
                count(&mut sent, &Item::new());
                assert_eq!(sent.absent(21), []);
                sent.absent(20).into_iter().map(|field| field.name).collect()
            };
            assert_eq!(absent(""), Vec::<String>::new(), "{}", table.name);
            for field in fields.iter().filter(|field| !FIELDS_OF_SOME_ITEMS.contains(field)) {
                assert_eq!(absent(field), [*field], "{}", table.name);
            }
        }
    }

    #[test]
    fn a_field_that_one_of_several_sums_has_is_not_absent() {
        let item = |field: &str| Item::from_iter([(field.to_owned(), json!("x"))]);
        let (mut one, mut other) = (SentFields::default(), SentFields::default());
        one.count_meeting(&item("organizer"));
        other.count_meeting(&item("meeting_topic"));
        one.add(&other);
        let absent = one.absent(2);
        assert!(absent.iter().any(|field| field.name == "email" && field.items == 2), "{absent:?}");
        assert!(!absent.iter().any(|field| ["organizer", "meeting_topic"].contains(&field.name.as_str())));
    }
}
