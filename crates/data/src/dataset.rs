//! [`Dataset`]: a table of features with a class, or a regression target, for every row.

use crate::error::{DataError, ErrorKind};
use crate::targets::Targets;
use ndarray::{Array2, Axis};

/// A table of numbers, and for every row a class, a number (for regression) or a mask (for segmentation).
///
/// The fields are public, so that `digits.features /= 16.0` rescales. If you fill them by
/// hand, keep their sizes consistent; [`check`](Dataset::check) verifies this.
///
/// ```
/// use surprisal_data::Dataset;
///
/// let iris = Dataset::iris();
/// assert_eq!((iris.rows(), iris.columns(), iris.classes()), (150, 4, 3));
/// assert_eq!(iris.feature_names[2], "petal_length_cm");
/// assert_eq!(iris.class_names()[iris.labels()[149]], "virginica");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of the data set in messages and reports.
    pub name: String,
    /// The numbers, `[rows, columns]`, in the units of the source.
    pub features: Array2<f64>,
    /// The target of every row: a class, a number or a mask.
    pub targets: Targets,
    /// The name of every column of [`features`](Dataset::features).
    pub feature_names: Vec<String>,
    /// `[channels, height, width]` of the image that each row contains, channel by channel and each row by row from the
    /// top left; `None` for tables.
    pub image_shape: Option<[usize; 3]>,
}

impl Dataset {
    /// The number of rows, that is, of examples.
    pub fn rows(&self) -> usize {
        self.features.nrows()
    }

    /// The number of feature columns; the label is not counted.
    pub fn columns(&self) -> usize {
        self.features.ncols()
    }

    /// The number of classes, with or without rows.
    pub fn classes(&self) -> usize {
        self.targets.classes()
    }

    /// Whether the task is regression, not classification.
    pub fn is_regression(&self) -> bool {
        self.targets.is_regression()
    }

    /// The class of every row, an index into [`class_names`](Dataset::class_names).
    ///
    /// # Panics
    /// If the task is regression or segmentation.
    #[track_caller]
    pub fn labels(&self) -> &[usize] {
        self.targets.labels()
    }

    /// The targets of a regression.
    ///
    /// # Panics
    /// If the task is classification.
    #[track_caller]
    pub fn values(&self) -> &[f64] {
        self.targets.values()
    }

    /// The name of every class; class `k` is `class_names()[k]`. Empty for regression.
    pub fn class_names(&self) -> &[String] {
        self.targets.class_names()
    }

    /// The number of rows of each class, or of pixels for segmentation, in the order of [`class_names`](Dataset::class_names); empty if
    /// numbers are to be predicted.
    ///
    /// Panics if a label is not below [`classes`](Dataset::classes).
    ///
    /// ```
    /// assert_eq!(surprisal_data::Dataset::breast_cancer().class_counts(), [212, 357]);
    /// ```
    #[track_caller]
    pub fn class_counts(&self) -> Vec<usize> {
        self.targets.class_counts()
    }

