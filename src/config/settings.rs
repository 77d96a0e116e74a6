//! The settings as data: flags, environment variables, keys of `vcq.toml`, help and docs/SETTINGS.md all follow from
//! this one table.

#[cfg(test)]
use crate::text::Language;

/// What the text of a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text that is not empty.
    Text,
    /// A file or a directory; in `vcq.toml` it is relative to the folder of that file.
    Path,
    OneOf(&'static [&'static str]),
    Count {
        min: u64,
        max: u64,
    },
    Duration {
        min_ms: u64,
    },
    Bytes,
    Zone,
    /// The dates that the database holds.
    DatabaseDates,
    /// On or off. The flag alone means on.
    Switch,
    BaseUrl,
    /// Names with a number each.
    Numbers,
    /// Some of these words.
    Words(&'static [&'static str]),
}

impl Kind {
    /// What is expected, in words that follow "is not".
    pub(crate) fn wants(&self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Count { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Duration { min_ms: 0 } => "a duration such as 500ms, 90s, 10m, 24h or 2d".to_owned(),
            Kind::Duration { .. } => "a duration above zero, such as 500ms, 90s, 10m, 24h or 2d".to_owned(),
            Kind::Bytes => "a size such as 256MiB, 1GiB or 500MB".to_owned(),
            Kind::Zone => "a UTC offset such as +08:00 or a time zone name such as Asia/Shanghai".to_owned(),
            Kind::DatabaseDates => "full, off or the last days, such as last 90d".to_owned(),
            Kind::Switch => "true or false".to_owned(),
            Kind::BaseUrl => "a base URL such as https://open.feishu.cn".to_owned(),
            Kind::Numbers => "a list such as audio_loss_pct=3,audio_delay_ms=200".to_owned(),
            Kind::Words(words) => format!("a list of {}", words.join(", ")),
        }
    }
}

/// The sections of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Store,
    Credentials,
    Api,
    Fetching,
    Publishing,
    Resources,
    Logging,
}

impl Group {
    /// Every group, in the order of the help.
    pub(crate) const ALL: [Group; 7] = [
        Group::Store,
        Group::Credentials,
        Group::Api,
        Group::Fetching,
        Group::Publishing,
        Group::Resources,
        Group::Logging,
    ];

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Group::Store => "Store",
            Group::Credentials => "Credentials",
            Group::Api => "Feishu API",
            Group::Fetching => "Fetching",
            Group::Publishing => "Object store",
            Group::Resources => "Resources",
            Group::Logging => "Logging",
        }
    }
}

/// One setting. The help and the documentation of it are written here only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// The key in `vcq.toml`; flag and environment variable are derived from it.
    pub key: &'static str,
    pub value_name: &'static str,
    pub kind: Kind,
    /// Empty if there is none.
    pub default: &'static str,
    pub group: Group,
    /// The value must never be shown.
    pub secret: bool,
    /// One or two sentences.
    pub help: &'static str,
}

/// A setting without default and help.
const fn setting(key: &'static str, value_name: &'static str, kind: Kind, group: Group) -> Setting {
    Setting { key, value_name, kind, default: "", group, secret: false, help: "" }
}

impl Setting {
    /// The long flag, without dashes: `calls-per-minute`.
    pub(crate) fn flag(&self) -> String {
        self.key.replace('_', "-")
    }

    /// The environment variable: `VCQ_CALLS_PER_MINUTE`.
    pub(crate) fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.key.to_ascii_uppercase())
    }

    pub(crate) fn find(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}

pub(crate) const VARIABLE_PREFIX: &str = "VCQ_";

/// The environment variable that names the configuration file; not a setting itself.
pub(crate) const CONFIG_VARIABLE: &str = "VCQ_CONFIG";

