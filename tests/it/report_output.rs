//! Every report's complete output on one fixed tenant (tests/it/golden), and docs/REPORTS.md in both languages.
//! `UPDATE=1` rewrites them; read the diff before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use vcq_etl::{Catalogue, Language, Report, reference};
use vcq_simulator::TenantSpec;

use crate::support::test_env::{RunOutput, TestEnv, unlimited};

/// Two weeks of a tenant with every case; the simulator's seed and days are fixed.
fn tenant() -> TenantSpec {
    TenantSpec { days: 14, people: 60, meetings_per_day: 12, ..TenantSpec::default() }
}

/// The simulator's buildings.
const BUILDINGS: &str = "\
cidr,building,floor,city,country
10.11.0.0/16,North Tower,,Reading,GB
10.11.3.0/24,North Tower,3,Reading,GB
10.12.0.0/16,South Tower,,Leeds,GB
";

/// Columns that depend on the time of the run, by report; they are left out.
const VOLATILE: &[(&str, &[&str])] = &[
    ("api-usage", &["run_id", "started", "minutes", "quality_per_min", "waited_s"]),
    ("freshness", &["last_asked", "lag_h", "published", "age_of_last_minute_h"]),
];

/// Lines of an output shown in the document.
const MAX_LINES: usize = 24;

fn arguments(env: &TestEnv, report: &Report) -> Vec<String> {
    let first = |sql: &str| env.rows(sql).first().cloned().unwrap_or_default();
    let most = "select m.meeting_no from quality_samples q join meetings m using (meeting_key) group by 1 order by count(*) desc, 1 limit 1";
    let who = "select user_id from participants where user_id is not null group by 1 order by count(*) desc, 1 limit 1";
    let mut arguments = match report.name.as_str() {
        "meeting-timeline" => vec!["--param".to_owned(), format!("meeting_no={}", first(most))],
        // After the tenant's last day, every day until the run of this test is one that no run covers.
        "coverage" => vec!["--until".to_owned(), "2026-11-14".to_owned()],
        "user-timeline" => vec!["--param".to_owned(), format!("who={}", first(who))],
        "incident" => {
            vec![
                "--param".to_owned(),
                format!("incident_id={}", first("select coalesce(min(incident_id), 'none') from incidents")),
            ]
        }
        _ => Vec::new(),
    };
    if report.header.parameter("since").is_some() {
        arguments.splice(0..0, ["--since", "all"].map(str::to_owned));
    }
    arguments
}

fn run(env: &TestEnv, report: &Report, language: &str, more: &[&str]) -> String {
    let arguments = arguments(env, report);
    let mut all = vec!["report", "run", &report.name];
    all.extend(arguments.iter().map(String::as_str));
    all.extend(more);
    RunOutput::new(env.vcq(&all).env("VCQ_LANGUAGE", language).output().expect("the binary runs")).expect_exit(0).stdout
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares `text` with a file, after writing it if `UPDATE` is set.
fn equals_file(path: &str, text: &str) -> bool {
    let file = project(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        fs::write(&file, text).expect("written");
    }
    fs::read_to_string(&file).unwrap_or_default() == text
}

/// A CSV without the columns that depend on the time of the run.
fn without_volatile_columns(report: &str, csv: &str) -> String {
    let Some((_, volatile)) = VOLATILE.iter().find(|(name, _)| *name == report) else { return csv.to_owned() };
    let head: Vec<&str> = csv.lines().next().unwrap_or_default().split(',').collect();
    let keep: Vec<usize> = (0..head.len()).filter(|at| !volatile.contains(&head[*at])).collect();
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        keep.iter().filter_map(|at| cells.get(*at)).copied().collect::<Vec<_>>().join(",") + "\n"
    };
    csv.lines().map(line).collect()
}

#[test]
fn every_report_equals_its_recorded_output() {
    let env = TestEnv::with(&tenant(), unlimited());
    let buildings = env.home().join("buildings.csv");
    fs::write(&buildings, BUILDINGS).expect("written");
    let path = buildings.to_str().expect("text");
    RunOutput::new(env.vcq(&["buildings", "import", path]).output().expect("the binary runs")).expect_exit(0);
    env.sync(&[]).expect_exit(0);
    let catalogue = Catalogue::built_in().expect("reports");
    let mut differ = Vec::new();
    for report in catalogue.reports() {
        let csv = without_volatile_columns(&report.name, &run(&env, report, "en", &["--format", "csv"]));
        assert!(!csv.is_empty(), "{}", report.name);
        if !equals_file(&format!("tests/it/golden/{}.csv", report.name), &csv) {
            differ.push(report.name.clone());
        }
    }
    assert!(
        differ.is_empty(),
        "differs from tests/it/golden: {differ:?}; UPDATE=1 rewrites the files, git diff shows the changes"
    );

    let printed = |report: &Report, language: &str| {
        let mut command = vec!["vcq-etl report run".to_owned(), report.name.clone()];
        command.extend(arguments(&env, report));
        let is_volatile = VOLATILE.iter().any(|(name, _)| *name == report.name);
        if is_volatile {
            let comment = match language {
                "zh" => "不含随运行时间变化的列",
                _ => "without the columns that depend on the time of the run",
            };
            command.push(format!("--format csv    # {comment}"));
        }
        let output = match is_volatile {
            true => without_volatile_columns(&report.name, &run(&env, report, language, &["--format", "csv"])),
            false => run(&env, report, language, &[]),
        };
        let mut lines: Vec<&str> = output.lines().map(str::trim_end).collect();
        if lines.len() > MAX_LINES {
            lines.truncate(MAX_LINES);
            lines.push("...");
        }
        (command.join(" "), lines.join("\n"))
    };
    for (language, code, path) in
        [(Language::English, "en", "docs/REPORTS.md"), (Language::Chinese, "zh", "docs/zh-CN/REPORTS.md")]
    {
        let document = reference(language, &|report| printed(report, code)).expect("headers");
        let is_equal = equals_file(path, &document);
        assert!(is_equal, "{path} is out of date; run UPDATE=1 cargo test --release --test it report_output");
    }
}
