//! `vcq-etl forget`: its arguments, the question before it, and its result.

use std::sync::Arc;

use clap::{ArgGroup, ArgMatches, Args, Command};
use serde_json::json;

use super::command::{Context, Entry, Example, LOCAL, Run, parsed};
use super::confirm::{ConfirmArgs, Done, confirmed};
use super::rebuild::store_setup;
use crate::commands::replace::{ForgetSetup, Forgotten, Found, Who, forget, forget_preview};
use crate::error::{ExitCode, Failure};
use crate::text::{counted, on_one_line};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct ForgetArgs {
    /// The person's user ID or employee ID.
    #[arg(long, value_name = "ID")]
    user: Option<String>,

    /// The person's e-mail address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,

    #[command(flatten)]
    confirm: ConfirmArgs,
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
            "Replace the identity of one person with tokens: IDs, name, e-mail address, phone number, addresses and device \
             names, in the raw log, the ledger, the Parquet files and vcq.duckdb. The person's name is replaced in topics, \
             too. Says what will be replaced and asks for confirmation; without a terminal it needs --yes. The person is \
             replaced in later responses, too; this needs the identity key, state/identity.key.",
        )
}

fn run(matches: &ArgMatches, context: &Context) -> Result<ExitCode, Failure> {
    let args: ForgetArgs = parsed(matches);
    let who = match (&args.user, &args.email) {
        (Some(user), _) => Who::User(user.clone()),
        (None, email) => Who::Email(email.clone().unwrap_or_default()),
    };
    let setup = ForgetSetup { store: store_setup(&context.config, Arc::new(())), who };
    let what = preview_text(&forget_preview(&setup)?, args.confirm.yes);
    confirmed(context, &args.confirm, &what, || Ok(done(forget(&setup)?)))
}

/// `is_anonymous` for a log: nobody reads it to see whether this is the right person.
fn preview_text(found: &Found, is_anonymous: bool) -> String {
    let all = found.ids.iter().chain(&found.names).chain(&found.emails);
    let who = match is_anonymous {
        true => "one person".to_owned(),
        false => all.map(|text| on_one_line(text)).collect::<Vec<_>>().join(", "),
    };
    if found.is_replaced {
        return format!("The identity of {who} is replaced already. Replaces it in later responses, too.\n");
    }
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
fn done(forgotten: Forgotten) -> Done {
    let Forgotten { run_id, found, dates, generation, notes } = forgotten;
    let text = match dates.len() as u64 {
        0 => "Later responses of this person will be replaced.\n".to_owned(),
        count => format!("Replaced the identity on {}.\n", counted(count, "date")),
    };
    let fields = json!({
        "dates": dates,
        "meetings": found.meetings,
        "participants": found.participants,
        "samples": found.samples,
    });
    Done { run_id, generation, notes, text, fields }
}
