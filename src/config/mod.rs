//! The settings: what the program will do, worked out once from flags, variables, `vcq.toml` and defaults.
//!
//! Owns the table of settings ([`SETTINGS`]), the layers and which of them wins, and the typed result ([`Config`]), which
//! remembers where each value came from. Promises: nothing behind it reads the environment; a secret is never part of
//! an error. Leaves out: what a command is asked to do (`cli`), and the full check of a base URL (`feishu`).

mod error;
mod quantity;
mod secret;
pub(crate) mod settings;
mod sources;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use error::ConfigError;
pub(crate) use quantity::{ByteSize, duration};
pub(crate) use secret::Secret;
pub(crate) use settings::{Group, Kind, SETTINGS, Setting};
pub(crate) use sources::{Origin, Sources};

use crate::load::DatabaseOptions;
use crate::schema::TenantZone;
use sources::Values;

/// Which of the vendor's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    Feishu,
    Lark,
}

impl Region {
    /// The origin of its open platform.
    pub(crate) fn origin(self) -> &'static str {
        match self {
            Region::Feishu => "https://open.feishu.cn",
            Region::Lark => "https://open.larksuite.com",
        }
    }
}

/// Kind of user id, as the vendor's parameter `user_id_type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserIdType {
    OpenId,
    /// Per vendor of apps.
    UnionId,
    /// Per tenant; needs a scope of its own.
    UserId,
}

impl UserIdType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            UserIdType::OpenId => "open_id",
            UserIdType::UnionId => "union_id",
            UserIdType::UserId => "user_id",
        }
    }
}

/// Form of what is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Plain,
    /// One object a line.
    Json,
}

/// Least weight of a log line that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LogLevel {
    Error,
    /// And what looks wrong.
    Warn,
    Info,
    Debug,
    Trace,
}

const REGION_WORDS: &[(&str, Region)] = &[("feishu", Region::Feishu), ("lark", Region::Lark)];
const USER_ID_TYPE_WORDS: &[(&str, UserIdType)] =
    &[("open_id", UserIdType::OpenId), ("union_id", UserIdType::UnionId), ("user_id", UserIdType::UserId)];
const LOG_FORMAT_WORDS: &[(&str, LogFormat)] = &[("plain", LogFormat::Plain), ("json", LogFormat::Json)];
const LOG_LEVEL_WORDS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

/// Who we are to the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A self-built app, which fetches its tenant token itself.
    App { app_id: String, app_secret: Secret },
    /// A tenant or user token from elsewhere.
    AccessToken(Secret),
}

/// The credentials as they were given: files are not read yet, because most commands need none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct GivenCredentials {
    app_id: Option<String>,
    app_secret: Option<Secret>,
    app_secret_file: Option<PathBuf>,
    access_token: Option<Secret>,
    access_token_file: Option<PathBuf>,
}

/// The settings, typed. Names are those of the table.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub store: PathBuf,
    pub timezone: TenantZone,
    /// Limits of the profile custom: metric and value.
    pub thresholds: Vec<(String, f64)>,
    /// The folder of somebody's own reports.
    pub reports_dir: Option<PathBuf>,
    /// The vendor's cloud; not used where there is a `base_url`.
    pub region: Region,
    /// The origin that was given instead of a region, as given.
    pub base_url: Option<String>,
    /// Kind of user id.
    pub user_id_type: UserIdType,
    /// Most calls a minute to each endpoint.
    pub calls_per_minute: u32,
    /// The sliding window in which calls are counted.
    pub rate_window: Duration,
    /// How long after a meeting's end its answers may still grow.
    pub settle: Duration,
    /// Most requests under way to one endpoint.
    pub concurrency: usize,
    /// How often a long run publishes.
    pub publish_every: Duration,
    /// How long one request may take.
    pub request_timeout: Duration,
    /// Longest single wait for the vendor's limit.
    pub wait_cap: Duration,
    /// Tries of one request.
    pub max_tries: u32,
    /// Wait before the second try.
    pub backoff_base: Duration,
    /// Most memory for DuckDB.
    pub memory_limit: ByteSize,
    /// Most memory for DuckDB while it answers a report.
    pub report_memory_limit: ByteSize,
    /// Threads for reports and for making dates.
    pub threads: u32,
    /// Form of what is said on stderr.
    pub log_format: LogFormat,
    /// Least weight of log lines.
    pub log_level: LogLevel,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    /// Variables that begin like ours and are no setting: worth a warning, no more, because a newer or older version
    /// may share the environment.
    pub unknown_variables: Vec<String>,
    /// Where the call budget that runs share is kept: `vcq-etl` in `$XDG_STATE_HOME`, else in `~/.local/state`; `None`
    /// where there is no home.
    pub state_folder: Option<PathBuf>,
    credentials: GivenCredentials,
    origins: BTreeMap<&'static str, Origin>,
}

