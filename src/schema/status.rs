//! The coverage status of a participant row, or of a meeting whose participants could not be listed.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All pages read, at least one sample.
    Complete,
    /// All pages read, no sample.
    Empty,
    /// Feishu does not know the meeting or the device.
    NotFound,
    /// Neither user id nor room id: it cannot be requested.
    Unaddressable,
    /// The meeting is longer than 24 h and Feishu refuses the window.
    TooLong,
    /// The app's role does not include this participant.
    Forbidden,
    /// Feishu does not support this participant.
    Unsupported,
    /// All retries failed; later runs request it again.
    Failed,
    /// Not requested yet, or requested too early to be final.
    #[default]
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

    /// The value of `coverage.status`.
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

    pub fn from_name(name: &str) -> Option<Status> {
        Status::ALL.iter().copied().find(|status| status.name() == name)
    }
}
