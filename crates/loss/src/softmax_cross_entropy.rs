//! Softmax cross-entropy: the negative log-likelihood (surprise) `l = -ln softmax(z)_y` of the true class.
//!
//! Logits z say class c with probability `p_c = e^z_c / Σ_j e^z_j`. The surprise at the class y that it was is
//!
#![doc = surprisal_formula_macro::math!("l = -ln p_y = ln Σ_j e^z_j - z_y")]
//!
//! and for a target distribution t instead of one class, `l = -Σ_c t_c ln p_c`.
//!
//! # The gradient
//!
#![doc = surprisal_formula_macro::math!("d(-ln p_y)/dz_j = p_j - [j = y]")]
//!
//! Softmax minus one-hot, bounded, and never 0 while the answer is wrong. For a target distribution it is
//! `p_j Σ_c t_c - t_j`.
//!
//! # In which form
//!
//! With e_j = e^z_j, all divided by one power of 2 that keeps them from overflowing, and O = the sum of e_j over j ≠ y:
//!
//! * `-ln p_y = ln_1p(O / e_y)`. For a well-classified example it keeps every digit, where `-ln(p)` is 0 in `f32` from a gap of 17
//!   on; and `1 - p_y = O / (O + e_y)`, where nothing cancels.
//! * where e_y is so small that it has lost digits, and for a target distribution: with m the largest logit, at class k, S = the sum of
//!   e_j over j ≠ k, and `L = ln_1p(S / e_k)`, `-ln p_c = L - (z_c - m)`, two terms that are not negative. Again
//!   `1 - p_k = S / (S + e_k)`.
//! * terms with target 0 are left out: 0 times the infinite surprise of a masked class (z = -inf) would be NaN.
//! * where softmax and target are both nearly uniform, `p_j Σ_c t_c - t_j` cancels, and is computed again from e_j - 1, in `f64`.
//!
//! A row with the ignored label counts nothing, whatever it holds; a row of weight 0 counts nothing either, but a NaN in it is not hidden.
//!
//! # Source
//!
//! Bridle 1990; Bishop, *Pattern Recognition and Machine Learning* (2006), equation 4.108; label smoothing: Szegedy et al. 2016,
//! section 7; PyTorch's `cross_entropy`, whose conventions for weights and means these are.

