//! Errors of calls that return no page.
//!
//! Each error names the endpoint and the host, carries Feishu's log ID, and keeps its cause as source. No text contains
//! a secret, a query, or an ID from the query: Feishu's message is redacted before it is stored here.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::body::Body;
use crate::effects::Cause;
use crate::endpoint::Endpoint;
use crate::error_codes::{self, RefusalClass, StopCause};
use crate::fault::Fault;

/// Why a client cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No root certificates, so that no HTTPS connection can be made.
    #[error("no root certificates were found on this machine, so no HTTPS connection can be made")]
    NoRootCertificates(#[source] reqwest::Error),
    /// The HTTP client cannot be built for another reason.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
    /// A token, app ID or app secret that is empty or cannot be sent in a header.
    #[error("the {what} is empty or contains characters that are not allowed in an HTTP header")]
    #[expect(missing_docs, reason = "the variant names what it can be")]
    UnusableSecret { what: &'static str },
}

/// A response that ended a call without a page.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// Host and port.
    pub host: String,
    pub http_status: u16,
    /// Feishu's code; `None` if the body is not the API's JSON.
    pub code: Option<i64>,
    /// Feishu's message on one line, shortened, with secrets and the IDs of the query redacted.
    pub msg: String,
    /// Feishu's request ID, to quote to support.
    pub log_id: Option<String>,
    /// Feishu's clock, from the `Date` header. Compared with `requested_at`, it reveals a wrong local clock.
    pub server_date: Option<Timestamp>,
    pub requested_at: Timestamp,
    /// Requests sent for this call, this one included.
    pub requests: u32,
    /// Feishu's help page, if the response names one.
    pub help_url: Option<String>,
    /// The complete body; empty for a token request.
    pub body: Body,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => {
                write!(f, "code {code}")?;
                if let Some(meaning) = error_codes::meaning(code) {
                    write!(f, ", {meaning}")?;
                }
            }
            None => f.write_str("not an API response")?,
        }
        write!(f, "; HTTP {}", self.http_status)?;
        if let Some(log_id) = &self.log_id {
            write!(f, "; log ID {log_id}")?;
        }
        if !self.msg.is_empty() {
            write!(f, "; Feishu says: {}", self.msg)?;
        }
        Ok(())
    }
}

/// Why a call returned no page. `host` is host and port; an endpoint of `None` is the token request.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Feishu cannot serve this meeting or participant; retrying does not help. A refused meeting-list call covers the
    /// complete window, so treat it as an empty list only when searching for one meeting number.
    #[error("{endpoint} on {} was refused ({response})", response.host)]
    Refused { endpoint: Endpoint, class: RefusalClass, response: Box<ErrorResponse> },
    /// Any further call would be refused as well.
    #[error("{} on {}: {} ({response})", name(*endpoint), response.host, cause.meaning())]
    Stop {
        endpoint: Option<Endpoint>,
        cause: StopCause,
        /// The missing scopes, if the response names them.
        scopes: Vec<String>,
        response: Box<ErrorResponse>,
    },
    /// All attempts failed. A later call may succeed.
    #[error("{} on {host} failed after {requests} request(s){}", name(*endpoint), log_id_suffix(log_id.as_deref()))]
    Failed {
        endpoint: Option<Endpoint>,
        host: String,
        requests: u32,
        /// When the last request was sent.
        requested_at: Timestamp,
        /// Feishu's ID of the last request, if response headers arrived.
        log_id: Option<String>,
        #[source]
        fault: Box<Fault>,
    },
    /// A secret that the token request needs cannot be read or stored. `cause` is what Feishu would refuse.
    #[error("{problem}")]
    Secret {
        problem: &'static str,
        cause: StopCause,
        #[source]
        source: Cause,
    },
    /// Feishu still throttles after the maximum number of waits. Try again later.
    #[error(
        "{endpoint} on {host} is still throttled after {waits_in_a_row} wait(s); Feishu last requested {}{}",
        format_wait(*requested_wait),
        log_id_suffix(log_id.as_deref())
    )]
    Throttled {
        endpoint: Endpoint,
        host: String,
        waits_in_a_row: u32,
        /// The wait that Feishu requested last, not clamped.
        requested_wait: Duration,
        /// Feishu's ID of the last request.
        log_id: Option<String>,
    },
    /// The [`CallBudget`](crate::CallBudget) refused the request; nothing was sent. Contains the reason.
    #[error("{0}")]
    Budget(String),
    /// Cancelled while the call waited or before its response arrived.
    #[error("cancelled")]
    Cancelled,
}

impl CallError {
    /// The response that ended the call, if there was one.
    pub fn response(&self) -> Option<&ErrorResponse> {
        match self {
            CallError::Refused { response, .. } | CallError::Stop { response, .. } => Some(response),
            _ => None,
        }
    }

    /// Feishu's log ID, if response headers arrived.
    pub fn log_id(&self) -> Option<&str> {
        match self {
            CallError::Refused { response, .. } | CallError::Stop { response, .. } => response.log_id.as_deref(),
            CallError::Failed { log_id, .. } | CallError::Throttled { log_id, .. } => log_id.as_deref(),
            CallError::Secret { .. } | CallError::Budget(_) | CallError::Cancelled => None,
        }
    }

    /// Feishu's code, if there was one.
    pub fn code(&self) -> Option<i64> {
        match self {
            CallError::Failed { fault, .. } => match **fault {
                Fault::Api { code, .. } => Some(code),
                _ => None,
            },
            other => other.response().and_then(|response| response.code),
        }
    }
}

/// A wait as text: `0.5 s`, `86,400 s`, `more than 100 days`.
pub fn format_wait(wait: Duration) -> String {
    const MAX_SECONDS: u64 = 100 * 86_400;
    match wait.as_secs() {
        0 => format!("{} s", wait.as_secs_f64()),
        seconds @ 1..1_000 => format!("{seconds} s"),
        seconds @ 1_000..1_000_000 => format!("{},{:03} s", seconds / 1_000, seconds % 1_000),
        seconds @ 1_000_000..=MAX_SECONDS => {
            format!("{},{:03},{:03} s", seconds / 1_000_000, seconds / 1_000 % 1_000, seconds % 1_000)
        }
        _ => "more than 100 days".to_owned(),
    }
}

/// In place of an endpoint. The tokens of tenants, apps and users all end in this.
const TOKEN_REQUEST: &str = "access_token";

fn name(endpoint: Option<Endpoint>) -> &'static str {
    endpoint.map_or(TOKEN_REQUEST, Endpoint::name)
}

fn log_id_suffix(log_id: Option<&str>) -> String {
    log_id.map(|log_id| format!(" (log ID {log_id})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_formatted_in_seconds() {
        for (seconds, text) in [
            (0.5, "0.5 s"),
            (41.0, "41 s"),
            (86_400.0, "86,400 s"),
            (1_000_007.0, "1,000,007 s"),
            (8_640_001.0, "more than 100 days"),
        ] {
            assert_eq!(format_wait(Duration::from_secs_f64(seconds)), text);
        }
        assert_eq!(format_wait(Duration::MAX), "more than 100 days");
    }
}
