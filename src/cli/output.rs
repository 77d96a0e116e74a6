//! Stdout, and result files.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;

use crate::error::{ExitCode, Failure};
use crate::files::{self, Access};
use crate::text::terminal_width;

/// Width of a table or summary that does not go to a terminal.
const PIPED_WIDTH: u16 = 120;

#[derive(Debug, Clone, Default, Args)]
pub(super) struct WidthArg {
    /// Width of a table in columns [default: that of the terminal, or 120 for a pipe or a file]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(20..=1000))]
    width: Option<u16>,
}

impl WidthArg {
    pub(super) fn columns(&self, is_stdout: bool) -> u16 {
        self.width.unwrap_or_else(|| if is_stdout { stdout_columns() } else { PIPED_WIDTH })
    }
}

/// Columns of the terminal, or those for a pipe.
pub(super) fn stdout_columns() -> u16 {
    let stdout = std::io::stdout();
    if stdout.is_terminal() { terminal_width(stdout) } else { PIPED_WIDTH }
}

/// Clones write to the same place.
#[derive(Clone)]
pub(crate) struct Output {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Output {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Output {
        Output { out: Arc::new(Mutex::new(out)) }
    }

    /// Prints and flushes. A closed pipe (`| head`) is not an error.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.print_bytes(text.as_bytes())
    }

    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.print_part(bytes).map(|_| ())
    }

    /// Prints a part of a result; false if nobody reads the rest.
    pub(crate) fn print_part(&self, bytes: &[u8]) -> Result<bool, Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::new(ExitCode::Storage, "could not write to stdout").cause(&error)),
            Ok(()) => Ok(true),
        }
    }
}

/// A value as one line of JSON.
pub(super) fn json_line(value: &impl serde::Serialize) -> String {
    // The values are numbers, texts, lists and maps with text keys, which always serialise.
    serde_json::to_string(value).expect("plain values") + "\n"
}

/// Returns an error if the path is one that the program itself uses in the store.
pub(super) fn check_outside_store(path: &Path, store: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // If the directory does not exist, writing fails with a clear error.
    let (Ok(folder), Ok(store)) = (folder.canonicalize(), store.canonicalize()) else { return Ok(()) };
    let file = folder.join(path.file_name().unwrap_or_default());
    let first = file.strip_prefix(&store).ok().and_then(|below| below.iter().next()).map(|name| name.to_string_lossy());
    let prefixes = ["vcq.duckdb", "buildings.csv", "parquet", "raw", "state", ".work"];
    if first.is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
        let message = format!("{} belongs to the store {}", path.display(), store.display());
        return Err(Failure::new(ExitCode::Usage, message).hint("choose another file with --out"));
    }
    Ok(())
}

/// Writes a result to a file atomically.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    replace_file(path, |partial| files::write(partial, text.as_bytes()).map_err(|error| write_error(path, &error)))
}

/// Writes a file that does not exist yet; an existing one is never changed. Only the owner can read it, unless it is
/// public.
pub(super) fn create_file(path: &Path, text: &str, is_public: bool) -> Result<(), Failure> {
    let created = if is_public { files::create_new_public(path) } else { files::create_new(path) };
    let mut file = created.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => write_error(path, &error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(path);
        write_error(path, &error)
    })
}

/// The failure of a command that would have to replace a file.
pub(super) fn exists(path: &Path) -> Failure {
    Failure::new(ExitCode::Usage, format!("{} already exists, and nothing was written", path.display()))
}

/// Lets `write` fill a temporary file and renames it to `path`.
pub(super) fn replace_file<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
    let name = path.file_name().filter(|_| !path.is_dir());
    let name = name.ok_or_else(|| write_error(path, &io::Error::from(ErrorKind::IsADirectory)))?;
    let partial = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    // Left by an earlier process with this ID, or put there by somebody else.
    let _ = std::fs::remove_file(&partial);
    // Writers that take a path empty the file, which keeps its mode.
    let written = files::create_new(&partial)
        .map_err(|error| write_error(path, &error))
        .and_then(|_| write(&partial))
        .and_then(|done| std::fs::rename(&partial, path).map(|()| done).map_err(|error| write_error(path, &error)));
    if written.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

/// Returns the bytes that `write` puts in a temporary file, for writers that need a path.
pub(super) fn via_temporary_file<T>(write: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<(T, Vec<u8>), Failure> {
    let folder = std::env::temp_dir().join(format!("vcq-etl-result-{}", std::process::id()));
    let path = folder.join("result");
    files::create_folder(&folder, Access::Private).map_err(|error| write_error(&folder, &error))?;
    let written =
        write(&path).and_then(|done| Ok((done, std::fs::read(&path).map_err(|error| write_error(&path, &error))?)));
    // An error leaves a file in the temporary directory, which is harmless.
    let _ = std::fs::remove_dir_all(&folder);
    written
}

pub(super) fn write_error(path: &Path, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Storage, format!("could not write {}", path.display())).cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
        assert!(Output::new(Box::new(Closed(ErrorKind::BrokenPipe))).print("x").is_ok());
        let failure = Output::new(Box::new(Closed(ErrorKind::StorageFull))).print("x").expect_err("a failure");
        assert_eq!(failure.exit, ExitCode::Storage);
        assert_eq!(failure.causes.len(), 1);
    }

    #[test]
    fn a_file_is_created_once_and_with_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        create_file(&path, "one", false).expect("written");
        let failure = create_file(&path, "two", true).expect_err("exists");
        assert_eq!(failure.exit, ExitCode::Usage);
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "one");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let failure = create_file(&folder.path().join("no/such/folder"), "x", false).expect_err("no folder");
        assert_eq!(failure.exit, ExitCode::Storage);
    }

    #[test]
    fn a_file_is_replaced_atomically() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("result.csv");
        write_file(&path, "one").expect("written");
        write_file(&path, "two").expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "two");
        assert!(write_file(&folder.path().join("no/such/folder.csv"), "x").is_err());
        assert!(write_file(folder.path(), "x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
