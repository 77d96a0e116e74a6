//! Makes text from outside safe for terminals, pages and logs.
//!
//! A topic or an API message can contain escape sequences that move the cursor, write to the clipboard or rename the
//! window, C1 characters with the same effects, and marks that change the reading direction of the text that follows.

/// True for control characters (C0, DEL, C1), bidirectional marks, line and paragraph separators, the byte order mark,
/// and invisible tag characters.
pub fn is_terminal_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line: spaces for line ends and tabs, replacement characters for other control characters.
pub(crate) fn on_one_line(text: &str) -> String {
    let shown = |c| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_terminal_control(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// The same for several lines: line ends are kept, and a single carriage return becomes one.
pub(crate) fn on_lines(text: &str) -> String {
    let shown = |c| match c {
        '\n' => '\n',
        '\r' => '\n',
        '\t' => ' ',
        c if is_terminal_control(c) => '\u{fffd}',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// Equivalent JSON in which control characters are escaped. Line breaks between tokens are kept.
pub(crate) fn in_json(json: &str) -> String {
    if !json.chars().any(|c| is_terminal_control(c) && c != '\n') {
        return json.to_owned();
    }
    let mut shown = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for c in json.chars() {
        // Outside its strings, JSON contains no control characters except line breaks and tabs.
        if matches!(c, '\n' | '\t') || !is_terminal_control(c) {
            shown.push(c);
        } else {
            c.encode_utf16(&mut units).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_line_has_no_control_characters(text in any::<String>()) {
            let shown = on_one_line(&text);
            prop_assert!(!shown.chars().any(is_terminal_control));
            prop_assert_eq!(shown.chars().count(), text.chars().count());
        }

        #[test]
        fn lines_have_no_control_characters_but_line_ends(text in any::<String>()) {
            prop_assert!(!on_lines(&text).chars().any(|c| is_terminal_control(c) && c != '\n'));
        }

        #[test]
        fn json_is_equivalent(text in any::<String>(), tag in "[\u{7f}-\u{9f}\u{202a}-\u{202e}\u{e0000}-\u{e007f}]{0,4}") {
            let value = serde_json::json!({ "text": text, &tag: [tag.clone()] });
            let shown = in_json(&value.to_string());
            prop_assert!(!shown.chars().any(is_terminal_control), "{}", shown.escape_debug());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
        }
    }

    #[test]
    fn escape_sequences_are_shown_and_not_executed() {
        assert_eq!(on_one_line("a\u{1b}[31mb\u{9b}2Jc\u{202e}d\ne"), "a\u{fffd}[31mb\u{fffd}2Jc\u{fffd}d e");
        assert_eq!(on_lines("a\r\nb\rc\n"), "a\nb\nc\n");
        assert_eq!(on_one_line("家庭 👩‍👩‍👧 שלום"), "家庭 👩‍👩‍👧 שלום", "ordinary text is unchanged");
    }
}
