//! Answered pages in, typed rows and rejects out.
//!
//! Owns: which row an item becomes, how the answers of several walks make one row, and what lands in `rejects`.
//! Promises: pure functions of the pages, the tenant's zone and the date; no clock, no disk, no network; no value is
//! lost without a reject. Leaves out: where pages come from (`extract`) and where rows go (`load`).

mod coverage;
mod fast;
mod lists;
mod page;
mod reject;
mod samples;
mod slots;

pub(crate) use coverage::{Asked, Listing, coverage_rows};
pub(crate) use lists::{ListWalk, MeetingsOfDate, Participant, ParticipantsOfMeeting, Window};
pub(crate) use page::PageError;
pub(crate) use reject::Reject;
pub(crate) use reject::reject_rows;
pub use samples::{SampleBatches, TypedWalk, WalkParser};

use std::collections::BTreeMap;

/// Fields that the tables don't know, with how often they were seen. Nested ones are `section.field`.
pub(crate) type UnknownFields = BTreeMap<String, u64>;

/// So many different names are counted apart; a vendor that sends more is not documenting a change.
const MOST_UNKNOWN_FIELDS: usize = 200;
/// A name is kept up to this many characters.
const UNKNOWN_FIELD_CHARS: usize = 100;
/// What stands for the fields beyond.
pub(crate) const OTHER_FIELDS: &str = "(others)";

/// Counts a field that the tables don't know. The names are the vendor's, so their number and length are bounded.
pub(crate) fn count_unknown_field(fields: &mut UnknownFields, name: &str, times: u64) {
    if let Some(count) = fields.get_mut(name) {
        *count += times;
        return;
    }
    let shortened = name.char_indices().nth(UNKNOWN_FIELD_CHARS).map(|(end, _)| format!("{}...", &name[..end]));
    let name = if fields.len() < MOST_UNKNOWN_FIELDS { shortened.as_deref().unwrap_or(name) } else { OTHER_FIELDS };
    *fields.entry(name.to_owned()).or_default() += times;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_end_are_counted_together() {
        let mut fields = UnknownFields::new();
        for number in 0..100_000 {
            count_unknown_field(&mut fields, &format!("field_{number}"), 1);
        }
        count_unknown_field(&mut fields, &"x".repeat(10 << 20), 1);
        count_unknown_field(&mut fields, "field_0", 4);
        assert!(fields.len() <= MOST_UNKNOWN_FIELDS + 1, "{}", fields.len());
        assert_eq!((fields["field_0"], fields.values().sum::<u64>()), (5, 100_005));
        let mut long = UnknownFields::new();
        count_unknown_field(&mut long, &"é".repeat(101), 1);
        assert_eq!(long.keys().next().map(|name| name.chars().count()), Some(UNKNOWN_FIELD_CHARS + 3));
    }
}
