//! The nightly run as a service and a timer of systemd, for the whole system or for one user.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::files::{NewFile, check_new, check_text};
use crate::config::Sources;
use crate::error::{ExitCode, Failure};
use crate::text::{Language, translations};

const SERVICE: &str = include_str!("../../../packaging/systemd/vcq-etl.service");
/// What the service starts when it fails.
const ALERT: &str = include_str!("../../../packaging/systemd/vcq-etl-alert.service");
const TIMER: &str = include_str!("../../../packaging/systemd/vcq-etl.timer");
/// The end of both services.
const HARDENING: &str = include_str!("../../../packaging/systemd/hardening.conf");
/// The line in it that begins what only the system's manager can apply.
const SYSTEM_ONLY: &str = "\n# Only the system's service manager";
/// Their comments.
const CHINESE: &str = include_str!("../../../packaging/systemd/chinese.tsv");
const TIMER_NAME: &str = "vcq-etl.timer";
const NAMES: [&str; 3] = ["vcq-etl.service", "vcq-etl-alert.service", TIMER_NAME];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    User,
    System,
}

/// The words of the service, as absolute paths.
pub(super) struct Words<'a> {
    pub program: &'a str,
    pub config: &'a str,
    pub store: &'a str,
    pub state_folder: &'a str,
}

impl Manager {
    /// Root installs for the system, everybody else for themselves.
    pub(super) fn of_this_user() -> Manager {
        if rustix::process::geteuid().is_root() { Manager::System } else { Manager::User }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Manager::User => "user",
            Manager::System => "system",
        }
    }

    fn folder(self, sources: &Sources) -> Result<PathBuf, Failure> {
        if self == Manager::System {
            return Ok(PathBuf::from("/etc/systemd/system"));
        }
        let config = sources.path_in("XDG_CONFIG_HOME").or_else(|| Some(sources.path_in("HOME")?.join(".config")));
        let folder = config.ok_or_else(|| Failure::new(ExitCode::Usage, "HOME is not set").hint(USE_CRON))?;
        check_text(&folder)?;
        Ok(folder.join("systemd/user"))
    }

    /// The paths of the services and of the timer; an error if one of them exists.
    pub(super) fn places(self, sources: &Sources) -> Result<[PathBuf; 3], Failure> {
        let folder = self.folder(sources)?;
        let places = NAMES.map(|name| folder.join(name));
        places.iter().try_for_each(|place| check_new(place))?;
        Ok(places)
    }

    /// Returns an error if the service manager cannot be reached.
    pub(super) fn check(self) -> Result<(), Failure> {
        self.systemctl(&["show", "--property=Version"]).map_err(|why| {
            let failure = Failure::new(
                ExitCode::Usage,
                "the service manager of systemd cannot be reached, and nothing was written",
            );
            let failure = Failure { causes: vec![why], ..failure };
            let failure = match self {
                Manager::System => failure,
                Manager::User => failure.hint(
                    "log in as this user instead of with su or sudo, or run: sudo loginctl enable-linger $USER; \
                     export XDG_RUNTIME_DIR=/run/user/$(id -u)",
                ),
            };
            failure.hint(USE_CRON)
        })
    }

    /// Starts the timer. Its files are written.
    pub(super) fn enable(self) -> Result<(), Failure> {
        let enable = ["enable", "--now", TIMER_NAME];
        self.systemctl(&["daemon-reload"]).and_then(|()| self.systemctl(&enable)).map_err(|why| {
            let failure = Failure::new(ExitCode::Usage, format!("{TIMER_NAME} was written but could not be started"));
            let command = self.command();
            Failure { causes: vec![why], ..failure }
                .hint(format!("run: {command} daemon-reload && {command} {}", enable.join(" ")))
        })
    }

    /// Lets the timer of a user run while the user is not logged in.
    pub(super) fn linger(self) -> Result<(), Failure> {
        if self == Manager::System {
            return Ok(());
        }
        run(Command::new("loginctl").arg("enable-linger")).map_err(|why| {
            let failure = Failure::new(ExitCode::Usage, format!("{TIMER_NAME} runs only while you are logged in"));
            Failure { causes: vec![why], ..failure }.hint("run: sudo loginctl enable-linger $USER")
        })
    }

    fn systemctl(self, arguments: &[&str]) -> Result<(), String> {
        let mut words = self.command().split(' ');
        run(Command::new(words.next().unwrap_or_default()).args(words).args(arguments))
    }

    pub(super) fn command(self) -> &'static str {
        match self {
            Manager::User => "systemctl --user",
            Manager::System => "systemctl",
        }
    }
}

const USE_CRON: &str = "without --timer, vcq-etl init prints a line for cron instead";

/// Runs a command to its end; an error is its output.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.stdin(Stdio::null()).output() {
        Err(error) => Err(format!("could not run {name}: {error}")),
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(if said.is_empty() { format!("{name}: {}", output.status) } else { said })
        }
    }
}

/// The services and the timer, with comments in a language.
pub(super) fn units(
    manager: Manager,
    [service, alert, timer]: [PathBuf; 3],
    words: &Words<'_>,
    language: Language,
) -> [NewFile; 3] {
    let hardening = match (manager, HARDENING.split_once(SYSTEM_ONLY)) {
        (Manager::User, Some((for_all, _))) => for_all,
        _ => HARDENING,
    };
    let state_home = Path::new(words.state_folder).parent().unwrap_or(Path::new("/"));
    // The dollar sign begins a variable in a command only.
    let in_command = |text: &str| word(text).replace('$', "$$");
    let filled = |text: &str| {
        commented(&format!("{text}{hardening}"), language)
            .replace("{program}", &in_command(words.program))
            .replace("{config}", &in_command(words.config))
            .replace("{state_home}", &word(&format!("XDG_STATE_HOME={}", state_home.display())))
            .replace("{writable}", &format!("{} {}", word(words.store), word(words.state_folder)))
    };
    let file = |path, text| NewFile { path, text, is_public: true, stands_for: None };
    [file(service, filled(SERVICE)), file(alert, filled(ALERT)), file(timer, commented(TIMER, language))]
}

