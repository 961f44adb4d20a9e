//! What holds of the metrics whatever the numbers are.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surprisal_data::metrics::*;

/// Both classes, and scores from 0 to 1 in steps of 1/20, so that there are ties; 200 times.
fn for_each_case(check: impl Fn(&[usize], &[f64])) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..200 {
        let n = rng.random_range(2..60);
        let mut labels: Vec<usize> = (0..n).map(|_| usize::from(rng.random_bool(0.3))).collect();
        (labels[0], labels[n - 1]) = (0, 1);
        check(&labels, &scores(n, &mut rng));
    }
}

fn scores(n: usize, rng: &mut impl Rng) -> Vec<f64> {
    (0..n).map(|_| f64::from(rng.random_range(0..=20)) / 20.0).collect()
}

#[test]
fn auc_is_the_share_of_pairs_in_order_with_ties_one_half() {
    for_each_case(|labels, scores| {
        let of = |class| labels.iter().zip(scores).filter(move |(label, _)| **label == class).map(|(_, s)| s);
        let twice_in_order: u32 =
            of(1).flat_map(|p| of(0).map(move |n| u32::from(p > n) + u32::from(p >= n))).sum();
        let pairs = of(1).count() * of(0).count();
        assert_eq!(roc_auc_score(labels, scores).unwrap(), f64::from(twice_in_order) / (2 * pairs) as f64);
    });
}

#[test]
fn auc_is_the_area_below_the_roc_curve() {
    for_each_case(|labels, scores| {
        let curve = roc_curve(labels, scores).unwrap();
        let (x, y) = (curve.false_positive_rate, curve.true_positive_rate);
        let area: f64 = (1..x.len()).map(|i| (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2.0).sum();
        assert!((roc_auc_score(labels, scores).unwrap() - area).abs() < 1e-14);
    });
}

#[test]
fn rankings_depend_on_the_order_of_scores_alone() {
    for_each_case(|labels, scores| {
        for increasing in [|s: f64| 3.0 * s - 7.0, |s: f64| (30.0 * s).exp(), |s: f64| s.powi(3)] {
            let others: Vec<f64> = scores.iter().map(|&score| increasing(score)).collect();
            assert_eq!(roc_auc_score(labels, scores).unwrap(), roc_auc_score(labels, &others).unwrap());
            assert_eq!(
                average_precision_score(labels, scores).unwrap(),
                average_precision_score(labels, &others).unwrap()
            );
        }
    });
}

#[test]
fn auc_of_the_other_class_is_the_rest_to_1() {
    for_each_case(|labels, scores| {
        let others: Vec<usize> = labels.iter().map(|label| 1 - label).collect();
        let sum = roc_auc_score(labels, scores).unwrap() + roc_auc_score(&others, scores).unwrap();
        assert!((sum - 1.0).abs() < 1e-15);
    });
}

#[test]
fn curves_run_from_corner_to_corner_without_turning_back() {
    for_each_case(|labels, scores| {
        let roc = roc_curve(labels, scores).unwrap();
        for rate in [&roc.false_positive_rate, &roc.true_positive_rate] {
            assert!(rate.is_sorted() && rate[0] == 0.0 && rate[rate.len() - 1] == 1.0, "{rate:?}");
        }
        assert!(roc.thresholds.is_sorted_by(|a, b| a > b));
        let found = precision_recall_curve(labels, scores).unwrap();
        assert!(found.recall.is_sorted_by(|a, b| a >= b) && found.recall[0] == 1.0);
        assert!(found.thresholds.is_sorted_by(|a, b| a < b));
        assert_eq!((found.precision.last(), found.recall.last()), (Some(&1.0), Some(&0.0)));
        assert_eq!(found.precision.len(), found.thresholds.len() + 1);
    });
}

#[test]
fn ece_is_not_above_mce_and_bins_hold_every_row_once() {
    for_each_case(|correct, confidence| {
        for bins in [1, 7, 10, 1000] {
            let found = calibration(confidence, correct, bins).unwrap();
            assert!(0.0 <= found.ece && found.ece <= found.mce + 1e-15 && found.mce <= 1.0, "{found:?}");
            assert_eq!(found.bins.iter().map(|bin| bin.count).sum::<usize>(), correct.len());
            for bin in &found.bins {
                // a mean of equal numbers may be one rounding beside them
                assert!(bin.lo - 1e-15 <= bin.confidence && bin.confidence <= bin.hi + 1e-15, "{bin:?}");
            }
            assert!((0.0..=1.0).contains(&found.brier));
        }
    });
}

#[test]
fn a_million_rows_are_counted_exactly() {
    // scores fall from row to row, the classes take turns, and class 0 begins
    let n: usize = 1_000_000;
    let labels: Vec<usize> = (0..n).map(|row| row % 2).collect();
    let scores: Vec<f64> = (0..n).map(|row| -(row as f64)).collect();
    let half = (n / 2) as f64;
    assert_eq!(roc_auc_score(&labels, &scores).unwrap(), (half - 1.0) / (2.0 * half));
}
