//! Reads a building file in either format into entries, or into the errors of its lines.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::columns::{CQD_COLUMNS, Field, NAMED_COLUMNS};
use super::days::Days;
use super::entry::Entry;
use super::error::{BuildingsError, InvalidLine, LineError, MAX_FILE_MIB, MAX_SHOWN_LINES};
use super::line::{LineParser, plain};
use super::records::{Record, RecordsError, decode, parse_records};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Microsoft's Call Quality Dashboard: 14 or 15 columns without a heading.
    Cqd,
    /// The same with a heading, which the dashboard itself would reject.
    CqdWithHeading,
    /// Named columns.
    Headed,
}

impl FileFormat {
    pub(crate) fn description(self) -> &'static str {
        match self {
            FileFormat::Cqd => "building file of the Call Quality Dashboard",
            FileFormat::CqdWithHeading => "building file of the Call Quality Dashboard, with a heading",
            FileFormat::Headed => "columns named by a heading",
        }
    }
}

/// A valid building file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildingFile {
    pub format: FileFormat,
    /// Distinct entries, in the order of the lines.
    pub entries: Vec<Entry>,
    /// Lines that repeat an earlier one, with the earlier one.
    pub duplicates: Vec<(u64, u64)>,
}

impl BuildingFile {
    /// Reads a file. The dates of each line are limited to `days`.
    pub(crate) fn read(path: &Path, days: Days) -> Result<BuildingFile, BuildingsError> {
        let failed = |source| BuildingsError::Read { path: path.to_path_buf(), source };
        let mut bytes = Vec::new();
        let limit = MAX_FILE_MIB << 20;
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(BuildingsError::TooLarge { path: path.to_path_buf() });
        }
        BuildingFile::parse(path, &bytes, days)
    }

    /// Parses the contents of a file; `path` is for errors.
    pub(crate) fn parse(path: &Path, bytes: &[u8], days: Days) -> Result<BuildingFile, BuildingsError> {
        let path = || path.to_path_buf();
        let records = decode(bytes).and_then(|text| parse_records(&text)).map_err(|error| match error {
            RecordsError::Encoding { line, is_gbk } => BuildingsError::Encoding { path: path(), line, is_gbk },
            RecordsError::NoByteOrderMark => BuildingsError::NoByteOrderMark { path: path() },
            RecordsError::Workbook => BuildingsError::Workbook { path: path() },
            RecordsError::OpenQuote(line) => BuildingsError::OpenQuote { path: path(), line },
        })?;
        let Some(first) = records.first() else { return Err(BuildingsError::Empty { path: path() }) };
        let format = detect_format(first);
        let (columns, rows) = match format {
            FileFormat::Cqd => (CQD_COLUMNS.to_vec(), &records[..]),
            FileFormat::CqdWithHeading => (CQD_COLUMNS.to_vec(), &records[1..]),
            FileFormat::Headed => (parse_heading(&path(), first)?, &records[1..]),
        };
        let parser = LineParser { has_named_columns: format == FileFormat::Headed, columns, days };
        let mut invalid = Vec::new();
        let mut entries: Vec<(u64, Entry)> = Vec::with_capacity(rows.len());
        for record in rows {
            match parser.parse(record) {
                Ok(entry) => entries.push((record.line, entry)),
                Err(errors) => invalid.extend(errors),
            }
        }
        let duplicates = remove_duplicates(&mut entries);
        invalid.extend(conflicts(&entries));
        if !invalid.is_empty() {
            invalid.sort_by_key(|invalid| invalid.line);
            let count = invalid.chunk_by(|one, other| one.line == other.line).count();
            invalid.truncate(MAX_SHOWN_LINES);
            return Err(BuildingsError::InvalidLines { path: path(), count, first: invalid });
        }
        if entries.is_empty() {
            return Err(BuildingsError::Empty { path: path() });
        }
        Ok(BuildingFile { format, entries: entries.into_iter().map(|(_, entry)| entry).collect(), duplicates })
    }
}

