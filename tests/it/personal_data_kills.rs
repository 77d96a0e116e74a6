//! Personal data is replaced while the program is killed at random file operations; and what each operation costs.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use vcq_simulator::{IdentifierKind, TenantSpec};

use crate::personal_data::{EVER, EXPIRY, LATELY, MODES, TOPIC, assert_none};
use crate::support::baseline::print_progress;
use crate::support::byte_scan::{Layer, Scan, Scanner};
use crate::support::fault_injection::{self, Action, Fault};
use crate::support::masked::Aggregates;
use crate::support::planted_store::{
    ALSO_DATED, PlantedStore, dated_scanner, first_person, large_tenant, planted_env, small_old_tenant,
};
use crate::support::test_env::{RunOutput, TestEnv, rows};

/// An operation that replaces or removes identities.
struct Operation {
    name: &'static str,
    settings: &'static [(&'static str, &'static str)],
    arguments: Vec<String>,
    /// Finds what it replaces.
    scanner: Scanner,
    kept: &'static [IdentifierKind],
}

impl Operation {
    fn expiry(env: &TestEnv) -> Operation {
        let arguments = ["sync", "--since", "2d"].map(str::to_owned).to_vec();
        Operation { name: "identity_days", settings: EXPIRY, arguments, scanner: dated_scanner(env), kept: TOPIC }
    }

    fn forget(env: &TestEnv) -> Operation {
        let (id, identifiers) = first_person(env);
        let arguments = ["forget", "--user", &id, "--yes"].map(str::to_owned).to_vec();
        Operation { name: "forget", settings: &[], arguments, scanner: Scanner::of_some(&identifiers), kept: &[] }
    }

    /// Of the first of two days.
    fn prune(env: &TestEnv) -> Operation {
        let last_day = env.window()[3][..10].to_owned();
        let arguments = ["prune", "--before", &last_day, "--yes"].map(str::to_owned).to_vec();
        let scanner = Scanner::of_some(&env.simulator().tenant().identifiers_of_days(1));
        Operation { name: "prune", settings: &[], arguments, scanner, kept: &[] }
    }
}

/// Kills the operation at random file operations, each time on a new copy of the store. After each, what is published
/// is whole, and the next run finishes. Returns the number of runs that died.
#[track_caller]
fn kill_at_random(of: fn(&TestEnv) -> Operation, kills: usize, seed: u64) -> usize {
    let (env, all) = planted_env(&small_old_tenant(), LATELY);
    let mut full = PlantedStore::new(&env, "full", &[]);
    full.fill(&ALSO_DATED);
    let of = of(&env);
    let arguments: Vec<&str> = of.arguments.iter().map(String::as_str).collect();
    let log = env.home().join("operations");
    let run = |store: &PlantedStore<'_>, fault: Option<&Fault>| {
        let _ = std::fs::remove_file(&log);
        let mut command = store.command(&arguments);
        command.env("VCQ_THREADS", "1");
        let path = store.path.canonicalize().expect("is there");
        fault_injection::preload(&mut command, &path, Some(&log), fault);
        RunOutput::new(command.output().expect("the binary runs"))
    };
    let undisturbed = full.copy("undisturbed", of.settings);
    run(&undisturbed, None).expect_exit(0);
    let expected = Aggregates::read_some(&all, &undisturbed.path);
    let is_prune = of.name == "prune";
    if !is_prune {
        assert_none(&full.compare_some(of.name, &expected, &all));
    }
    let count = fault_injection::operations(&log, &undisturbed.path).len();
    let states = [people_by_date(&full, &of), people_by_date(&undisturbed, &of)];
    undisturbed.remove();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut died = 0;
    for kill in 0..kills {
        let action = [Action::Kill, Action::KillAfter, Action::KillMidWrite][kill % 3];
        let at = random.random_range(1..=count);
        let name = format!("{}, seed {seed}, {action:?} at operation {at} of {count}", of.name);
        let mut store = full.copy("killed", of.settings);
        died += usize::from(run(&store, Some(&Fault::at(action, at))).code.is_none());
        // Each date is as before or done.
        let published = people_by_date(&store, &of);
        for (date, people) in &published {
            let is_known = states.iter().any(|state| state.get(date) == Some(people));
            assert!(is_known, "{name}: {date}: {people:?}, not as in {states:?}");
        }
        assert!(is_prune || published.len() == states[0].len(), "{name}: {published:?}");
        // Any command that publishes finishes what was begun; what was not begun is run again.
        store.run(&["sync", "--since", "2d"], &[0]);
        if of.settings.is_empty() {
            store.run(&arguments, &[0, 2]);
        }
        store.forget_outputs();
        let mut problems = store.scan(&of.scanner).leaks(of.kept);
        problems.extend(store.compare_some(&name, &expected, &all));
        // It takes longer than the rest.
        if kill % 10 == 0 {
            problems.extend(store.check(&name, &of.scanner, of.kept));
        }
        assert!(problems.is_empty(), "{name}: {}", problems.join("\n"));
        store.remove();
    }
    print_progress(&format!("{}: {kills} kills at {count} file operations, {died} hit", of.name));
    died
}

