//! Metrics as text: [`ClassificationReport`], [`ConfusionTable`].

use super::by_class::counts;
use super::{Average, PrecisionRecallF1, confusion_matrix};
use crate::error::DataError;
use ndarray::{Array2, ArrayView1};
use std::fmt::{self, Display, Formatter};

/// How well each class is found, and the averages: a table when displayed.
///
/// ```
/// use surprisal_data::metrics::ClassificationReport;
///
/// let report = ClassificationReport::new(&[0, 1, 2, 2, 2], &[0, 0, 2, 2, 1], &["cat", "dog", "hamster"])?;
/// assert_eq!(report.classes[2].recall, 2.0 / 3.0);
/// assert_eq!(
///     report.to_string(),
///     "\
/// class         precision  recall     f1  support
/// cat               0.500   1.000  0.667        1
/// dog               0.000   0.000  0.000        1
/// hamster           1.000   0.667  0.800        3
///
/// accuracy                         0.600        5
/// macro avg         0.500   0.556  0.489        5
/// weighted avg      0.700   0.600  0.613        5
/// "
/// );
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    /// One name per class.
    pub class_names: Vec<String>,
    /// [`precision_recall_fscore_support`](super::precision_recall_fscore_support).
    pub classes: Vec<PrecisionRecallF1>,
    /// The share of rows whose predicted class is the label.
    pub accuracy: f64,
    /// [`Average::Macro`].
    pub macro_avg: PrecisionRecallF1,
    /// [`Average::Weighted`].
    pub weighted_avg: PrecisionRecallF1,
}

impl ClassificationReport {
    /// Compares predictions with labels; there are as many classes as names.
    ///
    /// Errors as [`confusion_matrix`] does.
    pub fn new(
        labels: &[usize],
        predicted: &[usize],
        class_names: &[impl AsRef<str>],
    ) -> Result<ClassificationReport, DataError> {
        let counts = counts("ClassificationReport::new", labels, predicted, class_names.len())?;
        Ok(ClassificationReport {
            class_names: owned(class_names),
            classes: counts.iter().map(|class| class.measures()).collect(),
            accuracy: Average::Micro.of(&counts).f1,
            macro_avg: Average::Macro.of(&counts),
            weighted_avg: Average::Weighted.of(&counts),
        })
    }
}

impl Display for ClassificationReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = shown(&self.class_names);
        let width = widest(&names, "weighted avg");
        let line = |f: &mut Formatter<'_>, name: &str, row: &PrecisionRecallF1| {
            let PrecisionRecallF1 { precision, recall, f1, support } = row;
            writeln!(f, "{name:width$}  {precision:9.3}  {recall:6.3}  {f1:5.3}  {support:7}")
        };
        writeln!(f, "{:width$}  precision  recall     f1  support", "class")?;
        for (name, class) in names.iter().zip(&self.classes) {
            line(f, name, class)?;
        }
        if self.classes.len() > SHOWN {
            writeln!(
                f,
                "The first {SHOWN} of {} classes are shown; the averages are of all.",
                self.classes.len()
            )?;
        }
        let (accuracy, rows) = (self.accuracy, self.macro_avg.support);
        writeln!(f, "\n{:width$}  {:9}  {:6}  {accuracy:5.3}  {rows:7}", "accuracy", "", "")?;
        line(f, "macro avg", &self.macro_avg)?;
        line(f, "weighted avg", &self.weighted_avg)
    }
}

/// The [`confusion_matrix`] with the names of the classes: a table when displayed, labels down, predictions
/// across.
///
/// Where the names of all columns would be too wide, columns have the numbers of the classes.
///
/// ```
/// use surprisal_data::metrics::ConfusionTable;
///
/// let table = ConfusionTable::new(&[0, 1, 2, 2, 2], &[0, 0, 2, 2, 1], &["cat", "dog", "hamster"])?;
/// assert_eq!(table.counts[[2, 1]], 1);
/// assert_eq!(
///     table.to_string(),
///     "\
/// true \\ predicted  cat  dog  hamster
/// cat                 1    0        0
/// dog                 1    0        0
/// hamster             0    1        2
/// "
/// );
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionTable {
    /// One name per class.
    pub class_names: Vec<String>,
    /// `[classes, classes]`, labels down, predictions across.
    pub counts: Array2<usize>,
}

impl ConfusionTable {
    /// Counts the rows by true and predicted class; there are as many classes as names.
    ///
    /// Errors as [`confusion_matrix`] does.
    pub fn new(
        labels: &[usize],
        predicted: &[usize],
        class_names: &[impl AsRef<str>],
    ) -> Result<ConfusionTable, DataError> {
        let counts = confusion_matrix(labels, predicted, class_names.len())?;
        Ok(ConfusionTable { class_names: owned(class_names), counts })
    }
}

impl Display for ConfusionTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const CORNER: &str = "true \\ predicted";
        const WIDEST: usize = 100;
        let (mut rows, mut columns) = (shown(&self.class_names), shown(&self.class_names));
        if widest(&rows, CORNER) + columns.iter().map(|name| 2 + length(name)).sum::<usize>() > WIDEST {
            rows = rows.iter().enumerate().map(|(class, name)| format!("{class} {name}")).collect();
            columns = (0..rows.len()).map(|class| class.to_string()).collect();
        }
        let digits = |counts: ArrayView1<'_, usize>| {
            counts.iter().take(rows.len()).max().map_or(0, |count| count.to_string().len())
        };
        let widths: Vec<usize> = columns
            .iter()
            .zip(self.counts.columns())
            .map(|(name, counts)| length(name).max(digits(counts)))
            .collect();
        let label = widest(&rows, CORNER);
        write!(f, "{CORNER:label$}")?;
        for (name, width) in columns.iter().zip(&widths) {
            write!(f, "  {name:>width$}")?;
        }
        writeln!(f)?;
        let mut in_table = 0;
        for (name, counts) in rows.iter().zip(self.counts.rows()) {
            write!(f, "{name:label$}")?;
            for (count, width) in counts.iter().zip(&widths) {
                write!(f, "  {count:>width$}")?;
                in_table += count;
            }
            writeln!(f)?;
        }
        match (self.class_names.len(), self.counts.sum()) {
            (..=SHOWN, _) => Ok(()),
            (classes, all) => writeln!(
                f,
                "The first {SHOWN} of {classes} classes are shown, with {in_table} of {all} rows."
            ),
        }
    }
}

/// The maximum number of classes shown.
const SHOWN: usize = 20;

/// The names of the classes that are shown, each on one line and not longer than a table can bear.
fn shown(names: &[String]) -> Vec<String> {
    const LONGEST: usize = 24;
    let short = |name: &String| {
        let plain = name.chars().map(|c| if c.is_control() { ' ' } else { c });
        match name.chars().nth(LONGEST) {
            Some(_) => plain.take(LONGEST - 3).chain("...".chars()).collect(),
            None => plain.collect(),
        }
    };
    names.iter().take(SHOWN).map(short).collect()
}

fn length(name: &str) -> usize {
    name.chars().count()
}

fn widest(names: &[String], least: &str) -> usize {
    names.iter().map(|name| length(name)).fold(length(least), usize::max)
}

fn owned(names: &[impl AsRef<str>]) -> Vec<String> {
    names.iter().map(|name| name.as_ref().to_owned()).collect()
}
