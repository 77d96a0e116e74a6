//! The settings as data: from this one table come the flags, the variables, the keys of `vcq.toml`, the help and
//! docs/SETTINGS.md.

/// What a setting's text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text that is not empty.
    Text,
    /// A file or a folder.
    Path,
    /// One of these words.
    OneOf(&'static [&'static str]),
    Count {
        min: u64,
        max: u64,
    },
    /// A length of time.
    Duration {
        /// The smallest allowed, milliseconds.
        min_ms: u64,
    },
    /// A number of bytes.
    Bytes,
    Zone,
    /// The origin of a web address.
    Origin,
    /// Names with a number each.
    Numbers,
}

impl Kind {
    /// What is wanted, in words that follow "is not".
    pub(crate) fn wants(&self) -> String {
        match self {
            Kind::Text => "a text".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::OneOf(words) => format!("one of {}", words.join(", ")),
            Kind::Count { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Duration { min_ms: 0 } => "a length of time like 500ms, 90s, 10m, 24h or 2d".to_owned(),
            Kind::Duration { .. } => "a length of time above zero like 500ms, 90s, 10m, 24h or 2d".to_owned(),
            Kind::Bytes => "a size like 256MiB, 1GiB or 500MB".to_owned(),
            Kind::Zone => "an offset like +08:00 or a zone name like Asia/Shanghai".to_owned(),
            Kind::Origin => "an address like https://open.feishu.cn".to_owned(),
            Kind::Numbers => "a list like audio_loss_pct=3,audio_delay_ms=200".to_owned(),
        }
    }
}

/// What a setting is about; the headings of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Where things are and what times mean.
    Store,
    /// Who we are to the vendor.
    Credentials,
    /// Where the vendor is.
    Vendor,
    /// How fast we ask.
    Pace,
    /// What the program itself may use.
    Engine,
    /// What it says while it works.
    Log,
}

impl Group {
    /// Every group, in the order of the help.
    pub(crate) const ALL: [Group; 6] =
        [Group::Store, Group::Credentials, Group::Vendor, Group::Pace, Group::Engine, Group::Log];

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Group::Store => "Store",
            Group::Credentials => "Credentials",
            Group::Vendor => "Vendor",
            Group::Pace => "Pace",
            Group::Engine => "Engine",
            Group::Log => "Messages",
        }
    }

    /// True where a command that never asks the vendor has no use for it.
    pub(crate) fn is_for_asking(self) -> bool {
        matches!(self, Group::Credentials | Group::Vendor | Group::Pace)
    }
}

/// One setting. Everything that is said of it anywhere is said here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// The key in `vcq.toml`; the flag and the variable follow from it.
    pub key: &'static str,
    /// What the help calls its value.
    pub value_name: &'static str,
    /// What the text must be.
    pub kind: Kind,
    /// What holds where nobody says otherwise; empty for none.
    pub default: &'static str,
    /// What it is about.
    pub group: Group,
    /// True where the value must never be shown.
    pub secret: bool,
    /// One sentence or two.
    pub help: &'static str,
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

    /// The setting of that key.
    pub(crate) fn find(key: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}

/// How every variable of ours begins.
pub(crate) const VARIABLE_PREFIX: &str = "VCQ_";

/// The variable that names the settings file; the one that is no setting itself.
pub(crate) const CONFIG_VARIABLE: &str = "VCQ_CONFIG";

/// The words of `region`.
pub(super) const REGIONS: &[&str] = &["feishu", "lark"];
/// The words of `user_id_type`.
pub(super) const USER_ID_TYPES: &[&str] = &["open_id", "union_id", "user_id"];
/// The words of `log_format`.
pub(super) const LOG_FORMATS: &[&str] = &["plain", "json"];
/// The words of `log_level`.
pub(super) const LOG_LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];

