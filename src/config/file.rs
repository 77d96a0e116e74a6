//! Reads `vcq.toml`, and its settings in the notation of the flags.

use std::fs;
use std::io;
use std::path::Path;

use super::error::ConfigError;
use super::relative_path::beside;
use super::secret_file;
use super::settings::{Kind, Setting};

pub(super) fn parse_toml(path: &Path) -> Result<toml::Table, ConfigError> {
    let unreadable = |source: io::Error| ConfigError::ReadFile { path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    text.parse().map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::Syntax { path: path.to_owned(), line, problem: error.message().replace('\n', ", ") }
    })
}

/// The settings in a table of the file. `prefix` names the table in messages, such as `tenants.acme.`; it is empty for
/// those at the top.
pub(super) fn read_settings(
    path: &Path,
    prefix: &str,
    table: toml::Table,
) -> Result<Vec<(&'static Setting, String)>, ConfigError> {
    let mut values = Vec::new();
    for (key, value) in table {
        let Some(setting) = Setting::find(&key) else {
            return Err(ConfigError::UnknownKey { path: path.to_owned(), key: format!("{prefix}{key}") });
        };
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Table(table) if setting.kind == Kind::Numbers => as_flag_text(&table),
            toml::Value::Array(words) if matches!(setting.kind, Kind::Words(_)) => as_word_list(&words),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                let found = value.type_str();
                return Err(ConfigError::WrongType { path: path.to_owned(), key: format!("{prefix}{key}"), found });
            }
        };
        if setting.secret {
            secret_file::check_private(path)?;
        }
        let text = if setting.kind == Kind::Path { beside(path, text) } else { text };
        values.push((setting, text));
    }
    Ok(values)
}

/// A TOML table of numbers in the notation of the flag. Other values keep the name of their type, which parsing
/// rejects.
fn as_flag_text(table: &toml::Table) -> String {
    let pairs = table.iter().map(|(name, value)| match value {
        toml::Value::Integer(number) => format!("{name}={number}"),
        toml::Value::Float(number) => format!("{name}={number}"),
        other => format!("{name}={}", other.type_str()),
    });
    pairs.collect::<Vec<_>>().join(",")
}

/// A TOML array of words in the notation of the flag. Other values keep the name of their type, which is not a word.
fn as_word_list(words: &[toml::Value]) -> String {
    words.iter().map(|word| word.as_str().unwrap_or_else(|| word.type_str())).collect::<Vec<_>>().join(",")
}
