//! What can go wrong with a copy. Each error names what was attempted and where.

use std::io;
use std::path::PathBuf;

use super::fault::{Fault, Refusal};

/// Why a text names no target.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("cannot publish to {target}: {scheme} is not a supported scheme")]
    UnknownScheme { target: String, scheme: String },
    #[error("cannot publish to {target}: it names no bucket")]
    NoBucket { target: String },
    #[error("cannot publish to {target}: the prefix is not valid")]
    Prefix { target: String, source: object_store::path::Error },
    #[error("{tenant:?} cannot be the tenant of a copy")]
    Tenant { tenant: String },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("cannot set up the connection to {target}")]
    Setup { target: String, source: object_store::Error },
    #[error("cannot create the directory {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot {attempt} {place}")]
    Request { attempt: &'static str, place: String, fault: Fault, source: Refusal },
    /// Another store publishes there.
    #[error("{target} belongs to another store: its _store.json names {found}, and this store is {expected}")]
    Foreign { target: String, found: String, expected: String },
    /// Stores with and without a tenant must not share a prefix: their tables would not have the same partitions.
    #[error("{target} has copies of tenants, and this store is published without a tenant")]
    HasTenants { target: String },
    #[error("{target} has a copy without a tenant, and this store is published as the tenant {tenant}")]
    HasNoTenants { target: String, tenant: String },
    #[error("{place} is not a JSON file that vcq-etl wrote")]
    Damaged { place: String, source: serde_json::Error },
    #[error("the Delta log {place} cannot be continued: an entry is missing or cannot be read")]
    DeltaLog { place: String },
    /// The store was restored from a backup, most likely.
    #[error("{target} has generation {remote}, but this store only has generation {local}")]
    Newer { target: String, remote: u64, local: u64 },
    #[error("another program has changed {place} in the meantime")]
    Changed { place: String },
    #[error("cannot read the published file {}", path.display())]
    LocalFile { path: PathBuf, source: io::Error },
    #[error("the published file {} differs from what was published", path.display())]
    LocalDamage { path: PathBuf },
    #[error("cannot read the raw file {}", path.display())]
    RawFile { path: PathBuf, source: io::Error },
    #[error("{target} does not contain the raw log")]
    NoRaw { target: String },
    #[error("{target} has no published dataset")]
    NothingThere { target: String },
    #[error("{place} differs from what was published")]
    RemoteDamage { place: String },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("uploading ended unexpectedly")]
    Panicked,
}
