"""Writes metrics.json: what scikit-learn's metrics are, and calibration errors in exact fractions.

    python3 metrics.py      (pip install scikit-learn==1.9.1 numpy==2.4.6)

"binary" holds 0/1 labels and scores with both curves, their areas, and precision, recall and F1 from `threshold` up;
the Brier score where the scores are probabilities. "classes" holds labels and predictions with the confusion matrix,
the recall of every class, and what else is counted from the two. "several" holds scores of several classes, with the
share of labels among the k highest, and where they are probabilities the log loss and every metric by its name: of
equal scores, scikit-learn takes the last as the highest, so that it is given the classes in reverse for the first to
be it. "numbers" holds targets and predictions; where the targets are constant, their mean is a number without a
rounding. "calibration" holds confidences, "top_label" probabilities of several classes: scikit-learn has no
calibration error, so numbers are read as the decimals that they are written as, and divided as fractions. JSON has no
infinity and no NaN: null is the first threshold of a ROC curve, and the recall of a class without rows.
"""

import json
import warnings
import pathlib
from fractions import Fraction

import numpy as np
import sklearn
from sklearn import metrics

random = np.random.default_rng(1)


def binary(labels, scores, threshold=0.5):
    labels, scores = [int(label) for label in labels], [float(score) for score in scores]
    false_positive_rate, true_positive_rate, roc_thresholds = metrics.roc_curve(labels, scores)
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
    answers = [int(score >= threshold) for score in scores]
    at_threshold = metrics.precision_recall_fscore_support(labels, answers, average="binary", zero_division=0)
    case = {
        "labels": labels,
        "scores": scores,
        "threshold": threshold,
        "roc_curve": {
            "false_positive_rate": false_positive_rate.tolist(),
            "true_positive_rate": true_positive_rate.tolist(),
            "thresholds": [None] + roc_thresholds.tolist()[1:],
        },
        "roc_auc_score": float(metrics.roc_auc_score(labels, scores)),
        "precision_recall_curve": {
            "precision": precision.tolist(),
            "recall": recall.tolist(),
            "thresholds": thresholds.tolist(),
        },
        "average_precision_score": float(metrics.average_precision_score(labels, scores)),
        "precision_recall_f1": [float(value) for value in at_threshold[:3]],
    }
    if min(scores) >= 0 and max(scores) <= 1:
        case["brier_score_loss"] = float(metrics.brier_score_loss(labels, scores))
    return case


def informed(n, share, digits):
    """Scores from 0 to 1 that know something about the labels; few digits make ties."""
    labels = (random.random(n) < share).astype(int)
    labels[:2] = [0, 1]
    return labels, np.round(1 / (1 + np.exp(-random.normal(2 * labels - 1, 1.5))), digits)


def binary_cases():
    rare = np.zeros(300, int)
    rare[[17, 120, 255]] = 1
    magnitudes = [1e300, -1e300, 1e-300, -1e-300, 0.0, 1.0, np.nextafter(1.0, 2.0), 5e-324, -1.5, 1e10]
    return {
        "documented": binary([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]),
        "two_rows": binary([0, 1], [0.2, 0.9]),
        "two_rows_reversed": binary([1, 0], [0.2, 0.9]),
        "two_rows_tied": binary([1, 0], [0.5, 0.5]),
        "all_equal": binary([0, 1, 1, 0, 1], [0.3] * 5),
        "zero_and_minus_zero": binary([0, 1, 1, 0, 1], [0.0, -0.0, 0.0, -0.0, 1.0]),
        "perfect": binary([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8]),
        "reversed": binary([1, 1, 0, 0, 0], [0.1, 0.2, 0.3, 0.7, 0.8]),
        "answers": binary([0, 1, 0, 1, 1, 0, 1], [0, 1, 1, 1, 0, 0, 1]),
        "duplicates": binary([0, 1, 0, 1] * 5, [0.2, 0.2, 0.6, 0.9] * 5),
        "straight_lines_of_ties": binary([0, 1] * 6, [0.9, 0.9, 0.7, 0.7, 0.5, 0.5, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1]),
        "magnitudes": binary([1, 0, 1, 0, 1, 0, 1, 0, 1, 0], magnitudes),
        "logits": binary(*(random.permutation([0, 1] * 20), random.normal(0, 10, 40)), threshold=-1.5),
        "rare": binary(rare, np.round(random.random(300), 3)),
        "rare_and_nothing_found": binary(rare, np.round(random.random(300) / 3, 3)),
        "frequent": binary(1 - rare, np.round(random.random(300), 2)),
        "informed": binary(*informed(200, 0.5, 17), threshold=0.3),
        "informed_with_ties": binary(*informed(500, 0.3, 2)),
    }


