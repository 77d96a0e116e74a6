//! `vcq-etl report`, from the command line to what is printed and written.

use crate::cli::program::program;
use crate::cli::tests::{Ended, path, run_with, store};
use crate::error::ExitCode;
use crate::report::{Arguments, Catalogue, Cell};
use crate::text::Language;

/// Runs a report on a store.
fn report(folder: &tempfile::TempDir, name: &str, more: &[&str]) -> Ended {
    let args: Vec<&str> = ["report", "run", name, "--store", path(folder)].iter().chain(more).copied().collect();
    run_with(&args, &[])
}

fn answered(folder: &tempfile::TempDir, name: &str, more: &[&str]) -> Ended {
    let ended = report(folder, name, more);
    assert_eq!(ended.exit, ExitCode::Complete, "{}", ended.stderr);
    ended
}

fn refused(folder: &tempfile::TempDir, name: &str, more: &[&str]) -> String {
    let ended = report(folder, name, more);
    assert_eq!((ended.exit, ended.stdout.as_str()), (ExitCode::Usage, ""), "{}", ended.stderr);
    ended.stderr
}

const OWN: &str = "-- title: Mine\n-- question: How many?\n-- parameter: top integer = 3: How many.\n\
    -- column: number: The number.\nselect * from range($top) as t(number)\n";

/// A folder of reports: one more, one replaces the built-in report, one broken.
fn own_reports() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("mine.sql", OWN);
    write("coverage.sql", OWN);
    write("broken.sql", "-- title: BrokenReport\n-- qestion: What?\n");
    folder
}

