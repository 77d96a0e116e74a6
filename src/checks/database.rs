//! The database by itself and against the manifest: shape, generation, the files it was loaded from.

use std::collections::{BTreeMap, HashSet};

use duckdb::Connection;

use super::checks::{DATABASE, DATABASE_SCHEMA, GENERATION, PUBLISHED_FILES};
use super::manifest::{PLACE, micros};
use super::snapshot::{Database, Meta, Snapshot};
use super::{Findings, Surroundings, objects};
use crate::load::{DuckdbErrorKind, LoadError, MIGRATIONS, Manifest};
use crate::schema::{SCHEMA_VERSION, TABLES, Table, TenantZone, utc_text};

/// The tables that are as declared: only of those are questions asked.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    whole: HashSet<&'static str>,
}

impl Shape {
    /// Whether all these tables are as declared.
    pub(crate) fn has(&self, tables: &[&Table]) -> bool {
        tables.iter().all(|table| self.whole.contains(table.name))
    }
}

/// Why a check was not made on everything.
pub(crate) const NO_TABLE: &str = "a table that it needs is not as it should be: see database-schema";

pub(crate) type Texts = Vec<Option<String>>;

/// Every row of a query whose columns are text.
pub(crate) fn texts(connection: &Connection, sql: &str, parameters: &[&str]) -> duckdb::Result<Vec<Texts>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(duckdb::params_from_iter(parameters))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let columns = row.as_ref().column_count();
        all.push((0..columns).map(|column| row.get(column)).collect::<duckdb::Result<Texts>>()?);
    }
    Ok(all)
}

/// Whole numbers of a query's only row; NULL is 0.
pub(crate) fn numbers(connection: &Connection, sql: &str) -> duckdb::Result<Vec<u64>> {
    connection.query_row(sql, [], |row| {
        let columns = row.as_ref().column_count();
        (0..columns)
            .map(|column| Ok(row.get::<_, Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok())))
            .map(|number| number.map(Option::unwrap_or_default))
            .collect()
    })
}

/// Takes what a question gave. Where DuckDB lacked memory or room, that is an error; anything else that keeps it from
/// reading is damage, and a finding.
pub(crate) fn answered<T>(
    result: duckdb::Result<T>,
    what: &str,
    findings: &mut Findings,
) -> Result<Option<T>, LoadError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let text = error.to_string();
            if is_lack(&text) {
                return Err(LoadError::duckdb("check", std::path::Path::new("vcq.duckdb"))(error));
            }
            findings.found(&DATABASE, format!("vcq.duckdb, {what}"), "rows that can be read", text);
            Ok(None)
        }
    }
}

/// Whether DuckDB ran out of something.
pub(crate) fn is_lack(text: &str) -> bool {
    DuckdbErrorKind::classify(text) == DuckdbErrorKind::OutOfResources
}

