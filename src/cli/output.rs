//! The door to stdout.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{ExitCode, Failure};

/// Where results go. Clones are the same place.
#[derive(Clone)]
pub struct Output {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Output {
    /// Results go to `out`.
    pub fn new(out: Box<dyn Write + Send>) -> Output {
        Output { out: Arc::new(Mutex::new(out)) }
    }

    /// Prints, at once.
    ///
    /// # Errors
    /// Where it can't be written. A reader that has seen enough (`| head`) is no error.
    pub fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(ExitCode::Storage, "could not write the result to stdout").cause(&error))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a result to a file: under another name first, so that the file is whole or not there.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::IsADirectory))?;
        let partial = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
        if written.is_err() {
            // What is left of a failed attempt is only in the way; the first error is the one to tell.
            let _ = std::fs::remove_file(&partial);
        }
        written
    };
    write().map_err(|error| {
        Failure::new(ExitCode::Storage, format!("could not write the result to {}", path.display())).cause(&error)
    })
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
