//! Dates are replaced or removed in every layer at once, and a kill at any file operation leaves each date as before or
//! done.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use vcq_simulator::{Endpoint, TenantSpec};

use crate::rebuild::{ALL_ROWS, all_rows, assert_same_rows, files, rebuild, remove};
use crate::support::fault_injection::{Action, Fault};
use crate::support::test_env::{RunOutput, TestEnv, rows, small_tenant, unlimited};
use crate::support::test_store::{Tables, TestStore};

/// The published dates, oldest first.
pub(crate) fn dates(env: &TestEnv) -> Vec<String> {
    env.rows("select distinct meeting_date from coverage order by all")
}

pub(crate) fn run(command: &mut Command) -> RunOutput {
    RunOutput::new(command.output().expect("the binary runs"))
}

#[track_caller]
pub(crate) fn assert_verified(env: &TestEnv) {
    run(&mut env.vcq(&["verify", "--deep"])).expect_exit(0);
}

/// A sync requests no participant and no minute again.
#[track_caller]
fn assert_requests_nothing_again(env: &TestEnv, sync: &mut Command) {
    env.simulator().reset_stats();
    run(sync).expect_exit(0);
    let stats = env.simulator().stats();
    let calls = [Endpoint::ParticipantList, Endpoint::ParticipantQualityList].map(|list| stats.calls(list));
    assert_eq!(calls, [0, 0]);
}

/// The rows of every table that are not on a date.
fn rows_without(env: &TestEnv, date: &str) -> Vec<Vec<String>> {
    let of_others = |sql: &&str| {
        let table = sql.split_whitespace().nth(3).expect("a table");
        env.rows(&format!("select * from {table} where meeting_date <> date '{date}' order by all"))
    };
    ALL_ROWS.iter().map(of_others).collect()
}

#[test]
fn a_pruned_date_is_gone_from_every_layer_and_is_no_hole() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let days = dates(&env);
    let (first, second) = (days[0].as_str(), days[1].as_str());
    let expected = rows_without(&env, first);
    let refused = run(&mut env.vcq(&["prune", "--before", second])).expect_exit(2);
    assert!(refused.stderr.contains("Removes 1 date before") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(dates(&env), days, "nothing was changed");
    run(&mut env.vcq(&["prune", "--before", "2999-01-01", "--yes"])).expect_exit(2);

    let summary =
        run(&mut env.vcq(&["prune", "--before", second, "--yes", "--summary", "json"])).expect_exit(0).summary();
    assert_eq!(summary["dates"], serde_json::json!([first]), "{summary}");
    assert!(summary["samples"].as_u64() > Some(0) && summary["raw_bytes"].as_u64() > Some(0), "{summary}");
    assert_same_rows(&env, &expected, "pruned");
    let left = files(&env.store(), "").into_iter().filter(|path| path.to_string_lossy().contains(first));
    assert_eq!(left.collect::<Vec<_>>(), [] as [std::path::PathBuf; 0]);
    assert_verified(&env);
    let status = env.status(&["--days", "3"]).expect_exit(0).summary();
    assert_eq!(status["pruned_before"], second, "{status}");
    // The time since the sync, and nothing before.
    let holes = status["not_covered"].as_array().expect("a list");
    assert!(holes.iter().all(|hole| hole["since_utc"].as_str() >= Some(second)), "{status}");
    let day = |date: &str| {
        status["coverage"]["days"].as_array().expect("days").iter().find(|day| day["meeting_date"] == date).cloned()
    };
    assert_eq!(day(first).expect("the day")["pruned"], true, "{status}");
}

