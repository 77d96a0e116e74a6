//! The HTTP server around a made-up tenant.
//!
//! Owns sockets, clock and shared state, and the order in which a call is judged: path, token, limit, faults, parameters,
//! answer. It listens on loopback only. The decisions themselves are in `limits`, `faults`, `query` and `lists`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::dice::key;
use super::endpoint::Endpoint;
use super::faults::{FaultCounter, FaultKind, unit_of};
use super::limits::{Bearer, Meter, Tokens};
use super::lists::Lists;
use super::options::Options;
use super::query::Params;
use super::refusal::Refusal;
use super::socket::{Door, Shears};
use super::stats::{Call, Outcome, Stats};
use super::tenant::Tenant;

/// Why the simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The simulator is for this machine only.
    #[error("the simulator listens on loopback only, not on {address}")]
    NotLoopback {
        /// What was asked for.
        address: SocketAddr,
    },
    /// The address could not be listened on.
    #[error("listening on {address} for the simulator")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// A simulator that is being served. Dropping it stops it without waiting; [`Running::shutdown`] waits.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    tenant: Arc<Tenant>,
    started: Instant,
    book: Mutex<Book>,
    stopping: watch::Receiver<bool>,
}

/// Everything that a call changes.
#[derive(Debug)]
struct Book {
    options: Arc<Options>,
    meters: [Meter; 4],
    tokens: Tokens,
    faults: FaultCounter,
    stats: Stats,
    serial: u64,
}

/// Serves a tenant until the returned value is shut down or dropped. Must be called within a tokio runtime.
///
/// # Errors
/// The address is not on loopback, or cannot be listened on.
pub async fn serve(tenant: impl Into<Arc<Tenant>>, options: Options) -> Result<Running, SimulatorError> {
    let address = options.bind;
    if !address.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback { address });
    }
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopping) = watch::channel(false);
    let book = Book {
        options: Arc::new(options),
        meters: Default::default(),
        tokens: Tokens::default(),
        faults: FaultCounter::default(),
        stats: Stats::default(),
        serial: 0,
    };
    let shared = Arc::new(Shared { tenant: tenant.into(), started: Instant::now(), book: Mutex::new(book), stopping });
    let routes = Router::new().fallback(handle).with_state(Arc::clone(&shared));
    let service = routes.into_make_service_with_connect_info::<Shears>();
    let mut stopped = stop.subscribe();
    let server = tokio::spawn(async move {
        let until = async move {
            // An error means that the sender is gone, which is a reason to stop too.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        // This never returns an error: the listener retries.
        let _ = axum::serve(Door(listener), service).with_graceful_shutdown(until).await;
    });
    Ok(Running { address, shared, stop, server })
}

impl Running {
    /// The origin to put in front of `/open-apis/...`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The app id that gets a token.
    pub fn app_id(&self) -> String {
        self.shared.book().options.app_id.clone()
    }

    /// The secret of that app.
    pub fn app_secret(&self) -> String {
        self.shared.book().options.app_secret.clone()
    }

    /// The tenant that is served.
    pub fn tenant(&self) -> &Tenant {
        &self.shared.tenant
    }

    /// The counts up to now.
    pub fn stats(&self) -> Stats {
        let book = self.shared.book();
        let mut stats = book.stats.clone();
        for endpoint in super::endpoint::LISTS {
            stats.peak_calls_in_window.insert(*endpoint, book.meters[*endpoint as usize].peak());
        }
        stats
    }

    /// Begins the counts and the log anew; limits and tokens go on.
    pub fn reset_stats(&self) {
        self.shared.book().stats = Stats::default();
    }

    /// The options in force.
    pub fn options(&self) -> Options {
        Options::clone(&self.shared.book().options)
    }

    /// Changes the options from the next call on; faults begin to count anew. `bind` has no effect any more.
    pub fn set_options(&self, options: Options) {
        let mut book = self.shared.book();
        book.options = Arc::new(options);
        book.faults = FaultCounter::default();
    }

    /// Makes every token handed out so far unknown, so that the next call is answered with 99991663.
    pub fn revoke_tokens(&self) {
        self.shared.book().tokens.revoke();
    }

