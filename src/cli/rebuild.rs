//! `vcq-etl rebuild`: its arguments, and a run of it.

use std::sync::Arc;

use clap::{ArgMatches, Args, Command};
use serde_json::json;

use super::command::{Context, Entry, Example, LOCAL, Run, TextOrJson, parsed};
use super::console::Ending;
use super::copy_settings::needed_copy_setup;
use super::failed_summary::failure_text;
use super::runtime::{block_on, exit_on_signals, now_us};
use super::settings::definitions;
use super::sync::{personal, render_summary, summary_format};
use super::window::Window;
use crate::commands::StoreSetup;
use crate::commands::copies::{RestoreSetup, Restored, restore};
use crate::commands::rebuild::{RebuildSetup, rebuild};
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::event::Listener;
use crate::text::{counted, in_json};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct RebuildArgs {
    /// First date to rebuild: 2d, yesterday, 2026-11-01 or an RFC 3339 timestamp [default: earliest].
    ///
    /// Whole dates in the time zone of the tenant are rebuilt.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// End date (exclusive) [default: now].
    #[arg(long, value_name = "WHEN", requires = "since")]
    until: Option<String>,

    /// Fill an empty store from its copy in an object store, as vcq-etl publish wrote it.
    ///
    /// Restores the Parquet files and vcq.duckdb of a lost store.
    #[arg(long, value_name = "TARGET", conflicts_with = "since")]
    from: Option<String>,

    /// Also fetch the raw log, if the copy has it (publish_raw), and rebuild the store from it.
    #[arg(long, requires = "from")]
    with_raw: bool,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    summary: Option<TextOrJson>,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl rebuild", "after an upgrade"),
    ("vcq-etl rebuild --since 2026-11-01 --until 2026-11-08", ""),
    ("vcq-etl rebuild --from s3://lake/vcq --store new", "a lost store"),
    ("vcq-etl rebuild --from s3://lake/vcq --store new --with-raw", "with its raw log"),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    RebuildArgs::augment_args(Command::new("rebuild")).about("Rebuild from the raw log; makes no API calls").long_about(
        "Rebuild the Parquet files, vcq.duckdb and the ledger from the raw log. Makes no API calls. Without --since everything \
         is rebuilt, even if the manifest or the ledger is damaged. Published dates whose raw data is lost are kept as they \
         are.",
    )
}

/// For a command that changes the store and makes no API calls.
pub(super) fn store_setup(config: &Config, listener: Arc<dyn Listener>) -> StoreSetup {
    StoreSetup {
        store: config.store.clone(),
        personal: personal(config),
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type.as_str().to_owned(),
        definitions: definitions(config),
        threads: config.threads as usize,
        database: config.database(),
        listener,
        now_us: Arc::new(now_us),
    }
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: RebuildArgs = parsed(matches);
    let config = &context.config;
    if let Some(target) = &args.from {
        let restored = restore_copy(target, &args, context)?;
        if !args.with_raw {
            return Ok(restored);
        }
    }
    let zone = &config.timezone;
    let days = match &args.since {
        None => None,
        Some(since) => {
            let window = Window::parse(since, args.until.as_deref(), zone, now_us())?;
            Some((zone.day_of(window.since_us), zone.day_of(window.until_us - 1) + 1))
        }
    };
    let progress = context.start_progress(config.calls_per_minute);
    let setup = RebuildSetup { store: store_setup(config, progress.clone()), days };
    let rebuilt = block_on(async {
        // Safe anywhere: files are published by renaming only.
        exit_on_signals();
        rebuild(setup).await
    })?;
    progress.finish();
    let (mut summary, error) = rebuilt?;
    let failure = error.map(Failure::from);
    summary.error = failure.as_ref().map(|failure| failure_text(failure, context.console.redactor()));
    if let Some(format) = summary_format(args.summary, context.console.is_quiet()) {
        context.output.print(&render_summary(&summary, &Ending::default(), format, context.console.language))?;
    }
    let Some(failure) = failure else { return Ok(ExitCode::Complete) };
    context.console.failure(&failure);
    Ok(failure.exit)
}

/// Fetches a copy into an empty store.
fn restore_copy(target: &str, args: &RebuildArgs, context: &Context) -> Result<ExitCode, Failure> {
    let copy = needed_copy_setup(context, Some(target))?;
    let setup = RestoreSetup { store: store_setup(&context.config, Arc::new(())), copy, with_raw: args.with_raw };
    let restored = block_on(async {
        // Safe anywhere: the same command continues.
        exit_on_signals();
        restore(&setup).await
    })??;
    let Restored { target, generation, files, fetched_files, notes } = restored;
    if args.with_raw {
        // The summary is that of the rebuild which follows.
        notes.iter().for_each(|note| context.console.warn(note));
        context.console.info(&format!("restored {} from {target}", counted(files, "file")));
        return Ok(ExitCode::Complete);
    }
    let text = match summary_format(args.summary, context.console.is_quiet()) {
        None => return Ok(ExitCode::Complete),
        Some(TextOrJson::Json) => {
            let value = json!({
                "outcome": ExitCode::Complete.name(),
                "exit_code": ExitCode::Complete.number(),
                "from": target,
                "generation": generation,
                "files": files,
                "fetched_files": fetched_files,
                "store": context.config.store.display().to_string(),
                "notes": notes,
                "error": null,
            });
            in_json(&format!("{value}\n"))
        }
        Some(TextOrJson::Text) => {
            notes.iter().for_each(|note| context.console.warn(note));
            let files = counted(files, "file");
            let text = format!("Restored {files} from {target}; the store has generation {generation}.\n");
            context.console.language.say_lines(&text)
        }
    };
    context.output.print(&context.console.redactor().redact(&text))?;
    Ok(ExitCode::Complete)
}
