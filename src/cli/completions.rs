//! `vcq-etl completions`: the completion script of a shell.

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::command::{Entry, Example, Run};
use super::output::Output;
use crate::error::{ExitCode, Failure};

const SHELL: &str = "shell";

const EXAMPLES: &[Example] = &[("vcq-etl completions bash > vcq-etl.bash", "")];

pub(super) const ENTRY: Entry = Entry { shown: &[], command, examples: EXAMPLES, run: Run::Plain(run) };

fn command() -> Command {
    let shell = clap::value_parser!(Shell);
    Command::new("completions")
        .about("Print the completion script of a shell")
        .arg(Arg::new(SHELL).value_name("SHELL").required(true).value_parser(shell).help("Name of the shell"))
}

fn run(matches: &ArgMatches, mut program: Command, output: &Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>(SHELL) {
        clap_complete::generate(*shell, &mut program, env!("CARGO_PKG_NAME"), &mut script);
    }
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Complete)
}
