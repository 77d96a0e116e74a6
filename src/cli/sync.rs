//! `vcq-etl sync`: its arguments, and a run of it.

use std::io::Read;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use clap::{ArgMatches, Args, Command};
use feishu_vc::{CancellationToken, ClientConfig, ExchangeFilter, Rate};

use super::alert;
use super::command::{Context, Entry, Example, Run, TextOrJson, parsed};
use super::console::{Ending, estimate_text, summary_text};
use super::copy_settings::copy_setup;
use super::failed_summary::{failed_summary, failure_text};
use super::output::{json_line, stdout_columns};
use super::report::published_incidents;
use super::runtime::{block_on, now_us, stop_on_signals};
use super::settings::definitions;
use super::tenants::{Each, TenantsArgs};
use super::window::{self, EventsError, Window};
use crate::commands::replace::MIN_IDENTITY_DAYS;
use crate::commands::{self, LastStart, PersonalSettings, Summary, SyncError, SyncSetup, Synced};
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure, StopReason};
use crate::event::Listener;
use crate::extract::{EventFile, Identities, read_events};
use crate::personal_data::Identity;
use crate::schema::utc_text;
use crate::text::{Language, counted, in_json, on_lines};

/// The given format of a summary, else text; with `--quiet` only a given format.
pub(super) fn summary_format(given: Option<TextOrJson>, quiet: bool) -> Option<TextOrJson> {
    given.or((!quiet).then_some(TextOrJson::Text))
}

pub(super) fn render_summary(summary: &Summary, ending: &Ending, format: TextOrJson, language: Language) -> String {
    match format {
        TextOrJson::Text => on_lines(&summary_text(summary, ending, stdout_columns().into(), language)),
        TextOrJson::Json => in_json(&json_line(summary)),
    }
}

/// The arguments that `sync` and `plan` share.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct WindowArgs {
    /// Start of the window (inclusive): last, 2d, 36h, yesterday, 2026-11-01 or an RFC 3339 timestamp.
    ///
    /// last starts at the end of the newest complete run, minus the settle time and one day, or at the oldest time that
    /// no complete run covers if that is earlier. Without a complete run it is 7d.
    /// A meeting belongs to every window that it overlaps. Dates are in the time zone of the tenant.
    #[arg(long, value_name = "WHEN", required = true)]
    pub since: Option<String>,

    /// End of the window (exclusive) [default: now].
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,

    /// Fetch everything in the window again, including final data.
    #[arg(long)]
    pub refetch: bool,

    /// Only meetings with this nine-digit number; repeatable.
    #[arg(long, value_name = "N", num_args = 1.., value_parser = meeting_no)]
    pub meeting_no: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    pub window: WindowArgs,

    /// Stop after this many API calls; the next run resumes.
    #[arg(long, value_name = "N")]
    pub max_calls: Option<u64>,

    /// Stop at this time of day in the time zone of the tenant; the next run resumes.
    #[arg(long, value_name = "HH:MM")]
    pub finish_by: Option<String>,

    /// File with one vc.meeting.all_meeting_ended_v1 event per line, as JSON; - for standard input.
    ///
    /// The meetings of the events are fetched without the meeting list. Without --since no meeting list is read.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub events: Option<PathBuf>,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub summary: Option<TextOrJson>,

    #[command(flatten)]
    pub tenants: TenantsArgs,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl sync --since last", "nightly run"),
    ("vcq-etl sync --since 2d", ""),
    ("vcq-etl sync --since 2026-11-01 --until 2026-12-01 --finish-by 06:30", ""),
    ("vcq-etl sync --since 1d --summary json | jq .samples", ""),
    ("vcq-etl sync --since last --tenants all --jobs 8", "every tenant of vcq.toml"),
];

pub(super) const ENTRY: Entry =
    Entry { help_groups: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    // The description is set after the arguments, whose doc comment would replace it.
    let command = SyncArgs::augment_args(Command::new("sync"))
        .mut_arg("since", |since| since.required(false).required_unless_present("events"));
    command.about("Fetch new data and publish it").long_about(
        "Fetch the meetings of a time window with their participants and quality data, and publish them as Parquet and \
         DuckDB. Only meetings that have ended are fetched, and final data is never fetched again. If a run stops early, the \
         next run resumes where it stopped.\n\nWith --tenants, each tenant has its own process, lock, rate limit and \
         --max-calls, and a line of JSON on stdout as it ends. The exit code is the worst of all.",
    )
}

