//! `vcq-etl demo`: a made-up tenant, a real sync from it over HTTP, a first report.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::simulate::{TenantArgs, limit};
use super::sync::{self, SummaryForm};
use super::{Context, Entry, Example, Run, block_on, now_us, report_run};
use crate::cli::console::{Form, Progress};
use crate::commands;
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure};
use crate::event::Listener;
use crate::load::{self, StorePaths};
use feishu_vc::{BaseUrl, Credentials, Secret};
use vcq_simulator::{Options, Tenant, TenantSpec};

/// Where the demo keeps its data where no store is named.
const DEFAULT_STORE: &str = "./vcq-demo";

/// The demo's pace where none is set: 120 times the vendor's, so that nobody waits ten minutes for a first look.
const CALLS_PER_MINUTE: u32 = 12_000;

/// The report that a newcomer sees first, and how many rows of it: short enough for a screen.
const FIRST_REPORT: (&str, &str) = ("worst-meetings", "5");

const EXAMPLES: &[Example] = &[("vcq-etl demo", "see it work, without an account")];

/// How to show the demo.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    tenant: TenantArgs,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    summary: Option<SummaryForm>,
}

pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Fetching, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    DemoArgs::augment_args(Command::new("demo"))
        .about("Sync a made-up tenant on this machine and show a report")
        .long_about(format!(
            "Serve a made-up tenant on loopback, sync it for real over HTTP and show a first report. Needs no account. \
             The data goes to {DEFAULT_STORE} unless --store says otherwise; it is never mixed with other data."
        ))
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args = DemoArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let config = context.config.clone().with_default_store(DEFAULT_STORE).with_default_rate(CALLS_PER_MINUTE);
    let now_us = now_us();
    let spec = args.tenant.spec(&config.timezone, now_us);
    prepare(&config.store, &spec)?;
    let form = Form::suitable(&context.console, context.terminal.as_deref());
    let progress = Arc::new(Progress::start(&context.console, form, config.calls_per_minute));
    let synced = block_on(async {
        let options = Options { limit: limit(&config), ..Options::default() };
        let running = vcq_simulator::serve(Tenant::generate(&spec), options).await?;
        context.console.say(&format!(
            "a made-up tenant of {} people is served on {}; syncing {} days of it",
            spec.people,
            running.base_url(),
            spec.days
        ));
        let app_secret = Secret::new(running.app_secret());
        let credentials = Credentials::App { app_id: running.app_id(), app_secret };
        let config = config.clone().with_host(BaseUrl::parse(&running.base_url())?, credentials);
        let events = Arc::clone(&progress) as Arc<dyn Listener>;
        let mut setup = sync::setup(context, &config, (spec.start() * 1_000_000, now_us), events)?;
        // Nobody else can ask this tenant, and a demo leaves nothing behind but its store.
        setup.client.shared_budget_dir = None;
        sync::interrupt_on_signals(&setup, context);
        let synced = commands::sync(setup).await.map_err(Failure::from);
        running.shutdown().await;
        synced
    })?;
    progress.finish();
    let synced = synced?;
    let wanted = SummaryForm::wanted(args.summary, context.console.is_quiet());
    let exit = sync::tell(synced, wanted, context)?;
    // A summary for machines stands alone on stdout.
    if wanted == Some(SummaryForm::Text) && exit == ExitCode::Complete {
        let (name, top) = FIRST_REPORT;
        let report = report_run::first_look(name, &[("top".to_owned(), top.to_owned())], &config)?;
        context.output.print(&format!("\n{report}\n{}", next_steps(&config)))?;
    }
    Ok(exit)
}

/// Says of which tenant a demo's store is, in `state/`.
const MARKER: &str = "demo.txt";

/// Makes sure that the store is this tenant's and no other's: a demo of another day begins afresh, and data that is not
/// a demo's is not touched.
fn prepare(store: &Path, spec: &TenantSpec) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(ExitCode::Storage, format!("could not prepare the demo's store {}", store.display()))
            .cause(&error)
            .hint("name another folder with --store DIR")
    };
    let state = store.join("state");
    let marker = state.join(MARKER);
    let tenant = format!(
        "seed {}, {} days from {}, {} people, {} meetings a day\n",
        spec.seed, spec.days, spec.first_day, spec.people, spec.meetings_per_day
    );
    match std::fs::read_to_string(&marker) {
        Ok(text) if text == tenant => return Ok(()),
        Ok(_) => {
            if let Ok(paths) = StorePaths::existing(store)
                && let Some(holder) = load::holder(&paths)
            {
                return Err(Failure::new(ExitCode::Busy, format!("process {} uses the demo's store", holder.pid))
                    .hint("wait for it to end, or name another folder with --store DIR"));
            }
            for name in ["raw", "parquet", "state", ".work"] {
                match std::fs::remove_dir_all(store.join(name)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
            }
            match std::fs::remove_file(store.join("vcq.duckdb")) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Err(_) if StorePaths::existing(store).is_ok() => {
            return Err(Failure::new(ExitCode::Usage, format!("{} holds data that is not a demo's", store.display()))
                .hint("name another folder with --store DIR: made-up meetings are not mixed with real ones"));
        }
        Err(_) => {}
    }
    // Checked and made by the one who knows how; only then marked.
    let paths = StorePaths::open(store)?;
    std::fs::write(paths.state().join(MARKER), tenant).map_err(failed)
}

/// What a newcomer would type next.
fn next_steps(config: &Config) -> String {
    let store = config.store.display();
    // As it was started: after `make demo` the program is in no search path yet.
    let program = std::env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
    format!(
        "What to type next:\n  \
         {program} report list\n  \
         {program} report run diagnosis --store {store}\n  \
         duckdb -readonly {store}/vcq.duckdb \"from report_worst_participants(top := 5)\"\n  \
         python3 -c \"import duckdb; print(duckdb.connect('{store}/vcq.duckdb', read_only=True).sql('from quality_samples limit 5'))\"\n\
         A real tenant: README.md, \"A real tenant in five steps\".\n"
    )
}
