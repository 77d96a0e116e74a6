//! The ways in which a call ends without a page.
//!
//! Each says what was asked of which host, with the vendor's log id, and keeps its cause as source. No text holds a
//! secret, a query, or an id that the query named: the vendor's own words are masked before they are kept.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::error::Category;

use super::endpoint::Endpoint;
use super::error_codes::{self, RefusalClass, StopCause};
use super::wire::Body;

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The HTTP client cannot be built; most often the machine has no root certificates.
    #[error("the HTTP client could not be set up; are the system's root certificates installed?")]
    Setup(#[source] reqwest::Error),
    /// A token or app secret that is empty or cannot stand in a header.
    #[error("the {what} is empty or holds characters that cannot be sent")]
    UnusableSecret {
        /// Which: app id, app secret or access token.
        what: &'static str,
    },
}

/// An answer that is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The origin that was asked.
    pub host: String,
    /// HTTP status.
    pub http_status: u16,
    /// The vendor's code; `None` where the body is not the vendor's envelope.
    pub code: Option<i64>,
    /// The vendor's words, shortened, on one line, with the query's ids and our secrets masked.
    pub msg: String,
    /// The vendor's id of the request, for a support case.
    pub log_id: Option<String>,
    /// The vendor's clock, by its `Date` header; beside `requested_at` it shows a clock that is wrong.
    pub server_date: Option<Timestamp>,
    /// When the request went out.
    pub requested_at: Timestamp,
    /// Requests sent for this call, this one included.
    pub requests: u32,
    /// The vendor's page about it, where it names one.
    pub help_url: Option<String>,
    /// The whole answer; empty for a token request.
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
            None => f.write_str("not an answer of the API")?,
        }
        write!(f, "; HTTP {}", self.http_status)?;
        if let Some(log_id) = &self.log_id {
            write!(f, "; log id {log_id}")?;
        }
        if !self.msg.is_empty() {
            write!(f, "; the vendor says: {}", self.msg)?;
        }
        Ok(())
    }
}

/// Why a call brought no page.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The vendor answered that there is nothing to get for this unit of work. Skip it; asking again gets the same. On
    /// meeting_list the unit is the whole window, so only a search for one number may take it for an empty answer.
    #[error("{endpoint} on {} refused this one ({answer})", answer.host)]
    Refused {
        /// What was asked.
        endpoint: Endpoint,
        /// In which class the refusal is.
        class: RefusalClass,
        /// The answer.
        answer: Box<ErrorResponse>,
    },
    /// Nothing else would be answered either: stop the run.
    #[error("{} on {}: {} ({answer})", asked(*endpoint), answer.host, cause.meaning())]
    Stop {
        /// What was asked; `None` for the token.
        endpoint: Option<Endpoint>,
        /// Why to stop.
        cause: StopCause,
        /// The scopes that the vendor asks for, where it names any.
        scopes: Vec<String>,
        /// The answer.
        answer: Box<ErrorResponse>,
    },
    /// All the tries are used up. The unit is still pending.
    #[error("{} on {host} failed after {requests} request(s){}", asked(*endpoint), with_log_id(log_id.as_deref()))]
    Failed {
        /// What was asked; `None` for the token.
        endpoint: Option<Endpoint>,
        /// The origin that was asked.
        host: String,
        /// Requests sent for this call.
        requests: u32,
        /// When the last one went out.
        requested_at: Timestamp,
        /// The vendor's id of the last one, where any answer began.
        log_id: Option<String>,
        /// What went wrong the last time.
        #[source]
        fault: Box<Fault>,
    },
    /// The vendor throttles, and waiting has not helped. Stop, and run again later.
    #[error(
        "{endpoint} on {host} is still throttled after {throttles} wait(s); the vendor last asked for {}{}",
        format_wait(*requested_wait),
        with_log_id(log_id.as_deref())
    )]
    Throttled {
        /// What was asked.
        endpoint: Endpoint,
        /// The origin that was asked.
        host: String,
        /// Waits in a row that were obeyed.
        throttles: u32,
        /// How long the vendor wants us to wait, uncapped.
        requested_wait: Duration,
        /// The vendor's id of the last request.
        log_id: Option<String>,
    },
    /// The gate did not admit the request; nothing was sent.
    #[error("{0}")]
    Budget(String),
    /// The run was cancelled while the call waited, or before its answer came.
    #[error("cancelled")]
    Cancelled,
}