#[test]
fn a_pruned_date_comes_back_only_on_purpose() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let days = dates(&env);
    let (first, second) = (days[0].as_str(), days[1].as_str());
    let expected = rows_without(&env, first);
    run(&mut env.vcq(&["prune", "--before", second, "--yes"])).expect_exit(0);
    // A sync of what is left requests nothing again, and a rebuild without a ledger brings nothing back: neither what
    // the meeting list has of the day before, nor the meeting that ran into this day.
    let since = format!("{second}T00:00:00+08:00");
    let until = env.window()[3].to_owned();
    assert_requests_nothing_again(&env, &mut env.vcq(&["sync", "--since", &since, "--until", &until]));
    assert_same_rows(&env, &expected, "synced");
    let lists = raw_text(&env.store().join("raw/meetings"));
    assert!(lists.contains("meeting_start_time") && !lists.contains(&first.replace('-', ".")), "raw files");
    remove(env.store().join("state/ledger.sqlite"));
    rebuild(&env, &[]).expect_exit(0);
    assert_same_rows(&env, &expected, "rebuilt");
    // On purpose it is fetched again, and the run says so.
    let again = env.sync(&[]).expect_exit(0).summary();
    assert!(again["notes"].to_string().contains("was pruned"), "{again}");
    assert_eq!(dates(&env), days);
    let nothing = run(&mut env.vcq(&["prune", "--before", first, "--yes"])).expect_exit(0);
    assert!(nothing.stdout.contains("Nothing to remove"), "{}", nothing.stdout);
}

#[test]
fn without_its_raw_files_a_date_stays_published() {
    let env = TestEnv::new();
    env.sync(&[]).expect_exit(0);
    let days = dates(&env);
    let (first, second) = (days[0].as_str(), days[1].as_str());
    let expected = all_rows(&env);
    let pruned = run(&mut env.vcq(&["prune", "--before", second, "--raw-only", "--yes"])).expect_exit(0);
    assert!(pruned.stdout.contains("the raw files of 1 date"), "{}", pruned.stdout);
    let left = files(&env.store().join("raw"), "").into_iter().filter(|path| path.to_string_lossy().contains(first));
    assert_eq!(left.count(), 0);
    assert_same_rows(&env, &expected, "pruned");
    let verified = run(&mut env.vcq(&["verify", "--deep"])).expect_exit(0);
    assert!(verified.stdout.contains("prune --raw-only removed it"), "{}", verified.stdout);
    for more in [&[] as &[&str], &["--since", "2000-01-01"]] {
        rebuild(&env, more).expect_exit(0);
        assert_same_rows(&env, &expected, "rebuilt");
    }
    let since = format!("{second}T00:00:00+08:00");
    let until = env.window()[3].to_owned();
    assert_requests_nothing_again(&env, &mut env.vcq(&["sync", "--since", &since, "--until", &until]));
    assert_same_rows(&env, &expected, "synced");
    assert_verified(&env);
}

/// A command that replaces dates, for kills: the store before it, and after it if nothing goes wrong.
pub(crate) struct Replacement<'a> {
    pub base: TestStore<'a>,
    before: Tables,
    pub after: Tables,
    pub operations: usize,
    pub command: &'a dyn Fn(&TestStore<'_>) -> Command,
    finish: &'a dyn Fn(&TestStore<'_>) -> Command,
}

