//! The question before a command that removes data permanently.

use std::io::{self, IsTerminal};

use super::console::Console;
use crate::error::{ExitCode, Failure};

/// Says what will happen. Returns an error unless the user agrees: by `--yes`, or by an answer on a terminal.
pub(super) fn confirm(console: &Console, what: &str, yes: bool) -> Result<(), Failure> {
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
