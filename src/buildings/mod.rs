//! Networks and buildings: the building file of an organisation, and the lookup of an address in it.
//!
//! Owns the two file formats (Microsoft's for the Call Quality Dashboard, and one with named columns that is also the
//! format of the store), the errors of a file, the summary of a file, and the lookup rule. Promises that a file is
//! accepted completely or not at all, that the date ranges of an address never overlap, and that a written file reads
//! back the same. No clock, no network; reads only the named file. Leaves out where the store keeps its file (`load`),
//! publishing (`commands`) and display (`cli`).

mod columns;
mod date;
mod days;
mod entry;
mod error;
mod file;
mod line;
mod map;
pub(crate) mod network;
mod records;
mod summary;

#[cfg(test)]
mod case_tests;
#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod map_tests;
#[cfg(test)]
mod view_tests;

pub(crate) use days::Days;
pub(crate) use error::BuildingsError;
pub(crate) use file::{BuildingFile, FileFormat};
pub(crate) use map::Buildings;
pub(crate) use network::Network;
pub(crate) use summary::BuildingsSummary;

#[cfg(test)]
pub(crate) fn column_names() -> impl Iterator<Item = &'static str> {
    columns::NAMED_COLUMNS.iter().chain(columns::CQD_COLUMNS).map(|(name, _)| *name)
}
