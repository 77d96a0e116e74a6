//! Made-up numbers that are the same on every machine.
//!
//! Owns the one source of chance in the simulator: keys, streams of numbers drawn from a key, and waves that can be read
//! at any minute without reading the minutes before. It promises that a key always gives the same numbers, whatever the
//! platform or the version of a library, so it keeps to integers and to the four basic operations on floats (`exp` and
//! `ln` may differ in the last bit from one libm to the next). It is not for secrets.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Scrambles a number so that neighbours come out unrelated (the finaliser of SplitMix64).
const fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Derives a key for a part of the thing that `key` stands for.
pub(super) const fn key(key: u64, part: u64) -> u64 {
    scramble(key.wrapping_add(GOLDEN).wrapping_add(scramble(part.wrapping_mul(GOLDEN) ^ 0x5851_F42D_4C95_7F2D)))
}

/// Derives a key from a text, byte by byte.
pub(super) fn key_of_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(key(seed, text.len() as u64), |hash, byte| key(hash, u64::from(byte)))
}

/// Maps a key to 0..1.
pub(super) fn unit(key: u64) -> f64 {
    // 53 bits fill the mantissa of a double exactly.
    (key >> 11) as f64 / (1_u64 << 53) as f64
}

/// A smooth wave between -1 and 1 that turns about every `period` minutes; any minute can be read on its own.
pub(super) fn wave(wave_key: u64, minute: i64, period: i64) -> f64 {
    let knot = minute.div_euclid(period);
    let along = minute.rem_euclid(period) as f64 / period as f64;
    let at = |knot: i64| unit(key(wave_key, knot as u64)) * 2.0 - 1.0;
    let ease = along * along * (3.0 - 2.0 * along);
    at(knot) + (at(knot + 1) - at(knot)) * ease
}

/// A stream of numbers drawn from one key.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Starts the stream of `key`.
    pub(super) const fn new(key: u64) -> Self {
        Self(key)
    }

    /// Draws 64 bits.
    pub(super) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        scramble(self.0)
    }

    /// Draws a number in 0..1.
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// Draws `true` with the given probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Draws a whole number between `low` and `high`, both included; `low` where the range is empty.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0) + 1;
        low + (self.bits() % span) as i64
    }

    /// Draws an index below `count`; 0 where `count` is 0.
    pub(super) fn index(&mut self, count: usize) -> usize {
        (self.bits() % (count.max(1) as u64)) as usize
    }

    /// Draws one of the values, all alike.
    pub(super) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())]
    }

    /// Draws one of the values by weight.
    pub(super) fn weighted<T: Copy>(&mut self, values: &[(u32, T)]) -> T {
        let total: u64 = values.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.bits() % total.max(1);
        for (weight, value) in values {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return *value,
            }
        }
        values[values.len() - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_the_same_numbers_for_ever() {
        let mut dice = Dice::new(key(7, 3));
        let drawn: Vec<u64> = (0..3).map(|_| dice.bits() % 1000).collect();
        let mut again = Dice::new(key(7, 3));
        assert_eq!(drawn, (0..3).map(|_| again.bits() % 1000).collect::<Vec<_>>());
        assert_ne!(key(7, 3), key(3, 7), "order matters");
        assert_ne!(key_of_text(1, "ab"), key_of_text(1, "ba"));
    }

    #[test]
    fn a_wave_stays_in_range_and_moves_slowly() {
        let mut steps = Vec::new();
        for minute in -50..500 {
            let here = wave(11, minute, 10);
            assert!((-1.0..=1.0).contains(&here));
            steps.push((wave(11, minute + 1, 10) - here).abs());
        }
        let largest = steps.iter().copied().fold(0.0, f64::max);
        assert!(largest < 0.32, "a step of {largest} is a jump");
        assert!(steps.iter().sum::<f64>() > 5.0, "a flat wave is no wave");
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(5);
        let rare = (0..10_000).filter(|_| dice.weighted(&[(9, false), (1, true)])).count();
        assert!((800..1200).contains(&rare), "{rare} of 10000");
        assert_eq!(dice.between(4, 4), 4);
        assert_eq!(dice.index(0), 0);
    }
}
