//! What holds for the expansion of any SQL, for tests and fuzzing.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::dialect::{DUCKDB, SPARK};
use super::expand::{expand, is_relation};
use super::script::{Places, Renderer, Scripts};
use super::words::{Kind, Word, is_before, text, words};

static SCRIPTS: LazyLock<[Scripts; 2]> =
    LazyLock::new(|| [&DUCKDB, &SPARK].map(|engine| Scripts::new(engine).expect("definitions")));

/// The words keep their order and text, each common table expression uses only those before it, and no view or macro is
/// left.
pub(crate) fn expansion(sql: &str) {
    let Ok(found) = words(sql) else { return };
    // Values take the place of parameters before.
    if found.iter().any(|word| word.kind == Kind::Parameter) {
        return;
    }
    let plain = text(&found);
    assert_eq!(without_blanks(&words(&plain).expect("split before")), without_blanks(&found), "{plain:?}");
    for scripts in &*SCRIPTS {
        let Ok(expanded) = expand(&scripts.definitions, &found) else { continue };
        let mut known = HashSet::new();
        for cte in &expanded.ctes {
            check(scripts, &cte.query, &known);
            assert!(known.insert(cte.name.as_str()), "two expressions {}", cte.name);
        }
        check(scripts, &expanded.query, &known);
        let renderer = Renderer { engine: scripts.engine, places: &Places::default(), report: "any" };
        let chain: Vec<_> = expanded.ctes.iter().collect();
        let script = renderer.select(&chain, &[], &expanded.query);
        // The literals and quotes of the others are their own.
        assert!(scripts.engine.name != DUCKDB.name || words(&script).is_ok(), "{script}");
    }
}

fn check(scripts: &Scripts, query: &[Word], known: &HashSet<&str>) {
    for (at, word) in query.iter().enumerate() {
        match word.kind {
            Kind::Cte => assert!(known.contains(word.text.as_str()), "{} is used before it is defined", word.text),
            Kind::Name if is_relation(query, at) => {
                let name = word.text.to_ascii_lowercase();
                let definitions = &scripts.definitions;
                let is_call = is_before(query, at, "(");
                let is_left = match is_call {
                    true => definitions.tables.contains_key(&name),
                    false => definitions.views.contains_key(&name),
                };
                assert!(!is_left, "{name} is left");
            }
            _ => {}
        }
    }
}

fn without_blanks(words: &[Word]) -> Vec<&Word> {
    words.iter().filter(|word| word.kind != Kind::Blank).collect()
}
