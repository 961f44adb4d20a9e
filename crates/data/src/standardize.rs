//! [`Standardize`]: every column to mean 0 and standard deviation 1.

use crate::error::{DataError, ErrorKind};
use ndarray::{Array1, Array2, ArrayRef2, ArrayView1, Axis};

/// Moves and scales every column by what was measured on the training rows: `(x - mean) / scale`.
///
/// `scale` is the population standard deviation, `sqrt(sum (x - mean)^2 / n)`, that is, ddof 0: the fitted
/// rows come out with standard deviation 1 as numpy's `std` measures it.
///
/// A constant column has scale 1 and becomes zeros. A column whose values differ by rounding only is
/// constant too: by at most 4 units in the last place of the column's largest value.
///
/// ```
/// use ndarray::array;
/// use surprisal_data::Standardize;
///
/// let standardize = Standardize::fit(&array![[1.0, 7.0], [3.0, 7.0]])?;
/// assert_eq!(standardize.mean(), &array![2.0, 7.0]);
/// assert_eq!(standardize.scale(), &array![1.0, 1.0]);
/// assert_eq!(standardize.apply(&array![[1.0, 7.0], [5.0, 8.0]])?, array![[-1.0, 0.0], [3.0, 1.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Standardize {
    mean: Array1<f64>,
    scale: Array1<f64>,
}

/// Larger values are refused: with these, sums over any number of rows that fits into memory stay finite.
const LARGEST: f64 = 1e300;

impl Standardize {
    /// Measures the mean and the standard deviation of every column of `features`, `[rows, columns]`.
    ///
    /// Takes an array or a view, by reference.
    ///
    /// Errors if there are no rows or no columns, and if a value is NaN, infinite or beyond 1e300.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Standardize;
    ///
    /// let fitted = Standardize::fit(&array![[1.0, 7.0], [5.0, 7.0]])?;
    /// assert_eq!(fitted.mean(), &array![3.0, 7.0]);
    /// assert_eq!(fitted.scale(), &array![2.0, 1.0]); // a constant column keeps 1
    /// assert!(Standardize::fit(&array![[f64::NAN]]).is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn fit(features: &ArrayRef2<f64>) -> Result<Standardize, DataError> {
        check_fit("Standardize", features)?;
        let (mean, scale): (Vec<_>, Vec<_>) = features.columns().into_iter().map(mean_and_scale).unzip();
        Ok(Standardize { mean: mean.into(), scale: scale.into() })
    }

    /// [`fit`](Standardize::fit) with one mean and one standard deviation for each channel of images, over all rows and pixels. `features` is
    /// `[rows, channels * height * width]`; every column has the numbers of its channel.
    ///
    /// Errors as there, and if a row does not have `channels * height * width` columns.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Standardize;
    ///
    /// // two images of two channels, 1 x 2 pixels
    /// let fitted = Standardize::fit_channels(&array![[1.0, 3.0, 7.0, 7.0], [3.0, 1.0, 7.0, 7.0]], [2, 1, 2])?;
    /// assert_eq!(fitted.mean(), &array![2.0, 2.0, 7.0, 7.0]);
    /// assert_eq!(fitted.scale(), &array![1.0, 1.0, 1.0, 1.0]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn fit_channels(
        features: &ArrayRef2<f64>,
        image_shape: [usize; 3],
    ) -> Result<Standardize, DataError> {
        check_fit("Standardize", features)?;
        let columns = features.ncols();
        let [channels, height, width] = image_shape;
        let pixels = height.checked_mul(width).filter(|pixels| pixels.checked_mul(channels) == Some(columns));
        let Some(pixels) = pixels else {
            return Err(ErrorKind::NoChannels { shape: Some(image_shape), columns }.into());
        };
        let of_channels = features.axis_chunks_iter(Axis(1), pixels).map(|channel| {
            let numbers: Array1<f64> = channel.iter().copied().collect();
            mean_and_scale(numbers.view())
        });
        let repeated = of_channels.flat_map(|part| std::iter::repeat_n(part, pixels));
        let (mean, scale): (Vec<_>, Vec<_>) = repeated.unzip();
        Ok(Standardize { mean: mean.into(), scale: scale.into() })
    }

    /// Restores a fitted one from its [`mean`](Standardize::mean) and [`scale`](Standardize::scale), for example
    /// from the file of a model.
    ///
    /// Errors if there are no columns or not as many means as scales, if a mean is not finite, and if a scale
    /// is not finite and above 0.
    ///
    /// ```
    /// use surprisal_data::{Dataset, Standardize};
    ///
    /// let fitted = Standardize::fit(&Dataset::iris().features)?;
    /// let again = Standardize::from_parts(fitted.mean().to_vec(), fitted.scale().to_vec())?;
    /// assert_eq!(again, fitted);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_parts(
        mean: impl Into<Array1<f64>>,
        scale: impl Into<Array1<f64>>,
    ) -> Result<Standardize, DataError> {
        let (mean, scale) = (mean.into(), scale.into());
        if mean.is_empty() || mean.len() != scale.len() {
            return Err(ErrorKind::StandardizeParts { means: mean.len(), scales: scale.len() }.into());
        }
        for (column, (&mean, &scale)) in mean.iter().zip(&scale).enumerate() {
            if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
                return Err(ErrorKind::StandardizePart { column, mean, scale }.into());
            }
        }
        Ok(Standardize { mean, scale })
    }

    /// The standardized copy of `features`, `[rows, columns]`; NaN and infinity pass through.
    ///
    /// Errors if there are more or fewer columns than were fitted.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Standardize;
    ///
    /// let train = Standardize::fit(&array![[1.0], [5.0]])?;
    /// assert_eq!(train.apply(&array![[1.0], [5.0]])?, array![[-1.0], [1.0]]);
    /// assert_eq!(train.apply(&array![[9.0]])?, array![[3.0]]); // a test row: measured by the training rows
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply(&self, features: &ArrayRef2<f64>) -> Result<Array2<f64>, DataError> {
        let mut copy = features.to_owned();
        self.apply_in_place(&mut copy)?;
        Ok(copy)
    }

    /// Standardizes `features`, `[rows, columns]`, in the same memory.
    ///
    /// Errors as [`apply`](Standardize::apply) does; nothing is changed then.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Standardize;
    ///
    /// let mut x = array![[1.0], [5.0]];
    /// Standardize::fit(&x)?.apply_in_place(&mut x)?;
    /// assert_eq!(x, array![[-1.0], [1.0]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply_in_place(&self, features: &mut ArrayRef2<f64>) -> Result<(), DataError> {
        let (fitted, found) = (self.mean.len(), features.ncols());
        if fitted != found {
            return Err(ErrorKind::ColumnCount { by: "Standardize", fitted, found }.into());
        }
        *features -= &*self.mean;
        *features /= &*self.scale;
        Ok(())
    }

    /// The mean of every fitted column, `[columns]`.
    pub fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// What every column is divided by, `[columns]`: its standard deviation, or 1 if it is constant.
    pub fn scale(&self) -> &Array1<f64> {
        &self.scale
    }
}

