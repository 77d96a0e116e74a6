//! One renewal of the access token: of an app, of a store app in a tenant, or of a user.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bearer::{Bearer, bearer_header, read_bearer};
use crate::body::Body;
use crate::credentials::Credentials;
use crate::envelope::Head;
use crate::error::CallError;
use crate::error_codes::{Action, StopCause, decide, decide_renewal};
use crate::event::Event;
use crate::fault::Fault;
use crate::http::{FailedRequest, Response};
use crate::secret::Secret;
use crate::secret_source::{AppTickets, RefreshTokens, TakenToken, TicketError};
use crate::token_request::{TokenMembers, TokenRequest};
use crate::transport::{Transport, redacted_msg, response_fault};

/// Minimum wait before the app ticket is read again: Feishu pushes it, and another program writes it down.
const TICKET_WAIT: Duration = Duration::from_secs(2);

/// A failed attempt after which another one makes sense.
struct Retry {
    failure: FailedRequest,
    cause: Option<StopCause>,
    min_wait: Duration,
}

type Attempted<T> = Result<T, Retry>;

/// One renewal of the access token: the attempts until there is one, or until the end.
pub(crate) struct Renewal<'a> {
    credentials: &'a Credentials,
    transport: &'a Transport,
    generation: u64,
    /// Sent so far.
    requests: u32,
}

