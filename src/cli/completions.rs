//! `vcq-etl completions`: what a shell needs to complete the command line.

use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;

use super::{Entry, Example, Output, Run, program};
use crate::error::{ExitCode, Failure};

const SHELL: &str = "shell";

const EXAMPLES: &[Example] = &[("vcq-etl completions bash > vcq-etl.bash", "")];

pub(super) const ENTRY: Entry = Entry { shown: &[], command, examples: EXAMPLES, run: Run::Plain(run) };

fn command() -> Command {
    Command::new("completions").about("Print completions for a shell").arg(
        Arg::new(SHELL).value_name("SHELL").required(true).value_parser(clap::value_parser!(Shell)).help("The shell"),
    )
}

fn run(matches: &ArgMatches, output: &Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>(SHELL) {
        clap_complete::generate(*shell, &mut program(), env!("CARGO_PKG_NAME"), &mut script);
    }
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Complete)
}
