//! `state/store_id`: a random name, made by the first publication.

use std::collections::BTreeSet;

use crate::load::{LoadError, StorePaths};
use crate::text::hex;

/// The store's name; `None` if it was never published to an object store.
pub(super) fn read(paths: &StorePaths) -> Result<Option<String>, LoadError> {
    Ok(paths.lines(&paths.store_id_file())?.into_iter().next())
}

/// The same; makes one if there is none. Only for the holder of the lock.
pub(super) fn read_or_make(paths: &StorePaths) -> Result<String, LoadError> {
    if let Some(id) = read(paths)? {
        return Ok(id);
    }
    let id = hex(&random());
    write(paths, &id)?;
    Ok(id)
}

/// Only for the holder of the lock.
pub(super) fn write(paths: &StorePaths, id: &str) -> Result<(), LoadError> {
    paths.write_lines(&paths.store_id_file(), &BTreeSet::from([id.to_owned()]))
}

#[expect(clippy::disallowed_methods, reason = "edge: no other store may have the same name")]
fn random() -> [u8; 16] {
    rand::random()
}