impl Config {
    /// Works the settings out. Reads the settings file, but no secret file.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub(crate) fn load(sources: &Sources) -> Result<Config, ConfigError> {
        let values = Values::collect(sources)?;
        for (first, second) in EXCLUSIONS {
            if values.is_given(first) && values.is_given(second) {
                let place = |key| values.place(key).unwrap_or_default();
                return Err(ConfigError::Conflict { first: place(first), second: place(second) });
            }
        }
        let base_url = values.text("base_url").map(|text| text.trim().to_owned());
        if let Some(url) = &base_url {
            check_origin(url, values.place("base_url").unwrap_or_default())?;
        }
        let secret = |key| values.text(key).map(|text| Secret::new(text.trim()));
        // The table's bounds keep every count inside the narrower types.
        let count = |key| values.count(key).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Ok(Config {
            store: values.path("store").unwrap_or_default(),
            timezone: values.zone("timezone")?,
            thresholds: values.numbers("thresholds")?,
            reports_dir: values.path("reports_dir"),
            region: values.word("region", REGION_WORDS)?,
            base_url,
            user_id_type: values.word("user_id_type", USER_ID_TYPE_WORDS)?,
            calls_per_minute: count("calls_per_minute")?,
            rate_window: values.duration("rate_window")?,
            settle: values.duration("settle")?,
            concurrency: count("concurrency")? as usize,
            publish_every: values.duration("publish_every")?,
            request_timeout: values.duration("request_timeout")?,
            wait_cap: values.duration("wait_cap")?,
            max_tries: count("max_tries")?,
            backoff_base: values.duration("backoff_base")?,
            memory_limit: values.bytes("memory_limit")?,
            report_memory_limit: values.bytes("report_memory_limit")?,
            threads: count("threads")?,
            log_format: values.word("log_format", LOG_FORMAT_WORDS)?,
            log_level: values.word("log_level", LOG_LEVEL_WORDS)?,
            state_folder: sources.state_folder(),
            credentials: GivenCredentials {
                app_id: values.text("app_id").map(|text| text.trim().to_owned()),
                app_secret: secret("app_secret"),
                app_secret_file: values.path("app_secret_file"),
                access_token: secret("access_token"),
                access_token_file: values.path("access_token_file"),
            },
            origins: values.origins(),
            file: values.file,
            unknown_variables: values.unknown_variables,
        })
    }

    /// Where a value came from; [`Origin::Default`] where nobody gave one.
    pub(crate) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// The same settings with another store, unless `--store` names one: `demo` keeps its data apart, whatever the
    /// environment and the settings file say.
    pub(crate) fn with_own_store(mut self, store: &str) -> Config {
        if *self.origin("store") != Origin::Flag {
            self.store = PathBuf::from(store);
        }
        self
    }

    /// The same settings with another pace, where nobody set one: `demo` does not keep people waiting.
    pub(crate) fn with_default_pace(mut self, calls_per_minute: u32) -> Config {
        if *self.origin("calls_per_minute") == Origin::Default {
            self.calls_per_minute = calls_per_minute;
        }
        self
    }

    /// The same settings pointed at another vendor, as somebody else: `demo` talks to its own tenant, whatever the
    /// environment says.
    pub(crate) fn with_vendor(mut self, base_url: &str, credentials: Credentials) -> Config {
        self.base_url = Some(base_url.to_owned());
        self.credentials = match credentials {
            Credentials::App { app_id, app_secret } => {
                GivenCredentials { app_id: Some(app_id), app_secret: Some(app_secret), ..GivenCredentials::default() }
            }
            Credentials::AccessToken(token) => {
                GivenCredentials { access_token: Some(token), ..GivenCredentials::default() }
            }
        };
        self
    }

    /// The vendor's origin: what was given, else the region's.
    pub(crate) fn vendor_origin(&self) -> &str {
        self.base_url.as_deref().unwrap_or(self.region.origin())
    }

    /// Calls to one endpoint in one [`Config::rate_window`]: `calls_per_minute` scaled to it, at least 1.
    pub(crate) fn calls_in_window(&self) -> u32 {
        let calls = u128::from(self.calls_per_minute) * self.rate_window.as_millis() / 60_000;
        u32::try_from(calls).unwrap_or(u32::MAX).max(1)
    }

    /// What DuckDB may use. Threads stay at the load's own choice: its ordered insert is faster with one.
    pub(crate) fn database(&self) -> DatabaseOptions {
        DatabaseOptions { memory_limit_mib: mebibytes(self.memory_limit), ..DatabaseOptions::default() }
    }

    /// What DuckDB may use for a report.
    pub(crate) fn reading(&self) -> DatabaseOptions {
        DatabaseOptions { threads: self.threads, memory_limit_mib: mebibytes(self.report_memory_limit) }
    }

    /// The secrets that stand in the settings themselves, for the redactor.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.credentials.app_secret.iter().chain(&self.credentials.access_token)
    }

    /// Who we are to the vendor. Reads the secret file where one is named.
    ///
    /// # Errors
    /// Where nothing or only half is given, or the secret file can't be used.
    pub(crate) fn credentials(&self) -> Result<Credentials, ConfigError> {
        let given = &self.credentials;
        let read = |text: &Option<Secret>, file: &Option<PathBuf>| match (text, file) {
            (Some(text), _) => Ok(Some(text.clone())),
            (None, Some(path)) => secret::read_file(path).map(Some),
            (None, None) => Ok(None),
        };
        if let Some(token) = read(&given.access_token, &given.access_token_file)? {
            return Ok(Credentials::AccessToken(token));
        }
        let half = |keys: &[&str], missing| {
            let setting = SETTINGS.iter().find(|setting| keys.contains(&setting.key) && self.has(setting.key));
            let given = setting.map(|setting| self.origin(setting.key).place(setting)).unwrap_or_default();
            ConfigError::HalfCredentials { given, missing }
        };
        match (given.app_id.clone(), read(&given.app_secret, &given.app_secret_file)?) {
            (Some(app_id), Some(app_secret)) => Ok(Credentials::App { app_id, app_secret }),
            (Some(_), None) => Err(half(&["app_id"], "the app's secret")),
            (None, Some(_)) => Err(half(&["app_secret", "app_secret_file"], "the app's id")),
            (None, None) => Err(ConfigError::NoCredentials),
        }
    }

    fn has(&self, key: &str) -> bool {
        self.origins.contains_key(key)
    }
}

