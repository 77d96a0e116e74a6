//! The Arrow schema of a table, with units and docs as field metadata, so that they are part of the Parquet file.

use std::collections::HashMap;

use arrow::datatypes::{Field, Schema};

use super::{Column, SCHEMA_VERSION, Table};

pub(crate) fn file_schema(table: &Table) -> Schema {
    Schema::new(table.file_columns().map(field).collect::<Vec<_>>())
}

/// With the partition column, which a file does not have.
pub(crate) fn table_schema(table: &Table) -> Schema {
    Schema::new(table.columns.iter().map(field).collect::<Vec<_>>())
}

fn field(column: &Column) -> Field {
    let mut metadata = HashMap::from([("doc".to_owned(), column.doc.to_owned())]);
    if !column.kind.unit().is_empty() {
        metadata.insert("unit".to_owned(), column.kind.unit().to_owned());
    }
    Field::new(column.name, column.kind.arrow(), !column.required).with_metadata(metadata)
}

/// The key-value metadata of a Parquet file. It contains no run and no time, so that the same rows produce
/// byte-identical files.
pub(crate) fn file_metadata(table: &Table) -> Vec<(String, String)> {
    let columns: serde_json::Map<String, serde_json::Value> = table
        .file_columns()
        .map(|column| (column.name.to_owned(), serde_json::json!({ "unit": column.kind.unit(), "doc": column.doc })))
        .collect();
    vec![
        ("vcq.table".to_owned(), table.name.to_owned()),
        ("vcq.doc".to_owned(), table.doc.to_owned()),
        ("vcq.schema_version".to_owned(), SCHEMA_VERSION.to_string()),
        ("vcq.columns".to_owned(), serde_json::Value::Object(columns).to_string()),
    ]
}
