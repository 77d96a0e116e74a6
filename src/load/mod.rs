//! Publishes typed rows: Parquet parts, the manifest that names them, and the DuckDB file that people open.
//!
//! Owns: the layout of a store on disk ([`StorePaths`]), its one-writer lock ([`Lock`]), the bytes of a Parquet part
//! ([`PartWriter`]), the manifest ([`Manifest`]), the schema's migrations, and the order in which a publication becomes
//! visible ([`publish()`]).
//! Promises: a meeting date is replaced whole or not at all; a reader sees the old files or the new ones and is never
//! blocked; a run that dies at any point leaves a store that the next publication puts right; equal rows give equal
//! bytes.
//! Leaves out: what the rows mean (`transform`), what was asked (`extract`), and reading for people (`report`).

mod compaction;
pub(crate) mod connection;
pub(crate) mod database;
pub(crate) mod definitions;
mod durable;
mod error;
pub(crate) mod lock;
mod manifest;
mod migration;
pub(crate) mod parquet;
mod publish;
mod query;
mod scripts;
pub(crate) mod store;

#[cfg(test)]
mod database_tests;
#[cfg(test)]
mod definitions_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod publish_state_tests;
#[cfg(test)]
mod publish_tests;

pub use connection::DatabaseOptions;
pub use definitions::Definitions;
pub(crate) use definitions::Places;
pub(crate) use definitions::{Addresses, installed_in};
pub(crate) use error::{DuckdbErrorKind, is_noise};
pub(crate) use error::{LoadError, NotAStore};
pub use lock::Lock;
pub(crate) use lock::LockError;
pub(crate) use lock::{Holder, holder};
pub(crate) use manifest::{Manifest, PublishedFile};
pub(crate) use migration::MIGRATIONS;
pub use parquet::PartWriter;
pub(crate) use parquet::StagedPart;
pub(crate) use publish::Published;
pub use publish::{DatePublication, Publication, Start, Step, publish};
pub(crate) use query::{generation_of, open_published_with};
pub(crate) use scripts::{Relation, Script};
pub use store::StorePaths;
