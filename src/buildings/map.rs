//! The building of an address: the longest matching prefix, on each day.
//!
//! The rule: an entry applies if its network contains the address, and its egress is empty or contains the
//! participant's public address. In default ranges of home routers the egress is required, because those addresses are
//! not unique. Among the entries that apply on a day, the longest prefix wins; within one network, the longest egress
//! prefix.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use ipnet::IpNet;

use super::days::Days;
use super::entry::{Entry, file_text};
use super::error::BuildingsError;
use super::file::BuildingFile;
use super::network::Network;
use crate::schema::cell::Row;

/// The entries of a building file, indexed for lookup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buildings {
    /// Sorted by network, egress and first day.
    entries: Vec<Entry>,
    /// The distinct networks, sorted: each before those inside it.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) network: Network,
    /// The nearest surrounding network.
    pub(super) parent: Option<usize>,
    pub(super) entries: Range<usize>,
}

impl Buildings {
    /// The entries must not overlap in dates if they have the same network and egress.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Buildings {
        entries.sort_by_key(|entry| (entry.network, entry.egress, entry.days.from));
        let mut nodes: Vec<Node> = Vec::new();
        // The networks around the current one, outermost first.
        let mut around: Vec<usize> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(node) = nodes.last_mut().filter(|node| node.network == entry.network) {
                node.entries.end = at + 1;
                continue;
            }
            while around.last().is_some_and(|outer| !nodes[*outer].network.contains(entry.network)) {
                around.pop();
            }
            let parent = around.last().copied();
            around.push(nodes.len());
            nodes.push(Node { network: entry.network, parent, entries: at..at + 1 });
        }
        Buildings { entries, nodes }
    }

    /// Reads a file written with [`Buildings::text`]. A missing file is an empty one; other errors are
    /// [`BuildingsError::Stored`].
    pub(crate) fn read(path: &Path) -> Result<Buildings, BuildingsError> {
        match BuildingFile::read(path, Days::ALL) {
            Ok(file) => Ok(Buildings::new(file.entries)),
            Err(BuildingsError::Empty { .. }) => Ok(Buildings::default()),
            Err(BuildingsError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Ok(Buildings::default())
            }
            Err(error) => Err(BuildingsError::Stored { path: path.to_path_buf(), source: Box::new(error) }),
        }
    }

    /// The contents of the store's building file.
    pub(crate) fn text(&self) -> String {
        file_text(self.entries.iter())
    }

    /// Replaces these buildings by `later` from a day on: entries end on that day, and entries that begin later are
    /// removed. Adjacent equal entries are merged, so a file imported every month does not grow.
    #[must_use]
    pub(crate) fn superseded_by(self, later: Buildings, from: i32) -> Buildings {
        let earlier = self.entries.into_iter().filter(|entry| entry.days.from < from).map(|mut entry| {
            entry.days.until = Some(entry.days.end().min(from));
            entry
        });
        let mut entries: Vec<Entry> = earlier.chain(later.entries).collect();
        entries.sort_by_key(|entry| (entry.network, entry.egress, entry.days.from));
        entries.dedup_by(|next, entry| {
            let is_continued = entry.days.until == Some(next.days.from) && entry.is_same_place(next);
            if is_continued {
                entry.days.until = next.days.until;
            }
            is_continued
        });
        Buildings::new(entries)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The rows of the table `buildings`.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.entries.iter().map(Entry::row).collect()
    }

    /// The networks that an address is compared with, its public address included. A cut address is in the same
    /// building if its prefix is as long as the longest of these in its /24, or /48.
    pub(crate) fn networks(&self) -> impl Iterator<Item = IpNet> {
        self.entries.iter().flat_map(|entry| [Some(entry.network), entry.egress]).flatten().map(Network::ip_net)
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The rows of the table `address_buildings` for pairs of internal and public address, in any order and with
    /// repetitions. Addresses without a building have no row.
    ///
    /// An address has rows without a public address, which apply to any, and additional rows for each public address in
    /// an egress that matters to it; readers prefer the latter.
    pub(crate) fn address_rows(&self, seen: impl Iterator<Item = (String, Option<String>)>) -> Vec<Row> {
        let mut done: HashSet<(String, String)> = HashSet::new();
        let mut rows = Vec::new();
        for (address, public_ip) in seen {
            let Some(network) = Network::from_address(&address) else { continue };
            let around = self.around(network);
            let public = public_ip.as_deref().and_then(Network::from_address);
            let is_egress =
                |public| around.iter().any(|(_, entry)| entry.egress.is_some_and(|egress| egress.contains(public)));
            let egress = public.filter(|public| is_egress(*public)).and(public_ip);
            for (public_ip, public) in [(String::new(), None)].into_iter().chain(egress.map(|text| (text, public))) {
                if done.insert((address.clone(), public_ip.clone())) {
                    let entries: Vec<&Entry> = applicable(&around, public).map(|(_, entry)| entry).collect();
                    let days = best_by_day(&entries);
                    rows.extend(days.into_iter().map(|(entry, days)| entry.address_row(&address, &public_ip, days)));
                }
            }
        }
        rows
    }

    /// The position in [`Buildings::entries`] of the entry for an address, its public address and a day.
    pub(crate) fn position(&self, address: Network, public: Option<Network>, day: i32) -> Option<usize> {
        let around = self.around(address);
        applicable(&around, public).find(|(_, entry)| entry.days.contains(day)).map(|(position, _)| position)
    }

    /// The entries whose network contains a single address, best first. Which of them apply depends on the public
    /// address.
    fn around(&self, address: Network) -> Vec<(usize, &Entry)> {
        let mut at = self.nodes.partition_point(|node| node.network <= address).checked_sub(1);
        let mut found = Vec::new();
        while let Some(node) = at.map(|at| &self.nodes[at]) {
            if node.network.contains(address) {
                let outer = found.len();
                found.extend(node.entries.clone().map(|position| (position, &self.entries[position])));
                found[outer..].sort_by_key(|(_, entry)| Reverse(entry.egress.map(Network::prefix_length)));
            }
            at = node.parent;
        }
        if address.is_home() {
            found.retain(|(_, entry)| entry.egress.is_some());
        }
        found
    }
}

/// The entries that apply to a participant with that public address.
fn applicable<'a>(around: &[(usize, &'a Entry)], public: Option<Network>) -> impl Iterator<Item = (usize, &'a Entry)> {
    around.iter().copied().filter(move |(_, entry)| match entry.egress {
        None => true,
        Some(egress) => public.is_some_and(|public| egress.contains(public)),
    })
}

/// The first valid entry of each day, with adjacent days of one entry merged.
fn best_by_day<'a>(entries: &[&'a Entry]) -> Vec<(&'a Entry, Days)> {
    let edges: BTreeSet<i32> = entries.iter().flat_map(|entry| [entry.days.from, entry.days.end()]).collect();
    let edges: Vec<i32> = edges.into_iter().collect();
    let mut ranges: Vec<(&Entry, Days)> = Vec::new();
    for edge in edges.windows(2) {
        let (from, end) = (edge[0], edge[1]);
        let until = (end != i32::MAX).then_some(end);
        let Some(entry) = entries.iter().find(|entry| entry.days.contains(from)) else { continue };
        match ranges.last_mut() {
            Some((last, days)) if std::ptr::eq(*last, *entry) && days.until == Some(from) => days.until = until,
            _ => ranges.push((entry, Days { from, until })),
        }
    }
    ranges
}
