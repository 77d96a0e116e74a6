//! Checks the source against the layers of ARCHITECTURE.md, and that no files use each other in a circle.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::source::{Arrows, Source, circles};

/// Each module of `src/` with the modules it may use; the stages never use each other.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("files", &[]),
    ("schema", &["text"]),
    ("event", &["schema"]),
    ("personal_data", &["files", "schema", "text"]),
    ("raw_log", &["files", "schema", "text"]),
    ("ledger", &["files", "raw_log", "schema", "text"]),
    ("extract", &["event", "ledger", "personal_data", "raw_log", "schema", "text"]),
    ("transform", &["schema", "text"]),
    ("buildings", &["schema", "text"]),
    ("incidents", &["schema", "text"]),
    ("load", &["files", "schema", "text"]),
    ("remote", &["files", "schema", "text"]),
    ("report", &["load", "schema", "text"]),
    ("checks", &["files", "load", "schema", "text"]),
    ("alerts", &["load", "report", "schema", "text"]),
    (
        "commands",
        &[
            "alerts",
            "buildings",
            "checks",
            "error",
            "event",
            "extract",
            "files",
            "incidents",
            "ledger",
            "load",
            "personal_data",
            "raw_log",
            "remote",
            "report",
            "schema",
            "text",
            "transform",
        ],
    ),
];

/// The edge, which may use everything.
const EDGE: &[&str] = &["cli", "config", "error", "fuzzing", "lib", "main"];

/// The other crates: they use none of our code.
const CRATES: &[&str] = &["feishu-vc", "vcq-simulator"];

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The module of `src/` that a file belongs to.
fn module(file: &Path) -> String {
    let relative = file.strip_prefix(project("src")).expect("below src");
    relative.iter().next().expect("a name").to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn names(files: &BTreeSet<&Path>, arrows: &Arrows) -> String {
    let mut text = String::new();
    for ((from, to), used) in arrows {
        if files.contains(from.as_path()) && files.contains(to.as_path()) {
            let used: Vec<&str> = used.iter().map(String::as_str).collect();
            text.push_str(&format!("  {} -> {}: {}\n", shown(from), shown(to), used.join(", ")));
        }
    }
    text
}

fn shown(file: &Path) -> String {
    file.strip_prefix(project("")).unwrap_or(file).display().to_string()
}

#[test]
fn modules_use_only_what_the_architecture_allows() {
    let arrows = Source::read(&project("src/lib.rs")).arrows();
    let mut wrong = Vec::new();
    for ((from, to), used) in &arrows {
        let (user, user_of) = (module(from), module(to));
        if user == user_of || EDGE.contains(&user.as_str()) {
            continue;
        }
        match MAY_USE.iter().find(|(name, _)| *name == user) {
            None => wrong.push(format!("{}: the module {user} is not in MAY_USE", shown(from))),
            Some((_, allowed)) if allowed.contains(&user_of.as_str()) => {}
            Some(_) => wrong.push(format!("{} uses {used:?} of {}", shown(from), shown(to))),
        }
    }
    assert!(arrows.len() > 200, "only {} uses were found", arrows.len());
    assert!(wrong.is_empty(), "uses that the architecture does not allow:\n{}", wrong.join("\n"));
}

/// What creates a file or directory, or sets a mode.
const CREATES: &[&str] = &[
    "File::create",
    "File::options",
    "OpenOptions",
    "fs::write(",
    "fs::copy(",
    "fs::create_dir",
    "DirBuilder",
    "set_permissions",
    "Permissions::from_mode",
    "umask(",
];

#[test]
fn only_one_module_creates_files_and_sets_modes() {
    let mut wrong = Vec::new();
    for file in Source::read(&project("src/lib.rs")).files() {
        let text = fs::read_to_string(file).expect("text");
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let found = CREATES.iter().filter(|word| text.contains(**word));
        let is_allowed = ["files", "fuzzing"].contains(&module(file).as_str());
        wrong.extend(found.filter(|_| !is_allowed).map(|word| format!("{}: {word}", shown(file))));
    }
    assert!(wrong.is_empty(), "files are created outside of src/files:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut text = String::new();
    for root in ["src/lib.rs", "crates/feishu-vc/src/lib.rs", "crates/vcq-simulator/src/lib.rs"] {
        let source = Source::read(&project(root));
        assert!(source.files().len() > 10, "only {} files below {root}", source.files().len());
        let arrows = source.arrows();
        for circle in circles(&arrows) {
            text.push_str(&format!("{} files of {root}:\n{}", circle.len(), names(&circle, &arrows)));
        }
    }
    assert!(text.is_empty(), "circles of files:\n{text}");
}

#[test]
fn the_other_crates_use_none_of_our_code() {
    for name in CRATES {
        let manifest = fs::read_to_string(project(&format!("crates/{name}/Cargo.toml"))).expect("a manifest");
        assert!(!manifest.contains("path =") && !manifest.contains("vcq-etl"), "crates/{name} depends on our code");
    }
}

#[test]
fn the_source_reader_follows_re_exports_and_finds_circles() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("created");
        fs::write(&file, text).expect("written");
    };
    write("lib.rs", "mod load; mod report; #[cfg(test)] mod tests;");
    write("load/mod.rs", "mod lock; mod store; pub use lock::Lock; pub use store::*;");
    write("load/lock.rs", "use super::Paths; pub struct Lock(Paths);");
    write("load/store.rs", "pub struct Paths; pub fn free() -> bool { super::lock::is_free() }");
    write("report.rs", "use crate::load; use crate::load::{self as other, Lock}; fn run(_: Lock) { load::free(); }");
    let source = Source::read(&folder.path().join("lib.rs"));
    let arrows = source.arrows();
    let file = |path: &str| folder.path().join(path);
    let seen: Vec<(PathBuf, PathBuf)> = arrows.keys().cloned().collect();
    assert!(seen.contains(&(file("report.rs"), file("load/lock.rs"))), "a re-export: {seen:?}");
    assert!(seen.contains(&(file("report.rs"), file("load/store.rs"))), "a glob behind a module: {seen:?}");
    assert!(!seen.iter().any(|(_, to)| *to == file("load/mod.rs")), "a facade defines nothing: {seen:?}");
    let is_free = "use super::Paths; pub struct Lock(Paths); pub fn is_free() -> bool { true }";
    write("load/lock.rs", is_free);
    let arrows = Source::read(&folder.path().join("lib.rs")).arrows();
    let circles = circles(&arrows);
    assert_eq!(circles.len(), 1, "{circles:?}");
    assert!(
        circles[0].contains(file("load/lock.rs").as_path()) && circles[0].contains(file("load/store.rs").as_path())
    );
}
