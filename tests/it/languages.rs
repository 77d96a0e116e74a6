//! The same commands in English and in Chinese: people read another text, programs read the same bytes.

use std::process::Command;

use serde_json::Value;
use vcq_simulator::TenantSpec;

use crate::support::test_env::{RunOutput, TestEnv, unlimited};

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

/// The first line with three English words in a row: a text that stayed English. Commands are typed as they are, names
/// come from outside, and the simulator says `can not find meeting`.
fn english_phrase(text: &str, names: &[String]) -> Option<String> {
    let text =
        names.iter().filter(|name| name.contains(' ')).fold(text.to_owned(), |text, name| text.replace(name, ""));
    let text = text.replace("can not find meeting", "");
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
    let has_phrase = |text: &str| {
        let words: Vec<&str> = text.split([' ', ',', ';', ':']).collect();
        words.windows(3).any(|run| run.iter().all(is_word))
    };
    text.lines().find_map(|line| {
        let mut pieces = line.split("vcq-etl ");
        let before = pieces.next().unwrap_or_default();
        let behind = pieces.map(|piece| piece.trim_start_matches(|c: char| c.is_ascii()));
        // Two blanks separate columns.
        let mut parts = std::iter::once(before).chain(behind).flat_map(|piece| piece.split("  "));
        parts.any(has_phrase).then(|| line.to_owned())
    })
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
    let page = env.home().join("page.html").display().to_string();
    let html = ["report", "html", "--period", "week", "--date", &window[3][..10], "--out", &page];
    for arguments in
        [&plan[..], &html, &["status"], &["doctor"], &["verify"], &["buildings", "check"], &["alert", "history"]]
    {
        let [english, chinese] = both(&env, arguments);
        assert_eq!(english.code, chinese.code, "{arguments:?}: {}", chinese.stderr);
        let text = |ran: &RunOutput| format!("{}{}", ran.stdout, ran.stderr);
        assert!(!has_chinese(&text(&english)), "{}", text(&english));
        assert!(has_chinese(&text(&chinese)), "{arguments:?}: {}", text(&chinese));
        assert_eq!(english_phrase(&text(&chinese), &[]), None, "{arguments:?}");
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

#[test]
fn reports_and_cards_have_no_english_phrase_and_programs_read_the_same() {
    let spec = TenantSpec { days: 10, people: 30, meetings_per_day: 8, ..TenantSpec::default() };
    let env = TestEnv::with(&spec, unlimited());
    let sync = run(env.vcq(&["sync", "--since", &spec.first_day.to_string()]), "zh").expect_exit(0);
    assert!(
        sync.stdout.contains("\n质量事件      ") && sync.stdout.contains("下一步：vcq-etl report "),
        "{}",
        sync.stdout
    );
    let one = |sql: &str| env.rows(sql).first().cloned().unwrap_or_default();
    let names = env.rows("select distinct meeting_topic from meetings where meeting_topic is not null");
    let number = one("select meeting_no from meetings group by 1 order by count(*) desc, 1 limit 1");
    let who =
        one("select user_id from participants where user_id is not null group by 1 order by count(*) desc, 1 limit 1");
    let incident = one("select max(incident_id) from incidents");
    assert!(!incident.is_empty(), "the tenant has an incident");
    let (number_is, who_is, incident_is) =
        (format!("meeting_no={number}"), format!("who={who}"), format!("incident_id={incident}"));
    let reports = env.rows(
        "select name from (values ('incidents'), ('coverage'), ('diagnosis'), ('heatmap'),
        ('trend-regression'), ('worst-meetings'), ('worst-participants'), ('episodes'), ('by-site'), ('duplicates'),
        ('threshold-sheet'), ('inside-outside'), ('percentiles'), ('scorecard'), ('reconcile')) as r(name)",
    );
    let mut commands: Vec<Vec<&str>> =
        reports.iter().map(|name| vec!["report", "run", name, "--width", "240"]).collect();
    commands.extend([
        vec!["report", "run", "meeting-timeline", "--param", &number_is, "--since", "all"],
        vec!["report", "run", "user-timeline", "--param", &who_is, "--since", "all"],
        vec!["report", "run", "incident", "--param", &incident_is],
        vec!["report", "run", "incidents", "--since", "all", "--format", "markdown"],
        vec!["report", "run", "incidents", "--since", "all", "--format", "html"],
        vec!["report", "list"],
        vec!["report", "show", "diagnosis"],
        vec!["report", "incident", &incident],
        vec!["report", "incident", &incident, "--format", "markdown"],
        vec!["report", "user", &who],
        vec!["report", "user", &who, "--since", "all", "--format", "markdown"],
        vec!["report", "meeting", &number],
        vec!["forget", "--user", &who],
        vec!["prune", "--before", "2026-11-05"],
        vec!["status"],
        vec!["report", "user", "nobody-of-this-name"],
        vec!["report", "meeting", "000000000"],
        vec!["report", "run", "worst-meetings", "--top", "many"],
        vec!["status", "--language", "fr"],
        vec!["alert", "test", "nowhere"],
    ]);
    for arguments in commands {
        let ran = run(env.vcq(&arguments), "zh");
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(has_chinese(&text), "{arguments:?}: {text}");
        assert_eq!(english_phrase(&text, &names), None, "{arguments:?}: {text}");
    }
    for arguments in [
        &["report", "incident", &incident, "--format", "json"][..],
        &["report", "user", &who, "--format", "json"],
        &["report", "meeting", &number, "--format", "json"],
        &["report", "run", "incidents", "--since", "all", "--format", "csv"],
        &["report", "run", "diagnosis", "--since", "all", "--format", "json"],
        &["query", "select summary from incidents order by all", "--format", "csv"],
    ] {
        let [english, chinese] = both(&env, arguments);
        assert_eq!(english.stdout, chinese.stdout, "{arguments:?}");
        assert!(english.code == Some(0) && !english.stdout.is_empty(), "{arguments:?}: {}", english.stderr);
    }
}
