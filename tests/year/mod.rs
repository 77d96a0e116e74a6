//! A seeded year: 365 nights of the real program against the simulated Feishu, in simulated time.
//!
//! Real are the settings, the walks, limiter and retries, the raw log, the ledger, Parquet, DuckDB, and the alerts
//! over HTTP. Simulated are the clocks, the randomness and the network to Feishu. After every night the invariants of
//! `checks` must hold; the same seed gives the same bytes. docs/RELIABILITY.md says what is left out.

mod checks;
mod checks_tests;
mod claims;
mod clock;
mod night;
mod plan;
mod random;
#[expect(dead_code, reason = "the integration tests need more answers")]
#[path = "../it/support/scripted_bot.rs"]
mod scripted_bot;
mod truth;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use jiff::civil::date;
use scripted_bot::{Answer, ScriptedBot};
use vcq_simulator::{InProcess, Options, Tenant, TenantSpec};

use checks::NightKind;
use claims::{Ledgered, Published};
use clock::SimulatedClock;
use night::{Ended, Host, Report, folder};
use plan::{Night, Trouble, Year};
use truth::Truth;
use world::World;

/// Every night at 02:15 of the tenant's time.
const STARTS_AFTER_US: i64 = (2 * 3_600 + 15 * 60) * 1_000_000;
const HOUR_US: i64 = 3_600_000_000;

/// What a year was like.
#[derive(Debug, Default)]
struct Lived {
    digest: String,
    requests: usize,
    /// Invariants that did not hold.
    broken: Vec<String>,
    /// Nights by how they ended.
    endings: BTreeMap<String, usize>,
}

fn tenant(year: &Year) -> Tenant {
    Tenant::generate(&TenantSpec {
        seed: year.seed,
        first_day: date(2026, 1, 5),
        days: u32::try_from(year.nights.len()).expect("a year") - 4,
        people: 10,
        meetings_per_day: 1,
        ..TenantSpec::default()
    })
}

/// Lives through a year and checks every night of it.
fn live(seed: u64, nights: usize) -> Lived {
    let year = Year::new(seed, nights);
    let tenant = Arc::new(tenant(&year));
    let truth = Truth::of(&tenant);
    let start_us = tenant.spec().start() * 1_000_000;
    let clock = Arc::new(SimulatedClock::new(start_us));
    let server = InProcess::new(
        Arc::clone(&tenant),
        Options {
            ready_from_s: Some(0),
            ready_after_s: year.ready_after_s,
            participants_ready_after_s: year.lists_ready_after_s,
            log_capacity: 0,
            ..Options::default()
        },
    );
    let world = World::new(Arc::clone(&clock), server, seed);
    let bot = ScriptedBot::new(Answer::Body(200, String::new()));
    let (home, bot_url) = (folder(), format!("http://{}/hook", bot.address));
    let (store, world_of_host) = (home.path().join("store"), Arc::clone(&world));
    let mut host = Host {
        home: home.path().to_owned(),
        store,
        bot_url,
        world: world_of_host,
        publication_due: false,
        alerts_pending: false,
    };
    if year.identity != "full" {
        host.prepare();
    }
    let (mut kinds, mut covered, mut accepted, mut lived) = (Vec::new(), Vec::new(), Vec::new(), Lived::default());
    let (mut refused, mut given_up) = (BTreeSet::new(), BTreeSet::new());
    for (at, night) in year.nights.iter().enumerate() {
        clock.jump_to(tenant.spec().midnight(at as u32 + 1) * 1_000_000 + STARTS_AFTER_US);
        bot.answer(Answer::Body(if night.refuses_alerts { 400 } else { 200 }, String::new()));
        let report = host.run(at, &year, night);
        let sent = bot.take();
        // After 7 days a message is given up: the machine may have been off that long.
        let is_given_up = |note: &String| note.starts_with("alerts: gave up");
        if report.alert_notes.iter().any(is_given_up) {
            given_up.append(&mut refused);
        }
        for date in sent.iter().flat_map(dates_of) {
            if night.refuses_alerts {
                refused.insert(date);
            } else {
                refused.remove(&date);
                accepted.push(date);
            }
        }
        let is_sent = |note: &String| note.starts_with("alerts: rule every-day sent a message");
        let unsent = report.alert_notes.iter().filter(|note| !is_sent(note) && !is_given_up(note));
        let unsent: Vec<String> = unsent.cloned().collect();
        kinds.push(kind(night, &report));
        let name = format!("seed {seed}, night {at} ({:?}, ended {})", night.trouble, ending(&report.ended));
        *lived.endings.entry(ending(&report.ended)).or_default() += 1;
        let broken = &mut lived.broken;
        let mut must_hold = |what: &str, wrong: Vec<String>| {
            if !wrong.is_empty() && broken.len() < 10 {
                broken.push(format!("{name}: {what}:\n  {}", wrong[..wrong.len().min(5)].join("\n  ")));
            }
        };
        must_hold("alert notes", if night.refuses_alerts { Vec::new() } else { unsent });
        if let Ended::Ran(synced) = &report.ended {
            // Complete and incomplete runs have read the meeting list to its end.
            if [0, 7].contains(&synced.exit.number()) {
                covered.push((report.window_us.0, report.window_us.1.min(report.started_us)));
                must_hold("the list was not read", checks::list_not_read(&world.wire(), at));
            }
            let named: Vec<(i64, i64)> =
                synced.summary.not_covered.iter().map(|span| (us(&span.since_utc), us(&span.until_utc))).collect();
            must_hold("holes", checks::unnamed_holes(&covered, &named, clock.wall_us()));
        }
        let ledger = Ledgered::read(&host.store);
        must_hold("forgotten", checks::forgotten(&truth, &ledger, &settled(&covered)));
        let ids = year.identity != "full";
        if at % 10 == 9 || at + 1 == nights {
            must_hold("fetched twice", checks::fetched_twice(&world.wire(), &kinds, &truth.ends, ids));
        }
        if report.publishes && host.store.join("vcq.duckdb").exists() {
            let published = Published::read(&host.store);
            must_hold("coverage", checks::coverage_differs(&published));
            must_hold("invented", checks::invented(&published, &truth));
            if at + 1 == nights {
                must_hold("the year is incomplete", checks::incomplete(&published, &ledger, &truth));
                let dates = truth.dates().difference(&given_up).cloned().collect();
                must_hold("alerts", checks::not_sent_once(&accepted, &dates));
            }
        }
    }
    lived.requests = world.wire().len();
    lived.digest = claims::digest(&host.store);
    assert_eq!(kinds.len(), nights);
    lived
}

