//! Paths that the configuration file names.

use std::path::Path;

/// A path in the configuration file is relative to the folder of the file, so that it does not depend on where the
/// program is started.
pub(super) fn beside(file: &Path, text: String) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    match folder.join(&text).into_os_string().into_string() {
        Ok(path) if !text.trim().is_empty() => path,
        // An empty text is an error of its own; a folder whose name is not text cannot be part of one.
        _ => text,
    }
}
