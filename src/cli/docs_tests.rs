//! Documents that are generated from data. `UPDATE=1` writes them; otherwise a difference fails the test.

use std::path::{Path, PathBuf};

use crate::config;
use crate::error::exit_code::markdown as exit_codes_markdown;

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
    check("docs/SCHEMA.md", &super::schema::markdown().expect("a dictionary"));
}

#[test]
fn the_settings_are_up_to_date() {
    check("docs/SETTINGS.md", &config::settings::markdown());
}

#[test]
fn the_readme_has_the_exit_codes() {
    let readme = std::fs::read_to_string(project("README.md")).expect("README.md is there");
    let start = readme.find("| exit | meaning |").expect("README.md has a table of exit codes");
    let end = readme[start..].find("\n\n").map_or(readme.len(), |length| start + length + 1);
    check("README.md", &format!("{}{}{}", &readme[..start], exit_codes_markdown(), &readme[end..]));
}
