//! Alerts: the real binary with a scripted bot. SMTP and an independent check of the signature are in tests/alerts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::scripted_bot::{Answer, ScriptedBot};
use crate::support::test_env::{RunOutput, TestEnv};

const HOOK: &str = "Zq9-made-up-hook-token-Zq9";
const SECRET: &str = "Zq9-made-up-bot-secret-Zq9";

/// A rule with new rows whenever they are not quiet.
const RULE: &str = "[[alerts]]\nname = 'bad'\nreport = 'worst-participants'\nwhere = 'poor > 0'\nsince = '2022-01-01'\nto = ['it-ops']\n";

const CHANNEL: &str = "[channels.it-ops]\nkind = 'feishu'\nurl_file = 'bot-url'\nsecret_file = 'bot-secret'\n";

/// Settings with the rule `outage`, without channels.
const SETTINGS: &str = include_str!("../alerts/vcq.toml");
const SHIPPED: &str = include_str!("../../sql/reports/incidents.sql");
const INCIDENT: &str = include_str!("../alerts/incident.sql");

/// The report `incidents` with rows of its own, as a file of `reports_dir`.
fn incidents(select: &str) -> String {
    let header = SHIPPED.split_inclusive('\n').take_while(|line| line.starts_with("--"));
    format!("{}{select}\n", header.collect::<String>())
}

/// An incident as a row: scope, kind, metric, severity, and its days and hours in November 2026.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

fn select(rows: &[Row], night: usize) -> String {
    let one = |(scope, kind, metric, severity, start, end): &Row| {
        let time = |at: &str| format!("timestamp '2026-11-{at}:00:00'");
        let (start, end) = (time(start), time(end));
        INCIDENT
            .replace("'major' as severity", &format!("'{severity}' as severity"))
            .replace("'acute' as kind", &format!("'{kind}' as kind"))
            .replace("'jitter' as metric", &format!("'{metric}' as metric"))
            .replace("'harbour' as scope", &format!("'{scope}' as scope"))
            .replace(
                "'a1b2c3' as",
                &format!("'{scope}-{night}-{start}' as").replace("timestamp '", "").replace(":00:00'", ""),
            )
            .replace("'Harbour House: jitter both ways' as", &format!("'{scope}: {metric}' as"))
            .replace("timestamp '2026-11-20 01:40:00'", &start)
            .replace("timestamp '2026-11-20 04:06:00'", &end)
    };
    rows.iter().map(one).collect::<Vec<_>>().join("\nunion all\n")
}

struct Alerts {
    env: TestEnv,
    bot: ScriptedBot,
}

impl Alerts {
    /// A synced store, a bot that accepts everything, and the files of its channel.
    fn new() -> Alerts {
        let env = TestEnv::new();
        env.sync(&[]).expect_exit(0);
        let alerts = Alerts { env, bot: ScriptedBot::new(Answer::code(0, "success")) };
        alerts.write("bot-url", &format!("http://{}/open-apis/bot/v2/hook/{HOOK}\n", alerts.bot.address));
        alerts.write("bot-secret", SECRET);
        alerts
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.env.home().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
    }

    fn configure(&self, text: &str) {
        self.write("vcq.toml", text);
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], exit: i32) -> RunOutput {
        let ran = RunOutput::new(self.env.vcq(arguments).output().expect("the binary runs")).expect_exit(exit);
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(HOOK) && !text.contains(SECRET), "a secret in:\n{text}");
        }
        ran
    }

    /// The notes of a sync that has nothing to fetch.
    #[track_caller]
    fn sync_notes(&self) -> Vec<String> {
        let ran = self.run(&["sync", "--since", "1d", "--summary", "json"], 0);
        let notes = ran.summary()["notes"].as_array().expect("notes").clone();
        let notes = notes.iter().map(|note| note.as_str().expect("text").to_owned());
        notes.filter(|note| note.starts_with("alerts: ")).collect()
    }

    fn history(&self) -> Vec<Value> {
        let ran = self.run(&["alert", "history", "--format", "json"], 0);
        ran.summary().as_array().expect("a list").clone()
    }
}

