//! `buildings import` and `buildings check`, and errors in building files.

use std::fs;
use std::path::PathBuf;

use vcq_etl::{Lock, StorePaths};

use crate::support::test_env::{RunOutput, TestEnv};

/// Two of the simulator's buildings, a floor of one of them, an unused network, and a shop behind a home router.
const OFFICES: &str = "\
cidr,building,floor,city,egress_cidr
10.11.0.0/16,North Tower,,Reading,
10.11.3.0/24,North Tower,3,Reading,
10.12.0.0/16,South Tower,,Leeds,
10.99.0.0/16,Nobody there,,,
192.168.1.0/24,Shop,,,203.0.113.250
";

impl TestEnv {
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.home().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("text").to_owned()
    }

    fn buildings(&self, arguments: &[&str]) -> RunOutput {
        let mut command = self.vcq(&[&["buildings"], arguments].concat());
        // Without credentials and address.
        command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env_remove("VCQ_BASE_URL");
        RunOutput::new(command.output().expect("the binary runs"))
    }

    fn report(&self, arguments: &[&str]) -> RunOutput {
        RunOutput::new(self.vcq(&[&["report", "run"], arguments].concat()).output().expect("the binary runs"))
    }

    fn rebuild(&self) {
        RunOutput::new(self.vcq(&["rebuild", "--quiet"]).output().expect("the binary runs")).expect_exit(0);
    }

    fn assert_verified(&self) {
        let ran = RunOutput::new(self.vcq(&["verify"]).output().expect("the binary runs"));
        assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    }

    fn stored_file(&self) -> String {
        fs::read_to_string(self.store().join("buildings.csv")).expect("kept")
    }
}

#[test]
fn an_imported_file_is_kept_published_and_checked() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let file = env.file("offices.csv", OFFICES);
    let checked = env.buildings(&["check", &file]).expect_exit(0);
    assert!(checked.stdout.contains("5 networks in 4 buildings"), "{}", checked.stdout);
    assert!(!env.store().join("buildings.csv").exists(), "checking changes nothing");

    let imported = env.buildings(&["import", &file]).expect_exit(0);
    assert!(imported.stdout.contains("1 network inside another"), "{}", imported.stdout);
    assert!(env.stored_file().contains("10.11.3.0/24,North Tower,3,Reading,"), "{}", env.stored_file());

    let check = env.buildings(&["check", "--format", "json"]).expect_exit(0).summary();
    let in_building =
        env.number("select count(*) from participants where internal_ip like '10.11.%' or internal_ip like '10.12.%'");
    let with_address = env.number("select count(internal_ip) from participants");
    assert!(in_building > 0 && in_building < with_address);
    // It is published immediately, and a rebuild publishes it again.
    for again in [false, true] {
        if again {
            env.rebuild();
        }
        assert_eq!(env.number("select count(*) from buildings"), 5);
        let placed = "select count(*) from participant_facts where building in ('North Tower', 'South Tower')";
        assert_eq!(env.number(placed), in_building);
        let sites = env.report(&["by-site", "--format", "csv"]).expect_exit(0).stdout;
        assert!(sites.contains("North Tower"), "{sites}");
        env.assert_verified();
    }
    assert_eq!(check["participants"]["in_building"], in_building);
    let sum: i64 =
        ["in_building", "home", "elsewhere"].iter().filter_map(|place| check["participants"][place].as_i64()).sum();
    assert_eq!(sum, with_address);
    let unmatched = check["unmatched_networks"].as_array().expect("a list");
    assert!(unmatched.iter().any(|network| network["building"] == "Nobody there"), "{unmatched:?}");
    let missing = check["missing_subnets"].as_array().expect("a list");
    assert!(
        !missing.is_empty()
            && missing.iter().all(|subnet| !subnet["subnet"].as_str().expect("text").contains("10.11."))
    );
    let page = env.buildings(&["check"]).expect_exit(0).stdout;
    assert!(page.contains("in a home range") && page.contains("10.99.0.0/16    Nobody there"), "{page}");
}

#[test]
fn a_later_file_replaces_or_follows_an_earlier_one() {
    let env = TestEnv::new();
    let old = env.file("old.csv", "cidr,building\n10.1.2.0/24,Old\n10.1.3.0/24,Stays\n");
    let new = env.file("new.csv", "cidr,building\n10.1.2.0/24,New\n10.1.3.0/24,Stays\n");
    env.buildings(&["import", &old]).expect_exit(0);
    let ran = env.buildings(&["import", &new, "--from", "2026-11-02"]).expect_exit(0);
    assert!(ran.stdout.contains("2 lines of earlier imports apply until then"), "{}", ran.stdout);
    let kept = env.stored_file();
    let lines: Vec<&str> = kept.lines().skip(1).map(|line| line.trim_end_matches(',')).collect();
    assert_eq!(
        lines,
        ["10.1.2.0/24,Old,,,,1,0,,,2026-11-02", "10.1.2.0/24,New,,,,1,0,,2026-11-02", "10.1.3.0/24,Stays,,,,1,0",]
    );
    // The store's own file can be imported.
    let own = env.file("own.csv", &kept);
    env.buildings(&["import", &own]).expect_exit(0);
    assert_eq!(env.stored_file(), kept);
    env.buildings(&["import", &new]).expect_exit(0);
    assert!(!env.stored_file().contains("Old"));
}

