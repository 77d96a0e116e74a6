//! A walk over the pages of one list of a meeting.

use jiff::Timestamp;

use super::items::{AnswerDigest, REFUSED};
use super::stop::Stop;
use super::task::MeetingTask;
use super::window::{Form, MeetingWindow};
use crate::raw_log::{PageRecord, WalkEnd};
use crate::schema::Status;
use feishu_vc::{
    CallError, Client, Endpoint, ErrorResponse, Page, Pages, PaginationError, RefusalClass, Reservation, WalkError,
    error_codes,
};

pub(super) type Parameters = feishu_vc::Query;
/// The query for a window and a page token.
pub(super) type Query<'a> = &'a (dyn Fn(MeetingWindow, Option<&str>) -> Parameters + Sync);

/// `Interrupted` contains the reason why the run, and this walk with it, ends, as text: [`Walk::stop`].
#[derive(Debug)]
pub(super) enum Outcome {
    Complete,
    // Feishu cannot serve this unit.
    Refused { class: RefusalClass, response: Box<ErrorResponse> },
    Failed(CallError),
    // The pages are inconsistent.
    Faulty(PaginationError),
    Interrupted(String),
}

#[derive(Debug)]
pub(super) struct Walk {
    pub requested_us: i64,
    pub pages: Vec<PageRecord>,
    /// How it ended; status, reason and finality are decided later.
    pub end: WalkEnd,
    pub outcome: Outcome,
    /// Whether the window of the last request was cut to a day.
    pub is_clamped: bool,
    /// Why the run ends with this walk, if it does.
    pub stop: Option<Stop>,
}

impl Walk {
    /// Appends another walk of the same unit: a second query, or the same query in another form.
    pub(super) fn then(mut self, mut next: Walk) -> Walk {
        self.pages.append(&mut next.pages);
        next.end.items += self.end.items;
        next.end.requests += self.end.requests;
        next.end.walks += self.end.walks;
        next.end.digest = self.end.digest + &next.end.digest;
        Walk { requested_us: self.requested_us, pages: self.pages, ..next }
    }
}

