//! The coverage status of a participant row, or of a meeting whose participants could not be listed.

use super::named::named;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All pages read, at least one sample.
    Complete,
    /// All pages read, no sample.
    Empty,
    /// All pages read, items came, but none had a readable time.
    Unreadable,
    /// Feishu does not know the meeting or the device.
    NotFound,
    /// Neither user ID nor room id: it cannot be requested.
    Unaddressable,
    /// The meeting is longer than 24 h and Feishu refuses the window.
    TooLong,
    /// The app's role does not include this participant.
    Forbidden,
    /// Feishu does not support this participant.
    Unsupported,
    /// Feishu counts more participants for the meeting than its list has.
    ListShort,
    /// All retries failed; later runs request it again.
    Failed,
    /// Not requested yet, or requested too early to be final.
    #[default]
    Pending,
}

named!(Status {
    Complete "complete"
    Empty "empty"
    Unreadable "unreadable"
    NotFound "not_found"
    Unaddressable "unaddressable"
    TooLong "too_long"
    Forbidden "forbidden"
    Unsupported "unsupported"
    ListShort "list_short"
    Failed "failed"
    Pending "pending"
});

impl Status {
    pub fn from_name(name: &str) -> Option<Status> {
        Status::ALL.iter().copied().find(|status| status.name() == name)
    }
}
