//! The resolved settings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{BaseUrl, Credentials, Region, Secret, UserIdType};
use tracing::level_filters::LevelFilter;

use super::alerts::AlertTables;
use super::credentials::CredentialSettings;
use super::error::ConfigError;
use super::exclusions::EXCLUSIONS;
use super::log_format::LogFormat;
use super::publishing::PublishSettings;
use super::quantity::ByteSize;
use super::settings::{Kind, LOG_LEVELS};
use super::sources::{Origin, Sources, Values};
use crate::extract::Also;
use crate::files::Access;
use crate::load::{DatabaseDates, DatabaseOptions};
use crate::personal_data::{Identity, Topics};
use crate::schema::TenantZone;
use crate::text::Language;

/// The settings, typed. Fields are named like the keys of [`SETTINGS`], whose help describes them.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub store: PathBuf,
    /// The names of all tenants of the file.
    pub tenants: Vec<String>,
    pub timezone: TenantZone,
    /// Limits of the profile `custom`: metric and value.
    pub thresholds: Vec<(String, f64)>,
    pub language: Language,
    pub profile: String,
    /// What `vcq.duckdb` holds.
    pub database_dates: DatabaseDates,
    pub shared: bool,
    pub identity: Identity,
    pub identity_days: Option<u64>,
    pub topics: Topics,
    pub reports_dir: Option<PathBuf>,
    pub views_dir: Option<PathBuf>,
    /// Ignored if there is a `base_url`.
    pub region: Region,
    pub base_url: Option<BaseUrl>,
    pub user_id_type: UserIdType,
    pub calls_per_minute: u32,
    pub rate_window: Duration,
    pub also: Vec<Also>,
    pub settle: Duration,
    pub longest_meeting: Duration,
    pub window_only: bool,
    pub concurrency: usize,
    pub publish_every: Duration,
    pub request_timeout: Duration,
    pub wait_cap: Duration,
    pub max_tries: u32,
    pub backoff_base: Duration,
    pub publish: PublishSettings,
    pub memory_limit: ByteSize,
    pub report_memory_limit: ByteSize,
    pub threads: u32,
    pub log_format: LogFormat,
    pub log_level: LevelFilter,
    /// Environment variables with our prefix that name no setting. They cause a warning only, because a newer or older
    /// version may share the environment.
    pub unknown_variables: Vec<String>,
    /// Directory of the rate limit that all runs of a user share: `vcq-etl` in `$XDG_STATE_HOME`, else in
    /// `~/.local/state`. `None` if neither variable is set.
    pub state_folder: Option<PathBuf>,
    /// Alert rules and channels, checked by the commands that use them.
    pub alerts: AlertTables,
    credentials: CredentialSettings,
    origins: BTreeMap<&'static str, Origin>,
    /// The configuration file was named by `--config` or a variable.
    is_file_named: bool,
    folder: PathBuf,
}

impl Config {
    /// Resolves the settings. Reads the configuration file, but no secret file.
    pub(crate) fn load(sources: &Sources) -> Result<Config, ConfigError> {
        Config::resolve(sources, Values::collect(sources)?)
    }

    /// Resolves flags, variables and defaults, and reads no file.
    pub(crate) fn load_without_file(sources: &Sources) -> Result<Config, ConfigError> {
        Config::resolve(sources, Values::collect_with(sources, None)?)
    }

