//! One page of a list.

use std::ops::Range;
use std::time::Duration;

use jiff::Timestamp;

use crate::body::Body;
use crate::endpoint::Endpoint;

/// A successful response. The items are left unparsed.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub endpoint: Endpoint,
    pub http_status: u16,
    /// Feishu's request ID, to quote to support.
    pub log_id: Option<String>,
    /// Feishu's clock, from the `Date` header.
    pub server_date: Option<Timestamp>,
    /// When the successful request was sent.
    pub requested_at: Timestamp,
    /// From sending that request to the last byte of its response.
    pub elapsed: Duration,
    /// Requests sent for this call, failed and throttled ones included.
    pub requests: u32,
    /// The complete body as received, with the client's own secrets redacted.
    pub body: Body,
    /// Byte range in `body` of the JSON array `data.<list_key>`, brackets included. `null` is its own text; an absent
    /// list is an empty range.
    pub list: Range<usize>,
    pub item_count: usize,
    pub has_more: bool,
    /// Token of the next page, never empty. Valid only within the walk it belongs to.
    pub page_token: Option<String>,
}

impl Page {
    /// The JSON text of the list.
    pub fn list_json(&self) -> &[u8] {
        &self.body[self.list.clone()]
    }
}
