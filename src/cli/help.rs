//! Help and usage errors in Chinese. clap and the commands give them in English, one paragraph or description per line;
//! here each is looked up, and wrapped below its own beginning. Names of commands, flags and values stay.

use std::io;

use crate::text::{Language, WIDTH, described as look_up, terminal_width, width, wrap_in};

/// What clap adds behind a description, and its Chinese form.
const REMARKS: &[(&str, &str)] =
    &[("[default: ", "[默认："), ("[possible values: ", "[可选："), ("[aliases: ", "[别名：")];

/// What a line of a usage error or of the help can begin with, and its Chinese form.
const PREFIXES: &[(&str, &str)] =
    &[("error: ", "错误："), ("hint: ", "提示："), ("tip: ", "建议："), ("Usage: ", "用法：")];

/// Names for arguments in a usage line.
const USAGE: &[(&str, &str)] = &[("[OPTIONS]", "[选项]"), ("<COMMAND>", "<命令>"), ("[COMMAND]", "[命令]")];

/// A help text or a usage error as clap renders it. English texts are wrapped already.
pub(super) fn in_language(language: Language, text: &str) -> String {
    match language {
        Language::English => text.to_owned(),
        Language::Chinese => wrapped(text, WIDTH.min(terminal_width(io::stdout()).into())),
    }
}

fn wrapped(text: &str, columns: usize) -> String {
    text.lines().map(|line| chinese_line(line, columns) + "\n").collect()
}

fn chinese_line(line: &str, columns: usize) -> String {
    let parts = parts(line);
    let start = format!("{}{}", parts.start, parts.prefix);
    let start = if parts.prefix.starts_with("用法") {
        start + &usage(Language::Chinese, parts.text)
    } else {
        let indent = width(&start);
        let text = described(parts.text);
        start + &wrap_in(Language::Chinese, &text, columns.saturating_sub(indent)).join(&format!("\n{:indent$}", ""))
    };
    start.trim_end().to_owned()
}

/// A line of the help: what stays, the Chinese form of its beginning, and the text to look up.
struct Line<'a> {
    start: &'a str,
    prefix: &'static str,
    text: &'a str,
}

fn parts(line: &str) -> Line<'_> {
    let content = line.trim_start();
    let indent = line.len() - content.len();
    if let Some((english, prefix)) = PREFIXES.iter().find(|(english, _)| content.starts_with(english)) {
        return Line { start: &line[..indent], prefix, text: &content[english.len()..] };
    }
    let at = match indent {
        0 => 0,
        // `- text:  what this value means`
        _ if content.starts_with("- ") => content.find(": ").map_or(0, |at| at + 1),
        // `--flag <VALUE>  what it does`
        _ => content.find("  ").unwrap_or(0),
    };
    let gap = content[at..].len() - content[at..].trim_start().len();
    let split = indent + at + gap;
    // A command line without a description stays as it is.
    let is_typed = at == 0 && indent > 0 && ["-", "vcq-etl "].iter().any(|typed| content.starts_with(typed));
    let split = if is_typed { line.len() } else { split };
    Line { start: &line[..split], prefix: "", text: &line[split..] }
}

/// A description without its remarks, and these.
fn without_remarks(text: &str) -> (&str, Vec<&str>) {
    let mut remarks = Vec::new();
    let mut text = text.trim_end();
    if text.ends_with("].") {
        text = &text[..text.len() - 1];
    }
    while let Some(at) = REMARKS.iter().filter_map(|(english, _)| text.rfind(english)).max()
        && text.ends_with(']')
    {
        remarks.insert(0, &text[at..]);
        text = text[..at].trim_end();
    }
    (text, remarks)
}

fn described(text: &str) -> String {
    let (text, remarks) = without_remarks(text);
    let remarks = remarks.into_iter().map(|remark| {
        let known = REMARKS.iter().find_map(|(english, chinese)| Some((remark.strip_prefix(english)?, chinese)));
        let (value, chinese) = known.unwrap_or((remark, &""));
        let value = value.trim_end_matches(']');
        // A single word is a value that can be given.
        let said = value.contains(' ').then(|| look_up(value)).flatten();
        format!("{chinese}{}]", said.unwrap_or_else(|| value.to_owned()))
    });
    let said = (!text.is_empty()).then(|| look_up(text).unwrap_or_else(|| text.to_owned()));
    said.into_iter().chain(remarks).collect::<Vec<_>>().join(" ")
}

/// A usage line with its names for arguments in a language.
pub(super) fn usage(language: Language, line: &str) -> String {
    match language {
        Language::English => line.to_owned(),
        Language::Chinese => {
            USAGE.iter().fold(line.to_owned(), |line, (english, chinese)| line.replace(english, chinese))
        }
    }
}

/// The paragraphs of a help text with their remarks, in Chinese.
pub(super) fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(described).collect::<Vec<_>>().join("\n\n")
}

/// The texts of an English help that are looked up.
#[cfg(test)]
pub(super) fn looked_up(help: &str) -> Vec<String> {
    let lines = help.lines().map(parts).filter(|line| line.prefix != "用法：");
    lines
        .flat_map(|line| {
            let (text, remarks) = without_remarks(line.text);
            let values = remarks.into_iter().filter_map(|remark| remark.strip_prefix("[default: "));
            std::iter::once(text).chain(values.map(|value| value.trim_end_matches(']'))).collect::<Vec<_>>()
        })
        .map(str::to_owned)
        .collect()
}
