//! Missing raw files and restored backups: published data is never replaced by less, and every date that can be
//! published is published.

use std::fs;

use vcq_simulator::Options;

use crate::rebuild::{all_rows, assert_requests_only_the_meeting_list, assert_same_rows, files, rebuild, remove};
use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

/// The older and the newer date.
fn days(env: &TestEnv) -> (String, String) {
    let days = env.rows("select distinct meeting_date from quality_samples order by all");
    (days[0].clone(), days[1].clone())
}

#[test]
fn a_date_with_lost_raw_data_is_not_requested_and_not_replaced() {
    for with_ledger in [true, false] {
        let env = TestEnv::new();
        env.sync(&[]).expect_exit(0);
        let (day, _) = days(&env);
        let expected = all_rows(&env);
        for kind in ["meetings", "participants", "quality"] {
            remove(env.store().join(format!("raw/{kind}/meeting_date={day}")));
        }
        if !with_ledger {
            remove(env.store().join("state"));
        }
        // Feishu no longer has the data of that date.
        env.faults(&["participant_quality_list:code=126010"]);
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, "rebuilt");
        for more in [&[] as &[&str], &["--max-calls", "30"]] {
            env.sync(more).expect_exit(0);
            assert_same_rows(&env, &expected, "synced");
        }
        let mut sync = env.sync_command(&[]);
        sync.args(["--max-calls", "3"]);
        RunOutput::new(sync.output().expect("runs"));
        assert_same_rows(&env, &expected, "synced with --max-calls");
    }
}

#[test]
fn one_missing_or_truncated_raw_file_blocks_its_date() {
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:html@share=0.2"]);
    env.sync(&[]).expect_exit(7);
    env.faults(&[]);
    env.sync(&[]).expect_exit(0);
    let expected = all_rows(&env);
    let (day, _) = days(&env);
    let of_day = files(&env.store().join(format!("raw/quality/meeting_date={day}")), ".zst");
    assert!(of_day.len() > 1, "{of_day:?}");
    let kept = fs::read(&of_day[0]).expect("a raw file");
    for shorter in [0, kept.len() / 2] {
        match shorter {
            0 => remove(of_day[0].clone()),
            length => fs::write(&of_day[0], &kept[..length]).expect("cut"),
        }
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, &format!("rebuilt, {shorter} bytes left"));
        rebuild(&env, &["--since", "2000-01-01"]).expect_exit(0);
        assert_same_rows(&env, &expected, "rebuilt again, from a new index");
        assert_requests_only_the_meeting_list(&env);
        assert_same_rows(&env, &expected, "synced");
        fs::write(&of_day[0], &kept).expect("put back");
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, "put back");
    }
}

#[test]
fn a_refetch_of_one_meeting_does_not_replace_a_date_with_lost_raw_data() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let (day, _) = days(&env);
    let expected = all_rows(&env);
    for kind in ["meetings", "participants", "quality"] {
        remove(env.store().join(format!("raw/{kind}/meeting_date={day}")));
    }
    let number = env.rows(&format!("select min(meeting_no) from meetings where meeting_date = '{day}'"));
    let ran = env.sync(&["--refetch", "--meeting-no", &number[0]]).expect_exit(5);
    assert!(
        ran.stderr.contains("would drop published meetings or participants") && ran.stderr.contains(&day),
        "{}",
        ran.stderr
    );
    assert_same_rows(&env, &expected, "one meeting");
    // A refetch of the whole window completes it.
    env.sync(&["--refetch"]).expect_exit(0);
    for (one, other) in all_rows(&env).iter().zip(&expected).take(3) {
        assert!(one == other);
    }
    assert_requests_only_the_meeting_list(&env);
}

#[test]
fn restored_raw_files_are_indexed_and_the_rest_is_requested() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "60"]).expect_exit(8);
    let raw = env.store().join("raw");
    let away = env.home().join("raw.away");
    let expected = all_rows(&env);
    fs::rename(&raw, &away).expect("away");
    remove(env.store().join("state"));
    env.sync(&[]).expect_exit(0);
    assert_same_rows(&env, &expected, "raw log missing");
    remove(raw.clone());
    fs::rename(&away, &raw).expect("back");
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "nothing became final in the meantime");
}

#[test]
fn parts_that_cannot_be_rebuilt_are_kept_without_a_manifest() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let (day, _) = days(&env);
    for kind in ["meetings", "participants", "quality"] {
        remove(env.store().join(format!("raw/{kind}/meeting_date={day}")));
    }
    remove(env.store().join("vcq.duckdb"));
    remove(env.store().join("parquet/_manifest.json"));
    let parts = files(&env.store().join("parquet"), ".parquet");
    let ran = env.sync(&[]).expect_exit(5);
    assert!(ran.stderr.contains("have no data in raw/"), "{}", ran.stderr);
    assert_eq!(files(&env.store().join("parquet"), ".parquet"), parts);
}