#[test]
fn reports_are_listed_by_area() {
    let list = run_with(&["report", "list"], &[]);
    assert_eq!((list.exit, list.stderr.as_str()), (ExitCode::Complete, ""));
    insta::assert_snapshot!(list.stdout.lines().take(14).collect::<Vec<_>>().join("\n"), @r"
    Overview
      incidents           What went wrong, for whom, and since when?
      incident            Who was affected by this incident, where, and how much?
      scorecard           How was this period compared with the targets and the
                          previous period?
      daily-summary       How was each day compared with the target and the previous
                          week?
      sla                 Did we meet the service level this month, and how much of
                          the error budget is used?
      heatmap             On which weekdays and at which hours is quality poor?
      trend-regression    What got significantly better or worse compared with the
                          previous days?

    Worst meetings and participants
    ");
    assert!(list.stdout.lines().all(|line| line.chars().count() <= 80), "{}", list.stdout);
    let json: serde_json::Value =
        serde_json::from_str(&run_with(&["report", "list", "--format", "json"], &[]).stdout).expect("json");
    assert_eq!(json.as_array().map(Vec::len), Some(40));
    assert_eq!((&json[0]["id"], &json[0]["parameters"][0]), (&"r39".into(), &"since".into()));
}

#[test]
fn a_report_is_explained() {
    let show = run_with(&["report", "show", "sla"], &[]).stdout;
    for part in [
        "sla (r21): Service level\n",
        "\nFor: service owner\n",
        "  profile (text)   Profile: cqd",
        "\n  good_pct (%)",
        "\nIf empty\n",
        "  select * from report_sla(since := '2026-11-01', profile := 'cqd',\n  min_n := 300);\n",
    ] {
        assert!(show.contains(part), "{part}\n{show}");
    }
    assert!(show.lines().all(|line| line.chars().count() <= 80), "{show}");
    let sql = run_with(&["report", "show", "coverage", "--sql"], &[]).stdout;
    assert_eq!(sql, include_str!("../../../sql/reports/coverage.sql"));
    let needed = run_with(&["report", "show", "user-timeline"], &[]).stdout;
    assert!(needed.contains("[required]") && needed.contains("who := '...'"), "{needed}");
}

#[test]
fn own_reports_are_marked() {
    let (folder, own) = (store(), own_reports());
    let settings = [("VCQ_REPORTS_DIR", path(&own)), ("VCQ_STORE", path(&folder))];
    let list = run_with(&["report", "list"], &settings);
    assert_eq!(list.exit, ExitCode::Complete);
    assert!(
        list.stderr.contains("broken.sql is not a valid report: the header of the report broken, line 2: "),
        "{}",
        list.stderr
    );
    let list = list.stdout.split_whitespace().collect::<Vec<_>>().join(" ").replace(path(&own), "DIR");
    assert!(list.contains("coverage How many? [DIR/coverage.sql, replaces the built-in report]"), "{list}");
    assert!(list.contains("Custom mine How many? [DIR/mine.sql]"), "{list}");
    assert!(run_with(&["report", "show", "coverage"], &settings).stdout.contains("coverage: Mine\nHow many?\nFrom: "));

    let csv = |args: &[&str]| run_with(&[&["report", "run"], args, &["--format", "csv"]].concat(), &settings);
    assert_eq!(csv(&["mine"]).stdout, "number\n0\n1\n2\n");
    assert_eq!(csv(&["coverage", "--top", "1"]).stdout, "number\n0\n");
    assert_eq!(csv(&["unread-values"]).exit, ExitCode::Complete);
    let broken = csv(&["broken"]);
    assert_eq!(broken.exit, ExitCode::Usage);
    assert!(
        broken.stderr.contains("broken.sql is not a valid report") && broken.stderr.contains("line 2"),
        "{}",
        broken.stderr
    );
    let unknown = csv(&["mien"]);
    assert!(unknown.stderr.contains("did you mean mine?"), "{}", unknown.stderr);
    // A mistake that only DuckDB sees.
    std::fs::write(own.path().join("mine.sql"), OWN.replace("range(", "rnage(")).expect("written");
    let failed = csv(&["mine"]);
    assert!(
        failed.stderr.contains("could not run the report in")
            && failed.stderr.contains("mine.sql")
            && failed.stderr.contains("rnage"),
        "{}",
        failed.stderr
    );
    let nowhere = run_with(&["report", "list", "--reports-dir", "/no/where"], &[]);
    assert_eq!(nowhere.exit, ExitCode::Usage);
}

#[test]
fn a_report_is_answered_in_each_form() {
    let folder = store();
    let run = |more: &[&str]| answered(&folder, "unread-values", more).stdout;
    insta::assert_snapshot!(run(&["--width", "80"]).replace(path(&folder), "STORE"), @r"
    Unparsable values
    Which values from Feishu could not be parsed, and what do they look like?
    Parameters: since=any, until=any

    table       quality_samples
    column      network_delay_ms
    reason      unparsable
    values      1
    forms       1
    example     =fast
    first_date  2026-11-02 local
    last_date   2026-11-02 local
    first_seen

    Next: vcq-etl report show unread-values --store STORE
    ");
    assert!(run(&["--format", "csv"]).contains(",'=fast,"));
    assert!(run(&["--format", "markdown"]).starts_with("## Unparsable values\n"));
    assert!(run(&["--format", "html"]).contains("<td>=fast</td>"));
    let json: serde_json::Value = serde_json::from_str(&run(&["--format", "json"])).expect("json");
    assert_eq!(json[0]["example"], "=fast");
}

#[test]
fn a_result_can_go_to_a_file_whose_name_says_the_form() {
    let folder = store();
    let out = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    for (name, begins) in [
        ("rejects.csv", "table,column,"),
        ("rejects.json", "[\n  {\"table\""),
        ("rejects.md", "## Unparsable values"),
        ("rejects.html", "<!doctype html>"),
        ("rejects.parquet", "PAR1"),
    ] {
        let ended = answered(&folder, "unread-values", &["--out", &out(name)]);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.starts_with("wrote 1 row to "), "{}", ended.stderr);
        let bytes = std::fs::read(out(name)).expect("file");
        assert!(bytes.starts_with(begins.as_bytes()), "{name}");
    }
    // A given format takes precedence over the extension, and an unknown extension is an error.
    answered(&folder, "unread-values", &["--out", &out("rejects.dat"), "--format", "csv"]);
    let refused = refused(&folder, "unread-values", &["--out", &out("rejects.doc")]);
    assert!(refused.contains("--format") && refused.contains(".parquet"), "{refused}");
    let failed = report(&folder, "unread-values", &["--out", &out("no/such/folder.parquet")]);
    assert_eq!(failed.exit, ExitCode::Storage);
    let left = std::fs::read_dir(folder.path()).expect("folder").filter_map(Result::ok);
    let left: Vec<String> = left.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".part") || name.contains(".doc")), "{left:?}");
    for own in ["vcq.duckdb", "vcq.duckdb.wal", "parquet/_manifest.json", "buildings.csv"] {
        std::fs::create_dir_all(folder.path().join("parquet")).expect("a folder");
        let file = folder.path().join(own);
        let ended = report(&folder, "unread-values", &["--format", "csv", "--out", file.to_str().expect("text")]);
        assert_eq!(ended.exit, ExitCode::Usage);
        assert!(ended.stderr.contains("belongs to the store"), "{}", ended.stderr);
    }
}