use surprisal_tensor::ndarray::{ArrayBase, Data, Dimension};
use surprisal_tensor::ops::softmax::{
    ROWS, at_once, difference, exp_rows, exponentials, maximum, sum_but, take_out,
};
use surprisal_tensor::sum::{sum, sum_by};
use surprisal_tensor::threads::{HEAVY, Rows, for_each, rows_of};
use surprisal_tensor::{Backward, Card, Forward, Inputs, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::by_name::{ByName, CallError, Given, Options};
use crate::error::unwrap;
use crate::kinds::Domain;
use crate::kinds::data::{apply_weighted, check_if_data, check_logits, check_option};
use crate::kinds::labels::{
    Labeled, by_labels, by_rows, class, counted_rows, rows_and_classes, total_weight,
};
use crate::kinds::log_ratio::two_sum;
use crate::kinds::rows::{add_rows, smaller_weights};
use crate::kinds::yes_or_no::{nothing_of, nothing_of_row};
use crate::{Label, LossError, Reduction};

loss! {
    entry softmax_cross_entropy(logits: gradient(Number, "[rows, classes], [N, classes, ..] or [classes]"), targets: constant(Classes, "class indices, one for each row; or, instead:"), target_probs: gradient(Distribution, "the shape of logits"));
    card {
        inputs: "z y",
        forward: "ln Σ_j e^z_j - z_y",
        backward: "dz = (softmax(z) - onehot(y)) dl",
        story: "The negative log-likelihood of the true class, given scores of all classes; its slope is predicted minus true.",
    }
    train { "ce", "cross-entropy", Class, ["label_smoothing"] }
    weights {
        /// w: one weight for every class.
        weight: "optional: one for each class";
    }
    /// With weights w, smoothing ε and C classes, a row counts `Σ_c a_c (-ln p_c)`. For a class index y,
    ///
    #[doc = surprisal_formula_macro::math!("a_c = (1 - ε) w_y [c = y] + (ε / C) w_c")]
    ///
    /// and the mean divides by the weights Σ w_y of the rows that count; for a target distribution t,
    ///
    #[doc = surprisal_formula_macro::math!("a_c = w_c ((1 - ε) t_c + ε / C)")]
    ///
    /// and the mean divides by the number of rows.
    #[derive(Clone, Debug)]
    pub struct SoftmaxCrossEntropy {
        /// How per-row losses are reduced.
        reduction: Reduction;
        /// ε in \[0, 1\]: how much of the target is spread over all classes.
        label_smoothing: f64 = 0 in FRACTION, "how much of the target is spread over all classes, 0 to 1";
        /// Rows with this label count nothing. -100 as in PyTorch, which no unsigned label ever is.
        ignore_index: i64 = -100, "rows with this label count nothing";
    }
}

const NAMES: Labeled = Labeled { loss: "softmax_cross_entropy", input: "logits" };

/// The mean over the rows of the negative log-likelihood of `targets`, when the model gives the classes the probabilities softmax(logits).
///
/// `logits` are `[rows, classes]` or `[classes]`. `targets` are class indices, one for each row (`&labels`, a slice or vector of
/// any integer type), or probabilities of the shape of `logits` (a [`Var`]), which need not sum to 1. Logits may also be
/// `[N, classes, d1, ..]`, as those of the pixels of images; then there is one class index for each of `[N, d1, ..]`, by rows, or as an
/// array of that shape: `&masks`.
///
/// # Panics
/// At the caller's line, if shapes do not fit or are empty, or if a label is not a class: with the row, or the position of the pixel,
/// and the range.
///
/// ```
/// use surprisal_loss::softmax_cross_entropy;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::new();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let logits = tape.input(&array![[0.0f32, 20.0], [0.0, 200.0]]).requires_grad();
/// let loss = softmax_cross_entropy(logits, &[1, 0]);
/// loss.backward();
/// assert_eq!(loss.item(), 100.0); // the mean of 2e-9 and 200; in two steps: infinity
/// let grad = logits.grad().unwrap();
/// assert!((grad[[0, 1]] + 1.0306e-9).abs() < 1e-13); // in two steps: 0
/// assert_eq!(grad[[1, 0]], -0.5);
/// ```
#[track_caller]
pub fn softmax_cross_entropy<'t>(logits: Var<'t>, targets: impl ClassTargets<'t>) -> Var<'t> {
    SoftmaxCrossEntropy::default().loss(logits, targets)
}

/// Classification targets: class indices (a slice, a vector, or an array of the shape of the logits without their axis 1), or a tape
/// value of probabilities.
///
/// ```
/// use surprisal_loss::SoftmaxCrossEntropy;
/// use surprisal_tensor::ndarray::{Array3, Array4};
/// use surprisal_tensor::{Params, Workspace};
/// // segmentation: 2 images of 4x4 pixels with 3 classes; pixels of class 255 count nothing
/// let mut masks = Array3::<u8>::zeros((2, 4, 4));
/// masks[[0, 1, 2]] = 2;
/// masks[[1, 3, 3]] = 255;
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let logits = tape.input(&Array4::<f64>::zeros((2, 3, 4, 4)));
/// let loss = SoftmaxCrossEntropy { ignore_index: 255, weight: Some(vec![0.5, 1.0, 10.0]), ..Default::default() };
/// assert!((loss.loss(logits, &masks).item() - 3f64.ln()).abs() < 1e-15);
/// ```
pub trait ClassTargets<'t> {
    /// Records the targets of a loss on the tape of its `logits`.
    #[doc(hidden)]
    #[track_caller]
    fn record(self, loss: &'static str, logits: Var<'t>, ignore_index: i64) -> Recorded<'t>;
}

type Recorded<'t> = Result<TargetLeaf<'t>, LossError>;

