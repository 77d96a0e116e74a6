//! Markup in both languages, and the only way in which text from outside becomes markup.

use super::words::{Word, word};
use crate::text::on_one_line;

/// A piece of markup in English and in Chinese. Readers see one of the two; what both share is written once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Markup {
    pub(super) en: String,
    pub(super) zh: String,
}

impl Markup {
    /// Markup of ours that is the same in both languages.
    pub(super) fn html(html: impl Into<String>) -> Markup {
        let en = html.into();
        Markup { zh: en.clone(), en }
    }

    pub(super) fn pair(en: impl Into<String>, zh: impl Into<String>) -> Markup {
        Markup { en: en.into(), zh: zh.into() }
    }

    /// Text from outside, isolated because it may have another writing direction.
    pub(super) fn outside(text: &str) -> Markup {
        Markup::html(outside(text))
    }

    /// A text of the page.
    pub(super) fn word(key: &str) -> Markup {
        Markup::of(word(key))
    }

    /// A text of the page with its `{name}` replaced.
    pub(super) fn fill(key: &str, values: &[(&str, Markup)]) -> Markup {
        let (_, en, zh) = word(key);
        Markup { en: filled(en, values, |value| &value.en), zh: filled(zh, values, |value| &value.zh) }
    }

    pub(super) fn of((_, en, zh): Word) -> Markup {
        Markup { en: escaped(en), zh: escaped(zh) }
    }

    /// Both languages between an opening and a closing tag.
    pub(super) fn within(self, open: &str, close: &str) -> Markup {
        Markup { en: format!("{open}{}{close}", self.en), zh: format!("{open}{}{close}", self.zh) }
    }

    pub(super) fn then(mut self, other: &Markup) -> Markup {
        self.en.push_str(&other.en);
        self.zh.push_str(&other.zh);
        self
    }

    /// The items as a list within a sentence.
    pub(super) fn join(items: &[Markup]) -> Markup {
        let texts = |language: fn(&Markup) -> &str| items.iter().map(language).collect::<Vec<_>>();
        Markup { en: texts(|item| &item.en).join(", "), zh: texts(|item| &item.zh).join("、") }
    }

    /// The markup of the page: the style sheet hides the language that is not chosen.
    pub(super) fn render(&self) -> String {
        match self.en == self.zh {
            true => self.en.clone(),
            false => format!("<span lang=\"en\">{}</span><span lang=\"zh\">{}</span>", self.en, self.zh),
        }
    }
}

pub(super) fn outside(text: &str) -> String {
    format!("<bdi>{}</bdi>", escaped(&on_one_line(text)))
}

/// Text for an element or a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// Replaced text is not expanded again.
fn filled<'a>(text: &str, values: &'a [(&str, Markup)], language: impl Fn(&'a Markup) -> &'a String) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("placeholders of a text are closed");
        result.push_str(&escaped(before));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            result.push_str(language(value));
        }
        rest = after;
    }
    result.push_str(&escaped(rest));
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_from_outside_is_never_markup(text in "\\PC*|[<>&\"'/!\u{0}\u{202e}\n-]*") {
            let markup = outside(&text);
            let inner = markup.strip_prefix("<bdi>").and_then(|rest| rest.strip_suffix("</bdi>"));
            let forbidden = ['<', '>', '"', '\'', '\n', '\u{0}', '\u{202e}'];
            prop_assert!(inner.is_some_and(|inner| !inner.contains(forbidden)));
        }
    }

    #[test]
    fn replaced_text_is_not_expanded_again() {
        let values = [("days", Markup::html("{all}")), ("all", Markup::html("7"))];
        assert_eq!(Markup::fill("meta.days", &values).en, "{all} of 7 days with meetings");
    }

    #[test]
    fn what_both_languages_share_is_written_once() {
        assert_eq!(Markup::outside("会议 A").render(), "<bdi>会议 A</bdi>");
        assert_eq!(Markup::pair("a", "甲").render(), "<span lang=\"en\">a</span><span lang=\"zh\">甲</span>");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("会议会议", 3), "会议会…");
        assert_eq!(cut("会议", 3), "会议");
    }
}
