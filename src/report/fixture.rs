//! An in-memory database like a published one, for tests of the definitions and the reports.

use duckdb::{Config, Connection};

use super::scripts;
use crate::load::Definitions;
use crate::schema::ddl;

/// A test tenant, small enough to compute every verdict by hand.
const TENANT: &str = include_str!("../../sql/tests/tenant.sql");

/// Tables without rows and without definitions, like a store of an older version.
pub(crate) fn without_definitions() -> Connection {
    let config = Config::default()
        .with("autoinstall_known_extensions", "false")
        .and_then(|config| config.with("autoload_known_extensions", "false"))
        .expect("settings that DuckDB knows");
    let connection = Connection::open_in_memory_with_flags(config).expect("a database");
    connection.execute_batch(&ddl::script()).expect("tables");
    connection
}

/// Installs the shared definitions and the reports. Call it after inserting rows: it also fills the derived tables.
pub(crate) fn install(connection: &Connection) {
    let scripts = scripts(crate::text::Language::English).expect("scripts");
    crate::load::fixture::define(&Definitions { scripts: &scripts, ..Definitions::NONE }, connection);
    let judged = "insert into judged_participants by name select * from judged_participant_minutes()";
    connection.execute_batch(judged).expect("judged");
}

/// A database with the given rows.
pub(crate) fn database(rows: &str) -> Connection {
    let connection = without_definitions();
    connection.execute_batch(rows).expect("rows");
    install(&connection);
    connection
}

pub(crate) fn tenant() -> Connection {
    database(TENANT)
}