#[test]
fn an_empty_result_has_a_reason() {
    let folder = store();
    let more = ["--since", "2026-11-01", "--top", "5"];
    let sentence = "No rows. The store holds no meetings yet: run vcq-etl sync.";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = answered(&folder, "worst-meetings", &more).stdout;
    assert!(words(&table).contains(sentence), "{table}");
    assert!(table.contains("Parameters: since=2026-11-01, until=any, profile=cqd, top=5, min_n=60\n"), "{table}");
    let csv = answered(&folder, "worst-meetings", &[&more[..], &["--format", "csv"]].concat());
    assert!(csv.stdout.starts_with("start,meeting_no,topic,") && csv.stdout.lines().count() == 1);
    assert_eq!(words(&csv.stderr), sentence);
    let quiet = answered(&folder, "worst-meetings", &["--format", "json", "--quiet"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("[]\n", ""));
}

#[test]
fn a_window_is_given_as_everywhere() {
    let folder = store();
    let table = answered(&folder, "coverage", &["--since", "2026-11-01T09:30", "--until", "2026-11-08"]).stdout;
    assert!(table.contains("since=2026-11-01, until=2026-11-08"), "{table}");
    let table = answered(&folder, "coverage", &["--since", "7d"]).stdout;
    assert!(table.contains("since=20") && table.contains("until=any"), "{table}");
    assert!(refused(&folder, "coverage", &["--since", "soon"]).contains("yesterday"));
    let twice = refused(&folder, "coverage", &["--since", "7d", "--param", "since=2026-11-01"]);
    assert!(twice.contains("is given twice"), "{twice}");
    let no_time = refused(&folder, "coverage", &["--param", "since=7d"]);
    assert!(no_time.contains("is not a date") && no_time.contains("--since takes a time"), "{no_time}");
}

#[test]
fn errors_have_hints() {
    let folder = store();
    let unknown = refused(&folder, "worst-meeting", &[]);
    assert!(unknown.contains("did you mean worst-meetings?") && unknown.contains("rooms-on-wifi"), "{unknown}");
    let parameter = refused(&folder, "coverage", &["--param", "sinse=2026-11-01"]);
    assert!(parameter.contains("did you mean since?"), "{parameter}");
    // A shorthand for what the report does not have.
    let no_top = refused(&folder, "daily-summary", &["--top", "5"]);
    assert!(no_top.contains("no parameter \"top\"") && no_top.contains("since, until, profile, min_n"), "{no_top}");
    let profile = refused(&folder, "by-site", &["--profile", "strickt"]);
    assert!(
        profile.contains("did you mean strict?") && profile.contains("cqd, custom, huawei-red, strict"),
        "{profile}"
    );
    let choice = refused(&folder, "by-site", &["--param", "dimension=room"]);
    assert!(choice.contains("one of site, building, floor, subnet"), "{choice}");
    let needed = refused(&folder, "meeting-timeline", &[]);
    assert!(needed.contains("requires the parameter meeting_no") && needed.contains("--param meeting_no="), "{needed}");

    let empty = tempfile::tempdir().expect("a folder");
    let missing = report(&empty, "coverage", &[]);
    assert_eq!(missing.exit, ExitCode::Storage);
    assert!(missing.stderr.contains("hint: run vcq-etl sync --since 2d first"), "{}", missing.stderr);

    let older = tempfile::tempdir().expect("a folder");
    let connection = duckdb::Connection::open(older.path().join("vcq.duckdb")).expect("a database");
    connection.execute_batch(&crate::schema::ddl::script()).expect("tables");
    drop(connection);
    let older = report(&older, "coverage", &[]);
    assert_eq!(older.exit, ExitCode::Storage);
    assert!(older.stderr.contains("vcq-etl rebuild") && older.stderr.contains("vcq-etl sync"), "{}", older.stderr);
}

#[test]
fn only_csv_files_for_people_begin_with_a_byte_order_mark() {
    const MARK: &str = "\u{feff}";
    let (folder, own) = (store(), tempfile::tempdir().expect("a folder"));
    let write = |name: &str, value: &str| {
        let sql = format!("-- title: T\n-- question: Q?\n-- column: a: The a.\nselect '{value}' as a\n");
        std::fs::write(own.path().join(format!("{name}.sql")), sql).expect("written");
    };
    write("ascii", "Mill House");
    write("chinese", "朝阳");
    let out = |name: &str| own.path().join(name).to_str().expect("text").to_owned();
    let run = |report: &str, args: &[&str]| {
        let settings = [("VCQ_REPORTS_DIR", path(&own)), ("VCQ_STORE", path(&folder))];
        run_with(&[&["report", "run", report], args].concat(), &settings)
    };
    for (report, file, args, has_mark) in [
        ("chinese", "a.csv", &[][..], true),
        ("chinese", "a.CSV", &[], true),
        ("chinese", "a.csv", &["--no-bom"], false),
        ("ascii", "a.csv", &[], false),
        ("ascii", "a.csv", &["--bom"], true),
        ("chinese", "a.txt", &["--format", "csv"], false),
        ("chinese", "a.txt", &["--format", "csv", "--bom"], true),
        ("chinese", "a.csv", &["--format", "json"], false),
        ("chinese", "a.json", &[], false),
        ("chinese", "a.md", &[], false),
    ] {
        let ran = run(report, &[&["--out", &out(file)], args].concat());
        assert_eq!(ran.exit, ExitCode::Complete, "{}", ran.stderr);
        let text = std::fs::read_to_string(own.path().join(file)).expect("read");
        assert_eq!(text.starts_with(MARK), has_mark, "{report} {file} {args:?}");
        if report == "chinese" && has_mark {
            assert_eq!(text, "\u{feff}a\n朝阳\n");
        }
    }
    // On stdout only if it is requested.
    assert_eq!(run("chinese", &["--format", "csv"]).stdout, "a\n朝阳\n");
    assert_eq!(run("chinese", &["--format", "csv", "--bom"]).stdout, "\u{feff}a\n朝阳\n");
    for args in [&["--bom"][..], &["--format", "json", "--bom"], &["--bom", "--no-bom", "--format", "csv"]] {
        assert_eq!(run("chinese", args).exit, ExitCode::Usage, "{args:?}");
    }
}

#[test]
fn every_report_names_a_command_that_parses() {
    let connection = crate::report::fixture::tenant();
    for report in Catalogue::built_in().expect("reports").reports() {
        let next = report.header.presentation.next.as_ref().unwrap_or_else(|| panic!("{}: no next", report.name));
        let required = report.header.parameters.iter().filter(|parameter| parameter.is_required);
        let given: Vec<(String, String)> =
            required.map(|parameter| (parameter.name.clone(), "100000001".to_owned())).collect();
        let arguments = Arguments::resolve(&report.name, &report.header, &given).expect("arguments");
        let mut result = crate::report::run(&connection, report, &arguments).expect("runs");
        if result.rows.is_empty() {
            let time = Cell::Time("2026-11-02 09:30:00".to_owned());
            result.rows.push(result.columns.iter().map(|_| time.clone()).collect());
        }
        let words = next.words(&result).unwrap_or_else(|| panic!("{}: no value", report.name));
        let typed = std::iter::once("vcq-etl".to_owned()).chain(words.iter().cloned());
        if let Err(error) = program(Language::English).try_get_matches_from(typed) {
            panic!("{}: {words:?}: {error}", report.name);
        }
    }
}

/// A store whose newest meeting is long ago.
fn old_store() -> tempfile::TempDir {
    let folder = store();
    let connection = duckdb::Connection::open(folder.path().join("vcq.duckdb")).expect("a database");
    connection
        .execute_batch(
            "insert into meetings (meeting_key, meeting_no, start_time_utc, start_time_local, meeting_date)
             select '10000000' || i || '-1', '10000000' || i, timestamp '2020-01-01 09:00:00' + i * interval 1 day,
                 timestamp '2020-01-01 09:00:00' + i * interval 1 day, date '2020-01-01' + cast(i as integer)
             from range(9) as t(i)",
        )
        .expect("rows");
    folder
}

#[test]
fn reports_default_to_the_last_days_in_the_store_and_say_so() {
    let folder = old_store();
    let window = "last 7 days in the store: 2020-01-03 to 2020-01-09, local time";
    let table = answered(&folder, "freshness", &[]).stdout;
    assert!(table.contains(&format!("\nWindow: {window} (--since 28d or --since all for more)\n")), "{table}");
    let dates = |more: &[&str]| {
        let ended = answered(&folder, "freshness", &[&["--format", "csv"], more].concat());
        (ended.stdout.lines().count() - 1, ended.stderr)
    };
    let (rows, stderr) = dates(&[]);
    assert_eq!(rows, 7);
    assert!(stderr.starts_with(&format!("window: {window}")), "{stderr}");
    assert_eq!(dates(&["--quiet"]), (7, String::new()));
    assert_eq!(dates(&["--since", "all"]), (9, String::new()));
    assert_eq!(dates(&["--param", "since="]).0, 9);
    assert_eq!(dates(&["--since", "2020-01-08"]), (2, String::new()));
    assert_eq!(dates(&["--until", "2020-01-03"]).0, 2);
    assert_eq!(dates(&["--since", "2020-01-02", "--until", "2020-01-04"]).0, 2);
    let markdown = answered(&folder, "freshness", &["--format", "markdown"]).stdout;
    assert!(markdown.contains(window) && markdown.contains("| date (local) |"), "{markdown}");
    assert!(answered(&folder, "freshness", &["--format", "html"]).stdout.contains(window));
}

#[test]
fn a_piped_table_has_the_given_width() {
    let folder = old_store();
    for (more, width) in [(&[][..], 120), (&["--width", "60"], 60), (&["--width", "200"], 200)] {
        let table = answered(&folder, "freshness", more).stdout;
        let lines = table.lines().filter(|line| !line.starts_with("Next: "));
        let longest = lines.map(|line| line.chars().count()).max().expect("lines");
        assert!(longest <= width && longest > width / 2, "{longest}: {table}");
    }
    assert!(refused(&folder, "freshness", &["--width", "5"]).contains("20..=1000"));
}

#[test]
fn incidents_read_as_sentences_and_use_the_width() {
    let folder = store();
    let connection = duckdb::Connection::open(folder.path().join("vcq.duckdb")).expect("a database");
    connection
        .execute_batch(
            "insert into meetings by name select '1-1' as meeting_key, date '2026-11-20' as meeting_date;
             insert into incidents by name
             select '2026-11-20-acute-site-0000000' || i as incident_id, 'acute' as kind, 'site' as scope_kind,
                'Harbour House ' || i as scope, 'jitter' as metric, 'both' as direction,
                timestamp '2026-11-20 01:40:00' as start_time_utc, timestamp '2026-11-20 09:40:00' as start_time_local,
                timestamp '2026-11-20 04:06:00' as end_time_utc, timestamp '2026-11-20 12:06:00' as end_time_local,
                7 as participants, 3 as meetings, 412 as poor_minutes, 480 as judged_minutes, 85.8 as poor_pct,
                0.4 as usual_poor_pct, 0.6 as elsewhere_poor_pct, 0.001 as q_value,
                case i when 1 then 'critical' else 'minor' end as severity, date '2026-11-20' as meeting_date,
                'Fri 20 Nov 09:40-12:06, Harbour House ' || i || ': jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %' as summary
             from range(1, 3) as t(i)",
        )
        .expect("rows");
    drop(connection);
    let table = |width: &str| {
        let text = answered(&folder, "incidents", &["--width", width]).stdout.replace(path(&folder), "STORE");
        // Below title, question and window.
        text.split_once("\n\n").expect("a table").1.to_owned()
    };
    insta::assert_snapshot!(table("60"), @r"
    severity  summary
    ------------------------------------------------------------
    critical  Fri 20 Nov 09:40-12:06, Harbour House 1: jitter
              both ways, 7 people, 3 meetings; usually 0.4 %,
              elsewhere 0.6 %
              2026-11-20-acute-site-00000001
    minor     Fri 20 Nov 09:40-12:06, Harbour House 2: jitter
              both ways, 7 people, 3 meetings; usually 0.4 %,
              elsewhere 0.6 %
              2026-11-20-acute-site-00000002
    (20 more columns: --width 240, or --format csv)

    Next: vcq-etl report incident 2026-11-20-acute-site-00000001 --store STORE
    ");
    insta::assert_snapshot!(table("80"), @r"
    severity  summary
    --------------------------------------------------------------------------------
    critical  Fri 20 Nov 09:40-12:06, Harbour House 1: jitter both ways, 7 people, 3
              meetings; usually 0.4 %, elsewhere 0.6 %
              2026-11-20-acute-site-00000001
    minor     Fri 20 Nov 09:40-12:06, Harbour House 2: jitter both ways, 7 people, 3
              meetings; usually 0.4 %, elsewhere 0.6 %
              2026-11-20-acute-site-00000002
    (20 more columns: --width 240, or --format csv)

    Next: vcq-etl report incident 2026-11-20-acute-site-00000001 --store STORE
    ");
    insta::assert_snapshot!(table("120"), @r"
    severity  summary
    ------------------------------------------------------------------------------------------------------------------------
    critical  Fri 20 Nov 09:40-12:06, Harbour House 1: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere
              0.6 %
              2026-11-20-acute-site-00000001
    minor     Fri 20 Nov 09:40-12:06, Harbour House 2: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere
              0.6 %
              2026-11-20-acute-site-00000002
    (20 more columns: --width 240, or --format csv)

    Next: vcq-etl report incident 2026-11-20-acute-site-00000001 --store STORE
    ");
    insta::assert_snapshot!(table("200"), @r"
    severity  summary                                                                                                          scope_kind  participants  meetings  poor_minutes  poor_pct  usual_poor_pct
                                                                                                                                                                            min         %               %
    -----------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------
    critical  Fri 20 Nov 09:40-12:06, Harbour House 1: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %  site                   7         3           412      85.8             0.4
              2026-11-20-acute-site-00000001
    minor     Fri 20 Nov 09:40-12:06, Harbour House 2: jitter both ways, 7 people, 3 meetings; usually 0.4 %, elsewhere 0.6 %  site                   7         3           412      85.8             0.4
              2026-11-20-acute-site-00000002
    (14 more columns: --width 240, or --format csv)

    Next: vcq-etl report incident 2026-11-20-acute-site-00000001 --store STORE
    ");
    let csv = answered(&folder, "incidents", &["--format", "csv"]).stdout;
    assert!(csv.starts_with("severity,kind,scope_kind,scope_name,metric,direction,start_time_local,"), "{csv}");
    assert_eq!(csv.lines().count(), 3);
}