fn meeting_no(text: &str) -> Result<String, String> {
    let is_valid = text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_valid.then(|| text.to_owned()).ok_or_else(|| "a meeting number has nine digits".to_owned())
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: SyncArgs = parsed(matches);
    if args.tenants.tenants.is_some() {
        return for_tenants(&args, context);
    }
    let progress = context.start_progress(context.config.calls_per_minute);
    let finish_by = args.finish_by.as_deref();
    let setup = match &args.events {
        None => window_setup(&args.window, args.max_calls, finish_by, context, progress.clone())?,
        Some(path) => {
            let events = read_events(&events_text(path)?);
            let setup = match args.window.since {
                Some(_) => window_setup(&args.window, args.max_calls, finish_by, context, progress.clone())?,
                None => events_setup(&args, &events, context, progress.clone())?,
            };
            SyncSetup { events: Some(events), ..setup }
        }
    };
    if setup.client.shared_budget_dir.is_none() {
        context
            .console
            .warn("neither HOME nor XDG_STATE_HOME is set: the rate limit is not shared with other runs of this app");
    }
    let (since_us, until_us) = setup.window_us;
    let alerts = alert::setup(context);
    let synced = block_on(async {
        stop_on_signals(&setup, context);
        let cancel = setup.cancel.clone();
        let mut synced = commands::sync(setup).await?;
        progress.finish();
        // An interrupted run ends at once; the next one sends what is new.
        let notes = cancel.run_until_cancelled(alert::notes_after_sync(alerts)).await;
        synced.summary.notes.extend(notes.unwrap_or_default());
        Ok::<_, SyncError>(synced)
    })?;
    progress.finish();
    let format = summary_format(args.summary, context.console.is_quiet());
    match synced {
        Ok(synced) => finish(synced, format, context),
        Err(error) if format == Some(TextOrJson::Json) => {
            let failure = Failure::from(error);
            let summary = Summary {
                since_utc: utc_text(since_us),
                until_utc: utc_text(until_us),
                ..failed_summary(&failure, context.console.redactor(), Some(&context.config.store))
            };
            context.output.print(&render_summary(
                &summary,
                &Ending::default(),
                TextOrJson::Json,
                context.console.language,
            ))?;
            context.console.failure(&failure);
            Ok(failure.exit)
        }
        Err(error) => Err(error.into()),
    }
}

/// A sync for each of several tenants. Prints the summary of each as a line of JSON.
fn for_tenants(args: &SyncArgs, context: &Context) -> Result<ExitCode, Failure> {
    if args.events.is_some() {
        return Err(Failure::new(ExitCode::Usage, "--events and --tenants cannot be used together")
            .hint("the events of a file are those of one tenant: give --tenant NAME"));
    }
    if args.summary == Some(TextOrJson::Text) {
        return Err(Failure::new(ExitCode::Usage, "--summary text and --tenants cannot be used together")
            .hint("leave out --summary: each tenant has a line of JSON"));
    }
    let lost = |exit, error| serde_json::to_value(Summary::of_failure(exit, error)).unwrap_or_default();
    let each = Each { args: &args.tenants, flags: &["--summary", "json"], lost };
    each.run(context, |ended| context.output.print(&ended.line()))
}

/// A sync of the meetings of events only. Its window is what they span.
fn events_setup(
    args: &SyncArgs,
    events: &EventFile,
    context: &Context,
    listener: Arc<dyn Listener>,
) -> Result<SyncSetup, Failure> {
    let now_us = now_us();
    let finish_by = args.finish_by.as_deref();
    let finish_by_us = finish_by.map(|text| window::finish_by(text, &context.config.timezone, now_us)).transpose()?;
    let window_us = events.span_us().unwrap_or((now_us, now_us));
    let setup = setup(context, &context.config, window_us, listener)?;
    Ok(SyncSetup {
        has_window: false,
        refetch: args.window.refetch,
        max_calls: args.max_calls,
        finish_by_us,
        meeting_nos: args.window.meeting_no.clone(),
        ..setup
    })
}

