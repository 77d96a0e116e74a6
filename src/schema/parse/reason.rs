//! Why a value or a row could not be converted.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    Unparsable,
    /// A number followed by a unit that is unknown for this kind.
    UnknownUnit,
    /// Of the right kind, but impossible.
    OutOfRange,
    /// A row without any time.
    NoTime,
    /// A row with the same time as a later row of the same participant.
    DuplicateSample,
}

impl Reason {
    pub const ALL: &'static [Reason] =
        &[Reason::Unparsable, Reason::UnknownUnit, Reason::OutOfRange, Reason::NoTime, Reason::DuplicateSample];

    /// The value of `rejects.reason`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Unparsable => "unparsable",
            Reason::UnknownUnit => "unknown_unit",
            Reason::OutOfRange => "out_of_range",
            Reason::NoTime => "no_time",
            Reason::DuplicateSample => "duplicate_sample",
        }
    }
}
