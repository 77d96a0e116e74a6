//! Files of the raw log that are gone, clocks that go wrong, backups put back: what is published is never replaced by less,
//! and every day that can be published is.

use std::fs;

use vcq_simulator::Options;

use crate::rebuild::{all_rows, assert_requests_only_the_meeting_list, assert_same_rows, files, rebuild, remove};
use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

/// The older and the newer day.
fn days(env: &TestEnv) -> (String, String) {
    let days = env.rows("select distinct meeting_date from quality_samples order by all");
    (days[0].clone(), days[1].clone())
}

#[test]
fn a_day_whose_answers_are_gone_is_not_asked_for_and_not_replaced() {
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
        // The vendor has forgotten that day by now.
        env.faults(&["participant_quality_list:code=126010"]);
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, "rebuilt");
        for more in [&[] as &[&str], &["--max-calls", "30"]] {
            env.sync(more).expect_exit(0);
            assert_same_rows(&env, &expected, "synced");
        }
        let mut plan = env.sync_command(&[]);
        plan.args(["--max-calls", "3"]);
        RunOutput::new(plan.output().expect("runs"));
        assert_same_rows(&env, &expected, "and again");
    }
}

#[test]
fn one_file_of_several_that_is_gone_holds_its_day() {
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
        assert_same_rows(&env, &expected, "rebuilt again, after the index was made anew");
        assert_requests_only_the_meeting_list(&env);
        assert_same_rows(&env, &expected, "synced");
        fs::write(&of_day[0], &kept).expect("put back");
        rebuild(&env, &[]).expect_exit(0);
        assert_same_rows(&env, &expected, "put back");
    }
}

#[test]
fn asking_again_for_one_meeting_of_such_a_day_does_not_replace_the_day() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let (day, _) = days(&env);
    let expected = all_rows(&env);
    for kind in ["meetings", "participants", "quality"] {
        remove(env.store().join(format!("raw/{kind}/meeting_date={day}")));
    }
    let number = env.rows(&format!("select min(meeting_no) from meetings where meeting_date = '{day}'"));
    let ran = env.sync(&["--refetch", "--meeting-no", &number[0]]).expect_exit(5);
    assert!(ran.stderr.contains("would lose meetings or participants") && ran.stderr.contains(&day), "{}", ran.stderr);
    assert_same_rows(&env, &expected, "one meeting");
    // Asked again as a whole, it is whole.
    env.sync(&["--refetch"]).expect_exit(0);
    for (one, other) in all_rows(&env).iter().zip(&expected).take(3) {
        assert!(one == other);
    }
    assert_requests_only_the_meeting_list(&env);
}

#[test]
fn files_that_come_back_are_taken_in_and_what_is_pending_is_asked() {
    let env = TestEnv::new();
    env.sync(&["--max-calls", "60"]).expect_exit(8);
    let raw = env.store().join("raw");
    let away = env.home().join("raw.away");
    let expected = all_rows(&env);
    fs::rename(&raw, &away).expect("away");
    remove(env.store().join("state"));
    env.sync(&[]).expect_exit(0);
    assert_same_rows(&env, &expected, "not there");
    remove(raw.clone());
    fs::rename(&away, &raw).expect("back");
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "nothing was called final meanwhile");
}

#[test]
fn parts_that_no_manifest_names_and_nothing_can_make_again_stay() {
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
    assert!(ran.stderr.contains("without answers in raw/"), "{}", ran.stderr);
    assert_eq!(files(&env.store().join("parquet"), ".parquet"), parts);
}

#[test]
fn what_a_rebuild_of_some_days_leaves_out_is_published_by_the_next_sync() {
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
fn a_list_that_failed_between_two_equal_answers_is_whole_again() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
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
fn two_early_runs_in_a_row_make_nothing_final() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let env = TestEnv::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    let first = env.sync(&[]).expect_exit(0).summary();
    let second = env.sync(&[]).expect_exit(0).summary();
    assert!(second["by_status"]["pending"].as_u64() > Some(0));
    assert_eq!(
        first["by_status"]["pending"], second["by_status"]["pending"],
        "the vendor had no time to change its mind"
    );
    // A run that goes on with one that was cut short does not ask for these again.
    env.sync(&["--refetch", "--max-calls", "1"]).expect_exit(8);
    env.change(|options| options.ready_after_s = 0);
    let whole = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(whole["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn going_on_with_a_run_that_was_cut_short_asks_for_nothing_early_twice() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let env = TestEnv::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    env.sync(&["--max-calls", "25"]).expect_exit(8);
    let asked = env.simulator().stats().quality_calls();
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(0);
    let again = env.simulator().stats().quality_calls();
    let repeated = asked.keys().filter(|unit| again.contains_key(*unit)).count();
    assert!(!asked.is_empty() && repeated <= 8, "{repeated} of {} were asked twice", asked.len());
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
fn the_newest_come_first_also_behind_a_backlog_that_is_listed() {
    let spec = vcq_simulator::TenantSpec { days: 4, ..small_tenant() };
    let env = TestEnv::with(&spec, unlimited());
    let first = spec.start() + 3 * 86_400;
    let until = jiff::Timestamp::from_second(first).expect("an instant").to_string();
    let since = jiff::Timestamp::from_second(spec.start()).expect("an instant").to_string();
    // Three days are listed, and none of their quality is asked.
    let listed = env.vcq(&["plan", "--since", &since, "--until", &until]).output().expect("runs");
    RunOutput::new(listed).expect_exit(0);
    env.change(|options| options.latency = std::time::Duration::from_millis(5));
    env.sync(&["--max-calls", "45"]).expect_exit(8);
    let asked = env.rows(
        "select meeting_date, count(*) filter (attempts > 0) from coverage group by all having count(*) filter (attempts > 0) > 0 order by 1 desc",
    );
    let newest = env.rows("select max(meeting_date) from meetings");
    assert!(asked.first().is_some_and(|line| line.starts_with(&newest[0])), "{asked:?}");
    let counts: Vec<u64> =
        asked.iter().map(|line| line.rsplit(' ').next().expect("a count").parse().expect("digits")).collect();
    // While the newest lists are on their way, some older ones may go; not more than the workers take at once.
    assert!(counts[0] > counts.iter().skip(1).sum::<u64>(), "{asked:?}");
}

fn jiff_now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is early is so by the machine's clock, which the program reads too"
    )]
    let now = jiff::Timestamp::now().as_second();
    now
}

/// Two days up to now.
fn recent(now: i64) -> vcq_simulator::TenantSpec {
    let today = jiff::Timestamp::from_second(now + 8 * 3_600).expect("now").to_zoned(jiff::tz::TimeZone::UTC).date();
    let first_day = today.checked_sub(jiff::Span::new().days(1)).expect("yesterday");
    vcq_simulator::TenantSpec { first_day, days: 2, ..small_tenant() }
}
