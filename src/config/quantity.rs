//! Parses durations, sizes and lists of numbers.

use std::fmt;
use std::time::Duration;

const DURATION_UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

const SIZE_UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// Parses `500ms`, `90s`, `10m`, `24h`, `2d`, `1h30m`; `None` for anything else, a bare number included.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at(letters);
        let (_, unit_ms) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        total_ms = total_ms.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit_ms)?)?;
        rest = tail;
    }
    Some(Duration::from_millis(total_ms))
}

/// Parses `audio_loss_pct=3,audio_delay_ms=200`: unique names of lower-case letters, digits and `_`, each with a finite
/// number that is not negative. `None` for anything else.
pub(super) fn numbers(text: &str) -> Option<Vec<(String, f64)>> {
    let mut numbers: Vec<(String, f64)> = Vec::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, number) = pair.split_once('=')?;
        let (name, number) = (name.trim(), number.trim().parse::<f64>().ok()?);
        let is_name =
            !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
        if !is_name || !number.is_finite() || number < 0.0 || numbers.iter().any(|(given, _)| given == name) {
            return None;
        }
        numbers.push((name.to_owned(), number));
    }
    Some(numbers)
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSize(pub u64);

impl ByteSize {
    /// Parses `256MiB` or `1 GB`, ignoring case; `None` for anything else, zero and a bare number included.
    pub(crate) fn parse(text: &str) -> Option<ByteSize> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
        let bytes = number.parse::<u64>().ok()?.checked_mul(*factor)?;
        (bytes > 0).then_some(ByteSize(bytes))
    }
}

/// In the largest unit that divides it; DuckDB's `memory_limit` takes this form.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, factor) = SIZE_UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)).unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, ms) in [
            ("500ms", 500),
            ("90s", 90_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("2d", 172_800_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "h", "-1s", "1.5h", "2 d", "3y", "99999999999999999999d", "9999999999999999d", "5m3"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_need_a_unit() {
        assert_eq!(ByteSize::parse("256MiB"), Some(ByteSize(268_435_456)));
        assert_eq!(ByteSize::parse("1 gb"), Some(ByteSize(1_000_000_000)));
        for text in ["", "256", "0MB", "MiB", "-1GB", "99999999999999GiB"] {
            assert_eq!(ByteSize::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_size_reads_back_as_it_is_written(bytes in 1_u64..) {
            prop_assert_eq!(ByteSize::parse(&ByteSize(bytes).to_string()), Some(ByteSize(bytes)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            let _ = duration(&text);
            let _ = ByteSize::parse(&text);
        }
    }
}
