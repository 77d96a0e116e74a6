//! The walk over the meeting list: which meetings of the window there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::items::list_items;
use super::ledger::Change;
use super::raw::{Header, RAW_VERSION, RawKind, WalkEnd};
use super::recorder::Checkpoint;
use super::reindex::devices;
use super::run::Extraction;
use super::stop::Stop;
use super::walk::{answer_record, page_record};
use super::watch::WatchEvent;
use serde_json::Value;

use crate::feishu::{CallError, Endpoint, MeetingFilter, MeetingListRequest, Next, Page, PageGuard, SkipClass};
use crate::schema::Status;
use crate::schema::identity::{Item, MeetingIdentity, Numbering, digest, digest_text};

const DAY_US: i64 = 86_400_000_000;
/// How far before the window we ask, and how far behind: whether the list filters by start or by end is not documented.
pub(super) const MARGIN_BEFORE_US: i64 = DAY_US;
pub(super) const MARGIN_BEHIND_US: i64 = 3 * DAY_US;
/// The vendor takes a year at most (126006); with its margins a slice stays below.
pub(super) const SLICE_US: i64 = 350 * DAY_US;
/// Longer than any real list: a million meetings.
const MOST_PAGES: u32 = 10_000;

/// What the list brought.
#[derive(Debug, Default)]
pub(super) struct MeetingsFound {
    /// Meetings of the window.
    pub meetings: u64,
    /// Pages of the list.
    pub pages: u64,
    /// Meetings whose start can't be read.
    pub unreadable: u64,
    /// The keys of the meetings, where the run asks again for what is final.
    pub listed: HashSet<String>,
}

impl Extraction {
    /// Lists the meetings of the window and tells the ledger of those that are new or changed.
    pub(super) async fn list_meetings(&self) -> Result<MeetingsFound, Stop> {
        let mut found = MeetingsFound::default();
        let (since_us, until_us) = self.settings.window_us;
        let filters: Vec<Option<String>> = match self.settings.meeting_nos.as_slice() {
            [] => vec![None],
            numbers => numbers.iter().collect::<BTreeSet<_>>().into_iter().cloned().map(Some).collect(),
        };
        for filter in &filters {
            let mut slice_since = since_us;
            while slice_since < until_us {
                let slice_until = until_us.min(slice_since.saturating_add(SLICE_US));
                self.list_slice((slice_since, slice_until), filter.as_deref(), &mut found).await?;
                slice_since = slice_until;
            }
        }
        Ok(found)
    }

    async fn list_slice(
        &self,
        window_us: (i64, i64),
        meeting_no: Option<&str>,
        found: &mut MeetingsFound,
    ) -> Result<(), Stop> {
        let now_us = (self.now_us)();
        let start_s = (window_us.0 - MARGIN_BEFORE_US).div_euclid(1_000_000).max(0);
        let end_s = window_us.1.saturating_add(MARGIN_BEHIND_US).min(now_us).div_euclid(1_000_000).max(start_s);
        let mut request = MeetingListRequest::new(start_s, end_s, self.settings.user_id_type);
        request.filter = meeting_no.map(|number| MeetingFilter::MeetingNo(number.to_owned()));
        let unit = match meeting_no {
            Some(number) => format!("{start_s}..{end_s} {number}"),
            None => format!("{start_s}..{end_s}"),
        };
        let mut slice = Slice {
            extraction: self,
            window_us,
            unit,
            asked_us: None,
            numbering: Numbering::default(),
            changes: Vec::new(),
            dirty: BTreeSet::new(),
            touched: BTreeSet::new(),
        };
        let mut guard = PageGuard::new(MOST_PAGES);
        let mut token: Option<String> = None;
        loop {
            let parameters = request.query(token.as_deref());
            match self.client.call(Endpoint::MeetingList, &parameters).await {
                Ok(page) => {
                    found.pages += 1;
                    slice.page(&page, &parameters, found).await?;
                    self.watch.event(WatchEvent::MeetingPage { meetings: found.meetings });
                    match guard.next(page.has_more, page.page_token.as_deref(), page.item_count) {
                        Ok(Next::Page(next)) => token = Some(next),
                        Ok(Next::Done) => return slice.finish(page.log_id).await,
                        Err(fault) => {
                            let end = end_of(Status::Failed, fault.to_string(), false, Some(0), page.log_id.clone());
                            slice.close(end, Vec::new(), Vec::new()).await?;
                            return Err(Stop::MeetingList { log_id: page.log_id, fault });
                        }
                    }
                }
                // The vendor's way of saying that no meeting has this number.
                Err(CallError::Refused { class: SkipClass::NotFound, answer, .. }) if meeting_no.is_some() => {
                    return slice.finish(answer.log_id).await;
                }
                Err(error) => {
                    if let Some(answer) = error.answer() {
                        let record = answer_record(Endpoint::MeetingList, answer, &parameters);
                        let asked_us = answer.asked_at.as_microsecond();
                        slice.refused(&error, asked_us, vec![record]).await?;
                    }
                    return Err(match Stop::of(error) {
                        Ok(stop) => stop,
                        Err(error @ CallError::Refused { .. }) => Stop::MeetingListRefused(error),
                        Err(error) => Stop::Unreachable(error),
                    });
                }
            }
        }
    }
}

