//! Faults that pass: only codes that Feishu documents can end anything for good, everything else is requested again.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;

use vcq_simulator::{Endpoint, LongMeetings, Options, Outcome};

use crate::api_faults::{assert_same_content, content_rows};
use crate::support::scripted_server::{List, Response, ScriptedServer, ordinary_except};
use crate::support::test_env::{RunOutput, TestEnv, small_tenant, unlimited};

#[test]
fn an_error_in_passing_changes_no_row_whatever_its_code_and_status() {
    let undisturbed = TestEnv::new();
    undisturbed.sync(&[]).expect_exit(0);
    let expected = content_rows(&undisturbed);
    for fault in [
        "code=2200/200@every=9",
        "code=1663/400@every=9",
        "code=300000/404@every=9",
        "code=20008/400@every=9",
        "code=121021/400@every=9",
        "html=404@every=9",
        "html=302@every=9",
        "code=1051001/400@every=9",
        "code=99991201@every=9",
        "text-envelope",
        "gzip@every=2",
        "gzip-bare",
    ] {
        let env = TestEnv::new();
        env.faults(&[fault, &format!("tenant_access_token:{fault}")]);
        // Of 270 requests at a time, one may be the ninth in each of five tries.
        let mut command = env.sync_command(&[]);
        command.env("VCQ_MAX_TRIES", "20");
        let ran = RunOutput::new(command.output().expect("runs")).expect_exit(0);
        assert!(!ran.stderr.contains("region"), "{fault}: {}", ran.stderr);
        assert_same_content(&env, &expected, fault);
    }
}

#[test]
fn an_unlisted_code_that_persists_is_failed_and_requested_again() {
    for list in ["participant_list", "participant_quality_list"] {
        let env = TestEnv::new();
        env.faults(&[&format!("{list}:code=2200/200@share=0.2")]);
        let mut command = env.sync_command(&[]);
        command.env("VCQ_MAX_TRIES", "2");
        let summary = RunOutput::new(command.output().expect("runs")).expect_exit(7).summary();
        assert!(summary["by_status"]["failed"].as_u64() > Some(0), "{summary}");
        let rows = env.rows("select distinct status, api_code from coverage where api_code = 2200");
        assert_eq!(rows, ["failed | 2200"]);
        env.faults(&[]);
        let summary = env.sync(&[]).expect_exit(0).summary();
        let totals = env.simulator().tenant().totals();
        assert_eq!(summary["samples"], totals.samples, "{list}");
        assert_eq!(summary["by_status"]["unsupported"], totals.participants_unsupported, "{list}");
    }
}

#[test]
fn an_unlisted_code_of_the_meeting_list_or_the_token_ends_4() {
    for list in ["meeting_list", "tenant_access_token"] {
        let env = TestEnv::new();
        env.faults(&[&format!("{list}:code=2200/200")]);
        let ran = env.sync(&[]).expect_exit(4);
        assert!(ran.stderr.contains("code 2200") && !ran.stderr.contains("app id"), "{list}: {}", ran.stderr);
        assert_eq!(env.simulator().stats().calls(list.parse().expect("an endpoint")), 5, "five tries");
        let doctor = RunOutput::new(env.vcq(&["doctor", "--json"]).output().expect("runs")).expect_exit(4);
        assert!(doctor.stdout.contains("code 2200"), "{}", doctor.stdout);

        env.faults(&[&format!("{list}:code=2200/200@first=1")]);
        RunOutput::new(env.vcq(&["doctor", "--json"]).output().expect("runs")).expect_exit(0);
    }
    let env = TestEnv::new();
    env.faults(&["tenant_access_token:code=10014"]);
    env.sync(&[]).expect_exit(3);
    assert_eq!(env.simulator().stats().calls(Endpoint::TenantAccessToken), 1, "an answer, not a fault");
}

#[test]
fn a_token_that_is_refused_right_after_its_refresh_is_tried_once_more() {
    let env = TestEnv::new();
    env.faults(&["meeting_list:code=99991663@first=2"]);
    env.sync(&[]).expect_exit(0);
    env.faults(&["meeting_list:code=99991663"]);
    env.simulator().reset_stats();
    env.sync(&[]).expect_exit(3);
    assert_eq!(env.simulator().stats().calls(Endpoint::MeetingList), 3);
}

#[test]
fn empty_pages_are_followed_while_their_tokens_are_new() {
    let pages = |empty: usize| {
        move |request: &crate::support::scripted_server::ReceivedRequest| {
            let items = format!("[{}]", crate::support::scripted_server::meeting());
            match request.nth {
                nth if nth < empty => Response::page(List::Meetings, "[]", Some(&format!("n{nth}"))),
                _ => Response::page(List::Meetings, &items, None),
            }
        }
    };
    let server = ScriptedServer::new(ordinary_except(List::Meetings, pages(3)));
    server.run(server.sync(&[])).expect_exit(0);
    assert_eq!(server.number("select count(*) from quality_samples"), 1);
    let server = ScriptedServer::new(ordinary_except(List::Meetings, pages(4)));
    let ran = server.run(server.sync(&[])).expect_exit(4);
    assert!(ran.stderr.contains("4th empty page"), "{}", ran.stderr);
}

