//! `--tenants`: a process for each tenant, whatever becomes of the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vcq_simulator::{Endpoint, RunningServer, Tenant, TenantSpec, serve};

use crate::support::measured::measured;
use crate::support::test_env::{RunOutput, unlimited};
use crate::support::test_store::tiny_tenant;

/// A running simulator for each tenant, and a home directory with a `vcq.toml` that names them.
struct Tenants {
    runtime: Runtime,
    servers: BTreeMap<String, RunningServer>,
    home: TempDir,
}

impl Tenants {
    fn new(names: &[&str], spec: &TenantSpec) -> Tenants {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let server = |(seed, name): (usize, &&str)| {
            let spec = TenantSpec { seed: spec.seed + seed as u64, ..spec.clone() };
            let running = runtime.block_on(serve(Tenant::generate(&spec), unlimited())).expect("a simulator");
            ((*name).to_owned(), running)
        };
        let servers = names.iter().enumerate().map(server).collect();
        let tenants = Tenants { runtime, servers, home: TempDir::new().expect("a folder") };
        tenants.write_settings("");
        tenants
    }

    /// Writes `vcq.toml`, with `more` at its end.
    fn write_settings(&self, more: &str) {
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let mut text = "calls_per_minute = 100000\nbackoff_base = '5ms'\n".to_owned();
        for (name, server) in &self.servers {
            fs::write(self.home.path().join(format!("{name}.secret")), server.app_secret()).expect("written");
            text.push_str(&format!(
                "[tenants.{name}]\nstore = 'stores/{name}'\nbase_url = '{}'\napp_id = '{}'\n\
                 app_secret_file = '{name}.secret'\n",
                server.base_url(),
                server.app_id()
            ));
        }
        fs::write(self.home.path().join("vcq.toml"), text + more).expect("written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcq-etl"));
        command.args(arguments).env_clear().env("HOME", self.home.path()).env("TMPDIR", self.home.path());
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> RunOutput {
        RunOutput::new(self.command(arguments).output().expect("the binary runs"))
    }

    fn sync(&self, more: &[&str]) -> Child {
        let mut arguments = vec!["sync", "--since", "2026-11-01", "--until", "2026-11-15"];
        arguments.extend(more);
        let mut command = self.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
    }

    /// Requests to a list stay without an answer.
    fn stall(&self, name: &str, list: Endpoint, is_on: bool) {
        let mut options = self.servers[name].options();
        let fault = || format!("{list}:stall").parse().expect("a fault");
        options.faults = is_on.then(fault).into_iter().collect();
        self.servers[name].set_options(options);
    }
}

impl Drop for Tenants {
    fn drop(&mut self) {
        for (_, server) in std::mem::take(&mut self.servers) {
            self.runtime.block_on(server.shutdown());
        }
    }
}

/// The lines of JSON by tenant.
#[track_caller]
fn by_tenant(stdout: &str) -> BTreeMap<String, Value> {
    let lines = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let named = lines.map(|line| (line["tenant"].as_str().expect("a name").to_owned(), line));
    let all: Vec<_> = named.collect();
    let count = all.len();
    let found = BTreeMap::from_iter(all);
    assert_eq!(found.len(), count, "one line for each tenant:\n{stdout}");
    found
}

/// The processes that a process has started and that have not ended, with their command lines.
fn children(parent: u32) -> Vec<(i32, String)> {
    let processes = fs::read_dir("/proc").expect("Linux").filter_map(|entry| {
        let folder = entry.ok()?.path();
        let pid: i32 = folder.file_name()?.to_str()?.parse().ok()?;
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let is_child =
            status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|id| id.trim() == parent.to_string()));
        let words = fs::read(folder.join("cmdline")).ok()?;
        (is_child && !words.is_empty()).then(|| (pid, String::from_utf8_lossy(&words).replace('\0', " ")))
    });
    processes.collect()
}

