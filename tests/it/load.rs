//! Much of everything: people in a meeting, meetings that end together, pages of a participant, days in a store.
//!
//! Each case is complete, makes no request twice, and costs what `plan` said. Small sizes are tried by default; the
//! others print what they took. Readers under load are in `concurrent_readers.rs`.

use std::collections::BTreeSet;

use jiff::civil::date;
use vcq_simulator::{Endpoint, ExtraMeetings, LIST_ENDPOINTS, MeetingFilter, Options, TenantSpec};

use crate::support::measured::{Measured, measured_command};
use crate::support::test_env::{TestEnv, rows, unlimited};

const HOUR: i64 = 3600;

/// A tenant that has only these meetings.
fn tenant_of(people: u32, days: u32, extra: ExtraMeetings) -> TenantSpec {
    TenantSpec {
        days,
        people,
        meetings_per_day: 0,
        unusual_meetings: false,
        extra_meetings: vec![extra],
        ..TenantSpec::default()
    }
}

fn env_of(spec: &TenantSpec) -> TestEnv {
    TestEnv::with(spec, Options { log_capacity: 1_000_000, ..unlimited() })
}

/// Prints what a command took. Peak memory has a limit that grows with the samples: the program keeps answers on the
/// disk, and of one participant or date at a time in memory.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the figures are what these tests are run for")]
fn report(name: &str, measured: &Measured, env: &TestEnv) {
    let totals = env.simulator().tenant().totals();
    println!(
        "{name}: {} meetings, {} participants, {} samples; {:.1} s, {:.1} CPU s, peak memory {:.0} MB, {} calls",
        totals.meetings,
        totals.participants,
        totals.samples,
        measured.wall_s,
        measured.cpu_s,
        measured.peak_mb(),
        env.calls()
    );
    let limit_mb = 400.0 + totals.samples as f64 * BYTES_PER_SAMPLE / 1e6;
    assert!(measured.peak_mb() < limit_mb, "{name}: {:.0} MB of at most {limit_mb:.0}", measured.peak_mb());
}

/// An answer has about 1,700 bytes a sample.
const BYTES_PER_SAMPLE: f64 = 5_000.0;

/// Every run reads the meeting list; the other lists are requested once.
const ONCE: [Endpoint; 2] = [Endpoint::ParticipantList, Endpoint::ParticipantQualityList];

#[track_caller]
fn assert_no_request_twice(env: &TestEnv) {
    let stats = env.simulator().stats();
    assert_eq!(stats.dropped, 0, "the log holds every call");
    let mut seen = BTreeSet::new();
    for call in stats.log.iter().filter(|call| ONCE.contains(&call.endpoint)) {
        assert!(seen.insert((call.endpoint, &call.params)), "twice: {} {:?}", call.endpoint, call.params);
    }
}

/// What the tenant has is published, and nothing else.
#[track_caller]
fn assert_complete(env: &TestEnv) {
    let totals = env.simulator().tenant().totals();
    let count = |table: &str| env.number(&format!("select count(*) from {table}")) as u64;
    assert_eq!(count("meetings"), totals.meetings);
    assert_eq!(count("participants"), totals.participants);
    assert_eq!(count("coverage"), totals.participants, "one row for each, and no list is missing");
    assert_eq!(count("quality_samples"), totals.samples);
    let expected = [
        ("complete", totals.participants_with_samples, totals.samples),
        ("empty", totals.participants_empty, 0),
        ("not_found", totals.participants_foreign, 0),
        ("unaddressable", totals.participants_without_id, 0),
        ("unsupported", totals.participants_unsupported, 0),
    ];
    let expected: Vec<String> = expected
        .iter()
        .filter(|(_, participants, _)| *participants > 0)
        .map(|(status, participants, samples)| format!("{status} | {participants} | {samples}"))
        .collect();
    let by_status = "select status, count(*), sum(sample_count) from coverage group by all order by all";
    assert_eq!(env.rows(by_status), expected);
    let lost = "select count(*) from coverage c left join
        (select participant_key, count(*) as samples from quality_samples group by all) s using (participant_key)
        where c.sample_count is distinct from coalesce(s.samples, 0)";
    assert_eq!(env.number(lost), 0, "coverage counts the samples that are there");
}

