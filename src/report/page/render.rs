//! The file: a skeleton, our style and program, the library, and the data, under a policy that allows nothing else.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::ECHARTS;
use super::contents::generator;

const SKELETON: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");

/// Our program; its files share one scope.
const PROGRAM: &str = concat!(
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

/// The page with this data.
pub(super) fn html(data: &Value) -> String {
    let parts: [(&str, &str); 8] = [
        ("csp", &policy()),
        ("generator", &generator()),
        ("title", "Meeting quality"),
        ("style", STYLE),
        ("data", &embedded(data)),
        ("licences", &licences()),
        ("echarts", ECHARTS.text),
        ("script", PROGRAM),
    ];
    filled(SKELETON, &parts)
}

/// The skeleton with its `{{name}}` replaced, each once and from left to right, so that nothing that was put in is
/// looked at again.
fn filled(skeleton: &str, parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(skeleton.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = skeleton;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the skeleton closes what it opens");
        let (_, text) = parts.iter().find(|(part, _)| *part == name).expect("every name of the skeleton is a part");
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that can stand in a `<script>`: whatever could end it, or begin markup, is written as an escape, which JSON reads
/// as the same text.
fn embedded(data: &Value) -> String {
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

/// No request to anybody; only our two programs and our style; `style` attributes, which the library's SVG needs.
fn policy() -> String {
    format!(
        "default-src 'none'; script-src {} {}; style-src-elem {}; style-src-attr 'unsafe-inline'; img-src data:; \
         base-uri 'none'; form-action 'none'",
        source_hash(ECHARTS.text),
        source_hash(PROGRAM),
        source_hash(STYLE),
    )
}

/// How a policy names a text: `'sha256-<base64>'`.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text)))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// What the embedded library's licence asks to go with every copy.
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
    fn data_can_not_leave_its_element_and_reads_back() {
        let data = json!({ "topics": HOSTILE, "<key>": 1 });
        let safe = embedded(&data);
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{safe}");
        assert_eq!(serde_json::from_str::<Value>(&safe).expect("json"), data);
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "\\PC*|[<>&\u{2028}\"\\\\/!-]*") {
            let data = json!([text]);
            let safe = embedded(&data);
            prop_assert!(!safe.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<Value>(&safe).expect("json"), data);
        }
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (text, wanted) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), wanted);
        }
        assert_eq!(source_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn the_policy_names_what_is_in_the_page_and_nothing_else() {
        let page = html(&json!({}));
        for (open, text) in [("<script>", ECHARTS.text), ("<script>", PROGRAM), ("<style>", STYLE)] {
            // What the browser hashes is exactly what stands between the tags.
            assert!(page.contains(&format!("{open}{text}</")), "{open}");
            assert!(page.contains(&source_hash(text)));
            // A browser reads CR LF as LF and would hash something else.
            assert!(!text.contains('\r'));
        }
        assert!(policy().starts_with("default-src 'none';"));
        assert!(!policy().contains("http") && !policy().contains("unsafe-eval"));
    }

    #[test]
    fn nothing_of_ours_ends_an_element_early_or_makes_markup_of_text() {
        for text in [PROGRAM, ECHARTS.text, &licences()] {
            assert!(!text.to_lowercase().contains("</script") && !text.contains("<!--"));
        }
        assert!(!STYLE.contains("</"));
        for way in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser"]
        {
            assert!(!PROGRAM.contains(way), "{way}");
        }
    }

    #[test]
    fn what_was_put_in_is_not_filled_again() {
        assert_eq!(filled("<{{a}}|{{b}}>", &[("a", "{{b}}"), ("b", "2")]), "<{{b}}|2>");
    }
}
