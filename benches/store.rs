//! A store of some days, pulled once from the simulator by the program, and its stages one by one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vcq_etl::{
    DatabaseOptions, DateContext, DatePublication, Definitions, Publication, PublishMode, QUALITY_SAMPLES, RawKind,
    StorePaths, TenantZone, list_dates, publish, stage_date,
};
use vcq_simulator::{Limit, Options, Tenant, TenantSpec, serve};

pub(crate) const RUN_ID: &str = "bench";

/// A synced store in `home/store`.
pub(crate) struct Store {
    home: PathBuf,
    /// Days since 1970-01-01.
    pub(crate) dates: Vec<i32>,
}

impl Store {
    /// Syncs all days of the tenant into a new store.
    pub(crate) fn sync(home: &Path, spec: &TenantSpec) -> Store {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let options = Options::default();
        let options = Options { limit: Limit { calls: 1_000_000, ..options.limit }, ..options };
        let running = runtime.block_on(serve(Tenant::generate(spec), options)).expect("a simulator");
        let instant = |seconds: i64| jiff::Timestamp::from_second(seconds).expect("an instant").to_string();
        let ended = Command::new(env!("CARGO_BIN_EXE_vcq-etl"))
            .args(["sync", "--quiet", "--since", &instant(spec.start()), "--until", &instant(spec.end())])
            .env_clear()
            .env("HOME", home)
            .env("VCQ_BASE_URL", running.base_url())
            .env("VCQ_APP_ID", running.app_id())
            .env("VCQ_APP_SECRET", running.app_secret())
            .env("VCQ_STORE", home.join("store"))
            .env("VCQ_CALLS_PER_MINUTE", "100000")
            .stdout(Stdio::null())
            .status()
            .expect("the program runs");
        assert!(ended.success(), "the sync ended with {ended}");
        runtime.block_on(running.shutdown());
        Store::open(home)
    }

    /// A store that `sync` left.
    pub(crate) fn open(home: &Path) -> Store {
        let dates = list_dates(&home.join("store/raw"), RawKind::Quality).expect("the raw log lists");
        Store { home: home.to_owned(), dates }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.home.join("store")
    }

    /// Stages one date for a publication from `work_dir`. Returns its number of samples too.
    pub(crate) fn stage(&self, work_dir: &Path, meeting_date: i32) -> (DatePublication, u64) {
        let raw_dir = &self.path().join("raw");
        let zone = &TenantZone::parse("+08:00").expect("a zone");
        let context = DateContext { raw_dir, work_dir, zone, run_id: RUN_ID, counts_all_fields: true, part_number: 0 };
        let publication = stage_date(context, meeting_date).expect("the date is staged").publication;
        let parts = publication.parts.iter().filter(|part| part.table.name == QUALITY_SAMPLES.name);
        let samples = parts.map(|part| part.rows).sum();
        (publication, samples)
    }
}

/// Publishes staged dates without reports.
pub(crate) fn publish_dates(paths: &StorePaths, dates: Vec<DatePublication>, mode: PublishMode) {
    let publication = Publication {
        run_id: RUN_ID,
        now_us: 1_790_000_000_000_000,
        dates,
        mode,
        timezone: "+08:00",
        user_id_type: "open_id",
        definitions: Definitions::NONE,
        reference_rows: &[],
        database: DatabaseOptions::default(),
    };
    publish(paths, &publication, &mut |_| Ok(Vec::new()), &mut |_| std::ops::ControlFlow::Continue(()))
        .expect("the days are published");
}
