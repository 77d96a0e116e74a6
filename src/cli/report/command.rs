//! The subcommands of `vcq-etl report`.

use clap::{ArgMatches, Command, Subcommand};

use super::html::{self, HtmlArgs};
use super::list::{self, ListArgs};
use super::run::{self, RunArgs};
use super::show::{self, ShowArgs};
use crate::cli::command::{Context, Entry, Example, LOCAL, Run, parsed};
use crate::error::{ExitCode, Failure};

const EXAMPLES: &[Example] = &[
    ("vcq-etl report list", "list the reports"),
    ("vcq-etl report run worst-meetings --since 7d", "run a report"),
    ("vcq-etl report run coverage --out coverage.csv", "for a spreadsheet"),
];

pub(in crate::cli) const ENTRY: Entry = Entry { shown: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Subcommand)]
enum Action {
    /// List the reports and the questions they answer
    List(ListArgs),
    /// Explain a report: parameters, columns, limits and caveats
    Show(ShowArgs),
    /// Run a report on the published data
    #[command(after_help = run::EXAMPLES)]
    Run(RunArgs),
    /// Write a report page about a day, week or month as an HTML file
    #[command(after_help = html::EXAMPLES)]
    Html(HtmlArgs),
}

fn command() -> Command {
    let command = Command::new("report")
        .about("Run reports on the published data")
        .subcommand_required(true)
        .arg_required_else_help(true);
    Action::augment_subcommands(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    match parsed(matches) {
        Action::List(args) => list::run(&args, context)?,
        Action::Show(args) => show::run(&args, context)?,
        Action::Run(args) => run::run(&args, context)?,
        Action::Html(args) => html::run(&args, context)?,
    }
    Ok(ExitCode::Complete)
}
