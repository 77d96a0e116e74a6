//! One budget for every process that asks as the same app: the file.
//!
//! Owns one small file below a folder of the user's, read, changed and written under an operating system lock that dies
//! with its holder. Promises: the lock is held for microseconds and no task is blocked on it; nothing secret or telling
//! is in the file or its name; where the file can't be used, whoever asks is told so and goes on alone.
//!
//! Which processes share: those of one app (or one given token) on one origin, port included. On loopback the port matters
//! most: two simulators are two vendors, with limits of their own.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::client::ClientConfig;
use super::endpoint::Endpoint;
use super::host::BaseUrl;
use super::shared_state::{Asked, SharedPace, SharedState, TEXT_BYTES};
use super::token::Credentials;

/// Keeps the digests of this program apart from any other digest of the same words.
const DIGEST_KEY: &str = "vcq-etl shared call budget";

const PREFIX: &str = "calls-";
/// Of a simulator, which gets another port each time: the files would pile up.
const LOCAL_PREFIX: &str = "calls-local-";
const SUFFIX: &str = ".state";

/// A file that nobody has written to for so long is of nobody; a run writes with every call.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);
const LOCAL_FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// Another holder is done in microseconds: so often it is asked for again at once, and then every millisecond.
const QUICK_TRIES: u32 = 20;
const TRIES: u32 = 500;
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// After a failure a process goes on alone for so long.
const ALONE_FOR: Duration = Duration::from_secs(60);

/// Why the budget is not shared.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotShared {
    #[error("could not {attempt} {}: {source}", path.display())]
    Io { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("another process does not let go of {}", path.display())]
    Busy { path: PathBuf },
}

/// The budget that this process shares with others.
pub(super) struct Sharing {
    path: PathBuf,
    pace: SharedPace,
    /// The longest wait that the pacing or an obeyed throttle can come to.
    longest: Duration,
    file: Mutex<Option<File>>,
    alone: Mutex<Alone>,
}

#[derive(Default)]
struct Alone {
    until: Option<Instant>,
    was_told: bool,
}

/// What asking the shared budget came to.
pub(super) enum Shared {
    /// The processes' word.
    Asked(Asked),
    /// The file can't be used, and this is the first time: say so, and go on alone.
    Failed(NotShared),
    /// It still can't.
    Alone,
}

impl Sharing {
    /// The budget of these settings; nothing is opened yet. `None` where they name no folder.
    pub(crate) fn of(config: &ClientConfig) -> Option<Sharing> {
        let folder = config.shared_budget_dir.as_ref()?;
        Some(Sharing {
            path: folder.join(file_name(&config.base_url, &config.credentials)),
            pace: SharedPace::of(config.rate),
            longest: config.rate.window.saturating_add(config.max_shared_hold),
            file: Mutex::default(),
            alone: Mutex::default(),
        })
    }

    /// FetchScope for a call.
    pub(crate) async fn take(&self, endpoint: Endpoint) -> Shared {
        self.ask(|state, now_us| state.take(endpoint, self.pace, self.longest, now_us)).await
    }

    /// Lets no process call before `wait` is over.
    pub(crate) async fn hold(&self, endpoint: Endpoint, wait: Duration) -> Shared {
        self.ask(|state, now_us| {
            state.hold(endpoint, wait, self.longest, now_us);
            Asked::Taken
        })
        .await
    }

    async fn ask(&self, change: impl Fn(&mut SharedState, i64) -> Asked) -> Shared {
        if held(&self.alone).until.is_some_and(|until| Instant::now() < until) {
            return Shared::Alone;
        }
        let mut tries = 0;
        let error = loop {
            match self.attempt(&change) {
                Ok(Some(asked)) => return Shared::Asked(asked),
                Ok(None) if tries >= TRIES => break NotShared::Busy { path: self.path.clone() },
                Ok(None) if tries < QUICK_TRIES => std::thread::yield_now(),
                Ok(None) => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(error) => break error,
            }
            tries += 1;
        };
        held(&self.file).take();
        let mut alone = held(&self.alone);
        alone.until = Some(Instant::now() + ALONE_FOR);
        match std::mem::replace(&mut alone.was_told, true) {
            false => Shared::Failed(error),
            true => Shared::Alone,
        }
    }

