//! Known fields that this run's responses do not have, although published rows do.

use std::collections::{BTreeMap, BTreeSet};

use crate::load::{DatabaseOptions, StorePaths, open_published_with};
use crate::transform::{FieldCounts, SentFields};

/// Fewer items without a field are no sign of a change.
const MIN_ITEMS: u64 = 20;

/// Table and column.
pub(super) type FilledColumns = BTreeSet<(&'static str, &'static str)>;

/// The columns with published values whose fields are in none of these responses. Without a readable database, none.
pub(super) fn filled_columns<'a>(
    paths: &StorePaths,
    database: DatabaseOptions,
    dates: impl Iterator<Item = &'a FieldCounts>,
) -> FilledColumns {
    let mut sent = SentFields::default();
    dates.for_each(|fields| sent.add(&fields.sent));
    let absent = sent.absent(1);
    if absent.is_empty() {
        return FilledColumns::new();
    }
    let Ok(connection) = open_published_with(paths, database) else { return FilledColumns::new() };
    let is_filled = |table: &str, column: &str| {
        let sql = format!("select exists (select 1 from {table} where {column} is not null)");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(false)
    };
    let columns = absent.into_iter().map(|field| (field.table, field.column));
    columns.filter(|(table, column)| is_filled(table, column)).collect()
}

/// The number of items by field, for the summary.
pub(super) fn missing_fields(sent: &SentFields, filled: &FilledColumns) -> BTreeMap<String, u64> {
    let mut missing = BTreeMap::new();
    for field in sent.absent(MIN_ITEMS) {
        if filled.contains(&(field.table, field.column)) {
            *missing.entry(field.name).or_default() += field.items;
        }
    }
    missing
}