/// A plan, a sync that costs what the plan said, a second one that requests only the meeting list, and `verify`.
#[track_caller]
fn assert_planned_and_complete(name: &str, env: &TestEnv) {
    let plan = env.plan(&[]).expect_exit(0).summary();
    assert_eq!(plan["pending"]["total"]["is_estimate"], false, "{plan}");
    let lists = env.simulator().stats();
    let sync = measured_command(env.sync_command(&[]));
    report(name, &sync, env);
    sync.ran.expect_exit(0);
    let stats = env.simulator().stats();
    for list in LIST_ENDPOINTS {
        let made = stats.calls(*list) - lists.calls(*list);
        assert_eq!(plan["pending"][list.to_string().as_str()]["calls"], made, "{list}");
    }
    assert_no_request_twice(env);
    assert_complete(env);
    env.simulator().reset_stats();
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["dates_published"], serde_json::json!([]));
    assert_eq!(env.calls(), env.simulator().stats().calls(Endpoint::MeetingList));
    let verified = env.vcq(&["verify", "--deep"]).output().expect("runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

fn webinar(people: u32) {
    let extra =
        ExtraMeetings { count: 1, day: 0, end_s: 16 * HOUR, length_s: HOUR, people: people as usize, is_webinar: true };
    let env = env_of(&tenant_of(people, 1, extra));
    assert_eq!(env.simulator().tenant().totals().participants, u64::from(people));
    assert_planned_and_complete(&format!("webinar of {people}"), &env);
}

/// Meetings that end in one minute, whichever time Feishu filters by. If it is not the start, a first sync ends in that
/// minute.
fn meetings_of_one_minute(count: u32, filter: MeetingFilter) {
    let end_s = 11 * HOUR;
    let extra = ExtraMeetings { count, day: 0, end_s, length_s: HOUR, people: 3, is_webinar: false };
    let spec = tenant_of(200, 1, extra);
    let env = env_of(&spec);
    env.change(|options| options.meeting_filter = filter);
    assert_eq!(env.simulator().tenant().totals().meetings, u64::from(count));
    let instant = |at_s: i64| jiff::Timestamp::from_second(at_s).expect("an instant").to_string();
    let (since, until) = (instant(spec.start()), instant(spec.start() + end_s + 30));
    if filter != MeetingFilter::Start {
        let first = env.vcq(&["sync", "--since", &since, "--until", &until]).output().expect("runs");
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    }
    assert_planned_and_complete(&format!("{count} meetings that end in one minute ({filter:?})"), &env);
}

/// A participant whose answer has at least this many pages: a meeting of that many times 100 minutes, or with
/// `per_page` samples on a page.
fn pages_of_a_participant(pages: i64, per_page: i64) {
    let length_s = pages * per_page * 60;
    let days = 2 + (length_s / 86_400) as u32;
    let extra = ExtraMeetings { count: 1, day: days - 1, end_s: 12 * HOUR, length_s, people: 1, is_webinar: false };
    let spec = TenantSpec { first_day: date(2026, 7, 1), ..tenant_of(8, days, extra) };
    let env = env_of(&spec);
    env.change(|options| options.samples_per_page = per_page as usize);
    // Not priced: a window of more than a day is refused once, and pages are smaller than a plan can know.
    let sync = measured_command(env.sync_command(&[]));
    report(&format!("a participant with {pages} pages of {per_page}"), &sync, &env);
    sync.ran.expect_exit(0);
    assert_no_request_twice(&env);
    assert_complete(&env);
    env.simulator().reset_stats();
    env.sync(&["--refetch"]).expect_exit(0);
    let calls = env.simulator().stats().answered(Endpoint::ParticipantQualityList, 0);
    assert!(calls >= pages as u64, "{calls} of {pages} pages");
}

/// A store of many days: another night changes its own date only, and everything can be rebuilt.
fn days_of_a_store(days: u32) {
    let first_day = date(2026, 11, 2).checked_sub(jiff::Span::new().days(i64::from(days))).expect("a date");
    let usual = TenantSpec::default();
    let spec = TenantSpec {
        first_day,
        days,
        people: 12,
        meetings_per_day: 2,
        unusual_meetings: false,
        background: vcq_simulator::Background { weekend_pct: 100, ..usual.background },
        ..usual
    };
    let env = env_of(&spec);
    let instant = |day: u32| jiff::Timestamp::from_second(spec.midnight(day)).expect("an instant").to_string();
    let night = |since: u32, until: u32| {
        env.vcq(&["sync", "--since", &instant(since), "--until", &instant(until), "--summary", "json"])
    };
    let first = measured_command(night(0, days - 1));
    report(&format!("first sync of {days} days"), &first, &env);
    first.ran.expect_exit(0);
    let before = env.dated_files();
    let next = measured_command(night(days - 2, days));
    report(&format!("the next night after {days} days"), &next, &env);
    let published = next.ran.expect_exit(0).summary()["dates_published"].as_array().map(Vec::len);
    assert_eq!(published, Some(1), "its own date only");
    let after = env.dated_files();
    assert!(before.iter().all(|file| after.contains(file)), "no other file has changed");
    assert_no_request_twice(&env);
    assert_complete(&env);
    assert_eq!(env.number("select count(distinct meeting_date) from meetings"), i64::from(days));

    let status = measured_command(env.vcq(&["status", "--json"]));
    report("status", &status, &env);
    status.ran.expect_exit(0);
    let tables = ["meetings", "participants", "coverage", "quality_samples"];
    let sums = || -> Vec<String> {
        let sum = |table: &&str| rows(&env.duckdb(), &format!("select count(*), sum(hash(t)) from {table} t")).join("");
        tables.iter().map(sum).collect()
    };
    let (was, calls) = (sums(), env.calls());
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        std::fs::remove_file(env.store().join("state").join(name)).ok();
    }
    let rebuilt = measured_command(env.vcq(&["rebuild"]));
    report("rebuild without a ledger", &rebuilt, &env);
    rebuilt.ran.expect_exit(0);
    assert_eq!((sums(), env.calls()), (was, calls), "the same rows, without a request");
    let verified = measured_command(env.vcq(&["verify", "--deep"]));
    report("verify --deep", &verified, &env);
    verified.ran.expect_exit(0);
}

#[test]
fn a_large_webinar_is_complete() {
    webinar(250);
}

#[test]
fn many_meetings_of_one_minute_are_complete() {
    meetings_of_one_minute(120, MeetingFilter::Start);
    meetings_of_one_minute(120, MeetingFilter::End);
}

#[test]
fn more_pages_than_a_day_has_are_read() {
    pages_of_a_participant(160, 1);
}

#[test]
fn a_store_of_many_days_grows_by_a_date() {
    days_of_a_store(12);
}

#[test]
#[ignore = "minutes; make test-load"]
fn a_webinar_of_ten_thousand_people() {
    webinar(10_000);
}

#[test]
#[ignore = "minutes; make test-load"]
fn a_thousand_meetings_that_end_in_one_minute() {
    for filter in [MeetingFilter::Start, MeetingFilter::End, MeetingFilter::Overlap] {
        meetings_of_one_minute(1_000, filter);
    }
}

#[test]
#[ignore = "minutes; make test-load"]
fn a_participant_with_1400_pages() {
    pages_of_a_participant(1_400, 1);
    pages_of_a_participant(1_400, 100);
}

#[test]
#[ignore = "minutes; make test-load"]
fn a_store_of_a_thousand_days() {
    days_of_a_store(1_000);
}
