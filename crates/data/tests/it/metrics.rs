//! What holds of the metrics whatever the numbers are.

use ndarray::{Array2, array};
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
            let found = calibration(correct, confidence, bins).unwrap();
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

/// Labels and predictions of up to 6 classes, some of them absent; 200 times.
fn for_each_prediction(check: impl Fn(&[usize], &[usize], usize)) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..200 {
        let (n, classes) = (rng.random_range(1..40), rng.random_range(1..7));
        let mut draw = || (0..n).map(|_| rng.random_range(0..classes)).collect::<Vec<usize>>();
        check(&draw(), &draw(), classes);
    }
}

#[test]
fn what_is_all_right_scores_1_exactly() {
    for_each_prediction(|labels, _, classes| {
        let several = labels.iter().any(|label| *label != labels[0]);
        assert_eq!(matthews_corrcoef(labels, labels, classes).unwrap(), f64::from(several));
        assert_eq!(cohen_kappa_score(labels, labels, classes).unwrap(), f64::from(several));
        assert_eq!(balanced_accuracy_score(labels, labels, classes).unwrap(), 1.0);
        let found = precision_recall_fscore_average(labels, labels, classes, Average::Weighted).unwrap();
        assert_eq!((found.precision, found.recall, found.f1), (1.0, 1.0, 1.0));
        let targets: Vec<f64> = labels.iter().map(|label| *label as f64 * 0.1).collect();
        assert!(targets.len() == 1 || r2_score(&targets, &targets).unwrap() == 1.0);
    });
}

#[test]
fn the_matrix_and_the_counts_by_class_tell_the_same() {
    for_each_prediction(|labels, predicted, classes| {
        let matrix = confusion_matrix(labels, predicted, classes).unwrap();
        let by_class = precision_recall_fscore_support(labels, predicted, classes).unwrap();
        for (class, found) in by_class.iter().enumerate() {
            let (right, said, there) =
                (matrix[[class, class]], matrix.column(class).sum(), matrix.row(class).sum());
            assert_eq!(found.precision, right as f64 / said.max(1) as f64);
            assert_eq!(found.recall, right as f64 / there.max(1) as f64);
            assert_eq!(found.support, there);
        }
    });
}

#[test]
fn the_label_is_among_the_first_k_as_often_as_sorting_says_and_first_as_argmax_says() {
    for_each_prediction(|labels, predicted, classes| {
        // in steps of 1/20: there are ties
        let mut rng = ChaCha8Rng::seed_from_u64(predicted.iter().sum::<usize>() as u64);
        let scores = scores(labels.len() * classes, &mut rng);
        let scores = Array2::from_shape_vec((labels.len(), classes), scores).unwrap();
        for k in 1..classes {
            let right = labels.iter().zip(scores.rows()).filter(|(label, row)| {
                let mut falling: Vec<usize> = (0..classes).collect();
                falling.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
                falling[..k].contains(label)
            });
            let expected = right.count() as f64 / labels.len() as f64;
            assert_eq!(top_k_accuracy_score(labels, scores.view(), k).unwrap(), expected);
            if k == 1 {
                let predicted = surprisal_data::argmax_rows(&scores);
                assert_eq!(surprisal_data::accuracy(labels, &predicted).unwrap(), expected);
            }
        }
    });
}

/// Every metric of classes and of numbers, as the messages list them.
fn every_metric() -> Vec<Metric> {
    let message = "".parse::<Metric>().unwrap_err().to_string();
    let names = message.split("known: ").nth(1).expect("a list").split(", ");
    names.map(|name| name.parse().expect(name)).collect()
}

#[test]
fn metrics_are_read_as_they_are_written_and_otherwise_not() {
    let metrics = every_metric();
    assert!(metrics.len() > 20 && Metric::all().eq(metrics.iter().copied()));
    for metric in metrics {
        assert_eq!(metric.to_string().parse(), Ok(metric));
    }
    assert_eq!("top17_accuracy".parse(), Ok(Metric::TopKAccuracy(17)));
    for not_written_so in ["top0_accuracy", "top02_accuracy", "top+2_accuracy", "top_accuracy", "Accuracy"] {
        assert!(not_written_so.parse::<Metric>().is_err(), "{not_written_so}");
    }
}

#[test]
fn the_better_answer_has_the_value_that_is_said_to_be_better() {
    let labels = [0, 1, 1, 0];
    let good = array![[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]];
    let bad = array![[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.3, 0.7]];
    // of three classes, so that there is a second place
    let with_third =
        |two: &Array2<f64>| Array2::from_shape_fn((4, 3), |(i, j)| if j < 2 { two[[i, j]] } else { 0.0 });
    for metric in every_metric() {
        let value = |probabilities: &Array2<f64>, predicted: &[f64]| match metric {
            Metric::TopKAccuracy(_) => {
                Metric::TopKAccuracy(1).of_classes(&labels, with_third(probabilities).view()).unwrap()
            }
            _ if metric.for_classes() => metric.of_classes(&labels, probabilities.view()).unwrap(),
            _ => metric.of_numbers(&[1.0, 2.0, 3.0], predicted).unwrap(),
        };
        let (good, bad) = (value(&good, &[1.1, 2.0, 2.9]), value(&bad, &[2.0, 2.0, 0.0]));
        assert_eq!(good > bad, metric.larger_is_better(), "{metric}: {good} beside {bad}");
        assert_eq!(good < bad, !metric.larger_is_better(), "{metric}: {good} beside {bad}");
    }
}