#[test]
fn dates_left_out_of_a_rebuild_are_published_by_the_next_sync() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let (expected, (day, next)) = (all_rows(&env), days(&env));
    let copy = env.home().join("copy");
    remove(env.store().join("parquet"));
    remove(env.store().join("vcq.duckdb"));
    rebuild(&env, &["--since", &day, "--until", &next]).expect_exit(0);
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "all days");
    // An older copy of what is published is put back.
    fs::create_dir(&copy).expect("made");
    let older = TestEnv::new();
    older.sync(&["--max-calls", "40"]).expect_exit(8);
    for name in ["parquet", "vcq.duckdb"] {
        remove(env.store().join(name));
        fs::rename(older.store().join(name), env.store().join(name)).expect("put back");
    }
    assert_requests_only_the_meeting_list(&env);
    assert_same_rows(&env, &expected, "from an older copy");
}

#[test]
fn a_list_that_failed_between_two_equal_answers_is_complete_again() {
    let now = now_s();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let mut env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
    env.advance_clocks(13 * 3_600);
    env.faults(&["participant_list:internal-error"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "1");
    let failed = RunOutput::new(command.output().expect("runs")).expect_exit(7).summary();
    assert!(failed["by_status"]["failed"].as_u64() > Some(0), "{failed}");
    env.faults(&[]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["by_status"]["failed"], 0, "{summary}");
}

#[test]
fn two_early_runs_in_a_row_make_no_answer_final() {
    let now = now_s();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let env = TestEnv::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    let first = env.sync(&[]).expect_exit(0).summary();
    let second = env.sync(&[]).expect_exit(0).summary();
    assert!(second["by_status"]["pending"].as_u64() > Some(0));
    assert_eq!(first["by_status"]["pending"], second["by_status"]["pending"], "no time passed between the two");
    // A refetch requests them all again.
    env.sync(&["--refetch", "--max-calls", "1"]).expect_exit(8);
    env.change(|options| options.ready_after_s = 0);
    let whole = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(whole["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn resuming_a_stopped_run_requests_no_early_answer_twice() {
    let now = now_s();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let env = TestEnv::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    env.sync(&["--max-calls", "25"]).expect_exit(8);
    let requested = env.simulator().stats().quality_calls();
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    let again = env.simulator().stats().quality_calls();
    let repeated = requested.keys().filter(|unit| again.contains_key(*unit)).count();
    assert!(!requested.is_empty() && repeated <= 8, "{repeated} of {} were requested twice", requested.len());
}

#[test]
fn another_time_zone_is_refused() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    for (zone, code) in [("-05:00", 2), ("Asia/Shanghai", 0), ("+08:00", 0)] {
        let mut sync = env.sync_command(&[]);
        sync.env("VCQ_TIMEZONE", zone);
        RunOutput::new(sync.output().expect("runs")).expect_exit(code);
        rebuild(&env, &["--timezone", zone]).expect_exit(code);
    }
    remove(env.store().join("state"));
    let ran = rebuild(&env, &["--timezone", "-05:00"]).expect_exit(2);
    assert!(ran.stderr.contains("+08:00"), "the database knows it too: {}", ran.stderr);
}

#[test]
fn the_newest_meetings_come_before_an_older_backlog() {
    let spec = vcq_simulator::TenantSpec { days: 4, ..small_tenant() };
    let env = TestEnv::with(&spec, unlimited());
    let first = spec.start() + 3 * 86_400;
    let until = jiff::Timestamp::from_second(first).expect("an instant").to_string();
    let since = jiff::Timestamp::from_second(spec.start()).expect("an instant").to_string();
    // Three days are listed; none of their quality is requested.
    let listed = env.vcq(&["plan", "--since", &since, "--until", &until]).output().expect("runs");
    RunOutput::new(listed).expect_exit(0);
    env.change(|options| options.latency = std::time::Duration::from_millis(5));
    env.sync(&["--max-calls", "45"]).expect_exit(8);
    let requested = env.rows(
        "select meeting_date, count(*) filter (attempts > 0) from coverage group by all having count(*) filter (attempts > 0) > 0 order by 1 desc",
    );
    let newest = env.rows("select max(meeting_date) from meetings");
    assert!(requested.first().is_some_and(|line| line.starts_with(&newest[0])), "{requested:?}");
    let counts: Vec<u64> =
        requested.iter().map(|line| line.rsplit(' ').next().expect("a count").parse().expect("digits")).collect();
    // While the newest lists are in flight, some older requests may start, but no more than run at once.
    assert!(counts[0] > counts.iter().skip(1).sum::<u64>(), "{requested:?}");
}

fn now_s() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "edge: the program compares meeting ends with the machine's clock")]
    let now = jiff::Timestamp::now().as_second();
    now
}

/// A tenant of yesterday and today.
fn recent(now: i64) -> vcq_simulator::TenantSpec {
    let today = jiff::Timestamp::from_second(now + 8 * 3_600).expect("now").to_zoned(jiff::tz::TimeZone::UTC).date();
    let first_day = today.checked_sub(jiff::Span::new().days(1)).expect("yesterday");
    vcq_simulator::TenantSpec { first_day, days: 2, ..small_tenant() }
}
