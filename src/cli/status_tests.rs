//! The status page of example stores.

use std::collections::BTreeMap;

use super::*;
use crate::cli::console::sample_price;
use crate::commands::status::CoverageDay;
use crate::commands::status::{CallsUsed, ProfileView, PublishedView, Reason, Size};
use crate::commands::{Calls, TimeSpan};
use crate::load::Holder;
use crate::text::{Language, WIDTH};

fn run_of(command: &str, outcome: Option<(&str, i64)>, calls: i64, samples: Option<i64>) -> RunView {
    RunView {
        run_id: "r1".to_owned(),
        command: command.to_owned(),
        since_utc: Some("2026-11-20T16:00:00Z".to_owned()),
        until_utc: Some("2026-11-22T16:00:00Z".to_owned()),
        started_utc: "2026-11-22T17:00:00Z".to_owned(),
        finished_utc: outcome.map(|_| "2026-11-22T17:12:03Z".to_owned()),
        outcome: outcome.map(|(name, _)| name.to_owned()),
        exit_code: outcome.map(|(_, code)| code),
        calls,
        samples,
        duration_s: outcome.map(|_| 723.0),
    }
}

fn day(date: &str, meetings: u64, by_status: &[(&'static str, u64)], complete_pct: Option<f64>) -> CoverageDay {
    CoverageDay {
        meeting_date: date.to_owned(),
        meetings,
        participants: by_status.iter().map(|(_, count)| count).sum(),
        by_status: by_status.iter().copied().collect(),
        complete_pct,
        not_covered: date == "2026-11-21",
        pruned: false,
    }
}

fn view() -> StatusView {
    let calls = |quality| Calls {
        meeting_list: 40,
        participant_list: 3_120,
        participant_quality_list: quality,
        ..Calls::default()
    };
    StatusView {
        store: "/srv/vcq-store".to_owned(),
        now_utc: "2026-11-23T01:30:00Z".to_owned(),
        published: Part::Read(Some(PublishedView {
            generation: 12,
            schema_version: 1,
            run_id: "r1".to_owned(),
            published_utc: "2026-11-22T17:12:01Z".to_owned(),
            dates: 21,
            files: 105,
        })),
        holder: Some(Holder {
            pid: 4_711,
            host: "etl-1".to_owned(),
            started_utc: "2026-11-23T01:25:00Z".to_owned(),
            command: "sync".to_owned(),
        }),
        runs: Part::Read(vec![
            run_of("sync", None, 12, None),
            run_of("plan", Some(("complete", 0)), 302, None),
            run_of("sync", Some(("interrupted", 130)), 20_290, Some(1_104_233)),
        ]),
        last_complete: Part::Read(Some(LastComplete {
            run_id: "r0".to_owned(),
            finished_utc: "2026-11-21T17:20:00Z".to_owned(),
            age_s: 115_800.0,
            since_utc: Some("2026-11-19T16:00:00Z".to_owned()),
            until_utc: Some("2026-11-21T16:00:00Z".to_owned()),
        })),
        pruned_before: None,
        replacing: Part::Read(Vec::new()),
        not_covered: Part::Read(vec![TimeSpan {
            since_utc: "2026-11-20T17:00:00Z".to_owned(),
            until_utc: "2026-11-21T15:30:00Z".to_owned(),
        }]),
        newest: Part::Read(Newest {
            complete_date: Some("2026-11-20".to_owned()),
            meeting_date: Some("2026-11-22".to_owned()),
            sample_utc: Some("2026-11-22T10:31:00Z".to_owned()),
        }),
        coverage: Part::Read(Coverage {
            days: vec![
                day("2026-11-22", 131, &[("complete", 1_800), ("pending", 150), ("failed", 3)], Some(92.1)),
                day("2026-11-21", 0, &[], None),
                day(
                    "2026-11-20",
                    140,
                    &[("complete", 1_990), ("empty", 4), ("not_found", 6), ("unaddressable", 11)],
                    Some(98.9),
                ),
            ],
        }),
        incidents: Part::Read(BTreeMap::from([("critical", 0), ("major", 1), ("minor", 2)])),
        profile: Part::Read(ProfileView { judged_by: Some("cqd".to_owned()), setting: "cqd".to_owned() }),
        personal: Part::Read(PersonalView {
            identity: "full",
            topics: "keep",
            replaced_before: None,
            has_forgotten: false,
        }),
        pending: Part::Read(PendingView {
            since_utc: Some("2026-11-21T16:00:00Z".to_owned()),
            since_date: Some("2026-11-22".to_owned()),
            estimate: sample_price(),
            participants: OpenView { not_asked: 90, requested_again: 60, refetch: 0, failed: 3 },
            lists: OpenView { not_asked: 3, requested_again: 9, refetch: 0, failed: 0 },
            unpublished_dates: vec!["2026-11-22".to_owned()],
            refetch_meetings: 0,
        }),
        reasons: Part::Read(vec![Reason {
            status: "failed".to_owned(),
            reason: "participant_quality_list on 127.0.0.1 failed after 5 request(s): the answer\u{1b}[2J is empty"
                .to_owned(),
            participants: 3,
            meetings: 2,
            is_list: false,
        }]),
        calls: Part::Read(CallsUsed {
            month: "2026-11".to_owned(),
            this_month: calls(40_290),
            today: calls(12),
            is_at_least: false,
            today_is_at_least: false,
        }),
        size: Part::Read(Size {
            raw_bytes: 9_812_000,
            parquet_bytes: 5_100_000,
            duckdb_bytes: 8_400_000,
            state_bytes: 900,
        }),
    }
}

fn zone() -> TenantZone {
    TenantZone::parse("+08:00").expect("zone")
}

#[test]
fn the_status_of_a_store_in_use() {
    insta::assert_snapshot!(text(&view(), &zone(), Language::English), @r"
    Store           /srv/vcq-store
    Published       generation 12 at 2026-11-22T17:12:01Z, schema 1, 21 dates
    Running         sync since 2026-11-23T01:25:00Z, process 4711 on etl-1
    Last complete   1 d 8 h ago, 2026-11-21T17:20:00Z, for 2026-11-20..2026-11-21
    Not covered     2026-11-21 01:00 to 2026-11-21 23:30 (+08:00); no complete run
                    has fetched meetings of this time: run vcq-etl sync --since last
    Newest          complete date 2026-11-20, date 2026-11-22, sample
                    2026-11-22T10:31:00Z
    Incidents       1 major, 2 minor; judged by the profile cqd
    Calls           2026-11: 43,450 (meetings 40, participants 3,120, quality
                    40,290); today: 3,172
    Size            22.2 MiB (raw 9.4 MiB, parquet 4.9 MiB, vcq.duckdb 8.0 MiB,
                    state 900 B)

    Recent runs (times in +08:00)
    started      command  window        outcome           calls    samples  h:mm:ss
    11-23 01:00  sync     11-21..11-22  running              12          -        -
    11-23 01:00  plan     11-21..11-22  complete 0          302          -  0:12:03
    11-23 01:00  sync     11-21..11-22  interrupted 130  20,290  1,104,233  0:12:03

    Coverage by day (participants and lists, as published)
    date           meetings  complete  empty  pending  failed  others  complete
    2026-11-22          131     1,800      0      150       3       0    92.1 %
    2026-11-21  not covered
    2026-11-20          140     1,990      4        0       0      17    98.9 %
    others: not_found 6, unaddressable 11

    Pending
      to fetch      about 1,204 participants of 131 meetings, about 1,950 calls, 19
                    min at 100 per minute
                    run vcq-etl sync --since 2026-11-22
      participants  90 not fetched yet, 60 fetched too early or truncated, 3 failed
      lists         3 not fetched yet, 9 fetched too early or truncated
      unpublished   data of 2026-11-22; the next sync publishes it
      failed        3 participants: participant_quality_list on 127.0.0.1 failed
                    after 5 request(s): the answer�[2J is empty
                    these count rows of coverage as published: duplicate
                    participants are fetched once
    ");
}

#[test]
fn lines_fit_the_screen_and_contain_no_escapes() {
    let text = text(&view(), &zone(), Language::English);
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH, "{line}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn incidents_of_another_profile_and_of_an_older_version_are_identified() {
    let line = |judged_by: Option<&str>, counts: [u64; 3]| {
        let profile = ProfileView { judged_by: judged_by.map(str::to_owned), setting: "strict".to_owned() };
        let counts = ["critical", "major", "minor"].into_iter().zip(counts).collect();
        incidents(&profile, &Part::Read(counts))
    };
    assert_eq!(line(Some("strict"), [0, 0, 0]), "none; judged by the profile strict");
    assert_eq!(
        line(Some("cqd"), [1_200, 0, 3]),
        "1,200 critical, 3 minor; judged by the profile cqd; the setting is strict: the next vcq-etl sync or rebuild judges \
         all dates by it"
    );
    assert!(line(None, [0, 0, 0]).starts_with("not searched yet"));
}

#[test]
fn unreadable_parts_are_marked() {
    let error = || "could not open the file: it is damaged".to_owned();
    let damaged = StatusView {
        newest: Part::Unread { error: error() },
        coverage: Part::Unread { error: error() },
        reasons: Part::Unread { error: error() },
        ..view()
    };
    let text = text(&damaged, &zone(), Language::English);
    assert!(text.contains("Newest          unknown: could not open the file: it is damaged\n"), "{text}");
    assert!(text.contains("generation 12") && text.contains("interrupted 130"), "{text}");
    assert_eq!(damaged.exit(), ExitCode::Complete);
    let gone = StatusView { runs: Part::Unread { error: error() }, ..damaged };
    assert_eq!(gone.exit(), ExitCode::Storage);
    let json = serde_json::to_value(&gone).expect("json");
    assert_eq!(json["runs"]["error"], error());
}

#[test]
fn nothing_pending() {
    let pending = PendingView {
        since_utc: None,
        since_date: None,
        estimate: sample_price(),
        participants: OpenView::default(),
        lists: OpenView::default(),
        unpublished_dates: Vec::new(),
        refetch_meetings: 0,
    };
    let view = StatusView { pending: Part::Read(pending), reasons: Part::Read(Vec::new()), holder: None, ..view() };
    let text = text(&view, &zone(), Language::English);
    assert!(text.ends_with("Pending\n  to fetch      nothing\n"), "{text}");
    assert!(text.contains("Running         nothing\n"), "{text}");
}

#[test]
fn times_are_local() {
    assert_eq!([0.4, 723.0, 360_000.0].map(clock), ["0:00:00", "0:12:03", "100:00:00"]);
    assert_eq!(local("2026-11-22T17:00:00Z", &zone(), "%m-%d %H:%M"), "11-23 01:00");
    let window = (&Some("2026-11-21T16:00:00Z".to_owned()), &Some("2026-11-22T16:00:00Z".to_owned()));
    assert_eq!(window_dates(window, &zone(), "%m-%d").as_deref(), Some("11-22..11-22"));
}

#[test]
fn call_counts_may_be_lower_bounds() {
    let Part::Read(used) = view().calls else { panic!("calls") };
    let text_of = |is_at_least, today_is_at_least| {
        let calls = Part::Read(CallsUsed { is_at_least, today_is_at_least, ..used.clone() });
        text(&StatusView { calls, ..view() }, &zone(), Language::English)
    };
    assert!(!text_of(false, false).contains("at least"));
    let month = text_of(true, false);
    assert!(month.contains("2026-11: at least 43,450") && month.contains("today: 3,172"), "{month}");
    assert!(text_of(true, true).replace("\n                ", " ").contains("today: at least 3,172"));
}

#[test]
fn an_unfinished_refetch_is_shown() {
    let Part::Read(pending) = view().pending else { panic!("pending") };
    let participants = OpenView { refetch: 150, ..OpenView::default() };
    let lists = OpenView { refetch: 31, ..OpenView::default() };
    let pending = PendingView { participants, lists, refetch_meetings: 31, ..pending };
    let text = text(
        &StatusView { pending: Part::Read(pending), reasons: Part::Read(Vec::new()), ..view() },
        &zone(),
        Language::English,
    );
    assert!(text.contains("  participants  150 to be refetched\n"), "{text}");
    assert!(text.contains("  lists         31 to be refetched\n"), "{text}");
    assert!(text.contains("31 meetings of an unfinished refetch; their earlier data"), "{text}");
}

#[test]
fn equal_counts_need_no_explanation() {
    let Part::Read(pending) = view().pending else { panic!("pending") };
    let participants = OpenView { not_asked: 0, requested_again: 0, refetch: 9, failed: 3 };
    let reasons =
        [Reason { status: "failed".to_owned(), reason: String::new(), participants: 3, meetings: 1, is_list: false }];
    let pending = PendingView { participants, ..pending };
    assert!(!counts_differ(&pending, &reasons) && !counts_differ(&pending, &[]));
    let duplicates = [Reason { participants: 4, ..reasons[0].clone() }];
    assert!(counts_differ(&pending, &duplicates));
}

#[test]
fn what_is_not_kept_of_people_is_named() {
    let shown = |identity, topics, replaced_before: Option<&str>, has_forgotten| {
        let replaced_before = replaced_before.map(str::to_owned);
        personal(&PersonalView { identity, topics, replaced_before, has_forgotten })
    };
    assert_eq!(shown("full", "keep", None, false), "");
    assert_eq!(shown("full", "keep", Some("2026-10-28"), true), "replaced before 2026-10-28; replaced for some people");
    assert_eq!(shown("pseudonym", "drop", None, false), "no topics; pseudonym");
}
