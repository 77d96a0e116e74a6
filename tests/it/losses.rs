//! Files of the raw log that are gone, clocks that go wrong, backups put back: what is published is never replaced by less,
//! and every day that can be published is.

use std::fs;

use vcq_simulator::Options;

use crate::rebuild::{asks_only_for_meetings, everything, files, rebuild, remove, same};
use crate::support::world::{Ran, World, small, unlimited};

/// The older and the newer day.
fn days(world: &World) -> (String, String) {
    let days = world.rows("select distinct meeting_date from quality_samples order by all");
    (days[0].clone(), days[1].clone())
}

#[test]
fn a_day_whose_answers_are_gone_is_not_asked_for_and_not_replaced() {
    for with_ledger in [true, false] {
        let world = World::new();
        world.sync(&[]).ended(0);
        let (day, _) = days(&world);
        let expected = everything(&world);
        for kind in ["meetings", "participants", "quality"] {
            remove(world.store().join(format!("raw/{kind}/meeting_date={day}")));
        }
        if !with_ledger {
            remove(world.store().join("state"));
        }
        // The vendor has forgotten that day by now.
        world.faults(&["participant_quality_list:code=126010"]);
        rebuild(&world, &[]).ended(0);
        same(&world, &expected, "rebuilt");
        for more in [&[] as &[&str], &["--max-calls", "30"]] {
            world.sync(more).ended(0);
            same(&world, &expected, "synced");
        }
        let mut plan = world.sync_command(&[]);
        plan.args(["--max-calls", "3"]);
        Ran::of(plan.output().expect("runs"));
        same(&world, &expected, "and again");
    }
}

#[test]
fn one_file_of_several_that_is_gone_holds_its_day() {
    let world = World::new();
    world.faults(&["participant_quality_list:html@share=0.2"]);
    world.sync(&[]).ended(7);
    world.faults(&[]);
    world.sync(&[]).ended(0);
    let expected = everything(&world);
    let (day, _) = days(&world);
    let of_day = files(&world.store().join(format!("raw/quality/meeting_date={day}")), ".zst");
    assert!(of_day.len() > 1, "{of_day:?}");
    let kept = fs::read(&of_day[0]).expect("a raw file");
    for shorter in [0, kept.len() / 2] {
        match shorter {
            0 => remove(of_day[0].clone()),
            length => fs::write(&of_day[0], &kept[..length]).expect("cut"),
        }
        rebuild(&world, &[]).ended(0);
        same(&world, &expected, &format!("rebuilt, {shorter} bytes left"));
        rebuild(&world, &["--since", "2000-01-01"]).ended(0);
        same(&world, &expected, "rebuilt again, after the index was made anew");
        asks_only_for_meetings(&world);
        same(&world, &expected, "synced");
        fs::write(&of_day[0], &kept).expect("put back");
        rebuild(&world, &[]).ended(0);
        same(&world, &expected, "put back");
    }
}

#[test]
fn asking_again_for_one_meeting_of_such_a_day_does_not_replace_the_day() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let (day, _) = days(&world);
    let expected = everything(&world);
    for kind in ["meetings", "participants", "quality"] {
        remove(world.store().join(format!("raw/{kind}/meeting_date={day}")));
    }
    let number = world.rows(&format!("select min(meeting_no) from meetings where meeting_date = '{day}'"));
    let ran = world.sync(&["--refetch", "--meeting-no", &number[0]]).ended(5);
    assert!(ran.stderr.contains("would lose meetings or participants") && ran.stderr.contains(&day), "{}", ran.stderr);
    same(&world, &expected, "one meeting");
    // Asked again as a whole, it is whole.
    world.sync(&["--refetch"]).ended(0);
    for (one, other) in everything(&world).iter().zip(&expected).take(3) {
        assert!(one == other);
    }
    asks_only_for_meetings(&world);
}

#[test]
fn files_that_come_back_are_taken_in_and_what_is_pending_is_asked() {
    let world = World::new();
    world.sync(&["--max-calls", "60"]).ended(8);
    let raw = world.store().join("raw");
    let away = world.home().join("raw.away");
    let expected = everything(&world);
    fs::rename(&raw, &away).expect("away");
    remove(world.store().join("state"));
    world.sync(&[]).ended(0);
    same(&world, &expected, "not there");
    remove(raw.clone());
    fs::rename(&away, &raw).expect("back");
    let summary = world.sync(&[]).ended(0).summary();
    assert_eq!(summary["samples"], world.simulator().tenant().totals().samples, "nothing was called final meanwhile");
}

#[test]
fn parts_that_no_manifest_names_and_nothing_can_make_again_stay() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let (day, _) = days(&world);
    for kind in ["meetings", "participants", "quality"] {
        remove(world.store().join(format!("raw/{kind}/meeting_date={day}")));
    }
    remove(world.store().join("vcq.duckdb"));
    remove(world.store().join("parquet/_manifest.json"));
    let parts = files(&world.store().join("parquet"), ".parquet");
    let ran = world.sync(&[]).ended(5);
    assert!(ran.stderr.contains("without answers in raw/"), "{}", ran.stderr);
    assert_eq!(files(&world.store().join("parquet"), ".parquet"), parts);
}

