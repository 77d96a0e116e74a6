//! A range of dates.

/// The dates on which a row is valid, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Days {
    /// Inclusive; 0 means always, since no meeting is older.
    pub from: i32,
    /// Exclusive; `None` if still valid.
    pub until: Option<i32>,
}

impl Days {
    pub(crate) const ALL: Days = Days { from: 0, until: None };

    pub(crate) fn contains(self, day: i32) -> bool {
        self.from <= day && day < self.end()
    }

    pub(crate) fn overlaps(self, other: Days) -> bool {
        self.from < other.end() && other.from < self.end()
    }

    /// The exclusive end; `i32::MAX` if still valid.
    pub(super) fn end(self) -> i32 {
        self.until.unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_exclusive() {
        let days = Days { from: 10, until: Some(20) };
        assert_eq!([9, 10, 19, 20].map(|day| days.contains(day)), [false, true, true, false]);
        assert!(!days.overlaps(Days { from: 20, until: None }) && days.overlaps(Days { from: 19, until: None }));
    }
}
