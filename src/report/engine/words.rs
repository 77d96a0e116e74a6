//! SQL as words: names, literals, marks and the space between them. Knows brackets and commas, but no grammar.

use crate::report::tokenizer::{Token, TokenError, split_tokens};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space; comments are left out.
    Blank,
    /// A literal in single quotes.
    Text,
    /// A name in double quotes.
    Quoted,
    Number,
    /// `$name`, without the `$`.
    Parameter,
    Name,
    /// An operator, a bracket, a comma or a semicolon.
    Mark,
    /// The name of a common table expression. It is final, like those below: nothing replaces it any more.
    Cte,
    /// The name of a published table.
    Table,
    /// The name of a function of the engine.
    Function,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl Word {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Word {
        Word { kind, text: text.into() }
    }

    pub(super) fn mark(text: &str) -> Word {
        Word::new(Kind::Mark, text)
    }

    /// True for a keyword or name, in any case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.kind == Kind::Name && self.text.eq_ignore_ascii_case(name)
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    fn is_blank(&self) -> bool {
        self.kind == Kind::Blank
    }
}

/// Splits SQL into words.
pub(super) fn words(sql: &str) -> Result<Vec<Word>, TokenError> {
    let mut words: Vec<Word> = Vec::new();
    for (_, token) in split_tokens(sql)? {
        let word = match token {
            // A comment separates words.
            Token::Blank(text) if text.starts_with("--") || text.starts_with("/*") => Word::new(Kind::Blank, " "),
            Token::Blank(text) => Word::new(Kind::Blank, text),
            Token::Parameter(name) => Word::new(Kind::Parameter, name),
            Token::End => Word::mark(";"),
            Token::Code(text) => Word::new(kind_of(text), text),
        };
        match words.as_slice() {
            // `:=`, and the two parts of a decimal number.
            [.., last] if last.is_mark(":") && word.is_mark("=") => extend(&mut words, &word),
            [.., last] if last.kind == Kind::Number && !last.text.contains('.') && word.is_mark(".") => {
                extend(&mut words, &word);
            }
            [.., last] if last.kind == Kind::Number && last.text.ends_with('.') && word.kind == Kind::Number => {
                extend(&mut words, &word);
            }
            _ => words.push(word),
        }
    }
    Ok(words)
}

fn extend(words: &mut [Word], more: &Word) {
    if let Some(last) = words.last_mut() {
        last.text.push_str(&more.text);
    }
}

fn kind_of(code: &str) -> Kind {
    match code.chars().next() {
        Some('\'') => Kind::Text,
        // With escapes, and in dollars.
        Some('e' | 'E') if code.contains('\'') => Kind::Text,
        Some('$') => Kind::Text,
        Some('"') => Kind::Quoted,
        Some(c) if c.is_ascii_digit() => Kind::Number,
        Some(c) if c.is_alphanumeric() || c == '_' || !c.is_ascii() => Kind::Name,
        _ => Kind::Mark,
    }
}

/// The text, without blank lines and space at the end of lines.
pub(super) fn text<'w>(words: impl IntoIterator<Item = &'w Word>) -> String {
    let mut text = String::new();
    let mut blank = String::new();
    for word in words {
        if word.is_blank() {
            blank.push_str(&word.text);
            continue;
        }
        if !blank.is_empty() {
            match blank.rsplit_once('\n') {
                Some((_, indent)) => text.push_str(&format!("\n{indent}")),
                None => text.push(' '),
            }
            blank.clear();
        }
        text.push_str(&word.text);
    }
    text
}

/// The next word that is not blank.
pub(super) fn next(words: &[Word], at: usize) -> Option<usize> {
    (at + 1..words.len()).find(|at| !words[*at].is_blank())
}

/// The last word before that is not blank.
pub(super) fn previous(words: &[Word], at: usize) -> Option<usize> {
    (0..at).rev().find(|at| !words[*at].is_blank())
}

/// Whether the next word is this mark.
pub(super) fn is_before(words: &[Word], at: usize, mark: &str) -> bool {
    next(words, at).is_some_and(|next| words[next].is_mark(mark))
}

/// Whether the word before is this mark.
pub(super) fn is_after(words: &[Word], at: usize, mark: &str) -> bool {
    previous(words, at).is_some_and(|previous| words[previous].is_mark(mark))
}

/// The end of what the parenthesis at `open` begins.
pub(super) fn closing(words: &[Word], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        if word.is_mark("(") {
            depth += 1;
        } else if word.is_mark(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// What is between the commas in the parentheses at `open`, and where they end.
pub(super) fn list(words: &[Word], open: usize) -> Option<(Vec<&[Word]>, usize)> {
    let end = closing(words, open)?;
    let mut items = Vec::new();
    let (mut depth, mut start) = (0_usize, open + 1);
    for at in open + 1..end {
        let word = &words[at];
        if word.is_mark("(") || word.is_mark("[") {
            depth += 1;
        } else if word.is_mark(")") || word.is_mark("]") {
            depth = depth.checked_sub(1)?;
        } else if word.is_mark(",") && depth == 0 {
            items.push(trim(&words[start..at]));
            start = at + 1;
        }
    }
    let last = trim(&words[start..end]);
    if !last.is_empty() || !items.is_empty() {
        items.push(last);
    }
    Some((items, end))
}

/// Without blanks around.
pub(super) fn trim(words: &[Word]) -> &[Word] {
    let start = words.iter().position(|word| !word.is_blank()).unwrap_or(words.len());
    let end = words.iter().rposition(|word| !word.is_blank()).map_or(start, |last| last + 1);
    &words[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(sql: &str) -> Vec<Word> {
        words(sql).expect("sql")
    }

    #[test]
    fn decimals_and_assignments_are_one_word() {
        let kinds: Vec<(Kind, String)> = split("f(a := 0.5e0, t1.x, 'it''s', \"q\", $p, 名)")
            .into_iter()
            .filter(|word| !matches!(word.kind, Kind::Blank) && !["(", ")", ","].contains(&word.text.as_str()))
            .map(|word| (word.kind, word.text))
            .collect();
        let expected = [
            (Kind::Name, "f"),
            (Kind::Name, "a"),
            (Kind::Mark, ":="),
            (Kind::Number, "0.5e0"),
            (Kind::Name, "t1"),
            (Kind::Mark, "."),
            (Kind::Name, "x"),
            (Kind::Text, "'it''s'"),
            (Kind::Quoted, "\"q\""),
            (Kind::Parameter, "p"),
            (Kind::Name, "名"),
        ];
        assert_eq!(kinds, expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn comments_and_blank_lines_are_left_out_and_literals_stay() {
        let sql = "-- all\nselect a, -- why\n\n    'x\n\n  y'   \nfrom t /* c */ where b";
        assert_eq!(text(&split(sql)), "\nselect a,\n    'x\n\n  y'\nfrom t where b");
        assert_eq!(text(&split("select/* all */a-/**/-1")), "select a- -1");
    }

    #[test]
    fn a_list_is_split_at_its_own_commas() {
        let words = split("f( a, g(b, c), (d, e) ) + h()");
        let (items, end) = list(&words, 1).expect("a list");
        assert_eq!(items.into_iter().map(text).collect::<Vec<_>>(), ["a", "g(b, c)", "(d, e)"]);
        assert_eq!(text(&words[end..]), ") + h()");
        assert_eq!(list(&split("h( )"), 1).expect("a list").0.len(), 0);
        assert!(list(&split("f(a"), 1).is_none());
    }
}
