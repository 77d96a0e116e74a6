//! `vcq-etl prune`: its arguments, the question before it, and its result.

use std::sync::Arc;

use clap::{ArgMatches, Args, Command};
use serde_json::json;

use super::command::{Context, Entry, Example, LOCAL, Run, parsed};
use super::confirm::{ConfirmArgs, Done, confirmed};
use super::rebuild::store_setup;
use super::runtime::now_us;
use crate::commands::replace::{PrunePreview, PruneSetup, Pruned, prune, prune_preview};
use crate::error::{ExitCode, Failure};
use crate::schema::{civil_date, civil_date_text};
use crate::text::{counted, thousands};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct PruneArgs {
    /// The first date that stays, in the time zone of the tenant.
    #[arg(long, value_name = "DATE", value_parser = day)]
    before: i32,

    /// Remove only the raw files; what is published stays.
    ///
    /// These dates can then neither be rebuilt nor compared with the raw log.
    #[arg(long)]
    raw_only: bool,

    #[command(flatten)]
    confirm: ConfirmArgs,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl prune --before 2026-01-01", "remove old dates"),
    ("vcq-etl prune --before 2026-01-01 --raw-only", "keep the tables"),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    PruneArgs::augment_args(Command::new("prune")).about("Remove the data of old dates").long_about(
        "Remove all data of the dates before a date: raw log, ledger, Parquet files and vcq.duckdb. Says what will be removed \
         and asks for confirmation; without a terminal it needs --yes. Removed time does not count as missing: status \
         names it. A sync fetches it again only if --since goes back that far.",
    )
}

fn day(text: &str) -> Result<i32, String> {
    civil_date(text).filter(|day| *day > 0).ok_or_else(|| "expected a date such as 2026-11-01".to_owned())
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: PruneArgs = parsed(matches);
    let config = &context.config;
    if args.before > config.timezone.day_of(now_us()) {
        return Err(Failure::new(
            ExitCode::Usage,
            format!("--before {} is in the future", civil_date_text(args.before)),
        )
        .hint("give the first date that stays, at the latest today"));
    }
    let setup = PruneSetup { store: store_setup(config, Arc::new(())), before: args.before, raw_only: args.raw_only };
    let preview = prune_preview(&setup)?;
    let what = preview_text(&setup, &preview);
    confirmed(context, &args.confirm, &what, || Ok(done(&setup, prune(&setup)?)))
}

fn preview_text(setup: &PruneSetup, preview: &PrunePreview) -> String {
    let before = civil_date_text(setup.before);
    let (Some(first), Some(last)) = (preview.dates.first(), preview.dates.last()) else { return String::new() };
    let dates = counted(preview.dates.len() as u64, "date");
    let raw = format!("{} bytes of raw files", thousands(preview.raw_bytes));
    let mut text = match setup.raw_only {
        true => format!(
            "Removes {raw} of {dates} before {before} ({first} to {last}). What is published stays, but can no longer be \
             rebuilt, and identities in it can no longer be replaced.\n"
        ),
        false => format!(
            "Removes {dates} before {before} ({first} to {last}): {}, {}, {}, and {raw}.\n",
            counted(preview.meetings, "meeting"),
            counted(preview.participants, "participant"),
            counted(preview.samples, "sample"),
        ),
    };
    if let (Some(first), Some(last)) = (preview.unpublished.first(), preview.unpublished.last()) {
        let kept = counted(preview.unpublished.len() as u64, "date");
        text.push_str(&format!("Keeps {kept} with unpublished data ({first} to {last}): run vcq-etl sync first.\n"));
    }
    text
}

fn done_text(setup: &PruneSetup, removed: &PrunePreview) -> String {
    let before = civil_date_text(setup.before);
    match removed.dates.len() as u64 {
        0 => format!("Nothing to remove before {before}.\n"),
        dates if setup.raw_only => format!("Removed the raw files of {} before {before}.\n", counted(dates, "date")),
        dates => format!("Removed {} before {before}.\n", counted(dates, "date")),
    }
}

fn done(setup: &PruneSetup, pruned: Pruned) -> Done {
    let Pruned { run_id, removed, generation, notes } = pruned;
    let text = done_text(setup, &removed);
    let PrunePreview { dates, raw_bytes, meetings, participants, samples, unpublished } = removed;
    let fields = json!({
        "before": civil_date_text(setup.before),
        "raw_only": setup.raw_only,
        "dates": dates,
        "raw_bytes": raw_bytes,
        "meetings": meetings,
        "participants": participants,
        "samples": samples,
        "unpublished_dates": unpublished,
    });
    Done { run_id, generation, notes, text, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_dates() {
        assert_eq!(day("1970-01-02"), Ok(1));
        assert!(day("yesterday").is_err() && day("2026-13-01").is_err());
    }
}
