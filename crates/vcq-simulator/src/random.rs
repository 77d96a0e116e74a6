//! Seeded random numbers that are the same on every machine.
//!
//! Owns the only source of randomness in the simulator: keys derived from a seed, generators started from a key, and
//! smooth noise that can be read at any minute without the minutes before it. A key always produces the same numbers,
//! whatever the platform or the version of a library: hence SplitMix64 by hand instead of a crate, and only integers
//! and the four basic operations on floats (`exp` and `ln` may differ in the last bit between math libraries). Not for
//! secrets.

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of SplitMix64.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Derives the key of one part of what `key` stands for.
pub(crate) const fn derive_key(key: u64, part: u64) -> u64 {
    mix(key.wrapping_add(GOLDEN).wrapping_add(mix(part.wrapping_mul(GOLDEN) ^ 0x5851_F42D_4C95_7F2D)))
}

pub(crate) fn hash_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(derive_key(seed, text.len() as u64), |hash, byte| derive_key(hash, u64::from(byte)))
}

/// Maps a key to 0..1.
pub(crate) fn unit_interval(key: u64) -> f64 {
    // 53 bits fill the mantissa of a double exactly.
    (key >> 11) as f64 / (1_u64 << 53) as f64
}

/// Smooth noise between -1 and 1 that turns about every `period` minutes.
pub(crate) fn smooth_noise(key: u64, minute: i64, period: i64) -> f64 {
    let knot = minute.div_euclid(period);
    let along = minute.rem_euclid(period) as f64 / period as f64;
    let at = |knot: i64| unit_interval(derive_key(key, knot as u64)) * 2.0 - 1.0;
    let ease = along * along * (3.0 - 2.0 * along);
    at(knot) + (at(knot + 1) - at(knot)) * ease
}

/// A SplitMix64 generator.
#[derive(Debug, Clone)]
pub(crate) struct SeededRng(u64);

impl SeededRng {
    pub(crate) const fn new(key: u64) -> Self {
        Self(key)
    }

    pub(crate) const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Draws a number in 0..1.
    pub(crate) fn unit_interval(&mut self) -> f64 {
        unit_interval(self.next_u64())
    }

    /// Draws `true` with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit_interval() < probability
    }

    /// Draws an integer from `low` to `high`, both included; `low` if the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0) + 1;
        low + (self.next_u64() % span) as i64
    }

    /// Draws an index below `count`; 0 if `count` is 0.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        (self.next_u64() % (count.max(1) as u64)) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.index(values.len())]
    }

    /// Draws one of the values by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, values: &[(u32, T)]) -> T {
        let total: u64 = values.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let mut left = self.next_u64() % total.max(1);
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
    fn a_key_always_gives_the_same_numbers() {
        let mut rng = SeededRng::new(derive_key(7, 3));
        let drawn: Vec<u64> = (0..3).map(|_| rng.next_u64() % 1000).collect();
        let mut again = SeededRng::new(derive_key(7, 3));
        assert_eq!(drawn, (0..3).map(|_| again.next_u64() % 1000).collect::<Vec<_>>());
        assert_ne!(derive_key(7, 3), derive_key(3, 7), "order matters");
        assert_ne!(hash_text(1, "ab"), hash_text(1, "ba"));
    }

    #[test]
    fn noise_stays_in_range_and_changes_slowly() {
        let mut steps = Vec::new();
        for minute in -50..500 {
            let here = smooth_noise(11, minute, 10);
            assert!((-1.0..=1.0).contains(&here));
            steps.push((smooth_noise(11, minute + 1, 10) - here).abs());
        }
        let largest = steps.iter().copied().fold(0.0, f64::max);
        assert!(largest < 0.32, "a step of {largest} is a jump");
        assert!(steps.iter().sum::<f64>() > 5.0, "the noise is flat");
    }

    #[test]
    fn weights_are_kept() {
        let mut rng = SeededRng::new(5);
        let rare = (0..10_000).filter(|_| rng.weighted(&[(9, false), (1, true)])).count();
        assert!((800..1200).contains(&rare), "{rare} of 10000");
        assert_eq!(rng.between(4, 4), 4);
        assert_eq!(rng.index(0), 0);
    }
}
