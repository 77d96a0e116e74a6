//! Where settings come from: flags, variables, the settings file, defaults; the higher one wins.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::settings::{CONFIG_VARIABLE, Kind, SETTINGS, Setting, VARIABLE_PREFIX};
use super::{ByteSize, ConfigError, quantity, secret};
use crate::schema::TenantZone;

/// Where a value came from, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    Environment,
    Flag,
}

impl Origin {
    /// The place in words: `--threads`, `VCQ_THREADS`, `threads in vcq.toml`, `the default of threads`.
    pub(crate) fn place(&self, setting: &Setting) -> String {
        match self {
            Origin::Default => format!("the default of {}", setting.key),
            Origin::File(path) => format!("{} in {}", setting.key, path.display()),
            Origin::Environment => setting.variable(),
            Origin::Flag => format!("--{}", setting.flag()),
        }
    }
}

/// What the process was given, as plain values: whoever calls has read the command line and the environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The flags that were given, by the setting's key.
    pub flags: BTreeMap<&'static str, String>,
    /// `--config`.
    pub config_flag: Option<PathBuf>,
    pub environment: BTreeMap<String, String>,
    /// The folder in which `vcq.toml` is looked for first.
    pub folder: PathBuf,
}

impl Sources {
    /// Where state that belongs to no store is kept.
    pub(super) fn state_folder(&self) -> Option<PathBuf> {
        let home = self.path_in("XDG_STATE_HOME").or_else(|| Some(self.path_in("HOME")?.join(".local/state")));
        home.map(|home| home.join("vcq-etl"))
    }