fn events_text(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true => std::io::stdin().read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(|source| EventsError { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Prints the summary, the incidents if it is a text, and the reason if the run stopped early.
pub(super) fn finish(synced: Synced, format: Option<TextOrJson>, context: &Context) -> Result<ExitCode, Failure> {
    finish_with(synced, format, true, context)
}

/// The same, with or without the incidents.
pub(super) fn finish_with(
    mut synced: Synced,
    format: Option<TextOrJson>,
    lists_incidents: bool,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let stopped = synced.stop.as_ref().map(|stop| {
        let failure = Failure::of_stop(stop, synced.exit);
        // The text summary contains the remaining work already.
        match synced.summary.left.as_ref().filter(|_| format != Some(TextOrJson::Text)) {
            Some(left) => failure.hint(format!("remaining: {}", estimate_text(left))),
            None => failure,
        }
    });
    let failed = synced.error.take().map(Failure::from);
    // The exit code is that of the error, where there is one.
    let decisive = failed.as_ref().or(stopped.as_ref());
    synced.summary.error = decisive.map(|failure| failure_text(failure, context.console.redactor()));
    if let Some(format) = format {
        let text = render_summary(&synced.summary, &ending(&synced), format, context.console.language);
        context.output.print(&context.console.redactor().redact(&text))?;
        if format == TextOrJson::Text && lists_incidents {
            print_incidents(&synced, context)?;
        }
    }
    if synced.unreadable_participants > 0 {
        let participants = counted(synced.unreadable_participants, "participant");
        context.console.warn(&format!("the data of {participants} has no readable time (status unreadable)"));
    }
    stopped.iter().chain(&failed).for_each(|failure| context.console.failure(failure));
    Ok(synced.exit)
}

fn print_incidents(synced: &Synced, context: &Context) -> Result<(), Failure> {
    let Summary { dates_published, store, .. } = &synced.summary;
    // The summary of another ending names its own next step.
    let has_next = synced.exit != ExitCode::Complete;
    match published_incidents(dates_published, store, has_next, context) {
        Some(text) => context.output.print(&context.console.redactor().redact(&on_lines(&text))),
        None => Ok(()),
    }
}

fn ending(synced: &Synced) -> Ending {
    match &synced.stop {
        _ if synced.copy_failed => Ending {
            outcome: Some("published, but the copy in the object store failed"),
            next: Some("The next run copies it.".to_owned()),
        },
        Some(stop) => Ending { outcome: None, next: StopReason::of(stop, 0).next },
        None if synced.only_unreadable && synced.unreadable_participants > 0 => Ending {
            outcome: Some("finished, but some of Feishu's data is unreadable"),
            next: Some(
                "The data is stored and is not fetched again: look for a newer version of vcq-etl, then run vcq-etl rebuild. \
                 vcq-etl report run unread-values shows what cannot be read."
                    .to_owned(),
            ),
        },
        None if synced.only_unreadable => Ending {
            outcome: Some("finished, but some listed meetings are unreadable"),
            next: Some(
                "Unreadable meetings cannot be fetched; vcq-etl report run unread-values shows them. Every run of this window \
                 ends like this one until Feishu corrects its data."
                    .to_owned(),
            ),
        },
        None => bad_lines_ending(synced),
    }
}

/// Bad lines of an events file are not pending: only a corrected file can add their meetings.
fn bad_lines_ending(synced: &Synced) -> Ending {
    const SHOWN: usize = 5;
    let bad_lines = synced.summary.events.as_ref().map(|events| events.bad_lines.as_slice()).unwrap_or_default();
    if bad_lines.is_empty() || synced.exit != ExitCode::Incomplete {
        return Ending::default();
    }
    let numbers: Vec<String> = bad_lines.iter().take(SHOWN).map(|bad| bad.line.to_string()).collect();
    let more = match bad_lines.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let lines = if bad_lines.len() == 1 { "line" } else { "lines" };
    let correct = format!("Correct {lines} {}{more} of the events file and run it again.", numbers.join(", "));
    if synced.only_bad_lines {
        let outcome = Some("finished, but some lines of the events file could not be read");
        return Ending { outcome, next: Some(correct) };
    }
    Ending { outcome: None, next: Some(format!("{correct} The next run retries what is still pending.")) }
}

/// The setting `identity_days`, if it is long enough. It has no effect unless identity is full.
fn identity_days(config: &Config) -> Result<Option<u64>, Failure> {
    match config.identity_days {
        Some(days) if days < MIN_IDENTITY_DAYS && config.identity == Identity::Full => {
            Err(Failure::new(ExitCode::Usage, format!("identity_days = {days} is too short"))
                .hint(format!("set it to {MIN_IDENTITY_DAYS} or more: incidents of a day need the 28 days before it")))
        }
        days => Ok(days),
    }
}

/// The configuration of the Feishu client.
pub(super) fn client(context: &Context, config: &Config) -> Result<ClientConfig, Failure> {
    let credentials = config.credentials()?;
    // A secret file is read only now, so its secret is unknown to the redactor until now.
    context.console.redactor().add_secret(credentials.secret().expose());
    let mut client = ClientConfig::new(config.host(), credentials);
    client.rate = rate(config);
    // Shared, so that tokens fetched by the client are redacted in all output.
    client.redactor = context.console.redactor().clone();
    client.max_attempts = config.max_tries;
    client.backoff.base = config.backoff_base;
    client.max_throttle_wait = config.wait_cap;
    client.call_timeout = config.request_timeout;
    client.shared_budget_dir = config.state_folder.clone();
    client.max_shared_hold = config.wait_cap;
    // A command that writes to the store has a filter of its own.
    client.filter = commands::throwaway_pseudonyms(personal(config))
        .map(|pseudonyms| Arc::new(Identities::new(Arc::new(pseudonyms))) as Arc<dyn ExchangeFilter>);
    Ok(client)
}

pub(super) fn personal(config: &Config) -> PersonalSettings {
    PersonalSettings { identity: config.identity, topics: config.topics }
}

pub(super) fn rate(config: &Config) -> Rate {
    Rate { calls: NonZeroU32::new(config.calls_in_window()).unwrap_or(NonZeroU32::MIN), window: config.rate_window }
}

/// A sync of everything in a window.
pub(super) fn setup(
    context: &Context,
    config: &Config,
    window_us: (i64, i64),
    listener: Arc<dyn Listener>,
) -> Result<SyncSetup, Failure> {
    Ok(SyncSetup {
        store: config.store.clone(),
        client: client(context, config)?,
        cancel: CancellationToken::new(),
        signal: Arc::new(AtomicI32::new(0)),
        window_us,
        meeting_nos: Vec::new(),
        has_window: true,
        events: None,
        also: config.also.clone(),
        refetch: false,
        max_calls: None,
        finish_by_us: None,
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type,
        personal: personal(config),
        identity_days: identity_days(config)?,
        settle: config.settle,
        longest_meeting: config.longest_meeting,
        window_only: config.window_only,
        concurrency: config.concurrency,
        publishes: true,
        publish_every: config.publish_every,
        definitions: definitions(config),
        threads: config.threads as usize,
        database: config.database(),
        copy: copy_setup(context, None)?,
        listener,
        now_us: Arc::new(now_us),
    })
}

/// A sync with the arguments of `sync` or `plan`.
pub(super) fn window_setup(
    args: &WindowArgs,
    max_calls: Option<u64>,
    finish_by: Option<&str>,
    context: &Context,
    listener: Arc<dyn Listener>,
) -> Result<SyncSetup, Failure> {
    let (zone, now_us) = (&context.config.timezone, now_us());
    let since = args.since.as_deref().unwrap_or_default();
    let window = if since.trim().eq_ignore_ascii_case(window::LAST) {
        let config = &context.config;
        let settle_us = i64::try_from(config.settle.as_micros()).unwrap_or(i64::MAX);
        let LastStart { since_us, why } = commands::last_start(&config.store, config.database(), settle_us, now_us);
        context.console.info(&format!("--since last is {}: {why}", utc_text(since_us)));
        Window::since_last(since_us, args.until.as_deref(), zone, now_us)?
    } else {
        Window::parse(since, args.until.as_deref(), zone, now_us)?
    };
    let finish_by_us = finish_by.map(|text| window::finish_by(text, zone, now_us)).transpose()?;
    let setup = setup(context, &context.config, (window.since_us, window.until_us), listener)?;
    Ok(SyncSetup {
        // A run for single meetings fetches nothing else.
        also: if args.meeting_no.is_empty() { setup.also.clone() } else { Vec::new() },
        meeting_nos: args.meeting_no.clone(),
        refetch: args.refetch,
        max_calls,
        finish_by_us,
        ..setup
    })
}
