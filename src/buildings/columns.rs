//! The columns of both formats of a building file.

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

/// The columns of the format with a heading, in the order in which they are written; a file may have them in any order.
pub(super) const NAMED_COLUMNS: &[(&str, Field)] = &[
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
/// "Upload tenant and building data"). The last one is optional.
pub(super) const CQD_COLUMNS: &[(&str, Field)] = &[
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