/// Whether there is something to measure, and all of it can be measured.
pub(crate) fn check_fit(by: &'static str, features: &ArrayRef2<f64>) -> Result<(), DataError> {
    let (rows, columns) = features.dim();
    if features.is_empty() {
        return Err(ErrorKind::NothingToFit { by, rows, columns }.into());
    }
    if !features.iter().any(|&value| is_unfit(value)) {
        return Ok(());
    }
    match features.indexed_iter().find(|&(_, &value)| is_unfit(value)) {
        Some(((row, column), &value)) => Err(ErrorKind::UnfitValue { by, row, column, value }.into()),
        None => Ok(()),
    }
}

/// Whether a number is NaN, or too large to be measured.
pub(crate) fn is_unfit(value: f64) -> bool {
    value.is_nan() || value.abs() > LARGEST
}

/// The mean of one column, exact to the last digits.
///
/// Errors as [`Standardize::fit`] does.
pub(crate) fn mean_of(column: &[f64]) -> Result<f64, DataError> {
    let column = ArrayView1::from(column);
    check_fit("Standardize", &column.insert_axis(Axis(1)))?;
    Ok(mean(column))
}

fn mean(column: ArrayView1<f64>) -> f64 {
    let n = column.len() as f64;
    let rough = column.sum() / n;
    rough + column.iter().map(|x| x - rough).sum::<f64>() / n
}

