//! The four layers of settings: flags over environment variables over the configuration file over defaults.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::alerts::AlertTables;
use super::error::ConfigError;
use super::exclusions::EXCLUSIONS;
use super::file::{parse_toml, read_settings};
use super::quantity;
use super::settings::{CONFIG_VARIABLE, Kind, SETTINGS, Setting, VARIABLE_PREFIX};
use super::tenants::{IDENTIFYING, TENANT, TENANTS, TenantTables};
use crate::text::Language;

/// The layer that a value came from, lowest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    /// The table of this tenant in the file.
    Tenant(PathBuf, String),
    Environment,
    Flag,
}

impl Origin {
    /// For messages: `--threads`, `VCQ_THREADS`, `tenants.acme.threads in vcq.toml`, `threads in vcq.toml`,
    /// `the default of threads`.
    pub(crate) fn place(&self, setting: &Setting) -> String {
        match self {
            Origin::Default => format!("the default of {}", setting.key),
            Origin::File(path) => format!("{} in {}", setting.key, path.display()),
            Origin::Tenant(path, name) => format!("{TENANTS}.{name}.{} in {}", setting.key, path.display()),
            Origin::Environment => setting.variable(),
            Origin::Flag => format!("--{}", setting.flag()),
        }
    }
}

/// The command line and the environment as plain values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The given flags, by key of the setting.
    pub flags: BTreeMap<&'static str, String>,
    /// `--config`.
    pub config_flag: Option<PathBuf>,
    pub environment: BTreeMap<String, String>,
    /// The working directory; `vcq.toml` is looked up here first.
    pub folder: PathBuf,
}

impl Sources {
    /// The directory of state that belongs to no store.
    pub(crate) fn state_folder(&self) -> Option<PathBuf> {
        let home = self.path_in("XDG_STATE_HOME").or_else(|| Some(self.path_in("HOME")?.join(".local/state")));
        home.map(|home| home.join("vcq-etl"))
    }

    pub(crate) fn path_in(&self, variable: &str) -> Option<PathBuf> {
        self.environment.get(variable).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    /// The configuration file that `init` writes: the one named by `--config` or `VCQ_CONFIG`, else `./vcq.toml`.
    pub(crate) fn new_file(&self) -> PathBuf {
        self.folder.join(self.named_file().unwrap_or_else(|| PathBuf::from(FILE_NAME)))
    }

    /// `--config` or `VCQ_CONFIG`.
    pub(super) fn named_file(&self) -> Option<PathBuf> {
        self.config_flag.clone().or_else(|| self.path_in(CONFIG_VARIABLE))
    }

    /// The language of help and messages, which must be known before there are settings: that of the layers, else of
    /// the locale. What is wrong with a layer is reported later.
    pub(crate) fn language(&self) -> Language {
        let Some(setting) = Setting::find("language") else { return Language::default() };
        let of_file = || {
            let table: toml::Table = fs::read_to_string(self.file()?).ok()?.parse().ok()?;
            let tenant = self.given(Setting::find(TENANT)?).or_else(|| table.get(TENANT)?.as_str());
            let own = tenant.and_then(|name| table.get(TENANTS)?.get(name)?.get(setting.key));
            Some(own.or_else(|| table.get(setting.key))?.as_str()?.to_owned())
        };
        // A flag that is no language still has a message in the language of the variable.
        let given = [self.flags.get(setting.key), self.environment.get(&setting.variable())];
        let given = given.into_iter().flatten().cloned().chain(std::iter::once_with(of_file).flatten());
        let known = given.map(|text| Language::parse(text.trim()));
        known.flatten().next().unwrap_or_else(|| Language::of_locale(&self.environment))
    }

    /// The text of a flag, else of a variable.
    fn given(&self, setting: &Setting) -> Option<&str> {
        let variable = || self.environment.get(&setting.variable()).filter(|text| !text.is_empty());
        self.flags.get(setting.key).or_else(variable).map(String::as_str)
    }

    /// The configuration file: the one named by `--config` or `VCQ_CONFIG` (which must exist), else the first that
    /// exists.
    fn file(&self) -> Option<PathBuf> {
        if let Some(path) = self.named_file() {
            return Some(path);
        }
        let home = self.path_in("XDG_CONFIG_HOME").or_else(|| Some(self.path_in("HOME")?.join(".config")));
        let candidates = [Some(self.folder.join(FILE_NAME)), home.map(|home| home.join("vcq-etl").join(FILE_NAME))];
        candidates.into_iter().flatten().find(|path| path.is_file())
    }
}

pub(crate) const FILE_NAME: &str = "vcq.toml";

/// Text and layer of each setting that has one, by key.
type Texts = BTreeMap<&'static str, (String, Origin)>;

/// The effective text of each setting that has one, and its layer.
#[derive(Debug)]
pub(super) struct Values {
    texts: Texts,
    pub(super) alerts: AlertTables,
    /// The names of all tenants in the file.
    pub(super) tenants: Vec<String>,
    pub(super) unknown_variables: Vec<String>,
}

impl Values {
    pub(super) fn collect(sources: &Sources) -> Result<Values, ConfigError> {
        Values::collect_with(sources, sources.file())
    }

