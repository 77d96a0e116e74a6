//! How many planted incidents the program finds, and how many it reports that nobody planted.
//!
//! `make bench PARTS=incidents`: seeded tenants of 30 to 3,000 people, with and without planted incidents, are built
//! as stores by the program itself, and `report_incidents` is compared with the truth. Prints one JSON object; what was
//! missed and what was wrongly reported goes to stderr. SEEDS (200) is the number of tenants, FIRST_SEED (1) the first
//! one, JOBS (2) how many are measured at a time. With NIGHT_DATABASE, the path of a large database, only the cost of
//! the search after a night and after a rebuild is measured (see `night`).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a table on stdout and what was missed on stderr are its output"
)]

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use duckdb::Connection;
use scoring::{Incident, Verdict, judge, wilson};
use serde_json::{Value, json};
use tempfile::TempDir;
use vcq_simulator::{IncidentKind, IncidentTruth, Planting, ScopeKind, Tenant, TenantSpec};

mod cpu;
mod night;
mod scoring;
mod store;

const SIZES: [(&str, u32, u32); 4] =
    [("30 to 99", 30, 99), ("100 to 299", 100, 299), ("300 to 999", 300, 999), ("1,000 to 3,000", 1000, 3000)];

/// What became of one tenant.
#[derive(Debug)]
struct Outcome {
    size: usize,
    is_null: bool,
    planted: Vec<(Incident, bool)>,
    verdicts: Vec<(Incident, Verdict)>,
    search_cpu_s: f64,
    samples: u64,
}

fn main() {
    // `cargo test` runs benches with this flag.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if let Some(database) = std::env::var_os("NIGHT_DATABASE") {
        println!("{}", night::measure(Path::new(&database)));
        return;
    }
    let setting =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (seeds, first, jobs) = (setting("SEEDS", 200), setting("FIRST_SEED", 1), setting("JOBS", 2));
    let (next, outcomes) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < first + seeds) {
                    let outcome = measure(seed);
                    outcomes.lock().expect("no thread panicked").push(outcome);
                }
            });
        }
    });
    println!("{}", summary(&outcomes.into_inner().expect("no thread panicked")));
}

/// Mostly small tenants; two of five of each size have no planted incident.
fn spec(seed: u64) -> (usize, TenantSpec) {
    let size = match seed % 20 {
        0 => 3,
        1..=3 => 2,
        4..=7 => 1,
        _ => 0,
    };
    let (_, least, most) = SIZES[size];
    // Of the seeds with the same remainder by 20, every five in a row have each value once.
    let planting = if (seed + seed / 20) % 5 < 2 { Planting::None } else { Planting::Random };
    (size, TenantSpec { planting, ..TenantSpec::varied(seed, least..=most) })
}

fn measure(seed: u64) -> Outcome {
    let (size, spec) = spec(seed);
    let tenant = Tenant::generate(&spec);
    let folder = TempDir::new().expect("a folder");
    store::build(&tenant, folder.path());
    let rows = reported(folder.path(), &spec);
    let search_cpu_s = night::search_cpu_s(&night::open(&folder.path().join("vcq.duckdb")));
    let (planted, usual): (Vec<IncidentTruth>, Vec<IncidentTruth>) =
        tenant.incident_truths().into_iter().partition(|truth| truth.planted);
    let incidents = |truths: &[IncidentTruth]| truths.iter().map(of_truth).collect::<Vec<Incident>>();
    let (planted, usual) = (incidents(&planted), incidents(&usual));
    let verdicts = judge(&planted, &usual, &rows);
    let is_found = |at: usize| verdicts.contains(&Verdict::Finds(at));
    let about = format!("seed {seed}, {} people, {} days", spec.people, spec.days);
    for (at, incident) in planted.iter().enumerate().filter(|(at, _)| !is_found(*at)) {
        let near = rows.iter().filter(|row| row.start < incident.end && row.end > incident.start);
        eprintln!("{about}: missed {}; at that time: {:?}", line(incident), near.map(line).collect::<Vec<_>>());
        debug_assert!(at < planted.len());
    }
    for (row, verdict) in rows.iter().zip(&verdicts) {
        match verdict {
            Verdict::False => eprintln!("{about}: false {}", line(row)),
            Verdict::Repeats(at) => eprintln!("{about}: repeated {} of {}", line(row), line(&planted[*at])),
            Verdict::Finds(_) | Verdict::Usual => {}
        }
    }
    let found: Vec<bool> = (0..planted.len()).map(is_found).collect();
    Outcome {
        size,
        is_null: planted.is_empty(),
        planted: planted.into_iter().zip(found).collect(),
        verdicts: rows.into_iter().zip(verdicts).collect(),
        search_cpu_s,
        samples: tenant.totals().samples,
    }
}

