//! `vcq-etl publish`: its arguments, and a run of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgMatches, Args, Command};
use serde_json::json;

use super::command::{Choice, Context, Entry, Example, Run, TextOrJson, one_of, parsed};
use super::copy_settings::needed_copy_setup;
use super::failed_summary::failure_text;
use super::runtime::{block_on, exit_on_signals, now_us};
use super::sync::summary_format;
use crate::commands::copies::{CopySetup, PublishSetup, publish_copy};
use crate::config::{Group, duration};
use crate::error::{ExitCode, Failure};
use crate::remote::Copied;
use crate::text::{Language, TextPage, counted, in_json, on_lines, thousands};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct PublishArgs {
    /// Where to copy the dataset: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or a directory
    /// [default: the setting publish_to].
    #[arg(value_name = "TARGET")]
    target: Option<String>,

    /// Format of the copy [default: the setting publish_format].
    #[arg(long, value_name = "FORMAT", value_parser = one_of(FORMATS))]
    format: Option<bool>,

    /// How long replaced files stay: 7d, 36h, 0s [default: the setting publish_keep].
    #[arg(long, value_name = "TIME", value_parser = keep)]
    keep: Option<Duration>,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    summary: Option<TextOrJson>,
}

/// The value is whether there are Delta logs.
const FORMATS: &[Choice<bool>] =
    &[("hive", "Parquet files and their manifest", false), ("delta", "also a Delta log for each table", true)];

const EXAMPLES: &[Example] = &[
    ("vcq-etl publish s3://lake/vcq", "copy to an object store"),
    ("vcq-etl publish --keep 0s", "remove replaced files at once"),
];

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[Group::Store, Group::Publishing, Group::Fetching, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    PublishArgs::augment_args(Command::new("publish"))
        .about("Copy the published dataset to an object store")
        .long_about(
            "Copy the published Parquet files and their manifest to an object store or a directory. Uploads only files that \
             are not there yet, the manifest last; readers see the previous generation or the new one. If a run stops early, \
             the next run resumes. Makes no API calls.",
        )
}

fn keep(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "expected a duration such as 7d, 36h or 0s".to_owned())
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: PublishArgs = parsed(matches);
    let started = Instant::now();
    let copy = needed_copy_setup(context, args.target.as_deref())?;
    let keep = args.keep.unwrap_or(copy.keep);
    let has_delta_logs = args.format.unwrap_or(copy.has_delta_logs);
    let copy = CopySetup { keep, has_delta_logs, ..copy };
    let progress = context.start_upload_progress();
    let (store, listener) = (context.config.store.clone(), progress.clone());
    let setup = PublishSetup { store, copy, listener, now_us: Arc::new(now_us) };
    let published = block_on(async {
        // Safe anywhere: the next run continues.
        exit_on_signals();
        publish_copy(&setup).await
    })?;
    progress.finish();
    let format = summary_format(args.summary, context.console.is_quiet());
    match published {
        Ok((copied, notes)) => {
            notes.iter().for_each(|note| context.console.warn(note));
            let text = match format {
                None => return Ok(ExitCode::Complete),
                Some(TextOrJson::Text) => on_lines(&copied_text(&copied, keep, context.console.language)),
                Some(TextOrJson::Json) => {
                    let mut value = json!({
                        "outcome": ExitCode::Complete.name(),
                        "exit_code": ExitCode::Complete.number(),
                        "store": context.config.store.display().to_string(),
                        "elapsed_s": (started.elapsed().as_secs_f64() * 1e3).round() / 1e3,
                        "notes": notes,
                        "error": null,
                    });
                    value["copy"] = json!(copied);
                    in_json(&format!("{value}\n"))
                }
            };
            context.output.print(&context.console.redactor().redact(&text))?;
            Ok(ExitCode::Complete)
        }
        Err(error) => {
            let failure = Failure::from(error);
            if format == Some(TextOrJson::Json) {
                let value = json!({
                    "outcome": failure.exit.name(),
                    "exit_code": failure.exit.number(),
                    "store": context.config.store.display().to_string(),
                    "error": failure_text(&failure, context.console.redactor()),
                });
                context.output.print(&in_json(&format!("{value}\n")))?;
            }
            Err(failure)
        }
    }
}

const LABEL_WIDTH: usize = 12;

fn copied_text(copied: &Copied, keep: Duration, language: Language) -> String {
    let mut page = TextPage::new(LABEL_WIDTH).in_language(language);
    match &copied.tenant {
        None => page.line(&format!("Generation {} is in {}.", copied.generation, copied.target)),
        Some(tenant) => {
            let (generation, target) = (copied.generation, &copied.target);
            page.line(&format!("Generation {generation} of the tenant {tenant} is in {target}."));
        }
    }
    let bytes = thousands(copied.uploaded_bytes);
    page.field("Uploaded", &format!("{} of {}, {bytes} bytes", thousands(copied.uploaded_files), files(copied.files)));
    if let Some(versions) = copied.delta_versions {
        page.field("Delta logs", &counted(versions, "new version"));
    }
    if let Some(raw) = copied.raw {
        let bytes = thousands(raw.uploaded_bytes);
        page.field("Raw log", &format!("{} uploaded, {bytes} bytes", files(raw.uploaded_files)));
    }
    page.field("Removed", &counted(copied.removed_files, "replaced file"));
    if copied.replaced_files > 0 {
        let keep = keep_text(keep);
        let files = counted(copied.replaced_files, "replaced file");
        page.field("Kept", &format!("{files}; the first publication after {keep} removes them"));
    }
    page.field("Requests", &thousands(copied.requests));
    if !copied.conditional_writes {
        page.paragraph(
            "This object store has no conditional writes: make sure that only this store writes below the prefix.",
        );
    }
    page.text()
}

fn files(count: u64) -> String {
    counted(count, "file")
}

/// The largest unit that divides it.
fn keep_text(keep: Duration) -> String {
    let seconds = keep.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{seconds}s"), |(unit, name)| format!("{}{name}", seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::CopiedRaw;

    fn copied() -> Copied {
        Copied {
            target: "s3://lake/vcq".to_owned(),
            tenant: None,
            generation: 7,
            files: 1_200,
            uploaded_files: 12,
            uploaded_bytes: 1_234_567,
            delta_versions: Some(2),
            raw: Some(CopiedRaw { uploaded_files: 4, uploaded_bytes: 5_000, removed_files: 0 }),
            removed_files: 1,
            replaced_files: 3,
            requests: 20,
            conditional_writes: false,
        }
    }

    #[test]
    fn the_summary_says_what_was_sent_and_what_stays() {
        let text = copied_text(&copied(), Duration::from_secs(7 * 86_400), Language::English);
        insta::assert_snapshot!(text, @r"
        Generation 7 is in s3://lake/vcq.
        Uploaded    12 of 1,200 files, 1,234,567 bytes
        Delta logs  2 new versions
        Raw log     4 files uploaded, 5,000 bytes
        Removed     1 replaced file
        Kept        3 replaced files; the first publication after 7d removes them
        Requests    20
        This object store has no conditional writes: make sure that only this store
        writes below the prefix.
        ");
        let text = copied_text(&copied(), Duration::from_secs(90 * 60), Language::Chinese);
        assert!(text.contains("3 个被替换的文件；90m 之后"), "{text}");
        assert!(!text.contains("file"), "{text}");
    }
}
