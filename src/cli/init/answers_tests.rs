use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Completes the answers without a terminal, in a folder.
fn complete(
    folder: &Path,
    flags: &[(&'static str, &str)],
    environment: &[(&str, &str)],
    zone: Option<&str>,
) -> Result<Answers, Failure> {
    let sources = Sources {
        flags: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
        config_flag: Some(PathBuf::from("conf/vcq.toml")),
        environment: environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        folder: folder.to_owned(),
    };
    let places = Places::new(&sources)?;
    let given = Given {
        sources: &sources,
        places: &places,
        is_secret_on_stdin: false,
        buildings: None,
        machine_zone: zone.map(str::to_owned),
    };
    given.complete(None)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, mode) in [("secret", 0o600), ("open", 0o644)] {
        fs::write(folder.path().join(name), "s3cret").expect("written");
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).expect("mode");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    folder
}

#[test]
fn flags_and_variables_are_answers_and_the_rest_has_defaults() {
    let folder = folder();
    let flags = [("app_id", "cli_a1"), ("app_secret_file", "secret"), ("threads", "3"), ("views_dir", "conf/views")];
    let environment = [("VCQ_THREADS", "4"), ("VCQ_LANGUAGE", "zh"), ("VCQ_ACCESS_TOKEN", "")];
    let answers = complete(folder.path(), &flags, &environment, Some("Asia/Shanghai")).expect("answers");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let expected: BTreeMap<&str, String> = [
        ("app_id", "cli_a1".to_owned()),
        ("app_secret_file", path("secret")),
        ("language", "zh".to_owned()),
        ("region", "feishu".to_owned()),
        ("store", "vcq-store".to_owned()),
        ("threads", "3".to_owned()),
        ("timezone", "Asia/Shanghai".to_owned()),
        ("views_dir", "views".to_owned()),
    ]
    .into();
    assert_eq!(answers.settings, expected, "paths are relative to vcq.toml if below its folder");
    assert_eq!((answers.secret, answers.assumed_zone.as_deref()), (AppSecret::File, Some("Asia/Shanghai")));

    let by_variable = [("VCQ_APP_ID", "cli_a1"), ("VCQ_APP_SECRET", "s3cret"), ("VCQ_BASE_URL", "https://x.example")];
    let answers = complete(folder.path(), &[("timezone", "+09:00")], &by_variable, None).expect("answers");
    assert_eq!(answers.secret, AppSecret::Variable);
    assert_eq!((answers.settings.get("region"), answers.assumed_zone), (None, None));
    assert!(!answers.settings.values().any(|value| value.contains("s3cret")));
}

#[test]
fn missing_flags_are_listed_together() {
    let folder = folder();
    let failure = complete(folder.path(), &[], &[], None).expect_err("nothing given");
    assert_eq!(failure.message, "vcq-etl init needs --app-id, --app-secret-file (or --app-secret-stdin), --timezone");
    assert!(failure.exit == ExitCode::Usage && failure.hints[0].contains("terminal"), "{failure:?}");
    let failure = complete(folder.path(), &[("app_id", "cli_a")], &[], Some("UTC")).expect_err("no secret");
    assert_eq!(failure.message, "vcq-etl init needs --app-secret-file (or --app-secret-stdin)");
}

#[test]
fn bad_input_is_refused_with_what_to_do_next() {
    let folder = folder();
    fs::create_dir(folder.path().join("full")).expect("made");
    fs::write(folder.path().join("full/file"), "").expect("written");
    fs::write(folder.path().join("empty"), "\n").expect("written");
    fs::set_permissions(folder.path().join("empty"), fs::Permissions::from_mode(0o600)).expect("mode");
    for (flag, words) in [
        (("region", "mars"), r#"--region: "mars" is not one of feishu, lark"#),
        (("app_id", "a1b2"), r#"--app-id: "a1b2" does not look like an app ID"#),
        (("app_id", "cli_"), "does not look like an app ID"),
        (("app_id", "cli_a b"), "does not look like an app ID"),
        (("timezone", "Asia/Peking"), r#"--timezone: "Asia/Peking" is not a UTC offset"#),
        (("store", "secret"), "secret"),
        (("store", "secret/store"), "which is a file"),
        (("store", "full"), "full"),
        (("store", "."), "would contain vcq.toml"),
        (("store", "a\nb"), "control characters"),
        (("app_secret_file", "open"), "other users can access it (mode 644)"),
        (("app_secret_file", "empty"), "is empty"),
        (("app_secret_file", "nothing"), "could not read"),
        (("app_secret_file", "Xk3vQ9bT2mLr8wZp4nHs6s3cret"), "--app-secret-file: there is no such file"),
        (("app_id", "Xk3vQ9bT2mLr8wZp4nHs6s3cret"), "--app-id: this text looks like a secret"),
        (("app_secret", "s3cret"), "--app-secret shows the secret"),
        (("access_token", "s3cret"), "--access-token shows the secret"),
        (("calls_per_minute", "many"), "--calls-per-minute"),
        (("base_url", "http://x.example"), "--base-url"),
    ] {
        let mut flags = vec![("app_id", "cli_a1"), ("app_secret_file", "secret")];
        flags.retain(|(key, _)| *key != flag.0);
        flags.push(flag);
        let failure = complete(folder.path(), &flags, &[], Some("UTC")).expect_err(words);
        assert!(failure.exit == ExitCode::Usage && failure.message.contains(words), "{flag:?}: {failure:?}");
        assert!(!failure.hints.is_empty() && !format!("{failure:?}").contains("s3cret"), "{flag:?}: {failure:?}");
    }
    // An error about a variable names the variable.
    let failure = complete(folder.path(), &[], &[("VCQ_APP_ID", "a1b2")], None).expect_err("no app ID");
    assert!(failure.message.starts_with("VCQ_APP_ID: "), "{failure:?}");
    let both = [("app_id", "cli_a1"), ("app_secret_file", "secret")];
    let failure = complete(folder.path(), &both, &[("VCQ_APP_SECRET", "s3cret")], None).expect_err("two secrets");
    assert!(failure.message.contains("cannot be used together"), "{failure:?}");
    let failure = complete(folder.path(), &both, &[("VCQ_ACCESS_TOKEN", "t-s3cret")], Some("UTC"));
    let failure = failure.expect_err("a token beside an app");
    assert!(failure.message.contains("VCQ_ACCESS_TOKEN cannot be used together"), "{failure:?}");
}

#[test]
fn an_existing_file_is_named() {
    let folder = folder();
    fs::create_dir(folder.path().join("conf")).expect("made");
    fs::write(folder.path().join("conf/vcq.toml"), "").expect("written");
    let failure = complete(folder.path(), &[], &[], None).expect_err("exists");
    assert!(failure.message.contains("/conf/vcq.toml already exists"), "{failure:?}");
}