/// Column names have no digits and no colons; networks do.
fn detect_format(first: &Record) -> FileFormat {
    let name = plain(&first.cells[0]);
    let length = first.used_cells(CQD_COLUMNS.len());
    // A line with this number of cells has the dashboard's format, even if its first cell is invalid.
    let has_cqd_length = length + 1 >= CQD_COLUMNS.len() && length <= CQD_COLUMNS.len();
    if has_cqd_length && ["network", "networkip"].contains(&name.to_lowercase().replace(' ', "").as_str()) {
        FileFormat::CqdWithHeading
    } else if (has_cqd_length && !NAMED_COLUMNS.iter().any(|(known, _)| name.eq_ignore_ascii_case(known)))
        || name.contains(|c: char| c.is_ascii_digit() || c == ':')
    {
        FileFormat::Cqd
    } else {
        FileFormat::Headed
    }
}

fn parse_heading(path: &Path, record: &Record) -> Result<Vec<(&'static str, Field)>, BuildingsError> {
    let path = || path.to_path_buf();
    let mut columns: Vec<(&'static str, Field)> = Vec::new();
    for name in &record.cells[..record.used_cells(0)] {
        let normalised = plain(name).to_lowercase().replace([' ', '-'], "_");
        let Some((known, field)) = NAMED_COLUMNS.iter().find(|(known, _)| *known == normalised) else {
            let known = NAMED_COLUMNS.iter().map(|(known, _)| *known).collect();
            return Err(BuildingsError::UnknownColumn { path: path(), name: name.clone(), known });
        };
        if columns.iter().any(|(_, other)| other == field) {
            return Err(BuildingsError::RepeatedColumn { path: path(), name: known });
        }
        columns.push((known, *field));
    }
    for (name, field) in NAMED_COLUMNS {
        let is_required = matches!(field, Field::Network | Field::Building);
        if is_required && !columns.iter().any(|(_, other)| other == field) {
            return Err(BuildingsError::MissingColumn { path: path(), name });
        }
    }
    Ok(columns)
}

/// Removes entries that repeat an earlier one; returns their lines with the earlier ones.
fn remove_duplicates(entries: &mut Vec<(u64, Entry)>) -> Vec<(u64, u64)> {
    let mut first: HashMap<&Entry, u64> = HashMap::with_capacity(entries.len());
    let mut duplicates = Vec::new();
    for (line, entry) in entries.iter() {
        let earlier = *first.entry(entry).or_insert(*line);
        if earlier != *line {
            duplicates.push((*line, earlier));
        }
    }
    entries.retain(|(line, _)| duplicates.binary_search_by_key(line, |(later, _)| *later).is_err());
    duplicates
}

/// Lines with the same network and egress whose dates overlap.
fn conflicts(entries: &[(u64, Entry)]) -> Vec<InvalidLine> {
    let mut sorted: Vec<&(u64, Entry)> = entries.iter().collect();
    sorted.sort_by_key(|(line, entry)| (entry.network, entry.egress, entry.days.from, *line));
    let mut invalid = Vec::new();
    for same in sorted.chunk_by(|(_, one), (_, other)| (one.network, one.egress) == (other.network, other.egress)) {
        // The earlier entry with the latest end: a row that does not overlap it overlaps none.
        let mut longest = same[0];
        for row in &same[1..] {
            if row.1.days.overlaps(longest.1.days) {
                let (line, other) = (row.0.max(longest.0), row.0.min(longest.0));
                let network = match row.1.egress {
                    Some(egress) => format!("{} behind {egress}", row.1.network),
                    None => row.1.network.to_string(),
                };
                invalid.push(InvalidLine { line, cell: None, error: LineError::Conflict { network, line: other } });
            }
            if row.1.days.end() > longest.1.days.end() {
                longest = row;
            }
        }
    }
    invalid
}
