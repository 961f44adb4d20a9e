//! Class labels: what may name a class, how labels come on the tape, and what a labeled row counts.

use surprisal_tensor::sum::sum_by;
use surprisal_tensor::{MAX_RANK, Read, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::LossError;
use crate::kinds::data::Checked;
use crate::kinds::pointwise::not_empty;

/// An integer that names a class.
pub trait Label: Copy {
    /// The class, or a number that is none.
    fn index(self) -> i64;
}
macro_rules! labels { ($($Int:ty)+) => { $(
    impl Label for $Int {
        fn index(self) -> i64 { i64::try_from(self).unwrap_or(i64::MAX) }
    }
)+ } }
labels! { usize u8 u16 u32 u64 i8 i16 i32 i64 }

/// Labels of any type behind one, so that a loss is not compiled again for the type of a caller's labels.
pub(crate) trait LabelList {
    fn len(&self) -> usize;
    fn at(&self, row: usize) -> i64;
}
impl<L: Label> LabelList for &[L] {
    fn len(&self) -> usize {
        <[L]>::len(self)
    }
    fn at(&self, row: usize) -> i64 {
        self[row].index()
    }
}

/// The label of a row that counts nothing.
const IGNORED: f64 = -1.0;

/// Whether a row is neither ignored nor of a class that weighs nothing.
struct AnyCounts<'a> {
    weight: Option<&'a [f64]>,
}
impl Read for AnyCounts<'_> {
    type Out = bool;
    fn read<T: Scalar>(self, labels: &[T]) -> bool {
        let counts = |y: usize| self.weight.is_none_or(|w| T::of(w[y]) > T::ZERO);
        labels.iter().any(|&label| class(label).is_some_and(counts))
    }
}

/// A loss of rows that have labels, and its input, by the names that messages call them.
#[derive(Clone, Copy)]
pub(crate) struct Labeled {
    pub loss: &'static str,
    pub input: &'static str,
}

impl Labeled {
    /// Records one label for each row of `input`, or of its [`by_rows`].
    #[track_caller]
    pub fn record<'t>(
        self,
        input: Var<'t>,
        labels: &dyn LabelList,
        ignore_index: Option<i64>,
    ) -> Result<Var<'t>, LossError> {
        let (loss, shape) = (self.loss, input.shape());
        if shape.rank() == 0 {
            let told = "they must be [rows, classes], [N, classes, ..] or [classes]";
            return Err(LossError::shape(loss, format!("the {} are {shape}: {told}", self.input)));
        }
        let (rows, classes) = rows_and_classes(&shape);
        self.check_count(labels.len(), rows, &shape)?;
        not_empty(&shape).map_err(|told| LossError::shape(loss, told))?;
        let mut wrong = None;
        let leaf = input.tape().input_with([rows], |row| {
            let label = labels.at(row);
            if Some(label) == ignore_index {
                return IGNORED;
            }
            if !(0..classes as i64).contains(&label) {
                wrong = wrong.or(Some((row, label)));
            }
            label as f64 // exact: a class index is far below 2^24
        });
        match wrong {
            None => Ok(leaf),
            Some((row, label)) => Err(LossError::data(
                loss,
                format!(
                    "label {label} {} is not one of the {classes} classes 0 to {}: \
                     do the labels start at 1, or is the last layer too narrow?",
                    place(row, &shape),
                    classes - 1
                ),
            )),
        }
    }

    /// There is one label for each row of the input.
    pub fn check_count(self, labels: usize, rows: usize, shape: &Shape) -> Checked {
        if labels == rows {
            return Ok(());
        }
        let told = match of_labels(shape) {
            Some(expected) => format!(
                "{labels} labels for the {} {shape}: expected {rows}, one for each of {expected:?}",
                self.input
            ),
            None => format!(
                "{labels} labels for the {rows} rows of {} {shape}: one label is needed for each row",
                self.input
            ),
        };
        Err(LossError::shape(self.loss, told))
    }

    /// An array of labels has the shape of the input without its axis 1, the classes.
    pub fn check_shape(self, labels: &[usize], shape: &Shape) -> Checked {
        let expected = match *shape.dims() {
            [_] => vec![1],
            [rows, _] => vec![rows],
            _ => of_labels(shape).unwrap_or_default(),
        };
        if labels == expected || shape.rank() == 1 && labels.is_empty() {
            return Ok(());
        }
        let told = format!(
            "the labels are {labels:?}, the {} {shape}: expected labels of {expected:?}, without axis 1, the classes",
            self.input
        );
        Err(LossError::shape(self.loss, told))
    }

    /// The mean is over something: not every row is ignored, or of a class that weighs nothing.
    pub fn check_mean(self, labels: Var, weight: Option<&[f64]>, ignore_index: i64) -> Checked {
        if labels.read(AnyCounts { weight }) {
            return Ok(());
        }
        let or = if weight.is_some() { " or a class of weight 0" } else { "" };
        Err(LossError::data(
            self.loss,
            format!("every row has the ignored label {ignore_index}{or}: there is nothing to average"),
        ))
    }

    /// The shape of the single losses, if the input is `[rows, classes]` or `[classes]`, and the weights, input 2, are as many as
    /// the classes.
    pub fn each(self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let shape = inputs.shape(0);
        let (rows, classes) = self.rows_and_classes(shape).map_err(ShapeError::new)?;
        if rows * classes == 0 {
            return Err(ShapeError::new(format!(
                "the batch {shape} is empty: a loss needs at least one element"
            )));
        }
        if inputs.len() > 2 && inputs.shape(2).len() != classes {
            let (weights, name) = (inputs.shape(2).len(), self.input);
            return Err(ShapeError::new(format!(
                "{weights} weights for the {classes} classes of {name} {shape}"
            )));
        }
        Ok(if shape.dims().len() == 1 { Shape::SCALAR } else { Shape::from([rows]) })
    }

    fn rows_and_classes(self, shape: &Shape) -> Result<(usize, usize), String> {
        match *shape.dims() {
            [_] | [_, _] => Ok(rows_and_classes(shape)),
            _ => Err(format!("the {} are {shape}: they must be [rows, classes] or [classes]", self.input)),
        }
    }
}

