//! Whose identities are replaced in a store: those of everybody, of the dates that expired, and of people who are
//! forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identities::{Identities, rewritten_item};
use super::listed_items::EarlierItems;
use crate::commands::error::SyncError;
use crate::commands::identity::{IDENTITY, TOPICS, networks};
use crate::ledger::Ledger;
use crate::load::StorePaths;
use crate::personal_data::{Identity, Key, Networks, People, Pseudonyms, Topics, read_key};
use crate::raw_log::{DecodedCheckpoint, Header, Rewrite};
use crate::schema::TenantZone;

#[derive(Default)]
pub(in crate::commands) struct Replaced {
    pub identity: Identity,
    pub topics: Topics,
    /// Dates, also those with new responses since.
    pub expired: BTreeSet<i32>,
    /// Tokens of people.
    pub forgotten: BTreeSet<String>,
    /// `None` if this user may not read it.
    pub key: Option<Key>,
    pub networks: Networks,
}

impl Replaced {
    /// Also what a ledger that was lost or restored does not know.
    pub(in crate::commands) fn read(paths: &StorePaths, ledger: &Ledger) -> Result<Replaced, SyncError> {
        let mut expired = ledger.dates_expired_before()?;
        expired.extend(paths.expired_dates()?);
        let mut forgotten = ledger.forgotten()?;
        forgotten.extend(paths.lines(&paths.forgotten_file())?);
        Ok(Replaced {
            identity: ledger.setting(IDENTITY)?.and_then(|text| Identity::parse(&text)).unwrap_or_default(),
            topics: ledger.setting(TOPICS)?.and_then(|text| Topics::parse(&text)).unwrap_or_default(),
            expired,
            forgotten,
            key: read_key(&paths.identity_key()).ok().flatten(),
            networks: networks(paths)?,
        })
    }

    pub(in crate::commands) fn is_everybody(&self) -> bool {
        self.identity != Identity::Full || self.topics == Topics::Drop
    }

    pub(in crate::commands) fn is_nobody(&self) -> bool {
        !self.is_everybody() && self.expired.is_empty() && self.forgotten.is_empty()
    }

    /// What replaces values, on all dates or on those that expired. Tokens are recognised by their form, so without the
    /// key any other key shows what would be replaced.
    pub(in crate::commands) fn pseudonyms(&self, identity: Identity) -> Pseudonyms {
        let key = self.key.clone().unwrap_or_else(|| Key::new(&[0; Key::BYTES]));
        Pseudonyms::new(key, identity, self.topics, self.networks.clone())
    }

    /// Who is forgotten, where others are not replaced; `None` if nobody is, or without the key.
    pub(in crate::commands) fn people(&self) -> Option<(Arc<Pseudonyms>, People)> {
        self.key.as_ref()?;
        let pseudonyms = Arc::new(self.pseudonyms(Identity::Pseudonym));
        let people = People::of_tokens(&self.forgotten, Arc::clone(&pseudonyms));
        (self.identity == Identity::Full && !people.is_empty()).then_some((pseudonyms, people))
    }

    /// Replaces all of it again. Where nothing changes, nothing identifies them. Without the tenant's zone, meetings of
    /// expired dates on pages that are stored under later dates are left out.
    pub(in crate::commands) fn again(&self, zone: Option<TenantZone>) -> Again {
        let is_partly_full = self.identity == Identity::Full;
        Again {
            everybody: self.is_everybody().then(|| self.pseudonyms(self.identity)),
            expired: is_partly_full.then(|| (self.expired.clone(), self.pseudonyms(Identity::Pseudonym))),
            people: self.people(),
            zone,
        }
    }
}

/// The replacements of a store, to be applied to its raw files once more.
pub(in crate::commands) struct Again {
    everybody: Option<Pseudonyms>,
    expired: Option<(BTreeSet<i32>, Pseudonyms)>,
    people: Option<(Arc<Pseudonyms>, People)>,
    zone: Option<TenantZone>,
}

impl Again {
    /// Calls `act` with what replaces the meetings of expired dates on the pages of a later date, if there are some.
    fn on_later_pages(&self, date: i32, act: &mut dyn FnMut(&EarlierItems<'_>) -> bool) -> bool {
        let (Some((dates, pseudonyms)), Some(zone)) = (&self.expired, &self.zone) else { return false };
        let Some(last) = dates.last().filter(|last| **last < date) else { return false };
        act(&EarlierItems { before: last + 1, zone, replace: &|item| Some(rewritten_item(pseudonyms, item)) })
    }

    fn of_date(&self, date: i32) -> impl Iterator<Item = Identities<'_>> {
        let all = self.everybody.as_ref().map(|pseudonyms| Identities { pseudonyms, people: None });
        let expired = self.expired.as_ref().filter(|(dates, _)| dates.contains(&date));
        let expired = expired.map(|(_, pseudonyms)| Identities { pseudonyms, people: None });
        let people = self.people.as_ref();
        let people = people.map(|(pseudonyms, people)| Identities { pseudonyms, people: Some(people) });
        all.into_iter().chain(expired).chain(people)
    }
}

impl Rewrite for Again {
    fn reads(&self, header: &Header, meeting_date: i32) -> bool {
        self.of_date(meeting_date).any(|identities| identities.reads(header, meeting_date))
            || self.on_later_pages(meeting_date, &mut |earlier| earlier.reads(header, meeting_date))
    }

    fn change(&self, checkpoint: &mut DecodedCheckpoint, meeting_date: i32) -> bool {
        let rewrites =
            self.of_date(meeting_date).filter(|identities| identities.reads(&checkpoint.header, meeting_date));
        let rewrites: Vec<_> = rewrites.collect();
        let changed = rewrites.iter().fold(false, |changed, one| one.change(checkpoint, meeting_date) | changed);
        let mut change = |earlier: &EarlierItems<'_>| {
            earlier.reads(&checkpoint.header, meeting_date) && earlier.change(checkpoint, meeting_date)
        };
        self.on_later_pages(meeting_date, &mut change) | changed
    }
}
