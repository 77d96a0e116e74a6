//! What a published database has beside the rows of its files: views, macros, limits, buildings, and what is derived from
//! the rows.
//!
//! Promises: a database has the definitions of the program that published it, all of them or none, in the same
//! transaction as its rows. They are made again only where they differ from what is there, because that takes longer than
//! publishing a day; what is derived from rows follows them date by date.

use std::collections::BTreeSet;
use std::fmt;

use duckdb::Connection;
use sha2::{Digest, Sha256};

use super::LoadError;
use super::connection::Draft;
use super::scripts::{Script, run_all};
use crate::schema::cell::Row;
use crate::schema::{
    ADDRESS_BUILDINGS, BUILDINGS, MISALIGNED_PARTICIPANTS, PARTICIPANTS, QUALITY_SAMPLES, TABLES, THRESHOLDS, Table,
    ddl,
};
use crate::text::hex;

/// Addresses of a participant: the one in its own network, and the one that the vendor saw.
pub(crate) type Addresses = (String, Option<String>);

/// Knows where addresses are.
pub trait Places: Sync {
    /// The rows of [`ADDRESS_BUILDINGS`] for addresses that were seen, each once.
    fn places(&self, seen: Vec<Addresses>) -> Vec<Row>;
}

struct Nowhere;

impl Places for Nowhere {
    fn places(&self, _: Vec<Addresses>) -> Vec<Row> {
        Vec::new()
    }
}

/// What is installed beside the rows.
#[derive(Clone, Copy)]
pub struct Definitions<'a> {
    /// Views and macros, in the order in which they are run.
    pub scripts: &'a [Script],
    /// The limits in which the profile `custom` differs from the profile that it begins as: metric and value.
    pub custom_limits: &'a [(String, f64)],
    /// The rows of [`BUILDINGS`].
    pub buildings: &'a [Row],
    pub places: &'a dyn Places,
}

/// Limits of the configuration that no profile has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLimits {
    /// As the configuration names them.
    pub unknown: Vec<String>,
    /// The metrics that there are.
    pub known: Vec<String>,
}

impl fmt::Debug for Definitions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definitions").field("scripts", &self.scripts.len()).finish_non_exhaustive()
    }
}

/// The profile of the configuration.
const CUSTOM: &str = "custom";

/// The profile that it begins as.
const BEGINS_AS: &str = "cqd";

/// The checksum of the definitions in a published database; `None` where an older program made it.
pub(crate) fn installed_in(connection: &Connection) -> Option<String> {
    // The column came with the second migration.
    connection.query_row("select definitions_sha256 from meta", [], |row| row.get(0)).ok().flatten()
}

/// A table whose rows follow from the rows of another, date by date.
pub(crate) struct Derived {
    pub(crate) table: &'static Table,
    /// What it is derived from.
    pub(crate) source: &'static Table,
    /// Gives its rows. `changed_dates` is what it must look at.
    pub(crate) sql: &'static str,
}

/// Every derived table that is made of rows alone.
pub(crate) const DERIVED: &[Derived] = &[Derived {
    table: &MISALIGNED_PARTICIPANTS,
    source: &QUALITY_SAMPLES,
    sql: include_str!("../../sql/derived/misaligned_participants.sql"),
}];

/// The dates that changed in a table, as `meeting_date in (...)` or `true` for all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed<'a> {
    pub(crate) table: &'static Table,
    pub(crate) dates: &'a str,
}

