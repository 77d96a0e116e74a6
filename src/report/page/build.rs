//! Builds the page.

use duckdb::Connection;

use super::error::PageError;
use super::period::Span;
use super::request::PageRequest;
use super::{contents, render};

#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub html: String,
    pub span: Span,
    /// Days of the period with quality minutes.
    pub days_with_minutes: usize,
    /// Meetings shown minute by minute.
    pub meetings: usize,
    /// Why the page is empty; `None` if it is not.
    pub empty_reason: Option<String>,
}

/// Builds the page. The session of the connection keeps temporary tables and macros, so it must not be used otherwise.
///
/// # Errors
/// [`PageError::EmptyStore`] if no date is requested and the store has none; [`PageError::OutdatedStore`] if the store
/// was published by an older version.
pub(crate) fn build(connection: &Connection, request: &PageRequest) -> Result<Page, PageError> {
    let contents = contents::read(connection, request)?;
    Ok(Page {
        html: render::html(&contents.data),
        span: contents.span,
        days_with_minutes: contents.days_with_minutes,
        meetings: contents.meetings,
        empty_reason: contents.empty_reason,
    })
}
