//! The stored minutes and audio streams are those that the macros compute, by every profile of a store and for every
//! profile of a reader.

use serde_json::Value;
use vcq_simulator::{Planting, TenantSpec};

use crate::rebuild::rebuild;
use crate::support::test_env::{TestEnv, rows, unlimited};

const PROFILES: [&str; 4] = ["cqd", "strict", "huawei-red", "custom"];
const MACROS: [&str; 6] =
    ["marked_minutes", "caused_minutes", "cpu_minutes", "cause_minutes", "judged_participant_minutes", "audio_streams"];

/// The largest scan of quality_samples for the minutes with a cause.
fn most_samples_scanned(connection: &duckdb::Connection, profile: &str) -> u64 {
    let sql = format!("explain (analyze, format json) select count(*) from cause_minutes(profile := '{profile}')");
    let plan: String = connection.query_row(&sql, [], |row| row.get(1)).expect("a plan");
    fn most(node: &Value) -> u64 {
        let table = node["extra_info"]["Table"].as_str().unwrap_or_default();
        let own = node["operator_rows_scanned"].as_u64().filter(|_| table.ends_with("quality_samples")).unwrap_or(0);
        node["children"].as_array().into_iter().flatten().map(most).max().unwrap_or(0).max(own)
    }
    most(&serde_json::from_str(&plan).expect("JSON"))
}

#[test]
fn stored_minutes_are_those_that_are_computed() {
    let planting: Planting = "service:loss:hours,site:jitter:hours".parse().expect("incidents");
    let spec = TenantSpec { days: 3, people: 30, meetings_per_day: 8, planting, ..TenantSpec::default() };
    let env = TestEnv::with(&spec, unlimited());
    env.sync(&[]).expect_exit(0);
    for stored in PROFILES {
        rebuild(&env, &["--profile", stored, "--thresholds", "audio_loss_pct=4"]).expect_exit(0);
        let connection = env.duckdb();
        // As the program does. Otherwise DuckDB reads the columns of the CPU for a subplan that it then does not need.
        connection.execute_batch("set disabled_optimizers = 'common_subplan'").expect("a setting");
        let read = |profile: &str| {
            MACROS.map(|name| {
                rows(&connection, &format!("select t::varchar from {name}(profile := '{profile}') as t order by all"))
            })
        };
        let found = PROFILES.map(read);
        let samples = env.number("select count(*) from quality_samples") as u64;
        for profile in PROFILES {
            let scanned = most_samples_scanned(&connection, profile);
            let text = format!("{scanned} of {samples} scanned for {profile} in a store of {stored}");
            assert!((scanned < samples) == (profile == stored), "{text}");
        }
        // A session without stored limits computes every row.
        connection
            .execute_batch("create temp table stored_limits as select * from stored_limits limit 0")
            .expect("a table of the session");
        let differences = |profile| rows(&connection, &format!("from differing_limits(profile := '{profile}')"));
        assert_ne!(differences(stored), ["0"], "{stored}");
        for (profile, found) in PROFILES.into_iter().zip(&found) {
            for ((name, found), computed) in MACROS.into_iter().zip(found).zip(read(profile)) {
                assert!(!found.is_empty(), "{name}, {profile}");
                assert!(*found == computed, "{name}, {profile}, in a store of {stored}");
            }
        }
    }
}
