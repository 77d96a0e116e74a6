//! An object store whose n-th request fails, and every later one: the process was killed there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryFutureExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub(super) struct FailingStore {
    pub inner: Arc<InMemory>,
    /// Number of the request that fails, from 0.
    pub at: usize,
    /// It takes effect, and only its answer is lost.
    pub takes_effect: bool,
    pub has_conditions: bool,
    requests: AtomicUsize,
}

impl FailingStore {
    pub(super) fn new(inner: Arc<InMemory>, at: usize, takes_effect: bool, has_conditions: bool) -> FailingStore {
        FailingStore { inner, at, takes_effect, has_conditions, requests: AtomicUsize::new(0) }
    }

    async fn request<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let killed = || Error::Generic { store: "test", source: "killed".into() };
        match number {
            number if number < self.at => request.await,
            number if number == self.at && self.takes_effect => {
                request.await?;
                Err(killed())
            }
            _ => Err(killed()),
        }
    }
}

impl fmt::Display for FailingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a store that fails at request {}", self.at)
    }
}

#[async_trait::async_trait]
impl ObjectStore for FailingStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if !self.has_conditions && options.mode != PutMode::Overwrite {
            let (operation, implementer) = ("a conditional write".to_owned(), self.to_string());
            return self.request(async { Err(Error::NotImplemented { operation, implementer }) }).await;
        }
        self.request(self.inner.put_opts(path, payload, options)).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.request(self.inner.put_multipart_opts(path, options)).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.request(self.inner.get_opts(path, options)).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let inner = Arc::clone(&self.inner);
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let one = FailingStore::new(Arc::clone(&inner), self.at, self.takes_effect, self.has_conditions);
        // A process that is killed between two removals is killed at the second one.
        let one = Arc::new(FailingStore { requests: AtomicUsize::new(number), ..one });
        let remove = move |path: Result<Path>| {
            let (one, inner) = (Arc::clone(&one), Arc::clone(&inner));
            async move {
                let path = path?;
                one.request(inner.delete(&path)).map_ok(|()| path.clone()).await
            }
        };
        paths.then(remove).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.requests.fetch_add(1, Ordering::Relaxed) {
            number if number < self.at => self.inner.list(prefix),
            _ => stream::once(async { Err(Error::Generic { store: "test", source: "killed".into() }) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.request(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.request(self.inner.copy_opts(from, to, options)).await
    }
}
