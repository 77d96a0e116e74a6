//! What was replaced stays replaced: after the ledger is lost, after a backup is restored, and where raw files are
//! missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::rebuild::remove;
use crate::replaced_dates::{
    IDENTITY_DAYS, assert_absent, assert_verified, dates, identifiers, old_tenant, raw_folders, raw_text, run,
};
use crate::support::test_env::{TestEnv, unlimited};

fn expire(env: &TestEnv) {
    run(env.sync_command(&[]).env(IDENTITY_DAYS.0, IDENTITY_DAYS.1)).expect_exit(0);
}

/// A person who takes part on both days.
pub(crate) fn somebody(env: &TestEnv) -> String {
    let sql = "select user_id from participants where email is not null group by user_id
               having count(distinct meeting_date) = 2 order by count(*) desc, user_id limit 1";
    env.rows(sql).remove(0)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(status.success(), "{} to {}", from.display(), to.display());
}

#[test]
fn a_lost_ledger_does_not_bring_back_the_identities_of_expired_dates() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let first = dates(&env).remove(0);
    let of_first = identifiers(&env, &format!("meeting_date = date '{first}'"));
    expire(&env);
    assert_eq!(fs::read_to_string(env.store().join("state/expired")).expect("the dates"), format!("{first}\n"));
    remove(env.store().join("state/ledger.sqlite"));
    // Without identity_days, so that nothing is replaced after it was written.
    env.sync(&["--refetch"]).expect_exit(0);
    assert_absent(&raw_folders(&env, &first), &of_first, "raw files");
    let rows = env.rows(&format!("select p from participants as p where meeting_date = date '{first}'"));
    assert_absent(&rows.join("\n"), &of_first, "rows");
    assert_verified(&env);
}

#[test]
fn a_key_that_is_lost_with_the_ledger_is_not_replaced_by_another() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    expire(&env);
    remove(env.store().join("state/ledger.sqlite"));
    remove(env.store().join("state/identity.key"));
    let stopped = env.sync(&["--refetch"]).expect_exit(5);
    assert!(stopped.stderr.contains("the identity key is missing"), "{}", stopped.stderr);
}

#[test]
fn a_restored_backup_is_found_by_verify_and_replaced_again_by_rebuild() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let backup = env.store().with_extension("backup");
    copy(&env.store(), &backup);
    let first = dates(&env).remove(0);
    let person = somebody(&env);
    let of_person = format!("user_id = '{person}'");
    let mine = env.rows(&format!("select distinct unnest([user_id, email]) from participants where {of_person}"));
    let of_first = identifiers(&env, &format!("meeting_date = date '{first}'"));
    // Pages of the meeting list have items of both dates. Not names and addresses, which may be part of others.
    let of_second = identifiers(&env, &format!("meeting_date > date '{first}'"));
    let is_id = |one: &&String| (one.starts_with("ou_") || one.contains('@')) && !of_second.contains(one);
    let only_first: Vec<String> = of_first.iter().filter(is_id).cloned().collect();
    assert!(!only_first.is_empty());
    run(&mut env.vcq(&["forget", "--user", &person, "--yes"])).expect_exit(0);
    expire(&env);
    assert_verified(&env);

    // The backup is older; what is kept apart from it says what must not be in it.
    let kept = ["identity.key", "forgotten", "expired"];
    for name in kept {
        copy(&env.store().join("state").join(name), &backup.join("state").join(name));
    }
    fs::remove_dir_all(env.store()).expect("removed");
    fs::rename(&backup, env.store()).expect("restored");
    let found = run(&mut env.vcq(&["verify", "--deep", "--json"])).expect_exit(9).summary();
    let checks = found["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["check"] == "identities").expect("the check");
    for place in ["raw/meetings", "raw/quality", "parquet/", "vcq.duckdb", "state/ledger.sqlite"] {
        let first = check["first"].to_string();
        assert!(first.contains(place) || check["findings"].as_u64() > Some(10), "{place}: {check}");
    }
    assert!(!check.to_string().contains(&person), "values are not printed: {check}");
    let rebuilt = run(&mut env.vcq(&["rebuild", "--summary", "json"])).expect_exit(0).summary();
    assert!(rebuilt["notes"].to_string().contains("they were replaced again"), "{rebuilt}");
    assert_verified(&env);
    assert_absent(&raw_text(&env.store().join("raw")), &mine, "raw files");
    assert_absent(&raw_folders(&env, &first), &of_first, "raw files of the expired date");
    assert_absent(&raw_text(&env.store().join("raw")), &only_first, "raw files of both dates");
    let rows = env.rows("select p from participants as p union all select m from meetings as m");
    assert_absent(&rows.join("\n"), &mine, "rows");
    let again = run(&mut env.vcq(&["rebuild", "--summary", "json"])).expect_exit(0).summary();
    assert!(!again["notes"].to_string().contains("they were replaced again"), "{again}");
}

