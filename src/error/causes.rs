//! The chain of an error's sources, without those that add nothing.

use std::error::Error;

use crate::load::is_redundant_source;

/// Nearest first.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next.take().filter(|cause| !is_redundant_source(*cause))?;
        next = cause.source();
        Some(cause)
    })
}

pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
