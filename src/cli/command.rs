//! What every command is made of: its entry in the table of commands, and the context it runs in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgMatches, FromArgMatches, ValueEnum};
use tracing::level_filters::LevelFilter;

use super::console::{Console, Progress};
use super::output::Output;
use super::panic_hook;
use crate::config::{Config, Group, Origin, SETTINGS, Sources};
use crate::error::{ExitCode, Failure, nearest};
use crate::text::Language;

/// The groups of settings of a command that makes no API calls.
pub(super) const LOCAL: &[Group] = &[Group::Store, Group::Resources, Group::Logging];

pub(super) struct Entry {
    /// Groups of settings that its help shows. All flags are accepted everywhere, so that a shell alias can set them.
    pub help_groups: &'static [Group],
    pub command: fn() -> clap::Command,
    pub examples: &'static [Example],
    pub run: Run,
}

/// A command line and what it does; empty if that is obvious.
pub(super) type Example = (&'static str, &'static str);

pub(super) enum Run {
    /// Needs no settings, so it works if they are invalid. Gets the whole command line of the program.
    Plain(fn(&ArgMatches, clap::Command, &Output, Language) -> Result<ExitCode, Failure>),
    Configured(fn(&ArgMatches, &Context) -> Result<ExitCode, Failure>),
    /// Writes the configuration file, so it gets flags and variables, and no file is read.
    Unconfigured(fn(&ArgMatches, &Unconfigured) -> Result<ExitCode, Failure>),
}

/// What a command gets to work with before there are settings.
pub(super) struct Unconfigured {
    pub sources: Sources,
    pub console: Console,
    pub output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextOrJson {
    Text,
    Json,
}

/// The arguments of a command, which clap has validated.
pub(super) fn parsed<T: FromArgMatches>(matches: &ArgMatches) -> T {
    T::from_arg_matches(matches).expect("clap has validated these matches against the same arguments")
}

/// A word on the command line, its help (or ""), and its value.
pub(super) type Choice<T> = (&'static str, &'static str, T);

/// Parses one of these words.
pub(super) fn one_of<T>(choices: &'static [Choice<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let words = choices.iter().map(|(word, help, _)| match *help {
        "" => PossibleValue::new(*word),
        help => PossibleValue::new(*word).help(help),
    });
    PossibleValuesParser::new(words).map(|word| {
        let chosen = choices.iter().find(|(choice, ..)| *choice == word);
        chosen.map(|(.., value)| *value).expect("clap accepts these words only")
    })
}

/// What a configured command gets to work with.
pub(super) struct Context {
    pub config: Config,
    /// Stderr.
    pub console: Console,
    /// Stdout.
    pub output: Output,
    /// The environment variable `TERM`.
    pub terminal: Option<String>,
    /// The terminal shows more than ASCII.
    pub is_utf8: bool,
    /// The command line, including the program name.
    pub args: Vec<OsString>,
}

impl Context {
    /// Redacts the secrets, captures the log and warns of misspelt variables.
    pub(super) fn new(config: Config, mut console: Console, output: Output, terminal: Option<String>) -> Context {
        // The format may be known only after the first lines were written.
        console.format = config.log_format;
        panic_hook::report_to(&console);
        config.secrets().for_each(|secret| console.redactor().add_secret(secret.expose()));
        let is_default = *config.origin("log_level") == Origin::Default;
        console.capture_logs(if console.is_quiet() && is_default { LevelFilter::ERROR } else { config.log_level });
        let variables: Vec<String> = SETTINGS.iter().map(|setting| setting.variable()).collect();
        for name in &config.unknown_variables {
            let meant = nearest(name, variables.iter().map(String::as_str));
            let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            console.warn(&format!("{name} is not a setting and is ignored{meant}"));
        }
        Context { config, console, output, terminal, is_utf8: false, args: Vec::new() }
    }

    /// Takes the character set from the locale variables.
    pub(super) fn with_locale(self, environment: &BTreeMap<String, String>) -> Context {
        let given = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| environment.get(name));
        let locale = given.into_iter().find(|text| !text.is_empty()).map(|text| text.to_ascii_lowercase());
        let is_utf8 = locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"));
        Context { is_utf8, ..self }
    }

    /// For a command that only copies.
    pub(super) fn start_upload_progress(&self) -> Arc<Progress> {
        Arc::new(Progress::start_upload(&self.console, self.terminal.as_deref()))
    }

    pub(super) fn start_progress(&self, calls_per_minute: u32) -> Arc<Progress> {
        Arc::new(Progress::start(&self.console, self.terminal.as_deref(), calls_per_minute))
    }
}
