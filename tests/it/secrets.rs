//! No secret appears in output, logs or the store, even if a server sends it back.
//!
//! Out of scope: core dumps and `/proc/<pid>/environ`, which the operating system protects.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use duckdb::Connection;
use serde_json::json;

use crate::support::scripted_server::{
    APP_SECRET, List, Response, START, ScriptedServer, TENANT_TOKEN, meeting, ordinary_except, participant, sample,
};
use crate::support::test_env::RunOutput;

const USER_TOKEN: &str = "u-Zq9-made-up-user-token-Zq9";

/// A secret with characters that are special in quoting, patterns and URLs.
const ODD_SECRET: &str = r#"Zq9"'\%41$^.*[a]{2}(b)|?+/=&#~;Zq9"#;

/// Everything that a run left, unpacked: its output, every file of the sandbox, every table. As (place, bytes).
fn all_traces(server: &ScriptedServer, ran: &RunOutput) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![
        ("stdout".to_owned(), ran.stdout.clone().into_bytes()),
        ("stderr".to_owned(), ran.stderr.clone().into_bytes()),
    ];
    for name in server.files() {
        let path = server.sandbox.path().join(&name);
        // The links in place of a log lead nowhere.
        if name.starts_with("work/given/") || !path.exists() {
            continue;
        }
        let bytes = std::fs::read(&path).expect("readable");
        if name.ends_with(".zst") {
            let text = zstd::decode_all(bytes.as_slice()).expect("zstd");
            assert!(!text.is_empty());
            found.push((format!("{name}, unpacked"), text));
        }
        if name.ends_with(".parquet") {
            found.push((format!("{name}, read"), rows(&format!("select * from read_parquet('{}')", path.display()))));
        }
        found.push((name, bytes));
    }
    let database = server.store().join("vcq.duckdb");
    if database.exists() {
        for table in ["meetings", "participants", "quality_samples", "coverage", "rejects", "runs", "meta"] {
            let sql =
                format!("attach if not exists '{}' as s (read_only); select * from s.{table}", database.display());
            found.push((format!("table {table}"), rows(&sql)));
        }
    }
    found
}

fn rows(sql: &str) -> Vec<u8> {
    let connection = Connection::open_in_memory().expect("DuckDB");
    let (before, select) = sql.rsplit_once("; ").unwrap_or(("", sql));
    connection.execute_batch(before).expect("attached");
    crate::support::test_env::rows(&connection, select).join("\n").into_bytes()
}

/// Checks that no form of these secrets is in any trace of a run.
#[track_caller]
fn assert_no_secret(server: &ScriptedServer, ran: &RunOutput, secrets: &[&str]) {
    for (place, bytes) in all_traces(server, ran) {
        for secret in secrets {
            // The part of the base64 text that does not depend on what follows the secret.
            let base64 = base64(secret)[..secret.len() / 3 * 4].to_owned();
            let escaped = json!(secret).to_string();
            for form in [secret.to_string(), escaped[1..escaped.len() - 1].to_owned(), base64] {
                let is_there = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!is_there, "{form} is in {place}\n--- stderr\n{}", ran.stderr);
            }
        }
    }
}

/// Written here, so that the test does not depend on the code under test.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().chunks(3);
    groups
        .map(|bytes| {
            let bits = (0..3).fold(0, |bits, n| bits << 8 | u32::from(bytes.get(n).copied().unwrap_or_default()));
            let letters = (0..=bytes.len()).map(|n| char::from(LETTERS[(bits >> (18 - 6 * n) & 63) as usize]));
            letters.chain(std::iter::repeat_n('=', 3 - bytes.len())).collect::<String>()
        })
        .collect()
}

/// Text of a server that sends the secrets back in several forms.
fn echo(secrets: &[&str]) -> String {
    secrets.iter().map(|secret| format!("{secret} Bearer {secret} Basic {} ", base64(secret))).collect()
}

