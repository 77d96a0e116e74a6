//! Summary of the buildings of a valid file, including entries that may be unintended.

use std::collections::BTreeSet;

use super::map::{Buildings, Node};
use super::network::Network;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildingsSummary {
    pub networks: usize,
    /// The IPv6 networks among them.
    pub ipv6: usize,
    /// A network has several rows if it changed, or if it exists behind several egresses.
    pub rows: usize,
    pub buildings: usize,
    /// Networks inside another, with the nearest surrounding network that is valid on one of the same days.
    pub overlaps: Vec<(Network, Network)>,
    /// Networks in default ranges of home routers, which have no effect without an egress.
    pub home: Vec<Network>,
    /// Networks that contain such a range; they do not apply to addresses in it without an egress.
    pub around_home: Vec<Network>,
}

impl BuildingsSummary {
    pub(crate) fn new(buildings: &Buildings) -> BuildingsSummary {
        let (entries, nodes) = (buildings.entries(), buildings.nodes());
        let overlaps = nodes.iter().filter_map(|node| Some((node.network, outer(buildings, node)?.network)));
        let lacks_egress = |node: &&Node| entries[node.entries.clone()].iter().any(|entry| entry.egress.is_none());
        let without_egress = || nodes.iter().filter(lacks_egress).map(|node| node.network);
        BuildingsSummary {
            networks: nodes.len(),
            ipv6: nodes.iter().filter(|node| node.network.is_ipv6()).count(),
            rows: entries.len(),
            buildings: entries.iter().map(|entry| entry.building.as_str()).collect::<BTreeSet<_>>().len(),
            overlaps: overlaps.collect(),
            home: without_egress().filter(|network| network.is_home()).collect(),
            around_home: without_egress().filter(|network| network.contains_home_range()).collect(),
        }
    }
}

/// The nearest surrounding network that is valid on one of the same days.
fn outer<'a>(buildings: &'a Buildings, node: &Node) -> Option<&'a Node> {
    let (entries, nodes) = (buildings.entries(), buildings.nodes());
    let days = |node: &Node| entries[node.entries.clone()].iter().map(|entry| entry.days).collect::<Vec<_>>();
    let own = days(node);
    let mut outer = node.parent;
    while let Some(node) = outer.map(|at| &nodes[at]) {
        if days(node).iter().any(|days| own.iter().any(|own| own.overlaps(*days))) {
            return Some(node);
        }
        outer = node.parent;
    }
    None
}
