//! The rate limit across all processes of an app: the file.
//!
//! Owns one small file in a directory of the user, read, changed and written under an operating-system lock that ends
//! with its process. Promises: the lock is held for microseconds and blocks no task; neither the file nor its name
//! reveals a secret or an app; if the file cannot be used, the process continues with its local limit.
//!
//! Processes share a file if they use the same app (or access token) on the same origin, port included: two simulators
//! on loopback are two services with limits of their own.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::gcra::Gcra;
use super::shared_state::{Admission, SharedState, TEXT_BYTES, shared_rate};
use crate::config::ClientConfig;
use crate::credentials::Credentials;
use crate::effects::Effects;
use crate::endpoint::Endpoint;
use crate::host::BaseUrl;

/// Separates these digests from other digests of the same texts.
const DIGEST_KEY: &str = "vcq-etl shared call budget";

const PREFIX: &str = "calls-";
/// For simulators, which get another port each time: their files would pile up.
const LOCAL_PREFIX: &str = "calls-local-";
const SUFFIX: &str = ".state";

/// Unchanged files of this age are removed; a run writes with every call.
const EXPIRES_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);
const LOCAL_EXPIRES_AFTER: Duration = Duration::from_secs(3_600);

/// Another process holds the lock for microseconds.
const MAX_ATTEMPTS: u32 = 500;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(1);

/// After a failure the file is not used for this long.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Why the limit is not shared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedFileError {
    #[error("could not {attempt} {}: {source}", path.display())]
    Io { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("another process keeps {} locked", path.display())]
    Busy { path: PathBuf },
}

/// The limit that this process shares with others.
///
/// Its methods fail the first time the file cannot be used, for the caller to report, and return `None` from then on.
pub(crate) struct SharedFile {
    path: PathBuf,
    rate: Gcra,
    /// The longest wait that pacing or an accepted throttle can require.
    max_wait: Duration,
    file: Mutex<Option<File>>,
    failure: Mutex<Failure>,
    effects: Arc<dyn Effects>,
}

#[derive(Default)]
struct Failure {
    /// Until when the file is not used.
    until: Option<Instant>,
    was_reported: bool,
}

impl SharedFile {
    /// The file of these settings, not yet opened; `None` if they name no directory.
    pub(crate) fn new(config: &ClientConfig) -> Option<SharedFile> {
        let folder = config.shared_budget_dir.as_ref()?;
        Some(SharedFile {
            path: folder.join(file_name(&config.base_url, &config.credentials)),
            rate: shared_rate(config.rate),
            max_wait: config.rate.window.saturating_add(config.max_shared_hold),
            file: Mutex::default(),
            failure: Mutex::default(),
            effects: Arc::clone(&config.effects),
        })
    }

    pub(super) async fn take(&self, endpoint: Endpoint) -> Result<Option<Admission>, SharedFileError> {
        self.update(|state, now_us| state.take(endpoint, self.rate, self.max_wait, now_us)).await
    }

    /// Admits no call of any process before `wait` is over.
    pub(super) async fn hold(&self, endpoint: Endpoint, wait: Duration) -> Result<Option<()>, SharedFileError> {
        self.update(|state, now_us| state.hold(endpoint, wait, self.max_wait, now_us)).await
    }

    async fn update<T>(&self, change: impl Fn(&mut SharedState, i64) -> T) -> Result<Option<T>, SharedFileError> {
        if lock(&self.failure).until.is_some_and(|until| self.effects.instant() < until) {
            return Ok(None);
        }
        let mut attempts = 0;
        let error = loop {
            match self.attempt(&change) {
                Ok(Some(done)) => return Ok(Some(done)),
                Ok(None) if attempts >= MAX_ATTEMPTS => break SharedFileError::Busy { path: self.path.clone() },
                Ok(None) => self.effects.sleep(BETWEEN_ATTEMPTS).await,
                Err(error) => break error,
            }
            attempts += 1;
        };
        lock(&self.file).take();
        let mut failure = lock(&self.failure);
        failure.until = Some(self.effects.instant() + RETRY_AFTER);
        match std::mem::replace(&mut failure.was_reported, true) {
            false => Err(error),
            true => Ok(None),
        }
    }