/// Of `[rows, classes]`, of `[classes]`, which is one row, or of `[N, classes, d1, ..]`, where a row is one of N d1 ..
pub(crate) fn rows_and_classes(shape: &Shape) -> (usize, usize) {
    match *shape.dims() {
        [classes] => (1, classes),
        _ => {
            let (outer, classes, inner) = shape.around(1);
            (outer * inner, classes)
        }
    }
}

/// The shape of the labels of `[N, classes, d1, ..]`, `[N, d1, ..]`; `None` of rows.
fn of_labels(shape: &Shape) -> Option<Vec<usize>> {
    match shape.dims() {
        [n, _, inner @ ..] if !inner.is_empty() => Some([&[*n], inner].concat()),
        _ => None,
    }
}

/// "in row 3", or of `[N, classes, d1, ..]` "at [0, 1, 2]".
fn place(row: usize, shape: &Shape) -> String {
    let Some(mut at) = of_labels(shape) else { return format!("in row {row}") };
    let mut left = row;
    for length in at.iter_mut().rev() {
        (*length, left) = (left % *length, left / *length);
    }
    format!("at {at:?}")
}

/// `[N, classes, d1, ..]` as rows of classes, `[N d1 .., classes]`; rows as they are.
#[track_caller]
pub(crate) fn by_rows(x: Var<'_>) -> Var<'_> {
    let shape = x.shape();
    if shape.rank() < 3 {
        return x;
    }
    let (outer, classes, inner) = shape.around(1);
    x.reshape([outer, classes, inner]).t().reshape([outer * inner, classes])
}

/// The losses of the [`by_rows`] of x in the shape of its labels, `[N, d1, ..]`; what is one number stays so.
#[track_caller]
pub(crate) fn by_labels<'t>(losses: Var<'t>, x: Var<'t>) -> Var<'t> {
    let shape = x.shape();
    let (rank, mut dims) = (shape.rank(), [0; MAX_RANK]);
    if rank < 3 || losses.shape().rank() == 0 {
        return losses;
    }
    dims[0] = shape.dims()[0];
    dims[1..rank - 1].copy_from_slice(&shape.dims()[2..]);
    losses.reshape(&dims[..rank - 1])
}

/// The class that a label leaf holds; `None` where the row is ignored.
#[inline(always)]
pub(crate) fn class<T: Scalar>(label: T) -> Option<usize> {
    (label >= T::ZERO).then(|| index(label))
}

/// A whole number as an integer, the largest of which stands for all above. 2^52 more, and it stands in the lowest bits: so a loop over
/// labels vectorizes.
#[inline(always)]
fn index<T: Scalar>(label: T) -> usize {
    let (label, largest) = (label.value(), f64::from(u32::MAX));
    let label = if label < largest { label } else { largest };
    (label + (1u64 << 52) as f64).to_bits() as u32 as usize
}

/// A row's class and what that counts; `None` where it counts nothing: 0 times an infinite surprise would be NaN.
#[inline(always)]
pub(crate) fn counted<T: Scalar>(label: T, weight: Option<&[T]>) -> Option<(usize, T)> {
    let y = class(label)?;
    let w = weight.map_or(T::ONE, |w| w[y]);
    (w > T::ZERO).then_some((y, w))
}

surprisal_tensor::in_kernels! {
    /// Writes rows' classes and what they count, which is 0 where a row counts nothing; the class of an ignored row is given as 0.
    pub(crate) fn counted_rows<T: Scalar>(labels: &[T], weight: Option<&[T]>, y: &mut [usize], w: &mut [T]) {
        for ((&label, y), w) in labels.iter().zip(y.iter_mut()).zip(w.iter_mut()) {
            (*y, *w) = if label >= T::ZERO { (index(label), T::ONE) } else { (0, T::ZERO) };
        }
        if let Some(weight) = weight {
            for (&y, w) in y.iter().zip(w).take(labels.len()) {
                *w *= weight[y];
            }
        }
    }
}

kernel! {
    fn not_ignored<T: Scalar>(labels: &[T]) -> usize {
        labels.iter().filter(|&&label| label >= T::ZERO).count()
    }
}

/// What all rows together count: what the mean divides by.
pub(crate) fn total_weight<T: Scalar>(labels: &[T], weight: Option<&[T]>) -> T {
    match weight {
        None => T::of(not_ignored(labels) as f64),
        Some(_) => sum_by(labels.len(), |i| counted(labels[i], weight).map_or(T::ZERO, |(_, w)| w)),
    }
}
