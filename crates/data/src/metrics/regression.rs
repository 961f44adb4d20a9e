//! Regression metrics: [`mean_squared_error`], [`root_mean_squared_error`], [`mean_absolute_error`],
//! [`r2_score`].

use super::{check_count_of, fail};
use crate::error::DataError;
use crate::metrics::error::MetricProblem;

/// The mean of `(target - predicted)^2`, from 0 up; smaller is better. In the square of the targets' unit.
///
/// Errors if there is not one prediction per target, or none, and if a number is not finite or its size is
/// above 1e150, where squares overflow.
///
/// ```
/// use surprisal_data::metrics::mean_squared_error;
///
/// assert_eq!(mean_squared_error(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0])?, 0.375);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn mean_squared_error(targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
    mean("mean_squared_error", targets, predicted, |error| error * error)
}

/// The root of the [`mean_squared_error`], from 0 up; smaller is better. In the unit of the targets.
///
/// Errors as `mean_squared_error` does.
///
/// ```
/// use surprisal_data::metrics::root_mean_squared_error;
///
/// assert_eq!(root_mean_squared_error(&[1.0, 5.0], &[1.0, 3.0])?, 2.0_f64.sqrt());
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn root_mean_squared_error(targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
    mean("root_mean_squared_error", targets, predicted, |error| error * error).map(f64::sqrt)
}

/// The mean of `|target - predicted|`, from 0 up; smaller is better. In the unit of the targets.
///
/// Errors as [`mean_squared_error`] does.
///
/// ```
/// use surprisal_data::metrics::mean_absolute_error;
///
/// assert_eq!(mean_absolute_error(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0])?, 0.5);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn mean_absolute_error(targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
    mean("mean_absolute_error", targets, predicted, f64::abs)
}

/// The share of the targets' variance that the predictions explain, up to 1: the coefficient of
/// determination.
///
/// `1 - sum (target - predicted)^2 / sum (target - mean)^2`. 0 is what the mean of the targets reaches; worse
/// than that is negative. If all targets are the same number, 1 if every prediction is that number, else 0
/// (scikit-learn's `force_finite=True`).
///
/// Errors as [`mean_squared_error`] does, and if there is one row only.
///
/// ```
/// use surprisal_data::metrics::r2_score;
///
/// assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0])?, 1.0);
/// assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0])?, 0.0);
/// assert_eq!(r2_score(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0])?, -3.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn r2_score(targets: &[f64], predicted: &[f64]) -> Result<f64, DataError> {
    const METRIC: &str = "r2_score";
    check_numbers(METRIC, targets, predicted)?;
    if targets.len() == 1 {
        return fail(METRIC, MetricProblem::OneRow);
    }
    if targets.iter().all(|target| *target == targets[0]) {
        return Ok(f64::from(targets == predicted));
    }
    let mean = targets.iter().sum::<f64>() / targets.len() as f64;
    // in units of the largest deviation, so that the squares of small numbers do not vanish
    let unit = targets.iter().map(|target| (target - mean).abs()).fold(0.0, f64::max);
    let square = |distance: f64| (distance / unit).powi(2);
    let unexplained: f64 = targets.iter().zip(predicted).map(|(t, p)| square(t - p)).sum();
    let all: f64 = targets.iter().map(|target| square(target - mean)).sum();
    Ok(1.0 - unexplained / all)
}

fn mean(
    metric: &'static str,
    targets: &[f64],
    predicted: &[f64],
    cost: fn(f64) -> f64,
) -> Result<f64, DataError> {
    check_numbers(metric, targets, predicted)?;
    let costs = targets.iter().zip(predicted).map(|(target, predicted)| cost(target - predicted));
    Ok(costs.sum::<f64>() / targets.len() as f64)
}

/// The square of twice as much is still a number, and a great many of them can be added.
pub(crate) const LARGEST: f64 = 1e150;

fn check_numbers(metric: &'static str, targets: &[f64], predicted: &[f64]) -> Result<(), DataError> {
    check_count_of(metric, "prediction", predicted.len(), "target", targets.len())?;
    for (what, numbers) in [("target", targets), ("prediction", predicted)] {
        if let Some(row) = numbers.iter().position(|number| number.is_nan() || number.abs() > LARGEST) {
            return fail(metric, MetricProblem::UnfitNumber { what, row, found: numbers[row] });
        }
    }
    Ok(())
}
