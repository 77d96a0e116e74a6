//! The tokens of store apps and of users.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{Log, Reply, Script, all_texts};
use crate::client::Client;
use crate::config::ClientConfig;
use crate::credentials::{Credentials, TokenKind};
use crate::effects::{Boxed, Cause};
use crate::endpoint::Endpoint;
use crate::error::CallError;
use crate::error_codes::StopCause;
use crate::event::Event;
use crate::secret::Secret;
use crate::secret_source::{AppTickets, RefreshTokens, Source, TakenToken, TicketError};
use crate::token_request::TokenRequest;

const P: Endpoint = Endpoint::ParticipantList;
const APP_SECRET: &str = "verysecretappsecret";

fn client(script: &Script, credentials: Credentials) -> (Client, Arc<Log>) {
    let log = Arc::new(Log::default());
    (Client::new(ClientConfig { credentials, ..script.config() }, log.clone()).expect("valid settings"), log)
}

/// The requests for tokens: path and body.
fn token_requests(script: &Script) -> Vec<(String, Value)> {
    let requests = script.requests().into_iter().filter(|request| request.method == "POST");
    requests.map(|request| (request.target, serde_json::from_str(&request.body).expect("JSON"))).collect()
}

/// Tickets one after the other; none is missing, and the last one stays.
struct Tickets(Mutex<VecDeque<Option<&'static str>>>);

impl AppTickets for Tickets {
    fn newest(&self) -> Boxed<'_, Result<Secret, TicketError>> {
        let mut left = self.0.lock().expect("no panic inside");
        let next = if left.len() > 1 { left.pop_front().flatten() } else { left.front().copied().flatten() };
        let found = next.map(Secret::new).ok_or_else(|| TicketError::Missing("no such file".into()));
        Box::pin(async { found })
    }
}

fn store_app(tickets: impl IntoIterator<Item = Option<&'static str>>) -> Credentials {
    Credentials::StoreApp {
        app_id: "cli_example".into(),
        app_secret: Secret::new(APP_SECRET),
        tenant_key: "73658811060f175d".into(),
        app_tickets: Source::new(Arc::new(Tickets(Mutex::new(tickets.into_iter().collect())))),
    }
}

fn app_token(token: &str) -> Reply {
    Reply::json(200, json!({ "code": 0, "msg": "ok", "app_access_token": token, "expire": 7140 }).to_string())
}