    /// One read, decision and write under the lock; `None` if another process holds it.
    fn attempt<T>(&self, change: impl Fn(&mut SharedState, i64) -> T) -> Result<Option<T>, SharedFileError> {
        let mut slot = lock(&self.file);
        let file = match slot.take() {
            Some(file) => file,
            None => self.open()?,
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                *slot = Some(file);
                return Ok(None);
            }
            Err(TryLockError::Error(source)) => return Err(self.io_error("lock")(source)),
        }
        // Removed as expired: the next attempt opens the file that the other processes see.
        if file.metadata().is_ok_and(|metadata| metadata.nlink() == 0) {
            return Ok(None);
        }
        let done = exchange(&file, self.effects.now().as_microsecond(), change).map_err(self.io_error("use"))?;
        file.unlock().map_err(self.io_error("unlock"))?;
        *slot = Some(file);
        Ok(Some(done))
    }

    fn open(&self) -> Result<File, SharedFileError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(self.io_error("create the directory of"))?;
        remove_expired(folder, &self.path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.open(&self.path).map_err(self.io_error("open"))
    }

    fn io_error(&self, attempt: &'static str) -> impl FnOnce(io::Error) -> SharedFileError {
        let path = self.path.clone();
        move |source| SharedFileError::Io { attempt, path, source }
    }
}

/// `now_us` is the wall clock's: processes share no other.
fn exchange<T>(mut file: &File, now_us: i64, change: impl Fn(&mut SharedState, i64) -> T) -> io::Result<T> {
    let mut bytes = Vec::with_capacity(TEXT_BYTES);
    file.seek(SeekFrom::Start(0))?;
    // A longer file is not one of ours, regardless of its beginning.
    let length = file.take(2 * TEXT_BYTES as u64).read_to_end(&mut bytes)?;
    let mut state = SharedState::read(&bytes);
    let done = change(&mut state, now_us);
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&state.text(now_us))?;
    if length > TEXT_BYTES {
        file.set_len(TEXT_BYTES as u64)?;
    }
    Ok(done)
}

/// Removes the files of processes that ended long ago. A file that cannot be removed does no harm.
fn remove_expired(folder: &Path, own: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path == own || !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) || !is_expired(&entry, &name) {
            continue;
        }
        // A process that has it locked is about to use it.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "edge: the age of a file is measured by the wall clock")]
fn is_expired(entry: &fs::DirEntry, name: &str) -> bool {
    let limit = if name.starts_with(LOCAL_PREFIX) { LOCAL_EXPIRES_AFTER } else { EXPIRES_AFTER };
    let written = entry.metadata().ok().filter(fs::Metadata::is_file).and_then(|metadata| metadata.modified().ok());
    written.and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > limit)
}

