//! The program from the command line to the exit code, in this process: what is printed where.

use std::io;
use std::sync::{Arc, Mutex};

use std::ffi::OsString;
use std::io::Write;

use super::command::Context;
use super::console::Console;
use super::output::Output;
use super::program::{COMMANDS, program};
use super::{Process, run, sync, window};
use crate::config::{Config, LogFormat, SETTINGS};
use crate::error::{EXIT_CODES, ExitCode, Redactor};
use crate::load::Definitions;
use crate::schema::{TenantZone, ddl};
use crate::text::Language;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("buffer").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("buffer").clone()).expect("text")
    }
}

pub(super) struct Ended {
    pub(super) exit: ExitCode,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs the program in `folder` with this environment.
pub(super) fn run_in(folder: &std::path::Path, args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let (stdout, stderr) = (Buffer::default(), Buffer::default());
    let exit = run(Process {
        args: std::iter::once("vcq-etl").chain(args.iter().copied()).map(OsString::from).collect(),
        environment: environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        folder: folder.to_owned(),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
    });
    Ended { exit, stdout: stdout.text(), stderr: stderr.text() }
}

pub(super) fn run_with(args: &[&str], environment: &[(&str, &str)]) -> Ended {
    run_in(std::path::Path::new("/nowhere"), args, environment)
}

/// A store with the tables, their definitions and a reject, but nothing else.
pub(super) fn store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = duckdb::Connection::open(folder.path().join("vcq.duckdb")).expect("a database");
    connection.execute_batch(&ddl::script()).expect("tables");
    connection
        .execute_batch(
            "insert into rejects (table_name, row_key, column_name, raw_text, reason, meeting_date) values
                ('quality_samples', 'a@1', 'network_delay_ms', '=fast', 'unparsable', date '2026-11-02')",
        )
        .expect("rows");
    crate::report::fixture::install(&connection);
    let scripts = crate::report::scripts(crate::text::Language::English).expect("scripts");
    let sha256 = Definitions { scripts: &scripts, ..Definitions::NONE }.sha256();
    connection.execute("insert into meta (definitions_sha256) values (?)", [sha256]).expect("a row");
    folder
}

pub(super) fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().expect("text")
}

#[test]
fn the_command_line_is_valid() {
    program(Language::English).debug_assert();
}

#[test]
fn every_command_says_what_it_does() {
    // Begins with a verb.
    for entry in COMMANDS {
        let command = (entry.command)();
        let about = command.get_about().expect("a description").to_string();
        let verb = about.split(' ').next().unwrap_or_default();
        assert!(
            [
                "Check", "Copy", "Estimate", "Fetch", "Print", "Rebuild", "Remove", "Replace", "Run", "Show", "Sync",
                "Write"
            ]
            .contains(&verb),
            "{}: {about}",
            command.get_name()
        );
    }
}

#[test]
fn every_setting_is_a_flag() {
    for setting in SETTINGS {
        let flag = format!("--{}", setting.flag());
        let arg = program(Language::English).get_arguments().find(|arg| arg.get_id() == setting.key).cloned();
        let arg = arg.expect(setting.key);
        assert_eq!(arg.get_long(), Some(&flag[2..]));
        assert!(run_with(&["--help"], &[]).stdout.contains(&flag), "{flag} is not in the help");
    }
}

#[test]
fn help_accepts_a_help_flag() {
    let help = run_with(&["help", "sync"], &[]);
    assert_eq!(help.exit, ExitCode::Complete);
    for args in [&["help", "sync", "--help"], &["help", "-h", "sync"]] {
        assert_eq!(run_with(args, &[]).stdout, help.stdout);
    }
    assert_eq!(run_with(&["help", "--help"], &[]).stdout, run_with(&["--help"], &[]).stdout);
}

