//! The incidents of the dates that a sync has published, for the end of its summary.

use std::path::{Path, PathBuf};

use super::next::{self, Carried};
use super::store::open;
use crate::cli::command::Context;
use crate::cli::output::stdout_columns;
use crate::config::Config;
use crate::error::Failure;
use crate::report::card::{Digest, Source};
use crate::text::Language;

/// The list, or nothing: a problem here is not one of the sync. `has_next` leaves out the command to type next.
pub(in crate::cli) fn published_incidents(
    dates: &[String],
    store: &str,
    has_next: bool,
    context: &Context,
) -> Option<String> {
    let config = &context.config;
    let language = context.console.language;
    let found = read(dates, store, config, language);
    let digest =
        found.inspect_err(|failure| tracing::debug!(reason = failure.chain(), "no list of incidents")).ok()??;
    let carried = Carried::of_store(Path::new(store), config);
    let layout = (stdout_columns().into(), language);
    Some(digest.text(has_next, layout, &|words| next::command(words.to_vec(), &carried)))
}

fn read(dates: &[String], store: &str, config: &Config, language: Language) -> Result<Option<Digest>, Failure> {
    if dates.is_empty() {
        return Ok(None);
    }
    let mut config = config.clone();
    config.store = PathBuf::from(store);
    let connection = open(&config)?;
    Ok(Digest::read(&Source::new(&connection, None)?.in_language(language), dates)?)
}
