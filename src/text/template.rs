//! A message with places for values. In English: `{1}` any text, `{1#}` a number, `{1_}` a word without blanks, `{1~}`
//! a message of its own. In Chinese: `{1}` the value as it is, `{1~}` in Chinese, `{1,}` and `{1;}` a list of such.
//!
//! Promises: a message fits a text as a whole or not at all; nothing is guessed.

/// One message in two languages.
#[derive(Debug)]
pub(super) struct Message {
    english: Vec<Part>,
    chinese: Vec<Part>,
    /// How much of a text the English message fixes: its own characters, then the values of a certain kind.
    pub(super) precision: (usize, usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Value { number: usize, kind: Kind },
}

/// What a value is: in English what fits, in Chinese how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `{1}`: as it is.
    Any,
    /// `{1#}`: digits, with commas or a decimal point.
    Number,
    /// `{1_}`: a word without blanks.
    Word,
    /// `{1~}`: a message of its own, shown in Chinese.
    Message,
    /// `{1,}`: messages separated by commas.
    Commas,
    /// `{1;}`: messages separated by semicolons.
    Semicolons,
}

impl Message {
    pub(super) fn new(english: &str, chinese: &str) -> Message {
        let (english, chinese) = (parts(english), parts(chinese));
        let chars = |part: &Part| match part {
            Part::Literal(text) => text.chars().count(),
            Part::Value { .. } => 0,
        };
        let is_certain = |part: &&Part| matches!(part, Part::Value { kind, .. } if *kind != Kind::Any);
        let precision = (english.iter().map(chars).sum(), english.iter().filter(is_certain).count());
        Message { precision, english, chinese }
    }

    /// The Chinese text of an English one; `None` if the message does not fit. `say` gives that of a value.
    pub(super) fn apply(
        &self,
        text: &str,
        is_message: &dyn Fn(&str) -> bool,
        say: &dyn Fn(&str) -> String,
    ) -> Option<String> {
        let values = self.values(text, is_message)?;
        let each =
            |text: &str, between: &str, comma: &str| text.split(between).map(say).collect::<Vec<_>>().join(comma);
        let shown = self.chinese.iter().map(|part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Value { number, kind } => {
                let value = values.iter().find(|(known, _)| known == number).map_or("", |(_, value)| value);
                match kind {
                    Kind::Any | Kind::Number | Kind::Word => value.to_owned(),
                    Kind::Message => say(value),
                    Kind::Commas => each(value, ", ", "、"),
                    Kind::Semicolons => each(value, "; ", "；"),
                }
            }
        });
        Some(shown.collect())
    }

    /// The values of a text that the message fits. Each ends where the literal behind it first occurs; one that is a
    /// message of its own where the longest ends.
    fn values<'t>(&self, text: &'t str, is_message: &dyn Fn(&str) -> bool) -> Option<Vec<(usize, &'t str)>> {
        let mut values = Vec::new();
        let mut rest = text;
        for (at, part) in self.english.iter().enumerate() {
            let (number, kind) = match part {
                // A literal behind a value was removed with it.
                Part::Literal(_) if at > 0 => continue,
                Part::Literal(literal) => {
                    rest = rest.strip_prefix(literal.as_str())?;
                    continue;
                }
                Part::Value { number, kind } => (*number, *kind),
            };
            let is_last = at + 2 >= self.english.len();
            let (value, behind) = match self.english.get(at + 1) {
                None => (rest, ""),
                Some(Part::Literal(literal)) if is_last => (rest.strip_suffix(literal.as_str())?, ""),
                Some(Part::Literal(literal)) if kind == Kind::Message => {
                    let splits = rest.rmatch_indices(literal.as_str());
                    let mut splits = splits.map(|(end, _)| (&rest[..end], &rest[end + literal.len()..]));
                    splits.find(|(value, _)| is_message(value))?
                }
                Some(Part::Literal(literal)) => rest.split_once(literal.as_str())?,
                // Only a number can stand directly before another value.
                Some(Part::Value { .. }) => rest.split_at(rest.find(|c: char| !is_of_number(c)).unwrap_or(rest.len())),
            };
            let fits = match kind {
                Kind::Number => !value.is_empty() && value.chars().all(is_of_number),
                Kind::Word => !value.is_empty() && !value.contains(char::is_whitespace),
                Kind::Message => is_message(value),
                Kind::Any | Kind::Commas | Kind::Semicolons => true,
            };
            if !fits {
                return None;
            }
            values.push((number, value));
            rest = behind;
        }
        rest.is_empty().then_some(values)
    }
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, ',' | '.')
}

