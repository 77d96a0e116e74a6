//! The JSON summary of a run that failed, so that scripts always get one.

use std::path::Path;

use clap::ArgMatches;

use super::command::TextOrJson;
use super::output::{Output, json_line};
use crate::commands::{FailureText, Summary};
use crate::error::{Failure, Redactor};
use crate::text::in_json;

/// The failure as the summary has it, without secrets.
pub(super) fn failure_text(failure: &Failure, redactor: &Redactor) -> FailureText {
    let hint = redactor.redact(&failure.hints.join("; "));
    FailureText { message: redactor.redact(&failure.chain()), hint: Some(hint).filter(|hint| !hint.is_empty()) }
}

/// A summary of a run that failed before it made one.
pub(super) fn failed_summary(failure: &Failure, redactor: &Redactor, store: Option<&Path>) -> Summary {
    let error = failure_text(failure, redactor);
    let store = store.map(|store| store.display().to_string()).unwrap_or_default();
    Summary { store, ..Summary::of_failure(failure.exit, error) }
}

/// Prints that summary if the command line asks for one in JSON. A failure to print it must not hide the first.
pub(super) fn print_failed(
    arguments: &ArgMatches,
    failure: &Failure,
    redactor: &Redactor,
    store: Option<&Path>,
    output: &Output,
) {
    let format = arguments.try_get_one::<TextOrJson>("summary").ok().flatten();
    if format == Some(&TextOrJson::Json) {
        let _ = output.print(&in_json(&json_line(&failed_summary(failure, redactor, store))));
    }
}
