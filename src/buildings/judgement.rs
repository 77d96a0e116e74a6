//! What a building file says, and what in it may not be meant.

use std::collections::BTreeSet;

use super::map::Node;
use super::{Buildings, Network};

/// What is to be said of a building file, all of its lines sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub networks: usize,
    /// Of these, IPv6.
    pub ipv6: usize,
    /// Rows: a network has several where it has changed, or is in several places behind different egresses.
    pub rows: usize,
    pub buildings: usize,
    /// Networks inside another, each with the nearest around it that holds on one of its days.
    pub overlaps: Vec<(Network, Network)>,
    /// Networks in the ranges of home routers that name no building, for want of an egress.
    pub home: Vec<Network>,
    /// Networks around a range of home routers, whose addresses in that range name no building for want of an egress.
    pub around_home: Vec<Network>,
}

impl Judgement {
    pub(crate) fn of(buildings: &Buildings) -> Judgement {
        let (entries, nodes) = (buildings.entries(), buildings.nodes());
        let overlaps = nodes.iter().filter_map(|node| Some((node.network, outer(buildings, node)?.network)));
        let is_open = |node: &&Node| entries[node.entries.clone()].iter().any(|entry| entry.egress.is_none());
        let open = || nodes.iter().filter(is_open).map(|node| node.network);
        Judgement {
            networks: nodes.len(),
            ipv6: nodes.iter().filter(|node| node.network.is_ipv6()).count(),
            rows: entries.len(),
            buildings: entries.iter().map(|entry| entry.building.as_str()).collect::<BTreeSet<_>>().len(),
            overlaps: overlaps.collect(),
            home: open().filter(|network| network.is_home()).collect(),
            around_home: open().filter(|network| network.is_around_home()).collect(),
        }
    }
}

/// The nearest network around a node that holds on one of its days.
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