impl CallError {
    /// The answer, where there was a whole one that decided.
    pub fn answer(&self) -> Option<&ErrorResponse> {
        match self {
            CallError::Refused { answer, .. } | CallError::Stop { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The vendor's log id, where any answer began.
    pub fn log_id(&self) -> Option<&str> {
        match self {
            CallError::Refused { answer, .. } | CallError::Stop { answer, .. } => answer.log_id.as_deref(),
            CallError::Failed { log_id, .. } | CallError::Throttled { log_id, .. } => log_id.as_deref(),
            CallError::Budget(_) | CallError::Cancelled => None,
        }
    }

    /// The vendor's code, where it sent one.
    pub fn code(&self) -> Option<i64> {
        match self {
            CallError::Failed { fault, .. } => match **fault {
                Fault::Vendor { code, .. } => code,
                _ => None,
            },
            other => other.answer().and_then(|answer| answer.code),
        }
    }
}

/// A wait as the vendor asked for it: `0.5 s`, `86,400 s`; what is beyond all sense is not counted out.
pub fn format_wait(wait: Duration) -> String {
    const MOST_SECONDS: u64 = 100 * 86_400;
    match wait.as_secs() {
        0 => format!("{} s", wait.as_secs_f64()),
        seconds @ 1..1_000 => format!("{seconds} s"),
        seconds @ 1_000..=MOST_SECONDS if seconds < 1_000_000 => {
            format!("{},{:03} s", seconds / 1_000, seconds % 1_000)
        }
        seconds @ 1_000..=MOST_SECONDS => {
            format!("{},{:03},{:03} s", seconds / 1_000_000, seconds / 1_000 % 1_000, seconds % 1_000)
        }
        _ => "more than 100 days".to_owned(),
    }
}

fn asked(endpoint: Option<Endpoint>) -> &'static str {
    endpoint.map_or("tenant_access_token", Endpoint::name)
}

fn with_log_id(log_id: Option<&str>) -> String {
    log_id.map(|log_id| format!(" (log id {log_id})")).unwrap_or_default()
}

/// What went wrong between us and a good answer. All but [`Fault::TooLarge`] and
/// [`Fault::Unsendable`] are worth another try.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, so nobody was asked.
    #[error("{kind}")]
    Unreachable {
        /// How far it came.
        kind: Unreachable,
        /// The cause, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The answer did not come, or not whole, in time.
    #[error("the answer did not come in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection broke before the answer was whole.
    #[error("the connection broke before the answer was whole")]
    Interrupted(#[source] reqwest::Error),
    /// An answer without a body.
    #[error("the answer is empty (HTTP {http_status})")]
    Empty {
        /// HTTP status.
        http_status: u16,
    },
    /// A body that is not the vendor's JSON envelope, such as a gateway's error page.
    #[error("the answer is not the API's JSON (HTTP {http_status})")]
    NotJson {
        /// HTTP status.
        http_status: u16,
        /// Where the reading ended.
        #[source]
        source: InvalidBody,
    },
    /// A request that no address can hold, such as one with a page token of a megabyte.
    #[error("the request cannot be put into an address")]
    Unsendable(#[source] reqwest::Error),
    /// A body beyond the cap.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The cap.
        limit_bytes: usize,
    },
    /// The vendor says that it has trouble.
    #[error("the vendor answered with an error of its own (HTTP {http_status}{})", with_code(*code))]
    Vendor {
        /// HTTP status.
        http_status: u16,
        /// The vendor's code.
        code: Option<i64>,
    },
    /// A token answer without a usable token or life.
    #[error("the token answer has no usable {field}")]
    BadToken {
        /// The field.
        field: &'static str,
    },
}

impl Fault {
    /// Whether nobody was reached, as opposed to an answer that was no good.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Fault::Unreachable { .. })
    }

    pub(super) fn is_worth_retrying(&self) -> bool {
        !matches!(self, Fault::TooLarge { .. } | Fault::Unsendable(_))
    }

    /// Sorts a transport error. The URL is taken out of it, because the query names persons.
    pub(super) fn of_transport(error: reqwest::Error) -> Fault {
        let error = error.without_url();
        if error.is_builder() {
            Fault::Unsendable(error)
        } else if error.is_connect() {
            Fault::Unreachable { kind: Unreachable::of(&error), source: error }
        } else if error.is_timeout() {
            Fault::TimedOut(error)
        } else {
            Fault::Interrupted(error)
        }
    }
}

/// Where the reading of an answer ended. Unlike the reader's own error it repeats nothing of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub struct InvalidBody {
    what: &'static str,
    line: usize,
    column: usize,
}

impl InvalidBody {
    pub(super) fn of(error: serde_json::Error) -> InvalidBody {
        let what = match error.classify() {
            Category::Eof => "cut off",
            Category::Syntax | Category::Io => "no JSON",
            Category::Data => "unexpected data",
        };
        InvalidBody { what, line: error.line(), column: error.column() }
    }
}

fn with_code(code: Option<i64>) -> String {
    code.map(|code| format!(", code {code}")).unwrap_or_default()
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// The host's name has no address.
    Dns,
    /// Nobody listens there.
    Refused,
    /// No secure connection: a certificate or the protocol.
    Tls,
    /// Nobody answered in time.
    TimedOut,
    /// Anything else on the way.
    Other,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreachable::Dns => "the host's name could not be resolved",
            Unreachable::Refused => "the host refused the connection",
            Unreachable::Tls => "no secure connection to the host could be made",
            Unreachable::TimedOut => "the host did not answer the connection in time",
            Unreachable::Other => "the host could not be reached",
        })
    }
}

impl Unreachable {
    fn of(error: &reqwest::Error) -> Unreachable {
        if error.is_dns() {
            return Unreachable::Dns;
        }
        let mut cause = error.source();
        while let Some(error) = cause {
            if error.is::<rustls::Error>() {
                return Unreachable::Tls;
            }
            cause = match error.downcast_ref::<io::Error>() {
                Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Unreachable::Refused,
                // An I/O error that wraps another error passes over it in `source`, and TLS errors come so wrapped, twice.
                Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        if error.is_timeout() { Unreachable::TimedOut } else { Unreachable::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_in_seconds_as_the_vendor_does() {
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
