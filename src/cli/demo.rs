//! `vcq-etl demo`: a made-up tenant, a real sync from it over HTTP, a first report.

use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::simulate::{TenantArgs, limit};
use super::sync::{self, SummaryForm};
use super::{Context, Entry, Example, Run, report, runtime};
use crate::config::{Config, Credentials, Group, Secret};
use crate::error::{ExitCode, Failure};
use crate::pipeline::{self, Events};
use crate::progress::{Form, Progress};
use crate::simulator::{self, Options, Tenant};

/// Where the demo keeps its data where no store is named.
const DEFAULT_STORE: &str = "./vcq-demo";

/// The demo's pace where none is set: 120 times the vendor's, so that nobody waits ten minutes for a first look.
const CALLS_PER_MINUTE: u32 = 12_000;

/// The report that a newcomer sees first, short enough for a screen.
const FIRST_REPORT: (&str, &str) = ("worst-meetings", "top=8");

const EXAMPLES: &[Example] = &[("vcq-etl demo", "see it work, without an account")];

/// How to show the demo.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    tenant: TenantArgs,

    /// Form of the closing summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORM")]
    summary: Option<SummaryForm>,
}

/// The command.
pub(super) const ENTRY: Entry = Entry {
    shown: &[Group::Store, Group::Pace, Group::Engine, Group::Log],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    let command =
        Command::new("demo").about("Sync a made-up tenant on this machine and show a report").long_about(format!(
            "Serve a made-up tenant on loopback, sync it for real over HTTP and show a first report. Needs no account. \
             The data goes to {DEFAULT_STORE} unless --store says otherwise."
        ));
    DemoArgs::augment_args(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args = DemoArgs::from_arg_matches(matches).expect("clap has checked these matches against the same arguments");
    let config = context.config.clone().with_default_store(DEFAULT_STORE).with_default_pace(CALLS_PER_MINUTE);
    let now_us = jiff::Timestamp::now().as_microsecond();
    let spec = args.tenant.spec(&config.timezone, now_us);
    let form = Form::suitable(&context.talk, context.terminal.as_deref());
    let progress = Arc::new(Progress::start(&context.talk, form, config.calls_per_minute));
    let synced = runtime()?.block_on(async {
        let options = Options { limit: limit(&config), ..Options::default() };
        let running = simulator::serve(Tenant::generate(&spec), options).await?;
        context.talk.say(&format!(
            "a made-up tenant of {} people is served on {}; syncing {} days of it",
            spec.people,
            running.base_url(),
            spec.days
        ));
        let app_secret = Secret::new(running.app_secret());
        let credentials = Credentials::App { app_id: running.app_id(), app_secret };
        let config = config.clone().with_vendor(&running.base_url(), credentials);
        let events = Arc::clone(&progress) as Arc<dyn Events>;
        let setup = sync::setup(context, &config, (spec.start() * 1_000_000, now_us), events)?;
        sync::interrupt_on_signals(&setup);
        let synced = pipeline::sync(setup).await.map_err(Failure::from);
        running.shutdown().await;
        synced
    });
    progress.finish();
    let synced = synced?;
    let wanted = SummaryForm::wanted(args.summary, context.talk.is_quiet());
    let exit = sync::tell(synced, wanted, context)?;
    // A summary for machines stands alone on stdout.
    if wanted == Some(SummaryForm::Text) && exit == ExitCode::Complete {
        let (name, parameter) = FIRST_REPORT;
        let report = report::first_look(name, &[parameter.to_owned()], &config)?;
        context.output.print(&format!("\n{report}\n{}", next_steps(&config)))?;
    }
    Ok(exit)
}

/// What a newcomer would type next.
fn next_steps(config: &Config) -> String {
    let store = config.store.display();
    // As it was started: after `make demo` the program is in no search path yet.
    let program = std::env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
    format!(
        "What to type next:\n  \
         {program} report run coverage --store {store}\n  \
         duckdb -readonly {store}/vcq.duckdb \"select status, count(*) from coverage group by status\"\n  \
         python3 -c \"import duckdb; print(duckdb.connect('{store}/vcq.duckdb', read_only=True).sql('from quality_samples limit 5'))\"\n\
         A real tenant: README.md, \"A real tenant in five steps\".\n"
    )
}