/// The file of an app on a host. The digest reveals neither: an app ID has sixteen random digits, a token more.
fn file_name(base_url: &BaseUrl, credentials: &Credentials) -> String {
    let (kind, identity, tenant) = match credentials {
        Credentials::App { app_id, .. } | Credentials::User { app_id, .. } => ("app", app_id.as_str(), None),
        // Feishu limits a store app in each tenant separately.
        Credentials::StoreApp { app_id, tenant_key, .. } => ("store-app", app_id.as_str(), Some(tenant_key.as_str())),
        Credentials::Bearer(token) => ("bearer", token.expose(), None),
    };
    let mut digest = Sha256::new();
    for part in [DIGEST_KEY, base_url.origin(), kind, identity].into_iter().chain(tenant) {
        // With its length, so that no two lists of parts are the same bytes.
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let prefix = if base_url.is_loopback() { LOCAL_PREFIX } else { PREFIX };
    let digits: String = digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{digits}{SUFFIX}")
}

/// Locks briefly. The guarded value is consistent between any two statements, so a panic elsewhere does no harm.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const Q: Endpoint = Endpoint::ParticipantQualityList;

    fn config(folder: &Path) -> ClientConfig {
        let base_url = BaseUrl::parse("https://open.feishu.cn").expect("an origin");
        let credentials = Credentials::App { app_id: "cli_a1b2".into(), app_secret: Secret::new("verysecretword") };
        ClientConfig { shared_budget_dir: Some(folder.to_owned()), ..ClientConfig::new(base_url, credentials) }
    }

    fn shared(folder: &Path) -> SharedFile {
        SharedFile::new(&config(folder)).expect("a folder is named")
    }

    async fn taken(shared: &SharedFile) -> Admission {
        shared.take(Q).await.unwrap_or_else(|error| panic!("{error}")).expect("no failure before")
    }

    fn is_wait(admission: Admission) -> bool {
        matches!(admission, Admission::Wait { .. })
    }

    #[tokio::test]
    async fn two_processes_of_one_app_share_a_slot_and_a_pause() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (shared(folder.path()), shared(folder.path()));
        assert_eq!(taken(&one).await, Admission::Admitted);
        assert!(matches!(taken(&other).await, Admission::Wait { held: false, .. }));
        assert!(matches!(one.hold(Q, Duration::from_secs(50)).await, Ok(Some(()))));
        let Admission::Wait { wait, held: true } = taken(&other).await else { panic!("the pause is not shared") };
        assert!(wait > Duration::from_secs(40));
    }

    #[tokio::test]
    async fn a_file_that_is_no_state_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = shared(folder.path()).path;
        let long = "x".repeat(5_000);
        for text in ["", "{", "null", "{\"version\":99}", "\0\0\0\0", long.as_str()] {
            fs::write(&path, text).expect("written");
            assert_eq!(taken(&shared(folder.path())).await, Admission::Admitted, "{text:.10}");
            assert!(is_wait(taken(&shared(folder.path())).await), "{text:.10}");
            assert_eq!(fs::metadata(&path).expect("there").len(), TEXT_BYTES as u64);
        }
        // Truncated while in use.
        let one = shared(folder.path());
        OpenOptions::new().write(true).open(&path).expect("there").set_len(100).expect("cut");
        assert_eq!(taken(&one).await, Admission::Admitted);
    }

    #[tokio::test]
    async fn an_unusable_folder_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let shared = shared(&file.join("below"));
        let error = shared.take(Q).await.expect_err("a file is no folder");
        assert!(error.to_string().starts_with("could not create the directory of "), "{error}");
        assert!(matches!(shared.take(Q).await, Ok(None)));
        assert!(matches!(shared.hold(Q, Duration::from_secs(1)).await, Ok(None)));
    }

    /// A monotonic clock that the test sets.
    struct SetClock(Instant, Mutex<Duration>);

    impl Effects for SetClock {
        fn instant(&self) -> Instant {
            self.0 + *lock(&self.1)
        }
    }

    #[tokio::test]
    async fn the_file_is_tried_again_a_minute_after_a_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        fs::write(&below, "a file in the way").expect("written");
        let clock = Arc::new(SetClock(Instant::now(), Mutex::default()));
        let effects = Arc::<SetClock>::clone(&clock);
        let shared = SharedFile::new(&ClientConfig { effects, ..config(&below) }).expect("a folder is named");
        shared.take(Q).await.expect_err("a file is no folder");
        fs::remove_file(&below).expect("removed");
        *lock(&clock.1) = RETRY_AFTER - Duration::from_secs(1);
        assert!(matches!(shared.take(Q).await, Ok(None)));
        *lock(&clock.1) = RETRY_AFTER;
        assert_eq!(taken(&shared).await, Admission::Admitted);
    }

    #[tokio::test]
    async fn a_lock_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (shared(folder.path()), shared(folder.path()));
        taken(&one).await;
        let busy = File::open(&one.path).expect("there");
        busy.lock().expect("free");
        let release = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(busy);
        });
        assert!(is_wait(taken(&other).await));
        release.join().expect("no panic");
    }

    #[tokio::test]
    async fn a_lock_that_is_never_released_is_reported_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (shared(folder.path()), shared(folder.path()));
        taken(&one).await;
        let stuck = File::open(&one.path).expect("there");
        stuck.lock().expect("free");
        let error = other.take(Q).await.expect_err("locked");
        assert!(error.to_string().contains("keeps "), "{error}");
        assert!(matches!(other.take(Q).await, Ok(None)));
    }

    #[tokio::test]
    async fn expired_files_are_removed_and_open_ones_are_reopened() {
        let folder = tempfile::tempdir().expect("a folder");
        let age = |path: &Path, seconds: u64| {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).expect("a file");
            let written = fs::metadata(folder.path()).and_then(|folder| folder.modified()).expect("a time");
            file.set_modified(written - Duration::from_secs(seconds)).expect("an age");
        };
        let idle = shared(folder.path());
        taken(&idle).await;
        age(&idle.path, 4 * 24 * 3_600);
        let kept = ["calls-2.state", "calls-3.state", "calls-4.txt", "calls-local-5.state", "other.state"];
        let files =
            kept.into_iter().zip([2, 71, 999, 0, 999]).chain([("calls-1.state", 73), ("calls-local-6.state", 2)]);
        for (name, hours) in files {
            age(&folder.path().join(name), hours * 3_600);
        }
        let mut other = config(folder.path());
        other.credentials = Credentials::Bearer(Secret::new("t-another"));
        let other = SharedFile::new(&other).expect("a folder is named");
        taken(&other).await;
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let ours = other.path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut expected: Vec<String> = kept.map(str::to_owned).into_iter().chain([ours]).collect();
        expected.sort();
        assert_eq!(names, expected);
        // A process does not remove its own file, however old it is.
        age(&other.path, 4 * 24 * 3_600);
        let mut again = config(folder.path());
        again.credentials = Credentials::Bearer(Secret::new("t-another"));
        assert!(is_wait(taken(&SharedFile::new(&again).expect("a folder is named")).await));
        // The idle process has a removed file open; it switches to the one that the others see.
        assert_eq!(taken(&idle).await, Admission::Admitted);
        assert!(is_wait(taken(&shared(folder.path())).await));
    }

    #[tokio::test]
    async fn the_file_reveals_nothing_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("state/vcq-etl");
        let shared = shared(&below);
        taken(&shared).await;
        let text = fs::read_to_string(&shared.path).expect("text");
        let name = shared.path.display().to_string();
        for word in ["cli_a1b2", "a1b2", "verysecretword", "feishu"] {
            assert!(!text.contains(word) && !name.contains(word), "{word}: {name} {text}");
        }
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(&shared.path), mode(&below)), (0o600, 0o700));
    }

    #[test]
    fn files_differ_by_app_kind_host_and_port_and_by_nothing_else() {
        let app =
            |app_id: &str, secret: &str| Credentials::App { app_id: app_id.into(), app_secret: Secret::new(secret) };
        let url = |text: &str| BaseUrl::parse(text).expect("an origin");
        let feishu = url("https://open.feishu.cn");
        let names = [
            file_name(&feishu, &app("cli_1", "s")),
            file_name(&feishu, &app("cli_2", "s")),
            file_name(&feishu, &Credentials::Bearer(Secret::new("cli_1"))),
            file_name(&url("https://open.larksuite.com"), &app("cli_1", "s")),
            file_name(&url("http://127.0.0.1:4010"), &app("cli_1", "s")),
            file_name(&url("http://127.0.0.1:4011"), &app("cli_1", "s")),
        ];
        let different: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(names[0], file_name(&url("https://open.feishu.cn/"), &app("cli_1", "another secret")));
        assert!(names[4].starts_with(LOCAL_PREFIX) && !names[0].starts_with(LOCAL_PREFIX));
    }
}
