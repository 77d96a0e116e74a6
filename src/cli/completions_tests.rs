//! The completion scripts in the shells themselves: bash always, zsh and fish where they are installed.

use std::process::Command;

use tempfile::TempDir;

use super::program::program;
use super::tests::run_with;
use crate::report::{Catalogue, PROFILES};
use crate::text::Language;

/// A folder with the script of a shell, which must be installed.
struct Completion {
    folder: TempDir,
    shell: &'static str,
}

impl Completion {
    /// Nothing if the shell is not installed.
    fn of(shell: &'static str) -> Option<Completion> {
        let version = Command::new(shell).arg("--version").output();
        if !version.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let script = run_with(&["completions", shell], &[]).stdout;
        std::fs::write(folder.path().join("script"), script).expect("written");
        Some(Completion { folder, shell })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("timeout");
        command.args(["60", self.shell]).args(arguments.iter().take_while(|word| **word != "-c"));
        command.args(["-c", program]).args(arguments.iter().skip_while(|word| **word != "-c").skip(1));
        let output = command.env("HOME", self.folder.path()).current_dir(self.folder.path()).output().expect("runs");
        String::from_utf8(output.stdout).expect("text")
    }

    fn script(&self) -> String {
        self.folder.path().join("script").to_str().expect("text").to_owned()
    }
}

/// The words that bash offers for the last of these.
fn bash(completion: &Completion, words: &[&str]) -> Vec<String> {
    let program = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                   _vcq__etl \"$1\" \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"; \
                   printf '%s\\n' \"${COMPREPLY[@]}\"";
    let script = completion.script();
    let arguments: Vec<&str> =
        ["--norc", "--noprofile", "-c", &script, "vcq-etl"].iter().chain(words).copied().collect();
    completion.run(program, &arguments).lines().map(str::to_owned).collect()
}

fn report_names() -> Vec<String> {
    Catalogue::built_in().expect("reports").reports().iter().map(|report| report.name.clone()).collect()
}

/// Every command but `help` with the words that lead to it.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    fn add(command: &clap::Command, words: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
        found.push((words.to_vec(), command.clone()));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            add(inner, &[words, &[inner.get_name().to_owned()]].concat(), found);
        }
    }
    let mut program = program(Language::English);
    program.build();
    let mut found = Vec::new();
    add(&program, &[], &mut found);
    found
}

#[test]
fn bash_completes_every_command_and_flag() {
    let completion = Completion::of("bash").expect("bash is installed");
    for (words, command) in commands() {
        let offered = |last: &str| {
            let words: Vec<&str> = words.iter().map(String::as_str).chain([last]).collect();
            bash(&completion, &words)
        };
        let all = offered("");
        for inner in command.get_subcommands() {
            assert!(all.iter().any(|word| word == inner.get_name()), "{words:?}: {all:?}");
        }
        let flags = offered("--");
        for long in command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(clap::Arg::get_long) {
            assert!(flags.contains(&format!("--{long}")), "{words:?} --{long}: {flags:?}");
        }
    }
}

#[test]
fn bash_completes_reports_and_profiles() {
    let completion = Completion::of("bash").expect("bash is installed");
    let offered = |words: &[&str]| bash(&completion, words);
    for command in ["run", "show"] {
        let all = offered(&["report", command, ""]);
        assert!(report_names().iter().all(|name| all.contains(name)), "{all:?}");
        assert_eq!(offered(&["report", command, "worst-m"]), ["worst-meetings"]);
    }
    let profiles: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(offered(&["report", "run", "coverage", "--profile", ""]), profiles);
    assert_eq!(offered(&["report", "html", "--profile", "s"]), ["strict"]);
    assert_eq!(offered(&["sync", "--also", "r"]), ["rooms", "room_alerts", "reservations"]);
    // Bash splits at the equals sign.
    assert_eq!(offered(&["report", "html", "--profile", "=", "s"]), ["strict"]);
    assert_eq!(offered(&["report", "run", "coverage", "--format", "par"]), ["parquet"]);
    assert_eq!(offered(&["--store", "x", "report", "run", "coverage", "--profile", "str"]), ["strict"]);
    assert_eq!(offered(&["man", "buil"]), ["buildings"]);
}

/// What zsh makes of a line when Tab is pressed at its end: the words that the program gets.
fn zsh(completion: &Completion, line: &str) -> String {
    let program = "zmodload zsh/zpty; zpty shell zsh -f -i; \
        zpty -w shell \"PS1=; autoload -Uz compinit; compinit -u -D; source $1; \
            vcq-etl() { print -r -- \\\"GO\\\"\\\"T<\\$*>\\\" }; print \\\"REA\\\"\\\"DY\\\"\"; \
        zpty -r shell out '*READY*'; zpty -w -n shell \"$2\"$'\\t\\n'; zpty -r shell out '*GOT<*>*'; \
        print -r -- \"${${out##*GOT<}%%>*}\"; zpty -d shell";
    completion.run(program, &["-f", "-c", "zsh", &completion.script(), line]).trim_end().to_owned()
}

#[test]
fn zsh_completes_reports_and_profiles() {
    let Some(completion) = Completion::of("zsh") else { return };
    for (typed, completed) in [
        ("vcq-etl report run worst-m", "report run worst-meetings"),
        ("vcq-etl report show threshold", "report show threshold-sheet"),
        ("vcq-etl report run coverage --profile hua", "report run coverage --profile huawei-red"),
        ("vcq-etl report html --profile str", "report html --profile strict"),
        ("vcq-etl sync --meeting", "sync --meeting-no"),
        ("vcq-etl buil", "buildings"),
    ] {
        assert_eq!(zsh(&completion, typed), completed, "{typed}");
    }
}

/// The words that fish offers at the end of a line.
fn fish(completion: &Completion, line: &str) -> Vec<String> {
    let program = "source $argv[1]; complete -C $argv[2]";
    let offered = completion.run(program, &["--no-config", "-c", &completion.script(), line]);
    offered.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn fish_completes_reports_and_profiles() {
    let Some(completion) = Completion::of("fish") else { return };
    let offered = |line: &str| fish(&completion, line);
    for command in ["run", "show"] {
        let mut found = offered(&format!("vcq-etl report {command} "));
        let mut names = report_names();
        found.sort();
        names.sort();
        assert_eq!(found, names);
    }
    assert_eq!(offered("vcq-etl --store x report run worst-m"), ["worst-meetings"]);
    let mut profiles = offered("vcq-etl report run coverage --profile ");
    profiles.sort();
    assert_eq!(profiles, ["cqd", "custom", "huawei-red", "strict"]);
    assert_eq!(offered("vcq-etl report html --profile=str"), ["--profile=strict"]);
    assert_eq!(offered("vcq-etl sync --meeting"), ["--meeting-no"]);
    assert_eq!(offered("vcq-etl completions zs"), ["zsh"]);
    assert_eq!(offered("vcq-etl man buil"), ["buildings"]);
}
