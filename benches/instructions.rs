//! Runs one parser, or one stage, TIMES times: `instructions NAME TIMES [HOME]`. `tools/bench-instructions.py` runs it
//! under callgrind.
//!
//! Prints how many items it handled. Without arguments it prints the name of each benchmark, and the two TIMES whose
//! difference is the cost without the start of the program. `instructions --sync HOME` makes the store that the stages
//! read.

#![expect(clippy::print_stdout, reason = "the list of names and the counts are the output of this program")]

use std::hint::black_box;
use std::path::Path;

use store::{Store, publish_dates};
use tempfile::TempDir;
use vcq_etl::{PublishMode, StorePaths, WalkParser};
use vcq_simulator::TenantSpec;

#[path = "inputs.rs"]
mod inputs;
#[path = "store.rs"]
mod store;

struct Benchmark {
    name: &'static str,
    few: usize,
    many: usize,
    /// Returns the number of items.
    run: fn(times: usize, home: &Path) -> u64,
}

/// All but the parsers of single values.
const BENCHMARKS: &[Benchmark] = &[
    // A page has a hundred samples, so fewer runs are enough.
    Benchmark { name: "page_of_100", few: 2, many: 22, run: type_pages },
    Benchmark { name: "date_to_parquet", few: 1, many: 3, run: stage_dates },
    Benchmark { name: "parquet_to_duckdb", few: 1, many: 4, run: load_dates },
    Benchmark { name: "minutes_judged", few: 1, many: 3, run: judge_minutes },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--sync", home] => {
            let spec = TenantSpec { days: 5, people: 120, meetings_per_day: 40, ..TenantSpec::default() };
            Store::sync(Path::new(home), &spec);
        }
        [name, times, home @ ..] => {
            let times = times.parse().expect("TIMES is a number");
            println!("{}", run(name, times, Path::new(home.first().unwrap_or(&""))));
        }
        _ => {
            inputs::PARSERS.iter().for_each(|parser| println!("{} 20 1020", parser.name));
            BENCHMARKS.iter().for_each(|one| println!("{} {} {}", one.name, one.few, one.many));
        }
    }
}

fn run(name: &str, times: usize, home: &Path) -> u64 {
    if let Some(benchmark) = BENCHMARKS.iter().find(|one| one.name == name) {
        return (benchmark.run)(times, home);
    }
    let parser = inputs::PARSERS.iter().find(|parser| parser.name == name).expect("a name of the list");
    for _ in 0..times {
        parser.texts.iter().for_each(|text| (parser.read)(black_box(text)));
    }
    times as u64
}

fn type_pages(times: usize, _: &Path) -> u64 {
    let page = inputs::page();
    let mut parser = WalkParser::default();
    for _ in 0..times {
        black_box(inputs::type_page(&mut parser, black_box(&page)));
    }
    times as u64
}

/// From the raw log to Parquet.
fn stage_dates(times: usize, home: &Path) -> u64 {
    let store = Store::open(home);
    let work = TempDir::new().expect("a folder");
    let date = store.dates[0];
    (0..times).map(|_| store.stage(work.path(), date).1).sum()
}

/// From Parquet into a new database, without judging.
fn load_dates(times: usize, home: &Path) -> u64 {
    let store = Store::open(home);
    let folder = TempDir::new().expect("a folder");
    let paths = StorePaths::open(folder.path()).expect("a store");
    let staged = store.dates.iter().take(times).map(|date| store.stage(&paths.work(), *date));
    let (dates, samples): (Vec<_>, Vec<u64>) = staged.unzip();
    publish_dates(&paths, dates, PublishMode::Replace);
    samples.iter().sum()
}

/// Verdicts and causes of all minutes of the store.
fn judge_minutes(times: usize, home: &Path) -> u64 {
    let config = duckdb::Config::default().access_mode(duckdb::AccessMode::ReadOnly).and_then(|one| one.threads(1));
    let path = Store::open(home).path().join("vcq.duckdb");
    let database = duckdb::Connection::open_with_flags(path, config.expect("settings")).expect("a database");
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u64>(0)).expect("a number");
    // Not the profile of the store, whose minutes would only be read.
    let sql = "select bit_xor(hash(m)) from computed_caused_minutes(profile := 'strict') as m";
    for _ in 0..times {
        count(sql);
    }
    times as u64 * count("select count(*) from quality_samples")
}
