//! A building file as it comes: which form it has, and its lines as entries, or what is wrong with them.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::entry::{CQD, Field, HEADED};
use super::error::{LARGEST_MIB, SHOWN_LINES};
use super::records::{self, NoRecords, Record};
use super::{BadLine, BuildingsError, Days, Entry, Flaw, Network};
use crate::schema::{civil_date, civil_date_text};

/// The form of a building file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The building file of Microsoft's Call Quality Dashboard, 14 or 15 columns without a heading.
    Cqd,
    /// The same with its heading, which that dashboard would not take.
    CqdWithHeading,
    /// Our own, with a heading.
    Headed,
}

impl Form {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Form::Cqd => "building file of the Call Quality Dashboard",
            Form::CqdWithHeading => "building file of the Call Quality Dashboard, with a heading",
            Form::Headed => "columns named by a heading",
        }
    }

    fn column_words(self) -> &'static str {
        "14 or 15"
    }
}

/// A building file, every line of it sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildingFile {
    pub form: Form,
    /// Its entries, in the order of its lines, each once.
    pub entries: Vec<Entry>,
    /// Lines that say what an earlier one says, with that one.
    pub duplicates: Vec<(u64, u64)>,
}

impl BuildingFile {
    /// Reads a file. No line holds outside of `days`, whatever it says itself.
    ///
    /// # Errors
    /// [`BuildingsError`]: with one bad line nothing is taken.
    pub(crate) fn read(path: &Path, days: Days) -> Result<BuildingFile, BuildingsError> {
        let refused = |source| BuildingsError::Read { path: path.to_path_buf(), source };
        let mut bytes = Vec::new();
        let limit = LARGEST_MIB << 20;
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(refused)?;
        if bytes.len() as u64 > limit {
            return Err(BuildingsError::TooLarge { path: path.to_path_buf() });
        }
        BuildingFile::parse(path, &bytes, days)
    }

    /// The same of bytes; `path` is for messages.
    ///
    /// # Errors
    /// As [`BuildingFile::read`].
    pub(crate) fn parse(path: &Path, bytes: &[u8], days: Days) -> Result<BuildingFile, BuildingsError> {
        let path = || path.to_path_buf();
        let records =
            records::decoded(bytes).and_then(|text| records::records(&text)).map_err(|error| match error {
                NoRecords::Encoding(line) => BuildingsError::Encoding { path: path(), line },
                NoRecords::OpenQuote(line) => BuildingsError::OpenQuote { path: path(), line },
            })?;
        let Some(first) = records.first() else { return Err(BuildingsError::Empty { path: path() }) };
        let form = form_of(first);
        let (columns, rows) = match form {
            Form::Cqd => (CQD.to_vec(), &records[..]),
            Form::CqdWithHeading => (CQD.to_vec(), &records[1..]),
            Form::Headed => (heading(&path(), first)?, &records[1..]),
        };
        let reader = Reader { form, columns, days };
        let mut bad = Vec::new();
        let mut read: Vec<(u64, Entry)> = Vec::with_capacity(rows.len());
        for record in rows {
            match reader.entry(record) {
                Ok(entry) => read.push((record.line, entry)),
                Err(flaws) => bad.extend(flaws),
            }
        }
        let duplicates = without_duplicates(&mut read);
        bad.extend(conflicts(&read));
        if !bad.is_empty() {
            bad.sort_by_key(|bad| bad.line);
            let count = bad.chunk_by(|one, other| one.line == other.line).count();
            bad.truncate(SHOWN_LINES);
            return Err(BuildingsError::BadLines { path: path(), count, first: bad });
        }
        if read.is_empty() {
            return Err(BuildingsError::Empty { path: path() });
        }
        Ok(BuildingFile { form, entries: read.into_iter().map(|(_, entry)| entry).collect(), duplicates })
    }
}

/// Names of columns have no digits and no colons, and networks always have some.
fn form_of(first: &Record) -> Form {
    let name = &first.cells[0];
    // A line of so many cells is of that form, whatever is wrong with its first.
    let is_as_long = first.cells.len() + 1 >= CQD.len() && first.cells.len() <= CQD.len();
    if is_as_long && ["network", "networkip"].contains(&name.to_lowercase().replace(' ', "").as_str()) {
        Form::CqdWithHeading
    } else if (is_as_long && !HEADED.iter().any(|(known, _)| name.eq_ignore_ascii_case(known)))
        || name.contains(|c: char| c.is_ascii_digit() || c == ':')
    {
        Form::Cqd
    } else {
        Form::Headed
    }
}

