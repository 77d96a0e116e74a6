//! Finds the stretches of time in which a scope had more poor people than expected.

use super::constants::{BIN_MINUTES, LEAST_BIN_CHANCE, WINDOW_RATIOS};

/// Poor people and expected poor people of a scope, by bin of five minutes.
#[derive(Debug, Default)]
pub(super) struct Bins {
    /// First minute of the first bin.
    pub(super) origin: i32,
    pub(super) poor: Vec<f64>,
    pub(super) expected: Vec<f64>,
    pub(super) present: Vec<f64>,
}

impl Bins {
    pub(super) fn new(from: i32, to: i32) -> Bins {
        let origin = from.div_euclid(BIN_MINUTES) * BIN_MINUTES;
        let count = (to - origin).div_euclid(BIN_MINUTES) as usize + 1;
        Bins { origin, poor: vec![0.0; count], expected: vec![0.0; count], present: vec![0.0; count] }
    }

    pub(super) fn bin(&self, minute: i32) -> usize {
        ((minute - self.origin).div_euclid(BIN_MINUTES).max(0) as usize).min(self.poor.len() - 1)
    }

    /// First minute of the first and last minute of the last bin.
    fn minutes(&self, first: usize, last: usize) -> (i32, i32) {
        (self.origin + first as i32 * BIN_MINUTES, self.origin + (last as i32 + 1) * BIN_MINUTES - 1)
    }

    /// For each ratio the stretch with the highest score, and how many stretches of its length fit into the used time.
    pub(super) fn best(&self) -> Vec<((i32, i32), f64)> {
        let used = self.present.iter().filter(|present| **present > 0.0).count() as f64;
        let mut found: Vec<((i32, i32), f64)> = Vec::new();
        for ratio in WINDOW_RATIOS {
            let score = |bin: usize| match self.present[bin] > 0.0 {
                true => {
                    self.poor[bin] * f64::ln(ratio)
                        - (ratio - 1.0) * self.expected[bin].max(LEAST_BIN_CHANCE * self.present[bin])
                }
                false => 0.0,
            };
            // Kadane's algorithm.
            let (mut best, mut best_range, mut sum, mut from) = (0.0, None, 0.0, 0);
            for bin in 0..self.poor.len() {
                if sum <= 0.0 {
                    (sum, from) = (0.0, bin);
                }
                sum += score(bin);
                if sum > best + 1e-9 {
                    (best, best_range) = (sum, Some((from, bin)));
                }
            }
            let Some((first, last)) = best_range else { continue };
            let inside = self.present[first..=last].iter().filter(|present| **present > 0.0).count() as f64;
            let window = self.minutes(first, last);
            if !found.iter().any(|(known, _)| *known == window) {
                found.push((window, used / inside.max(1.0)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_windows_that_would_fit_are_counted_in_the_used_time() {
        let mut bins = Bins::new(3, 49);
        assert_eq!((bins.origin, bins.poor.len(), bins.bin(3), bins.bin(49), bins.bin(60)), (0, 10, 0, 9, 9));
        for bin in [0, 1, 2, 3, 8, 9] {
            (bins.present[bin], bins.expected[bin]) = (10.0, 0.2);
        }
        (bins.poor[2], bins.poor[3]) = (5.0, 5.0);
        assert_eq!(bins.best(), [((10, 19), 3.0)], "once for all ratios");
    }
}