/// Walks a list of one meeting. If the window is refused as too long, the end is clamped once; if the start is not
/// found, it is floored to its minute once (which can make a window of exactly a day too long). The form that worked is
/// remembered in the task.
pub(super) async fn walk_list(
    client: &Client,
    endpoint: Endpoint,
    task: &MeetingTask,
    now_us: i64,
    (query, reserved): (Query<'_>, Option<&Reservation>),
    mut on_page: impl FnMut(&Page) + Send,
) -> Walk {
    let window = task.window;
    let mut form = task.form();
    let mut earlier: Option<Walk> = None;
    loop {
        let sent = window.in_form(form);
        let pages = client.pages(endpoint, |token| query(sent, token)).within(reserved);
        let mut walk = walk_pages(pages, endpoint, now_us, &mut on_page).await;
        walk.is_clamped = form.is_clamped;
        let refused_with = if matches!(walk.outcome, Outcome::Refused { .. }) { walk.end.api_code } else { None };
        let is_too_long = refused_with.is_some_and(error_codes::is_window_too_long);
        let is_not_found = refused_with.is_some_and(error_codes::is_meeting_not_found);
        let next = Form {
            is_clamped: form.is_clamped || (is_too_long && sent.is_over_a_day()),
            is_floored: form.is_floored || (is_not_found && !window.starts_on_a_minute()),
        };
        if let Some(earlier) = earlier {
            // The digest is that of the final answer: the attempts before it are not part of it.
            let digest = walk.end.digest.clone();
            walk = earlier.then(walk);
            walk.end.digest = digest;
        }
        if next == form {
            if matches!(walk.outcome, Outcome::Complete) {
                task.set_form(form);
            }
            return walk;
        }
        form = next;
        earlier = Some(walk);
    }
}

/// Walks the pages of a list from the first. `on_page` receives each page before the next is requested.
pub(super) async fn walk_pages<Q: Fn(Option<&str>) -> Parameters>(
    mut pages: Pages<'_, Q>,
    endpoint: Endpoint,
    now_us: i64,
    mut on_page: impl FnMut(&Page) + Send,
) -> Walk {
    let mut walk = Walk {
        requested_us: now_us,
        pages: Vec::new(),
        end: WalkEnd::new(Status::Pending, String::new(), None, None),
        outcome: Outcome::Complete,
        is_clamped: false,
        stop: None,
    };
    let mut digest = AnswerDigest::default();
    loop {
        match pages.next().await {
            Ok(Some(page)) => {
                if walk.pages.is_empty() {
                    walk.requested_us = page.requested_at.as_microsecond();
                }
                walk.end.requests += u64::from(page.requests);
                walk.end.items += page.item_count as u64;
                walk.end.api_code = Some(0);
                walk.end.log_id.clone_from(&page.log_id);
                digest.add_page(page.list_json());
                on_page(&page);
                walk.pages.push(page_record(&page, pages.query()));
            }
            Ok(None) => break,
            Err(WalkError::Pagination(error)) => {
                walk.outcome = Outcome::Faulty(error);
                break;
            }
            Err(WalkError::Call(error)) => {
                walk.end_with(error, endpoint, pages.query());
                break;
            }
        }
    }
    walk.end.digest = match &walk.outcome {
        Outcome::Refused { .. } => format!("{REFUSED}{}", walk.end.api_code.unwrap_or_default()),
        _ => digest.finish(),
    };
    walk
}

impl Walk {
    fn end_with(&mut self, error: CallError, endpoint: Endpoint, parameters: &Parameters) {
        self.end.log_id = error.log_id().map(str::to_owned).or(self.end.log_id.take());
        if let Some(response) = error.response() {
            if self.pages.is_empty() {
                self.requested_us = response.requested_at.as_microsecond();
            }
            self.end.requests += u64::from(response.requests);
            self.pages.push(refusal_record(endpoint, response, parameters));
        }
        if let CallError::Failed { requests, .. } = &error {
            self.end.requests += u64::from(*requests);
        }
        self.end.api_code = error.code().or(self.end.api_code);
        self.outcome = match Stop::from_call(error) {
            Ok(stop) => {
                // Not always the user's doing: the reason of one worker interrupts the others.
                let why = match &stop {
                    Stop::Cancelled => "the run ended".to_owned(),
                    other => other.to_string(),
                };
                self.stop = Some(stop);
                Outcome::Interrupted(why)
            }
            Err(CallError::Refused { class, response, .. }) => Outcome::Refused { class, response },
            Err(other) => Outcome::Failed(other),
        };
    }
}

pub(super) fn page_record(page: &Page, parameters: &Parameters) -> PageRecord {
    let elapsed_ms = u64::try_from(page.elapsed.as_millis()).unwrap_or(u64::MAX);
    let record =
        record("page", page.endpoint, page.requested_at, page.http_status, &page.log_id, &page.body, parameters);
    PageRecord { elapsed_ms, ..record }
}

pub(super) fn refusal_record(endpoint: Endpoint, response: &ErrorResponse, parameters: &Parameters) -> PageRecord {
    let ErrorResponse { requested_at, http_status, log_id, body, .. } = response;
    record("refusal", endpoint, *requested_at, *http_status, log_id, body, parameters)
}

fn record(
    record: &'static str,
    endpoint: Endpoint,
    requested_at: Timestamp,
    http_status: u16,
    log_id: &Option<String>,
    body: &[u8],
    parameters: &Parameters,
) -> PageRecord {
    let (response, response_text) = PageRecord::body(body);
    PageRecord {
        record: record.into(),
        endpoint: endpoint.name().into(),
        request: parameters.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect(),
        requested_utc: requested_at.to_string(),
        elapsed_ms: 0,
        http_status,
        log_id: log_id.clone(),
        response,
        response_text,
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
