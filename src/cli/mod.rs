//! The command line: what was typed becomes a command that runs, and its end an exit code.
//!
//! Owns the commands ([`COMMANDS`]), their help, the flags that follow from the settings, and the surroundings that a
//! command gets ([`Context`]). Promises: results go to stdout, console to stderr; a reader that closes stdout early is no
//! failure. Leaves out: what a command does beyond reading its arguments and printing its result.

mod aligned;
mod buildings;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod defect;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod man;
mod output;
mod page;
pub(crate) mod plan;
mod program;
pub(crate) mod rebuild;
pub(crate) mod report;
mod report_run;
pub(crate) mod schema;
mod settings;
pub(crate) mod simulate;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod verify;
pub(crate) mod window;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::error::ErrorKind;

use crate::cli::console::Console;
use crate::config::{Config, Group, LogFormat, LogLevel, Origin, SETTINGS};
use crate::error::{ExitCode, Failure, Redactor, nearest};

pub(crate) use output::Output;
pub(crate) use program::{program, version_text};

/// A command of the program.
pub(crate) struct Entry {
    /// Groups of settings that its help shows. All flags are accepted everywhere, so that a shell alias can hold them.
    pub shown: &'static [Group],
    /// Its name, arguments and help.
    pub command: fn() -> clap::Command,
    /// What one types, and what that does; shown in its help and in the program's.
    pub examples: &'static [Example],
    pub run: Run,
}

/// What one types, and what that does (empty where it speaks for itself).
pub(crate) type Example = (&'static str, &'static str);

/// What a command needs to run.
pub(crate) enum Run {
    /// Nothing but a place to print: it works where the settings are broken.
    Plain(fn(&ArgMatches, &Output) -> Result<ExitCode, Failure>),
    Configured(fn(&ArgMatches, &Context) -> Result<ExitCode, Failure>),
}

/// Every command, in the order of the help.
pub(crate) const COMMANDS: &[Entry] = &[
    sync::ENTRY,
    plan::ENTRY,
    status::ENTRY,
    doctor::ENTRY,
    report::ENTRY,
    buildings::ENTRY,
    rebuild::ENTRY,
    verify::ENTRY,
    schema::ENTRY,
    demo::ENTRY,
    simulate::ENTRY,
    completions::ENTRY,
    man::ENTRY,
];

/// What a command gets to work with.
pub(crate) struct Context {
    pub config: Config,
    /// The door to stderr.
    pub console: Console,
    /// The door to stdout.
    pub output: Output,
    /// `TERM`.
    pub terminal: Option<String>,
}

/// What the process was started with.
pub struct Process {
    /// The command line, program name included.
    pub args: Vec<OsString>,
    pub environment: BTreeMap<String, String>,
    pub folder: PathBuf,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
}

impl Process {
    pub fn this() -> Process {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        Process {
            args: std::env::args_os().collect(),
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            // Settings and store are named relative to it; where it is gone, opening them says so.
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
        }
    }
}

pub fn run(process: Process) -> ExitCode {
    let redactor = settings::early_redactor(&process.args, &process.environment);
    let format = settings::early_format(&process.args, &process.environment);
    let output = Output::new(process.stdout);
    let matches = match program().try_get_matches_from(&process.args) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, &output, process.stderr, format, redactor),
    };
    let innermost = settings::innermost(&matches);
    let console = Console::new(process.stderr, format, innermost.get_flag(settings::QUIET), redactor);
    defect::through(&console);
    let ended = entry(&matches).and_then(|(entry, arguments)| match entry.run {
        Run::Plain(run) => run(arguments, &output),
        Run::Configured(run) => {
            let sources = settings::sources(innermost, process.environment.clone(), process.folder);
            let config = Config::load(&sources)?;
            let terminal = process.environment.get("TERM").cloned();
            run(arguments, &Context::begin(config, console.clone(), output.clone(), terminal))
        }
    });
    ended.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.exit
    })
}

