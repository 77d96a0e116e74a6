//! The tokens of store apps and of users.

use serde_json::{Value, json};

use super::client::{Client, Response, fast, small};
use crate::{Endpoint, Options, StoreApp, TENANT_KEY};

fn text(response: &Response, member: &str) -> String {
    let json = response.json();
    json[member].as_str().unwrap_or_else(|| panic!("{}", response.text)).to_owned()
}

fn app(client: &Client, more: Value) -> Value {
    let mut body = json!({ "app_id": client.server.app_id(), "app_secret": client.server.app_secret() });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_store_app_gets_tokens_of_its_tenants_with_a_ticket() {
    let folder = std::env::temp_dir().join(format!("vcq-simulator-grants-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let pushed_to = folder.join("ticket");
    let store_app = Some(StoreApp { app_ticket: "ticket-1".to_owned(), pushed_to: Some(pushed_to.clone()) });
    let mut client = Client::new(&small(), Options { store_app, ..fast() }).await;
    assert_eq!(client.token(&client.server.app_id(), &client.server.app_secret()).await.code(), 10016);
    let app_token = |ticket: &str| app(&client, json!({ "app_ticket": ticket }));
    assert_eq!(client.post(Endpoint::AppAccessToken, &app_token("old")).await.code(), 10012);
    assert_eq!(client.post(Endpoint::AppAccessToken, &app(&client, json!({}))).await.code(), 10003);
    assert_eq!(client.post(Endpoint::AppTicketResend, &app(&client, json!({}))).await.code(), 0);
    let ticket = std::fs::read_to_string(&pushed_to).expect("pushed");
    let issued = client.post(Endpoint::AppAccessToken, &app_token(&ticket)).await;
    let token = text(&issued, "app_access_token");
    assert!(token.starts_with("a-"), "{token}");
    let tenant = |token: &str, key: &str| json!({ "app_access_token": token, "tenant_key": key });
    let tenant_token = Endpoint::StoreTenantAccessToken;
    assert_eq!(client.post(tenant_token, &tenant("a-1", TENANT_KEY)).await.code(), 99_991_664);
    assert_eq!(client.post(tenant_token, &tenant(&token, "nobody")).await.code(), 10013);
    let issued = client.post(tenant_token, &tenant(&token, TENANT_KEY)).await;
    client.bearer = format!("Bearer {}", text(&issued, "tenant_access_token"));
    assert!(!client.meetings().await.is_empty());
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn a_refresh_token_can_be_used_once() {
    let mut client = Client::new(&small(), Options { refresh_token: Some("r-1".to_owned()), ..fast() }).await;
    let (id, secret) = (client.server.app_id(), client.server.app_secret());
    let body = |token: &str| json!({ "grant_type": "refresh_token", "client_id": id, "client_secret": secret, "refresh_token": token });
    let user = Endpoint::UserAccessToken;
    for (member, value, code) in [
        ("grant_type", "password", 20036),
        ("client_id", "cli_other", 20048),
        ("client_secret", "other", 20002),
        ("refresh_token", "r-0", 20026),
    ] {
        let mut wrong = body("r-1");
        wrong[member] = value.into();
        let refused = client.post(user, &wrong).await;
        assert_eq!((refused.code(), refused.http), (code, 400));
        assert!(!text(&refused, "error_description").is_empty());
    }
    let first = client.post(user, &body("r-1")).await;
    let next = text(&first, "refresh_token");
    assert_eq!(client.post(user, &body("r-1")).await.code(), 20073);
    let second = client.post(user, &body(&next)).await;
    assert_ne!(text(&second, "refresh_token"), next);
    // Both access tokens are valid.
    for issued in [first, second] {
        client.bearer = format!("Bearer {}", text(&issued, "access_token"));
        assert!(!client.meetings().await.is_empty());
        assert_eq!(client.get(Endpoint::Rooms, &[]).await.code(), 99_991_668, "a tenant token is needed");
    }
}
