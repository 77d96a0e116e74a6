//! IP networks of both families, as numbers that sort: a network stands before everything inside it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges that home routers and telephones hand out: an address in them names no place. The macro `is_home_range` of
/// `sql/views/020_participant_facts.sql` has the same list for readers without this program; a test compares.
pub(crate) const HOME_RANGES: &[&str] =
    &["10.0.0.0/24", "192.168.0.0/24", "192.168.1.0/24", "192.168.2.0/24", "172.20.10.0/24", "192.168.43.0/24"];

/// A network, or a single address as a network of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network {
    family: Family,
    /// The address, its first bit highest, for both families; zero behind the prefix.
    bits: u128,
    prefix_length: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn longest(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NetworkFlaw {
    /// No address of either family.
    #[error("is no IPv4 or IPv6 address")]
    Address,
    /// An address without its prefix length.
    #[error("has no prefix length; a network is written like 10.1.2.0/24")]
    NoLength,
    /// A prefix length that the family has not.
    #[error("the prefix length must be a whole number from 1 to {longest}")]
    Length {
        /// The longest of the family.
        longest: u8,
    },
    /// Bits behind the prefix.
    #[error("has bits set behind its prefix; the network is {network}")]
    HostBits {
        /// What was probably meant.
        network: Network,
    },
}

impl Network {
    /// Reads `10.1.2.0/24`.
    ///
    /// # Errors
    /// [`NetworkFlaw`].
    pub(crate) fn parse(text: &str) -> Result<Network, NetworkFlaw> {
        match text.split_once('/') {
            Some((address, length)) => Network::of(address.trim(), length.trim()),
            None if text.parse::<IpAddr>().is_ok() => Err(NetworkFlaw::NoLength),
            None => Err(NetworkFlaw::Address),
        }
    }

    /// Reads an address and a prefix length that stand in two columns.
    ///
    /// # Errors
    /// [`NetworkFlaw`].
    pub(crate) fn of(address: &str, length: &str) -> Result<Network, NetworkFlaw> {
        let address: IpAddr = address.parse().map_err(|_| NetworkFlaw::Address)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        // `+24` is a number for Rust and none for people.
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let prefix_length = digits
            .then(|| length.parse().ok())
            .flatten()
            .filter(|length| (1..=longest).contains(length))
            .ok_or(NetworkFlaw::Length { longest })?;
        let mut given = Network::whole(address);
        // An IPv4 network in IPv6's clothes; addresses that are seen lose them too.
        let is_mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
        given = match address {
            IpAddr::V6(v6) if is_mapped && prefix_length <= 96 => Network::v6(v6),
            _ => given,
        };
        let clothes = if is_mapped && prefix_length > 96 { 96 } else { 0 };
        let network = given.cut_to(prefix_length - clothes);
        if network.bits == given.bits { Ok(network) } else { Err(NetworkFlaw::HostBits { network }) }
    }

    /// Reads an address as the vendor sends it; `None` where it is none (masked, empty, a name).
    pub(crate) fn of_address(text: &str) -> Option<Network> {
        let text = text.trim();
        // fe80::1%eth0: the interface is the sender's own business.
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        text.parse().ok().map(Network::whole)
    }

    fn whole(address: IpAddr) -> Network {
        match address {
            IpAddr::V4(v4) => Network::v4(v4),
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| Network::v6(v6), Network::v4),
        }
    }

    fn v4(address: Ipv4Addr) -> Network {
        Network { family: Family::V4, bits: u128::from(address.to_bits()) << 96, prefix_length: 32 }
    }

    fn v6(address: Ipv6Addr) -> Network {
        Network { family: Family::V6, bits: address.to_bits(), prefix_length: 128 }
    }

    /// The network of that prefix length around this one.
    fn cut_to(self, prefix_length: u8) -> Network {
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix_length)).unwrap_or_default();
        Network { bits: self.bits & mask, prefix_length, ..self }
    }

    /// True where `other` is inside, or the same.
    pub(crate) fn contains(self, other: Network) -> bool {
        self.family == other.family
            && self.prefix_length <= other.prefix_length
            && other.cut_to(self.prefix_length).bits == self.bits
    }

    /// The length of the prefix, in bits.
    pub(crate) fn prefix_length(self) -> u8 {
        self.prefix_length
    }

    /// Whether it is an IPv6 network.
    pub(crate) fn is_ipv6(self) -> bool {
        self.family == Family::V6
    }

    /// The /24, or the /48 of IPv6, around it: as `subnet_of` of the views has it.
    pub(crate) fn subnet(self) -> Network {
        let length = match self.family {
            Family::V4 => 24,
            Family::V6 => 48,
        };
        self.cut_to(length.min(self.prefix_length))
    }

    /// True where all of it lies in a range that home routers hand out.
    pub(crate) fn is_home(self) -> bool {
        home_ranges().any(|home| home.contains(self))
    }

    /// True where it lies around a range that home routers hand out.
    pub(crate) fn is_around_home(self) -> bool {
        !self.is_home() && home_ranges().any(|home| self.contains(home))
    }

    /// The last address inside, as one that sorts behind every network inside.
    pub(super) fn as_upper_bound(self) -> Network {
        Network { prefix_length: self.family.longest(), ..self }
    }
}