/// Of each published date: rows of participants, people who can be identified and people with tokens.
fn people_by_date(store: &PlantedStore<'_>, of: &Operation) -> BTreeMap<String, [usize; 3]> {
    let connection = duckdb::Connection::open_in_memory().expect("DuckDB");
    let attach = format!("attach '{}' as s (read_only)", store.path.join("vcq.duckdb").display());
    connection.execute_batch(&attach).expect("opens");
    let select = "select meeting_date, count(*),
                      string_agg(distinct coalesce(email, '') || ' ' || coalesce(user_id, ''), ' ')
                  from s.participants group by all";
    let of_date = |row: String| {
        let [date, rows, people] = row.splitn(3, " | ").collect::<Vec<_>>().try_into().expect("three columns");
        let mut scan = Scan::default();
        of.scanner.scan(&mut scan, Layer::DuckdbCell, date, people.as_bytes());
        let tokens = people.matches("@pseudonym.invalid").count();
        (date.to_owned(), [rows.parse().expect("a number"), scan.total(), tokens])
    };
    rows(&connection, select).into_iter().map(of_date).collect()
}

#[test]
fn a_kill_while_identities_expire_leaves_each_date_before_or_done() {
    assert!(kill_at_random(Operation::expiry, 4, 20_261_127) > 0);
}

#[test]
fn a_kill_while_a_person_is_forgotten_leaves_each_date_before_or_done() {
    assert!(kill_at_random(Operation::forget, 4, 20_261_127) > 0);
}

#[test]
#[ignore = "many minutes: make test-privacy"]
fn a_hundred_kills_while_identities_expire() {
    assert!(kill_at_random(Operation::expiry, 100, 1) >= 90);
}

#[test]
#[ignore = "many minutes: make test-privacy"]
fn a_hundred_kills_while_a_person_is_forgotten() {
    assert!(kill_at_random(Operation::forget, 100, 1) >= 90);
}

#[test]
#[ignore = "many minutes: make test-privacy"]
fn fifty_kills_while_a_date_is_removed() {
    assert!(kill_at_random(Operation::prune, 50, 1) >= 45);
}

/// CPU seconds of the processes that this one has waited for.
fn cpu_of_children_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields = stat.rsplit(") ").next().expect("fields").split(' ');
    let ticks: u64 = fields.skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    ticks as f64 / 100.0
}

#[test]
#[ignore = "some minutes: make test-privacy"]
fn cost_of_each_operation() {
    let spec = TenantSpec { people: 300, meetings_per_day: 60, ..large_tenant(32) };
    let (env, _) = planted_env(&spec, EVER);
    let cost = |what: &str, store: &mut PlantedStore<'_>, arguments: &[&str]| {
        let (began, cpu) = (Instant::now(), cpu_of_children_s());
        store.run(arguments, &[0, 7]);
        let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_of_children_s() - cpu);
        let samples = env.simulator().tenant().totals().samples as f64 / 1e6;
        let (wall, cpu) = (wall / samples, cpu / samples);
        print_progress(&format!("{what:28} {wall:7.1} s, {cpu:7.1} CPU s per million samples"));
    };
    let sync = [&["sync"][..], &env.window()].concat();
    let mut full = PlantedStore::new(&env, "full", &[]);
    cost("sync, full", &mut full, &sync);
    for (name, settings, _) in MODES {
        cost(&format!("sync, {name}"), &mut PlantedStore::new(&env, name, settings), &sync);
        let mut changed = full.copy("changed", settings);
        cost(&format!("rebuild to {name}"), &mut changed, &["rebuild"]);
        changed.remove();
    }
    let (id, _) = first_person(&env);
    let last = spec.first_day.saturating_add(jiff::Span::new().days(13)).to_string();
    cost("rebuild, full", &mut full.copy("rebuilt", &[]), &["rebuild"]);
    cost("identity_days, all dates", &mut full.copy("expired", EXPIRY), &["sync", "--since", "2d"]);
    cost("forget, one person", &mut full.copy("forgotten", &[]), &["forget", "--user", &id, "--yes"]);
    cost("prune, all dates but one", &mut full.copy("pruned", &[]), &["prune", "--before", &last, "--yes"]);
    cost("verify --deep", &mut full, &["verify", "--deep"]);
}
