//! The only writer of the raw log and the ledger during a run: a response is on disk before it counts.
//!
//! A thread takes checkpoints, writes and syncs the raw files, then commits the ledger, then confirms. Checkpoints that
//! arrive meanwhile are handled together, so that many participants share one sync.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::ledger::{Change, FileProgress, Ledger, LedgerError};
use crate::raw_log::{DecodedCheckpoint, Header, MAX_GROUP, PageRecord, RawError, RawKind, RawWriter, encode};

#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Raw(#[from] RawError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("nothing more is written after an earlier error")]
    Stopped,
}

/// The pages of a walk, and what the ledger learns from them.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub header: Header,
    pub dates: Vec<i32>,
    pub pages: Vec<PageRecord>,
    pub changes: Vec<Change>,
}

/// A page of the meeting list that spans dates is stored under each of them. This changes what is stored under some.
pub(crate) struct ChangedLists {
    pub dates: BTreeSet<i32>,
    /// Returns whether it changed something.
    pub change: Box<dyn Fn(&mut DecodedCheckpoint) -> bool + Send>,
}

impl fmt::Debug for ChangedLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangedLists({} dates)", self.dates.len())
    }
}

type Task = (Checkpoint, oneshot::Sender<Result<(), WriteError>>);

/// The handle of the writing thread. Dropping it waits until the thread has finished.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    ledger: Arc<Ledger>,
}

impl CheckpointWriter {
    /// Starts the thread. Raw files are created below `raw_dir` and named after `run_id`.
    pub(crate) fn start(
        raw_dir: &Path,
        run_id: &str,
        ledger: Arc<Ledger>,
        changed_lists: Option<ChangedLists>,
    ) -> std::io::Result<CheckpointWriter> {
        let (tasks, inbox) = channel();
        let writer = RawWriter::new(raw_dir, run_id);
        let thread_ledger = Arc::clone(&ledger);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write_all(&inbox, writer, &thread_ledger, changed_lists.as_ref()))?;
        Ok(CheckpointWriter { tasks: Some(tasks), thread: Some(thread), ledger })
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns when the checkpoint is on disk and in the ledger.
    pub(super) async fn write(&self, checkpoint: Checkpoint) -> Result<(), WriteError> {
        let (done, wait) = oneshot::channel();
        let tasks = self.tasks.as_ref().ok_or(WriteError::Stopped)?;
        tasks.send((checkpoint, done)).map_err(|_| WriteError::Stopped)?;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => written(wait),
            _ => wait.await.unwrap_or(Err(WriteError::Stopped)),
        }
    }
}

/// Waits on the only thread of a runtime, which is that of a simulation: no time passes while a checkpoint is written,
/// and nothing else runs, so that the same seed gives the same files.
fn written(mut wait: oneshot::Receiver<Result<(), WriteError>>) -> Result<(), WriteError> {
    loop {
        match wait.try_recv() {
            Ok(written) => return written,
            Err(TryRecvError::Closed) => return Err(WriteError::Stopped),
            Err(TryRecvError::Empty) => std::thread::yield_now(),
        }
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            // Whoever waited for the thread has seen a panic as `Stopped`.
            let _ = thread.join();
        }
    }
}

fn write_all(inbox: &Receiver<Task>, mut writer: RawWriter, ledger: &Ledger, changed_lists: Option<&ChangedLists>) {
    while let Ok(first) = inbox.recv() {
        let mut group = vec![first];
        while group.len() < MAX_GROUP
            && let Ok(next) = inbox.try_recv()
        {
            group.push(next);
        }
        let mut outcome = write_group(&group, &mut writer, ledger, changed_lists);
        let has_failed = outcome.is_err();
        for (_, done) in group {
            // The first waiter receives the cause, the others only learn that nothing was written.
            let next = if has_failed { Err(WriteError::Stopped) } else { Ok(()) };
            if let Err(cause @ Err(_)) = done.send(std::mem::replace(&mut outcome, next)) {
                // Nothing waits for this one any more.
                outcome = cause;
            }
        }
        if has_failed {
            // After a failed write the end of a file is unknown. Dropping the inbox stops the other waiters.
            return;
        }
    }
}

fn write_group(
    group: &[Task],
    writer: &mut RawWriter,
    ledger: &Ledger,
    changed_lists: Option<&ChangedLists>,
) -> Result<(), WriteError> {
    for (checkpoint, _) in group {
        let kind = checkpoint.header.kind;
        let failed = || RawError::io("cannot compress for", Path::new(kind.folder()));
        let bytes = encode(checkpoint.header.clone(), &checkpoint.pages).map_err(failed())?;
        for date in &checkpoint.dates {
            let changes = changed_lists.filter(|lists| kind == RawKind::Meetings && lists.dates.contains(date));
            match changes.and_then(|lists| changed(checkpoint, lists)) {
                Some(DecodedCheckpoint { header, pages }) => {
                    writer.append(kind, *date, &encode(header, &pages).map_err(failed())?)?;
                }
                None => writer.append(kind, *date, &bytes)?,
            };
        }
    }
    let indexed = |(path, bytes)| {
        let progress = FileProgress { indexed_bytes: bytes, seen_bytes: bytes };
        Change::Indexed { path, progress }
    };
    let synced: Vec<Change> = writer.sync()?.into_iter().map(indexed).collect();
    Ok(ledger.apply(group.iter().flat_map(|(checkpoint, _)| &checkpoint.changes).chain(&synced))?)
}

/// What is stored instead of a checkpoint; `None` if it stays.
fn changed(checkpoint: &Checkpoint, lists: &ChangedLists) -> Option<DecodedCheckpoint> {
    let mut other = DecodedCheckpoint { header: checkpoint.header.clone(), pages: checkpoint.pages.clone() };
    (lists.change)(&mut other).then_some(other)
}
