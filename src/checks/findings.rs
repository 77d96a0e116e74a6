//! What was checked and what was found: counts of everything, and the first findings of each check.

/// One check, as data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub name: &'static str,
    /// What is counted as examined: files, rows, records.
    pub of: &'static str,
    /// What holds where it finds nothing.
    pub means: &'static str,
    /// What to do where it finds something.
    pub advice: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where: a path, or table, date and key. May hold text from outside.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there. May hold text from outside.
    pub found: String,
}

/// How one check ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub check: &'static Check,
    /// How much was looked at, in the check's own unit.
    pub examined: u64,
    /// How many differences there are.
    pub found: u64,
    /// The first of them.
    pub first: Vec<Finding>,
    /// Why the check could not be made, or not on everything.
    pub skipped: Option<String>,
}

/// Characters of a text that are kept: a key or a value from outside may be megabytes long.
const TEXT_CHARS: usize = 400;

fn short(text: String) -> String {
    match text.char_indices().nth(TEXT_CHARS) {
        Some((end, _)) => format!("{}... ({} bytes in all)", &text[..end], text.len()),
        None => text,
    }
}

/// How every check ended, in the order of the table of checks.
#[derive(Debug)]
pub(crate) struct Findings {
    limit: usize,
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
}

impl Findings {
    /// Nothing found yet. `limit` is how many findings of each check are kept; all are counted.
    pub(crate) fn new(limit: usize, checks: impl Iterator<Item = &'static Check>) -> Findings {
        let outcomes =
            checks.map(|check| Outcome { check, examined: 0, found: 0, first: Vec::new(), skipped: None }).collect();
        Findings { limit, outcomes, notes: Vec::new() }
    }

    /// How many findings of each check are kept.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Counts what was looked at.
    pub(crate) fn examined(&mut self, check: &'static Check, count: u64) {
        self.of(check).examined += count;
    }

    pub(crate) fn found(
        &mut self,
        check: &'static Check,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        let limit = self.limit;
        let outcome = self.of(check);
        outcome.found += 1;
        if outcome.first.len() < limit {
            let finding =
                Finding { place: short(place.into()), expected: short(expected.into()), found: short(found.into()) };
            outcome.first.push(finding);
        }
    }

    /// Counts findings that are not shown one by one.
    pub(crate) fn found_more(&mut self, check: &'static Check, count: u64) {
        self.of(check).found += count;
    }

    /// How many more findings of a check would be kept.
    pub(crate) fn room(&mut self, check: &'static Check) -> usize {
        self.limit.saturating_sub(self.of(check).first.len())
    }

    /// Says that a check was not made, or not on everything. The first reason stays.
    pub(crate) fn skip(&mut self, check: &'static Check, why: impl Into<String>) {
        self.of(check).skipped.get_or_insert_with(|| why.into());
    }

    /// Tells something that is no difference.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Whether a check found something.
    pub(crate) fn has(&self, check: &'static Check) -> bool {
        self.outcomes.iter().any(|outcome| outcome.check == check && outcome.found > 0)
    }

    pub(crate) fn total(&self) -> u64 {
        self.outcomes.iter().map(|outcome| outcome.found).sum()
    }

    /// How each check ended.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// What is told beside.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn of(&mut self, check: &'static Check) -> &mut Outcome {
        let position = self.outcomes.iter().position(|outcome| outcome.check == check);
        let position = position.unwrap_or_else(|| {
            // A check that nobody announced comes last.
            self.outcomes.push(Outcome { check, examined: 0, found: 0, first: Vec::new(), skipped: None });
            self.outcomes.len() - 1
        });
        &mut self.outcomes[position]
    }
}
