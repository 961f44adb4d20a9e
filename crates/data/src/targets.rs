//! [`Targets`]: the target of every row, a class, a number or a mask.

use ndarray::{Array3, Axis};

/// The target of every row: a class (classification), a number (regression), or a class for every pixel (segmentation).
///
/// ```
/// use surprisal_data::{Dataset, Targets};
///
/// match &Dataset::iris().targets {
///     Targets::Classes { labels, names } => assert_eq!(names[labels[149]], "virginica"),
///     other => panic!("iris has classes, found {other:?}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Classes, for classification.
    Classes {
        /// The class of every row, an index into `names`.
        labels: Vec<usize>,
        /// The name of every class, whether or not it occurs; class `k` is `names[k]`.
        names: Vec<String>,
    },
    /// Numbers, for regression: one for every row.
    Values(Vec<f64>),
    /// Masks, for segmentation: a class for every pixel of an image.
    Masks {
        /// The class of every pixel, an index into `names`: `[rows, height, width]`.
        masks: Array3<u8>,
        /// The name of every class, whether or not it occurs; class 0 is usually the background.
        names: Vec<String>,
    },
}

impl Targets {
    /// How many rows have a target.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.len(),
            Targets::Masks { masks, .. } => masks.len_of(Axis(0)),
        }
    }

    /// Whether no row has a target.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the task is regression, not classification.
    pub fn is_regression(&self) -> bool {
        matches!(self, Targets::Values(_))
    }

    /// Whether the task is segmentation: a class for every pixel.
    pub fn is_segmentation(&self) -> bool {
        matches!(self, Targets::Masks { .. })
    }

    /// The class of every pixel of every row, `[rows, height, width]`.
    ///
    /// # Panics
    /// If the task is not segmentation.
    #[track_caller]
    pub fn masks(&self) -> &Array3<u8> {
        match self {
            Targets::Masks { masks, .. } => masks,
            other => panic!("masks: expected a class for every pixel, found {}", other.of_each_row()),
        }
    }

    fn of_each_row(&self) -> &'static str {
        match self {
            Targets::Classes { .. } => "classes (classification)",
            Targets::Values(_) => "numbers (regression)",
            Targets::Masks { .. } => "masks (segmentation)",
        }
    }

    /// The class of every row, an index into [`class_names`](Targets::class_names).
    ///
    /// # Panics
    /// If the task is regression or segmentation.
    #[track_caller]
    pub fn labels(&self) -> &[usize] {
        match self {
            Targets::Classes { labels, .. } => labels,
            other => panic!("labels: expected classes, found {}", other.of_each_row()),
        }
    }

    /// The class of every row, to be changed.
    ///
    /// ```
    /// let mut iris = surprisal_data::Dataset::iris();
    /// iris.targets.labels_mut()[0] = 2;
    /// assert_eq!(iris.class_counts(), [49, 50, 51]);
    /// ```
    ///
    /// # Panics
    /// If the task is regression or segmentation.
    #[track_caller]
    pub fn labels_mut(&mut self) -> &mut Vec<usize> {
        match self {
            Targets::Classes { labels, .. } => labels,
            other => panic!("labels_mut: expected classes, found {}", other.of_each_row()),
        }
    }

    /// The number of every row.
    ///
    /// # Panics
    /// If the task is not regression.
    #[track_caller]
    pub fn values(&self) -> &[f64] {
        match self {
            Targets::Values(values) => values,
            Targets::Classes { .. } => panic!("values: expected numbers (regression), found classes"),
            Targets::Masks { .. } => panic!("values: expected numbers (regression), found masks"),
        }
    }

    /// The name of every class; empty for regression.
    pub fn class_names(&self) -> &[String] {
        match self {
            Targets::Classes { names, .. } | Targets::Masks { names, .. } => names,
            Targets::Values(_) => &[],
        }
    }

    /// The number of classes, with or without rows; 0 for regression.
    pub fn classes(&self) -> usize {
        self.class_names().len()
    }

    /// The number of rows of each class, or of pixels for segmentation, in the order of [`class_names`](Targets::class_names); empty if
    /// numbers are to be predicted.
    ///
    /// # Panics
    /// If a label is not below [`classes`](Targets::classes).
    #[track_caller]
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        match self {
            Targets::Classes { labels, .. } => labels.iter().for_each(|&label| counts[label] += 1),
            Targets::Masks { masks, .. } => masks.iter().for_each(|&class| counts[usize::from(class)] += 1),
            Targets::Values(_) => {}
        }
        counts
    }

    /// The same classes, or the numbers that `f` makes of these.
    ///
    /// ```
    /// use surprisal_data::Targets;
    ///
    /// let euros = Targets::Values(vec![700.5, 910.0]);
    /// assert_eq!(euros.map(|value| value / 1000.0), Targets::Values(vec![0.7005, 0.91]));
    /// ```
    pub fn map(&self, f: impl FnMut(f64) -> f64) -> Targets {
        match self {
            Targets::Classes { .. } | Targets::Masks { .. } => self.clone(),
            Targets::Values(values) => Targets::Values(values.iter().copied().map(f).collect()),
        }
    }

    /// The targets of the chosen rows, in the order given; classes keep their names and numbers.
    ///
    /// # Panics
    /// If a row is not below [`len`](Targets::len).
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Targets {
        match self {
            Targets::Classes { labels, names } => {
                Targets::Classes { labels: chosen(labels, rows), names: names.clone() }
            }
            Targets::Values(values) if values.is_empty() => Targets::Values(Vec::new()), // rows to be predicted have none
            Targets::Values(values) => Targets::Values(chosen(values, rows)),
            Targets::Masks { masks, names } => {
                Targets::Masks { masks: masks.select(Axis(0), rows), names: names.clone() }
            }
        }
    }
}

/// The chosen ones.
#[track_caller]
pub(crate) fn chosen<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}
