//! `src/text/messages.tsv` against the code: every text for people in the sources has an entry, and every entry a text.
//!
//! The sources are parsed: all string literals outside of tests that are more than a word are texts for people, except
//! those in the places and files listed here. `#[error("...")]` counts like `format!`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::help::looked_up;
use super::help_tests::helps;
use crate::text::{messages, put_together};

/// Files and folders whose texts are not messages of the command line, each with the reason.
const OTHER_TEXTS: &[(&str, &str)] = &[
    ("src/alerts/card.rs", "messages of alerts have both languages in place"),
    ("src/alerts/compose.rs", "messages of alerts have both languages in place"),
    ("src/alerts/incident.rs", "messages of alerts have both languages in place"),
    ("src/alerts/message.rs", "messages of alerts have both languages in place"),
    ("src/alerts/render.rs", "messages of alerts have both languages in place"),
    ("src/alerts/row.rs", "messages of alerts have both languages in place"),
    ("src/alerts/times.rs", "messages of alerts have both languages in place"),
    ("src/checks", "details of findings, except those of `ALSO_IN`"),
    ("src/cli/completions.rs", "code of shells"),
    ("src/cli/help.rs", "the Chinese forms of clap's own words"),
    ("src/cli/init/cron.rs", "a line of a crontab"),
    ("src/cli/init/systemd.rs", "units; the messages are found by hand"),
    ("src/cli/man.rs", "man pages"),
    ("src/cli/program.rs", "parts of the help"),
    ("src/cli/report/list.rs", "texts of reports"),
    ("src/cli/report/show.rs", "texts of reports"),
    ("src/fuzzing", "tests"),
    ("src/incidents", "sentences in the store"),
    ("src/ledger/alerts.rs", "SQL"),
    ("src/ledger/change.rs", "SQL"),
    ("src/ledger/pending.rs", "SQL"),
    ("src/ledger/refetch.rs", "SQL"),
    ("src/ledger/summary.rs", "SQL"),
    ("src/ledger/replaced.rs", "SQL"),
    ("src/load/duckdb_error.rs", "texts of DuckDB"),
    ("src/load/scripts.rs", "SQL"),
    ("src/personal_data/reference.rs", "documents"),
    ("src/report/dictionary.rs", "the data dictionary"),
    ("src/report/engine", "SQL, and the README beside it"),
    ("src/report/format", "results of reports"),
    ("src/report/headings.rs", "headings have both languages in place"),
    ("src/report/meanings.rs", "the data dictionary"),
    ("src/report/page", "the page has texts of its own"),
    ("src/report/presentation.rs", "texts of reports"),
    ("src/report/reference.rs", "documents"),
    ("src/report/window.rs", "the window has both languages in place"),
    ("src/schema/column.rs", "the data dictionary"),
    ("src/schema/ddl.rs", "SQL"),
    ("src/schema/dictionary.rs", "the data dictionary"),
    ("src/schema/tables", "the data dictionary"),
    ("src/schema/translation.rs", "units have both languages in place"),
];

/// Files in the folders above whose texts are messages.
const ALSO_IN: &[&str] = &["src/checks/registry.rs", "src/report/page/error.rs"];

/// What takes texts that nobody reads, or that the test of the help covers.
const SILENT: &[&str] = &[
    "about",
    "after_help",
    "doc",
    "assert",
    "assert_eq",
    "assert_ne",
    "concat",
    "contains",
    "debug",
    "debug_assert",
    "ends_with",
    "execute",
    "execute_batch",
    "expect",
    "help",
    "include_str",
    "json",
    "long_about",
    "long_help",
    "panic",
    "prepare",
    "prepare_cached",
    "query_map",
    "query_row",
    "replace",
    "rsplit_once",
    "split_once",
    "starts_with",
    "strip_prefix",
    "strip_suffix",
    "trim_start_matches",
    "unreachable",
];

