//! Cross-entropy and Dice together.
//!
#![doc = surprisal_formula_macro::math!("l = a CE + (1 - a) (1 - Dice)")]
//!
//! Cross-entropy asks of every element how surprising it is, and has a good slope everywhere; it does not mind if a small
//! set is lost among many elements outside of it. [Dice](mod@crate::dice_loss) sees nothing but the set, and has next to no
//! slope where an element is surely wrong. Segmentation takes both.
//!
//! * With yes-or-no targets of the shape of the logits, CE is the mean of
//!   [`binary_cross_entropy_with_logits`](mod@crate::binary_cross_entropy_with_logits), and Dice that of all elements as
//!   one set.
//! * With class labels, CE is the mean of [`softmax_cross_entropy`](mod@crate::softmax_cross_entropy) over the rows, and
//!   every class c is a set of rows: `Dice_c = (2 Σ_n p_nc t_nc + s) / (Σ_n p_nc + Σ_n t_nc + s)`, t one-hot; Dice is their
//!   mean.
//!
//! # The gradient
//!
//! The weighted sum of both: it *is* an expression of two losses on the tape, and may be written as one with any weights or
//! other parts:
//!
//! ```
//! use surprisal_loss::{CeDiceLoss, binary_cross_entropy_with_logits, dice_loss};
//! use surprisal_tensor::{Params, Workspace, ndarray::array};
//! let params = Params::<f64>::default();
//! let mut workspace = Workspace::new();
//! let tape = workspace.tape(&params);
//! let (logits, targets) = (tape.input(&array![2.0, -1.0, 0.5]), tape.input(&array![1.0, 0.0, 0.0]));
//! let a = 0.25;
//! let loss = a * binary_cross_entropy_with_logits(logits, targets) + (1.0 - a) * dice_loss(logits, targets);
//! assert_eq!(loss.item(), CeDiceLoss { a, ..Default::default() }.loss(logits, targets).item());
//! ```
//!
//! # In which form
//!
//! As the forms of the parts. Of the softmax, `1 - p_y` is the sum of the other probabilities: in `f32`, p_y itself is 1
//! from a gap of 17 on. With targets of 0 or 1 both parts pull to the same side. With classes they need not: a row of
//! another class may earn in one Dice what it pays in the other, and where a sum of slopes all but cancels, only its
//! absolute error is small. Where a is 0 or 1, the other part is not computed: 0 times an infinite cross-entropy would be
//! NaN.
//!
//! # Source
//!
//! Taghanaki et al. 2019, "Combo loss"; Isensee et al. 2021, "nnU-Net", which adds both unweighted: `2 l` with a = 1/2.

use surprisal_tensor::ops::softmax::difference;
use surprisal_tensor::sum::{sum_by, sum_of};
use surprisal_tensor::{Backward, Card, Forward, Op, Scalar, Shape, ShapeError, Shapes, Var, kernel};

use crate::by_name::{
    ByName, CallError, Entry, Given, Kind, Options, Setting, Target, Training, Values, constant, gradient,
};
use crate::dice_loss::{share, share_slopes};
use crate::error::unwrap;
use crate::kinds::Domain;
use crate::kinds::data::{apply, check_constant, check_logits, check_not_negative, check_option};
use crate::kinds::labels::{Labeled, by_rows, class, rows_and_classes};
use crate::kinds::pointwise::{agree, not_empty};
use crate::{
    BinaryCrossEntropyWithLogits, ClassTargets, DiceLoss, Label, LossError, SoftmaxCrossEntropy, TargetLeaf,
};

pub(crate) const ENTRY: Entry = Entry {
    card: Card {
        name: "ce_dice_loss",
        inputs: "",
        forward: "a CE + (1 - a) (1 - Dice)",
        backward: "dz = a dCE + (1 - a) d(1 - Dice)",
        story: "Cross-entropy, which looks at every element, and Dice, which looks at the overlap, in one number.",
    },
    inputs: &[
        gradient(
            "logits",
            Values::Number,
            "binary: any shape; multiclass: [rows, classes], [N, classes, ..] or [classes]",
        ),
        constant(
            "targets",
            Values::YesNo,
            "binary: the shape of logits, from 0 to 1; multiclass: class indices, one for each row",
        ),
    ],
    options: &[MODE, CeDiceLoss::OPTIONS[0], CeDiceLoss::OPTIONS[1]],
    curve: None,
    training: Training::Rows {
        name: "ce_dice",
        title: "cross-entropy and Dice loss",
        target: Target::Class,
        options: &["a", "smooth"],
    },
};
const MODE: Setting = Setting {
    name: "mode",
    kind: Kind::Word(&["binary", "multiclass"]),
    default: "binary",
    help: "binary or multiclass",
};

