//! Store apps and user tokens: one operator for many tenants, tickets that arrive late, refresh tokens that can be used
//! once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use vcq_simulator::{Endpoint, Options, StoreApp, TENANT_KEY, Tenant, TenantSpec, serve_tenants};

use crate::support::fault_injection::{Action, Fault, preload};
use crate::support::test_env::{RunOutput, TestEnv, unlimited};
use crate::support::test_store::tiny_tenant;

const TICKET: &str = "Zq9-made-up-app-ticket-Zq9";
const REFRESH_TOKEN: &str = "r-Zq9-made-up-refresh-token-Zq9";
const LOST: &str = "the response with the next one was lost";

fn run(mut command: Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("mode");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Checks that these secrets are neither in the output nor in any file but those that are their place.
#[track_caller]
fn assert_hidden(home: &Path, ran: &RunOutput, secrets: &[&str], places: &[&str]) {
    for secret in secrets {
        let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!is_in(ran.stdout.as_bytes()) && !is_in(ran.stderr.as_bytes()), "{secret} in\n{}", ran.stderr);
        for path in files(home) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_place = places.contains(&&*name);
            assert!(is_place || !is_in(&fs::read(&path).unwrap_or_default()), "{secret} in {}", path.display());
        }
    }
}

/// A store app whose ticket is pushed to a file.
fn store_app(pushed_to: Option<PathBuf>) -> Options {
    Options { store_app: Some(StoreApp { app_ticket: TICKET.to_owned(), pushed_to }), ..unlimited() }
}

#[test]
fn one_store_app_serves_three_tenants() {
    let home = TempDir::new().expect("a folder");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let tenants: Vec<_> = (0..3)
        .map(|seed| {
            let spec = TenantSpec { seed: 40 + seed, people: 10 + seed as u32, ..tiny_tenant() };
            (format!("tenant-key-{seed}"), Arc::new(Tenant::generate(&spec)))
        })
        .collect();
    let server = runtime.block_on(serve_tenants(tenants.clone(), store_app(None))).expect("a simulator");
    let at = |name: &str| home.path().join(name);
    write_private(&at("app.secret"), &server.app_secret());
    write_private(&at("app.ticket"), TICKET);
    let settings = |last_key: &str| {
        let mut text = format!(
            "calls_per_minute = 100000\nbackoff_base = '5ms'\nmax_tries = 2\nbase_url = '{}'\napp_id = '{}'\n\
             app_secret_file = 'app.secret'\napp_ticket_file = 'app.ticket'\n",
            server.base_url(),
            server.app_id()
        );
        for (name, key) in [("a", "tenant-key-0"), ("b", "tenant-key-1"), ("c", last_key)] {
            text.push_str(&format!("[tenants.{name}]\nstore = 'stores/{name}'\ntenant_key = '{key}'\n"));
        }
        write_private(&at("vcq.toml"), &text);
    };
    let vcq = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcq-etl"));
        command.args(arguments).env_clear().env("HOME", home.path()).env("TMPDIR", home.path());
        run({
            command.current_dir(home.path()).stdin(Stdio::null());
            command
        })
    };
    let sync = ["sync", "--since", "2026-11-01", "--until", "2026-11-15", "--tenants", "all", "--log-level", "trace"];
    let by_tenant = |ran: &RunOutput| -> BTreeMap<String, Value> {
        let lines = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.map(|line| (line["tenant"].as_str().expect("a name").to_owned(), line)).collect()
    };

    settings("tenant-key-of-nobody");
    let ran = vcq(&sync).expect_exit(3);
    let codes: Vec<_> = by_tenant(&ran).values().map(|line| line["exit_code"].clone()).collect();
    assert_eq!(codes, [0, 0, 3], "{}", ran.stderr);
    for words in ["10013", "the store app has no access to the tenant", "Check tenant_key"] {
        assert!(ran.stderr.contains(words), "{words:?} is missing in\n{}", ran.stderr);
    }
    settings("tenant-key-2");
    let ran = vcq(&[&sync[..], &["--refetch"]].concat()).expect_exit(0);
    for ((name, line), (_, tenant)) in by_tenant(&ran).iter().zip(&tenants) {
        let totals = tenant.totals();
        assert_eq!(line["samples"].as_u64(), Some(totals.samples), "{name}");
        assert_eq!(line["meetings"].as_u64(), Some(totals.meetings), "{name}");
    }
    let secrets = [&*server.app_secret(), TICKET];
    assert_hidden(home.path(), &ran, &secrets, &["app.secret", "app.ticket"]);
    let ran = vcq(&["doctor", "--tenants", "all", "--json", "-q"]).expect_exit(0);
    for (name, number) in [("a", 0), ("b", 1), ("c", 2)] {
        let text = by_tenant(&ran)[name].to_string();
        for words in ["app ticket from app_ticket_file in ", &format!("for the tenant key tenant-key-{number};")] {
            assert!(text.contains(words), "{words:?} is missing in {text}");
        }
    }
    assert_hidden(home.path(), &ran, &secrets, &["app.secret", "app.ticket"]);
    runtime.block_on(server.shutdown());
}