#[test]
fn somebody_is_found_as_typed_although_the_store_has_tokens() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let person = somebody(&env);
    let of_person = format!("from participants where user_id = '{person}'");
    let [name, email] =
        ["participant_name", "email"].map(|column| env.rows(&format!("select max({column}) {of_person}")).remove(0));
    // Both days.
    run(env.sync_command(&[]).env(IDENTITY_DAYS.0, "29")).expect_exit(0);
    assert_eq!(env.rows(&format!("select count(*) {of_person}")), ["0"]);
    let timeline = |who: &str| {
        let who = format!("who={who}");
        let arguments = ["report", "run", "user-timeline", "--since", "all", "--format", "csv", "--param", &who];
        run(&mut env.vcq(&arguments)).expect_exit(0).stdout
    };
    let expected = timeline(&person);
    assert!(expected.lines().count() > 2, "{expected}");
    assert_eq!((timeline(&name), timeline(&email)), (expected.clone(), expected));

    // The same person can be forgotten, and is replaced in what comes later.
    let shown = run(&mut env.vcq(&["forget", "--email", &email])).expect_exit(2);
    assert!(shown.stderr.contains("is replaced already"), "{}", shown.stderr);
    let forgotten = run(&mut env.vcq(&["forget", "--user", &person, "--yes"])).expect_exit(0);
    assert!(forgotten.stdout.contains("Later responses of this person"), "{}", forgotten.stdout);
    assert!(!forgotten.stderr.contains(&person) && !forgotten.stderr.contains(&name), "{}", forgotten.stderr);
    let tokens = fs::read_to_string(env.store().join("state/forgotten")).expect("tokens");
    assert!(tokens.lines().any(|token| token.starts_with("p-")), "{tokens}");
    remove(env.store().join("state/identity.key"));
    let who = format!("who={person}");
    let unknown =
        run(&mut env.vcq(&["report", "run", "user-timeline", "--since", "all", "--param", &who])).expect_exit(0);
    let hint = unknown.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(hint.contains("type the token that a report shows"), "{hint}");
    let nobody = run(&mut env.vcq(&["forget", "--user", &person, "--yes"])).expect_exit(2);
    assert!(nobody.stderr.contains("without the identity key"), "{}", nobody.stderr);
}

#[test]
fn dates_without_raw_files_are_named_with_what_to_do_and_it_works() {
    for way_out in ["sync", "prune"] {
        let env = TestEnv::with(&old_tenant(), unlimited());
        env.sync(&[]).expect_exit(0);
        let [first, second] = dates(&env).try_into().expect("two days");
        let person = somebody(&env);
        let rows_of_person = format!("select count(*) from participants where user_id = '{person}'");
        run(&mut env.vcq(&["prune", "--before", &second, "--raw-only", "--yes"])).expect_exit(0);
        let forget = || run(&mut env.vcq(&["forget", "--user", &person, "--yes"]));
        let stopped = forget().expect_exit(5);
        let refetch = format!("vcq-etl sync --refetch --since {first} --until {second}");
        let prune = format!("vcq-etl prune --before {second}");
        let stderr = stopped.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(stderr.contains(&refetch) && stderr.contains(&prune), "{stderr}");
        assert_ne!(env.rows(&rows_of_person), ["0"]);
        let strict = run(env.vcq(&["rebuild"]).env("VCQ_IDENTITY", "pseudonym")).expect_exit(5);
        assert!(strict.stderr.contains("--before"), "{}", strict.stderr);
        let expired = run(env.sync_command(&[]).env(IDENTITY_DAYS.0, IDENTITY_DAYS.1)).expect_exit(0).summary();
        let notes = expired["notes"].to_string();
        assert!(notes.contains(&refetch) && notes.contains(&prune), "{expired}");
        match way_out {
            "sync" => run(&mut env.vcq(&["sync", "--refetch", "--since", &first, "--until", &second])).expect_exit(0),
            _ => run(&mut env.vcq(&["prune", "--before", &second, "--yes"])).expect_exit(0),
        };
        assert_eq!(env.rows(&rows_of_person), ["0"], "{way_out}");
        forget().expect_exit(0);
        assert_verified(&env);
        run(env.vcq(&["rebuild"]).env("VCQ_IDENTITY", "pseudonym")).expect_exit(0);
    }
}
