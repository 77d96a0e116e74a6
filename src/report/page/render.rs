//! Renders the HTML file: template, style, content, script and data, with a policy that allows nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::markup::{Markup, escaped};
use super::words::{Word, words};

const TEMPLATE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");

/// The scripts of the page; they share one scope.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("assets/base.js"),
    include_str!("assets/table.js"),
    include_str!("assets/meeting.js"),
    include_str!("assets/main.js"),
    "})();\n",
);

/// The initial language of a page; readers can switch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// The language of the browser.
    Auto,
    English,
    Chinese,
}

impl Language {
    pub(super) fn code(self) -> &'static str {
        match self {
            Language::Auto => "auto",
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }
}

/// What a file is made of.
pub(super) struct Document<'a> {
    pub(super) language: Language,
    pub(super) title: Markup,
    pub(super) skip: String,
    pub(super) header: String,
    pub(super) main: String,
    /// For the scripts.
    pub(super) data: &'a Value,
}

pub(super) fn html(document: &Document<'_>) -> String {
    let (language, other) = ("checked", "");
    let is_chinese = document.language == Language::Chinese;
    let parts: [(&str, &str); 13] = [
        ("lang", if is_chinese { "zh-CN" } else { "en" }),
        ("english", if is_chinese { other } else { language }),
        ("chinese", if is_chinese { language } else { other }),
        ("csp", &policy()),
        ("generator", &escaped(&generator())),
        ("title", if is_chinese { &document.title.zh } else { &document.title.en }),
        ("style", STYLE),
        ("skip", &document.skip),
        ("header", &document.header),
        ("main", &document.main),
        ("footer", &escaped(&generator())),
        ("data", &script_json(document.data)),
        ("script", SCRIPT),
    ];
    fill(TEMPLATE, &parts)
}

fn generator() -> String {
    format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The texts that the scripts use, in both languages.
pub(super) fn words_of_scripts() -> Value {
    let is_used = |key: &str| {
        let group = key.split_once('.').map(|(group, _)| group);
        let quoted = |text: String| SCRIPT.contains(&format!("\"{text}\""));
        quoted(key.to_owned())
            || group.is_some_and(|group| quoted(format!("{group}.")) || SCRIPT.contains(&format!("named(\"{group}\"")))
    };
    let texts = |text: fn(Word) -> &'static str| -> Map<String, Value> {
        words().filter(|word| is_used(word.0)).map(|word| (word.0.to_owned(), Value::from(text(word)))).collect()
    };
    json!({ "en": texts(|word| word.1), "zh": texts(|word| word.2) })
}

/// The template with each `{{name}}` replaced. Replaced text is not expanded again.
fn fill(template: &str, parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("placeholders of the template are closed");
        let (_, text) = parts.iter().find(|(part, _)| *part == name).expect("placeholders of the template are known");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON for a `<script>` element: characters that could end it or begin markup are written as JSON escapes.
fn script_json(data: &Value) -> String {
    let json = data.to_string();
    let mut safe = String::with_capacity(json.len() + json.len() / 50);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

/// Content security policy: no requests; only the script and the style of the page, and `style` attributes, which
/// bars need.
fn policy() -> String {
    format!(
        "default-src 'none'; script-src {}; style-src-elem {}; style-src-attr 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        source_hash(SCRIPT),
        source_hash(STYLE),
    )
}

/// `'sha256-<base64>'`.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const HOSTILE: &[&str] = &[
        "</script><script>alert(1)</script>",
        "<!-- <script>",
        "]]></x>",
        "{{script}}",
        "a & b \u{2028}\u{2029}",
        "\u{202e}gnp.exe",
        "\"},{\"x\":\"",
        "\\u003c\\",
    ];

    #[test]
    fn data_stays_in_its_element_and_reads_back() {
        let data = json!({ "topics": HOSTILE, "<key>": 1 });
        let safe = script_json(&data);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{safe}");
        assert_eq!(serde_json::from_str::<Value>(&safe).expect("json"), data);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC*|[<>&\u{2028}\"\\\\/!-]*") {
            let data = json!([text]);
            let safe = script_json(&data);
            prop_assert!(!safe.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<Value>(&safe).expect("json"), data);
        }
    }

    #[test]
    fn source_hashes_use_standard_base64() {
        assert_eq!(source_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn the_policy_allows_only_the_contents_of_the_page() {
        let document = Document {
            language: Language::Auto,
            title: Markup::html("t"),
            skip: String::new(),
            header: String::new(),
            main: String::new(),
            data: &json!({}),
        };
        let page = html(&document);
        for (open, text) in [("<script>", SCRIPT), ("<style>", STYLE)] {
            // The browser hashes exactly the text between the tags.
            assert!(page.contains(&format!("{open}{text}</")), "{open}");
            assert!(page.contains(&source_hash(text)));
            // The browser normalises CR LF to LF and would compute another hash.
            assert!(!text.contains('\r'));
        }
        assert!(policy().starts_with("default-src 'none';"));
        assert!(!policy().contains("http") && !policy().contains("unsafe-eval"));
    }

    #[test]
    fn scripts_do_not_end_their_element_or_create_markup_from_text() {
        assert!(!SCRIPT.to_lowercase().contains("</script") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("</"));
        for api in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"]
        {
            assert!(!SCRIPT.contains(api), "{api}");
        }
    }

    #[test]
    fn replaced_text_is_not_expanded_again() {
        assert_eq!(fill("<{{a}}|{{b}}>", &[("a", "{{b}}"), ("b", "2")]), "<{{b}}|2>");
    }
}
