//! The subcommands of `vcq-etl report`.

use clap::{ArgMatches, Command, Subcommand};

use super::card::{self, IncidentArgs, MeetingArgs, UserArgs};
use super::export::{self, ExportArgs};
use super::html::{self, HtmlArgs};
use super::list::{self, ListArgs};
use super::run::{self, RunArgs};
use super::show::{self, ShowArgs};
use crate::cli::command::{Context, Entry, Example, LOCAL, Run, parsed};
use crate::error::{ExitCode, Failure};

const EXAMPLES: &[Example] = &[
    ("vcq-etl report list", "list the reports"),
    ("vcq-etl report run incidents", "what went wrong"),
    ("vcq-etl report run worst-meetings --since 28d", "run a report"),
    ("vcq-etl report user Ann Lee", "how her meetings were"),
    ("vcq-etl report run coverage --out coverage.csv", "for a spreadsheet"),
];

pub(in crate::cli) const ENTRY: Entry =
    Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// List the reports and the questions they answer
    List(ListArgs),
    /// Explain a report: parameters, columns, thresholds and caveats
    Show(ShowArgs),
    /// Run a report on the published data
    #[command(after_help = run::EXAMPLES)]
    Run(RunArgs),
    /// Show what happened in an incident, and to whom
    #[command(after_help = card::INCIDENT_EXAMPLES)]
    Incident(IncidentArgs),
    /// Show how the meetings of a person or room were
    #[command(after_help = card::USER_EXAMPLES)]
    User(UserArgs),
    /// Show how a meeting was
    #[command(after_help = card::MEETING_EXAMPLES)]
    Meeting(MeetingArgs),
    /// Write an HTML report of a day, week or month
    #[command(after_help = html::EXAMPLES)]
    Html(HtmlArgs),
    /// Write the reports as SQL scripts for another engine
    #[command(after_help = export::EXAMPLES)]
    Export(ExportArgs),
}

fn command() -> Command {
    let command = Command::new("report")
        .about("Run reports on the published data")
        .subcommand_required(true)
        .arg_required_else_help(true);
    ReportCommand::augment_subcommands(command)
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    match parsed(matches) {
        ReportCommand::List(args) => list::run(&args, context)?,
        ReportCommand::Show(args) => show::run(&args, context)?,
        ReportCommand::Run(args) => run::run(&args, context)?,
        ReportCommand::Incident(args) => card::incident(&args, context)?,
        ReportCommand::User(args) => card::user(&args, context)?,
        ReportCommand::Meeting(args) => card::meeting(&args, context)?,
        ReportCommand::Html(args) => html::run(&args, context)?,
        ReportCommand::Export(args) => export::run(&args, context)?,
    }
    Ok(ExitCode::Complete)
}
