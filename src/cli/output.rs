//! The door to stdout.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{ExitCode, Failure};

/// Where results go. Clones are the same place.
#[derive(Clone)]
pub(crate) struct Output {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Output {
    /// Results go to `out`.
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Output {
        Output { out: Arc::new(Mutex::new(out)) }
    }

    /// Prints, at once.
    ///
    /// # Errors
    /// Where it can't be written. A reader that has seen enough (`| head`) is no error.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.print_bytes(text.as_bytes())
    }

    /// Prints what is no text, at once.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(ExitCode::Storage, "could not write the result to stdout").cause(&error))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses to write a result over what the program keeps in a store.
///
/// # Errors
/// Where the file would be there.
pub(super) fn outside_store(path: &Path, store: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where there is no such folder, writing says so.
    let (Ok(folder), Ok(store)) = (folder.canonicalize(), store.canonicalize()) else { return Ok(()) };
    let file = folder.join(path.file_name().unwrap_or_default());
    let first = file.strip_prefix(&store).ok().and_then(|below| below.iter().next()).map(|name| name.to_string_lossy());
    match first {
        Some(name) if STORES_OWN.iter().any(|own| name.starts_with(own)) => {
            let message = format!("{} belongs to the store {}", path.display(), store.display());
            Err(Failure::new(ExitCode::Usage, message).hint("name another file with --out"))
        }
        _ => Ok(()),
    }
}

/// How names begin that the program keeps in a store.
const STORES_OWN: &[&str] = &["vcq.duckdb", "buildings.csv", "parquet", "raw", "state", ".work"];

/// Writes a result to a file: under another name first, so that the file is whole or not there.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    replace_file(path, |partial| std::fs::write(partial, text).map_err(|error| not_written(path, &error)))
}

/// The same for a result that something else writes: `write` gets the other name.
///
/// # Errors
/// What `write` says, or where the file can't be put in its place.
pub(super) fn replace_file<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
    let name = path.file_name().filter(|_| !path.is_dir());
    let name = name.ok_or_else(|| not_written(path, &io::Error::from(ErrorKind::IsADirectory)))?;
    let partial = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = write(&partial)
        .and_then(|done| std::fs::rename(&partial, path).map(|()| done).map_err(|error| not_written(path, &error)));
    if written.is_err() {
        // What is left of a failed attempt is only in the way; the first error is the one to tell.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

/// What `write` writes to a file, which is in a private folder and gone afterwards: for what can only write files.
///
/// # Errors
/// What `write` says, or where there is no place for the file.
pub(super) fn through_a_file<T>(write: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<(T, Vec<u8>), Failure> {
    let folder = std::env::temp_dir().join(format!("vcq-etl-result-{}", std::process::id()));
    let path = folder.join("result");
    let mut builder = std::fs::DirBuilder::new();
    // Names and addresses are nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).map_err(|error| not_written(&folder, &error))?;
    let written =
        write(&path).and_then(|done| Ok((done, std::fs::read(&path).map_err(|error| not_written(&path, &error))?)));
    // What stays is in a folder for such things.
    let _ = std::fs::remove_dir_all(&folder);
    written
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    Failure::new(ExitCode::Storage, format!("could not write the result to {}", path.display())).cause(error)
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
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
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
