//! What goes beside the scripts: the statements that declare the tables, and a README.

use super::dialect::Engine;
use super::script::{Places, Scripts};
use crate::schema::{Column, PARTITION_COLUMN, TABLES, Table};

/// The files that the tables are declared on.
#[derive(Debug)]
pub(crate) struct Files {
    /// The directory of the tables.
    pub(crate) location: String,
    /// Whether they have Delta logs; else they are only Parquet files.
    pub(crate) are_delta: bool,
    /// The tenant, in a copy that several stores share.
    pub(crate) tenant: Option<String>,
}

impl Files {
    fn folder(&self, table: &Table) -> String {
        let below = if table.is_dated() { "" } else { "reference/" };
        let tenant = self.tenant.as_ref().map(|tenant| format!("/tenant={tenant}")).unwrap_or_default();
        format!("{}/{below}{}{tenant}", self.location.trim_end_matches('/'), table.name)
    }

    fn described(&self) -> String {
        let tenant = self.tenant.as_ref().map(|tenant| format!(" of the tenant `{tenant}`")).unwrap_or_default();
        let kind = if self.are_delta { "Delta tables" } else { "Parquet files" };
        format!("the {kind}{tenant} below `{}`", self.location)
    }
}

impl Scripts {
    /// The statements that declare the tables on the files. `None` for DuckDB, which reads them by their names.
    pub(crate) fn declarations(&self, places: &Places, files: &Files) -> Option<String> {
        self.engine.steps?;
        let tables = TABLES.iter().filter(|table| table.is_in_parquet());
        let declared = tables.map(|table| declaration(self.engine, table, &places.table(table.name), files));
        Some(declared.collect::<Vec<_>>().join("\n"))
    }

    /// What the files are and how they are run. `left_out` are the reports without a script, with the parameter that
    /// they require.
    pub(crate) fn readme(&self, places: &Places, files: &Files, left_out: &[(String, String)]) -> String {
        let mut text = match self.engine.steps {
            Some(_) => spark_readme(places, files),
            None => duckdb_readme(files),
        };
        if !left_out.is_empty() {
            text.push_str("\nReports without a script, because a parameter has no value (`--param NAME=VALUE`):\n\n");
            for (report, parameter) in left_out {
                text.push_str(&format!("- `{report}`: `{parameter}`\n"));
            }
        }
        text
    }
}

fn declaration(engine: &Engine, table: &Table, name: &str, files: &Files) -> String {
    if files.are_delta {
        // The log has the columns.
        let location = engine.literal(&files.folder(table));
        return format!("create table if not exists {name}\nusing delta\nlocation {location};\n");
    }
    // The partition column comes last.
    let (partition, columns): (Vec<&Column>, Vec<&Column>) =
        table.columns.iter().partition(|column| table.is_dated() && column.name == PARTITION_COLUMN);
    let column = |column: &&Column| {
        let kind = engine.column_type(column.kind);
        format!("    {} {kind} comment {}", engine.quoted_name(column.name), engine.literal(column.doc))
    };
    let columns: Vec<String> = columns.iter().chain(&partition).map(column).collect();
    let partitioned = if table.is_dated() { format!("partitioned by ({PARTITION_COLUMN})\n") } else { String::new() };
    let location = engine.literal(&files.folder(table));
    let repair = if table.is_dated() { format!("msck repair table {name};\n") } else { String::new() };
    format!(
        "create table if not exists {name} (\n{}\n) using parquet\n{partitioned}comment {}\nlocation {location};\n{repair}",
        columns.join(",\n"),
        engine.literal(table.doc)
    )
}

/// The file of a report's script.
pub(crate) fn file_name(report: &str) -> String {
    format!("{report}.sql")
}

fn spark_readme(places: &Places, files: &Files) -> String {
    let scratch = places.scratch.as_ref().map(|schema| format!(" in the schema `{schema}`")).unwrap_or_default();
    format!(
        "# Reports of vcq-etl for Spark\n\n\
         Written by `vcq-etl report export`. Each script returns the same rows in the same order as \
         `vcq-etl report run`.\n\n\
         - `ddl.sql` declares the tables `{}` on {}. Run it once and after each \
         `vcq-etl sync`: it finds new dates. Sessions that stay open need `refresh table` too.\n\
         - `<report>.sql` creates intermediate tables{scratch}, returns one result, and drops them. Two runs of one script \
         at the same time need different schemas (`--scratch`).\n\
         - The values of the parameters are in the first line of each script. For other values, export again.\n\n\
         ```\nspark-sql -f ddl.sql\nspark-sql -f worst-meetings.sql\n```\n",
        places.tables,
        files.described(),
    )
}

fn duckdb_readme(files: &Files) -> String {
    format!(
        "# Reports of vcq-etl for DuckDB\n\n\
         Written by `vcq-etl report export`. Each script is one query without macros, for a database that has the tables or \
         views on {}. The values of the parameters are in its first line.\n",
        files.described()
    )
}
