//! Reads the meeting list of a window into raw log and ledger.
//!
//! Meetings of a page are fetched as soon as the page is on disk, while the next pages are read. The rules behind it:
//!
//! - A page is in the raw log and its meetings are in the ledger before any of them is fetched. So no answer belongs to
//!   an unknown meeting, and a ledger rebuilt from the raw log, which includes incomplete walks, is the same.
//! - An incomplete walk is not published: its meetings are in the ledger without the digest of their item. The first
//!   complete walk that lists such a meeting finds it new by the missing digest and marks its date dirty. What was
//!   fetched of it by then is not fetched again.
//! - A meeting that an earlier page or walk listed keeps its key (`schema::meeting_keys`); what the pages alone do not
//!   say about that is in the headers of their checkpoints.
//! - Newest first holds among the known meetings. In which order Feishu lists them is not documented, so a run that may
//!   end early reads the complete list first, and so does a refetch, which begins for all of its meetings or for none.

use std::collections::{BTreeSet, HashSet};

use super::backlog::Backlog;
use super::items::parse_items;
use super::meeting_item::{ListReader, Listed};
use super::settings::Context;
use super::stop::Stop;
use super::walk::{Parameters, page_record, refusal_record};
use super::window::{ListSlice, list_slices};
use super::writer::{Checkpoint, WriteError};
use crate::event::Event;
use crate::ledger::Change;
use crate::raw_log::{Header, PageRecord, RAW_VERSION, RawKind, WalkEnd};
use crate::schema::meeting_keys::KnownMeeting;
use crate::schema::{Status, TimeWindow};
use feishu_vc::{CallError, Endpoint, MeetingFilter, MeetingListRequest, Page, RefusalClass, WalkError};

#[derive(Debug, Default)]
pub(super) struct ListProgress {
    /// Meetings of the window.
    pub meetings: u64,
    pub pages: u64,
    /// Meetings whose start cannot be read.
    pub unreadable: u64,
    /// The keys of the listed meetings, for a refetch.
    pub keys: HashSet<String>,
}

/// Reads the list to its end. Pending meetings are added to the backlog page by page, unless the complete list must be
/// read first.
pub(super) async fn read_meeting_list(
    context: &Context,
    backlog: &Backlog,
    progress: &mut ListProgress,
) -> Result<(), Stop> {
    let filters: Vec<Option<&String>> = match context.settings.meeting_nos.as_slice() {
        [] => vec![None],
        numbers => numbers.iter().collect::<BTreeSet<_>>().into_iter().map(Some).collect(),
    };
    for filter in filters {
        for slice in list_slices(context.settings.window_us, context.settings.longest_meeting_us, context.now_us()) {
            read_slice(context, slice, filter, backlog, progress).await?;
        }
    }
    Ok(())
}

async fn read_slice(
    context: &Context,
    slice: ListSlice,
    meeting_no: Option<&String>,
    backlog: &Backlog,
    progress: &mut ListProgress,
) -> Result<(), Stop> {
    let start_s = slice.requested_us.0.div_euclid(1_000_000).max(0);
    let end_s = slice.requested_us.1.div_euclid(1_000_000).max(start_s);
    let mut request = MeetingListRequest::new(start_s, end_s, context.settings.user_id_type);
    request.filter = meeting_no.map(|number| MeetingFilter::MeetingNo(number.clone()));
    let filter = meeting_no.map(|number| format!(" {number}")).unwrap_or_default();
    let mut walk = SliceWalk {
        context,
        window_us: slice.window_us,
        unit: format!("{start_s}..{end_s}{filter}"),
        requested_us: None,
        reader: ListReader::new(&context.settings.zone, TimeWindow::overlapping(slice.window_us)),
        changes: Vec::new(),
        dirty: BTreeSet::new(),
        dates: BTreeSet::new(),
    };
    let mut pages = context.client.pages(Endpoint::MeetingList, |token| request.query(token));
    let mut log_id = None;
    loop {
        match pages.next().await {
            Ok(Some(page)) => {
                progress.pages += 1;
                let keys = walk.add_page(&page, pages.query(), progress).await?;
                if !context.settings.reads_list_first() {
                    backlog.add_listed(context, &keys)?;
                }
                if context.settings.refetch {
                    progress.keys.extend(keys);
                }
                let (to_list, quality_calls_estimate) = backlog.added();
                context.listener.on_event(&Event::MeetingPage {
                    meetings: progress.meetings,
                    to_list,
                    quality_calls_estimate,
                });
                log_id = page.log_id;
            }
            Ok(None) => return walk.complete(log_id).await,
            Err(WalkError::Pagination(fault)) => {
                let end = WalkEnd::new(Status::Failed, fault.to_string(), Some(0), log_id.clone());
                walk.close(end, Vec::new(), Vec::new()).await?;
                return Err(Stop::MeetingList { log_id, fault });
            }
            // Feishu's response if no meeting has this number.
            Err(WalkError::Call(CallError::Refused { class: RefusalClass::NotFound, response, .. }))
                if meeting_no.is_some() =>
            {
                return walk.complete(response.log_id).await;
            }
            Err(WalkError::Call(error)) => {
                if let Some(response) = error.response() {
                    let record = refusal_record(Endpoint::MeetingList, response, pages.query());
                    walk.requested_us.get_or_insert(response.requested_at.as_microsecond());
                    let log_id = error.log_id().map(str::to_owned);
                    let end = WalkEnd::new(Status::Failed, error.to_string(), error.code(), log_id);
                    walk.close(end, vec![record], Vec::new()).await?;
                }
                return Err(match Stop::from_call(error) {
                    Ok(stop) => stop,
                    Err(error @ CallError::Refused { .. }) => Stop::MeetingListRefused(error),
                    Err(error) => Stop::Unreachable(error),
                });
            }
        }
    }
}

