//! The settings of the copy in an object store.

use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{BaseUrl, Secret};

use super::error::ConfigError;
use super::secret_file;
use super::sources::{Sources, Values};

/// Fields are named like the keys, without `publish_`.
#[derive(Debug, Clone)]
pub(crate) struct PublishSettings {
    pub to: Option<String>,
    pub tenant: Option<String>,
    /// `publish_format` is delta.
    pub has_delta_logs: bool,
    pub raw: bool,
    pub keep: Duration,
    pub endpoint: Option<BaseUrl>,
    pub region: Option<String>,
    key_id: Option<String>,
    key: Option<Secret>,
    key_file: Option<PathBuf>,
    /// Where the two halves of the key were given, for messages.
    places: [String; 3],
    /// `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE`, else those of the home directory.
    pub aws_credentials: Option<PathBuf>,
    pub aws_config: Option<PathBuf>,
    pub aws_profile: String,
}

impl PublishSettings {
    pub(super) fn of(sources: &Sources, values: &Values) -> Result<PublishSettings, ConfigError> {
        let text = |key| values.text(key).map(|text| text.trim().to_owned());
        let place = |key| values.place(key).unwrap_or_default();
        let endpoint = values.text("publish_endpoint").map(BaseUrl::parse).transpose();
        let file = |variable, name: &str| {
            sources.path_in(variable).or_else(|| Some(sources.path_in("HOME")?.join(".aws").join(name)))
        };
        let profile = sources.environment.get("AWS_PROFILE").filter(|name| !name.is_empty());
        Ok(PublishSettings {
            to: text("publish_to"),
            tenant: text("publish_tenant"),
            has_delta_logs: values.typed("publish_format", |text, _| match text {
                "hive" => Some(false),
                "delta" => Some(true),
                _ => None,
            })?,
            raw: values.switch("publish_raw")?,
            keep: values.duration("publish_keep")?,
            endpoint: endpoint.map_err(|source| ConfigError::BaseUrl { place: place("publish_endpoint"), source })?,
            region: text("publish_region"),
            key_id: text("publish_key_id"),
            key: text("publish_key").map(Secret::new),
            key_file: values.path("publish_key_file"),
            places: ["publish_key_id", "publish_key", "publish_key_file"].map(place),
            aws_credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            aws_config: file("AWS_CONFIG_FILE", "config"),
            aws_profile: profile.cloned().unwrap_or_else(|| "default".to_owned()),
        })
    }

    /// The secrets in the settings themselves.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.key.iter()
    }

    /// The access key, if one is configured. Reads the secret file if one is named.
    pub(crate) fn access_key(&self) -> Result<Option<(String, Secret)>, ConfigError> {
        let [id_place, key_place, file_place] = &self.places;
        let secret = match (&self.key, &self.key_file) {
            (Some(secret), _) => secret_file::check_text(key_place, secret.expose()).map(|()| Some(secret.clone()))?,
            (None, Some(path)) => Some(secret_file::read(file_place, path)?),
            (None, None) => None,
        };
        match (&self.key_id, secret) {
            (Some(id), Some(secret)) => Ok(Some((id.clone(), secret))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::HalfKey { given: id_place.clone(), missing: "publish_key_file" }),
            (None, Some(_)) => {
                let given = if self.key.is_some() { key_place } else { file_place };
                Err(ConfigError::HalfKey { given: given.clone(), missing: "publish_key_id" })
            }
        }
    }
}
