//! Why a date cannot be staged.

use arrow::error::ArrowError;

use crate::load::LoadError;
use crate::raw_log::RawError;
use crate::transform::PageError;

#[derive(Debug, thiserror::Error)]
pub enum DateError {
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("a response in the raw log for {unit} cannot be parsed")]
    Page { unit: String, source: PageError },
    /// A bug.
    #[error("rows of {table} do not fit the table")]
    Rows { table: &'static str, source: ArrowError },
}