impl Renewal<'_> {
    pub(crate) fn new<'a>(credentials: &'a Credentials, transport: &'a Transport, generation: u64) -> Renewal<'a> {
        Renewal { credentials, transport, generation, requests: 0 }
    }

    pub(crate) async fn run(mut self) -> Result<Bearer, CallError> {
        let mut attempts = 0;
        let mut taken = None;
        let mut ticket_requested = false;
        loop {
            attempts += 1;
            let attempted = match self.credentials {
                Credentials::App { app_id, app_secret } => {
                    let body = json!({ "app_id": app_id, "app_secret": app_secret.expose() });
                    self.request(TokenRequest::Internal, &body, attempts).await?
                }
                Credentials::StoreApp { app_id, app_secret, tenant_key, app_tickets } => {
                    let app = (app_id.as_str(), app_secret);
                    self.store_app(app, tenant_key, &**app_tickets, attempts, &mut ticket_requested).await?
                }
                Credentials::User { app_id, app_secret, refresh_tokens } => {
                    let app = (app_id.as_str(), app_secret);
                    self.user(app, &**refresh_tokens, attempts, &mut taken).await?
                }
                Credentials::Bearer(_) => unreachable!("a given token is not renewed"),
            };
            let Retry { failure, min_wait, .. } = match attempted {
                Ok(bearer) => return Ok(bearer),
                Err(retry) => retry,
            };
            self.transport.before_retry(None, attempts, self.requests, failure, min_wait).await?;
        }
    }

    /// The app ticket, then the app token, then the token of the tenant.
    async fn store_app(
        &mut self,
        (app_id, app_secret): (&str, &Secret),
        tenant_key: &str,
        app_tickets: &dyn AppTickets,
        attempts: u32,
        ticket_requested: &mut bool,
    ) -> Result<Attempted<Bearer>, CallError> {
        let transport = self.transport;
        let ticket = match transport.unless_cancelled(app_tickets.newest()).await? {
            Ok(ticket) => ticket,
            Err(error) => {
                let (TicketError::Missing(source) | TicketError::Unusable(source)) = &error;
                if matches!(error, TicketError::Missing(_)) {
                    self.resend_ticket((app_id, app_secret), ticket_requested).await?;
                    if !transport.stops_after(attempts, StopCause::AppTicket) {
                        let fault = Fault::NoAppTicket(source.to_string().into());
                        let failure = FailedRequest { fault, requested_at: transport.effects.now(), log_id: None };
                        return Ok(Err(self.ticket_retry(failure)));
                    }
                }
                let (TicketError::Missing(source) | TicketError::Unusable(source)) = error;
                let problem = "there is no usable app ticket";
                return Err(CallError::Secret { problem, cause: StopCause::AppTicket, source });
            }
        };
        transport.redactor.add_secret(ticket.expose());
        let body = json!({ "app_id": app_id, "app_secret": app_secret.expose(), "app_ticket": ticket.expose() });
        let answered = self.request(TokenRequest::App, &body, attempts).await;
        let refused = match &answered {
            Ok(Err(retry)) => retry.cause,
            Err(CallError::Stop { cause, .. }) => Some(*cause),
            _ => None,
        };
        if refused == Some(StopCause::AppTicket) {
            self.resend_ticket((app_id, app_secret), ticket_requested).await?;
        }
        let app_token = match answered? {
            Ok(token) => token,
            Err(retry) if refused == Some(StopCause::AppTicket) => return Ok(Err(self.ticket_retry(retry.failure))),
            Err(retry) => return Ok(Err(retry)),
        };
        let body = json!({ "app_access_token": app_token.secret(), "tenant_key": tenant_key });
        self.request(TokenRequest::Tenant, &body, attempts).await
    }

    fn ticket_retry(&self, failure: FailedRequest) -> Retry {
        let min_wait = TICKET_WAIT.min(self.transport.max_throttle_wait);
        Retry { failure, cause: Some(StopCause::AppTicket), min_wait }
    }

    /// Asks Feishu once to push the app ticket now. That it cannot is an error only if nothing else would work either.
    async fn resend_ticket(
        &mut self,
        (app_id, app_secret): (&str, &Secret),
        was_requested: &mut bool,
    ) -> Result<(), CallError> {
        if std::mem::replace(was_requested, true) {
            return Ok(());
        }
        let body = json!({ "app_id": app_id, "app_secret": app_secret.expose() });
        // As the first attempt: an error that may pass is not the end.
        if let Ok(_sent) = self.request(TokenRequest::TicketResend, &body, 0).await? {
            self.transport.emit(Event::AppTicketRequested);
        }
        Ok(())
    }

    /// The token of a user. The refresh token is taken once for all attempts.
    async fn user(
        &mut self,
        (app_id, app_secret): (&str, &Secret),
        refresh_tokens: &dyn RefreshTokens,
        attempts: u32,
        taken: &mut Option<Box<dyn TakenToken>>,
    ) -> Result<Attempted<Bearer>, CallError> {
        let unusable = |problem| move |source| CallError::Secret { problem, cause: StopCause::UserGrant, source };
        let token = match taken.take() {
            Some(token) => token,
            None => {
                let taking = self.transport.unless_cancelled(refresh_tokens.take()).await?;
                taking.map_err(unusable("there is no usable refresh token"))?
            }
        };
        self.transport.redactor.add_secret(token.secret().expose());
        let body = json!({
            "grant_type": "refresh_token",
            "client_id": app_id,
            "client_secret": app_secret.expose(),
            "refresh_token": token.secret().expose(),
        });
        let may_be_used = token.may_be_used() || self.requests > 0;
        match self.request_with_members(TokenRequest::User, &body, attempts).await {
            Ok(Ok((bearer, members))) => {
                let next = members.refresh_token.unwrap_or_default();
                if bearer_header(&next).is_none() {
                    let why = "Feishu's response has no refresh token: the user must grant the scope offline_access";
                    return Err(unusable("there is no usable refresh token")(why.into()));
                }
                self.transport.redactor.add_secret(&next);
                let stored = token.replace(Secret::new(next)).await;
                stored.map_err(unusable("the next refresh token could not be stored"))?;
                let lifetime = members.refresh_token_expires_in.and_then(|seconds| u64::try_from(seconds).ok());
                let renewable_until = lifetime
                    .and_then(|seconds| self.transport.effects.instant().checked_add(Duration::from_secs(seconds)));
                Ok(Ok(Bearer { renewable_until, ..bearer }))
            }
            Ok(Err(retry)) => {
                *taken = Some(token);
                Ok(Err(retry))
            }
            Err(CallError::Stop { endpoint, cause: StopCause::UserGrant, scopes, response }) if may_be_used => {
                Err(CallError::Stop { endpoint, cause: StopCause::UserGrantLost, scopes, response })
            }
            Err(error @ CallError::Stop { .. }) if !may_be_used => {
                token.keep();
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn request(
        &mut self,
        request: TokenRequest,
        body: &Value,
        attempts: u32,
    ) -> Result<Attempted<Bearer>, CallError> {
        Ok(self.request_with_members(request, body, attempts).await?.map(|(bearer, _)| bearer))
    }

    /// Sends one request. A failure of attempt number `attempts` may be the end.
    async fn request_with_members(
        &mut self,
        request: TokenRequest,
        body: &Value,
        attempts: u32,
    ) -> Result<Attempted<(Bearer, TokenMembers)>, CallError> {
        let transport = self.transport;
        self.requests += 1;
        let exchange = transport.http.post(request.path(), body);
        let exchanged = match request {
            // Not dropped when the run is cancelled: with the response the next refresh token would be lost.
            TokenRequest::User => exchange.await,
            _ => transport.send(exchange).await?,
        };
        let failed = |failure, min_wait, cause| Ok(Err(Retry { failure, cause, min_wait }));
        let mut response = match exchanged {
            Ok(response) => response,
            Err(failure) => return failed(failure, Duration::ZERO, None),
        };
        response.body = Body(transport.filter.received(None, &[], response.body.0));
        let min_wait = response.rate_reset.unwrap_or_default();
        let (fault, cause) = match self.read(request, &response, attempts)? {
            Ok(read) => {
                transport.redactor.add_secret(read.0.secret());
                return Ok(Ok(read));
            }
            Err(refused) => refused,
        };
        let failure = FailedRequest { fault, requested_at: response.requested_at, log_id: response.log_id };
        failed(failure, min_wait, cause)
    }

    /// Reads a response: a token, or a fault to retry after with its cause (inner), or the end (outer).
    #[expect(clippy::type_complexity, reason = "two ways to fail, and a response with two parts")]
    fn read(
        &self,
        request: TokenRequest,
        response: &Response,
        attempts: u32,
    ) -> Result<Result<(Bearer, TokenMembers), (Fault, Option<StopCause>)>, CallError> {
        let transport = self.transport;
        let head = Head::read(&response.body);
        let members = TokenMembers::read(&response.body);
        let code = head.as_ref().ok().map(|head| head.code);
        let action = match request {
            TokenRequest::Internal => decide(None, response.http_status, code),
            _ => decide_renewal(request == TokenRequest::User, response.http_status, code),
        };
        transport.note(action, code);
        let cause = match action {
            Action::Accept => {
                let now = transport.effects.instant();
                return Ok(head
                    .map_err(|source| Fault::NotJson { http_status: response.http_status, source })
                    .and_then(|_| read_bearer(request, &members, self.generation, now))
                    .map(|bearer| (bearer, members))
                    .map_err(|fault| (fault, None)));
            }
            Action::Stop(cause) => cause,
            Action::RetryThenStop(cause) if transport.stops_after(attempts, cause) => cause,
            Action::RetryThenStop(cause) => {
                return Ok(Err((response_fault(response, head.map(|head| head.code)), Some(cause))));
            }
            _ => return Ok(Err((response_fault(response, head.map(|head| head.code)), None))),
        };
        let (msg, mut detail) = head.map(|head| (head.msg.clone(), head.error_detail())).unwrap_or_default();
        // This response alone is read before redaction, because it can contain the token; so each text is redacted
        // here.
        let msg = transport.redactor.redact(&msg.or(members.error_description).unwrap_or_default());
        let texts = detail.scopes.iter_mut().chain(&mut detail.help_url);
        texts.for_each(|text| *text = transport.redactor.redact(text));
        let hidden = [self.credentials.secret().expose()];
        let mut error_response = transport.error_response(response, code, redacted_msg(&msg, hidden), self.requests);
        error_response.help_url = detail.help_url;
        Err(CallError::Stop { endpoint: None, cause, scopes: detail.scopes, response: error_response })
    }
}
