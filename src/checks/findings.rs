//! The results of the checks: counts of everything, and the first findings of each check.

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub name: &'static str,
    /// The unit that is counted as examined: files, rows, records.
    pub of: &'static str,
    /// What must be true.
    pub means: &'static str,
    /// What to do about findings.
    pub advice: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Finding {
    /// A path, or table, date and key. May contain untrusted text.
    pub place: String,
    pub expected: String,
    /// May contain untrusted text.
    pub found: String,
}

/// The result of one check.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub check: &'static Check,
    /// In the check's unit.
    pub examined: u64,
    pub found: u64,
    pub first: Vec<Finding>,
    /// Why the check was skipped, entirely or in part.
    pub skipped: Option<String>,
}

impl Outcome {
    fn new(check: &'static Check) -> Outcome {
        Outcome { check, examined: 0, found: 0, first: Vec::new(), skipped: None }
    }
}

/// Long texts are cut: an untrusted key or value may be megabytes long.
fn shortened(text: String) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}... ({} bytes in all)", &text[..end], text.len()),
        None => text,
    }
}

/// The results of all checks, in the order of the table of checks.
#[derive(Debug)]
pub(crate) struct Findings {
    limit: usize,
    pub(crate) outcomes: Vec<Outcome>,
    /// Information that is not a finding.
    pub(crate) notes: Vec<String>,
}

impl Findings {
    /// Keeps up to `limit` findings of each check; all are counted.
    pub(crate) fn new(limit: usize, checks: impl Iterator<Item = &'static Check>) -> Findings {
        Findings { limit, outcomes: checks.map(Outcome::new).collect(), notes: Vec::new() }
    }

    pub(crate) fn examined(&mut self, check: &'static Check, count: u64) {
        self.outcome(check).examined += count;
    }

    pub(crate) fn found(
        &mut self,
        check: &'static Check,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        let limit = self.limit;
        let outcome = self.outcome(check);
        outcome.found += 1;
        if outcome.first.len() < limit {
            let (place, expected, found) = (place.into(), expected.into(), found.into());
            let [place, expected, found] = [place, expected, found].map(shortened);
            outcome.first.push(Finding { place, expected, found });
        }
    }

    /// Counts findings that are not kept.
    pub(crate) fn found_unlisted(&mut self, check: &'static Check, count: u64) {
        self.outcome(check).found += count;
    }

    /// How many more findings of a check can be kept.
    pub(crate) fn remaining(&mut self, check: &'static Check) -> usize {
        self.limit.saturating_sub(self.outcome(check).first.len())
    }

    /// Records that a check was skipped, entirely or in part. The first reason is kept.
    pub(crate) fn skip(&mut self, check: &'static Check, why: impl Into<String>) {
        self.outcome(check).skipped.get_or_insert_with(|| why.into());
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub(crate) fn total(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.found).sum()
    }

    fn outcome(&mut self, check: &'static Check) -> &mut Outcome {
        let position = self.outcomes.iter().position(|outcome| outcome.check == check);
        let position = position.unwrap_or_else(|| {
            self.outcomes.push(Outcome::new(check));
            self.outcomes.len() - 1
        });
        &mut self.outcomes[position]
    }
}
