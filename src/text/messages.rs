//! What the command line prints, in Chinese.
//!
//! `messages.tsv` has every message, English and Chinese side by side. The code builds English texts and typed values;
//! where a text for people is printed, it is looked up as a whole. A message fits if its English, with values in place
//! of `{1}`, is exactly the text; of several, the most precise is used. `{1~}` in the Chinese
//! text is looked up itself, other values are shown as they are. A chain (`error: cause: cause`) or a list (`one; two`)
//! is looked up part by part if it does not fit as a whole. A text without a message stays English. Leaves out
//! everything that programs read: it never comes here.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::template::Message;

const MESSAGES: &str = include_str!("messages.tsv");

/// Messages within messages beyond this depth stay English.
const MAX_DEPTH: usize = 6;

struct Catalogue {
    /// Those without values.
    fixed: HashMap<String, String>,
    /// The others, the most specific first.
    with_values: Vec<Message>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut catalogue = Catalogue { fixed: HashMap::new(), with_values: Vec::new() };
    for (english, chinese) in entries() {
        match english.contains('{') {
            true => catalogue.with_values.push(Message::new(&english, &chinese)),
            false => {
                catalogue.fixed.insert(english, chinese);
            }
        }
    }
    catalogue.with_values.sort_by_key(|message| std::cmp::Reverse(message.precision));
    catalogue
});

/// English and Chinese of every message, in the order of the file.
pub(crate) fn entries() -> impl Iterator<Item = (String, String)> {
    let lines = MESSAGES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).map(|(english, chinese)| (unescaped(english), unescaped(chinese)))
}

