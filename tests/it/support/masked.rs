//! The answers of all reports and the contents of all tables, without the identities that they show: equal in two
//! stores that differ only in how people are named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use duckdb::{AccessMode, Config, Connection};
use vcq_etl::{Catalogue, TABLES};

use super::byte_scan::{Scanner, network_of};
use super::test_env::rows;

/// An identity, whatever it is called.
const MASK: &str = "§";
/// Tables about runs and publications.
const STORE_TABLES: &[&str] = &["runs", "meta", "published_files", "schema_migrations"];
/// Columns that depend on the time of requests; examples, because which of several rows is shown depends on its key;
/// and whole items, in which the names of unknown fields are replaced too.
const VOLATILE: &[&str] = &[
    "example",
    "example_reason",
    "attempts",
    "first_attempt_utc",
    "last_attempt_utc",
    "log_id",
    "first_seen_utc",
    "first_seen",
    "raw_text",
];

/// Its rows are microphones, loudspeakers and cameras, whose names `identity = none` does not keep.
const BY_DEVICE_NAME: &str = "report devices";

/// They are about runs: every command that is compared adds one.
const ABOUT_RUNS: &[&str] = &["api-usage", "freshness"];

const SOME_REPORTS: &[&str] = &["coverage", "daily-summary", "worst-meetings", "worst-participants"];

/// Devices of rooms, which are not planted but replaced like those of people.
const ROOM_DEVICES: &[&str] = &["Room Array", "Room Bar", "HD Camera"];

/// Columns by name, rows as text.
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

/// What two stores are compared by.
pub(crate) struct Aggregates(BTreeMap<String, Answer>);

impl Aggregates {
    /// Runs every report, some of them for several people, meetings and incidents, and counts every column.
    pub(crate) fn read(scanner: &Scanner, store: &Path) -> Aggregates {
        Aggregates::of(scanner, store, |_| true)
    }

    /// With a few of the reports: planning each of them takes longer than everything else in a small store.
    pub(crate) fn read_some(scanner: &Scanner, store: &Path) -> Aggregates {
        Aggregates::of(scanner, store, |report| SOME_REPORTS.contains(&report))
    }

    fn of(scanner: &Scanner, store: &Path, is_chosen: impl Fn(&str) -> bool) -> Aggregates {
        let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
        let connection = Connection::open_with_flags(store.join("vcq.duckdb"), config).expect("vcq.duckdb opens");
        let mut answers = BTreeMap::new();
        let catalogue = Catalogue::built_in().expect("reports");
        let reports = catalogue.reports().iter().map(|report| report.name.as_str());
        for report in reports.filter(|name| is_chosen(name) && !ABOUT_RUNS.contains(name)) {
            let name = report.replace('-', "_");
            let calls = match report {
                "meeting-timeline" => calls(&connection, &name, "meeting_no", MEETINGS),
                "user-timeline" => calls(&connection, &name, "who", PEOPLE),
                "incident" => calls(&connection, &name, "incident_id", INCIDENTS),
                _ => format!("select * from report_{name}()"),
            };
            answers.insert(format!("report {report}"), Answer::read(scanner, &connection, &calls));
        }
        for table in TABLES.iter().map(|table| table.name).filter(|table| !STORE_TABLES.contains(table)) {
            for (column, answer) in columns_of(scanner, &connection, table) {
                answers.insert(format!("{table}.{column}"), answer);
            }
        }
        Aggregates(answers)
    }

