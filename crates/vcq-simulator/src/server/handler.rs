//! Handles one call: path, token, rate limit, faults, parameters, response.
//!
//! Owns the server's clock and shared state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State as AxumState};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use tokio::sync::watch;

use super::endpoint::ENDPOINT_COUNT;
use super::faults::{FaultInjector, unit_key};
use super::grants::{GrantRequest, Grants};
use super::listener::ConnectionReset;
use super::lists::Lists;
use super::optional_lists::OptionalLists;
use super::rate_limit::RateLimiter;
use super::reply::{Ending, Reply};
use super::{ApiError, Call, Endpoint, FaultKind, LIST_ENDPOINTS, Limit, Options, Params, Stats};
use crate::generators::census::UserCensus;
use crate::generators::identifiers::planted_field;
use crate::generators::rooms::RoomRecords;
use crate::model::Tenant;
use crate::model::identifiers::REFUSAL_TEXTS;
use crate::random::{derive_key, hash_text};

#[derive(Debug)]
pub(super) struct Shared {
    /// More than one if they have installed the same store app.
    pub(super) tenants: Vec<TenantData>,
    /// By number of the tenant.
    tenant_keys: Vec<String>,
    started: Instant,
    state: Mutex<State>,
    stopping: watch::Receiver<bool>,
}

/// A tenant, and what is computed of it when it is first requested.
#[derive(Debug)]
pub(super) struct TenantData {
    pub(super) tenant: Arc<Tenant>,
    census: UserCensus,
    rooms: RoomRecords,
}

/// Everything that a call changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) options: Arc<Options>,
    /// By number of the tenant, then by endpoint: Feishu limits an app in each tenant separately.
    pub(super) limiters: Vec<[RateLimiter; ENDPOINT_COUNT]>,
    pub(super) grants: Grants,
    pub(super) faults: FaultInjector,
    pub(super) stats: Stats,
    calls: u64,
}

/// A call after the checks that need the shared state.
struct CheckedCall {
    options: Arc<Options>,
    /// Its number.
    tenant: usize,
    faults: Vec<FaultKind>,
    refused: Option<Reply>,
    log_id: String,
    now: i64,
}

impl Shared {
    /// The tenants have their keys, by which a store app names them.
    pub(super) fn new(tenants: Vec<(String, Arc<Tenant>)>, options: Options, stopping: watch::Receiver<bool>) -> Self {
        let limiters = tenants.iter().map(|_| Default::default()).collect();
        let state = State { options: Arc::new(options), limiters, ..State::default() };
        let (tenant_keys, tenants) = tenants.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let data = |tenant| TenantData { tenant, census: UserCensus::default(), rooms: RoomRecords::default() };
        let tenants = tenants.into_iter().map(data).collect();
        Self { tenants, tenant_keys, started: Instant::now(), state: Mutex::new(state), stopping }
    }

