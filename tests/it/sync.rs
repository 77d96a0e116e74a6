//! A first end to end.
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use vcq_etl::feishu::{BaseUrl, Cancel, ClientConfig, Credentials, Rate, Secret, UserIdType};
use vcq_etl::load::DatabaseOptions;
use vcq_etl::pipeline::{SyncSetup, sync};
use vcq_etl::schema::TenantZone;
use vcq_etl::simulator::{Limit, Options, Tenant, TenantSpec, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spike() {
    let spec = TenantSpec::default();
    let tenant = Tenant::generate(&spec);
    eprintln!("{:?}", tenant.totals());
    let mut options = Options::default();
    options.limit = Limit { calls: 100000, ..options.limit };
    let running = serve(tenant, options).await.unwrap();
    let dir = std::env::temp_dir().join("vcq-spike");
    let _ = std::fs::remove_dir_all(&dir);
    for _ in 0..2 {
        let mut client = ClientConfig::new(
            BaseUrl::parse(&running.base_url()).unwrap(),
            Credentials::App { app_id: running.app_id().to_string(), app_secret: Secret::new(running.app_secret()) },
        );
        client.rate = Rate::per_minute(NonZeroU32::new(60000).unwrap());
        let setup = SyncSetup {
            store: dir.clone(),
            client,
            cancel: Cancel::new(),
            signal: Arc::new(AtomicI32::new(0)),
            window_us: (spec.start() * 1_000_000, spec.end() * 1_000_000),
            meeting_nos: vec![],
            refetch: false,
            max_calls: None,
            finish_by_us: None,
            zone: TenantZone::parse("+08:00").unwrap(),
            user_id_type: UserIdType::OpenId,
            settle: Duration::from_secs(86400),
            concurrency: 8,
            publish_every: Duration::from_secs(600),
            database: DatabaseOptions::default(),
            events: Arc::new(()),
            now_us: Arc::new(|| jiff::Timestamp::now().as_microsecond()),
        };
        let synced = sync(setup).await.unwrap();
        eprintln!("{:#?}", synced);
    }
    running.shutdown().await;
}