/// Checks that no file below a folder contains a text.
fn assert_nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_nowhere(&path, text);
        } else if path.is_file() {
            let bytes = fs::read(&path).expect("read");
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text} is in {}", path.display());
        }
    }
}

#[test]
fn a_rule_sends_one_signed_card_and_then_stays_quiet() {
    let alerts = Alerts::new();
    alerts.configure(&format!("{RULE}{CHANNEL}"));
    let dry = alerts.run(&["alert", "check", "--dry-run", "--exit-code"], 10);
    assert!(dry.stdout.contains("These messages would be sent:"), "{}", dry.stdout);
    assert_eq!((alerts.bot.take().len(), alerts.history().len()), (0, 0), "nothing is sent or recorded");

    let ran = alerts.run(&["alert", "check"], 0);
    assert!(ran.stdout.contains("sent: rule bad to it-ops"), "{}", ran.stdout);
    let sent = alerts.bot.take();
    assert_eq!(sent.len(), 1, "several rows are one message");
    assert_eq!(sent[0]["msg_type"], "interactive");
    let seconds: i64 = sent[0]["timestamp"].as_str().expect("text").parse().expect("seconds");
    assert!(seconds > 1_700_000_000, "{seconds}");
    assert_eq!(sent[0]["sign"].as_str().expect("a signature").len(), 44);
    assert!(sent[0].to_string().len() < 20_000);
    let title = sent[0]["card"]["header"]["title"]["content"].as_str().expect("text");
    assert!(title.starts_with("Worst participants: ") && title.ends_with(" more"), "{title}");
    let elements = sent[0]["card"]["elements"].to_string();
    for text in ["**Poor min**  ", "**Main cause**  ", "vcq-etl report user ", " --since 2022-01-01"] {
        assert!(elements.contains(text), "{text} is not in {elements}");
    }
    assert!(!elements.contains("main_cause") && elements.contains("**Report**  vcq-etl report run worst-participants"));
    // VCQ_STORE is not set where the message is read.
    assert!(elements.contains(" --store /"), "{elements}");
    assert!(!sent[0].to_string().contains(SECRET));

    let quiet = alerts.run(&["alert", "check"], 0);
    assert!(quiet.stdout.contains("Nothing to send."), "{}", quiet.stdout);
    alerts.run(&["alert", "check", "--exit-code"], 10);
    assert_eq!(alerts.sync_notes(), [""; 0]);
    assert_eq!(alerts.bot.take().len(), 0);
    let history = alerts.history();
    assert_eq!((history.len(), history[0]["state"].as_str()), (1, Some("sent")));
    let table = alerts.run(&["alert", "history"], 0).stdout;
    assert!(table.contains("it-ops") && table.contains("sent"), "{table}");

    let tested = alerts.run(&["alert", "test", "it-ops"], 0).stdout;
    assert_eq!(tested, "sent a test message to it-ops (feishu)\n");
    assert!(alerts.bot.take()[0].to_string().contains("Test message of vcq-etl"));
    let failed = alerts.run(&["alert", "failed", "--status", "5"], 0).stdout;
    assert_eq!(failed, "sent a message to it-ops (feishu)\n");
    let message = alerts.bot.take()[0].to_string();
    for text in ["exit code 5: the store or its copy cannot be read or written.", "vcq-etl status --store /"] {
        assert!(message.contains(text), "{text} is not in {message}");
    }
    for status in ["0", "7", "8", "130", "143"] {
        let no_fault = alerts.run(&["alert", "failed", "--status", status], 0).stdout;
        assert_eq!(no_fault, format!("exit code {status} is not a fault, and nothing was sent\n"));
    }
    assert_eq!(alerts.bot.take().len(), 0);
    let unknown = alerts.run(&["alert", "test", "it-op"], 2).stderr;
    assert!(unknown.contains("did you mean it-ops?"), "{unknown}");
    for secret in [HOOK, SECRET] {
        assert_nowhere(&alerts.env.store(), secret);
    }
}

