//! Runs the unmodified binary at another time, with the preloaded library `clock.c`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::fault_injection::compile;

/// Moves the wall clock of a command.
pub(crate) fn move_clock(command: &mut Command, ahead_s: i64) {
    command.env("LD_PRELOAD", library()).env("CLOCK_AHEAD_S", ahead_s.to_string());
}

/// How far `now` (Unix seconds) is ahead of the machine's clock; negative: behind.
#[expect(clippy::disallowed_methods, reason = "the machine's clock is what a test moves")]
pub(crate) fn ahead_of_machine_s(now: i64) -> i64 {
    now - jiff::Timestamp::now().as_second()
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    &LIBRARY.get_or_init(|| compile("clock.c")).1
}
