//! From settings to the copy in an object store.

use super::command::Context;
use crate::commands::copies::CopySetup;
use crate::error::{ExitCode, Failure};
use crate::remote::{AwsProfile, RemoteError, RemoteOptions, Target};

/// The copy that the settings describe, or the given one; `None` if there is neither.
pub(super) fn copy_setup(context: &Context, target: Option<&str>) -> Result<Option<CopySetup>, Failure> {
    let config = &context.config;
    let publish = &config.publish;
    let Some(text) = target.or(publish.to.as_deref()) else { return Ok(None) };
    let mut target = Target::parse(text).map_err(RemoteError::from)?;
    if let Some(tenant) = &publish.tenant {
        target = target.of_tenant(tenant).map_err(RemoteError::from)?;
    }
    let key = publish.access_key()?;
    if let Some((_, secret)) = &key {
        // A secret file is read only now.
        context.console.redactor().add_secret(secret.expose());
    }
    let options = RemoteOptions {
        endpoint: publish.endpoint.clone(),
        region: publish.region.clone(),
        key,
        profile: AwsProfile {
            credentials: publish.aws_credentials.clone(),
            config: publish.aws_config.clone(),
            name: publish.aws_profile.clone(),
        },
        max_tries: config.max_tries,
        backoff_base: config.backoff_base,
        request_timeout: config.request_timeout,
    };
    Ok(Some(CopySetup {
        target,
        options,
        has_delta_logs: publish.has_delta_logs,
        has_raw: publish.raw,
        keep: publish.keep,
    }))
}

/// The same for a command that cannot do without.
pub(super) fn needed_copy_setup(context: &Context, target: Option<&str>) -> Result<CopySetup, Failure> {
    copy_setup(context, target)?.ok_or_else(|| {
        Failure::new(ExitCode::Usage, "the setting publish_to is not set")
            .hint("give the target, such as s3://BUCKET/PREFIX, or set publish_to")
    })
}