    /// Stops listening, lets calls under way finish for some seconds, and ends.
    pub async fn shutdown(mut self) {
        // Nobody listening means that the server has ended already.
        let _ = self.stop.send(true);
        if tokio::time::timeout(Duration::from_secs(5), &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// What goes back to the caller.
enum Reply {
    Envelope {
        http: u16,
        code: i64,
        body: String,
    },
    /// The envelope of a throttle, with the headers where a reset is given (seconds).
    Throttle {
        http: u16,
        body: String,
        reset_s: Option<f64>,
    },
    /// Something that is not an envelope.
    Odd {
        http: u16,
        content_type: &'static str,
        body: Vec<u8>,
    },
    /// A right answer whose connection breaks in the middle.
    Torn {
        body: String,
    },
    Reset,
    Stall,
}

impl Reply {
    fn refuse(refusal: &Refusal, log_id: &str) -> Self {
        Self::Envelope { http: refusal.http, code: refusal.code, body: refusal.body(log_id) }
    }

    const fn outcome(&self) -> Outcome {
        match self {
            Self::Envelope { http, code, .. } => Outcome::Code(*http, *code),
            Self::Throttle { http, .. } => Outcome::Code(*http, 99_991_400),
            Self::Odd { http, .. } => Outcome::NoEnvelope(*http),
            Self::Torn { .. } => Outcome::NoEnvelope(200),
            Self::Reset | Self::Stall => Outcome::NoEnvelope(0),
        }
    }
}

/// A call after the part of its judgement that needs the book.
struct Judged {
    options: Arc<Options>,
    faults: Vec<FaultKind>,
    refused: Option<Reply>,
    log_id: String,
    now: i64,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        // A poisoned book means that a call panicked between two counts; the counts are still usable.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[expect(clippy::disallowed_methods, reason = "edge: the server has a clock of its own")]
    fn judge(&self, endpoint: Endpoint, params: &Params, headers: &HeaderMap) -> Judged {
        let since_start = self.started.elapsed();
        let mut book = self.book();
        let options = Arc::clone(&book.options);
        let now = jiff::Timestamp::now().as_second() + options.clock_ahead_s;
        book.serial += 1;
        let log_id = log_id(self.tenant.spec.seed, now, book.serial);
        let mut judged = Judged { options, faults: Vec::new(), refused: None, log_id, now };
        let is_token = endpoint == Endpoint::TenantAccessToken;
        if !is_token && let Err(code) = check_bearer(headers, &judged.options, &book.tokens, now) {
            judged.refused = Some(Reply::refuse(&Refusal::of(code), &judged.log_id));
            return judged;
        }
        let limit = judged.options.limit;
        if !is_token && let Err(wait) = book.meters[endpoint as usize].admit(&limit, since_start) {
            let body = Refusal::of(99_991_400).body(&judged.log_id);
            judged.refused = Some(Reply::Throttle { http: limit.http_status, body, reset_s: Some(wait.as_secs_f64()) });
            return judged;
        }
        let unit = unit_of(endpoint, params);
        judged.faults = book.faults.strike(&judged.options.faults, self.tenant.spec.seed, endpoint, unit);
        judged
    }

    /// The right answer to a call.
    fn answer(&self, endpoint: Endpoint, params: &Params, judged: &Judged, body: &[u8]) -> Reply {
        if endpoint == Endpoint::TenantAccessToken {
            return self.hand_out_token(body, judged);
        }
        let lists = Lists { tenant: &self.tenant, options: &judged.options, now: judged.now, faults: &judged.faults };
        match lists.answer(endpoint, params) {
            Ok(body) => Reply::Envelope { http: 200, code: 0, body },
            Err(refusal) => Reply::refuse(&refusal, &judged.log_id),
        }
    }

    fn hand_out_token(&self, body: &[u8], judged: &Judged) -> Reply {
        let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let options = &judged.options;
        let code = match (asked["app_id"].as_str(), asked["app_secret"].as_str()) {
            (None, _) | (_, None) => 10003,
            (Some(id), _) if id != options.app_id => 99_991_543,
            (_, Some(secret)) if secret != options.app_secret => 10015,
            _ => 0,
        };
        if code != 0 {
            return Reply::refuse(&Refusal::of(code), &judged.log_id);
        }
        let (token, expire) = self.book().tokens.issue(self.tenant.spec.seed, options.token_life_s, judged.now);
        let body = format!("{{\"code\":0,\"msg\":\"ok\",\"tenant_access_token\":\"{token}\",\"expire\":{expire}}}");
        Reply::Envelope { http: 200, code: 0, body }
    }
}

/// Judges the `Authorization` header.
fn check_bearer(headers: &HeaderMap, options: &Options, tokens: &Tokens, now: i64) -> Result<(), i64> {
    let Some(given) = headers.get(header::AUTHORIZATION) else { return Err(99_991_661) };
    let Some(token) = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")) else { return Err(99_991_671) };
    if options.user_token.as_deref() == Some(token) {
        return Ok(());
    }
    match token {
        _ if tokens.check(token, now) == Bearer::Good => Ok(()),
        user if user.starts_with("u-") || user.starts_with("eyJ") => Err(99_991_668),
        tenant if tenant.starts_with("t-") => Err(99_991_663),
        _ => Err(99_991_671),
    }
}

fn log_id(seed: u64, now: i64, serial: u64) -> String {
    format!("{now:014}{:018X}", u128::from(key(seed, serial)))
}

/// Turns the faults that happen to a call into a reply, or leaves the call to its right answer.
fn struck(faults: &[FaultKind], log_id: &str, answer: impl FnOnce() -> Reply) -> Reply {
    let html = b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>";
    let whole = faults
        .iter()
        .copied()
        .find(|fault| !matches!(fault, FaultKind::RepeatPageToken | FaultKind::EndlessPages | FaultKind::ShiftingRows));
    match whole {
        None => answer(),
        Some(FaultKind::InternalError) => Reply::refuse(&Refusal::of(121_001), log_id),
        Some(FaultKind::Refuse { code }) => Reply::refuse(&Refusal::of(code), log_id),
        Some(FaultKind::BadGateway) => Reply::Odd { http: 502, content_type: "text/html", body: html.to_vec() },
        Some(FaultKind::EmptyBody) => Reply::Odd { http: 200, content_type: "application/json", body: Vec::new() },
        Some(FaultKind::NotJson) => {
            Reply::Odd { http: 200, content_type: "text/plain", body: b"upstream busy".to_vec() }
        }
        Some(FaultKind::Throttle { http_status, reset_s }) => {
            Reply::Throttle { http: http_status, body: Refusal::of(99_991_400).body(log_id), reset_s }
        }
        Some(FaultKind::TruncatedJson) => match answer() {
            Reply::Envelope { http, body, .. } => {
                let half = body.len() / 2;
                Reply::Odd { http, content_type: "application/json", body: body.as_bytes()[..half].to_vec() }
            }
            other => other,
        },
        Some(FaultKind::ResetInAnswer) => match answer() {
            Reply::Envelope { body, .. } => Reply::Torn { body },
            other => other,
        },
        Some(FaultKind::Stall) => Reply::Stall,
        Some(FaultKind::Reset | FaultKind::RepeatPageToken | FaultKind::EndlessPages | FaultKind::ShiftingRows) => {
            Reply::Reset
        }
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(shears): ConnectInfo<Shears>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at_ms = u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (endpoint, params) = match Endpoint::find(method.as_str(), uri.path()) {
        None => return turn_away(99_991_201),
        Some((_, false)) => return turn_away(99_991_301),
        Some((endpoint, true)) => {
            (endpoint, Query::<Params>::try_from_uri(&uri).map(|query| query.0).unwrap_or_default())
        }
    };
    let mut judged = shared.judge(endpoint, &params, &headers);
    let latency = judged.options.latency;
    let reply = match judged.refused.take() {
        Some(reply) => reply,
        None => struck(&judged.faults, &judged.log_id, || shared.answer(endpoint, &params, &judged, &body)),
    };
    let call = Call { endpoint, params, at_ms, outcome: reply.outcome() };
    shared.book().stats.record(call, judged.options.log_capacity);
    if latency > Duration::ZERO {
        wait(&shared, latency).await;
    }
    match &reply {
        Reply::Stall => {
            wait(&shared, Duration::from_secs(24 * 3600)).await;
            shears.cut_after(0);
        }
        Reply::Reset => shears.cut_after(0),
        Reply::Torn { body } => shears.cut_after(120 + body.len() / 2),
        Reply::Envelope { .. } | Reply::Throttle { .. } | Reply::Odd { .. } => {}
    }
    respond(reply, &judged)
}

/// Refuses a path or method that the vendor does not have; such calls are not counted.
fn turn_away(code: i64) -> Response {
    let refusal = Refusal::of(code);
    let mut response = Response::new(Body::from(refusal.body("")));
    *response.status_mut() = StatusCode::from_u16(refusal.http).unwrap_or(StatusCode::NOT_FOUND);
    response
}

fn respond(reply: Reply, judged: &Judged) -> Response {
    const JSON: &str = "application/json; charset=utf-8";
    let mut reset = None;
    let (http, content_type, body) = match reply {
        Reply::Envelope { http, body, .. } => (http, JSON, Body::from(body)),
        Reply::Throttle { http, body, reset_s } => {
            reset = reset_s;
            (http, JSON, Body::from(body))
        }
        Reply::Odd { http, content_type, body } => (http, content_type, Body::from(body)),
        Reply::Torn { body } => (200, JSON, Body::from(body)),
        Reply::Reset | Reply::Stall => (200, JSON, Body::empty()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    put("content-type", content_type.to_owned());
    put("x-tt-logid", judged.log_id.clone());
    if let Some(reset_s) = reset {
        put("x-ogw-ratelimit-limit", judged.options.limit.calls.to_string());
        put("x-ogw-ratelimit-reset", format!("{reset_s:.3}"));
    }
    // The server's clock, which may differ from the machine's.
    let now = jiff::Timestamp::from_second(judged.now).unwrap_or_default();
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
        put("date", date);
    }
    response
}

/// Waits, but not past the end of the server.
async fn wait(shared: &Shared, time: Duration) {
    let mut stopping = shared.stopping.clone();
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}
