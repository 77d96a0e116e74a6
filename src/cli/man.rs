//! `vcq-etl man`: the manual pages.

use clap::{Arg, ArgMatches, Command};

use super::command::{Entry, Example, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};

const COMMAND: &str = "command";

const EXAMPLES: &[Example] = &[("vcq-etl man report | man -l -", "read about a command")];

pub(super) const ENTRY: Entry = Entry { shown: &[], command, examples: EXAMPLES, run: Run::Plain(run) };

fn command() -> Command {
    Command::new("man")
        .about("Print the manual page of the program or of a command")
        .arg(Arg::new(COMMAND).value_name("COMMAND").help("Name of a command [default: the program itself]"))
}

fn run(matches: &ArgMatches, mut program: Command, output: &Output) -> Result<ExitCode, Failure> {
    let names: Vec<String> = program.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    // Adds the global flags to the commands.
    program.build();
    let page = match matches.get_one::<String>(COMMAND) {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::new(ExitCode::Usage, format!("unknown command {name:?}"))
                .hint(format!("the commands are {}", names.join(", ")))
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::new(ExitCode::Unexpected, "could not render the manual page").cause(&error))?;
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Complete)
}