impl<'a> Replacement<'a> {
    /// `finish` is a later command that takes the lock.
    pub(crate) fn new(
        base: TestStore<'a>,
        command: &'a dyn Fn(&TestStore<'_>) -> Command,
        finish: &'a dyn Fn(&TestStore<'_>) -> Command,
    ) -> Replacement<'a> {
        let before = base.tables();
        let undisturbed = TestStore::copy_of(&base);
        undisturbed.run(command(&undisturbed), None).expect_exit(0);
        let (after, operations) = (undisturbed.tables(), undisturbed.operations().len());
        Replacement { base, before, after, operations, command, finish }
    }

    /// Kills the command at a file operation. Checks that what is published is as before or done, that the next run
    /// leaves the same as the command, or the store as before if nothing had begun, and that a rebuild changes nothing.
    /// `check` looks at the finished store. Returns whether the command died.
    #[track_caller]
    pub(crate) fn kill(&self, action: Action, at: usize, check: &dyn Fn(&TestStore<'_>)) -> bool {
        let store = TestStore::copy_of(&self.base);
        let killed = store.run((self.command)(&store), Some(&Fault::at(action, at)));
        self.complete(&store, &format!("{action:?} at operation {at}"));
        check(&store);
        killed.code.is_none()
    }

    /// Runs what follows the command after it died, with the checks of [`Replacement::kill`].
    #[track_caller]
    pub(crate) fn complete(&self, store: &TestStore<'_>, of: &str) {
        store.assert_published_is_whole(&[&self.before, &self.after], of);
        store.run((self.finish)(store), None).expect_exit(0);
        let is_done = store.tables().sums == self.after.sums;
        if !is_done {
            store.tables().assert_same(&self.before, &format!("{of}: neither as before nor done"));
            // Nothing had begun: the command does it now.
            store.run((self.command)(store), None).expect_exit(0);
        }
        store.tables().assert_same(&self.after, of);
    }
}

/// Numbers from a seed, spread over all operations.
pub(crate) fn chosen(operations: usize, count: usize, seed: u64) -> Vec<usize> {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|part| 1 + operations * part / count + random.random_range(0..(operations / count).max(1))).collect()
}

pub(crate) fn with_store(env: &TestEnv, store: &Path, arguments: &[&str]) -> Command {
    let mut command = env.vcq(arguments);
    command.env("VCQ_STORE", store).env("VCQ_THREADS", "1");
    command
}

#[track_caller]
pub(crate) fn verified(store: &TestStore<'_>) {
    run(&mut with_store(store.env, &store.path(), &["verify", "--deep"])).expect_exit(0);
}

#[test]
fn a_kill_at_any_operation_of_a_prune_leaves_each_date_as_before_or_done() {
    let spec = TenantSpec { people: 10, meetings_per_day: 1, ..small_tenant() };
    let env = TestEnv::with(&spec, unlimited());
    let base = TestStore::new(&env);
    base.sync(None).expect_exit(0);
    let day = rows(&base.duckdb().expect("published"), "select max(meeting_date) from coverage").remove(0);
    let prune = |store: &TestStore<'_>| with_store(&env, &store.path(), &["prune", "--before", &day, "--yes"]);
    let finish = |store: &TestStore<'_>| with_store(&env, &store.path(), &["rebuild", "--since", &day]);
    let replacement = Replacement::new(base, &prune, &finish);
    for at in chosen(replacement.operations, 8, 1) {
        replacement.kill(Action::Kill, at, &verified);
    }
}

/// A tenant of two days, 40 and 39 days ago.
#[expect(clippy::disallowed_methods, reason = "the simulator has the machine's clock")]
pub(crate) fn old_tenant() -> TenantSpec {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
    let first_day = today.checked_sub(jiff::Span::new().days(40)).expect("a date");
    TenantSpec { first_day, ..small_tenant() }
}

/// The setting by which the first of the two days is too old.
pub(crate) const IDENTITY_DAYS: (&str, &str) = ("VCQ_IDENTITY_DAYS", "39");

