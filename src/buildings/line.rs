//! Parses a line of a building file into an entry.

use super::columns::Field;
use super::date::parse_date;
use super::days::Days;
use super::entry::Entry;
use super::error::{InvalidLine, LineError};
use super::network::{Network, NetworkError};
use super::records::Record;
use crate::schema::civil_date_text;
use crate::schema::parse::fold;

pub(super) struct LineParser {
    /// True for the format with a heading, false for the dashboard's formats.
    pub(super) has_named_columns: bool,
    pub(super) columns: Vec<(&'static str, Field)>,
    /// The dates of the complete file.
    pub(super) days: Days,
}

/// A line being parsed, with the errors found so far.
struct Line<'a> {
    parser: &'a LineParser,
    record: &'a Record,
    errors: Vec<InvalidLine>,
}

impl LineParser {
    /// The entry of a line, or all its errors.
    pub(super) fn parse(&self, record: &Record) -> Result<Entry, Vec<InvalidLine>> {
        if let Some(error) = self.check_column_count(record.used_cells(self.columns.len())) {
            return Err(vec![InvalidLine { line: record.line, cell: None, error }]);
        }
        let mut line = Line { parser: self, record, errors: Vec::new() };
        let network = match self.has_named_columns {
            true => line.value(Field::Network, |text| Network::parse(text).map_err(LineError::from)),
            false => line.network_of_two_columns(),
        };
        if network.is_none() && line.errors.is_empty() {
            line.error(Field::Network, LineError::Missing);
        }
        let egress = line.value(Field::Egress, parse_egress);
        let days = line.days();
        let is_inside = line.value(Field::Inside, parse_flag);
        if is_inside.is_none() && !self.has_named_columns && line.text(Field::Inside).is_none() {
            line.error(Field::Inside, LineError::Missing);
        }
        let is_vpn = line.value(Field::Vpn, parse_flag);
        let is_express_route = line.value(Field::ExpressRoute, parse_flag);
        let network_name = line.text(Field::NetworkName);
        let building = match line.text(Field::Building) {
            None if self.has_named_columns => {
                line.error(Field::Building, LineError::Missing);
                None
            }
            // Both names are optional in the dashboard's format.
            None => network_name.clone().or_else(|| Some(network?.to_string())),
            building => building,
        };
        let (Some(network), Some(building), Some(days), true) = (network, building, days, line.errors.is_empty())
        else {
            return Err(line.errors);
        };
        Ok(Entry {
            network,
            egress,
            days,
            building,
            floor: line.text(Field::Floor),
            city: line.text(Field::City),
            country: line.text(Field::Country),
            // A network in the building file belongs to the organisation unless stated otherwise.
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

    fn check_column_count(&self, count: usize) -> Option<LineError> {
        let found = || format!("{count} column{}", if count == 1 { "" } else { "s" });
        let expected = self.columns.len();
        match self.has_named_columns {
            _ if count == expected => None,
            true => Some(LineError::UnlikeHeading { found: found(), expected }),
            // The last column of the dashboard's format, VPN, is optional.
            false if count + 1 == expected => None,
            false => Some(LineError::Columns { found: found(), expected: "14 or 15" }),
        }
    }
}

impl Line<'_> {
    fn position(&self, field: Field) -> Option<usize> {
        self.parser.columns.iter().position(|(_, other)| *other == field)
    }

    /// The text of a field; `None` if it is empty or has no column.
    fn text(&self, field: Field) -> Option<String> {
        let text = self.record.cells.get(self.position(field)?)?;
        (!text.is_empty()).then(|| text.clone())
    }

    fn error(&mut self, field: Field, error: LineError) {
        let cell = self
            .position(field)
            .map(|at| (self.parser.columns[at].0, self.record.cells.get(at).cloned().unwrap_or_default()));
        self.errors.push(InvalidLine { line: self.record.line, cell, error });
    }

    /// Parses an optional field.
    fn value<T>(&mut self, field: Field, parse: impl FnOnce(&str) -> Result<T, LineError>) -> Option<T> {
        let text = self.text(field)?;
        parse(&plain(&text)).map_err(|error| self.error(field, error)).ok()
    }

    /// In the dashboard's format, address and prefix length are in two columns.
    fn network_of_two_columns(&mut self) -> Option<Network> {
        let [address, length] = [Field::Network, Field::PrefixLength].map(|field| {
            let text = self.text(field);
            if text.is_none() {
                self.error(field, LineError::Missing);
            }
            text.map(|text| plain(&text))
        });
        let length = length?;
        Network::from_parts(&address?, length.strip_prefix('/').unwrap_or(&length).trim())
            .map_err(|error| {
                let is_length = matches!(error, NetworkError::Length { .. } | NetworkError::Mask);
                self.error(if is_length { Field::PrefixLength } else { Field::Network }, error.into());
            })
            .ok()
    }

    /// The dates of the line, limited to those of the file.
    fn days(&mut self) -> Option<Days> {
        let errors = self.errors.len();
        let [from, until] = [Field::From, Field::Until].map(|field| self.value(field, parse_date));
        if self.errors.len() > errors {
            return None;
        }
        let file = self.parser.days;
        let from = from.unwrap_or(0).max(file.from);
        let until = until.into_iter().chain(file.until).min();
        if let Some(until) = until.filter(|until| *until <= from) {
            let [from, until] = [from, until].map(civil_date_text);
            let error = LineError::NoDays { from, until };
            self.errors.push(InvalidLine { line: self.record.line, cell: None, error });
            return None;
        }
        Some(Days { from, until })
    }
}

/// The text of a column name, a network, a date or a flag, with full-width forms in ASCII and without the invisible
/// characters that come with copied text.
pub(super) fn plain(text: &str) -> String {
    let visible: String =
        text.chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')).collect();
    fold(&visible).into_owned()
}

/// `1.0` is what tools write that read the column as decimal numbers.
const FLAGS: &[(&str, bool)] = &[
    ("1", true),
    ("1.0", true),
    ("true", true),
    ("yes", true),
    ("y", true),
    ("是", true),
    ("0", false),
    ("0.0", false),
    ("false", false),
    ("no", false),
    ("n", false),
    ("否", false),
];

fn parse_flag(text: &str) -> Result<bool, LineError> {
    let lower = text.to_lowercase();
    FLAGS.iter().find(|(word, _)| *word == lower).map(|(_, flag)| *flag).ok_or(LineError::Flag)
}

/// A network or a single address: an office often has only one public address.
fn parse_egress(text: &str) -> Result<Network, LineError> {
    Network::single(text).map_or_else(|| Network::parse(text).map_err(LineError::from), Ok)
}