fn resent() -> Reply {
    Reply::json(200, r#"{"code":0,"msg":"success"}"#)
}

#[tokio::test]
async fn the_tenant_token_of_a_store_app_takes_ticket_app_token_and_tenant_key() {
    let script = Script::new([]).await.always(Reply::page(1)).tokens([
        app_token("a-verysecretapptoken"),
        Reply::token("t-first", 7200),
        app_token("a-verysecretapptoken"),
        Reply::token("t-second", 7200),
    ]);
    let (client, log) = client(&script, store_app([Some("ticket-1"), Some("ticket-2")]));
    client.call(P, &[]).await.expect("a page");
    client.make_token_due().await;
    client.call(P, &[]).await.expect("a page");
    let app = |ticket: &str| json!({ "app_id": "cli_example", "app_secret": APP_SECRET, "app_ticket": ticket });
    let tenant = json!({ "app_access_token": "a-verysecretapptoken", "tenant_key": "73658811060f175d" });
    let (app_path, tenant_path) = (TokenRequest::App.path().to_owned(), TokenRequest::Tenant.path().to_owned());
    let expected = [
        (app_path.clone(), app("ticket-1")),
        (tenant_path.clone(), tenant.clone()),
        (app_path, app("ticket-2")),
        (tenant_path, tenant),
    ];
    assert_eq!(token_requests(&script), expected, "the ticket is read afresh");
    assert_eq!(log.count(|event| *event == Event::TokenRefreshed), 2);
    let last = script.requests().last().and_then(|request| request.header("authorization").map(str::to_owned));
    assert_eq!(last.as_deref(), Some("Bearer t-second"));
    assert_eq!(client.check_token().await.expect("a token").kind, TokenKind::Tenant);
}

#[tokio::test]
async fn a_ticket_that_is_missing_or_refused_is_requested_once_and_read_again() {
    for (tickets, replies) in [
        (vec![None, None, Some("new-ticket")], vec![resent()]),
        (
            vec![Some("old-ticket"), Some("old-ticket"), Some("new-ticket")],
            vec![Reply::code(400, 10012), resent(), Reply::code(400, 10012)],
        ),
    ] {
        let script = Script::new([Reply::page(1)])
            .await
            .tokens(replies)
            .tokens([app_token("a-app"), Reply::token("t-first", 7200)]);
        let (client, log) = client(&script, store_app(tickets));
        client.call(P, &[]).await.expect("a page");
        assert_eq!(log.count(|event| *event == Event::AppTicketRequested), 1);
        let requests = token_requests(&script);
        let resends: Vec<_> = requests.iter().filter(|(path, _)| path == TokenRequest::TicketResend.path()).collect();
        assert_eq!(resends.len(), 1, "{requests:?}");
        assert_eq!(resends[0].1, json!({ "app_id": "cli_example", "app_secret": APP_SECRET }));
    }
}

#[tokio::test]
async fn refusals_of_a_store_app_say_what_is_wrong() {
    for (tickets, replies, cause, sent) in [
        (vec![None], vec![resent()], StopCause::AppTicket, 1),
        (vec![None], vec![Reply::code(400, 10015)], StopCause::Credentials, 1),
        (vec![Some("old-ticket")], vec![Reply::code(400, 10014)], StopCause::Credentials, 1),
        (vec![Some("a-ticket")], vec![app_token("a-app"), Reply::code(400, 99991662)], StopCause::Tenant, 2),
        (
            vec![Some("old-ticket")],
            [vec![Reply::code(400, 10012), resent()], vec![Reply::code(400, 10012); 4]].concat(),
            StopCause::AppTicket,
            6,
        ),
        (
            vec![Some("a-ticket")],
            vec![vec![app_token("a-app"), Reply::code(400, 10013)]; 5].concat(),
            StopCause::Tenant,
            10,
        ),
    ] {
        let script = Script::new([]).await.tokens(replies);
        let (client, _) = client(&script, store_app(tickets));
        let error = client.call(P, &[]).await.expect_err("no token");
        let (CallError::Stop { cause: found, .. } | CallError::Secret { cause: found, .. }) = &error else {
            panic!("{error}")
        };
        assert_eq!((*found, script.token_count()), (cause, sent), "{error}");
        assert!(!all_texts(&error).contains("verysecret") && !all_texts(&error).contains("-ticket"), "{error:?}");
    }
}

#[tokio::test]
async fn a_valid_token_stays_in_use_while_there_is_no_ticket() {
    let script = Script::new([]).await.always(Reply::page(1)).tokens([
        app_token("a-app"),
        Reply::token("t-first", 60),
        resent(),
    ]);
    let (client, _) = client(&script, store_app([Some("a-ticket"), None]));
    client.call(P, &[]).await.expect("a page");
    client.make_token_due().await;
    client.call(P, &[]).await.expect("the old token is still good");
    assert_eq!(script.token_count(), 3);
}

/// What the tests see of a refresh token.
#[derive(Default)]
struct Kept {
    token: String,
    may_be_used: bool,
    is_kept: bool,
    cannot_be_stored: bool,
    /// How often it was taken.
    takes: usize,
}

#[derive(Clone)]
struct Refresh(Arc<Mutex<Kept>>);

struct Taken(Refresh, Secret, bool);

impl RefreshTokens for Refresh {
    fn take(&self) -> Boxed<'_, Result<Box<dyn TakenToken>, Cause>> {
        let mut kept = self.0.lock().expect("no panic inside");
        kept.takes += 1;
        let taken = Taken(self.clone(), Secret::new(&*kept.token), kept.may_be_used);
        Box::pin(async { Ok(Box::new(taken) as Box<dyn TakenToken>) })
    }
}

impl TakenToken for Taken {
    fn secret(&self) -> &Secret {
        &self.1
    }

    fn may_be_used(&self) -> bool {
        self.2
    }

    fn keep(self: Box<Self>) {
        self.0.0.lock().expect("no panic inside").is_kept = true;
    }

    fn replace(self: Box<Self>, next: Secret) -> Boxed<'static, Result<(), Cause>> {
        let mut kept = self.0.0.lock().expect("no panic inside");
        let stored = if kept.cannot_be_stored { Err("no space".into()) } else { Ok(()) };
        kept.token = next.expose().to_owned();
        Box::pin(async { stored })
    }
}

fn user(kept: Kept) -> (Credentials, Refresh) {
    let refresh = Refresh(Arc::new(Mutex::new(kept)));
    let credentials = Credentials::User {
        app_id: "cli_example".into(),
        app_secret: Secret::new(APP_SECRET),
        refresh_tokens: Source::new(Arc::new(refresh.clone())),
    };
    (credentials, refresh)
}

