//! Data in the number type of the model.

use surprisal_data::{Dataset, Targets};
use surprisal_tensor::Scalar;
use surprisal_tensor::ndarray::{ArrayD, Axis};

/// Features `[rows, ..]`, and for each row a class or a number: a [`Dataset`] whose rows may have any shape and number type.
///
/// A row may be of any shape: those of a table are `[columns]`, images are `[channels, height, width]`.
///
/// ```
/// use surprisal_data::Dataset;
/// use surprisal_train::Examples;
/// let iris = Examples::<f32>::new(&Dataset::iris());
/// assert_eq!((iris.rows(), iris.features.shape()[1], iris.targets.classes()), (150, 4, 3));
///
/// use surprisal_data::Targets;
/// use surprisal_tensor::ndarray::ArrayD;
/// let targets = Targets::Classes { labels: vec![0, 1], names: vec!["cat".into(), "dog".into()] };
/// let images = Examples { features: ArrayD::<f32>::zeros(vec![2, 3, 32, 32]), targets };
/// assert_eq!(images.rows(), 2);
/// ```
#[derive(Clone, Debug)]
pub struct Examples<T> {
    /// `[rows, ..]`
    pub features: ArrayD<T>,
    /// The target of each row.
    pub targets: Targets,
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
        let targets = data.targets.map(|value| T::of(value).value());
        Examples { features: data.features.mapv(T::of).into_dyn(), targets }
    }
    /// The images of a data set, `[rows, channels, height, width]`, rounded to `T`.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    /// use surprisal_train::Examples;
    /// let digits = Examples::<f32>::images(&Dataset::digits());
    /// assert_eq!(digits.features.shape(), [1797, 1, 8, 8]);
    /// ```
    ///
    /// # Panics
    /// If the rows are not images of [`image_shape`](Dataset::image_shape).
    #[track_caller]
    pub fn images(data: &Dataset) -> Self {
        let Some([channels, height, width]) = data.image_shape else {
            panic!("images: expected a data set with an image shape, found the table {:?}", data.name);
        };
        let Examples { features, targets } = Examples::new(data);
        let shape = [data.rows(), channels, height, width];
        match features.as_standard_layout().into_owned().into_shape_with_order(shape) {
            Ok(features) => Examples { features: features.into_dyn(), targets },
            Err(_) => panic!("images: expected rows of {:?}, found {} columns", &shape[1..], data.columns()),
        }
    }
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.len_of(Axis(0))
    }
}
