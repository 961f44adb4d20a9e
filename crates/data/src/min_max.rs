//! [`MinMax`]: every column to the range from 0 to 1.

use crate::error::{DataError, ErrorKind};
use crate::standardize::check_fit;
use ndarray::{Array1, Array2, ArrayRef2};

/// Moves and scales every column by what was measured on the training rows: `(x - min) / range`.
///
/// `range` is the largest value less the smallest, so that the fitted rows come out from 0 to 1; other rows
/// may come out beyond. A constant column has no range to divide by. It keeps range 1, and comes out as
/// zeros.
///
/// ```
/// use ndarray::array;
/// use surprisal_data::MinMax;
///
/// let min_max = MinMax::fit(&array![[1.0, 7.0], [3.0, 7.0], [5.0, 7.0]])?;
/// assert_eq!((min_max.min(), min_max.range()), (&array![1.0, 7.0], &array![4.0, 1.0]));
/// assert_eq!(min_max.apply(&array![[4.0, 7.0], [9.0, 8.0]])?, array![[0.75, 0.0], [2.0, 1.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MinMax {
    min: Array1<f64>,
    range: Array1<f64>,
}

impl MinMax {
    /// Measures the smallest value and the range of every column of `features`, `[rows, columns]`.
    ///
    /// Errors if there are no rows or no columns, and if a value is NaN, infinite or beyond 1e300.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::MinMax;
    ///
    /// assert_eq!(MinMax::fit(&array![[2.0], [-1.0]])?.range(), &array![3.0]);
    /// assert!(MinMax::fit(&array![[f64::NAN]]).is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn fit(features: &ArrayRef2<f64>) -> Result<MinMax, DataError> {
        check_fit("MinMax", features)?;
        let measure = |column: ndarray::ArrayView1<f64>| {
            let (min, max) = column
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), &x| (x.min(min), x.max(max)));
            (min, if max > min { max - min } else { 1.0 })
        };
        let (min, range): (Vec<_>, Vec<_>) = features.columns().into_iter().map(measure).unzip();
        Ok(MinMax { min: min.into(), range: range.into() })
    }

    /// What was fitted before, as [`min`](MinMax::min) and [`range`](MinMax::range) gave it.
    ///
    /// Errors if there are no columns or not as many of one as of the other, if a smallest value is not
    /// finite, and if a range is not finite and above 0.
    ///
    /// ```
    /// use surprisal_data::{Dataset, MinMax};
    ///
    /// let fitted = MinMax::fit(&Dataset::iris().features)?;
    /// assert_eq!(MinMax::from_parts(fitted.min().to_vec(), fitted.range().to_vec())?, fitted);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_parts(
        min: impl Into<Array1<f64>>,
        range: impl Into<Array1<f64>>,
    ) -> Result<MinMax, DataError> {
        let (min, range) = (min.into(), range.into());
        if min.is_empty() || min.len() != range.len() {
            return Err(ErrorKind::MinMaxParts { mins: min.len(), ranges: range.len() }.into());
        }
        for (column, (&min, &range)) in min.iter().zip(&range).enumerate() {
            if !(min.is_finite() && range.is_finite() && range > 0.0) {
                return Err(ErrorKind::MinMaxPart { column, min, range }.into());
            }
        }
        Ok(MinMax { min, range })
    }

    /// The scaled copy of `features`, `[rows, columns]`; NaN and infinity pass through.
    ///
    /// Errors if there are more or fewer columns than were fitted.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::MinMax;
    ///
    /// assert_eq!(MinMax::fit(&array![[1.0], [5.0]])?.apply(&array![[2.0]])?, array![[0.25]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply(&self, features: &ArrayRef2<f64>) -> Result<Array2<f64>, DataError> {
        let mut copy = features.to_owned();
        self.apply_in_place(&mut copy)?;
        Ok(copy)
    }

    /// Scales `features`, `[rows, columns]`, in the same memory.
    ///
    /// Errors as [`apply`](MinMax::apply) does; nothing is changed then.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::MinMax;
    ///
    /// let mut x = array![[1.0], [5.0]];
    /// MinMax::fit(&x)?.apply_in_place(&mut x)?;
    /// assert_eq!(x, array![[0.0], [1.0]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply_in_place(&self, features: &mut ArrayRef2<f64>) -> Result<(), DataError> {
        let (fitted, found) = (self.min.len(), features.ncols());
        if fitted != found {
            return Err(ErrorKind::ColumnCount { by: "MinMax", fitted, found }.into());
        }
        *features -= &*self.min;
        *features /= &*self.range;
        Ok(())
    }

    /// The smallest value of every fitted column, `[columns]`.
    pub fn min(&self) -> &Array1<f64> {
        &self.min
    }

    /// What every column is divided by, `[columns]`: its largest value less its smallest, or 1 if it is
    /// constant.
    pub fn range(&self) -> &Array1<f64> {
        &self.range
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn extremes_of_every_column_come_out_as_exactly_0_and_1() {
        let x = array![[-1e300, 0.1, 1e-320], [1e300, 0.3, 3e-320], [7.0, 0.2, 2e-320]];
        let scaled = MinMax::fit(&x).unwrap().apply(&x).unwrap();
        for column in scaled.columns() {
            assert_eq!((column[0], column[1]), (0.0, 1.0));
            assert!((column[2] - 0.5).abs() < 1e-3, "{column}");
        }
    }
}