fn first() -> Kept {
    Kept { token: "r-verysecret-1".into(), ..Kept::default() }
}

fn user_token(number: u32) -> Reply {
    let body = json!({
        "code": 0,
        "access_token": format!("eyJverysecret{number}"),
        "expires_in": 7200,
        "refresh_token": format!("r-verysecret-{}", number + 1),
        "refresh_token_expires_in": 604_800,
        "scope": "vc:room:readonly offline_access",
        "token_type": "Bearer",
    });
    Reply::json(200, body.to_string())
}

#[tokio::test]
async fn each_renewal_of_a_user_uses_the_refresh_token_of_the_one_before() {
    let script = Script::new([]).await.always(Reply::page(1)).tokens([user_token(1), Reply::html(502), user_token(2)]);
    let (credentials, refresh) = user(first());
    let (client, _) = client(&script, credentials);
    client.call(P, &[]).await.expect("a page");
    client.make_token_due().await;
    client.call(P, &[]).await.expect("a page");
    let requests = token_requests(&script);
    let body = |token: &str| {
        json!({ "grant_type": "refresh_token", "client_id": "cli_example", "client_secret": APP_SECRET,
            "refresh_token": token })
    };
    let path = "/open-apis/authen/v2/oauth/token".to_owned();
    let expected = ["r-verysecret-1", "r-verysecret-2", "r-verysecret-2"].map(|token| (path.clone(), body(token)));
    assert_eq!(requests, expected);
    {
        let kept = refresh.0.lock().expect("no panic inside");
        assert_eq!((kept.token.as_str(), kept.takes, kept.is_kept), ("r-verysecret-3", 2, false));
    }
    let last = script.requests().last().and_then(|request| request.header("authorization").map(str::to_owned));
    assert_eq!(last.as_deref(), Some("Bearer eyJverysecret2"));
    let info = client.check_token().await.expect("a token");
    assert_eq!(info.kind, TokenKind::User);
    assert!(info.renewable_for.is_some_and(|time| time.as_secs() > 600_000), "{info:?}");
}

#[tokio::test]
async fn a_refused_refresh_token_is_not_sent_again() {
    for (kept, replies, cause, is_kept) in [
        (first(), vec![Reply::code(400, 20037)], StopCause::UserGrant, true),
        (first(), vec![Reply::code(400, 20064)], StopCause::UserGrant, true),
        (first(), vec![Reply::code(400, 20073)], StopCause::UserGrant, true),
        (first(), vec![Reply::code(400, 20002)], StopCause::Credentials, true),
        (first(), vec![Reply::code(400, 20069)], StopCause::Credentials, true),
        // Perhaps it was used: by a process that has ended, or by a request whose response was lost.
        (Kept { may_be_used: true, ..first() }, vec![Reply::code(400, 20073)], StopCause::UserGrantLost, false),
        (first(), vec![Reply::Reset, Reply::code(400, 20073)], StopCause::UserGrantLost, false),
    ] {
        let script = Script::new([]).await.tokens(replies.clone());
        let (credentials, refresh) = user(kept);
        let (client, _) = client(&script, credentials);
        let error = client.call(P, &[]).await.expect_err("no token");
        let CallError::Stop { endpoint: None, cause: found, .. } = &error else { panic!("{error}") };
        assert_eq!((*found, script.token_count()), (cause, replies.len()), "{error}");
        assert_eq!(refresh.0.lock().expect("no panic inside").is_kept, is_kept, "{error}");
        assert!(!all_texts(&error).contains("verysecret"), "{error:?}");
    }
}

#[tokio::test]
async fn no_access_token_is_used_before_the_next_refresh_token_is_stored() {
    let script = Script::new([]).await.tokens([user_token(1)]);
    let (client, _) = client(&script, user(Kept { cannot_be_stored: true, ..first() }).0);
    let error = client.call(P, &[]).await.expect_err("not stored");
    assert!(matches!(&error, CallError::Secret { cause: StopCause::UserGrant, .. }), "{error}");
    assert_eq!((script.token_count(), script.list_count()), (1, 0));
    // Without the scope offline_access there is no next one.
    let body = json!({ "code": 0, "access_token": "eyJ1", "expires_in": 7200 });
    let script = Script::new([]).await.tokens([Reply::json(200, body.to_string())]);
    let (client, _) = self::client(&script, user(first()).0);
    let error = client.call(P, &[]).await.expect_err("no refresh token");
    assert!(all_texts(&error).contains("offline_access"), "{error:?}");
}
