//! How far an upload is.

use std::sync::{Arc, Mutex, PoisonError};

/// What is sent, of how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub files: u64,
    pub of_files: u64,
    pub bytes: u64,
    pub of_bytes: u64,
}

/// Called at the start and whenever something is sent; must not block.
pub(crate) type OnUpload = Arc<dyn Fn(Uploaded) + Send + Sync>;

/// Counts for several uploads at once.
#[derive(Clone)]
pub(super) struct Counter {
    uploaded: Arc<Mutex<Uploaded>>,
    on_upload: OnUpload,
}

impl Counter {
    pub(super) fn start(of_files: u64, of_bytes: u64, on_upload: &OnUpload) -> Counter {
        let uploaded = Uploaded { of_files, of_bytes, ..Uploaded::default() };
        if of_files > 0 {
            on_upload(uploaded);
        }
        Counter { uploaded: Arc::new(Mutex::new(uploaded)), on_upload: Arc::clone(on_upload) }
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.add(0, bytes);
    }

    pub(super) fn file_sent(&self) {
        self.add(1, 0);
    }

    fn add(&self, files: u64, bytes: u64) {
        // In the lock, so that the numbers arrive in their order.
        let mut uploaded = self.uploaded.lock().unwrap_or_else(PoisonError::into_inner);
        uploaded.files += files;
        uploaded.bytes += bytes;
        (self.on_upload)(*uploaded);
    }
}
