//! The coverage statuses: how a participant stands.

/// How a participant row (or a meeting whose participants could not be listed) stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// All pages read, at least one sample.
    Complete,
    /// All pages read, no sample.
    Empty,
    /// The vendor does not know the meeting or the device.
    NotFound,
    /// Neither user nor room id: it cannot be asked for.
    Unaddressable,
    /// The meeting is over 24 h long and the vendor refuses the window.
    TooLong,
    /// The role does not reach this one.
    Forbidden,
    /// The vendor does not support this one.
    Unsupported,
    /// Retries used up: still pending.
    Failed,
    /// Not asked yet, or asked too early to be final.
    Pending,
}

impl Status {
    pub const ALL: &'static [Status] = &[
        Status::Complete,
        Status::Empty,
        Status::NotFound,
        Status::Unaddressable,
        Status::TooLong,
        Status::Forbidden,
        Status::Unsupported,
        Status::Failed,
        Status::Pending,
    ];

    /// The word in `coverage.status`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Complete => "complete",
            Status::Empty => "empty",
            Status::NotFound => "not_found",
            Status::Unaddressable => "unaddressable",
            Status::TooLong => "too_long",
            Status::Forbidden => "forbidden",
            Status::Unsupported => "unsupported",
            Status::Failed => "failed",
            Status::Pending => "pending",
        }
    }

    /// The status of that name.
    pub fn named(name: &str) -> Option<Status> {
        Status::ALL.iter().copied().find(|status| status.name() == name)
    }
}
