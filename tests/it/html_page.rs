//! `report html`: the file that is written, and the errors. What the page shows is tested in a browser (tests/web).

use std::fs;

use crate::support::test_env::{RunOutput, TestEnv};
use crate::support::test_store::open_for_writing;

fn html(env: &TestEnv, more: &[&str]) -> RunOutput {
    let mut arguments = vec!["report", "html"];
    arguments.extend(more);
    RunOutput::new(env.vcq(&arguments).output().expect("the binary runs"))
}

/// Names of the HTML files in the home folder.
fn html_files(env: &TestEnv) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(env.home())
        .expect("the home folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("html"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_page_is_written_under_the_name_of_its_period() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let ran = html(&env, &[]).expect_exit(0);
    assert_eq!(ran.stdout, "");
    assert_eq!(html_files(&env), ["vcq-report-week-2026-11-02.html"]);
    let message = "wrote 2026-11-02 through 2026-11-08: ";
    assert!(ran.stderr.contains(message) && ran.stderr.contains("vcq-report-week-2026-11-02.html"), "{}", ran.stderr);

    let page = fs::read_to_string(env.home().join("vcq-report-week-2026-11-02.html")).expect("the page");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src 'none'"));
    // Everything that matters is in the document, and it fits in a mail.
    for section in ["story", "chronic", "tiles", "trend", "sites", "coverage"] {
        assert!(page.contains(&format!("id=\"s-{section}\"")), "{section}");
    }
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    // Equal stores give equal pages: a page does not contain the current time.
    let piped = html(&env, &["--out", "-"]).expect_exit(0);
    assert!(piped.stdout == page, "stdout has the same page");
    assert!(piped.stderr.contains("to stdout"), "{}", piped.stderr);

    html(&env, &["--period", "day", "--date", "2026-11-03", "--out", "one day.html", "--language", "zh"])
        .expect_exit(0);
    html(&env, &["--period", "month", "--meetings", "0", "--profile", "strict"]).expect_exit(0);
    // A period without meetings gives a page that says so.
    let empty = html(&env, &["--date", "2027-03-01"]).expect_exit(0);
    assert!(empty.stderr.contains("without quality data"), "{}", empty.stderr);
    let names = [
        "one day.html",
        "vcq-report-month-2026-11-01.html",
        "vcq-report-week-2026-11-02.html",
        "vcq-report-week-2027-03-01.html",
    ];
    assert_eq!(html_files(&env), names);
}

#[test]
fn an_invalid_request_is_an_error_and_writes_no_file() {
    let env = TestEnv::new();
    let ran = html(&env, &[]).expect_exit(5);
    assert!(!ran.stderr.is_empty());
    env.sync(&[]).expect_exit(0);
    for (arguments, code, words) in [
        (&["--period", "year"][..], 2, "day, week, month"),
        (&["--date", "2026-11-31"], 2, "2026-11-01"),
        (&["--date", "9999-12-31"], 2, "calendar"),
        (&["--meetings", "101"], 2, "101"),
        (&["--profile", "strickt"], 2, "did you mean strict?"),
        (&["--profile", "x' or 1=1 --"], 2, "there is no profile"),
        (&["--out", "no/such/folder.html"], 5, "could not write"),
    ] {
        let ran = html(&env, arguments).expect_exit(code);
        assert!(ran.stderr.contains(words), "{arguments:?}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(html_files(&env), [""; 0]);
}

#[test]
fn a_store_of_an_older_version_is_distinguished_from_a_damaged_one() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let database = open_for_writing(&env.store());
    database.execute_batch("drop table incidents").expect("dropped");
    drop(database);
    let ran = html(&env, &[]).expect_exit(5);
    assert!(ran.stderr.contains("no shared definitions") && ran.stderr.contains("vcq-etl rebuild"), "{}", ran.stderr);
    assert_eq!(html_files(&env), [""; 0]);
}
