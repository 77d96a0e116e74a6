//! The requests to an object store, below one prefix. Counts them, and names the object in every error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use object_store::path::Path as ObjectPath;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion};

use super::error::RemoteError;
use super::fault::{Fault, Refusal};
use super::layout::{Layout, STORE_FILE, TENANTS};

/// Larger files are sent and fetched in pieces of this size, each by a request of its own.
const PIECE_BYTES: usize = 16 << 20;

#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Without slashes at its ends.
    prefix: String,
    layout: Layout,
    target: String,
    /// Set if the target is a directory.
    folder: Option<PathBuf>,
    piece_bytes: usize,
    requests: Arc<AtomicU64>,
    has_conditions: Arc<AtomicBool>,
}

/// An object that was read, and which version of it.
pub(super) struct Found {
    pub bytes: Vec<u8>,
    pub version: UpdateVersion,
}

impl Bucket {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: &str, target: &str, folder: Option<PathBuf>) -> Bucket {
        Bucket {
            store,
            prefix: prefix.to_owned(),
            layout: Layout::default(),
            target: target.to_owned(),
            folder,
            piece_bytes: PIECE_BYTES,
            requests: Arc::default(),
            has_conditions: Arc::new(AtomicBool::new(true)),
        }
    }

    pub(super) fn with_layout(self, layout: Layout) -> Bucket {
        Bucket { layout, ..self }
    }

    #[cfg(test)]
    pub(super) fn with_pieces(self, piece_bytes: usize) -> Bucket {
        Bucket { piece_bytes, ..self }
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// An object, for messages.
    pub(super) fn place(&self, path: &str) -> String {
        format!("{}/{}", self.target, self.layout.object(path))
    }

    /// Requests so far, without retries.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// False if the object store has refused a conditional write.
    pub(super) fn has_conditions(&self) -> bool {
        self.has_conditions.load(Ordering::Relaxed)
    }

    fn object(&self, path: &str) -> ObjectPath {
        self.below(&self.layout.object(path))
    }

    fn below(&self, object: &str) -> ObjectPath {
        match self.prefix.as_str() {
            "" => ObjectPath::from(object),
            prefix => ObjectPath::from(format!("{prefix}/{object}")),
        }
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, attempt: &'static str, path: &str) -> impl FnOnce(Error) -> RemoteError {
        let place = if path.is_empty() { self.target.clone() } else { self.place(path) };
        move |error| RemoteError::Request { attempt, place, fault: Fault::of(&error), source: Refusal::of(&error) }
    }

    /// `None` if there is no such object. A missing bucket is an error.
    pub(super) async fn read(&self, path: &str) -> Result<Option<Found>, RemoteError> {
        self.count();
        let failed = |error| self.failed("read", path)(error);
        let found = match self.store.get(&self.object(path)).await {
            Err(error @ Error::NotFound { .. }) if Fault::of(&error) == Fault::NoBucket => return Err(failed(error)),
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(failed)?,
        };
        let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let bytes = found.bytes().await.map_err(failed)?.to_vec();
        Ok(Some(Found { bytes, version }))
    }

    pub(super) async fn put(&self, path: &str, text: String) -> Result<(), RemoteError> {
        self.put_with(path, text, PutMode::Overwrite).await.map(drop).map_err(self.failed("write", path))
    }

    async fn put_with(&self, path: &str, text: String, mode: PutMode) -> object_store::Result<()> {
        self.count();
        let options = PutOptions::from(mode);
        self.store.put_opts(&self.object(path), PutPayload::from(text), options).await.map(drop)
    }

    /// The same by a conditional write, or if there are none here, by an ordinary one.
    async fn put_if(&self, path: &str, text: String, mode: PutMode) -> object_store::Result<()> {
        if !self.has_conditions() {
            return self.put_with(path, text, PutMode::Overwrite).await;
        }
        match self.put_with(path, text.clone(), mode).await {
            Err(error) if Fault::is_not_implemented(&error) => {
                self.has_conditions.store(false, Ordering::Relaxed);
                self.put_with(path, text, PutMode::Overwrite).await
            }
            put => put,
        }
    }

    /// Writes an object unless there is one already.
    pub(super) async fn put_new(&self, path: &str, text: String) -> Result<(), RemoteError> {
        match self.put_if(path, text, PutMode::Create).await {
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(()),
            put => put.map_err(self.failed("write", path)),
        }
    }

    /// Replaces the version that was read, or writes a new object.
    pub(super) async fn replace(
        &self,
        path: &str,
        text: String,
        before: Option<&UpdateVersion>,
    ) -> Result<(), RemoteError> {
        let mode = before.map_or(PutMode::Create, |version| PutMode::Update(version.clone()));
        match self.put_if(path, text.clone(), mode).await {
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                // An answer may have been lost, and the request sent again.
                match self.read(path).await? {
                    Some(found) if found.bytes == text.as_bytes() => Ok(()),
                    _ => Err(RemoteError::Changed { place: self.place(path) }),
                }
            }
            put => put.map_err(self.failed("write", path)),
        }
    }

    /// Sends a file with these bytes; `sent` gets their number as they are sent. The object appears when it is
    /// complete.
    pub(super) async fn upload(
        &self,
        path: &str,
        from: &Path,
        bytes: u64,
        sent: impl Fn(u64),
    ) -> Result<(), RemoteError> {
        let unreadable = |source| RemoteError::LocalFile { path: from.to_owned(), source };
        let object = self.object(path);
        if bytes <= self.piece_bytes as u64 {
            self.count();
            let payload = PutPayload::from(fs::read(from).map_err(unreadable)?);
            self.store.put(&object, payload).await.map_err(self.failed("write", path))?;
            sent(bytes);
            return Ok(());
        }
        let mut file = File::open(from).map_err(unreadable)?;
        self.count();
        let mut upload = self.store.put_multipart(&object).await.map_err(self.failed("write", path))?;
        loop {
            let mut piece = Vec::new();
            (&mut file).take(self.piece_bytes as u64).read_to_end(&mut piece).map_err(unreadable)?;
            if piece.is_empty() {
                break;
            }
            self.count();
            let length = piece.len() as u64;
            if let Err(error) = upload.put_part(PutPayload::from(piece)).await {
                // The pieces that were sent cost money until they are removed.
                let _ = upload.abort().await;
                return Err(self.failed("write", path)(error));
            }
            sent(length);
        }
        self.count();
        upload.complete().await.map(drop).map_err(self.failed("write", path))
    }

    /// The first bytes, or all of a small object, in pieces; each is given to `take`.
    pub(super) async fn fetch(
        &self,
        path: &str,
        bytes: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), RemoteError>,
    ) -> Result<(), RemoteError> {
        let object = self.object(path);
        let mut start = 0;
        while start < bytes {
            let end = bytes.min(start + self.piece_bytes as u64);
            self.count();
            let piece = self.store.get_range(&object, start..end).await.map_err(self.failed("read", path))?;
            take(&piece)?;
            start = end;
        }
        Ok(())
    }

    /// The objects of the copy: path and size. Those of other copies and of others are left out.
    pub(super) async fn list(&self) -> Result<BTreeMap<String, u64>, RemoteError> {
        let folders = self.layout.folders().unwrap_or_else(|| vec![String::new()]);
        let lists: Vec<_> = folders.iter().map(|folder| self.list_below(folder)).collect();
        let listed = future::try_join_all(lists).await?;
        let own = listed.into_iter().flatten().filter_map(|(object, bytes)| Some((self.layout.path(&object)?, bytes)));
        Ok(own.collect())
    }

    async fn list_below(&self, folder: &str) -> Result<Vec<(String, u64)>, RemoteError> {
        // One request for a thousand objects.
        const PAGE: u64 = 1_000;
        let below = self.below(folder);
        let prefix = (!below.as_ref().is_empty()).then_some(&below);
        let listed = self.store.list(prefix).map_ok(|object| (self.relative(&object.location), object.size));
        let listed: Vec<(String, u64)> = listed.try_collect().await.map_err(self.failed("list", ""))?;
        self.requests.fetch_add(listed.len() as u64 / PAGE + 1, Ordering::Relaxed);
        Ok(listed)
    }

    /// Returns an error if the prefix has copies of the other kind: with tenants, or without.
    pub(super) async fn check_layout(&self) -> Result<(), RemoteError> {
        let target = self.target.clone();
        match self.layout.tenant() {
            None => {
                let below = self.below(TENANTS);
                self.count();
                match self.store.list(Some(&below)).try_next().await.map_err(self.failed("list", ""))? {
                    Some(_) => Err(RemoteError::HasTenants { target }),
                    None => Ok(()),
                }
            }
            Some(tenant) => {
                let root = Bucket { layout: Layout::default(), ..self.clone() };
                match root.read(STORE_FILE).await? {
                    Some(_) => Err(RemoteError::HasNoTenants { target, tenant: tenant.to_owned() }),
                    None => Ok(()),
                }
            }
        }
    }

    fn relative(&self, path: &ObjectPath) -> String {
        let path = path.as_ref();
        path.strip_prefix(&self.prefix).unwrap_or(path).trim_start_matches('/').to_owned()
    }

    /// Removes objects; one that is gone already is no error.
    pub(super) async fn remove(&self, paths: &[String]) -> Result<(), RemoteError> {
        let objects: Vec<_> = paths.iter().map(|path| Ok(self.object(path))).collect();
        self.requests.fetch_add(paths.len().div_ceil(1_000) as u64, Ordering::Relaxed);
        let mut removed = self.store.delete_stream(stream::iter(objects).boxed());
        while let Some(result) = removed.next().await {
            match result {
                Err(Error::NotFound { .. }) => {}
                result => drop(result.map_err(self.failed("remove files of", ""))?),
            }
        }
        Ok(())
    }

    /// Removes what a killed run left of unfinished files in a directory. Object stores have none that can be read.
    pub(super) fn remove_unfinished(&self) {
        fn below(folder: &Path) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let (start, number) = name.rsplit_once('#').unwrap_or_default();
                let is_ours = [".parquet", ".json", ".zst"].iter().any(|end| start.ends_with(end));
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    below(&entry.path());
                } else if is_ours && number.parse::<u64>().is_ok() {
                    // One that stays does no harm.
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
        let Some(folder) = &self.folder else { return };
        match self.layout.folders() {
            // Another tenant may be writing.
            Some(own) => own.iter().for_each(|own| below(&folder.join(own))),
            None => below(folder),
        }
    }
}