    pub(super) fn collect_with(sources: &Sources, file: Option<PathBuf>) -> Result<Values, ConfigError> {
        let mut texts = BTreeMap::new();
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            texts.insert(setting.key, (setting.default.to_owned(), Origin::Default));
        }
        let mut alerts = AlertTables::default();
        let mut tables = TenantTables::default();
        if let Some(path) = &file {
            let mut table = parse_toml(path)?;
            tables = TenantTables::take(path, &mut table)?;
            alerts.take(path, &mut table);
            for (setting, text) in read_settings(path, "", table)? {
                texts.insert(setting.key, (text, Origin::File(path.clone())));
            }
            tables.check(|key| match texts.get(key) {
                Some((text, Origin::File(_))) => Some(text.clone()),
                _ => None,
            })?;
        }
        let mut unknown_variables = Vec::new();
        for (name, text) in sources.environment.iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
            if alerts.take_variable(name, text) {
                continue;
            }
            match SETTINGS.iter().find(|setting| setting.variable() == **name) {
                // Shells and job files unset a variable by making it empty.
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
        let tenants = tables.names();
        Values::use_tenant(&mut texts, &mut alerts, tables)?;
        for setting in SETTINGS {
            if let Some((text, origin)) = texts.get(setting.key)
                && text.trim().is_empty()
            {
                return Err(ConfigError::Empty { place: origin.place(setting) });
            }
        }
        Ok(Values { texts, alerts, tenants, unknown_variables })
    }

    /// Puts the settings of the chosen tenant over the common ones of the file.
    fn use_tenant(texts: &mut Texts, alerts: &mut AlertTables, mut tables: TenantTables) -> Result<(), ConfigError> {
        let Some((name, origin)) = texts.get(TENANT) else { return Ok(()) };
        let place = Setting::find(TENANT).map(|setting| origin.place(setting)).unwrap_or_default();
        let name = name.trim().to_owned();
        let Some(mut own) = tables.tables.remove(&name) else {
            return Err(ConfigError::UnknownTenant { place, name, known: tables.names() });
        };
        let path = tables.path;
        alerts.take(&path, &mut own.alerts);
        let name_in_copy = own.name_in_copy(&name);
        let origin = Origin::Tenant(path, name);
        if let (Some(name), false) = (name_in_copy, texts.contains_key("publish_tenant")) {
            texts.insert("publish_tenant", (name, origin.clone()));
        }
        for (setting, text) in own.settings {
            match texts.get(setting.key) {
                // Otherwise the data of one tenant could get into the store of another.
                Some((_, given @ (Origin::Environment | Origin::Flag))) if IDENTIFYING.contains(&setting.key) => {
                    return Err(ConfigError::Conflict { first: given.place(setting), second: origin.place(setting) });
                }
                Some((_, Origin::Environment | Origin::Flag)) => {}
                _ => {
                    texts.insert(setting.key, (text, origin.clone()));
                }
            }
            // A common setting that excludes the tenant's own one no longer applies.
            let others = EXCLUSIONS.iter().filter_map(|(one, other)| match setting.key {
                key if key == *one => Some(*other),
                key if key == *other => Some(*one),
                _ => None,
            });
            for other in others {
                if matches!(texts.get(other), Some((_, Origin::File(_)))) {
                    texts.remove(other);
                    if let Some(setting) = Setting::find(other).filter(|setting| !setting.default.is_empty()) {
                        texts.insert(other, (setting.default.to_owned(), Origin::Default));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn origins(&self) -> BTreeMap<&'static str, Origin> {
        self.texts.iter().map(|(key, (_, origin))| (*key, origin.clone())).collect()
    }

    /// Where a setting came from, for messages; `None` if it has no value.
    pub(super) fn place(&self, key: &'static str) -> Option<String> {
        let (_, origin) = self.texts.get(key)?;
        Some(origin.place(Setting::find(key)?))
    }

    /// True if the value is not the default.
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

    /// `None` if the setting is not given; it has no default.
    pub(super) fn given_count(&self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        self.text(key).map(|_| self.count(key)).transpose()
    }

    pub(super) fn duration(&self, key: &'static str) -> Result<Duration, ConfigError> {
        self.typed(key, |text, kind| match kind {
            Kind::Duration { min_ms } => quantity::duration(text).filter(|time| time.as_millis() >= min_ms.into()),
            _ => None,
        })
    }

    pub(super) fn switch(&self, key: &'static str) -> Result<bool, ConfigError> {
        self.typed(key, |text, _| match text {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        })
    }

    /// Names with a number each, in the given order.
    pub(super) fn numbers(&self, key: &'static str) -> Result<Vec<(String, f64)>, ConfigError> {
        if self.text(key).is_none() {
            return Ok(Vec::new());
        }
        self.typed(key, |text, _| quantity::numbers(text))
    }

    /// Words separated by commas, each once, in the order of the first. A word that `parse` does not know is an error.
    pub(super) fn words<T: PartialEq>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ConfigError> {
        let mut found = Vec::new();
        let words = self.text(key).into_iter().flat_map(|text| text.split(','));
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            match parse(word) {
                Some(value) if found.contains(&value) => {}
                Some(value) => found.push(value),
                None => {
                    let known = match Setting::find(key).map(|setting| setting.kind) {
                        Some(Kind::Words(known)) => known,
                        _ => &[],
                    };
                    let place = self.place(key).unwrap_or_default();
                    return Err(ConfigError::UnknownWord { place, word: word.to_owned(), known });
                }
            }
        }
        Ok(found)
    }

    /// The value as `parse` reads it.
    pub(super) fn typed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str, Kind) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let setting = Setting::find(key).expect("callers use the keys of the table");
        let (text, origin) = self.texts.get(key).expect("every typed setting has a default");
        parse(text.trim(), setting.kind).ok_or_else(|| ConfigError::NotAValue {
            place: origin.place(setting),
            text: text.clone(),
            wants: setting.kind.wants(),
        })
    }
}
