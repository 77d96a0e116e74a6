//! Excel workbooks, read back with openpyxl: every cell has the type and value that the JSON has. Run by `make sdk`,
//! which has a Python with openpyxl.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::test_env::{RunOutput, TestEnv};

/// What `tests/sdk/read_workbook.py` finds in a workbook.
fn read(workbook: &Path) -> Value {
    let python =
        std::env::var("VCQ_SDK_PYTHON").expect("VCQ_SDK_PYTHON names a Python that has openpyxl: make sdk sets it");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/read_workbook.py");
    let output = Command::new(python).arg(script).arg(workbook).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("json")
}

fn run(env: &TestEnv, arguments: &[&str]) -> RunOutput {
    RunOutput::new(env.vcq(arguments).output().expect("the binary runs")).expect_exit(0)
}

#[test]
#[ignore = "needs openpyxl: make sdk"]
fn every_cell_of_a_report_is_the_one_of_the_json() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    for report in ["worst-meetings", "daily-summary", "coverage", "freshness", "heatmap"] {
        let file = env.home().join("report.xlsx");
        run(&env, &["report", "run", report, "--out", file.to_str().expect("text")]);
        let rows: Vec<Value> =
            serde_json::from_str(&run(&env, &["report", "run", report, "--format", "json"]).stdout).expect("json");
        let found = read(&file);
        let sheet = &found["Result"];
        assert_eq!(sheet["frozen"], "A2", "{report}");
        let cells = sheet["rows"].as_array().expect("rows");
        assert_eq!(cells.len(), rows.len() + 1, "{report}");
        let names: Vec<&str> =
            cells[0].as_array().expect("cells").iter().map(|cell| cell["value"].as_str().expect("a name")).collect();
        for (row, expected) in cells[1..].iter().zip(&rows) {
            for (at, name) in names.iter().enumerate() {
                let (found, expected) = (&row[at]["value"], &expected[name]);
                match (found.as_f64(), expected.as_f64()) {
                    (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-9, "{report} {name}"),
                    _ => assert_eq!(found, expected, "{report} {name}"),
                }
            }
        }
        let about = found["About"]["rows"].to_string();
        for name in names {
            assert!(about.contains(&format!("\"value\":\"{name}\"")), "{report}: {name} is not explained");
        }
        assert!(about.contains("\"value\":\"Unit\"") && about.contains(&format!("vcq-etl report run {report}")));
    }
}

#[test]
#[ignore = "needs openpyxl: make sdk"]
fn every_type_has_its_own_kind_of_cell() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let sql = "select '=1+1' as formula, '+1' as plus, '-1' as minus, '@x' as at, 'http://x.example' as link, 7 as n,
        1.5::double as d, 12.50::decimal(9, 2) as money, 12345678901234567890::hugeint as long, true as yes, null as none,
        date '2026-11-02' as day, timestamp '2026-11-02 18:30:00' as moment, time '06:15:00' as clock, [1, 2] as list";
    let file = env.home().join("types.xlsx");
    let mut command = env.vcq(&["query", sql, "--format", "xlsx"]);
    let piped = command.output().expect("the binary runs");
    assert_eq!(piped.status.code(), Some(0), "{}", String::from_utf8_lossy(&piped.stderr));
    std::fs::write(&file, &piped.stdout).expect("written");
    let found = read(&file);
    let cells = found["Result"]["rows"][1].as_array().expect("cells");
    let kinds: Vec<String> = cells
        .iter()
        .map(|cell| format!("{} {} {}", cell["type"], cell["format"], cell["value"]).replace('"', ""))
        .collect();
    assert_eq!(
        kinds,
        [
            "s General =1+1",
            "s General +1",
            "s General -1",
            "s General @x",
            "s General http://x.example",
            "n General 7",
            "n General 1.5",
            "n General 12.5",
            "s General 12345678901234567890",
            "b General true",
            "n General null",
            "d yyyy-mm-dd 2026-11-02",
            "d yyyy-mm-dd hh:mm:ss 2026-11-02 18:30:00",
            "d hh:mm:ss 06:15:00",
            "s General [1,2]",
        ]
    );
    let quoted: Vec<&Value> = cells.iter().take(5).map(|cell| &cell["quoted"]).collect();
    assert_eq!(quoted, [&json!(true), &json!(true), &json!(true), &json!(true), &json!(false)]);
    assert_eq!(found["Result"]["filter"], "A1:O2");
    assert!(found["Result"]["widths"]["A"].as_f64().is_some_and(|width| width >= 9.0));
    assert!(found["About"]["rows"].to_string().contains("select '=1+1' as formula"));
}