/// The service that systemd starts after a failure must not fail for lack of a channel, and a damaged store must not
/// keep the message back.
#[test]
fn a_failed_run_is_reported_without_a_store_and_to_nobody_without_a_channel() {
    let alerts = Alerts::new();
    alerts.configure("");
    let nobody = alerts.run(&["alert", "failed", "--status", ""], 0).stdout;
    assert_eq!(nobody, "no channel is configured, and nothing was sent\n");
    let broken = "[channels.broken]\nkind = 'feishu'\nurl_file = 'nowhere'\n";
    alerts.configure(&format!("{CHANNEL}{broken}"));
    let ran = alerts.run(&["alert", "failed", "--status", "KILL", "--store", "./nowhere"], 2);
    assert!(ran.stdout.contains("sent a message to it-ops") && ran.stderr.contains("/nowhere"), "{}", ran.stderr);
    let message = alerts.bot.take()[0].to_string();
    assert!(message.contains("It ended with KILL"), "{message}");
    let unknown = alerts.run(&["alert", "failed", "it-op"], 2).stderr;
    assert!(unknown.contains("did you mean it-ops?"), "{unknown}");
}

#[test]
fn an_incident_is_written_in_the_language_of_the_settings() {
    let alerts = Alerts::new();
    fs::create_dir(alerts.env.home().join("reports")).expect("made");
    alerts.write("reports/incidents.sql", &incidents(INCIDENT));
    let file = "[channels.file]\nkind = 'command'\ncommand = ['sh', '-c', 'cat > message.json']\n";
    let settings = |language: &str, name: &str| {
        let rule = SETTINGS.replace("\"zh\"", &format!("'{language}'")).replace("\"outage\"", &format!("'{name}'"));
        format!("{}{CHANNEL}{file}", rule.replace("[\"it-ops\"]", "['it-ops', 'file']"))
    };
    alerts.configure(&settings("zh", "outage"));
    let mut notes = alerts.sync_notes();
    notes.sort();
    let sent = ["file", "it-ops"].map(|channel| format!("alerts: rule outage sent a message to {channel}"));
    assert_eq!(notes, sent);
    let card = &alerts.bot.take()[0]["card"];
    let title = "11月20日（周五）09:40–12:06，海港 <at id=all></at> House：收发双向抖动过大，影响 7 位人员（含会议室）、3 场会议";
    assert_eq!(card["header"]["title"]["content"], title, "plain text");
    assert_eq!(card["header"]["template"], "orange");
    let elements = card["elements"].to_string();
    assert!(elements.contains("vcq-etl report incident a1b2c3") && !elements.contains("<at"), "{elements}");
    assert!(elements.contains("质差率 62.4%；此前 28 天为 0.4%"), "{elements}");
    let message = fs::read_to_string(alerts.env.home().join("message.json")).expect("the program got it");
    let message: Value = serde_json::from_str(&message).expect("JSON");
    assert_eq!(message["rows"][0]["incident_id"], "a1b2c3");
    assert_eq!(message["level"], "major");
    assert!(message["text"].as_str().expect("text").starts_with(title));

    // Another rule has not sent it yet.
    alerts.configure(&settings("en", "outage-2"));
    alerts.run(&["alert", "check"], 0);
    let card = &alerts.bot.take()[0]["card"];
    assert_eq!(card["header"]["title"]["content"], "Harbour House: jitter both ways");
    assert!(card["elements"].to_string().contains("7 people or rooms in 3 meetings; 412 of 660 minutes poor (62.4 %)"));
}

