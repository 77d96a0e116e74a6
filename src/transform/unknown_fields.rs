//! Counts the fields that the tables do not have: a sign that the API has changed.

use std::collections::BTreeMap;

/// The number of occurrences by field. Nested fields are `section.field`.
pub(crate) type UnknownFields = BTreeMap<String, u64>;

/// Maximum number of fields that are counted by name; more do not result from an API change.
const MAX_UNKNOWN_FIELDS: usize = 200;
/// Longer names are truncated.
const MAX_FIELD_NAME_CHARS: usize = 100;
/// The name under which all further fields are counted.
const OTHER_FIELDS: &str = "(others)";

/// Counts a field without a column. The names come from outside, so their number and length are bounded.
pub(crate) fn count_unknown_field(fields: &mut UnknownFields, name: &str, times: u64) {
    if let Some(count) = fields.get_mut(name) {
        *count += times;
        return;
    }
    let shortened = name.char_indices().nth(MAX_FIELD_NAME_CHARS).map(|(end, _)| format!("{}...", &name[..end]));
    let name = if fields.len() < MAX_UNKNOWN_FIELDS { shortened.as_deref().unwrap_or(name) } else { OTHER_FIELDS };
    *fields.entry(name.to_owned()).or_default() += times;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unlimited_number_of_names_is_counted_together() {
        let mut fields = UnknownFields::new();
        for number in 0..100_000 {
            count_unknown_field(&mut fields, &format!("field_{number}"), 1);
        }
        count_unknown_field(&mut fields, &"x".repeat(10 << 20), 1);
        count_unknown_field(&mut fields, "field_0", 4);
        assert!(fields.len() <= MAX_UNKNOWN_FIELDS + 1, "{}", fields.len());
        assert_eq!((fields["field_0"], fields.values().sum::<u64>()), (5, 100_005));
        let mut long = UnknownFields::new();
        count_unknown_field(&mut long, &"é".repeat(101), 1);
        assert_eq!(long.keys().next().map(|name| name.chars().count()), Some(MAX_FIELD_NAME_CHARS + 3));
    }
}
