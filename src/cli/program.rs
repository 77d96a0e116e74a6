//! The whole command line: commands, flags and help.

use clap::Command;
use clap::error::{ContextKind, ContextValue};

use super::command::{Entry, Example};
use super::{
    alert, buildings, completions, demo, doctor, forget, init, man, plan, prune, publish, query, rebuild, report,
    schema, settings, simulate, status, sync, verify,
};
use crate::config::{Group, Setting};
use crate::error::exit_code::ExitInfo;
use crate::error::{EXIT_CODES, ExitCode, Failure, nearest};
use crate::schema::SCHEMA_VERSION;
use crate::text::{Language, WIDTH, wrap_indented_to};

const NAME: &str = env!("CARGO_PKG_NAME");

/// Every command, in the order of the help.
pub(super) const COMMANDS: &[Entry] = &[
    init::ENTRY,
    sync::ENTRY,
    plan::ENTRY,
    status::ENTRY,
    doctor::ENTRY,
    report::ENTRY,
    query::ENTRY,
    alert::ENTRY,
    buildings::ENTRY,
    publish::ENTRY,
    rebuild::ENTRY,
    forget::ENTRY,
    prune::ENTRY,
    verify::ENTRY,
    schema::ENTRY,
    demo::ENTRY,
    simulate::ENTRY,
    completions::ENTRY,
    man::ENTRY,
];

/// In Chinese, no line of the help is wrapped: [`super::help`] does that when it is printed.
pub(super) fn program(language: Language) -> Command {
    let all: Vec<Example> = COMMANDS.iter().flat_map(|entry| entry.examples).copied().collect();
    let examples = examples_help(&all);
    let width = language.pick(WIDTH, usize::MAX);
    let mut program = Command::new(NAME)
        .version(env!("CARGO_PKG_VERSION"))
        .about("Pull meeting quality data from the Feishu/Lark open platform into Parquet and DuckDB")
        .max_term_width(WIDTH)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_long_help(format!("{examples}\n\n{}\n\n{}", settings_help(width), exit_codes_help(width)))
        .after_help(examples);
    if language == Language::Chinese {
        program = program.term_width(0);
    }
    program = settings::add_flags(program, &Group::ALL);
    for entry in COMMANDS {
        let command = (entry.command)().after_help(examples_help(entry.examples));
        program = program.subcommand(settings::add_flags(command, entry.help_groups));
    }
    program
}

fn examples_help(examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let line = |(typed, does): &Example| format!("  {typed:46}  {does}").trim_end().to_owned();
    format!("Examples:\n{}", examples.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn settings_help(width: usize) -> String {
    let setting = Setting::find("calls_per_minute").expect("the table has this setting");
    let text = format!(
        "Every setting can be given as a flag (--{}), as an environment variable ({}) or as a key in vcq.toml ({}). Flags \
         take precedence over variables, variables over the file, the file over the defaults. The file is the one named by \
         --config or VCQ_CONFIG, else ./vcq.toml, else vcq-etl/vcq.toml in $XDG_CONFIG_HOME (default: ~/.config). Relative \
         paths in that file are relative to its folder. Output \
         is never coloured.",
        setting.flag(),
        setting.variable(),
        setting.key
    );
    format!("Settings:\n  {}", wrap_indented_to(&text, 2, width))
}

fn exit_codes_help(width: usize) -> String {
    let meaning = |exit: &ExitInfo| wrap_indented_to(exit.meaning, 7, width);
    let lines = EXIT_CODES.iter().map(|exit| format!("\n{:>5}  {}", exit.code.number(), meaning(exit)));
    format!("Exit codes:{}", lines.collect::<String>())
}

/// Hints for a misspelt command: the nearest name and the list, one per line. Empty for other errors. The suggestions
/// of clap are stricter: they miss "sync" for "sink".
pub(super) fn command_hints(error: &clap::Error) -> String {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return String::new() };
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    // The usage line names the commands that lead to the one that was not found.
    let mut parent = program(Language::English);
    for word in usage.split_whitespace().skip_while(|word| *word != NAME).skip(1) {
        match parent.find_subcommand(word) {
            Some(inner) => parent = inner.clone(),
            None => break,
        }
    }
    let names: Vec<&str> = parent.get_subcommands().map(Command::get_name).collect();
    let meant = nearest(typed, names.iter().copied());
    let meant = meant.map(|name| format!("hint: did you mean {name}?\n")).unwrap_or_default();
    format!("{meant}hint: the commands are {}\n", names.join(", "))
}

/// Versions of the program, of DuckDB and of the tables.
pub(super) fn version_text() -> Result<String, Failure> {
    let engine = duckdb::Connection::open_in_memory()
        .and_then(|connection| connection.version())
        .map_err(|error| Failure::new(ExitCode::Unexpected, "could not start DuckDB").cause(&error))?;
    Ok(format!("{NAME} {}\nDuckDB {engine}\nschema {SCHEMA_VERSION}\n", env!("CARGO_PKG_VERSION")))
}
