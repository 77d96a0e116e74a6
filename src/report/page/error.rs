//! Why there is no page.

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// No date was given, and the store has none.
    #[error("the store holds no meetings yet")]
    EmptyStore,
    /// A store of an older program.
    #[error("the published database has no shared definitions yet")]
    NoDefinitions,
    /// No such set of limits in the store.
    #[error("there is no profile {profile:?} in the store")]
    UnknownProfile {
        profile: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// A date whose period would leave the calendar.
    #[error("the {period} of {date} is not on the calendar")]
    OffCalendar { period: &'static str, date: String },
    #[error("could not read {what} for the page")]
    Query { what: &'static str, source: duckdb::Error },
    /// A value of a type that has no place on the page.
    #[error("{what} returned a value of type {found} in the column {column}")]
    NotScalar { what: &'static str, column: String, found: String },
}
