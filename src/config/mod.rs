//! Settings: resolved once from flags, environment variables, `vcq.toml` and defaults.
//!
//! Owns the table of settings ([`SETTINGS`]), the precedence of the four layers, and the typed result ([`Config`]),
//! which records where each value came from. Promises: no other module reads the environment, and no error contains a
//! secret. Its credentials read secret files, an app ticket whenever the client needs one, and replace the file of a
//! refresh token. Leaves out the arguments of single commands (`cli`).

mod alerts;
mod app_ticket;
mod credentials;
#[cfg(test)]
mod credentials_tests;
mod error;
mod exclusions;
mod file;
mod log_format;
mod publishing;
mod quantity;
mod refresh_token;
mod relative_path;
mod resolved;
mod secret_file;
pub(crate) mod settings;
mod sources;
mod template;
mod tenants;
#[cfg(test)]
mod tests;

pub(crate) use alerts::{DEFAULT_SINCE, TABLE_KEYS, is_channel_secret};
pub(crate) use error::ConfigError;
pub(crate) use log_format::LogFormat;
#[cfg(any(test, fuzzing))]
pub(crate) use quantity::ByteSize;
pub(crate) use quantity::duration;
pub(crate) use resolved::Config;
pub(crate) use secret_file::{check_text as check_secret, looks_like_secret};
pub(crate) use settings::{CONFIG_VARIABLE, Group, Kind, SETTINGS, Setting};
pub(crate) use sources::{Origin, Sources};
pub(crate) use template::template;
pub(crate) use tenants::{ALL_TENANTS, IDENTIFYING, TENANTS};