/// Targets as recorded on a tape.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum TargetLeaf<'t> {
    Labels(Var<'t>),
    Probabilities(Var<'t>),
}

impl<'t> ClassTargets<'t> for Var<'t> {
    fn record(self, _: &'static str, _: Var<'t>, _: i64) -> Recorded<'t> {
        Ok(TargetLeaf::Probabilities(self))
    }
}
impl<'t> ClassTargets<'t> for TargetLeaf<'t> {
    fn record(self, _: &'static str, _: Var<'t>, _: i64) -> Recorded<'t> {
        Ok(self)
    }
}
impl<'t, L: Label> ClassTargets<'t> for &[L] {
    #[track_caller]
    fn record(self, loss: &'static str, logits: Var<'t>, ignore_index: i64) -> Recorded<'t> {
        Labeled { loss, ..NAMES }.record(logits, &self, Some(ignore_index)).map(TargetLeaf::Labels)
    }
}
impl<'t, L: Label> ClassTargets<'t> for &Vec<L> {
    #[track_caller]
    fn record(self, loss: &'static str, logits: Var<'t>, ignore_index: i64) -> Recorded<'t> {
        self.as_slice().record(loss, logits, ignore_index)
    }
}
impl<'t, L: Label, const N: usize> ClassTargets<'t> for &[L; N] {
    #[track_caller]
    fn record(self, loss: &'static str, logits: Var<'t>, ignore_index: i64) -> Recorded<'t> {
        self.as_slice().record(loss, logits, ignore_index)
    }
}

impl<'t, L: Label, S: Data<Elem = L>, D: Dimension> ClassTargets<'t> for &ArrayBase<S, D> {
    #[track_caller]
    fn record(self, loss: &'static str, logits: Var<'t>, ignore_index: i64) -> Recorded<'t> {
        Labeled { loss, ..NAMES }.check_shape(self.shape(), &logits.shape())?;
        let labels = self.as_standard_layout();
        labels.as_slice().unwrap_or_default().record(loss, logits, ignore_index)
    }
}

impl ByName for SoftmaxCrossEntropy {
    fn read(options: &Options) -> Self {
        SoftmaxCrossEntropy::read(options)
    }
    #[track_caller]
    fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError> {
        let logits = inputs.input("logits")?;
        match inputs.optional("target_probs") {
            Some(_) if inputs.optional("targets").is_some() => Err(CallError::Input(
                "both \"targets\" and \"target_probs\" are given: give class indices or probabilities, not both".into(),
            )),
            Some(probs) => Ok(self.try_loss(logits, probs)?),
            None => Ok(self.try_loss(logits, inputs.labels("targets")?)?),
        }
    }
}

impl SoftmaxCrossEntropy {
    /// [`try_loss`](Self::try_loss); an error is a panic at the caller's line.
    #[track_caller]
    pub fn loss<'t>(&self, logits: Var<'t>, targets: impl ClassTargets<'t>) -> Var<'t> {
        unwrap(self.try_loss(logits, targets))
    }

    /// [`softmax_cross_entropy()`] with these options.
    ///
    /// # Errors
    /// Where [`softmax_cross_entropy()`] panics, and if an option is out of its range, or if every row is ignored and the mean is asked
    /// for.
    #[track_caller]
    pub fn try_loss<'t>(
        &self,
        logits: Var<'t>,
        targets: impl ClassTargets<'t>,
    ) -> Result<Var<'t>, LossError> {
        self.check(logits)?;
        self.recorded(logits, targets.record(NAMES.loss, logits, self.ignore_index)?)
    }

    fn check(&self, logits: Var) -> Result<(), LossError> {
        let smoothing = self.label_smoothing;
        let expected = "expected 0 (none) to 1 (only the spread)";
        check_option(NAMES.loss, "label_smoothing", smoothing, (0.0..=1.0).contains(&smoothing), expected)?;
        check_logits(NAMES.loss, logits)
    }

    #[track_caller]
    fn recorded<'t>(&self, logits: Var<'t>, targets: TargetLeaf<'t>) -> Result<Var<'t>, LossError> {
        let (rows, targets, soft) = match targets {
            TargetLeaf::Labels(labels) => (by_rows(logits), labels, false),
            TargetLeaf::Probabilities(t) => {
                check_if_data(NAMES.loss, "target probability", t, Domain::NotNegative)?;
                // where the shapes differ, the operation says so of those that were given
                let same = t.shape() == logits.shape();
                if same { (by_rows(logits), by_rows(t), true) } else { (logits, t, true) }
            }
        };
        let op = Fused { reduction: self.reduction, smoothing: self.label_smoothing, soft };
        let loss = apply_weighted(op, [rows, targets], ("weight", &self.weight))?;
        if !soft && self.reduction == Reduction::Mean {
            NAMES.check_mean(targets, self.weight.as_deref(), self.ignore_index)?;
        }
        Ok(by_labels(loss, logits))
    }
}

