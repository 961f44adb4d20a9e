//! [`Preprocess`]: preprocessing of features.

use crate::error::{DataError, ErrorKind};
use crate::min_max::MinMax;
use crate::standardize::Standardize;
use ndarray::{Array2, ArrayRef2};

/// Preprocessing of features.
///
/// A model that was trained on pixels in 0..=1 needs pixels in 0..=1: save the preprocessing with the
/// model. To save it: the divisor, or [`Standardize::mean`] and
/// [`Standardize::scale`]; to read it again: [`Preprocess::divide`] and [`Standardize::from_parts`], which check.
/// An [`Encoder`](crate::Encoder) holds all of this as plain numbers.
///
/// ```
/// use ndarray::array;
/// use surprisal_data::Preprocess;
///
/// let preprocess = Preprocess::divide(16.0)?;
/// assert_eq!(preprocess.apply(&array![[0.0, 8.0, 16.0]])?, array![[0.0, 0.5, 1.0]]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Preprocess {
    /// No preprocessing.
    None,
    /// Every number is divided by this one, finite and above 0: pixels, whose range is known.
    Divide(f64),
    /// Every column is moved and scaled by what was measured on the training rows: tables.
    Standardize(Standardize),
    /// Every column is brought to the range from 0 to 1, as measured on the training rows.
    MinMax(MinMax),
}

impl Preprocess {
    /// Division by a number, for example from a model file.
    ///
    /// Errors if it is not finite and above 0.
    ///
    /// ```
    /// use surprisal_data::Preprocess;
    ///
    /// assert_eq!(Preprocess::divide(255.0)?, Preprocess::Divide(255.0));
    /// assert!(Preprocess::divide(0.0).is_err());
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn divide(divisor: f64) -> Result<Preprocess, DataError> {
        if divisor.is_finite() && divisor > 0.0 {
            Ok(Preprocess::Divide(divisor))
        } else {
            Err(ErrorKind::Divisor { found: divisor }.into())
        }
    }

    /// The preprocessed copy of `features`, `[rows, columns]`.
    ///
    /// Errors if the columns are not as many as were standardized, or the divisor fails
    /// [`divide`](Preprocess::divide).
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Preprocess;
    ///
    /// let pixels = array![[0.0, 51.0], [255.0, 102.0]];
    /// assert_eq!(Preprocess::divide(255.0)?.apply(&pixels)?, array![[0.0, 0.2], [1.0, 0.4]]);
    /// assert_eq!(Preprocess::None.apply(&pixels)?, pixels);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply(&self, features: &ArrayRef2<f64>) -> Result<Array2<f64>, DataError> {
        let mut copy = features.to_owned();
        self.apply_in_place(&mut copy)?;
        Ok(copy)
    }

    /// Preprocesses `features`, `[rows, columns]`, in place.
    ///
    /// Errors as [`apply`](Preprocess::apply) does; nothing is changed then.
    ///
    /// ```
    /// use ndarray::array;
    /// use surprisal_data::Preprocess;
    ///
    /// let mut pixels = array![[0.0, 51.0]];
    /// Preprocess::divide(255.0)?.apply_in_place(&mut pixels)?;
    /// assert_eq!(pixels, array![[0.0, 0.2]]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn apply_in_place(&self, features: &mut ArrayRef2<f64>) -> Result<(), DataError> {
        match self {
            Preprocess::None => Ok(()),
            Preprocess::Divide(divisor) => {
                Preprocess::divide(*divisor)?;
                *features /= *divisor;
                Ok(())
            }
            Preprocess::Standardize(standardize) => standardize.apply_in_place(features),
            Preprocess::MinMax(min_max) => min_max.apply_in_place(features),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Axis, array};

    fn each() -> [Preprocess; 4] {
        let standardize = Standardize::from_parts(vec![1.0, 10.0], vec![2.0, 0.5]).unwrap();
        let min_max = MinMax::from_parts(vec![1.0, 4.0], vec![8.0, 2.0]).unwrap();
        let (standardize, min_max) = (Preprocess::Standardize(standardize), Preprocess::MinMax(min_max));
        [Preprocess::None, Preprocess::Divide(4.0), standardize, min_max]
    }

    #[test]
    fn each_does_what_it_says() {
        let x = array![[1.0, 10.0], [5.0, 12.0]];
        let [none, divided, standardized, ranged] = each().map(|preprocess| preprocess.apply(&x).unwrap());
        assert_eq!(none, x);
        assert_eq!(divided, array![[0.25, 2.5], [1.25, 3.0]]);
        assert_eq!(standardized, array![[0.0, 0.0], [2.0, 4.0]]);
        assert_eq!(ranged, array![[0.0, 3.0], [0.5, 4.0]]);
    }

    #[test]
    fn views_and_rows_of_any_number_are_preprocessed_in_place_as_copies_are() {
        let x = array![[1.0, 10.0], [5.0, 12.0], [-3.0, 0.0]];
        for preprocess in each() {
            let whole = preprocess.apply(&x).unwrap();
            let mut in_place = x.clone();
            preprocess.apply_in_place(&mut in_place).unwrap();
            assert_eq!(in_place, whole);
            let (first, rest) = x.view().split_at(Axis(0), 1);
            let parts = [preprocess.apply(&first).unwrap(), preprocess.apply(&rest).unwrap()];
            assert_eq!(ndarray::concatenate![Axis(0), parts[0], parts[1]], whole);
        }
    }

    #[test]
    fn nothing_is_changed_by_what_fails() {
        let mut x = array![[1.0, 2.0, 3.0]];
        assert!(Preprocess::Divide(0.0).apply_in_place(&mut x).is_err());
        assert!(each()[2].apply_in_place(&mut x).is_err());
        assert!(each()[3].apply_in_place(&mut x).is_err());
        assert_eq!(x, array![[1.0, 2.0, 3.0]]);
    }
}
