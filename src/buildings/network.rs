//! IP networks of both families, ordered so that a network sorts before everything inside it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::schema::parse;

/// Default ranges of home routers and phones; an address in them does not identify a place. The macro `is_home_range`
/// in `sql/views/020_participant_facts.sql` has the same list; a test compares them.
pub(crate) const HOME_RANGES: &[&str] =
    &["10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/24", "192.168.2.0/24", "172.20.10.0/24", "192.168.43.0/24"];

static HOME_NETWORKS: LazyLock<Vec<Network>> = LazyLock::new(|| {
    HOME_RANGES.iter().map(|range| Network::parse(range).expect("the constants are networks")).collect()
});

/// A network, or a single address as a network with a full-length prefix. Host bits are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpNet);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetworkError {
    #[error("is not an IPv4 or IPv6 address")]
    Address,
    #[error("has no prefix length; write a network like 10.1.2.0/24")]
    NoLength,
    #[error("the prefix length must be a whole number from 1 to {longest}")]
    Length { longest: u8 },
    #[error("is not a netmask like 255.255.255.0; write a prefix length such as 24")]
    Mask,
    /// `network` is probably what was meant.
    #[error("has host bits set; the network is {network}")]
    HostBits { network: Network },
}

impl Network {
    /// Parses `10.1.2.0/24`.
    pub(crate) fn parse(text: &str) -> Result<Network, NetworkError> {
        match text.split_once('/') {
            Some((address, length)) => Network::from_parts(address.trim(), length.trim()),
            None if text.parse::<IpAddr>().is_ok() => Err(NetworkError::NoLength),
            None => Err(NetworkError::Address),
        }
    }

    /// Parses an address and a prefix length, which may also be written as a netmask or as `24.0`.
    pub(crate) fn from_parts(address: &str, length: &str) -> Result<Network, NetworkError> {
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Address)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length = match length.parse::<Ipv4Addr>() {
            Ok(mask) if address.is_ipv4() => ones_of_mask(mask)?,
            _ => parse_length(length).unwrap_or(0),
        };
        if !(1..=longest).contains(&prefix_length) {
            return Err(NetworkError::Length { longest });
        }
        // An IPv4-mapped IPv6 network is the IPv4 network, as for addresses.
        let (address, prefix_length) = match address.to_canonical() {
            canonical @ IpAddr::V4(_) if address.is_ipv6() && prefix_length > 96 => (canonical, prefix_length - 96),
            _ => (address, prefix_length),
        };
        let given = IpNet::new_assert(address, prefix_length);
        let network = Network(given.trunc());
        if network.0 == given { Ok(network) } else { Err(NetworkError::HostBits { network }) }
    }

    /// Parses an address of `participants`, whole, masked or cut; `None` for other text.
    pub(crate) fn from_address(text: &str) -> Option<Network> {
        parse::address(text).map(Network)
    }

    /// Parses a single address.
    pub(super) fn single(text: &str) -> Option<Network> {
        let address: IpAddr = text.parse().ok()?;
        Some(Network(IpNet::from(address.to_canonical())))
    }

    pub(super) fn ip_net(self) -> IpNet {
        self.0
    }

    /// True if `other` is inside, or the same.
    pub(crate) fn contains(self, other: Network) -> bool {
        self.0.contains(&other.0)
    }

    pub(crate) fn prefix_length(self) -> u8 {
        self.0.prefix_len()
    }

    pub(crate) fn is_ipv6(self) -> bool {
        matches!(self.0, IpNet::V6(_))
    }

    /// The surrounding /24, or /48 for IPv6, like `subnet_of` in the views.
    pub(crate) fn subnet(self) -> Network {
        Network(parse::subnet(self.0))
    }

    /// True if it is in a default range of home routers.
    pub(crate) fn is_home(self) -> bool {
        HOME_NETWORKS.iter().any(|home| home.contains(self))
    }

    /// True if it contains a default range of home routers but is not one.
    pub(crate) fn contains_home_range(self) -> bool {
        !self.is_home() && HOME_NETWORKS.iter().any(|home| self.contains(*home))
    }
}

fn ones_of_mask(mask: Ipv4Addr) -> Result<u8, NetworkError> {
    let ones = mask.to_bits().leading_ones();
    let is_mask = ones + mask.to_bits().trailing_zeros() == u32::BITS;
    is_mask.then_some(ones as u8).ok_or(NetworkError::Mask)
}

