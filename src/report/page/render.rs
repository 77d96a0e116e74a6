//! Renders the HTML file: template, style, scripts, chart library and data, with a policy that allows nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::echarts::ECHARTS;

const TEMPLATE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");

/// The scripts of the page; they share one scope.
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("assets/base.js"),
    include_str!("assets/table.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/overview.js"),
    include_str!("assets/sections.js"),
    include_str!("assets/meeting.js"),
    include_str!("assets/main.js"),
    "})();\n",
);

pub(super) fn html(data: &Value) -> String {
    let parts: [(&str, &str); 8] = [
        ("csp", &policy()),
        ("generator", &generator()),
        ("title", "Meeting quality"),
        ("style", STYLE),
        ("data", &script_json(data)),
        ("licences", &licences()),
        ("echarts", ECHARTS.text),
        ("script", SCRIPT),
    ];
    fill(TEMPLATE, &parts)
}

pub(super) fn generator() -> String {
    format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
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

/// Content security policy: no requests; only the two scripts and the style of the page, and `style` attributes, which
/// the SVG of the chart library needs.
fn policy() -> String {
    format!(
        "default-src 'none'; script-src {} {}; style-src-elem {}; style-src-attr 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        source_hash(ECHARTS.text),
        source_hash(SCRIPT),
        source_hash(STYLE),
    )
}

/// `'sha256-<base64>'`.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// The licence texts that must accompany the chart library.
fn licences() -> String {
    let library = ECHARTS;
    format!(
        "{} {} ({}, SHA-256 {})\n\n{}\n\n{}\n\n{}",
        library.package, library.version, library.file, library.sha256, library.notice, library.licence, library.parts
    )
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
        let page = html(&json!({}));
        for (open, text) in [("<script>", ECHARTS.text), ("<script>", SCRIPT), ("<style>", STYLE)] {
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
        for text in [SCRIPT, ECHARTS.text, &licences()] {
            assert!(!text.to_lowercase().contains("</script") && !text.contains("<!--"));
        }
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