pub(super) const REGIONS: &[&str] = &["feishu", "lark"];
pub(super) const USER_ID_TYPES: &[&str] = &["open_id", "union_id", "user_id"];
pub(super) const ALSO: &[&str] = &["rooms", "room_alerts", "reservations", "census"];
pub(super) const IDENTITIES: &[&str] = &["full", "pseudonym", "none"];
pub(super) const TOPICS: &[&str] = &["keep", "drop"];
pub(super) const LANGUAGES: &[&str] = &["en", "zh"];
pub(super) const PUBLISH_FORMATS: &[&str] = &["hive", "delta"];
pub(super) const LOG_FORMATS: &[&str] = &["plain", "json"];
pub(super) const LOG_LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// Every setting, in the order of the help.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        default: "./vcq-store",
        help: "Store directory; holds vcq.duckdb, the Parquet files, the raw log and the ledger.",
        ..setting("store", "DIR", Kind::Path, Group::Store)
    },
    Setting {
        help: "Name of a table [tenants.NAME] in vcq.toml, whose settings take precedence over the others in the file. docs/SCALE.md describes such tables.",
        ..setting("tenant", "NAME", Kind::Text, Group::Store)
    },
    Setting {
        default: "+08:00",
        help: "Time zone of the tenant, for dates and for times without a UTC offset.",
        ..setting("timezone", "ZONE", Kind::Zone, Group::Store)
    },
    Setting {
        help: "Thresholds that the custom profile overrides in cqd, such as audio_loss_pct=3,audio_delay_ms=200. In vcq.toml this can be a table. Takes effect at the next sync or rebuild.",
        ..setting("thresholds", "LIST", Kind::Numbers, Group::Store)
    },
    Setting {
        default: "cqd",
        help: "Threshold profile of incidents and reports: cqd, strict, huawei-red or custom. For the stored incidents, a change takes effect at the next sync or rebuild.",
        ..setting("profile", "PROFILE", Kind::Text, Group::Store)
    },
    Setting {
        default: "false",
        help: "Let the group read the store and everything else that is written: directories 0750, files 0640, vcq.duckdb 0440. By default only the owner can: 0700, 0600 and 0400. Use the same value for every run on a store; the next sync or rebuild applies a change.",
        ..setting("shared", "BOOL", Kind::Switch, Group::Store)
    },
    Setting {
        default: "full",
        help: "What vcq.duckdb holds: full (all dates), last 90d (any number of days up to the newest date with meetings) or off (there is no vcq.duckdb, and no reports). The Parquet files always have all dates. Takes effect at the next sync or rebuild.",
        ..setting("database", "DATES", Kind::DatabaseDates, Group::Store)
    },
    Setting {
        default: "full",
        help: "What is written about people: full (everything), pseudonym (tokens in place of names, IDs, e-mail addresses, phone numbers and devices; addresses cut to their network) or none (as pseudonym, but nothing in place of names, e-mail addresses, phone numbers and devices). Changing it needs vcq-etl rebuild.",
        ..setting("identity", "MODE", Kind::OneOf(IDENTITIES), Group::Store)
    },
    Setting {
        help: "After how many days a sync permanently replaces the identities of a date with tokens; at least 29. Has no effect unless identity is full.",
        ..setting("identity_days", "N", Kind::Count { min: 1, max: 36_500 }, Group::Store)
    },
    Setting {
        default: "keep",
        help: "Topics of meetings and titles of reservations, which may contain names: keep or drop. Changing it needs vcq-etl rebuild.",
        ..setting("topics", "MODE", Kind::OneOf(TOPICS), Group::Store)
    },
    Setting {
        help: "Directory of custom reports, one NAME.sql file per report. A custom report replaces the built-in report of the same name.",
        ..setting("reports_dir", "DIR", Kind::Path, Group::Store)
    },
    Setting {
        help: "Directory of your own SQL files with views, macros and tables, which every publication installs in the schema custom of vcq.duckdb. Takes effect at the next sync or rebuild.",
        ..setting("views_dir", "DIR", Kind::Path, Group::Store)
    },
    Setting {
        help: "Language: en (English) or zh (Chinese). Without this setting, help and messages follow the locale, the HTML page follows the browser, and alerts are in English. What programs read is the same in both.",
        ..setting("language", "LANGUAGE", Kind::OneOf(LANGUAGES), Group::Store)
    },
    Setting {
        help: "App ID of the self-built app or store app; requires an app secret.",
        ..setting("app_id", "ID", Kind::Text, Group::Credentials)
    },
    Setting {
        secret: true,
        help: "App secret. Flags are visible to other users of the machine: prefer the variable or a file.",
        ..setting("app_secret", "SECRET", Kind::Text, Group::Credentials)
    },
    Setting {
        help: "File that contains the app secret; must be accessible only to its owner (chmod 600), or be a container secret.",
        ..setting("app_secret_file", "FILE", Kind::Path, Group::Credentials)
    },
    Setting {
        secret: true,
        help: "Tenant or user access token, used in place of an app ID and secret. It is not renewed.",
        ..setting("access_token", "TOKEN", Kind::Text, Group::Credentials)
    },
    Setting {
        help: "File that contains the access token; must be accessible only to its owner (chmod 600), or be a container secret.",
        ..setting("access_token_file", "FILE", Kind::Path, Group::Credentials)
    },
    Setting {
        help: "Tenant key of the tenant whose data is fetched with a store app; requires an app ID, an app secret, and an app ticket file or command.",
        ..setting("tenant_key", "KEY", Kind::Text, Group::Credentials)
    },
    Setting {
        help: "File that contains the newest app ticket of the store app, read whenever an access token is requested; must be accessible only to its owner (chmod 600), or be a container secret.",
        ..setting("app_ticket_file", "FILE", Kind::Path, Group::Credentials)
    },
    Setting {
        help: "Shell command that prints the newest app ticket of the store app, used in place of a file.",
        ..setting("app_ticket_command", "COMMAND", Kind::Text, Group::Credentials)
    },
    Setting {
        help: "File that contains the refresh token of a user who has authorised the app; requires an app ID and secret. Each renewal of the user's access token replaces it, so this user must be able to write to the file and its directory, and nothing else may use the token.",
        ..setting("refresh_token_file", "FILE", Kind::Path, Group::Credentials)
    },
    Setting {
        default: "feishu",
        help: "Cloud of the tenant: feishu (open.feishu.cn) or lark (open.larksuite.com).",
        ..setting("region", "REGION", Kind::OneOf(REGIONS), Group::Api)
    },
    Setting {
        help: "Base URL of the open platform, for private deployments; cannot be combined with a region. Must be HTTPS, except for loopback addresses.",
        ..setting("base_url", "URL", Kind::BaseUrl, Group::Api)
    },
    Setting {
        default: "open_id",
        help: "Type of user ID to request. A store holds one type only.",
        ..setting("user_id_type", "TYPE", Kind::OneOf(USER_ID_TYPES), Group::Api)
    },
    Setting {
        default: "100",
        help: "Rate limit: maximum calls per minute to each endpoint (a tenth of it to get_daily), shared by all runs of the app on this machine.",
        ..setting("calls_per_minute", "N", Kind::Count { min: 1, max: 100_000 }, Group::Fetching)
    },
    Setting {
        default: "60s",
        help: "Length of the sliding window in which calls are counted; calls_per_minute is scaled to it.",
        ..setting("rate_window", "TIME", Kind::Duration { min_ms: 1 }, Group::Fetching)
    },
    Setting {
        help: "Data to fetch in addition to meetings: rooms, room_alerts, reservations, census (Feishu's own meeting counts by day and by user). In vcq.toml this can be an array. Each needs its own scopes; vcq-etl doctor checks them.",
        ..setting("also", "LIST", Kind::Words(ALSO), Group::Fetching)
    },
    Setting {
        default: "24h",
        help: "How long after the end of a meeting its quality data may still change. Until then, pending data is fetched again.",
        ..setting("settle", "TIME", Kind::Duration { min_ms: 0 }, Group::Fetching)
    },
    Setting {
        default: "3d",
        help: "Longest meeting to expect, at most 300d. The meeting list is read from this long before the window, to find meetings that started before it and ended in it.",
        ..setting("longest_meeting", "TIME", Kind::Duration { min_ms: 0 }, Group::Fetching)
    },
    Setting {
        default: "false",
        help: "Fetch only the meetings of the window. By default, a sync then also fetches what is still pending from earlier windows.",
        ..setting("window_only", "BOOL", Kind::Switch, Group::Fetching)
    },
    Setting {
        // An upper bound only. Rate limit x latency decides: one request at 100 calls per minute and 300 ms per call.
        // At 6,000 calls per minute 300 ms need 37, including those being written or waiting for the limiter. Each
        // costs memory for its pages.
        default: "40",
        help: "Maximum concurrent requests per endpoint. Fewer are used if that is enough to reach the rate limit.",
        ..setting("concurrency", "N", Kind::Count { min: 1, max: 256 }, Group::Fetching)
    },
    Setting {
        default: "10m",
        help: "How often a long run publishes the dates that are complete.",
        ..setting("publish_every", "TIME", Kind::Duration { min_ms: 0 }, Group::Fetching)
    },
    Setting {
        default: "60s",
        help: "Timeout of one request.",
        ..setting("request_timeout", "TIME", Kind::Duration { min_ms: 1 }, Group::Fetching)
    },
    Setting {
        default: "120s",
        help: "Longest throttling wait to accept. Longer waits are cut to this; three of those in a row stop the run.",
        ..setting("wait_cap", "TIME", Kind::Duration { min_ms: 1 }, Group::Fetching)
    },
    Setting {
        default: "5",
        help: "Attempts per request, including the first, before it counts as failed.",
        ..setting("max_tries", "N", Kind::Count { min: 1, max: 20 }, Group::Fetching)
    },
    Setting {
        default: "500ms",
        help: "Maximum wait before the first retry; doubles with each retry, up to 30s. The actual wait is random.",
        ..setting("backoff_base", "TIME", Kind::Duration { min_ms: 0 }, Group::Fetching)
    },
    Setting {
        help: "Where every sync copies the published dataset at its end: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or a directory. docs/SCALE.md describes the copy.",
        ..setting("publish_to", "TARGET", Kind::Text, Group::Publishing)
    },
    Setting {
        help: "Name of this store in a copy that several stores share: its files are in TABLE/tenant=NAME below the prefix. By default the prefix belongs to this store alone.",
        ..setting("publish_tenant", "NAME", Kind::Text, Group::Publishing)
    },
    Setting {
        default: "hive",
        help: "Format of the copy: hive (Parquet files and their manifest) or delta (also a Delta log for each table). A copy that has Delta logs keeps them.",
        ..setting("publish_format", "FORMAT", Kind::OneOf(PUBLISH_FORMATS), Group::Publishing)
    },
    Setting {
        default: "false",
        help: "Also copy the raw log, so that a lost store can be rebuilt from it. It contains all personal data that was fetched. A copy that has the raw log keeps it.",
        ..setting("publish_raw", "BOOL", Kind::Switch, Group::Publishing)
    },
    Setting {
        default: "7d",
        help: "How long files of the copy stay after they were replaced, so that readers can finish. The first publication after this time removes them; 0s removes them at once.",
        ..setting("publish_keep", "TIME", Kind::Duration { min_ms: 0 }, Group::Publishing)
    },
    Setting {
        help: "Endpoint of an S3-compatible object store, such as https://oss-cn-hangzhou.aliyuncs.com. By default the variable AWS_ENDPOINT_URL; if it is not set, AWS.",
        ..setting("publish_endpoint", "URL", Kind::BaseUrl, Group::Publishing)
    },
    Setting {
        help: "Region of the bucket. By default the variable AWS_REGION; if it is not set, the region in ~/.aws/config.",
        ..setting("publish_region", "NAME", Kind::Text, Group::Publishing)
    },
    Setting {
        help: "ID of the access key for S3. Without this setting the credentials come from the variables AWS_ACCESS_KEY_ID and so on, from ~/.aws/credentials, or from the machine's role.",
        ..setting("publish_key_id", "ID", Kind::Text, Group::Publishing)
    },
    Setting {
        secret: true,
        help: "AccessKey secret. Flags are visible to other users of the machine: prefer the variable or a file.",
        ..setting("publish_key", "SECRET", Kind::Text, Group::Publishing)
    },
    Setting {
        help: "File that contains the AccessKey secret; must be accessible only to its owner (chmod 600), or be a container secret.",
        ..setting("publish_key_file", "FILE", Kind::Path, Group::Publishing)
    },
    Setting {
        // Enough for two inserts at the same time; more only makes the process larger.
        default: "192MiB",
        help: "Memory limit of DuckDB for publishing and verifying.",
        ..setting("memory_limit", "SIZE", Kind::Bytes, Group::Resources)
    },
    Setting {
        // Below this, reports over a month of twenty million samples spill to disk and take nearly twice as long.
        default: "1GiB",
        help: "Memory limit of DuckDB for reports.",
        ..setting("report_memory_limit", "SIZE", Kind::Bytes, Group::Resources)
    },
    Setting {
        default: "2",
        help: "Threads for reports, for rebuilding dates from the raw log, and for filling a new database. Updating a database uses one.",
        ..setting("threads", "N", Kind::Count { min: 1, max: 256 }, Group::Resources)
    },
    Setting {
        default: "plain",
        help: "Log format on stderr: plain text, or JSON with one object per line.",
        ..setting("log_format", "FORMAT", Kind::OneOf(LOG_FORMATS), Group::Logging)
    },
    Setting {
        default: "warn",
        help: "Minimum level of the log messages to show.",
        ..setting("log_level", "LEVEL", Kind::OneOf(LOG_LEVELS), Group::Logging)
    },
];

