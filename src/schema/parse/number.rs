//! Numbers with a unit, counts, flags, durations and picture heights.

use super::common::{Reason, on_value};
use crate::schema::{Kind, Raw};

/// A unit (case-insensitive) and the power of ten that converts it to the column's unit.
type Unit = (&'static str, i32);

const MILLIS: &[Unit] = &[("ms", 0), ("s", 3), ("us", -3), ("", 0)];
const KBPS: &[Unit] = &[
    ("kbps", 0),
    ("mbps", 3),
    ("bps", -3),
    ("gbps", 6),
    ("kbit/s", 0),
    ("mbit/s", 3),
    ("bit/s", -3),
    ("gbit/s", 6),
    ("kbits/s", 0),
    ("mbits/s", 3),
    ("bits/s", -3),
    ("gbits/s", 6),
    ("", 0),
];
const PERCENT: &[Unit] = &[("%", 0), ("", 0)];
const DECIBEL: &[Unit] = &[("dB", 0), ("dbfs", 0), ("", 0)];
const FPS: &[Unit] = &[("fps", 0), ("", 0)];

/// The column's own unit comes first.
fn units(kind: Kind) -> &'static [Unit] {
    match kind {
        Kind::Millis => MILLIS,
        Kind::Kbps => KBPS,
        Kind::LossPercent | Kind::CpuPercent => PERCENT,
        Kind::Decibel => DECIBEL,
        Kind::FramesPerSecond => FPS,
        _ => &[],
    }
}

fn in_range(kind: Kind, value: f64) -> bool {
    match kind {
        _ if !value.is_finite() => false,
        Kind::Decibel => true,
        Kind::LossPercent => (0.0..=100.0).contains(&value),
        _ => value >= 0.0,
    }
}

/// Parses a measure (`_ms`, `_kbps`, `_pct`, `_db`, `_fps`) into the column's unit.
pub fn measure(raw: &Raw<'_>, kind: Kind) -> Result<Option<f64>, Reason> {
    if let Raw::Text(text) = *raw
        && let Some(value) = common_form(text.as_bytes(), kind)
    {
        return Ok(Some(value));
    }
    let value = match *raw {
        Raw::Integer(number) => Some(number as f64),
        Raw::Unsigned(number) => Some(number as f64),
        Raw::Float(number) => Some(number),
        _ => on_value(raw, |text| {
            let (number, rest) = decimal(text)?;
            let unit = rest.trim_ascii_start();
            let power = units(kind).iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, power)| *power);
            match power {
                Some(power) => Ok(number.scaled(power)),
                None => Err(unknown_rest(unit)),
            }
        })?,
    };
    match value {
        Some(value) if !in_range(kind, value) => Err(Reason::OutOfRange),
        // Minus zero is zero.
        Some(value) => Ok(Some(value + 0.0)),
        None => Ok(None),
    }
}

/// Fast path for the form of nearly every measure: digits and the column's own unit, in range.
fn common_form(text: &[u8], kind: Kind) -> Option<f64> {
    let (unit, _) = units(kind).first()?;
    let digits = text.strip_suffix(unit.as_bytes())?;
    // 15 digits are exact in a double.
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let whole = digits
        .iter()
        .try_fold(0_u64, |whole, byte| byte.is_ascii_digit().then(|| whole * 10 + u64::from(byte - b'0')))?;
    Some(whole as f64).filter(|value| in_range(kind, *value))
}

/// Parses an integer.
pub fn count(raw: &Raw<'_>) -> Result<Option<i64>, Reason> {
    match *raw {
        Raw::Integer(number) => Ok(Some(number)),
        _ => on_value(raw, integer),
    }
}

fn integer(text: &str) -> Result<i64, Reason> {
    let (number, rest) = decimal(text)?;
    if rest.is_empty() { number.to_integer() } else { Err(unknown_rest(rest.trim_ascii_start())) }
}

pub fn flag(raw: &Raw<'_>) -> Result<Option<bool>, Reason> {
    if let Raw::Bool(flag) = raw {
        return Ok(Some(*flag));
    }
    on_value(raw, |text| match text {
        "1" | "是" => Ok(true),
        "0" | "否" => Ok(false),
        word if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("yes") => Ok(true),
        word if word.eq_ignore_ascii_case("false") || word.eq_ignore_ascii_case("no") => Ok(false),
        _ => Err(Reason::Unparsable),
    })
}

/// Parses a duration: `HH:MM:SS` with any number of hours, or bare seconds.
pub fn seconds(raw: &Raw<'_>) -> Result<Option<i64>, Reason> {
    on_value(raw, |text| {
        let Some((hours, rest)) = text.split_once(':') else {
            return integer(text).and_then(|seconds| if seconds < 0 { Err(Reason::OutOfRange) } else { Ok(seconds) });
        };
        let (minutes, seconds) = rest.split_once(':').ok_or(Reason::Unparsable)?;
        let hours = digits(hours, 1..=9)?;
        let minutes = digits(minutes, 2..=2)?;
        let seconds = digits(seconds, 2..=2)?;
        if minutes > 59 || seconds > 59 {
            return Err(Reason::Unparsable);
        }
        Ok(hours * 3600 + minutes * 60 + seconds)
    })
}