    /// One read, decision and write under the lock; `None` where another process has it.
    fn attempt(&self, change: impl Fn(&mut SharedState, i64) -> Asked) -> Result<Option<Asked>, NotShared> {
        let mut slot = held(&self.file);
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
            Err(TryLockError::Error(source)) => return Err(self.failed("lock")(source)),
        }
        if is_removed(&file) {
            // Swept away as forgotten: the next attempt opens the file that the others see.
            return Ok(None);
        }
        let asked = exchange(&file, change).map_err(self.failed("use"))?;
        file.unlock().map_err(self.failed("unlock"))?;
        *slot = Some(file);
        Ok(Some(asked))
    }

    fn open(&self) -> Result<File, NotShared> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(self.failed("make the folder of"))?;
        sweep(folder, &self.path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path).map_err(self.failed("open"))
    }

    fn failed(&self, attempt: &'static str) -> impl FnOnce(io::Error) -> NotShared {
        let path = self.path.clone();
        move |source| NotShared::Io { attempt, path, source }
    }
}

#[expect(clippy::disallowed_methods, reason = "edge: processes share the wall clock and no other")]
fn exchange(mut file: &File, change: impl Fn(&mut SharedState, i64) -> Asked) -> io::Result<Asked> {
    let mut bytes = Vec::with_capacity(TEXT_BYTES);
    file.seek(SeekFrom::Start(0))?;
    // A longer one is none of ours, whatever it begins with.
    let length = file.take(2 * TEXT_BYTES as u64).read_to_end(&mut bytes)?;
    let before = SharedState::read(&bytes);
    let mut state = before.clone();
    let now_us = jiff::Timestamp::now().as_microsecond();
    let asked = change(&mut state, now_us);
    if !state.is_like(&before) || length != TEXT_BYTES {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&state.text(now_us))?;
        if length > TEXT_BYTES {
            file.set_len(TEXT_BYTES as u64)?;
        }
    }
    Ok(asked)
}

/// Whether the name of an open file is gone.
#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn is_removed(_file: &File) -> bool {
    false
}

/// Removes the files that nobody uses any more. What can't be removed stays; it harms nobody.
fn sweep(folder: &Path, ours: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path == ours || !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) || !is_forgotten(&entry, &name) {
            continue;
        }
        // Whoever has it locked is about to use it.
        if let Ok(file) = File::open(&path)
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(&path);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "edge: the age of a file is by the wall clock")]
fn is_forgotten(entry: &fs::DirEntry, name: &str) -> bool {
    let limit = if name.starts_with(LOCAL_PREFIX) { LOCAL_FORGOTTEN_AFTER } else { FORGOTTEN_AFTER };
    let written = entry.metadata().ok().filter(fs::Metadata::is_file).and_then(|metadata| metadata.modified().ok());
    written.and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > limit)
}

