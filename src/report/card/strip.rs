//! A time span as one line of characters: one character for one or several minutes.

use jiff::civil::DateTime;

use super::words::Words;

/// What is known of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// No judged minute.
    None,
    Good,
    /// CPU-limited, but not poor.
    Cpu,
    /// Poor, for less than half of those concerned.
    Some,
    Poor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strip {
    pub label: String,
    /// What stands behind the strip: `44 of 58 min poor`.
    pub note: String,
    pub start: DateTime,
    /// One per minute.
    pub minutes: Vec<Level>,
}

impl Level {
    /// Of `judged` participants, `poor` were poor.
    pub(super) fn of(poor: i64, judged: i64) -> Level {
        match (poor, judged) {
            (_, ..=0) => Level::None,
            (0, _) => Level::Good,
            _ if poor * 2 < judged => Level::Some,
            _ => Level::Poor,
        }
    }
}

impl Strip {
    /// From minutes of the local clock, in any order, with what is known of each.
    pub(super) fn new(label: String, note: String, minutes: &[(DateTime, Level)]) -> Option<Strip> {
        /// A day and a half; a longer span would not be readable.
        const MAX_MINUTES: i64 = 2160;
        let start = minutes.iter().map(|(at, _)| *at).min()?;
        let offset = |at: DateTime| start.until(at).ok().and_then(|span| span.total(jiff::Unit::Minute).ok());
        let mut levels = Vec::new();
        for (at, level) in minutes {
            let Some(index) = offset(*at).map(|minutes| minutes as i64).filter(|minutes| *minutes < MAX_MINUTES) else {
                continue;
            };
            let index = index.max(0) as usize;
            if levels.len() <= index {
                levels.resize(index + 1, Level::None);
            }
            levels[index] = levels[index].max(*level);
        }
        Some(Strip { label, note, start, minutes: levels })
    }

    /// Minutes per character so that a strip has at most `max_width` characters.
    pub(super) fn scale(strips: &[Strip], max_width: usize) -> usize {
        let longest = strips.iter().map(|strip| strip.minutes.len()).max().unwrap_or_default();
        longest.div_ceil(max_width.max(1)).max(1)
    }

    /// The strip in characters, each for `scale` minutes: the worst of them counts.
    pub(super) fn text(&self, scale: usize, is_utf8: bool) -> String {
        let worst = |minutes: &[Level]| minutes.iter().copied().max().unwrap_or(Level::None);
        let text: String = self.minutes.chunks(scale.max(1)).map(|minutes| worst(minutes).shown(is_utf8)).collect();
        text.trim_end().to_owned()
    }
}

impl Level {
    fn shown(self, is_utf8: bool) -> char {
        match (self, is_utf8) {
            (Level::None, _) => ' ',
            (Level::Good, true) => '\u{2581}',
            (Level::Cpu, true) => '\u{2592}',
            (Level::Some, true) => '\u{2584}',
            (Level::Poor, true) => '\u{2588}',
            (Level::Good, false) => '.',
            (Level::Cpu, false) => 'c',
            (Level::Some, false) => '+',
            (Level::Poor, false) => '#',
        }
    }
}

/// What the characters of these strips mean.
pub(super) fn legend(strips: &[Strip], scale: usize, is_utf8: bool, words: Words) -> String {
    let levels = [("good", Level::Good), ("cpu", Level::Cpu), ("some", Level::Some), ("poor", Level::Poor)];
    let shown = levels.map(|(name, level)| (name, level.shown(is_utf8).to_string()));
    let minutes = words.counted(scale as i64, "minute");
    let values: Vec<(&str, &str)> = shown.iter().map(|(name, shown)| (*name, shown.as_str())).collect();
    let has_cpu = strips.iter().any(|strip| strip.minutes.contains(&Level::Cpu));
    let key = if has_cpu { "card.legend.cpu" } else { "card.legend" };
    words.fill(key, &[values, vec![("minutes", &minutes)]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_become_characters_and_the_worst_counts() {
        let at = |minute: i8| jiff::civil::date(2026, 11, 20).at(9, minute, 0, 0);
        let levels = [(at(2), Level::Poor), (at(0), Level::Good), (at(1), Level::Some), (at(5), Level::Good)];
        let strip = Strip::new("a".to_owned(), String::new(), &levels).expect("a strip");
        assert_eq!((strip.start, strip.minutes.len()), (at(0), 6));
        assert_eq!([strip.text(1, false), strip.text(2, false), strip.text(1, true)], [".+#  .", "+#.", "▁▄█  ▁"]);
        assert_eq!(Strip::scale(std::slice::from_ref(&strip), 4), 2);
        assert_eq!(Strip::new(String::new(), String::new(), &[]), None);
        assert!(!legend(&[strip], 1, false, Words::default()).contains("CPU"));
        let hot = Strip::new(String::new(), String::new(), &[(at(1), Level::Cpu), (at(1), Level::Good)]);
        let hot = hot.expect("a strip");
        assert_eq!((hot.text(1, false).as_str(), hot.text(1, true).as_str()), ("c", "\u{2592}"));
        assert!(legend(&[hot], 1, false, Words::default()).starts_with("(. good, c CPU-limited, + poor"));
        let of = [(0, 0), (0, 4), (1, 4), (2, 4)].map(|(poor, judged)| Level::of(poor, judged));
        assert_eq!(of, [Level::None, Level::Good, Level::Some, Level::Poor]);
    }
}
