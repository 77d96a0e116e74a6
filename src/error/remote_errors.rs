//! From errors of the copy in an object store to failures.

use super::exit_code::ExitCode;
use super::failure::Failure;
use crate::commands::SyncError;
use crate::remote::{Fault, RemoteError, TargetError};

const RESUMES: &str = "what was uploaded is kept; the next run continues, and readers see the previous generation";
const SCHEMES: &str = "a target is s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or a directory; OSS, TOS and \
                       MinIO are s3:// with the setting publish_endpoint";

/// The exit code of a sync whose copy failed.
pub(crate) fn failed_copy_exit(error: &SyncError) -> ExitCode {
    match error {
        SyncError::Remote(error) => exit_of(error),
        _ => ExitCode::Storage,
    }
}

fn exit_of(error: &RemoteError) -> ExitCode {
    match error {
        RemoteError::Request { fault: Fault::Credentials | Fault::NoCredentials, .. } => ExitCode::Credentials,
        RemoteError::Panicked => ExitCode::Unexpected,
        _ => ExitCode::Storage,
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Failure {
        let failure = Failure::of(exit_of(&error), &error);
        match &error {
            RemoteError::Target(error) => match error {
                TargetError::UnknownScheme { .. } | TargetError::NoBucket { .. } => failure.hint(SCHEMES),
                TargetError::Prefix { .. } => {
                    failure.hint("a prefix is names separated by single slashes, such as lake/vcq")
                }
                TargetError::Tenant { .. } => failure.hint(
                    "publish_tenant is up to 64 ASCII letters, digits, dots, hyphens and underscores, and begins with a letter or a digit",
                ),
            },
            RemoteError::Setup { .. } => failure.hint(SCHEMES),
            RemoteError::Folder { .. } => failure.hint("give this user write permission there, or use another directory"),
            RemoteError::Request { fault, .. } => hints(failure, *fault),
            RemoteError::Foreign { .. } => failure
                .hint("use another prefix: one store writes below each prefix")
                .hint("if the other store no longer exists, remove _store.json there and run again"),
            RemoteError::HasTenants { .. } => failure
                .hint("set publish_tenant, or use another prefix")
                .hint("if no tenant publishes there any more, remove the directory _tenants and the directories tenant=NAME"),
            RemoteError::HasNoTenants { .. } => failure
                .hint("use another prefix: stores with and without publish_tenant cannot share one")
                .hint("if that copy is not needed any more, remove it and run again"),
            RemoteError::Damaged { .. } => {
                failure.hint("another program wrote it: use another prefix, or remove it and run vcq-etl publish")
            }
            RemoteError::DeltaLog { .. } => {
                failure.hint("remove that directory _delta_log, then run vcq-etl publish: it begins a new log")
            }
            RemoteError::Newer { .. } => failure
                .hint("the store was restored from an older backup: fetch the copy into an empty store with vcq-etl rebuild --from")
                .hint("or, to publish the older data, remove _manifest.json there and run again"),
            RemoteError::Changed { .. } => {
                failure.hint("only one store may write below a prefix: find the other writer, then run again")
            }
            RemoteError::LocalFile { .. } | RemoteError::LocalDamage { .. } => {
                failure.hint("run vcq-etl verify, which names damaged files, then vcq-etl rebuild")
            }
            RemoteError::RawFile { .. } => failure.hint("run vcq-etl verify, which names damaged files"),
            RemoteError::NoRaw { .. } => {
                failure.hint("publish_raw was not set: restore the published data without --with-raw")
            }
            RemoteError::NothingThere { .. } => failure.hint("give the target of an earlier vcq-etl publish"),
            RemoteError::RemoteDamage { .. } => {
                failure.hint("remove it there and run vcq-etl publish with the store that wrote it")
            }
            RemoteError::Write { .. } => failure.hint("free space or fix the permissions of the store, then run again"),
            RemoteError::Panicked => failure.hint("please report this bug with the output above"),
        }
    }
}

fn hints(failure: Failure, fault: Fault) -> Failure {
    match fault {
        Fault::NoCredentials => failure.hint(
            "set publish_key_id and publish_key_file, or the variables of the object store, such as \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        Fault::Credentials => {
            failure.hint("renew the credentials: the key is wrong, or the session has expired").hint(RESUMES)
        }
        Fault::Denied => failure
            .hint("allow these credentials to list the bucket and to read, write and remove objects below the prefix")
            .hint(RESUMES),
        Fault::NoBucket => failure.hint("create the bucket first, or correct its name and publish_endpoint"),
        Fault::Clock => failure.hint("correct this machine's clock: requests are signed with the time").hint(RESUMES),
        Fault::Region => failure.hint("set publish_region to the region of the bucket"),
        Fault::Throttled => failure.hint("the object store is throttling: run again later").hint(RESUMES),
        Fault::Other => failure.hint("check the network, any proxy, and the setting publish_endpoint").hint(RESUMES),
    }
}
