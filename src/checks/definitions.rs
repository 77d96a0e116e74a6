//! Views, macros, limits, buildings and derived tables, compared with those of this program and its settings.
//!
//! A reference database is built with the expected definitions, and their texts are compared.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;

use super::context::{Result, VerifyContext};
use super::database::{Database, NO_TABLE, unless_damaged};
use super::findings::Findings;
use super::registry::DEFINITIONS;
use crate::load::definitions::{AddressPair, DERIVED, Derived, addresses, derived_sql};
use crate::load::draft::{Draft, DraftFolder};
use crate::load::{Held, connection};
use crate::schema::{ADDRESS_BUILDINGS, BUILDINGS, PARTICIPANTS, PARTITION_COLUMN, THRESHOLDS, Table, ddl};

/// Kind, name and text of every view and macro.
const OBJECTS: &str = "
select 'a view', view_name, sql
from duckdb_views() where not internal and database_name = current_database() and schema_name = 'main'
union all
select 'a macro', function_name,
       concat_ws(' ', function_type, array_to_string(parameters, ', '), macro_definition)
from duckdb_functions() where not internal and database_name = current_database() and schema_name = 'main'
order by all";

pub(super) fn check(database: &Database, held: &Held, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    // What the files of `views_dir` install is not compared.
    if context.definitions.are_own_of(database.meta.definitions_sha256.as_deref()) {
        check_installed(database, context, findings)?;
    } else {
        findings.skip(&DEFINITIONS, "other settings or another version of the program installed them");
        findings.note(
            "other settings or another version of the program installed the reports, thresholds and buildings in vcq.duckdb: \
             the next vcq-etl sync, or vcq-etl rebuild, replaces them",
        );
    }
    for derived in DERIVED {
        if database.has(&[derived.table, derived.source]) {
            check_derived(database, derived, held, findings)?;
        } else {
            findings.skip(&DEFINITIONS, NO_TABLE);
        }
    }
    Ok(())
}

fn check_installed(database: &Database, context: &VerifyContext<'_>, findings: &mut Findings) -> Result {
    let addresses = match database.has(&[&PARTICIPANTS]) {
        true => unless_damaged(addresses(&database.connection, "true"), "its addresses", findings)?.unwrap_or_default(),
        false => Vec::new(),
    };
    let folder = DraftFolder::temporary()?;
    let reference = build_reference(&folder, context, addresses)?;
    check_objects(database, &reference, findings)?;
    // The rows of these tables are the same in every database of this program, these settings and these buildings.
    for table in [&THRESHOLDS, &BUILDINGS].into_iter().filter(|table| database.has(&[table])) {
        check_rows(database, &reference, table, true, findings)?;
    }
    if database.has(&[&ADDRESS_BUILDINGS, &PARTICIPANTS]) {
        // Addresses that no longer occur may still be there.
        check_rows(database, &reference, &ADDRESS_BUILDINGS, false, findings)?;
    }
    Ok(())
}

/// A database with all definitions, and no rows of the tenant. It is a file because DuckDB formats definitions
/// differently when it reads them from one.
fn build_reference(
    folder: &DraftFolder,
    context: &VerifyContext<'_>,
    addresses: Vec<AddressPair>,
) -> Result<Connection> {
    let definitions = context.definitions;
    let draft = Draft::open(&folder.path, context.database)?;
    draft.execute("create the tables of", &ddl::script())?;
    definitions.define_in(&draft)?;
    if !definitions.buildings.is_empty() {
        draft.append_rows(&ADDRESS_BUILDINGS, &definitions.building_lookup.locate(addresses))?;
    }
    connection::open_read_only(&draft.close()?, &folder.path, context.database)
}

fn check_objects(database: &Database, reference: &Connection, findings: &mut Findings) -> Result {
    // Texts by kind and name.
    let read = |connection: &Connection| -> duckdb::Result<BTreeMap<(String, String), String>> {
        connection::rows(connection, OBJECTS, |row| {
            Ok(((row.get(0)?, row.get(1)?), row.get::<_, Option<String>>(2)?.unwrap_or_default()))
        })
    };
    let found = unless_damaged(read(&database.connection), "its views and macros", findings)?;
    let expected = unless_damaged(read(reference), "the expected views and macros", findings)?;
    let (Some(found), Some(expected)) = (found, expected) else { return Ok(()) };
    findings.examined(&DEFINITIONS, expected.len() as u64);
    for (key, text) in &expected {
        let place = format!("vcq.duckdb, {}", key.1);
        match found.get(key) {
            None => findings.found(&DEFINITIONS, place, &key.0, "nothing with this name"),
            Some(other) if other != text => findings.found(&DEFINITIONS, place, text, other),
            Some(_) => {}
        }
    }
    for (kind, name) in found.keys().filter(|key| !expected.contains_key(*key)) {
        findings.found(
            &DEFINITIONS,
            format!("vcq.duckdb, {name}"),
            "only the views and macros of vcq-etl",
            format!("{kind} that is not part of vcq-etl: a rebuild drops it; keep it in a database of your own"),
        );
    }
    Ok(())
}

/// Compares the rows of a table. Additional rows are findings if the table `is_complete` in the reference.
fn check_rows(
    database: &Database,
    reference: &Connection,
    table: &Table,
    is_complete: bool,
    findings: &mut Findings,
) -> Result {
    // Rows as text, with the number of times each occurs.
    let sql = format!("select cast(t as varchar), count(*) from {} as t group by 1", table.name);
    let read = |connection: &Connection| -> duckdb::Result<BTreeSet<(String, i64)>> {
        connection::rows(connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let found = unless_damaged(read(&database.connection), table.name, findings)?;
    let expected = unless_damaged(read(reference), table.name, findings)?;
    let (Some(found), Some(expected)) = (found, expected) else { return Ok(()) };
    findings.examined(&DEFINITIONS, expected.len() as u64);
    let place = format!("vcq.duckdb, {}", table.name);
    for (row, _) in expected.difference(&found) {
        findings.found(&DEFINITIONS, &place, row, "no such row, or fewer of them");
    }
    for (row, _) in found.difference(&expected).filter(|_| is_complete) {
        findings.found(&DEFINITIONS, &place, "no such row", row);
    }
    Ok(())
}

/// A derived table has exactly the rows derived from its source.
fn check_derived(database: &Database, derived: &Derived, held: &Held, findings: &mut Findings) -> Result {
    // The table has the rows of all dates.
    let condition = match held {
        Held::Since(since) => format!("{PARTITION_COLUMN} >= date {}", ddl::quoted(since)),
        _ => "true".to_owned(),
    };
    let (table, sql) = (derived.table.name, derived_sql(derived, "true"));
    let rows = format!("(select * from {table} where {condition})");
    let sql = format!(
        "select (select count(*) from {rows}), (select count(*) from (from ({sql}) except all from {rows})), \
         (select count(*) from (from {rows} except all from ({sql})))"
    );
    if let Some(counts) = database.counts(&sql, table, findings)? {
        findings.examined(&DEFINITIONS, counts[0]);
        for (count, what) in [(counts[1], "missing rows"), (counts[2], "additional rows")] {
            if count > 0 {
                let expected = format!("the rows that follow from {}", derived.source.name);
                findings.found(&DEFINITIONS, format!("vcq.duckdb, {table}"), expected, format!("{count} {what}"));
            }
        }
    }
    Ok(())
}