struct Fused {
    reduction: Reduction,
    smoothing: f64,
    soft: bool,
}

impl Fused {
    /// What the mean divides by.
    fn count<T: Scalar>(&self, inputs: Inputs<T>) -> T {
        if self.soft {
            return T::of(rows_and_classes(inputs.shape(0)).0 as f64);
        }
        total_weight(inputs.x(1), (inputs.len() > 2).then(|| inputs.x(2)))
    }
}

/// One class a row: writes each row's loss, and `scale` times its gradient. The loss is a function f of the surprise -ln p_y:
/// `f(-ln p_y, p_y, 1 - p_y)` gives its value and its derivative by the surprise.
#[allow(clippy::too_many_arguments)] // as the kernel takes them
pub(crate) fn one_class<T: Scalar>(
    z: &[T],
    classes: usize,
    labels: &[T],
    weight: Option<&[T]>,
    f: impl Fn(T, T, T) -> (T, T) + Copy + Sync,
    scale: T,
    losses: &mut [T],
    d: &mut [T],
) {
    let rows = (labels, Rows(z, classes), losses, Rows(d, classes));
    for_each(rows, rows_of(HEAVY, classes), |_, (labels, z, losses, d)| {
        one_class_rows(z.0, classes, labels, weight, f, scale, losses, d.0);
    });
}

kernel! {
    /// Every step is taken for some rows at once, so that short rows vectorize too.
    fn one_class_rows<T: Scalar, F: Fn(T, T, T) -> (T, T)>(z: &[T], classes: usize, labels: &[T], weight: Option<&[T]>, f: F, scale: T, losses: &mut [T], d: &mut [T]) {
        let n = at_once(classes);
        let each_row = labels.chunks(n / classes).zip(losses.chunks_mut(n / classes));
        for ((z, e), (labels, losses)) in z.chunks(n).zip(d.chunks_mut(n)).zip(each_row) {
            exponentials(z, classes, e);
            let (mut y, mut w) = ([0; ROWS], [T::ONE; ROWS]);
            counted_rows(labels, weight, &mut y, &mut w);
            // e_y, and the sum of all others: 1 - p_y is that over the total, and nothing of it is lost
            let (mut own, mut others) = ([T::ONE; ROWS], [T::ZERO; ROWS]);
            take_out(e, classes, &y, &mut own, &mut others);
            let mut surprise = [T::ZERO; ROWS];
            for ((s, &own), &others) in surprise.iter_mut().zip(&own).zip(&others) { *s = (others / own).ln_1p() }
            let likely = |s: T| s < T::of(64.0); // else e_y may have lost digits, or be 0, or nothing is known of it
            if !surprise.iter().fold(true, |all, &s| all & likely(s)) {
                let rows = z.chunks_exact(classes).zip(e.chunks_exact(classes)).zip(&y);
                for (((z, e), &y), s) in rows.zip(&mut surprise).filter(|(_, s)| !likely(**s)) {
                    *s = surprise_at_unlikely(z[y], z, e);
                }
            }

            let mut c = [T::ZERO; ROWS];
            for ((((s, own), &others), c), &w) in surprise.iter_mut().zip(&mut own).zip(&others).zip(&mut c).zip(&w) {
                let total = *own + others;
                let (loss, slope) = f(*s, *own / total, others / total);
                *s = if w > T::ZERO { w * loss } else { T::ZERO };
                *c = w * slope * scale / total;
                *own = -(*c * others);
            }
            losses.copy_from_slice(&surprise[..losses.len()]);
            for ((e, &c), (&y, &own)) in e.chunks_exact_mut(classes).zip(&c).zip(y.iter().zip(&own)) {
                for e in e.iter_mut() { *e *= c }
                e[y] = own;
            }
            if w.iter().fold(false, |any, &w| any | (w == T::ZERO)) {
                let rows = e.chunks_exact_mut(classes).zip(&w);
                rows.filter(|&(_, &w)| w == T::ZERO).for_each(|(e, _)| e.fill(T::ZERO));
                for (((z, &label), l), &w) in z.chunks_exact(classes).zip(labels).zip(losses).zip(&w) {
                    if w == T::ZERO && class(label).is_some() { *l = nothing_of_row(z) }
                }
            }
        }
    }
}

