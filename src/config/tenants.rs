//! The tables `[tenants.NAME]` of `vcq.toml`: the settings of one tenant each, over the common ones of the file.
//!
//! All of them are checked whenever the file is read, so that a mistake in the table of one tenant cannot send the data
//! of another to its store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

use super::alerts::TABLE_KEYS;
use super::error::ConfigError;
use super::file::read_settings;
use super::settings::Setting;

/// The key of the tables.
pub(crate) const TENANTS: &str = "tenants";
/// The setting that chooses one of them.
pub(super) const TENANT: &str = "tenant";

/// The settings that say whose data goes where. A flag or variable does not override those of a tenant's table.
pub(crate) const IDENTIFYING: &[&str] = &[
    "store",
    "publish_to",
    "publish_tenant",
    "app_id",
    "app_secret",
    "app_secret_file",
    "access_token",
    "access_token_file",
    "tenant_key",
    "refresh_token_file",
];
/// Of these, a tenant needs one of its own if the common settings have one.
const CREDENTIALS: &[&str] = &["app_id", "access_token", "access_token_file", "tenant_key", "refresh_token_file"];
/// Of these, each concerns one tenant, so the common settings have none, and with the same app each is another one.
const OF_ONE_TENANT: &[&str] = &["tenant_key", "refresh_token_file"];
/// Where the copy is, and the name of the store in it.
const COPY: [&str; 2] = ["publish_to", "publish_tenant"];

const MAX_NAME_BYTES: usize = 63;
/// In place of a list of names.
pub(crate) const ALL_TENANTS: &str = "all";

#[derive(Debug, Default)]
pub(super) struct TenantTables {
    pub path: PathBuf,
    pub tables: BTreeMap<String, TenantTable>,
}

#[derive(Debug)]
pub(super) struct TenantTable {
    pub settings: Vec<(&'static Setting, String)>,
    /// Alert rules and channels.
    pub alerts: toml::Table,
}

impl TenantTables {
    /// Takes the tables out of the file's.
    pub(super) fn take(path: &Path, table: &mut toml::Table) -> Result<TenantTables, ConfigError> {
        let wrong = |problem: String| ConfigError::Tenants { path: path.to_owned(), problem };
        let tables = match table.remove(TENANTS) {
            None => toml::Table::new(),
            Some(Value::Table(tables)) => tables,
            Some(other) => {
                return Err(wrong(format!("tenants is of type {}; write [tenants.NAME]", other.type_str())));
            }
        };
        let mut found = BTreeMap::new();
        for (name, value) in tables {
            if !is_name(&name) {
                return Err(wrong(format!(
                    "{name:?} is not a name for a tenant, which has 1 to {MAX_NAME_BYTES} lower-case letters, digits, - and _, \
                     a letter first, and is not {ALL_TENANTS}"
                )));
            }
            let Value::Table(mut own) = value else {
                let found = value.type_str();
                return Err(wrong(format!("tenants.{name} is of type {found}; write [tenants.{name}]")));
            };
            let alerts = TABLE_KEYS.iter().filter_map(|key| own.remove_entry(*key)).collect();
            let prefix = format!("{TENANTS}.{name}.");
            if own.contains_key(TENANT) {
                return Err(ConfigError::UnknownKey { path: path.to_owned(), key: prefix + TENANT });
            }
            found.insert(name, TenantTable { settings: read_settings(path, &prefix, own)?, alerts });
        }
        Ok(TenantTables { path: path.to_owned(), tables: found })
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    /// Returns an error if the data of two tenants would get mixed up. `common` gives a common setting of the file.
    pub(super) fn check(&self, common: impl Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let wrong = |problem: String| Err(ConfigError::Tenants { path: self.path.clone(), problem });
        let mut stores: BTreeMap<PathBuf, &str> = BTreeMap::new();
        let mut copies: BTreeMap<(PathBuf, Option<String>), &str> = BTreeMap::new();
        let mut keys: BTreeMap<(&str, PathBuf, Option<String>), &str> = BTreeMap::new();
        if let Some(key) = OF_ONE_TENANT.iter().find(|key| !self.tables.is_empty() && common(key).is_some()) {
            return wrong(format!("{key} is a setting of one tenant: move it to its table [tenants.NAME]"));
        }
        for (name, table) in &self.tables {
            let Some(store) = table.own("store") else {
                return wrong(format!("tenants.{name} does not set store"));
            };
            if let Some(other) = stores.insert(place(store), name) {
                return wrong(format!("tenants.{other} and tenants.{name} have the same store"));
            }
            let has_credentials = CREDENTIALS.iter().any(|key| table.own(key).is_some());
            if !has_credentials && CREDENTIALS.iter().any(|key| common(key).is_some()) {
                return wrong(format!(
                    "tenants.{name} sets none of {}, so it would use the credentials of another tenant",
                    CREDENTIALS.join(", ")
                ));
            }
            for key in OF_ONE_TENANT {
                let Some(text) = table.own(key) else { continue };
                let app_id = table.own("app_id").map(str::to_owned).or_else(|| common("app_id"));
                if let Some(other) = keys.insert((key, place(text), app_id), name) {
                    return wrong(format!("tenants.{other} and tenants.{name} have the same {key}"));
                }
            }
            let [to, tenant] = COPY.map(|key| table.own(key).map(str::to_owned).or_else(|| common(key)));
            let Some(to) = to else { continue };
            let tenant = tenant.or_else(|| table.name_in_copy(name));
            if let Some(other) = copies.insert((place(&to), tenant), name) {
                return wrong(format!(
                    "tenants.{other} and tenants.{name} have the same publish_to and publish_tenant"
                ));
            }
        }
        Ok(())
    }
}

impl TenantTable {
    fn own(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(setting, _)| setting.key == key).map(|(_, text)| text.as_str())
    }

    /// The default of `publish_tenant`: a tenant without a copy of its own has its name in the common one.
    pub(super) fn name_in_copy(&self, name: &str) -> Option<String> {
        self.own("publish_to").is_none().then(|| name.to_owned())
    }
}

/// What a name of a directory and a value of a Hive partition may be in every file system and engine. Without a letter
/// first, engines read the value as a number or a date.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(is_letter)
        && name != ALL_TENANTS
}

/// The same for two spellings of one path; also of the address of an object store.
fn place(text: &str) -> PathBuf {
    fs::canonicalize(text.trim()).unwrap_or_else(|_| Path::new(text.trim()).components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_directory_and_a_partition() {
        for name in ["a", "acme", "acme-cn_2", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        let wrong = ["", "all", "Acme", "2026", "-a", "_a", "a.b", "a/b", "..", "a b", "a=b", "a,b", "公司"];
        for name in wrong.into_iter().chain([&*"x".repeat(64)]) {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn one_place_has_several_spellings() {
        assert_eq!(place("/nowhere/./a/"), place("/nowhere/a"));
        assert_eq!(place("s3://b/p/"), place("s3://b/p"));
        assert_ne!(place("s3://b/p"), place("s3://b/q"));
    }
}
