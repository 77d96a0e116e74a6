//! `vcq-etl demo`: a simulated tenant with incidents, a sync of it over HTTP, and what happened in it.

use std::io::ErrorKind;
use std::path::Path;

use clap::{ArgMatches, Args, Command};
use feishu_vc::{BaseUrl, Credentials, Secret};
use vcq_simulator::{Options, Planting, Tenant, TenantSpec};

use super::buildings::import_setup;
use super::command::{Context, Entry, Example, Run, TextOrJson, parsed};
use super::report::open;
use super::runtime::{block_on, now_us, stop_on_signals};
use super::simulate::{TenantArgs, limit, planted_background, warn_of_unplanted};
use super::sync;
use crate::commands;
use crate::commands::buildings::import;
use crate::config::{Config, Group};
use crate::error::{ExitCode, Failure};
use crate::files;
use crate::load::{self, StorePaths};
use crate::report::{self, Arguments, Catalogue, Cell};
use crate::text::{Language, padded};

const DEFAULT_STORE: &str = "./vcq-demo";

/// Rate limit of the demo unless one is configured: 600 times that of Feishu, so that it takes seconds.
const CALLS_PER_MINUTE: u32 = 60_000;

/// Enough for a chronic incident, which takes five of ten days, in three weeks.
const DAYS: &str = "21";

/// An outage, an app version, three overloaded computers and a room that are bad for days. The app version comes first,
/// so that the computers are those of people who do not use it.
const INCIDENTS: &str = "site:jitter:150min,app_version=7.26.0-alpha.4:cpu:chronic,person:cpu:chronic,\
                         person:cpu:chronic,person:cpu:chronic,room:loss:chronic";

const EXAMPLES: &[Example] = &[("vcq-etl demo", "try it without an account")];

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct DemoArgs {
    #[command(flatten)]
    tenant: TenantArgs,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    summary: Option<TextOrJson>,
}

pub(super) const ENTRY: Entry = Entry {
    help_groups: &[Group::Store, Group::Fetching, Group::Resources, Group::Logging],
    command,
    examples: EXAMPLES,
    run: Run::Configured(run),
};

fn command() -> Command {
    DemoArgs::augment_args(Command::new("demo"))
        .mut_arg("days", |arg| arg.default_value(DAYS))
        .mut_arg("seed", |arg| {
            arg.help("Random seed; the first one from N on with which all incidents can be planted is used")
        })
        .about("Sync a simulated tenant and show what happened")
        .long_about(format!(
            "Run a local server that simulates a Feishu tenant with an outage of a building, a bad room, a bad app version and \
             overloaded computers; sync from it over HTTP and show these incidents. Needs no account. The data goes to \
             {DEFAULT_STORE} unless --store is given. An earlier demo with other options is deleted; a store with real \
             data is refused."
        ))
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: DemoArgs = parsed(matches);
    let config = context.config.clone().with_default_store(DEFAULT_STORE).with_default_rate(CALLS_PER_MINUTE);
    let now_us = now_us();
    let tenant = tenant(args.tenant.spec(&config.timezone, now_us))?;
    let spec = tenant.spec().clone();
    prepare(&config.store, &spec)?;
    warn_of_unplanted(&tenant, context);
    import_buildings(&config, &tenant.building_file())?;
    let progress = context.start_progress(config.calls_per_minute);
    let synced = block_on(async {
        let options = Options { limit: limit(&config), ..Options::default() };
        let running = vcq_simulator::serve(tenant, options).await?;
        context.console.info(&format!(
            "serving a simulated tenant with {} people on {}; syncing {} days",
            spec.people,
            running.base_url(),
            spec.days
        ));
        let app_secret = Secret::new(running.app_secret());
        let credentials = Credentials::App { app_id: running.app_id(), app_secret };
        let config = config.clone().with_host(BaseUrl::parse(&running.base_url())?, credentials);
        let mut setup = sync::setup(context, &config, (spec.start() * 1_000_000, now_us), progress.clone())?;
        // No other run uses this tenant, and a demo leaves nothing behind but its store.
        setup.client.shared_budget_dir = None;
        setup.copy = None;
        stop_on_signals(&setup, context);
        let synced = commands::sync(setup).await.map_err(Failure::from);
        running.shutdown().await;
        synced
    })?;
    progress.finish();
    let synced = synced?;
    let format = sync::summary_format(args.summary, context.console.is_quiet());
    // All incidents follow, one sentence each.
    let exit = sync::finish_with(synced, format, false, context)?;
    // A JSON summary is the only output on stdout.
    if format == Some(TextOrJson::Text) && exit == ExitCode::Complete {
        let language = context.console.language;
        let happened = what_happened(&config, language)?;
        context.output.print(&format!("\n{happened}\n{}", next_steps(&config, spec.days, language)))?;
    }
    Ok(exit)
}

