//! An entry of a building file, and its forms as a table row and as a line of the file.

use super::columns::{Field, NAMED_COLUMNS};
use super::days::Days;
use super::network::Network;
use crate::schema::cell::{Cell, Row};
use crate::schema::civil_date_text;
use crate::text::csv_line;

/// A network and its building.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub network: Network,
    /// If set, the entry applies only to participants with a public address in this network.
    pub egress: Option<Network>,
    pub days: Days,
    pub building: String,
    pub floor: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    /// True for a network of the organisation.
    pub is_inside: bool,
    pub is_vpn: bool,
    pub network_name: Option<String>,
    pub ownership_type: Option<String>,
    pub building_type: Option<String>,
    pub building_office_type: Option<String>,
    pub zip_code: Option<String>,
    pub state: Option<String>,
    pub region: Option<String>,
    /// True if the network uses Azure ExpressRoute.
    pub is_express_route: Option<bool>,
}

impl Entry {
    /// True if the entries differ at most in their dates.
    pub(super) fn is_same_place(&self, other: &Entry) -> bool {
        Entry { days: other.days, ..self.clone() } == *other
    }

    /// A row of the table `buildings`.
    pub(super) fn row(&self) -> Row {
        let text = |text: &Option<String>| Cell::text(text.as_deref());
        vec![
            Cell::Text(self.network.to_string()),
            Cell::Text(self.field_text(Field::Egress)),
            Cell::Day(self.days.from),
            self.days.until.map_or(Cell::Null, Cell::Day),
            Cell::Text(self.building.clone()),
            text(&self.floor),
            text(&self.city),
            text(&self.country),
            Cell::Flag(self.is_inside),
            Cell::Flag(self.is_vpn),
            text(&self.network_name),
            text(&self.ownership_type),
            text(&self.building_type),
            text(&self.building_office_type),
            text(&self.zip_code),
            text(&self.state),
            text(&self.region),
            self.is_express_route.map_or(Cell::Null, Cell::Flag),
        ]
    }

    /// A row of the table `address_buildings`: this entry applies to the address on these days.
    pub(super) fn address_row(&self, address: &str, public_ip: &str, days: Days) -> Row {
        let text = |text: &Option<String>| Cell::text(text.as_deref());
        vec![
            Cell::Text(address.to_owned()),
            Cell::Text(public_ip.to_owned()),
            Cell::Day(days.from),
            days.until.map_or(Cell::Null, Cell::Day),
            Cell::Text(self.network.to_string()),
            Cell::Text(self.building.clone()),
            text(&self.floor),
            text(&self.city),
            text(&self.country),
            text(&self.region),
            Cell::Flag(self.is_inside),
            Cell::Flag(self.is_vpn),
        ]
    }

    fn field_text(&self, field: Field) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        match field {
            Field::Network => self.network.to_string(),
            Field::PrefixLength => self.network.prefix_length().to_string(),
            Field::Building => self.building.clone(),
            Field::Floor => text(&self.floor),
            Field::City => text(&self.city),
            Field::Country => text(&self.country),
            Field::Inside => flag(self.is_inside),
            Field::Vpn => flag(self.is_vpn),
            Field::Egress => self.egress.map(|egress| egress.to_string()).unwrap_or_default(),
            Field::From if self.days.from == 0 => String::new(),
            Field::From => civil_date_text(self.days.from),
            Field::Until => self.days.until.map(civil_date_text).unwrap_or_default(),
            Field::NetworkName => text(&self.network_name),
            Field::OwnershipType => text(&self.ownership_type),
            Field::BuildingType => text(&self.building_type),
            Field::BuildingOfficeType => text(&self.building_office_type),
            Field::ZipCode => text(&self.zip_code),
            Field::State => text(&self.state),
            Field::Region => text(&self.region),
            Field::ExpressRoute => self.is_express_route.map(flag).unwrap_or_default(),
        }
    }
}

/// A building file in the store's format: a heading, then one line per entry.
pub(super) fn file_text<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let heading = csv_line(NAMED_COLUMNS.iter().map(|(name, _)| name));
    let line = |entry: &Entry| csv_line(NAMED_COLUMNS.iter().map(|(_, field)| entry.field_text(*field)));
    std::iter::once(heading).chain(entries.map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ADDRESS_BUILDINGS, BUILDINGS, cell};

    fn entry() -> Entry {
        let text = |text: &str| Some(text.to_owned());
        Entry {
            network: Network::parse("10.1.2.0/24").expect("a network"),
            egress: Network::parse("203.0.113.0/24").ok(),
            days: Days { from: 20_758, until: Some(20_788) },
            building: "Harbour House".to_owned(),
            floor: text("2"),
            city: text("Reading"),
            country: text("GB"),
            is_inside: true,
            is_vpn: false,
            network_name: text("GB/Reading/HH-2"),
            ownership_type: text("leased"),
            building_type: text("office"),
            building_office_type: text("sales"),
            zip_code: text("RG1"),
            state: text("Berkshire"),
            region: text("EMEA"),
            is_express_route: Some(false),
        }
    }

    #[test]
    fn each_cell_is_in_the_column_of_its_name() {
        let entry = entry();
        let row = entry.row();
        assert_eq!(row.len(), BUILDINGS.columns.len());
        // All texts of the entry differ, so a swap is detected.
        for (column, cell) in BUILDINGS.columns.iter().zip(&row) {
            let (name, _) = column.name.split_at(column.name.find("_date").unwrap_or(column.name.len()));
            let name = match name.strip_prefix("is_").unwrap_or(name) {
                "network" => "cidr",
                other => other,
            };
            let (_, field) = NAMED_COLUMNS.iter().find(|(known, _)| *known == name).expect(name);
            let shown = match cell {
                Cell::Text(text) => text.clone(),
                Cell::Flag(flag) => i32::from(*flag).to_string(),
                Cell::Day(day) => civil_date_text(*day),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(shown, entry.field_text(*field), "{name}");
        }
        let places = entry.address_row("10.1.2.3", "", Days::ALL);
        assert_eq!(places.len(), ADDRESS_BUILDINGS.columns.len());
        for (column, cell) in ADDRESS_BUILDINGS.columns.iter().zip(&places).skip(4) {
            let position = BUILDINGS.position(column.name).expect(column.name);
            assert_eq!(cell, &row[position], "{}", column.name);
        }
        cell::file_batch(&BUILDINGS, &[row]).expect("as declared");
        cell::file_batch(&ADDRESS_BUILDINGS, &[places]).expect("as declared");
    }
}
