//! The structural checks on generated rows: an intact store, a run in progress, and the texts of findings.
//! Tampering with a real store is tested in tests/it/verify.rs.

use std::collections::HashSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::registry::*;
use super::*;
use crate::files::Access;
use crate::load::fixture::{DAY, NOW_US, Store};
use crate::load::{DatabaseOptions, Definitions, LoadError, Lock, PublishMode, Published, Step};
use crate::schema::{Kind, MEETINGS, PARTICIPANTS, QUALITY_SAMPLES, Storage, TABLES, ddl};

/// The checks that generated rows pass; their keys and times are meaningless.
const STRUCTURAL: &[&Check] = &[
    &MANIFEST,
    &MANIFEST_PATHS,
    &FILES,
    &PARQUET_ROWS,
    &PARQUET_SCHEMA,
    &ORPHANS,
    &DATABASE,
    &DATABASE_SCHEMA,
    &GENERATION,
    &PUBLISHED_FILES,
    &ROWS,
    &DEFINITIONS,
];

fn verified(store: &Store) -> Findings {
    let context = VerifyContext {
        now_us: NOW_US,
        database: DatabaseOptions::default(),
        access: Access::Private,
        max_wait: Duration::from_millis(250),
        user_id_type: None,
        definitions: Definitions::NONE,
        runs: &|| None,
        list_was_empty: &|_, _| true,
        code_agrees: &|_, _| true,
    };
    let mut findings = Findings::new(3, CHECKS.iter().copied());
    verify(&store.paths, &context, &mut findings).expect("readable");
    findings
}

/// The structural checks that found something.
fn found(findings: &Findings) -> Vec<&'static str> {
    findings
        .outcomes
        .iter()
        .filter(|outcome| outcome.found > 0 && STRUCTURAL.contains(&outcome.check))
        .map(|outcome| outcome.check.name)
        .collect()
}

fn skipped(findings: &Findings, check: &'static Check) -> bool {
    findings.outcomes.iter().any(|outcome| outcome.check == check && outcome.skipped.is_some())
}

fn published() -> Store {
    let store = Store::new();
    store.publish("r1", vec![store.stage_all("r1", DAY, 130, 1), store.stage_all("r1", DAY + 1, 90, 2)]);
    store
}