/// The mean and the population standard deviation of one column.
///
/// Both in two passes. The second pass over the deviations takes the rounding of the first sum out of the
/// mean; the squares are of deviations, not of values, so that 1e9 + 1 and 1e9 + 2 lose nothing; and the
/// deviations are taken relative to the largest, so that squares neither overflow nor vanish. Chan, Golub,
/// LeVeque (1983), "Algorithms for computing the sample variance".
fn mean_and_scale(column: ArrayView1<f64>) -> (f64, f64) {
    let n = column.len() as f64;
    let (low, high) = column.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
    let mean = mean(column);
    let spread = (high - mean).max(mean - low);
    if spread <= 4.0 * f64::EPSILON * low.abs().max(high.abs()) {
        return (mean, 1.0);
    }
    let variance = column.iter().map(|x| ((x - mean) / spread).powi(2)).sum::<f64>() / n;
    (mean, spread * variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use ndarray::{Axis, array};

    #[track_caller]
    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected} to {tolerance}");
    }

    #[test]
    fn standardized_sets_have_mean_0_and_population_deviation_1() {
        for set in [Dataset::iris(), Dataset::breast_cancer()] {
            let x = Standardize::fit(&set.features).unwrap().apply(&set.features).unwrap();
            for column in x.columns() {
                assert_close(column.sum() / set.rows() as f64, 0.0, 1e-12);
                assert_close(column.pow2().sum() / set.rows() as f64, 1.0, 1e-12);
            }
        }
    }

    #[test]
    fn deviation_is_that_of_the_population_not_of_a_sample() {
        // 2, 4, 4, 4, 5, 5, 7, 9: sum of squares 32, over 8 and not over 7
        let x = array![[2.0], [4.0], [4.0], [4.0], [5.0], [5.0], [7.0], [9.0]];
        let fitted = Standardize::fit(&x).unwrap();
        assert_eq!((fitted.mean[0], fitted.scale[0]), (5.0, 2.0));
    }

    #[test]
    fn far_from_zero_nothing_cancels() {
        // E[x^2] - E[x]^2 in f64 gives 0 or noise here
        let x = array![[1e9 + 4.0], [1e9 + 7.0], [1e9 + 13.0], [1e9 + 16.0]];
        let fitted = Standardize::fit(&x).unwrap();
        assert_eq!(fitted.mean[0], 1e9 + 10.0);
        assert_close(fitted.scale[0], 22.5_f64.sqrt(), 1e-15);
    }

    #[test]
    fn tiny_and_huge_columns_are_scaled_too() {
        for size in [1e-310, 1e-200, 1e200, 1e300] {
            let fitted = Standardize::fit(&array![[-size], [size]]).unwrap();
            assert_eq!((fitted.mean[0], fitted.scale[0]), (0.0, size));
        }
    }

    #[test]
    fn constant_columns_keep_scale_1_and_become_zeros() {
        // 1000 rows of 0.1 sum to a little more or less than 100
        for (rows, value) in
            [(1, 4.2), (7, 0.0), (7, -1e-300), (7, 1e300), (10, 0.1), (1000, 0.1), (1797, 0.7)]
        {
            let x = Array2::from_elem((rows, 1), value);
            let fitted = Standardize::fit(&x).unwrap();
            assert_eq!((fitted.mean[0], fitted.scale[0]), (value, 1.0));
            assert_eq!(fitted.apply(&x).unwrap(), Array2::<f64>::zeros((rows, 1)));
        }
    }

    #[test]
    fn constant_but_for_rounding_keeps_scale_1() {
        let fitted = Standardize::fit(&array![[0.3], [0.1 + 0.2]]).unwrap();
        assert_eq!(fitted.scale[0], 1.0);
        let fitted = Standardize::fit(&array![[1.0], [1.0 + 1e-12]]).unwrap();
        assert_close(fitted.scale[0] / 0.5e-12, 1.0, 1e-3); // 1e-12 is far more than rounding
    }

    #[test]
    fn test_rows_are_moved_by_the_training_rows() {
        let iris = Dataset::iris().features;
        let (train, test) = iris.view().split_at(Axis(0), 100);
        let x = Standardize::fit(&train).unwrap().apply(&test).unwrap();
        let petals = train.column(2);
        assert_close(x[[49, 2]], (test[[49, 2]] - petals.mean().unwrap()) / petals.std(0.0), 1e-12);
        assert!(x.mean_axis(Axis(0)).unwrap()[2] > 1.0, "virginica has longer petals than the fitted two");
    }
}
