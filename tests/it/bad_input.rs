//! Bad input and failure: each has its exit code, and a message that says what was tried, on what, and what to do.

use vcq_simulator::Endpoint;

use crate::support::world::{Ran, World};

/// A run that fails: its name, the exit code, and words that its message must have.
#[track_caller]
fn says(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.ended(code);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "no error and hint in:\n{}", ran.stderr);
}

fn run(mut command: std::process::Command) -> Ran {
    Ran::of(command.output().expect("the binary runs"))
}

#[test]
fn wrong_secret() {
    let world = World::new();
    let mut command = world.sync_command(&[]);
    command.env("VCQ_APP_SECRET", "not-the-secret-Zq9");
    let ran = run(command);
    assert!(!ran.stderr.contains("not-the-secret-Zq9"), "the secret is shown:\n{}", ran.stderr);
    says(ran, 3, &["10015", "127.0.0.1", "app id and secret"]);
}

#[test]
fn a_given_token_is_used_and_a_wrong_one_is_not_repeated() {
    let world = World::new();
    world.change(|options| options.user_token = Some("u-made-up-user-token".to_owned()));
    let with_token = |token: &str| {
        let mut command = world.sync_command(&[]);
        command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", token);
        run(command)
    };
    let ran = with_token("u-another-token-Zq9");
    assert!(!ran.stderr.contains("another-token-Zq9"), "the token is shown:\n{}", ran.stderr);
    says(ran, 3, &["99991668", "log id"]);
    let summary = with_token("u-made-up-user-token").ended(0).summary();
    assert_eq!(summary["samples"], world.simulator().tenant().totals().samples);
}

#[test]
fn missing_scope_role_address_and_quota() {
    for (fault, code, words) in [
        ("missing-scope", 3, &["99991672", "scope", "vc:room:readonly", "log id"][..]),
        ("user-scope", 3, &["99991679", "scope", "log id"]),
        ("no-permission", 3, &["121005", "Meeting Management", "log id"]),
        ("ip-not-allowed", 3, &["99991401", "allow-list", "log id"]),
        ("quota", 8, &["99991403", "month", "log id"]),
    ] {
        let world = World::new();
        world.faults(&[fault]);
        says(world.sync(&[]), code, words);
    }
}

#[test]
fn quota_in_the_middle_keeps_what_was_answered() {
    let world = World::new();
    world.faults(&["quota@after=40"]);
    says(world.sync(&[]), 8, &["99991403"]);
    assert!(world.number("select count(*) from coverage where status = 'complete'") > 0);
    world.faults(&[]);
    world.sync(&[]).ended(0);
}