/// The environment of a store app, and its file for the ticket.
fn ticket_env(is_pushed: bool) -> (TestEnv, PathBuf) {
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    let ticket = env.home().join("app.ticket");
    let pushed_to = is_pushed.then(|| ticket.clone());
    env.change(|options| options.store_app = store_app(pushed_to).store_app);
    (env, ticket)
}

fn of_store_app(mut command: Command, ticket: &Path) -> Command {
    command.env("VCQ_TENANT_KEY", TENANT_KEY).env("VCQ_APP_TICKET_FILE", ticket);
    command.env("VCQ_WAIT_CAP", "10ms").env("VCQ_MAX_TRIES", "2");
    command
}

#[test]
fn a_ticket_that_is_missing_or_old_is_requested() {
    for old in [None, Some("an-old-ticket")] {
        let (env, ticket) = ticket_env(true);
        if let Some(old) = old {
            write_private(&ticket, old);
        }
        let ran = run(of_store_app(env.sync_command(&["--log-level", "trace"]), &ticket)).expect_exit(0);
        assert!(ran.stderr.contains("Feishu was asked to push a new one"), "{}", ran.stderr);
        assert_eq!(ran.summary()["samples"].as_u64(), Some(env.simulator().tenant().totals().samples));
        assert_eq!(env.simulator().stats().calls(Endpoint::AppTicketResend), 1);
        assert_hidden(env.home(), &ran, &[TICKET, &env.simulator().app_secret()], &["app.ticket"]);
    }
}

#[test]
fn a_ticket_that_does_not_come_ends_3_and_says_what_to_do() {
    for old in [None, Some("an-old-ticket-Zq9")] {
        let (env, ticket) = ticket_env(false);
        if let Some(old) = old {
            write_private(&ticket, old);
        }
        let words: &[&str] = match old {
            None => &["there is no usable app ticket", "app.ticket", "app_ticket_file"],
            Some(_) => &["10012", "the app ticket was not accepted", "app_ticket_file"],
        };
        let ran = run(of_store_app(env.sync_command(&[]), &ticket)).expect_exit(3);
        for word in words {
            assert!(ran.stderr.contains(word), "{word:?} is missing in\n{}", ran.stderr);
        }
        assert!(ran.stderr.contains("hint: Feishu pushes an app ticket"), "{}", ran.stderr);
        let ran = run(of_store_app(env.vcq(&["doctor"]), &ticket)).expect_exit(3);
        // Lines are wrapped.
        let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(words[0]) && page.contains("-> Feishu pushes an app ticket"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("Zq9"), "{}", ran.stdout);
        assert_eq!(env.simulator().stats().calls(Endpoint::AppTicketResend), 2, "once a run");
    }
    // A self-built app has no tickets.
    let env = TestEnv::with(&tiny_tenant(), unlimited());
    let ticket = env.home().join("app.ticket");
    let ran = run(of_store_app(env.sync_command(&[]), &ticket)).expect_exit(3);
    assert!(ran.stderr.contains("10016") && ran.stderr.contains("wrong type of app"), "{}", ran.stderr);
}

