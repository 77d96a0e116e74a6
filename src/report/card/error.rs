//! Errors of cards.

use super::model::Choice;

/// In a store where identities are replaced by tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The tokens of the text were searched too.
    pub has_key: bool,
    /// Names are kept, as tokens; otherwise only IDs are.
    pub has_names: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CardError {
    #[error("{what} is needed, not an empty text")]
    Empty { what: &'static str, list: &'static str },
    #[error("nobody in the store has the name, e-mail address or ID {text:?}")]
    UnknownUser { text: String, known: Vec<String>, replaced: Option<Replaced> },
    #[error("{text:?} matches {} people, rooms or guests", choices.len())]
    SeveralUsers { text: String, choices: Vec<Choice> },
    #[error("no meeting in the store has the number or key {text:?}{within}")]
    UnknownMeeting { text: String, within: String, known: Vec<String> },
    #[error("there is no incident {text:?} in the store")]
    UnknownIncident { text: String, known: Vec<String> },
    #[error("there is no profile {profile:?} in the store")]
    UnknownProfile { profile: String, known: Vec<String> },
    /// The store was published by an older version.
    #[error("the published database has no incidents yet")]
    OutdatedStore,
    #[error("could not read {what} for the card")]
    Query { what: &'static str, source: duckdb::Error },
    /// A value that is not a scalar.
    #[error("{what} returned a value of type {found} in the column {column}")]
    NotScalar { what: &'static str, column: String, found: String },
}