options! {
    /// The options of [`ce_dice_loss()`]; [`loss`](Self::loss) computes it with them.
    #[derive(Clone, Copy, Debug)]
    pub struct CeDiceLoss {
        /// a in \[0, 1\]: how much cross-entropy counts; Dice counts 1 - a. The default is 0.5.
        a: f64 = 0.5 in FRACTION, "how much cross-entropy counts, 0 to 1; Dice counts the rest";
        /// s of the Dice part, finite and 0 or more. The default is 1.
        smooth: f64 = 1 in NOT_NEGATIVE, "s of the Dice part, 0 or more";
    }
}

/// The options that are given by name: there the kind of the targets is one of them.
#[derive(Clone, Debug)]
pub(crate) struct CeDiceByName {
    loss: CeDiceLoss,
    multiclass: bool,
}

impl ByName for CeDiceByName {
    fn read(options: &Options) -> Self {
        CeDiceByName { loss: CeDiceLoss::read(options), multiclass: options.word("mode") == "multiclass" }
    }
    #[track_caller]
    fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError> {
        let logits = inputs.input("logits")?;
        if self.multiclass || inputs.optional("targets").is_none() {
            Ok(self.loss.try_loss(logits, inputs.labels("targets")?)?)
        } else {
            Ok(self.loss.try_loss(logits, inputs.input("targets")?)?)
        }
    }
}

const NAMES: Labeled = Labeled { loss: "ce_dice_loss", input: "logits" };
/// No row is ignored.
const NO_INDEX: i64 = i64::MIN;

/// Half the cross-entropy and half of 1 - Dice of `targets`, given logits.
///
/// `targets` of the shape of `logits`, a [`Var`] of numbers in \[0, 1\], are yes or no for every element, any shape. Class
/// labels (`&labels`, a slice or vector of any integer type), one for each row, belong to logits `[rows, classes]` or
/// `[classes]`, or, one for each of `[N, d1, ..]`, to `[N, classes, d1, ..]`. Targets are not differentiated.
///
/// # Panics
/// At the caller's line, if the shapes differ or are empty, if a target is not in \[0, 1\], if a label is not a class, or
/// if the logits are the output of a sigmoid or softmax.
///
/// ```
/// use surprisal_loss::ce_dice_loss;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let logits = tape.input(&array![[0.0, 0.0], [0.0, 0.0]]);
/// let loss = ce_dice_loss(logits, &[0, 1]); // every p is ½
/// assert!((loss.item() - (2f64.ln() + 1.0 / 3.0) / 2.0).abs() < 1e-15); // each class has the Dice (1 + 1) / (1 + 1 + 1)
/// let loss = ce_dice_loss(logits, tape.input(&array![[1.0, 0.0], [0.0, 1.0]])); // four yes or no
/// assert!((loss.item() - (2f64.ln() + 2.0 / 5.0) / 2.0).abs() < 1e-15); // one set: (2 + 1) / (2 + 2 + 1)
/// ```
#[track_caller]
pub fn ce_dice_loss<'t>(logits: Var<'t>, targets: impl ClassTargets<'t>) -> Var<'t> {
    CeDiceLoss::default().loss(logits, targets)
}

impl CeDiceLoss {
    /// [`try_loss`](Self::try_loss); an error is a panic at the caller's line.
    #[track_caller]
    pub fn loss<'t>(&self, logits: Var<'t>, targets: impl ClassTargets<'t>) -> Var<'t> {
        unwrap(self.try_loss(logits, targets))
    }

