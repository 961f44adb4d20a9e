//! Metrics against scikit-learn's, and calibration against exact fractions, in `scikit-learn/metrics.json`,
//! which `scikit-learn/metrics.py` wrote.

use std::sync::LazyLock;

use ndarray::Array2;
use serde_json::Value;
use surprisal_data::metrics::*;

static VALUES: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../scikit-learn/metrics.json")).expect("this file is JSON")
});

/// The cases of one kind, by name.
fn cases(kind: &str) -> impl Iterator<Item = (&'static String, &'static Value)> {
    VALUES[kind].as_object().expect("cases by name").iter()
}

/// Numbers in reading order; null is `null`.
fn numbers(value: &Value, null: f64) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(|value| numbers(value, null)).collect(),
        Value::Null => vec![null],
        number => vec![number.as_f64().expect("a number")],
    }
}

fn labels(value: &Value) -> Vec<usize> {
    numbers(value, f64::NAN).into_iter().map(|label| label as usize).collect()
}

/// To 1e-12 of what is expected, or 1e-15 where that is 0.
#[track_caller]
fn agree(what: &str, found: &[f64], expected: &Value, null: f64) {
    let expected = numbers(expected, null);
    assert_eq!(found.len(), expected.len(), "{what}:\n{found:?}\n{expected:?}");
    for (found, expected) in found.iter().zip(&expected) {
        let same = found == expected || (found - expected).abs() <= 1e-12 * expected.abs() + 1e-15;
        assert!(same, "{what}: {found:?} is not {expected:?}");
    }
}

#[test]
fn curves_and_their_areas() {
    for (name, case) in cases("binary") {
        let (labels, scores) = (labels(&case["labels"]), numbers(&case["scores"], f64::NAN));
        let same = |what: &str, found: &[f64], expected: &Value| {
            agree(&format!("{name}, {what}"), found, expected, f64::INFINITY)
        };
        let (found, expected) = (roc_curve(&labels, &scores).unwrap(), &case["roc_curve"]);
        same("false positive rate", &found.false_positive_rate, &expected["false_positive_rate"]);
        same("true positive rate", &found.true_positive_rate, &expected["true_positive_rate"]);
        same("thresholds of the ROC curve", &found.thresholds, &expected["thresholds"]);
        let (found, expected) =
            (precision_recall_curve(&labels, &scores).unwrap(), &case["precision_recall_curve"]);
        same("precision", &found.precision, &expected["precision"]);
        same("recall", &found.recall, &expected["recall"]);
        same("thresholds of precision and recall", &found.thresholds, &expected["thresholds"]);
        same("AUC", &[roc_auc_score(&labels, &scores).unwrap()], &case["roc_auc_score"]);
        same("AP", &[average_precision_score(&labels, &scores).unwrap()], &case["average_precision_score"]);
        let threshold = case["threshold"].as_f64().expect("a number");
        let found = precision_recall_f1(&labels, &scores, threshold).unwrap();
        same("F1", &[found.precision, found.recall, found.f1], &case["precision_recall_f1"]);
        match case.get("brier_score_loss") {
            Some(expected) => same("Brier", &[brier_score_loss(&labels, &scores).unwrap()], expected),
            None => assert!(brier_score_loss(&labels, &scores).is_err(), "{name}"),
        }
    }
}

#[test]
fn predicted_classes() {
    for (name, case) in cases("classes") {
        let (labels, predicted) = (labels(&case["labels"]), labels(&case["predicted"]));
        let classes = case["recall_score"].as_array().expect("one per class").len();
        let found = confusion_matrix(&labels, &predicted, classes).unwrap().mapv(|count| count as f64);
        agree(name, found.as_slice().expect("standard layout"), &case["confusion_matrix"], f64::NAN);
        let found = recall_score(&labels, &predicted, classes).unwrap();
        let found: Vec<f64> = found.into_iter().map(|recall| recall.unwrap_or(-1.0)).collect();
        agree(name, &found, &case["recall_score"], -1.0);
        let same =
            |what: &str, found: f64| agree(&format!("{name}, {what}"), &[found], &case[what], f64::NAN);
        same("balanced_accuracy_score", balanced_accuracy_score(&labels, &predicted, classes).unwrap());
        same("matthews_corrcoef", matthews_corrcoef(&labels, &predicted, classes).unwrap());
        same("accuracy", surprisal_data::accuracy(&labels, &predicted).unwrap());
    }
}

