//! A store of a simulated tenant without HTTP: its answers are written to `raw/`, and the program rebuilds the rest.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use vcq_simulator::{Answer, Tenant};

/// The run that is supposed to have fetched everything.
const RUN_ID: &str = "20260901T000000Z-benchx";
const SKIPPABLE_MAGIC: [u8; 4] = [0x50, 0x2A, 0x4D, 0x18];

/// Writes checkpoints as `vcq-etl sync` does, but with the fastest compression.
struct RawFiles {
    raw: PathBuf,
    requested_us: i64,
    open: HashMap<(&'static str, String), File>,
}

impl RawFiles {
    fn append(&mut self, kind: &'static str, endpoint: &str, date: &str, unit: &str, pages: &[&str]) {
        let items = pages.len();
        let end = json!({
            "whole": true, "status": "complete", "reason": "all pages read", "is_final": true, "api_code": 0,
            "log_id": null, "items": items, "digest": "d", "requests": 1, "walks": 1,
        });
        let mut lines = String::new();
        for page in pages {
            lines.push_str(&format!(
                "{{\"record\":\"page\",\"endpoint\":\"{endpoint}\",\"request\":{{}},\"asked_utc\":\"2027-01-01T00:00:00Z\",\
                 \"elapsed_ms\":1,\"http_status\":200,\"log_id\":null,\"response\":{page}}}\n"
            ));
        }
        let mut last = end.clone();
        last["record"] = json!("walk");
        last["unit"] = json!(unit);
        lines.push_str(&format!("{last}\n"));
        let frame = zstd::bulk::compress(lines.as_bytes(), 1).expect("zstd compresses");
        let mut header = json!({
            "v": 2, "run_id": RUN_ID, "kind": kind, "unit": unit, "asked_us": self.requested_us, "end": end,
            "bytes": frame.len(),
        });
        if kind == "meetings" {
            header["window_us"] = json!([0, self.requested_us]);
        }
        let header = header.to_string();
        let raw = &self.raw;
        let file = self.open.entry((kind, date.to_owned())).or_insert_with(|| {
            let folder = raw.join(kind).join(format!("meeting_date={date}"));
            fs::create_dir_all(&folder).expect("a folder");
            let path = folder.join(format!("{RUN_ID}-0.jsonl.zst"));
            OpenOptions::new().create(true).append(true).open(path).expect("a raw file")
        });
        let length = (header.len() as u32).to_le_bytes();
        file.write_all(&[&SKIPPABLE_MAGIC[..], &length, header.as_bytes(), &frame].concat()).expect("written");
    }

    fn answer(&mut self, date: &str, answer: &Answer) {
        self.append("participants", "participant_list", date, &answer.meeting_key, &[&answer.participants]);
        for (unit, page) in &answer.quality {
            self.append("quality", "participant_quality_list", date, unit, &[page]);
        }
    }
}

fn run(store: &Path, arguments: &[&str]) {
    let ended = Command::new(env!("CARGO_BIN_EXE_vcq-etl"))
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)))
        .env("HOME", store)
        .env("VCQ_STORE", store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .expect("the program runs");
    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "vcq-etl {arguments:?} ended with {}: {error}", ended.status);
}

/// Builds the store in an empty folder.
pub(crate) fn build(tenant: &Tenant, store: &Path) {
    let spec = tenant.spec();
    let mut files =
        RawFiles { raw: store.join("raw"), requested_us: (spec.end() + 5 * 86_400) * 1_000_000, open: HashMap::new() };
    let mut meetings: Vec<(String, Vec<String>)> = Vec::new();
    for answer in tenant.answers() {
        let day = (answer.start - spec.start()).div_euclid(86_400);
        let date = spec.first_day.saturating_add(jiff::Span::new().days(day)).to_string();
        files.answer(&date, &answer);
        match meetings.last_mut() {
            Some((last, pages)) if *last == date => pages.push(answer.meeting),
            _ => meetings.push((date, vec![answer.meeting])),
        }
    }
    for (date, pages) in &meetings {
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        files.append("meetings", "meeting_list", date, &format!("window {date}"), &pages);
    }
    drop(files);
    let buildings = store.join("buildings-to-import.csv");
    fs::write(&buildings, tenant.building_file()).expect("written");
    run(store, &["buildings", "import", "--quiet", buildings.to_str().expect("text")]);
    run(store, &["rebuild", "--quiet", "--threads", "1"]);
}