fn line(incident: &Incident) -> String {
    let time =
        |at: i64| jiff::Timestamp::from_second(at + 8 * 3600).unwrap_or_default().strftime("%m-%d %H:%M").to_string();
    let kind = if incident.is_chronic { "chronic" } else { "acute" };
    let Incident { scope_kind, scope, metric, start, end, .. } = incident;
    format!("{kind} {scope_kind} {scope} {metric} {} to {}", time(*start), time(*end))
}

fn of_truth(truth: &IncidentTruth) -> Incident {
    Incident {
        scope_kind: truth.scope_kind.name().to_owned(),
        scope: truth.scope.clone(),
        metric: truth.metric.name().to_owned(),
        is_chronic: truth.kind == IncidentKind::Chronic,
        start: truth.start_time,
        end: truth.end_time,
    }
}

/// The rows of `report_incidents` over all days.
fn reported(store: &Path, spec: &TenantSpec) -> Vec<Incident> {
    let connection: Connection = night::open(&store.join("vcq.duckdb"));
    let end = spec.first_day.saturating_add(jiff::Span::new().days(i64::from(spec.days) + 1));
    let sql = format!(
        "select scope_kind, scope, metric, kind, epoch_us(start_time_utc) // 1000000, epoch_us(end_time_utc) // 1000000 \
         from report_incidents(since := date '{}', until := date '{end}', profile := 'cqd')",
        spec.first_day
    );
    let mut select = connection.prepare(&sql).expect("the report is there");
    let rows = select.query_map([], |row| {
        Ok(Incident {
            scope_kind: row.get(0)?,
            scope: row.get(1)?,
            metric: row.get(2)?,
            is_chronic: row.get::<_, String>(3)? == "chronic",
            start: row.get(4)?,
            end: row.get(5)?,
        })
    });
    rows.expect("the report runs").collect::<Result<_, _>>().expect("rows of the report")
}

/// Counts of planted and reported incidents.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    planted: usize,
    found: usize,
    reported: usize,
    correct: usize,
    repeated: usize,
}

impl Counts {
    fn json(self, name: &str) -> Value {
        json!({
            "name": name, "planted": self.planted, "found": self.found, "reported": self.reported,
            "correct": self.correct, "repeated": self.repeated,
        })
    }
}

fn count<'a>(outcomes: impl Iterator<Item = &'a Outcome>, counts: impl Fn(&Incident) -> bool) -> Counts {
    let mut sum = Counts::default();
    for outcome in outcomes {
        for (_, is_found) in outcome.planted.iter().filter(|(incident, _)| counts(incident)) {
            sum.planted += 1;
            sum.found += usize::from(*is_found);
        }
        for (_, verdict) in outcome.verdicts.iter().filter(|(row, _)| counts(row)) {
            sum.reported += usize::from(*verdict != Verdict::Usual);
            sum.correct += usize::from(matches!(verdict, Verdict::Finds(_) | Verdict::Repeats(_)));
            sum.repeated += usize::from(matches!(verdict, Verdict::Repeats(_)));
        }
    }
    sum
}

fn summary(outcomes: &[Outcome]) -> Value {
    let kinds: Vec<Value> = ScopeKind::ALL
        .iter()
        .map(|kind| count(outcomes.iter(), |incident| incident.scope_kind == kind.name()).json(kind.name()))
        .collect();
    let sizes: Vec<Value> = SIZES
        .iter()
        .enumerate()
        .map(|(size, (name, ..))| {
            let of_size = || outcomes.iter().filter(move |outcome| outcome.size == size);
            let mut row = count(of_size(), |_| true).json(name);
            let alarms = |outcome: &&Outcome| outcome.verdicts.iter().any(|(_, verdict)| *verdict == Verdict::False);
            row["tenants"] = json!(of_size().count());
            row["null_tenants"] = json!(of_size().filter(|outcome| outcome.is_null).count());
            row["null_alarms"] = json!(of_size().filter(|outcome| outcome.is_null).filter(alarms).count());
            row["samples"] = json!(of_size().map(|outcome| outcome.samples).sum::<u64>());
            row["search_cpu_s"] = json!(of_size().map(|outcome| outcome.search_cpu_s).sum::<f64>());
            row["longest_search_cpu_s"] = json!(of_size().map(|outcome| outcome.search_cpu_s).fold(0.0, f64::max));
            row
        })
        .collect();
    let sum = |key: &str| sizes.iter().filter_map(|row| row[key].as_u64()).sum::<u64>() as usize;
    let (null_tenants, null_alarms) = (sum("null_tenants"), sum("null_alarms"));
    let (low, high) = wilson(null_alarms, null_tenants);
    json!({
        "tenants": outcomes.len(),
        "null_tenants": null_tenants,
        "null_alarms": null_alarms,
        "null_interval": [low, high],
        "all": count(outcomes.iter(), |_| true).json("all"),
        "kinds": kinds,
        "sizes": sizes,
    })
}
