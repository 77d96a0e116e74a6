//! `vcq-etl forget`: its arguments, the question before it, and its result.

use std::sync::Arc;

use clap::{ArgGroup, ArgMatches, Args, Command};
use serde_json::json;

use super::command::{Context, Entry, Example, LOCAL, Run, TextOrJson, parsed};
use super::confirm::confirm;
use super::rebuild::store_setup;
use super::runtime::exit_on_signals_after;
use super::sync::summary_format;
use crate::commands::replace::{ForgetSetup, Forgotten, Found, Who, forget, forget_preview};
use crate::error::{ExitCode, Failure};
use crate::text::{counted, in_json, on_one_line};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct ForgetArgs {
    /// The person's user ID or employee ID.
    #[arg(long, value_name = "ID")]
    user: Option<String>,

    /// The person's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    /// Do not ask.
    #[arg(long)]
    yes: bool,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    summary: Option<TextOrJson>,
}

const EXAMPLES: &[Example] = &[
    ("vcq-etl forget --email li.na@example.com", "replace one person's identity"),
    ("vcq-etl forget --user ou_7d8a6e6d --yes", ""),
];

pub(super) const ENTRY: Entry = Entry { help_groups: LOCAL, command, examples: EXAMPLES, run: Run::Configured(run) };

fn command() -> Command {
    ForgetArgs::augment_args(Command::new("forget"))
        .group(ArgGroup::new("who").args(["user", "email"]).required(true))
        .about("Replace the identity of one person")
        .long_about(
            "Replace the identity of one person with pseudonyms: IDs, name, e-mail address, phone number, addresses and device \
             names, in the raw log, the ledger, the Parquet files and vcq.duckdb. The person's name is replaced in topics, \
             too. Says what will be replaced and asks for confirmation; without a terminal it needs --yes. The person is \
             replaced in later responses, too; this needs the key in state/identity.key.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: ForgetArgs = parsed(matches);
    let who = match (&args.user, &args.email) {
        (Some(user), _) => Who::User(user.clone()),
        (None, email) => Who::Email(email.clone().unwrap_or_default()),
    };
    let setup = ForgetSetup { store: store_setup(&context.config, Arc::new(())), who };
    confirm(&context.console, &preview_text(&forget_preview(&setup)?), args.yes)?;
    // Safe anywhere: the next command finishes what has begun.
    exit_on_signals_after(|| ());
    let forgotten = forget(&setup)?;
    forgotten.notes.iter().for_each(|note| context.console.warn(note));
    match summary_format(args.summary, context.console.is_quiet()) {
        None => {}
        Some(TextOrJson::Json) => context.output.print(&in_json(&format!("{}\n", object(&setup, &forgotten))))?,
        Some(TextOrJson::Text) => {
            let dates = counted(forgotten.dates.len() as u64, "date");
            let text = format!("Replaced the identity on {dates}.\n");
            context.output.print(&context.console.language.say_lines(&text))?;
        }
    }
    Ok(ExitCode::Complete)
}

fn preview_text(found: &Found) -> String {
    let all = found.ids.iter().chain(&found.names).chain(&found.emails);
    let who = all.map(|text| on_one_line(text)).collect::<Vec<_>>().join(", ");
    let span = match (found.dates.first(), found.dates.last()) {
        (Some(first), Some(last)) => {
            format!(" on {} ({first} to {last})", counted(found.dates.len() as u64, "date"))
        }
        _ => String::new(),
    };
    format!(
        "Replaces the identity of {who}: {} and {}{span}, with {}.\n",
        counted(found.participants, "participant row"),
        counted(found.meetings, "organised meeting"),
        counted(found.samples, "sample"),
    )
}

/// Without the identity, so that it is not kept in a log.
fn object(setup: &ForgetSetup, forgotten: &Forgotten) -> serde_json::Value {
    let Forgotten { run_id, found, dates, generation, notes } = forgotten;
    json!({
        "run_id": run_id,
        "outcome": ExitCode::Complete.name(),
        "exit_code": ExitCode::Complete.number(),
        "dates": dates,
        "meetings": found.meetings,
        "participants": found.participants,
        "samples": found.samples,
        "generation": generation,
        "store": setup.store.store.display().to_string(),
        "notes": notes,
        "error": null,
    })
}