/// The surprise at a class of score z_y whose e_y, if it counted, would not change the sum of a row's e: L - (z_y - m).
#[cold]
fn surprise_at_unlikely<T: Scalar>(z_y: T, z: &[T], e: &[T]) -> T {
    let (k, max) = maximum(z);
    let (d, lost) = difference(z_y, max);
    ((sum_but(e, k) / e[k]).ln_1p() - lost) - d
}

/// The surprise as it is, for [`one_class`].
#[inline(always)]
pub(crate) fn itself<T: Scalar>(surprise: T, _: T, _: T) -> (T, T) {
    (surprise, T::ONE)
}

/// The mean loss of `[rows, classes]` logits, by rows, and its gradient: the kernel behind [`softmax_cross_entropy()`], without a tape.
///
/// A label is a class index; a row with a negative one counts nothing. Nothing is checked but the lengths.
///
/// # Panics
/// If the lengths do not fit, or if a label is not a class.
///
/// ```
/// let (logits, mut gradient) = ([0.0f32, 0.0, 1.0, 1.0], [0.0; 4]);
/// let loss = surprisal_loss::softmax_cross_entropy::value_and_gradient(&logits, 2, &[0.0, 1.0], &mut gradient);
/// assert_eq!(loss, 2f32.ln());
/// assert_eq!(gradient, [-0.25, 0.25, 0.25, -0.25]);
/// ```
#[track_caller]
pub fn value_and_gradient<T: Scalar>(logits: &[T], classes: usize, labels: &[T], gradient: &mut [T]) -> T {
    assert_eq!(logits.len(), gradient.len(), "one gradient for each logit");
    assert_eq!(
        labels.len().checked_mul(classes),
        Some(logits.len()),
        "one label for each row of {classes} classes"
    );
    let count = total_weight(labels, None);
    let mut losses = vec![T::ZERO; labels.len()];
    one_class(logits, classes, labels, None, itself, T::ONE / count, &mut losses, gradient);
    sum(&losses) / count
}

kernel! {
    /// Any coefficients a: writes Σ a_c (-ln p_c), and `scale` times its gradient p_i A - a_i. `coefficients` fills a row of a, and
    /// says whether that row counts.
    fn any_target<T: Scalar, F: Fn(usize, &mut [T]) -> bool>(z: &[T], classes: usize, coefficients: F, a: &mut [T], scale: T, losses: &mut [T], d: &mut [T]) {
        exp_rows(z, classes, d, |i, z, e, row| {
            if !coefficients(i, a) {
                losses[i] = T::ZERO;
                return e.fill(T::ZERO);
            }
            let k = row.argmax;
            losses[i] = sum_by(classes, |c| {
                let surprise = row.surprise(z[c]);
                if a[c] == T::ZERO && surprise == T::of(f64::INFINITY) { T::ZERO } else { a[c] * surprise }
            });
            let total = row.total;
            let (top, a_top) = (e[k] / total, a[k]);
            let a_others = sum_but(a, k);
            let a_all = a_others + a_top;
            // where p may be near 1, the same without subtracting from 1: p_k (A - a_k) - a_k (1 - p_k)
            for (e, &a) in e.iter_mut().zip(a.iter()) { *e = scale * (*e / total * a_all - a) }
            e[k] = scale * (top * a_others - a_top * (row.rest / total));
            if e.iter().zip(a.iter()).fold(false, |any, (&e, &a)| any | cancels(e, scale * a)) {
                nearly_uniform(z, a, row.max, scale, e);
            }
        });
    }
}

