//! A period as one page: a single HTML file that needs no network, with its data, its program and its charts inside.
//!
//! Owns: what is on the page ([`contents`](mod@contents)), its words in both languages ([`WORDS`]), the file
//! ([`render`](mod@render)) and the charting library that is embedded ([`ECHARTS`]).
//! Promises: every number is one that a macro of the published database returned; text from the store reaches the page as
//! text and nothing else; the page can ask nobody for anything, because its own policy forbids it.
//! Leaves out: definitions and limits (`sql/`), and where the file is written (`cli`).

mod contents;
mod echarts;
mod error;
mod meetings;
mod period;
mod query;
mod render;
mod words;

use duckdb::Connection;
use jiff::civil::Date;

pub(crate) use echarts::ECHARTS;
pub(crate) use error::PageError;
pub(crate) use period::{Period, Span};
pub(crate) use words::{WORDS, Word};

/// What the page is of.
#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    /// How long the period is.
    pub period: Period,
    /// A day in it; `None`: the last one that is over and that the store has meetings of.
    pub date: Option<Date>,
    /// Today in the tenant's zone.
    pub today: Option<Date>,
    /// The limits to judge by.
    pub profile: String,
    /// The language in which it opens; it can be switched in the page.
    pub language: Language,
    /// How many of the worst meetings are on it, each with its minutes.
    pub meetings: u32,
}

/// The language in which a page opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Auto,
    English,
    Chinese,
}

impl Language {
    fn code(self) -> &'static str {
        match self {
            Language::Auto => "auto",
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }
}

/// A page, and what is on it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub html: String,
    /// The days that it is of.
    pub span: Span,
    /// Days of it that have quality minutes.
    pub days_with_minutes: usize,
    /// Meetings that it shows minute by minute.
    pub meetings: usize,
    /// Why it is empty, where it is.
    pub why_empty: Option<String>,
}

/// Makes the page. The connection is the page's own: its session keeps temporary macros.
///
/// # Errors
/// [`PageError::EmptyStore`] where no date is given and there is none, [`PageError::NoDefinitions`] where the store was
/// published by an older program, [`PageError::UnknownProfile`], and where DuckDB refuses.
pub(crate) fn page(connection: &Connection, request: &PageRequest) -> Result<Page, PageError> {
    let contents = contents::read(connection, request)?;
    let html = render::html(&contents.data);
    Ok(Page {
        html,
        span: contents.span,
        days_with_minutes: contents.days_with_minutes,
        meetings: contents.meetings,
        why_empty: contents.why_empty,
    })
}