    /// The chosen rows, in the order given; a row may be chosen more than once.
    ///
    /// Names and classes stay, even of a class that no longer has a row: a label means the same in every
    /// part.
    ///
    /// Panics if a row is not below [`rows`](Dataset::rows).
    ///
    /// ```
    /// let iris = surprisal_data::Dataset::iris();
    /// let two = iris.select(&[149, 0]);
    /// assert_eq!(two.labels(), [2, 0]);
    /// assert_eq!(two.features.row(1), iris.features.row(0));
    /// ```
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Dataset {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            panic!("select: row {row} of data set {:?}, which has {} rows", self.name, self.rows());
        }
        Dataset {
            name: self.name.clone(),
            features: self.features.select(Axis(0), rows),
            targets: self.targets.select(rows),
            feature_names: self.feature_names.clone(),
            image_shape: self.image_shape,
        }
    }

    /// The same rows with the classes numbered in the order given.
    ///
    /// Two tables read separately agree on what a label means only if they number their classes alike:
    /// `test.with_class_order(train.class_names())`. The order may name classes that have no row here.
    ///
    /// Errors if the order leaves out a class that has rows, or names a class twice, and if the set fails
    /// [`check`](Dataset::check).
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let cancer = Dataset::breast_cancer();
    /// assert_eq!(cancer.class_names(), ["malignant", "benign"]);
    /// // so that 1 is the positive class
    /// let cancer = cancer.with_class_order(&["benign", "malignant"])?;
    /// assert_eq!(cancer.class_counts(), [357, 212]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn with_class_order(mut self, order: &[impl AsRef<str>]) -> Result<Dataset, DataError> {
        self.check()?;
        let order: Vec<String> = order.iter().map(|class| class.as_ref().to_owned()).collect();
        if let Some((_, class)) = order.iter().enumerate().find(|&(k, class)| order[..k].contains(class)) {
            return Err(ErrorKind::ClassTwice { dataset: self.name, class: class.clone() }.into());
        }
        let Targets::Classes { labels, names } = &mut self.targets else { return Err(self.no_classes()) };
        let new_label: Vec<Option<usize>> =
            names.iter().map(|old| order.iter().position(|new| new == old)).collect();
        for label in labels {
            let Some(new) = new_label[*label] else {
                let class = names[*label].clone();
                return Err(ErrorKind::ClassLeftOut { dataset: self.name, class, order }.into());
            };
            *label = new;
        }
        *names = order;
        Ok(self)
    }

    /// The rows of these classes alone, with the classes numbered in the order given.
    ///
    /// Errors if no class has one of the names, if a name is given twice, if no row is left, and if the set
    /// fails [`check`](Dataset::check).
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let three_or_eight = Dataset::digits().only_classes(&["3", "8"])?;
    /// assert_eq!(three_or_eight.class_names(), ["3", "8"]);
    /// assert_eq!(three_or_eight.class_counts(), [183, 174]); // labels are 0 and 1
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn only_classes(&self, classes: &[impl AsRef<str>]) -> Result<Dataset, DataError> {
        self.check()?;
        let Targets::Classes { labels, names } = &self.targets else { return Err(self.no_classes()) };
        let mut chosen = vec![false; names.len()];
        for class in classes.iter().map(AsRef::as_ref) {
            let Some(label) = names.iter().position(|name| name == class) else {
                let (dataset, class, known) = (self.name.clone(), class.to_owned(), names.clone());
                return Err(ErrorKind::UnknownClass { dataset, class, known }.into());
            };
            chosen[label] = true;
        }
        let rows: Vec<usize> = (0..self.rows()).filter(|&row| chosen[labels[row]]).collect();
        self.select(&rows).with_class_order(classes)
    }

    /// Whether there are rows, and the parts fit together: a label or a finite value per row, a name per
    /// column, a class per label, as many columns as an image has numbers.
    ///
    /// Every set that this crate reads passes; the check is for sets filled by hand.
    ///
    /// Errors with the two sizes that contradict each other.
    ///
    /// ```
    /// let mut iris = surprisal_data::Dataset::iris();
    /// assert!(iris.check().is_ok());
    /// iris.targets.labels_mut().pop();
    /// assert!(iris.check().unwrap_err().to_string().contains("150 rows of features, but 149 labels"));
    /// ```
    pub fn check(&self) -> Result<(), DataError> {
        let (rows, columns, names) = (self.rows(), self.columns(), self.feature_names.len());
        self.check_targets()?;
        let problem = if columns != names {
            format!("{columns} columns of features, but {names} feature names | every column needs one name")
        } else if let Some([channels, height, width]) = self.image_shape
            && channels.checked_mul(height).and_then(|size| size.checked_mul(width)) != Some(columns)
        {
            format!(
                "{columns} columns of features, but the image shape [{channels}, {height}, {width}] | \
                 every row needs channels * height * width numbers"
            )
        } else if rows == 0 {
            "expected at least one row, found none | was everything filtered out?".to_owned()
        } else {
            return Ok(());
        };
        Err(ErrorKind::Inconsistent { dataset: self.name.clone(), problem }.into())
    }

    /// Whether there is one target for each row, and each is one.
    pub(crate) fn check_targets(&self) -> Result<(), DataError> {
        let rows = self.rows();
        let of_targets = match &self.targets {
            Targets::Values(values) => {
                let bad = values.iter().position(|value| !value.is_finite());
                match (values.len(), bad) {
                    (values, _) if values != rows => Some(format!(
                        "{rows} rows of features, but {values} values | every row needs one value"
                    )),
                    (_, Some(row)) => {
                        Some(format!("row {row} has the value {} | leave the row out", values[row]))
                    }
                    _ => None,
                }
            }
            Targets::Masks { masks, names } => {
                let (expected, classes) = (self.image_shape.map(|[_, h, w]| [rows, h, w]), names.len());
                let wrong = || masks.indexed_iter().find(|(_, class)| usize::from(**class) >= classes);
                match (expected, masks.shape()) {
                    (Some(expected), found) if expected != found => Some(format!(
                        "{rows} rows of images with the shape {:?}, but masks with the shape {found:?} | masks are [rows, height, width]",
                        self.image_shape.unwrap_or_default()
                    )),
                    (None, _) => Some("masks, but no image shape | a mask needs the shape of its image".into()),
                    _ => wrong().map(|((row, y, x), class)| {
                        format!("row {row} has class {class} at [{y}, {x}], but there are {classes} class names | classes count from 0")
                    }),
                }
            }
            Targets::Classes { labels, .. } if labels.len() != rows => Some(format!(
                "{rows} rows of features, but {} labels | every row needs one label",
                labels.len()
            )),
            Targets::Classes { labels, names } => {
                let classes = names.len();
                labels.iter().enumerate().find(|&(_, &label)| label >= classes).map(|(row, label)| {
                    format!("row {row} has label {label}, but there are {classes} class names | labels count from 0")
                })
            }
        };
        match of_targets {
            Some(problem) => Err(ErrorKind::Inconsistent { dataset: self.name.clone(), problem }.into()),
            None => Ok(()),
        }
    }

    /// The error if classes are changed in a data set without classes.
    pub(crate) fn no_classes(&self) -> DataError {
        let task = if self.is_regression() { "regression" } else { "segmentation" };
        let problem = format!(
            "expected classification, found {task} | only classes of rows can be selected or changed"
        );
        ErrorKind::Inconsistent { dataset: self.name.clone(), problem }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn three_rows() -> Dataset {
        Dataset {
            name: "three".to_owned(),
            features: array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
            targets: Targets::Classes {
                labels: vec![1, 0, 1],
                names: vec!["no".to_owned(), "yes".to_owned(), "never".to_owned()],
            },
            feature_names: vec!["a".to_owned(), "b".to_owned()],
            image_shape: None,
        }
    }

    #[test]
    fn images_keep_their_shape() {
        let digits = Dataset::digits();
        assert_eq!(digits.image_shape, Some([1, 8, 8]));
        assert_eq!(digits.only_classes(&["3"]).unwrap().image_shape, Some([1, 8, 8]));
        assert_eq!(three_rows().image_shape, None);
    }

    #[test]
    fn select_keeps_order_repetition_and_classes_without_rows() {
        let chosen = three_rows().select(&[2, 0, 2]);
        assert_eq!(chosen.features, array![[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]);
        assert_eq!(chosen.labels(), [1, 1, 1]);
        assert_eq!(chosen.class_names(), ["no", "yes", "never"]);
        assert_eq!(chosen.class_counts(), [0, 3, 0]);
    }

    #[test]
    fn class_order_renumbers_labels_but_not_what_they_mean() {
        let before = three_rows();
        let after = before.clone().with_class_order(&["other", "yes", "no"]).unwrap();
        assert_eq!(after.labels(), [1, 2, 1]);
        assert_eq!(after.class_names(), ["other", "yes", "no"]);
        let meaning =
            |set: &Dataset| set.labels().iter().map(|&k| set.class_names()[k].clone()).collect::<Vec<_>>();
        assert_eq!(meaning(&before), meaning(&after));
        assert_eq!(before.features, after.features);
    }

    #[test]
    fn only_classes_keeps_their_rows_and_numbers_them_in_the_order_given() {
        let iris = Dataset::iris();
        let two = iris.only_classes(&["virginica", "setosa"]).unwrap();
        let rows: Vec<usize> = (0..50).chain(100..150).collect();
        assert_eq!(two.features, iris.features.select(Axis(0), &rows));
        assert_eq!(two.labels(), [[1; 50], [0; 50]].concat());
        assert_eq!(two.class_names(), ["virginica", "setosa"]);
    }
}
