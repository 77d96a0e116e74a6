//! `_replaced.json`: since when objects are in no manifest. They are removed when readers have had time to end.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::error::RemoteError;
use crate::schema::utc_text;

pub(super) const REPLACED: &str = "_replaced.json";

fn instant_us(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Objects that the current manifest does not name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReplacedParts {
    /// RFC 3339 UTC, by path.
    since_utc: BTreeMap<String, String>,
}

impl ReplacedParts {
    /// A file that cannot be read only delays the removal.
    pub(super) async fn read(bucket: &Bucket) -> Result<ReplacedParts, RemoteError> {
        let found = bucket.read(REPLACED).await?;
        Ok(found.and_then(|found| serde_json::from_slice(&found.bytes).ok()).unwrap_or_default())
    }

    /// The next version: those of `unnamed`, since the time that is known, else since now.
    pub(super) fn next(&self, unnamed: &BTreeSet<String>, now_us: i64) -> ReplacedParts {
        let since = |path: &String| {
            let known = self.since_utc.get(path).and_then(|text| instant_us(text));
            // A clock that was ahead must not delay the removal.
            utc_text(known.unwrap_or(now_us).min(now_us))
        };
        ReplacedParts { since_utc: unnamed.iter().map(|path| (path.clone(), since(path))).collect() }
    }

    /// Those that are unnamed for as long as `keep_us`.
    pub(super) fn due(&self, keep_us: i64, now_us: i64) -> Vec<String> {
        let is_due = |since: &str| instant_us(since).is_none_or(|since_us| since_us.saturating_add(keep_us) <= now_us);
        self.since_utc.iter().filter(|(_, since)| is_due(since)).map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.since_utc.len()
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;

    #[test]
    fn a_part_is_due_when_it_was_replaced_long_enough_ago() {
        let names = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        let first = ReplacedParts::default().next(&names(&["a", "b"]), DAY_US);
        let second = first.next(&names(&["b", "c"]), 3 * DAY_US);
        assert_eq!(second.due(2 * DAY_US, 3 * DAY_US), ["b"]);
        assert_eq!(second.due(3 * DAY_US, 3 * DAY_US), Vec::<String>::new());
        assert_eq!(second.due(0, 3 * DAY_US), ["b", "c"]);
        // The clock was set back in between.
        assert_eq!(second.next(&names(&["c"]), DAY_US).due(DAY_US, 2 * DAY_US), ["c"]);
    }
}
