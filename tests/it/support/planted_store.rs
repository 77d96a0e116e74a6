//! A store of a tenant with planted identifiers, everything that commands print and write about it, and what a scan of
//! all of it finds.

use std::path::PathBuf;
use std::process::Command;

use vcq_simulator::{Identifier, IdentifierKind, Options, TenantSpec};

use super::baseline::print_progress;
use super::byte_layers::{scan_output, scan_store};
use super::byte_scan::{Layer, Scan, Scanner};
use super::masked::Aggregates;
use super::test_env::{RunOutput, TestEnv, recent, unlimited};
use super::test_store::{copy_folder, files_below};

pub(crate) const ALSO: [&str; 2] = ["--also", "rooms,room_alerts,reservations,census"];
/// Without rooms, which are those of the day on which they are requested.
pub(crate) const ALSO_DATED: [&str; 2] = ["--also", "room_alerts,reservations,census"];

/// More than ten thousand identifiers.
pub(crate) fn large_tenant(last_day_days_ago: u32) -> TenantSpec {
    planted(last_day_days_ago, TenantSpec { days: 14, people: 160, meetings_per_day: 28, ..TenantSpec::default() })
}

/// Enough that nearly every report has rows.
pub(crate) fn medium_tenant() -> TenantSpec {
    planted(2, TenantSpec { days: 8, people: 60, meetings_per_day: 9, ..TenantSpec::default() })
}

/// A few meetings of each kind on some days, the first of them this many days ago.
pub(crate) fn small_tenant_of(days_ago: u32, days: u32) -> TenantSpec {
    let spec = TenantSpec { days, people: 14, meetings_per_day: 3, ..TenantSpec::default() };
    planted(days_ago + 1 - days, spec)
}

/// More than 29 days ago.
pub(crate) fn small_old_tenant() -> TenantSpec {
    small_tenant_of(43, 2)
}

/// The tenant with identifiers, whose last day is this many days ago.
fn planted(last_day_days_ago: u32, spec: TenantSpec) -> TenantSpec {
    let recent = recent(TenantSpec { planted_identifiers: true, ..spec });
    // The last day of that one is the day before yesterday.
    let back = jiff::Span::new().days(i64::from(last_day_days_ago) - 2);
    TenantSpec { first_day: recent.first_day.saturating_sub(back), ..recent }
}

/// A rule whose messages cannot be delivered, so that they stay in the ledger.
const ALERTS: &str = "\
[[alerts]]
name = 'people'
report = 'worst-participants'
since = 'SINCE'
to = ['nowhere']

[channels.nowhere]
kind = 'command'
command = ['/bin/false']
";

/// A simulator of the tenant, and the scanner for its identifiers. Alerts are about meetings since a day.
pub(crate) fn planted_env(spec: &TenantSpec, alerts_since: &str) -> (TestEnv, Scanner) {
    let env = TestEnv::with(spec, Options { log_capacity: 0, ..unlimited() });
    std::fs::write(env.home().join("vcq.toml"), ALERTS.replace("SINCE", alerts_since)).expect("written");
    let scanner = Scanner::new(&searched(&env));
    (env, scanner)
}

/// The tenant's identifiers without the address that the comments of the views have as an example.
fn searched(env: &TestEnv) -> Vec<Identifier> {
    let mut identifiers = env.simulator().tenant().identifiers();
    identifiers.retain(|identifier| identifier.text != "10.11.3.175");
    identifiers
}

/// The scanner for what old dates have: without the identifiers that every response has, also those of today.
pub(crate) fn dated_scanner(env: &TestEnv) -> Scanner {
    let mut identifiers = searched(env);
    identifiers.retain(|identifier| !identifier.text.starts_with("Zqvxju9999"));
    Scanner::of_some(&identifiers)
}

/// A store and the outputs of the commands that ran on it.
pub(crate) struct PlantedStore<'a> {
    pub env: &'a TestEnv,
    pub path: PathBuf,
    /// Environment variables of the commands.
    pub settings: Vec<(&'static str, &'static str)>,
    outputs: Vec<(Layer, String, Vec<u8>)>,
}

impl<'a> PlantedStore<'a> {
    /// A store that is not there yet.
    pub(crate) fn new(env: &'a TestEnv, name: &str, settings: &[(&'static str, &'static str)]) -> PlantedStore<'a> {
        PlantedStore { env, path: env.home().join(name), settings: settings.to_vec(), outputs: Vec::new() }
    }

    /// A copy of the files, with other settings.
    pub(crate) fn copy(&self, name: &str, settings: &[(&'static str, &'static str)]) -> PlantedStore<'a> {
        let copy = PlantedStore::new(self.env, name, settings);
        copy_folder(&self.path, &copy.path);
        copy
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.env.vcq(arguments);
        command.env("VCQ_STORE", &self.path).env("VCQ_LOG_LEVEL", "debug").env("VCQ_MAX_TRIES", "2");
        command.envs(self.settings.iter().copied());
        command
    }

    /// Runs a command and keeps its output for the scan.
    #[track_caller]
    pub(crate) fn run(&mut self, arguments: &[&str], codes: &[i32]) -> RunOutput {
        let ran = RunOutput::new(self.command(arguments).output().expect("the binary runs"));
        if !ran.code.is_some_and(|code| codes.contains(&code)) {
            return ran.expect_exit(codes[0]);
        }
        for text in [&ran.stdout, &ran.stderr] {
            self.outputs.push((Layer::Output, arguments.join(" "), text.clone().into_bytes()));
        }
        ran
    }

