//! Compares the incidents of a report with the truth.
//!
//! A row finds a planted incident if scope and metric are the same and at least half of the time agrees: of the longer
//! of the two for acute incidents, of the shorter for chronic ones, whose report begins within the last ten days.

/// An incident, planted or reported. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incident {
    pub(crate) scope_kind: String,
    pub(crate) scope: String,
    pub(crate) metric: String,
    pub(crate) is_chronic: bool,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Incident {
    fn is_of_the_same_scope(&self, other: &Incident) -> bool {
        (&self.scope_kind, &self.scope) == (&other.scope_kind, &other.scope)
    }

    fn length(&self) -> i64 {
        self.end - self.start
    }

    fn shared_s(&self, other: &Incident) -> i64 {
        (self.end.min(other.end) - self.start.max(other.start)).max(0)
    }

    /// Whether a row says something true about this planted incident.
    fn is_described_by(&self, row: &Incident) -> bool {
        self.is_of_the_same_scope(row) && self.metric == row.metric && 2 * self.shared_s(row) >= row.length()
    }

    fn is_found_by(&self, row: &Incident) -> bool {
        let length = match self.is_chronic {
            true => self.length().min(row.length()),
            false => self.length().max(row.length()),
        };
        self.is_of_the_same_scope(row) && self.metric == row.metric && 2 * self.shared_s(row) >= length
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// By the number of the planted incident.
    Finds(usize),
    /// True of a planted incident that another row finds, or of a part of one.
    Repeats(usize),
    /// A usual problem that is chronic by the samples: neither required nor wrong.
    Usual,
    False,
}

/// The verdict on each row.
pub(crate) fn judge(planted: &[Incident], usual: &[Incident], rows: &[Incident]) -> Vec<Verdict> {
    let mut is_found = vec![false; planted.len()];
    let mut verdicts: Vec<Option<Verdict>> = rows
        .iter()
        .map(|row| {
            let at = (0..planted.len()).find(|at| !is_found[*at] && planted[*at].is_found_by(row))?;
            is_found[at] = true;
            Some(Verdict::Finds(at))
        })
        .collect();
    for (verdict, row) in verdicts.iter_mut().zip(rows).filter(|(verdict, _)| verdict.is_none()) {
        let described = planted.iter().position(|one| one.is_described_by(row));
        *verdict = match described {
            Some(at) => Some(Verdict::Repeats(at)),
            None if usual.iter().any(|one| one.is_of_the_same_scope(row)) => Some(Verdict::Usual),
            None => Some(Verdict::False),
        };
    }
    verdicts.into_iter().map(|verdict| verdict.unwrap_or(Verdict::False)).collect()
}

/// The 95 % confidence interval (Wilson) of a share, 0 to 1.
pub(crate) fn wilson(part: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (n, share, z) = (all as f64, part as f64 / all as f64, 1.96_f64);
    let middle = share + z * z / (2.0 * n);
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z * z / n;
    (((middle - spread) / whole).max(0.0), ((middle + spread) / whole).min(1.0))
}
