//! What can be wrong with the settings. Every one of these is a matter of usage: exit code 2.

use std::io;
use std::path::PathBuf;

/// A setting that can't be used. Secret values are never part of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The text is not of the setting's kind.
    #[error("{place}: {text:?} is not {wants}")]
    NotAValue {
        /// Where the text came from: "--threads", "VCQ_THREADS", "threads in vcq.toml".
        place: String,
        text: String,
        wants: String,
    },
    /// The text is empty.
    #[error("{place} is empty")]
    Empty { place: String },
    /// No setting has this key.
    #[error("{path} has the key {key:?}, which is no setting", path = path.display())]
    UnknownKey { path: PathBuf, key: String },
    /// A list, a table or a date, where a text or a number belongs.
    #[error("{key} in {path} is a {found}; a text, a number or true or false is wanted", path = path.display())]
    WrongType { path: PathBuf, key: String, found: &'static str },
    /// The settings file can't be read.
    #[error("could not read the settings file {path}", path = path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    /// The settings file is no TOML. The parser's own error is left out, because it quotes the line, secrets included.
    #[error("{path}, line {line}: {problem}", path = path.display())]
    Syntax {
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, without the text of the file.
        problem: String,
    },
    /// Two settings that exclude each other.
    #[error("{first} and {second} exclude each other")]
    Conflict {
        /// Where the first came from.
        first: String,
        /// Where the second came from.
        second: String,
    },
    /// Plain HTTP to another machine.
    #[error("{place} is plain HTTP to {host}; only HTTPS is used, except to this machine")]
    PlainHttp {
        /// Where the address came from.
        place: String,
        host: String,
    },
    /// Nothing says who we are.
    #[error("no credentials are given")]
    NoCredentials,
    /// One half of app id and secret is missing.
    #[error("{given} is given, but {missing} is not")]
    HalfCredentials {
        /// Where the half that is there came from.
        given: String,
        /// The half that is missing, in words.
        missing: &'static str,
    },
    /// A file with a secret that others can read.
    #[error("{path} holds a secret, but others can read it (mode {mode:03o})", path = path.display())]
    SecretReadableByOthers { path: PathBuf, mode: u32 },
    /// A folder, a pipe or a device where a file with a secret should be.
    #[error("{path} is no regular file, and so is not read for a secret", path = path.display())]
    SecretNoFile { path: PathBuf },
    /// A file that is too large to be a secret.
    #[error("{path} is larger than {limit_bytes} bytes; that is no secret", path = path.display())]
    SecretTooLarge {
        path: PathBuf,
        /// The most that is read.
        limit_bytes: u64,
    },
    /// A file with a secret that we can't read.
    #[error("could not read the secret in {path}", path = path.display())]
    ReadSecret { path: PathBuf, source: io::Error },
    /// A file with a secret that holds none.
    #[error("{path} is empty; it should hold a secret", path = path.display())]
    EmptySecretFile { path: PathBuf },
}
