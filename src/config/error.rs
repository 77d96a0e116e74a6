//! Errors in the settings. All of them end with exit code 2 (usage), and none contains a secret.

use std::io;
use std::path::PathBuf;

use feishu_vc::BaseUrlError;

/// A setting that cannot be used. `place` is where it came from: `--threads`, `VCQ_THREADS`, `threads in vcq.toml`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{place}: {text:?} is not {wants}")]
    NotAValue { place: String, text: String, wants: String },
    #[error("{place}: {word:?} is not one of {}", known.join(", "))]
    UnknownWord { place: String, word: String, known: &'static [&'static str] },
    #[error("{place} is empty")]
    Empty { place: String },
    /// In or of a table `[tenants.NAME]`; the problem names it.
    #[error("{path}: {problem}", path = path.display())]
    Tenants { path: PathBuf, problem: String },
    #[error("{place}: there is no tenant {name:?}")]
    UnknownTenant { place: String, name: String, known: Vec<String> },
    #[error("{path}: unknown key {key:?}", path = path.display())]
    UnknownKey { path: PathBuf, key: String },
    /// In a rule or a channel.
    #[error("{place} has the unknown key {key:?}")]
    UnknownTableKey { place: String, key: String, known: &'static [&'static str] },
    #[error("{place} {problem}")]
    Table { place: String, problem: String },
    #[error("{place}: {word:?} is not a kind of channel")]
    UnknownKind { place: String, word: String, known: Vec<&'static str> },
    #[error("{key} in {path} is a {found}; expected a string, number or boolean", path = path.display())]
    WrongType { path: PathBuf, key: String, found: &'static str },
    #[error("could not read the configuration file {path}", path = path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    /// Not TOML. The parser's own error is left out, because it quotes the line, which may contain a secret.
    #[error("{path}, line {line}: {problem}", path = path.display())]
    Syntax {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        problem: String,
    },
    #[error("{first} and {second} cannot be used together")]
    Conflict { first: String, second: String },
    #[error("{place} is not usable")]
    BaseUrl { place: String, source: BaseUrlError },
    #[error("no credentials are configured")]
    NoCredentials,
    /// Only one of app ID and app secret is set.
    #[error("{given} is set, but {missing} is not")]
    HalfCredentials { given: String, missing: &'static str },
    /// The same for what a store app needs.
    #[error("{given} is set, but the setting {missing} is not")]
    HalfStoreApp { given: String, missing: &'static str },
    /// The same for the access key of the object store.
    #[error("{given} is set, but the setting {missing} is not")]
    HalfKey { given: String, missing: &'static str },
    #[error("{path} contains a secret, but other users can access it (mode {mode:03o})", path = path.display())]
    SecretReadableByOthers { path: PathBuf, mode: u32 },
    #[error("{path} is not a regular file; secrets are read from regular files only", path = path.display())]
    SecretNoFile { path: PathBuf },
    #[error("{path} is larger than {limit_bytes} bytes, too large for a secret", path = path.display())]
    SecretTooLarge { path: PathBuf, limit_bytes: u64 },
    #[error("could not read the secret in {path}", path = path.display())]
    ReadSecret { path: PathBuf, source: io::Error },
    /// What stands where a path is expected is probably the secret itself, so it is not shown.
    #[error("{place}: there is no such file; its name is not shown, because it looks like a secret")]
    SecretForPath { place: String },
    /// The text itself is never shown.
    #[error("{place}: the value {problem}")]
    UnusableSecret { place: String, problem: &'static str },
    #[error("{path} is empty; expected a secret", path = path.display())]
    EmptySecretFile { path: PathBuf },
}
