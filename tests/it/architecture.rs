//! Who may use whom: the table of ARCHITECTURE.md, held against every `use` and path of the source.

use std::fs;
use std::path::{Path, PathBuf};

/// Each folder or file of `src/` with what it may use; the stages never use one another.
const ARROWS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("schema", &["text"]),
    ("event", &["schema"]),
    ("raw_log", &["schema", "text"]),
    ("ledger", &["raw_log", "schema", "text"]),
    ("extract", &["event", "ledger", "raw_log", "schema", "text"]),
    ("transform", &["schema", "text"]),
    ("buildings", &["schema", "text"]),
    ("load", &["schema", "text"]),
    ("report", &["load", "schema", "text"]),
    ("checks", &["load", "schema", "text"]),
    (
        "commands",
        &[
            "buildings",
            "checks",
            "event",
            "extract",
            "ledger",
            "load",
            "raw_log",
            "report",
            "schema",
            "text",
            "transform",
        ],
    ),
];

/// The edge, which may use everything.
const EDGE: &[&str] = &["cli", "config", "error", "fuzzing", "main", "lib"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The module of ours that a file belongs to.
fn module(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).expect("below src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every module of ours that a text names as `crate::module` or `vcq_etl::module`.
fn used(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for marker in ["crate::", "vcq_etl::"] {
        for (at, _) in text.match_indices(marker) {
            let rest = &text[at + marker.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or_default();
                names
                    .extend(group.split(',').map(|part| part.trim().split("::").next().unwrap_or_default().to_owned()));
            } else {
                names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    names
}

#[test]
fn modules_use_only_what_the_architecture_allows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for path in &files {
        let module = module(&root, path);
        if EDGE.contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: the module {module} is in no list of this test", path.display()));
            continue;
        };
        for name in used(&fs::read_to_string(path).expect("text")) {
            let is_module = ARROWS.iter().any(|(other, _)| *other == name) || EDGE.contains(&name.as_str());
            if is_module && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: {module} uses {name}", path.display()));
            }
        }
    }
    assert!(files.len() > 50, "only {} files were found", files.len());
    assert!(wrong.is_empty(), "arrows that the architecture does not have:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_groups_and_single_names() {
    assert_eq!(used("use crate::schema::Kind; use crate::{load::Lock, report};"), ["schema", "load", "report"]);
}