    #[track_caller]
    pub(crate) fn sync(&mut self, more: &[&str], codes: &[i32]) {
        let window = self.env.window();
        self.run(&[&["sync"], &window[..], more].concat(), codes);
    }

    /// Syncs everything: a part of the meetings from events; first with responses that are errors, then without.
    #[track_caller]
    pub(crate) fn fill(&mut self, also: &[&str]) {
        let events = self.env.simulator().tenant().ended_events();
        let events = events[..events.len() / 4].join("\n");
        std::fs::write(self.env.home().join("events.ndjson"), events).expect("written");
        self.env.faults(&[
            "participant_quality_list:html@share=0.04",
            "participant_quality_list:code=121001@share=0.08",
            "room_alerts:not-json@first=1",
        ]);
        self.sync(&[also, &["--events", "events.ndjson", "--summary", "json"]].concat(), &[0, 7]);
        self.env.faults(&[]);
        // A participant without any readable item counts as a failure once.
        self.sync(also, &[0, 7]);
        // Which days a run covered is in the report coverage: the same days as after later runs.
        self.run(&["sync", "--since", "2d"], &[0, 7]);
    }

    /// Runs the commands that write what people read.
    #[track_caller]
    pub(crate) fn write_outputs(&mut self) {
        for arguments in [&["status"][..], &["plan", "--since", "30d"], &["alert", "history"], &["verify"]] {
            self.run(arguments, &[0]);
        }
        for (name, layer) in [("page.html", Layer::HtmlPage), ("people.xlsx", Layer::Workbook)] {
            let file = self.path.with_extension(name);
            let out = file.to_str().expect("text").to_owned();
            let day = self.env.window()[3][..10].to_owned();
            match layer {
                Layer::HtmlPage => {
                    self.run(&["report", "html", "--period", "month", "--date", &day, "--out", &out], &[0])
                }
                _ => self.run(&["report", "run", "worst-participants", "--since", "all", "--out", &out], &[0]),
            };
            self.outputs.push((layer, name.to_owned(), std::fs::read(&file).expect("written")));
        }
        self.run(&["report", "run", "worst-participants", "--since", "all"], &[0]);
        self.run(&["query", "from participants limit 50", "--format", "csv"], &[0]);
    }

    /// The commands before this are of another time, such as before an operation.
    pub(crate) fn forget_outputs(&mut self) {
        self.outputs.clear();
    }

    /// Scans the store, what the commands wrote, and what they left in the home folder.
    pub(crate) fn scan(&self, scanner: &Scanner) -> Scan {
        let mut scan = scan_store(scanner, &self.path);
        for (layer, place, bytes) in &self.outputs {
            scan_output(scanner, &mut scan, *layer, place, bytes);
        }
        for file in files_below(&self.env.home().join(".local")) {
            scan_output(scanner, &mut scan, Layer::OtherFile, "home", &std::fs::read(&file).expect("read"));
        }
        scan
    }

    pub(crate) fn aggregates(&self, scanner: &Scanner) -> Aggregates {
        Aggregates::read(scanner, &self.path)
    }

    /// Scans everything and verifies the store. Returns what is wrong, such as an identifier that is not of the `kept`
    /// kinds.
    #[track_caller]
    pub(crate) fn check(&self, of: &str, scanner: &Scanner, kept: &[IdentifierKind]) -> Vec<String> {
        let scan = self.scan(scanner);
        let mut problems = scan.leaks(kept);
        if !problems.is_empty() {
            problems.push(scan.table(of));
        }
        let verify = RunOutput::new(self.command(&["verify", "--deep"]).output().expect("the binary runs"));
        if verify.code != Some(0) {
            problems.push(format!("verify --deep: {:?} {}{}", verify.code, verify.stdout, verify.stderr));
        }
        print_progress(&format!("{of}: {} identifiers in {} bytes", scan.total(), scan.bytes.values().sum::<u64>()));
        problems.iter().map(|problem| format!("{of}: {problem}")).collect()
    }

    /// How the reports and columns differ from `expected`.
    pub(crate) fn compare(&self, of: &str, expected: &Aggregates, all: &Scanner) -> Vec<String> {
        self.differences(of, expected, &self.aggregates(all))
    }

    /// The same for some of the reports.
    pub(crate) fn compare_some(&self, of: &str, expected: &Aggregates, all: &Scanner) -> Vec<String> {
        self.differences(of, expected, &Aggregates::read_some(all, &self.path))
    }

    fn differences(&self, of: &str, expected: &Aggregates, found: &Aggregates) -> Vec<String> {
        let nulls = self.settings.iter().any(|(_, value)| matches!(*value, "none" | "drop"));
        let differences = expected.differences(found, nulls);
        differences.iter().map(|difference| format!("{of}: {difference}")).collect()
    }

    pub(crate) fn remove(self) {
        std::fs::remove_dir_all(&self.path).expect("removed");
    }
}

/// The ID of the first person, who is also the contact of alarms and of a closed room, and all of the person's
/// identifiers.
pub(crate) fn first_person(env: &TestEnv) -> (String, Vec<Identifier>) {
    let identifiers = env.simulator().tenant().identifiers_of(0);
    let id = identifiers.iter().find(|identifier| identifier.kind == IdentifierKind::UserId).expect("an ID");
    (id.text.clone(), identifiers)
}