/// Every setting, in the order of the help.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "store",
        value_name: "DIR",
        kind: Kind::Path,
        default: "./vcq-store",
        group: Group::Store,
        secret: false,
        help: "Folder that holds vcq.duckdb, the Parquet files, the raw answers and the ledger.",
    },
    Setting {
        key: "timezone",
        value_name: "ZONE",
        kind: Kind::Zone,
        default: "+08:00",
        group: Group::Store,
        secret: false,
        help: "The tenant's time zone: what a date, and a time without a zone, mean.",
    },
    Setting {
        key: "thresholds",
        value_name: "LIST",
        kind: Kind::Numbers,
        default: "",
        group: Group::Store,
        secret: false,
        help: "Limits of the profile custom where they differ from cqd, like audio_loss_pct=3,audio_delay_ms=200; in vcq.toml also a table. The next sync or rebuild publishes them.",
    },
    Setting {
        key: "reports_dir",
        value_name: "DIR",
        kind: Kind::Path,
        default: "",
        group: Group::Store,
        secret: false,
        help: "Folder of your own reports, NAME.sql each; one named like a report of the program stands in for it.",
    },
    Setting {
        key: "app_id",
        value_name: "ID",
        kind: Kind::Text,
        default: "",
        group: Group::Credentials,
        secret: false,
        help: "App id of the self-built app, with its secret.",
    },
    Setting {
        key: "app_secret",
        value_name: "SECRET",
        kind: Kind::Text,
        default: "",
        group: Group::Credentials,
        secret: true,
        help: "Secret of the app. Other users of the machine can see flags: prefer the variable or the file.",
    },
    Setting {
        key: "app_secret_file",
        value_name: "FILE",
        kind: Kind::Path,
        default: "",
        group: Group::Credentials,
        secret: false,
        help: "File that holds the app's secret and that only its owner can read.",
    },
    Setting {
        key: "access_token",
        value_name: "TOKEN",
        kind: Kind::Text,
        default: "",
        group: Group::Credentials,
        secret: true,
        help: "A tenant or user access token instead of app id and secret. It is not renewed.",
    },
    Setting {
        key: "access_token_file",
        value_name: "FILE",
        kind: Kind::Path,
        default: "",
        group: Group::Credentials,
        secret: false,
        help: "File that holds the access token and that only its owner can read.",
    },
    Setting {
        key: "region",
        value_name: "REGION",
        kind: Kind::OneOf(REGIONS),
        default: "feishu",
        group: Group::Vendor,
        secret: false,
        help: "Which cloud the tenant is in: feishu (open.feishu.cn) or lark (open.larksuite.com).",
    },
    Setting {
        key: "base_url",
        value_name: "URL",
        kind: Kind::Origin,
        default: "",
        group: Group::Vendor,
        secret: false,
        help: "Origin of the open platform instead of a region, for private clouds. HTTPS, except to this machine.",
    },
    Setting {
        key: "user_id_type",
        value_name: "TYPE",
        kind: Kind::OneOf(USER_ID_TYPES),
        default: "open_id",
        group: Group::Vendor,
        secret: false,
        help: "Kind of user id to ask for. One store holds one kind.",
    },
    Setting {
        key: "calls_per_minute",
        value_name: "N",
        kind: Kind::Count { min: 1, max: 100_000 },
        default: "100",
        group: Group::Pace,
        secret: false,
        help: "Most calls a minute to each of the three endpoints, by all runs of the app on this machine together.",
    },
    Setting {
        key: "rate_window",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 1 },
        default: "60s",
        group: Group::Pace,
        secret: false,
        help: "Length of the sliding window in which calls are counted; calls_per_minute is scaled to it.",
    },
    Setting {
        key: "settle",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 0 },
        default: "24h",
        group: Group::Pace,
        secret: false,
        help: "How long after a meeting its quality may still grow: until then short answers are asked for again.",
    },
    Setting {
        key: "concurrency",
        value_name: "N",
        kind: Kind::Count { min: 1, max: 256 },
        // A bound only: as many are under way as pace x latency asks for, which is one at the vendor's rate and 300 ms a call
        // (and eight at the most). At sixty times that rate 300 ms take 37, those included that are being written down or wait
        // for the pace; each costs memory for its pages.
        default: "40",
        group: Group::Pace,
        secret: false,
        help: "Most requests under way to one endpoint; fewer where the pace needs fewer.",
    },
    Setting {
        key: "publish_every",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 0 },
        default: "10m",
        group: Group::Pace,
        secret: false,
        help: "How often a long run publishes the dates that are done.",
    },
    Setting {
        key: "request_timeout",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 1 },
        default: "60s",
        group: Group::Pace,
        secret: false,
        help: "How long one request may take.",
    },
    Setting {
        key: "wait_cap",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 1 },
        default: "120s",
        group: Group::Pace,
        secret: false,
        help: "Longest wait that the vendor may ask for at once; three such waits in a row stop the run.",
    },
    Setting {
        key: "max_tries",
        value_name: "N",
        kind: Kind::Count { min: 1, max: 20 },
        default: "5",
        group: Group::Pace,
        secret: false,
        help: "How often a request that meets a fault is sent before it counts as failed.",
    },
    Setting {
        key: "backoff_base",
        value_name: "TIME",
        kind: Kind::Duration { min_ms: 0 },
        default: "500ms",
        group: Group::Pace,
        secret: false,
        help: "Wait before the second try; it doubles from try to try.",
    },
    Setting {
        key: "memory_limit",
        value_name: "SIZE",
        kind: Kind::Bytes,
        // A million samples load within it; more only makes the process larger.
        default: "128MiB",
        group: Group::Engine,
        secret: false,
        help: "Most memory that DuckDB may take while publishing and checking.",
    },
    Setting {
        key: "report_memory_limit",
        value_name: "SIZE",
        kind: Kind::Bytes,
        // Reports over a month of twenty million samples spill below that, at nearly twice the time.
        default: "1GiB",
        group: Group::Engine,
        secret: false,
        help: "Most memory that DuckDB may take for a report.",
    },
    Setting {
        key: "threads",
        value_name: "N",
        kind: Kind::Count { min: 1, max: 256 },
        default: "2",
        group: Group::Engine,
        secret: false,
        help: "Threads for reports and for making dates from their answers; loading them into DuckDB takes one.",
    },
    Setting {
        key: "log_format",
        value_name: "FORMAT",
        kind: Kind::OneOf(LOG_FORMATS),
        default: "plain",
        group: Group::Log,
        secret: false,
        help: "Form of what is said on stderr: plain, or json with one object a line.",
    },
    Setting {
        key: "log_level",
        value_name: "LEVEL",
        kind: Kind::OneOf(LOG_LEVELS),
        default: "warn",
        group: Group::Log,
        secret: false,
        help: "Least weight of the log lines that are shown.",
    },
];