#[test]
fn help_fits_the_screen_and_is_complete() {
    let full = run_with(&["--help"], &[]);
    assert_eq!(full.exit, ExitCode::Complete);
    assert!(full.stdout.contains("VCQ_CALLS_PER_MINUTE") && full.stdout.contains("Examples:"));
    // The table of exit codes is complete, possibly wrapped.
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for exit in EXIT_CODES {
        assert!(words(&full.stdout).contains(&format!("{} {}", exit.code.number(), exit.meaning)), "{}", exit.name);
    }
    for args in [
        &["--help"][..],
        &["-h"],
        &["report", "--help"],
        &["report", "run", "--help"],
        &["report", "show", "-h"],
        &["report", "incident", "--help"],
        &["report", "user", "--help"],
        &["report", "meeting", "--help"],
        &["query", "--help"],
        &["buildings", "--help"],
        &["buildings", "import", "--help"],
        &["buildings", "check", "--help"],
        &["schema", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["sync", "--help"],
        &["plan", "--help"],
        &["plan", "-h"],
        &["status", "--help"],
        &["demo", "--help"],
        &["doctor", "--help"],
        &["init", "--help"],
        &["init", "-h"],
        &["simulate", "--help"],
    ] {
        let help = run_with(args, &[]).stdout;
        assert!(!help.is_empty(), "{args:?}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
}

#[test]
fn every_example_is_a_valid_command_line() {
    let examples = COMMANDS.iter().flat_map(|entry| entry.examples);
    for (typed, does) in examples {
        // The shell syntax behind the command is not part of it.
        let ours = typed.split([';', '|', '>']).next().unwrap_or_default();
        // A quoted argument is one word.
        let parts = ours.split('"').enumerate();
        let words = parts.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        let taken = program(Language::English).try_get_matches_from(words);
        assert!(taken.is_ok(), "{typed}: {}", taken.err().map(|error| error.to_string()).unwrap_or_default());
        assert!(does.is_empty() || typed.len().max(46) + does.len() <= 76, "{typed}");
    }
}

#[test]
fn settings_of_the_api_are_not_in_the_help_of_a_report() {
    let help = run_with(&["report", "run", "--help"], &[]).stdout;
    assert!(help.contains("--store") && !help.contains("--app-secret"), "{help}");
    let plain = run_with(&["schema", "--help"], &[]).stdout;
    assert!(!plain.contains("--store"), "{plain}");
}

#[test]
fn without_a_command_help_is_a_usage_error() {
    let ended = run_with(&[], &[]);
    assert_eq!((ended.exit, ended.stdout.as_str()), (ExitCode::Usage, ""));
    assert!(ended.stderr.contains("Usage: vcq-etl"));
}

#[test]
fn usage_errors_suggest_and_keep_secrets() {
    let ended = run_with(&["reprot"], &[]);
    assert_eq!(ended.exit, ExitCode::Usage);
    assert!(ended.stderr.starts_with("error: ") && ended.stderr.contains("'report'"), "{}", ended.stderr);

    let ended = run_with(&["scema"], &[]);
    assert!(ended.stderr.contains("hint: did you mean schema?\nhint: the commands are "), "{}", ended.stderr);
    let ended = run_with(&["--quiet", "report", "rn"], &[]);
    assert!(
        ended.stderr.ends_with(
            "hint: did you mean run?\nhint: the commands are list, show, run, incident, user, meeting, html, export\n"
        ),
        "{}",
        ended.stderr
    );

    let ended = run_with(&["report", "list", "hunter22"], &[("VCQ_APP_SECRET", "hunter22")]);
    assert_eq!(ended.exit, ExitCode::Usage);
    assert!(!ended.stderr.contains("hunter22") && ended.stderr.contains("[hidden]"), "{}", ended.stderr);
    let ended = run_with(&["--app-secret", "hunter22", "report", "list", "hunter22"], &[]);
    assert!(!ended.stderr.contains("hunter22"), "{}", ended.stderr);
}

#[test]
fn a_usage_error_respects_the_json_format() {
    for (args, environment) in [
        (&["--log-format", "json", "reprot"][..], &[][..]),
        (&["--log-format=json", "reprot"], &[]),
        (&["reprot"], &[("VCQ_LOG_FORMAT", "json")]),
        (&["report", "list"], &[("VCQ_LOG_FORMAT", "json"), ("VCQ_THREADS", "none")]),
    ] {
        let ended = run_with(args, environment);
        let line: serde_json::Value = serde_json::from_str(&ended.stderr).expect("one object");
        assert_eq!((ended.exit, &line["exit_code"]), (ExitCode::Usage, &2.into()), "{args:?}");
    }
}

#[test]
fn version_names_engine_and_tables() {
    let ended = run_with(&["--version"], &[]);
    assert_eq!(ended.exit, ExitCode::Complete);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("vcq-etl ") && lines[1].starts_with("DuckDB v1.") && lines[2].starts_with("schema "));
}

#[test]
fn settings_reach_a_command_from_every_layer() {
    let folder = store();
    let by_variable = run_with(&["report", "run", "unread-values"], &[("VCQ_STORE", path(&folder))]);
    assert_eq!(by_variable.exit, ExitCode::Complete, "{}", by_variable.stderr);
    let before = run_with(&["--store", path(&folder), "report", "run", "unread-values"], &[("VCQ_STORE", "/nowhere")]);
    assert_eq!(before.exit, ExitCode::Complete, "{}", before.stderr);
    std::fs::write(folder.path().join("vcq.toml"), format!("store = {:?}", path(&folder))).expect("written");
    let by_file = run_in(folder.path(), &["report", "run", "unread-values"], &[]);
    assert_eq!(by_file.exit, ExitCode::Complete, "{}", by_file.stderr);
    std::fs::write(folder.path().join("vcq.toml"), "stoer = 1").expect("written");
    let slip = run_in(folder.path(), &["report", "list"], &[]);
    assert_eq!(slip.exit, ExitCode::Usage);
    assert!(slip.stderr.contains("did you mean store?"), "{}", slip.stderr);
    // Commands that need no settings work if these are invalid.
    assert_eq!(run_in(folder.path(), &["schema"], &[]).exit, ExitCode::Complete);
}

#[test]
fn a_misspelt_variable_is_a_warning() {
    let ended = run_with(&["report", "list"], &[("VCQ_TREADS", "4")]);
    assert_eq!(ended.exit, ExitCode::Complete);
    assert_eq!(ended.stderr, "warning: VCQ_TREADS is not a setting and is ignored; did you mean VCQ_THREADS?\n");
}

#[test]
fn schema_completions_and_man_are_printed() {
    assert!(run_with(&["schema"], &[]).stdout.starts_with("# The tables"));
    assert!(run_with(&["schema", "--format", "sql"], &[]).stdout.contains("create table meetings"));
    let json = run_with(&["schema", "--format", "json"], &[]).stdout;
    assert!(serde_json::from_str::<serde_json::Value>(&json).expect("json")["tables"].is_array());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run_with(&["completions", shell], &[]).stdout.contains("vcq-etl"), "{shell}");
    }
    let unknown = run_with(&["man", "nothing"], &[]);
    assert!(unknown.exit == ExitCode::Usage && unknown.stderr.contains("report run"), "{}", unknown.stderr);
}

