//! The SQL files of the setting `views_dir`: read, split into statements, and limited to what they may create.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::tokenizer::{Token, split_tokens};
use crate::load::{CustomFile, CustomStatement};

/// The files of a directory in the order of their names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ViewFiles {
    pub files: Vec<CustomFile>,
    /// Why others cannot be installed, one clause each.
    pub problems: Vec<String>,
}

impl ViewFiles {
    pub(crate) fn read(folder: &Path) -> ViewFiles {
        let mut read = ViewFiles::default();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                read.problems.push(format!("cannot list the directory {} (views_dir): {error}", folder.display()));
                return read;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension() == Some(OsStr::new("sql")));
        paths.sort();
        for path in paths {
            let name = path.display().to_string();
            let parsed = match std::fs::read_to_string(&path) {
                Ok(sql) => statements(&sql).map_err(|(line, problem)| format!("{name}, line {line}: {problem}")),
                Err(error) => Err(format!("cannot read {name}: {error}")),
            };
            match parsed {
                Ok(statements) => read.files.push(CustomFile { name, statements }),
                Err(problem) => read.problems.push(format!("{problem}; nothing of this file is installed")),
            }
        }
        read
    }
}

type Problem = (usize, String);

fn statements(sql: &str) -> Result<Vec<CustomStatement>, Problem> {
    // A byte order mark is not part of the first word.
    let sql = sql.trim_start_matches('\u{feff}');
    let tokens = split_tokens(sql).map_err(|error| (error.line, error.problem))?;
    tokens
        .split(|(_, token)| *token == Token::End)
        .filter_map(|tokens| {
            let is_code = |(_, token): &(usize, Token<'_>)| !matches!(token, Token::Blank(_));
            let start = tokens.iter().position(is_code)?;
            Some(statement(&tokens[start..]))
        })
        .collect()
}

/// The statement of some tokens, of which the first is code. What it creates is in the schema `custom`.
fn statement(tokens: &[(usize, Token<'_>)]) -> Result<CustomStatement, Problem> {
    let line = tokens.first().map_or(1, |(line, _)| *line);
    let mut words = Vec::new();
    for (at, (line, token)) in tokens.iter().enumerate() {
        match token {
            Token::Code(text) => words.push((at, *text)),
            Token::Parameter(name) => return Err((*line, format!("the parameter ${name} has no value here"))),
            Token::Blank(_) | Token::End => {}
        }
    }
    let is = |n: usize, word: &str| words.get(n).is_some_and(|(_, text)| text.eq_ignore_ascii_case(word));
    let mut next = 0;
    let mut skip = |sequence: &[&str]| {
        let found = sequence.iter().enumerate().all(|(n, word)| is(next + n, word));
        next += if found { sequence.len() } else { 0 };
        found
    };
    let creates = skip(&["create"]);
    skip(&["or", "replace"]);
    let is_known = skip(&["view"]) || skip(&["table"]) || skip(&["macro"]) || skip(&["function"]);
    if !creates || !is_known {
        return Err((line, "only create view, create table and create macro are allowed".to_owned()));
    }
    skip(&["if", "not", "exists"]);
    let Some((name_at, name)) = words.get(next) else { return Err((line, "a name is missing".to_owned())) };
    let is_qualified = is(next + 1, ".");
    let is_custom = name.trim_matches('"').eq_ignore_ascii_case("custom") && !is(next + 3, ".");
    if is_qualified && !is_custom {
        return Err((line, "a name may be in the schema custom only, such as custom.my_view".to_owned()));
    }
    let mut sql = String::new();
    for (at, (_, token)) in tokens.iter().enumerate() {
        if at == *name_at && !is_qualified {
            sql.push_str("custom.");
        }
        match token {
            Token::Code(text) | Token::Blank(text) => sql.push_str(text),
            Token::Parameter(_) | Token::End => {}
        }
    }
    Ok(CustomStatement { line, sql: sql.trim_end().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(sql: &str) -> Result<Vec<(usize, String)>, Problem> {
        Ok(statements(sql)?.into_iter().map(|statement| (statement.line, statement.sql)).collect())
    }

    #[test]
    fn what_a_file_creates_is_in_the_schema_custom() {
        let sql = "-- notes; nothing\ncreate view a as select ';' as b;\n\n/* x */ create or replace macro custom.f(x) as x;\n\
                   CREATE TABLE IF NOT EXISTS \"T\" as\nfrom meetings;;\n";
        let expected = [
            (2, "create view custom.a as select ';' as b"),
            (4, "create or replace macro custom.f(x) as x"),
            (5, "CREATE TABLE IF NOT EXISTS custom.\"T\" as\nfrom meetings"),
        ];
        assert_eq!(parsed(sql), Ok(expected.map(|(line, sql)| (line, sql.to_owned())).to_vec()));
        assert_eq!(parsed("-- nothing"), Ok(Vec::new()));
    }

    #[test]
    fn everything_else_is_refused_with_its_line() {
        for (sql, line, words) in [
            ("create view a as select 1;\ncopy meetings to '/tmp/x'", 2, "only create view"),
            ("attach 'x'", 1, "only create view"),
            ("insert into meetings select 1", 1, "only create view"),
            ("create temp table a (b int)", 1, "only create view"),
            ("create schema s", 1, "only create view"),
            ("\ncreate view main.meetings as select 1", 2, "schema custom"),
            ("create table other.custom.a (b int)", 1, "schema custom"),
            ("create table custom.b.c (d int)", 1, "schema custom"),
            ("create view", 1, "a name is missing"),
            ("create view a as\nselect $x", 2, "$x has no value"),
            ("create view a as\nselect 'x", 2, "unterminated"),
        ] {
            let (found, problem) = parsed(sql).expect_err(sql);
            assert!(found == line && problem.contains(words), "{sql}: line {found}, {problem}");
        }
    }

    #[test]
    fn files_are_read_in_the_order_of_their_names_and_bad_ones_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, sql) in
            [("20_b.sql", "create view b as select 1"), ("10_a.sql", "drop table meetings"), ("x.txt", "?")]
        {
            std::fs::write(folder.path().join(name), sql).expect("written");
        }
        let read = ViewFiles::read(folder.path());
        let names: Vec<_> = read.files.iter().map(|file| file.name.rsplit('/').next().expect("a name")).collect();
        assert_eq!(names, ["20_b.sql"]);
        assert!(read.problems.len() == 1 && read.problems[0].contains("10_a.sql, line 1: only"), "{:?}", read.problems);
        let missing = ViewFiles::read(&folder.path().join("none"));
        assert!(missing.problems[0].contains("views_dir"), "{:?}", missing.problems);
    }
}