/// The tenant with all its incidents, whatever the date.
fn tenant(spec: TenantSpec) -> Result<Tenant, Failure> {
    let planting = INCIDENTS.parse::<Planting>()?;
    let spec = TenantSpec { planting, background: planted_background(), ..spec };
    Ok(Tenant::generate_with_all_incidents(&spec))
}

/// Makes sure that the store contains this tenant only. The data of another demo is deleted; other data is refused.
fn prepare(store: &Path, spec: &TenantSpec) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(ExitCode::Storage, format!("could not prepare the demo store {}", store.display()))
            .cause(&error)
            .hint("choose another directory with --store DIR")
    };
    // Describes the tenant of a demo store.
    let marker = store.join("state/demo.txt");
    let tenant = format!(
        "seed {}, {} days from {}, {} people, {} meetings a day, incidents {INCIDENTS}\n",
        spec.seed, spec.days, spec.first_day, spec.people, spec.meetings_per_day
    );
    match std::fs::read_to_string(&marker) {
        Ok(text) if text == tenant => return Ok(()),
        Ok(_) => {
            if let Ok(paths) = StorePaths::existing(store)
                && let Some(holder) = load::holder(&paths)
            {
                return Err(Failure::new(ExitCode::Busy, format!("process {} is using the demo store", holder.pid))
                    .hint("wait until it ends, or choose another directory with --store DIR"));
            }
            for name in ["raw", "parquet", "state", ".work", "buildings.csv", "vcq.duckdb"] {
                let path = store.join(name);
                let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                removed.or_else(|error| match error.kind() {
                    ErrorKind::NotFound => Ok(()),
                    _ => Err(failed(error)),
                })?;
            }
        }
        Err(_) if StorePaths::existing(store).is_ok() => {
            let message = format!("{} contains data that is not from a demo", store.display());
            return Err(Failure::new(ExitCode::Usage, message)
                .hint("choose another directory with --store DIR; simulated and real meetings are not mixed"));
        }
        Err(_) => {}
    }
    StorePaths::open(store)?;
    files::write(&marker, tenant.as_bytes()).map_err(failed)
}

/// Gives the store the buildings of the tenant, unless it has some already.
fn import_buildings(config: &Config, text: &str) -> Result<(), Failure> {
    let paths = StorePaths::open(&config.store)?;
    if paths.buildings().exists() {
        return Ok(());
    }
    let file = paths.work().join("demo-buildings.csv");
    files::write(&file, text.as_bytes()).map_err(|error| {
        Failure::new(ExitCode::Storage, format!("could not write {}", file.display())).cause(&error)
    })?;
    import(&import_setup(config, file))?;
    Ok(())
}

/// The incidents, one sentence each.
fn what_happened(config: &Config, language: Language) -> Result<String, Failure> {
    let connection = open(config)?;
    let report = Catalogue::built_in()?.find("incidents")?;
    let arguments = Arguments::resolve(&report.name, &report.header, &[])?;
    let found = report::run(&connection, &report, &arguments)?;
    let said = report::in_words(&found, language);
    let text = |row: &[Cell], name: &str| {
        let at = said.columns.iter().position(|column| column == name);
        at.and_then(|at| row.get(at)).map(Cell::text).unwrap_or_default()
    };
    let mut page = language.say("What happened:").into_owned() + "\n";
    for row in &said.rows {
        page.push_str(&format!("  {}  {}\n", padded(&language.say(&text(row, "severity")), 8), text(row, "summary")));
    }
    Ok(page)
}

fn next_steps(config: &Config, days: u32, language: Language) -> String {
    let store = config.store.display();
    // As it was started, because after `make demo` the program is not in PATH yet.
    let program = std::env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
    let heading = language.say("Next steps:");
    let init = format!("To sync a real tenant: {program} init (README.md says what to prepare)");
    let init = language.say(&init);
    format!(
        "{heading}\n  \
         {program} report html --store {store}\n  \
         {program} report run incidents --since {days}d --store {store}\n  \
         {program} report list\n  \
         duckdb -readonly {store}/vcq.duckdb \"from report_incidents()\"\n  \
         python3 -c \"import duckdb; print(duckdb.connect('{store}/vcq.duckdb', read_only=True).sql('from quality_samples limit 5'))\"\n\
         {init}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_incidents_are_planted_on_every_date() {
        let args: DemoArgs = parsed(&command().get_matches_from(["demo"]));
        let zone = crate::schema::TenantZone::parse("+08:00").expect("a zone");
        let noon = |day: i64| 1_790_000_000_000_000 + day * 86_400_000_000;
        for day in 0..400 {
            let tenant = tenant(args.tenant.spec(&zone, noon(day))).expect("the incidents are valid");
            assert_eq!(tenant.unplanted(), [], "{:?}", tenant.spec());
        }
    }
}
