//! Numbers, durations, sizes and dates as people read them.

use std::time::Duration;

/// `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 meeting`, `1,234 meetings`.
pub(crate) fn counted(number: u64, singular: &str) -> String {
    format!("{} {singular}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// `5 people and 2 rooms`, `1 person`, `1 room`.
pub(crate) fn people_and_rooms(people: u64, rooms: u64) -> String {
    let people_text = if people == 1 { "1 person".to_owned() } else { format!("{} people", thousands(people)) };
    match (people, rooms) {
        (_, 0) => people_text,
        (0, _) => counted(rooms, "room"),
        _ => format!("{people_text} and {}", counted(rooms, "room")),
    }
}

/// `0.4 s`, `41 s`, `12 min`, `2 h 5 min`, `1 d 3 h`: at most two units, rounded down. Negative counts as zero.
pub(crate) fn duration_text(seconds: f64) -> String {
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
    };
    match seconds.max(0.0) as u64 {
        _ if seconds <= 0.0 => "0 s".to_owned(),
        0..10 => format!("{seconds:.1} s"),
        whole @ 10..60 => format!("{whole} s"),
        whole @ 60..600 => two(whole / 60, "min", whole % 60, "s"),
        whole @ 600..3_600 => format!("{} min", whole / 60),
        whole @ 3_600..86_400 => two(whole / 3_600, "h", whole / 60 % 60, "min"),
        whole => two(whole / 86_400, "d", whole / 3_600 % 24, "h"),
    }
}

/// The same in whole seconds, rounded up: for waits and estimates.
pub(crate) fn whole_duration_text(time: Duration) -> String {
    duration_text(time.as_secs_f64().ceil()).replace(".0 s", " s")
}

/// `0 B`, `12.3 KiB`, `1.5 GiB`.
pub(crate) fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// `none`, `2026-11-02`, `3 dates from 2026-11-02 to 2026-11-06`. The dates are sorted.
pub(crate) fn date_range(dates: &[String]) -> String {
    match dates {
        [] => "none".to_owned(),
        [date] => date.clone(),
        [first, .., last] => format!("{} from {first} to {last}", counted(dates.len() as u64, "date")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        let texts = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "date"), counted(0, "date")], ["1 date", "0 dates"]);
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, text) in [
            (0, "0 s"),
            (400, "0.4 s"),
            (41_300, "41 s"),
            (61_000, "1 min 1 s"),
            (120_000, "2 min"),
            (754_000, "12 min"),
            (7_500_000, "2 h 5 min"),
            (97_200_000, "1 d 3 h"),
        ] {
            assert_eq!(duration_text(ms as f64 / 1_000.0), text);
        }
        assert_eq!(whole_duration_text(Duration::from_millis(1_200)), "2 s");
        assert_eq!(whole_duration_text(Duration::from_millis(40_700)), "41 s");
    }

    #[test]
    fn sizes_have_one_decimal() {
        assert_eq!([0, 1_023, 1_536, 5 << 30].map(size_text), ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
    }
}
