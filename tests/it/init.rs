//! `init`: from answers to a checked `vcq.toml` and a nightly run; nothing that exists is changed, no secret is shown.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::test_env::{RunOutput, TestEnv};

const SETTINGS: [&str; 6] =
    ["VCQ_BASE_URL", "VCQ_APP_ID", "VCQ_APP_SECRET", "VCQ_STORE", "VCQ_CALLS_PER_MINUTE", "VCQ_BACKOFF_BASE"];

/// A folder with special characters, for `vcq.toml` and the store.
fn folder(env: &TestEnv) -> PathBuf {
    let folder = env.home().join(r#"会议 "a" \ 'b' 5%"#);
    fs::create_dir_all(&folder).expect("made");
    folder
}

/// The binary in a folder, without a setting in the environment.
fn vcq(env: &TestEnv, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = env.vcq(arguments);
    SETTINGS.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.current_dir(folder);
    command
}

fn run(mut command: Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

fn run_with_input(mut command: Command, input: &str) -> RunOutput {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    RunOutput::new(child.wait_with_output().expect("ends"))
}

/// An `init` for the simulator that reads the secret from standard input.
fn init(env: &TestEnv, folder: &Path, more: &[&str]) -> Command {
    let (url, id) = (env.simulator().base_url(), env.simulator().app_id());
    let mut arguments = vec!["init", "--base-url", &url, "--app-id", &id, "--app-secret-stdin", "--timezone", "+08:00"];
    arguments.extend(["--calls-per-minute", "100000", "--backoff-base", "5ms"]);
    arguments.extend(more);
    vcq(env, folder, &arguments)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), fs::read(&path).expect("read"))).collect()
}

