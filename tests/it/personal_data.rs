//! Personal data: tenants with planted identifiers, and a search for them in every byte of a store.

use vcq_simulator::IdentifierKind;

use crate::support::baseline::print_progress;
use crate::support::byte_layers::unused_parts;
use crate::support::byte_scan::{Layer, Scanner};
use crate::support::masked::Aggregates;
use crate::support::planted_store::{
    ALSO, ALSO_DATED, PlantedStore, dated_scanner, first_person, large_tenant, medium_tenant, planted_env,
    small_old_tenant, small_tenant_of,
};
use crate::support::test_env::TestEnv;

/// A scan that finds nothing shows nothing: this one finds each kind, and something in each layer.
#[test]
fn the_scan_finds_ten_thousand_identifiers_in_every_layer() {
    let (env, scanner) = planted_env(&large_tenant(2), EVER);
    let mut full = PlantedStore::new(&env, "full", &[]);
    full.fill(&ALSO);
    full.write_outputs();
    let scan = full.scan(&scanner);
    print_progress(&scan.table("identity = full"));
    assert!(scan.total() >= 10_000, "{}", scan.total());
    let planted = env.simulator().tenant().identifiers();
    for kind in IdentifierKind::ALL {
        let (found, all) = (scan.count(*kind), planted.iter().filter(|one| one.kind == *kind).count());
        // Which texts errors have depends on what fails, and cameras of few are never on. An error page is followed by
        // another try, and is written only if that was the last.
        let least = match kind {
            IdentifierKind::ErrorPage => 0,
            IdentifierKind::Refusal => 1,
            _ => all * 9 / 10,
        };
        assert!(found >= least, "{kind:?}: {found} of {all}");
    }
    for layer in [
        Layer::RawHeader,
        Layer::RawLines,
        Layer::ParquetFile,
        Layer::ParquetFooter,
        Layer::ParquetDictionary,
        Layer::ParquetCell,
        Layer::SqliteFile,
        Layer::SqliteCell,
        Layer::DuckdbFile,
        Layer::DuckdbCell,
        Layer::Output,
        Layer::HtmlPage,
        Layer::Workbook,
    ] {
        assert!(scan.count_in(layer) > 0, "{layer:?}\n{}", scan.table("full"));
    }
}

/// Name, settings, and the kinds that stay.
pub(crate) type Mode = (&'static str, &'static [(&'static str, &'static str)], &'static [IdentifierKind]);

const PSEUDONYM: Mode = ("pseudonym", &[("VCQ_IDENTITY", "pseudonym")], &[IdentifierKind::Topic]);
const PSEUDONYM_WITHOUT_TOPICS: Mode =
    ("pseudonym, topics = drop", &[("VCQ_IDENTITY", "pseudonym"), ("VCQ_TOPICS", "drop")], &[]);
const NONE: Mode = ("none, topics = drop", &[("VCQ_IDENTITY", "none"), ("VCQ_TOPICS", "drop")], &[]);
pub(crate) const MODES: &[Mode] = &[PSEUDONYM, PSEUDONYM_WITHOUT_TOPICS, NONE];

/// Since when alerts look back.
pub(crate) const EVER: &str = "2020-01-01";
pub(crate) const LATELY: &str = "20d";
pub(crate) const TOPIC: &[IdentifierKind] = &[IdentifierKind::Topic];

#[track_caller]
pub(crate) fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

/// A store with full identities, what it answers, and the scanner for all identifiers of its tenant.
struct Full<'a> {
    store: PlantedStore<'a>,
    expected: Aggregates,
    scanner: &'a Scanner,
    /// Arguments of each sync.
    also: &'a [&'a str],
}

