//! The flags of reports that are written for another engine.

use clap::Args;

use super::run::Given;
use crate::cli::command::Choice;
use crate::cli::runtime::now_us;
use crate::cli::window::{self, Days};
use crate::config::Config;
use crate::error::{ExitCode, Failure};
use crate::report::engine::{DUCKDB, Engine, Places, SPARK};

pub(super) static ENGINES: &[Choice<&Engine>] =
    &[("spark", "Spark 3.5 and 4", &SPARK), ("duckdb", "DuckDB without the published database", &DUCKDB)];

#[derive(Debug, Args)]
pub(super) struct ScriptArgs {
    /// Start date in the script (inclusive): 28d, yesterday or 2026-11-01 [default: all dates]
    #[arg(long, value_name = "WHEN", requires = "engine")]
    since: Option<String>,

    /// End date in the script (exclusive), in the same formats [default: all dates]
    #[arg(long, value_name = "WHEN", requires = "engine")]
    until: Option<String>,

    /// Hide percentages based on fewer than this many judged minutes
    #[arg(long, value_name = "N", requires = "engine")]
    min_n: Option<String>,

    /// Maximum number of rows
    #[arg(long, value_name = "N", requires = "engine")]
    top: Option<String>,

    /// Set a report parameter; repeatable
    #[arg(long = "param", value_name = "NAME=VALUE", requires = "engine")]
    params: Vec<String>,

    /// What the engine calls a table, with {table} for its name here
    #[arg(long, value_name = "PATTERN", default_value = Places::TABLE, requires = "engine")]
    tables: String,

    /// Schema for intermediate tables [default: that of the session]
    #[arg(long, value_name = "SCHEMA", requires = "engine")]
    scratch: Option<String>,
}

impl ScriptArgs {
    pub(super) fn given(&self, config: &Config) -> Result<Given<'_>, Failure> {
        let days: Days = window::days(self.since.as_deref(), self.until.as_deref(), &config.timezone, now_us())?;
        Ok(Given { days, min_n: self.min_n.as_ref(), top: self.top.as_ref(), params: &self.params })
    }

    pub(super) fn places(&self) -> Result<Places, Failure> {
        let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_.-`\"".contains(c));
        let refuse = |flag: &str, text: &str| {
            let message = format!("{flag} {text:?} is not a name of the engine");
            Failure::new(ExitCode::Usage, message).hint("for example: --tables 'lake.vcq.{table}' --scratch tmp")
        };
        match self.tables.split_once(Places::TABLE) {
            Some((before, after)) if is_name(before) && is_name(after) => {}
            _ => return Err(refuse("--tables", &self.tables)),
        }
        if let Some(schema) = self.scratch.as_ref().filter(|schema| schema.is_empty() || !is_name(schema)) {
            return Err(refuse("--scratch", schema));
        }
        Ok(Places { tables: self.tables.clone(), scratch: self.scratch.clone() })
    }
}
