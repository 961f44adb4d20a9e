"""Writes metrics.json: what scikit-learn's metrics are, and calibration errors in exact fractions.

    python3 metrics.py      (pip install scikit-learn==1.9.1 numpy==2.4.6)

"binary" holds 0/1 labels and scores with both curves, their areas, and precision, recall and F1 from `threshold` up; the
Brier score where the scores are probabilities. "classes" holds labels and predictions with the confusion matrix and the
recall of every class. "calibration" holds confidences, "top_label" probabilities of several classes: scikit-learn has no
calibration error, so numbers are read as the decimals that they are written as, and divided as fractions. JSON has no
infinity and no NaN: null is the first threshold of a ROC curve, and the recall of a class without rows.
"""

import json
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
    return {
        "labels": labels,
        "predicted": predicted,
        "confusion_matrix": metrics.confusion_matrix(labels, predicted, labels=numbers).tolist(),
        "recall_score": [None if np.isnan(value) else float(value) for value in recall],
    }


def classes_cases():
    ten = random.integers(0, 10, 300)
    return {
        "documented": classes([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2], 3),
        "class_without_rows": classes([0, 0, 3, 3, 1], [0, 2, 3, 0, 1], 4),
        "ten": classes(ten, np.where(random.random(300) < 0.6, ten, random.integers(0, 10, 300)), 10),
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


values = {
    "version": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
    "binary": binary_cases(),
    "classes": classes_cases(),
    "calibration": calibration_cases(),
    "top_label": top_label_cases(),
}
path = pathlib.Path(__file__).with_name("metrics.json")
path.write_text(json.dumps(values, separators=(",", ":"), allow_nan=False) + "\n")
