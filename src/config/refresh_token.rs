//! The refresh token of a user, in its file.
//!
//! It can be used once: the response to its use has the next one, and if that is lost, the user must authorise the app
//! again. So one process at a time uses it; room for the next one is on the disk before the token is sent; and the next
//! one is durable before its access token is used. Of a process that ends in between, the next process finds either the
//! new token or a trace that it may be lost. Beside the file are `NAME.lock` (the lock, and a digest of a token that
//! was taken) and, for a moment, `NAME.next`.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use feishu_vc::{Boxed, Cause, RefreshTokens, Secret, TakenToken};
use sha2::{Digest, Sha256};

use super::error::ConfigError;
use super::secret_file;
use crate::files;
use crate::text::hex;

/// Another process uses the token for the time of a few requests.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);
const LOCK_POLL: Duration = Duration::from_millis(20);
/// The room for the next token; Feishu recommends 4 KB.
const ROOM_BYTES: usize = 8 << 10;

#[derive(Debug, thiserror::Error)]
enum RefreshTokenError {
    #[error("another process has been using the refresh token in {} for {} s", path.display(), LOCK_TIMEOUT.as_secs())]
    InUse { path: PathBuf },
    #[error("could not write {path}", path = path.display())]
    Write { path: PathBuf, source: io::Error },
}

#[derive(Debug, Clone)]
pub(super) struct RefreshTokenFile {
    /// The setting that names it.
    place: String,
    path: PathBuf,
}

impl RefreshTokenFile {
    /// Returns an error if the file has no usable secret.
    pub(super) fn new(place: String, path: &Path) -> Result<RefreshTokenFile, ConfigError> {
        secret_file::read(&place, path)?;
        Ok(RefreshTokenFile { place, path: path.to_owned() })
    }

    /// `None` while another process uses the token.
    fn try_take(&self) -> Result<Option<Taken>, Cause> {
        // The target of a link is replaced, not the link.
        let path = fs::canonicalize(&self.path)
            .map_err(|source| ConfigError::ReadSecret { path: self.path.clone(), source })?;
        let next = beside(&path, "next");
        let Some(mut lock) = try_lock(&beside(&path, "lock"))? else { return Ok(None) };
        let mut token = secret_file::read(&self.place, &path)?;
        let mut may_be_used = lock.digest == digest(&token);
        if may_be_used && is_whole(&next) {
            // A process ended when the next token was on the disk already.
            rename(&next, &path)?;
            token = secret_file::read(&self.place, &path)?;
            may_be_used = false;
        }
        make_room(&next)?;
        lock.record(&digest(&token))?;
        sync_folder(&path)?;
        Ok(Some(Taken { path, next, lock, token, may_be_used }))
    }
}

impl RefreshTokens for RefreshTokenFile {
    fn take(&self) -> Boxed<'_, Result<Box<dyn TakenToken>, Cause>> {
        Box::pin(async move {
            let until = Instant::now() + LOCK_TIMEOUT;
            loop {
                let file = self.clone();
                match tokio::task::spawn_blocking(move || file.try_take()).await?? {
                    Some(taken) => return Ok(Box::new(taken) as Box<dyn TakenToken>),
                    None if Instant::now() < until => tokio::time::sleep(LOCK_POLL).await,
                    None => return Err(RefreshTokenError::InUse { path: self.path.clone() }.into()),
                }
            }
        })
    }
}

/// The token while this process uses it.
#[derive(Debug)]
struct Taken {
    path: PathBuf,
    next: PathBuf,
    lock: LockFile,
    token: Secret,
    may_be_used: bool,
}

impl Taken {
    fn store(mut self, next: &Secret) -> Result<(), Cause> {
        let failed = |source| RefreshTokenError::Write { path: self.next.clone(), source };
        let written = || {
            let mut file = files::open_private(&self.next)?;
            let line = format!("{}\n", next.expose());
            file.write_all(line.as_bytes())?;
            file.set_len(line.len() as u64)?;
            file.sync_all()
        };
        written().map_err(failed)?;
        rename(&self.next, &self.path)?;
        // The digest of a token that is gone says nothing any more.
        let _ = self.lock.record("");
        Ok(())
    }
}

impl TakenToken for Taken {
    fn secret(&self) -> &Secret {
        &self.token
    }

    fn may_be_used(&self) -> bool {
        self.may_be_used
    }

    fn keep(mut self: Box<Self>) {
        // If this fails, the next refusal is explained by a response that may be lost.
        let _ = self.lock.record("");
        let _ = fs::remove_file(&self.next);
    }

    fn replace(self: Box<Self>, next: Secret) -> Boxed<'static, Result<(), Cause>> {
        Box::pin(async move { tokio::task::spawn_blocking(move || self.store(&next)).await? })
    }
}

/// The file whose lock shows that a process uses the token. It stays.
#[derive(Debug)]
struct LockFile {
    file: File,
    path: PathBuf,
    /// Of a token that was taken, and of which it is not known whether it was used.
    digest: String,
}

