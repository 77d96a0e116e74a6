//! Numbers and lengths of time as people read them.

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
pub(crate) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// `0.4 s`, `41 s`, `12 min`, `2 h 5 min`, `1 d 3 h`: two units at most, rounded down.
pub(crate) fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
    };
    match seconds {
        0 if time.is_zero() => "0 s".to_owned(),
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..600 => two(seconds / 60, "min", seconds % 60, "s"),
        600..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

/// A length of time in whole seconds, for waits and estimates.
pub(crate) fn rough(time: Duration) -> String {
    length(Duration::from_secs(time.as_secs_f64().ceil() as u64)).replace(".0 s", " s")
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
    fn lengths_have_two_units_at_most() {
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
            assert_eq!(length(Duration::from_millis(ms)), text);
        }
        assert_eq!(rough(Duration::from_millis(1_200)), "2 s");
        assert_eq!(rough(Duration::from_millis(40_700)), "41 s");
    }
}
