//! Which network is which building, and where the addresses that were seen are. Both follow from `buildings.csv` of the
//! store; DuckDB only.

use crate::schema::Column as C;
use crate::schema::Kind::{Day, Flag, Id, Text};
use crate::schema::{Storage, Table};

const NETWORK: C =
    C::optional("network", "", Id, "The row of buildings that holds: the longest prefix around the address.");
const BUILDING: C = C::optional("building", "", Text, "Name of the building; of the network where the file has none.");
const FLOOR: C = C::optional("floor", "", Text, "Floor.");
const CITY: C = C::optional("city", "", Text, "City.");
const COUNTRY: C = C::optional("country", "", Text, "Country, as the file has it.");
const REGION: C = C::optional("region", "", Text, "Region, as the file has it.");
const IS_INSIDE: C = C::optional("is_inside", "", Flag, "True where the network is the organisation's own.");
const IS_VPN: C = C::optional("is_vpn", "", Flag, "True where addresses of the network are handed out by a VPN.");
const VALID_FROM: C =
    C::key("valid_from_date", "", Day, "First meeting date on which it holds; 1970-01-01: from the beginning.");
const VALID_UNTIL: C =
    C::optional("valid_until_date", "", Day, "First meeting date on which it no longer holds; NULL: it still holds.");

/// One row a network and stretch of days.
pub(crate) const BUILDINGS: Table = Table {
    name: "buildings",
    doc: "The building file that was imported last: one row for each network and stretch of days.",
    storage: Storage::DuckdbOnly,
    sort: &["network", "egress_cidr", "valid_from_date"],
    time_column: "",
    columns: &[
        C::key("network", "", Id, "The network, such as 10.1.2.0/24."),
        C::key(
            "egress_cidr",
            "",
            Id,
            "Counts only for participants whose public address is in this network; empty: for all, but for nobody in the ranges of home routers.",
        ),
        VALID_FROM,
        VALID_UNTIL,
        BUILDING,
        FLOOR,
        CITY,
        COUNTRY,
        IS_INSIDE,
        IS_VPN,
        C::optional("network_name", "", Text, "Name of the network."),
        C::optional("ownership_type", "", Text, "Who owns the building."),
        C::optional("building_type", "", Text, "Kind of building."),
        C::optional("building_office_type", "", Text, "What the offices are for."),
        C::optional("zip_code", "", Text, "Postal code."),
        C::optional("state", "", Text, "State or province."),
        REGION,
        C::optional("is_express_route", "", Flag, "ExpressRoute of the Call Quality Dashboard's file, as it is there."),
    ],
};

/// One row an address and stretch of days.
pub(crate) const ADDRESS_BUILDINGS: Table = Table {
    name: "address_buildings",
    doc: "Where the internal addresses of `participants` are, by `buildings`: one row for each address and stretch of days. The stretches of one address and public_ip do not overlap.",
    storage: Storage::DuckdbOnly,
    sort: &["address", "public_ip", "valid_from_date"],
    time_column: "",
    columns: &[
        C::key("address", "", Id, "participants.internal_ip, as sent."),
        C::key(
            "public_ip",
            "",
            Id,
            "Holds for participants with this public_ip, and wins over the address's rows without one; empty: for all others.",
        ),
        VALID_FROM,
        VALID_UNTIL,
        NETWORK,
        BUILDING,
        FLOOR,
        CITY,
        COUNTRY,
        REGION,
        IS_INSIDE,
        IS_VPN,
    ],
};
