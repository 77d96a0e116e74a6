//! A row of a building file, and the columns of both forms as data.

use super::Network;
use super::records;
use crate::schema::cell::{Cell, Row};
use crate::schema::civil_date_text;

/// The days on which a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Days {
    /// The first, in days since 1970-01-01; 0 from the beginning, since no meeting is older.
    pub from: i32,
    /// The first day after it; `None` where it still holds.
    pub until: Option<i32>,
}

impl Days {
    /// All days.
    pub(crate) const ALL: Days = Days { from: 0, until: None };

    /// Whether it holds on that day.
    pub(crate) fn contains(self, day: i32) -> bool {
        self.from <= day && day < self.end()
    }

    /// Whether both hold on some day.
    pub(crate) fn overlaps(self, other: Days) -> bool {
        self.from < other.end() && other.from < self.end()
    }

    /// The first day after it; a day that never comes where it still holds.
    pub(super) fn end(self) -> i32 {
        self.until.unwrap_or(i32::MAX)
    }
}

/// A network and what is known of it: a row of a building file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub network: Network,
    /// Counts only for participants whose public address is in it.
    pub egress: Option<Network>,
    pub days: Days,
    pub building: String,
    pub floor: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    /// Whether the network is the organisation's own.
    pub is_inside: bool,
    /// Whether it is handed out by a VPN.
    pub is_vpn: bool,
    /// What only the file of the Call Quality Dashboard tells.
    pub network_name: Option<String>,
    /// Who owns the building.
    pub ownership_type: Option<String>,
    /// What kind of building it is.
    pub building_type: Option<String>,
    /// What its offices are for.
    pub building_office_type: Option<String>,
    pub zip_code: Option<String>,
    pub state: Option<String>,
    pub region: Option<String>,
    /// Whether the network uses Azure ExpressRoute.
    pub is_express_route: Option<bool>,
}

/// What a column of a building file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Network,
    PrefixLength,
    Building,
    Floor,
    City,
    Country,
    Inside,
    Vpn,
    Egress,
    From,
    Until,
    NetworkName,
    OwnershipType,
    BuildingType,
    BuildingOfficeType,
    ZipCode,
    State,
    Region,
    ExpressRoute,
}

/// The columns of the file with a heading, in the order of our own file; a file may have them in any order.
pub(super) const HEADED: &[(&str, Field)] = &[
    ("cidr", Field::Network),
    ("building", Field::Building),
    ("floor", Field::Floor),
    ("city", Field::City),
    ("country", Field::Country),
    ("inside", Field::Inside),
    ("vpn", Field::Vpn),
    ("egress_cidr", Field::Egress),
    ("valid_from", Field::From),
    ("valid_until", Field::Until),
    ("network_name", Field::NetworkName),
    ("ownership_type", Field::OwnershipType),
    ("building_type", Field::BuildingType),
    ("building_office_type", Field::BuildingOfficeType),
    ("zip_code", Field::ZipCode),
    ("state", Field::State),
    ("region", Field::Region),
    ("express_route", Field::ExpressRoute),
];

/// The columns of the building file of Microsoft's Call Quality Dashboard, which has no heading (learn.microsoft.com,
/// "Upload tenant and building data"). The last may be left out.
pub(super) const CQD: &[(&str, Field)] = &[
    ("NetworkIP", Field::Network),
    ("NetworkName", Field::NetworkName),
    ("NetworkRange", Field::PrefixLength),
    ("BuildingName", Field::Building),
    ("OwnershipType", Field::OwnershipType),
    ("BuildingType", Field::BuildingType),
    ("BuildingOfficeType", Field::BuildingOfficeType),
    ("City", Field::City),
    ("ZipCode", Field::ZipCode),
    ("Country", Field::Country),
    ("State", Field::State),
    ("Region", Field::Region),
    ("InsideCorp", Field::Inside),
    ("ExpressRoute", Field::ExpressRoute),
    ("VPN", Field::Vpn),
];

impl Entry {
    /// The same but for the days.
    pub(super) fn says_the_same(&self, other: &Entry) -> bool {
        Entry { days: other.days, ..self.clone() } == *other
    }

    /// As a row of the table `buildings`, in the order of its columns.
    pub(super) fn row(&self) -> Row {
        let text = |text: &Option<String>| Cell::text(text.as_deref());
        let egress = self.egress.map(|egress| egress.to_string()).unwrap_or_default();
        vec![
            Cell::Text(self.network.to_string()),
            Cell::Text(egress),
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

    /// As a row of the table `address_buildings`: what holds for an address on these days.
    pub(super) fn place(&self, address: &str, public_ip: &str, days: Days) -> Row {
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

    /// As a line of our own file.
    fn line(&self) -> String {
        let cells: Vec<String> = HEADED.iter().map(|(_, field)| self.cell(*field)).collect();
        records::line(cells.iter().map(String::as_str))
    }

    fn cell(&self, field: Field) -> String {
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

/// Our own file: a heading, then a line for each entry.
pub(super) fn file_text<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let heading = records::line(HEADED.iter().map(|(name, _)| *name));
    std::iter::once(heading).chain(entries.map(Entry::line)).collect()
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
    fn each_cell_stands_in_the_column_of_its_name() {
        let entry = entry();
        let row = entry.row();
        assert_eq!(row.len(), BUILDINGS.columns.len());
        // Each text of the entry is different, so a swap shows.
        for (column, cell) in BUILDINGS.columns.iter().zip(&row) {
            let (name, _) = column.name.split_at(column.name.find("_date").unwrap_or(column.name.len()));
            let name = match name.strip_prefix("is_").unwrap_or(name) {
                "network" => "cidr",
                other => other,
            };
            let (_, field) = HEADED.iter().find(|(headed, _)| *headed == name).expect(name);
            let shown = match cell {
                Cell::Text(text) => text.clone(),
                Cell::Flag(flag) => i32::from(*flag).to_string(),
                Cell::Day(day) => civil_date_text(*day),
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(shown, entry.cell(*field), "{name}");
        }
        let places = entry.place("10.1.2.3", "", Days::ALL);
        assert_eq!(places.len(), ADDRESS_BUILDINGS.columns.len());
        for (column, cell) in ADDRESS_BUILDINGS.columns.iter().zip(&places).skip(4) {
            let position = BUILDINGS.position(column.name).expect(column.name);
            assert_eq!(cell, &row[position], "{}", column.name);
        }
        cell::file_batch(&BUILDINGS, &[row]).expect("as declared");
        cell::file_batch(&ADDRESS_BUILDINGS, &[places]).expect("as declared");
    }

    #[test]
    fn days_end_before_the_last_named() {
        let days = Days { from: 10, until: Some(20) };
        assert_eq!([9, 10, 19, 20].map(|day| days.contains(day)), [false, true, true, false]);
        assert!(!days.overlaps(Days { from: 20, until: None }) && days.overlaps(Days { from: 19, until: None }));
    }
}