/// Whether so little of a is left that more than 5 bits are lost.
#[inline(always)]
fn cancels<T: Scalar>(left: T, a: T) -> bool {
    left.abs() < T::of(1.0 / 32.0) * a
}

/// p_i A - a_i once more, times `scale`, where p and a are both nearly uniform and nearly all cancels.
///
/// With x_j = e^(z_j - m) - 1, S = Σ_j e^(z_j - m) and C classes it is [(A - C a_i) + x_i A - a_i Σ_j x_j] / S, and the first bracket is
/// exact.
#[cold]
fn nearly_uniform<T: Scalar>(z: &[T], a: &[T], max: T, scale: T, d: &mut [T]) {
    let x = |i: usize| (z[i].value() - max.value()).exp_m1();
    if (0..z.len()).any(|i| x(i) < -1.0 / 64.0) {
        return;
    }
    let classes = z.len() as f64;
    let sum = |term: &dyn Fn(usize) -> f64| {
        (0..z.len()).fold((0.0, 0.0), |(sum, rest), i| {
            let (sum, lost) = two_sum(sum, term(i));
            (sum, rest + lost)
        })
    };
    let ((a_high, a_low), (x_high, x_low)) = (sum(&|i| a[i].value()), sum(&x));
    let (all, sum_x) = (a_high + a_low, x_high + x_low);
    for (i, d) in d.iter_mut().enumerate().filter(|(i, d)| cancels(**d, scale * a[*i])) {
        let a_i = a[i].value();
        let times = classes * a_i;
        let (left, lost) = two_sum(a_high, -times);
        let apart = left + (lost + a_low - classes.mul_add(a_i, -times));
        let slope = scale.value() * ((apart + (x(i) * all - a_i * sum_x)) / (classes + sum_x));
        *d += T::of(slope - d.value()); // a derivative stays what it is
    }
}

impl Op for Fused {
    fn card(&self) -> Card {
        ENTRY.card
    }

    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let shape = inputs.shape(0);
        if self.soft && inputs.shape(1) != shape {
            let targets = inputs.shape(1);
            return Err(ShapeError::new(format!(
                "the logits are {shape}, the target probabilities {targets}"
            ))
            .hint("give one probability for every logit, or class indices as a slice: &labels"));
        }
        Ok(self.reduction.shape(NAMES.each(inputs)?))
    }

    fn memo(&self, inputs: Shapes) -> usize {
        let (rows, classes) = rows_and_classes(inputs.shape(0));
        rows * classes + rows // the gradient, which costs nothing more while e is at hand; and each row's loss
    }

    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let (z, t) = (f.inputs.x(0), f.inputs.x(1));
        let weight = (f.inputs.len() > 2).then(|| f.inputs.x(2));
        let (rows, classes) = rows_and_classes(f.inputs.shape(0));
        let count = self.count(f.inputs);
        let scale = self.reduction.factor(count);
        let (d, losses) = f.memo.split_at_mut(rows * classes);
        let mut smaller = vec![];
        let under = |weight| move |row: usize, a: &mut [T]| self.coefficients(row, classes, t, weight, a);
        if !self.soft && self.smoothing == 0.0 {
            one_class(z, classes, t, weight, itself, scale, losses, d);
        } else {
            any_target(z, classes, under(weight), f.room.scratch.at_least(classes), scale, losses, d);
        }
        self.reduction.reduce_large(losses, count, f.y, |shares| {
            smaller = smaller_weights(weight, classes, count);
            let (a, d) = (&mut vec![T::ZERO; classes], &mut vec![T::ZERO; rows * classes]);
            any_target(z, classes, under(Some(&smaller[..])), a, T::ONE, shares, d);
        });
    }

    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let (rows, classes) = rows_and_classes(b.inputs.shape(0));
        let (z, dy, inputs) = (b.x(0), b.dy, b.inputs);
        let d = &b.memo[..rows * classes];
        let each = self.reduction == Reduction::None;
        if let Some(dz) = b.dx(0) {
            add_rows(dz, d, dy, classes);
        }
        if let Some(dt) = b.dx(1).filter(|_| self.soft) {
            // dl/dt_c = w_c (1 - ε) (-ln p_c)
            let weight = (inputs.len() > 2).then(|| inputs.x(2));
            let factor: T = self.reduction.factor(self.count(inputs)) * T::of(1.0 - self.smoothing);
            dt.add_filled(|dt, _| {
                exp_rows(z, classes, dt, |i, z, e, row| {
                    let scale = factor * if each { dy[i] } else { dy[0] };
                    for (c, (e, &z)) in e.iter_mut().zip(z).enumerate() {
                        let factor = scale * weight.map_or(T::ONE, |w| w[c]);
                        *e = if factor == T::ZERO { nothing_of(z) } else { factor * row.surprise(z) };
                    }
                });
            });
        }
    }
}