/// A whole number, also as `24.0`: tools write that which read the column as decimal numbers.
fn parse_length(text: &str) -> Option<u8> {
    let whole = match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    // Rust would also accept `+24`.
    whole.parse().ok().filter(|_| whole.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn both_families_are_parsed_and_displayed() {
        for text in ["10.1.2.0/24", "10.0.0.0/8", "192.0.2.7/32", "2001:db8:7::/48", "fd00::/8", "128.0.0.0/1"] {
            assert_eq!(network(text).to_string(), text);
        }
        for text in ["10.1.2.0/255.255.255.0", "10.1.2.0/24.0", "10.1.2.0 / 24.00", "10.1.2.0/024"] {
            assert_eq!(network(text).to_string(), "10.1.2.0/24");
        }
        assert_eq!(network("10.1.2.4/255.255.255.255").to_string(), "10.1.2.4/32");
        assert_eq!(network("2001:DB8:0007:0::/48").to_string(), "2001:db8:7::/48");
        assert_eq!(network("::ffff:10.1.2.0/120"), network("10.1.2.0/24"), "an IPv4-mapped network");
    }

    #[test]
    fn an_invalid_network_has_a_reason() {
        for (text, why) in [
            ("10.1.2.0", "has no prefix length; write a network like 10.1.2.0/24"),
            ("10.1.2.0/33", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/0", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/24.5", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/24.", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/0.0.0.0", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/255.0.255.0", "is not a netmask like 255.255.255.0; write a prefix length such as 24"),
            ("10.1.2.0/0.0.0.255", "is not a netmask like 255.255.255.0; write a prefix length such as 24"),
            ("2001:db8::/255.255.0.0", "the prefix length must be a whole number from 1 to 128"),
            ("10.1.2.0/+24", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/", "the prefix length must be a whole number from 1 to 32"),
            ("2001:db8::/129", "the prefix length must be a whole number from 1 to 128"),
            ("10.1.2.7/24", "has host bits set; the network is 10.1.2.0/24"),
            ("2001:db8::1/64", "has host bits set; the network is 2001:db8::/64"),
            ("10.1.2/24", "is not an IPv4 or IPv6 address"),
            ("010.1.2.0/24", "is not an IPv4 or IPv6 address"),
            ("Harbour House", "is not an IPv4 or IPv6 address"),
        ] {
            assert_eq!(Network::parse(text).expect_err(text).to_string(), why, "{text}");
        }
    }

    #[test]
    fn home_ranges_equal_those_of_the_macro() {
        let sql = include_str!("../../sql/views/020_participant_facts.sql");
        let (_, rest) = sql.split_once("macro is_home_range").expect("the macro is_home_range");
        let list = rest.split('\'').nth(1).expect("the list");
        let macro_ranges: Vec<&str> = list.split_whitespace().collect();
        assert_eq!(macro_ranges, HOME_RANGES);
        assert!(network("192.168.1.64/26").is_home() && !network("192.168.0.0/16").is_home());
        assert!(network("192.168.0.0/16").contains_home_range() && !network("192.168.1.0/24").contains_home_range());
        // The macro compares subnets, so the ranges must have their length.
        assert!(HOME_NETWORKS.iter().all(|range| range.subnet() == *range && range.prefix_length() == 24));
    }

    prop_compose! {
        fn any_network()(v6 in any::<bool>(), bits in any::<u128>(), length in 1..=128_u8) -> Network {
            let address = match v6 {
                true => IpAddr::V6(Ipv6Addr::from_bits(bits)),
                false => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            };
            Network(parse::truncated(IpNet::from(address), length))
        }
    }

    proptest! {
        #[test]
        fn networks_read_back_the_same(network in any_network()) {
            // `::ffff:a.b.c.d` is parsed as IPv4.
            prop_assume!(!network.to_string().starts_with("::ffff:"));
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }

        #[test]
        fn a_network_sorts_before_everything_inside(outer in any_network(), inner in any_network()) {
            if outer.contains(inner) {
                prop_assert!(outer <= inner);
            }
            prop_assert!(outer.contains(outer));
        }
    }
}
