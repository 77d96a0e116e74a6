//! Help in Chinese: complete, within the width, and with the same commands and flags.

use std::collections::BTreeSet;

use clap::Command;

use super::help::{in_language, looked_up};
use super::program::program;
use super::tests::run_with;
use crate::text::{Language, WIDTH, described as look_up, width};

/// The English help of every command, short and long, in lines that are not wrapped.
pub(super) fn helps() -> Vec<String> {
    fn add(helps: &mut Vec<String>, command: &Command) {
        helps.push(command.clone().render_help().to_string());
        helps.push(command.clone().render_long_help().to_string());
        command.get_subcommands().for_each(|inner| add(helps, inner));
    }
    let mut program = program(Language::Chinese);
    program.build();
    let mut helps = Vec::new();
    add(&mut helps, &program);
    helps
}

/// A text of words; commands, numbers and names are the same in both languages.
fn is_prose(text: &str) -> bool {
    text.contains(' ') && text.chars().any(char::is_alphabetic) && !text.starts_with("vcq-etl") || text.ends_with(':')
}

#[test]
fn every_text_of_the_help_has_a_chinese_form() {
    let texts: BTreeSet<String> = helps().iter().flat_map(|help| looked_up(help)).collect();
    let missing: Vec<&String> = texts.iter().filter(|text| is_prose(text) && look_up(text).is_none()).collect();
    let list: String = missing.iter().map(|text| format!("{text}\n")).collect();
    assert!(missing.is_empty(), "add to src/text/messages.tsv {} texts of the help:\n{list}", missing.len());
}

/// Three English words in a row are a text that no message fits, or that a message of other texts was put into.
#[test]
fn chinese_help_has_no_english_phrase() {
    let mut left = BTreeSet::new();
    for help in helps() {
        // Paragraphs, so that a phrase is not hidden by a line break.
        let chinese = in_language(Language::Chinese, &help).replace("\n          ", " ");
        let is_typed = |line: &&str| ["vcq-etl", "用法："].iter().any(|start| line.trim_start().starts_with(start));
        for line in chinese.lines().filter(|line| !is_typed(line)) {
            let line = line.replace("create temp table", "");
            let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
            let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
            if words.windows(3).any(|run| run.iter().all(is_word)) {
                left.insert(line.trim().to_owned());
            }
        }
    }
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn chinese_help_fits_the_width_and_names_the_same_flags() {
    for help in helps() {
        let chinese = in_language(Language::Chinese, &help);
        for line in chinese.lines().filter(|line| !line.contains("vcq-etl") && line.contains(' ')) {
            let is_one_word = line.split_whitespace().any(|word| width(word) > 40);
            assert!(width(line) <= WIDTH || is_one_word, "{} columns: {line}", width(line));
        }
        let flags = |text: &str| -> BTreeSet<String> {
            let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
        };
        assert_eq!(flags(&chinese), flags(&help), "{chinese}");
    }
}

#[test]
fn usage_errors_and_failures_are_in_the_language_of_the_locale() {
    let chinese = [("LANG", "zh_CN.UTF-8")];
    let said = |arguments: &[&str]| run_with(arguments, &chinese).stderr;
    let misspelt = said(&["snyc"]);
    assert!(misspelt.starts_with("错误：没有命令 'snyc'\n"), "{misspelt}");
    assert!(misspelt.contains("\n提示：是否想输入 sync？\n提示：可用的命令：init, sync"), "{misspelt}");
    let unknown = said(&["sync", "--no-such-flag"]);
    assert!(unknown.starts_with("错误：未知的参数 '--no-such-flag'\n"), "{unknown}");
    assert!(unknown.contains("\n用法：vcq-etl sync [选项]\n"), "{unknown}");
    let page = run_with(&["man", "sync"], &chinese).stdout;
    // Chinese in roff.
    assert!(page.contains("sync [\\[u9009]\\[u9879]]") && !page.contains("OPTIONS"), "{page}");
    let no_time = said(&["sync", "--since", "soon", "--access-token", "t-x"]);
    assert!(no_time.starts_with("错误：--since：\"soon\" 不是时间\n提示：可用的格式："), "{no_time}");
    assert!(run_with(&["snyc"], &[]).stderr.starts_with("error: unrecognized subcommand"));
}