fn sync_args(args: &[&str]) -> Result<sync::SyncArgs, clap::Error> {
    let all = ["vcq-etl", "sync"].into_iter().chain(args.iter().copied());
    program(Language::English).try_get_matches_from(all).map(|matches| {
        let (_, arguments) = matches.subcommand().expect("sync was given");
        super::command::parsed(arguments)
    })
}

#[test]
fn sync_takes_the_arguments_of_the_contract() {
    let args = sync_args(&[
        "--since",
        "2d",
        "--until",
        "today",
        "--refetch",
        "--meeting-no",
        "705605196",
        "123456789",
        "--meeting-no",
        "987654321",
        "--max-calls",
        "100",
        "--finish-by",
        "06:30",
        "--summary",
        "json",
    ])
    .expect("arguments");
    assert_eq!(args.window.meeting_no, ["705605196", "123456789", "987654321"]);
    assert_eq!(
        (args.window.refetch, args.max_calls, args.summary),
        (true, Some(100), Some(super::command::TextOrJson::Json))
    );
    let zone = TenantZone::parse("+08:00").expect("zone");
    let now_us = 1_795_397_400_000_000;
    assert!(
        window::Window::parse(
            args.window.since.as_deref().expect("given"),
            args.window.until.as_deref(),
            &zone,
            now_us
        )
        .is_ok()
    );
    let finish_by = args.finish_by.expect("a time");
    assert_eq!(window::finish_by(&finish_by, &zone, now_us), Ok(now_us + 21 * 3_600_000_000));

    assert!(sync_args(&[]).is_err(), "--since is required");
    assert!(sync_args(&["--since", "2d", "--meeting-no", "70560519"]).is_err());
    assert!(sync_args(&["--since", "2d", "--max-calls", "many"]).is_err());
}

#[test]
fn quiet_suppresses_the_default_summary() {
    use super::command::TextOrJson::{Json, Text};
    assert_eq!(sync::summary_format(None, false), Some(Text));
    assert_eq!(sync::summary_format(None, true), None);
    assert_eq!(sync::summary_format(Some(Json), true), Some(Json));
}

#[test]
fn a_context_redacts_the_secrets() {
    let sources = crate::config::Sources {
        flags: [("access_token", "t-hunter22".to_owned())].into(),
        ..crate::config::Sources::default()
    };
    let config = Config::load(&sources).expect("config");
    let console = Console::new(Box::new(Buffer::default()), LogFormat::Plain, false, Redactor::default());
    let context = Context::new(config, console, Output::new(Box::new(Buffer::default())), None);
    assert_eq!(context.console.redactor().redact("t-hunter22"), "[hidden]");
}
