//! `vcq-etl rebuild`: its arguments, and a run of it.

use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::sync::{SummaryForm, end_at_once};
use super::window::Window;
use super::{Context, Entry, Example, Run, Signals, now_us, runtime};
use crate::cli::console::{Ending, Form, Progress};
use crate::commands::rebuild::{RebuildSetup, rebuild};
use crate::config::Group;
use crate::error::{ExitCode, Failure};
use crate::event::Listener;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct RebuildArgs {
    /// First day to make again: 2d, yesterday, 2026-11-01 or RFC 3339 [default: the first there is].
    ///
    /// Whole days are made again, those of the tenant's time zone.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,

    /// End of the days, exclusive [default: now].
    #[arg(long, value_name = "WHEN", requires = "since")]
    until: Option<String>,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    summary: Option<SummaryForm>,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl rebuild", "after an upgrade, or where verify found a difference"),
    ("vcq-etl rebuild --since 2026-11-01 --until 2026-11-08", ""),
];

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    RebuildArgs::augment_args(Command::new("rebuild"))
        .about("Make Parquet, DuckDB and the ledger again from the raw answers, without a call")
        .long_about(
            "Make everything right of raw/ again from the raw answers: the Parquet files, vcq.duckdb and the ledger. \
             Nobody is asked. Without --since all of it is made again, also where the manifest or the ledger is damaged; \
             published days whose answers are no longer in raw/ are kept as they are.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args =
        RebuildArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let zone = &context.config.timezone;
    let days = match &args.since {
        None => None,
        Some(since) => {
            let window = Window::parse(since, args.until.as_deref(), zone, now_us())?;
            Some((zone.day_of(window.since_us), zone.day_of(window.until_us - 1) + 1))
        }
    };
    let progress = Arc::new(Progress::start(
        &context.console,
        Form::suitable(&context.console, context.terminal.as_deref()),
        context.config.calls_per_minute,
    ));
    let setup = RebuildSetup {
        store: context.config.store.clone(),
        days,
        zone: zone.clone(),
        user_id_type: context.config.user_id_type.as_str().to_owned(),
        custom_limits: context.config.thresholds.clone(),
        threads: context.config.threads as usize,
        database: context.config.database(),
        listener: Arc::clone(&progress) as Arc<dyn Listener>,
        now_us: Arc::new(now_us),
    };
    let rebuilt = runtime()?.block_on(async {
        // What is published changes by renames alone, so ending anywhere is safe.
        tokio::spawn(async {
            if let Some(mut signals) = Signals::listen() {
                end_at_once(signals.next().await);
            }
        });
        rebuild(setup).await
    });
    progress.finish();
    let (summary, not_made) = rebuilt?;
    if let Some(form) = SummaryForm::wanted(args.summary, context.console.is_quiet()) {
        context.output.print(&form.render(&summary, &Ending::default()))?;
    }
    match not_made {
        Some(error) => {
            let failure = Failure::from(error);
            context.console.failure(&failure);
            Ok(failure.exit)
        }
        None => Ok(ExitCode::Complete),
    }
}