/// Compares tables, columns, types and migrations with what is declared.
pub(crate) fn shape(database: &Database, findings: &mut Findings) -> Result<Shape, LoadError> {
    let sql = "select table_name, column_name, data_type, cast(is_nullable as varchar) from duckdb_columns() \
               where not internal and database_name = current_database() and schema_name = 'main'";
    let mut shape = Shape::default();
    let Some(rows) = answered(texts(&database.connection, sql, &[]), "its catalog", findings)? else {
        return Ok(shape);
    };
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        if let [Some(table), Some(column), Some(kind), nullable] = &row[..] {
            let null = if nullable.as_deref() == Some("false") { " not null" } else { "" };
            found.entry(table.clone()).or_default().insert(column.clone(), format!("{kind}{null}"));
        }
    }
    let is_older = database.meta.schema_version.is_some_and(|version| version < i64::from(SCHEMA_VERSION));
    if is_older {
        let version = database.meta.schema_version.unwrap_or_default();
        findings.found(
            &DATABASE_SCHEMA,
            "vcq.duckdb, meta.schema_version",
            SCHEMA_VERSION.to_string(),
            format!(
                "{version}, of an older program: the next vcq-etl sync, or vcq-etl rebuild, brings the tables after"
            ),
        );
    }
    for table in TABLES {
        findings.examined(&DATABASE_SCHEMA, 1);
        let Some(columns) = found.get(table.name) else {
            if is_older {
                continue;
            }
            findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, {}", table.name), "a table", "no such table");
            continue;
        };
        let mut is_whole = true;
        let mut differs = |name: &str, expected: &str, found: &str, findings: &mut Findings| {
            is_whole = false;
            findings.found(&DATABASE_SCHEMA, format!("vcq.duckdb, {}.{name}", table.name), expected, found);
        };
        for column in table.columns {
            let null = if column.required { " not null" } else { "" };
            let expected = format!("{}{null}", column.kind.duckdb());
            match columns.get(column.name) {
                Some(found) if *found == expected => {}
                Some(found) => differs(column.name, &expected, found, findings),
                None => differs(column.name, &expected, "no such column", findings),
            }
        }
        for (name, kind) in columns.iter().filter(|(name, _)| table.position(name).is_none()) {
            differs(name, "no such column", kind, findings);
        }
        if is_whole {
            shape.whole.insert(table.name);
        }
    }
    migrations(database, findings)?;
    objects::strangers(database, findings)?;
    objects::comments(database, findings)?;
    Ok(shape)
}

fn migrations(database: &Database, findings: &mut Findings) -> Result<(), LoadError> {
    let sql = "select cast(version as varchar), name, sha256 from schema_migrations order by version";
    let Some(found) = answered(texts(&database.connection, sql, &[]), "schema_migrations", findings)? else {
        return Ok(());
    };
    let expected: Vec<Texts> = MIGRATIONS
        .iter()
        .map(|migration| {
            vec![Some(migration.version.to_string()), Some(migration.name.to_owned()), Some(migration.sha256())]
        })
        .collect();
    if found != expected {
        let shown = |rows: &[Texts]| {
            let names = rows.iter().map(|row| row[..2].iter().flatten().cloned().collect::<Vec<_>>().join(" "));
            names.collect::<Vec<_>>().join(", ")
        };
        findings.found(&DATABASE_SCHEMA, "vcq.duckdb, schema_migrations", shown(&expected), shown(&found));
    }
    Ok(())
}

/// Compares what the database says of itself with the manifest.
pub(crate) fn check(
    database: &Database,
    snapshot: &Snapshot,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings,
) -> Result<(), LoadError> {
    match (&snapshot.manifest, snapshot.incomparable()) {
        (Some(manifest), Some(why)) if snapshot.is_behind => {
            findings.examined(&GENERATION, 1);
            findings.found(
                &GENERATION,
                "vcq.duckdb, meta.generation",
                format!("{}, as in {PLACE}", manifest.generation),
                format!(
                    "{}: a run ended between manifest and database; the next vcq-etl sync puts it right",
                    database.meta.generation.unwrap_or_default()
                ),
            );
            findings.skip(&PUBLISHED_FILES, why);
        }
        (_, Some(why)) => [&GENERATION, &PUBLISHED_FILES].into_iter().for_each(|check| findings.skip(check, why)),
        (Some(manifest), None) => {
            generation(&database.meta, manifest, findings);
            published_files(database, manifest, findings)?;
        }
        (None, None) => {
            let why = "there is no manifest to compare with";
            [&GENERATION, &PUBLISHED_FILES, &super::checks::ROWS]
                .into_iter()
                .for_each(|check| findings.skip(check, why));
        }
    }
    meta(&database.meta, surroundings, findings);
    Ok(())
}