def classes(labels, predicted, count):
    labels, predicted, numbers = list(map(int, labels)), list(map(int, predicted)), range(count)
    recall = metrics.recall_score(labels, predicted, labels=numbers, average=None, zero_division=np.nan)

    def measures(average):
        found = metrics.precision_recall_fscore_support(labels, predicted, labels=numbers, average=average, zero_division=0)
        return [np.asarray(value, float).tolist() for value in found if value is not None]

    return {
        "labels": labels,
        "predicted": predicted,
        "confusion_matrix": metrics.confusion_matrix(labels, predicted, labels=numbers).tolist(),
        "recall_score": [None if np.isnan(value) else float(value) for value in recall],
        "precision_recall_fscore_support": measures(None),
        "macro": measures("macro"),
        "micro": measures("micro"),
        "weighted": measures("weighted"),
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "balanced_accuracy_score": float(metrics.balanced_accuracy_score(labels, predicted)),
        "matthews_corrcoef": float(metrics.matthews_corrcoef(labels, predicted)),
    }


def classes_cases():
    ten = random.integers(0, 10, 300)
    return {
        "documented": classes([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2], 3),
        "class_without_rows": classes([0, 0, 3, 3, 1], [0, 2, 3, 0, 1], 4),
        "ten": classes(ten, np.where(random.random(300) < 0.6, ten, random.integers(0, 10, 300)), 10),
    }


def more_classes_cases():
    def guessed(n, count, knowing, shares=None):
        labels = random.choice(count, n, p=shares)
        return labels, np.where(random.random(n) < knowing, labels, random.integers(0, count, n)), count

    rare = [0.97, 0.03]
    return {
        "one_row_right": classes([1], [1], 2),
        "one_row_wrong": classes([1], [0], 2),
        "one_class_only": classes([0, 0, 0], [0, 0, 0], 1),
        "two_all_right": classes([0, 1, 1, 0, 1], [0, 1, 1, 0, 1], 2),
        "two_all_wrong": classes([0, 1, 1, 0, 1], [1, 0, 0, 1, 0], 2),
        "two_half_right": classes([0, 0, 1, 1], [0, 1, 0, 1], 2),
        "two_always_0": classes([0, 1, 1, 0, 1], [0] * 5, 2),
        "two_always_1": classes([0, 1, 1, 0, 1], [1] * 5, 2),
        "two_labels_all_1": classes([1, 1, 1, 1], [0, 1, 1, 0], 2),
        "two_balanced": classes(*guessed(200, 2, 0.5)),
        "two_rare": classes(*guessed(400, 2, 0.8, rare)),
        "two_rare_never_said": classes(random.choice(2, 100, p=rare), [0] * 100, 2),
        "three_always_last": classes([0, 1, 2, 2, 0], [2] * 5, 3),
        "three_all_wrong": classes([0, 1, 2, 0, 1, 2], [1, 2, 0, 2, 0, 1], 3),
        "three_unequal": classes(*guessed(300, 3, 0.4, [0.8, 0.15, 0.05])),
        "four_two_absent_from_both": classes([1, 3, 3, 1, 1], [1, 3, 1, 1, 3], 4),
        "five_one_never_said": classes([0, 1, 2, 3, 4] * 4, [0, 1, 2, 3, 3] * 4, 5),
        "five_absent_but_said": classes([0, 1, 2, 3, 0, 1], [4, 1, 4, 3, 0, 4], 5),
        "twenty_few_rows": classes(*guessed(15, 20, 0.5)),
        "thirty": classes(*guessed(300, 30, 0.3)),
    }