/// The columns that a heading names.
fn heading(path: &Path, record: &Record) -> Result<Vec<(&'static str, Field)>, BuildingsError> {
    let path = || path.to_path_buf();
    let mut columns: Vec<(&'static str, Field)> = Vec::new();
    for name in &record.cells {
        let folded = name.to_lowercase().replace([' ', '-'], "_");
        let Some((known, field)) = HEADED.iter().find(|(known, _)| *known == folded) else {
            let known = HEADED.iter().map(|(known, _)| *known).collect();
            return Err(BuildingsError::UnknownColumn { path: path(), name: name.clone(), known });
        };
        if columns.iter().any(|(_, other)| other == field) {
            return Err(BuildingsError::RepeatedColumn { path: path(), name: known });
        }
        columns.push((known, *field));
    }
    for (name, field) in HEADED {
        let is_needed = matches!(field, Field::Network | Field::Building);
        if is_needed && !columns.iter().any(|(_, other)| other == field) {
            return Err(BuildingsError::MissingColumn { path: path(), name });
        }
    }
    Ok(columns)
}

struct Reader {
    form: Form,
    columns: Vec<(&'static str, Field)>,
    days: Days,
}

/// The flaws of a line, gathered while it is read.
struct Line<'a> {
    reader: &'a Reader,
    record: &'a Record,
    flaws: Vec<BadLine>,
}

impl Reader {
    /// The entry of a line, or all that is wrong with it.
    fn entry(&self, record: &Record) -> Result<Entry, Vec<BadLine>> {
        if let Some(flaw) = self.columns_flaw(record.cells.len()) {
            return Err(vec![BadLine { line: record.line, cell: None, flaw }]);
        }
        let mut line = Line { reader: self, record, flaws: Vec::new() };
        let network = match self.form {
            Form::Headed => line.cell(Field::Network, |text| Network::parse(text).map_err(Flaw::from)),
            Form::Cqd | Form::CqdWithHeading => line.network_of_two(),
        };
        if network.is_none() && line.flaws.is_empty() {
            line.flaw(Field::Network, Flaw::Missing);
        }
        let egress = line.cell(Field::Egress, egress);
        let days = line.days();
        let is_inside = line.cell(Field::Inside, flag);
        if is_inside.is_none() && self.form != Form::Headed && line.text(Field::Inside).is_none() {
            line.flaw(Field::Inside, Flaw::Missing);
        }
        let is_vpn = line.cell(Field::Vpn, flag);
        let is_express_route = line.cell(Field::ExpressRoute, flag);
        let network_name = line.text(Field::NetworkName);
        let building = match (line.text(Field::Building), self.form) {
            (None, Form::Headed) => {
                line.flaw(Field::Building, Flaw::Missing);
                None
            }
            // The dashboard does without both names; a row without one would be no place.
            (None, _) => network_name.clone().or_else(|| Some(network?.to_string())),
            (building, _) => building,
        };
        let (Some(network), Some(building), Some(days), true) = (network, building, days, line.flaws.is_empty()) else {
            return Err(line.flaws);
        };
        Ok(Entry {
            network,
            egress,
            days,
            building,
            floor: line.text(Field::Floor),
            city: line.text(Field::City),
            country: line.text(Field::Country),
            // What somebody writes into a building file is his own, unless he says otherwise.
            is_inside: is_inside.unwrap_or(true),
            is_vpn: is_vpn.unwrap_or(false),
            network_name,
            ownership_type: line.text(Field::OwnershipType),
            building_type: line.text(Field::BuildingType),
            building_office_type: line.text(Field::BuildingOfficeType),
            zip_code: line.text(Field::ZipCode),
            state: line.text(Field::State),
            region: line.text(Field::Region),
            is_express_route,
        })
    }

    fn columns_flaw(&self, found: usize) -> Option<Flaw> {
        let words = || format!("{found} column{}", if found == 1 { "" } else { "s" });
        let wanted = self.columns.len();
        match self.form {
            Form::Headed if found == wanted => None,
            Form::Headed => Some(Flaw::UnlikeHeading { found: words(), wanted }),
            // The last column, VPN, came later and may be left out.
            _ if found == wanted || found + 1 == wanted => None,
            form => Some(Flaw::Columns { found: words(), wanted: form.column_words() }),
        }
    }
}

impl Line<'_> {
    fn position(&self, field: Field) -> Option<usize> {
        self.reader.columns.iter().position(|(_, other)| *other == field)
    }

    /// The text of a field; `None` where it is empty or no column.
    fn text(&self, field: Field) -> Option<String> {
        let text = self.record.cells.get(self.position(field)?)?;
        (!text.is_empty()).then(|| text.clone())
    }

    fn flaw(&mut self, field: Field, flaw: Flaw) {
        let cell = self
            .position(field)
            .map(|at| (self.reader.columns[at].0, self.record.cells.get(at).cloned().unwrap_or_default()));
        self.flaws.push(BadLine { line: self.record.line, cell, flaw });
    }

    /// Reads a field that may be empty.
    fn cell<T>(&mut self, field: Field, read: impl FnOnce(&str) -> Result<T, Flaw>) -> Option<T> {
        let text = self.text(field)?;
        read(&text).map_err(|flaw| self.flaw(field, flaw)).ok()
    }

    /// Address and prefix length stand in two columns.
    fn network_of_two(&mut self) -> Option<Network> {
        let [address, length] = [Field::Network, Field::PrefixLength].map(|field| {
            let text = self.text(field);
            if text.is_none() {
                self.flaw(field, Flaw::Missing);
            }
            text
        });
        Network::of(&address?, &length?)
            .map_err(|flaw| {
                let is_length = matches!(flaw, super::NetworkFlaw::Length { .. });
                self.flaw(if is_length { Field::PrefixLength } else { Field::Network }, flaw.into());
            })
            .ok()
    }

    /// The days of the line, within those of the file.
    fn days(&mut self) -> Option<Days> {
        let flaws = self.flaws.len();
        let from = self.cell(Field::From, date);
        let until = self.cell(Field::Until, date);
        if self.flaws.len() > flaws {
            return None;
        }
        let Days { from: file_from, until: file_until } = self.reader.days;
        let from = from.unwrap_or(0).max(file_from);
        let until = match (until, file_until) {
            (Some(own), Some(of_file)) => Some(own.min(of_file)),
            (own, of_file) => own.or(of_file),
        };
        if let Some(until) = until.filter(|until| *until <= from) {
            let [from, until] = [from, until].map(civil_date_text);
            self.flaws.push(BadLine { line: self.record.line, cell: None, flaw: Flaw::NoDays { from, until } });
            return None;
        }
        Some(Days { from, until })
    }
}

