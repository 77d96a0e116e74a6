//! Store apps and users: what they need, and what becomes of it in the tables of tenants.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use feishu_vc::{Credentials, TicketError, TokenKind};

use super::sources::FILE_NAME;
use super::*;

const STORE_APP: &str = "app_id = 'cli_store'\napp_secret = 's3cret'\napp_ticket_file = 'ticket'\n";

fn private_file(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).expect("mode");
}

/// The credentials of a file, of a tenant if one is named.
fn of(folder: &Path, text: &str, tenant: Option<&str>) -> Result<Credentials, ConfigError> {
    private_file(folder, FILE_NAME, text);
    let flags = tenant.map(|name| ("tenant", name.to_owned())).into_iter().collect();
    Config::load(&Sources { folder: folder.to_owned(), flags, ..Sources::default() })?.credentials()
}

#[test]
fn a_store_app_needs_ticket_and_tenant_key() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let error = |text: &str| of(folder.path(), text, None).expect_err("refused").to_string();
    let place = |key: &str| format!("{key} in {}", folder.path().join(FILE_NAME).display());
    assert_eq!(error(STORE_APP), format!("{} is set, but the setting tenant_key is not", place("app_ticket_file")));
    let text = "app_id = 'cli_store'\napp_secret = 's3cret'\ntenant_key = 'k'\n";
    let missing = "app_ticket_file or app_ticket_command";
    assert_eq!(error(text), format!("{} is set, but the setting {missing} is not", place("tenant_key")));
    assert_eq!(error("tenant_key = 'k'\n"), format!("{} is set, but the app ID is not", place("tenant_key")));
    let both = format!("{STORE_APP}app_ticket_command = 'cat ticket'\ntenant_key = 'k'\n");
    assert!(error(&both).ends_with(" cannot be used together"));
    // A ticket may come later, but not in a file that others can read.
    let text = format!("{STORE_APP}tenant_key = 'k'\n");
    let credentials = of(folder.path(), &text, None).expect("credentials");
    assert!(matches!(&credentials, Credentials::StoreApp { tenant_key, .. } if tenant_key == "k"));
    assert_eq!(credentials.token_kind(), TokenKind::Tenant);
    private_file(folder.path(), "ticket", "ticket-1");
    fs::set_permissions(folder.path().join("ticket"), fs::Permissions::from_mode(0o644)).expect("mode");
    assert!(error(&text).ends_with("but other users can access it (mode 644)"), "{}", error(&text));
}

#[tokio::test]
async fn the_newest_ticket_is_read_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let tickets = |text: String| match of(folder.path(), &text, None).expect("credentials") {
        Credentials::StoreApp { app_tickets, .. } => app_tickets,
        other => panic!("{other:?}"),
    };
    let by_file = tickets(format!("{STORE_APP}tenant_key = 'k'\n"));
    let command = format!("cat {}", folder.path().join("ticket").display());
    let store_app = "app_id = 'cli_store'\napp_secret = 's3cret'\ntenant_key = 'k'\n";
    let by_command = tickets(format!("{store_app}app_ticket_command = '{command}'\n"));
    assert!(matches!(by_file.newest().await, Err(TicketError::Missing(_))));
    let Err(TicketError::Missing(why)) = by_command.newest().await else { panic!("no ticket") };
    assert!(why.to_string().starts_with("the program sh ended with exit status: 1: cat: "), "{why}");
    for ticket in ["ticket-1", "ticket-2"] {
        private_file(folder.path(), "ticket", &format!("{ticket}\n"));
        for source in [&by_file, &by_command] {
            assert_eq!(source.newest().await.expect("a ticket").expose(), ticket);
        }
    }
    private_file(folder.path(), "ticket", "\n");
    for source in [&by_file, &by_command] {
        assert!(matches!(source.newest().await, Err(TicketError::Missing(_))));
    }
    private_file(folder.path(), "ticket", "two words");
    for source in [&by_file, &by_command] {
        assert!(matches!(source.newest().await, Err(TicketError::Unusable(_))));
    }
}

#[test]
fn a_user_needs_an_app_and_a_private_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "app_id = 'cli_a'\napp_secret = 's3cret'\nrefresh_token_file = 'refresh-token'\n";
    let error = |text: &str| of(folder.path(), text, None).expect_err("refused").to_string();
    assert!(error(text).starts_with("could not read the secret in "));
    private_file(folder.path(), "refresh-token", "r-1\n");
    let credentials = of(folder.path(), text, None).expect("credentials");
    assert_eq!(credentials.token_kind(), TokenKind::User);
    assert!(!format!("{credentials:?}").contains("r-1"));
    assert!(error("refresh_token_file = 'refresh-token'\n").ends_with("is set, but the app ID is not"));
    assert!(error(&format!("{text}tenant_key = 'k'\n")).ends_with(" cannot be used together"));
}

#[test]
fn tenants_share_a_store_app_and_have_a_key_each() {
    let folder = tempfile::tempdir().expect("a folder");
    private_file(folder.path(), "ticket", "ticket-1");
    private_file(folder.path(), "token", "t-1");
    let tables = "[tenants.a]\nstore = 'a'\ntenant_key = 'k-a'\n[tenants.b]\nstore = 'b'\ntenant_key = 'k-b'\n\
                  [tenants.own]\nstore = 'c'\napp_id = 'cli_own'\napp_secret = 'own'\n\
                  [tenants.token]\nstore = 'd'\naccess_token_file = 'token'\n";
    let text = format!("{STORE_APP}{tables}");
    for (name, key) in [("a", "k-a"), ("b", "k-b")] {
        let credentials = of(folder.path(), &text, Some(name)).expect("credentials");
        let Credentials::StoreApp { app_id, tenant_key, .. } = &credentials else { panic!("{credentials:?}") };
        assert_eq!((app_id.as_str(), tenant_key.as_str()), ("cli_store", key));
    }
    let own = of(folder.path(), &text, Some("own")).expect("credentials");
    assert!(matches!(&own, Credentials::App { app_id, .. } if app_id == "cli_own"), "{own:?}");
    let token = of(folder.path(), &text, Some("token")).expect("credentials");
    assert!(matches!(token, Credentials::Bearer(_)), "{token:?}");

    let error = |text: &str| of(folder.path(), text, None).expect_err("refused").to_string();
    let same = text.replace("k-b", "k-a");
    assert!(error(&same).ends_with(": tenants.a and tenants.b have the same tenant_key"), "{}", error(&same));
    let common = format!("tenant_key = 'k'\n{text}");
    assert!(error(&common).ends_with(": tenant_key is a setting of one tenant: move it to its table [tenants.NAME]"));
    let none = format!("{STORE_APP}[tenants.a]\nstore = 'a'\n");
    assert!(error(&none).contains("tenants.a sets none of app_id, "), "{}", error(&none));
    let by_flag = Sources {
        folder: folder.path().to_owned(),
        flags: [("tenant", "a".to_owned()), ("tenant_key", "k-b".to_owned())].into(),
        ..Sources::default()
    };
    private_file(folder.path(), FILE_NAME, &text);
    let error = Config::load(&by_flag).expect_err("refused").to_string();
    assert!(error.starts_with("--tenant-key and tenants.a.tenant_key "), "{error}");
}
