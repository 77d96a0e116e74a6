//! The integration tests: the real binary, the real simulator over HTTP, a real DuckDB.

mod alerts;
mod also;
mod api_faults;
mod architecture;
mod buildings;
mod call_budget;
mod cards;
mod cell_values;
mod census;
mod concurrent_readers;
mod counts;
mod credentials;
mod demo;
mod disk_errors;
mod disk_states;
mod doctor;
mod error_messages;
mod events;
mod file_modes;
mod html_page;
mod identity_modes;
mod incident_scoring;
mod incidents;
mod incomplete_runs;
mod init;
mod killed_runs;
mod languages;
mod load;
mod lock;
mod malformed_responses;
mod missing_raw_files;
mod optional_tables;
mod own_definitions;
mod partial_database;
mod partly_lost;
mod passing_faults;
mod personal_data;
mod personal_data_kills;
mod pipelined_extract;
mod plan;
mod power_cuts;
mod power_loss;
mod promises;
mod publish;
mod publish_delta;
mod publish_s3;
mod query;
mod raw_log_truncated;
mod rebuild;
mod replaced_dates;
mod report_output;
mod reports;
#[path = "../../benches/incidents/scoring.rs"]
mod scoring;
mod sdk_clients;
mod secrets;
mod settling;
mod signals;
mod simulate;
mod status;
mod stays_replaced;
mod stored_minutes;
mod support;
mod sync;
mod tenants;
mod tidy;
mod translations;
mod untrusted_text;
mod upgrade;
mod verify;
mod windows;
mod workbooks;

/// A test file that is missing above would never run.
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
