//! Commands whose result is a table with a line for each tenant, or a line of JSON for each.

use serde_json::Value;

use super::args::TenantsArgs;
use super::each::{Each, Ended, lost};
use crate::cli::command::Context;
use crate::cli::output::stdout_columns;
use crate::error::{ExitCode, Failure};
use crate::report::{self, Cell, ResultSet};
use crate::text::{duration_text, on_one_line, size_text};

/// A heading, and what stands below it for a tenant.
pub(in crate::cli) type Column = (&'static str, fn(&Ended) -> Cell);

pub(in crate::cli) const STATUS: &[Column] = &[
    ("tenant", |ended| text(&ended.tenant)),
    ("last complete", |ended| match ended.at("/last_complete") {
        Some(Value::Null) => text("never"),
        _ => ended
            .number("/last_complete/age_s")
            .map_or(Cell::Null, |age_s| text(&format!("{} ago", duration_text(age_s)))),
    }),
    ("complete date", |ended| ended.at("/newest/complete_date").and_then(Value::as_str).map_or(Cell::Null, text)),
    ("complete %", complete_pct),
    ("pending", |ended| ended.sum(&["/pending/participants", "/pending/lists"])),
    ("incidents", |ended| ended.sum(&["/incidents"])),
    ("size", |ended| match ended.sum(&["/size"]) {
        Cell::Integer(bytes) => text(&size_text(bytes.try_into().unwrap_or_default())),
        other => other,
    }),
    ("problem", |ended| text(&ended.problem().or_else(|| unread(ended)).unwrap_or_default())),
];

pub(in crate::cli) const DOCTOR: &[Column] = &[
    ("tenant", |ended| text(&ended.tenant)),
    ("state", |ended| text(if ended.exit == ExitCode::Complete { "ok" } else { "failed" })),
    ("exit", |ended| Cell::Integer(ended.exit.number().into())),
    ("warnings", |ended| match checks(ended) {
        [] => Cell::Null,
        checks => Cell::Integer(checks.iter().filter(|check| check["state"] == "warning").count() as i128),
    }),
    ("problem", |ended| {
        let failed = checks(ended).iter().find(|check| check["state"] == "failed");
        let of_check = failed.map(|check| format!("{}: {}", word(&check["name"]), word(&check["found"])));
        text(&of_check.or_else(|| ended.problem()).unwrap_or_default())
    }),
];

/// Runs a command that has `--json` for every tenant.
pub(in crate::cli) fn for_tenants(
    args: &TenantsArgs,
    json: bool,
    columns: &[Column],
    context: &Context,
) -> Result<ExitCode, Failure> {
    let mut all = Vec::new();
    let exit = Each { args, flags: &["--json"], lost }.run(context, |ended| {
        if json {
            return context.output.print(&ended.line());
        }
        all.push(ended);
        Ok(())
    })?;
    if !json {
        all.sort_by_key(|ended| ended.place);
        let say = |text: &str| context.console.language.say(text).into_owned();
        let said = |cell: Cell| match cell {
            Cell::Text(text) => Cell::Text(on_one_line(&say(&text))),
            other => other,
        };
        let rows = all.iter().map(|ended| columns.iter().map(|(_, cell)| said(cell(ended))).collect()).collect();
        let columns = columns.iter().map(|(heading, _)| say(heading)).collect();
        let table = report::table(&ResultSet { columns, rows }, stdout_columns(), context.console.language);
        context.output.print(&context.console.redactor().redact(&table))?;
    }
    Ok(exit)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn checks(ended: &Ended) -> &[Value] {
    ended.at("/checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The complete participants of the days that status shows.
fn complete_pct(ended: &Ended) -> Cell {
    let days = ended.at("/coverage/days").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let sum = |pointer: &str| days.iter().filter_map(|day| day.pointer(pointer)?.as_u64()).sum::<u64>();
    match sum("/participants") {
        0 => Cell::Null,
        // Rounded down to a tenth: 100 means all.
        all => Cell::Decimal(format!("{:.1}", (sum("/by_status/complete") * 1000 / all) as f64 / 10.0)),
    }
}

/// The first part of a store that could not be read.
fn unread(ended: &Ended) -> Option<String> {
    ended.object.values().find_map(|part| Some(part.get("error")?.as_str()?.to_owned()))
}

impl Ended {
    fn at(&self, pointer: &str) -> Option<&Value> {
        let (key, rest) =
            pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer.trim_start_matches('/'), ""));
        let value = self.object.get(key)?;
        if rest.is_empty() { Some(value) } else { value.pointer(&format!("/{rest}")) }
    }

    fn number(&self, pointer: &str) -> Option<f64> {
        self.at(pointer)?.as_f64()
    }

    /// The sum of all numbers of some objects; null if there is none.
    fn sum(&self, pointers: &[&str]) -> Cell {
        let objects = pointers.iter().filter_map(|pointer| self.at(pointer)?.as_object());
        let numbers: Vec<u64> = objects.flat_map(|object| object.values().filter_map(Value::as_u64)).collect();
        if numbers.is_empty() { Cell::Null } else { Cell::Integer(numbers.iter().sum::<u64>().into()) }
    }

    fn problem(&self) -> Option<String> {
        let error = self.error.as_ref().filter(|_| self.exit != ExitCode::Complete);
        error.map(|error| error.message.clone())
    }
}
