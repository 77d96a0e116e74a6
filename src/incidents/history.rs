//! Where the search reads from, and how it fails.

use std::borrow::Cow;

/// The token of a person's ID. Some dates may hold tokens and others the IDs; a token is its own token.
pub(crate) type TokenOf<'a> = &'a dyn for<'t> Fn(&'t str) -> Cow<'t, str>;

/// Where the history of a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// In the tables `judged_participants` and `incident_participants`, which hold the profile of the store.
    Stored,
    /// It is computed by the macros, for another profile.
    Computed,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum IncidentError {
    #[error(transparent)]
    Duckdb(#[from] duckdb::Error),
}
