//! The values of a quality item and their position in a row: a slot for each column of `quality_samples` with a source.

use std::sync::LazyLock;

use crate::schema::{Kind, QUALITY_SAMPLES, Raw, SECTIONS};

pub(super) const LIST_KEY: &str = "participant_quality_list";

/// 39 metrics and 5 times.
pub(super) const SLOT_COUNT: usize = 44;

pub(super) const SECTION_COUNT: usize = 5;

/// One value of a section.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub field: &'static str,
    /// The field as it is nearly always sent: quoted, with its colon.
    pub key: String,
    pub column: &'static str,
    pub kind: Kind,
    pub slot: usize,
}

#[derive(Debug)]
pub(super) struct SectionLeaves {
    pub name: &'static str,
    /// The name as it is nearly always sent: quoted, with its colon.
    pub key: String,
    /// In the documented order; the first is the time.
    pub leaves: Vec<Leaf>,
}

/// Receives the values of a page in their order.
pub(super) trait Sink {
    /// A value of the current item.
    fn leaf(&mut self, leaf: &Leaf, raw: Raw<'_>);
    /// A field without a column.
    fn unknown(&mut self, section: Option<&'static str>, field: &str);
    /// The current item has ended.
    fn item_end(&mut self);
}

/// The sections in the order of [`SECTIONS`].
pub(super) static LAYOUT: LazyLock<Vec<SectionLeaves>> = LazyLock::new(|| {
    let sourced: Vec<(&str, Leaf)> = QUALITY_SAMPLES
        .columns
        .iter()
        .filter(|column| !column.source.is_empty())
        .enumerate()
        .map(|(slot, column)| {
            let field = column.source.rsplit('/').next().unwrap_or_default();
            (column.source, Leaf { field, key: quoted_key(field), column: column.name, kind: column.kind, slot })
        })
        .collect();
    SECTIONS
        .iter()
        .map(|section| {
            let prefix = format!("/{section}/");
            let of_section = |(source, _): &&(&str, Leaf)| source.starts_with(&prefix);
            let leaves = sourced.iter().filter(of_section).map(|(_, leaf)| leaf.clone()).collect();
            SectionLeaves { name: section, key: quoted_key(section), leaves }
        })
        .collect()
});

/// The slots of each section, as bits.
pub(super) static SECTION_SLOTS: LazyLock<[u64; SECTION_COUNT]> = LazyLock::new(|| {
    std::array::from_fn(|section| LAYOUT[section].leaves.iter().fold(0, |slots, leaf| slots | 1 << leaf.slot))
});

fn quoted_key(field: &str) -> String {
    format!("\"{field}\":")
}

/// The slot of a section's time.
pub(super) fn time_slot(section: usize) -> usize {
    LAYOUT[section].leaves[0].slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_used_once_and_each_section_starts_with_its_time() {
        let mut slots: Vec<usize> =
            LAYOUT.iter().flat_map(|section| section.leaves.iter().map(|leaf| leaf.slot)).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..SLOT_COUNT).collect::<Vec<_>>());
        for section in LAYOUT.iter() {
            assert_eq!((section.leaves[0].field, section.leaves[0].kind), ("time", Kind::Instant));
        }
    }
}
