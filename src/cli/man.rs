//! `vcq-etl man`: the manual page.

use clap::{Arg, ArgMatches, Command};

use super::{COMMANDS, Entry, Example, Output, Run, program};
use crate::error::{ExitCode, Failure};

const COMMAND: &str = "command";

const EXAMPLES: &[Example] = &[("vcq-etl man report | man -l -", "read about a command")];

pub(super) const ENTRY: Entry = Entry { shown: &[], command, examples: EXAMPLES, run: Run::Plain(run) };

fn command() -> Command {
    Command::new("man")
        .about("Print the manual page of the program or of a command")
        .arg(Arg::new(COMMAND).value_name("COMMAND").help("The command; left out: the program"))
}

fn run(matches: &ArgMatches, output: &Output) -> Result<ExitCode, Failure> {
    let mut program = program();
    // Global flags reach the commands only now.
    program.build();
    let page = match matches.get_one::<String>(COMMAND) {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| unknown(name))?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::new(ExitCode::Unexpected, "could not render the manual page").cause(&error))?;
    output.print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Complete)
}

fn unknown(name: &str) -> Failure {
    let names: Vec<String> = COMMANDS.iter().map(|entry| (entry.command)().get_name().to_owned()).collect();
    Failure::new(ExitCode::Usage, format!("there is no command {name:?}"))
        .hint(format!("the commands are {}", names.join(", ")))
}
