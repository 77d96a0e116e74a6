//! Splits SQL into tokens to find its parameters and the ends of its statements.
//!
//! Knows only as much of DuckDB's grammar as is needed to leave literals, quoted names and comments intact.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Code(&'a str),
    /// White space or a comment.
    Blank(&'a str),
    /// `$name`, without the `$`.
    Parameter(&'a str),
    /// A semicolon.
    End,
}

/// An unterminated token, or a parameter without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenError {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) problem: String,
}

/// The tokens with the line they begin on, counted from 1. Joined, they are the input.
pub(super) fn split_tokens<'a>(sql: &'a str) -> Result<Vec<(usize, Token<'a>)>, TokenError> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let error = |problem: &str| TokenError { line, problem: problem.to_owned() };
        let (length, token): (Option<usize>, fn(&'a str) -> Token<'a>) = match first {
            '\'' => (quoted(rest, '\'', false), Token::Code),
            '"' => (quoted(rest, '"', false), Token::Code),
            '-' if rest.starts_with("--") => (Some(rest.find('\n').unwrap_or(rest.len())), Token::Blank),
            '/' if rest.starts_with("/*") => (comment(rest), Token::Blank),
            ';' => (Some(1), |_| Token::End),
            '$' => {
                let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len() - 1);
                let name = &rest[1..1 + end];
                match rest[1 + end..].starts_with('$') {
                    // Dollar quoting: `$tag$ anything $tag$`.
                    true => (dollar_quoted(rest, end + 2), Token::Code),
                    false if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                        (Some(1 + end), |text| Token::Parameter(&text[1..]))
                    }
                    false => return Err(error("a parameter needs a name, like $since")),
                }
            }
            c if is_word_char(c) => {
                // A dollar sign inside a name is part of it.
                let end = rest.find(|c| !is_word_char(c) && c != '$').unwrap_or(rest.len());
                let is_escape_string = matches!(&rest[..end], "e" | "E") && rest[end..].starts_with('\'');
                match is_escape_string {
                    true => (quoted(&rest[end..], '\'', true).map(|length| end + length), Token::Code),
                    false => (Some(end), Token::Code),
                }
            }
            c if c.is_whitespace() => {
                (Some(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len())), Token::Blank)
            }
            c => (Some(c.len_utf8()), Token::Code),
        };
        let length = length.ok_or_else(|| error("unterminated quote or comment"))?;
        let (text, after) = rest.split_at(length);
        tokens.push((line, token(text)));
        line += text.matches('\n').count();
        rest = after;
    }
    Ok(tokens)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace())
}

/// Length of a quoted token including its quotes. A doubled quote does not end it; with `has_escapes`, neither does an
/// escaped one.
fn quoted(text: &str, quote: char, has_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && has_escapes {
            characters.next();
        } else if c == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + 1);
        }
    }
    None
}

fn dollar_quoted(text: &str, delimiter_length: usize) -> Option<usize> {
    let (delimiter, inside) = text.split_at(delimiter_length);
    Some(inside.find(delimiter)? + 2 * delimiter_length)
}

/// Length of a `/* */` comment; these nest.
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
        let found = split_tokens(sql).expect("sql").into_iter();
        found
            .filter_map(|(line, token)| match token {
                Token::Parameter(name) => Some((line, name)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn parameters_are_found_only_in_code() {
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
        // A backslash escapes only in literals with the prefix e.
        assert_eq!(parameters("'\\' || $a"), [(1, "a")]);
        assert_eq!(parameters("the'\\' || $a"), [(1, "a")]);
        assert_eq!(parameters("1 - $a /* -- */ * $b -- /*\n/ $c"), [(1, "a"), (1, "b"), (2, "c")]);
    }

    #[test]
    fn errors_name_the_line() {
        for sql in ["select 1,\n'a", "select\n\"a", "x\n/* /* */", "\n$$ a $", "\n$a$ $b$", "\n$1", "\n$ 1", "\nE'\\'"]
        {
            assert_eq!(split_tokens(sql).expect_err("an error").line, 2, "{sql}");
        }
    }

    #[test]
    fn semicolons_are_found_only_in_code() {
        let ends = |sql| split_tokens(sql).expect("sql").iter().filter(|(_, token)| *token == Token::End).count();
        assert_eq!([ends("a;b"), ends("';'"), ends("-- ;"), ends("/*;*/"), ends("$$;$$")], [1, 0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn tokens_join_to_the_input(sql in "[-a$'\"/*; \\\\\\nE\u{540d}]{0,40}") {
            if let Ok(tokens) = split_tokens(&sql) {
                let joined: String = tokens
                    .into_iter()
                    .map(|(_, token)| match token {
                        Token::Code(text) | Token::Blank(text) => text.to_owned(),
                        Token::Parameter(name) => format!("${name}"),
                        Token::End => ";".to_owned(),
                    })
                    .collect();
                prop_assert_eq!(joined, sql);
            }
        }
    }
}