    fn resolve(sources: &Sources, values: Values) -> Result<Config, ConfigError> {
        let place = |key| values.place(key).unwrap_or_default();
        for (first, second) in EXCLUSIONS {
            if values.is_given(first) && values.is_given(second) {
                return Err(ConfigError::Conflict { first: place(first), second: place(second) });
            }
        }
        let base_url = values.text("base_url").map(BaseUrl::parse).transpose();
        // The bounds in the table fit the narrower types.
        let count = |key| values.count(key).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Config {
            store: values.path("store").unwrap_or_default(),
            tenants: values.tenants.clone(),
            timezone: values.typed("timezone", |text, _| TenantZone::parse(text).ok())?,
            thresholds: values.numbers("thresholds")?,
            language: match values.is_given("language") {
                true => values.typed("language", |text, _| Language::parse(text))?,
                false => Language::default(),
            },
            profile: values.typed("profile", |text, _| Some(text.to_owned()))?,
            shared: values.switch("shared")?,
            database_dates: values.typed("database", |text, _| DatabaseDates::parse(text))?,
            identity: values.typed("identity", |text, _| Identity::parse(text))?,
            identity_days: values.given_count("identity_days")?,
            topics: values.typed("topics", |text, _| Topics::parse(text))?,
            reports_dir: values.path("reports_dir"),
            views_dir: values.path("views_dir"),
            region: values.typed("region", |text, _| Region::parse(text))?,
            base_url: base_url.map_err(|source| ConfigError::BaseUrl { place: place("base_url"), source })?,
            user_id_type: values.typed("user_id_type", |text, _| UserIdType::parse(text))?,
            calls_per_minute: count("calls_per_minute")?,
            rate_window: values.duration("rate_window")?,
            also: values.words("also", Also::parse)?,
            settle: values.duration("settle")?,
            longest_meeting: values.duration("longest_meeting")?,
            window_only: values.switch("window_only")?,
            concurrency: count("concurrency")? as usize,
            publish_every: values.duration("publish_every")?,
            request_timeout: values.duration("request_timeout")?,
            wait_cap: values.duration("wait_cap")?,
            max_tries: count("max_tries")?,
            backoff_base: values.duration("backoff_base")?,
            publish: PublishSettings::of(sources, &values)?,
            memory_limit: values.typed("memory_limit", |text, _| ByteSize::parse(text))?,
            report_memory_limit: values.typed("report_memory_limit", |text, _| ByteSize::parse(text))?,
            threads: count("threads")?,
            log_format: values.typed("log_format", |text, _| LogFormat::parse(text))?,
            log_level: values.typed("log_level", log_level)?,
            state_folder: sources.state_folder(),
            credentials: CredentialSettings::of(&values),
            origins: values.origins(),
            is_file_named: sources.named_file().is_some(),
            folder: sources.folder.clone(),
            alerts: values.alerts,
            unknown_variables: values.unknown_variables,
        })
    }

    /// The layer that a value came from; [`Origin::Default`] if no layer gives one.
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// `--store` or `--tenant` with its value for a command that is read elsewhere, such as in a message: `None` if the
    /// default, or the file that every command finds, gives the same store.
    pub(crate) fn store_flag(&self) -> Option<[String; 2]> {
        match self.origin("store") {
            Origin::Default => return None,
            Origin::File(_) if !self.is_file_named => return None,
            Origin::Tenant(_, name) if !self.is_file_named => return Some(["--tenant".to_owned(), name.clone()]),
            Origin::File(_) | Origin::Tenant(..) | Origin::Environment | Origin::Flag => {}
        }
        let path: PathBuf = self.folder.join(&self.store).components().collect();
        Some(["--store".to_owned(), path.display().to_string()])
    }

    /// Uses another store unless `--store` names one: `demo` keeps its data apart, whatever the environment and the
    /// configuration file say.
    pub(crate) fn with_default_store(mut self, store: &str) -> Config {
        if *self.origin("store") != Origin::Flag {
            self.store = PathBuf::from(store);
        }
        self
    }

    /// Uses another rate limit unless one is configured.
    pub(crate) fn with_default_rate(mut self, calls_per_minute: u32) -> Config {
        if *self.origin("calls_per_minute") == Origin::Default {
            self.calls_per_minute = calls_per_minute;
        }
        self
    }

    /// Uses another host and other credentials, whatever is configured.
    pub(crate) fn with_host(mut self, base_url: BaseUrl, credentials: Credentials) -> Config {
        self.base_url = Some(base_url);
        self.credentials = CredentialSettings::given(credentials);
        self
    }

    /// The configured base URL, else that of the region.
    pub(crate) fn host(&self) -> BaseUrl {
        self.base_url.clone().unwrap_or_else(|| self.region.base_url())
    }

    /// Calls to one endpoint per `rate_window`: `calls_per_minute` scaled to it, at least 1.
    pub(crate) fn calls_in_window(&self) -> u32 {
        let calls = u128::from(self.calls_per_minute) * self.rate_window.as_millis() / 60_000;
        u32::try_from(calls).unwrap_or(u32::MAX).max(1)
    }

    /// Who may read what is written.
    pub(crate) fn access(&self) -> Access {
        match self.shared {
            true => Access::Shared,
            false => Access::Private,
        }
    }

    /// DuckDB's limits for publishing. The thread count stays at the default of `load`, whose ordered insert is faster
    /// with one thread; a new database is filled by several inserts.
    pub(crate) fn database(&self) -> DatabaseOptions {
        /// Below this, two inserts spill to disk.
        const MIB_OF_AN_INSERT: u32 = 96;
        let memory_limit_mib = mebibytes(self.memory_limit);
        let inserts = (memory_limit_mib / MIB_OF_AN_INSERT).clamp(1, self.threads);
        DatabaseOptions { memory_limit_mib, inserts, dates: self.database_dates, ..DatabaseOptions::default() }
    }

    /// DuckDB's limits for checks, which read with all threads.
    pub(crate) fn checking(&self) -> DatabaseOptions {
        DatabaseOptions { threads: self.threads, ..self.database() }
    }

    /// DuckDB's limits for reports.
    pub(crate) fn reading(&self) -> DatabaseOptions {
        let memory_limit_mib = mebibytes(self.report_memory_limit);
        DatabaseOptions { threads: self.threads, memory_limit_mib, ..DatabaseOptions::default() }
    }

    /// The secrets in the settings themselves, for the redactor.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.credentials.secrets().chain(self.publish.secrets()).chain(self.alerts.secrets())
    }

    /// Returns the credentials and reads the secret files that are named.
    pub(crate) fn credentials(&self) -> Result<Credentials, ConfigError> {
        self.credentials.read(&self.origins)
    }
}

/// The parser of `tracing` accepts more than the words of the table.
fn log_level(text: &str, _: Kind) -> Option<LevelFilter> {
    LOG_LEVELS.contains(&text).then(|| text.parse().ok())?
}

fn mebibytes(size: ByteSize) -> u32 {
    u32::try_from(size.0 >> 20).unwrap_or(u32::MAX).max(1)
}