fn flag(text: &str) -> Result<bool, Flaw> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err(Flaw::Flag),
    }
}

fn date(text: &str) -> Result<i32, Flaw> {
    civil_date(text).ok_or(Flaw::Date)
}

/// An office often has one public address, which nobody writes as a network.
fn egress(text: &str) -> Result<Network, Flaw> {
    Network::of_address(text).map_or_else(|| Network::parse(text).map_err(Flaw::from), Ok)
}

/// Takes out the lines that say what an earlier one says; gives them with that one.
fn without_duplicates(read: &mut Vec<(u64, Entry)>) -> Vec<(u64, u64)> {
    let mut first: HashMap<&Entry, u64> = HashMap::with_capacity(read.len());
    let mut duplicates = Vec::new();
    for (line, entry) in read.iter() {
        let earlier = *first.entry(entry).or_insert(*line);
        if earlier != *line {
            duplicates.push((*line, earlier));
        }
    }
    read.retain(|(line, _)| duplicates.binary_search_by_key(line, |(later, _)| *later).is_err());
    duplicates
}

/// Lines about the same network, and the same egress, of which two would hold on one day.
fn conflicts(read: &[(u64, Entry)]) -> Vec<BadLine> {
    let mut sorted: Vec<&(u64, Entry)> = read.iter().collect();
    sorted.sort_by_key(|(line, entry)| (entry.network, entry.egress, entry.days.from, *line));
    let mut bad = Vec::new();
    for same in sorted.chunk_by(|(_, one), (_, other)| (one.network, one.egress) == (other.network, other.egress)) {
        // The one that holds longest of those before: if none overlaps with that one, none overlaps at all.
        let mut longest = same[0];
        for row in &same[1..] {
            if row.1.days.overlaps(longest.1.days) {
                let (line, other) = (row.0.max(longest.0), row.0.min(longest.0));
                let network = match row.1.egress {
                    Some(egress) => format!("{} behind {egress}", row.1.network),
                    None => row.1.network.to_string(),
                };
                bad.push(BadLine { line, cell: None, flaw: Flaw::Conflict { network, line: other } });
            }
            if row.1.days.end() > longest.1.days.end() {
                longest = row;
            }
        }
    }
    bad
}