fn mebibytes(size: ByteSize) -> u32 {
    u32::try_from(size.0 >> 20).unwrap_or(u32::MAX).max(1)
}

/// Settings that can't both be given, by key. A higher layer does not silence a lower one: who has both in mind is
/// told so, instead of asking the wrong tenant.
const EXCLUSIONS: &[(&str, &str)] = &[
    ("region", "base_url"),
    ("app_secret", "app_secret_file"),
    ("access_token", "access_token_file"),
    ("app_id", "access_token"),
    ("app_id", "access_token_file"),
    ("app_secret", "access_token"),
    ("app_secret", "access_token_file"),
    ("app_secret_file", "access_token"),
    ("app_secret_file", "access_token_file"),
];

/// Refuses what is no web address, and plain HTTP to another machine. The rest of the check is the client's.
fn check_origin(url: &str, place: String) -> Result<(), ConfigError> {
    // What stands before an `@` or behind a `?` may be a secret: then nothing of it is repeated.
    let shown = match url.find(['@', '?', '#']) {
        Some(_) => "...".to_owned(),
        None => url.to_owned(),
    };
    let not_an_origin = |place| ConfigError::NotAValue { place, text: shown.clone(), wants: Kind::Origin.wants() };
    let Some((scheme, rest)) = url.split_once("://") else { return Err(not_an_origin(place)) };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(not_an_origin(place));
    }
    let host = host_of(authority);
    match scheme.to_ascii_lowercase().as_str() {
        _ if host.is_empty() => Err(not_an_origin(place)),
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        "http" => Err(ConfigError::PlainHttp { place, host: host.to_owned() }),
        _ => Err(not_an_origin(place)),
    }
}

fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
