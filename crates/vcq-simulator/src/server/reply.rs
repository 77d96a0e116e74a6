//! What a call is answered with, and its HTTP response.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::api_error::ApiError;
use super::faults::FaultKind;
use super::stats::Outcome;

const JSON: &str = "application/json; charset=utf-8";

pub(super) enum Reply {
    Envelope {
        http: u16,
        code: i64,
        body: String,
    },
    Throttle {
        http: u16,
        body: String,
        /// Seconds; `None`: no rate-limit headers.
        reset_s: Option<f64>,
    },
    /// Something that is not Feishu's envelope.
    Foreign {
        http: u16,
        content_type: &'static str,
        body: Vec<u8>,
    },
    /// The connection is reset in the middle of the body.
    ResetInBody {
        body: String,
    },
    Reset,
    Stall,
}

/// The headers that do not depend on the reply.
pub(super) struct ResponseContext<'a> {
    pub(super) log_id: &'a str,
    /// Unix seconds.
    pub(super) now: i64,
    /// Calls that the rate limit allows.
    pub(super) limit: usize,
}

impl Reply {
    pub(super) fn error(error: &ApiError, log_id: &str) -> Self {
        Self::Envelope { http: error.http, code: error.code, body: error.body(log_id) }
    }

    pub(super) fn throttle(http: u16, reset_s: Option<f64>, log_id: &str) -> Self {
        Self::Throttle { http, body: ApiError::new(99_991_400).body(log_id), reset_s }
    }

    /// The correct reply, or what the first of the faults makes of it. Faults of pagination are part of the correct
    /// reply.
    pub(super) fn with_faults(faults: &[FaultKind], log_id: &str, correct: impl FnOnce() -> Self) -> Self {
        let pagination = [FaultKind::RepeatPageToken, FaultKind::EndlessPages, FaultKind::ShiftingRows];
        let Some(fault) = faults.iter().find(|fault| !pagination.contains(fault)) else { return correct() };
        let foreign = |http, content_type, body: &[u8]| Self::Foreign { http, content_type, body: body.to_vec() };
        let html = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>";
        match *fault {
            FaultKind::InternalError => Self::error(&ApiError::new(121_001), log_id),
            FaultKind::ErrorCode { code } => Self::error(&ApiError::new(code), log_id),
            FaultKind::BadGateway => foreign(502, "text/html", html),
            FaultKind::EmptyBody => foreign(200, "application/json", b""),
            FaultKind::NotJson => foreign(200, "text/plain", b"upstream busy"),
            FaultKind::Throttle { http_status, reset_s } => Self::throttle(http_status, reset_s, log_id),
            FaultKind::TruncatedJson => match correct() {
                Self::Envelope { http, body, .. } => {
                    foreign(http, "application/json", &body.as_bytes()[..body.len() / 2])
                }
                other => other,
            },
            FaultKind::ResetInResponse => match correct() {
                Self::Envelope { body, .. } => Self::ResetInBody { body },
                other => other,
            },
            FaultKind::Stall => Self::Stall,
            FaultKind::Reset | FaultKind::RepeatPageToken | FaultKind::EndlessPages | FaultKind::ShiftingRows => {
                Self::Reset
            }
        }
    }

    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Envelope { http, code, .. } => Outcome::Code(*http, *code),
            Self::Throttle { http, .. } => Outcome::Code(*http, 99_991_400),
            Self::Foreign { http, .. } => Outcome::NoEnvelope(*http),
            Self::ResetInBody { .. } => Outcome::NoEnvelope(200),
            Self::Reset | Self::Stall => Outcome::NoEnvelope(0),
        }
    }

    pub(super) fn into_response(self, context: &ResponseContext<'_>) -> Response {
        let mut reset = None;
        let (http, content_type, body) = match self {
            Self::Envelope { http, body, .. } => (http, JSON, Body::from(body)),
            Self::Throttle { http, body, reset_s } => {
                reset = reset_s;
                (http, JSON, Body::from(body))
            }
            Self::Foreign { http, content_type, body } => (http, content_type, Body::from(body)),
            Self::ResetInBody { body } => (200, JSON, Body::from(body)),
            Self::Reset | Self::Stall => (200, JSON, Body::empty()),
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        put("content-type", content_type);
        put("x-tt-logid", context.log_id);
        if let Some(reset_s) = reset {
            put("x-ogw-ratelimit-limit", &context.limit.to_string());
            put("x-ogw-ratelimit-reset", &format!("{reset_s:.3}"));
        }
        // The server's clock, which may differ from the machine's.
        let now = jiff::Timestamp::from_second(context.now).unwrap_or_default();
        if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
            put("date", &date);
        }
        response
    }
}