impl Fused {
    /// The row's coefficients a_c of -ln p_c, and whether it counts: a row that is ignored does not, whatever it holds.
    fn coefficients<T: Scalar>(
        &self,
        row: usize,
        classes: usize,
        targets: &[T],
        weight: Option<&[T]>,
        a: &mut [T],
    ) -> bool {
        let (keep, spread) = (T::of(1.0 - self.smoothing), T::of(self.smoothing) / T::of(classes as f64));
        let w = |c: usize| weight.map_or(T::ONE, |w| w[c]);
        if self.soft {
            let t = &targets[row * classes..][..classes];
            a.iter_mut().zip(t).enumerate().for_each(|(c, (a, &t))| *a = w(c) * (keep * t + spread));
            return true;
        }
        match class(targets[row]) {
            None => a.fill(T::ZERO),
            Some(y) => {
                a.iter_mut().enumerate().for_each(|(c, a)| *a = spread * w(c));
                a[y] += keep * w(y);
            }
        }
        class(targets[row]).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Dual, Params, Workspace, check_gradient};

    /// The gradient of one row.
    fn slopes<T: Scalar>(
        loss: &SoftmaxCrossEntropy,
        z: &[f64],
        targets: impl Fn(&[f64]) -> Option<Vec<f64>>,
    ) -> Vec<f64> {
        let params = Params::<T>::default();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let row = |x: &[f64]| tape.input(&Array2::from_shape_fn((1, x.len()), |(_, j)| T::of(x[j])));
        let logits = row(z).requires_grad();
        match targets(z) {
            Some(t) => loss.loss(logits, row(&t)),
            None => loss.loss(logits, &[0]),
        }
        .backward();
        logits.grad().unwrap().iter().map(|d| d.value()).collect()
    }

    #[test]
    fn a_uniform_target_and_a_nearly_uniform_softmax_leave_their_difference() {
        let even = SoftmaxCrossEntropy::default();
        let smooth = SoftmaxCrossEntropy { label_smoothing: 1.0, ..Default::default() };
        let spread = [-0.012, 0.003, 0.0, 0.007];
        for size in [1.0, 1e-3, 1e-6, 1e-9, 1e-14] {
            let z = spread.map(|x| f64::from((x * size) as f32));
            // p_i - 1/4 with p_j = (1 + x_j) / (4 + Σ x)
            let x = z.map(f64::exp_m1);
            let sum: f64 = x.iter().sum();
            let exact = x.map(|x| (x - sum / 4.0) / (4.0 + sum));
            let scale = exact.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            let near = |found: Vec<f64>, times: f64, unit: f64| {
                for (found, exact) in found.iter().zip(exact) {
                    assert!(
                        (found / times - exact).abs() <= 128.0 * unit * scale,
                        "{size}: {found:e}, exactly {exact:e}"
                    );
                }
            };
            let ones = |z: &[f64]| Some(vec![1.0; z.len()]);
            near(slopes::<f32>(&even, &z, ones), 4.0, f64::from(f32::EPSILON) / 2.0);
            near(slopes::<f64>(&even, &z, ones), 4.0, f64::EPSILON / 2.0);
            near(slopes::<f32>(&smooth, &z, |_| None), 1.0, f64::from(f32::EPSILON) / 2.0);
            near(slopes::<f64>(&smooth, &z, |_| None), 1.0, f64::EPSILON / 2.0);
        }
        let two = slopes::<f32>(&even, &[-5e-19, -1.9e-8], |_| Some(vec![1.0; 2]));
        assert!((two[0] / 9.5e-9 - 1.0).abs() < 1e-6 && two[1] == -two[0], "{two:?}");
    }

