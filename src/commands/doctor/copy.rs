//! The target of `publish_to`: one request.

use super::check::{Check, DoctorSetup, UnusableSettings};
use crate::commands::copies::reachable;
use crate::error::Failure;
use crate::load::StorePaths;
use crate::remote::RemoteError;

const NAME: &str = "publish_to";

pub(super) async fn check(setup: &DoctorSetup) -> Check {
    let copy = match &setup.copy {
        None => return Check::ok(NAME, "the dataset is not copied to an object store"),
        Some(Err(UnusableSettings { found, next, exit })) => {
            return Check { next: next.clone(), ..Check::failed(NAME, *exit, found.clone()) };
        }
        Some(Ok(_)) if !setup.is_online => return Check::skipped(NAME, "no request was sent"),
        Some(Ok(copy)) => copy,
    };
    let paths = StorePaths::find(&setup.store).ok().flatten();
    let target = copy.target.text();
    match reachable(paths.as_ref(), copy).await {
        Err(RemoteError::NothingThere { .. }) => {
            Check::ok(NAME, format!("{target} does not exist yet; the first publication creates it"))
        }
        Ok(None) => Check::ok(NAME, format!("{target} can be read; nothing is published there yet")),
        Ok(Some(true)) => Check::ok(NAME, format!("{target} contains the copy of this store")),
        Ok(Some(false)) => Check::warning(NAME, format!("{target} has the copy of another store"))
            .next("use another prefix: one store writes below each prefix"),
        Err(error) => {
            let failure = Failure::from(error);
            Check { next: failure.hints.clone(), ..Check::failed(NAME, failure.exit, failure.chain()) }
        }
    }
}