#[test]
fn flags_make_a_file_with_which_a_sync_needs_nothing_else() {
    let env = TestEnv::new();
    let folder = folder(&env);
    fs::write(folder.join("offices.csv"), "cidr,building\n10.0.0.0/8,HQ\n").expect("written");
    let secret = env.simulator().app_secret();
    let ran = run_with_input(init(&env, &folder, &["--buildings", "offices.csv"]), &format!("{secret}\n"));
    let ran = ran.expect_exit(0);
    for words in ["/vcq.toml\n", "/app-secret (", "Buildings: 1 network in 1 building\n", "crontab -e", "MAILTO"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("A run would work: "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\nNext: vcq-etl sync --since 2d\n"), "{}", ran.stdout);
    let (settings, secret_file) = (folder.join("vcq.toml"), folder.join("app-secret"));
    assert_eq!((mode(&settings), mode(&secret_file)), (0o600, 0o600));
    assert_eq!(fs::read_to_string(&secret_file).expect("read"), format!("{secret}\n"));
    let text = fs::read_to_string(&settings).expect("read");
    for line in ["app_secret_file = \"app-secret\"", "store = \"vcq-store\"", "timezone = \"+08:00\"", "#threads = 2"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    for shown in [&ran.stdout, &ran.stderr, &text] {
        assert!(!shown.contains(&secret), "{shown}");
    }

    let synced = run(vcq(&env, &folder, &[&["sync", "--summary", "json"], &env.window()[..]].concat())).expect_exit(0);
    assert!(synced.summary()["participants"].as_u64() > Some(0), "{}", synced.stdout);
    assert!(folder.join("vcq-store/vcq.duckdb").exists() && folder.join("vcq-store/buildings.csv").exists());

    // As cron runs it: in another folder, without variables.
    let line = ran.stdout.lines().find(|line| line.starts_with("15 2 * * *  ")).expect("a line for cron");
    let command = line.trim_start_matches("15 2 * * *  ").replace("\\%", "%");
    let nightly =
        Command::new("sh").args(["-c", &command]).env_clear().env("HOME", env.home()).current_dir("/").output();
    let nightly = RunOutput::new(nightly.expect("sh runs")).expect_exit(0);
    assert_eq!((nightly.stdout.as_str(), nightly.stderr.as_str()), ("", ""));
    let log = fs::read_to_string(folder.join("sync.jsonl")).expect("a log");
    assert_eq!(serde_json::from_str::<Value>(log.trim()).expect("one object")["exit_code"], 0);

    let before = files(&folder);
    let again = run_with_input(init(&env, &folder, &[]), "another").expect_exit(2);
    assert!(again.stderr.contains("/vcq.toml already exists, and nothing was written"), "{}", again.stderr);
    fs::rename(&settings, folder.join("aside.toml")).expect("renamed");
    let again = run_with_input(init(&env, &folder, &[]), "another").expect_exit(2);
    assert!(again.stderr.contains("/app-secret already exists, and nothing was written"), "{}", again.stderr);
    fs::rename(folder.join("aside.toml"), &settings).expect("renamed");
    assert_eq!(files(&folder), before, "nothing was changed");
}

#[test]
fn a_chinese_terminal_gives_chinese_comments_and_the_setting() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let shown = |more: &[&str]| {
        let mut command = init(&env, &folder, &[&["--dry-run"], more].concat());
        command.env("LANG", "zh_CN.UTF-8");
        run_with_input(command, "s3cret").expect_exit(0).stdout
    };
    let chinese = shown(&[]);
    assert!(chinese.contains("\n# 租户的时区") && chinese.contains("\nlanguage = \"zh\"\n"), "{chinese}");
    let english = shown(&["--language", "en"]);
    assert!(english.contains("\n# Time zone of the tenant") && english.contains("\nlanguage = \"en\"\n"), "{english}");
}

#[test]
fn the_exit_code_is_that_of_the_checks() {
    let env = TestEnv::new();
    let at = |name: &str| {
        let folder = env.home().join(name);
        fs::create_dir(&folder).expect("made");
        folder
    };
    let wrong = run_with_input(init(&env, &at("wrong"), &[]), "not-the-secret").expect_exit(3);
    assert!(
        wrong.stdout.contains("failed   token: ") && wrong.stdout.contains("A run would not work"),
        "{}",
        wrong.stdout
    );
    assert!(!wrong.stdout.contains("not-the-secret") && !wrong.stdout.contains("Next: "), "{}", wrong.stdout);
    assert!(env.home().join("wrong/vcq.toml").exists(), "the file stays, to be corrected");

    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let url = format!("http://{free}");
    let secret = env.home().join("secret");
    fs::write(&secret, "s3cret").expect("written");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("mode");
    let arguments =
        |more: &[&'static str]| [&["init", "--app-id", "cli_a", "--app-secret-file", "../secret"], more].concat();
    let mut offline = vcq(&env, &at("offline"), &arguments(&["--no-check"]));
    offline.env("VCQ_BASE_URL", &url);
    let offline = run(offline).expect_exit(0);
    assert!(offline.stdout.contains("A run would work if Feishu accepts the credentials: "), "{}", offline.stdout);
    assert!(
        offline.stdout.contains("ok       disk: ") || offline.stdout.contains("warning  disk: "),
        "{}",
        offline.stdout
    );
    let mut online = vcq(&env, &at("online"), &arguments(&[]));
    online.env("VCQ_BASE_URL", &url);
    run(online).expect_exit(4);
    let text = fs::read_to_string(env.home().join("online/vcq.toml")).expect("read");
    assert!(text.contains(&format!("\nbase_url = \"{url}\"\n")), "a variable is an answer: {text}");
}

#[test]
fn without_a_terminal_and_flags_the_missing_ones_are_listed() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let ran = run(vcq(&env, &folder, &["init", "--timezone", "+08:00"])).expect_exit(2);
    assert!(ran.stderr.contains("needs --app-id, --app-secret-file (or --app-secret-stdin)\n"), "{}", ran.stderr);
    let ran = run(vcq(&env, &folder, &["init", "--app-id", "cli_a", "--app-secret", "Zq9-s3cret"])).expect_exit(2);
    assert!(ran.stderr.contains("--app-secret shows the secret") && !ran.stderr.contains("Zq9"), "{}", ran.stderr);
    let ran = run_with_input(init(&env, &folder, &[]), "Zq9 with blanks").expect_exit(2);
    assert!(ran.stderr.contains("contains whitespace") && !ran.stderr.contains("Zq9"), "{}", ran.stderr);
    let dry = run_with_input(init(&env, &folder, &["--dry-run"]), "Zq9-s3cret").expect_exit(0);
    for words in ["/app-secret\n[hidden]\n", "\nstore = \"vcq-store\"\n", "--- crontab\n15 2 * * *  "] {
        assert!(dry.stdout.contains(words), "{words}: {}", dry.stdout);
    }
    assert!(!dry.stdout.contains("Zq9"), "{}", dry.stdout);
    let dry = run_with_input(init(&env, &folder, &["--dry-run", "--timer=system"]), "Zq9-s3cret").expect_exit(0);
    for words in ["--- /etc/systemd/system/vcq-etl.service\n", "\nProtectSystem=strict\n", "\nPersistent=yes\n"] {
        assert!(dry.stdout.contains(words), "{words}: {}", dry.stdout);
    }
    assert!(!dry.stdout.contains("crontab"), "{}", dry.stdout);
    run_with_input(init(&env, &folder, &["--dry-run", "--timer"]), "Zq9-s3cret").expect_exit(0);
    assert_eq!(files(&folder), BTreeMap::new(), "nothing was written");
    let help = run(vcq(&env, &folder, &["init", "--help"])).expect_exit(0).stdout;
    assert!(help.contains("--app-secret-file") && !help.contains("--app-secret <"), "{help}");
}

/// What a program on a terminal does; see `terminal.py`.
fn on_terminal(env: &TestEnv, folder: &Path, arguments: &[&str], dialogue: &[(&str, &str)]) -> Value {
    let arguments: Vec<&str> =
        std::iter::once(env!("CARGO_BIN_EXE_vcq-etl")).chain(arguments.iter().copied()).collect();
    let job = json!({
        "arguments": arguments, "folder": folder.to_str(), "dialogue": dialogue,
        "environment": {"HOME": env.home().to_str(), "TERM": "xterm"},
    });
    let mut python = Command::new("python3");
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/terminal.py"));
    run_with_input(python, &job.to_string()).expect_exit(0).summary()
}

#[test]
fn on_a_terminal_it_asks_and_does_not_show_the_secret() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let (url, id, secret) = (env.simulator().base_url(), env.simulator().app_id(), env.simulator().app_secret());
    let (id, secret_line) = (format!("{id}\n"), format!("{secret}\n"));
    let arguments = ["init", "--base-url", &url, "--calls-per-minute", "100000"];
    let dialogue = [
        ("App ID (cli_...): ", "nonsense\n"),
        ("does not look like an app ID", ""),
        ("App ID (cli_...): ", &*id),
        ("or Enter to name a file that has it: ", "\n"),
        ("or Enter to type the secret: ", "/nowhere/secret\n"),
        ("could not read the secret", ""),
        ("or Enter to type the secret: ", "\n"),
        ("or Enter to name a file that has it: ", "/nowhere/secret\n"),
        ("is a path, not an app secret", ""),
        ("or Enter to name a file that has it: ", "two words\n"),
        ("contains whitespace", ""),
        ("or Enter to name a file that has it: ", &*secret_line),
        ("Time zone of the tenant [", "Asia/Peking\n"),
        ("is not a UTC offset", ""),
        ("Time zone of the tenant [", "Asia/Shanghai\n"),
        ("Directory of the store [./vcq-store]: ", "\n"),
        ("or Enter for none: ", "\n"),
        ("A run would work", ""),
    ];
    let ran = on_terminal(&env, &folder, &arguments, &dialogue);
    assert_eq!((&ran["code"], &ran["echo"]), (&json!(0), &json!(true)), "{ran:#}");
    assert!(!ran["output"].as_str().expect("text").contains(&secret), "{ran:#}");
    assert_eq!(fs::read_to_string(folder.join("app-secret")).expect("read"), secret_line);
    run(vcq(&env, &folder, &["doctor"])).expect_exit(0);
}

#[test]
fn an_interrupt_at_the_secret_writes_nothing_and_restores_the_echo() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let dialogue = [
        ("Region of the tenant", "mars\n"),
        ("is not one of feishu, lark", ""),
        ("[feishu]: ", "lark\n"),
        ("App ID (cli_...): ", "cli_a\n"),
        ("or Enter to name a file that has it: ", "\u{3}"),
    ];
    let ran = on_terminal(&env, &folder, &["init"], &dialogue);
    assert_eq!((&ran["code"], &ran["echo"]), (&json!(130), &json!(true)), "{ran:#}");
    assert_eq!(files(&folder), BTreeMap::new());
}

