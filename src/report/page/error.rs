//! Errors of the page.

#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// No date was requested and the store has none.
    #[error("the store has no meetings yet")]
    EmptyStore,
    /// The store was published by an older version.
    #[error("the published database has no shared definitions yet")]
    OutdatedStore,
    #[error("there is no profile {profile:?} in the store")]
    UnknownProfile { profile: String, known: Vec<String> },
    #[error("the {period} of {date} is outside of the calendar")]
    OutOfCalendar { period: &'static str, date: String },
    #[error("could not read {what} for the page")]
    Query { what: &'static str, source: duckdb::Error },
    /// A value that is not a scalar.
    #[error("{what} returned a value of type {found} in the column {column}")]
    NotScalar { what: &'static str, column: String, found: String },
}
