//! Where the search reads from, and how it fails.

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