/// `{` that starts no value is a literal.
fn parts(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        literal.push_str(before);
        match value(behind) {
            Some((value, after)) => {
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(value);
                rest = after;
            }
            None => {
                literal.push('{');
                rest = behind;
            }
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    parts
}

fn value(text: &str) -> Option<(Part, &str)> {
    let (inner, after) = text.split_once('}')?;
    let digits = inner.trim_end_matches(['#', '_', '~', ',', ';']);
    let kind = match &inner[digits.len()..] {
        "" => Kind::Any,
        "#" => Kind::Number,
        "_" => Kind::Word,
        "~" => Kind::Message,
        "," => Kind::Commas,
        ";" => Kind::Semicolons,
        _ => return None,
    };
    Some((Part::Value { number: digits.parse().ok()?, kind }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(english: &str, chinese: &str, text: &str) -> Option<String> {
        Message::new(english, chinese).apply(text, &|value| value != "no message", &|value| format!("<{value}>"))
    }

    #[test]
    fn a_message_fits_as_a_whole() {
        let of = |text| apply("could not read {1}", "无法读取 {1}", text);
        assert_eq!(of("could not read a b").as_deref(), Some("无法读取 a b"));
        assert_eq!(of("it could not read a"), None);
        assert_eq!(apply("could not read {1}.", "无法读取 {1}。", "could not read a"), None);
        assert_eq!(
            apply("{1}: no {2} in {3}", "{1}：{3} 中没有 {2}", "a: no b in c").as_deref(),
            Some("a：c 中没有 b")
        );
        assert_eq!(apply("{\"a\": {1}}", "{1}", "{\"a\": 7}").as_deref(), Some("7"));
    }

    #[test]
    fn values_are_shown_as_the_chinese_text_says() {
        assert_eq!(apply("{1#} of {2}", "{2~} 的 {1}", "1,204 of all").as_deref(), Some("<all> 的 1,204"));
        assert_eq!(apply("{1#} of {2}", "", "some of all"), None);
        assert_eq!(apply("found {1}", "{1,}", "found a, b").as_deref(), Some("<a>、<b>"));
        assert_eq!(apply("found {1}", "{1;}", "found a; b").as_deref(), Some("<a>；<b>"));
        assert_eq!(apply("{1_} in {2}", "{2}/{1}", "a in b c").as_deref(), Some("b c/a"));
        assert_eq!(apply("{1_} in {2}", "", "a b in c"), None);
        assert_eq!(apply("{1~} of {2}", "{1~}|{2}", "a of b of c").as_deref(), Some("<a of b>|c"));
        assert_eq!(apply("{1~} of {2}", "", "no message of c"), None);
        assert_eq!(apply("{1#}{2}", "{1}{2~}", "12 rows").as_deref(), Some("12< rows>"));
    }

    proptest! {
        #[test]
        fn no_value_is_lost(values in prop::collection::vec("[a-z0-9 ]{0,8}", 3)) {
            let text = format!("{}|{}|{}", values[0], values[1], values[2]);
            prop_assert_eq!(apply("{1}|{2}|{3}", "{1}|{2}|{3}", &text), Some(text));
        }

        #[test]
        fn no_text_panics(english in "[{}0-9#~,a ]{0,20}", chinese in "[{}0-9#~,中]{0,20}", text in "\\PC{0,20}") {
            apply(&english, &chinese, &text);
        }
    }
}
