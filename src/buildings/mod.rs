//! Which network is which building: the file that an organisation keeps of its networks, and where an address is by it.
//!
//! Owns: the two forms of a building file ([`BuildingFile`]: Microsoft's for the Call Quality Dashboard, and a headed
//! one, which is also the store's own), what speaks against a line ([`Flaw`]), what is to be said of a whole file
//! ([`Judgement`]), and the rule by which an address is in a building ([`Buildings`]).
//! Promises: a file is taken whole or not at all; the stretches of days of one address never overlap; what was written
//! is read back the same. No clock and no network; of the disk only reading a file that is named.
//! Leaves out: where the store keeps its file (`load`), publishing (`pipeline`), and what people see (`cli`).

mod entry;
mod error;
mod file;
mod judgement;
mod map;
pub(crate) mod network;
mod records;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod map_tests;
#[cfg(test)]
mod view_tests;

pub(crate) use entry::{Days, Entry};
pub(crate) use error::{BadLine, BuildingsError, Flaw};
pub(crate) use file::{BuildingFile, Form};
pub(crate) use judgement::Judgement;
pub(crate) use map::Buildings;
pub(crate) use network::{Network, NetworkFlaw};

/// The names of the columns that a heading may have.
#[cfg(test)]
pub(crate) fn headed_columns() -> impl Iterator<Item = &'static str> {
    entry::HEADED.iter().map(|(name, _)| *name)
}

/// The names of the columns of the dashboard's file, in their order.
#[cfg(test)]
pub(crate) fn cqd_columns() -> impl Iterator<Item = &'static str> {
    entry::CQD.iter().map(|(name, _)| *name)
}
