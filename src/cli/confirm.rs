//! Commands that remove data permanently: they say what will happen, ask, do it, and print the result.

use std::io::{self, IsTerminal};

use clap::Args;
use serde_json::{Map, Value, json};

use super::command::{Context, TextOrJson};
use super::console::Console;
use super::runtime::exit_on_signals_after;
use super::sync::summary_format;
use crate::commands::SyncError;
use crate::error::{ExitCode, Failure};
use crate::text::in_json;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct ConfirmArgs {
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,

    /// Format of the summary on stdout [default: text].
    #[arg(long, value_enum, value_name = "FORMAT")]
    summary: Option<TextOrJson>,
}

/// What such a command did.
pub(super) struct Done {
    pub run_id: String,
    pub generation: Option<u64>,
    pub notes: Vec<String>,
    /// The summary as text.
    pub text: String,
    /// What is particular to the command, for the summary in JSON.
    pub fields: Value,
}

/// Runs such a command. `what` will happen; if it is empty, nothing will, and nothing is asked.
pub(super) fn confirmed(
    context: &Context,
    args: &ConfirmArgs,
    what: &str,
    act: impl FnOnce() -> Result<Done, SyncError>,
) -> Result<ExitCode, Failure> {
    if !what.is_empty() {
        confirm(&context.console, what, args.yes)?;
    }
    // Safe anywhere: the next command finishes what has begun.
    exit_on_signals_after(|| ());
    let done = act()?;
    done.notes.iter().for_each(|note| context.console.warn(note));
    match summary_format(args.summary, context.console.is_quiet()) {
        None => {}
        Some(TextOrJson::Json) => context.output.print(&in_json(&format!("{}\n", object(done, context))))?,
        Some(TextOrJson::Text) => context.output.print(&context.console.language.say_lines(&done.text))?,
    }
    Ok(ExitCode::Complete)
}

fn object(done: Done, context: &Context) -> Value {
    let Done { run_id, generation, notes, fields, .. } = done;
    let before = json!({
        "run_id": run_id,
        "outcome": ExitCode::Complete.name(),
        "exit_code": ExitCode::Complete.number(),
    });
    let after = json!({
        "generation": generation,
        "store": context.config.store.display().to_string(),
        "notes": notes,
        "error": null,
    });
    let members = |value: Value| value.as_object().cloned().unwrap_or_default();
    Value::Object([before, fields, after].into_iter().flat_map(members).collect::<Map<_, _>>())
}

/// Says what will happen. Returns an error unless the user agrees: by `--yes`, or by an answer on a terminal.
fn confirm(console: &Console, what: &str, yes: bool) -> Result<(), Failure> {
    let is_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    if yes || !is_terminal {
        what.lines().for_each(|line| console.info(line));
    }
    if yes {
        return Ok(());
    }
    if !is_terminal {
        return Err(Failure::new(
            ExitCode::Usage,
            "nothing was changed: confirmation is needed, and there is no terminal",
        )
        .hint("to confirm, run the same command with --yes"));
    }
    console.question(&format!("{what}This cannot be undone. Continue? [y/N] "));
    let mut line = String::new();
    let is_read = io::stdin().read_line(&mut line).is_ok();
    match is_read && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        true => Ok(()),
        false => Err(Failure::new(ExitCode::Usage, "nothing was changed: not confirmed")),
    }
}
