//! Cutting addresses to their network.
//!
//! The network is that of `subnet_of` in the views, /24 or /48, or a smaller one where the building file needs it: so a
//! cut address belongs to the same subnet and the same building as the address. A cut address always names its prefix.

use std::collections::HashMap;

use ipnet::IpNet;

use crate::schema::parse::{address, subnet, subnet_length, truncated};

/// How far addresses may be cut, from the networks of the building file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Networks {
    /// The longest prefix inside each /24 and /48 that has a longer one.
    longer: HashMap<IpNet, u8>,
}

impl Networks {
    pub(crate) fn new(networks: impl IntoIterator<Item = IpNet>) -> Networks {
        let mut longer: HashMap<IpNet, u8> = HashMap::new();
        for network in networks {
            if network.prefix_len() > subnet_length(network) {
                let longest = longer.entry(subnet(network)).or_default();
                *longest = network.prefix_len().max(*longest);
            }
        }
        Networks { longer }
    }

    /// The network of an address; `None` for other texts. A masked address, and one that was cut before, perhaps with
    /// another building file, stays the network that it is.
    pub(crate) fn cut(&self, text: &str) -> Option<String> {
        let network = address(text)?;
        if network.prefix_len() < network.max_prefix_len() {
            return Some(network.to_string());
        }
        let length = self.longer.get(&subnet(network)).copied().unwrap_or(subnet_length(network));
        Some(truncated(network, length).to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ipnet::Ipv4Net;
    use proptest::prelude::*;

    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        Networks::new(texts.iter().map(|text| text.parse::<IpNet>().expect("a network")))
    }

    #[test]
    fn addresses_are_cut_to_the_network_that_is_needed() {
        let networks = networks(&["10.11.4.0/26", "10.11.4.0/25", "10.0.0.0/8", "10.11.5.7/32", "2001:db8:8:1::/64"]);
        for (address, cut) in [
            ("10.11.3.7", "10.11.3.0/24"),
            (" 10.11.3.7 ", "10.11.3.0/24"),
            ("10.11.4.200", "10.11.4.192/26"),
            ("10.11.5.7", "10.11.5.7/32"),
            ("::ffff:10.11.3.7", "10.11.3.0/24"),
            ("2001:db8:7:aa::1", "2001:db8:7::/48"),
            ("2001:DB8:8:1::99", "2001:db8:8:1::/64"),
            ("fe80::1%eth0", "fe80::/48"),
            ("10.11.3.*", "10.11.3.0/24"),
            ("10.11.3.xx", "10.11.3.0/24"),
            ("10.11.3.7:5060", "10.11.3.0/24"),
            ("10.11.4.*", "10.11.4.0/24"),
            ("10.11.4.192/26", "10.11.4.192/26"),
            ("10.11.4.193/32", "10.11.4.192/26"),
        ] {
            assert_eq!(networks.cut(address).as_deref(), Some(cut), "{address}");
        }
        for other in ["", "-", "27.xx.xx.183", "10.11.3", "10.11.3.", "alice", "13800138000", "999.1.2.3", "1.2.3/24"] {
            assert_eq!(networks.cut(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_address_is_in_the_same_subnet_and_the_same_networks(
            address in any::<u32>(), lengths in proptest::collection::vec((any::<u8>(), 1_u8..=32), 0..6),
        ) {
            let address = Ipv4Addr::from(address);
            let near: Vec<Ipv4Net> = lengths.iter().map(|(last, length)| {
                let [a, b, c, _] = address.octets();
                Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, *last), *length).trunc()
            }).collect();
            let networks = Networks::new(near.iter().map(|network| IpNet::V4(*network)));
            let cut = networks.cut(&address.to_string()).expect("an address");
            prop_assert_eq!(networks.cut(&cut), Some(cut.clone()), "twice is once");
            let cut: Ipv4Net = cut.parse().expect("a network");
            prop_assert!(cut.contains(&address) && cut.prefix_len() >= 24);
            for network in near {
                prop_assert_eq!(network.contains(&cut), network.contains(&address), "{} {}", network, cut);
            }
        }

        #[test]
        fn no_text_is_cut_to_something_longer_than_its_network(text in "[0-9a-f:./*x% ]{0,24}") {
            let networks = Networks::default();
            if let Some(cut) = networks.cut(&text) {
                let prefix = cut.parse::<IpNet>().expect("a network").prefix_len();
                prop_assert!(prefix <= 48 || text.contains('/'));
                prop_assert_eq!(networks.cut(&cut), Some(cut.clone()));
            }
        }
    }
}
