//! The flags that choose tenants, and the command line of the process of one tenant.

use std::ffi::OsString;

use clap::Args;

use crate::config::{ALL_TENANTS, Config, ConfigError, IDENTIFYING, Origin, Setting};
use crate::error::{ExitCode, Failure};

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(in crate::cli) struct TenantsArgs {
    /// Run once for each of these tenants of vcq.toml, in a process of its own: all, or names separated by commas.
    #[arg(long, value_name = "LIST")]
    pub tenants: Option<String>,

    /// Maximum number of tenants at the same time [default: 4].
    #[arg(long, value_name = "N", requires = "tenants", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,
}

const DEFAULT_JOBS: usize = 4;
const FLAG: &str = "--tenants";

/// The flags that are not passed on, and whether they have a value.
const OWN: &[(&str, bool)] = &[(FLAG, true), ("--jobs", true), ("--summary", true), ("--json", false)];

impl TenantsArgs {
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or(DEFAULT_JOBS, usize::from)
    }

    /// The names of the tenants, each once.
    pub(super) fn names(&self, config: &Config) -> Result<Vec<String>, Failure> {
        let list = self.tenants.as_deref().unwrap_or_default();
        let given = |key: &&&str| matches!(config.origin(key), Origin::Environment | Origin::Flag);
        let is_chosen = *config.origin("tenant") == Origin::Flag;
        if let Some(key) = IDENTIFYING.iter().find(given).copied().or_else(|| is_chosen.then_some("tenant")) {
            let first = Setting::find(key).map(|setting| config.origin(key).place(setting)).unwrap_or_default();
            return Err(ConfigError::Conflict { first, second: FLAG.to_owned() }.into());
        }
        if config.tenants.is_empty() {
            return Err(Failure::new(ExitCode::Usage, "the configuration file has no tenants")
                .hint("add [tenants.NAME] to vcq.toml; docs/SCALE.md has an example"));
        }
        if list.trim() == ALL_TENANTS {
            return Ok(config.tenants.clone());
        }
        let mut names: Vec<String> = Vec::new();
        for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !config.tenants.iter().any(|known| known == name) {
                let (place, known) = (FLAG.to_owned(), config.tenants.clone());
                return Err(ConfigError::UnknownTenant { place, name: name.to_owned(), known }.into());
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        match names.is_empty() {
            true => Err(ConfigError::Empty { place: FLAG.to_owned() }.into()),
            false => Ok(names),
        }
    }
}

/// The arguments of the process of one tenant: those of this process, without the program's name and the flags that are
/// for all tenants, and with `--tenant` and `more`.
pub(super) fn child_args(args: &[OsString], tenant: &str, more: &[&str]) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        let own = OWN.iter().find(|(flag, has_value)| {
            text == *flag || (*has_value && text.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
        });
        match own {
            None => kept.push(arg.clone()),
            Some((flag, true)) if text == *flag => {
                args.next();
            }
            Some(_) => {}
        }
    }
    kept.extend(["--tenant", tenant].iter().chain(more).map(OsString::from));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_gets_the_flags_that_are_for_every_tenant() {
        let child = |typed: &str| {
            let args: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            let args = child_args(&args, "a", &["--summary", "json"]);
            args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            child("vcq-etl sync --tenants all --jobs 8 --since 2d -q --config x.toml"),
            "sync --since 2d -q --config x.toml --tenant a --summary json"
        );
        assert_eq!(
            child("vcq-etl sync --tenants=a,b --jobs=8 --summary=json --since=2d"),
            "sync --since=2d --tenant a --summary json"
        );
        assert_eq!(child("vcq-etl status --json --days 3 --tenants all"), "status --days 3 --tenant a --summary json");
    }
}