/// Waits until the process of a tenant has made its first request to a list.
#[track_caller]
fn stalled(tenants: &Tenants, parent: &Child, name: &str, list: Endpoint) -> i32 {
    let began = Instant::now();
    loop {
        let flag = format!("--tenant {name} ");
        let found = children(parent.id()).into_iter().find(|(_, words)| words.contains(&flag));
        let asks = tenants.servers[name].stats().calls(list) > 0;
        match found {
            Some((pid, _)) if asks => return pid,
            _ => assert!(began.elapsed() < Duration::from_secs(120), "{name} makes no requests"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process"), signal).expect("it is there");
}

#[test]
fn each_tenant_has_a_line_whatever_becomes_of_the_others() {
    let tenants = Tenants::new(&["a", "b", "killed", "refused"], &tiny_tenant());
    fs::write(tenants.home.path().join("refused.secret"), "another-secret").expect("written");
    tenants.stall("killed", Endpoint::ParticipantQualityList, true);
    let parent = tenants.sync(&["--tenants", "all", "--jobs", "2"]);
    let pid = stalled(&tenants, &parent, "killed", Endpoint::ParticipantQualityList);
    let secret = tenants.servers["killed"].app_secret();
    for name in ["cmdline", "environ"] {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).expect("readable");
        assert!(!String::from_utf8_lossy(&bytes).contains(&secret), "the secret is in {name}");
    }
    kill(pid, Signal::KILL);
    let ran = RunOutput::new(parent.wait_with_output().expect("ends")).expect_exit(1);
    let lines = by_tenant(&ran.stdout);
    assert_eq!(lines.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "killed", "refused"]);
    let codes: Vec<_> = lines.values().map(|line| line["exit_code"].as_i64().expect("a number")).collect();
    assert_eq!(codes, [0, 0, 1, 3], "{}", ran.stderr);
    let message = lines["killed"]["error"]["message"].as_str().expect("text");
    assert_eq!(message, "tenant killed: its process was ended by signal 9");
    assert!(lines["a"]["samples"].as_u64() > Some(0) && lines["a"]["run_id"] != lines["b"]["run_id"]);
    assert!(lines["refused"]["by_status"].is_object() && lines["killed"]["by_status"].is_object(), "all keys");
    for text in ["tenant a (", "refused: error: ", "4 tenants in ", "complete 2"] {
        assert!(ran.stderr.contains(text), "{text:?} is missing in:\n{}", ran.stderr);
    }

    // The next run resumes; one that names some of them leaves the others alone.
    tenants.stall("killed", Endpoint::ParticipantQualityList, false);
    let ran = RunOutput::new(tenants.sync(&["--tenants", "killed, b", "-q"]).wait_with_output().expect("ends"));
    let lines = by_tenant(&ran.expect_exit(0).stdout);
    assert_eq!(lines.len(), 2);
    assert!(lines["killed"]["samples"].as_u64() > Some(0));

    let ran = tenants.run(&["status", "--tenants", "all", "--json"]).expect_exit(0);
    assert!(by_tenant(&ran.stdout)["a"]["published"]["generation"].as_u64() > Some(0), "{}", ran.stdout);
    let ran = tenants.run(&["status", "--tenants", "all"]).expect_exit(0);
    let table: Vec<&str> = ran.stdout.lines().filter(|line| !line.trim().is_empty()).collect();
    let row = |name: &str| {
        table.iter().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{}", ran.stdout))
    };
    assert!(row("a ").contains(" ago") && row("refused ").contains("never"), "{}", ran.stdout);
    let ran = tenants.run(&["doctor", "--tenants", "a,refused"]).expect_exit(3);
    assert!(ran.stdout.lines().any(|line| line.contains("refused") && line.contains("failed")), "{}", ran.stdout);
    let ran = tenants.run(&["doctor", "--tenants", "a,refused", "--json", "-q"]).expect_exit(3);
    let lines = by_tenant(&ran.stdout);
    assert_eq!((&lines["a"]["ok"], &lines["refused"]["ok"]), (&true.into(), &false.into()));

    let rule = "[channels.out]\nkind = 'command'\ncommand = ['cat']\n\
                [[alerts]]\nname = 'any'\nreport = 'coverage'\nto = ['out']\n";
    tenants.write_settings(&format!("{rule}[tenants.none]\nstore = 'stores/none'\nalerts = []\n"));
    let ran = tenants.run(&["alert", "check", "--dry-run", "--tenants", "a,none"]).expect_exit(2);
    assert!(ran.stdout.contains("a\n") && ran.stdout.contains("coverage"), "{}", ran.stdout);
    assert!(ran.stderr.contains("none: error: no alert rule is configured"), "{}", ran.stderr);
}

#[test]
fn a_signal_reaches_every_process_and_the_run_waits_for_them() {
    let tenants = Tenants::new(&["a", "b", "c"], &tiny_tenant());
    tenants.servers.keys().for_each(|name| tenants.stall(name, Endpoint::MeetingList, true));
    let parent = tenants.sync(&["--tenants", "all", "--jobs", "2"]);
    let pids = ["a", "b"].map(|name| stalled(&tenants, &parent, name, Endpoint::MeetingList));
    let began = Instant::now();
    kill(parent.id() as i32, Signal::TERM);
    let ran = RunOutput::new(parent.wait_with_output().expect("ends")).expect_exit(143);
    assert!(began.elapsed() < Duration::from_secs(14), "it took {:?}", began.elapsed());
    assert!(pids.iter().all(|pid| !fs::exists(format!("/proc/{pid}")).expect("Linux")), "a process is left");
    let lines = by_tenant(&ran.stdout);
    assert!(lines.values().all(|line| line["exit_code"] == 143), "{}", ran.stdout);
    assert!(["a", "b"].iter().all(|name| lines[*name]["run_id"].is_string()), "{}", ran.stdout);
    assert_eq!(lines["c"]["error"]["message"], "tenant c: not started");
}

#[test]
fn a_flag_that_is_for_one_tenant_is_refused_for_many() {
    let tenants = Tenants::new(&["a"], &tiny_tenant());
    let refused = |arguments: &[&str], message: &str| {
        let ran = tenants.run(arguments).expect_exit(2);
        assert!(ran.stderr.contains(message) && ran.stdout.is_empty(), "{}", ran.stderr);
    };
    refused(&["status", "--tenants", "all", "--store", "x"], "--store and --tenants cannot be used together");
    refused(&["status", "--tenants", "all", "--tenant", "a"], "--tenant and --tenants cannot be used together");
    refused(&["status", "--tenants", "b"], "--tenants: there is no tenant \"b\"");
    refused(&["status", "--tenants", ","], "--tenants is empty");
    refused(&["status", "--jobs", "3"], "--tenants");
    let sync = ["sync", "--since", "2d", "--tenants", "all"];
    refused(&[&sync[..], &["--summary", "text"]].concat(), "--summary text and --tenants cannot be used together");
    refused(&[&sync[..], &["--events", "-"]].concat(), "--events and --tenants cannot be used together");
    fs::write(tenants.home.path().join("vcq.toml"), "threads = 1\n").expect("written");
    refused(&["status", "--tenants", "all"], "the configuration file has no tenants");
}

#[test]
#[ignore = "minutes; make test-tenants"]
#[expect(clippy::print_stdout, reason = "the figures are what this test is run for")]
fn many_tenants_with_kills() {
    const KILLS: usize = 5;
    let count: usize = std::env::var("TENANTS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let jobs = std::env::var("JOBS").unwrap_or_else(|_| "4".to_owned());
    let names: Vec<String> = (0..count).map(|number| format!("t{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let tenants = Tenants::new(&names, &tiny_tenant());
    let run = |label: &str, arguments: &[&str], kills: usize| {
        let started = match arguments {
            ["sync"] => tenants.sync(&["--tenants", "all", "--jobs", &jobs]),
            _ => tenants.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts"),
        };
        let watched = |parent| children(parent).into_iter().map(|(pid, _)| pid).collect();
        let measured = measured(started, watched, |parent| {
            for _ in 0..kills {
                std::thread::sleep(Duration::from_millis(1500));
                if let Some((pid, _)) = children(parent).first() {
                    let _ = kill_process(Pid::from_raw(*pid).expect("a process"), Signal::KILL);
                }
            }
        });
        let (peaks, count) = (&measured.peaks_kib, count as f64);
        println!(
            "{label}: {count} tenants, {jobs} at once, {:.0} s; a tenant: {:.2} CPU s, peak memory {:.0} MB on average, \
             {:.0} MB at most",
            measured.wall_s,
            measured.cpu_s / count,
            peaks.iter().sum::<u64>() as f64 / peaks.len().max(1) as f64 / 1024.0,
            peaks.iter().max().copied().unwrap_or_default() as f64 / 1024.0
        );
        measured.ran
    };
    let ran = run("first sync, with kills", &["sync"], KILLS);
    let lines = by_tenant(&ran.stdout);
    assert_eq!(lines.len(), count);
    let killed = lines.values().filter(|line| line["exit_code"] == 1).count();
    assert!((1..=KILLS).contains(&killed), "{killed} were killed");
    assert_eq!(ran.code, Some(1));
    let lines = by_tenant(&run("second sync, nothing new", &["sync"], 0).expect_exit(0).stdout);
    assert!(lines.values().all(|line| line["exit_code"] == 0 && line["by_status"]["pending"] == 0));
    let status = run("status", &["status", "--tenants", "all", "--json", "--jobs", &jobs], 0).expect_exit(0);
    let complete = |line: &Value| line["last_complete"].is_object();
    assert!(by_tenant(&status.stdout).values().all(complete), "every tenant is complete");
    let sizes: Vec<PathBuf> = names.iter().map(|name| tenants.home.path().join("stores").join(name)).collect();
    let bytes: u64 = sizes.iter().map(|store| size(store)).sum();
    println!("a store: {:.1} MB", bytes as f64 / count as f64 / 1e6);
}

fn size(path: &std::path::Path) -> u64 {
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { size(&path) } else { path.metadata().map_or(0, |found| found.len()) }).sum()
}
