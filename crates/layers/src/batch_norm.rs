//! Every feature with mean 0 and variance 1.

use surprisal_formula_macro::math;
use surprisal_tensor::ops::normalize::Normalize;
use surprisal_tensor::ops::stack;
use surprisal_tensor::{ParamId, Params, Scalar, Shape, Var};

use crate::Layer;
use crate::layer::note;
use crate::layer_norm::{add_filled, expect_eps};

/// Takes from each feature its mean, divides by its standard deviation, then scales and shifts: `[rows, features]` to the same, or
/// `[N, features, ..]`, in which every pixel of an image is a row.
///
#[doc = math!("y = (x - μ) / √(σ² + ε) · weight + bias")]
#[doc = math!("μ = 1/n Σ x, σ² = 1/n Σ (x - μ)²")]
///
/// In training mean and variance are those of the batch, along its n rows, and the gradient goes through them. In evaluation they are running ones, so that a row's result does not depend on the rows beside it: each
/// step of training moves `NAME.running_mean` and `NAME.running_var` by the `momentum` toward those of its batch (the variance
/// with n - 1 instead of n, as PyTorch does), written by the optimizer's step (Ioffe and Szegedy 2015).
///
/// | parameter, `[features]` | starts as | moved by |
/// |---|---|---|
/// | `NAME.weight`, `NAME.bias` | 1, 0 | the gradient |
/// | `NAME.running_mean`, `NAME.running_var` | 0, 1 | each step of training; they are buffers ([`Params::add_buffer`]) |
///
/// ```
/// use surprisal_layers::{BatchNorm1d, Layer};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let layer = BatchNorm1d { eps: 0.0, ..BatchNorm1d::new(&mut params, "norm", 1) };
/// let mut workspace = Workspace::new();
///
/// let tape = workspace.tape(&params); // training: mean 6, variance 4
/// let y = layer.forward(tape.input(&array![[4.0], [8.0]]));
/// assert_eq!(y.value(), array![[-1.0], [1.0]].into_dyn());
/// workspace.grads().apply_updates(&mut params); // as an optimizer's step does
/// assert!((params[layer.running_mean][0] - (0.9 * 0.0 + 0.1 * 6.0)).abs() < 1e-15);
/// assert!((params[layer.running_var][0] - (0.9 * 1.0 + 0.1 * 8.0)).abs() < 1e-15);
/// ```
///
/// An update of the parameters by hand needs `apply_updates` as well: without it the running ones would stay as they are, and the next
/// evaluation panics. A net that was not trained, and one that was loaded, evaluate with the ones that they have.
///
/// Used more than once on one tape, the last use moves the running ones. What rounding leaves in the mean is taken off in a second
/// pass, so an offset common to a feature costs no digits; where squares overflow, in `f32` from distances of 1.8e19 on, σ is
/// infinite and the result is the bias.
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the input is neither `[rows, features]` nor `[N, features, ..]`; in training, if it has fewer than 2 rows;
/// if `eps` is negative, not finite, or not 0 but rounded to 0 in the type of the numbers.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm1d {
    /// `NAME.weight`
    pub weight: ParamId,
    /// `NAME.bias`
    pub bias: ParamId,
    /// `NAME.running_mean`, a buffer
    pub running_mean: ParamId,
    /// `NAME.running_var`, a buffer
    pub running_var: ParamId,
    /// Epsilon, added to the variance against a division by 0; 1e-5 by default. With 0 such a feature is NaN.
    pub eps: f64,
    /// How far a step of training moves the running mean and variance, from 0 (not at all) to 1 (they forget); 0.1 at first.
    pub momentum: f64,
}

/// The same layer under PyTorch's name for images `[N, C, H, W]`.
pub type BatchNorm2d = BatchNorm1d;

impl BatchNorm1d {
    /// Adds a layer's parameters.
    ///
    /// ```
    /// use surprisal_layers::BatchNorm1d;
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let layer = BatchNorm1d::new(&mut params, "norm", 3);
    /// assert_eq!((&params[layer.weight], &params[layer.bias]), (&[1.0; 3][..], &[0.0; 3][..]));
    /// assert!(params.is_trainable(layer.weight) && !params.is_trainable(layer.running_mean));
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(params: &mut Params<T>, name: &str, features: usize) -> BatchNorm1d {
        let buffer = |params: &mut Params<T>, part: &str, start: T| {
            params.add_buffer_with(&format!("{name}.{part}"), [features], |slots| slots.fill(start))
        };
        BatchNorm1d {
            weight: add_filled(params, name, "weight", features, T::ONE),
            bias: add_filled(params, name, "bias", features, T::ZERO),
            running_mean: buffer(params, "running_mean", T::ZERO),
            running_var: buffer(params, "running_var", T::ONE),
            eps: 1e-5,
            momentum: 0.1,
        }
    }

    /// Notes a running mean or variance that has moved toward this batch's.
    #[track_caller]
    fn follow(&self, running: ParamId, now: Var) {
        let tape = now.tape();
        tape.update(running, (1.0 - self.momentum) * tape.param(running) + self.momentum * now.detach());
    }
}

impl Layer for BatchNorm1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let _layer = note(self, x);
        let (tape, shape, entry) = (x.tape(), x.shape(), x.tape().entry(self.weight));
        tape.require_rows(2);
        if shape.rank() < 2 {
            panic!("batch_norm: {shape} is neither [rows, features] nor [N, features, ..]");
        }
        expect_eps("batch_norm", x, self.eps);
        let features = shape.dims()[1];
        assert!(
            features == entry.shape.len(),
            "batch_norm: {shape} does not have the {} features of \"{}\" in its second axis",
            entry.shape.len(),
            entry.name
        );
        let rows = shape.len() / features.max(1);
        let moments = if tape.is_training() {
            expect_rows(shape, rows);
            let moments = x.moments();
            let part = |k: usize| moments.slice(0, k..k + 1).squeeze(0);
            self.follow(self.running_mean, part(0) + part(1));
            self.follow(self.running_var, rows as f64 / (rows - 1) as f64 * part(2));
            moments
        } else {
            let mean = tape.param(self.running_mean);
            stack(&[mean, mean * 0.0, tape.param(self.running_var)], 0)
        };
        let by = Normalize { eps: self.eps, of_input: tape.is_training() };
        x.normalize(moments, tape.param(self.weight), tape.param(self.bias), by)
    }
}

/// Refuses a batch whose variance would be one over 0.
#[track_caller]
fn expect_rows(shape: Shape, rows: usize) {
    assert!(
        rows >= 2,
        "batch_norm: {shape} has {rows} row{}, and the variance of a batch in training needs 2: leave a last \
         batch of one row out with `drop_last`, take another batch size, or evaluate with `no_grad` or `evaluating`",
        if rows == 1 { "" } else { "s" }
    );
}
