//! Every failure has its exit code, and a message that says what was tried, on what, and what to do.

use vcq_simulator::Endpoint;

use crate::support::test_env::{RunOutput, TestEnv};

/// Checks a failed run: the exit code, words of its message, and that there is a hint.
#[track_caller]
fn assert_error(ran: RunOutput, code: i32, words: &[&str]) {
    let ran = ran.expect_exit(code);
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is missing in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("hint: "), "no error and hint in:\n{}", ran.stderr);
}

fn run(mut command: std::process::Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

#[test]
fn a_wrong_secret_ends_3_and_is_not_shown() {
    let env = TestEnv::new();
    let mut command = env.sync_command(&[]);
    command.env("VCQ_APP_SECRET", "not-the-secret-Zq9");
    let ran = run(command);
    assert!(!ran.stderr.contains("not-the-secret-Zq9"), "the secret is shown:\n{}", ran.stderr);
    assert_error(ran, 3, &["10015", "127.0.0.1", "app id and secret"]);
}

#[test]
fn an_access_token_is_used_and_a_wrong_one_is_not_shown() {
    let env = TestEnv::new();
    env.change(|options| options.user_token = Some("u-made-up-user-token".to_owned()));
    let with_token = |token: &str| {
        let mut command = env.sync_command(&[]);
        command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET").env("VCQ_ACCESS_TOKEN", token);
        run(command)
    };
    let ran = with_token("u-another-token-Zq9");
    assert!(!ran.stderr.contains("another-token-Zq9"), "the token is shown:\n{}", ran.stderr);
    assert_error(ran, 3, &["99991668", "log ID"]);
    let summary = with_token("u-made-up-user-token").expect_exit(0).summary();
    assert_eq!(summary["samples"], env.simulator().tenant().totals().samples);
}

#[test]
fn a_missing_scope_role_address_or_quota_is_named() {
    for (fault, code, words) in [
        ("missing-scope", 3, &["99991672", "scope", "vc:room:readonly", "log ID"][..]),
        ("user-scope", 3, &["99991679", "scope", "log ID"]),
        ("no-permission", 3, &["121005", "Meeting Management", "log ID"]),
        ("ip-not-allowed", 3, &["99991401", "allow-list", "log ID"]),
        ("quota", 8, &["99991403", "month", "log ID"]),
    ] {
        let env = TestEnv::new();
        env.faults(&[fault]);
        assert_error(env.sync(&[]), code, words);
    }
}

#[test]
fn a_quota_used_up_during_a_run_keeps_its_answers() {
    let env = TestEnv::new();
    env.faults(&["quota@after=40"]);
    assert_error(env.sync(&[]), 8, &["99991403"]);
    assert!(env.number("select count(*) from coverage where status = 'complete'") > 0);
    env.faults(&[]);
    env.sync(&[]).expect_exit(0);
}

#[test]
fn a_wrong_or_unreachable_host_ends_4() {
    let env = TestEnv::new();
    // A host that responds, but not with this API.
    let mut command = env.sync_command(&[]);
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
    assert_error(run(command), 4, &[&address.to_string(), "base URL"]);
    // A port without a listener.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut command = env.sync_command(&[]);
    command.env("VCQ_BASE_URL", format!("http://{free}"));
    assert_error(run(command), 4, &[&free.to_string()]);
}

#[test]
fn repeated_api_failures_end_4() {
    let env = TestEnv::new();
    env.faults(&["internal-error"]);
    assert_error(env.sync(&[]), 4, &["meeting_list", "121001", "log ID"]);
    // Every participant fails: the run stops after a few.
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:internal-error"]);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_MAX_TRIES", "1");
    assert_error(run(command), 4, &["in a row"]);
    assert!(env.simulator().stats().calls(Endpoint::ParticipantQualityList) < 40);
}

#[test]
fn usage_and_configuration_errors_end_2() {
    let env = TestEnv::new();
    assert_error(run(env.vcq(&["sync", "--since", "next tuesday"])), 2, &["next tuesday", "2d", "yesterday"]);
    assert_error(run(env.vcq(&["sync", "--since", "1d", "--until", "2d"])), 2, &["1d"]);
    let mut command = env.vcq(&["sync", "--since", "2d"]);
    command.env_remove("VCQ_APP_ID").env_remove("VCQ_APP_SECRET");
    assert_error(run(command), 2, &["VCQ_APP_ID", "VCQ_ACCESS_TOKEN"]);
    let mut command = env.vcq(&["sync", "--since", "2d"]);
    command.env("VCQ_BASE_URL", "http://vendor.example");
    assert_error(run(command), 2, &["vendor.example", "https"]);
    let mut command = env.vcq(&["sync", "--since", "2d"]);
    command.env("VCQ_TIMEZONE", "Mars/Olympus");
    assert_error(run(command), 2, &["Mars/Olympus"]);
    let ran = run(env.vcq(&["sink"])).expect_exit(2);
    assert!(ran.stderr.contains("sync"), "the nearest command is named:\n{}", ran.stderr);
    assert_eq!(env.calls(), 0, "no requests");
}