def several(labels, scores, ks):
    labels, scores = np.array(labels), np.array(scores, float)
    count = scores.shape[1]
    if count == 2:
        # of two classes, scikit-learn wants one score, above 0 for class 1; if none were below 0, it would be above 0.5
        assert (scores[:, 1] < scores[:, 0]).any()
        top = {1: metrics.top_k_accuracy_score(labels, scores[:, 1] - scores[:, 0], k=1, labels=[0, 1])}
    else:
        mirrored = count - 1 - labels, scores[:, ::-1]
        top = {k: metrics.top_k_accuracy_score(*mirrored, k=k, labels=range(count)) for k in ks}
    case = {"labels": labels.tolist(), "scores": scores.tolist(), "top_k": [[k, float(v)] for k, v in top.items()]}
    if np.allclose(scores.sum(1), 1) and scores.min() >= 0:
        case["log_loss"] = float(metrics.log_loss(labels, scores, labels=range(count)))
        case["by_name"] = by_name(labels, scores) | {"log_loss": case["log_loss"]}
    return case


def by_name(labels, probabilities):
    predicted, count = probabilities.argmax(1), probabilities.shape[1]
    values = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "mcc": metrics.matthews_corrcoef(labels, predicted),
    }
    for average in ["macro", "micro", "weighted"]:
        for name in ["precision", "recall", "f1"]:
            score = getattr(metrics, name + "_score")
            found = score(labels, predicted, labels=range(count), average=average, zero_division=0)
            values[f"{name}_{average}"] = found
    if count == 2:
        values["roc_auc"] = metrics.roc_auc_score(labels, probabilities[:, 1])
        values["average_precision"] = metrics.average_precision_score(labels, probabilities[:, 1])
    return {name: float(value) for name, value in values.items()}


def several_cases():
    def softmax(logits):
        return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    def drawn(n, count, knowing, digits=17):
        labels = random.integers(0, count, n)
        return labels, np.round(random.normal(0, 1, (n, count)) + knowing * np.eye(count)[labels], digits)

    def probable(*drawn):
        labels, logits = drawn
        return labels, softmax(logits)

    return {
        "documented": several([0, 1, 2, 2], [[0.5, 0.2, 0.2], [0.3, 0.4, 0.2], [0.2, 0.4, 0.3], [0.7, 0.2, 0.1]], [1, 2]),
        "one_row": several([1], [[0.25, 0.5, 0.25]], [1, 2]),
        "two": several(*probable(*drawn(100, 2, 1.0)), [1]),
        "two_ties": several([0, 1, 1, 0], [[0.5, 0.5], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]], [1]),
        "two_logits": several(*drawn(50, 2, 0.5), [1]),
        "all_equal": several([0, 1, 2, 3, 0, 0], np.full((6, 4), 0.25), [1, 2, 3]),
        "sure_and_right": several([0, 2, 1], np.eye(3)[[0, 2, 1]], [1, 2]),
        "nearly_sure_and_wrong": several([0, 0], [[1e-12, 1 - 1e-12, 0.0], [1e-15, 0.0, 1 - 1e-15]], [1, 2]),
        "three": several(*probable(*drawn(100, 3, 1.5)), [1, 2]),
        "three_absent_class": several([0, 1, 0, 1], softmax(random.normal(0, 1, (4, 3))), [1, 2]),
        "logits_with_ties": several(*drawn(100, 5, 1.0, 0), [1, 2, 3, 4]),
        "ten": several(*probable(*drawn(60, 10, 2.0)), [1, 2, 3, 5, 9]),
        "ten_without_knowledge": several(*probable(*drawn(40, 10, 0.0)), [1, 5]),
        "forty_logits_with_ties": several(*drawn(50, 40, 2.0, 1), [1, 5, 10, 39]),
    }


def numbers(targets, predicted):
    targets, predicted = [float(value) for value in targets], [float(value) for value in predicted]
    return {
        "targets": targets,
        "predicted": predicted,
        "mean_squared_error": float(metrics.mean_squared_error(targets, predicted)),
        "root_mean_squared_error": float(metrics.root_mean_squared_error(targets, predicted)),
        "mean_absolute_error": float(metrics.mean_absolute_error(targets, predicted)),
        "r2_score": None if len(targets) == 1 else float(metrics.r2_score(targets, predicted)),
    }