impl<'a> Full<'a> {
    fn new(env: &'a TestEnv, scanner: &'a Scanner, also: &'a [&'a str]) -> Full<'a> {
        let mut store = PlantedStore::new(env, "full", &[]);
        store.fill(also);
        Full { expected: store.aggregates(scanner), store, scanner, also }
    }

    /// Every number is the same in a store that is synced with a mode, and nothing identifies anybody.
    fn sync_with(&self, (name, settings, kept): Mode) -> Vec<String> {
        let mut store = PlantedStore::new(self.store.env, name, settings);
        store.fill(self.also);
        store.write_outputs();
        self.checked(&store, name, kept)
    }

    /// The same by a rebuild after the settings were changed.
    fn rebuild_with(&self, (name, settings, kept): Mode) -> Vec<String> {
        let name = format!("rebuilt with {name}");
        let mut store = self.store.copy(&name, settings);
        store.sync(&[], &[2]);
        store.run(&["rebuild"], &[0]);
        store.write_outputs();
        self.checked(&store, &name, kept)
    }

    /// The same after dates expired; `old` are their identifiers.
    fn expire(&self, old: &Scanner) -> Vec<String> {
        let mut store = self.store.copy("expired", EXPIRY);
        let mut problems = Vec::new();
        for arguments in [&["sync", "--since", "2d"][..], &["rebuild"]] {
            store.run(arguments, &[0]);
            store.write_outputs();
            problems.extend(unused_parts(&store.path));
            let of = format!("identity_days, {}", arguments[0]);
            problems.extend(store.check(&of, old, TOPIC));
            problems.extend(store.compare_some(&of, &self.expected, self.scanner));
        }
        problems.extend(store.compare("identity_days", &self.expected, self.scanner));
        // A response that is requested again is replaced too.
        store.sync(&[self.also, &["--refetch"]].concat(), &[0, 7]);
        store.forget_outputs();
        problems.extend(store.check("identity_days, requested again", old, TOPIC));
        problems
    }

    /// The same after one person was forgotten.
    fn forget(&self) -> Vec<String> {
        let (id, identifiers) = first_person(self.store.env);
        let person = Scanner::of_some(&identifiers);
        let before = self.store.scan(&person);
        assert!(before.total() * 10 >= identifiers.len() * 8, "{}", before.table("one person"));
        let mut store = self.store.copy("forgotten", &[]);
        store.run(&["forget", "--user", &id], &[2]);
        store.run(&["forget", "--user", &id, "--yes"], &[0]);
        // The command itself repeats what it was given.
        store.forget_outputs();
        let mut problems = unused_parts(&store.path);
        for arguments in [&["status"][..], &["rebuild"], &["sync", "--since", "2d"]] {
            store.run(arguments, &[0]);
            store.write_outputs();
            let of = format!("forget, {}", arguments[0]);
            problems.extend(store.check(&of, &person, &[]));
            problems.extend(store.compare_some(&of, &self.expected, self.scanner));
        }
        problems.extend(store.compare("forget", &self.expected, self.scanner));
        store.sync(&["--refetch"], &[0, 7]);
        problems.extend(store.check("forget, requested again", &person, &[]));
        assert!(store.scan(self.scanner).total() > identifiers.len(), "others are still there");
        problems
    }

    /// Pruned dates are gone; `dated` are their identifiers.
    fn prune(&self, dated: &Scanner) -> Vec<String> {
        let after_the_last = self.store.env.window()[3][..10].parse::<jiff::civil::Date>().expect("a date");
        let before = after_the_last.tomorrow().expect("a date").to_string();
        let mut store = self.store.copy("raw-only", &[]);
        store.run(&["prune", "--before", &before, "--raw-only", "--yes"], &[0]);
        let scan = store.scan(dated);
        assert!(scan.count_in(Layer::ParquetCell) > 0 && scan.count_in(Layer::RawLines) == 0, "{}", scan.table("raw"));
        let mut store = self.store.copy("pruned", &[]);
        store.run(&["prune", "--before", &before, "--yes"], &[0]);
        store.check("prune", dated, &[])
    }

    fn checked(&self, store: &PlantedStore<'_>, of: &str, kept: &[IdentifierKind]) -> Vec<String> {
        let mut problems = store.check(of, self.scanner, kept);
        problems.extend(store.compare(of, &self.expected, self.scanner));
        problems
    }
}

pub(crate) const EXPIRY: &[(&str, &str)] = &[("VCQ_IDENTITY_DAYS", "29")];

#[test]
fn other_modes_write_no_identifier_and_every_number_is_the_same() {
    let (env, scanner) = planted_env(&medium_tenant(), EVER);
    let full = Full::new(&env, &scanner, &ALSO);
    full.expected.assert_many();
    print_progress(&format!("{:?} answers and rows are compared", full.expected.size()));
    let mut problems = full.sync_with(NONE);
    problems.extend(full.sync_with(PSEUDONYM));
    problems.extend(full.rebuild_with(PSEUDONYM_WITHOUT_TOPICS));
    assert_none(&problems);
}

#[test]
fn identities_of_old_dates_are_gone_and_do_not_come_back() {
    let (env, scanner) = planted_env(&small_old_tenant(), LATELY);
    assert_none(&Full::new(&env, &scanner, &ALSO_DATED).expire(&dated_scanner(&env)));
}

#[test]
fn the_old_dates_of_pages_that_span_the_limit_are_gone_and_the_others_stay() {
    let (env, scanner) = planted_env(&small_tenant_of(32, 5), LATELY);
    let full = Full::new(&env, &scanner, &ALSO_DATED);
    let old = Scanner::of_some(&env.simulator().tenant().identifiers_of_days(2));
    let before = full.store.scan(&old);
    assert!(before.total() > 50, "{}", before.table("two days"));
    let mut store = full.store.copy("expired", EXPIRY);
    store.run(&["sync", "--since", "2d"], &[0]);
    let mut problems = store.check("two of five days", &old, &[]);
    problems.extend(unused_parts(&store.path));
    // Rows of each date are the same; a person has another name on each side of the limit.
    let differences = store.compare("two of five days", &full.expected, &scanner);
    problems.extend(differences.into_iter().filter(|text| !text.contains(": report ")));
    assert_none(&problems);
    let scan = store.scan(&scanner);
    for kind in [IdentifierKind::Email, IdentifierKind::UnknownField, IdentifierKind::Address] {
        assert!(scan.count(kind) > 0, "{kind:?} of the last days");
    }
}

#[test]
fn a_forgotten_person_is_nowhere_and_does_not_come_back() {
    let (env, scanner) = planted_env(&small_old_tenant(), EVER);
    assert_none(&Full::new(&env, &scanner, &ALSO).forget());
}

#[test]
fn pruned_dates_are_gone_from_every_layer() {
    let (env, scanner) = planted_env(&small_old_tenant(), LATELY);
    assert_none(&Full::new(&env, &scanner, &ALSO_DATED).prune(&dated_scanner(&env)));
}

#[test]
#[ignore = "many minutes: make test-privacy"]
fn every_operation_on_ten_thousand_identifiers() {
    let (env, scanner) = planted_env(&large_tenant(32), LATELY);
    let full = Full::new(&env, &scanner, &ALSO_DATED);
    print_progress(&full.store.scan(&scanner).table("identity = full"));
    let mut problems = Vec::new();
    for mode in MODES {
        problems.extend(full.sync_with(*mode));
        problems.extend(full.rebuild_with(*mode));
    }
    let dated = dated_scanner(&env);
    problems.extend(full.expire(&dated));
    problems.extend(full.forget());
    problems.extend(full.prune(&dated));
    assert_none(&problems);
}
