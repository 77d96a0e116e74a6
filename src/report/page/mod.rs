//! The HTML page of a period: a single file that works offline, with its data, scripts and charts embedded.
//!
//! Owns the content of the page, its texts in both languages, the file, and the embedded chart library. Promises that
//! every number comes from a macro of the published database, that text from the store is never interpreted as markup,
//! and that the page makes no request, which its content security policy enforces. Leaves out definitions and limits
//! (`sql/`) and where the file is written (`cli`).

mod build;
mod echarts;
mod error;
mod meetings;
mod period;
mod query;
mod render;
mod words;

pub(crate) use build::{Language, Page, PageRequest, build};
pub(crate) use error::PageError;
pub(crate) use period::Period;