#[test]
fn a_ticket_comes_from_a_command() {
    let (env, ticket) = ticket_env(false);
    write_private(&ticket, TICKET);
    let mut command = of_store_app(env.sync_command(&[]), &ticket);
    command.env_remove("VCQ_APP_TICKET_FILE");
    command.env("VCQ_APP_TICKET_COMMAND", format!("cat {}", ticket.display()));
    run(command).expect_exit(0);
    let mut command = of_store_app(env.sync_command(&[]), &ticket);
    command.env_remove("VCQ_APP_TICKET_FILE").env("VCQ_APP_TICKET_COMMAND", "echo no ticket yet >&2; exit 1");
    let ran = run(command).expect_exit(3);
    assert!(ran.stderr.contains("ended with exit status: 1: no ticket yet"), "{}", ran.stderr);
}

/// The environment of a user, and the file of the refresh token.
fn user_env() -> (TestEnv, PathBuf) {
    let env = TestEnv::with(&tiny_tenant(), Options { refresh_token: Some(REFRESH_TOKEN.to_owned()), ..unlimited() });
    let folder = env.home().join("secrets");
    fs::create_dir(&folder).expect("created");
    write_private(&folder.join("refresh-token"), &format!("{REFRESH_TOKEN}\n"));
    (env, folder.join("refresh-token"))
}

fn of_user(mut command: Command, file: &Path) -> Command {
    command.env("VCQ_REFRESH_TOKEN_FILE", file);
    command
}

