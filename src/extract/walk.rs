//! One walk over the pages of a list.

use serde_json::{Map, Value};

use super::items::AnswerDigest;
use super::stop::Stop;
use crate::raw_log::PageRecord;
use feishu_vc::{CallError, Client, Endpoint, ErrorResponse, Next, Page, PageGuard, PaginationError, RefusalClass};

/// The query of a page, by its token.
pub(super) type Query<'a> = &'a (dyn Fn(Option<&str>) -> Vec<(&'static str, String)> + Sync);

/// How a walk ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Every page was read.
    Whole,
    /// The vendor has no answer for this unit.
    Refused {
        class: RefusalClass,
        answer: Box<ErrorResponse>,
    },
    Failed(CallError),
    /// The pages make no sense.
    Broken(PaginationError),
    /// The run ends, and this walk with it; why, in words. The reason itself is [`Walked::stop`].
    Cut(String),
}

/// What a walk brought.
#[derive(Debug)]
pub(super) struct Walked {
    /// When the first request went out, microseconds UTC.
    pub requested_us: i64,
    /// The answers, refusals included.
    pub pages: Vec<PageRecord>,
    /// Items over all pages.
    pub items: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Walks from a first page on.
    pub walks: u64,
    /// The vendor's code in the last answer.
    pub api_code: Option<i64>,
    /// The vendor's log id of the last answer.
    pub log_id: Option<String>,
    /// Digest of the items.
    pub digest: String,
    pub outcome: Outcome,
    /// Why the run ends with this walk, if it does.
    pub stop: Option<Stop>,
}

impl Walked {
    /// Puts another walk of the same unit behind this one: a second query, or the same in another form.
    pub(super) fn then(mut self, mut next: Walked) -> Walked {
        self.pages.append(&mut next.pages);
        Walked {
            requested_us: self.requested_us,
            pages: self.pages,
            items: self.items + next.items,
            requests: self.requests + next.requests,
            walks: self.walks + next.walks,
            digest: format!("{}{}", self.digest, next.digest),
            ..next
        }
    }
}

/// Longer than any walk of one unit: an audience of a hundred thousand; and of one participant's minutes ten days, where
/// the vendor takes one.
fn most_pages(endpoint: Endpoint) -> u32 {
    match endpoint {
        Endpoint::ParticipantQualityList => 144,
        Endpoint::MeetingList | Endpoint::ParticipantList => 1_000,
    }
}
/// A walk is held in memory until it is written down. That audience has some 100 MB.
const MOST_BYTES: usize = 256 << 20;

/// Walks the pages of a list from the first on. `on_page` sees each page before the next is asked.
pub(super) async fn walk(
    client: &Client,
    endpoint: Endpoint,
    query: Query<'_>,
    now_us: i64,
    mut on_page: impl FnMut(&Page) + Send,
) -> Walked {
    let mut walked = Walked {
        requested_us: now_us,
        pages: Vec::new(),
        items: 0,
        requests: 0,
        walks: 1,
        api_code: None,
        log_id: None,
        digest: String::new(),
        outcome: Outcome::Whole,
        stop: None,
    };
    let mut digest = AnswerDigest::default();
    let mut guard = PageGuard::new(most_pages(endpoint));
    let mut token: Option<String> = None;
    let mut bytes = 0;
    loop {
        let parameters = query(token.as_deref());
        match client.call(endpoint, &parameters).await {
            Ok(page) => {
                if walked.pages.is_empty() {
                    walked.requested_us = page.requested_at.as_microsecond();
                }
                walked.requests += u64::from(page.requests);
                walked.items += page.item_count as u64;
                walked.api_code = Some(0);
                walked.log_id.clone_from(&page.log_id);
                digest.page(page.list_json());
                on_page(&page);
                bytes += page.body.len();
                walked.pages.push(page_record(&page, &parameters));
                match guard.next(page.has_more, page.page_token.as_deref(), page.item_count) {
                    Ok(Next::Page(_)) if bytes > MOST_BYTES => {
                        walked.outcome = Outcome::Broken(PaginationError::TooManyBytes { limit: MOST_BYTES });
                        break;
                    }
                    Ok(Next::Page(next)) => token = Some(next),
                    Ok(Next::Done) => break,
                    Err(fault) => {
                        walked.outcome = Outcome::Broken(fault);
                        break;
                    }
                }
            }
            Err(error) => {
                walked.log_id = error.log_id().map(str::to_owned).or(walked.log_id);
                if let Some(answer) = error.answer() {
                    if walked.pages.is_empty() {
                        walked.requested_us = answer.requested_at.as_microsecond();
                    }
                    walked.requests += u64::from(answer.requests);
                    walked.pages.push(answer_record(endpoint, answer, &parameters));
                }
                if let CallError::Failed { requests, .. } = &error {
                    walked.requests += u64::from(*requests);
                }
                walked.api_code = error.code().or(walked.api_code);
                walked.outcome = match Stop::of(error) {
                    Ok(stop) => {
                        // Not always the user's doing: one worker's reason cuts off the others.
                        let why = match &stop {
                            Stop::Cancelled => "the run ended".to_owned(),
                            other => other.to_string(),
                        };
                        walked.stop = Some(stop);
                        Outcome::Cut(why)
                    }
                    Err(CallError::Refused { class, answer, .. }) => Outcome::Refused { class, answer },
                    Err(other) => Outcome::Failed(other),
                };
                break;
            }
        }
    }
    walked.digest = match &walked.outcome {
        Outcome::Refused { .. } => format!("code {}", walked.api_code.unwrap_or_default()),
        _ => digest.finish(),
    };
    walked
}

/// An answered page as a line of the raw log.
pub(super) fn page_record(page: &Page, parameters: &[(&'static str, String)]) -> PageRecord {
    let (response, response_text) = PageRecord::body(&page.body);
    PageRecord {
        record: "page",
        endpoint: page.endpoint.name(),
        request: request(parameters),
        requested_utc: page.requested_at.to_string(),
        elapsed_ms: u64::try_from(page.elapsed.as_millis()).unwrap_or(u64::MAX),
        http_status: page.http_status,
        log_id: page.log_id.clone(),
        response,
        response_text,
    }
}

/// A refusal as a line of the raw log.
pub(super) fn answer_record(
    endpoint: Endpoint,
    answer: &ErrorResponse,
    parameters: &[(&'static str, String)],
) -> PageRecord {
    let (response, response_text) = PageRecord::body(&answer.body);
    PageRecord {
        record: "refusal",
        endpoint: endpoint.name(),
        request: request(parameters),
        requested_utc: answer.requested_at.to_string(),
        elapsed_ms: 0,
        http_status: answer.http_status,
        log_id: answer.log_id.clone(),
        response,
        response_text,
    }
}

fn request(parameters: &[(&'static str, String)]) -> Map<String, Value> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect()
}