def numbers_cases():
    def noisy(n, size, noise, offset=0.0):
        targets = random.normal(offset, size, n)
        return targets, targets + random.normal(0, noise, n)

    return {
        "documented": numbers([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]),
        "one_row": numbers([3], [2.5]),
        "exact": numbers([1, 2, 3.5], [1, 2, 3.5]),
        "the_mean": numbers([1, 2, 3], [2, 2, 2]),
        "reversed": numbers([1, 2, 3], [3, 2, 1]),
        "constant_targets_met": numbers([2.5] * 4, [2.5] * 4),
        "constant_targets_missed": numbers([2.5] * 4, [2.5, 2.5, 2.5, 2.0]),
        "constant_predictions": numbers([1, 4, -2, 8], [0.75] * 4),
        "zero_targets": numbers([0, 0, -0.0], [0, -0.0, 0]),
        "good": numbers(*noisy(60, 3.0, 0.5)),
        "poor": numbers(*noisy(60, 1.0, 5.0)),
        "far_from_zero": numbers(*noisy(60, 1.0, 0.3, offset=1e4)),
        "large": numbers(*noisy(20, 1e100, 1e99)),
        "small": numbers(*noisy(20, 1e-100, 1e-101)),
    }


def errors(confidence, correct, bins):
    confidence = [Fraction(repr(value)) for value in confidence]
    rows = [[] for _ in range(bins)]
    for row, value in enumerate(confidence):
        # (lo, hi], and the first bin also takes 0
        rows[max(-(-value * bins // 1) - 1, 0)].append(row)
    found = []
    for index, members in enumerate(rows):
        if members:
            accuracy = Fraction(sum(correct[row] for row in members), len(members))
            mean = sum(confidence[row] for row in members) / len(members)
            found.append((index, len(members), accuracy, mean))
    n = len(confidence)
    return {
        "bins": [[index, count, float(accuracy), float(mean)] for index, count, accuracy, mean in found],
        "ece": float(sum(count * abs(accuracy - mean) for _, count, accuracy, mean in found) / n),
        "mce": float(max(abs(accuracy - mean) for _, _, accuracy, mean in found)),
        "brier": float(sum((value - right) ** 2 for value, right in zip(confidence, correct)) / n),
    }


def calibration(confidence, correct, bins):
    confidence, correct = [float(value) for value in confidence], [int(right) for right in correct]
    case = {"confidence": confidence, "correct": correct, "of": bins}
    return case | errors(confidence, correct, bins)


def calibration_cases():
    confidence = np.round(random.random(500), 6)
    correct = random.random(500) < confidence**2
    sixteen = [0.99, 0.95, 0.91, 0.88, 0.83, 0.77, 0.72, 0.66, 0.61, 0.57, 0.53, 0.48, 0.41, 0.97, 0.93, 0.35]
    return {
        "sixteen": calibration(sixteen, [1, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0], 10),
        "one_row": calibration([0.7], [1], 10),
        "one_bin": calibration(confidence[:50], correct[:50], 1),
        "fifteen_bins": calibration(confidence, correct, 15),
        "most_bins": calibration(confidence[:50], correct[:50], 10000),
        "sure_and_right": calibration([1.0, 0.0, 1.0], [1, 0, 1], 10),
        "sure_and_wrong": calibration([1.0, 0.0, 1.0], [0, 1, 0], 10),
        "every_edge_of_100": calibration([k / 100 for k in range(101)], [k % 3 > 0 for k in range(101)], 100),
        "seven_bins": calibration([k / 100 for k in range(101)], [k % 2 for k in range(101)], 7),
    }


def top_label(logits, labels, bins):
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels, probabilities = [int(label) for label in labels], probabilities.tolist()
    confidence = [max(row) for row in probabilities]
    correct = [int(row.index(max(row)) == label) for row, label in zip(probabilities, labels)]
    return {"probabilities": probabilities, "labels": labels, "of": bins} | errors(confidence, correct, bins)


def top_label_cases():
    labels = random.integers(0, 3, 100)
    return {
        "three": top_label(random.normal(0, 1, (100, 3)) + np.eye(3)[labels], labels, 15),
        "tie": top_label(np.zeros((4, 4)), [0, 1, 0, 3], 10),
    }


warnings.simplefilter("ignore", UserWarning)
values = {
    "version": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
    "binary": binary_cases(),
    "classes": classes_cases(),
    "calibration": calibration_cases(),
    "top_label": top_label_cases(),
    # the generator goes on from here: what was drawn above stays what it was
    "several": several_cases(),
    "numbers": numbers_cases(),
}
values["classes"] |= more_classes_cases()
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(values, separators=(",", ":"), allow_nan=False) + "\n")
