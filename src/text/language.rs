//! The language of what people read. Names of tables, columns, reports and settings are the same in both.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::messages::chinese;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    pub(crate) fn parse(text: &str) -> Option<Language> {
        match text {
            "en" => Some(Language::English),
            "zh" => Some(Language::Chinese),
            _ => None,
        }
    }

    /// The language of the terminal: Chinese if the locale is, and the terminal can show it.
    pub(crate) fn of_locale(environment: &BTreeMap<String, String>) -> Language {
        let given = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| environment.get(name));
        let locale = given.into_iter().find(|text| !text.is_empty()).map(|text| text.to_ascii_lowercase());
        let is_chinese = |locale: &String| {
            let (language, charset) = locale.split_once('.').unwrap_or((locale, ""));
            (language == "zh" || language.starts_with("zh_")) && matches!(charset, "utf-8" | "utf8")
        };
        if locale.as_ref().is_some_and(is_chinese) { Language::Chinese } else { Language::English }
    }

    /// An English text in this language, line by line if no message fits the whole. What has no message is unchanged.
    pub(crate) fn say<'a>(self, english: &'a str) -> Cow<'a, str> {
        match self {
            Language::English => Cow::Borrowed(english),
            Language::Chinese => match chinese(english) {
                Some(chinese) => Cow::Owned(chinese),
                None if english.contains('\n') => Cow::Owned(self.say_lines(english)),
                None => Cow::Borrowed(english),
            },
        }
    }

    /// The lines of a text, each looked up by itself without its indentation.
    pub(crate) fn say_lines(self, english: &str) -> String {
        let line = |line: &str| {
            let text = line.trim_start();
            format!("{}{}", &line[..line.len() - text.len()], self.say(text))
        };
        english.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    /// The text of this language.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_gives_the_language() {
        let of = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            Language::of_locale(&variables.collect())
        };
        for locale in ["zh_CN.UTF-8", "zh_TW.utf8", "zh.UTF-8"] {
            assert_eq!(of(&[("LANG", locale)]), Language::Chinese, "{locale}");
        }
        for locale in ["", "C", "C.UTF-8", "en_GB.UTF-8", "zh_CN.GB18030", "zh_CN", "zha_CN.UTF-8"] {
            assert_eq!(of(&[("LANG", locale)]), Language::English, "{locale}");
        }
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Language::English);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_MESSAGES", "zh_CN.UTF-8"), ("LANG", "C")]), Language::Chinese);
    }
}
