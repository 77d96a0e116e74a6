//! Properties that must hold for every input: the fuzz targets, which the tests also run on stable Rust.
//!
//! A target checks that there is no panic, that results are in range, that they agree with a simple slow
//! implementation, and that nothing is lost. Built for tests and `cargo fuzz` only. Seeds, and every input that ever
//! failed, are in `fuzz/seeds/<target>/`.

mod answers;
mod files;
mod folder;
mod settings;
mod values;

/// Name and check of a target. The check panics if a property does not hold.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("values", values::check),
    ("envelope", answers::envelope),
    ("list_items", answers::list),
    ("page", answers::page),
    ("raw_log", answers::raw_log),
    ("settings", settings::check),
    ("buildings", files::buildings),
    ("events", files::events),
    ("alerts", files::alerts),
    ("conditions", files::conditions),
    ("expansion", |data| crate::report::engine::expansion(&String::from_utf8_lossy(data))),
];

/// Runs one target on one input. Panics if a property does not hold.
pub fn run(name: &str, data: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(target, _)| *target == name).expect("a known target");
    check(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn fuzz_folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
    }

    fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        // Failing inputs that cargo fuzz found are in `artifacts` until they are moved to the seeds.
        for folder in [fuzz_folder().join("seeds").join(target), fuzz_folder().join("artifacts").join(target)] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                found.push((entry.path(), fs::read(entry.path()).expect("a seed")));
            }
        }
        found
    }

    #[test]
    fn every_seed_holds() {
        for (name, check) in TARGETS {
            let seeds = seeds(name);
            assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
            for (path, data) in seeds {
                let held = std::panic::catch_unwind(|| check(&data));
                assert!(held.is_ok(), "{} does not hold", path.display());
            }
        }
    }

    #[test]
    fn every_target_has_a_program_and_seeds() {
        let names = |folder: &str| -> Vec<String> {
            let entries = fs::read_dir(fuzz_folder().join(folder)).expect(folder).flatten();
            let mut names: Vec<_> =
                entries.map(|entry| entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned()).collect();
            names.sort();
            names
        };
        let mut targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        targets.sort_unstable();
        assert_eq!(names("targets"), targets);
        assert_eq!(names("seeds"), targets);
    }

    /// A seed with a few bytes changed, removed or repeated, as a fuzzer would do.
    fn changed(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
        let seeds: Vec<Vec<u8>> =
            seeds(target).into_iter().map(|(_, data)| data).filter(|data| data.len() < 20_000).collect();
        let edit = (
            any::<prop::sample::Index>(),
            0_u8..4,
            prop_oneof![any::<u8>(), prop::sample::select(&b"\"\\{}[]:,0-.e\xff\n\x00"[..])],
        );
        (prop::sample::select(seeds), prop::collection::vec(edit, 0..8)).prop_map(|(mut data, edits)| {
            for (place, kind, byte) in edits {
                if data.is_empty() {
                    break;
                }
                let at = place.index(data.len());
                match kind {
                    0 => data[at] = byte,
                    1 => data.insert(at, byte),
                    2 => drop(data.remove(at)),
                    _ => data.extend_from_within(at..(at + usize::from(byte)).min(data.len())),
                }
            }
            data
        })
    }

    fn hold_for_changed_seeds(target: &'static str, cases: u32) {
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(cases)
        });
        runner
            .run(&changed(target), |data| {
                run(target, &data);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{target}: {error}"));
    }

    #[test]
    fn values_hold() {
        hold_for_changed_seeds("values", 4_000);
    }

    #[test]
    fn answers_hold() {
        for target in ["envelope", "list_items", "page"] {
            hold_for_changed_seeds(target, 1_000);
        }
    }

    #[test]
    fn raw_log_holds() {
        hold_for_changed_seeds("raw_log", 300);
    }

    #[test]
    fn settings_hold() {
        hold_for_changed_seeds("settings", 1_000);
    }

    #[test]
    fn files_hold() {
        for target in ["buildings", "events", "alerts"] {
            hold_for_changed_seeds(target, 500);
        }
        hold_for_changed_seeds("conditions", 20);
    }

    #[test]
    fn expansions_hold() {
        hold_for_changed_seeds("expansion", 1_000);
    }
}