    /// How many reports and columns are compared, and how many rows they have.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().map(|answer| answer.rows.len()).sum())
    }

    /// Checks that the comparison is not of empty answers.
    #[track_caller]
    pub(crate) fn assert_many(&self) {
        let reports = self.0.iter().filter(|(name, _)| name.starts_with("report "));
        let empty: Vec<_> =
            reports.clone().filter(|(_, answer)| answer.rows.is_empty()).map(|(name, _)| name).collect();
        assert!(reports.count() >= 35 && empty.len() <= 5, "without rows: {empty:?}");
    }

    /// What differs in what the other has, with an example. With `nulls`, an identity may also be missing in the other
    /// store; then rows about the name of a device cannot be compared.
    pub(crate) fn differences(&self, other: &Aggregates, nulls: bool) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, found) in &other.0 {
            let expected = &self.0[name];
            let (expected, found) = (expected.lines(expected, nulls), found.lines(expected, nulls));
            let is_column = !name.starts_with("report ");
            if is_column && nulls && expected.keys().any(|line| line.contains(MASK)) {
                continue;
            }
            let is_comparable = |line: &String| !(nulls && name == BY_DEVICE_NAME && line.contains(MASK));
            let less: Vec<_> = expected
                .iter()
                .filter(|(line, n)| is_comparable(line) && found.get(*line) != Some(n))
                .take(2)
                .collect();
            let more: Vec<_> = found.iter().filter(|(line, n)| expected.get(*line) != Some(n)).take(2).collect();
            if !less.is_empty() || !more.is_empty() {
                differences.push(format!("{name}:\n  expected {less:?}\n  found    {more:?}"));
            }
        }
        differences
    }
}

/// The meetings and people with most minutes; ties are broken by what no mode changes.
const MEETINGS: &str = "select m.meeting_no from quality_samples q join meetings m using (meeting_key)
    group by 1 order by count(*) desc, 1 limit 3";
const PEOPLE: &str = "select p.user_id from quality_samples q join participants p using (participant_key)
    where p.user_id is not null group by 1 order by count(*) desc, min(p.join_time_utc), min(p.meeting_key) limit 5";

const INCIDENTS: &str = "select incident_id from incidents
    order by meeting_date, kind, scope_kind, metric, start_time_utc, poor_minutes, judged_minutes limit 6";

/// A report for each of the values that a query finds.
fn calls(connection: &Connection, report: &str, parameter: &str, values: &str) -> String {
    let values = rows(connection, &format!("select * from ({values})"));
    let calls = values.iter().map(|value| format!("select * from report_{report}({parameter} := '{value}')"));
    let calls: Vec<String> = calls.collect();
    if calls.is_empty() { "select 1 as nothing limit 0".to_owned() } else { calls.join(" union all ") }
}

/// Each column of a table. Texts are compared as a list, because some of them are masked; everything else by a sum of
/// hashes.
fn columns_of(scanner: &Scanner, connection: &Connection, table: &str) -> Vec<(String, Answer)> {
    let describe = |condition: &str| {
        let sql = format!("select column_name from (describe {table}) where column_type {condition} 'VARCHAR'");
        let mut columns = rows(connection, &sql);
        columns.retain(|column| !VOLATILE.contains(&column.as_str()));
        columns
    };
    let (texts, others) = (describe("="), describe("<>"));
    let sums = others.iter().map(|column| format!("count({column}) || ' values, ' || sum(hash({column})) as {column}"));
    let sums = format!("select {} from {table}", sums.collect::<Vec<_>>().join(", "));
    let mut answers = Answer::read(scanner, connection, &sums).columns();
    if table == "quality_samples" {
        for column in texts {
            let sql = format!("select {column}, count(*) as n from {table} group by all");
            answers.push((column, Answer::read(scanner, connection, &sql)));
        }
    } else if !texts.is_empty() {
        let sql = format!("select {} from {table}", texts.join(", "));
        answers.extend(Answer::read(scanner, connection, &sql).columns());
    }
    answers
}

impl Answer {
    fn read(scanner: &Scanner, connection: &Connection, sql: &str) -> Answer {
        let sql = format!("select columns(*)::varchar from ({sql})");
        let mut select = connection.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let mut result = select.query([]).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let columns = result.as_ref().expect("a statement").column_names();
        let mut lines = Vec::new();
        while let Some(row) = result.next().expect("a row") {
            let cell = |at: usize| row.get::<_, Option<String>>(at).expect("text");
            lines.push((0..columns.len()).map(|at| cell(at).map(|text| mask(scanner, &text))).collect());
        }
        Answer { columns, rows: lines }
    }

