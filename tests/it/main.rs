//! The integration tests: the real binary, the real simulator over HTTP, a real DuckDB.

mod architecture;
mod bad_input;
mod budget;
mod buildings;
mod cells;
mod disk;
mod doctor;
mod faults;
mod gaps;
mod golden;
mod hostile;
mod hostile_texts;
mod kills;
mod lock;
mod losses;
mod page;
mod pipelined;
mod plan;
mod power;
mod readers;
mod rebuild;
mod reports;
mod secrets;
mod signals;
mod status;
mod support;
mod sync;
mod verify;

/// A test file that nobody lists is a test that nobody runs.
#[test]
fn every_test_file_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).expect("tests/it is there") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else { continue };
        assert!(listed.contains(&format!("mod {module};")), "tests/it/{name} is not listed in main.rs");
    }
}