/// The settings as Markdown: docs/SETTINGS.md.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    let mut text = "# Settings\n\n\
        Written from the table of settings; a test compares. Each can be given as a flag, as a variable or as a key of \
        `vcq.toml`; a flag wins over a variable, a variable over the file, the file over the default. The file is the one \
        that `--config` or `VCQ_CONFIG` names, else `./vcq.toml`, else `$XDG_CONFIG_HOME/vcq-etl/vcq.toml` \
        (`~/.config/vcq-etl/vcq.toml`). A file that holds a secret must be readable by its owner only.\n\n\
        Lengths of time: `500ms`, `90s`, `10m`, `24h`, `2d`, `1h30m`. Sizes: `256MiB`, `1GiB`, `500MB`.\n"
        .to_owned();
    for group in Group::ALL {
        text.push_str(&format!(
            "\n## {}\n\n| flag | variable | key | default | meaning |\n|---|---|---|---|---|\n",
            group.heading()
        ));
        for setting in SETTINGS.iter().filter(|setting| setting.group == group) {
            let default = if setting.default.is_empty() { String::new() } else { format!("`{}`", setting.default) };
            text.push_str(&format!(
                "| `--{} {}` | `{}` | `{}` | {default} | {} |\n",
                setting.flag(),
                setting.value_name,
                setting.variable(),
                setting.key,
                setting.help
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
        let text = markdown();
        for setting in SETTINGS {
            assert!(text.contains(&format!("`{}`", setting.variable())), "{}", setting.key);
        }
    }
}
