//! The statistics of the search: exact tail probabilities of sums of unequal Bernoulli trials, and the
//! false-discovery rate.
//!
//! Written here because no maintained crate has the tail of a Poisson-binomial distribution.

/// P(at least `least` successes) of independent trials with these probabilities. Only positive terms are added, so
/// small
/// values are exact too.
pub(super) fn tail(probabilities: &[f64], least: usize) -> f64 {
    if least == 0 {
        return 1.0;
    }
    if least > probabilities.len() {
        return 0.0;
    }
    let expected: f64 = probabilities.iter().sum();
    let count = least as f64;
    if count > expected {
        // Chernoff: so far out that the exact value does not matter.
        let bound = count - expected - count * (count / expected).ln();
        if bound < -150.0 {
            return bound.max(-700.0).exp();
        }
    }
    // below[j] = P(exactly j so far), j < least; reached = P(at least `least` so far).
    let mut below = vec![0.0; least];
    below[0] = 1.0;
    let mut reached = 0.0;
    for (done, p) in probabilities.iter().enumerate() {
        reached += below[least - 1] * p;
        for j in (1..=(done + 1).min(least - 1)).rev() {
            below[j] = below[j] * (1.0 - p) + below[j - 1] * p;
        }
        below[0] *= 1.0 - p;
    }
    reached.min(1.0)
}

/// As [`tail`], when all probabilities vary together from day to day by a log-normal factor with this spread.
pub(super) fn dispersed_tail(probabilities: &[f64], least: usize, spread: f64) -> f64 {
    const STEPS: [f64; 8] = [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let weights = STEPS.map(|z| (-z * z / 2.0_f64).exp());
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let mut scaled = Vec::with_capacity(probabilities.len());
    for (z, weight) in STEPS.iter().zip(weights) {
        let factor = (z * spread).exp();
        scaled.clear();
        scaled.extend(probabilities.iter().map(|p| 1.0 - (1.0 - p).powf(factor)));
        sum += weight / total * tail(&scaled, least);
    }
    sum.min(1.0)
}

/// P(at least `least` of `trials`) when the probability itself varies between trials' owners: a beta-binomial
/// distribution with this mean and intra-class correlation.
pub(super) fn beta_binomial_tail(trials: usize, least: usize, mean: f64, correlation: f64) -> f64 {
    let total = 1.0 / correlation.clamp(1e-6, 1.0 - 1e-6) - 1.0;
    let (alpha, beta) = (mean * total, (1.0 - mean) * total);
    // P(0), then by the ratio of neighbours.
    let mut p: f64 = (0..trials).map(|at| ((beta + at as f64) / (total + at as f64)).ln()).sum::<f64>().exp();
    let mut sum = 0.0;
    for k in 0..=trials {
        if k >= least {
            sum += p;
        }
        let (done, left) = (k as f64, (trials - k) as f64);
        p *= left / (done + 1.0) * (alpha + done) / (beta + left - 1.0);
    }
    sum.clamp(0.0, 1.0)
}

/// Mean and correlation of a person's bad days, after some days that are known.
pub(super) fn posterior(mean: f64, correlation: f64, days: f64, bad: f64) -> (f64, f64) {
    let total = 1.0 / correlation - 1.0;
    ((mean * total + bad) / (total + days), 1.0 / (total + days + 1.0))
}

/// The Benjamini-Hochberg q-values of p-values that are already multiplied by the number of tests and their weight.
pub(super) fn q_values(weighted: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..weighted.len()).collect();
    order.sort_by(|left, right| weighted[*left].total_cmp(&weighted[*right]));
    let mut q = vec![1.0; weighted.len()];
    let mut least = 1.0_f64;
    for (rank, at) in order.iter().enumerate().rev() {
        least = least.min(weighted[*at] / (rank + 1) as f64);
        q[*at] = least;
    }
    q
}

/// How much better than the null a common extra risk explains the trials, in nats: the maximum over the extra risk.
/// Each trial is its null probability and its outcome.
pub(super) fn log_likelihood_ratio(trials: &[(f64, bool)]) -> f64 {
    const RISKS: [f64; 14] = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];
    let ratio = |risk: f64| {
        let of = |(p, hit): &(f64, bool)| if *hit { ((p + risk - p * risk) / p).ln() } else { (1.0 - risk).ln() };
        trials.iter().map(of).sum::<f64>()
    };
    RISKS.into_iter().map(ratio).fold(0.0, f64::max)
}