/// A walk over one slice of the window.
struct SliceWalk<'c> {
    context: &'c Context,
    window_us: (i64, i64),
    unit: String,
    requested_us: Option<i64>,
    reader: ListReader<'c>,
    /// Applied to the ledger once the walk is complete.
    changes: Vec<Change>,
    dirty: BTreeSet<i32>,
    /// The dates under which pages of this walk are stored.
    dates: BTreeSet<i32>,
}

impl SliceWalk<'_> {
    /// Stores a page under every date of its meetings, or under the day of the request. Returns the keys of its
    /// meetings.
    async fn add_page(
        &mut self,
        page: &Page,
        parameters: &Parameters,
        progress: &mut ListProgress,
    ) -> Result<Vec<String>, Stop> {
        let requested_us = *self.requested_us.get_or_insert(page.requested_at.as_microsecond());
        let today = self.context.settings.zone.day_of(requested_us);
        let (mut dates, mut keys, mut changes) = (BTreeSet::new(), Vec::new(), Vec::new());
        for value in parse_items(page.list_json()) {
            match self.reader.item(&value, self.context.ledger()).map_err(WriteError::from)? {
                Listed::Outside => {}
                Listed::Duplicate(meeting_date) => {
                    dates.insert(meeting_date);
                }
                Listed::Unreadable => {
                    progress.unreadable += 1;
                    dates.insert(today);
                    self.dirty.insert(today);
                }
                Listed::Meeting(meeting) => {
                    dates.insert(meeting.meeting_date());
                    progress.meetings += u64::from(!meeting.is_repeated);
                    let known = self.context.ledger().item_digest(&meeting.key).map_err(WriteError::from)?;
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
        self.dates.extend(&dates);
        let known = self.reader.take_noted();
        self.write(requested_us, known, None, dates, vec![page_record(page, parameters)], changes).await?;
        Ok(keys)
    }

    async fn write(
        &self,
        requested_us: i64,
        known: Vec<KnownMeeting>,
        end: Option<WalkEnd>,
        dates: BTreeSet<i32>,
        pages: Vec<PageRecord>,
        changes: Vec<Change>,
    ) -> Result<(), Stop> {
        let (run_id, unit) = (self.context.settings.run_id.clone(), self.unit.clone());
        let (kind, window_us) = (RawKind::Meetings, Some(self.window_us));
        let header = Header { v: RAW_VERSION, run_id, kind, unit, requested_us, window_us, known, end, bytes: 0 };
        let dates = dates.into_iter().collect();
        Ok(self.context.writer.write(Checkpoint { header, dates, pages, changes }).await?)
    }

    async fn complete(mut self, log_id: Option<String>) -> Result<(), Stop> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.extend(self.dirty.iter().map(|date| Change::Dirty { meeting_date: *date }));
        let end =
            WalkEnd { whole: true, ..WalkEnd::new(Status::Complete, "all pages read".to_owned(), Some(0), log_id) };
        self.close(end, Vec::new(), changes).await
    }

    /// Writes the end of the walk under every date that has pages of it.
    async fn close(&mut self, end: WalkEnd, pages: Vec<PageRecord>, changes: Vec<Change>) -> Result<(), Stop> {
        let requested_us = self.requested_us.unwrap_or_else(|| self.context.now_us());
        if self.dates.is_empty() {
            self.dates.insert(self.context.settings.zone.day_of(requested_us));
        }
        let dates = std::mem::take(&mut self.dates);
        self.write(requested_us, Vec::new(), Some(end), dates, pages, changes).await
    }
}
