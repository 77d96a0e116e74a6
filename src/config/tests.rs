use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use feishu_vc::{BaseUrl, BaseUrlError, Credentials, Region, Secret, UserIdType};

use super::sources::{FILE_NAME, Values};
use super::*;

fn sources(flags: &[(&'static str, &str)], environment: &[(&str, &str)]) -> Sources {
    Sources {
        flags: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
        config_flag: None,
        environment: environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        folder: PathBuf::from("/nowhere"),
    }
}

fn load(flags: &[(&'static str, &str)], environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&sources(flags, environment))
}

fn private_file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    path
}

fn with_file(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    private_file(folder.path(), FILE_NAME, text);
    Config::load(&Sources { folder: folder.path().to_owned(), ..Sources::default() })
}

#[test]
fn defaults_are_those_of_the_table() {
    let config = load(&[], &[]).expect("config");
    assert_eq!(config.store, PathBuf::from("./vcq-store"));
    assert_eq!(config.calls_per_minute, 100);
    assert_eq!(config.calls_in_window(), 100);
    assert_eq!(config.settle, Duration::from_secs(86_400));
    assert_eq!(config.host().origin(), "https://open.feishu.cn");
    assert_eq!(config.user_id_type.as_str(), "open_id");
    assert_eq!(config.timezone.offset_min_at(0), 480);
    assert_eq!(config.memory_limit.to_string(), "192MiB");
    assert_eq!((config.log_format, config.log_level), (LogFormat::Plain, tracing::level_filters::LevelFilter::WARN));
    assert_eq!(*config.origin("store"), Origin::Default);
}

#[test]
fn flag_wins_over_variable_over_file_over_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = private_file(folder.path(), FILE_NAME, "threads = 3\nconcurrency = 4\nmax_tries = 6\n");
    let mut sources = sources(&[("threads", "5")], &[("VCQ_THREADS", "4"), ("VCQ_CONCURRENCY", "7")]);
    sources.folder = folder.path().to_owned();
    let config = Config::load(&sources).expect("config");
    assert_eq!((config.threads, config.concurrency, config.max_tries, config.calls_per_minute), (5, 7, 6, 100));
    let origins = ["threads", "concurrency", "max_tries", "calls_per_minute"].map(|key| config.origin(key).clone());
    assert_eq!(origins, [Origin::Flag, Origin::Environment, Origin::File(path), Origin::Default]);
}

#[test]
fn the_folder_of_the_user_is_the_last_place_for_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(home.path().join(".config/vcq-etl")).expect("folder");
    private_file(&home.path().join(".config/vcq-etl"), FILE_NAME, "threads = 3");
    let home_text = home.path().to_str().expect("text");
    assert_eq!(load(&[], &[("HOME", home_text)]).expect("config").threads, 3);
    let other = private_file(home.path(), "other.toml", "threads = 7");
    let named = load(&[], &[("HOME", home_text), ("VCQ_CONFIG", other.to_str().expect("text"))]);
    assert_eq!(named.expect("config").threads, 7);
}

#[test]
fn every_path_in_the_file_is_relative_to_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("conf")).expect("folder");
    let keys = || SETTINGS.iter().filter(|setting| setting.kind == Kind::Path).map(|setting| setting.key);
    assert!(keys().count() >= 4);
    let text: String = keys().map(|key| format!("{key} = '../{key}'\n")).collect();
    let path = private_file(&folder.path().join("conf"), "other.toml", &text);
    let named = Sources { config_flag: Some(path), folder: PathBuf::from("/nowhere"), ..Sources::default() };
    let values = Values::collect(&named).expect("values");
    for key in keys() {
        assert_eq!(values.path(key), Some(folder.path().join("conf/..").join(key)), "{key}");
    }
    // Flags and variables are relative to the working directory, defaults too.
    for key in keys() {
        let variable = (Setting::find(key).expect("a setting").variable(), "here".to_owned());
        let by_variable = Sources { environment: [variable].into(), ..named.clone() };
        let by_flag = Sources { flags: [(key, "here".to_owned())].into(), ..named.clone() };
        for sources in [by_variable, by_flag] {
            assert_eq!(Values::collect(&sources).expect("values").path(key), Some(PathBuf::from("here")), "{key}");
        }
    }
    private_file(folder.path(), FILE_NAME, "store = '/absolute'\nreports_dir = ' '");
    let found = Sources { folder: folder.path().to_owned(), ..Sources::default() };
    assert!(matches!(Values::collect(&found), Err(ConfigError::Empty { .. })));
    private_file(folder.path(), FILE_NAME, "store = '/absolute'");
    assert_eq!(Values::collect(&found).expect("values").path("store"), Some(PathBuf::from("/absolute")));
    // A relative name of the file keeps the path relative.
    let bare = super::relative_path::beside(Path::new("vcq.toml"), "store".to_owned());
    assert_eq!(bare, "store");
}

