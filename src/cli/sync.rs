//! `vcq-etl sync`: its arguments, and a run of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::window::{self, Window, WindowError};
use super::{Context, Entry, Example, Run, Signals, block_on, now_us};
use crate::cli::console::{Ending, Form, Progress, price_text, summary_text};
use crate::commands::{self, Summary, SyncSetup, Synced};
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure, StopReason};
use crate::event::{Event, Listener};
use crate::schema::TenantZone;
use crate::text::{in_json, on_lines};
use feishu_vc::{CancellationToken, ClientConfig, Credentials, Rate};

/// The form of the closing summary on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryForm {
    Text,
    Json,
}

impl SummaryForm {
    pub(crate) fn render(self, summary: &Summary, ending: &Ending) -> String {
        match self {
            SummaryForm::Text => on_lines(&summary_text(summary, ending)),
            SummaryForm::Json => {
                // Numbers, texts and maps with text keys always have a JSON form.
                let object = serde_json::to_string(summary).expect("a summary is plain values");
                in_json(&object) + "\n"
            }
        }
    }

    /// The form to print: the one asked for, else text; with `--quiet` nothing that was not asked for.
    pub(crate) fn wanted(asked_for: Option<SummaryForm>, quiet: bool) -> Option<SummaryForm> {
        asked_for.or((!quiet).then_some(SummaryForm::Text))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct WindowArgs {
    /// Start of the window: 2d, 36h, yesterday, 2026-11-01 or RFC 3339.
    ///
    /// A meeting belongs to the window if its start does. Days are those of the tenant's time zone.
    #[arg(long, value_name = "WHEN")]
    pub since: String,

    /// End of the window, exclusive [default: now].
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,

    /// Ask for everything in the window again, also for what is final.
    #[arg(long)]
    pub refetch: bool,

    /// Only meetings with this number of nine digits; can be given several times.
    #[arg(long, value_name = "N", num_args = 1.., value_parser = meeting_no)]
    pub meeting_no: Vec<String>,
}

impl WindowArgs {
    /// The window.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn window(&self, zone: &TenantZone, now_us: i64) -> Result<Window, WindowError> {
        Window::parse(&self.since, self.until.as_deref(), zone, now_us)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub window: WindowArgs,

    /// Stop after so many calls to the three lists, and go on with the next run.
    #[arg(long, value_name = "N")]
    pub max_calls: Option<u64>,

    /// Stop at this time on the tenant's clock, and go on with the next run.
    #[arg(long, value_name = "HH:MM")]
    pub finish_by: Option<String>,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    pub summary: Option<SummaryForm>,
}

impl SyncArgs {
    /// Takes the arguments from what clap matched.
    pub(crate) fn of(matches: &clap::ArgMatches) -> SyncArgs {
        SyncArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments")
    }

    /// When to stop, microseconds UTC.
    ///
    /// # Errors
    /// Where it is no time of day.
    pub(crate) fn finish_by_us(&self, zone: &TenantZone, now_us: i64) -> Result<Option<i64>, WindowError> {
        self.finish_by.as_deref().map(|text| window::finish_by(text, zone, now_us)).transpose()
    }
}

/// Without a home there is no place that every run of the user finds.
const NO_STATE_FOLDER: &str =
    "neither HOME nor XDG_STATE_HOME is set: the call budget is not shared with other runs of this app";

const EXAMPLES: &[Example] = &[
    ("vcq-etl sync --since 2d", "every night"),
    ("vcq-etl sync --since 2026-11-01 --until 2026-12-01 --finish-by 06:30", ""),
    ("vcq-etl sync --since 1d --summary json | jq .samples", ""),
];

pub(super) const ENTRY: Entry = Entry { shown: &Group::ALL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    // The words come after the arguments, whose own description would take their place.
    SyncArgs::augment_args(Command::new("sync"))
        .about("Ask the vendor for a window of meetings and publish what it answers")
        .long_about(
            "Ask the vendor for the ended meetings of a window, their participants and their quality, and publish the \
             answers as Parquet and DuckDB. What is final is never asked for again; a run that stops early is gone on \
             with by the next one.",
        )
}

fn meeting_no(text: &str) -> Result<String, String> {
    if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("a meeting number has nine digits".to_owned())
    }
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args = SyncArgs::of(matches);
    let now_us = now_us();
    let window = args.window.window(&context.config.timezone, now_us)?;
    let finish_by_us = args.finish_by_us(&context.config.timezone, now_us)?;
    let progress = Arc::new(Progress::start(
        &context.console,
        Form::suitable(&context.console, context.terminal.as_deref()),
        context.config.calls_per_minute,
    ));
    let events: Arc<dyn Listener> = Arc::clone(&progress) as Arc<dyn Listener>;
    let setup = SyncSetup {
        meeting_nos: args.window.meeting_no.clone(),
        refetch: args.window.refetch,
        max_calls: args.max_calls,
        finish_by_us,
        ..setup(context, &context.config, (window.since_us, window.until_us), events)?
    };
    if setup.client.shared_budget_dir.is_none() {
        context.console.warn(NO_STATE_FOLDER);
    }
    let synced = block_on(async {
        interrupt_on_signals(&setup, context);
        commands::sync(setup).await
    })?;
    progress.finish();
    tell(synced?, SummaryForm::wanted(args.summary, context.console.is_quiet()), context)
}

/// Prints the summary, and why the run ended early if it did.
pub(super) fn tell(synced: Synced, form: Option<SummaryForm>, context: &Context) -> Result<ExitCode, Failure> {
    if let Some(form) = form {
        context.output.print(&context.console.redactor().redact(&form.render(&synced.summary, &ending(&synced))))?;
    }
    if let Some(stop) = &synced.stop {
        let failure = Failure::of_stop(stop, synced.exit);
        // The summary for people has said what is left; the one for machines has not, and with --quiet there is none.
        context.console.failure(&match &synced.summary.left {
            Some(left) if form != Some(SummaryForm::Text) => failure.hint(format!("left: {}", price_text(left))),
            _ => failure,
        });
    }
    if let Some(error) = synced.error {
        context.console.failure(&Failure::from(error));
    }
    Ok(synced.exit)
}

/// What the exit code does not say about the end.
fn ending(synced: &Synced) -> Ending {
    match &synced.stop {
        Some(stop) => Ending { outcome: None, next: StopReason::of(stop, 0).next },
        None if synced.only_unreadable => Ending {
            outcome: Some("finished, but some listed meetings cannot be read"),
            next: Some(
                "Nothing can be asked of what cannot be read; vcq-etl report run unread-values shows it, and each run of \
                 this window ends like this one until the vendor mends it."
                    .to_owned(),
            ),
        },
        None => Ending::default(),
    }
}

/// The vendor's client, with the settings of `config`.
pub(super) fn client(context: &Context, config: &Config) -> Result<ClientConfig, Failure> {
    let credentials = config.credentials()?;
    let (Credentials::App { app_secret: secret, .. } | Credentials::Bearer(secret)) = &credentials;
    // A secret file is read only now, so its secret is unknown to the redactor until now.
    context.console.redactor().add_secret(secret.expose());
    let mut client = ClientConfig::new(config.host(), credentials);
    client.rate = Rate {
        calls: NonZeroU32::new(config.calls_in_window()).unwrap_or(NonZeroU32::MIN),
        window: config.rate_window,
    };
    // The client hides what it fetches where everything that is said passes.
    client.redactor = context.console.redactor().clone();
    client.max_attempts = config.max_tries;
    client.backoff.base = config.backoff_base;
    client.max_throttle_wait = config.wait_cap;
    client.call_timeout = config.request_timeout;
    client.shared_budget_dir = config.state_folder.clone();
    client.max_shared_hold = config.wait_cap;
    Ok(client)
}

/// A sync of everything in a window, with the settings of `config`.
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
        refetch: false,
        max_calls: None,
        finish_by_us: None,
        zone: config.timezone.clone(),
        user_id_type: config.user_id_type,
        settle: config.settle,
        concurrency: config.concurrency,
        publish_every: config.publish_every,
        custom_limits: config.thresholds.clone(),
        threads: config.threads as usize,
        database: config.database(),
        listener,
        now_us: Arc::new(now_us),
    })
}

