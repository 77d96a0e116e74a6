//! `stored_marked_minutes`, `stored_cpu_minutes` and `stored_audio_streams`: what the reports read instead of judging
//! every minute again.
//!
//! Promises: the rows are those that the macros compute with the thresholds in `stored_limits`, however they were
//! published. Leaves out the definitions, which are in `sql/views`: a session with other thresholds gets its own rows
//! from the macros.

use std::collections::BTreeSet;

use super::dates::{JUDGED_SAMPLES, on_days, samples, since_until, spans};
use super::draft::Draft;
use super::error::Result;
use crate::schema::{
    STORED_AUDIO_STREAMS, STORED_CPU_MINUTES, STORED_LIMITS, STORED_MARKED_MINUTES, THRESHOLDS, Table, ddl,
};

pub(super) const SOURCE: &str = "caused_minutes";

/// The tables, and the macros whose rows they hold.
pub(crate) const STORED: [(&Table, &str); 3] =
    [(&STORED_MARKED_MINUTES, SOURCE), (&STORED_CPU_MINUTES, "cpu_minutes"), (&STORED_AUDIO_STREAMS, "audio_streams")];

/// Judges the minutes of the `changed` dates again; of all `published` ones if `None`. `at_once`: with two connections,
/// unless a date is too large for two statements; only in a new database.
pub(super) fn update(
    draft: &Draft,
    profile: &str,
    published: &BTreeSet<i32>,
    changed: Option<&BTreeSet<i32>>,
    at_once: bool,
) -> Result {
    // While there are none, the macros compute every row.
    draft.execute("delete rows from", &format!("delete from {}", STORED_LIMITS.name))?;
    let dates = changed.map_or_else(|| published.clone(), |changed| changed & published);
    let samples = samples(draft, &dates)?;
    // Two statements share the memory.
    let of_two = JUDGED_SAMPLES / 2;
    let at_once = at_once && samples.iter().all(|(_, samples)| *samples <= of_two);
    let spans = spans(&samples, if at_once { of_two } else { JUDGED_SAMPLES });
    let mut lists: Vec<Vec<String>> = Vec::new();
    for (table, source) in STORED {
        let outdated = changed.map_or_else(|| "true".to_owned(), on_days);
        draft.execute("remove outdated dates from", &format!("delete from {} where {outdated}", table.name))?;
        lists.push(spans.iter().map(|span| insert(table.name, table, source, profile, *span)).collect());
    }
    match at_once {
        // One connection for the first table, which takes as long as the others together.
        true => {
            let others = lists.split_off(1).concat();
            lists.push(others);
            draft.execute_at_once("judge the minutes of", lists)?;
        }
        false => lists.iter().flatten().try_for_each(|sql| draft.execute("judge the minutes of", sql))?,
    }
    let columns = columns(&STORED_LIMITS);
    let sql = format!(
        "insert into {} select {columns} from {} where profile = {}",
        STORED_LIMITS.name,
        THRESHOLDS.name,
        ddl::quoted(profile)
    );
    draft.execute("record the thresholds in", &sql)
}

/// A statement that inserts the rows of a span of days into a table with the columns of `table`.
pub(crate) fn insert(into: &str, table: &Table, source: &str, profile: &str, span: (i32, i32)) -> String {
    format!(
        "insert into {into} by name select {} from {source}({}, profile := {}) order by {}",
        columns(table),
        since_until(span),
        ddl::quoted(profile),
        table.sort.join(", ")
    )
}

fn columns(table: &Table) -> String {
    table.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}
