//! Every report on a store that a real sync published, run by the program and by another DuckDB client.

use serde_json::Value;

use crate::support::test_env::{RunOutput, TestEnv};

fn run(env: &TestEnv, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(arguments).output().expect("the binary runs"))
}

#[test]
fn every_report_gives_the_same_rows_in_any_client() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let list: Vec<Value> =
        serde_json::from_str(&run(&env, &["report", "list", "--format", "json"]).expect_exit(0).stdout)
            .expect("a list");
    assert_eq!(list.len(), 40);
    let text = |sql: &str| env.rows(sql).first().cloned().unwrap_or_default();
    let meeting_no = text("select min(meeting_no) from quality_samples join meetings using (meeting_key)");
    let who = text("select min(user_id) from participants");
    let incident = text("select coalesce(min(incident_id), 'none') from incidents");
    let mut with_rows = 0;
    for report in &list {
        let name = report["name"].as_str().expect("a name");
        let needed = match name {
            "meeting-timeline" => Some(("meeting_no", &meeting_no)),
            "user-timeline" => Some(("who", &who)),
            "incident" => Some(("incident_id", &incident)),
            _ => None,
        };
        let param = needed.map(|(parameter, value)| format!("{parameter}={value}"));
        let mut arguments = vec!["report", "run", name, "--format", "json"];
        if report["parameters"].as_array().expect("a list").contains(&"since".into()) {
            arguments.extend(["--since", "all"]);
        }
        arguments.extend(param.iter().flat_map(|param| ["--param", param.as_str()]));
        let ran = run(&env, &arguments).expect_exit(0);
        let rows: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{name}: {error}"));
        // A report without rows says why.
        assert_eq!(rows.is_empty(), ran.stderr.starts_with("No rows. "), "{name}: {}", ran.stderr);
        with_rows += usize::from(!rows.is_empty());
        let chosen = needed.map(|(parameter, value)| format!("{parameter} := '{value}'")).unwrap_or_default();
        let macro_call = format!("report_{}({chosen})", name.replace('-', "_"));
        let counted = env.number(&format!("select count(*) from {macro_call}"));
        assert_eq!(counted, rows.len() as i64, "{name}");
    }
    assert!(with_rows > 25, "{with_rows}");
}

#[test]
fn parquet_through_a_pipe_is_complete() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let piped = env
        .vcq(&["report", "run", "coverage", "--since", "all", "--format", "parquet"])
        .output()
        .expect("the binary runs");
    assert_eq!(piped.status.code(), Some(0));
    assert!(piped.stdout.starts_with(b"PAR1") && piped.stdout.ends_with(b"PAR1"));
    let file = env.home().join("piped.parquet");
    std::fs::write(&file, &piped.stdout).expect("written");
    let counted = env.number(&format!("select count(*) from read_parquet('{}')", file.display()));
    assert_eq!(counted, env.number("select count(*) from report_coverage()"));
    assert!(counted > 0);
}

#[test]
fn a_window_without_data_says_which_dates_the_store_has() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let ran = run(&env, &["report", "run", "worst-meetings", "--since", "2020-01-01", "--until", "2020-02-01"])
        .expect_exit(0);
    let first = env.rows("select min(meeting_date) from meetings").remove(0);
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&format!("No meeting started in this window; the store holds {first} to ")), "{words}");
}
