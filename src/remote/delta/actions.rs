//! The actions of log entries, as lines of JSON.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::schema::{Column, Kind, PARTITION_COLUMN, Table};
use crate::text::hex;

/// The name of our transactions.
pub(super) const APP_ID: &str = "vcq-etl";
const TENANT_COLUMN: &str = "tenant";
/// Local times need it; older readers refuse such a table instead of shifting them.
const FEATURE: &str = "timestampNtz";

/// Of which publication an entry is.
pub(super) struct Publication<'a> {
    pub store_id: &'a str,
    pub tenant: Option<&'a str>,
    pub generation: u64,
    pub run_id: &'a str,
    pub now_ms: i64,
}

pub(super) fn commit_info(publication: &Publication<'_>) -> Value {
    json!({ "commitInfo": {
        "timestamp": publication.now_ms,
        "operation": "WRITE",
        "operationParameters": { "mode": "Overwrite", "generation": publication.generation.to_string() },
        "engineInfo": concat!("vcq-etl/", env!("CARGO_PKG_VERSION")),
        "runId": publication.run_id,
    } })
}

pub(super) fn protocol() -> Value {
    json!({ "protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [FEATURE], "writerFeatures": [FEATURE],
    } })
}

/// `created_ms` is that of the first version.
pub(super) fn metadata(table: &Table, publication: &Publication<'_>, created_ms: i64) -> Value {
    json!({
        "id": id(table, publication),
        "name": table.name,
        "description": table.doc,
        "format": { "provider": "parquet", "options": {} },
        "schemaString": schema(table, publication.tenant).to_string(),
        "partitionColumns": partitions(table, publication.tenant),
        "configuration": {},
        "createdTime": created_ms,
    })
}

pub(super) fn transaction(publication: &Publication<'_>) -> Value {
    json!({ "txn": { "appId": APP_ID, "version": publication.generation, "lastUpdated": publication.now_ms } })
}

/// `path` is relative to the table.
pub(super) fn add(path: &str, bytes: u64, statistics: Option<String>, publication: &Publication<'_>) -> Value {
    let mut values = serde_json::Map::new();
    if let Some(tenant) = publication.tenant {
        values.insert(TENANT_COLUMN.to_owned(), json!(tenant));
    }
    let date = path.split('/').find_map(|name| name.strip_prefix(PARTITION_COLUMN)?.strip_prefix('='));
    if let Some(date) = date {
        values.insert(PARTITION_COLUMN.to_owned(), json!(date));
    }
    let mut add = json!({
        "path": path,
        "partitionValues": values,
        "size": bytes,
        "modificationTime": publication.now_ms,
        "dataChange": true,
    });
    if let Some(statistics) = statistics {
        add["stats"] = json!(statistics);
    }
    json!({ "add": add })
}

pub(super) fn remove(path: &str, publication: &Publication<'_>) -> Value {
    json!({ "remove": { "path": path, "deletionTimestamp": publication.now_ms, "dataChange": true } })
}

/// A UUID that is the same whenever the log is begun again.
fn id(table: &Table, publication: &Publication<'_>) -> String {
    let digest = Sha256::digest(format!("{}/{}", publication.store_id, table.name));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8, of a kind of its own.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

fn partitions(table: &Table, tenant: Option<&str>) -> Vec<&'static str> {
    let tenant = tenant.map(|_| TENANT_COLUMN);
    tenant.into_iter().chain(table.is_dated().then_some(PARTITION_COLUMN)).collect()
}

/// No column is required: files of earlier versions may not have it.
fn schema(table: &Table, tenant: Option<&str>) -> Value {
    let field = |column: &Column| {
        let mut metadata = json!({ "comment": column.doc });
        if !column.kind.unit().is_empty() {
            metadata["unit"] = json!(column.kind.unit());
        }
        json!({ "name": column.name, "type": kind(column.kind), "nullable": true, "metadata": metadata })
    };
    let of_tenant =
        tenant.map(|_| json!({ "name": TENANT_COLUMN, "type": "string", "nullable": true, "metadata": {} }));
    let fields: Vec<Value> = table.columns.iter().map(field).chain(of_tenant).collect();
    json!({ "type": "struct", "fields": fields })
}

fn kind(kind: Kind) -> &'static str {
    match (kind, kind.duckdb()) {
        (Kind::Instant, _) => "timestamp",
        (Kind::WallClock, _) => "timestamp_ntz",
        (_, "VARCHAR") => "string",
        (_, "BOOLEAN") => "boolean",
        (_, "BIGINT") => "long",
        (_, "DATE") => "date",
        _ => "double",
    }
}