impl Context {
    /// Hides the secrets, opens the log and warns of variables that look like a slip.
    fn begin(config: Config, console: Console, output: Output, terminal: Option<String>) -> Context {
        let console = console.in_format(config.log_format);
        defect::through(&console);
        config.secrets().for_each(|secret| console.redactor().add_secret(secret.expose()));
        let asked_for = *config.origin("log_level") != Origin::Default;
        console.take_logs(if console.is_quiet() && !asked_for { LogLevel::Error } else { config.log_level });
        for name in &config.unknown_variables {
            console.warn(&unknown_variable(name));
        }
        Context { config, console, output, terminal }
    }
}

fn unknown_variable(name: &str) -> String {
    let variables: Vec<String> = SETTINGS.iter().map(|setting| setting.variable()).collect();
    match nearest(name, variables.iter().map(String::as_str)) {
        Some(meant) => format!("{name} is no setting and is ignored; did you mean {meant}?"),
        None => format!("{name} is no setting and is ignored"),
    }
}

fn entry(matches: &ArgMatches) -> Result<(&'static Entry, &ArgMatches), Failure> {
    let found = matches.subcommand().and_then(|(name, arguments)| {
        let entry = COMMANDS.iter().find(|entry| (entry.command)().get_name() == name)?;
        Some((entry, arguments))
    });
    found.ok_or_else(|| Failure::new(ExitCode::Usage, "no command is given").hint("vcq-etl --help lists them"))
}

/// What clap did not take: help and version are results, all else is a usage error.
fn refuse(
    error: &clap::Error,
    output: &Output,
    stderr: Box<dyn Write + Send>,
    format: LogFormat,
    redactor: Redactor,
) -> ExitCode {
    let printed = match error.kind() {
        ErrorKind::DisplayHelp => output.print(&error.render().to_string()),
        ErrorKind::DisplayVersion => version_text().and_then(|text| output.print(&text)),
        _ => {
            let text = format!("{}\n{}", error.render().to_string().trim_end(), program::command_hints(error));
            let console = Console::new(stderr, format, false, redactor);
            match format {
                LogFormat::Plain => console.say(text.trim_end()),
                LogFormat::Json => {
                    let message = text.trim_start_matches("error: ").trim_end();
                    console.failure(&Failure::new(ExitCode::Usage, message));
                }
            }
            return ExitCode::Usage;
        }
    };
    match printed {
        Ok(()) => ExitCode::Complete,
        Err(failure) => {
            Console::new(stderr, format, false, redactor).failure(&failure);
            failure.exit
        }
    }
}

/// The time now, microseconds UTC.
#[expect(clippy::disallowed_methods, reason = "edge: the commands read the clock for everything below them")]
fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Two threads wait for the vendor and for signals; publishing takes one more while it lasts.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(|error| {
        Failure::new(ExitCode::Unexpected, "the system gave no threads or timers to run with").cause(&error)
    })
}

/// How long the end of a command waits for threads that can't be told to stop: the system looks up a host's name for as
/// long as it likes.
const THREADS_GRACE: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs a command's asking part to its end.
fn block_on<T>(asking: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(asking);
    runtime.shutdown_timeout(THREADS_GRACE);
    Ok(done)
}

/// SIGINT and SIGTERM from now on; none is missed between two calls of [`Signals::next`].
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes the signals over; `None` where the system has no handlers for us, and its own stay in effect.
    fn listen() -> Option<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
        Some(Signals { interrupt, terminate })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => crate::error::exit_code::SIGINT,
            _ = self.terminate.recv() => crate::error::exit_code::SIGTERM,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Signals> {
        Some(Signals)
    }

    async fn next(&mut self) -> i32 {
        match tokio::signal::ctrl_c().await {
            Ok(()) => crate::error::exit_code::SIGINT,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod docs;
#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod tests;
