//! What a published database contains in addition to the rows of its files: views, macros, limits, buildings, derived
//! tables.
//!
//! Promises: a database has all definitions of the program that published it, installed in the same transaction as its
//! rows. They are installed again only if they differ, because that takes longer than publishing a day; derived tables
//! are updated date by date.

use std::collections::BTreeSet;

use duckdb::Connection;
use sha2::{Digest, Sha256};

use super::connection::rows;
use super::custom::CustomFile;
use super::draft::Draft;
use super::error::{LoadError, Result};
use super::incident_search::IncidentSearch;
use super::scripts::{Relation, Script, run_all};
use crate::schema::cell::Row;
use crate::schema::{
    ADDRESS_BUILDINGS, BUILDINGS, MISALIGNED_PARTICIPANTS, PARTICIPANTS, QUALITY_SAMPLES, TABLES, THRESHOLDS, Table,
    ddl,
};
use crate::text::{Language, hex};

/// The internal and the public address of a participant.
pub(crate) type AddressPair = (String, Option<String>);

pub trait BuildingLookup: Sync {
    /// The rows of [`ADDRESS_BUILDINGS`] for distinct addresses.
    fn locate(&self, addresses: Vec<AddressPair>) -> Vec<Row>;
}

struct NoBuildings;

impl BuildingLookup for NoBuildings {
    fn locate(&self, _: Vec<AddressPair>) -> Vec<Row> {
        Vec::new()
    }
}

/// What is installed in a database in addition to the rows.
#[derive(Clone, Copy)]
pub struct Definitions<'a> {
    /// Views and macros, in the order in which they are run.
    pub scripts: &'a [Script],
    /// Metric and value of the limits in which the profile `custom` differs from its base profile.
    pub custom_limits: &'a [(String, f64)],
    /// The rows of [`BUILDINGS`].
    pub buildings: &'a [Row],
    pub building_lookup: &'a dyn BuildingLookup,
    /// Views, macros and tables of the user, in the order in which they are installed.
    pub custom: &'a [CustomFile],
    /// The profile by which incidents are judged.
    pub profile: &'a str,
    /// The language of the comments; those of `scripts` are in it already.
    pub language: Language,
    /// `None` leaves the tables of incidents as they are.
    pub incident_search: Option<&'a dyn IncidentSearch>,
}

/// Configured limits for metrics that no profile has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLimits {
    pub unknown: Vec<String>,
    /// The metrics that can be configured.
    pub known: Vec<String>,
}

/// The profile with the configured limits.
const CUSTOM: &str = "custom";

/// The checksum of the definitions in a published database; `None` if an older program wrote it.
pub(crate) fn installed_checksum(connection: &Connection) -> Option<String> {
    // The second migration added the column.
    connection.query_row("select definitions_sha256 from meta", [], |row| row.get(0)).ok().flatten()
}

/// The profile by which the incidents of a published database are judged; `None` if an older program wrote it.
pub(crate) fn stored_profile(connection: &Connection) -> Option<String> {
    // The sixth migration added the column.
    connection.query_row("select profile from meta", [], |row| row.get(0)).ok().flatten()
}

/// A table computed from the rows of another, date by date.
pub(crate) struct Derived {
    pub(crate) table: &'static Table,
    pub(crate) source: &'static Table,
    /// Selects its rows for `$changed_dates`.
    pub(crate) sql: &'static str,
}

pub(crate) const DERIVED: &[Derived] = &[Derived {
    table: &MISALIGNED_PARTICIPANTS,
    source: &QUALITY_SAMPLES,
    sql: include_str!("../../sql/derived/misaligned_participants.sql"),
}];

