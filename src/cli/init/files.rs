//! The files that `init` writes: all of them or none, and never an existing one.

use std::path::{Path, PathBuf};

use crate::cli::output::{create_file, exists, write_error};
use crate::config::Sources;
use crate::error::{ExitCode, Failure};
use crate::files::{create_folders, create_public_folders};

/// The name of the new file with the app secret, beside `vcq.toml`.
pub(super) const SECRET_FILE: &str = "app-secret";

/// Where the configuration goes, as absolute paths.
pub(super) struct Places {
    pub file: PathBuf,
    pub folder: PathBuf,
}

impl Places {
    pub(super) fn new(sources: &Sources) -> Result<Places, Failure> {
        // Without "." in the middle.
        let file: PathBuf = sources.new_file().components().collect();
        check_text(&file)?;
        check_new(&file)?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Places { file, folder })
    }

    pub(super) fn secret(&self) -> PathBuf {
        self.folder.join(SECRET_FILE)
    }
}

/// Returns an error for a path that cannot be a line of a crontab or a word of a unit.
pub(super) fn check_text(path: &Path) -> Result<(), Failure> {
    if path.to_str().is_some_and(|text| !text.contains(char::is_control)) {
        return Ok(());
    }
    let message = format!("the path {} is not UTF-8 text without control characters", path.display());
    Err(Failure::new(ExitCode::Usage, message).hint("use another path; neither cron nor systemd can call this one"))
}

/// Returns an error if there is something at this path.
pub(super) fn check_new(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => {
            Err(exists(path)
                .hint("vcq-etl init never changes an existing file: edit it, or move it away and run again"))
        }
        Err(_) => Ok(()),
    }
}

pub(super) struct NewFile {
    pub path: PathBuf,
    pub text: String,
    /// Others may read it. Not `vcq.toml`: the channels that are added later may contain secrets.
    pub is_public: bool,
    /// What is shown in place of the text.
    pub stands_for: Option<&'static str>,
}

/// If one of them cannot be written, the others are removed again.
pub(super) fn create(files: &[NewFile]) -> Result<(), Failure> {
    let mut created: Vec<&Path> = Vec::new();
    for file in files {
        let folder = file.path.parent().unwrap_or(Path::new("/"));
        let folders = if file.is_public { create_public_folders(folder) } else { create_folders(folder) };
        let done = folders
            .map_err(|error| write_error(&file.path, &error))
            .and_then(|()| create_file(&file.path, &file.text, file.is_public));
        if let Err(failure) = done {
            for path in created {
                // The first error is the one to report.
                let _ = std::fs::remove_file(path);
            }
            return Err(failure.hint("nothing was written; --config FILE names another place for vcq.toml"));
        }
        created.push(&file.path);
    }
    Ok(())
}

/// For `--dry-run`.
pub(super) fn shown(files: &[NewFile]) -> String {
    let part = |file: &NewFile| format!("--- {}\n{}\n", file.path.display(), file.stands_for.unwrap_or(&file.text));
    files.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_all_files_are_created_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| NewFile {
            path: folder.path().join(name),
            text: name.to_owned(),
            is_public: false,
            stands_for: None,
        };
        std::fs::write(folder.path().join("c"), "mine").expect("written");
        let failure = create(&[file("new/a"), file("b"), file("c")]).expect_err("c exists");
        assert!(failure.exit == ExitCode::Usage && failure.message.contains("/c already exists"), "{failure:?}");
        assert_eq!(std::fs::read_to_string(folder.path().join("c")).expect("read"), "mine");
        assert!(!folder.path().join("new/a").exists() && !folder.path().join("b").exists());
        create(&[file("new/a"), file("b")]).expect("created");
        assert_eq!(std::fs::read_to_string(folder.path().join("new/a")).expect("read"), "new/a");
    }
}