#[test]
fn what_a_channel_refuses_is_named_and_sent_by_the_next_run_and_no_sync_fails() {
    let alerts = Alerts::new();
    alerts.configure(&format!("{RULE}{CHANNEL}"));
    let other = ScriptedBot::new(Answer::code(0, "success"));
    let long = "x".repeat(50_000);
    for (answer, named) in [
        (Answer::code(19021, "sign match fail or timestamp is not within one hour"), "code 19021, sign match fail"),
        (Answer::code(19024, "Key Words Not Found"), "remove the keyword"),
        (Answer::code(1, &format!("{HOOK} {SECRET} {long}")), "code 1, [hidden] [hidden] xxx"),
        (Answer::Body(200, "<html>sign in</html>".to_owned()), "does not come from a Feishu bot"),
        (Answer::Redirect(format!("http://{}/hook", other.address)), "redirects to 127.0.0.1, which is not followed"),
        (Answer::Redirect("https://evil.example/".to_owned()), "redirects to evil.example"),
        (Answer::Endless, "sent an answer of more than 65536 bytes"),
    ] {
        alerts.bot.answer(answer);
        let notes = alerts.sync_notes();
        assert!(notes.len() == 1 && notes[0].contains(named) && notes[0].len() < 600, "{named}: {notes:?}");
        assert_eq!(alerts.bot.take().len(), 1, "one attempt: another one would not help");
        assert_eq!(alerts.history().len(), 1);
        assert_eq!(alerts.history()[0]["state"], "pending");
    }
    assert_eq!(other.take().len(), 0, "no redirect is followed");
    let failed = alerts.run(&["alert", "check"], 7);
    assert!(failed.stdout.contains("the next run tries again"), "{}", failed.stdout);
    alerts.bot.take();
    // A code that passes is tried again within the run.
    alerts.bot.answer(Answer::code(11232, "too frequent"));
    let bot = &alerts.bot;
    let notes = std::thread::scope(|scope| {
        scope.spawn(|| {
            let began = Instant::now();
            while bot.take().is_empty() && began.elapsed() < Duration::from_secs(120) {
                std::thread::sleep(Duration::from_millis(20));
            }
            bot.answer(Answer::code(0, "success"));
        });
        alerts.sync_notes()
    });
    assert_eq!(notes, ["alerts: rule bad sent a message to it-ops"]);
    assert!(!alerts.bot.take().is_empty(), "another attempt");
    let history = alerts.history();
    assert_eq!((history.len(), history[0]["state"].as_str()), (1, Some("sent")));
    assert_eq!(history[0]["error"], Value::Null);
    for secret in [HOOK, SECRET] {
        assert_nowhere(&alerts.env.store(), secret);
    }
}

#[test]
fn a_problem_is_sent_once_while_it_continues_and_at_once_when_it_gets_worse() {
    let mut alerts = Alerts::new();
    fs::create_dir(alerts.env.home().join("reports")).expect("made");
    let rule = SETTINGS.replace("\"zh\"", "'en'").replace("severity <> 'minor'", "true").replace("12h", "70h");
    alerts.configure(&format!("{rule}{CHANNEL}"));
    let nights: [(&[Row], &[&str]); 12] = [
        (&[("HQ", "acute", "jitter", "minor", "16 09", "16 17")], &["HQ: jitter"]),
        // It goes on, with another metric of the network.
        (&[("HQ", "acute", "loss", "minor", "16 09", "17 17")], &[]),
        (&[("HQ", "acute", "loss", "major", "16 09", "18 17")], &["Escalated from minor to major: HQ: loss"]),
        // It became chronic, with another start. Elsewhere, and with another cause, it is new.
        (
            &[
                ("HQ", "chronic", "loss", "major", "17 09", "19 17"),
                ("Annex", "acute", "jitter", "major", "19 09", "19 10"),
                ("HQ", "acute", "cpu", "major", "19 09", "19 10"),
            ],
            &["2 meeting quality incidents: 2 major"],
        ),
        (&[("HQ", "chronic", "loss", "minor", "17 09", "20 17")], &[]),
        // The quiet time is over.
        (&[("HQ", "chronic", "loss", "major", "17 09", "21 17")], &["HQ: loss"]),
        // Another outage of the same place, after the end of the first one.
        (
            &[("HQ", "chronic", "loss", "major", "17 09", "21 17"), ("HQ", "acute", "loss", "major", "22 09", "22 11")],
            &["HQ: loss"],
        ),
        (&[("HQ", "acute", "loss", "critical", "22 09", "23 11")], &["Escalated from major to critical: HQ: loss"]),
        // What ended is not sent again after the quiet time, although it is still in the window.
        (&[("HQ", "acute", "loss", "critical", "22 09", "23 11")], &[]),
        (&[("HQ", "acute", "loss", "critical", "22 09", "23 11")], &[]),
        (&[("HQ", "acute", "loss", "critical", "22 09", "23 11")], &[]),
        (&[("HQ", "acute", "loss", "critical", "22 09", "23 11")], &[]),
    ];
    for (night, (rows, expected)) in nights.into_iter().enumerate() {
        alerts.write("reports/incidents.sql", &incidents(&select(rows, night)));
        alerts.run(&["alert", "check"], 0);
        let sent = alerts.bot.take();
        let titles: Vec<&str> =
            sent.iter().map(|body| body["card"]["header"]["title"]["content"].as_str().expect("text")).collect();
        assert_eq!(titles, expected, "night {}", night + 1);
        alerts.run(&["alert", "check"], 0);
        assert_eq!(alerts.bot.take().len(), 0, "nothing is new in night {}", night + 1);
        alerts.env.advance_clocks(86_400);
    }
}