/// The file of an app on a host. The digest tells neither: an app id has sixteen random digits, a token more.
fn file_name(base_url: &BaseUrl, credentials: &Credentials) -> String {
    let (kind, identity) = match credentials {
        Credentials::App { app_id, .. } => ("app", app_id.as_str()),
        Credentials::Bearer(token) => ("bearer", token.expose()),
    };
    let mut digest = Sha256::new();
    for part in [DIGEST_KEY, base_url.origin(), kind, identity] {
        // With its length, so that no two lists of parts are the same bytes.
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let prefix = if base_url.is_loopback() { LOCAL_PREFIX } else { PREFIX };
    let digits: String = digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{digits}{SUFFIX}")
}

fn held<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Secret;

    const Q: Endpoint = Endpoint::ParticipantQualityList;

    fn config(folder: &Path) -> ClientConfig {
        let base_url = BaseUrl::parse("https://open.feishu.cn").expect("an origin");
        let credentials = Credentials::App { app_id: "cli_a1b2".into(), app_secret: Secret::new("verysecretword") };
        ClientConfig { shared_budget_dir: Some(folder.to_owned()), ..ClientConfig::new(base_url, credentials) }
    }

    fn sharing(folder: &Path) -> Sharing {
        Sharing::of(&config(folder)).expect("a folder is named")
    }

    async fn asked(sharing: &Sharing) -> Asked {
        match sharing.take(Q).await {
            Shared::Asked(asked) => asked,
            Shared::Failed(error) => panic!("{error}"),
            Shared::Alone => panic!("alone"),
        }
    }

    fn is_wait(asked: Asked) -> bool {
        matches!(asked, Asked::Wait { .. })
    }

    #[tokio::test]
    async fn two_of_one_app_share_a_slot_and_a_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (sharing(folder.path()), sharing(folder.path()));
        assert_eq!(asked(&one).await, Asked::Taken);
        assert!(matches!(asked(&other).await, Asked::Wait { held: false, .. }));
        assert!(matches!(one.hold(Q, Duration::from_secs(50)).await, Shared::Asked(_)));
        let Asked::Wait { wait, held: true } = asked(&other).await else { panic!("the hold is not shared") };
        assert!(wait > Duration::from_secs(40));
    }

    #[tokio::test]
    async fn what_is_in_the_file_is_passed_over_where_it_is_no_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = sharing(folder.path()).path;
        let long = "x".repeat(5_000);
        for text in ["", "{", "null", "{\"version\":99}", "\0\0\0\0", long.as_str()] {
            fs::write(&path, text).expect("written");
            assert_eq!(asked(&sharing(folder.path())).await, Asked::Taken, "{text:.10}");
            assert!(is_wait(asked(&sharing(folder.path())).await), "{text:.10}");
            assert_eq!(fs::metadata(&path).expect("there").len(), TEXT_BYTES as u64);
        }
        // Cut short by whatever means, in the middle of its use.
        let one = sharing(folder.path());
        OpenOptions::new().write(true).open(&path).expect("there").set_len(100).expect("cut");
        assert_eq!(asked(&one).await, Asked::Taken);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_used_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let sharing = sharing(&file.join("below"));
        let Shared::Failed(error) = sharing.take(Q).await else { panic!("a file is no folder") };
        assert!(error.to_string().starts_with("could not make the folder of "), "{error}");
        assert!(matches!(sharing.take(Q).await, Shared::Alone));
        assert!(matches!(sharing.hold(Q, Duration::from_secs(1)).await, Shared::Alone));
    }

    #[tokio::test]
    async fn a_lock_that_is_never_let_go_is_told_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (sharing(folder.path()), sharing(folder.path()));
        asked(&one).await;
        let stuck = File::open(&one.path).expect("there");
        stuck.lock().expect("free");
        let Shared::Failed(error) = other.take(Q).await else { panic!("locked") };
        assert!(error.to_string().contains("does not let go"), "{error}");
        assert!(matches!(other.take(Q).await, Shared::Alone));
    }

    #[tokio::test]
    async fn old_files_are_swept_away_and_an_open_one_is_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let age = |path: &Path, seconds: u64| {
            let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).expect("a file");
            let written = fs::metadata(folder.path()).and_then(|folder| folder.modified()).expect("a time");
            file.set_modified(written - Duration::from_secs(seconds)).expect("an age");
        };
        let idle = sharing(folder.path());
        asked(&idle).await;
        age(&idle.path, 4 * 24 * 3_600);
        for (name, hours) in [("calls-1.state", 96), ("calls-2.state", 2), ("calls-local-3.state", 2), ("other", 999)] {
            age(&folder.path().join(name), hours * 3_600);
        }
        let mut other = config(folder.path());
        other.credentials = Credentials::Bearer(Secret::new("t-another"));
        let other = Sharing::of(&other).expect("a folder is named");
        asked(&other).await;
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let ours = other.path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut expected = vec!["calls-2.state".to_owned(), "other".to_owned(), ours];
        expected.sort();
        assert_eq!(names, expected);
        // The idle one holds a file without a name; it goes to the one that the others see.
        assert_eq!(asked(&idle).await, Asked::Taken);
        assert!(is_wait(asked(&sharing(folder.path())).await));
    }

    #[tokio::test]
    async fn nothing_telling_is_in_the_file_or_its_name_and_only_the_owner_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("state/vcq-etl");
        let sharing = sharing(&below);
        asked(&sharing).await;
        let text = fs::read_to_string(&sharing.path).expect("text");
        let name = sharing.path.display().to_string();
        for word in ["cli_a1b2", "a1b2", "verysecretword", "feishu"] {
            assert!(!text.contains(word) && !name.contains(word), "{word}: {name} {text}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&sharing.path), mode(&below)), (0o600, 0o700));
        }
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
