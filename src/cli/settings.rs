//! The flags derived from the table of settings, and their values on a command line.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use crate::commands::DefinitionSettings;
use crate::config::{Config, Group, Kind, LogFormat, SETTINGS, Setting, Sources, is_channel_secret};
use crate::error::Redactor;
use crate::text::Language;

pub(super) const QUIET: &str = "quiet";

pub(super) const CONFIG: &str = "config";

/// The settings of what is installed in the database in addition to the rows.
pub(super) fn definitions(config: &Config) -> DefinitionSettings {
    DefinitionSettings {
        custom_limits: config.thresholds.clone(),
        views_dir: config.views_dir.clone(),
        profile: config.profile.clone(),
        language: config.language,
    }
}

/// Adds every setting as a flag, except those that the command itself has. Flags outside of the groups `shown` are
/// accepted but hidden.
pub(super) fn add_flags(command: Command, shown: &[Group]) -> Command {
    let flags = SETTINGS.iter().map(|setting| flag(setting).hide(!shown.contains(&setting.group)));
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_hint(ValueHint::FilePath)
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .help_heading(Group::Store.heading())
        .hide(!shown.contains(&Group::Store))
        .help("Configuration file [default: ./vcq.toml, else ~/.config/vcq-etl/vcq.toml]");
    let quiet = Arg::new(QUIET)
        .long(QUIET)
        .short('q')
        .action(ArgAction::SetTrue)
        .global(true)
        .help_heading(Group::Logging.heading())
        .hide(!shown.contains(&Group::Logging))
        .help("Print errors only. Also suppresses the summary, unless --summary is given");
    let own: Vec<_> = command.get_arguments().map(|arg| arg.get_id().clone()).collect();
    command.args(flags.chain([config, quiet]).filter(|arg| !own.contains(arg.get_id())))
}

pub(super) fn flag(setting: &'static Setting) -> Arg {
    let default = if setting.default.is_empty() { String::new() } else { format!(" [default: {}]", setting.default) };
    let arg = Arg::new(setting.key)
        .long(setting.flag())
        .value_name(setting.value_name)
        .global(true)
        .help_heading(setting.group.heading())
        .help(format!("{}{default}", setting.help.trim_end_matches('.')))
        // `-h` shows the settings for everyday use, `--help` all of them.
        .hide_short_help(!matches!(setting.key, "store" | "timezone"));
    match setting.kind {
        Kind::OneOf(words) => arg.value_parser(PossibleValuesParser::new(words)),
        Kind::Path => arg.value_hint(ValueHint::AnyPath),
        // "-05:00" looks like a flag.
        Kind::DatabaseDates => arg,
        Kind::Zone => arg.allow_hyphen_values(true),
        Kind::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::Text
        | Kind::Count { .. }
        | Kind::Duration { .. }
        | Kind::Bytes
        | Kind::BaseUrl
        | Kind::Numbers
        | Kind::Words(_) => arg,
    }
}

/// The flag of a setting with its dashes.
pub(super) fn flag_name(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// The matches of the innermost command, which contain the global flags wherever they were given.
pub(super) fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| innermost(inner))
}

pub(super) fn sources(innermost: &ArgMatches, environment: BTreeMap<String, String>, folder: PathBuf) -> Sources {
    let flags = SETTINGS
        .iter()
        .filter_map(|setting| Some((setting.key, innermost.get_one::<String>(setting.key)?.clone())))
        .collect();
    Sources { flags, config_flag: innermost.get_one::<PathBuf>(CONFIG).cloned(), environment, folder }
}

/// The log format before the settings are known, because a usage error must be a JSON line too.
pub(super) fn early_format(args: &[OsString], environment: &BTreeMap<String, String>) -> LogFormat {
    let setting = Setting::find("log_format").expect("the table has this setting");
    let given = values_of(args, setting.flag()).pop().or_else(|| environment.get(&setting.variable()).cloned());
    given.and_then(|text| LogFormat::parse(&text)).unwrap_or(LogFormat::Plain)
}

/// The language of help and messages, which usage errors need before the settings are known.
pub(super) fn early_language(args: &[OsString], environment: &BTreeMap<String, String>, folder: &Path) -> Language {
    let setting = Setting::find("language").expect("the table has this setting");
    let settings = std::iter::once(setting).chain(Setting::find("tenant"));
    let flags = settings.filter_map(|setting| Some((setting.key, values_of(args, setting.flag()).pop()?))).collect();
    let config_flag = values_of(args, CONFIG.to_owned()).pop().map(PathBuf::from);
    Sources { flags, config_flag, environment: environment.clone(), folder: folder.to_owned() }.language()
}

/// Knows the secrets that are visible before parsing, because a usage error repeats the command line.
pub(super) fn early_redactor(args: &[OsString], environment: &BTreeMap<String, String>) -> Redactor {
    let redactor = Redactor::default();
    for setting in SETTINGS.iter().filter(|setting| setting.secret) {
        let by_variable = environment.get(&setting.variable()).cloned();
        by_variable
            .into_iter()
            .chain(values_of(args, setting.flag()))
            .for_each(|secret| redactor.add_secret(secret.trim()));
    }
    let of_channels = environment.iter().filter(|(name, _)| is_channel_secret(name));
    of_channels.for_each(|(_, secret)| redactor.add_secret(secret.trim()));
    redactor
}

/// The values of a flag on an unparsed command line.
fn values_of(args: &[OsString], flag: String) -> Vec<String> {
    let flag = format!("--{flag}");
    let mut values = Vec::new();
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if *arg == flag {
            values.extend(args.next().map(|value| value.into_owned()));
        } else if let Some(value) = arg.strip_prefix(&flag).and_then(|rest| rest.strip_prefix('=')) {
            values.push(value.to_owned());
        }
    }
    values
}