/// Publishes another date up to a step.
fn stopped_before(store: &Store, run_id: &str, stop: Step) -> Result<Published, LoadError> {
    store.try_publish(run_id, vec![store.stage_all(run_id, DAY, 130, 9)], PublishMode::Update, &mut |step| {
        if step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

#[test]
fn an_intact_store_has_no_findings() {
    let store = published();
    let findings = verified(&store);
    assert_eq!(found(&findings), [] as [&str; 0], "{findings:?}");
    for check in STRUCTURAL {
        assert!(!skipped(&findings, check), "{}", check.name);
    }
    let rows = findings.outcomes.iter().find(|outcome| *outcome.check == ROWS).expect("reported");
    let published: u64 = store.manifest().files.iter().map(|file| file.rows).sum();
    assert_eq!(rows.examined, published);
    assert_eq!(fs::read_dir(store.paths.work()).expect("list").count(), 0, "nothing is left in .work");
}

#[test]
fn an_empty_store_has_no_findings() {
    let findings = verified(&Store::new());
    assert_eq!(findings.total(), 0, "{findings:?}");
}

#[test]
fn a_publication_in_progress_is_not_a_finding_and_a_crashed_one_is() {
    for stop in [Step::WriteManifest, Step::BuildDatabase, Step::RenameDatabase, Step::RemoveOldParts] {
        let store = published();
        let lock = Lock::take(&store.paths, "sync", 0).expect("free");
        stopped_before(&store, "r2", stop).expect_err("stopped");
        let beside = verified(&store);
        assert_eq!(found(&beside), [] as [&str; 0], "{stop:?}: {beside:?}");
        assert!(skipped(&beside, &ORPHANS), "{stop:?}");
        let between = stop == Step::RenameDatabase;
        assert_eq!(skipped(&beside, &GENERATION), between, "{stop:?}");
        assert_eq!(skipped(&beside, &ROWS), between, "{stop:?}");
        drop(lock);
        // The run has ended: the difference is a finding.
        let after = verified(&store);
        let expected: &[&str] = match stop {
            Step::RenameDatabase => &["generation"],
            _ => &["orphans"],
        };
        assert_eq!(found(&after), expected, "{stop:?}: {after:?}");
        if let ["generation"] = expected {
            let outcome = after.outcomes.iter().find(|outcome| *outcome.check == GENERATION).expect("reported");
            assert_eq!(outcome.found, 1, "one finding per reason: {after:?}");
            assert!(outcome.first[0].found.contains("the next vcq-etl sync fixes it"), "{after:?}");
            assert!(skipped(&after, &ROWS) && skipped(&after, &PUBLISHED_FILES), "{after:?}");
        }
        store.paths.remove_orphans().expect("orphans");
        store.publish("r3", Vec::new());
        assert_eq!(found(&verified(&store)), [] as [&str; 0], "{stop:?}: the next run fixed it");
    }
}

#[test]
fn parts_that_a_later_publication_removed_are_not_missing() {
    let store = published();
    let before = store.manifest();
    store.publish("r2", vec![store.stage_all("r2", DAY, 130, 9)]);
    let mut findings = Findings::new(3, CHECKS.iter().copied());
    let usable = files::check(&store.paths, Some(&before), &mut findings).expect("readable");
    assert_eq!(findings.total(), 0, "{findings:?}");
    assert_eq!(usable.len(), 9 + 5 + 2, "the other date, the undated tables that did not change, and no incidents");
    assert!(skipped(&findings, &FILES));
    // A listed file is missing.
    let path = &store.manifest().files[0].path.clone();
    fs::remove_file(store.paths.part(path)).expect("removed");
    let findings = verified(&store);
    assert_eq!(found(&findings), ["files"], "{findings:?}");
}

#[test]
fn a_value_that_differs_is_reported_with_key_and_column() {
    let store = published();
    let connection = crate::load::fixture::open_for_writing(&store.paths);
    let changed = connection
        .execute(
            "update quality_samples set network_delay_ms = 12345.5 where rowid in \
             (select rowid from quality_samples where network_delay_ms is not null order by rowid limit 5)",
            [],
        )
        .expect("update");
    assert_eq!(changed, 5);
    connection.close().expect("closed");
    let findings = verified(&store);
    assert_eq!(found(&findings), ["rows"], "{findings:?}");
    let rows = findings.outcomes.iter().find(|outcome| *outcome.check == ROWS).expect("reported");
    assert_eq!((rows.found, rows.first.len()), (5, 3), "all are counted, the first are reported");
    assert_eq!(rows.first[0].found, "network_delay_ms 12345.5 in vcq.duckdb");
    assert!(rows.first[0].place.starts_with("quality_samples of 2026-11-01, 705605196-"), "{:?}", rows.first);
}

#[test]
fn a_long_untrusted_text_is_cut() {
    let mut findings = Findings::new(1, std::iter::empty());
    findings.found(&KEYS, "会".repeat(1_000_000), "x", "y");
    findings.found(&KEYS, "2", "x", "y");
    let outcome = &findings.outcomes[0];
    assert_eq!((outcome.found, outcome.first.len()), (2, 1));
    assert!(outcome.first[0].place.len() < 2_000 && outcome.first[0].place.ends_with("(3000000 bytes in all)"));
}

#[test]
fn every_column_has_the_rules_of_its_kind() {
    for table in TABLES.iter().filter(|table| table.storage == Storage::ParquetAndDuckdb) {
        let rules = rules::table_rules(table, 0);
        let has = |check: &'static Check, name: &str| {
            rules.iter().any(|rule| rule.check == check && rule.violation.contains(name))
        };
        for column in table.columns {
            let is_measure = matches!(column.kind, Kind::LossPercent | Kind::CpuPercent | Kind::Millis | Kind::Kbps);
            assert!(!is_measure || has(&RANGES, column.name), "{}", column.name);
            // Events may be reserved for later.
            let is_planned = column.name.starts_with("event_");
            let is_feishus = column.kind == Kind::Instant && !rules::OWN_CLOCK.contains(&column.name);
            assert!(!is_feishus || is_planned != has(&FUTURE, column.name), "{}", column.name);
            assert!(
                column.kind != Kind::WallClock
                    || table.position("utc_offset_min").is_none()
                    || has(&TIMES, column.name),
                "{}",
                column.name
            );
            assert!(!column.required || has(&KEYS, column.name), "{}", column.name);
        }
        let averages = rules.iter().filter(|rule| *rule.check == AVERAGES).count();
        assert_eq!(averages, if table.name == QUALITY_SAMPLES.name { 4 } else { 0 }, "{}", table.name);
    }
    assert!(rules::table_rules(&MEETINGS, 0).len() > 3 && rules::table_rules(&PARTICIPANTS, 0).len() > 3);
}

#[test]
fn names_of_checks_are_unique() {
    let names: HashSet<&str> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), CHECKS.len());
    let database_checks: Vec<&str> = database_checks().map(|check| check.name).collect();
    assert_eq!((database_checks[0], database_checks.len()), ("database-schema", 17));
}

#[test]
fn every_sql_check_has_a_header_and_three_columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/checks");
    let mut files: Vec<String> = fs::read_dir(folder)
        .expect("list")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut listed: Vec<String> = sql_checks::FILES.iter().map(|(name, _)| format!("{name}.sql")).collect();
    listed.sort();
    assert_eq!(files, listed);
    let connection = duckdb::Connection::open_in_memory().expect("open");
    connection.execute_batch(&ddl::script()).expect("tables");
    for (name, sql) in sql_checks::FILES {
        let header = sql_checks::header(sql).unwrap_or_else(|| panic!("{name} has no valid header"));
        assert!(name.starts_with(header.check.name), "{name}");
        let requirement = sql_checks::header_value(sql, "requirement").expect("a requirement");
        assert!(requirement.ends_with('.') && !requirement.contains('\n'), "{name}");
        assert!(header.tables.iter().all(|table| sql.contains(table.name)), "{name} lists a table it does not use");
        let sql = sql.replace("$tables", "'meetings'").replace("$meeting_date", "'2026-11-01'");
        let columns: Vec<(String, String)> = connection
            .prepare(&format!("describe {sql}"))
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = ["place", "expected", "found"].map(|column| (column.to_owned(), "VARCHAR".to_owned()));
        assert_eq!(columns, expected, "{name}");
    }
}

#[test]
fn names_of_parts_and_paths_are_validated() {
    for name in ["part-r1-0.parquet", "part-20261123T050629Z-244c-12.parquet"] {
        assert!(manifest::is_part_name(name), "{name}");
    }
    for name in ["part-0.parquet", "part-r1-.parquet", "part-r1-x.parquet", "part-../r-0.parquet", "p-r1-0.parquet"] {
        assert!(!manifest::is_part_name(name), "{name}");
    }
    for path in ["../x", "/x", "a/../b", "", "./x"] {
        assert!(!manifest::is_below(path), "{path}");
    }
    assert!(manifest::is_below("a/b=c/d"));
}