    /// Each column alone.
    fn columns(self) -> Vec<(String, Answer)> {
        let of = |at: usize| self.rows.iter().map(|row| vec![row[at].clone()]).collect();
        let columns = self.columns.iter().enumerate();
        columns.map(|(at, name)| (name.clone(), Answer { columns: vec![name.clone()], rows: of(at) })).collect()
    }

    /// The rows as lines with their number, without volatile columns. `identities` has the columns in which a missing
    /// value stands for an identity.
    fn lines(&self, identities: &Answer, nulls: bool) -> BTreeMap<String, usize> {
        let is_mask = |cell: &Option<String>| cell.as_deref() == Some(MASK);
        let names_people = |at: usize| identities.rows.iter().any(|row| row.get(at).is_some_and(is_mask));
        let masked: BTreeSet<usize> = (0..self.columns.len()).filter(|at| nulls && names_people(*at)).collect();
        let mut lines = BTreeMap::new();
        for row in &self.rows {
            let cells = row.iter().enumerate().filter(|(at, _)| !VOLATILE.contains(&&*self.columns[*at]));
            let cells = cells.map(|(at, cell)| match cell.as_deref() {
                None | Some("") if masked.contains(&at) => MASK,
                // It stands for a topic that is missing.
                Some(cell) if masked.contains(&at) && is_meeting_no(cell) => MASK,
                cell => cell.unwrap_or("NULL"),
            });
            *lines.entry(cells.collect::<Vec<_>>().join(" | ")).or_insert(0) += 1;
        }
        lines
    }
}

fn is_meeting_no(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text with a mask for each identifier and for each pseudonym of one.
fn mask(scanner: &Scanner, text: &str) -> String {
    if ROOM_DEVICES.contains(&text) {
        return MASK.to_owned();
    }
    // Also those that are not searched for.
    if text.parse::<std::net::IpAddr>().is_ok() {
        return network_of(text);
    }
    let text =
        scanner.mask(text).replace(&format!("+{MASK}"), MASK).replace(&format!("{MASK}@meetings.example.com"), MASK);
    let mut masked = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let hex = |text: &str, length: usize| {
            let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
            text.as_bytes().iter().take_while(|byte| is_hex(byte)).count() == length
        };
        let is_token = "pntdx".contains(first) && rest[1..].starts_with('-') && hex(&rest[2..], 16);
        let is_email = hex(rest, 16) && rest[16..].starts_with("@pseudonym.invalid");
        let at_word = !masked.chars().next_back().is_some_and(char::is_alphanumeric);
        let incident = ["-person-", "-device-"].iter().find(|kind| {
            rest.starts_with(**kind)
                && hex(&rest[kind.len()..], 8)
                && masked.ends_with(|c: char| c.is_ascii_lowercase())
        });
        let length = match incident {
            Some(kind) => kind.len() + 8,
            None if is_token && at_word => 18,
            None if is_email && at_word => 34,
            None => {
                masked.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        masked.push_str(MASK);
        rest = &rest[length..];
    }
    masked
}

#[test]
fn identifiers_and_pseudonyms_have_the_same_mask() {
    let scanner = Scanner::new(&[]);
    for (text, masked) in [
        ("p-0123456789abcdef", "§"),
        ("0123456789abcdef@pseudonym.invalid and n-0123456789abcdef.", "§ and §."),
        ("705605196-1795000000/p-0123456789abcdef/1795000060", "705605196-1795000000/§/1795000060"),
        ("step-0123456789abcdef", "step-0123456789abcdef"),
        ("2026-11-02-chronic-person-0123abcd", "2026-11-02-chronic§"),
        ("2026-11-02-chronic-room-0123abcd", "2026-11-02-chronic-room-0123abcd"),
        ("云 +8610", "云 +8610"),
    ] {
        assert_eq!(mask(&scanner, text), masked);
    }
}
