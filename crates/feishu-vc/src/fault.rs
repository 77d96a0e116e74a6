//! What can go wrong between a request and a usable response.

use std::error::Error;
use std::io;

use crate::effects::{Cause, NoResponse};
use crate::envelope::InvalidBody;
use crate::error_codes;

/// Why a request brought no usable response. All except [`Fault::TooLarge`] and [`Fault::Unsendable`] are retried.
#[expect(missing_docs, reason = "the fields are named for what they hold")]
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No connection, so the request was not sent. The source is without the URL.
    #[error("{kind}")]
    Unreachable { kind: Unreachable, source: Cause },
    /// The response did not arrive in time.
    #[error("the response did not arrive in time")]
    TimedOut(#[source] Cause),
    /// The connection was closed before the response was complete.
    #[error("the connection was closed before the response was complete")]
    Interrupted(#[source] Cause),
    /// A response without a body.
    #[error("the response is empty (HTTP {http_status})")]
    Empty { http_status: u16 },
    /// A body that is not the API's JSON, such as a gateway's error page.
    #[error("the response is not the API's JSON (HTTP {http_status})")]
    NotJson { http_status: u16, source: InvalidBody },
    /// A request that does not fit into a URL, for example because of a huge page token.
    #[error("the request does not fit into a URL")]
    Unsendable(#[source] reqwest::Error),
    /// A body beyond [`ClientConfig::max_body_bytes`](crate::ClientConfig::max_body_bytes).
    #[error("the response is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    /// Feishu reported a possibly temporary error: an internal error, or a code that it does not document here.
    #[error("{} (HTTP {http_status}, code {code})", api_fault(*code))]
    Api { http_status: u16, code: i64 },
    /// There is no app ticket yet, so nothing was sent.
    #[error("there is no app ticket")]
    NoAppTicket(#[source] Cause),
    /// A token response without a usable token or lifetime.
    #[error("the token response has no usable {field}")]
    BadToken { field: &'static str },
}

fn api_fault(code: i64) -> String {
    match (code, error_codes::meaning(code)) {
        (0, _) => "Feishu reported an internal error".to_owned(),
        (_, Some(meaning)) => format!("Feishu reported: {meaning}"),
        (_, None) => "Feishu reported an error that its documentation does not list".to_owned(),
    }
}

impl Fault {
    /// Whether the host could not be reached, as opposed to an unusable response.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Fault::Unreachable { .. })
    }

    pub(crate) fn is_retryable(&self) -> bool {
        !matches!(self, Fault::TooLarge { .. } | Fault::Unsendable(_))
    }
}

impl From<reqwest::Error> for Fault {
    /// Classifies a transport error. The URL is removed from it, because the query identifies persons.
    fn from(error: reqwest::Error) -> Fault {
        let error = error.without_url();
        if error.is_builder() {
            Fault::Unsendable(error)
        } else if error.is_connect() {
            Fault::Unreachable { kind: Unreachable::of(&error), source: error.into() }
        } else if error.is_timeout() {
            Fault::TimedOut(error.into())
        } else {
            Fault::Interrupted(error.into())
        }
    }
}

impl From<NoResponse> for Fault {
    fn from(cause: NoResponse) -> Fault {
        match cause {
            NoResponse::Refused => Fault::Unreachable { kind: Unreachable::Refused, source: cause.into() },
            NoResponse::TimedOut => Fault::TimedOut(cause.into()),
            NoResponse::Reset => Fault::Interrupted(cause.into()),
        }
    }
}

/// Why a host could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreachable {
    /// The host's name has no address.
    #[error("the host's name could not be resolved")]
    Dns,
    /// Nothing listens there.
    #[error("the host refused the connection")]
    Refused,
    /// No TLS connection: the certificate or the protocol.
    #[error("no secure connection to the host could be made")]
    Tls,
    /// No connection in time.
    #[error("the host did not accept the connection in time")]
    TimedOut,
    /// Anything else.
    #[error("the host could not be reached")]
    Other,
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
                // `source` of an I/O error skips the error it wraps, and TLS errors are wrapped this way, twice.
                Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        if error.is_timeout() { Unreachable::TimedOut } else { Unreachable::Other }
    }
}
