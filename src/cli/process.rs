//! One run of the program, from the command line to the exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::error::ErrorKind;

use super::command::{Context, Entry, Run, Unconfigured};
use super::console::Console;
use super::failed_summary::print_failed;
use super::help::in_language;
use super::output::Output;
use super::panic_hook;
use super::program::{COMMANDS, command_hints, program, version_text};
use super::settings;
use crate::config::{Config, LogFormat};
use crate::error::{ExitCode, Failure};

/// Arguments, environment and streams of the process.
pub struct Process {
    /// The command line, including the program name.
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
            // If the working directory is gone, opening a file relative to it fails with a clear error.
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
    let language = settings::early_language(&process.args, &process.environment, &process.folder);
    let console = |quiet| Console::new(process.stderr, format, quiet, redactor).in_language(language);
    let matches = match program(language).try_get_matches_from(without_help_flags(&process.args)) {
        Ok(matches) => matches,
        Err(error) => return parse_error(&error, &output, &console(false)),
    };
    let innermost = settings::innermost(&matches);
    let console = console(innermost.get_flag(settings::QUIET));
    panic_hook::report_to(&console);
    let mut store = None;
    let result = entry(&matches).and_then(|(entry, arguments)| match entry.run {
        Run::Plain(run) => run(arguments, program(language), &output, language),
        Run::Unconfigured(run) => {
            let sources = settings::sources(innermost, process.environment, process.folder);
            run(arguments, &Unconfigured { sources, console: console.clone(), output: output.clone() })
        }
        Run::Configured(run) => {
            let sources = settings::sources(innermost, process.environment.clone(), process.folder);
            let config = Config::load(&sources)?;
            config.access().set();
            store = Some(config.store.clone());
            let terminal = process.environment.get("TERM").cloned();
            let context = Context::new(config, console.clone(), output.clone(), terminal);
            run(arguments, &Context { args: process.args.clone(), ..context.with_locale(&process.environment) })
        }
    });
    result.unwrap_or_else(|failure| {
        print_failed(innermost, &failure, console.redactor(), store.as_deref(), &output);
        console.failure(&failure);
        failure.exit
    })
}

/// Makes `vcq-etl help --help` print the help: clap accepts no flags after `help`.
fn without_help_flags(args: &[OsString]) -> impl Iterator<Item = &OsString> {
    let is_help = args.get(1).is_some_and(|word| word == "help");
    args.iter().filter(move |word| !(is_help && (*word == "--help" || *word == "-h")))
}

fn entry(matches: &ArgMatches) -> Result<(&'static Entry, &ArgMatches), Failure> {
    let found = matches.subcommand().and_then(|(name, arguments)| {
        let entry = COMMANDS.iter().find(|entry| (entry.command)().get_name() == name)?;
        Some((entry, arguments))
    });
    found.ok_or_else(|| Failure::new(ExitCode::Usage, "no command given").hint("run vcq-etl --help for a list"))
}

/// Handles what clap reports as an error: help and version are results, everything else is a usage error.
fn parse_error(error: &clap::Error, output: &Output, console: &Console) -> ExitCode {
    let printed = match error.kind() {
        ErrorKind::DisplayHelp => output.print(&in_language(console.language, &error.render().to_string())),
        ErrorKind::DisplayVersion => version_text().and_then(|text| output.print(&text)),
        _ => {
            let text = format!("{}\n{}", error.render().to_string().trim_end(), command_hints(error));
            match console.format {
                LogFormat::Plain => console.info(in_language(console.language, &text).trim_end()),
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
            console.failure(&failure);
            failure.exit
        }
    }
}
