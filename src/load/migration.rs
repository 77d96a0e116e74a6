//! The schema's history: `migrations/NNNN_name.sql`, applied in order and recorded in `schema_migrations`.
//!
//! Append-only: an applied migration is never edited; its checksum is recorded. A test compares the result of all
//! migrations with the declared tables.

use std::path::Path;

use duckdb::Connection;

use super::checksum;
use super::connection::rows;
use super::draft::Draft;
use super::error::{LoadError, Result};
use crate::schema::cell::{Cell, Row};
use crate::schema::{SCHEMA_MIGRATIONS, SCHEMA_VERSION};

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Migration {
    /// Consecutive, from 1.
    pub version: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

/// In order. The last version is the schema version.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("../../migrations/0001_initial.sql") },
    Migration { version: 2, name: "definitions", sql: include_str!("../../migrations/0002_definitions.sql") },
    Migration { version: 3, name: "run_filter", sql: include_str!("../../migrations/0003_run_filter.sql") },
    Migration { version: 4, name: "reference_files", sql: include_str!("../../migrations/0004_reference_files.sql") },
    Migration { version: 5, name: "census", sql: include_str!("../../migrations/0005_census.sql") },
    Migration { version: 6, name: "incidents", sql: include_str!("../../migrations/0006_incidents.sql") },
    Migration { version: 7, name: "stored_minutes", sql: include_str!("../../migrations/0007_stored_minutes.sql") },
    Migration {
        version: 8,
        name: "stored_audio_streams",
        sql: include_str!("../../migrations/0008_stored_audio_streams.sql"),
    },
];

impl Migration {
    pub(crate) fn sha256(&self) -> String {
        checksum::sha256(self.sql.as_bytes())
    }
}

/// A row of `schema_migrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    version: i64,
    name: Option<String>,
    sha256: Option<String>,
}

/// The migrations recorded in a database.
pub(crate) fn applied(connection: &Connection) -> duckdb::Result<Vec<Applied>> {
    let sql = "select version, name, sha256 from schema_migrations order by version";
    rows(connection, sql, |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, sha256: row.get(2)? }))
}

/// The newest of the applied versions.
pub(super) fn newest(applied: &[Applied]) -> Option<i64> {
    applied.iter().map(|row| row.version).max()
}

/// Returns an error if the program does not know one of the applied migrations, or knows it with other statements.
pub(crate) fn check(applied: &[Applied], path: &Path) -> Result {
    for row in applied {
        let known = MIGRATIONS.iter().find(|migration| i64::from(migration.version) == row.version);
        let Some(known) = known else {
            let found = row.version.unsigned_abs();
            return Err(LoadError::NewerSchema { path: path.to_path_buf(), found, known: SCHEMA_VERSION });
        };
        if row.sha256.as_deref() != Some(known.sha256().as_str()) {
            return Err(LoadError::MigrationDrift {
                path: path.to_path_buf(),
                version: known.version,
                name: row.name.clone().unwrap_or_else(|| known.name.to_owned()),
            });
        }
    }
    Ok(())
}

/// Applies the missing migrations in the caller's transaction; returns whether there were any.
pub(crate) fn apply(draft: &Draft, applied: &[Applied], now_us: i64) -> Result<bool> {
    let mut rows: Vec<Row> = Vec::new();
    for migration in MIGRATIONS {
        let version = i64::from(migration.version);
        if applied.iter().any(|row| row.version == version) {
            continue;
        }
        draft.execute("apply a migration to", migration.sql)?;
        rows.push(vec![
            Cell::Whole(version),
            Cell::Text(migration.name.to_owned()),
            Cell::Text(migration.sha256()),
            Cell::Micros(now_us),
            Cell::Text(env!("CARGO_PKG_VERSION").to_owned()),
        ]);
    }
    if !rows.is_empty() {
        draft.append_rows(&SCHEMA_MIGRATIONS, &rows)?;
    }
    Ok(!rows.is_empty())
}
