//! The same commands in English and in Chinese: people read another text, programs read the same bytes.

use std::process::Command;

use serde_json::Value;

use crate::support::test_env::{RunOutput, TestEnv};

fn run(mut command: Command, language: &str) -> RunOutput {
    command.env("VCQ_LANGUAGE", language);
    RunOutput::new(command.output().expect("the binary runs"))
}

fn both(env: &TestEnv, arguments: &[&str]) -> [RunOutput; 2] {
    ["en", "zh"].map(|language| run(env.vcq(arguments), language))
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Lines of JSON without times.
fn objects(text: &str) -> Vec<Value> {
    let timeless = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        value.as_object_mut().expect("an object").remove("timestamp");
        value
    };
    text.lines().map(timeless).collect()
}

#[test]
fn programs_read_the_same_in_both_languages() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    for arguments in [
        &["report", "run", "coverage", "--format", "csv", "--since", "all"][..],
        &["report", "run", "coverage", "--format", "json", "--since", "all"],
        &["query", "select status, count(*) from coverage group by all order by all", "--format", "csv"],
        &["verify", "--json"],
        &["buildings", "check", "--format", "json"],
        &["alert", "history", "--json"],
        &["schema", "--format", "json"],
        &["completions", "bash"],
        &["report", "list", "--format", "json"],
    ] {
        let [english, chinese] = both(&env, arguments);
        assert_eq!(english.code, chinese.code, "{arguments:?}: {}", chinese.stderr);
        assert_eq!(english.stdout, chinese.stdout, "{arguments:?}");
    }
    // What differs from run to run is removed.
    for (arguments, of_this_run) in [
        (&["status", "--json"][..], &["now_utc", "last_complete", "not_covered", "pending", "size"][..]),
        (&["doctor", "--json"], &["checks"]),
    ] {
        let [english, chinese] = both(&env, arguments);
        assert_eq!(english.code, chinese.code);
        let [english, chinese] = [english, chinese].map(|ran| {
            let mut value = objects(&ran.stdout).remove(0);
            for key in of_this_run {
                let names = |value: &Value| match value {
                    Value::Object(fields) => fields.keys().cloned().collect::<Vec<_>>().join(" "),
                    other => has_chinese(&other.to_string()).to_string(),
                };
                value[*key] = names(&value[*key]).into();
            }
            value
        });
        assert_eq!(english, chinese, "{arguments:?}");
    }
}

#[test]
fn a_log_for_programs_is_the_same_in_both_languages() {
    let env = TestEnv::new();
    for arguments in [
        &["report", "run", "no-such-report", "--log-format", "json"][..],
        &["sync", "--since", "soon", "--log-format", "json"],
        &["sync", "--no-such-flag", "--log-format", "json"],
        &["status", "--log-format", "json"],
    ] {
        let [english, chinese] = both(&env, arguments);
        assert_eq!((english.code, objects(&english.stderr)), (chinese.code, objects(&chinese.stderr)), "{arguments:?}");
        assert!(!has_chinese(&chinese.stderr), "{}", chinese.stderr);
    }
}

#[test]
fn people_read_their_language() {
    let env = TestEnv::new();
    let window = env.window();
    let sync = [&["sync"][..], &window, &["--summary", "text"]].concat();
    let [english, chinese] = both(&env, &sync);
    assert!(english.stdout.contains("Participants  ") && !has_chinese(&english.stderr), "{}", english.stdout);
    assert!(chinese.stdout.contains("参会人        "), "{}", chinese.stdout);
    let plan = [&["plan"][..], &window].concat();
    for arguments in [&plan[..], &["status"], &["doctor"], &["verify"], &["buildings", "check"], &["alert", "history"]]
    {
        let [english, chinese] = both(&env, arguments);
        assert_eq!(english.code, chinese.code, "{arguments:?}: {}", chinese.stderr);
        let text = |ran: &RunOutput| format!("{}{}", ran.stdout, ran.stderr);
        assert!(!has_chinese(&text(&english)), "{}", text(&english));
        assert!(has_chinese(&text(&chinese)), "{arguments:?}: {}", text(&chinese));
        // Sentences that stayed English; names and commands do not have five lower-case words in a row.
        let said = text(&chinese);
        let english_left = said.lines().find(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.windows(5).any(|run| run.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase())))
        });
        assert_eq!(english_left, None, "{arguments:?}");
    }
}

#[test]
fn the_file_decides_and_the_locale_is_the_default() {
    let env = TestEnv::new();
    let refused = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = env.vcq(&[&["report", "run", "no-such-report"], more].concat());
        command.envs(variables.iter().copied());
        RunOutput::new(command.output().expect("runs")).stderr
    };
    let chinese = "错误：";
    assert!(refused(&[("LANG", "zh_CN.UTF-8")], &[]).starts_with(chinese));
    assert!(refused(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], &[]).starts_with("error: "));
    assert!(refused(&[("LANG", "zh_CN.UTF-8"), ("VCQ_LANGUAGE", "en")], &[]).starts_with("error: "));
    assert!(refused(&[], &["--language", "zh"]).starts_with(chinese));
    std::fs::write(env.home().join("vcq.toml"), "language = \"zh\"\n").expect("written");
    assert!(refused(&[("LANG", "en_GB.UTF-8")], &[]).starts_with(chinese));
    assert!(refused(&[("LANG", "zh_CN.UTF-8")], &["--language", "en"]).starts_with("error: "));
}