#[cfg(test)]
const ENGLISH_START: &str = "# Settings\n\n\
        Generated from the table of settings in `src/config/settings.rs`; a test keeps it up to date.\n\n\
        Every setting can be given as a flag, as an environment variable or in `vcq.toml`. Flags take precedence \
        over variables, variables over the file, the file over the defaults. The file is the one named by `--config` or \
        `VCQ_CONFIG`, else `./vcq.toml`, else `$XDG_CONFIG_HOME/vcq-etl/vcq.toml` (`~/.config/vcq-etl/vcq.toml`). A file \
        that contains a secret must be accessible only to its owner. Relative paths in `vcq.toml` are relative to the \
        directory of that file; those in flags and variables to the working directory.\n\n\
        Alert rules and their channels are tables in `vcq.toml` only: see [ALERTS.md](ALERTS.md). So are the settings of one \
        tenant of many: see [SCALE.md](SCALE.md#many-tenants).\n\n\
        Durations: `500ms`, `90s`, `10m`, `24h`, `2d`, `1h30m`. Sizes: `256MiB`, `1GiB`, `500MB`.\n";

#[cfg(test)]
const CHINESE_START: &str = "# 设置\n\n\
    由 `src/config/settings.rs` 中的设置表生成，由测试保证同步。\n\n\
    每项设置都可以用参数、环境变量或 `vcq.toml` 给出。参数优先于环境变量，环境变量优先于文件，文件优先于默认值。\
    文件为 `--config` 或 `VCQ_CONFIG` 指定的文件，其次为 `./vcq.toml`，再次为 `$XDG_CONFIG_HOME/vcq-etl/vcq.toml`\
    （`~/.config/vcq-etl/vcq.toml`）。含有密钥的文件必须只有所有者可以访问。`vcq.toml` 中的相对路径相对于该文件所在的目录；\
    参数和环境变量中的相对路径相对于工作目录。\n\n\
    告警规则及其通道只能写在 `vcq.toml` 的表中：见 [ALERTS.md](ALERTS.md)。多租户时各租户自己的设置也是如此：见 [SCALE.md](SCALE.md#多租户)。\n\n\
    时长：`500ms`、`90s`、`10m`、`24h`、`2d`、`1h30m`。大小：`256MiB`、`1GiB`、`500MB`。\n";