    /// The first one, or the only one.
    pub(super) fn first(&self) -> &Tenant {
        &self.tenants[0].tenant
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // After a panic the counts are still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the options from the next call on and restarts the counts of faults.
    pub(super) fn set_options(&self, options: Options) {
        let mut state = self.state();
        state.options = Arc::new(options);
        state.faults = Default::default();
    }

    fn check(&self, endpoint: Endpoint, params: &Params, headers: &HeaderMap, at: Arrival) -> CheckedCall {
        let mut state = self.state();
        let options = Arc::clone(&state.options);
        let now = at.now_s + options.clock_ahead_s;
        state.calls += 1;
        let seed = self.first().spec.seed;
        let log_id = format!("{now:014}{:018X}", u128::from(derive_key(seed, state.calls)));
        let mut call = CheckedCall { options, tenant: 0, faults: Vec::new(), refused: None, log_id, now };
        if !endpoint.is_token() {
            match check_bearer(headers, endpoint, &call.options, &state.grants, now) {
                Ok(tenant) => call.tenant = tenant,
                Err(code) => {
                    call.refused = Some(Reply::error(&ApiError::new(code), endpoint, &call.log_id));
                    return call;
                }
            }
            let limit = limit_of(endpoint, &call.options);
            if let Err(wait) = state.limiters[call.tenant][endpoint as usize].admit(&limit, at.since_start) {
                call.refused =
                    Some(Reply::throttle(limit.http_status, Some(wait.as_secs_f64()), endpoint, &call.log_id));
                return call;
            }
        }
        call.faults = state.faults.trigger(&call.options.faults, seed, endpoint, unit_key(endpoint, params));
        call
    }

    fn correct_reply(&self, endpoint: Endpoint, params: &Params, call: &CheckedCall, body: &[u8]) -> Reply {
        let TenantData { tenant, census, rooms } = &self.tenants[call.tenant];
        let lists = Lists { tenant, options: &call.options, now: call.now, faults: &call.faults };
        let response = match endpoint {
            _ if endpoint.is_token() => {
                let (options, seed) = (&*call.options, self.first().spec.seed);
                let request = GrantRequest { options, tenant_keys: &self.tenant_keys, seed, now: call.now };
                request.respond(&mut self.state().grants, endpoint, body)
            }
            _ if LIST_ENDPOINTS.contains(&endpoint) => lists.respond(endpoint, params),
            _ => OptionalLists { lists, census, rooms }.respond(endpoint, params),
        };
        match response {
            Ok(body) if tenant.spec.planted_identifiers && !endpoint.is_token() => {
                let field = format!("\"data\":{{\"x_requested_by\":{{\"name\":\"{}\"}},", planted_field(1));
                Reply::envelope(200, 0, body.replacen("\"data\":{", &field, 1))
            }
            Ok(body) => Reply::envelope(200, 0, body),
            Err(error) => Reply::error(&error, endpoint, &call.log_id),
        }
    }

    /// Waits, but not beyond the end of the server.
    async fn wait(&self, time: Duration) {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

fn limit_of(endpoint: Endpoint, options: &Options) -> Limit {
    Limit { calls: options.limit.calls.saturating_mul(endpoint.limit_factor()), ..options.limit }
}

/// The number of the tenant that the `Authorization` header gives access to. An error is an API code.
fn check_bearer(
    headers: &HeaderMap,
    endpoint: Endpoint,
    options: &Options,
    grants: &Grants,
    now: i64,
) -> Result<usize, i64> {
    let Some(header) = headers.get(header::AUTHORIZATION) else { return Err(99_991_661) };
    let Some(token) = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")) else {
        return Err(99_991_671);
    };
    if let Some(tenant) = grants.tenants.owner(token, now) {
        return Ok(tenant);
    }
    match token {
        user if options.user_token.as_deref() == Some(user) && endpoint.accepts_user_token() => Ok(0),
        user if grants.users.owner(user, now).is_some() && endpoint.accepts_user_token() => Ok(0),
        user if user.starts_with("u-") || user.starts_with("eyJ") => Err(99_991_668),
        tenant if tenant.starts_with("t-") => Err(99_991_663),
        _ => Err(99_991_671),
    }
}

/// When a call arrives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) since_start: Duration,
    /// Unix seconds, by the machine's clock.
    pub(super) now_s: i64,
}

/// A reply with what its HTTP response needs.
pub(super) struct Handled {
    pub(super) reply: Reply,
    pub(super) latency: Duration,
    log_id: String,
    now: i64,
    limit: usize,
}

impl Handled {
    pub(super) fn into_response(self) -> Response {
        self.reply.into_response(&self.log_id, self.now, self.limit)
    }
}

/// Decides how a call is answered, and counts it. An error is the code of a call to no endpoint, which is not counted.
pub(super) fn respond(
    shared: &Shared,
    (method, uri): (&str, &Uri),
    headers: &HeaderMap,
    body: &[u8],
    at: Arrival,
) -> Result<Handled, i64> {
    let at_ms = u64::try_from(at.since_start.as_millis()).unwrap_or(u64::MAX);
    let endpoint = match Endpoint::find(method, uri.path()) {
        None => return Err(99_991_201),
        Some((_, false)) => return Err(99_991_301),
        Some((endpoint, true)) => endpoint,
    };
    let params = Query::<Params>::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    let mut call = shared.check(endpoint, &params, headers, at);
    let mut reply = match call.refused.take() {
        Some(reply) => reply,
        None => Reply::with_faults(&call.faults, endpoint, &call.log_id, || {
            shared.correct_reply(endpoint, &params, &call, body)
        }),
    };
    if shared.first().spec.planted_identifiers {
        let unit = params.iter().fold(0, |sum, (name, value)| hash_text(hash_text(sum, name), value));
        reply.plant_in_error(unit as usize % REFUSAL_TEXTS);
    }
    let logged = Call { endpoint, params, at_ms, outcome: reply.outcome() };
    shared.state().stats.record(logged, call.options.log_capacity);
    let (latency, limit) = (call.options.latency, limit_of(endpoint, &call.options).calls);
    Ok(Handled { reply, latency, log_id: call.log_id, now: call.now, limit })
}

#[expect(clippy::disallowed_methods, reason = "edge: the server has a clock of its own")]
pub(super) async fn handle(
    AxumState(shared): AxumState<Arc<Shared>>,
    ConnectInfo(reset): ConnectInfo<ConnectionReset>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let at = Arrival { since_start: shared.started.elapsed(), now_s: jiff::Timestamp::now().as_second() };
    let handled = match respond(&shared, (method.as_str(), &uri), &headers, &body, at) {
        Ok(handled) => handled,
        Err(code) => {
            let error = ApiError::new(code);
            return Response::builder().status(error.http).body(Body::from(error.body("", ""))).unwrap_or_default();
        }
    };
    if handled.latency > Duration::ZERO {
        shared.wait(handled.latency).await;
    }
    match handled.reply.ending {
        Ending::Complete => {}
        // The head has about 120 bytes.
        Ending::ResetInBody => reset.after(120 + handled.reply.body.len() / 2),
        Ending::Reset => reset.after(0),
        Ending::Stall => {
            shared.wait(Duration::from_secs(24 * 3600)).await;
            reset.after(0);
        }
    }
    handled.into_response()
}
