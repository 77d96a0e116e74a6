//! The walk over the meeting list: which meetings of the window there are.
//!
//! The meetings of a page are asked for as soon as the page is on disk, while the next ones are read. What keeps each
//! promise then:
//!
//! - The page is in the raw log and its meetings are in the ledger before any of them is asked, so no answer is ever of a
//!   meeting that nobody knows, and a ledger made anew from the raw log takes unfinished walks in too and is the same.
//! - A half list never counts: a meeting of a walk that is not whole stands in the ledger without the digest of its item.
//!   Published is what whole walks have listed; the first whole walk to list the meeting finds it new by the missing
//!   digest and makes its date due. Whatever was asked of it by then is not asked again.
//! - While the list is being read, no date is known to have no more work, so none is published in between
//!   ([`Extraction::open_dates`]).
//! - Numbers of meetings that share a key go by their order in the walk, so pages that were read do not change them.
//! - Newest first is kept among the meetings that are known. The vendor does not say in which order it lists them, so a run
//!   that may end early because of a budget reads the whole list first, and so does one that asks again for what is final:
//!   a refetch is begun for all its meetings or for none.

use std::collections::BTreeSet;

use super::items::parse_items;
use super::listed::{ListReader, Listed};
use super::recorder::Checkpoint;
use super::run::Extraction;
use super::stop::Stop;
use super::walk::{answer_record, page_record};
use super::work::Backlog;
use crate::event::Event;
use crate::ledger::Change;
use crate::raw_log::{Header, RAW_VERSION, RawKind, WalkEnd};

use crate::schema::Status;
use feishu_vc::{CallError, Endpoint, MeetingFilter, MeetingListRequest, Next, Page, PageGuard, RefusalClass};

const DAY_US: i64 = 86_400_000_000;
/// How far before the window we ask, and how far behind: whether the list filters by start or by end is not documented.
pub(super) const MARGIN_BEFORE_US: i64 = DAY_US;
pub(super) const MARGIN_BEHIND_US: i64 = 3 * DAY_US;
/// The vendor accepts at most a year; with its margins a slice stays below.
pub(super) const SLICE_US: i64 = 350 * DAY_US;
/// Longer than any real list: a million meetings.
const MOST_PAGES: u32 = 10_000;

impl Extraction {
    /// Lists the meetings of the window, tells the ledger of those that are new or changed, and puts those that are pending
    /// into the backlog, unless the list is to be whole first.
    pub(super) async fn list_meetings(&self, backlog: &mut Backlog<'_>) -> Result<(), Stop> {
        let (since_us, until_us) = self.settings.window_us;
        let filters: Vec<Option<String>> = match self.settings.meeting_nos.as_slice() {
            [] => vec![None],
            numbers => numbers.iter().collect::<BTreeSet<_>>().into_iter().cloned().map(Some).collect(),
        };
        for filter in &filters {
            let mut slice_since = since_us;
            while slice_since < until_us {
                let slice_until = until_us.min(slice_since.saturating_add(SLICE_US));
                self.list_slice((slice_since, slice_until), filter.as_deref(), backlog).await?;
                slice_since = slice_until;
            }
        }
        Ok(())
    }