#[test]
fn a_successful_run_leaves_no_secret_at_any_log_level() {
    for format in ["plain", "json"] {
        let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
        for level in ["trace", "debug", "info", "warn", "error"] {
            let mut command = server.sync(&["--log-level", level, "--refetch"]);
            command.env("VCQ_LOG_FORMAT", format).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
            let ran = server.run(command).expect_exit(0);
            assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
        }
        assert!(
            server.requests().iter().any(|request| request.authorization.ends_with(TENANT_TOKEN)),
            "the token was used"
        );
    }
}

#[test]
fn secrets_in_responses_are_redacted_before_they_are_stored() {
    // In items of every list: as a value, a key and an ID, and in the log ID header.
    let echoed = echo(&[APP_SECRET, TENANT_TOKEN]);
    let words = echoed.clone();
    let server = ScriptedServer::new(std::sync::Arc::new(move |request| {
        let item = |text: String| {
            let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            for field in ["organizer", "device", "new field"] {
                value[field] = json!(words);
            }
            value[&words] = json!([words]);
            value
        };
        let page = |list, items| {
            Response::page(list, &serde_json::Value::Array(items).to_string(), None).with("x-tt-logid", TENANT_TOKEN)
        };
        match request.list {
            List::Meetings => page(request.list, vec![item(meeting().replace("\"t\"", &json!(words).to_string()))]),
            List::Participants => page(request.list, vec![item(participant().replace("ou_1", TENANT_TOKEN))]),
            List::Quality => {
                page(request.list, vec![item(sample().replace("\"100ms\"", &json!(words).to_string())), json!(words)])
            }
            _ => Response::token(),
        }
    }));
    let ran = server.run(server.sync(&["--log-level", "trace"])).expect_exit(0);
    assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
    assert!(server.text("select meeting_topic from meetings").is_some_and(|topic| topic.contains("[hidden]")));
    for format in ["table", "json", "csv", "markdown"] {
        let ran = server.run(server.command(&["report", "run", "unread-values", "--format", format])).expect_exit(0);
        assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
    }
}

#[test]
fn no_kind_of_failure_leaves_a_secret() {
    // (list, status, code, exit code)
    for (list, status, code, exit) in [
        (List::Token, 200, 10_015, 3),
        (List::Token, 500, 20_050, 4),
        (List::Meetings, 400, 99_991_672, 3),
        (List::Meetings, 400, 99_991_663, 3),
        (List::Meetings, 403, 121_005, 3),
        (List::Meetings, 429, 99_991_403, 8),
        (List::Meetings, 500, 121_001, 4),
        (List::Meetings, 302, 0, 4),
        (List::Participants, 400, 126_006, 0),
        (List::Quality, 400, 126_010, 0),
        (List::Quality, 500, 121_001, 7),
        (List::Quality, 418, 4_711, 7),
    ] {
        for format in ["plain", "json"] {
            // A failed token request cannot contain the token.
            let token = if list == List::Token { APP_SECRET } else { TENANT_TOKEN };
            let echoed = echo(&[APP_SECRET, token]);
            let server = ScriptedServer::new(ordinary_except(list, move |_| {
                let error = json!({"log_id": token, "message": echoed, "permission_violations": [{"subject": token}]});
                let body = json!({"code": code, "msg": echoed, "error": error, (echoed.clone()): echoed});
                Response::body(body.to_string())
                    .status(status)
                    .with("x-tt-logid", APP_SECRET)
                    .with("location", format!("/{token}"))
            }));
            let mut command = server.sync(&["--log-level", "trace"]);
            command.env("VCQ_LOG_FORMAT", format);
            let ran = server.run(command).expect_exit(exit);
            assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
        }
    }
    // A body that is not JSON is shown in the error, without the secrets.
    let server = ScriptedServer::new(ordinary_except(List::Meetings, |_| {
        Response::body(format!("<html>{TENANT_TOKEN}")).status(404)
    }));
    let ran = server.run(server.sync(&[])).expect_exit(4);
    assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
}

