//! The program as clap knows it: commands, flags, and help that teaches.

use clap::Command;
use clap::error::{ContextKind, ContextValue};

use super::{COMMANDS, Example, settings};
use crate::config::{Group, Setting};
use crate::error::{EXIT_CODES, ExitCode, Failure, nearest};
use crate::schema::SCHEMA_VERSION;

const NAME: &str = env!("CARGO_PKG_NAME");

/// Help is written for this width; a narrower terminal wraps it.
const HELP_WIDTH: usize = 80;

/// Where the explanation of an example begins.
const EXAMPLE_WIDTH: usize = 46;

const ABOUT: &str = "Pulls meeting-quality data out of the Feishu/Lark open platform into Parquet and one DuckDB file";

/// The whole command line.
pub(crate) fn program() -> Command {
    let all: Vec<Example> = COMMANDS.iter().flat_map(|entry| entry.examples).copied().collect();
    let examples = examples_help(&all);
    let mut program = Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .max_term_width(HELP_WIDTH)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_long_help(format!("{examples}\n\n{}\n\n{}", settings_help(), exit_codes_help()))
        .after_help(examples);
    program = settings::add_flags(program, &Group::ALL);
    for entry in COMMANDS {
        let command = (entry.command)().after_help(examples_help(entry.examples));
        program = program.subcommand(settings::add_flags(command, entry.shown));
    }
    program
}

/// Examples, one a line, what they do beside them where there is room.
fn examples_help(examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let line = |(typed, does): &Example| format!("  {typed:EXAMPLE_WIDTH$}  {does}").trim_end().to_owned();
    format!("Examples:\n{}", examples.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn settings_help() -> String {
    let setting = Setting::find("calls_per_minute").expect("a setting of that key is in the table");
    format!(
        "Settings:\n  A flag like --{}\n  is also the variable {} and the key {} in vcq.toml.\n  \
         A flag wins over a variable, a variable over the file, the file over the\n  default. The file is the one that \
         --config or VCQ_CONFIG names, else\n  ./vcq.toml, else vcq-etl/vcq.toml in $XDG_CONFIG_HOME (~/.config).\n  \
         Nothing is coloured, with or without NO_COLOR.",
        setting.flag(),
        setting.variable(),
        setting.key
    )
}

/// The exit codes, folded to the width.
fn exit_codes_help() -> String {
    let mut lines = vec!["Exit codes:".to_owned()];
    for exit in EXIT_CODES {
        let mut line = format!("{:>5}  ", exit.code.number());
        for word in exit.meaning.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > HELP_WIDTH {
                lines.push(line.trim_end().to_owned());
                line = " ".repeat(7);
            }
            line.push_str(word);
            line.push(' ');
        }
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

/// What helps somebody who typed a command that is none: the nearest name and the list, each a line. Empty for other
/// errors; clap's own guess needs more likeness than "sink" has with "sync".
pub(super) fn command_hints(error: &clap::Error) -> String {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return String::new() };
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    // The usage names the commands on the way to the one that was not found.
    let mut place = program();
    for word in usage.split_whitespace().skip_while(|word| *word != NAME).skip(1) {
        match place.find_subcommand(word) {
            Some(inner) => place = inner.clone(),
            None => break,
        }
    }
    let names: Vec<&str> = place.get_subcommands().map(Command::get_name).collect();
    let meant = nearest(typed, names.iter().copied());
    let meant = meant.map(|name| format!("hint: did you mean {name}?\n")).unwrap_or_default();
    format!("{meant}hint: the commands are {}\n", names.join(", "))
}

/// What `--version` prints: the program, the engine that it runs with, and the version of the tables.
///
/// # Errors
/// Where DuckDB does not start.
pub(crate) fn version_text() -> Result<String, Failure> {
    let engine = duckdb::Connection::open_in_memory()
        .and_then(|connection| connection.version())
        .map_err(|error| Failure::new(ExitCode::Unexpected, "could not start DuckDB").cause(&error))?;
    Ok(format!("{NAME} {}\nDuckDB {engine}\nschema {SCHEMA_VERSION}\n", env!("CARGO_PKG_VERSION")))
}
