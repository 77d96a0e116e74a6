//! IP addresses, as Feishu reports them and as they are stored when they are cut.
//!
//! The macro `subnet_of` in `sql/views/020_participant_facts.sql` reads the same texts; a test compares them.

use std::net::IpAddr;

use ipnet::IpNet;

/// What a text says of an address: all of it, of a masked one (`10.11.3.*`) its /24, of a cut one (`10.11.3.64/26`,
/// `2001:db8:7::/48`) its network. `None` for other text. `::ffff:10.11.3.175` is an IPv4 address.
pub(crate) fn address(text: &str) -> Option<IpNet> {
    let text = text.trim_ascii();
    // fe80::1%eth0: ignore the interface of the sender.
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    let exact = match text.split_once('/') {
        None => single(text),
        Some((address, length)) => cut_address(address, length),
    };
    exact.or_else(|| masked_address(text))
}

fn single(text: &str) -> Option<IpNet> {
    let address: IpAddr = text.parse().ok()?;
    Some(IpNet::from(if text.contains('.') { address.to_canonical() } else { address }))
}

/// The network by which addresses are grouped: the /24, or the /48 of IPv6.
pub(crate) fn subnet(network: IpNet) -> IpNet {
    truncated(network, subnet_length(network))
}

/// The prefix length of [`subnet`], which is the least that is kept of an address.
pub(crate) fn subnet_length(network: IpNet) -> u8 {
    if matches!(network, IpNet::V4(_)) { 24 } else { 48 }
}

/// At most `length` bits of a network.
pub(crate) fn truncated(network: IpNet, length: u8) -> IpNet {
    IpNet::new_assert(network.addr(), length.min(network.prefix_len())).trunc()
}

/// `2001:db8:7::/48`. Nothing is cut to less than its subnet.
fn cut_address(address: &str, length: &str) -> Option<IpNet> {
    let network = single(address)?;
    let is_decimal = length.bytes().all(|byte| byte.is_ascii_digit()) && !length.starts_with('0');
    let length: u8 = length.parse().ok().filter(|_| is_decimal)?;
    if address.contains(':') && matches!(network, IpNet::V4(_)) {
        return (48..=128).contains(&length).then(|| truncated(network, length.saturating_sub(96).max(24)));
    }
    (subnet_length(network)..=network.prefix_len()).contains(&length).then(|| truncated(network, length))
}

/// `10.11.3.*`
fn masked_address(text: &str) -> Option<IpNet> {
    let (first_parts, last) = text.rsplit_once('.')?;
    let is_last = !last.is_empty() && !last.contains(|c: char| c.is_ascii_whitespace());
    let first = single(&format!("{first_parts}.0")).filter(|first| matches!(first, IpNet::V4(_)));
    first.filter(|_| is_last).map(subnet)
}