    fn path_in(&self, variable: &str) -> Option<PathBuf> {
        self.environment.get(variable).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    /// The settings file: named by the flag or by `VCQ_CONFIG` (then it must exist), else the first that exists.
    fn file(&self) -> Option<PathBuf> {
        if let Some(path) = self.config_flag.clone().or_else(|| self.path_in(CONFIG_VARIABLE)) {
            return Some(path);
        }
        let home = self.path_in("XDG_CONFIG_HOME").or_else(|| Some(self.path_in("HOME")?.join(".config")));
        let candidates = [Some(self.folder.join(FILE_NAME)), home.map(|home| home.join("vcq-etl").join(FILE_NAME))];
        candidates.into_iter().flatten().find(|path| path.is_file())
    }
}

/// The name of the settings file.
pub(crate) const FILE_NAME: &str = "vcq.toml";

/// The winning text of each setting that has one, and where it came from.
#[derive(Debug)]
pub(super) struct Values {
    texts: BTreeMap<&'static str, (String, Origin)>,
    pub(super) file: Option<PathBuf>,
    pub(super) unknown_variables: Vec<String>,
}

impl Values {
    /// Lays the four layers over one another.
    pub(super) fn collect(sources: &Sources) -> Result<Values, ConfigError> {
        let mut texts = BTreeMap::new();
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            texts.insert(setting.key, (setting.default.to_owned(), Origin::Default));
        }
        let file = sources.file();
        if let Some(path) = &file {
            for (setting, text) in read_toml(path)? {
                texts.insert(setting.key, (text, Origin::File(path.clone())));
            }
        }
        let mut unknown_variables = Vec::new();
        for (name, text) in sources.environment.iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
            match SETTINGS.iter().find(|setting| setting.variable() == **name) {
                // An empty variable is how a shell or a job file unsets one.
                Some(_) if text.is_empty() => {}
                Some(setting) => {
                    texts.insert(setting.key, (text.clone(), Origin::Environment));
                }
                None if name == CONFIG_VARIABLE => {}
                None => unknown_variables.push(name.clone()),
            }
        }
        for (key, text) in &sources.flags {
            texts.insert(key, (text.clone(), Origin::Flag));
        }
        for setting in SETTINGS {
            if let Some((text, origin)) = texts.get(setting.key)
                && text.trim().is_empty()
            {
                return Err(ConfigError::Empty { place: origin.place(setting) });
            }
        }
        Ok(Values { texts, file, unknown_variables })
    }

    pub(super) fn origins(&self) -> BTreeMap<&'static str, Origin> {
        self.texts.iter().map(|(key, (_, origin))| (*key, origin.clone())).collect()
    }

    /// Where a setting came from, in words; `None` where it has no value.
    pub(super) fn place(&self, key: &'static str) -> Option<String> {
        let (_, origin) = self.texts.get(key)?;
        Some(origin.place(Setting::find(key)?))
    }

    /// True where somebody gave it.
    pub(super) fn is_given(&self, key: &'static str) -> bool {
        self.texts.get(key).is_some_and(|(_, origin)| *origin != Origin::Default)
    }

    pub(super) fn text(&self, key: &'static str) -> Option<&str> {
        self.texts.get(key).map(|(text, _)| text.as_str())
    }

    pub(super) fn path(&self, key: &'static str) -> Option<PathBuf> {
        self.text(key).map(PathBuf::from)
    }

    pub(super) fn count(&self, key: &'static str) -> Result<u64, ConfigError> {
        self.typed(key, |text, kind| match kind {
            Kind::Count { min, max } => text.parse().ok().filter(|count| (min..=max).contains(count)),
            _ => None,
        })
    }

    pub(super) fn duration(&self, key: &'static str) -> Result<Duration, ConfigError> {
        self.typed(key, |text, kind| match kind {
            Kind::Duration { min_ms } => quantity::duration(text).filter(|time| time.as_millis() >= min_ms.into()),
            _ => None,
        })
    }

    pub(super) fn bytes(&self, key: &'static str) -> Result<ByteSize, ConfigError> {
        self.typed(key, |text, _| ByteSize::parse(text))
    }

    pub(super) fn zone(&self, key: &'static str) -> Result<TenantZone, ConfigError> {
        self.typed(key, |text, _| TenantZone::parse(text).ok())
    }

    /// Names with a number each, in their order; none where nobody gave any.
    pub(super) fn numbers(&self, key: &'static str) -> Result<Vec<(String, f64)>, ConfigError> {
        if self.text(key).is_none() {
            return Ok(Vec::new());
        }
        self.typed(key, |text, _| quantity::numbers(text))
    }

    /// One of the setting's words, as the value that stands beside it in `values`.
    pub(super) fn word<T: Copy>(&self, key: &'static str, values: &[(&str, T)]) -> Result<T, ConfigError> {
        self.typed(key, |text, _| values.iter().find(|(word, _)| *word == text).map(|(_, value)| *value))
    }

    fn typed<T>(&self, key: &'static str, parse: impl Fn(&str, Kind) -> Option<T>) -> Result<T, ConfigError> {
        let setting = Setting::find(key).expect("typed values are asked for by the keys of the table");
        let (text, origin) = self.texts.get(key).expect("every typed setting has a default");
        parse(text.trim(), setting.kind).ok_or_else(|| ConfigError::NotAValue {
            place: origin.place(setting),
            text: text.clone(),
            wants: setting.kind.wants(),
        })
    }
}

/// A table of numbers as the text that a flag has. What is no number is left as it is, to be refused with the rest.
fn listed(table: &toml::Table) -> String {
    let pairs = table.iter().map(|(name, value)| match value {
        toml::Value::Integer(number) => format!("{name}={number}"),
        toml::Value::Float(number) => format!("{name}={number}"),
        other => format!("{name}={}", other.type_str()),
    });
    pairs.collect::<Vec<_>>().join(",")
}

fn read_toml(path: &Path) -> Result<Vec<(&'static Setting, String)>, ConfigError> {
    let read = |source: io::Error| ConfigError::ReadFile { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(read)?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::Syntax { path: path.to_owned(), line, problem: error.message().replace('\n', ", ") }
    })?;
    let mut values = Vec::new();
    for (key, value) in table {
        let Some(setting) = Setting::find(&key) else {
            return Err(ConfigError::UnknownKey { path: path.to_owned(), key });
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Table(table) if setting.kind == Kind::Numbers => listed(&table),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                let found = value.type_str();
                return Err(ConfigError::WrongType { path: path.to_owned(), key, found });
            }
        };
        if setting.secret {
            secret::refuse_if_others_can_read(path)?;
        }
        values.push((setting, text));
    }
    Ok(values)
}