#[test]
fn a_refresh_token_is_replaced_with_each_use() {
    let (env, file) = user_env();
    let mut tokens = vec![REFRESH_TOKEN.to_owned()];
    for _ in 0..3 {
        let ran = run(of_user(env.sync_command(&["--log-level", "trace", "--refetch"]), &file)).expect_exit(0);
        assert_eq!(ran.summary()["samples"].as_u64(), Some(env.simulator().tenant().totals().samples));
        let token = fs::read_to_string(&file).expect("read").trim().to_owned();
        assert!(!tokens.contains(&token), "a new one each time");
        tokens.push(token);
        let secrets: Vec<&str> = tokens.iter().map(String::as_str).chain(["eyJ"]).collect();
        assert_hidden(&env.store(), &ran, &secrets[..secrets.len() - 1], &[]);
        assert!(!ran.stderr.contains("eyJ") && !ran.stdout.contains("eyJ"), "{}", ran.stderr);
    }
    assert_eq!(fs::metadata(&file).expect("there").mode() & 0o777, 0o600);
    assert_eq!(env.simulator().stats().calls(Endpoint::UserAccessToken), 3);
    let ran = run(of_user(env.vcq(&["doctor"]), &file)).expect_exit(0);
    let page = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["refresh token from VCQ_REFRESH_TOKEN_FILE", "Feishu renewed the user token", "valid for 7 days"] {
        assert!(page.contains(words), "{words:?} is missing in\n{}", ran.stdout);
    }
    // Used by somebody else: an old copy of the file.
    write_private(&file, REFRESH_TOKEN);
    let ran = run(of_user(env.sync_command(&[]), &file)).expect_exit(3);
    for words in ["20073", "refresh token already used", "offline_access", "refresh_token_file"] {
        assert!(ran.stderr.contains(words), "{words:?} is missing in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains(LOST), "{}", ran.stderr);
}

#[test]
fn runs_at_the_same_time_use_one_refresh_token_after_the_other() {
    let (env, file) = user_env();
    let start = |store: &str| {
        let mut command = of_user(env.sync_command(&[]), &file);
        command.env("VCQ_STORE", env.home().join(store)).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("starts")
    };
    let children: Vec<_> = (0..4).map(|number| start(&format!("store-{number}"))).collect();
    for child in children {
        RunOutput::new(child.wait_with_output().expect("ends")).expect_exit(0);
    }
    let stats = env.simulator().stats();
    assert_eq!(stats.answered(Endpoint::UserAccessToken, 0), 4);
    assert_eq!(stats.calls(Endpoint::UserAccessToken), 4, "none was refused");
}

#[test]
fn refusals_of_a_user_end_3_and_say_what_to_do() {
    for (code, words) in [
        (20037, "refresh token expired"),
        (20064, "grant was revoked"),
        (20026, "invalid refresh token"),
        (20002, "wrong client secret"),
    ] {
        let (env, file) = user_env();
        env.faults(&[&format!("user_access_token:code={code}")]);
        let ran = run(of_user(env.sync_command(&[]), &file)).expect_exit(3);
        assert!(ran.stderr.contains(&code.to_string()) && ran.stderr.contains(words), "{}", ran.stderr);
        assert_eq!(env.simulator().stats().calls(Endpoint::UserAccessToken), 1, "it is not sent again");
        // Feishu did not use it.
        env.faults(&[]);
        run(of_user(env.sync_command(&[]), &file)).expect_exit(0);
    }
    // The response is lost, and with it the next token.
    let (env, file) = user_env();
    env.faults(&["user_access_token:reset-in-answer@first=1"]);
    let ran = run(of_user(env.sync_command(&[]), &file)).expect_exit(3);
    assert!(ran.stderr.contains(LOST) && ran.stderr.contains("offline_access"), "{}", ran.stderr);
    let ran = run(of_user(env.vcq(&["doctor"]), &file)).expect_exit(3);
    assert!(ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ").contains(LOST), "{}", ran.stdout);
    // A folder that cannot be written is found before the token is used.
    let (env, file) = user_env();
    fs::create_dir(file.with_file_name("refresh-token.next")).expect("created");
    let ran = run(of_user(env.sync_command(&[]), &file)).expect_exit(3);
    assert!(ran.stderr.contains("could not write ") && ran.stderr.contains("refresh-token.next"), "{}", ran.stderr);
    assert_eq!(env.simulator().stats().calls(Endpoint::UserAccessToken), 0);
}

#[test]
fn a_kill_while_the_token_is_renewed_is_survived_or_named() {
    let (mut survived, mut named, mut died) = (0, 0, 0);
    for kind in ["create", "open", "write", "truncate", "sync", "rename", "unlink"] {
        let actions = [Action::Kill, Action::KillAfter, Action::KillMidWrite];
        let actions = &actions[..if kind == "write" { 3 } else { 2 }];
        for (at, action) in (1..=4).flat_map(|at| actions.iter().map(move |action| (at, *action))) {
            let (env, file) = user_env();
            let folder = file.parent().expect("a folder");
            let mut command = of_user(env.vcq(&["doctor", "--json"]), &file);
            preload(&mut command, folder, None, Some(&Fault::on(action, at, kind, "refresh-token")));
            if run(command).code.is_some() {
                break;
            }
            died += 1;
            let was_used = env.simulator().stats().answered(Endpoint::UserAccessToken, 0) > 0;
            let next = run(of_user(env.vcq(&["doctor", "--json"]), &file));
            match next.code {
                Some(0) => survived += 1,
                _ => {
                    assert!(was_used, "{kind} {at} {action:?}: {}", next.stdout);
                    assert!(next.stdout.contains(LOST), "{kind} {at} {action:?}: {}", next.stdout);
                    named += 1;
                }
            }
        }
    }
    assert!(died >= 10 && survived > named, "{died} died, {survived} survived, {named} were named");
}