#[test]
fn kappa_by_hand() {
    let rows = |table: &[(usize, usize, usize)]| -> (Vec<usize>, Vec<usize>) {
        table.iter().flat_map(|&(label, predicted, rows)| vec![(label, predicted); rows]).unzip()
    };
    for (table, classes, expected) in [
        // 35 of 50 right; by chance 25 · 30 + 25 · 20 = 1250 of 2500: (0.7 - 0.5) / (1 - 0.5)
        (&[(0, 0, 20), (0, 1, 5), (1, 0, 10), (1, 1, 15)][..], 2, 0.4),
        // 4 of 10 right; 5 · 4 + 3 · 3 + 2 · 3 = 35 of 100: 5 / 65
        (
            &[(0, 0, 2), (0, 1, 2), (0, 2, 1), (1, 0, 1), (1, 1, 1), (1, 2, 1), (2, 2, 1), (2, 0, 1)],
            3,
            5.0 / 65.0,
        ),
        // none right; 2 · 2 + 2 · 2 = 8 of 16
        (&[(0, 1, 2), (1, 0, 2)], 2, -1.0),
        // always the same: 3 of 4 right, and 3 · 4 of 16 by chance
        (&[(0, 0, 3), (1, 0, 1)], 2, 0.0),
        // one class only: 0 / 0, which is NaN in scikit-learn
        (&[(1, 1, 4)], 3, 0.0),
    ] {
        let (labels, predicted) = rows(table);
        assert_eq!(cohen_kappa_score(&labels, &predicted, classes).unwrap(), expected, "{table:?}");
        assert_eq!(cohen_kappa_score(&predicted, &labels, classes).unwrap(), expected, "{table:?}"); // symmetric
        let sure = Array2::from_shape_fn((labels.len(), classes), |(i, j)| f64::from(predicted[i] == j));
        let kappa: Metric = "cohen_kappa".parse().unwrap();
        assert_eq!(kappa.of_classes(&labels, sure.view()).unwrap(), expected);
    }
}

#[test]
fn a_log_loss_is_exact_where_others_cut_off() {
    let nearly = 1e-300_f64;
    let found = log_loss(&[0], array![[nearly, 1.0]].view()).unwrap();
    assert_eq!(found, -nearly.ln());
    assert_eq!(log_loss(&[0, 1], array![[0.0, 1.0], [0.0, 1.0]].view()).unwrap(), f64::INFINITY);
    let all_right = log_loss(&[1], array![[0.0, 1.0]].view()).unwrap();
    assert!(all_right == 0.0 && all_right.is_sign_positive());
}

#[test]
fn r2_depends_on_neither_unit_nor_rounding_of_the_mean() {
    let r2 = |unit: f64| r2_score(&[unit, 2.0 * unit, 4.0 * unit], &[unit, 3.0 * unit, 4.0 * unit]).unwrap();
    for exponent in [-1000, -500, 20, 400] {
        assert_eq!(r2(2.0_f64.powi(exponent)), r2(1.0), "2^{exponent}");
    }
    // the sum of three tenths is not three times a tenth: the targets are constant all the same
    assert_eq!(r2_score(&[0.1; 3], &[0.1; 3]).unwrap(), 1.0);
    assert_eq!(r2_score(&[0.1; 3], &[0.1, 0.1, 0.2]).unwrap(), 0.0);
}

fn numbered(classes: usize, name: impl Fn(usize) -> String) -> Vec<String> {
    (0..classes).map(name).collect()
}

#[test]
fn a_table_with_long_names_has_numbers_in_its_head() {
    let names = numbered(5, |class| format!("a class\nwith the long name {class}"));
    let (labels, predicted) =
        ([&[0, 1, 4, 4], &[2; 12][..]].concat(), [&[0, 4, 4, 0], &[3; 12][..]].concat());
    let table = ConfusionTable::new(&labels, &predicted, &names).unwrap();
    let expected = "\
true \\ predicted            0  1  2   3  4
0 a class with the long...  1  0  0   0  0
1 a class with the long...  0  0  0   0  1
2 a class with the long...  0  0  0  12  0
3 a class with the long...  0  0  0   0  0
4 a class with the long...  1  0  0   0  1
";
    assert_eq!(table.to_string(), expected);
}

#[test]
fn tables_of_many_classes_show_twenty_and_say_so() {
    let labels: Vec<usize> = (0..25).chain([0, 0, 3]).collect();
    let predicted: Vec<usize> = (0..25).chain([1, 22, 3]).collect();
    let names = numbered(25, |class| format!("k{class}"));
    let table = ConfusionTable::new(&labels, &predicted, &names).unwrap().to_string();
    assert_eq!(table.lines().count(), 22);
    // five classes are not shown, and one row of class 0 was taken for one of them
    assert!(table.ends_with("The first 20 of 25 classes are shown, with 22 of 28 rows.\n"), "{table}");
    let report = ClassificationReport::new(&labels, &predicted, &names).unwrap().to_string();
    assert!(report.contains("k19 ") && !report.contains("k20 "), "{report}");
    assert!(
        report.contains("\nThe first 20 of 25 classes are shown; the averages are of all.\n"),
        "{report}"
    );
    for text in [&table, &report] {
        let widths: Vec<usize> = text.lines().take(21).map(str::len).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }
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
