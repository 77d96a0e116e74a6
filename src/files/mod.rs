//! Creates files and directories with the modes of the setting `shared`; no other module creates any.
//!
//! Owns the modes ([`Access`]) and how one is changed. Promises: a file has its mode from the start, under any umask.
//! What DuckDB creates gets its mode from the umask, which [`Access::set`] sets. Leaves out what the files contain, and
//! which files a store has (`load`).

mod access;
mod change;
mod create;
#[cfg(test)]
pub(crate) mod full;

pub(crate) use access::Access;
pub(crate) use change::set_mode;
pub(crate) use create::{
    copy, create, create_folder, create_folders, create_new, create_new_private, create_new_public,
    create_public_folders, open_private, options, write, write_public,
};