/// `None` if another process has the lock.
fn try_lock(path: &Path) -> Result<Option<LockFile>, RefreshTokenError> {
    let failed = |source| RefreshTokenError::Write { path: path.to_owned(), source };
    let mut file = files::open_private(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let mut digest = String::new();
    file.read_to_string(&mut digest).map_err(failed)?;
    Ok(Some(LockFile { file, path: path.to_owned(), digest: digest.trim().to_owned() }))
}

impl LockFile {
    fn record(&mut self, digest: &str) -> Result<(), RefreshTokenError> {
        let mut written = || {
            self.file.rewind()?;
            self.file.write_all(digest.as_bytes())?;
            self.file.set_len(digest.len() as u64)?;
            self.file.sync_all()
        };
        written().map_err(|source| RefreshTokenError::Write { path: self.path.clone(), source })
    }
}

/// Whether a file has a token to its end, not only room for one. The room is spaces, so that what ends before the line
/// does is not taken for a token.
fn is_whole(next: &Path) -> bool {
    let text = fs::read_to_string(next).unwrap_or_default();
    text.split_once('\n').is_some_and(|(token, _)| !token.is_empty() && !token.contains(char::is_whitespace))
}

/// Creates the file for the next token with its full size, so that storing one needs no more space.
fn make_room(next: &Path) -> Result<(), RefreshTokenError> {
    let made = || {
        match fs::remove_file(next) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = files::create_new_private(next)?;
        file.write_all(&[b' '; ROOM_BYTES])?;
        file.sync_all()
    };
    made().map_err(|source| RefreshTokenError::Write { path: next.to_owned(), source })
}

fn rename(next: &Path, path: &Path) -> Result<(), RefreshTokenError> {
    fs::rename(next, path).map_err(|source| RefreshTokenError::Write { path: path.to_owned(), source })?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), RefreshTokenError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| RefreshTokenError::Write { path: folder.to_owned(), source })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn digest(token: &Secret) -> String {
    hex(&Sha256::digest(token.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::*;

    fn file(token: &str) -> (TempDir, PathBuf, RefreshTokenFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("refresh-token");
        write(&path, token);
        let file = RefreshTokenFile::new("refresh_token_file".to_owned(), &path).expect("a secret");
        (folder, path, file)
    }

    fn take(file: &RefreshTokenFile) -> Taken {
        file.try_take().expect("no error").expect("nobody else uses it")
    }

    fn write(path: &Path, token: &str) {
        fs::write(path, token).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
    }

    #[test]
    fn the_next_token_replaces_the_one_that_was_used() {
        let (_folder, path, file) = file("r-1\n");
        let taken = take(&file);
        assert_eq!((taken.token.expose(), taken.may_be_used), ("r-1", false));
        taken.store(&Secret::new("r-2")).expect("stored");
        assert_eq!(fs::read_to_string(&path).expect("read"), "r-2\n");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert!(!beside(&path, "next").exists());
        assert_eq!(take(&file).token.expose(), "r-2");
        assert!(!fs::read_to_string(beside(&path, "lock")).expect("read").contains("r-2"), "a digest");
    }

    #[test]
    fn of_a_process_that_ended_its_token_or_a_trace_is_found() {
        let (_folder, path, file) = file("r-1");
        drop(take(&file));
        let taken = take(&file);
        assert!(taken.may_be_used, "the process did not say what became of it");
        Box::new(taken).keep();
        assert!(!take(&file).may_be_used);
        // It ended in the middle of writing the next token, and after it.
        write(&beside(&path, "next"), "r-     ");
        assert!(take(&file).may_be_used);
        write(&beside(&path, "next"), "r-2\n    ");
        let taken = take(&file);
        assert_eq!((taken.token.expose(), taken.may_be_used), ("r-2", false));
        assert_eq!(fs::read_to_string(&path).expect("read").trim(), "r-2");
        drop(taken);
        // A token that the user has put there since counts.
        write(&beside(&path, "next"), "r-3\n");
        write(&path, "r-new");
        let taken = take(&file);
        assert_eq!((taken.token.expose(), taken.may_be_used), ("r-new", false));
    }

    #[tokio::test]
    async fn one_process_at_a_time_uses_the_token() {
        let (_folder, _, file) = file("r-1");
        let taken = take(&file);
        assert!(file.try_take().expect("no error").is_none());
        let other = tokio::spawn({
            let file = file.clone();
            async move { RefreshTokens::take(&file).await.expect("taken").secret().expose().to_owned() }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!other.is_finished());
        taken.store(&Secret::new("r-2")).expect("stored");
        assert_eq!(other.await.expect("no panic"), "r-2");
    }

    #[test]
    fn a_link_stays_and_its_target_is_replaced() {
        let (folder, path, _) = file("r-1");
        let link = folder.path().join("link");
        symlink(&path, &link).expect("linked");
        let file = RefreshTokenFile::new("refresh_token_file".to_owned(), &link).expect("a secret");
        take(&file).store(&Secret::new("r-2")).expect("stored");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&path).expect("read"), "r-2\n");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_found_before_the_token_is_used() {
        let (_folder, path, file) = file("r-1");
        fs::create_dir(beside(&path, "next")).expect("created");
        let error = file.try_take().map(drop).expect_err("no room").to_string();
        assert!(error.starts_with("could not write /"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("read"), "r-1");
    }
}