#[test]
fn a_file_with_bad_lines_changes_nothing() {
    let env = TestEnv::new();
    let good = env.file("good.csv", OFFICES);
    env.buildings(&["import", &good]).expect_exit(0);
    let before = env.stored_file();
    let lines: String = (0..30).map(|n| format!("10.1.{n}.7,Net,24,Harbour House,,,,,,,,,1,0,0\n")).collect();
    let bad = env.file("bad.csv", format!("10.2.1.0,Net,24,Fine,,,,,,,,,1,0,0\n{lines}"));
    for command in ["import", "check"] {
        let ran = env.buildings(&[command, &bad]).expect_exit(2);
        assert_eq!(ran.stdout, "");
        for word in [
            "bad.csv has 30 invalid lines",
            "line 2, NetworkIP \"10.1.0.7\": has host bits set; the network is 10.1.0.0/24",
            "and 10 more",
            "hint: ",
        ] {
            assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
        }
        assert_eq!(ran.stderr.matches("has host bits set").count(), 20);
        assert_eq!(env.stored_file(), before);
    }
    for (text, word) in [
        (&b"cidr,bulding\n"[..], "did you mean building?"),
        (b"10.1.2.0,\xb8\xdb,24,x,,,,,,,,,1,0", "CSV UTF-8"),
        (b"", "contains no networks"),
    ] {
        let file = env.file("odd.csv", text);
        let ran = env.buildings(&["import", &file]).expect_exit(2);
        assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
    }
    let missing = env.buildings(&["import", "nowhere.csv"]).expect_exit(2);
    assert!(missing.stderr.contains("could not read the building file nowhere.csv"), "{}", missing.stderr);
    let dates = env.buildings(&["import", &good, "--from", "2026-11-02", "--until", "2026-11-02"]).expect_exit(2);
    assert!(dates.stderr.contains("--until is not after --from"), "{}", dates.stderr);
    env.buildings(&["import", &good, "--from", "yesterday"]).expect_exit(2);
    assert_eq!(env.stored_file(), before);
}

#[test]
fn buildings_can_come_before_the_first_sync() {
    let env = TestEnv::new();
    let none = env.buildings(&["check"]).expect_exit(5);
    assert!(none.stderr.contains("hint: run vcq-etl sync --since 2d first"), "{}", none.stderr);
    let file = env.file("offices.csv", OFFICES);
    let imported = env.buildings(&["import", &file]).expect_exit(0);
    assert!(imported.stdout.contains("by the next sync or rebuild"), "{}", imported.stdout);
    let unpublished = env.buildings(&["check"]).expect_exit(5);
    assert!(unpublished.stderr.contains("hint: run vcq-etl sync"), "{}", unpublished.stderr);
    env.sync(&[]).expect_exit(0);
    env.buildings(&["check"]).expect_exit(0);
}

#[test]
fn without_an_import_there_is_a_hint() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let ran = env.buildings(&["check"]).expect_exit(2);
    assert!(ran.stderr.contains("no building file has been imported"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: import one with vcq-etl buildings import FILE"), "{}", ran.stderr);
    fs::write(env.store().join("buildings.csv"), "cidr,building\nx,y\n").expect("written");
    let changed = env.buildings(&["check"]).expect_exit(5);
    assert!(changed.stderr.contains("line 2, cidr \"x\"") && changed.stderr.contains("hint: "), "{}", changed.stderr);
}

#[test]
fn a_utf_16_file_of_the_call_quality_dashboard_is_read() {
    let env = TestEnv::new();
    let text = "10.1.2.0\t\"London, east\"\t24\tHarbour House\t\t\t\tLondon\t\tGB\t\tEMEA\t1\t0\r\n";
    let units = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes);
    let file = env.file("offices.txt", units.collect::<Vec<u8>>());
    let ran = env.buildings(&["import", &file]).expect_exit(0);
    assert!(ran.stdout.contains("building file of the Call Quality Dashboard"), "{}", ran.stdout);
    assert!(
        env.stored_file().contains("10.1.2.0/24,Harbour House,,London,GB,1,0,,,,\"London, east\","),
        "{}",
        env.stored_file()
    );
}

#[test]
fn a_home_address_is_in_a_building_only_behind_its_egress() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let home = "select public_ip from participants where internal_ip like '192.168.1.%' and public_ip is not null";
    let egress = env.rows(&format!("{home} group by all order by count(*) desc, 1 limit 1")).remove(0);
    let behind = env.number(&format!(
        "select count(*) from participants where internal_ip like '192.168.1.%' and public_ip = '{egress}'"
    ));
    assert!(behind > 0 && behind < env.number(&format!("select count(*) from ({home})")));
    for (line, in_building) in
        [("192.168.1.0/24,Shop,".to_owned(), 0), (format!("192.168.1.0/24,Shop,{egress}"), behind)]
    {
        let file = env.file("shop.csv", format!("cidr,building,egress_cidr\n{line}\n"));
        env.buildings(&["import", &file]).expect_exit(0);
        let check = env.buildings(&["check", "--format", "json"]).expect_exit(0).summary();
        assert_eq!(check["participants"]["in_building"], in_building, "{line}");
    }
}

#[test]
fn an_import_needs_the_lock_and_a_check_does_not() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let file = env.file("offices.csv", OFFICES);
    env.buildings(&["import", &file]).expect_exit(0);
    let before = env.stored_file();
    let paths = StorePaths::existing(&env.store()).expect("a store");
    let lock = Lock::take(&paths, "sync", 0).expect("free");
    let other = env.file("other.csv", "cidr,building\n10.1.2.0/24,A\n");
    let ran = env.buildings(&["import", &other]).expect_exit(6);
    assert!(ran.stderr.contains("another run holds the store's lock: `sync`"), "{}", ran.stderr);
    assert_eq!(env.stored_file(), before);
    env.buildings(&["check"]).expect_exit(0);
    env.buildings(&["check", &other]).expect_exit(0);
    drop(lock);
    env.buildings(&["import", &other]).expect_exit(0);
}