/// A service manager that records its commands, because no machine that runs tests can be expected to have a real one.
fn recording_systemctl(env: &TestEnv, exit: i32) -> PathBuf {
    let folder = env.home().join("bin");
    fs::create_dir_all(&folder).expect("made");
    for name in ["systemctl", "loginctl"] {
        let script = format!(
            "#!/bin/sh\necho {name} \"$@\" >> '{}'\ncase \"$*\" in *enable*) echo refused >&2; exit {exit};; esac\n",
            folder.join("log").display()
        );
        fs::write(folder.join(name), script).expect("written");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("mode");
    }
    folder
}

fn with_timer(env: &TestEnv, folder: &Path, path: &Path) -> RunOutput {
    let mut command = init(env, folder, &["--timer=user"]);
    command.env("PATH", path);
    run_with_input(command, &env.simulator().app_secret())
}

#[test]
fn a_timer_is_written_started_and_never_replaced() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let path = recording_systemctl(&env, 0);
    let ran = with_timer(&env, &folder, &path).expect_exit(0);
    assert!(ran.stdout.contains("systemctl --user list-timers vcq-etl.timer"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("crontab"), "{}", ran.stdout);
    let units = env.home().join(".config/systemd/user");
    let service = fs::read_to_string(units.join("vcq-etl.service")).expect("a service");
    let config = r#"/会议 \"a\" \\ 'b' 5%%/vcq.toml" --quiet"#;
    assert!(service.contains("\nExecStart=/") && service.contains(config), "{service}");
    assert!(units.join("vcq-etl-alert.service").exists() && units.join("vcq-etl.timer").exists());
    let commands = fs::read_to_string(path.join("log")).expect("a log");
    assert_eq!(
        commands,
        "systemctl --user show --property=Version\nsystemctl --user daemon-reload\n\
         systemctl --user enable --now vcq-etl.timer\nloginctl enable-linger\n"
    );

    let other = env.home().join("other");
    fs::create_dir(&other).expect("made");
    let again = with_timer(&env, &other, &path).expect_exit(2);
    assert!(again.stderr.contains("/vcq-etl.service already exists, and nothing was written"), "{}", again.stderr);
    assert_eq!(files(&other), BTreeMap::new());
}

#[test]
fn a_timer_without_systemd_is_refused_and_one_that_does_not_start_names_the_commands() {
    let env = TestEnv::new();
    let folder = folder(&env);
    let ran = with_timer(&env, &folder, Path::new("/nowhere")).expect_exit(2);
    assert!(ran.stderr.contains("systemd cannot be reached, and nothing was written"), "{}", ran.stderr);
    assert!(ran.stderr.contains("loginctl enable-linger") && ran.stderr.contains("a line for cron"), "{}", ran.stderr);
    assert_eq!(files(&folder), BTreeMap::new());
    let ran = with_timer(&env, &folder, &recording_systemctl(&env, 1)).expect_exit(2);
    assert!(ran.stdout.contains("A run would work: "), "the checks come first: {}", ran.stdout);
    let command = "systemctl --user daemon-reload && systemctl --user enable --now vcq-etl.timer";
    assert!(ran.stderr.contains("refused") && ran.stderr.contains(command), "{}", ran.stderr);
}
