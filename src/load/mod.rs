//! Publishes typed rows: Parquet parts, the manifest that lists them, and the DuckDB database.
//!
//! Owns: the layout of a store on disk ([`StorePaths`]), its writer lock ([`Lock`]), the Parquet parts
//! ([`PartWriter`]), the manifest ([`Manifest`]), the migrations, and the order in which a publication becomes visible
//! ([`publish()`]). Promises: a meeting date is replaced completely; readers see the old files or the new ones and are
//! never blocked; the next publication completes one that crashed at any point; equal rows produce equal bytes. Leaves
//! out: what the rows mean (`transform`), fetching (`extract`), and reports (`report`).

mod base;
mod build_partial;
mod builder;
pub(crate) mod checksum;
mod cleanup;
mod compaction;
pub(crate) mod connection;
pub(crate) mod current;
mod custom;
mod dates;
pub(crate) mod definitions;
pub(crate) mod draft;
mod duckdb_error;
mod durable;
mod error;
mod fingerprint;
mod held;
mod incident_search;
mod incidents;
mod insert;
mod lake;
pub(crate) mod lock;
mod manifest;
mod migration;
mod modes;
mod part_writer;
mod partial;
mod paths;
mod plan;
mod publication;
mod publish;
mod reader;
mod reference;
mod scripts;
mod step;
mod stored_minutes;
mod write_guard;
mod writer;

#[cfg(test)]
mod database_tests;
#[cfg(test)]
mod definitions_tests;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod incidents_tests;
#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod publish_state_tests;
#[cfg(test)]
mod publish_tests;
#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod session_tests;

pub(crate) use cleanup::list_folder;
pub use connection::DatabaseOptions;
pub(crate) use current::{open_published_with, parquet_columns, read_generation};
pub(crate) use custom::{CustomFile, CustomStatement};
pub(crate) use custom::{define_in_memory, try_install};
pub use definitions::Definitions;
pub(crate) use definitions::{AddressPair, BuildingLookup, installed_checksum, stored_profile};
pub(crate) use duckdb_error::{DuckdbErrorKind, is_redundant_source, without_appendix};
pub(crate) use error::{LoadError, NotAStore};
pub(crate) use held::DatabaseDates;
pub(crate) use held::{Held, is_searched};
pub(crate) use incident_search::{IncidentRows, IncidentSearch, SearchError};
pub(crate) use incidents::REACH_DAYS;
pub(crate) use lake::{define_tables, open_complete};
pub use lock::Lock;
pub(crate) use lock::{Holder, LockError, holder, lock_raw_files, share_raw_files};
pub(crate) use manifest::{Manifest, PublishedFile};
pub(crate) use migration::{MIGRATIONS, Migration};
pub use part_writer::PartWriter;
pub(crate) use part_writer::StagedPart;
pub use paths::StorePaths;
pub(crate) use paths::{REFERENCE, is_run_id, part_folder};
pub(crate) use publication::Published;
pub use publication::{DatePublication, Publication, PublishMode};
pub use publish::publish;
pub(crate) use reader::Reader;
pub(crate) use scripts::{Comment, Relation, Script, columns as relation_columns};
pub use step::Step;
pub(crate) use stored_minutes::{STORED, insert as insert_span};