/// What `meta` says beside generation and run.
fn meta(meta: &Meta, surroundings: &Surroundings<'_>, findings: &mut Findings) {
    let mut value = |name: &str, holds: bool, expected: &str, found: Option<String>| {
        if !holds {
            let found = found.unwrap_or_else(|| "NULL".to_owned());
            findings.found(&GENERATION, format!("vcq.duckdb, meta.{name}"), expected, found);
        }
    };
    let zone = meta.timezone.as_deref();
    let is_zone = zone.is_some_and(|zone| TenantZone::parse(zone).is_ok());
    value("timezone", is_zone, "the tenant's zone", meta.timezone.clone());
    let is_kind = match &surroundings.user_id_type {
        Some(kind) => meta.user_id_type.as_ref() == Some(kind),
        None => meta.user_id_type.is_some(),
    };
    let kind = surroundings.user_id_type.as_deref().unwrap_or("the kind of user ids");
    value("user_id_type", is_kind, kind, meta.user_id_type.clone());
    let is_version = meta.vcq_etl_version.as_ref().is_some_and(|version| !version.is_empty());
    value("vcq_etl_version", is_version, "the version of the program", meta.vcq_etl_version.clone());
    for (name, number) in [("compact_bytes", meta.compact_bytes), ("compact_rows", meta.compact_rows)] {
        value(name, number >= Some(0), "0 or more", number.map(|number| number.to_string()));
    }
}

fn generation(meta: &Meta, manifest: &Manifest, findings: &mut Findings) {
    findings.examined(&GENERATION, 1);
    let mut same = |name: &str, expected: String, found: Option<String>| {
        if found.as_ref() != Some(&expected) {
            let found = found.unwrap_or_else(|| "NULL".to_owned());
            findings.found(
                &GENERATION,
                format!("vcq.duckdb, meta.{name}"),
                format!("{expected}, as in {PLACE}"),
                found,
            );
        }
    };
    same("generation", manifest.generation.to_string(), meta.generation.map(|number| number.to_string()));
    same("run_id", manifest.run_id.clone(), meta.run_id.clone());
    // The manifest holds whole seconds.
    same("created_utc", manifest.created_utc.clone(), meta.created_us.map(utc_text));
    same("schema_version", SCHEMA_VERSION.to_string(), meta.schema_version.map(|number| number.to_string()));
    if micros(&manifest.created_utc).is_some() && meta.rows != 1 {
        findings.found(&GENERATION, "vcq.duckdb, meta", "1 row", format!("{} rows", meta.rows));
    }
}

fn published_files(database: &Database, manifest: &Manifest, findings: &mut Findings) -> Result<(), LoadError> {
    let sql = "select table_name, cast(meeting_date as varchar), path, cast(rows as varchar), \
               cast(bytes as varchar), sha256 from published_files";
    let Some(rows) = answered(texts(&database.connection, sql, &[]), "published_files", findings)? else {
        return Ok(());
    };
    let shown = |row: &Texts| {
        let text = |n: usize| row.get(n).cloned().flatten().unwrap_or_else(|| "NULL".to_owned());
        format!("{} of {}: {} rows, {} bytes, sha256 {}", text(0), text(1), text(3), text(4), text(5))
    };
    let path = |row: &Texts| row.get(2).cloned().flatten().unwrap_or_else(|| "NULL".to_owned());
    let mut left: BTreeMap<String, Vec<Texts>> = BTreeMap::new();
    findings.examined(&PUBLISHED_FILES, manifest.files.len().max(rows.len()) as u64);
    for row in rows {
        left.entry(path(&row)).or_default().push(row);
    }
    for file in &manifest.files {
        let wanted = [
            file.table.clone(),
            file.meeting_date.clone(),
            file.path.clone(),
            file.rows.to_string(),
            file.bytes.to_string(),
            file.sha256.clone(),
        ];
        let expected: Texts = wanted.into_iter().map(Some).collect();
        let place = || format!("vcq.duckdb, published_files, {}", file.path);
        match left.get_mut(&file.path).and_then(Vec::pop) {
            None => findings.found(&PUBLISHED_FILES, place(), shown(&expected), "no such row"),
            Some(row) if row != expected => findings.found(&PUBLISHED_FILES, place(), shown(&expected), shown(&row)),
            Some(_) => {}
        }
    }
    for row in left.into_values().flatten() {
        let place = format!("vcq.duckdb, published_files, {}", path(&row));
        findings.found(&PUBLISHED_FILES, place, "only files of the manifest", shown(&row));
    }
    Ok(())
}
