//! Mini-batches on the tape.

use std::cell::Cell;

use surprisal_data::{Dataset, Targets};
use surprisal_tensor::ndarray::Axis;
use surprisal_tensor::{Scalar, Tape, Var};

use crate::Examples;

/// What mini-batches are made of: features and targets, row by row. [`Dataset`] and [`Examples`] are.
///
/// ```
/// use surprisal_data::{Batches, Dataset};
/// use surprisal_layers::{Layer, Linear, rng};
/// use surprisal_loss::softmax_cross_entropy;
/// use surprisal_optim::{Optimizer, Sgd};
/// use surprisal_tensor::{Params, Workspace};
/// use surprisal_train::Batched;
///
/// let iris = Dataset::iris();
/// let (mut params, mut rng) = (Params::new(), rng(7));
/// let model = Linear::new(&mut params, "out", 4, 3, &mut rng);
/// let (mut sgd, mut workspace) = (Sgd::new(0.02), Workspace::new());
/// let mut batches = Batches::new(iris.rows(), 50)?;
/// let mut losses = Vec::new();
/// for _epoch in 0..20 {
///     batches.shuffle(&mut rng);
///     for rows in &batches {
///         let tape = workspace.tape(&params);
///         let batch = iris.batch(&tape, rows);
///         let loss = softmax_cross_entropy(model.forward(batch.x), batch.labels());
///         loss.backward();
///         losses.push(loss.item());
///         sgd.step(&mut params, workspace.grads());
///     }
/// }
/// assert!(losses[losses.len() - 1] < losses[0] / 2.0);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub trait Batched {
    /// The number of rows.
    fn rows(&self) -> usize;

    /// The target of each row.
    fn targets(&self) -> &Targets;

    /// Records the features of some rows, `[rows, ..]`, rounded to the numbers of the tape.
    ///
    /// # Panics
    /// At the caller's line, if there is no such row.
    #[track_caller]
    fn features<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> Var<'t>;

    /// Writes the class indices of some rows: one for each row, for each pixel of masks, or none (regression).
    ///
    /// # Panics
    /// At the caller's line, if there is no such row.
    #[track_caller]
    fn class_indices(&self, rows: &[usize], indices: &mut Vec<usize>) {
        indices.clear();
        let all = self.targets();
        if let Some(row) = rows.iter().find(|&&row| row >= all.len()).filter(|_| !all.is_regression()) {
            panic!("batch: there is no label of row {row}, found {} labels", all.len());
        }
        match all {
            Targets::Classes { labels, .. } => indices.extend(rows.iter().map(|&row| labels[row])),
            Targets::Masks { masks, .. } => {
                let mask = |&row: &usize| masks.index_axis(Axis(0), row);
                indices.extend(rows.iter().flat_map(mask).map(|&class| usize::from(class)));
            }
            Targets::Values(_) => {}
        }
    }

    /// Some rows on the tape, with their targets.
    ///
    /// # Panics
    /// At the caller's line, if there is no such row.
    #[track_caller]
    fn batch<'b, 't>(&'b self, tape: &'t Tape<'t>, rows: &'b [usize]) -> Batch<'b, 't> {
        let mut labels = Vec::new();
        self.class_indices(rows, &mut labels);
        Batch::new(self.features(tape, rows), self.targets(), rows, labels)
    }
}

/// Features are `[rows, columns]`. With masks they are images, `[rows, channels, height, width]`, and [`Batch::labels`] has the class index of
/// every pixel, `[rows, height, width]` one after the other, for a loss of logits `[rows, classes, height, width]`.
///
/// ```
/// use surprisal_data::{Dataset, Targets};
/// use surprisal_layers::{Conv2d, Layer, rng};
/// use surprisal_loss::softmax_cross_entropy;
/// use surprisal_optim::Adam;
/// use surprisal_tensor::Params;
/// use surprisal_train::{Augment, Trainer};
///
/// // dark and light pixels of the digits
/// let mut data = Dataset::digits().select(&Vec::from_iter(0..100));
/// let masks = data.features.mapv(|pixel| u8::from(pixel > 8.0)).into_shape_with_order((100, 8, 8))?;
/// data.targets = Targets::Masks { masks, names: vec!["dark".into(), "light".into()] };
///
/// let (mut params, mut rng) = (Params::new(), rng(7));
/// let model = Conv2d::new(&mut params, "pixel", [1, 2], 1, &mut rng);
/// let history = Trainer::default()
///     .on(&data)
///     .augment(Augment { flip: true, ..Augment::default() }, [1, 8, 8]) // masks are flipped too
///     .minimize(
///         |batch| softmax_cross_entropy(batch.outputs(model.forward(batch.x)), batch.labels()),
///         &mut params,
///         &mut Adam::new(0.05),
///     )?;
/// assert!(history.last().train.loss < history.epochs()[0].train.loss / 2.0);
/// assert!(history.last().train.accuracy > Some(0.9)); // of the pixels
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Batched for Dataset {
    fn rows(&self) -> usize {
        self.rows()
    }
    fn targets(&self) -> &Targets {
        &self.targets
    }
    #[track_caller]
    fn features<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> Var<'t> {
        let x = tape.rows(&self.features, rows);
        match self.image_shape {
            Some([channels, height, width]) if self.targets.is_segmentation() => {
                x.reshape([rows.len(), channels, height, width])
            }
            _ => x,
        }
    }
}

impl<T: Scalar> Batched for Examples<T> {
    fn rows(&self) -> usize {
        self.rows()
    }
    fn targets(&self) -> &Targets {
        &self.targets
    }
    #[track_caller]
    fn features<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> Var<'t> {
        tape.rows(&self.features, rows)
    }
}