    /// [`ce_dice_loss()`] with these options.
    ///
    /// # Errors
    /// Where [`ce_dice_loss()`] panics, and if an option is out of its range.
    #[track_caller]
    pub fn try_loss<'t>(
        &self,
        logits: Var<'t>,
        targets: impl ClassTargets<'t>,
    ) -> Result<Var<'t>, LossError> {
        self.check(logits)?;
        self.recorded(logits, targets.record(NAMES.loss, logits, NO_INDEX)?)
    }

    fn check(&self, logits: Var) -> Result<(), LossError> {
        let (a, expected) = (self.a, "expected 0 (only Dice) to 1 (only cross-entropy)");
        check_option(NAMES.loss, "a", a, (0.0..=1.0).contains(&a), expected)?;
        check_not_negative(NAMES.loss, "smooth", self.smooth)?;
        check_logits(NAMES.loss, logits)
    }

    #[track_caller]
    fn recorded<'t>(&self, logits: Var<'t>, targets: TargetLeaf<'t>) -> Result<Var<'t>, LossError> {
        let fit = match targets {
            TargetLeaf::Labels(_) => not_empty(&logits.shape()),
            TargetLeaf::Probabilities(t) => {
                agree(("the input", &logits.shape()), ("the targets", &t.shape()))
            }
        };
        fit.map_err(|message| LossError::shape(NAMES.loss, message))?;
        if let TargetLeaf::Probabilities(t) = targets {
            check_constant(NAMES.loss, "target", t, Domain::FromZeroToOne)?;
        }
        let logits = if let TargetLeaf::Labels(_) = targets { by_rows(logits) } else { logits };
        match self.a {
            0.0 => self.dice(logits, targets), // 0 times an infinite cross-entropy would be NaN
            1.0 => self.cross_entropy(logits, targets),
            a => Ok(a * self.cross_entropy(logits, targets)? + (1.0 - a) * self.dice(logits, targets)?),
        }
    }

    #[track_caller]
    fn cross_entropy<'t>(&self, logits: Var<'t>, targets: TargetLeaf<'t>) -> Result<Var<'t>, LossError> {
        match targets {
            TargetLeaf::Labels(_) => SoftmaxCrossEntropy::default().try_loss(logits, targets),
            TargetLeaf::Probabilities(t) => BinaryCrossEntropyWithLogits::default().try_loss(logits, t),
        }
    }

    #[track_caller]
    fn dice<'t>(&self, logits: Var<'t>, targets: TargetLeaf<'t>) -> Result<Var<'t>, LossError> {
        let smooth = self.smooth;
        match targets {
            TargetLeaf::Labels(labels) => apply(ClassDice { smooth }, [logits.softmax(-1), labels]),
            TargetLeaf::Probabilities(t) => DiceLoss { smooth, ..Default::default() }.try_loss(logits, t),
        }
    }
}

/// The mean of 1 - Dice over the classes, each of which is a set of rows, given the probabilities of all classes.
struct ClassDice {
    smooth: f64,
}

kernel! {
    /// For each class, the sum of the parts outside of the overlap, p of other classes' rows and 1 - p of its own, and that
    /// of p of its own. The rows may be many: what rounding takes from a sum stands in `rests`, and is put back.
    fn class_parts<T: Scalar>(p: &[T], labels: &[T], outside: &mut [T], inside: &mut [T], rests: &mut [T]) {
        let classes = outside.len();
        for sums in [&mut *outside, &mut *inside, &mut *rests] { sums.fill(T::ZERO) }
        let (outside_rests, inside_rests) = rests.split_at_mut(classes);
        let add = |sum: &mut T, rest: &mut T, x: T| {
            let (next, lost) = difference(*sum, -x);
            *sum = next;
            *rest += lost;
        };
        for (p, &label) in p.chunks_exact(classes).zip(labels) {
            let Some(y) = class(label) else { continue };
            let others = sum_of(&p[..y]) + sum_of(&p[y + 1..]); // 1 - p_y, of which nothing is lost
            for (c, ((sum, rest), &p)) in outside.iter_mut().zip(outside_rests.iter_mut()).zip(p).enumerate() {
                add(sum, rest, if c == y { others } else { p });
            }
            add(&mut inside[y], &mut inside_rests[y], p[y]);
        }
        for (sum, &rest) in outside.iter_mut().zip(&*outside_rests).chain(inside.iter_mut().zip(&*inside_rests)) { *sum += rest }
    }
}

