//! [`confusion_matrix`].

use super::{check_classes, check_count};
use crate::error::DataError;
use ndarray::Array2;

/// How often a row of class `i` was predicted to be of class `j`: `[classes, classes]`, labels down,
/// predictions across.
///
/// Errors if there is not one prediction per label, or none, and if a label or a prediction is not below
/// `classes`.
///
/// ```
/// use surprisal_data::metrics::confusion_matrix;
///
/// let counts = confusion_matrix(&[2, 0, 2, 2, 0, 1], &[0, 0, 2, 2, 0, 2], 3)?;
/// assert_eq!(counts, ndarray::array![[2, 0, 0], [0, 0, 1], [1, 0, 2]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn confusion_matrix(
    labels: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<Array2<usize>, DataError> {
    const METRIC: &str = "confusion_matrix";
    check_count(METRIC, "prediction", predicted.len(), labels.len())?;
    check_classes(METRIC, "label", labels, classes)?;
    check_classes(METRIC, "prediction", predicted, classes)?;
    let mut counts = Array2::zeros((classes, classes));
    for (&label, &prediction) in labels.iter().zip(predicted) {
        counts[[label, prediction]] += 1;
    }
    Ok(counts)
}