#[test]
fn a_named_file_must_exist() {
    let error = load(&[], &[("VCQ_CONFIG", "/nowhere/vcq.toml")]).expect_err("no file");
    assert_eq!(error.to_string(), "could not read the configuration file /nowhere/vcq.toml");
}

#[test]
fn an_error_says_where_the_value_came_from() {
    let error = |flags, environment| load(flags, environment).expect_err("refused").to_string();
    assert_eq!(error(&[("threads", "0")], &[]), r#"--threads: "0" is not a whole number from 1 to 256"#);
    assert_eq!(error(&[], &[("VCQ_REGION", "mars")]), r#"VCQ_REGION: "mars" is not one of feishu, lark"#);
    assert!(error(&[], &[("VCQ_SETTLE", "soon")]).starts_with(r#"VCQ_SETTLE: "soon" is not a duration"#));
    assert!(error(&[("timezone", "Mars")], &[]).starts_with(r#"--timezone: "Mars" is not a UTC offset"#));
    assert!(error(&[("rate_window", "0s")], &[]).contains("above zero"));
    assert_eq!(error(&[("store", " ")], &[]), "--store is empty");
}

#[test]
fn an_empty_variable_is_none() {
    assert_eq!(load(&[], &[("VCQ_THREADS", "")]).expect("config").threads, 2);
}

#[test]
fn unknown_keys_are_refused_and_unknown_variables_noted() {
    let error = with_file("calls_per_min = 5").expect_err("refused");
    assert!(matches!(error, ConfigError::UnknownKey { key, .. } if key == "calls_per_min"));
    let config = load(&[], &[("VCQ_TREADS", "5"), ("VCQ_CONFIG", "")]).expect("config");
    assert_eq!(config.unknown_variables, ["VCQ_TREADS"]);
}

#[test]
fn a_broken_file_is_reported_without_its_text() {
    let error = with_file("threads = 2\napp_secret = \"s3cret\n").expect_err("refused");
    let ConfigError::Syntax { line, .. } = &error else { panic!("{error}") };
    assert_eq!(*line, 2);
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(matches!(with_file("[store]\npath = 1"), Err(ConfigError::WrongType { found: "table", .. })));
}

#[test]
fn a_settings_file_with_a_secret_must_be_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = private_file(folder.path(), FILE_NAME, "app_secret = \"s3cret\"");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("mode");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let load = || Config::load(&Sources { folder: folder.path().to_owned(), ..Sources::default() });
    assert!(matches!(load(), Err(ConfigError::SecretReadableByOthers { .. })));
    fs::write(&path, "threads = 3").expect("written");
    assert_eq!(load().expect("config").threads, 3);
}

#[test]
fn credentials_are_an_app_or_a_token_and_never_both() {
    let app = load(&[], &[("VCQ_APP_ID", "cli_a"), ("VCQ_APP_SECRET", "s3cret")]).expect("config");
    let expected = Credentials::App { app_id: "cli_a".to_owned(), app_secret: Secret::new("s3cret") };
    assert_eq!(app.credentials().expect("credentials"), expected);
    assert!(!format!("{app:?}").contains("s3cret"));
    let token = load(&[], &[("VCQ_ACCESS_TOKEN", "t-1")]).expect("config");
    assert_eq!(token.credentials().expect("credentials"), Credentials::Bearer(Secret::new("t-1")));

    let both = load(&[("app_id", "cli_a")], &[("VCQ_ACCESS_TOKEN", "t-1")]).expect_err("refused");
    assert_eq!(both.to_string(), "--app-id and VCQ_ACCESS_TOKEN cannot be used together");
    let none = load(&[], &[]).expect("config").credentials();
    assert!(matches!(none, Err(ConfigError::NoCredentials)));
    let half = load(&[], &[("VCQ_APP_ID", "cli_a")]).expect("config").credentials().expect_err("refused");
    assert_eq!(half.to_string(), "VCQ_APP_ID is set, but the app secret is not");
}

#[test]
fn a_secret_can_be_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = private_file(folder.path(), "secret", "s3cret\n");
    let path = path.to_str().expect("text");
    let config = load(&[("app_id", "cli_a"), ("app_secret_file", path)], &[]).expect("config");
    let expected = Credentials::App { app_id: "cli_a".to_owned(), app_secret: Secret::new("s3cret") };
    assert_eq!(config.credentials().expect("credentials"), expected);
    // Commands that need no credentials work where the file can't be read.
    let config = load(&[("access_token_file", "/nowhere/token")], &[]).expect("config");
    assert!(matches!(config.credentials(), Err(ConfigError::ReadSecret { .. })));
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for url in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "https://open.larksuite.com/"] {
        assert!(load(&[("base_url", url)], &[]).is_ok(), "{url}");
    }
    for url in
        ["http://open.feishu.cn", "HTTP://10.0.0.1", "http://localhost.evil.example", "http://127.0.0.1.evil.example"]
    {
        assert!(
            matches!(
                load(&[("base_url", url)], &[]),
                Err(ConfigError::BaseUrl { source: BaseUrlError::PlainHttp { .. }, .. })
            ),
            "{url}"
        );
    }
    for url in ["open.feishu.cn", "ftp://open.feishu.cn", "https://", "http://u:hunter2@127.0.0.1"] {
        let error = load(&[("base_url", url)], &[]).expect_err("refused");
        assert!(matches!(error, ConfigError::BaseUrl { .. }), "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let both = load(&[("base_url", "https://x.example"), ("region", "feishu")], &[]).expect_err("refused");
    assert_eq!(both.to_string(), "--region and --base-url cannot be used together");
}

#[test]
fn calls_scale_with_the_window() {
    let calls = |per_minute, window| {
        load(&[("calls_per_minute", per_minute), ("rate_window", window)], &[]).expect("config").calls_in_window()
    };
    assert_eq!(calls("100", "60s"), 100);
    assert_eq!(calls("6000", "500ms"), 50);
    assert_eq!(calls("1", "1s"), 1);
}

#[test]
fn every_word_of_the_table_is_parsed() {
    assert!(settings::REGIONS.iter().all(|word| Region::parse(word).is_some()));
    assert_eq!(settings::USER_ID_TYPES, UserIdType::ALL.map(UserIdType::as_str));
    assert!(settings::USER_ID_TYPES.iter().all(|word| UserIdType::parse(word).is_some()));
    assert!(settings::LOG_FORMATS.iter().all(|word| LogFormat::parse(word).is_some()));
    assert!(settings::LOG_LEVELS.iter().all(|word| load(&[("log_level", word)], &[]).is_ok()));
}

#[test]
fn every_setting_is_read() {
    // A value that no setting accepts must be refused for each one that has a form.
    for setting in SETTINGS.iter().filter(|setting| !matches!(setting.kind, Kind::Text | Kind::Path)) {
        assert!(load(&[(setting.key, "\u{1}")], &[]).is_err(), "{} is not read", setting.key);
    }
}

#[test]
fn only_the_flag_overrides_the_store_of_a_demo() {
    let own = |config: Config| config.with_default_store("./vcq-demo").store;
    assert_eq!(own(load(&[], &[]).expect("config")), PathBuf::from("./vcq-demo"));
    assert_eq!(own(load(&[("store", "here")], &[]).expect("config")), PathBuf::from("here"));
    let by_environment = load(&[], &[("VCQ_STORE", "a-real-one")]).expect("config");
    assert_eq!(own(by_environment), PathBuf::from("./vcq-demo"));
}

#[test]
fn commands_in_messages_name_a_store_that_they_would_not_find() {
    let flag = |flags: &[(&'static str, &str)], variables: &[(&str, &str)]| {
        load(flags, variables).expect("settings").store_flag().map(|[_, store]| store)
    };
    assert_eq!(flag(&[], &[]), None);
    assert_eq!(flag(&[("store", "./a/b")], &[]).as_deref(), Some("/nowhere/a/b"));
    assert_eq!(flag(&[], &[("VCQ_STORE", "/srv/b")]).as_deref(), Some("/srv/b"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = private_file(folder.path(), FILE_NAME, "store = 'c'\n");
    let found = Sources { folder: folder.path().to_owned(), ..Sources::default() };
    assert_eq!(Config::load(&found).expect("settings").store_flag(), None);
    let named = Sources { config_flag: Some(path), ..sources(&[], &[]) };
    let store = folder.path().join("c").display().to_string();
    assert_eq!(Config::load(&named).expect("settings").store_flag(), Some(["--store".to_owned(), store]));
}

#[test]
fn another_host_overrides_the_environment() {
    let environment =
        [("VCQ_BASE_URL", "https://real.example"), ("VCQ_APP_ID", "cli_real"), ("VCQ_APP_SECRET", "real")];
    let config = load(&[], &environment).expect("config");
    let token = Credentials::Bearer(Secret::new("t-demo"));
    let local = || BaseUrl::parse("http://127.0.0.1:1").expect("a base URL");
    let demo = config.with_host(local(), token.clone());
    assert_eq!((demo.host().origin(), demo.credentials().expect("credentials")), ("http://127.0.0.1:1", token));
    let app = Credentials::App { app_id: "cli_demo".to_owned(), app_secret: Secret::new("demo") };
    assert_eq!(demo.with_host(local(), app.clone()).credentials().expect("credentials"), app);
}

#[test]
fn state_without_a_store_follows_the_xdg_folders() {
    let folder = |environment: &[(&str, &str)]| load(&[], environment).expect("config").state_folder;
    assert_eq!(folder(&[("HOME", "/h")]), Some(PathBuf::from("/h/.local/state/vcq-etl")));
    assert_eq!(folder(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s")]), Some(PathBuf::from("/s/vcq-etl")));
    assert_eq!(folder(&[]), None);
}

/// Two tenants over common settings.
const TENANT_FILE: &str = "
threads = 3
settle = '12h'
region = 'feishu'
app_id = 'cli_common'
app_secret_file = 'common.secret'

[[alerts]]
name = 'common'
report = 'incidents'
to = ['ops']

[channels.ops]
kind = 'command'
command = ['true']

[tenants.a]
store = 'stores/a'
threads = 5
app_id = 'cli_a'
app_secret = 's3cret-a'
base_url = 'https://a.example'

[tenants.b]
store = 'stores/b'
access_token_file = 'b.token'
publish_to = 's3://lake/b'
alerts = []
";

fn of_tenant(text: &str, flags: &[(&'static str, &str)], environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    private_file(folder.path(), FILE_NAME, text);
    private_file(folder.path(), "b.token", "t-b");
    Config::load(&Sources { folder: folder.path().to_owned(), ..sources(flags, environment) })
}

#[test]
fn the_settings_of_a_tenant_are_over_those_of_the_file() {
    let common = of_tenant(TENANT_FILE, &[], &[]).expect("config");
    assert_eq!((common.threads, common.tenants), (3, vec!["a".to_owned(), "b".to_owned()]));
    let config = of_tenant(TENANT_FILE, &[("tenant", "a")], &[("VCQ_SETTLE", "6h"), ("VCQ_THREADS", "7")]);
    let config = config.expect("config");
    assert_eq!((config.threads, config.settle.as_secs()), (7, 6 * 3600), "a variable is over the table");
    assert!(config.store.ends_with("stores/a") && config.store.is_absolute(), "{:?}", config.store);
    assert_eq!(config.host().origin(), "https://a.example", "it excludes the common region");
    let app = Credentials::App { app_id: "cli_a".to_owned(), app_secret: Secret::new("s3cret-a") };
    assert_eq!(config.credentials().expect("credentials"), app);
    assert_eq!(config.alerts.settings().rules.len(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = private_file(folder.path(), FILE_NAME, TENANT_FILE);
    private_file(folder.path(), "b.token", "t-b");
    let by_variable = Sources { folder: folder.path().to_owned(), ..sources(&[], &[("VCQ_TENANT", "b")]) };
    let config = Config::load(&by_variable).expect("config");
    assert_eq!(config.credentials().expect("credentials"), Credentials::Bearer(Secret::new("t-b")));
    assert_eq!(config.alerts.settings().rules.len(), 0, "its own rules replace the common ones");
    let place = config.origin("store").place(Setting::find("store").expect("a setting"));
    assert_eq!(place, format!("tenants.b.store in {}", path.display()));
    assert_eq!(config.store_flag(), Some(["--tenant", "b"].map(str::to_owned)));
    let chosen_in_file = format!("tenant = 'a'\n{TENANT_FILE}");
    assert_eq!(of_tenant(&chosen_in_file, &[], &[]).expect("config").threads, 5);
    assert!(of_tenant(&chosen_in_file, &[("tenant", "b")], &[]).expect("config").store.ends_with("stores/b"));
}

#[test]
fn what_would_mix_up_tenants_is_refused() {
    let error = |text: &str, flags: &[(&'static str, &str)], environment: &[(&str, &str)]| {
        let text = of_tenant(text, flags, environment).expect_err("refused").to_string();
        let (before, after) = text.split_once("vcq.toml").unwrap_or((&text, ""));
        let before = if before.starts_with('/') { "" } else { before };
        let before = before.rsplit_once("in /").map_or(before, |(place, _)| place);
        format!("{before}{}", after.trim_start_matches(": "))
    };
    let in_file = |text: &str| error(text, &[], &[]);
    let a = "[tenants.a]\nstore = 's'\n";
    assert_eq!(in_file("tenants = 3"), "tenants is of type integer; write [tenants.NAME]");
    assert_eq!(in_file("[tenants]\na = 3"), "tenants.a is of type integer; write [tenants.a]");
    assert!(
        in_file("[tenants.A]\nstore = 's'")
            .starts_with("\"A\" is not a name for a tenant, which has 1 to 63 lower-case")
    );
    assert!(in_file("[tenants.all]\nstore = 's'").ends_with("and is not all"));
    assert_eq!(in_file("[tenants.a]\nthreads = 3"), "tenants.a does not set store");
    assert_eq!(in_file(&format!("{a}treads = 3")), "unknown key \"tenants.a.treads\"");
    assert_eq!(in_file(&format!("{a}tenant = 'b'")), "unknown key \"tenants.a.tenant\"");
    assert_eq!(in_file(&format!("{a}[tenants.b]\nstore = './s/'\n")), "tenants.a and tenants.b have the same store");
    let copies = "publish_to = 's3://l/p'\n[tenants.b]\nstore = 't'\npublish_to = 's3://l/p/'\n";
    let same = "tenants.a and tenants.b have the same publish_to and publish_tenant";
    assert_eq!(in_file(&format!("{a}{copies}")), same);
    let shared = format!("publish_to = 's3://l/p'\n{a}[tenants.b]\nstore = 't'\n");
    let config = of_tenant(&shared, &[("tenant", "b")], &[]).expect("config");
    assert_eq!((config.publish.to.as_deref(), config.publish.tenant.as_deref()), (Some("s3://l/p"), Some("b")));
    assert_eq!(in_file(&format!("{shared}publish_tenant = 'a'\n")), same);
    let borrowed = in_file(&format!("app_id = 'cli_x'\n{a}"));
    assert_eq!(
        borrowed,
        "tenants.a sets none of app_id, access_token, access_token_file, tenant_key, refresh_token_file, so it would use the credentials of another tenant"
    );
    assert_eq!(error(a, &[("tenant", "b")], &[]), "--tenant: there is no tenant \"b\"");
    assert_eq!(error("", &[], &[("VCQ_TENANT", "b")]), "VCQ_TENANT: there is no tenant \"b\"");
    assert!(error(a, &[("tenant", "a"), ("store", "t")], &[]).starts_with("--store and tenants.a.store "));
    assert!(error(a, &[("tenant", "a")], &[("VCQ_STORE", "t")]).starts_with("VCQ_STORE and tenants.a.store "));
    let typed = error(&format!("{a}threads = 'x'"), &[("tenant", "a")], &[]);
    assert!(typed.starts_with("tenants.a.threads "), "{typed}");
}

#[test]
fn messages_are_in_the_language_of_the_tenant() {
    let folder = tempfile::tempdir().expect("a folder");
    private_file(folder.path(), FILE_NAME, "language = 'en'\n[tenants.a]\nstore = 's'\nlanguage = 'zh'\n");
    let language = |tenant: &[(&'static str, &str)]| {
        Sources { folder: folder.path().to_owned(), ..sources(tenant, &[]) }.language()
    };
    assert_eq!(
        (language(&[]), language(&[("tenant", "a")])),
        (crate::text::Language::English, crate::text::Language::Chinese)
    );
}
