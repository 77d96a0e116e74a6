//! What a call is answered with, and its HTTP response.

use std::io::Write;

use axum::body::Body;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use super::{ApiError, Endpoint, FaultKind, Outcome};
use crate::model::identifiers::IdentifierKind;

pub(super) struct Reply {
    /// 0 if nothing is sent.
    http: u16,
    /// `code` of the envelope; `None` if the body is not Feishu's envelope.
    code: Option<i64>,
    content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Seconds; `None`: no rate-limit headers.
    reset_s: Option<f64>,
    header: Option<(&'static str, &'static str)>,
    pub(super) ending: Ending,
}

/// What happens to the connection.
pub(super) enum Ending {
    Complete,
    ResetInBody,
    Reset,
    Stall,
}

impl Reply {
    fn new(http: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            http,
            code: None,
            content_type,
            body: body.into(),
            reset_s: None,
            header: None,
            ending: Ending::Complete,
        }
    }

    pub(super) fn envelope(http: u16, code: i64, body: String) -> Self {
        Self { code: Some(code), ..Self::new(http, "application/json; charset=utf-8", body) }
    }

    pub(super) fn error(error: &ApiError, endpoint: Endpoint, log_id: &str) -> Self {
        let body = match endpoint {
            Endpoint::UserAccessToken => error.oauth_body(),
            _ => error.body(log_id, endpoint.scope()),
        };
        Self::envelope(error.http, error.code, body)
    }

    pub(super) fn throttle(http: u16, reset_s: Option<f64>, endpoint: Endpoint, log_id: &str) -> Self {
        Self { http, reset_s, ..Self::error(&ApiError::new(99_991_400), endpoint, log_id) }
    }

    /// The correct reply, or what the first of the faults makes of it. Faults of pagination are part of the correct
    /// reply.
    pub(super) fn with_faults(
        faults: &[FaultKind],
        endpoint: Endpoint,
        log_id: &str,
        correct: impl FnOnce() -> Self,
    ) -> Self {
        let pagination = [FaultKind::RepeatPageToken, FaultKind::EndlessPages, FaultKind::ShiftingRows];
        let Some(fault) = faults.iter().find(|fault| !pagination.contains(fault)) else { return correct() };
        let html = "<html><head><title>Bad Gateway</title></head><body>Bad Gateway</body></html>";
        match *fault {
            FaultKind::InternalError => Self::error(&ApiError::new(121_001), endpoint, log_id),
            FaultKind::ErrorCode { code, http_status } => {
                let error = Self::error(&ApiError::new(code), endpoint, log_id);
                Self { http: http_status.unwrap_or(error.http), ..error }
            }
            FaultKind::Html { http_status } => {
                let location = (300..400).contains(&http_status).then_some(("location", "/login"));
                Self { header: location, ..Self::new(http_status, "text/html", html) }
            }
            FaultKind::TextEnvelope => correct().with_texts(),
            FaultKind::Gzip { has_header } => correct().with_gzip(has_header),
            FaultKind::EmptyBody => Self::new(200, "application/json", ""),
            FaultKind::NotJson => Self::new(200, "text/plain", "upstream busy"),
            FaultKind::Throttle { http_status, reset_s } => Self::throttle(http_status, reset_s, endpoint, log_id),
            FaultKind::TruncatedJson => {
                let Self { http, body, .. } = correct();
                Self::new(http, "application/json", &body[..body.len() / 2])
            }
            FaultKind::ResetInResponse => Self { http: 200, code: None, ending: Ending::ResetInBody, ..correct() },
            FaultKind::Stall => Self { ending: Ending::Stall, ..Self::new(0, "", "") },
            FaultKind::Reset | FaultKind::RepeatPageToken | FaultKind::EndlessPages | FaultKind::ShiftingRows => {
                Self { ending: Ending::Reset, ..Self::new(0, "", "") }
            }
        }
    }

    /// Numbers and flags of the envelope, which comes before the items, as text.
    fn with_texts(self) -> Self {
        let mut body = String::from_utf8_lossy(&self.body).into_owned();
        for name in ["code", "has_more", "expire"] {
            let key = format!("\"{name}\":");
            let Some(start) = body.find(&key).map(|at| at + key.len()) else { continue };
            let end = body[start..].find([',', '}']).map_or(body.len(), |length| start + length);
            body.insert(end, '"');
            body.insert(start, '"');
        }
        Self { body: body.into_bytes(), ..self }
    }

    fn with_gzip(self, has_header: bool) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory never fails.
        let body = encoder.write_all(&self.body).and_then(|()| encoder.finish()).unwrap_or_default();
        Self { body, header: has_header.then_some(("content-encoding", "gzip")), ..self }
    }

    /// Puts an identifier into the texts of a response that is an error.
    pub(super) fn plant_in_error(&mut self, number: usize) {
        let name = IdentifierKind::Refusal.text(number);
        match self.code {
            Some(0) => {}
            Some(_) => {
                let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) else { return };
                let msg = body["msg"].as_str().unwrap_or_default().to_owned();
                body["msg"] = format!("{msg}: requested by {name}").into();
                body["error"]["message"] = name.as_str().into();
                body["error"]["field_violations"] = json!([{ "field": "user_id", "value": name, "description": msg }]);
                self.body = body.to_string().into_bytes();
            }
            None if self.content_type.starts_with("text/") => {
                let text = String::from_utf8_lossy(&self.body).into_owned();
                let name = IdentifierKind::ErrorPage.text(number);
                self.body = format!("<!-- {name} -->{}", text.replace("</body>", &format!("{name}</body>"))).into();
            }
            None => {}
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.code.map_or(Outcome::NoEnvelope(self.http), |code| Outcome::Code(self.http, code))
    }

    /// `now` (Unix seconds) is the server's clock, which may differ from the machine's; `limit` is the number of calls
    /// that the rate limit allows.
    pub(super) fn into_response(self, log_id: &str, now: i64, limit: usize) -> Response {
        let mut response = Response::builder()
            .status(self.http)
            .header("content-type", self.content_type)
            .header("x-tt-logid", log_id);
        if let Some((name, value)) = self.header {
            response = response.header(name, value);
        }
        if let Some(reset_s) = self.reset_s {
            response = response.header("x-ogw-ratelimit-limit", limit);
            response = response.header("x-ogw-ratelimit-reset", format!("{reset_s:.3}"));
        }
        let now = jiff::Timestamp::from_second(now).unwrap_or_default();
        if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
            response = response.header("date", date);
        }
        response.body(Body::from(self.body)).unwrap_or_default()
    }
}
