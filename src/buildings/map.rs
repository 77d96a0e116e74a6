//! Where an address is: the longest prefix around it, on each day.
//!
//! The rule, in one place. Of the rows whose network holds the address, those count whose `egress_cidr` is empty or
//! holds the participant's public address; for an address of a home-router range only the latter, because everybody
//! may have it. Of those that count on a day the longest prefix wins, and of one network the longest egress.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use super::entry::file_text;
use super::{BuildingFile, BuildingsError, Days, Entry, Network};
use crate::schema::cell::Row;

/// The rows of a building file, made to be looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buildings {
    /// By network, egress and first day.
    entries: Vec<Entry>,
    /// Each network once, in order: one stands before what is inside it.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) network: Network,
    /// The network around it, where there is one.
    pub(super) parent: Option<usize>,
    pub(super) entries: Range<usize>,
}

impl Buildings {
    /// Takes entries of which no two with the same network and egress overlap in days.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Buildings {
        entries.sort_by_key(|entry| (entry.network, entry.egress, entry.days.from));
        let mut nodes: Vec<Node> = Vec::new();
        // The networks around the one at hand, outermost first.
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

    /// Reads the file that [`Buildings::text`] made. One that is not there is an empty one.
    ///
    /// # Errors
    /// [`BuildingsError::Stored`] where the system refuses it, or somebody changed it.
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

    /// The file of the store.
    pub(crate) fn text(&self) -> String {
        file_text(self.entries.iter())
    }

    /// What holds when `later` is taken over from a day on: what is here ends there, and what would begin there or later
    /// is gone. Stretches that meet and say the same become one, so that a file imported every month does not grow.
    #[must_use]
    pub(crate) fn followed_by(self, later: Buildings, from: i32) -> Buildings {
        let earlier = self.entries.into_iter().filter(|entry| entry.days.from < from).map(|mut entry| {
            entry.days.until = Some(entry.days.end().min(from));
            entry
        });
        let mut entries: Vec<Entry> = earlier.chain(later.entries).collect();
        entries.sort_by_key(|entry| (entry.network, entry.egress, entry.days.from));
        entries.dedup_by(|next, entry| {
            let meet = entry.days.until == Some(next.days.from) && entry.says_the_same(next);
            if meet {
                entry.days.until = next.days.until;
            }
            meet
        });
        Buildings::new(entries)
    }

    /// The rows, by network.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The rows of the table `buildings`.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.entries.iter().map(Entry::row).collect()
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The rows of the table `address_buildings` for addresses that were seen: each internal address with the public
    /// one beside it, in any order and as often as one likes. Those that are nowhere have no row.
    ///
    /// An address has rows without a public address, for whoever comes out anywhere, and rows of its own for each public
    /// address in an `egress_cidr` that matters to it; a reader takes the latter where there are some.
    pub(crate) fn places(&self, seen: impl Iterator<Item = (String, Option<String>)>) -> Vec<Row> {
        let mut done: HashSet<(String, String)> = HashSet::new();
        let mut rows = Vec::new();
        for (address, public_ip) in seen {
            let Some(network) = Network::of_address(&address) else { continue };
            let around = self.around(network);
            let public = public_ip.as_deref().and_then(Network::of_address);
            let is_special =
                |public| around.iter().any(|(_, entry)| entry.egress.is_some_and(|of| of.contains(public)));
            let special = public.filter(|public| is_special(*public)).and(public_ip);
            for (public_ip, public) in [(String::new(), None)].into_iter().chain(special.map(|text| (text, public))) {
                if done.insert((address.clone(), public_ip.clone())) {
                    let counting: Vec<&Entry> = counting(&around, public).map(|(_, entry)| entry).collect();
                    rows.extend(stretches(&counting).map(|(entry, days)| entry.place(&address, &public_ip, days)));
                }
            }
        }
        rows
    }

    /// The position in [`Buildings::entries`] of the row that holds for an address, its public address and a day.
    pub(crate) fn position(&self, address: Network, public: Option<Network>, day: i32) -> Option<usize> {
        let around = self.around(address);
        counting(&around, public).find(|(_, entry)| entry.days.contains(day)).map(|(position, _)| position)
    }

    /// The rows that an address may belong to, the best first; which of them count depends on the public address.
    fn around(&self, address: Network) -> Vec<(usize, &Entry)> {
        let bound = address.as_upper_bound();
        let mut at = self.nodes.partition_point(|node| node.network <= bound).checked_sub(1);
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

/// Those that count for a participant with that public address.
fn counting<'a>(around: &[(usize, &'a Entry)], public: Option<Network>) -> impl Iterator<Item = (usize, &'a Entry)> {
    around.iter().copied().filter(move |(_, entry)| match entry.egress {
        None => true,
        Some(egress) => public.is_some_and(|public| egress.contains(public)),
    })
}

/// Which entry holds when: of each day the first that holds on it, days of one entry that meet together.
fn stretches<'a>(counting: &[&'a Entry]) -> impl Iterator<Item = (&'a Entry, Days)> {
    let edges: BTreeSet<i32> = counting.iter().flat_map(|entry| [entry.days.from, entry.days.end()]).collect();
    let edges: Vec<i32> = edges.into_iter().collect();
    let mut stretches: Vec<(&Entry, Days)> = Vec::new();
    for edge in edges.windows(2) {
        let (from, end) = (edge[0], edge[1]);
        let until = (end != i32::MAX).then_some(end);
        let Some(entry) = counting.iter().find(|entry| entry.days.contains(from)) else { continue };
        match stretches.last_mut() {
            Some((last, days)) if std::ptr::eq(*last, *entry) && days.until == Some(from) => days.until = until,
            _ => stretches.push((entry, Days { from, until })),
        }
    }
    stretches.into_iter()
}