/// Of data without a target for each row.
static NO_TARGETS: Targets = Targets::Values(Vec::new());

/// `n` rows without features or targets, for a closure of [`Fit::minimize`](crate::Fit::minimize) that fetches its data itself:
/// [`Batch::rows`] has their indices, and [`Batch::x`] is empty. For data of other forms, and for models without targets.
///
/// ```
/// use surprisal_data::Dataset;
/// use surprisal_layers::{Layer, Linear, rng};
/// use surprisal_loss::mse_loss;
/// use surprisal_optim::Adam;
/// use surprisal_tensor::Params;
/// use surprisal_train::{Rows, Trainer};
///
/// let pictures = Dataset::digits().features / 16.0;
/// let (mut params, mut rng) = (Params::new(), rng(7));
/// let encoder = Linear::new(&mut params, "encoder", 64, 8, &mut rng);
/// let decoder = Linear::new(&mut params, "decoder", 8, 64, &mut rng);
/// let history = Trainer { epochs: 3, ..Trainer::default() }.on(&Rows(pictures.nrows())).minimize(
///     |batch| {
///         let x = batch.tape().rows(&pictures, batch.rows);
///         mse_loss(decoder.forward(encoder.forward(x)), x)
///     },
///     &mut params,
///     &mut Adam::new(0.01),
/// )?;
/// assert!(history.last().train.loss < history.epochs()[0].train.loss / 2.0);
/// # Ok::<(), surprisal_train::TrainError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows(pub usize);

impl Batched for Rows {
    fn rows(&self) -> usize {
        self.0
    }
    fn targets(&self) -> &Targets {
        &NO_TARGETS
    }
    #[track_caller]
    fn features<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> Var<'t> {
        tape.input_with([rows.len(), 0], |_| 0.0)
    }
}

/// Some rows of a data set on a tape: made by [`Batched::batch`], and handed to the closure of [`Fit::minimize`](crate::Fit::minimize).
///
/// ```
/// use surprisal_data::{Dataset, Targets};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// use surprisal_train::Batched;
/// let (params, mut workspace) = (Params::new(), Workspace::new());
/// let tape = workspace.tape(&params);
///
/// let iris = Dataset::iris();
/// let batch = iris.batch(&tape, &[149, 0]);
/// assert_eq!((batch.x.shape().dims(), batch.labels()), (&[2, 4][..], &[2, 0][..]));
/// assert_eq!(batch.one_hot().value(), array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].into_dyn());
///
/// let prices = Dataset { targets: Targets::Values((0..150).map(f64::from).collect()), ..iris };
/// assert_eq!(prices.batch(&tape, &[149, 0]).values().value(), array![[149.0], [0.0]].into_dyn());
/// ```
#[derive(Debug)]
pub struct Batch<'b, 't> {
    /// The features, `[rows, ..]`.
    pub x: Var<'t>,
    /// The indices of these rows in the data set.
    pub rows: &'b [usize],
    targets: &'b Targets,
    labels: Vec<usize>,
    outputs: Cell<Option<Var<'t>>>,
}

impl<'b, 't> Batch<'b, 't> {
    /// `labels` are the [class indices](Batched::class_indices) of the rows.
    pub(crate) fn new(x: Var<'t>, targets: &'b Targets, rows: &'b [usize], labels: Vec<usize>) -> Self {
        Batch { x, rows, targets, labels, outputs: Cell::new(None) }
    }

    /// The tape that it is recorded on.
    pub fn tape(&self) -> &'t Tape<'t> {
        self.x.tape()
    }

    /// The class index of each row, or of each pixel of masks, for a classification loss.
    ///
    /// # Panics
    /// If the task is regression.
    #[track_caller]
    pub fn labels(&self) -> &[usize] {
        assert!(
            !self.targets.is_regression(),
            "labels: expected classes, found numbers (regression): take `values`"
        );
        &self.labels
    }

    /// Records the target of each row, `[rows, 1]`, for a regression loss.
    ///
    /// # Panics
    /// If the targets are classes.
    #[track_caller]
    pub fn values(&self) -> Var<'t> {
        let Targets::Values(values) = self.targets else {
            panic!("values: expected numbers (regression), found classes: take `labels` or `one_hot`");
        };
        if let Some(row) = self.rows.iter().find(|&&row| row >= values.len()) {
            panic!("values: there is no value of row {row}, found {} values", values.len());
        }
        self.tape().input_with([self.rows.len(), 1], |i| values[self.rows[i]])
    }

    /// Records one-hot targets, `[rows, classes]`, for masks `[rows height width, classes]`: 1 for the class of each row and 0 for the others, for a regression loss.
    ///
    /// # Panics
    /// If the task is regression.
    #[track_caller]
    pub fn one_hot(&self) -> Var<'t> {
        self.tape().one_hot(self.labels(), self.targets.classes())
    }

    /// Passes on the model's outputs for these rows, so that a [`Trainer`](crate::Trainer) measures accuracy or R², and returns them:
    /// logits `[rows, classes]`, or `[rows, 1]` for two classes or numbers; for masks `[rows, classes, height, width]`, or with one channel. Without them, a training measures its loss alone.
    ///
    /// See the example of [`Fit::minimize`](crate::Fit::minimize).
    pub fn outputs(&self, outputs: Var<'t>) -> Var<'t> {
        self.outputs.set(Some(outputs));
        outputs
    }

    /// What was noted.
    pub(crate) fn noted(&self) -> Option<Var<'t>> {
        self.outputs.get()
    }
    pub(crate) fn targets(&self) -> &'b Targets {
        self.targets
    }
    /// The memory of the labels, to be used again.
    pub(crate) fn into_labels(self) -> Vec<usize> {
        self.labels
    }
}
