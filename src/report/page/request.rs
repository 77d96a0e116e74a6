//! What a page is requested for.

use jiff::civil::Date;

use super::period::Period;

#[derive(Debug, Clone)]
pub(crate) struct PageRequest {
    pub period: Period,
    /// A day in the period; `None`: the last complete period with meetings in the store.
    pub date: Option<Date>,
    /// Today in the tenant's time zone.
    pub today: Option<Date>,
    pub profile: String,
    pub language: Language,
    /// Number of worst meetings shown minute by minute.
    pub meetings: u32,
}

/// The initial language of a page; readers can switch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// The language of the browser.
    Auto,
    English,
    Chinese,
}

impl Language {
    pub(super) fn code(self) -> &'static str {
        match self {
            Language::Auto => "auto",
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }
}