/// Bodies of public bug reports.
#[test]
fn bodies_that_ended_a_run_wrongly_are_read_or_fail() {
    for (list, body, code) in [
        (List::Meetings, r#"{"code":0,"msg":"success","data":{"meeting_list":[],"has_more":"false"}}"#, 0),
        (
            List::Meetings,
            r#"{"code":0,"msg":"success","data":{"meeting_list":[],"has_more":true,"page_token":"0x"}}"#,
            4,
        ),
        (List::Participants, r#"{"code":2200,"msg":"Internal Error","error":{"log_id":"L1"}}"#, 7),
        (List::Quality, r#"{"code":2200,"msg":"Internal Error","error":{"log_id":"L1"}}"#, 7),
        (List::Token, r#"{"code":2200,"msg":"Internal Error"}"#, 4),
    ] {
        let server = ScriptedServer::new(ordinary_except(list, move |_| Response::body(body)));
        server.run(server.sync(&[])).expect_exit(code);
    }
}

#[test]
fn a_long_meeting_that_is_not_found_in_a_window_of_a_day_is_too_long() {
    let options = Options { long_meetings: LongMeetings::NotFound, ..unlimited() };
    let env = TestEnv::with(&small_tenant(), options);
    let summary = env.sync(&[]).expect_exit(0).summary();
    assert_eq!(summary["by_status"]["too_long"], 1);
    assert_eq!(env.rows("select status, api_code from coverage where api_code = 126009"), ["too_long | 126009"]);
    RunOutput::new(env.vcq(&["verify"]).output().expect("runs")).expect_exit(0);
}

#[test]
fn max_calls_begins_no_list_that_it_cannot_finish() {
    let whole = TestEnv::new();
    whole.sync(&[]).expect_exit(0);
    let expected = content_rows(&whole);
    for max_calls in [31, 90] {
        let env = TestEnv::new();
        let mut used = 0;
        for _ in 0..100 {
            let ran = env.sync(&["--max-calls", &max_calls.to_string()]);
            let calls = env.calls() - used;
            assert!(calls <= max_calls, "{calls} calls with --max-calls {max_calls}");
            used += calls;
            if ran.code != Some(8) {
                ran.expect_exit(0);
                break;
            }
        }
        let mut pages = HashSet::new();
        for call in env.simulator().stats().log {
            let is_unit = matches!(call.endpoint, Endpoint::ParticipantList | Endpoint::ParticipantQualityList);
            if is_unit && call.outcome == Outcome::Code(200, 0) {
                assert!(pages.insert((call.endpoint, call.params.clone())), "a page is requested twice: {call:?}");
            }
        }
        assert_same_content(&env, &expected, "--max-calls");
    }
}

#[test]
fn a_machine_without_root_certificates_is_told_how_to_get_them() {
    let env = TestEnv::new();
    let empty = env.home().join("empty.pem");
    std::fs::write(&empty, "").expect("written");
    for certificates in [empty, env.home().join("missing.pem")] {
        for (command, place) in [(&["sync", "--since", "2d"][..], "stderr"), (&["doctor"], "stdout")] {
            let mut command = env.vcq(command);
            command.env("VCQ_BASE_URL", "https://127.0.0.1:9").env("SSL_CERT_FILE", &certificates);
            let ran = RunOutput::new(command.output().expect("runs")).expect_exit(2);
            let text = if place == "stdout" { &ran.stdout } else { &ran.stderr };
            for words in ["no root certificates", "ca-certificates", "SSL_CERT_FILE"] {
                assert!(text.contains(words), "{words:?} is missing in {text}");
            }
        }
    }
    // Plain HTTP to loopback needs none.
    let mut command = env.sync_command(&[]);
    command.env("SSL_CERT_FILE", env.home().join("missing.pem"));
    RunOutput::new(command.output().expect("runs")).expect_exit(0);
}

#[test]
fn secrets_as_containers_mount_them_are_read_and_altered_ones_are_named() {
    let env = TestEnv::new();
    let folder = env.home().join("run");
    std::fs::create_dir(&folder).expect("made");
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let secret = env.simulator().app_secret();
    let file = folder.join("secret");
    let doctor = |text: &str, mode: u32, folder_mode: u32| {
        let _ = std::fs::remove_file(&file);
        std::fs::write(&file, text).expect("written");
        set(&file, mode);
        set(&folder, folder_mode);
        let mut command = env.vcq(&["doctor"]);
        command.env_remove("VCQ_APP_SECRET").env("VCQ_APP_SECRET_FILE", &file);
        RunOutput::new(command.output().expect("runs"))
    };
    doctor(&secret, 0o444, 0o700).expect_exit(0);
    doctor(&secret, 0o644, 0o700).expect_exit(0);
    doctor(&secret, 0o666, 0o700).expect_exit(2);
    let ran = doctor(&secret, 0o644, 0o755).expect_exit(2);
    assert!(ran.stdout.contains("chmod 600") && ran.stdout.contains("440"), "{}", ran.stdout);
    for (text, words) in [
        (format!("\u{feff}{secret}\n"), "byte order mark"),
        (format!("'{secret}'"), "quotation marks"),
        (format!("Bearer {secret}"), "Bearer"),
        (format!("{secret}\n{secret}"), "whitespace"),
    ] {
        let ran = doctor(&text, 0o600, 0o755).expect_exit(2);
        let place = format!("VCQ_APP_SECRET_FILE ({})", file.display());
        assert!(ran.stdout.contains(words) && ran.stdout.contains(&place), "{}", ran.stdout);
        assert!(!ran.stdout.contains(&secret), "{}", ran.stdout);
    }
}
