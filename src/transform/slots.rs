//! Where the leaves of a quality item go: the sourced columns of `quality_samples`, numbered.

use std::sync::LazyLock;

use crate::schema::{Kind, QUALITY_SAMPLES, SECTIONS};

/// How many columns of `quality_samples` have a source: 39 metrics and 5 times.
pub(super) const SLOT_COUNT: usize = 44;

/// One leaf of a section.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub field: &'static str,
    /// The name as an answer has it nearly always: quoted, with its colon.
    pub key: String,
    pub column: &'static str,
    pub kind: Kind,
    /// Its place in a row.
    pub slot: usize,
}

/// One section with its leaves, in the vendor's order.
#[derive(Debug)]
pub(super) struct SectionLeaves {
    /// The vendor's name of the section.
    pub name: &'static str,
    /// The name as an answer has it nearly always: quoted, with its colon.
    pub key: String,
    /// Its leaves; the first is its time.
    pub leaves: Vec<Leaf>,
}

/// The sections in the order of [`SECTIONS`].
pub(super) static LAYOUT: LazyLock<Vec<SectionLeaves>> = LazyLock::new(|| {
    let sourced: Vec<Leaf> = QUALITY_SAMPLES
        .columns
        .iter()
        .filter(|column| !column.source.is_empty())
        .enumerate()
        .map(|(slot, column)| {
            let field = column.source.rsplit('/').next().unwrap_or_default();
            Leaf { field, key: key_of(field), column: column.name, kind: column.kind, slot }
        })
        .collect();
    SECTIONS
        .iter()
        .map(|section| {
            let prefix = format!("/{section}/");
            let leaves = QUALITY_SAMPLES
                .columns
                .iter()
                .filter(|column| column.source.starts_with(&prefix))
                .filter_map(|column| sourced.iter().find(|leaf| leaf.column == column.name).cloned())
                .collect();
            SectionLeaves { name: section, key: key_of(section), leaves }
        })
        .collect()
});

fn key_of(field: &str) -> String {
    format!("\"{field}\":")
}

/// The slot of a section's own time.
pub(super) fn time_slot(section: usize) -> usize {
    LAYOUT[section].leaves[0].slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_taken_once_and_each_section_opens_with_its_time() {
        let mut slots: Vec<usize> =
            LAYOUT.iter().flat_map(|section| section.leaves.iter().map(|leaf| leaf.slot)).collect();
        slots.sort_unstable();
        assert_eq!(slots, (0..SLOT_COUNT).collect::<Vec<_>>());
        for section in LAYOUT.iter() {
            assert_eq!((section.leaves[0].field, section.leaves[0].kind), ("time", Kind::Instant));
        }
    }
}
