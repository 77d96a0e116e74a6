//! Credentials: an app, a store app in a tenant, a user's grant to an app, or an access token.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use feishu_vc::{AppTickets, Credentials, RefreshTokens, Secret, Source};

use super::app_ticket::AppTicket;
use super::error::ConfigError;
use super::refresh_token::RefreshTokenFile;
use super::secret_file;
use super::settings::{SETTINGS, Setting};
use super::sources::{Origin, Values};

/// The credentials as given. Secret files are not read yet, because most commands need no credentials.
#[derive(Debug, Clone, Default)]
pub(super) struct CredentialSettings {
    app_id: Option<String>,
    app_secret: Option<Secret>,
    app_secret_file: Option<PathBuf>,
    access_token: Option<Secret>,
    access_token_file: Option<PathBuf>,
    tenant_key: Option<String>,
    app_ticket_file: Option<PathBuf>,
    app_ticket_command: Option<String>,
    refresh_token_file: Option<PathBuf>,
}

/// The layer of each given setting, by key.
type Origins = BTreeMap<&'static str, Origin>;

impl CredentialSettings {
    pub(super) fn of(values: &Values) -> CredentialSettings {
        let text = |key| values.text(key).map(|text| text.trim().to_owned());
        let secret = |key| text(key).map(Secret::new);
        CredentialSettings {
            app_id: text("app_id"),
            app_secret: secret("app_secret"),
            app_secret_file: values.path("app_secret_file"),
            access_token: secret("access_token"),
            access_token_file: values.path("access_token_file"),
            tenant_key: text("tenant_key"),
            app_ticket_file: values.path("app_ticket_file"),
            app_ticket_command: text("app_ticket_command"),
            refresh_token_file: values.path("refresh_token_file"),
        }
    }

    /// A self-built app or an access token, whatever is configured.
    pub(super) fn given(credentials: Credentials) -> CredentialSettings {
        match credentials {
            Credentials::App { app_id, app_secret } => {
                CredentialSettings { app_id: Some(app_id), app_secret: Some(app_secret), ..Default::default() }
            }
            Credentials::Bearer(token) => CredentialSettings { access_token: Some(token), ..Default::default() },
            // They come from settings only.
            Credentials::StoreApp { .. } | Credentials::User { .. } => CredentialSettings::default(),
        }
    }

    /// The secrets in the settings themselves.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.app_secret.iter().chain(&self.access_token)
    }

    /// Reads the secret files that are named, also those that are read again later.
    pub(super) fn read(&self, origins: &Origins) -> Result<Credentials, ConfigError> {
        let read = |[key, file_key]: [&'static str; 2], secret: &Option<Secret>, file: &Option<PathBuf>| match (
            secret, file,
        ) {
            (Some(secret), _) => {
                secret_file::check_text(&place(origins, key), secret.expose()).map(|()| Some(secret.clone()))
            }
            (None, Some(path)) => secret_file::read(&place(origins, file_key), path).map(Some),
            (None, None) => Ok(None),
        };
        if let Some(token) = read(["access_token", "access_token_file"], &self.access_token, &self.access_token_file)? {
            return Ok(Credentials::Bearer(token));
        }
        if let Some(app_id) = &self.app_id {
            secret_file::check_text(&place(origins, "app_id"), app_id)?;
        }
        let half = |keys: &[&str], missing| {
            let is_given = |key| keys.contains(&key) && origins.contains_key(key);
            let setting = SETTINGS.iter().find(|setting| is_given(setting.key));
            let given = setting.map(|setting| place(origins, setting.key)).unwrap_or_default();
            ConfigError::HalfCredentials { given, missing }
        };
        let app_secret = read(["app_secret", "app_secret_file"], &self.app_secret, &self.app_secret_file)?;
        let (app_id, app_secret) = match (self.app_id.clone(), app_secret) {
            (Some(app_id), Some(app_secret)) => (app_id, app_secret),
            (Some(_), None) => return Err(half(&["app_id"], "the app secret")),
            (None, Some(_)) => return Err(half(&["app_secret", "app_secret_file"], "the app ID")),
            (None, None) if self.tenant_key.is_some() || self.refresh_token_file.is_some() => {
                return Err(half(&["tenant_key", "refresh_token_file"], "the app ID"));
            }
            (None, None) => return Err(ConfigError::NoCredentials),
        };
        if let Some(path) = &self.refresh_token_file {
            let file = RefreshTokenFile::new(place(origins, "refresh_token_file"), path)?;
            let refresh_tokens = Source::new(Arc::new(file) as Arc<dyn RefreshTokens>);
            return Ok(Credentials::User { app_id, app_secret, refresh_tokens });
        }
        self.of_store_app(app_id, app_secret, origins)
    }

    fn of_store_app(&self, app_id: String, app_secret: Secret, origins: &Origins) -> Result<Credentials, ConfigError> {
        let half = |key, missing| Err(ConfigError::HalfStoreApp { given: place(origins, key), missing });
        let ticket = match (&self.app_ticket_file, &self.app_ticket_command) {
            (Some(path), _) => Some(AppTicket::File { place: place(origins, "app_ticket_file"), path: path.clone() }),
            (None, Some(command)) => Some(AppTicket::Command { command: command.clone() }),
            (None, None) => None,
        };
        match (&self.tenant_key, ticket) {
            (Some(tenant_key), Some(ticket)) => {
                secret_file::check_text(&place(origins, "tenant_key"), tenant_key)?;
                ticket.check()?;
                let (tenant_key, app_tickets) =
                    (tenant_key.clone(), Source::new(Arc::new(ticket) as Arc<dyn AppTickets>));
                Ok(Credentials::StoreApp { app_id, app_secret, tenant_key, app_tickets })
            }
            (Some(_), None) => half("tenant_key", "app_ticket_file or app_ticket_command"),
            (None, Some(_)) if !self.is_ticket_of_another_app(origins) => {
                let file = self.app_ticket_file.is_some();
                half(if file { "app_ticket_file" } else { "app_ticket_command" }, "tenant_key")
            }
            (None, _) => Ok(Credentials::App { app_id, app_secret }),
        }
    }

    /// Whether the ticket is that of the common store app, and the tenant has a self-built app of its own.
    fn is_ticket_of_another_app(&self, origins: &Origins) -> bool {
        let of = |key| origins.get(key);
        let is_common = ["app_ticket_file", "app_ticket_command"].map(of).into_iter().flatten();
        let mut is_common = is_common.map(|origin| matches!(origin, Origin::File(_)));
        matches!(of("app_id"), Some(Origin::Tenant(..))) && is_common.all(|common| common)
    }
}

/// The name of a setting in messages.
fn place(origins: &Origins, key: &str) -> String {
    let origin = origins.get(key).unwrap_or(&Origin::Default);
    Setting::find(key).map(|setting| origin.place(setting)).unwrap_or_default()
}