/// Beginnings of SQL.
const SQL: &[&str] = &[
    "alter ",
    "attach ",
    "begin",
    "cast(",
    "coalesce(",
    "commit",
    "copy (",
    "create ",
    "date '",
    "delete from",
    "detach ",
    "drop ",
    "duckdb_",
    "epoch_us(",
    "from ",
    "inner join ",
    "insert ",
    "o.kind = ",
    "on conflict",
    "order by",
    "pragma ",
    "select ",
    "set allowed",
    "union ",
    "update ",
    "where ",
    "with recursive",
    "(select",
];

#[derive(Default)]
struct Texts {
    file: String,
    /// Template, and the files that have it.
    found: BTreeMap<String, BTreeSet<String>>,
    /// Of those, the ones that must have an entry.
    required: BTreeSet<String>,
    silent: usize,
}

impl Texts {
    fn add(&mut self, text: &str, is_format: bool) {
        let lower = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let is_query = lower.contains("select ") && lower.contains("from ");
        let is_sql = is_query || SQL.iter().any(|start| lower.starts_with(start)) && !text.ends_with('.');
        self.silent += usize::from(is_sql);
        text.lines().for_each(|line| self.add_line(line, is_format));
        self.silent -= usize::from(is_sql);
    }

    fn add_line(&mut self, text: &str, is_format: bool) {
        let template = template(text, is_format);
        self.found.entry(template.clone()).or_default().insert(self.file.clone());
        let is_other =
            OTHER_TEXTS.iter().any(|(path, _)| self.file.starts_with(path)) && !ALSO_IN.contains(&self.file.as_str());
        if self.silent == 0 && !is_other && is_prose(&template) {
            self.required.insert(template);
        }
    }

    fn tokens(&mut self, tokens: TokenStream, is_format: bool) {
        let mut silent_next = false;
        for token in tokens {
            match token {
                TokenTree::Literal(literal) if silent_next => silent_next = literal.to_string().is_empty(),
                TokenTree::Literal(literal) => {
                    if let Ok(syn::Lit::Str(text)) = syn::parse_str::<syn::Lit>(&literal.to_string()) {
                        self.add(&text.value(), is_format);
                    }
                }
                TokenTree::Group(group) => {
                    self.silent += usize::from(silent_next);
                    self.tokens(group.stream(), is_format);
                    self.silent -= usize::from(silent_next);
                    silent_next = false;
                }
                TokenTree::Ident(name) => silent_next = SILENT.contains(&name.to_string().as_str()),
                TokenTree::Punct(mark) => silent_next &= "!=".contains(mark.as_char()),
            }
        }
    }
}

impl<'a> Visit<'a> for Texts {
    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if attribute.path().is_ident("error")
            && let syn::Meta::List(list) = &attribute.meta
        {
            self.tokens(list.tokens.clone(), true);
        }
    }

    fn visit_item(&mut self, item: &'a syn::Item) {
        let (attributes, name) = match item {
            syn::Item::Mod(item) => (&item.attrs, &item.ident),
            syn::Item::Fn(item) => (&item.attrs, &item.sig.ident),
            syn::Item::Const(item) => (&item.attrs, &item.ident),
            _ => return visit::visit_item(self, item),
        };
        let is_test = attributes.iter().any(|attribute| {
            let text = quote::quote!(#attribute).to_string();
            text.contains("cfg (test)") || text.contains("cfg (any (test") || text.contains("[test]")
        });
        if !is_test && !name.to_string().ends_with("EXAMPLES") {
            visit::visit_item(self, item);
        }
    }

    fn visit_macro(&mut self, found: &'a syn::Macro) {
        let name = found.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        let is_silent = SILENT.contains(&name.as_str());
        self.silent += usize::from(is_silent);
        self.tokens(found.tokens.clone(), true);
        self.silent -= usize::from(is_silent);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let is_silent = SILENT.contains(&call.method.to_string().as_str());
        self.silent += usize::from(is_silent);
        call.args.iter().for_each(|argument| self.visit_expr(argument));
        self.silent -= usize::from(is_silent);
    }

    fn visit_field_value(&mut self, field: &'a syn::FieldValue) {
        let is_help = matches!(&field.member, syn::Member::Named(name) if name == "help" || name == "examples");
        self.silent += usize::from(is_help);
        visit::visit_field_value(self, field);
        self.silent -= usize::from(is_help);
    }

    fn visit_pat(&mut self, _: &'a syn::Pat) {}

    fn visit_lit_str(&mut self, text: &'a syn::LitStr) {
        self.add(&text.value(), false);
    }
}

/// The text with `{1}`, `{2}` in place of its values, without the separator of a list that it begins with.
fn template(text: &str, is_format: bool) -> String {
    let text = text.trim();
    let text = if is_format { numbered(text) } else { text.to_owned() };
    text.trim_start_matches([';', ',']).trim().to_owned()
}

fn numbered(text: &str) -> String {
    let (mut out, mut number, mut rest) = (String::new(), 0, text);
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if rest.starts_with(brace) {
            out.push_str(brace);
            rest = &rest[1..];
        } else if let Some((_, behind)) = rest.split_once('}').filter(|_| brace == "{") {
            number += 1;
            out.push_str(&format!("{{{number}}}"));
            rest = behind;
        }
    }
    out + rest
}