impl Op for ClassDice {
    fn card(&self) -> Card {
        Card {
            name: "class_dice",
            inputs: "p t",
            forward: "mean over c of Σ_n [p (1 - t) + t (1 - p)] / (Σ_n p + Σ_n t + s)",
            backward: "as that of dice_loss, for every class",
            story: "How much of each class lies outside of its overlap with the rows that are of it.",
        }
    }
    fn shape(&self, _: Shapes) -> Result<Shape, ShapeError> {
        Ok(Shape::SCALAR)
    }
    fn memo(&self, inputs: Shapes) -> usize {
        2 * rows_and_classes(inputs.shape(0)).1
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let classes = rows_and_classes(f.inputs.shape(0)).1;
        let (outside, inside) = f.memo.split_at_mut(classes);
        class_parts(f.inputs.x(0), f.inputs.x(1), outside, inside, f.room.scratch.at_least(2 * classes));
        for inside in inside.iter_mut() {
            *inside = *inside + *inside + T::of(self.smooth);
        }
        f.y[0] = sum_by(classes, |c| share(outside[c], inside[c])) / T::of(classes as f64);
    }
    fn backward<T: Scalar>(&self, b: &mut Backward<T>) {
        let classes = rows_and_classes(b.inputs.shape(0)).1;
        let (labels, scale) = (b.x(1), b.dy[0] / T::of(classes as f64));
        let (outside, inside) = b.memo.split_at(classes);
        let Some(dp) = b.dx(0) else { return };
        dp.add_filled(|dp, room| {
            let slopes = room.scratch.at_least(2 * classes);
            let (other, own) = slopes.split_at_mut(classes);
            for c in 0..classes {
                (other[c], own[c]) = share_slopes(outside[c], inside[c], false, scale);
            }
            for (dp, &label) in dp.chunks_exact_mut(classes).zip(labels) {
                dp.copy_from_slice(other);
                if let Some(y) = class(label) {
                    dp[y] = -own[y];
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::same;
    use surprisal_tensor::ndarray::{Array2, ArrayD};
    use surprisal_tensor::{Dual, check_gradient};

    fn logits() -> ArrayD<f64> {
        Array2::from_shape_fn((5, 3), |(i, j)| ((i * 3 + j) as f64 * 1.9).sin() * 3.0).into_dyn()
    }

    /// The mean of 1 - Dice, of everything or of every column.
    fn dice<'t>(p: Var<'t>, t: Var<'t>, columns: bool, s: f64) -> Var<'t> {
        let sum = |x: Var<'t>| if columns { x.sum_axis(0) } else { x.sum() };
        (1.0 - (2.0 * sum(p * t) + s) / (sum(p) + sum(t) + s)).mean()
    }

    #[test]
    fn equals_its_definition_in_plain_operations() {
        let labels = [2usize, 0, 1, 1, 2];
        for a in [0.0, 0.3, 1.0] {
            for smooth in [0.0, 1.0] {
                let loss = CeDiceLoss { a, smooth };
                check_gradient(&[logits()], |tape, x| {
                    let (t, p) = (tape.one_hot(&labels, 3), x[0].softmax(-1));
                    let plain = a * -(t * p.ln()).sum() / 5.0 + (1.0 - a) * dice(p, t, true, smooth);
                    same(loss.loss(x[0], &labels), plain)
                });
                check_gradient(&[logits()], |tape, x| {
                    let (t, p) = (tape.one_hot(&labels, 3), x[0].sigmoid());
                    let ce = -(t * p.ln() + (1.0 - t) * (1.0 - p).ln()).mean();
                    same(loss.loss(x[0], t), a * ce + (1.0 - a) * dice(p, t, false, smooth))
                });
            }
        }
    }

    #[test]
    fn a_class_that_nothing_speaks_of_counts_as_missed() {
        check_gradient(&[logits()], |tape, x| {
            let masked = x[0]
                + tape.input(&Array2::from_shape_fn((5, 3), |(_, j)| {
                    Dual::of([0.0, 0.0, f64::NEG_INFINITY][j])
                }));
            let loss = |smooth| CeDiceLoss { a: 0.0, smooth }.loss(masked, &[0, 1, 1, 0, 1]);
            let two = CeDiceLoss { a: 0.0, smooth: 0.0 }.loss(x[0].slice(1, 0..2), &[0, 1, 1, 0, 1]);
            assert!((loss(0.0).item() - (2.0 * two.item() + 1.0) / 3.0).abs() < 1e-15);
            loss(0.0) + loss(1.0)
        });
    }
}