#[test]
fn an_unwritable_store_ends_5_before_any_request() {
    let env = TestEnv::new();
    let file = env.home().join("a-file");
    std::fs::write(&file, "not a folder").expect("a file");
    for store in [file.clone(), file.join("below")] {
        let mut command = env.sync_command(&[]);
        command.env("VCQ_STORE", &store);
        assert_error(run(command), 5, &["a-file"]);
    }
    assert_eq!(env.calls(), 0, "no requests whose answers could not be kept");
}

#[test]
fn a_folder_with_other_files_is_not_used_as_a_store() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.store()).expect("a folder");
    std::fs::write(env.store().join("thesis.odt"), "mine").expect("written");
    let ran = env.sync(&[]);
    assert!(!ran.stderr.contains("run vcq-etl sync"), "the hint names the command that failed:\n{}", ran.stderr);
    assert_error(ran, 5, &["contains other files", "another directory with --store DIR"]);
    assert_eq!(std::fs::read_dir(env.store()).expect("listed").count(), 1);
}

#[test]
fn a_damaged_database_is_not_blamed_on_the_disk() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let database = env.store().join("vcq.duckdb");
    let whole = std::fs::read(&database).expect("read");
    let mut damaged = whole.clone();
    damaged[12_288..].iter_mut().for_each(|byte| *byte ^= 0x20);
    for bytes in [b"SQL".as_slice(), &whole[..whole.len() / 2], &damaged] {
        std::fs::write(&database, bytes).expect("damaged");
        // A run refused before its first answer publishes nothing and only reads.
        env.faults(&["meeting_list:no-permission"]);
        let ran = env.sync(&[]);
        assert!(!ran.stderr.contains("Unknown error code"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("check the disk"), "{}", ran.stderr);
        if ran.code == Some(5) {
            assert_error(ran, 5, &["vcq-etl rebuild"]);
        }
        env.faults(&[]);
        env.sync(&[]).expect_exit(0);
    }
}

#[test]
fn a_corrupt_manifest_ends_5() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    std::fs::write(env.store().join("parquet/_manifest.json"), "{\"generation\": 1, ").expect("written");
    env.simulator().reset_stats();
    assert_error(env.sync(&[]), 5, &["_manifest.json", "line 1"]);
}

#[test]
fn a_missing_manifest_removes_no_part_and_makes_no_call() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let manifest = env.store().join("parquet/_manifest.json");
    let kept = std::fs::read(&manifest).expect("a manifest");
    std::fs::remove_file(&manifest).expect("removed");
    env.simulator().reset_stats();
    assert_error(env.sync(&[]), 5, &["_manifest.json is missing"]);
    assert_eq!(env.calls(), 0);
    std::fs::write(&manifest, kept).expect("restored");
    for file in env.manifest()["files"].as_array().expect("files") {
        assert!(env.store().join("parquet").join(file["path"].as_str().expect("a path")).exists(), "{file}");
    }
    env.sync(&[]).expect_exit(0);
}

#[test]
fn a_run_without_answers_reports_what_is_published() {
    let env = TestEnv::new();
    let before = env.sync(&[]).expect_exit(0).summary();
    env.faults(&["quota"]);
    let after = env.sync(&[]).expect_exit(8).summary();
    for field in ["meetings", "participants", "by_status", "samples", "rejects", "generation"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let fresh = TestEnv::new();
    fresh.faults(&["quota"]);
    let summary = fresh.sync(&[]).expect_exit(8).summary();
    assert_eq!((&summary["generation"], &summary["by_status"]["complete"]), (&0.into(), &0.into()));
}

#[test]
fn a_refusal_of_every_participant_stops_the_run_and_is_not_final() {
    for fault in ["participant_quality_list:code=121003", "participant_list:code=121003"] {
        let env = TestEnv::new();
        env.faults(&[fault]);
        assert_error(env.sync(&[]), 4, &["were all refused", "121003", "log ID"]);
        env.faults(&[]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        assert_eq!(summary["samples"], env.simulator().tenant().totals().samples, "{fault}");
    }
    // A few refusals among other answers are skipped.
    let env = TestEnv::new();
    env.faults(&["participant_quality_list:code=99992402@share=0.1"]);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert!(summary["by_status"]["unsupported"].as_u64() > Some(2), "{summary}");
}

#[test]
fn ids_of_another_kind_are_refused() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let mut command = env.sync_command(&[]);
    command.env("VCQ_USER_ID_TYPE", "union_id");
    assert_error(run(command), 2, &["open_id", "union_id"]);
}

#[test]
fn a_store_locked_by_another_run_ends_6() {
    let env = TestEnv::new();
    let mut slow = env.sync_command(&[]);
    slow.env("VCQ_CALLS_PER_MINUTE", "600").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut slow = slow.spawn().expect("starts");
    while env.simulator().stats().calls(Endpoint::MeetingList) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let ran = env.sync(&[]);
    let _ = slow.kill();
    let _ = slow.wait();
    assert_error(ran, 6, &["sync", &slow.id().to_string()]);
    // The lock was released when its holder died.
    env.sync(&[]).expect_exit(0);
}
