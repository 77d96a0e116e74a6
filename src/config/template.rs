//! The text of a new `vcq.toml`: every setting with its help, those without a value commented out. Comments are in the
//! language of whoever writes the file.

use std::collections::BTreeMap;

use super::settings::{Group, Kind, SETTINGS, Setting};
use crate::text::{Language, described, wrap_in};

/// Width of the comments, without the `# `.
const COMMENT_WIDTH: usize = 98;

const HEADING: &str = "Settings of vcq-etl, written by vcq-etl init. A line such as #threads = 2 shows a setting that \
                       is not set: remove the # to set it. Flags and variables (--threads, VCQ_THREADS) take \
                       precedence over this file. Relative paths are relative to the directory of this file.";

const ALERTS: &str = "Alert rules ([[alerts]]), their channels ([channels.NAME]) and tenants ([tenants.NAME]) come after \
                      the settings; docs/ALERTS.md and docs/SCALE.md describe them.";

/// A file with these values, by key. A setting without one is shown with its default, or with the name of its value.
/// Settings that are secrets are left out: they belong in a file of their own.
pub(crate) fn template(values: &BTreeMap<&'static str, String>, language: Language) -> String {
    let comment = |english: &str| comment(english, language);
    let mut text = comment(HEADING);
    for group in Group::ALL {
        text.push_str(&format!("\n\n## {}\n", language.say(group.heading())));
        for setting in SETTINGS.iter().filter(|setting| setting.group == group && !setting.secret) {
            text.push_str(&format!("\n{}", comment(setting.help)));
            let line = match values.get(setting.key) {
                Some(value) => assignment(setting, value),
                None if setting.default.is_empty() => format!("#{}", assignment(setting, setting.value_name)),
                None => format!("#{}", assignment(setting, setting.default)),
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    format!("{text}\n\n{}", comment(ALERTS))
}

fn comment(english: &str, language: Language) -> String {
    let text = language.pick(None, described(english)).unwrap_or_else(|| english.to_owned());
    wrap_in(language, &text, COMMENT_WIDTH).iter().map(|line| format!("# {line}\n")).collect()
}

fn assignment(setting: &Setting, value: &str) -> String {
    let value = value.trim();
    let is_bare = match setting.kind {
        // Not "+5" nor "05", which TOML reads differently or not at all.
        Kind::Count { .. } => value.parse::<u64>().is_ok_and(|number| number.to_string() == value),
        Kind::Switch => matches!(value, "true" | "false"),
        _ => false,
    };
    format!("{} = {}", setting.key, if is_bare { value.to_owned() } else { quoted(value) })
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Sources};
    use crate::text::width;

    /// The file with every setting set.
    fn uncommented(text: &str) -> toml::Table {
        let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && !line.starts_with("##");
        let lines = text.lines().map(|line| if is_setting(&line) { &line[1..] } else { line });
        lines.collect::<Vec<_>>().join("\n").parse().expect("TOML")
    }

    #[test]
    fn every_setting_but_the_secrets_is_shown_with_its_help_and_its_default() {
        let text = template(&BTreeMap::new(), Language::English);
        assert!(text.parse::<toml::Table>().expect("TOML").is_empty(), "nothing is set");
        let set = uncommented(&text);
        let mut keys: Vec<&str> =
            SETTINGS.iter().filter(|setting| !setting.secret).map(|setting| setting.key).collect();
        keys.sort_unstable();
        assert_eq!(set.keys().map(String::as_str).collect::<Vec<_>>(), keys);
        let words = |text: &str| text.replace("# ", "").split_whitespace().collect::<Vec<_>>().join(" ");
        let shown = words(&text);
        for setting in SETTINGS.iter().filter(|setting| !setting.secret) {
            let example = if setting.default.is_empty() { setting.value_name } else { setting.default };
            let value = match &set[setting.key] {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                other => panic!("{}: {}", setting.key, other.type_str()),
            };
            assert_eq!(value, example, "{}", setting.key);
            assert!(shown.contains(&format!("{} #{} =", words(setting.help), setting.key)), "{}", setting.key);
        }
        assert!(text.lines().all(|line| line.chars().count() <= COMMENT_WIDTH + 2));
    }

    #[test]
    fn every_comment_has_a_chinese_form_and_the_settings_are_the_same() {
        let [english, chinese] =
            [Language::English, Language::Chinese].map(|language| template(&BTreeMap::new(), language));
        assert_eq!(uncommented(&english), uncommented(&chinese));
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let blocks: Vec<&str> = chinese.split("\n\n").filter(|block| !block.is_empty()).collect();
        assert!(blocks.len() > SETTINGS.len() / 2, "{chinese}");
        for block in blocks {
            let (comment, setting): (Vec<&str>, Vec<&str>) =
                block.trim().lines().partition(|line| line.starts_with("# ") || line.starts_with("##"));
            assert!(is_chinese(&comment.concat()), "{block}");
            // An example such as NAME stands for a value; it is not a sentence.
            assert!(setting.len() <= 1 && !setting.concat().contains("  "), "{block}");
        }
        assert!(chinese.lines().all(|line| width(line) <= COMMENT_WIDTH + 2));
    }

    #[test]
    fn the_file_sets_what_it_was_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vcq.toml");
        let values = [
            ("store", r#"数据 "x" \ 'y'#z"#),
            ("timezone", "Asia/Shanghai"),
            ("app_id", "cli_a1"),
            ("calls_per_minute", "50"),
            ("window_only", "true"),
            ("also", "rooms,census"),
            ("thresholds", "audio_loss_pct=3.5"),
            ("region", "lark"),
        ];
        let values: BTreeMap<&str, String> = values.map(|(key, value)| (key, value.to_owned())).into();
        let text = template(&values, Language::Chinese);
        assert!(text.contains("\ncalls_per_minute = 50\n") && text.contains("\nwindow_only = true\n"), "{text}");
        std::fs::write(&path, text).expect("written");
        let sources = Sources { config_flag: Some(path), folder: PathBuf::from("/nowhere"), ..Sources::default() };
        let config = Config::load(&sources).expect("settings");
        assert_eq!(config.store, folder.path().join(r#"数据 "x" \ 'y'#z"#));
        assert_eq!((config.timezone.name(), config.region.as_str()), ("Asia/Shanghai", "lark"));
        assert_eq!((config.calls_per_minute, config.window_only, config.also.len()), (50, true, 2));
        assert_eq!(config.thresholds, [("audio_loss_pct".to_owned(), 3.5)]);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was_given(text in any::<String>()) {
            let table: toml::Table = format!("a = {}", quoted(&text)).parse().expect("TOML");
            prop_assert_eq!(table["a"].as_str(), Some(text.as_str()));
        }
    }
}