    #[test]
    fn a_class_that_counts_nothing_has_no_slope_by_its_target() {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        let z = array![[0.0, f64::NEG_INFINITY, 1.0]];
        for (loss, expected) in [
            (SoftmaxCrossEntropy { weight: Some(vec![1.0, 0.0, 1.0]), ..Default::default() }, false),
            (
                SoftmaxCrossEntropy {
                    label_smoothing: 1.0,
                    weight: Some(vec![1.0, 0.0, 1.0]),
                    ..Default::default()
                },
                true,
            ),
        ] {
            let tape = workspace.tape(&params);
            let t = tape.input(&array![[0.5, 0.0, 0.5]]).requires_grad();
            loss.loss(tape.input(&z), t).backward();
            let slopes = t.grad().unwrap();
            assert!(slopes[[0, 1]] == 0.0 && slopes.iter().all(|d| d.is_finite()), "{slopes}");
            assert_eq!(slopes.iter().all(|&d| d == 0.0), expected);
        }
    }

    fn logits() -> ArrayD<f64> {
        Array2::from_shape_fn((4, 5), |(i, j)| ((i * 5 + j) as f64 * 1.9).sin() * 3.0).into_dyn()
    }

    /// What the fused node must equal wherever this is accurate.
    fn definition<'t>(z: Var<'t>, t: Var<'t>) -> Var<'t> {
        -(t * z.softmax(-1).ln()).sum_axis(-1).mean()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let labels = [2, 0, 4, 1];
        let one_hot = Array2::from_shape_fn((4, 5), |(i, j)| Dual::of(f64::from(labels[i] == j)));
        check_gradient(&[logits()], |tape, x| {
            let t = tape.input(&one_hot);
            let (by_index, by_one_hot) =
                (softmax_cross_entropy(x[0], &labels), softmax_cross_entropy(x[0], t));
            let plain = definition(x[0], t);
            assert!((by_index.item() - plain.item()).abs() < 1e-14);
            assert!((by_one_hot.item() - plain.item()).abs() < 1e-14);
            by_index + (by_one_hot - plain) * 1e3
        });
    }

    #[test]
    fn every_option_has_the_right_gradient() {
        let soft = Array2::from_shape_fn((4, 5), |(i, j)| ((i + 2 * j) % 4) as f64 / 3.0).into_dyn();
        for reduction in crate::definition::REDUCTIONS {
            for weight in [None, Some(vec![0.5, 2.0, 0.0, 1.0, 3.0])] {
                for label_smoothing in [0.0, 0.1, 1.0] {
                    let loss = SoftmaxCrossEntropy {
                        reduction,
                        weight: weight.clone(),
                        label_smoothing,
                        ignore_index: 3,
                    };
                    check_gradient(&[logits()], |_, x| loss.loss(x[0], &[2, 3, 4, 1]));
                    check_gradient(&[logits(), soft.clone()], |_, x| loss.loss(x[0], x[1]));
                }
            }
        }
    }

    #[test]
    fn one_row_may_stand_alone() {
        let row = ArrayD::from_shape_vec(vec![3], vec![0.5, -1.0, 2.0]).unwrap();
        check_gradient(&[row], |_, x| softmax_cross_entropy(x[0], &[1]));
    }
}
