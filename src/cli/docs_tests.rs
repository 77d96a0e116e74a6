//! Documents that are generated from data. `UPDATE=1` writes them; otherwise a difference fails the test.

use std::path::{Path, PathBuf};

use crate::config;
use crate::error::exit_code::{markdown as exit_codes_markdown, worst_first};
use crate::text::Language;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn check(path: &str, text: &str) {
    let file = project(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder");
        std::fs::write(&file, text).expect("written");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == text, "{path} is out of date; update it with: UPDATE=1 cargo test --release --lib docs");
}

#[test]
fn the_data_dictionary_is_up_to_date() {
    for (language, path) in [(Language::English, "docs/SCHEMA.md"), (Language::Chinese, "docs/zh-CN/SCHEMA.md")] {
        check(path, &super::schema::markdown(language).expect("a dictionary"));
    }
}

#[test]
fn the_settings_are_up_to_date() {
    check("docs/SETTINGS.md", &config::settings::markdown(Language::English));
    check("docs/zh-CN/SETTINGS.md", &config::settings::markdown(Language::Chinese));
}

/// Replaces the table that begins with `head` and ends with an empty line.
fn check_table(path: &str, head: &str, table: &str) {
    let text = std::fs::read_to_string(project(path)).expect("it is there");
    let start = text.find(head).unwrap_or_else(|| panic!("{path} has no table {head}"));
    let end = text[start..].find("\n\n").map_or(text.len(), |length| start + length + 1);
    check(path, &format!("{}{table}{}", &text[..start], &text[end..]));
}

#[test]
fn the_readme_has_the_exit_codes() {
    check_table("README.md", "| exit | meaning |", &exit_codes_markdown(Language::English));
    check_table("README.zh-CN.md", "| 退出码 | 含义 |", &exit_codes_markdown(Language::Chinese));
    for (path, separator) in [("README.md", ", "), ("README.zh-CN.md", "、")] {
        let order = worst_first(separator);
        let text = std::fs::read_to_string(project(path)).expect("it is there");
        assert!(text.contains(&order), "{path} does not have the order of the exit codes: {order}");
    }
}

#[test]
fn the_docs_of_alerts_have_the_codes_of_the_bot() {
    let table = crate::alerts::bot_codes_markdown;
    check_table("docs/ALERTS.md", "| answer of a Feishu bot |", &table(Language::English));
    check_table("docs/zh-CN/ALERTS.md", "| 飞书机器人的返回码 |", &table(Language::Chinese));
}

#[test]
fn the_docs_of_personal_data_have_every_personal_column() {
    check_table("docs/PRIVACY.md", "| what | columns |", &crate::personal_data::reference::markdown());
}
