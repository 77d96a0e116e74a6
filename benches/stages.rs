//! Times of single stages: parsers, a page, a date, a Parquet part, and publishing a date.
//!
//! `make bench-stages` runs all of them, `make bench-stages FILTER=page` those whose name contains `page`. The data is
//! a simulated tenant, synced by the program over HTTP. The numbers compare runs on one machine; `make bench` measures
//! the program as a whole.

use std::path::Path;
use std::sync::LazyLock;

use arrow::array::RecordBatch;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use store::{RUN_ID, Store, publish_dates};
use tempfile::TempDir;
use vcq_etl::{PartWriter, PublishMode, QUALITY_SAMPLES, RawKind, SampleBatches, StorePaths, WalkParser, list_files};
use vcq_simulator::TenantSpec;

#[path = "inputs.rs"]
mod inputs;
#[path = "store.rs"]
mod store;

/// Rows that the transform hands to the Parquet writer at a time.
const BATCH_ROWS: usize = 8_192;
/// Days of the full store.
const DAYS: u32 = 10;

fn main() {
    divan::main();
}

#[divan::bench(args = inputs::PARSERS.iter().map(|parser| parser.name))]
fn parser(bencher: Bencher<'_, '_>, name: &str) {
    let parser = inputs::PARSERS.iter().find(|parser| parser.name == name).expect("a name of the list");
    bencher.counter(ItemsCount::new(parser.texts.len())).bench(|| {
        parser.texts.iter().for_each(|text| (parser.read)(divan::black_box(text)));
    });
}

/// Text to typed samples.
#[divan::bench]
fn page(bencher: Bencher<'_, '_>) {
    let page = inputs::page();
    let mut parser = WalkParser::default();
    bencher
        .counter(ItemsCount::new(inputs::PAGE_ITEMS))
        .counter(BytesCount::new(page.len()))
        .bench_local(|| inputs::type_page(&mut parser, &page));
}

/// The same with an escape sequence near the start, which only the general JSON parser reads.
#[divan::bench]
fn page_with_escape(bencher: Bencher<'_, '_>) {
    let page = inputs::page().replacen("(GMT", "\\u0028GMT", 1);
    let mut parser = WalkParser::default();
    bencher
        .counter(ItemsCount::new(inputs::PAGE_ITEMS))
        .counter(BytesCount::new(page.len()))
        .bench_local(|| inputs::type_page(&mut parser, &page));
}

/// Text to Arrow: a batch as the Parquet writer gets it.
#[divan::bench]
fn page_to_arrow(bencher: Bencher<'_, '_>) {
    let page = inputs::page();
    let pages = BATCH_ROWS.div_ceil(inputs::PAGE_ITEMS);
    bencher.counter(ItemsCount::new(pages * inputs::PAGE_ITEMS)).bench_local(|| batch(&page, pages));
}

fn batch(page: &str, pages: usize) -> RecordBatch {
    let mut parser = WalkParser::default();
    let mut batches = SampleBatches::default();
    for number in 0..pages {
        let typed = inputs::type_page(&mut parser, page);
        batches.append(&format!("489987143-1791885680/ou_{number:06}/1791885964"), "489987143-1791885680", &typed);
    }
    batches.take().expect("every column has a source")
}

/// Arrow to a synced Parquet file of `batches` batches.
#[divan::bench(args = [1, 4, 16])]
fn parquet(bencher: Bencher<'_, '_>, batches: usize) {
    let batch = batch(&inputs::page(), BATCH_ROWS.div_ceil(inputs::PAGE_ITEMS)).slice(0, BATCH_ROWS);
    let folder = TempDir::new().expect("a folder");
    bencher.counter(ItemsCount::new(batches * BATCH_ROWS)).bench_local(|| {
        let mut part = PartWriter::create(folder.path(), &QUALITY_SAMPLES, 20_000, RUN_ID, 0).expect("a part");
        for _ in 0..batches {
            part.write(&batch).expect("rows of the table");
        }
        part.finish().expect("the part ends").expect("there are rows")
    });
}

static HOME: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder"));

/// A store of ten days, pulled once from the simulator.
static STORE: LazyLock<Store> = LazyLock::new(|| {
    let spec = TenantSpec { days: DAYS, people: 120, meetings_per_day: 40, ..TenantSpec::default() };
    Store::sync(HOME.path(), &spec)
});

/// The date with the most raw bytes, so that it is a working day.
fn busy_date() -> i32 {
    let raw = STORE.path().join("raw");
    let bytes = |date: &&i32| -> u64 {
        let files = list_files(&raw, RawKind::Quality, **date).expect("the raw log lists");
        files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    };
    *STORE.dates.iter().max_by_key(bytes).expect("there are days")
}

/// A store with all dates except the busy one, to be copied and published into.
static OTHER_DAYS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = TempDir::new().expect("a folder");
    let paths = StorePaths::open(folder.path()).expect("a store");
    let busy = busy_date();
    let others = STORE.dates.iter().filter(|date| **date != busy);
    let dates = others.map(|date| STORE.stage(&paths.work(), *date).0).collect();
    publish_dates(&paths, dates, PublishMode::Replace);
    folder
});

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

/// One date from the raw log to staged parts.
#[divan::bench(sample_count = 20)]
fn date(bencher: Bencher<'_, '_>) {
    let work = TempDir::new().expect("a folder");
    let busy = busy_date();
    let (_, samples) = STORE.stage(work.path(), busy);
    bencher.counter(ItemsCount::new(samples)).bench_local(|| STORE.stage(work.path(), busy));
}

/// The store that a date is published into.
#[derive(Debug, Clone, Copy)]
enum Into {
    EmptyStore,
    FullStore,
}

/// Publishes one staged date: parts, manifest, and the database, which is built beside the old one and renamed.
#[divan::bench(sample_count = 10, sample_size = 1, args = [Into::EmptyStore, Into::FullStore])]
fn publish_a_day(bencher: Bencher<'_, '_>, into: Into) {
    let busy = busy_date();
    bencher
        .with_inputs(|| {
            let folder = TempDir::new().expect("a folder");
            if matches!(into, Into::FullStore) {
                copy_folder(OTHER_DAYS.path(), folder.path());
            }
            let paths = StorePaths::open(folder.path()).expect("a store");
            let date = STORE.stage(&paths.work(), busy).0;
            (folder, paths, date)
        })
        .bench_local_values(|(folder, paths, date)| {
            publish_dates(&paths, vec![date], PublishMode::Update);
            // Returned, so that its removal is not measured.
            folder
        });
}

/// Publishes all ten dates at once with a new database, as a rebuild does after the transform.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn publish_all_days(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(|| {
            let folder = TempDir::new().expect("a folder");
            let paths = StorePaths::open(folder.path()).expect("a store");
            let dates: Vec<_> = STORE.dates.iter().map(|date| STORE.stage(&paths.work(), *date).0).collect();
            (folder, paths, dates)
        })
        .bench_local_values(|(folder, paths, dates)| {
            publish_dates(&paths, dates, PublishMode::Replace);
            folder
        });
}
