//! The copy of the published dataset in an object store: `publish`, the end of a sync, `verify --published` and
//! `rebuild --from`.
//!
//! Owns the identity of a store in its copies, and what a restored store gets besides its files. Promises: only the
//! holder of the store's lock writes to a copy. Leaves out the requests and their order (`remote`).

mod after_sync;
mod examine;
mod publish;
mod raw;
mod restore;
mod setup;
mod store_id;

pub(super) use after_sync::{CopyEnd, copy_after_sync};
pub(crate) use examine::compare_copy;
pub(super) use examine::reachable;
pub(super) use publish::note_of_copy;
pub(crate) use publish::{PublishSetup, publish_copy};
pub(crate) use restore::{RestoreSetup, Restored, restore};
pub(crate) use setup::CopySetup;
