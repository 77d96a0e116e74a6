//! The text of a report, cut into what is a parameter and what is not.
//!
//! Knows as much of DuckDB's grammar as is needed not to touch a literal, a quoted name or a comment, and no more.

/// A stretch of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Anything that means something, parameters excepted.
    Code(&'a str),
    Blank(&'a str),
    /// `$name`, without the sign.
    Parameter(&'a str),
    /// A semicolon outside of everything.
    End,
}

/// Something that never ends, or a parameter without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The line, from 1, of the text that was cut.
    pub(super) line: usize,
    /// What is wrong there.
    pub(super) problem: String,
}

/// Cuts SQL into pieces, each with the line that it begins in, from 1. Together they are the text again.
pub(super) fn pieces<'a>(sql: &'a str) -> Result<Vec<(usize, Piece<'a>)>, Problem> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let problem = |problem: &str| Problem { line, problem: problem.to_owned() };
        let (length, make): (Option<usize>, fn(&'a str) -> Piece<'a>) = match first {
            '\'' => (quoted(rest, '\'', false), Piece::Code),
            '"' => (quoted(rest, '"', false), Piece::Code),
            '-' if rest.starts_with("--") => (Some(rest.find('\n').unwrap_or(rest.len())), Piece::Blank),
            '/' if rest.starts_with("/*") => (comment(rest), Piece::Blank),
            ';' => (Some(1), |_| Piece::End),
            '$' => {
                let name = word(&rest[1..]);
                match (name, rest[1 + name.len()..].starts_with('$')) {
                    // Dollar quotes: `$tag$ anything $tag$`.
                    (tag, true) => (dollar_quoted(rest, tag.len() + 2), Piece::Code),
                    (name, false) if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                        (Some(1 + name.len()), |text| Piece::Parameter(&text[1..]))
                    }
                    _ => return Err(problem("a parameter needs a name, like $since")),
                }
            }
            c if is_of_a_word(c) => {
                // A dollar sign inside a name is part of it.
                let end = rest.find(|c| !is_of_a_word(c) && c != '$').unwrap_or(rest.len());
                let is_escaping = matches!(&rest[..end], "e" | "E") && rest[end..].starts_with('\'');
                match is_escaping {
                    true => (quoted(&rest[end..], '\'', true).map(|length| end + length), Piece::Code),
                    false => (Some(end), Piece::Code),
                }
            }
            c if c.is_whitespace() => {
                (Some(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())), Piece::Blank)
            }
            c => (Some(c.len_utf8()), Piece::Code),
        };
        let length = length.ok_or_else(|| problem("what begins here has no end"))?;
        let (text, after) = rest.split_at(length);
        pieces.push((line, make(text)));
        line += text.matches('\n').count();
        rest = after;
    }
    Ok(pieces)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace())
}

/// The word that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Length of a quoted text, its quotes included. A doubled quote does not end it, nor an escaped one where there are
/// escapes.
fn quoted(text: &str, quote: char, has_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && has_escapes {
            characters.next();
        } else if c == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return Some(at + 1),
            }
        }
    }
    None
}

fn dollar_quoted(text: &str, fence: usize) -> Option<usize> {
    let (fence_text, inside) = text.split_at(fence);
    Some(inside.find(fence_text)? + 2 * fence)
}

/// Length of a comment in `/* */`; they nest.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        let next = at + text[at..].find(['/', '*'])?;
        match text.get(next..next + 2) {
            Some("/*") => (depth, at) = (depth + 1, next + 2),
            Some("*/") => (depth, at) = (depth - 1, next + 2),
            _ => at = next + 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(sql: &str) -> Vec<(usize, &str)> {
        let found = pieces(sql).expect("sql").into_iter();
        found
            .filter_map(|(line, piece)| match piece {
                Piece::Parameter(name) => Some((line, name)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn only_what_stands_free_is_a_parameter() {
        assert_eq!(parameters("select $a,\n$b_2::date, 'x', $a"), [(1, "a"), (2, "b_2"), (2, "a")]);
        for sql in [
            "'$a'",
            "'it''s $a'",
            "E'it\\'s $a'",
            "\"$a\"",
            "-- $a",
            "/* $a /* $b */ $c */",
            "$$ $a $$",
            "$x$ $a $$ $x$",
            "name$a",
            "名$a",
        ] {
            assert_eq!(parameters(sql), [], "{sql}");
        }
        // A backslash escapes only where the literal says so, and only a lone e says so.
        assert_eq!(parameters("'\\' || $a"), [(1, "a")]);
        assert_eq!(parameters("the'\\' || $a"), [(1, "a")]);
        assert_eq!(parameters("1 - $a /* -- */ * $b -- /*\n/ $c"), [(1, "a"), (1, "b"), (2, "c")]);
    }

    #[test]
    fn what_has_no_end_is_named_with_its_line() {
        for sql in ["select 1,\n'a", "select\n\"a", "x\n/* /* */", "\n$$ a $", "\n$a$ $b$", "\n$1", "\n$ 1", "\nE'\\'"]
        {
            assert_eq!(pieces(sql).expect_err("a problem").line, 2, "{sql}");
        }
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_outside_of_everything() {
        let ends = |sql| pieces(sql).expect("sql").iter().filter(|(_, piece)| *piece == Piece::End).count();
        assert_eq!([ends("a;b"), ends("';'"), ends("-- ;"), ends("/*;*/"), ends("$$;$$")], [1, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(sql in "[-a$'\"/*; \\\\\\nE\u{540d}]{0,40}") {
            if let Ok(pieces) = pieces(&sql) {
                let again: String = pieces
                    .into_iter()
                    .map(|(_, piece)| match piece {
                        Piece::Code(text) | Piece::Blank(text) => text.to_owned(),
                        Piece::Parameter(name) => format!("${name}"),
                        Piece::End => ";".to_owned(),
                    })
                    .collect();
                prop_assert_eq!(again, sql);
            }
        }
    }
}
