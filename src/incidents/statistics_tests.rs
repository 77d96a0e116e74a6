use proptest::prelude::*;

use super::statistics::{beta_binomial_tail, dispersed_tail, log_likelihood_ratio, posterior, q_values, tail};

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * right.abs().max(1e-300)
}

#[test]
fn the_tail_of_equal_coins_is_binomial() {
    // By hand: 1 - 0.9^3; C(5,3) 0.2^3 0.8^2 + C(5,4) 0.2^4 0.8 + 0.2^5; 0.001^4.
    assert!(close(tail(&[0.1; 3], 1), 0.271));
    assert!(close(tail(&[0.2; 5], 3), 0.057_92));
    assert!(close(tail(&[0.001; 4], 4), 1e-12));
    assert!(close(tail(&[0.1; 3], 0), 1.0));
    assert!(tail(&[0.1; 3], 4) < f64::MIN_POSITIVE);
}

#[test]
fn the_tail_of_unequal_coins_is_exact() {
    // Of 0.1, 0.2 and 0.5, at least two: 0.1*0.2*0.5 + 0.1*0.2*0.5 + 0.1*0.8*0.5 + 0.9*0.2*0.5.
    assert!(close(tail(&[0.1, 0.2, 0.5], 2), 0.01 + 0.01 + 0.04 + 0.09));
}

#[test]
fn far_tails_stay_positive_and_small() {
    let p = tail(&[0.01; 400], 390);
    assert!(p > 0.0 && p < 1e-60, "{p:e}");
}

#[test]
fn a_beta_binomial_tail_without_correlation_is_binomial_and_wider_with_it() {
    assert!((beta_binomial_tail(10, 5, 0.2, 1e-6) - tail(&[0.2; 10], 5)).abs() < 1e-5);
    // Mean 1/2 and correlation 1/3 is a uniform share: each number of successes is as likely.
    assert!(close(beta_binomial_tail(4, 4, 0.5, 1.0 / 3.0), 0.2));
    assert!(beta_binomial_tail(10, 8, 0.1, 0.3) > 100.0 * tail(&[0.1; 10], 8));
}

#[test]
fn known_days_move_the_mean_and_lower_the_correlation() {
    // Correlation 1/3 is worth two days: (0.2 * 2 + 2) / (2 + 3) and 1 / (2 + 3 + 1).
    let (mean, correlation) = posterior(0.2, 1.0 / 3.0, 3.0, 2.0);
    assert!(close(mean, 0.48) && close(correlation, 1.0 / 6.0), "{mean} {correlation}");
}

#[test]
fn a_spread_makes_far_tails_likelier() {
    assert!(close(dispersed_tail(&[0.1; 3], 1, 0.0), 0.271));
    // By hand for one trial: the mean of 1 - 0.9^exp(z / 2) over eight steps of z with the weights of a normal
    // distribution.
    let weight = |z: f64| (-z * z / 2.0).exp();
    let steps: Vec<f64> = (-2..=5).map(f64::from).collect();
    let total: f64 = steps.iter().map(|z| weight(*z)).sum();
    let mean = steps.iter().map(|z| weight(*z) / total * (1.0 - 0.9_f64.powf((z * 0.5).exp()))).sum();
    assert!(close(dispersed_tail(&[0.1], 1, 0.5), mean));
}

#[test]
fn q_values_follow_benjamini_and_hochberg() {
    // Four p-values times four tests: 0.01, 0.02, 0.03, 0.5.
    let q = q_values(&[0.04, 2.0, 0.12, 0.08]);
    assert!(close(q[0], 0.04) && close(q[3], 0.04) && close(q[2], 0.04) && close(q[1], 0.5), "{q:?}");
}

#[test]
fn an_explanation_gains_with_each_affected_and_loses_with_each_spared() {
    let of = |affected: usize, spared: usize| {
        let trials: Vec<(f64, bool)> = (0..affected + spared).map(|at| (0.02, at < affected)).collect();
        log_likelihood_ratio(&trials)
    };
    assert!(of(5, 0) > of(4, 0) && of(5, 0) > of(5, 5) && of(5, 5) > of(5, 50));
    assert!(of(0, 10).abs() < 1e-12);
}

proptest! {
    #[test]
    fn tails_are_probabilities_and_fall_with_the_count(
        probabilities in prop::collection::vec(0.0_f64..1.0, 1..40),
        spread in 0.0_f64..1.0,
    ) {
        let mut last = 1.0;
        for least in 0..=probabilities.len() {
            let p = tail(&probabilities, least);
            prop_assert!((0.0..=1.0).contains(&p) && p <= last + 1e-12);
            let wide = dispersed_tail(&probabilities, least, spread);
            prop_assert!((0.0..=1.0).contains(&wide));
            last = p;
        }
    }

    #[test]
    fn tails_rise_with_each_probability(
        probabilities in prop::collection::vec(0.0_f64..0.9, 1..30),
        at in 0_usize..30,
    ) {
        let mut higher = probabilities.clone();
        let at = at % probabilities.len();
        higher[at] += 0.1;
        for least in 1..=probabilities.len() {
            prop_assert!(tail(&higher, least) >= tail(&probabilities, least) - 1e-12);
        }
    }

    #[test]
    fn q_values_are_no_smaller_than_their_share_and_keep_the_order(p in prop::collection::vec(0.0_f64..5.0, 1..30)) {
        let q = q_values(&p);
        for (left, one) in p.iter().enumerate() {
            prop_assert!(q[left] <= 1.0 && q[left] >= (one / p.len() as f64).min(1.0) - 1e-12);
            for (right, other) in p.iter().enumerate() {
                prop_assert!(one > other || q[left] <= q[right] + 1e-12);
            }
        }
    }
}