#[test]
fn every_rule_with_a_message_behind_one_that_failed_is_named() {
    let alerts = Alerts::new();
    let second = RULE.replace("'bad'", "'worse'");
    alerts.configure(&format!("{RULE}{second}{CHANNEL}"));
    alerts.bot.answer(Answer::code(19022, "Ip Not Allowed"));
    let failed = alerts.run(&["alert", "check"], 7).stdout;
    assert!(failed.contains("not delivered: rule bad to it-ops: the Feishu bot refused the message"), "{failed}");
    assert!(failed.contains("not sent yet: rule worse to it-ops: "), "{failed}");
    let notes = alerts.sync_notes();
    assert!(notes[0].starts_with("alerts: rule bad, channel it-ops: the Feishu bot refused"), "{notes:?}");
    assert_eq!(notes[1..], ["alerts: channel it-ops: 1 more message not sent yet, of the rules worse (1)"]);
    assert_eq!(alerts.bot.take().len(), 2, "one attempt each time");
    alerts.bot.answer(Answer::code(0, "success"));
    let sent = alerts.run(&["alert", "check"], 0).stdout;
    assert!(sent.contains("sent: rule bad to it-ops") && sent.contains("sent: rule worse to it-ops"), "{sent}");
}

#[test]
fn a_message_is_sent_again_if_the_process_is_killed_before_it_records_the_answer() {
    let mut alerts = Alerts::new();
    alerts.configure(&format!("{RULE}{CHANNEL}"));
    alerts.bot.answer(Answer::Hang);
    let mut process = alerts.env.vcq(&["alert", "check"]).stdout(Stdio::null()).spawn().expect("the binary runs");
    let began = Instant::now();
    let first = loop {
        if let Some(body) = alerts.bot.take().pop() {
            break body;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was sent");
        std::thread::sleep(Duration::from_millis(20));
    };
    process.kill().expect("killed");
    process.wait().expect("ended");
    alerts.bot.answer(Answer::code(0, "success"));
    alerts.run(&["alert", "check"], 0);
    assert_eq!(alerts.bot.take().len(), 0, "the process might still be sending");
    alerts.env.advance_clocks(200);
    assert_eq!(alerts.sync_notes(), ["alerts: rule bad sent a message to it-ops"]);
    let again = alerts.bot.take();
    assert_eq!((again.len(), &again[0]["card"]), (1, &first["card"]));
    assert_eq!(alerts.history().len(), 1);
}

#[test]
fn hanging_channels_delay_a_sync_by_at_most_30_seconds_together_and_no_other_channel() {
    let alerts = Alerts::new();
    let began = Instant::now();
    assert_eq!(alerts.sync_notes(), [""; 0]);
    let without = began.elapsed();
    let rule = RULE.replace("['it-ops']", "['it-ops', 'file', 'slow', 'hook', 'mail']");
    let rules = [rule.clone(), rule.replace("'bad'", "'worse'"), rule.replace("'bad'", "'worst'")].concat();
    let file = "[channels.file]\nkind = 'command'\ncommand = ['sh', '-c', 'cat > message.json']\n";
    let slow = "[channels.slow]\nkind = 'command'\ncommand = ['sleep', '60']\n";
    let hook = "[channels.hook]\nkind = 'webhook'\nurl_file = 'bot-url'\n";
    let mail = format!(
        "[channels.mail]\nkind = 'email'\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\nfrom = 'a@example.com'\n\
         to = ['b@example.com']\n",
        alerts.bot.address.port()
    );
    alerts.configure(&format!("{rules}{CHANNEL}{file}{slow}{hook}{mail}"));
    alerts.bot.answer(Answer::Hang);
    let began = Instant::now();
    let notes = alerts.sync_notes();
    let took = began.elapsed();
    assert!(took < without + Duration::from_secs(33), "{took:?}, {without:?} without alerts");
    assert!(alerts.env.home().join("message.json").is_file(), "{notes:?}");
    let text = notes.join("\n");
    assert!(text.contains("did not answer within") && text.contains("did not end within 10 s"), "{text}");
    for channel in ["it-ops", "slow", "hook", "mail"] {
        let waiting = format!("channel {channel}: 2 more messages not sent yet, of the rules worse (1), worst (1)");
        assert!(text.contains(&waiting), "{channel}: {text}");
    }
    let mut states: Vec<String> =
        alerts.history().iter().map(|sent| format!("{} {}", sent["channel"], sent["state"])).collect();
    states.sort();
    states.dedup();
    let pending = ["hook", "it-ops", "mail", "slow"].map(|channel| format!("\"{channel}\" \"pending\""));
    assert_eq!(states[1..], pending);
    assert_eq!(states[0], "\"file\" \"sent\"");
}

#[test]
fn a_wrong_rule_is_refused_at_start_while_a_sync_says_it_and_uses_the_others() {
    let alerts = Alerts::new();
    for (wrong, named, meant) in [
        (RULE.replace("worst-participants", "worst-participant"), "there is no report", "worst-participants"),
        (RULE.replace("poor > 0", "por > 0"), "where names \"por\"", "poor"),
        (RULE.replace("['it-ops']", "['it-op']"), "there is no channel \"it-op\"", "it-ops"),
        (format!("{RULE}tops = 5\n"), "\"tops\" is neither a key of a rule nor a parameter", "top"),
        (RULE.replace("poor > 0", "poor > 0; drop table meetings"), "is not an SQL condition", ""),
        (RULE.replace("poor > 0", "exists (select 1 from meetings)"), "contains a subquery", ""),
        (format!("{RULE}[channels.chat]\nkind = 'fieshu'\n"), "is not a kind of channel", "feishu"),
        (format!("{RULE}[channels.chat]\nkind = 'webhook'\nurl_fil = 'x'\n"), "unknown key \"url_fil\"", "url_file"),
    ] {
        let good = RULE.replace("name = 'bad'", "name = 'good'");
        alerts.configure(&format!("{good}quiet_for = '0s'\n{wrong}{CHANNEL}"));
        let refused = alerts.run(&["alert", "check"], 2).stderr;
        let hint = if meant.is_empty() { "hint: ".to_owned() } else { format!("did you mean {meant}?") };
        assert!(refused.contains(named) && refused.contains(&hint), "{named}: {refused}");
        assert_eq!(alerts.bot.take().len(), 0, "nothing is sent");
        let doctor = alerts.run(&["doctor", "--json"], 2).summary();
        let check = doctor["checks"].as_array().expect("checks").last().expect("a check").clone();
        assert_eq!((check["name"].as_str(), check["state"].as_str()), (Some("alert_rules"), Some("failed")));
        assert!(check["found"].as_str().is_some_and(|found| found.contains(named)), "{check}");
        let notes = alerts.sync_notes();
        assert!(notes.iter().any(|note| note.contains(named)), "{notes:?}");
        assert!(notes.iter().any(|note| note.contains("rule good sent a message")), "{notes:?}");
        alerts.bot.take();
    }
    alerts.configure(CHANNEL);
    let none = alerts.run(&["alert", "check"], 2).stderr;
    assert!(none.contains("no alert rule is configured"), "{none}");
    assert_eq!(alerts.sync_notes(), [""; 0]);
}
