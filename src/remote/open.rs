//! Connects to a target: endpoint, region, credentials, retries.

use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;

use feishu_vc::{BaseUrl, Secret};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey as Key, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::bucket::Bucket;
use super::error::RemoteError;
pub(crate) use super::profile::AwsProfile;
use super::target::{Place, Target};
use crate::files;

/// How a target is reached. What is not given comes from the environment, as the provider's own tools read it.
#[derive(Debug, Clone)]
pub(crate) struct RemoteOptions {
    /// Of S3 only, as are region and key.
    pub endpoint: Option<BaseUrl>,
    pub region: Option<String>,
    pub key: Option<(String, Secret)>,
    pub profile: AwsProfile,
    /// Attempts per request.
    pub max_tries: u32,
    pub backoff_base: Duration,
    pub request_timeout: Duration,
}

/// Hosts that refuse addresses with the bucket in the path.
const VIRTUAL_HOSTED: &[&str] =
    &[".aliyuncs.com", ".volces.com", ".ivolces.com", ".bytepluses.com", ".myqcloud.com", ".myhuaweicloud.com"];
/// Hosts that refuse conditional writes and the removal of several objects by one request.
const PLAIN: &[&str] = &[".aliyuncs.com", ".volces.com", ".ivolces.com", ".bytepluses.com"];

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BACKOFF: Duration = Duration::from_secs(15);

/// Connects for reading. Sends nothing yet.
pub(crate) fn open(target: &Target, options: &RemoteOptions) -> Result<Bucket, RemoteError> {
    install_tls_provider();
    let failed = |source| RemoteError::Setup { target: target.text().to_owned(), source };
    let store: Arc<dyn ObjectStore> = match &target.place {
        Place::S3 { bucket } => Arc::new(s3(bucket, options).map_err(failed)?),
        Place::Google { bucket } => {
            let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            let builder = builder.with_retry(retry(options)).with_client_options(client(options, false));
            Arc::new(builder.build().map_err(failed)?)
        }
        Place::Azure { container } => {
            let builder = MicrosoftAzureBuilder::from_env().with_container_name(container);
            let builder = builder.with_retry(retry(options)).with_client_options(client(options, false));
            Arc::new(builder.build().map_err(failed)?)
        }
        Place::Folder(path) if !path.is_dir() => {
            return Err(RemoteError::NothingThere { target: target.text().to_owned() });
        }
        Place::Folder(path) => Arc::new(LocalFileSystem::new_with_prefix(path).map_err(failed)?.with_fsync(true)),
    };
    let folder = match &target.place {
        Place::Folder(path) => Some(path.clone()),
        _ => None,
    };
    Ok(Bucket::new(store, &target.prefix, target.text(), folder).with_layout(target.layout.clone()))
}

/// The same for writing: a directory is created if it is missing.
pub(crate) fn open_for_writing(target: &Target, options: &RemoteOptions) -> Result<Bucket, RemoteError> {
    if let Place::Folder(path) = &target.place {
        files::create_folders(path).map_err(|source| RemoteError::Folder { path: path.clone(), source })?;
    }
    open(target, options)
}

fn s3(bucket: &str, options: &RemoteOptions) -> object_store::Result<AmazonS3> {
    // A key of ours goes with none of the variables, of which one may be a token.
    let builder = if options.key.is_some() { AmazonS3Builder::new() } else { AmazonS3Builder::from_env() };
    let mut builder = builder.with_bucket_name(bucket);
    let profile = options.profile.values();
    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    } else if let (None, Some(region)) = (builder.get_config_value(&Key::Region), profile.get("region")) {
        builder = builder.with_region(region);
    }
    let others = [Key::AccessKeyId, Key::ContainerCredentialsRelativeUri, Key::WebIdentityTokenFile];
    if let Some((id, secret)) = &options.key {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
    } else if others.iter().all(|key| builder.get_config_value(key).is_none())
        && let (Some(id), Some(secret)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key"))
    {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        if let Some(token) = profile.get("aws_session_token") {
            builder = builder.with_token(token);
        }
    }
    let mut is_http = false;
    if let Some(endpoint) = &options.endpoint {
        let (address, is_virtual_hosted) = address(endpoint.origin(), bucket);
        is_http = address.starts_with("http://");
        builder = builder.with_endpoint(address).with_virtual_hosted_style_request(is_virtual_hosted);
        if ends_with_any(endpoint.origin(), PLAIN) {
            builder = builder.with_conditional_put(S3ConditionalPut::Disabled).with_disable_bulk_delete(true);
        }
    }
    builder.with_retry(retry(options)).with_client_options(client(options, is_http)).build()
}

/// The address of the bucket's requests, and whether its host names the bucket.
fn address(endpoint: &str, bucket: &str) -> (String, bool) {
    let endpoint = endpoint.trim_end_matches('/');
    match endpoint.split_once("://") {
        Some((_, host)) if host.starts_with(&format!("{bucket}.")) => (endpoint.to_owned(), true),
        Some((scheme, host)) if ends_with_any(host, VIRTUAL_HOSTED) => (format!("{scheme}://{bucket}.{host}"), true),
        _ => (endpoint.to_owned(), false),
    }
}

fn ends_with_any(endpoint: &str, hosts: &[&str]) -> bool {
    hosts.iter().any(|host| endpoint.trim_end_matches('/').ends_with(host))
}

fn retry(options: &RemoteOptions) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: options.backoff_base, max_backoff: MAX_BACKOFF, base: 2.0 },
        max_retries: options.max_tries.saturating_sub(1) as usize,
        ..RetryConfig::default()
    }
}

fn client(options: &RemoteOptions, is_http: bool) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(is_http)
        .with_timeout(options.request_timeout)
        .with_connect_timeout(CONNECT_TIMEOUT.min(options.request_timeout))
}

/// Uses ring, unless the program has installed a provider already.
fn install_tls_provider() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_host_where_the_provider_requires_it() {
        for (endpoint, address_of_lake, is_virtual_hosted) in [
            ("https://oss-cn-hangzhou.aliyuncs.com", "https://lake.oss-cn-hangzhou.aliyuncs.com", true),
            ("https://tos-s3-cn-beijing.volces.com/", "https://lake.tos-s3-cn-beijing.volces.com", true),
            ("https://lake.minio.example", "https://lake.minio.example", true),
            ("https://minio.example:9000", "https://minio.example:9000", false),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000", false),
        ] {
            assert_eq!(address(endpoint, "lake"), (address_of_lake.to_owned(), is_virtual_hosted));
        }
    }
}
