//! One night of the real program: its settings, `sync` in a runtime of one thread, and the alerts.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use feishu_vc::Redactor;
use tokio::runtime::Builder;

use super::super::command::Context;
use super::super::console::Console;
use super::super::output::Output;
use super::super::window::Window;
use super::super::{alert, sync};
use super::plan::{Night, Trouble, Year};
use super::world::{Outside, Script, World};
use crate::commands::alert::AlertSetup;
use crate::commands::{self, LastStart, SyncSetup, Synced};
use crate::config::{Config, LogFormat, Sources};
use crate::error::Failure;
use crate::event::{Event, Listener};
use crate::files::full;
use crate::load::StorePaths;
use crate::personal_data::{Key, create_key};

/// A night that takes longer than this in real time hangs.
const HANGS_AFTER: Duration = Duration::from_secs(300);

/// How the program ended.
#[derive(Debug)]
pub(super) enum Ended {
    Off,
    Killed,
    /// The store or the window could not be used.
    Refused(String),
    Ran(Box<Synced>),
}

#[derive(Debug)]
pub(super) struct Report {
    pub started_us: i64,
    pub window_us: (i64, i64),
    pub publishes: bool,
    pub ended: Ended,
    pub alert_notes: Vec<String>,
}

/// The payload of the panic that ends a killed run.
struct Killed;

/// Ends the process before it publishes.
struct Progress {
    kills_before_publishing: bool,
}

impl Listener for Progress {
    fn on_event(&self, event: &Event) {
        if self.kills_before_publishing && matches!(event, Event::Publishing { .. }) {
            resume_unwind(Box::new(Killed));
        }
    }
}

/// Where the program runs.
pub(super) struct Host {
    /// With `vcq.toml`, the store and the program's state.
    pub home: PathBuf,
    pub store: PathBuf,
    pub bot_url: String,
    pub world: Arc<World>,
    /// No publication has succeeded since the last one that was planned.
    pub publication_due: bool,
    /// The receiver has refused what is to be sent.
    pub alerts_pending: bool,
}

const SETTINGS: &str = r#"
timezone = "+08:00"
base_url = "http://127.0.0.1:1"
threads = 1

[[alerts]]
name = "every-day"
report = "daily-summary"
since = "40d"
quiet_for = "366d"
to = ["bot"]

[channels.bot]
kind = "webhook"
"#;

impl Host {
    fn context(&self, year: &Year, night: &Night) -> Context {
        let settings = format!(
            "store = \"{}\"\nidentity = \"{}\"\ntopics = \"{}\"\nsettle = \"{}h\"\nconcurrency = {}\ncalls_per_minute = {}\n\
             longest_meeting = \"{}d\"\n{SETTINGS}",
            self.store.display(),
            year.identity,
            year.topics,
            night.settle_hours,
            night.concurrency,
            night.calls_per_minute,
            night.longest_meeting_days
        );
        std::fs::write(self.home.join("vcq.toml"), settings).expect("written");
        let options = self.world.server.options();
        let environment = [
            ("HOME", self.home.display().to_string()),
            ("VCQ_APP_ID", options.app_id),
            ("VCQ_APP_SECRET", options.app_secret),
            ("VCQ_CHANNELS_BOT_URL", self.bot_url.clone()),
        ];
        let environment: BTreeMap<String, String> =
            environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let sources = Sources { environment, folder: self.home.clone(), ..Sources::default() };
        let config = Config::load(&sources).unwrap_or_else(|error| panic!("{}", Failure::from(error).chain()));
        let console = Console::new(Box::new(std::io::sink()), LogFormat::Plain, true, Redactor::default());
        Context {
            config,
            console,
            output: Output::new(Box::new(std::io::sink())),
            terminal: None,
            is_utf8: false,
            args: Vec::new(),
        }
    }

    /// Makes the store with an identity key that is the same in every run of a seed.
    pub(super) fn prepare(&self) {
        let paths = StorePaths::open(&self.store).expect("a store");
        create_key(&paths.identity_key(), &[7; Key::BYTES]).expect("a key");
    }

    pub(super) fn run(&mut self, at: usize, year: &Year, night: &Night) -> Report {
        let world = Arc::clone(&self.world);
        if night.moves_store {
            let moved = self.home.join(format!("store-{at}"));
            if self.store.exists() {
                std::fs::rename(&self.store, &moved).expect("moved");
            }
            self.store = moved;
        }
        world.clock.set_ahead_us(night.ahead_us);
        let context = self.context(year, night);
        let started_us = world.clock.wall_us();
        self.publication_due |= night.publishes;
        let publishes = self.publication_due;
        let mut report =
            Report { started_us, window_us: (0, 0), publishes, ended: Ended::Off, alert_notes: Vec::new() };
        if night.trouble == Trouble::Off {
            return report;
        }
        let setup = match self.setup(&context, night) {
            Ok(setup) => setup,
            Err(failure) => return Report { ended: Ended::Refused(failure.chain()), ..report },
        };
        report.window_us = setup.window_us;
        self.begin(at, night, &setup);
        report.ended = run(&world, setup);
        full::set(&self.store, None);
        // Also after a night that has sent nothing: a message is given up after 7 days.
        if (publishes || self.alerts_pending) && matches!(report.ended, Ended::Ran(_)) {
            self.publication_due = false;
            self.alerts_pending = night.refuses_alerts;
            report.alert_notes = self.alerts(&context);
        }
        report
    }

