//! The man pages: complete, and rendered without warnings by the formatters that are installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::program::program;
use super::tests::run_with;
use crate::config::SETTINGS;
use crate::error::{EXIT_CODES, ExitCode};
use crate::text::Language;

fn man(words: &[&str]) -> String {
    let ended = run_with(&[&["man"], words].concat(), &[]);
    assert_eq!(ended.exit, ExitCode::Complete, "{words:?}: {}", ended.stderr);
    ended.stdout
}

/// The text of a page without escapes, fonts and line breaks.
fn plain(page: &str) -> String {
    let mut text = page.lines().collect::<Vec<_>>().join(" ");
    for (escape, shown) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fR", ""),
        ("\\&", ""),
        ("\\-", "-"),
        ("\\(aq", "'"),
        ("\\(dq", "\""),
        ("\\(ti", "~"),
        ("\\(rs", "\\"),
    ] {
        text = text.replace(escape, shown);
    }
    text
}

/// The words that lead to every command, and the command.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    let mut program = program(Language::English);
    program.build();
    let mut found = vec![(Vec::new(), program)];
    let mut at = 0;
    while let Some((words, command)) = found.get(at).cloned() {
        let inner = command.get_subcommands().filter(|inner| inner.get_name() != "help");
        found.extend(inner.map(|inner| ([&words[..], &[inner.get_name().to_owned()]].concat(), inner.clone())));
        at += 1;
    }
    found
}

#[test]
fn every_command_has_a_page_with_all_its_arguments() {
    let mut files = BTreeSet::from(["vcq.toml.5".to_owned()]);
    for (words, command) in commands() {
        let page = plain(&man(&words.iter().map(String::as_str).collect::<Vec<_>>()));
        let name = [&["vcq-etl".to_owned()], &words[..]].concat().join("-");
        assert!(page.starts_with(&format!(".TH \"{}\" 1 ", name.to_uppercase())), "{page}");
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let shown = match arg.get_long() {
                Some(long) => format!("--{long}"),
                None => arg.get_value_names().unwrap_or_default()[0].to_string(),
            };
            assert!(page.contains(&shown), "{shown} is not in {name}");
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            assert!(page.contains(&format!("{name}-{}(1)", inner.get_name())), "{page}");
        }
        files.insert(format!("{name}.1"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("man");
    assert_eq!(man(&["--out", out.to_str().expect("text")]), "");
    assert_eq!(written(&out), files);
    assert_eq!(std::fs::read_to_string(out.join("man1/vcq-etl-report-run.1")).expect("read"), man(&["report", "run"]));
}

fn written(folder: &Path) -> BTreeSet<String> {
    let files = |section: &str| std::fs::read_dir(folder.join(section)).expect("a folder");
    let names = files("man1").chain(files("man5")).map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_setting_has_a_text_for_its_variable_and_its_key() {
    let (program, file) = (plain(&man(&[])), plain(&man(&["vcq.toml"])));
    for setting in SETTINGS {
        let text = setting.help;
        for (page, term) in [
            (&program, format!("{}={} {text}", setting.variable(), setting.value_name)),
            (&file, format!("{} = {} {text}", setting.key, setting.value_name)),
        ] {
            assert!(page.contains(&term), "{term}\n{page}");
        }
        assert!(program.contains(&format!(
            "--{} {} {}",
            setting.flag(),
            setting.value_name,
            setting.help.trim_end_matches('.')
        )));
    }
    for exit in EXIT_CODES {
        assert!(program.contains(&format!(".TP {} {}", exit.code.number(), exit.meaning)), "{}", exit.name);
    }
}

#[test]
fn the_pages_are_in_the_language_of_the_settings_and_ascii() {
    let page = man(&["doctor", "--language", "zh"]);
    assert!(page.is_ascii() && page.contains(".SH \"\\[u9009]\\[u9879]\"\n"), "{page}");
    // 检查凭证
    assert!(page.contains("\\[u68C0]\\:\\[u67E5]\\:\\[u51ED]\\:"), "{page}");
    assert!(!page.contains("Check credentials") && page.contains("\\-\\-store"), "{page}");
}

#[test]
fn the_formatters_render_every_page_without_warnings() {
    for language in ["en", "zh"] {
        every_page_renders_without_warnings(language);
    }
}

fn every_page_renders_without_warnings(language: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    man(&["--out", folder.path().to_str().expect("text"), "--language", language]);
    for file in written(folder.path()) {
        let section = if file.ends_with(".5") { "man5" } else { "man1" };
        let path = folder.path().join(section).join(&file);
        for (formatter, arguments) in
            [("mandoc", &["-T", "lint", "-W", "style"][..]), ("groff", &["-man", "-ww", "-z", "-T", "utf8"])]
        {
            // Neither is part of every machine.
            let Ok(output) = Command::new(formatter).args(arguments).arg(&path).output() else { continue };
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert_eq!(said, "", "{formatter} {file}");
        }
    }
}