#[test]
fn access_tokens_and_secrets_with_special_characters_are_redacted() {
    let echoed = echo(&[USER_TOKEN]);
    let server = ScriptedServer::new(ordinary_except(List::Quality, move |_| Response::refusal(400, 126_010, &echoed)));
    let mut command = server.sync(&["--log-level", "trace"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", USER_TOKEN);
    let ran = server.run(command).expect_exit(0);
    assert_no_secret(&server, &ran, &[USER_TOKEN]);
    assert_eq!(server.count(List::Token), 0);

    let server =
        ScriptedServer::new(ordinary_except(List::Token, |_| Response::refusal(200, 10_015, &echo(&[ODD_SECRET]))));
    for (name, format) in [("VCQ_APP_SECRET", "plain"), ("VCQ_APP_SECRET", "json")] {
        let mut command = server.sync(&["--log-level", "trace"]);
        command.env(name, ODD_SECRET).env("VCQ_LOG_FORMAT", format);
        let ran = server.run(command).expect_exit(3);
        assert_no_secret(&server, &ran, &[ODD_SECRET]);
    }
    // A secret that is not a valid header value is refused before any request, and not shown.
    for odd in ["line\nbreak-Zq9-secret", "Zq9 with blanks", "Zq9-ümlaut-secret"] {
        let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
        let mut command = server.sync(&[]);
        command.env("VCQ_APP_SECRET", odd);
        let ran = server.run(command).expect_exit(2);
        assert_no_secret(&server, &ran, &[odd]);
        assert!(server.requests().is_empty());
    }
}

/// Runs a command without address and credentials.
fn run_without_settings(server: &ScriptedServer, arguments: &[&str], environment: &[(&str, &str)]) -> RunOutput {
    let mut command = server.command(arguments);
    for name in ["VCQ_BASE_URL", "VCQ_APP_ID", "VCQ_APP_SECRET"] {
        command.env_remove(name);
    }
    command.envs(environment.iter().copied());
    server.run(command)
}

#[test]
fn usage_errors_do_not_show_secrets() {
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let secret = "Zq9-hunter2-Zq9";
    let sync = ["sync", "--since", "2d"];
    let given = format!("--app-secret={secret}");
    for (arguments, environment) in [
        (&["sync", "--app-secret", secret, "--since"][..], &[][..]),
        (&["sync", "--app-secret", secret, "--bad", secret], &[]),
        (&["sync", &given, "--since", secret], &[]),
        (&["sync", "--since", "2d", secret], &[("VCQ_APP_SECRET", secret)]),
        (&["sync", "--app-id", "a", "--app-secret", secret, "--access-token", secret, "--since", "2d"], &[]),
        (&["sync", "--access-token", secret, "--store", secret, "--since", secret], &[]),
        (&sync, &[("VCQ_ACCESS_TOKEN", secret), ("VCQ_APP_SECRET", secret)]),
        (&sync, &[("VCQ_APP_SECRET", secret)]),
        // Secrets in the wrong place.
        (&sync, &[("VCQ_ACCESS_TOKEN", "x-token"), ("VCQ_BASE_URL", "https://u:Zq9-hunter2-Zq9@vendor.example")]),
        (&sync, &[("VCQ_ACCESS_TOKEN", "x-token"), ("VCQ_BASE_URL", "u:Zq9-hunter2-Zq9@vendor.example")]),
        (&sync, &[("VCQ_ACCESS_TOKEN", "x-token"), ("VCQ_BASE_URL", "https:/Zq9-hunter2-Zq9@vendor.example")]),
        (&sync, &[("VCQ_ACCESS_TOKEN", "x-token"), ("VCQ_BASE_URL", "https://vendor.example/?token=Zq9-hunter2-Zq9")]),
        (&sync, &[("VCQ_ACCESS_TOKEN", "x-token"), ("VCQ_BASE_URL", "ftp:vendor?Zq9-hunter2-Zq9")]),
    ] {
        for format in ["plain", "json"] {
            let environment = [environment, &[("VCQ_LOG_FORMAT", format)]].concat();
            let ran = run_without_settings(&server, arguments, &environment).expect_exit(2);
            assert_no_secret(&server, &ran, &[secret]);
        }
    }
}

#[test]
fn errors_in_a_settings_file_do_not_quote_it() {
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let folder = server.sandbox.path().join("work/given");
    make_open_folder(&folder);
    let path = folder.join("vcq.toml");
    let secret = "Zq9-hunter2-Zq9";
    for text in [
        "app_secret = \"Zq9-hunter2-Zq9",
        "app_secret \"Zq9-hunter2-Zq9\"",
        "app_secret = Zq9-hunter2-Zq9",
        "app_secret = [\"Zq9-hunter2-Zq9\"]",
        "app_secret = { a = \"Zq9-hunter2-Zq9\" }",
        "app_secret = \"Zq9-hunter2-Zq9\"\napp_secret = \"Zq9-hunter2-Zq9\"",
        "access_token = 'Zq9-hunter2-Zq9'\n]",
        "app_secret = \"Zq9-hunter2-Zq9\\q\"",
        "app_secret = \"Zq9-hunter2-Zq9\"\nthreads = \"many\"",
    ] {
        write_private(&path, text);
        let ran =
            run_without_settings(&server, &["sync", "--since", "2d", "--config", "given/vcq.toml"], &[]).expect_exit(2);
        assert_no_secret(&server, &ran, &[secret]);
        assert!(ran.stderr.contains("vcq.toml") || ran.stderr.contains("threads"), "{}", ran.stderr);
    }
    write_private(&path, "app_id = \"cli_x\"\napp_secret = \"Zq9-hunter2-Zq9\"\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("mode");
    let ran =
        run_without_settings(&server, &["sync", "--since", "2d", "--config", "given/vcq.toml"], &[]).expect_exit(2);
    assert!(ran.stderr.contains("chmod 600"), "{}", ran.stderr);
    assert_no_secret(&server, &ran, &[secret]);
}

/// Others can list it whatever the umask: secret files in a private folder are accepted.
fn make_open_folder(path: &Path) {
    std::fs::create_dir(path).expect("made");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("mode");
}

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode");
}

#[test]
fn secret_files_that_others_can_read_are_refused() {
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let folder = server.sandbox.path().join("work/given");
    make_open_folder(&folder);
    let at = |name: &str| folder.join(name);
    write_private(&at("good"), &format!("  {APP_SECRET}\r\n"));
    symlink(at("good"), at("link")).expect("linked");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o666] {
        let name = format!("mode-{mode:o}");
        write_private(&at(&name), APP_SECRET);
        std::fs::set_permissions(at(&name), std::fs::Permissions::from_mode(mode)).expect("mode");
        let ran = with_file(&server, &name).expect_exit(2);
        assert!(ran.stderr.contains(&format!("chmod 600 given/{name}")), "{}", ran.stderr);
    }
    write_private(&at("empty"), " \n");
    write_private(&at("large"), &"x".repeat(70_000));
    std::fs::create_dir(at("folder")).expect("made");
    let made = Command::new("mkfifo").args(["-m", "600"]).arg(at("pipe")).status().expect("mkfifo runs");
    assert!(made.success());
    for (name, words) in [
        ("empty", "is empty"),
        ("large", "larger than 65536 bytes"),
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("nothing", "could not read"),
    ] {
        let ran = with_file(&server, name).expect_exit(2);
        assert!(ran.stderr.contains(words) && ran.stderr.contains("hint: "), "{name}: {}", ran.stderr);
        assert!(server.requests().is_empty(), "no requests");
    }
    for name in ["good", "link"] {
        let ran = with_file(&server, name).expect_exit(0);
        assert_no_secret(&server, &ran, &[APP_SECRET, TENANT_TOKEN]);
    }
    std::fs::remove_file(at("pipe")).expect("removed");
}

fn with_file(server: &ScriptedServer, name: &str) -> RunOutput {
    let mut command = server.sync(&["--app-secret-file", &format!("given/{name}")]);
    command.env_remove("VCQ_APP_SECRET");
    server.run(command)
}

#[test]
fn plain_http_is_allowed_to_loopback_only() {
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let port = server.address.port();
    for url in [
        "http://open.feishu.cn",
        "HTTP://open.feishu.cn",
        "http://127.0.0.1@evil.example",
        "http://localhost:x@evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1%2eevil.example",
        "http://evil.example#127.0.0.1",
        "http://evil.example\\@127.0.0.1",
        "http://127.0.0.1\\.evil.example",
        "http://[::ffff:10.0.0.1]",
        "http://[fe80::1]",
        "http://0.0.0.0",
        "http://0xa.1",
        "http://167772161",
        "http://012.0.0.1",
        "http://localhost..",
        "//127.0.0.1",
        "http:/127.0.0.1",
        "http:127.0.0.1@evil.example",
        "ws://127.0.0.1",
        "file:///etc/passwd",
        "https://",
        "http://",
        "http:// 127.0.0.1",
    ] {
        let ran = run_without_settings(
            &server,
            &["sync", "--since", "2d"],
            &[("VCQ_ACCESS_TOKEN", USER_TOKEN), ("VCQ_BASE_URL", url)],
        )
        .expect_exit(2);
        assert_no_secret(&server, &ran, &[USER_TOKEN]);
    }
    assert!(server.requests().is_empty());
    for url in
        [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}/"), format!(" HTTP://127.0.0.1:{port} ")]
    {
        let mut command = server.sync(&[]);
        command.env("VCQ_BASE_URL", url);
        server.run(command).expect_exit(0);
    }
}

#[test]
fn proxy_credentials_are_not_shown() {
    // A proxy that refuses every request, and a port without a listener.
    let proxy = ScriptedServer::new(ordinary_except(List::Other, |_| {
        Response::body("no").status(407).with("x-said", "Zq9-proxy-word-Zq9")
    }));
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for address in [proxy.address, free] {
        let url = format!("http://user:Zq9-proxy-word-Zq9@{address}");
        let mut environment = vec![
            ("VCQ_ACCESS_TOKEN", USER_TOKEN),
            ("VCQ_BASE_URL", "https://vendor.example"),
            ("VCQ_LOG_LEVEL", "trace"),
        ];
        environment.extend(["HTTPS_PROXY", "https_proxy", "ALL_PROXY"].map(|name| (name, url.as_str())));
        let ran =
            run_without_settings(&proxy, &["sync", "--since", "2022-12-23", "--until", "2022-12-24"], &environment)
                .expect_exit(4);
        assert_no_secret(&proxy, &ran, &[USER_TOKEN, "Zq9-proxy-word-Zq9"]);
    }
    // No proxy is used for loopback.
    let server = ScriptedServer::new(ordinary_except(List::Other, |_| Response::token()));
    let mut command = server.sync(&[]);
    command.env("http_proxy", format!("http://{free}")).env("ALL_PROXY", format!("http://{free}"));
    server.run(command).expect_exit(0);
}

#[test]
fn the_search_for_secrets_finds_a_planted_text() {
    let server = ScriptedServer::new(ordinary_except(List::Meetings, |_| {
        Response::page(List::Meetings, &format!("[{}]", meeting().replace("\"t\"", "\"Zq9-not-a-secret-Zq9\"")), None)
    }));
    let ran = server.run(server.sync(&[])).expect_exit(0);
    let places: Vec<String> = all_traces(&server, &ran)
        .into_iter()
        .filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("Zq9-not-a-secret-Zq9"))
        .map(|(place, _)| place)
        .collect();
    for expected in ["unpacked", ".parquet, read", "table meetings"] {
        assert!(places.iter().any(|place| place.contains(expected)), "{expected}: {places:?}");
    }
    let mut text = Vec::new();
    std::fs::File::open(server.store().join("state/ledger.sqlite"))
        .expect("a ledger")
        .read_to_end(&mut text)
        .expect("read");
    assert!(String::from_utf8_lossy(&text).contains(&format!("705605196-{}", 1_671_765_419)), "{START}");
}