#[test]
fn wrong_host_and_unreachable_host() {
    let world = World::new();
    // A host that answers, but not with this API.
    let mut command = world.sync_command(&[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            use std::io::{Read, Write};
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let body = "<html>not found</html>";
            let _ = write!(
                stream,
                "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    command.env("VCQ_BASE_URL", format!("http://{address}"));
    says(run(command), 4, &[&address.to_string(), "base URL"]);
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut command = world.sync_command(&[]);
    command.env("VCQ_BASE_URL", format!("http://{free}"));
    says(run(command), 4, &[&free.to_string()]);
}

#[test]
fn a_vendor_that_keeps_failing() {
    let world = World::new();
    world.faults(&["internal-error"]);
    says(world.sync(&[]), 4, &["meeting_list", "121001", "log id"]);
    // Unit after unit fails: the run does not walk through all of them.
    let world = World::new();
    world.faults(&["participant_quality_list:internal-error"]);
    let mut command = world.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "1");
    says(run(command), 4, &["in a row"]);
    assert!(world.simulator().stats().calls(Endpoint::ParticipantQualityList) < 40);
}

#[test]
fn usage_and_configuration() {
    let world = World::new();
    says(run(world.vcq(&["sync", "--since", "next tuesday"])), 2, &["next tuesday", "2d", "yesterday"]);
    says(run(world.vcq(&["sync", "--since", "1d", "--until", "2d"])), 2, &["1d"]);
    let mut command = world.vcq(&["sync", "--since", "2d"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    says(run(command), 2, &["VCQ_APP_ID", "VCQ_ACCESS_TOKEN"]);
    let mut command = world.vcq(&["sync", "--since", "2d"]);
    command.env("VCQ_BASE_URL", "http://vendor.example");
    says(run(command), 2, &["vendor.example", "https"]);
    let mut command = world.vcq(&["sync", "--since", "2d"]);
    command.env("VCQ_TIMEZONE", "Mars/Olympus");
    says(run(command), 2, &["Mars/Olympus"]);
    let ran = run(world.vcq(&["sink"])).ended(2);
    assert!(ran.stderr.contains("sync"), "the nearest command is named:\n{}", ran.stderr);
    assert_eq!(world.calls(), 0, "nothing was asked");
}

#[test]
fn a_store_that_cannot_be_written() {
    let world = World::new();
    let file = world.home().join("a-file");
    std::fs::write(&file, "not a folder").expect("a file");
    for store in [file.clone(), file.join("below")] {
        let mut command = world.sync_command(&[]);
        command.env("VCQ_STORE", &store);
        says(run(command), 5, &["a-file"]);
    }
    assert_eq!(world.calls(), 0, "nothing was asked that could not be kept");
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let world = World::new();
    std::fs::create_dir_all(world.store()).expect("a folder");
    std::fs::write(world.store().join("thesis.odt"), "mine").expect("written");
    let ran = world.sync(&[]);
    assert!(!ran.stderr.contains("run vcq-etl sync"), "that is what was done:\n{}", ran.stderr);
    says(ran, 5, &["holds other files", "another folder with --store DIR"]);
    assert_eq!(std::fs::read_dir(world.store()).expect("listed").count(), 1);
}

#[test]
fn a_damaged_database_is_not_the_disks_fault() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let database = world.store().join("vcq.duckdb");
    let whole = std::fs::read(&database).expect("read");
    let mut damaged = whole.clone();
    damaged[12_288..].iter_mut().for_each(|byte| *byte ^= 0x20);
    for bytes in [b"SQL".as_slice(), &whole[..whole.len() / 2], &damaged] {
        std::fs::write(&database, bytes).expect("damaged");
        // Refused before it got an answer, a run publishes nothing and only reads.
        world.faults(&["meeting_list:no-permission"]);
        let ran = world.sync(&[]);
        assert!(!ran.stderr.contains("Unknown error code"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("check the disk"), "{}", ran.stderr);
        if ran.code == Some(5) {
            says(ran, 5, &["vcq-etl rebuild"]);
        }
        world.faults(&[]);
        world.sync(&[]).ended(0);
    }
}

#[test]
fn a_corrupt_manifest() {
    let world = World::new();
    world.sync(&[]).ended(0);
    std::fs::write(world.store().join("parquet/_manifest.json"), "{\"generation\": 1, ").expect("written");
    world.simulator().reset_stats();
    says(world.sync(&[]), 5, &["_manifest.json", "line 1"]);
}

#[test]
fn a_missing_manifest_costs_no_part_and_no_call() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let manifest = world.store().join("parquet/_manifest.json");
    let kept = std::fs::read(&manifest).expect("a manifest");
    std::fs::remove_file(&manifest).expect("removed");
    world.simulator().reset_stats();
    says(world.sync(&[]), 5, &["_manifest.json is missing"]);
    assert_eq!(world.calls(), 0);
    std::fs::write(&manifest, kept).expect("restored");
    for file in world.manifest()["files"].as_array().expect("files") {
        assert!(world.store().join("parquet").join(file["path"].as_str().expect("a path")).exists(), "{file}");
    }
    world.sync(&[]).ended(0);
}

#[test]
fn a_run_that_gets_nothing_reports_what_is_published() {
    let world = World::new();
    let before = world.sync(&[]).ended(0).summary();
    world.faults(&["quota"]);
    let after = world.sync(&[]).ended(8).summary();
    for field in ["meetings", "participants", "by_status", "samples", "rejects", "generation"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let fresh = World::new();
    fresh.faults(&["quota"]);
    let summary = fresh.sync(&[]).ended(8).summary();
    assert_eq!((&summary["generation"], &summary["by_status"]["complete"]), (&0.into(), &0.into()));
}

#[test]
fn a_refusal_of_everybody_stops_the_run_and_nothing_of_it_is_final() {
    for fault in ["participant_quality_list:code=121003", "participant_list:code=121003"] {
        let world = World::new();
        world.faults(&[fault]);
        says(world.sync(&[]), 4, &["were all refused", "121003", "log id"]);
        world.faults(&[]);
        let summary = world.sync(&[]).ended(0).summary();
        assert_eq!(summary["samples"], world.simulator().tenant().totals().samples, "{fault}");
    }
    // A few odd ones among others are skipped.
    let world = World::new();
    world.faults(&["participant_quality_list:code=99992402@share=0.1"]);
    let summary = world.sync(&[]).ended(0).summary();
    assert!(summary["by_status"]["unsupported"].as_u64() > Some(2), "{summary}");
}

#[test]
fn ids_of_another_kind_are_not_mixed_in() {
    let world = World::new();
    world.sync(&[]).ended(0);
    let mut command = world.sync_command(&[]);
    command.env("VCQ_USER_ID_TYPE", "union_id");
    says(run(command), 2, &["open_id", "union_id"]);
}

#[test]
fn a_store_that_another_run_holds() {
    let world = World::new();
    let mut slow = world.sync_command(&[]);
    slow.env("VCQ_CALLS_PER_MINUTE", "600").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut slow = slow.spawn().expect("starts");
    while world.simulator().stats().calls(Endpoint::MeetingList) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let ran = world.sync(&[]);
    let _ = slow.kill();
    let _ = slow.wait();
    says(ran, 6, &["sync", &slow.id().to_string()]);
    // The lock went with its holder.
    world.sync(&[]).ended(0);
}
