//! Views, macros, limits, buildings and derived tables, held against those of this program and its settings.
//!
//! What should be there is made in a database of its own and compared by its text.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;

use super::checks::DEFINITIONS;
use super::database::{NO_TABLE, Shape, Texts, answered, numbers, texts};
use super::snapshot::Database;
use super::{Findings, Surroundings};
use crate::load::LoadError;
use crate::load::connection;
use crate::load::definitions::{AddressPair, DERIVED, Derived, addresses, derived_sql};
use crate::load::draft::{Draft, DraftFolder};
use crate::schema::{ADDRESS_BUILDINGS, BUILDINGS, PARTICIPANTS, THRESHOLDS, Table, ddl};

/// What is defined: what it is, its name, its text.
const DEFINED: &str = "
select 'a view', view_name, sql
from duckdb_views() where not internal and database_name = current_database() and schema_name = 'main'
union all
select 'a macro', function_name,
       concat_ws(' ', function_type, array_to_string(parameters, ', '), macro_definition)
from duckdb_functions() where not internal and database_name = current_database() and schema_name = 'main'
order by all";

/// Tables whose rows are the same in every database of this program, these settings and these buildings.
const GIVEN: &[&Table] = &[&THRESHOLDS, &BUILDINGS];

type Defined = BTreeMap<(String, String), String>;

pub(crate) fn check(
    database: &Database,
    shape: &Shape,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    let definitions = surroundings.definitions;
    if database.meta.definitions_sha256.as_deref() == Some(definitions.sha256().as_str()) {
        let seen = match shape.has(&[&PARTICIPANTS]) {
            true => answered(addresses(&database.connection, "true"), "its addresses", findings)?.unwrap_or_default(),
            false => Vec::new(),
        };
        let folder = DraftFolder::temporary()?;
        let reference = reference(&folder, surroundings, seen)?;
        objects(database, &reference, findings)?;
        for table in GIVEN.iter().filter(|table| shape.has(&[table])) {
            given(database, &reference, table, findings)?;
        }
        if shape.has(&[&ADDRESS_BUILDINGS, &PARTICIPANTS]) {
            places(database, &reference, findings)?;
        }
    } else {
        findings.skip(&DEFINITIONS, "they are of other settings or of another version of the program");
        findings.note(
            "the reports, limits and buildings in vcq.duckdb are of other settings or of another version of the program: \
             the next vcq-etl sync, or vcq-etl rebuild, installs this one's",
        );
    }
    for table in DERIVED {
        if shape.has(&[table.table, table.source]) {
            derived(database, table, findings)?;
        } else {
            findings.skip(&DEFINITIONS, NO_TABLE);
        }
    }
    Ok(())
}

/// A database with everything that is defined, and no row of the tenant. DuckDB words definitions anew when it reads them
/// from a file, so it is a file.
fn reference(
    folder: &DraftFolder,
    surroundings: &Surroundings<'_>,
    seen: Vec<AddressPair>,
) -> Result<Connection, LoadError> {
    let definitions = surroundings.definitions;
    let draft = Draft::open(folder.path(), surroundings.database)?;
    draft.execute("make the tables of", &ddl::script())?;
    definitions.define_in(&draft)?;
    if !definitions.buildings.is_empty() {
        draft.append_rows(&ADDRESS_BUILDINGS, &definitions.building_lookup.locate(seen))?;
    }
    connection::open_read_only(&draft.close()?, folder.path(), surroundings.database)
}

fn defined(connection: &Connection) -> duckdb::Result<Defined> {
    let row = |row: Texts| <[Option<String>; 3]>::try_from(row).ok();
    let rows = texts(connection, DEFINED, &[])?.into_iter().filter_map(row);
    Ok(rows.filter_map(|[what, name, text]| Some(((what?, name?), text.unwrap_or_default()))).collect())
}