/// Everything that identifies people in the rows of a condition.
pub(crate) fn identifiers(env: &TestEnv, condition: &str) -> Vec<String> {
    let columns = [
        ("participants", "user_id"),
        ("participants", "employee_id"),
        ("participants", "email"),
        ("participants", "phone"),
        ("participants", "internal_ip"),
        ("participants", "public_ip"),
        ("participants", "case when user_id is not null then participant_name end"),
        ("meetings", "organizer"),
        ("meetings", "organizer_user_id"),
        ("meetings", "organizer_email"),
        ("meetings", "organizer_mobile"),
    ];
    let mut found: Vec<String> = columns
        .iter()
        .flat_map(|(table, column)| {
            env.rows(&format!(
                "select distinct one from (select {column} as one from {table} where {condition}) where length(one) > 5"
            ))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The text of every raw file below a folder, headers included.
pub(crate) fn raw_text(folder: &Path) -> String {
    let mut text = String::new();
    for path in files(folder, ".zst") {
        let bytes = std::fs::read(&path).expect("a raw file");
        text.push_str(&String::from_utf8_lossy(&bytes));
        text.push_str(&String::from_utf8_lossy(&zstd::decode_all(&bytes[..]).expect("zstd")));
    }
    text
}

pub(crate) fn raw_folders(env: &TestEnv, date: &str) -> String {
    let kinds = std::fs::read_dir(env.store().join("raw")).expect("raw");
    let folders = kinds.map(|kind| kind.expect("a kind").path().join(format!("meeting_date={date}")));
    folders.filter(|folder| folder.exists()).map(|folder| raw_text(&folder)).collect()
}

/// What no identity may change.
pub(crate) fn figures(env: &TestEnv) -> Vec<Vec<String>> {
    [
        "select meeting_date, count(*), count(distinct user_id), count(distinct organizer_user_id), sum(time_in_meeting_s)
         from participants join meetings using (meeting_key, meeting_date) group by all order by all",
        "select meeting_date, count(*), count(distinct participant_key), sum(network_delay_ms), sum(audio_jitter_received_ms)
         from quality_samples group by all order by all",
        "select meeting_date, status, count(*), sum(sample_count), sum(attempts) from coverage group by all order by all",
        "select meeting_date, table_name, column_name, reason, count(*) from rejects group by all order by all",
    ]
    .iter()
    .map(|sql| env.rows(sql))
    .collect()
}

#[track_caller]
pub(crate) fn assert_absent(text: &str, identifiers: &[String], of: &str) {
    let found: Vec<&String> = identifiers.iter().filter(|one| text.contains(one.as_str())).collect();
    assert!(found.is_empty(), "{of}: {} of {} left, such as {:?}", found.len(), identifiers.len(), found.first());
}

/// A rebuild without the ledger gives the same, and nothing is requested again.
#[track_caller]
fn assert_stays(env: &TestEnv, sync: &dyn Fn() -> Command) {
    assert_verified(env);
    let rows = all_rows(env);
    assert_requests_nothing_again(env, &mut sync());
    assert_same_rows(env, &rows, "synced again");
    remove(env.store().join("state/ledger.sqlite"));
    let mut rebuild = env.vcq(&["rebuild"]);
    for (name, value) in sync().get_envs() {
        if let Some(value) = value {
            rebuild.env(name, value);
        }
    }
    run(&mut rebuild).expect_exit(0);
    assert_same_rows(env, &rows, "rebuilt without a ledger");
    assert_verified(env);
    assert_requests_nothing_again(env, &mut sync());
    assert_same_rows(env, &rows, "synced after the rebuild");
    assert_verified(env);
}

#[test]
fn identities_expire_by_date_and_nothing_else_changes() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let days = dates(&env);
    let (first, second) = (days[0].as_str(), days[1].as_str());
    let of_first = identifiers(&env, &format!("meeting_date = date '{first}'"));
    assert!(of_first.len() > 50, "{}", of_first.len());
    let (before, of_second) = (
        figures(&env),
        env.rows(&format!("select * from participants where meeting_date = date '{second}' order by all")),
    );

    let sync = || {
        let mut sync = env.sync_command(&[]);
        sync.env(IDENTITY_DAYS.0, IDENTITY_DAYS.1);
        sync
    };
    let summary = run(&mut sync()).expect_exit(0).summary();
    assert!(summary["notes"].to_string().contains("the identities of 1 date before"), "{summary}");
    assert_eq!(figures(&env), before);
    assert_eq!(
        env.rows(&format!("select * from participants where meeting_date = date '{second}' order by all")),
        of_second
    );
    assert_absent(&raw_folders(&env, first), &of_first, "raw files");
    assert_absent(&identifiers(&env, &format!("meeting_date = date '{first}'")).join("\n"), &of_first, "rows");
    let rows = ALL_ROWS.iter().map(|sql| sql.split_whitespace().nth(3).expect("a table"));
    let text: Vec<String> = rows
        .flat_map(|table| env.rows(&format!("select * from {table} where meeting_date = date '{first}'")))
        .collect();
    assert_absent(&text.join("\n"), &of_first, "all tables");
    let only_first: Vec<String> = {
        let of_second = identifiers(&env, &format!("meeting_date = date '{second}'"));
        // Not names and addresses, which may be part of others.
        let is_id = |one: &&String| one.starts_with("ou_") || one.contains('@');
        of_first.iter().filter(is_id).filter(|one| !of_second.contains(one)).cloned().collect()
    };
    assert!(!only_first.is_empty());
    assert_absent(&raw_text(&env.store().join("raw")), &only_first, "raw files of both days");
    let state: Vec<u8> =
        files(&env.store().join("state"), "").iter().flat_map(|path| std::fs::read(path).expect("a file")).collect();
    assert_absent(&String::from_utf8_lossy(&state), &only_first, "state");
    assert_stays(&env, &sync);
    // Again there is nothing to do.
    let generation = env.manifest()["generation"].clone();
    let summary = run(&mut sync()).expect_exit(0).summary();
    assert!(!summary["notes"].to_string().contains("identities of"), "{summary}");
    assert_eq!(env.manifest()["generation"].as_u64(), generation.as_u64().map(|number| number + 1), "one publication");
}

#[test]
fn a_person_is_forgotten_in_every_layer() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let most = "select user_id from participants where email is not null group by user_id
                having count(distinct meeting_date) = 2 order by count(*) desc, user_id limit 2";
    let [user, other] = env.rows(most).try_into().expect("two people");
    let email = env.rows(&format!("select max(email) from participants where user_id = '{other}'")).remove(0);
    let before = figures(&env);
    for (arguments, id) in [(["--user", user.as_str()], &user), (["--email", email.as_str()], &other)] {
        let mine = env.rows(&format!(
            "select distinct unnest([user_id, employee_id, email, participant_name]) from participants where user_id = '{id}'"
        ));
        let others = format!("select * from participants where user_id is distinct from '{id}' order by all");
        let of_others = env.rows(&others);
        let mut forget = env.vcq(&["forget"]);
        let refused = run(forget.args(arguments)).expect_exit(2);
        assert!(
            refused.stderr.contains("Replaces the identity of") && refused.stderr.contains(id.as_str()),
            "{}",
            refused.stderr
        );
        let mut forget = env.vcq(&["forget", "--yes", "--summary", "json"]);
        let summary = run(forget.args(arguments)).expect_exit(0).summary();
        assert_eq!(summary["dates"].as_array().map(Vec::len), Some(2), "{summary}");
        assert_absent(&summary.to_string(), &mine, "the summary");
        assert_eq!(figures(&env), before);
        let mine: Vec<String> = mine.into_iter().filter(|text| text.len() > 4).collect();
        assert_eq!(env.rows(&format!("select count(*) from participants where user_id = '{id}'")), ["0"]);
        let ids: Vec<String> = mine.iter().filter(|text| text.contains('_') || text.contains('@')).cloned().collect();
        assert!(ids.len() >= 2, "{mine:?}");
        assert_absent(&raw_text(&env.store().join("raw")), &ids, "raw files");
        let rows: Vec<String> = ALL_ROWS.iter().flat_map(|sql| env.rows(sql)).collect();
        assert_absent(&rows.join("\n"), &ids, "rows");
        let left = env.rows(&others);
        assert!(of_others.iter().all(|row| left.contains(row)), "other people stay");
        assert_verified(&env);
    }
    let file = std::fs::metadata(env.store().join("state/forgotten")).expect("who is forgotten");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    // Also without the ledger.
    assert_stays(&env, &|| env.sync_command(&[]));
    let again = run(&mut env.vcq(&["forget", "--user", &user, "--yes"])).expect_exit(0);
    assert!(again.stderr.contains("is replaced already"), "{}", again.stderr);
    let nobody = run(&mut env.vcq(&["forget", "--user", "ou_nobody", "--yes"])).expect_exit(2);
    assert!(nobody.stderr.contains("has no person with this ID"), "{}", nobody.stderr);
    // A later answer does not bring the person back.
    env.sync(&["--refetch"]).expect_exit(0);
    let back = format!("select count(*) from participants where user_id in ('{user}', '{other}')");
    assert_eq!(env.rows(&back), ["0"]);
    assert_absent(&raw_text(&env.store().join("raw")), &[user, other], "raw files after a refetch");
    assert_eq!(figures(&env)[1], before[1]);
    assert_verified(&env);
}

#[test]
fn a_rebuild_replaces_identities_after_the_setting_has_changed() {
    let env = TestEnv::with(&old_tenant(), unlimited());
    env.sync(&[]).expect_exit(0);
    let (all, before) = (identifiers(&env, "true"), figures(&env));
    for mode in ["pseudonym", "none"] {
        let with_mode = |arguments: &[&str]| {
            let mut command = env.vcq(arguments);
            command.env("VCQ_IDENTITY", mode).env("VCQ_TOPICS", "drop");
            command
        };
        let [_, since, _, until] = env.window();
        let sync = || with_mode(&["sync", "--since", since, "--until", until, "--summary", "json"]);
        run(&mut sync()).expect_exit(2);
        run(&mut with_mode(&["rebuild", "--since", "2020-01-01"])).expect_exit(2);
        run(&mut with_mode(&["rebuild"])).expect_exit(0);
        assert_eq!(figures(&env), before, "{mode}");
        assert_absent(&raw_text(&env.store().join("raw")), &all, mode);
        let rows: Vec<String> = ALL_ROWS.iter().flat_map(|sql| env.rows(sql)).collect();
        assert_absent(&rows.join("\n"), &all, mode);
        assert_eq!(env.number("select count(meeting_topic) from meetings"), 0);
        assert_stays(&env, &sync);
    }
    env.sync(&[]).expect_exit(2);
}

#[test]
fn a_kill_at_any_operation_of_an_expiry_or_a_forget_leaves_each_date_as_before_or_done() {
    let env = TestEnv::with(&TenantSpec { people: 10, meetings_per_day: 1, ..old_tenant() }, unlimited());
    let store = TestStore::new(&env);
    store.sync(None).expect_exit(0);
    let user = rows(
        &store.duckdb().expect("published"),
        "select user_id from participants group by all having count(distinct meeting_date) = 2 order by all limit 1",
    )
    .remove(0);
    let expire = |store: &TestStore<'_>| {
        let mut sync = store.command();
        sync.env(IDENTITY_DAYS.0, IDENTITY_DAYS.1);
        sync
    };
    let forget = |store: &TestStore<'_>| with_store(&env, &store.path(), &["forget", "--user", &user, "--yes"]);
    let finish = |store: &TestStore<'_>| store.command();
    for command in [&expire as &dyn Fn(&TestStore<'_>) -> Command, &forget] {
        let base = TestStore::copy_of(&store);
        // The key exists, so that every run has the same pseudonyms.
        std::fs::write(base.path().join("state/identity.key"), "7a".repeat(32)).expect("a key");
        let replacement = Replacement::new(base, command, &finish);
        for (number, at) in chosen(replacement.operations, 6, 2).into_iter().enumerate() {
            let action = [Action::Kill, Action::KillAfter, Action::KillMidWrite][number % 3];
            replacement.kill(action, at, &verified);
        }
    }
}