#[test]
fn what_a_rebuild_of_some_days_leaves_out_is_published_by_the_next_sync() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let (expected, (day, next)) = (everything(&world), days(&world));
    let copy = world.home().join("copy");
    remove(world.store().join("parquet"));
    remove(world.store().join("vcq.duckdb"));
    rebuild(&world, &["--since", &day, "--until", &next]).ended(0);
    asks_only_for_meetings(&world);
    same(&world, &expected, "all days");
    // An older copy of what is published is put back.
    fs::create_dir(&copy).expect("made");
    let older = World::new();
    older.sync(&["--max-calls", "40"]).ended(8);
    for name in ["parquet", "vcq.duckdb"] {
        remove(world.store().join(name));
        fs::rename(older.store().join(name), world.store().join(name)).expect("put back");
    }
    asks_only_for_meetings(&world);
    same(&world, &expected, "from an older copy");
}

#[test]
fn a_list_that_failed_between_two_equal_answers_is_whole_again() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let world = World::with(&spec, unlimited());
    world.sync(&[]).ended(0);
    world.faults(&["participant_list:internal-error"]);
    let mut command = world.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "1");
    let failed = Ran::of(command.output().expect("runs")).ended(7).summary();
    assert!(failed["by_status"]["failed"].as_u64() > Some(0), "{failed}");
    world.faults(&[]);
    let summary = world.sync(&[]).ended(0).summary();
    assert_eq!(summary["by_status"]["failed"], 0, "{summary}");
}

#[test]
fn two_early_runs_in_a_row_make_nothing_final() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let world = World::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    let first = world.sync(&[]).ended(0).summary();
    let second = world.sync(&[]).ended(0).summary();
    assert!(second["by_status"]["pending"].as_u64() > Some(0));
    assert_eq!(
        first["by_status"]["pending"], second["by_status"]["pending"],
        "the vendor had no time to change its mind"
    );
    // A run that goes on with one that was cut short does not ask for these again.
    world.sync(&["--refetch", "--max-calls", "1"]).ended(8);
    world.change(|options| options.ready_after_s = 0);
    let whole = world.sync(&[]).ended(0).summary();
    assert_eq!(whole["samples"], world.simulator().tenant().totals().samples);
}

#[test]
fn going_on_with_a_run_that_was_cut_short_asks_for_nothing_early_twice() {
    let now = jiff_now();
    let spec = vcq_simulator::TenantSpec { ends_by: Some(now - 1_200), ..recent(now) };
    let world = World::with(&spec, Options { ready_after_s: 365 * 86_400, ..unlimited() });
    world.sync(&["--max-calls", "25"]).ended(8);
    let asked = world.simulator().stats().quality_calls();
    world.simulator().reset_stats();
    world.sync(&[]).ended(0);
    let again = world.simulator().stats().quality_calls();
    let repeated = asked.keys().filter(|unit| again.contains_key(*unit)).count();
    assert!(!asked.is_empty() && repeated <= 8, "{repeated} of {} were asked twice", asked.len());
}

#[test]
fn another_time_zone_is_refused() {
    let world = World::new();
    world.sync(&[]).ended(0);
    for (zone, code) in [("-05:00", 2), ("Asia/Shanghai", 0), ("+08:00", 0)] {
        let mut sync = world.sync_command(&[]);
        sync.env("VCQ_TIMEZONE", zone);
        Ran::of(sync.output().expect("runs")).ended(code);
        rebuild(&world, &["--timezone", zone]).ended(code);
    }
    remove(world.store().join("state"));
    let ran = rebuild(&world, &["--timezone", "-05:00"]).ended(2);
    assert!(ran.stderr.contains("+08:00"), "the database knows it too: {}", ran.stderr);
}

#[test]
fn the_newest_come_first_also_behind_a_backlog_that_is_listed() {
    let spec = vcq_simulator::TenantSpec { days: 4, ..small() };
    let world = World::with(&spec, unlimited());
    let first = spec.start() + 3 * 86_400;
    let until = jiff::Timestamp::from_second(first).expect("an instant").to_string();
    let since = jiff::Timestamp::from_second(spec.start()).expect("an instant").to_string();
    // Three days are listed, and none of their quality is asked.
    let listed = world.vcq(&["plan", "--since", &since, "--until", &until]).output().expect("runs");
    Ran::of(listed).ended(0);
    world.change(|options| options.latency = std::time::Duration::from_millis(5));
    world.sync(&["--max-calls", "45"]).ended(8);
    let asked = world.rows(
        "select meeting_date, count(*) filter (attempts > 0) from coverage group by all having count(*) filter (attempts > 0) > 0 order by 1 desc",
    );
    let newest = world.rows("select max(meeting_date) from meetings");
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
    vcq_simulator::TenantSpec { first_day, days: 2, ..small() }
}
