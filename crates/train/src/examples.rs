//! Data in the number type of the model.

use surprisal_data::{Dataset, Targets};
use surprisal_tensor::Scalar;
use surprisal_tensor::ndarray::Array2;

/// Features `[rows, columns]`, and for each row a class or a number.
///
/// ```
/// use surprisal_data::Dataset;
/// use surprisal_train::Examples;
/// let iris = Examples::<f32>::new(&Dataset::iris());
/// assert_eq!((iris.rows(), iris.features.ncols(), iris.targets.classes()), (150, 4, 3));
/// ```
#[derive(Clone, Debug)]
pub struct Examples<T> {
    /// `[rows, columns]`
    pub features: Array2<T>,
    /// What is to be predicted of each row.
    pub targets: Targets<T>,
}

impl<T: Scalar> Examples<T> {
    /// The data set's numbers, rounded to `T`.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_train::Examples;
    /// let iris = Dataset::iris();
    /// let examples = Examples::<f32>::new(&iris);
    /// assert_eq!(examples.targets.labels(), iris.labels());
    /// assert_eq!(examples.features[[0, 0]], iris.features[[0, 0]] as f32);
    /// ```
    pub fn new(data: &Dataset) -> Self {
        Examples { features: data.features.mapv(T::of), targets: data.targets.map(T::of) }
    }
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }
}
