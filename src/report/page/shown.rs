//! Numbers, dates and times as both languages write them. Local times are shown as they are in the store.

use jiff::civil::{Date, DateTime, Weekday};

use super::markup::Markup;

/// Digits in groups of three.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, rest) = digits.split_once('.').map_or((digits, ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    // A value that is rounded to zero has no sign.
    let sign = if digits.chars().all(|c| matches!(c, '0' | '.')) { "" } else { sign };
    match rest {
        "" => format!("{sign}{grouped}"),
        rest => format!("{sign}{grouped}.{rest}"),
    }
}

pub(super) fn count(value: i64) -> Markup {
    Markup::html(number(value as f64, 0))
}

/// A percentage in a table, as markup. Chinese has no space before the sign: the style sheet hides it.
pub(super) fn percent(value: f64, decimals: usize) -> String {
    format!("{}<span class=\"gap\">\u{a0}</span>%", number(value, decimals))
}

/// A percentage in a sentence: no decimals from 10 on.
pub(super) fn share(value: f64) -> Markup {
    let text = number(value, if value >= 9.95 { 0 } else { 1 });
    Markup::pair(format!("{text}\u{a0}%"), format!("{text}%"))
}

pub(super) fn parse_time(text: &str) -> Option<DateTime> {
    text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))
}

const WEEKDAYS: [(&str, &str); 7] = [
    ("Mon", "周一"),
    ("Tue", "周二"),
    ("Wed", "周三"),
    ("Thu", "周四"),
    ("Fri", "周五"),
    ("Sat", "周六"),
    ("Sun", "周日"),
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn month_name(names: &[&'static str; 12], date: Date) -> &'static str {
    names[usize::from(date.month().unsigned_abs()) - 1]
}

pub(super) fn weekday(date: Date) -> Markup {
    let (en, zh) = WEEKDAYS[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
    Markup::pair(en, zh)
}

pub(super) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// `Fri 20 Nov`, `11月20日（周五）`.
pub(super) fn date(date: Date) -> Markup {
    let day = weekday(date);
    Markup::pair(
        format!("{} {} {}", day.en, date.day(), month_name(&MONTHS, date)),
        format!("{}月{}日（{}）", date.month(), date.day(), day.zh),
    )
}

/// `Fri 20 Nov`, `11月20日`.
pub(super) fn short_date(day: Date) -> Markup {
    Markup { zh: format!("{}月{}日", day.month(), day.day()), ..date(day) }
}

/// `20 November 2026`, `2026年11月20日`.
pub(super) fn long_date(date: Date) -> Markup {
    Markup::pair(
        format!("{} {} {}", date.day(), month_name(&LONG_MONTHS, date), date.year()),
        format!("{}年{}月{}日", date.year(), date.month(), date.day()),
    )
}

/// `November 2026`, `2026年11月`.
pub(super) fn month(date: Date) -> Markup {
    Markup::pair(
        format!("{} {}", month_name(&LONG_MONTHS, date), date.year()),
        format!("{}年{}月", date.year(), date.month()),
    )
}

pub(super) fn clock(time: DateTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// A local time with its date.
pub(super) fn when(time: DateTime) -> Markup {
    let day = date(time.date());
    Markup::pair(format!("{} {}", day.en, clock(time)), format!("{}{}", day.zh, clock(time)))
}

/// `Fri 20 Nov 09:40–12:06`; both dates if it ends on another day.
pub(super) fn stretch(start: DateTime, end: DateTime) -> Markup {
    let (from, to) = (when(start), when(end));
    match start.date() == end.date() {
        true => from.then(&Markup::html(format!("–{}", clock(end)))),
        false => Markup::pair(format!("{} – {}", from.en, to.en), format!("{}至{}", from.zh, to.zh)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        let shown = [(1234567.0, 0), (999.0, 0), (-0.04, 1), (-1234.56, 1), (0.0, 2)]
            .map(|(value, decimals)| number(value, decimals));
        assert_eq!(shown, ["1,234,567", "999", "0.0", "-1,234.6", "0.00"]);
        assert_eq!(share(9.94), Markup::pair("9.9\u{a0}%", "9.9%"));
        assert_eq!(share(38.2), Markup::pair("38\u{a0}%", "38%"));
    }

    #[test]
    fn times_are_written_as_in_each_language() {
        let at = |text: &str| parse_time(text).expect("a time");
        let (start, end) = (at("2026-11-20 09:40:00"), at("2026-11-20 12:06:00"));
        assert_eq!(stretch(start, end), Markup::pair("Fri 20 Nov 09:40–12:06", "11月20日（周五）09:40–12:06"));
        let days = stretch(at("2026-11-19 14:00:00"), end);
        assert_eq!(
            days,
            Markup::pair("Thu 19 Nov 14:00 – Fri 20 Nov 12:06", "11月19日（周四）14:00至11月20日（周五）12:06")
        );
        assert_eq!(long_date(start.date()), Markup::pair("20 November 2026", "2026年11月20日"));
        assert_eq!(parse_time("2026-11-20").map(clock).as_deref(), Some("00:00"));
        assert_eq!(parse_time("soon"), None);
    }
}