    async fn list_slice(
        &self,
        window_us: (i64, i64),
        meeting_no: Option<&str>,
        backlog: &mut Backlog<'_>,
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
            requested_us: None,
            reader: ListReader::new(&self.settings.zone, window_us),
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
                    backlog.pages += 1;
                    let listed = slice.page(&page, &parameters, backlog).await?;
                    if !self.settings.list_is_first() {
                        self.offer_listed(backlog, listed)?;
                    }
                    self.listener.on_event(&Event::MeetingPage {
                        meetings: backlog.meetings,
                        to_list: backlog.to_list,
                        quality_calls_estimate: backlog.quality_calls_estimate,
                    });
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
                Err(CallError::Refused { class: RefusalClass::NotFound, answer, .. }) if meeting_no.is_some() => {
                    return slice.finish(answer.log_id).await;
                }
                Err(error) => {
                    if let Some(answer) = error.answer() {
                        let record = answer_record(Endpoint::MeetingList, answer, &parameters);
                        let requested_us = answer.requested_at.as_microsecond();
                        slice.refused(&error, requested_us, vec![record]).await?;
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
    requested_us: Option<i64>,
    reader: ListReader<'e>,
    /// Digests, told to the ledger once the walk is whole, so that a half list never counts.
    changes: Vec<Change>,
    dirty: BTreeSet<i32>,
    /// The dates that hold pages of this walk.
    touched: BTreeSet<i32>,
}

impl Slice<'_> {
    /// Files a page under every date it holds a meeting of, or under the day it was asked. Gives the keys of its meetings.
    async fn page(
        &mut self,
        page: &Page,
        parameters: &[(&'static str, String)],
        backlog: &mut Backlog<'_>,
    ) -> Result<Vec<String>, Stop> {
        let requested_us = *self.requested_us.get_or_insert(page.requested_at.as_microsecond());
        let today = self.extraction.settings.zone.day_of(requested_us);
        let ledger = self.extraction.recorder.ledger();
        let (mut dates, mut keys, mut changes) = (BTreeSet::new(), Vec::new(), Vec::new());
        for value in parse_items(page.list_json()) {
            match self.reader.item(&value) {
                Listed::Outside => {}
                Listed::Known { meeting_date } => {
                    dates.insert(meeting_date);
                }
                Listed::Unreadable => {
                    backlog.unreadable += 1;
                    dates.insert(today);
                    self.dirty.insert(today);
                }
                Listed::Meeting(meeting) => {
                    dates.insert(meeting.meeting_date());
                    backlog.meetings += 1;
                    let known = ledger.item_digest(&meeting.key).map_err(super::RecordError::from)?;
                    changes.extend(meeting.change(known.as_deref(), false));
                    if let Some(change) = meeting.change(known.as_deref(), true) {
                        self.dirty.insert(meeting.meeting_date());
                        self.changes.push(change);
                    }
                    keys.push(meeting.key);
                }
            }
        }
        if dates.is_empty() {
            dates.insert(today);
        }
        self.touched.extend(&dates);
        let checkpoint = Checkpoint {
            raw: Some((self.header(requested_us, None), dates.into_iter().collect())),
            pages: vec![page_record(page, parameters)],
            changes,
        };
        self.extraction.recorder.write(checkpoint).await?;
        backlog.listed.extend(keys.iter().filter(|_| self.extraction.settings.refetch).cloned());
        Ok(keys)
    }

    fn header(&self, requested_us: i64, end: Option<WalkEnd>) -> Header {
        Header {
            v: RAW_VERSION,
            run_id: self.extraction.settings.run_id.clone(),
            kind: RawKind::Meetings,
            unit: self.unit.clone(),
            requested_us,
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
        requested_us: i64,
        pages: Vec<crate::raw_log::PageRecord>,
    ) -> Result<(), Stop> {
        self.requested_us.get_or_insert(requested_us);
        let log_id = error.log_id().map(str::to_owned);
        let end = end_of(Status::Failed, error.to_string(), false, error.code(), log_id);
        self.close(end, pages, Vec::new()).await
    }

    async fn close(
        &mut self,
        end: WalkEnd,
        pages: Vec<crate::raw_log::PageRecord>,
        changes: Vec<Change>,
    ) -> Result<(), Stop> {
        let requested_us = self.requested_us.unwrap_or_else(|| (self.extraction.now_us)());
        if self.touched.is_empty() {
            self.touched.insert(self.extraction.settings.zone.day_of(requested_us));
        }
        let dates = std::mem::take(&mut self.touched).into_iter().collect();
        let checkpoint = Checkpoint { raw: Some((self.header(requested_us, Some(end)), dates)), pages, changes };
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