/// A unit with its comments in a language.
fn commented(unit: &str, language: Language) -> String {
    if language == Language::English {
        return unit.to_owned();
    }
    let chinese = |comment: &str| translations(CHINESE).find(|(english, _)| *english == comment).map(|(_, text)| text);
    let line = |line: &str| match line.strip_prefix("# ").and_then(chinese) {
        Some(comment) => format!("# {comment}\n"),
        None => format!("{line}\n"),
    };
    unit.lines().map(line).collect()
}

/// A word of a unit file, quoted if necessary. A percent sign begins a specifier.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '=');
    let text = text.replace('%', "%%");
    if text.chars().all(|c| plain(c) || c == '%') {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::EXIT_CODES;

    fn texts(manager: Manager, words: &Words<'_>) -> [String; 3] {
        units(manager, NAMES.map(PathBuf::from), words, Language::English).map(|file| file.text)
    }

    const WORDS: Words<'_> = Words {
        program: "/bin/true",
        config: r#"/srv/会议 "x" \ 100% $HOME/vcq.toml"#,
        store: "/srv/a store",
        state_folder: "/home/ops/.local/state/vcq-etl",
    };

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        let [service, alert, _] = texts(Manager::System, &WORDS);
        let line = |begin: &str| service.lines().find(|line| line.starts_with(begin)).unwrap_or_default().to_owned();
        insta::assert_snapshot!(
            line("ExecStart="),
            @r#"ExecStart=/bin/true sync --since last --config "/srv/会议 \"x\" \\ 100%% $$HOME/vcq.toml" --quiet --summary json"#
        );
        assert_eq!(line("ReadWritePaths="), "ReadWritePaths=\"/srv/a store\" /home/ops/.local/state/vcq-etl");
        assert_eq!(line("Environment="), "Environment=XDG_STATE_HOME=/home/ops/.local/state");
        assert!(!service.contains('{'), "{service}");
        assert!(service.contains("\nOnFailure=vcq-etl-alert.service\n"), "{service}");
        let failed = r#"100%% $$HOME/vcq.toml" --status ${MONITOR_EXIT_STATUS}"#;
        assert!(alert.contains(failed) && alert.contains("\nProtectSystem=strict\n"), "{alert}");
    }

    #[test]
    fn a_message_is_sent_after_faults_only() {
        let line = SERVICE.lines().find_map(|line| line.strip_prefix("SuccessExitStatus=")).expect("the setting");
        let known = EXIT_CODES.iter().filter(|info| info.code != ExitCode::Complete && !info.is_fault());
        assert_eq!(line, known.map(|info| info.code.number().to_string()).collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn every_comment_is_in_the_language_of_the_user() {
        let files = units(Manager::System, NAMES.map(PathBuf::from), &WORDS, Language::Chinese);
        let mut comments = std::collections::BTreeSet::new();
        for (file, english) in files.iter().zip(texts(Manager::System, &WORDS)) {
            let settings =
                |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
            assert_eq!(settings(&file.text), settings(&english), "only comments differ");
            for (line, english) in file.text.lines().zip(english.lines()).filter(|(_, line)| line.starts_with('#')) {
                assert!(line.starts_with("# ") && line != english, "no Chinese for {english}");
                comments.insert(english.to_owned());
            }
        }
        assert_eq!(comments.len(), translations(CHINESE).count(), "every comment of chinese.tsv is in a unit");
    }

    #[test]
    fn a_user_gets_only_what_the_user_can_apply() {
        let [service, alert, timer] = texts(Manager::User, &WORDS);
        for service in [service, alert] {
            assert!(service.contains("NoNewPrivileges=yes") && service.contains("\nExecStart="), "{service}");
            for word in ["ProtectSystem", "ReadWritePaths", "network-online", "CapabilityBoundingSet"] {
                assert!(!service.contains(word), "{word}");
            }
        }
        assert_eq!(timer, TIMER);
    }

    /// The units as systemd itself reads them, on a machine that has it.
    #[test]
    fn systemd_accepts_the_units_and_calls_them_hardened() {
        let folder = tempfile::tempdir().expect("a folder");
        let units = NAMES.map(|name| folder.path().join(name));
        for manager in [Manager::User, Manager::System] {
            for (path, text) in units.iter().zip(texts(manager, &WORDS)) {
                std::fs::write(path, text).expect("written");
            }
            let analyze =
                |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).args(&units[..2]).output();
            let Ok(verified) = analyze(&["verify", "--man=no"]) else { return };
            let said = String::from_utf8_lossy(&verified.stderr);
            assert!(verified.status.success() && !said.contains("vcq-etl"), "{said}");
            // From 0 (safe) to 100.
            let limit = if manager == Manager::System { "25" } else { "80" };
            let threshold = format!("--threshold={limit}");
            let judged = analyze(&["security", "--offline=true", "--no-pager", &threshold]).expect("runs");
            assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stdout));
        }
    }

    #[test]
    fn a_command_that_fails_says_why() {
        assert_eq!(run(&mut Command::new("true")), Ok(()));
        let why = run(Command::new("sh").args(["-c", "echo no bus >&2; exit 1"]));
        assert_eq!(why, Err("no bus".to_owned()));
        assert!(run(&mut Command::new("/nowhere/systemctl")).is_err_and(|why| why.contains("/nowhere/systemctl")));
    }
}