/// The English of the messages that the code puts together from several texts: those of the last section of the file.
#[cfg(test)]
pub(crate) fn put_together() -> impl Iterator<Item = String> {
    let (_, section) = MESSAGES.split_once("\n# Put together").expect("the section");
    section.lines().skip(1).filter_map(|line| line.split_once('\t')).map(|(english, _)| unescaped(english))
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

/// The Chinese form of a text; `None` if no message fits.
pub(crate) fn chinese(english: &str) -> Option<String> {
    at_depth(english, 0)
}

/// The Chinese form of a sentence or of a description, which is the same text without its full stop. A message for
/// exactly this text goes before those with values, which could fit as well.
pub(crate) fn described(english: &str) -> Option<String> {
    let fixed = |text: &str| CATALOGUE.fixed.get(text).cloned();
    let stopped = |text: String| text.trim_end_matches('。').to_owned() + "。";
    let bare = english.strip_suffix('.');
    fixed(english)
        .or_else(|| bare.and_then(fixed).map(stopped))
        .or_else(|| chinese(english))
        .or_else(|| bare.and_then(chinese).map(stopped))
}

fn at_depth(english: &str, depth: usize) -> Option<String> {
    one(english, depth).or_else(|| chain(english, depth))
}

/// A text that a single message fits.
fn one(english: &str, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some(chinese) = CATALOGUE.fixed.get(english) {
        return Some(chinese.clone());
    }
    let is_message = |text: &str| one(text, depth + 1).is_some();
    let look_up = |text: &str| at_depth(text, depth + 1).unwrap_or_else(|| text.to_owned());
    CATALOGUE.with_values.iter().find_map(|message| message.apply(english, &is_message, &look_up))
}

/// `error: cause` and `one; two`.
fn chain(english: &str, depth: usize) -> Option<String> {
    [(": ", "："), ("; ", "；")].into_iter().find_map(|(between, chinese_between)| {
        let splits = english.match_indices(between).map(|(at, _)| (&english[..at], &english[at + between.len()..]));
        splits.take(MAX_DEPTH).find_map(|(first, rest)| {
            let first = one(first, depth)?;
            let rest = at_depth(rest, depth + 1).unwrap_or_else(|| rest.to_owned());
            Some(format!("{first}{chinese_between}{rest}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The numbers of the values of a template.
    fn values(template: &str) -> BTreeSet<usize> {
        let value = |part: &str| {
            let inner = part.split_once('}')?.0;
            inner.trim_end_matches(['#', '_', '~', ',', ';']).parse().ok()
        };
        template.split('{').skip(1).filter_map(value).collect()
    }

    /// A text that the message fits.
    fn sample(english: &str) -> String {
        let mut text = english.to_owned();
        for number in values(english) {
            for (mark, value) in [("#", "7"), ("_", "w"), ("~", "all pages read"), ("", "x y")] {
                text = text.replace(&format!("{{{number}{mark}}}"), value);
            }
        }
        text
    }

    #[test]
    fn no_value_is_lost_and_no_message_occurs_twice() {
        let mut seen = BTreeSet::new();
        let mut wrong = Vec::new();
        for (english, chinese) in entries() {
            if values(&english) != values(&chinese) {
                wrong.push(format!("other values: {english} -> {chinese}"));
            }
            if !seen.insert(english.replace(['#', '_', '~'], "")) {
                wrong.push(format!("twice: {english}"));
            }
        }
        assert!(seen.len() > 1_000 && wrong.is_empty(), "{}", wrong.join("\n"));
        let lines = MESSAGES.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let broken: Vec<&str> = lines.filter(|line| line.split('\t').count() != 2).collect();
        assert!(broken.is_empty(), "not two columns: {}", broken.join("\n"));
    }

    /// Two messages that fit the same texts would make the choice a matter of chance.
    #[test]
    fn every_message_fits_its_own_texts_first() {
        let mut wrong = Vec::new();
        for (english, template) in entries().filter(|(english, _)| english.contains('{')) {
            let text = sample(&english);
            let own = Message::new(&english, &template);
            let say = |value: &str| chinese(value).unwrap_or_else(|| value.to_owned());
            let own = own.apply(&text, &|value| one(value, 1).is_some(), &say);
            let found = chinese(&text);
            if found != own {
                wrong.push(format!("{english}: {text:?} gives {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// As in the texts of the page: full-width punctuation, and a space between Chinese and Latin words or digits.
    #[test]
    fn chinese_is_set_like_the_texts_of_the_page() {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let mut wrong = Vec::new();
        // A notation has the colons of the values below it.
        for (_, chinese) in entries().filter(|(english, _)| english != "h:mm:ss") {
            let letters: Vec<char> = chinese.chars().collect();
            let is_wrong = letters.windows(2).any(|pair| {
                let (a, b) = (pair[0], pair[1]);
                let touches = is_chinese(a) && b.is_ascii_alphanumeric() || a.is_ascii_alphanumeric() && is_chinese(b);
                touches || is_chinese(a) && ",;:!?".contains(b) || ",;:!?()".contains(a) && is_chinese(b)
            });
            if is_wrong {
                wrong.push(chinese);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn chains_and_lists_are_looked_up_part_by_part() {
        assert_eq!(
            chinese("could not run the query: the host refused the connection: x").as_deref(),
            Some("无法运行查询：主机拒绝连接：x")
        );
        assert_eq!(chinese("x: the host refused the connection"), None);
        assert_eq!(chinese("12 meetings; about 19 min left").as_deref(), Some("12 场会议；还需约 19 分钟"));
        assert_eq!(chinese("no such message"), None);
        assert_eq!(
            chinese("code 126009; HTTP 400; log ID 7; Feishu says: can not find meeting").as_deref(),
            Some("错误码 126009；HTTP 400；log ID 7；飞书返回：can not find meeting")
        );
        let settling = "31 participants of 4 meetings may be fetched again until their data is stable, at the latest x";
        let said = "4 场会议的 31 位参会人在数据稳定之前可能会再次获取，最晚 x";
        assert_eq!(chinese(settling).as_deref(), Some(said));
        assert_eq!(
            chinese("28 calls (meetings 1, participants 27), 16 s").as_deref(),
            Some("28 次调用（会议 1，参会人 27），16 秒")
        );
        assert_eq!(
            chinese("144 meetings, 9 to fetch, about 875 quality calls").as_deref(),
            Some("144 场会议，9 场待获取，约 875 次质量调用")
        );
        assert_eq!(
            chinese("12.0 MiB (raw 2.6 MiB, parquet 1.8 MiB, vcq.duckdb 7.3 MiB, state 368.3 KiB)").as_deref(),
            Some("12.0 MiB（raw 2.6 MiB、parquet 1.8 MiB、vcq.duckdb 7.3 MiB、state 368.3 KiB）")
        );
        let fault = "Fault to inject: [ENDPOINT:]KIND[@TRIGGER], for example html@every=7; repeatable.";
        assert_eq!(described(fault), Some(format!("{}。", chinese(&fault[..fault.len() - 1]).expect("a message"))));
    }
}
