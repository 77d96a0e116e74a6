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
mod connection;
mod database;
mod definitions;
mod durable;
mod error;
mod lock;
mod manifest;
mod migration;
mod parquet;
mod publish;
mod query;
mod scripts;
mod store;
pub mod verify;

#[cfg(test)]
mod database_tests;
#[cfg(test)]
mod definitions_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod publish_state_tests;
#[cfg(test)]
mod publish_tests;

pub use connection::DatabaseOptions;
pub use definitions::{Addresses, Definitions, Places, UnknownLimits, installed_in};
pub use error::{DuckdbTrouble, LoadError, NotAStore, is_noise};
pub use lock::{Holder, Lock, LockError, holder};
pub use manifest::{Manifest, PublishedFile};
pub use migration::{MIGRATIONS, Migration};
pub use parquet::{PartWriter, StagedPart};
pub use publish::{DatePublication, Publication, Published, RunsOf, Start, Step, publish};
pub use query::{generation_of, open_published, open_published_with};
pub use scripts::{Relation, Script};
pub use store::StorePaths;
