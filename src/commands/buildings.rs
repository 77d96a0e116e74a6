//! `buildings`: imports a building file, and measures how much of the published data it covers.
//!
//! A file is parsed and checked before the store is touched, so an import is all or nothing. The store keeps
//! `buildings.csv` in its own format; every publication builds the tables `buildings` and `address_buildings` from it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::error::SyncError;
use super::republish::{RepublishSetup, Republished, republish};
use crate::buildings::{BuildingFile, Buildings, BuildingsError, BuildingsSummary, Days, FileFormat, Network};
use crate::load::{DatabaseOptions, LoadError, StorePaths, open_complete, read_generation};

pub(crate) const IMPORT: &str = "buildings import";

#[derive(Clone)]
pub(crate) struct ImportSetup {
    /// The store is created if missing, so that buildings can be imported before the first sync.
    pub publishing: RepublishSetup,
    pub file: PathBuf,
    /// The first day on which the file is valid, days since 1970-01-01; earlier imports are valid until then. If
    /// `None`, the file replaces all earlier imports.
    pub from: Option<i32>,
    /// The first day on which it is no longer valid.
    pub until: Option<i32>,
}

/// What is to be reported about a building file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub form: FileFormat,
    pub judgement: BuildingsSummary,
    /// Duplicate lines, each with the earlier line that it repeats.
    pub duplicates: Vec<(u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Imported {
    pub judged: Judged,
    pub earlier_rows: usize,
    /// Of these, those that stay valid until the file's first day.
    pub kept_rows: usize,
    /// The generation published with it; `None` if the next publication will be the first to use it.
    pub generation: Option<u64>,
    /// What was found while publishing.
    pub notes: Vec<String>,
}

/// Parses a building file and checks it. Changes nothing.
pub(crate) fn judge(file: &std::path::Path) -> Result<Judged, BuildingsError> {
    Ok(judged(BuildingFile::read(file, Days::ALL)?).0)
}

fn judged(file: BuildingFile) -> (Judged, Buildings) {
    let buildings = Buildings::new(file.entries);
    let judgement = BuildingsSummary::new(&buildings);
    (Judged { form: file.format, judgement, duplicates: file.duplicates }, buildings)
}

/// If the import fails, the store keeps what it had.
pub(crate) fn import(setup: &ImportSetup) -> Result<Imported, SyncError> {
    let days = Days { from: setup.from.unwrap_or_default(), until: setup.until };
    let (judged, buildings) = judged(BuildingFile::read(&setup.file, days)?);
    let (mut earlier_rows, mut kept_rows) = (0, 0);
    let Republished { generation, notes } = republish(&setup.publishing, |paths| {
        let earlier = Buildings::read(&paths.buildings());
        let buildings = match setup.from {
            Some(from) => {
                let earlier = earlier?;
                earlier_rows = earlier.entries().len();
                kept_rows = earlier.entries().iter().filter(|entry| entry.days.from < from).count();
                earlier.superseded_by(buildings, from)
            }
            // An unreadable earlier import is replaced like any other.
            None => {
                earlier_rows = earlier.map(|earlier| earlier.entries().len()).unwrap_or_default();
                buildings
            }
        };
        Ok(paths.write_buildings(&buildings.text())?)
    })?;
    Ok(Imported { judged, earlier_rows, kept_rows, generation, notes })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub in_building: u64,
    /// Without a building, in a private range of home routers.
    pub home: u64,
    /// Without a building, at another address.
    pub elsewhere: u64,
    /// Without a parsable address.
    pub without_address: u64,
}

impl Tally {
    pub(crate) fn with_address(self) -> u64 {
        self.in_building + self.home + self.elsewhere
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingSubnet {
    /// The /24, or the /48 of IPv6.
    pub subnet: Network,
    pub participants: u64,
    pub addresses: u64,
}

/// How much of the published data the building map covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    pub generation: u64,
    pub judgement: BuildingsSummary,
    pub participants: Tally,
    /// Distinct internal addresses; one that has a building on any day counts as in a building.
    pub addresses: Tally,
    /// Subnets without a building, most participants first, without those of home routers.
    pub missing: Vec<MissingSubnet>,
    /// Networks without participants, with their buildings.
    pub unmatched: Vec<(Network, String)>,
}

/// Compares the imported buildings with the published database. Takes no lock and changes nothing.
pub(crate) fn reach(store: &std::path::Path, options: DatabaseOptions) -> Result<Reach, SyncError> {
    let paths = StorePaths::existing(store)?;
    if !paths.buildings().exists() {
        return Err(BuildingsError::NoneImported { path: paths.buildings() }.into());
    }
    let buildings = Buildings::read(&paths.buildings())?;
    let connection = open_complete(&paths, options)?;
    let generation = read_generation(&connection, &paths)?;
    let mut count = Count::default();
    let failed = |source| LoadError::Duckdb { attempt: "read the addresses of", path: paths.database(), source };
    let mut statement = connection.prepare(PARTICIPATIONS).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let seen = Seen {
            internal_ip: row.get(0).map_err(failed)?,
            public_ip: row.get(1).map_err(failed)?,
            day: row.get(2).map_err(failed)?,
            participants: row.get(3).map_err(failed)?,
        };
        count.add(&buildings, &seen);
    }
    Ok(count.reach(&buildings, generation))
}

/// Each pair of addresses once per day.
const PARTICIPATIONS: &str = "
select coalesce(internal_ip, ''), public_ip, cast(meeting_date - date '1970-01-01' as integer), count(*)
from participants
group by internal_ip, public_ip, meeting_date";

struct Seen {
    internal_ip: String,
    public_ip: Option<String>,
    day: i32,
    participants: u64,
}

#[derive(Default)]
struct Count {
    participants: Tally,
    /// The addresses, and whether each was in a building on any day.
    addresses: HashMap<Network, bool>,
    /// By subnet: participants without a building, and their addresses.
    missing: HashMap<Network, (u64, HashSet<Network>)>,
    matched: HashSet<Network>,
}

impl Count {
    fn add(&mut self, buildings: &Buildings, seen: &Seen) {
        let Some(address) = Network::from_address(&seen.internal_ip) else {
            self.participants.without_address += seen.participants;
            return;
        };
        let public = seen.public_ip.as_deref().and_then(Network::from_address);
        let position = buildings.position(address, public, seen.day);
        *self.addresses.entry(address).or_default() |= position.is_some();
        match position {
            Some(position) => {
                self.participants.in_building += seen.participants;
                self.matched.insert(buildings.entries()[position].network);
            }
            None if address.is_home() => self.participants.home += seen.participants,
            None => {
                self.participants.elsewhere += seen.participants;
                let (participants, addresses) = self.missing.entry(address.subnet()).or_default();
                *participants += seen.participants;
                addresses.insert(address);
            }
        }
    }

    fn reach(self, buildings: &Buildings, generation: u64) -> Reach {
        let mut addresses = Tally::default();
        for (address, is_in_building) in &self.addresses {
            match (is_in_building, address.is_home()) {
                (true, _) => addresses.in_building += 1,
                (false, true) => addresses.home += 1,
                (false, false) => addresses.elsewhere += 1,
            }
        }
        let missing = self.missing.into_iter().map(|(subnet, (participants, addresses))| MissingSubnet {
            subnet,
            participants,
            addresses: addresses.len() as u64,
        });
        let mut missing: Vec<MissingSubnet> = missing.collect();
        missing.sort_by_key(|missing| (Reverse(missing.participants), missing.subnet));
        let entries = buildings.entries().iter().filter(|entry| !self.matched.contains(&entry.network));
        let mut unmatched: Vec<(Network, String)> =
            entries.map(|entry| (entry.network, entry.building.clone())).collect();
        unmatched.dedup_by_key(|(network, _)| *network);
        Reach {
            generation,
            judgement: BuildingsSummary::new(buildings),
            participants: self.participants,
            addresses,
            missing,
            unmatched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(internal_ip: &str, public_ip: &str, day: i32, participants: u64) -> Seen {
        let public_ip = (!public_ip.is_empty()).then(|| public_ip.to_owned());
        Seen { internal_ip: internal_ip.to_owned(), public_ip, day, participants }
    }

    #[test]
    fn every_participant_is_counted_once() {
        let file = "cidr,building,egress_cidr,valid_from\n10.1.2.0/24,A,,2026-11-01\n10.1.3.0/24,B,,\n\
                    192.168.1.0/24,C,203.0.113.7,\n";
        let file = BuildingFile::parse("f".as_ref(), file.as_bytes(), Days::ALL).expect("sound");
        let buildings = Buildings::new(file.entries);
        let mut count = Count::default();
        for seen in [
            seen("10.1.2.3", "", 20_757, 5),
            seen("10.1.2.3", "", 20_758, 7),
            seen("10.1.2.4", "", 20_757, 1),
            seen("10.8.2.4", "", 20_758, 6),
            seen("2001:db8:1::5", "", 20_758, 8),
            seen("192.168.1.2", "203.0.113.7", 20_758, 2),
            seen("192.168.1.2", "203.0.113.8", 20_758, 4),
            seen("192.168.1.3", "203.0.113.8", 20_758, 3),
            seen("", "203.0.113.8", 20_758, 9),
            seen("10.*.*.*", "", 20_758, 1),
        ] {
            count.add(&buildings, &seen);
        }
        let reach = count.reach(&buildings, 7);
        assert_eq!(reach.participants, Tally { in_building: 9, home: 7, elsewhere: 20, without_address: 10 });
        assert_eq!(reach.addresses, Tally { in_building: 2, home: 1, elsewhere: 3, without_address: 0 });
        let missing: Vec<String> = reach
            .missing
            .iter()
            .map(|missing| format!("{} {} {}", missing.subnet, missing.participants, missing.addresses))
            .collect();
        assert_eq!(missing, ["2001:db8:1::/48 8 1", "10.1.2.0/24 6 2", "10.8.2.0/24 6 1"]);
        let unmatched: Vec<&str> = reach.unmatched.iter().map(|(_, building)| building.as_str()).collect();
        assert_eq!((unmatched, reach.generation), (vec!["B"], 7));
    }
}
