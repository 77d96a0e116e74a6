//! Where targets put files.

use std::path::PathBuf;

/// A temporary directory for this process and thread.
pub(super) fn folder() -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("vcq-etl-fuzzing-{}-{thread}", std::process::id()))
}