impl Definitions<'_> {
    pub const NONE: Definitions<'static> = Definitions {
        scripts: &[],
        custom_limits: &[],
        buildings: &[],
        building_lookup: &NoBuildings,
        custom: &[],
        profile: "cqd",
        language: Language::English,
        incident_search: None,
    };

    pub fn unknown_limits(&self) -> Result<Option<UnknownLimits>> {
        if self.custom_limits.is_empty() {
            return Ok(None);
        }
        let failed = |script: String| {
            move |source| LoadError::Definition { path: "memory".into(), script, source: Box::new(source) }
        };
        let connection = Connection::open_in_memory().map_err(failed("a database".to_owned()))?;
        let tables: String = TABLES.iter().map(ddl::create_table).collect();
        connection.execute_batch(&tables).map_err(failed("the tables".to_owned()))?;
        // The limits are defined before every relation that uses them.
        for script in self.scripts.iter().take_while(|script| script.relation.is_none()) {
            connection.execute_batch(&script.sql).map_err(failed(script.name.clone()))?;
        }
        let sql = "select distinct metric from thresholds order by metric";
        let known: Vec<String> = rows(&connection, sql, |row| row.get(0)).map_err(failed("the limits".to_owned()))?;
        let configured = self.custom_limits.iter().map(|(metric, _)| metric);
        let unknown: Vec<String> = configured.filter(|metric| !known.contains(metric)).cloned().collect();
        Ok((!unknown.is_empty()).then_some(UnknownLimits { unknown, known }))
    }

    /// Different for different definitions: a checksum of those of vcq-etl, one of the comments after a `~` and, if
    /// there are files of the user, one of them after a `+`.
    pub fn sha256(&self) -> String {
        let own = format!("{}~{}", self.own_sha256(), self.comments_sha256());
        if self.custom.is_empty() {
            return own;
        }
        let mut hash = Sha256::new();
        for statement in self.custom.iter().flat_map(|file| &file.statements) {
            add_field(&mut hash, &statement.sql);
        }
        format!("{own}+{}", hex(&hash.finalize()))
    }

    /// Without comments and the files of the user.
    fn own_sha256(&self) -> String {
        let mut hash = Sha256::new();
        let mut field = |text: &str| add_field(&mut hash, text);
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

    fn comments_sha256(&self) -> String {
        let mut hash = Sha256::new();
        add_field(&mut hash, &table_comments(self.language));
        self.scripts.iter().for_each(|script| add_field(&mut hash, &format!("{:?}", script.comment)));
        hex(&hash.finalize())[..16].to_owned()
    }

    /// Whether a published checksum is that of these definitions, whatever files of the user are installed and
    /// whatever language the comments are in.
    pub(crate) fn are_own_of(&self, published: Option<&str>) -> bool {
        published.and_then(|text| text.split(['~', '+']).next()) == Some(self.own_sha256().as_str())
    }

    /// The same, with the files of the user.
    pub(crate) fn are_all_of(&self, published: Option<&str>) -> bool {
        published.is_some_and(|published| without_comments(published) == without_comments(&self.sha256()))
    }

    /// Whether a published checksum is that of other comments.
    pub(crate) fn have_other_comments(&self, published: &str) -> bool {
        published.split(['~', '+']).nth(1) != Some(self.comments_sha256().as_str())
    }

    /// Whether a table macro is among them.
    pub(crate) fn define(&self, macro_name: &str) -> bool {
        self.scripts
            .iter()
            .any(|script| matches!(&script.relation, Some(Relation::Macro { name, .. }) if name == macro_name))
    }

    /// Drops all existing definitions, then defines those of this program.
    pub(crate) fn install(&self, draft: &Draft) -> Result {
        let failed = || LoadError::duckdb("drop the old definitions of", &draft.path);
        draft.connection.execute_batch(&drop_all(&draft.connection).map_err(failed())?).map_err(failed())?;
        self.define_in(draft)
    }

    pub(crate) fn define_in(&self, draft: &Draft) -> Result {
        self.run(&draft.connection).map_err(|(script, source)| LoadError::Definition {
            path: draft.path.clone(),
            script,
            source: Box::new(source),
        })?;
        draft.replace_rows(&BUILDINGS, self.buildings)
    }

    /// Runs the scripts and adds the profile of the configuration. An error names the script that failed.
    pub(super) fn run(&self, connection: &Connection) -> Result<(), (String, duckdb::Error)> {
        run_all(self.scripts, connection)?;
        connection.execute_batch(&self.custom_profile()).map_err(|error| ("the profile custom".to_owned(), error))
    }

    /// The profile must have every limit of its base, `cqd`: a missing one means no limit.
    fn custom_profile(&self) -> String {
        let columns = THRESHOLDS.columns.iter().map(|column| column.name).filter(|name| *name != "profile");
        let columns = columns.collect::<Vec<_>>().join(", ");
        let named: Vec<String> = self.custom_limits.iter().map(|(metric, _)| ddl::quoted(metric)).collect();
        let mut sql = format!(
            "delete from thresholds where profile = '{CUSTOM}';\n\
             insert into thresholds (profile, {columns}) select '{CUSTOM}', {columns} from thresholds \
             where profile = 'cqd';\n"
        );
        // A limit that only another profile has is copied from there, for its unit and direction.
        if !named.is_empty() {
            sql.push_str(&format!(
                "insert into thresholds (profile, {columns}) \
                 select '{CUSTOM}', {columns} from (select *, row_number() over (partition by metric order by profile) \
                 as position from thresholds where profile <> '{CUSTOM}' and metric in ({}) and metric not in \
                 (select metric from thresholds where profile = '{CUSTOM}')) where position = 1;\n",
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

    /// Finds the buildings of the participants' addresses on the changed dates.
    pub(crate) fn locate_addresses(&self, draft: &Draft, dates: &str, reinstall: bool) -> Result {
        if reinstall {
            draft.execute("delete rows from", &format!("delete from {}", ADDRESS_BUILDINGS.name))?;
        }
        if self.buildings.is_empty() {
            return Ok(());
        }
        let addresses =
            addresses(&draft.connection, dates).map_err(LoadError::duckdb("read the addresses of", &draft.path))?;
        draft.append_rows(&ADDRESS_BUILDINGS, &self.building_lookup.locate(addresses))?;
        // An address may already be there from other dates.
        let columns: Vec<&str> = ADDRESS_BUILDINGS.columns.iter().map(|column| column.name).collect();
        let deduplicate = format!(
            "delete from {0} where rowid not in (select min(rowid) from {0} group by {1})",
            ADDRESS_BUILDINGS.name,
            columns.join(", ")
        );
        if reinstall {
            return Ok(());
        }
        draft.execute("deduplicate the addresses of", &deduplicate)?;
        // Those of earlier rows of these dates, which may have been cut since.
        let unused = format!(
            "delete from {0} where address not in (select internal_ip from {1} where internal_ip is not null) \
             or public_ip <> '' and public_ip not in (select public_ip from {1} where public_ip is not null)",
            ADDRESS_BUILDINGS.name, PARTICIPANTS.name
        );
        draft.execute("remove unused addresses from", &unused)
    }
}

impl Definitions<'_> {
    /// Finds the buildings of these addresses, and of no others.
    pub(super) fn locate_all(&self, draft: &Draft, addresses: Vec<AddressPair>) -> Result {
        let rows = match self.buildings.is_empty() {
            true => Vec::new(),
            false => self.building_lookup.locate(addresses),
        };
        draft.replace_rows(&ADDRESS_BUILDINGS, &rows)
    }
}

/// The statements that comment the tables.
pub(super) fn table_comments(language: Language) -> String {
    TABLES.iter().map(|table| ddl::comments(table, language)).collect()
}

/// A checksum without the part of the comments.
fn without_comments(sha256: &str) -> String {
    let (own, custom) = sha256.split_once('+').unwrap_or((sha256, ""));
    format!("{}+{custom}", own.split('~').next().unwrap_or_default())
}

fn add_field(hash: &mut Sha256, text: &str) {
    hash.update(text.len().to_le_bytes());
    hash.update(text);
}

/// Updates the derived tables for the `changed_dates` of their source, a SQL condition.
pub(crate) fn update_derived(draft: &Draft, changed_dates: &dyn Fn(&Table) -> String) -> Result {
    for derived in DERIVED {
        draft.execute("update a derived table of", &replacement(derived, &changed_dates(derived.source)))?;
    }
    Ok(())
}

/// Replaces the rows of some dates in a derived table.
pub(super) fn replacement(derived: &Derived, dates: &str) -> String {
    let table = derived.table.name;
    format!("delete from {table} where {dates};\ninsert into {table}\n{}", derived_sql(derived, dates))
}

/// The query of a derived table for some dates.
pub(crate) fn derived_sql(derived: &Derived, dates: &str) -> String {
    derived.sql.replace("$changed_dates", dates)
}

/// The distinct addresses of participants on the dates, a SQL condition.
pub(crate) fn addresses(connection: &Connection, dates: &str) -> duckdb::Result<Vec<AddressPair>> {
    let sql = format!(
        "select distinct internal_ip, public_ip from {} p where internal_ip is not null and {dates}",
        PARTICIPANTS.name
    );
    rows(connection, &sql, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Statements that drop every view and macro.
fn drop_all(connection: &Connection) -> duckdb::Result<String> {
    let sql = "select 'view', view_name from duckdb_views() where not internal and database_name = current_database() \
               and schema_name = 'main' \
               union \
               select case function_type when 'table_macro' then 'macro table' else 'macro' end, function_name \
               from duckdb_functions() where not internal and database_name = current_database() \
               and schema_name = 'main'";
    rows(connection, sql, |row| {
        Ok(format!("drop {} {};\n", row.get::<_, String>(0)?, ddl::identifier(&row.get::<_, String>(1)?)))
    })
}

/// The tables, views and macros of a database, except for what `views_dir` installs.
pub(crate) fn objects(connection: &Connection) -> duckdb::Result<BTreeSet<String>> {
    const SQL: &str = "
        with objects(kind, schema_name, name) as (
            select 'table', schema_name, table_name from duckdb_tables()
            where not internal and database_name = current_database()
            union all select 'view', schema_name, view_name from duckdb_views()
            where not internal and database_name = current_database()
            union all select 'macro', schema_name, function_name from duckdb_functions()
            where not internal and database_name = current_database()
        )
        select kind || ' ' || case schema_name when 'main' then '' else schema_name || '.' end || name
        from objects where schema_name <> 'custom'";
    rows(connection, SQL, |row| row.get(0))
}