/// The first signal ends the run after the pages in hand; the second ends the process at once. Both are safe: what
/// counts is on disk, and what is published is only ever renamed into place.
pub(super) fn interrupt_on_signals(setup: &SyncSetup, context: &Context) {
    let (cancel, signal, listener) = (setup.cancel.clone(), Arc::clone(&setup.signal), Arc::clone(&setup.listener));
    let console = context.console.clone();
    tokio::spawn(async move {
        let Some(mut signals) = Signals::listen() else { return };
        let first = signals.next().await;
        signal.store(first, Ordering::Relaxed);
        cancel.cancel();
        listener.on_event(&Event::Stopping { why: ExitCode::of_signal(first).name().to_owned() });
        // On a thread of its own: whatever keeps the runtime busy must not keep it from ending the process.
        std::thread::spawn(move || {
            std::thread::sleep(MOST_AFTER_A_SIGNAL);
            console.warn("the end took too long: what was answered is kept, and the next run publishes it");
            end_at_once(first);
        });
        end_at_once(signals.next().await);
    });
}

/// From the first signal to the end of the process, at most. Supervisors kill after ten seconds.
const MOST_AFTER_A_SIGNAL: Duration = Duration::from_millis(9_500);

/// Ends the process because of a signal.
pub(super) fn end_at_once(signal: i32) {
    std::process::exit(ExitCode::of_signal(signal).number().into());
}