#[test]
fn precision_recall_and_f1_by_class_and_averaged() {
    for (name, case) in cases("classes") {
        let (labels, predicted) = (labels(&case["labels"]), labels(&case["predicted"]));
        let classes = case["recall_score"].as_array().expect("one per class").len();
        let found = precision_recall_fscore_support(&labels, &predicted, classes).unwrap();
        let column = |measure: fn(&PrecisionRecallF1) -> f64| found.iter().map(measure);
        let columns: Vec<f64> = column(|class| class.precision)
            .chain(column(|class| class.recall))
            .chain(column(|class| class.f1))
            .chain(column(|class| class.support as f64))
            .collect();
        agree(name, &columns, &case["precision_recall_fscore_support"], f64::NAN);
        for (what, average) in
            [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)]
        {
            let found = precision_recall_fscore_average(&labels, &predicted, classes, average).unwrap();
            assert_eq!(found.support, labels.len());
            let found = [found.precision, found.recall, found.f1];
            agree(&format!("{name}, {what}"), &found, &case[what], f64::NAN);
        }
    }
}

/// Numbers as rows that have the same length.
fn rows(flat: Vec<f64>, rows: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, flat.len() / rows), flat).expect("rows of the same length")
}

#[test]
fn scores_of_several_classes() {
    for (name, case) in cases("several") {
        let labels = labels(&case["labels"]);
        let scores = rows(numbers(&case["scores"], f64::NAN), labels.len());
        for k_and_value in case["top_k"].as_array().expect("a list") {
            let k = k_and_value[0].as_u64().expect("a number") as usize;
            let found = top_k_accuracy_score(&labels, scores.view(), k).unwrap();
            agree(&format!("{name}, top {k}"), &[found], &k_and_value[1], f64::NAN);
        }
        match case.get("log_loss") {
            Some(expected) => agree(name, &[log_loss(&labels, scores.view()).unwrap()], expected, f64::NAN),
            None => assert!(log_loss(&labels, scores.view()).is_err(), "{name}"),
        }
    }
}

#[test]
fn metrics_by_name() {
    for (name, case) in cases("several").filter(|(_, case)| case.get("by_name").is_some()) {
        let labels = labels(&case["labels"]);
        let probabilities = rows(numbers(&case["scores"], f64::NAN), labels.len());
        for (metric, expected) in case["by_name"].as_object().expect("values by name") {
            let found = metric.parse::<Metric>().expect(metric).of_classes(&labels, probabilities.view());
            agree(&format!("{name}, {metric}"), &[found.unwrap()], expected, f64::NAN);
        }
    }
}

#[test]
fn numbers_beside_numbers() {
    for (name, case) in cases("numbers") {
        let (targets, predicted) =
            (numbers(&case["targets"], f64::NAN), numbers(&case["predicted"], f64::NAN));
        let same = |what: &str, found| agree(&format!("{name}, {what}"), &[found], &case[what], f64::NAN);
        same("mean_squared_error", mean_squared_error(&targets, &predicted).unwrap());
        same("root_mean_squared_error", root_mean_squared_error(&targets, &predicted).unwrap());
        same("mean_absolute_error", mean_absolute_error(&targets, &predicted).unwrap());
        match &case["r2_score"] {
            Value::Null => assert!(r2_score(&targets, &predicted).is_err(), "{name}"),
            _ => same("r2_score", r2_score(&targets, &predicted).unwrap()),
        }
    }
}

#[track_caller]
fn same_calibration(name: &str, found: Calibration, case: &Value) {
    let edges = |bin: &CalibrationBin| {
        (bin.index as f64 / bins(case) as f64, (bin.index + 1) as f64 / bins(case) as f64)
    };
    assert!(found.bins.iter().all(|bin| (bin.lo, bin.hi) == edges(bin)), "{name}");
    let rows = found.bins.iter();
    let flat: Vec<f64> =
        rows.flat_map(|bin| [bin.index as f64, bin.count as f64, bin.accuracy, bin.confidence]).collect();
    agree(&format!("{name}, bins"), &flat, &case["bins"], f64::NAN);
    agree(&format!("{name}, ECE"), &[found.ece], &case["ece"], f64::NAN);
    agree(&format!("{name}, MCE"), &[found.mce], &case["mce"], f64::NAN);
    agree(&format!("{name}, Brier"), &[found.brier], &case["brier"], f64::NAN);
}

fn bins(case: &Value) -> usize {
    case["of"].as_u64().expect("a number of bins") as usize
}

#[test]
fn calibration_errors() {
    for (name, case) in cases("calibration") {
        let (confidence, correct) = (numbers(&case["confidence"], f64::NAN), labels(&case["correct"]));
        same_calibration(name, calibration(&correct, &confidence, bins(case)).unwrap(), case);
    }
}

#[test]
fn calibration_errors_of_several_classes() {
    for (name, case) in cases("top_label") {
        let labels = labels(&case["labels"]);
        let probabilities = rows(numbers(&case["probabilities"], f64::NAN), labels.len());
        let found = top_label_calibration(&labels, probabilities.view(), bins(case)).unwrap();
        same_calibration(name, found, case);
    }
}