/// Heights in pixels of the K names. 2K = 1440 is a convention; Feishu does not define it.
const NAMED_HEIGHTS: &[(i64, i64)] = &[(2, 1440), (4, 2160), (8, 4320)];

/// Parses the height of a picture.
pub fn height_px(raw: &Raw<'_>) -> Result<Option<i64>, Reason> {
    on_value(raw, |text| {
        // 1080P: lines; a bare number is pixels of height, the column's own unit; 1280x720: the second one is the
        // height.
        let (number, rest) = decimal(text)?;
        let rest = rest.trim_ascii();
        if rest.eq_ignore_ascii_case("k") {
            let height = NAMED_HEIGHTS.iter().find(|(name, _)| number.to_integer() == Ok(*name));
            return height.map(|(_, height)| *height).ok_or(Reason::UnknownUnit);
        }
        if rest.is_empty() || rest.eq_ignore_ascii_case("p") {
            let height = number.to_integer()?;
            return if height < 0 { Err(Reason::OutOfRange) } else { Ok(height) };
        }
        if let Some(height) = rest.strip_prefix(['x', 'X', '*']) {
            if number.to_integer()? < 0 {
                return Err(Reason::OutOfRange);
            }
            return digits(height.trim_ascii(), 1..=9);
        }
        Err(unknown_rest(rest))
    })
}

/// A number followed by letters we don't know is an unknown unit; anything else is not a value of the kind.
fn unknown_rest(rest: &str) -> Reason {
    let starts_with_letter = rest.chars().next().is_some_and(char::is_alphabetic);
    if starts_with_letter && rest.chars().all(|c| c.is_alphabetic() || c == '/' || c.is_whitespace()) {
        Reason::UnknownUnit
    } else {
        Reason::Unparsable
    }
}

/// Parses ASCII digits whose number is in `length`.
pub(super) fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Result<i64, Reason> {
    if !length.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::Unparsable);
    }
    text.parse().map_err(|_| Reason::OutOfRange)
}

/// A decimal number as sent: `sign mantissa * 10^-fraction_digits`.
pub(super) enum Decimal<'a> {
    /// Exact in 64 bits, as nearly every number is.
    Short { negative: bool, mantissa: u64, fraction_digits: i32 },
    /// The text without its commas.
    Long(std::borrow::Cow<'a, str>),
}

/// Powers of ten that are exact in a double.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

impl Decimal<'_> {
    /// The value multiplied by a power of ten, rounded once.
    fn scaled(&self, power: i32) -> f64 {
        match self {
            Decimal::Short { negative, mantissa, fraction_digits } => {
                let exponent = power - fraction_digits;
                // The mantissa is below 2^53 and the power is exact, so one operation rounds correctly.
                let magnitude = if exponent >= 0 {
                    *mantissa as f64 * POWERS[exponent as usize]
                } else {
                    *mantissa as f64 / POWERS[(-exponent) as usize]
                };
                if *negative { -magnitude } else { magnitude }
            }
            Decimal::Long(text) => format!("{text}e{power}").parse().unwrap_or(f64::NAN),
        }
    }

    fn to_integer(&self) -> Result<i64, Reason> {
        match self {
            Decimal::Short { negative, mantissa, fraction_digits: 0 } => {
                // The mantissa is below 10^15.
                let magnitude = *mantissa as i64;
                Ok(if *negative { -magnitude } else { magnitude })
            }
            Decimal::Short { .. } => Err(Reason::Unparsable),
            Decimal::Long(text) if text.contains('.') => Err(Reason::Unparsable),
            Decimal::Long(text) => text.parse().map_err(|_| Reason::OutOfRange),
        }
    }
}

/// Splits a number from the front of the text. Commas are accepted in groups of three.
pub(super) fn decimal(text: &str) -> Result<(Decimal<'_>, &str), Reason> {
    let bytes = text.as_bytes();
    let (negative, start) = match bytes.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let mut at = start;
    let mut mantissa: u64 = 0;
    let mut digit_count = 0_usize;
    let mut fraction_digits = 0_i32;
    let mut has_comma = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                digit_count += 1;
            }
            b',' => has_comma = true,
            _ => break,
        }
        at += 1;
    }
    if digit_count == 0 || (has_comma && !well_grouped(&bytes[start..at])) {
        return Err(Reason::Unparsable);
    }
    if bytes.get(at) == Some(&b'.') {
        let point = at;
        at += 1;
        while let Some(byte @ b'0'..=b'9') = bytes.get(at) {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            digit_count += 1;
            fraction_digits += 1;
            at += 1;
        }
        if at == point + 1 {
            return Err(Reason::Unparsable);
        }
    }
    // Only ASCII before `at`: it is a character boundary.
    let rest = &text[at..];
    // 15 digits are exact in a double, and all powers for 15 fraction digits are in the table.
    if digit_count <= 15 {
        return Ok((Decimal::Short { negative, mantissa, fraction_digits }, rest));
    }
    let number = &text[..at];
    let number = if has_comma { number.replace(',', "").into() } else { number.into() };
    Ok((Decimal::Long(number), rest))
}

/// `1,234,567`: one to three digits, then groups of exactly three.
fn well_grouped(whole: &[u8]) -> bool {
    let mut groups = whole.split(|byte| *byte == b',');
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    first && groups.all(|group| group.len() == 3)
}