fn home_ranges() -> impl Iterator<Item = Network> {
    HOME.iter().copied()
}

/// [`HOME_RANGES`] as networks.
static HOME: std::sync::LazyLock<Vec<Network>> = std::sync::LazyLock::new(|| {
    HOME_RANGES.iter().map(|range| Network::parse(range).expect("each range of the list is a network")).collect()
});

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family {
            // The upper 32 bits are the address.
            Family::V4 => write!(f, "{}/{}", Ipv4Addr::from_bits((self.bits >> 96) as u32), self.prefix_length),
            Family::V6 => write!(f, "{}/{}", Ipv6Addr::from_bits(self.bits), self.prefix_length),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn both_families_are_read_and_written() {
        for text in ["10.1.2.0/24", "10.0.0.0/8", "192.0.2.7/32", "2001:db8:7::/48", "fd00::/8", "128.0.0.0/1"] {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("2001:DB8:0007:0::/48").to_string(), "2001:db8:7::/48");
        assert_eq!(network("::ffff:10.1.2.0/120"), network("10.1.2.0/24"), "the same network in other clothes");
    }

    #[test]
    fn what_is_no_network_says_why() {
        for (text, why) in [
            ("10.1.2.0", "has no prefix length; a network is written like 10.1.2.0/24"),
            ("10.1.2.0/33", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/0", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/+24", "the prefix length must be a whole number from 1 to 32"),
            ("10.1.2.0/", "the prefix length must be a whole number from 1 to 32"),
            ("2001:db8::/129", "the prefix length must be a whole number from 1 to 128"),
            ("10.1.2.7/24", "has bits set behind its prefix; the network is 10.1.2.0/24"),
            ("2001:db8::1/64", "has bits set behind its prefix; the network is 2001:db8::/64"),
            ("10.1.2/24", "is no IPv4 or IPv6 address"),
            ("010.1.2.0/24", "is no IPv4 or IPv6 address"),
            ("Harbour House", "is no IPv4 or IPv6 address"),
        ] {
            assert_eq!(Network::parse(text).expect_err(text).to_string(), why, "{text}");
        }
    }

    #[test]
    fn addresses_are_read_as_the_vendor_sends_them() {
        let of = |text| Network::of_address(text).map(|address| address.to_string());
        assert_eq!(of(" 10.1.2.3 ").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(of("::ffff:10.1.2.3").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(of("fe80::1%eth0").as_deref(), Some("fe80::1/128"));
        assert_eq!([of("10.1.*.*"), of(""), of("10.1.2.3/32")], [None, None, None]);
    }

    #[test]
    fn home_ranges_are_those_of_the_macro() {
        let sql = include_str!("../../sql/views/020_participant_facts.sql");
        let (_, rest) = sql.split_once("subnet in (").expect("the macro is_home_range");
        let (list, _) = rest.split_once(')').expect("the end of the list");
        let of_macro: Vec<&str> = list.split(", ").map(|text| text.trim().trim_matches('\'')).collect();
        assert_eq!(of_macro, HOME_RANGES);
        assert!(network("192.168.1.64/26").is_home() && !network("192.168.0.0/16").is_home());
        assert!(network("192.168.0.0/16").is_around_home() && !network("192.168.1.0/24").is_around_home());
        // The macro asks for the subnet of an address, so ranges must be as long as that.
        assert!(home_ranges().all(|range| range.subnet() == range && range.prefix_length() == 24));
    }

    #[test]
    fn subnets_are_those_of_the_views() {
        let of = |text| Network::of_address(text).expect("an address").subnet().to_string();
        assert_eq!(of("10.11.3.175"), "10.11.3.0/24");
        assert_eq!(of("2001:db8:7:1::5"), "2001:db8:7::/48");
    }

    prop_compose! {
        fn any_network()(v6 in any::<bool>(), bits in any::<u128>(), length in 1..=128_u8) -> Network {
            let whole = if v6 { Network::v6(Ipv6Addr::from_bits(bits)) } else { Network::v4(Ipv4Addr::from_bits(bits as u32)) };
            whole.cut_to(if v6 { length } else { length.min(32) })
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(network in any_network()) {
            // `::ffff:a.b.c.d` is read as IPv4, which is what it is.
            prop_assume!(!network.to_string().starts_with("::ffff:"));
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(network));
        }

        #[test]
        fn a_network_sorts_before_what_is_inside_and_not_behind(outer in any_network(), inner in any_network()) {
            if outer.contains(inner) {
                prop_assert!(outer <= inner);
            }
            prop_assert!(outer.contains(outer));
        }
    }
}
