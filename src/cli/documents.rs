//! The commands that print a generated text: `vcq-etl completions`, `man` and `schema`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::command::{Entry, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};
use crate::schema::{ddl, dictionary};

pub(super) const COMPLETIONS: Entry = Entry {
    help_groups: &[],
    command: || {
        let shell = clap::value_parser!(Shell);
        Command::new("completions")
            .about("Print a shell completion script")
            .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(shell).help("Name of the shell"))
    },
    examples: &[("vcq-etl completions bash > vcq-etl.bash", "")],
    run: Run::Plain(print_completions),
};

pub(super) const MAN: Entry = Entry {
    help_groups: &[],
    command: || {
        Command::new("man")
            .about("Print the man page of vcq-etl or one of its commands")
            .arg(Arg::new("command").value_name("COMMAND").help("Name of a command [default: the program itself]"))
    },
    examples: &[("vcq-etl man report | man -l -", "read about a command")],
    run: Run::Plain(print_man),
};

pub(super) const SCHEMA: Entry = Entry {
    help_groups: &[],
    command: || {
        Command::new("schema").about("Print the data dictionary: every table and column").arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(FORMATS.iter().map(|(name, _)| *name)))
                .default_value(FORMATS[0].0)
                .help("Output format"),
        )
    },
    examples: &[("vcq-etl schema", "every table and column")],
    run: Run::Plain(print_schema),
};

type Renderer = fn() -> String;

/// The formats of the data dictionary.
const FORMATS: &[(&str, Renderer)] =
    &[("markdown", dictionary::markdown), ("json", || format!("{:#}\n", dictionary::json())), ("sql", ddl::script)];

fn print_completions(matches: &ArgMatches, mut program: Command, output: &Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        clap_complete::generate(*shell, &mut program, env!("CARGO_PKG_NAME"), &mut script);
    }
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Complete)
}

fn print_man(matches: &ArgMatches, mut program: Command, output: &Output) -> Result<ExitCode, Failure> {
    let names: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    // Adds the global flags to the commands.
    program.build();
    let page = match matches.get_one::<String>("command") {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::new(ExitCode::Usage, format!("unknown command {name:?}"))
                .hint(format!("the commands are {}", names.join(", ")))
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::new(ExitCode::Unexpected, "could not render the man page").cause(&error))?;
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Complete)
}

fn print_schema(matches: &ArgMatches, _: Command, output: &Output) -> Result<ExitCode, Failure> {
    let name = matches.get_one::<String>("format").map(String::as_str);
    let (_, render) = FORMATS.iter().find(|(format, _)| Some(*format) == name).unwrap_or(&FORMATS[0]);
    output.print(&render())?;
    Ok(ExitCode::Complete)
}
