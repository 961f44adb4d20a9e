//! [`Targets`]: the target of every row, a class or a number.

/// The target of every row: a class (classification) or a number (regression).
///
/// ```
/// use surprisal_data::{Dataset, Targets};
///
/// match &Dataset::iris().targets {
///     Targets::Classes { labels, names } => assert_eq!(names[labels[149]], "virginica"),
///     Targets::Values(values) => panic!("iris has classes, found {} numbers", values.len()),
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
}

impl Targets {
    /// How many rows have a target.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes { labels, .. } => labels.len(),
            Targets::Values(values) => values.len(),
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

    /// The class of every row, an index into [`class_names`](Targets::class_names).
    ///
    /// # Panics
    /// If the task is regression.
    #[track_caller]
    pub fn labels(&self) -> &[usize] {
        match self {
            Targets::Classes { labels, .. } => labels,
            Targets::Values(_) => panic!("labels: expected classes, found numbers (regression)"),
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
    /// If the task is regression.
    #[track_caller]
    pub fn labels_mut(&mut self) -> &mut Vec<usize> {
        match self {
            Targets::Classes { labels, .. } => labels,
            Targets::Values(_) => panic!("labels_mut: expected classes, found numbers (regression)"),
        }
    }

    /// The number of every row.
    ///
    /// # Panics
    /// If the task is classification.
    #[track_caller]
    pub fn values(&self) -> &[f64] {
        match self {
            Targets::Classes { .. } => panic!("values: expected numbers (regression), found classes"),
            Targets::Values(values) => values,
        }
    }

    /// The name of every class; empty for regression.
    pub fn class_names(&self) -> &[String] {
        match self {
            Targets::Classes { names, .. } => names,
            Targets::Values(_) => &[],
        }
    }

    /// The number of classes, with or without rows; 0 for regression.
    pub fn classes(&self) -> usize {
        self.class_names().len()
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
            Targets::Classes { labels, names } => {
                Targets::Classes { labels: labels.clone(), names: names.clone() }
            }
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
        }
    }
}

/// The chosen ones.
#[track_caller]
pub(crate) fn chosen<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row]).collect()
}