    /// As the command makes it, with simulated effects.
    fn setup(&self, context: &Context, night: &Night) -> Result<SyncSetup, Failure> {
        let (config, clock) = (&context.config, Arc::clone(&self.world.clock));
        let now_us = clock.wall_us();
        let settle_us = i64::try_from(config.settle.as_micros()).expect("days");
        let window = match night.since {
            "last" => {
                let LastStart { since_us, .. } =
                    commands::last_start(&config.store, config.database(), settle_us, now_us);
                Window::since_last(since_us, None, &config.timezone, now_us)?
            }
            since => Window::parse(since, None, &config.timezone, now_us)?,
        };
        let kills_before_publishing = night.trouble == Trouble::KillBeforePublishing;
        let listener = Arc::new(Progress { kills_before_publishing });
        let mut setup = sync::setup(context, config, (window.since_us, window.until_us), listener)?;
        setup.client.effects = Arc::new(Outside(Arc::clone(&self.world)));
        setup.now_us = Arc::new(move || clock.wall_us());
        setup.publishes = self.publication_due || kills_before_publishing;
        if !setup.publishes {
            setup.publish_every = Duration::from_secs(1 << 30);
        }
        match night.trouble {
            Trouble::MaxCalls(calls) => setup.max_calls = Some(calls),
            Trouble::FinishAfter(after) => setup.finish_by_us = Some(now_us + after.as_micros() as i64),
            _ => {}
        }
        Ok(setup)
    }

    fn begin(&self, at: usize, night: &Night, setup: &SyncSetup) {
        let mut script = Script { refused: 0..0, ..Script::default() };
        let mut options = self.world.server.options();
        (options.faults, options.limit) = (Vec::new(), vcq_simulator::Limit::default());
        match &night.trouble {
            Trouble::Outage(requests) => script.refused = requests.clone(),
            Trouble::Faults(faults) => {
                options.faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
            }
            Trouble::Limit(calls) => options.limit.calls = *calls,
            Trouble::KillAtRequest(request) => script.kill_at = Some(*request),
            Trouble::Terminate(request) => script.cancel_at = Some((*request, setup.cancel.clone())),
            Trouble::FullDisk(writes) => full::set(&self.store, Some(*writes)),
            Trouble::ClockStep(request, ahead_us) => script.ahead_at = Some((*request, *ahead_us)),
            _ => {}
        }
        if let Trouble::KillAfter(after) = night.trouble {
            script.kill_after = Some(after);
        }
        self.world.server.set_options(options);
        self.world.begin(at, script);
    }

    /// The check at the end of a sync. It takes no simulated time.
    fn alerts(&self, context: &Context) -> Vec<String> {
        let now_us = self.world.clock.wall_us();
        let setup = AlertSetup { now_us: Arc::new(move || now_us), ..alert::setup(context) };
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(alert::notes_after_sync(setup))
    }
}

/// Runs `sync` until it ends or is killed. Everything is on this thread, whose clock moves when nothing can run.
fn run(world: &Arc<World>, setup: SyncSetup) -> Ended {
    let clock = Arc::clone(&world.clock);
    let runtime = Builder::new_current_thread().enable_all().on_thread_park(move || clock.advance()).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let killed_after = world.killed_after();
        // In a task of its own: when only the outermost future is ready, the thread parks for a moment.
        let task = tokio::spawn(commands::sync(setup));
        let killed = async {
            tokio::select! {
                biased;
                () = world.killed.notified() => {}
                () = killed_after => {}
            }
        };
        tokio::select! {
            biased;
            () = killed => Ended::Killed,
            joined = task => match joined {
                Ok(Ok(synced)) => Ended::Ran(Box::new(synced)),
                Ok(Err(error)) => Ended::Refused(Failure::from(error).chain()),
                Err(error) => match error.into_panic().downcast::<Killed>() {
                    Ok(_) => Ended::Killed,
                    Err(panic) => resume_unwind(panic),
                },
            },
            () = tokio::time::sleep(HANGS_AFTER) => panic!("the night hangs"),
        }
    })
}

/// The folder of a seed, in memory if the machine has such a file system.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a folder")
}
