//! Replaces dates in all layers at once: raw log, ledger, Parquet files, manifest and database.
//!
//! Owns the order, which survives a kill at any file operation: new raw files complete in `.work/`, then the journal in
//! the ledger, then renames, the ledger's index, a publication, and the end of the journal. Until the journal is
//! written each date is as before; from then on the next command that takes the lock finishes the replacement. What is
//! published changes once, with the manifest and the database. Leaves out what a replaced value looks like
//! (`personal_data`).

mod expire;
mod forget;
mod identities;
mod listed_items;
mod operation;
mod prune;
mod replaced;
mod setting;

pub(crate) use expire::MIN_IDENTITY_DAYS;
pub(super) use expire::expire;
pub(crate) use forget::{ForgetSetup, Forgotten, Found, Who, forget, forget_preview};
pub(in crate::commands) use identities::Identities;
pub(super) use listed_items::EarlierItems;
pub(super) use operation::{finish, put_in_place};
pub(crate) use prune::{PrunePreview, PruneSetup, Pruned, prune, prune_preview, pruned_before};
pub(super) use replaced::Replaced;
pub(super) use setting::{partly, replace_all};
