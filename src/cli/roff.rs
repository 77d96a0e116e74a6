//! Writes man pages in roff. Promises ASCII with short lines, and that no text is taken for a request.

use crate::text::{Language, units, wrap};

/// Escaping makes lines longer: mandoc wants at most 80 bytes.
const LINE_WIDTH: usize = 60;
/// Of a line of Chinese text, without the escapes at its end.
const MAX_BYTES: usize = 70;

pub(super) struct Roff {
    text: String,
    language: Language,
}

impl Roff {
    /// Texts are given in English.
    pub(super) fn new(title: &str, section: u8, date: &str, source: &str, language: Language) -> Roff {
        let (title, source) = (escaped(&title.to_uppercase()), escaped(source));
        let manual = escaped(&language.say("User Commands"));
        // Lines without spaces cannot be justified.
        let adjust = language.pick("", ".ad l\n");
        let text = format!(".TH \"{title}\" {section} {date} \"{source}\" \"{manual}\"\n{adjust}");
        Roff { text, language }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn heading(&mut self, title: &str) {
        self.text.push_str(&format!(".SH \"{}\"\n", escaped(&self.language.say(title).to_uppercase())));
    }

    /// The line that `whatis` reads.
    pub(super) fn name(&mut self, title: &str, about: &str) {
        self.text.push_str(&format!("{} \\-\n", escaped(title)));
        self.text(about);
    }

    /// Wrapped text. Nothing is written for an empty one.
    pub(super) fn text(&mut self, text: &str) {
        if self.language == Language::Chinese {
            let said = self.language.say(text.trim()).into_owned();
            return self.chinese(&said);
        }
        for line in wrap(text, LINE_WIDTH).iter().filter(|line| !line.is_empty()) {
            self.text.push_str(&format!("{}\n", escaped(line)));
        }
    }

    /// Text that can break behind every Chinese character, in short lines that a formatter joins without a space.
    pub(super) fn chinese(&mut self, text: &str) {
        let mut line = String::new();
        for (is_spaced, unit) in units(text) {
            let shown = escaped(&unit);
            let is_full = line.len() + shown.len() > MAX_BYTES;
            match (line.is_empty(), is_full, is_spaced) {
                (true, ..) => {}
                (false, true, true) => self.text.push_str(&format!("{}\n", std::mem::take(&mut line))),
                (false, true, false) => self.text.push_str(&format!("{}\\:\\c\n", std::mem::take(&mut line))),
                (false, false, is_spaced) => line.push_str(if is_spaced { " " } else { "\\:" }),
            }
            line.push_str(if line.is_empty() { &shown } else { shown.trim_start_matches("\\&") });
        }
        if !line.is_empty() {
            self.text.push_str(&format!("{line}\n"));
        }
    }

    pub(super) fn bold_paragraph(&mut self, text: &str) {
        for line in wrap(text, LINE_WIDTH) {
            self.text.push_str(&format!("\\fB{}\\fR\n", escaped(&line)));
        }
    }

    /// Paragraphs are separated by empty lines; one whose lines are indented is kept as it is.
    pub(super) fn paragraphs(&mut self, text: &str) {
        self.separated(text, ".PP\n");
    }

    /// The same below a term.
    pub(super) fn paragraphs_of_term(&mut self, text: &str) {
        self.separated(text, ".IP\n");
    }

    fn separated(&mut self, text: &str, separator: &str) {
        for (index, paragraph) in text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).enumerate() {
            if index > 0 {
                self.text.push_str(separator);
            }
            match paragraph.lines().all(|line| line.starts_with("  ")) {
                true => self.preformatted(paragraph),
                false => self.text(paragraph),
            }
        }
    }

    pub(super) fn preformatted(&mut self, text: &str) {
        let lines: String = text.lines().map(|line| escaped(line) + "\n").collect();
        // An empty line would be a paragraph of its own.
        self.text.push_str(&format!(".nf\n{}.fi\n", lines.replace("\n\n", "\n\\&\n")));
    }

    /// A term of a list: its parts, bold (typed as they are) or italic and plain.
    pub(super) fn term(&mut self, parts: &[(&str, bool)]) {
        let is_name = |text: &str| text.chars().any(|c| c.is_alphanumeric()) && !text.starts_with('(');
        let parts: String = parts
            .iter()
            .map(|(text, is_bold)| match (*is_bold, is_name(text)) {
                (true, _) => format!("\\fB{}\\fR", escaped(text)),
                (false, true) => format!("\\fI{}\\fR", escaped(text)),
                (false, false) => escaped(text),
            })
            .collect();
        self.text.push_str(&format!(".TP\n{parts}\n"));
    }

    /// A list inside the text of a term.
    pub(super) fn indented(&mut self, list: impl FnOnce(&mut Roff)) {
        self.text.push_str(".RS\n");
        list(self);
        self.text.push_str(".RE\n");
    }
}

/// Text in which nothing is a request, an escape or outside of ASCII; hyphens stay hyphens when they are copied.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\(rs"),
            '-' => escaped.push_str("\\-"),
            '"' => escaped.push_str("\\(dq"),
            '\'' => escaped.push_str("\\(aq"),
            '~' => escaped.push_str("\\(ti"),
            '^' => escaped.push_str("\\(ha"),
            '`' => escaped.push_str("\\(ga"),
            '.' if escaped.is_empty() => escaped.push_str("\\&."),
            c if c.is_ascii() => escaped.push(c),
            c => escaped.push_str(&format!("\\[u{:04X}]", c as u32)),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_never_a_request() {
        let mut roff = Roff::new("a-b", 1, "2026-11-26", "v", Language::English);
        roff.paragraphs(".PP x\n\n'y' \\fB 是\n\n  kept  as\n  it is");
        assert_eq!(
            roff.finish(),
            ".TH \"A\\-B\" 1 2026-11-26 \"v\" \"User Commands\"\n\\&.PP x\n.PP\n\\(aqy\\(aq \\(rsfB \\[u662F]\n.PP\n\
             .nf\n  kept  as\n  it is\n.fi\n"
        );
    }

    proptest! {
        #[test]
        fn every_text_is_short_ascii_lines_without_requests(text in "[ -~\n是]{0,300}") {
            let mut roff = Roff { text: String::new(), language: Language::English };
            roff.text(&text);
            for line in roff.finish().lines() {
                prop_assert!(line.is_ascii() && !line.starts_with(['.', '\'']), "{}", line);
            }
        }
    }
}