fn objects(database: &Database, reference: &Connection, findings: &mut Findings) -> Result<(), LoadError> {
    let Some(found) = answered(defined(&database.connection), "its views and macros", findings)? else { return Ok(()) };
    let Some(expected) = answered(defined(reference), "our views and macros", findings)? else { return Ok(()) };
    findings.examined(&DEFINITIONS, expected.len() as u64);
    for ((what, name), text) in &expected {
        let place = format!("vcq.duckdb, {name}");
        match found.get(&(what.clone(), name.clone())) {
            None => findings.found(&DEFINITIONS, place, what, "nothing of that name"),
            Some(other) if other != text => findings.found(&DEFINITIONS, place, text, other),
            Some(_) => {}
        }
    }
    for (what, name) in found.keys().filter(|key| !expected.contains_key(*key)) {
        findings.found(
            &DEFINITIONS,
            format!("vcq.duckdb, {name}"),
            "only the views and macros of vcq-etl",
            format!("{what} that is not ours: a rebuild drops it; keep it in a database of your own"),
        );
    }
    Ok(())
}

/// Every row of a table as one text, with how often it is there.
fn rows(connection: &Connection, table: &str) -> duckdb::Result<BTreeSet<(String, String)>> {
    let sql = format!("select cast(t as varchar), cast(count(*) as varchar) from {table} as t group by 1");
    let pair = |row: Texts| <[Option<String>; 2]>::try_from(row).ok();
    let rows = texts(connection, &sql, &[])?.into_iter().filter_map(pair);
    Ok(rows.map(|[row, count]| (row.unwrap_or_default(), count.unwrap_or_default())).collect())
}

fn given(database: &Database, reference: &Connection, table: &Table, findings: &mut Findings) -> Result<(), LoadError> {
    let Some(found) = answered(rows(&database.connection, table.name), table.name, findings)? else { return Ok(()) };
    let Some(expected) = answered(rows(reference, table.name), table.name, findings)? else { return Ok(()) };
    findings.examined(&DEFINITIONS, expected.len() as u64);
    missing(table.name, &expected, &found, findings);
    for (row, _) in found.difference(&expected) {
        findings.found(&DEFINITIONS, format!("vcq.duckdb, {}", table.name), "no such row", row);
    }
    Ok(())
}

fn missing(
    table: &str,
    expected: &BTreeSet<(String, String)>,
    found: &BTreeSet<(String, String)>,
    findings: &mut Findings,
) {
    for (row, _) in expected.difference(found) {
        findings.found(&DEFINITIONS, format!("vcq.duckdb, {table}"), row, "no such row, or not so often");
    }
}

/// Every address that was seen is where the buildings say. Addresses that are seen no more may be there too.
fn places(database: &Database, reference: &Connection, findings: &mut Findings) -> Result<(), LoadError> {
    let table = ADDRESS_BUILDINGS.name;
    let Some(found) = answered(rows(&database.connection, table), table, findings)? else { return Ok(()) };
    let Some(expected) = answered(rows(reference, table), table, findings)? else { return Ok(()) };
    findings.examined(&DEFINITIONS, expected.len() as u64);
    missing(table, &expected, &found, findings);
    Ok(())
}

/// A derived table has the rows that follow from its source, and no others.
fn derived(database: &Database, derived: &Derived, findings: &mut Findings) -> Result<(), LoadError> {
    let (table, sql) = (derived.table.name, derived_sql(derived, "true"));
    let sql = format!(
        "select (select count(*) from {table}), (select count(*) from (from ({sql}) except all from {table})), \
         (select count(*) from (from {table} except all from ({sql})))"
    );
    if let Some(counts) = answered(numbers(&database.connection, &sql), table, findings)? {
        findings.examined(&DEFINITIONS, counts[0]);
        for (count, what) in [(counts[1], "rows that are not there"), (counts[2], "rows too many")] {
            if count > 0 {
                let expected = format!("the rows that follow from {}", derived.source.name);
                findings.found(&DEFINITIONS, format!("vcq.duckdb, {table}"), expected, format!("{count} {what}"));
            }
        }
    }
    Ok(())
}
