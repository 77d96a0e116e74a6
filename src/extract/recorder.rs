//! The one writer of the raw log and the ledger: an answer is on disk before it counts.
//!
//! A thread of its own takes checkpoints, writes and syncs the raw files, then commits the ledger, then says so. What
//! waits meanwhile is done in one go, so that many participants share one sync.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::ledger::{Change, FileProgress, Ledger, LedgerError};
use crate::raw_log::{Header, MAX_GROUP, PageRecord, RawError, RawKind, RawWriter, encode};

/// An answer cannot be written down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An earlier write failed; nothing more is taken.
    #[error("the recorder has stopped after an earlier error")]
    Stopped,
}

/// Something to write down: a checkpoint of one walk under its dates, and what the ledger learns from it.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// The header and the dates it is filed under; the ledger alone where it is `None`.
    pub raw: Option<(Header, Vec<i32>)>,
    pub pages: Vec<PageRecord>,
    pub changes: Vec<Change>,
}

type Task = (Checkpoint, oneshot::Sender<Result<(), RecordError>>);

/// The handle on the writing thread. Dropped, it lets the thread finish.
#[derive(Debug)]
pub(crate) struct Recorder {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    ledger: Arc<Ledger>,
}

impl Recorder {
    /// Starts the thread. Raw files go below `raw_dir`, named by `run_id`.
    ///
    /// # Errors
    /// Where the system has no thread for us.
    pub(crate) fn start(raw_dir: &Path, run_id: &str, ledger: Arc<Ledger>) -> std::io::Result<Recorder> {
        let (tasks, inbox) = channel();
        let writer = RawWriter::new(raw_dir, run_id);
        let books = Arc::clone(&ledger);
        let thread =
            std::thread::Builder::new().name("recorder".to_owned()).spawn(move || record(&inbox, writer, &books))?;
        Ok(Recorder { tasks: Some(tasks), thread: Some(thread), ledger })
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Writes a checkpoint down; returns when it is on disk and in the ledger.
    pub(super) async fn write(&self, checkpoint: Checkpoint) -> Result<(), RecordError> {
        let (done, wait) = oneshot::channel();
        let tasks = self.tasks.as_ref().ok_or(RecordError::Stopped)?;
        tasks.send((checkpoint, done)).map_err(|_| RecordError::Stopped)?;
        wait.await.unwrap_or(Err(RecordError::Stopped))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there was told to whoever waited.
            let _ = thread.join();
        }
    }
}

fn record(inbox: &Receiver<Task>, mut writer: RawWriter, ledger: &Ledger) {
    while let Ok(first) = inbox.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(next) = inbox.try_recv()
        {
            group.push(next);
        }
        let outcome = write_group(&group, &mut writer, ledger);
        let failed = outcome.is_err();
        let mut error = outcome.err();
        for (_, done) in group {
            // The first one gets the cause; for the others it is enough that nothing was written.
            let answer = if failed { Err(error.take().unwrap_or(RecordError::Stopped)) } else { Ok(()) };
            let _ = done.send(answer);
        }
        if failed {
            // After a failed write the end of a file is unknown: take nothing more. Dropping the inbox tells the rest.
            return;
        }
    }
}

fn write_group(group: &[Task], writer: &mut RawWriter, ledger: &Ledger) -> Result<(), RecordError> {
    for (checkpoint, _) in group {
        if let Some((header, dates)) = &checkpoint.raw {
            let kind: RawKind = header.kind;
            let bytes = encode(header.clone(), &checkpoint.pages).map_err(|source| RawError::Io {
                attempt: "cannot compress for",
                path: kind.folder().into(),
                source,
            })?;
            for date in dates {
                writer.append(kind, *date, &bytes)?;
            }
        }
    }
    let synced: Vec<Change> = writer
        .sync()?
        .into_iter()
        .map(|(path, bytes)| Change::Indexed {
            path,
            progress: FileProgress { indexed_bytes: bytes, seen_bytes: bytes },
        })
        .collect();
    ledger.apply(group.iter().flat_map(|(checkpoint, _)| &checkpoint.changes).chain(&synced))?;
    Ok(())
}
