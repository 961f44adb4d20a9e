//! Data in the number type of the model.

use surprisal_data::Dataset;
use surprisal_tensor::Scalar;
use surprisal_tensor::ndarray::Array2;

/// Features `[rows, columns]`, and for each row a class label or a number.
///
/// ```
/// use surprisal_data::Dataset;
/// use surprisal_train::Examples;
/// let iris = Examples::<f32>::new(&Dataset::iris());
/// assert_eq!((iris.rows(), iris.features.ncols(), iris.classes), (150, 4, 3));
/// ```
#[derive(Clone, Debug)]
pub struct Examples<T> {
    /// `[rows, columns]`
    pub features: Array2<T>,
    /// One for each row, below [`classes`](Self::classes); none where numbers are to be predicted.
    pub labels: Vec<usize>,
    /// How many classes there are, whether or not each occurs; 0 where numbers are to be predicted.
    pub classes: usize,
    /// What is to be predicted for each row, where that is a number.
    pub values: Vec<T>,
}

impl<T: Scalar> Examples<T> {
    /// The data set's numbers, rounded to `T`.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_train::Examples;
    /// let iris = Dataset::iris();
    /// let examples = Examples::<f32>::new(&iris);
    /// assert_eq!(examples.labels, iris.labels);
    /// assert_eq!(examples.features[[0, 0]], iris.features[[0, 0]] as f32);
    /// ```
    pub fn new(data: &Dataset) -> Self {
        Examples {
            features: data.features.mapv(T::of),
            labels: data.labels.clone(),
            classes: data.class_names.len(),
            values: data.values.iter().map(|&value| T::of(value)).collect(),
        }
    }
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }
    /// Whether numbers are to be predicted, not classes.
    pub fn of_values(&self) -> bool {
        self.classes == 0
    }
}
