//! A test environment: a simulator on loopback, an empty home folder, a store, and the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::clock::move_clock;
use duckdb::{AccessMode, Config, Connection};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vcq_simulator::{LIST_ENDPOINTS, Limit, Options, RunningServer, Tenant, TenantSpec, serve};

/// Calls per window of the simulator in tests that are not about the rate limit.
pub(crate) const NO_LIMIT: u32 = 1_000_000;

pub(crate) struct TestEnv {
    runtime: Runtime,
    running: Option<RunningServer>,
    home: TempDir,
    since: String,
    until: String,
    /// How far the clocks of the simulator and of the program are ahead of the machine's.
    ahead_s: i64,
}

/// Exit code and output of a run of the binary.
pub(crate) struct RunOutput {
    /// `None` if a signal ended the process.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl RunOutput {
    pub(crate) fn new(output: Output) -> RunOutput {
        RunOutput {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// Checks the exit code; prints the output if it differs.
    #[track_caller]
    pub(crate) fn expect_exit(self, code: i32) -> RunOutput {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON on stdout.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}):\n{}", self.stdout))
    }
}

/// A small tenant of two past days with every unusual case.
pub(crate) fn small_tenant() -> TenantSpec {
    TenantSpec { days: 2, people: 30, meetings_per_day: 8, ..TenantSpec::default() }
}

/// The same tenant, whose last day is the day before yesterday: Feishu's own counts go back 90 days, and those of a day
/// exist on the morning after it.
#[expect(clippy::disallowed_methods, reason = "the simulator has the machine's clock")]
pub(crate) fn recent(spec: TenantSpec) -> TenantSpec {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    let days = jiff::Span::new().days(i64::from(spec.days) + 1);
    TenantSpec { first_day: today.checked_sub(days).expect("a date"), ..spec }
}

/// A small tenant of yesterday and today whose last meetings ended 20 minutes ago.
#[expect(clippy::disallowed_methods, reason = "edge: the program compares meeting ends with the machine's clock")]
pub(crate) fn recent_tenant() -> TenantSpec {
    let now = jiff::Timestamp::now().as_second();
    let today = jiff::Timestamp::from_second(now + 8 * 3600).expect("now").to_zoned(jiff::tz::TimeZone::UTC).date();
    let first_day = today.checked_sub(jiff::Span::new().days(1)).expect("yesterday");
    TenantSpec { first_day, ends_by: Some(now - 1200), ..small_tenant() }
}

/// Options without a rate limit.
pub(crate) fn unlimited() -> Options {
    let options = Options::default();
    Options { limit: Limit { calls: NO_LIMIT as _, ..options.limit }, ..options }
}

impl TestEnv {
    /// The small tenant without a rate limit.
    pub(crate) fn new() -> TestEnv {
        TestEnv::with(&small_tenant(), unlimited())
    }

    pub(crate) fn with(spec: &TenantSpec, options: Options) -> TestEnv {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let running = runtime.block_on(serve(Tenant::generate(spec), options)).expect("a simulator");
        // Files that tests put into a store are private, as the program makes them.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let instant = |seconds: i64| jiff::Timestamp::from_second(seconds).expect("an instant").to_string();
        TestEnv {
            runtime,
            running: Some(running),
            home: TempDir::new().expect("a folder"),
            since: instant(spec.start()),
            until: instant(spec.end()),
            ahead_s: 0,
        }
    }

    pub(crate) fn simulator(&self) -> &RunningServer {
        self.running.as_ref().expect("runs until the environment is dropped")
    }

    /// Requests to the three lists so far; token requests do not count.
    pub(crate) fn calls(&self) -> u64 {
        let stats = self.simulator().stats();
        LIST_ENDPOINTS.iter().map(|list| stats.calls(*list)).sum()
    }

    /// Changes the simulator's options while it runs.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Options)) {
        let mut options = self.simulator().options();
        change(&mut options);
        self.simulator().set_options(options);
    }

    /// Sets the simulator's faults, in the notation of `simulate --fault`.
    pub(crate) fn faults(&self, faults: &[&str]) {
        self.change(|options| options.faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect());
    }

    /// Moves the clocks of the simulator and of the program ahead, in seconds.
    pub(crate) fn advance_clocks(&mut self, by_s: i64) {
        self.ahead_s += by_s;
        self.change(|options| options.clock_ahead_s += by_s);
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.home.path().join("store")
    }

    /// The binary, without this machine's environment variables.
    pub(crate) fn vcq(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcq-etl"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("TMPDIR", self.home.path())
            .env("VCQ_BASE_URL", self.simulator().base_url())
            .env("VCQ_APP_ID", self.simulator().app_id())
            .env("VCQ_APP_SECRET", self.simulator().app_secret())
            .env("VCQ_STORE", self.store())
            .env("VCQ_CALLS_PER_MINUTE", "100000")
            .env("VCQ_BACKOFF_BASE", "5ms")
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        if self.ahead_s != 0 {
            move_clock(&mut command, self.ahead_s);
        }
        command
    }

    /// Arguments for the whole tenant's window.
    pub(crate) fn window(&self) -> [&str; 4] {
        ["--since", &self.since, "--until", &self.until]
    }

    /// A sync of the whole tenant with a JSON summary.
    pub(crate) fn sync_command(&self, more: &[&str]) -> Command {
        let mut arguments = vec!["sync", "--since", &self.since, "--until", &self.until, "--summary", "json"];
        arguments.extend(more);
        self.vcq(&arguments)
    }

    pub(crate) fn sync(&self, more: &[&str]) -> RunOutput {
        RunOutput::new(self.sync_command(more).output().expect("the binary runs"))
    }

    /// A plan of the whole tenant, as JSON.
    pub(crate) fn plan(&self, more: &[&str]) -> RunOutput {
        let mut arguments = vec!["plan", "--since", &self.since, "--until", &self.until, "--json"];
        arguments.extend(more);
        RunOutput::new(self.vcq(&arguments).output().expect("the binary runs"))
    }

    /// The store's status, as JSON.
    pub(crate) fn status(&self, more: &[&str]) -> RunOutput {
        let mut arguments = vec!["status", "--json"];
        arguments.extend(more);
        RunOutput::new(self.vcq(&arguments).output().expect("the binary runs"))
    }

    pub(crate) fn duckdb(&self) -> Connection {
        let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
        Connection::open_with_flags(self.store().join("vcq.duckdb"), config).expect("vcq.duckdb opens")
    }

    /// A number from the published database.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.duckdb().query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Every row of a query on the published database, see [`rows`].
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.duckdb(), sql)
    }

    pub(crate) fn manifest(&self) -> Value {
        let text = std::fs::read_to_string(self.store().join("parquet/_manifest.json")).expect("a manifest");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The files of the manifest that have a date. Those of `runs` and `meta` change with each publication.
    pub(crate) fn dated_files(&self) -> Vec<Value> {
        let mut files = self.manifest()["files"].as_array().cloned().expect("a list");
        files.retain(|file| !file["meeting_date"].is_null());
        files
    }
}

/// Every row of a query as text, columns separated by ` | `; NULL is empty.
pub(crate) fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let sql = format!("select columns(*)::varchar from ({sql})");
    let mut select = connection.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut rows = select.query([]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut lines = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        let columns = row.as_ref().column_count();
        let cells = (0..columns).map(|column| row.get::<_, Option<String>>(column).expect("text").unwrap_or_default());
        lines.push(cells.collect::<Vec<_>>().join(" | "));
    }
    lines
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.shutdown());
        }
    }
}