/// A walk over one slice of the window.
struct Slice<'e> {
    extraction: &'e Extraction,
    window_us: (i64, i64),
    unit: String,
    asked_us: Option<i64>,
    numbering: Numbering,
    /// Told to the ledger once the walk is whole, so that a half list never counts.
    changes: Vec<Change>,
    dirty: BTreeSet<i32>,
    /// The dates that hold pages of this walk.
    touched: BTreeSet<i32>,
}

impl Slice<'_> {
    /// Files a page under every date it holds a meeting of, or under the day it was asked.
    async fn page(
        &mut self,
        page: &Page,
        parameters: &[(&'static str, String)],
        found: &mut MeetingsFound,
    ) -> Result<(), Stop> {
        let asked_us = *self.asked_us.get_or_insert(page.asked_at.as_microsecond());
        let zone = &self.extraction.settings.zone;
        let mut dates = BTreeSet::new();
        for value in list_items(&page.body, Endpoint::MeetingList.list_key()) {
            let empty = Item::new();
            let item = value.as_object().unwrap_or(&empty);
            match MeetingIdentity::of(item, zone) {
                Ok(identity) => {
                    if !(self.window_us.0..self.window_us.1).contains(&identity.start.utc_us) {
                        continue;
                    }
                    let meeting_date = identity.start.local_day();
                    dates.insert(meeting_date);
                    let Some(key) = self.numbering.key(&identity.key, &value) else { continue };
                    found.meetings += 1;
                    if self.extraction.settings.refetch {
                        found.listed.insert(key.clone());
                    }
                    self.learn(key, identity, &value, meeting_date)?;
                }
                Err(_) => {
                    found.unreadable += 1;
                    let today = zone.day_of(asked_us);
                    dates.insert(today);
                    self.dirty.insert(today);
                }
            }
        }
        if dates.is_empty() {
            dates.insert(zone.day_of(asked_us));
        }
        self.touched.extend(&dates);
        let checkpoint = Checkpoint {
            raw: Some((self.header(asked_us, None), dates.into_iter().collect())),
            pages: vec![page_record(page, parameters)],
            changes: Vec::new(),
        };
        Ok(self.extraction.recorder.write(checkpoint).await?)
    }

    /// Notes a meeting that the ledger does not know, or knows otherwise.
    fn learn(&mut self, key: String, identity: MeetingIdentity, item: &Value, meeting_date: i32) -> Result<(), Stop> {
        let item_digest = digest_text(&digest(item));
        let known = self.extraction.recorder.ledger().item_digest(&key).map_err(super::RecordError::from)?;
        if known.as_deref() != Some(&item_digest) {
            self.dirty.insert(meeting_date);
            self.changes.push(Change::Meeting { key, identity, devices: devices(item), item_digest });
        }
        Ok(())
    }

    fn header(&self, asked_us: i64, end: Option<WalkEnd>) -> Header {
        Header {
            v: RAW_VERSION,
            run_id: self.extraction.settings.run_id.clone(),
            kind: RawKind::Meetings,
            unit: self.unit.clone(),
            asked_us,
            window_us: Some(self.window_us),
            end,
            bytes: 0,
        }
    }

    /// The walk is whole: closes it in every date, and tells the ledger.
    async fn finish(mut self, log_id: Option<String>) -> Result<(), Stop> {
        let end = end_of(Status::Complete, "all pages read".to_owned(), true, Some(0), log_id);
        let mut changes = std::mem::take(&mut self.changes);
        changes.extend(self.dirty.iter().map(|date| Change::Dirty { meeting_date: *date }));
        self.close(end, Vec::new(), changes).await
    }

    async fn refused(
        &mut self,
        error: &CallError,
        asked_us: i64,
        pages: Vec<super::raw::PageRecord>,
    ) -> Result<(), Stop> {
        self.asked_us.get_or_insert(asked_us);
        let log_id = error.log_id().map(str::to_owned);
        let end = end_of(Status::Failed, error.to_string(), false, error.code(), log_id);
        self.close(end, pages, Vec::new()).await
    }

    async fn close(
        &mut self,
        end: WalkEnd,
        pages: Vec<super::raw::PageRecord>,
        changes: Vec<Change>,
    ) -> Result<(), Stop> {
        let asked_us = self.asked_us.unwrap_or_else(|| (self.extraction.now_us)());
        if self.touched.is_empty() {
            self.touched.insert(self.extraction.settings.zone.day_of(asked_us));
        }
        let dates = std::mem::take(&mut self.touched).into_iter().collect();
        let checkpoint = Checkpoint { raw: Some((self.header(asked_us, Some(end)), dates)), pages, changes };
        Ok(self.extraction.recorder.write(checkpoint).await?)
    }
}

fn end_of(status: Status, reason: String, whole: bool, api_code: Option<i64>, log_id: Option<String>) -> WalkEnd {
    WalkEnd {
        whole,
        status,
        reason,
        is_final: false,
        api_code,
        log_id,
        items: 0,
        digest: String::new(),
        requests: 0,
        walks: 1,
    }
}

/// How many quality calls a meeting will take, guessed from what the list says of it.
pub(super) fn guessed_calls(devices: i64, start_us: i64, end_us: Option<i64>) -> u64 {
    let minutes = end_us.map_or(0, |end_us| (end_us - start_us).max(0) / 60_000_000);
    let pages_each = minutes.max(1).unsigned_abs().div_ceil(100);
    devices.max(1).unsigned_abs().saturating_mul(pages_each)
}

/// Dates with work that is not done, by date: how many meetings.
pub(super) type OpenDates = BTreeMap<i32, u64>;
