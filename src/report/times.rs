//! Local times as people write them.

use jiff::civil::{DateTime, Weekday};

use super::result::Cell;
use crate::text::Language;

/// The time of a cell; `None` for NULL and for what is no time.
pub(crate) fn time_of(cell: Option<&Cell>) -> Option<DateTime> {
    match cell? {
        Cell::Time(text) => text.parse().ok(),
        _ => None,
    }
}

fn day(at: DateTime, language: Language) -> String {
    let (month, day) = (at.month(), at.day());
    match language {
        Language::English => at.strftime("%a %-d %b").to_string(),
        Language::Chinese => format!("{month}月{day}日（{}）", weekday(at.weekday())),
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "周一",
        Weekday::Tuesday => "周二",
        Weekday::Wednesday => "周三",
        Weekday::Thursday => "周四",
        Weekday::Friday => "周五",
        Weekday::Saturday => "周六",
        Weekday::Sunday => "周日",
    }
}

fn clock(at: DateTime) -> String {
    at.strftime("%H:%M").to_string()
}

/// `Fri 20 Nov` or `11月20日（周五）`.
pub(crate) fn date(at: DateTime, language: Language) -> String {
    day(at, language)
}

/// `Fri 20 Nov 09:40` or `11月20日（周五）09:40`.
pub(crate) fn moment(at: DateTime, language: Language) -> String {
    language.pick(format!("{} {}", day(at, language), clock(at)), format!("{}{}", day(at, language), clock(at)))
}

/// `Fri 20 Nov 09:40-12:06`, with the second date if it is another one.
pub(crate) fn span(start: DateTime, end: DateTime, language: Language) -> String {
    let moment = |at: DateTime| moment(at, language);
    let same_day = start.date() == end.date();
    match (language, same_day) {
        _ if start == end => moment(start),
        (Language::English, true) => format!("{}-{}", moment(start), clock(end)),
        (Language::English, false) => format!("{} to {}", moment(start), moment(end)),
        (Language::Chinese, true) => format!("{}–{}", moment(start), clock(end)),
        (Language::Chinese, false) => format!("{} 至 {}", moment(start), moment(end)),
    }
}

/// `Fri 20 Nov 2026` or `2026年11月20日（周五）`.
pub(crate) fn date_with_year(at: DateTime, language: Language) -> String {
    let date = date(at, language);
    language.pick(format!("{date} {}", at.year()), format!("{}年{date}", at.year()))
}

/// `Fri 20 Nov 2026 09:40-12:06` or `2026年11月20日（周五）09:40–12:06`, with the second date if it is another one.
pub(crate) fn span_with_year(start: DateTime, end: DateTime, language: Language) -> String {
    let first = date_with_year(start, language);
    let (from, to) = (clock(start), clock(end));
    match (language, start.date() == end.date()) {
        (Language::English, true) => format!("{first} {from}-{to}"),
        (Language::English, false) => format!("{first} {from} to {}", moment(end, language)),
        (Language::Chinese, true) => format!("{first}{from}–{to}"),
        (Language::Chinese, false) => format!("{first}{from} 至 {}", moment(end, language)),
    }
}

/// `2 h 26 min` or `2 小时 26 分钟`; whole days from two days on.
pub(crate) fn length(start: DateTime, end: DateTime, language: Language) -> String {
    let minutes = end.duration_since(start).as_mins().max(1);
    let (days, hours, rest) = (minutes / 1440, minutes / 60, minutes % 60);
    match language {
        Language::English if days >= 2 => format!("{days} days"),
        Language::Chinese if days >= 2 => format!("{days} 天"),
        Language::English if hours == 0 => format!("{rest} min"),
        Language::Chinese if hours == 0 => format!("{rest} 分钟"),
        Language::English => format!("{hours} h {rest} min"),
        Language::Chinese => format!("{hours} 小时 {rest} 分钟"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        let at = |text: &str| text.parse::<DateTime>().expect("a time");
        let (start, end) = (at("2026-11-20 09:40:00"), at("2026-11-20 12:06:00"));
        assert_eq!(span(start, end, Language::English), "Fri 20 Nov 09:40-12:06");
        assert_eq!(span(start, end, Language::Chinese), "11月20日（周五）09:40–12:06");
        let next = at("2026-11-21 01:00:00");
        assert_eq!(span(start, next, Language::English), "Fri 20 Nov 09:40 to Sat 21 Nov 01:00");
        assert_eq!(span(start, next, Language::Chinese), "11月20日（周五）09:40 至 11月21日（周六）01:00");
        assert_eq!(span(start, start, Language::English), "Fri 20 Nov 09:40");
        let dated = [Language::English, Language::Chinese]
            .map(|language| [span_with_year(start, end, language), span_with_year(start, next, language)]);
        assert_eq!(dated[0], ["Fri 20 Nov 2026 09:40-12:06", "Fri 20 Nov 2026 09:40 to Sat 21 Nov 01:00"]);
        assert_eq!(
            dated[1],
            ["2026年11月20日（周五）09:40–12:06", "2026年11月20日（周五）09:40 至 11月21日（周六）01:00"]
        );
        assert_eq!(length(start, end, Language::English), "2 h 26 min");
        assert_eq!(length(start, end, Language::Chinese), "2 小时 26 分钟");
        assert_eq!(length(start, at("2026-11-25 12:06:00"), Language::Chinese), "5 天");
        assert_eq!(length(start, start, Language::English), "1 min");
        assert_eq!(time_of(Some(&Cell::Time("2026-11-20 09:40:00".to_owned()))), Some(start));
        assert_eq!(time_of(Some(&Cell::Null)), None);
    }
}
