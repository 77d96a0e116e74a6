//! `vcq-etl query`, from the command line to what is printed and written.

use super::tests::{Ended, path, run_with, store};
use crate::error::ExitCode;

fn query(folder: &tempfile::TempDir, args: &[&str]) -> Ended {
    run_with(&[&["query", "--store", path(folder)], args].concat(), &[])
}

fn printed(folder: &tempfile::TempDir, args: &[&str]) -> String {
    let ended = query(folder, args);
    assert_eq!(ended.exit, ExitCode::Complete, "{}", ended.stderr);
    ended.stdout
}

fn refused(folder: &tempfile::TempDir, args: &[&str]) -> String {
    let ended = query(folder, args);
    assert_eq!((ended.exit, ended.stdout.as_str()), (ExitCode::Usage, ""), "{}", ended.stderr);
    ended.stderr
}

const REJECTS: &str = "select table_name, raw_text, meeting_date from rejects";

#[test]
fn a_query_is_answered_in_every_text_format() {
    let folder = store();
    insta::assert_snapshot!(printed(&folder, &[REJECTS]), @r"
    table_name       raw_text  meeting_date
    ---------------------------------------
    quality_samples  =fast     2026-11-02
    ");
    let format = |format: &str| printed(&folder, &[REJECTS, "--format", format]);
    assert_eq!(format("csv"), "table_name,raw_text,meeting_date\nquality_samples,'=fast,2026-11-02\n");
    let json = r#"{"table_name":"quality_samples","raw_text":"=fast","meeting_date":"2026-11-02"}"#;
    assert_eq!(format("json"), format!("[\n  {json}\n]\n"));
    assert!(
        format("markdown").starts_with("## Query\n\nselect table\\_name")
            || format("markdown").contains("| quality_samples |")
    );
    let html = format("html");
    assert!(html.contains("<td>=fast</td>") && html.contains("vcq-etl query</footer>"), "{html}");
    // The meaning of a column is that of the table's column.
    assert!(html.contains("Text of the value, as sent.") || html.contains("<h2>Columns</h2>"), "{html}");
    assert_eq!(query(&folder, &["select 1 as a where false"]).stderr, "No rows.\n");
    assert_eq!(printed(&folder, &["select 1 as a where false", "--format", "json"]), "[]\n");
    assert_eq!(printed(&folder, &["select 1 as a where false", "--format", "csv"]), "a\n");
}

#[test]
fn sql_comes_from_a_file_and_files_become_tables() {
    let folder = store();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("written");
        file.to_string_lossy().into_owned()
    };
    let sql = file("own.sql", "-- counts\nset variable n = 2;\nselect who, getvariable('n') as n from people;\n");
    let people = format!("people={}", file("people.csv", "who\n安\n"));
    let table = printed(&folder, &["--file", &sql, "--table", &people, "--format", "csv"]);
    assert_eq!(table, "who,n\n安,2\n");
    let out = folder.path().join("out.csv");
    let args = ["--file", &sql, "--table", &people, "--out", out.to_str().expect("text")];
    assert_eq!(printed(&folder, &args), "");
    let written = || std::fs::read_to_string(&out).expect("written");
    assert_eq!(written(), "\u{feff}who,n\n安,2\n", "Excel needs a mark");
    printed(&folder, &["select 1 as a", "--out", out.to_str().expect("text")]);
    assert_eq!(written(), "a\n1\n", "ASCII needs no mark");
    printed(&folder, &["select 1 as a", "--bom", "--out", out.to_str().expect("text")]);
    assert_eq!(written(), "\u{feff}a\n1\n");
    let left = std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".out")));
    assert!(refused(&folder, &["--file", "/nowhere.sql"]).contains("could not read the SQL from /nowhere.sql"));
    assert!(refused(&folder, &["select 1", "--file", &sql]).contains("cannot be used with"));
    assert!(
        refused(&folder, &["select 1", "--table", "people"]).contains("hint: for example: --table people=people.csv")
    );
}

#[test]
fn mistakes_are_shown_at_their_place_with_the_nearest_name() {
    let folder = store();
    insta::assert_snapshot!(refused(&folder, &["select *\nfrom meetigs"]), @r#"
    error: could not run the query
    caused by: Catalog Error: Table with name meetigs does not exist!
        
        LINE 2: from meetigs
                     ^
    hint: did you mean meetings?
    hint: vcq-etl schema lists the tables, views and macros
    "#);
    let text = refused(&folder, &["from report_coverage"]);
    assert!(text.contains("hint: did you mean report_coverage(...), a macro?"), "{text}");
    let text = refused(&folder, &["select meeting_topc from meetings"]);
    assert!(text.contains("Candidate bindings: \"meeting_topic\"") && text.contains("LINE 1: "), "{text}");
    let text = refused(&folder, &["select 1; select 2"]);
    assert!(text.contains("error: line 1 begins a second query"), "{text}");
    let text = refused(&folder, &["delete from meetings"]);
    assert!(text.contains("hint: the published database is read-only; create temp table"), "{text}");
    for sql in ["from '/etc/passwd'", "copy meetings to '/tmp/x.csv'", "attach '/tmp/x.db' as x", "install httpfs"] {
        let text = refused(&folder, &[sql]);
        assert!(text.contains("hint: a query reads the published database only"), "{sql}: {text}");
    }
    let text = refused(&folder, &["set memory_limit = '90GB'; select 1"]);
    assert!(text.contains("hint: settings of the session: --report-memory-limit"), "{text}");
    assert!(refused(&folder, &["from range(100001)"]).contains("error: the result has more than 100,000 rows"));
    let many = printed(&folder, &["select count(*) as n from range(1000000)", "--format", "csv"]);
    assert_eq!(many, "n\n1000000\n");
    assert!(refused(&folder, &["select 1", "--out", "x.doc"]).contains(".xlsx"));
    let inside = folder.path().join("vcq.duckdb");
    assert!(
        refused(&folder, &["select 1", "--format", "csv", "--out", inside.to_str().expect("text")])
            .contains("belongs to the store")
    );
}

#[test]
fn memory_is_limited_and_more_spills() {
    let folder = store();
    let sql = "select count(*) as n from (select distinct range as a, hash(range) as b from range(2000000))";
    let small = ["--report-memory-limit", "64MiB", "--format", "csv"];
    assert_eq!(printed(&folder, &[&[sql], &small[..]].concat()), "n\n2000000\n");
    // A list of one row cannot spill.
    let sql = "select len(list(hash(range)::varchar || repeat('x', 100))) as n from range(2000000)";
    let ended = query(&folder, &[&[sql], &small[..]].concat());
    assert_eq!(ended.exit, ExitCode::Storage, "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: raise --report-memory-limit"), "{}", ended.stderr);
}

#[test]
fn a_result_becomes_parquet_or_a_workbook() {
    let folder = store();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let parquet = file("out.parquet");
    let ended = query(&folder, &[REJECTS, "--out", &parquet]);
    assert_eq!(ended.stderr, format!("wrote 1 row to {parquet}\n"));
    let back = format!("t={parquet}");
    assert_eq!(
        printed(&folder, &["select raw_text from t", "--table", &back, "--format", "csv"]),
        "raw_text\n'=fast\n"
    );
    let workbook = file("out.xlsx");
    let ended = query(&folder, &[REJECTS, "--out", &workbook]);
    assert_eq!(ended.stderr, format!("wrote 1 row to {workbook}\n"));
    assert!(std::fs::read(&workbook).expect("written").starts_with(b"PK"));
}