/// The simulated Feishu lists a meeting at once, but the program's clock may be ahead: only what had ended by the true
/// time was there to be listed.
fn settled(covered: &[(i64, i64)]) -> Vec<(i64, i64)> {
    covered.iter().map(|(since, until)| (*since, until - 4 * HOUR_US)).collect()
}

fn kind(night: &Night, report: &Report) -> NightKind {
    NightKind {
        settle_us: i64::from(night.settle_hours) * HOUR_US,
        writes_all: !matches!(night.trouble, Trouble::FullDisk(_)),
        is_whole: matches!(&report.ended, Ended::Ran(synced) if synced.stop.is_none()),
    }
}

fn ending(ended: &Ended) -> String {
    match ended {
        Ended::Off => "off".to_owned(),
        Ended::Killed => "killed".to_owned(),
        Ended::Refused(why) => format!("refused: {why}"),
        Ended::Ran(synced) => synced.exit.name().to_owned(),
    }
}

/// The dates in the rows of a message.
fn dates_of(message: &serde_json::Value) -> Vec<String> {
    let rows = message["rows"].as_array().cloned().unwrap_or_default();
    assert_eq!(message["more_rows"], 0, "all rows are in the message");
    rows.iter().map(|row| row["date"].as_str().expect("a date").to_owned()).collect()
}

fn us(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("a time").as_microsecond()
}

#[test]
fn a_year_of_nights_keeps_its_promises() {
    let lived = live(1, 365);
    assert!(lived.broken.is_empty(), "{}", lived.broken.join("\n"));
    assert!(lived.requests > 1_000 && lived.endings.len() > 5, "{lived:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let [one, again, other] = [(2, 16), (2, 16), (3, 16)].map(|(seed, nights)| live(seed, nights).digest);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

/// `make test-year`: `YEAR_SEEDS` seeds of `YEAR_NIGHTS` nights, from `YEAR_SEED` on.
#[test]
#[ignore = "most of a minute a seed: make test-year"]
#[expect(clippy::print_stdout, reason = "what each seed was like")]
fn years_of_many_seeds() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, seeds, nights) = (number("YEAR_SEED", 1), number("YEAR_SEEDS", 100), number("YEAR_NIGHTS", 365));
    let mut failed = Vec::new();
    for seed in first..first + seeds {
        let began = Instant::now();
        let lived = live(seed, nights as usize);
        if !lived.broken.is_empty() {
            println!("{}", lived.broken.join("\n"));
            failed.push(seed);
        }
        let seconds = began.elapsed().as_secs_f64();
        println!("seed {seed}: {seconds:.1} s, {} requests, {:?}", lived.requests, lived.endings);
    }
    assert!(failed.is_empty(), "failed seeds: {failed:?}");
}