/// docs/SETTINGS.md.
#[cfg(test)]
pub(crate) fn markdown(language: Language) -> String {
    let mut text = language.pick(ENGLISH_START, CHINESE_START).to_owned();
    let english = "| Flag | Variable | Key | Default | Description |";
    let head = language.pick(english, "| 参数 | 环境变量 | 键 | 默认值 | 说明 |");
    for group in Group::ALL {
        text.push_str(&format!("\n## {}\n\n{head}\n|---|---|---|---|---|\n", language.say(group.heading())));
        for setting in SETTINGS.iter().filter(|setting| setting.group == group) {
            let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
            text.push_str(&format!(
                "| `--{} {}` | `{}` | `{}` | {default} | {} |\n",
                setting.flag(),
                setting.value_name,
                setting.variable(),
                setting.key,
                match language {
                    Language::English => setting.help.to_owned(),
                    // Help has no full stop.
                    Language::Chinese => language.say(setting.help.trim_end_matches('.')).into_owned() + "。",
                }
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_unique_and_every_help_is_a_sentence() {
        let mut keys = HashSet::new();
        for setting in SETTINGS {
            assert!(keys.insert(setting.key), "{} twice", setting.key);
            assert!(setting.key.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", setting.key);
            assert!(setting.help.ends_with('.'), "{}", setting.key);
            assert!(!setting.secret || setting.default.is_empty(), "{} has a default", setting.key);
            assert_ne!(setting.variable(), CONFIG_VARIABLE);
        }
    }

    #[test]
    fn flag_and_variable_follow_from_the_key() {
        let setting = Setting::find("calls_per_minute").expect("a setting");
        assert_eq!(setting.flag(), "calls-per-minute");
        assert_eq!(setting.variable(), "VCQ_CALLS_PER_MINUTE");
    }

    #[test]
    fn every_setting_is_in_the_document() {
        let text = markdown(Language::English);
        for setting in SETTINGS {
            assert!(text.contains(&format!("`{}`", setting.variable())), "{}", setting.key);
        }
    }
}
