//! `buildings` and `address_buildings`: which network belongs to which building. Both are derived from `buildings.csv`.

use crate::schema::Kind::{Day, Flag, Id, Text};
use crate::schema::{Column as C, Storage, Table};

const BUILDING: C = C::derived("building", Text, "Name of the building, or of the network if the file has none.");
const FLOOR: C = C::derived("floor", Text, "Floor.");
const CITY: C = C::derived("city", Text, "City.");
const COUNTRY: C = C::derived("country", Text, "Country, as in the file.");
const REGION: C = C::derived("region", Text, "Region, as in the file.");
const IS_INSIDE: C = C::derived("is_inside", Flag, "True if the network belongs to the organisation.");
const IS_VPN: C = C::derived("is_vpn", Flag, "True if a VPN assigns the addresses of the network.");
const VALID_FROM: C =
    C::key("valid_from_date", Day, "First meeting date for which the row is valid; 1970-01-01: no lower bound.");
const VALID_UNTIL: C =
    C::derived("valid_until_date", Day, "First meeting date for which the row is no longer valid; NULL: still valid.");

pub(crate) const BUILDINGS: Table = Table {
    name: "buildings",
    doc: "The buildings file that was imported last: one row for each network and period of validity.",
    storage: Storage::DuckdbOnly,
    sort: &["network", "egress_cidr", "valid_from_date"],
    time_column: "",
    columns: &[
        C::key("network", Id, "The network, such as 10.1.2.0/24."),
        C::key(
            "egress_cidr",
            Id,
            "Applies only to participants whose public address is in this network. Empty: applies to all, except addresses in the ranges of home routers.",
        ),
        VALID_FROM,
        VALID_UNTIL,
        BUILDING,
        FLOOR,
        CITY,
        COUNTRY,
        IS_INSIDE,
        IS_VPN,
        C::derived("network_name", Text, "Name of the network."),
        C::derived("ownership_type", Text, "Who owns the building."),
        C::derived("building_type", Text, "Type of building."),
        C::derived("building_office_type", Text, "What the offices are used for."),
        C::derived("zip_code", Text, "Postal code."),
        C::derived("state", Text, "State or province."),
        REGION,
        C::derived("is_express_route", Flag, "ExpressRoute column of the Call Quality Dashboard's file, unchanged."),
    ],
};

pub(crate) const ADDRESS_BUILDINGS: Table = Table {
    name: "address_buildings",
    doc: "Where the internal addresses of `participants` are, according to `buildings`: one row for each address and period of validity. The periods of one address and public_ip do not overlap.",
    storage: Storage::Reference,
    sort: &["address", "public_ip", "valid_from_date"],
    time_column: "",
    columns: &[
        C::key("address", Id, "participants.internal_ip, as sent."),
        C::key(
            "public_ip",
            Id,
            "Applies to participants with this public_ip and takes precedence over rows without one. Empty: applies to all others.",
        ),
        VALID_FROM,
        VALID_UNTIL,
        C::derived("network", Id, "The row of `buildings` that applies: the longest matching prefix."),
        BUILDING,
        FLOOR,
        CITY,
        COUNTRY,
        REGION,
        IS_INSIDE,
        IS_VPN,
    ],
};