/// More than a word, a name or a list of values.
fn is_prose(template: &str) -> bool {
    let words = template.split_whitespace().filter(|word| {
        let letters = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
        letters.len() > 1
            && letters.chars().all(|c| c.is_ascii_alphabetic() || "'-/".contains(c))
            && !word.contains('{')
    });
    words.filter(|word| word.chars().any(char::is_lowercase)).count() > 1
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_test = name.contains("tests") || name == "fixture.rs";
        if path.is_dir() && !is_test {
            rust_files(&path, found);
        } else if name.ends_with(".rs") && !is_test {
            found.push(path);
        }
    }
}

fn texts() -> Texts {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "crates/feishu-vc/src"].iter().for_each(|folder| rust_files(&root.join(folder), &mut files));
    let mut texts = Texts::default();
    for path in files {
        texts.file = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).expect("source");
        texts.visit_file(&syn::parse_file(&source).expect("Rust"));
    }
    texts
}

/// An English entry without the kinds of its values.
fn plain(english: &str) -> String {
    let mut text = english.to_owned();
    for mark in ["#", "_", "~"] {
        text = text.replace(&format!("{mark}}}"), "}");
    }
    template(&text, false)
}

#[test]
fn every_text_for_people_has_a_chinese_form() {
    let texts = texts();
    assert!(texts.required.len() > 800, "only {} texts were found", texts.required.len());
    let entries: BTreeSet<String> =
        messages().map(|(english, _)| plain(&english).trim_end_matches('.').to_owned()).collect();
    let missing: Vec<String> = texts
        .required
        .iter()
        .filter(|text| !entries.contains(text.trim_end_matches('.')) && !AS_THEY_ARE.contains(&text.as_str()))
        .map(|text| {
            let files: Vec<&str> = texts.found[text].iter().map(String::as_str).collect();
            format!("{}: {}", files.join(", "), text.replace('\n', "\\n"))
        })
        .collect();
    assert!(missing.is_empty(), "add to src/text/messages.tsv {} texts:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn every_entry_has_a_use() {
    let texts = texts();
    let helps: BTreeSet<String> = helps().iter().flat_map(|help| looked_up(help)).collect();
    let all: String = texts.found.keys().map(|text| format!("{text}\n")).collect();
    let put_together: BTreeSet<String> = put_together().map(|english| plain(&english)).collect();
    // Of texts that are put together, such as "12 meetings", each word is in the sources.
    let is_composed = |english: &str| {
        let words = english.split(|c: char| !c.is_ascii_alphabetic() && c != '_');
        let mut words = words.map(|word| word.strip_suffix('s').unwrap_or(word)).filter(|word| word.len() > 2);
        put_together.contains(english) && words.all(|word| all.contains(word))
    };
    let unused: Vec<String> = messages()
        .map(|(english, _)| plain(&english))
        .filter(|english| !texts.found.contains_key(english) && !helps.contains(english))
        .filter(|english| !texts.found.contains_key(&format!("{english}.")))
        .filter(|english| !helps.contains(&format!("{english}.")))
        .filter(|english| !OF_CLAP.iter().any(|text| english.contains(text)) && !is_composed(english))
        .collect();
    assert!(unused.is_empty(), "{} entries of messages.tsv have no use:\n{}", unused.len(), unused.join("\n"));
}

#[test]
fn every_text_that_need_not_be_translated_is_in_the_sources() {
    let texts = texts();
    let gone: Vec<&&str> = AS_THEY_ARE.iter().filter(|text| !texts.required.contains(**text)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

/// Pieces of what clap itself says.
const OF_CLAP: &[&str] = &[
    "unexpected argument",
    "unrecognized subcommand",
    "a value is required",
    "invalid value",
    "similar",
    "the argument",
    "required arguments",
    "For more information",
    "cannot be used",
    "Print help",
    "Print version",
    "Print this message",
    "Options:",
    "Commands:",
    "Arguments:",
    "a similar",
    "to pass",
    "requires a subcommand",
    "unexpected value",
    "(os error",
    // Of the HTTP client.
    "error sending request",
    "client error (Connect)",
    "tcp connect error",
    "equal sign",
    "was provided",
    "values required",
    "subcommands:",
    "Possible values:",
];

/// Texts for programs, and parts of texts that have an entry as a whole.
const AS_THEY_ARE: &[&str] = &[
    "# {1} meetings, {2} participants, {3} samples",
    "# simulated tenant, first day {1}",
    "--app-secret-file (or --app-secret-stdin)",
    "({1} < {2} and ({3} >= {4} or coalesce({5}, {6} + {7}) >= {8}))",
    "Data quality",
    "Feishu says:",
    "Worst meetings and participants",
    "a date before {1}",
    "a date from {1}",
    "a date from {1} and before {2}",
    "a leaf's name",
    "a list of items",
    "a section's name",
    "an item",
    "an object",
    "any date",
    "as in raw/",
    "buildings import",
    "caused by",
    "configuration has been locked",
    "containing such a range; its addresses in that range are not assigned",
    "duckdb -readonly {1}/vcq.duckdb \"from report_incidents()\"",
    "disabled by configuration",
    "disabled through configuration",
    "ground floor",
    "in a default range of home routers without egress_cidr; no participant is assigned to it",
    "i.{1} {2} cast({3} as date)",
    "incidents where meeting_date in ({1})",
    "listed meeting",
    "local time",
    "meeting_date between date '1970-01-01' + cast(? as integer) and date '1970-01-01' + cast(? as integer)",
    "more message",
    "not released",
    "per minute",
    "python3 -c \"import duckdb; print(duckdb.connect('{1}/vcq.duckdb', read_only=True).sql('from quality_samples limit 5'))\"",
    "quality call",
    "quality_samples.{1} has no source",
    "raw file",
    "read-only mode",
    "repeated (harmless)",
    "seed {1}, {2} days from {3}, {4} people, {5} meetings a day, incidents {6}",
    "organised meeting",
    "participant row",
    "prune --raw-only",
    "since := {1}, until := {2}",
    "truncated record",
    "vcq-etl shared call budget",
    "withheld (identity =",
    "{1} between {2} and {3} and {4} in ({5})",
    "{1} days after 1970-01-01",
    "{1} set enable_external_access = false; set lock_configuration = true",
    "{1} {2} cast({3} as date)",
    "{1} --unit vcq-etl",
    "{1} report html --store {2}",
    "{1} report list",
    "{1} report run incidents --since {2}d --store {3}",
    "{1}{2} as table",
];