impl Definitions<'_> {
    /// No definitions: a database that holds rows only.
    pub const NONE: Definitions<'static> =
        Definitions { scripts: &[], custom_limits: &[], buildings: &[], places: &Nowhere };

    /// The limits of the configuration that no profile has, with those that there are.
    ///
    /// # Errors
    /// [`LoadError::Definition`] where the scripts can't be run.
    pub fn unknown_limits(&self) -> Result<Option<UnknownLimits>, LoadError> {
        if self.custom_limits.is_empty() {
            return Ok(None);
        }
        let failed = |script: String| {
            move |source| LoadError::Definition { path: "memory".into(), script, source: Box::new(source) }
        };
        let connection = Connection::open_in_memory().map_err(failed("a database".to_owned()))?;
        let tables: String = TABLES.iter().map(ddl::create_table).collect();
        connection.execute_batch(&tables).map_err(failed("the tables".to_owned()))?;
        // What others select from judges by the limits; they stand before.
        for script in self.scripts.iter().take_while(|script| script.relation.is_none()) {
            connection.execute_batch(&script.sql).map_err(failed(script.name.clone()))?;
        }
        let known: Vec<String> = connection
            .prepare("select distinct metric from thresholds order by metric")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(failed("the limits".to_owned()))?;
        let unknown: Vec<String> = self
            .custom_limits
            .iter()
            .map(|(metric, _)| metric.clone())
            .filter(|metric| !known.contains(metric))
            .collect();
        Ok((!unknown.is_empty()).then_some(UnknownLimits { unknown, known }))
    }

    /// Tells definitions apart: lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        for script in self.scripts {
            field(&script.name);
            field(&script.sql);
        }
        for derived in DERIVED {
            field(derived.sql);
        }
        for (metric, value) in self.custom_limits {
            field(&format!("{metric}={value}"));
        }
        for row in self.buildings {
            field(&format!("{row:?}"));
        }
        hex(&hash.finalize())
    }

    /// Defines everything in an open database that has the tables and their rows, and derives what follows from them.
    ///
    /// # Errors
    /// The script that failed, with DuckDB's error.
    pub fn define(&self, connection: &Connection) -> Result<(), (String, duckdb::Error)> {
        self.run(connection)?;
        for derived in DERIVED {
            let sql = replacement(derived, "true");
            connection.execute_batch(&sql).map_err(|error| (derived.table.name.to_owned(), error))?;
        }
        Ok(())
    }

    /// Makes everything anew: drops what an earlier program defined, runs the scripts, fills limits and buildings.
    pub(crate) fn install(&self, draft: &Draft) -> Result<(), LoadError> {
        let failed = || LoadError::duckdb("drop the old definitions of", &draft.path);
        draft.connection.execute_batch(&drop_all(&draft.connection).map_err(failed())?).map_err(failed())?;
        self.run(&draft.connection).map_err(|(script, source)| LoadError::Definition {
            path: draft.path.clone(),
            script,
            source: Box::new(source),
        })?;
        draft.replace_rows(&BUILDINGS, self.buildings)
    }

    /// Runs the scripts and adds the profile of the configuration. Gives the script that failed.
    pub(crate) fn run(&self, connection: &Connection) -> Result<(), (String, duckdb::Error)> {
        run_all(self.scripts, connection)?;
        connection.execute_batch(&self.custom_profile()).map_err(|error| ("the profile custom".to_owned(), error))
    }

    /// A profile must be whole: a limit that is missing means that there is none.
    fn custom_profile(&self) -> String {
        let columns = THRESHOLDS.columns.iter().map(|column| column.name).filter(|name| *name != "profile");
        let columns = columns.collect::<Vec<_>>().join(", ");
        let named: Vec<String> = self.custom_limits.iter().map(|(metric, _)| ddl::quoted(metric)).collect();
        let mut sql = format!(
            "delete from thresholds where profile = '{CUSTOM}';\n\
             insert into thresholds (profile, {columns}) select '{CUSTOM}', {columns} from thresholds \
             where profile = '{BEGINS_AS}';\n"
        );
        // A limit that only another profile has is taken from there, to know its unit and its side.
        if !named.is_empty() {
            sql.push_str(&format!(
                "insert into thresholds (profile, {columns}) \
                 select '{CUSTOM}', {columns} from (select *, row_number() over (partition by metric order by profile) \
                 as place from thresholds where profile <> '{CUSTOM}' and metric in ({}) and metric not in \
                 (select metric from thresholds where profile = '{CUSTOM}')) where place = 1;\n",
                named.join(", ")
            ));
        }
        for (metric, value) in self.custom_limits {
            sql.push_str(&format!(
                "update thresholds set value = {value:?}, source = 'configuration' \
                 where profile = '{CUSTOM}' and metric = {};\n",
                ddl::quoted(metric)
            ));
        }
        sql
    }

    /// Looks up the addresses of the participants of the changed dates.
    pub(crate) fn place(&self, draft: &Draft, dates: &str, is_anew: bool) -> Result<(), LoadError> {
        if is_anew {
            draft.execute("empty a table of", &format!("delete from {}", ADDRESS_BUILDINGS.name))?;
        }
        if self.buildings.is_empty() {
            return Ok(());
        }
        let seen = seen(&draft.connection, dates).map_err(LoadError::duckdb("read the addresses of", &draft.path))?;
        draft.append_rows(&ADDRESS_BUILDINGS, &self.places.places(seen))?;
        // An address that other dates have too was placed with them.
        let columns: Vec<&str> = ADDRESS_BUILDINGS.columns.iter().map(|column| column.name).collect();
        let once = format!(
            "delete from {0} where rowid not in (select min(rowid) from {0} group by {1})",
            ADDRESS_BUILDINGS.name,
            columns.join(", ")
        );
        if is_anew { Ok(()) } else { draft.execute("keep each address once in", &once) }
    }
}

/// Brings the derived tables after the dates that changed.
pub(crate) fn derive(draft: &Draft, changes: &[Changed<'_>], is_anew: bool) -> Result<(), LoadError> {
    for derived in DERIVED {
        let dates = match changes.iter().find(|change| change.table.name == derived.source.name) {
            _ if is_anew => "true",
            Some(change) => change.dates,
            None => continue,
        };
        draft.execute("fill a table of", &replacement(derived, dates))?;
    }
    Ok(())
}

/// Puts the rows of some dates in a derived table in the place of those that are there.
fn replacement(derived: &Derived, dates: &str) -> String {
    let table = derived.table.name;
    format!("delete from {table} where {dates};\ninsert into {table}\n{}", derived_sql(derived, dates))
}

/// The query of a derived table on some dates.
pub(crate) fn derived_sql(derived: &Derived, dates: &str) -> String {
    derived.sql.replace("$changed_dates", dates)
}

/// The addresses of participants, each pair once.
pub(crate) fn seen(connection: &Connection, dates: &str) -> duckdb::Result<Vec<Addresses>> {
    let participants = PARTICIPANTS.name;
    let sql = format!(
        "select distinct internal_ip, public_ip from {participants} p where internal_ip is not null and {dates}"
    );
    connection.prepare(&sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Names of everything that the scripts make: views and macros.
pub(crate) fn names(connection: &Connection) -> duckdb::Result<BTreeSet<(String, String)>> {
    connection
        .prepare(
            "select 'view', view_name from duckdb_views() where not internal and database_name = current_database() \
             and schema_name = 'main' \
             union \
             select case function_type when 'table_macro' then 'macro table' else 'macro' end, function_name \
             from duckdb_functions() where not internal and database_name = current_database() and schema_name = 'main'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn drop_all(connection: &Connection) -> duckdb::Result<String> {
    let names = names(connection)?;
    Ok(names.iter().map(|(kind, name)| format!("drop {kind} {};\n", ddl::identifier(name))).collect())
}
